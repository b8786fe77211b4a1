"""The shape of the JSON that ptucalc writes, as types. The JSON Schemas in ptucalc/data/schemas are made from them."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from ptucalc.room_documents import ChargebackEntry, RoomEntry

__all__ = [
    "CatalogDocument",
    "CostDocument",
    "ErrorDocument",
    "PriceBookDocument",
    "RatesDocument",
    "RefreshDocument",
    "SizeDocument",
]

Number = int | float
Kind = Literal["global", "data-zone", "regional"]
Term = Literal["hourly", "1-month", "1-year"]


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


class MeasuredEntry(TypedDict):
    """The log that a workload was measured from: its minutes, its calls, those that were throttled without a known size.

    `refused_requests` have prompts that PTU do not take; they are in no size. `start` is null for a relative clock.
    """

    percentile: str
    start: str | None
    minutes: int
    requests: Number
    throttled_requests: Number
    refused_requests: Number


class WorkloadEntry(TypedDict):
    """One workload and what it would need alone.

    Where there is `measured`, its tokens are those of the average call, and its requests per minute so many average
    calls as weigh what the minutes do at the percentile.
    """

    name: str
    model: str
    model_version: str | None
    deployment_type: Kind | None
    region: str | None
    deployment: str | None
    requests_per_minute: Number
    input_tokens: Number
    output_tokens: Number
    image_input_tokens: int
    image_output_tokens: int
    cache_ratio: Number
    cache_write_ratio: Number
    weighted_tpm: Number
    terms: list[TermEntry]
    generation_seconds_at_target: Number | None
    concurrent_requests_at_target: Number | None
    sizes: list[SizeEntry]
    measured: NotRequired[MeasuredEntry]


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
    room: NotRequired[RoomEntry]
    chargeback: NotRequired[list[ChargebackEntry]]


"""What `ptucalc size -o json` writes; `room` with --usages or --capacities, `chargeback` with --chargeback."""


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


class OptionEntry(TypedDict):
    """One way to buy. `term` is payg or the term of PTU for the whole peak; amounts are null where a price is unknown."""

    term: Literal["payg", "hourly", "1-month", "1-year"]
    ptu: int
    fixed_monthly_usd: Number | None
    spillover_monthly_usd: Number | None
    monthly_usd: Number | None
    vs_payg: Number | None
    usd_per_1m_tokens: Number | None
    usd_per_ptu_month: Number | None
    reason: str | None


class IncrementEntry(TypedDict):
    """A step from one legal size to the next: its cost, the pay-as-you-go it saves, the difference."""

    from_ptu: int
    to_ptu: int
    costs_monthly_usd: Number
    saves_monthly_usd: Number
    earns_monthly_usd: Number


class HybridEntry(TypedDict):
    """The cheapest number of PTU on a term, the rest spilled. `curve` holds [ptu, monthly_usd] of every legal size."""

    ptu: int
    fixed_monthly_usd: Number
    spillover_monthly_usd: Number
    monthly_usd: Number
    vs_payg: Number | None
    usd_per_1m_tokens: Number | None
    utilization: Number | None
    spilled_tokens_per_month: dict[str, Number]
    last_increment: IncrementEntry | None
    next_increment: IncrementEntry | None
    curve: list[list[Number]]


PerTerm = TypedDict(
    "PerTerm", {"hourly": HybridEntry | None, "1-month": HybridEntry | None, "1-year": HybridEntry | None}
)


class BreakEvenEntry(TypedDict):
    """When PTU on a term pays: utilization over 1 means never; ranges are [over, up to and including] rates."""

    term: Literal["hourly", "1-month", "1-year"]
    utilization: Number | None
    cheaper_rpm_ranges: list[list[Number | None]] | None
    reason: str | None


class MixEntry(TypedDict):
    """A number of PTU and what it costs a month, spillover included."""

    ptu: int
    monthly_usd: Number


CheapestPerTerm = TypedDict(
    "CheapestPerTerm", {"hourly": MixEntry | None, "1-month": MixEntry | None, "1-year": MixEntry | None}
)


class WhatIfEntry(TypedDict):
    """One thing changed, and what the answers are then."""

    change: str
    payg_monthly_usd: Number | None
    peak_ptu: int
    cheapest: CheapestPerTerm


class NearestEntry(TypedDict):
    """Pay-as-you-go elsewhere, where the price of the place itself is not known."""

    deployment_type: Kind
    region: str
    payg_monthly_usd: Number


class AlternativeEntry(TypedDict):
    """The same tokens at another pay-as-you-go tier."""

    tier: Literal["batch", "priority"]
    monthly_usd: Number


class PaygTermEntry(TypedDict):
    """One line of the pay-as-you-go bill."""

    token_class: str
    tokens_per_month: Number
    usd_per_1m: Number
    monthly_usd: Number


class DeploymentCostEntry(TypedDict):
    """One deployment on one deployment type, with every way to buy it."""

    name: str
    model: str
    model_version: str | None
    deployment_type: Kind
    region: str | None
    price_region: str
    payg_deployment_type: Kind
    available: bool | None
    reason: str | None
    type_given: bool
    workloads: list[str]
    requests_per_minute: Number
    requests_per_month: Number
    tokens_per_month: dict[str, Number]
    peak_weighted_tpm: Number
    mean_weighted_tpm: Number
    payg_monthly_usd: Number | None
    payg_reason: str | None
    payg_nearest: NearestEntry | None
    payg_terms: list[PaygTermEntry]
    ptu_month_worth_usd: Number | None
    peak_ptu: int
    peak_utilization: Number
    options: list[OptionEntry]
    hybrid: PerTerm
    break_even: list[BreakEvenEntry]
    sensitivity: list[WhatIfEntry]
    alternatives: list[AlternativeEntry]


class ReservedEntry(TypedDict):
    """A deployment's part of a reservation."""

    name: str
    ptu: int


class ReservationEntry(TypedDict):
    """What to reserve for the deployments of one type; region null: a Global reservation covers all regions.

    It belongs to the choice of giving every deployment whose type is open the type `open_deployments_as`.
    """

    open_deployments_as: Kind | None
    deployment_type: Kind
    region: str | None
    term: Literal["1-month", "1-year"]
    ptu: int
    deployments: list[ReservedEntry]
    not_counted: list[str]
    usd_per_ptu: Number
    term_usd: Number
    monthly_usd: Number


class UnansweredEntry(TypedDict):
    """A deployment that has no size on any type asked for."""

    name: str
    model: str
    reason: str


class TotalEntry(TypedDict):
    """Deployments together: null where an amount is not known or one of them is not offered so."""

    deployment_type: Kind
    payg_monthly_usd: Number | None
    full_ptu_monthly_usd: dict[str, Number | None]
    cheapest_monthly_usd: Number | None
    cheapest_is_certain: bool
    unpriced: list[str]
    not_offered: list[str]


class PriceSourceEntry(TypedDict):
    """Where prices were read, and when."""

    name: str
    title: str
    checked: str


class CostDocument(TypedDict):
    schema: Literal["ptucalc.cost/1"]
    version: str
    catalog_as_of: str
    catalog: list[str]
    prices_as_of: str
    prices: list[str]
    oldest_price_capture: str
    price_sources: list[PriceSourceEntry]
    currency: Literal["USD"]
    headroom: Number
    discount: Number
    deployments: list[DeploymentCostEntry]
    unanswered: list[UnansweredEntry]
    totals: list[TotalEntry]
    choices: list[TotalEntry]
    reservations: list[ReservationEntry]
    notes: list[NoteEntry]
    chargeback: NotRequired[list[ChargebackEntry]]


"""What `ptucalc cost -o json` writes."""


class UnknownEntry(TypedDict):
    """A value that nobody published, and why it is not known."""

    unknown: str


class PlaceEntry(TypedDict):
    """Where a version of a model (null: any) can be deployed; `zone` is the data zone, where there are such."""

    model_version: str | None
    zone: str | None
    regions: list[str] | UnknownEntry


class OfferEntry(TypedDict):
    """One deployment type of a model. `regions` (and `places`, the same by version) is null where no table names them."""

    deployment_type: Kind
    sku_name: str
    available: bool | None
    reason: str | None
    minimum: int | None
    increment: int | None
    regions: list[str] | None
    places: list[PlaceEntry] | None


class ImageTilesEntry(TypedDict):
    """An image costs `base` tokens and `per_tile` for each tile. Verified: in the words of the model's maker."""

    base: int
    per_tile: int
    verified: bool


class PatchBudgetEntry(TypedDict):
    """How large an image may be, in patches and along its longest side, before it is scaled down."""

    patches: int
    longest_side_px: int


class ImagePatchesEntry(TypedDict):
    """An image costs its patches times `multiplier`; `details` has the budget of each level of detail."""

    multiplier: Number
    details: dict[str, PatchBudgetEntry]
    verified: bool


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
    encoding: str | UnknownEntry
    encoding_verified: bool | None
    image_tokens: ImageTilesEntry | ImagePatchesEntry | UnknownEntry
    context_input_tokens: int | UnknownEntry
    context_verified: bool | None
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


class PtuPriceEntry(TypedDict):
    """What one PTU costs on a deployment type: for an hour, or for a reservation's whole term."""

    deployment_type: Kind
    hourly_usd_per_ptu: Number | UnknownEntry
    one_month_usd_per_ptu: Number | UnknownEntry
    one_year_usd_per_ptu: Number | UnknownEntry
    hourly_since: str | None
    sources: list[str]


class PtuRegionsEntry(TypedDict):
    """A published PTU price and the regions that it holds in (null: all), those that win first."""

    deployment_type: Kind
    term: Term
    usd_per_ptu: Number
    regions: list[str] | None
    since: str | None
    replaced_usd_per_ptu: Number | None
    source: str


class TokenPriceEntry(TypedDict):
    """Pay-as-you-go prices of a model; `billed_as_input` are classes without a meter of their own."""

    deployment_type: Kind
    tier: Literal["standard", "batch", "priority"]
    long_context: bool
    usd_per_1m: UnknownEntry | dict[str, Number | UnknownEntry]
    billed_as_input: list[str]
    sources: list[str]


class MetersEntry(TypedDict):
    """The meters of the Retail Prices API, by token class."""

    deployment_type: Kind
    long_context: bool
    meters: dict[str, str]


class ModelPricesEntry(TypedDict):
    """What is known of a model's prices."""

    name: str
    products: list[str]
    remarks: list[str]
    prices: list[TokenPriceEntry]
    meters: list[MetersEntry]


class PriceBookDocument(TypedDict):
    schema: Literal["ptucalc.price-book/1"]
    version: str
    prices_as_of: str
    prices: list[str]
    oldest_capture: str
    region: str
    region_is_default: bool
    ptu: list[PtuPriceEntry]
    ptu_by_region: list[PtuRegionsEntry]
    models: list[ModelPricesEntry]
    sources: dict[str, SourceEntry]
    notes: list[NoteEntry]


"""What `ptucalc prices show --json` writes."""


class RetailKey(TypedDict):
    """Which price: of a PTU (`model` is null) on a term, or of a model's tokens of a class; `unit` is what it is per."""

    model: str | None
    deployment_type: Kind
    term: Term | None
    token_class: str | None
    long_context: bool
    unit: Literal["1M tokens", "PTU hour", "PTU term"]


class RetailPriceEntry(RetailKey):
    """A price that the Retail Prices API lists, from a day on."""

    usd: Number
    since: str


class RetailFoundEntry(RetailPriceEntry):
    """A price that the Retail Prices API lists now; `ends` is its last day, where the API names one."""

    ends: str | None


class RetailChangeEntry(RetailKey):
    """A price that differs from the known one (null where none was); `change` is a share of what it was."""

    was_usd: Number | None
    now_usd: Number
    change: Number | None
    since: str


class UnusedEntry(TypedDict):
    """A row of a known meter that cannot be a price."""

    meter: str
    reason: str


class NewMeterEntry(TypedDict):
    """A token meter that no price file names. It is never priced."""

    product: str
    meter: str
    since: str


class RefreshDocument(TypedDict):
    schema: Literal["ptucalc.price-refresh/1"]
    version: str
    prices_as_of: str
    prices: list[str]
    address: str
    region: str
    checked: str
    written: str | None
    found: list[RetailFoundEntry]
    changes: list[RetailChangeEntry]
    unchanged: int
    announced: list[RetailPriceEntry]
    not_listed: list[RetailKey]
    not_used: list[UnusedEntry]
    new_meters: list[NewMeterEntry]
    known_without_meter: int
    rows: int
    rows_superseded: int
    rows_of_other_meters: int
    rows_of_other_regions: int
    notes: list[NoteEntry]


"""What `ptucalc prices refresh -o json` writes; `prices` are the editions it compared with."""


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
