"""Published costs, and costs worked from list prices: cases/cost.yaml, and all of ../shared/cases if it is there."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from ptucalc import LoadProfile, Workload, compare_costs, load_prices
from ptucalc.catalog import DeploymentType
from ptucalc.prices import PtuTerm
from ptucalc.reservations import coverage

TESTS = Path(__file__).resolve().parent
SHARED = TESTS.parent.parent / "shared" / "cases"
TERMS = ("hourly", "1-month", "1-year")
DAY = date(2026, 11, 21)
HOURLY, MONTH, YEAR = PtuTerm


def read(path):
    """Every value as text: a version stays 2025-12-11 and a share 1/3."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506  # makes only text


def rounded(value, text):
    """Whether a value is this text, to its digits."""
    digits = len(text.partition(".")[2])
    return round(value, digits) == Fraction(text)


def priced(inputs):
    fields = dict(inputs)
    given = {key: fields.pop(key) for key in ("sku", "payg_type", "headroom", "discount") if key in fields}
    if "profile" in fields:
        fields["profile"] = LoadProfile.from_levels(fields["profile"])
    result = compare_costs(Workload(**fields), today=DAY, **{"sku": "global", **given})
    (cost,) = result.deployments
    return result, cost


CASES = read(TESTS / "cases" / "cost.yaml")


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_cost_is_what_was_published_or_worked_by_hand(case):
    assert set(case) == {"id", "source", "inputs", "expected", "sum"}
    expected = case["expected"]
    assert set(expected) <= {"payg", "raw_ptu", "ptu", *TERMS, "mix", "break_even", "notes"}
    result, cost = priced(case["inputs"])
    for term in {"payg", *TERMS} & set(expected):
        amount = None if expected[term] == "unknown" else Decimal(expected[term])
        assert (term, cost.option(term).monthly_usd) == (term, amount)
        assert bool(cost.option(term).reason) == (amount is None)
    if "ptu" in expected:
        assert cost.peak_ptu == int(expected["ptu"])
    if "raw_ptu" in expected:
        month = cost.option("1-month")
        assert month.ptu == cost.peak_ptu
        assert rounded(raw_ptu(case["inputs"]), expected["raw_ptu"])
    for term, (ptu, amount) in expected.get("mix", {}).items():
        mix = cost.hybrid[PtuTerm(term)]
        assert (term, mix.ptu, mix.monthly_usd) == (term, int(ptu), Decimal(amount))
    for each, text in zip(cost.break_even, expected.get("break_even", ()), strict="break_even" in expected):
        assert rounded(each.utilization, text), each
        if each.utilization > 1:
            assert each.cheaper_rpm_ranges == ()  # never
    assert set(expected.get("notes", ())) <= {note.code for note in result.notes}


def raw_ptu(inputs):
    _, cost = priced({key: value for key, value in inputs.items() if key != "headroom"})
    return cost.peak_utilization * cost.peak_ptu  # of a load without a profile


def test_the_cases_have_names_of_their_own():
    assert len({case["id"] for case in CASES}) == len(CASES)


# Microsoft's worked examples of billing


def test_300_ptu_for_a_quarter_of_an_hour_are_a_quarter_of_the_hourly_rate_x_300():
    # Microsoft, provisioned throughput billing, 2026-06-05
    assert coverage(0, 300, minutes=15).billed_hourly == Fraction(300, 4)


def test_250_ptu_on_a_reservation_of_200_are_50_by_the_hour():
    # Microsoft, onboarding article, 2026-03-16
    assert coverage(200, 250).billed_hourly == 50


def test_a_reservation_of_500_covers_300_and_200_more():
    # Microsoft, provisioned throughput billing, 2026-06-05
    assert tuple(coverage(500, 300 + 200)) == (500, 0, 0)


def test_a_reservation_of_300_with_100_deployed_loses_200():
    # Microsoft, Foundry reservations, 2026-01-15
    assert tuple(coverage(300, 100)) == (100, 0, 200)


def test_100_ptu_for_15_minutes_are_25_ptu_hours():
    # Microsoft, Foundry reservations, 2026-01-15
    assert sum(coverage(0, 100, minutes=15)) == 25


def test_45_reserved_ptu_are_16_03_and_13_62_dollars_an_hour():
    # third-party log of 2026-07-28: 45 x 260 / 730 and 45 x 2,652 / 12 / 730
    book = load_prices()
    month, year = (book.ptu(DeploymentType.GLOBAL, "eastus2", term).usd_per_month * 45 / 730 for term in (MONTH, YEAR))
    assert (round(month, 2), round(year, 2)) == (Fraction("16.03"), Fraction("13.62"))


# The shared cases, where they are


def shared(name):
    return read(SHARED / name) if (SHARED / name).is_file() else []


WORKED = {case["id"]: case for case in shared("cost.yaml")}
needs_shared = pytest.mark.skipif(not WORKED, reason="../shared/cases is not here")
SHAPES = {
    "payg-gpt41-steady": {"model": "gpt-4.1", "requests_per_minute": 100, "input_tokens": 800, "output_tokens": 200},
    "break-even-gpt41-60rpm": {
        "model": "gpt-4.1",
        "requests_per_minute": 60,
        "input_tokens": 1800,
        "output_tokens": 650,
        "cache_ratio": "20%",
    },
    "hybrid-office-hours": {
        "model": "gpt-4.1",
        "input_tokens": 800,
        "output_tokens": 200,
        "profile": [("1/3", 1000), ("2/3", 60)],
    },
}


@needs_shared
def test_every_shared_case_is_tested_here_or_elsewhere():
    assert set(WORKED) == {
        *SHAPES,
        "full-ptu-month-is-about-260-of-payg",
        "regional-price-depends-on-region",  # test_prices_facts
        "bad-telemetry",  # of the reader of logs
    }


@needs_shared
@pytest.mark.parametrize("name", SHAPES)
def test_a_shared_case_is_answered(name):
    answer = dict(WORKED[name]["answer"])
    _, cost = priced(SHAPES[name])
    assert cost.payg_monthly_usd == Decimal(answer.pop("payg_monthly_usd"))
    for key, value in answer.items():
        match key:
            case "raw_ptu":
                assert rounded(raw_ptu(SHAPES[name]), value)
            case "ptu" | "full_ptu":
                assert cost.peak_ptu == int(value)
            case "hourly" | "1-month" | "1-year":
                assert cost.option(key).monthly_usd == Decimal(value)
            case "full_1_month":
                assert cost.option("1-month").monthly_usd == Decimal(value)
            case "cheaper_monthly" | "cheaper_yearly":
                full = cost.option("1-month" if key == "cheaper_monthly" else "1-year")
                assert value == ("ptu" if full.monthly_usd < cost.payg_monthly_usd else "payg")
            case _:
                term = {"hybrid_1_month": MONTH, "hybrid_1_year": YEAR, "hybrid_hourly": HOURLY}[key]
                mix = cost.hybrid[term]
                assert mix.ptu == int(value["ptu"])
                assert mix.monthly_usd == Decimal(value.get("monthly_usd", cost.payg_monthly_usd))


@needs_shared
@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-5", "gpt-4o", "o3-mini"])
def test_a_shared_break_even_is_answered(model):
    expected = WORKED["full-ptu-month-is-about-260-of-payg"]["answer"]
    assert len(expected) == 4
    _, cost = priced({"model": model, "requests_per_minute": 100, "input_tokens": 1000, "output_tokens": 0})
    found = {each.term: each.utilization for each in cost.break_even}
    for term, text in zip((MONTH, YEAR, HOURLY), expected[model], strict=True):
        assert rounded(found[term], text)


EXAMPLES = {example["id"]: example for example in (shared("published.yaml") or {"examples": []})["examples"]}


@needs_shared
def test_every_published_example_of_money_is_tested():
    kinds = ("cost", "billing", "reservation", "breakeven")
    assert {name for name, example in EXAMPLES.items() if example["kind"] in kinds} == {
        "ms-ptu-vs-payg-gpt-6-astra",
        "live-45ptu-hourly",
        "live-45ptu-reserved",
        "ms-hourly-300",
        "ms-res-overage-1",
        "ms-res-250-of-200",
        "ms-res-ex2",
        "ms-res-proration",
    }


@needs_shared
def test_a_published_reservation_covers_what_it_says():
    def of(name):
        example = EXAMPLES[name]
        return {k: int(v) for k, v in example["inputs"].items() if v.isdecimal()}, example["published"]

    given, said = of("ms-res-overage-1")
    found = coverage(given["reserved"], given["deployed_before"] + given["added"])
    assert (found.covered, found.billed_hourly) == (int(said["covered_total"]), int(said["hourly"]))
    given, said = of("ms-res-250-of-200")
    assert coverage(given["reserved"], given["deployed"]).billed_hourly == int(said["hourly"])
    given, said = of("ms-res-ex2")
    found = coverage(given["reserved"], given["deployed"])
    assert (found.billed_hourly, found.unused) == (int(said["hourly"]), int(said["unused"]))
    given, said = of("ms-res-proration")
    found = coverage(0, given["deployed"], minutes=given["minutes_in_hour"])
    assert found.billed_hourly == int(said["ptu_hours_counted"])


@needs_shared
def test_45_ptu_cost_what_the_live_calculator_said():
    _, cost = priced({"model": "gpt-5.6-sol", "requests_per_minute": 18, "input_tokens": 1000, "output_tokens": 300})
    hourly, reserved = EXAMPLES["live-45ptu-hourly"]["published"], EXAMPLES["live-45ptu-reserved"]["published"]
    assert cost.peak_ptu == 45
    assert cost.option("hourly").monthly_usd == Decimal(hourly["usd_one_month"])
    assert cost.option("hourly").monthly_usd / 730 == Decimal(hourly["usd_per_hour"])
    assert cost.option("hourly").monthly_usd / 730 * 24 == Decimal(hourly["usd_24h_late"])
    assert cost.option("1-month").monthly_usd == Decimal(reserved["usd_month"])
    for term in ("1m", "1y"):
        option = cost.option({"1m": "1-month", "1y": "1-year"}[term])
        per_hour = option.monthly_usd / 730
        assert round(per_hour, 2) == Decimal(reserved[f"effective_usd_per_hour_{term}"])


@needs_shared
def test_the_30_days_of_microsofts_illustration_are_30_of_our_days():
    # 43,200 minutes there, 43,800 here: 259.20 x 43,800 / 43,200 = 262.80
    said = EXAMPLES["ms-ptu-vs-payg-gpt-6-astra"]["published"]
    _, cost = priced({"model": "gpt-6-astra", "requests_per_minute": 1, "input_tokens": 600, "output_tokens": 0})
    assert cost.ptu_month_worth_usd == Fraction(said["payg_usd"]) * 43_800 / 43_200
    tokens = Fraction(said["normalized_volume_m"])
    assert rounded(260 / tokens, said["ptu_effective_usd_per_1m"])
