"""The reports' pages: who may see them, what they show, what they answer to nonsense, and how many queries it takes."""

import csv
import re
import time
from datetime import timedelta
from io import StringIO
from random import Random

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import CharField, Value
from django.db.models.functions import Concat
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from execution.models import EquitySnapshot, Trade
from market.clock import Clock
from tests.factories import make_account, make_bot, now_at
from tests.histories import History
from tests.telegram_commands.big import make_fleet
from tradingplatform.console import reports
from tradingplatform.reports.find import BY, KINDS

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(client):
    """May see positions, and nothing else."""
    user = User.objects.create_user("viewer", password="a long one", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_position"))
    client.force_login(user)
    return client


@pytest.fixture
def past():
    made = History(Random(11))
    for _ in range(60):
        made.step()
    for day in range(40):
        EquitySnapshot.objects.create(
            account=made.account, market_at=now_at().market_at + timedelta(days=day), equity=100_000 + day % 7,
            realised=day % 7, unrealised=0,
        )  # fmt: skip
    return made


def page(client, kind="profit", status=200, **query):
    answer = client.get(reverse("reports", args=[kind]), query)
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


def test_only_who_may_see_positions_sees_them(client, viewer):
    assert client.get(reverse("reports_first")).status_code == 200
    assert reverse("reports_first") in client.get(reverse("admin:index")).content.decode()
    client.force_login(User.objects.create_user("guest", is_staff=True))
    for kind in KINDS:
        assert client.get(reverse("reports", args=[kind])).status_code == 403
        assert client.get(reverse("reports", args=[kind]), {"file": "profit"}).status_code == 403
    client.logout()
    assert client.get(reverse("reports_first")).status_code == 302


@pytest.mark.parametrize("kind", KINDS)
def test_before_anything_happened_a_page_says_what_will_be_there(viewer, kind):
    assert "There is no account yet" in page(viewer, kind)
    make_account()
    html = page(viewer, kind)
    assert " will " in html
    assert "there is no figure yet" in html


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_a_past(viewer, past, kind):
    html = page(viewer, kind, year="2024")
    assert f"account {past.account.name}, paper, the year 2024" in html
    assert "<table>" in html
    assert re.search(r"the newest figure in it is [\d,]+ h old", html)


@pytest.mark.parametrize(("kind", "by"), [(kind, by) for kind, groups in BY.items() for by in groups])
def test_every_grouping_has_its_page_and_its_file(viewer, past, kind, by):
    assert f"{kind.capitalize()} by {by}" in page(viewer, kind, by=by)
    head, *rows = list(csv.reader(StringIO(page(viewer, kind, by=by, file=kind))))
    assert head[0] == by
    assert rows[-1][0] == "all"


def test_files_of_a_tax_year(viewer, past):
    for name in ("disposals", "gains", "carried"):
        answer = viewer.get(reverse("reports", args=["tax"]), {"year": 2024, "file": name})
        assert answer["Content-Type"].startswith("text/csv")
        assert f'filename="{name}-{past.account.pk}-the-year-2024.csv"' in answer["Content-Disposition"]
        assert answer.content.decode().startswith("symbol,")


def test_heads_sort(viewer, past):
    def profits(sort):
        rows = list(csv.reader(StringIO(page(viewer, by="symbol", file="profit", sort=sort))))
        place = rows[0].index("closed")
        return [int(row[place]) for row in rows[1:-1]]

    assert profits("closed") == sorted(profits("closed"))
    assert profits("-closed") == sorted(profits("closed"), reverse=True)
    html = page(viewer, by="symbol", sort="-closed")
    assert 'aria-sort="descending"' in html
    assert "sort=closed" in html
    assert page(viewer, sort="-nothing")


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"days": "x"}, "&#x27;x&#x27; is not a whole number"),
        ({"days": "99999"}, "give a number from 1"),
        ({"days": "0"}, "give a number from 1"),
        ({"year": "0"}, "give one from 2000"),
        ({"year": "1"}, "give one from 2000"),
        ({"year": "٢٠٢٤"}, "not a whole number"),
        ({"account": "<b>"}, "there is no account &#x27;&lt;b&gt;&#x27;"),
        ({"file": "../x"}, "there is no file"),
    ],
    ids=["days", "many-days", "no-days", "year-0", "year", "digits", "account", "file"],
)
def test_nonsense_is_answered(viewer, query, why):
    make_account()
    assert why in page(viewer, status=400, **query)


def test_a_report_that_there_is_not(viewer):
    make_account()
    assert "there is no report" in page(viewer, "losses", status=400)


def test_more_fills_than_a_page_can_match_are_left_to_the_file(viewer, past, monkeypatch):
    monkeypatch.setattr(reports, "MOST_FILLS", 3)
    html = page(viewer, "tax", year="2024")
    assert "more than 3 fills" in html
    assert "<table>" not in html
    assert page(viewer, "tax", year="2024", file="gains").startswith("symbol,")


@pytest.mark.parametrize("kind", KINDS)
def test_the_number_of_queries_does_not_grow(viewer, kind):
    def queries():
        page(viewer, kind)
        with CaptureQueriesContext(connection) as seen:
            page(viewer, kind)
        return len(seen)

    now = Clock().now()
    make_account()
    few = queries()
    make_fleet(now, closed=200)
    assert queries() <= few + 1
    assert few <= 14


@pytest.mark.proof
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_takes_300_ms_after_100_000_trades_and_a_million_snapshots(viewer, kind):
    now = Clock().now()
    bots = make_fleet(now, closed=50_000)
    owners, step = (None, *bots), timedelta(days=365) / 21_700
    for owner in owners if kind == "statistics" else ():
        EquitySnapshot.objects.bulk_create(
            (
                EquitySnapshot(
                    account=bots[0].account, bot=owner, market_at=now.market_at - step * place,
                    equity=5_000 - place % 97, realised=-(place % 97), unrealised=0,
                )
                for place in range(21_700)
            ),
            batch_size=5_000,
        )  # fmt: skip
    page(viewer, kind)
    begun = time.process_time()
    page(viewer, kind)
    took_ms = (time.process_time() - begun) * 1000
    print(kind, round(took_ms))  # noqa: T201
    assert took_ms < 300


def test_fills_that_cannot_be_matched_are_told(viewer, past):
    Trade.objects.filter(side="BUY").update(executed_at=now_at(3_000_000).market_at)
    html = page(viewer, "tax", status=409, year="2024")
    assert "more than was bought by" in html
    assert "verify_ledger" in html


def test_a_fee_that_cannot_be_valued_is_told(viewer, past):
    Trade.objects.filter(pk=Trade.objects.earliest("pk").pk).update(fee="0.01", fee_currency="XYZ", fee_rate=None)
    assert "a fee in XYZ needs its price" in page(viewer, "tax", status=409, year="2024")


def test_a_file_is_harmless_in_a_spreadsheet(viewer, past):
    """A name is typed by whoever may make accounts, a trade's number comes from the exchange."""
    past.account.name = '=HYPERLINK("http://evil","x")'
    past.account.save()
    Trade.objects.filter(side="SELL").update(trade_id=Concat(Value("@"), "pk", output_field=CharField()))
    rows = list(csv.reader(StringIO(page(viewer, "statistics", file="statistics"))))
    assert rows[1][0] == '\'=HYPERLINK("http://evil","x")'
    rows = list(csv.DictReader(StringIO(page(viewer, "tax", year="2024", file="disposals"))))
    assert rows
    assert all(row["disposed_trade"].startswith("'@") for row in rows)
    assert not [row for row in rows if row["gain_usdt"].startswith("'")], "a loss stays a number"


def test_statistics_of_bots_alone_are_not_said_to_be_none(viewer):
    """At the beginning bots have snapshots, and their account has none yet."""
    bot = make_bot()
    EquitySnapshot.objects.create(
        account=bot.account, bot=bot, market_at=now_at().market_at, equity=100, realised=0, unrealised=0
    )
    html = page(viewer, "statistics")
    assert bot.name in html
    assert "there is no figure yet" not in html
