"""Prices that were found to a price file: text that ptucalc reads back as the same numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction

from ptucalc.catalog import DeploymentType, TokenClass
from ptucalc.prices import PtuTerm
from ptucalc.retail_prices import FoundPrice, RetailPrices

__all__ = ["price_file"]


def price_file(prices: RetailPrices, *, address: str, command: str) -> str:
    """The found prices as a price file for one region, to be laid over the others.

    `address` is what was asked, `command` what was typed. No text of the API gets into the file but its dates.
    """
    return "\n".join(_lines(prices, address, command)) + "\n"


def edition_of(prices: RetailPrices) -> str:
    """The name of the edition, and of its source."""
    return f"retail-api-{prices.region}-{prices.today}"


def _lines(prices: RetailPrices, address: str, command: str) -> Iterator[str]:
    edition, today = edition_of(prices), prices.today
    yield f"# Written by `{command}`: list prices in US dollars, for the region {prices.region} only."
    yield "# Lay it over the prices that ptucalc knows: ptucalc cost ... --prices FILE. Token prices are per 1M tokens."
    yield "schema: ptucalc.prices/1"
    yield f"edition: {edition}"
    yield f"as_of: {today}"
    yield ""
    yield "sources:"
    title = f"Azure Retail Prices API, region {prices.region}"
    yield (
        f"  {edition}: {{title: {_text(title)}, where: {_text(address)}, "
        f'published: "{_newest(prices.found)}", checked: {today}}}'
    )
    ptu = [price for price in prices.found if not price.key.model]
    if ptu:
        yield ""
        yield "ptu:"
        yield from _ptu(ptu, prices.region, edition)
    models = list(dict.fromkeys(price.key.model for price in prices.found if price.key.model))
    if models:
        yield ""
        yield "models:"
    for model in models:
        yield f"  {_text(model)}:"
        yield f"    source: {edition}"
        yield from _model([price for price in prices.found if price.key.model == model], prices.region)


def _ptu(prices: Sequence[FoundPrice], region: str, source: str) -> Iterator[str]:
    hourly = [price for price in prices if price.key.item is PtuTerm.HOURLY]
    if hourly:
        yield "  hourly_usd_per_ptu:"
        for price in hourly:
            yield f"    {price.key.deployment_type.value}:"
            yield f"      - {{regions: [{region}], usd: {_usd(price.usd)}, from: {price.since}, source: {source}}}"
    reserved = [price for price in prices if price.key.item is not PtuTerm.HOURLY]
    if reserved:
        yield "  reservation_usd_per_ptu:"
        for kind in _kinds(reserved):
            terms = ", ".join(
                f"{price.key.item.value}: {_usd(price.usd)}" for price in reserved if price.key.deployment_type is kind
            )
            yield f"    {kind.value}:"
            yield f"      - {{regions: [{region}], {terms}, source: {source}}}"


def _model(prices: Sequence[FoundPrice], region: str) -> Iterator[str]:
    for kind in _kinds(prices):
        here = [price for price in prices if price.key.deployment_type is kind]
        yield f"    {kind.value}:"
        yield f"      newest_from: {_newest(here)}"
        yield "      prices:"
        for long in (False, True):
            row = {price.key.item: price.usd for price in here if price.key.long_context is long}
            if row:
                context = ", context: long" if long else ""
                classes = "".join(f", {each.value}: {_usd(row[each])}" for each in TokenClass if each in row)
                yield f"        - {{regions: [{region}]{context}{classes}}}"


def _kinds(prices: Sequence[FoundPrice]) -> list[DeploymentType]:
    present = {price.key.deployment_type for price in prices}
    return [kind for kind in DeploymentType if kind in present]


def _newest(prices: Sequence[FoundPrice]) -> date:
    return max(price.since for price in prices)


def _usd(usd: Fraction) -> str:
    """An exact decimal: 2.75, 0.0025, 260. ValueError for what has none."""
    decimals = 0
    while (usd * 10**decimals).denominator != 1:
        decimals += 1
        if decimals > 20:
            raise ValueError(f"{usd} is no decimal")
    whole, part = divmod((usd * 10**decimals).numerator, 10**decimals)
    return f"{whole}.{part:0{decimals}d}" if decimals else f"{whole}"


def _text(text: str) -> str:
    """A quoted scalar that YAML reads as this text; JSON's quoting is YAML's too."""
    return json.dumps(text, ensure_ascii=not text.isprintable())
