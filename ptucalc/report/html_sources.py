"""Where the numbers of a report come from, and what to reserve, as tables of an HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ptucalc.report.blocks import Cell, Column, Table
from ptucalc.report.html_parts import Grid, cell
from ptucalc.report.html_text import count_text, money_text, share_text, type_text

__all__ = ["reservations", "sources"]

Entry = Mapping[str, Any]
MOST_RESERVATIONS = 60


def reservations(document: Entry) -> Grid | None:
    """What to reserve for the cheapest mixes, where every open deployment has the type that costs least together."""
    total = document["total"]
    kind = total["deployment_type"] if total else None
    found = document["cost"]["reservations"] if document["cost"] and total else []
    found = [each for each in found if each["open_deployments_as"] in (None, kind)]
    if not found:
        return None
    table = Table(
        [
            Column("Type"),
            Column("Region"),
            Column("Term"),
            Column("PTU to reserve", right=True),
            Column("Per PTU", right=True),
            Column("For the term", right=True),
            Column("A month", right=True),
            Column("Choose"),
        ]
    )
    for each in found[:MOST_RESERVATIONS]:
        table.rows.append(
            [
                Cell(type_text(each)),
                Cell(each["region"] or "any"),
                Cell(each["term"]),
                Cell(count_text(each["ptu"])),
                Cell(money_text(each["usd_per_ptu"])),
                Cell(money_text(each["term_usd"])),
                Cell(money_text(each["monthly_usd"])),
                cell(_choice(each, found, document), strong=_is_cheapest(each, document)),
            ]
        )
    open_as = type_text({"deployment_type": kind})
    return Grid(
        "What to reserve for the cheapest mixes: of each type and region ONE term, the rows of other terms are instead of "
        f"it, not beside it. Deployments without a type of their own are {open_as}",
        table,
    )


def _choice(row: Entry, found: Sequence[Entry], document: Entry) -> str:
    """Whether a row is the cheapest of those that exclude each other."""
    if _is_cheapest(row, document):
        return "the cheapest way"
    pool = (row["deployment_type"], row["region"])
    others = [each for each in found if (each["deployment_type"], each["region"]) == pool and each is not row]
    return f"or: instead of {' and '.join(each['term'] for each in others)}" if others else ""


def _is_cheapest(row: Entry, document: Entry) -> bool:
    """Whether the cheapest ways of all deployments of the row, and of no others, are what it reserves."""
    lines = {line["deployment"]: line for line in document["headlines"]}
    for each in row["deployments"]:
        line = lines.get(each["name"])
        best = line and line["cheapest"]
        if not line or not best or not line["cheapest_is_certain"]:
            return False
        wanted = (line["deployment_type"], best["term"], best["ptu"])
        if each["ptu"] and wanted != (row["deployment_type"], row["term"], each["ptu"]):
            return False
    return not row["not_counted"]


def sources(document: Entry) -> Iterator[tuple[str, str]]:
    """What the numbers are made of, and of which day it is."""
    yield "Made of", document["source"]["text"]
    parts = [document[name] for name in ("size", "cost", "logs", "simulate") if document[name]]
    editions = list(dict.fromkeys(edition for part in parts for edition in part["catalog"]))
    yield "Rates", f"{' + '.join(editions) or 'ptucalc'}, as of {document['catalog_as_of']}"
    if document["oldest_check"]:
        yield "Oldest check of a rate used", document["oldest_check"]
    headroom = next((part["headroom"] for part in parts if "headroom" in part), None)
    if headroom is not None:
        yield "Headroom", share_text(headroom)
    cost = document["cost"]
    if cost:
        yield "Prices", f"{' + '.join(cost['prices'])}, as of {cost['prices_as_of']}, US dollars without tax"
        if cost["discount"]:
            yield "Discount on PTU prices", share_text(cost["discount"])
    for source in document["sources"]:
        more = [source["title"], f"published {source['published']}" if source["published"] else "", source["where"]]
        what = "Prices" if source["kind"] == "prices" else "Rates"
        yield f"{what} read {source['checked']}", ", ".join(each for each in more if each)
    if document["logs"]:
        yield from _log(document["logs"]["source"])
    yield "Made by", f"ptucalc {document['version']}" + (f" on {document['made_on']}" if document["made_on"] else "")


def _log(source: Entry) -> Iterator[tuple[str, str]]:
    yield "Log", f"{', '.join(source['files'])}: {source['format']}"
    skipped = ", ".join(f"{reason.replace('_', ' ')} {count_text(rows)}" for reason, rows in source["skipped"].items())
    rows = f"{count_text(source['rows_used'])} of {count_text(source['rows'])} used"
    yield "Rows", rows + (f" (not used: {skipped})" if skipped else "")
    yield "From", f"{source['first']} to {source['last']}, time zone {source['time_zone']}"
