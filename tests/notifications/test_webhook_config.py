"""WEBHOOKS: what is read, and what each mistake says without repeating an address or a secret."""

import json

import pytest
from django.core.checks import run_checks

from notifications.webhooks.config import BadWebhooks, Least, Shape, read_hooks, webhook_secrets
from tests.launcher.test_programs import plan
from tradingplatform.launcher import preflight
from tradingplatform.launcher.options import Options
from tradingplatform.launcher.programs import programs
from tradingplatform.launcher.refusal import Refusal

SECRET = "0123456789abcdef-planted"
GOOD = {"name": "ops", "url": "https://example.org/hook/planted-path", "secret": SECRET}


def read(tmp_path, *rows):
    return read_hooks(json.dumps(rows), tmp_path)


def test_nothing_is_no_webhook(tmp_path):
    assert read_hooks("", tmp_path) == read_hooks("[]", tmp_path) == []


def test_json_and_toml_say_the_same(tmp_path):
    toml = f"""
[[webhooks]]
name = "ops"
url = "{GOOD["url"]}"
secret = "{SECRET}"
kinds = ["halt_raised"]
severity = "WARNING"

[[webhooks]]
name = "chat"
url = "https://discord.com/api/webhooks/1/planted-token"
shape = "discord"
"""
    (tmp_path / "hooks.toml").write_text(toml)
    ops = {**GOOD, "kinds": ["halt_raised"], "severity": "WARNING"}
    chat = {"name": "chat", "url": "https://discord.com/api/webhooks/1/planted-token", "shape": "discord"}

    hooks = read_hooks("hooks.toml", tmp_path)
    assert hooks == read_hooks(str(tmp_path / "hooks.toml"), tmp_path / "elsewhere") == read(tmp_path, ops, chat)
    assert (hooks[0].severity, hooks[0].kinds, hooks[1].shape) == (Least.WARNING, ("halt_raised",), Shape.DISCORD)
    assert hooks[0].subscriber == "webhook:ops"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"url": "http://example.org/planted"}, "WEBHOOKS[0].url: must begin with https://"),
        ({"url": "http://localhost.example.org/planted"}, "must begin with https://"),
        ({"url": "planted"}, "must be an address"),
        ({"url": "ftp://example.org/planted"}, "must be an address"),
        ({"url": "https://ann:planted@example.org/"}, "no user and password"),
        ({"name": "No spaces planted"}, "WEBHOOKS[0].name: "),
        ({"name": None}, "WEBHOOKS[0].name: "),
        ({"secret": ""}, "WEBHOOKS[0]: secret: is needed for the shape json"),
        ({"secret": "planted"}, "16 characters or more"),
        ({"shape": "teams"}, "WEBHOOKS[0].shape: "),
        ({"severity": "LOUD"}, "WEBHOOKS[0].severity: "),
        ({"kind": "halt_raised"}, "WEBHOOKS[0].kind: Extra inputs are not permitted"),
        ({"kinds": "halt_raised"}, "WEBHOOKS[0].kinds: "),
        ({"kinds": ["halt_rased"]}, "WEBHOOKS[0].kinds: there is no kind of event 'halt_rased': perhaps halt_raised"),
        ({"kinds": ["https://example.org/planted"]}, "WEBHOOKS[0].kinds: there is no such kind of event"),
    ],
    ids=[
        "http", "http elsewhere", "no address", "ftp", "password", "name", "no name", "no secret", "short secret",
        "shape", "severity", "typo", "kinds", "unknown kind", "address as kind",
    ],
)  # fmt: skip
def test_a_mistake_is_named_and_nothing_secret_repeated(tmp_path, changes, says):
    with pytest.raises(BadWebhooks) as refused:
        read(tmp_path, {**GOOD, **changes})

    assert says in str(refused.value)
    assert "planted" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[{planted", "neither a JSON list nor a readable TOML file (line 1)"),
        ('{"name": "planted"}', "must be a list"),
        ("nowhere.toml", "cannot be read: No such file"),
        ("bad.toml", "neither a JSON list nor a readable TOML file"),
        ("other.toml", "must be a list"),
    ],
    ids=["json", "no list", "no file", "toml", "no table"],
)
def test_what_cannot_be_read_is_told(tmp_path, text, says):
    (tmp_path / "bad.toml").write_text("[[planted")
    (tmp_path / "other.toml").write_text("[webhooks]\nname = 'planted'\n")

    with pytest.raises(BadWebhooks) as refused:
        read_hooks(text, tmp_path)
    assert says in str(refused.value)
    assert "planted" not in str(refused.value)


def test_every_mistake_is_told_at_once(tmp_path):
    with pytest.raises(BadWebhooks) as refused:
        read(tmp_path, GOOD, GOOD, {**GOOD, "severity": "LOUD"})

    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == ["WEBHOOKS[2].severity", "WEBHOOKS"]


def test_this_machine_may_be_told_without_encryption(tmp_path):
    for host in ("localhost", "127.0.0.1", "[::1]"):
        assert read(tmp_path, {**GOOD, "url": f"http://{host}:9000/x"})[0].is_local


def test_a_hook_shows_neither_address_nor_secret(tmp_path):
    [hook] = read(tmp_path, GOOD)

    assert "planted" not in repr(hook)
    assert "planted" not in str(hook)
    assert "planted" not in hook.without_secrets(f"no {GOOD['url']} or hook/planted-path or {SECRET}")
    assert SECRET in webhook_secrets(json.dumps([GOOD]), tmp_path)
    assert webhook_secrets("[{", tmp_path) == []


@pytest.mark.parametrize(
    ("kinds", "severity", "wanted"),
    [
        ((), "INFO", {"signal-info", "signal-warning", "halt_raised-critical"}),
        ((), "WARNING", {"signal-warning", "halt_raised-critical"}),
        (("signal",), "INFO", {"signal-info", "signal-warning"}),
        (("halt_raised",), "CRITICAL", {"halt_raised-critical"}),
        (("halt_cleared",), "INFO", set()),
    ],
    ids=["all", "severity", "kind", "both", "none"],
)
def test_what_a_hook_wants(tmp_path, kinds, severity, wanted):
    [hook] = read(tmp_path, {**GOOD, "kinds": list(kinds), "severity": severity})
    told = {("signal", "INFO"), ("signal", "WARNING"), ("halt_raised", "CRITICAL")}

    assert {f"{kind}-{level.lower()}" for kind, level in told if hook.wants(kind, level)} == wanted


def test_a_start_with_a_mistake_is_refused_and_the_check_says_so(settings):
    settings.WEBHOOKS = json.dumps([{**GOOD, "url": "http://example.org/planted"}])

    [error] = run_checks(tags=["webhooks"])
    assert (error.id, error.msg.startswith("WEBHOOKS[0].url: ")) == ("tradingplatform.E001", True)
    with pytest.raises(Refusal, match="WEBHOOKS"):
        preflight.check(Options(_env_file=None, VAR="/v", WEBHOOKS=settings.WEBHOOKS))
    settings.WEBHOOKS = json.dumps([GOOD])
    assert run_checks(tags=["webhooks"]) == []


def test_the_process_runs_only_where_there_are_webhooks():
    with_hooks = plan()
    with_hooks.options.WEBHOOKS = json.dumps([GOOD])

    assert "webhooks" in {program.name for program in programs(with_hooks)}
    assert "webhooks" not in {program.name for program in programs(plan())}
