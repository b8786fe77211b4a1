"""The what-if slider of an HTML report: its rows as a table, as data for the chart, and what it says at first.

Everything it can show was computed before: moving it looks up a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ptucalc.report import charts
from ptucalc.report.blocks import Cell, Column, Table
from ptucalc.report.html_parts import Chart, Folded, Grid, Part, Slider, cell
from ptucalc.report.html_text import DASH, NOT_SIMULATED, count_text, money_text, share_text, type_text

__all__ = ["what_if_entries", "what_if_part"]

Entry = Mapping[str, Any]

PREFERRED = ("1-year", "1-month", "hourly")
COLUMNS_BEFORE_TERMS = 5


def what_if_entries(name: str, shown: str | None, document: Entry) -> list[Entry]:
    """A deployment's sizes whose cost is known on some term, those of the type shown first."""
    found = [e for e in document["what_if"] if e["deployment"] == name and known_terms(e)]
    return sorted(found, key=lambda e: e["deployment_type"] != shown)


def known_terms(entry: Entry) -> list[str]:
    """The terms on which some size has a known cost."""
    terms: dict[str, None] = {}
    for row in entry["rows"]:
        terms |= dict.fromkeys(term for term, usd in row["monthly_usd"].items() if usd is not None)
    return list(terms)


def what_if_part(
    anchor: str, entries: Sequence[Entry], cheapest: Entry | None, *, most_rows: int
) -> tuple[Part, dict[str, Any]]:
    """The slider with its tables and chart, and the data that its script looks up."""
    thin = [{**entry, "rows": _thinned(entry, most_rows // len(entries))} for entry in entries]
    first = thin[0]
    terms = known_terms(first)
    wanted = (cheapest or {}).get("term")
    term = wanted if wanted in terms else next(each for each in (*PREFERRED, *terms) if each in terms)
    best = first["cheapest"].get(term)
    at = next((place for place, row in enumerate(first["rows"]) if row["ptu"] == best), 0)
    slider = Slider(
        anchor,
        len(first["rows"]) - 1,
        at,
        [(f"{e['deployment_type']} {t}", f"{type_text(e)}, {t}") for e in thin for t in known_terms(e)],
        f"{first['deployment_type']} {term}",
        said(first["rows"][at], term, simulated=_simulated(first)),
    )
    spec = charts.cost_against_ptu(first, term, with_rows=False)
    assert spec is not None, "a term with a known cost"
    key = "Blue: what the PTU cost. Orange, on top: what spills to pay-as-you-go. The dotted line is at the slider."
    chart = Chart(f"{anchor}-cost", "How many PTU to buy", spec, key)
    folded = [
        Folded(
            f"All numbers of the slider, {type_text(entry)}",
            [Grid(_caption(entry, whole), _table(entry), f"{anchor}-{entry['deployment_type']}")],
        )
        for entry, whole in zip(thin, entries, strict=True)
    ]
    data = {entry["deployment_type"]: _lookup(anchor, entry) for entry in thin}
    return Part("What if you buy another number?", slider=slider, charts=[chart], folded=folded), data


def said(row: Entry, term: str, *, simulated: bool = False) -> str:
    """What a number of PTU costs, in a sentence. The script says it in the same words, from the cells of the table.

    `simulated`: whether 429s of other sizes are known.
    """
    text = (
        f"{count_text(row['ptu'])} PTU: {money_text(row['monthly_usd'].get(term))} a month "
        f"({money_text(row['fixed_monthly_usd'].get(term))} fixed, {money_text(row['spillover_monthly_usd'])} spillover)"
    )
    if row["share_of_time_over"] is not None:
        text += f", demand over it {share_text(row['share_of_time_over'])} of the time"
    if simulated and row["throttled_share"] is None:
        text += f", 429s {NOT_SIMULATED}"
    elif row["throttled_share"] is not None:
        text += f", 429 for {share_text(row['throttled_share'])} of requests"
    return text + "."


def _simulated(entry: Entry) -> bool:
    return any(row["throttled_share"] is not None for row in entry["rows"])


def _thinned(entry: Entry, most: int) -> list[Entry]:
    """Rows evenly spread, with both ends, the size of the peak and every optimum."""
    rows = entry["rows"]
    step = len(rows) // max(2, most) + 1
    kept = {entry["peak_ptu"], *entry["cheapest"].values(), rows[-1]["ptu"]}
    return [row for place, row in enumerate(rows) if place % step == 0 or row["ptu"] in kept]


def _caption(thin: Entry, whole: Entry) -> str:
    all_of_them = whole["every_legal_size"] and len(thin["rows"]) == len(whole["rows"])
    which = "every size that is sold" if all_of_them else "sizes evenly spread, with the cheapest and that of the peak"
    return f"Cost of a month against PTU, {type_text(thin)}: {which}"


def _table(entry: Entry) -> Table:
    terms = known_terms(entry)
    cheapest = entry["cheapest"]
    without = NOT_SIMULATED if _simulated(entry) else DASH
    table = Table(
        [
            Column("PTU", right=True),
            Column("Demand over it", right=True),
            Column("429 of requests", right=True),
            Column("Minutes with a 429", right=True),
            Column("Spillover", right=True),
            *(Column(f"{what}, {term}", right=True) for term in terms for what in ("Fixed", "A month")),
        ]
    )
    for row in entry["rows"]:
        best = row["ptu"] in [cheapest.get(term) for term in terms]
        cells = [
            cell(count_text(row["ptu"]), strong=best),
            Cell(share_text(row["share_of_time_over"])),
            Cell(share_text(row["throttled_share"], without=without)),
            Cell(count_text(row["throttled_minutes"], without=without)),
            Cell(money_text(row["spillover_monthly_usd"])),
        ]
        for term in terms:
            cells.append(Cell(money_text(row["fixed_monthly_usd"].get(term))))
            cells.append(cell(money_text(row["monthly_usd"].get(term)), strong=cheapest.get(term) == row["ptu"]))
        table.rows.append(cells)
    return table


def _lookup(anchor: str, entry: Entry) -> dict[str, Any]:
    """What the script needs of a type: its table, where a term's columns are, the cheapest size, and what the chart draws."""
    rows = entry["rows"]
    return {
        "table": f"{anchor}-{entry['deployment_type']}",
        "ptu": [row["ptu"] for row in rows],
        "spillover": [row["spillover_monthly_usd"] for row in rows],
        "terms": {
            term: {
                "column": COLUMNS_BEFORE_TERMS + 2 * place,
                "cheapest": entry["cheapest"].get(term),
                "fixed": [row["fixed_monthly_usd"].get(term) for row in rows],
                "month": [row["monthly_usd"].get(term) for row in rows],
            }
            for place, term in enumerate(known_terms(entry))
        },
    }
