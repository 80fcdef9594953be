"""An exchange that cannot be asked, in the words of whoever has to do something about it."""

import os

import pytest

from market.exchange import Transient
from tradingplatform import wiring
from tradingplatform.instruments import ExchangeUnreachable, instruments
from tradingplatform.launcher import folder
from tradingplatform.passwords import password_box


@pytest.fixture
def told(tmp_path, settings, monkeypatch):
    def no_platform():
        raise Transient("no route")

    monkeypatch.setattr(wiring, "platform", no_platform)
    settings.VAR = tmp_path

    def ask(exchange):
        settings.EXCHANGE = exchange
        with pytest.raises(ExchangeUnreachable) as unreachable:
            instruments()
        return str(unreachable.value)

    return ask


def test_a_simulated_exchange_that_is_off(told, tmp_path):
    assert told("simulated") == f"the platform is not running: start it with make run VAR={tmp_path}"


def test_a_simulated_exchange_that_stumbles(told, tmp_path):
    lock = folder.take_lock(tmp_path)
    try:
        text = told("simulated")
    finally:
        os.close(lock)

    assert text == f"the simulated exchange does not answer: see {tmp_path}/log/exchange.log (no route)"


def test_a_real_exchange(told):
    assert told("kraken") == "no answer from kraken: is the internet there? (no route)"


def test_the_password_box_says_how_to_get_another(settings, tmp_path):
    settings.VAR = tmp_path

    assert f"A new one: make password VAR={tmp_path}  |" in password_box("p", 8000)
