"""The shape of the JSON that `ptucalc simulate --route` writes, as types; its JSON Schema is made from them."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from ptucalc.documents import Kind, NoteEntry, Number, ProblemEntry, Term
from ptucalc.log_documents import LogSourceEntry
from ptucalc.simulate_documents import SyntheticEntry, TokensEntry, UtilizationEntry, WaitsEntry

__all__ = ["RouteDocument"]


class RetryEntry(TypedDict):
    """How calls retry, and when a backend is out of rotation."""

    attempts_per_backend: int
    attempts: int | None
    wait: Literal["never", "here", "last"]
    longest_wait_ms: int | None
    trip_on_retry_after: bool
    trip_when_down_ms: int | None


class OutageEntry(TypedDict):
    """From when to when a backend is down, in microseconds of the calls' clock."""

    from_us: int
    to_us: int


class FailedByEntry(TypedDict):
    """Calls that no backend served, by what the last one that they tried said."""

    throttled: int
    prompt_too_long: int
    down: int
    none_in_rotation: int


class BackendEntry(TypedDict):
    """One backend; tries = served + responses_429 + responses_400 + responses_503.

    A price that is not known is null, with the reason. `fixed_monthly_usd` has the terms that were asked for; it is
    empty for Standard, whose limits are null where there are none. `available` is null where it is not known.
    """

    name: str
    kind: Literal["provisioned", "standard"]
    model: str
    deployment_type: Kind
    region: str | None
    price_region: str
    available: bool | None
    ptu: int | None
    legal: bool | None
    window_seconds: Number | None
    tpm: int | None
    rpm: int | None
    rpm_from_tpm: bool
    rpm_window_seconds: int | None
    priority: int
    weight: int
    down: list[OutageEntry]
    tries: int
    served: int
    served_share: Number
    responses_429: int
    responses_400: int
    responses_503: int
    throttled_minutes: int
    utilization: UtilizationEntry | None
    tokens_served: TokensEntry
    fixed_monthly_usd: dict[Term, Number | None]
    fixed_monthly_usd_reason: str | None
    tokens_monthly_usd: Number | None
    tokens_monthly_usd_reason: str | None


class RouteCostEntry(TypedDict):
    """All backends together, a month; `term` is that of the PTU, null where there are none."""

    term: Term | None
    fixed_monthly_usd: Number | None
    tokens_monthly_usd: Number | None
    monthly_usd: Number | None
    reason: str | None


class RoutedEntry(TypedDict):
    """What became of the calls: requests = served + failed, and failed is the sum of `failed_by`."""

    seed: int
    failover_ms: int
    retry: RetryEntry
    assumed_max_tokens: int | None
    best_of: int
    requests_without_max_tokens: int
    served: int
    failed: int
    failed_share: Number
    failed_by: FailedByEntry
    throttled_429: int
    throttled_share: Number
    wait_ms: WaitsEntry
    tokens: TokensEntry
    tokens_failed: TokensEntry
    backends: list[BackendEntry]
    costs: list[RouteCostEntry]


class RouteDocument(TypedDict):
    schema: Literal["ptucalc.route/1"]
    version: str
    catalog_as_of: str
    catalog: list[str]
    oldest_check: str
    prices_as_of: str
    prices: list[str]
    source: LogSourceEntry | None
    synthetic: SyntheticEntry | None
    model: str | None
    model_version: str | None
    minutes: int
    requests: int
    routed: RoutedEntry | None
    notes: list[NoteEntry]
    problems: list[ProblemEntry]


"""What `ptucalc simulate --route FILE -o json` writes. `routed` is null where `problems` say why."""
