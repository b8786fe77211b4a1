"""What a Standard deployment does with spilled calls. The limits are invented: units of 1,000 TPM with 6 RPM."""

from datetime import date
from fractions import Fraction

import pytest

from ptucalc.call_groups import CallGroup
from ptucalc.call_trace import Call, CallTrace
from ptucalc.catalog import Unknown
from ptucalc.standard_quota import Pacing
from ptucalc.standard_spill import StandardAsked, standard_check
from ptucalc.standard_tiers import CapacityUnit, StandardLimit, StandardLimits

from .invented import GLOBAL, a_model

SECOND = 1_000_000
GROUP = CallGroup("chat", ("chat",), a_model(), "Alder", None, None, GLOBAL, CallTrace.of([]))


def tier(number, tpm, rpm):
    return StandardLimit("Alder", GLOBAL, number, f"Tier {number}", rpm, 60, tpm, "table")


def limits(*rows):
    return StandardLimits(
        edition="invented", as_of=date(2030, 1, 1), sources={}, units=(), limits=rows, tokens_per_month={}
    )


TIERS = limits(tier(1, 2000, 12), tier(2, 6000, 36), tier(3, 60_000, 360))
CALLS = CallTrace.of([Call(place * 10 * SECOND, 900, 100) for place in range(6)], relative_clock=True)
"""Six calls of 1,000 tokens, 10 seconds apart: 6,000 tokens in the minute."""


def check(trace=CALLS, *, limits=TIERS, ptu=30, **asked):
    return standard_check(trace, GROUP, limits, StandardAsked(**asked), ptu)


def test_without_limits_the_quota_needed_and_the_tier_that_holds_it_are_said():
    found = check()
    assert (found.calls, found.ptu, found.requests, found.unit) == ("spilled", 30, 6, CapacityUnit(6, 1000, "table"))
    # 6,000 TPM for the tokens; 36 RPM come with them, one call in each 5/3 s
    assert found.needed is not None and found.needed.quota[:3] == (6, 6000, 36)
    assert found.enough_in is not None and found.enough_in.tier == 2
    assert (found.checked, found.split, found.pace) == (None, None, None)
    assert found.mean_tokens == 1000


def test_all_calls_are_checked_where_none_spill():
    assert check(ptu=None).calls == "all"


def test_calls_that_are_none_meet_no_limit():
    found = check(CallTrace.of([]), tpm=1000)
    assert (found.requests, found.needed, found.checked) == (0, None, None)


def test_the_rpm_follow_from_the_tpm_and_both_are_split():
    found = check(tpm=4000)
    assert found.rpm_from_tpm and found.checked is not None
    assert (found.checked.tpm, found.checked.rpm, found.checked.refused) == (4000, 24, 2)  # the fifth and sixth
    assert found.split is not None and not isinstance(found.split, Unknown)
    assert [(part.tpm, part.rpm, part.refused) for part in found.split.parts] == [(2000, 12, 1), (2000, 12, 1)]
    # 4 calls of 1,000 tokens in a minute: one every 15 s; 24 RPM would be every 2.5 s
    assert found.pace == Pacing(15 * SECOND, "tokens")


def test_rpm_that_are_given_are_not_followed_from_anything():
    found = check(tpm=60_000, rpm=3)
    assert not found.rpm_from_tpm and found.checked is not None and found.checked.rpm == 3
    assert found.checked.refused == 3  # windows of 20 s take one of two calls
    assert found.pace == Pacing(20 * SECOND, "calls")
    only_rpm = check(rpm=3)
    assert only_rpm.split is None and only_rpm.checked is not None and only_rpm.checked.tpm is None


def test_where_no_ratio_is_known_only_the_tpm_are_checked():
    found = check(limits=limits(), tpm=4000)
    assert isinstance(found.unit, Unknown) and isinstance(found.published, Unknown)
    assert found.checked is not None and found.checked.rpm is None and not found.rpm_from_tpm
    assert isinstance(found.split, Unknown) and "RPM" in found.split.reason
    assert found.needed is not None and isinstance(found.needed.quota, Unknown) and found.needed.tpm == 6000
    assert found.enough_in is None


def test_a_quota_of_no_whole_steps_is_not_split():
    found = check(tpm=1500, rpm=60)
    assert isinstance(found.split, Unknown) and "1,000 TPM" in found.split.reason
    assert isinstance(check(tpm=1000, rpm=60).split, Unknown)


def test_no_pace_is_slow_enough_for_a_call_over_the_limit():
    found = check(tpm=900, rpm=60)
    assert isinstance(found.pace, Unknown) and "900 TPM" in found.pace.reason


def test_best_of_the_window_and_the_target_are_handed_on():
    trace = CallTrace.of([Call(place * 10 * SECOND, 900, 1, max_tokens=100) for place in range(6)], relative_clock=True)
    assert check(trace, best_of=11).needed.tpm == 12_000  # 900 + 1,100 each
    assert check(target=Fraction(1, 6)).needed.quota.tpm == 5000
    assert check(rpm=12, window_seconds=10).checked.refused == 0
    assert check(trace=CallTrace.of([Call(0, 1, 1)] * 3), rpm=12, window_seconds=10).checked.refused == 1
    assert check(assumed_max_tokens=1100).needed.tpm == 12_000


@pytest.mark.parametrize(("tpm", "enough"), [(5000, None), (6000, 1)])
def test_a_tier_holds_what_is_needed_exactly_or_not(tpm, enough):
    found = check(limits=limits(tier(1, tpm, tpm * 6 // 1000)))
    assert (found.enough_in and found.enough_in.tier) == enough


def test_a_tier_whose_limits_are_not_known_holds_nothing():
    unknown = StandardLimit("Alder", GLOBAL, 1, "Tier 1", 360, 60, Unknown("not printed"), "table")
    assert check(limits=limits(unknown)).enough_in is None
