"""The demand of a log as blocks: what was read, every deployment, the biggest in full, what sharing saves, notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from ptucalc.catalog import DeploymentType
from ptucalc.errors import visible
from ptucalc.log_result import LogDemand, LogEntry, ModelSharing, SharedSize
from ptucalc.report.blocks import Block, Cell, Column, Headline, Remark, Table, amount_text
from ptucalc.report.log_entry_blocks import entry_blocks, model_text, size_cell
from ptucalc.report.log_words import MONTHS, named, percentile_title, requests_text, tokens_text
from ptucalc.request_log import LogSource

__all__ = ["log_blocks", "recognition", "window_text"]

ALL_IN_FULL = 3
"""Up to so many deployments are all shown in full; of more, the biggest is."""
MOST_LISTED = 6
SAID = ("not_sized", "skipped_rows")
"""Codes of notes that the report says in a place of its own."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def log_blocks(result: LogDemand, *, verbose: bool = False, quiet: bool = False) -> Iterator[Block]:
    """The report. Of more than three deployments only the biggest is shown in full (all of them with `verbose`)."""
    yield _headline(result)
    if not quiet:
        yield from recognition(result.source)
    entries = list(result.entries)
    if len(entries) > 1:
        yield _summary(result)
    shown = entries if verbose or len(entries) <= ALL_IN_FULL else _biggest(entries)
    for entry in shown:
        yield from entry_blocks(entry, result, quiet=quiet)
    yield from _unsized(entries, verbose=verbose)
    if quiet:
        return
    if len(shown) < len(entries):
        yield Remark(
            "More", f"{named(shown[0].name)} is the biggest of {len(entries):,}; -v shows all of them in full."
        )
    yield from _sharing(result)
    editions = " + ".join(result.catalog_editions)
    yield Remark("Rates", f"{editions}, as of {result.catalog_as_of}; oldest source checked on {result.oldest_check}.")
    yield from _notes(result, shown)


def _biggest(entries: Sequence[LogEntry]) -> list[LogEntry]:
    """The entry that needs most PTU; of those without a size, the one with most requests."""
    return [max(entries, key=lambda entry: (_need(entry), entry.requests))]


def _need(entry: LogEntry) -> Fraction:
    return max((size.need_ptu for size in entry.sizes.values()), default=Fraction(-1))


def _headline(result: LogDemand) -> Headline:
    source = result.source
    skipped = _skipped(source)
    parts = [window_text(source)]
    if skipped:
        parts.append(f"{skipped:,} row{'s' if skipped > 1 else ''} skipped")
    what = f"{source.rows_used:,} row{'' if source.rows_used == 1 else 's'}"
    if result.requests:  # else the log counts tokens only
        what = requests_text(result.requests)
    return Headline(what, " · ".join(parts))


def _skipped(source: LogSource) -> int:
    return sum(source.skipped.values())


def window_text(source: LogSource) -> str:
    """From when to when, in as few words as say it."""
    if source.relative_clock:
        return f"{_length(source.last - source.first)} on a relative clock"
    first, last = _moment(source.first), _moment(source.last)
    start, end = (f"{each.day} {MONTHS[each.month - 1]} {each.year}" for each in (first, last))
    if first.date() == last.date():
        begins, ends = f"{first:%H:%M}", f"{last:%H:%M}"
        return f"{start}, {begins if begins == ends else f'{begins}–{ends}'} UTC"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{end} UTC"
    if first.year == last.year:
        return f"{first.day} {MONTHS[first.month - 1]} – {end} UTC"
    return f"{start} – {end} UTC"


def _moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def _length(microseconds: int) -> str:
    """A length of time in its two largest units: "2 days 4 h", "59 min 3 s"."""
    seconds = microseconds // 1_000_000
    units = ((86_400, "days"), (3_600, "h"), (60, "min"), (1, "s"))
    at = next((index for index, (each, _) in enumerate(units) if seconds >= each), len(units) - 1)
    parts: list[str] = []
    for each, unit in units[at : at + 2]:
        count, seconds = divmod(seconds, each)
        if count or not parts:
            parts.append(f"{count:,} {'day' if unit == 'days' and count == 1 else unit}")
    return " ".join(parts)


def recognition(source: LogSource) -> Iterator[Remark]:
    """How the log was understood."""
    files = _some([named(name) for name in source.files], MOST_LISTED)
    rows = f"{source.rows:,} row{'' if source.rows == 1 else 's'}, {source.rows_used:,} used"
    reasons = [f"{visible(reason).replace('_', ' ')}: {count:,}" for reason, count in source.skipped.items() if count]
    grain = "a row is a call"
    if source.grain == "bucket":
        grain = f"a row is a bucket of {source.bucket_seconds:,} s" if source.bucket_seconds else "a row is a bucket"
    parts = [
        f"{' + '.join(map(visible, source.formats))} ({files}): {rows}",
        f"dropped {_skipped(source):,} ({', '.join(reasons)})" if reasons else "none dropped",
        grain,
        f"columns {', '.join(key if key == name else f'{key} = {named(name)}' for key, name in source.columns.items())}",
        f"from {_stamp(source, source.first)} to {_stamp(source, source.last)}{'' if source.relative_clock else ' UTC'}",
        "times count from the start" if source.relative_clock else f"time zone {visible(source.time_zone)}",
        "cached tokens known" if source.cached_known else "cached tokens not known: all input counts as uncached",
    ]
    if source.ids:
        parts.append(visible(source.ids))
    yield Remark("Read", "; ".join(parts) + ".")


def _stamp(source: LogSource, microseconds: int) -> str:
    if source.relative_clock:
        return _length(microseconds)
    return f"{_moment(microseconds):%Y-%m-%d %H:%M:%S}"


def _some(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _kinds(result: LogDemand) -> list[str]:
    found = {kind for entry in result.entries for kind in entry.sizes}
    return [kind.value for kind in DeploymentType if kind.value in found]


def _summary(result: LogDemand) -> Table:
    """Every entry in a line: weighted tokens per minute, and what to buy."""
    kinds, name = _kinds(result), result.percentile.name
    percentiles = [name] if name == "max" else [name, "max"]
    table = Table(
        [
            Column("Model" if result.by == "model" else "Deployment", folds=True),
            *([] if result.by == "model" else [Column("Model", optional=True)]),
            Column("Requests", right=True, optional=True),
            Column("TPM mean", right=True, optional=True),
            *(Column(f"TPM {percentile_title(each)}", right=True, optional=True) for each in percentiles),
            *(Column(DeploymentType(kind).label, right=True) for kind in kinds),
        ]
    )
    for entry in result.entries:
        tpm = entry.weighted_tpm
        weighted = [None] * (1 + len(percentiles)) if tpm is None else [tpm.mean, *(tpm.at[p] for p in percentiles)]
        style = "warn" if entry.reason else ""
        table.rows.append(
            [
                Cell(named(entry.name), style),
                *([] if result.by == "model" else [Cell(model_text(entry) or "not said", style)]),
                Cell(amount_text(entry.requests) if entry.requests or not tpm else "—"),
                *(Cell("—" if value is None else tokens_text(value)) for value in weighted),
                *(size_cell(entry.sizes.get(kind)) for kind in kinds),
            ]
        )
    return table


def _unsized(entries: Sequence[LogEntry], *, verbose: bool) -> Iterator[Remark]:
    """What has no size, why, and what to do about it."""
    unsized = [entry for entry in entries if entry.reason]
    most = len(unsized) if verbose else MOST_LISTED
    for entry in unsized[:most]:
        assert entry.reason is not None
        reason = visible(entry.reason.reason)
        stop = "" if reason.endswith((".", "?")) else "."
        yield Remark("Not sized", f"{named(entry.name)}, {requests_text(entry.requests)}: {reason}{stop}", "warn")
    if len(unsized) > most:
        rest = requests_text(sum((entry.requests for entry in unsized[most:]), Fraction(0)))
        yield Remark("", f"and {len(unsized) - most:,} more with {rest} (-v names them).", "warn")
    if any(entry.model is None for entry in unsized):
        text = "-m MODEL sizes all calls as that model"
        if any(entry.deployment for entry in unsized):
            text += ", --map-model DEPLOYMENT=MODEL those of one deployment"
        yield Remark("To do", f"{text}.", "")


def _sharing(result: LogDemand) -> Iterator[Remark]:
    """What one pool for the deployments of a model saves, and one quota for all."""
    name = percentile_title(result.percentile.name)
    for shared in result.sharing.models:
        sizes = [text for size in shared.sizes if (text := _shared(size))]
        yield Remark("Pool", f"{_pool(shared)} at {name}: {'; '.join(sizes) or 'no size known'}.", "")
    quota = result.sharing.quota
    if quota:
        apart, together = amount_text(quota.apart_raw_ptu), amount_text(quota.together_raw_ptu)
        text = f"the peaks of {_some([named(group) for group in quota.groups], MOST_LISTED)} add up to {apart} PTU"
        if quota.saved_raw_ptu:
            text += f", but at no minute are more than {together} needed (before headroom and rounding): "
            text += f"one quota for all saves {amount_text(quota.saved_raw_ptu)}."
        else:
            text += ", all in one minute: one quota for all saves nothing."
        yield Remark("Quota", text, "")


def _pool(shared: ModelSharing) -> str:
    return f"{_some([named(each) for each in shared.deployments], MOST_LISTED)} on one {shared.model} deployment"


def _shared(size: SharedSize) -> str:
    saved = size.saved_ptu
    if saved is None:
        return ""
    change = f"saves {saved:,}" if saved > 0 else f"{-saved:,} more" if saved else "saves nothing"
    return f"{size.deployment_type.label} {size.together_ptu:,} instead of {size.apart_ptu:,} PTU ({change})"


def _notes(result: LogDemand, shown: Sequence[LogEntry]) -> Iterator[Remark]:
    """Those about the log and about what is shown in full; of the others, how many of each kind."""
    names = {"", *(entry.name for entry in shown)}
    others: Counter[str] = Counter()
    for note in result.notes:
        if note.code in SAID:
            continue
        if note.about in names:
            yield Remark("Note", visible(note.message), "warn")
        else:
            others[note.code] += 1
    if others:
        count = sum(others.values())
        yield Remark("Note", f"{count:,} more note{'s' if count > 1 else ''} on the other deployments: -v.", "warn")
