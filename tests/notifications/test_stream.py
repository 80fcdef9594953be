"""The live stream, from a real web process to real sockets."""

import asyncio
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

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
        late, other = rig.listener("?kind=test&severity=INFO"), rig.listener("?kind=something_else")
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
    assert status(rig, "?after=-1")[0] == 400
    assert status(rig)[::2] == (200, b"retry: 1000\n")
