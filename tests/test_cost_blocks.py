"""How costs are shown: order, marks, bars, ranges, what is not known. Every text worked by hand (tests/priced.py).

12 calls a minute are $5,256 a month on Global pay-as-you-go (12 x 438) and need 15 PTU, which are $5,475 by the hour (15 x
365), $4,500 on a month (15 x 300), $3,000 on a year (15 x 200). 10 PTU hold 10 of them: the other 2 spill for $876, so
that a mix is 3,650 + 876 = $4,526 by the hour, 3,000 + 876 = $3,876 on a month, 2,000 + 876 = $2,876 on a year.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

import pytest

from ptucalc.catalog import LongContext
from ptucalc.cost_result import CostComparison
from ptucalc.deployment_cost import Increment
from ptucalc.hybrid import Range
from ptucalc.prices import PriceTier
from ptucalc.report.blocks import Headline, Remark, Table
from ptucalc.report.console import show
from ptucalc.report.cost_blocks import cost_blocks
from ptucalc.report.currency import Currency
from ptucalc.report.markdown import markdown
from ptucalc.workload import LoadProfile

from .invented import DATA_ZONE, EVERYWHERE, GLOBAL, REGIONAL, a_catalog, a_model, calls, only, weights
from .priced import (
    ALDER,
    HERE,
    HOURLY,
    MONTH,
    PER_HOUR,
    PER_TERM,
    PLAIN,
    THERE,
    YEAR,
    a_book,
    book_of,
    compared,
    messages,
    ptu_row,
    row,
    scope,
)

F, D = Fraction, Decimal
EUR = Currency("EUR", F(9, 10))
HOUR_AND_YEAR = {key: rows for key, rows in PER_TERM.items() if key[1] is YEAR}
"""Reservation prices without those of a month."""


def levels(*pairs):
    return LoadProfile.from_levels(pairs)


def on_global(workloads=None, **given) -> CostComparison:
    return compared(workloads or calls(12), **{"deployment_types": (GLOBAL,), **given})


def tables(result: CostComparison, first: str, **view) -> list[Table]:
    """The tables whose first column has this title."""
    return [b for b in cost_blocks(result, **view) if isinstance(b, Table) and b.columns[0].title == first]


def grid(result: CostComparison, first: str, **view) -> list[list[str]]:
    """The texts of the only such table."""
    (table,) = tables(result, first, **view)
    return [[cell.text for cell in row] for row in table.rows]


def column(result: CostComparison, first: str, title: str, **view) -> list[str]:
    """The texts of one column of the only such table."""
    (table,) = tables(result, first, **view)
    at = [c.title for c in table.columns].index(title)
    return [row[at].text for row in table.rows]


def ways(result: CostComparison, **view) -> list[list[str]]:
    return grid(result, "Way to buy", **view)


def remarks(result: CostComparison, label: str, **view) -> list[str]:
    return [b.text for b in cost_blocks(result, **view) if isinstance(b, Remark) and b.label == label]


def headlines(result: CostComparison, **view) -> list[tuple[str, str]]:
    return [tuple(b) for b in cost_blocks(result, **view) if isinstance(b, Headline)]


def shown(result: CostComparison, *, width: int | None = None, **view) -> str:
    stream = io.StringIO()
    show(cost_blocks(result, **view), stream, width=width)
    return stream.getvalue()


def two_models(*workloads, **given) -> CostComparison:
    """Alder, and Birch that is priced like it."""
    catalog = a_catalog(a_model("Alder"), a_model("Birch"))
    book = a_book(models={"alder": ALDER, "birch": ALDER})
    return compared(workloads, **{"catalog": catalog, "book": book, **given})


def with_ranges(*ranges: tuple[str, str | None]) -> CostComparison:
    """A comparison whose hourly break-even has these ranges."""
    result = on_global(terms=(HOURLY,))
    (d,) = result.deployments
    made = tuple(Range(F(start), None if end is None else F(end)) for start, end in ranges)
    return result._replace(deployments=(d._replace(break_even=(d.break_even[0]._replace(cheaper_rpm_ranges=made),)),))


def cheaper_at(result: CostComparison) -> list[str]:
    return column(result, "Term", "Full PTU is cheaper at")


# Ways to buy


def test_ways_are_listed_from_the_cheapest_to_the_dearest_with_all_their_figures() -> None:
    # against 5,256: 2,876 is 54.72 %, 3,000 57.08 %, 3,876 73.74 %, 4,500 85.62 %, 4,526 86.11 %, 5,475 104.17 %.
    # A million tokens: 12 x 1,000 x 43,800 = 525.6 million; 2,876 / 525.6 = 5.472, ... 5,475 / 525.6 = 10.417.
    # Bars: 12 marks are 3 x 2,876, one is 719: 2,000 / 719 = 2.78 of 4; 4.17; 4.17 of 5.39; 6.26; 5.08 of 6.29; 7.31; 7.61
    assert ways(on_global()) == [
        ["● Mix, 1-year", "10", "$2,000", "$876.00", "$2,876", "−45%", "███░", "$5.47"],
        ["  All PTU, 1-year", "15", "$3,000", "—", "$3,000", "−43%", "████", "$5.71"],
        ["  Mix, 1-month", "10", "$3,000", "$876.00", "$3,876", "−26%", "████░", "$7.37"],
        ["  All PTU, 1-month", "15", "$4,500", "—", "$4,500", "−14%", "██████", "$8.56"],
        ["  Mix, hourly", "10", "$3,650", "$876.00", "$4,526", "−14%", "█████░", "$8.61"],
        ["  Pay-as-you-go", "—", "—", "$5,256", "$5,256", "—", "░░░░░░░", "$10.00"],
        ["  All PTU, hourly", "15", "$5,475", "—", "$5,475", "+4.2%", "████████", "$10.42"],
    ]


def test_the_columns_of_the_ways_say_what_they_are() -> None:
    (table,) = tables(on_global(), "Way to buy")
    assert [column.title for column in table.columns] == ["Way to buy", "PTU", "Fixed", "Spillover", "A month", "vs PAYG", "█ PTU ░ PAYG", "Per 1M tokens"]  # fmt: skip
    assert [column.right for column in table.columns] == [False, True, True, True, True, True, False, True]
    assert [column.optional for column in table.columns] == [False] * 6 + [True] * 2


def test_the_cheapest_way_stands_out() -> None:
    (table,) = tables(on_global(), "Way to buy")
    assert [row[0].style for row in table.rows] == ["bold"] + [""] * 6
    assert {row[4].style for row in table.rows} == {"bold"}


def test_only_the_cheapest_way_is_marked() -> None:
    assert [way[0][0] for way in ways(on_global(calls(1)))] == ["●", " ", " ", " "]
    assert ways(on_global(calls(1)))[0][0] == "● Pay-as-you-go"  # 438, against 10 x 200


def test_ways_that_cost_the_same_are_all_marked() -> None:
    same = {(GLOBAL, MONTH): ((ptu_row(200),),), (GLOBAL, YEAR): ((ptu_row(2400),),)}
    found = [way[0] for way in ways(on_global(book=a_book(reservations=same)))]
    assert found[:3] == ["● Mix, 1-month", "● Mix, 1-year", "  All PTU, 1-month"]


def test_the_mark_is_a_question_where_a_price_is_not_known() -> None:
    found = ways(on_global(book=a_book(reservations=HOUR_AND_YEAR)))
    assert [way[0] for way in found] == ["? Mix, 1-year", "  All PTU, 1-year", "  Mix, hourly", "  Pay-as-you-go", "  All PTU, hourly", "  All PTU, 1-month"]  # fmt: skip


def test_the_mark_is_a_question_where_no_mix_can_be_seen() -> None:
    # an average of 6: 2,628; the peak's 15 PTU on a year are 3,000
    result = on_global(calls(12, average_requests_per_minute=6))
    assert [way[0] for way in ways(result)] == ["? Pay-as-you-go", "  All PTU, 1-year", "  All PTU, 1-month", "  All PTU, hourly"]  # fmt: skip


def test_an_unknown_way_comes_last_and_says_unknown_never_0_or_nothing() -> None:
    *_, last = ways(on_global(book=a_book(reservations=HOUR_AND_YEAR)))
    assert last == ["  All PTU, 1-month", "15", "unknown", "unknown", "unknown", "—", "", "—"]


def test_without_a_pay_as_you_go_price_nothing_is_the_cheapest_and_nothing_is_compared() -> None:
    # a PTU alone on its price: 3,000, 4,500, 5,475; 525.6 million tokens
    assert ways(on_global(book=a_book(models={}))) == [
        ["  All PTU, 1-year", "15", "$3,000", "—", "$3,000", "—", "", "$5.71"],
        ["  All PTU, 1-month", "15", "$4,500", "—", "$4,500", "—", "", "$8.56"],
        ["  All PTU, hourly", "15", "$5,475", "—", "$5,475", "—", "", "$10.42"],
        ["  Pay-as-you-go", "—", "—", "unknown", "unknown", "—", "", "—"],
    ]


def test_a_mix_that_is_all_pay_as_you_go_is_not_listed_again() -> None:
    # 1 call: 438, no size pays
    assert [way[0] for way in ways(on_global(calls(1)))] == ["● Pay-as-you-go", "  All PTU, 1-year", "  All PTU, 1-month", "  All PTU, hourly"]  # fmt: skip


def test_a_mix_that_is_the_size_of_the_peak_is_not_listed_again() -> None:
    # 15 calls: 15 PTU hold them all: 3,000, 4,500, 5,475 against 6,570
    assert [way[0] for way in ways(on_global(calls(15)))] == ["● All PTU, 1-year", "  All PTU, 1-month", "  All PTU, hourly", "  Pay-as-you-go"]  # fmt: skip


def test_a_mix_without_the_headroom_is_another_way_than_the_peaks_size_with_it() -> None:
    # 15 x 1.1 = 16.5 is 20 PTU, 4,000 on a year; the mix holds the load with 15, 3,000, and spills nothing
    found = ways(on_global(calls(15), headroom="10%", terms=(YEAR,)))
    assert [way[:5] for way in found] == [
        ["● Mix, 1-year", "15", "$3,000", "—", "$3,000"],
        ["  All PTU, 1-year", "20", "$4,000", "—", "$4,000"],
        ["  Pay-as-you-go", "—", "—", "$6,570", "$6,570"],
    ]


def test_only_terms_that_were_asked_for_are_shown() -> None:
    result = on_global(terms=(MONTH,))
    assert [way[0] for way in ways(result)] == ["● Mix, 1-month", "  All PTU, 1-month", "  Pay-as-you-go"]
    assert column(result, "Term", "Term") == ["1-month"]
    assert [text.split(":")[0] for text in remarks(result, "Step")] == ["1-month"]
    assert "hourly" not in shown(result) and "1-year" not in shown(result)


def test_a_difference_under_ten_percent_has_a_tenth_and_nothing_is_0_percent() -> None:
    # 15 PTU at 0.48 x 730 = 350.40 are 5,256, just what pay-as-you-go is
    def against(per_hour: str) -> str:
        result = on_global(book=a_book(hourly={GLOBAL: ((ptu_row(per_hour),),)}), terms=(HOURLY,))
        return next(way[5] for way in ways(result) if way[0].endswith("All PTU, hourly"))

    assert against("0.48") == "0%"
    assert against("0.4764") == "−0.8%"  # 0.4764 / 0.48 = 0.9925: 0.75 %, a half up
    assert against("0.432") == "−10%"
    assert against("0.4368") == "−9%"
    assert against("0.5275") == "+9.9%"  # 0.5275 / 0.48 = 1.09896
    assert against("0.528") == "+10%"
    assert against("0.48000048") == "+0.0001%"  # a little is not nothing


def test_a_bar_that_is_too_long_is_cut_and_says_that_it_goes_on() -> None:
    # pay-as-you-go 438, one mark is 3 x 438 / 12 = 109.50: 4; 2,000 would be 18, 3,000 27 and 3,650 33
    assert [way[6] for way in ways(on_global(calls(1)))] == ["░░░░", "█" * 11 + "▶", "█" * 11 + "▶", "█" * 11 + "▶"]


def test_a_bar_that_is_cut_shows_what_is_fixed_first() -> None:
    # 5 % of the time 400, else 20: 39 on average, 17,082 a month. On a year 20 PTU: 4,000 + 380 x 438 / 20 = 12,322.
    profile = levels(("5%", 400), ("95%", 20))
    result = on_global(calls(None, profile=profile), terms=(YEAR,))
    # one mark is 3 x 12,322 / 12 = 3,080.50: 4,000 1.3 of 4; 17,082 5.5; 400 x 200 = 80,000 26
    assert [(way[0], way[6]) for way in ways(result)] == [
        ("● Mix, 1-year", "█░░░"),
        ("  Pay-as-you-go", "░░░░░░"),
        ("  All PTU, 1-year", "█" * 11 + "▶"),
    ]


def test_a_bar_of_exactly_its_room_is_not_cut() -> None:
    # 10 calls: 4,380; 10 PTU at 1.8 x 730 = 1,314 are 13,140, three times as much
    result = on_global(calls(10), book=a_book(hourly={GLOBAL: ((ptu_row("1.8"),),)}), terms=(HOURLY,))
    assert [way[6] for way in ways(result)] == ["░░░░", "█" * 12]


def test_a_price_per_million_tokens_has_cents_however_high_it_is() -> None:
    # 0.001 calls a minute are 43,800 tokens a month: 2,000 / 0.0438
    found = ways(on_global(calls("0.001"), terms=(YEAR,)))
    assert [way[7] for way in found] == ["$10.00", "$45,662.10"]


def test_free_calls_have_no_bars_and_no_price_per_token() -> None:
    result = on_global(calls(10, 0, 0), terms=(YEAR,))
    assert ways(result) == [
        ["● Pay-as-you-go", "—", "—", "—", "$0.00", "—", "", "—"],
        ["  All PTU, 1-year", "10", "$2,000", "—", "$2,000", "—", "", "—"],
    ]


# Amounts


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "unknown"), (D("0"), "$0.00"), (F(0), "$0.00"),
        (D("0.01"), "$0.01"), (F(1, 200), "$0.01"), (F(49, 10_000), "$0.005"), (F(1, 3_000_000), "$0.0000003"),
        (D("999.99"), "$999.99"), (F(999_995, 1000), "$1,000.00"), (D("1000"), "$1,000"), (D("1000.49"), "$1,000"), (D("1000.50"), "$1,001"),
        (D("1234567.89"), "$1,234,568"), (D("-624"), "−$624.00"), (D("-1000.5"), "−$1,001"), (F(-1, 3_000), "−$0.0003"),
    ],
)  # fmt: skip
def test_amounts_have_cents_below_a_thousand_and_a_little_is_never_nothing(amount, text: str) -> None:
    assert Currency().text(amount) == text


@pytest.mark.parametrize(
    ("amount", "cents", "text"),
    [(D("1234.5"), True, "$1,234.50"), (D("1.25"), True, "$1.25"), (D("1.25"), False, "$1"), (F(1, 3), False, "$0.3"), (F(1, 1000), True, "$0.001")],
)  # fmt: skip
def test_cents_are_shown_or_left_out_as_told(amount, cents: bool, text: str) -> None:
    assert Currency().text(amount, cents=cents) == text


@pytest.mark.parametrize(
    ("per_usd", "amount", "text"),
    [
        ("0.9", D("1000"), "XYZ 900.00"), ("0.9", D("1111.12"), "XYZ 1,000"), ("0.9", D("-2000"), "−XYZ 1,800"), ("0.9", None, "unknown"),
        ("15890.5", D("1"), "XYZ 15,891"), ("0.00001", D("2"), "XYZ 0.00002"),
    ],
)  # fmt: skip
def test_another_currency_is_converted_first_and_named(per_usd: str, amount, text: str) -> None:
    assert Currency("XYZ", F(per_usd)).text(amount) == text


def test_every_amount_of_a_report_is_in_the_currency() -> None:
    for verbose in (False, True):
        text = shown(on_global(), currency=EUR, verbose=verbose)
        assert "$" not in text and text.count("EUR") > 20
        assert "shown in EUR at 0.9 per USD." in " ".join(text.split())
    # 2,876 x 0.9 = 2,588.40; 876 x 0.9 = 788.40; 5.4718 x 0.9 = 4.92
    assert ways(on_global(), currency=EUR)[0] == ["● Mix, 1-year", "10", "EUR 1,800", "EUR 788.40", "EUR 2,588", "−45%", "███░", "EUR 4.92"]  # fmt: skip


def test_a_pay_as_you_go_bill_under_a_cent_is_not_shown_as_nothing() -> None:
    # 31 calls a month of 10 tokens: 30.66 x 10 x 10 / 1,000,000 = 0.3066 cents
    result = on_global(calls("0.0007", 10), terms=(YEAR,))
    assert ways(result)[0][3:5] == ["under $0.01", "under $0.01"]
    two = on_global([calls("0.0007", 10), calls(12, deployment="b")])
    assert column(two, "Deployment", "Pay-as-you-go")[0] == column(two, "Deployment", "A month")[0] == "under $0.01"
    # 60 calls are 0.6 cents, which is a cent; no tokens at all cost nothing
    assert ways(on_global(calls("0.00137", 10), terms=(YEAR,)))[0][3:5] == ["$0.01", "$0.01"]
    assert ways(on_global(calls(1, 0), terms=(YEAR,)))[0][4] == "$0.00"


# Break-even


def test_break_even_says_how_busy_a_ptu_must_be_how_busy_the_mix_is_and_where_the_peaks_ptu_pay() -> None:
    # 365 / 438 = 83.3 %, 300 / 438 = 68.5 %, 200 / 438 = 45.7 %; the 10 PTU of each mix are always full.
    # By the hour P PTU pay over P x 0.8333: 10 over 8.33 up to 10, 15 over 12.5 up to 15, 20 over 16.67 up to 20, and from
    # 25 on (20.83) each step starts below the end of the one before. On a year 10 pay over 4.57, and 15 start at 6.85.
    assert grid(on_global(), "Term") == [
        ["hourly", "83%", "100% of 10 PTU", "3 bands from 8.4, and all over 20.9 requests/min"],
        ["1-month", "68%", "100% of 10 PTU", "1 band from 6.9, and all over 10.3 requests/min"],
        ["1-year", "46%", "100% of 10 PTU", "over 4.6 requests/min"],
    ]


def test_one_band_is_not_plural() -> None:
    assert "1 bands" not in shown(on_global())


def test_break_even_over_100_percent_is_never() -> None:
    # 0.8 x 730 = 584 / 438 = 133 %
    result = on_global(book=a_book(hourly={GLOBAL: ((ptu_row("0.8"),),)}), terms=(HOURLY,))
    (table,) = tables(result, "Term")
    assert grid(result, "Term") == [["hourly", "133%", "—", "never"]]
    assert table.rows[0][3].style == "warn"


@pytest.mark.parametrize(
    ("per_hour", "percent", "pays"),
    [("0.6", "100%", False), ("0.60003", "over 100%", False), ("0.606", "101%", False), ("0.59999", "99.9%", True)],
)  # fmt: skip
def test_close_to_100_percent_the_share_shown_is_on_the_right_side(per_hour: str, percent: str, pays: bool) -> None:
    # 0.6 x 730 is exactly 438; 0.60003 is 100.005 %, 0.59999 99.998 %
    result = on_global(book=a_book(hourly={GLOBAL: ((ptu_row(per_hour),),)}), terms=(HOURLY,))
    ((_, shown_percent, _, where),) = grid(result, "Term")
    assert (shown_percent, where != "never") == (percent, pays)


def test_a_mix_runs_as_busy_as_its_ptu_are_on_average() -> None:
    # half the time 12, half 4: 10 PTU serve 10 and 4, on average 7
    profile = LoadProfile.from_hourly([12, 4] * 12)
    assert column(on_global(calls(None, profile=profile)), "Term", "Mix runs at") == ["—", "70% of 10 PTU", "70% of 10 PTU"]  # fmt: skip


def test_nothing_runs_where_the_mix_is_one_of_the_pure_choices() -> None:
    assert column(on_global(calls(1)), "Term", "Mix runs at") == ["—", "—", "—"]
    assert column(on_global(calls(15)), "Term", "Mix runs at") == ["—", "—", "—"]


def test_an_unknown_break_even_says_so() -> None:
    assert grid(on_global(book=a_book(models={})), "Term") == [
        [term, "unknown", "—", "unknown"] for term in ("hourly", "1-month", "1-year")
    ]
    found = grid(on_global(book=a_book(reservations=HOUR_AND_YEAR)), "Term")
    assert found[1] == ["1-month", "unknown", "—", "unknown"] and "unknown" not in found[0] + found[2]


@pytest.mark.parametrize(
    ("ranges", "text"),
    [
        ([("8", None)], "over 8 requests/min"),
        ([("8.01", None)], "over 8.1 requests/min"),
        ([("8.1", None)], "over 8.1 requests/min"),
        ([("8.04", "9.99")], "over 8.1 up to 9.9 requests/min"),
        ([("1234.51", "2345.69")], "over 1,234.6 up to 2,345.6 requests/min"),
        ([("0.0003", None)], "over 0.0003 requests/min"),
        ([("8.04", "9"), ("10.01", "12.99")], "2 bands from 8.1 to 12.9 requests/min"),
        ([("8.04", "9"), ("10", "12"), ("13.33", None)], "2 bands from 8.1, and all over 13.4 requests/min"),
        ([("1000.04", "1001"), ("1002", "1003"), ("1004", None)], "2 bands from 1,000.1, and all over 1,004 requests/min"),
    ],
)  # fmt: skip
def test_rates_are_rounded_to_the_inside_of_their_range(ranges, text: str) -> None:
    assert cheaper_at(with_ranges(*ranges)) == [text]


@pytest.mark.parametrize("start", ["8.3333", "20.8333", "0.96", "1234.5678", "0.00034", "7", "99.95", "0.05", "999.96"])
def test_just_over_the_rate_shown_full_ptu_do_pay(start: str) -> None:
    (text,) = cheaper_at(with_ranges((start, None)))
    rate = F(re.fullmatch(r"over ([\d,.]+) requests/min", text)[1].replace(",", ""))
    assert F(start) <= rate <= F(start) + F(1, 10)


@pytest.mark.parametrize(("largest_ptu", "text"), [(10, "over 6.9 up to 9 requests/min"), (15, "2 bands from 6.9 to 13.6 requests/min")])  # fmt: skip
def test_a_range_that_ends_at_the_largest_deployment_says_where(largest_ptu: int, text: str) -> None:
    # headroom 10 %: 10 PTU hold 9.0909 a minute, 15 13.6363; on a month 10 pay over 6.849, 15 over 10.27
    result = on_global(calls(1), headroom="10%", largest_ptu=largest_ptu, terms=(MONTH,))
    assert cheaper_at(result) == [text]


def test_a_narrow_band_is_not_shown_upside_down() -> None:
    (text,) = cheaper_at(with_ranges(("0.34", "0.36")))
    start, end = (F(number) for number in re.findall(r"[\d.]+(?= )", text))
    assert F(34, 100) <= start < end <= F(36, 100)


def test_bands_are_said_to_start_where_full_ptu_do_pay() -> None:
    # what gpt-5.2 Global has on a month; at 21.3 the next size is needed, a third dearer than pay-as-you-go
    (text,) = cheaper_at(with_ranges(("21.2003", "21.25"), ("40", None)))
    start = F(re.search(r"from ([\d.]+),", text)[1])
    assert F("21.2003") <= start < F("21.25")


def test_calls_without_weight_have_no_share_but_may_have_a_rate() -> None:
    # cached tokens weigh nothing: any PTU serve any number; 10 x 1,000 x 2 millionths x 43,800 = 876 on pay-as-you-go, and
    # 10 PTU on a year (2,000) pay over 2,000 / 87.6 = 22.83 calls
    result = on_global(calls(10, cache_ratio=1), terms=(YEAR,))
    assert grid(result, "Term") == [["1-year", "unknown", "—", "over 22.9 requests/min"]]
    assert remarks(result, "How") == []


# Why, and what the last increment earns


def test_how_says_what_a_ptu_month_serves_and_costs() -> None:
    assert remarks(on_global(), "How") == [
        "a PTU kept busy for a month (43,800 minutes) serves what costs $438.00 on pay-as-you-go at this mix of calls, and "
        "costs $365.00 hourly (83%), $300.00 1-month (68%), $200.00 1-year (46%). Over 100% it never pays."
    ]


def test_how_leaves_out_terms_without_a_price_and_is_silent_without_pay_as_you_go() -> None:
    (text,) = remarks(on_global(book=a_book(reservations=HOUR_AND_YEAR)), "How")
    assert "and costs $365.00 hourly (83%), $200.00 1-year (46%). Over" in text
    (text,) = remarks(on_global(book=a_book(reservations={}, hourly={})), "How")
    assert "and costs an unknown amount. Over" in text
    assert remarks(on_global(book=a_book(models={})), "How") == []


def test_how_is_after_the_discount() -> None:
    # 365, 300, 200 x 0.9; / 438 = 75 %, 61.6 %, 41.1 %
    (text,) = remarks(on_global(discount="10%"), "How")
    assert "costs $328.50 hourly (75%), $270.00 1-month (62%), $180.00 1-year (41%)." in text


def test_steps_say_what_the_last_increment_earns_and_why_no_further_one_does() -> None:
    # the first 10 hold 10 of the 12 calls (4,380); 5 more hold 2 (876) and cost 1,825, 1,500 or 1,000
    assert remarks(on_global(), "Step") == [
        "hourly: the last 10 of 10 PTU save $4,380 of pay-as-you-go for $3,650; 5 more would lose $949.00.",
        "1-month: the last 10 of 10 PTU save $4,380 of pay-as-you-go for $3,000; 5 more would lose $624.00.",
        "1-year: the last 10 of 10 PTU save $4,380 of pay-as-you-go for $2,000; 5 more would lose $124.00.",
    ]


def test_a_step_is_between_the_sizes_that_are_sold() -> None:
    # a quarter of the time 100, else 20: from 15 to 20 saves 5 x 438 for 1,500; to 25 5 x 438 / 4 = 547.50
    result = on_global(calls(None, profile=levels(("1/4", 100), ("3/4", 20))), terms=(MONTH,))
    assert remarks(result, "Step") == [
        "1-month: the last 5 of 20 PTU save $2,190 of pay-as-you-go for $1,500; 5 more would lose $952.50."
    ]


def test_no_more_is_offered_where_all_is_covered() -> None:
    assert remarks(on_global(calls(15), terms=(YEAR,)), "Step") == [
        "1-year: the last 5 of 15 PTU save $2,190 of pay-as-you-go for $1,000."
    ]


def test_where_no_mix_pays_the_first_size_says_why() -> None:
    assert remarks(on_global(calls(1), terms=(HOURLY,)), "Step") == [
        "hourly: no mix pays; the first 10 PTU would save $438.00 for $3,650."
    ]


def test_large_steps_have_separators_and_whole_dollars() -> None:
    result = on_global(terms=(YEAR,))
    (d,) = result.deployments
    last = Increment(1000, 2500, D("300000"), D("400000.6"), D("100000.6"))
    after = Increment(2500, 4000, D("300000"), D("298765.4"), D("-1234.6"))
    mix = d.hybrid[YEAR]._replace(ptu=2500, last_increment=last, next_increment=after)
    changed = result._replace(deployments=(d._replace(hybrid={**d.hybrid, YEAR: mix}),))
    assert remarks(changed, "Step") == [
        "1-year: the last 1,500 of 2,500 PTU save $400,001 of pay-as-you-go for $300,000; 1,500 more would lose $1,235."
    ]


def test_where_no_mix_is_known_no_step_is_told() -> None:
    assert remarks(on_global(book=a_book(models={})), "Step") == []
    assert len(remarks(on_global(book=a_book(reservations=HOUR_AND_YEAR)), "Step")) == 2


# Headline and other tiers


def test_the_headline_says_how_much_runs_how_busy_and_where_prices_are_from() -> None:
    # 12 x 43,800 = 525,600; 12 of 15 PTU
    assert headlines(on_global()) == [
        ("Alder Global", "525,600 requests a month · the peak's 15 PTU would be 80% busy · prices of northland")
    ]
    # 2,000 x 43,800 = 87.6 million; 2,000 of 2,000 PTU
    assert headlines(on_global(calls(2000, region=THERE))) == [
        ("Alder Global", "87.6 M requests a month · the peak's 2,000 PTU would be 100% busy · prices of southland")
    ]


def test_the_headline_names_the_deployment_and_the_version_where_they_say_more() -> None:
    catalog = a_catalog(a_model(versions=("7",)))
    result = on_global(calls(12, model_version="7", deployment="shop"), catalog=catalog)
    assert headlines(result)[0][0] == "shop: Alder 7 Global"


def test_other_tiers_are_one_line_each() -> None:
    # 12 x 1,000 x 5 / 1,000,000 x 43,800 = 2,628; at 15 three times that
    prices = scope([row(**PLAIN), row(tier=PriceTier.BATCH, input=5, output=20), row(tier=PriceTier.PRIORITY, input=15, output=60)])  # fmt: skip
    assert remarks(on_global(book=book_of({GLOBAL: prices})), "Also") == [
        "the same tokens as batch calls, answered within a day: $2,628 a month.",
        "the same tokens with priority processing: $7,884 a month.",
    ]
    assert remarks(compared(calls(12), deployment_types=(DATA_ZONE,)), "Also") == []


# Several types, several deployments


def test_several_types_are_one_table_and_the_cheapest_in_full() -> None:
    # Data zone: 12 x 481.80 = 5,781.60; 15 x 438, 350, 250; 10 x 250 + 963.60 = 3,463.60, 40.1 % less
    # Regional by forties: 12 x 525.60 = 6,307.20; 40 x 584, 400, 300, nothing pays
    result = compared(calls(12))
    assert grid(result, "Deployment") == [
        ["Alder", "Global", "$5,256", "15", "$5,475", "$4,500", "$3,000", "10 + spillover, 1-year", "$2,876", "−45%"],
        ["Alder", "Data zone", "$5,782", "15", "$6,570", "$5,250", "$3,750", "10 + spillover, 1-year", "$3,464", "−40%"],
        ["Alder", "Regional", "$6,307", "40", "$23,360", "$16,000", "$12,000", "pay-as-you-go", "$6,307", "—"],
    ]  # fmt: skip
    assert [what for what, _ in headlines(result)] == ["Alder Global"]


def test_the_type_shown_in_full_is_the_cheapest_not_the_first() -> None:
    # Global at 100 instead of 10 per million tokens, and without reservations: 15 PTU by the hour, 5,475, against 3,463.60
    book = a_book(models={"alder": {**ALDER, GLOBAL: scope([row(input=100)])}}, reservations={k: v for k, v in PER_TERM.items() if k[0] is not GLOBAL})  # fmt: skip
    assert [what for what, _ in headlines(compared(calls(12), book=book))] == ["Alder Data zone"]


def test_a_type_without_a_price_is_not_the_cheapest() -> None:
    book = a_book(models={"alder": {REGIONAL: ALDER[REGIONAL]}})
    result = compared(calls(12), book=book)
    assert [what for what, _ in headlines(result)] == ["Alder Regional"]
    assert grid(result, "Deployment")[0] == ["Alder", "Global", "unknown", "15", "$5,475", "$4,500", "$3,000", "unknown", "unknown", "—"]  # fmt: skip


def test_where_no_type_has_a_price_the_first_is_shown() -> None:
    assert [what for what, _ in headlines(compared(calls(12), book=a_book(models={})))] == ["Alder Global"]


def test_a_portfolio_is_only_a_table_and_everything_with_verbose() -> None:
    result = two_models(calls(12), calls(1, model="Birch"), deployment_types=(GLOBAL,))
    assert headlines(result) == []
    assert column(result, "Deployment", "Cheapest") == ["10 + spillover, 1-year", "pay-as-you-go"]
    assert [what for what, _ in headlines(result, verbose=True) if "Global" in what] == ["Alder Global", "Birch Global"]


def test_one_deployment_on_one_type_has_no_table_of_deployments() -> None:
    assert tables(on_global(), "Deployment") == []


def test_a_portfolio_says_all_where_nothing_spills() -> None:
    result = two_models(calls(15), calls(2000, model="Birch"), deployment_types=(GLOBAL,))
    assert column(result, "Deployment", "Cheapest") == ["all 15, 1-year", "all 2,000, 1-year"]
    assert column(result, "Deployment", "vs PAYG") == ["−54%", "−54%"]  # 200 / 438 = 45.7 %
    # with 10 % headroom 20 are needed for the peak, and the mix holds it with 15
    result = two_models(calls(15), calls(1, model="Birch"), deployment_types=(GLOBAL,), headroom="10%")
    assert column(result, "Deployment", "Cheapest")[0] == "all 15, 1-year"


def test_a_cheapest_way_that_is_not_certain_has_a_question_mark() -> None:
    book = a_book(models={"alder": ALDER, "birch": ALDER}, reservations=HOUR_AND_YEAR)
    result = two_models(calls(12), calls(1, model="Birch"), deployment_types=(GLOBAL,), book=book)
    assert column(result, "Deployment", "Cheapest") == ["10 + spillover, 1-year ?", "pay-as-you-go ?"]
    assert column(result, "Deployment", "All 1-month") == ["unknown", "unknown"]
    assert remarks(result, "Unsure") == ["? marks the cheapest of the ways whose price is known: of others it is not."]
    assert remarks(on_global(), "Unsure") == remarks(on_global(book=a_book(models={})), "Unsure") == []


def test_a_type_that_may_not_be_offered_has_a_question_mark() -> None:
    from ptucalc.catalog import Unknown

    places = {GLOBAL: Unknown("nobody listed it"), DATA_ZONE: EVERYWHERE}
    result = compared(calls(12), catalog=a_catalog(a_model(places=places)), deployment_types=(GLOBAL, DATA_ZONE))
    assert column(result, "Deployment", "Type") == ["Global ?", "Data zone"]
    assert remarks(result, "Unsure") == ["Alder Global: nobody listed it."]


def test_the_table_of_deployments_has_the_terms_that_were_asked_for() -> None:
    (table,) = tables(compared(calls(12), terms=(HOURLY, YEAR)), "Deployment")
    assert [column.title for column in table.columns] == ["Deployment", "Type", "Pay-as-you-go", "Peak PTU", "All hourly", "All 1-year", "Cheapest", "A month", "vs PAYG"]  # fmt: skip


# Totals and reservations


def test_totals_say_what_all_costs_for_each_type_that_all_may_have() -> None:
    # Global: 12 + 1 calls = 13 x 438 = 5,694; PTU 15 + 10 = 25 x 365, 300, 200; 2,876 + 438 = 3,314
    # Data zone: 13 x 481.80 = 6,263.40; 25 x 438, 350, 250; 3,463.60 + 481.80 = 3,945.40
    # Regional: 13 x 525.60 = 6,832.80; 80 x 584, 400, 300; nothing pays
    result = two_models(calls(12), calls(1, model="Birch"))
    assert remarks(result, "Total") == [
        "with every open deployment Global: pay-as-you-go $5,694; PTU for every peak hourly $9,125, 1-month $7,500, 1-year "
        "$5,000; each in its cheapest way $3,314 a month.",
        "with every open deployment Data zone: pay-as-you-go $6,263; PTU for every peak hourly $10,950, 1-month $8,750, "
        "1-year $6,250; each in its cheapest way $3,945 a month.",
        "with every open deployment Regional: pay-as-you-go $6,833; PTU for every peak hourly $46,720, 1-month $32,000, "
        "1-year $24,000; each in its cheapest way $6,833 a month.",
    ]


def test_a_deployment_with_a_type_of_its_own_is_in_every_total() -> None:
    # Alder Global 2,876 at best beside Birch Data zone 481.80: 5,256 + 481.80 = 5,737.80; 15 x 365 + 10 x 438 = 9,855
    result = two_models(
        calls(12), calls(1, model="Birch", deployment_type="data-zone"), deployment_types=(GLOBAL, DATA_ZONE), terms=(HOURLY,)
    )  # fmt: skip
    # hourly: the mix of Alder is 4,526, of Birch pay-as-you-go; on Data zone 10 x 438 + 2 x 481.80 = 5,343.60
    assert remarks(result, "Total") == [
        "with every open deployment Global: pay-as-you-go $5,738; PTU for every peak hourly $9,855; each in its cheapest way "
        "$5,008 a month.",
        "with every open deployment Data zone: pay-as-you-go $6,263; PTU for every peak hourly $10,950; each in its cheapest "
        "way $5,825 a month.",
    ]


def test_where_every_deployment_has_its_type_there_is_one_total() -> None:
    result = two_models(
        calls(12, deployment_type="global"), calls(1, model="Birch", deployment_type="data-zone"), terms=(HOURLY,)
    )  # fmt: skip
    assert remarks(result, "Total") == [
        "pay-as-you-go $5,738; PTU for every peak hourly $9,855; each in its cheapest way $5,008 a month."
    ]


def test_a_total_names_the_deployments_without_a_price_and_what_is_known() -> None:
    book = a_book(models={"alder": ALDER})
    result = two_models(calls(12), calls(1, model="Birch"), deployment_types=(GLOBAL,), book=book, terms=(MONTH,))
    assert remarks(result, "Total") == [
        "with every open deployment Global: pay-as-you-go unknown for Birch; PTU for every peak 1-month $7,500."
    ]


def test_a_total_names_at_most_six() -> None:
    workloads = [calls(1, deployment=f"d{i}") for i in range(7)]
    (text,) = remarks(on_global(workloads, book=a_book(models={}), terms=(MONTH,)), "Total")
    assert "pay-as-you-go unknown for d0, d1, d2, d3, d4, d5 and more; PTU" in text
    (text,) = remarks(on_global(workloads[:6], book=a_book(models={}), terms=(MONTH,)), "Total")
    assert "pay-as-you-go unknown for d0, d1, d2, d3, d4, d5; PTU" in text


def test_a_total_of_ways_that_are_not_all_known_says_so() -> None:
    result = two_models(calls(12), calls(1, model="Birch"), deployment_types=(GLOBAL,), book=a_book(models={"alder": ALDER, "birch": ALDER}, reservations=HOUR_AND_YEAR))  # fmt: skip
    assert remarks(result, "Total") == [
        "with every open deployment Global: pay-as-you-go $5,694; PTU for every peak hourly $9,125, 1-year $5,000; each in "
        "its cheapest known way $3,314 a month."
    ]


def test_one_deployment_on_several_types_has_no_total() -> None:
    assert remarks(compared(calls(12)), "Total") == []


def test_a_type_that_some_deployment_is_not_offered_on_has_no_total() -> None:
    catalog = a_catalog(a_model("Alder"), only(a_model("Birch"), GLOBAL))
    result = two_models(calls(12), calls(1, model="Birch"), catalog=catalog)
    assert [text.split(":")[0] for text in remarks(result, "Total")] == ["with every open deployment Global"]


def test_reservations_of_one_deployment_say_term_and_month() -> None:
    # 10 PTU x 300; 10 x 2,400 for the year, 2,000 a month
    assert remarks(on_global(), "Reserve") == [
        "Global: 10 PTU at $3,000 for 1 month, or 10 PTU at $24,000 for 1 year ($2,000 a month)."
    ]


def test_reservations_of_several_deployments_are_pooled_by_type_and_region() -> None:
    # year: 10 and, for 5 calls (2,190 against 2,000), 10; month: 10 and none (3,000)
    result = two_models(calls(12), calls(5, model="Birch"), deployment_types=(GLOBAL, DATA_ZONE))
    # Data zone, year: 250 x 10 = 2,500 against 5 x 481.80 = 2,409: none
    assert remarks(result, "Reserve") == [
        "Global: 10 PTU (Alder 10) at $3,000 for 1 month, or 20 PTU (Alder 10, Birch 10) at $48,000 for 1 year ($4,000 a "
        "month). It covers any model of the type.",
        "Data zone in northland: 10 PTU (Alder 10) at $3,500 for 1 month, or 10 PTU (Alder 10) at $30,000 for 1 year "
        "($2,500 a month). It covers any model of the type.",
    ]


def test_reservations_of_one_deployment_are_those_of_its_cheapest_type() -> None:
    assert remarks(compared(calls(12)), "Reserve") == [
        "Global: 10 PTU at $3,000 for 1 month, or 10 PTU at $24,000 for 1 year ($2,000 a month)."
    ]


def test_each_total_is_followed_by_what_to_reserve_for_it() -> None:
    # Alder's type is open, Birch is on Data zone: 12 calls pay from 10 PTU on (250 x 10 = 2,500 against 4,818)
    birch = calls(12, model="Birch", deployment_type="data-zone")
    result = two_models(calls(12), birch, deployment_types=(GLOBAL, DATA_ZONE), terms=(MONTH,))
    said = [(b.label, b.text.split(": ")[0], b.text.split(": ")[1][:6]) for b in cost_blocks(result) if isinstance(b, Remark) and b.label in ("Total", "Reserve")]  # fmt: skip
    assert said == [
        ("Total", "with every open deployment Global", "pay-as"),
        ("Reserve", "Global", "10 PTU"),
        ("Reserve", "Data zone in northland", "10 PTU"),
        ("Total", "with every open deployment Data zone", "pay-as"),
        ("Reserve", "Data zone in northland", "20 PTU"),
    ]


def test_reservations_name_at_most_six_deployments() -> None:
    workloads = [calls(12, deployment=f"d{i}") for i in range(8)]
    (text,) = remarks(on_global(workloads, terms=(MONTH,)), "Reserve")
    assert text == (
        "Global: 80 PTU (d0 10, d1 10, d2 10, d3 10, d4 10, d5 10 and 2 more) at $24,000 for 1 month. It covers any model "
        "of the type."
    )


def test_deployments_without_a_mix_are_not_counted_and_named() -> None:
    result = two_models(
        calls(12), calls(1, model="Birch"), deployment_types=(GLOBAL,), book=a_book(models={"alder": ALDER})
    )
    (text,) = remarks(result, "Reserve")
    assert text.endswith(" It covers any model of the type. Not counted, for no mix is known: Birch.")


def test_nothing_to_reserve_is_no_line() -> None:
    assert remarks(on_global(calls(1)), "Reserve") == []


# Sources


def test_sources_name_the_editions_the_regions_where_and_when_prices_were_read_and_the_discount() -> None:
    listed = "`ptucalc prices show` lists them."
    assert remarks(on_global(), "Prices") == [
        f"invented-prices-1, USD without tax, northland; read on 2030-02-03 (list). {listed}"
    ]
    workloads = [calls(12), calls(1, deployment="b", region=THERE)]
    book = a_book(editions=("invented-prices-1", "ours"))
    assert remarks(on_global(workloads, book=book, discount="12%"), "Prices", currency=EUR) == [
        "invented-prices-1 + ours, USD without tax, northland, southland; read on 2030-02-03 (list); 12% off PTU prices; "
        f"shown in EUR at 0.9 per USD. {listed}"
    ]
    assert remarks(on_global(), "Rates") == ["invented-1, as of 2030-03-01."]


@pytest.mark.parametrize("share", ["12.5%", "7.25%"])
def test_the_discount_is_shown_as_it_was_given(share: str) -> None:
    (text,) = remarks(on_global(discount=share), "Prices")
    assert f"; {share} off PTU prices." in text


def test_the_headroom_is_shown_as_it_was_given() -> None:
    expected = "mixes are sized without the headroom; PTU for the whole peak include it (12.5%)."
    assert messages(on_global(calls(21), headroom="12.5%"), "mix_without_headroom") == [expected]


def test_every_note_is_shown() -> None:
    result = on_global()
    assert remarks(result, "Note") == [note.message for note in result.notes]
    assert len(result.notes) >= 3  # the rate is taken to last, a mix is a lower bound, no region was given


def test_quiet_leaves_the_tables() -> None:
    blocks = list(cost_blocks(compared(calls(12)), quiet=True))
    assert [type(block).__name__ for block in blocks] == ["Table", "Headline", "Table", "Table"]


# The working


def working(result: CostComparison, **view) -> list[Table]:
    return [b for b in cost_blocks(result, verbose=True, **view) if isinstance(b, Table)]


def test_verbose_shows_the_bill_class_by_class() -> None:
    # per call 500 plain, 300 cached, 200 written, 100 out; x 10 x 43,800 = 438,000 calls
    result = on_global(calls(10, 1000, 100, cache_ratio="0.3", cache_write_ratio="0.2"))
    assert grid(result, "Token class", verbose=True) == [
        ["uncached input", "219,000,000", "10", "$2,190.00"],
        ["cached input", "131,400,000", "2", "$262.80"],
        ["cache write", "87,600,000", "12", "$1,051.20"],
        ["output", "43,800,000", "40", "$1,752.00"],
    ]
    (table,) = tables(result, "Token class", verbose=True)
    assert [cell.text for cell in table.totals] == ["", "", "", "$5,256.00"]
    # in euro the price of a million is converted too: 10 x 0.9
    assert grid(result, "Token class", verbose=True, currency=EUR)[0] == ["uncached input", "219,000,000", "9", "EUR 1,971.00"]  # fmt: skip


def test_verbose_says_at_which_scope_pay_as_you_go_is_priced() -> None:
    said = dict(headlines(on_global(), verbose=True))
    assert said["Pay-as-you-go"] == "of a month, priced as Global in northland"
    other = compared(calls(12), deployment_types=(DATA_ZONE,), payg_type=GLOBAL)
    assert dict(headlines(other, verbose=True))["Pay-as-you-go"] == "of a month, priced as Global in northland"
    assert ways(other)[-2][4] == "$5,256"  # 12 x 438, not 481.80


def test_verbose_shows_the_whole_small_curve_with_each_optimum_marked() -> None:
    # nothing 5,256; 10: 3,650, 3,000, 2,000 + 876; 15: 5,475, 4,500, 3,000
    assert grid(on_global(), "PTU", verbose=True) == [
        ["0", "$5,256", "$5,256", "$5,256"],
        ["10", "● $4,526", "● $3,876", "● $2,876"],
        ["15", "$5,475", "$4,500", "$3,000"],
    ]


def test_of_a_long_curve_some_sizes_are_shown_with_both_ends_and_what_is_next_to_each_optimum() -> None:
    # 400 calls 5 % of the time, else 20: 39 x 438 = 17,082; on a year and a month 20 PTU are best, by the hour too (438
    # saved for 365). 0, 10, 15 ... 400 are 80 sizes, every fifth is shown: 0, 30, 55 ... and 15, 20, 25 and 400.
    result = on_global(calls(None, profile=levels(("5%", 400), ("95%", 20))))
    sizes = [int(size) for size in column(result, "PTU", "PTU", verbose=True)]
    assert sizes == [0, 15, 20, 25, *range(30, 400, 25), 400]
    # 20 on a year: 4,000 + 380 x 438 / 20 = 12,322; 400: 80,000
    year = column(result, "PTU", "On 1-year", verbose=True)
    assert (year[0], year[sizes.index(20)], year[-1]) == ("$17,082", "● $12,322", "$80,000")
    assert sum("●" in text for text in year) == 1


def test_without_a_mix_there_is_no_curve() -> None:
    assert tables(on_global(book=a_book(models={})), "PTU", verbose=True) == []


def test_verbose_shows_what_ifs_with_the_size_of_their_mix() -> None:
    # 12 x 0.8 = 9.6: 4,204.80, 10 PTU are 2,000; 14.4: 6,307.20, 15 PTU are 3,000 (10: 2,000 + 4.4 x 438 = 3,927.20)
    # prices of tokens: 2,000 + 876 x 0.8 = 2,700.80 or x 1.2 = 3,051.20, so 15 PTU: 3,000; of PTU: 1,600 + 876, 2,400 + 876
    assert grid(on_global(terms=(YEAR,)), "Change", verbose=True) == [
        ["requests -20%", "$4,205", "10", "$2,000, 10 PTU"],
        ["requests +20%", "$6,307", "15", "$3,000, 15 PTU"],
        ["token prices -20%", "$4,205", "15", "$2,701, 10 PTU"],
        ["token prices +20%", "$6,307", "15", "$3,000, 15 PTU"],
        ["PTU prices -20%", "$5,256", "15", "$2,400, 15 PTU"],
        ["PTU prices +20%", "$5,256", "15", "$3,276, 10 PTU"],
    ]


def test_what_ifs_say_unknown_where_a_price_is() -> None:
    found = grid(on_global(book=a_book(reservations=HOUR_AND_YEAR)), "Change", verbose=True)
    assert {row[4] for row in found} == {"unknown"} and "unknown" not in {row[3] for row in found}
    assert {row[1] for row in grid(on_global(book=a_book(models={})), "Change", verbose=True)} == {"unknown"}


def test_the_bill_of_an_unknown_price_is_unknown() -> None:
    result = on_global(book=a_book(models={}))
    (table,) = tables(result, "Token class", verbose=True)
    assert (table.rows, table.totals[-1].text) == ([], "unknown")


# On a terminal and in Markdown


def numbers(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w.,-])[\d,]*\d(?:\.\d+)?%?(?!\w)", text))


@pytest.mark.parametrize("verbose", [False, True])
def test_on_80_columns_no_line_is_longer_and_no_number_is_cut(verbose: bool) -> None:
    result = compared(calls(1200, 1000, 100, cache_ratio="10%"))
    narrow = shown(result, width=80, verbose=verbose)
    assert max(map(len, narrow.splitlines())) <= 80 and "…" not in narrow
    assert numbers(narrow) <= numbers(shown(result, verbose=verbose))


def test_on_80_columns_long_amounts_are_not_cut() -> None:
    result, rupiah = on_global(calls(5000)), Currency("IDR", F("15890.5"))
    narrow = shown(result, width=80, quiet=True, currency=rupiah)
    assert numbers(narrow) <= numbers(shown(result, quiet=True, currency=rupiah))


def test_a_pipe_shows_every_column() -> None:
    wide = shown(compared(calls(12)))
    for title in ("Peak PTU", "All hourly", "All 1-month", "All 1-year", "vs PAYG", "█ PTU ░ PAYG", "Per 1M tokens"):
        assert title in wide


def test_a_narrow_terminal_leaves_out_the_price_per_token_before_the_bars() -> None:
    drawn = [shown(on_global(), width=width).splitlines() for width in (100, 84, 72)]
    lines = [next(line for line in each if "Way to buy" in line) for each in drawn]
    assert ["Per 1M tokens" in line for line in lines] == [True, False, False]
    assert ["█ PTU" in line for line in lines] == [True, True, False]
    assert all("A month" in line and "Spillover" in line for line in lines)


HOSTILE = ["a|b", "**b**", "<script>x</script>", "`c`", "[l](http://x)", "\\|", "#h", "日本"]


def columns_of(line: str) -> int:
    """Cells of a Markdown table's line, escaped bars left out."""
    return len(re.split(r"(?<!\\)(?:\\\\)*\|", line)) - 2


def table_lines(text: str) -> Iterable[list[str]]:
    """The lines of each table."""
    return [part.splitlines() for part in text.split("\n\n") if part.startswith("|")]


def test_markdown_tables_stay_whole_with_hostile_names() -> None:
    workloads = [calls(12, deployment=name, name=name) for name in HOSTILE]
    text = markdown(cost_blocks(on_global(workloads), verbose=True))
    found = table_lines(text)
    assert len(found) == 1 + 5 * len(HOSTILE)  # the deployments; ways, break-even, bill, curve, what-ifs of each
    for lines in found:
        assert len({columns_of(line) for line in lines}) == 1
    assert [line.split(" | ")[0].removeprefix("| ") for line in found[0][2:]] == [
        "a\\|b", "\\*\\*b\\*\\*", "\\<script\\>x\\</script\\>", "\\`c\\`", "\\[l\\](http\\://x)", "\\\\\\|", "\\#h", "日本"
    ]  # fmt: skip
    assert "<script" not in text.replace("\\<script", "")


def test_markdown_marks_the_cheapest_way_and_keeps_the_bars() -> None:
    text = markdown(cost_blocks(on_global(terms=(YEAR,)), quiet=True))
    # 100 % of pay-as-you-go is 12 / (3 x 2,876) x 5,256 = 7.3 marks
    assert text == (
        "**Alder Global** 525,600 requests a month · the peak's 15 PTU would be 80% busy · prices of northland\n\n"
        "| Way to buy | PTU | Fixed | Spillover | A month | vs PAYG | █ PTU ░ PAYG | Per 1M tokens |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |\n"
        "| **● Mix, 1-year** | 10 | $2,000 | $876.00 | **$2,876** | −45% | ███░ | $5.47 |\n"
        "|   All PTU, 1-year | 15 | $3,000 | — | **$3,000** | −43% | ████ | $5.71 |\n"
        "|   Pay-as-you-go | — | — | $5,256 | **$5,256** | — | ░░░░░░░ | $10.00 |\n\n"
        "| Term | Breaks even at | Mix runs at | Full PTU is cheaper at |\n"
        "| --- | ---: | ---: | --- |\n"
        "| 1-year | 46% | 100% of 10 PTU | over 4.6 requests/min |\n"
    )


def test_long_context_calls_are_billed_in_the_report_at_the_prices_they_have() -> None:
    # 5,001 tokens at 20 instead of 10 per million: x 43,800 = 4,380.876
    book = book_of({GLOBAL: scope([row(**PLAIN), row(long=True, input=20, output=60)])})
    catalog = a_catalog(a_model(long_context=LongContext(5000, "table", None), weights=weights()))
    result = on_global(calls(1, 5001), catalog=catalog, book=book)
    assert grid(result, "Token class", verbose=True) == [["uncached input", "219,043,800", "20", "$4,380.88"]]


def test_the_region_of_the_prices_is_named_for_a_type_that_has_none_there() -> None:
    # Data zone has an hourly price in southland only: 15 x 438 = 6,570, and no token prices
    result = compared(calls(12, region=THERE), deployment_types=(DATA_ZONE,))
    assert headlines(result)[0][1].endswith("prices of southland")
    assert [way[4] for way in ways(result)] == ["$6,570", "unknown", "unknown", "unknown"]
    assert PER_HOUR[DATA_ZONE][0][0].regions == (HERE, THERE)
