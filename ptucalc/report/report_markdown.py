"""A report document as Markdown for pull requests and wikis: headings, tables, notes. User text stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ptucalc.errors import visible
from ptucalc.report.blocks import Block, Cell, Column, Remark, Table
from ptucalc.report.html_text import (
    UNSURE,
    against_text,
    count_text,
    money_text,
    share_text,
    sizes_text,
    type_text,
)
from ptucalc.report.markdown import markdown, without_links
from ptucalc.report.report_tables import (
    break_even_table,
    cost_table,
    options_table,
    ptu_count,
    size_table,
    way_text,
    what_if_table,
    working_table,
)
from ptucalc.report.report_time_tables import advice_table, hours_map, runs_table

__all__ = ["DETAILED", "report_markdown"]

Data = Mapping[str, Any]

DETAILED = 5
"""So many deployments are shown in full; of the others the tables say the most important, the JSON everything."""

MOST_NOTES = 60


def report_markdown(document: Data) -> str:
    """The report. All of its numbers are in the document, rounded for reading."""
    parts = [_heading(1, document["title"]), markdown(_top(document))]
    for title, blocks in _sections(document):
        shown = [block for block in blocks if not isinstance(block, Table) or block.rows]
        if shown:
            parts += [_heading(2, title), markdown(shown)]
    return "\n".join(parts)


def _heading(level: int, text: str) -> str:
    inert = re.sub(r"([\\`*_\[\]<>|~#&!])", r"\\\1", visible(text))
    return f"{'#' * level} {without_links(inert)}\n"


def _sections(document: Data) -> Iterator[tuple[str, Iterator[Block] | list[Block]]]:
    lines = [line for line in document["headlines"] if line["deployment_type"] is not None][:DETAILED]
    size, cost, simulate = document["size"], document["cost"], document["simulate"]
    if size or document["logs"]:
        yield "What each deployment needs", [size_table(document)]
    if document["working"]:
        yield "How the sizes came about", [working_table(document), *_how(document)]
    if cost:
        yield "What each deployment costs a month", [cost_table(cost)]
    for line in lines if cost else ():
        for each in cost["deployments"]:
            if (each["name"], each["deployment_type"]) == (line["deployment"], line["deployment_type"]):
                where = f"{each['name']}, {type_text(each)}"
                yield f"Ways to buy {where}", [options_table(each), *_why(each)]
                yield f"When PTU pays: {where}", [break_even_table(each)]
    for line in lines:
        for each in document["what_if"]:
            if (each["deployment"], each["deployment_type"]) == (line["deployment"], line["deployment_type"]):
                yield f"Another number of PTU: {each['deployment']}, {type_text(each)}", _what_if(each)
    for hours in document["hour_of_week"][:DETAILED]:
        zone = " UTC" if hours["basis"] == "log" else ""
        yield f"Hour by hour: {hours['deployment']}", [hours_map(hours, zone)]
    for each in (simulate["by_deployment"] if simulate else [])[:DETAILED]:
        if each["simulated"]:
            yield f"429s of {each['name']}", [runs_table(each), *_simulated(each), advice_table(each["simulated"])]
    yield "Sources and notes", list(_sources(document))


def _top(document: Data) -> Iterator[Block]:
    made = f" · made on {document['made_on']}" if document["made_on"] else ""
    yield Remark("Of", visible(f"{document['source']['text']} · ptucalc {document['version']}{made}"))
    priced, hit = document["cost"] is not None, any(line["throttled"] for line in document["headlines"])
    sized = any(line["size_ptu"] is not None or line["reason"] for line in document["headlines"])
    table = Table(
        [
            Column("Deployment"),
            Column("Model"),
            Column("Type"),
            Column("Size" if sized else "", right=True),
            Column("Serves" if sized else ""),
            Column("Pay-as-you-go" if priced else "", right=True),
            Column("Cheapest" if priced else ""),
            Column("A month" if priced else "", right=True),
            Column("vs PAYG" if priced else "", right=True),
            Column("429s" if hit else ""),
        ]
    )
    for line in document["headlines"]:
        best, run = line["cheapest"], line["throttled"]
        unsure = "" if line["cheapest_is_certain"] else " ?"
        throttled = f"{share_text(run['share_of_requests'])} of requests at {run['ptu']:,} PTU" if run else ""
        table.rows.append(
            [
                Cell(visible(line["deployment"])),
                Cell(visible(f"{line['model'] or ''} {line['model_version'] or ''}".strip())),
                Cell(type_text(line)),
                Cell(ptu_count(line["size_ptu"]), "bold" if not priced or (best and best["ptu"]) else ""),
                Cell(visible(line["reason"] or _served(line["size_basis"]))),
                Cell(money_text(line["payg_monthly_usd"])),
                Cell(f"{way_text(best)}{unsure}" if best else "unknown"),
                Cell(
                    money_text(best["monthly_usd"]) if best else "unknown",
                    "bold" if line["cheapest_is_certain"] else "",
                ),
                Cell(against_text(best["vs_payg"]) if best and best["term"] else "—"),
                Cell(throttled),
            ]
        )
    yield table
    if any(line["cheapest"] and not line["cheapest_is_certain"] for line in document["headlines"]):
        yield Remark("Unsure", UNSURE)
    together, lacking = sizes_text(document)
    if together:
        yield Remark("Sizes together", f"{together}{f' ({lacking})' if lacking else ''}")
    if document["total"]:
        yield _together(document["total"])


def _together(total: Data) -> Remark:
    lacking = [f"no price of {name} is known" for name in total["unpriced"]]
    lacking += [f"{name} is not offered so" for name in total["not_offered"]]
    text = f"with every open deployment {type_text(total)}: "
    if total["cheapest_monthly_usd"] is None:
        return Remark("Together", visible(f"{text}not known: {'; '.join(lacking[:5])}"))
    sure = "" if total["cheapest_is_certain"] else " (some prices are not known)"
    text += f"pay-as-you-go {money_text(total['payg_monthly_usd'])}, each in its cheapest way "
    return Remark("Together", f"{text}{money_text(total['cheapest_monthly_usd'])} a month{sure}")


def _served(basis: str) -> str:
    return "the peak" if basis == "peak" else f"the {basis} minute"


def _what_if(each: Data) -> list[Block]:
    """The sizes, as far as anything is known of what they cost."""
    if all(row["spillover_monthly_usd"] is None for row in each["rows"]):
        return [Remark("Unknown", visible(each["reason"] or "what spills is not known"))]
    return [what_if_table(each)]


def _how(document: Data) -> Iterator[Remark]:
    headroom = document["size"]["headroom"] if document["size"] else 0
    more = f" × (1 + {share_text(headroom)} headroom)" if headroom else ""
    yield Remark(
        "How", f"PTU = requests a minute × weight of a call ÷ TPM per PTU{more}, rounded up to a size that is sold."
    )


def _why(cost: Data) -> Iterator[Remark]:
    reasons = [cost["payg_reason"], *(option["reason"] for option in cost["options"])]
    for reason in dict.fromkeys(reason for reason in reasons if reason):
        yield Remark("Unknown", visible(reason))


def _simulated(entry: Data) -> Iterator[Remark]:
    found = entry["simulated"]
    yield Remark(
        "How",
        f"a bucket of {count_text(found['window_seconds'])} s, policy {found['policy']}; "
        f"{entry['requests']:,} requests in {entry['minutes']:,} minutes{_beyond(found)}",
    )
    smallest = found["smallest_ptu_without_429"]
    if smallest is not None:
        yield Remark("No 429s", f"from {smallest:,} PTU on")


def _beyond(found: Data) -> str:
    """What makes the requests of a simulation more than those that a log is sized for."""
    beyond = found["runs"][0]["over_prompt_limit"] if found["runs"] else 0
    return f", of which {beyond:,} have prompts over the limit on PTU and are served at no size" if beyond else ""


def _sources(document: Data) -> Iterator[Block]:
    parts = [document[part] for part in ("size", "cost", "logs", "simulate") if document[part]]
    editions = list(dict.fromkeys(name for part in parts for name in part["catalog"]))
    oldest = f"; oldest source checked on {document['oldest_check']}" if document["oldest_check"] else ""
    yield Remark("Rates", visible(f"{', '.join(editions)}, as of {document['catalog_as_of']}{oldest}"))
    priced = list(dict.fromkeys(name for part in parts for name in part.get("prices", ())))
    if priced:
        yield Remark("Prices", visible(f"{', '.join(priced)}, as of {document['prices_as_of']}, USD without tax"))
    if document["sources"]:
        yield _source_table(document["sources"])
    notes = document["notes"]
    for note in notes[:MOST_NOTES]:
        yield Remark("Note", visible(note["message"]))
    if len(notes) > MOST_NOTES:
        yield Remark("Note", f"{len(notes) - MOST_NOTES:,} more notes are in the JSON")


def _source_table(sources: Sequence[Data]) -> Table:
    table = Table([Column("Read"), Column("Where"), Column("Checked")])
    for each in sources:
        where = f"{each['title']} {each['where']}".strip()
        kind, checked = (Cell(visible(each[key])) for key in ("kind", "checked"))
        table.rows.append([kind, Cell(visible(where), "link"), checked])
    return table
