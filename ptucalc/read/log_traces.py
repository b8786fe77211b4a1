"""The calls of a log that was read, one by one: what a simulation replays."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from fractions import Fraction
from importlib.util import find_spec

from ptucalc.call_trace import CallTrace, Column
from ptucalc.demand_profile import DemandProfile
from ptucalc.read.log_sql import UNSIZED, USED, quoted
from ptucalc.read.log_store import CallStore
from ptucalc.request_log import LogSource, Stream

__all__ = ["trace_of"]

TOKENS = ("uncached", "cached", "written", "output")
OPTIONAL = ("max_tokens", "duration_us")
CHUNK = 100_000


def trace_of(
    store: CallStore,
    profiles: Mapping[Stream, DemandProfile],
    source: LogSource,
    *,
    every: bool,
    bands: Iterable[int] | None = None,
) -> CallTrace:
    """The calls of these streams in order of arrival, ties in the order of the log.

    The store was filled by a reading that keeps calls. A throttled call of unknown size gets the mean tokens of its
    deployment's calls, each class to the nearest whole token. `every` says that these are all streams;
    only calls of these `bands` (default: all) make the mean.
    """
    means = _mean_calls(profiles if bands is None else {key: each.only(bands) for key, each in profiles.items()})
    tokens = []
    for index, name in enumerate(TOKENS):
        known = "".join(f" when deployment = {quoted(each)} then {mean[index]}" for each, mean in means.items() if each)
        mean = f"case{known} else {means.get('', (0,) * len(TOKENS))[index]} end" if known else str(means[""][index])
        if not any(profile.unsized for profile in profiles.values()):
            tokens.append(f"{name}::bigint as {name}")
            continue
        tokens.append(f"(case when mark = {UNSIZED} then {mean} else {name} end)::bigint as {name}")
    kept = [f"coalesce({name}, -1)::bigint as {name}" for name in OPTIONAL]
    chosen = " or ".join(
        f"(coalesce(deployment::varchar, '') = {quoted(deployment)} and coalesce(model::varchar, '') = {quoted(model)})"
        for deployment, model in profiles
    )
    calls = f"from {store.calls} where mark in ({USED}, {UNSIZED}){'' if every else f' and ({chosen})'}"
    back = store.run(f"select count(*) from (select us < lag(us) over () as back {calls}) where back")[0][0]
    order = " order by us, part, place" if back else ""
    columns = _columns(store, f"select us as arrival_us, {', '.join([*tokens, *kept])} {calls}{order}")
    for name in OPTIONAL:
        if not len(columns[name]) or _largest(columns[name]) < 0:
            del columns[name]
    return CallTrace(**columns, relative_clock=source.relative_clock)


def _largest(column: Column) -> int:
    return int(column.max()) if hasattr(column, "dtype") else max(column)


def _mean_calls(profiles: Mapping[Stream, DemandProfile]) -> dict[str, tuple[int, ...]]:
    """The mean call of each deployment, in whole tokens by class."""
    found = {}
    for deployment in {stream.deployment for stream in profiles}:
        those = [profile for stream, profile in profiles.items() if stream.deployment == deployment]
        calls = sum((profile.sized for profile in those), Fraction(0))
        sums = [sum(tokens) for tokens in zip(*(profile.tokens() for profile in those), strict=True)]
        found[deployment] = tuple(round(total / calls) if calls else 0 for total in sums)
    return found


def _columns(store: CallStore, query: str) -> dict[str, Column]:
    """The columns of a query of whole numbers: numpy's where it is installed, which is far quicker."""
    cursor = store.connection.execute(query)
    if find_spec("numpy"):
        import numpy

        return {name: numpy.ma.getdata(column) for name, column in cursor.fetchnumpy().items()}
    assert cursor.description is not None
    columns = [array("q") for _ in cursor.description]
    while rows := cursor.fetchmany(CHUNK):
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            column.extend(values)
    return {each[0]: column for each, column in zip(cursor.description, columns, strict=True)}
