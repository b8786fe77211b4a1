"""The remarks a reader of the costs must see. Each rule is one function here, so that no report invents its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from ptucalc.catalog import Catalog, DeploymentType, TokenClass, Unknown, nearest
from ptucalc.deployment_cost import DeploymentCost
from ptucalc.load import common_axis
from ptucalc.money import usd
from ptucalc.prices import PriceBook, PtuPrice, PtuTerm
from ptucalc.results import Note, SizedDeployment
from ptucalc.workload import Workload

__all__ = ["Facts", "cost_notes", "unmatched_prices"]


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
    token_sources: frozenset[str]


def cost_notes(
    facts: Sequence[Facts], costs: Sequence[DeploymentCost], prices: PriceBook, headroom: Fraction
) -> tuple[Note, ...]:
    """Every note on these costs: on the loads, on mixes, on what is not known, on how it is billed."""
    notes = [*_about_loads(facts), *_about_mixes(costs, headroom)]
    for fact, cost in zip(facts, costs, strict=True):
        notes += _about_payg(fact, cost)
        notes += _about_billing(fact, prices)
    notes += _about_ptu_prices(facts, prices)
    notes += _about_asking(facts, costs, prices)
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
        axis = common_axis([workload for _, workload in fact.workloads])
        for name, workload in fact.workloads:
            if workload.average_requests_per_minute is not None:
                average.append(name)
            elif workload.profile is None:
                flat.append(name)
            elif workload.profile.demand is not None:
                continue  # has notes of its own
            elif len(fact.workloads) > 1 and (axis is None or workload.profile.axis != axis):
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
            f"{_named(loose)}: when it is busy cannot be laid beside the others' profiles, so it is taken to be busiest when "
            "the deployment is; hourly profiles of all would show."
        )
        yield Note("levels_aligned", message, about)


def _about_mixes(costs: Sequence[DeploymentCost], headroom: Fraction) -> Iterator[Note]:
    """What a reader of a mix must know; said once."""
    mixes = [mix for cost in costs for mix in cost.hybrid.values() if mix and mix.ptu not in (0, cost.peak_ptu)]
    if not mixes:
        return
    yield Note(
        "mix_is_a_lower_bound",
        "a mix is priced from the load as given: bursts within its minutes, hours or levels spill more, so it costs at "
        "least this.",
    )
    if headroom:
        message = (
            f"mixes are sized without the headroom; PTU for the whole peak include it ({float(headroom * 100):g}%)."
        )
        yield Note("mix_without_headroom", message)


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
        yield Note(code, f"{message}.", kind.value)


def _about_asking(facts: Sequence[Facts], costs: Sequence[DeploymentCost], prices: PriceBook) -> Iterator[Note]:
    """Where Azure can be asked for what the list does not know."""
    regions = set()
    for fact, cost in zip(facts, costs, strict=True):
        key = prices.model_key(fact.deployment.model.name, fact.deployment.model_version)
        sold = key is not None and fact.payg_type in prices.models[key]
        if (cost.payg_monthly_usd is None and sold) or any(isinstance(p, Unknown) for p in fact.ptu_prices.values()):
            regions.add(fact.region)
    if regions:
        listed = sorted(regions)
        message = f"`ptucalc prices refresh --region {listed[0]}` asks Azure for what is not known of it"
        message += f" (and of {', '.join(listed[1:])} likewise)" if listed[1:] else ""
        yield Note("ask_azure", f"{message}; --prices takes the file it writes, or your own prices.")


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
    if prices.ptu_publishers and model.publisher not in prices.ptu_publishers:
        message = (
            f"PTU of {model.publisher} models have meters of their own: the prices here were read for "
            f"{' and '.join(prices.ptu_publishers)} models and need not be the same."
        )
        yield Note("ptu_price_of_others", message, name)
    if fact.token_sources & set(prices.editions[1:]) and fact.token_sources - set(prices.editions[1:]):
        message = f"{name} {fact.kind.label}: some token prices are from {' and '.join(prices.editions[1:])}, the others list prices."
        yield Note("prices_mixed", message, name)
    if model.spillover is False:
        message = f"Azure spills no calls of {model.name} over to pay-as-you-go: a mix needs routing of your own."
        yield Note("no_spillover", message, name)
    key = prices.model_key(model.name, fact.deployment.model_version)
    for remark in prices.remarks.get(key or "", ()):
        yield Note("price_remark", f"prices of {model.name}: {remark}.", name)


def unmatched_prices(prices: PriceBook, catalog: Catalog) -> tuple[Note, ...]:
    """Notes on names in the user's price files that nothing has: a slip changes no price, and must not pass unseen."""
    notes = []
    if prices.own_models:
        known = {name.casefold() for m in catalog for name in (m.name, *(f"{m.name}-{v}" for v in m.versions))}
        unknown = [name for name in prices.own_models if name.casefold() not in known | prices.list_models]
        if unknown:
            message = f"the price files name {_named(unknown)}, which no model of the catalog is called: not used."
            notes.append(Note("prices_unmatched", message))
    strange = [region for region in prices.own_regions if region not in prices.list_regions | catalog.regions]
    if strange:
        near = {region: nearest(region, catalog.regions | prices.list_regions) for region in strange}
        said = [f"{region} ({' or '.join(near[region])}?)" if near[region] else region for region in strange]
        message = f"the price files name {_named(said)}, where no model is known to be offered."
        notes.append(Note("prices_unmatched", message))
    return tuple(notes)


def _about_region(facts: Sequence[Facts], prices: PriceBook) -> Iterator[Note]:
    if any(fact.deployment.region is None for fact in facts):
        message = f"no region was given: prices are those of {prices.default_region} (--region for another)."
        yield Note("default_region", message)
