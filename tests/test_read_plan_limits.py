"""The limits of a plan: what is read, with its line, and what is refused, all of it at once."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ptucalc.errors import BadInput
from ptucalc.plan_limits import LimitName, PlanLimits
from ptucalc.prices import PtuTerm
from ptucalc.read.workload_plan import read_plan

from .invented import DATA_ZONE, GLOBAL

CALL = "workloads:\n  - {model: gpt-4.1, requests_per_minute: 1, input_tokens: 2, output_tokens: 3}\n"


def read(limits: str) -> PlanLimits:
    found = read_plan(CALL + limits, "p.yaml", "yaml").limits
    assert found is not None
    return found


def refused(limits: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        read_plan(CALL + limits, "p.yaml", "yaml")
    return [str(problem) for problem in caught.value.problems]


def test_every_limit_is_read_with_its_line() -> None:
    found = read("""limits:
  quota_ptu:
    global: {eastus2: 400}
    Data Zone: {West Europe: 100}
  monthly_budget_usd: 150000.50
  term: 1-Month
  max_429_rate: 1%
  max_catalog_age_days: 365
  min_utilization: 0.5
  max_utilization: 95%
  allowed_regions: [eastus2, west-europe, eastus2]
""")
    assert found.term is PtuTerm.ONE_MONTH
    assert [(limit.name.value, limit.value, limit.line) for limit in found.limits] == [
        ("quota_ptu", 400, 5),
        ("quota_ptu", 100, 6),
        ("monthly_budget_usd", Fraction(300001, 2), 7),
        ("max_429_rate", Fraction(1, 100), 9),
        ("max_catalog_age_days", 365, 10),
        ("min_utilization", Fraction(1, 2), 11),
        ("max_utilization", Fraction(19, 20), 12),
        ("allowed_regions", ("eastus2", "westeurope"), 13),
    ]
    places = [(limit.deployment_type, limit.region, limit.scope) for limit in found.named(LimitName.QUOTA)]
    assert places == [(GLOBAL, "eastus2", "global, eastus2"), (DATA_ZONE, "westeurope", "data-zone, westeurope")]
    assert {limit.source for limit in found.limits} == {"p.yaml"}


def test_a_plan_without_limits_has_none_and_an_empty_mapping_limits_nothing() -> None:
    assert read_plan(CALL, "p.yaml", "yaml").limits is None
    assert read("limits: {}\n") == PlanLimits(limits=())


def test_limits_of_0_are_limits() -> None:
    found = read("limits: {max_429_rate: 0, monthly_budget_usd: 0, quota_ptu: {global: {eastus2: 0}}}\n")
    assert [limit.value for limit in found.limits] == [0, 0, 0]


KEYS = (
    "quota_ptu, monthly_budget_usd, max_429_rate, max_catalog_age_days, min_utilization, max_utilization, "
    "allowed_regions, term"
)
QUOTA = "PTU by deployment type and region: {global: {eastus2: 400}}"


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        ("limits: 4\n", f"p.yaml:3:9, limits: expected limits: {KEYS}, got 4"),
        ("limits:\n", f"p.yaml:3:8, limits: expected limits: {KEYS}, got (empty)"),
        ("limits: {quota: 4}\n", f"p.yaml:3:10, limits.quota: expected one of {KEYS}, got quota"),
        ("limits: {quota_ptu: 400}\n", f"p.yaml:3:21, limits.quota_ptu: expected {QUOTA}, got 400"),
        ("limits: {quota_ptu: {}}\n", f"p.yaml:3:21, limits.quota_ptu: expected {QUOTA}, got (empty)"),
        ("limits: {quota_ptu: {global: 4}}\n", f"p.yaml:3:30, limits.quota_ptu.global: expected {QUOTA}, got 4"),
        (
            "limits: {quota_ptu: {world: {eastus2: 4}}}\n",
            "p.yaml:3:22, limits.quota_ptu.world: expected global, data-zone or regional, got world",
        ),
        (
            "limits: {quota_ptu: {global: {eastus2: 4}, Global: {westus: 4}}}\n",
            "p.yaml:3:44, limits.quota_ptu.Global: expected one key for global: global means the same, got Global",
        ),
        (
            "limits: {quota_ptu: {global: {eastus2: 4, East US 2: 5}}}\n",
            "p.yaml:3:43, limits.quota_ptu.global.East US 2: expected one key for eastus2: eastus2 means the same, "
            "got East US 2",
        ),
        (
            "limits: {quota_ptu: {global: {eastus2: 4.5}}}\n",
            "p.yaml:3:40, limits.quota_ptu.global.eastus2: expected a whole number, 0 or more (round it: 4?), got 4.5",
        ),
        (
            "limits: {monthly_budget_usd: -1}\n",
            "p.yaml:3:30, limits.monthly_budget_usd: expected a number, 0 or more, got -1",
        ),
        (
            "limits: {monthly_budget_usd: '150,000'}\n",
            "p.yaml:3:30, limits.monthly_budget_usd: expected a number, 0 or more, without thousands separators "
            "(150000?), got 150,000",
        ),
        (
            "limits: {monthly_budget_usd: }\n",
            "p.yaml:3:30, limits.monthly_budget_usd: expected a number, 0 or more, got (empty)",
        ),
        (
            "limits: {max_429_rate: 2}\n",
            "p.yaml:3:24, limits.max_429_rate: expected a share: 0 to 1, or 0% to 100% (2%?), got 2",
        ),
        (
            "limits: {max_429_rate: [1%]}\n",
            "p.yaml:3:24, limits.max_429_rate: expected a share: 0 to 1, or 0% to 100%, got ['1%']",
        ),
        ("limits: {term: 2-year}\n", "p.yaml:3:16, limits.term: expected one of hourly, 1-month, 1-year, got 2-year"),
        (
            "limits: {allowed_regions: eastus2}\n",
            "p.yaml:3:27, limits.allowed_regions: expected a list of regions: [eastus2, westus3], got eastus2",
        ),
        (
            "limits: {allowed_regions: [east/us]}\n",
            "p.yaml:3:28, limits.allowed_regions[0]: expected an Azure region such as eastus2, got east/us",
        ),
        (
            "limits: {min_utilization: 60%, max_utilization: 50%}\n",
            "p.yaml:3:27, limits.min_utilization: expected at most max_utilization (50%), got 60%",
        ),
    ],
)
def test_what_is_no_limit_is_refused_with_its_place(limits: str, problem: str) -> None:
    assert refused(limits) == [problem]


def test_the_same_floor_and_ceiling_are_legal() -> None:
    assert len(read("limits: {min_utilization: 60%, max_utilization: 0.6}\n").limits) == 2


def test_problems_of_limits_and_workloads_are_told_together() -> None:
    plan = "workloads:\n  - {model: gpt-4.1, rpm: x, input_tokens: 2, output_tokens: 3}\nlimits: {term: 5, quota: 4}\n"
    with pytest.raises(BadInput) as caught:
        read_plan(plan, "p.yaml", "yaml")
    assert {problem.field for problem in caught.value.problems} == {
        "limits.term",
        "limits.quota",
        "requests_per_minute",
    }


def test_limits_of_a_json_plan_have_no_line() -> None:
    text = '{"workloads": [{"model": "m"}], "limits": {"max_429_rate": 0.5}}'
    found = read_plan(text, "p.json", "json").limits
    assert found is not None
    assert [(limit.value, limit.line) for limit in found.limits] == [(Fraction(1, 2), None)]
