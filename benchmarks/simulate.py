"""The leaky-bucket simulator: nanoseconds per request and candidate, and ratios to what one would write in plain Python.

    python benchmarks/simulate.py [--quick]

Counting replays a trace on 64 sizes side by side; its rival is the shortest loop over a bucket in Python, one size at a
time, without completions. Retries replay one size; their rival is a heap of events (heapq) in Python. The answers are
checked to agree. With numba: at most 3 ns per request and candidate, with and without completions, and retries at least
25 x the rival's speed; without it: counting at most 8 x the rival's time. CPU time, the median of some rounds. At last 10
million requests (a million with --quick) and 64 candidates end to end, from a Parquet file, in seconds of wall time.
"""

from __future__ import annotations

import argparse
import heapq
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ptucalc import load_catalog
from ptucalc.bucket_engine import Engine, PlainEngine
from ptucalc.bucket_load import weighing_of
from ptucalc.call_trace import Call, CallTrace
from ptucalc.read.fast_engine import compiled_engine
from ptucalc.simulating import LANES, Bucket, Buckets

MODEL = load_catalog().find("gpt-4.1")[0]
WINDOW_US = 10_000_000
RETRIES = 2
OUTPUT_US = 15_000
MEAN_GAP_US = 60_000
SIZES = [15 + 5 * lane for lane in range(LANES)]


def made(count: int, max_tokens: int | None) -> CallTrace:
    """Calls at random, a little more than the middle sizes hold; the same every time."""
    dice = random.Random(5)
    now, calls = 0, []
    for _ in range(count):
        now += round(dice.expovariate(1 / MEAN_GAP_US))
        output = dice.randrange(1, 500)
        calls.append(
            Call(now, dice.randrange(100, 3000), output, max_tokens=max_tokens, duration_us=output * OUTPUT_US)
        )
    return CallTrace.of(calls, relative_clock=True)


def buckets(trace: CallTrace, engine: Engine) -> Buckets:
    """The trace weighed for the model."""
    rule, scale = weighing_of(MODEL, trace)
    assert isinstance(MODEL.tpm_per_ptu, int)
    return Buckets(trace, rule, scale, MODEL.tpm_per_ptu, engine)


def timed(work: Callable[[], Any], rounds: int = 3) -> tuple[float, Any]:
    """CPU seconds, the median, and the answer."""
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        answer = work()
        taken.append(time.process_time() - start)
    return statistics.median(taken), answer


def weighed(trace: CallTrace) -> list[tuple[int, int, int, int]]:
    """Arrival, estimate, what completion changes, and when it completes, as a script would have them."""
    weight, most = int(MODEL.weights.output), trace.max_tokens or trace.output
    return [
        (at, prompt + weight * expected, weight * (output - expected), at + lasts)
        for at, prompt, output, expected, lasts in zip(
            trace.arrival_us, trace.uncached, trace.output, most, trace.duration_us, strict=True
        )
    ]


def bare_loop(calls: list[tuple[int, int, int, int]], drain: int, capacity: int, unit: int) -> int:
    """The shortest bucket: how many calls it serves, each at its estimate."""
    level = last = served = 0
    for now, estimate, _, _ in calls:
        level -= (now - last) * drain
        if level < 0:
            level = 0
        last = now
        if level < capacity:
            level += estimate * unit
            served += 1
    return served


def heap_of_events(calls: list[tuple[int, int, int, int]], drain: int, capacity: int, unit: int) -> tuple[int, int]:
    """Completions and retries with heapq: how many calls are served, and how many 429s there are."""
    events = [(call[0], 1, index, 0) for index, call in enumerate(calls)]  # ascending: a heap already
    level = last = served = refused = 0
    while events:
        now, kind, index, tries = heapq.heappop(events)
        level = max(0, level - (now - last) * drain)
        last = now
        arrival, estimate, change, finish = calls[index]
        if kind == 0:
            level = max(0, level + change * unit)
        elif level < capacity:
            level += estimate * unit
            served += 1
            heapq.heappush(events, (now + finish - arrival, 0, index, 0))
        else:
            refused += 1
            if tries < RETRIES:
                wait = max(1, -(-(level - capacity) // (drain * 1000)))
                heapq.heappush(events, (now + 1000 * wait, 2, index, tries + 1))
    return served, refused


def numbers(ptu: int) -> tuple[int, int, int]:
    """Drain, capacity and one weighted token in the same whole numbers."""
    drain = ptu * MODEL.tpm_per_ptu
    return drain, drain * WINDOW_US, 60_000_000


def shown(what: str, value: str, holds: bool) -> None:
    """One line, with the verdict."""
    print(f"{what:<62}{value:>24}  {'ok' if holds else 'MISSED'}")


def counting(trace: CallTrace, small: CallTrace, fast: Engine | None, what: str) -> None:
    """64 candidates in one pass."""
    sizes = [Bucket(ptu, WINDOW_US) for ptu in SIZES]
    if fast is not None:
        of = buckets(trace, fast)
        of.count(sizes)  # compiled now
        seconds, _ = timed(lambda: of.count(sizes), 5)
        each = seconds / len(trace) / LANES * 1e9
        shown(f"counting, {what}, compiled: at most 3 ns", f"{each:.2f} ns", each <= 3)
    plain = buckets(small, PlainEngine())
    seconds, counted = timed(lambda: plain.count(sizes))
    calls = weighed(small)
    bare, served = timed(lambda: [bare_loop(calls, *numbers(ptu)) for ptu in SIZES[:8]])
    if what == "no completions":
        assert served == [each.served for each in counted[:8]], "the two do not agree"
    ratio = (seconds / LANES) / (bare / 8)
    each, rival = seconds / len(small) / LANES * 1e9, bare / len(small) / 8 * 1e9
    shown(
        f"counting, {what}, plain Python: at most 8 x a bare loop",
        f"{each:.0f} / {rival:.0f} ns = {ratio:.1f} x",
        ratio <= 8,
    )


def retrying(trace: CallTrace, small: CallTrace, fast: Engine | None) -> None:
    """One size at a time, with retries and everything that a run tells."""
    calls = weighed(small)
    bucket = Bucket(SIZES[LANES // 2], WINDOW_US)
    rival, (served, refused) = timed(lambda: heap_of_events(calls, *numbers(bucket.ptu)))
    rival_ns = rival / len(small) * 1e9
    plain = buckets(small, PlainEngine())
    own, done = timed(lambda: plain.replay(bucket, RETRIES))
    assert (done.served, done.responses_429) == (served, refused), "the two do not agree"
    print(f"{'retries, plain Python, beside a heap of events':<62}{own / len(small) * 1e9:>14.0f} / {rival_ns:.0f} ns")
    if fast is not None:
        of = buckets(trace, fast)
        of.replay(bucket, RETRIES)
        seconds, _ = timed(lambda: of.replay(bucket, RETRIES))
        ratio = rival_ns / (seconds / len(trace) * 1e9)
        value = f"{seconds / len(trace) * 1e9:.0f} ns: {ratio:.0f} x"
        shown("retries, compiled: at least 25 x a heap of events", value, ratio >= 25)


def end_to_end(count: int, fast: Engine) -> None:
    """From a Parquet file to 64 candidates; the file is read as columns."""
    import duckdb
    import numpy

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "calls.parquet"
        rows = (
            "SELECT i * 60000 + hash(i) % 50000 AS arrival_us, 100 + hash(i + 7) % 2900 AS input, 1 + hash(i * 3) % 500 AS output, "
            f"(1 + hash(i * 3) % 500) * {OUTPUT_US} AS duration_us FROM range({count}) AS t(i)"
        )
        duckdb.sql(f"COPY (SELECT columns(*)::BIGINT FROM ({rows})) TO '{file}' (FORMAT parquet)")
        sizes = [Bucket(ptu, WINDOW_US) for ptu in SIZES]
        start = time.perf_counter()
        found = duckdb.connect().execute(f"SELECT * FROM '{file}'").fetchnumpy()
        columns = {name: numpy.ma.getdata(column) for name, column in found.items()}
        columns |= {"none": numpy.zeros(count, numpy.int64), "most": numpy.full(count, 1000, numpy.int64)}
        trace = CallTrace.sorted_columns(
            columns["arrival_us"],
            uncached=columns["input"],
            cached=columns["none"],
            written=columns["none"],
            output=columns["output"],
            max_tokens=columns["most"],
            duration_us=columns["duration_us"],
            relative_clock=True,
        )
        read = time.perf_counter() - start
        of = buckets(trace, fast)
        of.count(sizes)
        whole = time.perf_counter() - start
        print(
            f"{count:,} requests x {LANES} candidates from Parquet: {whole:.1f} s of wall time, "
            f"{read:.1f} of them reading; completions included"
        )


def main() -> None:
    """Time, compare, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    fast = compiled_engine()
    if fast is None:
        print("numba is not installed: plain Python only")
    large, small = (100_000, 5_000) if quick else (1_000_000, 20_000)
    for max_tokens, what in ((None, "no completions"), (1000, "completions")):
        counting(made(large if fast else small, max_tokens), made(small, max_tokens), fast, what)
    retrying(made(large if fast else small, 1000), made(small * 5, 1000), fast)
    if fast is not None:
        end_to_end(1_000_000 if quick else 10_000_000, fast)


if __name__ == "__main__":
    main()
