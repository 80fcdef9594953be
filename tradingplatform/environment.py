"""The environment, typed. A value that does not fit stops the start with a line that says what was wrong.

Read from, the first that has it: the process environment, the file ``.env``, the file ``VAR/runtime.env`` (written by
the launcher, so that a command typed in a second terminal finds the running platform).
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from notifications.telegram.people import read_ids
from tradingplatform.log_levels import read_levels
from tradingplatform.telegram_kinds import read_volumes

ROOT = Path(__file__).resolve().parent.parent

SECRET = {
    "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "FIELD_KEYS", "METRICS_TOKEN", "WEBHOOKS", "TELEGRAM_TOKEN",
    "AI_API_KEY",
}  # fmt: skip
"""Variables whose value no message repeats."""


class Environment(BaseSettings):
    """Every variable the platform reads. Unknown variables are somebody else's and ignored."""

    model_config = SettingsConfigDict(extra="ignore", case_sensitive=True, env_ignore_empty=True)

    VAR: Path = Field(default=Path("var"), description="folder of all state; one per exchange")
    PORT: int = Field(default=8000, ge=1, le=65535, description="port of the console on 127.0.0.1")
    SPEED: float = Field(default=60, ge=1, le=3600, description="market time per wall time; 1 on a real exchange")
    EXCHANGE: str = Field(default="simulated", pattern=r"^[a-z0-9_]+$", description="'simulated' or a ccxt exchange id")
    FLEET: Path = Field(default=ROOT / "fleet.toml", description="the fleet file loaded at first start")
    SIM_URL: str = Field(default="", description="where the simulated exchange listens (set by the launcher)")
    REDIS_URL: str = Field(default="", description="a Redis of one's own; empty: the launcher starts one")
    ADDRESS: str = Field(
        default="one",
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="a name for the address that requests go out from: who shares it shares the budget",
    )
    LIVE_TRADING: bool = Field(default=False, description="yes or no: whether bots may enter on LIVE accounts")
    RETENTION_DAYS: int = Field(
        default=90, ge=7, le=36_500, description="days of which every row is kept; older ones are thinned out"
    )
    DATABASE_URL: str = Field(default="", description="postgres://...; empty: SQLite in VAR")
    SECRET_KEY: str = Field(default="", description="Django's; empty: the one kept in VAR/secret_key")
    FIELD_KEYS: str = Field(
        default="", description="comma-separated, newest first, encrypt API keys; empty: those kept in VAR/field_keys"
    )
    METRICS_TOKEN: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9._~+/=-]{16,})?$",
        description="16 characters or more that whoever reads /metrics shows; empty: this machine only",
    )
    WEBHOOKS: str = Field(default="", description="a JSON list of webhooks, or the path of a TOML file of them")
    TELEGRAM_TOKEN: str = Field(
        default="",
        pattern=r"^([0-9]{3,16}:[A-Za-z0-9_-]{20,})?$",
        description="of your bot, as @BotFather gives it: 123456:ABC...; empty: no Telegram",
    )
    TELEGRAM_OPERATORS: str = Field(default="", description="numeric user ids that may read and act; empty: nobody")
    TELEGRAM_VIEWERS: str = Field(default="", description="numeric user ids that may read; empty: nobody")
    TELEGRAM_ALERTS: str = Field(default="", description="kinds of events as kind=on, kind=silent or kind=off")
    TELEGRAM_MIN_SEVERITY: Literal["INFO", "WARNING", "CRITICAL"] = Field(
        default="INFO", description="alerts below it are not sent: INFO, WARNING or CRITICAL"
    )
    TELEGRAM_API: str = Field(
        default="https://api.telegram.org",
        pattern=r"^https?://",
        description="where the Bot API answers: a server of your own, or a test's",
    )
    AI_BASE_URL: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#@]+)?$",
        description="an OpenAI-compatible server's address, as https://api.openai.com/v1, without user or query;"
        " empty: no AI is asked",
    )
    AI_API_KEY: str = Field(default="", pattern=r"^[!-~]*$", description="its key; a server of your own needs none")
    AI_MODEL: str = Field(default="", pattern=r"^([!-~]{1,128})?$", description="which of its models is asked")
    AI_DEADLINE_S: float = Field(
        default=5, ge=0.5, le=30, allow_inf_nan=False, description="wall seconds for the AI's whole answer, 0.5 to 30"
    )
    AI_DAILY_CALLS: int = Field(
        default=500, ge=0, le=1_000_000, description="how often the whole fleet asks the AI in a UTC day of wall time"
    )
    DEBUG: bool = False
    ALLOWED_HOSTS: str = Field(default="127.0.0.1,localhost,[::1]", description="comma-separated")
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    LOG_LEVELS: str = Field(default="", description="levels of single areas, as market=DEBUG,execution=WARNING")
    LOG_FORMAT: Literal["auto", "json", "console"] = Field(
        default="auto", description="auto: colours on a terminal, JSON elsewhere"
    )

    @field_validator("LOG_LEVELS")
    @classmethod
    def _levels_that_fit(cls, text: str) -> str:
        read_levels(text)
        return text

    @field_validator("VAR", "FLEET")
    @classmethod
    def _below_the_project(cls, path: Path) -> Path:
        return path if path.is_absolute() else ROOT / path

    @field_validator("TELEGRAM_OPERATORS", "TELEGRAM_VIEWERS")
    @classmethod
    def _numeric_ids(cls, text: str) -> str:
        read_ids(text)
        return text

    @field_validator("TELEGRAM_ALERTS")
    @classmethod
    def _alert_volumes(cls, text: str) -> str:
        read_volumes(text)
        return text


class BadEnvironment(Exception):
    """A variable does not fit; the text names it, the value, and what is allowed."""


def read_environment() -> Environment:
    """The environment of this process. Raises BadEnvironment."""
    try:
        var = Environment(_env_file=ROOT / ".env").VAR
        return Environment(_env_file=(var / "runtime.env", ROOT / ".env"))
    except ValidationError as error:
        raise BadEnvironment("\n".join(_complaint(problem) for problem in error.errors())) from None


def _complaint(problem: object) -> str:
    assert isinstance(problem, dict)
    name = ".".join(str(part) for part in problem["loc"])
    shown = "" if name in SECRET else f"={problem['input']!r}"
    field = Environment.model_fields.get(name)
    meaning = f" ({field.description})" if field and field.description else ""
    return f"{name}{shown}: {problem['msg']}{meaning}"


def secret_key(env: Environment) -> str:
    """Django's secret key: given, or the one the launcher keeps in VAR. Raises BadEnvironment when there is none."""
    if env.SECRET_KEY:
        return env.SECRET_KEY
    try:
        return (env.VAR / "secret_key").read_text().strip()
    except FileNotFoundError:
        raise BadEnvironment(
            f"nothing has run in VAR={env.VAR} yet: make run, or name the folder: make status VAR=v1"
        ) from None
