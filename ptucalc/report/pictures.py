"""Heat maps and strips as lines of characters: shades and blocks, or cells that a terminal colours.

Only what is seen is scaled here. 0 never looks like "no data", and a little never looks like 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby

from ptucalc.report.blocks import Cell, HeatMap, Strip, amount_text

__all__ = ["HEAT_STEPS", "bars", "picture", "step_of"]

Value = Fraction | int | None
Line = list[Cell]

HOURS = 24
HEAT_STEPS = 10
"""Colours between 0, which has its own, and the largest value."""
SHADES = " ·░▒▓█"
"""No data, 0, and the quarters up to the largest value."""
BLOCKS = " ▁▂▃▄▅▆▇█"
EIGHTHS = 8
CELL_WIDTHS = (3, 2, 1)
GAP = 2


def step_of(value: Fraction | int, largest: Fraction | int, steps: int) -> int:
    """Which of so many steps a value of 0 to `largest` is on: 0 is step 0, anything more at least 1, the largest the last.

    >>> [step_of(value, 100, 4) for value in (0, 1, 25, 26, 99, 100)]
    [0, 1, 1, 2, 4, 4]
    """
    return -(-value * steps // largest) if value else 0


def picture(block: HeatMap | Strip, room: int, *, colors: bool) -> Iterator[Line]:
    """The lines of a picture, as parts with a style: one of `Cell`, "over", or "heat" with a step of 0 to `HEAT_STEPS`."""
    if isinstance(block, HeatMap):
        return _heat_lines(block, room, colors=colors)
    return _strip_lines(block, room, colors=colors)


def _heat_lines(heat: HeatMap, room: int, *, colors: bool) -> Iterator[Line]:
    """The lines of a heat map: title, hours, rows, legend. Cells are as wide as the room allows, at least 1."""
    known = [value for row in heat.rows for value in row.values if value is not None]
    largest = max(known, default=0)
    before = max((_width(row.label) for row in heat.rows), default=0) + GAP
    after = max((_width(row.remark) for row in heat.rows), default=0) + GAP
    width = next((each for each in CELL_WIDTHS if before + HOURS * each + after <= room), CELL_WIDTHS[-1])
    yield [Cell(heat.title, "dim")]
    yield [Cell(" " * before + "".join(f"{hour:02d}".ljust(3 * width) for hour in range(0, HOURS, 3)).rstrip(), "dim")]
    for row in heat.rows:
        line = [Cell(_padded(row.label, before), "dim"), *_heat_cells(row.values, largest, width, colors=colors)]
        yield [*line, Cell(" " * GAP), Cell(row.remark, "bold" if row.strong else "dim")]
    yield _legend(heat, known, before, width, colors=colors)


def _heat_cells(values: Sequence[Value], largest: Fraction | int, width: int, *, colors: bool) -> Line:
    if not colors:
        quarters = len(SHADES) - 2
        shades = (SHADES[0 if value is None else 1 + step_of(value, largest, quarters)] * width for value in values)
        return [Cell("".join(shades))]
    styles = ("" if value is None else f"heat{step_of(value, largest, HEAT_STEPS)}" for value in values)
    return [Cell(" " * width * len(list(same)), style) for style, same in groupby(styles)]


def _legend(heat: HeatMap, known: Sequence[Fraction | int], before: int, width: int, *, colors: bool) -> Line:
    """What the colours or shades mean."""
    largest = max(known, default=0)
    gaps = len(known) < sum(len(row.values) for row in heat.rows)
    swatch: Line = [Cell(SHADES[1:])]
    if colors:
        swatch = [Cell(" " * min(width, 2), f"heat{step}") for step in range(HEAT_STEPS + 1)]
    meanings = ["blank: no data"] if gaps else []
    if known:
        meanings.insert(0, f"0 to {amount_text(largest, 0)} {heat.unit}" if largest else f"0 {heat.unit} throughout")
    return [Cell(" " * before), *swatch, Cell(" " * GAP), Cell("; ".join(meanings), "dim")]


def bars(values: Sequence[Value], room: int) -> list[Value]:
    """At most as many values as there is room for, each the largest of equally many neighbours; None where all are.

    >>> bars([1, 5, None, 2, None, None], 3)
    [5, 2, None]
    """
    whole = (each for each in range(1, len(values) + 1) if len(values) % each == 0)
    together = next((each for each in whole if len(values) // each <= room), len(values) or 1)
    groups = (values[at : at + together] for at in range(0, len(values), together))
    return [max((value for value in group if value is not None), default=None) for group in groups]


def _strip_lines(strip: Strip, room: int, *, colors: bool) -> Iterator[Line]:
    """The lines of a strip: bars two lines high, the hours they run from and to, and what stands out.

    Bars over the threshold are red; without colours a line beneath marks them.
    """
    before = _width(strip.label) + GAP
    shown = bars(strip.values, room - before)
    largest = max((value for value in shown if value is not None), default=0)
    over = [value is not None and strip.threshold is not None and value > strip.threshold for value in shown]
    steps = [None if value is None else step_of(value, largest, 2 * EIGHTHS) for value in shown]
    upper = [BLOCKS[max(0, (step or 0) - EIGHTHS)] for step in steps]
    lower = [" " if step is None else BLOCKS[min(step, EIGHTHS)] if step else SHADES[1] for step in steps]
    margin = Cell(" " * before)
    yield [margin, *_bar_cells(upper, over, colors=colors)]
    yield [Cell(_padded(strip.label, before), "dim"), *_bar_cells(lower, over, colors=colors)]
    if not colors and any(over):
        yield [margin, Cell("".join("^" if each else " " for each in over))]
    caption = _caption(strip, any(over), colors=colors)
    length = sum(_width(cell.text) for cell in caption)
    between = len(shown) - len(strip.first) - len(strip.last)
    first, last = Cell(strip.first, "dim"), Cell(strip.last, "dim")
    if between - length >= 2 * GAP:
        left = (between - length) // 2
        yield [margin, first, Cell(" " * left), *caption, Cell(" " * (between - length - left)), last]
    else:
        yield [margin, first, Cell(" " * between), last]
        yield [margin, *caption]


def _bar_cells(characters: Sequence[str], over: Sequence[bool], *, colors: bool) -> Line:
    styled = zip(characters, over, strict=True)
    runs = groupby(styled, key=lambda each: each[1])
    return [Cell("".join(c for c, _ in run), ("over" if red else "bar") if colors else "") for red, run in runs]


def _caption(strip: Strip, any_over: bool, *, colors: bool) -> Line:
    if strip.threshold is None:
        return [Cell(strip.caption, "dim")]
    if not any_over:
        return [Cell(f"{strip.caption}; never {strip.over}", "dim")]
    mark = Cell("red", "over") if colors else Cell("^")
    return [Cell(f"{strip.caption}; ", "dim"), mark, Cell(f" = {strip.over}", "dim")]


def _width(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
