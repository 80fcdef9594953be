"""The lists of events that pages show: which, in which order, and with which figures."""

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.urls import reverse

from notifications.models import Event
from risk.halts import raise_halt
from tests.factories import make_bot, make_event, now_at
from tradingplatform.feeds import Choice, newest, read_choice
from tradingplatform.risk_kinds import ALL_RISK_KINDS, Figures, brief, figures_of

NOW = now_at()
EVERYTHING: frozenset[str] = frozenset()
ANY = Choice()
LIVE, RISK = "admin:notifications_event_live", "admin:notifications_event_risk"


def tell(*texts, kind="test", **of):
    for text in texts:
        make_event(text, NOW, kind=kind, **of)


def shown(kinds=EVERYTHING, choice=ANY, **of):
    return [row.event.text for row in newest(kinds, choice, None, **of).rows]


@pytest.mark.django_db(transaction=True)
def test_the_newest_come_first_of_every_kind_together():
    tell("a", kind="risk_refused")
    tell("b", "c")
    tell("d", kind="halt_raised")
    assert shown() == ["d", "c", "b", "a"]
    assert shown(most=2) == ["d", "c"]
    assert shown(ALL_RISK_KINDS) == ["d", "a"]
    assert shown(ALL_RISK_KINDS, Choice(kind="risk_refused")) == ["a"]
    assert shown(ALL_RISK_KINDS, Choice(kind="test")) == []


@pytest.mark.django_db(transaction=True)
def test_severity_bot_and_kind_choose_together():
    for severity in ("INFO", "WARNING", "CRITICAL"):
        tell(severity, severity=severity, bot_id=1)
    tell("of another", severity="CRITICAL", bot_id=2)
    assert shown(choice=Choice(least="WARNING", bot=1)) == ["CRITICAL", "WARNING"]
    assert shown(choice=Choice(least="CRITICAL")) == ["of another", "CRITICAL"]
    assert shown(choice=Choice(kind="test", bot=2)) == ["of another"]


@pytest.mark.django_db(transaction=True)
def test_what_is_new_is_counted_from_what_was_seen():
    tell("a", "b")
    seen = newest(EVERYTHING, Choice(), None)
    assert (seen.after, seen.new) == (2, 0)
    tell("c")
    rows = newest(EVERYTHING, Choice(), seen.after)
    assert [row.new for row in rows.rows] == [True, False, False]
    assert rows.new == 1


def test_words_of_an_address_that_mean_nothing_choose_nothing():
    assert read_choice("LOUD", "", "x") == Choice()
    assert read_choice("", "", "9" * 30) == Choice()
    assert read_choice("WARNING", "k", "3") == Choice("WARNING", "k", 3)


@pytest.mark.parametrize(
    ("payload", "figures"),
    [
        ({"check": "drawdown", "limit": "0.2", "value": "0.21", "cause": "drawdown"}, ("drawdown", "0.2", "0.21")),
        ({"limit": "max_position", "from": "0.5", "to": "0.4"}, ("max_position", "0.4", "")),
        ({"cause": "operator"}, ("operator", "", "")),
        ({"check": "stop_loss", "limit": "above 0", "value": None}, ("stop_loss", "above 0", "")),
        ({}, ("", "", "")),
        (["no", "object"], ("", "", "")),
    ],
    ids=["check", "limit", "cause", "no value", "nothing", "list"],
)
def test_figures(payload, figures):
    assert figures_of(payload) == Figures(*figures)


def test_a_long_figure_is_cut_and_not_rounded():
    assert brief("0.19999999") == "0.1999…"
    assert brief("-5012.3") == "-5012.3"
    assert brief("1.2.33333") == "1.2.33333"


@pytest.mark.django_db
def test_the_risk_page_shows_what_a_breaker_measured(client):
    bot = make_bot(name="fallen")
    figures = {"check": "drawdown", "limit": "0.2", "value": "0.2109375"}
    with transaction.atomic():
        raise_halt(bot.account, bot, "drawdown", "it fell too far", figures, NOW)
    assert Event.objects.get().kind in ALL_RISK_KINDS
    client.force_login(User.objects.create_superuser("operator"))
    html = client.get(reverse(RISK)).content.decode()
    for text in ("fallen", "halt_raised", "0.2109…", "it fell too far"):
        assert text in html


@pytest.mark.django_db
def test_the_pages_are_for_whoever_may_see_events(client):
    user = User.objects.create_user("viewer", is_staff=True)
    client.force_login(user)
    for page in (LIVE, RISK):
        assert client.get(reverse(page)).status_code == 403
    assert client.get(reverse("event_stream_may_listen")).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_event"))
    for page in (LIVE, RISK):
        html = client.get(reverse(page)).content.decode()
        assert f'href="{reverse(LIVE)}"' in html
        assert f'href="{reverse(RISK)}"' in html
    assert client.get(reverse("event_stream_may_listen")).status_code == 204
    client.logout()
    assert client.get(reverse("event_stream_may_listen")).status_code == 403
    assert client.get(reverse("event_stream")).status_code == 403


@pytest.mark.django_db
def test_only_a_look_at_everything_counts_as_having_looked(client):
    client.force_login(User.objects.create_superuser("operator"))
    page = reverse(RISK)
    assert "since you looked" not in client.get(page).content.decode()
    tell("refused", kind="risk_refused")
    for words in ({"part": "1"}, {"least": "CRITICAL"}):
        client.get(page, words)
    assert ">1 new since you looked" in client.get(page).content.decode()
    assert "Nothing new since you looked" in client.get(page).content.decode()


@pytest.mark.django_db
def test_the_page_that_is_open_is_the_only_one_that_is_marked(client):
    client.force_login(User.objects.create_superuser("operator"))
    for page in (LIVE, RISK, "admin:risk_halt_kill_switch", "admin:notifications_event_changelist"):
        html = client.get(reverse(page)).content.decode()
        assert html.count(' active"') == 1, page


@pytest.mark.django_db(transaction=True)
def test_what_was_chosen_by_the_address_is_what_the_filter_shows(client):
    """Or the page would say that it shows everything, show nothing, and go on live with everything."""
    client.force_login(User.objects.create_superuser("operator"))
    tell("one", kind="seen")
    html = client.get(reverse(LIVE), {"kind": "never<b>", "bot": "987"}).content.decode()
    assert '<option value="never&lt;b&gt;" selected>' in html
    assert '<option value="987" selected>bot 987</option>' in html
    assert "one</td>" not in html
    html = client.get(reverse(LIVE), {"kind": "a\0b"}).content.decode()
    assert "one</td>" in html
    tell("refused", kind=sorted(ALL_RISK_KINDS)[0])
    html = client.get(reverse(RISK), {"kind": "seen"}).content.decode()
    assert "refused</td>" in html, "no kind of risk: not chosen"
    assert 'value="seen"' not in html
