"""`ptucalc.simulate`: calls and an offer to what deployments of each size serve."""

from __future__ import annotations

from pathlib import Path

import pytest

import ptucalc
from ptucalc import BadInput, Call, CallTrace, DeploymentType, Policy, load_catalog, read_log, simulate

from .log_files import call, table

SECOND = 1_000_000
CALLS = [Call(place * SECOND, 7500, 0) for place in (0, 1, 2, 3, 60)]
"""As the log of test_cli_simulate: with a window of 10 s 15 PTU refuse 2, 30 PTU 1, 35 PTU none."""


def test_calls_a_name_and_sizes_are_enough() -> None:
    result = simulate(CALLS, "gpt-4.1", ptu=[15, 30], window=10)
    assert [(run.ptu, run.throttled_429) for run in result.runs] == [(15, 2), (30, 1)]
    assert result.policy is Policy.NONE and result.sweep == ()


def test_without_sizes_the_smallest_that_does_is_found() -> None:
    assert simulate(CallTrace.of(CALLS), "gpt-4.1", window=10).runs[0].ptu == 35
    found = simulate(CALLS, "gpt-4.1", window=10, target_429="20%")
    assert found.target is not None and found.target.smallest_ptu == 25
    assert len(simulate(CALLS, "gpt-4.1", window=10, ptu=15, sweep=True).sweep) == 5


def test_an_offer_says_which_sizes_can_be_bought() -> None:
    model, _ = load_catalog().find("gpt-4.1")
    regional = simulate(CALLS, model.offer(DeploymentType.REGIONAL), window=10)
    assert (regional.deployment_type, regional.runs[0].ptu) == (DeploymentType.REGIONAL, 50)
    assert simulate(CALLS, model, window=10, sku="regional").runs[0].ptu == 50
    assert simulate(CALLS, model, window=10).runs[0].ptu == 35


def test_the_calls_of_a_log_can_be_simulated(tmp_path: Path) -> None:
    path = table(tmp_path / "log.csv", call(0.5, "7180,0,80"), call(1.5, "7180,0,80"), call(2.5, "7180,0,80"))
    with read_log(path, calls=True) as log:
        result = simulate(log.trace(), "gpt-4.1", ptu=15, window=10, policy="spillover")
    assert (result.requests, result.runs[0].served, result.runs[0].spilled) == (3, 2, 1)


def test_other_weights_and_assumptions_are_handed_on() -> None:
    calls = [Call(0, 0, 100), Call(1, 0, 100)]
    assert simulate(calls, "gpt-4.1", ptu=15, window=1, output_weight=1).runs[0].throttled_429 == 0
    assert simulate(calls, "gpt-4.1", ptu=15, window=1, output_weight=10).runs[0].throttled_429 == 1
    assert simulate(calls, "gpt-4.1", ptu=15, window=1, assumed_max_tokens=500).runs[0].throttled_429 == 1
    late = simulate(CALLS, "gpt-4.1", ptu=15, window=10, policy="retry", max_retries=0)
    assert (late.max_retries, late.runs[0].failed) == (0, 2)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        simulate(CALLS, "gpt-99", sku="moon", output_weight="x")
    assert {problem.field for problem in caught.value.problems} == {"offer", "sku", "output_weight"}
    with pytest.raises(BadInput) as caught:
        simulate([], "gpt-4.1", policy="hope", window=0, ptu=0)
    assert {problem.field for problem in caught.value.problems} == {"calls", "policy", "window", "ptu"}


def test_the_names_are_public() -> None:
    assert {"Call", "CallTrace", "Policy", "SimulationResult", "simulate"} <= set(ptucalc.__all__)


def test_a_result_is_data_rows_and_html() -> None:
    result = simulate(CALLS, "gpt-4.1", ptu=[15, 30], window=10, policy="spillover")
    data = result.to_dict()
    assert [(run["ptu"], run["throttled_429"], run["spilled"]) for run in data["runs"]] == [(15, 2, 2), (30, 1, 1)]
    assert data["runs"][0]["spilled_monthly_usd"] is None
    assert data["runs"][0]["tokens_spilled"]["uncached_input"] == 15_000
    rows = result.rows()
    assert [(row["ptu"], row["served"], row["tokens_served_uncached_input"]) for row in rows] == [
        (15, 3, 22_500),
        (30, 4, 30_000),
    ]
    assert not any(isinstance(value, (dict, list)) for row in rows for value in row.values())
    assert "<td>15</td><td>5</td><td>2</td>" in result._repr_html_()
