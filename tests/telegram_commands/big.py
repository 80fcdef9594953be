"""45 bots with a long past: as many closed positions, orders and fills as wanted, written in bulk."""

from datetime import timedelta
from decimal import Decimal

from bots.models import Bot, BotStatus
from execution.models import (
    AssetExposure,
    BotBook,
    EquitySnapshot,
    Order,
    Portfolio,
    Position,
    Purpose,
    Trade,
)
from execution.states import OrderStatus, PositionStatus
from market.clock import Now
from market.orders import OrderType, Side
from market.slots import slot_at
from risk.exits import ExitReason
from risk.models import Decision, Halt, Outcome
from tests.factories import make_account, make_bot

BOTS = 45
BASES = ["BTC", "ETH", "BNB", "SOL", "XRP", "ADA", "DOGE", "AVAX", "LINK"]
REASONS = list(ExitReason)


def make_fleet(now: Now, closed: int) -> list[Bot]:
    """The bots of one account; the first 20 of them hold something, the second is halted, the third paused."""
    account = make_account(now=now)
    bots = [
        make_bot(account, name=f"bot-{n:02}-{base.lower()}-reversal", symbol=f"{base}/USDT") for n, base in _named()
    ]
    Bot.objects.filter(pk=bots[1].pk).update(status=BotStatus.HALTED, status_reason="<drawdown> & more")
    Bot.objects.filter(pk=bots[2].pk).update(status=BotStatus.PAUSED)
    Bot.objects.update(last_tick_at=now.wall_at - timedelta(seconds=4), ticks=1234, ticks_failed=1)
    _make_past(bots, now, closed)
    _decide(bots[0], now)
    for bot in bots[:20]:
        _hold(bot, now)
    _make_totals(account, bots, now)
    Halt.objects.create(
        account=account, bot=bots[1], cause="drawdown", text="<b>too much</b> lost", market_at=now.market_at,
        raised_at=now.wall_at,
    )  # fmt: skip
    return bots


def _named() -> list[tuple[int, str]]:
    return [(number, BASES[number % len(BASES)]) for number in range(BOTS)]


def _make_past(bots: list[Bot], now: Now, closed: int) -> None:
    positions = []
    for number in range(closed):
        bot = bots[number % BOTS]
        ended = now.market_at - timedelta(minutes=5 * number)
        positions.append(
            Position(
                account=bot.account, bot=bot, symbol=bot.symbol, status=PositionStatus.CLOSED, entry_slot=number,
                realised=Decimal(number % 21 - 10) / 8,
                stop_price=Decimal(90), entry_price=Decimal(100), exit_price=Decimal(101), fees=Decimal("0.2"),
                exit_reason=REASONS[number % len(REASONS)], created_at=ended - timedelta(hours=3),
                opened_at=ended - timedelta(hours=3), closed_at=ended,
            )
        )  # fmt: skip
    positions = Position.objects.bulk_create(reversed(positions), batch_size=500)
    decisions = Decision.objects.bulk_create(
        [
            Decision(
                bot=one.bot, slot=one.entry_slot, outcome=Outcome.APPROVED, reason="rsi <30> & rising",
                bot_status="RUNNING",
                signal={"action": "ENTER", "reason": "rsi < 30"}, market_at=one.created_at, wall_at=now.wall_at,
                checks=[{"name": "stop_loss", "passed": True, "limit": "", "value": "", "note": "stop at 90 < 100"}],
            )
            for one in positions
        ],
        batch_size=500,
    )  # fmt: skip
    orders = []
    for position, decision in zip(positions, decisions, strict=True):
        for purpose, side in ((Purpose.ENTRY, Side.BUY), (Purpose.EXIT, Side.SELL)):
            orders.append(
                Order(
                    account_id=position.account_id, bot=position.bot, position=position, purpose=purpose, side=side,
                    decision=decision if purpose == Purpose.ENTRY else None, symbol=position.symbol,
                    client_order_id=f"{position.pk}-{purpose}", type=OrderType.MARKET, amount=Decimal(1),
                    reference_price=Decimal(100), status=OrderStatus.FILLED, filled=Decimal(1),
                    filled_cost=Decimal(100), market_at=position.created_at, prepared_at=now.wall_at,
                )
            )  # fmt: skip
    orders = Order.objects.bulk_create(orders, batch_size=500)
    Trade.objects.bulk_create(
        [
            Trade(
                account_id=one.account_id, order=one, position_id=one.position_id, symbol=one.symbol, side=one.side,
                trade_id=str(one.pk), price=Decimal(100), amount=Decimal(1), fee=Decimal("0.1"), fee_currency="USDT",
                cash_change=Decimal(-100), executed_at=one.market_at,
            )
            for one in orders
        ],
        batch_size=500,
    )  # fmt: skip


def _decide(bot: Bot, now: Now) -> None:
    """Its present slot: an entry was refused."""
    Decision.objects.create(
        bot=bot, slot=slot_at(now.market_ms, bot.interval_s), outcome=Outcome.REFUSED,
        reason="max_position: <30> & more",
        bot_status="RUNNING", failed_check="max_position", signal={"action": "ENTER", "reason": "rsi <30> & rising"},
        checks=[
            {"name": "stop_loss", "passed": True, "limit": "", "value": "", "note": "stop at 90 < 100"},
            {"name": "max_position", "passed": False, "limit": "30", "value": "31", "note": "31, limit 30"},
            {"name": "daily_loss", "passed": None, "limit": "", "value": "", "note": ""},
        ],
        market_at=now.market_at, wall_at=now.wall_at,
    )  # fmt: skip


def _hold(bot: Bot, now: Now) -> None:
    begun = now.market_at - timedelta(hours=2)
    Position.objects.create(
        account=bot.account, bot=bot, symbol=bot.symbol, status=PositionStatus.OPEN, entry_slot=10**9,
        quantity=Decimal("1.5"), cost=Decimal(150), unrealised=Decimal("4.5"), exposure=Decimal("154.5"),
        entry_price=Decimal(100), mark_price=Decimal(103), marked_at=now.market_at, stop_price=Decimal(90),
        target_price=Decimal(120), created_at=begun, opened_at=begun,
    )  # fmt: skip


def _make_totals(account, bots: list[Bot], now: Now) -> None:
    BotBook.objects.update(
        realised=Decimal("12.25"), unrealised=Decimal("4.5"), wins=30, losses=20, day=now.market_at.date(),
        day_start_equity=Decimal(5025), peak_equity=Decimal(5100),
    )  # fmt: skip
    portfolio = Portfolio.objects.get(account=account)
    Portfolio.objects.filter(pk=portfolio.pk).update(
        realised=Decimal("551.25"), unrealised=Decimal(90), cost=Decimal(3000), exposure=Decimal(3090),
        fees=Decimal(100), peak_equity=Decimal(101000),
    )  # fmt: skip
    for base in BASES:
        AssetExposure.objects.create(portfolio=portfolio, asset=base, exposure=Decimal("343.33"))
    EquitySnapshot.objects.bulk_create(
        EquitySnapshot(
            account=account, market_at=now.market_at - timedelta(minutes=10 * number),
            equity=Decimal(100_000) - number, realised=Decimal(0), unrealised=Decimal(0),
        )
        for number in range(1_000)
    )  # fmt: skip
