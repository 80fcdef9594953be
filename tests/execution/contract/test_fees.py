"""A fee is told in the currency it was taken in, and what that is worth where it is a third one."""

import pytest

from tests.execution.contract.venue import BNB_PRICE, D, require_whole


@pytest.mark.parametrize("currency", ["base", "quote", "BNB"])
def test_it_is_told_in_its_currency(orders, venue, currency):
    request = venue.takes_fees_in(currency)
    report = orders.submit(request)
    require_whole(request, report)
    base, _, quote = request.symbol.partition("/")
    named = {"base": base, "quote": quote}.get(currency, currency)
    assert {fill.fee_currency for fill in report.fills} == {named}
    assert {fill.fee_rate for fill in report.fills} == {BNB_PRICE if currency == "BNB" else None}
    assert orders.query(request) == report


@pytest.mark.parametrize("currency", ["base", "quote", "BNB"])
def test_it_is_a_small_part_of_what_was_traded(orders, venue, currency):
    request = venue.takes_fees_in(currency)
    for fill in orders.submit(request).fills:
        rate = {"base": fill.price, "quote": D(1)}.get(currency, fill.fee_rate)
        assert D("0.00005") < fill.fee * rate / (fill.price * fill.amount) < D("0.002")
