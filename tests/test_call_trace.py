"""Calls in order of arrival, column by column."""

from array import array

import pytest

from ptucalc.call_trace import Call, CallTrace, holds_any

MINUTE = 60_000_000


def columns(trace):
    names = ("arrival_us", "uncached", "cached", "written", "output", "max_tokens", "duration_us")
    return {name: None if getattr(trace, name) is None else list(getattr(trace, name)) for name in names}


def test_calls_are_put_in_order_and_those_that_arrive_together_keep_theirs():
    trace = CallTrace.of([Call(5, 1, 10), Call(3, 2, 20), Call(5, 3, 30), Call(3, 4, 40)])
    assert list(trace.arrival_us) == [3, 3, 5, 5]
    assert list(trace.uncached) == [2, 4, 1, 3]
    assert len(trace) == 4


def test_every_value_stays_with_its_call():
    late, early = Call(9, 1, 2, cached=3, written=4, max_tokens=5, duration_us=6), Call(8, 10, 20)
    assert columns(CallTrace.of([late, early])) == {
        "arrival_us": [8, 9],
        "uncached": [10, 1],
        "cached": [0, 3],
        "written": [0, 4],
        "output": [20, 2],
        "max_tokens": [-1, 5],
        "duration_us": [-1, 6],
    }


def test_a_column_that_no_call_has_is_none():
    trace = CallTrace.of([Call(0, 1, 1)])
    assert trace.max_tokens is None and trace.duration_us is None


def test_columns_in_any_order_are_sorted_stably():
    trace = CallTrace.sorted_columns(
        array("q", [7, 2, 7, 2]),
        uncached=[1, 2, 3, 4],
        cached=[0] * 4,
        written=[0] * 4,
        output=[0] * 4,
        max_tokens=None,
    )
    assert list(trace.uncached) == [2, 4, 1, 3]


def test_arrays_of_numpy_are_sorted_stably_too_and_stay_arrays():
    numpy = pytest.importorskip("numpy")
    zeros = numpy.zeros(4, dtype="int64")
    trace = CallTrace.sorted_columns(
        numpy.array([7, 2, 7, 2]), uncached=numpy.array([1, 2, 3, 4]), cached=zeros, written=zeros, output=zeros
    )
    assert trace.uncached.tolist() == [2, 4, 1, 3]
    assert trace.taken(numpy.array([1, 2])).uncached.tolist() == [4, 1]
    assert trace.between(2, 7).uncached.tolist() == [2, 4]
    with pytest.raises(ValueError, match="in order of arrival"):
        CallTrace(numpy.array([2, 1, 3, 4]), zeros, zeros, zeros, zeros)
    with pytest.raises(ValueError, match="cached is 0 or more, not -1"):
        CallTrace(zeros, zeros, zeros - 1, zeros, zeros)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"uncached": [-1, 0]}, "uncached is 0 or more, not -1"),
        ({"output": [0, -5]}, "output is 0 or more, not -5"),
        ({"max_tokens": [-2, 0]}, "max_tokens is -1 or more, not -2"),
        ({"duration_us": [0, -3]}, "duration_us is -1 or more, not -3"),
        ({"cached": [0]}, "cached has 1 values, arrival_us 2"),
        ({"arrival_us": [2, 1]}, "calls are in order of arrival"),
    ],
)
def test_columns_that_cannot_be_are_refused(changed, message):
    given = {"arrival_us": [1, 2], "uncached": [0, 0], "cached": [0, 0], "written": [0, 0], "output": [0, 0]}
    with pytest.raises(ValueError, match=message):
        CallTrace(**{name: array("q", values) for name, values in {**given, **changed}.items()})


@pytest.mark.parametrize("name", ["max_tokens", "duration_us"])
def test_a_call_cannot_say_less_than_nothing(name):
    with pytest.raises(ValueError, match=f"{name} is 0 or more, or None"):
        CallTrace.of([Call(0, 1, 1, **{name: -1})])


def test_a_time_before_the_clock_began_is_a_time():
    assert CallTrace.of([Call(-1, 1, 1)]).first_minute == -1


def test_a_stretch_of_time_holds_its_start_and_not_its_end():
    trace = CallTrace.of([Call(at, at, 0) for at in (1, 2, 2, 3, 4)])
    assert list(trace.between(2, 4).uncached) == [2, 2, 3]


def test_minutes_are_the_clocks_and_idle_ones_count():
    trace = CallTrace.of([Call(MINUTE - 1, 1, 1), Call(3 * MINUTE, 1, 1)])
    assert (trace.first_minute, trace.minutes) == (0, 4)
    assert CallTrace.of([Call(MINUTE, 1, 1), Call(2 * MINUTE - 1, 1, 1)]).minutes == 1
    assert CallTrace.of([]).minutes == 0


def test_calls_that_wait_arrive_later_and_in_their_new_order():
    trace = CallTrace.of([Call(0, 1, 0, max_tokens=7), Call(10, 2, 0), Call(20, 3, 0)], relative_clock=True)
    later = trace.later([25, 0, 5])
    assert (list(later.arrival_us), list(later.uncached), list(later.max_tokens)) == (
        [10, 25, 25],
        [2, 1, 3],
        [-1, 7, -1],
    )
    assert later.relative_clock


def test_whether_a_column_holds_anything():
    assert not holds_any(array("q", [0, 0])) and holds_any(array("q", [0, 1]))
    numpy = pytest.importorskip("numpy")
    assert not holds_any(numpy.zeros(2)) and holds_any(numpy.ones(2))
