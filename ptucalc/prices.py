"""What Azure charges, as values: look-ups of PTU and token prices by deployment type, region, term and model.

The numbers come from a price file (data/prices.yaml); this module holds none. All prices are US dollars, exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple, TypeVar

from ptucalc.catalog import DeploymentType, Source, TokenClass, Unknown
from ptucalc.workload import HOURS_PER_MONTH

__all__ = [
    "MILLION",
    "MINUTES_PER_MONTH",
    "ModelPrices",
    "PriceBook",
    "PriceTier",
    "PtuPrice",
    "PtuRow",
    "PtuTerm",
    "TokenPrices",
    "TokenRow",
]

MILLION = 10**6
"""Tokens that a price is for."""

MINUTES_PER_MONTH = HOURS_PER_MONTH * 60


class PtuTerm(StrEnum):
    """How long one commits to a PTU."""

    HOURLY = "hourly"
    ONE_MONTH = "1-month"
    ONE_YEAR = "1-year"

    @property
    def months(self) -> int | None:
        """Months that a reservation lasts; None without one."""
        return {PtuTerm.ONE_MONTH: 1, PtuTerm.ONE_YEAR: 12}.get(self)


class PriceTier(StrEnum):
    """How a pay-as-you-go call is served: at once, within a day, or ahead of others."""

    STANDARD = "standard"
    BATCH = "batch"
    PRIORITY = "priority"


class PtuRow(NamedTuple):
    """A price of one PTU in some regions (None: in all): for an hour, or for a reservation's whole term.

    `since` is the day from which it holds, `replaces` what it was before; both None where not known.
    """

    regions: tuple[str, ...] | None
    usd: Fraction
    source: str
    since: str | None = None
    replaces: Fraction | None = None


class PtuPrice(NamedTuple):
    """What one PTU costs a month of 730 hours on a term, and the published price that follows from."""

    usd_per_month: Fraction
    published_usd: Fraction
    source: str
    since: str | None


class TokenRow(NamedTuple):
    """Prices of a model's tokens in some regions (None: in all), in USD per 1M tokens of a class."""

    regions: tuple[str, ...] | None
    tier: PriceTier
    long_context: bool
    usd_per_1m: Mapping[TokenClass, Fraction]
    source: str


class ModelPrices(NamedTuple):
    """A model on one deployment type. `layers` are the rows of each price file that has some, the last file first.

    `newest_from` is the last day from which one of its meters was seen to hold.
    """

    layers: tuple[tuple[TokenRow, ...], ...]
    meters: Mapping[TokenClass, str]
    meters_long: Mapping[TokenClass, str]
    newest_from: str | None = None


class TokenPrices(NamedTuple):
    """USD per 1M tokens of each class; Unknown where nobody published it.

    `as_input` are classes that have no meter of their own and are billed as plain input.
    """

    usd_per_1m: Mapping[TokenClass, Fraction | Unknown]
    as_input: tuple[TokenClass, ...]
    sources: tuple[str, ...]

    def usd(self, tokens: Iterable[tuple[TokenClass, Fraction | int]]) -> Fraction | Unknown:
        """Dollars for so many tokens of each class; Unknown where a price that is needed is."""
        total = Fraction(0)
        for token_class, count in tokens:
            price = self.usd_per_1m[token_class] if count else Fraction(0)
            if isinstance(price, Unknown):
                return price
            total += count * price
        return total / MILLION


class Products(NamedTuple):
    """Where the Retail Prices API keeps the PTU: its products and its meter per deployment type."""

    hourly: str
    reservation: str
    meters: Mapping[DeploymentType, str]


@dataclass(frozen=True, kw_only=True)
class PriceBook:
    """All known prices. `editions` names the files, the bundled one first; `as_of` is when the newest was put together.

    `publishers` says of some model names whose model the prices are for, where another publisher's is called the same;
    `ptu_publishers` whose models the PTU prices were read for; `own_models` and `own_regions` are the names that the user's files have,
    `list_models` (where there are such files) and `list_regions` those of the bundled list.
    `exchange` holds how many units of another currency a dollar is, for showing only.
    """

    editions: tuple[str, ...]
    as_of: date
    default_region: str
    hourly: Mapping[DeploymentType, tuple[tuple[PtuRow, ...], ...]] = field(repr=False)
    reservations: Mapping[tuple[DeploymentType, PtuTerm], tuple[tuple[PtuRow, ...], ...]] = field(repr=False)
    models: Mapping[str, Mapping[DeploymentType, ModelPrices]] = field(repr=False)
    model_products: Mapping[str, tuple[str, ...]] = field(repr=False)
    remarks: Mapping[str, tuple[str, ...]] = field(repr=False)
    products: Products = field(repr=False)
    sources: Mapping[str, Source] = field(repr=False)
    exchange: Mapping[str, Fraction] = field(default_factory=dict)
    publishers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ptu_publishers: tuple[str, ...] = ()
    own_models: tuple[str, ...] = ()
    own_regions: tuple[str, ...] = ()
    list_models: frozenset[str] = frozenset()
    list_regions: frozenset[str] = frozenset()

    def ptu(self, kind: DeploymentType, region: str, term: PtuTerm) -> PtuPrice | Unknown:
        """What one PTU costs a month: hourly price x 730, or the reservation's price / its months.

        Unknown, with the reason, where no file that was read names the region.
        """
        months = term.months
        layers = self.hourly.get(kind, ()) if months is None else self.reservations.get((kind, term), ())
        for row in _matching(layers, region):
            per_month = row.usd * HOURS_PER_MONTH if months is None else row.usd / months
            return PtuPrice(per_month, row.usd, row.source, row.since)
        what = f"{kind.label} PTU hourly" if months is None else f"{kind.label} {term.value} reservation"
        return Unknown(f"no {what} price is known for {region}")

    def model_key(self, model: str, version: str | None) -> str | None:
        """The name under which a model's prices stand: that of its version where it has prices of its own."""
        for name in ((f"{model}-{version}",) if version else ()) + (model,):
            if name.casefold() in self.models:
                return name.casefold()
        return None

    def tokens(
        self,
        model: str,
        version: str | None,
        kind: DeploymentType,
        region: str,
        *,
        tier: PriceTier = PriceTier.STANDARD,
        long_context: bool = False,
        publisher: str | None = None,
    ) -> TokenPrices | Unknown:
        """Pay-as-you-go prices of a model's tokens on this deployment type in this region.

        `publisher` is the model's, where it is known. Cached tokens and cache writes are billed as plain input where the
        model has no meter for them on this type; what batch and priority do with cached tokens is unknown without one.
        Unknown, with the reason, where no price of the model, type, tier or region is known.
        """
        key = self.model_key(model, version)
        if key is None:
            return Unknown(f"no pay-as-you-go price of {model} is known")
        theirs = self.publishers.get(key)
        if publisher is not None and theirs is not None and theirs != publisher:
            return Unknown(f"no pay-as-you-go price of {model} of {publisher} is known (only that of {theirs})")
        found = self.models[key].get(kind)
        if found is None:
            return Unknown(f"no {kind.label} pay-as-you-go price of {model} is known")
        layers = tuple(
            tuple(row for row in layer if (row.tier, row.long_context) == (tier, long_context))
            for layer in found.layers
        )
        rows = list(_matching(layers, region))
        served = "pay-as-you-go" if tier is PriceTier.STANDARD else tier.value
        what = f"{kind.label} {served}{' long-context' if long_context else ''} price of {model}"
        if not any(layers):
            return Unknown(f"no {what} is known")
        if not rows:
            return Unknown(f"no {what} is known for {region}")
        prices: dict[TokenClass, Fraction | Unknown] = {}
        used = []
        for token_class in TokenClass:
            row = next((row for row in rows if token_class in row.usd_per_1m), None)
            if row is not None:
                prices[token_class] = row.usd_per_1m[token_class]
                used.append(row.source)
            else:
                prices[token_class] = Unknown(f"no {what} is known for {token_class.label} tokens in {region}")
        metered = {each for layer in layers for row in layer for each in row.usd_per_1m}
        may = (
            (TokenClass.CACHED_INPUT, TokenClass.CACHE_WRITE)
            if tier is PriceTier.STANDARD
            else (TokenClass.CACHE_WRITE,)
        )
        as_input = tuple(token_class for token_class in may if token_class not in metered)
        for token_class in as_input:
            prices[token_class] = prices[TokenClass.INPUT]
        return TokenPrices(prices, as_input, tuple(dict.fromkeys(used)))

    def oldest_capture(self, sources: Sequence[str]) -> date:
        """The oldest day on which one of these sources was read; `as_of` for none."""
        return min((self.sources[name].checked for name in sources if name in self.sources), default=self.as_of)


_Row = TypeVar("_Row", PtuRow, TokenRow)


def _matching(layers: Sequence[Sequence[_Row]], region: str) -> Iterator[_Row]:
    """The rows for a region: the last file first, and in a file those that name the region before those for all."""
    for layer in layers:
        yield from (row for row in layer if row.regions is not None and region in row.regions)
        yield from (row for row in layer if row.regions is None)
