"""Admission call by call: the same answers as `simulate` and `simulate_standard` give for the same calls.

The bucket by hand: 60 PTU of Alder drain 60,000 weighted tokens a minute, which is 1 each millisecond; one output token
weighs 3. With a window of 10 s the bucket holds 10,000.
"""

from __future__ import annotations

from fractions import Fraction
from heapq import heappop, heappush

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.admission import Admitted, ArrivingCall, BucketAdmission, CounterAdmission, Left, Refused, Rejected
from ptucalc.arrivals import ArrivalKind, Arrivals, synthetic_trace
from ptucalc.call_trace import Call, CallTrace
from ptucalc.catalog import LongContext, Unknown
from ptucalc.errors import BadInput
from ptucalc.simulated_runs import SimulationRun
from ptucalc.simulation import simulate
from ptucalc.standard_limits import simulate_standard
from ptucalc.workload import Workload

from .invented import a_model, weights

MS, SECOND, MINUTE = 1000, 1_000_000, 60_000_000
ALDER = a_model()
LONG = a_model(
    "Larch",
    weights=weights(cached_input="1/10", cache_write="5/4", output=5),
    long_context=LongContext(3000, "table", weights(input=2, cached_input="1/5", cache_write="5/2", output="15/2")),
    prompt_limit_tokens=6000,
)


def bucket(**given: object) -> BucketAdmission:
    return BucketAdmission(**{"model": ALDER, "ptu": 60, "window_us": 10 * SECOND, **given})


# By hand


def test_a_call_is_let_in_below_the_capacity_and_refused_at_it() -> None:
    full = bucket()
    assert full.arrive(0, ArrivingCall(10_000, 0)) == Admitted(0, 3 * full._unit)
    assert full.arrive(0, ArrivingCall(1, 0)) == Refused(1 * MS)  # exactly full: at least 1 ms
    assert full.arrive(1 * MS, ArrivingCall(1, 0)).__class__ is Admitted  # 9,999
    assert full.refused == 1


def test_retry_after_is_how_long_the_surplus_drains_in_whole_milliseconds() -> None:
    over = bucket()
    over.arrive(0, ArrivingCall(12_345, 0))
    assert over.arrive(0, ArrivingCall(1, 0)) == Refused(2345 * MS)
    assert over.arrive(1, ArrivingCall(1, 0)) == Refused(2345 * MS)  # 2,344.999 ms
    assert over.arrive(1 * MS, ArrivingCall(1, 0)) == Refused(2344 * MS)


def test_the_estimate_is_max_tokens_then_the_assumed_ones_then_the_output() -> None:
    levels = []
    for call, assumed in (
        (ArrivingCall(100, 10, max_tokens=50), 20),
        (ArrivingCall(100, 10), 20),
        (ArrivingCall(100, 10), None),
    ):
        one = bucket(assumed_max_tokens=assumed)
        one.arrive(0, call)
        levels.append(one.utilization(0) * 10_000)
    assert levels == [100 + 3 * 50, 100 + 3 * 20, 100 + 3 * 10]


def test_completion_puts_the_true_output_in_the_place_of_the_estimate() -> None:
    for said, output, expected in ((500, 100, 1000 + 300), (100, 500, 1000 + 1500)):
        one = bucket()
        admitted = one.arrive(0, ArrivingCall(1000, 0, max_tokens=said))
        assert isinstance(admitted, Admitted)
        one.complete(0, admitted, output)
        assert one.utilization(0) == Fraction(expected, 10_000)
        assert one.utilization(100 * MS) == Fraction(expected - 100, 10_000)


def test_the_level_never_falls_below_nothing() -> None:
    one = bucket()
    admitted = one.arrive(0, ArrivingCall(0, 0, max_tokens=100))
    assert isinstance(admitted, Admitted)
    one.complete(200 * MS, admitted, 10)  # 300 - 200 - 270
    assert one.utilization(200 * MS) == 0
    one.arrive(200 * MS, ArrivingCall(50, 0))
    assert one.utilization(200 * MS) == Fraction(50, 10_000)


def test_a_prompt_over_the_limit_is_rejected_and_adds_nothing() -> None:
    one = bucket(model=LONG)
    assert one.arrive(0, ArrivingCall(3000, 0, cached=3001)) == Rejected(6000)
    assert one.utilization(0) == 0
    assert isinstance(one.arrive(0, ArrivingCall(3000, 0, cached=3000)), Admitted)
    # long context: 2 x 3,000 + 1/5 x 3,000
    assert one.utilization(0) == Fraction(6600, 10_000)


@pytest.mark.parametrize(("prompt", "weighs"), [(3000, 3000 + 5), (3001, 2 * 3001 + Fraction(15, 2))])
def test_long_context_begins_above_its_limit(prompt: int, weighs: Fraction) -> None:
    one = bucket(model=LONG)
    one.arrive(0, ArrivingCall(prompt, 1))
    assert one.utilization(0) == Fraction(weighs) / 10_000


def test_a_minutes_utilization_is_its_mean_level() -> None:
    one = bucket()
    one.arrive(MINUTE + 30 * SECOND, ArrivingCall(6000, 0))  # falls from 6,000 to 0 within 6 s: 18,000 token-seconds
    one.utilization(2 * MINUTE)
    assert one.minute_utilization(1) == Fraction(18_000, 60 * 10_000)
    assert one.minute_utilization(0) == one.minute_utilization(2) == 0


def test_old_minutes_are_forgotten() -> None:
    one = bucket(kept_minutes=3)
    for minute in range(100):
        one.arrive(minute * MINUTE, ArrivingCall(6000, 0))
    one.utilization(100 * MINUTE)
    assert len(one._levels) <= 7
    assert one.minute_utilization(99) == Fraction(18_000, 60 * 10_000)


def test_time_does_not_go_back() -> None:
    one = bucket()
    one.arrive(5, ArrivingCall(1, 1))
    with pytest.raises(ValueError, match="goes back from 5 to 4"):
        one.arrive(4, ArrivingCall(1, 1))


def test_a_model_without_ptu_numbers_has_no_bucket() -> None:
    with pytest.raises(BadInput, match=r"published PTU numbers \(nobody told\)"):
        bucket(model=a_model(tpm_per_ptu=Unknown("nobody told")))
    with pytest.raises(BadInput, match="output_weight"):
        bucket(model=a_model(weights=weights(output=Unknown("nobody told"))))
    assert bucket(model=a_model(weights=weights(output=Unknown("nobody told"))), output_weight=Fraction(2))


def test_standard_limits_fill_exactly_and_refuse_until_they_begin_anew() -> None:
    limits = CounterAdmission(tpm=1000, rpm=600)
    at = 5 * MINUTE + 58 * SECOND + 400 * MS
    assert limits.arrive(at, ArrivingCall(400, 9, cached=100, max_tokens=500)) == Admitted()
    assert limits.left(at) == Left(0, 1600 * MS, 9, 600 * MS)
    assert limits.arrive(at + 1, ArrivingCall(1, 0)) == Refused(1600 * MS)  # 1,599.999 ms
    assert limits.left(at + 2 * SECOND) == Left(1000, 60 * SECOND - 400 * MS, 10, 600 * MS)
    assert limits.arrive(6 * MINUTE, ArrivingCall(1000, 0)) == Admitted()
    assert limits.refused == 1


def test_the_eleventh_call_of_a_second_is_refused_and_counts_too() -> None:
    limits = CounterAdmission(rpm=600)
    answers = [limits.arrive(n * 50 * MS, ArrivingCall(1, 1)) for n in range(12)]
    assert answers == [Admitted()] * 10 + [Refused(500 * MS), Refused(450 * MS)]
    assert limits.arrive(1 * SECOND, ArrivingCall(1, 1)) == Admitted()
    slow = CounterAdmission(rpm=20)  # one call in each 3 s
    assert [slow.arrive(n * SECOND, ArrivingCall(1, 1)) for n in range(4)] == [
        Admitted(),
        Refused(2 * SECOND),
        Refused(1 * SECOND),
        Admitted(),
    ]


def test_best_of_multiplies_what_a_call_may_generate() -> None:
    limits = CounterAdmission(tpm=1000, assumed_max_tokens=100)
    limits.arrive(0, ArrivingCall(10, 5), best_of=3)
    assert limits.left(0).tokens == 1000 - 10 - 300
    limits.arrive(0, ArrivingCall(10, 5, max_tokens=7), best_of=2)
    assert limits.left(0).tokens == 690 - 10 - 14


def test_without_limits_every_call_is_let_in() -> None:
    none = CounterAdmission()
    assert none.arrive(0, ArrivingCall(10**9, 10**9)) == Admitted()
    assert (none.left(0).tokens, none.left(0).calls) == (None, None)
    with pytest.raises(BadInput, match="standard_tpm"):
        CounterAdmission(tpm=0)


# The same as simulate


@st.composite
def _traces(draw: st.DrawFn) -> CallTrace:
    sizes = st.integers(0, 4000)
    at = 7 * MINUTE + draw(st.integers(0, MINUTE))
    found = []
    for _ in range(draw(st.integers(1, 25))):
        at += draw(st.sampled_from([0, 0, 1, 999, 1000, 250_000, 3 * SECOND, 70 * SECOND]))
        most = draw(st.none() | st.integers(0, 2000))
        lasts = draw(st.none() | st.sampled_from([0, 1, 1000, 4 * SECOND]))
        found.append(Call(at, draw(sizes), draw(sizes), draw(sizes), draw(sizes), most, lasts))
    return CallTrace.of(found)


def answers_of(trace: CallTrace, gate: BucketAdmission, tokens_per_second: int) -> list[str]:
    """What each call of a trace gets from a bucket that hears of ends when they come."""
    found, running = [], []
    for i, at in enumerate(trace.arrival_us):
        while running and running[0][0] <= at:
            end, _, admitted, output = heappop(running)
            gate.complete(end, admitted, output)
        said = -1 if trace.max_tokens is None else trace.max_tokens[i]
        call = ArrivingCall(
            trace.uncached[i], trace.output[i], trace.cached[i], trace.written[i], None if said < 0 else said
        )
        verdict = gate.arrive(at, call)
        found.append(type(verdict).__name__)
        if isinstance(verdict, Admitted):
            lasts = -1 if trace.duration_us is None else trace.duration_us[i]
            lasts = lasts if lasts >= 0 else trace.output[i] * SECOND // tokens_per_second
            heappush(running, (at + lasts, i, verdict, trace.output[i]))
    end = (trace.first_minute + trace.minutes) * MINUTE
    while running and running[0][0] <= end:
        finish, _, admitted, output = heappop(running)
        gate.complete(finish, admitted, output)
    gate.utilization(end)
    return found


def simulated(trace: CallTrace, ptu: int, window: int, assumed: int | None) -> tuple[list[str], SimulationRun]:
    result = simulate(
        trace, LONG, ptu=ptu, window=window, assumed_max_tokens=assumed, largest_ptu=1000, keep_replay=True
    )
    (run,) = result.runs
    assert run.replay is not None
    prompts = [sum(each) for each in zip(trace.uncached, trace.cached, trace.written, strict=True)]
    words = ["Admitted", "Refused"]
    return [
        "Rejected" if prompt > 6000 else words[outcome != 0]
        for prompt, outcome in zip(prompts, run.replay.outcome, strict=True)
    ], run


@given(_traces(), st.integers(1, 200), st.sampled_from([1, 10, 60]), st.none() | st.integers(1, 900))
def test_calls_get_what_simulate_gives_them(trace: CallTrace, ptu: int, window: int, assumed: int | None) -> None:
    gate = BucketAdmission(LONG, ptu=ptu, window_us=window * SECOND, assumed_max_tokens=assumed)
    expected, run = simulated(trace, ptu, window, assumed)
    assert answers_of(trace, gate, 20) == expected
    assert gate.refused == run.responses_429
    minutes = [gate.minute_utilization(trace.first_minute + place) for place in range(trace.minutes)]
    assert max(minutes) == run.utilization.max
    assert sum(minutes) / len(minutes) == run.utilization.mean


@pytest.mark.parametrize("kind", list(ArrivalKind))
def test_made_up_arrivals_get_what_simulate_gives_them(kind: ArrivalKind) -> None:
    work = Workload(
        model="Larch", requests_per_minute=300, input_tokens=900, output_tokens=150, cache_ratio="0.3", max_tokens=400
    )
    trace = synthetic_trace([work], duration_us=5 * MINUTE, arrivals=Arrivals(kind=kind, seed=7))
    gate = BucketAdmission(LONG, ptu=200, window_us=10 * SECOND)
    expected, _ = simulated(trace, 200, 10, None)
    assert answers_of(trace, gate, 20) == expected
    assert {"Admitted", "Refused"} == set(expected)


@given(
    _traces(), st.none() | st.integers(1, 20_000), st.none() | st.integers(1, 300), st.sampled_from([1, 10]), st.none()
)
def test_standard_limits_give_what_simulate_standard_gives(
    trace: CallTrace, tpm: int | None, rpm: int | None, window: int, assumed: int | None
) -> None:
    if tpm is None and rpm is None:
        rpm = 1
    found = simulate_standard(trace, tpm=tpm, rpm=rpm, window_seconds=window, assumed_max_tokens=assumed)
    gate = CounterAdmission(tpm=tpm, rpm=rpm, window_seconds=window, assumed_max_tokens=assumed)
    for i, at in enumerate(trace.arrival_us):
        said = -1 if trace.max_tokens is None else trace.max_tokens[i]
        call = ArrivingCall(
            trace.uncached[i], trace.output[i], trace.cached[i], trace.written[i], None if said < 0 else said
        )
        verdict = gate.arrive(at, call)
        assert isinstance(verdict, Refused) == bool(found.verdicts[i])
        if isinstance(verdict, Refused):  # a call that comes then is in a new minute and window
            later = at + verdict.retry_after_us
            left = gate.left(at)
            resets = [left.tokens_reset_us] * (found.verdicts[i] in (1, 3))
            resets += [left.calls_reset_us] * (found.verdicts[i] in (2, 3))
            assert 0 <= later - at - max(resets) < 1000
