"""No code path but one can send an order: the gate in execution/submit.py. Read from the sources, tricks included.

Each rule finds a way round the gate; where one is needed, the file that needs it is named. The planted samples show
that a rule sees what it is for.
"""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("tradingplatform", "execution", "risk", "bots", "market", "notifications")

SENDING = {"submit", "place", "_send", "write_entry", "write_exit", "write_stop", "Approved", "_REVIEW_SEAL"}
"""Names that lead to an order: nobody gets at them through a string."""

MAKING = {"create", "acreate", "bulk_create", "abulk_create", "get_or_create", "update_or_create", "add", "set"}
CHANGING = {"update", "aupdate", "bulk_update", "abulk_update", "delete"}
DYNAMIC = {"eval", "exec", "compile", "__import__", "attrgetter", "methodcaller", "import_string"}
HTTP = {"urllib.request", "urllib3", "http.client", "httpx", "requests", "aiohttp", "websockets", "socket", "pycurl"}
VENUE = ("create_order", "createorder", "api/v3/order", "/order/cancelreplace", "/sor/order", "batchorders")
FORGING = {"__new__", "__setattr__", "__class__", "__reduce__", "__setstate__", "pickle", "deepcopy"}

Finder = Callable[[ast.AST], Iterator[ast.AST]]


def attributes(names: set[str]) -> Finder:
    def find(tree: ast.AST) -> Iterator[ast.AST]:
        """Called or merely taken hold of: ``go = executor.submit`` sends as well."""
        return (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in names)

    return find


def strings_to_send(tree: ast.AST) -> Iterator[ast.AST]:
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return (node for node in texts if node.value in SENDING)


def at_the_venue(tree: ast.AST) -> Iterator[ast.AST]:
    """The exchange's own words for placing an order, in strings and in names."""
    for node in ast.walk(tree):
        words = ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value:
            words = node.value
        elif isinstance(node, ast.Attribute):
            words = node.attr
        if any(word in words.lower() for word in VENUE) or words.startswith(("private_post", "privatePost")):
            yield node


def orders_made(tree: ast.AST) -> Iterator[ast.AST]:
    """``Order(...)``, ``Order.objects.create(...)``, ``position.orders.create(...)`` and all their kin."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id == "Order":
            yield node
        elif isinstance(node.func, ast.Attribute):
            of_orders = any(part in ("Order", "orders") for part in chain(node.func.value))
            if (node.func.attr == "Order") or (node.func.attr in MAKING and of_orders):
                yield node


def orders_changed(tree: ast.AST) -> Iterator[ast.AST]:
    """Writes of order rows past their one writer: querysets, and ``order.save()``."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        parts = set(chain(node.func.value))
        past_the_writer = node.func.attr in CHANGING and parts & {"Order", "orders"}
        saved = node.func.attr in ("save", "asave", "save_base") and any("order" in part.lower() for part in parts)
        if past_the_writer or saved:
            yield node


def raw_sql(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        asked = isinstance(node, ast.Attribute) and node.attr in ("cursor", "raw", "executescript")
        if asked or (isinstance(node, ast.Attribute | ast.Name) and chain(node)[-1] in ("RawSQL", "RunSQL")):
            yield node


def dynamic(tree: ast.AST) -> Iterator[ast.AST]:
    """Code made of strings, and calls of what a string named."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            got = node.func
            called = isinstance(got, ast.Call) and isinstance(got.func, ast.Name) and got.func.id == "getattr"
            if (name in DYNAMIC and chain(node.func)[0] != "re") or called:
                yield node


def forged(tree: ast.AST) -> Iterator[ast.AST]:
    """Ways to make an ``Approved`` without its __post_init__, or to change one."""
    for node in ast.walk(tree):
        imported = {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
        text = node.value if isinstance(node, ast.Constant) else node.attr if isinstance(node, ast.Attribute) else ""
        if imported & FORGING or (isinstance(text, str) and text in FORGING):
            yield node


def talks_http(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        if any(name == known or name.startswith(f"{known}.") for name in names for known in HTTP):
            yield node


def constructed(name: str) -> Finder:
    def find(tree: ast.AST) -> Iterator[ast.AST]:
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
        return (node for node in calls if chain(node.func)[-1:] == [name])

    return find


def executors(tree: ast.AST) -> Iterator[ast.AST]:
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return (node for node in classes if any("Executor" in ast.unparse(base) for base in node.bases))


def chain(node: ast.AST) -> list[str]:
    """``Order.objects.filter(x).update`` -> Order, objects, filter, update."""
    match node:
        case ast.Attribute():
            return [*chain(node.value), node.attr]
        case ast.Call():
            return chain(node.func)
        case ast.Name():
            return [node.id]
    return [""]


RULES: dict[str, tuple[Finder, set[str], list[str]]] = {
    # what: (finder, the files that may, samples that it must find)
    "an executor is asked to submit": (
        attributes({"submit"}),
        # the others' are errands of a thread pool
        {"execution/submit.py", "tradingplatform/reconciler.py", "notifications/telegram/database.py"},
        ["means.executor.submit(request, now)", "go = trader.submit", "LiveTrader(desk).submit(r, n)"],
    ),
    "an exchange is asked to place": (
        attributes({"place"}),
        {"execution/live.py"},
        ["desk.place(request)", "platform.desk(account).place(request)"],
    ),
    "a name that sends, in a string": (
        strings_to_send,
        set(),
        ["getattr(executor, 'submit')(r, n)", "setattr(x, '_send', y)", "vars(submit)['_send']"],
    ),
    "the venue's own words": (
        at_the_venue,
        {"market/ccxt_orders.py"},
        ["client.create_order('BTC/USDT')", "post(base + '/api/v3/order', data)", "ccxt.private_post_order({})"],
    ),
    "an order's row is made": (
        orders_made,
        {"execution/intents.py"},
        [
            "Order.objects.create(bot=b)",
            "Order(bot=b).save()",
            "models.Order(bot=b)",
            "Order.objects.bulk_create(rows)",
            "position.orders.create(bot=b)",
            "Order.objects.using('x').get_or_create(bot=b)",
        ],
    ),
    "an order's row is changed": (
        orders_changed,
        {"execution/record.py"},
        ["Order.objects.filter(pk=1).update(status='SENT')", "order.save()", "bot.orders.all().delete()"],
    ),
    "raw SQL": (
        raw_sql,
        {
            "tradingplatform/reading.py",  # sets a transaction's isolation
            "tradingplatform/patience.py",  # sets timeouts
            "tradingplatform/thinning.py",  # gives space back to the disk
            "tradingplatform/beat.py",  # asks whether the database answers
            "tradingplatform/reports/equity_rows.py",  # reads the last snapshot of each day
            "notifications/database_rules.py",  # makes triggers
            "market/http_deadline.py",  # an HTTP response's, not a database's
        },
        ["connection.cursor()", "Order.objects.raw('UPDATE execution_order')", "migrations.RunSQL('x')"],
    ),
    "code made of strings": (
        dynamic,
        {"market/ccxt_connection.py"},  # the exchange's class by its id
        ["eval('x')", "getattr(thing, name)(1)", "operator.methodcaller('submit', r)(e)", "__import__('x')"],
    ),
    "an approval forged": (
        forged,
        set(),
        ["object.__new__(Approved)", "object.__setattr__(a, 'proposal', p)", "copy.deepcopy(a)", "import pickle"],
    ),
    "HTTP": (
        talks_http,
        {
            "market/ccxt_connection.py",
            "market/http_deadline.py",
            "tradingplatform/ai/client.py",  # to the AI, of figures
            "tradingplatform/sim_stats.py",  # reads the simulator's counters
            "tradingplatform/holder.py",  # this machine's name
            "tradingplatform/launcher/child.py",  # whether a process answers on this machine
            "tradingplatform/launcher/preflight.py",  # whether a port is free
            "tradingplatform/launcher/prepare.py",  # the simulator's clock
            "notifications/webhooks/sending.py",  # to the addresses of webhooks
        },
        ["import requests", "from urllib.request import urlopen", "from urllib import request", "import httpx as h"],
    ),
    "leave to sell": (constructed("Reduction"), {"execution/submit.py"}, ["Reduction(1, amount)", "s.Reduction(1, 2)"]),
    "an approval": (constructed("Approved"), {"risk/review.py"}, ["Approved(p, ())", "verdicts.Approved(p, (), s)"]),
    "an executor": (
        executors,
        {"execution/live.py", "execution/paper.py"},
        ["class Fast(BaseExecutor): ...", "class Own(executors.BaseExecutor): ..."],
    ),
}


@cache
def sources() -> list[tuple[str, ast.AST]]:
    return [
        (path.relative_to(ROOT).as_posix(), ast.parse(path.read_text()))
        for floor in FLOORS
        for path in sorted((ROOT / floor).rglob("*.py"))
        if "migrations" not in path.parts
    ]


@pytest.mark.parametrize("what", RULES)
def test_only_those_who_may(what):
    finder, may, _ = RULES[what]
    found = [(name, node) for name, tree in sources() for node in finder(tree)]
    others = [f"{name}:{getattr(node, 'lineno', '?')}" for name, node in found if name not in may]
    assert others == []
    assert {name for name, _ in found} == may, "whoever does not need it any more is taken from the list"


SAMPLES = [(what, sample) for what, (_, _, samples) in RULES.items() for sample in samples]


@pytest.mark.parametrize(("what", "sample"), SAMPLES, ids=[f"{what}: {sample}" for what, sample in SAMPLES])
def test_a_way_round_is_seen(what, sample):
    assert any(RULES[what][0](ast.parse(sample)))


def test_sending_is_called_once():
    """Not only one file: one line."""
    lines = [
        (name, ast.unparse(node))
        for name, tree in sources()
        if name in ("execution/submit.py", "execution/live.py")
        for node in attributes({"submit", "place"})(tree)
    ]
    assert lines == [("execution/live.py", "self._desk.place"), ("execution/submit.py", "executor.submit")]


def test_migrations_write_no_orders():
    for floor in FLOORS:
        for path in sorted((ROOT / floor).glob("migrations/*.py")):
            tree = ast.parse(path.read_text())
            assert not [*orders_made(tree), *dynamic(tree)], path
