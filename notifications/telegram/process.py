"""The whole of it in one event loop: a delivery for each chat and one poller, until told to stop."""

import asyncio
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from notifications.holding import Process
from notifications.telegram.commands import Command
from notifications.telegram.database import DatabaseThread
from notifications.telegram.delivery import TROUBLE_S, Compose, Delivery, Means, forget_others
from notifications.telegram.desk import Desk
from notifications.telegram.menus import Menus
from notifications.telegram.polling import Poller, PollerMeans
from notifications.telegram.refusals import Moment
from notifications.telegram.transport import Transport
from notifications.telegram.values import Role
from notifications.telegram.waiting import pause

log = structlog.get_logger()

STOP_S = 2.5
"""What is being sent may take so long to end, once the process is to stop."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a process needs to know. ``people``: who may talk to it and is told."""

    token: str
    api: str
    people: Mapping[int, Role]
    commands: Mapping[str, Command]
    compose: Compose
    process: Process
    clock: Callable[[], Moment]

    @property
    def bot_id(self) -> str:
        """The part of the token that is no secret."""
        return self.token.partition(":")[0]

    def menu(self, role: Role) -> dict[str, str]:
        return {name: command.does for name, command in self.commands.items() if command.role <= role}


def serve(setup: Setup) -> None:
    """Until SIGTERM or SIGINT."""
    asyncio.run(_until_signal(setup))


async def _until_signal(setup: Setup) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(setup, stop)


async def run(setup: Setup, stop: asyncio.Event) -> None:
    """Until ``stop``."""
    transport = Transport(setup.token, setup.api)
    threads = [DatabaseThread("delivery"), DatabaseThread("commands")]
    means = Means(transport, threads[0], setup.compose, setup.process, setup.clock)
    deliveries = [Delivery(chat_id, means) for chat_id in setup.people]
    poller = _poller(setup, transport, threads[1])
    works = (*(one.run(stop) for one in deliveries), poller.run(stop), _forget(setup.people, threads[0], stop))
    tasks = [asyncio.create_task(work) for work in works]
    await stop.wait()
    _, late = await asyncio.wait(tasks, timeout=STOP_S)
    for task in late:  # in the middle of a send: its cursor stays held, and the next process marks what it repeats
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    await transport.close()
    for thread in threads:
        thread.close()


async def _forget(people: Mapping[int, Role], database: DatabaseThread, stop: asyncio.Event) -> None:
    """Those who were taken off the lists, as soon as the database can be asked."""
    while not stop.is_set():
        try:
            await database(lambda: forget_others(people))
            return
        except Exception as error:
            log.warning("telegram_nobody_forgotten", error=f"{type(error).__name__}: {error}")
            await pause(stop, TROUBLE_S)


def _poller(setup: Setup, transport: Transport, database: DatabaseThread) -> Poller:
    desk = Desk(setup.people, setup.commands, setup.clock)
    menus = Menus({chat_id: setup.menu(role) for chat_id, role in setup.people.items()})
    return Poller(PollerMeans(setup.bot_id, transport, database, desk, setup.process, setup.clock), menus)
