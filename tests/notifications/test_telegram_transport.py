"""What Telegram answers, or does not, becomes one of three kinds of trouble; none of them tells the token."""

import asyncio
from datetime import timedelta

import pytest

from notifications.telegram.transport import OtherPoller, TelegramTrouble, Transport, TryAgain, Undeliverable
from notifications.telegram.values import Note
from tests.rig import free_port
from tests.telegram_api import TOKEN, telegram_api
from tests.telegram_rig import ANN

SECRET = TOKEN.partition(":")[2]


def trouble(url, call, token=TOKEN, total_s=5.0):
    """What one call raises."""

    async def main():
        transport = Transport(token, url, total_s)
        try:
            await call(transport)
        finally:
            await transport.close()

    with pytest.raises(TelegramTrouble) as raised:
        asyncio.run(main())
    assert SECRET not in str(raised.value)
    return raised.value


def send(transport):
    return transport.send(ANN, Note("hello"))


@pytest.mark.parametrize(
    ("status", "kind", "unclear"),
    [
        (400, Undeliverable, None), (403, Undeliverable, None), (409, OtherPoller, None), (401, TryAgain, False),
        (404, TryAgain, False), (500, TryAgain, True), (502, TryAgain, True), (504, TryAgain, True),
        (429, TryAgain, True),
    ],
    ids=str,
)  # fmt: skip
def test_every_status(status, kind, unclear):
    with telegram_api() as api:
        api.fault("sendMessage", status, description=f"bot{TOKEN} said no")
        met = trouble(api.url, send)
    assert type(met) is kind
    if unclear is not None:
        assert met.unclear is unclear


def test_how_long_to_wait_is_read():
    with telegram_api() as api:
        api.fault("sendMessage", 429, retry_after=37)
        met = trouble(api.url, send)
    assert (met.wait, met.unclear) == (timedelta(seconds=37), False)


def test_silence_ends_and_leaves_it_unclear():
    with telegram_api() as api:
        api.fault("sendMessage", 500, silence_s=3)
        met = trouble(api.url, send, total_s=0.5)
    assert (met.text, met.unclear) == ("no answer within 0.5 s", True)


def test_nobody_there_is_certain():
    met = trouble(f"http://127.0.0.1:{free_port()}", send)
    assert (type(met), met.unclear) == (TryAgain, False)


def test_a_token_that_nobody_knows_is_said_and_not_repeated():
    with telegram_api() as api:
        met = trouble(api.url, send, token=TOKEN + "x")
    assert "TELEGRAM_TOKEN" in str(met)


def test_polling_meets_another_poller():
    async def poll(transport):
        await transport.updates(None)

    with telegram_api() as api:
        api.fault("getUpdates", 409, description="Conflict: terminated by other getUpdates request")
        assert type(trouble(api.url, poll)) is OtherPoller


def test_odd_updates_keep_nobody_from_the_others():
    async def main(url):
        transport = Transport(TOKEN, url)
        try:
            return await transport.updates(None)
        finally:
            await transport.close()

    with telegram_api() as api:
        api.updates.extend([{"update_id": "x"}, {"no": 1}, {"update_id": 3, "message": {"odd": True}}])
        api.say(ANN, "/status")
        read = asyncio.run(main(api.url))
    assert [one.text for one in read] == ["", "/status"]
