"""What an AI says, as bytes, into an answer that is exactly what was asked for; anything else is none. PURE."""

import json
from decimal import ROUND_FLOOR, Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError, model_validator

LONGEST_REASON = 300
FACTOR_STEP = Decimal("0.0001")
"""Finer factors are rounded down to it; the smallest there is."""


class BadAnswer(ValueError):
    """It is no answer; the text says what it is instead."""


class Answer(BaseModel):
    """An opinion as it was given. ``factor``: what is left of the amount."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    verdict: Literal["allow", "shrink", "veto"]
    factor: Annotated[Decimal, Field(ge=FACTOR_STEP, le=1)] = Decimal(1)
    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)]

    @model_validator(mode="before")
    @classmethod
    def _veto_is_a_veto(cls, said: Any) -> Any:
        """Whatever is left of the amount, as 0 of it: a veto must never be taken for no answer, which may allow."""
        if isinstance(said, dict) and said.get("verdict") == "veto":
            return {name: value for name, value in said.items() if name != "factor"}
        return said

    @model_validator(mode="after")
    def _of_one_mind(self) -> "Answer":
        if self.verdict == "shrink" and "factor" not in self.model_fields_set:
            raise ValueError("shrink without a factor")
        if self.verdict == "allow" and self.factor != 1:
            raise ValueError("allow with a factor that is not 1")
        return self

    @property
    def part(self) -> Decimal:
        """The factor that counts, rounded down."""
        return self.factor.quantize(FACTOR_STEP, ROUND_FLOOR) if self.verdict == "shrink" else Decimal(1)


class _Message(BaseModel):
    content: StrictStr


class _Choice(BaseModel):
    message: _Message


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(BaseModel):
    choices: Annotated[list[_Choice], Field(min_length=1, max_length=1)]
    usage: Any = None


class Completion(BaseModel):
    """What the server sent: the model's own words, and what they cost where it tells."""

    content: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


def read_completion(body: bytes) -> Completion:
    """A body of ``/chat/completions``. Raises BadAnswer."""
    try:
        completion = _Completion.model_validate(_read_json(body, "the server's answer"))
    except ValidationError as error:
        raise BadAnswer(f"the server's answer is no chat completion: {_first(error)}") from None
    return Completion(content=completion.choices[0].message.content, **_tokens(completion.usage))


def read_answer(content: str) -> Answer:
    """The model's words as an answer. Raises BadAnswer."""
    try:
        return Answer.model_validate(_read_json(content, "what the model said"))
    except ValidationError as error:
        raise BadAnswer(f"what the model said is no answer: {_first(error)}") from None


def clean(text: str, longest: int = LONGEST_REASON) -> str:
    """A stranger's text for rows, terminals and messages: one line, without anything that is not printed."""
    spaced = " ".join(text.split())
    return "".join(letter for letter in spaced if letter.isprintable())[:longest]


def _tokens(usage: Any) -> dict[str, int | None]:
    """A server that does not count, or counts in its own way, answers all the same."""
    try:
        return _Usage.model_validate(usage or {}).model_dump()
    except ValidationError:
        return {}


def _read_json(body: bytes | str, what: str) -> Any:
    """Numbers as exact Decimals. Raises BadAnswer also for what JSON forbids or leaves open: NaN, a name twice."""
    try:
        return json.loads(
            body,
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_once_each,
        )
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise BadAnswer(f"{what} is not JSON: {clean(str(error), 80)}") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    told = problem["msg"].removeprefix("Value error, ")
    return clean(f"{where}: {told}" if where else told, 160)
