"""Workload files: CSV, YAML plan or JSON to rows that become workloads, each row knowing its place in the file."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ptucalc.errors import BadInput, Problem
from ptucalc.read.files import binary, decode, not_utf8, read_bytes
from ptucalc.read.row import Row
from ptucalc.workload import Workload

if TYPE_CHECKING:
    from ptucalc.hand_over import Spillover
    from ptucalc.plan_limits import PlanLimits
    from ptucalc.read.workload_plan import Plan
    from ptucalc.results import Note

__all__ = ["MOST_PROBLEMS", "WorkloadFile", "read_workloads"]

MOST_PROBLEMS = 10_000
"""So many problems are kept and reported; further ones are counted."""

_HEAD_BYTES = 65_536


@dataclass
class WorkloadFile:
    """A file of workloads that can be gone through more than once, row by row.

    `kind` is csv, yaml or json, told from the content; `read` and `ignored` are column headings (CSV only); `headroom`,
    `limits` and `spillover` are the plan's own. Opening it raises BadInput where the file as a whole cannot be used.
    """

    name: str
    kind: str = ""
    headroom: str | None = None
    limits: PlanLimits | None = None
    spillover: Spillover | None = None
    read: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    lines: list[str] = field(default_factory=list)
    catalogs: tuple[str, ...] = ()
    _plan: Plan | None = None
    _rows: Callable[[], Iterator[Row]] = field(default=lambda: iter(()), repr=False)
    _pipe: _Pipe | None = None

    @classmethod
    def open(cls, path: str | Path, *, catalogs: Sequence[str] = ()) -> WorkloadFile:
        """A file by path, or "-" for standard input. `catalogs` say how the prompts that a plan names are counted."""
        where = None if path == "-" else Path(path)
        file = cls("stdin" if where is None else str(where), catalogs=tuple(catalogs))
        if where is None or (where.exists() and not where.is_file() and not where.is_dir()):
            file._pipe = _Pipe(where)
        try:
            file._look(where)
        except BaseException:
            file.close()
            raise
        return file

    def _look(self, where: Path | None) -> None:
        """Find out what kind of file it is, and how to get at its rows."""
        head = self._head(where)
        problem = binary(head, self.name)
        if problem:
            raise BadInput([problem])
        if not head.strip():
            raise BadInput([Problem("file", "", "workloads; the file is empty", source=self.name)])
        self.kind = _kind(head)
        if self.kind == "csv":
            from ptucalc.read.workload_csv import CsvTable

            table = CsvTable(self.name, head, lambda: self._stream(where))
            self.read = tuple(heading for _, _, heading in table.columns.read)
            self.ignored = table.columns.ignored
            self._rows = table.rows
        else:
            from ptucalc.read.workload_plan import read_plan

            with self._stream(where) as stream:
                text = decode(stream.read(), self.name)
            folder = Path() if where is None else where.parent
            plan = read_plan(text, self.name, self.kind, folder=folder, catalogs=self.catalogs)
            self.headroom, self.limits, self.lines = plan.headroom, plan.limits, plan.lines
            self.spillover, self._plan = plan.spillover, plan
            self._rows = lambda: iter(plan.rows)

    def rows(self) -> Iterator[Row]:
        """Every row, in order. Raises BadInput where the file breaks off as a table."""
        try:
            yield from self._rows()
        except UnicodeDecodeError as error:
            raise BadInput([not_utf8(self.name, error, from_start=False)]) from None

    @property
    def notes(self) -> tuple[Note, ...]:
        """What is to be known of the prompts that were counted for the rows that were read."""
        calls = () if self._plan is None else self._plan.prompts
        return tuple(dict.fromkeys(note for call in calls for note in call.notes))

    @property
    def files_read(self) -> tuple[str, ...]:
        """The other files that its rows name, prompts and minutes, once the rows were read."""
        return () if self._plan is None else self._plan.files_read

    def close(self) -> None:
        """Forget what was kept of a pipe."""
        if self._pipe is not None:
            self._pipe.close()

    def __enter__(self) -> WorkloadFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _head(self, path: Path | None) -> bytes:
        if self._pipe is not None:
            return self._pipe.head()
        assert path is not None
        return read_bytes(path, most=_HEAD_BYTES)

    def _stream(self, path: Path | None) -> AbstractContextManager[IO[bytes]]:
        if self._pipe is not None:
            return nullcontext(self._pipe.stream())
        assert path is not None
        return path.open("rb")


def read_workloads(path: str | Path) -> list[Workload]:
    """The workloads of a CSV, YAML or JSON file ("-" is standard input). Raises BadInput with every problem, placed.

    A plan's own headroom is no part of its workloads: it is `WorkloadFile.open(path).headroom`.
    """
    from dataclasses import replace

    problems: list[Problem] = []
    found = []
    with WorkloadFile.open(path) as file:
        for row in file.rows():
            try:
                workload = row.workload()
                found.append(workload if workload.name else replace(workload, name=row.name))
            except BadInput as error:
                problems.extend(map(row.placed, error.problems))
    if problems:
        more = max(0, len(problems) - MOST_PROBLEMS)
        raise BadInput(problems[:MOST_PROBLEMS], uncounted=more, lines=file.lines)
    return found


_KEY = re.compile(r"""["']?[A-Za-z_][\w -]*["']?\s*:(\s|$)""")


def _kind(head: bytes) -> str:
    """json, yaml or csv, from the first line that says something."""
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = head[: len(head) // 2 * 2].decode(encoding, errors="replace").lstrip()
    if text[:1] in ("{", "["):
        return "json"
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "---")
    return "yaml" if first.startswith(("- ", "---", "%YAML")) or _KEY.match(first) else "csv"


class _Pipe:
    """Standard input or a named pipe: can be read only once, and is gone through twice, so it is kept in a file.

    Only its beginning is kept at first, so that what is no text is refused without waiting for its end.
    """

    def __init__(self, path: Path | None) -> None:
        import tempfile

        self.source = path.open("rb") if path is not None else getattr(sys.stdin, "buffer", io.BytesIO())
        self.kept = tempfile.SpooledTemporaryFile(max_size=16_000_000)  # noqa: SIM115  # closed by close()
        while self.kept.tell() < _HEAD_BYTES and (part := self.source.read(_HEAD_BYTES)):
            self.kept.write(part)
        self.whole = False

    def head(self) -> bytes:
        """The beginning."""
        self.kept.seek(0)
        return self.kept.read(_HEAD_BYTES)

    def stream(self) -> IO[bytes]:
        """All of it, from the start."""
        if not self.whole:
            import shutil

            self.kept.seek(0, io.SEEK_END)
            shutil.copyfileobj(self.source, self.kept)
            self.whole = True
        self.kept.seek(0)
        return self.kept

    def close(self) -> None:
        """Forget what was kept."""
        self.kept.close()
        if self.source is not getattr(sys.stdin, "buffer", None):
            self.source.close()
