"""A report document as cards, overview and sections. The largest deployments come with charts, if there are many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ptucalc.report.blocks import Cell, Column, Table
from ptucalc.report.html_costs import break_even_chart, card_texts, cost_entries, costs_part, way_text
from ptucalc.report.html_logs import hours_part, log_part, simulation_part
from ptucalc.report.html_parts import Card, Grid, Part, Section, cell
from ptucalc.report.html_sizes import sizes_part
from ptucalc.report.html_text import (
    PEAK,
    UNSURE,
    against_text,
    count_text,
    exact,
    money_text,
    percentile_text,
    share_text,
    shortened,
    sizes_text,
    type_text,
)
from ptucalc.report.html_what_if import what_if_entries, what_if_part

__all__ = ["Bounds", "cards", "headlines_by_size", "overview", "section", "totals"]

Entry = Mapping[str, Any]


class Bounds(NamedTuple):
    """How much of a document one page takes: rows of the overview, sections, sections with charts, rows of all sliders."""

    rows: int
    sections: int
    charted: int
    what_if_rows: int


def headlines_by_size(document: Entry) -> list[Entry]:
    """The deployments, dearest first; where no price is known, the largest first."""

    def weight(headline: Entry) -> tuple[float, int]:
        cheapest = headline["cheapest"]
        usd = cheapest["monthly_usd"] if cheapest else headline["payg_monthly_usd"]
        return (-(usd or 0), -(headline["size_ptu"] or 0))

    return sorted(document["headlines"], key=weight)


def cards(headline: Entry) -> Iterator[Card]:
    """The numbers of one deployment that a reader looks for first."""
    size, basis = headline["size_ptu"], headline["size_basis"]
    if size is not None:
        what = "Size for the peak" if basis in PEAK else f"Size at {percentile_text(basis)}"
        yield Card(what, f"{count_text(size)} PTU", type_text(headline))
    elif headline["reason"]:
        yield Card("Size", "unknown", headline["reason"])
    cheapest = headline["cheapest"]
    if cheapest:
        sure = "" if headline["cheapest_is_certain"] else "of the ways whose price is known"
        way, more = card_texts(cheapest)
        yield Card("Cheapest way", way, " · ".join(each for each in (more, sure or type_text(headline)) if each))
        yield Card("A month", money_text(cheapest["monthly_usd"]), _against(cheapest["vs_payg"]))
    elif headline["payg_monthly_usd"] is not None:
        yield Card("Pay-as-you-go", money_text(headline["payg_monthly_usd"]), "a month")
    throttled = headline["throttled"]
    if throttled:
        minutes = f"{count_text(throttled['minutes'])} min"
        more = f"{share_text(throttled['share_of_minutes'])} of minutes, {share_text(throttled['share_of_requests'])} of requests"
        yield Card(f"429s at {count_text(throttled['ptu'])} PTU", minutes, more)


def _against(share: Any) -> str:
    if share is None:
        return "pay-as-you-go is not known"
    number = exact(share)
    if not number:
        return "that is pay-as-you-go"
    return f"{against_text(abs(number)).removeprefix('+')} {'under' if number < 0 else 'over'} pay-as-you-go"


def totals(document: Entry) -> Iterator[Card]:
    """Several deployments together."""
    yield Card("Deployments", f"{len(document['headlines']):,}", document["source"]["text"])
    total = document["total"]
    together, lacking = sizes_text(document)
    if together:
        of_all = "each on the type shown below"
        yield Card("Sizes of those that have one" if lacking else "Size of all", together, lacking or of_all)
    if total:
        unknown = [*total["unpriced"], *total["not_offered"]]
        more = (
            f": {', '.join(shortened(name, 30) for name in unknown[:3])}{' …' if len(unknown) > 3 else ''}"
            if unknown
            else ""
        )
        sure = _against(total["vs_payg"]) if total["cheapest_is_certain"] else f"not every price is known{more}"
        yield Card("A month, each in its cheapest way", money_text(total["cheapest_monthly_usd"]), sure)
        yield Card("A month on pay-as-you-go", money_text(total["payg_monthly_usd"]), type_text(total))


def overview(headlines: Sequence[Entry]) -> Grid:
    """One row for each deployment."""
    throttled = any(h["throttled"] for h in headlines)
    priced = any(h["payg_monthly_usd"] is not None or h["cheapest"] for h in headlines)
    unsure = any(h["cheapest"] and not h["cheapest_is_certain"] for h in headlines)
    table = Table(
        [
            Column("Deployment"),
            Column("Model"),
            Column("Type"),
            Column("Size, PTU", right=True),
            Column("Pay-as-you-go", right=True),
            Column("Cheapest way"),
            Column("A month", right=True),
            Column("vs pay-as-you-go", right=True),
            *([Column("Minutes with a 429", right=True)] if throttled else []),
        ]
    )
    for h in headlines:
        cheapest = h["cheapest"]
        certain = h["cheapest_is_certain"]
        sure = "" if certain else " ?"
        model = f"{h['model'] or '—'} {h['model_version'] or ''}".rstrip()
        minutes = (
            "—"
            if h["throttled"] is None
            else f"{count_text(h['throttled']['minutes'])} at {count_text(h['throttled']['ptu'])} PTU"
        )
        table.rows.append(
            [
                Cell(h["deployment"]),
                Cell(model),
                Cell(type_text(h)),
                cell(count_text(h["size_ptu"]), strong=not priced or bool(cheapest and cheapest["ptu"])),
                Cell(money_text(h["payg_monthly_usd"])),
                Cell(f"{way_text(cheapest)}{sure}" if cheapest else "unknown"),
                cell(money_text(cheapest["monthly_usd"]) if cheapest else "unknown", strong=certain),
                Cell(against_text(cheapest["vs_payg"]) if cheapest and cheapest["ptu"] else "—"),
                *([Cell(minutes)] if throttled else []),
            ]
        )
    caption = "The size that each needs as PTU, and the cheapest way to buy it"
    if unsure:
        caption += f". {UNSURE}"
    return Grid(caption, table)


def section(
    anchor: str, headline: Entry, document: Entry, *, with_charts: bool, what_if_rows: int
) -> tuple[Section, dict[str, Any]]:
    """A deployment in full, and the data of its slider."""
    name, shown = headline["deployment"], headline["deployment_type"]
    parts: list[Part] = []
    data: dict[str, Any] = {}
    size = sizes_part(name, headline["size_basis"], document)
    if size:
        parts.append(size)
    costs = cost_entries(name, shown, document)
    if costs:
        parts.append(costs_part(costs))
    entries = what_if_entries(name, shown, document) if with_charts else []
    if entries:
        part, data = what_if_part(anchor, entries, headline["cheapest"], most_rows=what_if_rows)
        parts.append(part)
    if costs and with_charts:
        drawn = list(break_even_chart(anchor, costs[0]))
        parts[-1] = parts[-1]._replace(charts=[*parts[-1].charts, *drawn])
    for each in _named(document, "simulate", name):
        parts.append(simulation_part(anchor, each, with_charts=with_charts))
    for each in _named(document, "logs", name):
        parts.append(log_part(anchor, each, with_charts=with_charts))
    if with_charts:
        parts += [part for e in document["hour_of_week"] if e["deployment"] == name for part in [hours_part(e)] if part]
    model = f"{headline['model'] or ''} {headline['model_version'] or ''}".strip()
    about = " · ".join(
        each
        for each in (
            "" if model == name else model,
            headline["region"] or "",
            headline["reason"] or "",
        )
        if each
    )
    return Section(anchor, name, about, list(cards(headline)), parts), data


def _named(document: Entry, part: str, name: str) -> list[Entry]:
    return [e for e in document[part]["by_deployment"] if e["name"] == name] if document[part] else []
