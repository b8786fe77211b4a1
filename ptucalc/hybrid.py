"""The cheapest mix of PTU and spillover, and when PTU breaks even, in integers and fractions until the last rounding.

    cost(P) = P x price of a PTU-month + pay-as-you-go price of the demand above P's capacity, stretch by stretch

Source of the rule: Microsoft bills a provisioned deployment by the hour and spilled calls at the standard token rates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from ptucalc.load import Overflow
from ptucalc.prices import MINUTES_PER_MONTH
from ptucalc.rounding import Grid

__all__ = ["CostCurve", "Point", "Range", "cheaper_ranges", "increments", "sampled"]


class Point(NamedTuple):
    """A number of PTU with its fixed price and the price of what spills, in dollars a month."""

    ptu: int
    fixed: Fraction
    spilled: Fraction

    @property
    def monthly(self) -> Fraction:
        """Fixed and spilled together."""
        return self.fixed + self.spilled


class CostCurve:
    """What each size costs a month when the demand above it spills to pay-as-you-go."""

    def __init__(
        self,
        spill: Overflow,
        tpm_per_ptu: int,
        grid: Grid,
        largest: int,
        usd_per_ptu: Fraction,
        payg_factor: Fraction = Fraction(1),  # immutable
    ) -> None:
        """`spill` is of pay-as-you-go dollars, taken times `payg_factor`; `largest` the first size that covers the peak."""
        self.spill, self.tpm_per_ptu, self.usd_per_ptu = spill, tpm_per_ptu, usd_per_ptu
        self.usd_per_spilled = payg_factor * MINUTES_PER_MONTH
        self.sizes: tuple[int, ...] = (0, *grid.up_to(largest))
        common = lcm(usd_per_ptu.denominator, payg_factor.denominator)
        self.denominator = spill.denominator * common
        self._fixed = int(usd_per_ptu * common) * spill.denominator
        self._spilled = int(self.usd_per_spilled * common)

    def top(self, ptu: int) -> int:
        """The monthly cost of a size, in parts of `denominator`."""
        return ptu * self._fixed + self._spilled * self.spill.top(ptu * self.tpm_per_ptu)

    def tops(self) -> Iterator[tuple[int, int]]:
        """Every size with its monthly cost, in parts of `denominator`: the whole curve."""
        return ((ptu, self.top(ptu)) for ptu in self.sizes)

    def point(self, ptu: int) -> Point:
        """One size with its exact cost."""
        spilled = self.spill.over(ptu * self.tpm_per_ptu) * self.usd_per_spilled
        return Point(ptu, self.usd_per_ptu * ptu, spilled)

    def cheapest(self) -> Point:
        """The size of the lowest cost; of equally cheap ones the smallest.

        What spills is convex in the capacity, so beyond the first size that does not lower the cost none does; only 0
        stands apart, because the smallest size that is sold is a larger step than the others.
        """
        best, lowest = self.sizes[0], self.top(self.sizes[0])
        before = None
        for ptu in self.sizes[1:]:
            cost = self.top(ptu)
            if before is not None and cost >= before:
                break
            if cost < lowest:
                best, lowest = ptu, cost
            before = cost
        return self.point(best)


class Range(NamedTuple):
    """Rates over `start` up to and including `end`, in requests per minute; `end` None: without end."""

    start: Fraction
    end: Fraction | None


def cheaper_ranges(
    *, payg_per_request: Fraction, need_per_request: Fraction, usd_per_ptu: Fraction, grid: Grid, largest_ptu: int
) -> tuple[Range, ...]:
    """Every interval of the peak rate in which covering the whole peak with PTU is cheaper than pay-as-you-go.

    With the load's shape kept, pay-as-you-go grows in proportion to the rate, while PTU is a staircase: on the step of
    size P, up to the rate that P serves, PTU is cheaper above P x price / `payg_per_request`. `payg_per_request` is
    dollars a month, `need_per_request` PTU with headroom, both for one request per minute of the peak. Steps over
    `largest_ptu` (one deployment's limit) are not looked at.
    """
    if not payg_per_request:
        return ()
    price = usd_per_ptu / payg_per_request  # the rate at which one PTU breaks even
    if not need_per_request:
        return (Range(grid.minimum * price, None),)
    holds = 1 / need_per_request  # the rate that one PTU holds
    if price >= holds:
        return ()
    common = lcm(price.denominator, holds.denominator)
    even_each, held_each = int(price * common), int(holds * common)
    found: list[tuple[int, int | None]] = []
    before, held_before = 0, 0
    for ptu, need in grid.steps(largest_ptu):
        even, held = ptu * even_each, need * held_each
        if even >= held:
            before, held_before = need, held
            continue
        start = max(held_before, even)
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], held)
        else:
            found.append((start, held))
        if even <= held_before and ptu == need and need - before == grid.increment:  # and so on every step from here
            found[-1] = (found[-1][0], None)
            break
        before, held_before = need, held
    return tuple(Range(Fraction(start, common), None if end is None else Fraction(end, common)) for start, end in found)


def increments(sizes: Sequence[int], ptu: int) -> tuple[int | None, int | None]:
    """The sizes before and after this one; None at an end."""
    at = sizes.index(ptu)
    return (sizes[at - 1] if at else None), (sizes[at + 1] if at + 1 < len(sizes) else None)


def sampled(sizes: Sequence[int], most: int, *always: int) -> Iterable[int]:
    """At most about so many of the sizes, evenly spread, with these among them."""
    step = max(1, len(sizes) // most)
    return sorted({*sizes[::step], sizes[-1], *always})
