"""Blocks to a terminal or a pipe. On a terminal tables fit its width; in a pipe nothing is cut or coloured."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import IO, TYPE_CHECKING

from ptucalc.report.bar_pictures import bars_picture
from ptucalc.report.blocks import Bars, Block, Headline, HeatMap, Remark, Strip, Table
from ptucalc.report.pictures import picture
from ptucalc.report.plain import GAP, LABEL_WIDTH, natural_widths, plain_lines, wrapped

if TYPE_CHECKING:
    from rich.box import Box
    from rich.table import Table as RichTable
    from rich.text import Text

__all__ = ["show", "width_of"]

FOLDED = 20
"""A column that may fold is given at least this much room before others are left out."""
INDENT = 2
GAPS = (GAP, GAP - 1)
"""Spaces between columns, and between those of a table that is too wide for the terminal."""

_STYLES = {"": "", "bold": "bold", "dim": "dim", "warn": "yellow", "bar": "cyan", "over": "red"}
_HEAT = ("1b2a4e", "4c4a4c", "5c5149", "6d5a46", "7f6443", "946f40", "aa7b3d", "c0883a", "d79537", "eda236", "ffb03a")
"""From 0 (which is apart) to the largest value: neither end is lost on a dark or on a light background."""
_HEAT_OF_256 = (17, 237, 239, 241, 58, 94, 130, 136, 172, 208, 214)
"""The same where there are 256 colors: the nearest ones would be pink and few."""
_LABELS = {"": "dim", "dim": "dim", "warn": "yellow", "bold": "bold"}


def width_of(stream: IO[str]) -> int | None:
    """Columns of the terminal that a stream writes to; None for a pipe or a file."""
    try:
        return os.get_terminal_size(stream.fileno()).columns if stream.isatty() else None
    except (OSError, ValueError):
        return None


def show(blocks: Iterable[Block], stream: IO[str], *, width: int | None = None) -> None:
    """Write the blocks: in colour on a terminal, unless NO_COLOR is set. `width` None means the stream's own."""
    width = width or width_of(stream)
    lines = plain_lines if width is None else _painter(stream, width - INDENT)
    before: Block | None = None
    for block in blocks:
        if before is None or not (isinstance(block, Remark) and isinstance(before, Remark)):
            stream.write("\n")
        stream.writelines(f"{' ' * INDENT}{line}".rstrip() + "\n" for line in lines(block))
        before = block
    stream.write("\n")


def _painter(stream: IO[str], room: int) -> Callable[[Block], Iterator[str]]:
    """Makes the lines of a block for a terminal with this much room."""
    from rich.console import Console
    from rich.text import Text

    colors = width_of(stream) is not None and not os.environ.get("NO_COLOR")
    console = Console(
        file=stream,
        width=room,
        force_terminal=colors,
        no_color=not colors,
        markup=False,
        highlight=False,
        emoji=False,
    )

    heat = _heat_styles(console.color_system)

    def lines(block: Block) -> Iterator[str]:
        console.width = room
        if isinstance(block, Table):
            what: Text | RichTable
            what, least = _drawn(block, room)
            console.width = max(room, least)  # what cannot fit runs on in the next line: no number is ever cut
        elif isinstance(block, Headline):
            what = Text.assemble((block.what, "bold"), "  " if block.more else "", block.more)
        elif isinstance(block, HeatMap | Strip | Bars):
            styles = _STYLES | heat
            if isinstance(block, Bars):
                cells = bars_picture(block, room)
            else:
                cells = picture(block, room, colors=colors and (bool(heat) or isinstance(block, Strip)))
            what = Text("\n").join(Text.assemble(*((c.text, styles[c.style]) for c in line)) for line in cells)
            console.width = max(room, max(text.cell_len for text in what.split()))
        else:
            text = "\n".join(wrapped(block, room))
            dim = block.style == "dim" and block.label != "How"
            label, body = text[:LABEL_WIDTH], text[LABEL_WIDTH:]
            what = Text.assemble((label, _LABELS[block.style]), (body, "dim" if dim else ""))
        with console.capture() as captured:
            console.print(what, overflow="fold")
        return iter(captured.get().rstrip("\n").split("\n"))

    return lines


def _heat_styles(color_system: str | None) -> dict[str, str]:
    """Backgrounds of the steps of a heat map; none where there are too few colors to tell the steps apart."""
    if color_system == "truecolor":
        return {f"heat{step}": f"on #{color}" for step, color in enumerate(_HEAT)}
    if color_system == "256":
        return {f"heat{step}": f"on color({color})" for step, color in enumerate(_HEAT_OF_256)}
    return {}


def _drawn(table: Table, width: int) -> tuple[RichTable, int]:
    """The table, and the least width it can be shown in."""
    from rich.table import Table as RichTable
    from rich.text import Text

    natural = natural_widths(table)
    kept, gap = _columns_that_fit(table, natural, width)
    fits = sum(natural[index] + gap for index in kept) - gap <= width
    least = sum(min(natural[i], FOLDED) if table.columns[i].folds else natural[i] for i in kept) + gap * (len(kept) - 1)
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
    return drawn, least


def _columns_that_fit(table: Table, natural: list[int], width: int) -> tuple[list[int], int]:
    """Indexes of the columns to show, and the gap between them: optional ones go, last first, until the rest fits."""
    kept = list(range(len(table.columns)))
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
