"""Calls of a log in an embedded database: loaded once, reduced to minutes, asked for their busiest windows.

Memory is bounded: what does not fit goes to a temporary folder, which is removed at the end. No extension is ever
downloaded, and only the files that were opened are read.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, pairwise, repeat
from math import gcd
from operator import add, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from ptucalc.demand_profile import MinuteSums
from ptucalc.read.log_sql import CACHED, DUPLICATE, FLAGS, MACROS, UNSIZED, USED
from ptucalc.request_log import Stream

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "BACK_MINUTES",
    "EXACT_IDS",
    "SAMPLED_SHARE",
    "SAMPLED_STAMPS",
    "CallStore",
    "EngineError",
    "PlainSums",
    "Totals",
    "Weighing",
    "back_if_sorted",
]

MEMORY = "1GB"
"""What the engine keeps in memory; more goes to the temporary folder."""

EXACT_IDS = 20_000_000
"""Up to so many calls with ids, duplicates are looked for among all of them; beyond, within a window of time."""

ID_WINDOW_SECONDS = 1800
MINUTE_US = 60_000_000
SAMPLED_STAMPS = 200_000
COMPARED_CALLS = 1_000_000
SAMPLED_SHARE = 61
"""Of the time stamps, those that this number (a prime, so that no clock's step favours some) divides are looked at."""
MANY_STEPS = 10
FEW_ROWS = 100
BACK_MINUTES = 5
BACK_US = BACK_MINUTES * MINUTE_US
MOST_GOING_BACK = 4
"""Where more than one row in so many goes back in time, the file is just not sorted."""

Weighing = tuple[int, Sequence[int]]
"""Of a stream: the group that its calls are in, and what an uncached, a cached, a written and an output token of them weigh."""

Progress = Callable[[float], None]
"""Told the share that is done, 0 to 1, now and then during a long query."""


class EngineError(Exception):
    """The engine could not run a query; the message is its own."""


class Totals(NamedTuple):
    """All rows of one mark. The times are the first and the last, and how many of them are on a whole minute."""

    rows: int
    input_tokens: int
    output_tokens: int
    first_us: int | None
    last_us: int | None
    whole_minutes: int
    with_cached: int
    cached_untold: int
    without_requests: int
    flagged: Mapping[int, int]

    def with_more(self, other: Totals) -> Totals:
        """These rows and others of the same mark."""
        firsts = [each.first_us for each in (self, other) if each.first_us is not None]
        lasts = [each.last_us for each in (self, other) if each.last_us is not None]
        return Totals(
            self.rows + other.rows,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            min(firsts, default=None),
            max(lasts, default=None),
            self.whole_minutes + other.whole_minutes,
            self.with_cached + other.with_cached,
            self.cached_untold + other.cached_untold,
            self.without_requests + other.without_requests,
            {flag: count + other.flagged[flag] for flag, count in self.flagged.items()},
        )


class PlainSums(NamedTuple):
    """Calls that were added up while they were read.

    By stream, columns of all minutes that have any: the minute since 1970, and its requests, uncached, cached, written and
    output tokens. `totals` are counts over all of them by name; times are the first and the last; `longest` is the longest
    prompt in tokens.
    """

    minutes: Mapping[Stream, Sequence[Sequence[int]]]
    totals: Mapping[str, int]
    first_us: int
    last_us: int
    longest: int


class CallStore:
    """An open database with the calls of one log. Close it, or use it in a with statement."""

    def __init__(self, progress: Progress | None = None) -> None:
        import duckdb

        self.folder = tempfile.mkdtemp(prefix="ptucalc-")
        self.progress = progress
        self.ids_in = "calls"
        self.sums: PlainSums | None = None
        """Of calls that are already added up. Those of them at one time stamp in `SAMPLED_SHARE` are then in the relation
        `sample`, the times of the first ones in `firsts`, and all other calls in `rest`."""
        self.seconds_of: Callable[[Mapping[Stream, Weighing]], str | None] | None = None
        """What those calls weigh by second, where they are kept; see `KeptCalls.seconds`."""
        self._completing: Callable[[], None] | None = None
        self.names_made = 0
        config: dict[str, Any] = {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_unsigned_extensions": "false",
            "temp_directory": self.folder,
            "memory_limit": MEMORY,
        }
        try:
            self.connection: duckdb.DuckDBPyConnection = duckdb.connect(":memory:", config=config)
            self.errors: tuple[type[Exception], ...] = (duckdb.Error,)
            for statement in ("set timezone = 'UTC'", "set enable_progress_bar = true"):
                self.connection.execute(statement)
            self.connection.execute("set enable_progress_bar_print = false")
            for macro in MACROS:
                self.connection.execute(macro)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def __enter__(self) -> CallStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def calls(self) -> str:
        """The relation of all calls. Raises BadInput where it was left until now, and the log has changed."""
        if self._completing is not None:
            self._completing()
            self._completing = None
        return "calls"

    def complete_later(self, complete: Callable[[], None], create: str) -> None:
        """Make the relation of all calls (SQL), and before it what it is made of, when it is asked for."""

        def completing() -> None:
            complete()
            self.run(create)

        self._completing = completing

    def next_number(self) -> int:
        """A number for names, another one each time."""
        self.names_made += 1
        return self.names_made

    def close(self) -> None:
        """Forget everything, and remove the temporary folder."""
        self.connection.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a query. Raises EngineError."""
        done = threading.Event()
        if self.progress:
            threading.Thread(target=self._watch, args=(done,), daemon=True).start()
        try:
            return self.connection.execute(query, list(values)).fetchall()
        except self.errors as error:
            raise EngineError(str(error)) from None
        finally:
            done.set()

    def _watch(self, done: threading.Event) -> None:
        assert self.progress
        while not done.wait(1):
            try:
                percent = self.connection.query_progress()
            except self.errors:
                return
            if percent > 0:
                self.progress(percent / 100)

    def totals(self) -> dict[int, Totals]:
        """What there is of each mark, counted in one go."""
        flags = ", ".join(f"count(*) filter ((flags & {flag}) > 0)" for flag in FLAGS)
        source = self.calls if self.sums is None else "rest"
        rows = self.run(
            f"""select mark, count(*), sum(uncached::bigint + cached + written), sum(output), min(us), max(us),
            count(*) filter (us % {MINUTE_US} = 0), count(*) filter (cached > 0),
            count(*) filter ((flags & {CACHED}) = 0 and uncached > 0), count(*) filter (requests = 0 and output > 0),
            {flags} from {source} group by mark"""
        )
        own = len(Totals._fields) - 1
        found = {}
        for mark, *counts in rows:
            flagged = dict(zip(FLAGS, counts[own:], strict=True))
            found[mark] = Totals._make([*counts[:own], flagged])
        if self.sums is not None:
            plain = _totals(self.sums)
            found[USED] = plain.with_more(found[USED]) if USED in found else plain
        return found

    def minutes(
        self, thresholds: Sequence[int], start: int, minute_us: int = MINUTE_US
    ) -> dict[Stream, list[MinuteSums]]:
        """Sums of every stream, minute (from the one at `start` on) and band, in that order."""
        plain = self.sums
        if plain is not None and (minute_us != MINUTE_US or plain.longest > min(thresholds, default=plain.longest)):
            plain = None
        bands = (
            " + ".join(
                f"(requests > 0 and uncached::bigint + cached + written > {limit} * requests)::integer"
                for limit in thresholds
            )
            or "0"
        )
        sums = [
            f"sum({column}) as {column}"
            for column in ("requests", "unsized", "uncached", "cached", "written", "output")
        ]
        query = f"""select coalesce(deployment::varchar, '') as name, coalesce(model::varchar, '') as of_model,
            {{}} from (select deployment, model, us // {minute_us} - {start} as minute, {bands} as band, {", ".join(sums)}
            from (select * replace (case when mark = {UNSIZED} then 0 else requests end as requests) from {self.calls if plain is None else "rest"})
            where mark in ({USED}, {UNSIZED}) group by all) order by name, of_model, minute, band"""
        columns = MinuteSums._fields
        try:  # 128 bits are never needed, and slow to hand over
            rows = self.run(query.format(", ".join(f"{column}::bigint" for column in columns)))
        except EngineError:
            rows = self.run(query.format(", ".join(f"{column}::hugeint" for column in columns)))
        found: dict[Stream, list[MinuteSums]] = {}
        for (deployment, model), those in groupby(rows, key=itemgetter(0, 1)):
            found[Stream(deployment, model)] = [MinuteSums._make(row[2:]) for row in those]
        return found if plain is None else _with_plain(found, plain, start)

    def clock_step_us(self) -> int | None:
        """The finest step of a coarse clock: where most calls share their stamp with another; None for a fine one."""
        source = self.calls if self.sums is None else "rest"
        times = f"select us from {source} where mark in ({USED}, {UNSIZED})"
        if self.sums is not None:
            times = f"from firsts union all {times}"
        stamps, calls, step = self.run(
            f"""select count(*), sum(n), min(us - before) from (select us, n, lag(us) over (order by us) as before
            from (select us, count(*) as n from ({times} limit {SAMPLED_STAMPS}) group by us))"""
        )[0]
        return None if calls is None or calls < 2 * stamps else step

    def step_of_rows_us(self) -> tuple[int | None, bool]:
        """The longest step of which all times between stamps are multiples, and whether most rows follow at that step.

        None with fewer than two stamps.
        """
        rows = self.run(f"select distinct us from {self.calls} where mark in ({USED}, {UNSIZED}) order by us")
        steps = [after - before for (before,), (after,) in pairwise(rows)]
        step = gcd(*steps)
        return step or None, len(steps) >= MANY_STEPS and 2 * steps.count(step) >= len(steps)

    def told_seconds(self) -> list[int]:
        """The lengths that buckets say they have."""
        rows = self.run(
            f"select distinct seconds from {self.calls} where mark in ({USED}, {UNSIZED}) and seconds is not null"
        )
        return sorted(int(seconds) for (seconds,) in rows)

    def going_back(self, times: str) -> int:
        """How many of some rows (SQL with a column us, in their order) are much earlier than the row before; 0 where rows are in no order at all."""
        back, rows = self.run(
            f"""select count(*) filter (where us - before < -{BACK_US}), count(*)
            from (select us, lag(us) over () as before from {times})"""
        )[0]
        return back_if_sorted(int(back), int(rows))

    def identical(self, rows: int) -> tuple[int, str]:
        """How many rows repeat another in time, deployment and all tokens.

        Where stamps are whole seconds, equal calls are nothing odd, unless a third of all rows repeat another.
        Of very many calls, those at one in `SAMPLED_SHARE` of the time stamps are looked at, which the text says.
        """
        sampled = rows > COMPARED_CALLS
        only = f"and us % {SAMPLED_SHARE} = 0" if sampled else ""
        columns = "us, deployment, model, uncached, cached, written, output"
        parts = ("sample", "rest") if sampled and self.sums is not None else (self.calls,)
        compared = " union all ".join(f"select {columns}, mark from {part}" for part in parts)
        fine, coarse = self.run(
            f"""select coalesce(sum(n - 1) filter (where us % 1000000 <> 0), 0), coalesce(sum(n - 1), 0)
            from (select us, count(*) as n from ({compared}) where mark = {USED} {only}
            and (output > 0 or uncached > 0 or cached > 0) group by {columns} having count(*) > 1)"""
        )[0]
        many = rows >= FEW_ROWS and coarse * (SAMPLED_SHARE if sampled else 1) * 3 >= rows
        found = coarse if many else fine
        if sampled:
            return int(found) * SAMPLED_SHARE, f"an estimate from one in {SAMPLED_SHARE} time stamps"
        return int(found), ""

    def drop_duplicates(self) -> str:
        """Mark all rows of an id but one as duplicates, keeping the first that has tokens; says how they were looked for."""
        count = int(self.run(f"select count(h1) from {self.calls}")[0][0])
        if not count:
            return ""
        windowed = count > EXACT_IDS
        window = ID_WINDOW_SECONDS * 1_000_000
        for shift in (0, window) if windowed else (None,):
            place = "" if shift is None else f", (us + {shift}) // {2 * window} as slot"
            also = "" if shift is None else f" and (calls.us + {shift}) // {2 * window} = seen.slot"
            self.run(
                f"""update {self.ids_in} as calls set mark = {DUPLICATE} from (select h1, h2, coalesce(min(rowid) filter (where mark = {USED}), min(rowid)) as first_row{place} from {self.ids_in}
                where h1 is not null and mark in ({USED}, {UNSIZED}) group by all having count(*) > 1) as seen
                where calls.h1 = seen.h1 and calls.h2 = seen.h2{also} and calls.rowid <> seen.first_row
                and calls.mark in ({USED}, {UNSIZED})"""
            )
        if windowed:
            return f"ids compared within {ID_WINDOW_SECONDS // 60} minutes ({count:,} of them)"
        return f"ids compared over all {count:,}"


def back_if_sorted(back: int, rows: int) -> int:
    """How many of some rows go back in time; 0 where so many do that they are in no order at all."""
    return back if back * MOST_GOING_BACK < rows else 0


def _totals(sums: PlainSums) -> Totals:
    """Totals of calls that were added up; each counts as one request."""
    told = sums.totals
    return Totals(
        rows=told["rows"],
        input_tokens=told["input"],
        output_tokens=told["output"],
        first_us=sums.first_us,
        last_us=sums.last_us,
        whole_minutes=told["whole_minutes"],
        with_cached=told["with_cached"],
        cached_untold=told["cached_untold"],
        without_requests=0,
        flagged={flag: told["cached_told"] if flag == CACHED else 0 for flag in FLAGS},
    )


_NO_MINUTES: Sequence[Sequence[int]] = ((),) * 6


def _with_plain(
    found: Mapping[Stream, Sequence[MinuteSums]], plain: PlainSums, start: int
) -> dict[Stream, list[MinuteSums]]:
    """Minutes of the rest, and of calls that were added up, which are all in band 0."""
    both = {}
    for stream in sorted({*found, *plain.minutes}):
        minutes, requests, *tokens = plain.minutes.get(stream, _NO_MINUTES)
        places = [minute - start for minute in minutes]
        added = list(map(MinuteSums, places, repeat(0), requests, repeat(0), *tokens))
        others = {(row.minute, row.band): row for row in found.get(stream, ())}
        if others:
            for row in added:
                other = others.get(row[:2])
                others[row[:2]] = row if other is None else MinuteSums(*row[:2], *map(add, row[2:], other[2:]))
            added = [others[at] for at in sorted(others)]
        both[stream] = added
    return both
