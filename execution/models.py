"""Positions, orders, trades and money, as rows.

Statuses are written by record.py alone. Running totals (Portfolio, AssetExposure, BotBook) are kept under the portfolio
lock, so that the order gate's cost does not grow with the number of bots or positions.
"""

from django.db import models
from django.db.models import Q

from bots.fields import ExactDecimalField
from bots.models import Bot, ExchangeAccount
from execution.states import LIVE_POSITION, OPEN_REPORT, UNFINISHED_ORDER, OrderStatus, PositionStatus
from market.money import ZERO
from market.orders import OrderType, ReportStatus, Side
from risk.exits import ExitReason
from risk.models import Decision


def _choices(enum: type) -> list[tuple[str, str]]:
    return [(member.value, member.value.capitalize()) for member in enum]  # type: ignore[attr-defined]


def _values(members: object) -> list[str]:
    return sorted(member.value for member in members)  # type: ignore[attr-defined]


class Portfolio(models.Model):
    """The account's running totals and the lock that everything which raises exposure takes. Amounts in quote."""

    account = models.OneToOneField(ExchangeAccount, on_delete=models.PROTECT, related_name="portfolio")
    lock_version = models.PositiveBigIntegerField(default=0, help_text="written first in every gate transaction")
    capital = ExactDecimalField(default=ZERO, help_text="sum of the capital changes")
    realised = ExactDecimalField(default=ZERO, help_text="realised profit, fees inside")
    fees = ExactDecimalField(default=ZERO, help_text="fees paid, for information: they are inside realised")
    cost = ExactDecimalField(default=ZERO, help_text="cost basis of all open positions")
    unrealised = ExactDecimalField(default=ZERO, help_text="at the last marks")
    reserved = ExactDecimalField(default=ZERO, help_text="notional of entries on their way, not yet filled")
    exposure = ExactDecimalField(default=ZERO, help_text="notional of open positions at their marks, and reserved")
    peak_equity = ExactDecimalField(default=ZERO)
    marked_at = models.DateTimeField(
        null=True, help_text="market time at which everything that is held was last valued at live prices"
    )

    def __str__(self) -> str:
        return f"portfolio of {self.account}"


class AssetBalance(models.Model):
    """What the account has of one asset by our books: capital changes and every fill, to the last digit.

    The exchange should have ``amount`` + ``untracked``.
    """

    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="balances")
    asset = models.CharField(max_length=16)
    amount = ExactDecimalField(default=ZERO, help_text="capital changes and all fills, fees inside")
    untracked = ExactDecimalField(default=ZERO, help_text="what the account has besides at the exchange")

    class Meta:
        ordering = ["asset"]
        constraints = [models.UniqueConstraint(fields=["account", "asset"], name="one_balance_per_asset")]

    def __str__(self) -> str:
        return f"{self.asset} of {self.account}"


class Reconciliation(models.Model):
    """When an account's books were last compared with the exchange's, and what came of it. All times are wall time."""

    account = models.OneToOneField(ExchangeAccount, on_delete=models.CASCADE, related_name="reconciliation")
    begun_at = models.DateTimeField(null=True, help_text="the start-up that must be clean before anything enters")
    ran_at = models.DateTimeField(null=True, help_text="the last comparison")
    clean_at = models.DateTimeField(null=True, help_text="the last one that found nothing; empty: none since start-up")
    problem = models.CharField(max_length=300, blank=True, help_text="what the last one found")

    def __str__(self) -> str:
        return f"reconciliation of {self.account}"


class AssetExposure(models.Model):
    """The account's exposure to one base asset, in quote."""

    portfolio = models.ForeignKey(Portfolio, on_delete=models.CASCADE, related_name="assets")
    asset = models.CharField(max_length=16)
    exposure = ExactDecimalField(default=ZERO)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["portfolio", "asset"], name="one_exposure_per_asset")]

    def __str__(self) -> str:
        return self.asset


class BotBook(models.Model):
    """One bot's running totals, in quote. Its equity is its capital + realised + unrealised."""

    bot = models.OneToOneField(Bot, on_delete=models.CASCADE, related_name="book")
    realised = ExactDecimalField(default=ZERO, help_text="realised profit, fees inside")
    fees = ExactDecimalField(default=ZERO)
    unrealised = ExactDecimalField(default=ZERO, help_text="at the last mark")
    peak_equity = ExactDecimalField(default=ZERO)
    day = models.DateField(null=True, help_text="the UTC day (market time) that day_start_equity belongs to")
    day_start_equity = ExactDecimalField(default=ZERO)
    loss_streak = models.PositiveIntegerField(default=0, help_text="losing positions in a row, up to now")
    wins = models.PositiveIntegerField(default=0)
    losses = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"book of {self.bot}"


class Position(models.Model):
    """One long position of one bot, from the intent to enter to its end."""

    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="positions")
    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="positions")
    symbol = models.CharField(max_length=32)
    status = models.CharField(max_length=8, choices=_choices(PositionStatus), default=PositionStatus.OPENING)
    entry_slot = models.BigIntegerField()
    quantity = ExactDecimalField(default=ZERO, help_text="held now, in base: fills less base fees")
    cost = ExactDecimalField(default=ZERO, help_text="cost basis of what is held, in quote, fees not in it")
    dust = ExactDecimalField(default=ZERO, help_text="base written off at the end: too little to sell")
    realised = ExactDecimalField(default=ZERO, help_text="realised profit in quote, fees inside")
    fees = ExactDecimalField(default=ZERO, help_text="fees paid, in quote")
    reserved = ExactDecimalField(default=ZERO, help_text="notional of its entry that is not filled yet, in quote")
    exposure = ExactDecimalField(default=ZERO, help_text="its part of the portfolio's exposure, in quote")
    unrealised = ExactDecimalField(default=ZERO, help_text="at the last mark, in quote")
    entry_price = ExactDecimalField(null=True, help_text="average of the entry's fills")
    exit_price = ExactDecimalField(null=True, help_text="average of the exits' fills")
    stop_price = ExactDecimalField()
    target_price = ExactDecimalField(null=True, blank=True)
    mark_price = ExactDecimalField(null=True, help_text="the price it was last valued at")
    marked_at = models.DateTimeField(null=True, help_text="market time of that price")
    exit_reason = models.CharField(max_length=16, choices=_choices(ExitReason), blank=True)
    exit_text = models.CharField(max_length=300, blank=True, help_text="the same in words")
    exit_reference = ExactDecimalField(null=True, help_text="the price the exit was decided at")
    exit_attempts = models.PositiveIntegerField(default=0)
    stop_attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(help_text="market time of the decision to enter")
    opened_at = models.DateTimeField(null=True, help_text="market time of the first fill")
    closed_at = models.DateTimeField(null=True, help_text="market time of the end")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["bot"],
                condition=Q(status__in=_values(LIVE_POSITION)),
                name="one_live_position_per_bot",
            ),
            models.CheckConstraint(condition=Q(status__in=_values(PositionStatus)), name="position_status_known"),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="position_never_oversold"),
            models.CheckConstraint(condition=Q(stop_price__gt=0), name="position_has_stop"),
            models.CheckConstraint(
                condition=~Q(status__in=[PositionStatus.CLOSED.value, PositionStatus.FLAT.value])
                | Q(closed_at__isnull=False),
                name="position_end_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "status"], name="position_account_status"),
            models.Index(fields=["bot", "id"], name="position_bot"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.status} #{self.pk}"


class Purpose(models.TextChoices):
    """What an order is for."""

    ENTRY = "ENTRY", "Entry"  # opens the position; at most one per position, ever
    EXIT = "EXIT", "Exit"  # closes it
    STOP = "STOP", "Protective stop"  # rests at the exchange and closes it


class Order(models.Model):
    """One order, from the intent (committed before it is sent) to its end."""

    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="orders")
    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="orders")
    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="orders")
    decision = models.ForeignKey(
        Decision, on_delete=models.PROTECT, null=True, related_name="orders", help_text="the decision that allowed it"
    )
    client_order_id = models.CharField(max_length=32, unique=True, help_text="our name for it at the exchange")
    exchange_order_id = models.CharField(max_length=64, blank=True)
    purpose = models.CharField(max_length=8, choices=Purpose.choices)
    symbol = models.CharField(max_length=32)
    side = models.CharField(max_length=4, choices=_choices(Side))
    type = models.CharField(max_length=16, choices=_choices(OrderType))
    amount = ExactDecimalField(help_text="ordered, in base")
    price = ExactDecimalField(null=True, help_text="limit price; empty for a market order")
    stop_price = ExactDecimalField(null=True)
    reference_price = ExactDecimalField(help_text="the price it was decided at: what slippage is measured against")
    worst_price = ExactDecimalField(null=True, help_text="the most that a unit may cost: what is reserved")
    status = models.CharField(max_length=8, choices=_choices(OrderStatus), default=OrderStatus.PREPARED)
    filled = ExactDecimalField(default=ZERO, help_text="in base")
    filled_cost = ExactDecimalField(default=ZERO, help_text="sum of price x amount of its fills, in quote")
    reason = models.CharField(max_length=300, blank=True, help_text="why it was made")
    answer = models.CharField(max_length=300, blank=True, help_text="what the exchange said when it did not fill")
    market_at = models.DateTimeField(help_text="market time of the intent")
    prepared_at = models.DateTimeField(help_text="wall time of the intent")
    sent_at = models.DateTimeField(null=True, help_text="wall time just before it was sent")
    finished_at = models.DateTimeField(null=True, help_text="wall time of its end")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=_values(OrderStatus)), name="order_status_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="order_amount_positive"),
            models.CheckConstraint(
                condition=~Q(purpose=Purpose.ENTRY.value) | Q(decision__isnull=False), name="entry_has_its_decision"
            ),
            models.CheckConstraint(
                condition=Q(purpose=Purpose.ENTRY.value, side=Side.BUY.value)
                | (~Q(purpose=Purpose.ENTRY.value) & Q(side=Side.SELL.value)),
                name="entries_buy_exits_sell",
            ),
            models.UniqueConstraint(
                fields=["position"], condition=Q(purpose=Purpose.ENTRY.value), name="one_entry_order_per_position"
            ),
            models.UniqueConstraint(
                fields=["decision"], condition=Q(purpose=Purpose.ENTRY.value), name="one_entry_order_per_decision"
            ),
            models.UniqueConstraint(
                fields=["position"],
                condition=~Q(purpose=Purpose.ENTRY.value) & Q(status__in=_values(UNFINISHED_ORDER)),
                name="one_closing_order_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["bot"], condition=Q(status__in=_values(UNFINISHED_ORDER)), name="order_unfinished"),
            models.Index(fields=["account", "market_at"], name="order_account_time"),
            models.Index(fields=["bot", "market_at"], name="order_bot_time"),
        ]

    def __str__(self) -> str:
        return self.client_order_id


class Trade(models.Model):
    """One fill of one order, exactly as the exchange reported it."""

    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="trades")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="trades")
    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="trades")
    symbol = models.CharField(max_length=32)
    side = models.CharField(max_length=4, choices=_choices(Side))
    trade_id = models.CharField(max_length=64, help_text="the exchange's id, unique per account and symbol")
    price = ExactDecimalField()
    amount = ExactDecimalField(help_text="in base")
    fee = ExactDecimalField()
    fee_currency = models.CharField(max_length=16)
    fee_rate = ExactDecimalField(null=True, help_text="price in quote of the fee currency, where it is a third one")
    cash_change = ExactDecimalField(help_text="what it did to the account's quote currency")
    executed_at = models.DateTimeField(help_text="market time")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "symbol", "trade_id"], name="a_fill_is_booked_once"),
            models.CheckConstraint(condition=Q(amount__gt=0, price__gt=0), name="trade_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.amount} {self.symbol} at {self.price}"


class EquitySnapshot(models.Model):
    """Equity of one bot, or (bot empty) of the account, at one moment of market time. Amounts in quote."""

    account = models.ForeignKey(ExchangeAccount, on_delete=models.CASCADE, related_name="snapshots")
    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, null=True, related_name="snapshots")
    market_at = models.DateTimeField()
    equity = ExactDecimalField()
    realised = ExactDecimalField()
    unrealised = ExactDecimalField()
    stale = models.BooleanField(default=False, help_text="the mark was older than it may be")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["bot", "market_at"], name="snapshot_bot_time")]

    def __str__(self) -> str:
        return f"{self.equity} at {self.market_at:%Y-%m-%d %H:%M}"


class CapitalKind(models.TextChoices):
    """Why capital changed. None of these is profit or loss."""

    INITIAL = "INITIAL", "Initial"  # what the account started with
    DEPOSIT = "DEPOSIT", "Deposit"  # put in later
    WITHDRAWAL = "WITHDRAWAL", "Withdrawal"  # taken out; the amount is negative


class CapitalChange(models.Model):
    """Capital put into or taken out of an account, in its quote currency."""

    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="capital_changes")
    kind = models.CharField(max_length=16, choices=CapitalKind.choices)
    amount = ExactDecimalField(help_text="in quote; negative for a withdrawal")
    reason = models.CharField(max_length=300, blank=True)
    market_at = models.DateTimeField(help_text="market time")
    wall_at = models.DateTimeField(help_text="wall time")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=CapitalKind.values), name="capital_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=CapitalKind.WITHDRAWAL.value, amount__lt=0)
                | (~Q(kind=CapitalKind.WITHDRAWAL.value) & Q(amount__gt=0)),
                name="capital_change_sign",
            ),
            models.UniqueConstraint(
                fields=["account"], condition=Q(kind=CapitalKind.INITIAL.value), name="one_initial_capital"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"


class PaperOrder(models.Model):
    """One order in the paper exchange's own book. It is to the orders above what an exchange is: a second memory."""

    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="paper_orders")
    client_order_id = models.CharField(max_length=32)
    symbol = models.CharField(max_length=32)
    side = models.CharField(max_length=4, choices=_choices(Side))
    type = models.CharField(max_length=16, choices=_choices(OrderType))
    amount = ExactDecimalField(help_text="ordered, in base")
    price = ExactDecimalField(null=True, help_text="limit price; empty for a market order")
    stop_price = ExactDecimalField(null=True)
    worst_price = ExactDecimalField(null=True, help_text="the most that a unit may cost a buy at the market")
    status = models.CharField(max_length=8, choices=_choices(ReportStatus))
    triggered = models.BooleanField(default=False, help_text="its stop price was seen: it is a limit order now")
    filled = ExactDecimalField(default=ZERO, help_text="sum of its fills, in base")
    reason = models.CharField(max_length=300, blank=True, help_text="why it was refused, or ended without us")
    created_at = models.DateTimeField(help_text="market time at which it arrived")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "client_order_id"], name="a_paper_order_is_taken_once"),
            models.CheckConstraint(condition=Q(status__in=_values(ReportStatus)), name="paper_order_status_known"),
        ]
        indexes = [
            models.Index(fields=["account"], condition=Q(status__in=_values(OPEN_REPORT)), name="paper_order_open"),
        ]

    def __str__(self) -> str:
        return self.client_order_id


class PaperFill(models.Model):
    """One trade of a paper order."""

    order = models.ForeignKey(PaperOrder, on_delete=models.CASCADE, related_name="fills")
    trade_id = models.CharField(max_length=64)
    price = ExactDecimalField()
    amount = ExactDecimalField(help_text="in base")
    fee = ExactDecimalField()
    fee_currency = models.CharField(max_length=16)
    fee_rate = ExactDecimalField(null=True, help_text="price in quote of the fee currency, where it is a third one")
    executed_at = models.DateTimeField(help_text="market time")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "trade_id"], name="a_paper_fill_happens_once"),
            models.CheckConstraint(condition=Q(amount__gt=0, price__gt=0), name="paper_fill_positive"),
        ]

    def __str__(self) -> str:
        return self.trade_id
