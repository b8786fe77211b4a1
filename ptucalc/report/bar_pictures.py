"""Bars over an axis as lines of characters: a title, marks, bars of blocks, the axis with its ticks, a legend.

Only what is seen is scaled here. 0 never looks like "no data", and a little never looks like 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby

from ptucalc.report.blocks import Bars, Cell
from ptucalc.report.pictures import BLOCKS, EIGHTHS, SHADES, step_of

__all__ = ["bars_picture"]

Value = Fraction | int | None
Line = list[Cell]

MARK = "▼"
WIDEST_BAR = 4


def bars_picture(block: Bars, room: int) -> Iterator[Line]:
    """The lines of the picture, as parts with a style; marked bars have a mark above them, with or without colours."""
    before = max(len(block.top_text), len(block.zero_text)) + 2
    together, wide = _grouping(len(block.values), room - before - 1)  # the last tick stands after the last bar
    shown = _grouped(block.values, together)
    marked = _marks(block.marked, together) or [False] * len(shown)
    yield [Cell(block.title, "dim")]
    if any(marked):
        yield [Cell(" " * before), *_runs([(MARK if each else " ") * wide for each in marked], marked)]
    steps = [None if v is None else step_of(v, block.top, block.lines * EIGHTHS) for v in shown]
    for line in range(block.lines - 1, -1, -1):
        label = block.top_text if line == block.lines - 1 else block.zero_text if line == 0 else ""
        edge = "┤" if label else "│"
        yield [Cell(f"{label:>{before - 2}} {edge}", "dim"), *_runs([_part(s, line) * wide for s in steps], marked)]
    ends, names = _axis(block.ticks, together, wide, len(shown))
    yield [Cell(" " * (before - 1) + "└" + ends, "dim")]
    yield [Cell(" " * before + names, "dim")]
    legend = _legend(block, together, any(marked))
    if legend:
        yield [Cell(" " * before), *legend]


def _grouping(count: int, room: int) -> tuple[int, int]:
    """How many values a bar stands for, and how wide it is, so that all fit."""
    together = next(each for each in range(1, count + 2) if (count + each - 1) // each <= max(1, room))
    bars = (count + together - 1) // together
    return together, min(WIDEST_BAR, max(1, room // max(1, bars)))


def _grouped(values: Sequence[Value], together: int) -> list[Value]:
    groups = (values[at : at + together] for at in range(0, len(values), together))
    return [max((value for value in group if value is not None), default=None) for group in groups]


def _marks(marked: Sequence[bool], together: int) -> list[bool]:
    return [any(marked[at : at + together]) for at in range(0, len(marked), together)]


def _legend(block: Bars, together: int, any_marked: bool) -> Line:
    """What a bar stands for where it is not one value, and what the marks are."""
    legend: Line = []
    if block.each and together > 1:
        legend = [Cell(f"each bar {together:,} {block.each}s, the highest of them", "dim")]
    if block.mark and any_marked:
        legend += [Cell("; " if legend else "", "dim"), Cell(MARK, "over"), Cell(f" {block.mark}", "dim")]
    return legend


def _part(step: int | None, line: int) -> str:
    """The character of a bar on one line, counted from below."""
    if step is None:
        return " "
    if step == 0:
        return SHADES[1] if line == 0 else " "
    return BLOCKS[min(EIGHTHS, max(0, step - line * EIGHTHS))]


def _runs(texts: Sequence[str], marked: Sequence[bool]) -> Line:
    styled = zip(texts, marked, strict=True)
    runs = groupby(styled, key=lambda each: each[1])
    return [Cell("".join(text for text, _ in run), "over" if red else "bar") for red, run in runs]


def _axis(ticks: Sequence[tuple[int, str]], together: int, wide: int, bars: int) -> tuple[str, str]:
    """The line under the bars, with a mark at each tick, and their texts; those that would touch are left out."""
    length = bars * wide
    line, names = ["─"] * (length + 1), ""
    for place, text in ticks:
        at = min(length, place * wide // together)
        start = max(0, min(at, length + 1 - len(text)) if at + len(text) > length + 1 else at - len(text) // 2)
        if names and start < len(names) + 2:
            continue
        line[at] = "┴"
        names = f"{names:<{start}}{text}"
    return "".join(line), names
