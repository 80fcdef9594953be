"""Limits, decisions, halts and the dead man's switch, as rows."""

from decimal import Decimal

from django.db import models
from django.db.models import Q

from bots.fields import ExactDecimalField
from bots.models import Bot, BotStatus, ExchangeAccount
from risk import limits
from risk.deadman_stage import Stage


def _fraction(default: str, help_text: str) -> "ExactDecimalField[Decimal | str, Decimal]":
    return ExactDecimalField(default=Decimal(default), help_text=help_text)


def _is_fraction(*names: str) -> Q:
    condition = Q()
    for name in names:
        condition &= Q(**{f"{name}__gt": 0, f"{name}__lt": 1})
    return condition


class BotRiskLimits(models.Model):
    """The limits of checks 1 to 5 for one bot. Without this row the bot enters nothing."""

    bot = models.OneToOneField(Bot, on_delete=models.CASCADE, related_name="limits")
    max_position = _fraction("0.25", "largest position, as a fraction of the bot's capital")
    max_drawdown = _fraction("0.20", "decline from the bot's peak equity that halts it")
    max_daily_loss = _fraction("0.05", "loss since 00:00 UTC, as a fraction of the bot's capital")
    streak_losses = models.PositiveSmallIntegerField(default=3, help_text="losses in a row after which size is halved")
    streak_floor = _fraction("0.10", "smallest size during a losing streak, as a fraction of the normal one")
    max_orders_per_minute = models.PositiveSmallIntegerField(
        default=10, help_text="orders of any purpose in one minute of market time, beyond which it enters nothing"
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "bot risk limits"
        constraints = [
            models.CheckConstraint(
                condition=_is_fraction("max_position", "max_drawdown", "max_daily_loss", "streak_floor"),
                name="bot_limits_are_fractions",
            ),
            models.CheckConstraint(condition=Q(streak_losses__gte=1), name="bot_limits_streak_positive"),
            models.CheckConstraint(condition=Q(max_orders_per_minute__gte=1), name="bot_limits_rate_positive"),
        ]

    def __str__(self) -> str:
        return f"limits of {self.bot}"

    def value(self) -> limits.BotLimits:
        """The row as the frozen value that the checks take."""
        return limits.BotLimits(
            max_position=self.max_position,
            max_drawdown=self.max_drawdown,
            max_daily_loss=self.max_daily_loss,
            streak_losses=self.streak_losses,
            streak_floor=self.streak_floor,
            max_orders_per_minute=self.max_orders_per_minute,
        )


class PortfolioRiskLimits(models.Model):
    """The limits of checks 6 to 8 for one account. Without this row nothing on the account enters."""

    account = models.OneToOneField(ExchangeAccount, on_delete=models.CASCADE, related_name="limits")
    max_exposure = _fraction("0.50", "notional of all positions and reserved entries, as a fraction of equity")
    max_asset = _fraction("0.25", "the same for one base asset")
    max_drawdown = _fraction("0.15", "decline of the account's equity from its peak that halts all bots")
    max_order = _fraction("0.25", "notional of one entry, as a fraction of equity")
    price_collar = _fraction("0.02", "how far the price to pay may be from the close that the strategy decided on")
    max_orders_per_minute = models.PositiveSmallIntegerField(
        default=200, help_text="the account's orders in one minute of market time, beyond which nothing enters"
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "portfolio risk limits"
        constraints = [
            models.CheckConstraint(
                condition=_is_fraction("max_exposure", "max_asset", "max_drawdown", "max_order", "price_collar"),
                name="portfolio_limits_are_fractions",
            ),
            models.CheckConstraint(condition=Q(max_orders_per_minute__gte=1), name="portfolio_limits_rate_positive"),
        ]

    def __str__(self) -> str:
        return f"limits of {self.account}"

    def value(self) -> limits.PortfolioLimits:
        """The row as the frozen value that the checks take."""
        return limits.PortfolioLimits(
            max_exposure=self.max_exposure,
            max_asset=self.max_asset,
            max_drawdown=self.max_drawdown,
            max_order=self.max_order,
            price_collar=self.price_collar,
            max_orders_per_minute=self.max_orders_per_minute,
        )


class LimitChange(models.Model):
    """One change of one limit: asked for by somebody, for a reason. Tightening is applied at once, loosening when the
    market time ``effective_at`` has come. Never edited but for its end.
    """

    account = models.ForeignKey(ExchangeAccount, on_delete=models.CASCADE, related_name="limit_changes")
    bot = models.ForeignKey(
        Bot,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="limit_changes",
        help_text="empty: the account",
    )
    name = models.CharField(max_length=32, help_text="which limit")
    before = models.CharField(max_length=64, help_text="as an exact string")
    after = models.CharField(max_length=64, help_text="as an exact string")
    loosens = models.BooleanField()
    actor = models.CharField(max_length=150)
    reason = models.CharField(max_length=300)
    asked_at = models.DateTimeField(help_text="wall time")
    effective_at = models.DateTimeField(help_text="market time from which it holds")
    applied_at = models.DateTimeField(null=True, blank=True, help_text="wall time; empty while it waits")
    withdrawn_at = models.DateTimeField(
        null=True, blank=True, help_text="wall time; a later change of the same limit took its place"
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(actor=""), name="limit_changed_by_somebody_for_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(applied_at__isnull=True) | Q(withdrawn_at__isnull=True), name="limit_change_ends_once"
            ),
            models.UniqueConstraint(
                fields=["bot", "name"],
                condition=Q(applied_at__isnull=True, withdrawn_at__isnull=True, bot__isnull=False),
                name="one_waiting_change_per_bot_and_limit",
            ),
            models.UniqueConstraint(
                fields=["account", "name"],
                condition=Q(applied_at__isnull=True, withdrawn_at__isnull=True, bot__isnull=True),
                name="one_waiting_change_per_account_and_limit",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.bot or self.account}: {self.before} to {self.after}"


class Outcome(models.TextChoices):
    """What came of one slot of one bot."""

    NOTHING = "NOTHING", "Nothing"  # looked, and there was nothing to do
    APPROVED = "APPROVED", "Entry approved"  # every check passed and an entry order was made
    REFUSED = "REFUSED", "Entry refused"  # a check blocked the entry
    EXIT = "EXIT", "Exit"  # an exit order was made
    SKIPPED = "SKIPPED", "Skipped"  # nothing could be decided (no fresh candles, an unfinished order); see reason
    FAILED = "FAILED", "Failed"  # the tick raised an error; see reason and the log


class Decision(models.Model):
    """Why a bot did or did not trade at one slot: one row per bot and slot, with every figure that was looked at."""

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="decisions")
    slot = models.BigIntegerField()
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    reason = models.CharField(max_length=300)
    bot_status = models.CharField(max_length=8, choices=BotStatus.choices)
    failed_check = models.CharField(max_length=32, blank=True, help_text="the check that refused, if one did")
    signal = models.JSONField(default=dict, help_text="action, reason and indicator values")
    candle = models.JSONField(default=dict, help_text="the closed candle that was decided on")
    checks = models.JSONField(default=list, help_text="every check with its limit and value, in order")
    opinion = models.JSONField(null=True, blank=True, help_text="what an AI said of the entry; empty: it was not asked")
    market_at = models.DateTimeField(help_text="market time")
    wall_at = models.DateTimeField(help_text="wall time")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["bot", "slot"], name="one_decision_per_slot"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="decision_outcome_known"),
            models.CheckConstraint(condition=Q(bot_status__in=BotStatus.values), name="decision_status_known"),
        ]
        indexes = [models.Index(fields=["market_at"], name="decision_time")]

    def __str__(self) -> str:
        return f"{self.bot_id}@{self.slot}: {self.outcome}"


class Halt(models.Model):
    """A stop of entries: of one bot, (bot empty) of an account, or (both empty) of everything: the kill switch.

    Stays until an operator clears it, or until the market time ``until`` where it has one.
    """

    account = models.ForeignKey(ExchangeAccount, on_delete=models.CASCADE, null=True, blank=True, related_name="halts")
    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, null=True, blank=True, related_name="halts")
    cause = models.CharField(max_length=32, help_text="the check that fired, or 'operator'")
    text = models.CharField(max_length=300)
    figures = models.JSONField(default=dict, help_text="limit and value at firing, as exact strings")
    closes = models.BooleanField(
        default=False, help_text="whether what is held is sold meanwhile, one position after another"
    )
    until = models.DateTimeField(null=True, blank=True, help_text="market time at which it ends by itself")
    market_at = models.DateTimeField(help_text="market time")
    raised_at = models.DateTimeField(help_text="wall time")
    cleared_at = models.DateTimeField(null=True, blank=True, help_text="wall time; empty while in force")
    cleared_by = models.CharField(max_length=150, blank=True)
    clear_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["bot", "cause"],
                condition=Q(cleared_at__isnull=True, bot__isnull=False),
                name="one_open_halt_per_bot_and_cause",
            ),
            models.UniqueConstraint(
                fields=["account", "cause"],
                condition=Q(cleared_at__isnull=True, bot__isnull=True),
                name="one_open_halt_per_account_and_cause",
            ),
            models.UniqueConstraint(
                fields=["cause"],
                condition=Q(cleared_at__isnull=True, account__isnull=True),
                name="one_open_halt_of_everything_per_cause",
            ),
            models.CheckConstraint(
                condition=Q(bot__isnull=True) | Q(account__isnull=False), name="a_bots_halt_names_its_account"
            ),
            models.CheckConstraint(
                condition=Q(cleared_at__isnull=True) | (~Q(cleared_by="") & ~Q(clear_reason="")),
                name="halt_cleared_by_somebody_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def scope(self) -> str:
        """What it stops, in words."""
        if self.bot is not None:
            return f"bot {self.bot.name}"
        return f"account {self.account.name}" if self.account is not None else "everything"


class DeadMansSwitch(models.Model):
    """The one row of the switch. Without it, or once latched, nothing enters. All times are wall time."""

    SINGLETON = 1
    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLETON)
    timeout_s = models.PositiveIntegerField(default=86_400, help_text="seconds without a check-in until it triggers")
    last_checkin_at = models.DateTimeField()
    last_checkin_by = models.CharField(max_length=150)
    latched_at = models.DateTimeField(null=True, blank=True, help_text="when it triggered; only a reset clears it")
    high_water_at = models.DateTimeField(help_text="the latest time ever seen: a clock set back extends nothing")
    told_stage = models.CharField(
        max_length=16, default=Stage.OK, editable=False, help_text="the stage that was told last"
    )
    alarmed_at = models.DateTimeField(null=True, blank=True, help_text="when the trigger was last told")
    flatten_after_h = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="hours after triggering at which what is held is sold; empty: never"
    )
    clock_suspect_at = models.DateTimeField(
        null=True, blank=True, help_text="when this machine's clock was seen to jump; nothing enters until a check-in"
    )
    drilled_at = models.DateTimeField(null=True, blank=True, help_text="the last drill that was passed")

    class Meta:
        verbose_name = verbose_name_plural = "dead man's switch"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="one_dead_mans_switch"),
            models.CheckConstraint(condition=Q(timeout_s__gte=60), name="dead_mans_timeout_sane"),
        ]

    def __str__(self) -> str:
        return "dead man's switch"
