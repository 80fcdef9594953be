"""Breakers on real rows: whatever changes equity opens them, in its own transaction, and a restart closes none."""

from decimal import Decimal
from random import Random

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from bots.models import Bot, BotStatus
from execution.breakers import fire
from execution.capital import book_capital, reallocate
from execution.day_start import accounts_with_a_new_day, open_day, open_days
from execution.lock import lock_portfolio, under_portfolio_lock
from execution.marking import mark_all
from execution.models import BotBook, Portfolio, Position
from execution.submit import write_off
from execution.totals import bot_equity, equity
from market.clock import Now
from market.live_prices import Price
from market.money import ratio
from notifications.models import Event
from risk.breakers import DAILY_LOSS, DRAWDOWN, PORTFOLIO_DRAWDOWN
from risk.halts import open_halts
from risk.models import BotRiskLimits, Halt, PortfolioRiskLimits
from risk.verdicts import Approved
from tests.execution.test_orders_and_money import NOW, buy, check_totals, sell
from tests.factories import SLOT_0, make_account, make_bot, make_position, now_at
from tests.fakes import ScriptedExecutor, filled_at

pytestmark = pytest.mark.django_db
D = Decimal
DAY = 96  # slots of 15 minutes
MIDNIGHT = SLOT_0 + 32  # SLOT_0 is 16:00 UTC


def entered(bot, amount="0.02"):
    """It holds 0.02 for 1,200, of a capital of 5,000."""
    assert isinstance(buy(bot, ScriptedExecutor(filled_at("60000")), amount=amount), Approved)
    return Position.objects.get(bot=bot)


def marked(price, slot=SLOT_0 + 1, symbol="BTC/USDT"):
    now = now_at(slot)
    mark_all({symbol: Price(D(price), now.market_ms)}, now)


def causes(**scope):
    return sorted(Halt.objects.filter(cleared_at=None, **scope).values_list("cause", flat=True))


# by a mark


def test_a_mark_opens_the_daily_loss_until_midnight_and_leaves_the_status_alone():
    bot = make_bot(capital=D(4800))
    entered(bot)
    marked("48100")
    assert causes() == []
    marked("47000", SLOT_0 + 2)
    halt = Halt.objects.get()
    assert (halt.bot, halt.cause, halt.until) == (bot, DAILY_LOSS, now_at(MIDNIGHT, after_ms=0).market_at)
    assert D(halt.figures["overshoot"]) > 0
    assert "until 2024-03-10 00:00 UTC" in halt.text
    assert Bot.objects.get().status == BotStatus.RUNNING
    assert open_halts(bot.account_id, bot.pk, now_at(MIDNIGHT, after_ms=0)) == ()
    check_totals(bot.account)


def test_a_mark_opens_the_drawdown_for_as_long_as_nobody_resets_it():
    bot = make_bot()
    entered(bot)
    BotBook.objects.update(peak_equity=D(6100), day_start_equity=D(4900))
    marked("54000")
    halt = Halt.objects.get()
    assert (halt.cause, halt.until) == (DRAWDOWN, None)
    assert Bot.objects.get().status == BotStatus.HALTED
    marked("53990", SLOT_0 + 2)
    assert Event.objects.filter(kind="halt_raised").count() == Event.objects.filter(kind="bot_halted").count() == 1


def test_a_mark_opens_the_accounts_breaker():
    account = make_account("1300")
    bot = make_bot(account)
    PortfolioRiskLimits.objects.update(max_exposure=D("0.99"), max_asset=D("0.98"), max_order=D("0.97"))
    entered(bot)
    marked("50000")
    halt = Halt.objects.get(cause=PORTFOLIO_DRAWDOWN)
    assert (halt.account, halt.bot, halt.until) == (account, None, None)
    assert D(halt.figures["lost"]) == Portfolio.objects.get().peak_equity - equity(Portfolio.objects.get())


def test_bots_that_fall_and_rise_in_one_round_make_no_peak():
    """Half of them valued anew is no value of the account."""
    account = make_account()
    for symbol in ("BTC/USDT", "ETH/USDT"):
        bot = make_bot(account, symbol=symbol)
        make_position(bot, NOW.market_at, mark_price=D(100), exposure=D(100))
    Portfolio.objects.update(cost=D(200), exposure=D(200))
    at_ms = now_at(SLOT_0 + 1).market_ms
    mark_all({"BTC/USDT": Price(D(150), at_ms), "ETH/USDT": Price(D(60), at_ms)}, now_at(SLOT_0 + 1))
    portfolio = Portfolio.objects.get()
    assert (portfolio.unrealised, portfolio.peak_equity) == (D(10), D(100_010))


def test_bots_are_halted_in_the_order_in_which_everybody_locks_them():
    """By their ids: a reset of the dead man's switch locks them so, and neither must wait for the other for ever."""
    account = make_account()
    first, second = make_bot(account), make_bot(account)
    for bot in (second, first):
        entered(bot)
    marked("30000")
    halted = Halt.objects.exclude(bot=None).order_by("pk").values_list("bot", flat=True)
    assert list(dict.fromkeys(halted)) == [first.pk, second.pk]


def test_the_cost_of_measuring_does_not_grow_with_the_bots():
    account, counts = make_account(), []
    for _ in range(2):
        books = [make_bot(account).book for _ in range(5)]
        books = list(BotBook.objects.select_related("bot__account"))
        with transaction.atomic(), CaptureQueriesContext(connection) as queries:
            fire(Portfolio.objects.select_related("account").get(), books, NOW)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 4


# by a fill


def test_a_fill_that_realises_the_loss_opens_the_breaker_in_its_own_transaction():
    bot = make_bot()
    entered(bot)
    sell(bot, ScriptedExecutor(filled_at("45000")))
    assert causes(bot=bot) == [DAILY_LOSS]
    halted = Event.objects.get(kind="halt_raised")
    assert halted.payload["cause"] == DAILY_LOSS
    fired = Event.objects.get(kind="breaker_fired")
    assert (fired.bot_id, fired.payload["breaker"], fired.payload["scope"]) == (bot.pk, DAILY_LOSS, "bot")
    assert all(fired.payload[name] == halted.payload[name] for name in ("limit", "value", "lost", "overshoot"))
    check_totals(bot.account)


def test_a_fill_opens_the_drawdown_of_a_bot_that_was_paused_meanwhile():
    bot = make_bot()
    entered(bot)
    Bot.objects.update(status=BotStatus.PAUSED)
    sell(bot, ScriptedExecutor(filled_at("5000")))
    assert causes(bot=bot) == [DAILY_LOSS, DRAWDOWN]
    assert Bot.objects.get().status == BotStatus.HALTED


def test_a_fill_is_booked_though_limits_are_missing():
    bot = make_bot()
    entered(bot)
    BotRiskLimits.objects.all().delete()
    PortfolioRiskLimits.objects.all().delete()
    sell(bot, ScriptedExecutor(filled_at("100")))
    assert causes() == []
    check_totals(bot.account)


def test_what_is_written_off_counts_as_lost():
    bot = make_bot(capital=D("4800"))
    held = entered(bot)
    Position.objects.filter(pk=held.pk).update(status="CLOSING")
    write_off(held.pk, bot.account_id, now_at(SLOT_0 + 1))
    assert causes(bot=bot) == [DAILY_LOSS, DRAWDOWN]


# at the gate


def test_the_gate_opens_what_nobody_else_has_and_refuses_with_it():
    bot = make_bot()
    BotBook.objects.filter(bot=bot).update(realised=D(-251))
    verdict = buy(bot, ScriptedExecutor(filled_at("60000")), amount="0.001")
    assert verdict.check == DAILY_LOSS
    assert causes(bot=bot) == [DAILY_LOSS]
    assert buy(bot, ScriptedExecutor(filled_at("60000")), amount="0.001", slot=SLOT_0 + 1).check == "halts"


def test_the_next_day_it_enters_again_by_itself():
    bot = make_bot()
    BotBook.objects.filter(bot=bot).update(realised=D(-251))
    buy(bot, ScriptedExecutor(filled_at("60000")), amount="0.001")
    tomorrow = now_at(MIDNIGHT, after_ms=0)
    under_portfolio_lock(bot.account_id, lambda portfolio: open_days(portfolio, tomorrow))
    assert open_halts(bot.account_id, bot.pk, tomorrow) == ()
    under_portfolio_lock(bot.account_id, lambda p: fire(p, [BotBook.objects.get(bot=bot)], tomorrow))
    assert open_halts(bot.account_id, bot.pk, tomorrow) == ()


@pytest.mark.parametrize("equity_left", ["0", "-700"])
def test_no_money_left_denies_and_crashes_nothing(equity_left):
    account = make_account("5000")
    bot = make_bot(account)
    BotBook.objects.filter(bot=bot).update(realised=D(equity_left) - 5000)
    Portfolio.objects.update(realised=D(equity_left) - 5000)
    for slot in (SLOT_0, SLOT_0 + 1):
        verdict = buy(bot, ScriptedExecutor(filled_at("60000")), amount="0.001", slot=slot)
        assert not isinstance(verdict, Approved)
    assert causes() == [DAILY_LOSS, DRAWDOWN, PORTFOLIO_DRAWDOWN]
    assert Event.objects.filter(kind="halt_raised").count() == 3


def test_an_account_without_capital_is_measured_by_nothing_and_enters_nothing():
    account = make_account()
    bot = make_bot(account)
    Portfolio.objects.update(capital=D(0), peak_equity=D(0))
    assert not isinstance(buy(bot, ScriptedExecutor(filled_at("60000")), amount="0.001"), Approved)
    assert causes() == []


# the day


def test_the_day_begins_with_the_last_mark_of_the_day_before():
    """What it loses between midnight and its first tick counts."""
    bot = make_bot(capital=D(4800))
    entered(bot)
    marked("59000", MIDNIGHT - 1)
    at_midnight = bot_equity(bot, BotBook.objects.get())
    marked("50000", MIDNIGHT)
    book = BotBook.objects.get()
    assert (book.day_start_equity, book.day) == (at_midnight, now_at(MIDNIGHT).market_at.date())
    marked("46000", MIDNIGHT + 1)
    assert causes() == [DAILY_LOSS]
    assert BotBook.objects.get().day_start_equity == at_midnight


def test_a_fill_before_the_first_mark_of_a_day_counts_for_that_day():
    bot = make_bot()
    entered(bot)
    marked("60000", MIDNIGHT - 1)
    before = bot_equity(bot, BotBook.objects.get())
    sell(bot, ScriptedExecutor(filled_at("45000")), now_at(MIDNIGHT))
    assert BotBook.objects.get().day_start_equity == before
    assert causes() == [DAILY_LOSS]


def test_yesterdays_figures_open_nothing_today():
    bot = make_bot()
    BotBook.objects.update(realised=D(-400), day_start_equity=D(5000))
    tomorrow = now_at(MIDNIGHT)
    under_portfolio_lock(bot.account_id, lambda p: fire(p, [BotBook.objects.get(bot=bot)], tomorrow))
    assert causes() == []


def test_all_bots_of_an_account_begin_their_day_together_and_once():
    account, other = make_account(), make_account()
    bots = [make_bot(account) for _ in range(3)]
    make_bot(other)
    tomorrow = now_at(MIDNIGHT, after_ms=0)
    assert accounts_with_a_new_day(NOW) == set()
    assert accounts_with_a_new_day(tomorrow) == {account.pk, other.pk}
    BotBook.objects.filter(bot=bots[0]).update(realised=D(-100))
    counted = [under_portfolio_lock(account.pk, lambda p: open_days(p, tomorrow)) for _ in range(2)]
    assert counted == [3, 0]
    assert accounts_with_a_new_day(tomorrow) == {other.pk}
    assert open_day(bots[0].pk, tomorrow).day_start_equity == D(4900)


def test_a_day_that_has_begun_is_not_begun_again_by_a_round_that_began_before_midnight():
    """A round reads the clock first, and may come to the lock after a tick of the new day has begun it, and lost."""
    bot = make_bot()
    before, after = now_at(MIDNIGHT, after_ms=-500), now_at(MIDNIGHT, after_ms=500)
    open_day(bot.pk, after)
    BotBook.objects.update(realised=D(-300))
    assert accounts_with_a_new_day(before) == set()
    assert under_portfolio_lock(bot.account_id, lambda p: open_days(p, before)) == 0
    assert open_day(bot.pk, before).day_start_equity == D(5000)
    assert open_day(bot.pk, now_at(MIDNIGHT, after_ms=3_000)).day_start_equity == D(5000)


def test_the_cost_of_a_new_day_does_not_grow_with_the_bots():
    """The lock is held meanwhile."""
    account = make_account()
    counted = []
    for day, number in ((1, 2), (2, 10)):
        for _ in range(number):
            make_bot(account)
        tomorrow = now_at(MIDNIGHT + day * DAY)
        with CaptureQueriesContext(connection) as queries:
            under_portfolio_lock(account.pk, lambda p, now=tomorrow: open_days(p, now))
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_a_day_that_a_wrong_clock_has_begun_is_not_waited_for():
    bot = make_bot()
    open_day(bot.pk, now_at(MIDNIGHT + 5 * DAY))
    assert open_day(bot.pk, NOW).day == NOW.market_at.date()


# the cost


def test_the_cost_of_marking_does_not_grow_with_what_is_held():
    """The lock is held meanwhile: nothing is sold, booked or halted on the account before it is free."""
    account = make_account()
    counted = []
    for number in (2, 8):
        for _ in range(number):
            entered(make_bot(account), amount="0.001")
        now = now_at(after_ms=1_000 * number)
        with CaptureQueriesContext(connection) as queries:
            mark_all({"BTC/USDT": Price(D(60_000 + number), now.market_ms)}, now)
        counted.append(len(queries))
        check_totals(account)
    assert counted[0] == counted[1]
    assert set(Position.objects.values_list("mark_price", "marked_at")) == {(D(60_008), now.market_at)}


# marked_at


def test_an_account_is_marked_when_everything_held_was():
    account = make_account()
    Portfolio.objects.update(marked_at=None)
    for symbol in ("BTC/USDT", "ETH/USDT"):
        make_position(make_bot(account, symbol=symbol), NOW.market_at, mark_price=D(100))
    marked("101", SLOT_0 + 1)
    assert Portfolio.objects.get().marked_at is None  # the other has no price
    now = now_at(SLOT_0 + 2)
    mark_all({name: Price(D(101), now.market_ms) for name in ("BTC/USDT", "ETH/USDT")}, now)
    assert Portfolio.objects.get().marked_at == now.market_at
    later = now_at(SLOT_0 + 3)
    mark_all({name: Price(D(500), later.market_ms) for name in ("BTC/USDT", "ETH/USDT")}, later)
    assert Portfolio.objects.get().marked_at == now.market_at  # nobody believes that


def test_an_account_that_holds_nothing_is_marked_by_every_round():
    make_account()
    mark_all({}, NOW)
    assert Portfolio.objects.get().marked_at == NOW.market_at


def test_the_first_fill_values_the_account_and_a_second_one_does_not():
    account = make_account()
    entered(make_bot(account))
    first = Portfolio.objects.get().marked_at
    assert first == Position.objects.get().marked_at
    buy(make_bot(account), ScriptedExecutor(filled_at("60000")), now_at(SLOT_0 + 1))
    assert Portfolio.objects.get().marked_at == first


def test_what_is_being_closed_is_valued_on():
    bot = make_bot()
    make_position(bot, NOW.market_at, mark_price=D(100), status="CLOSING")
    marked("90")
    assert Position.objects.get().mark_price == D(90)


# properties

FRACTIONS = st.decimals(min_value=D("-0.18"), max_value=D("0.5"), places=4)
AMOUNTS = st.decimals(min_value=D("-20000"), max_value=D("20000"), places=2).filter(bool)


class TestCapitalIsNoProfitAndNoLoss(TestCase):
    """Deposits, withdrawals and new allocations open no breaker and close none."""

    @given(gain=FRACTIONS, moved=AMOUNTS)
    @settings(max_examples=25, deadline=None)
    def test_of_an_account(self, gain, moved):
        account = make_account("100000")
        Portfolio.objects.filter(account=account).update(realised=100_000 * gain)
        with transaction.atomic():
            before = Portfolio.objects.get(account=account)
            peak = max(before.peak_equity, equity(before))
            Portfolio.objects.filter(account=account).update(peak_equity=peak)
            declined = ratio(peak - equity(before), peak)
            book_capital(account, moved, "moved", NOW)
        after = Portfolio.objects.get(account=account)
        assert abs(ratio(after.peak_equity - equity(after), after.peak_equity) - declined) < D("1e-10")
        self.fires_nothing_new(account, declined >= D("0.15"))

    def fires_nothing_new(self, account, was_open):
        under_portfolio_lock(account.pk, lambda portfolio: fire(portfolio, [], NOW))
        assert Halt.objects.filter(account=account, bot=None).exists() == was_open

    @given(gain=FRACTIONS, capital=st.decimals(min_value=4000, max_value=20_000, places=2))
    @settings(max_examples=25, deadline=None)
    def test_of_a_bot(self, gain, capital):
        bot = make_bot()
        BotBook.objects.filter(bot=bot).update(realised=5000 * gain, peak_equity=5000 * max(1, 1 + gain))
        before = BotBook.objects.select_related("bot").get(bot=bot)
        declined = ratio(before.peak_equity - bot_equity(bot, before), before.peak_equity)
        lost = before.day_start_equity - bot_equity(bot, before)
        with transaction.atomic():
            lock_portfolio(bot.account_id)
            Bot.objects.filter(pk=bot.pk).update(capital=capital)
            reallocate(bot, D(5000), capital)
        after = BotBook.objects.select_related("bot").get(bot=bot)
        now = bot_equity(after.bot, after)
        assert after.day_start_equity - now == lost
        assert abs(ratio(after.peak_equity - now, after.peak_equity) - declined) < D("1e-10")


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_the_rows_alone_say_what_is_open(seed):
    """A restart reads rows: peaks, days and streaks are all there, and measuring again changes nothing."""
    random, account = Random(seed), make_account("20000")
    bots = [make_bot(account, symbol=symbol) for symbol in ("BTC/USDT", "ETH/USDT")]
    for bot in bots:
        make_position(bot, NOW.market_at, quantity=D(10), cost=D(1000), exposure=D(1000), mark_price=D(100))
    Portfolio.objects.update(cost=D(2000), exposure=D(2000))
    price, starts = {bot.symbol: D(100) for bot in bots}, {}
    for slot in range(SLOT_0, SLOT_0 + 3 * DAY, 24):
        now = now_at(slot)
        before = {book.bot_id: bot_equity(book.bot, book) for book in BotBook.objects.select_related("bot")}
        price = {name: last * random.randint(80, 115) / 100 for name, last in price.items()}
        mark_all({name: Price(last, now.market_ms) for name, last in price.items()}, now)
        for book in BotBook.objects.all():
            starts.setdefault((book.bot_id, now.market_at.date()), before[book.bot_id])
            assert book.day_start_equity == starts[book.bot_id, now.market_at.date()]
        raised = Event.objects.filter(kind="halt_raised").count()
        _measured_anew(account.pk, now)
        assert Event.objects.filter(kind="halt_raised").count() == raised
        _agrees_with_the_rows(now)


def _measured_anew(account_id: int, now: Now) -> None:
    books = list(BotBook.objects.select_related("bot__account"))
    under_portfolio_lock(account_id, lambda portfolio: fire(portfolio, books, now))


def _agrees_with_the_rows(now: Now) -> None:
    """Computed here once more, from the rows alone."""
    for book in BotBook.objects.select_related("bot__account"):
        worth, limits = bot_equity(book.bot, book), BotRiskLimits.objects.get(bot=book.bot)
        stopped = " ".join(open_halts(book.bot.account_id, book.bot_id, now))
        if book.day_start_equity - worth >= limits.max_daily_loss * book.bot.capital:
            assert DAILY_LOSS in stopped
        if book.peak_equity - worth >= limits.max_drawdown * book.peak_equity:
            assert DRAWDOWN in stopped
            assert book.bot.status == BotStatus.HALTED


def test_an_account_whose_totals_are_no_numbers_keeps_no_other_from_being_valued():
    broken, sound = make_account(), make_account()
    make_position(make_bot(sound), NOW.market_at, mark_price=D(100))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE execution_portfolio SET peak_equity = 'NaN' WHERE account_id = %s", [broken.pk])
    with pytest.raises(ArithmeticError):
        marked("101", SLOT_0 + 2)
    assert Position.objects.get(account=sound).mark_price == D(101)
