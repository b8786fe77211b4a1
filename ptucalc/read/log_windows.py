"""The busiest sliding windows of a log, exact: sums of clock cells rule out almost all of it, calls settle the rest."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from ptucalc.catalog import TokenWeights
from ptucalc.demand_profile import DemandProfile
from ptucalc.read.log_sql import UNSIZED, USED, quoted
from ptucalc.read.log_store import CallStore
from ptucalc.request_log import Stream, WindowMaxima

__all__ = ["Group", "busiest_windows"]

SECOND_US = 1_000_000
WINDOWS = {60: (10, 1), 10: (5, 1), 1: ()}
"""Lengths of windows in seconds, and of the cells that each is narrowed down with, one after the other."""

CELLS = {5: 1, 10: 5, 60: 10}
"""Lengths of clock cells in seconds, and of those that they are added up from; those of one second come from calls."""

MOST_CASES = 40
"""Up to so many streams and bands are told apart call by call; more are looked up."""

CHUNK = 50_000

Group = Mapping[Stream, Mapping[int, TokenWeights]]


class _Weights(NamedTuple):
    """Weights of the calls of a stream and band, as integers over the group's denominator."""

    group: int
    stream: Stream
    band: int
    factors: tuple[int, int, int, int]
    unsized: Fraction


def busiest_windows(
    store: CallStore,
    groups: Sequence[Group],
    profiles: Mapping[Stream, DemandProfile],
    step_us: int | None,
) -> list[WindowMaxima]:
    """The busiest windows of each group of streams, in weighted tokens per minute.

    A window of length L holds the calls of [t, t + L) for any t. It lies within so many clock cells, whose sum is an
    upper bound: only cells where that bound reaches the best aligned window are looked at call by call. Throttled calls
    of unknown size weigh the mean call of their deployment. A window shorter than the finest step of the time stamps
    cannot be shown.
    """
    scales = [lcm(*(w.scaled[1] for bands in group.values() for w in bands.values())) for group in groups]
    weights = [
        each for number, group in enumerate(groups) for each in _weights(number, group, scales[number], profiles)
    ]
    thresholds = next(iter(profiles.values())).thresholds
    _make_cells(store, weights, profiles)
    wanted: dict[tuple[int, int], int] = {}
    for place, (seconds, cells) in enumerate(WINDOWS.items()):
        for second in _candidates(store, seconds, cells):
            wanted[second] = wanted.get(second, 0) | 1 << place
    best = _slide_over_calls(store, wanted, {(w.group, w.stream, w.band): w for w in weights}, thresholds)
    return [
        _maxima([best.get((number, seconds)) for seconds in WINDOWS], scales[number], step_us)
        for number in range(len(groups))
    ]


def _maxima(best: Sequence[int | Fraction | None], scale: int, step_us: int | None) -> WindowMaxima:
    lengths = list(WINDOWS)
    hidden = [length for length in lengths if step_us is not None and step_us > length * SECOND_US]
    shown = [
        None if value is None or length in hidden else Fraction(value) * 60 / (length * scale)
        for value, length in zip(best, lengths, strict=True)
    ]
    step = Fraction(step_us or 0, SECOND_US)
    why = f"time stamps come in steps of {float(step):g} s: nothing shorter can be seen" if hidden else ""
    minute, ten, one = shown
    return WindowMaxima(minute, ten, one, why)


def _weights(number: int, group: Group, scale: int, profiles: Mapping[Stream, DemandProfile]) -> Iterator[_Weights]:
    """The weights of a group's calls; for those of unknown size the mean of their deployment's others."""
    factors = {
        (stream, band): tuple(each * (scale // bottom) for each in tops[:4])
        for stream, bands in group.items()
        for band, (tops, bottom) in ((band, weights.scaled) for band, weights in bands.items())
    }
    sums: dict[str, tuple[int, int]] = {}
    for stream in group:
        total, calls = sums.get(stream.deployment, (0, 0))
        for row in profiles[stream].rows:
            if (stream, row.band) in factors:
                total += sum(map(int.__mul__, row.tokens, factors[stream, row.band]))
                calls += row.requests
        sums[stream.deployment] = (total, calls)
    for (stream, band), (one, two, three, four) in factors.items():
        total, calls = sums[stream.deployment]
        yield _Weights(number, stream, band, (one, two, three, four), Fraction(total, calls) if calls else Fraction(0))


def _band(thresholds: Sequence[int]) -> str:
    return " + ".join(f"(uncached::bigint + cached + written > {limit})::integer" for limit in thresholds) or "0"


def _make_cells(store: CallStore, weights: Sequence[_Weights], profiles: Mapping[Stream, DemandProfile]) -> None:
    """Tables of weighted tokens by group and second, ten seconds and minute: a lower and an upper bound."""
    store.run(
        """create or replace temp table weights (g integer, deployment varchar, model varchar, band integer, w1 bigint,
        w2 bigint, w3 bigint, w4 bigint, least bigint, most bigint)"""
    )
    columns = [
        [w.group for w in weights],
        [w.stream.deployment for w in weights],
        [w.stream.model for w in weights],
        [w.band for w in weights],
        *([w.factors[index] for w in weights] for index in range(4)),
        [_least(w) for w in weights],
        [_most(w) for w in weights],
    ]
    store.run(f"insert into weights select {', '.join('unnest(?)' for _ in columns)}", columns)
    relation = store.calls
    added_up = _added_up(store, weights)
    if added_up is None:
        query = _seconds(relation, weights, profiles)
    else:
        store.run(f"create or replace temp table others1 as {_seconds('rest', weights, profiles)}")
        query = f"""select g, t, a.low + coalesce(o.low, 0) as low, a.low + coalesce(o.high, 0) as high from {added_up} a
            left join others1 o using (g, t) union all select g, t, low, high from others1 anti join {added_up} using (g, t)"""
    store.run(f"create or replace temp table cells1 as {query}")
    for size, of in CELLS.items():
        store.run(
            f"""create or replace temp table cells{size} as select g, t // {size // of} as t, sum(low)::bigint as low,
            sum(high)::bigint as high from cells{of} group by all"""
        )


def _added_up(store: CallStore, weights: Sequence[_Weights]) -> str | None:
    """A relation of what the calls that are kept in arrays weigh by group and second; None where there are none, or they are in
    several groups. The others are in the relation `rest`."""
    if store.seconds_of is None or store.sums is None:
        return None
    lowest = [weight for weight in weights if weight.band == 0]
    weighing = {weight.stream: (weight.group, weight.factors) for weight in lowest}
    return store.seconds_of(weighing) if weighing and len(weighing) == len(lowest) else None


def _seconds(relation: str, weights: Sequence[_Weights], profiles: Mapping[Stream, DemandProfile]) -> str:
    """Weighted tokens of every group and second, from a relation of calls."""
    thresholds = next(iter(profiles.values())).thresholds
    unsized = any(profile.unsized for profile in profiles.values())
    t = f"us // {SECOND_US} as t"
    used = f"{relation} where mark in ({USED}, {UNSIZED})"
    band = f"{_band(thresholds)} as band"
    if len(weights) > MOST_CASES or len({(w.stream, w.band) for w in weights}) < len(weights):
        value = "uncached * w1 + cached * w2 + written * w3 + output * w4"
        return f"""select g, {t}, {_sums(value, "least", "most", unsized)} from (select coalesce(deployment::varchar, '')
            as deployment, coalesce(model::varchar, '') as model, us, mark, uncached, cached, written, output, {band}
            from {used}) join weights using (deployment, model, band) group by all"""
    of = _conditions(weights, profiles)
    group = " ".join(f"when {condition} then {weight.group}" for weight, condition in of)
    alike: dict[tuple[int, ...], list[str]] = {}
    for weight, condition in of:
        alike.setdefault(weight.factors, []).append(condition)
    sums = {
        factors: " + ".join(
            f"{column}::bigint * {factor}"
            for column, factor in zip(("uncached", "cached", "written", "output"), factors, strict=True)
            if factor
        )
        or "0::bigint"
        for factors in alike
    }
    if len(sums) == 1:
        (value,) = sums.values()
    else:
        value = " ".join(f"when {' or '.join(alike[factors])} then {sum}" for factors, sum in sums.items())
        value = f"case {value} end"
    least, most = (
        "case " + " ".join(f"when {condition} then {bound(weight)}" for weight, condition in of) + " end"
        for bound in (_least, _most)
    )
    return f"""select g, t, {_sums("value", "least", "most", unsized)} from (select case {group} end as g, {t}, mark,
        {value} as value, {least} as least, {most} as most from (select *, {band} from {used})) where g is not null
        group by all"""


def _conditions(weights: Sequence[_Weights], profiles: Mapping[Stream, DemandProfile]) -> list[tuple[_Weights, str]]:
    """Weights, each with how to tell the calls that they are for: by what is needed for it, and no more."""
    bands = {stream: {row.band for row in profile.rows} for stream, profile in profiles.items()}
    found = []
    for stream in dict.fromkeys(weight.stream for weight in weights):
        alike: dict[tuple[int, ...], list[_Weights]] = {}
        for weight in weights:
            if weight.stream == stream and weight.band in bands[stream]:
                alike.setdefault(weight.factors, []).append(weight)
        for those in alike.values():
            parts = [
                f"deployment = {quoted(stream.deployment)}"
                if stream.deployment
                else "coalesce(deployment::varchar, '') = ''"
            ]
            if sum(each.deployment == stream.deployment for each in profiles) > 1:
                parts.append(f"model = {quoted(stream.model)}" if stream.model else "coalesce(model::varchar, '') = ''")
            if len(those) < len(bands[stream]):
                parts.append(f"band in ({', '.join(str(each.band) for each in those)})")
            found.append((those[0], " and ".join(parts)))
    return found


def _least(weight: _Weights) -> int:
    return int(weight.unsized)


def _most(weight: _Weights) -> int:
    return int(weight.unsized) + (weight.unsized.denominator > 1)


def _sums(value: str, least: str, most: str, unsized: bool) -> str:
    """A lower and an upper bound of what calls weigh together; they differ by throttled calls of unknown size."""
    if not unsized:
        return f"sum({value})::bigint as low, low as high"
    low, high = (f"sum(case when mark = {UNSIZED} then {bound} else {value} end)::bigint" for bound in (least, most))
    return f"{low} as low, {high} as high"


def _candidates(store: CallStore, seconds: int, cells: Sequence[int]) -> set[tuple[int, int]]:
    """(group, second) of every clock second that the busiest window of this length may touch.

    The window begins with a call, in some cell; it holds at most that cell and the next ones that it can reach. Cells
    as long as the window are ruled out first, by pairs, then runs of shorter and shorter ones.
    """
    store.run(
        f"""create or replace temp table zones as with pairs as (select g, t, high + case when lead(t) over following = t + 1
        then lead(high) over following else 0 end as high, max(low) over (partition by g) as best from cells{seconds}
        window following as (partition by g order by t))
        select g, t from pairs where high >= best"""
    )
    before = seconds
    for cell in cells:
        parts, of = seconds // cell, before // cell
        store.run(
            f"""create or replace temp table zones as with near as (select distinct g, unnest(range(t, t + {seconds // before + 1})) as t from zones),
            inside as (select c.g, c.t, c.low, c.high from cells{cell} c semi join near n on n.g = c.g and n.t = c.t // {of}),
            sums as (select g, t, sum(low) over (partition by g order by t range between current row and {parts - 1}
            following) as low, sum(high) over (partition by g order by t range between current row and {parts} following)
            as high from inside),
            best as (select g, max(low) as best from sums group by g)
            select s.g, s.t from sums s join best using (g) semi join zones z on z.g = s.g and z.t = s.t // {of}
            where s.high >= best"""
        )
        before = cell
    return {
        (group, second + more) for group, second in store.run("select g, t from zones") for more in range(seconds + 1)
    }


def _slide_over_calls(
    store: CallStore,
    wanted: Mapping[tuple[int, int], int],
    weights: Mapping[tuple[int, tuple[str, str], int], _Weights],
    thresholds: Sequence[int],
) -> dict[tuple[int, int], int | Fraction]:
    """The busiest window of each group and length among the calls of these seconds, in parts of the group's scale.

    `wanted` are groups and seconds, each with a bit for every length that needs it.
    """
    store.run("create or replace temp table wanted (g integer, t bigint, bits integer)")
    ordered = [(group, second, bits) for (group, second), bits in sorted(wanted.items())]
    columns = [list(column) for column in zip(*ordered, strict=True)] or [[], [], []]
    store.run("insert into wanted select unnest(?), unnest(?), unnest(?)", columns)
    store.run(  # few calls, before names are looked at
        f"""create or replace temp table near_calls as select * from {store.calls} where us // {SECOND_US} in (select t from wanted)
        and mark in ({USED}, {UNSIZED})"""
    )
    query = f"""select g, us, bits, deployment, model, band, mark, uncached, cached, written, output from
        (select coalesce(deployment::varchar, '') as deployment, coalesce(model::varchar, '') as model, us, mark, uncached,
        cached, written, output, {_band(thresholds)} as band from near_calls)
        join weights using (deployment, model, band) join wanted w using (g) where w.t = us // {SECOND_US} order by g, us"""
    best: dict[tuple[int, int], int | Fraction] = {}
    before = None
    cursor = store.connection.execute(query)
    windows: list[tuple[int, int, deque[tuple[int, int | Fraction]]]] = []
    totals: list[int | Fraction] = []
    while rows := cursor.fetchmany(CHUNK):
        for group, us, bits, deployment, model, band, mark, *tokens in rows:
            if group != before:
                windows = [(seconds, seconds * SECOND_US, deque()) for seconds in WINDOWS]
                totals = [0] * len(windows)
                before = group
            weight = weights[group, (deployment, model), band]
            value = weight.unsized if mark == UNSIZED else sum(map(int.__mul__, tokens, weight.factors))
            for index, (seconds, length, kept) in enumerate(windows):
                if not bits >> index & 1:
                    continue
                kept.append((us, value))
                total = totals[index] + value
                while kept[0][0] <= us - length:
                    total -= kept.popleft()[1]
                totals[index] = total
                if total > best.get((group, seconds), -1):
                    best[group, seconds] = total
    return best
