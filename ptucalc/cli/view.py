"""How and where a command shows its result: format, file or standard output, colours."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ptucalc.cli.writing import output_stream
from ptucalc.errors import visible

if TYPE_CHECKING:
    from ptucalc.report.blocks import Block

__all__ = ["View", "remark"]

_STEERS = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Characters that a terminal obeys or that turn text around: written as JSON escapes, for they stand in strings only."""


class View(NamedTuple):
    """The output flags. `inputs` are files not to overwrite."""

    shape: str
    out_file: str | None = None
    quiet: bool = False
    verbose: bool = False
    inputs: tuple[str, ...] = ()

    def write(
        self,
        document: Mapping[str, Any],
        blocks: Iterable[Block],
        columns: Sequence[str],
        rows: Iterable[Sequence[Any]],
    ) -> None:
        """Write a result in the format asked for."""
        if self.shape == "csv":
            self.write_rows(columns, rows)
            return
        with output_stream(self.out_file, inputs=self.inputs) as stream:
            if self.shape == "json":
                import json

                text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
                stream.write(_STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")
            elif self.shape == "markdown":
                from ptucalc.report.markdown import markdown

                stream.write(markdown(blocks))
            else:
                from ptucalc.report.console import show

                show(blocks, stream)

    def write_rows(self, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write flat rows as CSV, one by one."""
        from ptucalc.report.flat import write_csv

        with output_stream(self.out_file, inputs=self.inputs) as stream:
            write_csv(columns, rows, stream)


def remark(text: str, view: View) -> None:
    """A remark to standard error, unless the view is quiet."""
    if not view.quiet:
        print(visible(text), file=sys.stderr)
