"""Large tables whose rows are all written alike, read by a compiled scan into arrays that the engine then asks.

It takes a fraction of the time in which the engine tells cells apart, and needs numba (the extra `fast`). It reads what is
plainly so and nothing else: one cell between quotation marks, one more column, and the engine reads the whole log. JSON lines
are left to the engine, which reads them as soon. Rows that are plainly calls are added up by minute on the way, and read
again where they are asked for one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from ptucalc.errors import BadInput, Problem
from ptucalc.read.fast_engine import RowKernel, compiled_rows
from ptucalc.read.log_files import LogFile
from ptucalc.read.log_relation import NAMES, ZONE, Relation
from ptucalc.read.log_sql import LATEST_US, NUMBERS, quoted
from ptucalc.read.log_store import SAMPLED_STAMPS, CallStore, PlainSums, Weighing, back_if_sorted
from ptucalc.read.row_blocks import LONGEST_ROW_BYTES, MOST_CELLS, Block, OddRow, ScanPlan, read_blocks
from ptucalc.read.row_kernel import ABSENT, BACK_US, MISSING, SECOND_US, SUMS, TOTALS, Plain, Rows
from ptucalc.read.row_templates import Column, names_as_words, template_of
from ptucalc.request_log import Stream

__all__ = ["FastRows", "KeptCalls", "fast_rows"]

WORTH_BYTES = 200_000_000
"""A smaller log is read before numba has started."""

MOST_ROWS = 20_000_000
"""So many fit into the memory that the engine has, too."""

FEW_NAMES = 16
UTC = ("", "Z", "+00", "+0000", "+00:00")
STAMP_BYTES = 19
"""Of a time without parts of a second."""

PLAIN_FIELDS = (
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "total_tokens",
)
"""The fields that `Plain` tells the places of, in its order."""


class KeptCalls:
    """Plain calls one by one: a relation of the engine, and the arrays that it asks."""

    def __init__(self, store: CallStore, plan: ScanPlan, kernel: RowKernel, gathered: _Gathered) -> None:
        self.store = store
        self.plan = plan
        self.kernel = kernel
        self.gathered = gathered
        self.relation = f"({' union all '.join(f'from {_registered(store, block)}' for block in gathered.plain)})"

    def seconds(self, weighing: Mapping[Stream, Weighing]) -> str | None:
        """A relation of what these streams' calls weigh together, by group `g` and second `t` since 1970, as `low`.

        None where it would be larger than the calls, or a group weighs nothing.
        """
        import numpy

        if self.gathered.bounds_us is None:
            return None
        first, last = (us // SECOND_US for us in self.gathered.bounds_us)
        number, seconds = 1 + max(group for group, _ in weighing.values()), last - first + 1
        if number * seconds > MOST_ROWS:
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
            name = _registered(self.store, {"second": busy, "low": sums[group][busy]})
            cells.append(f"select {group} as g, second + {first} as t, low from {name}")
        return f"({' union all '.join(cells)})"

    def _factors(self, factors: Sequence[int]) -> Iterator[tuple[int, int]]:
        """By the place of a count, what one more of it weighs: input stands for uncached tokens, unless others say so."""
        uncached, cached, written, output = factors
        plain = self.plan.plain
        of_counts = ((plain.input, uncached), (plain.cached, cached - uncached), (plain.written, written - uncached))
        yield from ((place, factor) for place, factor in (*of_counts, (plain.output, output)) if place != ABSENT)


class FastRows(NamedTuple):
    """Rows in arrays, as relations of the engine: plain calls (when they are asked for; raises BadInput where the files have
    changed since), those of them at one time stamp in SAMPLED_SHARE, the times of the first ones, and all other rows; SQL of
    each name and of each count (NULL where a cell was empty). The column `us` is the time in microseconds. The status is
    kept of the others only.

    Of the plain ones: whether they were kept, and their sums (None where there are none, or they lie too far apart). Of the
    sound ones: how many are over BACK_MINUTES earlier than the one before, unless they are in no order at all.
    """

    plain: Callable[[], KeptCalls]
    sample: str
    firsts: str
    others: str
    names: Mapping[str, str]
    counts: Mapping[str, str]
    kept: bool
    sums: PlainSums | None
    back: int


def fast_rows(
    store: CallStore,
    relation: Relation,
    files: Sequence[LogFile],
    columns: Mapping[str, str],
    window: tuple[int | None, int | None],
    longest: int,
    *,
    keeps_all: bool,
) -> FastRows | None:
    """Read the `columns` (by field) of a relation; None where it is not worth it, or its rows are not all alike.

    The relation knows the names in it and its first time stamps. Calls outside of the window (microseconds), and those with a
    prompt of more tokens than the longest, are among the others. Without `keeps_all`, plain calls are read again when they
    are asked for.
    """
    size = sum(file.size for file in files)
    if relation.kind != "table" or any(file.packed for file in files) or size < WORTH_BYTES:
        return None
    kernel = compiled_rows()
    counts = [field for field in (*NUMBERS, "status") if field in columns]
    names = [field for field in NAMES if field in columns]
    plan = None if kernel is None else _plan(relation, files, columns, counts, names, window, longest)
    if kernel is None or plan is None:
        return None
    plan = plan._replace(keeps_all=keeps_all)
    streams = [Stream(*each) for each in product(*(relation.enums[f][1] if f in names else [""] for f in NAMES))]
    try:
        gathered = _gathered(store, plan, kernel, streams)
    except OddRow:
        return None

    def plain() -> KeptCalls:
        return KeptCalls(store, plan, kernel, gathered if keeps_all else _read_again(store, plan, kernel, gathered))

    return FastRows(
        plain=plain,
        sample=_registered(store, _together(gathered.samples)),
        firsts=_registered(store, _together([{"us": times} for times in gathered.firsts])),
        others=_registered(store, _together(gathered.others)),
        names={field: _name_of(f"d{place}", *relation.enums[field]) for place, field in enumerate(names)},
        counts={field: f"nullif(n{place}, {MISSING})" for place, field in enumerate(counts)},
        kept=keeps_all,
        sums=gathered.sums(),
        back=back_if_sorted(gathered.back, gathered.sound),
    )


def _gathered(store: CallStore, plan: ScanPlan, kernel: RowKernel, streams: Sequence[Stream]) -> _Gathered:
    """All that a scan reads. Raises OddRow."""
    gathered = _Gathered(plan, streams)
    size = sum(file.size for file, _ in plan.files)
    done = 0
    for block, taken in read_blocks(plan, kernel):
        gathered.add(block)
        done += taken
        if store.progress is not None:
            store.progress(done / size)
    return gathered


def _read_again(store: CallStore, plan: ScanPlan, kernel: RowKernel, before: _Gathered) -> _Gathered:
    """The same once more, with all plain calls. Raises BadInput where the files have changed."""
    try:
        again = _gathered(store, plan._replace(keeps_all=True), kernel, before.streams)
    except (OddRow, OSError):
        again = None
    if again is None or again.rows != before.rows or (again.totals != before.totals).any():
        names = ", ".join(file.name for file, _ in plan.files)
        expected = "one that stays as it is until all is known of it (copy it first)"
        raise BadInput([Problem("file", "a log that has changed since it was read", expected, source=names)])
    return again


def _registered(store: CallStore, columns: Mapping[str, Any]) -> str:
    """The name that the engine knows columns by."""
    name = f"rows{store.next_number()}"
    store.connection.register(name, columns)
    return name


def _plan(
    relation: Relation,
    files: Sequence[LogFile],
    columns: Mapping[str, str],
    counts: Sequence[str],
    names: Sequence[str],
    window: tuple[int | None, int | None],
    longest: int,
) -> ScanPlan | None:
    """How the rows are written; None where that is not for a scan."""
    import numpy

    def numbers(values: Sequence[int]) -> Any:
        return numpy.array(list(values), dtype=numpy.int64)

    ends = {(len(stamp), ZONE.search(stamp)[0]) for stamp in relation.stamps}  # type: ignore[index]
    begun = [first for file in files if (first := _begin(relation, file)) is not None]
    if len(ends) != 1 or len(begun) < len(files) or len({line_end for _, line_end in begun}) > 1:
        return None
    ((length, zone),) = ends
    digits = max(0, length - len(zone) - STAMP_BYTES - 1)
    if zone not in UTC or digits > 6 or length != STAMP_BYTES + len(zone) + (digits + 1 if digits else 0):
        return None
    wanted = {columns["timestamp"]: Column("time")}
    wanted |= {columns[field]: Column("count", place) for place, field in enumerate(counts)}
    wanted |= {columns[field]: Column("name", place) for place, field in enumerate(names)}
    line_end = begun[0][1]
    template = template_of(
        [f"c{place}" for place in range(len(relation.headings))],
        wanted,
        delimiter=relation.delimiter.encode(),
        line_end=line_end,
        digits=digits,
        zone=zone.encode(),
        numbers=numbers,
    )
    shortest = int(template.lengths.sum()) + length - len(zone)
    listed = names_as_words([relation.enums[field][1] for field in names], numbers)
    pairs = list(zip(files, [first for first, *_ in begun], strict=True))
    places = [counts.index(field) if field in counts else ABSENT for field in PLAIN_FIELDS]
    since, until = window
    plain = Plain._make([*places, 0 if since is None else since, LATEST_US if until is None else until, longest])
    kept_counts = len(counts) - counts.count("status")
    return ScanPlan(pairs, template, line_end, shortest, listed, plain, len(counts), kept_counts, keeps_all=False)


def _begin(relation: Relation, file: LogFile) -> tuple[int, bytes] | None:
    """Where the rows of a file begin, and how they end; None where that cannot be told."""
    with open(file.path, "rb") as stream:
        lines = [stream.readline(LONGEST_ROW_BYTES) for _ in range(relation.blank_lines + 2)]
    first = lines.pop()
    if not first.endswith(b"\n") or any(line.count(b'"') % 2 for line in lines):
        return None
    return sum(map(len, lines)), b"\r\n" if first.endswith(b"\r\n") else b"\n"


def _name_of(code: str, kind: str, names: Sequence[str]) -> str:
    """SQL of a name by its number."""
    if len(names) > FEW_NAMES:
        return f"(enum_range(null::{kind}))[{code} + 1]"
    whens = " ".join(f"when {number} then {quoted(name)}::{kind}" for number, name in enumerate(names))
    return f"case {code} {whens} end"


class _Gathered:
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


def _together(blocks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The columns of several blocks in one."""
    import numpy

    return {name: numpy.concatenate([each[name] for each in blocks]) for name in blocks[0]}
