"""What the answer to a new order means: every code with every status, and nothing definite by accident."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.order_errors import Answer, Outcome, answer_of, outcome

REFUSING_STATUSES = (400, 401, 403, 404, 409, 418, 429, 451, 499)
OTHER_STATUSES = (None, 0, 200, 201, 301, 307, 308, 399, 500, 501, 502, 503, 504, 520, 599)
DEFINITE = {-1002, -1003, *range(-1016, -1012), *range(-1022, -1019), *range(-1135, -1099), -2010, -2014, -2015}
EVERY_CODE = [*range(-1200, -999), *range(-2040, -1999), -9999, 0, 200, 1013]


@pytest.mark.parametrize("status", REFUSING_STATUSES)
def test_codes_that_came_as_a_refusal(status):
    for code in EVERY_CODE:
        expected = Outcome.REJECTED if code in DEFINITE else Outcome.UNKNOWN
        assert outcome(Answer(status, str(code), "no")) is expected, code


@pytest.mark.parametrize("status", OTHER_STATUSES)
def test_with_any_other_status_no_code_is_definite(status):
    assert {outcome(Answer(status, str(code), "no")) for code in EVERY_CODE} == {Outcome.UNKNOWN}


@pytest.mark.parametrize("status", [*REFUSING_STATUSES, *OTHER_STATUSES])
@pytest.mark.parametrize("code", ["", "-", "1002", "-10130", "-1013 ", "-01013", "None"])
def test_no_code_or_another_is_unknown(status, code):
    assert outcome(Answer(status, code, "no")) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Duplicate order sent.", Outcome.DUPLICATE),
        ("DUPLICATE ORDER SENT", Outcome.DUPLICATE),
        ("Account has insufficient balance for requested action.", Outcome.REJECTED),
        ("", Outcome.UNKNOWN),  # it could be either
    ],
)
def test_the_matching_engines_no_depends_on_its_message(message, expected):
    assert outcome(Answer(400, "-2010", message)) is expected
    assert outcome(Answer(503, "-2010", message)) is Outcome.UNKNOWN


@given(st.none() | st.integers(), st.integers().map(str) | st.text(), st.text())
def test_definite_is_only_what_is_listed(status, code, message):
    if outcome(Answer(status, code, message)) is Outcome.REJECTED:
        assert 400 <= status < 500
        assert int(code) in DEFINITE


# bodies


@given(st.sampled_from(REFUSING_STATUSES), st.integers(-9999, 9999), st.text())
def test_a_body_is_read(status, code, message):
    assert answer_of(status, json.dumps({"code": code, "msg": message})) == Answer(status, str(code), message)
    assert answer_of(status, json.dumps({"code": str(code), "msg": message})) == Answer(status, str(code), message)


@given(st.sampled_from(REFUSING_STATUSES), st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_whatever_else_comes_has_no_code(status, body):
    assert answer_of(status, body) == Answer(status)
    assert outcome(answer_of(status, body)) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "body", ["", "[", "null", "3", '"text"', "[]", "{}", '{"code": null}', '{"code": "x"}', "[" * 9999]
)
def test_bodies_that_are_no_refusal(body):
    assert answer_of(400, body) == Answer(400)


def test_a_refusal_that_is_cut_off_is_unknown():
    whole = json.dumps({"code": -1013, "msg": "Filter failure: LOT_SIZE"})
    assert {outcome(answer_of(400, whole[:length])) for length in range(len(whole))} == {Outcome.UNKNOWN}
    assert outcome(answer_of(400, whole)) is Outcome.REJECTED
