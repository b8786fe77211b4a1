"""A cost comparison as blocks: one deployment in full, or a portfolio in one table, with totals and reservations."""

from __future__ import annotations

from collections.abc import Iterator

from ptucalc.cost_result import CostComparison, Total
from ptucalc.deployment_cost import PAYG, Hybrid, Option
from ptucalc.prices import PtuTerm
from ptucalc.report.blocks import Block, Cell, Column, Remark, Table, amount_text
from ptucalc.report.currency import Currency
from ptucalc.report.deployment_cost_blocks import against, deployment_cost_blocks, is_payg, monthly_text
from ptucalc.reservations import Reservation

__all__ = ["cost_blocks"]


def cost_blocks(
    result: CostComparison, *, currency: Currency | None = None, verbose: bool = False, quiet: bool = False
) -> Iterator[Block]:
    """The report. One deployment is shown in full, on its cheapest type (all of them with `verbose`)."""
    money = currency or Currency()
    names = list(dict.fromkeys(d.name for d in result.deployments))
    if len(result.deployments) > 1:
        yield _portfolio(result, money)
    shown = [result.cheapest_deployment] if len(names) == 1 else []
    if verbose:
        shown = list(result.deployments)
    for deployment in shown:
        yield from deployment_cost_blocks(deployment, money, verbose=verbose, quiet=quiet)
    if quiet:
        return
    yield from _unsure(result)
    yield from _summary(result, money, single=len(names) == 1)
    yield from _sources(result, money)


def _way(way: Option | Hybrid) -> str:
    """A way to buy in few words, with its PTU."""
    if not way.ptu:
        return "pay-as-you-go"
    if isinstance(way, Hybrid) and way.spillover_monthly_usd:
        return f"{way.ptu:,} + spillover, {way.term.value}"
    return f"all {way.ptu:,}, {way.term.value if isinstance(way, Hybrid) else way.term}"


def _portfolio(result: CostComparison, money: Currency) -> Table:
    terms = [term for term in PtuTerm if any(o.term == term for o in result.deployments[0].options)]
    table = Table(
        [
            Column("Deployment", folds=True),
            Column("Type"),
            Column("Pay-as-you-go", right=True),
            Column("Peak PTU", right=True, optional=True),
            *(Column(f"All {term.value}", right=True, optional=True) for term in terms),
            Column("Cheapest"),
            Column("A month", right=True),
            Column("vs PAYG", right=True, optional=True),
        ]
    )
    for d in result.deployments:
        best = d.cheapest
        unsure = " ?" if d.available is None else ""
        table.rows.append(
            [
                Cell(d.name),
                Cell(d.deployment_type.label + unsure),
                Cell(monthly_text(d.option(PAYG), money), "" if d.payg_monthly_usd is not None else "warn"),
                Cell(f"{d.peak_ptu:,}"),
                *(Cell(money.text(d.option(term).monthly_usd), "dim") for term in terms),
                Cell(f"{_way(best)}{'' if d.all_known else ' ?'}" if best else "unknown"),
                Cell(monthly_text(best, money) if best else "unknown", "bold"),
                Cell(against(best.vs_payg) if best and not is_payg(best) else "—"),
            ]
        )
    return table


def _unsure(result: CostComparison) -> Iterator[Remark]:
    """What the question marks mean."""
    for d in result.deployments:
        if d.available is None:
            yield Remark("Unsure", f"{d.name} {d.deployment_type.label}: {d.available_reason}.", "warn")
    if any(d.cheapest and not d.all_known for d in result.deployments):
        yield Remark("Unsure", "? marks the cheapest of the ways whose price is known: of others it is not.", "warn")


def _summary(result: CostComparison, money: Currency, *, single: bool) -> Iterator[Remark]:
    """For each choice of the open deployments' type what all costs, and what to reserve then."""
    still_open = any(not d.type_given for d in result.deployments)
    for total in result.choices:
        if single and total.deployment_type is not result.cheapest_deployment.deployment_type:
            continue
        if not single:
            which = f"with every open deployment {total.deployment_type.label}: " if still_open else ""
            yield Remark("Total", which + _total(total, money), "")
        bought = [r for r in result.reservations if r.open_as is (total.deployment_type if still_open else None)]
        for kind, region in dict.fromkeys((each.deployment_type, each.region) for each in bought):
            offers = [each for each in bought if (each.deployment_type, each.region) == (kind, region)]
            where = f" in {region}" if region else ""
            text = f"{kind.label}{where}: {', or '.join(_reserved(each, money, single=single) for each in offers)}."
            if not single:
                text += " It covers any model of the type."
            if offers[0].not_counted:
                text += f" Not counted, for no mix is known: {', '.join(offers[0].not_counted)}."
            yield Remark("Reserve", text, "")


def _total(total: Total, money: Currency) -> str:
    payg = money.text(total.payg_usd)
    if total.unpriced:
        payg = f"unknown for {', '.join(total.unpriced[:6])}{' and more' if len(total.unpriced) > 6 else ''}"
    text = f"pay-as-you-go {payg}"
    full = [f"{term} {money.text(usd)}" for term, usd in total.full_usd.items() if usd is not None]
    text += f"; PTU for every peak {', '.join(full)}" if full else ""
    if total.cheapest_usd is not None:
        sure = "" if total.certain else " known"
        text += f"; each in its cheapest{sure} way {money.text(total.cheapest_usd)} a month"
    return text + "."


def _reserved(each: Reservation, money: Currency, *, single: bool) -> str:
    names = [f"{name} {count:,}" for name, count in each.ptu_by_deployment]
    whose = f" ({', '.join(names[:6])}{f' and {len(names) - 6:,} more' if len(names) > 6 else ''})"
    if each.term is PtuTerm.ONE_YEAR:
        paid = f"{money.text(each.term_usd)} for 1 year ({money.text(each.monthly_usd)} a month)"
    else:
        paid = f"{money.text(each.term_usd)} for 1 month"
    return f"{each.ptu:,} PTU{'' if single else whose} at {paid}"


def _sources(result: CostComparison, money: Currency) -> Iterator[Remark]:
    off = f"; {amount_text(result.discount * 100, 3)}% off PTU prices" if result.discount else ""
    shown = "" if money.code == "USD" else f"; shown in {money.code} at {amount_text(money.per_usd, 6)} per USD"
    regions = ", ".join(dict.fromkeys(d.price_region for d in result.deployments))
    read = ", ".join(f"{source.checked} ({source.name})" for source in result.price_sources)
    yield Remark(
        "Prices",
        f"{' + '.join(result.price_editions)}, USD without tax, {regions}; read on {read}{off}{shown}. "
        "`ptucalc prices show` lists them.",
    )
    yield Remark("Rates", f"{' + '.join(result.catalog_editions)}, as of {result.catalog_as_of}.")
    for note in result.notes:
        yield Remark("Note", note.message, "warn")
