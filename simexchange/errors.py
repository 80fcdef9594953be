"""Binance's error answers: a code, its text, and the HTTP status it travels with."""

from __future__ import annotations


class ApiError(Exception):
    """A request refused with Binance's ``{"code": ..., "msg": ...}``; ``retry_after_s`` becomes a header."""

    def __init__(self, code: int, msg: str, status: int = 400, retry_after_s: int | None = None) -> None:
        super().__init__(f"{code} {msg}")
        self.code, self.msg, self.status, self.retry_after_s = code, msg, status, retry_after_s

    def body(self) -> dict[str, object]:
        """What the client reads."""
        return {"code": self.code, "msg": self.msg}


class CancelReplaceFailed(ApiError):
    """Half or all of a cancel-replace failed: ``data`` tells which half, and what came of the other."""

    def __init__(self, code: int, msg: str, status: int, data: dict[str, object]) -> None:
        super().__init__(code, msg, status)
        self.data = data

    def body(self) -> dict[str, object]:
        return super().body() | {"data": self.data}


# -- 10xx: the request as a whole -------------------------------------------------------------------------------------
def internal() -> ApiError:
    """The exchange itself failed; the client cannot know whether its request was carried out."""
    return ApiError(-1000, "An unknown error occurred while processing the request.", 500)


def too_much_weight(limit: int, retry_after_s: int) -> ApiError:
    return ApiError(
        -1003,
        f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API.",
        429,
        retry_after_s,
    )


def too_many_requests(limit: int, retry_after_s: int) -> ApiError:
    return ApiError(
        -1003, f"Too many requests; current limit is {limit} raw requests per 5 MINUTE.", 429, retry_after_s
    )


def banned(until_ms: int, retry_after_s: int) -> ApiError:
    return ApiError(
        -1003,
        f"Way too much request weight used; IP banned until {until_ms}. "
        "Please use WebSocket Streams for live updates to avoid bans.",
        418,
        retry_after_s,
    )


def too_many_orders(limit: int, window: str, retry_after_s: int) -> ApiError:
    return ApiError(-1015, f"Too many new orders; current limit is {limit} orders per {window}.", 429, retry_after_s)


def unsupported(msg: str = "This operation is not supported.") -> ApiError:
    return ApiError(-1020, msg)


def outside_recv_window() -> ApiError:
    return ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")


def ahead_of_server() -> ApiError:
    return ApiError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")


def bad_signature() -> ApiError:
    return ApiError(-1022, "Signature for this request is not valid.")


# -- 11xx: parameters -------------------------------------------------------------------------------------------------
def illegal_characters(name: str, legal: str) -> ApiError:
    return ApiError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def duplicate_parameter() -> ApiError:
    return ApiError(-1101, "Duplicate values for a parameter detected.")


def missing(name: str) -> ApiError:
    return ApiError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def missing_either(first: str, second: str) -> ApiError:
    return ApiError(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def unread(read: int, sent: int) -> ApiError:
    return ApiError(-1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.")


def empty(name: str) -> ApiError:
    return ApiError(-1105, f"Parameter '{name}' was empty.")


def not_required(name: str) -> ApiError:
    return ApiError(-1106, f"Parameter '{name}' sent when not required.")


def too_precise(name: str) -> ApiError:
    return ApiError(-1111, f"Parameter '{name}' has too much precision.")


def invalid_time_in_force() -> ApiError:
    return ApiError(-1115, "Invalid timeInForce.")


def invalid_order_type() -> ApiError:
    return ApiError(-1116, "Invalid orderType.")


def invalid_side() -> ApiError:
    return ApiError(-1117, "Invalid side.")


def invalid_interval() -> ApiError:
    return ApiError(-1120, "Invalid interval.")


def invalid_symbol() -> ApiError:
    return ApiError(-1121, "Invalid symbol.")


def bad_combination() -> ApiError:
    return ApiError(-1128, "Combination of optional parameters invalid.")


def bad_data(name: str) -> ApiError:
    return ApiError(-1130, f"Data sent for parameter '{name}' is not valid.")


def recv_window_too_long() -> ApiError:
    return ApiError(-1131, "recvWindow must be less than 60000.")


def invalid_cancel_restrictions() -> ApiError:
    return ApiError(-1145, "Invalid cancelRestrictions")


# -- trading ----------------------------------------------------------------------------------------------------------
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


def bad_key_format() -> ApiError:
    return ApiError(-2014, "API-key format invalid.", 401)


def bad_key() -> ApiError:
    return ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
