"""The shape of the JSON that ptucalc writes, as types. The JSON Schemas in ptucalc/data/schemas are made from them."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

__all__ = ["CatalogDocument", "ErrorDocument", "RatesDocument", "SizeDocument"]

Number = int | float
Kind = Literal["global", "data-zone", "regional"]


class NoteEntry(TypedDict):
    """A remark; `about` names the deployment, workload or model, "" for all."""

    code: str
    message: str
    about: str


class SizeEntry(TypedDict):
    """One deployment type: what is needed and what can be bought."""

    deployment_type: Kind
    sku_name: str
    available: bool | None
    reason: str | None
    raw_ptu: Number
    need_ptu: Number
    ptu: int | None
    minimum: int | None
    increment: int | None
    utilization: Number | None
    max_requests_per_minute: Number | None
    latency_target_tps: int | None


class TermEntry(TypedDict):
    """One token class of the weighted sum."""

    token_class: str
    tokens_per_minute: Number
    weight: Number
    weighted_tpm: Number


class WorkloadEntry(TypedDict):
    """One workload and what it would need alone."""

    name: str
    model: str
    model_version: str | None
    deployment_type: Kind | None
    region: str | None
    deployment: str | None
    requests_per_minute: Number
    input_tokens: int
    output_tokens: int
    image_input_tokens: int
    image_output_tokens: int
    cache_ratio: Number
    cache_write_ratio: Number
    weighted_tpm: Number
    terms: list[TermEntry]
    generation_seconds_at_target: Number | None
    concurrent_requests_at_target: Number | None
    sizes: list[SizeEntry]


class DeploymentEntry(TypedDict):
    """Workloads pooled on one deployment: what to buy. `workloads` holds at most 1,000 names."""

    name: str
    model: str
    model_version: str | None
    deployment_type: Kind | None
    region: str | None
    workloads: list[str]
    workload_count: int
    requests_per_minute: Number
    weighted_tpm: Number
    sizes: list[SizeEntry]


Totals = TypedDict("Totals", {"global": int | None, "data-zone": int | None, "regional": int | None})


class SizeDocument(TypedDict):
    schema: Literal["ptucalc.size/1"]
    version: str
    catalog_as_of: str
    catalog: list[str]
    oldest_check: str
    headroom: Number
    workloads: list[WorkloadEntry]
    deployments: list[DeploymentEntry]
    totals: Totals
    notes: list[NoteEntry]


"""What `ptucalc size -o json` writes."""


class RateEntry(TypedDict):
    """The largest rate that fits in one number of PTU."""

    ptu: int
    max_requests_per_minute: Number | None
    utilization: Number | None
    sold_as: dict[Kind, bool]


class RatesDocument(TypedDict):
    schema: Literal["ptucalc.rates/1"]
    version: str
    catalog_as_of: str
    model: str
    model_version: str | None
    tpm_per_ptu: int
    weight_per_call: Number
    headroom: Number
    rates: list[RateEntry]
    notes: list[NoteEntry]


"""What `ptucalc size --ptu N -o json` writes."""


class UnknownEntry(TypedDict):
    """A value that nobody published, and why it is not known."""

    unknown: str


class OfferEntry(TypedDict):
    """One deployment type of a model. `regions` is null where no table that was read names them."""

    deployment_type: Kind
    sku_name: str
    available: bool | None
    reason: str | None
    minimum: int | None
    increment: int | None
    regions: list[str] | None


class ModelEntry(TypedDict):
    """One model of the catalog."""

    name: str
    model_id: str | None
    publisher: str
    versions: list[str]
    tpm_per_ptu: int | UnknownEntry
    weights: dict[str, Number | UnknownEntry]
    long_context_over_input_tokens: int | None
    long_context_weights: dict[str, Number | UnknownEntry] | None
    prompt_limit_tokens: int | None
    latency_target_tps: int | None
    latency_target_basis: str | None
    offers: list[OfferEntry]
    retirement_date: str | None
    last_listed: str | None
    spillover: bool | UnknownEntry
    sources: dict[str, str]
    remarks: list[str]


class SourceEntry(TypedDict):
    """Where numbers were read."""

    title: str
    where: str
    published: str
    checked: str


class CatalogDocument(TypedDict):
    schema: Literal["ptucalc.models/1"]
    version: str
    catalog_as_of: str
    catalog: list[str]
    oldest_check: str
    models: list[ModelEntry]
    sources: dict[str, SourceEntry]
    notes: list[NoteEntry]


"""What `ptucalc models --json` writes."""


class ProblemEntry(TypedDict):
    """One value that cannot be used."""

    source: str
    line: int | None
    column: int | None
    cell: str
    field: str
    label: str
    found: str
    expected: str


class ErrorDocument(TypedDict):
    schema: Literal["ptucalc.error/1"]
    version: str
    problems: list[ProblemEntry]
    uncounted: int


"""What a command asked for JSON writes when the input is bad (exit code 2)."""
