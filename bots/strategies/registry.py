"""All strategies by name, built from plain values with errors a person can act on. PURE."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from bots.strategies.base import Strategy
from bots.strategies.bollinger_reversion import BollingerReversion
from bots.strategies.donchian_breakout import DonchianBreakout
from bots.strategies.ema_cross import EmaCross
from bots.strategies.macd_cross import MacdCross
from bots.strategies.rsi_reversal import RsiReversal
from bots.strategies.stops import StoppedStrategy

_ALL: tuple[type[StoppedStrategy[Any]], ...] = (RsiReversal, EmaCross, MacdCross, BollingerReversion, DonchianBreakout)

STRATEGIES: dict[str, type[StoppedStrategy[Any]]] = {strategy.name: strategy for strategy in _ALL}


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """One parameter, as forms and documents show it. ``type`` is "int", "float" or "choice" (see ``choices``);
    the bounds are inclusive, None where there are none.
    """

    name: str
    type: str
    default: object
    minimum: float | None
    maximum: float | None
    help: str
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        kind = "a whole number" if self.type == "int" else "a number"
        return f"{kind} from {self.minimum:g} to {self.maximum:g}"


def build(name: str, parameters: Mapping[str, object]) -> Strategy:
    """The strategy with these parameters, defaults for the rest.

    Raises ValueError, one problem per line: an unknown strategy (the known ones are named), an unknown parameter (the
    allowed ones are named), a bad value (with what is allowed), and parameters that contradict each other.
    """
    strategy = _find(name)
    try:
        checked = strategy.Parameters.model_validate(dict(parameters))
    except ValidationError as error:
        infos = {info.name: info for info in describe(name)}
        problems = (f"{name}: {_problem(details, infos)}" for details in error.errors())
        raise ValueError("\n".join(problems)) from None
    return strategy(checked)


def describe(name: str) -> list[ParameterInfo]:
    """The strategy's parameters, its own first, then those of the stop. Raises ValueError for an unknown strategy."""
    strategy = _find(name)
    shared = StoppedStrategy.Parameters.model_fields
    fields = strategy.Parameters.model_fields
    own_first = sorted(fields, key=lambda field: field in shared)
    return [_info(field, fields[field]) for field in own_first]


def _find(name: str) -> type[StoppedStrategy[Any]]:
    try:
        return STRATEGIES[name]
    except KeyError:
        raise ValueError(f"unknown strategy {name!r}: use one of {', '.join(STRATEGIES)}") from None


def _info(name: str, field: FieldInfo) -> ParameterInfo:
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    kind = "choice" if choices else "int" if field.annotation is int else "float"
    bounds = field.metadata
    minimum = next((float(bound.ge) for bound in bounds if isinstance(bound, Ge)), None)  # type: ignore[arg-type]
    maximum = next((float(bound.le) for bound in bounds if isinstance(bound, Le)), None)  # type: ignore[arg-type]
    return ParameterInfo(name, kind, field.default, minimum, maximum, field.description or "", choices)


def _problem(details: ErrorDetails, infos: Mapping[str, ParameterInfo]) -> str:
    if not details["loc"]:  # a rule between parameters, in its own words
        return details["msg"].removeprefix("Value error, ")
    name = str(details["loc"][0])
    if name not in infos:
        return f"unknown parameter {name!r}: use {', '.join(infos)}"
    quoted = ", without quotes" if not infos[name].choices and _is_quoted_number(details["input"]) else ""
    return f"{name} may not be {details['input']!r}: use {infos[name].allowed}{quoted}"


def _is_quoted_number(value: object) -> bool:
    try:
        return isinstance(value, str) and math.isfinite(float(value))
    except ValueError:
        return False
