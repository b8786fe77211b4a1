"""What a plan buys: the deployments of its workloads, each on one type, with its PTU and what they cost a month."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from ptucalc.catalog import DeploymentType
from ptucalc.cost_result import CostComparison
from ptucalc.prices import PtuTerm
from ptucalc.sizing_result import SizingResult

__all__ = ["Purchase", "purchases", "total_usd"]


class Purchase(NamedTuple):
    """One deployment as it would be bought.

    `utilization` is weighted TPM in the pooled peak / (PTU x TPM per PTU); `smallest` the fewest PTU sold. `monthly_usd` is what PTU for the peak cost on
    the term, as `ptucalc cost` has it; None where a price is not known, and `price_reason` says which. `monthly_ptu` is the
    PTU it is for: more than `ptu` where a log was sized at a percentile, as money is for its busiest minute.
    """

    name: str
    model: str
    model_version: str | None
    deployment_type: DeploymentType
    type_given: bool
    region: str | None
    workloads: tuple[str, ...]
    ptu: int
    smallest: int | None
    utilization: Fraction | None
    monthly_usd: Decimal | None
    monthly_ptu: int | None
    price_region: str | None
    price_reason: str = ""

    @property
    def place(self) -> str:
        """Type and region in words: global, eastus2."""
        return f"{self.deployment_type.value}, {self.region or 'no region'}"


def purchases(sized: SizingResult, costs: CostComparison, term: PtuTerm) -> tuple[Purchase, ...]:
    """Every deployment of a sizing on one type each, with its cost on that term. Raises ValueError for several types."""
    priced = {(cost.name, cost.deployment_type): cost for cost in costs.deployments}
    found = []
    for deployment in sized.deployments:
        if len(deployment.sizes) != 1:
            raise ValueError(f"{deployment.name} is sized on {len(deployment.sizes)} types: one is bought")
        (size,) = deployment.sizes.values()
        if size.ptu is None:
            raise ValueError(f"{deployment.name} has no size: {size.reason}")
        cost = priced[deployment.name, size.deployment_type]
        option = cost.option(term)
        found.append(
            Purchase(
                name=deployment.name,
                model=deployment.model.name,
                model_version=deployment.model_version,
                deployment_type=size.deployment_type,
                type_given=deployment.deployment_type is not None,
                region=deployment.region,
                workloads=deployment.workloads,
                ptu=size.ptu,
                smallest=size.offer.grid.minimum if size.offer.grid else None,
                utilization=size.utilization,
                monthly_usd=option.monthly_usd,
                monthly_ptu=option.ptu,
                price_region=cost.price_region,
                price_reason=option.reason,
            )
        )
    return tuple(found)


def total_usd(bought: tuple[Purchase, ...]) -> tuple[Decimal, tuple[Purchase, ...]]:
    """Dollars a month of all whose price is known, and those whose price is not."""
    known = sum((each.monthly_usd for each in bought if each.monthly_usd is not None), Decimal(0))
    return known, tuple(each for each in bought if each.monthly_usd is None)
