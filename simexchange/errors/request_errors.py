"""Refusals of a request as a whole: limits, clocks, signatures and keys."""

from __future__ import annotations

from simexchange.errors.api_error import ApiError


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


def recv_window_too_long() -> ApiError:
    return ApiError(-1131, "recvWindow must be less than 60000.")


def bad_key_format() -> ApiError:
    return ApiError(-2014, "API-key format invalid.", 401)


def bad_key() -> ApiError:
    return ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
