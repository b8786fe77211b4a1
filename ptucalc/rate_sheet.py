"""Every model of the catalog as a spreadsheet needs it to size and price another call: rates, weights, sizes, prices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from ptucalc.catalog import CLASSES, Catalog, DeploymentType, Model, Source, TokenWeights, Unknown
from ptucalc.prices import PriceBook, PtuTerm, TokenPrices
from ptucalc.results import json_number

__all__ = ["MOST_REGIONS", "rate_sheet", "sources_used"]

MOST_REGIONS = 4
"""Prices of so many regions are given at most, the first that are asked for."""


def rate_sheet(
    catalog: Catalog,
    prices: PriceBook,
    *,
    regions: Sequence[str],
    deployment_types: Sequence[DeploymentType] = tuple(DeploymentType),
    terms: Sequence[PtuTerm] = tuple(PtuTerm),
    price_factor: Fraction = Fraction(1),  # immutable
) -> Iterator[dict[str, Any]]:
    """A row for every model with published PTU numbers, deployment type and price region, as JSON data.

    `price_factor` is what a discount leaves of a PTU price. A type that no region offers has a row too, with the reason.
    """
    for region in list(dict.fromkeys(regions))[:MOST_REGIONS] or [prices.default_region]:
        per_ptu = {
            kind: {term.value: _per_ptu(prices, kind, region, term, price_factor) for term in terms}
            for kind in deployment_types
        }
        for model in catalog.models:
            if not isinstance(model.tpm_per_ptu, Unknown):
                for kind in deployment_types:
                    yield _row(model, model.tpm_per_ptu, kind, region, prices, per_ptu[kind])


def _per_ptu(
    prices: PriceBook, kind: DeploymentType, region: str, term: PtuTerm, factor: Fraction
) -> int | float | None:
    price = prices.ptu(kind, region, term)
    return None if isinstance(price, Unknown) else json_number(price.usd_per_month * factor)


def _row(
    model: Model, tpm: int, kind: DeploymentType, region: str, prices: PriceBook, per_ptu: Mapping[str, Any]
) -> dict[str, Any]:
    offer, place = model.offer(kind), model.availability(kind)
    version = model.only_version(None)

    def known(*, long_context: bool) -> dict[str, Any] | None:
        found = prices.tokens(model.name, version, kind, region, long_context=long_context, publisher=model.publisher)
        return None if isinstance(found, Unknown) else _prices(model, found)

    long = model.long_context
    return {
        "model": model.name,
        "publisher": model.publisher,
        "deployment_type": kind.value,
        "price_region": region,
        "offered": place.available,
        "reason": place.reason or None,
        "tpm_per_ptu": tpm,
        "prompt_limit_tokens": model.prompt_limit_tokens,
        "minimum": offer.grid.minimum if offer.grid else None,
        "increment": offer.grid.increment if offer.grid else None,
        "weights": _weights(model.weights),
        "long_context": None
        if long is None
        else {
            "over_input_tokens": long.over_input_tokens,
            "weights": None if long.weights is None else _weights(long.weights),
            "usd_per_1m": known(long_context=True),
        },
        "usd_per_1m": known(long_context=False),
        "usd_per_ptu_month": per_ptu,
    }


def _weights(weights: TokenWeights) -> dict[str, int | float | None]:
    """By class; None where not published. Classes that the model lacks are left out."""
    found = {token_class.value: weights.of(token_class) for token_class in CLASSES}
    return {
        name: None if isinstance(weight, Unknown) else json_number(weight)
        for name, weight in found.items()
        if weight is not None
    }


def _prices(model: Model, found: TokenPrices) -> dict[str, int | float | None]:
    """By class that the model has."""
    return {
        token_class.value: None if isinstance(price, Unknown) else json_number(price)
        for token_class, price in found.usd_per_1m.items()
        if model.weights.of(token_class) is not None
    }


def sources_used(
    models: Iterable[Model], catalog: Catalog, price_sources: Sequence[Source]
) -> Iterator[dict[str, str]]:
    """Where the rates of these models and the prices were read, each once, as JSON data: rates first."""
    names = dict.fromkeys(name for model in models for name in model.sources.values())
    for kind, sources in (
        ("rates", [catalog.sources[name] for name in names if name in catalog.sources]),
        ("prices", price_sources),
    ):
        for source in sources:
            yield {
                "kind": kind,
                "name": source.name,
                "title": source.title,
                "where": source.where,
                "published": source.published,
                "checked": source.checked.isoformat(),
            }
