"""Large tables whose rows are all written alike, read by a compiled scan into arrays that the engine then asks.

It takes a fraction of the time in which the engine tells cells apart, and needs numba (the extra `fast`). It reads what is
plainly so and nothing else: one cell between quotation marks, one more column, and the engine reads the whole log. JSON lines
are left to the engine, which reads them as soon. Rows that are plainly calls are added up by minute on the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from ptucalc.read.fast_engine import compiled_rows
from ptucalc.read.log_files import LogFile
from ptucalc.read.log_relation import NAMES, ZONE, Relation
from ptucalc.read.log_sql import LATEST_US, NUMBERS, quoted
from ptucalc.read.log_store import BACK_MINUTES, CallStore, PlainSums
from ptucalc.read.row_blocks import LONGEST_ROW_BYTES, MOST_CELLS, Block, OddRow, ScanPlan, read_blocks
from ptucalc.read.row_kernel import ABSENT, MINUTE_US, MISSING, SUMS, TOTALS, Plain
from ptucalc.read.row_templates import Column, names_as_bytes, template_of
from ptucalc.request_log import Stream

__all__ = ["FastRows", "fast_rows"]

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


class FastRows(NamedTuple):
    """Rows in arrays: the names that the engine knows plain calls by, those of them at one time stamp in SAMPLED_SHARE, and all
    others; SQL of each name and of each count (NULL where a cell was empty). The column `us` is the time in microseconds.
    The status is kept of the others only.

    Of the plain ones: their sums (None where there are none, or they lie too far apart), and how many are over BACK_MINUTES
    earlier than the one before.
    """

    plain: str
    sample: str
    others: str
    names: Mapping[str, str]
    counts: Mapping[str, str]
    sums: PlainSums | None
    back: int


def fast_rows(
    store: CallStore,
    relation: Relation,
    files: Sequence[LogFile],
    columns: Mapping[str, str],
    window: tuple[int | None, int | None],
) -> FastRows | None:
    """Read the `columns` (by field) of a relation; None where it is not worth it, or its rows are not all alike.

    The relation knows the names in it and its first time stamps. Calls outside of the window (microseconds) are among the
    others.
    """
    size = sum(file.size for file in files)
    if relation.kind != "table" or any(file.packed for file in files) or size < WORTH_BYTES:
        return None
    kernel = compiled_rows()
    counts = [field for field in (*NUMBERS, "status") if field in columns]
    names = [field for field in NAMES if field in columns]
    plan = None if kernel is None else _plan(relation, files, columns, counts, names, window)
    if kernel is None or plan is None:
        return None
    streams = [Stream(*each) for each in product(*(relation.enums[f][1] if f in names else [""] for f in NAMES))]
    gathered = _Gathered(plan, streams)
    done = 0
    try:
        for block, taken in read_blocks(plan, kernel):
            gathered.add(block)
            done += taken
            if store.progress is not None:
                store.progress(done / size)
    except OddRow:
        return None
    number = store.next_number()
    made = {name: f"{name}_rows{number}" for name in ("plain", "sample", "others")}
    blocks = gathered.plain or [gathered.empty]
    for place, block_columns in enumerate(blocks):
        store.connection.register(f"{made['plain']}_{place}", block_columns)
    whole = " union all ".join(f"from {made['plain']}_{place}" for place in range(len(blocks)))
    store.run(f"create view {made['plain']} as {whole}")
    store.connection.register(made["sample"], _together(gathered.samples))
    store.connection.register(made["others"], _together(gathered.others))
    return FastRows(
        **made,
        names={field: _name_of(f"d{place}", *relation.enums[field]) for place, field in enumerate(names)},
        counts={field: f"nullif(n{place}, {MISSING})" for place, field in enumerate(counts)},
        sums=gathered.sums(),
        back=gathered.back,
    )


def _plan(
    relation: Relation,
    files: Sequence[LogFile],
    columns: Mapping[str, str],
    counts: Sequence[str],
    names: Sequence[str],
    window: tuple[int | None, int | None],
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
    shortest = len(template.literals) + length - len(zone)
    listed = names_as_bytes([relation.enums[field][1] for field in names], numbers)
    pairs = list(zip(files, [first for first, *_ in begun], strict=True))
    places = [counts.index(field) if field in counts else ABSENT for field in PLAIN_FIELDS]
    since, until = window
    plain = Plain._make([*places, 0 if since is None else since, LATEST_US if until is None else until])
    return ScanPlan(
        pairs, template, line_end, shortest, listed, plain, len(counts), len(counts) - counts.count("status")
    )


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
    """All that was read so far: the columns of plain calls by block, of a sample of them and of others; and what the plain
    ones add up to."""

    def __init__(self, plan: ScanPlan, streams: Sequence[Stream]) -> None:
        import numpy

        self.input_column = f"n{plan.plain.input}"
        self.streams = streams
        self.plain: list[Mapping[str, Any]] = []
        self.samples: list[Mapping[str, Any]] = []
        self.others: list[Mapping[str, Any]] = []
        self.empty: Mapping[str, Any] = {}
        self.rows = 0
        self.back = 0
        self.totals = numpy.zeros(len(TOTALS), numpy.int64)
        self.minutes: dict[int, list[tuple[int, Any]]] | None = {}
        """By stream: sums of minutes from a first one on."""

    def add(self, block: Block) -> None:
        """Add a block. Raises OddRow where there are too many rows."""
        times = block.plain["us"]
        self.rows += len(times) + len(block.others["us"])
        if self.rows > MOST_ROWS:
            raise OddRow
        self.samples.append(block.sample)
        self.others.append(block.others)
        self.totals += block.totals
        self.back += block.back
        if len(times):
            if self.plain:
                self.back += bool(times[0] - self.plain[-1]["us"][-1] < -BACK_MINUTES * MINUTE_US)
            self.plain.append(block.plain)
        else:
            self.empty = block.plain
        if block.minutes is None:
            self.minutes = None
        elif self.minutes is not None:
            for stream in block.minutes[:, :, 0].any(axis=1).nonzero()[0].tolist():
                self.minutes.setdefault(stream, []).append((block.first_minute, block.minutes[stream].copy()))

    def sums(self) -> PlainSums | None:
        """The sums of all plain calls; None where there are none, or they lie too far apart."""
        import numpy

        if not self.minutes:
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
            min(int(each["us"].min()) for each in self.plain),
            max(int(each["us"].max()) for each in self.plain),
            max(int(each[self.input_column].max()) for each in self.plain),
        )


def _together(blocks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The columns of several blocks in one."""
    import numpy

    return {name: numpy.concatenate([each[name] for each in blocks]) for name in blocks[0]}
