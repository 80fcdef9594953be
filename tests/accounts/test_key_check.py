"""A key that may do too much, or nothing any more, halts its account once."""

from dataclasses import dataclass

import pytest

from market.exchange import KeyRights, Rejected, Transient, Withheld
from notifications.models import Event
from risk.halts import open_halts
from risk.models import Halt
from tests.factories import make_bot, now_at
from tradingplatform.acting import By
from tradingplatform.key_check import key_warnings, review_key, why_not_rights
from tradingplatform.kill_switch import clear_account_halts

pytestmark = pytest.mark.django_db

GOOD = KeyRights(may_trade=True, may_withdraw=False, may_transfer=False, ip_restricted=True)


@dataclass
class Desk:
    """Says one thing of its key."""

    says: KeyRights | Exception

    def key_rights(self):
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        (GOOD, ""),
        (KeyRights(None, None, None, None), ""),
        (KeyRights(True, True, False, True), "its API key may withdraw, and must not"),
        (KeyRights(True, False, True, True), "its API key may transfer, and must not"),
        (KeyRights(True, True, True, True), "its API key may withdraw and transfer, and must not"),
        (KeyRights(False, False, False, True), "its API key may not trade"),
    ],
)
def test_what_a_key_may_do(rights, words):
    assert why_not_rights(rights).startswith(words)
    assert bool(why_not_rights(rights)) is bool(words)


def test_what_one_is_warned_of():
    assert key_warnings(GOOD) == []
    assert "restrict it" in key_warnings(KeyRights(True, False, False, False))[0]
    assert len(key_warnings(KeyRights(True, None, None, None))) == 2


@pytest.mark.parametrize("says", [GOOD, Transient("timeout"), Withheld("told to stay away", 5)])
def test_a_good_key_and_no_answer_change_nothing(live_account, says):
    assert review_key(live_account, Desk(says), now_at()) == ""
    assert not Halt.objects.exists()
    assert not Event.objects.filter(kind="halt_raised").exists()


@pytest.mark.parametrize(
    ("says", "cause", "words"),
    [
        (KeyRights(True, True, True, True), "key_rights", "may withdraw and transfer, and must not: take that right"),
        (Rejected("no", code="-2014"), "key_refused", "that is not an API key"),
        (Rejected("no", code="-2015"), "key_refused", "the exchange does not know this key"),
        (Rejected("no", code="-1022"), "key_refused", "the secret does not belong to the key"),
        (Rejected("permission denied"), "key_refused", "the exchange refuses the key: permission denied"),
    ],
)
def test_a_bad_key_halts_its_account_once(live_account, says, cause, words):
    bot = make_bot(live_account)
    for _ in range(2):
        assert words in review_key(live_account, Desk(says), now_at())
    halt = Halt.objects.get()
    assert (halt.account, halt.bot, halt.cause) == (live_account, None, cause)
    assert words in halt.text
    assert Event.objects.get(kind="halt_raised").text == halt.text
    assert open_halts(live_account.pk, bot.pk) == (halt.text,)


def test_a_cleared_halt_comes_back_while_the_key_is_bad(live_account):
    desk = Desk(KeyRights(True, True, False, True))
    review_key(live_account, desk, now_at())
    clear_account_halts(live_account, By("tester", now_at(), "looked at it"))
    assert not Halt.objects.filter(cleared_at=None).exists()
    review_key(live_account, desk, now_at())
    assert Halt.objects.filter(cleared_at=None).count() == 1
