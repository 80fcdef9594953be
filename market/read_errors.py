"""What the exchange's refusal of a read means. PURE.

Binance's own code counts more than the class that ccxt gives it: a revoked key comes as DDoSProtection once a key has
worked, and an overload as a bad request.
"""

import re
from enum import StrEnum


class Says(StrEnum):
    """What the exchange says."""

    NO = "no"  # it understood, and will say the same again
    LATER = "later"  # nothing happened; the same question may be answered in a moment
    STAY_AWAY = "stay away"  # too many requests: asking again makes it worse


MEANING: dict[str, Says] = {
    "-1000": Says.LATER,  # an unknown error while processing
    "-1001": Says.LATER,  # internal error: disconnected
    "-1002": Says.NO,  # not authorised
    "-1003": Says.STAY_AWAY,  # too many requests, or banned
    "-1006": Says.LATER,  # an unexpected answer from within
    "-1007": Says.LATER,  # timeout of a server behind
    "-1008": Says.LATER,  # the server is busy
    "-1015": Says.STAY_AWAY,  # too many orders
    "-1016": Says.LATER,  # the service is shutting down
    "-1021": Says.LATER,  # our timestamp is off: the clock is compared again
    "-1022": Says.NO,  # the signature is wrong
    "-2011": Says.NO,  # no such order is open
    "-2013": Says.NO,  # no such order
    "-2014": Says.NO,  # this is no key
    "-2015": Says.NO,  # this key is not valid (any more), not from here, or not for this
}
"""What the codes mean that may come to a read, whatever class ccxt gives them."""

FIREWALL = " 403 "
"""Binance's firewall answers 403 without a code to an address that has asked too much."""

_BANNED_UNTIL = re.compile(r"banned until (\d{13})")
_CODE = re.compile(r'"code"\s*:\s*"?(-?\d+)')


def what_it_says(text: str, refused: bool, too_many: bool, code: str = "") -> tuple[Says, str]:
    """The meaning of an error's text, and the exchange's code ("" where there is none).

    ``code``, where it is known already: ccxt leaves it out of texts that it knows. ``refused`` and ``too_many``: what
    ccxt takes it for; they decide where the code does not.
    """
    found = _CODE.search(text)
    code = code or (found[1] if found else "")
    if code in MEANING:
        return MEANING[code], code
    if too_many or (not code and FIREWALL in text):
        return Says.STAY_AWAY, code
    return (Says.NO if refused else Says.LATER), code


def banned_for_s(text: str, wall_ms: int) -> float | None:
    """How long a ban lasts that names its end, in seconds from ``wall_ms`` on; None where none is named."""
    found = _BANNED_UNTIL.search(text)
    return None if found is None else max(0.0, (int(found[1]) - wall_ms) / 1000)
