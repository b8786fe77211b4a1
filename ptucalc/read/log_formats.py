"""The file of log formats, read strictly into the book that logs are recognised by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ptucalc.errors import BadCatalog, BadInput
from ptucalc.log_formats import FormatBook, LogFormat, Match, RowRule
from ptucalc.log_records import KeyPath, normalise
from ptucalc.read.catalog import bundled
from ptucalc.read.files import read_text

__all__ = ["BUNDLED_FORMATS", "build_formats", "load_formats", "read_format_data"]

BUNDLED_FORMATS = "data/formats.yaml"


@lru_cache(maxsize=1)
def load_formats() -> FormatBook:
    """The bundled log formats.

    >>> load_formats().formats[0].id
    'azure-llm-trace'
    """
    return build_formats(bundled(BUNDLED_FORMATS, "compiled_formats", read_format_data))


def read_format_data(path: Path) -> dict[str, Any]:
    """A file of formats as complete plain data. Raises BadCatalog with every problem, each with its line."""
    from ptucalc.read.checked import checked
    from ptucalc.read.log_formats_file import FormatsFile
    from ptucalc.read.yaml_text import read_yaml

    try:
        tree = read_yaml(read_text(path), path.name)
        return checked(tree, FormatsFile, "a format").model_dump(by_alias=True, mode="python")
    except BadInput as error:
        raise BadCatalog(error.problems) from None


def build_formats(data: Mapping[str, Any]) -> FormatBook:
    """The book that complete plain data describes."""
    return FormatBook(
        formats=tuple(map(_format, data["formats"])),
        aliases={name: _key_paths(names) for name, names in data["aliases"].items()},
        later={name: _key_paths(paths) for name, paths in data["later"].items()},
        metrics={name: tuple(names) for name, names in data["metrics"].items()},
        unknown_metrics=tuple(data["unknown_metrics"]),
        shared_ids=tuple(data["shared_ids"]),
        wrappers=tuple(data["wrappers"]),
        parse_json=_parsed,
    )


def _format(entry: Mapping[str, Any]) -> LogFormat:
    alternatives = entry["any_all"] or ([entry["all"]] if entry["all"] else [])
    ways = entry["map"]
    return LogFormat(
        id=entry["id"],
        kind=entry["kind"],
        title=entry["title"],
        source=entry["source"],
        match=Match(
            all_of=tuple(_names(paths) for paths in alternatives),
            any_of=_names(entry["any"] or ()),
            none_of=_names(entry["none"] or ()),
            words=tuple(tuple(map(normalise, group)) for group in entry["words"] or ()),
            headless=entry["headerless_columns"],
        ),
        map={name: _key_paths(paths) for name, paths in ways.items()} if isinstance(ways, dict) else {},
        generic_map=ways == "generic",
        timestamp_unit=entry["units"]["timestamp"],
        duration_unit=entry["units"]["duration"],
        bucket_seconds=entry["bucket_seconds"],
        input_excludes_cached=entry["input_excludes_cached"],
        input_excludes_cache_write=entry["input_excludes_cache_write"],
        output_excludes_reasoning=entry["output_excludes_reasoning"],
        keep_rows=tuple(map(_rule, entry["keep_rows"])),
        drop_rows=tuple(map(_rule, entry["drop_rows"])),
        failed_when=dict(entry["failed_when"]),
        strip_prefix=entry["strip_prefix"] or "",
        pattern=entry["pattern"] or "",
        unique_id=entry["unique_id"],
        verified=entry["verified"],
        hint=entry["hint"] or "",
        warning=entry["warning"] or "",
        notes=entry["notes"] or "",
        reader=entry["reader"],
        header_row=entry["header_row"] or "",
        column=entry["column"] or "",
    )


def _rule(entry: Mapping[str, Any]) -> RowRule:
    return RowRule(_key_paths(entry["path"]), tuple(entry["values"] or ()), entry["absent"], entry["reason"])


def _key_paths(texts: Iterable[str]) -> tuple[KeyPath, ...]:
    return tuple(map(KeyPath.of, texts))


def _names(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(path.name for path in _key_paths(paths))


def _parsed(text: str) -> Any:
    """What a JSON text holds; None where it is none, or nested too deep."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
