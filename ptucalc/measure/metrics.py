"""A deployment's utilization as the emulator tells it: in the JSON of Azure Monitor's metrics, clock minute by minute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

__all__ = ["UTILIZATION", "utilization_of"]

UTILIZATION = "AzureOpenAIProvisionedManagedUtilizationV2"
"""The metric's name in Azure Monitor: percent of the PTU deployed, the mean of a minute."""

_DEPLOYMENT = "ModelDeploymentName"


def utilization_of(document: Any, deployment: str, *, since: str) -> list[Fraction]:
    """Utilization of a deployment in each clock minute from `since` on, as shares (1 is 100 %); none where there is none.

    `since` is a minute as the document writes it: 2026-11-22T12:58:00Z.
    """
    return [
        Fraction(repr(point["average"])) / 100
        for metric in _listed(document, "value")
        if _named(metric.get("name"), UTILIZATION)
        for series in _listed(metric, "timeseries")
        if any(_is(dimension, deployment) for dimension in _listed(series, "metadatavalues"))
        for point in _listed(series, "data")
        if str(point.get("timeStamp", "")) >= since and _is_number(point.get("average"))
    ]


def _listed(entry: Any, key: str) -> Iterator[Mapping[str, Any]]:
    found = entry.get(key) if isinstance(entry, Mapping) else None
    return (each for each in (found if isinstance(found, list) else ()) if isinstance(each, Mapping))


def _named(name: Any, wanted: str) -> bool:
    return isinstance(name, Mapping) and str(name.get("value", "")).casefold() == wanted.casefold()


def _is(dimension: Mapping[str, Any], deployment: str) -> bool:
    return _named(dimension.get("name"), _DEPLOYMENT) and dimension.get("value") == deployment


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1_000_000
