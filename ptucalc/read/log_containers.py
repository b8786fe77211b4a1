"""Whole JSON documents taken apart into records, and formats that are not one record per row read into canonical ones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from ptucalc.errors import BadInput, Problem
from ptucalc.log_formats import FormatBook, RowRule
from ptucalc.log_records import Shape, normalise
from ptucalc.read.log_canonical import Canonical, coarse, format_of, missing, number, value_at, whole
from ptucalc.read.log_metrics import azure_monitor, long_metrics, portal_metrics
from ptucalc.request_log import Finding

__all__ = ["Canonical", "read_container", "records_of"]

MOST_PROBLEMS = 20


def records_of(document: Any, book: FormatBook, source: str = "") -> list[dict[str, Any]]:
    """The records of a JSON document: what `FormatBook.recognise` is then asked about.

    A list of objects is its records; so is the list under data, value, requests, spans and the like, and the rows of a
    query's answer (Log Analytics, Application Insights, Kusto). A document that a reader reads whole is one record, and
    so is any other object. Raises BadInput where there are no objects.
    """
    if isinstance(document, list):
        frames = [each for each in document if isinstance(each, Mapping) and "FrameType" in each]
        if frames:
            primary = [each for each in frames if each.get("TableKind") == "PrimaryResult"]
            return [record for table in primary for record in _rows(table, source)]
        others = [each for each in document if not isinstance(each, dict)]
        if others or not document:
            found = f"{type(others[0]).__name__} among {len(document):,} entries" if others else "an empty list"
            raise BadInput([Problem("file", found, "a list of objects, one for each call or bucket", source=source)])
        return document
    if not isinstance(document, dict):
        raise BadInput([Problem("file", str(document), "JSON objects: one for each call or bucket", source=source)])
    matched = book.matching(Shape.of([document], headings=None, parse_json=book.parse_json))
    if matched is not None and matched.reader:
        return [document]
    tables = document.get("tables", document.get("Tables"))
    if isinstance(tables, list) and tables and isinstance(tables[0], Mapping):
        return _rows(tables[0], source)
    for key in book.wrappers:
        inside = document.get(key)
        if isinstance(inside, list) and inside and all(isinstance(each, dict) for each in inside):
            return inside
    return [document]


def _rows(table: Mapping[str, Any], source: str) -> list[dict[str, Any]]:
    """The rows of a query's answer, each with the names of its columns."""
    columns = table.get("columns", table.get("Columns")) or []
    rows = table.get("rows", table.get("Rows")) or []
    names = [str(each.get("name") or each.get("ColumnName") or "") for each in columns if isinstance(each, Mapping)]
    wrong = [index for index, row in enumerate(rows, 1) if not isinstance(row, list) or len(row) != len(names)]
    if wrong or not names:
        found = f"row {wrong[0]:,} of {len(rows):,}" if wrong else "a table without columns"
        raise BadInput([Problem("tables", found, f"rows with a value for each of {len(names)} columns", source=source)])
    return [dict(zip(names, row, strict=True)) for row in rows]


def read_container(
    name: str, payload: Any, *, book: FormatBook, source: str, output_share: Fraction | None = None
) -> Canonical:
    """What the reader of this name makes of a file. Raises BadInput with every problem.

    `payload` is what `records_of` (or JSON lines) gives, or a table's rows by heading; for portal_metrics the rows as
    lists of cells, from the first. `output_share` splits total tokens where metrics have nothing else.
    """
    return READERS[name](payload, book=book, source=source, output_share=output_share)


def otlp(payload: Any, *, book: FormatBook, source: str, output_share: Fraction | None) -> Canonical:
    """Spans of OTLP JSON documents as calls. Spans of calls without usage stay, without tokens.

    Agent spans repeat the sum of their children and are left out, as are spans that are about no model.
    """
    del source, output_share
    documents = payload if isinstance(payload, list) else [payload]
    format = format_of(book, "otlp", documents[:1])
    about_a_model = {
        path.name for field in ("deployment", "model", "input_tokens", "output_tokens") for path in format.map[field]
    }
    records, left_out = [], Counter[str]()
    for span in _spans(documents):
        if not (about_a_model | {path.name for rule in format.keep_rows for path in rule.paths}) & span.keys():
            left_out["other_spans"] += 1
            continue
        if not all(_has(span, rule) for rule in format.keep_rows):
            left_out["agent_spans"] += 1
            continue
        values = {
            field: value
            for field, paths in format.map.items()
            if (value := next((span[path.name] for path in paths if not missing(span.get(path.name))), None))
            is not None
        }
        start, end = _nanoseconds(values.get("timestamp")), _nanoseconds(values.pop("ended", None))
        if start is not None:
            values["timestamp"] = start
            if end is not None and end >= start:
                values["duration"] = (end - start) // 1_000_000
        records.append(values)
    return Canonical(records, format, "requests", tuple(Finding(code, rows) for code, rows in left_out.items()))


def _has(span: Mapping[str, Any], rule: RowRule) -> bool:
    found = next((span[path.name] for path in rule.paths if not missing(span.get(path.name))), None)
    if found is None:
        return rule.absent
    return str(found).casefold() in (value.casefold() for value in rule.values)


def _spans(documents: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Every span: its values by normalised name, its attributes under attributes_..."""
    for document in documents:
        for resource in _inside(document, "resource_spans"):
            for scope in (*_inside(resource, "scope_spans"), *_inside(resource, "instrumentation_library_spans")):
                for span in _inside(scope, "spans"):
                    flat = {normalise(key): value for key, value in span.items() if not isinstance(value, dict | list)}
                    for attribute in _inside(span, "attributes"):
                        flat[normalise(f"attributes.{attribute.get('key')}")] = _plain(attribute.get("value"))
                    yield flat


def _inside(value: Any, name: str) -> list[Mapping[str, Any]]:
    """The objects of a list, whichever of OTLP's two spellings its key has."""
    if not isinstance(value, Mapping):
        return []
    found = next((each for key, each in value.items() if normalise(key) == name), None)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _plain(value: Any) -> Any:
    """An attribute's value: {"intValue": "284"} holds 284."""
    if not isinstance(value, Mapping):
        return value
    plain = next(iter(value.values()), None)
    return None if isinstance(plain, dict | list) else plain


def _nanoseconds(value: Any) -> int | None:
    text = str(value).strip()
    return int(text) if re.fullmatch(r"\d{1,20}", text, re.ASCII) else None


def openai_usage(payload: Any, *, book: FormatBook, source: str, output_share: Fraction | None) -> Canonical:
    """Buckets of OpenAI's usage API (its pages), or rows of its dashboard's export. Raises BadInput.

    A bucket without results, or a row whose counts are all blank, is how both write that there were no calls.
    """
    del output_share
    records = payload if isinstance(payload, list) else [payload]
    headings = (
        tuple(records[0]) if records and not any(isinstance(each, list) for each in records[0].values()) else None
    )
    format = format_of(book, "openai_usage", records[:50], headings)
    rows = records if headings else [row for page in records for row in _usage_rows(page)]
    fields = next(each.map for each in book.formats if each.reader == "openai_usage" and each.map)
    counted = ("requests", "input_tokens", "output_tokens")
    problems: list[Problem] = []
    found, lengths, findings = [], Counter[int](), Counter[str]()
    for index, row in enumerate(rows, 1):
        values = {
            field: next((row[key] for path in paths if (key := path.keys[0]) in row), None)
            for field, paths in fields.items()
        }
        empty = all(missing(values[field]) for field in counted)
        record: dict[str, Any] = {"model": str(values["model"])} if not missing(values["model"]) else {}
        for field in ("timestamp", "bucket_end", *counted, "cached_input_tokens"):
            try:
                value = 0 if empty and field in counted else whole(values[field])
            except ValueError as error:
                problems.append(_at(source, index, field, values[field], str(error)))
                continue
            if value is not None:
                record[field] = value
            elif field in ("timestamp", "bucket_end"):
                problems.append(_at(source, index, field, values[field], "a time in seconds"))
        findings["empty_buckets"] += empty
        findings["batch_rows"] += str(row.get("batch")).casefold() == "true"
        if {"timestamp", "bucket_end"} <= record.keys():
            lengths[record["bucket_end"] - record["timestamp"]] += 1
            record["bucket_seconds"] = record["bucket_end"] - record["timestamp"]
        found.append(record)
    for seconds in lengths:
        if seconds < 1:
            problems.append(
                Problem("bucket_end", "a bucket that ends before it begins", "an end after its start", source=source)
            )
        problems += coarse(seconds, "", source, "with bucket_width 1m")
    if problems:
        raise BadInput(problems[:MOST_PROBLEMS], uncounted=max(0, len(problems) - MOST_PROBLEMS))
    first = next((record["model"] for record in found if "model" in record), "")
    for record in found:
        record.setdefault("model", first)  # an empty bucket belongs to no model: let it not make one up
    noted = tuple(Finding(code, count) for code, count in findings.items() if count)
    return Canonical(found, format, "buckets", noted, next(iter(lengths)) if len(lengths) == 1 else None)


def _at(source: str, row: int, field: str, found: Any, expected: str) -> Problem:
    return Problem(field, "" if found is None else str(found), expected, source=source, label=f"row {row:,}, {field}")


def _usage_rows(page: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The results of each bucket with its times; a bucket without any as one empty row."""
    for bucket in page.get("data") or []:
        times = {key: value for key, value in bucket.items() if not isinstance(value, list)}
        for result in bucket.get("results") or [{}]:
            yield {**times, **result}


def rate_stats(payload: Any, *, book: FormatBook, source: str, output_share: Fraction | None) -> Canonical:
    """Rates of a sliding minute as buckets: the last rates of each clock minute are that minute's tokens.

    They are no counts, and a finding says so. Rows without rates ("n/a") say nothing. Raises BadInput.
    """
    del output_share
    records = payload if isinstance(payload, list) else [payload]
    format = format_of(book, "rate_stats", records[:50])
    shape = Shape.of(records[:50], headings=None, parse_json=book.parse_json)
    places = {
        field: tuple(place for path in paths for place in shape.of_path(path)) for field, paths in format.map.items()
    }
    last: dict[str, tuple[str, dict[str, Any]]] = {}
    problems: list[Problem] = []
    for index, row in enumerate(records, 1):
        values = {field: value_at(row, where, book.parse_json) for field, where in places.items()}
        if values["input_tokens"] is None or values["output_tokens"] is None:
            continue
        stamp = str(values["timestamp"] or "")
        if not re.fullmatch(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", stamp, re.ASCII):
            problems.append(_at(source, index, "timestamp", stamp, "a time such as 2023-10-19 18:21:07"))
            continue
        if stamp >= last.get(stamp[:16], ("", {}))[0]:
            try:
                last[stamp[:16]] = stamp, _rates(stamp, values)
            except ValueError as error:
                problems.append(_at(source, index, "tpm", str(values["input_tokens"]), str(error)))
    if problems:
        raise BadInput(problems[:MOST_PROBLEMS], uncounted=max(0, len(problems) - MOST_PROBLEMS))
    minutes = [record for _, (_, record) in sorted(last.items())]
    finding = Finding("rates_not_counts", len(records), f"{len(minutes):,} minutes")
    return Canonical(minutes, format, "buckets", (finding,), format.bucket_seconds, "local")


def _rates(stamp: str, values: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {"timestamp": f"{stamp[:16]}:00"}
    for field in ("requests", "input_tokens", "output_tokens"):
        rate = number(values[field])
        if rate is not None:
            if rate < 0:
                raise ValueError("a rate of 0 or more")
            record[field] = (2 * rate + 1) // 2  # the nearest whole number
    if values["utilisation_pct"] is not None:
        record["utilisation_pct"] = str(values["utilisation_pct"]).strip().removesuffix("%")
    return record


READERS: Mapping[str, Callable[..., Canonical]] = {
    "azure_monitor": azure_monitor,
    "long_metrics": long_metrics,
    "openai_usage": openai_usage,
    "otlp": otlp,
    "portal_metrics": portal_metrics,
    "rate_stats": rate_stats,
}
