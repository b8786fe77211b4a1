"""Buckets of given sizes and depths: the calls counted on many at once, or replayed on one with all that happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple, overload

from ptucalc.bucket_engine import Engine, PlainEngine
from ptucalc.bucket_kernel import MINUTE_US, Completions, Events, Lanes, Tried, Weighing
from ptucalc.bucket_load import BucketLoad, Units, load_calls
from ptucalc.call_trace import CallTrace
from ptucalc.rounding import nearest_rank
from ptucalc.simulated_runs import Replay, TokenSums, Utilization, Waits

__all__ = ["LANES", "Bucket", "Buckets", "Counted", "Replayed"]

LANES = 64
"""So many buckets are replayed side by side: with more of them, each takes no less time."""

P99 = Fraction(99, 100)


class Bucket(NamedTuple):
    """A number of PTU, and how many microseconds of its drain the bucket holds."""

    ptu: int
    window_us: int


class Counted(NamedTuple):
    """What a bucket did with calls that try once: served some, with these tokens; minutes in which it refused any."""

    served: int
    tokens_served: TokenSums
    throttled_minutes: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Replayed:
    """What a bucket did, in detail. `levels` are by minute, in parts of `level_scale` of the capacity."""

    served: int
    throttled_429: int
    responses_429: int
    throttled_minutes: int
    tokens_served: TokenSums
    utilization: Utilization
    wait_ms: Waits
    levels: Sequence[int] = field(repr=False)
    level_scale: int
    minute_429: Sequence[int] = field(repr=False)
    replay: Replay | None = field(repr=False)


class Buckets:
    """Replays a trace on buckets. Where the engine's numbers could be too small, plain Python takes its place."""

    def __init__(self, trace: CallTrace, rule: Weighing, scale: int, tpm_per_ptu: int, engine: Engine) -> None:
        self._trace, self._rule, self._scale = trace, rule, scale
        self._tpm_per_ptu = tpm_per_ptu
        self._plain: BucketLoad | None = None
        self.load = load_calls(trace, rule, scale, engine) or self._in_plain_python()
        self.requests = len(trace)

    def _in_plain_python(self) -> BucketLoad:
        if self._plain is None:
            self._plain = load_calls(self._trace, self._rule, self._scale, PlainEngine())
            assert self._plain is not None  # its numbers are never too small
        return self._plain

    def _fitting(self, largest: int) -> BucketLoad:
        """The load, in numbers that hold one as large as this."""
        most = self.load.engine.largest_whole
        return self.load if most is None or largest <= most else self._in_plain_python()

    def count(self, buckets: Sequence[Bucket]) -> list[Counted]:
        """What each bucket serves when no call tries again."""
        found: list[Counted] = []
        for first in range(0, len(buckets), LANES):
            found += self._count(buckets[first : first + LANES])
        return found

    def _count(self, buckets: Sequence[Bucket]) -> list[Counted]:
        units = Units.of([bucket.ptu for bucket in buckets], self._tpm_per_ptu, self._scale)
        capacities = [drain * bucket.window_us for drain, bucket in zip(units.drains, buckets, strict=True)]
        largest, empties = self.load.largest_in_lanes(units, capacities)
        load = self._fitting(largest)
        engine, width = load.engine, len(buckets)
        lanes = Lanes(
            unit=engine.level(units.unit, largest),
            most_elapsed=empties,
            drain=engine.levels(units.drains, largest),
            capacity=engine.levels(capacities, largest),
            level=engine.levels([0] * width, largest),
            served=engine.levels([0] * width, largest),
            before=engine.levels([0] * width, largest),
            tokens_served=engine.level_rows(len(load.columns), width, largest),
            throttled_minutes=engine.zeros(width),
        )
        rows = 1 + engine.most_in_flight(load.calls, load.completions)
        completions = Completions(
            load.completions.finish,
            load.completions.call,
            slots=engine.zeros(len(load) if rows > 1 else 0),
            fits=engine.level_rows(rows, width, largest),
            free=engine.column(range(1, rows)),
        )
        engine.count_lanes(load.calls, completions, lanes)
        served, minutes = engine.listed(lanes.served), engine.listed(lanes.throttled_minutes)
        tokens = [engine.listed(row) for row in lanes.tokens_served]
        return [Counted(served[lane], load.sums([row[lane] for row in tokens]), minutes[lane]) for lane in range(width)]

    def replay(self, bucket: Bucket, max_retries: int, *, keep: bool = False) -> Replayed:
        """All that happens on one bucket; call by call only where `keep` asks for it."""
        units = Units.of([bucket.ptu], self._tpm_per_ptu, self._scale)
        drain = units.drains[0]
        capacity = drain * bucket.window_us
        load = self._fitting(self.load.largest_in_replay(units.unit, drain, capacity, max_retries))
        engine, length = load.engine, len(load)
        zeros = engine.zeros
        tried = Tried(zeros(length), zeros(length), zeros(length), zeros(load.minutes), zeros(load.minutes))
        in_flight = len(load.completions.finish)
        waiting = length if max_retries else 0
        events = Events(zeros(in_flight), zeros(in_flight), zeros(waiting), zeros(waiting))
        responses, throttled_minutes = engine.replay(
            load.calls, load.duration, units.unit, drain, capacity, max_retries, events, tried
        )
        sums = zeros(len(load.columns))
        engine.sum_chosen(tried.served, load.calls.tokens, sums)
        levels, scale = engine.listed(tried.levels), 2 * MINUTE_US * bucket.window_us
        return Replayed(
            served=engine.total(tried.served),
            throttled_429=len(engine.where_any(tried.refusals)),
            responses_429=responses,
            throttled_minutes=throttled_minutes,
            tokens_served=load.sums(engine.listed(sums)),
            utilization=_utilization(levels, scale),
            wait_ms=self._waits(engine, tried.wait_ms),
            levels=levels,
            level_scale=scale,
            minute_429=engine.listed(tried.responses_429),
            replay=self._replay(load, tried) if keep else None,
        )

    def _waits(self, engine: Engine, wait_ms: Any) -> Waits:
        """Over all requests, those that PTU never see included."""
        waited = engine.taken(wait_ms, engine.where_any(wait_ms))
        ranked = _AfterZeros(engine.taken(waited, engine.order(waited)), self.requests)
        return Waits(Fraction(engine.total(waited), self.requests), int(nearest_rank(ranked, P99)), int(ranked[-1]))

    def _replay(self, load: BucketLoad, tried: Tried) -> Replay:
        places = range(self.requests) if load.kept is None else load.engine.listed(load.kept)
        outcome, refusals, waits = [2] * self.requests, [0] * self.requests, [0] * self.requests
        columns = (load.engine.listed(column) for column in (tried.served, tried.refusals, tried.wait_ms))
        for place, served, refused, waited in zip(places, *columns, strict=True):
            outcome[place], refusals[place], waits[place] = 1 - served, refused, waited
        return Replay(outcome, refusals, waits)


def _utilization(levels: Sequence[int], scale: int) -> Utilization:
    ranked = sorted(levels)
    return Utilization(
        Fraction(sum(ranked), len(ranked) * scale),
        Fraction(nearest_rank(ranked, P99), scale),
        Fraction(ranked[-1], scale),
    )


class _AfterZeros(Sequence[int]):
    """Ascending values over 0 with zeros before them, so many in all."""

    def __init__(self, values: Any, length: int) -> None:
        self._values, self._zeros, self._length = values, length - len(values), length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(self._length))]
        place = range(self._length)[index]
        return 0 if place < self._zeros else int(self._values[place - self._zeros])
