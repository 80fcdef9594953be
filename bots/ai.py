"""Whether an AI is asked about a bot's entries, and what its silence means. PURE."""

from enum import StrEnum


class AiMode(StrEnum):
    """What the AI's opinion on an entry is worth."""

    OFF = "off"  # it is not asked
    SHADOW = "shadow"  # asked after the entry, and recorded: nothing is ever done differently
    VETO = "veto"  # asked before the entry: it may forbid it, or make it smaller


class OnFailure(StrEnum):
    """What becomes of an entry in the mode ``veto`` when there is no opinion to be had."""

    DENY = "deny"  # not entered: a missed entry costs an opportunity and never money
    ALLOW = "allow"  # entered as if nobody had been asked
