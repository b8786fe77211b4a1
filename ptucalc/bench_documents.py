"""The shape of the JSON that `ptucalc bench` writes, as types; its JSON Schema in ptucalc/data/schemas is made from them."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from ptucalc.documents import NoteEntry, Number

__all__ = ["BenchDocument"]


class BenchSettingEntry(TypedDict):
    """What was asked for; token counts are the mean call's. The key and the endpoint are in no document."""

    model: str
    model_version: str | None
    wire: Literal["azure", "v1", "responses"]
    api_version: str | None
    stream: bool
    load: Literal["rate", "concurrency", "ramp", "replay", "workloads"]
    calls_from: str
    input_tokens: Number
    shared_tokens: Number
    output_tokens: Number
    requests_per_minute: Number | None
    concurrency: int | None
    duration_seconds: Number
    warm_up_seconds: Number
    policy: Literal["none", "retry"]
    max_retries: int
    max_requests: int
    at_once: int
    timeout_seconds: Number
    seed: int


class BudgetEntry(TypedDict):
    """What may be sent at most; `usd` at pay-as-you-go prices as if nothing were cached, null with a reason."""

    requests: int
    input_tokens: int
    output_tokens: int
    duration_seconds: Number
    usd: Number | None
    usd_reason: str | None
    capped: bool


class SpreadEntry(TypedDict):
    """Statistics of `count` values: mean, percentiles by nearest rank; null without values."""

    count: int
    mean: Number | None
    p50: Number | None
    p95: Number | None
    p99: Number | None
    max: Number | None


class FailureEntry(TypedDict):
    """Calls that failed alike, with the first message."""

    kind: str
    calls: int
    example: str


class PerMinuteEntry(TypedDict):
    """Rates of the calls that were served within the time, whenever they were to start: requests, tokens, weighted tokens (null
    with a reason). Tokens are null where not all are known; those written to the cache also where the service does not tell."""

    requests: Number
    input_tokens: Number | None
    cached_tokens: Number | None
    cache_write_tokens: Number | None
    output_tokens: Number | None
    weighted: Number | None
    weighted_reason: str | None


class MeasuredEntry(TypedDict):
    """Calls that were to start in a time; requests = served + throttled_429 + failed + unfinished.

    `throttled_429` calls ended in a 429, `met_429` met at least one; `responses_429` counts 429s. Times are from when a call
    was to start, of served calls. `start_delay_ms` is how late the client itself was. `served_within_the_time` are the calls
    that `per_minute` is of; `falls_behind` where later calls take longer and longer.
    """

    seconds: Number
    requests: int
    served: int
    throttled_429: int
    failed: int
    unfinished: int
    met_429: int
    met_429_share: Number
    responses_429: int
    retry_after_ms: SpreadEntry
    responses_429_without_retry_after: int
    tries: int
    served_within_the_time: int
    falls_behind: bool
    spilled: int
    errors: list[FailureEntry]
    time_to_first_token_ms: SpreadEntry
    time_between_tokens_ms: SpreadEntry
    end_to_end_ms: SpreadEntry
    start_delay_ms: SpreadEntry
    per_minute: PerMinuteEntry


class StepEntry(TypedDict):
    """A step of a ramp."""

    requests_per_minute: Number
    measured: MeasuredEntry


class OnsetEntry(TypedDict):
    """The rate of the last step of a ramp before its first 429, and of the step that met it; null where there is none."""

    highest_rpm_without_429: Number | None
    first_rpm_with_429: Number | None


class CalibrationEntry(TypedDict):
    """Bounds on what a PTU serves, in weighted tokens per minute; null with a reason.

    `at_least` and `at_most` of the deployment, and for one PTU; what they rest on; the catalog's rate and whether it agrees.
    `use_tpm_per_ptu` is what a catalog overlay says.
    """

    ptu: int
    catalog_tpm_per_ptu: int | None
    verdict: Literal["agrees", "lower", "higher", "open"]
    weighted_tpm_at_least: Number | None
    weighted_tpm_at_most: Number | None
    tpm_per_ptu_at_least: Number | None
    tpm_per_ptu_at_most: Number | None
    reason: str | None
    assumed_window_seconds: Number | None
    seconds: Number | None
    responses_429: int | None
    largest_gap_seconds: Number | None
    slack_ms: Number | None
    largest_estimate: Number | None
    use_tpm_per_ptu: int | None
    use_tpm_per_ptu_reason: str | None


class UtilizationSeenEntry(TypedDict):
    """Utilization that the emulator's metrics told, of `count` clock minutes; 1 is 100 %."""

    count: int
    mean: Number | None
    p50: Number | None
    p95: Number | None
    p99: Number | None
    max: Number | None


class BenchDocument(TypedDict):
    schema: Literal["ptucalc.bench/1"]
    version: str
    catalog_as_of: str
    catalog: list[str]
    prices_as_of: str
    prices: list[str]
    price_region: str
    started: str | None
    setting: BenchSettingEntry
    at_most: BudgetEntry
    stopped_by: Literal["dry-run", "done", "ramp", "cap", "errors", "interrupt"]
    held_back: int
    measured: MeasuredEntry | None
    steps: list[StepEntry]
    onset: OnsetEntry | None
    utilization: UtilizationSeenEntry | None
    utilization_reason: str | None
    calibration: CalibrationEntry | None
    notes: list[NoteEntry]


"""What `ptucalc bench -o json` writes. With --dry-run nothing is sent, and `measured` is null. `held_back` calls waited for
room among the `at_once` calls that may be under way."""
