"""The scanner agrees with the standard parser about which keys there are, and knows their lines."""

import tomllib

import pytest

from tradingplatform.fleet.lines import key_lines, line_of

TEXT = '''\
# [not.a.table]
title = "a # is no comment here"

[account]
name = 'x = [1]'  # a = 3
text = """
[inside]
a = 1 \\""" still inside
"""
raw = \'\'\'
b = 2
\'\'\'

[grid]
BTC = { 15m = "rsi", "1h" = [1, 2], deep = { er = 1979-05-27T07:32:00Z } }
"A ] B".'c'.d = 0x1F

[[bots]]
name = "one"
list = [
  1,
  # a comment, with ] and ,
  { a = 1 }, "x,]",
]

[[bots]]
name = "two"
  [bots.parameters]
  fast = +1_000.5
[[bots.orders]]
id = 1
[[bots.orders]]
id = 2
'''


def paths(value, path=()):
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*path, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from paths(item, (*path, i))


def test_every_key_of_the_parser_has_a_line():
    lines = key_lines(TEXT)
    assert set(paths(tomllib.loads(TEXT))) == set(lines)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("account",), 4),
        (("account", "name"), 5),
        (("account", "raw"), 10),
        (("grid", "BTC", "deep", "er"), 15),
        (("grid", "A ] B", "c", "d"), 16),
        (("bots", 0, "list"), 20),
        (("bots", 0, "list", 0), 21),
        (("bots", 0, "list", 1, "a"), 23),
        (("bots", 1, "parameters", "fast"), 29),
        (("bots", 1, "orders", 1, "id"), 33),
        (("bots", 1, "nothing"), 26),
        (("nothing",), 1),
    ],
)
def test_lines(path, line):
    assert line_of(key_lines(TEXT), path) == line


def test_windows_line_ends():
    assert key_lines("a = 1\r\n[b]\r\nc = 2\r\n")["b", "c"] == 3
