"""The remarks a reader of the costs must see. Each rule is one function here, so that no report invents its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ptucalc.catalog import DeploymentType, TokenClass, Unknown
from ptucalc.cost_result import DeploymentCost
from ptucalc.money import usd
from ptucalc.prices import PriceBook, PtuPrice, PtuTerm
from ptucalc.results import Note, SizedDeployment
from ptucalc.workload import Workload

__all__ = ["Facts", "cost_notes"]


class Facts(NamedTuple):
    """What was found out about a deployment on one type while it was priced.

    `billed_as_input` are token classes of its calls that have no meter; `long_context` names workloads that are billed
    at long-context prices; `sources` are where its prices were read.
    """

    deployment: SizedDeployment
    kind: DeploymentType
    payg_type: DeploymentType
    region: str
    workloads: tuple[tuple[str, Workload], ...]
    ptu_prices: Mapping[PtuTerm, PtuPrice | Unknown]
    billed_as_input: tuple[TokenClass, ...]
    long_context: tuple[str, ...]
    sources: tuple[str, ...]


def cost_notes(facts: Sequence[Facts], costs: Sequence[DeploymentCost], prices: PriceBook) -> tuple[Note, ...]:
    """Every note on these costs: on the loads, on what is not known, on how it is billed."""
    notes = [*_about_loads(facts)]
    for fact, cost in zip(facts, costs, strict=True):
        notes += _about_payg(fact, cost)
        notes += _about_billing(fact, prices)
    notes += _about_ptu_prices(facts, prices)
    notes += _about_region(facts, prices)
    return tuple(dict.fromkeys(notes))


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6:,} more" if len(names) > 6 else "")


def _about_loads(facts: Sequence[Facts]) -> Iterator[Note]:
    """One note of a kind for all workloads; about a deployment where there is only one."""
    seen = {fact.deployment.name: fact for fact in facts}
    about = next(iter(seen)) if len(seen) == 1 else ""
    average, flat, loose = [], [], []
    for fact in seen.values():
        for name, workload in fact.workloads:
            if workload.average_requests_per_minute is not None:
                average.append(name)
            elif workload.profile is None:
                flat.append(name)
            elif not workload.profile.timed and len(fact.workloads) > 1:
                loose.append(name)
    if average:
        message = (
            f"{_named(average)}: an average says how much is used, not when, so no mix of PTU and spillover can be seen "
            "from it: give a load profile."
        )
        yield Note("average_only", message, about)
    if flat:
        message = (
            f"{_named(flat)}: taken to run at the peak rate all the time; a load profile or an average says otherwise."
        )
        yield Note("flat_profile", message, about)
    if loose:
        message = (
            f"{_named(loose)}: levels do not say when, so they are taken to be busiest when the deployment is; "
            "hourly profiles would show."
        )
        yield Note("levels_aligned", message, about)


def _about_payg(fact: Facts, cost: DeploymentCost) -> Iterator[Note]:
    if cost.payg_monthly_usd is not None:
        return
    nearest, instead = cost.payg_nearest, ""
    if nearest is not None:
        there = f"{nearest.deployment_type.label} in {nearest.region}: ${nearest.payg_monthly_usd:,} a month"
        instead = f"; the nearest known is {there}"
        if nearest.region == cost.price_region:
            instead += f" (--payg-type {nearest.deployment_type.value} compares with it)"
    message = f"{fact.deployment.name} {fact.kind.label}: {cost.payg_reason}{instead}."
    yield Note("payg_unknown", message, fact.deployment.name)


def _about_ptu_prices(facts: Sequence[Facts], prices: PriceBook) -> Iterator[Note]:
    """One note for each type and term whose price is not known somewhere, with the nearest known."""
    lacking: dict[tuple[DeploymentType, PtuTerm], list[str]] = {}
    for fact in facts:
        for term, price in fact.ptu_prices.items():
            if isinstance(price, Unknown):
                lacking.setdefault((fact.kind, term), []).append(fact.region)
    for (kind, term), regions in lacking.items():
        what = (
            f"{kind.label} PTU hourly price"
            if term is PtuTerm.HOURLY
            else f"{kind.label} {term.value} reservation price"
        )
        message = f"no {what} is known for {', '.join(sorted(set(regions)))}"
        near = prices.ptu(kind, prices.default_region, term)
        if isinstance(near, PtuPrice):
            per = {PtuTerm.HOURLY: "an hour", PtuTerm.ONE_MONTH: "a month", PtuTerm.ONE_YEAR: "a year"}[term]
            message += f"; the nearest known is {prices.default_region}: ${usd(near.published_usd):,} per PTU {per}"
        code = "ptu_price_unknown" if term is PtuTerm.HOURLY else "reservation_unknown"
        yield Note(code, f"{message}. --prices FILE takes yours.", kind.value)


def _about_billing(fact: Facts, prices: PriceBook) -> Iterator[Note]:
    model, name = fact.deployment.model, fact.deployment.name
    if fact.billed_as_input:
        classes = " and ".join(token_class.label for token_class in fact.billed_as_input)
        message = f"{model.name} {fact.payg_type.label} has no meter for {classes} tokens: billed as plain input."
        yield Note("billed_as_input", message, name)
    if fact.long_context:
        message = f"{_named(fact.long_context)}: pay-as-you-go bills the whole call at the long-context prices."
        yield Note("long_context_price", message, name)
    if fact.payg_type is not fact.kind:
        message = (
            f"{name} {fact.kind.label}: pay-as-you-go and spillover are priced as {fact.payg_type.label}, as asked."
        )
        yield Note("payg_type", message, name)
    if model.spillover is False:
        message = f"Azure spills no calls of {model.name} over to pay-as-you-go: a mix needs routing of your own."
        yield Note("no_spillover", message, name)
    key = prices.model_key(model.name, fact.deployment.model_version)
    for remark in prices.remarks.get(key or "", ()):
        yield Note("price_remark", f"prices of {model.name}: {remark}.", name)


def _about_region(facts: Sequence[Facts], prices: PriceBook) -> Iterator[Note]:
    if any(fact.deployment.region is None for fact in facts):
        message = f"no region was given: prices are those of {prices.default_region} (--region for another)."
        yield Note("default_region", message)
