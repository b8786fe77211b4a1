"""The shape of the JSON that `ptucalc logs` writes, as types; its JSON Schema in ptucalc/data/schemas is made from them."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from ptucalc.documents import Kind, NoteEntry, Number, ProblemEntry, SizeEntry

__all__ = ["LogsDocument"]


class FindingEntry(TypedDict):
    """Something in the log that a reader of the numbers must know; the notes say it in words."""

    code: str
    rows: int
    detail: str


class LogSourceEntry(TypedDict):
    """How the log was understood. `skipped` counts rows by reason; `first` and `last` are ISO 8601, or seconds from the
    start where the clock is relative; `columns` says where each value was read."""

    format: str
    formats: list[str]
    files: list[str]
    rows: int
    rows_used: int
    skipped: dict[str, int]
    first: str | Number
    last: str | Number
    relative_clock: bool
    time_zone: str
    cached_known: bool
    columns: dict[str, str]
    grain: str
    bucket_seconds: int | None
    step_seconds: Number | None
    ids: str | None
    verified: bool
    findings: list[FindingEntry]


class OverEntry(TypedDict):
    """How many minutes, and what share of them, exceed what a size serves."""

    ptu: int
    minutes: int
    share: Number


class BusiestDayEntry(TypedDict):
    """The day with the highest minute: peaks of its 96 quarter-hours; `date` is null where the clock is relative."""

    label: str
    date: str | None
    peak_ptu: Number
    quarter_hours_ptu: list[Number | None]


class DemandEntry(TypedDict):
    """Demand and sizes of one deployment and model (or of one model, or of the whole log).

    `weighted_tpm` has mean, p50, p90, p95, p99, p99_9, max and the percentile asked for, sliding_60s_max, burst_10s_max
    and burst_1s_max (null where the log cannot show them, windows_reason says why). `sizes_at` and `per_minute` have the
    same percentiles. `hour_of_week_ptu` are 168 peaks of raw PTU from Monday 00:00 UTC. Not sized: `reason` says why.
    """

    name: str
    deployment: str | None
    deployments: list[str]
    model: str | None
    model_version: str | None
    region: str | None
    reason: str | None
    near: list[str]
    requests: Number | None
    throttled_requests: Number
    unservable_requests: Number
    unservable_input_tokens: Number
    unservable_output_tokens: Number
    minutes: int
    mean_rpm: Number | None
    peak_rpm: Number | None
    mean_input_tokens: Number | None
    mean_output_tokens: Number | None
    cache_ratio: Number | None
    cache_write_ratio: Number | None
    weight_per_call: Number | None
    weighted_tpm: dict[str, Number | str | None] | None
    percentile: str
    sizes_at: dict[str, list[SizeEntry]]
    share_of_minutes_over: dict[Kind, list[OverEntry]]
    hour_of_week_ptu: list[Number | None] | None
    busiest_day: BusiestDayEntry | None
    per_minute: dict[str, dict[str, Number]]
    notes: list[NoteEntry]


class SharedSizeEntry(TypedDict):
    """Several deployments each for itself, and one that serves them all; null where a size is not known."""

    deployment_type: Kind
    apart_ptu: int | None
    together_ptu: int | None
    saved_ptu: int | None


class ModelSharingEntry(TypedDict):
    """Deployments of one model in one pool, at the percentile asked for."""

    model: str
    deployments: list[str]
    apart_weighted_tpm: Number
    together_weighted_tpm: Number
    sizes: list[SharedSizeEntry]


class QuotaSharingEntry(TypedDict):
    """One quota for all models: peaks apart and together, in raw PTU without headroom."""

    groups: list[str]
    apart_raw_ptu: Number
    together_raw_ptu: Number
    saved_raw_ptu: Number


class SharingEntry(TypedDict):
    """What deployments of one log save by sharing."""

    models: list[ModelSharingEntry]
    quota: QuotaSharingEntry | None


class LogsDocument(TypedDict):
    schema: Literal["ptucalc.logs/1"]
    version: str
    catalog_as_of: str
    catalog: list[str]
    oldest_check: str
    source: LogSourceEntry
    by: Literal["deployment", "model", "none"]
    percentile: str
    headroom: Number
    by_deployment: list[DemandEntry]
    sharing: SharingEntry
    notes: list[NoteEntry]
    problems: list[ProblemEntry]


"""What `ptucalc logs -o json` writes."""
