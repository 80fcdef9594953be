"""A range of days: whole UTC days, both ends inside; what cannot be read lists nothing and says why."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from bots.list_filters import market_now
from market.clock import Clock, save_clock
from notifications.lists.days import Days, asked_days, presets
from notifications.models import Event
from tests.admin.trading_rows import a_closed_position, a_trade, an_order
from tests.factories import make_bot

pytestmark = pytest.mark.django_db

TRADES = "admin:execution_trade_changelist"
MIDNIGHT = datetime(2024, 3, 10, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("first", "last", "begins", "ends"),
    [
        ("", "", None, None),
        ("2024-03-10", "", MIDNIGHT, None),
        ("", "2024-03-09", None, MIDNIGHT),
        ("2024-02-29", "2024-02-29", datetime(2024, 2, 29, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)),
        (" 2024-03-10 ", "2024-03-10", MIDNIGHT, MIDNIGHT + timedelta(days=1)),
    ],
)
def test_days_as_moments(first, last, begins, ends):
    days = asked_days(first, last)
    assert (days.begins_at, days.ends_at) == (begins, ends)


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2024-02-30", "", "'from' '2024-02-30' is not a day: write YYYY-MM-DD"),
        ("", "yesterday", "'to' 'yesterday' is not a day"),
        ("2024-03-10", "2024-03-09", "'from' 2024-03-10 is after 'to' 2024-03-09"),
        ("", "9999-12-31", "has no day after it"),
    ],
)
def test_what_is_no_range_is_refused_in_words(first, last, words):
    with pytest.raises(ValueError, match=words):
        asked_days(first, last)


def test_presets_end_with_the_running_utc_day():
    last_moment = datetime(2024, 3, 31, 23, 59, 59, tzinfo=UTC)
    elsewhere = last_moment.astimezone(ZoneInfo("Pacific/Auckland"))
    for now in (last_moment, elsewhere):
        assert dict(presets(now)) == {
            "Today": Days(date(2024, 3, 31), date(2024, 3, 31)),
            "7 days": Days(date(2024, 3, 25), date(2024, 3, 31)),
            "30 days": Days(date(2024, 3, 2), date(2024, 3, 31)),
            "This month": Days(date(2024, 3, 1), date(2024, 3, 31)),
        }


@pytest.fixture
def four_trades():
    """One at each side of two midnights."""
    order = an_order(a_closed_position(make_bot()))
    ends = (MIDNIGHT, MIDNIGHT + timedelta(days=1))
    return [a_trade(order, executed_at=at) for end in ends for at in (end - MOMENT, end)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [3, 2, 1, 0]),
        ({"executed_at_from": "2024-03-10", "executed_at_to": "2024-03-10"}, [2, 1]),
        ({"executed_at_from": "2024-03-10"}, [3, 2, 1]),
        ({"executed_at_to": "2024-03-09"}, [0]),
        ({"executed_at_from": "", "executed_at_to": ""}, [3, 2, 1, 0]),
        ({"executed_at_from": "2024-03-12"}, []),
    ],
    ids=["all", "one day", "from", "to", "empty", "later"],
)
def test_a_day_begins_and_ends_at_midnight(operator, four_trades, query, found):
    listed = operator.get(reverse(TRADES), query).context["cl"].result_list
    assert [row.pk for row in listed] == [four_trades[n].pk for n in found]


def test_what_cannot_be_read_lists_nothing_and_says_why(operator, four_trades):
    answer = operator.get(reverse(TRADES), {"executed_at_from": "2024-13-01"})
    assert not answer.context["cl"].result_list
    html = answer.content.decode()
    assert "Nothing is listed: &#x27;from&#x27; &#x27;2024-13-01&#x27; is not a day: write YYYY-MM-DD." in html


def test_today_is_the_markets(operator, settings, tmp_path):
    settings.CLOCK_FILE = tmp_path / "clock.json"
    save_clock(
        settings.CLOCK_FILE, Clock(origin_market_ms=1_710_115_199_000, speed=0.001, stopped_ms=1_710_115_199_000)
    )
    assert market_now() == datetime(2024, 3, 10, 23, 59, 59, tzinfo=UTC)
    Event.objects.create(kind="k", text="t", market_at=MIDNIGHT, wall_at=MIDNIGHT)
    html = operator.get(reverse("admin:notifications_event_changelist")).content.decode()
    assert "market_at_from=2024-03-10&amp;market_at_to=2024-03-10" in html
    assert "24 h ago" in html, "the age is the market's too"


def test_a_preset_keeps_the_other_filters_and_drops_the_page(operator, four_trades):
    html = operator.get(reverse(TRADES), {"side__exact": "BUY", "p": "1"}).content.decode()
    link = html.partition('class="days-presets"')[2].partition('href="')[2].partition('"')[0]
    assert "side__exact=BUY" in link
    assert "p=" not in link.replace("executed_at_", "")
