"""Exchange accounts and bots: what is configured, and each bot's claim on its next slot."""

import secrets
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from bots.ai import AiMode, OnFailure
from bots.definition import judge
from bots.encrypted import EncryptedField
from bots.fields import ExactDecimalField
from bots.live_exchanges import why_no_live_orders
from market.slots import TIMEFRAMES


class Mode(models.TextChoices):
    """Where orders go."""

    PAPER = "PAPER", "Paper"  # simulated fills on real prices; no order leaves the platform
    LIVE = "LIVE", "Live"  # orders at the exchange, with money


class BotStatus(models.TextChoices):
    """What a bot may do. Every status but STOPPED ticks, so that exits are always managed."""

    STOPPED = "STOPPED", "Stopped"  # created or taken out of service; holds no position and does not tick
    RUNNING = "RUNNING", "Running"  # enters and exits
    PAUSED = "PAUSED", "Paused"  # by an operator: exits only
    HALTED = "HALTED", "Halted"  # by a risk check: exits only, until an operator resets it


def new_order_prefix() -> str:
    """A few characters that mark our client order ids, so that two installations on one account never mix."""
    return secrets.token_hex(3)


class ExchangeAccount(models.Model):
    """One account at one exchange. Its capital is the sum of its recorded capital changes."""

    name = models.CharField(max_length=64, unique=True)
    exchange = models.CharField(max_length=32, help_text="'simulated' or a ccxt exchange id")
    quote = models.CharField(max_length=16, help_text="the currency that capital and profit are counted in")
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.PAPER)
    order_prefix = models.CharField(
        max_length=8, unique=True, editable=False, default=new_order_prefix, help_text="start of our client order ids"
    )
    api_key = EncryptedField(help_text="encrypted; a LIVE account has one")
    api_secret = EncryptedField(help_text="encrypted")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="account_mode_known"),
        ]
        permissions = [("replace_keys", "Can replace the API key of an account")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        """Whether its orders go to the exchange."""
        return self.mode == Mode.LIVE

    @property
    def fingerprint(self) -> str:
        """Which API key it is, without the key; empty for none. Raises field_keys.UnreadableSecret."""
        return self.api_key.fingerprint()

    def clean(self) -> None:
        if not self.is_live:
            return
        if refusal := why_no_live_orders(self.exchange):
            raise ValidationError({"mode": refusal})
        if not (self.api_key and self.api_secret):
            raise ValidationError({"mode": "a LIVE account needs an API key and its secret: use connect_account"})


class Bot(models.Model):
    """One strategy on one symbol and timeframe with its own capital.

    The row is the truth of what should run; its PeriodicTask is derived from it (see schedule.py). ``last_slot`` and
    the lease are the claim of lifecycle.claim_tick and belong to it alone.
    """

    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="bots")
    name = models.CharField(
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9_-]*$", "use lower-case letters, digits, - and _")],
    )
    strategy = models.CharField(max_length=64)
    parameters = models.JSONField(default=dict, blank=True, help_text="what is absent has the strategy's default")
    symbol = models.CharField(max_length=32, help_text="BASE/QUOTE, as BTC/USDT")
    timeframe = models.CharField(max_length=8, choices=[(name, name) for name in TIMEFRAMES])
    capital = ExactDecimalField(help_text="allocated, in the account's quote currency")
    status = models.CharField(max_length=8, choices=BotStatus.choices, default=BotStatus.STOPPED, editable=False)
    status_reason = models.CharField(max_length=200, blank=True, editable=False)
    live = models.BooleanField(default=False, editable=False, help_text="may enter on a LIVE account; see go_live")
    ai_mode = models.CharField(
        "AI mode",
        max_length=8,
        choices=[(mode.value, mode.value) for mode in AiMode],
        default=AiMode.OFF.value,
        db_default=AiMode.OFF.value,
        help_text="off; shadow: an AI's opinion on entries is recorded and never acted on; veto: it may forbid an entry"
        " or make it smaller",
    )
    ai_on_failure = models.CharField(
        "AI on failure",
        max_length=8,
        choices=[(choice.value, choice.value) for choice in OnFailure],
        default=OnFailure.DENY.value,
        db_default=OnFailure.DENY.value,
        help_text="in the mode veto, without an opinion: deny the entry, or allow it",
    )
    stagger_s = models.PositiveIntegerField(
        default=0, editable=False, help_text="seconds of market time after the candle's close at which this bot ticks"
    )
    last_slot = models.BigIntegerField(default=-1, editable=False, help_text="the latest slot claimed")
    lease_token = models.CharField(
        max_length=36, blank=True, editable=False, help_text="who is ticking now, if anybody"
    )
    lease_until = models.DateTimeField(null=True, editable=False, help_text="wall time; a dead tick's claim ends here")
    last_tick_at = models.DateTimeField(null=True, editable=False, help_text="wall time of the last finished tick")
    ticks = models.PositiveBigIntegerField(default=0, editable=False)
    ticks_failed = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(capital__gt=0), name="bot_capital_positive"),
            models.CheckConstraint(condition=Q(timeframe__in=list(TIMEFRAMES)), name="bot_timeframe_known"),
            models.CheckConstraint(condition=Q(status__in=BotStatus.values), name="bot_status_known"),
            models.CheckConstraint(condition=Q(ai_mode__in=[mode.value for mode in AiMode]), name="bot_ai_mode_known"),
            models.CheckConstraint(
                condition=Q(ai_on_failure__in=[choice.value for choice in OnFailure]), name="bot_ai_on_failure_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def interval_s(self) -> int:
        """Seconds between ticks."""
        return TIMEFRAMES[self.timeframe]

    @property
    def may_enter(self) -> bool:
        return self.status == BotStatus.RUNNING

    def clean(self) -> None:
        """Everything that can be judged without the exchange; the symbol's existence is checked where it is known."""
        problems = judge(
            strategy=self.strategy or None,  # what is empty was refused by its field
            parameters=self.parameters,
            symbol=self.symbol or None,
            timeframe=self.timeframe or None,
            capital=self.capital if isinstance(self.capital, Decimal) else None,
            quote=self.account.quote if self.account_id else None,
        )
        if problems:
            raise ValidationError(problems)


class AiDay(models.Model):
    """How often the AI was called on one UTC day of wall time, by all processes together. Counted before each call."""

    day = models.DateField(primary_key=True)
    calls = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0, help_text="calls without an answer that could be used")

    class Meta:
        ordering = ["-day"]
        verbose_name = "AI day"

    def __str__(self) -> str:
        return f"{self.day}: {self.calls} calls"


class AiCircuit(models.Model):
    """Whether the AI is left alone for a while, by all processes: one row. Times are wall time."""

    SINGLETON = 1
    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLETON)
    failures = models.PositiveIntegerField(default=0, help_text="in a row")
    rests_until = models.DateTimeField(null=True, help_text="it is not called before; empty: it may be called")

    class Meta:
        verbose_name = "AI circuit"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_ai_circuit")]

    def __str__(self) -> str:
        return f"{self.failures} failures in a row"
