"""Where everything stands in the workbook: the sheets, the first rows of their tables, the names of their ranges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ptucalc.report.excel_exact import PlanDemand, Rates, plan_demand
from ptucalc.report.excel_sheet import Sheet, Styles

if TYPE_CHECKING:
    from xlsxwriter import Workbook

__all__ = ["CLASS_LABELS", "FIRST", "TERM_LABELS", "Layout", "layout_of"]

Json = Mapping[str, Any]

FIRST: Final = 4
"""The row of the first entry on every sheet of rows; the titles stand above it."""

TERM_LABELS: Final = {"hourly": "PTU hourly", "1-month": "PTU 1-month", "1-year": "PTU 1-year"}

CLASS_LABELS: Final = ("Input", "Cached", "Cache write", "Output", "Image input", "Image output")
"""Titles of the token classes, in their order."""


class Layout(NamedTuple):
    """The workbook and what its formulas are about. `live` deployments come first on the sheet `Demand`.

    `model_cells` has the row and column of each live deployment's model on the sheet `Plan`, `demand_rows` the row of
    each deployment on `Demand`.
    """

    book: Workbook
    styles: Styles
    sheets: Mapping[str, Sheet]
    rates: Rates
    live: tuple[PlanDemand, ...]
    fixed: tuple[PlanDemand, ...]
    terms: tuple[str, ...]
    model_cells: dict[str, tuple[int, int]]
    demand_rows: Mapping[str, int]
    plans: Mapping[str, PlanDemand]

    def name(self, name: str, where: str) -> None:
        """Give a range a name that formulas use."""
        self.book.define_name(name, "=" + where)

    def demand_row(self, deployment: str) -> int | None:
        """The row of a deployment on the sheet `Demand`."""
        return self.demand_rows.get(deployment)

    @property
    def calls(self) -> list[tuple[PlanDemand, Json]]:
        """The workloads in the order of their rows, those that are recomputed first."""
        return [(each, entry) for each in (*self.live, *self.fixed) for entry in each.members]


def layout_of(book: Workbook, document: Json) -> Layout:
    """The workbook's sheets, still empty, those that the report has something for."""
    styles = Styles(book)
    rates = Rates(document["rates"])
    demands = plan_demand(document, rates)
    live = tuple(each for each in demands.values() if not each.reason)
    fixed = tuple(each for each in demands.values() if each.reason)
    rows = {each.name: row for row, each in enumerate((*live, *fixed), start=FIRST)}
    sheets: dict[str, Sheet] = {}

    def add(name: str, widths: tuple[float, ...], color: str = "") -> None:
        sheets[name] = Sheet(book, styles, name, color=color, widths=widths)

    if document["size"]:
        add(
            "Plan",
            (28, 20, 16, 14, 13, 11, 11, 10, 10, 11, 11, *[14] * (1 + len(_terms(document))), 18, 36, 60),
            "#2563EB",
        )
        if live or fixed:
            add("Workloads", (28, 24, 11, 11, 11, 11, 11, 11, 9, 9, 22, 14, 16, 44), "#2563EB")
    if document["cost"]:
        add("Costs", (28, 12, 14, 24, 10, 9, 15, 15, 15, 10, 15, 44))
    if document["what_if"]:
        add("Sizes", (28, 12, 10, *[14] * (1 + 2 * len(_terms(document))), 12, 12))
    if document["logs"]:
        add("Log", (28, 20, 12, 12, *[13] * 12))
    if document["simulate"]:
        add("Simulation", (28, 20, 12, 10, *[12] * 12))
    add("Notes and sources", (22, 100, 60, 14, 14))
    if live or fixed:
        add("Models", (28, 16, 12, *[10] * 6, 14, 14), "#9CA3AF")
        add("Prices", (28, 14, 14, 10, 10, 10, *[11] * 6, *[12] * len(_terms(document)), 44), "#9CA3AF")
        add("Demand", (28, 8, 20, *[12] * 19), "#9CA3AF")
        add("Exact", (28, *[11] * 28), "#9CA3AF")
    return Layout(book, styles, sheets, rates, live, fixed, _terms(document), {}, rows, dict(demands))


def _terms(document: Json) -> tuple[str, ...]:
    """The terms that prices were asked for, in their order."""
    rates, cost = document["rates"], document["cost"]
    if rates:
        return tuple(term for term in TERM_LABELS if term in rates[0]["usd_per_ptu_month"])
    if cost and cost["deployments"]:
        asked = {option["term"] for option in cost["deployments"][0]["options"]}
        return tuple(term for term in TERM_LABELS if term in asked)
    return tuple(TERM_LABELS)
