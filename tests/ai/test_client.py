"""One question to a real server that misbehaves in every way: always an answer or a reason, always in time."""

import socket
import time

import pytest
from pydantic import SecretStr

from tests.ai.conftest import KEY
from tests.ai.server import drips, hangs, pours, says, says_text, sends
from tests.rig import free_port
from tradingplatform.ai.client import Heard, Unheard, ask
from tradingplatform.ai.config import Service
from tradingplatform.ai.opinion import hear
from tradingplatform.ai.sample import sample_question

DEADLINE_S = 1.0
ROOM_S = 1.5
"""A busy machine's, besides the deadline."""


def service(url):
    return Service(url, SecretStr(KEY), "small-one", DEADLINE_S, 500)


def heard(ai, *acts):
    ai.will(*acts)
    began_s = time.monotonic()
    hearing = hear(service(ai.url), sample_question(), DEADLINE_S)
    assert time.monotonic() - began_s < DEADLINE_S + ROOM_S
    assert len(ai.asked) == 1, "asked once, and never again"
    return hearing


def test_an_answer_with_what_it_took(ai):
    hearing = heard(ai, says(verdict="shrink", factor=0.5, reason="high"))
    assert (hearing.answer.verdict, str(hearing.answer.factor), hearing.failure) == ("shrink", "0.5", "")
    assert hearing.prompt_tokens == 900
    assert hearing.sent > 1000
    assert hearing.got > 50
    assert 0 <= hearing.latency_ms < 1000 * (DEADLINE_S + ROOM_S)


def test_what_is_sent(ai):
    heard(ai)
    (asked,) = ai.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
    assert (asked.body["model"], asked.body["response_format"]) == ("small-one", {"type": "json_object"})
    assert [message["role"] for message in asked.body["messages"]] == ["system", "user"]
    assert len(asked.question["candles"]["rows"]) == 48


FAILURES = {
    "words": (says_text("I would not."), "what the model said is not JSON"),
    "an enlargement": (says(verdict="shrink", factor=1.5, reason="q"), "what the model said is no answer: factor"),
    "another shape": (sends(200, b'{"answer": 42}'), "the server's answer is no chat completion"),
    "a web page": (sends(200, b"<html>hello</html>"), "the server's answer is not JSON"),
    "compressed": (sends(200, b"\x1f\x8b\x08\x00" + b"0" * 50, Content_Encoding="gzip"), "the server's answer"),
    "401": (sends(401, b'{"error": "no such key"}'), "HTTP 401: the key is refused: check AI_API_KEY"),
    "404": (sends(404, b"no model"), "HTTP 404: no such address or model"),
    "429": (sends(429, b"slow down", Retry_After="1"), "HTTP 429: too many requests, or no credit left"),
    "500": (sends(500, b"oops"), "HTTP 500: oops"),
    "a redirect": (sends(307, Location="http://127.0.0.1:1/"), "HTTP 307: it redirects, which is not followed"),
    "10 MB": (pours(10), "the answer is larger than 64 KB"),
    "a body that drips": (drips(0.05), "no answer within 1 s"),
    "headers that drip": (drips(0.05, headers=True), "no answer within 1 s"),
    "silence": (hangs(4), "no answer within 1 s"),
    "an end before the answer": (lambda to: to.connection.close(), "RemoteProtocolError"),
    "a body that breaks off": (
        lambda to: to.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
        "RemoteProtocolError",
    ),
    "no HTTP at all": (lambda to: to.wfile.write(b"\x00\x01 hello\r\n\r\n"), "RemoteProtocolError"),
}


@pytest.mark.parametrize(("act", "failure"), FAILURES.values(), ids=FAILURES.keys())
def test_no_answer_and_why(ai, act, failure):
    hearing = heard(ai, act)
    assert hearing.answer is None
    assert hearing.failure.startswith(failure), hearing.failure


def test_nobody_listens():
    hearing = hear(service(f"http://127.0.0.1:{free_port()}/v1"), sample_question(), DEADLINE_S)
    assert hearing.failure.startswith("ConnectError")


def test_a_server_that_does_not_accept():
    """Its queue of connections is full: not even a refusal comes."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        full = [socket.socket() for _ in range(4)]
        try:
            for one in full:
                one.setblocking(False)
                one.connect_ex(deaf.getsockname())
            began_s = time.monotonic()
            hearing = hear(service(f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"), sample_question(), DEADLINE_S)
            assert time.monotonic() - began_s < DEADLINE_S + ROOM_S
            assert hearing.failure == "no answer within 1 s"
        finally:
            for one in full:
                one.close()


def test_a_name_that_is_looked_up_for_ever(monkeypatch):
    """asyncio cannot interrupt the look-up, and would wait for it even after its own time was over."""
    real = socket.getaddrinfo

    def slow(host, *rest, **more):
        time.sleep(4)
        return real("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    began_s = time.monotonic()
    assert ask(service("http://ai.invalid/v1"), b"{}", DEADLINE_S) == Unheard(
        "no answer within 1 s", pytest.approx(1100, abs=900)
    )
    assert time.monotonic() - began_s < DEADLINE_S + ROOM_S


def test_the_environments_proxies_are_not_used(ai, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert isinstance(ask(service(ai.url), b"{}", DEADLINE_S), Heard)


def test_a_key_that_is_quoted_back_goes_no_further(ai):
    assert KEY not in heard(ai, sends(401, f"wrong key {KEY}".encode())).failure
    assert KEY not in repr(service(ai.url))


def test_a_server_that_needs_no_key_is_sent_none(ai):
    ask(Service(ai.url, SecretStr(""), "m", 1.0, 1), b"{}", DEADLINE_S)
    assert "Authorization" not in ai.asked[0].headers
