"""The sheet `Plan`: what to buy of each deployment type and what it costs, recalculated from the workloads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ptucalc.catalog import DeploymentType
from ptucalc.headlines import cheapest_is_certain, cheapest_way
from ptucalc.report.excel_figures import BUY, DEPLOYMENT, MODEL, PAYG, REGION, Figures, PlanRow
from ptucalc.report.excel_layout import TERM_LABELS, Layout
from ptucalc.report.excel_sheet import Value
from ptucalc.report.html_text import money_text
from ptucalc.workload import HOURS_PER_MONTH

__all__ = ["write_plan"]

Json = Mapping[str, Any]

HEADROOM_ROW: Final = 3

MIX_TITLE: Final = "Cheapest way, spillover included (value, see Costs)"

LINE: Final = 62
"""Characters of a remark that fit beside each other."""


def write_plan(layout: Layout, document: Json) -> None:
    """Fill the sheet: a table for each deployment type, its totals, and a chart of what the ways to buy cost."""
    sheet, size = layout.sheets["Plan"], document["size"]
    sheet.title(document["title"], _made(document))
    live = bool(layout.live or layout.fixed)
    sheet.put(2, 0, _how(layout), "remark")
    sheet.put(HEADROOM_ROW, 0, "Headroom", "strong")
    sheet.put(HEADROOM_ROW, 1, size["headroom"], "input" if live else "fixed", "input_share")
    sheet.put(HEADROOM_ROW, 2, "added to the need before it is rounded to a size that is sold", "remark")
    if live:
        layout.name("Headroom", sheet.at(HEADROOM_ROW, 1))
        rule = {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 10}
        message = {"error_title": "Not a share", "error_message": "A share of 0% or more, to a tenth of a percent."}
        sheet.raw.data_validation(HEADROOM_ROW, 1, HEADROOM_ROW, 1, {**rule, **message})
    costs = (document["cost"] or {"deployments": []})["deployments"]
    cost_of = {(each["name"], each["deployment_type"]): each for each in costs}
    row, charted = HEADROOM_ROW + 2, None
    for kind in DeploymentType:
        rows = [
            _plan_row(layout, each, size_, cost_of.get((each["name"], kind.value)))
            for each in size["deployments"]
            for size_ in each["sizes"]
            if size_["deployment_type"] == kind.value
        ]
        if rows:
            row = _block(layout, document, kind, rows, row) + 1
            first, last = row - len(rows) - 2, row - 3
            if charted is None or last - first > charted[2] - charted[1]:
                charted = (kind, first, last)
    if charted and document["cost"] and charted[2] - charted[1] <= 40:
        _chart(layout, *charted, row)
    sheet.raw.freeze_panes(HEADROOM_ROW + 1, 1)


def _made(document: Json) -> str:
    parts = [f"ptucalc {document['version']}", f"rates of {document['catalog_as_of']}"]
    if document["prices_as_of"]:
        parts.append(f"list prices of {document['prices_as_of']} in USD, a month of {HOURS_PER_MONTH} hours")
    if document["made_on"]:
        parts.append(f"made {document['made_on']}")
    return " · ".join([document["source"]["text"], *parts])


def _how(layout: Layout) -> str:
    if not layout.live and not layout.fixed:
        return "Made from a saved result, which holds no rates: all figures are values, nothing recalculates."
    return (
        "Yellow cells are inputs, here and on Workloads; what follows from them recalculates."
        " Grey figures stay as ptucalc computed them: the last column says why."
    )


def _plan_row(layout: Layout, deployment: Json, size: Json, cost: Json | None) -> PlanRow:
    kind, rates = size["deployment_type"], layout.rates
    plan = layout.plans.get(deployment["name"])
    region = cost["price_region"] if cost else deployment["region"] or (rates.places[0][0] if rates.places else "")
    place = rates.place(region, kind)
    payg = rates.place(region, cost["payg_deployment_type"] if cost else kind)
    rate = rates.rows.get((deployment["model"], region, kind))
    return PlanRow(deployment, size, cost, plan, rate, place, payg)


def _block(layout: Layout, document: Json, kind: DeploymentType, rows: Sequence[PlanRow], row: int) -> int:
    """A type's table at this row; returns the row after its totals."""
    sheet, terms = layout.sheets["Plan"], layout.terms
    sheet.put(row, 0, f"{kind.label} provisioned ({kind.sku_name})", "section")
    titles = [
        "Deployment",
        "Model",
        "Region",
        "Weighted TPM",
        "TPM per PTU",
        "Raw PTU",
        "Needs PTU",
        "Minimum",
        "Increment",
    ]
    titles += [
        "Buy PTU",
        "Used at the peak",
        "Pay-as-you-go",
        *(TERM_LABELS[term] for term in terms),
        "Cheapest of these",
        MIX_TITLE,
    ]
    sheet.head(row + 1, [*titles, "Recalculates?"])
    first = row + 2
    for at, each in enumerate(rows, start=first):
        _row(layout, kind, each, at, row + 1)
    _totals(layout, document, kind, first, first + len(rows) - 1)
    return first + len(rows) + 1


def _row(layout: Layout, kind: DeploymentType, each: PlanRow, row: int, head: int) -> None:
    sheet = layout.sheets["Plan"]
    reason = _fixed_because(layout, each)
    own = not reason and each.plan is not None and not each.plan.reason
    role = "" if own else "fixed"
    name, region = each.deployment["name"], each.deployment["region"]
    sheet.put(row, DEPLOYMENT, name, "strong")
    if own and name not in layout.model_cells:
        layout.model_cells[name] = (row, MODEL)
        sheet.put(row, MODEL, each.deployment["model"], "input")
        choice = {"validate": "list", "source": "=Models", "error_title": "Not a model of the list"}
        sheet.raw.data_validation(
            row, MODEL, row, MODEL, {**choice, "error_message": "Choose one from the sheet Models."}
        )
    elif own:
        source = sheet.at(*layout.model_cells[name], elsewhere=False)
        sheet.formula(row, MODEL, source, each.deployment["model"])
    else:
        sheet.put(row, MODEL, each.deployment["model"], role)
    sheet.put(row, REGION, region or (f"prices: {each.cost['price_region']}" if each.cost else None), "remark")
    figures = Figures(layout, each, row)
    if reason:
        figures.values()
    else:
        figures.formulas()
    remark = reason or (each.plan.reason if each.plan else "")
    costs = figures.costs(live=not reason)
    columns = [PAYG + offset for offset in range(1 + len(layout.terms))]
    low, high = (sheet.at(row, column, fixed=False, elsewhere=False) for column in (columns[0], columns[-1]))
    titles = f"{sheet.at(head, columns[0], elsewhere=False)}:{sheet.at(head, columns[-1], elsewhere=False)}"
    answer = f'IF(COUNT({low}:{high})<{len(columns)},"not all known",INDEX({titles},MATCH(MIN({low}:{high}),{low}:{high},0)))'
    sheet.formula(row, columns[-1] + 1, answer, _cheapest(costs, layout.terms), f"{role} aside".strip())
    sheet.put(row, columns[-1] + 2, _cheapest_way(each.cost), "fixed aside")
    last = columns[-1] + 3
    if own:
        d = layout.sheets["Demand"]
        at = layout.demand_row(name)
        assert at is not None
        checks, number = d.at(at, 18), d.at(at, 3)
        partly = "; ".join(figures.remarks)
        yes = f"yes; {partly}" if partly else "yes"
        formula = f'IF({number}=0,"its model is not in the list",IF({checks}>0,"see the checks on Workloads",IF({d.at(at, 19)}=1,{_quoted(yes)},"headroom or demand is finer or larger than is counted here")))'
        sheet.formula(row, last, formula, yes, "reason")
    else:
        partly = "" if reason else "only the headroom recalculates: "
        yes = "; ".join([f"not live: {partly}{remark}", *figures.remarks])
        sheet.put(row, last, yes, "reason")
    sheet.raw.set_row(row, 15 * min(6, 1 + len(yes) // LINE))  # what wraps does not make a row higher by itself


def _cheapest_way(cost: Json | None) -> str | None:
    """The answer of ptucalc: mixes with spillover, which no formula here repeats, are among the ways."""
    best = None if cost is None else cheapest_way(cost)
    if cost is None or best is None:
        return None if cost is None else "not known"
    what = f"{best['ptu']:,} PTU" if best["ptu"] else "pay-as-you-go"
    more = " + spillover" if best["way"] == "cheapest mix" else ""
    term = f", {best['term']}" if best["term"] else ""
    sure = "" if cheapest_is_certain(cost) else " (of known prices)"
    return f"{what}{more}{term}: {money_text(best['monthly_usd'])}{sure}"


def _quoted(text: str) -> str:
    """A text in a formula."""
    from ptucalc.report.excel_sheet import cell_text

    return '"' + cell_text(text)[:250].replace('"', '""') + '"'


def _cheapest(costs: Sequence[Value], terms: Sequence[str]) -> str:
    amounts = [each for each in costs if isinstance(each, int | float)]
    if len(amounts) < len(costs) or not amounts:
        return "not all known"
    return ["Pay-as-you-go", *(TERM_LABELS[term] for term in terms)][costs.index(min(amounts))]


def _fixed_because(layout: Layout, each: PlanRow) -> str:
    """Why not even the size of a known demand can be recomputed; "" where it can."""
    if each.plan is None:
        return "the report holds no rates to recalculate with"
    if each.plan.demand is None:
        return each.plan.reason or "finer than what a spreadsheet counts exactly"
    if each.rate is None or not each.price_row or not layout.rates.number(each.deployment["model"]):
        return layout.rates.left_out.get(
            each.deployment["model"], "the rates of its model and region are not in the list"
        )
    sold = (each.size["minimum"], each.size["increment"])
    if sold != (each.rate["minimum"], each.rate["increment"]):
        return "its sizes are not those of the list"
    if (each.size["ptu"] is None) != (each.rate["offered"] is False or None in sold):
        return each.size["reason"] or "offered otherwise than the list says"
    return ""


def _totals(layout: Layout, document: Json, kind: DeploymentType, first: int, last: int) -> None:
    """The sums of a type; nothing where a deployment has no number, as in the JSON."""
    sheet = layout.sheets["Plan"]
    row = last + 1
    total = next(
        (t for t in (document["cost"] or {"totals": []})["totals"] if t["deployment_type"] == kind.value), None
    )
    sheet.put(row, DEPLOYMENT, "Total", "total")
    for column in range(MODEL, PAYG + len(layout.terms) + 4):
        sheet.put(row, column, None, "total")
    ptu = document["size"]["totals"].get(kind.value)
    amounts: list[tuple[int, Value, str]] = [(BUY, ptu, "whole")]
    if document["cost"]:
        amounts.append((PAYG, total and total["payg_monthly_usd"], "usd"))
        for offset, term in enumerate(layout.terms, start=1):
            amounts.append((PAYG + offset, total and total["full_ptu_monthly_usd"].get(term), "usd"))
    for column, value, how in amounts:
        low, high = (sheet.at(each, column, fixed=False, elsewhere=False) for each in (first, last))
        formula = f'IF(COUNT({low}:{high})=ROWS({low}:{high}),SUM({low}:{high}),"–")'
        sheet.formula(row, column, formula, "–" if value is None else value, "total", how)


_COLORS = ("#DC2626", "#93C5FD", "#3B82F6", "#1D4ED8")


def _chart(layout: Layout, kind: DeploymentType, first: int, last: int, row: int) -> None:
    """What each way to buy costs a month, deployment by deployment."""
    sheet = layout.sheets["Plan"]
    chart: Any = layout.book.add_chart({"type": "column"})
    reserved = [term for term in layout.terms if term != "hourly"]  # beside it the others would be hard to see
    for offset, term in enumerate(("payg", *layout.terms)):
        if term == "hourly" and reserved:
            continue
        label, column = TERM_LABELS.get(term, "Pay-as-you-go"), PAYG + offset
        chart.add_series(
            {
                "name": label,
                "categories": "=" + sheet.area(first, DEPLOYMENT, last),
                "values": "=" + sheet.area(first, column, last),
                "fill": {"color": _COLORS[offset]},
                "gap": 80,
            }
        )
    chart.set_title({"name": f"USD a month, {kind.label.lower()}", "name_font": {"size": 12}})
    chart.set_y_axis({"num_format": '"$"#,##0', "major_gridlines": {"visible": True, "line": {"color": "#E5E7EB"}}})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 980, "height": 340})
    description = f"Columns: what each way to buy costs a month, for each {kind.label} deployment; the table above has the figures."
    sheet.raw.insert_chart(row, 0, chart, {"description": description})
