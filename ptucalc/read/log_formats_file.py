"""The shape of the file of log formats, strictly: every key named here, every scalar read from text."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ptucalc.log_formats import CANONICAL
from ptucalc.log_records import KeyPath, normalise
from ptucalc.read.catalog_file import Flag, Positive, Strict, Text

__all__ = ["FormatsFile"]

READERS = ("azure_monitor", "long_metrics", "otlp", "openai_usage", "portal_metrics", "rate_stats")
"""What reads formats that are not one record per row (read/log_containers.py)."""

FOR_READERS = ("metric", "value", "calls", "grain", "account", "ended")
"""Values that only readers ask for."""


def _path(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a path such as usage/prompt_tokens")
    if not KeyPath.of(value).name:
        raise ValueError("a path such as usage/prompt_tokens")
    return value


def _paths(value: Any) -> tuple[str, ...]:
    """One path, or several."""
    listed = value if isinstance(value, list) else [value]
    if not listed:
        raise ValueError("a path, or several")
    return tuple(_path(each) for each in listed)


def _list(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError("a list")
    return tuple(value)


def _normal(value: Any) -> str:
    if not isinstance(value, str) or normalise(value) != value:
        raise ValueError("a normalised name, such as prompt_tokens")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,9}", value, re.ASCII):
        raise ValueError("a whole number, 0 or more")
    return int(value)


def _regex(value: Any) -> str:
    try:
        return re.compile(value).pattern if isinstance(value, str) and value else _not_one()
    except re.error:
        return _not_one()


def _not_one() -> str:
    raise ValueError("a regular expression")


def _one_of(value: Any, names: tuple[str, ...]) -> str:
    if value not in names:
        raise ValueError(f"one of {', '.join(names)}")
    return str(value)


def _map(value: Any) -> Any:
    return value if isinstance(value, dict) else "generic" if value == "generic" else _no_map()


def _no_map() -> str:
    raise ValueError("a mapping of fields to paths, or generic")


PathText = Annotated[str, BeforeValidator(_path)]
Paths = Annotated[tuple[str, ...], BeforeValidator(_paths)]
PathList = Annotated[tuple[PathText, ...], BeforeValidator(_list)]
Words = Annotated[tuple[Text, ...], BeforeValidator(_list)]
Names = Annotated[tuple[Annotated[str, BeforeValidator(_normal)], ...], BeforeValidator(_list)]
Regex = Annotated[str, BeforeValidator(_regex)]
CanonicalField = Annotated[str, BeforeValidator(lambda value: _one_of(value, CANONICAL))]
MapField = Annotated[str, BeforeValidator(lambda value: _one_of(value, (*CANONICAL, *FOR_READERS)))]
Measure = Annotated[str, BeforeValidator(lambda value: _one_of(value, (*CANONICAL, "active_tokens")))]
Reader = Annotated[str, BeforeValidator(lambda value: _one_of(value, READERS))]


class Units(Strict):
    timestamp: Literal["s_relative", "ms_relative", "s", "ms", "us", "ns", "ticks"] | None = None
    duration: Literal["s", "ms"] | None = None


class RuleEntry(Strict):
    path: Paths
    values: Words | None = None
    absent: Flag = False
    reason: Annotated[str, BeforeValidator(_normal)]

    @model_validator(mode="after")
    def _tells_rows(self) -> RuleEntry:
        if not self.values and not self.absent:
            raise ValueError("values, absent: true, or both")
        return self


Rules = Annotated[tuple[RuleEntry, ...], BeforeValidator(_list)]


class FormatEntry(Strict):
    id: Text
    kind: Literal["requests", "buckets", "rate_stats", "no_tokens", "shapes", "summary"]
    title: Text
    source: Text
    verified: Flag = True
    all: PathList | None = None
    any_all: Annotated[tuple[PathList, ...], BeforeValidator(_list)] | None = None
    any: PathList | None = None
    none: PathList | None = None
    words: Annotated[tuple[Words, ...], BeforeValidator(_list)] | None = None
    headerless_columns: Positive | None = None
    header_row: Regex | None = None
    column: Regex | None = None
    map: Annotated[dict[MapField, Paths] | Literal["generic"] | None, BeforeValidator(_map)] = None
    units: Units = Units()
    bucket_seconds: Positive | None = None
    input_excludes_cached: Flag = False
    input_excludes_cache_write: Flag = False
    output_excludes_reasoning: Flag = False
    keep_rows: Rules = ()
    drop_rows: Rules = ()
    failed_when: dict[CanonicalField, Annotated[int, BeforeValidator(_whole)]] = Field(default_factory=dict)
    strip_prefix: Text | None = None
    pattern: Regex | None = None
    unique_id: Flag = False
    hint: Text | None = None
    warning: Text | None = None
    notes: Text | None = None
    reader: Reader | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> FormatEntry:
        ways = (self.all, self.any_all, self.words, self.headerless_columns, self.header_row)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("one way to tell it: all, any_all, words, headerless_columns or header_row")
        refused = self.kind in ("no_tokens", "shapes", "summary")
        if refused != (self.hint is not None):
            raise ValueError("a hint where it cannot be sized from, and only there")
        if (self.header_row is None) != (self.column is None):
            raise ValueError("header_row and column, or neither")
        fields = set(self.map) if isinstance(self.map, dict) else set()
        if fields & set(FOR_READERS) and self.reader is None:
            raise ValueError("fields that a log has, or a reader that asks for others")
        if not refused and self.reader is None and self.map != "generic":
            lacking = {"timestamp", "input_tokens", "output_tokens"} - fields
            if lacking:
                raise ValueError(f"a map with {', '.join(sorted(lacking))}")
        return self


class FormatsFile(Strict):
    schema_: Literal["ptucalc.formats/1"] = Field(alias="schema")
    aliases: dict[CanonicalField, Names]
    shared_ids: Names
    later: dict[CanonicalField, PathList]
    wrappers: Words
    metrics: dict[Measure, Words]
    unknown_metrics: Words
    formats: Annotated[tuple[FormatEntry, ...], BeforeValidator(_list)]

    @model_validator(mode="after")
    def _each_once(self) -> FormatsFile:
        ids = [entry.id for entry in self.formats]
        twice = sorted({each for each in ids if ids.count(each) > 1})
        if twice:
            raise ValueError(f"each id once (twice: {', '.join(twice)})")
        lacking = {"timestamp", "input_tokens", "output_tokens"} - set(self.aliases)
        if lacking:
            raise ValueError(f"aliases of {', '.join(sorted(lacking))}")
        return self
