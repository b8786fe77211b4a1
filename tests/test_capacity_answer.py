"""What Microsoft's calculator is asked, its answer against ours, and the checks that follow."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ptucalc.answer_checks import capacity_checks, room_checks
from ptucalc.capacity_answer import CapacityAnswer, capacity_request, compare_capacity, left_out
from ptucalc.check_result import Status
from ptucalc.hand_over import hand_over
from ptucalc.quota import DeployableSize, QuotaPool
from ptucalc.room_search import find_room
from ptucalc.sizing_result import SizingResult
from ptucalc.workload import LoadProfile

from .invented import GLOBAL, REGIONAL, a_catalog, a_model, calls, sized

ALDER = a_model(publisher="OpenAI", versions=("1",))


def planned(*workloads: object, headroom: object = 0, sku: object = (GLOBAL,)) -> SizingResult:
    return sized(workloads, a_catalog(ALDER), headroom=headroom, deployment_types=sku)  # type: ignore[arg-type]


def answer(raw: object, deployable: int, **given: object) -> CapacityAnswer:
    plain = {"model": "alder", "version": "1", "deployment_type": GLOBAL, "source": "a.json", **given}
    return CapacityAnswer(raw_ptu=Fraction(raw), deployable_ptu=deployable, **plain)  # type: ignore[arg-type]


def test_the_request_has_a_workload_for_each_in_the_shape_of_the_api() -> None:
    result = planned(calls(10, 30, 50, name="a"), calls(20, 60, 20, name="b"))
    (one,) = hand_over(result)
    assert capacity_request(one, result.members["Alder"]) == {
        "model": {"format": "OpenAI", "name": "Alder", "version": "1"},
        "skuName": "GlobalProvisionedManaged",
        "workloads": [
            {"requestPerMinute": 10, "requestParameters": {"avgPromptTokens": 30, "avgGeneratedTokens": 50}},
            {"requestPerMinute": 20, "requestParameters": {"avgPromptTokens": 60, "avgGeneratedTokens": 20}},
        ],
    }


def test_a_rate_that_is_not_whole_is_asked_rounded_up() -> None:
    result = planned(calls("9.6"))
    assert capacity_request(hand_over(result)[0], result.members["Alder"])["workloads"][0]["requestPerMinute"] == 10


@pytest.mark.parametrize(
    ("raw", "deployable", "agrees"),
    [
        (37, 40, True), ("37.99", 40, True), ("36.01", 40, True), (38, 40, False), (36, 40, False), (37, 45, False),
    ],
)  # fmt: skip
def test_it_agrees_where_the_size_is_the_same_and_raw_is_less_than_one_off(
    raw: object, deployable: int, agrees: bool
) -> None:
    compared, unmatched = compare_capacity(planned(calls(37)), [answer(raw, deployable)])
    assert [each.agrees for each in compared] == [agrees] and unmatched == []


def test_what_the_calculator_cannot_be_asked_is_left_out_on_our_side_too() -> None:
    """37 calls, half of them cached, with 10 % headroom: we buy 37 / 2 x 1.1 = 20.35, so 25; asked are 37, so 40."""
    result = planned(calls(37, cache_ratio="50%"), headroom="10%")
    ((compared,), _) = compare_capacity(result, [answer(37, 40)])
    assert (compared.agrees, compared.asked_raw_ptu, compared.asked_ptu, compared.ptu) == (True, 37, 40, 25)
    assert compared.left_out == ("headroom", "the prompt cache")
    assert left_out(planned(calls(37)).members["Alder"], Fraction(0)) == ()


def test_the_question_is_the_one_that_was_asked_in_whole_numbers() -> None:
    ((compared,), _) = compare_capacity(planned(calls("9.6")), [answer(10, 10)])
    assert compared.asked_raw_ptu == 10 and compared.agrees


def test_peaks_are_added_as_the_calculator_adds_them() -> None:
    day, night = [30] * 12 + [0] * 12, [0] * 12 + [30] * 12
    result = planned(
        calls(None, name="d", profile=LoadProfile.from_hourly(day)),
        calls(None, name="n", profile=LoadProfile.from_hourly(night)),
    )
    ((compared,), _) = compare_capacity(result, [answer(60, 60)])
    assert (compared.agrees, compared.ptu, compared.left_out) == (True, 30, ("that peaks do not coincide",))


@pytest.mark.parametrize("other", [{"model": "Birch"}, {"version": "2"}, {"deployment_type": REGIONAL}])
def test_an_answer_of_something_else_is_not_compared(other: dict[str, object]) -> None:
    one = answer(37, 40, **other)
    assert compare_capacity(planned(calls(37)), [one]) == ([], [one])


def test_the_published_answer_of_the_live_calculator_agrees() -> None:
    """18 calls of 1,000 + 300 tokens on gpt-5.6-sol, Global: 45 PTU (third party, 2026-07-28); 42 before rounding."""
    from ptucalc import Workload, size

    workload = Workload(model="gpt-5.6-sol", requests_per_minute=18, input_tokens=1000, output_tokens=300)
    said = CapacityAnswer("gpt-5.6-sol", "2026-07-09", GLOBAL, Fraction(42), 45)
    ((compared,), _) = compare_capacity(size(workload, sku="global"), [said])
    assert compared.agrees and compared.asked_raw_ptu == 42


def several(*rates: int) -> SizingResult:
    return planned(*(calls(rate, name=name, deployment=name) for name, rate in zip("abcd", rates, strict=False)))


def paired(result: SizingResult, *answers: CapacityAnswer) -> tuple[list[tuple[str, int, bool]], list[CapacityAnswer]]:
    compared, unmatched = compare_capacity(result, answers)
    return [(each.deployment, each.answer.deployable_ptu, each.agrees) for each in compared], unmatched


def test_each_answer_is_of_one_deployment_whatever_their_order() -> None:
    result, small, large = several(37, 80), answer(37, 40), answer(80, 80)
    assert paired(result, small, large) == ([("a", 40, True), ("b", 80, True)], [])
    assert paired(result, large, small) == ([("b", 80, True), ("a", 40, True)], [])
    assert paired(result, answer(99, 100), small) == ([("b", 100, False), ("a", 40, True)], [])


def test_answers_that_agree_with_none_go_to_what_is_left_in_order_and_then_to_none() -> None:
    wrong = [answer(99, 100), answer(105, 105), answer(110, 110)]
    assert paired(several(37, 80), *wrong) == ([("a", 100, False), ("b", 105, False)], wrong[2:])


def test_an_answer_makes_room_for_one_that_agrees_with_less() -> None:
    """38.5 is less than 1 from both 38 and 39, 37.5 only from 38: so it is that of a."""
    assert paired(several(38, 39), answer("38.5", 40), answer("37.5", 40)) == ([("b", 40, True), ("a", 40, True)], [])


def test_an_answer_too_many_is_unknown_with_the_reason() -> None:
    _, left = capacity_checks(planned(calls(37)), [answer(37, 40), answer(37, 40)])
    assert (left.status, left.found) == (Status.UNKNOWN, None)
    assert left.message == "each deployment of the plan that is alder 1 as Global has an answer already"


# Checks


def test_an_answer_becomes_a_check_that_passes_or_fails() -> None:
    result = planned(calls(37, cache_ratio="50%"))
    (bad,) = capacity_checks(result, [answer("105.88", 110)])
    good, other = capacity_checks(result, [answer(37, 40), answer(1, 15, model="Birch")])
    assert (good.status, good.allowed, good.found, good.source, good.deployments) == (
        Status.PASS,
        40,
        40,
        "a.json",
        ("Alder",),
    )
    assert good.message == "raw 37 PTU there, 37 here; both without the prompt cache, with which the plan buys 20 PTU"
    assert (bad.status, bad.allowed, bad.found) == (Status.FAIL, 110, 40) and "raw 105.88 PTU there" in bad.message
    assert (other.status, other.found, other.message) == (
        Status.UNKNOWN,
        None,
        "no deployment of the plan is Birch 1 as Global",
    )


def test_quota_and_capacity_of_a_region_become_checks() -> None:
    result = planned(calls(37, region="northland"))
    quota = [QuotaPool("OpenAI", GLOBAL, "northland", 500, 465, "u.json")]
    capacity = [
        DeployableSize("Alder", "1", GLOBAL, "northland", 39),
        DeployableSize("Alder", "1", GLOBAL, "southland", 40),
    ]
    pool, deployable = room_checks(find_room(result, quota=quota, deployable=capacity))
    assert (pool.name, pool.status) == ("quota (OpenAI.GlobalProvisionedManaged, northland)", Status.FAIL)
    assert (pool.allowed, pool.found, pool.source) == (35, 40, "u.json")
    assert pool.message == "request 5 PTU more; 465 of 500 PTU in use"
    assert (deployable.status, deployable.allowed, deployable.found) == (Status.FAIL, 39, 40)
    fits = room_checks(find_room(result, quota=[quota[0]._replace(used_ptu=460)]))
    assert [(check.status, check.message) for check in fits] == [(Status.PASS, "460 of 500 PTU in use")]


def test_capacity_is_checked_by_itself_where_only_the_quota_is_too_small() -> None:
    quota = [QuotaPool("OpenAI", GLOBAL, "northland", 39, 0)]
    capacity = [DeployableSize("Alder", "1", GLOBAL, "northland", 40)]
    checks = room_checks(find_room(planned(calls(37, region="northland")), quota=quota, deployable=capacity))
    assert [(check.limit, check.status) for check in checks] == [("quota", Status.FAIL), ("deployable", Status.PASS)]


def test_without_a_region_the_quota_of_each_region_is_no_check() -> None:
    quota = [QuotaPool("OpenAI", GLOBAL, "northland", 39, 0), QuotaPool("OpenAI", GLOBAL, "southland", 40, 0)]
    (check,) = room_checks(find_room(planned(calls(37)), quota=quota))
    assert (check.limit, check.status, check.message) == ("room", Status.PASS, "in southland")


def test_deployments_of_one_model_are_checked_against_its_capacity_together() -> None:
    result = planned(*(calls(100, name=name, deployment=name, region="northland") for name in "ab"))
    for free, status in ((199, Status.FAIL), (200, Status.PASS)):
        checks = room_checks(find_room(result, deployable=[DeployableSize("Alder", "1", GLOBAL, "northland", free)]))
        assert [(check.status, check.allowed, check.found) for check in checks] == [(status, free, 200)] * 2


def test_an_open_version_of_which_only_some_have_room_cannot_be_checked() -> None:
    two = a_model(publisher="OpenAI", versions=("1", "2"))
    result = sized(calls(37, region="northland"), a_catalog(two), deployment_types=(GLOBAL,))
    for large, small, status in ((1000, 10, Status.UNKNOWN), (39, 10, Status.FAIL), (1000, 40, Status.PASS)):
        capacity = [DeployableSize("Alder", v, GLOBAL, "northland", ptu) for v, ptu in (("1", small), ("2", large))]
        (check,) = room_checks(find_room(result, deployable=capacity))
        assert (check.status, check.allowed) == (status, small)
        assert check.found == (None if status is Status.UNKNOWN else 40)


def test_deployments_without_a_region_pass_where_they_can_be_spread() -> None:
    """40 and 80 PTU: northland has room for 80 in all and southland for 79, so the large one goes north."""
    quota = [QuotaPool("OpenAI", GLOBAL, "northland", 80, 0), QuotaPool("OpenAI", GLOBAL, "southland", 79, 0)]
    checks = room_checks(find_room(several(37, 80), quota=quota))
    assert [(check.scope, check.status, check.message) for check in checks] == [
        ("a", Status.PASS, "in southland, the others without a region elsewhere"),
        ("b", Status.PASS, "in northland, the others without a region elsewhere"),
    ]


def test_quota_of_what_has_a_region_is_checked_though_others_have_none() -> None:
    plans = [calls(40, name="a", deployment="a", region="northland"), calls(10, name="b", deployment="b")]
    south = QuotaPool("OpenAI", GLOBAL, "southland", 10, 0)
    for free, status in ((39, Status.FAIL), (40, Status.PASS)):
        quota = [QuotaPool("OpenAI", GLOBAL, "northland", free, 0), south]
        checks = room_checks(find_room(planned(*plans), quota=quota))
        assert [(check.limit, check.status, check.found) for check in checks] == [
            ("quota", status, 40),
            ("room", Status.PASS, "fits"),
        ]


def test_what_is_not_known_is_never_a_pass() -> None:
    result = planned(calls(37, region="northland"))
    checks = room_checks(find_room(result, quota=[], deployable=[]))
    assert [(check.limit, check.status, check.allowed) for check in checks] == [
        ("quota", Status.UNKNOWN, None),
        ("deployable", Status.UNKNOWN, None),
    ]


@pytest.mark.parametrize(
    ("south", "status", "found", "message"),
    [
        (40, Status.PASS, "fits", "in southland"),
        (
            39,
            Status.FAIL,
            "too little",
            "northland: 20 PTU can be deployed there now; southland: 39 PTU can be deployed there now",
        ),
    ],
)
def test_a_deployment_without_a_region_must_fit_somewhere(south: int, status: Status, found: str, message: str) -> None:
    capacity = [
        DeployableSize("Alder", "1", GLOBAL, region, ptu) for region, ptu in (("northland", 20), ("southland", south))
    ]
    (check,) = room_checks(find_room(planned(calls(37)), deployable=capacity))
    assert (check.limit, check.status, check.found, check.message) == ("room", status, found, message)


def test_a_deployment_of_which_nothing_was_read_is_unknown() -> None:
    (check,) = room_checks(find_room(planned(calls(37)), deployable=[]))
    assert (check.status, check.found, check.message) == (Status.UNKNOWN, None, "no answer is of it")


def test_where_it_fits_instead_is_told() -> None:
    capacity = [
        DeployableSize("Alder", "1", GLOBAL, region, ptu) for region, ptu in (("northland", 20), ("southland", 40))
    ]
    (check,) = room_checks(find_room(planned(calls(37, region="northland")), deployable=capacity))
    assert check.message == "20 PTU can be deployed there now; it fits in southland"
