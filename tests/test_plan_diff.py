"""What differs between two sides: workloads by name, deployments by what makes them one, exact sums."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc import LoadProfile
from ptucalc.catalog import Unknown
from ptucalc.catalog_diff import catalog_differences
from ptucalc.plan_diff import (
    Changed,
    Described,
    FieldChange,
    Kind,
    Side,
    SideDeployment,
    SideWorkload,
    WorkloadChange,
    differences,
)
from ptucalc.plan_limits import Limit, LimitName, PlanLimits
from ptucalc.plan_sides import side_of
from ptucalc.prices import PtuTerm
from ptucalc.purchase import purchases

from .invented import DATA_ZONE, GLOBAL, a_catalog, a_model, calls, only, sized, weights
from .priced import HERE, THERE, YEAR, compared

F = Fraction
CATALOG = a_catalog(a_model(), a_model("Birch"))


def side(*workloads: Any, limits: PlanLimits | None = None, headroom: Any = 0, name: str = "p") -> Side:
    shape = {"deployment_types": (GLOBAL,), "headroom": headroom}
    found = sized(workloads, CATALOG, **shape)
    costs = compared(workloads, catalog=CATALOG, terms=(YEAR,), **shape)
    return side_of(name, found, purchases(found, costs, YEAR), limits)


def test_the_same_twice_differs_in_nothing() -> None:
    one = side(calls(8, name="a"), calls(20, model="Birch", name="b"))
    assert differences(one, one) == Changed(settings=(), workloads=(), deployments=())
    assert not differences(one, one).anything


def test_changed_values_are_named_with_both_figures() -> None:
    old = side(calls(10, name="a", cache_ratio="50%"))
    new = side(calls(20, name="a", cache_ratio="40%", max_tokens=100))
    found = differences(old, new)
    assert found.workloads == (
        WorkloadChange(
            Kind.CHANGED,
            "a",
            "a",
            "Alder",
            (
                FieldChange("requests_per_minute", F(10), F(20)),
                FieldChange("cache_ratio", F(1, 2), F(2, 5)),
                FieldChange("max_tokens", None, F(100)),
            ),
        ),
    )
    (moved,) = found.deployments  # half of 10 PTU: the minimum of 10; 60 % of 20 PTU: 12, so 15
    assert (moved.kind, moved.ptu, moved.monthly_usd) == (Kind.CHANGED, (10, 15), (Decimal(2000), Decimal(3000)))


def test_added_and_removed_workloads_bring_and_take_their_deployments() -> None:
    old = side(calls(10, name="a"), calls(20, model="Birch", name="b"))
    new = side(calls(10, name="a"), calls(25, name="c", region=THERE))
    found = differences(old, new)
    assert [(each.kind, each.name, each.model) for each in found.workloads] == [
        (Kind.ADDED, "c", "Alder"),
        (Kind.REMOVED, "b", "Birch"),
    ]
    assert [(each.kind, each.ptu, each.monthly_usd) for each in found.deployments] == [
        (Kind.ADDED, (0, 25), (Decimal(0), Decimal(5000))),
        (Kind.REMOVED, (20, 0), (Decimal(4000), Decimal(0))),
    ]
    assert (old.ptu, new.ptu, old.monthly_usd, new.monthly_usd) == (30, 35, 6000, 7000)


def test_a_workload_with_another_name_and_the_same_values_was_renamed() -> None:
    found = differences(side(calls(10, name="a")), side(calls(10, name="b")))
    assert found.workloads == (WorkloadChange(Kind.RENAMED, "a", "b", "Alder", ()),)
    assert found.deployments == ()
    other = differences(side(calls(10, name="a")), side(calls(11, name="b")))
    assert [each.kind for each in other.workloads] == [Kind.ADDED, Kind.REMOVED]


def test_two_alike_are_renamed_one_to_one() -> None:
    old = side(calls(10, name="a"), calls(10, name="b"))
    new = side(calls(10, name="c"), calls(10, name="d"), calls(10, name="e"))
    found = differences(old, new).workloads
    assert [(each.kind, each.old_name, each.new_name) for each in found] == [
        (Kind.RENAMED, "a", "c"),
        (Kind.RENAMED, "b", "d"),
        (Kind.ADDED, None, "e"),
    ]


def test_a_workload_that_keeps_its_name_is_never_taken_for_a_renamed_one() -> None:
    old = side(calls(10, name="a"), calls(10, name="b"))
    new = side(calls(10, name="b"), calls(10, name="c"))
    assert [(each.kind, each.name) for each in differences(old, new).workloads] == [(Kind.RENAMED, "c")]


def test_a_deployment_of_one_workload_follows_it_to_another_model_or_region() -> None:
    (moved,) = differences(side(calls(10, name="a")), side(calls(20, name="a", model="Birch", region=HERE))).deployments
    assert (moved.ptu, moved.places) == ((10, 20), ("Alder global", "Birch global northland"))
    assert differences(side(calls(10, name="a")), side(calls(10, name="b"))).deployments == ()


def test_a_shared_deployment_that_loses_a_workload_stays_the_same_deployment() -> None:
    old = side(calls(10, name="a"), calls(20, name="b"))
    new = side(calls(10, name="a"), calls(20, name="b", model="Birch"))
    found = {each.name: each.ptu for each in differences(old, new).deployments}
    assert found == {"Alder": (30, 10), "Birch": (0, 20)}


def test_a_deployment_with_a_name_is_the_same_whatever_runs_on_it() -> None:
    old = side(calls(10, name="a", deployment="d"))
    new = side(calls(20, name="z", model="Birch", deployment="d"))
    (moved,) = differences(old, new).deployments
    assert (moved.name, moved.ptu) == ("d", (10, 20))


def test_headroom_and_limits_are_settings_of_the_plan() -> None:
    budget = Limit(name=LimitName.BUDGET, value=F(5))
    quota = Limit(name=LimitName.QUOTA, value=F(40), deployment_type=DATA_ZONE, region="x")
    regions = Limit(name=LimitName.REGIONS, value=("x", "y"))
    old = side(calls(10, name="a"), limits=PlanLimits(limits=(budget, quota)))
    new = side(calls(10, name="a"), limits=PlanLimits(limits=(budget, regions), term=PtuTerm.HOURLY), headroom="50%")
    found = differences(old, new)
    assert found.settings == (
        FieldChange("headroom", F(0), F(1, 2)),
        FieldChange("limits.quota_ptu.data-zone.x", F(40), None),
        FieldChange("limits.allowed_regions", None, "x, y"),
        FieldChange("limits.term", None, "hourly"),
    )
    assert [each.ptu for each in found.deployments] == [(10, 15)]


@pytest.mark.parametrize(
    ("profile", "text"),
    [
        (LoadProfile.from_levels([("1/3", 10), ("2/3", 4)]), "10/min for 33.3%, 4/min for 66.7%"),
        (LoadProfile.from_hourly([10, *[4] * 23]), "24 hourly rates, mean 4.25/min"),
        (LoadProfile.from_minutes([10, 4]), "2 minutes rates, mean 7/min"),
    ],
)
def test_a_profile_is_told_in_words(profile: LoadProfile, text: str) -> None:
    (change,) = differences(side(calls(10, name="a")), side(calls(None, name="a", profile=profile))).workloads
    (field,) = change.changes
    assert isinstance(field.new, Described)
    assert (field.field, field.old, field.new.text) == ("profile", None, text)


def test_profiles_that_read_the_same_still_differ() -> None:
    one, two = ([10, 3, 5, *[4] * 21], [10, 5, 3, *[4] * 21])
    sides = [side(calls(None, name="a", profile=LoadProfile.from_hourly(rates))) for rates in (one, two)]
    (change,) = differences(*sides).workloads
    assert [each.field for each in change.changes] == ["profile"]
    assert not differences(sides[0], sides[0]).anything


workloads = st.lists(
    st.builds(
        calls,
        st.integers(1, 40),
        name=st.sampled_from("abcde"),
        model=st.sampled_from(["Alder", "Birch"]),
        region=st.sampled_from([None, HERE, THERE]),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda workload: workload.name,
)


@given(workloads, workloads)
def test_what_deployments_move_by_adds_up_to_what_the_totals_move_by(one: list, two: list) -> None:
    old, new = side(*one), side(*two)
    found = differences(old, new)
    assert old.ptu is not None
    assert new.ptu is not None
    assert sum(each.ptu[1] - each.ptu[0] for each in found.deployments) == new.ptu - old.ptu
    money = sum((each.monthly_usd[1] - each.monthly_usd[0] for each in found.deployments), Decimal(0))
    assert money == new.monthly_usd - old.monthly_usd
    back = differences(new, old)
    assert sorted(each.ptu[::-1] for each in back.deployments) == sorted(each.ptu for each in found.deployments)
    assert len(back.workloads) == len(found.workloads)
    by_name = [sorted(listed, key=lambda workload: workload.name) for listed in (one, two)]
    assert found.anything == (by_name[0] != by_name[1])


def test_an_amount_for_more_ptu_than_are_sized_says_what_it_is_for() -> None:
    one = (calls(10, name="a"),)
    shape = {"deployment_types": (GLOBAL,)}
    (alder,) = purchases(sized(one, CATALOG, **shape), compared(one, catalog=CATALOG, terms=(YEAR,), **shape), YEAR)
    found = side_of("p", sized(one, CATALOG, **shape), (alder._replace(monthly_ptu=25),), None)
    assert found.deployments[0].reason == "the amount is for 25 PTU, as the busiest minute of its log needs"
    assert side(*one).deployments[0].reason == ""


def test_totals_are_unknown_where_one_deployment_is() -> None:
    known = SideDeployment("a", "a", "Alder", "global", None, ("a",), 10, Decimal(5))
    lacking = SideDeployment("b", "b", "Alder", "data-zone", None, ("b",), None, None, "no price")
    found = Side("x", (SideWorkload("a", "a", {}),), (known, lacking))
    assert (found.ptu, found.monthly_usd) == (None, None)
    assert found.ptu_by_type == {"global": 10, "data-zone": None}


def test_catalogs_differ_model_by_model() -> None:
    old = a_catalog(a_model(), a_model("Birch"), a_model("Cedar"))
    faster = a_model(tpm_per_ptu=2000, weights=weights(output=4, cached_input=Unknown("secret")))
    new = a_catalog(faster, only(a_model("Cedar"), GLOBAL), a_model("Dogwood"))
    found = catalog_differences(old, new)
    assert [(each.kind, each.model) for each in found] == [
        (Kind.CHANGED, "Alder"),
        (Kind.CHANGED, "Cedar"),
        (Kind.ADDED, "Dogwood"),
        (Kind.REMOVED, "Birch"),
    ]
    assert found[0].changes == (
        FieldChange("tpm_per_ptu", F(1000), F(2000)),
        FieldChange("weight of cached input", F(0), "unknown"),
        FieldChange("weight of output", F(3), F(4)),
    )
    assert [(change.field, change.old, change.new) for change in found[1].changes][:3] == [
        ("data-zone minimum", F(10), None),
        ("data-zone increment", F(5), None),
        ("data-zone offered", "yes", "no"),
    ]
    assert [each.model for each in catalog_differences(old, new, {"Birch", "Dogwood"})] == ["Dogwood", "Birch"]
    assert catalog_differences(old, old) == ()
