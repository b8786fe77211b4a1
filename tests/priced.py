"""Invented price books for unit tests. No price here was ever published; the real ones are in cases/ and the facts tests.

With Alder's plain weights (tests/invented.py) 1 request a minute of 1,000 input tokens is a demand of 1 PTU and costs
1,000 x 43,800 minutes x $10 / 1,000,000 = $438 a month on Global pay-as-you-go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from ptucalc.catalog import Catalog, DeploymentType, Source, TokenClass
from ptucalc.cost import compare
from ptucalc.cost_result import CostComparison
from ptucalc.deployment_cost import DeploymentCost
from ptucalc.prices import ModelPrices, PriceBook, PriceTier, Products, PtuRow, PtuTerm, TokenRow
from ptucalc.workload import Workload

from .invented import DATA_ZONE, GLOBAL, REGIONAL, sized

HOURLY, MONTH, YEAR = PtuTerm
HERE, THERE = "northland", "southland"
"""The default region of the invented book, and a region that only its Global rows cover."""


def money(value: Any) -> Fraction:
    """A price exactly, from text, an integer or a Fraction."""
    return Fraction(value)


def ptu_row(usd: Any, *regions: str, source: str = "list", since: str | None = None) -> PtuRow:
    """A PTU price in these regions, or in all."""
    return PtuRow(regions or None, money(usd), source, since)


def row(
    *regions: str, tier: PriceTier = PriceTier.STANDARD, long: bool = False, source: str = "list", **usd: Any
) -> TokenRow:
    """Token prices per 1M tokens in these regions, or in all."""
    prices = {TokenClass(name): money(value) for name, value in usd.items()}
    return TokenRow(regions or None, tier, long, prices, source)


def scope(*layers: Iterable[TokenRow]) -> ModelPrices:
    """A model's prices on one deployment type; the last file's rows come first."""
    return ModelPrices(tuple(map(tuple, layers)), {}, {})


PLAIN = {"input": 10, "cached_input": 2, "cache_write": 12, "output": 40}
ALDER = {
    GLOBAL: scope([row(**PLAIN), row(tier=PriceTier.BATCH, input=5, output=20)]),
    DATA_ZONE: scope([row(HERE, input=11, cached_input="2.2", cache_write=13, output=44)]),
    REGIONAL: scope([row(HERE, input=12, cached_input="2.4", cache_write=14, output=48)]),
}
PER_HOUR = {
    GLOBAL: ((ptu_row("0.5"),),),  # 365 a month
    DATA_ZONE: ((ptu_row("0.6", HERE, THERE),),),  # 438
    REGIONAL: ((ptu_row("0.8", HERE),),),  # 584
}
PER_TERM = {
    (GLOBAL, MONTH): ((ptu_row(300),),),
    (GLOBAL, YEAR): ((ptu_row(2400),),),  # 200 a month
    (DATA_ZONE, MONTH): ((ptu_row(350, HERE),),),
    (DATA_ZONE, YEAR): ((ptu_row(3000, HERE),),),  # 250 a month
    (REGIONAL, MONTH): ((ptu_row(400, HERE),),),
    (REGIONAL, YEAR): ((ptu_row(3600, HERE),),),  # 300 a month
}


def a_source(name: str, checked: date) -> Source:
    """A source that was read on that day."""
    return Source(name=name, title=f"The {name}", where="a shelf", published="2030", checked=checked)


def a_book(**given: Any) -> PriceBook:
    """Prices of Alder and of PTU: Global everywhere, Data Zone and Regional in one region."""
    plain: dict[str, Any] = {
        "editions": ("invented-prices-1",),
        "as_of": date(2030, 3, 2),
        "default_region": HERE,
        "hourly": PER_HOUR,
        "reservations": PER_TERM,
        "models": {"alder": ALDER},
        "model_products": {},
        "remarks": {},
        "products": Products("Pots", "Pot reservations", {}),
        "sources": {"list": a_source("list", date(2030, 2, 3))},
    }
    return PriceBook(**{**plain, **given})


def book_of(prices: Mapping[DeploymentType, ModelPrices], **given: Any) -> PriceBook:
    """A book with these prices of Alder."""
    return a_book(models={"alder": prices}, **given)


def compared(
    workloads: Workload | Iterable[Workload],
    *,
    book: PriceBook | None = None,
    catalog: Catalog | None = None,
    largest_ptu: int = 7000,
    discount: Any = 0,
    payg_type: DeploymentType | None = None,
    terms: tuple[PtuTerm, ...] = tuple(PtuTerm),
    **given: Any,
) -> CostComparison:
    """The comparison for these workloads; what `sized` takes may be given too."""
    return compare(
        sized(workloads, catalog, **given),
        book or a_book(),
        largest_ptu=largest_ptu,
        discount=discount,
        payg_type=payg_type,
        terms=terms,
    )


def costed(workloads: Workload | Iterable[Workload], *, kind: DeploymentType = GLOBAL, **given: Any) -> DeploymentCost:
    """The only deployment on one type."""
    (deployment,) = compared(workloads, deployment_types=(kind,), **given).deployments
    return deployment


def messages(result: CostComparison, code: str) -> list[str]:
    """The messages of the notes with this code."""
    return [note.message for note in result.notes if note.code == code]
