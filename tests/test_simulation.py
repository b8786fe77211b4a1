"""What a deployment serves, refuses and spills: runs, conservation, sweeps, targets, real traces."""

import csv
import json
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ptucalc import load_catalog
from ptucalc.call_trace import Call, CallTrace
from ptucalc.catalog import DeploymentType, LongContext, Unknown
from ptucalc.errors import BadInput
from ptucalc.rounding import Grid
from ptucalc.simulated_runs import CallTokens, Policy, TokenSums
from ptucalc.simulation import simulate, spilled_calls

from .bucket_oracle import OracleCall, replayed
from .engines import KINDS, of_kind
from .invented import GLOBAL, a_model, weights
from .test_bucket_kernel import traces

F = Fraction
SECOND = 1_000_000
SHARED = Path(__file__).parents[2] / "shared"
EVERY_SIZE = {GLOBAL: Grid(1, 1)}
PER_SECOND = a_model(tpm_per_ptu=60, grids=EVERY_SIZE)
"""One PTU drains 1 token per second; every size can be bought."""


def run(calls, ptu=1000, model=PER_SECOND, **asked):
    return simulate(CallTrace.of(calls), model, ptu=ptu, window=asked.pop("window", 1), largest_ptu=5000, **asked).runs[
        0
    ]


FULL = [Call(0, 1000, 10), Call(0, 70, 20, cached=5, written=3), Call(SECOND, 4, 1)]
"""With 1,000 PTU and a second: the second call meets a full bucket (1,030), the third one with 30 left."""


def test_without_a_policy_a_429_is_a_failure():
    found = run(FULL)
    assert (found.requests, found.served, found.spilled, found.failed, found.throttled_429) == (3, 2, 0, 1, 1)
    assert found.throttled_share == F(1, 3)
    assert found.tokens_served.total == CallTokens(1004, 0, 0, 11)
    assert found.tokens_failed.total == CallTokens(70, 5, 3, 20)
    assert found.tokens_spilled == TokenSums()


def test_with_spillover_the_whole_call_spills():
    found = run(FULL, policy="spillover")
    assert (found.served, found.spilled, found.failed, found.throttled_429) == (2, 1, 0, 1)
    assert found.tokens_spilled.total == CallTokens(70, 5, 3, 20)
    assert found.tokens_failed == TokenSums()


def test_with_retries_it_waits_and_is_served():
    found = run(FULL, policy=Policy.RETRY)
    assert (found.served, found.failed, found.throttled_429, found.responses_429) == (3, 0, 1, 2)
    assert found.wait_ms == (F(31, 3), 31, 31)  # 30 ms to a full bucket, 1 ms more


def test_without_a_retry_left_it_spills_where_the_policy_says_so():
    assert run(FULL, policy="retry-then-spillover", max_retries=1).spilled == 1
    assert run(FULL, policy="retry", max_retries=1).failed == 1
    assert run(FULL, policy="retry", max_retries=0).responses_429 == 1
    assert run(FULL, policy="spillover", max_retries=9).responses_429 == 1


def test_prompts_over_the_limit_spill_or_fail_without_a_429():
    model = a_model(tpm_per_ptu=60, prompt_limit_tokens=500)
    calls = [Call(0, 501, 0), Call(0, 500, 0), Call(0, 500, 0), Call(0, 2, 0)]
    found = run(calls, model=model, policy="spillover")
    assert (found.served, found.spilled, found.throttled_429, found.over_prompt_limit) == (2, 2, 1, 1)
    assert found.tokens_spilled.total == CallTokens(503)
    found = run(calls, model=model)
    assert (found.served, found.failed, found.throttled_429, found.over_prompt_limit) == (2, 2, 1, 1)
    found = run(calls, model=model, policy="retry", keep_replay=True)
    assert (found.served, found.failed, found.throttled_429) == (3, 1, 1)
    assert found.replay.outcome == [2, 0, 0, 0]
    assert found.wait_ms.mean == F(1, 4)


def test_a_trace_that_ptu_refuse_altogether():
    model = a_model(tpm_per_ptu=60, prompt_limit_tokens=5)
    found = run([Call(0, 6, 0)] * 3, model=model, policy="spillover")
    assert (found.served, found.spilled, found.throttled_429) == (0, 3, 0)
    assert found.utilization.max == 0


def test_the_run_is_shown_at_other_depths_and_its_own():
    found = run([Call(0, 1000, 0)] * 40, window=20, policy="spillover")
    assert [(w.window_seconds, w.throttled_429, w.spilled) for w in found.windows] == [
        (10, 30, 30),
        (20, 20, 20),
        (30, 10, 10),
        (60, 0, 0),
    ]
    found = run([Call(0, 1000, 0)] * 11, window=10, policy="retry", max_retries=1)
    assert [(w.window_seconds, w.throttled_429, w.failed) for w in found.windows] == [
        (10, 1, 0),
        (30, 0, 0),
        (60, 0, 0),
    ]


def test_half_a_second_is_a_depth():
    assert run([Call(0, 500, 0), Call(0, 1, 0)], window="0.5").throttled_429 == 1
    assert run([Call(0, 499, 0), Call(0, 1, 0)], window=0.5).throttled_429 == 0


def test_minutes_are_the_clocks():
    at_noon = 1_800_000_000 * SECOND
    found = run([Call(at_noon + 59 * SECOND, 60_000, 0), Call(at_noon + 61 * SECOND, 1, 0)], window=10)
    assert found.minutes.first_minute == 30_000_000
    assert found.minutes.start_us(1) == at_noon + 60 * SECOND
    assert list(found.minutes.responses_429) == [0, 1]
    # 60,000 of 10,000: from 600 % to 590 % for a second, then to 0 in 59 s
    first, second = F(595, 100) / 60, F(59, 10) * 59 / 2 / 60
    assert found.minutes.utilization == [pytest.approx(first), pytest.approx(second)]
    assert found.utilization == ((first + second) / 2, second, second)


def test_whether_a_size_can_be_bought_is_said():
    model = a_model(tpm_per_ptu=60)
    assert [run(FULL, ptu=ptu, model=model).legal for ptu in (10, 11, 15, 5)] == [True, False, True, False]
    assert run(FULL, model=a_model(tpm_per_ptu=60, grids={})).legal is None


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(calls=traces, policy=st.sampled_from(list(Policy)), ptu=st.integers(1, 40))
def test_calls_and_tokens_are_conserved(kind, calls, policy, ptu):
    model = a_model(
        tpm_per_ptu=700,
        prompt_limit_tokens=3000,
        long_context=LongContext(400, "a test", weights(input=2, output=5)),
    )
    asked = {"ptu": [ptu, 3 * ptu], "policy": policy, "engine": of_kind(kind), "largest_ptu": 60, "sweep": True}
    result = simulate(CallTrace.of(calls), model, **asked)
    whole = CallTokens(*(sum(getattr(call, name) for call in calls) for name in CallTokens._fields))
    assert result.tokens.total == whole
    long = [call for call in calls if call.uncached + call.cached + call.written > 400]
    assert result.tokens.long_context.output == sum(call.output for call in long)
    for found in result.runs:
        assert found.served + found.spilled + found.failed == found.requests == len(calls)
        assert found.tokens_served.plus(found.tokens_spilled).plus(found.tokens_failed) == result.tokens
        assert found.throttled_429 <= found.responses_429 <= 3 * found.throttled_429
        assert not (found.spilled if policy in (Policy.NONE, Policy.RETRY) else found.failed)
        assert sum(found.minutes.responses_429) <= found.responses_429
    by_size = {point.ptu: point for point in result.sweep}
    for found in result.runs:
        if found.ptu in by_size:
            point = by_size[found.ptu]
            assert point.refused == found.spilled + found.failed
            assert (point.throttled_429, point.throttled_minutes) == (found.throttled_429, found.throttled_minutes)
            assert point.tokens_refused == found.tokens_spilled.plus(found.tokens_failed)


# Sweeps and targets

LARGER_IS_WORSE = [Call(at * 1000, tokens, 0) for at, tokens in [(0, 11), (50, 3000), (1000, 1), (2000, 1), (3000, 1)]]
TEN_PER_SECOND = a_model(tpm_per_ptu=600, grids=EVERY_SIZE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_larger_deployment_can_refuse_more(kind):
    # 1 PTU is full when the huge call comes; 2 PTU admit it, and refuse everything after it
    result = simulate(
        CallTrace.of(LARGER_IS_WORSE), TEN_PER_SECOND, ptu=[1, 2], window=1, largest_ptu=5000, engine=of_kind(kind)
    )
    assert [found.throttled_429 for found in result.runs] == [1, 3]
    assert result.sweep == () and isinstance(result.first_without_429, Unknown)


def test_a_target_is_answered_truthfully_where_a_larger_size_does_not_keep_to_it():
    # 3,000 are left by the huge call; 950 ms later 3,000 - 9.5 x PTU are below 10 x PTU from 154 PTU on
    result = simulate(CallTrace.of(LARGER_IS_WORSE), TEN_PER_SECOND, window=1, largest_ptu=5000, target_429="20%")
    assert result.target.smallest_ptu == 1
    assert result.target.all_larger_meet is False
    refusing = [point.ptu for point in result.sweep if point.throttled_429 > 1]
    assert list(result.target.exceptions) == refusing and refusing[0] == 2
    assert result.first_without_429 == 154
    assert [point.ptu for point in result.sweep] == list(range(1, 155))
    assert result.every_legal_size
    assert result.runs[0].ptu == 1


def test_every_point_of_a_sweep_is_what_the_second_simulation_says():
    result = simulate(CallTrace.of(LARGER_IS_WORSE), TEN_PER_SECOND, window=1, largest_ptu=5000)
    calls = [OracleCall(call.arrival_us, F(call.uncached), F(call.uncached), 0) for call in LARGER_IS_WORSE]
    for point in result.sweep:
        assert point.throttled_429 == sum(replayed(calls, F(600 * point.ptu), SECOND, 1).refusals)
    assert result.runs[0].ptu == result.first_without_429 == result.sweep[-1].ptu
    assert (result.target, result.every_legal_size) == (None, True)


def test_a_target_that_only_no_429_keeps_to():
    result = simulate(CallTrace.of(LARGER_IS_WORSE), TEN_PER_SECOND, window=1, largest_ptu=5000, target_429=0)
    assert (result.target.smallest_ptu, result.target.all_larger_meet) == (154, True)


def test_a_target_that_not_even_the_largest_deployment_keeps_to():
    result = simulate(CallTrace.of(LARGER_IS_WORSE), TEN_PER_SECOND, window=1, largest_ptu=100, target_429=0)
    # 2,050 at 1 s and 1,050 at 2 s are over the capacity of 1,000
    why = "even 100 PTU meet 429s in 40.00% of the requests"
    assert result.target.smallest_ptu == Unknown(why)
    assert result.first_without_429 == Unknown("even 100 PTU, the largest that was looked at, meet 429s")
    assert result.runs[0].ptu == 100
    at_top = simulate(CallTrace.of(LARGER_IS_WORSE[:2]), TEN_PER_SECOND, window=1, largest_ptu=1, target_429="50%")
    assert at_top.target.smallest_ptu == 1
    assert at_top.target.all_larger_meet == Unknown("sizes over 1 PTU were not looked at")


def test_where_sizes_are_too_many_evenly_spread_ones_are_looked_at_and_that_is_said():
    asked = {"window": 1, "largest_ptu": 5000, "target_429": "20%", "most_sizes": 20}
    result = simulate(CallTrace.of(LARGER_IS_WORSE), TEN_PER_SECOND, **asked)
    # 154 legal sizes, every 8th of them and the last
    assert [point.ptu for point in result.sweep] == [*range(1, 155, 8), 154]
    assert not result.every_legal_size
    smooth = [Call(at * 1000, 100, 0) for at in range(0, 60_000, 100)]
    asked["target_429"] = "1%"
    thin = simulate(CallTrace.of(smooth), TEN_PER_SECOND, **asked)
    full = simulate(CallTrace.of(smooth), TEN_PER_SECOND, **{**asked, "most_sizes": 2000})
    assert thin.target.smallest_ptu == full.target.smallest_ptu
    assert full.target.all_larger_meet is True
    size = thin.target.smallest_ptu
    assert thin.target.all_larger_meet == Unknown(f"not every size from {size} PTU on was looked at")


def test_only_sizes_that_can_be_bought_are_swept():
    model = a_model(tpm_per_ptu=60)  # 10 by 5
    result = simulate(CallTrace.of([Call(0, 21, 0), Call(0, 1, 0)]), model, window=1, largest_ptu=5000)
    assert [point.ptu for point in result.sweep] == [10, 15, 20, 25]
    assert [point.throttled_429 for point in result.sweep] == [1, 1, 1, 0]
    regional = simulate(
        CallTrace.of([Call(0, 21, 0)]), model, deployment_type=DeploymentType.REGIONAL, window=1, largest_ptu=5000
    )
    assert [point.ptu for point in regional.sweep] == [40]


def test_prompts_over_the_limit_are_not_429s_of_a_sweep():
    model = a_model(tpm_per_ptu=60, prompt_limit_tokens=30)
    trace = CallTrace.of([Call(0, 14, 0), Call(0, 31, 0), Call(0, 1, 0)])
    result = simulate(trace, model, policy="spillover", window=1, largest_ptu=5000)
    found = [(p.ptu, p.throttled_429, p.refused, p.tokens_refused.total.uncached) for p in result.sweep]
    assert found == [(10, 1, 2, 32), (15, 0, 1, 31)]
    assert result.first_without_429 == 15


def test_with_retries_every_size_is_replayed():
    trace = CallTrace.of([Call(0, 25, 0), Call(0, 9, 0)])
    asked = {"policy": "retry", "max_retries": 1, "window": 1, "largest_ptu": 5000}
    result = simulate(trace, a_model(tpm_per_ptu=60), **asked)
    # 1,500 ms and 250 ms end with a full bucket, 667 ms and the 1 ms of a full one end with room
    assert [(p.ptu, p.throttled_429, p.refused, p.tokens_refused.total.uncached) for p in result.sweep] == [
        (10, 1, 1, 9),
        (15, 1, 0, 0),
        (20, 1, 1, 9),
        (25, 1, 0, 0),
        (30, 0, 0, 0),
    ]


@settings(max_examples=60, deadline=None)
@given(calls=traces, policy=st.sampled_from(["spillover", "retry"]))
def test_no_429_is_monotone_and_found_without_looking_everywhere(calls, policy):
    model = a_model(tpm_per_ptu=700, grids=EVERY_SIZE)
    result = simulate(CallTrace.of(calls), model, policy=policy, largest_ptu=40, sweep=True, ptu=1)
    every = simulate(CallTrace.of(calls), model, policy=policy, largest_ptu=40, ptu=range(1, 41))
    without = [found.ptu for found in every.runs if not found.throttled_429]
    if without:
        assert result.first_without_429 == without[0]
        assert without == list(range(without[0], 41))
    else:
        assert isinstance(result.first_without_429, Unknown)


# Spilled calls


def test_spilled_calls_reach_standard_after_their_waits():
    # 1,020 of 1,000: the second call waits 20 ms, finds the bucket exactly full and spills then
    calls = [Call(0, 1020, 0), Call(0, 7, 5, max_tokens=9), Call(SECOND, 3, 0)]
    trace = CallTrace.of(calls)
    asked = {"ptu": 1000, "window": 1, "largest_ptu": 5000, "keep_replay": True}
    found = simulate(trace, PER_SECOND, policy="retry-then-spillover", max_retries=1, **asked).runs[0]
    spilled = spilled_calls(trace, found)
    assert (list(spilled.arrival_us), list(spilled.uncached), list(spilled.max_tokens)) == ([20_000], [7], [9])
    found = simulate(trace, PER_SECOND, policy="spillover", **asked).runs[0]
    assert list(spilled_calls(trace, found).arrival_us) == [0]
    assert len(spilled_calls(trace, simulate(trace, PER_SECOND, **asked).runs[0])) == 0
    with pytest.raises(ValueError, match="keep_replay"):
        spilled_calls(trace, simulate(trace, PER_SECOND, **{**asked, "keep_replay": False}).runs[0])


def test_calls_over_the_prompt_limit_spill_when_they_arrive():
    model = a_model(tpm_per_ptu=60, prompt_limit_tokens=500)
    trace = CallTrace.of([Call(0, 500, 0), Call(5, 501, 0), Call(9, 1, 0)])
    found = simulate(trace, model, ptu=10, policy="spillover", window=1, largest_ptu=5000, keep_replay=True).runs[0]
    assert list(spilled_calls(trace, found).arrival_us) == [5, 9]


# What was asked for


def test_what_is_assumed_is_counted():
    calls = [Call(0, 1, 1, max_tokens=5), Call(0, 1, 1, duration_us=5), Call(0, 1, 1)]
    result = simulate(CallTrace.of(calls, relative_clock=True), PER_SECOND, ptu=1, largest_ptu=5000)
    assert (result.without_max_tokens, result.without_duration, result.latency_target_tps) == (2, 2, 20)
    assert (result.window_seconds, result.policy, result.max_retries) == (60, Policy.NONE, 0)
    assert (result.requests, result.minutes, result.first_minute, result.relative_clock) == (3, 1, 0, True)
    assert result.run(1).ptu == 1
    with pytest.raises(KeyError):
        result.run(2)


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(BadInput) as caught:
        simulate(
            CallTrace.of([]),
            PER_SECOND,
            ptu=[10, 0],
            window=0,
            policy="wait",
            max_retries=-1,
            assumed_max_tokens=0,
            target_429="101%",
            largest_ptu=5000,
        )
    assert [str(problem) for problem in caught.value.problems] == [
        "calls: expected at least one call, got (empty)",
        "policy: expected one of none, retry, spillover, retry-then-spillover, got wait",
        "max_retries: expected a whole number, 0 to 1000, got -1",
        "window: expected seconds over 0, in whole microseconds, at most a day, got 0",
        "ptu: expected a whole number, 1 or more, got 0",
        "assumed_max_tokens: expected a whole number, 1 or more, got 0",
        "target_429: expected a share: 0 to 1, or 0% to 100%, got 101%",
    ]


@pytest.mark.parametrize("window", ["0.0000001", 86_401, "abc", -1])
def test_a_depth_is_in_whole_microseconds_and_at_most_a_day(window):
    with pytest.raises(BadInput, match="seconds over 0, in whole microseconds, at most a day"):
        run(FULL, window=window)


def test_a_model_without_ptu_numbers_cannot_be_simulated():
    model = a_model(tpm_per_ptu=Unknown("too new"), grids={})
    with pytest.raises(BadInput) as caught:
        simulate(CallTrace.of(FULL), model, largest_ptu=5000)
    assert [str(problem) for problem in caught.value.problems] == [
        "model: expected a model with published PTU numbers (too new), got Alder",
        "ptu: expected sizes to simulate, and no target: no sizes are published for Alder as Global, got (empty)",
    ]


# Real traces


def azure_trace(name, **more):
    """One of Azure's two published traces; its calls are known when they arrive."""
    file = SHARED / "traces" / f"AzureLLMInferenceTrace_{name}.csv"
    if not file.exists():
        pytest.skip("the traces are not here")
    calls = []
    with file.open(newline="") as rows:
        for row in csv.DictReader(rows):
            whole, part = row["TIMESTAMP"].split(".")
            second = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
            arrival = second * SECOND + int(part[:6])
            calls.append(Call(arrival, int(row["ContextTokens"]), int(row["GeneratedTokens"]), **more))
    return CallTrace.of(calls)


def published_shares():
    file = SHARED / "cases" / "traces.yaml"
    if not file.exists():
        return []
    shares = yaml.safe_load(file.read_text())["azure-2023-code"]["bucket_429_share"]
    found = []
    for rate, by_window in shares.items():
        words = rate.split("_")
        ptu, tpm = (int(words[1]), int(words[3])) if words[0] == "ptu" else (1, int(words[1]))
        found += [(ptu, tpm, window.removeprefix("window_")[:-1], share) for window, share in by_window.items()]
    return found


@pytest.mark.parametrize(("ptu", "tpm", "window", "share"), published_shares())
def test_shares_of_429s_of_the_code_trace_are_those_published(ptu, tpm, window, share):
    model = a_model(tpm_per_ptu=tpm, weights=weights(output=4))
    trace = azure_trace("code", duration_us=0)
    found = simulate(trace, model, ptu=ptu, window=window, largest_ptu=5000).runs[0]
    digits = len(str(share).split(".")[1])
    assert round(float(found.throttled_share), digits) == share


def mooncake():
    file = SHARED / "traces" / "mooncake_conversation.jsonl"
    if not file.exists():
        pytest.skip("the traces are not here")
    rows = map(json.loads, file.read_text().splitlines())
    return CallTrace.of(
        (Call(row["timestamp"] * 1000, row["input_length"], row["output_length"], max_tokens=500) for row in rows),
        relative_clock=True,
    )


@pytest.mark.parametrize("policy", ["spillover", "retry"])
@pytest.mark.parametrize("name", ["code", "conv", "mooncake"])
def test_real_traces_are_the_same_compiled_and_plain(name, policy):
    trace = mooncake() if name == "mooncake" else azure_trace(name, max_tokens=400)
    model = load_catalog().find("gpt-4.1")[0]
    asked = {"ptu": [300], "window": 10, "policy": policy, "largest_ptu": 100_000, "keep_replay": True}
    plain, fast = (simulate(trace, model, engine=of_kind(kind), **asked).runs[0] for kind in ("plain", "compiled"))
    assert plain.replay == fast.replay
    assert (plain.utilization, plain.wait_ms, plain.windows) == (fast.utilization, fast.wait_ms, fast.windows)
    assert (plain.minutes.levels, plain.minutes.responses_429) == (fast.minutes.levels, fast.minutes.responses_429)
    assert (plain.tokens_served, plain.throttled_minutes) == (fast.tokens_served, fast.throttled_minutes)
