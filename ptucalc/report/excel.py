"""A report as an Excel workbook whose sizes and costs recalculate, with the values that ptucalc computed in every cell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from os import PathLike
from typing import IO, Any

from ptucalc.report.excel_layout import layout_of
from ptucalc.report.excel_sheet import cell_text

__all__ = ["workbook"]


def workbook(document: Mapping[str, Any], target: str | PathLike[str] | IO[bytes]) -> None:
    """Write a report (schema ptucalc.report/1) as .xlsx to a path or a binary stream.

    Text is never a formula or a link, whatever it begins with. The same document gives the same bytes.
    """
    from xlsxwriter import Workbook

    from ptucalc.report.excel_calls import write_calls
    from ptucalc.report.excel_demand import write_demand
    from ptucalc.report.excel_plan import write_plan
    from ptucalc.report.excel_rates import write_rates
    from ptucalc.report.excel_values import write_values

    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = Workbook(target if hasattr(target, "write") else str(target), options)
    title, author = cell_text(document["title"])[:200], cell_text(f"ptucalc {document['version']}")[:200]
    book.set_properties({"title": title, "author": author, "created": _made(document["made_on"])})
    layout = layout_of(book, document)
    if "Plan" in layout.sheets:
        write_plan(layout, document)
    if "Workloads" in layout.sheets:
        write_calls(layout)
        write_demand(layout)
        write_rates(layout, document["prices_as_of"], document["catalog_as_of"])
    write_values(layout, document)
    book.close()


def _made(made_on: str | None) -> datetime:
    """The day that the file says it was made on: the report's, or a fixed one where it has none."""
    try:
        return datetime.fromisoformat(made_on or "").replace(tzinfo=UTC)
    except ValueError:  # a saved report may hold any text
        return datetime(2000, 1, 1, tzinfo=UTC)
