"""Token counts as blocks: one request with its parts, or files with their means and percentiles."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fractions import Fraction

from ptucalc.errors import visible
from ptucalc.report.blocks import Block, Cell, Column, Headline, Remark, Table, amount_text
from ptucalc.request_tokens import RequestTokens
from ptucalc.token_counts import CountedFile, TokenCounts
from ptucalc.token_rules import Basis

__all__ = ["token_blocks"]

MOST_ROWS = 100
"""A table has so many requests; JSON and CSV have all."""

_PERCENTILES = ("mean", "median", "p90", "p99", "max")
_KINDS = {"text": "text", "chat": "chat request", "responses": "Responses request"}


def token_blocks(counts: TokenCounts, *, verbose: bool = False, quiet: bool = False) -> Iterator[Block]:
    """The report. With `verbose` each message, function and image of every request."""
    single = len(counts.requests) == 1
    folder = _folder(counts)
    yield _headline(counts, folder)
    if not single:
        yield _request_table(counts) if len(counts.files) == 1 else _file_table(counts, folder)
        if not quiet:
            yield _percentiles(counts)
    if verbose:
        for number, request in enumerate(counts.requests):
            if number == MOST_ROWS:
                more = f"{len(counts.requests) - number:,} more requests; -o json has the parts of all."
                yield Remark("Also", more, "")
                break
            if not single:
                yield Headline(_name(request), f"{_tokens(request)} · {_what(request)}")
            yield _part_table(request)
    if quiet:
        return
    yield Remark("Counted", _how(counts))
    if counts.shared_prefix.share is None and not single:
        yield Remark("Cache", f"{counts.shared_prefix.reason}.")
    for note in counts.notes:
        yield Remark("Note", visible(note.message), "warn")


def _folder(counts: TokenCounts) -> str:
    """The folder that all files are in, with a separator at its end; "" where there is none."""
    paths = [file.path for file in counts.files]
    if len(paths) < 2 or len({os.path.isabs(path) for path in paths}) > 1:
        return ""
    try:
        folder = os.path.commonpath([os.path.dirname(path) for path in paths])
    except ValueError:  # on several drives
        return ""
    return os.path.join(folder, "") if all(path.startswith(os.path.join(folder, "")) for path in paths) else ""


def _headline(counts: TokenCounts, folder: str) -> Headline:
    if len(counts.requests) == 1:
        request = counts.requests[0]
        return Headline(_name(request), f"{_tokens(request)} · {_what(request)}")
    totals = counts.totals
    unsure = " (estimate)" if totals.basis is Basis.ESTIMATE else ""
    tokens = f"{_least(totals.is_lower_bound)}{totals.input_tokens:,} input tokens{unsure}"
    kinds = {request.kind for request in counts.requests}
    noun = f"{_KINDS[next(iter(kinds))]}s" if len(kinds) == 1 else "prompts"
    what = f"{totals.requests:,} {noun}" + (f" for {counts.model}" if counts.model else "")
    if len(counts.files) > 1:
        return Headline(visible(folder.rstrip(os.sep)) or f"{totals.files:,} files", f"{tokens} · {what}")
    return Headline(visible(counts.files[0].path), f"{tokens} · {what}")


def _name(request: RequestTokens) -> str:
    return visible(f"{request.source} {request.custom_id}" if request.custom_id else request.source)


def _least(lower_bound: bool) -> str:
    return "at least " if lower_bound else ""


def _tokens(request: RequestTokens) -> str:
    images = f", {request.image_tokens:,} of them for images" if request.image_tokens else ""
    unsure = " (estimate)" if request.basis is Basis.ESTIMATE else ""
    return f"{_least(bool(request.not_counted))}{request.input_tokens:,} input tokens{unsure}{images}"


def _what(request: RequestTokens) -> str:
    model = f" for {request.counted_as}" if request.counted_as else ""
    limit = "" if request.max_tokens is None else f", max_tokens {request.max_tokens:,}"
    return f"{_KINDS[request.kind]}{model}{limit}"


def _file_table(counts: TokenCounts, folder: str) -> Table:
    table = Table(
        [
            Column("File", folds=True),
            Column("Requests", right=True),
            Column("Input tokens", right=True),
            Column("Mean", right=True, optional=True),
            Column("Largest", right=True, optional=True),
            Column("Basis"),
        ]
    )
    for file in counts.files[:MOST_ROWS]:
        table.rows.append(_file_row(file, folder))
    if len(counts.files) > MOST_ROWS:
        table.rows.append([Cell(f"{len(counts.files) - MOST_ROWS:,} more files", "dim"), *[Cell("")] * 5])
    totals = counts.totals
    table.totals = [
        Cell("All"),
        Cell(f"{totals.requests:,}"),
        Cell(_sum(totals.input_tokens, lower_bound=totals.is_lower_bound), "bold"),
        Cell(amount_text(totals.mean_input_tokens)),
        Cell(f"{totals.max_input_tokens:,}"),
        _basis(totals.basis),
    ]
    return table


def _sum(tokens: int, *, lower_bound: bool) -> str:
    return f"≥ {tokens:,}" if lower_bound else f"{tokens:,}"


def _basis(basis: Basis) -> Cell:
    return Cell(basis.value, "warn" if basis is Basis.ESTIMATE else "")


def _file_row(file: CountedFile, folder: str) -> list[Cell]:
    count = len(file.requests)
    estimated = any(request.basis is Basis.ESTIMATE for request in file.requests)
    return [
        Cell(visible(file.path.removeprefix(folder))),
        Cell(f"{count:,}"),
        Cell(_sum(file.input_tokens, lower_bound=any(request.not_counted for request in file.requests))),
        Cell(amount_text(Fraction(file.input_tokens, count))),
        Cell(f"{max(request.input_tokens for request in file.requests):,}"),
        _basis(Basis.ESTIMATE if estimated else Basis.PUBLISHED),
    ]


def _request_table(counts: TokenCounts) -> Table:
    """A row for each request of the one file; what all have alike is in the headline."""
    requests, path = counts.requests, counts.files[0].path
    ids = any(request.custom_id for request in requests)
    kinds = len({request.kind for request in requests}) > 1
    models = len({request.counted_as for request in requests}) > 1
    images = any(request.image_tokens for request in requests)
    limits = any(request.max_tokens is not None for request in requests)
    chosen = [True, ids, kinds, models, True, images, limits, True]
    columns = [
        Column("Request"),
        Column("Id", folds=True),
        Column("Kind", optional=True),
        Column("Model", optional=True),
        Column("Input tokens", right=True),
        Column("For images", right=True, optional=True),
        Column("max_tokens", right=True, optional=True),
        Column("Basis"),
    ]

    def of(cells: Sequence[Cell]) -> list[Cell]:
        return [cell for cell, wanted in zip(cells, chosen, strict=True) if wanted]

    table = Table([column for column, wanted in zip(columns, chosen, strict=True) if wanted])
    for request in requests[:MOST_ROWS]:
        where = request.source.removeprefix(path)
        cells = [
            Cell(f"line {where[1:]}" if where.startswith(":") else where),
            Cell(visible(request.custom_id or "")),
            Cell(request.kind, "dim"),
            Cell(request.counted_as or "—", "dim"),
            Cell(_sum(request.input_tokens, lower_bound=bool(request.not_counted))),
            Cell(f"{request.image_tokens:,}"),
            Cell("—" if request.max_tokens is None else f"{request.max_tokens:,}", "dim"),
            _basis(request.basis),
        ]
        table.rows.append(of(cells))
    if len(requests) > MOST_ROWS:
        table.rows.append(of([Cell(f"{len(requests) - MOST_ROWS:,} more", "dim"), *[Cell("")] * 7]))
    totals = counts.totals
    tokens = Cell(_sum(totals.input_tokens, lower_bound=totals.is_lower_bound), "bold")
    blank = Cell("")
    table.totals = of(
        [Cell("All"), blank, blank, blank, tokens, Cell(f"{totals.image_tokens:,}"), blank, _basis(totals.basis)]
    )
    return table


def _percentiles(counts: TokenCounts) -> Table:
    totals = counts.totals
    percentiles = (totals.p50_input_tokens, totals.p90_input_tokens, totals.p99_input_tokens, totals.max_input_tokens)
    table = Table([Column("per request"), *(Column(name, right=True) for name in _PERCENTILES)])
    mean = Cell(amount_text(totals.mean_input_tokens), "bold")
    table.rows.append([Cell("input tokens"), mean, *(Cell(f"{value:,}") for value in percentiles)])
    return table


def _part_table(request: RequestTokens) -> Table:
    table = Table(
        [
            Column("Part", folds=True),
            Column("Role"),
            Column("Tokens", right=True),
            Column("Basis"),
            Column("Note", folds=True, optional=True),
        ]
    )
    for part in request.parts:
        table.rows.append(
            [
                Cell(visible(part.label)),
                Cell(visible(part.role), "dim"),
                Cell(f"{part.tokens:,}"),
                _basis(part.basis),
                Cell(visible(part.note), "dim"),
            ]
        )
    table.totals = [
        Cell("All"),
        Cell(""),
        Cell(_sum(request.input_tokens, lower_bound=bool(request.not_counted)), "bold"),
        _basis(request.basis),
        Cell(""),
    ]
    return table


def _how(counts: TokenCounts) -> str:
    if counts.encoding is None:
        how = "from the number of characters, an estimate"
    else:
        sure = {True: "the model's own", False: "not known to be the model's", None: "as asked for"}[
            counts.encoding_verified
        ]
        package, _, _ = (counts.tokenizer or "").partition(" ")  # its version is in the JSON
        how = f"in {counts.encoding}, {sure}, by {package}"
    return f"{how}; {counts.rules_edition}; models as of {counts.catalog_as_of}."
