"""Which columns of a frame hold time, tokens, names and status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ptucalc.catalog import nearest
from ptucalc.errors import BadInput, Problem
from ptucalc.log_records import normalise

if TYPE_CHECKING:
    import narwhals as nw

__all__ = ["FIELDS", "columns_of"]

FIELDS = (
    "timestamp",
    "deployment",
    "model",
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "output_tokens",
    "status",
)
"""What is read of a frame, by canonical names."""

REQUIRED = ("timestamp", "input_tokens", "output_tokens")

BUCKETED = ("bucket_seconds", "requests", "request_count", "num_model_requests")
"""Columns of frames whose rows are sums over several calls."""


def columns_of(
    schema: Mapping[str, nw.dtypes.DType], given: Mapping[str, str], *, counts: Sequence[str]
) -> dict[str, str]:
    """The frame's column of each canonical name that it has: as given, or by the first usual name that is there.

    Raises BadInput, with every problem: names that are none, columns that are not there or are no numbers where they
    should be (`counts`), two columns of one name, rows that are sums over calls.
    """
    from ptucalc.read.log_formats import load_formats

    problems = []
    spelled: dict[str, list[str]] = {}
    for column in schema:
        spelled.setdefault(normalise(column), []).append(column)
    for name, column in given.items():
        if name not in FIELDS:
            near = nearest(name, FIELDS, most=1)
            problems.append(Problem("columns", name, f"one of {', '.join(FIELDS)}{_hint(near)}"))
        elif column not in schema:
            problems.append(Problem(name, column, f"a column of the frame{_hint(nearest(column, schema))}"))
    aliases = load_formats().aliases
    found = {}
    for name in FIELDS:
        if name in given:
            found[name] = given[name]
            continue
        usual = next((path.name for path in aliases[name] if path.name in spelled), None)
        if usual is None:
            if name in REQUIRED:
                listed = ", ".join(schema)
                expected = f"a column for it, or columns={{{name!r}: ...}}; there are: {listed}"
                problems.append(Problem(name, "", expected))
        elif len(spelled[usual]) > 1:
            problems.append(Problem(name, " and ".join(spelled[usual]), f"one column, or columns={{{name!r}: ...}}"))
        else:
            found[name] = spelled[usual][0]
    buckets = [spelled[name][0] for name in BUCKETED if name in spelled]
    if buckets and not given.keys() >= set(REQUIRED):
        expected = "one row per call (write sums over several calls to a file and read that)"
        problems.append(Problem("frame", f"a column {buckets[0]}", expected))
    for name in counts:
        if name in found and found[name] in schema and not schema[found[name]].is_numeric():
            column = found[name]
            problems.append(Problem(name, str(schema[column]), "a column of whole numbers", label=column))
    if problems:
        raise BadInput(problems)
    return found


def _hint(near: Sequence[str]) -> str:
    return f" ({' or '.join(near)}?)" if near else ""
