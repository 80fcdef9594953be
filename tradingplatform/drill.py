"""A rehearsal of the dead man's switch: it is triggered for real, and the gate is asked whether it refuses.

Nothing else would show that the gate is closed. The operator resets it afterwards; that reset is the end of the drill.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from bots.models import Bot
from execution.lock import under_portfolio_lock
from execution.models import Portfolio
from execution.portfolio import Pricing, read_exposure
from market.clock import Now
from market.clock_offset import Offset
from market.exchange import Quote
from market.instruments import Instrument
from notifications.events import publish
from notifications.models import Event, Severity
from risk import deadman
from risk.event_kinds import DeadManTriggered
from risk.review import review
from risk.sanity import DeadMansSwitch as Check
from risk.verdicts import Proposal, Refused
from tradingplatform.acting import By
from tradingplatform.dead_man import DRILL_PASSED, SWITCH, read_switch
from tradingplatform.event_kinds import DrillFailed, DrillPassed
from tradingplatform.heartbeats import why_old

_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a drill looks at. ``problem`` is empty when it is as it should be."""

    what: str
    problem: str = ""


def drill(by: By) -> tuple[Finding, ...]:
    """Trigger the switch, and look whether all that should follow does. It stays triggered until it is reset.

    Raises ValueError without a reason, and when it has triggered already or cannot be read.
    """
    if not by.reason.strip():
        raise ValueError("a drill is held for a reason: give one, if only that it is due")
    with transaction.atomic():
        if read_switch().latched_at is not None or not deadman.trip(by.actor, by.now):
            raise ValueError("the dead man's switch has triggered already: reset it first")
        by.audit("drill", SWITCH)
    findings = (
        Finding("the switch is latched", _why_not_latched(by.now)),
        Finding("the gate refuses an entry", _why_not_refused(by.now)),
        Finding("the alarm was written", _why_not_told(by.now)),
        Finding("those who repeat it are alive", "; ".join(why_old(by.now.wall_at))),
    )
    with transaction.atomic():
        _conclude(findings, by)
    return findings


def _conclude(findings: tuple[Finding, ...], by: By) -> None:
    problems = [f"{finding.what}: {finding.problem}" for finding in findings if finding.problem]
    text = f"drill failed: {'; '.join(problems)}" if problems else "drill passed so far: reset the switch to end it"
    action = "drill_failed" if problems else DRILL_PASSED
    by.audit(action, SWITCH, after={finding.what: finding.problem or "yes" for finding in findings})
    publish(
        (DrillFailed if problems else DrillPassed)(by.actor, problems),
        text,
        severity=Severity.CRITICAL if problems else Severity.WARNING,
        market_at=by.now.market_at,
        wall_at=by.now.wall_at,
    )


def _why_not_latched(now: Now) -> str:
    with transaction.atomic():
        return "" if deadman.pull(now) and read_switch().latched_at == now.wall_at else "it is not"


def _why_not_told(now: Now) -> str:
    told = Event.objects.filter(kind=DeadManTriggered.kind, severity=Severity.CRITICAL, wall_at=now.wall_at)
    return "" if told.exists() else "there is no such event"


def _why_not_refused(now: Now) -> str:
    """A proposal of one unit at a price of one comes to the gate as any other does, but nothing is written of it."""
    bot = Bot.objects.select_related("account", "book").order_by("pk").first()
    if bot is None:
        return ""  # nobody could enter

    def gate(portfolio: Portfolio) -> str:
        proposal = _proposal(bot)
        verdict = review(proposal, read_exposure(portfolio, bot, bot, proposal, _pricing(bot, now), now))
        if not isinstance(verdict, Refused):
            return "it approved one"
        return "" if verdict.check == Check.name else f"it did, but because of {verdict.check}: {verdict.reason}"

    return under_portfolio_lock(bot.account_id, gate)


def _proposal(bot: Bot) -> Proposal:
    base, _, quote = bot.symbol.partition("/")
    return Proposal(
        bot_id=bot.pk,
        account_id=bot.account_id,
        slot=0,
        symbol=bot.symbol,
        base=base,
        quote=quote,
        amount=_ONE,
        normal_amount=_ONE,
        reference_price=_ONE,
        stop_price=Decimal("0.9"),
        target_price=None,
        reason="drill",
    )


def _pricing(bot: Bot, now: Now) -> Pricing:
    """As good as can be: only the switch may be what refuses."""
    base, _, quote = bot.symbol.partition("/")
    step = Decimal("0.01")
    instrument = Instrument(bot.symbol, base, quote, step, step, step, Decimal(9000), step)
    at_one = Quote(bot.symbol, _ONE, _ONE, _ONE, now.market_ms)
    return Pricing(instrument, _ONE, at_one, Offset(ahead_ms=0, within_ms=0), 60_000)
