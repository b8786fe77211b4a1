"""The kernels of buckets and of rows, compiled where numba is installed; that is kept in the user's cache directory."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from types import FunctionType
from typing import Any, NamedTuple

from ptucalc import bucket_kernel
from ptucalc.bucket_engine import ArrayEngine, Engine, PlainEngine
from ptucalc.read import row_kernel
from ptucalc.read.user_folders import user_cache

__all__ = ["RowKernel", "compiled_engine", "compiled_rows", "engine_for"]

WORTH_COMPILING = 4_000_000
"""So many steps of calls take plain Python longer than numba takes to start."""

STEPS_PER_REPLAY = 10
"""A call that may retry, of one size, takes plain Python about as long as so many of those that are only counted."""

FUNCTIONS = ("drained", "_push", "_pop", "weigh", "most_in_flight", "count_lanes", "replay", "sum_chosen")
"""The kernel's functions, each after those that it calls."""


def engine_for(calls: int, counted: int, replayed: int = 0) -> Engine:
    """The engine that answers sooner for so many calls, sizes to count and sizes to replay one by one.

    The answers are the same. Plain Python where numba is not installed.
    """
    if calls * (counted + STEPS_PER_REPLAY * replayed) < WORTH_COMPILING:
        return PlainEngine()
    return compiled_engine() or PlainEngine()


@cache
def compiled_engine() -> Engine | None:
    """The compiled engine; None where numba is not installed or does not work here."""
    numba = _numba()
    return None if numba is None else ArrayEngine(_compiled(numba.njit))


class RowKernel(NamedTuple):
    """The functions of `row_kernel`, compiled or as they are."""

    scan_rows: Callable[..., tuple[int, int, int]]
    sum_minutes: Callable[..., None]
    sum_seconds: Callable[..., None]


@cache
def compiled_rows() -> RowKernel | None:
    """`row_kernel` compiled; None where numba does not work here, or could not keep it for the next time."""
    numba = _numba()
    if numba is None:
        return None
    try:
        return RowKernel(
            numba.njit([_types_of_a_scan(numba)], cache=True, nogil=True)(row_kernel.scan_rows),
            numba.njit(cache=True, nogil=True)(row_kernel.sum_minutes),
            numba.njit(cache=True, nogil=True)(row_kernel.sum_seconds),
        )
    except (RuntimeError, OSError):
        return None


def _types_of_a_scan(numba: Any) -> tuple[Any, ...]:
    """numba's types of what `scan_rows` is given.

    They are told because its words begin at any byte, which numba does not see: it would take them to be aligned.
    """
    import numpy

    data, numbers, small, names = (numpy.zeros(1, kind) for kind in ("uint8", "int64", "int32", "uint16"))
    rows = row_kernel.Rows(numbers, small, names, 0)
    others = (
        *(0, 0),
        row_kernel.Template._make([*[numbers] * 6, 0]),
        row_kernel.Names(*[numbers] * 5),
        row_kernel.Plain(*[0] * len(row_kernel.Plain._fields)),
        *(rows, rows),
        numbers,
    )
    words = numba.types.Array(numba.int64, 1, "A", aligned=False)
    return (numba.typeof(data), words, *map(numba.typeof, others))


def _numba() -> Any | None:
    """numba, which keeps what it compiles in the user's cache directory; None where it is not installed or does not work."""
    if find_spec("numba") is None:
        return None
    directory = user_cache("numba")
    if directory is not None and "numba" not in sys.modules:  # it looks there once, when it is imported
        os.environ.setdefault("NUMBA_CACHE_DIR", str(directory))
    try:
        import numba
    except (ImportError, OSError):  # a numba that does not fit this Python or numpy
        return None
    return numba


def _compiled(njit: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """The functions of the kernel, to be compiled when they are first called; they call one another compiled.

    The kernel's own functions stay as they are.
    """
    names = dict(vars(bucket_kernel))
    for name in FUNCTIONS:
        plain = vars(bucket_kernel)[name]
        copy = FunctionType(plain.__code__, names, name, plain.__defaults__)
        copy.__module__, copy.__qualname__ = plain.__module__, plain.__qualname__
        try:
            names[name] = njit(cache=True, nogil=True)(copy)
        except (RuntimeError, OSError):  # no directory that can be written: compiled anew each time
            names[name] = njit(nogil=True)(copy)
    return {name: names[name] for name in FUNCTIONS}
