"""Deployments spread over regions: found where there is a placement, refused where there is none."""

from __future__ import annotations

from collections import Counter
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from ptucalc.placement import MOST_ITEMS, Item, place_together


def item(ptu: int, *regions: str) -> Item:
    return Item(ptu, {region: (region,) for region in regions})


def test_the_largest_go_where_they_must() -> None:
    """60 fits only in y: so 50 goes to x, though y had room for it."""
    assert place_together([item(50, "y", "x"), item(60, "y", "x")], {"x": 50, "y": 60}) == ("x", "y")


def test_a_choice_that_leads_nowhere_is_taken_back() -> None:
    """The 30 goes to x first, where the 29 must go."""
    assert place_together([item(30, "x", "y"), item(29, "x")], {"x": 30, "y": 30}) == ("y", "x")


def test_every_stock_of_a_region_must_hold_it() -> None:
    both = Item(10, {"x": ("quota", "capacity")})
    assert place_together([both], {"quota": 10, "capacity": 10}) == ("x",)
    assert place_together([both], {"quota": 10, "capacity": 9}) is False
    assert place_together([item(10)], {}) is False
    assert place_together([], {}) == ()


def test_what_takes_too_long_is_not_known() -> None:
    many = [item(10, *"vwxyz") for _ in range(40)]
    assert place_together(many, dict.fromkeys("vwxyz", 79)) is None
    assert place_together([item(1, "x")] * (MOST_ITEMS + 1), {"x": 10_000}) is None


@given(
    st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["x", "xy", "xyz", "yz", "z"])), max_size=5),
    st.tuples(*[st.integers(0, 12)] * 3),
)
def test_it_finds_what_trying_all_finds(wanted: list[tuple[int, str]], free: tuple[int, int, int]) -> None:
    left = dict(zip("xyz", free, strict=True))

    def holds(regions: tuple[str, ...]) -> bool:
        taken = Counter[str]()
        for (ptu, _), region in zip(wanted, regions, strict=True):
            taken[region] += ptu
        return all(taken[region] <= left[region] for region in left)

    found = place_together([item(ptu, *regions) for ptu, regions in wanted], dict(left))
    possible = any(map(holds, product(*(regions for _, regions in wanted))))
    assert holds(found) if isinstance(found, tuple) else found is False
    assert isinstance(found, tuple) == possible
