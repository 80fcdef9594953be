"""Who acts, when, from where and why; and the trace that it leaves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from market.clock import Now
from notifications.audit import audit
from notifications.models import AuditEntry

COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, when, and why; ``address``: from where, a network address or the command line."""

    actor: str
    now: Now
    reason: str = ""
    address: str = COMMAND_LINE

    def audit(
        self,
        action: str,
        subject: object,
        *,
        bot_id: int | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> AuditEntry:
        """Keep this act in the audit trail, in the transaction of what it did."""
        return audit(
            action,
            str(subject),
            actor=self.actor,
            address=self.address,
            market_at=self.now.market_at,
            wall_at=self.now.wall_at,
            reason=self.reason,
            bot_id=bot_id,
            before=before,
            after=after,
        )
