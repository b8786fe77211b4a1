"""Log formats as data: which one a file has, told from its first records, and where each canonical value stands in it.

A format is an entry of data/formats.yaml; nothing here knows any of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

from ptucalc.errors import BadInput, Problem
from ptucalc.log_columns import beside, duration_unit, lacking, once, overrides, places_of, unused
from ptucalc.log_records import KeyPath, Shape, normalise, time_tag
from ptucalc.log_records import Place as Place  # whoever reads with a format reads at its places
from ptucalc.log_summary import summary_problems

__all__ = [
    "CANONICAL",
    "FormatBook",
    "Kind",
    "LogFormat",
    "Match",
    "Recognised",
    "RowFilter",
    "RowRule",
]

CANONICAL = (
    "timestamp",
    "deployment",
    "model",
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
    "max_tokens",
    "status",
    "duration",
    "request_id",
    "spilled",
    "bucket_seconds",
    "bucket_end",
    "requests",
    "throttled_requests",
    "cache_rate",
    "utilisation_pct",
)
"""What a log can say of a call or of a bucket, by the names that ptucalc uses."""

REQUIRED = ("timestamp", "input_tokens", "output_tokens")

Kind = Literal["requests", "buckets", "rate_stats", "no_tokens", "shapes", "summary"]
REFUSED = ("no_tokens", "shapes", "summary")


class Match(NamedTuple):
    """How a format is told: names that its first records have (all of one alternative, one of `any_of`) or lack.

    `words` are groups of which each must have a word in some name; `headless` is the number of cells of a table
    without headings, whose first row is numbers.
    """

    all_of: tuple[tuple[str, ...], ...] = ()
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    words: tuple[tuple[str, ...], ...] = ()
    headless: int | None = None

    def __call__(self, shape: Shape) -> bool:
        """Whether records of this shape have the format."""
        if not (self.all_of or self.words or self.headless):
            return False  # found in another way: by a header row further down
        names = shape.names
        if self.headless is not None:
            first = shape.headings or ()
            return len(first) == self.headless and all(map(_is_number, first[:2]))
        if self.all_of and not any(all(name in names for name in alternative) for alternative in self.all_of):
            return False
        if (self.any_of and not any(name in names for name in self.any_of)) or any(n in names for n in self.none_of):
            return False
        if self.words:
            spoken = {word for name in names for word in name.split("_")}
            return all(spoken & set(group) for group in self.words)
        return True


class RowRule(NamedTuple):
    """Rows told by one value: one of `values` (compared without case) or, where `absent`, none at all."""

    paths: tuple[KeyPath, ...]
    values: tuple[str, ...]
    absent: bool
    reason: str


class RowFilter(NamedTuple):
    """A `RowRule` in a file: the places of its value (the first that holds one wins)."""

    places: tuple[Place, ...]
    values: tuple[str, ...]
    absent: bool
    reason: str


@dataclass(frozen=True)
class LogFormat:
    """One format. `title` is what its users call it, `source` where its layout is known from (not, where unverified).

    `map` gives each canonical field its ways, the first that holds a value wins; with `generic_map`, names do.
    `timestamp_unit` (s_relative, ms_relative, s, ms, us, ns, ticks) and `duration_unit` (s, ms): None is told from the
    magnitude, or not known. Only rows of all `keep_rows` and of no `drop_rows` are calls; one whose field has the value
    in `failed_when` failed. `strip_prefix` is cut off deployments, `pattern` takes them out of a URL (its first group).
    `unique_id`: a request_id names one call (not a session or a trace). `hint` says what to do instead where the format
    cannot be sized from, `warning` what to know where it can. `reader` names the reader of a format that is not one
    record per row; its records are canonical already. `header_row` finds the headings of a table that begins with
    other rows, `column` takes such a heading apart.
    """

    id: str
    kind: Kind
    title: str
    source: str = ""
    match: Match = field(default_factory=Match)
    map: Mapping[str, tuple[KeyPath, ...]] = field(default_factory=dict)
    generic_map: bool = False
    timestamp_unit: str | None = None
    duration_unit: str | None = None
    bucket_seconds: int | None = None
    input_excludes_cached: bool = False
    input_excludes_cache_write: bool = False
    output_excludes_reasoning: bool = False
    keep_rows: tuple[RowRule, ...] = ()
    drop_rows: tuple[RowRule, ...] = ()
    failed_when: Mapping[str, int] = field(default_factory=dict)
    strip_prefix: str = ""
    pattern: str = ""
    unique_id: bool = False
    verified: bool = True
    hint: str = ""
    warning: str = ""
    notes: str = ""
    reader: str | None = None
    header_row: str = ""
    column: str = ""


@dataclass(frozen=True)
class Recognised:
    """A file's format, and where its values stand: of several places the first that holds a value wins, row by row.

    `time_tag` is the zone that the time's heading names ("UTC", "local" or ""); `unused` are columns or keys that no
    value is read from. `generic`: no format matched, names alone decided.
    """

    format: LogFormat
    places: Mapping[str, tuple[Place, ...]]
    keep_rows: tuple[RowFilter, ...] = ()
    drop_rows: tuple[RowFilter, ...] = ()
    time_tag: str = ""
    unused: tuple[str, ...] = ()
    generic: bool = False


@dataclass(frozen=True)
class FormatBook:
    """Every known format in the order they are tried, and what names mean where none matches.

    `aliases` are the ways that each canonical field is spelled; `later` those looked for though no early record shows
    them. `metrics` are the names of each measure, the first the one to ask for; `unknown_metrics` are names that
    queries use and no metric has. `shared_ids` are aliases of ids that several calls have. `wrappers` are keys under which a JSON document holds its records. `parse_json` gives
    what a JSON text holds, None where it is none.
    """

    formats: tuple[LogFormat, ...]
    aliases: Mapping[str, tuple[KeyPath, ...]]
    later: Mapping[str, tuple[KeyPath, ...]]
    metrics: Mapping[str, tuple[str, ...]]
    unknown_metrics: tuple[str, ...]
    shared_ids: tuple[str, ...]
    wrappers: tuple[str, ...]
    parse_json: Callable[[str], Any]

    @staticmethod
    def normalise(name: str) -> str:
        """A heading or dotted keys as names are compared."""
        return normalise(name)

    def recognise(
        self, records: Sequence[Mapping[str, Any]], *, headings: Sequence[str] | None, given: Mapping[str, str]
    ) -> Recognised:
        """The format of a file with these first records, and the place of every value.

        `headings` are those of a table, None for JSON records. `given` (a canonical field -> a heading, or dotted keys)
        overrules the format. Raises BadInput where time, input or output tokens are not found, where what is given is
        not there, or where the format says nothing about demand.
        """
        shape = Shape.of(records, headings=headings, parse_json=self.parse_json)
        named_places, problems = overrides(given, shape, CANONICAL)
        found = self.matching(shape)
        sized_by_hand = {"input_tokens", "output_tokens"} <= given.keys()
        if found and sized_by_hand and (found.kind in REFUSED or found.reader):
            found = None
        if found and found.kind in REFUSED:
            about = summary_problems(records) if found.kind == "summary" else ()
            raise BadInput([Problem("format", found.title, found.hint), *about, *problems])
        if found and found.reader and given:
            expected = "no --map: its values are where the format says (or map input_tokens and output_tokens yourself)"
            problems.append(Problem("map", found.title, expected))
        named = found is None or found.generic_map
        places = self._by_name(shape) if named else {}
        if found:
            places |= {name: places_of(shape, paths) for name, paths in found.map.items()}
        places = {name: where for name, where in {**places, **named_places}.items() if where}
        if not (found and found.reader):
            wanted = [name for name in REQUIRED if name not in given]
            problems += lacking(wanted, self.aliases, places, shape)
        if problems:
            raise BadInput(problems)
        chosen = found or LogFormat("generic", _kind(places), "columns told by their names", generic_map=True)
        if chosen.generic_map:
            chosen = replace(
                chosen, kind=_kind(places), duration_unit=duration_unit(places), unique_id=self._unique(places)
            )
        return _recognised(chosen, places, shape, generic=found is None)

    def matching(self, shape: Shape) -> LogFormat | None:
        """The first format that records of this shape have."""
        return next((each for each in self.formats if each.match(shape)), None)

    def header_row(self, rows: Sequence[Sequence[str]]) -> tuple[int, LogFormat] | None:
        """Where a table's headings stand whose first rows are about the export, and its format; None for other tables.

        The headings name metrics: `Processed Prompt Tokens (Sum), gpt-4o-ptu`.
        """
        for each in self.formats:
            if not each.header_row:
                continue
            for index, row in enumerate(rows[:20]):
                cells = [cell.strip().removeprefix("\ufeff") for cell in row if cell.strip()]
                if len(cells) < 2 or not re.search(each.header_row, cells[0], re.IGNORECASE):
                    continue
                columns = [found for cell in cells[1:] if (found := re.search(each.column, cell))]
                known = [found for found in columns if self.measure_of(found["metric"])]
                if any(
                    index or found["agg"] or found["dim"] or self._only_a_metric(found["metric"]) for found in known
                ):
                    return index, each
        return None

    def measure_of(self, metric: str) -> str | None:
        """What a metric measures: input_tokens, requests ...; None where it is nothing that is asked for.

        Names are compared without spaces and case.
        """
        return self._measures.get(_squashed(metric))

    @cached_property
    def _measures(self) -> dict[str, str]:
        return {_squashed(name): measure for measure, names in self.metrics.items() for name in names}

    def is_unknown_metric(self, metric: str) -> bool:
        """Whether queries ask for this metric though no source has it."""
        return self.measure_of(metric) is None and _squashed(metric) in map(_squashed, self.unknown_metrics)

    def _only_a_metric(self, metric: str) -> bool:
        return all(normalise(metric) != path.name for paths in self.aliases.values() for path in paths)

    def _by_name(self, shape: Shape) -> dict[str, tuple[Place, ...]]:
        """Where values stand by the names alone: in a table at the first name that is there, in JSON at each."""
        places: dict[str, tuple[Place, ...]] = {}
        for name, paths in self.aliases.items():
            hits = [where for path in paths if (where := shape.of_name(path.name))]
            if name == "request_id":
                own = [path for path in paths if path.name not in self.shared_ids]
                hits = [where for path in own if (where := shape.of_name(path.name))] or hits
            places[name] = once(place for where in (hits[:1] if shape.headings else hits) for place in where)
        if shape.headings is None:
            for name, paths in self.later.items():
                if not places.get(name):
                    near = beside(places["input_tokens"], paths)
                    places[name] = once((*near, *(place for path in paths for place in shape.of_path(path))))
        return places

    def _unique(self, places: Mapping[str, tuple[Place, ...]]) -> bool:
        """Whether the ids found by their names are of one call each."""
        where = places.get("request_id", ())
        return bool(where) and not any(normalise(str(place)).endswith(self.shared_ids) for place in where)


def _kind(places: Mapping[str, tuple[Place, ...]]) -> Kind:
    return "buckets" if {"requests", "bucket_seconds", "bucket_end"} & places.keys() else "requests"


def _recognised(
    found: LogFormat, places: Mapping[str, tuple[Place, ...]], shape: Shape, *, generic: bool
) -> Recognised:
    keep = tuple(RowFilter(places_of(shape, rule.paths), *rule[1:]) for rule in found.keep_rows)
    drop = tuple(RowFilter(places_of(shape, rule.paths), *rule[1:]) for rule in found.drop_rows)
    used = {place for where in places.values() for place in where}
    used |= {place for each in (*keep, *drop) for place in each.places}
    stamps = places.get("timestamp", ())
    return Recognised(
        format=found,
        places=places,
        keep_rows=keep,
        drop_rows=drop,
        time_tag=time_tag(stamps[0].column) if stamps else "",
        unused=() if found.reader else tuple(unused(shape, used)),
        generic=generic,
    )


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", text.strip(), re.ASCII) is not None


def _squashed(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())
