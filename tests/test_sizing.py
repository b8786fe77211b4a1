"""Demand and offers to sizes: formulas, offers, totals."""

from fractions import Fraction

import pytest

from ptucalc import api
from ptucalc.catalog import Place, Unknown
from ptucalc.errors import BadInput
from ptucalc.rounding import Grid

from .invented import DATA_ZONE, GLOBAL, REGIONAL, TODAY, a_catalog, a_model, bought, calls, only, sized

F = Fraction


def test_fifty_ptu_with_ten_percent_headroom_are_55():
    # 50 x 1.1 = 55; in floats it is 55.00000000000001, and the customer pays for 60
    for headroom in (0.1, "0.1", "10%", F(1, 10)):
        assert bought(sized(calls(50), headroom=headroom))["global"] == 55


def test_a_cache_of_seventy_percent_leaves_15_of_50_ptu():
    # 50 x 0.3 = 15; in floats 50 x (1 - 0.7) is 15.000000000000002, which would be 20
    for ratio in (0.7, "0.7", "70%"):
        assert bought(sized(calls(50, cache_ratio=ratio)))["global"] == 15


@pytest.mark.parametrize(
    ("tokens", "ptu"),
    [
        (0, {"global": 10, "data-zone": 10, "regional": 40}),
        (10_000, {"global": 10, "data-zone": 10, "regional": 40}),
        (10_001, {"global": 15, "data-zone": 15, "regional": 40}),
        (40_000, {"global": 40, "data-zone": 40, "regional": 40}),
        (40_001, {"global": 45, "data-zone": 45, "regional": 80}),
        (80_000, {"global": 80, "data-zone": 80, "regional": 80}),
    ],
)
def test_exactly_on_a_step_stays_and_one_token_more_goes_to_the_next(tokens, ptu):
    # 1 call a minute, 1,000 tokens per PTU; Global and Data Zone from 10 by 5, Regional from 40 by 40
    assert bought(sized(calls(1, tokens))) == ptu


def test_a_trillionth_of_a_request_more_goes_to_the_next_step():
    assert bought(sized(calls("10.000000000001")))["global"] == 15


def test_the_steps_of_the_working_are_kept():
    # 9.6 x (1,000 + 3 x 500) = 24,000; / 1,000 = 24; x 1.25 = 30
    size = sized(calls("9.6", 1000, 500), headroom="25%").sizes["regional"]
    assert (size.raw_ptu, size.need_ptu, size.ptu) == (24, 30, 40)
    assert size.utilization == F(24, 40)  # of what it can serve; headroom is not load
    assert size.max_requests_per_minute == 16  # 40 x 1,000 / 2,500


def test_a_call_that_weighs_nothing_gets_the_minimum_and_no_largest_rate():
    for workload in (calls(50, 0, 0), calls(50, 1000, 0, cache_ratio=1)):
        size = sized(workload).sizes["global"]
        assert (size.ptu, size.raw_ptu, size.utilization, size.max_requests_per_minute) == (10, 0, 0, None)


def test_zero_output_tokens_are_legal():
    assert bought(sized(calls(20, 1000, 0)))["global"] == 20


def test_an_off_grid_minimum_is_sized_by_the_published_wording():
    # from 25 by 50: one token rounds up to 50, which is more than 25
    catalog = a_catalog(a_model(grids={REGIONAL: Grid(25, 50)}))
    for tokens, ptu in [(0, 25), (1, 50), (50_000, 50), (50_001, 100)]:
        assert bought(sized(calls(1, tokens), catalog))["regional"] == ptu


def test_a_type_that_is_not_offered_is_answered_for_the_others():
    result = sized(calls(20), a_catalog(only(a_model(), GLOBAL)))
    assert bought(result) == {"global": 20, "data-zone": None, "regional": None}
    size = result.sizes["regional"]
    assert (size.available, size.reason) == (False, "Alder is not offered as Regional; offered as Global")
    assert (size.raw_ptu, size.utilization, size.max_requests_per_minute) == (20, None, None)
    assert result.unanswered == ()


def test_only_a_deployment_with_no_size_at_all_is_unanswered():
    catalog = a_catalog(only(a_model(), GLOBAL), a_model("Birch"))
    result = sized([calls(), calls(model="Birch")], catalog, deployment_types=(REGIONAL,))
    assert [deployment.name for deployment in result.unanswered] == ["Alder"]


def test_what_no_table_says_is_unknown_and_still_sized():
    size = sized(calls(20), a_catalog(a_model(places={GLOBAL: Unknown("no row")}))).sizes["global"]
    assert (size.available, size.reason, size.ptu) == (None, "no row", 20)


def test_unpublished_sizes_are_unknown_and_cannot_be_sized():
    size = sized(calls(20), a_catalog(a_model(grids={GLOBAL: Grid(10, 5)}))).sizes["regional"]
    assert (size.available, size.reason, size.ptu) == (None, "no sizes are published for Alder as Regional", None)


def test_availability_depends_on_version_and_region():
    places = (Place("1", None, ("northland",)), Place("2", None, ("southland",)))
    catalog = a_catalog(a_model(versions=("1", "2"), places={REGIONAL: places}))
    there = sized(calls(model_version="1", region="northland"), catalog).sizes["regional"]
    assert (there.available, there.ptu) == (True, 40)
    elsewhere = sized(calls(model_version="2", region="northland"), catalog).sizes["regional"]
    assert (elsewhere.available, elsewhere.ptu) == (False, None)
    assert (
        elsewhere.reason
        == "Alder 2 is not offered as Regional in northland; it is in southland; offered as Global and Data zone"
    )


def test_sizes_are_those_of_the_types_asked_for():
    result = sized(calls(), deployment_types=(GLOBAL, REGIONAL))
    assert list(result.sizes) == ["global", "regional"]
    assert result.totals == {"global": 10, "regional": 40}


def test_totals_sum_the_deployments():
    result = sized([calls(11), calls(12, deployment="b")])
    assert result.totals == {"global": 30, "data-zone": 30, "regional": 80}  # 15 + 15, 40 + 40


def test_a_total_is_none_where_a_deployment_without_a_type_is_not_offered():
    catalog = a_catalog(a_model(), only(a_model("Birch"), GLOBAL))
    for order in ((calls(20), calls(20, model="Birch")), (calls(20, model="Birch"), calls(20))):
        assert sized(order, catalog).totals == {"global": 40, "data-zone": None, "regional": None}


def test_a_deployment_with_its_own_type_counts_only_there():
    catalog = a_catalog(a_model(), only(a_model("Birch"), GLOBAL))
    result = sized([calls(20), calls(30, model="Birch", deployment_type="global")], catalog)
    assert result.totals == {"global": 50, "data-zone": 20, "regional": 40}
    assert list(result.deployments[1].sizes) == list(result.workloads[1].sizes) == ["global"]


def test_a_workloads_own_type_counts_even_if_another_was_asked_for():
    result = sized([calls(20), calls(30, deployment_type="regional")], deployment_types=(GLOBAL,))
    assert result.totals == {"global": 20, "regional": 40}


def test_a_total_of_no_deployment_is_left_out():
    assert sized(calls(deployment_type="regional"), deployment_types=(GLOBAL, DATA_ZONE)).totals == {"regional": 40}


def test_generation_time_follows_the_latency_target():
    # 500 tokens at 20 per second: 25 s; 120 calls a minute are 2 a second: 50 at once
    workload = sized(calls(120, 0, 500)).workloads[0]
    assert workload.generation_seconds_at_target == 25
    assert workload.concurrent_requests_at_target == 50
    assert workload.sizes["global"].latency_target_tps == 20
    bare = sized(calls(120, 0, 500), a_catalog(a_model(latency_target=Unknown("none")))).workloads[0]
    assert bare.generation_seconds_at_target is bare.concurrent_requests_at_target is None
    assert bare.sizes["global"].latency_target_tps is None


def test_the_problems_of_all_workloads_are_reported_with_their_place():
    with pytest.raises(BadInput) as caught:
        sized([calls(model="Aldr"), calls(), calls(name="c", region="nowhere")])
    assert str(caught.value) == (
        "workloads[0] (workload-1).model: expected a known model: Alder?, got Aldr\n"
        "workloads[2] (c).region: expected a region that some PTU model is listed in, got nowhere"
    )


def test_names_are_given_where_there_are_none_and_must_differ():
    assert [w.name for w in sized([calls(), calls(name="b"), calls()]).workloads] == ["workload-1", "b", "workload-3"]
    assert sized(calls()).workloads[0].name == "workload"
    with pytest.raises(BadInput) as caught:
        sized([calls(name="a"), calls(name="a")])
    assert str(caught.value) == "workloads[1] (a).name: expected a name that no other workload has, got a"


def test_a_bad_headroom_or_no_workload_is_an_error():
    with pytest.raises(BadInput) as caught:
        sized(calls(), headroom=15)
    assert str(caught.value) == "headroom: expected a share of 0 or more: 0.15 or 15% (15%?), got 15"
    with pytest.raises(BadInput) as caught:
        sized([])
    assert str(caught.value) == "workloads: expected at least one workload, got (empty)"


def test_the_result_says_what_it_was_made_from():
    result = sized(calls(), headroom="5%", version="9.9", today=TODAY)
    assert (result.version, result.headroom, result.catalog_editions) == ("9.9", F(1, 20), ("invented-1",))
    assert (result.catalog_as_of.isoformat(), result.oldest_check.isoformat()) == ("2030-03-01", "2030-02-01")


@pytest.mark.parametrize(
    ("sku", "kinds"),
    [
        ("all", (GLOBAL, DATA_ZONE, REGIONAL)),
        (["regional", "ALL"], (GLOBAL, DATA_ZONE, REGIONAL)),
        ("Data Zone", (DATA_ZONE,)),
        (["regional", "global", "regional"], (GLOBAL, REGIONAL)),
    ],
)
def test_deployment_types_come_in_the_usual_order(sku, kinds):
    assert api.deployment_types_of(sku) == kinds


def test_an_unknown_deployment_type_is_an_error():
    with pytest.raises(BadInput) as caught:
        api.deployment_types_of(["global", "local", "none"])
    assert str(caught.value) == (
        "sku: expected all, global, data-zone or regional, got local\n"
        "sku: expected all, global, data-zone or regional, got none"
    )
    with pytest.raises(BadInput) as caught:
        api.deployment_types_of([])
    assert str(caught.value) == "sku: expected all, global, data-zone or regional, got (empty)"


def test_the_front_door_takes_one_workload_or_many():
    given = {"catalog": a_catalog(), "sku": "global", "today": TODAY}
    one, many = api.size(calls(20), **given), api.size(iter([calls(20), calls(5)]), headroom="20%", **given)
    assert (one.totals, many.totals) == ({"global": 20}, {"global": 30})  # 25 x 1.2 = 30
