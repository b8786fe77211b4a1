"""One deployment on one deployment type: what each way to buy it costs, when PTU breaks even, what if things change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from ptucalc.catalog import CLASSES, DeploymentType, TokenClass, Unknown
from ptucalc.cost_notes import Facts
from ptucalc.cost_result import (
    PAYG,
    Alternative,
    BreakEven,
    DeploymentCost,
    Hybrid,
    Increment,
    NearestPrice,
    Option,
    PaygTerm,
    WhatIf,
)
from ptucalc.deployment_load import MILLION, DeploymentLoad, Stream, Tokens
from ptucalc.errors import BadInput, Problem
from ptucalc.hybrid import CostCurve, cheaper_ranges, increments
from ptucalc.load import Overflow
from ptucalc.money import usd
from ptucalc.prices import MINUTES_PER_MONTH, PriceBook, PriceTier, PtuPrice, PtuTerm, TokenPrices
from ptucalc.results import Size, SizedDeployment
from ptucalc.rounding import Grid, cents

__all__ = ["Asked", "Costing"]

AROUND = Fraction(1, 5)
"""What-ifs change one thing by this share, up and down."""

MOST_DEPLOYMENTS = 10
"""A peak of so many of the largest deployments is not priced: nobody has it, and its curve would fill the memory."""

WIDER = {
    DeploymentType.REGIONAL: (DeploymentType.DATA_ZONE, DeploymentType.GLOBAL),
    DeploymentType.DATA_ZONE: (DeploymentType.GLOBAL,),
    DeploymentType.GLOBAL: (),
}
"""Where to look for a price, the nearest first, when that of a deployment type is not known."""


class Asked(NamedTuple):
    """What every deployment is priced with. `price_factor` is what the discount leaves of a PTU price."""

    prices: PriceBook
    price_factor: Fraction
    payg_type: DeploymentType | None
    headroom: Fraction
    largest_ptu: int
    terms: tuple[PtuTerm, ...]


class Costing:
    """One deployment on one type."""

    def __init__(self, deployment: SizedDeployment, size: Size, load: DeploymentLoad, asked: Asked) -> None:
        assert size.ptu is not None and size.offer.grid is not None
        self.deployment, self.size, self.load = deployment, size, load
        self.prices, self.headroom, self.terms = asked.prices, asked.headroom, asked.terms
        self.off, self.largest_ptu = asked.price_factor, asked.largest_ptu
        self.kind = size.deployment_type
        self.payg_type = asked.payg_type or self.kind
        self.grid: Grid = size.offer.grid
        self.peak_ptu: int = size.ptu
        self.region = deployment.region or self.prices.default_region
        self.ptu_prices = {term: self.prices.ptu(self.kind, self.region, term) for term in self.terms}
        self._token_prices: dict[tuple[object, ...], TokenPrices | Unknown] = {}
        self.usd_per_call = self._usd_per_call(self.payg_type, self.region)
        self.payg = self._monthly(self.usd_per_call)

    # Prices

    def _prices_of(self, stream: Stream, kind: DeploymentType, region: str, tier: PriceTier) -> TokenPrices | Unknown:
        key = (stream.sized.model_version, kind, region, tier, stream.long_context)
        if key not in self._token_prices:
            version, _, _, _, long = key
            model = stream.sized.model
            self._token_prices[key] = self.prices.tokens(
                model.name, version, kind, region, tier=tier, long_context=long, publisher=model.publisher
            )
        return self._token_prices[key]

    def _usd_per_call(
        self,
        kind: DeploymentType,
        region: str,
        *,
        tier: PriceTier = PriceTier.STANDARD,
        tokens: Sequence[Tokens] | None = None,
    ) -> list[Fraction] | Unknown:
        """Pay-as-you-go dollars of one call of each workload; Unknown where a price that is needed is."""
        found = []
        for stream, counts in zip(self.load.streams, tokens or self.load.tokens, strict=True):
            prices = self._prices_of(stream, kind, region, tier)
            if isinstance(prices, Unknown):
                return prices
            each = stream.usd(counts, prices)
            if isinstance(each, Unknown):
                return each
            found.append(each)
        return found

    def _monthly(self, usd_per_call: Sequence[Fraction] | Unknown) -> Fraction | Unknown:
        if isinstance(usd_per_call, Unknown):
            return usd_per_call
        return self.load.timeline.mean(usd_per_call) * MINUTES_PER_MONTH

    def _ptu_month(self, term: PtuTerm) -> Fraction | Unknown:
        """Dollars of one PTU for a month, after the discount."""
        price = self.ptu_prices[term]
        return price if isinstance(price, Unknown) else price.usd_per_month * self.off

    @property
    def facts(self) -> Facts:
        """What the notes need to know."""
        used = [self._prices_of(s, self.payg_type, self.region, PriceTier.STANDARD) for s in self.load.streams]
        known = [prices for prices in used if not isinstance(prices, Unknown)]
        ptu_sources = [price.source for price in self.ptu_prices.values() if isinstance(price, PtuPrice)]
        return Facts(
            deployment=self.deployment,
            kind=self.kind,
            payg_type=self.payg_type,
            region=self.region,
            workloads=tuple((stream.sized.name, stream.sized.workload) for stream in self.load.streams),
            ptu_prices=self.ptu_prices,
            billed_as_input=tuple(dict.fromkeys(c for p in known for c in p.as_input if self.load.by_class.get(c))),
            long_context=tuple(stream.sized.name for stream in self.load.streams if stream.long_context),
            token_sources=frozenset(source for p in known for source in p.sources),
            sources=tuple(dict.fromkeys([*(source for p in known for source in p.sources), *ptu_sources])),
        )

    # The answers

    def result(self) -> DeploymentCost:
        """Everything about it."""
        load, payg = self.load, self.payg
        peak = self.deployment.weighted_tpm
        per_ptu = self.size.tpm_per_ptu
        return DeploymentCost(
            name=self.deployment.name,
            model=self.deployment.model.name,
            model_version=self.deployment.model_version,
            deployment_type=self.kind,
            region=self.deployment.region,
            price_region=self.region,
            payg_type=self.payg_type,
            available=self.size.available,
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
            payg_nearest=self._nearest() if isinstance(payg, Unknown) else None,
            payg_terms=tuple(self._payg_terms()),
            ptu_month_worth_usd=self._ptu_month_worth,
            options=(self._payg_option(), *(self._full(term) for term in self.terms)),
            hybrid={term: self._hybrid(term) if term in self.terms else None for term in PtuTerm},
            break_even=tuple(self._break_even(term) for term in self.terms),
            sensitivity=tuple(self._what_ifs()),
            alternatives=tuple(self._alternatives()),
        )

    def _nearest(self) -> NearestPrice | None:
        """The nearest pay-as-you-go price that is known: a wider type here, else the same type in the default region."""
        places = [(kind, self.region) for kind in WIDER[self.payg_type]]
        for kind, region in [*places, (self.payg_type, self.prices.default_region)]:
            monthly = self._monthly(self._usd_per_call(kind, region))
            if isinstance(monthly, Fraction):
                return NearestPrice(kind, region, usd(monthly))
        return None

    def _option(self, term: str, ptu: int, fixed: Fraction, spilled: Fraction) -> Option:
        monthly = fixed + spilled
        per_ptu = fixed / ptu if ptu else None
        money = (usd(fixed), usd(spilled), usd(monthly))
        return Option(term, ptu, *money, self._against_payg(monthly), self._per_million(monthly), per_ptu)

    def _payg_option(self) -> Option:
        if isinstance(self.payg, Unknown):
            return Option(PAYG, 0, None, None, None, None, None, None, self.payg.reason)
        return self._option(PAYG, 0, Fraction(0), self.payg)

    def _full(self, term: PtuTerm) -> Option:
        price = self._ptu_month(term)
        if isinstance(price, Unknown):
            return Option(term.value, self.peak_ptu, None, None, None, None, None, None, price.reason)
        return self._option(term.value, self.peak_ptu, price * self.peak_ptu, Fraction(0))

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
        price = self._ptu_month(term)
        if isinstance(price, Unknown):
            return None
        tpm = self.size.tpm_per_ptu
        covers = self.grid.round_up(peak.numerator, peak.denominator * tpm)
        if covers > MOST_DEPLOYMENTS * self.largest_ptu:
            expected = f"a peak of at most {MOST_DEPLOYMENTS * self.largest_ptu:,} PTU"
            raise BadInput([Problem("deployment", f"{self.deployment.name}: {covers:,} PTU", expected)])
        return CostCurve(spill, tpm, self.grid, covers, price * ptu_factor, payg_factor)

    @cached_property
    def _spill(self) -> Overflow | None:
        """Pay-as-you-go dollars over a capacity; None where the load over the time or a price is not known."""
        if isinstance(self.usd_per_call, Unknown) or self.load.average_only:
            return None
        return Overflow(self.load.timeline, self.load.weights, self.usd_per_call)

    @cached_property
    def _spilled_tokens(self) -> dict[TokenClass, Overflow]:
        """Tokens of each class over a capacity."""
        load = self.load
        return {c: Overflow(load.timeline, load.weights, each, like=self._spill) for c, each in load.by_class.items()}

    @cached_property
    def _spilled_weighted(self) -> Overflow:
        """Weighted tokens over a capacity."""
        return Overflow(self.load.timeline, self.load.weights, self.load.weights, like=self._spill)

    def _hybrid(self, term: PtuTerm) -> Hybrid | None:
        curve = self._curve(self._spill, term, self.deployment.weighted_tpm) if self._spill else None
        if curve is None:
            return None
        best = curve.cheapest()
        load, capacity = self.load, best.ptu * self.size.tpm_per_ptu
        spilled = {c: tokens.over(capacity) * MINUTES_PER_MONTH for c, tokens in self._spilled_tokens.items()}
        served = load.mean_weighted - self._spilled_weighted.over(capacity)
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
        price = self._ptu_month(term)
        if isinstance(price, Unknown):
            return BreakEven(term, None, None, price.reason)
        if isinstance(self.payg, Unknown):
            return BreakEven(term, None, None, self.payg.reason)
        rate, peak = self.deployment.requests_per_minute, self.deployment.weighted_tpm
        need = peak / self.size.tpm_per_ptu * (1 + self.headroom)
        ranges = cheaper_ranges(
            payg_per_request=self.payg / rate,
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
        return self.payg / self.load.mean_weighted * self.size.tpm_per_ptu

    def _payg_terms(self) -> Iterator[PaygTerm]:
        """The pay-as-you-go bill, class by class."""
        if isinstance(self.payg, Unknown):
            return
        for index, token_class in enumerate(CLASSES):
            tokens = self.load.tokens_per_month.get(token_class)
            if tokens:
                only = [tuple(n if i == index else Fraction(0) for i, n in enumerate(t)) for t in self.load.tokens]
                monthly = self._monthly(self._usd_per_call(self.payg_type, self.region, tokens=only))
                assert isinstance(monthly, Fraction)
                yield PaygTerm(token_class, tokens, monthly * MILLION / tokens, usd(monthly))

    def _alternatives(self) -> Iterator[Alternative]:
        for tier in (PriceTier.BATCH, PriceTier.PRIORITY):
            monthly = self._monthly(self._usd_per_call(self.payg_type, self.region, tier=tier))
            if isinstance(monthly, Fraction):
                yield Alternative(tier, usd(monthly))

    # What-ifs

    def _what_ifs(self) -> Iterator[WhatIf]:
        """One thing changed at a time, by a fifth up and down."""
        load, around = self.load, (("-", 1 - AROUND), ("+", 1 + AROUND))
        changes: list[tuple[str, Callable[[Tokens, Fraction], Tokens]]] = [("requests", _more_calls)]
        if any(token_class in load.by_class for token_class in _OUTPUT):
            changes.append(("output", _more_output))
        if TokenClass.CACHED_INPUT in load.by_class:
            changes.append(("cached", _more_cached))
        percent = f"{int(AROUND * 100)}%"
        for what, changed in changes:
            for sign, factor in around:
                yield self._what_if(f"{what} {sign}{percent}", [changed(tokens, factor) for tokens in load.tokens])
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
        weights, per_call = load.weights, self.usd_per_call
        if not as_is:
            weights = [stream.weight(counts) for stream, counts in zip(load.streams, tokens, strict=True)]
            per_call = self._usd_per_call(self.payg_type, self.region, tokens=tokens)
        peak = load.peak_timeline.peak(weights)
        need = peak * (1 + self.headroom)
        peak_ptu = self.grid.round_up(need.numerator, need.denominator * self.size.tpm_per_ptu)
        payg = self._monthly(per_call)
        payg = payg if isinstance(payg, Unknown) else payg * payg_factor
        spill = self._spill
        if spill is not None and not as_is and not isinstance(per_call, Unknown):
            spill = Overflow(load.timeline, weights, per_call)
        cheapest: dict[PtuTerm, tuple[int, Decimal] | None] = {}
        for term in PtuTerm:
            price = self._ptu_month(term) if term in self.terms else Unknown("not asked for")
            curve = None
            if spill is not None and term in self.terms:
                curve = self._curve(spill, term, peak, ptu_factor=ptu_factor, payg_factor=payg_factor)
            if curve is not None:
                best = curve.cheapest()
                cheapest[term] = (best.ptu, usd(best.monthly))
            elif isinstance(price, Unknown) or isinstance(payg, Unknown):
                cheapest[term] = None
            else:
                monthly, ptu = min((price * ptu_factor * peak_ptu, peak_ptu), (payg, 0))
                cheapest[term] = (ptu, usd(monthly))
        return WhatIf(change, None if isinstance(payg, Unknown) else usd(payg), peak_ptu, cheapest)


_OUTPUT = (TokenClass.OUTPUT, TokenClass.IMAGE_OUTPUT)


def _more_calls(tokens: Tokens, factor: Fraction) -> Tokens:
    """So many calls more come to the same as calls so much larger."""
    return tuple(count * factor for count in tokens)


def _more_output(tokens: Tokens, factor: Fraction) -> Tokens:
    """The call with its output times this factor."""
    return tuple(count * factor if c in _OUTPUT else count for c, count in zip(CLASSES, tokens, strict=True))


def _more_cached(tokens: Tokens, factor: Fraction) -> Tokens:
    """The call with its cached tokens times this factor, at the expense of uncached input; no more than there is."""
    plain, cached, *rest = tokens
    now = min(cached * factor, plain + cached)
    return (plain + cached - now, now, *rest)


def _increment(curve: CostCurve, before: int, after: int) -> Increment:
    one, other = curve.point(before), curve.point(after)
    costs, saves = other.fixed - one.fixed, one.spilled - other.spilled
    return Increment(before, after, usd(costs), usd(saves), usd(saves - costs))
