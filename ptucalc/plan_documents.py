"""The shape of a plan file, as types: the JSON Schema that editors complete and check plans with is made from them.

These are the names that ptucalc itself writes; it also reads other spellings (rpm, prompt_tokens), as in CSV files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NotRequired

from typing_extensions import TypedDict

__all__ = ["DESCRIPTIONS", "PlanDocument"]

Text = str | int | float
"""A name or a version: an unquoted 0613 is a number to an editor; ptucalc reads it as text."""

Amount = int | float | str


class Level(TypedDict):
    """A rate, and its share of the time."""

    share: Amount
    requests_per_minute: Amount


class ProfileEntry(TypedDict):
    """The load over the time: levels, or hourly, or the minutes of a log that `ptucalc logs --save` wrote."""

    levels: NotRequired[list[Level]]
    hourly: NotRequired[list[Amount]]
    minutes_file: NotRequired[str]
    percentile: NotRequired[str]
    workload: NotRequired[str]


class PlanWorkload(TypedDict):
    """A stream of similar calls to one model; tokens are per call."""

    name: NotRequired[Text]
    model: Text
    model_version: NotRequired[Text]
    deployment_type: NotRequired[str]
    region: NotRequired[str]
    deployment: NotRequired[Text]
    requests_per_minute: NotRequired[Amount]
    input_tokens: NotRequired[Amount]
    output_tokens: NotRequired[Amount]
    image_input_tokens: NotRequired[Amount]
    image_output_tokens: NotRequired[Amount]
    cache_ratio: NotRequired[Amount]
    cached_input_tokens: NotRequired[Amount]
    cache_write_ratio: NotRequired[Amount]
    max_tokens: NotRequired[Amount]
    average_requests_per_minute: NotRequired[Amount]
    hours_per_month: NotRequired[Amount]
    output_weight: NotRequired[Amount]
    prompt_file: NotRequired[str]
    completion_file: NotRequired[str]
    encoding: NotRequired[str]
    approx: NotRequired[bool]
    image_size: NotRequired[str]
    profile: NotRequired[ProfileEntry]


class LimitsEntry(TypedDict):
    """What `ptucalc check` holds the plan to."""

    quota_ptu: NotRequired[dict[str, dict[str, Amount]]]
    monthly_budget_usd: NotRequired[Amount]
    term: NotRequired[Literal["hourly", "1-month", "1-year"]]
    max_429_rate: NotRequired[Amount]
    max_catalog_age_days: NotRequired[Amount]
    min_utilization: NotRequired[Amount]
    max_utilization: NotRequired[Amount]
    allowed_regions: NotRequired[list[str]]


class SpilloverEntry(TypedDict):
    """The Standard deployments that spillover goes to."""

    thousand_tpm: Amount


class PlanDocument(TypedDict):
    """A capacity plan for Azure OpenAI provisioned throughput (PTU): workloads, and limits that it keeps to."""

    headroom: NotRequired[Amount]
    workloads: list[PlanWorkload]
    limits: NotRequired[LimitsEntry]
    spillover: NotRequired[bool | SpilloverEntry]


DESCRIPTIONS: Mapping[str, str] = {
    "headroom": "Share to add before rounding up to a size: 15% or 0.15.",
    "workloads": "The streams of calls. Those of one model, version, type and region share a deployment.",
    "limits": "What ptucalc check holds the plan to.",
    "spillover": "Deploy a Standard deployment beside each, for spillover: true, or its capacity.",
    "thousand_tpm": "Capacity of a Standard deployment, in 1,000 tokens per minute.",
    "name": "What reports call it; no other workload may have the same.",
    "model": "Model, as in ptucalc models.",
    "model_version": "Model version, such as 2024-08-06.",
    "deployment_type": "global, data-zone or regional (Azure's names too); left out: still open.",
    "region": "Azure region, such as eastus2.",
    "deployment": "Workloads with the same name here share that deployment.",
    "requests_per_minute": "Requests in the PEAK minute; left out where a profile says it.",
    "input_tokens": "Prompt tokens of one call, cached ones included.",
    "output_tokens": "Generated tokens of one call, reasoning included.",
    "image_input_tokens": "Image tokens in, for image models.",
    "image_output_tokens": "Image tokens out, for image models.",
    "cache_ratio": "Share of the input tokens served from the cache: 0.4 or 40%.",
    "cached_input_tokens": "Cached tokens of one call, instead of cache_ratio.",
    "cache_write_ratio": "Share of the input tokens written to the cache.",
    "max_tokens": "max_tokens of the calls, if set.",
    "average_requests_per_minute": "Average beside the peak, for costs; a profile says more.",
    "hours_per_month": "Hours in which that average holds.",
    "output_weight": "Input tokens that one output token counts as, for models whose weight is not published.",
    "prompt_file": "Requests or a text whose tokens are the input tokens (their mean), relative to the plan.",
    "completion_file": "Answers whose tokens are the output tokens (their mean), relative to the plan.",
    "encoding": "Count those files in this encoding (o200k_base), not in the model's own.",
    "approx": "Estimate those files from their characters, for models without an encoding.",
    "image_size": "Size of images that those requests only link to: 1024x768.",
    "profile": "The load over the time; the peak follows from it.",
    "levels": "Shares of the time, which add up to 1 (1/3 is a share too), each with its rate.",
    "share": "Share of the time: 0.5, 50% or 1/2.",
    "hourly": "24 or 168 rates (requests per minute), from midnight or from Monday 00:00.",
    "minutes_file": "The file of minutes that ptucalc logs --save wrote.",
    "percentile": "Of the weighted minutes, to size at: p99, p99.9, max.",
    "workload": "The workload of that file, if not the one of this name.",
    "quota_ptu": "Quota in PTU by deployment type and region: {global: {eastus2: 400}}.",
    "monthly_budget_usd": "US dollars a month for the PTU of the whole plan.",
    "term": "What the budget is for; 1-year unless given.",
    "max_429_rate": "Share of the requests that may meet a 429, simulated: 1%.",
    "max_catalog_age_days": "Warn where the rates were last checked longer ago.",
    "min_utilization": "Every deployment is at least so busy in its peak: 50%.",
    "max_utilization": "No deployment is busier in its peak: 95%.",
    "allowed_regions": "Every deployment is in one of these regions.",
}
"""What editors show beside each key."""
