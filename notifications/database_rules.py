"""Rules that the database itself keeps, as triggers: no code path, console or shell gets past them.

Django knows no triggers, and rebuilds a table on SQLite without them: they are taken away before each migration and
made anew after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.signals import post_migrate, pre_migrate


@dataclass(frozen=True, slots=True)
class DatabaseRule:
    """Refuse an ``event`` (INSERT or UPDATE) on a table when ``refused``, SQL over NEW, is true.

    ``says`` is the error's text; the error is a django.db.IntegrityError.
    """

    name: str
    table: str
    event: str
    refused: str
    says: str

    def create(self, vendor: str) -> tuple[str, ...]:
        """The statements that make it."""
        begins = f"CREATE TRIGGER {self.name} BEFORE {self.event} ON {self.table} FOR EACH ROW"
        says = self.says.replace("'", "''")
        if vendor == "sqlite":
            return (f"{begins} WHEN {self.refused} BEGIN SELECT RAISE(ABORT, '{says}'); END",)
        return (
            f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF {self.refused} THEN"
            f" RAISE EXCEPTION '{says}' USING ERRCODE = 'integrity_constraint_violation'; END IF;"
            " RETURN NEW; END $$",
            f"{begins} EXECUTE FUNCTION {self.name}()",
        )

    def drop(self, vendor: str) -> str:
        """The statement that takes it away, if it is there."""
        return f"DROP TRIGGER IF EXISTS {self.name}" + ("" if vendor == "sqlite" else f" ON {self.table}")


def keep(app: AppConfig, rules: Sequence[DatabaseRule]) -> None:
    """Let every database that is migrated keep these rules of an app's tables."""

    def lift(using: str, **_: Any) -> None:
        _each(connections[using], rules, create=False)

    def lay(using: str, **_: Any) -> None:
        _each(connections[using], rules, create=True)

    pre_migrate.connect(lift, sender=app, weak=False, dispatch_uid=f"{app.name}.lift_rules")
    post_migrate.connect(lay, sender=app, weak=False, dispatch_uid=f"{app.name}.lay_rules")


def _each(connection: BaseDatabaseWrapper, rules: Sequence[DatabaseRule], *, create: bool) -> None:
    there = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for rule in rules:
            if rule.table in there:
                cursor.execute(rule.drop(connection.vendor))
                for statement in rule.create(connection.vendor) if create else ():
                    cursor.execute(statement)
