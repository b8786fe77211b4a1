"""The minutes of a log from the file that `ptucalc logs --save` wrote beside a plan. Its form: report/minute_file.py.

A file that is cut off, was changed or cannot be is an error with its line, never a smaller demand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ptucalc.demand_profile import DemandProfile, MinuteSums
from ptucalc.errors import BadInput, Problem
from ptucalc.read.files import decode, read_bytes

__all__ = ["read_minutes"]

LARGEST_FILE_BYTES = 100_000_000
"""Unpacked: a year of minutes of four workloads."""

LONGEST_MINUTES = 2 * 366 * 1440
LARGEST_VALUE = 10**18
MOST_THRESHOLDS = 20
MOST_PROBLEMS = 100

COLUMNS = ("workload", *MinuteSums._fields)
AGAIN = "run ptucalc logs --save again"

_HEAD = re.compile(
    r"# ptucalc\.minutes/1 start=(relative|\d{4}-\d\d-\d\dT\d\d:\d\dZ) length=(\d{1,9}) "
    r"thresholds=(none|\d{1,12}(?:;\d{1,12})*) scale=(\d{1,18})",
    re.ASCII,
)
_END = re.compile(r"# end rows=(\d{1,12}) sha256=([0-9a-f]{64})", re.ASCII)
_QUOTED = re.compile(r'"((?:[^"]|"")*)",')
_NUMBERS = re.compile(r"\d{1,18}(?:,\d{1,18}){7}", re.ASCII)


class _Head(NamedTuple):
    start: int | None
    length: int
    thresholds: tuple[int, ...]
    scale: int


def read_minutes(path: Path) -> dict[str, DemandProfile]:
    """The profiles of a minute file by workload, packed or not. Raises BadInput with every problem and its line."""
    name = str(path)
    lines = _text(path, name).split("\n")
    head = _head(lines[0].rstrip("\r"), name)
    _check_whole(lines, name)
    problems: list[Problem] = []
    found: dict[str, list[MinuteSums]] = {}
    for number, line in enumerate(lines[2:-2], start=3):
        try:
            workload, sums = _row(line.rstrip("\r"), head)
            rows = found.setdefault(workload, [])
            if rows and rows[-1][:2] >= sums[:2]:
                raise ValueError("rows by minute and band, each once")
            rows.append(sums)
        except ValueError as error:
            problems.append(Problem("row", line, str(error), source=name, line=number))
            if len(problems) == MOST_PROBLEMS:
                break
    if not problems and not found:
        problems.append(Problem("file", "no row", f"minutes of a log: {AGAIN}", source=name))
    if problems:
        raise BadInput(problems)
    return {
        workload: DemandProfile(head.start, head.length, head.thresholds, tuple(rows), head.scale)
        for workload, rows in found.items()
    }


def _text(path: Path, name: str) -> str:
    """The text, unpacked. Raises BadInput where it is too large or none."""
    data = read_bytes(path, most=LARGEST_FILE_BYTES + 1)
    if data[:2] == b"\x1f\x8b":
        import gzip
        import zlib

        try:
            with gzip.open(path) as stream:
                data = stream.read(LARGEST_FILE_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            expected = f"a whole gzip file: {AGAIN}"
            raise BadInput([Problem("file", str(error) or type(error).__name__, expected, source=name)]) from None
    if len(data) > LARGEST_FILE_BYTES:
        expected = f"at most {LARGEST_FILE_BYTES:,} bytes, unpacked"
        raise BadInput([Problem("file", f"over {LARGEST_FILE_BYTES:,} bytes", expected, source=name)])
    return decode(data, name)


def _head(line: str, name: str) -> _Head:
    match = _HEAD.fullmatch(line)
    if match is None:
        expected = f"minutes of a log, as ptucalc logs --save writes them (# ptucalc.minutes/1 start=...): {AGAIN}"
        raise BadInput([Problem("first line", line, expected, source=name, line=1)])
    begins, length, thresholds, scale = match.groups()
    problems = []
    start = None
    if begins != "relative":
        try:
            start = int(datetime.strptime(begins, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC).timestamp()) // 60
        except ValueError:
            problems.append(Problem("start", begins, "a minute of the calendar", source=name, line=1))
    known = () if thresholds == "none" else tuple(map(int, thresholds.split(";")))
    if list(known) != sorted(set(known)) or len(known) > MOST_THRESHOLDS:
        problems.append(Problem("thresholds", thresholds, "numbers of tokens that ascend", source=name, line=1))
    if not 1 <= int(length) <= LONGEST_MINUTES:
        problems.append(Problem("length", length, f"1 to {LONGEST_MINUTES:,} minutes", source=name, line=1))
    if not int(scale):
        problems.append(Problem("scale", scale, "1 or more", source=name, line=1))
    if problems:
        raise BadInput(problems)
    return _Head(start, int(length), known, int(scale))


def _check_whole(lines: Sequence[str], name: str) -> None:
    """Raise BadInput where the last line is missing, or what stands before it is not what was written."""
    import hashlib

    last = len(lines) - 1
    match = _END.fullmatch(lines[-2].rstrip("\r")) if last and not lines[-1] else None
    if match is None:
        found, at = (lines[-1], last + 1) if lines[-1] else (lines[-2], last)
        expected = f"a last line with the number of rows and a checksum (the file is cut off: {AGAIN})"
        raise BadInput([Problem("end", found, expected, source=name, line=at)])
    rows, digest = match.groups()
    held = max(0, len(lines) - 4)  # without the two first lines, the last one and what is behind it
    if int(rows) != held:
        expected = f"{int(rows):,} rows, as the last line says (the file was changed: {AGAIN})"
        raise BadInput([Problem("rows", f"{held:,} rows", expected, source=name, line=last)])
    written = hashlib.sha256()
    for line in lines[:-2]:
        written.update(line.rstrip("\r").encode())
        written.update(b"\n")
    if written.hexdigest() != digest:
        expected = f"the file as it was written (it was changed: {AGAIN})"
        raise BadInput([Problem("checksum", f"sha256 {written.hexdigest()}", expected, source=name, line=last)])
    heading = lines[1].rstrip("\r")
    if heading != ",".join(COLUMNS):
        raise BadInput([Problem("header", heading, ",".join(COLUMNS), source=name, line=2)])


def _row(line: str, head: _Head) -> tuple[str, MinuteSums]:
    """One row and its workload. Raises ValueError with what was expected."""
    workload, rest = _cell(line)
    if _NUMBERS.fullmatch(rest) is None:
        raise ValueError(f"{','.join(COLUMNS)}: a name and whole numbers, 0 or more, under {LARGEST_VALUE:,}")
    sums = MinuteSums(*map(int, rest.split(",")))
    if sums.minute >= head.length:
        raise ValueError(f"a minute under the length, {head.length:,}")
    if sums.band > len(head.thresholds):
        raise ValueError(f"a band of 0 to {len(head.thresholds)}, as there are thresholds")
    if not sums.requests and any(sums.tokens):
        raise ValueError("no tokens where there are no requests")
    return workload, sums


def _cell(line: str) -> tuple[str, str]:
    """The first cell of a CSV line, quoted or not, and what stands behind its comma."""
    match = _QUOTED.match(line)
    if match is None:
        workload, _, rest = line.partition(",")
        return workload, "" if workload.startswith('"') else rest
    return match[1].replace('""', '"'), line[match.end() :]
