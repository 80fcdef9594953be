"""Binance's error answers about the two orders of a pair: which of them may stand on which side of the price."""

from __future__ import annotations

from simexchange.errors.api_error import ApiError


def unsupported_in_oco() -> ApiError:
    return ApiError(-1158, "Order type not supported in OCO.")


def buy_limit_must_be_below() -> ApiError:
    return ApiError(-1165, "A limit order in a buy OCO must be below.")


def sell_limit_must_be_above() -> ApiError:
    return ApiError(-1166, "A limit order in a sell OCO must be above.")


def one_must_be_contingent() -> ApiError:
    return ApiError(-1168, "At least one OCO order must be contingent.")


def buy_stop_must_be_above() -> ApiError:
    return ApiError(-1196, "A stop loss order in a buy OCO must be above.")


def sell_stop_must_be_below() -> ApiError:
    return ApiError(-1197, "A stop loss order in a sell OCO must be below.")


def buy_profit_must_be_below() -> ApiError:
    return ApiError(-1198, "A take profit order in a buy OCO must be below.")


def sell_profit_must_be_above() -> ApiError:
    return ApiError(-1199, "A take profit order in a sell OCO must be above.")
