"""Quota and capacity against a plan: what fits, what is missing, what would fit instead."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.catalog import DeploymentType
from ptucalc.quota import DeployableSize, QuotaPool, provider_of
from ptucalc.room import DeploymentRoom, PoolRoom, Room
from ptucalc.room_search import find_room
from ptucalc.rounding import Grid

from .invented import DATA_ZONE, GLOBAL, REGIONAL, a_catalog, a_model, calls, sized

ALDER = a_model(publisher="OpenAI", versions=("1",))
BIRCH = a_model("Birch", publisher="Others", model_id="birch-id", versions=("1", "2"))
CATALOG = a_catalog(ALDER, BIRCH)


def pool(
    limit: int, used: int = 0, region: str = "northland", kind: DeploymentType = GLOBAL, provider: str = "OpenAI"
) -> QuotaPool:
    return QuotaPool(provider, kind, region, limit, used, "u.json")


def can_have(
    ptu: int, region: str = "northland", model: str = "Alder", version: str = "1", kind: DeploymentType = GLOBAL
) -> DeployableSize:
    return DeployableSize(model, version, kind, region, ptu)


def room(*workloads: object, quota: object = None, deployable: object = None, sku: object = (GLOBAL,)) -> Room:
    result = sized(workloads, CATALOG, deployment_types=sku)  # type: ignore[arg-type]
    return find_room(result, quota=quota, deployable=deployable)  # type: ignore[arg-type]


def only_pool(found: Room) -> PoolRoom:
    (one,) = found.pools
    return one


def only(found: Room) -> DeploymentRoom:
    (one,) = found.deployments
    return one


# Pools


def test_the_published_example_500_with_100_and_100_used_leaves_300() -> None:
    """Microsoft's provisioned onboarding page of 2024-07-23, and get-started of 2026-02-10."""
    assert pool(500, 100 + 100).available_ptu == 300


def test_a_limit_that_was_lowered_below_what_is_used_leaves_nothing() -> None:
    assert pool(100, 150).available_ptu == 0


def test_the_pool_is_named_as_azure_names_it_and_by_publisher() -> None:
    assert pool(1, kind=REGIONAL).name == "OpenAI.ProvisionedManaged"
    assert (provider_of(ALDER), provider_of(BIRCH)) == ("OpenAI", "AIServices")


@pytest.mark.parametrize(("rate", "fits", "missing"), [(295, True, 0), (300, True, 0), (301, False, 5)])
def test_a_plan_fits_up_to_the_last_free_ptu(rate: int, fits: bool, missing: int) -> None:
    """300 are free; 301 round up to 305, so 5 are missing."""
    found = room(calls(rate, region="northland"), quota=[pool(500, 200)])
    assert (only_pool(found).fits, only_pool(found).missing_ptu) == (fits, missing)
    assert only(found).fits is fits


def test_deployments_of_one_type_and_region_share_the_quota_whatever_their_model() -> None:
    """60 + 40 of 90: 10 are missing, and each could be as large as the other leaves."""
    cedar = a_model("Cedar", publisher="OpenAI", versions=("1",))
    result = sized(
        [calls(60, name="a", region="northland"), calls(40, name="c", model="Cedar", region="northland")],
        a_catalog(ALDER, cedar),
        deployment_types=(GLOBAL,),
    )
    found = find_room(result, quota=[pool(90)])
    assert only_pool(found)[5:10] == (100, 90, 0, 90, 10)
    assert only_pool(found).deployments == ("Alder", "Cedar")
    assert [(d.fits, d.regions[0].quota_left_ptu, d.regions[0].fitting_ptu) for d in found.deployments] == [
        (False, 50, 50),
        (False, 30, 30),
    ]


def test_other_publishers_types_and_regions_have_pools_of_their_own() -> None:
    workloads = (
        calls(60, name="a", region="northland"),
        calls(40, name="b", model="Birch", region="northland"),
        calls(30, name="c", region="southland"),
        calls(20, name="d", region="northland", deployment_type="data-zone"),
    )
    pools = [pool(60), pool(40, provider="AIServices"), pool(30, region="southland"), pool(19, kind=DATA_ZONE)]
    found = room(*workloads, quota=pools)
    assert [(p.name, p.region, p.needed_ptu, p.missing_ptu) for p in found.pools] == [
        ("OpenAI.GlobalProvisionedManaged", "northland", 60, 0),
        ("OpenAI.GlobalProvisionedManaged", "southland", 30, 0),
        ("AIServices.GlobalProvisionedManaged", "northland", 40, 0),
        ("OpenAI.DataZoneProvisionedManaged", "northland", 20, 1),
    ]


def test_a_pool_that_no_answer_names_is_unknown_with_the_reason() -> None:
    found = room(calls(60, region="northland"), quota=[pool(99, provider="AIServices")])
    assert (only_pool(found).fits, only_pool(found).missing_ptu, only(found).fits) == (None, None, None)
    assert only_pool(found).reason == "the usages of northland name no OpenAI.GlobalProvisionedManaged"
    found = room(calls(60, region="northland"), quota=[pool(99, region="southland")])
    assert only_pool(found).reason == "no usages of northland were read"


def test_no_quota_at_all_is_not_the_same_as_none_that_was_read() -> None:
    assert room(calls(60), deployable=[can_have(60)]).pools == ()
    assert room(calls(60, region="northland"), quota=[]).pools[0].fits is None
    with pytest.raises(ValueError, match="in quota, in capacities, or in both"):
        find_room(sized(calls()))


# Regions


def test_without_a_region_every_region_that_was_read_is_looked_at() -> None:
    found = room(calls(60), quota=[pool(50), pool(60, region="southland")])
    assert [(p.region, p.missing_ptu, p.region_given) for p in found.pools] == [
        ("northland", 10, False),
        ("southland", 0, False),
    ]
    assert only(found).fits is True and only(found).fitting_regions == ("southland",)


def test_a_plan_in_a_region_without_room_says_where_there_is() -> None:
    found = room(calls(60, region="northland"), quota=[pool(50), pool(60, region="southland")])
    assert only(found).fits is False and only(found).fitting_regions == ("southland",)
    assert [each.region for each in only(found).regions] == ["northland", "southland"]
    assert [p.region for p in found.pools] == ["northland"]


def test_a_region_that_does_not_offer_the_model_has_no_room() -> None:
    found = only(room(calls(60), quota=[pool(100, region="elsewhere")]))
    assert found.fits is False and found.regions[0].fitting_ptu is None
    assert found.regions[0].reasons == ("Alder is not offered as Global in elsewhere; it is in northland, southland",)


def test_deployments_without_a_region_go_to_one_together() -> None:
    """30 + 30 of 50: each fits alone, but not beside the other; nor does one that is to go there, beside them."""
    workloads = [calls(30, name=name, deployment=name) for name in "ab"]
    found = room(*workloads, quota=[pool(50)])
    assert [(d.fits, d.regions[0].quota_left_ptu, d.regions[0].fitting_ptu) for d in found.deployments] == [
        (False, 20, 20)
    ] * 2
    placed = calls(10, name="c", deployment="c", region="northland")
    found = room(*workloads, placed, quota=[pool(69), pool(100, region="southland")])
    assert found.deployments[2].fits is None and found.deployments[2].fitting_regions == ("southland",)
    assert [d.fits for d in found.deployments[:2]] == [True, True]  # 60 of 100 in southland


def test_one_region_that_fits_is_enough_whatever_else_is_unknown() -> None:
    found = only(room(calls(60), quota=[pool(60), pool(60, region="southland")], deployable=[can_have(60)]))
    assert [each.fits for each in found.regions] == [True, None] and found.fits is True


def two_of(ptu: int, third: int | None = None) -> list[object]:
    return [
        calls(each, name=name, deployment=name) for name, each in zip("abc", (ptu, ptu, third), strict=True) if each
    ]


@pytest.mark.parametrize(("free", "fits"), [(150, True), (149, False)])
def test_deployments_without_a_region_may_be_spread_over_several(free: int, fits: bool) -> None:
    """Two of 150 PTU: one to each region, where each has 150 free."""
    found = room(*two_of(150), quota=[pool(free), pool(free, region="southland")])
    assert [d.fits for d in found.deployments] == [fits, fits]
    assert {d.placed_in for d in found.deployments} == ({"northland", "southland"} if fits else {None})


def test_three_that_no_two_regions_hold_do_not_fit_though_each_does_alone() -> None:
    """3 x 60 in 2 x 100: two of them in one region are 120."""
    found = room(*two_of(60, 60), quota=[pool(100), pool(100, region="southland")])
    assert [d.fits for d in found.deployments] == [False] * 3
    assert [[r.fits for r in d.regions] for d in found.deployments] == [[None, None]] * 3


def test_that_they_do_not_fit_together_is_not_known_where_a_region_is_not() -> None:
    quota = [pool(100), pool(100, region="southland", provider="AIServices")]
    assert [d.fits for d in room(*two_of(60), quota=quota).deployments] == [None, None]


def test_what_has_a_region_is_placed_first() -> None:
    """100 of 150 are taken in northland: a and b of 60 both need southland's 119, and then its 120."""
    fixed = calls(100, name="x", deployment="x", region="northland")
    for free, fits in ((119, False), (120, True)):
        found = room(fixed, *two_of(60), quota=[pool(150), pool(free, region="southland")])
        assert [d.fits for d in found.deployments[1:]] == [fits, fits]


def test_a_region_that_does_not_offer_the_model_is_no_place_for_it() -> None:
    found = room(*two_of(60), quota=[pool(60), pool(60, region="elsewhere")])
    assert [d.fits for d in found.deployments] == [False, False]


def test_one_that_fits_nowhere_leaves_the_others_their_places() -> None:
    quota = [pool(150), pool(150, region="southland")]
    assert [d.fits for d in room(*two_of(150, 500), quota=quota).deployments] == [True, True, False]


def test_where_only_one_region_was_read_all_go_there() -> None:
    """30 + 30 of 50, though only one of them names the region; and so where the other region does not offer the model."""
    both = [calls(30, name="a", deployment="a", region="northland"), calls(30, name="b", deployment="b")]
    for quota in ([pool(50)], [pool(50), pool(50, region="elsewhere")]):
        assert [d.fits for d in room(*both, quota=quota).deployments] == [False, False]


def test_a_third_region_without_the_model_holds_none_of_them() -> None:
    for south, fits in ((60, True), (59, False)):
        quota = [pool(60), pool(south, region="southland"), pool(60, region="elsewhere")]
        assert [d.fits for d in room(*two_of(60), quota=quota).deployments] == [fits, fits]


def test_capacity_that_a_placed_one_takes_is_gone() -> None:
    """100 of 150 in northland are taken: southland must hold 60 + 60."""
    fixed = calls(100, name="x", deployment="x", region="northland")
    for south, fits in ((119, False), (120, True)):
        found = room(fixed, *two_of(60), deployable=[can_have(150), can_have(south, region="southland")])
        assert [d.fits for d in found.deployments[1:]] == [fits, fits]
    found = room(fixed, *two_of(50, 60), deployable=[can_have(150), can_have(110, region="southland")])
    assert [d.placed_in for d in found.deployments[1:]] == ["northland", "southland", "southland"] or (
        [d.placed_in for d in found.deployments[1:]] == ["southland", "northland", "southland"]
    )


def test_capacity_limits_a_placement_too() -> None:
    """Quota for all in each region, but capacity for 60 in each: one goes to each; of 59 none."""
    quota = [pool(500), pool(500, region="southland")]
    for most, fits in ((60, True), (59, False)):
        free = [can_have(most), can_have(most, region="southland")]
        assert [d.fits for d in room(*two_of(60), quota=quota, deployable=free).deployments] == [fits, fits]


# Capacity


@pytest.mark.parametrize(("free", "fits"), [(200, True), (195, False)])
def test_deployments_of_one_model_are_made_from_the_same_capacity(free: int, fits: bool) -> None:
    """100 + 100 of 200 fit; of 195 only one does."""
    two = [calls(100, name=name, deployment=name, region="northland") for name in "ab"]
    found = room(*two, deployable=[can_have(free)])
    assert [d.fits for d in found.deployments] == [fits, fits]
    assert [(d.regions[0].siblings, d.regions[0].siblings_ptu) for d in found.deployments] == [
        (("b",), 100),
        (("a",), 100),
    ]


def test_other_versions_models_types_and_regions_have_a_capacity_of_their_own() -> None:
    one = calls(100, name="a", model="Birch", model_version="1", deployment="a", region="northland")
    others = [
        calls(100, name="b", model="Birch", model_version="2", deployment="b", region="northland"),
        calls(100, name="c", model="Alder", deployment="c", region="northland"),
        calls(100, name="d", model="Birch", model_version="1", deployment="d", region="southland"),
        calls(
            100,
            name="e",
            model="Birch",
            model_version="1",
            deployment="e",
            region="northland",
            deployment_type="data-zone",
        ),
    ]
    answers = [can_have(100, model="birch-id", version="1")]
    found = room(one, *others, deployable=answers).deployments[0]
    assert (found.fits, found.regions[0].siblings) == (True, ())
    open_version = calls(100, name="f", model="Birch", deployment="f", region="northland")
    assert room(one, open_version, deployable=answers).deployments[0].fits is False


def test_capacity_is_by_model_version_and_type() -> None:
    others = [can_have(999, model="Birch"), can_have(999, version="2"), can_have(999, kind=REGIONAL)]
    found = only(room(calls(60, region="northland"), deployable=[*others, can_have(55)]))
    assert (found.fits, found.regions[0].deployable_ptu, found.regions[0].fitting_ptu) == (False, 55, 55)
    assert found.regions[0].reasons == ("55 PTU can be deployed there now",)
    found = only(room(calls(60, region="northland"), deployable=others))
    assert (found.fits, found.regions[0].reasons) == (None, ("the capacities read say nothing of Alder in northland",))


def test_capacity_is_found_by_the_models_id_and_the_worst_version_counts_where_it_is_open() -> None:
    answers = [can_have(80, model="BIRCH-ID", version="1"), can_have(70, model="birch-id", version="2")]
    found = only(room(calls(75, model="Birch", region="northland"), deployable=answers))
    assert (found.fits, found.regions[0].deployable_ptu, found.regions[0].most_deployable_ptu) == (None, 70, 80)
    assert only(room(calls(85, model="Birch", region="northland"), deployable=answers)).fits is False
    assert only(room(calls(70, model="Birch", region="northland"), deployable=answers)).fits is True
    found = only(room(calls(75, model="Birch", model_version="1", region="northland"), deployable=answers))
    assert (found.fits, found.regions[0].deployable_ptu) == (True, 80)


@pytest.mark.parametrize(("quota", "deployable", "fits"), [(60, 60, True), (59, 60, False), (60, 59, False)])
def test_both_quota_and_capacity_must_be_enough(quota: int, deployable: int, fits: bool) -> None:
    found = room(calls(60, region="northland"), quota=[pool(quota)], deployable=[can_have(deployable)])
    assert only(found).fits is fits and (found.quota_read, found.capacities_read) == (True, True)


def test_enough_quota_with_unknown_capacity_is_unknown_and_too_little_is_too_little() -> None:
    assert only(room(calls(60, region="northland"), quota=[pool(60)], deployable=[])).fits is None
    assert only(room(calls(60, region="northland"), quota=[pool(59)], deployable=[])).fits is False


def test_the_smaller_size_is_legal_and_says_what_it_serves() -> None:
    """53 left: 50 is the largest multiple of 5. A call of 1,000 tokens weighs one PTU-minute: 50 a minute."""
    smaller = only(room(calls(60, region="northland"), quota=[pool(53)])).regions[0]
    assert (smaller.fitting_ptu, smaller.fitting_max_requests_per_minute) == (50, Fraction(50))


def test_below_the_minimum_nothing_fits() -> None:
    assert only(room(calls(60, region="northland"), quota=[pool(9)])).regions[0].fitting_ptu is None
    assert only(room(calls(60, region="northland"), quota=[pool(10)])).regions[0].fitting_ptu == 10


def test_nothing_larger_than_wanted_is_offered() -> None:
    assert only(room(calls(60, region="northland"), quota=[pool(500)])).regions[0].fitting_ptu == 60


def test_a_deployment_whose_type_is_open_counts_on_every_type() -> None:
    found = room(calls(60, region="northland"), quota=[pool(60), pool(79, kind=REGIONAL)], sku=(GLOBAL, REGIONAL))
    assert [(p.deployment_type, p.needed_ptu, p.fits) for p in found.pools] == [
        (GLOBAL, 60, True),
        (REGIONAL, 80, False),
    ]


@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=4),
    st.integers(0, 1000),
    st.integers(0, 1000),
    st.integers(0, 400),
)
def test_what_is_missing_is_what_makes_it_fit(rates: list[int], limit: int, used: int, deployable: int) -> None:
    workloads = [calls(rate, name=f"w{i}", deployment=f"d{i}", region="northland") for i, rate in enumerate(rates)]
    found = room(*workloads, quota=[pool(limit, used)], deployable=[can_have(deployable)])
    one = only_pool(found)
    assert one.missing_ptu is not None and one.available_ptu is not None
    assert one.fits is (one.needed_ptu <= one.available_ptu)
    if one.missing_ptu:
        more = room(*workloads, quota=[pool(max(limit, used) + one.missing_ptu, used)])
        assert only_pool(more).fits
        less = room(*workloads, quota=[pool(max(limit, used) + one.missing_ptu - 1, used)])
        assert not only_pool(less).fits
    for deployment in found.deployments:
        here = deployment.regions[0]
        if here.fitting_ptu is not None:
            assert Grid(10, 5).holds(here.fitting_ptu) and here.fitting_ptu <= min(deployment.ptu, deployable)
        assert here.fits is (here.fitting_ptu == deployment.ptu)


def test_json_data_says_it_all() -> None:
    found = room(calls(60, region="northland"), quota=[pool(53)], deployable=[can_have(55)]).to_dict()
    assert found["pools"][0] == {
        "pool": "OpenAI.GlobalProvisionedManaged", "deployment_type": "global", "region": "northland",
        "region_given": True, "deployments": ["Alder"], "needed_ptu": 60, "limit_ptu": 53, "used_ptu": 0,
        "available_ptu": 53, "missing_ptu": 7, "fits": False, "reason": None,
    }  # fmt: skip
    assert found["deployments"][0]["regions"] == [
        {
            "region": "northland", "fits": False, "quota_left_ptu": 53, "deployable_ptu": 55, "fitting_ptu": 50,
            "fitting_max_requests_per_minute": 50,
            "reasons": ["quota for 53 of 60 PTU is left in OpenAI.GlobalProvisionedManaged", "55 PTU can be deployed there now"],
        }
    ]  # fmt: skip
