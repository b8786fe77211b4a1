"""The calls of a log or of synthetic arrivals, one by one, in order of arrival: what the simulators replay."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from operator import gt, itemgetter
from typing import Any, NamedTuple, TypeAlias

__all__ = ["MICROSECONDS_PER_MINUTE", "Call", "CallTrace", "Column", "holds_any"]

MICROSECONDS_PER_MINUTE = 60_000_000

Column: TypeAlias = Any
"""Whole numbers side by side: array.array("q") or a numpy array of int64."""

_TOKENS = ("uncached", "cached", "written", "output")
_OPTIONAL = ("max_tokens", "duration_us")


class Call(NamedTuple):
    """One call: when it arrived, its tokens by class, the `max_tokens` it asked for, how long it took (None: unknown).

    `uncached`, `cached` and `written` (to the cache) are the prompt's tokens, each in exactly one of them.
    """

    arrival_us: int
    uncached: int
    output: int
    cached: int = 0
    written: int = 0
    max_tokens: int | None = None
    duration_us: int | None = None


@dataclass(frozen=True, eq=False)
class CallTrace:
    """Calls in order of arrival, column by column; calls that arrive together keep the order of the input.

    `arrival_us` counts microseconds since 1970-01-01 UTC, or since the start of a `relative_clock`. `max_tokens` and
    `duration_us` are -1 where a call does not say, None where no call does. Raises ValueError for columns that are not
    equally long, tokens below 0 and arrivals that do not ascend (`sorted_columns` puts them in order).
    """

    arrival_us: Column
    uncached: Column
    cached: Column
    written: Column
    output: Column
    max_tokens: Column | None = None
    duration_us: Column | None = None
    relative_clock: bool = False

    def __post_init__(self) -> None:
        for name, column in self._columns():
            if len(column) != len(self.arrival_us):
                raise ValueError(f"{name} has {len(column)} values, arrival_us {len(self.arrival_us)}")
            lowest = -1 if name in _OPTIONAL else 0
            if name != "arrival_us" and len(column) and _least(column) < lowest:
                raise ValueError(f"{name} is {lowest} or more, not {_least(column)}")
        if not _ascends(self.arrival_us):
            raise ValueError("calls are in order of arrival")

    def __len__(self) -> int:
        return len(self.arrival_us)

    @classmethod
    def of(cls, calls: Iterable[Call], *, relative_clock: bool = False) -> CallTrace:
        """The calls in order of arrival, in whatever order they come.

        >>> trace = CallTrace.of([Call(5_000_000, 100, 20), Call(0, 1, 2, max_tokens=16)], relative_clock=True)
        >>> trace.arrival_us.tolist(), trace.output.tolist(), trace.max_tokens.tolist(), trace.duration_us
        ([0, 5000000], [2, 20], [16, -1], None)
        """
        ordered = sorted(calls, key=itemgetter(0))  # stable
        known = {name: any(getattr(call, name) is not None for call in ordered) for name in _OPTIONAL}

        def column(name: str) -> Column | None:
            if not known.get(name, True):
                return None
            return array("q", (-1 if (value := getattr(call, name)) is None else value for call in ordered))

        for name in _OPTIONAL:
            if known[name] and any((getattr(call, name) or 0) < 0 for call in ordered):
                raise ValueError(f"{name} is 0 or more, or None")
        columns = {name: column(name) for name in ("arrival_us", *_TOKENS, *_OPTIONAL)}
        return cls(**columns, relative_clock=relative_clock)

    @classmethod
    def sorted_columns(cls, arrival_us: Column, *, relative_clock: bool = False, **columns: Column | None) -> CallTrace:
        """A trace of columns whose calls come in any order; the sort is stable. Names are those of the fields.

        >>> trace = CallTrace.sorted_columns(
        ...     array("q", [9, 3]), uncached=[1, 2], cached=[0, 0], written=[0, 0], output=[5, 6], relative_clock=True
        ... )
        >>> list(trace.arrival_us), list(trace.uncached)
        ([3, 9], [2, 1])
        """
        if not _ascends(arrival_us):
            order = _order(arrival_us)
            arrival_us = _taken(arrival_us, order)
            columns = {name: None if each is None else _taken(each, order) for name, each in columns.items()}
        return cls(arrival_us, relative_clock=relative_clock, **columns)

    def taken(self, indexes: Column) -> CallTrace:
        """Only the calls at these places, which ascend.

        >>> trace = CallTrace.of([Call(0, 7, 1), Call(1, 8, 1), Call(2, 9, 1)])
        >>> list(trace.taken([0, 2]).uncached)
        [7, 9]
        """
        return replace(self, **{name: _taken(column, indexes) for name, column in self._columns()})

    def between(self, since_us: int, until_us: int) -> CallTrace:
        """Only the calls that arrive from `since_us` on and before `until_us`."""
        from bisect import bisect_left

        first, after = bisect_left(self.arrival_us, since_us), bisect_left(self.arrival_us, until_us)
        return replace(self, **{name: column[first:after] for name, column in self._columns()})

    def later(self, by_us: Column) -> CallTrace:
        """The calls, each so many microseconds later, in their new order.

        >>> list(CallTrace.of([Call(0, 7, 1), Call(1, 8, 1)]).later([5, 0]).uncached)
        [8, 7]
        """
        arrival = array("q", (int(at) + int(more) for at, more in zip(self.arrival_us, by_us, strict=True)))
        columns = {name: column for name, column in self._columns() if name != "arrival_us"}
        return CallTrace.sorted_columns(arrival, relative_clock=self.relative_clock, **columns)

    @property
    def first_minute(self) -> int:
        """The clock minute of the first arrival, counted from 1970 or from the start of the clock."""
        return int(self.arrival_us[0]) // MICROSECONDS_PER_MINUTE

    @property
    def minutes(self) -> int:
        """Clock minutes from that of the first arrival to that of the last, idle ones included; 0 without calls."""
        if not len(self):
            return 0
        return int(self.arrival_us[-1]) // MICROSECONDS_PER_MINUTE - self.first_minute + 1

    def _columns(self) -> list[tuple[str, Column]]:
        names = ("arrival_us", *_TOKENS, *_OPTIONAL)
        return [(name, column) for name in names if (column := getattr(self, name)) is not None]


def holds_any(column: Column) -> bool:
    """Whether a column has a value that is not 0."""
    return bool(column.any()) if _is_numpy(column) else any(column)


def _is_numpy(column: Column) -> bool:
    return hasattr(column, "dtype")


def _least(column: Column) -> int:
    return int(column.min()) if _is_numpy(column) else min(column)


def _ascends(column: Column) -> bool:
    if _is_numpy(column):
        return bool((column[1:] >= column[:-1]).all())
    return not any(map(gt, column, islice(column, 1, None)))


def _order(column: Column) -> Column:
    if _is_numpy(column):
        return column.argsort(kind="stable")
    return sorted(range(len(column)), key=column.__getitem__)


def _taken(column: Column, indexes: Column) -> Column:
    return column[indexes] if _is_numpy(column) else array("q", map(column.__getitem__, indexes))
