"""What a PTU serves, as far as a benchmark shows it: bounds on the rate at which a saturated deployment drains.

The documented rule (a leaky bucket) is all that is used; how deep the bucket is, is not published and need not be known.
At every 429 the level is at the capacity C or above it, and no call is admitted at C or above, so it is never above
C + e, where e is the largest estimate of a call. Between two 429s at t1 and t2 the bucket does not run empty if no gap
between 429s is longer than C lasts, so it drains all the time, at a rate R:

    R x (t2 - t1) = what the calls hold in the bucket at t2 - what they hold at t1 - (level at t2 - level at t1)

The difference of the levels is between -e and e. A call holds its estimate while it is under way, and its true cost from
its completion on. The client does not see when the service decides or completes: a decision lies between sending and the
longest that a 429 took to come back (429s come at once), a completion up to as long before the client saw it. All of that
goes into the bounds. They say nothing of what was not tried: other weights of input and output, other hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal, NamedTuple

from ptucalc.bench_samples import Refusal
from ptucalc.call_trace import MICROSECONDS_PER_MINUTE
from ptucalc.catalog import Unknown

__all__ = ["LONGEST_GAP_US", "Admitted", "Bounds", "Calibration", "Verdict", "drain_bounds", "sustained_at_least"]

LONGEST_GAP_US = 10_000_000
"""429s further apart than this are not put together: the bucket may have run empty between them."""

Verdict = Literal["agrees", "lower", "higher", "open"]


class Admitted(NamedTuple):
    """A call that was admitted, or (`actual` is None: its answer was lost) may have been.

    `estimate` is what it holds in the bucket while under way, `actual` what it weighs: weighted tokens.
    """

    sent_us: int
    finished_us: int
    estimate: Fraction
    actual: Fraction | None


class Bounds(NamedTuple):
    """At least and at most so many weighted tokens per minute drain, and what that rests on.

    `refusals` 429s over `span_us`, the largest gap between two of them, the slack in time that a decision has, and the
    largest estimate of a call.
    """

    at_least: Fraction
    at_most: Fraction
    refusals: int
    span_us: int
    largest_gap_us: int
    slack_us: int
    largest_estimate: Fraction

    @property
    def middle(self) -> Fraction:
        """Halfway between them."""
        return (self.at_least + self.at_most) / 2


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Bounds on the weighted TPM of a deployment against what the catalog says of its PTU.

    `bounds` is Unknown with the reason where it was not saturated for long enough; `sustained_tpm` is then what it served at
    the least, if its bucket holds no more than `window_seconds`.
    """

    ptu: int
    catalog_tpm_per_ptu: int | Unknown
    bounds: Bounds | Unknown
    sustained_tpm: Fraction | Unknown
    window_seconds: Fraction

    @property
    def at_least_tpm_per_ptu(self) -> Fraction | Unknown:
        """The lower bound for one PTU."""
        found = self.sustained_tpm if isinstance(self.bounds, Unknown) else self.bounds.at_least
        return found if isinstance(found, Unknown) else found / self.ptu

    @property
    def at_most_tpm_per_ptu(self) -> Fraction | Unknown:
        """The upper bound for one PTU."""
        return self.bounds if isinstance(self.bounds, Unknown) else self.bounds.at_most / self.ptu

    @property
    def verdict(self) -> Verdict:
        """Whether the catalog's rate agrees with the measurement, or what was measured is lower or higher; else open."""
        known, low, high = self.catalog_tpm_per_ptu, self.at_least_tpm_per_ptu, self.at_most_tpm_per_ptu
        if isinstance(known, Unknown):
            return "open"
        if not isinstance(low, Unknown) and known < low:
            return "higher"
        if isinstance(high, Unknown):
            return "open"
        return "lower" if known > high else "agrees"

    @property
    def tpm_per_ptu_to_use(self) -> int | Unknown:
        """What to size with: the catalog's rate where it agrees, else the lower bound, cut to a whole number.

        Unknown where there are no two bounds: less than them supports no number.
        """
        if isinstance(self.bounds, Unknown):
            return self.bounds
        if self.verdict == "agrees" and not isinstance(self.catalog_tpm_per_ptu, Unknown):
            return self.catalog_tpm_per_ptu
        whole = self.bounds.at_least.numerator // (self.bounds.at_least.denominator * self.ptu)
        return (
            whole if whole > 0 else Unknown("the lower bound is under 1 weighted TPM per PTU: saturate it for longer")
        )


def drain_bounds(calls: Iterable[Admitted], refusals: Iterable[Refusal]) -> Bounds | Unknown:
    """Bounds on the drain between the first and the last of 429s that follow one another closely: the narrowest found.

    `calls` are all that were admitted or may have been; `refusals` all 429s. Unknown, with the reason, where 429s do not
    span enough time for an upper bound.
    """
    admitted = list(calls)
    ordered = sorted(refusals, key=lambda refusal: refusal.sent_us)
    if not ordered:
        return Unknown("no call met a 429: it was never saturated")
    slack = max(refusal.answered_us - refusal.sent_us for refusal in ordered)
    largest = max((call.estimate for call in admitted), default=Fraction(0))
    found = [
        bounds
        for chain in _chains(ordered)
        if (bounds := _bounds(admitted, chain, slack_us=slack, largest=largest)) is not None
    ]
    if not found:
        return Unknown("the 429s do not follow one another for long enough: saturate it for longer")
    return min(found, key=lambda bounds: (bounds.at_most - bounds.at_least, -bounds.span_us))


def _chains(refusals: Sequence[Refusal]) -> Iterator[Sequence[Refusal]]:
    """429s with no gap over the longest between them, two or more."""
    first = 0
    for index in range(1, len(refusals) + 1):
        ends = index == len(refusals) or refusals[index].sent_us - refusals[index - 1].sent_us > LONGEST_GAP_US
        if ends:
            if index - first > 1:
                yield refusals[first:index]
            first = index


def _bounds(calls: Sequence[Admitted], chain: Sequence[Refusal], *, slack_us: int, largest: Fraction) -> Bounds | None:
    start, end = chain[0].sent_us, chain[-1].sent_us
    span = end - start
    if span <= slack_us:
        return None
    least = most = Fraction(0)
    for call in calls:
        if call.finished_us <= start or call.sent_us > end + slack_us:
            continue  # it holds as much at the one as at the other
        least += _held(call, end, slack_us)[0] - _held(call, start, slack_us)[1]
        most += _held(call, end, slack_us)[1] - _held(call, start, slack_us)[0]
    at_least = (least - largest) * MICROSECONDS_PER_MINUTE / (span + slack_us)
    return Bounds(
        at_least=max(at_least, Fraction(0)),
        at_most=(most + largest) * MICROSECONDS_PER_MINUTE / (span - slack_us),
        refusals=len(chain),
        span_us=span,
        largest_gap_us=max(later.sent_us - earlier.sent_us for earlier, later in pairwise(chain)),
        slack_us=slack_us,
        largest_estimate=largest,
    )


def _held(call: Admitted, at_us: int, slack_us: int) -> tuple[Fraction, Fraction]:
    """The least and the most that a call may hold in the bucket at a decision sent at that time."""
    nothing = Fraction(0)
    actual_least = nothing if call.actual is None else call.actual
    actual_most = call.estimate if call.actual is None else call.actual
    if at_us + slack_us < call.sent_us:
        most = nothing
    else:
        most = actual_most if at_us >= call.finished_us else max(call.estimate, actual_most)
    if at_us < call.sent_us + slack_us:
        least = nothing
    elif call.actual is None or at_us + slack_us >= call.finished_us - slack_us:
        least = min(call.estimate, actual_least)
    else:
        least = call.estimate
    return least, most


def sustained_at_least(calls: Iterable[Admitted], *, window_seconds: Fraction) -> Fraction | Unknown:
    """Weighted tokens per minute that drain at the least, from what was served alone.

    What the calls weigh is at most what drained and what the bucket holds: actual <= R x (time + window) + e. Holds for a
    bucket of at most `window_seconds`. Unknown where nothing was served.
    """
    served = [call for call in calls if call.actual is not None]
    if not served:
        return Unknown("no call was served")
    time = max(call.finished_us for call in served) - min(call.sent_us for call in served)
    total = sum((call.actual for call in served if call.actual is not None), Fraction(0))
    largest = max(call.estimate for call in served)
    whole = time + window_seconds * 1_000_000
    return max(Fraction(0), (total - largest) * MICROSECONDS_PER_MINUTE / whole)
