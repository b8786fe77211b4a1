"""What quota to ask for, what splitting one does, and how to pace calls: by hand, and against trying every limit."""

from __future__ import annotations

import time
from array import array
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptucalc.call_trace import Call, CallTrace
from ptucalc.catalog import Unknown
from ptucalc.errors import BadInput
from ptucalc.standard_limits import simulate_standard
from ptucalc.standard_quota import Quota, pacing, quota_needed, split_quota
from ptucalc.standard_tiers import CapacityUnit

from .standard_oracle import Arrival, Deployment, answers, arrivals, smallest
from .test_standard_limits import CALLS, at

F = Fraction
SECOND = 1_000_000
SIX = CapacityUnit(6, 1000)
NOT_KNOWN = Unknown("nobody printed it")


def needed(trace: CallTrace, unit: CapacityUnit | Unknown = SIX, target: Any = 0, **more: Any) -> Any:
    return quota_needed(trace, unit=unit, target=F(target), **more)


# The quota to ask for


@pytest.mark.parametrize(("tokens", "tpm"), [(1, 1000), (999, 1000), (1000, 1000), (1001, 2000), (240_000, 240_000)])
def test_the_tpm_needed_is_the_busiest_minute_in_whole_thousands(tokens: int, tpm: int) -> None:
    assert needed(at(0, tokens=tokens)).tpm == tpm


def test_the_busiest_minute_counts_all_its_calls() -> None:
    trace = at(0, 30, 59, 60, 100, tokens=500)  # three, then two
    assert needed(trace).tpm == 2000  # 1,500
    assert needed(trace, target="1/5").tpm == 1000  # one of five may fail


@pytest.mark.parametrize(("calls", "window", "rpm"), [(10, 1, 600), (11, 1, 660), (10, 10, 60), (101, 10, 606)])
def test_the_rpm_needed_follows_from_the_busiest_window(calls: int, window: int, rpm: int) -> None:
    trace = at(*[4] * calls)
    assert needed(trace, window_seconds=window).rpm == rpm
    assert simulate_standard(trace, rpm=rpm, window_seconds=window).refused == 0
    assert simulate_standard(trace, rpm=rpm - 1, window_seconds=window).refused == 1


def test_calls_that_are_far_apart_need_less_than_a_call_per_window() -> None:
    # one each 3 s: 20 RPM; with 19, whose windows last 3.16 s, two come in one
    trace = at(*range(0, 60, 3))
    assert needed(trace).rpm == 20
    assert simulate_standard(trace, rpm=19).refused > 0
    assert needed(at(0)).rpm == 1


def test_the_larger_need_decides_the_quota_where_calls_come_with_tokens() -> None:
    few_large = at(0, 30, tokens=5000)
    found = needed(few_large)
    assert (found.tpm, found.quota) == (10_000, Quota(10, 10_000, 60, "tokens", 0))
    many_small = at(*[index / 4 for index in range(8)], tokens=10)  # 4 a second: 240 RPM
    found = needed(many_small)
    assert (found.tpm, found.rpm, found.quota) == (1000, 240, Quota(40, 40_000, 240, "calls", 0))


def test_both_bind_where_a_unit_less_fails_for_either() -> None:
    trace = at(0, 0.5, tokens=10_000)  # 20,000 TPM, and two in a second: 120 RPM
    assert needed(trace).quota == Quota(20, 20_000, 120, "both", 0)


def test_a_share_of_the_calls_may_be_refused() -> None:
    trace = at(*[0] * 20, tokens=100)  # 20 at once
    assert needed(trace).quota == Quota(200, 200_000, 1200, "calls", 0)
    assert needed(trace, target="1/20").quota == Quota(190, 190_000, 1140, "calls", 1)
    assert needed(trace, target="9/200").quota == needed(trace).quota  # 4.5 %: not one of 20


def test_refusals_by_tokens_and_by_calls_share_the_target() -> None:
    # in the first minute the fifth call is over 4,000 TPM; in the second, two come at once
    trace = CallTrace.of(
        [Call(index * 10 * SECOND, 1000, 0) for index in range(5)]
        + [Call((60 + each) * SECOND, 1, 0) for each in (0, 0, 10, 20, 30)]
    )
    unit = CapacityUnit(20, 1000)
    one = needed(trace, unit, "1/10")
    assert (one.tpm, one.rpm) == (4000, 6)  # each for itself; 6 RPM is one call in each 10 s, 5 RPM in each 12 s
    # 5 units: 100 RPM, one per second: one refusal. 4 units: 80 RPM, and the fifth call too: two
    assert one.quota == Quota(5, 5000, 100, "both", 1)
    # 3 units: the fourth and the fifth call and one of the two at once: three
    assert needed(trace, unit, "1/5").quota == Quota(4, 4000, 80, "both", 2)


def test_the_unit_of_a_model_is_the_step_of_its_quota() -> None:
    found = needed(at(0, tokens=6001), CapacityUnit(1, 6000))
    assert (found.tpm, found.quota) == (12_000, Quota(2, 12_000, 2, "tokens", 0))


def test_without_a_known_ratio_the_needs_stay_apart() -> None:
    found = needed(at(0, 0, tokens=900), NOT_KNOWN)
    assert (found.tpm, found.rpm, found.quota) == (2000, 120, NOT_KNOWN)


def test_max_tokens_best_of_and_assumptions_raise_the_need() -> None:
    trace = CallTrace.of([Call(0, 100, 10, max_tokens=1000), Call(9, 100, 10)])
    assert needed(trace).tpm == 2000  # 1,100 + 110
    assert needed(trace, best_of=3).tpm == 4000  # 3,100 + 110
    assert needed(trace, assumed_max_tokens=1900).tpm == 4000  # 1,100 + 2,000


def test_windows_from_the_first_call_may_need_another_quota() -> None:
    trace = at("0.5", "1.2")  # two seconds of the clock, one from the first call
    assert needed(trace).rpm == 50  # windows of 1.2 s still part them, longer ones do not
    assert needed(trace, window_start="first-call").rpm == 120


def test_every_larger_quota_keeps_to_the_target_too() -> None:
    # seconds part the two calls, and windows of 60 / 39 s do again (one ends at 3.08 s); those of 60 / 52 s do not
    trace = at("2.9", "3.1")
    assert [simulate_standard(trace, rpm=rpm).refused for rpm in (26, 39, 52, 65)] == [1, 0, 1, 0]
    assert needed(trace, CapacityUnit(13, 1000)).quota == Quota(5, 5000, 65, "calls", 0)
    assert needed(trace).rpm == 59


def test_a_trace_without_calls_or_a_target_that_is_no_share_is_refused() -> None:
    empty = array("q")
    with pytest.raises(BadInput) as caught:
        needed(CallTrace(empty, empty, empty, empty, empty), target=1, window_seconds=2)
    assert str(caught.value).splitlines() == [
        "rpm_window: expected 1 or 10 seconds, over which Azure checks RPM, got 2",
        "trace: expected at least one call, got 0 calls",
        "target_429: expected a share of the calls, 0 or more and under 1, got 1",
    ]
    with pytest.raises(BadInput, match="target_429"):
        needed(at(0), target="-1/2")


@settings(max_examples=60)
@given(
    calls=CALLS,
    unit=st.builds(CapacityUnit, rpm=st.integers(1, 12), tpm=st.integers(1, 60)),
    window=st.sampled_from([1, 10]),
    target=st.sampled_from([F(0), F(1, 100), F(1, 10), F(1, 3), F(4, 5)]),
    start=st.sampled_from(["clock", "first-call"]),
)
def test_the_quota_is_the_smallest_that_trying_every_one_finds(
    calls: list[Call], unit: CapacityUnit, window: int, target: Fraction, start: Any
) -> None:
    trace = CallTrace.of(calls)
    plain = arrivals(trace)
    since = plain[0].seconds if start == "first-call" else F(0)

    def refused(tpm: int | None, rpm: int | None) -> int:
        return sum(map(any, answers(plain, [Deployment(tpm, rpm, window, since)])))

    def within(tpm: int | None, rpm: int | None) -> bool:
        return refused(tpm, rpm) <= target * len(calls)

    found = quota_needed(trace, unit=unit, target=target, window_seconds=window, window_start=start)
    tokens = sum(call.tokens for call in plain)
    most_rpm = 60 * len(calls)
    steps = smallest(lambda n: within(n * unit.tpm, None), max(1, ceil(tokens / unit.tpm)))
    assert found.tpm == steps * unit.tpm
    assert found.rpm == smallest(lambda n: within(None, n), most_rpm) if most_rpm < 300 else found.rpm <= most_rpm
    most = max(1, ceil(tokens / unit.tpm), ceil(most_rpm / unit.rpm))
    assert isinstance(found.quota, Quota)
    units = found.quota.units
    assert (found.quota.tpm, found.quota.rpm) == (units * unit.tpm, units * unit.rpm)
    assert found.quota.refused == refused(found.quota.tpm, found.quota.rpm) <= target * len(calls)
    sampled = {units, units + 1, units + 2, units + 7, (units + most) // 2, most} | set(
        range(units, min(most, units + 9))
    )
    assert all(within(n * unit.tpm, n * unit.rpm) for n in sampled)
    if units > 1:
        less = units - 1
        assert not within(less * unit.tpm, less * unit.rpm)
        by_tokens, by_calls = not within(less * unit.tpm, None), not within(None, less * unit.rpm)
        assert found.quota.binding == ("both" if by_tokens == by_calls else "tokens" if by_tokens else "calls")


# Splitting


def test_240000_tpm_are_one_deployment_or_two_of_120000() -> None:
    found = split_quota(at(*range(10)), tpm=240_000, rpm=1440)  # 6 RPM per 1,000 TPM
    assert (found.whole.tpm, found.whole.rpm) == (240_000, 1440)
    assert [(part.tpm, part.rpm) for part in found.parts] == [(120_000, 720)] * 2
    assert found.whole.window is not None and found.whole.window.calls == 24
    assert [part.window.calls for part in found.parts if part.window] == [12, 12]
    assert found.refused == found.whole.refused == 0


def test_calls_go_to_the_parts_in_turn() -> None:
    # every other call is large: one part gets them all
    trace = CallTrace.of([Call(index * SECOND, 100 if index % 2 else 1, 0) for index in range(40)])
    found = split_quota(trace, tpm=2000, rpm=6000)
    assert [part.requests for part in found.parts] == [20, 20]
    assert [part.refused for part in found.parts] == [0, 10]  # 2,000 tokens on a limit of 1,000
    assert found.whole.refused == 0 + sum(each > 2000 for each in range(101, 2021, 101))
    assert (found.refused, found.refused_share) == (10, F(1, 4))


def test_each_part_rounds_its_whole_calls_down() -> None:
    # 25 in a second: one deployment of 1,500 RPM takes them; two of 750 take 12 (12.5) each
    trace = at(*[0] * 25)
    found = split_quota(trace, tpm=250_000, rpm=1500)
    assert [part.window.calls for part in (found.whole, *found.parts) if part.window] == [25, 12, 12]
    assert (found.whole.refused, found.refused) == (0, 1)
    assert [part.refused for part in found.parts] == [1, 0]  # 13 and 12 calls


def test_what_does_not_divide_is_spread_in_whole_steps() -> None:
    found = split_quota(at(0), tpm=100_000, rpm=600, deployments=3)
    assert sorted(part.tpm or 0 for part in found.parts) == [33_000, 33_000, 34_000]
    assert sum(F(part.rpm or 0) for part in found.parts) == 600
    assert {(part.tpm, part.rpm) for part in found.parts} == {(33_000, 198), (34_000, 204)}


def test_parts_keep_the_windows_of_the_whole() -> None:
    trace = at("0.5", "0.9", "1.4", "1.6")
    found = split_quota(trace, tpm=2000, rpm=120, window_start="first-call")
    # from 0.5: the first three are in one second, the last in the next; each part takes one a second
    assert [list(part.verdicts) for part in found.parts] == [[0, 2], [0, 0]]
    assert list(found.whole.verdicts) == [0, 0, 2, 0]


def test_parts_say_how_many_calls_gave_no_max_tokens() -> None:
    trace = CallTrace.of([Call(0, 1, 1, max_tokens=5), Call(1, 1, 1), Call(2, 1, 1, max_tokens=0), Call(3, 1, 1)])
    found = split_quota(trace, tpm=2000, rpm=600, best_of=2, assumed_max_tokens=30)
    assert [part.without_max_tokens for part in found.parts] == [0, 2]
    assert [part.peak_estimated_tpm for part in found.parts] == [11 + 1, 61 * 2]


def test_a_quota_that_cannot_be_split_so_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        split_quota(at(0), tpm=2500, rpm=0, deployments=3)
    assert str(caught.value).splitlines() == [
        "standard_rpm: expected a number over 0, got 0",
        "standard_tpm: expected whole steps of 1,000 TPM, to split it, got 2500",
        "deployments: expected 1 to 2: each deployment has at least 1,000 TPM, got 3",
    ]
    with pytest.raises(BadInput, match="1 to 4"):
        split_quota(at(0), tpm=4000, rpm=9, deployments=0)
    assert len(split_quota(at(0), tpm=4000, rpm=9, deployments=4).parts) == 4


@given(
    calls=CALLS, thousands=st.integers(1, 6), rpm=st.integers(1, 300), window=st.sampled_from([1, 10]), data=st.data()
)
def test_a_second_implementation_splits_the_same(
    calls: list[Call], thousands: int, rpm: int, window: int, data: Any
) -> None:
    many = data.draw(st.integers(1, thousands))
    grown = [call._replace(uncached=call.uncached * 60) for call in calls]
    trace = CallTrace.of(grown)
    found = split_quota(trace, tpm=thousands * 1000, rpm=rpm, deployments=many, window_seconds=window)
    shares = [part.tpm or 0 for part in found.parts]
    assert sum(shares) == thousands * 1000 and max(shares) - min(shares) <= 1000
    deployments = [Deployment(share, F(rpm * share, thousands * 1000), window) for share in shares]
    expected = answers(arrivals(trace), deployments)
    for index, part in enumerate(found.parts):
        assert list(part.verdicts) == [by_tpm + 2 * by_rpm for by_tpm, by_rpm in expected[index::many]]
    assert found.refused == sum(map(any, expected))
    assert found.whole == simulate_standard(trace, tpm=thousands * 1000, rpm=rpm, window_seconds=window)


# Pacing


@pytest.mark.parametrize(
    ("limits", "gap_us", "binding"),
    [
        ({"rpm": 20}, 3 * SECOND, "calls"),  # one call every 3 s
        ({"rpm": 600}, 100_000, "calls"),
        ({"rpm": 90}, SECOND, "calls"),  # one whole call a second, not one and a half
        ({"rpm": 20, "window_seconds": 10}, 3_333_334, "calls"),  # 3 in 10 s
        ({"rpm": 7}, 8_571_429, "calls"),  # 60 s / 7, rounded up
        ({"tpm": 6000, "tokens_per_call": 1000}, 10 * SECOND, "tokens"),
        ({"tpm": 6000, "tokens_per_call": 1001}, 12 * SECOND, "tokens"),  # 5 whole calls
        ({"tpm": 6000, "tokens_per_call": F(2001, 2)}, 12 * SECOND, "tokens"),
        ({"tpm": 6000, "tokens_per_call": 6000}, 60 * SECOND, "tokens"),
        ({"tpm": 6000, "tokens_per_call": 1000, "rpm": 36}, 10 * SECOND, "tokens"),
        ({"tpm": 60_000, "tokens_per_call": 1000, "rpm": 30}, 2 * SECOND, "calls"),
    ],
)
def test_the_gap_between_calls_that_stays_under_the_limits(limits: dict[str, Any], gap_us: int, binding: str) -> None:
    found = pacing(**limits)
    assert (found.gap_us, found.binding) == (gap_us, binding)
    assert found.calls_per_minute == F(60 * SECOND, gap_us)


def test_no_gap_is_long_enough_for_a_call_over_the_limit() -> None:
    with pytest.raises(BadInput) as caught:
        pacing(tpm=6000, tokens_per_call=6001)
    assert str(caught.value) == (
        "tokens_per_call: expected at most the limit of 6,000 TPM: a larger call is always refused, got 6001"
    )


def test_what_pacing_lacks_is_said() -> None:
    for missing in (
        {},
        {"tpm": 6000},
        {"tpm": 6000, "tokens_per_call": 0},
        {"rpm": 0},
        {"rpm": 9, "window_seconds": 3},
    ):
        with pytest.raises(BadInput):
            pacing(**missing)


@given(
    rpm=st.integers(1, 2000) | st.fractions(F(1, 3), 100, max_denominator=9),
    window=st.sampled_from([1, 10]),
    tokens=st.integers(1, 500),
    tpm=st.integers(500, 20_000),
    start=st.integers(0, 200 * SECOND),
)
def test_paced_calls_are_never_refused_and_no_shorter_gap_is_safe(
    rpm: Any, window: int, tokens: int, tpm: int, start: int
) -> None:
    gap = pacing(rpm=rpm, tpm=tpm, window_seconds=window, tokens_per_call=tokens).gap_us

    def refused(each: int, first: int) -> bool:
        deployment = Deployment(tpm, rpm, window)
        count = min(400, 150 * SECOND // each + 3)
        return any(any(deployment.answer(Arrival(F(first + each * i, SECOND), tokens))) for i in range(count))

    assert not refused(gap, start)
    # calls that begin with a minute meet one too many in it, or in some window: a hundredth less is enough
    shorter = gap - max(1, gap // 20)
    if shorter > 0 and 60 * SECOND // shorter < 390:
        assert refused(shorter, 0) or refused(shorter, start) or not _bites(shorter, rpm, window, tokens, tpm)


def _bites(gap: int, rpm: Any, window: int, tokens: int, tpm: int) -> bool:
    """Whether calls that begin with a window or a minute are one too many in it."""
    length = max(F(window), 60 / F(rpm))
    in_window = ceil(length * SECOND / gap)
    in_minute = ceil(F(60 * SECOND, gap))
    return in_window > F(rpm) / 60 * length or in_minute * tokens > tpm


def test_a_quota_for_a_million_calls_is_found_in_seconds() -> None:
    size = 1_000_000
    ones = array("q", [1]) * size
    trace = CallTrace(array("q", range(0, size * 7000, 7000)), ones, ones, ones, ones)
    before = time.process_time()
    found = quota_needed(trace, unit=CapacityUnit(1, 1000), target=F(1, 100))
    assert time.process_time() - before < 20  # about 2 s
    # 143 calls in six of seven seconds, 142 in the rest: 1 % lets one or two of each go
    assert found.rpm in (60 * 141, 60 * 142)
