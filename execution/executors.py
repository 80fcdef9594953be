"""The one interface between the platform and wherever orders go. Paper or live is chosen in the wiring alone."""

from abc import ABC, abstractmethod
from typing import ClassVar

from market.clock import Now
from market.orders import OrderReport, OrderRequest


class BaseExecutor(ABC):
    """Sends orders and answers questions about them. Keeps no state that a restart would lose."""

    fills_at_quotes: ClassVar[bool] = False
    """Whether it can fill nothing while there is no quote: an exit is not tried then, but waited for."""

    holds_stops: ClassVar[bool] = False
    """Whether a protective stop rests with it, which closes the position when nothing of ours runs any more."""

    @abstractmethod
    def submit(self, request: OrderRequest, now: Now) -> OrderReport:
        """Send one order, once; never retried. A definite refusal is a report with status REJECTED.

        Raises market.exchange.Withheld when it was not sent, OutcomeUnknown when it may or may not have been accepted.
        """

    @abstractmethod
    def query(self, request: OrderRequest, sent: Now, now: Now) -> OrderReport:
        """What became of an order that was sent at ``sent``. ABSENT only when it is proven that it never existed and
        never will.

        Raises market.exchange.Transient when there is no answer, or none that proves anything: that is never "not
        found".
        """

    @abstractmethod
    def cancel(self, request: OrderRequest, now: Now) -> OrderReport:
        """End an order, and say what it has come to: CANCELED with what was filled before, or FILLED when it was too
        late. May be repeated.

        Raises market.exchange.Transient when it is not known to have ended.
        """
