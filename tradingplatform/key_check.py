"""May an API key do more, or less, than trade? Asked before an account is connected, at start-up and every hour."""

from bots.models import ExchangeAccount
from execution.lock import under_portfolio_lock
from market.clock import Now
from market.exchange import KeyRights, OrderDesk, Rejected, Transient
from risk.halts import raise_halt

RIGHTS, REFUSED = "key_rights", "key_refused"
"""Causes of the halts."""

_REFUSALS = {
    "-2014": "that is not an API key: is a part of EXCHANGE_API_KEY missing?",
    "-2015": "the exchange does not know this key, or refuses it from this address or for this: check "
    "EXCHANGE_API_KEY, and what the exchange's own page says of the key",
    "-1022": "the secret does not belong to the key: check EXCHANGE_API_SECRET",
}
"""What Binance's codes of a key's refusal mean for who typed it."""


def review_key(account: ExchangeAccount, desk: OrderDesk, now: Now) -> str:
    """What is wrong with the account's key, in words, empty for nothing. Wrong is: it may withdraw or transfer, may not
    trade, or is refused; the account is halted then, once. Without an answer nothing changes, and nothing is said.
    """
    try:
        cause, problem = RIGHTS, why_not_rights(desk.key_rights())
    except Transient:
        return ""
    except Rejected as error:
        cause, problem = REFUSED, f"the exchange refuses the key: {refusal_text(error)}"
    if problem:
        text = f"account {account.name} halted, entries stop: {problem}"
        under_portfolio_lock(account.pk, lambda _: raise_halt(account, None, cause, text, {}, now))
    return problem


def why_not_rights(rights: KeyRights) -> str:
    """What the key may do and should not, or the other way round. What the exchange does not tell is no reason."""
    too_much = [name for name, may in (("withdraw", rights.may_withdraw), ("transfer", rights.may_transfer)) if may]
    if too_much:
        return f"its API key may {' and '.join(too_much)}, and must not: take that right from it at the exchange"
    if rights.may_trade is False:
        return "its API key may not trade: give it that right at the exchange"
    return ""


def key_warnings(rights: KeyRights) -> list[str]:
    """What is no reason to refuse the key, and should be known."""
    warnings = []
    if not rights.ip_restricted:
        warnings.append("the key works from every address: restrict it to this one at the exchange")
    if rights.may_withdraw is None or rights.may_transfer is None:
        warnings.append("the exchange does not tell whether the key may withdraw or transfer: look there yourself")
    return warnings


def refusal_text(error: Rejected) -> str:
    """Why the exchange refuses a key, and what to do."""
    return _REFUSALS.get(error.code, str(error))
