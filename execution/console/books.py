"""The running totals of accounts and bots, and what the books say of assets."""

from django.contrib import admin
from django.utils.safestring import SafeString

from execution.console.cells import MoneyCells, in_quote
from execution.models import AssetBalance, AssetExposure, BotBook, Portfolio, Reconciliation
from market.money import exact
from notifications.admin_base import ReadOnlyAdmin, age, amount, display, related


@admin.register(Portfolio)
class PortfolioAdmin(MoneyCells, ReadOnlyAdmin):
    """The accounts' running totals."""

    list_display = (
        "account",
        "equity_shown",
        "capital_shown",
        "realised_shown",
        "unrealised_shown",
        "exposure_shown",
        "reserved_shown",
        "fees_shown",
        "peak_shown",
    )
    list_select_related = ("account",)
    empty_text = "A portfolio appears with its account."

    @display(description="capital")
    def capital_shown(self, portfolio: Portfolio) -> str:
        return in_quote(portfolio, portfolio.capital)

    @display(description="reserved")
    def reserved_shown(self, portfolio: Portfolio) -> str:
        return in_quote(portfolio, portfolio.reserved)


@admin.register(AssetExposure)
class AssetExposureAdmin(MoneyCells, ReadOnlyAdmin):
    """The accounts' exposure to one asset each."""

    list_display = ("asset", "account", "exposure_shown")
    list_select_related = ("portfolio__account",)
    search_fields = ("asset",)
    empty_text = "The exposure to an asset appears with the first entry into it."

    @display(description="account")
    def account(self, row: AssetExposure) -> str:
        return row.portfolio.account.name


@admin.register(AssetBalance)
class AssetBalanceAdmin(ReadOnlyAdmin):
    """What the accounts have of each asset by our books."""

    list_display = ("asset", "account", "by_our_books", "besides", "expected")
    list_filter = ("account",)
    list_select_related = ("account",)
    search_fields = ("asset",)
    empty_text = "The balance of an asset appears with the first capital or fill in it."

    @display(description="by our books")
    def by_our_books(self, row: AssetBalance) -> str:
        return amount(row.amount)

    @display(description="besides, at the exchange")
    def besides(self, row: AssetBalance) -> str:
        return amount(row.untracked)

    @display(description="expected there")
    def expected(self, row: AssetBalance) -> str:
        with exact():
            return amount(row.amount + row.untracked)


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin):
    """When each live account was last compared with the exchange, and what was found."""

    list_display = ("account", "compared", "clean", "since_start", "problem")
    list_select_related = ("account",)
    empty_text = (
        "A live account appears here once the reconciler has compared it with the exchange; one on paper never."
    )

    @display(description="compared")
    def compared(self, row: Reconciliation) -> str:
        return age(row.ran_at)

    @display(description="clean")
    def clean(self, row: Reconciliation) -> str:
        return age(row.clean_at)

    @display(description="started")
    def since_start(self, row: Reconciliation) -> str:
        return age(row.begun_at)


@admin.register(BotBook)
class BotBookAdmin(MoneyCells, ReadOnlyAdmin):
    """The bots' running totals."""

    list_display = (
        "bot_link",
        "equity_shown",
        "realised_shown",
        "unrealised_shown",
        "fees_shown",
        "peak_shown",
        "won",
        "loss_streak",
    )
    list_select_related = ("bot",)
    search_fields = ("bot__name",)
    empty_text = "A book appears with its bot."

    bot_link = related("bot")

    @display(description="won and lost")
    def won(self, book: BotBook) -> SafeString | str:
        return f"{book.wins} / {book.losses}"
