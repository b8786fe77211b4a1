"""Rows of Azure's Retail Prices API to prices: which row is which price, what changed, and what was not used.

A meter is known by its full name, as the price book spells it; a name is never taken apart to get a price. What each
rule here guards against was seen in real replies: superseded and future rows stay in the feed, the unit differs from
meter to meter, other products use the name of a PTU meter, and a reservation's price says it is hourly and is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from ptucalc.catalog import DeploymentType, TokenClass, Unknown
from ptucalc.prices import PriceBook, PriceTier, PtuTerm
from ptucalc.retail_rows import (
    MeterId,
    RetailRow,
    end_of,
    folded,
    is_plain_tokens,
    price_of,
    retail_row,
    sorted_by_start,
)

__all__ = [
    "LARGEST_CHANGE",
    "Announced",
    "Change",
    "FoundPrice",
    "NewMeter",
    "PriceKey",
    "RetailPrices",
    "Unused",
    "retail_prices",
]

LARGEST_CHANGE = Fraction(1, 2)
"""A price that changes by a larger share than this, up or down, is more often a mistake than news."""

TERMS = {"1 Month": PtuTerm.ONE_MONTH, "1 Year": PtuTerm.ONE_YEAR}


class PriceKey(NamedTuple):
    """Which price: of one PTU (`model` is "") on a term, or of a model's tokens of a class."""

    model: str
    deployment_type: DeploymentType
    item: PtuTerm | TokenClass
    long_context: bool = False

    @property
    def label(self) -> str:
        """The words a reader knows: "PTU, Data zone, hourly"; "gpt-5, Global, cached input"."""
        item = self.item.value.replace("_", " ")
        return ", ".join(
            [self.model or "PTU", self.deployment_type.label, item] + (["long context"] if self.long_context else [])
        )


class FoundPrice(NamedTuple):
    """A price that the API lists, in USD per 1M tokens, per PTU and hour, or per PTU and whole term; its days."""

    key: PriceKey
    usd: Fraction
    since: date
    ends: date | None = None


class Change(NamedTuple):
    """A found price that differs from the known one; `was` is None where none was known."""

    key: PriceKey
    was: Fraction | None
    now: Fraction
    since: date

    @property
    def share(self) -> Fraction | None:
        """The change as a share of what it was: 1/10 for 10 % more."""
        return None if self.was is None else self.now / self.was - 1

    @property
    def is_jump(self) -> bool:
        """Whether it is too large to be taken unasked."""
        return self.share is not None and abs(self.share) > LARGEST_CHANGE


class Announced(NamedTuple):
    """A price that the API lists for a day to come."""

    key: PriceKey
    usd: Fraction
    since: date


class Unused(NamedTuple):
    """A row of a known meter that cannot be a price, and why."""

    meter: str
    reason: str


class NewMeter(NamedTuple):
    """A token meter that no price file names."""

    product: str
    meter: str
    since: str


@dataclass(frozen=True, kw_only=True)
class RetailPrices:
    """What the API lists for a region, against what is known.

    `found` holds every price, changed or not; `not_listed` are known prices whose meter the API did not list, and
    `without_meter` how many known prices no meter is known of (batch, priority ...): both stay as they are.
    """

    region: str
    today: date
    rows: int
    found: tuple[FoundPrice, ...]
    changes: tuple[Change, ...]
    announced: tuple[Announced, ...]
    not_listed: tuple[PriceKey, ...]
    without_meter: int
    unused: tuple[Unused, ...]
    new_meters: tuple[NewMeter, ...]
    superseded: int
    other_regions: int
    others: int

    @property
    def unchanged(self) -> int:
        """How many found prices are the known ones."""
        return len(self.found) - len(self.changes)

    @property
    def ending(self) -> tuple[FoundPrice, ...]:
        """Found prices with a last day and none announced after it."""
        followed = {price.key for price in self.announced}
        return tuple(price for price in self.found if price.ends is not None and price.key not in followed)

    @property
    def jumps(self) -> tuple[Change, ...]:
        """The changes that are too large to be taken unasked."""
        return tuple(change for change in self.changes if change.is_jump)


def retail_prices(items: Iterable[Mapping[str, Any]], book: PriceBook, *, region: str, today: date) -> RetailPrices:
    """The prices that rows of the API hold for a region on a day, compared with the book's.

    A row is a mapping as in the API's JSON, with numbers as text. Of rows that differ only in their start, the latest
    that has begun counts; it is not replaced by an older one where it cannot be used.
    """
    wanted = _known_meters(book)
    groups: dict[MeterId, list[RetailRow]] = {}
    others: list[RetailRow] = []
    counts: Counter[str] = Counter()
    for row in map(retail_row, items):
        counts["rows"] += 1
        if row.region.casefold() != region:
            counts["other_regions"] += 1
        elif row.meter_id in wanted:
            groups.setdefault(row.meter_id, []).append(row)
        else:
            others.append(row)
    found: list[FoundPrice] = []
    announced: list[Announced] = []
    unused: list[Unused] = []
    for meter, rows in groups.items():
        keys, name = wanted[meter], rows[0].meter
        days = sorted_by_start(rows, today)
        unused += [Unused(name, f"its start {row.since or '(empty)'} is no date") for row in days.undated]
        counts["superseded"] += sum(map(len, list(days.begun.values())[:-1]))
        for since, dated in [*list(days.begun.items())[-1:], *days.to_come.items()]:
            usd = price_of(dated, tokens=isinstance(keys[0].item, TokenClass), today=today)
            if isinstance(usd, Unknown):
                unused.append(Unused(name, usd.reason + (f" (from {since})" if since > today else "")))
            elif since > today:
                announced += [Announced(key, usd, since) for key in keys]
            else:
                found += [FoundPrice(key, usd, since, end_of(dated)) for key in keys]
    reserved = folded(book.products.reservation)
    unused += [
        Unused(row.meter, f"a reservation for {row.term or 'no term'} is not known here")
        for row in others
        if row.meter_id.product == reserved
    ]
    known = {
        key: _known(book, key, region) for key in sorted({key for keys in wanted.values() for key in keys}, key=_order)
    }
    listed = {key for meter in groups for key in wanted[meter]}
    found.sort(key=lambda price: _order(price.key))
    announced.sort(key=lambda price: (_order(price.key), price.since))
    changes = (Change(price.key, known[price.key], price.usd, price.since) for price in found)
    return RetailPrices(
        region=region,
        today=today,
        rows=counts["rows"],
        found=tuple(found),
        changes=tuple(change for change in changes if change.was != change.now),
        announced=tuple(announced),
        not_listed=tuple(key for key, usd in known.items() if usd is not None and key not in listed),
        without_meter=_without_meter(book, region, set(known)),
        unused=tuple(unused),
        new_meters=_new_meters(others, book),
        superseded=counts["superseded"],
        other_regions=counts["other_regions"],
        others=len(others),
    )


def _order(key: PriceKey) -> tuple[str, int, bool, int]:
    """PTU first, then by model; deployment types, terms and token classes in their own order."""
    items: list[Any] = list(PtuTerm if isinstance(key.item, PtuTerm) else TokenClass)
    return key.model, list(DeploymentType).index(key.deployment_type), key.long_context, items.index(key.item)


def _known_meters(book: PriceBook) -> dict[MeterId, list[PriceKey]]:
    """The prices that each meter of the book stands for."""
    found: dict[MeterId, list[PriceKey]] = {}
    for kind, name in book.products.meters.items():
        hourly = MeterId(folded(book.products.hourly), folded(name), "Consumption", "")
        found.setdefault(hourly, []).append(PriceKey("", kind, PtuTerm.HOURLY))
        for term_name, term in TERMS.items():
            reserved = MeterId(folded(book.products.reservation), folded(name), "Reservation", term_name)
            found.setdefault(reserved, []).append(PriceKey("", kind, term))
    for model, kinds in book.models.items():
        for kind, prices in kinds.items():
            for long, meters in ((False, prices.meters), (True, prices.meters_long)):
                for token_class, name in meters.items():
                    for product in book.model_products.get(model, ()):
                        meter = MeterId(folded(product), folded(name), "Consumption", "")
                        found.setdefault(meter, []).append(PriceKey(model, kind, token_class, long))
    return found


def _known(book: PriceBook, key: PriceKey, region: str) -> Fraction | None:
    """The price that the book has; None for none, and where it would only be billed as another class."""
    if isinstance(key.item, PtuTerm):
        price = book.ptu(key.deployment_type, region, key.item)
        return None if isinstance(price, Unknown) else price.published_usd
    tokens = book.tokens(key.model, None, key.deployment_type, region, long_context=key.long_context)
    if isinstance(tokens, Unknown) or key.item in tokens.as_input:
        return None
    usd = tokens.usd_per_1m[key.item]
    return None if isinstance(usd, Unknown) else usd


def _without_meter(book: PriceBook, region: str, metered: set[PriceKey]) -> int:
    """How many known prices of a region no row of the API can renew."""
    count = 0
    for model, kinds in book.models.items():
        for kind, prices in kinds.items():
            here = {
                (row.tier, PriceKey(model, kind, token_class, row.long_context))
                for layer in prices.layers
                for row in layer
                if row.regions is None or region in row.regions
                for token_class in row.usd_per_1m
            }
            count += sum(tier is not PriceTier.STANDARD or key not in metered for tier, key in here)
    return count


def _new_meters(rows: Iterable[RetailRow], book: PriceBook) -> tuple[NewMeter, ...]:
    """Token meters of the PTU's own line of products that no price file names, each once."""
    line = folded(book.products.hourly)
    found: dict[tuple[str, str], NewMeter] = {}
    for row in rows:
        if is_plain_tokens(row) and row.meter_id.product.startswith(line):
            found.setdefault(row.meter_id[:2], NewMeter(row.product, row.meter, row.since[:10]))
    return tuple(found[name] for name in sorted(found))
