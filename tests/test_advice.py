"""What changes of the calls would save. One PTU of the model drains 1 weighted token per second; an output token weighs 3.

With 1,000 input tokens a call is 1 s of 1,000 PTU.
"""

from fractions import Fraction

import pytest

from ptucalc.advice import advice, evenly_within, more_cached, smallest_size, with_lower_max_tokens
from ptucalc.call_trace import Call, CallTrace
from ptucalc.catalog import Unknown
from ptucalc.rounding import Grid
from ptucalc.simulation import simulate

from .invented import GLOBAL, a_model

SECOND = 1_000_000
MINUTE = 60 * SECOND
MODEL = a_model(tpm_per_ptu=60, grids={GLOBAL: Grid(1, 1)})


def asked(trace, ptu, *, assumed_max_tokens=None, **given):
    """The advice on a trace at so many PTU, with a bucket of a second, and the simulation it is about."""

    def once(trace, assumed):
        return simulate(
            trace, MODEL, ptu=ptu, assumed_max_tokens=assumed, window=1, sweep=True, largest_ptu=20_000, **given
        )

    result = once(trace, assumed_max_tokens)
    return advice(trace, result, ptu, once), result


def by_code(found):
    return {change.code: change for change in found.changes}


def test_more_cached_moves_whole_tokens_as_far_as_there_are_uncached_ones():
    trace = CallTrace.of(
        [Call(0, 100, 1), Call(1, 15, 1, cached=4), Call(2, 3, 1, cached=90, written=7), Call(3, 0, 1)]
    )
    changed = more_cached(trace, Fraction(1, 10))
    assert list(changed.uncached) == [90, 14, 0, 0]
    assert list(changed.cached) == [10, 5, 93, 0]
    assert list(changed.written) == [0, 0, 7, 0]


def test_calls_spread_over_their_minute_keep_their_order_and_their_minute():
    trace = CallTrace.of([Call(1, 1, 1), Call(2, 2, 1), Call(MINUTE - 1, 3, 1), Call(3 * MINUTE + 5, 4, 1)])
    changed = evenly_within(trace, 1)
    assert list(changed.arrival_us) == [10 * SECOND, 30 * SECOND, 50 * SECOND, 3 * MINUTE + 30 * SECOND]
    assert list(changed.uncached) == [1, 2, 3, 4]


def test_the_first_and_the_last_hour_are_as_long_as_the_trace_in_them():
    start = 59 * MINUTE  # one minute of the first hour, two of the second
    trace = CallTrace.of([Call(start + 1, 1, 1), Call(61 * MINUTE, 2, 1), Call(61 * MINUTE, 3, 1)])
    changed = evenly_within(trace, 60)
    assert list(changed.arrival_us) == [start + 30 * SECOND, 60 * MINUTE + 30 * SECOND, 61 * MINUTE + 30 * SECOND]


def test_a_lower_max_tokens_cuts_no_output_off():
    trace = CallTrace.of([Call(0, 1, 10, max_tokens=500), Call(1, 1, 90, max_tokens=500), Call(2, 1, 5, max_tokens=20)])
    assert list(with_lower_max_tokens(trace, 50).max_tokens) == [50, 500, 20]
    assert list(with_lower_max_tokens(trace, 90).max_tokens) == [90, 90, 20]


def test_calls_without_max_tokens_stay_without_unless_one_was_assumed():
    trace = CallTrace.of([Call(0, 1, 10), Call(1, 1, 90)])
    assert list(with_lower_max_tokens(trace, 50).max_tokens) == [-1, -1]
    assert list(with_lower_max_tokens(trace, 50, 400).max_tokens) == [-1, 400]


def test_lowering_max_tokens_is_tried_at_the_p99_of_the_outputs():
    # each reserves 1,000 + 3 x 1,000; at 4,000 PTU the second finds 4,000 less what drains in 1 us. Lowered: 1,030
    calls = [Call(place, 1000, 10, max_tokens=1000) for place in range(4)]
    found, _ = asked(CallTrace.of(calls), 4000)
    change = by_code(found)["max_tokens"]
    assert (change.value, change.ptu) == (10, 4000)
    assert (change.throttled_share_before, change.throttled_share_after) == (Fraction(1, 2), 0)
    # the fourth finds what three reserve, less what drains in 3 us: below 12,000, and below 3,090
    assert (change.smallest_ptu_before, change.smallest_ptu_after, change.saved_ptu) == (12_000, 3090, 8910)


def test_the_smallest_sizes_are_those_of_the_runs_before_and_after():
    calls = [Call(0, 1000, 0, max_tokens=0), Call(1, 1000, 0), Call(2, 1000, 0)]
    found, result = asked(CallTrace.of(calls), 1500)
    cached = by_code(found)["cache_ratio"]
    # the third call gets in where 2,000 (or 1,800) less 2 us of drain is below one second of it
    assert (smallest_size(result), cached.smallest_ptu_before, cached.smallest_ptu_after) == (2000, 2000, 1800)
    assert cached.saved_ptu == 200 and cached.value == Fraction(1, 10)
    assert (cached.throttled_share_before, cached.throttled_share_after) == (Fraction(1, 3), Fraction(1, 3))


def test_spreading_is_tried_over_a_minute_and_an_hour_where_the_trace_is_longer():
    one = CallTrace.of([Call(0, 1000, 0), Call(1, 1000, 0), Call(2, 1000, 0)])
    found, _ = asked(one, 1500)
    assert [change.code for change in found.changes] == ["cache_ratio", "smooth_minute"]
    assert by_code(found)["smooth_minute"].throttled_share_after == 0
    two = CallTrace.of([Call(0, 1000, 0), Call(1, 1000, 0), Call(2, 1000, 0), Call(MINUTE, 1000, 0)])
    found, _ = asked(two, 1500)
    assert [(c.code, c.value) for c in found.changes][1:] == [("smooth_minute", 1), ("smooth_hour", 60)]


def test_with_a_target_the_sizes_are_those_that_keep_to_it():
    calls = [Call(place, 1000, 0) for place in range(4)]
    found, result = asked(CallTrace.of(calls), 1500, target_429="25%")
    assert smallest_size(result) == result.target.smallest_ptu == 2000
    assert by_code(found)["cache_ratio"].smallest_ptu_after == 1800


@pytest.mark.parametrize(
    ("calls", "assumed", "why"),
    [
        ([Call(0, 1, 5)], None, "no call says a max_tokens"),
        ([Call(0, 1, 5, max_tokens=5)], None, "max_tokens is 5 at most, and the p99 of the outputs 5"),
        ([Call(0, 1, 5)], 5, "max_tokens is 5 at most"),
        ([Call(0, 1, 5, max_tokens=4)], 900, "max_tokens is 4 at most"),  # nothing is assumed where all say one
    ],
)
def test_max_tokens_that_cannot_be_lowered_are_not_tried(calls, assumed, why):
    found, _ = asked(CallTrace.of(calls), 10, assumed_max_tokens=assumed)
    assert "max_tokens" not in by_code(found)
    assert [code for code, _ in found.not_tried] == ["max_tokens"]
    assert found.not_tried[0][1].startswith(why)


def test_an_assumed_max_tokens_can_be_lowered_too():
    found, _ = asked(CallTrace.of([Call(place, 0, 10) for place in range(3)]), 300, assumed_max_tokens=1000)
    change = by_code(found)["max_tokens"]
    assert (change.value, change.throttled_share_before, change.throttled_share_after) == (10, Fraction(2, 3), 0)


def test_a_prompt_that_is_all_cached_cannot_be_cached_more():
    found, _ = asked(CallTrace.of([Call(0, 0, 5, cached=10)]), 10)
    assert [code for code, _ in found.not_tried] == ["max_tokens", "cache_ratio"]


def test_arrays_of_numpy_change_alike():
    numpy = pytest.importorskip("numpy")
    plain = CallTrace.of([Call(0, 100, 1, max_tokens=9), Call(5, 15, 8, cached=4)])
    names = ("arrival_us", "uncached", "cached", "written", "output", "max_tokens")
    arrays = CallTrace(**{name: numpy.array(getattr(plain, name), dtype="int64") for name in names})
    for change in (lambda t: more_cached(t, Fraction(1, 10)), lambda t: evenly_within(t, 1)):
        one, two = change(plain), change(arrays)
        assert all(list(getattr(one, name)) == list(getattr(two, name)) for name in names)
    assert list(with_lower_max_tokens(arrays, 3).max_tokens) == [3, -1]


def test_a_size_that_is_not_known_saves_nothing():
    huge = CallTrace.of([Call(0, 1000, 0), Call(0, 1000, 0)])
    result = simulate(huge, MODEL, ptu=10, window=1, sweep=True, largest_ptu=50)
    assert isinstance(smallest_size(result), Unknown)
    found = advice(
        huge, result, 10, lambda trace, _: simulate(trace, MODEL, ptu=10, window=1, sweep=True, largest_ptu=50)
    )
    assert found.changes[0].saved_ptu is None
