"""The shape of the JSON that `ptucalc simulate` writes, as types; its JSON Schema in ptucalc/data/schemas is made from them."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from ptucalc.documents import Kind, NoteEntry, Number, ProblemEntry, Term
from ptucalc.log_documents import LogSourceEntry

__all__ = ["SimulateDocument"]

PolicyName = Literal["none", "retry", "spillover", "retry-then-spillover"]


class SyntheticEntry(TypedDict):
    """How calls were made, where no log has any."""

    arrivals: Literal["uniform", "poisson", "bursty"]
    seed: int
    duration_seconds: Number
    calls_per_burst: int
    burst_seconds: Number


class TokensEntry(TypedDict):
    """Tokens by class, those of long-context calls among them."""

    uncached_input: int
    cached_input: int
    cache_write: int
    output: int


class UtilizationEntry(TypedDict):
    """Level of the bucket over its capacity, averaged over each clock minute; 1 is 100 %, and it can be more."""

    mean: Number
    p99: Number
    max: Number


class WaitsEntry(TypedDict):
    """Milliseconds that retries add, over all requests."""

    mean: Number
    p99: int
    max: int


class WindowEntry(TypedDict):
    """The same size with a bucket of another depth."""

    window_seconds: Number
    throttled_429: int
    throttled_share: Number
    throttled_minutes: int
    spilled: int
    failed: int


class RunEntry(TypedDict):
    """One number of PTU in detail; requests = served + spilled + failed.

    `throttled_429` counts requests that met at least one 429, `responses_429` the 429s themselves. `legal` is null where
    no sizes are published. A price that is not known makes `spilled_monthly_usd` null, with the reason.
    """

    name: str
    ptu: int
    legal: bool | None
    chosen: bool
    requests: int
    served: int
    throttled_429: int
    throttled_share: Number
    responses_429: int
    spilled: int
    failed: int
    over_prompt_limit: int
    throttled_minutes: int
    utilization: UtilizationEntry
    wait_ms: WaitsEntry
    spilled_monthly_usd: Number | None
    spilled_monthly_usd_reason: str | None
    tokens_served: TokensEntry
    tokens_spilled: TokensEntry
    tokens_failed: TokensEntry
    windows: list[WindowEntry]


class SweepEntry(TypedDict):
    """One of the sizes that were looked at."""

    ptu: int
    throttled_429: int
    throttled_share: Number
    spilled: int
    failed: int
    throttled_minutes: int
    spilled_monthly_usd: Number | None


class TargetEntry(TypedDict):
    """The smallest size whose share of 429s keeps to a target, and the larger ones that do not."""

    share: Number
    smallest_ptu: int | None
    smallest_ptu_reason: str | None
    all_larger_meet: bool | None
    all_larger_meet_reason: str | None
    exceptions: list[int]


class WorstDayEntry(TypedDict):
    """The day with most throttled minutes, by quarter-hours: highest minute and number of 429s, null without minutes."""

    label: str
    date: str | None
    throttled_minutes: int
    quarter_hours_utilization: list[Number | None]
    quarter_hours_429: list[int | None]


class AlertEntry(TypedDict):
    """Windows of so many minutes whose mean utilization is over a threshold."""

    window_minutes: int
    utilization_over: Number
    windows: int
    windows_over: int
    share: Number


class MinuteMixEntry(TypedDict):
    """The cheapest mix as `ptucalc cost` finds it, and what whole calls would spill at that size."""

    ptu: int | None
    fixed_monthly_usd: Number | None
    spillover_monthly_usd: Number | None
    monthly_usd: Number | None
    whole_calls_spillover_monthly_usd: Number | None


class MixEntry(TypedDict):
    """The cheapest PTU + spillover on a term, when whole calls spill."""

    term: Term
    ptu: int | None
    fixed_monthly_usd: Number | None
    spillover_monthly_usd: Number | None
    monthly_usd: Number | None
    by_the_minute: MinuteMixEntry
    reason: str | None


class UnitEntry(TypedDict):
    """What Standard quota comes in."""

    rpm: int
    tpm: int


class QuotaEntry(TypedDict):
    """The smallest quota that keeps to the target, and which limit decides."""

    units: int
    tpm: int
    rpm: int
    binding: Literal["tokens", "calls", "both"]
    refused: int


class NeededEntry(TypedDict):
    """What the tokens alone need, what the calls alone need, and both in units of quota."""

    target: Number
    tpm: int
    rpm: int
    quota: QuotaEntry | None
    quota_reason: str | None


class CheckedEntry(TypedDict):
    """What limits refuse; a null limit was not checked."""

    tpm: int | None
    rpm: Number | None
    requests: int
    refused: int
    refused_share: Number
    refused_by_tpm: int
    refused_by_rpm: int
    refused_minutes: int
    peak_estimated_tpm: int
    peak_calls_per_window: int | None


class SplitEntry(TypedDict):
    """The quota on two deployments that take calls in turn."""

    deployments: list[CheckedEntry]
    refused: int
    refused_share: Number


class PaceEntry(TypedDict):
    """The steady gap between calls of the mean size that stays under the limits."""

    gap_ms: Number
    binding: Literal["tokens", "calls"]


class PublishedEntry(TypedDict):
    """The published limits of a tier."""

    tier: int
    tier_name: str
    requests: int
    per_seconds: int
    tpm: int | None


class StandardEntry(TypedDict):
    """What becomes of calls on a Standard (pay-as-you-go) deployment: those that `ptu` PTU spill, or all of them."""

    calls: Literal["spilled", "all"]
    ptu: int | None
    requests: int
    window_seconds: int
    best_of: int
    unit: UnitEntry | None
    unit_reason: str | None
    needed: NeededEntry | None
    checked: CheckedEntry | None
    rpm_from_tpm: bool
    split: SplitEntry | None
    split_reason: str | None
    mean_estimated_tokens: Number | None
    pace: PaceEntry | None
    pace_reason: str | None
    published: list[PublishedEntry]
    published_reason: str | None
    enough_in_tier: int | None


class ChangeEntry(TypedDict):
    """A change of the calls that was tried: 429s at `ptu`, and the smallest size, before and after."""

    code: Literal["max_tokens", "cache_ratio", "smooth_minute", "smooth_hour"]
    value: Number
    ptu: int
    throttled_share_before: Number
    throttled_share_after: Number
    smallest_ptu_before: int | None
    smallest_ptu_after: int | None
    saved_ptu: int | None


class NotTriedEntry(TypedDict):
    """A change that was not tried, and why."""

    code: Literal["max_tokens", "cache_ratio", "smooth_minute", "smooth_hour"]
    reason: str


class AdviceEntry(TypedDict):
    """What changes would save; without any, `reason` says why."""

    changes: list[ChangeEntry]
    not_tried: list[NotTriedEntry]
    reason: str | None


class SimulatedEntry(TypedDict):
    """What was found. `chosen_ptu` is the run that `worst_day`, `alert`, `standard` and `advice` are of."""

    window_seconds: Number
    policy: PolicyName
    max_retries: int
    assumed_max_tokens: int | None
    requests_without_max_tokens: int
    requests_without_duration: int
    latency_target_tps: int | None
    tokens: TokensEntry
    price_region: str
    runs: list[RunEntry]
    chosen_ptu: int
    sweep: list[SweepEntry]
    sweep_is_every_legal_size: bool
    smallest_ptu_without_429: int | None
    target: TargetEntry | None
    smallest_ptu_meeting_target: int | None
    worst_day: WorstDayEntry
    alert: AlertEntry
    cheapest_mix: list[MixEntry]
    standard: StandardEntry | None
    advice: AdviceEntry


class SimulatedDeploymentEntry(TypedDict):
    """One deployment and model (or one model, or the whole log); not simulated: `reason` says why."""

    name: str
    deployments: list[str]
    model: str | None
    model_version: str | None
    region: str | None
    deployment_type: Kind
    available: bool | None
    reason: str | None
    requests: int
    minutes: int
    simulated: SimulatedEntry | None


class SimulateDocument(TypedDict):
    schema: Literal["ptucalc.simulate/1"]
    version: str
    catalog_as_of: str
    catalog: list[str]
    oldest_check: str
    prices_as_of: str
    prices: list[str]
    source: LogSourceEntry | None
    synthetic: SyntheticEntry | None
    by: Literal["deployment", "model", "none"]
    model: str | None
    deployment_type: Kind | None
    window_seconds: Number | None
    policy: PolicyName | None
    max_retries: int | None
    runs: list[RunEntry]
    smallest_ptu_meeting_target: int | None
    by_deployment: list[SimulatedDeploymentEntry]
    notes: list[NoteEntry]
    problems: list[ProblemEntry]


"""What `ptucalc simulate -o json` writes. `runs` are those of all deployments, each with the name of its own."""
