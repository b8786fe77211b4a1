"""What another number of PTU would cost, size by size: the points of `hybrid`'s curve, none of them interpolated.

monthly cost of P PTU = P x price of a PTU-month + pay-as-you-go price of the demand above P's capacity
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from ptucalc.catalog import DeploymentType, Unknown
from ptucalc.deployment_cost import DeploymentCost
from ptucalc.deployment_load import DeploymentLoad, Stream
from ptucalc.hybrid import CostCurve
from ptucalc.money import usd, usd_number
from ptucalc.prices import PtuTerm
from ptucalc.pricing import Asked, Pricing
from ptucalc.results import SizedDeployment, json_number
from ptucalc.rounding import Grid
from ptucalc.simulated_runs import SweepPoint
from ptucalc.sizing_result import SizingResult

if TYPE_CHECKING:
    from ptucalc.cost_result import CostComparison
    from ptucalc.prices import PriceBook

__all__ = ["MOST_ROWS", "MOST_SIZES", "WhatIfSizes", "what_if_sizes"]

MOST_SIZES = 400
"""About so many sizes of one deployment on one type are shown; of more legal ones evenly spread ones are."""

MOST_ROWS = 6000
"""About so many sizes are shown in all, so that a report of many deployments stays small."""

FEWEST_SIZES = 20


class WhatIfSizes(NamedTuple):
    """One deployment on one type, at every size of `sizes`.

    `spilled` has what spills at each size, in exact dollars a month, and `over` the share of the time in which demand is
    over it; both Unknown where that is not known.
    """

    cost: DeploymentCost
    sizes: tuple[int, ...]
    every_legal_size: bool
    per_ptu: Mapping[PtuTerm, Fraction | Unknown]
    spilled: tuple[Fraction, ...] | Unknown
    over: tuple[Fraction, ...] | Unknown

    def to_dict(self, points: Mapping[int, SweepPoint] | None = None) -> dict[str, Any]:
        """The sizes as JSON data; `points` are those of a simulation of the same calls."""
        cost, spilled = self.cost, self.spilled
        return {
            "deployment": cost.name,
            "model": cost.model,
            "deployment_type": cost.deployment_type.value,
            "peak_ptu": cost.peak_ptu,
            "every_legal_size": self.every_legal_size,
            "payg_monthly_usd": usd_number(cost.payg_monthly_usd),
            "usd_per_ptu_month": {term.value: _number(price) for term, price in self.per_ptu.items()},
            "cheapest": {term.value: mix.ptu if (mix := cost.hybrid.get(term)) else None for term in self.per_ptu},
            "reason": spilled.reason if isinstance(spilled, Unknown) else None,
            "rows": [self._row(index, points or {}) for index in range(len(self.sizes))],
        }

    def _row(self, index: int, points: Mapping[int, SweepPoint]) -> dict[str, Any]:
        ptu, spilled = self.sizes[index], _at(self.spilled, index)
        fixed = {term: None if isinstance(price, Unknown) else price * ptu for term, price in self.per_ptu.items()}
        point = points.get(ptu)
        return {
            "ptu": ptu,
            "fixed_monthly_usd": {term.value: _dollars(amount) for term, amount in fixed.items()},
            "spillover_monthly_usd": _dollars(spilled),
            "monthly_usd": {
                term.value: None if amount is None or spilled is None else _dollars(amount + spilled)
                for term, amount in fixed.items()
            },
            "share_of_time_over": _number(_at(self.over, index)),
            "throttled_share": None if point is None else json_number(point.throttled_share),
            "throttled_minutes": None if point is None else point.throttled_minutes,
        }


def _at(values: Sequence[Fraction] | Unknown, index: int) -> Fraction | None:
    return None if isinstance(values, Unknown) else values[index]


def _number(value: Fraction | Unknown | None) -> int | float | None:
    return None if value is None or isinstance(value, Unknown) else json_number(value)


def _dollars(amount: Fraction | None) -> int | float | None:
    return None if amount is None else usd_number(usd(amount))


def what_if_sizes(
    sized: SizingResult,
    compared: CostComparison,
    prices: PriceBook,
    *,
    payg_type: DeploymentType | None = None,
    terms: Sequence[PtuTerm] = tuple(PtuTerm),
    largest_ptu: int,
) -> Iterator[WhatIfSizes]:
    """Every deployment and type of a comparison of costs, at its sizes from 0 to the one that covers the peak.

    `sized`, `prices`, `payg_type` and `terms` are those that the comparison was made with.
    """
    streams: dict[str, list[Stream]] = {}
    for workload, name in zip(sized.workloads, sized.deployment_of, strict=True):
        streams.setdefault(name, []).append(Stream.of(workload))
    deployments = {deployment.name: deployment.at_maximum for deployment in sized.deployments}
    asked = Asked(prices, 1 - compared.discount, payg_type, sized.headroom, largest_ptu, tuple(terms), False)
    most = max(FEWEST_SIZES, min(MOST_SIZES, MOST_ROWS // max(1, len(compared.deployments))))
    loads: dict[str, DeploymentLoad] = {}
    for cost in compared.deployments:
        if cost.name not in loads:
            loads = {cost.name: DeploymentLoad(streams[cost.name])}  # one at a time: logs are large
        yield _of_deployment(deployments[cost.name], cost, loads[cost.name], asked, most)


def _of_deployment(
    deployment: SizedDeployment, cost: DeploymentCost, load: DeploymentLoad, asked: Asked, most: int
) -> WhatIfSizes:
    size = deployment.sizes[cost.deployment_type.value]
    grid, tpm = size.offer.grid, size.tpm_per_ptu
    assert grid is not None
    legal = (0, *grid.up_to(cost.peak_ptu))
    chosen = [mix.ptu for mix in cost.hybrid.values() if mix is not None]
    step = Grid(1, 1).round_up(len(legal), most)
    sizes = tuple(sorted({*legal[::step], cost.peak_ptu, *legal[:2], *chosen}))
    pricing = Pricing(deployment, cost.deployment_type, load, asked)
    spilled: tuple[Fraction, ...] | Unknown
    over: tuple[Fraction, ...] | Unknown
    if load.average_only:
        spilled = over = Unknown("only the average of the load is known, not how it varies over the time")
    else:
        over = _shares_over(load, [ptu * tpm for ptu in sizes])
        spilled = pricing.usd_per_call if isinstance(pricing.usd_per_call, Unknown) else ()
    if not load.average_only and not isinstance(pricing.usd_per_call, Unknown):
        curve = CostCurve(load.overflow(pricing.usd_per_call), tpm, grid, cost.peak_ptu, Fraction(0))
        spilled = tuple(curve.point(ptu).spilled for ptu in sizes)
    return WhatIfSizes(
        cost=cost,
        sizes=sizes,
        every_legal_size=len(sizes) == len(legal),
        per_ptu={term: pricing.ptu_month(term) for term in asked.terms},
        spilled=spilled,
        over=over,
    )


def _shares_over(load: DeploymentLoad, capacities: Sequence[int]) -> tuple[Fraction, ...]:
    """The share of the time in which demand is over each capacity, in weighted tokens per minute."""
    timeline = load.timeline
    totals, unit = timeline.totals(load.weights)
    ranked = sorted(zip(totals, timeline.shares, strict=True))
    weighted = [total for total, _ in ranked]
    left = list(accumulate((share for _, share in reversed(ranked)), initial=0))[::-1]
    return tuple(Fraction(left[bisect_right(weighted, each * unit)], timeline.whole) for each in capacities)
