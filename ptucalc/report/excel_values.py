"""The sheets that hold values: what ptucalc computed minute by minute or size by size, which no formula here repeats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ptucalc.report.excel_layout import FIRST, TERM_LABELS, Layout
from ptucalc.report.excel_sheet import Sheet, Value

__all__ = ["write_values"]

Json = Mapping[str, Any]

NOT_LIVE: Final = "Values as ptucalc computed them; they do not recalculate."


def write_values(layout: Layout, document: Json) -> None:
    """Fill the sheets that the report has something for."""
    sheets = layout.sheets
    if "Costs" in sheets:
        _costs(sheets["Costs"], document["cost"])
    if "Sizes" in sheets:
        _sizes(layout, document)
    if "Log" in sheets:
        _log(sheets["Log"], document["logs"])
    if "Simulation" in sheets:
        _simulation(sheets["Simulation"], document["simulate"])
    _notes(sheets["Notes and sources"], document)


def _ready(sheet: Sheet, titles: list[str], last: int, *, columns: int = 1) -> None:
    sheet.head(FIRST - 1, titles)
    sheet.raw.freeze_panes(FIRST, columns)
    sheet.raw.repeat_rows(FIRST - 1)
    if last >= FIRST:
        sheet.raw.autofilter(FIRST - 1, 0, last, len(titles) - 1)


def _costs(sheet: Sheet, cost: Json) -> None:
    """Every way to buy every deployment: pay-as-you-go, all on PTU, the cheapest mix; and when PTU break even."""
    sheet.title(
        "Costs a month",
        f"{NOT_LIVE} A mix is the cheapest number of PTU over the load, the rest spilled to pay-as-you-go.",
    )
    rows: list[list[Value]] = []
    for each in cost["deployments"]:
        who: list[Value] = [each["name"], each["deployment_type"], each["price_region"]]
        even = {entry["term"]: entry for entry in each["break_even"]}
        for option in each["options"]:
            payg = option["term"] == "payg"
            label = "Pay-as-you-go" if payg else f"All on {TERM_LABELS.get(option['term'], option['term'])}"
            broken = even.get(option["term"], {})
            ending = [broken.get("utilization"), option["reason"] or broken.get("reason")]
            rows.append([*who, label, *_money(option), *ending])
        for term, mix in each["hybrid"].items():
            if mix is not None:
                rows.append([*who, f"Cheapest mix, {TERM_LABELS.get(term, term)}", *_money(mix), None, None])
    shown = ["", "", "", "", "whole", "usd", "usd", "usd", "share", "share"]
    titles = ["Deployment", "Type", "Prices of", "Way to buy", "PTU", "Fixed", "Spilled", "A month", "vs PAYG"]
    sheet.raw.set_column(5, 7, 14)
    sheet.raw.set_column(9, 9, 14)
    sheet.raw.set_column(10, 10, 60)
    last = sheet.table_rows(FIRST, rows, shown) - 1
    _ready(sheet, [*titles, "Pays from a use of", "Remark"], last)


def _money(bought: Json) -> list[Value]:
    return [bought[key] for key in ("ptu", "fixed_monthly_usd", "spillover_monthly_usd", "monthly_usd", "vs_payg")]


def _sizes(layout: Layout, document: Json) -> None:
    """What another number of PTU costs, with a chart of the dearest deployment on the type that its headline shows."""
    sheet, terms = layout.sheets["Sizes"], layout.terms
    sheet.title(
        "Other sizes", f"{NOT_LIVE} What so many PTU cost a month, with what spills over them to pay-as-you-go."
    )
    row, charted = FIRST, None
    shown = ["", "", "whole", *["usd"] * (1 + 2 * len(terms)), "share", "share"]
    headlines = {(each["deployment"], each["deployment_type"]) for each in document["headlines"]}
    for entry in document["what_if"]:
        first = row
        for each in entry["rows"]:
            fixed, monthly = ([each[key].get(term) for term in terms] for key in ("fixed_monthly_usd", "monthly_usd"))
            values = [entry["deployment"], entry["deployment_type"], each["ptu"], each["spillover_monthly_usd"]]
            row = sheet.table_rows(
                row, [[*values, *fixed, *monthly, each["share_of_time_over"], each["throttled_share"]]], shown
            )
        known = entry["payg_monthly_usd"]
        shown_first = (entry["deployment"], entry["deployment_type"]) in headlines
        if shown_first and row - first > 1 and known and (charted is None or known > charted[2]["payg_monthly_usd"]):
            charted = (first, row - 1, entry)
    titles = ["Deployment", "Type", "PTU", "Spilled", *(f"{TERM_LABELS[term]}: fixed" for term in terms)]
    titles += [f"{TERM_LABELS[term]}: a month" for term in terms]
    _ready(sheet, [*titles, "Time over it", "Calls with a 429"], row - 1)
    if charted:
        _curve(layout, sheet, *charted)


def _curve(layout: Layout, sheet: Sheet, first: int, last: int, entry: Json) -> None:
    chart: Any = layout.book.add_chart({"type": "scatter", "subtype": "straight"})
    colors = ("#93C5FD", "#3B82F6", "#1D4ED8")
    priced = [term for term in layout.terms if entry["usd_per_ptu_month"].get(term) is not None]
    reserved = [term for term in priced if term != "hourly"]  # beside it the others would be hard to see
    if not priced:
        return
    for offset, term in enumerate(layout.terms):
        column = 4 + len(layout.terms) + offset
        if term not in (reserved or priced):
            continue
        chart.add_series(
            {
                "name": TERM_LABELS[term],
                "categories": "=" + sheet.area(first, 2, last),
                "values": "=" + sheet.area(first, column, last),
                "line": {"color": colors[offset], "width": 2},
            }
        )
    chart.set_title({"name": "USD a month against PTU bought, spillover included", "name_font": {"size": 12}})
    chart.set_x_axis({"name": "PTU", "num_format": "#,##0", "min": 0, "major_gridlines": {"visible": False}})
    chart.set_y_axis(
        {"num_format": '"$"#,##0', "min": 0, "major_gridlines": {"visible": True, "line": {"color": "#E5E7EB"}}}
    )
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 720, "height": 380})
    column = 6 + 2 * len(layout.terms) + 1
    sheet.put(FIRST - 2, column, f"{entry['deployment']}, {entry['deployment_type']}", "strong")
    description = "Lines: monthly cost against the number of PTU bought, by term; the rows beside it have the figures."
    sheet.raw.insert_chart(
        FIRST,
        column,
        chart,  # under the titles, which are printed on every page
        {"description": description},
    )


def _log(sheet: Sheet, logs: Json) -> None:
    """Demand by deployment at its percentiles, and the size at each."""
    source = logs["source"]
    files = ", ".join(source["files"][:10])
    sheet.title(
        "Log",
        f"{NOT_LIVE} {source['format']}, {files}: {source['rows_used']:,} of {source['rows']:,} rows, {source['first']} to {source['last']}, {source['time_zone']}.",
    )
    percentiles = list(dict.fromkeys(name for each in logs["by_deployment"] for name in (each["weighted_tpm"] or {})))
    numeric = [name for name in percentiles if name != "windows_reason"]
    rows: list[list[Value]] = []
    for each in logs["by_deployment"]:
        figures = [(each["weighted_tpm"] or {}).get(name) for name in numeric]
        known = [figure if isinstance(figure, int | float) else None for figure in figures]
        rows.append(
            [
                each["name"],
                each["model"],
                each["requests"],
                each["minutes"],
                each["mean_rpm"],
                each["peak_rpm"],
                *known,
                each["reason"],
            ]
        )
    titles = ["Deployment", "Model", "Requests", "Minutes", "Mean RPM", "Peak RPM"]
    titles += [f"Weighted TPM: {name.replace('_', ' ')}" for name in numeric]
    shown = ["", "", "whole", "whole", "tenth", "whole", *["whole"] * len(numeric)]
    last = sheet.table_rows(FIRST, rows, shown)
    sheet.head(FIRST - 1, [*titles, "Remark"], height=48)
    sheet.raw.freeze_panes(FIRST, 1)
    row = last + 1
    sheet.put(row, 0, "Sizes at each percentile", "section")
    sheet.head(row + 1, ["Deployment", "Percentile", "Type", "Raw PTU", "Needs PTU", "PTU", "Used at it", "Max RPM"])
    sizes: list[list[Value]] = []
    for each in logs["by_deployment"]:
        for percentile, at in each["sizes_at"].items():
            for size in at:
                figures = [
                    size[key] for key in ("raw_ptu", "need_ptu", "ptu", "utilization", "max_requests_per_minute")
                ]
                sizes.append([each["name"], percentile, size["deployment_type"], *figures])
    sheet.table_rows(row + 2, sizes, ["", "", "", "tenth", "tenth", "whole", "share", "tenth"])


def _simulation(sheet: Sheet, simulate: Json) -> None:
    """Every simulated size."""
    sheet.title("Simulation of 429s", NOT_LIVE)
    rows: list[list[Value]] = []
    for each in simulate["by_deployment"]:
        found = each["simulated"]
        if found is None:
            rows.append([each["name"], each["model"], each["deployment_type"], *[None] * 11, each["reason"]])
            continue
        for run in found["runs"]:
            counts = [
                run[key]
                for key in ("ptu", "requests", "served", "throttled_429", "throttled_share", "throttled_minutes")
            ]
            used = [run["utilization"][key] for key in ("mean", "p99", "max")]
            ends = [run[key] for key in ("spilled", "failed", "spilled_monthly_usd", "spilled_monthly_usd_reason")]
            rows.append([each["name"], each["model"], each["deployment_type"], *counts, *used, *ends[:2], *ends[2:]])
    titles = ["Deployment", "Model", "Type", "PTU", "Requests", "Served", "With a 429", "Share", "Minutes with a 429"]
    titles += ["Used: mean", "Used: p99", "Used: max", "Spilled", "Failed", "Spilled, USD a month", "Remark"]
    shown = ["", "", "", *["whole"] * 4, "share", "whole", *["share"] * 3, "whole", "whole", "usd"]
    last = sheet.table_rows(FIRST, rows, shown) - 1
    _ready(sheet, titles, last)
    sheet.head(FIRST - 1, titles, height=48)


def _notes(sheet: Sheet, document: Json) -> None:
    """The remarks of all parts, then where the numbers were read and when."""
    sheet.title("Notes and sources", f"ptucalc {document['version']}, schema {document['schema']}")
    row = _section(
        sheet, 3, "Notes", ["About", "Note"], ([n["about"] or "all", n["message"]] for n in document["notes"])
    )
    cost = document["cost"] or {"price_sources": []}
    sources = document.get("sources")
    if sources is None:
        sources = [{**each, "kind": "prices", "where": "", "published": ""} for each in cost["price_sources"]]
    entries = ([s["kind"], s["title"], s["where"], s["published"], s["checked"]] for s in sources)
    row = _section(sheet, row + 1, "Sources", ["Of", "Title", "Where", "Published", "Checked"], entries)
    dates: list[list[Value]] = [["Rates as of", document["catalog_as_of"]], ["Prices as of", document["prices_as_of"]]]
    dates.append(["Oldest source of rates checked", document["oldest_check"]])
    if document["cost"]:
        dates.append(["Oldest price read", cost["oldest_price_capture"]])
    _section(sheet, row + 1, "Dates", ["What", "Day"], dates)
    sheet.raw.freeze_panes(2, 0)


def _section(sheet: Sheet, row: int, name: str, titles: list[str], entries: Iterable[list[Value]]) -> int:
    sheet.put(row, 0, name, "section")
    sheet.head(row + 1, titles, height=20)
    row += 2
    for entry in entries:
        for column, value in enumerate(entry):
            sheet.put(row, column, value, "wrapped")
        row += 1
    return row
