"""What an emulator counted, in the JSON of Azure Monitor's metrics API, so that what reads Azure's reads it too.

Names, units and dimensions are those of Microsoft's supported-metrics page for Microsoft.CognitiveServices/accounts; bins
are of one minute (PT1M).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from ptucalc.bucket_kernel import MINUTE_US
from ptucalc.gateway import Gateway
from ptucalc.rehearsal import KEPT_MINUTES, MinuteTotals, Place, Rehearsal
from ptucalc.results import utc_minute

__all__ = ["GATEWAY_NAMESPACE", "NAMESPACE", "gateway_document", "monitor_document"]

NAMESPACE = "Microsoft.CognitiveServices/accounts"
GATEWAY_NAMESPACE = "Microsoft.ApiManagement/service"
"""Where Azure has the metrics of a gateway: its calls are not those of a deployment."""


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

GATEWAY_REQUESTS = Metric("Requests", "Requests", "Count", "total")
GATEWAY_DURATION = Metric("Duration", "Overall Duration of Gateway Requests", "MilliSeconds", "average")
BACKEND_DURATION = Metric("BackendDuration", "Duration of Backend Requests", "MilliSeconds", "average")


def monitor_document(rehearsal: Rehearsal, *, from_us: int, now_us: int) -> dict[str, Any]:
    """The minutes from the first up to this moment, by deployment. Times are microseconds since 1970."""
    first, last = from_us // MINUTE_US, now_us // MINUTE_US
    first = max(first, last - KEPT_MINUTES)
    for place in rehearsal.places.values():
        if place.bucket is not None:
            place.bucket.utilization(now_us)
    minutes = range(first, last + 1)
    listed = list(rehearsal.places.values())
    span = (from_us, now_us)
    others = (PROMPT, GENERATED, TOTAL, ACTIVE, MATCH_RATE, FIRST_BYTE, LAST_BYTE)
    full = [_series(place, UTILIZATION, minutes, span) for place in _with(UTILIZATION, listed)]
    metrics = [
        _metric(metric, [_series(place, metric, minutes, span) for place in _with(metric, listed)]) for metric in others
    ]
    requests = _metric(REQUESTS, [each for place in listed for each in _requests(place, minutes)])
    return _document(NAMESPACE, minutes, [requests, *metrics[:5], _metric(UTILIZATION, full), *metrics[5:]])


def gateway_document(gateway: Gateway, *, from_us: int, now_us: int) -> dict[str, Any]:
    """The gateway's own view of the same minutes: calls by the answer of the client and of the last backend, and times.

    Names are those of Microsoft's supported-metrics page for Microsoft.ApiManagement/service.
    """
    first, last = from_us // MINUTE_US, now_us // MINUTE_US
    minutes = range(max(first, last - KEPT_MINUTES), last + 1)
    known = [gateway.minutes.get(minute) for minute in minutes]
    series = []
    for key in sorted({key for totals in known if totals is not None for key in totals.requests}):
        status, of_backend = key
        counts = [0 if totals is None else totals.requests.get(key, 0) for totals in known]
        dimensions = {"GatewayResponseCode": str(status), "BackendResponseCode": str(of_backend or "")}
        points = [{"timeStamp": _stamp(minute), "total": count} for minute, count in zip(minutes, counts, strict=True)]
        series.append({"metadatavalues": _named(dimensions), "data": points})
    value = [_metric(GATEWAY_REQUESTS, series, GATEWAY_NAMESPACE)]
    for metric in (GATEWAY_DURATION, BACKEND_DURATION):
        points = []
        for minute, totals in zip(minutes, known, strict=True):
            point: dict[str, Any] = {"timeStamp": _stamp(minute)}
            if totals is not None:
                time_us = totals.whole_us if metric is GATEWAY_DURATION else totals.backend_us
                point["average"] = float(round(Fraction(time_us, 1000 * sum(totals.requests.values())), 3))
            points.append(point)
        value.append(_metric(metric, [{"metadatavalues": [], "data": points}], GATEWAY_NAMESPACE))
    return _document(GATEWAY_NAMESPACE, minutes, value)


def _document(namespace: str, minutes: range, value: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "cost": 0,
        "timespan": f"{_stamp(minutes.start)}/{_stamp(minutes.stop)}",
        "interval": "PT1M",
        "value": value,
        "namespace": namespace,
        "resourceregion": "emulated",
    }


def _with(metric: Metric, places: list[Place]) -> list[Place]:
    """The deployments that have a metric: some are of provisioned ones alone."""
    return [place for place in places if place.bucket is not None or metric not in (ACTIVE, MATCH_RATE, UTILIZATION)]


def _metric(metric: Metric, series: list[dict[str, Any]], namespace: str = NAMESPACE) -> dict[str, Any]:
    return {
        "id": f"/emulated/providers/{namespace}/providers/Microsoft.Insights/metrics/{metric.name}",
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


def _series(place: Place, metric: Metric, minutes: range, span: tuple[int, int]) -> dict[str, Any]:
    points = []
    for minute in minutes:
        value = _value(place, metric, place.minutes.get(minute), minute, span)
        point: dict[str, Any] = {"timeStamp": _stamp(minute)}
        if value is not None:  # a minute without a value has no key, as in Azure's answers
            point[metric.aggregation] = value if isinstance(value, int) else float(value)
        points.append(point)
    return {"metadatavalues": _dimensions(place, {}), "data": points}


def _value(
    place: Place, metric: Metric, totals: MinuteTotals | None, minute: int, span: tuple[int, int]
) -> int | Fraction | None:
    if metric is UTILIZATION:
        assert place.bucket is not None
        return round(100 * place.bucket.minute_utilization(minute, *span), 2)
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
    return _named({"ModelDeploymentName": place.name, "ModelName": place.deployment.model.name, **more})


def _named(known: dict[str, str]) -> list[dict[str, Any]]:
    return [{"name": {"value": name.lower(), "localizedValue": name}, "value": value} for name, value in known.items()]


def _stamp(minute: int) -> str:
    return f"{utc_minute(minute)[:-1]}:00Z"
