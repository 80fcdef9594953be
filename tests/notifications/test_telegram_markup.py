"""Whatever a text holds, Telegram gets well-formed HTML of a length that it takes."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.telegram.markup import LONGEST, bold, cut, escape, pre, units


class WellFormed(HTMLParser):
    """Raises for a tag that is closed and was not open, or the other way round."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.text = [], ""
        self.feed(html)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_nothing_in_a_text_is_markup():
    assert escape('<b>&"x"</b>') == '&lt;b&gt;&amp;"x"&lt;/b&gt;'
    assert bold("<i>") == "<b>&lt;i&gt;</b>"


def test_a_short_text_stays_as_it_is():
    assert cut("<b>a</b>") == "<b>a</b>"
    assert cut("x" * LONGEST) == "x" * LONGEST


@pytest.mark.parametrize("text", ["x", "&", "<", "😀", "\n"], ids=["x", "amp", "lt", "emoji", "newline"])
def test_a_long_text_is_cut_whole(text):
    html = cut(f"<b>head</b>\n{pre([text * 10_000])}")

    assert units(html) <= LONGEST
    assert html.endswith("…</pre>")
    assert WellFormed(html).text.startswith("head")
    assert not re.search(r"&[a-z]*(?!;)$", html.removesuffix("…</pre>"))


def test_a_surrogate_alone_does_no_harm():
    assert units("\ud800") == 1


@given(st.lists(st.text(alphabet="ab<>&;😀 \n", max_size=60), max_size=30), st.integers(40, 300))
def test_any_text_at_any_length(texts, longest):
    whole = "".join(bold(text) if number % 2 else f"<pre>{bold(text)}</pre>" for number, text in enumerate(texts))

    html = cut(whole, longest)

    assert units(html) <= longest
    assert unescape(whole) == unescape(html) or WellFormed(html).text.endswith("…")
