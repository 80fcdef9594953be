"""The three checks of the account, in the order of ``PORTFOLIO_CHECKS``. PURE. Aggregate capital is its equity."""

from risk.breakers import PORTFOLIO_DRAWDOWN, portfolio_drawdown
from risk.measures import cap, required
from risk.verdicts import Check, CheckResult, Exposure, Proposal


class TotalExposure:
    """6: all bots together, reserved entries and this proposal included, hold at most a fraction of the equity."""

    name = "total_exposure"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        limits = required(exposure.portfolio_limits, "portfolio limits")
        return cap(self.name, exposure.total_exposure, proposal.notional, limits.max_exposure, exposure.account_equity)


class AssetConcentration:
    """7: the same for the proposal's base asset alone."""

    name = "asset_concentration"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        limits = required(exposure.portfolio_limits, "portfolio limits")
        return cap(self.name, exposure.asset_exposure, proposal.notional, limits.max_asset, exposure.account_equity)


class PortfolioDrawdown:
    """8: the account's equity has declined by less than a fraction of its peak."""

    name = PORTFOLIO_DRAWDOWN

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        limits = required(exposure.portfolio_limits, "portfolio limits")
        return portfolio_drawdown(exposure.account_peak_equity, exposure.account_equity, limits.max_drawdown)


PORTFOLIO_CHECKS: tuple[Check, ...] = (TotalExposure(), AssetConcentration(), PortfolioDrawdown())
