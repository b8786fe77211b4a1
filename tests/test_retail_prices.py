"""Rows of the Retail Prices API to prices: which row counts, what is refused, what is only reported."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from ptucalc import load_prices
from ptucalc.catalog import TokenClass
from ptucalc.prices import PtuTerm
from ptucalc.retail_prices import PriceKey, RetailPrices, retail_prices

from .retail import (
    DATA_ZONE,
    GLOBAL,
    HERE,
    PTU_LINE,
    REAL,
    REGIONAL,
    RESERVATIONS,
    THERE,
    TODAY,
    a_book,
    a_ptu_row,
    a_reservation,
    a_row,
    numbers_as_text,
    sample,
)

INPUT, CACHED, OUTPUT = TokenClass.INPUT, TokenClass.CACHED_INPUT, TokenClass.OUTPUT
OAK = PriceKey("oak", GLOBAL, INPUT)


def read(*rows: dict[str, Any]) -> RetailPrices:
    return retail_prices(rows, a_book(), region=HERE, today=TODAY)


def prices(found: RetailPrices) -> dict[PriceKey, Fraction]:
    return {price.key: price.usd for price in found.found}


def unused(*rows: dict[str, Any]) -> list[str]:
    """Why these rows are not used; none of them gives a price."""
    found = read(*rows)
    assert found.found == ()
    return [row.reason for row in found.unused]


def test_a_price_per_1k_and_a_price_per_1m_both_become_one_per_1m() -> None:
    # 0.0025 for 1,000 tokens is 2.5 for a million; in floats, 0.000055 x 1000 is not 0.055
    assert prices(read(a_row("Oak inp Gl", "0.0025", unitOfMeasure="1K"))) == {OAK: Fraction(5, 2)}
    assert prices(read(a_row("Oak inp Gl", "2.5"))) == {OAK: Fraction(5, 2)}
    assert prices(read(a_row("Oak inp Gl", "5.5e-05", unitOfMeasure="1K"))) == {OAK: Fraction(55, 1000)}


@pytest.mark.parametrize("unit", ["", "1", "1 M", "1/Hour", "1k"])
def test_a_unit_that_is_not_known_is_no_price(unit: str) -> None:
    assert unused(a_row("Oak inp Gl", 2, unitOfMeasure=unit)) == [f"its unit {unit or '(empty)'} is not known here"]


def test_meters_are_compared_without_case_and_with_single_spaces() -> None:
    assert prices(read(a_row("  OAK  inp gl ", 3))) == {OAK: 3}


def test_a_meter_that_only_resembles_a_known_one_is_never_priced() -> None:
    found = read(a_row("Oak inp Gl 2", 3), a_row("Oak Batch inp Gl", 3), a_row("Oak-inp-Gl", 3))
    assert found.found == () and found.others == 3


def test_a_known_meter_of_another_product_is_another_meter() -> None:
    found = read(
        a_row("Oak inp Gl", 3, productName=f"{PTU_LINE} Flowers"),
        a_ptu_row("Unit Global", 3, productName="Somebody Else's Models"),
    )
    assert found.found == () and found.others == 2


def test_of_rows_that_differ_in_their_start_the_latest_begun_counts() -> None:
    rows = [a_row("Oak inp Gl", usd, since) for usd, since in ((5, "2029-01-01"), (4, "2030-06-15"), (3, "2028-01-01"))]
    found = read(*rows)
    assert prices(found) == {OAK: 4} and found.superseded == 2
    assert found.found[0].since == TODAY  # a price that starts today has begun


def test_a_price_that_starts_tomorrow_is_announced_and_not_used() -> None:
    found = read(a_row("Oak inp Gl", 2), a_row("Oak inp Gl", 9, "2030-06-16"), a_row("Oak opt Gl", 7, "2031-01-01"))
    assert prices(found) == {OAK: 2}
    assert [(each.key, each.usd, each.since) for each in found.announced] == [
        (OAK, 9, date(2030, 6, 16)),
        (PriceKey("oak", GLOBAL, OUTPUT), 7, date(2031, 1, 1)),
    ]


def test_another_region_has_other_prices() -> None:
    # the known price is 2; here it is 3, there it is 4: neither the least nor the first counts
    rows = [
        a_row("Oak inp Gl", 4, armRegionName=THERE),
        a_row("Oak inp Gl", 3),
        a_row("Oak inp Gl", 1, armRegionName=""),
    ]
    found = read(*rows)
    assert prices(found) == {OAK: 3} and (found.rows, found.other_regions) == (3, 2)


def test_a_ptu_costs_what_its_meter_says_an_hour() -> None:
    assert prices(read(a_ptu_row("Unit Data zone", "1.1"))) == {
        PriceKey("", DATA_ZONE, PtuTerm.HOURLY): Fraction(11, 10)
    }


def test_a_ptu_meter_with_another_unit_is_no_price() -> None:
    # "1 Hour" is the unit of hosting a fine-tuned model, "1/Month" that of PTU as they were sold once
    reasons = [f"its unit {unit} is not known here" for unit in ("1 Hour", "1/Month", "1M")]
    assert [
        unused(a_ptu_row("Unit Global", 312, unitOfMeasure=unit))[0] for unit in ("1 Hour", "1/Month", "1M")
    ] == reasons


def test_a_reservation_costs_its_price_for_the_whole_term_whatever_its_unit_says() -> None:
    # not 260 x 730 hours, and the year is not 12 x 2652
    found = read(a_reservation("Unit Global", 260, "1 Month"), a_reservation("Unit Global", 2652, "1 Year"))
    assert prices(found) == {PriceKey("", GLOBAL, PtuTerm.ONE_MONTH): 260, PriceKey("", GLOBAL, PtuTerm.ONE_YEAR): 2652}
    assert found.changes[0].now == 2652 and found.unchanged == 1


def test_a_reservation_for_a_term_that_is_not_known_is_reported() -> None:
    assert unused(a_reservation("Unit Global", 5000, "3 Years")) == ["a reservation for 3 Years is not known here"]


def test_reservations_of_something_else_are_ignored() -> None:
    plan = a_reservation("Unit Global", 19000, "1 Year", productName="Agent Plan")
    hourly = a_reservation("Unit Global", 19000, "1 Year", productName=PTU_LINE)
    found = read(plan, hourly)
    assert found.found == () and found.unused == () and found.others == 2


def test_an_hourly_row_of_the_reservations_product_is_no_hourly_price() -> None:
    assert read(a_ptu_row("Unit Global", 1, productName=RESERVATIONS)).found == ()


@pytest.mark.parametrize("price", ["0", "0.0", "-1", "", "nan", "1e999999999", "two", "9" * 50])
def test_what_is_no_amount_over_0_is_reported_and_not_used(price: str) -> None:
    assert unused(a_row("Oak inp Gl", price)) == [f"its price {price or '(empty)'} is no amount over 0"]


def test_an_older_price_does_not_stand_in_for_one_that_cannot_be_used() -> None:
    reasons = unused(a_row("Oak inp Gl", 2, "2029-01-01"), a_row("Oak inp Gl", 0, "2030-01-01"))
    assert reasons == ["its price 0 is no amount over 0"]


def test_a_price_with_more_decimals_than_can_be_written_is_not_used() -> None:
    price = "0.0000000000001"
    assert unused(a_row("Oak inp Gl", price)) == [f"its price {price} has more decimals than any published one"]
    assert prices(read(a_row("Oak inp Gl", "0.000000000001"))) == {OAK: Fraction(1, 10**12)}


def test_two_different_prices_from_the_same_day_are_none() -> None:
    assert unused(a_row("Oak inp Gl", 2), a_row("Oak inp Gl", 3)) == ["two prices from the same day"]


def test_the_same_row_twice_is_one_price() -> None:
    assert prices(read(a_row("Oak inp Gl", 2), a_row("Oak inp Gl", "2.0"))) == {OAK: 2}


def test_a_price_for_large_quantities_only_is_not_used() -> None:
    assert unused(a_row("Oak inp Gl", 2, tierMinimumUnits="100")) == ["a price only from 100 units on"]


def test_a_row_whose_two_prices_differ_is_not_used() -> None:
    assert unused(a_row("Oak inp Gl", 2, unitPrice="1.5")) == ["retailPrice 2 and unitPrice 1.5 differ"]


def test_a_price_that_has_ended_is_not_used() -> None:
    assert unused(a_row("Oak inp Gl", 2, effectiveEndDate="2030-06-14T00:00:00Z")) == ["it ended on 2030-06-14"]
    assert prices(read(a_row("Oak inp Gl", 2, effectiveEndDate="9999-12-31T00:00:00Z"))) == {OAK: 2}


def test_a_price_that_will_end_is_named_unless_another_is_announced() -> None:
    ending = {"effectiveEndDate": "2030-06-30T23:59:00Z"}
    found = read(
        a_row("Oak inp Gl", 2, **ending), a_row("Oak opt Gl", 8, **ending), a_row("Oak opt Gl", 9, "2030-07-01")
    )
    assert [(price.key, price.ends) for price in found.ending] == [(OAK, date(2030, 6, 30))]
    assert read(a_row("Oak inp Gl", 2, effectiveEndDate="9999-12-31T00:00:00Z")).ending == ()


def test_a_row_without_a_day_is_reported() -> None:
    assert unused(a_row("Oak inp Gl", 2, effectiveStartDate="soon")) == ["its start soon is no date"]
    assert unused(a_row("Oak inp Gl", 2, effectiveStartDate=None)) == ["its start (empty) is no date"]


def test_rows_of_any_shape_are_no_bug() -> None:
    found = read({}, {"meterName": ["Oak"], "armRegionName": {"a": 1}}, a_row("Oak inp Gl", None, retailPrice=True))
    assert found.found == () and found.rows == 3


def test_a_test_price_is_no_price() -> None:
    assert read(a_row("Oak inp Gl", 1, type="DevTestConsumption")).found == ()


def test_what_changed_is_told_against_the_known_price() -> None:
    found = read(
        a_row("Oak inp Gl", 3),  # 2 before: half more
        a_row("Oak cd inp Gl", "0.5"),  # as before
        a_row("Oak inp Dz", 5),  # known for another region only
        a_row("Oak LongCo inp Gl", "1.99"),  # 4 before: less than half is left
        a_ptu_row("Unit Regional", "3.0001"),  # 2 before
    )
    assert [(change.key.label, change.was, change.now, change.is_jump) for change in found.changes] == [
        ("PTU, Regional, hourly", 2, Fraction("3.0001"), True),
        ("oak, Global, input", 2, 3, False),
        ("oak, Global, input, long context", 4, Fraction("1.99"), True),
        ("oak, Data zone, input", None, 5, False),
    ]
    assert found.unchanged == 1 and [jump.key.label[:3] for jump in found.jumps] == ["PTU", "oak"]
    assert found.changes[1].share == Fraction(1, 2)


def test_a_class_that_was_billed_as_input_has_no_known_price() -> None:
    book = a_book()
    oak = book.models["oak"]
    meters = {INPUT: "Oak inp Gl", TokenClass.CACHE_WRITE: "Oak wr Gl"}
    models = {"oak": {**oak, GLOBAL: oak[GLOBAL]._replace(meters=meters)}}
    book = type(book)(**{**vars(book), "models": models})
    found = retail_prices([a_row("Oak wr Gl", 9)], book, region=HERE, today=TODAY)
    assert [(change.was, change.now) for change in found.changes] == [(None, 9)]


def test_known_prices_that_are_not_listed_are_named() -> None:
    found = read(a_row("Oak inp Gl", 2), a_row("Oak cd inp Gl", 0), a_row("Oak opt Gl", 8, "2031-01-01"))
    labels = [key.label for key in found.not_listed]  # the meter of a bad or future row is listed
    assert labels == [
        "PTU, Global, hourly",
        "PTU, Global, 1-month",
        "PTU, Regional, hourly",
        "oak, Global, input, long context",
    ]
    assert found.without_meter == 2  # batch, in and out


@pytest.mark.parametrize(
    "meter",
    [
        "Oak ft inp Gl",
        "Oak grdr inp",
        "oak-large-grader",
        "Oak hosting",
        "Oak rft inp",
        "Oak-aud-inp",
        "Oak rt txt inp",
        "Oak img inp",
        "Oak tts inp",
        "Oak transcribe inp",
        "Oak Batch inp Gl",
        "Oak BatchOutp DataZone",
        "Oak ShortCo Inp PP Gl",
    ],
)
def test_meters_that_are_known_to_be_something_else_are_only_counted(meter: str) -> None:
    found = read(a_row(meter, 1))
    assert found.new_meters == () and found.others == 1


def test_a_new_token_meter_is_reported_once_and_not_priced() -> None:
    found = read(
        a_row("Elm inp Gl", 1),
        a_row("Elm  INP Gl", 2, "2031-01-01"),
        a_row("Elm inp Gl", 1, productName="Somebody Else's Models"),
        a_row("Elm hour", 1, unitOfMeasure="1 Hour"),
        a_row("Elm left part inp Gl", 3, productName=f"{PTU_LINE} Trees II"),  # "left", "part": not ft, not rt
    )
    assert found.found == ()
    assert [(meter.meter, meter.since) for meter in found.new_meters] == [
        ("Elm inp Gl", "2030-01-01"),
        ("Elm left part inp Gl", "2030-01-01"),
    ]


def test_two_models_may_share_a_meter() -> None:
    book = a_book()
    models = {**book.models, "oak-2": book.models["oak"]}
    products = {**book.model_products, "oak-2": book.model_products["oak"]}
    book = type(book)(**{**vars(book), "models": models, "model_products": products})
    found = retail_prices([a_row("Oak inp Gl", 3)], book, region=HERE, today=TODAY)
    assert prices(found) == {OAK: 3, OAK._replace(model="oak-2"): 3}


def committed(name: str) -> list[dict[str, Any]]:
    return [numbers_as_text(json.dumps(row)) for row in sample(name)]


# The rows of the committed samples; each value is the retailPrice of one row that can be read there, x 1000 where per 1K.


@pytest.mark.parametrize(
    ("region", "today", "expected"),
    [
        ("eastus2", date(2026, 11, 22), {GLOBAL: "1", DATA_ZONE: "1.1", REGIONAL: "2"}),
        ("westeurope", date(2026, 8, 31), {GLOBAL: "1", DATA_ZONE: "1.1", REGIONAL: "2.4"}),
        ("westeurope", date(2026, 9, 1), {GLOBAL: "1", DATA_ZONE: "1.2", REGIONAL: "2.72"}),
        ("swedencentral", date(2026, 11, 22), {GLOBAL: "1", DATA_ZONE: "1.2", REGIONAL: "2.36"}),
        ("australiaeast", date(2026, 8, 15), {GLOBAL: "1", DATA_ZONE: "1.2", REGIONAL: "2"}),
        ("australiaeast", date(2026, 11, 22), {GLOBAL: "1", DATA_ZONE: "1.2", REGIONAL: "2.28"}),
    ],
)
def test_ptu_prices_of_the_sample(region: str, today: date, expected: dict[Any, str]) -> None:
    found = retail_prices(committed("ptu_hourly_after_2026-09-01"), load_prices(), region=region, today=today)
    assert prices(found) == {PriceKey("", kind, PtuTerm.HOURLY): Fraction(usd) for kind, usd in expected.items()}
    assert found.unused == () and found.new_meters == ()


def test_reservations_of_the_sample() -> None:
    found = retail_prices(
        committed("ptu_reservations_eastus2"), load_prices(), region="eastus2", today=date(2026, 11, 22)
    )
    month, year = PtuTerm.ONE_MONTH, PtuTerm.ONE_YEAR
    assert prices(found) == {
        PriceKey("", kind, term): usd
        for kind, term, usd in (
            (GLOBAL, month, 260),
            (GLOBAL, year, 2652),
            (DATA_ZONE, month, 286),
            (DATA_ZONE, year, 2916),
            (REGIONAL, month, 286),
            (REGIONAL, year, 2916),
        )
    }
    assert (found.unchanged, found.other_regions) == (6, 1)  # the agents' plan has no region


def test_tokens_of_the_sample() -> None:
    rows = committed("tokens_page1") + committed("tokens_page2_last")
    here = prices(retail_prices(rows, load_prices(), region="eastus2", today=date(2026, 11, 22)))
    there = prices(retail_prices(rows, load_prices(), region="westeurope", today=date(2026, 11, 22)))
    assert here[PriceKey("gpt-4.1", GLOBAL, INPUT)] == 2  # 0.002 per 1K
    assert here[PriceKey("gpt-4o-mini", GLOBAL, CACHED)] == Fraction(75, 1000)  # 7.5e-05 per 1K
    assert here[PriceKey("gpt-5.6-sol", GLOBAL, INPUT)] == 4  # 5 until 2026-09-01
    assert here[PriceKey("gpt-6-sol", DATA_ZONE, INPUT)] == Fraction("2.2")
    assert there[PriceKey("gpt-6-sol", DATA_ZONE, INPUT)] == Fraction("2.4")
    before = prices(retail_prices(rows, load_prices(), region="eastus2", today=date(2026, 8, 31)))
    assert before[PriceKey("gpt-5.6-sol", GLOBAL, INPUT)] == 5
    assert PriceKey("gpt-6-sol", GLOBAL, INPUT) not in before


def test_the_odd_rows_of_the_sample() -> None:
    found = retail_prices(
        committed("edge_unknown_zero_future"), load_prices(), region="eastus2", today=date(2026, 11, 22)
    )
    assert found.found == ()
    assert [(row.meter, row.reason) for row in found.unused] == [
        ("GPT 5 Inpt Glbl 1M Tokens", "its price 0.0 is no amount over 0")
    ]
    assert [(each.key.label, each.usd, each.since) for each in found.announced] == [
        ("gpt-5, Global, input", Fraction(11, 10), date(2027, 1, 1))
    ]
    assert [(each.meter, each.since) for each in found.new_meters] == [
        ("6.2-nova ShortCo Inp Std Gl 1M Tokens", "2026-12-01"),
        ("mystery Qz 1M Tokens", "2026-10-01"),
    ]


CAPTURED = date(2026, 8, 15)


def captured(region: str) -> RetailPrices:
    path = REAL / f"{region}_foundry_models_subset_2026-08-15.json"
    if not path.exists():
        pytest.skip("../shared/facts/retail_prices_api is not here")
    rows = numbers_as_text(path.read_text(encoding="utf-8"))["Items"]
    return retail_prices(rows, load_prices(), region=region, today=CAPTURED)


REPRICED = ("gpt-5.6-luna", "gpt-5.6-sol")
"""Repriced after the capture was made: their remarks in the price file."""


@pytest.mark.parametrize(
    ("region", "found", "known", "ptu"),
    [
        # of the known prices, those of PTU that were replaced on 2026-09-01 (their `replaces` in the price file)
        ("eastus2", 176, 176, {}),
        ("westeurope", 158, 99, {(DATA_ZONE, "1.2", "1.1"), (REGIONAL, "2.72", "2.4")}),
        ("australiaeast", 106, 98, {(REGIONAL, "2.28", "2")}),
    ],
)
def test_the_known_prices_agree_with_a_real_capture(region: str, found: int, known: int, ptu: Any) -> None:
    real = captured(region)
    new = [change for change in real.changes if change.was is None]
    assert (len(real.found), len(real.found) - len(new), real.unused) == (found, known, ())
    differing = [change for change in real.changes if change.was is not None and change.key.model not in REPRICED]
    assert {(change.key.deployment_type, change.was, change.now) for change in differing} == {
        (kind, Fraction(was), Fraction(now)) for kind, was, now in ptu
    }
    luna = PriceKey("gpt-5.6-luna", GLOBAL, INPUT)  # its remark: 1 in before
    assert prices(real)[luna] == 1


@pytest.mark.parametrize("region", ["eastus2", "westeurope", "australiaeast"])
def test_every_token_meter_of_a_real_capture_is_known_or_of_something_else(region: str) -> None:
    assert captured(region).new_meters == ()


def test_a_real_capture_names_the_last_day_of_prices_that_changed_later() -> None:
    ends = {(price.key.deployment_type, price.ends) for price in captured("westeurope").ending}
    assert ends == {(DATA_ZONE, date(2026, 8, 31)), (REGIONAL, date(2026, 8, 31))}  # PTU, 1.1 and 2.4 until then


def test_a_real_capture_has_a_superseded_row() -> None:
    real = captured("australiaeast")  # Data zone PTU: 1.1 from 2026-06-01, 1.2 from 2026-08-01
    assert real.superseded == 1 and prices(real)[PriceKey("", DATA_ZONE, PtuTerm.HOURLY)] == Fraction("1.2")
