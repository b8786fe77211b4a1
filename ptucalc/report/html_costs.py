"""Costs of a deployment, as parts of an HTML report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ptucalc.headlines import cheapest_is_certain
from ptucalc.report import charts
from ptucalc.report.blocks import Cell, Column, Table
from ptucalc.report.html_parts import Chart, Folded, Grid, Part, cell
from ptucalc.report.html_text import against_text, count_text, money_text, share_text, type_text

__all__ = ["break_even_chart", "card_texts", "cost_entries", "costs_part", "way_text"]

Entry = Mapping[str, Any]

TERMS = ("hourly", "1-month", "1-year")
PAYG = "payg"
FULL = "full PTU"
MOST_RANGES = 3


def cost_entries(name: str, shown: str | None, document: Entry) -> list[Entry]:
    """A deployment's entries of the cost document, that on the type shown first."""
    if document["cost"] is None:
        return []
    found = [d for d in document["cost"]["deployments"] if d["name"] == name]
    return sorted(found, key=lambda d: d["deployment_type"] != shown)


def costs_part(entries: Sequence[Entry]) -> Part:
    """Every way to buy it on the type shown, when PTU pay, and the same of other types on request."""
    first = entries[0]
    lines = [
        f"{_millions(first['requests_per_month'])} requests a month. PTU for the peak: {count_text(first['peak_ptu'])}, on "
        f"average {share_text(first['peak_utilization'])} busy. List prices of {first['price_region']}, without tax."
    ]
    if first["payg_reason"]:
        lines.append(f"Pay-as-you-go is not known: {first['payg_reason']}.")
    return Part(
        "What each option costs a month",
        lines,
        [Grid(_ways_caption(first), _ways(first)), Grid("When PTU pay", _break_even(first))],
        folded=[*_others(entries[1:]), *_bill(first), *_sensitivity(first)],
    )


def break_even_chart(anchor: str, entry: Entry) -> Iterator[Chart]:
    """How busy a PTU must be to pay: the picture of the table of that name."""
    spec = charts.break_even(entry)
    if spec is not None:
        key = "Sloping: pay-as-you-go of the tokens that one PTU serves. Level: what the PTU costs on each term."
        yield Chart(f"{anchor}-break-even", f"When a PTU pays, {type_text(entry)}", spec, key)


def card_texts(cheapest: Entry) -> tuple[str, str]:
    """The cheapest way of a headline, and more about it."""
    if cheapest["way"] == PAYG:
        return "Pay-as-you-go", ""
    more = [cheapest["term"] or ""] + ["the rest spills over"] * (cheapest["way"] != FULL)
    return f"{count_text(cheapest['ptu'])} PTU", ", ".join(each for each in more if each)


def way_text(cheapest: Entry) -> str:
    """The cheapest way of a headline, in few words."""
    if cheapest["way"] == PAYG:
        return "Pay-as-you-go"
    ptu = f"{count_text(cheapest['ptu'])} PTU"
    term = f", {cheapest['term']}" if cheapest["term"] else ""
    return f"{ptu}{term}" if cheapest["way"] == FULL else f"{ptu} + spillover{term}"


def _millions(value: Any) -> str:
    return count_text(value, 0)


def _ways_caption(entry: Entry) -> str:
    order = (
        ", the cheapest first"
        if cheapest_is_certain(entry)
        else ": not every price is known, so none is called cheapest"
    )
    return f"Ways to buy it, {type_text(entry)}{order}"


def _ways(entry: Entry) -> Table:
    table = Table(
        [
            Column("Option"),
            Column("PTU", right=True),
            Column("Fixed", right=True),
            Column("Spillover", right=True),
            Column("A month", right=True),
            Column("vs pay-as-you-go", right=True),
            Column("Per 1M tokens", right=True),
        ]
    )
    ways = [(_option_name(option), option) for option in entry["options"]]
    for term in TERMS:
        mix = entry["hybrid"].get(term)
        if mix and mix["ptu"] not in (0, entry["peak_ptu"]):
            ways.append((f"Mix of PTU and spillover, {term}", mix))
    certain = cheapest_is_certain(entry)
    ways.sort(key=lambda way: (way[1]["monthly_usd"] is None, way[1]["monthly_usd"] if certain else 0))
    for place, (name, way) in enumerate(ways):
        lowest = certain and not place
        reason = way.get("reason")
        table.rows.append(
            [
                cell(name, strong=lowest),
                cell(count_text(way["ptu"]), strong=lowest),
                cell(money_text(way["fixed_monthly_usd"]), strong=lowest),
                cell(money_text(way["spillover_monthly_usd"]), strong=lowest),
                cell(money_text(way["monthly_usd"]), strong=lowest, warn=bool(reason)),
                cell(against_text(way["vs_payg"]) if way["ptu"] else "—", strong=lowest),
                cell("—" if way["usd_per_1m_tokens"] is None else money_text(way["usd_per_1m_tokens"], cents=True)),
            ]
        )
    return table


def _option_name(option: Entry) -> str:
    return "Pay-as-you-go" if option["term"] == PAYG else f"All on PTU, {option['term']}"


def _break_even(entry: Entry) -> Table:
    """The numbers of the chart: the price of a PTU-month, where it crosses pay-as-you-go, at which rates full PTU pay."""
    prices = {option["term"]: option["usd_per_ptu_month"] for option in entry["options"]}
    table = Table(
        [
            Column("Term"),
            Column("A PTU-month costs", right=True),
            Column("Its tokens on pay-as-you-go, if always busy", right=True),
            Column("Pays when busy over", right=True),
            Column("PTU for the whole peak are cheaper at"),
        ]
    )
    for each in entry["break_even"]:
        never = each["utilization"] is not None and each["utilization"] > 1
        table.rows.append(
            [
                Cell(each["term"]),
                Cell(money_text(prices.get(each["term"]), cents=True)),
                Cell(money_text(entry["ptu_month_worth_usd"], cents=True)),
                cell(share_text(each["utilization"], without="unknown") + (": never" if never else ""), warn=never),
                Cell(_ranges(each)),
            ]
        )
    return table


def _ranges(each: Entry) -> str:
    ranges = each["cheaper_rpm_ranges"]
    if ranges is None:
        return "unknown"
    if not ranges:
        return "no rate"
    said = [
        f"over {count_text(start, 2)}" + ("" if end is None else f" up to {count_text(end, 2)}")
        for start, end in ranges[:MOST_RANGES]
    ]
    more = "; and at rates beyond" if len(ranges) > MOST_RANGES else ""
    return f"{'; '.join(said)}{more} requests/min"


def _others(entries: Sequence[Entry]) -> Iterator[Folded]:
    for entry in entries:
        lines = [f"Not known: {entry['payg_reason']}."] if entry["payg_reason"] else []
        caption = _ways_caption(entry)
        rest = Grid(f"When PTU pay, {type_text(entry)}", _break_even(entry))
        yield Folded(f"The same on {type_text(entry)}", [Grid(caption, _ways(entry)), rest], lines)


def _bill(entry: Entry) -> Iterator[Folded]:
    """The lines of the pay-as-you-go bill."""
    if not entry["payg_terms"]:
        return
    table = Table(
        [
            Column("Tokens"),
            Column("A month", right=True),
            Column("Per 1M", right=True),
            Column("Cost a month", right=True),
        ]
    )
    for term in entry["payg_terms"]:
        table.rows.append(
            [
                Cell(str(term["token_class"]).replace("_", " ")),
                Cell(count_text(term["tokens_per_month"], 0)),
                Cell(f"${count_text(term['usd_per_1m'], 6)}"),
                Cell(money_text(term["monthly_usd"], cents=True)),
            ]
        )
    table.totals = [Cell("Together"), Cell(""), Cell(""), Cell(money_text(entry["payg_monthly_usd"], cents=True))]
    where = type_text(entry, "payg_deployment_type")
    yield Folded("Pay-as-you-go, line by line", [Grid(f"A month at {where} prices of {entry['price_region']}", table)])


def _sensitivity(entry: Entry) -> Iterator[Folded]:
    """One thing changed at a time."""
    if not entry["sensitivity"]:
        return
    table = Table(
        [
            Column("Change"),
            Column("Pay-as-you-go", right=True),
            Column("PTU for the peak", right=True),
            *(Column(f"Cheapest on {term}", right=True) for term in TERMS),
        ]
    )
    for each in entry["sensitivity"]:
        found = [each["cheapest"].get(term) for term in TERMS]
        table.rows.append(
            [
                Cell(each["change"]),
                Cell(money_text(each["payg_monthly_usd"])),
                Cell(count_text(each["peak_ptu"])),
                *(
                    Cell(
                        "unknown" if mix is None else f"{money_text(mix['monthly_usd'])}, {count_text(mix['ptu'])} PTU"
                    )
                    for mix in found
                ),
            ]
        )
    yield Folded("What moves these numbers", [Grid("One thing changes at a time", table)])
