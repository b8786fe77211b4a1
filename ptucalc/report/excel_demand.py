"""The sheet `Demand`: what the workloads of each deployment add up to, in integers, before anything is rounded."""

from __future__ import annotations

from fractions import Fraction

from ptucalc.catalog import CLASSES
from ptucalc.prices import MINUTES_PER_MONTH
from ptucalc.report.excel_calls import KEYS, parts_of
from ptucalc.report.excel_exact import REST, Limits, PlanDemand, nearest, need
from ptucalc.report.excel_layout import CLASS_LABELS, FIRST, Layout
from ptucalc.results import json_number

__all__ = ["write_demand"]

_DEMAND_TITLES = [
    "Deployment",
    "No.",
    "Model",
    "Model no.",
    "TPM per PTU",
    "Sum: whole",
    "Sum: rest ×10¹⁰",
    "TPM: whole",
    "TPM: rest ×10¹⁰",
    "1 + headroom ×10³",
    "Rest with headroom",
    "Need ×10³, rounded up",
    *(f"{label} a month" for label in CLASS_LABELS),
    "Rows with a check",
    "Can be sized",
]


def write_demand(layout: Layout) -> None:
    """Fill the sheet and name the deployments that a workload can be moved to."""
    sheet, last = layout.sheets["Demand"], FIRST + len(layout.calls) - 1
    sheet.title(
        "Demand", "What each deployment's workloads add up to, before anything is rounded. Nothing to change here."
    )
    sheet.head(FIRST - 1, _DEMAND_TITLES, height=48)
    for index, plan in enumerate((*layout.live, *layout.fixed)):
        _demand_row(layout, FIRST + index, index + 1, plan, last)
    if layout.live:
        layout.name("Deployments", sheet.area(FIRST, 0, FIRST + len(layout.live) - 1))
    sheet.raw.freeze_panes(FIRST, 1)
    sheet.raw.repeat_rows(FIRST - 1)


def _demand_row(layout: Layout, row: int, number: int, plan: PlanDemand, last: int) -> None:
    sheet, exact, work = layout.sheets["Demand"], layout.sheets["Exact"], layout.sheets["Workloads"]
    role = "fixed" if plan.reason else ""
    cell = [sheet.at(row, column, fixed=False, elsewhere=False) for column in range(len(_DEMAND_TITLES))]
    own = exact.area(FIRST, 1, last)
    sheet.put(row, 0, plan.name, role)
    sheet.put(row, 1, number, role, "whole")
    model = layout.rates.models.get(plan.model)
    if plan.reason:
        sheet.put(row, 2, plan.model, role)
        tpm = plan.members[0]["tpm_per_ptu"] if plan.members else None
        for column, value in ((3, layout.rates.number(plan.model)), (4, tpm), (5, None), (6, None)):
            sheet.put(row, column, value, role, "whole")
        demand = plan.demand
        for column, part in enumerate((None, None) if demand is None else demand, start=7):
            sheet.put(row, column, part, role, "whole")
    else:
        demand = plan.demand
        assert demand is not None and model is not None
        parts = [parts_of(entry, model) for entry in plan.members]
        whole, rest = sum(each.whole for each in parts), sum(each.rest for each in parts)
        chosen = layout.model_cells.get(plan.name)
        if chosen is None:  # none of its sizes recalculates
            sheet.put(row, 2, plan.model)
        else:
            sheet.formula(row, 2, layout.sheets["Plan"].at(*chosen), plan.model)
        sheet.formula(row, 3, f"IFERROR(MATCH({cell[2]},Models,0),0)", layout.rates.number(plan.model))
        sheet.formula(
            row, 4, f"IF({cell[3]}=0,0,INDEX(Model_tpm_per_PTU,{cell[3]}))", model["tpm_per_ptu"], "", "whole"
        )
        for column, source, cached in ((5, 25, whole), (6, 26, rest)):
            values = exact.area(FIRST, source, last)
            sheet.formula(row, column, f"SUMIFS({values},{own},{cell[1]})", cached, "", "whole")
        carried = nearest(rest, REST)
        sheet.formula(row, 7, f"{cell[5]}+ROUND({cell[6]}/10^10,0)", whole + carried, "", "whole")
        sheet.formula(row, 8, f"{cell[6]}-ROUND({cell[6]}/10^10,0)*10^10", rest - carried * REST, "", "whole")
        _months(layout, row, plan, own, last)
        checks = f'SUMPRODUCT(({own}={cell[1]})*({work.area(FIRST, 13, last)}<>""))'
        sheet.formula(row, 18, checks, 0, "", "whole")
        fits = f"IF(AND({cell[3]}>0,{cell[18]}=0,{cell[11]}<10^14,ROUND(Headroom,3)=Headroom,Headroom>=0),1,0)"
        sheet.formula(row, 19, fits, 1, "", "whole")
    if demand is not None:
        factor = int((1 + plan.headroom) * Limits.HEADROOM)
        more = f"ROUND({cell[10]}/10^10,0)"
        sheet.formula(row, 9, "ROUND((1+N(Headroom))*10^3,0)", factor, role, "whole")
        sheet.formula(row, 10, f"{cell[8]}*{cell[9]}", demand.rest * factor, role, "whole")
        total = f"{cell[7]}*{cell[9]}+{more}+IF({cell[10]}>{more}*10^10,1,0)"
        sheet.formula(row, 11, total, need(demand, plan.headroom), role, "whole")
        if plan.reason:
            fits = f"IF(AND({cell[11]}<10^14,ROUND(Headroom,3)=Headroom,Headroom>=0),1,0)"
            sheet.formula(row, 19, fits, 1, role, "whole")


def _months(layout: Layout, row: int, plan: PlanDemand, own: str, last: int) -> None:
    """Tokens of a month by class: average rate x tokens of a call x minutes of a month."""
    sheet, exact = layout.sheets["Demand"], layout.sheets["Exact"]
    number, averages = sheet.at(row, 1, fixed=False, elsewhere=False), exact.area(FIRST, len(KEYS) - 1, last)
    for index, token_class in enumerate(CLASSES):
        month = Fraction(0)
        for entry in plan.members:
            tokens = {each["token_class"]: Fraction(each["tokens_exact"]) for each in entry["tokens_per_call"]}
            month += tokens.get(token_class.value, Fraction(0)) * Fraction(entry["average_requests_per_minute_exact"])
        counts = exact.area(FIRST, 3 + index, last)
        formula = f"SUMPRODUCT(({own}={number})*{averages}*{counts})/10^4*{MINUTES_PER_MONTH}"
        sheet.formula(row, 12 + index, formula, json_number(month * MINUTES_PER_MONTH), "", "whole")
