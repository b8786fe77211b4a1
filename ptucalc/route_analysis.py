"""Calls and a route to the report of `simulate --route`: replayed, priced, with notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Protocol

from ptucalc.call_groups import CallGroup
from ptucalc.catalog import DeploymentType, Model, Unknown
from ptucalc.errors import BadInput, Problem
from ptucalc.prices import PtuTerm
from ptucalc.request_log import LogSource
from ptucalc.route_notes import notes_of_route
from ptucalc.route_replay import replay_route
from ptucalc.route_report import RouteCost, RoutedBackend, RouteReport
from ptucalc.route_run import BackendRun
from ptucalc.routing import Backend, Provisioned, Route, Standard
from ptucalc.simulation_analysis import Asked, Facts
from ptucalc.simulation_report import Synthetic
from ptucalc.spill_mix import Clock, SpillPrices
from ptucalc.standard_tiers import CapacityUnit, StandardLimits

__all__ = ["Asking", "analyse_route", "placed_route"]


class Asking(Protocol):
    """What calls ask for, as far as a backend does not say it."""

    @property
    def model(self) -> Model | None: ...

    @property
    def model_version(self) -> str | None: ...

    @property
    def deployment_type(self) -> DeploymentType: ...

    @property
    def region(self) -> str | None: ...


def placed_route(route: Route, calls: Asking, limits: StandardLimits) -> Route:
    """The route with what its backends leave out: the calls' model, deployment type and region.

    RPM are those that come with the TPM, where that is known.
    """
    return replace(route, backends=tuple(_placed(backend, calls, limits) for backend in route.backends))


def _placed(backend: Backend, calls: Asking, limits: StandardLimits) -> Backend:
    model = backend.model or calls.model
    version = backend.model_version if backend.model else calls.model_version
    kind, region = backend.deployment_type or calls.deployment_type, backend.region or calls.region
    found = replace(backend, model=model, model_version=version, deployment_type=kind, region=region)
    if isinstance(found, Standard) and found.tpm is not None and found.rpm is None and model is not None:
        unit = limits.capacity_unit(model.name, kind, version)
        if isinstance(unit, CapacityUnit):
            return replace(found, rpm=unit.rpm_with(found.tpm))
    return found


def analyse_route(
    groups: Sequence[CallGroup],
    route: Route,
    asked: Asked,
    facts: Facts,
    *,
    source: LogSource | None,
    synthetic: Synthetic | None,
    clock: Clock,
    mean_calls: bool = False,
) -> RouteReport:
    """Send the calls of a group along the route. `clock` is the time that they stand for.

    Raises BadInput where there are several groups: calls that go through one gateway are replayed together.
    """
    if len(groups) != 1:
        found = ", ".join(group.name for group in groups[:10])
        raise BadInput([Problem("route", found, "calls of one deployment: all calls go along the one route")])
    (group,) = groups
    catalog, prices = facts.catalog, facts.money.prices
    placed = placed_route(route, group, facts.limits)
    models = [backend.model for backend in placed.backends if backend.model]
    report = RouteReport(
        version=facts.version,
        catalog_as_of=catalog.as_of,
        catalog_editions=catalog.editions,
        oldest_check=catalog.oldest_check(models),
        price_editions=prices.editions,
        prices_as_of=prices.as_of,
        source=source,
        synthetic=synthetic,
        group=group,
        clock=clock,
        run=None,
    )
    problems = _problems(group, placed)
    if problems or group.model is None:
        return replace(report, problems=tuple(problems))
    try:
        run = replay_route(
            group.trace,
            placed,
            group.model,
            output_weight=asked.output_weight,
            assumed_max_tokens=asked.assumed_max_tokens,
            best_of=asked.standard.best_of if asked.standard else 1,
        )
    except BadInput as error:
        return replace(report, problems=error.problems)
    pairs = zip(run.backends, route.backends, strict=True)
    backends = tuple(_priced(each, given, group, facts, clock) for each, given in pairs)
    report = replace(report, run=run, backends=backends, costs=tuple(_costs(backends, facts.money.terms)))
    return replace(report, notes=tuple(dict.fromkeys(notes_of_route(report, mean_calls))))


def _problems(group: CallGroup, route: Route) -> list[Problem]:
    """Calls of no known model, and PTU that cannot be had."""
    if group.model is None:
        return [group.problem or Problem("model", group.model_name, "a known model")]
    problems = []
    for index, backend in enumerate(route.backends):
        if not isinstance(backend, Provisioned) or backend.model is None or backend.deployment_type is None:
            continue
        kind = backend.deployment_type
        place = backend.model.availability(kind, version=backend.model_version, region=backend.region)
        if place.available is False:
            expected = f"a place where it can be deployed ({place.reason})"
            found = f"{backend.model.name} {kind.value}{f' {backend.region}' if backend.region else ''}"
            problems.append(Problem(f"backends[{index}]", found, expected, label=f"backend {backend.name}"))
    return problems


def _priced(run: BackendRun, given: Backend, group: CallGroup, facts: Facts, clock: Clock) -> RoutedBackend:
    backend, money = run.backend, facts.money
    model, kind = backend.model, backend.deployment_type
    assert model is not None and kind is not None
    place = group._replace(
        model=model, model_version=backend.model_version, deployment_type=kind, region=backend.region
    )
    prices = SpillPrices.of(place, money.prices, clock)
    grid, reason, followed = model.offer(kind).grid, "", False
    fixed: dict[PtuTerm, Fraction | Unknown] = {}
    if isinstance(backend, Provisioned):
        for term in money.terms:
            price = money.prices.ptu(kind, prices.region, term)
            factor = backend.ptu * (1 - money.discount)
            fixed[term] = price if isinstance(price, Unknown) else price.usd_per_month * factor
    elif isinstance(given, Standard):
        followed = backend.rpm is not None and given.rpm is None
        unit = facts.limits.capacity_unit(model.name, kind, backend.model_version)
        if backend.tpm is not None and backend.rpm is None:
            reason = unit.reason if isinstance(unit, Unknown) else f"under one a minute at {backend.tpm:,} TPM"
    provisioned = isinstance(backend, Provisioned)
    return RoutedBackend(
        run=run,
        model=model.name,
        deployment_type=kind,
        region=backend.region,
        price_region=prices.region,
        availability=model.availability(kind, version=backend.model_version, region=backend.region)
        if provisioned
        else None,
        legal=grid.holds(backend.ptu) if isinstance(backend, Provisioned) and grid else None,
        rpm_from_tpm=followed,
        unit_reason=reason,
        fixed_usd=fixed,
        tokens_usd=Fraction(0) if provisioned else prices.monthly(run.tokens),
    )


def _costs(backends: Sequence[RoutedBackend], terms: Sequence[PtuTerm]) -> list[RouteCost]:
    """All backends together, for each term; without PTU once."""
    tokens = _sum([(each.name, each.tokens_usd) for each in backends])
    if not any(each.fixed_usd for each in backends):
        return [RouteCost(None, Fraction(0), tokens)]
    fixed = [each for each in backends if each.fixed_usd]
    return [RouteCost(term, _sum([(each.name, each.fixed_usd[term]) for each in fixed]), tokens) for term in terms]


def _sum(amounts: Sequence[tuple[str, Fraction | Unknown]]) -> Fraction | Unknown:
    """The sum; Unknown, naming the backend, where one of them is."""
    total = Fraction(0)
    for name, amount in amounts:
        if isinstance(amount, Unknown):
            return Unknown(f"{name}: {amount.reason}")
        total += amount
    return total
