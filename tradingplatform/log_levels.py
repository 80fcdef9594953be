"""LOG_LEVELS: how much each area of the platform says, as ``market=DEBUG,execution=WARNING``. PURE."""

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
AREAS = ("tradingplatform", "execution", "risk", "bots", "market", "notifications", "django", "celery", "uvicorn")
"""What may be named, and anything below the floors (``execution.submit``). Not other people's HTTP clients: at DEBUG
they print keys and tokens."""


def read_levels(text: str) -> dict[str, str]:
    """Logger names to levels. Raises ValueError that says what was wrong and what is allowed."""
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, level = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise ValueError(f"{part!r} is not AREA=LEVEL, as in market=DEBUG,execution=WARNING")
        if name.partition(".")[0] not in AREAS:
            raise ValueError(f"{name!r} is none of the areas {', '.join(AREAS)}")
        if level not in LEVELS:
            raise ValueError(f"{name}={level}: the level must be one of {', '.join(LEVELS)}")
        if name in found:
            raise ValueError(f"{name} is named twice")
        found[name] = level
    return found
