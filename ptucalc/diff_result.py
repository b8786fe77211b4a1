"""What `ptucalc diff` yields: two sides and what differs between them; as JSON data and rows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from ptucalc.catalog_diff import ModelChange
from ptucalc.money import usd_number
from ptucalc.plan_diff import Changed, DeploymentChange, Described, FieldChange, Side, SideDeployment, Value
from ptucalc.results import json_number

if TYPE_CHECKING:
    from ptucalc.diff_documents import DiffDocument

__all__ = ["ROW_COLUMNS", "PlanDiff", "Sides"]

SCHEMA: Final = "ptucalc.diff/1"

Sides: TypeAlias = Literal["plans", "results", "catalogs"]

ROW_COLUMNS = (
    "what",
    "change",
    "name",
    "field",
    "old",
    "new",
    "old_ptu",
    "new_ptu",
    "old_monthly_usd",
    "new_monthly_usd",
)


@dataclass(frozen=True, kw_only=True)
class PlanDiff:
    """Two sides of one kind, and what differs.

    Of two catalogs `models` are the numbers that differ, and the sides are a plan sized with each; without a plan both
    sides are empty. `basis` says what the amounts are ("" where there are none).
    """

    version: str
    kind: Sides
    old: Side
    new: Side
    changed: Changed
    models: tuple[ModelChange, ...] = ()
    basis: str = ""
    plan: str = ""

    @property
    def anything(self) -> bool:
        """Whether there is any difference."""
        return self.changed.anything or bool(self.models)

    def to_dict(self) -> DiffDocument:
        """The difference as JSON data (schema ptucalc.diff/1)."""
        return {
            "schema": SCHEMA,
            "version": self.version,
            "kind": self.kind,
            "old": self.old.source,
            "new": self.new.source,
            "plan": self.plan or None,
            "changed": self.anything,
            "basis": self.basis or None,
            "settings": [_change_data(each) for each in self.changed.settings],  # type: ignore[misc]
            "workloads": [
                {
                    "change": each.kind.value,
                    "name": each.name,
                    "old_name": each.old_name,
                    "new_name": each.new_name,
                    "model": each.model,
                    "changes": [_change_data(change) for change in each.changes],  # type: ignore[misc]
                }
                for each in self.changed.workloads
            ],
            "deployments": [_deployment_data(each) for each in self.changed.deployments],  # type: ignore[misc]
            "models": [
                {
                    "change": each.kind.value,  # type: ignore[typeddict-item]
                    "model": each.model,
                    "changes": [_change_data(change) for change in each.changes],  # type: ignore[misc]
                }
                for each in self.models
            ],
            "totals": {
                "old_ptu": self.old.ptu,
                "new_ptu": self.new.ptu,
                "old_ptu_by_type": self.old.ptu_by_type,
                "new_ptu_by_type": self.new.ptu_by_type,
                "old_monthly_usd": usd_number(self.old.monthly_usd),
                "new_monthly_usd": usd_number(self.new.monthly_usd),
            },
        }

    def rows(self) -> list[dict[str, Any]]:
        """Flat dicts for a data frame, one for each value that changed and each deployment that moved."""
        found: list[tuple[Any, ...]] = []
        money: tuple[None, ...] = (None, None, None, None)
        for change in self.changed.settings:
            found.append(("plan", "changed", "", change.field, _data(change.old), _data(change.new), *money))
        for each in self.changed.workloads:
            if not each.changes:
                found.append(("workload", each.kind.value, each.name, None, each.old_name, each.new_name, *money))
            for change in each.changes:
                values = (change.field, _data(change.old), _data(change.new))
                found.append(("workload", each.kind.value, each.name, *values, *money))
        for moved in self.changed.deployments:
            usd = map(usd_number, moved.monthly_usd)
            found.append(("deployment", moved.kind.value, moved.name, None, *moved.places, *moved.ptu, *usd))
        for model in self.models:
            if not model.changes:
                found.append(("model", model.kind.value, model.model, None, None, None, *money))
            for change in model.changes:
                values = (change.field, _data(change.old), _data(change.new))
                found.append(("model", model.kind.value, model.model, *values, *money))
        return [dict(zip(ROW_COLUMNS, row, strict=True)) for row in found]


def _data(value: Value) -> Any:
    if isinstance(value, Described):
        return value.text
    return json_number(value) if isinstance(value, Fraction) else value


def _change_data(change: FieldChange) -> dict[str, Any]:
    return {"field": change.field, "old": _data(change.old), "new": _data(change.new)}


def _deployment_data(change: DeploymentChange) -> dict[str, Any]:
    ptu, money = change.ptu, change.monthly_usd
    return {
        "change": change.kind.value,
        "name": change.name,
        "old": _side_data(change.old),
        "new": _side_data(change.new),
        "ptu_change": None if ptu[0] is None or ptu[1] is None else ptu[1] - ptu[0],
        "monthly_usd_change": usd_number(_less(money[1], money[0])),
    }


def _less(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one - other


def _side_data(side: SideDeployment | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {
        "name": side.name,
        "model": side.model,
        "deployment_type": side.deployment_type,
        "region": side.region,
        "workloads": list(side.workloads),
        "ptu": side.ptu,
        "monthly_usd": usd_number(side.monthly_usd),
        "reason": side.reason or None,
    }
