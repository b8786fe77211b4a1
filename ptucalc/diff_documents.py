"""The shape of the JSON that `ptucalc diff` writes, as types."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from ptucalc.documents import Kind, Number

__all__ = ["DiffDocument"]

What = Literal["added", "removed", "renamed", "changed"]


class FieldEntry(TypedDict):
    """A value that differs; null where there was, or is, none."""

    field: str
    old: Number | str | None
    new: Number | str | None


class WorkloadChangeEntry(TypedDict):
    """What became of a workload."""

    change: What
    name: str
    old_name: str | None
    new_name: str | None
    model: str
    changes: list[FieldEntry]


class SideEntry(TypedDict):
    """A deployment on one side; `reason` says why its PTU or its cost is null, or what the cost is for, if not `ptu`."""

    name: str
    model: str
    deployment_type: Kind | None
    region: str | None
    workloads: list[str]
    ptu: int | None
    monthly_usd: Number | None
    reason: str | None


class DeploymentChangeEntry(TypedDict):
    """A deployment that moved in size, price or place; null on the side that does not have it."""

    change: Literal["added", "removed", "changed"]
    name: str
    old: SideEntry | None
    new: SideEntry | None
    ptu_change: int | None
    monthly_usd_change: Number | None


class ModelChangeEntry(TypedDict):
    """A model whose published numbers differ between two catalogs."""

    change: Literal["added", "removed", "changed"]
    model: str
    changes: list[FieldEntry]


class DiffTotals(TypedDict):
    """PTU and dollars a month of all deployments; null where one is not known."""

    old_ptu: int | None
    new_ptu: int | None
    old_ptu_by_type: dict[str, int | None]
    new_ptu_by_type: dict[str, int | None]
    old_monthly_usd: Number | None
    new_monthly_usd: Number | None


class DiffDocument(TypedDict):
    schema: Literal["ptucalc.diff/1"]
    version: str
    kind: Literal["plans", "results", "catalogs"]
    old: str
    new: str
    plan: str | None
    changed: bool
    basis: str | None
    settings: list[FieldEntry]
    workloads: list[WorkloadChangeEntry]
    deployments: list[DeploymentChangeEntry]
    models: list[ModelChangeEntry]
    totals: DiffTotals


"""What `ptucalc diff -o json` writes."""
