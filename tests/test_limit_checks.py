"""Limits against what a plan buys, worked with invented models and prices: 1 request a minute is 1 PTU, $200 on a year."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.catalog import DeploymentType, Unknown
from ptucalc.check_result import Check, PlanCheck, Status
from ptucalc.limit_checks import Facts, limit_checks, strange_regions
from ptucalc.plan_limits import Limit, LimitName, PlanLimits
from ptucalc.prices import PtuTerm
from ptucalc.purchase import Purchase, purchases, total_usd
from ptucalc.resolving import Resolver
from ptucalc.throttling import Throttled

from .invented import GLOBAL, a_catalog, a_model, calls, sized
from .priced import HERE, THERE, YEAR, compared

F = Fraction
TODAY = date(2030, 6, 15)
LINE = {"source": "p.yaml", "line": 7, "column": 3}


def buys(*workloads: Any, kind: DeploymentType = GLOBAL, term: PtuTerm = YEAR) -> tuple[Purchase, ...]:
    catalog = a_catalog(a_model(), a_model("Birch"))
    shape = {"deployment_types": (kind,)}
    return purchases(
        sized(workloads, catalog, **shape), compared(workloads, catalog=catalog, terms=(term,), **shape), term
    )


def limits(*given: Limit) -> PlanLimits:
    return PlanLimits(limits=given)


def limit(name: LimitName, value: Any, **more: Any) -> Limit:
    return Limit(name=name, value=value if isinstance(value, tuple) else F(value), **{**LINE, **more})


def quota(value: Any, region: str = HERE, kind: DeploymentType = GLOBAL, **more: Any) -> Limit:
    return limit(LimitName.QUOTA, value, deployment_type=kind, region=region, **more)


def checked(bought: tuple[Purchase, ...], *given: Limit, **facts: Any) -> tuple[Check, ...]:
    plain: dict[str, Any] = {"basis": "1-year", "data_from": date(2030, 6, 1), "today": TODAY}
    return limit_checks(limits(*given), Facts(bought=bought, **{**plain, **facts}))


def one(bought: tuple[Purchase, ...], *given: Limit, **facts: Any) -> Check:
    (check,) = checked(bought, *given, **facts)
    return check


def test_a_plan_buys_its_pooled_deployments() -> None:
    found = buys(
        calls(8, name="one"),
        calls("4.5", name="two"),
        calls(20, model="Birch", region=THERE, deployment_type="data-zone"),
    )
    assert [(each.name, each.ptu, each.utilization, each.place) for each in found] == [
        ("Alder", 15, F(25, 30), "global, no region"),
        ("Birch", 20, F(1), "data-zone, southland"),
    ]
    assert [(each.workloads, each.smallest, each.type_given) for each in found] == [
        (("one", "two"), 10, False),
        (("workload-3",), 10, True),
    ]
    assert (found[0].monthly_usd, found[0].monthly_ptu) == (3000, 15)
    assert found[1].monthly_usd is None
    assert "southland" in found[1].price_reason
    assert total_usd(found) == (3000, (found[1],))


def test_what_is_sized_on_several_types_is_no_purchase() -> None:
    with pytest.raises(ValueError, match="Alder is sized on 3 types: one is bought"):
        purchases(sized(calls(8)), compared(calls(8)), YEAR)


@pytest.mark.parametrize(
    ("allowed", "status", "over"), [(19, Status.FAIL, 1), (20, Status.PASS, None), (21, "pass", None)]
)
def test_a_quota_is_for_all_of_a_type_in_a_region(allowed: int, status: str, over: int | None) -> None:
    here = (calls(9, region=HERE), calls(10, model="Birch", region=HERE))
    check = one(buys(*here), quota(allowed))
    assert (check.status, check.found, check.over) == (status, 20, over)
    assert (check.name, check.source, check.line, check.column) == ("quota_ptu (global, northland)", "p.yaml", 7, 3)
    assert check.deployments == ("Alder", "Birch")
    both = checked(buys(*here, calls(50, region=THERE)), quota(allowed), quota(50, THERE))
    assert [each.found for each in both] == [20, 50]


def test_a_deployment_without_a_region_counts_in_the_only_one_there_is_a_quota_for() -> None:
    bought = buys(calls(10, region=HERE), calls(20, model="Birch"))
    check = one(bought, quota(29))
    assert (check.status, check.found, check.message) == ("fail", 30, "20 PTU without a region (Birch) counted here")
    assert one(bought, quota(30)).status == "pass"


@pytest.mark.parametrize(
    ("allowed", "status", "found", "message"),
    [
        (9, "fail", 10, "20 PTU without a region (Birch) not counted"),
        (
            10,
            "unknown",
            None,
            "10 PTU are there, and 20 PTU without a region (Birch) may be: `region:` of the workloads or --region says "
            "where",
        ),
        (29, "unknown", None, None),
        (30, "pass", 30, "20 PTU without a region (Birch) counted here"),
    ],
)
def test_where_it_may_be_in_several_regions_only_what_is_certain_is_said(
    allowed: int, status: str, found: int | None, message: str | None
) -> None:
    bought = buys(calls(10, region=HERE), calls(20, model="Birch"))
    here, there = checked(bought, quota(allowed), quota(100, THERE))
    assert (here.status, here.found) == (status, found)
    assert message is None or here.message == message
    assert (there.status, there.found) == ("pass", 20)


def test_quota_of_one_type_is_none_of_another_and_what_has_none_is_warned_of() -> None:
    bought = buys(calls(10, region=HERE), calls(20, region=THERE), calls(30, deployment_type="data-zone"))
    kept, elsewhere, other = checked(bought, quota(10))
    assert (kept.status, kept.found, kept.deployments) == ("pass", 10, ("Alder northland",))
    assert (elsewhere.status, elsewhere.name, elsewhere.allowed, elsewhere.found) == (
        "warn",
        "quota_ptu (global, southland)",
        None,
        20,
    )
    assert (other.scope, other.found) == ("data-zone, no region", 30)
    assert other.message == "no quota is given for it (Alder Data zone)"
    assert other.line == 7


def test_without_any_quota_nothing_is_said_of_it() -> None:
    assert checked(buys(calls(10)), limit(LimitName.BUDGET, 10**6))[1:] == ()


@pytest.mark.parametrize(("allowed", "status"), [("1999.99", "fail"), (2000, "pass"), ("2000.01", "pass")])
def test_a_budget_is_for_everything_on_the_term(allowed: Any, status: str) -> None:
    check = one(buys(calls(10)), limit(LimitName.BUDGET, allowed))
    assert (check.status, check.found, check.message) == (status, 2000, "1-year")


def test_an_unknown_price_is_no_pass_but_what_is_known_may_break_a_budget() -> None:
    bought = buys(calls(10), calls(10, model="Birch", deployment_type="data-zone", region=THERE))
    reason = f"Birch: {bought[1].price_reason}"
    unknown = one(bought, limit(LimitName.BUDGET, 2000))
    assert (unknown.status, unknown.found) == ("unknown", None)
    assert unknown.message == f"1-year; $2,000.00 without Birch ({reason})"
    broken = one(bought, limit(LimitName.BUDGET, 1999))
    assert (broken.status, broken.found, broken.over) == ("fail", 2000, 1)
    assert broken.message == f"1-year; at least, for {reason}"


def test_an_amount_for_more_ptu_than_are_sized_says_so() -> None:
    (alder,) = buys(calls(10))
    check = one((alder._replace(monthly_ptu=25),), limit(LimitName.BUDGET, 2000))
    assert check.message == "1-year; for the busiest minute of logs: Alder"


@pytest.mark.parametrize(("allowed", "status"), [(13, "warn"), (14, "pass"), (15, "pass")])
def test_old_rates_are_a_warning(allowed: int, status: str) -> None:
    check = one(buys(calls(10)), limit(LimitName.CATALOG_AGE, allowed))
    assert (check.status, check.found) == (status, 14)
    assert check.message == "rates checked on 2030-06-01" + (": update ptucalc" if status == "warn" else "")


@pytest.mark.parametrize(
    ("name", "allowed", "statuses"),
    [
        (LimitName.MIN_UTILIZATION, F(1, 4), ("pass", "pass")),
        (LimitName.MIN_UTILIZATION, F(26, 100), ("fail", "pass")),
        (LimitName.MAX_UTILIZATION, F(1), ("pass", "pass")),
        (LimitName.MAX_UTILIZATION, F(99, 100), ("pass", "fail")),
    ],
)
def test_utilization_is_that_of_each_deployment_in_its_peak(name: LimitName, allowed: Any, statuses: tuple) -> None:
    bought = buys(calls("2.5"), calls(20, model="Birch"))  # 2.5 of 10, 20 of 20 PTU
    found = checked(bought, limit(name, allowed))
    assert tuple(check.status for check in found) == statuses
    assert [(check.scope, check.found) for check in found] == [("Alder", F(1, 4)), ("Birch", 1)]
    smallest = ", the smallest size sold" if name is LimitName.MIN_UTILIZATION else ""
    assert found[0].message == f"at the peak of 10 PTU{smallest}"
    assert found[1].message == "at the peak of 20 PTU"


def test_what_is_missed_is_counted_from_the_side_of_the_limit() -> None:
    bought = buys(calls("2.5"))
    assert one(bought, limit(LimitName.MIN_UTILIZATION, F(1, 2))).over == F(1, 4)
    assert one(bought, limit(LimitName.MAX_UTILIZATION, F(1, 5))).over == F(1, 20)


def test_a_region_that_is_not_given_is_not_allowed_and_not_forbidden() -> None:
    bought = buys(calls(10, region=HERE), calls(10, region=THERE), calls(10, model="Birch"))
    found = checked(bought, limit(LimitName.REGIONS, (HERE, "eastland")))
    assert [(check.scope, check.status, check.found) for check in found] == [
        ("Alder northland", "pass", HERE),
        ("Alder southland", "fail", THERE),
        ("Birch", "unknown", None),
    ]
    assert found[2].message == "no region is given: `region:` of the workloads or --region says where"
    assert found[1].over is None


@pytest.mark.parametrize(("share", "status"), [(F(1, 100), "pass"), (F(101, 10_000), "fail"), (F(0), "pass")])
def test_a_429_share_may_be_reached(share: Fraction, status: str) -> None:
    throttled = {"Alder": Throttled(share, 1200, "from a.csv")}
    check = one(buys(calls(10)), limit(LimitName.RATE_429, F(1, 100)), throttled=throttled)
    assert (check.status, check.found) == (status, share)
    assert check.message == "10 PTU, 1,200 requests, from a.csv"


def test_calls_that_were_not_simulated_are_no_pass() -> None:
    throttled = {"Alder": Throttled(Unknown("no calls"))}
    check = one(buys(calls(10)), limit(LimitName.RATE_429, 1), throttled=throttled)
    assert (check.status, check.found, check.message) == ("unknown", None, "no calls")


def test_regions_of_limits_that_no_model_is_in_are_told_with_their_place() -> None:
    found = strange_regions(
        limits(quota(1, "nortland"), limit(LimitName.REGIONS, (HERE, "x")), quota(1)), Resolver(a_catalog())
    )
    expected = "a region that some PTU model is listed in"
    assert [str(each) for each in found] == [
        f"p.yaml:7:3, limits.quota_ptu: expected {expected}: northland?, got nortland",
        f"p.yaml:7:3, limits.allowed_regions: expected {expected}, got x",
    ]


def result(*statuses: Status, strict: bool = False) -> PlanCheck:
    checks = [Check("monthly_budget_usd", str(i), s, "usd", "at most", F(1), F(1)) for i, s in enumerate(statuses)]
    day = date(2030, 1, 1)
    return PlanCheck(
        version="0",
        source="p.yaml",
        catalog_as_of=day,
        catalog_editions=("x",),
        oldest_check=day,
        prices_as_of=day,
        price_editions=("y",),
        term=YEAR,
        discount=F(0),
        open_as=None,
        purchases=(),
        checks=tuple(checks),
        strict=strict,
    )


@given(st.lists(st.sampled_from(Status)), st.booleans())
def test_a_verdict_is_pass_only_where_nothing_is_broken_or_unknown(statuses: list[Status], strict: bool) -> None:
    verdict = result(*statuses, strict=strict).verdict
    broken = Status.FAIL in statuses or (strict and Status.WARN in statuses)
    assert (verdict is Status.FAIL) == broken
    assert (verdict is Status.PASS) == (not broken and Status.UNKNOWN not in statuses)


def test_a_limit_of_every_deployment_is_one_limit_and_a_missing_quota_none() -> None:
    bought = buys(calls(10, region=HERE), calls(20, model="Birch", region=THERE))
    checks = checked(bought, quota(5), quota(5, "eastland"), limit(LimitName.MAX_UTILIZATION, F(1, 2)))
    found = PlanCheck(**{**vars(result()), "checks": checks})
    assert len(checks) == 5
    assert (found.limits, found.limits_that(Status.FAIL), found.limits_that(Status.WARN)) == (3, 2, 1)
