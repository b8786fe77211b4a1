"""The compiled kernel: where numba is not there, where nothing can be written, and when it pays."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from ptucalc import bucket_kernel
from ptucalc.read import fast_engine

from .engines import compiled

HAS_NUMBA = find_spec("numba") is not None
RUN = """
import sys
from ptucalc.call_trace import Call, CallTrace
from ptucalc.read.fast_engine import compiled_engine
engine = compiled_engine()
print(engine.most_in_flight.__class__.__name__, getattr(engine.sum_chosen, "_cache").__class__.__name__)
chosen, sums = engine.column([1, 0, 1]), engine.zeros(1)
engine.sum_chosen(chosen, engine.table([engine.column([5, 6, 7])], 3), sums)
print(sums.tolist(), sum(engine.sum_chosen.stats.cache_hits.values()))
"""


def in_a_process(**environment):
    """What RUN prints in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", RUN], env={**kept, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_little_work_is_done_in_plain_python_without_numba(monkeypatch):
    monkeypatch.setattr(fast_engine, "compiled_engine", lambda: pytest.fail("numba would be started"))
    assert not fast_engine.engine_for(10_000, 64, 5).compiled


def test_much_work_is_compiled(monkeypatch):
    engine = object()
    monkeypatch.setattr(fast_engine, "compiled_engine", lambda: engine)
    assert fast_engine.engine_for(100_000, 64) is engine
    assert fast_engine.engine_for(100_000, 0, 4) is engine
    assert fast_engine.engine_for(100_000, 0, 3) is not engine


def test_without_numba_it_is_plain_python(monkeypatch):
    monkeypatch.setattr(fast_engine, "find_spec", lambda name: None)
    fast_engine.compiled_engine.cache_clear()
    try:
        assert fast_engine.compiled_engine() is None
        assert not fast_engine.engine_for(10**9, 64).compiled
    finally:
        fast_engine.compiled_engine.cache_clear()


def test_the_kernel_itself_stays_plain_python():
    compiled()
    for name in fast_engine.FUNCTIONS:
        assert type(vars(bucket_kernel)[name]).__name__ == "function"


def test_every_function_of_the_kernel_is_compiled():
    functions = {name for name, value in vars(bucket_kernel).items() if type(value).__name__ == "function"}
    assert functions - {"Any", "NamedTuple"} == set(fast_engine.FUNCTIONS)


@pytest.mark.skipif(not HAS_NUMBA, reason="numba is not installed")
@pytest.mark.skipif(sys.platform == "win32", reason="the cache is elsewhere")
def test_what_was_compiled_is_kept_in_the_users_cache_directory(tmp_path):
    cache = {"XDG_CACHE_HOME": str(tmp_path)}
    assert in_a_process(**cache) == ["CPUDispatcher", "FunctionCache", "[12]", "0"]
    assert list((tmp_path / "ptucalc" / "numba").rglob("*.nbi"))
    assert in_a_process(**cache)[-1] == "1"


@pytest.mark.skipif(not HAS_NUMBA, reason="numba is not installed")
def test_the_users_own_directory_wins(tmp_path):
    in_a_process(NUMBA_CACHE_DIR=str(tmp_path / "mine"), XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert list((tmp_path / "mine").rglob("*.nbi"))
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("error", [RuntimeError("no locator available"), PermissionError("read-only")])
def test_where_nothing_can_be_written_it_is_compiled_and_not_kept(error):
    asked = []

    def njit(**options):
        asked.append(options)
        if options.get("cache"):
            raise error
        return lambda function: function

    functions = fast_engine._compiled(njit)
    assert asked == [{"cache": True, "nogil": True}, {"nogil": True}] * len(fast_engine.FUNCTIONS)
    assert functions["replay"].__globals__["drained"] is functions["drained"] is not bucket_kernel.drained


def test_a_home_that_is_a_file_does_not_matter(tmp_path):
    if not HAS_NUMBA:
        pytest.skip("numba is not installed")
    (tmp_path / "home").write_text("no directory")
    found = in_a_process(HOME=str(tmp_path / "home"), XDG_CACHE_HOME=str(tmp_path / "home" / "cache"))
    assert found[2] == "[12]"
