"""PURE. Ready-made wrong answers: pages of proxies and Binance's errors by code."""

from __future__ import annotations

from http import HTTPStatus

import orjson

from simexchange.errors import order_errors, parameter_errors, request_errors
from simexchange.errors.api_error import ApiError

_READY_MADE = (
    request_errors.internal(),
    ApiError(-1001, "Internal error; unable to process your request. Please try again.", 500),
    ApiError(-1002, "You are not authorized to execute this request.", 401),
    request_errors.too_much_weight(6_000, 5),
    ApiError(-1006, "An unexpected response was received from the message bus. Execution status unknown.", 500),
    ApiError(
        -1007,
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
        504,
    ),
    ApiError(-1008, "Server is currently overloaded with other requests. Please try again in a few minutes.", 503),
    order_errors.filter_failure("NOTIONAL"),
    ApiError(-1014, "Unsupported order combination."),
    request_errors.too_many_orders(100, "10 SECOND", 5),
    ApiError(-1016, "This service is no longer available."),
    request_errors.unsupported(),
    request_errors.outside_recv_window(),
    request_errors.bad_signature(),
    parameter_errors.illegal_characters("quantity", r"^([0-9]{1,20})(\.[0-9]{1,20})?$"),
    parameter_errors.duplicate_parameter(),
    parameter_errors.missing("symbol"),
    parameter_errors.unread(3, 4),
    parameter_errors.too_precise("quantity"),
    parameter_errors.invalid_interval(),
    parameter_errors.invalid_symbol(),
    order_errors.rejected("Account has insufficient balance for requested action."),
    order_errors.unknown_cancel(),
    order_errors.no_such_order(),
    request_errors.bad_key_format(),
    request_errors.bad_key(),
    ApiError(
        -2026,
        "Order was canceled or expired with no executed qty over 90 days ago and has been archived.",
    ),
)
KNOWN_ERRORS = {error.code: error for error in _READY_MADE}

JSON, HTML, TEXT = "application/json;charset=UTF-8", "text/html", "text/plain"


def html(status: int) -> bytes:
    """The page of a proxy in front of the exchange."""
    title = f"{status} {_phrase(status)}"
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    ).encode()


def page(status: int, body: str) -> tuple[bytes, str]:
    """Content and media type of an answer that is no answer; ``body`` as in the kinds' parameters."""
    if body == "empty":
        return b"", TEXT
    if body == "text":
        return f"{status} {_phrase(status)}".encode(), TEXT
    if body == "json":
        return orjson.dumps(
            {"code": -1000, "msg": "Unknown error, please check your request or try again later."}
        ), JSON
    if body == "sapi":
        return orjson.dumps({"status": 1, "msg": "system_maintenance"}), JSON
    return html(status), HTML


def error_body(code: int, msg: str) -> bytes:
    return orjson.dumps({"code": code, "msg": msg})


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
