"""Who pays which part of a shared deployment: shares by weighted tokens, of PTU and of cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from ptucalc.catalog import DeploymentType
from ptucalc.load import average_rate
from ptucalc.money import usd_number
from ptucalc.results import SizedWorkload, json_number
from ptucalc.rounding import apportioned
from ptucalc.sizing_result import SizingResult

if TYPE_CHECKING:
    from ptucalc.cost_result import CostComparison

__all__ = ["Chargeback", "Share", "charge_costs", "charge_sizes"]


class Share(NamedTuple):
    """One workload's part of a deployment.

    `weighted_tpm` are its weighted tokens per minute on average over the month; `share` is exactly those / the sum of all.
    `ptu` and the dollars of `monthly_usd` (by term, None where the price is not known) are whole PTU and cents that sum to
    the deployment's.
    """

    workload: str
    weighted_tpm: Fraction
    share: Fraction
    ptu: int
    monthly_usd: Mapping[str, Decimal | None]

    def to_dict(self) -> dict[str, Any]:
        """The share as JSON data."""
        return {
            "workload": self.workload,
            "weighted_tpm": json_number(self.weighted_tpm),
            "share": json_number(self.share),
            "ptu": self.ptu,
            "monthly_usd": {term: usd_number(amount) for term, amount in self.monthly_usd.items()},
        }


class Chargeback(NamedTuple):
    """How a deployment that several workloads share is divided among them, on one deployment type."""

    deployment: str
    deployment_type: DeploymentType
    ptu: int
    monthly_usd: Mapping[str, Decimal | None]
    shares: tuple[Share, ...]

    def to_dict(self) -> dict[str, Any]:
        """The chargeback as JSON data."""
        return {
            "deployment": self.deployment,
            "deployment_type": self.deployment_type.value,
            "ptu": self.ptu,
            "monthly_usd": {term: usd_number(amount) for term, amount in self.monthly_usd.items()},
            "shares": [share.to_dict() for share in self.shares],
        }


def charge_sizes(result: SizingResult) -> tuple[Chargeback, ...]:
    """The PTU of each deployment that several workloads share, for each type that it has a size on."""
    members = result.members
    return tuple(
        _charged(deployment.name, size.deployment_type, size.ptu, {}, members[deployment.name])
        for deployment in result.deployments
        for size in deployment.sizes.values()
        if size.ptu is not None and len(members[deployment.name]) > 1
    )


def charge_costs(result: SizingResult, comparison: CostComparison) -> tuple[Chargeback, ...]:
    """The PTU for the whole peak, and their cost by term, of each deployment that several workloads share.

    `comparison` is of `result`. Pay-as-you-go needs no such split: there each workload's tokens are billed as they are.
    """
    members = result.members
    return tuple(
        _charged(
            cost.name,
            cost.deployment_type,
            cost.peak_ptu,
            {option.term: option.monthly_usd for option in cost.options if option.ptu},
            members[cost.name],
        )
        for cost in comparison.deployments
        if len(members[cost.name]) > 1
    )


def _charged(
    name: str,
    kind: DeploymentType,
    ptu: int,
    monthly_usd: Mapping[str, Decimal | None],
    members: Sequence[SizedWorkload],
) -> Chargeback:
    weights = [_average_weighted_tpm(workload) for workload in members]
    whole = sum(weights)
    shares = [weight / whole if whole else Fraction(1, len(members)) for weight in weights]
    parts = apportioned(ptu, weights)
    dollars = {term: _cents(amount, weights) for term, amount in monthly_usd.items()}
    return Chargeback(
        name,
        kind,
        ptu,
        monthly_usd,
        tuple(
            Share(workload.name, weight, share, part, {term: each[i] for term, each in dollars.items()})
            for i, (workload, weight, share, part) in enumerate(zip(members, weights, shares, parts, strict=True))
        ),
    )


def _average_weighted_tpm(sized: SizedWorkload) -> Fraction:
    """Weighted tokens of one call x average requests per minute over the month."""
    w = sized.workload
    return sized.weighted_tpm / w.requests_per_minute * average_rate(w)


def _cents(amount: Decimal | None, weights: Sequence[Fraction]) -> list[Decimal | None]:
    if amount is None:
        return [None] * len(weights)
    return [Decimal(part).scaleb(-2) for part in apportioned(int(amount.scaleb(2)), weights)]
