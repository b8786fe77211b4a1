"""What a scan of rows found, block by block: calls one by one or a sample of them, other rows, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ptucalc.errors import BadInput, Problem
from ptucalc.read.fast_engine import RowKernel
from ptucalc.read.log_store import SAMPLED_STAMPS, CallStore, PlainSums, Weighing
from ptucalc.read.row_blocks import MOST_CELLS, Block, OddRow, ScanPlan, read_blocks
from ptucalc.read.row_kernel import ABSENT, BACK_US, SECOND_US, SUMS, TOTALS, Rows
from ptucalc.request_log import Stream

__all__ = ["Gathered", "KeptCalls", "gather", "gather_again", "registered", "together"]

MOST_ROWS = 20_000_000
"""So many fit into the memory that the engine has, too."""


LARGEST_SUM = 2**63 - 1
MOST_TERMS = 8
"""A token is part of fewer terms of a sum: it is input, cached or written (which takes back that it is input), or output."""


class Gathered:
    """All that was read so far: the columns of plain calls by block (at least one, where they are kept), of a sample of them
    and of others; the times of the first ones; and what the plain ones add up to."""

    def __init__(self, plan: ScanPlan, streams: Sequence[Stream]) -> None:
        import numpy

        self.streams = streams
        self.plain: list[Mapping[str, Any]] = []
        self.rooms: list[tuple[Rows, int]] = []
        self.samples: list[Mapping[str, Any]] = []
        self.others: list[Mapping[str, Any]] = []
        self.firsts: list[Any] = []
        self.rows = 0
        self.timed = 0
        self.back = 0
        self.sound = 0
        self.last_us: int | None = None
        self.bounds_us: tuple[int, int] | None = None
        self.longest = 0
        self.totals = numpy.zeros(len(TOTALS), numpy.int64)
        self.minutes: dict[int, list[tuple[int, Any]]] | None = {}
        """By stream: sums of minutes from a first one on."""

    def add(self, block: Block) -> None:
        """Add a block. Raises OddRow where there are too many rows."""
        times = block.times
        self.rows += len(times) + len(block.others["us"])
        if self.rows > MOST_ROWS:
            raise OddRow
        self.samples.append(block.sample)
        self.others.append(block.others)
        self.totals += block.totals
        if block.clock["calls"]:
            if self.last_us is not None:
                self.back += block.clock["first_us"] - self.last_us < -BACK_US
            self.back += block.clock["back"]
            self.sound += block.clock["calls"]
            self.last_us = block.clock["last_us"]
        self.longest = max(self.longest, block.longest)
        if block.plain is not None and (len(times) or not self.plain):
            self.plain.append(block.plain)
        if block.rows is not None:
            self.rooms.append((block.rows, len(times)))
        if self.timed < SAMPLED_STAMPS:
            self.firsts.append(times)
            self.timed += len(times)
        if len(times):
            bounds = (int(times.min()), int(times.max()))
            known = self.bounds_us or bounds
            self.bounds_us = (min(known[0], bounds[0]), max(known[1], bounds[1]))
        if block.minutes is None:
            self.minutes = None
        elif self.minutes is not None:
            for stream in block.minutes[:, :, 0].any(axis=1).nonzero()[0].tolist():
                self.minutes.setdefault(stream, []).append((block.first_minute, block.minutes[stream].copy()))

    def sums(self) -> PlainSums | None:
        """The sums of all plain calls; None where there are none, or they lie too far apart."""
        import numpy

        if not self.minutes or self.bounds_us is None:
            return None
        found = {}
        for stream, parts in self.minutes.items():
            first = min(at for at, _ in parts)
            length = max(at + len(part) for at, part in parts) - first
            if length * len(self.minutes) > MOST_CELLS:
                return None
            added = numpy.zeros((length, SUMS), numpy.int64)
            for at, part in parts:
                added[at - first : at - first + len(part)] += part
            (busy,) = added[:, 0].nonzero()
            found[self.streams[stream]] = [(busy + first).tolist(), *added[busy].T.tolist()]
        return PlainSums(
            found,
            dict(zip(TOTALS, self.totals.tolist(), strict=True)),
            *self.bounds_us,
            self.longest,
        )


def gather(store: CallStore, plan: ScanPlan, kernel: RowKernel, streams: Sequence[Stream]) -> Gathered:
    """All that a scan reads. Raises OddRow."""
    gathered = Gathered(plan, streams)
    size = sum(file.size for file, _ in plan.files)
    done = 0
    for block, taken in read_blocks(plan, kernel):
        gathered.add(block)
        done += taken
        if store.progress is not None:
            store.progress(done / size)
    return gathered


def gather_again(store: CallStore, plan: ScanPlan, kernel: RowKernel, before: Gathered) -> Gathered:
    """The same once more, with all plain calls. Raises BadInput where the files have changed."""
    try:
        again = gather(store, plan._replace(keeps_all=True), kernel, before.streams)
    except (OddRow, OSError):
        again = None
    if again is None or (again.totals != before.totals).any() or again.sums() != before.sums():
        names = ", ".join(file.name for file, _ in plan.files)
        expected = "one that stays as it is until all is known of it (copy it first)"
        raise BadInput([Problem("file", "a log that has changed since it was read", expected, source=names)])
    return again


class KeptCalls:
    """Plain calls one by one: a relation of the engine, and the arrays that it asks."""

    def __init__(self, store: CallStore, plan: ScanPlan, kernel: RowKernel, gathered: Gathered) -> None:
        self.store = store
        self.plan = plan
        self.kernel = kernel
        self.gathered = gathered
        self.relation = f"({' union all '.join(f'from {registered(store, block)}' for block in gathered.plain)})"

    def seconds(self, weighing: Mapping[Stream, Weighing]) -> str | None:
        """A relation of what these streams' calls weigh together, by group `g` and second `t` since 1970, as `low`.

        None where it would be larger than the calls, or than 64 bits hold, or a group weighs nothing.
        """
        import numpy

        if self.gathered.bounds_us is None:
            return None
        first, last = (us // SECOND_US for us in self.gathered.bounds_us)
        number, seconds = 1 + max(group for group, _ in weighing.values()), last - first + 1
        heaviest = max(factor for _, factors in weighing.values() for factor in factors)
        tokens = sum(int(self.gathered.totals[TOTALS.index(name)]) for name in ("input", "output"))
        if number * seconds > MOST_ROWS or MOST_TERMS * tokens * heaviest > LARGEST_SUM:
            return None
        groups = numpy.array([weighing[s][0] if s in weighing else ABSENT for s in self.gathered.streams], numpy.int64)
        factors = numpy.zeros((len(groups), self.plan.kept_counts), numpy.int64)
        for row, stream in enumerate(self.gathered.streams):
            if stream in weighing:
                for place, factor in self._factors(weighing[stream][1]):
                    factors[row, place] = factor
        sums = numpy.zeros((number, seconds), numpy.int64)
        for rows, count in self.gathered.rooms:
            self.kernel.sum_seconds(
                count, rows, self.plan.names, groups, factors.ravel(), first, seconds, sums.reshape(-1)
            )
        cells = []
        for group in sorted({group for group, _ in weighing.values()}):
            (busy,) = sums[group].nonzero()
            if not len(busy):
                return None
            name = registered(self.store, {"second": busy, "low": sums[group][busy]})
            cells.append(f"select {group} as g, second + {first} as t, low from {name}")
        return f"({' union all '.join(cells)})"

    def _factors(self, factors: Sequence[int]) -> Iterator[tuple[int, int]]:
        """By the place of a count, what one more of it weighs: input stands for uncached tokens, unless others say so."""
        uncached, cached, written, output = factors
        plain = self.plan.plain
        of_counts = ((plain.input, uncached), (plain.cached, cached - uncached), (plain.written, written - uncached))
        yield from ((place, factor) for place, factor in (*of_counts, (plain.output, output)) if place != ABSENT)


def registered(store: CallStore, columns: Mapping[str, Any]) -> str:
    """The name that the engine knows columns by."""
    name = f"rows{store.next_number()}"
    store.connection.register(name, columns)
    return name


def together(blocks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The columns of several blocks in one."""
    import numpy

    return {name: numpy.concatenate([each[name] for each in blocks]) for name in blocks[0]}
