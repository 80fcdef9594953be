"""The command menu of each chat: strangers see none."""

from collections.abc import Mapping

import structlog

from notifications.telegram.transport import TelegramTrouble, Transport

log = structlog.get_logger()


class Menus:
    """``commands``: for each chat that may see any, their names and what they do."""

    def __init__(self, commands: Mapping[int, Mapping[str, str]]) -> None:
        self._commands = commands
        self._wanted = set(commands)

    def wanted_by(self, chat_id: int) -> None:
        """A chat that never wrote to the bot is not found: its menu comes with its /start."""
        if chat_id in self._commands:
            self._wanted.add(chat_id)

    async def show(self, transport: Transport) -> None:
        """Those that are wanted, each tried once."""
        while self._wanted:
            chat_id = self._wanted.pop()
            try:
                await transport.menu(chat_id, self._commands[chat_id])
            except TelegramTrouble as trouble:
                log.info("telegram_menu_not_shown", chat=chat_id, error=str(trouble))
