"""Workloads that share a deployment add up exactly and are rounded once."""

from fractions import Fraction

import pytest

from ptucalc.errors import BadInput
from ptucalc.pooling import NAMES_KEPT, Sum
from ptucalc.rounding import Grid
from ptucalc.workload import LoadProfile

from .invented import DATA_ZONE, GLOBAL, a_catalog, a_model, bought, calls, note_messages, sized

F = Fraction


def hourly(*rates):
    """A day that repeats these rates."""
    return LoadProfile.from_hourly([*rates] * (24 // len(rates)))


def names_of(result):
    return [deployment.name for deployment in result.deployments]


def test_ten_small_workloads_share_one_deployment():
    # 3.2 requests a minute of 1,000 tokens are 3.2 PTU; ten of them 32, by 5: 35. Alone each needs the minimum, 15.
    catalog = a_catalog(a_model(grids={GLOBAL: Grid(15, 5), DATA_ZONE: Grid(15, 5)}))
    result = sized([calls("3.2") for _ in range(10)], catalog)
    assert result.totals["global"] == 35
    assert sum(workload.sizes["global"].ptu for workload in result.workloads) == 150


def test_thirds_add_up_to_a_whole():
    # 10 + 3 x 5/3 = 15 exactly: in floats it can be 15.000000000000002, which would be 20
    result = sized([calls(10), *(calls(F(5, 3)) for _ in range(3))])
    assert bought(result)["global"] == 15
    assert result.deployments[0].weighted_tpm == 15_000
    assert result.deployments[0].requests_per_minute == 15


def test_each_workload_still_shows_what_it_needs_alone():
    result = sized([calls(11), calls(12)])
    # alone 11 and 12 PTU are 15 each; together 23 are 25
    assert [workload.sizes["global"].ptu for workload in result.workloads] == [15, 15]
    assert bought(result)["global"] == 25


@pytest.mark.parametrize(
    "apart",
    [
        {"model": "Birch"},
        {"model_version": "2"},
        {"deployment_type": "global"},
        {"region": "northland"},
        {"deployment": "mine"},
    ],
)
def test_workloads_share_a_deployment_only_if_model_version_type_and_region_are_the_same(apart):
    catalog = a_catalog(a_model(versions=("1", "2")), a_model("Birch"))
    assert len(sized([calls(), calls()], catalog).deployments) == 1
    assert len(sized([calls(), calls(**apart)], catalog).deployments) == 2


def test_a_dated_name_shares_with_the_same_version_given_apart():
    catalog = a_catalog(a_model(versions=("1", "2")))
    result = sized([calls(model="alder-2"), calls(model="ALDER", model_version="2")], catalog)
    assert len(result.deployments) == 1
    assert result.deployments[0].model_version == "2"


def test_two_models_of_almost_the_same_name_never_share():
    result = sized(
        [calls(model="Birch v3"), calls(model="Birch-V3")], a_catalog(a_model("Birch v3"), a_model("Birch-V3"))
    )
    assert names_of(result) == ["Birch v3", "Birch-V3"]


def test_a_deployment_name_decides_who_shares():
    result = sized([calls(11, deployment="one"), calls(12, deployment="two"), calls(13, deployment="one")])
    assert names_of(result) == ["one", "two"]
    assert [d.sizes["global"].ptu for d in result.deployments] == [25, 15]  # 11 + 13 = 24, and 12
    assert result.deployment_of == ("one", "two", "one")


@pytest.mark.parametrize(
    ("apart", "here"),
    [
        ({"model": "Birch"}, "Birch"),
        ({"model_version": "2"}, "Alder 2"),
        ({"deployment_type": "data-zone"}, "Alder Data zone"),
        ({"region": "northland"}, "Alder northland"),
    ],
)
def test_one_deployment_name_for_different_things_is_an_error(apart, here):
    catalog = a_catalog(a_model(versions=("1", "2")), a_model("Birch"))
    with pytest.raises(BadInput) as caught:
        sized([calls(deployment="chat"), calls(deployment="chat", name="b", **apart)], catalog)
    assert str(caught.value) == (
        "workloads[1] (b).deployment: expected one model, version, type and region: "
        f"other rows make it Alder, this one {here}, got chat"
    )


def test_deployments_are_named_after_the_model_with_as_much_more_as_tells_them_apart():
    catalog = a_catalog(a_model(versions=("1", "2")))
    assert names_of(sized([calls()], catalog)) == ["Alder"]
    assert names_of(sized([calls(region="northland")], catalog)) == ["Alder"]
    different = [calls(), calls(model_version="1"), calls(deployment_type="regional", region="southland")]
    assert names_of(sized(different, catalog)) == ["Alder", "Alder 1", "Alder Regional southland"]


def test_a_given_deployment_name_is_never_given_to_another():
    assert names_of(sized([calls(), calls(deployment="Alder")])) == ["Alder (2)", "Alder"]
    assert names_of(sized([calls(region="northland"), calls(deployment="Alder")])) == ["Alder northland", "Alder"]
    assert names_of(sized([calls(deployment="Alder"), calls(), calls(deployment="Alder (2)")])) == [
        "Alder",
        "Alder (2) (2)",
        "Alder (2)",
    ]


def test_hourly_profiles_are_added_hour_by_hour():
    # even hours 30 and 4, odd hours 6 and 20: the peak is 34, not 30 + 20 = 50
    result = sized([calls(None, profile=hourly(30, 6)), calls(None, profile=hourly(4, 20))])
    (deployment,) = result.deployments
    assert (deployment.weighted_tpm, deployment.requests_per_minute) == (34_000, 34)
    assert F(*deployment.added_peaks_weighted) == 50_000
    assert bought(result)["global"] == 35


def test_the_peak_hour_is_that_of_the_weighted_tokens_not_of_the_requests():
    # even hours: 20 calls of 1,000; odd hours: 5 calls of 10,000 (50 PTU), though fewer calls
    many = calls(None, 1000, profile=hourly(20, 0))
    heavy = calls(None, 10_000, profile=hourly(0, 5))
    (deployment,) = sized([many, heavy]).deployments
    assert (deployment.weighted_tpm, deployment.requests_per_minute) == (50_000, 5)


def test_a_workload_without_a_profile_is_there_in_every_hour():
    # 7 always; 30 in even hours: 37. Levels do not say when, so their peak of 9 counts always: 46
    steady, wave = calls(7), calls(None, profile=hourly(30, 6))
    assert sized([steady, wave]).deployments[0].weighted_tpm == 37_000
    levels = calls(None, profile=LoadProfile.from_levels([("0", 500), ("0.1", 9), ("0.9", 1)]))
    assert sized([steady, wave, levels]).deployments[0].weighted_tpm == 46_000


def test_a_day_meets_a_week_on_each_of_its_days():
    # the week's only busy hour is Tuesday 01:00 (hour 25), with 40; the day has 5 at 01:00 and 10 at 02:00
    week = LoadProfile.from_hourly([40 if hour == 25 else 0 for hour in range(168)])
    day = LoadProfile.from_hourly([5 if hour == 1 else 10 if hour == 2 else 0 for hour in range(24)])
    (deployment,) = sized([calls(None, profile=week), calls(None, profile=day)]).deployments
    assert deployment.weighted_tpm == 45_000


def test_pooling_says_whether_the_peaks_were_added_or_do_not_coincide():
    assert note_messages(sized([calls(8), calls(12)]), "peaks_added") == [
        "Alder: 2 workloads share it; their peaks are added as if they came in the same minute. Hourly profiles would "
        "show whether they do."
    ]
    apart = sized([calls(None, profile=hourly(30, 0)), calls(None, profile=hourly(0, 10))])
    assert note_messages(apart, "peaks_added") == []
    # 30 instead of 40: a quarter less
    assert note_messages(apart, "peaks_do_not_coincide") == [
        "Alder: the peaks of its 2 workloads do not coincide: added hour by hour they need 25.0% fewer weighted tokens "
        "per minute than the sum of the peaks."
    ]
    alone = sized(calls(None, profile=hourly(30, 0)))
    assert note_messages(alone, "peaks_added") == note_messages(alone, "peaks_do_not_coincide") == []


def test_a_pool_keeps_some_names_and_counts_the_others():
    (deployment,) = sized([calls("0.01") for _ in range(NAMES_KEPT + 1)]).deployments
    assert deployment.workload_count == NAMES_KEPT + 1
    assert len(deployment.workloads) == NAMES_KEPT
    assert deployment.weighted_tpm == 10_010  # 1,001 x 0.01 x 1,000


def test_a_sum_of_fractions_is_exact():
    total = Sum()
    assert total.total == 0
    for top, bottom in [(1, 3), (1, 3), (1, 3), (5, 2), (-1, 2)]:
        total.add(top, bottom)
    assert total.total == 3


def test_the_only_version_of_a_model_goes_without_saying():
    catalog = a_catalog(a_model(versions=("1",)))
    assert names_of(sized([calls(), calls(model_version="1")], catalog)) == ["Alder"]
