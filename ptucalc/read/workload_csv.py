"""A CSV of workloads, row by row: whatever a spreadsheet writes, as long as its meaning is clear."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import IO

from ptucalc.errors import BadInput, Problem
from ptucalc.read.fields import match_columns
from ptucalc.read.files import not_utf8
from ptucalc.read.row import Row
from ptucalc.workload import REQUIRED

__all__ = ["CsvTable"]

_SHARES = ("cache_ratio", "cache_write_ratio")
_DECIMALS = ("requests_per_minute", "average_requests_per_minute", "hours_per_month", "output_weight", *_SHARES)
_POINT_GROUPS = re.compile(r"[1-9]\d{0,2}(\.\d{3})+", re.ASCII)
_ONE_COMMA = re.compile(r"[+-]?\d+,\d+\s*%?", re.ASCII)
_SMALL = re.compile(r"0?\.\d*[1-9]\d*|1(\.0*)?", re.ASCII)
_COMMA_GROUP = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)


class CsvTable:
    """The table of a CSV file. Making it reads the header; raises BadInput where that is none of ours."""

    def __init__(self, source: str, head: bytes, open_stream: Callable[[], AbstractContextManager[IO[bytes]]]) -> None:
        self.source = source
        self.open_stream = open_stream
        self.encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        try:
            text = head[: len(head) // 2 * 2].decode(self.encoding)
        except UnicodeDecodeError as error:
            if len(error.object) - error.start > 4:  # else it is a character cut in two at the end of the head
                raise BadInput([not_utf8(source, error)]) from None
            text = head[: error.start].decode(self.encoding)
        self.skip_first, self.delimiter = _delimiter(text)
        self.header_line, self.header_row, self.headings = self._header(text)
        self.columns, repeated = match_columns(self.headings)
        problems = [self._about_heading(index, problem) for index, problem in repeated] + self._missing_columns()
        if problems:
            raise BadInput(problems)

    def _header(self, text: str) -> tuple[int, int, list[str]]:
        """Line, spreadsheet row and cells of the first row that says something."""
        number = 0
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter)
        for row in reader:
            if reader.line_num > self.skip_first:
                number += 1
                if any(cell.strip() for cell in row):
                    return reader.line_num, number, row
        raise BadInput([Problem("header", "", "a first row of column names", source=self.source, line=1)])

    def _about_heading(self, index: int, problem: Problem) -> Problem:
        cell, label = cell_name(index, self.header_row), self.headings[index].strip()
        return problem.at(source=self.source, line=self.header_line, cell=cell, label=label)

    def _missing_columns(self) -> list[Problem]:
        found = {field for _, field, _ in self.columns.read}
        shown = ", ".join(heading.strip() for heading in self.headings)[:200]
        missing = [name for name in REQUIRED if name not in found]
        if not missing:
            return []
        timestamps = ("timestamp", "timegenerated", "time", "starttime", "created_at")
        if any(heading.strip().casefold() in timestamps for heading in self.headings):
            expected = (
                "workloads, one row each; this looks like a request log or a metric export (one row per call or time)"
            )
        elif not found:
            expected = f"a first row of column names: {', '.join(REQUIRED)} at least"
        else:
            expected = f"column{'s' if len(missing) > 1 else ''} {', '.join(missing)} too"
        return [Problem("header", shown, expected, source=self.source, line=self.header_line)]

    def rows(self) -> Iterator[Row]:
        """Every row that is not blank."""
        with self.open_stream() as stream:
            text = io.TextIOWrapper(stream, self.encoding, newline="")
            try:
                yield from self._rows(text)
            finally:
                with suppress(ValueError):  # closed already, by whoever gave up
                    text.detach()

    def _rows(self, text: IO[str]) -> Iterator[Row]:
        reader = csv.reader(text, delimiter=self.delimiter, strict=True)
        used = [(index, field, self._converter(field, heading)) for index, field, heading in self.columns.read]
        width = len(self.headings)
        nameless = any(not heading.strip() for heading in self.headings)
        number = 0
        try:
            for cells in reader:
                if reader.line_num <= self.skip_first:
                    continue
                number += 1
                if reader.line_num <= self.header_line:
                    continue
                fields = {}
                if len(cells) < width:
                    cells += [""] * (width - len(cells))
                for index, field, convert in used:
                    cell = cells[index].strip()
                    if cell:
                        fields[field] = convert(cell) if convert else cell
                if not fields and not any(cell.strip() for cell in cells):
                    continue
                place = _Place(self, reader.line_num, number, cells)
                stray = self._stray(cells, place) if len(cells) > width or nameless else ()
                yield Row(number, fields, place, misshapen=stray)
        except csv.Error as error:
            problem = Problem("row", str(error), "a table row", source=self.source, line=reader.line_num)
            raise BadInput([problem]) from None

    def _stray(self, cells: list[str], place: _Place) -> tuple[Problem, ...]:
        """Cells that stand under no heading: most often a comma that was meant as part of a number."""
        width = len(self.headings)
        return tuple(
            Problem(
                "row", cell.strip(), f"nothing here: the header names {width} columns", label="(no heading)"
            )._replace(source=self.source, line=place.line, cell=cell_name(index, place.number))
            for index, cell in enumerate(cells)
            if cell.strip() and (index >= width or not self.headings[index].strip())
        )

    def _converter(self, field: str, heading: str) -> Callable[[str], str] | None:
        """What to do to the cells of a column before they are read as numbers; None: nothing."""
        if field not in _DECIMALS:
            return None
        percent = field in _SHARES and "%" in heading
        if self.delimiter == "," and not percent:
            return None

        def convert(cell: str) -> str:
            if self.delimiter != ",":
                if _ONE_COMMA.fullmatch(cell) and not _COMMA_GROUP.fullmatch(cell):
                    cell = cell.replace(",", ".")
                elif self.delimiter == ";" and _POINT_GROUPS.fullmatch(cell):
                    cell = cell.replace(".", ",")  # 1.200 in such a file is 1200 or 1.2: left to be refused
            if percent and not cell.endswith("%"):
                # 40 under "Cache rate (%)" is 40%; 0.4 there may be 0.4% or 40%: left to be refused
                return f"{cell}% or {cell}" if _SMALL.fullmatch(cell) else f"{cell}%"
            return cell

        return convert

    def _place(self, problem: Problem, line: int, number: int, cells: list[str]) -> Problem:
        """The problem with its line and cell, and what the cell really says."""
        where = self.columns.column_of(problem.field)
        if where is None:
            return problem.at(source=self.source, line=line)
        index, heading = where
        written = cells[index].strip() if index < len(cells) else ""
        placed = problem.at(source=self.source, line=line, cell=cell_name(index, number), label=heading)
        return placed._replace(found=written) if problem.found and not problem.found.startswith(written) else placed


class _Place:
    """Where a row stands; called only when something is wrong with it."""

    __slots__ = ("cells", "line", "number", "table")

    def __init__(self, table: CsvTable, line: int, number: int, cells: list[str]) -> None:
        self.table, self.line, self.number, self.cells = table, line, number, cells

    def __call__(self, problem: Problem) -> Problem:
        return self.table._place(problem, self.line, self.number, self.cells)


def cell_name(index: int, row: int) -> str:
    """The spreadsheet's name of a cell.

    >>> cell_name(0, 1), cell_name(25, 7), cell_name(26, 7), cell_name(702, 1)
    ('A1', 'Z7', 'AA7', 'AAA1')
    """
    letters = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row}"


def _delimiter(text: str) -> tuple[int, str]:
    """How many first lines to skip (Excel's "sep=;") and the delimiter: the one that finds the most known columns."""
    first, _, _ = text.partition("\n")
    told = re.fullmatch(r"sep=(.)\r?", first)
    if told and told.group(1) in ",;\t":
        return 1, told.group(1)
    best, most = ",", (-1, -1)
    for delimiter in (",", ";", "\t"):
        header = next((row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)), [])
        score = (len(match_columns(header)[0].read), len(header))
        if score > most:
            best, most = delimiter, score
    return 0, best
