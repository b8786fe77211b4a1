"""The file of Standard (pay-as-you-go) limits, read strictly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from ptucalc.catalog import DeploymentType, Source, Unknown
from ptucalc.errors import BadCatalog, BadInput
from ptucalc.read.catalog import bundled
from ptucalc.read.files import read_text
from ptucalc.standard_tiers import CapacityUnit, StandardLimit, StandardLimits, UnitRow

__all__ = ["BUNDLED_STANDARD_LIMITS", "build_standard_limits", "load_standard_limits", "read_standard_limits_data"]

BUNDLED_STANDARD_LIMITS = "data/standard_limits.yaml"

SECONDS = {"rpm": 60, "requests_per_10s": 10}
"""Over how long each way to print a limit of calls counts them."""


@lru_cache(maxsize=1)
def load_standard_limits() -> StandardLimits:
    """The bundled limits.

    >>> load_standard_limits().capacity_unit("o1", DeploymentType.GLOBAL)
    CapacityUnit(rpm=1, tpm=6000, source='capacity-units')
    """
    return build_standard_limits(
        bundled(BUNDLED_STANDARD_LIMITS, "compiled_standard_limits", read_standard_limits_data)
    )


def read_standard_limits_data(path: Path) -> dict[str, Any]:
    """A file of limits as complete plain data. Raises BadCatalog with every problem, each with its line."""
    from ptucalc.read.checked import checked
    from ptucalc.read.standard_limits_file import StandardLimitsFile
    from ptucalc.read.yaml_text import read_yaml

    try:
        tree = read_yaml(read_text(path), path.name)
        entry = checked(tree, StandardLimitsFile, "a Standard limit").model_dump(by_alias=True, mode="python")
    except BadInput as error:
        raise BadCatalog(error.problems) from None
    for tier in entry["tiers"]:  # keys as text, so that the data can be written out as literals
        tier["models"] = {
            model: {str(kind): limit for kind, limit in kinds.items()} for model, kinds in tier["models"].items()
        }
    return entry


def build_standard_limits(data: Mapping[str, Any]) -> StandardLimits:
    """The limits that complete plain data describes."""
    units = data["capacity_units"]
    return StandardLimits(
        edition=data["edition"],
        as_of=date.fromisoformat(data["as_of"]),
        sources={
            name: Source(name, about["title"], about["where"], about["published"], date.fromisoformat(about["checked"]))
            for name, about in data["sources"].items()
        },
        units=tuple(_unit(row, units["source"]) for row in units["rows"]),
        limits=tuple(limit for tier in data["tiers"] for limit in _limits(tier)),
        tokens_per_month=dict(data["usage_tiers"]["tokens_per_month"]),
        not_collected=tuple(data["not_collected"]),
    )


def _unit(row: Mapping[str, Any], source: str) -> UnitRow:
    unknown = row["unknown"]
    unit = CapacityUnit(row["rpm"], row["tpm"], source) if unknown is None else Unknown(unknown)
    return UnitRow(tuple(row["models"] or ()), tuple(row["versions"] or ()), row["group"] or "", unit)


def _limits(tier: Mapping[str, Any]) -> Iterator[StandardLimit]:
    for model, kinds in tier["models"].items():
        for kind, row in kinds.items():
            printed = next(each for each in SECONDS if row[each] is not None)
            yield StandardLimit(
                model=model,
                deployment_type=DeploymentType(kind),
                tier=tier["tier"],
                tier_name=tier["name"],
                calls=row[printed],
                per_seconds=SECONDS[printed],
                tpm=Unknown(row["tpm"]["unknown"]) if isinstance(row["tpm"], dict) else row["tpm"],
                source=tier["source"],
                remark=tier["remark"] or "",
            )
