"""The busiest sliding windows of a log against counting every window by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from ptucalc.catalog import TokenWeights
from ptucalc.read.logs import read_log
from ptucalc.request_log import Stream, WindowMaxima

from .log_files import NOBODY, PLAIN, TEN_MINUTE, book, call, plain, stamp, table

SECOND = 1_000_000
REQUESTS = {0: TokenWeights(Fraction(1), Fraction(1), Fraction(1), Fraction(0))}
"""With one input token a call, weighted tokens count calls."""


class Call(NamedTuple):
    """A call of a random log; without tokens it was throttled."""

    us: int
    deployment: str
    model: str
    tokens: tuple[int, int, int] | None
    """Uncached, cached, output."""


def write(path: Path, calls: Sequence[Call]) -> Path:
    rows = []
    for us, deployment, model, tokens in calls:
        values = ",,,429"
        if tokens is not None:
            values = f"{tokens[0] + tokens[1]},{tokens[1]},{tokens[2]},200"
        rows.append(f"{stamp(us / SECOND)},{deployment},{model},{values}")
    headings = "timestamp,deployment,model,input_tokens,cached_input_tokens,output_tokens,status"
    return table(path, *rows, headings=headings)


Weights = Mapping[Stream, Mapping[int, TokenWeights]]


def value_of(one: Call, group: Weights, thresholds: Sequence[int]) -> Fraction | None:
    """Weighted tokens of a call; None where the group has nothing to do with it."""
    assert one.tokens is not None
    uncached, cached, output = one.tokens
    band = sum(uncached + cached > limit for limit in thresholds)
    weights = group.get(Stream(one.deployment, one.model), {}).get(band)
    if weights is None:
        return None
    assert (
        isinstance(weights.input, Fraction)
        and isinstance(weights.cached_input, Fraction)
        and isinstance(weights.output, Fraction)
    )
    return uncached * weights.input + cached * weights.cached_input + output * weights.output


def by_hand(calls: Sequence[Call], group: Weights, thresholds: Sequence[int]) -> tuple[Fraction, ...]:
    """The busiest windows [t, t + L) for t at every call, each added up from the first call to the last."""
    sized = [(one, value) for one in calls if one.tokens and (value := value_of(one, group, thresholds)) is not None]
    values = [(one.us, value) for one, value in sized]
    for one in calls:
        if one.tokens is None and 0 in group.get(Stream(one.deployment, one.model), {}):
            others = [value for each, value in sized if each.deployment == one.deployment]
            values.append((one.us, Fraction(sum(others), len(others)) if others else Fraction(0)))
    return tuple(
        max(
            sum((value for us, value in values if start <= us < start + length * SECOND), Fraction(0))
            for start, _ in values
        )
        * Fraction(60, length)
        for length in (60, 10, 1)
    )


GRID = st.sampled_from((1, 10_000, 250_000, 500_000, 1_000_000))
TIMES = st.builds(lambda cells, step, jitter: cells * step + jitter, st.integers(0, 400), GRID, st.integers(0, 1))
TOKENS = st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(1, 20))
STREAMS = [Stream("a", "m"), Stream("a", "n"), Stream("b", "m")]
THRESHOLDS = (40,)
SEVENTH = TokenWeights(Fraction(1), Fraction(1, 10), Fraction(5, 4), Fraction(22, 7))
PLAINER = TokenWeights(Fraction(1), Fraction(0), Fraction(1), Fraction(4))
LONG = TokenWeights(Fraction(2), Fraction(1, 5), Fraction(5, 2), Fraction(15, 2))
GROUPS: list[Weights] = [
    {STREAMS[0]: {0: SEVENTH, 1: LONG}, STREAMS[1]: {0: PLAINER, 1: PLAINER}},
    {STREAMS[2]: {0: PLAINER, 1: LONG}},
    {stream: {0: PLAINER} for stream in STREAMS},
    {stream: {0: SEVENTH, 1: SEVENTH} for stream in STREAMS},
]


@st.composite
def a_call(draw: st.DrawFn) -> Call:
    stream = draw(st.sampled_from(STREAMS))
    throttled = draw(st.integers(0, 4)) == 0
    return Call(draw(TIMES), *stream, None if throttled else draw(TOKENS))


ONE_OF_EACH = [Call(333 + index, *stream, (1, 0, 1)) for index, stream in enumerate(STREAMS)]


@settings(
    max_examples=15, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)  # shrinking takes minutes
@given(st.lists(a_call(), min_size=1, max_size=40))
@example([Call(0, "a", "m", (50, 0, 1)), Call(1_000_000, "a", "m", (50, 0, 1)), Call(59_999_999, "b", "m", (1, 1, 1))])
@example([Call(us, "a", "m", (10, 0, 1)) for us in (0, 60_000_000, 59_999_999, 119_999_999, 119_999_998)])
@example([Call(us, "b", "m", None) for us in range(0, 9_000_000, 333_333)])
def test_windows_are_those_that_counting_every_one_of_them_finds(random: list[Call]) -> None:
    calls = ONE_OF_EACH + random
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "log.csv", calls)
        with read_log(path, thresholds=THRESHOLDS, formats=book()) as log:
            found = log.window_maxima(GROUPS)
            step = log.source.step_us or 0
    for maxima, group in zip(found, GROUPS, strict=True):
        expected = by_hand(calls, group, THRESHOLDS)
        for shown, value, seconds in zip(maxima[:3], expected, (60, 10, 1), strict=True):
            assert shown == (None if step > seconds * SECOND else value), (seconds, step)


def maxima(path: Path, *rows: str, weights: Weights | None = None, headings: str = PLAIN) -> WindowMaxima:
    with read_log(table(path / "log.csv", *rows, headings=headings), thresholds=(), formats=book()) as log:
        (found,) = log.window_maxima([weights or {NOBODY: REQUESTS}])
        return found


def test_a_window_is_half_open_its_first_instant_is_in_and_the_one_after_its_last_is_out(tmp_path: Path) -> None:
    # [0, 1 s): calls at 0 and 0.999999 are two; the one at 1.0 makes three with 0.999999 and 1.999998, not with 0
    rows = [plain(at) for at in (0, 0.999999, 1.0, 1.999998, 12, 100)]
    assert maxima(tmp_path, *rows) == WindowMaxima(Fraction(5), Fraction(4 * 6), Fraction(3 * 60))


def test_a_window_that_straddles_a_minute_is_busier_than_either_minute(tmp_path: Path) -> None:
    rows = [plain(at) for at in (30, 31, 89, 89.5, 200)]  # 31 .. 89.5 span 58.5 s, 30 .. 89.5 span 59.5 s
    assert maxima(tmp_path, *rows).sliding_60s == 4


def test_requests_are_counted_in_clock_and_sliding_windows_by_weights_of_one_a_call(tmp_path: Path) -> None:
    rows = [plain(at / 10) for at in (7, 8, 9, 10, 11, 12, 13, 500, 555)]
    # clock seconds hold 3 and 4 calls, the sliding second 7; ten seconds 7; a minute all 9
    assert maxima(tmp_path, *rows) == WindowMaxima(Fraction(9), Fraction(42), Fraction(420))


def test_a_throttled_call_in_a_window_weighs_the_mean_of_its_deployment(tmp_path: Path) -> None:
    rows = [call(0, "100,0,10"), call(30, "300,0,20"), call(30.5, ",,", status="429"), call(200, "1,0,1")]
    weights = {Stream("chat", ""): {0: PLAINER}}
    # 140 + 380 + 5 = 525 over three calls: 175
    found = maxima(
        tmp_path,
        *rows,
        weights=weights,
        headings="timestamp,deployment,input_tokens,cached_input_tokens,output_tokens,status",
    )
    assert found == WindowMaxima(Fraction(140 + 380 + 175), Fraction((380 + 175) * 6), Fraction((380 + 175) * 60))


@pytest.mark.parametrize(
    ("step", "shown", "why"),
    [
        (1, (True, True, True), ""),
        (2, (True, True, False), "time stamps come in steps of 2 s: nothing shorter can be seen"),
        (10, (True, True, False), "time stamps come in steps of 10 s: nothing shorter can be seen"),
        (11, (True, False, False), "time stamps come in steps of 11 s: nothing shorter can be seen"),
        (61, (False, False, False), "time stamps come in steps of 61 s: nothing shorter can be seen"),
    ],
)
def test_a_window_shorter_than_the_clocks_step_is_not_shown(
    step: int, shown: tuple[bool, ...], why: str, tmp_path: Path
) -> None:
    found = maxima(tmp_path, *(plain(1 + second * step) for second in range(5) for _ in range(2)))
    assert tuple(value is not None for value in found[:3]) == shown
    assert found.why == why


def test_buckets_show_no_bursts_and_say_why(tmp_path: Path) -> None:
    headings = "timestamp,bucket_seconds,requests,input_tokens,output_tokens"
    found = maxima(tmp_path, f"{stamp()},60,3,30,3", f"{stamp(60)},60,3,30,3", headings=headings)
    assert found == WindowMaxima(None, None, None, "rows are sums of a minute, not calls")


def test_no_groups_have_no_windows_and_a_group_that_weighs_nothing_has_windows_of_nothing(tmp_path: Path) -> None:
    nothing = {0: TokenWeights(Fraction(0), Fraction(0), Fraction(0), Fraction(0))}
    with read_log(table(tmp_path / "l.csv", plain(), plain(9), headings=PLAIN), thresholds=(), formats=book()) as log:
        assert log.window_maxima([]) == []
        assert log.window_maxima([{NOBODY: nothing}]) == [WindowMaxima(Fraction(0), Fraction(0), Fraction(0))]
        assert log.window_maxima([{NOBODY: REQUESTS}]) == [WindowMaxima(Fraction(2), Fraction(12), Fraction(60))]


def test_long_prompts_weigh_as_their_band_does_in_windows_too(tmp_path: Path) -> None:
    rows = [plain(0, 40, 1), plain(0.5, 41, 1), plain(70, 1, 1)]
    with read_log(table(tmp_path / "l.csv", *rows, headings=PLAIN), thresholds=(40,), formats=book()) as log:
        (profile,) = log.profiles.values()
        assert profile.start == TEN_MINUTE
        (both,) = log.window_maxima([{NOBODY: {0: PLAINER, 1: LONG}}])
        assert both.sliding_60s == 44 + 82 + Fraction(15, 2)
        (short,) = log.window_maxima([{NOBODY: {0: PLAINER}}])
        assert short.sliding_60s == 44


def test_a_relative_clock_has_windows_too(tmp_path: Path) -> None:
    rows = ["0.5,1,2", "1.4,1,2", "61.3,1,2"]
    assert maxima(tmp_path, *rows) == WindowMaxima(Fraction(2), Fraction(12), Fraction(120))


@pytest.mark.parametrize("seconds", [60, 10, 1])
@pytest.mark.parametrize(
    ("first", "second", "most"),
    [(60, 60, 100), (40, 70, 100), (70, 40, 100), (1, 100, 100), (100, 1, 100), (50, 50, 99)],
)
def test_a_window_over_a_boundary_beats_a_busier_clock_cell(
    first: int, second: int, most: int, seconds: int, tmp_path: Path
) -> None:
    """Neither half is as busy as the busiest clock cell, some not even half as busy; together they are busier."""
    rows = [plain(at * seconds, tokens) for at, tokens in ((10.5, most), (20.95, first), (21.05, second))]
    found = maxima(tmp_path, *rows)
    assert found[(60, 10, 1).index(seconds)] == Fraction((first + second) * 60, seconds)


@pytest.mark.parametrize("seconds", [60, 10, 1])
def test_a_window_that_begins_inside_a_cell_reaches_into_one_more_than_it_is_long(seconds: int, tmp_path: Path) -> None:
    rows = [plain(at * seconds, tokens) for at, tokens in ((0.083, 10), (1.07, 10), (10.5, 15))]
    assert maxima(tmp_path, *rows)[(60, 10, 1).index(seconds)] == Fraction(20 * 60, seconds)
