"""What counts as an answer. Whatever else a model or a server says is none, and nothing is guessed."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bots.ai import AiMode, OnFailure
from bots.models import Bot
from risk.opinion import Advice, shrunk
from risk.verdicts import Proposal
from tests.factories import instrument
from tradingplatform.ai.answers import BadAnswer, clean, read_answer, read_completion
from tradingplatform.ai.config import Service
from tradingplatform.ai.opinion import Hearing, opinion_of

D = Decimal
PROPOSAL = Proposal(1, 1, 1, "BTC/USDT", "BTC", "USDT", D(1), D(1), D(100), D(95), None, "test")

GOOD = {
    "allow": ('{"verdict": "allow", "reason": "quiet"}', "allow", Decimal(1)),
    "allow, said to be whole": ('{"verdict": "allow", "factor": 1.0, "reason": "quiet"}', "allow", Decimal(1)),
    "shrink": ('{"verdict": "shrink", "factor": 0.5, "reason": "volume"}', "shrink", Decimal("0.5")),
    "shrink to all of it": ('{"verdict": "shrink", "factor": 1, "reason": "volume"}', "shrink", Decimal(1)),
    "a fine factor is rounded down": (
        '{"verdict":"shrink","factor":0.33339,"reason":"v"}',
        "shrink",
        Decimal("0.3333"),
    ),
    "the smallest factor": ('{"verdict":"shrink","factor":0.0001,"reason":"v"}', "shrink", Decimal("0.0001")),
    "veto, whatever the factor": ('{"verdict": "veto", "factor": 0.7, "reason": "falling"}', "veto", Decimal(1)),
    "veto, which leaves nothing": ('{"verdict": "veto", "factor": 0, "reason": "falling"}', "veto", Decimal(1)),
    "veto, without a factor": ('{"verdict": "veto", "factor": null, "reason": "falling"}', "veto", Decimal(1)),
    "veto, with a factor too large": ('{"verdict": "veto", "factor": 2, "reason": "falling"}', "veto", Decimal(1)),
    "the longest reason": (json.dumps({"verdict": "veto", "reason": "x" * 300}), "veto", Decimal(1)),
    "white space around": (' \n{"verdict": "veto", "reason": "falling"}\n', "veto", Decimal(1)),
}


@pytest.mark.parametrize(("content", "verdict", "part"), GOOD.values(), ids=GOOD.keys())
def test_an_answer(content, verdict, part):
    answer = read_answer(content)
    assert (answer.verdict, answer.part) == (verdict, part)


BAD = {
    "nothing": "",
    "words": "I would veto this one.",
    "a fence": '```json\n{"verdict": "allow", "reason": "q"}\n```',
    "something after it": '{"verdict": "allow", "reason": "q"} Good luck!',
    "half of it": '{"verdict": "allow", "rea',
    "a list": '[{"verdict": "allow", "reason": "q"}]',
    "null": "null",
    "an unknown verdict": '{"verdict": "enlarge", "factor": 2, "reason": "q"}',
    "a verdict in capitals": '{"verdict": "ALLOW", "reason": "q"}',
    "no verdict": '{"factor": 0.5, "reason": "q"}',
    "no reason": '{"verdict": "allow"}',
    "an empty reason": '{"verdict": "allow", "reason": ""}',
    "a reason too long": json.dumps({"verdict": "veto", "reason": "x" * 301}),
    "a reason that is none": '{"verdict": "veto", "reason": ["q"]}',
    "enlarging": '{"verdict": "shrink", "factor": 1.5, "reason": "q"}',
    "enlarging by a hair": '{"verdict": "shrink", "factor": 1.0000000000000000001, "reason": "q"}',
    "enlarging while allowing": '{"verdict": "allow", "factor": 2, "reason": "q"}',
    "a negative factor": '{"verdict": "shrink", "factor": -0.5, "reason": "q"}',
    "a factor of 0": '{"verdict": "shrink", "factor": 0, "reason": "q"}',
    "a factor of next to nothing": '{"verdict": "shrink", "factor": 1e-300, "reason": "q"}',
    "shrinking without a factor": '{"verdict": "shrink", "reason": "q"}',
    "allowing a part": '{"verdict": "allow", "factor": 0.5, "reason": "q"}',
    "a factor in quotes": '{"verdict": "shrink", "factor": "0.5", "reason": "q"}',
    "a factor that is true": '{"verdict": "shrink", "factor": true, "reason": "q"}',
    "a factor that is no number": '{"verdict": "shrink", "factor": NaN, "reason": "q"}',
    "an infinite factor": '{"verdict": "shrink", "factor": Infinity, "reason": "q"}',
    "a factor beyond all numbers": '{"verdict": "shrink", "factor": 1e99999999999999999999, "reason": "q"}',
    "another field": '{"verdict": "allow", "reason": "q", "skip_checks": true}',
    "two verdicts": '{"verdict": "veto", "verdict": "allow", "reason": "q"}',
    "nested too deeply": "[" * 30_000,
    "half a letter": '{"verdict": "allow", "reason": "\ud800"}',
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_no_answer(content):
    with pytest.raises(BadAnswer):
        read_answer(content)


COMPLETIONS = {
    "not JSON": b"<html>busy</html>",
    "nothing": b"",
    "no choices": b'{"object": "chat.completion"}',
    "an empty list of choices": b'{"choices": []}',
    "two choices": b'{"choices": [{"message": {"content": "a"}}, {"message": {"content": "b"}}]}',
    "no content": b'{"choices": [{"message": {"tool_calls": []}}]}',
    "content that is null": b'{"choices": [{"message": {"content": null}}]}',
    "content in parts": b'{"choices": [{"message": {"content": [{"type": "text", "text": "{}"}]}}]}',
    "not UTF-8": b'{"choices": [{"message": {"content": "\xff\xfe"}}]}',
    "nested too deeply": b'{"choices":' + b"[" * 50_000,
}


@pytest.mark.parametrize("body", COMPLETIONS.values(), ids=COMPLETIONS.keys())
def test_no_completion(body):
    with pytest.raises(BadAnswer):
        read_completion(body)


def test_what_it_cost_is_read_where_it_is_told():
    choice = b'{"choices": [{"message": {"content": "{}"}}], "usage": %s}'
    assert read_completion(choice % b'{"prompt_tokens": 7, "completion_tokens": 9}').completion_tokens == 9
    assert read_completion(choice % b'{"prompt_tokens": "many"}').prompt_tokens is None
    assert read_completion(choice % b"null").prompt_tokens is None


@given(st.text())
def test_any_text_is_an_answer_or_none(content):
    try:
        answer = read_answer(content)
    except BadAnswer:
        return
    assert 0 < answer.part <= 1


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "verdict": st.sampled_from(["allow", "shrink", "veto", "enlarge", "", None]),
            "factor": st.one_of(st.floats(), st.integers(), st.text(max_size=3), st.none(), st.booleans()),
            "reason": st.one_of(st.text(max_size=400), st.none()),
            "amount": st.floats(),
        },
    )
)
def test_any_object_is_an_answer_that_enlarges_nothing_or_none(fields):
    try:
        answer = read_answer(json.dumps(fields))
    except BadAnswer:
        return
    assert 0 < answer.part <= 1
    assert set(fields) <= {"verdict", "factor", "reason"}


def test_a_strangers_text_moves_no_cursor_and_turns_no_line():
    assert clean("a\x1b[2Jb\n\tc\u202ed\x00") == "a[2Jb cd"


@given(
    content=st.one_of(
        st.text(),
        st.builds(
            lambda verdict, factor, reason: json.dumps({"verdict": verdict, "factor": factor, "reason": reason}),
            st.sampled_from(["allow", "shrink", "veto", "enlarge"]),
            st.one_of(st.floats(), st.floats(0, 1), st.integers(-2, 3)),
            st.text(max_size=310),
        ),
    ),
    amount=st.decimals("0.00001", "9000", places=5),
    mode=st.sampled_from([AiMode.SHADOW, AiMode.VETO]),
    on_failure=st.sampled_from(OnFailure),
)
def test_whatever_a_model_says_no_more_is_bought_than_was_proposed(content, amount, mode, on_failure):
    try:
        hearing = Hearing(read_answer(content), "", 1, 1)
    except BadAnswer as error:
        hearing = Hearing(None, str(error), 1, 1)
    service = Service("http://127.0.0.1:1/v1", SecretStr("k" * 20), "m", 1.0, 1)
    opinion = opinion_of(Bot(ai_mode=mode.value, ai_on_failure=on_failure.value), service, hearing)
    wish = replace(PROPOSAL, amount=amount, normal_amount=amount)
    left = shrunk(wish, opinion.on(amount, instrument()))
    assert left.amount <= amount
    assert left.amount == amount or (mode is AiMode.VETO and opinion.advice is Advice.SHRINK)
    assert replace(left, amount=amount, reason="") == replace(wish, reason="")
    json.dumps(opinion.as_dict()).encode()  # can be stored
