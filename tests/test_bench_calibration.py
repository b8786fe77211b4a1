"""Bounds on what a saturated deployment drains: worked by hand, and held against buckets whose drain is known."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptucalc.bench_calibration import (
    LONGEST_GAP_US,
    Admitted,
    Bounds,
    Calibration,
    drain_bounds,
    sustained_at_least,
)
from ptucalc.bench_samples import Refusal
from ptucalc.catalog import Unknown

SECOND = 1_000_000


def refusal(at_us: int, took_us: int = 0) -> Refusal:
    return Refusal(at_us, at_us + took_us, None)


def call(sent: int, finished: int, weight: int, estimate: int | None = None, *, lost: bool = False) -> Admitted:
    return Admitted(sent, finished, Fraction(estimate or weight), None if lost else Fraction(weight))


def test_what_was_served_between_two_429s_bounds_the_drain_by_the_largest_call() -> None:
    calls = [call(SECOND, SECOND + 1, 100), call(2 * SECOND, 2 * SECOND + 1, 200)]
    found = drain_bounds(calls, [refusal(0), refusal(3 * SECOND)])
    # 300 in 3 s, and the levels at both ends may differ by 200: (300 -+ 200) / 3 s x 60.
    assert found == Bounds(Fraction(2000), Fraction(10_000), 2, 3 * SECOND, 3 * SECOND, 0, Fraction(200))


def test_a_call_under_way_at_an_end_holds_its_estimate_there() -> None:
    # At the second 429 it holds 500 of which 400 will be given back: (500 -+ 500) / 3 s.
    running = drain_bounds([call(SECOND, 9 * SECOND, 100, 500)], [refusal(0), refusal(3 * SECOND)])
    assert isinstance(running, Bounds)
    assert (running.at_least, running.at_most) == (0, 1000 * 60 / 3)
    # Under way at the first 429, it gave back 400 until the second: (-400 -+ 500) / 3 s, and none is below 0.
    ended = drain_bounds([call(-SECOND, SECOND, 100, 500)], [refusal(0), refusal(3 * SECOND)])
    assert isinstance(ended, Bounds)
    assert (ended.at_least, ended.at_most) == (0, 100 * 60 / 3)


def test_calls_before_and_after_both_429s_say_nothing() -> None:
    before, after = call(-5, -1, 10), call(3 * SECOND + 1, 4 * SECOND, 10)
    found = drain_bounds([before, after], [refusal(0), refusal(3 * SECOND)])
    assert isinstance(found, Bounds)
    assert (found.at_least, found.at_most) == (0, 200)  # the largest call alone: 10 / 3 s x 60


def test_a_lost_answer_may_have_cost_anything_up_to_its_estimate() -> None:
    calls = [call(SECOND, SECOND + 1, 300), call(SECOND, 10**12, 100, lost=True)]
    found = drain_bounds(calls, [refusal(0), refusal(3 * SECOND)])
    assert isinstance(found, Bounds)
    assert (found.at_least, found.at_most) == (0, (300 + 100 + 300) * 20)


def test_the_longest_that_a_429_took_loosens_the_time_and_what_was_decided_before() -> None:
    refusals = [refusal(0, 500_000), refusal(4 * SECOND, 100_000)]
    inside = drain_bounds([call(SECOND, SECOND + 1, 900)], refusals)
    assert isinstance(inside, Bounds)
    assert inside.slack_us == 500_000
    assert (inside.at_least, inside.at_most) == (0, Fraction(1800 * 60 * 2, 7))
    # Sent within the slack of the first 429, it may have been admitted before it, and be part of its level.
    at_edge = drain_bounds([call(500_000, SECOND, 900), call(SECOND, SECOND + 1, 900)], refusals)
    clear = drain_bounds([call(500_001, SECOND, 900), call(SECOND, SECOND + 1, 900)], refusals)
    assert isinstance(at_edge, Bounds) and isinstance(clear, Bounds)
    assert at_edge.at_least == 0
    assert clear.at_least == Fraction(900 * 60 * 2, 9)


def test_what_is_decided_or_completed_about_the_time_of_the_last_429_counts_as_little_as_it_may() -> None:
    refusals = [refusal(0, 500_000), refusal(4 * SECOND)]
    sure = [call(SECOND, SECOND + 1, 900), call(2 * SECOND, 2 * SECOND + 1, 900)]

    def at_least(more: Admitted) -> Fraction:
        found = drain_bounds([*sure, more], refusals)
        assert isinstance(found, Bounds)
        return found.at_least * 9 / (60 * 2) + 900  # what the calls hold at the least, less the largest call

    # Seen to end up to twice the slack after the 429 was sent, a call may have ended before it was decided.
    assert at_least(call(SECOND, 5 * SECOND, 100, 900)) == 1900
    assert at_least(call(SECOND, 5 * SECOND + 1, 100, 900)) == 2700
    # Sent within the slack before the 429, it may not have been admitted yet.
    assert at_least(call(3_500_001, 9 * SECOND, 100)) == 1800
    assert at_least(call(3_500_000, 9 * SECOND, 100)) == 1900


def test_429s_too_far_apart_are_not_put_together() -> None:
    calls = [call(SECOND, SECOND + 1, 100)]
    assert isinstance(drain_bounds(calls, [refusal(0), refusal(LONGEST_GAP_US)]), Bounds)
    found = drain_bounds(calls, [refusal(0), refusal(LONGEST_GAP_US + 1)])
    assert found == Unknown("the 429s do not follow one another for long enough: saturate it for longer")


def test_of_several_stretches_the_narrowest_bounds_count() -> None:
    short = [refusal(0), refusal(SECOND)]
    long = [refusal(20 * SECOND + n * SECOND) for n in range(10)]
    calls = [
        call(500_000, 500_001, 10),
        *(call(20 * SECOND + n * SECOND + 5, 20 * SECOND + n * SECOND + 6, 10) for n in range(9)),
    ]
    found = drain_bounds(calls, [*long, *short])
    assert isinstance(found, Bounds)
    assert (found.refusals, found.span_us, found.largest_gap_us) == (10, 9 * SECOND, SECOND)


def test_without_429s_or_with_one_there_are_no_bounds() -> None:
    assert drain_bounds([], []) == Unknown("no call met a 429: it was never saturated")
    assert isinstance(drain_bounds([], [refusal(5)]), Unknown)
    assert isinstance(drain_bounds([], [refusal(5, 10), refusal(15, 10)]), Unknown)  # no longer than a 429 takes


class Bucket:
    """The documented rule in exact numbers, with a drain that the test knows."""

    def __init__(self, drain: Fraction, window_us: int) -> None:
        self.drain, self.capacity = drain, drain * window_us
        self.level, self.at = Fraction(0), 0

    def to(self, at_us: int) -> None:
        self.level = max(Fraction(0), self.level - self.drain * (at_us - self.at))
        self.at = at_us

    def admits(self, at_us: int, estimate: int) -> bool:
        self.to(at_us)
        if self.level >= self.capacity:
            return False
        self.level += estimate
        return True


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_drain_of_a_bucket_lies_between_the_bounds_whatever_the_calls(data: st.DataObject) -> None:
    drain = data.draw(st.fractions(min_value=Fraction(1, 1000), max_value=Fraction(1, 10), max_denominator=1000))
    window = data.draw(st.integers(SECOND // 10, 5 * SECOND))
    delay = data.draw(st.integers(0, 50_000))  # to the service and back
    gaps = data.draw(st.lists(st.integers(0, 60_000), min_size=50, max_size=200))
    bucket = Bucket(drain, window)
    events: list[tuple[int, int, int]] = []  # completions to come: when, how much is given back, which
    calls, refusals, now = [], [], 0
    for gap in gaps:
        now += gap
        to, back = (data.draw(st.integers(0, delay)) for _ in range(2))
        decided = now + to
        for done, given_back, _ in sorted(events):
            if done <= decided:
                bucket.to(max(done, bucket.at))
                bucket.level = max(Fraction(0), bucket.level - given_back)
        events = [event for event in events if event[0] > decided]
        decided = max(decided, bucket.at)
        limit = data.draw(st.integers(1, 3000))
        actual = data.draw(st.integers(0, limit))
        if bucket.admits(decided, limit):
            done = decided + data.draw(st.integers(0, 200_000))
            events.append((done, limit - actual, len(calls)))
            calls.append(Admitted(now, done + back, Fraction(limit), Fraction(actual)))
        else:
            refusals.append(Refusal(now, now + max(to, decided - now) + back, None))
    if refusals:  # every delay is at most what some 429 took: that is what the client goes by
        first = refusals[0]
        refusals[0] = first._replace(
            answered_us=first.sent_us + max(2 * delay, first.answered_us - first.sent_us, 60_000)
        )
    found = drain_bounds(calls, refusals)
    if isinstance(found, Bounds) and found.largest_gap_us + found.slack_us < window:
        assert found.at_least <= drain * 60_000_000 <= found.at_most


def test_what_was_served_without_a_429_needs_at_least_so_much() -> None:
    calls = [call(0, SECOND, 600), call(60 * SECOND, 120 * SECOND, 600)]
    # 1,200 less the largest call, over 120 s and a bucket of 60 s: 600 / 3 min.
    assert sustained_at_least(calls, window_seconds=Fraction(60)) == 200
    assert sustained_at_least([call(0, SECOND, 1, lost=True)], window_seconds=Fraction(60)) == Unknown(
        "no call was served"
    )


def bounds(low: int, high: int) -> Bounds:
    return Bounds(Fraction(low), Fraction(high), 9, SECOND, SECOND, 0, Fraction(1))


def calibration(
    found: Bounds | Unknown, catalog: int | Unknown = 100, sustained: Fraction | Unknown = Fraction(0)
) -> Calibration:
    return Calibration(
        ptu=10, catalog_tpm_per_ptu=catalog, bounds=found, sustained_tpm=sustained, window_seconds=Fraction(60)
    )


@pytest.mark.parametrize(
    ("low", "high", "verdict", "use"),
    [
        (900, 1100, "agrees", 100),
        (1000, 1000, "agrees", 100),
        (1001, 1200, "higher", 100),
        (1019, 1200, "higher", 101),
        (900, 999, "lower", 90),
        (899, 999, "lower", 89),
    ],
)
def test_the_catalogs_rate_stands_where_it_agrees_else_the_lower_bound(
    low: int, high: int, verdict: str, use: int
) -> None:
    found = calibration(bounds(low, high))
    assert (found.verdict, found.tpm_per_ptu_to_use) == (verdict, use)
    assert (found.at_least_tpm_per_ptu, found.at_most_tpm_per_ptu) == (Fraction(low, 10), Fraction(high, 10))


def test_without_saturation_there_is_a_lower_bound_and_no_rate_to_use() -> None:
    open_ended = calibration(Unknown("never"), sustained=Fraction(500))
    assert (open_ended.verdict, open_ended.at_least_tpm_per_ptu) == ("open", 50)
    assert open_ended.tpm_per_ptu_to_use == Unknown("never")
    assert calibration(Unknown("never"), sustained=Fraction(1001)).verdict == "higher"


def test_a_model_without_a_published_rate_gets_the_lower_bound() -> None:
    found = calibration(bounds(900, 1100), Unknown("not published"))
    assert (found.verdict, found.tpm_per_ptu_to_use) == ("open", 90)


def test_a_lower_bound_of_nothing_is_no_rate() -> None:
    assert isinstance(calibration(bounds(9, 11)).tpm_per_ptu_to_use, Unknown)
