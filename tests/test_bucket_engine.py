"""Columns in plain Python and in arrays do the same."""

import pytest

from ptucalc.bucket_engine import PlainEngine

from .engines import of_kind

VALUES = [(7 * n * n + n // 3) % 10 - 3 for n in range(1000)]
FLAGS = [n * n // 7 % 2 for n in range(1000)]


@pytest.mark.parametrize("values", [VALUES, VALUES[:1], []])
def test_columns_are_the_same_in_arrays(values):
    plain, fast = PlainEngine(), of_kind("compiled")
    column, flags = fast.column(values), FLAGS[: len(values)]
    marks = fast.column(flags)
    assert fast.listed(fast.order(column)) == plain.order(values)  # ties too
    assert fast.listed(fast.where(marks, 1)) == plain.where(flags, 1)
    assert fast.listed(fast.where_any(column)) == plain.where_any(values)
    assert fast.listed(fast.masked(column, marks, 0)) == plain.masked(values, flags, 0)
    assert fast.listed(fast.taken(column, fast.where(marks, 1))) == plain.taken(values, plain.where(flags, 1))
    assert fast.listed(fast.added(column, marks, 5)) == plain.added(values, flags, 5)
    assert [fast.listed(row) for row in fast.table([column, marks], len(values))] == [
        list(row) for row in plain.table([values, flags], len(values))
    ]
    assert [len(row) for row in fast.table([], 2)] == [len(row) for row in plain.table([], 2)] == [0, 0]
    for name in ("largest", "farthest", "total", "over_zero"):
        assert getattr(fast, name)(column) == getattr(plain, name)(values)


def test_an_array_is_taken_as_it_is():
    fast = of_kind("compiled")
    column = fast.column(VALUES)
    assert fast.column(column) is column
    assert PlainEngine().column(column) == VALUES
    assert all(type(value) is int for value in PlainEngine().column(column))
