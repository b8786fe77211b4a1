"""Sizes and costs of a report document as tables of cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ptucalc.errors import visible
from ptucalc.headlines import cheapest_is_certain
from ptucalc.report.blocks import Cell, Column, Table
from ptucalc.report.html_text import (
    NOT_SIMULATED,
    against_text,
    count_text,
    money_text,
    raw_ptu_text,
    share_text,
    type_text,
)

__all__ = [
    "break_even_table",
    "cost_table",
    "options_table",
    "ptu_count",
    "size_table",
    "way_text",
    "what_if_table",
    "working_table",
]

Data = Mapping[str, Any]

WHAT_IF_ROWS = 16
"""About so many sizes are listed; the CSV and the JSON have all."""

CLASS_WORDS = {
    "input": "uncached in",
    "cached_input": "cached in",
    "cache_write": "written to the cache",
    "output": "out",
    "image_input": "image in",
    "image_output": "image out",
}


def ptu_count(ptu: int | None) -> str:
    """A size to buy."""
    return "—" if ptu is None else f"{ptu:,} PTU"


def way_text(way: Data) -> str:
    """A way to buy in few words."""
    if way["way"] == "payg" or not way["ptu"]:
        return "pay-as-you-go"
    what = f"all on {way['ptu']:,} PTU" if way["way"] == "full PTU" else f"{way['ptu']:,} PTU + spillover"
    return f"{what}, {way['term']}"


def size_table(document: Data) -> Table:
    """Every deployment on every type; of a log alone at its percentile."""
    table = Table(
        [
            Column("Deployment"),
            Column("Model"),
            Column("Weighted TPM", right=True),
            Column("Type"),
            Column("Needs", right=True),
            Column("Size", right=True),
            Column("Busy", right=True),
            Column("Sold as"),
        ]
    )
    for name, model, weighted, sizes in _sized(document):
        for size in sizes:
            sold = "" if size["minimum"] is None else f"{size['minimum']:,}, then by {size['increment']:,}"
            table.rows.append(
                [
                    Cell(visible(name)),
                    Cell(visible(model or "")),
                    Cell(count_text(weighted)),
                    Cell(type_text(size)),
                    Cell(raw_ptu_text(size["need_ptu"])),
                    Cell(ptu_count(size["ptu"]), "bold"),
                    Cell(share_text(size["utilization"])),
                    Cell(visible(sold if size["ptu"] is not None else size["reason"] or "")),
                ]
            )
    return table


def _sized(document: Data) -> Iterator[tuple[str, str | None, Any, Sequence[Data]]]:
    size, logs = document["size"], document["logs"]
    if size:
        for each in size["deployments"]:
            yield each["name"], each["model"], each["weighted_tpm"], each["sizes"]
        return
    for each in logs["by_deployment"] if logs else ():
        at = each["percentile"]
        weighted = each["weighted_tpm"]
        known = weighted.get(at) if weighted else None
        shown = known if isinstance(known, (int, float)) else None
        yield each["name"], each["model"], shown, each["sizes_at"].get(at, ())


def working_table(document: Data) -> Table:
    """What a call of each workload weighs, class by class, and what that comes to."""
    table = Table(
        [
            Column("Workload"),
            Column("Deployment"),
            Column("Requests a minute", right=True),
            Column("Tokens of a call × weight"),
            Column("Weight of a call", right=True),
            Column("Weighted TPM", right=True),
            Column("TPM per PTU", right=True),
            Column("PTU", right=True),
        ]
    )
    for each in document["working"]:
        terms = " + ".join(
            f"{count_text(term['tokens'])} {CLASS_WORDS[term['token_class']]} × {count_text(term['weight'], 4)}"
            for term in each["tokens_per_call"]
        )
        mean = " (the average call)" if each["measured"] else ""
        alone = next((size["raw_ptu"] for size in _alone(document, each)), None)
        table.rows.append(
            [
                Cell(visible(each["workload"])),
                Cell(visible(each["deployment"])),
                Cell(count_text(each["requests_per_minute"])),
                Cell(terms + mean),
                Cell(count_text(each["weight_per_call"], 2)),
                Cell(count_text(each["weighted_tpm"])),
                Cell(count_text(each["tpm_per_ptu"])),
                Cell(raw_ptu_text(alone)),
            ]
        )
    return table


def _alone(document: Data, working: Data) -> Sequence[Data]:
    """The sizes of the workload alone."""
    size = document["size"]
    for each in size["workloads"] if size else ():
        if each["name"] == working["workload"]:
            found: Sequence[Data] = each["sizes"]
            return found
    return ()


def cost_table(cost: Data) -> Table:
    """Every deployment on every type: pay-as-you-go, PTU for the peak, the cheapest way."""
    terms = list(dict.fromkeys(o["term"] for d in cost["deployments"] for o in d["options"] if o["term"] != "payg"))
    table = Table(
        [
            Column("Deployment"),
            Column("Type"),
            Column("Prices of"),
            Column("Pay-as-you-go", right=True),
            Column("PTU for the peak", right=True),
            *(Column(f"All {term}", right=True) for term in terms),
            *(Column(f"Mix {term}", right=True) for term in terms),
        ]
    )
    for each in cost["deployments"]:
        options = {option["term"]: option["monthly_usd"] for option in each["options"]}
        mixes = [each["hybrid"].get(term) for term in terms]
        table.rows.append(
            [
                Cell(visible(each["name"])),
                Cell(type_text(each)),
                Cell(visible(each["price_region"])),
                Cell(money_text(each["payg_monthly_usd"])),
                Cell(f"{each['peak_ptu']:,}"),
                *(Cell(money_text(options.get(term))) for term in terms),
                *(
                    Cell("unknown" if mix is None else f"{money_text(mix['monthly_usd'])} ({mix['ptu']:,})")
                    for mix in mixes
                ),
            ]
        )
    for each in cost["unanswered"]:
        blank = [Cell("")] * (len(table.columns) - 2)
        table.rows.append([Cell(visible(each["name"])), Cell(visible(each["reason"])), *blank])
    return table


def options_table(cost: Data) -> Table:
    """Every way to buy one deployment on one type, the cheapest first; where a price is not known, those last and no other first."""
    ways = [("pay-as-you-go" if o["term"] == "payg" else f"all on PTU, {o['term']}", o) for o in cost["options"]]
    ways += [(f"PTU + spillover, {term}", mix) for term, mix in cost["hybrid"].items() if mix and mix["ptu"]]
    certain = cheapest_is_certain(cost)
    ways.sort(key=lambda way: (way[1]["monthly_usd"] is None, way[1]["monthly_usd"] if certain else 0))
    table = Table(
        [
            Column("Way to buy"),
            Column("PTU", right=True),
            Column("Fixed", right=True),
            Column("Spillover", right=True),
            Column("A month", right=True),
            Column("vs PAYG", right=True),
        ]
    )
    for index, (name, way) in enumerate(ways):
        style = "bold" if certain and not index else ""
        money = (way["fixed_monthly_usd"], way["spillover_monthly_usd"], way["monthly_usd"])
        table.rows.append(
            [
                Cell(name, style),
                Cell(f"{way['ptu']:,}"),
                *(Cell(money_text(amount), style) for amount in money),
                Cell(against_text(way["vs_payg"]) if way["vs_payg"] is not None and way["ptu"] else "—"),
            ]
        )
    return table


def break_even_table(cost: Data) -> Table:
    """How busy PTU have to be kept to pay, and at which peak rates PTU for the whole peak is cheaper."""
    table = Table([Column("Term"), Column("Busy on average", right=True), Column("Cheaper at requests a minute")])
    for each in cost["break_even"]:
        busy = each["utilization"]
        ranges = each["cheaper_rpm_ranges"]
        if each["reason"] and busy is None:
            table.rows.append([Cell(each["term"]), Cell("unknown"), Cell(visible(each["reason"]))])
            continue
        said = "never" if ranges == [] else "; ".join(map(_range, ranges[:8])) if ranges else "unknown"
        more = f"; and {len(ranges) - 8:,} more" if ranges and len(ranges) > 8 else ""
        over = " (never)" if busy is not None and busy > 1 else ""
        table.rows.append([Cell(each["term"]), Cell(f"{share_text(busy)}{over}"), Cell(said + more)])
    return table


def _range(pair: Sequence[Any]) -> str:
    start, end = pair
    if end is None:
        return f"over {count_text(start)}"
    return f"over {count_text(start)} to {count_text(end)}"


def what_if_table(what_if: Data) -> Table:
    """Some of the sizes that were looked at, with those that stand out."""
    rows = what_if["rows"]
    always = {what_if["peak_ptu"], *(ptu for ptu in what_if["cheapest"].values() if ptu is not None)}
    step = max(1, len(rows) // WHAT_IF_ROWS)
    shown = [row for index, row in enumerate(rows) if index % step == 0 or row["ptu"] in always]
    terms = list(what_if["usd_per_ptu_month"])
    simulated = any(row["throttled_share"] is not None for row in rows)
    table = Table(
        [
            Column("PTU", right=True),
            *(Column(f"A month, {term}", right=True) for term in terms),
            Column("of it spillover", right=True),
            Column("Time over it", right=True),
            Column("Requests with a 429" if simulated else "", right=True),
        ]
    )
    for row in shown:
        cells = [
            Cell(money_text(row["monthly_usd"][term]), "bold" if what_if["cheapest"].get(term) == row["ptu"] else "")
            for term in terms
        ]
        table.rows.append(
            [
                Cell(f"{row['ptu']:,}", "bold" if row["ptu"] == what_if["peak_ptu"] else ""),
                *cells,
                Cell(money_text(row["spillover_monthly_usd"])),
                Cell(share_text(row["share_of_time_over"])),
                Cell(share_text(row["throttled_share"], without=NOT_SIMULATED)),
            ]
        )
    return table
