"""The only place that rounds up or ranks: the grid of legal deployment sizes, percentiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

__all__ = ["Grid", "apportioned", "cents", "nearest_rank"]


def cents(numerator: int, denominator: int) -> int:
    """An amount of dollars as whole cents, half a cent up (down where it is negative).

    >>> cents(1, 8), cents(5, 1000), cents(-1, 8)
    (13, 1, -13)
    """
    whole = (200 * abs(numerator) + denominator) // (2 * denominator)
    return whole if numerator >= 0 else -whole


def nearest_rank(ranked: Sequence[int], share: Fraction) -> int:
    """The percentile of values that ascend: the smallest that a share of them is not over, at rank ceil(share x count).

    >>> [nearest_rank([10, 20, 30, 40], Fraction(share, 4)) for share in (0, 1, 2, 4)]
    [10, 10, 20, 40]
    >>> nearest_rank([10, 20, 30, 40], Fraction(51, 100))
    30
    """
    if not ranked or not 0 <= share <= 1:
        raise ValueError(f"a percentile is of one value or more, at a share of 0 to 1, not {share}")
    return ranked[max(1, -(-share.numerator * len(ranked) // share.denominator)) - 1]


def apportioned(total: int, weights: Sequence[Fraction]) -> list[int]:
    """A total split into whole parts by weight that sum to it: the largest remainders are rounded up, ties to the first.

    Equal parts where all weigh nothing.

    >>> apportioned(100, [Fraction(1)] * 3), apportioned(5, [Fraction(1, 2), Fraction(0), Fraction(3, 2)])
    ([34, 33, 33], [1, 0, 4])
    """
    if not weights or total < 0 or any(weight < 0 for weight in weights):
        raise ValueError("a total of 0 or more is split by one weight or more, none below 0")
    each = list(weights) if any(weights) else [Fraction(1)] * len(weights)
    common = lcm(*(weight.denominator for weight in each))
    scaled = [weight.numerator * (common // weight.denominator) for weight in each]
    whole = sum(scaled)
    parts = [total * weight // whole for weight in scaled]
    by_remainder = sorted(range(len(parts)), key=lambda i: -(total * scaled[i] % whole))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


@dataclass(frozen=True, slots=True)
class Grid:
    """The sizes one deployment may have, in PTU: a minimum, and steps of the scale increment."""

    minimum: int
    increment: int

    def __post_init__(self) -> None:
        if self.minimum < 1 or self.increment < 1:
            raise ValueError(f"minimum and increment are 1 PTU or more, not {self.minimum} and {self.increment}")

    def round_up(self, numerator: int, denominator: int) -> int:
        """The size to buy, in PTU, for a need of numerator / denominator PTU.

        max(minimum, the need rounded up to a multiple of the increment). Source of the rule: Microsoft's sizing page,
        "rounded up to the nearest increment, or to the minimum, whichever is larger".

        >>> Grid(15, 5).round_up(416, 1), Grid(50, 50).round_up(416, 1), Grid(15, 5).round_up(1, 3)
        (420, 450, 15)
        """
        if numerator < 0 or denominator < 1:
            raise ValueError(f"a need is 0 PTU or more, not {numerator}/{denominator}")
        return max(self.minimum, -(-numerator // (denominator * self.increment)) * self.increment)

    def up_to(self, ptu: int) -> Iterator[int]:
        """Every size that can be bought, from the smallest to this one.

        >>> list(Grid(15, 5).up_to(30)), list(Grid(25, 50).up_to(100))
        ([15, 20, 25, 30], [25, 50, 100])
        """
        if self.minimum <= ptu:
            yield self.minimum
        first = (self.minimum // self.increment + 1) * self.increment
        yield from range(first, ptu + 1, self.increment)

    def largest_within(self, ptu: int) -> int | None:
        """The largest size that is not over this many PTU; None where even the smallest is.

        >>> Grid(15, 5).largest_within(38), Grid(25, 50).largest_within(49), Grid(15, 5).largest_within(14)
        (35, 25, None)
        """
        if ptu < self.minimum:
            return None
        return max(self.minimum, ptu // self.increment * self.increment)

    def steps(self, largest: int) -> Iterator[tuple[int, int]]:
        """What `round_up` answers, as a staircase: each size up to `largest`, and the largest need it is the answer to.

        >>> list(Grid(15, 5).steps(25)), list(Grid(25, 50).steps(100)), list(Grid(500, 275).steps(825))
        ([(15, 15), (20, 20), (25, 25)], [(50, 50), (100, 100)], [(500, 275), (550, 550), (825, 825)])
        """
        need = max(1, self.minimum // self.increment) * self.increment
        while (size := max(self.minimum, need)) <= largest:
            yield size, need
            need += self.increment

    def holds(self, ptu: int) -> bool:
        """Whether a deployment of this many PTU can be bought.

        >>> Grid(15, 5).holds(20), Grid(15, 5).holds(10), Grid(25, 50).holds(25), Grid(25, 50).holds(75)
        (True, False, True, False)
        """
        return ptu == self.minimum or (ptu > self.minimum and ptu % self.increment == 0)

    def minimum_decides(self, numerator: int, denominator: int) -> bool:
        """Whether the need, rounded up to the increment, is still below the minimum.

        >>> Grid(15, 5).minimum_decides(10, 1), Grid(15, 5).minimum_decides(11, 1)
        (True, False)
        """
        return -(-numerator // (denominator * self.increment)) * self.increment < self.minimum

    @property
    def on_grid(self) -> bool:
        """Whether the minimum itself is a multiple of the increment (where not, the legal sizes are ambiguous)."""
        return self.minimum % self.increment == 0
