"""Columns of a log that is being recognised: which are there, which a user named, which were meant, which are not used."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ptucalc.catalog import nearest
from ptucalc.errors import Problem, visible
from ptucalc.log_records import KeyPath, Place, Shape, normalise

__all__ = ["beside", "columns_of", "duration_unit", "lacking", "once", "overrides", "places_of", "unused"]

NAMES_SHOWN = 12


def lacking(
    required: Iterable[str], aliases: Mapping[str, Sequence[KeyPath]], places: Mapping[str, object], shape: Shape
) -> list[Problem]:
    """The problem of each required value that no column holds, with the columns that may have been meant."""
    seen = columns_of(shape)
    problems = []
    for name in (name for name in required if name not in places):
        what = "time stamps" if name == "timestamp" else name.replace("_", " ")
        near = _near(aliases[name], seen)
        expected = f"a column of {what}, such as {_such_as(aliases[name])}{near}, or --map {name}=COLUMN"
        expected += f"; there are: {_listed(seen)}" if seen else ""
        if "total_tokens" in places and name != "timestamp":
            expected += "; total tokens alone do not say how many are output (--output-share 20% does)"
        problems.append(Problem(name, "no such column" if seen else "no columns", expected))
    return problems


def overrides(
    given: Mapping[str, str], shape: Shape, fields: Collection[str]
) -> tuple[dict[str, tuple[Place, ...]], list[Problem]]:
    """The places that a user names, and what is wrong with them."""
    places: dict[str, tuple[Place, ...]] = {}
    problems: list[Problem] = []
    columns = columns_of(shape)
    for name, heading in given.items():
        if name not in fields:
            near = " or ".join(nearest(name, fields))
            expected = f"a field: {near}?" if near else f"a field: {', '.join(fields)}"
            problems.append(Problem("map", name, expected, label=f"--map {name}={heading}"))
            continue
        exact = [raw for ways in shape.names.values() for raw in ways if ".".join(raw) == heading]
        path = KeyPath(exact[0]) if exact else KeyPath(tuple(heading.split(".")))
        where = shape.of_name(path.name)
        if exact:
            where = tuple(place for place in where if str(place) == heading)
        if not where:
            near = " or ".join(map(visible, nearest(heading, columns)))
            expected = f"a column of the file{f' ({near}?)' if near else ''}; there are: {_listed(columns)}"
            problems.append(Problem("map", heading, expected, label=f"--map {name}={heading}"))
        places[name] = where
    return places, problems


def places_of(shape: Shape, paths: Sequence[KeyPath]) -> tuple[Place, ...]:
    """The places of a value's ways: of those that the records show or begin, or (JSON) of all where they show none."""
    begun = [path for path in paths if shape.begins(path)] or paths
    return once(place for path in begun for place in shape.of_path(path))


def once(places: Iterable[Place]) -> tuple[Place, ...]:
    """Each place once, in order."""
    return tuple(dict.fromkeys(places))


def beside(places: Iterable[Place], paths: Iterable[KeyPath]) -> Iterator[Place]:
    """These ways beside each of the places: in the object that it is in."""
    for place in places:
        *outer, last = place.steps
        for path in paths:
            yield Place(place.column, (*outer, (*last[:-1], *path.keys)))


def columns_of(shape: Shape) -> list[str]:
    """Headings of a table, dotted keys of JSON records."""
    if shape.headings is not None:
        inner = [".".join(raw) for raw in shape.leaves if len(raw) > 1]
        return [heading for heading in shape.headings if heading.strip()] + inner
    return [".".join(raw) for raw in shape.leaves]


def unused(shape: Shape, used: set[Place]) -> Iterator[str]:
    """Columns, or keys of JSON records, that no value is read from."""
    if shape.headings is not None:
        columns = {place.column for place in used}
        yield from (heading for heading in shape.headings if heading.strip() and heading not in columns)
        return
    taken = set(map(str, used))
    yield from (name for name in columns_of(shape) if name not in taken)


def _such_as(paths: Sequence[KeyPath]) -> str:
    return " or ".join(path.name for path in paths[:2])


def _near(paths: Sequence[KeyPath], columns: Sequence[str]) -> str:
    near = dict.fromkeys(column for path in paths for column in nearest(path.name, columns, most=1))
    return f" ({' or '.join(map(visible, [*near][:3]))}?)" if near else ""


def _listed(columns: Sequence[str]) -> str:
    more = len(columns) - NAMES_SHOWN
    shown = ", ".join(visible(column[:40]) for column in columns[:NAMES_SHOWN])
    return (f"{shown} and {more} more" if more > 0 else shown) or "none"


def duration_unit(places: Mapping[str, tuple[Place, ...]]) -> str | None:
    """The unit that the name of a duration says."""
    words = normalise(str(places["duration"][0])).split("_") if "duration" in places else []
    return "ms" if "ms" in words or "milliseconds" in words else "s" if {"s", "sec", "seconds"} & {*words} else None
