"""The prices of one deployment on one deployment type, applied to its calls: pay-as-you-go and PTU-months."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from ptucalc.catalog import CLASSES, DeploymentType, Unknown
from ptucalc.cost_notes import Facts
from ptucalc.deployment_cost import Alternative, NearestPrice, PaygTerm
from ptucalc.deployment_load import DeploymentLoad, Stream, Tokens
from ptucalc.money import usd
from ptucalc.prices import MILLION, MINUTES_PER_MONTH, PriceBook, PriceTier, PtuPrice, PtuTerm, TokenPrices
from ptucalc.results import SizedDeployment

__all__ = ["Asked", "Pricing"]

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
    what_ifs: bool


class Pricing:
    """What the calls of a deployment cost on pay-as-you-go, and what its PTU cost.

    `usd_per_call` is of each workload, `payg` the whole month's; Unknown where a price that is needed is.
    """

    def __init__(self, deployment: SizedDeployment, kind: DeploymentType, load: DeploymentLoad, asked: Asked) -> None:
        self.deployment, self.kind, self.load = deployment, kind, load
        self.prices, self.price_factor = asked.prices, asked.price_factor
        self.payg_type = asked.payg_type or kind
        self.region = deployment.region or self.prices.default_region
        self.ptu_prices = {term: self.prices.ptu(kind, self.region, term) for term in asked.terms}
        self._token_prices: dict[tuple[object, ...], TokenPrices | Unknown] = {}
        self.usd_per_call = self.usd_of_calls()
        self.payg = self.monthly(self.usd_per_call)

    def _prices_of(self, stream: Stream, kind: DeploymentType, region: str, tier: PriceTier) -> TokenPrices | Unknown:
        key = (stream.sized.model.only_version(stream.sized.model_version), kind, region, tier, stream.long_context)
        if key not in self._token_prices:
            version, _, _, _, long = key
            model = stream.sized.model
            self._token_prices[key] = self.prices.tokens(
                model.name, version, kind, region, tier=tier, long_context=long, publisher=model.publisher
            )
        return self._token_prices[key]

    def usd_of_calls(
        self,
        kind: DeploymentType | None = None,
        region: str | None = None,
        *,
        tier: PriceTier = PriceTier.STANDARD,
        tokens: Sequence[Tokens] | None = None,
    ) -> list[Fraction] | Unknown:
        """Pay-as-you-go dollars of one call of each workload; Unknown where a price that is needed is.

        At the deployment's own scope, region and tokens unless told otherwise.
        """
        found = []
        for stream, counts in zip(self.load.streams, tokens or self.load.tokens, strict=True):
            prices = self._prices_of(stream, kind or self.payg_type, region or self.region, tier)
            if isinstance(prices, Unknown):
                return prices
            each = stream.usd(counts, prices)
            if isinstance(each, Unknown):
                return each
            found.append(each)
        return found

    def monthly(self, usd_per_call: Sequence[Fraction] | Unknown) -> Fraction | Unknown:
        """Dollars of a month for so much per call of each workload."""
        if isinstance(usd_per_call, Unknown):
            return usd_per_call
        return self.load.timeline.mean(usd_per_call) * MINUTES_PER_MONTH

    def ptu_month(self, term: PtuTerm) -> Fraction | Unknown:
        """Dollars of one PTU for a month, after the discount."""
        price = self.ptu_prices[term]
        return price if isinstance(price, Unknown) else price.usd_per_month * self.price_factor

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
            workloads=tuple({s.sized.name: s.sized.workload for s in self.load.streams}.items()),
            ptu_prices=self.ptu_prices,
            billed_as_input=tuple(dict.fromkeys(c for p in known for c in p.as_input if self.load.by_class.get(c))),
            long_context=tuple(dict.fromkeys(s.sized.name for s in self.load.streams if s.long_context)),
            token_sources=frozenset(source for p in known for source in p.sources),
            sources=tuple(dict.fromkeys([*(source for p in known for source in p.sources), *ptu_sources])),
        )

    def nearest(self) -> NearestPrice | None:
        """The nearest pay-as-you-go price that is known: a wider type here, else the same type in the default region."""
        places = [(kind, self.region) for kind in WIDER[self.payg_type]]
        for kind, region in [*places, (self.payg_type, self.prices.default_region)]:
            monthly = self.monthly(self.usd_of_calls(kind, region))
            if isinstance(monthly, Fraction):
                return NearestPrice(kind, region, usd(monthly))
        return None

    def payg_terms(self) -> Iterator[PaygTerm]:
        """The pay-as-you-go bill, class by class."""
        if isinstance(self.payg, Unknown):
            return
        for index, token_class in enumerate(CLASSES):
            tokens = self.load.tokens_per_month.get(token_class)
            if tokens:
                only = [tuple(n if i == index else Fraction(0) for i, n in enumerate(t)) for t in self.load.tokens]
                monthly = self.monthly(self.usd_of_calls(tokens=only))
                assert isinstance(monthly, Fraction)
                yield PaygTerm(token_class, tokens, monthly * MILLION / tokens, usd(monthly))

    def alternatives(self) -> Iterator[Alternative]:
        for tier in (PriceTier.BATCH, PriceTier.PRIORITY):
            monthly = self.monthly(self.usd_of_calls(tier=tier))
            if isinstance(monthly, Fraction):
                yield Alternative(tier, usd(monthly))
