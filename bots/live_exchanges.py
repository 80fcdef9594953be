"""Where live trading is possible at all."""

LIVE_EXCHANGES = ("simulated",)
"""Where live orders may go."""

NOT_YET = "live orders go to the simulated exchange only for now: the platform's risk floor is not complete"


def why_no_live_orders(exchange: str) -> str:
    """Why no account at that exchange may be LIVE; empty when it may."""
    return "" if exchange in LIVE_EXCHANGES else f"{NOT_YET}, so an account at {exchange} stays on paper"
