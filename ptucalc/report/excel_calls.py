"""The sheets `Workloads` and `Exact`: the calls that a reader may change, and the integers that they come to."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ptucalc.catalog import CLASSES
from ptucalc.report.excel_exact import CallParts, PlanDemand, call_parts
from ptucalc.report.excel_layout import CLASS_LABELS, FIRST, Layout
from ptucalc.report.excel_sheet import Sheet
from ptucalc.results import json_number

__all__ = ["COLUMNS", "KEYS", "parts_of", "write_calls"]

Json = Mapping[str, Any]


def write_calls(layout: Layout) -> None:
    """Fill both sheets and name the columns of the inputs."""
    sheet = layout.sheets["Workloads"]
    sheet.title(
        "Workloads",
        "Yellow cells are inputs: peak minute, average over a month of 730 hours, one call. Grey rows do not recalculate.",
    )
    titles = ["Workload", "Deployment", "Peak RPM", "Average RPM", "Input tokens", "Output tokens", "Cached share"]
    titles += [
        "Written share",
        "Image input",
        "Image output",
        "Model",
        "Weighted tokens per call",
        "Weighted TPM",
        "Check",
    ]
    sheet.head(FIRST - 1, titles)
    exact = layout.sheets["Exact"]
    exact.title(
        "Exact",
        "The same in integers, so that no rounding decides over a size: see the formulas. Nothing to change here.",
    )
    exact.head(FIRST - 1, _EXACT_TITLES, height=48)
    calls = layout.calls
    for row, (plan, entry) in enumerate(calls, start=FIRST):
        if plan.reason:
            _fixed_row(sheet, exact, row, plan, entry)
        else:
            _live_row(layout, row, plan, entry)
    live = sum(len(each.members) for each in layout.live)
    if live:
        _validate(layout, FIRST + live - 1)
        for name, column in (("Peak_RPM", 2), ("Average_RPM", 3), ("Input_tokens", 4), ("Output_tokens", 5)):
            layout.name(name, sheet.area(FIRST, column, FIRST + live - 1))
        layout.name("Cached_share", sheet.area(FIRST, 6, FIRST + live - 1))
    for each, column in ((sheet, 1), (exact, 1)):
        each.raw.freeze_panes(FIRST, column)
        each.raw.repeat_rows(FIRST - 1)


_EXACT_TITLES = [
    "Workload",
    "Deployment",
    "Model",
    *(f"{label} ×10⁴" for label in CLASS_LABELS),
    *(f"Weight {label.lower()} ×10³" for label in CLASS_LABELS),
    "Weighted call ×10⁷",
    "Call: whole",
    "Call: rest ×10⁷",
    "Rate ×10³",
    "Rate: whole",
    "Rate: rest ×10³",
    "whole × whole",
    "rest × whole ×10³",
    "whole × rest ×10⁷",
    "rest × rest ×10¹⁰",
    "TPM: whole",
    "TPM: rest ×10¹⁰",
    "Average RPM",
]


def _inputs(entry: Json) -> dict[str, Any]:
    """The calls of a workload as its row shows them."""
    tokens = {each["token_class"]: Fraction(each["tokens_exact"]) for each in entry["tokens_per_call"]}
    cached, written = tokens.get("cached_input", Fraction(0)), tokens.get("cache_write", Fraction(0))
    whole = tokens.get("input", Fraction(0)) + cached + written
    return {
        "rate": Fraction(entry["requests_per_minute_exact"]),
        "input": json_number(whole),
        "output": json_number(tokens.get("output", Fraction(0))),
        "cached": json_number(cached / whole) if whole else 0,
        "written": json_number(written / whole) if whole else 0,
        "image_input": json_number(tokens.get("image_input", Fraction(0))),
        "image_output": json_number(tokens.get("image_output", Fraction(0))),
    }


_SHOWN = ["", "", "number", "number", "whole", "whole", "input_share", "input_share", "whole", "whole"]


def _fixed_row(sheet: Sheet, exact: Sheet, row: int, plan: PlanDemand, entry: Json) -> None:
    call = _inputs(entry)
    values = [
        entry["workload"],
        plan.name,
        entry["requests_per_minute"],
        entry["average_requests_per_minute"],
        *(call[key] for key in ("input", "output", "cached", "written", "image_input", "image_output")),
        entry["model"],
        entry["weight_per_call"],
        entry["weighted_tpm"],
        f"not live: {plan.reason}",
    ]
    sheet.table_rows(row, [values], [*_SHOWN, "", "number", "number"], "fixed")
    exact.put(row, 0, entry["workload"], "fixed")
    for column in range(1, len(_EXACT_TITLES)):
        exact.put(row, column, 0, "fixed")


def _live_row(layout: Layout, row: int, plan: PlanDemand, entry: Json) -> None:
    sheet = layout.sheets["Workloads"]
    rate, call = layout.rates.models[plan.model], _inputs(entry)
    sheet.put(row, 0, entry["workload"])
    sheet.put(row, 1, plan.name, "input")
    sheet.put(row, 2, entry["requests_per_minute"], "input", "number")
    average = entry["average_requests_per_minute"]
    if entry["average_requests_per_minute_exact"] == entry["requests_per_minute_exact"]:
        sheet.formula(row, 3, sheet.at(row, 2, fixed=False, elsewhere=False), average, "input", "number")
    else:
        sheet.put(row, 3, average, "input", "number")
    for column, key in enumerate(("input", "output", "cached", "written", "image_input", "image_output"), start=4):
        sheet.put(row, column, call[key], "input", _SHOWN[column])
    parts = parts_of(entry, rate)
    number = layout.demand_rows[plan.name] - FIRST + 1
    _exact_row(layout, row, entry["workload"], (number, layout.rates.number(plan.model)), parts, average)
    x = {title: f"Exact!{_letters(index)}{row + 1}" for index, title in enumerate(KEYS)}
    w = {title: f"{_letters(index)}{row + 1}" for index, title in enumerate(COLUMNS)}
    demand = layout.sheets["Demand"]
    models = demand.area(FIRST, 2, FIRST + len(layout.live) - 1)
    sheet.formula(row, 10, f'IF({x["deployment"]}=0,"",INDEX({models},{x["deployment"]}))', plan.model, "aside")
    ok = f'{w["check"]}=""'
    sheet.formula(row, 11, f'IF({ok},{x["call"]}/10^7,"")', entry["weight_per_call"], "", "number")
    sheet.formula(row, 12, f'IF({ok},{x["whole"]}+{x["rest"]}/10^10,"")', entry["weighted_tpm"], "", "number")
    sheet.formula(row, 13, _check(w, x, row), "")


COLUMNS = (
    "name",
    "deployment",
    "rpm",
    "average",
    "input",
    "output",
    "cached",
    "written",
    "image_input",
    "image_output",
    "model",
    "per_call",
    "tpm",
    "check",
)
"""The columns of `Workloads`, as formulas call them here."""

KEYS = (
    "name",
    "deployment",
    "model",
    *(f"tokens {each.value}" for each in CLASSES),
    *(f"weight {each.value}" for each in CLASSES),
    "call",
    "call_whole",
    "call_rest",
    "rate",
    "rate_whole",
    "rate_rest",
    "product",
    "product_b",
    "product_c",
    "product_e",
    "whole",
    "rest",
    "average",
)


def _letters(column: int) -> str:
    from xlsxwriter.utility import xl_col_to_name

    return str(xl_col_to_name(column))


def _check(w: Mapping[str, str], x: Mapping[str, str], row: int) -> str:
    """Why a row cannot be sized here; "" where it can. Equality is safe: a sheet compares 15 digits."""
    tokens = f"Exact!{_letters(3)}{row + 1}:{_letters(8)}{row + 1}"
    whole = ",".join(f"ROUND({w[key]},0)<>{w[key]}" for key in ("input", "output", "image_input", "image_output"))
    shares = ",".join(f"ROUND({w['input']}*{w[key]},4)<>{w['input']}*{w[key]}" for key in ("cached", "written"))
    numbers = ",".join(w[key] for key in COLUMNS[2:10])
    below = f"MIN({w['average']}:{w['image_output']})<0"
    limit, long = (f"N(INDEX({name},{x['model']}))" for name in ("Model_prompt_limit", "Model_long_context"))
    unpublished = f"SUMPRODUCT(({tokens}>0)*(1-ISNUMBER(INDEX(Model_weights,{x['model']},0))))>0"
    rules = [
        (f"COUNT({numbers})<8", "a number is missing"),
        (f"{x['deployment']}=0", "no such deployment"),
        (f"{x['model']}=0", "its model is not in the list"),
        (f"OR({w['rpm']}<=0,{w['rpm']}>=10^7,{below},{w['cached']}+{w['written']}>1)", "a number is out of range"),
        (f"OR(ROUND({w['rpm']},3)<>{w['rpm']},{whole},{shares})", "more decimals than are counted here: ask ptucalc"),
        (f"AND({limit}>0,{w['input']}>{limit})", "PTU of this model refuse so long a prompt"),
        (f"AND({long}>0,{w['input']}>{long})", "long context: ask ptucalc"),
        (unpublished, "the weight of some of its tokens is not published"),
        (f"{x['call']}>=10^14", "larger than what is counted here: ask ptucalc"),
    ]
    formula = '""'
    for condition, message in reversed(rules):
        formula = f'IF({condition},"{message}",{formula})'
    return formula


def _exact_row(
    layout: Layout, row: int, name: str, numbers: tuple[int, int], parts: CallParts, average: int | float
) -> None:
    sheet, n = layout.sheets["Exact"], row + 1
    c = {key: f"{_letters(index)}{n}" for index, key in enumerate(KEYS)}
    w = {key: f"Workloads!{_letters(index)}{n}" for index, key in enumerate(COLUMNS)}
    demand, live = layout.sheets["Demand"], FIRST + len(layout.live) - 1
    names, own, models = (demand.area(FIRST, column, live) for column in (0, 1, 3))
    cached, written = (f"ROUND(N({w['input']})*N({w[key]})*10^4,0)" for key in ("cached", "written"))
    formulas: list[tuple[str, int | float]] = [
        (f"SUMPRODUCT(EXACT({names},{w['deployment']})*{own})", numbers[0]),
        (f"IF({c['deployment']}=0,0,INDEX({models},{c['deployment']}))", numbers[1]),
    ]
    counts = (
        f"ROUND(N({w['input']})*10^4,0)-{c['tokens cached_input']}-{c['tokens cache_write']}",
        cached,
        written,
        *(f"ROUND(N({w[key]})*10^4,0)" for key in ("output", "image_input", "image_output")),
    )
    formulas += list(zip(counts, parts.tokens, strict=True))
    for index, weight in enumerate(parts.weights, start=1):
        known = f"N(INDEX(Model_weights,{c['model']},{index}))"
        formulas.append((f"IF({c['model']}=0,0,ROUND({known}*10^3,0))", weight))
    b, e = c["product_b"], c["product_c"]
    formulas += [
        (f"SUMPRODUCT({_letters(3)}{n}:{_letters(8)}{n},{_letters(9)}{n}:{_letters(14)}{n})", parts.per_call),
        (f"ROUND({c['call']}/10^7,0)", parts.call_whole),
        (f"{c['call']}-{c['call_whole']}*10^7", parts.call_rest),
        (f"ROUND(N({w['rpm']})*10^3,0)", parts.rate),
        (f"ROUND({c['rate']}/10^3,0)", parts.rate_whole),
        (f"{c['rate']}-{c['rate_whole']}*10^3", parts.rate_rest),
        (f"{c['rate_whole']}*{c['call_whole']}", parts.products[0]),
        (f"{c['rate_rest']}*{c['call_whole']}", parts.products[1]),
        (f"{c['rate_whole']}*{c['call_rest']}", parts.products[2]),
        (f"{c['rate_rest']}*{c['call_rest']}", parts.products[3]),
        (f"{c['product']}+ROUND({b}/10^3,0)+ROUND({e}/10^7,0)", parts.whole),
        (f"({b}-ROUND({b}/10^3,0)*10^3)*10^7+({e}-ROUND({e}/10^7,0)*10^7)*10^3+{c['product_e']}", parts.rest),
        (f"N({w['average']})", average),
    ]
    sheet.put(row, 0, name)
    for column, (formula, cached_value) in enumerate(formulas, start=1):
        sheet.formula(row, column, formula, cached_value, "", "number" if column == len(KEYS) - 1 else "whole")


def _validate(layout: Layout, last: int) -> None:
    """What the yellow cells take."""
    raw = layout.sheets["Workloads"].raw
    raw.data_validation(FIRST, 1, last, 1, {"validate": "list", "source": "=Deployments"})
    decimals = {"validate": "decimal", "criteria": ">=", "value": 0, "error_title": "Not a rate"}
    raw.data_validation(FIRST, 2, last, 3, {**decimals, "error_message": "Requests per minute: 0 or more."})
    whole = {"validate": "integer", "criteria": ">=", "value": 0, "error_title": "Not tokens"}
    raw.data_validation(FIRST, 4, last, 5, {**whole, "error_message": "Tokens of one call: a whole number, 0 or more."})
    share = {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 1, "error_title": "Not a share"}
    raw.data_validation(FIRST, 6, last, 7, {**share, "error_message": "A share of the input tokens: 0% to 100%."})
    raw.data_validation(FIRST, 8, last, 9, {**whole, "error_message": "Tokens of one call: a whole number, 0 or more."})


def parts_of(entry: Json, rate: Json) -> CallParts:
    """The integers of a workload at the rates of its model."""
    tokens = {each["token_class"]: Fraction(each["tokens_exact"]) for each in entry["tokens_per_call"]}
    weights = [Fraction(str(rate["weights"].get(each.value) or 0)) for each in CLASSES]
    counts = [tokens.get(each.value, Fraction(0)) for each in CLASSES]
    return call_parts(Fraction(entry["requests_per_minute_exact"]), counts, weights)
