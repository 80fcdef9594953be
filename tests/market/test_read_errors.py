"""What a refusal of a read means: the exchange's code first, what ccxt takes it for second."""

import pytest

from market.read_errors import MEANING, Says, what_it_says

BODY = 'binance 400 Bad Request {{"code":{code},"msg":"..."}}'


@pytest.mark.parametrize("code", sorted(MEANING))
@pytest.mark.parametrize("refused", [True, False])
@pytest.mark.parametrize("too_many", [True, False])
def test_the_code_decides(code, refused, too_many):
    assert what_it_says(BODY.format(code=code), refused, too_many) == (MEANING[code], code)


@pytest.mark.parametrize(
    ("refused", "too_many", "says"),
    [(True, False, Says.NO), (False, True, Says.STAY_AWAY), (True, True, Says.STAY_AWAY), (False, False, Says.LATER)],
)
@pytest.mark.parametrize(("text", "code"), [("502 Bad Gateway", ""), (BODY.format(code=-9999), "-9999")])
def test_without_a_known_code_the_class_decides(refused, too_many, says, text, code):
    assert what_it_says(text, refused, too_many) == (says, code)


@pytest.mark.parametrize("spelling", ['"code":-2015', '"code" : "-2015"', '"code": -2015'])
def test_codes_in_every_spelling(spelling):
    assert what_it_says("{" + spelling + "}", False, True) == (Says.NO, "-2015")
