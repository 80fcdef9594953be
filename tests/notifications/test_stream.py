"""The live stream, from a real web process to real sockets."""

import asyncio
import itertools
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.db import connection, transaction

from notifications.stream import Hub, Wish
from tests.factories import SOME_KIND, make_event, now_at
from tests.stream_rig import stream_rig

pytestmark = pytest.mark.process
EVENTS, CLIENTS = 60, 12


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    with stream_rig(tmp_path_factory.mktemp("stream")) as rig:
        yield rig


async def until_connected(listeners):
    while not all(listener.connections for listener in listeners):
        await asyncio.sleep(0.02)


async def until_all_have(listeners, numbers):
    while any(numbers - listener.got.keys() for listener in listeners):
        await asyncio.sleep(0.05)


def test_everybody_gets_everything_once_also_when_the_server_is_restarted(rig):
    async def scene():
        listeners = [rig.listener() for _ in range(CLIENTS)]
        tasks = [asyncio.create_task(listener.listen()) for listener in listeners]
        async with asyncio.timeout(90):
            await until_connected(listeners)
            writer = await asyncio.to_thread(rig.write_beside, "pace", EVENTS, 30)
            while len(listeners[0].got) < EVENTS // 4:
                await asyncio.sleep(0.02)
            await asyncio.to_thread(rig.stop)
            await asyncio.to_thread(rig.serve)
            assert await asyncio.to_thread(writer.wait, 60) == 0
            await until_all_have(listeners, set(range(EVENTS)))
        for task in tasks:
            task.cancel()
        writer.stdout.close()
        return listeners

    for listener in asyncio.run(scene()):
        assert listener.twice == 0
        assert list(listener.got) == list(range(EVENTS))


def test_it_resumes_and_chooses(rig):
    async def scene():
        late, other = rig.listener(f"?kind={SOME_KIND}&severity=INFO"), rig.listener("?kind=order_filled")
        late.last = other.last = 0
        tasks = [asyncio.create_task(listener.listen()) for listener in (late, other)]
        await asyncio.to_thread(rig.write, "pace", 3, 100)
        async with asyncio.timeout(30):
            await until_all_have([late], {0, 1, 2})
            await until_connected([other])
        for task in tasks:
            task.cancel()
        assert other.got == {}

    asyncio.run(scene())


def status(rig, query="", cookie=None):
    headers = {"Cookie": rig.cookie if cookie is None else cookie}
    try:
        with urlopen(
            Request(f"http://127.0.0.1:{rig.port}/events/stream{query}", headers=headers), timeout=10
        ) as answer:
            return answer.status, answer.url, answer.readline()
    except HTTPError as error:
        return error.code, "", error.read()


def test_what_it_refuses(rig):
    assert status(rig, cookie="sessionid=nobody")[0] == 403
    assert status(rig, "?bot=x")[0] == 400
    assert status(rig, "?severity=LOUD")[::2] == (
        400,
        b'{"error": "severity: LOUD is none of INFO, WARNING, CRITICAL"}',
    )
    code, _, error = status(rig, "?kind=order_filled&kind=halt_rased")
    assert code == 400
    assert error.startswith(b'{"error": "kind: there is no kind of event \'halt_rased\': perhaps halt_raised')
    assert status(rig, "?after=-1")[0] == 400
    assert status(rig)[::2] == (200, b"retry: 1000\n")


@pytest.mark.django_db(transaction=True)
def test_whoever_comes_just_as_the_reader_was_about_to_stop_is_served():
    """A browser that goes from one page to the next leaves and comes back within a few polls."""

    async def scene():
        hub = Hub()
        for ms in range(20, 160, 5):
            hub.leave(await hub.join(Wish()))
            await asyncio.sleep(ms / 1000)
            client = await hub.join(Wish())
            await asyncio.to_thread(publish_one)
            async with asyncio.timeout(5):
                await client.queue.get()
            hub.leave(client)

    asyncio.run(scene())


def publish_one():
    now = now_at()
    try:
        with transaction.atomic():
            make_event("for whoever listens", now)
    finally:
        connection.close()  # this thread's own


@pytest.mark.django_db(transaction=True)
def test_two_who_come_first_at_the_same_time_take_nothing_from_each_other():
    """The second one looks at the log later: what came between the two looks is still the first one's."""

    async def scene():
        hub = Hub()
        look = hub._read

        async def in_this_order(work):
            match next(calls):
                case 1:  # the second one's look
                    await asyncio.to_thread(publish_one)
                case 2:  # the reader's first
                    await asyncio.sleep(0.3)
            return await look(work)

        calls, hub._read = itertools.count(), in_this_order
        first, second = await asyncio.gather(hub.join(Wish()), hub.join(Wish()))
        async with asyncio.timeout(5):
            await first.queue.get()
        for one in (first, second):
            hub.leave(one)

    asyncio.run(scene())
