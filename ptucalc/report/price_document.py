"""The known prices that were asked for: as lines, flat rows and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ptucalc.catalog import DeploymentType, TokenClass, Unknown
from ptucalc.prices import PriceBook, PriceTier, PtuPrice, PtuTerm, TokenPrices
from ptucalc.results import json_number

if TYPE_CHECKING:
    from ptucalc.documents import PriceBookDocument

__all__ = [
    "PRICE_COLUMNS",
    "Asked",
    "PriceLine",
    "meters_of",
    "price_document",
    "price_lines",
    "price_rows",
    "ptu_entries",
    "used_sources",
]

SCHEMA: Final = "ptucalc.price-book/1"


class Asked(NamedTuple):
    """Which of the prices to show. `is_default` tells that nobody chose the region."""

    region: str
    is_default: bool
    models: Sequence[str]
    deployment_types: Sequence[DeploymentType]


class PriceLine(NamedTuple):
    """Prices of a model's tokens on a deployment type, tier and context; `classes` are those it is billed by."""

    model: str
    kind: DeploymentType
    tier: PriceTier
    long: bool
    prices: TokenPrices | Unknown
    classes: tuple[TokenClass, ...]

    @property
    def plain(self) -> bool:
        return self.tier is PriceTier.STANDARD and not self.long


def price_lines(book: PriceBook, asked: Asked, model: str) -> Iterator[PriceLine]:
    """What is known of a model: each deployment type, tier and context that has a price in any region."""
    for kind in asked.deployment_types:
        found = book.models[model].get(kind)
        if found is None:
            continue
        rows = [row for layer in found.layers for row in layer]
        classes = {each for row in rows for each in row.usd_per_1m} | set(found.meters) | set(found.meters_long)
        for tier in PriceTier:
            for long in (False, True):
                if any((row.tier, row.long_context) == (tier, long) for row in rows):
                    prices = book.tokens(model, None, kind, asked.region, tier=tier, long_context=long)
                    billed = classes if isinstance(prices, Unknown) else classes | set(prices.as_input)
                    yield PriceLine(model, kind, tier, long, prices, tuple(c for c in TokenClass if c in billed))


def ptu_entries(book: PriceBook, asked: Asked) -> Iterator[dict[str, Any]]:
    """Every row of PTU prices, the file that wins first; prices exact."""
    for kind in asked.deployment_types:
        for term in PtuTerm:
            layers = book.hourly[kind] if term is PtuTerm.HOURLY else book.reservations[kind, term]
            for row in (row for layer in layers for row in layer):
                yield {
                    "deployment_type": kind.value,
                    "term": term.value,
                    "usd_per_ptu": row.usd,
                    "regions": None if row.regions is None else list(row.regions),
                    "since": row.since,
                    "replaced_usd_per_ptu": row.replaces,
                    "source": row.source,
                }


def meters_of(book: PriceBook, model: str, kind: DeploymentType) -> Iterator[dict[str, Any]]:
    found = book.models[model].get(kind)
    for long, meters in ((False, found.meters), (True, found.meters_long)) if found else ():
        if meters:
            names = {token_class.value: name for token_class, name in meters.items()}
            yield {"deployment_type": kind.value, "long_context": long, "meters": names}


def used_sources(book: PriceBook, asked: Asked) -> list[str]:
    """The sources of every price that is known for what was asked."""
    ptu = (book.ptu(kind, asked.region, term) for kind in asked.deployment_types for term in PtuTerm)
    tokens = (line.prices for model in asked.models for line in price_lines(book, asked, model))
    return [price.source for price in ptu if not isinstance(price, Unknown)] + [
        source for prices in tokens if not isinstance(prices, Unknown) for source in prices.sources
    ]


PRICE_COLUMNS = (
    "row_type",
    "model",
    "deployment_type",
    "region",
    "term",
    "usd_per_ptu",
    "tier",
    "context",
    *(f"usd_per_1m_{token_class.value}" for token_class in TokenClass),
    "source",
    "checked",
)


def price_rows(book: PriceBook, asked: Asked) -> Iterator[tuple[Any, ...]]:
    """Flat rows in the order of PRICE_COLUMNS: a PTU price (hour or whole term) or prices of tokens; unknown is empty."""
    for kind in asked.deployment_types:
        for term in PtuTerm:
            price = book.ptu(kind, asked.region, term)
            known = None if isinstance(price, Unknown) else price
            usd = json_number(known.published_usd) if known else None
            about = _about(book, (known.source,) if known else ())
            yield ("ptu", "", kind.value, asked.region, term.value, usd, "", "", *(None for _ in TokenClass), *about)
    for model in asked.models:
        for line in price_lines(book, asked, model):
            prices = {} if isinstance(line.prices, Unknown) else line.prices.usd_per_1m
            about = _about(book, () if isinstance(line.prices, Unknown) else line.prices.sources)
            cells = (prices.get(c) if c in line.classes else None for c in TokenClass)
            what = ("tokens", model, line.kind.value, asked.region, "", None, line.tier.value)
            numbers = (json_number(usd) if isinstance(usd, Fraction) else None for usd in cells)
            yield (*what, "long" if line.long else "short", *numbers, *about)


def _about(book: PriceBook, sources: Sequence[str]) -> tuple[str, str]:
    return " ".join(sources), f"{book.oldest_capture(sources)}" if sources else ""


def price_document(book: PriceBook, asked: Asked, *, version: str) -> PriceBookDocument:
    """The prices as JSON data (schema ptucalc.price-book/1)."""
    return {
        "schema": SCHEMA,
        "version": version,
        "prices_as_of": book.as_of.isoformat(),
        "prices": list(book.editions),
        "oldest_capture": book.oldest_capture(used_sources(book, asked)).isoformat(),
        "region": asked.region,
        "region_is_default": asked.is_default,
        "ptu": [_ptu_json(book, asked.region, kind) for kind in asked.deployment_types],  # type: ignore[misc]
        "ptu_by_region": [_json_numbers(entry) for entry in ptu_entries(book, asked)],  # type: ignore[misc]
        "models": [_model_json(book, asked, model) for model in asked.models],  # type: ignore[misc]
        "sources": {
            name: {
                "title": source.title,
                "where": source.where,
                "published": source.published,
                "checked": source.checked.isoformat(),
            }
            for name, source in book.sources.items()
        },
        "notes": [],
    }


def _json_numbers(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: json_number(value) if isinstance(value, Fraction) else value for name, value in entry.items()}


def _ptu_json(book: PriceBook, region: str, kind: DeploymentType) -> dict[str, Any]:
    hourly, month, year = (book.ptu(kind, region, term) for term in PtuTerm)
    known = [price for price in (hourly, month, year) if not isinstance(price, Unknown)]
    return {
        "deployment_type": kind.value,
        "hourly_usd_per_ptu": _json(hourly),
        "one_month_usd_per_ptu": _json(month),
        "one_year_usd_per_ptu": _json(year),
        "hourly_since": None if isinstance(hourly, Unknown) else hourly.since,
        "sources": list(dict.fromkeys(price.source for price in known)),
    }


def _json(price: PtuPrice | Unknown | Fraction) -> Any:
    if isinstance(price, Unknown):
        return {"unknown": price.reason}
    return json_number(price.published_usd if isinstance(price, PtuPrice) else price)


def _model_json(book: PriceBook, asked: Asked, model: str) -> dict[str, Any]:
    return {
        "name": model,
        "products": list(book.model_products.get(model, ())),
        "remarks": list(book.remarks.get(model, ())),
        "prices": [
            {
                "deployment_type": line.kind.value,
                "tier": line.tier.value,
                "long_context": line.long,
                "usd_per_1m": _json(line.prices)
                if isinstance(line.prices, Unknown)
                else {c.value: _json(line.prices.usd_per_1m[c]) for c in line.classes},
                "billed_as_input": [] if isinstance(line.prices, Unknown) else [c.value for c in line.prices.as_input],
                "sources": [] if isinstance(line.prices, Unknown) else list(line.prices.sources),
            }
            for line in price_lines(book, asked, model)
        ],
        "meters": [entry for kind in asked.deployment_types for entry in meters_of(book, model, kind)],
    }
