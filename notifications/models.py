"""The durable log of everything significant."""

from django.db import models
from django.db.models import Q


class Severity(models.TextChoices):
    """How soon a person should know."""

    INFO = "INFO", "Info"  # part of a normal day
    WARNING = "WARNING", "Warning"  # look when you can
    CRITICAL = "CRITICAL", "Critical"  # look now


class Event(models.Model):
    """One significant thing, written in the same transaction as what it tells.

    It knows nothing of trading: a kind, a plain bot id, a sentence for people and a payload for programs.
    """

    kind = models.CharField(max_length=48)
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.INFO)
    bot_id = models.BigIntegerField(null=True, blank=True)
    text = models.CharField(max_length=500, help_text="one sentence for people")
    payload = models.JSONField(default=dict, help_text="the same for programs; money as exact strings")
    market_at = models.DateTimeField(help_text="market time")
    wall_at = models.DateTimeField(help_text="wall time")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["kind", "id"], name="event_kind"),
            models.Index(fields=["bot_id", "id"], name="event_bot"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="event_severity_known"),
        ]

    def __str__(self) -> str:
        return self.text
