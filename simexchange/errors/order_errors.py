"""Refusals of orders, cancels and queries: filters, balances, prices, and what does not exist."""

from __future__ import annotations

from simexchange.errors.api_error import ApiError


class CancelReplaceFailed(ApiError):
    """Half or all of a cancel-replace failed: ``data`` tells which half, and what came of the other."""

    def __init__(self, code: int, msg: str, status: int, data: dict[str, object]) -> None:
        super().__init__(code, msg, status)
        self.data = data

    def body(self) -> dict[str, object]:
        return super().body() | {"data": self.data}


def filter_failure(filter_type: str) -> ApiError:
    return ApiError(-1013, f"Filter failure: {filter_type}")


def invalid_quantity() -> ApiError:
    return ApiError(-1013, "Invalid quantity.")


def invalid_price() -> ApiError:
    return ApiError(-1013, "Invalid price.")


def market_closed() -> ApiError:
    return ApiError(-1013, "Market is closed.")


def rejected(msg: str) -> ApiError:
    """The matching engine's refusal of a new order."""
    return ApiError(-2010, msg)


def insufficient_balance() -> ApiError:
    return rejected("Account has insufficient balance for requested action.")


def duplicate_order() -> ApiError:
    """An open order has this client id: the client's earlier request may have been carried out."""
    return rejected("Duplicate order sent.")


def would_take() -> ApiError:
    return rejected("Order would immediately match and take.")


def would_trigger() -> ApiError:
    return rejected("Stop price would trigger immediately.")


def wrong_relationship() -> ApiError:
    return rejected("The relationship of the prices for the orders is not correct.")


def cancel_restricted() -> ApiError:
    return ApiError(-2011, "Order was not canceled due to cancel restrictions.")


def unknown_cancel() -> ApiError:
    return ApiError(-2011, "Unknown order sent.")


def no_such_order() -> ApiError:
    return ApiError(-2013, "Order does not exist.")


def no_such_list() -> ApiError:
    return ApiError(-2018, "Order list does not exist.")


def cancel_replace_failed(data: dict[str, object]) -> ApiError:
    """Nothing was done."""
    return CancelReplaceFailed(-2022, "Order cancel-replace failed.", 400, data)


def cancel_replace_partially_failed(data: dict[str, object]) -> ApiError:
    """The order is gone and there is no new one, or the new one stands beside what could not be cancelled."""
    return CancelReplaceFailed(-2021, "Order cancel-replace partially failed.", 409, data)
