"""Demand and offers to sizes; workloads to a plan.

    raw PTU = weighted TPM / TPM per PTU;  need = raw PTU x (1 + headroom);  PTU = max(minimum, need rounded up to the grid)

Source of the formulas: Microsoft's provisioned throughput sizing page, as the catalog names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from ptucalc import exact
from ptucalc.catalog import Catalog, DeploymentType, Model, Offer, Unknown
from ptucalc.demand import Demand
from ptucalc.errors import BadInput, Problem
from ptucalc.exact import Exact
from ptucalc.notes import notes_of
from ptucalc.pooling import Pool, Pooled
from ptucalc.resolving import Resolved, Resolver
from ptucalc.results import Note, Size, SizedDeployment, SizedWorkload, Sizes, needed
from ptucalc.sizing_result import SizingResult
from ptucalc.workload import Workload

if TYPE_CHECKING:
    from ptucalc.demand_profile import DemandProfile
    from ptucalc.flat_rows import Sold
    from ptucalc.measured import Settled

__all__ = ["Sizer", "plan"]


class Added(NamedTuple):
    """A workload that was added to its deployment: the deployment's key, the model found, its weighted TPM.

    `workload` is as given, or with the call and the rate that a log's minutes give it for the model.
    """

    key: object
    found: Resolved
    weighted: tuple[int, int]
    workload: Workload


class Sizer:
    """Sizes workloads: each alone (`size`), and pooled per deployment (`add` each, then `deployments`).

    It takes one workload at a time and keeps sums, not workloads, so a file of any length fits.
    """

    def __init__(self, resolver: Resolver, headroom: Fraction = Fraction(0)) -> None:  # immutable
        self.resolver = resolver
        self.headroom = headroom
        self.pool = Pool()
        self._offers: dict[object, tuple[Offer, bool | None, str]] = {}
        self._settled: dict[tuple[object, ...], tuple[DemandProfile, Settled]] = {}

    def size(self, workload: Workload, name: str | None = None) -> SizedWorkload:
        """What the workload would need alone, for each deployment type. Raises BadInput where it cannot be sized."""
        calls = None
        if workload.profile is not None and workload.profile.demand is not None:
            workload, found, calls, weighted = self._settle(workload)
            demand = Demand.of(workload)
        else:
            found = self.resolver.resolve(workload)
            demand = Demand.of(workload)
            weighted = demand.weighted(found.weights)
        rate = (workload.requests_per_minute.numerator, workload.requests_per_minute.denominator)
        sizes = self.sizes_of(found.model, found.version, workload.region, found.kinds, weighted, rate)
        name = name or workload.name or "workload"
        return SizedWorkload(name, workload, found.model, found.version, found.weights, demand, weighted, sizes, calls)

    def add(self, workload: Workload, name: str | None = None) -> Added:
        """Add the workload to its deployment. Raises BadInput where it cannot be sized."""
        name = name or workload.name or "workload"
        if workload.profile is not None and workload.profile.demand is not None:
            workload, found, calls, weighted = self._settle(workload)
            key = self.pool.add_measured(workload, name, found, calls)
            _mark(self.pool.deployments[key], workload, name, found)
            return Added(key, found, weighted, workload)
        found = self.resolver.resolve(workload)
        demand = Demand.of(workload)
        weighted = demand.weighted(found.weights)
        key = self.pool.add(workload, name, found, demand, weighted)
        _mark(self.pool.deployments[key], workload, name, found)
        return Added(key, found, weighted, workload)

    def _settle(self, workload: Workload) -> Settled:
        """The workload as its minutes make it for its model; remembered, since a file is gone through more than once."""
        from ptucalc.measured import settle

        w, profile = workload, workload.profile
        assert profile is not None and profile.demand is not None
        model = (w.model, w.model_version, w.region, w.deployment_type, w.output_weight)
        key = (id(profile.demand), profile.percentile, model)
        if key not in self._settled:
            self._settled[key] = (profile.demand, settle(workload, self.resolver))  # kept, so that its id stays its own
        settled = self._settled[key][1]
        call = {field: getattr(settled.workload, field) for field in profile.call}
        return settled._replace(workload=workload.with_call(call, settled.workload.requests_per_minute))

    def sold(self, found: Resolved, region: str | None) -> tuple[Sold, ...]:
        """The deployment types of a workload, as flat rows show them."""
        from ptucalc.flat_rows import Sold

        rows = []
        for kind in found.kinds:
            offer, available, reason = self._offer(found.model, found.version, region, kind)
            grid = None if available is False else offer.grid
            rows.append(Sold(kind.value, kind.sku_name, available, reason or None, grid, found.tpm_per_ptu))
        return tuple(rows)

    def deployments(self) -> dict[object, SizedDeployment]:
        """The deployments of what was added, by key, in order of appearance: what to buy."""
        names = self.pool.names()
        return {key: self._deployment(pooled, names[key]) for key, pooled in self.pool.deployments.items()}

    def result(
        self, workloads: Sequence[SizedWorkload], keys: Sequence[object], *, version: str, today: date
    ) -> SizingResult:
        """All that was added and sized, with totals and notes. `today` decides what is retired."""
        catalog = self.resolver.catalog
        deployments = self.deployments()
        sized = tuple(deployments.values())
        return SizingResult(
            version=version,
            catalog_as_of=catalog.as_of,
            catalog_editions=catalog.editions,
            oldest_check=catalog.oldest_check(deployment.model for deployment in sized),
            headroom=self.headroom,
            workloads=tuple(workloads),
            deployments=sized,
            deployment_of=tuple(deployments[key].name for key in keys),
            totals=_totals(self.resolver.deployment_types, sized),
            notes=self.notes(sized, today),
        )

    def notes(self, deployments: Sequence[SizedDeployment], today: date) -> tuple[Note, ...]:
        """The remarks on the deployments of what was added."""
        pooled = list(self.pool.deployments.values())
        return notes_of(self.resolver.catalog, pooled, deployments, self.headroom, today)

    def _deployment(self, pooled: Pooled, name: str) -> SizedDeployment:
        weighted, rate = (value.as_integer_ratio() for value in pooled.peak())
        busiest = None
        if pooled.measured:
            highest, rate_then = (value.as_integer_ratio() for value in pooled.peak(at_maximum=True))
            busiest = (highest, rate_then)
        return SizedDeployment(
            name=name,
            model=pooled.model,
            model_version=pooled.version,
            deployment_type=pooled.kind,
            region=pooled.region,
            workloads=tuple(pooled.names),
            workload_count=pooled.count,
            weighted=weighted,
            rate=rate,
            added_peaks_weighted=pooled.weighted[0].total.as_integer_ratio(),
            sizes=self.sizes_of(pooled.model, pooled.version, pooled.region, pooled.kinds, weighted, rate),
            busiest=busiest,
        )

    def sizes_of(
        self,
        model: Model,
        version: str | None,
        region: str | None,
        kinds: Iterable[DeploymentType],
        weighted: tuple[int, int],
        rate: tuple[int, int],
    ) -> Sizes:
        """The sizes of so many weighted tokens per minute, by deployment type; `rate` is the requests per minute."""
        tpm, target = model.tpm_per_ptu, model.latency_target
        if isinstance(tpm, Unknown):
            raise ValueError(f"{model.name} was never resolved: it has no TPM per PTU")
        tokens_per_second = None if isinstance(target, Unknown) else target.tokens_per_second
        headroom = (self.headroom.numerator, self.headroom.denominator)
        need = needed(weighted, headroom, tpm)
        sizes = {}
        for kind in kinds:
            offer, available, reason = self._offer(model, version, region, kind)
            ptu = None if offer.grid is None or available is False else offer.grid.round_up(*need)
            sizes[kind.value] = Size(offer, tpm, available, reason, ptu, weighted, rate, headroom, tokens_per_second)
        return sizes

    def _offer(
        self, model: Model, version: str | None, region: str | None, kind: DeploymentType
    ) -> tuple[Offer, bool | None, str]:
        key = (model.name, version, region, kind)
        found = self._offers.get(key)
        if found is None:
            offer = model.offer(kind)
            place = model.availability(kind, version=version, region=region)
            found = (offer, place.available, place.reason)
            if offer.grid is None and place.available is not False:
                found = (offer, None, f"no sizes are published for {model.name} as {kind.label}")
            self._offers[key] = found
        return found


def plan(
    workloads: Iterable[Workload],
    *,
    catalog: Catalog,
    deployment_types: Sequence[DeploymentType] = tuple(DeploymentType),
    headroom: Exact = 0,
    version: str,
    today: date,
) -> SizingResult:
    """Size workloads alone and pooled per deployment. Raises BadInput with the problems of all of them."""
    try:
        sizer = Sizer(Resolver(catalog, deployment_types), exact.headroom(headroom))
    except ValueError as error:
        raise BadInput([Problem("headroom", str(headroom), str(error))]) from None
    problems: list[Problem] = []
    sized, keys, names = [], [], set()
    listed = list(workloads)
    given = {workload.name for workload in listed}
    for number, workload in enumerate(listed, start=1):
        name = workload.name or ("workload" if len(listed) == 1 else _free_name(number, given))
        try:
            if name in names:
                raise BadInput([Problem("name", name, "a name that no other workload has")])
            names.add(name)
            keys.append(sizer.add(workload, name).key)
            sized.append(sizer.size(workload, name))
        except BadInput as error:
            label = "{}" if len(listed) == 1 else f"workloads[{number - 1}] ({name}).{{}}"
            problems.extend(problem.at(label=label.format(problem.field)) for problem in error.problems)
    if problems:
        raise BadInput(problems)
    if not listed:
        raise BadInput([Problem("workloads", "", "at least one workload")])
    return sizer.result(sized, keys, version=version, today=today)


def _free_name(number: int, given: set[str | None]) -> str:
    """A name for the workload at this place that the user has not given to another."""
    name = f"workload-{number}"
    while name in given:
        name += "-unnamed"
    return name


def _totals(kinds: Iterable[DeploymentType], deployments: Iterable[SizedDeployment]) -> dict[str, int | None]:
    totals: dict[str, int | None] = {kind.value: 0 for kind in kinds}
    for deployment in deployments:
        for kind, size in deployment.sizes.items():
            before = totals.get(kind, 0)
            totals[kind] = None if before is None or size.ptu is None else before + size.ptu
    counted = {kind for deployment in deployments for kind in deployment.sizes}
    return {kind: total for kind, total in totals.items() if kind in counted}


def _mark(pooled: Pooled, workload: Workload, name: str, found: Resolved) -> None:
    """Remember which notes this workload calls for."""
    model, tokens = found.model, workload.input_tokens
    if workload.profile is not None and workload.profile.demand is not None:
        if pooled.measured[-1][1].long & set(pooled.measured[-1][1].weights[0]):
            pooled.mark("long_context", name)
    else:
        if model.long_context and tokens > model.long_context.over_input_tokens:
            pooled.mark("long_context", name)
        if model.prompt_limit_tokens and 2 * tokens >= model.prompt_limit_tokens:
            pooled.mark("prompt_limit", name)
    cached, written = model.weights.cached_input, model.weights.cache_write
    if (workload.cache_ratio and isinstance(cached, Unknown)) or (
        workload.cache_write_ratio and isinstance(written, Unknown)
    ):
        pooled.mark("cached_weight_unknown", name)
    if workload.output_weight is not None and found.weights.output != model.weights.output:
        pooled.mark("output_weight_given", name)
