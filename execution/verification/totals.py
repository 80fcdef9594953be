"""The running totals, added up anew from recomputed positions, fills and capital changes. PURE."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from execution.flows import flows
from execution.ledger import paid_elsewhere
from execution.states import PositionStatus
from execution.verification.compare import Difference, compare, text
from execution.verification.values import BookedFill, BookedPosition, BookFigures, PortfolioFigures, PositionFigures
from market.money import ZERO, exact


def _zeros() -> defaultdict[str, Decimal]:
    return defaultdict(lambda: ZERO)


@dataclass
class Sums:
    """What one account's rows add up to so far. Its size does not grow with the number of fills."""

    account_id: int
    quote: str
    capital: Decimal = ZERO
    cash: Decimal = ZERO
    elsewhere: Decimal = ZERO
    worth: Decimal = ZERO
    portfolio: defaultdict[str, Decimal] = field(default_factory=_zeros)
    exposures: defaultdict[str, Decimal] = field(default_factory=_zeros)
    balances: defaultdict[str, Decimal] = field(default_factory=_zeros)
    books: dict[int, BookFigures] = field(default_factory=dict)

    def add_capital(self, amounts: Iterable[Decimal]) -> None:
        """The capital changes, in quote."""
        with exact():
            total = sum(amounts, ZERO)
            self.capital += total
            self.balances[self.quote] += total

    def add(self, position: BookedPosition, figures: PositionFigures, fills: Iterable[BookedFill]) -> None:
        """A position with its recomputed figures. Add a bot's positions in the order they were made.

        One that the bot held on another account, before it came to this, counts in the bot's book alone.
        """
        with exact():
            book = self.books.get(position.bot_id, BookFigures())
            self.books[position.bot_id] = _counted(book, position.status, figures)
            if position.account_id == self.account_id:
                self._add_to_account(position, figures)
                for booked in fills:
                    self._add_fill(position, booked)

    def _add_to_account(self, position: BookedPosition, figures: PositionFigures) -> None:
        for name in ("realised", "fees", "cost", "unrealised", "reserved", "exposure"):
            self.portfolio[name] += getattr(figures, name)
        self.exposures[position.symbol.partition("/")[0]] += figures.exposure
        self.worth += figures.cost if position.mark is None else figures.quantity * position.mark

    def _add_fill(self, position: BookedPosition, booked: BookedFill) -> None:
        base, _, quote = position.symbol.partition("/")
        for asset, change in flows(booked.side, booked.fill, base, quote).items():
            self.balances[asset] += change
        self.cash += booked.cash_change
        if booked.fill.fee_rate is not None:  # without it the position's own fills are told as impossible
            self.elsewhere += paid_elsewhere(booked.fill, base, quote)


def check_totals(
    sums: Sums,
    portfolio: PortfolioFigures,
    books: Mapping[int, tuple[str, BookFigures]],
    exposures: Mapping[str, Decimal],
    balances: Mapping[str, Decimal],
) -> Iterator[Difference]:
    """Every running total that is not the sum of its rows. ``books`` are of the account's bots: name and figures."""
    yield from compare("portfolio", "-", portfolio, PortfolioFigures(capital=sums.capital, **sums.portfolio))
    yield from _check_equity(sums, portfolio)
    yield from _check_amounts("asset_exposure", exposures, sums.exposures)
    yield from _check_amounts("asset_balance", balances, sums.balances)
    for bot_id, (name, figures) in books.items():
        yield from compare("book", name, figures, sums.books.get(bot_id, BookFigures()))


def _check_equity(sums: Sums, portfolio: PortfolioFigures) -> Iterator[Difference]:
    """Equity by profit against equity by what there is: cash and quantity x mark."""
    with exact():
        by_profit = portfolio.capital + portfolio.realised + portfolio.unrealised
        by_what_there_is = sums.capital + sums.cash + sums.worth - sums.elsewhere
    if by_profit != by_what_there_is:
        what = f"{text(by_what_there_is)} in cash and holdings"
        yield Difference("portfolio.equity", "-", f"{text(by_profit)} by profit", what)


def _check_amounts(what: str, stored: Mapping[str, Decimal], added: Mapping[str, Decimal]) -> Iterator[Difference]:
    for asset in sorted({*stored, *added}):
        one, other = stored.get(asset, ZERO), added.get(asset, ZERO)
        if one != other:
            yield Difference(what, asset, text(one), text(other))


def _counted(book: BookFigures, status: PositionStatus, figures: PositionFigures) -> BookFigures:
    closed = status is PositionStatus.CLOSED
    lost = closed and figures.realised < 0
    won = closed and not lost
    return BookFigures(
        realised=book.realised + figures.realised,
        fees=book.fees + figures.fees,
        unrealised=book.unrealised + figures.unrealised,
        wins=book.wins + won,
        losses=book.losses + lost,
        loss_streak=0 if won else book.loss_streak + lost,
    )
