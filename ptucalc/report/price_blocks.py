"""The known prices as blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction

from ptucalc.catalog import DeploymentType, TokenClass, Unknown
from ptucalc.prices import PriceBook, PtuPrice, PtuTerm
from ptucalc.report.blocks import Block, Cell, Column, Headline, Remark, Table, amount_text
from ptucalc.report.price_document import Asked, PriceLine, meters_of, price_lines, ptu_entries, used_sources

__all__ = ["price_blocks", "usd_text"]

DECIMALS = 12
"""A price is shown as it is, however small."""

_TITLES = {TokenClass.INPUT: "Input", TokenClass.CACHED_INPUT: "Cached", TokenClass.CACHE_WRITE: "Write"}
_TITLES |= {TokenClass.OUTPUT: "Output", TokenClass.IMAGE_INPUT: "Image in", TokenClass.IMAGE_OUTPUT: "Image out"}
_TERMS = {PtuTerm.HOURLY: "Hour", PtuTerm.ONE_MONTH: "1 month", PtuTerm.ONE_YEAR: "1 year"}


def price_blocks(book: PriceBook, asked: Asked, *, verbose: bool, quiet: bool, today: date) -> Iterator[Block]:
    """PTU prices, then token prices; with `verbose` every tier, meters, remarks, other regions and sources."""
    chosen = " (the default; --region)" if asked.is_default else ""
    yield Headline("PTU", f"USD per PTU in {asked.region}{chosen}: an hour, or a reservation's whole term")
    yield _ptu_table(book, asked)
    for reason in _unknown_ptu(book, asked):
        yield Remark("Unknown", reason, "warn")
    if verbose:
        yield Headline("PTU", "USD in all regions")
        yield _ptu_regions_table(book, asked)
    yield Headline("Tokens", f"USD per 1M tokens in {asked.region}, pay-as-you-go")
    if verbose:
        for model in asked.models:
            yield from _details(book, asked, model)
        yield from _source_remarks(book)
    else:
        yield _token_table(book, asked)
    if not quiet:
        yield from _remarks(book, asked, verbose, today)


def _remarks(book: PriceBook, asked: Asked, verbose: bool, today: date) -> Iterator[Remark]:
    count = f"{len(asked.models)} of {len(book.models)}" if len(asked.models) != len(book.models) else len(asked.models)
    oldest = book.oldest_capture(used_sources(book, asked))
    age = (today - oldest).days
    yield Remark(
        "Prices",
        f"{count} models of {' + '.join(book.editions)}, as of {book.as_of}; the oldest price shown was read on {oldest}, "
        f"{age:,} day{'' if age == 1 else 's'} ago. List prices without tax; yours may differ (--prices).",
    )
    if not verbose:
        yield Remark(
            "",
            f"= in: no meter of its own, billed as input; ? = no price is known for {asked.region}. Standard tier, short "
            "context; -v adds batch, priority, long context, meters, other regions, sources",
        )


def _ptu_table(book: PriceBook, asked: Asked) -> Table:
    table = Table([Column("Type"), *(Column(title, right=True) for title in _TERMS.values())])
    table.columns += [Column("Since", optional=True), Column("Source", optional=True), Column("Read", optional=True)]
    for kind in asked.deployment_types:
        prices = [book.ptu(kind, asked.region, term) for term in PtuTerm]
        known = [price for price in prices if not isinstance(price, Unknown)]
        sources = tuple(dict.fromkeys(price.source for price in known))
        since = known[0].since if known and known[0] is prices[0] else None
        table.rows.append(
            [
                Cell(kind.label),
                *(_ptu_cell(price) for price in prices),
                Cell(since or "", "dim"),
                Cell(" ".join(sources), "dim"),
                Cell(f"{book.oldest_capture(sources)}" if sources else "", "dim"),
            ]
        )
    return table


def _ptu_cell(price: PtuPrice | Unknown) -> Cell:
    return Cell("unknown", "warn") if isinstance(price, Unknown) else Cell(usd_text(price.published_usd))


def _unknown_ptu(book: PriceBook, asked: Asked) -> Iterator[str]:
    for kind in asked.deployment_types:
        for term in PtuTerm:
            price = book.ptu(kind, asked.region, term)
            if isinstance(price, Unknown):
                yield price.reason


def _ptu_regions_table(book: PriceBook, asked: Asked) -> Table:
    table = Table([Column("Type"), Column("Term"), Column("USD", right=True), Column("Regions", folds=True)])
    table.columns += [Column("Since", optional=True), Column("Before", right=True, optional=True), Column("Source")]
    for entry in ptu_entries(book, asked):
        before = entry["replaced_usd_per_ptu"]
        table.rows.append(
            [
                Cell(DeploymentType(entry["deployment_type"]).label),
                Cell(entry["term"]),
                Cell(usd_text(entry["usd_per_ptu"])),
                Cell(", ".join(entry["regions"]) if entry["regions"] is not None else "all"),
                Cell(entry["since"] or "", "dim"),
                Cell("" if before is None else usd_text(before), "dim"),
                Cell(entry["source"], "dim"),
            ]
        )
    return table


def _shown_classes(lines: Sequence[PriceLine]) -> list[TokenClass]:
    """Columns: the four of every model, and image tokens where some model has them."""
    billed = {token_class for line in lines for token_class in line.classes}
    return [c for c in TokenClass if c in billed or c in (TokenClass.INPUT, TokenClass.OUTPUT)]


def _token_table(book: PriceBook, asked: Asked) -> Table:
    lines = [line for model in asked.models for line in price_lines(book, asked, model) if line.plain]
    classes = _shown_classes(lines)
    table = Table([Column("Model", folds=True), Column("Type"), *(Column(_TITLES[c], right=True) for c in classes)])
    table.columns += [Column("Source", optional=True), Column("Read", optional=True)]
    before = ""
    for line in lines:
        name = line.model if line.model != before else ""
        table.rows.append([Cell(name), Cell(line.kind.label), *_price_cells(line, classes), *_source_cells(book, line)])
        before = line.model
    return table


def _price_cells(line: PriceLine, classes: Sequence[TokenClass]) -> Iterator[Cell]:
    for token_class in classes:
        as_input = token_class in (TokenClass.CACHED_INPUT, TokenClass.CACHE_WRITE)
        if token_class not in line.classes:
            yield Cell("= in" if as_input else "", "dim")
        elif isinstance(line.prices, Unknown):
            yield Cell("?", "warn")
        elif token_class in line.prices.as_input:
            yield Cell("= in", "dim")
        else:
            usd = line.prices.usd_per_1m[token_class]
            yield Cell("?", "warn") if isinstance(usd, Unknown) else Cell(usd_text(usd))


def _source_cells(book: PriceBook, line: PriceLine) -> tuple[Cell, Cell]:
    if isinstance(line.prices, Unknown):
        return Cell(""), Cell("")
    sources = line.prices.sources
    return Cell(" ".join(sources), "dim"), Cell(f"{book.oldest_capture(sources)}", "dim")


def _details(book: PriceBook, asked: Asked, model: str) -> Iterator[Block]:
    lines = list(price_lines(book, asked, model))
    yield Headline(model, ", ".join(book.model_products.get(model, ())))
    if lines:
        classes = _shown_classes(lines)
        table = Table([Column("Type"), Column("Tier"), Column("Context")])
        table.columns += [*(Column(_TITLES[c], right=True) for c in classes), Column("Source"), Column("Read")]
        for line in lines:
            what = (Cell(line.kind.label), Cell(line.tier.value), Cell("long" if line.long else "short"))
            table.rows.append([*what, *_price_cells(line, classes), *_source_cells(book, line)])
        yield table
    for line in lines:
        if isinstance(line.prices, Unknown):
            yield Remark("Unknown", line.prices.reason, "warn")
    for kind in asked.deployment_types:
        for entry in meters_of(book, model, kind):
            names = "; ".join(f"{name.replace('_', ' ')} {meter}" for name, meter in entry["meters"].items())
            yield Remark("Meters", f"{kind.label}{', long context' * entry['long_context']}: {names}")
    for text in book.remarks.get(model, ()):
        yield Remark("Remark", text, "warn")


def _source_remarks(book: PriceBook) -> Iterator[Remark]:
    for source in book.sources.values():
        about = f"{source.name}: {source.title}; published {source.published}, checked {source.checked}; {source.where}"
        yield Remark("Source", about)


def usd_text(usd: Fraction) -> str:
    """A price for people: not rounded, with two decimals or more.

    >>> usd_text(Fraction(11, 10)), usd_text(Fraction(1234)), usd_text(Fraction(1, 16))
    ('1.10', '1,234.00', '0.0625')
    """
    whole, _, part = amount_text(usd, DECIMALS).partition(".")
    return f"{whole}.{part:<02}" if part else f"{whole}.00"
