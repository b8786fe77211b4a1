"""Large tables whose rows are all written alike, read by a compiled scan into arrays that the engine then asks.

It takes a fraction of the time in which the engine tells cells apart, and needs numba (the extra `fast`). It reads what is
plainly so and nothing else: one cell between quotation marks, one more column, and the engine reads the whole log. JSON lines
are left to the engine, which reads them as soon. Rows that are plainly calls are added up by minute on the way, and read
again where they are asked for one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from ptucalc.read.fast_engine import compiled_rows
from ptucalc.read.log_files import LogFile
from ptucalc.read.log_relation import NAMES, ZONE, Relation
from ptucalc.read.log_sql import LATEST_US, NUMBERS, quoted
from ptucalc.read.log_store import CallStore, PlainSums, back_if_sorted
from ptucalc.read.row_blocks import LONGEST_ROW_BYTES, OddRow, ScanPlan
from ptucalc.read.row_gathering import KeptCalls, gather, gather_again, registered, together
from ptucalc.read.row_kernel import ABSENT, MISSING, Plain
from ptucalc.read.row_templates import Column, names_as_words, template_of
from ptucalc.request_log import Stream

__all__ = ["FastRows", "fast_rows"]

WORTH_BYTES = 200_000_000
"""A smaller log is read before numba has started."""

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
        gathered = gather(store, plan, kernel, streams)
    except OddRow:
        return None

    def plain() -> KeptCalls:
        return KeptCalls(store, plan, kernel, gathered if keeps_all else gather_again(store, plan, kernel, gathered))

    return FastRows(
        plain=plain,
        sample=registered(store, together(gathered.samples)),
        firsts=registered(store, together([{"us": times} for times in gathered.firsts])),
        others=registered(store, together(gathered.others)),
        names={field: _name_of(f"d{place}", *relation.enums[field]) for place, field in enumerate(names)},
        counts={field: f"nullif(n{place}, {MISSING})" for place, field in enumerate(counts)},
        kept=keeps_all,
        sums=gathered.sums(),
        back=back_if_sorted(gathered.back, gathered.sound),
    )


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
