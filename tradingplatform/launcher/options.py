"""What ``make run`` was asked for: the platform's environment and what only a first start reads."""

from datetime import UTC, datetime
from pathlib import Path

from dotenv import dotenv_values
from pydantic import Field, ValidationError, field_validator

from tradingplatform.environment import ROOT, SECRET, BadEnvironment, Environment

SIMULATED = "simulated"


class Options(Environment):
    """Every variable of the platform, and the ones of the market that is simulated."""

    REPLAY: Path | None = Field(default=None, description="folder of recorded candles to replay instead of inventing")
    MARKET_START: datetime | None = Field(default=None, description="first moment of the market, ISO 8601, UTC")
    SEED: int | None = Field(default=None, ge=0, lt=2**63, description="which invented market; the same for ever")

    @field_validator("VAR")
    @classmethod
    def _one_name(cls, path: Path) -> Path:
        """The same folder has the same name whichever way it was written: leftovers are known by it."""
        return path.resolve()

    @field_validator("REPLAY")
    @classmethod
    def _from_the_project(cls, path: Path | None) -> Path | None:
        return path if path is None or path.is_absolute() else ROOT / path

    @field_validator("MARKET_START")
    @classmethod
    def _in_utc(cls, at: datetime | None) -> datetime | None:
        return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at

    @property
    def simulated(self) -> bool:
        return self.EXCHANGE == SIMULATED

    def asked_for(self, name: str) -> bool:
        """Was the variable given, or is it at its default?"""
        return name in self.model_fields_set

    @property
    def speed(self) -> float:
        """The speed of market time: only a simulated market can be hurried."""
        return self.SPEED if self.simulated or self.asked_for("SPEED") else 1.0


def read_options() -> Options:
    """From the process environment, then ``.env``. Raises BadEnvironment, one line for each mistake.

    ``VAR/runtime.env`` is not read: it tells what the last run chose, not what this one is asked for.
    """
    try:
        return Options(_env_file=ROOT / ".env")
    except ValidationError as error:
        problems = error.errors()
    raise BadEnvironment("\n".join(_complaint(str(p["loc"][0]), p["input"], p["msg"]) for p in problems))


def fleet_file(options: Options) -> Path:
    """The one asked for, or the last run's: ``make fleet`` must not load another than ``make run`` did."""
    if options.asked_for("FLEET"):
        return options.FLEET
    kept = dotenv_values(options.VAR / "runtime.env", interpolate=False).get("FLEET")
    return Path(kept) if kept and Path(kept).is_file() else options.FLEET


def _complaint(name: str, given: object, message: str) -> str:
    shown = name if name in SECRET else f"{name}={given}"
    return (
        f"{shown}: {message[0].lower()}{message[1:]} ({Options.model_fields[name].description or 'see .env.example'})"
    )
