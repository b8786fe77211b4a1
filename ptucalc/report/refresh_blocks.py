"""What a refresh of the prices found, as blocks and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from ptucalc.catalog import TokenClass
from ptucalc.errors import visible
from ptucalc.prices import PtuTerm
from ptucalc.report.blocks import Block, Cell, Column, Headline, Remark, Table, amount_text, percent_text
from ptucalc.report.price_blocks import usd_text
from ptucalc.results import json_number
from ptucalc.retail_prices import Change, FoundPrice, NewMeter, PriceKey, RetailPrices, Unused

if TYPE_CHECKING:
    from ptucalc.documents import RefreshDocument

__all__ = ["change_text", "refresh_blocks", "refresh_document"]

SCHEMA: Final = "ptucalc.price-refresh/1"
MOST_SHOWN = 20
LONGEST_NAME = 80


def refresh_blocks(prices: RetailPrices, *, written: str | None, quiet: bool) -> Iterator[Block]:
    """What changed against the known prices; unless `quiet`, what was not used too. `written` is the new file."""
    yield Headline(prices.region, _counts(prices))
    if prices.changes:
        yield _changes(prices.changes)
    if prices.announced:
        table = Table([Column("Announced", folds=True), Column("USD", right=True), Column("From")])
        for price in prices.announced:
            table.rows.append([Cell(price.key.label), Cell(usd_text(price.usd)), Cell(f"{price.since}")])
        yield table
    if prices.unused:
        yield _unused(prices.unused)
    if quiet:
        return
    if prices.new_meters:
        yield _new(prices.new_meters)
    yield from _remarks(prices)
    if written is not None:
        yield Remark("Written", visible(written), "")
        yield Remark("Use it", visible(f"ptucalc cost ... --prices {written}"), "")


def _counts(prices: RetailPrices) -> str:
    new = sum(change.was is None for change in prices.changes)
    changed = len(prices.changes) - new
    parts = [f"{changed:,} changed", f"{new:,} new", f"{prices.unchanged:,} unchanged"]
    return f"{len(prices.found):,} price{_s(len(prices.found))} on {prices.today}: {', '.join(parts)}"


def _changes(changes: Sequence[Change]) -> Table:
    table = Table([Column("Model", folds=True), Column("Type"), Column("USD for"), Column("Was", right=True)])
    table.columns += [Column("Now", right=True), Column("Change", right=True), Column("Since", optional=True)]
    before = None
    for change in changes:
        key = change.key
        name = key.model or "PTU"
        table.rows.append(
            [
                Cell(name if name != before else ""),
                Cell(key.deployment_type.label),
                Cell(key.item.value.replace("_", " ") + ", long" * key.long_context),
                Cell("?", "dim") if change.was is None else Cell(usd_text(change.was)),
                Cell(usd_text(change.now)),
                Cell(change_text(change), "warn" if change.is_jump else ""),
                Cell(f"{change.since}", "dim"),
            ]
        )
        before = name
    return table


def change_text(change: Change) -> str:
    """How much a price changed: +9.1%, −80%; "new" where none was known."""
    share = change.share
    if share is None:
        return "new"
    if abs(share) >= 10:
        return f"× {amount_text(change.now / change.was, 0)}" if change.was else "new"
    return ("+" if share > 0 else "−") + _percent(abs(share))


def _percent(share: Fraction) -> str:
    percent = share * 100
    return f"{amount_text(percent, 1)}%" if percent < 10 else percent_text(share)


def _unused(rows: Sequence[Unused]) -> Table:
    table = Table([Column("Not used", folds=True), Column("Why", folds=True)])
    for row in rows[:MOST_SHOWN]:
        table.rows.append([Cell(_name(row.meter)), Cell(visible(row.reason), "warn")])
    _more(table, len(rows))
    return table


def _new(meters: Sequence[NewMeter]) -> Table:
    table = Table([Column("New meter seen", folds=True), Column("Product", optional=True), Column("Since")])
    for meter in meters[:MOST_SHOWN]:
        table.rows.append([Cell(_name(meter.meter)), Cell(_name(meter.product)), Cell(visible(meter.since))])
    _more(table, len(meters))
    return table


def _more(table: Table, count: int) -> None:
    if count > MOST_SHOWN:
        more = Cell(f"and {count - MOST_SHOWN:,} more (-o json lists all)", "dim")
        table.rows.append([more, *(Cell("") for _ in table.columns[1:])])


def _name(text: str) -> str:
    """A name from outside, fit for a line."""
    text = visible(text[: LONGEST_NAME + 1])
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 3] + "..."


def _remarks(prices: RetailPrices) -> Iterator[Remark]:
    label = "Note"
    for text in _notes(prices):
        yield Remark(label, text)
        label = ""


def _notes(prices: RetailPrices) -> Iterator[str]:
    if prices.changes:
        yield "USD per 1M tokens, per PTU and hour, and per PTU for a reservation's whole term. ? = was not known."
    if prices.new_meters:
        yield "No new meter was priced: only meters that a price file names are."
    for end in sorted({price.ends for price in prices.ending if price.ends}):
        labels = [price.key.label for price in prices.ending if price.ends == end]
        yield f"Until {end} only, and no price after it is listed yet: {_some(labels, '; ')}."
    if prices.not_listed:
        offers = list(dict.fromkeys(f"{key.model or 'PTU'} {key.deployment_type.label}" for key in prices.not_listed))
        count = len(prices.not_listed)
        yield f"{count:,} known price{_s(count)} not listed for {prices.region}, kept as known: {_some(offers, ', ')}."
    if prices.without_meter:
        yield (
            f"{prices.without_meter:,} known price{_s(prices.without_meter)} cannot be refreshed, because no price file "
            "names a meter (batch, priority, some long context): kept as known."
        )
    yield (
        f"{prices.rows:,} rows read: {prices.superseded:,} superseded, {prices.others:,} of other meters, "
        f"{prices.other_regions:,} of other regions."
    )
    if not any(price.key.item in (PtuTerm.ONE_MONTH, PtuTerm.ONE_YEAR) for price in prices.found):
        yield f"No reservation price of a PTU is listed for {prices.region}."


def _some(names: Sequence[str], between: str) -> str:
    more = f" and {len(names) - MOST_SHOWN:,} more" if len(names) > MOST_SHOWN else ""
    return between.join(names[:MOST_SHOWN]) + more


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def refresh_document(
    prices: RetailPrices, *, version: str, editions: Sequence[str], as_of: str, address: str, written: str | None
) -> RefreshDocument:
    """The refresh as JSON data (schema ptucalc.price-refresh/1). `editions` and `as_of` are of what was compared with."""
    return {
        "schema": SCHEMA,
        "version": version,
        "prices_as_of": as_of,
        "prices": list(editions),
        "address": address,
        "region": prices.region,
        "checked": prices.today.isoformat(),
        "written": written,
        "found": [_found(price) for price in prices.found],  # type: ignore[misc]
        "changes": [_change(change) for change in prices.changes],  # type: ignore[misc]
        "unchanged": prices.unchanged,
        "announced": [_price(each.key, each.usd, each.since) for each in prices.announced],  # type: ignore[misc]
        "not_listed": [_key(key) for key in prices.not_listed],  # type: ignore[misc]
        "not_used": [{"meter": row.meter, "reason": row.reason} for row in prices.unused],
        "new_meters": [{"product": m.product, "meter": m.meter, "since": m.since} for m in prices.new_meters],
        "known_without_meter": prices.without_meter,
        "rows": prices.rows,
        "rows_superseded": prices.superseded,
        "rows_of_other_meters": prices.others,
        "rows_of_other_regions": prices.other_regions,
        "notes": [],
    }


def _key(key: PriceKey) -> dict[str, Any]:
    token_class = key.item.value if isinstance(key.item, TokenClass) else None
    return {
        "model": key.model or None,
        "deployment_type": key.deployment_type.value,
        "term": key.item.value if isinstance(key.item, PtuTerm) else None,
        "token_class": token_class,
        "long_context": key.long_context,
        "unit": "1M tokens" if token_class else "PTU hour" if key.item is PtuTerm.HOURLY else "PTU term",
    }


def _found(price: FoundPrice) -> dict[str, Any]:
    return {**_price(price.key, price.usd, price.since), "ends": price.ends.isoformat() if price.ends else None}


def _price(key: PriceKey, usd: Fraction, since: date) -> dict[str, Any]:
    return {**_key(key), "usd": json_number(usd), "since": since.isoformat()}


def _change(change: Change) -> dict[str, Any]:
    return {
        **_key(change.key),
        "was_usd": None if change.was is None else json_number(change.was),
        "now_usd": json_number(change.now),
        "change": None if change.share is None else json_number(change.share),
        "since": change.since.isoformat(),
    }
