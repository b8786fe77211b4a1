"""Who pays which part of a shared deployment."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.chargeback import charge_costs, charge_sizes
from ptucalc.cost import compare
from ptucalc.rounding import apportioned
from ptucalc.workload import LoadProfile

from .invented import GLOBAL, calls, sized
from .priced import a_book


def shares(*workloads: object) -> list[tuple[str, Fraction, int]]:
    (charged,) = charge_sizes(sized(workloads, deployment_types=(GLOBAL,)))  # type: ignore[arg-type]
    return [(share.workload, share.share, share.ptu) for share in charged.shares]


def test_shares_are_exact_and_whole_ptu_go_to_the_largest_remainders() -> None:
    """20 + 20 + 21 need 61, so 65 PTU: 65 x 20/61 = 21.3, 21.3 and 22.4; the one that is left goes to the 22.4."""
    found = shares(*(calls(rate, name=name) for name, rate in (("a", 20), ("b", 20), ("c", 21))))
    assert found == [("a", Fraction(20, 61), 21), ("b", Fraction(20, 61), 21), ("c", Fraction(21, 61), 23)]


def test_a_tie_goes_to_the_first() -> None:
    """15 PTU in two halves: 7.5 each."""
    assert [ptu for _, _, ptu in shares(calls(7, name="a"), calls(7, name="b"))] == [8, 7]


def test_weighted_tokens_count_not_calls() -> None:
    """1,000 in and 1,000 out weigh 1,000 + 3 x 1,000 = 4,000: four times a call of 1,000 in; 10 and 40 of 50 PTU."""
    found = shares(calls(10, name="in"), calls(10, 1000, 1000, name="out"))
    assert found == [("in", Fraction(1, 5), 10), ("out", Fraction(4, 5), 40)]


def test_the_average_over_the_month_counts_not_the_peak() -> None:
    """A peak of 40 in half of the time is 20 on average, as the steady 20 are: equal shares of 60 PTU."""
    profile = LoadProfile.from_levels([("1/2", 40), ("1/2", 0)])
    assert shares(calls(None, name="peak", profile=profile), calls(20, name="flat")) == [
        ("peak", Fraction(1, 2), 30),
        ("flat", Fraction(1, 2), 30),
    ]


def test_calls_that_weigh_nothing_share_equally() -> None:
    found = shares(*(calls(1, 1000, name=name, cache_ratio=1) for name in "abc"))
    assert found == [("a", Fraction(1, 3), 4), ("b", Fraction(1, 3), 3), ("c", Fraction(1, 3), 3)]


def test_a_deployment_of_one_workload_is_not_divided() -> None:
    assert charge_sizes(sized([calls(name="a"), calls(name="b", deployment="own")])) == ()


def test_each_type_is_divided_by_itself() -> None:
    """50 need 50 PTU by fives and 80 by forties."""
    found = charge_sizes(sized([calls(10, name="a"), calls(40, name="b")]))
    assert [(c.deployment_type.value, c.ptu, [s.ptu for s in c.shares]) for c in found] == [
        ("global", 50, [10, 40]),
        ("data-zone", 50, [10, 40]),
        ("regional", 80, [16, 64]),
    ]


def test_cents_sum_to_what_the_deployment_costs() -> None:
    result = sized([calls(rate, name=str(rate)) for rate in (1, 2, 4)], deployment_types=(GLOBAL,))
    cost = compare(result, a_book(), largest_ptu=7000)
    (charged,) = charge_costs(result, cost)
    assert charged.ptu == cost.deployments[0].peak_ptu == sum(share.ptu for share in charged.shares)
    known = {option.term: option.monthly_usd for option in cost.deployments[0].options if option.term != "payg"}
    assert charged.monthly_usd == known and any(known.values())
    for term, amount in known.items():
        parts = [share.monthly_usd[term] for share in charged.shares]
        if amount is None:
            assert parts == [None] * 3
        else:
            assert sum(parts, Decimal(0)) == amount  # type: ignore[arg-type]
            exact = [amount * weight / 7 for weight in (1, 2, 4)]
            assert all(abs(part - want) < Decimal("0.01") for part, want in zip(parts, exact, strict=True))  # type: ignore[operator]


def test_json_data_has_numbers_only() -> None:
    (charged,) = charge_sizes(sized([calls(10, name="a"), calls(40, name="b")], deployment_types=(GLOBAL,)))
    assert charged.to_dict() == {
        "deployment": "Alder",
        "deployment_type": "global",
        "ptu": 50,
        "monthly_usd": {},
        "shares": [
            {"workload": "a", "weighted_tpm": 10000, "share": 0.2, "ptu": 10, "monthly_usd": {}},
            {"workload": "b", "weighted_tpm": 40000, "share": 0.8, "ptu": 40, "monthly_usd": {}},
        ],
    }


@given(st.integers(0, 10**9), st.lists(st.fractions(0, 10**6), min_size=1, max_size=20))
def test_parts_are_whole_conserve_the_total_and_are_less_than_one_off(total: int, weights: list[Fraction]) -> None:
    parts = apportioned(total, weights)
    assert sum(parts) == total
    each = weights if any(weights) else [Fraction(1)] * len(weights)
    for part, weight in zip(parts, each, strict=True):
        assert abs(part - total * weight / sum(each)) < 1


def test_nothing_is_split_by_nobody_or_by_less_than_nothing() -> None:
    for total, weights in ((1, []), (-1, [Fraction(1)]), (1, [Fraction(-1), Fraction(2)])):
        with pytest.raises(ValueError, match="split by one weight or more"):
            apportioned(total, weights)
