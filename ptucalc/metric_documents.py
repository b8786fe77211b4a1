"""What an emulator counted, in the JSON of Azure Monitor's metrics API, so that what reads Azure's reads it too.

Names, units and dimensions are those of Microsoft's supported-metrics page for Microsoft.CognitiveServices/accounts; bins
are of one minute (PT1M).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from ptucalc.bucket_kernel import MINUTE_US
from ptucalc.rehearsal import MinuteTotals, Place, Rehearsal
from ptucalc.results import utc_minute

__all__ = ["monitor_document"]

NAMESPACE = "Microsoft.CognitiveServices/accounts"


class Metric(NamedTuple):
    """A metric: its names, its unit, and which aggregation its points have."""

    name: str
    title: str
    unit: str
    aggregation: str


REQUESTS = Metric("AzureOpenAIRequests", "Azure OpenAI Requests", "Count", "total")
PROMPT = Metric("ProcessedPromptTokens", "Processed Prompt Tokens", "Count", "total")
GENERATED = Metric("GeneratedTokens", "Generated Completion Tokens", "Count", "total")
TOTAL = Metric("TokenTransaction", "Processed Inference Tokens", "Count", "total")
ACTIVE = Metric("ActiveTokens", "Active Tokens", "Count", "total")
MATCH_RATE = Metric("AzureOpenAIContextTokensCacheMatchRate", "Prompt Token Cache Match Rate", "Percent", "average")
FIRST_BYTE = Metric("AzureOpenAITimeToResponse", "Time to Response", "MilliSeconds", "average")
LAST_BYTE = Metric("AzureOpenAITTLTInMS", "Time to Last Byte", "MilliSeconds", "average")
UTILIZATION = Metric(
    "AzureOpenAIProvisionedManagedUtilizationV2", "Provisioned-managed Utilization V2", "Percent", "average"
)


def monitor_document(rehearsal: Rehearsal, *, from_us: int, now_us: int) -> dict[str, Any]:
    """The minutes from the first up to this moment, by deployment. Times are microseconds since 1970."""
    first, last = from_us // MINUTE_US, now_us // MINUTE_US
    first = max(first, last - 24 * 60)
    for place in rehearsal.places.values():
        if place.bucket is not None:
            place.bucket.utilization(now_us)
    minutes = range(first, last + 1)
    listed = list(rehearsal.places.values())
    return {
        "cost": 0,
        "timespan": f"{_stamp(first)}/{_stamp(last + 1)}",
        "interval": "PT1M",
        "value": [
            _metric(REQUESTS, [each for place in listed for each in _requests(place, minutes)]),
            *(
                _metric(metric, [_series(place, metric, minutes) for place in _with(metric, listed)])
                for metric in (PROMPT, GENERATED, TOTAL, ACTIVE, MATCH_RATE, UTILIZATION, FIRST_BYTE, LAST_BYTE)
            ),
        ],
        "namespace": NAMESPACE,
        "resourceregion": "emulated",
    }


def _with(metric: Metric, places: list[Place]) -> list[Place]:
    """The deployments that have a metric: some are of provisioned ones alone."""
    return [place for place in places if place.bucket is not None or metric not in (ACTIVE, MATCH_RATE, UTILIZATION)]


def _metric(metric: Metric, series: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"/emulated/providers/{NAMESPACE}/providers/Microsoft.Insights/metrics/{metric.name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": metric.name, "localizedValue": metric.title},
        "displayDescription": metric.title,
        "unit": metric.unit,
        "timeseries": series,
        "errorCode": "Success",
    }


def _requests(place: Place, minutes: range) -> Iterator[dict[str, Any]]:
    """A series for each status, and for spilled calls apart."""
    keys = sorted({key for totals in place.minutes.values() for key in totals.requests})
    for status, spilled, streamed in keys:
        more = {
            "StatusCode": str(status),
            "IsSpillover": str(spilled),
            "StreamType": "Streaming" if streamed else "NonStreaming",
        }
        points = []
        for minute in minutes:
            totals = place.minutes.get(minute)
            count = 0 if totals is None else totals.requests.get((status, spilled, streamed), 0)
            points.append({"timeStamp": _stamp(minute), "total": count})
        yield {"metadatavalues": _dimensions(place, more), "data": points}


def _series(place: Place, metric: Metric, minutes: range) -> dict[str, Any]:
    points = []
    for minute in minutes:
        value = _value(place, metric, place.minutes.get(minute), minute)
        point: dict[str, Any] = {"timeStamp": _stamp(minute)}
        if value is not None:  # a minute without a value has no key, as in Azure's answers
            point[metric.aggregation] = value if isinstance(value, int) else float(value)
        points.append(point)
    return {"metadatavalues": _dimensions(place, {}), "data": points}


def _value(place: Place, metric: Metric, totals: MinuteTotals | None, minute: int) -> int | Fraction | None:
    if metric is UTILIZATION:
        assert place.bucket is not None
        return round(100 * place.bucket.minute_utilization(minute), 2)
    if totals is None:
        return 0 if metric.aggregation == "total" else None
    whole = totals.prompt + totals.generated
    sums = {PROMPT: totals.prompt, GENERATED: totals.generated, TOTAL: whole, ACTIVE: whole - totals.cached}
    if metric in sums:
        return sums[metric]
    if metric is MATCH_RATE:
        return round(Fraction(100 * totals.cached, totals.prompt), 2) if totals.prompt else None
    if not totals.served:
        return None
    return round(Fraction(totals.first_us if metric is FIRST_BYTE else totals.last_us, 1000 * totals.served), 3)


def _dimensions(place: Place, more: dict[str, str]) -> list[dict[str, Any]]:
    known = {"ModelDeploymentName": place.name, "ModelName": place.deployment.model.name, **more}
    return [{"name": {"value": name.lower(), "localizedValue": name}, "value": value} for name, value in known.items()]


def _stamp(minute: int) -> str:
    return f"{utc_minute(minute)[:-1]}:00Z"
