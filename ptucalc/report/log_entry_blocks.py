"""The demand of one deployment of a log as blocks: its minutes, its sizes, the hours of the week, the busiest day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from ptucalc.catalog import TokenClass, TokenWeights, Unknown
from ptucalc.demand_profile import TEXT_CLASSES
from ptucalc.errors import visible
from ptucalc.log_result import LogDemand, LogEntry
from ptucalc.report.blocks import (
    Block,
    Cell,
    Column,
    Headline,
    HeatMap,
    HeatRow,
    Remark,
    Strip,
    Table,
    amount_text,
    percent_text,
    ptu_text,
)
from ptucalc.report.log_words import DAYS, MONTHS, named, percentile_title, requests_text, tokens_text
from ptucalc.results import Size

__all__ = ["entry_blocks", "model_text", "size_cell"]

HOURS = 24
WEEK_US = 7 * 86_400 * 1_000_000
_MEASURES = {
    "uncached_input_tokens": "tokens in, uncached",
    "cached_input_tokens": "tokens in, cached",
    "cache_write_tokens": "tokens in, written",
    "output_tokens": "tokens out",
    "raw_ptu": "PTU needed",
}
_WEIGHED = {TokenClass.INPUT: "uncached in", TokenClass.CACHED_INPUT: "cached in", TokenClass.OUTPUT: "out"}


def entry_blocks(entry: LogEntry, result: LogDemand, *, quiet: bool = False) -> Iterator[Block]:
    """One deployment (or model, or the whole log) in full. What could not be sized shows what it asked for."""
    yield Headline(_title(entry), _call(entry, result))
    if entry.per_minute:
        yield _per_minute(entry, result)
    if not quiet:
        yield from _mean_and_bursts(entry)
    if entry.reason:
        return
    yield _sizes(entry)
    for size in entry.sizes.values():
        if size.reason and not quiet:
            label = "Not sold" if size.available is False else "Unsure"
            yield Remark(label, f"{size.deployment_type.label}: {size.reason}.", "warn")
    if quiet:
        return
    yield _all_sizes(entry)
    yield from _pictures(entry, result)
    yield Remark("How", _how(entry, result))


def model_text(entry: LogEntry) -> str:
    """The model an entry is sized as, or what the log calls it."""
    if entry.model is None:
        return named(entry.model_name)
    return f"{entry.model.name} {entry.model_version or ''}".rstrip()


def size_cell(size: Size | None, style: str = "bold") -> Cell:
    """The PTU of a size: a dash where there is none, a question mark where it may not be for sale."""
    if size is None or size.ptu is None:
        return Cell("—")
    return Cell(f"{size.ptu:,}{' ?' if size.available is None else ''}", style)


def _title(entry: LogEntry) -> str:
    model, name = model_text(entry), named(entry.name)
    if not model or entry.model_name.casefold() == entry.name.casefold() or model.casefold() == name.casefold():
        return model or name
    return f"{name}: {model}"


def _call(entry: LogEntry, result: LogDemand) -> str:
    """What is asked for, on average."""
    parts = []
    if entry.requests and len(result.entries) > 1:
        parts.append(requests_text(entry.requests))
    tokens_in, tokens_out, cached = entry.mean_input_tokens, entry.mean_output_tokens, entry.cache_ratio
    if tokens_in is not None and tokens_out is not None:
        from_cache = f" ({percent_text(cached)} cached)" if cached else ""
        parts.append(f"a call has {amount_text(tokens_in, 0)} tokens in{from_cache}, {amount_text(tokens_out, 0)} out")
    return " · ".join(parts)


def _per_minute(entry: LogEntry, result: LogDemand) -> Table:
    """Percentiles of each measure; the last row is what sizes follow from."""
    lines: list[tuple[str, Mapping[str, Fraction]]] = [(line.measure, line.at) for line in entry.per_minute]
    if entry.weighted_tpm:
        at = next((index for index, (measure, _) in enumerate(lines) if measure == "raw_ptu"), len(lines))
        lines.insert(at, ("weighted TPM", entry.weighted_tpm.at))
    names = list(lines[0][1])
    table = Table([Column("per minute"), *_percentile_columns(names, entry)])
    for measure, values in lines:
        label = _MEASURES.get(measure, measure.replace("_", " "))
        if measure == "raw_ptu" and result.headroom:
            label = "PTU, no headroom"
        if measure == "uncached_input_tokens" and not result.source.cached_known:
            label = "tokens in"
        largest = max(values.values(), default=Fraction(0))
        short = measure not in ("requests", "raw_ptu")
        texts = [tokens_text(values[name], largest) if short else amount_text(values[name]) for name in names]
        style = "bold" if measure == "raw_ptu" else ""
        table.rows.append([Cell(label, style), *(Cell(text, style) for text in texts)])
    return table


def _percentile_columns(names: Sequence[str], entry: LogEntry) -> Iterator[Column]:
    kept = ("p50", entry.percentile.name, "max")
    return (Column(percentile_title(name), right=True, optional=name not in kept) for name in names)


def _mean_and_bursts(entry: LogEntry) -> Iterator[Remark]:
    means = [requests_text(entry.mean_rpm)] if entry.requests else []
    if entry.weighted_tpm:
        means.append(f"{amount_text(entry.weighted_tpm.mean, 0)} weighted tokens")
    if means:
        yield Remark("Mean", f"{' and '.join(means)} a minute, idle minutes included.", "")
    if entry.weighted_tpm is None:
        return
    windows = entry.weighted_tpm.windows
    seen = {"60 s": windows.sliding_60s, "10 s": windows.burst_10s, "1 s": windows.burst_1s}
    known = [f"{length}: {amount_text(value, 0)}" for length, value in seen.items() if value is not None]
    text = f"busiest {' · '.join(known)} weighted tokens, scaled to a minute." if known else ""
    if len(known) < len(seen):
        missing = ", ".join(length for length, value in seen.items() if value is None)
        text += f" Not known{f' for {missing}' if known else ''}: {visible(windows.why).rstrip('.')}."
    yield Remark("Bursts", text.strip(), "")


def _sizes(entry: LogEntry) -> Table:
    """What to buy at the percentile asked for."""
    table = Table(
        [
            Column(f"Sized at {percentile_title(entry.percentile.name)}"),
            Column("Needs", right=True, optional=True),
            Column("Buy", right=True),
            Column("Sold as", optional=True),
            Column("Minutes over", right=True),
        ]
    )
    for kind, size in entry.sizes.items():
        grid, unsure = size.offer.grid, " ?" if size.available is None else ""
        table.rows.append(
            [
                Cell(size.deployment_type.label + unsure),
                Cell(ptu_text(size.need_ptu)),
                Cell("—" if size.ptu is None else f"{size.ptu:,} PTU", "bold"),
                Cell("—" if grid is None else f"{grid.minimum:,}, then by {grid.increment:,}"),
                Cell(_minutes_over(entry, kind, size)),
            ]
        )
    return table


def _minutes_over(entry: LogEntry, kind: str, size: Size | None, *, briefly: bool = False) -> str:
    for over in entry.minutes_over.get(kind, ()):
        if size and over.ptu == size.ptu:
            if not over.minutes:
                return "none"
            share = percent_text(over.share)
            return share if briefly else f"{over.minutes:,} of {entry.minutes:,} ({share})"
    return "—"


def _all_sizes(entry: LogEntry) -> Table:
    """Each type's size at every percentile, and how many minutes exceed it."""
    table = Table([Column("PTU to buy for"), *_percentile_columns(list(entry.sizes_at), entry)])
    for kind, chosen in entry.sizes.items():
        at = {name: sizes.get(kind) for name, sizes in entry.sizes_at.items()}
        bold = {name: "bold" if name == entry.percentile.name else "" for name in at}
        table.rows.append(
            [Cell(chosen.deployment_type.label), *(size_cell(size, bold[name]) for name, size in at.items())]
        )
        over = (_minutes_over(entry, kind, size, briefly=True) for size in at.values())
        table.rows.append([Cell("  minutes over it", "dim"), *(Cell(text, "dim") for text in over)])
    return table


def _pictures(entry: LogEntry, result: LogDemand) -> Iterator[Block]:
    hours = entry.hour_of_week_ptu
    if isinstance(hours, Unknown):
        yield Remark("Hours", f"no hours of the week: {visible(hours.reason)}.")
    else:
        rows = list(_days(hours))
        if len(rows) > 1:  # else the strip shows it all
            yield HeatMap("Peak PTU by hour of week (UTC)", rows, "PTU")
    busiest = entry.busiest_day
    if busiest is None:
        return
    bought = next((size.ptu for size in entry.sizes.values() if size.ptu is not None), None)
    label, first, last, caption = busiest.label, "0 h", "24 h", "busiest day"
    if busiest.day:
        label, first, last = DAYS[busiest.day.weekday()], "00:00", "24:00"
        if result.source.last - result.source.first > WEEK_US:
            caption += f", {busiest.day.day} {MONTHS[busiest.day.month - 1]}"
    over = "" if bought is None else f"over {bought:,} PTU"
    yield Strip(label, busiest.quarter_hours, caption, bought, over, first, last)


def _days(hours: Sequence[Fraction | None]) -> Iterator[HeatRow]:
    """The days of the week that the log has an hour of, each with its highest; the highest of all stands out."""
    highest = max((value for value in hours if value is not None), default=Fraction(0))
    found = False
    for index, day in enumerate(DAYS):
        values = hours[index * HOURS : (index + 1) * HOURS]
        peak = max((value for value in values if value is not None), default=None)
        if peak is not None:
            strong = peak == highest and not found
            found = found or strong
            remark = f"{amount_text(peak, 0)} at {values.index(peak):02d}:00" if peak else "idle"
            yield HeatRow(day, values, remark, strong)


def _how(entry: LogEntry, result: LogDemand) -> str:
    """From weighted tokens to PTU, as a reader would redo it."""
    text = _weighing(entry)
    size = next(iter(entry.sizes.values()), None)
    if size is None or entry.weighted_tpm is None:
        return text
    name = percentile_title(entry.percentile.name)
    highest = "highest" if name == "max" else name
    tpm = amount_text(entry.weighted_tpm.at[entry.percentile.name], 3)
    text += f"the {highest} of {entry.minutes:,} minute{'' if entry.minutes == 1 else 's'}, {tpm} ÷ {size.tpm_per_ptu:,} per PTU = {ptu_text(size.raw_ptu)}"
    if result.headroom:
        text += f"; × {amount_text(1 + result.headroom, 6)} headroom = {ptu_text(size.need_ptu)}"
    return text + " PTU."


def _weighing(entry: LogEntry) -> str:
    """How tokens are weighed, where all parts of the entry are weighed alike; band by band where these differ."""
    if not entry.parts or any(part.weights != entry.parts[0].weights for part in entry.parts):
        return ""
    thresholds, by_band = entry.parts[0].profile.thresholds, entry.parts[0].weights
    text, before = "", None
    for band, weights in sorted(by_band.items()):
        if weights != before:
            over = f", with over {thresholds[band - 1]:,} tokens in " if before is not None and band else ""
            text += over + _weighted_sum(weights, entry)
            before = weights
    return f"weighted tokens = {text}; "


def _weighted_sum(weights: TokenWeights, entry: LogEntry) -> str:
    """The weights of the classes that the log has tokens of."""
    parts = []
    for index, token_class in enumerate(TEXT_CLASSES):
        weight = weights.of(token_class)
        if isinstance(weight, Fraction) and weight and (entry.mean_call is None or entry.mean_call[index]):
            factor = "" if weight == 1 else f"{amount_text(weight, 6)} × "
            parts.append(factor + _WEIGHED.get(token_class, token_class.label))
    return " + ".join(parts) or "0"
