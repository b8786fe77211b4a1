"""The shape of the JSON that `ptucalc report` writes, as types; its JSON Schema in ptucalc/data/schemas is made from them.

A report is a function of this document and of nothing else: every page, sheet and table is made from it.
"""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from ptucalc.documents import CostDocument, Kind, NoteEntry, Number, SizeDocument, Term
from ptucalc.log_documents import LogsDocument
from ptucalc.simulate_documents import SimulateDocument

__all__ = ["ReportDocument"]

TokenClassName = Literal["input", "cached_input", "cache_write", "output", "image_input", "image_output"]
Way = Literal["payg", "full PTU", "cheapest mix"]


class ReportSourceEntry(TypedDict):
    """What the report is of. `names` are of files, without folders; `text` says it in a line."""

    kind: Literal["workloads", "plan", "log", "saved"]
    names: list[str]
    text: str


class CheapestEntry(TypedDict):
    """The way to buy that costs least, of those whose price is known; `term` is null for pay-as-you-go."""

    way: Way
    term: Term | None
    ptu: int
    monthly_usd: Number
    vs_payg: Number | None


class ThrottledEntry(TypedDict):
    """What a simulation says of one size: minutes and requests that meet a 429."""

    ptu: int
    minutes: int
    of_minutes: int
    share_of_minutes: Number
    requests: int
    of_requests: int
    share_of_requests: Number


class HeadlineEntry(TypedDict):
    """A deployment in a line. The type shown is that whose cheapest way costs least; without prices the smallest size.

    `size_basis` is what `size_ptu` serves: "peak" or a percentile of the minutes. `reason` says why there is no size.
    """

    deployment: str
    model: str | None
    model_version: str | None
    region: str | None
    deployment_type: Kind | None
    size_ptu: int | None
    size_basis: str
    payg_monthly_usd: Number | None
    cheapest: CheapestEntry | None
    cheapest_is_certain: bool
    throttled: ThrottledEntry | None
    reason: str | None


class ReportTotalEntry(TypedDict):
    """Several deployments together, on the type of which all that is open costs least; null where not known."""

    deployment_type: Kind
    payg_monthly_usd: Number | None
    cheapest_monthly_usd: Number | None
    cheapest_is_certain: bool
    vs_payg: Number | None
    unpriced: list[str]
    not_offered: list[str]


class SizesShownEntry(TypedDict):
    """The sizes of the headlines that show this type, added up; those without a size are not among `deployments`."""

    deployment_type: Kind
    ptu: int
    deployments: int


class WhatIfRow(TypedDict):
    """One number of PTU: what it costs a month by term, what spills, and how often demand is over it.

    `share_of_time_over` is of the load's time; `throttled_share` (of requests) and `throttled_minutes` are of the
    simulation, null where it did not look at this size.
    """

    ptu: int
    fixed_monthly_usd: dict[Term, Number | None]
    spillover_monthly_usd: Number | None
    monthly_usd: dict[Term, Number | None]
    share_of_time_over: Number | None
    throttled_share: Number | None
    throttled_minutes: int | None


class WhatIfSizesEntry(TypedDict):
    """A deployment on a type at one size after the other, from 0 to one that covers the peak.

    `cheapest` is the cheapest mix by term. `reason` says what is not known. Terms that were not asked for are missing.
    """

    deployment: str
    model: str
    deployment_type: Kind
    peak_ptu: int
    every_legal_size: bool
    payg_monthly_usd: Number | None
    usd_per_ptu_month: dict[Term, Number | None]
    cheapest: dict[Term, int | None]
    reason: str | None
    rows: list[WhatIfRow]


class TokensPerCallEntry(TypedDict):
    """One class of the tokens of a call, and what one of them weighs."""

    token_class: TokenClassName
    tokens: Number
    tokens_exact: str
    weight: Number
    weight_exact: str


class WorkingSizeEntry(TypedDict):
    """How a size came about on a type: PTU before and after headroom, exact, and the sizes that are sold."""

    deployment_type: Kind
    raw_ptu_exact: str
    need_ptu_exact: str
    minimum: int | None
    increment: int | None
    ptu: int | None


class WorkingEntry(TypedDict):
    """What sizing a workload alone used. `*_exact` are the same numbers as exact fractions: 416 or 1/3.

    Where a log was `measured`, the call is the average one. `average_requests_per_minute` is over a month of 730 hours,
    null where the workload is measured: there every minute has its own mix.
    """

    workload: str
    deployment: str
    model: str
    model_version: str | None
    deployment_type: Kind | None
    region: str | None
    measured: bool
    long_context: bool
    requests_per_minute: Number
    requests_per_minute_exact: str
    average_requests_per_minute: Number | None
    average_requests_per_minute_exact: str | None
    tokens_per_call: list[TokensPerCallEntry]
    weight_per_call: Number
    weight_per_call_exact: str
    weighted_tpm: Number
    weighted_tpm_exact: str
    tpm_per_ptu: int
    headroom: Number
    headroom_exact: str
    sizes: list[WorkingSizeEntry]


class PooledEntry(TypedDict):
    """What sizing a deployment used: the peak of its workloads together, which can be under the sum of their peaks."""

    deployment: str
    model: str
    workloads: list[str]
    weighted_tpm_exact: str
    added_peaks_weighted_tpm_exact: str
    tpm_per_ptu: int
    sizes: list[WorkingSizeEntry]


class LongContextRateEntry(TypedDict):
    """From which prompt length on a call counts, and is billed, otherwise; null: as usual (weights), not known (prices)."""

    over_input_tokens: int
    weights: dict[TokenClassName, Number | None] | None
    usd_per_1m: dict[TokenClassName, Number | None] | None


class RateSheetEntry(TypedDict):
    """A model of the catalog on a type, at the prices of a region: what sizing and pricing another call takes.

    `offered` null: no table says. A weight or price that is not published is null, a class that the model lacks missing.
    """

    model: str
    publisher: str
    deployment_type: Kind
    price_region: str
    offered: bool | None
    reason: str | None
    tpm_per_ptu: int
    prompt_limit_tokens: int | None
    minimum: int | None
    increment: int | None
    weights: dict[TokenClassName, Number | None]
    long_context: LongContextRateEntry | None
    usd_per_1m: dict[TokenClassName, Number | None] | None
    usd_per_ptu_month: dict[Term, Number | None]


class SourceUsedEntry(TypedDict):
    """Where rates or prices that the report uses were read, and when someone last checked them."""

    kind: Literal["rates", "prices"]
    name: str
    title: str
    where: str
    published: str
    checked: str


class HourOfWeekEntry(TypedDict):
    """The highest raw PTU of each hour of the week, Monday 00:00 first (of a log: UTC); null where there is no data."""

    deployment: str
    model: str | None
    basis: Literal["log", "profile"]
    ptu: list[Number | None]


class MinuteTimelineEntry(TypedDict):
    """A simulated size minute by minute: how full the bucket is on average (1 is 100 %), and how many 429s.

    Of a long log a value is of `step_minutes` minutes: the highest, and the sum of the 429s. `start` is null where the
    clock is relative.
    """

    deployment: str
    model: str
    deployment_type: Kind
    ptu: int
    chosen: bool
    start: str | None
    minutes: int
    step_minutes: int
    utilization: list[Number]
    responses_429: list[int]


class ReportDocument(TypedDict):
    schema: Literal["ptucalc.report/1"]
    version: str
    catalog_as_of: str
    oldest_check: str | None
    prices_as_of: str | None
    title: str
    made_on: str | None
    source: ReportSourceEntry
    headlines: list[HeadlineEntry]
    total: ReportTotalEntry | None
    sizes_shown: NotRequired[list[SizesShownEntry]]
    size: SizeDocument | None
    cost: CostDocument | None
    logs: LogsDocument | None
    simulate: SimulateDocument | None
    what_if: list[WhatIfSizesEntry]
    working: list[WorkingEntry]
    pooled: list[PooledEntry]
    rates: list[RateSheetEntry]
    sources: list[SourceUsedEntry]
    hour_of_week: list[HourOfWeekEntry]
    timelines: list[MinuteTimelineEntry]
    notes: list[NoteEntry]


"""What `ptucalc report -o json` writes, and what every other format of it is made from."""
