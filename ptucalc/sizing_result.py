"""The answer to a sizing: workloads, deployments, totals, notes; as values, JSON data, flat rows, an HTML table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ptucalc.catalog import DeploymentType
from ptucalc.errors import PtucalcError
from ptucalc.results import Note, Size, SizedDeployment, SizedWorkload, Sizes, json_number

if TYPE_CHECKING:
    from ptucalc.documents import SizeDocument

__all__ = ["SizingResult"]

SCHEMA: Final = "ptucalc.size/1"


def _ptu_words(size: Size | None) -> str:
    if size is None:
        return ""
    if size.ptu is None:
        return "not offered" if size.available is False else "unknown"
    return f"{size.ptu:,} PTU"


class SizingResult(NamedTuple):
    """Sizes of workloads and of the deployments that carry them, with totals and notes.

    `totals` is PTU per deployment type, summed over the deployments that may be of that type; None where one of them is
    not offered there or the type was not asked for.
    """

    version: str
    catalog_as_of: date
    catalog_editions: tuple[str, ...]
    oldest_check: date
    headroom: Fraction
    workloads: tuple[SizedWorkload, ...]
    deployments: tuple[SizedDeployment, ...]
    deployment_of: tuple[str, ...]
    totals: Mapping[str, int | None]
    notes: tuple[Note, ...]

    @property
    def sizes(self) -> Sizes:
        """The sizes by deployment type ("global" works as a key), when there is one workload."""
        if len(self.workloads) != 1:
            raise PtucalcError(f"`sizes` is for one workload, this result has {len(self.workloads)}: see `deployments`")
        return self.workloads[0].sizes

    @property
    def members(self) -> Mapping[str, Sequence[SizedWorkload]]:
        """The workloads of each deployment, by its name."""
        members: dict[str, list[SizedWorkload]] = {deployment.name: [] for deployment in self.deployments}
        for workload, name in zip(self.workloads, self.deployment_of, strict=True):
            members[name].append(workload)
        return members

    @property
    def unanswered(self) -> tuple[SizedDeployment, ...]:
        """Deployments that have no size on any of the types asked for."""
        return tuple(d for d in self.deployments if all(size.ptu is None for size in d.sizes.values()))

    @property
    def own_type_totals(self) -> Mapping[str, int]:
        """PTU per deployment type of the deployments whose type is fixed by their workloads."""
        totals: dict[str, int] = {}
        for deployment in self.deployments:
            if deployment.deployment_type is not None:
                kind = deployment.deployment_type.value
                totals[kind] = totals.get(kind, 0) + (deployment.sizes[kind].ptu or 0)
        return totals

    @property
    def purchases(self) -> Mapping[str, Mapping[str, int]]:
        """What to buy in all, per deployment type, for each type that the deployments without one may be given.

        Only types that were asked for and on which all of those are offered. Empty where every deployment has its own
        type, or none has.
        """
        own = self.own_type_totals
        still_open = [deployment for deployment in self.deployments if deployment.deployment_type is None]
        if not own or not still_open:
            return {}
        asked = set.intersection(*(set(deployment.sizes) for deployment in still_open))
        return {
            kind: {**own, kind: total} for kind, total in self.totals.items() if total is not None and kind in asked
        }

    def to_dict(self) -> SizeDocument:
        """The result as JSON data (schema ptucalc.size/1)."""
        return {
            "schema": SCHEMA,
            "version": self.version,
            "catalog_as_of": self.catalog_as_of.isoformat(),
            "catalog": list(self.catalog_editions),
            "oldest_check": self.oldest_check.isoformat(),
            "headroom": json_number(self.headroom),
            "workloads": [w.to_dict() for w in self.workloads],  # type: ignore[misc]
            "deployments": [d.to_dict() for d in self.deployments],  # type: ignore[misc]
            "totals": {
                "global": self.totals.get("global"),
                "data-zone": self.totals.get("data-zone"),
                "regional": self.totals.get("regional"),
            },
            "notes": [note.to_dict() for note in self.notes],  # type: ignore[misc]
        }

    def rows(self) -> list[dict[str, Any]]:
        """Flat dicts for a data frame: workloads, then deployments, one row for each deployment type."""
        from ptucalc.flat_rows import ROW_COLUMNS, deployment_rows, workload_rows

        rows: list[tuple[Any, ...]] = []
        for sized, deployment in zip(self.workloads, self.deployment_of, strict=True):
            rows.extend(workload_rows(sized, deployment))
        for pooled in self.deployments:
            rows.extend(deployment_rows(pooled))
        return [dict(zip(ROW_COLUMNS, row, strict=True)) for row in rows]

    def _repr_html_(self) -> str:
        """The deployments as an HTML table, escaped, for notebooks."""
        from html import escape

        kinds = list(dict.fromkeys(kind for d in self.deployments for kind in d.sizes))
        head = "".join(
            f"<th>{escape(t)}</th>"
            for t in ("Deployment", "Model", "Weighted TPM", *(DeploymentType(k).label for k in kinds))
        )
        body = ""
        for d in self.deployments:
            cells = [d.name, d.model.name, f"{float(d.weighted_tpm):,.0f}"]
            for kind in kinds:
                size = d.sizes.get(kind)
                cells.append(_ptu_words(size))
            body += "<tr>" + "".join(f"<td>{escape(c)}</td>" for c in cells) + "</tr>"
        notes = "".join(f"<li>{escape(note.message)}</li>" for note in self.notes)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><ul>{notes}</ul>"
