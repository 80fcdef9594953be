"""Commands that only read: words in, a page out. Every one reads a moment of the database."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import wraps

from market.clock import Clock, Now
from notifications.telegram.commands import Asked, Command
from notifications.telegram.markup import bold, escape
from notifications.telegram.values import Note
from tradingplatform.reading import one_moment
from tradingplatform.telegram_commands import fleet_pages, fleet_rows, money_pages, money_rows, platform_pages
from tradingplatform.telegram_commands.arguments import bot_named, count
from tradingplatform.telegram_commands.chart import equity_chart
from tradingplatform.why.asked import read_time
from tradingplatform.why.find import find

KEYBOARD = (("/status", "/positions", "/profit"), ("/bots", "/daily", "/risk"), ("/balance", "/health", "/help"))

Answer = Callable[[Asked], Note]
MOST_NEAR = 8


@dataclass(frozen=True, slots=True)
class Reading:
    """All that reading commands need: the time."""

    clock: Clock

    @property
    def now(self) -> Now:
        return self.clock.now()

    def commands(self) -> Iterator[Command]:
        """In the order in which they are listed."""
        for name, takes, does, answer in (
            ("status", "[table]", "how everything stands", self.status),
            ("bots", "", "every bot, one line each", self.bots),
            ("bot", "NAME", "one bot in full", self.bot),
            ("positions", "", "what is held", self.positions),
            ("orders", "", "orders at work, and the last ones", self.orders),
            ("trades", "[n]", "the last trades", self.trades),
            ("profit", "[days]", "what was made", self.profit),
            ("daily", "[days]", "profit by day", self.daily),
            ("weekly", "[weeks]", "profit by week", self.weekly),
            ("monthly", "[months]", "profit by month", self.monthly),
            ("performance", "", "which bots and symbols made it", self.performance),
            ("stats", "", "won and lost, and why trades ended", self.stats),
            ("balance", "", "what the account has", self.balance),
            ("exposure", "", "what is at stake, by asset", self.exposure),
            ("risk", "", "how near the limits are", self.risk),
            ("why", "BOT [time]", "why it did or did not trade", self.why),
            ("logs", "[n]", "the last events", self.logs),
            ("health", "", "whether the platform is well", self.health),
            ("version", "", "what runs here", self.version),
        ):
            yield Command(name, takes, does, _in_one_moment(answer), refreshes=name != "version")
        yield Command("chart", "[days]", "equity as a picture", _in_one_moment(self.chart))

    def status(self, asked: Asked) -> Note:
        if asked.words[:1] == ("table",):
            return self.positions(asked)
        return Note(fleet_pages.status_page(fleet_rows.overview(self.now)))

    def bots(self, _: Asked) -> Note:
        now = self.now
        return Note(fleet_pages.bots_page([line for _, line in fleet_rows.bot_lines(now)], now))

    def bot(self, asked: Asked) -> Note:
        bot, now = bot_named(asked.words, "bot"), self.now
        return Note(fleet_pages.bot_page(fleet_rows.bot_line(bot, now), fleet_rows.live_positions(bot), now))

    def positions(self, _: Asked) -> Note:
        return Note(fleet_pages.positions_page(fleet_rows.live_positions(), self.now))

    def orders(self, _: Asked) -> Note:
        return Note(fleet_pages.orders_page(fleet_rows.unfinished_orders(40), fleet_rows.last_orders(10), self.now))

    def trades(self, asked: Asked) -> Note:
        return Note(fleet_pages.trades_page(fleet_rows.closed_positions(count(asked.words, 10, 50)), self.now))

    def profit(self, asked: Asked) -> Note:
        days, now = count(asked.words, 7, 366), self.now
        recent = money_rows.periods(days, money_rows.day_of, now)
        return Note(money_pages.profit_page(fleet_rows.accounts(now), days, recent, now))

    def daily(self, asked: Asked) -> Note:
        return self._periods("Profit by day", count(asked.words, 7, 60), money_rows.day_of)

    def weekly(self, asked: Asked) -> Note:
        return self._periods("Profit by week", count(asked.words, 8, 52), money_rows.week_of)

    def monthly(self, asked: Asked) -> Note:
        return self._periods("Profit by month", count(asked.words, 6, 36), money_rows.month_of)

    def performance(self, _: Asked) -> Note:
        now = self.now
        return Note(money_pages.performance_page(money_rows.made_by_bot(now), money_rows.made_by_symbol(now), now))

    def stats(self, _: Asked) -> Note:
        return Note(money_pages.stats_page(money_rows.statistics(), money_rows.LOOKED_AT, self.now))

    def balance(self, _: Asked) -> Note:
        now = self.now
        found = [money_rows.balances(portfolio) for portfolio in money_rows.portfolios()]
        return Note(money_pages.balance_page(list(zip(fleet_rows.accounts(now), found, strict=True)), now))

    def exposure(self, _: Asked) -> Note:
        now = self.now
        return Note(money_pages.exposure_page(money_rows.account_risks(now), now))

    def risk(self, _: Asked) -> Note:
        now = self.now
        risks, nearest = money_rows.account_risks(now), money_rows.nearest(now, MOST_NEAR)
        return Note(money_pages.risk_page(fleet_rows.overview(now), risks, nearest))

    def why(self, asked: Asked) -> Note:
        bot, now = bot_named(asked.words, "why"), self.now
        at = read_time(" ".join(asked.words[1:]), now.market_at) if asked.words[1:] else None
        return Note(fleet_pages.why_page(find(bot, at, self.clock, now), now))

    def logs(self, asked: Asked) -> Note:
        return Note(fleet_pages.logs_page(fleet_rows.last_events(count(asked.words, 10, 25)), self.now))

    def health(self, _: Asked) -> Note:
        return Note(platform_pages.health_page(fleet_rows.overview(self.now), self.clock))

    def version(self, _: Asked) -> Note:
        return Note(platform_pages.version_page(self.clock))

    def chart(self, asked: Asked) -> Note:
        days, now = count(asked.words, 7, 366), self.now
        accounts = money_rows.portfolios()
        if not accounts:
            raise ValueError("There is no account yet.")
        account = accounts[0].account
        points = money_rows.equity_points(account.pk, now.market_at - timedelta(days=days))
        title = f"{account.name}: equity in {account.quote}, {days} days"
        return Note(f"{bold('Equity')} {escape(title)}", picture=equity_chart(points, title, account.quote))

    def _periods(self, title: str, number: int, begins: Callable[[date], date]) -> Note:
        now = self.now
        return Note(money_pages.periods_page(title, money_rows.periods(number, begins, now), now))


def _in_one_moment(answer: Answer) -> Answer:
    """One snapshot for all of a page's figures, so that they add up."""

    @wraps(answer)
    def read(asked: Asked) -> Note:
        with one_moment():
            return answer(asked)

    return read
