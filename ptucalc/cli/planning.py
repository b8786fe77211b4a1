"""A file of workloads as what it buys: sized on one type each and priced on one term. For `check` and `diff`."""

from __future__ import annotations

from typing import NamedTuple

from ptucalc.api import deployment_types_of
from ptucalc.catalog import Catalog, DeploymentType
from ptucalc.cli.cost_runs import Money
from ptucalc.cli.sizing_runs import check_file, make_sizer, sized_file
from ptucalc.cli.view import View
from ptucalc.cost import compare
from ptucalc.cost_notes import unmatched_prices
from ptucalc.cost_result import CostComparison
from ptucalc.errors import BadInput, Problem
from ptucalc.hand_over import Spillover
from ptucalc.limit_checks import USUAL_TERM, strange_regions
from ptucalc.plan_limits import PlanLimits
from ptucalc.prices import PtuTerm
from ptucalc.purchase import Purchase, purchases
from ptucalc.resolving import Resolver
from ptucalc.sizing_result import SizingResult

__all__ = ["PlanFlags", "Planned", "basis", "planned"]


class PlanFlags(NamedTuple):
    """The flags that say how plans are sized and priced, as text. `term` None: as the plan's limits say, or the usual."""

    sku: str = "global"
    region: str | None = None
    catalogs: tuple[str, ...] = ()
    prices: tuple[str, ...] = ()
    discount: str | None = None
    term: str | None = None

    def checked(self) -> tuple[DeploymentType, PtuTerm | None, Money, list[Problem]]:
        """The type of open deployments, the term, prices, and what is wrong with the flags."""
        problems: list[Problem] = []
        kind, term = DeploymentType.GLOBAL, None
        try:
            kinds = deployment_types_of(self.sku.split(","))
            kind = kinds[0]
            if len(kinds) != 1:
                expected = "one of global, data-zone or regional: what deployments of no type are taken for"
                problems.append(Problem("sku", self.sku, expected))
        except BadInput as error:
            problems.extend(error.problems)
        if self.term is not None:
            try:
                term = PtuTerm(self.term.strip().casefold())
            except ValueError:
                problems.append(Problem("term", self.term, f"one of {', '.join(PtuTerm)}"))
        money = Money.of(prices=self.prices, discount=self.discount, payg_type=None, term="all", currency=None)
        return kind, term, money, [*problems, *money.problems]


class Planned(NamedTuple):
    """A file of workloads, sized and priced. `open_as` is None where every deployment has a type of its own."""

    name: str
    lines: list[str]
    sized: SizingResult
    costs: CostComparison
    bought: tuple[Purchase, ...]
    limits: PlanLimits | None
    term: PtuTerm
    open_as: DeploymentType | None
    catalog: Catalog
    spillover: Spillover | None = None


def planned(file: str, flags: PlanFlags, view: View, *, term: PtuTerm | None = None) -> Planned:
    """Read, size and price a file of workloads. `term` is for a plan that names none. Raises BadInput with all that is wrong."""
    from ptucalc.batch import FileSizing
    from ptucalc.read.workloads import WorkloadFile

    kind, asked_term, money, problems = flags.checked()
    with WorkloadFile.open(file) as rows:
        sizer, more = make_sizer(sku=kind.value, headroom=rows.headroom, catalogs=flags.catalogs, plan=rows.name)
        sizing = FileSizing(rows, sizer, region=flags.region)
        if rows.limits is not None:
            more += strange_regions(rows.limits, Resolver(sizer.resolver.catalog))
        check_file(sizing, view._replace(shape="table"), [*problems, *more], skip_bad=False)
        sized = sized_file(sizing, view)
        limits, lines, name, spillover = rows.limits, rows.lines, rows.name, rows.spillover
    chosen = asked_term or (limits.term if limits else None) or term or USUAL_TERM
    catalog = sizer.resolver.catalog
    costs = compare(
        sized,
        money.prices,
        largest_ptu=catalog.largest_deployment_ptu,
        discount=money.discount,
        terms=(chosen,),
        what_ifs=False,
        notes=unmatched_prices(money.prices, catalog),
    )
    bought = purchases(sized, costs, chosen)
    open_as = kind if any(not each.type_given for each in bought) else None
    return Planned(name, lines, sized, costs, bought, limits, chosen, open_as, catalog, spillover)


def basis(costs: CostComparison, term: PtuTerm) -> str:
    """What amounts are, in words: 1-year, list prices."""
    own = " + ".join(costs.price_editions[1:])
    off = f", {float(costs.discount * 100):g}% off" if costs.discount else ""
    return f"{term.value}, {f'prices of {own}' if own else 'list prices'}{off}"
