"""The durable log of everything significant."""

from typing import Any

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
    seq = models.BigIntegerField(
        null=True, unique=True, editable=False, help_text="its place among all events; given after its commit"
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["kind", "id"], name="event_kind"),
            models.Index(fields=["bot_id", "id"], name="event_bot"),
            models.Index(fields=["id"], condition=Q(seq__isnull=True), name="event_unnumbered"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="event_severity_known"),
        ]

    def __str__(self) -> str:
        return self.text


class EventCounter(models.Model):
    """The last number that an event was given. Whoever numbers events locks this row first."""

    SINGLETON = 1
    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLETON)
    last = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_event_counter")]

    def __str__(self) -> str:
        return f"{self.last} events"


class Cursor(models.Model):
    """How far one subscriber has come in the log of events, and who reads for it. All times are wall time."""

    name = models.CharField(primary_key=True, max_length=64, help_text="the subscriber's")
    seq = models.BigIntegerField(help_text="the last event that it is done with")
    attempts = models.PositiveIntegerField(default=0, help_text="failed ones, of the event after it")
    failing_since = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True, help_text="when that event is tried again")
    error = models.CharField(max_length=300, blank=True, help_text="why the last attempt failed")
    holder = models.CharField(max_length=64, blank=True, help_text="which process reads for it")
    held_until = models.DateTimeField(null=True, blank=True)
    moved_at = models.DateTimeField(help_text="when it last came on")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class DeadLetter(models.Model):
    """An event that a subscriber could not be given, and never will be unless somebody asks for it."""

    subscriber = models.CharField(max_length=64)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="dead_letters")
    error = models.CharField(max_length=300)
    attempts = models.PositiveIntegerField()
    buried_at = models.DateTimeField(help_text="wall time")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["subscriber", "event"], name="buried_once")]

    def __str__(self) -> str:
        return f"{self.subscriber}: {self.event}"


class Condition(models.Model):
    """Something that lasts: it begins once and ends once, however many processes notice it, and each is one event.

    Like an event it knows nothing of trading: a kind, what it is about, a sentence.
    """

    kind = models.CharField(max_length=48)
    subject = models.CharField(max_length=96, help_text="what it is about; at most one of a kind lasts per subject")
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.WARNING)
    text = models.CharField(max_length=500, help_text="how it began, one sentence for people")
    began_at = models.DateTimeField(help_text="wall time")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="wall time; empty while it lasts")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(ended_at__isnull=True), name="condition_lasts_once"
            ),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="condition_severity_known"),
        ]

    def __str__(self) -> str:
        return self.text


class Kept(models.QuerySet):  # type: ignore[type-arg]  # no parameter at run time
    """Rows that nobody deletes."""

    def delete(self) -> tuple[int, dict[str, int]]:
        """Raises TypeError: a model's own ``delete`` is not asked when many go at once."""
        raise TypeError("audit entries are never deleted")


class AuditEntry(models.Model):
    """One act of an operator. Append-only: the database refuses an update, and nothing here deletes."""

    actor = models.CharField(max_length=150, help_text="who")
    address = models.CharField(max_length=64, blank=True, help_text="from where: an address, or the command line")
    action = models.CharField(max_length=48, help_text="what was done")
    subject = models.CharField(max_length=128, help_text="to what")
    bot_id = models.BigIntegerField(null=True, blank=True)
    before = models.JSONField(default=dict, help_text="what it was; money as exact strings")
    after = models.JSONField(default=dict, help_text="what it is now")
    reason = models.CharField(max_length=300, blank=True, help_text="why")
    market_at = models.DateTimeField(help_text="market time")
    wall_at = models.DateTimeField(help_text="wall time")

    objects = Kept.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit trail"
        constraints = [models.CheckConstraint(condition=~Q(actor="") & ~Q(action=""), name="audit_entry_says_who")]
        indexes = [models.Index(fields=["wall_at"], name="audit_time")]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises TypeError for an entry that is stored already."""
        if not self._state.adding:
            raise TypeError("an audit entry is never changed")
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> tuple[int, dict[str, int]]:
        """Raises TypeError."""
        raise TypeError("an audit entry is never deleted")


class Heartbeat(models.Model):
    """When a chain of processes last worked from its beginning to its end."""

    name = models.CharField(primary_key=True, max_length=32)
    sent_at = models.DateTimeField(help_text="wall time at which the first of them began it")
    wall_at = models.DateTimeField(help_text="wall time at which the last of them wrote this")

    def __str__(self) -> str:
        return self.name
