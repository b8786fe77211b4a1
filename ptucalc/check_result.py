"""What `ptucalc check` yields: each limit of a plan with what is allowed and what is, and the verdict; as JSON data and rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from ptucalc.catalog import DeploymentType
from ptucalc.money import usd_number
from ptucalc.plan_limits import LimitName
from ptucalc.prices import PtuTerm
from ptucalc.purchase import Purchase
from ptucalc.results import Note, json_number

if TYPE_CHECKING:
    from ptucalc.check_documents import CheckDocument

__all__ = ["ROW_COLUMNS", "Check", "PlanCheck", "Status"]

SCHEMA: Final = "ptucalc.check/1"

Unit: TypeAlias = Literal["ptu", "usd", "share", "days", "text"]
Bound: TypeAlias = Literal["at most", "at least", "one of", "equal"]

ROW_COLUMNS = ("limit", "scope", "status", "unit", "bound", "allowed", "found", "over", "message", "source", "line")


class Status(StrEnum):
    """How a check ended; UNKNOWN: what it is about is not known, which is never a pass."""

    PASS = "pass"  # noqa: S105  # no password
    FAIL = "fail"
    WARN = "warn"
    UNKNOWN = "unknown"


class Check(NamedTuple):
    """One limit and what is: `found` is None where that is not known, and `message` says why.

    `scope` is what of the plan it is about ("global, eastus2", a deployment's name, "" for all of it). A limit that is
    about several deployments has a check for each. `source`, `line` and `column` are where the limit stands.
    """

    limit: str
    scope: str
    status: Status
    unit: Unit
    bound: Bound
    allowed: Fraction | tuple[str, ...] | None
    found: Fraction | str | None
    message: str = ""
    source: str = ""
    line: int | None = None
    column: int | None = None
    deployments: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The limit and its scope: quota_ptu (global, eastus2)."""
        return f"{self.limit} ({self.scope})" if self.scope else self.limit

    @property
    def is_gap(self) -> bool:
        """Whether it says that a limit is lacking, rather than how one stands."""
        return self.allowed is None and self.status is Status.WARN

    @property
    def over(self) -> Fraction | None:
        """By how much a limit is missed, in its unit; None where it is kept, or is no number."""
        if not isinstance(self.allowed, Fraction) or not isinstance(self.found, Fraction):
            return None
        by = self.allowed - self.found if self.bound == "at least" else self.found - self.allowed
        return by if by > 0 and self.bound in ("at least", "at most") else None

    def to_dict(self) -> dict[str, Any]:
        """The check as JSON data."""
        return {
            "limit": self.limit,
            "scope": self.scope,
            "status": self.status.value,
            "unit": self.unit,
            "bound": self.bound,
            "allowed": _data(self.allowed),
            "found": _data(self.found),
            "over": _data(self.over),
            "message": self.message,
            "source": self.source,
            "line": self.line,
            "column": self.column,
            "deployments": list(self.deployments),
        }


def _data(value: Fraction | str | tuple[str, ...] | None) -> Any:
    if isinstance(value, Fraction):
        return json_number(value)
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True, kw_only=True)
class PlanCheck:
    """A plan and its limits.

    `open_as` is the deployment type that deployments without one are taken to be of, None where there are none; `term` is
    what the amounts are for. With `strict` a warning breaks the plan too.
    """

    version: str
    source: str
    catalog_as_of: date
    catalog_editions: tuple[str, ...]
    oldest_check: date
    prices_as_of: date
    price_editions: tuple[str, ...]
    term: PtuTerm
    discount: Fraction
    open_as: DeploymentType | None
    purchases: tuple[Purchase, ...]
    checks: tuple[Check, ...]
    notes: tuple[Note, ...] = ()
    strict: bool = False

    @property
    def verdict(self) -> Status:
        """FAIL where a limit is broken, else UNKNOWN where one cannot be checked, else PASS."""
        found = {check.status for check in self.checks}
        if Status.FAIL in found or (self.strict and Status.WARN in found):
            return Status.FAIL
        return Status.UNKNOWN if Status.UNKNOWN in found else Status.PASS

    def limits_that(self, *statuses: Status) -> int:
        """How many limits have a check that ended so; a limit may have a check for each deployment."""
        return _limits(check for check in self.checks if check.status in statuses)

    @property
    def limits_warned(self) -> int:
        """How many limits are exceeded with a warning; one that is lacking is none."""
        return _limits(check for check in self.checks if check.status is Status.WARN and not check.is_gap)

    @property
    def limits(self) -> int:
        """How many limits there are."""
        return _limits(check for check in self.checks if not check.is_gap)

    def to_dict(self) -> CheckDocument:
        """The result as JSON data (schema ptucalc.check/1)."""
        return {
            "schema": SCHEMA,
            "version": self.version,
            "source": self.source,
            "catalog_as_of": self.catalog_as_of.isoformat(),
            "catalog": list(self.catalog_editions),
            "oldest_check": self.oldest_check.isoformat(),
            "prices_as_of": self.prices_as_of.isoformat(),
            "prices": list(self.price_editions),
            "term": self.term.value,
            "discount": json_number(self.discount),
            "open_deployments_as": None if self.open_as is None else self.open_as.value,
            "strict": self.strict,
            "verdict": self.verdict.value,  # type: ignore[typeddict-item]
            "checks": [check.to_dict() for check in self.checks],  # type: ignore[misc]
            "deployments": [purchase_data(each) for each in self.purchases],  # type: ignore[misc]
            "notes": [note.to_dict() for note in self.notes],  # type: ignore[misc]
        }

    def rows(self) -> list[dict[str, Any]]:
        """Flat dicts for a data frame, one for each check; the allowed regions with commas between them."""
        found = []
        for check in self.checks:
            row = {**check.to_dict()}
            row["allowed"] = ", ".join(check.allowed) if isinstance(check.allowed, tuple) else row["allowed"]
            found.append({column: row[column] for column in ROW_COLUMNS})
        return found


_OF_EVERY_DEPLOYMENT = (LimitName.RATE_429, LimitName.MIN_UTILIZATION, LimitName.MAX_UTILIZATION, LimitName.REGIONS)
"""Limits that stand once in a plan and are about each of its deployments."""


def _limits(checks: Iterable[Check]) -> int:
    return len({(c.limit, "" if c.limit in _OF_EVERY_DEPLOYMENT else c.scope, c.source) for c in checks})


def purchase_data(purchase: Purchase) -> dict[str, Any]:
    """A deployment as JSON data."""
    return {
        "name": purchase.name,
        "model": purchase.model,
        "model_version": purchase.model_version,
        "deployment_type": purchase.deployment_type.value,
        "region": purchase.region,
        "workloads": list(purchase.workloads),
        "ptu": purchase.ptu,
        "utilization": None if purchase.utilization is None else json_number(purchase.utilization),
        "monthly_usd": usd_number(purchase.monthly_usd),
        "monthly_ptu": purchase.monthly_ptu,
        "price_region": purchase.price_region,
        "price_reason": purchase.price_reason or None,
    }
