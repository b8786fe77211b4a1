"""What runs the bucket's kernel: plain Python over lists, or the same functions compiled, over arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from ptucalc import bucket_kernel
from ptucalc.call_trace import Column

__all__ = ["ArrayEngine", "Engine", "Numbers", "PlainEngine"]

Numbers: TypeAlias = Sequence[int]


class Engine(Protocol):
    """The kernel's functions, and the columns they work on.

    `largest_whole` is the largest whole number that can be counted with; None for any. Levels go up to
    `largest_level`, in numbers of a kind that `levels` and `level_rows` make when they are told how large.
    """

    compiled: bool
    largest_whole: int | None
    weigh: Callable[..., tuple[int, int]]
    most_in_flight: Callable[..., int]
    count_lanes: Callable[..., None]
    replay: Callable[..., tuple[int, int]]
    sum_chosen: Callable[..., None]

    def column(self, values: Column) -> Column:
        """The values as a column."""

    def zeros(self, length: int) -> Column:
        """A column of zeros."""

    def table(self, columns: Sequence[Column], length: int) -> Any:
        """Columns as rows; `length` is theirs."""

    def levels(self, values: Sequence[int], largest: int) -> Any:
        """A column of levels, none of them ever over `largest`."""

    def level_rows(self, count: int, width: int, largest: int) -> Any:
        """Rows of zeros to calculate with in the same numbers."""

    def level(self, value: int, largest: int) -> Any:
        """One such number."""

    def where(self, flags: Column, flag: int) -> Column:
        """The places that have this flag."""

    def where_any(self, values: Column) -> Column:
        """The places that do not have 0."""

    def masked(self, values: Column, flags: Column, flag: int) -> Column:
        """The values where that flag is, else 0."""

    def taken(self, values: Column, places: Column) -> Column:
        """The values at those places."""

    def added(self, one: Column, two: Column, less: int) -> Column:
        """one + two - less, value by value."""

    def order(self, values: Column) -> Column:
        """The places of the values, ascending; of equal ones the first first."""

    def largest(self, values: Column) -> int:
        """The largest value; 0 for none."""

    def farthest(self, values: Column) -> int:
        """The value farthest from 0, without its sign; 0 for none."""

    def total(self, values: Column) -> int:
        """The sum."""

    def over_zero(self, values: Column) -> int:
        """The sum of the values over 0."""

    def listed(self, values: Any) -> list[int]:
        """As Python's whole numbers."""


class PlainEngine:
    """Plain Python, with whole numbers of any size."""

    compiled: bool = False
    largest_whole: int | None = None

    def __init__(self) -> None:
        self.weigh: Callable[..., tuple[int, int]] = bucket_kernel.weigh
        self.most_in_flight: Callable[..., int] = bucket_kernel.most_in_flight
        self.count_lanes: Callable[..., None] = bucket_kernel.count_lanes
        self.replay: Callable[..., tuple[int, int]] = bucket_kernel.replay
        self.sum_chosen: Callable[..., None] = bucket_kernel.sum_chosen

    def column(self, values: Column) -> Column:
        """The values as a list of Python's whole numbers."""
        return values.tolist() if hasattr(values, "tolist") else list(values)

    def zeros(self, length: int) -> Column:
        """A list of zeros."""
        return [0] * length

    def table(self, columns: Sequence[Column], length: int) -> Any:
        """Columns as rows."""
        return list(zip(*columns, strict=True)) if columns else [()] * length

    def levels(self, values: Sequence[int], largest: int) -> Any:
        """A list of them."""
        return list(values)

    def level_rows(self, count: int, width: int, largest: int) -> Any:
        """Lists of zeros."""
        return [[0] * width for _ in range(count)]

    def level(self, value: int, largest: int) -> Any:
        """The number itself."""
        return value

    def where(self, flags: Column, flag: int) -> Column:
        """The places that have this flag."""
        return [place for place, each in enumerate(flags) if each == flag]

    def where_any(self, values: Column) -> Column:
        """The places that do not have 0."""
        return [place for place, each in enumerate(values) if each]

    def masked(self, values: Column, flags: Column, flag: int) -> Column:
        """The values where that flag is, else 0."""
        return [value if each == flag else 0 for value, each in zip(values, flags, strict=True)]

    def taken(self, values: Column, places: Column) -> Column:
        """The values at those places."""
        return [values[place] for place in places]

    def added(self, one: Column, two: Column, less: int) -> Column:
        """one + two - less, value by value."""
        return [a + b - less for a, b in zip(one, two, strict=True)]

    def order(self, values: Column) -> Column:
        """The places of the values, ascending; of equal ones the first first."""
        return sorted(range(len(values)), key=values.__getitem__)

    def largest(self, values: Column) -> int:
        """The largest value; 0 for none."""
        return max(values, default=0)

    def farthest(self, values: Column) -> int:
        """The value farthest from 0, without its sign; 0 for none."""
        return max(map(abs, values), default=0)

    def total(self, values: Column) -> int:
        """The sum."""
        return sum(values)

    def over_zero(self, values: Column) -> int:
        """The sum of the values over 0."""
        return sum(value for value in values if value > 0)

    def listed(self, values: Any) -> list[int]:
        """As Python's whole numbers."""
        return list(values)


class ArrayEngine:
    """Compiled functions over arrays: 64-bit whole numbers, and levels as floats where these are exact.

    A float holds whole numbers up to 2^53 exactly, and processors calculate with several floats at once.
    """

    compiled: bool = True
    largest_whole: int | None = 2**63 - 1
    exact_float = 2**53

    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        """`functions` are those of `bucket_kernel`, by name."""
        import numpy

        self._numpy = numpy
        self.weigh = functions["weigh"]
        self.most_in_flight = functions["most_in_flight"]
        self.count_lanes = functions["count_lanes"]
        self.replay = functions["replay"]
        self.sum_chosen = functions["sum_chosen"]

    def column(self, values: Column) -> Column:
        """The values as an array, the same one where it is one already."""
        return self._numpy.ascontiguousarray(values, dtype="int64")

    def zeros(self, length: int) -> Column:
        """An array of zeros; memory is taken when it is written."""
        return self._numpy.zeros(length, dtype="int64")

    def table(self, columns: Sequence[Column], length: int) -> Any:
        """Columns as rows."""
        if not columns:
            return self._numpy.zeros((length, 0), dtype="int64")
        return self._numpy.stack(columns, axis=1)

    def _kind(self, largest: int) -> str:
        return "float64" if largest < self.exact_float else "int64"

    def levels(self, values: Sequence[int], largest: int) -> Any:
        """An array of floats where these are exact."""
        return self._numpy.array(values, dtype=self._kind(largest))

    def level_rows(self, count: int, width: int, largest: int) -> Any:
        """Rows of zeros, floats where these are exact."""
        return self._numpy.zeros((count, width), dtype=self._kind(largest))

    def level(self, value: int, largest: int) -> Any:
        """A float where it is exact."""
        return self._numpy.dtype(self._kind(largest)).type(value)

    def where(self, flags: Column, flag: int) -> Column:
        """The places that have this flag."""
        return self._numpy.flatnonzero(flags == flag)

    def where_any(self, values: Column) -> Column:
        """The places that do not have 0."""
        return self._numpy.flatnonzero(values)

    def masked(self, values: Column, flags: Column, flag: int) -> Column:
        """The values where that flag is, else 0."""
        return values * (flags == flag)

    def taken(self, values: Column, places: Column) -> Column:
        """The values at those places."""
        return values[places]

    def added(self, one: Column, two: Column, less: int) -> Column:
        """one + two - less, value by value."""
        return one + two - less

    def order(self, values: Column) -> Column:
        """The places of the values, ascending; of equal ones the first first."""
        return values.argsort(kind="stable")

    def largest(self, values: Column) -> int:
        """The largest value; 0 for none."""
        return int(values.max()) if len(values) else 0

    def farthest(self, values: Column) -> int:
        """The value farthest from 0, without its sign; 0 for none."""
        return max(int(values.max()), -int(values.min())) if len(values) else 0

    def total(self, values: Column) -> int:
        """The sum, exact: half the digits at a time."""
        return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())

    def over_zero(self, values: Column) -> int:
        """The sum of the values over 0."""
        return self.total(values[values > 0])

    def listed(self, values: Any) -> list[int]:
        """As Python's whole numbers."""
        return [int(value) for value in values]
