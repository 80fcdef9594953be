"""What the console shows beyond the rows: both clocks, remedies, the menu, and what is easily overlooked."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from bots import lifecycle
from bots.models import Bot
from execution.models import EquitySnapshot, Trade
from notifications.admin_base import percent
from notifications.models import Event
from risk.models import DeadMansSwitch, Decision, Halt
from tests.admin.test_bots import definition, edit, errors_of, of
from tests.admin.test_pages import a_trading_bot
from tests.factories import make_account, make_bot, now_at
from tradingplatform.console.sidebar import GROUPS, PAGES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired_exchange")]

MARKET, WALL = now_at(), now_at(1_900_500)
BOTS = "admin:bots_bot_changelist"


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator", password="a long one"))
    return client


def page(client, model, **query):
    meta = model._meta
    return client.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"), query).content.decode()


def detail(client, row):
    meta = row._meta
    return client.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])).content.decode()


def halted(bot, of_account=False):
    return Halt.objects.create(
        account=bot.account,
        bot=None if of_account else bot,
        cause="drawdown",
        text="fell too far",
        market_at=MARKET.market_at,
        raised_at=WALL.wall_at,
    )


def both_clocks(html):
    return all(f"{at:%Y-%m-%d %H:%M:%S}" in html for at in (MARKET.market_at, WALL.wall_at))


def test_both_clocks_are_shown(operator):
    bot = make_bot()
    at = {"market_at": MARKET.market_at, "wall_at": WALL.wall_at}
    Event.objects.create(kind="k", text="t", **at)
    Decision.objects.create(bot=bot, slot=1, outcome="NOTHING", reason="r", bot_status=bot.status, **at)
    halt = halted(bot)
    for model in (Event, Decision, Halt):
        assert both_clocks(page(operator, model)), model
    assert both_clocks(detail(operator, halt)), "detail pages have ISO dates with seconds too"


def test_an_event_shows_its_bot_by_name(operator):
    bot = make_bot(name="btc-bot")
    event = Event.objects.create(kind="k", text="t", bot_id=bot.pk, market_at=MARKET.market_at, wall_at=MARKET.wall_at)
    link = reverse("admin:bots_bot_change", args=[bot.pk])
    for html in (page(operator, Event), detail(operator, event)):
        assert f'href="{link}">btc-bot</a>' in html
    Event.objects.update(bot_id=4711)
    assert "4711/change" not in page(operator, Event)
    assert reverse("admin:notifications_event_changelist") + f"?bot_id={bot.pk}" in page(operator, Bot)


def test_a_healthy_snapshot_has_no_mark_of_failure(operator):
    account = make_account()
    amounts = {"equity": 1, "realised": 0, "unrealised": 0}
    snapshot = EquitySnapshot.objects.create(account=account, market_at=MARKET.market_at, **amounts)
    html = page(operator, EquitySnapshot)
    assert ">stale<" not in "".join(html.split())
    snapshot.stale = True
    snapshot.save()
    assert "bg-orange" in page(operator, EquitySnapshot).partition("result_list")[2]


def test_what_clears_a_halt_is_shown(operator, settings):
    bot = make_bot(name="btc-bot")
    settings.VAR = settings.VAR / "elsewhere"
    halted(bot)
    whole = halted(bot, of_account=True)
    html = page(operator, Halt)
    assert f"VAR={settings.VAR}" in html, "the command works on this platform's database"
    assert "manage.py reset_bot btc-bot --reason" in html
    assert f"manage.py clear_halt {bot.account.name} --reason" in html
    assert "manage.py clear_halt" in detail(operator, whole)
    Halt.objects.update(cleared_at=WALL.wall_at, cleared_by="ann", clear_reason="looked at it")
    html = page(operator, Halt)
    assert "by ann: looked at it" in html
    assert "manage.py" not in html


@pytest.mark.parametrize(
    ("hours", "latched", "stage", "command"),
    [
        (1, False, "OK", "manage.py checkin"),
        (21, False, "WARNING", "manage.py checkin"),
        (23.5, False, "CRITICAL", "manage.py checkin"),
        (25, False, "TRIGGERED", "manage.py reset_switch --reason"),
        (1, True, "TRIGGERED", "manage.py reset_switch --reason"),
    ],
)
def test_the_switch_shows_its_present_stage(operator, hours, latched, stage, command):
    make_account()
    last = timezone.now() - timedelta(hours=hours)
    DeadMansSwitch.objects.update(last_checkin_at=last, high_water_at=last, latched_at=last if latched else None)
    for html in (page(operator, DeadMansSwitch), detail(operator, DeadMansSwitch.objects.get())):
        assert f">{stage}<" in "".join(html.split())
        assert command in html
        assert "24 h" in html
        assert "mans switch" not in html


def test_a_halted_bot_is_reset_for_a_reason(operator):
    bot = make_bot(name="btc-bot")
    lifecycle.halt(bot.pk, "fell too far", now=MARKET, actor="risk")
    halt = halted(bot)
    data = {"action": "reset", "_selected_action": [bot.pk]}
    asked = operator.post(reverse(BOTS), data).content.decode()
    assert "fell too far" in asked
    assert 'name="reason"' in asked
    assert operator.post(reverse(BOTS), data | {"reason": "  "}).status_code == 200
    assert Bot.objects.get().status == "HALTED"
    operator.post(reverse(BOTS), data | {"reason": "looked at it"})
    assert Bot.objects.get().status == "PAUSED"
    halt.refresh_from_db()
    assert (halt.cleared_by, halt.clear_reason) == ("operator", "looked at it")


def test_the_name_of_a_bot_is_fixed(operator):
    bot = make_bot(name="btc-bot")
    assert edit(operator, bot, of(bot, name="other", capital="700")).status_code == 302
    assert (Bot.objects.get().name, Bot.objects.get().capital) == ("btc-bot", Decimal(700))
    assert 'name="name"' not in detail(operator, bot)


@pytest.mark.parametrize("capital", ["100000.01", "99999999", "1e30"])
def test_a_bot_gets_no_more_than_its_account_has(operator, capital):
    words = "is above the account's capital of 100000 USDT"
    account = make_account()
    added = operator.post(reverse("admin:bots_bot_add"), definition(account, capital=capital))
    assert words in " ".join(errors_of(added)["capital"])
    bot = make_bot(account)
    assert words in " ".join(errors_of(edit(operator, bot, of(bot, capital=capital)))["capital"])
    assert edit(operator, bot, of(bot, capital="100000")).status_code == 302


def test_the_menu_and_the_first_page_are_in_the_operators_order(operator):
    answer = operator.get(reverse("admin:index"))
    pages = {title: [name for name, _ in pages.values()] for title, pages in PAGES.items()}
    wanted = [(title, [*pages.get(title, []), *models.values()]) for title, models in GROUPS.items()]
    first_page, menu = answer.context["app_list"], answer.context["sidebar_navigation"]
    assert [(group["name"], [model["name"] for model in group["models"]]) for group in first_page] == wanted
    assert [(group["title"], [item["title"] for item in group["items"]]) for group in menu] == wanted
    html = answer.content.decode()
    assert not [word for word in ("crontab", "solar", "clocked") if word in html]
    assert page(operator, Bot).count(f'"{reverse("admin:risk_halt_changelist")}"') == 1


def test_the_menu_shows_only_what_a_user_may_see(client):
    client.force_login(User.objects.create_user("guest", is_staff=True))
    html = client.get(reverse("admin:index")).content.decode()
    assert reverse(BOTS) not in html


def test_fees_and_limits_are_written_like_money_and_percent(operator):
    a_trading_bot(1)
    assert "0.10 USDT" in page(operator, Trade)
    Trade.objects.update(fee_currency="BNB", fee=Decimal("0.00012"))
    assert "0.00012 BNB" in page(operator, Trade)
    told = [percent(Decimal(value)) for value in ("0.25", "0.250", "0.1", "0.055", "0.99")]
    assert told == ["25 %", "25 %", "10 %", "5.5 %", "99 %"]


def test_periodic_tasks_say_by_which_clock_and_when(operator):
    bot = make_bot()
    html = page(operator, PeriodicTask)
    assert "every 900 s of market time" in html
    assert f"{bot.stagger_s} s after the candle" in html
    interval = IntervalSchedule.objects.create(every=60, period="seconds")
    own = PeriodicTask.objects.create(name="own", task="x", interval=interval)
    assert "every 60 s of wall time" in page(operator, PeriodicTask)
    assert "1970" not in html + detail(operator, PeriodicTask.objects.exclude(pk=own.pk).get())


def test_an_empty_list_promises_nothing(operator):
    html = page(operator, Halt)
    assert "Nothing here yet." in html
    assert "Create a new item" not in html
    assert "matches the search" in page(operator, Halt, q="x")
    assert reverse("admin:bots_bot_add") in page(operator, Bot)


def test_the_login_page_leads_nowhere_else(client):
    html = client.get(reverse("admin:login")).content.decode()
    assert "Return to site" not in html
    assert "console/icon.svg" in html
    assert "console/console.css" in html
