"""The sheets `Models` and `Prices`: what the drop-down offers, and what sizing and pricing look up there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ptucalc.catalog import CLASSES
from ptucalc.report.excel_layout import CLASS_LABELS, FIRST, TERM_LABELS, Layout

__all__ = ["write_rates"]

TERM_NAMES = {"hourly": "PTU_hourly_usd", "1-month": "PTU_1_month_usd", "1-year": "PTU_1_year_usd"}
"""What the ranges of the prices of one PTU for a month are called."""


def write_rates(layout: Layout, prices_as_of: str | None, catalog_as_of: str) -> None:
    """Fill both sheets and name their columns. An empty cell is a number that nobody published."""
    _models(layout, catalog_as_of)
    _prices(layout, prices_as_of)


def _models(layout: Layout, as_of: str) -> None:
    sheet, models = layout.sheets["Models"], layout.rates.models
    sheet.title(
        "Models", f"Rates of {as_of}. An empty cell is a number that nobody published, or a class without tokens."
    )
    weights = [f"Weight: {label.lower()}" for label in CLASS_LABELS]
    sheet.head(FIRST - 1, ["Model", "Publisher", "TPM per PTU", *weights, "Prompts up to", "Long context over"])
    row = FIRST
    for name, rate in models.items():
        long = rate["long_context"]
        values = [
            name,
            rate["publisher"],
            rate["tpm_per_ptu"],
            *(rate["weights"].get(each.value) for each in CLASSES),
            rate.get("prompt_limit_tokens"),
            long and long["over_input_tokens"],
        ]
        row = sheet.table_rows(row, [values], ["", "", "whole", *["number"] * 6, "whole", "whole"])
    last = max(FIRST, row - 1)
    layout.name("Models", sheet.area(FIRST, 0, last))
    layout.name("Model_tpm_per_PTU", sheet.area(FIRST, 2, last))
    layout.name("Model_weights", sheet.area(FIRST, 3, last, 8))
    layout.name("Model_prompt_limit", sheet.area(FIRST, 9, last))
    layout.name("Model_long_context", sheet.area(FIRST, 10, last))
    if layout.rates.left_out:
        sheet.put(row + 1, 0, "Not in the list", "section")
        for offset, (name, reason) in enumerate(layout.rates.left_out.items(), start=2):
            sheet.put(row + offset, 0, name)
            sheet.put(row + offset, 1, reason, "remark")
    sheet.raw.freeze_panes(FIRST, 1)
    sheet.raw.repeat_rows(FIRST - 1)


def _prices(layout: Layout, as_of: str | None) -> None:
    sheet, rates = layout.sheets["Prices"], layout.rates
    sheet.title("Prices", f"USD, list of {as_of}; PTU after any discount. An empty cell is a price that is not known.")
    titles = ["Model", "Region", "Type", "Offered", "Minimum", "Increment"]
    titles += [f"{label}, USD per 1M" for label in CLASS_LABELS]
    titles += [f"{TERM_LABELS[term]}, USD a month" for term in layout.terms]
    sheet.head(FIRST - 1, [*titles, "Remark"], height=48)
    row = FIRST
    shown = ["", "", "", "", "whole", "whole", *["usd_cents"] * (6 + len(layout.terms))]
    for name in rates.models:
        for region, kind in rates.places:
            values = _price_row(rates.rows.get((name, region, kind)), layout.terms)
            row = sheet.table_rows(row, [[name, region, kind, *values]], shown)
    last = max(FIRST, row - 1)
    layout.name("Price_offered", sheet.area(FIRST, 3, last))
    layout.name("Price_minimum", sheet.area(FIRST, 4, last))
    layout.name("Price_increment", sheet.area(FIRST, 5, last))
    layout.name("Price_tokens_usd", sheet.area(FIRST, 6, last, 11))
    for offset, term in enumerate(layout.terms):
        layout.name(TERM_NAMES[term], sheet.area(FIRST, 12 + offset, last))
    sheet.raw.freeze_panes(FIRST, 1)
    sheet.raw.repeat_rows(FIRST - 1)
    sheet.raw.autofilter(FIRST - 1, 0, last, 12 + len(layout.terms))


def _price_row(rate: Mapping[str, Any] | None, terms: tuple[str, ...]) -> list[Any]:
    if rate is None:
        return ["unknown", None, None, *[None] * (6 + len(terms)), "not in the report"]
    usd = rate["usd_per_1m"] or {}
    return [
        {True: "yes", False: "no", None: "unknown"}[rate["offered"]],
        rate["minimum"],
        rate["increment"],
        *(usd.get(each.value) for each in CLASSES),
        *(rate["usd_per_ptu_month"].get(term) for term in terms),
        rate["reason"],
    ]
