"""A new key for the encrypted columns, and everything under it."""

from collections.abc import Iterator

from django.apps import apps
from django.db import transaction
from django.db.models import Model

from bots import field_keys
from bots.encrypted import EncryptedField, Secret
from notifications.events import publish
from notifications.models import Severity
from tradingplatform.acting import By
from tradingplatform.event_kinds import FieldKeysRotated


def rotate_field_keys(by: By) -> int:
    """Make a new first key (in the file: FIELD_KEYS is whose it is) and encrypt every secret with the first one.

    How many secrets it were. May be repeated: what an interrupted one left is readable with the older keys. Raises
    field_keys.UnreadableSecret; then nothing is encrypted anew.
    """
    if not field_keys.from_environment():
        field_keys.add_key()
    with transaction.atomic():
        count = sum(_reencrypt(model, field.attname) for model, field in _encrypted())
        publish(
            FieldKeysRotated(by.actor, count),
            f"{by.actor} encrypted {count} secrets anew",
            severity=Severity.WARNING,
            market_at=by.now.market_at,
            wall_at=by.now.wall_at,
        )
        by.audit("rotate_field_keys", "all secrets", after={"secrets": count})
    return count


def _encrypted() -> Iterator[tuple[type[Model], EncryptedField]]:
    for model in apps.get_models():
        for column in model._meta.local_fields:
            if isinstance(column, EncryptedField):
                yield model, column


def _reencrypt(model: type[Model], name: str) -> int:
    """Each row only while it has the secret that was read: one that was replaced meanwhile stays the new one."""
    rows = model._default_manager.exclude(**{name: Secret()}).values_list("pk", name)
    return sum(
        model._default_manager.filter(pk=pk, **{name: secret}).update(
            **{name: Secret(field_keys.reencrypt(secret.token))}
        )
        for pk, secret in list(rows)
    )
