"""What results of logs are made of, as JSON data, and the columns of their flat rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from ptucalc.log_minutes import PERCENTILES, BusiestDay
from ptucalc.request_log import LogSource
from ptucalc.results import Size, json_number, number

__all__ = [
    "ROW_COLUMNS",
    "day_data",
    "key_of",
    "number_or_none",
    "numbers_at",
    "ptu_words",
    "rows_of",
    "size_data",
    "source_data",
]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SIZE_COLUMNS = (
    "deployment_type",
    "sku_name",
    "available",
    "raw_ptu",
    "need_ptu",
    "ptu",
    "utilization",
    "max_requests_per_minute",
)
"""Columns about the size at the percentile that was asked for."""

WEIGHTED_COLUMNS = (
    "mean",
    "p50",
    "p90",
    "p95",
    "p99",
    "p99_9",
    "max",
    "sliding_60s_max",
    "burst_10s_max",
    "burst_1s_max",
)
"""Columns of weighted tokens per minute, after "weighted_tpm_"."""

ROW_COLUMNS = (
    "name",
    "deployment",
    "model",
    "model_version",
    "region",
    "requests",
    "throttled_requests",
    "unservable_requests",
    "minutes",
    "mean_rpm",
    "peak_rpm",
    "mean_input_tokens",
    "mean_output_tokens",
    "cache_ratio",
    "cache_write_ratio",
    "weight_per_call",
    *(f"weighted_tpm_{key}" for key in WEIGHTED_COLUMNS),
    "percentile",
    *SIZE_COLUMNS,
    "share_of_minutes_over",
    "ptu_p50",
    "ptu_p90",
    "ptu_p95",
    "ptu_p99",
    "ptu_p99_9",
    "ptu_max",
    "reason",
)
"""Columns of the flat rows: one row for each entry and deployment type."""


def number_or_none(value: Fraction | None) -> int | float | None:
    """An exact value as a JSON number; null where there is none."""
    return None if value is None else json_number(value)


def key_of(percentile: str) -> str:
    """The name of a percentile as a key: p99_9."""
    return percentile.replace(".", "_")


def numbers_at(at: Mapping[str, Fraction]) -> dict[str, int | float]:
    """Values by percentile as JSON data."""
    return {key_of(name): json_number(value) for name, value in at.items()}


def size_data(size: Size, requests_known: bool) -> dict[str, Any]:
    """A size as JSON data; the rate it serves is not known where calls were not counted."""
    data = size.to_dict()
    return data if requests_known else {**data, "max_requests_per_minute": None}


def day_data(busiest: BusiestDay) -> dict[str, Any]:
    """The busiest day as JSON data."""
    return {
        "label": busiest.label,
        "date": None if busiest.day is None else busiest.day.isoformat(),
        "peak_ptu": json_number(busiest.peak_ptu),
        "quarter_hours_ptu": [number_or_none(each) for each in busiest.quarter_hours],
    }


def ptu_words(size: Size | None) -> str:
    """A size as a table cell."""
    if size is None:
        return ""
    if size.ptu is None:
        return "not offered" if size.available is False else "unknown"
    return f"{size.ptu:,} PTU"


def rows_of(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The flat rows of an entry given as JSON data, by ROW_COLUMNS: one for each deployment type, or one without."""
    common: dict[str, Any] = dict.fromkeys(ROW_COLUMNS)
    common |= {key: entry[key] for key in ROW_COLUMNS if key in entry}
    weighted = entry["weighted_tpm"] or {}
    common |= {f"weighted_tpm_{key}": weighted.get(key) for key in WEIGHTED_COLUMNS}
    if not entry["sizes_at"]:
        return [common]
    at = {key: {size["deployment_type"]: size for size in sizes} for key, sizes in entry["sizes_at"].items()}
    rows = []
    for kind, size in at[entry["percentile"]].items():
        over = {each["ptu"]: each["share"] for each in entry["share_of_minutes_over"][kind]}
        row = common | {key: size[key] for key in SIZE_COLUMNS}
        row |= {f"ptu_{each.key}": at[each.key][kind]["ptu"] for each in PERCENTILES}
        rows.append(row | {"share_of_minutes_over": over.get(size["ptu"]), "reason": size["reason"]})
    return rows


def source_data(source: LogSource) -> dict[str, Any]:
    """How a log was understood, as JSON data. Times are ISO 8601, seconds from the start where the clock is relative."""
    return {
        "format": ", ".join(source.formats),
        "formats": list(source.formats),
        "files": list(source.files),
        "rows": source.rows,
        "rows_used": source.rows_used,
        "skipped": dict(source.skipped),
        "first": _time(source.first, source.relative_clock),
        "last": _time(source.last, source.relative_clock),
        "relative_clock": source.relative_clock,
        "time_zone": source.time_zone,
        "cached_known": source.cached_known,
        "columns": dict(source.columns),
        "grain": source.grain,
        "bucket_seconds": source.bucket_seconds,
        "step_seconds": None if source.step_us is None else number(source.step_us, 1_000_000),
        "ids": source.ids or None,
        "verified": source.verified,
        "findings": [{"code": each.code, "rows": each.rows, "detail": each.detail} for each in source.findings],
    }


def _time(microseconds: int, relative: bool) -> str | int | float:
    if relative:
        return number(microseconds, 1_000_000)
    return (EPOCH + timedelta(microseconds=microseconds)).isoformat().replace("+00:00", "Z")
