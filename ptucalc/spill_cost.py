"""What spilled calls cost a month, and the cheapest number of PTU when whole calls spill.

    cost(P) = P x price of a PTU-month + pay-as-you-go price of the calls that P PTU do not serve, scaled to a month

Not unimodal, because the share of 429s is not monotone: every size is looked at. `cost` spills parts of minutes; here
bursts within the minute count, and a call spills whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from ptucalc.catalog import Unknown
from ptucalc.demand_profile import TEXT_CLASSES
from ptucalc.prices import MINUTES_PER_MONTH, TokenPrices
from ptucalc.simulated_runs import CallTokens, TokenSums
from ptucalc.simulation_result import SimulationResult

__all__ = ["MixPoint", "cheapest_mix", "mix_costs", "monthly_usd"]


class MixPoint(NamedTuple):
    """A number of PTU with its fixed price and the price of what it spills, in dollars a month."""

    ptu: int
    fixed_usd: Fraction
    spilled_usd: Fraction

    @property
    def monthly_usd(self) -> Fraction:
        """Fixed and spilled together."""
        return self.fixed_usd + self.spilled_usd


def monthly_usd(
    tokens: TokenSums, minutes: int, prices: TokenPrices | Unknown, long_context: TokenPrices | Unknown
) -> Fraction | Unknown:
    """Pay-as-you-go dollars a month of tokens of so many minutes: a month is so much of it as 43,800 minutes are.

    Long-context calls are at their own prices. Unknown where a price that is needed is.
    """
    total = Fraction(0)
    for part, at in ((tokens.usual, prices), (tokens.long_context, long_context)):
        usd = _usd(part, at)
        if isinstance(usd, Unknown):
            return usd
        total += usd
    return total * MINUTES_PER_MONTH / minutes


def _usd(tokens: CallTokens, prices: TokenPrices | Unknown) -> Fraction | Unknown:
    if not any(tokens):
        return Fraction(0)
    if isinstance(prices, Unknown):
        return prices
    return prices.usd(zip(TEXT_CLASSES, tokens, strict=True))


def mix_costs(
    result: SimulationResult,
    usd_per_ptu_month: Fraction,
    prices: TokenPrices | Unknown,
    long_context: TokenPrices | Unknown,
) -> tuple[MixPoint, ...] | Unknown:
    """What every size of the sweep costs a month, and no PTU at all, where all calls that it does not serve spill."""
    found = []
    for ptu, refused in ((0, result.tokens), *((point.ptu, point.tokens_refused) for point in result.sweep)):
        spilled = monthly_usd(refused, result.minutes, prices, long_context)
        if isinstance(spilled, Unknown):
            return spilled
        found.append(MixPoint(ptu, ptu * usd_per_ptu_month, spilled))
    return tuple(found)


def cheapest_mix(points: Sequence[MixPoint]) -> MixPoint:
    """The cheapest of them; of equally cheap ones the one with fewer PTU."""
    return min(points, key=lambda point: (point.monthly_usd, point.ptu))
