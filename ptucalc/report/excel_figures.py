"""The figures of one deployment on one type, on the sheet `Plan`: as formulas where they recalculate, else as values."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from ptucalc.money import usd, usd_number
from ptucalc.prices import MILLION, MINUTES_PER_MONTH
from ptucalc.report.excel_exact import PlanDemand
from ptucalc.report.excel_layout import Layout
from ptucalc.report.excel_rates import TERM_NAMES
from ptucalc.report.excel_sheet import Sheet, Value

__all__ = ["BUY", "DEPLOYMENT", "MODEL", "PAYG", "REGION", "Figures", "PlanRow"]

Json = Mapping[str, Any]

DEPLOYMENT, MODEL, REGION, TPM, PER_PTU, RAW, NEED, MINIMUM, INCREMENT, BUY, USED, PAYG = range(12)
"""Columns of the sheet `Plan`; after pay-as-you-go come the terms."""

UNKNOWN, NOT_OFFERED, NOT_SOLD = "unknown", "not offered", "sizes not known"


class PlanRow(NamedTuple):
    """One deployment on one type, with what the report has of it."""

    deployment: Json
    size: Json
    cost: Json | None
    plan: PlanDemand | None
    rate: Json | None
    price_row: int
    payg_row: int


class Figures:
    """The figures of a row, as formulas or as values."""

    def __init__(self, layout: Layout, each: PlanRow, row: int) -> None:
        self.layout, self.each, self.row = layout, each, row
        self.sheet: Sheet = layout.sheets["Plan"]
        self.remarks: list[str] = []
        self.live = each.plan is not None and not each.plan.reason
        self.role = "" if self.live else "fixed"

    def cell(self, column: int) -> str:
        """A cell of this row."""
        return self.sheet.at(self.row, column, fixed=False, elsewhere=False)

    def values(self) -> None:
        """The sizes as ptucalc has them."""
        size = self.each.size
        self.role = "fixed"
        tpm = self.each.plan.members[0]["tpm_per_ptu"] if self.each.plan and self.each.plan.members else None
        shown: list[tuple[int, Value, str]] = [
            (TPM, self.each.deployment["weighted_tpm"], "number"),
            (PER_PTU, tpm, "whole"),
            (RAW, size["raw_ptu"], "tenth"),
            (NEED, size["need_ptu"], "tenth"),
            (MINIMUM, size["minimum"], "whole"),
            (INCREMENT, size["increment"], "whole"),
            (BUY, _bought(size), "whole"),
            (USED, size["utilization"], "share"),
        ]
        for column, value, how in shown:
            self.sheet.put(self.row, column, value, self.role, how)

    def formulas(self) -> None:
        """The sizes as formulas over the sheets `Demand` and `Prices`."""
        each, sheet, row, role = self.each, self.sheet, self.row, self.role
        demand, at = self.layout.sheets["Demand"], self.layout.demand_row(each.deployment["name"])
        assert at is not None and each.plan is not None and each.rate is not None
        ok, need = f"{demand.at(at, 19)}=1", demand.at(at, 11)
        size = each.size
        tpm, per_ptu = self.cell(TPM), self.cell(PER_PTU)
        sheet.formula(
            row,
            TPM,
            f'IF({ok},{demand.at(at, 7)}+{demand.at(at, 8)}/10^10,"")',
            each.deployment["weighted_tpm"],
            role,
            "number",
        )
        sheet.formula(row, PER_PTU, demand.at(at, 4), each.rate["tpm_per_ptu"], role, "whole")
        sheet.formula(row, RAW, f'IF({ok},{tpm}/{per_ptu},"")', size["raw_ptu"], role, "tenth")
        sheet.formula(row, NEED, f'IF({ok},{tpm}*(1+Headroom)/{per_ptu},"")', size["need_ptu"], role, "tenth")
        price = self.price_row(each.price_row)
        for column, name, value in (
            (MINIMUM, "Price_minimum", size["minimum"]),
            (INCREMENT, "Price_increment", size["increment"]),
        ):
            found = f"INDEX({name},{price})"
            sheet.formula(row, column, f'IF(AND({ok},ISNUMBER({found})),{found},"")', value, role, "whole")
        minimum, increment = self.cell(MINIMUM), self.cell(INCREMENT)
        step = f"({per_ptu}*{increment}*10^3)"
        steps = f"ROUND({need}/{step},0)"
        size_ = f"MAX({minimum},{increment}*({steps}+IF({need}>{steps}*{step},1,0)))"
        sold = f'IF(COUNT({minimum}:{increment})<2,"{NOT_SOLD}",{size_})'
        formula = f'IF(NOT({ok}),"see right",IF(INDEX(Price_offered,{price})="no","{NOT_OFFERED}",{sold}))'
        sheet.formula(row, BUY, formula, _bought(size), "strong" if self.live else role, "whole")
        buy = self.cell(BUY)
        sheet.formula(row, USED, f'IF(ISNUMBER({buy}),{tpm}/({buy}*{per_ptu}),"")', size["utilization"], role, "share")

    def price_row(self, place: int) -> str:
        """The row of the model's prices at a place, on the sheet `Prices`."""
        at = self.layout.demand_row(self.each.deployment["name"])
        assert at is not None
        number = self.layout.sheets["Demand"].at(at, 3)
        return f"(({number}-1)*{len(self.layout.rates.places)}+{place})"

    def costs(self, *, live: bool) -> list[Value]:
        """Pay-as-you-go and PTU by term; formulas where they give what ptucalc has. Returns what is shown."""
        cost, terms = self.each.cost, self.layout.terms
        if cost is None:
            for offset in range(1 + len(terms)):
                self.sheet.put(self.row, PAYG + offset, None, self.role)
            return [None] * (1 + len(terms))
        found: list[Value] = [self._payg(cost, live=live and self.live)]
        options = {option["term"]: option for option in cost["options"]}
        return found + [
            self._term(offset, term, options.get(term), cost, live=live) for offset, term in enumerate(terms, start=1)
        ]

    def _payg(self, cost: Json, *, live: bool) -> Value:
        shown: Value = UNKNOWN if cost["payg_monthly_usd"] is None else cost["payg_monthly_usd"]
        payg = self.layout.rates.places[self.each.payg_row - 1] if self.each.payg_row else None
        rate = self.layout.rates.rows.get((self.each.deployment["model"], *payg)) if payg else None
        if (
            live
            and rate is not None
            and self.each.plan is not None
            and _payg(self.each.plan, rate) == cost["payg_monthly_usd"]
        ):
            demand, at = self.layout.sheets["Demand"], self.layout.demand_row(self.each.deployment["name"])
            assert at is not None
            tokens = demand.area(at, 12, at, 17)
            price = f"INDEX(Price_tokens_usd,{self.price_row(self.each.payg_row)},0)"
            unknown = f"SUMPRODUCT(({tokens}>0)*(1-ISNUMBER({price})))>0"
            amount = f"ROUND(SUMPRODUCT({tokens},{price})/10^6,2)"
            formula = f'IF({demand.at(at, 19)}=1,IF({unknown},"{UNKNOWN}",{amount}),"")'
            self.sheet.formula(self.row, PAYG, formula, shown, self.role, "usd")
        else:
            if live:
                self.remarks.append("pay-as-you-go is a value: it is not at the prices of the list")
            self.sheet.put(self.row, PAYG, shown, "fixed", "usd")
        return shown

    def _term(self, offset: int, term: str, option: Json | None, cost: Json, *, live: bool) -> Value:
        column = PAYG + offset
        if option is None:
            self.sheet.put(self.row, column, None, self.role)
            return None
        shown: Value = UNKNOWN if option["monthly_usd"] is None else option["monthly_usd"]
        price = self.each.rate and self.each.rate["usd_per_ptu_month"].get(term)
        ptu = self.each.size["ptu"]
        same = ptu == option["ptu"] and option["monthly_usd"] == (
            None if price is None else _dollars(Fraction(str(price)) * ptu)
        )
        if live and same:
            found = f"INDEX({TERM_NAMES[term]},{self.price_row(self.each.price_row)})"
            buy = self.cell(BUY)
            formula = f'IF(ISNUMBER({buy}),IF(ISNUMBER({found}),ROUND({buy}*{found},2),"{UNKNOWN}"),"")'
            self.sheet.formula(self.row, column, formula, shown, self.role, "usd")
        else:
            if ptu != option["ptu"]:
                remark = f"costs are values: they cover the busiest minute ({option['ptu']:,} PTU)"
                self.remarks = [*self.remarks, *([] if remark in self.remarks else [remark])]
            self.sheet.put(self.row, column, shown, "fixed", "usd")
        return shown


def _bought(size: Json) -> Value:
    if size["ptu"] is not None:
        return size["ptu"]  # type: ignore[no-any-return]
    return NOT_OFFERED if size["available"] is False else NOT_SOLD


def _dollars(amount: Fraction) -> int | float | None:
    return usd_number(usd(amount))


def _payg(plan: PlanDemand, rate: Json) -> int | float | None:
    """What the formula for pay-as-you-go gives; None where a price is not known."""
    total = Fraction(0)
    usd_per_1m = rate["usd_per_1m"] or {}
    for entry in plan.members:
        average = Fraction(entry["average_requests_per_minute_exact"])
        for each in entry["tokens_per_call"]:
            price = usd_per_1m.get(each["token_class"])
            if price is None:
                return None
            total += average * Fraction(each["tokens_exact"]) * Fraction(str(price))
    return _dollars(total * MINUTES_PER_MONTH / MILLION)
