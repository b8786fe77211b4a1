"""Reservations cover deployed PTU by deployment type, not by model: what one covers, and how many to reserve.

Source of the rules: Microsoft's pages on provisioned throughput billing and reservations (matched by the hour; unused
units are lost, what exceeds the reservation is billed by the hour; a Global reservation covers every region).
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from ptucalc.catalog import DeploymentType
from ptucalc.money import usd_number
from ptucalc.prices import PtuTerm
from ptucalc.results import json_number

__all__ = ["Coverage", "Reservation", "coverage"]


class Coverage(NamedTuple):
    """What a reservation does in an hour, in PTU: covered, billed by the hour beside it, and reserved but unused."""

    covered: Fraction
    billed_hourly: Fraction
    unused: Fraction


def coverage(reserved: int, deployed: int, *, minutes: int = 60) -> Coverage:
    """What a reservation covers in an hour in which so many PTU of its type are deployed for so many minutes.

    A deployment counts by the minute: 100 PTU for 15 minutes are 25 PTU-hours.

    >>> coverage(200, 250)
    Coverage(covered=Fraction(200, 1), billed_hourly=Fraction(50, 1), unused=Fraction(0, 1))
    >>> coverage(0, 100, minutes=15).billed_hourly
    Fraction(25, 1)
    """
    if reserved < 0 or deployed < 0 or not 0 <= minutes <= 60:
        raise ValueError("reserved and deployed are 0 PTU or more, minutes 0 to 60")
    counted = Fraction(deployed * minutes, 60)
    covered = min(Fraction(reserved), counted)
    return Coverage(covered, counted - covered, reserved - covered)


class Reservation(NamedTuple):
    """What to reserve for the deployments of one type (and region, but for Global) on one term.

    Every deployment runs the size of its cheapest mix on the term all the time; a reservation is priced per PTU and
    covers any model of the type, so the cheapest pool is the sum of the cheapest sizes. `ptu_by_deployment` says whose,
    `not_counted` which deployments had no known price. `region` is None for Global: it covers all regions. It is part of
    what to buy with every deployment whose type is open being `open_as` (None: none is open).
    """

    open_as: DeploymentType | None

    deployment_type: DeploymentType
    region: str | None
    term: PtuTerm
    ptu: int
    ptu_by_deployment: tuple[tuple[str, int], ...]
    not_counted: tuple[str, ...]
    usd_per_ptu: Fraction
    term_usd: Decimal
    monthly_usd: Decimal

    def to_dict(self) -> dict[str, Any]:
        """The reservation as JSON data."""
        return {
            "open_deployments_as": self.open_as.value if self.open_as else None,
            "deployment_type": self.deployment_type.value,
            "region": self.region,
            "term": self.term.value,
            "ptu": self.ptu,
            "deployments": [{"name": name, "ptu": ptu} for name, ptu in self.ptu_by_deployment],
            "not_counted": list(self.not_counted),
            "usd_per_ptu": json_number(self.usd_per_ptu),
            "term_usd": usd_number(self.term_usd),
            "monthly_usd": usd_number(self.monthly_usd),
        }
