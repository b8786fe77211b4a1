"""Files of logs, told apart by their content: tables, JSON lines, JSON documents, Parquet; packed or not; or a pipe."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import shutil
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, cast

from ptucalc.errors import BadInput, Problem
from ptucalc.read.files import binary

__all__ = ["LONGEST_LINE_BYTES", "LogFile", "open_log", "whole_document", "whole_table"]

HEAD_BYTES = 2_000_000
FIRST_RECORDS = 200
SPOTS = 48
"""Further places in a large file of JSON lines where keys are looked for: optional ones may come late."""

LONGEST_LINE_BYTES = 16_000_000
"""Longer records are counted as rows that cannot be read."""

LARGEST_DOCUMENT_BYTES = 512_000_000
"""A JSON document is read whole; larger logs belong in JSON lines, CSV or Parquet, which are streamed."""

_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_PACKED = {b"\x28\xb5\x2f\xfd": "a zstd archive", b"BZh": "a bzip2 archive", b"\xfd7zXZ": "an xz archive"}

Kind = Literal["table", "lines", "document", "parquet"]


@dataclass
class LogFile:
    """A file of logs: how it is laid out, and its first records.

    `path` is where the engine reads it, under a name without surprises. `headings` are those of a table; `head` the
    first records (and, of JSON lines, some from further on): dicts by heading, or parsed objects; `blank_lines` stand
    before the headings.
    """

    name: str
    path: str
    kind: Kind = "table"
    packed: bool = False
    size: int = 0
    delimiter: str = ","
    headings: tuple[str, ...] = ()
    head: list[dict[str, Any]] = field(default_factory=list)
    blank_lines: int = 0
    stamp: tuple[int, int] = (0, 0)

    def changed(self) -> bool:
        """Whether the file has grown or been written since it was opened."""
        found = os.stat(self.path)
        return (found.st_size, found.st_mtime_ns) != self.stamp

    def stream(self) -> IO[bytes]:
        """The unpacked bytes."""
        return cast("IO[bytes]", gzip.open(self.path) if self.packed else open(self.path, "rb"))


def open_log(path: str | Path, folder: str, number: int) -> LogFile:
    """A log by path, or "-" for standard input, which is kept in `folder` until it is read. Raises BadInput."""
    name = "stdin" if str(path) == "-" else str(path)
    safe = os.path.join(folder, f"log{number}")
    if str(path) == "-":
        _keep(None, safe)
    elif not _is_file(name):
        _keep(name, safe)
    else:
        os.symlink(os.path.abspath(name), safe)
    file = LogFile(name, safe)
    head = _first_bytes(file)
    if head[:2] in _UTF16:
        _to_utf8(file)
        head = _first_bytes(file)
    found = os.stat(file.path)
    file.size, file.stamp = found.st_size, (found.st_size, found.st_mtime_ns)
    if head.startswith(_PARQUET):
        file.kind = "parquet"
        return file
    for signature, what in _PACKED.items():
        if head.startswith(signature):
            raise _bad(name, what, "a log, packed with gzip at most (unpack it first)")
    problem = binary(head, name)
    if problem:
        text = "a log: CSV, TSV, JSON, JSON lines (.gz too) or Parquet"
        raise BadInput([problem._replace(expected=problem.expected.replace("a text file: CSV, YAML or JSON", text))])
    if not head.strip():
        raise _bad(name, "", "a log; the file is empty")
    _look_inside(file, head)
    return file


def _is_file(name: str) -> bool:
    try:
        if os.path.isdir(name):
            raise _bad(name, "a directory", "a file (or several: logs/*.csv)")
        return os.path.isfile(name)
    except OSError as error:
        raise _bad(name, error.strerror or str(error), "a file that can be read") from None


def _keep(name: str | None, safe: str) -> None:
    """Write a pipe (None: standard input) to a file, for it is gone through more than once."""
    try:
        with open(safe, "wb") as kept:
            if name is None:
                shutil.copyfileobj(sys.stdin.buffer, kept, 1 << 20)
            else:
                with open(name, "rb") as stream:
                    shutil.copyfileobj(stream, kept, 1 << 20)
    except OSError as error:
        raise _bad(name or "stdin", error.strerror or str(error), "a file that can be read") from None


def _bad(name: str, found: str, expected: str) -> BadInput:
    return BadInput([Problem("file", found, expected, source=name)])


def _first_bytes(file: LogFile) -> bytes:
    try:
        with open(file.path, "rb") as stream:
            file.packed = stream.read(2) == _GZIP
        with file.stream() as stream:
            head = stream.read(HEAD_BYTES)
            more = len(head) == HEAD_BYTES and head.count(b"\n") < 2 and not head.startswith(_PARQUET)
            return head + stream.read(LONGEST_LINE_BYTES) if more else head
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _bad(file.name, "a damaged gzip archive", f"a whole one ({error}): copy it again") from None
    except OSError as error:
        raise _bad(file.name, error.strerror or str(error), "a file that can be read") from None


def _to_utf8(file: LogFile) -> None:
    """Excel's "Unicode text" is UTF-16: rewrite it."""
    target = file.path + ".utf8"
    with io.TextIOWrapper(file.stream(), encoding="utf-16", newline="") as text:
        try:
            with open(target, "w", encoding="utf-8", newline="") as kept:
                shutil.copyfileobj(text, kept, 1 << 20)
        except UnicodeError as error:
            raise _bad(file.name, f"broken UTF-16 ({error})", "UTF-8 text (in Excel: save as CSV UTF-8)") from None
    file.path = target


def _look_inside(file: LogFile, head: bytes) -> None:
    text = head.decode("utf-8", errors="replace").removeprefix("\ufeff")
    whole = len(head) < HEAD_BYTES
    if not whole and "\n" in text:
        text = text[: text.rindex("\n") + 1]
    lines = text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    if first.lstrip()[:1] == "[" or (first.lstrip()[:1] == "{" and _object(first) is None and _one(text, whole)):
        file.kind = "document"
    elif any(_object(line) is not None for line in lines[:50]):
        file.kind = "lines"
        rest = lines[FIRST_RECORDS:]
        spread = rest[:: max(1, len(rest) // FIRST_RECORDS)]
        objects = [found for line in lines[:FIRST_RECORDS] + spread if (found := _object(line)) is not None]
        file.head = objects + list(_from_further_on(file))
    else:
        file.kind = "table"
        above = re.match(r"(?:[ \t]*(?:\r\n|\n|\r))*(?:\"?sep=(.)\"?(?:\r\n|\n|\r))?", text)
        assert above  # it matches nothing at all too
        file.delimiter = above[1] or _delimiter(re.split("\r\n|\n|\r", text[:100_000]))
        file.blank_lines = len(above[0].splitlines())
        below = io.StringIO(text[above.end() :], newline="")
        rows = list(_some_rows(csv.reader(below, delimiter=file.delimiter), FIRST_RECORDS + 1))
        _check_table(file.name, rows)
        if not rows:
            raise _bad(file.name, "", "a log; the file is empty")
        file.headings = tuple(rows[0])
        file.head = [dict(zip(file.headings, row, strict=False)) for row in rows[1:]]


def _check_table(name: str, rows: list[list[str]]) -> None:
    """Text that is no table at all. Raises BadInput."""
    first = rows[0][0] if rows and rows[0] else ""
    if first.startswith("# ptucalc.minutes"):
        raise _bad(name, "the minutes of a plan", "a log; these are read with their plan: ptucalc size PLAN.yaml")
    if any(row and row[0].strip() in ("workloads:", "models:") for row in rows[:50]):
        raise _bad(name, "a plan", "a log; sizes of a plan: ptucalc size FILE")
    if rows and len(rows[0]) == 1:
        raise _bad(name, "text without columns", "a log: CSV, TSV, JSON, JSON lines (.gz too) or Parquet")


def _one(text: str, whole: bool) -> bool:
    """Whether text that begins with a brace is one JSON document, rather than lines of which the first is broken."""
    if not whole:
        return True
    try:
        json.loads(text)
    except RecursionError:
        return False
    except ValueError:
        return not any(_object(line) is not None for line in text.split("\n")[1:50])
    return True


def _some_rows(rows: Iterator[list[str]], most: int) -> Iterator[list[str]]:
    try:
        with _long_fields():
            for row in rows:
                if row:
                    yield row
                    most -= 1
                if not most:
                    return
    except csv.Error:  # the engine counts such rows
        return


@contextmanager
def _long_fields() -> Iterator[None]:
    """Lets Python's csv reader read cells as long as the engine does; its limit is one for the whole process."""
    before = csv.field_size_limit(LONGEST_LINE_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _object(line: str) -> dict[str, Any] | None:
    if line.lstrip()[:1] != "{":
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _from_further_on(file: LogFile) -> Iterator[dict[str, Any]]:
    """Some objects from all over a large file that is not packed."""
    if file.packed or file.size <= HEAD_BYTES:
        return
    with open(file.path, "rb") as stream:
        for spot in range(1, SPOTS + 1):
            stream.seek(file.size * spot // (SPOTS + 1))
            for line in stream.read(60_000).split(b"\n")[1:-1][:3]:
                if (found := _object(line.decode("utf-8", errors="replace"))) is not None:
                    yield found


def _delimiter(lines: list[str]) -> str:
    """What separates the cells: the mark that the first lines have most of, outside of quotes."""
    sample = [line for line in lines[:30] if line.strip()]
    bare = ["".join(line.split('"')[::2]) for line in sample]
    counts = {mark: max((line.count(mark) for line in bare), default=0) for mark in (",", ";", "\t", "|")}
    header = bare[0] if bare else ""
    return max(counts, key=lambda mark: (header.count(mark), counts[mark]))


def whole_document(file: LogFile) -> Any:
    """A JSON document, parsed. Raises BadInput where it is none, or too large to be read whole."""
    try:
        with file.stream() as stream:
            data = stream.read(LARGEST_DOCUMENT_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _bad(file.name, "a damaged gzip archive", f"a whole one ({error}): copy it again") from None
    if len(data) > LARGEST_DOCUMENT_BYTES:
        most = f"{LARGEST_DOCUMENT_BYTES:,} bytes"
        raise _bad(file.name, "a larger one", f"a JSON document of at most {most}, or JSON lines (jq -c '.[]')")
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _bad(file.name, f"byte 0x{data[error.start]:02x} at {error.start:,}", "UTF-8 text") from None
    except json.JSONDecodeError as error:
        found = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise _bad(file.name, found, "a whole JSON document, or one JSON object a line") from None
    except RecursionError:
        raise _bad(file.name, "JSON nested too deep", "a log") from None


def whole_table(file: LogFile) -> list[list[str]]:
    """Every row of a table, for formats whose rows belong together. Raises BadInput where it cannot be read."""
    try:
        with io.TextIOWrapper(file.stream(), encoding="utf-8-sig", newline="") as text, _long_fields():
            return [row for row in csv.reader(text, delimiter=file.delimiter) if row]
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _bad(file.name, "a damaged gzip archive", f"a whole one ({error}): copy it again") from None
    except UnicodeDecodeError as error:
        raise _bad(file.name, f"byte 0x{error.object[error.start]:02x}", "UTF-8 text") from None
    except csv.Error as error:
        raise _bad(file.name, str(error), "a table") from None
