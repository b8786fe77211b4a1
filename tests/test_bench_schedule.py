"""When a benchmark's calls start, worked out by hand."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.bench_schedule import SHAPES, CallSize, Closed, Planned, Ramp, Timed, arrivals_in
from ptucalc.call_trace import Call, CallTrace

SECOND = 1_000_000
SIZE = CallSize(100, 0, 20)


def test_the_shapes_are_those_of_the_old_benchmark() -> None:
    assert SHAPES == {"balanced": (500, 0, 500), "context": (2000, 0, 200), "generation": (500, 0, 1000)}


@pytest.mark.parametrize(
    ("rate", "length", "calls"),
    [(60, SECOND, 1), (60, SECOND + 1, 2), (61, SECOND, 2), (1, 1, 1), (120, 60 * SECOND, 120)],
)
def test_calls_start_before_the_end_of_a_time(rate: int, length: int, calls: int) -> None:
    assert arrivals_in(Fraction(rate), length) == calls


def test_a_ramp_spaces_calls_evenly_within_each_step() -> None:
    ramp = Ramp(size=SIZE, from_rpm=Fraction(60), to_rpm=Fraction(180), by_rpm=Fraction(60), step_us=2 * SECOND)
    assert ramp.rates == (60, 120, 180)
    assert ramp.duration_us == 6 * SECOND
    starts = [(call.step, call.at_us) for call in ramp.planned()]
    first = [(0, 0), (0, SECOND)]
    second = [(1, 2 * SECOND + half * SECOND // 2) for half in range(4)]
    third = [(2, 4 * SECOND + third * SECOND // 3) for third in range(6)]
    assert starts == first + second + third
    assert [call.number for call in ramp.planned()] == list(range(12))


def test_the_steps_of_a_ramp_that_lie_in_a_time() -> None:
    ramp = Ramp(size=SIZE, from_rpm=Fraction(1), to_rpm=Fraction(3), by_rpm=Fraction(1), step_us=10)
    assert list(ramp.stretches(0, 30)) == [(1, 0, 10), (2, 10, 20), (3, 20, 30)]
    assert list(ramp.stretches(10, 25)) == [(2, 10, 20), (3, 20, 25)]
    assert list(ramp.stretches(5, 20)) == [(1, 5, 10), (2, 10, 20)]


def test_a_ramp_ends_with_the_last_rate_that_is_not_over_its_end() -> None:
    ramp = Ramp(size=SIZE, from_rpm=Fraction(10), to_rpm=Fraction(25), by_rpm=Fraction(10), step_us=SECOND)
    assert ramp.rates == (10, 20)


@given(rate=st.fractions(min_value=1, max_value=10_000), step=st.integers(1, 10**8))
def test_no_call_of_a_step_starts_in_the_next_one(rate: Fraction, step: int) -> None:
    ramp = Ramp(size=SIZE, from_rpm=rate, to_rpm=rate, by_rpm=Fraction(1), step_us=step)
    starts = [call.at_us for call in islice(ramp.planned(), 20_000)]
    assert all(0 <= at < step for at in starts if at is not None)
    assert len(starts) == min(20_000, arrivals_in(rate, step))


@pytest.mark.parametrize(
    "wrong", [{"from_rpm": Fraction(0)}, {"to_rpm": Fraction(1)}, {"by_rpm": Fraction(0)}, {"step_us": 0}]
)
def test_a_ramp_that_does_not_rise_is_a_mistake(wrong: dict) -> None:
    right = {"size": SIZE, "from_rpm": Fraction(2), "to_rpm": Fraction(4), "by_rpm": Fraction(1), "step_us": 1}
    with pytest.raises(ValueError, match="a ramp rises"):
        Ramp(**{**right, **wrong})


def trace() -> CallTrace:
    return CallTrace.of([Call(5 * SECOND, 80, 20, cached=15, written=5), Call(9 * SECOND, 7, 0)])


def test_a_log_is_played_from_its_first_call_on_at_its_own_pace() -> None:
    calls = list(Timed(calls=trace(), duration_us=60 * SECOND).planned())
    # Cached and written tokens are part of the prompt; a call that wrote nothing may write one token.
    assert calls == [Planned(0, 0, CallSize(100, 15, 20)), Planned(1, 4 * SECOND, CallSize(7, 0, 1))]


def test_a_log_at_four_times_its_speed_takes_a_quarter_of_the_time() -> None:
    calls = Timed(calls=trace(), duration_us=60 * SECOND, speed=Fraction(4)).planned()
    assert [call.at_us for call in calls] == [0, SECOND]


def test_made_up_calls_keep_their_times_and_those_after_the_end_are_left_out() -> None:
    load = Timed(calls=trace(), duration_us=9 * SECOND, from_zero=True)
    assert [call.at_us for call in load.planned()] == [5 * SECOND]
    load = Timed(calls=trace(), duration_us=9 * SECOND + 1, from_zero=True)
    assert [call.at_us for call in load.planned()] == [5 * SECOND, 9 * SECOND]


def test_callers_that_wait_for_answers_have_no_times() -> None:
    load = Closed(size=SIZE, concurrency=3, duration_us=SECOND)
    assert list(islice(load.planned(), 3)) == [Planned(n, None, SIZE) for n in range(3)]
