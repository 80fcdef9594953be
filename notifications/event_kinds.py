"""The kinds of events of this floor: telling people, and what keeps us from it. PURE."""

from dataclasses import dataclass

from notifications.kinds import Lasting, Payload


@dataclass(frozen=True)
class TelegramRefused(Payload, kind="telegram_refused"):
    """A message, button or command by Telegram was not answered: whose it was, and why."""

    why: str
    user: int
    chat: int
    chat_type: str
    kind_: str
    untold: int  # refusals since the last one that was told


TELEGRAM_OTHER_POLLER = Lasting.declare(
    "telegram_other_poller",
    "Another process takes the commands of our Telegram bot.",
    "Nobody else takes the commands of our Telegram bot any more.",
)
WEBHOOK_FAILING = Lasting.declare(
    "webhook_failing",
    "A webhook has taken nothing for five minutes; what is due is tried again.",
    "A webhook that failed takes events again.",
)
WEBHOOK_REFUSING = Lasting.declare(
    "webhook_refusing",
    "A webhook refused an event, which it will not get again.",
    "A webhook that refused events takes them again.",
)
