"""Rows for tests: what a fresh installation would hold, in one call."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from bots.models import Bot, BotStatus, ExchangeAccount
from execution.models import AssetBalance, BotBook, CapitalChange, CapitalKind, Portfolio, Position
from execution.states import PositionStatus
from market.clock import Clock, Now
from market.instruments import Instrument
from notifications.models import Event
from risk.models import BotRiskLimits, DeadMansSwitch, PortfolioRiskLimits

_numbers = count(1)

SLOT_0 = 1_900_000  # of 900 s: 2024-03-09T16:00Z
NOON = Clock().resumed(0, 0, 1.0)


def now_at(slot: int = SLOT_0, interval_s: int = 900, after_ms: int = 1_000) -> Now:
    """A moment shortly after the slot began, on both clocks."""
    ms = slot * interval_s * 1000 + after_ms
    return Now(wall_ms=ms, market_ms=ms)


def instrument(symbol: str = "BTC/USDT", **changes: object) -> Instrument:
    base, _, quote = symbol.partition("/")
    values: dict[str, object] = {
        "symbol": symbol,
        "base": base,
        "quote": quote,
        "tick_size": Decimal("0.01"),
        "lot_step": Decimal("0.00001"),
        "min_amount": Decimal("0.00001"),
        "max_amount": Decimal("9000"),
        "min_notional": Decimal("5"),
    }
    return Instrument(**{**values, **changes})  # type: ignore[arg-type]


SOME_KIND = "reconciled"


def make_event(text: str, now: Now, *, kind: str = SOME_KIND, **columns: object) -> Event:
    """A row as ``publish`` would write it, of any kind and with any payload, for those who read events."""
    return Event.objects.create(kind=kind, text=text, market_at=now.market_at, wall_at=now.wall_at, **columns)


def make_account(capital: str = "100000", now: Now | None = None) -> ExchangeAccount:
    """An account with its capital, portfolio, limits, fresh marks, and the dead man's switch just checked in."""
    now = now or now_at()
    account = ExchangeAccount.objects.create(name=f"account-{next(_numbers)}", exchange="simulated", quote="USDT")
    CapitalChange.objects.create(
        account=account,
        kind=CapitalKind.INITIAL,
        amount=Decimal(capital),
        market_at=now.market_at,
        wall_at=now.wall_at,
    )
    Portfolio.objects.update_or_create(
        account=account,
        defaults={"capital": Decimal(capital), "peak_equity": Decimal(capital), "marked_at": now.market_at},
    )
    AssetBalance.objects.create(account=account, asset=account.quote, amount=Decimal(capital))
    PortfolioRiskLimits.objects.get_or_create(account=account)
    DeadMansSwitch.objects.update_or_create(
        pk=DeadMansSwitch.SINGLETON,
        defaults={
            "last_checkin_at": now.wall_at - timedelta(hours=1),
            "last_checkin_by": "test",
            "high_water_at": now.wall_at - timedelta(hours=1),
            "latched_at": None,
        },
    )
    return account


def freshly_marked(account: ExchangeAccount, now: Now) -> None:
    """As the guard leaves an account whose positions it has just valued, every one at a live price."""
    Portfolio.objects.filter(account=account).update(marked_at=now.market_at)


def make_bot(account: ExchangeAccount | None = None, **changes: object) -> Bot:
    """A RUNNING bot with its limits and its book."""
    values: dict[str, object] = {
        "account": account or make_account(),
        "name": f"bot-{next(_numbers)}",
        "strategy": "rsi_reversal",
        "symbol": "BTC/USDT",
        "timeframe": "15m",
        "capital": Decimal("5000"),
        "status": BotStatus.RUNNING,
    }
    bot = Bot.objects.create(**{**values, **changes})
    BotRiskLimits.objects.get_or_create(bot=bot)
    BotBook.objects.update_or_create(
        bot=bot,
        defaults={
            "peak_equity": bot.capital,
            "day_start_equity": bot.capital,
            "day": now_at().market_at.date(),
        },
    )
    return Bot.objects.select_related("account", "book", "limits").get(pk=bot.pk)


def make_position(bot: Bot, at: datetime, **changes: object) -> Position:
    """An open position of 1 for 100 of the bot, opened at a market time, never marked."""
    values: dict[str, object] = {
        "account": bot.account,
        "bot": bot,
        "symbol": bot.symbol,
        "status": PositionStatus.OPEN,
        "entry_slot": 1,
        "quantity": Decimal(1),
        "cost": Decimal(100),
        "stop_price": Decimal(90),
        "created_at": at,
        "opened_at": at,
    }
    return Position.objects.create(**{**values, **changes})
