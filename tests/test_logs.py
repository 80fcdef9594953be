"""What a line carries, how much each area says, and that no secret gets into one."""

import asyncio
import configparser
import json
import logging
import subprocess
import sys

import pytest
import structlog
from django.http import HttpResponse
from django.test import Client, RequestFactory

from tests.launcher.test_programs import plan
from tradingplatform import scrub
from tradingplatform.celery import app
from tradingplatform.environment import ROOT
from tradingplatform.launcher.programs import programs
from tradingplatform.launcher.supervisord_conf import render
from tradingplatform.log_levels import read_levels
from tradingplatform.request_lines import RequestLines

SECRET = "sk-Planted/9+x="


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setattr(scrub, "_known", {})


def told_by(program: str, **environment: str):
    """What a process of its own says on stderr."""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": "", "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stderr


# --- levels


def test_levels_of_areas():
    assert read_levels(" market=DEBUG, execution.submit=ERROR,") == {"market": "DEBUG", "execution.submit": "ERROR"}
    assert read_levels("") == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("market", "is not AREA=LEVEL"),
        ("market=LOUD", "must be one of DEBUG, INFO, WARNING, ERROR"),
        ("market=debug", "must be one of"),
        ("ccxt=DEBUG", "'ccxt' is none of the areas"),
        ("httpx=INFO", "is none of the areas"),
        ("=DEBUG", "'' is none of the areas"),
        ("market=INFO,market=DEBUG", "named twice"),
    ],
    ids=["no level", "unknown level", "small letters", "prints keys", "prints tokens", "no area", "twice"],
)
def test_a_level_that_does_not_fit_is_told(text, says):
    with pytest.raises(ValueError, match=r"area|AREA|level|twice") as refused:
        read_levels(text)
    assert says in str(refused.value)


def test_an_area_says_more_and_another_less():
    program = """
import structlog
from tradingplatform.log_levels import read_levels
from tradingplatform.logs import configure_logs
configure_logs("INFO", "json", read_levels("market=DEBUG,execution=ERROR"))
for name in ("market.access", "execution.submit", "risk.review"):
    structlog.get_logger(name).debug("fine", of=name)
    structlog.get_logger(name).info("usual", of=name)
"""
    lines = [json.loads(line) for line in told_by(program).splitlines()]

    assert [(line["event"], line["of"]) for line in lines] == [
        ("fine", "market.access"), ("usual", "market.access"), ("usual", "risk.review"),
    ]  # fmt: skip


@pytest.mark.parametrize("style", ["json", "console"])
def test_debug_of_everything_leaves_http_clients_quiet(style):
    program = f"""
import logging
from tradingplatform.logs import configure_logs
configure_logs("DEBUG", "{style}")
for name in ("ccxt.base.exchange", "httpx", "httpcore.connection", "telegram.Bot", "django.db.backends", "kombu"):
    logging.getLogger(name).debug("planted")
"""
    assert told_by(program) == ""


# --- secrets

PLANTED = {
    "SECRET_KEY": "planted-secret-key-1",
    "FIELD_KEYS": "planted-field-key-2,planted-field-key-3",
    "METRICS_TOKEN": "planted-metrics-token-4",
    "TELEGRAM_TOKEN": "planted-telegram-5",
    "EXCHANGE_API_KEY": "planted-api-key-6",
    "DATABASE_URL": "postgres://ann:planted-password-7@host/db",
}
ALL_OF_THEM = """
secrets = [os.environ["SECRET_KEY"], *os.environ["FIELD_KEYS"].split(","), os.environ["METRICS_TOKEN"],
    os.environ["TELEGRAM_TOKEN"], os.environ["EXCHANGE_API_KEY"], os.environ["DATABASE_URL"]]
"""


@pytest.mark.parametrize("style", ["json", "console"])
@pytest.mark.parametrize(
    "how",
    [
        "log.info('line', of=secrets, each={'deep': [secrets]})",
        "log.info(' '.join(secrets))",
        "logging.getLogger('anybody').error('%s', secrets)",
        "try:\n    raise ValueError(secrets)\nexcept ValueError:\n    log.exception('caught')",
        "try:\n    held = secrets; 1 / 0\nexcept ZeroDivisionError:\n    log.exception('caught')",
        "try:\n    raise ValueError(secrets)\nexcept ValueError:\n    logging.getLogger('anybody').exception('caught')",
        "warnings.warn(str(secrets))",
        "thread = threading.Thread(target=lambda: int(str(secrets))); thread.start(); thread.join()",
        "raise RuntimeError(secrets)",
    ],
    ids=["values", "event", "stdlib", "exception", "locals", "stdlib exception", "warning", "thread", "crash"],
)
def test_no_way_of_saying_something_says_a_secret(how, style):
    program = f"""
import logging, os, threading, warnings
import structlog
from tradingplatform.logs import configure_logs
configure_logs("DEBUG", "{style}")
log = structlog.get_logger()
{ALL_OF_THEM}
{how}
"""
    said = told_by(program, **PLANTED)

    assert said
    assert "planted-" not in said
    if style == "json":
        for line in said.splitlines():
            json.loads(line)


def test_what_a_process_comes_to_know_is_scrubbed_in_every_spelling(known):
    scrub.remember(SECRET, "short")
    lines = [
        f"key {SECRET}",
        "url ?key=sk-Planted%2F9%2Bx%3D",
        "basic c2stUGxhbnRlZC85K3g9",
        json.dumps({"key": SECRET}),
    ]

    for line in lines:
        assert "***" in scrub.scrub(line)
        assert "Planted" not in scrub.scrub(line)
    assert scrub.scrub("short and long") == "short and long"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("GET /api/v3/order?symbol=X&signature=abcdef0123&x=1", "GET /api/v3/order?symbol=X&signature=***&x=1"),
        (
            "https://api.telegram.org/bot123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr/getMe",
            "https://api.telegram.org/bot",
        ),
        ("https://discord.com/api/webhooks/123/abc-DEF_ghi failed", "https://discord.com/api/webhooks/123/*** failed"),
        ("POST https://hooks.slack.com/services/T0/B0/xyz", "POST https://hooks.slack.com/services/***"),
        ("redis://:hunter2@host/0", "redis://:***@host/0"),
        ("{'Authorization': 'Bearer abcdefgh'}", "{'Authorization': 'Bearer ***'}"),
        ("X-MBX-APIKEY: abcdefgh", "X-MBX-APIKEY: ***"),
        ("at 12:30 bid 60000.1 http://127.0.0.1:8000/x", "at 12:30 bid 60000.1 http://127.0.0.1:8000/x"),
        ("2026-01-31T00:00:00.123456Z", "2026-01-31T00:00:00.123456Z"),
    ],
    ids=["signature", "telegram", "discord", "slack", "redis", "bearer", "api key", "innocent", "time"],
)
def test_what_looks_like_a_secret_goes_too(known, text, left):
    assert scrub.scrub(text).startswith(left)
    for word in ("abcdef0123", "AAbbCC", "abc-DEF", "/xyz", "hunter2", "abcdefgh"):
        assert word not in scrub.scrub(text)


def test_the_web_servers_own_lines_are_json_too():
    said = told_by("""
import logging, logging.config
from uvicorn.config import LOGGING_CONFIG
from tradingplatform.logs import configure_logs
logging.config.dictConfig(LOGGING_CONFIG)
configure_logs()
logging.getLogger("uvicorn.error").error("boom")
""")

    assert json.loads(said)["event"] == "boom"


def test_a_crash_is_one_line_of_json_without_local_variables():
    said = told_by("""
from tradingplatform.logs import configure_logs
configure_logs()
secret = 'local-1'
raise RuntimeError('no')
""")

    [line] = said.splitlines()
    told = json.loads(line)
    assert (told["event"], told["level"], told["error"]) == ("crashed", "critical", "RuntimeError: no")
    assert "local-1" not in line


# --- files


def test_every_log_is_rotated():
    config = configparser.RawConfigParser()
    config.read_string(render(programs(plan()), as_root=False))

    for section in config.sections():
        if section.startswith("program:"):
            name = section.partition(":")[2]
            assert config.get(section, "stdout_logfile") == f"log/{name}.log"
            assert config.get(section, "stdout_logfile_maxbytes") == "10MB"
            assert config.getint(section, "stdout_logfile_backups") == 3
            assert config.get(section, "redirect_stderr") == "true"


# --- what every line carries


def test_lines_of_a_task_carry_its_id_and_the_next_task_starts_afresh(capsys):
    seen = []

    @app.task(name="tests.say")
    def say(*, bot_id):
        structlog.contextvars.bind_contextvars(left_behind=bot_id)
        seen.append(structlog.contextvars.get_contextvars())

    say.apply(kwargs={"bot_id": 1}, task_id="first")
    say.apply(kwargs={"bot_id": 2}, task_id="second")

    assert seen == [{"task": "first", "left_behind": 1}, {"task": "second", "left_behind": 2}]
    assert structlog.contextvars.get_contextvars() == {}


class Caught(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.msg)


@pytest.fixture
def caught():
    handler, logger = Caught(), logging.getLogger("tradingplatform")
    logger.addHandler(handler)
    yield handler.lines
    logger.removeHandler(handler)


def test_a_request_that_changes_something_is_one_line_and_reading_is_none(caught):
    def view(request):
        return HttpResponse(status=302 if request.method == "POST" else 200)

    RequestLines(view)(RequestFactory().get("/admin/?password=typed"))
    RequestLines(view)(RequestFactory().post("/admin/x/?q=typed", {"password": "typed"}))

    [line] = caught
    assert (line["event"], line["method"], line["path"], line["status"]) == ("web_request", "POST", "/admin/x/", 302)
    assert line["request"]
    assert "typed" not in str(line)


def test_an_asynchronous_request_too(caught):
    async def view(request):
        structlog.get_logger("tradingplatform.inside").warning("inside")
        return HttpResponse(status=500)

    asyncio.run(RequestLines(view)(RequestFactory().get("/events/stream")))

    inside, line = caught
    assert (inside["event"], line["event"], line["level"]) == ("inside", "web_request", "error")
    assert inside["request"] == line["request"]


@pytest.mark.django_db
def test_whoever_is_refused_is_in_the_log(caught, settings):
    settings.ALLOWED_HOSTS = ["*"]
    Client().get("/metrics", REMOTE_ADDR="192.0.2.1")

    assert [(line["path"], line["status"]) for line in caught if line["event"] == "web_request"] == [("/metrics", 403)]
