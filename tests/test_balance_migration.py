"""An installation that traded before balances were kept has, after the migration, the balances it would have kept."""

import json

import pytest

from tests.test_migrations import manage

TRADED = """
from decimal import Decimal as D
from execution.models import AssetBalance, Order, Position, Trade
from execution.record import record
from execution.states import OrderStatus, PositionStatus
from market.orders import Fill, OrderReport, OrderType, ReportStatus, Side
from tests.factories import make_account, make_bot, make_position, now_at

NOW = now_at()
account = make_account("1000")
for number, (currency, fee) in enumerate([("USDT", "0.1"), ("BTC", "0.001"), ("BNB", "0.0001")]):
    bot = make_bot(account)
    position = make_position(bot, NOW.market_at, status=PositionStatus.CLOSING)
    order = Order.objects.create(
        account=account, bot=bot, position=position, client_order_id=f"o{number}", purpose="EXIT", symbol="BTC/USDT",
        side=Side.SELL, type=OrderType.MARKET, amount=D("0.5"), reference_price=D(100), status=OrderStatus.SENT,
        market_at=NOW.market_at, prepared_at=NOW.wall_at,
    )
    one = Fill(f"t{number}", D("100.0000000001"), D("0.5"), D(fee), currency, NOW.market_at, D(600))
    record(order, OrderReport(order.client_order_id, ReportStatus.FILLED, fills=(one,)), NOW)
"""
FORGOTTEN = "from execution.models import AssetBalance; AssetBalance.objects.all().delete()"
TOLD = """
import json
from execution.models import AssetBalance
print("told " + json.dumps([[row.asset, str(row.amount)] for row in AssetBalance.objects.order_by("asset")]))
"""


def told(output):
    (line,) = [line for line in output.splitlines() if line.startswith("told ")]
    return json.loads(line.removeprefix("told "))


@pytest.fixture
def var(tmp_path):
    return tmp_path


def test_balances_are_summed_from_capital_and_fills(var):
    manage(var, "migrate", "-v0")
    kept = told(manage(var, "shell", "-v0", "-c", TRADED + TOLD))
    manage(var, "shell", "-v0", "-c", FORGOTTEN)
    manage(var, "migrate", "execution", "0003", "-v0")
    manage(var, "migrate", "-v0")
    assert told(manage(var, "shell", "-v0", "-c", TOLD)) == kept
    assert kept == [["BNB", "-0.0001"], ["BTC", "-1.501"], ["USDT", "1149.90000000015"]]
