"""Users and groups, in the console's looks."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from notifications.admin_base import AdminPasswordChangeForm, ModelAdmin, UserChangeForm, UserCreationForm
from tradingplatform.console.audit import AuditedAdmin, leave_trace

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(AuditedAdmin, DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]  # no parameter at run time
    """People who may log in."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """A new password for somebody, or none any more: its act is audited, the password is not."""
        before = _hash_of(id)
        answer: HttpResponse = super().user_change_password(request, id, form_url)
        if _hash_of(id) != before:
            leave_trace(request, User.objects.get(pk=id), "password_changed", "gave another password", {}, {})
        return answer


@admin.register(Group)
class GroupAdmin(AuditedAdmin, DjangoGroupAdmin, ModelAdmin):
    """Permissions by role."""


def _hash_of(user_id: str) -> str | None:
    return User.objects.filter(pk=user_id).values_list("password", flat=True).first() if user_id.isdigit() else None
