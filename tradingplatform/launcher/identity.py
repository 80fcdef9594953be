"""Which market a VAR folder belongs to. One folder, one market: money of two markets must never meet in one ledger."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tradingplatform.launcher.options import Options
from tradingplatform.launcher.refusal import Refusal

DEFAULT_SEED = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """``replay`` is the folder of recorded candles; ``seed`` says which invented market it is otherwise."""

    exchange: str
    replay: str | None = None
    seed: int | None = None


def same_market(var: Path, options: Options) -> Identity:
    """What VAR belongs to; a new VAR belongs to what was asked for. Raises Refusal when it is another market's.

    A variable that was not given means "as before": only a contradiction is refused.
    """
    path = var / "platform.json"
    try:
        stored = Identity(**json.loads(path.read_text()))
    except FileNotFoundError:
        return _asked(options)
    except (ValueError, TypeError) as error:
        raise Refusal(f"{path} cannot be read ({error}): restore it, or start anew with another VAR") from None
    wishes = {
        "EXCHANGE": (options.EXCHANGE, stored.exchange),
        "REPLAY": (str(options.REPLAY) if options.REPLAY else None, stored.replay),
        "SEED": (options.SEED, stored.seed),
    }
    for name, (wish, kept) in wishes.items():
        if wish != kept and (name == "EXCHANGE" or options.asked_for(name)):
            raise Refusal(
                f"VAR={var} belongs to {name}={kept or '(none)'}, not {wish}: "
                f"give it a folder of its own: make run VAR=var-{_word(wish)} {name}={wish}"
            )
    return stored


def keep_identity(var: Path, identity: Identity) -> None:
    path = var / "platform.json"
    if not path.exists():
        path.write_text(json.dumps(asdict(identity)) + "\n")


def _asked(options: Options) -> Identity:
    if not options.simulated:
        return Identity(options.EXCHANGE)
    if options.REPLAY:
        return Identity(options.EXCHANGE, replay=str(options.REPLAY))
    return Identity(options.EXCHANGE, seed=DEFAULT_SEED if options.SEED is None else options.SEED)


def _word(wish: object) -> str:
    return Path(str(wish)).name
