"""``python -m tradingplatform.launcher``: from a folder and a handful of variables to a running platform."""

import os
import signal
import sys
import time
from pathlib import Path

from market.clock import Clock, moment, save_clock
from tradingplatform.environment import ROOT, BadEnvironment
from tradingplatform.launcher import journal, marketclock, preflight, prepare
from tradingplatform.launcher.broker import Broker, choose_broker
from tradingplatform.launcher.folder import OURS, keep_secret_key, make_folder, sign_lock, take_lock
from tradingplatform.launcher.identity import Identity, keep_identity, same_market
from tradingplatform.launcher.leftovers import stop_leftovers
from tradingplatform.launcher.options import Options, fleet_file, read_options
from tradingplatform.launcher.programs import Plan, exchange_program, programs, write_programs
from tradingplatform.launcher.refusal import Refusal
from tradingplatform.launcher.runtime_env import write_runtime_env
from tradingplatform.launcher.supervisord_conf import render
from tradingplatform.launcher.telegram_line import telegram_line
from tradingplatform.launcher.terminal import BOLD, DIM, GREEN, complain, painted, say
from tradingplatform.launcher.warm import warm_lines
from tradingplatform.typed import make


def main() -> int:
    """Never returns when all is well: this process becomes the supervisor."""
    os.umask(0o077)  # all that is written from here on, by any process of the platform, is its owner's only
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        launch(time.time())
    except (Refusal, BadEnvironment) as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        say("\nStopped before everything was up. Nothing runs.")
    return 0


def launch(started_at: float) -> None:
    """Every step of a start, in order. Raises Refusal or BadEnvironment."""
    options = read_options()
    preflight.check(options)
    var = options.VAR
    if not (var / "run.lock").exists():
        preflight.check_port(options.PORT)  # nothing of ours can hold it; a refusal leaves no folder behind
    make_folder(var)
    lock = take_lock(var)
    seen_ms = _clear_leftovers(var)
    identity = same_market(var, options)
    preflight.check_port(options.PORT)
    sign_lock(lock, options.PORT)
    broker = choose_broker(options.REDIS_URL, var)
    exchange_port = preflight.free_port() if options.simulated else 0
    keep_secret_key(var)
    _set_environment(options, broker, exchange_port, started_at)
    say(painted(f"Trading platform: {_market(identity)}, speed {options.speed:g}, state in {_shown(var)}", BOLD))
    prepare.prepare_database()
    _done(f"database is up to date ({'DATABASE_URL' if options.DATABASE_URL else 'SQLite'}), Redis {broker.told}")
    keep_identity(var, identity)  # before anything of this market is in VAR: its clock, its exchange's ledger
    plan = _start_market(options, identity, broker, exchange_port, seen_ms)
    say(f"  {telegram_line(options)}")
    _become_supervisor(plan)


def _start_market(
    options: Options, identity: Identity, broker: Broker, exchange_port: int, seen_ms: int | None
) -> Plan:
    """Set the clock; at a first start also create account, bots and operator, for which the exchange must run."""
    before = marketclock.clock_of_last_run(options.VAR)
    clock = _set_clock(options, before, seen_ms)
    plan = Plan(options, identity, broker, clock, exchange_port)
    ask_exchange = bool(identity.replay) and before is None and options.MARKET_START is None
    needed = prepare.first_start_needed()
    if options.simulated and (needed or ask_exchange):
        with prepare.running(exchange_program(plan, origin=not ask_exchange), options.VAR, exchange_port):
            if ask_exchange:
                clock = prepare.exchange_clock(exchange_port, clock.speed)
                plan = Plan(options, identity, broker, clock, exchange_port)
                save_clock(options.VAR / "clock.json", plan.clock)
            if needed:
                prepare.first_start()
    elif needed:
        prepare.first_start()
    if not needed:
        for line in warm_lines(options.VAR, fleet_file(options), plan.clock.now().wall_at):
            say(f"  {line}")
    if options.simulated:
        told = "begins" if before is None else "goes on"
        _done(f"market time {told} at {moment(plan.clock.origin_market_ms):%Y-%m-%d %H:%M:%S} UTC")
    if before is not None and options.MARKET_START:
        say("  note: MARKET_START counts at the first start of a VAR only; this one goes on from where it was")
    return plan


def _set_clock(options: Options, before: Clock | None, seen_ms: int | None) -> Clock:
    if not options.simulated:
        save_clock(options.VAR / "clock.json", Clock())
        return Clock()
    start = options.MARKET_START
    start_ms = round(start.timestamp() * 1000) if start else marketclock.wall_now_ms()
    return marketclock.resume(options.VAR, options.speed, start_ms, seen_ms)


def _clear_leftovers(var: Path) -> int | None:
    """Stop what a killed run left; the last market moment that anybody can have seen."""
    stopped = stop_leftovers(var)
    seen_ms = marketclock.read_mark(var)
    if not stopped:
        return seen_ms
    say(f"An earlier run was killed; stopped what it left behind: {', '.join(stopped)}")
    # They traded until this moment, perhaps without anybody who kept the mark.
    before = marketclock.clock_of_last_run(var)
    return max(seen_ms or 0, before.market_ms(marketclock.wall_now_ms())) if before else seen_ms


def _set_environment(options: Options, broker: Broker, exchange_port: int, started_at: float) -> None:
    """What every process of this run reads, and what a second terminal reads."""
    told = {
        "EXCHANGE": options.EXCHANGE,
        "SPEED": f"{options.speed:g}",
        "PORT": str(options.PORT),
        "REDIS_URL": broker.url,
        "SIM_URL": f"http://127.0.0.1:{exchange_port}" if exchange_port else "",
        "LIVE_TRADING": "yes" if options.LIVE_TRADING else "no",
        "FLEET": "" if fleet_file(options) == ROOT / "fleet.toml" else str(fleet_file(options)),
    }
    write_runtime_env(options.VAR, {**told, "DATABASE_URL": options.DATABASE_URL})
    os.environ.update(
        told,
        VAR=str(options.VAR),
        DJANGO_SETTINGS_MODULE="tradingplatform.settings",
        PYTHONUNBUFFERED="1",
        PLATFORM_PYTHON=sys.executable,
        PLATFORM_CHILD=str(ROOT / "tradingplatform" / "launcher" / "child.py"),
        PLATFORM_STARTED=str(started_at),
        PLATFORM_AGAIN=make("run", options.VAR),
        **{OURS: str(options.VAR)},
    )


def _become_supervisor(plan: Plan) -> None:
    var = plan.options.VAR
    chosen = programs(plan)
    write_programs(var, chosen)
    (var / "run" / "supervisord.conf").write_text(render(chosen, as_root=os.geteuid() == 0))
    journal.begin(var)
    for stamp in (var / "run").glob("*.started"):
        stamp.unlink()
    terminal = os.dup(1)
    os.set_inheritable(terminal, True)
    os.environ["PLATFORM_TERMINAL"] = str(terminal)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})  # supervise listens again
    say(painted("  starting the processes ...", DIM))
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "tradingplatform.launcher.supervise"])


def _market(identity: Identity) -> str:
    if identity.replay:
        return f"replay of {identity.replay}"
    return "simulated exchange" if identity.seed is not None else identity.exchange


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _done(text: str) -> None:
    say(f"  {painted('✓', GREEN)} {text}")


def _stop(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
