"""One deployment on one deployment type: what each way to buy it costs, when PTU breaks even, what if things change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from ptucalc.catalog import CLASSES, TokenClass, Unknown
from ptucalc.deployment_cost import (
    PAYG,
    BreakEven,
    DeploymentCost,
    Hybrid,
    Increment,
    Option,
    WhatIf,
)
from ptucalc.deployment_load import AROUND, DeploymentLoad, Stream, Tokens
from ptucalc.errors import BadInput, Problem
from ptucalc.hybrid import CostCurve, cheaper_ranges, increments
from ptucalc.load import Overflow
from ptucalc.money import usd
from ptucalc.prices import MILLION, MINUTES_PER_MONTH, PtuTerm
from ptucalc.pricing import Asked, Pricing
from ptucalc.results import Size, SizedDeployment
from ptucalc.rounding import Grid, cents

__all__ = ["Costing"]

MOST_DEPLOYMENTS = 10
"""A peak of so many of the largest deployments is not priced: nobody has it, and its curve would fill the memory."""


class Costing:
    """One deployment on one type."""

    def __init__(self, deployment: SizedDeployment, size: Size, load: DeploymentLoad, asked: Asked) -> None:
        assert size.ptu is not None and size.offer.grid is not None
        self.deployment, self.size, self.load = deployment, size, load
        self.headroom, self.terms, self.largest_ptu = asked.headroom, asked.terms, asked.largest_ptu
        self.asked_what_if = asked.what_ifs
        self.grid: Grid = size.offer.grid
        self.peak_ptu: int = size.ptu
        self.pricing = Pricing(deployment, size.deployment_type, load, asked)
        self.payg = self.pricing.payg

    def result(self) -> DeploymentCost:
        """Everything about it. Raises BadInput where the peak is beyond all that is sold."""
        load, payg = self.load, self.payg
        peak = self.deployment.weighted_tpm
        most = MOST_DEPLOYMENTS * self.largest_ptu
        if self.peak_ptu > most:
            found = f"{self.deployment.name}: {self.peak_ptu:,} PTU"
            raise BadInput([Problem("deployment", found, f"a peak of at most {most:,} PTU")])
        per_ptu = self.size.tpm_per_ptu
        return DeploymentCost(
            name=self.deployment.name,
            model=self.deployment.model.name,
            model_version=self.deployment.model_version,
            deployment_type=self.pricing.kind,
            region=self.deployment.region,
            price_region=self.pricing.region,
            payg_type=self.pricing.payg_type,
            available=self.size.available,
            available_reason=self.size.reason,
            type_given=self.deployment.deployment_type is not None,
            workloads=self.deployment.workloads,
            requests_per_minute=self.deployment.requests_per_minute,
            requests_per_month=load.requests_per_month,
            tokens_per_month=load.tokens_per_month,
            peak_weighted_tpm=peak,
            mean_weighted_tpm=load.mean_weighted,
            peak_ptu=self.peak_ptu,
            peak_utilization=load.mean_weighted / (self.peak_ptu * per_ptu),
            payg_monthly_usd=None if isinstance(payg, Unknown) else usd(payg),
            payg_reason=payg.reason if isinstance(payg, Unknown) else "",
            payg_nearest=self.pricing.nearest() if isinstance(payg, Unknown) else None,
            payg_terms=tuple(self.pricing.payg_terms()),
            ptu_month_worth_usd=self._ptu_month_worth,
            options=(self._payg_option(), *(self._full(term) for term in self.terms)),
            hybrid={term: self._hybrid(term) if term in self.terms else None for term in PtuTerm},
            break_even=tuple(self._break_even(term) for term in self.terms),
            sensitivity=tuple(self._what_ifs()) if self.asked_what_if else (),
            alternatives=tuple(self.pricing.alternatives()),
        )

    def _option(self, term: str, ptu: int, fixed: Fraction, spilled: Fraction) -> Option:
        monthly = fixed + spilled
        per_ptu = fixed / ptu if ptu else None
        money = (usd(fixed), usd(spilled), usd(monthly))
        return Option(term, ptu, *money, self._against_payg(monthly), self._per_million(monthly), per_ptu)

    def _payg_option(self) -> Option:
        if isinstance(self.payg, Unknown):
            return Option(PAYG, 0, None, None, None, None, None, None, self.payg.reason)
        return self._option(PAYG, 0, Fraction(0), self.payg)

    @cached_property
    def _refused(self) -> Fraction | Unknown:
        """Pay-as-you-go dollars of a month for the calls that PTU refuse: part of every way to buy."""
        per_call = self.pricing.usd_per_call
        if isinstance(per_call, Unknown):
            return per_call if self.load.some_refused else Fraction(0)
        return self.load.refused_mean(per_call) * MINUTES_PER_MONTH

    def _full(self, term: PtuTerm) -> Option:
        price = self.pricing.ptu_month(term)
        if isinstance(price, Unknown):
            return Option(term.value, self.peak_ptu, None, None, None, None, None, None, price.reason)
        if isinstance(self._refused, Unknown):
            return Option(term.value, self.peak_ptu, None, None, None, None, None, None, self._refused.reason)
        return self._option(term.value, self.peak_ptu, price * self.peak_ptu, self._refused)

    def _against_payg(self, monthly: Fraction) -> Fraction | None:
        return None if isinstance(self.payg, Unknown) or not self.payg else monthly / self.payg - 1

    def _per_million(self, monthly: Fraction) -> Fraction | None:
        tokens = sum(self.load.tokens_per_month.values())
        return monthly * MILLION / tokens if tokens else None

    def _curve(
        self,
        spill: Overflow,
        term: PtuTerm,
        peak: Fraction,
        *,
        ptu_factor: Fraction = Fraction(1),
        payg_factor: Fraction = Fraction(1),
    ) -> CostCurve | None:
        price = self.pricing.ptu_month(term)
        if isinstance(price, Unknown):
            return None
        tpm = self.size.tpm_per_ptu
        covers = self.grid.round_up(peak.numerator, peak.denominator * tpm)
        return CostCurve(spill, tpm, self.grid, covers, price * ptu_factor, payg_factor)

    @cached_property
    def _spill(self) -> Overflow | None:
        """Pay-as-you-go dollars over a capacity; None where the load over the time or a price is not known."""
        if isinstance(self.pricing.usd_per_call, Unknown) or self.load.average_only:
            return None
        return self.load.overflow(self.pricing.usd_per_call)

    def _hybrid(self, term: PtuTerm) -> Hybrid | None:
        curve = self._curve(self._spill, term, self.deployment.weighted_tpm) if self._spill else None
        if curve is None:
            return None
        best = curve.cheapest()
        load, capacity = self.load, best.ptu * self.size.tpm_per_ptu
        spilled = {c: tokens.over(capacity) * MINUTES_PER_MONTH for c, tokens in load.spilled_tokens.items()}
        served = load.mean_weighted - load.spilled_weighted.over(capacity)
        before, after = increments(curve.sizes, best.ptu)
        return Hybrid(
            term=term,
            ptu=best.ptu,
            fixed_monthly_usd=usd(best.fixed),
            spillover_monthly_usd=usd(best.spilled),
            monthly_usd=usd(best.monthly),
            vs_payg=self._against_payg(best.monthly),
            usd_per_1m_tokens=self._per_million(best.monthly),
            utilization=served / capacity if capacity else None,
            spilled_tokens_per_month=spilled,
            last_increment=None if before is None else _increment(curve, before, best.ptu),
            next_increment=None if after is None else _increment(curve, best.ptu, after),
            curve=tuple((ptu, usd(Fraction(cents(top, curve.denominator), 100))) for ptu, top in curve.tops()),
        )

    def _break_even(self, term: PtuTerm) -> BreakEven:
        price = self.pricing.ptu_month(term)
        if isinstance(price, Unknown):
            return BreakEven(term, None, None, price.reason)
        if isinstance(self.payg, Unknown):
            return BreakEven(term, None, None, self.payg.reason)
        rate, peak = self.deployment.requests_per_minute, self.deployment.weighted_tpm
        need = peak / self.size.tpm_per_ptu * (1 + self.headroom)
        ranges = cheaper_ranges(
            payg_per_request=self._payg_of_served / rate,
            need_per_request=need / rate,
            usd_per_ptu=price,
            grid=self.grid,
            largest_ptu=max(self.peak_ptu, self.largest_ptu),
        )
        if not self._ptu_month_worth:
            return BreakEven(term, None, ranges, "these calls weigh nothing: any PTU serves any number of them")
        return BreakEven(term, price / self._ptu_month_worth, ranges)

    @property
    def _ptu_month_worth(self) -> Fraction | None:
        """Pay-as-you-go price of the tokens that one PTU serves in a month at this mix."""
        if isinstance(self.payg, Unknown) or not self.load.mean_weighted:
            return None
        return self._payg_of_served / self.load.mean_weighted * self.size.tpm_per_ptu

    @property
    def _payg_of_served(self) -> Fraction:
        """Pay-as-you-go price of a month of the calls that PTU can serve."""
        assert isinstance(self.payg, Fraction) and isinstance(self._refused, Fraction)
        return self.payg - self._refused

    # What-ifs

    def _what_ifs(self) -> Iterator[WhatIf]:
        """One thing changed at a time, by a fifth up and down."""
        load, around = self.load, (("-", 1 - AROUND), ("+", 1 + AROUND))
        changes: list[tuple[str, Callable[[Stream, Fraction], Tokens]]] = [("requests", _more_calls)]
        if any(token_class in load.by_class for token_class in _OUTPUT):
            changes.append(("output", _more_output))
        if TokenClass.CACHED_INPUT in load.by_class:
            changes.append(("cached", _more_cached))
        percent = f"{int(AROUND * 100)}%"
        for what, changed in changes:
            for sign, factor in around:
                yield self._what_if(f"{what} {sign}{percent}", [changed(stream, factor) for stream in load.streams])
        for sign, factor in around:
            yield self._what_if(f"token prices {sign}{percent}", load.tokens, payg_factor=factor)
        for sign, factor in around:
            yield self._what_if(f"PTU prices {sign}{percent}", load.tokens, ptu_factor=factor)

    def _what_if(
        self,
        change: str,
        tokens: Sequence[Tokens],
        *,
        payg_factor: Fraction = Fraction(1),
        ptu_factor: Fraction = Fraction(1),
    ) -> WhatIf:
        """The answers for calls with these tokens, and prices times these factors. Rates are the load's own."""
        load = self.load
        as_is = tokens is load.tokens
        weights, per_call = load.weights, self.pricing.usd_per_call
        if not as_is:
            weights = [stream.weight(counts) for stream, counts in zip(load.streams, tokens, strict=True)]
            per_call = self.pricing.usd_of_calls(tokens=tokens)
        peak = load.peak_timeline.peak(weights)
        need = peak * (1 + self.headroom)
        peak_ptu = self.grid.round_up(need.numerator, need.denominator * self.size.tpm_per_ptu)
        payg = self.pricing.monthly(per_call)
        payg = payg if isinstance(payg, Unknown) else payg * payg_factor
        spill = self._spill
        if spill is not None and not as_is:
            spill = None if isinstance(per_call, Unknown) else load.overflow(per_call, weights)
        cheapest: dict[PtuTerm, tuple[int, Decimal] | None] = {}
        for term in PtuTerm:
            price = self.pricing.ptu_month(term) if term in self.terms else Unknown("not asked for")
            curve = None
            if spill is not None and term in self.terms:
                curve = self._curve(spill, term, peak, ptu_factor=ptu_factor, payg_factor=payg_factor)
            if curve is not None:
                best = curve.cheapest()
                cheapest[term] = (best.ptu, usd(best.monthly))
            elif isinstance(price, Unknown) or isinstance(payg, Unknown):
                cheapest[term] = None
            else:
                assert not isinstance(per_call, Unknown)
                refused = load.refused_mean(per_call) * MINUTES_PER_MONTH * payg_factor
                monthly, ptu = min((price * ptu_factor * peak_ptu + refused, peak_ptu), (payg, 0))
                cheapest[term] = (ptu, usd(monthly))
        return WhatIf(change, None if isinstance(payg, Unknown) else usd(payg), peak_ptu, cheapest)


_OUTPUT = (TokenClass.OUTPUT, TokenClass.IMAGE_OUTPUT)


def _more_calls(stream: Stream, factor: Fraction) -> Tokens:
    """So many calls more come to the same as calls so much larger."""
    return tuple(count * factor for count in stream.tokens)


def _more_output(stream: Stream, factor: Fraction) -> Tokens:
    """The call with its output times this factor."""
    return tuple(count * factor if c in _OUTPUT else count for c, count in zip(CLASSES, stream.tokens, strict=True))


def _more_cached(stream: Stream, factor: Fraction) -> Tokens:
    """The call with its cached tokens times this factor, at the expense of uncached input; no more than there is."""
    plain, cached, *rest = stream.tokens
    now = min(cached * factor, plain + cached)
    if stream.column is not None and stream.column.would_be_cached:  # as many of these as AROUND more would take
        now = max(Fraction(0), factor - 1) / AROUND
    return (plain + cached - now, now, *rest)


def _increment(curve: CostCurve, before: int, after: int) -> Increment:
    one, other = curve.point(before), curve.point(after)
    costs, saves = other.fixed - one.fixed, one.spilled - other.spilled
    return Increment(before, after, usd(costs), usd(saves), usd(saves - costs))
