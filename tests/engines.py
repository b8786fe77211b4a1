"""The engines that replay buckets: plain Python, and what numba compiled, also where its numbers are made small."""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from ptucalc.bucket_engine import ArrayEngine, Engine, PlainEngine
from ptucalc.read.fast_engine import RowKernel


class NoFloats(ArrayEngine):
    """Levels are never small enough for floats."""

    exact_float = 0


@cache
def compiled() -> Engine:
    """The compiled engine, kept beside the tests' own byte code; skips where numba is not installed."""
    _keep_beside_the_tests()
    from ptucalc.read.fast_engine import compiled_engine

    engine = compiled_engine()
    assert engine is not None
    return engine


@cache
def compiled_row_kernel() -> RowKernel:
    """The compiled scan of rows, kept there too; skips where numba is not installed."""
    _keep_beside_the_tests()
    from ptucalc.read.fast_engine import compiled_rows

    kernel = compiled_rows()
    assert kernel is not None
    return kernel


def _keep_beside_the_tests() -> None:
    if find_spec("numba") is None:
        pytest.skip("numba is not installed")
    os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(__file__).parent / "__pycache__" / "numba"))


def of_kind(kind: str) -> Engine:
    """plain, compiled, or whole numbers (compiled without floats)."""
    if kind == "plain":
        return PlainEngine()
    engine = compiled()
    if kind == "compiled":
        return engine
    names = ("weigh", "most_in_flight", "count_lanes", "replay", "sum_chosen")
    return NoFloats({name: getattr(engine, name) for name in names})


KINDS = ("plain", "compiled", "whole numbers")
