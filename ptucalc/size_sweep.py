"""Which sizes to look at, and what they say: the first that refuses nothing, the smallest that keeps to a target.

The share of 429s is not monotone in the size: a larger deployment can admit a huge call that then blocks others. So
every legal size is looked at, not searched for by halving. Only "no 429 at all" is monotone: the same calls are admitted,
a larger bucket drains faster, and its level never is above the smaller one's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from ptucalc.catalog import Unknown
from ptucalc.simulated_runs import SweepPoint, Target
from ptucalc.simulating import LANES

__all__ = ["Sweep", "first_without"]


class Sweep:
    """Sizes that were looked at, of ascending legal ones. `look` answers for several sizes at once.

    `refuses_none` says of a size's point whether the bucket refused nothing.
    """

    def __init__(self, sizes: Sequence[int], look: Callable[[Sequence[int]], Iterable[SweepPoint]]) -> None:
        self._sizes, self._look = sizes, look
        self._points: dict[int, SweepPoint] = {}
        self.every_legal_size = True

    @property
    def points(self) -> tuple[SweepPoint, ...]:
        """What was looked at, ascending."""
        return tuple(self._points[ptu] for ptu in sorted(self._points))

    def fill(self, last_ptu: int, most: int) -> None:
        """Look at every legal size up to this one; at most about so many, evenly spread."""
        sizes = [ptu for ptu in self._sizes if ptu <= last_ptu]
        self.every_legal_size = len(sizes) <= most
        chosen = sizes if self.every_legal_size else [*sizes[:: len(sizes) // most + 1], sizes[-1]]
        self._see(chosen)

    def _see(self, sizes: Iterable[int]) -> None:
        missing = sorted({ptu for ptu in sizes if ptu not in self._points})
        self._points |= {point.ptu: point for point in self._look(missing)} if missing else {}

    def target(self, share: Fraction, first_without_429: int | Unknown, most: int) -> Target:
        """The smallest size whose share of 429s is not over this one, and whether the larger ones keep to it too.

        Where not every size was looked at, those just below the smallest that does are, so far as they are not too many.
        """
        smallest = self._smallest(share)
        if smallest is None:
            top = self.points[-1]
            seen = f"even {top.ptu:,} PTU meet 429s in {float(top.throttled_share):.2%} of the requests"
            return Target(share, Unknown(seen), Unknown(seen), ())
        if not self.every_legal_size:
            below = max((ptu for ptu in self._points if ptu < smallest), default=0)
            between = [ptu for ptu in self._sizes if below < ptu < smallest]
            self._see(between[-most:])
            smallest = self._smallest(share)
            assert smallest is not None
        exceptions = tuple(p.ptu for p in self.points if p.ptu > smallest and p.throttled_share > share)
        every: bool | Unknown = not exceptions
        if every and isinstance(first_without_429, Unknown):
            every = Unknown(f"sizes over {self._sizes[-1]:,} PTU were not looked at")
        elif every and not self.every_legal_size:
            every = Unknown(f"not every size from {smallest:,} PTU on was looked at")
        return Target(share, smallest, every, exceptions)

    def _smallest(self, share: Fraction) -> int | None:
        return next((point.ptu for point in self.points if point.throttled_share <= share), None)


def first_without(sizes: Sequence[int], refuses: Callable[[Sequence[int]], Sequence[bool]]) -> int | None:
    """The first of ascending sizes that refuses nothing, where all after it refuse nothing either; None for none.

    `refuses` answers for several sizes at once. The first time sizes are far apart, each so many times the one before.

    >>> first_without(range(10, 100_000, 5), lambda some: [ptu < 777 for ptu in some])
    780
    """
    below, above = -1, len(sizes)
    spread = _geometric(len(sizes))
    while above - below > 1:
        wanted = [index for index in spread if below < index < above]
        answers = refuses([sizes[index] for index in wanted])
        below = max((index for index, some in zip(wanted, answers, strict=True) if some), default=below)
        above = min((index for index, some in zip(wanted, answers, strict=True) if not some), default=above)
        step = (above - below) // (LANES + 1) + 1
        spread = list(range(below + step, above, step))
    return sizes[above] if above < len(sizes) else None


def _geometric(length: int) -> list[int]:
    """At most so many places as there are lanes, from the first to the last, ever farther apart."""
    places = {0, length - 1}
    for lane in range(LANES - 2):
        places.add(min(lane + (1 << (lane * length.bit_length() // LANES)) - 1, length - 1))
    return sorted(places)
