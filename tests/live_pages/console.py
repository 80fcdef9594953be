"""The console as a person sees it: a real web process over its own database, and Debian's Chromium."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.rig import ROOT, until
from tests.stream_rig import StreamRig

PASSWORD = "a long one for tests"
LIVE, RISK = "/admin/notifications/event/live/", "/admin/notifications/event/risk/"
CHROMIUM = shutil.which("chromium")

expect.set_options(timeout=20_000)


class Console(StreamRig):
    """``say`` writes rows; ``clients`` is what the server counts."""

    words: subprocess.Popen[str] | None = None

    def serve(self) -> None:
        if self.words is None:
            self.run(sys.executable, "manage.py", "collectstatic", "--no-input", "-v0")
            command = [sys.executable, "-m", "tests.live_pages.words"]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            self.words = subprocess.Popen(command, cwd=ROOT, env=self.environment, **pipes)
        super().serve()

    def say(self, do: str, **of: Any) -> Any:
        assert self.words
        self.words.stdin.write(f"{json.dumps({'do': do, **of})}\n")
        self.words.stdin.flush()
        return json.loads(self.words.stdout.readline())

    def clients(self) -> int:
        with urlopen(f"{self.url}/metrics", timeout=10) as answer:
            return int(float(re.search(r"^trading_stream_clients (\S+)", answer.read().decode(), re.MULTILINE)[1]))

    def until_clients(self, number: int) -> None:
        until(lambda: self.clients() == number, f"{number} connections, not {self.clients()}", 30)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.stop()
        if self.words:
            self.words.communicate()


class Person:
    """One browser with its own cookies. ``tabs`` are its pages; what goes wrong in one is in ``errors``."""

    def __init__(self, console: Console, context: BrowserContext) -> None:
        self.console, self.context = console, context
        self.errors: list[str] = []
        self.elsewhere: list[str] = []

    def open(self, path: str = LIVE) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._note(request.url))
        page.goto(f"{self.console.url}{path}")
        return page

    def log_in(self, name: str, path: str = LIVE) -> Page:
        page = self.open(path)
        page.fill("#id_username", name)
        page.fill("#id_password", PASSWORD)
        page.locator("#id_password").press("Enter")
        page.wait_for_url(f"**{path}")
        return page

    def _note(self, url: str) -> None:
        if not url.startswith((self.console.url, "data:", "blob:")):
            self.elsewhere.append(url)


@contextmanager
def console(var: Path) -> Iterator[Console]:
    rig = Console(var)
    try:
        rig.say("person", name="ann-by-form", password=PASSWORD)
        rig.say("person", name="ben-by-form", password=PASSWORD)
        yield rig
    finally:
        rig.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Skips, visibly, where there is none."""
    if CHROMIUM is None:
        pytest.skip("there is no browser: install Debian's chromium (apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def until_live(page: Page) -> None:
    expect(state(page)).to_have_attribute("data-state", "live")


def state(page: Page) -> Any:
    return page.locator(".feed-state")


def texts(page: Page) -> list[str]:
    return page.locator("#feed tbody tr:visible [data-cell=text]").all_inner_texts()
