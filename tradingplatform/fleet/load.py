"""A fleet into the database: one transaction that plans, and changes all of it or nothing."""

from collections.abc import Mapping

from django.conf import settings
from django.db import transaction

from bots import lifecycle
from bots.models import Bot, ExchangeAccount
from execution import held
from execution.capital import book_capital
from execution.lock import lock_portfolio
from execution.models import Portfolio
from execution.totals import free_cash
from market.clock import Now
from notifications.events import publish
from tradingplatform.acting import By
from tradingplatform.event_kinds import FleetLoaded
from tradingplatform.fleet.plan import REMOVED, Plan, StoredAccount, StoredBot, make_plan
from tradingplatform.fleet.problems import BadFleet
from tradingplatform.fleet.show import plan_text, summary
from tradingplatform.fleet.spec import BotSpec, Fleet

FROM_FILE = "in the fleet file"


def load_fleet(fleet: Fleet, now: Now, actor: str) -> Plan:
    """Make the fleet so, and start its new bots. Loading it again changes nothing. Raises BadFleet when a change is
    not possible now (a held position fixes its bot's symbol, timeframe and strategy); then nothing is changed.
    """
    with transaction.atomic():
        plan = plan_fleet(fleet)
        _apply(plan, now, actor)
        if not plan.is_empty:
            _tell(plan, now, actor)
            _audit(plan, now, actor)
    return plan


def plan_fleet(fleet: Fleet) -> Plan:
    """What loading it would do. Inside a transaction it stays true until that ends. Raises BadFleet."""
    account = ExchangeAccount.objects.filter(name=fleet.account.name).first()
    if account is not None and transaction.get_connection().in_atomic_block:
        lock_portfolio(account.pk)
    plan = make_plan(fleet, _stored_account(account), settings.EXCHANGE, _stored_bots())
    if plan.refused:
        raise BadFleet(fleet.source, plan.refused)
    return plan


def _stored_account(account: ExchangeAccount | None) -> StoredAccount | None:
    if account is None:
        return None
    portfolio = Portfolio.objects.get(account=account)
    return StoredAccount(account.quote, account.exchange, portfolio.capital, free_cash(portfolio), account.is_live)


def _stored_bots() -> list[StoredBot]:
    busy = held.bots_in_use()
    return [
        StoredBot(
            name=bot.name,
            strategy=bot.strategy,
            symbol=bot.symbol,
            timeframe=bot.timeframe,
            capital=bot.capital,
            parameters=bot.parameters,
            account=bot.account.name,
            status=bot.status,
            status_reason=bot.status_reason,
            held=(held.in_use(bot.pk) or "") if bot.pk in busy else "",
            ai_mode=bot.ai_mode,
            ai_on_failure=bot.ai_on_failure,
        )
        for bot in Bot.objects.select_related("account")
    ]


def _apply(plan: Plan, now: Now, actor: str) -> None:
    account = _settle_account(plan, now)
    for spec in plan.created:
        lifecycle.start(_create(account, spec), now=now, actor=actor, reason=FROM_FILE)
    bots = {bot.name: bot for bot in Bot.objects.filter(account=account)}
    for change in plan.changed:
        _save(bots[change.bot.name], {name: new for name, (_, new) in change.fields.items()})
    for name in plan.restarted:
        lifecycle.start(bots[name], now=now, actor=actor, reason=FROM_FILE)
    for name in plan.resumed:
        lifecycle.resume(bots[name], now=now, actor=actor, reason=FROM_FILE)
    for name in plan.stopped:
        lifecycle.stop(bots[name], now=now, actor=actor, reason=REMOVED)
    for name in plan.paused:
        lifecycle.pause(bots[name], now=now, actor=actor, reason=REMOVED)


def _tell(plan: Plan, now: Now, actor: str) -> None:
    publish(
        FleetLoaded(actor, plan_text(plan).splitlines()),
        f"{actor} loaded {plan.fleet.source}: {summary(plan)}",
        market_at=now.market_at,
        wall_at=now.wall_at,
    )


def _audit(plan: Plan, now: Now, actor: str) -> None:
    """One entry for the whole act: what was changed by bot and field, and everything else in the plan's own words."""
    before = {change.bot.name: {name: str(old) for name, (old, _) in change.fields.items()} for change in plan.changed}
    after = {change.bot.name: {name: str(new) for name, (_, new) in change.fields.items()} for change in plan.changed}
    what = plan_text(plan).splitlines()
    By(actor, now, FROM_FILE).audit("load_fleet", plan.fleet.source, before=before, after={**after, "plan": what})


def _settle_account(plan: Plan, now: Now) -> ExchangeAccount:
    spec = plan.fleet.account
    account = ExchangeAccount.objects.filter(name=spec.name).first()
    if account is None:
        account = ExchangeAccount.objects.create(name=spec.name, exchange=settings.EXCHANGE, quote=spec.quote)
    elif account.quote != spec.quote:
        account.quote = spec.quote
        account.save(update_fields=["quote"])
    if plan.capital_change:
        book_capital(account, plan.capital_change, FROM_FILE, now)
    return account


def _create(account: ExchangeAccount, spec: BotSpec) -> Bot:
    bot = Bot(account=account, name=spec.name)
    return _save(
        bot,
        {
            "strategy": spec.strategy,
            "symbol": spec.symbol,
            "timeframe": spec.timeframe,
            "capital": spec.capital,
            "parameters": dict(spec.parameters),
            "ai_mode": spec.ai_mode,
            "ai_on_failure": spec.ai_on_failure,
        },
    )


def _save(bot: Bot, values: Mapping[str, object]) -> Bot:
    """Save only these fields of a bot that exists: its status and lease are being written by others."""
    for name, value in values.items():
        setattr(bot, name, value)
    bot.full_clean()
    bot.save(update_fields=[*values, "updated_at"] if bot.pk else None)
    return bot
