"""The limits that a plan sets itself, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from ptucalc.catalog import DeploymentType
from ptucalc.prices import PtuTerm

__all__ = ["Limit", "LimitName", "PlanLimits"]


class LimitName(StrEnum):
    """The limits there are, by their keys in a plan."""

    QUOTA = "quota_ptu"
    BUDGET = "monthly_budget_usd"
    RATE_429 = "max_429_rate"
    CATALOG_AGE = "max_catalog_age_days"
    MIN_UTILIZATION = "min_utilization"
    MAX_UTILIZATION = "max_utilization"
    REGIONS = "allowed_regions"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One limit and where it stands. `value` is PTU, US dollars, a share, days, or the regions that are allowed.

    `deployment_type` and `region` are those of a quota.
    """

    name: LimitName
    value: Fraction | tuple[str, ...]
    deployment_type: DeploymentType | None = None
    region: str | None = None
    source: str = ""
    line: int | None = None
    column: int | None = None

    @property
    def scope(self) -> str:
        """Type and region of a quota: global, eastus2."""
        return f"{self.deployment_type}, {self.region}" if self.deployment_type else ""


@dataclass(frozen=True, kw_only=True)
class PlanLimits:
    """The limits of a plan, in its order, and the term that its budget is for (None: not said)."""

    limits: tuple[Limit, ...]
    term: PtuTerm | None = None

    def named(self, name: LimitName) -> tuple[Limit, ...]:
        """The limits of that name: several for quota, else at most one."""
        return tuple(limit for limit in self.limits if limit.name is name)
