"""PURE. Ready-made wrong answers: pages of proxies and Binance's errors by code."""

from __future__ import annotations

from http import HTTPStatus

import orjson

from simexchange import errors
from simexchange.errors import ApiError

_READY_MADE = (
    errors.internal(),
    ApiError(-1001, "Internal error; unable to process your request. Please try again.", 500),
    ApiError(-1002, "You are not authorized to execute this request.", 401),
    errors.too_much_weight(6_000, 5),
    ApiError(-1006, "An unexpected response was received from the message bus. Execution status unknown.", 500),
    ApiError(
        -1007,
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
        504,
    ),
    ApiError(-1008, "Server is currently overloaded with other requests. Please try again in a few minutes.", 503),
    errors.filter_failure("NOTIONAL"),
    ApiError(-1014, "Unsupported order combination."),
    errors.too_many_orders(100, "10 SECOND", 5),
    ApiError(-1016, "This service is no longer available."),
    errors.unsupported(),
    errors.outside_recv_window(),
    errors.bad_signature(),
    errors.illegal_characters("quantity", r"^([0-9]{1,20})(\.[0-9]{1,20})?$"),
    errors.duplicate_parameter(),
    errors.missing("symbol"),
    errors.unread(3, 4),
    errors.too_precise("quantity"),
    errors.invalid_interval(),
    errors.invalid_symbol(),
    errors.rejected("Account has insufficient balance for requested action."),
    errors.unknown_cancel(),
    errors.no_such_order(),
    errors.bad_key_format(),
    errors.bad_key(),
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
