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
    """Every note on these costs, in the order of the deployments."""
    notes: list[Note] = []
    for fact, cost in zip(facts, costs, strict=True):
        notes += _about_load(fact)
        notes += _about_unknown(fact, cost, prices)
        notes += _about_billing(fact, prices)
    notes += _about_region(facts, prices)
    return tuple(dict.fromkeys(notes))


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")


def _about_load(fact: Facts) -> Iterator[Note]:
    name = fact.deployment.name
    average = [label for label, w in fact.workloads if w.average_requests_per_minute is not None]
    flat = [label for label, w in fact.workloads if w.average_requests_per_minute is None and w.profile is None]
    loose = [label for label, w in fact.workloads if w.profile and not w.profile.timed]
    if average:
        message = (
            f"{_named(average)}: the average says how much is used, not when, so no mix of PTU and spillover can be seen "
            "from it: give a load profile."
        )
        yield Note("average_only", message, name)
    if flat:
        message = (
            f"{_named(flat)}: taken to run at the peak rate all the time; a load profile or an average says otherwise."
        )
        yield Note("flat_profile", message, name)
    if loose and len(fact.workloads) > 1:
        message = (
            f"{_named(loose)}: levels do not say when, so they are taken to be busiest when the deployment is; "
            "hourly profiles would show."
        )
        yield Note("levels_aligned", message, name)


def _about_unknown(fact: Facts, cost: DeploymentCost, prices: PriceBook) -> Iterator[Note]:
    where = f"{fact.deployment.name} {fact.kind.label}"
    if cost.payg_monthly_usd is None:
        nearest = cost.payg_nearest
        instead = "there is none near it"
        if nearest is not None:
            instead = f"the nearest known is {nearest.deployment_type.label} in {nearest.region}: ${nearest.payg_monthly_usd:,} a month"
            if nearest.region == cost.price_region:
                instead += f" (--payg-type {nearest.deployment_type.value} compares with it)"
        message = f"{where}: {cost.payg_reason}; {instead}. Not compared with pay-as-you-go."
        yield Note("payg_unknown", message, fact.deployment.name)
    for term, price in fact.ptu_prices.items():
        if isinstance(price, Unknown):
            code = "ptu_price_unknown" if term is PtuTerm.HOURLY else "reservation_unknown"
            near = prices.ptu(fact.kind, prices.default_region, term)
            known = ""
            if isinstance(near, PtuPrice):
                per = {PtuTerm.HOURLY: "an hour", PtuTerm.ONE_MONTH: "a month", PtuTerm.ONE_YEAR: "a year"}[term]
                there = f"${usd(near.published_usd):,} per PTU {per}"
                known = f"; the nearest known is that of {prices.default_region}: {there}"
            yield Note(code, f"{price.reason}{known}. --prices FILE gives yours.", fact.kind.value)


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
