"""What spilled calls cost, and the cheapest PTU + spillover: by whole calls, and minute by minute as `cost` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from ptucalc.call_groups import CallGroup
from ptucalc.call_minutes import demand_of
from ptucalc.call_trace import MICROSECONDS_PER_MINUTE
from ptucalc.catalog import Catalog, Unknown
from ptucalc.cost import compare
from ptucalc.deployment_cost import DeploymentCost
from ptucalc.errors import BadInput
from ptucalc.log_minutes import MAXIMUM
from ptucalc.log_models import thresholds_of
from ptucalc.money import usd
from ptucalc.prices import PriceBook, PtuTerm, TokenPrices
from ptucalc.request_log import LogSource
from ptucalc.simulated_runs import TokenSums
from ptucalc.simulation_result import SimulationResult
from ptucalc.sizing import plan
from ptucalc.spill_cost import MixPoint, cheapest_mix, monthly_usd
from ptucalc.workload import LoadProfile, Workload

__all__ = ["Clock", "Mix", "Money", "Priced", "SpillPrices", "by_the_minute", "mixes"]


class Clock(NamedTuple):
    """The time that calls stand for: from which clock minute on, how many minutes, and how long exactly."""

    first_minute: int
    minutes: int
    length_us: int

    @classmethod
    def of_log(cls, source: LogSource) -> Clock:
        """All clock minutes of the log, or of the window that was asked for, as in `logs` and `cost`."""
        first, last = (at // MICROSECONDS_PER_MINUTE for at in (source.first, source.last))
        minutes = last - first + 1
        return cls(first, minutes, minutes * MICROSECONDS_PER_MINUTE)


class Money(NamedTuple):
    """What the calls are priced with: a share off every PTU price, and the terms to look at."""

    prices: PriceBook
    discount: Fraction
    terms: tuple[PtuTerm, ...]


class Priced(NamedTuple):
    """A number of PTU with its fixed price and the price of what it spills, in dollars a month."""

    ptu: int
    fixed_usd: Decimal
    spilled_usd: Decimal
    monthly_usd: Decimal


class Mix(NamedTuple):
    """The cheapest number of PTU on a term, the rest spilled: of whole calls, and of minutes as `cost` sees them.

    `whole_calls_spilled_usd` is what whole calls spill at the size that the minutes would choose. None where it is not
    known: `reason` says why.
    """

    term: PtuTerm
    calls: Priced | None
    minutes: Priced | None
    whole_calls_spilled_usd: Decimal | None
    reason: str = ""


@dataclass(frozen=True)
class SpillPrices:
    """The pay-as-you-go prices of a model's calls, usual and long-context ones, and the time that the calls stand for."""

    region: str
    usual: TokenPrices | Unknown
    long_context: TokenPrices | Unknown
    length_us: int = field(repr=False)

    @classmethod
    def of(cls, group: CallGroup, prices: PriceBook, clock: Clock) -> SpillPrices:
        """At the scope and region of the group's deployment."""
        model = group.model
        assert model is not None
        region = group.region or prices.default_region
        version = model.only_version(group.model_version)

        def known(*, long_context: bool) -> TokenPrices | Unknown:
            return prices.tokens(
                model.name,
                version,
                group.deployment_type,
                region,
                long_context=long_context,
                publisher=model.publisher,
            )

        return cls(region, known(long_context=False), known(long_context=True), clock.length_us)

    def monthly(self, tokens: TokenSums) -> Fraction | Unknown:
        """Dollars a month of such tokens in the time that the calls stand for."""
        found = monthly_usd(tokens, self.length_us, self.usual, self.long_context)
        return found if isinstance(found, Unknown) else found * MICROSECONDS_PER_MINUTE


def by_the_minute(
    group: CallGroup,
    clock: Clock,
    money: Money,
    *,
    catalog: Catalog,
    output_weight: Fraction | None,
    version: str,
    today: date,
) -> DeploymentCost | Unknown:
    """The same calls as `cost` prices a log: the demand above the capacity spills, minute by minute."""
    assert group.model is not None
    profile = group.profile or demand_of(
        group.trace, thresholds_of(catalog), first_minute=clock.first_minute, minutes=clock.minutes
    )
    try:
        workload = Workload(
            name="calls",
            model=group.model.name,
            model_version=group.model_version,
            region=group.region,
            deployment_type=group.deployment_type,
            output_weight=None if group.model.weights.output is None else output_weight,
            profile=LoadProfile.from_demand(profile, MAXIMUM),
        )
        sized = plan([workload], catalog=catalog, version=version, today=today)
        compared = compare(
            sized,
            money.prices,
            largest_ptu=catalog.largest_deployment_ptu,
            discount=money.discount,
            terms=money.terms,
            what_ifs=False,
        )
    except BadInput as error:
        return Unknown(error.problems[0].expected)
    if not compared.deployments:
        return Unknown("; ".join(each.reason for each in compared.unanswered))
    return compared.deployments[0]


def mixes(
    result: SimulationResult, prices: SpillPrices, money: Money, minutes: DeploymentCost | Unknown, group: CallGroup
) -> tuple[Mix, ...]:
    """For each term the cheapest size of the sweep (or no PTU at all), and what the minutes would choose."""
    spilled: dict[int, Fraction | Unknown] = {0: prices.monthly(result.tokens)}
    spilled |= {point.ptu: prices.monthly(point.tokens_refused) for point in result.sweep}
    return tuple(_mix(term, spilled, prices, money, minutes, group, bool(result.sweep)) for term in money.terms)


def _mix(
    term: PtuTerm,
    spilled: Mapping[int, Fraction | Unknown],
    prices: SpillPrices,
    money: Money,
    minutes: DeploymentCost | Unknown,
    group: CallGroup,
    swept: bool,
) -> Mix:
    per_ptu = money.prices.ptu(group.deployment_type, prices.region, term)
    hybrid = None if isinstance(minutes, Unknown) else minutes.hybrid[term]
    at_minute = None if hybrid is None else spilled.get(hybrid.ptu)
    of_minutes = None
    if hybrid is not None:
        amounts = (hybrid.fixed_monthly_usd, hybrid.spillover_monthly_usd, hybrid.monthly_usd)
        of_minutes = Priced(hybrid.ptu, *amounts)
    at_minute_usd = usd(at_minute) if isinstance(at_minute, Fraction) else None
    unknown = [each for each in (per_ptu, *spilled.values()) if isinstance(each, Unknown)]
    if isinstance(per_ptu, Unknown) or unknown or not swept:
        why = unknown[0].reason if unknown else "no sizes are published to choose from"
        return Mix(term, None, of_minutes, at_minute_usd, why)
    price = per_ptu.usd_per_month * (1 - money.discount)
    best = cheapest_mix(_points(spilled, price))
    of_calls = Priced(best.ptu, usd(best.fixed_usd), usd(best.spilled_usd), usd(best.monthly_usd))
    return Mix(term, of_calls, of_minutes, at_minute_usd, minutes.reason if isinstance(minutes, Unknown) else "")


def _points(spilled: Mapping[int, Fraction | Unknown], price: Fraction) -> Sequence[MixPoint]:
    return [MixPoint(ptu, ptu * price, each) for ptu, each in spilled.items() if isinstance(each, Fraction)]
