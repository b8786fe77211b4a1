"""Blocks to a terminal or a pipe. On a terminal tables fit its width; in a pipe nothing is cut or coloured."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING

from ptucalc.report.blocks import Block, Headline, Remark, Table

if TYPE_CHECKING:
    from rich.box import Box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

__all__ = ["show", "width_of"]

PIPE_PROSE_WIDTH = 100
PIPE_WIDTH = 100_000
LABEL_WIDTH = 11
FOLDED = 20
"""A column that may fold is given at least this much room before others are left out."""
INDENT = 2
GAPS = (3, 2)
"""Spaces between columns, and between those of a table that is too wide for the terminal."""

_STYLES = {"": "", "bold": "bold", "dim": "dim", "warn": "yellow", "bar": "cyan"}
_LABELS = {"": "dim", "dim": "dim", "warn": "yellow", "bold": "bold"}


def width_of(stream: IO[str]) -> int | None:
    """Columns of the terminal that a stream writes to; None for a pipe or a file."""
    try:
        return os.get_terminal_size(stream.fileno()).columns if stream.isatty() else None
    except (OSError, ValueError):
        return None


def show(blocks: Iterable[Block], stream: IO[str], *, width: int | None = None) -> None:
    """Write the blocks: in colour on a terminal, unless NO_COLOR is set. `width` None means the stream's own."""
    from rich.console import Console

    width = width or width_of(stream)
    wanted = width_of(stream) is not None and not os.environ.get("NO_COLOR")
    console = Console(
        file=stream,
        width=width or PIPE_WIDTH,
        force_terminal=wanted,
        no_color=not wanted,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=False,
    )
    before: Block | None = None
    for block in blocks:
        if before is None or not (isinstance(block, Remark) and isinstance(before, Remark)):
            stream.write("\n")
        stream.writelines(f"{' ' * INDENT}{line}".rstrip() + "\n" for line in _lines(console, block, width))
        before = block
    stream.write("\n")


def _lines(console: Console, block: Block, width: int | None) -> Iterator[str]:
    room = (width or PIPE_WIDTH) - INDENT
    if isinstance(block, Table):
        return _rendered(console, _drawn(block, None if width is None else room), room)
    if isinstance(block, Headline):
        return _headline(console, block, room if width else PIPE_PROSE_WIDTH)
    return _remark(console, block, room if width else PIPE_PROSE_WIDTH)


def _rendered(console: Console, what: Text | RichTable, room: int) -> Iterator[str]:
    """The lines that rich makes of something, colours included."""
    with console.capture() as captured:
        console.print(what, width=room, overflow="fold")
    return iter(captured.get().rstrip("\n").split("\n"))


def _headline(console: Console, block: Headline, room: int) -> Iterator[str]:
    from rich.text import Text

    text = Text.assemble((block.what, "bold"), "  " if block.more else "", block.more)
    return _rendered(console, text, room)


def _remark(console: Console, remark: Remark, room: int) -> Iterator[str]:
    from rich.text import Text

    lines = textwrap.wrap(remark.text, max(30, room - LABEL_WIDTH), break_long_words=False, break_on_hyphens=False)
    label = (f"{remark.label:<{LABEL_WIDTH}}", _LABELS[remark.style])
    body = ("\n" + " " * LABEL_WIDTH).join(lines)
    style = "dim" if remark.style == "dim" and remark.label != "How" else ""
    return _rendered(console, Text.assemble(label, (body, style)), max(room, 40))


def _drawn(table: Table, width: int | None) -> RichTable:
    from rich.table import Table as RichTable
    from rich.text import Text

    natural = _natural_widths(table)
    kept, gap = _columns_that_fit(table, natural, width)
    fits = width is None or sum(natural[index] + gap for index in kept) - gap <= width
    drawn = RichTable(
        box=_head_line(),
        show_edge=False,
        pad_edge=False,
        padding=(0, gap - 1, 0, 0),  # the box draws one space between columns itself
        header_style="dim",
        border_style="dim",
    )
    for index in kept:
        column = table.columns[index]
        drawn.add_column(
            column.title,
            justify="right" if column.right else "left",
            overflow="fold",
            no_wrap=not column.folds,
            width=natural[index] if fits or not column.folds else None,
        )
    for row in table.rows:
        drawn.add_row(*(Text(row[index].text, style=_STYLES[row[index].style]) for index in kept))
    if table.totals:
        drawn.add_section()
        drawn.add_row(*(Text(table.totals[i].text, style=_STYLES[table.totals[i].style]) for i in kept))
    return drawn


def _natural_widths(table: Table) -> list[int]:
    """The width of each column if nothing is folded."""
    from rich.cells import cell_len

    rows = [*table.rows, *([table.totals] if table.totals else [])]
    return [
        max(cell_len(column.title), *(cell_len(row[index].text) for row in rows)) if rows else cell_len(column.title)
        for index, column in enumerate(table.columns)
    ]


def _columns_that_fit(table: Table, natural: list[int], width: int | None) -> tuple[list[int], int]:
    """Indexes of the columns to show, and the gap between them: optional ones go, last first, until the rest fits."""
    kept = list(range(len(table.columns)))
    if width is None:
        return kept, GAPS[0]
    least = [min(natural[i], FOLDED) if column.folds else natural[i] for i, column in enumerate(table.columns)]
    optional = [index for index, column in enumerate(table.columns) if column.optional]
    while True:
        for gap in GAPS:
            if sum(least[index] + gap for index in kept) - gap <= width:
                return kept, gap
        if not optional:
            return kept, GAPS[-1]
        kept.remove(optional.pop())


def _head_line() -> Box:
    from rich.box import Box

    return Box("    \n    \n ── \n    \n ── \n ── \n    \n    \n")
