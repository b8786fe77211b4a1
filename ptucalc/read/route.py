"""A route file (YAML) to a `Route`: strict, every problem at once, each with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path as FilePath
from typing import Any, NamedTuple, TypeVar

from ptucalc import exact
from ptucalc.arrivals import parse_duration
from ptucalc.catalog import Catalog, DeploymentType, Model, UnknownModel, nearest
from ptucalc.errors import BadInput, Problem
from ptucalc.read.files import read_text
from ptucalc.read.yaml_text import Path, Tree, read_yaml
from ptucalc.resolving import Resolver
from ptucalc.routing import MOST_BACKENDS, Backend, Outage, Provisioned, Retry, Route, Standard, WaitWhere
from ptucalc.standard_limits import RPM_WINDOWS_SECONDS
from ptucalc.timestamps import TimeLayout, parse_us
from ptucalc.workload import region

__all__ = ["Outages", "RouteFile", "read_outages", "read_route", "read_route_file", "read_route_text"]

_T = TypeVar("_T")

SCHEMA = "ptucalc.route-file/1"
LARGEST_WINDOW_SECONDS = 86_400
SECOND_US = 1_000_000
LARGEST_MS = 86_400_000
LARGEST_SEED = 2**63

_ROUTE = ("schema", "backends", "retry", "seed", "failover_ms")
_RETRY = (
    "attempts_per_backend",
    "attempts",
    "wait",
    "longest_wait_ms",
    "trip_on_retry_after",
    "trip_when_down_seconds",
)
_BOTH = ("name", "kind", "model", "deployment_type", "region", "priority", "weight", "down")
_OF_KIND = {"provisioned": ("ptu", "window_seconds"), "standard": ("tpm", "rpm", "rpm_window_seconds")}
_OUTAGE = ("from", "to")
_ZONE = re.compile(r"(Z|[+-]\d\d(:?\d\d)?)$", re.IGNORECASE)
"""Of a time of day; a date alone does not end so that `parse_us` takes it."""


class RouteFile(NamedTuple):
    """A route, and the file that says it."""

    route: Route
    tree: Tree

    def placed(self, problem: Problem) -> Problem:
        """A problem that only shows with the calls, with the place in the file that it is about, where it is about one."""
        if problem.field.partition("[")[0] not in _ROUTE:
            return problem
        found = _placed(self.tree, problem)
        return found._replace(label=problem.label or found.label)


def read_route(path: FilePath, catalog: Catalog) -> Route:
    """The route of a file; models and regions are looked up in the catalog. Raises BadInput with every problem."""
    return read_route_file(path, catalog).route


def read_route_file(path: FilePath, catalog: Catalog) -> RouteFile:
    """The same with the file, for problems that only show with the calls."""
    return _read(read_text(path), path.name, catalog)


def read_route_text(text: str, source: str, catalog: Catalog) -> Route:
    """The route of a text; `source` names it in messages."""
    return _read(text, source, catalog).route


def _read(text: str, source: str, catalog: Catalog) -> RouteFile:
    tree = read_yaml(text, source)
    if not isinstance(tree.value, dict):
        found = "" if tree.value is None else str(tree.value)
        raise BadInput([tree.problem((), found, "a mapping with backends", name="route")], lines=tree.lines)
    reader = _Reader(tree, catalog)
    route = reader.route()
    if route is None:
        raise BadInput(reader.in_order(), lines=tree.lines)
    return RouteFile(route, tree)


def _placed(tree: Tree, problem: Problem) -> Problem:
    """The problem with the place of its field, such as backends[0].model."""
    path: list[str | int] = []
    for part in problem.field.replace("[", ".[").split("."):
        path.append(int(part[1:-1]) if part.startswith("[") else part)
    return tree.problem(tuple(path), problem.found, problem.expected)


class Outages(NamedTuple):
    """When something is down, whether those times count from the start (both kinds may occur), and what is wrong."""

    outages: tuple[Outage, ...]
    relative: frozenset[bool]
    problems: tuple[Problem, ...]


def read_outages(tree: Tree, path: Path, entries: Any, catalog: Catalog) -> Outages:
    """The `down:` of another file: a list of {from: ..., to: ...} at this path."""
    reader = _Reader(tree, catalog)
    outages = reader._down(path, entries)
    return Outages(outages, frozenset(reader._clocks), tuple(reader.problems))


class _Time(NamedTuple):
    """A time of an outage, and whether it counts from the start of the calls."""

    us: int
    relative: bool


class _Reader:
    """Reads a tree; what is wrong with it is in `problems`."""

    def __init__(self, tree: Tree, catalog: Catalog) -> None:
        self._tree, self._catalog = tree, catalog
        self._resolver = Resolver(catalog)
        self.problems: list[Problem] = []
        self._clocks: set[bool] = set()

    def in_order(self) -> list[Problem]:
        """The problems as they stand in the file."""
        return sorted(dict.fromkeys(self.problems), key=lambda each: (each.line or 0, each.column or 0))

    def route(self) -> Route | None:
        """The route; None where something is wrong."""
        document = self._tree.value
        self._keys((), document, _ROUTE)
        if document.get("schema", SCHEMA) != SCHEMA:
            self._wrong(("schema",), document["schema"], SCHEMA)
        seed = self._value((), document, "seed", _whole(0, LARGEST_SEED), 0)
        failover_ms = self._value((), document, "failover_ms", _whole(0, LARGEST_MS), 0)
        retry = self._retry(document.get("retry"))
        entries = document.get("backends")
        backends: list[Backend | None] = []
        if not isinstance(entries, list) or not entries:
            self._wrong(("backends",), "" if entries == [] else entries, "a list of one or more backends")
        elif len(entries) > MOST_BACKENDS:
            self._wrong(("backends",), f"{len(entries):,} backends", f"at most {MOST_BACKENDS}")
        else:
            backends = [self._backend(("backends", index), entry) for index, entry in enumerate(entries)]
            self._names(entries)
        if len(self._clocks) > 1:
            expected = "all times of `down` alike: of day (2026-11-10T09:00Z), or since the start of the calls (90m)"
            self._wrong(("backends",), "both kinds", expected)
        if self.problems:
            return None
        try:
            return Route(
                backends=tuple(each for each in backends if each is not None),
                retry=retry,
                seed=seed,
                failover_ms=failover_ms,
                relative_clock=next(iter(self._clocks), None),
            )
        except BadInput as error:  # what only shows when the parts are put together
            self.problems += [_placed(self._tree, problem) for problem in error.problems]
            return None

    def _names(self, entries: list[Any]) -> None:
        """Each backend has a name of its own."""
        first: dict[str, int] = {}
        for index, entry in enumerate(entries):
            name = entry.get("name") if isinstance(entry, dict) else None
            if isinstance(name, str) and first.setdefault(name.strip().casefold(), index) != index:
                self._wrong(("backends", index, "name"), name, "a name that no other backend has")

    def _retry(self, entry: Any) -> Retry:
        if entry is None:
            return Retry()
        path: Path = ("retry",)
        if not isinstance(entry, dict):
            self._wrong(path, entry, f"a mapping of {', '.join(_RETRY)}")
            return Retry()
        self._keys(path, entry, _RETRY)
        seconds = self._value(path, entry, "trip_when_down_seconds", _whole(1, LARGEST_WINDOW_SECONDS), None)
        return Retry(
            attempts_per_backend=self._value(path, entry, "attempts_per_backend", _whole(1, 1001), 1),
            attempts=self._value(path, entry, "attempts", _whole(1, 10_000), None),
            wait=self._value(path, entry, "wait", _wait, WaitWhere.NEVER),
            longest_wait_ms=self._value(path, entry, "longest_wait_ms", _whole(0, LARGEST_MS), None),
            trip_on_retry_after=self._value(path, entry, "trip_on_retry_after", _flag, False),
            trip_when_down_ms=None if seconds is None else seconds * 1000,
        )

    def _backend(self, path: Path, entry: Any) -> Backend | None:
        if not isinstance(entry, dict):
            self._wrong(path, entry, "a mapping with name and kind")
            return None
        kind = self._value(path, entry, "kind", _kind, None, needed=True)
        self._keys(
            path, entry, (*_BOTH, *(_OF_KIND.get(kind or "") or (k for keys in _OF_KIND.values() for k in keys)))
        )
        model, version = self._value(path, entry, "model", self._model, (None, None))
        placed: dict[str, Any] = {
            "name": self._value(path, entry, "name", _name, "", needed=True),
            "model": model,
            "model_version": version,
            "deployment_type": self._value(path, entry, "deployment_type", DeploymentType.parse, None),
            "region": self._value(path, entry, "region", self._region if kind == "provisioned" else region, None),
            "priority": self._value(path, entry, "priority", _whole(0, 1000), 1),
            "weight": self._value(path, entry, "weight", _whole(1, 1_000_000), 1),
            "down": self._down((*path, "down"), entry.get("down")),
        }
        if kind == "provisioned":
            ptu = self._value(path, entry, "ptu", exact.positive, 1, needed=True)
            window_us = self._value(path, entry, "window_seconds", _window_us, LARGEST_WINDOW_SECONDS)
            if "window_seconds" not in entry:
                return Provisioned(ptu=ptu, **placed)
            return Provisioned(ptu=ptu, window_us=window_us, **placed)
        if kind is None:
            return None
        return Standard(
            tpm=self._value(path, entry, "tpm", exact.positive, None),
            rpm=self._value(path, entry, "rpm", exact.positive, None),
            rpm_window_seconds=self._value(path, entry, "rpm_window_seconds", _rpm_window, 1),
            **placed,
        )

    def _down(self, path: Path, entries: Any) -> tuple[Outage, ...]:
        if entries is None:
            return ()
        if not isinstance(entries, list):
            self._wrong(path, entries, "a list of {from: ..., to: ...}")
            return ()
        found = []
        for index, entry in enumerate(entries):
            here = (*path, index)
            if not isinstance(entry, dict):
                self._wrong(here, entry, "{from: ..., to: ...}")
                continue
            self._keys(here, entry, _OUTAGE)
            first, last = (self._value(here, entry, key, _time, None, needed=True) for key in _OUTAGE)
            if first is None or last is None:
                continue
            self._clocks |= {first.relative, last.relative}
            if first.relative == last.relative and last.us <= first.us:
                self._wrong((*here, "to"), entry["to"], "a time after `from`")
            found.append(Outage(first.us, last.us))
        return tuple(found)

    def _model(self, text: str) -> tuple[Model | None, str | None]:
        try:
            return self._catalog.find(text)
        except UnknownModel as error:
            raise ValueError(error.expected) from None

    def _region(self, text: str) -> str:
        found = region(text)
        for problem in self._resolver.bad_place(found):
            raise ValueError(problem.expected)
        return found

    def _value(
        self,
        path: Path,
        entry: Mapping[str, Any],
        key: str,
        read: Callable[[str], _T],
        instead: Any,
        *,
        needed: bool = False,
    ) -> Any:
        """The value of a key, read; `instead` where there is none, or what is there is wrong."""
        if key not in entry:
            if needed:
                self._wrong(path, "", f"a value for {key}", key=key)
            return instead
        value = entry[key]
        if not isinstance(value, str):
            self._wrong((*path, key), value, "a value" if value is None else "one value")
            return instead
        try:
            return read(value)
        except ValueError as error:
            self._wrong((*path, key), value, str(error))
        return instead

    def _keys(self, path: Path, entry: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in entry:
            if key not in known:
                near = nearest(key, known)
                expected = f"{' or '.join(near)}" if near else f"one of {', '.join(known)}"
                self.problems.append(self._tree.problem((*path, key), key, expected, key=True))

    def _wrong(self, path: Path, found: Any, expected: str, *, key: str = "") -> None:
        shown = found if isinstance(found, str) else "" if found is None else _kind_of(found)
        problem = self._tree.problem(path, shown, expected, name="route")
        self.problems.append(problem._replace(field=key or problem.field))


def _kind_of(found: object) -> str:
    return "a mapping" if isinstance(found, dict) else "a list"


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        plain = text.strip()
        if not (plain.isascii() and plain.isdecimal()) or len(plain) > 20 or not least <= int(plain) <= most:
            raise ValueError(f"a whole number, {least:,} to {most:,}")
        return int(plain)

    return read


def _wait(text: str) -> WaitWhere:
    try:
        return WaitWhere(text.strip().casefold())
    except ValueError:
        raise ValueError(f"one of {', '.join(WaitWhere)}") from None


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("true or false")
    return text == "true"


def _kind(text: str) -> str:
    if text not in _OF_KIND:
        raise ValueError(" or ".join(_OF_KIND))
    return text


def _name(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > 100:
        raise ValueError("a name of at most 100 characters")
    return text.strip()


def _window_us(text: str) -> int:
    expected = "seconds over 0, such as 60, at most a day"
    try:
        microseconds: Fraction = exact.amount(text) * SECOND_US
    except ValueError:
        raise ValueError(expected) from None
    if microseconds.denominator != 1 or not 0 < microseconds <= LARGEST_WINDOW_SECONDS * SECOND_US:
        raise ValueError(expected)
    return int(microseconds)


def _rpm_window(text: str) -> int:
    if text not in map(str, RPM_WINDOWS_SECONDS):
        raise ValueError(f"{' or '.join(map(str, RPM_WINDOWS_SECONDS))} seconds, over which Azure checks RPM")
    return int(text)


def _time(text: str) -> _Time:
    expected = "a time with its zone such as 2026-11-10T09:00Z, or one since the start of the calls such as 90m"
    plain = text.strip()
    if plain in ("0", "0s", "0m", "0h"):
        return _Time(0, True)
    try:
        return _Time(parse_duration(plain), True)
    except ValueError:
        pass
    try:
        if not _ZONE.search(plain):
            raise ValueError(expected)
        return _Time(parse_us(plain, TimeLayout("iso")), False)
    except ValueError:
        raise ValueError(expected) from None
