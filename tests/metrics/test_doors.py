"""Who may read metrics, and what readiness tells to whom."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from bots.models import ExchangeAccount
from market.standing import Trouble
from notifications.conditions import begin, end
from risk.models import DeadMansSwitch, Halt
from tests.factories import make_bot
from tradingplatform.conditions import TROUBLES
from tradingplatform.error_pages import ReporterFilter

TOKEN = "a-token-of-more-than-16"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _as_installed(settings, redis_url):
    settings.METRICS_TOKEN, settings.ALLOWED_HOSTS = "", ["127.0.0.1", "localhost", "[::1]"]
    settings.REDIS_URL = redis_url


def get(path="/metrics", address="127.0.0.1", **headers):
    return Client(headers={"host": "127.0.0.1", **headers}).get(path, REMOTE_ADDR=address)


def test_this_machine_may_read_metrics_without_a_login():
    answer = get()

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert b"trading_bots" in answer.content


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("192.0.2.7", {}),
        ("::ffff:192.0.2.7", {}),
        ("", {}),
        ("127.0.0.1", {"x-forwarded-for": "192.0.2.7"}),
        ("127.0.0.1", {"forwarded": "for=192.0.2.7"}),
        ("127.0.0.1", {"via": "1.1 proxy"}),
        ("192.0.2.7", {"x-forwarded-for": "127.0.0.1"}),
        ("192.0.2.7", {"authorization": "Bearer "}),
    ],
    ids=["elsewhere", "mapped", "unknown", "proxy", "standard proxy", "old proxy", "claims to be local", "empty token"],
)
def test_nobody_else_may(address, headers):
    answer = get(address=address, **headers)

    assert answer.status_code == 403
    assert b"METRICS_TOKEN" in answer.content


def test_a_console_with_public_names_needs_the_token(settings):
    settings.ALLOWED_HOSTS = ["127.0.0.1", "trading.example.org"]

    assert get().status_code == 403


@pytest.mark.parametrize(
    ("shown", "status"),
    [(f"Bearer {TOKEN}", 200), (f"bearer {TOKEN}", 403), (f"Bearer {TOKEN}x", 403), (TOKEN, 403), ("Bearer ü", 403)],
    ids=["right", "other case", "longer", "no scheme", "not ascii"],
)
def test_the_token_opens_from_anywhere_and_nothing_else_does(settings, shown, status):
    settings.METRICS_TOKEN, settings.ALLOWED_HOSTS = TOKEN, ["*"]

    assert get(address="192.0.2.7", authorization=shown).status_code == status
    assert get().status_code == 403


def test_metrics_are_only_read():
    assert Client(headers={"host": "127.0.0.1"}).post("/metrics").status_code == 405


def ready_platform():
    bot, now = make_bot(), timezone.now()
    DeadMansSwitch.objects.update(last_checkin_at=now, high_water_at=now)
    return bot


def test_ready():
    ready_platform()
    answer = get("/readyz")

    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert set(answer.json()["looks"].values()) == {"ok"}


def _no_broker(settings):
    settings.REDIS_URL = "unix:///nowhere/redis.sock"


def _frozen_exchange(_):
    now = timezone.now()
    begin(TROUBLES[Trouble.DOWN][0], "simulated", "The exchange is silent", market_at=now, wall_at=now)


def _unreconciled(_):
    ExchangeAccount.objects.update(mode="LIVE")


def _triggered(_):
    DeadMansSwitch.objects.update(last_checkin_at=timezone.now() - timedelta(days=2))


def _no_switch(_):
    DeadMansSwitch.objects.all().delete()


def _jumped(_):
    DeadMansSwitch.objects.update(clock_suspect_at=timezone.now())


def _killed(_):
    now = timezone.now()
    Halt.objects.create(cause="operator", text="the kill switch", market_at=now, raised_at=now)


@pytest.mark.parametrize(
    ("look", "make"),
    [
        ("broker", _no_broker),
        ("exchange", _frozen_exchange),
        ("accounts", _unreconciled),
        ("switch", _triggered),
        ("switch", _no_switch),
        ("clock", _jumped),
        ("halts", _killed),
    ],
    ids=["broker", "exchange", "accounts", "switch", "no switch", "clock", "kill switch"],
)
def test_not_ready(settings, look, make):
    ready_platform()
    make(settings)
    answer = get("/readyz")

    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert [name for name, reason in answer.json()["looks"].items() if reason != "ok"] == [look]


def test_ready_again():
    ready_platform()
    _frozen_exchange(None)
    now = timezone.now()
    end(TROUBLES[Trouble.DOWN][0], "simulated", "It answers", market_at=now, wall_at=now)

    assert get("/readyz").status_code == 200


def test_the_halt_of_one_bot_leaves_the_rest_ready():
    bot, now = ready_platform(), timezone.now()
    Halt.objects.create(account=bot.account, bot=bot, cause="drawdown", text="down", market_at=now, raised_at=now)

    assert get("/readyz").status_code == 200


def test_an_empty_database_is_not_ready():
    assert get("/readyz").json()["looks"]["database"] == "there is no account yet"


def test_strangers_hear_yes_or_no_only():
    _killed(None)
    answer = get("/readyz", address="192.0.2.7")

    assert (answer.status_code, answer.json()) == (503, {"ready": False})


def test_an_error_page_with_details_hides_what_addresses_and_webhooks_carry(settings):
    shown = ReporterFilter().get_safe_settings()

    for name in ("REDIS_URL", "CELERY_BROKER_URL", "WEBHOOKS", "ENV", "SECRET_KEY", "METRICS_TOKEN", "FIELD_KEYS"):
        assert shown[name] == ReporterFilter.cleansed_substitute, name
