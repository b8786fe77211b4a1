"""The leaky bucket, rule by rule by hand, and on random traces against a second simulation that shares nothing with it."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptucalc.bucket_engine import PlainEngine
from ptucalc.bucket_kernel import _pop, _push
from ptucalc.bucket_load import weighing_of
from ptucalc.call_trace import Call, CallTrace
from ptucalc.simulating import Bucket, Buckets

from .bucket_oracle import OracleCall, replayed
from .engines import KINDS, of_kind
from .invented import a_model, weights

SECOND = 1_000_000
MINUTE = 60 * SECOND
PER_SECOND = a_model(tpm_per_ptu=60)
"""One PTU drains 1 token per second, so that a bucket of PTU and seconds holds their product."""


def at(seconds, tokens, output=0, **more):
    """A call so many seconds after the clock began; it takes no time unless told otherwise."""
    arrival = Fraction(str(seconds)) * SECOND
    assert arrival.denominator == 1
    lasts = Fraction(str(more.pop("lasts", 0))) * SECOND
    return Call(int(arrival), tokens, output, duration_us=int(lasts), **more)


def buckets(calls, model=PER_SECOND, engine=None, **rules):
    trace = CallTrace.of(calls, relative_clock=True)
    rule, scale = weighing_of(model, trace, **rules)
    return Buckets(trace, rule, scale, model.tpm_per_ptu, engine or PlainEngine())


def replay(calls, *, drain, seconds=1, retries=0, **more):
    """On a bucket that drains so many tokens a second and holds so many seconds of it."""
    return buckets(calls, **more).replay(Bucket(drain, int(Fraction(str(seconds)) * SECOND)), retries, keep=True)


def refused(calls, **more):
    """The places of the calls that are not served."""
    return [place for place, outcome in enumerate(replay(calls, **more).replay.outcome) if outcome]


# Admission


def test_a_bucket_that_is_exactly_full_refuses():
    assert refused([at(0, 1000), at(0, 1)], drain=1000) == [1]
    assert refused([at(0, 999), at(0, 1)], drain=1000) == []


def test_a_microsecond_later_it_is_not_full_any_more():
    assert refused([at(0, 1000), at("0.000001", 1)], drain=1000) == []


def test_a_call_larger_than_the_bucket_is_served_and_blocks_the_others_until_it_has_drained():
    # 5,000 tokens drain at 1,000 a second: after 4 s the bucket is exactly full
    calls = [at(0, 5000), at("3.999999", 1), at(4, 1), at("4.000001", 1)]
    assert refused(calls, drain=1000) == [1, 2]


def test_a_refused_call_adds_nothing():
    assert refused([at(0, 1500), at(0, 9000), at("0.500001", 1)], drain=1000) == [1]


def test_a_call_without_tokens_is_served_unless_the_bucket_is_full():
    assert refused([at(0, 0), at(0, 1000), at(0, 0), at("0.5", 0)], drain=1000) == [2]


def test_calls_at_the_same_time_are_taken_in_the_order_of_the_input():
    assert refused([at(0, 1000), at(0, 1), at(0, 999)], drain=1000) == [1, 2]
    assert refused([at(0, 1), at(0, 999), at(0, 1000)], drain=1000) == [2]


def test_an_idle_bucket_does_not_save_up():
    assert refused([at(0, 1), at(3600, 1000), at(3600, 1)], drain=1000) == [2]


def test_a_deeper_bucket_takes_a_longer_burst():
    calls = [at(0, 1000)] * 30
    assert len(refused(calls, drain=1000, seconds=10)) == 20
    assert len(refused(calls, drain=1000, seconds=30)) == 0
    assert len(refused(calls, drain=1000, seconds="0.5")) == 29


# Estimates and corrections; an output token weighs 3


def test_a_call_is_estimated_with_its_max_tokens_until_it_completes():
    calls = [at(0, 100, 100, max_tokens=300, lasts=10)]  # 100 + 900 = 1,000; in the end 400
    assert refused([*calls, at(0, 1)], drain=1000) == [1]
    assert refused([*calls, at("0.000001", 1)], drain=1000) == []


def test_without_max_tokens_the_estimate_is_the_actual_output():
    assert refused([at(0, 100, 300), at(0, 1)], drain=1000) == [1]
    assert refused([at(0, 100, 299), at(0, 1)], drain=1000) == []


def test_an_assumed_max_tokens_counts_where_a_call_says_none():
    none, own = at(0, 100, 1, lasts=9), at(0, 100, 1, max_tokens=1, lasts=9)
    assert refused([none, at(0, 0)], drain=1000, assumed_max_tokens=300) == [1]
    assert refused([none, at(0, 0)], drain=1000, assumed_max_tokens=299) == []
    assert refused([own, at(0, 0)], drain=1000, assumed_max_tokens=300) == []


def test_completion_gives_back_what_was_estimated_too_much():
    # 2,000 at once, 1,500 of them given back after a tenth of a second: 1,900 - 1,500 = 400
    first = at(0, 500, 0, max_tokens=500, lasts="0.1")
    assert refused([first, at("0.099999", 1), at("0.1", 599), at("0.1", 1), at("0.1", 1)], drain=1000) == [1, 4]
    assert refused([first, at("0.1", 600), at("0.1", 1)], drain=1000) == [2]


def test_completion_adds_what_was_estimated_too_little():
    first = at(0, 500, 200, max_tokens=0, lasts="0.1")  # 500; + 600 after 0.1 s: 400 + 600
    assert refused([first, at("0.099999", 0), at("0.1", 0)], drain=1000) == [2]


def test_the_level_never_falls_below_nothing():
    # 900 of 1,000 estimated are given back when only 500 are left; then 1,000 are room for 1,000 and no more
    first = at(0, 100, 0, max_tokens=300, lasts="0.5")
    assert refused([first, at("0.5", 1000), at("0.5", 1)], drain=1000) == [2]


def test_a_refused_call_does_not_complete():
    calls = [at(0, 2000), at(0, 0, 0, max_tokens=900, lasts="0.5"), at("0.5", 1)]
    assert refused(calls, drain=1000) == [1, 2]


def test_completions_come_before_arrivals_at_the_same_time():
    first = at(0, 0, 0, max_tokens=500, lasts=1)  # 1,500 at once, 500 after a second, then given back
    assert refused([first, at("0.4", 1), at(1, 1000), at(1, 1)], drain=1000) == [1, 3]


def test_a_call_that_takes_no_time_is_corrected_before_the_next_one_at_the_same_time():
    assert refused([at(0, 0, 0, max_tokens=5000), at(0, 1000), at(0, 1)], drain=1000) == [2]


def test_completions_may_come_in_another_order_than_the_calls():
    # 600 + 900 = 1,500; the second gives its 900 back at 0.1 s (600 - 100 left), the first its 600 at 0.9 s
    calls = [at(0, 0, 0, max_tokens=200, lasts="0.9"), at(0, 0, 0, max_tokens=300, lasts="0.1")]
    assert refused([*calls, at("0.05", 0), at("0.1", 500), at("0.1", 0)], drain=1000) == [2, 4]


def test_completions_at_the_same_time_are_in_the_order_of_their_calls():
    # at 1 s nothing is left: -600 stays 0, then +900 is 900; the other way round 300 would be left
    down, up = at(0, 0, 0, max_tokens=200, lasts=1), at(0, 0, 300, max_tokens=0, lasts=1)
    assert refused([down, up, at(1, 100), at(1, 1)], drain=1000) == [3]
    assert refused([up, down, at(1, 699), at(1, 1), at(1, 1)], drain=1000) == [4]


# Retries


def test_a_call_waits_as_long_as_the_429_says_and_not_longer():
    # 1,700.5 over 1,000: 700.5 ms, rounded up to 701
    done = replay([at(0, 1701), at("0.0005", 1)], drain=1000, retries=1)
    assert (done.replay.outcome, done.replay.tries_429, done.replay.wait_ms) == ([0, 0], [0, 1], [0, 701])


def test_a_bucket_that_is_exactly_full_asks_for_a_millisecond():
    assert replay([at(0, 1000), at(0, 1)], drain=1000, retries=1).replay.wait_ms == [0, 1]


def test_a_wait_of_whole_milliseconds_ends_with_the_bucket_exactly_full_and_one_more_millisecond():
    done = replay([at(0, 1500), at(0, 1)], drain=1000, retries=2)
    assert (done.replay.outcome, done.replay.tries_429, done.replay.wait_ms) == ([0, 0], [0, 2], [0, 501])
    assert replay([at(0, 1500), at(0, 1)], drain=1000, retries=1).replay.outcome == [0, 1]


def test_a_call_tries_so_often_again_and_then_is_refused():
    storm = [at(0, 10_000), at(0, 1), at("9.001", 5000)]
    # full until 9 s: the wait of 9,000 ms ends with a full bucket, that of 1 ms behind the third call, at 9.001 s
    done = replay(storm, drain=1000, retries=2)
    assert (done.replay.outcome, done.replay.tries_429) == ([0, 1, 0], [0, 3, 0])
    assert done.replay.wait_ms == [0, 9001, 0]
    # 5,999 are left: the next wait ends at 14.000 s with a full bucket again, and the one after it with room
    assert replay(storm, drain=1000, retries=3).replay.outcome == [0, 1, 0]
    assert replay(storm, drain=1000, retries=4).replay.outcome == [0, 0, 0]


def test_retries_come_after_new_arrivals_at_the_same_time():
    done = replay([at(0, 1001), at(0, 500), at("0.001", 1000), at("0.002", 9)], drain=1000, retries=1)
    # the second waits 1 ms: full by then; the third found 1,000 and waits 1 ms too
    assert done.replay.outcome == [0, 1, 1, 0]


def test_retries_at_the_same_time_are_in_the_order_of_their_calls():
    # 1,001.5 and 1,000.5 are over by 1.5 and 0.5: both are back at 2.5 ms, when 999.5 are left
    calls = [at(0, 1002), at("0.0005", 0), at("0.0015", 2000)]
    assert replay(calls, drain=1000, retries=1).replay.outcome == [0, 0, 0]
    calls = [at(0, 1002), at("0.0005", 2000), at("0.0015", 1)]
    done = replay(calls, drain=1000, retries=1).replay
    assert (done.outcome, done.wait_ms) == ([0, 0, 1], [0, 2, 1])


def test_a_storm_of_retries_ends():
    # all 50 are told 1 s, when the bucket is exactly full, and then 1 ms, when there is room for one of them
    done = replay([at(0, 2000), *[at(0, 1000)] * 50], drain=1000, retries=2)
    assert (done.served, done.throttled_429, done.responses_429) == (2, 50, 50 + 50 + 49)


def test_waiting_calls_are_counted_as_throttled_once():
    done = replay([at(0, 1500), at(0, 1)], drain=1000, retries=2)
    assert (done.throttled_429, done.responses_429, done.throttled_minutes) == (1, 2, 1)


def test_minutes_with_a_429_are_those_of_the_tries():
    # full until 119 s; refused at 59 s, 119 s is the retry: in the next minute
    done = replay([at(0, 120_000), at(59, 1)], drain=1000, retries=1)
    assert done.throttled_minutes == 2
    assert done.minute_429 == [1]


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=40))
def test_events_come_by_time_and_then_by_call(steps):
    times, calls, waiting = [0] * len(steps), [0] * len(steps), []
    numbers = list(range(len(steps)))[::-1]  # later events are of earlier calls
    for (time, take), call in zip(steps, numbers, strict=True):
        _push(times, calls, len(waiting), time, call)
        waiting.append((time, call))
        assert (times[0], calls[0]) == min(waiting)
        if take:
            waiting.remove(min(waiting))
            _pop(times, calls, len(waiting) + 1)
    while waiting:
        assert (times[0], calls[0]) == min(waiting)
        waiting.remove(min(waiting))
        _pop(times, calls, len(waiting) + 1)


# Waits and utilization


def test_waits_are_of_all_requests():
    done = replay([at(0, 1500), at(0, 1), *[at(5, 1)] * 98], drain=1000, retries=2)
    assert (done.wait_ms.mean, done.wait_ms.p99, done.wait_ms.max) == (Fraction(501, 100), 0, 501)
    done = replay([at(0, 1500), at(0, 1), *[at(5, 1)] * 97], drain=1000, retries=2)
    assert done.wait_ms.p99 == 501  # rank 99 of 99


def test_utilization_is_the_area_under_the_level():
    # 500 of 1,000 drain in half a second: a triangle of 1/2 x 1/2 s / 2, in a minute of 60 s
    done = replay([at(0, 500)], drain=1000)
    assert done.utilization == (Fraction(1, 480),) * 3


def test_utilization_of_a_minute_goes_on_in_the_next_one():
    # 90,000 drain in 90 s; the bucket holds 60,000: from 150 % to 50 % in the first minute, to 0 in 30 s of the second
    done = replay([at(0, 90_000), at(119, 0)], drain=1000, seconds=60)
    first, second = Fraction(1), Fraction(1, 2) * 30 / 2 / 60
    assert (done.utilization.max, done.utilization.mean) == (first, (first + second) / 2)
    assert [Fraction(level, done.level_scale) for level in done.levels] == [first, second]


def test_minutes_without_calls_count_as_idle():
    done = replay([at(0, 500), at(240, 0)], drain=1000)
    assert len(done.levels) == 5
    assert done.utilization == (Fraction(1, 480) / 5, Fraction(1, 480), Fraction(1, 480))


def test_the_p99_minute_is_the_nearest_rank():
    # 101 minutes, two of them busy: rank 100 of 101
    done = replay([at(0, 600), at(60, 500), at(6000, 0)], drain=1000)
    assert (done.utilization.p99, done.utilization.max) == (Fraction(1, 480), Fraction(36, 100) / 2 / 60)


def test_the_last_minute_is_whole():
    assert replay([at("59.9", 500)], drain=1000).utilization.mean == (Fraction(1, 2) + Fraction(4, 10)) / 2 / 10 / 60


def test_parts_of_a_microsecond_of_drain_are_left_out_of_utilization():
    # 1 token drains in 1/3 microsecond at 3 million a second
    assert replay([at(0, 1)], drain=3_000_000).utilization.max == 0


# Side by side


def test_buckets_side_by_side_are_what_they_are_alone():
    calls = [at(second / 10, 700, 100, max_tokens=250, lasts=second % 7 / 10) for second in range(300)]
    several = buckets(calls)
    found = several.count([Bucket(drain, SECOND) for drain in range(3000, 3140)])
    assert len(found) == 140
    for drain, counted in zip(range(3000, 3140), found, strict=True):
        alone = several.replay(Bucket(drain, SECOND), 0)
        assert (counted.served, counted.tokens_served, counted.throttled_minutes) == (
            alone.served,
            alone.tokens_served,
            alone.throttled_minutes,
        )


# Against the second simulation

WEIGHTS = {"cached_input": "1/10", "cache_write": "5/4", "output": "7/3"}
MODEL = a_model(tpm_per_ptu=700, weights=weights(**WEIGHTS))

times = st.one_of(
    st.integers(0, 20).map(lambda n: n * 500_000),
    st.integers(0, 10 * SECOND),
    st.integers(0, 60).map(lambda n: n * 5 * SECOND),
)
some_calls = st.builds(
    Call,
    arrival_us=times,
    uncached=st.integers(0, 300) | st.just(0) | st.integers(0, 5000),
    output=st.integers(0, 80),
    cached=st.integers(0, 200),
    written=st.integers(0, 100),
    max_tokens=st.none() | st.integers(0, 200),
    duration_us=st.none() | st.just(0) | times,
)
traces = st.lists(some_calls, min_size=1, max_size=40)


def oracle_calls(trace, assumed):
    """The calls weighed one by one, as the rule says."""
    share = {name: Fraction(value) for name, value in WEIGHTS.items()}
    most = trace.max_tokens if trace.max_tokens is not None else [-1] * len(trace)
    lasts = trace.duration_us if trace.duration_us is not None else [-1] * len(trace)
    rows = zip(trace.arrival_us, trace.uncached, trace.cached, trace.written, trace.output, most, lasts, strict=True)
    found = []
    for arrival, uncached, cached, written, output, max_tokens, duration in rows:
        prompt = uncached + cached * share["cached_input"] + written * share["cache_write"]
        expected = max_tokens if max_tokens >= 0 else output if assumed is None else assumed
        duration = duration if duration >= 0 else output * SECOND // MODEL.latency_target.tokens_per_second
        found.append(
            OracleCall(arrival, prompt + expected * share["output"], prompt + output * share["output"], duration)
        )
    return found


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None)
@given(
    calls=traces,
    ptu=st.integers(1, 40),
    window_us=st.sampled_from([SECOND, 10 * SECOND, 2_500_000, 60 * SECOND]),
    retries=st.integers(0, 3),
    assumed=st.none() | st.integers(1, 150),
)
def test_the_second_simulation_decides_the_same(kind, calls, ptu, window_us, retries, assumed):
    several = buckets(calls, MODEL, of_kind(kind), assumed_max_tokens=assumed)
    weighed = oracle_calls(CallTrace.of(calls), assumed)
    expected = replayed(weighed, ptu * 700, window_us, retries + 1)
    done = several.replay(Bucket(ptu, window_us), retries, keep=True)
    assert done.replay.outcome == [0 if served else 1 for served in expected.served]
    assert done.replay.tries_429 == expected.refusals
    assert done.replay.wait_ms == expected.wait_ms
    assert done.throttled_minutes == expected.throttled_minutes
    assert done.minute_429 == expected.minute_429
    capacity = Fraction(ptu * 700, MINUTE) * window_us
    for level, mean in zip(done.levels, expected.mean_level, strict=True):
        # parts of a microsecond of drain are left out, so ours is smaller by less than that
        assert 0 <= mean / capacity - Fraction(level, done.level_scale) < Fraction(1, window_us)
    if not retries:
        sizes = [ptu, ptu + 1, 3 * ptu, 40]
        for size, counted in zip(sizes, several.count([Bucket(size, window_us) for size in sizes]), strict=True):
            once = replayed(weighed, size * 700, window_us, 1)
            assert counted.served == sum(once.served)
            assert counted.throttled_minutes == once.throttled_minutes


@pytest.mark.parametrize("kind", ["compiled", "whole numbers"])
@settings(max_examples=100, deadline=None)
@given(calls=traces, ptu=st.integers(1, 10**6), retries=st.integers(0, 3))
def test_compiled_and_plain_are_the_same_bit_for_bit(kind, calls, ptu, retries):
    fast, plain = buckets(calls, MODEL, of_kind(kind)), buckets(calls, MODEL)
    some = [Bucket(size, window * SECOND) for size in (ptu, ptu + 7) for window in (1, 60)]
    assert fast.count(some) == plain.count(some)
    one, two = (each.replay(some[1], retries, keep=True) for each in (fast, plain))
    assert {**vars(one)} == {**vars(two)}


@pytest.mark.parametrize("tokens", [10**3, 10**8, 10**12, 10**15])
def test_numbers_too_large_for_a_machine_are_counted_in_plain_python(tokens):
    calls = [at(0, tokens), at(0, 1), at(7, tokens, 10**6, max_tokens=5, lasts=3), at(11, 3), at(10**7, 1)]
    fast, plain = buckets(calls, MODEL, of_kind("compiled")), buckets(calls, MODEL)
    some = [Bucket(ptu, 60 * SECOND) for ptu in (1, 13, 10**5)]
    assert fast.count(some) == plain.count(some)
    assert vars(fast.replay(some[1], 2, keep=True)) == vars(plain.replay(some[1], 2, keep=True))
