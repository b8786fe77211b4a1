"""The library's front door: what the pure modules do, with the bundled catalog and today's date filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptucalc import __version__, exact, sizing
from ptucalc.catalog import Catalog, DeploymentType
from ptucalc.errors import BadInput, Problem
from ptucalc.exact import Exact
from ptucalc.read.catalog import load_catalog
from ptucalc.sizing_result import SizingResult
from ptucalc.workload import LoadProfile, Workload

if TYPE_CHECKING:
    from ptucalc.call_trace import Call, CallTrace
    from ptucalc.catalog import Model, Offer
    from ptucalc.cost_result import CostComparison
    from ptucalc.log_result import By, LogDemand
    from ptucalc.prices import PriceBook
    from ptucalc.request_log import MeasuredLog
    from ptucalc.simulated_runs import Policy
    from ptucalc.simulation_result import SimulationResult
    from ptucalc.token_counts import TokenCounts

__all__ = [
    "compare_costs",
    "count_tokens",
    "deployment_types_of",
    "largest_rate",
    "log_workloads",
    "simulate",
    "size",
    "size_log",
]


def size(
    workloads: Workload | Iterable[Workload],
    *,
    catalog: Catalog | None = None,
    sku: str | Iterable[str] = "all",
    headroom: Exact = 0,
    today: date | None = None,
) -> SizingResult:
    """PTU that one workload or many need, alone and pooled per deployment, for each deployment type.

    `sku` is "all", one deployment type, or several; `headroom` a share to add before rounding (0.15, "15%"); `today`
    decides what counts as retired (default: the computer's date). Raises BadInput with every problem of every
    workload. A type that the model is not offered on has `ptu` None and a reason.

    >>> chat = Workload(model="gpt-4.1", requests_per_minute=600, input_tokens=1800, output_tokens=250, cache_ratio=0.4)
    >>> {kind: size.ptu for kind, size in size(chat).sizes.items()}
    {'global': 420, 'data-zone': 420, 'regional': 450}
    """
    return sizing.plan(
        [workloads] if isinstance(workloads, Workload) else workloads,
        catalog=catalog or load_catalog(),
        deployment_types=deployment_types_of(sku),
        headroom=headroom,
        version=__version__,
        today=today or date.today(),
    )


def compare_costs(
    workloads: Workload | Iterable[Workload],
    *,
    profile: LoadProfile | None = None,
    catalog: Catalog | None = None,
    prices: PriceBook | str | Path | None = None,
    sku: str | Iterable[str] = "all",
    headroom: Exact = 0,
    discount: Exact = 0,
    payg_type: str | None = None,
    what_ifs: bool = True,
    today: date | None = None,
) -> CostComparison:
    """What workloads cost a month: pay-as-you-go, PTU by term, the cheapest mix of both, and when PTU breaks even.

    `profile` is the load over time of workloads that have none (their rate is its peak); `prices` a price book or a
    price file (default: list prices; see `load_prices`); `discount` a share off every PTU price; `payg_type` prices
    pay-as-you-go at another deployment type than the deployment's own; without `what_ifs` the `sensitivity`, which takes
    most of the time, is left out. The rest is as for `size`. A deployment has an entry for each type that it has a size
    on. Raises BadInput with every problem.

    >>> chat = Workload(model="gpt-4.1", requests_per_minute=60, input_tokens=1800, output_tokens=650, cache_ratio="20%")
    >>> cost = compare_costs(chat, sku="global").deployments[0]
    >>> cost.payg_monthly_usd, cost.peak_ptu, cost.option("1-month").monthly_usd
    (Decimal('21707.28'), 85, Decimal('22100.00'))
    """
    from ptucalc import cost, cost_notes
    from ptucalc.read.prices import load_prices

    known = catalog or load_catalog()
    listed = [workloads] if isinstance(workloads, Workload) else list(workloads)
    if profile is not None:
        listed = [_with_profile(workload, profile, index) for index, workload in enumerate(listed)]
    try:
        scope = None if payg_type is None else DeploymentType.parse(payg_type)
    except ValueError as error:
        raise BadInput([Problem("payg_type", str(payg_type), str(error))]) from None
    sized = size(listed, catalog=known, sku=sku, headroom=headroom, today=today)
    book = load_prices(prices) if isinstance(prices, (str, Path)) else prices or load_prices()
    return cost.compare(
        sized,
        book,
        largest_ptu=known.largest_deployment_ptu,
        notes=cost_notes.unmatched_prices(book, known),
        discount=discount,
        payg_type=scope,
        what_ifs=what_ifs,
    )


def _with_profile(workload: Workload, profile: LoadProfile, index: int) -> Workload:
    from dataclasses import replace

    if workload.profile is not None or workload.average_requests_per_minute is not None:
        expected = "either the workload's own profile or average, or `profile`, not both"
        raise BadInput([Problem(f"workloads[{index}].profile", "another profile", expected)])
    if workload.requests_per_minute != profile.peak:
        expected = f"the peak of `profile` ({profile.peak}), as the rate follows from it"
        raise BadInput(
            [Problem(f"workloads[{index}].requests_per_minute", str(workload.requests_per_minute), expected)]
        )
    return replace(workload, profile=profile)


def count_tokens(
    requests: str | Mapping[str, Any] | Iterable[str | Mapping[str, Any]],
    *,
    model: str | None = None,
    encoding: str | None = None,
    approx: bool = False,
    image_size: str | None = None,
    catalog: Catalog | None = None,
) -> TokenCounts:
    """Input tokens of texts and of chat or Responses request bodies, each as OpenAI's tokenizer counts it, offline.

    A str is bare text, without the frame of a message; a mapping is a request body. `model` counts all as that model;
    without it the model that a body names does. `encoding` ("o200k_base") counts in that one instead of the model's own;
    `approx` estimates from the number of characters, for models without an encoding. `image_size` ("1024x768") is that of
    images that a body only links to. What is not published for the model is marked as an estimate. Raises BadInput with
    every problem.

    >>> count_tokens("hello world", model="gpt-4o").totals.input_tokens
    2
    >>> body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello world"}]}
    >>> count_tokens([body, body]).totals.mean_input_tokens
    Fraction(9, 1)
    """
    from ptucalc.read.prompt_counting import count_values

    return count_values(
        [requests] if isinstance(requests, (str, Mapping)) else requests,
        catalog or load_catalog(),
        model=model,
        encoding=encoding,
        approx=approx,
        image_size=image_size,
    )


def largest_rate(
    workload: Workload, ptu: int, *, catalog: Catalog | None = None, headroom: Exact = 0
) -> Fraction | None:
    """Largest rate of this workload's calls that fits in `ptu` PTU, in requests per minute; None if a call weighs 0.

    >>> call = Workload(model="gpt-4.1", requests_per_minute=1, input_tokens=2000, output_tokens=250)
    >>> largest_rate(call, 100)
    Fraction(100, 1)
    """
    from ptucalc import inverse

    return inverse.largest_rate(workload, ptu, catalog=catalog or load_catalog(), headroom=headroom)


def size_log(
    log: MeasuredLog,
    *,
    model: str | None = None,
    model_version: str | None = None,
    map_model: Mapping[str, str] | None = None,
    by: By = "deployment",
    percentile: str = "p99",
    catalog: Catalog | None = None,
    sku: str | Iterable[str] = "all",
    region: str | None = None,
    headroom: Exact = 0,
    output_weight: Exact | None = None,
    today: date | None = None,
) -> LogDemand:
    """Demand, percentiles and sizes of a log that `read_log` (or `FrameLog.of`) has read.

    `model` sizes all of it as that model; else `map_model` (deployment to model), the model and the deployment that rows
    name say which it is, and what is not known stays without sizes, with the reason. `by` is "deployment", "model" or
    "none": all together. `percentile` ("p99", "p99.9", "max") is of the weighted minutes, nearest rank, idle ones
    included. The rest is as for `size`. Raises BadInput with every problem.
    """
    from ptucalc.log_demand import analyse

    return analyse(
        log,
        catalog=catalog or load_catalog(),
        by=by,
        model=model,
        model_version=model_version,
        map_model=map_model,
        percentile=percentile,
        headroom=headroom,
        output_weight=output_weight,
        region=region,
        deployment_types=deployment_types_of(sku),
        version=__version__,
        today=today or date.today(),
    )


def log_workloads(log: MeasuredLog, demand: LogDemand) -> list[Workload]:
    """The log as workloads with its minutes, for `size` and `compare_costs`: those that `size_log` could size.

    They are sized at the percentile of `demand`; costs follow every minute, with its own mix of tokens.
    """
    from ptucalc.measured_workloads import workloads_of

    return workloads_of(demand, log.profiles)


def simulate(
    requests: CallTrace | Iterable[Call],
    offer: Offer | Model | str,
    *,
    ptu: int | Iterable[int] | None = None,
    policy: Policy | str = "none",
    window: Exact = 60,
    max_retries: int = 2,
    target_429: Exact | None = None,
    assumed_max_tokens: Exact | None = None,
    output_weight: Exact | None = None,
    sku: str = "global",
    sweep: bool = False,
    catalog: Catalog | None = None,
) -> SimulationResult:
    """Replay calls through the leaky bucket of a deployment of so many PTU: what it serves, refuses, spills.

    `requests` are calls, or the trace of a log (`read_log(..., calls=True).trace()`). `offer` is a model's name, a model
    (sold as `sku`) or one of its offers. Without `ptu` every legal size up to the first that meets no 429 is looked at, as
    it is with `sweep` or a `target_429` (a share of the requests), and the smallest that does is run. `policy` is "none",
    "retry", "spillover" or "retry-then-spillover"; `window` how many seconds of drain the bucket holds, which is not
    published. Raises BadInput with every problem.

    >>> from ptucalc import Call
    >>> calls = [Call(second * 1_000_000, uncached=2000, output=250) for second in range(60)]
    >>> result = simulate(calls, "gpt-4.1", ptu=[15, 60], window=10)
    >>> [(run.ptu, run.served, run.throttled_429) for run in result.runs]
    [(15, 18, 42), (60, 60, 0)]
    """
    from ptucalc.call_trace import CallTrace
    from ptucalc.catalog import Model, Offer, UnknownModel
    from ptucalc.read.fast_engine import engine_for
    from ptucalc.simulation import simulate as simulated

    known = catalog or load_catalog()
    problems: list[Problem] = []
    model: Model | None = offer if isinstance(offer, Model) else None
    kind = DeploymentType.GLOBAL
    try:
        kind = offer.deployment_type if isinstance(offer, Offer) else DeploymentType.parse(sku)
    except ValueError as error:
        problems.append(Problem("sku", sku, str(error)))
    if model is None:
        name = offer.model if isinstance(offer, Offer) else str(offer)
        try:
            model, _ = known.find(name)
        except UnknownModel as error:
            problems.append(Problem("offer", name, error.expected))
    weight: Fraction | None = None
    try:
        weight = None if output_weight is None else exact.weight(output_weight)
    except ValueError as error:
        problems.append(Problem("output_weight", str(output_weight), str(error)))
    if problems or model is None:
        raise BadInput(problems)
    trace = requests if isinstance(requests, CallTrace) else CallTrace.of(requests)
    sizes = None if ptu is None else [ptu] if isinstance(ptu, int) else list(ptu)
    counted = SWEPT_AT_ONCE if sizes is None or sweep or target_429 is not None else 0
    return simulated(
        trace,
        model,
        deployment_type=kind,
        ptu=sizes,
        window=window,
        policy=policy,
        max_retries=max_retries,
        assumed_max_tokens=assumed_max_tokens,
        target_429=target_429,
        output_weight=weight,
        largest_ptu=known.largest_deployment_ptu,
        sweep=sweep,
        engine=engine_for(len(trace), counted, len(sizes or (1,))),
    )


SWEPT_AT_ONCE = 256
"""About so many sizes are counted when all are looked at."""


def deployment_types_of(sku: str | Iterable[str]) -> tuple[DeploymentType, ...]:
    """The deployment types that "all", a name or several names mean, in the usual order. Raises BadInput."""
    names = [sku] if isinstance(sku, str) else list(sku)
    chosen: set[DeploymentType] = set()
    problems = []
    for name in names:
        try:
            chosen |= set(DeploymentType) if name.strip().casefold() == "all" else {DeploymentType.parse(name)}
        except ValueError as error:
            problems.append(Problem("sku", name, f"all, {error}"))
    if problems or not chosen:
        raise BadInput(problems or [Problem("sku", "", "all, global, data-zone or regional")])
    return tuple(kind for kind in DeploymentType if kind in chosen)
