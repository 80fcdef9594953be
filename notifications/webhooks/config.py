"""WEBHOOKS: who is told what, and where. No Django: the launcher reads it before anything is started."""

import json
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from notifications.kinds import why_unknown

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
SHORTEST_SECRET = 16


class BadWebhooks(ValueError):
    """WEBHOOKS cannot be used as it is; one line for each mistake, none of which repeats an address or a secret."""


class Shape(StrEnum):
    """What the receiver understands."""

    JSON = "json"  # the event as it is, signed: for a program of one's own
    DISCORD = "discord"  # https://discord.com/developers/docs/resources/webhook#execute-webhook
    SLACK = "slack"  # https://api.slack.com/messaging/webhooks


class Least(StrEnum):
    """From which severity on."""

    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


RANK = {severity.value: rank for rank, severity in enumerate(Least)}


class Hook(BaseModel):
    """One receiver. ``name`` is its cursor's: another name begins at the end of the log of events."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
    url: SecretStr  # those of Discord and Slack are all that is needed to write there
    shape: Shape = Shape.JSON
    secret: SecretStr = SecretStr("")
    kinds: tuple[str, ...] = ()
    severity: Least = Least.INFO

    @field_validator("url")
    @classmethod
    def _safe_address(cls, url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an address like https://example.org/hook")
        if parts.scheme == "http" and parts.hostname not in LOCAL:
            raise ValueError("must begin with https:// (http:// is for this machine only)")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must hold no user and password: the signature proves who sends")
        return url

    @field_validator("kinds")
    @classmethod
    def _known(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        if problems := [problem for kind in kinds if (problem := why_unknown(kind))]:
            raise ValueError("; ".join(problems))
        return kinds

    @model_validator(mode="after")
    def _signed_where_it_can_be(self) -> "Hook":
        length = len(self.secret.get_secret_value())
        if self.shape is Shape.JSON and not length:
            raise ValueError("secret: is needed for the shape json, or anybody could pretend to be this platform")
        if 0 < length < SHORTEST_SECRET:
            raise ValueError(f"secret: must have {SHORTEST_SECRET} characters or more")
        return self

    @property
    def subscriber(self) -> str:
        return f"webhook:{self.name}"

    @property
    def is_local(self) -> bool:
        return urlsplit(self.url.get_secret_value()).hostname in LOCAL

    def wants(self, kind: str, severity: str) -> bool:
        return RANK.get(severity, 0) >= RANK[self.severity] and (not self.kinds or kind in self.kinds)

    def without_secrets(self, text: str) -> str:
        """A text that may quote the address, for rows and logs."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be in no log: the secret, and the address with what makes it one."""
        url = self.url.get_secret_value()
        found = (self.secret.get_secret_value(), url, urlsplit(url).path.strip("/"), urlsplit(url).query)
        return tuple(part for part in found if len(part) >= 8)


def read_hooks(text: str, root: Path) -> list[Hook]:
    """A JSON list of webhooks, or the path (below ``root``, unless it is absolute) of a TOML file with ``[[webhooks]]``
    tables. Empty: none. Raises BadWebhooks."""
    listed = _listed(text.strip(), root)
    problems: list[str] = []
    hooks: list[Hook] = []
    for number, row in enumerate(listed):
        try:
            hooks.append(Hook.model_validate(row))
        except ValidationError as error:
            problems += [_complaint(number, problem) for problem in error.errors()]
    names = [hook.name for hook in hooks]
    problems += [f"WEBHOOKS: the name {name!r} is given twice" for name in sorted(set(names)) if names.count(name) > 1]
    if problems:
        raise BadWebhooks("\n".join(problems))
    return hooks


def webhook_secrets(text: str, root: Path) -> list[str]:
    """Everything in WEBHOOKS that must be in no log; nothing while it cannot be read."""
    try:
        return [secret for hook in read_hooks(text, root) for secret in hook.secrets]
    except BadWebhooks:
        return []


def _listed(text: str, root: Path) -> list[Any]:
    if not text:
        return []
    try:
        if text.startswith(("[", "{")):
            listed = json.loads(text)
        else:
            listed = tomllib.loads((root / text).read_text()).get("webhooks")
    except OSError as error:
        raise BadWebhooks(f"WEBHOOKS: the file cannot be read: {error.strerror}") from None
    except (json.JSONDecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "see its lines"
        raise BadWebhooks(f"WEBHOOKS: is neither a JSON list nor a readable TOML file ({where})") from None
    if not isinstance(listed, list):
        raise BadWebhooks("WEBHOOKS: must be a list: [...] in JSON, [[webhooks]] tables in TOML")
    return listed


def _complaint(number: int, problem: Any) -> str:
    field = ".".join(str(part) for part in problem["loc"])
    return f"WEBHOOKS[{number}]{f'.{field}' if field else ''}: {problem['msg'].removeprefix('Value error, ')}"
