"""What an HTML report is put together from: sections of parts, with their tables, charts, heat map and slider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ptucalc.report.blocks import Cell, Table

__all__ = ["Card", "Chart", "Folded", "Grid", "Heat", "Part", "Section", "Slider", "cell"]


class Card(NamedTuple):
    """A headline number: what it is, the number, and more about it."""

    label: str
    value: str
    more: str = ""


class Grid(NamedTuple):
    """A table with its caption. `anchor` is the element's id, where something refers to it."""

    caption: str
    table: Table
    anchor: str = ""


class Folded(NamedTuple):
    """What is shown when asked for: a summary, lines of text and tables."""

    summary: str
    grids: Sequence[Grid]
    lines: Sequence[str] = ()


class Chart(NamedTuple):
    """A place for a chart: its id, title, and the specification that fills it. `wide` ones take the whole width."""

    anchor: str
    title: str
    spec: dict[str, Any]
    key: str = ""
    wide: bool = False


class Heat(NamedTuple):
    """Hours as a table: for each day its values as (text, step of the colour; "" where there is no data)."""

    caption: str
    rows: Sequence[tuple[str, Sequence[tuple[str, int | str]]]]
    legend: str


class Slider(NamedTuple):
    """The choice of a number of PTU. `ways` are (value, label) of a type and a term; `said` is what is shown at first."""

    anchor: str
    last: int
    at: int
    ways: Sequence[tuple[str, str]]
    chosen: str
    said: str


class Part(NamedTuple):
    """One thing about a deployment, under a heading."""

    title: str
    lines: Sequence[str] = ()
    grids: Sequence[Grid] = ()
    slider: Slider | None = None
    charts: Sequence[Chart] = ()
    heat: Heat | None = None
    folded: Sequence[Folded] = ()


class Section(NamedTuple):
    """A deployment."""

    anchor: str
    name: str
    about: str
    cards: Sequence[Card]
    parts: Sequence[Part]


def cell(text: str, *, strong: bool = False, dim: bool = False, warn: bool = False) -> Cell:
    """A cell of a table."""
    return Cell(text, "bold" if strong else "warn" if warn else "dim" if dim else "")
