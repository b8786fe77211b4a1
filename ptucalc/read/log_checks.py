"""What the engine would not notice of a file: damage in packed ones, and lines so long that it drops them."""

from __future__ import annotations

import threading
import zlib
from typing import IO

from ptucalc.errors import BadInput, Problem
from ptucalc.read.log_choices import Batch
from ptucalc.read.log_files import LONGEST_LINE_BYTES, LogFile

__all__ = ["Checks"]

GLANCE_BYTES = 1 << 16
"""A file is glanced at in pieces of this size; nearly always the first one holds an end of a line."""


class Checks:
    """What the engine would not notice, looked for while it reads: damage in packed files (by their own checksums), and
    lines so long that it drops them.

    Of files that are not packed little is read: where every stretch of half the longest line has an end of a line in it,
    no line is too long.
    """

    def __init__(self, batch: Batch) -> None:
        self.problems: list[Problem] = []
        self.long_lines = 0
        self.lines = 0
        self.files = [file for file in batch.files if file.kind != "parquet"]
        self.thread: threading.Thread | None = None
        if any(file.packed or not _short_lines(file) for file in self.files):
            self.count_lines()

    def count_lines(self) -> None:
        """Read all files to their ends, beside the engine."""
        if self.thread is None:
            self.thread = threading.Thread(target=self._check, daemon=True)
            self.thread.start()

    def _check(self) -> None:
        for file in self.files:
            try:
                with file.stream() as stream:
                    self._look_through(stream)
            except (EOFError, OSError, zlib.error) as error:
                found = "a damaged gzip archive" if file.packed else "a file that breaks off"
                expected = f"a whole one ({error}): copy it again"
                self.problems.append(Problem("file", found, expected, source=file.name))

    def _look_through(self, stream: IO[bytes]) -> None:
        length = 0
        last = b"\n"
        while chunk := stream.read(1 << 20):
            self.lines += chunk.count(b"\n")
            last = chunk[-1:]
            end = chunk.find(b"\n")
            if end < 0:
                length += len(chunk)
                continue
            self.long_lines += length + end > LONGEST_LINE_BYTES
            length = len(chunk) - chunk.rfind(b"\n") - 1
        self.long_lines += length > LONGEST_LINE_BYTES
        self.lines += last != b"\n"

    def wait(self) -> None:
        """Until all is checked: `lines` is how many there are, where they were counted, `long_lines` how many too long
        ones. Raises BadInput."""
        if self.thread:
            self.thread.join()
        if self.problems:
            raise BadInput(self.problems)


def _short_lines(file: LogFile) -> bool:
    """Whether no line of a file that is not packed can be too long."""
    stretch = LONGEST_LINE_BYTES // 2
    with file.stream() as stream:
        for start in range(0, file.size, stretch):
            stream.seek(start)
            if not any(b"\n" in stream.read(GLANCE_BYTES) for _ in range(stretch // GLANCE_BYTES)):
                return start + stretch > file.size
    return True
