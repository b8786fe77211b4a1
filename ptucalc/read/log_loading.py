"""Recognised files into the store: typed and fast where every value is what its column says, else value by value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ptucalc.errors import BadInput, Problem
from ptucalc.log_formats import LogFormat, Recognised, RowFilter
from ptucalc.read.fast_rows import FastRows, fast_rows
from ptucalc.read.log_canonical import missing, value_at
from ptucalc.read.log_checks import Checks
from ptucalc.read.log_choices import Batch, Choices, window_of
from ptucalc.read.log_files import LogFile
from ptucalc.read.log_relation import NAMES, ZONE, Relation
from ptucalc.read.log_sql import (
    FAILED_CALL,
    FIRST_FREE,
    LARGEST_KEPT,
    LATEST_US,
    NEGATIVE,
    NUMBERS,
    OUTSIDE,
    UNREADABLE_NUMBER,
    UNREADABLE_TIME,
    USED,
    Cells,
    Reading,
    calls,
    cells,
    numbered,
    only_for_calls,
    outside,
    plain_calls,
    quoted,
)
from ptucalc.read.log_store import CallStore, EngineError, PlainSums
from ptucalc.timestamps import TimeLayout, layout_of, parse_us

__all__ = ["Loader"]

ODD = (NEGATIVE, UNREADABLE_TIME, UNREADABLE_NUMBER)
"""Marks of rows that only reading every value as text can tell about."""

ONLY_FOR_CALLS = ("max_tokens", "duration")
"""Fields that only a replay of calls needs."""

DURATION_US = {"s": 1_000_000, "ms": 1000}

KEPT_AS_THEY_ARE = frozenset(
    {
        "timestamp",
        "status",
        "input_tokens",
        "cached_input_tokens",
        "cache_write_tokens",
        "output_tokens",
        "reasoning_tokens",
    }
    | {"total_tokens", *NAMES}
)
"""A log of these alone is kept as its values, since all of them are small."""

_UTC = ("Z", "+00", "+00:00", "+0000", "-00:00")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class Loaded(NamedTuple):
    """A relation of calls: its name, what was made for it (kinds and names, the last one first to be dropped last), the
    fields it has, its times in the order of the file, as SQL (None where they stand in no order, or are looked at already:
    `back` of them go back), and what numbers its rows.

    Where plain calls are added up already, `parts` are a sample of them, the times of the first ones, and all other calls, each
    a relation of its own. `complete` makes the relation where that is left until it is asked for.
    """

    name: str
    made: Sequence[tuple[str, str]]
    has: frozenset[str]
    in_order: str | None = None
    place: str = "rowid"
    back: int = 0
    sums: PlainSums | None = None
    parts: tuple[str, str, str] = ("", "", "")
    complete: Callable[[], None] | None = None


class Loader:
    """Reads batches into tables of a store; at the end there is one relation `calls`."""

    def __init__(
        self, store: CallStore, choices: Choices, parse_json: Callable[[str], Any], thresholds: Sequence[int]
    ) -> None:
        self.store = store
        self.thresholds = thresholds
        self.choices = choices
        self.parse_json = parse_json
        self.reasons: dict[int, str] = {}
        self.unreadable = 0
        self.back = 0
        self.zones: set[str] = set()
        self.layouts: list[TimeLayout] = []
        self.tables: list[Loaded] = []

    def load(self, batch: Batch) -> None:
        """Read one batch. Raises BadInput where a file is damaged or its times cannot be told."""
        check = Checks(batch)
        try:
            read = self._load(batch, check)
            check.wait()
            if read is not None:
                self._count_lost(batch, check, *read)
            else:
                self.unreadable += check.long_lines
        except EngineError as error:
            check.wait()
            raise _engine_problem(batch, error) from None

    def _count_lost(self, batch: Batch, check: Checks, relation: Relation, values: Cells) -> None:
        """Count rows that went missing without being a row: lines that are too long, or behind a quote that is stray.

        A table's cells may hold line ends, but not those of times and numbers. Where a quote is never closed, every line
        that is in no row is lost.
        """
        rejected = relation.rejected()
        self.unreadable += rejected
        told = relation.rejected("error_type = 'LINE SIZE OVER MAXIMUM'")
        lost = max(0, check.long_lines - told)
        rows = self.store.run(f"select count(*) from {self.tables[-1].name}")[0][0]
        headers = sum(1 + file.blank_lines for file in batch.files)
        inside = check.lines - rows - rejected - headers if relation.kind == "table" else 0
        if inside > 0:
            if check.long_lines or relation.rejected("error_type = 'UNQUOTED VALUE'"):
                lost = inside
            else:
                lost += relation.line_ends(values)
        self.unreadable += lost

    def _load(self, batch: Batch, check: Checks) -> tuple[Relation, Cells] | None:
        """Read the batch; what was read as text, None where values were typed."""
        relation = Relation(self.store, batch)
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
        # duplicates are marked in a table, and calls replayed in its order
        relation.again = relation.again and not reading.with_ids and not reading.calls
        if not self._load_typed(batch, relation, reading, layout):
            check.count_lines()
            self._load_text(relation, values, reading, layout, semicolons=batch.files[0].delimiter == ";")
            return relation, values
        return None

    def _reason(self, reason: str) -> int:
        for mark, known in self.reasons.items():
            if known == reason:
                return mark
        mark = FIRST_FREE + len(self.reasons)
        self.reasons[mark] = reason
        return mark

    def _layout(self, batch: Batch, relation: Relation) -> TimeLayout:
        """How stamps are written, from the first records of all files."""
        if relation.time_type:
            return TimeLayout("iso", naive="WITH TIME ZONE" not in relation.time_type)
        places = batch.recognised.places["timestamp"]
        values = [value_at(record, places, self.parse_json) for file in batch.files for record in file.head]
        stamps = [str(value) for value in values if value is not None and not missing(value)]
        relation.stamps = tuple(stamps)
        zones = {ZONE.search(stamp)[0] for stamp in stamps if _ISO_DATE.match(stamp)}  # type: ignore[index]
        self.zones |= {"UTC" if zone in _UTC else zone for zone in zones}
        if not stamps:
            what = "no row has one" if values else "no rows, only a header"
            raise BadInput([Problem("timestamp", what, "rows with a time stamp", source=batch.files[0].name)])
        tagged = batch.recognised.time_tag
        if _are_days_of_excel(stamps):
            expected = (
                "times; these look like Excel's days since 1900: format the column as yyyy-mm-dd hh:mm:ss, then save"
            )
            raise BadInput([Problem("timestamp", stamps[0], expected, source=batch.files[0].name)])
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
            raise BadInput(
                [p.at(source=source, label="timestamp") if p.field == "timestamp" else p for p in error.problems]
            ) from None

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
            output_excludes_reasoning=format.output_excludes_reasoning or self.choices.output_excludes_reasoning,
            buckets=format.kind == "buckets",
            with_ids=format.unique_id and "request_id" in fields,
            calls=self.choices.calls,
            duration_us=DURATION_US.get(format.duration_unit or ""),
            output_share=self.choices.output_share
            if found.places["input_tokens"] == found.places["output_tokens"]
            else None,
        )

    def _load_typed(self, batch: Batch, relation: Relation, reading: Reading, layout: TimeLayout) -> bool:
        """Let the engine parse numbers and ISO stamps itself; False where any value was not as expected."""
        unused = () if reading.calls else ONLY_FOR_CALLS
        places = {name: where for name, where in batch.recognised.places.items() if where and name not in unused}
        if layout.kind != "iso" or (layout.naive and layout.zone != "UTC") or reading.rules:
            return False
        if relation.delimiter == ";":  # 12.000 may be twelve thousand there
            return False
        present = {name: where for name, where in places.items() if name in reading.fields}
        columns = relation.columns_of(present)
        if len(columns) < len(present) or len(set(columns.values())) < len(columns):
            return False
        as_is = not reading.buckets and reading.deployment in ("''", "coalesce(f_deployment, '')")
        for names_as_enums in (True, False) if as_is else (False,):
            direct = reading._replace(integer="bigint" if reading.buckets else "integer")
            if names_as_enums:  # names are as they stand, where the first ones were
                deployment = "f_deployment" if "deployment" in columns else "''"
                direct = direct._replace(deployment=deployment, model="f_model" if "model" in columns else "''")
            kept = names_as_enums and KEPT_AS_THEY_ARE.issuperset(set(columns).difference(ONLY_FOR_CALLS))
            try:
                typed = relation.typed(columns, names_as_enums=names_as_enums)
                if (
                    self._kept(typed, columns, relation, direct, batch.files)
                    if kept
                    else self._taken(typed, columns, relation, direct)
                ):
                    return True
            except EngineError:
                continue
            if not kept:
                return False
        return False

    def _taken(self, typed: str, columns: Mapping[str, str], relation: Relation, reading: Reading) -> bool:
        """Calls of typed values; False where any value was not as expected."""
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
        self._make(calls(source, reading).replace("t_us as us, t_text", "t_us as us"), reading, relation)
        table = self.tables[-1].name
        asked = f"select count(*) from {table} where mark in {ODD} or us is null"
        if not self.store.run(asked)[0][0]:
            return True
        self._drop(self.tables.pop())
        return False

    def _kept(
        self, typed: str, columns: Mapping[str, str], relation: Relation, reading: Reading, files: Sequence[LogFile]
    ) -> bool:
        """Typed values kept as they are, and their calls as a view; False where any value was not as expected.

        Nearly all rows are plain calls: what else there is becomes a table of its own.
        """
        if "status" in columns and relation.status_type != "INTEGER":
            return self._taken(typed, columns, relation, reading)
        number = self.store.next_number()
        raw, odd = f"values{number}", f"odd{number}"
        numbers = [name for name in NUMBERS if name in columns]
        usual = not (reading.input_excludes_cached or reading.output_excludes_reasoning or reading.calls)
        if usual and not reading.late_rules and reading.output_share is None:
            longest = min(self.thresholds, default=LARGEST_KEPT)
            keeps_all = self.choices.windows
            fast = fast_rows(self.store, relation, files, columns, reading.window, longest, keeps_all=keeps_all)
            if fast is not None:
                self._scanned(fast, reading)
                return True
        # a cast to an integer rounds, so what is not whole ends the query
        wholes = {
            name: f"case when {columns[name]} <> floor({columns[name]}) then error('not whole')::integer"
            f" else {columns[name]}::integer end"
            for name in numbers
        }
        values = _typed_values(wholes, columns, f"{columns['status']}::smallint" if "status" in columns else None)
        if reading.calls:
            texts = {f"f_{name}": f"given({columns[name]})" for name in ONLY_FOR_CALLS if name in columns}
            for made_of in only_for_calls(reading):
                for name, text in texts.items():
                    made_of = made_of.replace(name, text)
                values += f", {made_of}"
        also = ["max_tokens", "duration_us", "kept_row"] if reading.calls else ["kept_row"]
        reading = reading._replace(calls=False)
        time = relation.typed_time(columns["timestamp"])
        kind = "view" if relation.again else "table"
        made = [(kind, raw)]
        try:
            self.store.run(f"create {kind} {raw} as select {time} as t_us{values} from {typed}")
            bounds = "".join(f", min(n_{name}) >= 0 and max(n_{name}) <= {LARGEST_KEPT}" for name in numbers)
            untimed, *bounded = self.store.run(f"select count(*) - count(t_us){bounds} from {raw}")[0]
            if untimed or False in bounded:
                self._drop(Loaded("", made, frozenset()))
                return False
            reading = reading._replace(whole=True, coded="status" in columns)
            source = _as_read(raw, numbers, "0" if relation.again else "rowid")
            made.insert(0, ("table", odd))
            self.store.run(f"create table {odd} as {calls(source, reading, but_plain=True, also=also)}")
            others, unlike = self.store.run(f"select count(*), count(*) filter (mark in {ODD}) from {odd}")[0]
            if unlike:
                self._drop(Loaded("", made, frozenset()))
                return False
            view = plain_calls(source, reading, only_plain=relation.again and others > 0, also=also)
            if others:
                if not relation.again:
                    self.store.run(f"delete from {raw} where rowid in (select kept_row from {odd})")
                view += f" union all by name select * exclude (t_text) from {odd}"
            name = f"calls{len(self.tables)}"
            self.store.run(f"create view {name} as {view}")
            self.tables.append(
                Loaded(
                    name,
                    [("view", name), *made],
                    reading.fields,
                    in_order=None if relation.again else f"(select t_us as us from {raw})",
                    place="kept_row",
                )
            )
        except EngineError:
            self._drop(Loaded("", made, frozenset()))
            raise
        return True

    def _scanned(self, fast: FastRows, reading: Reading) -> None:
        """Calls of rows in arrays, as views, and a table of those that are not plain ones."""
        number = self.store.next_number()
        numbers = [name for name in NUMBERS if name in fast.counts]
        coded = "status" in fast.counts

        def as_read(relation: str, status: str | None) -> str:
            values = _typed_values(fast.counts, fast.names, status)
            return _as_read(f"(select us as t_us{values} from {relation})", numbers, "0")

        reading = reading._replace(whole=True, coded=coded)
        name, chosen, odd = f"calls{len(self.tables)}", f"chosen{number}", f"odd{number}"
        also = ["kept_row"]
        others = calls(as_read(fast.others, fast.counts.get("status")), reading, also=also)

        def of_plain(relation: str) -> str:
            rows = as_read(relation, "null::integer" if coded else None)
            return plain_calls(rows, reading, only_plain=False, also=also)

        def complete() -> None:
            kept = fast.plain()
            whole = f"{of_plain(kept.relation)} union all by name select * exclude (t_text) from {odd}"
            self.store.run(f"create view {name} as {whole}")
            self.store.seconds_of = kept.seconds

        self.store.run(f"create table {odd} as {others}")
        self.store.run(f"create view {chosen} as {of_plain(fast.sample)}")
        if fast.kept:
            complete()
        made = [("view", name), ("table", odd), ("view", chosen)]
        self.tables.append(
            Loaded(
                name,
                made,
                reading.fields,
                None,
                "kept_row",
                fast.back,
                fast.sums,
                (chosen, fast.firsts, odd),
                None if fast.kept else complete,
            )
        )

    def _drop(self, loaded: Loaded) -> None:
        for kind, name in loaded.made:
            self.store.run(f"drop {kind} if exists {name}")

    def _load_text(
        self, relation: Relation, values: Cells, reading: Reading, layout: TimeLayout, *, semicolons: bool
    ) -> None:
        """Read every value as text: what is no number or no time is counted, not lost."""
        relation.again = False
        try:
            self._make_text(relation, values, reading, layout, semicolons=semicolons)
        except EngineError as error:
            if "state machine" not in str(error):
                raise
            self._make_text(relation, relation.lenient(values), reading, layout, semicolons=semicolons)
        self._read_odd_stamps(self.tables[-1].name, reading, layout)

    def _make_text(
        self, relation: Relation, values: Cells, reading: Reading, layout: TimeLayout, *, semicolons: bool
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

    def _make(self, query: str, reading: Reading, relation: Relation) -> None:
        name = f"calls{len(self.tables)}"
        what = "view" if relation.again else "table"
        self.store.run(f"create or replace {what} {name} as {query}")
        has = reading.fields | ({"ids"} if reading.with_ids else set()) | ({"buckets"} if reading.buckets else set())
        known = f"(select us from {name} where mark = {USED})"
        in_order = None if relation.again or reading.buckets else known
        self.tables.append(Loaded(name, [(what, name)], has, in_order))

    def finish(self) -> bool:
        """Make `calls` of all that was read; whether there are ids to find duplicates by."""
        self.back = sum(self.store.going_back(each.in_order) if each.in_order else each.back for each in self.tables)
        selects: list[str] = []
        ids = any("ids" in each.has for each in self.tables)
        if len(self.tables) > 1:
            for each in self.tables:
                if each.complete is not None:
                    each.complete()
        for table, _, has, _, place, *_ in self.tables:
            written = "written" if "cache_write_tokens" in has else "0"
            counts = "requests, unsized, seconds"
            if "buckets" not in has:
                counts = "1 as requests, (mark = 255)::integer as unsized, null::double as seconds"
            marks = ", h1, h2" if "ids" in has else ", null::ubigint as h1, null::ubigint as h2" if ids else ""
            more = f", max_tokens, duration_us, {len(selects)} as part, {place} as place" if self.choices.calls else ""
            selects.append(
                f"select us, deployment, model, uncached, cached, {written} as written, output, {counts}, mark,"
                f" flags{marks}{more} from {table}"
            )
        if len(selects) == 1:
            (loaded,) = self.tables
            create = f"create view calls as {selects[0]}"
            if loaded.complete is None:
                self.store.run(create)
            else:
                self.store.complete_later(loaded.complete, create)
            self.store.ids_in = loaded.name
            if loaded.sums is not None:
                self.store.sums = loaded.sums
                sample, firsts, rest = loaded.parts
                for part, source in (("sample", sample), ("rest", rest)):
                    self.store.run(f"create view {part} as {selects[0].removesuffix(loaded.name)}{source}")
                self.store.run(f"create view firsts as from {firsts}")
        else:
            whole = " union all by name ".join(f"({select})" for select in selects)
            self.store.run(f"create table calls as {whole}")
            for each in self.tables:
                self._drop(each)
            self.store.ids_in = "calls"
        return ids


def _typed_values(numbers: Mapping[str, str], names: Mapping[str, str], status: str | None) -> str:
    """More of a select list: the numbers, names and status that there are, by field, as SQL."""
    values = "".join(f", {numbers[name]} as n_{name}" for name in NUMBERS if name in numbers)
    values += "".join(f", {names[name]} as f_{name}" for name in NAMES if name in names)
    return values + ("" if status is None else f", {status} as code")


def _as_read(relation: str, numbers: Sequence[str], place: str) -> str:
    """A relation of typed values as a source of `calls`; `place` numbers its rows."""
    given = "".join(f", n_{name} is not null as g_{name}" for name in numbers)
    return f"(select *, {place} as kept_row, null::varchar as t_text, true as f_whole{given} from {relation})"


def _are_days_of_excel(stamps: Sequence[str]) -> bool:
    """Whether numbers are a spreadsheet's days with fractions, of this century, and of less than a year."""
    if not all(re.fullmatch(r"[2-7]\d{4}\.\d{3,}", stamp) for stamp in stamps):
        return False
    days = [int(stamp[:5]) for stamp in stamps]
    return max(days) - min(days) < 366


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
    if "spilled" in fields:  # where the row says which deployment a call spilled over from, it is that one's demand
        told = 'regexp_extract(f_spilled, \'"[^"]*from[-_]?[dD]eployment[^"]*"\\s*:\\s*"([^"]+)"\', 1)'
        plain = "lower(f_spilled) not in ('true', 'false', 'yes', 'no', '1', '0') and not starts_with(f_spilled, '{')"
        name = f"coalesce(nullif({told}, ''), case when {plain} then f_spilled end, {name})"
    return f"coalesce({name}, '')"


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


def _engine_problem(batch: Batch, error: EngineError) -> BadInput:
    names = ", ".join(file.name for file in batch.files)
    first = str(error).splitlines()[0]
    for file in batch.files:
        first = first.replace(file.path, file.name)
    return BadInput([Problem("file", first[:200], "a log that can be read to its end", source=names)])
