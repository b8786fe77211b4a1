"""Opened files to batches: which format each has, documents and metric exports taken apart into records first."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from ptucalc.errors import BadInput, Problem
from ptucalc.log_formats import CANONICAL, FormatBook, LogFormat, Recognised
from ptucalc.log_records import LINE, Place, Shape
from ptucalc.read.log_choices import Batch
from ptucalc.read.log_containers import read_container, records_of
from ptucalc.read.log_files import FIRST_RECORDS, LogFile, whole_document, whole_table
from ptucalc.read.log_store import CallStore, EngineError
from ptucalc.request_log import Finding

__all__ = ["recognised_batches"]


def recognised_batches(
    files: Sequence[LogFile],
    book: FormatBook,
    store: CallStore,
    *,
    given: Mapping[str, str],
    output_share: Fraction | None,
) -> tuple[list[Batch], list[Finding], list[int]]:
    """Batches of files that are laid out the same; what was noticed on the way; how long buckets are said to be.

    Raises BadInput with the problems of every file.
    """
    problems: list[Problem] = []
    findings: list[Finding] = []
    lengths: list[int] = []
    batches: dict[object, list[LogFile]] = {}
    kinds: dict[object, Recognised] = {}
    for file in files:
        try:
            found, noticed, length = _recognise(file, book, store, given, output_share)
        except BadInput as error:
            problems += [p if p.source else p.at(source=file.name, label=p.label) for p in error.problems]
            continue
        findings += noticed
        lengths += [length] if length else []
        key = (
            file.kind,
            file.packed,
            file.delimiter,
            file.headings,
            found.format.id,
            str(sorted(found.places.items())),
        )
        batches.setdefault(key, []).append(file)
        kinds.setdefault(key, found)
    if problems:
        raise BadInput(problems)
    return [Batch(tuple(same), kinds[key]) for key, same in batches.items()], findings, lengths


def _recognise(
    file: LogFile, book: FormatBook, store: CallStore, given: Mapping[str, str], output_share: Fraction | None
) -> tuple[Recognised, tuple[Finding, ...], int | None]:
    if file.kind == "parquet":
        _look_into_parquet(file, store)
    if file.kind == "document":
        return _document(file, [whole_document(file)], book, given, output_share)
    if file.kind == "lines" and records_of(file.head[0], book, file.name) != file.head[:1]:
        return _document(file, _all_objects(file), book, given, output_share)
    headings = None if file.kind == "lines" else file.headings
    if file.kind == "table":
        rows: list[Sequence[str]] = [file.headings, *([*record.values()] for record in file.head[:30])]
        later = book.header_row(rows)
        if later is not None:
            return _from_reader(file, book, later[1], whole_table(file), output_share)
        _check_headings(file)
    found = _recognised(file.head, headings, book, given, output_share)
    if found.format.reader:
        if file.kind == "table":
            header, *below = whole_table(file)
            records: list[dict[str, Any]] = [dict(zip(header, row, strict=False)) for row in below]
        elif file.kind == "lines":
            records = _all_objects(file)
        else:
            expected = "a format of one row per call or bucket (export this one as CSV or JSON)"
            raise BadInput([Problem("file", f"{found.format.title} as Parquet", expected)])
        return _from_reader(file, book, found.format, records, output_share)
    return found, (), found.format.bucket_seconds


def _recognised(
    records: Sequence[Mapping[str, Any]],
    headings: Sequence[str] | None,
    book: FormatBook,
    given: Mapping[str, str],
    output_share: Fraction | None,
) -> Recognised:
    """The format of these records; with an `output_share` total tokens alone will do: they are input and output."""
    try:
        return book.recognise(records, headings=headings, given=given)
    except BadInput:
        if output_share is None or {"input_tokens", "output_tokens"} & given.keys():
            raise
        shape = Shape.of(records, headings=headings, parse_json=book.parse_json)
        totals = [place for path in book.aliases["total_tokens"] for place in shape.of_name(path.name)]
        if not totals:
            raise
        both = dict.fromkeys(("input_tokens", "output_tokens"), str(totals[0]))
        return book.recognise(records, headings=headings, given={**given, **both})


def _check_headings(file: LogFile) -> None:
    twice = sorted({heading for heading in file.headings if heading.strip() and file.headings.count(heading) > 1})
    if twice:
        raise BadInput([Problem("columns", heading, "one column of that name") for heading in twice])


def _document(
    file: LogFile, documents: Sequence[Any], book: FormatBook, given: Mapping[str, str], output_share: Fraction | None
) -> tuple[Recognised, tuple[Finding, ...], int | None]:
    """JSON documents, each with records somewhere in it."""
    records = [record for document in documents for record in records_of(document, book, file.name)]
    found = _recognised(records[:FIRST_RECORDS], None, book, given, output_share)
    if found.format.reader:
        return _from_reader(file, book, found.format, records, output_share)
    _keep_records(file, records)
    file.head = records[:FIRST_RECORDS]
    return found, (), found.format.bucket_seconds


def _from_reader(
    file: LogFile, book: FormatBook, format: LogFormat, payload: Any, output_share: Fraction | None
) -> tuple[Recognised, tuple[Finding, ...], int | None]:
    """Records that a reader of the format makes: they have canonical names."""
    assert format.reader
    made = read_container(format.reader, payload, book=book, source=file.name, output_share=output_share)
    _keep_records(file, made.records)
    file.head = made.records[:FIRST_RECORDS]
    names = {name for record in made.records for name in record} & set(CANONICAL)
    places = {name: (Place(LINE, ((name,),)),) for name in CANONICAL if name in names}
    missing = [name for name in ("timestamp", "input_tokens", "output_tokens") if name not in places]
    if missing:
        expected = "values for it; the file has none"
        raise BadInput([Problem(name, "", expected) for name in missing])
    read = replace(made.format, kind=made.kind, reader=None, timestamp_unit=None)
    return Recognised(read, places, time_tag=made.time_tag), made.findings, made.bucket_seconds


def _keep_records(file: LogFile, records: Iterable[Mapping[str, Any]]) -> None:
    """Write records as JSON lines, for the engine to read."""
    file.path = f"{file.path}.jsonl"
    with open(file.path, "w", encoding="utf-8") as kept:
        for record in records:
            kept.write(json.dumps(record, default=str) + "\n")
    found = os.stat(file.path)
    file.stamp = (found.st_size, found.st_mtime_ns)
    file.kind, file.packed, file.headings, file.delimiter = "lines", False, (), ","


def _all_objects(file: LogFile) -> list[dict[str, Any]]:
    """Every JSON object of a file of lines; other lines are left to the reader's own count."""
    found = []
    with file.stream() as stream:
        for line in stream:
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict):
                found.append(record)
    return found


def _look_into_parquet(file: LogFile, store: CallStore) -> None:
    """Headings and first rows of a Parquet file, nested values as JSON text. Raises BadInput where it is damaged."""
    try:
        rows = store.run(f"describe select * from read_parquet(['{file.path}'])")
        file.headings = tuple(row[0] for row in rows)
        columns = []
        for name, kind, *_ in rows:
            quoted = '"' + name.replace('"', '""') + '"'
            nested = any(mark in kind for mark in ("STRUCT", "MAP", "[]"))
            columns.append(f"to_json({quoted})::varchar" if nested else f"{quoted}::varchar")
        head = store.run(f"select {', '.join(columns)} from read_parquet(['{file.path}']) limit {FIRST_RECORDS}")
    except EngineError as error:
        found = str(error).splitlines()[0].replace(file.path, file.name)[:200]
        raise BadInput([Problem("file", found, "a whole Parquet file")]) from None
    file.head = [{name: "" if v is None else v for name, v in zip(file.headings, row, strict=True)} for row in head]
