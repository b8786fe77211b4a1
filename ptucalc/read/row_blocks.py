"""Blocks of large files, read and scanned side by side: columns of their calls, and what those add up to."""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple

from ptucalc.read.fast_engine import RowKernel
from ptucalc.read.log_files import LogFile
from ptucalc.read.log_store import SAMPLED_SHARE
from ptucalc.read.row_kernel import CLOCK, MINUTE_US, SUMS, TOTALS, Names, Plain, Rows, Template
from ptucalc.read.row_templates import WORD_BYTES

__all__ = ["MOST_CELLS", "Block", "OddRow", "ScanPlan", "read_blocks"]

BLOCK_BYTES = 1 << 23
LONGEST_ROW_BYTES = 1 << 16
ZEROS = bytes(4096)
"""After the last row, more than any literal, name or time is long."""

MOST_WORKERS = 4
MOST_CELLS = 2_000_000
"""Minutes of streams; calls in more, for they are in no order, are not added up."""


class OddRow(Exception):
    """A row that is not written as the others."""


class ScanPlan(NamedTuple):
    """What a scan needs: the files and where their rows begin, how a row is written and ends, how long one is at least, how
    many columns of counts there are, and how many of them, from the first on, are kept of plain calls; whether all of those
    are kept, or only a sample."""

    files: Sequence[tuple[LogFile, int]]
    template: Template
    line_end: bytes
    shortest: int
    names: Names
    plain: Plain
    counts: int
    kept_counts: int
    keeps_all: bool


class Block(NamedTuple):
    """What was read of a block, as columns us, n0, n1 ... and d0, d1 ...: plain calls, which also stand in `rows` (both None
    where only a sample is kept), those at one time stamp in SAMPLED_SHARE, and all other rows.

    Of the plain ones: their times and the longest prompt; TOTALS; their sums by stream and minute from the first one on (an
    array of streams, minutes and sums), or None where they lie too far apart. And CLOCK.
    """

    plain: Mapping[str, Any] | None
    rows: Rows | None
    sample: Mapping[str, Any]
    others: Mapping[str, Any]
    times: Any
    longest: int
    totals: Any
    clock: Mapping[str, int]
    first_minute: int
    minutes: Any | None


def read_blocks(plan: ScanPlan, kernel: RowKernel) -> Iterator[tuple[Block, int]]:
    """The blocks of all files in their order, each with the bytes that it took; a few are read ahead. Raises OddRow."""
    workers = min(MOST_WORKERS, os.cpu_count() or 1)
    reader = _BlockReader(plan, kernel)
    waiting: deque[tuple[Future[Block], int]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for file, first in plan.files:
            for begin in range(first, file.size, BLOCK_BYTES):
                taken = min(BLOCK_BYTES, file.size - begin)
                waiting.append((pool.submit(reader.read, file, begin, begin == first), taken))
                if len(waiting) > workers + 1:
                    block, taken = waiting.popleft()
                    yield block.result(), taken
        while waiting:
            block, taken = waiting.popleft()
            yield block.result(), taken
    finally:
        pool.shutdown(cancel_futures=True)


class _BlockReader:
    """Reads blocks of files, in several threads."""

    def __init__(self, plan: ScanPlan, kernel: RowKernel) -> None:
        self.plan = plan
        self.kernel = kernel
        self.own = threading.local()

    def read(self, file: LogFile, begin: int, is_first: bool) -> Block:
        """The rows that begin in a block. Raises OddRow."""
        import numpy

        plan = self.plan
        before = 0 if is_first else 1  # a row begins here if the byte before ends another
        stop = min(BLOCK_BYTES, file.size - begin) + before
        data = self._text(file, begin - before, stop)
        rows, others = self._rooms()
        count, odd = 0, 0
        clock = numpy.zeros(len(CLOCK), numpy.int64)
        start = data.find(b"\n", 0, stop) + 1 if before else 0
        if start or not before:
            words = numpy.ndarray((len(data) - WORD_BYTES + 1,), numpy.int64, data, 0, (1,))
            count, odd, ended = self.kernel.scan_rows(
                numpy.frombuffer(data, numpy.uint8),
                words,
                start,
                stop,
                plan.template,
                plan.names,
                plan.plain,
                rows,
                others,
                clock,
            )
            if ended < stop:
                raise OddRow
        totals = numpy.zeros(len(TOTALS), numpy.int64)
        first_minute, sums = self._added(count, rows, totals)
        plain = self._columns(rows, count, plan.kept_counts)
        times = plain["us"]
        chosen = times % SAMPLED_SHARE == 0
        return Block(
            plain if plan.keeps_all else None,
            rows if plan.keeps_all else None,
            {name: values[chosen] for name, values in plain.items()},
            {name: values.copy() for name, values in self._columns(others, odd, plan.counts).items()},
            times if plan.keeps_all else times.copy(),
            int(plain[f"n{plan.plain.input}"].max(initial=0)),
            totals,
            dict(zip(CLOCK, clock.tolist(), strict=True)),
            first_minute,
            sums,
        )

    def _text(self, file: LogFile, begin: int, length: int) -> bytearray:
        """So many bytes of a file, on to the end of the last row in them, and zeros."""
        if not hasattr(self.own, "data"):
            self.own.data = bytearray(1 + BLOCK_BYTES + LONGEST_ROW_BYTES + len(ZEROS))
        data: bytearray = self.own.data
        with open(file.path, "rb", buffering=0) as stream:
            stream.seek(begin)
            with memoryview(data)[: min(length + LONGEST_ROW_BYTES, file.size - begin)] as wanted:
                end = 0
                while end < len(wanted) and (got := stream.readinto(wanted[end:])):
                    end += got
        after = ZEROS
        if begin + end >= file.size and data[end - 1 : end] != b"\n":  # the last line
            after = self.plan.line_end + ZEROS[len(self.plan.line_end) :]
        data[end : end + len(after)] = after
        return data

    def _rooms(self) -> tuple[Rows, Rows]:
        """Room for the plain calls of a block, and for its other rows: where they are not kept, the same for every block."""
        if self.plan.keeps_all:
            return self._room(), self._room()
        if not hasattr(self.own, "rooms"):
            self.own.rooms = self._room(), self._room()
        rooms: tuple[Rows, Rows] = self.own.rooms
        return rooms

    def _room(self) -> Rows:
        """Room for all rows of a block; memory that is never written to is never taken."""
        import numpy

        capacity = (BLOCK_BYTES + 1) // self.plan.shortest + 2
        return Rows(
            numpy.empty(capacity, numpy.int64),
            numpy.empty(capacity * self.plan.counts, numpy.int32),
            numpy.empty(capacity * (len(self.plan.names.first) - 1), numpy.uint16),
            capacity,
        )

    def _added(self, count: int, rows: Rows, totals: Any) -> tuple[int, Any | None]:
        """The first minute of plain calls, and their sums; adds to the totals."""
        import numpy

        names = self.plan.names
        streams = math.prod(int(after - at) for at, after in pairwise(names.first.tolist()))
        first, last = 0, -1
        if count:
            first, last = (int(us) // MINUTE_US for us in (rows.times[:count].min(), rows.times[:count].max()))
        minutes = last - first + 1
        if streams * minutes > MOST_CELLS:
            return 0, None
        sums = numpy.zeros(streams * minutes * SUMS, numpy.int64)
        self.kernel.sum_minutes(count, rows, self.plan.plain, names, first, minutes, sums, totals)
        return first, sums.reshape(streams, minutes, SUMS)

    def _columns(self, rows: Rows, count: int, counts: int) -> dict[str, Any]:
        """The first rows as columns, with so many of the counts."""
        columns = {"us": rows.times[:count]}
        for letter, values, number in (
            ("n", rows.counts, counts),
            ("d", rows.names, len(self.plan.names.first) - 1),
        ):
            for place in range(number):
                low = place * rows.capacity
                columns[f"{letter}{place}"] = values[low : low + count]
        return columns
