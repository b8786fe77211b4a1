"""Recognised files into the store: typed and fast where every value is what its column says, else value by value."""

from __future__ import annotations

import re
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Literal, NamedTuple

from ptucalc.errors import BadInput, Problem
from ptucalc.log_formats import LogFormat, Recognised, RowFilter
from ptucalc.log_records import LINE, Place
from ptucalc.read.log_canonical import missing, value_at
from ptucalc.read.log_files import LONGEST_LINE_BYTES, LogFile
from ptucalc.read.log_sql import (
    FAILED_CALL,
    FIRST_FREE,
    LATEST_US,
    NEGATIVE,
    NUMBERS,
    OUTSIDE,
    UNREADABLE_NUMBER,
    UNREADABLE_TIME,
    Cells,
    Reading,
    calls,
    cells,
    numbered,
    outside,
    quoted,
)
from ptucalc.read.log_store import CallStore, EngineError
from ptucalc.timestamps import TimeLayout, layout_of, parse_us

__all__ = ["Batch", "Choices", "Loader", "window_of"]

SAMPLED_ROWS = 50_000
"""Names of deployments are taken from so many first rows; a log that names more later is read another way."""

MOST_NAMES = 1000
NAMES = ("deployment", "model")
KEPT_IN_MEMORY_BYTES = 250_000_000
"""A larger Parquet file is not copied: it is read again for each question."""


_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_ZONE = re.compile(r"(Z|[+-]\d\d(:?\d\d)?)?$")
"""The time zone that an ISO stamp ends with, or nothing."""


@dataclass(frozen=True)
class Choices:
    """What the user says about a log that it does not say itself."""

    given: Mapping[str, str] = field(default_factory=dict)
    date_order: Literal["mdy", "dmy"] | None = None
    time_zone: str | None = None
    since: str | None = None
    until: str | None = None
    input_excludes_cached: bool = False


class Batch(NamedTuple):
    """Files that are laid out the same, read as one."""

    files: tuple[LogFile, ...]
    recognised: Recognised


class Loader:
    """Reads batches into tables of a store; at the end there is one relation `calls`."""

    def __init__(self, store: CallStore, choices: Choices, parse_json: Callable[[str], Any]) -> None:
        self.store = store
        self.choices = choices
        self.parse_json = parse_json
        self.reasons: dict[int, str] = {}
        self.unreadable = 0
        self.back = 0
        self.zones: set[str] = set()
        self.layouts: list[TimeLayout] = []
        self.tables: list[tuple[str, bool, frozenset[str]]] = []

    def load(self, batch: Batch) -> None:
        """Read one batch. Raises BadInput where a file is damaged or its times cannot be told."""
        check = _Checks(batch)
        try:
            too_long = self._load(batch)
        except EngineError as error:
            check.wait()
            raise _engine_problem(batch, error) from None
        self.unreadable += max(0, check.wait() - too_long)

    def _load(self, batch: Batch) -> int:
        """Read the batch; how many lines the engine left out for their length, and said so."""
        relation = _Relation(self.store, batch)
        found = batch.recognised
        places = dict(found.places)
        rules = []
        for number, each in enumerate(found.keep_rows):
            places[f"keep{number}"] = each.places
            rules.append((f"not {_holds(each, f'f_keep{number}')}", self._reason(each.reason)))
        for number, each in enumerate(found.drop_rows):
            places[f"drop{number}"] = each.places
            rules.append((_holds(each, f"f_drop{number}"), self._reason(each.reason)))
        values = cells(relation.sql, places, relation.columns)
        lacking = frozenset(places) - values.fields
        rules = [(_without(condition, lacking), mark) for condition, mark in rules]
        layout = self._layout(batch, relation)
        self.layouts.append(layout)
        reading = self._reading(found, values.fields, rules, layout)
        relation.again = relation.again and not reading.with_ids  # duplicates are marked in a table
        if not self._load_typed(batch, relation, reading, layout):
            self._load_text(relation, values, reading, layout, semicolons=batch.files[0].delimiter == ";")
            return relation.rejected("error_type = 'LINE SIZE OVER MAXIMUM'")
        return 0

    def _reason(self, reason: str) -> int:
        for mark, known in self.reasons.items():
            if known == reason:
                return mark
        mark = FIRST_FREE + len(self.reasons)
        self.reasons[mark] = reason
        return mark

    def _layout(self, batch: Batch, relation: _Relation) -> TimeLayout:
        """How stamps are written, from the first records of all files."""
        if relation.time_type:
            return TimeLayout("iso", naive="WITH TIME ZONE" not in relation.time_type)
        places = batch.recognised.places["timestamp"]
        values = [value_at(record, places, self.parse_json) for file in batch.files for record in file.head]
        stamps = [str(value) for value in values if value is not None and not missing(value)]
        relation.stamps = tuple(stamps)
        self.zones |= {_ZONE.search(stamp)[0] for stamp in stamps if _ISO_DATE.match(stamp)}  # type: ignore[index]
        if not stamps:
            what = "no row has one" if values else "no rows, only a header"
            raise BadInput([Problem("timestamp", what, "rows with a time stamp", source=batch.files[0].name)])
        tagged = batch.recognised.time_tag
        try:
            return layout_of(
                stamps,
                unit=batch.recognised.format.timestamp_unit,
                tagged="UTC" if tagged == "UTC" else "local" if tagged == "local" else "",
                date_order=self.choices.date_order,
                zone=self.choices.time_zone,
            )
        except BadInput as error:
            source = batch.files[0].name
            raise BadInput([problem.at(source=source, label="timestamp") for problem in error.problems]) from None

    def _reading(
        self, found: Recognised, fields: frozenset[str], rules: Sequence[tuple[str, int]], layout: TimeLayout
    ) -> Reading:
        format = found.format
        failed = [(f"n_{name} = {value}", FAILED_CALL) for name, value in format.failed_when.items() if name in fields]
        return Reading(
            fields=fields,
            rules=rules,
            late_rules=failed,
            deployment=_deployment(format, fields),
            model="coalesce(f_model, '')" if "model" in fields else "''",
            window=window_of(self.choices, layout),
            input_excludes_cached=format.input_excludes_cached or self.choices.input_excludes_cached,
            input_excludes_cache_write=format.input_excludes_cache_write,
            output_excludes_reasoning=format.output_excludes_reasoning,
            buckets=format.kind == "buckets",
            with_ids=format.unique_id and "request_id" in fields,
        )

    def _load_typed(self, batch: Batch, relation: _Relation, reading: Reading, layout: TimeLayout) -> bool:
        """Let the engine parse numbers and ISO stamps itself; False where any value was not as expected."""
        plain = all(len(where) == 1 and not where[0].steps for where in batch.recognised.places.values() if where)
        if not plain or layout.kind != "iso" or (layout.naive and layout.zone != "UTC") or reading.rules:
            return False
        columns = {name: relation.columns[where[0].column] for name, where in batch.recognised.places.items() if where}
        if len(set(columns.values())) < len(columns):
            return False
        for names_as_enums in (True, False):
            try:
                typed = relation.typed(columns, self.store, names_as_enums=names_as_enums and not reading.buckets)
                numbers = "".join(
                    f", {columns[name]} as n_{name}, {columns[name]} is not null as g_{name}"
                    for name in NUMBERS
                    if name in columns
                )
                texts = "".join(
                    f", {column if relation.has_enums and name in NAMES else f'given({column})'} as f_{name}"
                    for name, column in columns.items()
                    if name not in NUMBERS and name != "timestamp"
                )
                time = relation.typed_time(columns["timestamp"])
                given = f"case when {columns['timestamp']} is not null then 'given' end as t_text"
                source = f"(select {time} as t_us, {given}, true as f_whole{numbers}{texts} from {typed})"
                names = {"deployment": "f_deployment", "model": "f_model"} if relation.has_enums else {}
                direct = reading._replace(  # names are as they stand, where the first ones were
                    integer="bigint" if reading.buckets else "integer",
                    deployment=names.get("deployment", reading.deployment) if "deployment" in columns else "''",
                    model=names.get("model", reading.model) if "model" in columns else "''",
                )
                self._make(calls(source, direct).replace("t_us as us, t_text", "t_us as us"), direct, relation)
            except EngineError:
                continue
            table = self.tables[-1][0]
            odd = (NEGATIVE, UNREADABLE_TIME, UNREADABLE_NUMBER)
            asked = f"select count(*) from {table} where mark in {odd} or us is null"
            if not self.store.run(asked)[0][0]:
                return True
            self.store.run(f"drop {'view' if relation.again else 'table'} {table}")
            self.tables.pop()
            return False
        return False

    def _load_text(
        self, relation: _Relation, values: Cells, reading: Reading, layout: TimeLayout, *, semicolons: bool
    ) -> None:
        """Read every value as text: what is no number or no time is counted, not lost."""
        relation.again = False
        try:
            self._make_text(relation, values, reading, layout, semicolons=semicolons)
        except EngineError as error:
            if "state machine" not in str(error):
                raise
            self._make_text(relation, relation.lenient(values), reading, layout, semicolons=semicolons)
        self.unreadable += relation.rejected()
        self._read_odd_stamps(self.tables[-1][0], reading, layout)

    def _make_text(
        self, relation: _Relation, values: Cells, reading: Reading, layout: TimeLayout, *, semicolons: bool
    ) -> None:
        quick = _quick_time(layout) if not relation.time_type else "epoch_us(try_cast(f_timestamp as timestamptz))"
        texts = f"(select *{numbered(values.fields, semicolons=semicolons)}, {quick} as t_us from {values.sql})"
        source = f"(select *, case when t_us is null then f_timestamp end as t_text from {texts})"
        self._make(calls(source, reading), reading, relation)

    def _read_odd_stamps(self, table: str, reading: Reading, layout: TimeLayout) -> None:
        """Read the stamps that the engine left, each different one once."""
        pending = self.store.run(f"select distinct t_text from {table} where t_text is not null")
        if pending:
            parsed = [_parsed(text, layout) for (text,) in pending]
            self.store.run("create or replace temp table stamps (t varchar, us bigint)")
            self.store.run("insert into stamps select unnest(?), unnest(?)", [[text for (text,) in pending], parsed])
            beyond = outside("stamps.us", reading.window)
            self.store.run(
                f"""update {table} set us = stamps.us, mark = case when mark >= {FIRST_FREE} and mark < 255 then mark
                when stamps.us is null or stamps.us < 0 or stamps.us >= {LATEST_US} then {UNREADABLE_TIME} when {beyond} then {OUTSIDE} else mark end
                from stamps where t_text = t"""
            )

    def _make(self, query: str, reading: Reading, relation: _Relation) -> None:
        table = f"calls{len(self.tables)}"
        what = "view" if relation.again else "table"
        self.store.run(f"create or replace {what} {table} as {query}")
        self.tables.append(
            (
                table,
                relation.again,
                reading.fields | ({"ids"} if reading.with_ids else set()) | ({"buckets"} if reading.buckets else set()),
            )
        )

    def finish(self) -> bool:
        """Make `calls` of all that was read; whether there are ids to find duplicates by."""
        self.back = sum(self.store.going_back(table) for table, view, _ in self.tables if not view)
        selects = []
        ids = any("ids" in has for _, _, has in self.tables)
        for table, _, has in self.tables:
            written = "written" if "cache_write_tokens" in has else "0"
            counts = "requests, unsized, seconds"
            if "buckets" not in has:
                counts = "1 as requests, (mark = 255)::integer as unsized, null::double as seconds"
            marks = ", h1, h2" if "ids" in has else ", null::ubigint as h1, null::ubigint as h2" if ids else ""
            selects.append(
                f"select us, deployment, model, uncached, cached, {written} as written, output, {counts}, mark, flags{marks} from {table}"
            )
        if len(selects) == 1:
            self.store.run(f"create view calls as {selects[0]}")
            self.store.ids_in = self.tables[0][0]
        else:
            whole = " union all by name ".join(f"({select})" for select in selects)
            self.store.run(f"create table calls as {whole}")
            for table, view, _ in self.tables:
                self.store.run(f"drop {'view' if view else 'table'} {table}")
            self.store.ids_in = "calls"
        return ids


def _holds(rule: RowFilter, value: str) -> str:
    listed = ", ".join(quoted(each.casefold()) for each in rule.values)
    inside = f"lower({value}) in ({listed})" if listed else "null"
    return f"coalesce({inside}, {str(rule.absent).lower()} and {value} is null)"


def _without(condition: str, lacking: frozenset[str]) -> str:
    """The condition with values that the file does not have as NULL."""
    for name in lacking:
        condition = condition.replace(f"f_{name}", "null::varchar")
    return condition


def _deployment(format: LogFormat, fields: frozenset[str]) -> str:
    if "deployment" not in fields:
        return "''"
    name = "f_deployment"
    if format.strip_prefix:
        prefix = quoted(format.strip_prefix)
        name = f"case when starts_with({name}, {prefix}) then substr({name}, {len(format.strip_prefix) + 1}) else {name} end"
    if format.pattern:
        name = f"nullif(regexp_extract({name}, {quoted(format.pattern)}, 1), '')"
    return f"coalesce({name}, '')"


def window_of(choices: Choices, layout: TimeLayout) -> tuple[int | None, int | None]:
    """Since and until in microseconds, on the clock of the log. Raises BadInput."""
    problems: list[Problem] = []
    found: list[int | None] = []
    for flag, text in (("since", choices.since), ("until", choices.until)):
        if text is None:
            found.append(None)
            continue
        own = layout if layout.relative else layout_of([text], zone=choices.time_zone) if _is_stamp(text) else None
        try:
            if own is None:
                raise ValueError("a time such as 2026-11-02T09:00Z")
            found.append(parse_us(text, own))
        except ValueError as error:
            problems.append(Problem(flag, text, str(error), label=f"--{flag}"))
    if problems:
        raise BadInput(problems)
    since, until = found
    if since is not None and until is not None and since >= until:
        raise BadInput(
            [Problem("until", choices.until or "", f"a time after --since {choices.since}", label="--until")]
        )
    return since, until


def _is_stamp(text: str) -> bool:
    try:
        layout_of([text])
    except BadInput:
        return False
    return True


def _quick_time(layout: TimeLayout) -> str:
    """SQL for the stamps that the engine reads as exactly as `parse_us`; NULL for the rest."""
    if layout.kind == "iso":
        zoned = "regexp_matches(f_timestamp, '(Z|[+-]\\d\\d(:?\\d\\d)?)$')"
        whole = "iso(f_timestamp)"
        return whole if layout.zone == "UTC" else f"case when {zoned} then {whole} end"
    if layout.kind == "number" and layout.unit in ("s", "ms", "us"):
        low, high = layout.bounds_us
        times = {"s": 1_000_000, "ms": 1000, "us": 1}[layout.unit]
        value = f"case when regexp_full_match(f_timestamp, '\\d{{1,18}}') then try_cast(f_timestamp as hugeint) * {times} end"
        return f"case when ({value}) >= {low} and ({value}) < {high} then ({value})::bigint end"
    return "null::bigint"


def _parsed(text: str, layout: TimeLayout) -> int | None:
    try:
        return parse_us(text, layout)
    except ValueError:
        return None


class _Relation:
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
        self.again = first.kind == "parquet" and sum(file.size for file in batch.files) > KEPT_IN_MEMORY_BYTES
        self.has_enums = False
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
            quoted_name = '"' + name.replace('"', '""') + '"'
            if stamp is not None and name == stamp.column and not stamp.steps and kind.startswith("TIMESTAMP"):
                self.time_type = kind
            nested = any(mark in kind for mark in ("STRUCT", "MAP", "[]"))
            value = f"to_json({quoted_name})::varchar" if nested else f"{quoted_name}::varchar"
            if kind.startswith("TIMESTAMP") and name == (stamp.column if stamp else ""):
                exact = f"make_timestamp(epoch_ns({quoted_name}) // 1000)" if kind == "TIMESTAMP_NS" else quoted_name
                value = f"{exact}::timestamptz::varchar"
            parts.append(f"{value} as {column}")
        return f"(select {', '.join(parts)} from {source})"

    def typed(self, columns: Mapping[str, str], store: CallStore, *, names_as_enums: bool) -> str:
        """The relation with the columns of values as times, numbers and names."""
        types = {column: "DOUBLE" for name, column in columns.items() if name in NUMBERS}
        names = [name for name in NAMES if name in columns]
        self.has_enums = False
        if self.kind == "parquet":
            stamp = "TIMESTAMP_NS" if self.time_type == "TIMESTAMP_NS" else "TIMESTAMPTZ"
            return self._typed_parquet({**types, columns["timestamp"]: stamp})
        if self.kind != "table":
            raise EngineError("no columns of their own")
        if names_as_enums and names:
            self.has_enums = True
            for name in names:
                types[columns[name]] = self._enum(columns[name], name)
        every = {column: types.get(column, "VARCHAR") for column in self._names()}
        return self._csv(every, strict=True, rejects=False)

    def _enum(self, column: str, name: str) -> str:
        kind = f"names_{name}_{self.rejects}"
        source = self._csv(dict.fromkeys(self._names(), "VARCHAR"), strict=True, rejects=False)
        found = self.store.run(f"select distinct {column} from (select {column} from {source} limit {SAMPLED_ROWS})")
        clean = [
            text
            for (text,) in self.store.run("select given(name) from (select unnest(?) as name)", [[n for (n,) in found]])
        ]
        if len(found) > MOST_NAMES or any(
            text is None or text != name for text, (name,) in zip(clean, found, strict=True)
        ):
            raise EngineError("too many names, or names that need a second look")
        self.store.run(f"create type {kind} as enum ({', '.join(quoted(text) for (text,) in found)})")
        return kind

    def typed_time(self, column: str) -> str:
        """SQL for stamps of the shapes that the first ones have; NULL for any other, which is then read as text."""
        if self.kind == "parquet":
            return f"epoch_ns({column}) // 1000" if self.time_type == "TIMESTAMP_NS" else f"epoch_us({column})"
        likes = set()
        for stamp in self.stamps:
            zone = _ZONE.search(stamp)[0]  # type: ignore[index]
            time = stamp.removesuffix(zone) if zone else stamp
            likes.add(re.sub(r"\d", "_", re.sub(r"\.\d+$", ".%", time)) + zone)
        one_of = " or ".join(f"{column} like {quoted(like)}" for like in sorted(likes))
        return f"case when ({one_of}) and substr({column}, 12, 2) < '24' then epoch_us(try_cast({column} as timestamptz)) end"

    def _typed_parquet(self, types: Mapping[str, str]) -> str:
        source = f"read_parquet({self.files})"
        described = self.store.run(f"describe select * from {source}")
        if not self.time_type:
            raise EngineError("a time stamp as text")
        parts = []
        for (name, kind, *_), column in zip(described, self._names(), strict=True):
            quoted_name = '"' + name.replace('"', '""') + '"'
            wanted = types.get(column)
            if wanted == "DOUBLE" and not any(word in kind for word in ("INT", "DOUBLE", "FLOAT", "DECIMAL")):
                raise EngineError("a number as text")
            cast = f"::{wanted}" if wanted else ""
            parts.append(f"{quoted_name}{cast} as {column}")
        return f"(select {', '.join(parts)} from {source})"

    def rejected(self, condition: str = "true") -> int:
        """How many rows the engine could not take apart, in all or for one reason."""
        if self.kind == "parquet":
            return 0
        (found,) = self.store.run(f"select count(distinct (file_id, line)) from {self.rejects} where {condition}")[0]
        return int(found)


class _Checks:
    """What the engine would not notice, looked for while it reads: damage in packed files (by their own checksums), and
    lines so long that it drops them."""

    def __init__(self, batch: Batch) -> None:
        self.problems: list[Problem] = []
        self.long_lines = 0
        self.files = [file for file in batch.files if file.kind != "parquet"]
        self.thread = threading.Thread(target=self._check, daemon=True)
        self.thread.start()

    def _check(self) -> None:
        for file in self.files:
            try:
                with file.stream() as stream:
                    self._look_through(stream)
            except (EOFError, OSError, zlib.error) as error:
                found = f"a damaged gzip archive ({error})" if file.packed else str(error)
                self.problems.append(Problem("file", found, "a whole one: copy it again", source=file.name))

    def _look_through(self, stream: IO[bytes]) -> None:
        length = 0
        while chunk := stream.read(1 << 20):
            end = chunk.find(b"\n")
            if end < 0:
                length += len(chunk)
                continue
            self.long_lines += length + end > LONGEST_LINE_BYTES
            length = len(chunk) - chunk.rfind(b"\n") - 1
        self.long_lines += length > LONGEST_LINE_BYTES

    def wait(self) -> int:
        """Until all is checked: how many lines were too long. Raises BadInput."""
        self.thread.join()
        if self.problems:
            raise BadInput(self.problems)
        return self.long_lines


def _engine_problem(batch: Batch, error: EngineError) -> BadInput:
    names = ", ".join(file.name for file in batch.files)
    first = str(error).splitlines()[0]
    for file in batch.files:
        first = first.replace(file.path, file.name)
    return BadInput([Problem("file", first[:200], "a log that can be read to its end", source=names)])
