"""Metrics of Azure Monitor, in its JSON, as table rows and as the portal exports them: points become buckets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from ptucalc.errors import BadInput, Problem
from ptucalc.log_formats import FormatBook
from ptucalc.log_records import time_tag
from ptucalc.read.log_canonical import Canonical, coarse, format_of, seconds_of, step_seconds, value_at
from ptucalc.read.log_pivot import PERCENT, Pivot
from ptucalc.request_log import Finding
from ptucalc.timestamps import layout_of, parse_us

__all__ = ["azure_monitor", "long_metrics", "portal_metrics"]

LIMITS_OF_A_SPLIT = (10, 50)
"""Series that a split keeps unless asked for more: the API's and the portal's default, and the portal's most."""

ASK = "with --interval PT1M"


def azure_monitor(payload: Any, *, book: FormatBook, source: str, output_share: Fraction | None) -> Canonical:
    """Documents of the metrics API (or of az monitor metrics list) as buckets. Raises BadInput.

    A point without the aggregation's key is no data. Requests with status 429 are throttled ones, with another from 400
    on they are counted in a finding; spilled requests are requests.
    """
    documents = payload if isinstance(payload, list) else [payload]
    format = format_of(book, "azure_monitor", documents[:1])
    pivot = Pivot(book, source)
    grains: dict[int, str] = {}
    for document in documents:
        grain = seconds_of(document.get("interval")) or step_seconds(_stamps(document))
        if grain:
            grains.setdefault(grain, str(document.get("interval") or ""))
        for metric in _dicts(document.get("value")):
            _add_metric(pivot, metric)
    problems = [problem for grain, found in grains.items() for problem in coarse(grain, found, source, ASK)]
    if len(grains) > 1:
        problems.append(Problem("interval", ", ".join(grains.values()), "one interval in all documents", source=source))
    records, findings = pivot.finish(output_share, problems)
    return Canonical(records, format, "buckets", findings, next(iter(grains), None))


def _add_metric(pivot: Pivot, metric: Mapping[str, Any]) -> None:
    names = metric.get("name")
    given = [names] if isinstance(names, str) else [*names.values()] if isinstance(names, Mapping) else []
    listed = [name for name in given if isinstance(name, str)]
    measure = next((found for name in listed if (found := pivot.book.measure_of(name))), None)
    name = listed[0] if listed else ""
    series = _dicts(metric.get("timeseries"))
    pivot.saw(name, len(series))
    if measure is None:
        return
    error = metric.get("errorCode")
    if error not in (None, "", "Success"):
        pivot.problem(name, str(metric.get("errorMessage") or error), "a metric that was answered")
    if len(series) in LIMITS_OF_A_SPLIT:
        pivot.findings.append(Finding("top_10_split", len(series), name))
    keys = ("average", "maximum") if measure in PERCENT else ("total",)
    others: Counter[str] = Counter()
    added = 0
    for each in series:
        dimensions = _dimensions(each)
        for point in _dicts(each.get("data")):
            found = next((point[key] for key in keys if point.get(key) is not None), None)
            if found is None:
                others.update(key for key, value in point.items() if key != "timeStamp" and value is not None)
                continue
            added += 1
            pivot.add(point.get("timeStamp"), measure, found, name, dimensions)
    if others and not added:
        asked, got = keys[0].title(), ", ".join(sorted(others))
        expected = (
            f"the aggregation {asked}: {got} is of samples, not of a minute; ask again with --aggregation {asked}"
        )
        pivot.problem(name, got, expected)


def _dimensions(series: Mapping[str, Any]) -> dict[str, str]:
    """Names in lower case, as the API returns them whatever was asked for, and values."""
    found = {}
    for each in _dicts(series.get("metadatavalues")):
        name = each.get("name")
        name = name.get("value") if isinstance(name, Mapping) else name
        if isinstance(name, str):
            found[name.casefold()] = str(each.get("value") or "")
    return found


def _stamps(document: Mapping[str, Any]) -> list[Any]:
    """The stamps of the first series that has any."""
    for metric in _dicts(document.get("value")):
        for series in _dicts(metric.get("timeseries")):
            if stamps := [point.get("timeStamp") for point in _dicts(series.get("data"))]:
                return stamps
    return []


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def long_metrics(
    payload: Sequence[Mapping[str, Any]], *, book: FormatBook, source: str, output_share: Fraction | None
) -> Canonical:
    """Rows that each hold one metric's sum of one bin (AzureMetrics, customMetrics) as buckets. Raises BadInput."""
    headings = tuple(dict.fromkeys(heading for row in payload[:50] for heading in row))
    found = book.recognise(payload[:50], headings=headings, given={})
    pivot = Pivot(book, source)
    grains: Counter[str] = Counter()
    accounts: Counter[str] = Counter()

    def of(field: str, row: Mapping[str, Any]) -> Any:
        return value_at(row, found.places.get(field, ()), book.parse_json)

    for row in payload:
        name = str(of("metric", row) or "")
        measure = book.measure_of(name)
        pivot.saw(name, 1)
        value = of("value", row)
        if measure is None or value is None:
            continue
        grains[str(of("grain", row) or "")] += 1
        accounts[str(of("account", row) or "")] += 1
        dimensions = {
            dimension: str(named)
            for dimension, field in (("modeldeploymentname", "deployment"), ("modelname", "model"))
            if (named := of(field, row)) is not None
        }
        stamp = of("timestamp", row)
        pivot.add(stamp, measure, value, name, dimensions)
        calls = of("calls", row)
        if measure == "input_tokens" and calls is not None:
            pivot.add(stamp, "requests", calls, name, dimensions)
    seconds = {text: found.format.bucket_seconds or seconds_of(text) for text in grains}
    problems = [problem for text, length in seconds.items() if length for problem in coarse(length, text, source, ASK)]
    lengths = set(seconds.values()) - {None}
    if len(lengths) > 1:
        problems.append(Problem("interval", ", ".join(seconds), "one time grain in all rows", source=source))
    if len(accounts) > 1:
        pivot.findings.append(Finding("several_accounts", sum(accounts.values()), ", ".join(sorted(accounts))))
    records, findings = pivot.finish(output_share, problems)
    return Canonical(records, found.format, "buckets", findings, next(iter(lengths), None), found.time_tag)


def portal_metrics(
    payload: Sequence[Sequence[str]], *, book: FormatBook, source: str, output_share: Fraction | None
) -> Canonical:
    """The rows of a chart that the portal exported: a header row further down, one column for each metric and series.

    Numbers are totals of a bin, whose length the stamps tell. Raises BadInput.
    """
    found = book.header_row(payload)
    if found is None:
        expected = "a row of headings: Timestamp, and names of metrics"
        raise BadInput([Problem("header", payload[0][0] if payload and payload[0] else "", expected, source=source)])
    at, format = found
    header, split = payload[at], _split(payload[:at])
    pivot = Pivot(book, source)
    columns: list[tuple[int, str, str, dict[str, str]]] = []
    series: Counter[str] = Counter()
    for index, cell in enumerate(header[1:], 1):
        parts = re.search(format.column, cell.strip())
        measure = book.measure_of(parts["metric"]) if parts else None
        pivot.saw(parts["metric"] if parts else cell.strip(), 1)
        if parts is None or measure is None:
            continue
        if parts["agg"] and parts["agg"] != "Sum" and measure not in PERCENT:
            pivot.problem(parts["metric"], parts["agg"], "the aggregation Sum: others are of samples, not of a bin")
        columns.append((index, parts["metric"], measure, {split: parts["dim"].strip()} if parts["dim"] else {}))
        series[parts["metric"]] += bool(parts["dim"])
    for name, count in series.items():
        if count in LIMITS_OF_A_SPLIT:
            pivot.findings.append(Finding("top_10_split", count, name))
    stamps = []
    for row in payload[at + 1 :]:
        if not row or not row[0].strip():
            continue
        if not re.search(r"\d", row[0]):
            continue  # a row of totals below the chart
        stamps.append(row[0].strip())
        for index, name, measure, dimensions in columns:
            if index < len(row) and row[index].strip():
                pivot.add(row[0].strip(), measure, row[index], name, dimensions)
    seconds = step_seconds(stamps)
    ask = "with a time granularity of 1 minute"
    problems = coarse(seconds, "", source, ask) if seconds else []
    if seconds is None:
        expected = "two stamps or more, each with a time of day: they tell how long a bin is"
        problems.append(Problem("timestamp", stamps[0] if stamps else "", expected, source=source))
    records, findings = pivot.finish(output_share, problems)
    _in_iso(records, payload[:at], stamps)
    tag = "UTC" if "(UTC)" in header[0].upper() or time_tag(header[0]) == "UTC" else "local"
    return Canonical(records, format, "buckets", findings, seconds, tag)


def _in_iso(records: Sequence[dict[str, Any]], above: Sequence[Sequence[str]], stamps: Sequence[str]) -> None:
    """Write stamps such as 11/2/2026 in ISO order, where the rows above name the day that the first of them is of."""
    slashed = re.match(r"(\d{1,2})/(\d{1,2})/(\d{4})\b", stamps[0]) if stamps else None
    days = [found for row in above for cell in row if (found := re.match(r"(\d{4})-(\d\d)-(\d\d)\b", cell.strip()))]
    if slashed is None or not days:
        return
    first, second, month, day = int(slashed[1]), int(slashed[2]), int(days[0][2]), int(days[0][3])
    if first == second or {first, second} != {month, day}:
        return
    layout = layout_of(stamps, date_order="mdy" if first == month else "dmy")
    for record in records:
        try:
            seconds = parse_us(str(record["timestamp"]), layout) // 1_000_000
        except ValueError:  # it is counted as unreadable
            continue
        record["timestamp"] = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _split(above: Sequence[Sequence[str]]) -> str:
    """The dimension that a chart is split by, as its title says; by deployment where it does not."""
    for row in above:
        for cell in row:
            if by := re.search(r"\bby ([A-Za-z]+)\s*$", cell.strip()):
                return by[1].casefold()
    return "modeldeploymentname"
