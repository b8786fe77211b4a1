"""The rows of a batch of files as the engine sees them, as text or with types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ptucalc.log_records import LINE, Place
from ptucalc.read.log_choices import Batch
from ptucalc.read.log_files import LONGEST_LINE_BYTES
from ptucalc.read.log_sql import NUMBERS, Cells, quoted
from ptucalc.read.log_store import CallStore, EngineError

__all__ = ["NAMES", "ZONE", "Relation"]

SAMPLED_ROWS = 50_000
"""Names of deployments are taken from so many first rows; a log that names more later is read another way."""

MOST_NAMES = 1000
NAMES = ("deployment", "model")
"""Fields with few different values."""

KEPT_IN_MEMORY_BYTES = 150_000_000
"""A larger Parquet file is not copied: it is read again for each question."""


ZONE = re.compile(r"(Z|[+-]\d\d(:?\d\d)?)?$")
"""The time zone that an ISO stamp ends with, or nothing."""


class Relation:
    """The rows of a batch as the engine sees them: columns c0, c1, ... by heading, or `line`."""

    def __init__(self, store: CallStore, batch: Batch) -> None:
        first = batch.files[0]
        self.kind = first.kind
        self.store = store
        self.files = "[" + ", ".join(quoted(file.path) for file in batch.files) + "]"
        self.packed = first.packed
        self.delimiter = first.delimiter
        self.headings = first.headings
        self.blank_lines = first.blank_lines
        self.stamps: tuple[str, ...] = ()
        self.paths: dict[str, list[tuple[str, ...]]] = {}
        self.again = first.kind == "parquet" and sum(file.size for file in batch.files) > KEPT_IN_MEMORY_BYTES
        self.has_enums = False
        self.enums: dict[str, tuple[str, Sequence[str]]] = {}
        """By field, the type of its names and the names, in the order of the type."""
        self.status_type = "VARCHAR"
        self.time_type = ""
        self.rejects = f"rejects{store.next_number()}"
        if self.kind == "table":
            self.columns = {heading: f"c{number}" for number, heading in reversed(list(enumerate(self.headings)))}
            self.sql = self._csv(dict.fromkeys(self._names(), "VARCHAR"), strict=True)
        elif self.kind == "parquet":
            stamps = batch.recognised.places["timestamp"]
            self.columns = {heading: f"c{number}" for number, heading in enumerate(self.headings)}
            self.sql = self._parquet(stamps[0] if len(stamps) == 1 else None)
        else:
            self.columns = {LINE: LINE}
            lines = self._csv({LINE: "VARCHAR"}, strict=True, delimiter="\x1f", quote="", header=False)
            self.sql = f"(select line from {lines} where trim(line) <> '')"

    def _names(self) -> list[str]:
        return [f"c{number}" for number in range(len(self.headings))]

    def _csv(
        self,
        types: Mapping[str, str],
        *,
        strict: bool,
        delimiter: str | None = None,
        quote: str = '"',
        header: bool = True,
        rejects: bool = True,
    ) -> str:
        columns = ", ".join(f"{name}: {quoted(kind)}" for name, kind in types.items())
        options = [
            self.files,
            f"columns = {{{columns}}}",
            "auto_detect = false",
            f"header = {str(header).lower()}",
            f"skip = {self.blank_lines if header else 0}",
            f"delim = {quoted(delimiter or self.delimiter)}",
            f"quote = {quoted(quote)}",
            f"escape = {quoted(quote)}",
            f"strict_mode = {str(strict).lower()}",
            f"compression = {quoted('gzip' if self.packed else 'none')}",
            f"max_line_size = {LONGEST_LINE_BYTES}",
            f"buffer_size = {2 * LONGEST_LINE_BYTES}",
        ]
        if rejects:
            options += [
                "store_rejects = true",
                f"rejects_table = {quoted(self.rejects)}",
                f"rejects_scan = {quoted(self.rejects + '_scan')}",
                "rejects_limit = 0",
            ]
        return f"read_csv({', '.join(options)})"

    def lenient(self, values: Cells) -> Cells:
        """The same values, read with line ends of two kinds and other things that are no CSV by the book."""
        return values._replace(sql=values.sql.replace("strict_mode = true", "strict_mode = false"))

    def _parquet(self, stamp: Place | None) -> str:
        source = f"read_parquet({self.files})"
        described = self.store.run(f"describe select * from {source}")
        parts = []
        for (name, kind, *_), column in zip(described, self._names(), strict=True):
            quoted_name = _name(name)
            if stamp is not None and name == stamp.column and not stamp.steps and kind.startswith("TIMESTAMP"):
                self.time_type = kind
            nested = any(mark in kind for mark in ("STRUCT", "MAP", "[]"))
            value = f"to_json({quoted_name})::varchar" if nested else f"{quoted_name}::varchar"
            if kind.startswith("TIMESTAMP") and name == (stamp.column if stamp else ""):
                exact = f"make_timestamp(epoch_ns({quoted_name}) // 1000)" if kind == "TIMESTAMP_NS" else quoted_name
                value = f"{exact}::timestamptz::varchar"
            parts.append(f"{value} as {column}")
        return f"(select {', '.join(parts)} from {source})"

    def columns_of(self, places: Mapping[str, Sequence[Place]]) -> dict[str, str]:
        """The column of each field; a field is left out where it is in several, or in JSON that is itself a text."""
        if self.kind == "lines":
            self.paths = {
                f"c{number}": [place.steps[0] for place in those]
                for number, those in enumerate(places.values())
                if all(len(place.steps) == 1 for place in those)
            }
            return dict(zip(places, self.paths, strict=True)) if len(self.paths) == len(places) else {}
        known = {name: [place for place in those if place.column in self.columns] for name, those in places.items()}
        return {
            name: self.columns[those[0].column]
            for name, those in known.items()
            if len(those) == 1 and not those[0].steps
        }

    def typed(self, columns: Mapping[str, str], *, names_as_enums: bool) -> str:
        """The relation with the columns of values as times, numbers and names."""
        types = {column: "DOUBLE" for name, column in columns.items() if name in NUMBERS}
        names = {columns[name]: name for name in NAMES if name in columns}
        self.has_enums = False
        status = columns.get("status")
        self.status_type = "VARCHAR"
        if names_as_enums and (names or status):
            first = self._first_of([*names, *([status] if status else [])])
            self.has_enums = bool(names)
            types |= self._enums(names, first)
            if status and all(code is None or re.fullmatch(r"\d{3}", code) for code in first[status]):
                types[status] = self.status_type = "INTEGER"
        if self.kind == "parquet":
            types[columns["timestamp"]] = "TIMESTAMP_NS" if self.time_type == "TIMESTAMP_NS" else "TIMESTAMPTZ"
            texts = {columns[name]: "VARCHAR" for name in ("max_tokens", "duration") if name in columns}
            return self._typed_parquet({**texts, **types})
        if self.kind == "lines":
            return self._typed_lines(types)
        every = {column: types.get(column, "VARCHAR") for column in self._names()}
        return self._csv(every, strict=True, rejects=False)

    def _as_text(self) -> str:
        """The columns as text, for a look at the first rows."""
        if self.kind == "parquet":
            return self.sql
        if self.kind == "lines":
            return self._typed_lines({})
        return self._csv(dict.fromkeys(self._names(), "VARCHAR"), strict=True, rejects=False)

    def _typed_lines(self, types: Mapping[str, str]) -> str:
        """JSON records taken apart by the engine. Raises EngineError later where one is no object of such values."""
        tree: dict[str, Any] = {}
        for column, path in ((column, path) for column, paths in self.paths.items() for path in paths):
            at = tree
            for key in path[:-1]:
                at = at.setdefault(key, {})
                if not isinstance(at, dict):
                    raise EngineError("a value and values inside it")
            kind = types.get(column, "VARCHAR")
            kind = kind if kind in ("DOUBLE", "INTEGER") else "VARCHAR"
            if at.setdefault(path[-1], kind) != kind:
                raise EngineError("a value and values inside it, or a value of two kinds")
        if any(len({key.casefold() for key in keys}) < len(keys) for keys in _levels(tree)):
            raise EngineError("keys that differ in their case only")
        columns = ", ".join(f"{quoted(key)}: {quoted(_type(kind))}" for key, kind in tree.items())
        values = []
        for column, paths in self.paths.items():
            found = [".".join(map(_name, path)) for path in paths]
            kind = types.get(column, "VARCHAR")
            if len(found) > 1 and kind not in ("DOUBLE", "INTEGER"):
                found = [f"given({value})" for value in found]
            value = found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"
            values.append(f"{value}{f'::{kind}' if kind != 'VARCHAR' else ''} as {column}")
        packed = quoted("gzip" if self.packed else "uncompressed")
        return (
            f"(select {', '.join(values)} from read_json({self.files}, format = 'newline_delimited', columns = {{{columns}}},"
            f" compression = {packed}, maximum_object_size = {LONGEST_LINE_BYTES}))"
        )

    def _first_of(self, columns: Sequence[str]) -> dict[str, set[str | None]]:
        """The different values of some columns in the first rows."""
        listed = ", ".join(columns)
        rows = self.store.run(
            f"select distinct {listed} from (select {listed} from {self._as_text()} limit {SAMPLED_ROWS})"
        )
        return (
            dict(zip(columns, map(set, zip(*rows, strict=True)), strict=True))
            if rows
            else {column: set() for column in columns}
        )

    def _enums(self, names: Mapping[str, str], first: Mapping[str, set[str | None]]) -> dict[str, str]:
        """A type for each column of names, of the names in it."""
        found = {}
        for column, name in names.items():
            values = first[column]
            texts = [value for value in values if value is not None]
            clean = self.store.run("select given(name) from (select unnest(?) as name)", [texts])
            if (
                len(values) > MOST_NAMES
                or len(texts) < len(values)
                or any(a != b for (a,), b in zip(clean, texts, strict=True))
            ):
                raise EngineError("too many names, or names that need a second look")
            found[column] = f"names_{name}_{self.rejects}"
            self.enums[name] = found[column], sorted(texts)
            self.store.run(f"create type {found[column]} as enum ({', '.join(map(quoted, sorted(texts)))})")
        return found

    def typed_time(self, column: str) -> str:
        """SQL for stamps of the shapes that the first ones have; NULL for any other, which is then read as text."""
        if self.kind == "parquet":
            return f"epoch_ns({column}) // 1000" if self.time_type == "TIMESTAMP_NS" else f"epoch_us({column})"
        likes, ends = set(), set()
        for stamp in self.stamps:
            zone = ZONE.search(stamp)[0]  # type: ignore[index]
            time = stamp.removesuffix(zone) if zone else stamp
            likes.add(re.sub(r"\d", "_", re.sub(r"\.\d+$", ".%", time)) + zone)
            ends.add((len(stamp), zone))
        one_of = " or ".join(f"{column} like {quoted(like)}" for like in sorted(likes))
        if len(ends) == 1:  # a fixed length is checked in half the time
            ((length, zone),) = ends
            one_of = f"strlen({column}) = {length} and ends_with({column}, {quoted(zone)})"
        return f"case when ({one_of}) and substr({column}, 12, 2) < '24' then epoch_us(try_cast({column} as timestamptz)) end"

    def _typed_parquet(self, types: Mapping[str, str]) -> str:
        source = f"read_parquet({self.files})"
        described = self.store.run(f"describe select * from {source}")
        if not self.time_type:
            raise EngineError("a time stamp as text")
        parts = []
        for (name, kind, *_), column in zip(described, self._names(), strict=True):
            quoted_name = _name(name)
            wanted = types.get(column)
            if wanted == "DOUBLE" and not any(word in kind for word in ("INT", "DOUBLE", "FLOAT", "DECIMAL")):
                raise EngineError("a number as text")
            cast = f"::{wanted}" if wanted else ""
            parts.append(f"{quoted_name}{cast} as {column}")
        return f"(select {', '.join(parts)} from {source})"

    def line_ends(self, values: Cells) -> int:
        """How many line ends there are in cells that are to hold numbers or times."""
        fields = sorted({f for f in values.fields if f in NUMBERS} | {"timestamp"})
        ends = " + ".join(f"coalesce(length(f_{f}) - length(replace(f_{f}, chr(10), '')), 0)" for f in fields)
        return int(self.store.run(f"select coalesce(sum({ends}), 0) from {values.sql}")[0][0])

    def rejected(self, condition: str = "true") -> int:
        """How many rows the engine could not take apart, in all or for one reason."""
        if self.kind == "parquet":
            return 0
        (found,) = self.store.run(f"select count(distinct (file_id, line)) from {self.rejects} where {condition}")[0]
        return int(found)


def _name(name: str) -> str:
    """The name of a column or key, quoted."""
    return '"' + name.replace('"', '""') + '"'


def _type(tree: str | dict[str, Any]) -> str:
    """A type, or a STRUCT of the types of its keys."""
    if isinstance(tree, str):
        return tree
    return f"STRUCT({', '.join(f'{_name(key)} {_type(kind)}' for key, kind in tree.items())})"


def _levels(tree: dict[str, Any]) -> Iterator[list[str]]:
    yield list(tree)
    for kind in tree.values():
        if isinstance(kind, dict):
            yield from _levels(kind)
