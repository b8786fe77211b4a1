"""The minutes of a log by token class: what they weigh, what is put in for calls of unknown size, how they add up."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.demand_profile import DemandProfile, MeanCall, MinuteSums, band_of

from .invented import weights
from .invented_logs import MONDAY, a_profile, sums

F = Fraction
PLAIN = {0: weights(), 1: weights()}


def minutes_of(profile, by_band=None):
    """Weighted tokens of each minute, as fractions."""
    tops, unit = profile.weighted(by_band or PLAIN)
    return [F(top, unit) for top in tops]


def test_a_prompt_is_in_the_band_of_the_thresholds_it_exceeds():
    assert [band_of(tokens, (100, 200)) for tokens in (0, 100, 101, 200, 201)] == [0, 0, 1, 1, 2]
    assert band_of(10**9, ()) == 0


# What a profile may hold


@pytest.mark.parametrize(
    ("given", "about"),
    [
        ({"length": 0, "rows": ()}, "at least one minute"),
        ({"scale": 0}, "at least one minute"),
        ({"thresholds": (200, 100)}, "ascend"),
        ({"thresholds": (100, 100)}, "ascend"),
        ({"rows": (sums(1), sums(0))}, "sorted"),
        ({"rows": (sums(0), sums(0))}, "sorted"),
        ({"rows": (sums(2),)}, "within the length"),
        ({"rows": (sums(-1),)}, "within the length"),
        ({"rows": (sums(0, -1),)}, "0 or more"),
    ],
)
def test_a_profile_that_contradicts_itself_is_a_programmers_mistake(given, about):
    plain = {"start": 0, "length": 2, "thresholds": (), "rows": (sums(0),), "scale": 1}
    with pytest.raises(ValueError, match=about):
        DemandProfile(**{**plain, **given})


# Weights


def test_each_class_weighs_its_own():
    profile = a_profile(sums(1, 2, 100, 40, 20, 7), length=3)
    by_class = weights(input="1", cached_input="0.1", cache_write="1.25", output="5")
    assert minutes_of(profile, {0: by_class}) == [0, 100 + 4 + 25 + 35, 0]


def test_each_band_weighs_its_own_and_a_minute_adds_them():
    profile = a_profile(sums(0, 1, 10), sums(0, 1, 1000, band=1), length=1, thresholds=(500,))
    assert minutes_of(profile, {0: weights(), 1: weights(input="1/3")}) == [10 + F(1000, 3)]


def test_tokens_in_parts_weigh_their_part():
    assert minutes_of(a_profile(sums(0, 1, 7), length=1, scale=5)) == [F(7, 5)]


def test_a_throttled_call_of_unknown_size_weighs_what_the_others_do_on_average():
    # 3 calls weigh 100 + 200 + 3 x 100 = 600: 200 each
    profile = a_profile(sums(0, 1, 100), sums(1, 2, 200, output=100), sums(2, 0, unsized=3), length=4)
    assert minutes_of(profile) == [100, 500, 600, 0]


def test_where_no_call_has_a_known_size_nothing_is_invented():
    assert minutes_of(a_profile(sums(0, 0, unsized=3), length=1)) == [0]


rows = st.lists(st.tuples(*(st.integers(0, 50) for _ in range(6))).map(lambda values: values), min_size=1, max_size=12)


@given(rows, st.integers(1, 4))
def test_putting_in_throttled_calls_keeps_the_mean_weight_of_a_call(given, scale):
    profile = a_profile(*(MinuteSums(i, 0, *row) for i, row in enumerate(given)), length=len(given), scale=scale)
    known = a_profile(
        *(MinuteSums(i, 0, *row)._replace(unsized=0) for i, row in enumerate(given)), length=len(given), scale=scale
    )
    if profile.sized:
        assert sum(minutes_of(profile)) / profile.requests == sum(minutes_of(known)) / known.requests


# Calls


def test_the_mean_call_is_over_calls_of_known_size():
    profile = a_profile(sums(0, 1, 100, 30), sums(1, 2, 50, 0, 10, 9, unsized=5), length=2)
    mean = profile.mean_call()
    assert mean == MeanCall(F(50), F(10), F(10, 3), F(3))
    assert mean.input == F(50) + F(10) + F(10, 3)
    assert (profile.requests, profile.unsized, profile.sized) == (8, 5, 3)
    assert profile.tokens() == MeanCall(F(150), F(30), F(10), F(9))


def test_there_is_no_mean_call_without_calls_and_no_tokens_without_rows():
    assert a_profile(sums(0, 0, unsized=1)).mean_call() is None
    assert a_profile().tokens() == MeanCall(F(0), F(0), F(0), F(0))


def test_bands_are_told_apart():
    profile = a_profile(sums(0, 1, 10, unsized=2), sums(0, 1, 1000, band=1), length=1, thresholds=(500,))
    assert profile.mean_call([1]) == MeanCall(F(1000), F(0), F(0), F(0))
    assert profile.mean_call([0]).uncached == 10
    assert profile.only([1]).rows == (sums(0, 1, 1000, band=1),)
    assert profile.only([0]).requests == 3
    assert profile.only([1]).length == 1


def test_columns_have_every_minute_and_add_up():
    profile = a_profile(
        sums(1, 2, 30, written=4, unsized=1), sums(1, 1, 5, band=1), length=3, thresholds=(500,), scale=2
    )
    assert profile.column("uncached") == [0, 35, 0]
    assert profile.column("uncached", "written") == [0, 39, 0]
    assert profile.requests_per_minute() == [0, 2, 0]


# Several profiles


def test_profiles_are_added_by_the_clock_from_the_first_minute_to_the_last():
    one = a_profile(sums(0, 1, 10), length=2, start=MONDAY + 5)
    two = a_profile(sums(0, 1, 7), sums(5, 2, 20), length=6, start=MONDAY, scale=2)
    merged = DemandProfile.merged([one, two])
    assert (merged.start, merged.length, merged.scale) == (MONDAY, 7, 2)
    assert merged.rows == (sums(0, 1, 7), sums(5, 4, 40))  # in halves: 10 + 20 / 2


def test_relative_clocks_are_added_from_their_starts():
    one, two = a_profile(sums(0), start=None, length=1), a_profile(sums(1), start=None, length=3)
    merged = DemandProfile.merged([one, two])
    assert (merged.start, merged.length, merged.rows) == (None, 3, (sums(0), sums(1)))


@pytest.mark.parametrize(
    ("other", "about"), [(a_profile(start=None), "calendar"), (a_profile(thresholds=(5,)), "thresholds")]
)
def test_profiles_of_another_clock_or_of_other_bands_are_not_added(other, about):
    with pytest.raises(ValueError, match=about):
        DemandProfile.merged([a_profile(), other])
