"""A workbook whose cells are typed on purpose: text is text whatever it looks like, a formula has its cached value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ptucalc.workload import TURNS_TEXT_AROUND

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

__all__ = ["Sheet", "Styles", "Value", "cell_text"]

Value = str | int | float | bool | None

LONGEST_TEXT: Final = 32_767
"""Characters that a cell holds."""

MOST: Final = 10**300

CUT: Final = " … (cut: a cell holds no more)"

_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML cannot carry."""

NAVY, YELLOW, GREY, LINE = "#1F3A5F", "#FFF8DC", "#6B7280", "#D1D5DB"

NUMBER_FORMATS: Final = {
    "whole": "#,##0",
    "number": "#,##0.###",
    "tenth": "#,##0.0",
    "share": "0.0%",
    "input_share": "0.####%",
    "usd": '"$"#,##0;-"$"#,##0',
    "usd_cents": '"$"#,##0.00####',
    "text": "@",
}


def cell_text(value: object) -> str:
    """Text that a cell can hold: what XML or a reader's eye cannot take is shown as a replacement character."""
    text = _ILLEGAL.sub("\ufffd", str(value))
    text = "".join("\ufffd" if character in TURNS_TEXT_AROUND else character for character in text)
    if _utf16_length(text) > LONGEST_TEXT:
        while _utf16_length(text) > LONGEST_TEXT - len(CUT):
            text = text[: max(0, len(text) - max(1, (_utf16_length(text) - LONGEST_TEXT + len(CUT)) // 2))]
        text += CUT
    return text


def _utf16_length(text: str) -> int:
    """Characters as a spreadsheet counts them: those beyond the first plane twice."""
    return len(text) + sum(1 for character in text if ord(character) > 0xFFFF)


WORDS: Final = frozenset(
    {
        *("Deployment", "Model", "Region", "Type", "Workload", "Publisher", "Offered", "Prices of", "Way to buy"),
        *(
            "Remark",
            "Check",
            "Cheapest of these",
            "Cheapest way, spillover included (value, see Costs)",
            "Recalculates?",
            "Percentile",
            "About",
            "Note",
            "Of",
            "Title",
            "Where",
        ),
        *("Published", "Checked", "What", "Day"),
    }
)
"""Titles of columns of words; all others are of numbers."""


class Styles:
    """The looks of cells, made once each: what a number is shown as, and what part it plays."""

    ROLES: Final[dict[str, dict[str, Any]]] = {
        "": {},
        "input": {"bg_color": YELLOW, "border": 1, "border_color": LINE},
        "fixed": {"font_color": GREY, "italic": True},
        "head": {"bold": True, "font_color": "#FFFFFF", "bg_color": NAVY, "text_wrap": True, "valign": "vcenter"},
        "total": {"bold": True, "top": 1},
        "title": {"bold": True, "font_size": 16},
        "section": {"bold": True, "font_size": 12, "font_color": NAVY},
        "remark": {"font_color": GREY, "italic": True},
        "wrapped": {"text_wrap": True, "valign": "top"},
        "strong": {"bold": True},
        "reason": {"font_color": GREY, "italic": True, "text_wrap": True, "indent": 1},
        "aside": {"indent": 1},
        "fixed aside": {"indent": 1, "font_color": GREY, "italic": True},
    }

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[str, str, bool], Format] = {}

    def get(self, role: str = "", shown: str = "", *, quoted: bool = False) -> Format:
        """`quoted` marks text that would be read as a formula if somebody edited the cell."""
        key = (role, shown, quoted)
        if key not in self._made:
            look = {"valign": "vcenter", **self.ROLES[role]}
            if shown:
                look |= {"num_format": NUMBER_FORMATS[shown], "align": "right"}
            elif role == "head":
                look["align"] = "left"
            if quoted:
                look["quote_prefix"] = True
            self._made[key] = self._book.add_format(look)
        return self._made[key]


class Sheet:
    """One sheet. Rows and columns count from 0."""

    def __init__(
        self, book: Workbook, styles: Styles, name: str, *, color: str = "", widths: Sequence[float] = ()
    ) -> None:
        self.name, self.styles = name, styles
        self.raw: Worksheet = book.add_worksheet(name)
        for index, width in enumerate(widths):
            self.raw.set_column(index, index, width)
        if color:
            self.raw.set_tab_color(color)
        self.raw.hide_gridlines(2)
        self.raw.set_landscape()
        self.raw.set_paper(9)
        self.raw.fit_to_pages(1, 0)
        self.raw.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
        self.raw.set_footer("&L&A&RPage &P of &N")

    def put(self, row: int, column: int, value: Value, role: str = "", shown: str = "") -> None:
        """A value: text stays text, a number a number; None leaves the cell empty (but with its look)."""
        if value is None:
            self.raw.write_blank(row, column, None, self.styles.get(role, shown))
        elif isinstance(value, str):
            text = cell_text(value)
            quoted = text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "'")
            self.raw.write_string(row, column, text, self.styles.get(role, shown, quoted=quoted))
        else:
            large = isinstance(value, int | float) and not -MOST < value < MOST
            if large:  # a number from a saved file; cells hold doubles
                self.raw.write_string(row, column, f"{value}"[:100], self.styles.get(role, shown))
            else:
                self.raw.write_number(row, column, value, self.styles.get(role, shown))

    def formula(self, row: int, column: int, formula: str, cached: Value, role: str = "", shown: str = "") -> None:
        """A formula and the value that ptucalc has for it, which programs show that do not calculate."""
        text = "" if cached is None else cell_text(cached) if isinstance(cached, str) else cached
        self.raw.write_formula(row, column, "=" + formula, self.styles.get(role, shown), text)

    def head(self, row: int, titles: Sequence[str], *, height: float = 32) -> None:
        """A row of column titles, on the side where what stands under them is."""
        self.raw.set_row(row, height)
        for column, title in enumerate(titles):
            self.put(row, column, title, "head", "" if title in WORDS else "text")

    def title(self, text: str, remark: str = "") -> None:
        """What the sheet is, and what to know of it."""
        self.put(0, 0, text, "title")
        self.raw.set_row(0, 24)
        if remark:
            self.put(1, 0, remark, "remark")

    def table_rows(self, first: int, rows: Sequence[Sequence[Value]], shown: Sequence[str], role: str = "") -> int:
        """Rows of values, each column shown in its way; returns the row after the last."""
        for row in rows:
            for column, value in enumerate(row):
                self.put(first, column, value, role, shown[column] if column < len(shown) else "")
            first += 1
        return first

    def at(self, row: int, column: int, *, fixed: bool = True, elsewhere: bool = True) -> str:
        """The address of a cell: 'Plan'!$A$1."""
        from xlsxwriter.utility import xl_rowcol_to_cell

        cell = xl_rowcol_to_cell(row, column, row_abs=fixed, col_abs=fixed)
        return f"'{self.name}'!{cell}" if elsewhere else cell

    def area(self, first: int, column: int, last: int, last_column: int | None = None) -> str:
        """The address of a rectangle: 'Plan'!$A$1:$B$4."""
        from xlsxwriter.utility import xl_range_abs

        return f"'{self.name}'!{xl_range_abs(first, column, last, column if last_column is None else last_column)}"
