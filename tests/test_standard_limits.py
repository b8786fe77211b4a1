"""Which calls Standard limits refuse: worked by hand at the boundaries, and against a second implementation."""

from __future__ import annotations

import time
from array import array
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.call_trace import Call, CallTrace
from ptucalc.errors import BadInput
from ptucalc.standard_limits import RpmWindow, estimated_tokens, simulate_standard
from ptucalc.standard_tiers import CapacityUnit

from .standard_oracle import Deployment, answers, arrivals

F = Fraction
SECOND = 1_000_000
MINUTE = 60 * SECOND


def at(*seconds: Any, tokens: int = 1) -> CallTrace:
    """Calls at these seconds, each of so many prompt tokens and no output."""
    return CallTrace.of([Call(int(F(str(each)) * SECOND), tokens, 0) for each in seconds], relative_clock=True)


def taking(*tokens: int) -> CallTrace:
    """A call each second, in one minute, that counts so many tokens."""
    return CallTrace.of([Call(index * SECOND, each, 0) for index, each in enumerate(tokens)])


def verdicts(trace: CallTrace, **limits: Any) -> list[int]:
    return list(simulate_standard(trace, **limits).verdicts)


# What a call counts


def test_a_call_counts_all_its_prompt_and_max_tokens() -> None:
    trace = CallTrace.of([Call(0, uncached=100, cached=30, written=7, output=5, max_tokens=50)])
    assert estimated_tokens(trace) == [100 + 30 + 7 + 50]


def test_max_tokens_count_best_of_times_and_the_prompt_once() -> None:
    trace = CallTrace.of([Call(0, uncached=100, output=5, max_tokens=50)])
    assert estimated_tokens(trace, best_of=3) == [100 + 3 * 50]


def test_without_max_tokens_the_actual_output_counts_as_it_is() -> None:
    trace = CallTrace.of([Call(0, uncached=100, output=20)])
    assert estimated_tokens(trace) == estimated_tokens(trace, best_of=4) == [120]


def test_without_max_tokens_an_assumed_value_counts_best_of_times() -> None:
    trace = CallTrace.of([Call(0, uncached=100, output=20), Call(1, uncached=1, output=20, max_tokens=9)])
    assert estimated_tokens(trace, assumed_max_tokens=500) == [600, 10]
    assert estimated_tokens(trace, assumed_max_tokens=500, best_of=2) == [1100, 19]
    assert estimated_tokens(CallTrace.of([Call(0, 100, 20)]), assumed_max_tokens=0) == [100]


def test_max_tokens_of_nothing_is_said_and_counts_nothing() -> None:
    trace = CallTrace.of([Call(0, 100, 20, max_tokens=0), Call(1, 100, 20)])
    assert estimated_tokens(trace) == [100, 120]
    assert simulate_standard(trace, tpm=1).without_max_tokens == 1
    assert simulate_standard(at(0, 1), tpm=1).without_max_tokens == 2


def test_columns_of_numpy_count_the_same() -> None:
    numpy = pytest.importorskip("numpy")
    columns = {"uncached": [2**62, 5], "cached": [2**62, 6], "written": [2**62, 7], "output": [1, 2]}
    wide = CallTrace(numpy.array([0, SECOND]), **{name: numpy.array(each, "int64") for name, each in columns.items()})
    assert estimated_tokens(wide) == [3 * 2**62 + 1, 20]  # more than 64 bits hold
    assert simulate_standard(wide, tpm=3 * 2**62 + 21).refused == 0
    assert simulate_standard(wide, tpm=3 * 2**62 + 20).refused == 1


# Tokens per minute


def test_a_call_that_fills_the_limit_exactly_passes_and_one_token_more_does_not() -> None:
    assert verdicts(taking(600, 400), tpm=1000) == [0, 0]
    assert verdicts(taking(600, 401), tpm=1000) == [0, 1]
    assert verdicts(taking(600, 401), tpm=1001) == [0, 0]


def test_a_refused_call_counts_too_so_that_the_minute_is_over() -> None:
    assert verdicts(taking(600, 500, 1, 0), tpm=1000) == [0, 1, 1, 1]


def test_one_call_over_the_limit_is_refused_alone() -> None:
    assert verdicts(taking(1001), tpm=1000) == [1]
    assert verdicts(taking(1000), tpm=1000) == [0]


def test_the_count_is_reset_with_the_clock_minute() -> None:
    trace = at(59, "59.999999", 60, tokens=600)
    assert verdicts(trace, tpm=1000) == [0, 1, 0]


def test_minutes_may_begin_with_the_first_call_instead() -> None:
    trace = at(30, 61, 89, 91, tokens=600)  # by the clock: one, then three; from the first call: three, then one
    assert verdicts(trace, tpm=1200) == [0, 0, 0, 1]
    assert verdicts(trace, tpm=1200, window_start="first-call") == [0, 0, 1, 0]


def test_where_the_first_call_comes_on_the_minute_both_are_the_same() -> None:
    trace = at(120, 150, 179, 180, 181, tokens=600)
    for limits in ({"tpm": 1200}, {"rpm": 60}, {"tpm": 600, "rpm": 20}):
        assert verdicts(trace, **limits) == verdicts(trace, window_start="first-call", **limits)


def test_times_before_1970_fall_into_clock_minutes_too() -> None:
    trace = CallTrace.of([Call(-1, 600, 0), Call(0, 600, 0)])
    assert verdicts(trace, tpm=1000, rpm=60) == [0, 0]


# Calls per window


def test_600_rpm_over_1_second_refuses_the_11th_call_of_a_second() -> None:
    ten = [F(index, 11) for index in range(10)]
    assert verdicts(at(*map(float, ten)), rpm=600) == [0] * 10
    eleven = simulate_standard(at(*[index * 0.09 for index in range(11)]), rpm=600)
    assert list(eleven.verdicts) == [0] * 10 + [2]
    assert eleven.peak_calls_per_window == 11
    assert eleven.window is not None and (eleven.window.calls, eleven.window.seconds) == (10, 1)


def test_the_next_second_starts_anew() -> None:
    assert verdicts(at(0, *["0.5"] * 10, "0.999999", 1), rpm=600) == [0] * 10 + [2, 2, 0]


def test_the_same_calls_pass_where_10_seconds_are_looked_at_together() -> None:
    trace = at(*[0] * 11)
    assert verdicts(trace, rpm=600, window_seconds=10) == [0] * 11
    assert verdicts(at(*[3] * 101), rpm=600, window_seconds=10) == [0] * 100 + [2]


def test_20_rpm_over_10_seconds_takes_the_3_whole_calls() -> None:
    assert verdicts(at(0, 1, 2, 3, 10), rpm=20, window_seconds=10) == [0, 0, 0, 2, 0]


def test_20_rpm_over_1_second_takes_one_call_in_each_3_seconds() -> None:
    assert verdicts(at(0, 3, 6, 9), rpm=20) == [0, 0, 0, 0]
    assert verdicts(at(0, "2.999999", 3, 4), rpm=20) == [0, 2, 0, 2]


@pytest.mark.parametrize(
    ("rpm", "seconds", "calls", "length"),
    [
        (59, 1, 1, F(60, 59)),
        (60, 1, 1, 1),
        (119, 1, 1, 1),
        (120, 1, 2, 1),
        (5, 10, 1, 12),
        (6, 10, 1, 10),
        (7, 10, 1, 10),
        (F(1, 6), 1, 1, 360),
        (F(121, 2), 1, 1, 1),
    ],
)
def test_a_window_takes_whole_calls_and_lasts_long_enough_for_one(
    rpm: Any, seconds: int, calls: int, length: Any
) -> None:
    window = RpmWindow.of(rpm, seconds)
    assert (window.calls, window.seconds) == (calls, length)


@pytest.mark.parametrize(
    ("rpm", "seconds", "most"),
    [
        (59, 1, 59),
        (60, 1, 60),
        (61, 1, 60),
        (90, 1, 60),
        (119, 1, 60),
        (120, 1, 120),
        (119, 10, 114),
        (6, 10, 6),
        (5, 10, 5),
    ],
)
def test_rpm_that_are_no_whole_calls_a_window_let_fewer_pass_and_say_how_many(
    rpm: int, seconds: int, most: int
) -> None:
    assert RpmWindow.of(rpm, seconds).calls_per_minute == most
    many = at(*[F(n, 20) for n in range(60 * 20)])  # 20 a second, for a minute
    assert simulate_standard(many, rpm=rpm, window_seconds=seconds).accepted == most


def test_windows_that_are_no_whole_microseconds_do_not_drift() -> None:
    # 7 RPM: windows of 60 / 7 s; the 7 millionth begins at 60,000,000 s exactly
    edge = 60_000_000 * SECOND
    trace = CallTrace.of([Call(edge - 1, 1, 0), Call(edge, 1, 0), Call(edge + 8_571_428, 1, 0)])
    assert verdicts(trace, rpm=7) == [0, 0, 2]  # 60 / 7 = 8.5714285...
    trace = CallTrace.of([Call(edge, 1, 0), Call(edge + 8_571_429, 1, 0)])
    assert verdicts(trace, rpm=7) == [0, 0]


# Both, and the sums


def test_a_call_refused_for_one_limit_counts_against_the_other() -> None:
    # the second is over RPM and still counts its 600 tokens, so that the third is over TPM
    trace = CallTrace.of([Call(0, 300, 0), Call(1, 600, 0), Call(SECOND, 200, 0)])
    found = simulate_standard(trace, tpm=1000, rpm=60)
    assert list(found.verdicts) == [0, 2, 1]
    assert (found.refused_by_tpm, found.refused_by_rpm, found.refused_by_both, found.refused) == (1, 1, 0, 2)


def test_a_call_over_both_limits_is_refused_once() -> None:
    found = simulate_standard(CallTrace.of([Call(0, 900, 0), Call(1, 900, 0)]), tpm=1000, rpm=60)
    assert list(found.verdicts) == [0, 3]
    assert (found.refused_by_tpm, found.refused_by_rpm, found.refused_by_both) == (1, 1, 1)
    assert (found.refused, found.accepted, found.refused_share) == (1, 1, F(1, 2))


def test_the_sums_of_a_run() -> None:
    trace = CallTrace.of(
        [
            Call(0, 500, 0),
            Call(SECOND, 700, 0),  # over TPM
            Call(2 * MINUTE, 400, 0),
            Call(2 * MINUTE + 5, 1, 0),  # over RPM
            Call(4 * MINUTE, 1, 0),
        ]
    )
    found = simulate_standard(trace, tpm=1000, rpm=60)
    assert (found.requests, found.accepted, found.refused) == (5, 3, 2)
    assert (found.minutes, found.refused_minutes) == (5, 2)
    assert (found.peak_estimated_tpm, found.peak_calls_per_window) == (1200, 2)


def test_a_limit_that_is_not_given_is_not_checked() -> None:
    trace = at(*[0] * 50, tokens=100)
    assert simulate_standard(trace, tpm=5000).refused == 0
    only_tokens = simulate_standard(trace, tpm=4999)
    assert (only_tokens.refused, only_tokens.window, only_tokens.peak_calls_per_window) == (1, None, None)
    only_calls = simulate_standard(trace, rpm=3000)
    assert (only_calls.refused, only_calls.tpm, only_calls.peak_estimated_tpm) == (0, None, 5000)


def test_a_trace_without_calls_refuses_nothing() -> None:
    empty = array("q")
    found = simulate_standard(CallTrace(empty, empty, empty, empty, empty), tpm=1, rpm=1, window_start="first-call")
    assert (found.requests, found.refused, found.refused_share, found.minutes) == (0, 0, 0, 0)
    assert (found.peak_estimated_tpm, found.peak_calls_per_window, found.refused_minutes) == (0, 0, 0)


def test_everything_wrong_with_the_limits_is_said_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        simulate_standard(at(0), tpm=0, rpm=-1, window_seconds=5, best_of=0, assumed_max_tokens=-1)
    assert str(caught.value).splitlines() == [
        "standard_tpm: expected a whole number, 1 or more, got 0",
        "standard_rpm: expected a number over 0, got -1",
        "rpm_window: expected 1 or 10 seconds, over which Azure checks RPM, got 5",
        "best_of: expected a whole number, 1 or more, got 0",
        "assumed_max_tokens: expected a whole number, 0 or more, got -1",
    ]
    with pytest.raises(BadInput, match="a limit of tokens or of requests per minute"):
        simulate_standard(at(0))


# Properties

CALLS = st.lists(
    st.builds(
        Call,
        arrival_us=st.integers(-200, 1500).map(lambda each: each * 100_000) | st.integers(-(10**8), 2 * 10**8),
        uncached=st.integers(0, 50),
        output=st.integers(0, 50),
        cached=st.integers(0, 9),
        written=st.integers(0, 9),
        max_tokens=st.none() | st.integers(0, 60),
        duration_us=st.none(),
    ),
    min_size=1,
    max_size=40,
)
RPM = st.integers(1, 400) | st.fractions(F(1, 3), 200, max_denominator=12)
LIMITS = st.fixed_dictionaries(
    {
        "tpm": st.integers(1, 600),
        "rpm": RPM,
        "window_seconds": st.sampled_from([1, 10]),
        "best_of": st.integers(1, 3),
        "assumed_max_tokens": st.none() | st.integers(0, 90),
        "window_start": st.sampled_from(["clock", "first-call"]),
    }
)


@given(calls=CALLS, limits=LIMITS)
def test_a_second_implementation_decides_the_same(calls: list[Call], limits: dict[str, Any]) -> None:
    trace = CallTrace.of(calls)
    found = simulate_standard(trace, **limits)
    plain = arrivals(trace, limits["best_of"], limits["assumed_max_tokens"])
    since = plain[0].seconds if limits["window_start"] == "first-call" else F(0)
    deployment = Deployment(limits["tpm"], limits["rpm"], limits["window_seconds"], since)
    expected = answers(plain, [deployment])
    assert list(found.verdicts) == [by_tpm + 2 * by_rpm for by_tpm, by_rpm in expected]
    assert found.refused_by_tpm == sum(by_tpm for by_tpm, _ in expected)
    assert found.refused_by_rpm == sum(by_rpm for _, by_rpm in expected)
    assert found.refused == sum(map(any, expected))
    assert found.accepted + found.refused == found.requests == len(calls)
    assert found.peak_estimated_tpm == max(deployment.tokens.values())
    assert found.peak_calls_per_window == max(deployment.calls.values())
    minutes = [(call.seconds - since) // 60 for call in plain]
    assert found.refused_minutes == len({m for m, by in zip(minutes, expected, strict=True) if any(by)})
    assert found.minutes == minutes[-1] - minutes[0] + 1


@given(calls=CALLS, limits=LIMITS, more=st.integers(0, 300))
def test_more_tokens_per_minute_never_refuse_more(calls: list[Call], limits: dict[str, Any], more: int) -> None:
    trace = CallTrace.of(calls)
    assert (
        simulate_standard(trace, **{**limits, "tpm": limits["tpm"] + more}).refused
        <= simulate_standard(trace, **limits).refused
    )


def test_a_million_calls_are_judged_in_seconds() -> None:
    size = 1_000_000
    plain = array("q", range(0, size * 7000, 7000))
    ones = array("q", [1]) * size
    trace = CallTrace(plain, ones, ones, ones, ones, max_tokens=ones)
    before = time.process_time()
    found = simulate_standard(trace, tpm=30_000, rpm=8000)
    assert time.process_time() - before < 10  # about 1 s; a limit that only a change of order breaks
    # a minute has 8,571 or 8,572 calls of 4 tokens: 7,500 fit; a second 142 or 143: 133 fit
    assert found.peak_estimated_tpm == 8572 * 4 and found.peak_calls_per_window == 143


@pytest.mark.parametrize(("tpm", "rpm"), [(1, 1), (999, 1), (1000, 1), (1999, 1), (2000, 2), (60_500, 60)])
def test_calls_that_come_with_tokens_are_whole_ones_and_at_least_one(tpm, rpm):
    assert CapacityUnit(rpm=1, tpm=1000).rpm_with(tpm) == rpm
    assert CapacityUnit(rpm=6, tpm=1000).rpm_with(tpm) == max(1, 6 * tpm // 1000)
