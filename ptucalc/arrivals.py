"""Synthetic calls of workloads: evenly spaced, at random, or in bursts, as many per minute as a workload says.

Exact and the same everywhere: times are whole microseconds computed in integers, and the random numbers are the output of
SHAKE-128 (FIPS 202) for the seed, so that a seed gives the same calls on every machine and Python version.

Every call is the workload's mean call. Where that has a fraction of a token of some class, calls get one token more or
less, so that the sum of each class stays within one token of its mean times the calls. That arrivals are random (independent of one
another) or come in bursts is an assumption; how bursty real traffic is only a log shows.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from hashlib import shake_128
from itertools import accumulate, chain, count, islice, pairwise, repeat
from math import lcm
from operator import add
from struct import unpack

from ptucalc.call_trace import MICROSECONDS_PER_MINUTE, CallTrace
from ptucalc.errors import BadInput, Problem
from ptucalc.workload import LoadProfile, Workload

__all__ = [
    "MOST_CALLS",
    "ArrivalKind",
    "Arrivals",
    "draws",
    "parse_duration",
    "shortest_duration_us",
    "synthetic_trace",
]

MOST_CALLS = 50_000_000
"""More calls than this are no trace that anyone waits for."""

_MICROSECONDS_PER_SECOND = 1_000_000
_MICROSECONDS_PER_HOUR = 60 * MICROSECONDS_PER_MINUTE
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_DRAW_BITS = 64
_DRAWS_AT_ONCE = 4096

Stretch = tuple[int, int, int]
"""From when to when, in microseconds, and the rate in it: calls per minute, times a scale."""


class ArrivalKind(StrEnum):
    """How calls follow one another.

    UNIFORM spaces them evenly. POISSON has independent exponential gaps. BURSTY has bursts at such gaps, each of so many
    calls spread evenly over so many seconds. All have the workload's mean rate.
    """

    UNIFORM = "uniform"
    POISSON = "poisson"
    BURSTY = "bursty"


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """A kind of arrivals with what it is made from; the bursts are an assumption, of a size that nobody published."""

    kind: ArrivalKind = ArrivalKind.POISSON
    seed: int = 0
    calls_per_burst: int = 10
    burst_seconds: Fraction = Fraction(1)  # immutable

    def __post_init__(self) -> None:
        problems = []
        if self.calls_per_burst < 1:
            problems.append(Problem("calls_per_burst", str(self.calls_per_burst), "a whole number, 1 or more"))
        if self.burst_seconds < 0:
            problems.append(Problem("burst_seconds", str(self.burst_seconds), "a number of seconds, 0 or more"))
        if problems:
            raise BadInput(problems)


def parse_duration(text: str) -> int:
    """A duration such as 90s, 15m, 1h or 7d, in microseconds. ValueError says what was expected.

    >>> parse_duration("1h"), parse_duration("7 d")
    (3600000000, 604800000000)
    """
    plain = text.strip().casefold()
    number = plain.rstrip("abcdefghijklmnopqrstuvwxyz")
    seconds, digits = _UNITS.get(plain[len(number) :]), number.strip()
    if seconds is None or not (digits.isascii() and digits.isdecimal()) or len(digits) > 9 or not int(digits):
        raise ValueError("a duration such as 90s, 15m, 24h or 7d")
    return int(digits) * seconds * _MICROSECONDS_PER_SECOND


def shortest_duration_us(workloads: Iterable[Workload]) -> int:
    """The time in which every timed profile is gone through once: a day, a week, the minutes; 0 without such profiles."""
    return max((_length(workload.profile) for workload in workloads), default=0)


def synthetic_trace(workloads: Sequence[Workload], *, duration_us: int, arrivals: Arrivals) -> CallTrace:
    """The calls of the workloads over a time that begins at 0, merged; calls at the same time keep their order.

    A workload without a profile runs at its `requests_per_minute`, its peak, all the time. Hourly profiles and minutes
    are gone through from their start, again and again; the levels of a profile follow one another in their order, each
    for its share of the time. With evenly spaced calls several workloads start apart from one another: the first of n
    after half an n-th of a gap, the next a whole n-th later. Each random workload has its own random numbers, so that
    another beside it changes none of its calls.

    Raises BadInput where the time is too short to go through a profile, there would be too many calls, or a workload
    has images (of which a trace knows nothing).
    """
    _check(workloads, duration_us)
    parts = [_part(workload, duration_us, arrivals, index, len(workloads)) for index, workload in enumerate(workloads)]
    columns: dict[str, array[int]] = {name: array("q") for name in ("uncached", "cached", "written", "output")}
    times, limits = array("q"), array("q")
    for workload, at in zip(workloads, parts, strict=True):
        times.extend(at)
        tokens = Fraction(workload.input_tokens)
        cached, written = tokens * workload.cache_ratio, tokens * workload.cache_write_ratio
        prompt = _spread((tokens - cached - written, cached, written), len(at))
        (output,) = _spread((Fraction(workload.output_tokens),), len(at))
        for column, values in zip(columns.values(), (*prompt, output), strict=True):
            column.extend(values)
        limits.extend(repeat(-1 if workload.max_tokens is None else workload.max_tokens, len(at)))
    known = any(workload.max_tokens is not None for workload in workloads)
    return CallTrace.sorted_columns(times, relative_clock=True, max_tokens=limits if known else None, **columns)


def _check(workloads: Sequence[Workload], duration_us: int) -> None:
    problems = []
    if duration_us < 1:
        problems.append(Problem("duration", f"{duration_us} us", "a time over 0"))
    if not workloads:
        problems.append(Problem("workloads", "", "at least one workload"))
    shortest = shortest_duration_us(workloads)
    if duration_us < shortest:
        expected = f"at least {_shown(shortest)}: a shorter time would leave out a part of the profile"
        problems.append(Problem("duration", _shown(duration_us), expected))
    for workload in workloads:
        if workload.image_input_tokens or workload.image_output_tokens:
            problems.append(Problem("image_input_tokens", workload.name or workload.model, "a workload without images"))
    if not problems:
        calls = sum((_expected(workload, duration_us) for workload in workloads), Fraction(0))
        if calls > MOST_CALLS:
            problems.append(Problem("duration", f"{int(calls):,} calls", f"at most {MOST_CALLS:,} calls"))
    if problems:
        raise BadInput(problems)


def _expected(workload: Workload, duration_us: int) -> Fraction:
    """Calls of a workload in the time, on average."""
    stretches, scale = _stretches(workload, duration_us)
    return Fraction(sum((end - start) * rate for start, end, rate in stretches), scale * MICROSECONDS_PER_MINUTE)


def _shown(duration_us: int) -> str:
    """A duration in the largest unit that it is whole in."""
    for unit in ("d", "h", "m", "s"):
        if duration_us % (_UNITS[unit] * _MICROSECONDS_PER_SECOND) == 0:
            return f"{duration_us // (_UNITS[unit] * _MICROSECONDS_PER_SECOND)}{unit}"
    return f"{duration_us} us"


def _length(profile: LoadProfile | None) -> int:
    """How long the rates of a profile last that says when they are, in microseconds; 0 for the others."""
    if profile is None or profile.levels:
        return 0
    if profile.hourly:
        return len(profile.hourly) * _MICROSECONDS_PER_HOUR
    return len(profile.timed) * MICROSECONDS_PER_MINUTE


def _stretches(workload: Workload, duration_us: int) -> tuple[list[Stretch], int]:
    """The times in which a workload's rate stays the same, and the scale of the rates."""
    profile = workload.profile
    if profile is None:
        rates, ends = [workload.requests_per_minute], [duration_us]
    elif profile.levels:
        rates = [rate for _, rate in profile.levels]
        ends = [int(share * duration_us) for share in accumulate(part for part, _ in profile.levels)]
    else:
        once = profile.hourly or profile.timed
        each = _length(profile) // len(once)
        passed = range(duration_us // each)
        rates = [once[index % len(once)] for index in (*passed, len(passed))]
        ends = [*(each * (index + 1) for index in passed), duration_us]
    scale = lcm(*{rate.denominator for rate in rates})
    scaled = [rate.numerator * (scale // rate.denominator) for rate in rates]
    return [each for each in zip([0, *ends], ends, scaled, strict=False) if each[0] < each[1] and each[2]], scale


def _part(workload: Workload, duration_us: int, arrivals: Arrivals, index: int, of: int) -> list[int]:
    """When the calls of one of the workloads arrive, in order."""
    stretches, scale = _stretches(workload, duration_us)
    if arrivals.kind is ArrivalKind.UNIFORM:
        return _placed(count(2 * index + 1, 2 * of), 2 * of, stretches, scale)
    gaps = _exponential(draws(arrivals.seed, index))
    if arrivals.kind is ArrivalKind.POISSON:
        return _placed(accumulate(gaps), 1 << _DRAW_BITS, stretches, scale)
    size, length = arrivals.calls_per_burst, arrivals.burst_seconds * _MICROSECONDS_PER_SECOND
    starts = _placed(accumulate(gap * size for gap in gaps), 1 << _DRAW_BITS, stretches, scale)
    later = [int(length * call / size) for call in range(size)]
    # what would run past the end is put at the start, as if a burst had been under way then: no call is lost
    return sorted((start + after) % duration_us for start in starts for after in later)


def _placed(places: Iterable[int], unit: int, stretches: Sequence[Stretch], scale: int) -> list[int]:
    """When calls arrive that stand at these places, in `unit`-ths of a call, along the calls that are expected.

    Expected calls = the rate summed over the time. Calls that are random along them are random in time at that rate.
    """
    along = iter(places)
    per_call = scale * MICROSECONDS_PER_MINUTE  # of rate x microseconds, which are what a stretch is measured in
    place = next(along) * per_call
    base = 0
    found = []
    for start, end, rate in stretches:
        step = rate * unit
        top = base + (end - start) * step
        while place < top:
            found.append(start + (place - base) // step)
            place = next(along) * per_call
        base = top
    return found


def draws(seed: int, stream: int | str) -> Iterator[int]:
    """Random integers of 64 bits without end: SHAKE-128 of the seed, the stream and a running number."""

    def block(number: int) -> tuple[int, ...]:
        text = f"ptucalc arrivals 1/{seed}/{stream}/{number}"
        return unpack(f"<{_DRAWS_AT_ONCE}Q", shake_128(text.encode("ascii")).digest(_DRAW_BITS // 8 * _DRAWS_AT_ONCE))

    return chain.from_iterable(map(block, count()))


def _exponential(draws: Iterator[int]) -> Iterator[int]:
    """Exponentially distributed values of mean 1, in 2^-64, from comparisons alone.

    A run of falling draws of odd length gives its first as the fraction; an even one adds 1 and starts again. No
    logarithm, whose last digit differs between machines. Source: J. von Neumann, "Various techniques used in connection
    with random digits", 1951.
    """
    draw = draws.__next__
    whole = 0
    while True:
        first = previous = draw()
        odd = True
        while (following := draw()) < previous:
            previous, odd = following, not odd
        if odd:
            yield whole + first
            whole = 0
        else:
            whole += 1 << _DRAW_BITS


def _spread(means: Sequence[Fraction], calls: int) -> list[list[int]]:
    """Whole tokens of each class for every call, whose sums follow the means to less than one token.

    Classes that make up whole tokens together do so in every call; others are rounded by themselves.
    """
    if len(means) > 1 and sum(means).denominator == 1:
        return _shared_out(means, calls)
    return [_rounded_along(mean, calls) for mean in means]


def _rounded_along(mean: Fraction, calls: int) -> list[int]:
    """Whole tokens whose sum up to each call is that many times the mean, rounded."""
    top, scale = mean.as_integer_ratio()
    if scale == 1:
        return [top] * calls
    sums = [(2 * top * call + scale) // (2 * scale) for call in range(calls + 1)]
    return [after - before for before, after in pairwise(sums)]


def _shared_out(means: Sequence[Fraction], calls: int) -> list[list[int]]:
    """Whole tokens of each class of calls that are equally long.

    Each call has the whole part of each mean; the tokens left over go to the classes that are furthest behind, which
    for three classes keeps each within 5/6 of a token of its mean. As soon as none is behind, the pattern repeats.
    """
    scale = lcm(*(mean.denominator for mean in means))
    wholes = [mean.numerator // mean.denominator for mean in means]
    parts = [int((mean - whole) * scale) for mean, whole in zip(means, wholes, strict=True)]
    left_over = sum(parts) // scale
    rows, behind, classes = [], [0] * len(parts), range(len(parts))
    for _ in range(calls):
        behind = list(map(add, behind, parts))
        row = wholes.copy()
        for index in sorted(classes, key=behind.__getitem__, reverse=True)[:left_over]:
            row[index] += 1
            behind[index] -= scale
        rows.append(row)
        if not any(behind):
            break
    columns = ([row[index] for row in rows] for index in classes)
    return [list(islice(chain.from_iterable(repeat(column)), calls)) for column in columns]
