"""Secrets are planted, the platform trades and fails with them, and then every byte that it left is searched."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from cryptography.fernet import Fernet

from tests.live_processes.haystack import Wiretap, files, found, redis_values
from tests.live_processes.platform import LivePlatform
from tests.notifications.receiver import Receiver, receiver
from tests.rig import ROOT, free_port, until
from tests.telegram_api import TelegramApi, telegram_api

pytestmark = pytest.mark.process

API_KEY = "planted-api-key-" + "k" * 48
API_SECRET = "planted-api-secret-" + "s" * 45
PLANTED = {
    "SECRET_KEY": "planted-secret-key-of-django-0123456789",
    "FIELD_KEYS": Fernet.generate_key().decode(),
    "METRICS_TOKEN": "planted-metrics-token-0123456789",
    "TELEGRAM_TOKEN": "123456789:planted-telegram-token-0123456789",
    "EXCHANGE_API_KEY": API_KEY,
    "EXCHANGE_API_SECRET": API_SECRET,
}
HOOK_PATH, HOOK_SECRET = "planted-webhook-path-0123456789", "planted-webhook-secret-0123456789"
SLACK_TOKEN, TAKING_SECRET = "planted-slack-token-0123456789", "planted-taking-secret-0123456789"
CHAT = 1111
SECRETS = {
    **PLANTED,
    "the secret part of the Telegram token": PLANTED["TELEGRAM_TOKEN"].partition(":")[2],
    "webhook address": HOOK_PATH,
    "webhook secret": HOOK_SECRET,
    "token in a webhook's path": SLACK_TOKEN,
    "secret of a webhook that is taken": TAKING_SECRET,
    "a key that does not fit": "planted-not-a-field-key-0123456789",
}


class PlantedPlatform(LivePlatform):
    """Says everything it can, on an exchange that knows the planted key."""

    def __init__(self, hooks: Receiver) -> None:
        super().__init__()
        self.telegram_port = free_port()
        self.environment |= {
            **PLANTED,
            "LOG_LEVEL": "DEBUG",
            "WEBHOOKS": json.dumps(hooks_at(hooks)),
            "TELEGRAM_API": f"http://127.0.0.1:{self.telegram_port}",
            "TELEGRAM_OPERATORS": str(CHAT),
        }

    def start_exchange(self, *more: object):
        return super().start_exchange("--api-key", API_KEY, "--api-secret", API_SECRET, *more)

    def start_redis(self) -> None:
        super().start_redis()
        until((self.var / "redis.sock").exists, "Redis")
        self.tap = Wiretap(self.var / "redis.sock")

    def start_web(self) -> None:
        command = [str(word) for word in self._all_commands()["web"]]
        self.web = f"http://127.0.0.1:{command[command.index('--port') + 1]}"
        self.spawn(*command, "--no-access-log")  # as the launcher does: it would repeat what is asked for
        until(lambda: self.get("/readyz") != 0, "the web process to answer")

    def get(self, path: str, token: str = "") -> int:
        """The status; 0 where nobody answers."""
        request = Request(self.web + path, headers={"Authorization": f"Bearer {token}"} if token else {})
        try:
            return int(urlopen(request, timeout=10).status)
        except HTTPError as error:
            return error.code
        except OSError:
            return 0


def hooks_at(there: Receiver) -> list[dict[str, str]]:
    """One that nobody answers, one that takes everything, one that quotes its own address when it refuses."""
    base = f"http://127.0.0.1:{there.server_port}"
    return [
        {"name": "ops", "url": f"http://127.0.0.1:1/{HOOK_PATH}", "secret": HOOK_SECRET},
        {"name": "taking", "url": f"{base}/hook", "secret": TAKING_SECRET},
        {"name": "chat", "url": f"{base}/services/T000/{SLACK_TOKEN}", "shape": "slack"},
    ]


@pytest.fixture(scope="module")
def lived() -> Iterator[PlantedPlatform]:
    """It has traded, and met what goes wrong: every answer that an order may get, and errors that quote secrets; and
    has told of it, to a Telegram and to receivers that fail and quote them as well."""
    with receiver() as hooks, PlantedPlatform(hooks) as platform:
        hooks.answers_of = {f"/services/T000/{SLACK_TOKEN}": [500, 404]}
        hooks.said = f"no /services/T000/{SLACK_TOKEN} here".encode()
        _trade(platform)
        platform.spawn(sys.executable, "manage.py", "telegram")
        until(lambda: said(platform, "telegram_not_polled"), "Telegram to be out of reach")
        with telegram_api(port=platform.telegram_port, token=PLANTED["TELEGRAM_TOKEN"]) as api:
            _quote(api)
            _fail(platform)
            api.until(lambda: api.sent(CHAT) and api.polls, "an alert", 30)
            until(lambda: len(hooks.got) > 5 and said(platform, "webhook_refused"), "the webhooks", 30)
        yield platform
        platform.tap.end()


def _quote(api: TelegramApi) -> None:
    """Its first answers are none, and say with what they were asked for."""
    quoted = f"no bot{PLANTED['TELEGRAM_TOKEN']} here"
    for method in ("setMyCommands", "getUpdates", "sendMessage"):
        api.fault(method, 401, description=quoted)
        api.fault(method, 502, description=quoted)


def said(platform: PlantedPlatform, event: str) -> bool:
    return any(line["event"] == event for line in lines(platform))


def _trade(platform: PlantedPlatform) -> None:
    platform.spawn(sys.executable, "manage.py", "webhooks")
    until(lambda: bool(platform.query("SELECT 1 FROM notifications_cursor")), "the webhook's cursor")
    bot = platform.hold("sound")
    with suppress(RuntimeError):
        platform.hand.command("close_position", bot, "--reason", "a test")
    platform.start_web()
    assert platform.get("/metrics", PLANTED["METRICS_TOKEN"]) == 200
    assert platform.get("/metrics", "a-token-that-is-wrong") == 403
    platform.get(f"/admin/?key={API_KEY}")


def _fail(platform: PlantedPlatform) -> None:
    """Each in an order's answer; the last one stops the account."""
    quoted = f"no {API_KEY} {API_SECRET} today"
    platform.fault({"kind": "http", "status": 503, "body": "html", "when": "after"}, times=1)
    platform.hold("failing-0", "ETH/USDT")
    platform.fault({"kind": "error", "code": -1000, "msg": quoted, "when": "after"}, times=1)
    platform.hold("failing-1", "SOL/USDT")
    platform.fault({"kind": "error", "code": -1022, "msg": f"signature of {API_SECRET} is not valid"}, times=1)
    platform.enter("failing-2", "XRP/USDT")
    with suppress(RuntimeError):
        platform.hand.command("connect_account", "twice", "--capital", "1", "--confirm", "twice")
    environment = {**platform.environment, "FIELD_KEYS": SECRETS["a key that does not fit"]}
    command = [sys.executable, "manage.py", "connect_account", "other", "--capital", "1", "--confirm", "other"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    (platform.var / "connect.log").write_bytes(ended.stdout + ended.stderr)


def everything(platform: PlantedPlatform) -> dict[str, bytes]:
    hay = dict(files(platform.var)) | dict(redis_values(platform.var / "redis.sock"))
    return hay | {"through redis": platform.tap.heard()}


def lines(platform: PlantedPlatform) -> list[dict]:
    """Every line of every process of the platform's own, read as JSON; the exchange and Redis write none."""
    told = []
    for name, content in files(platform.var):
        for line in content.decode(errors="replace").splitlines() if name.endswith(".log") else ():
            with suppress(ValueError):
                told.append(json.loads(line))
    return told


def test_the_search_would_find_them(lived: PlantedPlatform):
    """What is no secret is found where the secrets are looked for."""
    hay = everything(lived)

    assert found("failing-1", hay["platform.sqlite3"] + hay.get("platform.sqlite3-wal", b""))
    assert found("exchange_answer", b"".join(content for name, content in hay.items() if name.endswith(".log")))
    assert found("tradingplatform.tasks.tick_bot", hay["through redis"])
    assert found('{"bot_id": ', hay["through redis"]) == "base64"
    assert any(name.startswith("redis b'market:") for name in hay)
    assert lived.query("SELECT error FROM notifications_cursor WHERE error LIKE 'ConnectError%'")
    assert lived.query("SELECT error FROM notifications_deadletter WHERE error LIKE 'HTTP 404 no %'")
    told = [line["error"] for line in lines(lived) if line["event"] in ("telegram_not_polled", "telegram_not_sent")]
    for part in ("ConnectError", "does not know the token", "no bot*** here"):
        assert any(part in error for error in told), (part, told)


@pytest.mark.parametrize("name", list(SECRETS))
def test_no_secret_is_anywhere(lived: PlantedPlatform, name: str):
    places = {place: how for place, content in everything(lived).items() if (how := found(SECRETS[name], content))}

    assert places == {}


def test_an_order_can_be_followed_through_every_line(lived: PlantedPlatform):
    told = lines(lived)
    tick = next(line for line in told if line["event"] == "tick" and line["outcome"] == "APPROVED")
    same = [line for line in told if line.get("tick") == tick["tick"]]

    assert {"exchange_answer", "order", "tick"} <= {line["event"] for line in same}
    for line in same:
        assert (line["bot"], line["slot"], line["task"]) == (tick["bot"], tick["slot"], tick["task"])
    answer = next(line for line in same if line["event"] == "exchange_answer" and line["to"].startswith("order"))
    assert answer["purpose"] == "ENTRY"
    assert answer["order"] in answer["to"]
    assert answer["status"] == 200


def test_a_failing_answer_is_a_line_with_its_order(lived: PlantedPlatform):
    failing = [line for line in lines(lived) if line["event"] == "exchange_answer" and line["error"]]

    assert {-1000, -1022} <= {int(line["code"]) for line in failing if line["code"]}
    assert all(line["order"] for line in failing if line["to"].startswith("order"))


def test_every_line_of_our_processes_is_json(lived: PlantedPlatform):
    events = {line["event"] for line in lines(lived)}

    assert {"guard_started", "reconciler_started", "beat_loaded", "task_sent", "web_request"} <= events
    assert {"telegram_started", "telegram_not_polled", "telegram_not_sent", "webhook_delivered"} <= events
