"""Sized deployments and prices to what each way to buy costs.

A month is 730 hours. Pay-as-you-go bills every class of token at its own price, at the scope and region of the
deployment; PTU are a price per PTU-month on a term. Formulas: `hybrid` (mix, break-even rates), `load` (time).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from ptucalc import exact
from ptucalc.catalog import DeploymentType, Unknown
from ptucalc.cost_notes import cost_notes
from ptucalc.cost_result import CostComparison, Unanswered
from ptucalc.costing import Costing
from ptucalc.deployment_cost import DeploymentCost
from ptucalc.deployment_load import DeploymentLoad, Stream
from ptucalc.errors import BadInput, Problem
from ptucalc.exact import Exact
from ptucalc.money import usd
from ptucalc.prices import PriceBook, PtuPrice, PtuTerm
from ptucalc.pricing import Asked
from ptucalc.reservations import Reservation
from ptucalc.results import Note, SizedDeployment, SizedWorkload
from ptucalc.sizing_result import SizingResult

__all__ = ["compare"]


def compare(
    sized: SizingResult,
    prices: PriceBook,
    *,
    largest_ptu: int,
    discount: Exact = 0,
    payg_type: DeploymentType | None = None,
    terms: Sequence[PtuTerm] = tuple(PtuTerm),
    what_ifs: bool = True,
    notes: Sequence[Note] = (),
) -> CostComparison:
    """What each sized deployment costs, on each type that it has a size on. Raises BadInput.

    `largest_ptu` is the most that one deployment may have; `discount` a share off every PTU price. `payg_type` prices pay-as-you-go (and spillover) at another scope than
    the deployment's own; `terms` are those to price; without `what_ifs` none are computed;
    `notes` are added. Prices are those of the deployment's region, or else of the book's default region.
    """
    try:
        off = exact.discount(discount)
    except ValueError as error:
        raise BadInput([Problem("discount", str(discount), str(error))]) from None
    streams: dict[str, list[Stream]] = {}
    for workload, name in zip(sized.workloads, sized.deployment_of, strict=True):
        streams.setdefault(name, []).append(Stream.of(workload))
    asked = Asked(prices, 1 - off, payg_type, sized.headroom, largest_ptu, tuple(terms), what_ifs)
    costed = []
    for deployment in sized.deployments:
        load = DeploymentLoad(streams[deployment.name])
        peak = deployment.at_maximum
        sizes = [size for size in peak.sizes.values() if size.ptu is not None]
        costed += [Costing(peak, size, load, asked) for size in sizes]
    facts = [costing.pricing.facts for costing in costed]
    deployments = tuple(costing.result() for costing in costed)
    used = list(dict.fromkeys(name for fact in facts for name in fact.sources if name in prices.sources))
    return CostComparison(
        version=sized.version,
        catalog_as_of=sized.catalog_as_of,
        catalog_editions=sized.catalog_editions,
        prices_as_of=prices.as_of,
        price_editions=prices.editions,
        oldest_price_capture=prices.oldest_capture(used),
        price_sources=tuple(sorted((prices.sources[name] for name in used), key=lambda s: (s.checked, s.name))),
        headroom=sized.headroom,
        discount=off,
        deployments=deployments,
        unanswered=tuple(_unanswered(deployment) for deployment in sized.unanswered),
        reservations=tuple(_reservations(deployments, prices, 1 - off)),
        notes=(*sized.notes, *cost_notes(facts, deployments, prices, sized.headroom), *_log_notes(sized), *notes),
    )


def _log_notes(sized: SizingResult) -> tuple[Note, ...]:
    if all(each.measured is None for each in sized.workloads):
        return ()
    from ptucalc.measured_notes import cost_notes_of_logs

    workloads: dict[str, list[SizedWorkload]] = {}
    for each, name in zip(sized.workloads, sized.deployment_of, strict=True):
        workloads.setdefault(name, []).append(each)
    return cost_notes_of_logs(sized.deployments, workloads)


def _unanswered(deployment: SizedDeployment) -> Unanswered:
    reasons = dict.fromkeys(size.reason for size in deployment.sizes.values())
    given = deployment.deployment_type is not None
    return Unanswered(deployment.name, deployment.model.name, given, "; ".join(reasons))


def _reservations(
    deployments: Sequence[DeploymentCost], prices: PriceBook, price_factor: Fraction
) -> Iterator[Reservation]:
    """What to reserve for each choice of the open deployments' type: one per type, region and term that they share.

    Only types that every open deployment has an entry for; none where nothing is to be reserved.
    """
    open_names = {d.name for d in deployments if not d.type_given}
    kinds: list[DeploymentType | None] = [
        kind
        for kind in DeploymentType
        if open_names and open_names <= {d.name for d in deployments if d.deployment_type is kind}
    ]
    for open_as in kinds if open_names else [None]:
        pools: dict[tuple[DeploymentType, str], list[DeploymentCost]] = {}
        for deployment in deployments:
            kind = deployment.deployment_type
            if deployment.type_given or kind is open_as:
                region = "" if kind is DeploymentType.GLOBAL else deployment.price_region
                pools.setdefault((kind, region), []).append(deployment)
        for (kind, region), members in pools.items():
            for term in (PtuTerm.ONE_MONTH, PtuTerm.ONE_YEAR):
                price = prices.ptu(kind, region or members[0].price_region, term)
                if not isinstance(price, Unknown):
                    yield from _reservation(open_as, kind, region, term, members, price, price_factor)


def _reservation(
    open_as: DeploymentType | None,
    kind: DeploymentType,
    region: str,
    term: PtuTerm,
    members: Sequence[DeploymentCost],
    price: PtuPrice,
    price_factor: Fraction,
) -> Iterator[Reservation]:
    mixes = [(member.name, member.hybrid[term]) for member in members]
    bought = tuple((name, mix.ptu) for name, mix in mixes if mix and mix.ptu)
    ptu = sum(count for _, count in bought)
    if ptu:
        yield Reservation(
            open_as=open_as,
            deployment_type=kind,
            region=region or None,
            term=term,
            ptu=ptu,
            ptu_by_deployment=bought,
            not_counted=tuple(name for name, mix in mixes if mix is None),
            usd_per_ptu=price.published_usd * price_factor,
            term_usd=usd(price.published_usd * price_factor * ptu),
            monthly_usd=usd(price.usd_per_month * price_factor * ptu),
        )
