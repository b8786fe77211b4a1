"""Where values stand in a log, as SQL: every name and key is quoted, no text of a file becomes code.

A relation's columns are c0, c1, ... (a table) or `line` (JSON records). `cells` takes the wanted values out as text;
`calls` turns them into calls, each with a mark that says whether it counts, and if not, why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from ptucalc.log_records import LINE, Place

__all__ = [
    "LARGEST_KEPT",
    "MACROS",
    "REASONS",
    "Cells",
    "Reading",
    "calls",
    "cells",
    "numbered",
    "only_for_calls",
    "outside",
    "plain_calls",
    "quoted",
]

USED, UNSIZED = 0, 255
"""Marks of rows that are demand: a call, and a throttled call of unknown size."""

UNREADABLE_ROW, NO_TIME, UNREADABLE_TIME, OUTSIDE, UNREADABLE_NUMBER, NEGATIVE = range(1, 7)
FAILED_CALL, NO_TOKENS, CACHED_ABOVE_INPUT, DUPLICATE, REASONING_ABOVE_OUTPUT = range(7, 12)

REASONS: Mapping[int, str] = {
    UNREADABLE_ROW: "unreadable_row",
    NO_TIME: "no_time",
    UNREADABLE_TIME: "unreadable_time",
    OUTSIDE: "outside_the_window",
    UNREADABLE_NUMBER: "unreadable_number",
    NEGATIVE: "negative_number",
    FAILED_CALL: "failed_call",
    NO_TOKENS: "no_token_counts",
    CACHED_ABOVE_INPUT: "cached_above_input",
    DUPLICATE: "duplicate",
    REASONING_ABOVE_OUTPUT: "reasoning_above_output",
}
"""Why a row is no demand, by its mark; formats have further reasons of their own, from `FIRST_FREE` on."""

FIRST_FREE = 20

MACROS = (
    "create temp macro given(x) as case when x >= '0' and x < ':' then rtrim(x) when lower(trim(x)) in ('', 'n/a', 'null', '-',"
    " 'none', 'nan', 'undefined') then null else trim(x) end",
    "create temp macro grouped(x) as case when contains(x, ',') then case when regexp_full_match(x,"
    " '[+-]?\\d{1,3}(,\\d{3})+(\\.0+)?') then replace(x, ',', '') end else x end",
    "create temp macro undotted(x) as case when regexp_full_match(x, '[+-]?\\d{1,3}(\\.\\d{3})+') then null else x end",
    "create temp macro cache_share(x) as case when contains(x, '%') or try_cast(x as double) > 1 then"
    " try_cast(replace(x, '%', '') as decimal(12, 9)) / 100 else try_cast(x as decimal(12, 9)) end",
    "create temp macro iso(x) as case when regexp_full_match(x,"
    " '\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d(:[0-5]\\d(\\.\\d{1,9})?)?(Z|[+-]([01]\\d|2[0-3])(:?[0-5]\\d)?)?') and substr(x, 12, 2) < '24'"
    " then epoch_us(try_cast(x as timestamptz)) end",
)
"""What text means, once for all: missing values, thousands separators, plain decimal numbers, ISO 8601 stamps."""


def quoted(text: str) -> str:
    """Text as an SQL literal.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''").replace("\0", "") + "'"


def _pointer(path: Sequence[str]) -> str:
    """Keys as a JSON pointer (RFC 6901), as an SQL literal.

    >>> _pointer(("usage", "a/b", "c~d"))
    "'/usage/a~1b/c~0d'"
    """
    return quoted("".join("/" + key.replace("~", "~0").replace("/", "~1") for key in path))


class Cells(NamedTuple):
    """Wanted values as text: a sub-query, and which of them there are. A missing value is NULL."""

    sql: str
    fields: frozenset[str]
    nested: bool


def cells(relation: str, places: Mapping[str, Sequence[Place]], columns: Mapping[str, str]) -> Cells:
    """The values at these places of a relation, as columns f_timestamp, f_input_tokens and so on.

    `columns` gives the relation's column for each heading. A value inside JSON is reached step by step, all keys of one
    text at once; a text that is no JSON holds nothing. The first place that holds a value wins, row by row. Whether the
    whole record is JSON at all is f_whole (true for tables).
    """
    known = {field: [place for place in those if place.column in columns] for field, those in places.items()}
    sql, level = relation, 0
    at: dict[tuple[str, tuple[tuple[str, ...], ...]], str] = {}
    for heading, column in columns.items():
        at[heading, ()] = column
    every = [place for those in known.values() for place in those]
    depth = max((len(place.steps) for place in every), default=0)
    while level < depth:
        level += 1
        texts: dict[tuple[str, tuple[tuple[str, ...], ...]], list[tuple[str, ...]]] = {}
        for place in every:
            if len(place.steps) >= level:
                paths = texts.setdefault((place.column, place.steps[: level - 1]), [])
                if place.steps[level - 1] not in paths:
                    paths.append(place.steps[level - 1])
        found = []
        for number, (base, paths) in enumerate(texts.items()):
            listed = ", ".join(map(_pointer, paths))
            text, name = at[base], f"j{level}_{number}"
            found.append(f"case when json_valid({text}) then json_extract_string({text}, [{listed}]) end as {name}")
            for index, path in enumerate(paths, 1):
                at[base[0], (*base[1], path)] = f"{name}[{index}]"
        sql = f"(select *, {', '.join(found)} from {sql})"
    values = {field: [f"given({at[place.column, place.steps]})" for place in those] for field, those in known.items()}
    chosen = [
        f"{those[0] if len(those) == 1 else 'coalesce(' + ', '.join(those) + ')'} as f_{field}"
        for field, those in values.items()
        if those
    ]
    whole = "json_valid(line)" if columns.get(LINE) == LINE else "true"
    fields = frozenset(field for field, those in values.items() if those)
    return Cells(f"(select {', '.join([*chosen, f'{whole} as f_whole'])} from {sql})", fields, depth > 0)


NUMBERS = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
    "requests",
    "throttled_requests",
    "bucket_seconds",
)
"""The fields that are counts."""

LARGEST = 10**13
"""No count of a call or bucket is anywhere near this; up to it (and far beyond) a double is exact."""

LATEST_US = 7_258_118_400_000_000
"""2200-01-01: a later stamp was no stamp."""

LONGEST_CALL = 10**9
"""No call takes so many seconds or milliseconds."""

LARGEST_KEPT = 500_000_000
"""Counts up to this add up in 32 bits, four of them at once; a log with larger ones is kept in more."""

FAILED = "('failure', 'failed', 'error', 'false', 'cancelled', 'incomplete')"

CACHED, INPUT_ADDED, REASONING_ADDED, REASONING_INSIDE, SPILLED = 1, 2, 4, 8, 16
"""What is remembered of a row: its cached tokens are known; by its total, cached tokens are not in its input (so they
were added), reasoning tokens not in its output (added), or reasoning inside an output said to exclude it (not added);
it was spilled over."""

FLAGS = (CACHED, INPUT_ADDED, REASONING_ADDED, REASONING_INSIDE, SPILLED)


def numbered(fields: frozenset[str], *, semicolons: bool) -> str:
    """Select list: each number and whether one was given.

    Between semicolons a comma is no thousands separator, and 12.000 may be twelve thousand: it is not read.
    """
    text = "undotted(f_{0})" if semicolons else "grouped(f_{0})"
    return "".join(
        f", try_cast({text.format(field)} as double) as n_{field}, f_{field} is not null as g_{field}"
        for field in NUMBERS
        if field in fields
    )


class Reading(NamedTuple):
    """How the values of a relation become calls.

    `fields` are those that the relation has; `rules` pairs of an SQL condition and the mark of the rows it holds for,
    asked first; `deployment` and `model` SQL of the names; `window` the first microsecond that counts and the one after
    the last; `integer` the type of token sums; `buckets` says that a row is a bucket with a count of its own.
    """

    fields: frozenset[str]
    rules: Sequence[tuple[str, int]]
    late_rules: Sequence[tuple[str, int]]
    deployment: str
    model: str
    window: tuple[int | None, int | None]
    input_excludes_cached: bool
    input_excludes_cache_write: bool
    output_excludes_reasoning: bool
    integer: str = "bigint"
    buckets: bool = False
    with_ids: bool = False
    whole: bool = False
    """Whether all numbers are known to be whole, and 0 or more."""
    coded: bool = False
    """Whether the status is a number, in the column `code`."""
    calls: bool = False
    """Whether the calls keep their `max_tokens` and durations."""
    duration_us: int | None = None
    """Microseconds in a unit of duration; None where the unit is not known."""
    output_share: Fraction | None = None
    """Of total tokens that stand for both input and output."""


def outside(us: str, window: tuple[int | None, int | None]) -> str:
    """Whether a time is outside of the window."""
    since, until = window
    parts = [f"{us} < {since}"] * (since is not None) + [f"{us} >= {until}"] * (until is not None)
    return " or ".join(parts) or "false"


class _Values(NamedTuple):
    """What calls are made of: a query with t_input, t_output, some_cached and so on, and when a row is a plain call."""

    sql: str
    plain: str
    rules: Sequence[tuple[str, int]]


def _token_sums(reading: Reading) -> dict[str, str]:
    written = {"written": "some_written"} if "cache_write_tokens" in reading.fields else {}
    return {
        "uncached": "t_input - some_cached - some_written",
        "cached": "some_cached",
        "output": "t_output",
        **written,
    }


def calls(source: str, reading: Reading, *, but_plain: bool = False, also: Sequence[str] = ()) -> str:
    """A query that makes calls of the values of `source`: microseconds, names, tokens by class, mark and flags.

    The source has t_us (NULL where no stamp was read yet) and t_text (a stamp that is still to be read), f_whole, the
    texts f_FIELD of names, status and id, and the numbers n_FIELD with g_FIELD. Rules: semantics.md section 4.
    `but_plain` leaves plain calls out; `also` are columns of the source to hand on.
    """
    fields = reading.fields
    values = _values(source, reading)
    mark = " ".join(f"when {condition} then {value}" for condition, value in values.rules if condition != "false")
    mark = f"when {values.plain} then {USED} {mark}"  # nearly every call: one test instead of a dozen
    columns = ["t_us as us", "t_text", f"{reading.deployment} as deployment", f"{reading.model} as model"]
    columns += [
        f"(case when marked = {USED} then {sum} else 0 end)::{reading.integer} as {name}"
        for name, sum in _token_sums(reading).items()
    ]
    if reading.buckets:
        columns += [f"coalesce({_number('requests', fields)}, 0)::bigint as requests"]
        columns += [f"coalesce({_number('throttled_requests', fields)}, 0)::bigint as unsized"]
        columns += [f"{_number('bucket_seconds', fields)} as seconds"]
    columns += ["marked::utinyint as mark", "flagged::utinyint as flags", *also]
    if reading.with_ids:
        columns += [
            "case when f_request_id is not null then hash(f_request_id) end as h1",
            "case when f_request_id is not null then hash(concat(f_request_id, '#')) end as h2",
        ]
    if reading.calls:
        columns += only_for_calls(reading)
    only = f" where not coalesce({values.plain}, false)" if but_plain else ""
    marked = f"select *, case {mark} else {USED} end as marked from ({values.sql}){only}"
    return f"select {', '.join(columns)} from ({marked})"


def plain_calls(source: str, reading: Reading, *, only_plain: bool, also: Sequence[str] = ()) -> str:
    """The same where every row is known to be a plain call, or of those that are: no mark is worked out, so that a view
    of it costs little."""
    values = _values(source, reading)
    columns = ["t_us as us", f"{reading.deployment} as deployment", f"{reading.model} as model"]
    columns += [f"({sum})::{reading.integer} as {name}" for name, sum in _token_sums(reading).items()]
    columns += [f"{USED}::utinyint as mark", "flagged::utinyint as flags", *also]
    return f"select {', '.join(columns)} from ({values.sql}){f' where {values.plain}' if only_plain else ''}"


def only_for_calls(reading: Reading) -> list[str]:
    """The columns that only a replay needs, of f_max_tokens and f_duration."""
    return [f"{_asked(reading.fields)} as max_tokens", f"{_took(reading)} as duration_us"]


def _asked(fields: frozenset[str]) -> str:
    """The `max_tokens` of a call; NULL where it tells none."""
    asked = f"try_cast({_text('max_tokens', fields)} as double)"
    return f"case when {asked} between 0 and {LARGEST} and {asked} = floor({asked}) then {asked}::bigint end"


def _took(reading: Reading) -> str:
    """How long a call took in microseconds, floored; NULL where that is not known."""
    if "duration" not in reading.fields or reading.duration_us is None:
        return "null::bigint"
    took = "try_cast(f_duration as decimal(28, 9))"
    return f"case when {took} between 0 and {LONGEST_CALL} then floor({took} * {reading.duration_us})::bigint end"


def _number(field: str, fields: frozenset[str]) -> str:
    return f"n_{field}" if field in fields else "null::double"


def _text(field: str, fields: frozenset[str]) -> str:
    return f"f_{field}" if field in fields else "null::varchar"


def _values(source: str, reading: Reading) -> _Values:
    fields = reading.fields

    def number(field: str) -> str:
        return _number(field, fields)

    def text(field: str) -> str:
        return _text(field, fields)

    def some(*names: str, of: str = "") -> str:
        return f"coalesce({of or number(names[0])}, 0)" if fields.intersection(names) else "0"

    status, said = f"try_cast({text('status')} as integer)", number("total_tokens")
    code = f"case when {text('status')} = '200' then 200 else {status} end" if "status" in fields else "null"
    code = "code" if reading.coded else code
    both = f"{number('input_tokens')} as i, {number('output_tokens')} as o"
    if reading.output_share is not None:  # what is left of a token is output, which weighs more
        top, bottom = reading.output_share.as_integer_ratio()
        total = f"case when n_output_tokens between 0 and {LARGEST} then n_output_tokens::hugeint end"
        output = f"((({total}) * {top} + {bottom - 1}) // {bottom})::double"
        both = f"n_input_tokens - {output} as i, {output} as o"
    cached = number("cached_input_tokens")
    if "cache_rate" in fields:
        cached = f"coalesce({cached}, floor(case when n_input_tokens between 0 and {LARGEST} then n_input_tokens::decimal(18, 0) end * cache_share(f_cache_rate)))"
    first = f"""select *, {code} as status_code,
        {some("cached_input_tokens", "cache_rate", of=cached)} as some_cached,
        {some("cache_write_tokens")} as some_written,
        {some("reasoning_tokens")} as some_reasoning,
        {both} from {source}"""
    by_total = f"some_cached > 0 and {said} = i + some_cached + o"
    if reading.input_excludes_cached:
        all_input = "i + some_cached"
    elif "total_tokens" in fields:
        all_input = f"i + case when {by_total} then some_cached else 0 end"
    else:
        all_input = "i"
    if reading.input_excludes_cache_write:
        all_input += " + some_written"
    inside = f"some_reasoning > 0 and {said} = ({all_input}) + o"
    beside = f"some_reasoning > 0 and {said} = ({all_input}) + o + some_reasoning"
    if reading.output_excludes_reasoning:
        added = f"case when {inside} then 0 else some_reasoning end"
    else:
        added = f"case when {beside} then some_reasoning else 0 end" if "total_tokens" in fields else "0"
    conditions = {
        CACHED: f"{cached} is not null",
        INPUT_ADDED: "false" if reading.input_excludes_cached else by_total,
        REASONING_ADDED: "false" if reading.output_excludes_reasoning else beside,
        REASONING_INSIDE: inside if reading.output_excludes_reasoning else "false",
        SPILLED: f"lower({text('spilled')}) not in ('false', '0', 'no')",
    }
    known = {
        "cached_input_tokens": (CACHED,),
        "cache_rate": (CACHED,),
        "total_tokens": (INPUT_ADDED, REASONING_ADDED, REASONING_INSIDE),
        "spilled": (SPILLED,),
    }
    possible = {flag for field, flags in known.items() if field in fields for flag in flags}
    asked = [
        f"case when {condition} then {flag} else 0 end" for flag, condition in conditions.items() if flag in possible
    ]
    flags = " | ".join(asked) or "0"
    second = f"select *, {all_input} as t_input, o + {added} as t_output, {flags} as flagged from ({first})"
    nothing = "(t_input is null or t_output is null or (t_input = 0 and t_output = 0))"
    given = [field for field in NUMBERS if field in fields]
    not_whole = "g_{0} and (n_{0} is null or n_{0} <> floor(n_{0}) or n_{0} > " + f"{LARGEST})"
    beyond = outside("t_us", reading.window)
    says_so = "false" if reading.coded else f"lower({text('status')}) in {FAILED}"
    failed = f"coalesce(status_code >= 400, {says_so}, false)"
    no_tokens = [("t_input is null or t_output is null", NO_TOKENS)]
    if "status" in fields:
        no_tokens = [
            (f"{nothing} and coalesce(status_code = 429, false)", UNSIZED),
            (f"{nothing} and {failed}", FAILED_CALL),
            *no_tokens,
        ]
    rules = [
        ("not f_whole", UNREADABLE_ROW),
        *reading.rules,
        ("t_us is null and t_text is null", NO_TIME),
        (f"t_us < 0 or t_us >= {LATEST_US}", UNREADABLE_TIME),
        (beyond, OUTSIDE),
        (" or ".join(f"({not_whole.format(field)})" for field in given) or "false", UNREADABLE_NUMBER),
        (" or ".join(f"coalesce(n_{field} < 0, false)" for field in given) or "false", NEGATIVE),
        *no_tokens,
        *reading.late_rules,
        ("some_cached + some_written > t_input", CACHED_ABOVE_INPUT),
        ("some_reasoning > t_output" if "reasoning_tokens" in fields else "false", REASONING_ABOVE_OUTPUT),
    ]
    needed = ("input_tokens", "output_tokens")
    whole = "n_{0} between 0 and " + f"{LARGEST} and n_{{0}} = floor(n_{{0}})"
    if reading.whole:
        numbers = [f"n_{field} is not null" for field in given if field in needed]
    else:
        numbers = [
            whole.format(field) if field in needed else f"(not g_{field} or ({whole.format(field)}))" for field in given
        ]
    plain = [
        "f_whole",
        f"t_us between 0 and {LATEST_US - 1}",
        *numbers,
        "t_input + t_output > 0",
        "some_cached + some_written <= t_input",
        *(["some_reasoning <= t_output"] if "reasoning_tokens" in fields else []),
        *(f"not ({condition})" for condition, _ in (*reading.rules, *reading.late_rules)),
        *([f"not ({beyond})"] if beyond != "false" else []),
    ]
    return _Values(second, " and ".join(plain), rules)
