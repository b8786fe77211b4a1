"""Blocks as plain lines for a pipe or a file, where nothing is cut, folded or coloured. rich is for terminals."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from ptucalc.report.bar_pictures import bars_picture
from ptucalc.report.blocks import Bars, Block, Cell, Headline, HeatMap, Remark, Strip, Table
from ptucalc.report.pictures import picture

__all__ = ["GAP", "LABEL_WIDTH", "PICTURE_WIDTH", "PROSE_WIDTH", "natural_widths", "plain_lines", "wrapped"]

GAP = 3
LABEL_WIDTH = 11
PROSE_WIDTH = 100
PICTURE_WIDTH = 78


def plain_lines(block: Block) -> Iterator[str]:
    """The lines of one block."""
    if isinstance(block, Headline):
        yield f"{block.what}  {block.more}".rstrip()
    elif isinstance(block, Remark):
        yield from wrapped(block, PROSE_WIDTH)
    elif isinstance(block, HeatMap | Strip):
        for cells in picture(block, PICTURE_WIDTH, colors=False):
            yield "".join(cell.text for cell in cells).rstrip()
    elif isinstance(block, Bars):
        for cells in bars_picture(block, PICTURE_WIDTH):
            yield "".join(cell.text for cell in cells).rstrip()
    else:
        yield from _table(block)


def wrapped(remark: Remark, room: int) -> Iterator[str]:
    """A remark's lines: its label, and its text wrapped beside it. A word longer than the room stays whole."""
    room = max(30, room - LABEL_WIDTH)
    label = remark.label
    for line in textwrap.wrap(remark.text, room, break_long_words=False, break_on_hyphens=False) or [""]:
        yield f"{label:<{LABEL_WIDTH}}{line}"
        label = ""


def natural_widths(table: Table) -> list[int]:
    """The width of each column, in terminal cells, if nothing is folded."""
    from rich.cells import cell_len

    rows = [*table.rows, *([table.totals] if table.totals else [])]
    return [
        max([cell_len(column.title), *(cell_len(row[index].text) for row in rows)])
        for index, column in enumerate(table.columns)
    ]


def _table(table: Table) -> Iterator[str]:
    from rich.cells import cell_len

    widths = natural_widths(table)
    rule = "─" * (sum(widths) + GAP * (len(widths) - 1))

    def line(texts: list[str]) -> str:
        parts = []
        for text, width, column in zip(texts, widths, table.columns, strict=True):
            room = " " * (width - cell_len(text))
            parts.append(room + text if column.right else text + room)
        return (" " * GAP).join(parts)

    def row(cells: list[Cell]) -> str:
        return line([cell.text for cell in cells])

    yield line([column.title for column in table.columns])
    yield rule
    yield from map(row, table.rows)
    if table.totals:
        yield rule
        yield row(table.totals)
