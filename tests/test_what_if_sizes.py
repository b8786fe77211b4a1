"""What other numbers of PTU would cost: worked by hand, at the ends, and the same as the curve that `cost` searches.

Half of the time 12 calls a minute, half of it 2, each of 1 PTU and $438 a month. Global PTU are 365, 300 and 200 a month.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptucalc.catalog import Unknown
from ptucalc.simulated_runs import SweepPoint, TokenSums
from ptucalc.what_if_sizes import FEWEST_SIZES, MOST_ROWS, MOST_SIZES, WhatIfSizes, what_if_sizes
from ptucalc.workload import LoadProfile

from .invented import DATA_ZONE, GLOBAL, calls, sized
from .priced import HERE, HOURLY, MONTH, YEAR, a_book, book_of, compared, row, scope

F = Fraction
LEVELS = LoadProfile.from_levels([("1/2", 12), ("1/2", 2)])


def looked_at(workloads, *, kinds=(GLOBAL,), book=None, terms=(HOURLY, MONTH, YEAR), discount=0, **given):
    """The sizes of every deployment and type."""
    prices = book or a_book()
    plan = sized(workloads, deployment_types=kinds, **given)
    costs = compared(workloads, book=prices, deployment_types=kinds, terms=terms, discount=discount, **given)
    return list(what_if_sizes(plan, costs, prices, terms=terms, largest_ptu=7000))


def rows_of(found: WhatIfSizes):
    return {row["ptu"]: row for row in found.to_dict()["rows"]}


def test_every_size_up_to_the_peak_has_its_ptu_and_what_spills():
    (found,) = looked_at(calls(rate=None, profile=LEVELS))
    data = found.to_dict()
    assert [row["ptu"] for row in data["rows"]] == [0, 10, 15]
    assert data["rows"][1] == {
        "ptu": 10,
        "fixed_monthly_usd": {"hourly": 3650, "1-month": 3000, "1-year": 2000},
        "spillover_monthly_usd": 438,  # half of the time 2 of the 12 calls
        "monthly_usd": {"hourly": 4088, "1-month": 3438, "1-year": 2438},
        "share_of_time_over": 0.5,
        "throttled_share": None,
        "throttled_minutes": None,
    }
    assert data["rows"][0]["spillover_monthly_usd"] == data["payg_monthly_usd"] == 7 * 438
    assert data["rows"][2]["monthly_usd"]["1-year"] == 3000 and data["rows"][2]["share_of_time_over"] == 0
    assert {key: data[key] for key in ("peak_ptu", "every_legal_size", "reason")} == {
        "peak_ptu": 15,
        "every_legal_size": True,
        "reason": None,
    }
    assert data["usd_per_ptu_month"] == {"hourly": 365, "1-month": 300, "1-year": 200}
    assert data["cheapest"] == {"hourly": 0, "1-month": 0, "1-year": 10}


def test_demand_that_just_fits_is_not_over_a_size():
    (found,) = looked_at(calls(rate=None, profile=LoadProfile.from_levels([("1/4", 10), ("3/4", 1)])))
    assert [found.over[found.sizes.index(ptu)] for ptu in (0, 10)] == [1, 0]
    (found,) = looked_at(calls(rate=None, profile=LoadProfile.from_levels([("1/4", "10.001"), ("3/4", 0)])))
    assert [found.over[found.sizes.index(ptu)] for ptu in (0, 10, 15)] == [F(1, 4), F(1, 4), 0]


def test_the_sizes_go_up_to_the_one_that_is_bought_with_headroom():
    (found,) = looked_at(calls(rate=None, profile=LEVELS), headroom="50%")  # 18
    assert found.sizes == (0, 10, 15, 20) and found.cost.peak_ptu == 20
    assert rows_of(found)[20]["share_of_time_over"] == 0


def test_a_discount_lowers_what_ptu_cost_and_a_term_not_asked_for_is_missing():
    (found,) = looked_at(calls(rate=None, profile=LEVELS), terms=(YEAR,), discount="10%")
    data = found.to_dict()
    assert data["usd_per_ptu_month"] == {"1-year": 180}
    assert data["rows"][1]["monthly_usd"] == {"1-year": 1800 + 438}


def test_where_no_price_of_tokens_is_known_ptu_still_have_theirs():
    book = book_of({GLOBAL: scope([row(HERE, input=10)])})
    (found,) = looked_at(calls(rate=None, region="southland", profile=LEVELS), book=book)
    data = found.to_dict()
    assert "no Global pay-as-you-go price of Alder is known for southland" in data["reason"]
    assert data["rows"][1]["fixed_monthly_usd"]["hourly"] == 3650
    assert data["rows"][1]["spillover_monthly_usd"] is None and data["rows"][1]["monthly_usd"]["hourly"] is None
    assert data["rows"][1]["share_of_time_over"] == 0.5


def test_where_a_ptu_price_is_not_known_what_spills_is_still_told():
    (found,) = looked_at(calls(rate=None, region="southland", profile=LEVELS), kinds=(DATA_ZONE,), book=a_book(
        models={"alder": {DATA_ZONE: scope([row(input=10, output=40)])}}
    ))  # fmt: skip
    data = found.to_dict()
    assert data["usd_per_ptu_month"]["1-month"] is None
    assert data["rows"][1]["spillover_monthly_usd"] == 438
    assert data["rows"][1]["fixed_monthly_usd"]["1-month"] is data["rows"][1]["monthly_usd"]["1-month"] is None


def test_of_a_load_known_by_its_average_nothing_is_said_to_spill():
    (found,) = looked_at(calls(rate=12, average_requests_per_minute=7))
    assert isinstance(found.over, Unknown) and isinstance(found.spilled, Unknown)
    data = found.to_dict()
    assert "only the average" in data["reason"]
    assert all(row["share_of_time_over"] is None and row["spillover_monthly_usd"] is None for row in data["rows"])


def test_what_a_simulation_says_of_a_size_stands_beside_it():
    (found,) = looked_at(calls(rate=None, profile=LEVELS))
    data = found.to_dict({10: SweepPoint(10, 200, 3, 3, 2, TokenSums())})
    by_size = {row["ptu"]: (row["throttled_share"], row["throttled_minutes"]) for row in data["rows"]}
    assert by_size == {0: (None, None), 10: (0.015, 2), 15: (None, None)}


def test_of_a_large_deployment_sizes_are_spread_evenly_with_those_that_stand_out():
    profile = LoadProfile.from_levels([("1/2", 4000), ("1/2", 3)])
    (found,) = looked_at(calls(rate=None, profile=profile))  # 800 sizes
    assert not found.every_legal_size and len(found.sizes) <= MOST_SIZES + 8
    chosen = {mix.ptu for mix in found.cost.hybrid.values()}
    assert {0, 10, 4000} | chosen <= set(found.sizes)
    steps = [after - before for before, after in zip(found.sizes[2:], found.sizes[3:], strict=False)]
    assert max(steps) <= 10
    assert list(found.sizes) == sorted(set(found.sizes))


def test_of_many_deployments_each_has_fewer_sizes():
    many = [calls(rate=4000, deployment=f"d{index}", name=f"w{index}") for index in range(40)]
    found = looked_at(many)
    assert len(found) == 40
    assert all(FEWEST_SIZES <= len(each.sizes) <= MOST_ROWS / 40 + 8 for each in found)


@given(
    rates=st.lists(st.integers(0, 60), min_size=1, max_size=6).filter(any),
    headroom=st.sampled_from(["0", "10%", "37%"]),
)
@settings(max_examples=40, deadline=None)
def test_the_points_are_those_of_the_curve_that_cost_searches(rates, headroom):
    part = F(1, len(rates))
    profile = LoadProfile.from_levels([(part, rate) for rate in rates])
    (found,) = looked_at(calls(rate=None, profile=profile), headroom=headroom)
    rows = rows_of(found)
    for term, mix in found.cost.hybrid.items():
        for ptu, monthly in mix.curve:
            assert rows[ptu]["monthly_usd"][term.value] == pytest.approx(float(monthly), abs=1e-9)
        best = rows[mix.ptu]
        assert best["spillover_monthly_usd"] == float(mix.spillover_monthly_usd)
        assert best["monthly_usd"][term.value] == min(row["monthly_usd"][term.value] for row in rows.values())
    spilled = [row["spillover_monthly_usd"] for row in rows.values()]
    over = [row["share_of_time_over"] for row in rows.values()]
    assert spilled == sorted(spilled, reverse=True) and over == sorted(over, reverse=True)
