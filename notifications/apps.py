from importlib import import_module

from django.apps import AppConfig

from notifications.database_rules import DatabaseRule, keep

APPEND_ONLY = DatabaseRule(
    name="audit_is_append_only",
    table="notifications_auditentry",
    event="UPDATE",
    refused="1 = 1",
    says="an audit entry is never changed: write another one",
)


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        keep(self, [APPEND_ONLY])
        for name in ("telegram", "webhooks", "stream"):  # each registers as a subscriber, whichever process this is
            import_module(f"notifications.{name}")
