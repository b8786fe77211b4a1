"""A deployment's utilization as the emulator tells it: in the JSON of Azure Monitor's metrics, clock minute by minute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

__all__ = ["UTILIZATION", "utilization_of", "whole_minutes"]

UTILIZATION = "AzureOpenAIProvisionedManagedUtilizationV2"
"""The metric's name in Azure Monitor: percent of the PTU deployed, the mean of a minute."""

_MINUTE = "%Y-%m-%dT%H:%M:00Z"
_DEPLOYMENT = "ModelDeploymentName"


def whole_minutes(since: datetime, until: datetime) -> tuple[str, str]:
    """The first clock minute that lies wholly in a time, and the first after it that does not, as documents write them.

    >>> whole_minutes(datetime(2026, 11, 22, 12, 57, 1), datetime(2026, 11, 22, 13, 0, 59))
    ('2026-11-22T12:58:00Z', '2026-11-22T13:00:00Z')
    """
    first = since.replace(second=0, microsecond=0)
    if first < since:
        first += timedelta(minutes=1)
    return first.strftime(_MINUTE), until.strftime(_MINUTE)


def utilization_of(document: Any, deployment: str, *, since: str, before: str) -> list[Fraction]:
    """Utilization of a deployment in each clock minute of a time, as shares (1 is 100 %); none where there is none.

    `since` and `before` are minutes as the document writes them: 2026-11-22T12:58:00Z.
    """
    return [
        Fraction(repr(point["average"])) / 100
        for metric in _listed(document, "value")
        if _named(metric.get("name"), UTILIZATION)
        for series in _listed(metric, "timeseries")
        if any(_is(dimension, deployment) for dimension in _listed(series, "metadatavalues"))
        for point in _listed(series, "data")
        if since <= str(point.get("timeStamp", "")) < before and _is_number(point.get("average"))
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
