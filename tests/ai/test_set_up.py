"""Settings, what ``manage.py check`` says of them, and the fleet file."""

import pytest
from pydantic import ValidationError

from bots.models import Bot
from notifications.models import AuditEntry
from tests.fleet.test_load import load
from tests.fleet.test_read import GOOD, read
from tradingplatform.ai.checks import check_ai
from tradingplatform.ai.config import find_service, why_none
from tradingplatform.environment import SECRET, Environment
from tradingplatform.fleet.problems import BadFleet
from tradingplatform.scrub import remember_environment, scrub


def told(settings, **values):
    for name, value in values.items():
        setattr(settings, f"AI_{name}", value)
    return [(message.id, message.msg) for message in check_ai()]


def test_all_or_nothing_is_no_mistake(settings):
    assert told(settings) == []
    assert told(settings, BASE_URL="https://api.openai.com/v1", MODEL="gpt", API_KEY="k" * 20) == []
    assert told(settings, BASE_URL="http://127.0.0.1:11434/v1", API_KEY="") == []


def test_half_of_it_is_told(settings):
    assert told(settings, BASE_URL="https://x.org/v1") == [
        ("tradingplatform.W001", "AI_BASE_URL given without AI_MODEL")
    ]
    assert why_none() == "the AI is not set up: AI_MODEL is not set"
    assert find_service() is None
    assert told(settings, BASE_URL="", API_KEY="k" * 20) == [
        ("tradingplatform.W001", "AI_API_KEY given without AI_BASE_URL and AI_MODEL")
    ]


def test_a_key_goes_over_no_network_in_the_clear(settings):
    (found,) = told(settings, BASE_URL="http://192.168.1.5:8080/v1", MODEL="m", API_KEY="k" * 20)
    assert found[0] == "tradingplatform.E002"
    assert find_service() is None
    assert told(settings, API_KEY="") == []
    assert find_service().url == "http://192.168.1.5:8080/v1/chat/completions"


BAD = {
    "no address": {"AI_BASE_URL": "api.openai.com/v1"},
    "a file": {"AI_BASE_URL": "file:///etc/passwd"},
    "a user in the address": {"AI_BASE_URL": "https://me:secret@api.openai.com/v1"},
    "a query": {"AI_BASE_URL": "https://api.openai.com/v1?key=1"},
    "a key with a line's end": {"AI_API_KEY": "abc\r\nX-Evil: 1"},
    "a deadline too short": {"AI_DEADLINE_S": "0.1"},
    "a deadline too long": {"AI_DEADLINE_S": "31"},
    "a deadline that never comes": {"AI_DEADLINE_S": "nan"},
    "fewer than no calls": {"AI_DAILY_CALLS": "-1"},
}


@pytest.mark.parametrize("values", BAD.values(), ids=BAD.keys())
def test_what_does_not_fit_is_refused(monkeypatch, values):
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        Environment()


def test_the_key_is_a_secret_of_messages_and_logs():
    assert "AI_API_KEY" in SECRET
    key = "sk-scrubbed-from-every-line-42"
    remember_environment([("AI_API_KEY", key)])
    assert key not in scrub(f"failed with Bearer {key}") + scrub(f"key={key}")


class TestFleetFile:
    def test_by_bot_and_for_all(self):
        text = (
            GOOD.replace("[defaults]", '[defaults]\nai_mode = "shadow"')
            + '\nai_mode = "veto"\nai_on_failure = "allow"\n'
        )
        fleet = read(text)
        modes = {bot.name: (bot.ai_mode, bot.ai_on_failure) for bot in fleet.bots}
        assert modes.pop("mine") == ("veto", "allow")
        assert set(modes.values()) == {("shadow", "deny")}

    def test_what_is_unknown_is_named_with_its_line(self):
        text = GOOD.replace("[defaults]", '[defaults]\nai_mode = "loud"')
        with pytest.raises(BadFleet, match=r"defaults\.ai_mode.*off, shadow, veto"):
            read(text)

    @pytest.mark.django_db
    def test_a_change_is_made_and_audited(self):
        load()
        assert set(Bot.objects.values_list("ai_mode", "ai_on_failure")) == {("off", "deny")}
        plan = load(GOOD.replace("[defaults]", '[defaults]\nai_mode = "shadow"'))
        assert [dict(change.fields) for change in plan.changed] == [{"ai_mode": ("off", "shadow")}] * 3
        assert set(Bot.objects.values_list("ai_mode", flat=True)) == {"shadow"}
        assert AuditEntry.objects.filter(action="load_fleet").latest("pk").after["mine"] == {"ai_mode": "shadow"}
        assert load(GOOD.replace("[defaults]", '[defaults]\nai_mode = "shadow"')).is_empty
