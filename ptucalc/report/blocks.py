"""A report as blocks (a headline, tables, pictures, labelled remarks) that a console or a Markdown page can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple, TypeAlias

__all__ = [
    "Bars",
    "Block",
    "Cell",
    "Column",
    "Headline",
    "HeatMap",
    "HeatRow",
    "Remark",
    "Strip",
    "Table",
    "amount_text",
    "half_up",
    "percent_text",
    "ptu_text",
    "rate_text",
]


class Cell(NamedTuple):
    """Text with a style: "" (plain), bold, dim, warn or bar."""

    text: str
    style: str = ""


class Column(NamedTuple):
    """A column's title. `optional` ones are left out on a terminal that is too narrow; `folds` ones may wrap."""

    title: str
    right: bool = False
    optional: bool = False
    folds: bool = False


@dataclass(slots=True)
class Table:
    """Rows of cells under columns; `totals` is set apart below them."""

    columns: list[Column]
    rows: list[list[Cell]] = field(default_factory=list)
    totals: list[Cell] | None = None


class Headline(NamedTuple):
    """The first line: what this is about, and more about it."""

    what: str
    more: str = ""


class Remark(NamedTuple):
    """A labelled line: How, Rates, Note. With an empty label it goes on from the one before."""

    label: str
    text: str
    style: str = "dim"


class HeatRow(NamedTuple):
    """One day of a heat map: a value for each hour of it, None where there is no data, and a remark at its right."""

    label: str
    values: Sequence[Fraction | int | None]
    remark: str = ""
    strong: bool = False


class HeatMap(NamedTuple):
    """Rows of 24 hours whose values, from 0 to the largest, show as shades or colours."""

    title: str
    rows: Sequence[HeatRow]
    unit: str


class Strip(NamedTuple):
    """One day as bars: values of equal stretches of it (so many for each of 24 hours), None where there is no data.

    Bars above `threshold` stand out; `over` is what they are ("over 400 PTU"). `label` stands before the bars, `first`
    and `last` beneath their ends.
    """

    label: str
    values: Sequence[Fraction | int | None]
    caption: str
    threshold: Fraction | int | None = None
    over: str = ""
    first: str = "00:00"
    last: str = "24:00"


class Bars(NamedTuple):
    """Bars side by side, from 0 to `top`; None where there is no data, and what is over `top` is cut off there.

    `marked` bars stand out, and `mark` says what they are. `ticks` are places (from 0 to the number of values) with what
    stands beneath them. A bar may stand for several neighbours: their largest value, marked if one of them is; `each` is
    what one value stands for ("minute"). `numbers` are the same values where no bars can be drawn.
    """

    title: str
    values: Sequence[Fraction | int | None]
    top: Fraction | int
    top_text: str
    zero_text: str
    ticks: Sequence[tuple[int, str]]
    numbers: Table
    marked: Sequence[bool] = ()
    mark: str = ""
    each: str = ""
    lines: int = 4


Block: TypeAlias = Headline | Table | Remark | HeatMap | Strip | Bars


def amount_text(value: Fraction | int, decimals: int = 1) -> str:
    """A number for people: 1,248,000 or 9.6; at most so many decimals.

    >>> amount_text(1248000), amount_text(Fraction(48, 5)), amount_text(Fraction(1, 3), 2), amount_text(Fraction(25, 8), 2)
    ('1,248,000', '9.6', '0.33', '3.13')
    """
    return _shown(value, decimals, half_up=True)


def rate_text(value: Fraction) -> str:
    """A largest rate for people: one decimal, cut off, so that the rate shown does fit.

    >>> rate_text(Fraction(5359, 100))
    '53.5'
    """
    return _shown(value, 1, half_up=False)


def half_up(value: Fraction, decimals: int) -> int:
    """A value of 0 or more as whole steps of its last decimal, half a step up: 1.25 at one decimal is 13."""
    scaled: int = 2 * value.numerator * 10**decimals + value.denominator
    return scaled // (2 * value.denominator)


def _shown(value: Fraction | int, decimals: int, *, half_up: bool) -> str:
    """The value at so many decimals, without zeros at the end."""
    top, bottom = Fraction(value).as_integer_ratio()
    while 0 < abs(value) * 10**decimals < 1 and decimals < 12:  # a little is not nothing
        decimals += 1
    scaled = (2 * abs(top) * 10**decimals + (bottom if half_up else 0)) // (2 * bottom)
    whole, part = divmod(scaled, 10**decimals)
    sign = "-" if top < 0 and scaled else ""
    return f"{sign}{whole:,}" + (f".{part:0{decimals}d}".rstrip("0").rstrip(".") if decimals else "")


def ptu_text(value: Fraction, decimals: int = 1) -> str:
    """PTU before rounding: so many decimals, more where they would hide that it is not whole.

    >>> ptu_text(Fraction(416)), ptu_text(Fraction(4784, 10)), ptu_text(50 + Fraction(1, 3000))
    ('416.0', '478.4', '50.0003')
    """
    for places in range(decimals, 13):
        shown = round(value, places)
        if shown == value or shown != round(value):
            return f"{float(shown):,.{places}f}"
    return f"a hair over {round(value):,}" if value > round(value) else f"a hair under {round(value):,}"


NEARLY_ALL = Fraction(999, 10)
"""The highest percentage that is shown of what is not all."""


def percent_text(share: Fraction) -> str:
    """A share for people: 99%, and 99.9% rather than 100% where it is not yet full.

    >>> percent_text(Fraction(99, 100)), percent_text(Fraction(9996, 10000)), percent_text(Fraction(1))
    ('99%', '99.9%', '100%')
    >>> percent_text(Fraction(9904, 10000)), percent_text(Fraction(9928, 10000))
    ('99.0%', '99.3%')
    """
    percent = share * 100
    if 99 < percent < 100:
        text = amount_text(min(percent, NEARLY_ALL), 1)
        return f"{text}%" if "." in text else f"{text}.0%"
    if 100 < percent < 101:
        return f"{amount_text(percent, 1)}%" if percent >= Fraction(1001, 10) else "over 100%"
    return f"{amount_text(percent, 0 if percent >= 1 or not percent else 1)}%"
