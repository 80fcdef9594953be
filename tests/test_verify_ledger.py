"""The command that verifies the books: what it says, its exit status, and that it may run beside everything else."""

import json
import threading
from decimal import Decimal as D
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from execution.models import Portfolio
from execution.verify import verify
from tests.factories import make_account
from tests.histories import History
from tradingplatform.reading import one_moment
from tradingplatform.verification_table import verification_table

pytestmark = pytest.mark.django_db


@pytest.fixture
def history():
    made = History(Random(5))
    for _ in range(40):
        made.step()
    return made


def test_sound_books_are_one_line(history, capsys):
    make_account()
    call_command("verify_ledger")
    (line,) = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("{")]
    positions, orders = history.account.positions.count(), history.account.orders.count()
    assert line.startswith(f"2 accounts, {positions} positions, {orders} orders, ")
    assert ": 0 differences, " in line
    assert line.endswith(" ms")


def test_a_difference_is_shown_with_what_to_do(history, capsys):
    Portfolio.objects.filter(account=history.account).update(fees=D("1.5"))
    with pytest.raises(CommandError, match=r"nothing was changed.*pause_bot --all") as refused:
        call_command("verify_ledger")
    assert refused.value.returncode == 1
    said = capsys.readouterr().out
    assert f"{history.account.name}  portfolio.fees" in said
    assert ": 1 difference, " in said


def test_of_many_a_screenful_is_shown():
    rows = [
        {"account": "a", "what": "order.filled", "row": f"o{i}", "stored": "1", "recomputed": "2"} for i in range(60)
    ]
    lines = verification_table(rows, 1234).splitlines()
    assert lines[1] == "a        order.filled  o0   1       2"
    assert (len(lines), lines[-1]) == (52, "and 1184 more")


def test_json_for_programs(history, capsys):
    Portfolio.objects.filter(account=history.account).update(fees=D("1.5"))
    with pytest.raises(CommandError):
        call_command("verify_ledger", "--json", "--account", history.account.name)
    said = capsys.readouterr().out
    report = json.loads(said[said.index('{\n  "accounts"') :])
    (one,) = report["differences"]
    assert (report["accounts"], report["found"]) == (1, 1)
    assert (one["what"], one["stored"], one["account"]) == ("portfolio.fees", "1.5", history.account.name)


def test_an_account_that_is_not_there():
    with pytest.raises(CommandError, match="no account 'nobody'"):
        call_command("verify_ledger", "--account", "nobody")


@pytest.mark.django_db(transaction=True)
def test_beside_everything_else_nothing_ever_differs():
    """One thread trades and is not held up; the other verifies what it has at one moment."""
    history, done = History(Random(7)), threading.Event()

    def trade():
        try:
            for _ in range(80):
                history.step()
        finally:
            done.set()
            connection.close()

    thread = threading.Thread(target=trade)
    thread.start()
    looks = 0
    while not done.is_set() or not looks:
        with one_moment():
            assert verify(history.account).differences == []
        looks += 1
    thread.join()
    assert looks > 5
