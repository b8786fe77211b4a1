"""What the engine would not notice of a file: damage in packed ones, and lines so long that it drops them."""

from __future__ import annotations

import threading
import zlib
from typing import IO

from ptucalc.errors import BadInput, Problem
from ptucalc.read.log_choices import Batch
from ptucalc.read.log_files import LONGEST_LINE_BYTES

__all__ = ["Checks"]


class Checks:
    """What the engine would not notice, looked for while it reads: damage in packed files (by their own checksums), and
    lines so long that it drops them."""

    def __init__(self, batch: Batch) -> None:
        self.problems: list[Problem] = []
        self.long_lines = 0
        self.lines = 0
        self.files = [file for file in batch.files if file.kind != "parquet"]
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
        """Until all is checked: `lines` is how many there are, `long_lines` how many too long ones. Raises BadInput."""
        self.thread.join()
        if self.problems:
            raise BadInput(self.problems)
