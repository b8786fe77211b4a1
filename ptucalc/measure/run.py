"""A load played against a caller: calls started on time, at most so many at once, until it is done or has to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from ptucalc.bench_samples import Outcome, Sample
from ptucalc.bench_schedule import Closed, Load, Planned

__all__ = ["HOPELESS", "Limits", "Played", "Run"]

HOPELESS = ("http_400", "http_401", "http_403", "http_404", "http_405", "http_422", "connect")
"""Failures of which the next call will have the same: so many in a row, without any success, end the benchmark."""

MOST_HOPELESS = 3

UNNAMED_WAIT_MS = 1000
"""How long a caller waits after a 429 that names no wait."""


class MakesCalls(Protocol):
    """Makes a call and says what became of it, also when it is cancelled; `may_send` is asked before each further try."""

    def __call__(self, planned: Planned, intended_us: int, may_send: Callable[[], bool], /) -> Awaitable[Sample]: ...


@dataclass(frozen=True, kw_only=True)
class Limits:
    """At most so many requests, tries among them, and so many calls at once."""

    requests: int
    at_once: int


@dataclass
class Played:
    """What was played: the calls, when their starts ended (microseconds from the beginning), and why.

    `held_back` calls waited for room, because as many were under way as may be at once.
    """

    samples: list[Sample] = field(default_factory=list)
    until_us: int = 0
    stopped_by: str = "done"
    held_back: int = 0


class Run:
    """Plays a load. `call` makes one call; `watch` sees each sample as it comes. Times are those of the event loop."""

    def __init__(
        self,
        load: Load,
        limits: Limits,
        call: MakesCalls,
        watch: Callable[[Sample], None] = lambda _: None,
    ) -> None:
        self.load, self.limits, self.call, self.watch = load, limits, call, watch
        self.played = Played()
        self.sent = 0
        self.begun = 0.0
        self._stop, self._all_started = asyncio.Event(), asyncio.Event()
        self._under_way: set[asyncio.Task[Any]] = set()
        self._throttled_step: int | None = None
        self._hopeless = 0
        self._any_served = False

    def now_us(self) -> int:
        """Microseconds since the load began."""
        return round((asyncio.get_running_loop().time() - self.begun) * 1e6)

    def stop(self, why: str) -> None:
        """Start no more calls, and give up those under way. The first reason counts."""
        if not self._stop.is_set():
            self.played.stopped_by = why
            self._stop.set()

    @property
    def under_way(self) -> int:
        """Calls that are waiting for an answer."""
        return len(self._under_way)

    def may_send(self) -> bool:
        """Whether one more request may be sent; counts it."""
        if self.sent >= self.limits.requests or self._stop.is_set():
            return False
        self.sent += 1
        return True

    async def play(self) -> Played:
        """Play it to its end; what is under way then is waited for, unless it was stopped."""
        self.begun = asyncio.get_running_loop().time()
        stopping = asyncio.create_task(self._stop.wait())
        try:
            async for planned, intended in self._starts(stopping):
                task = asyncio.create_task(self._one(planned, intended))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            self._all_started.set()
            while self._under_way and not self._stop.is_set():
                await asyncio.wait({*self._under_way, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if self.played.stopped_by in ("interrupt", "errors"):
                self.played.until_us = min(self.played.until_us or self.now_us(), self.now_us())
        finally:
            stopping.cancel()
            await asyncio.sleep(0)  # a call that has only just been started says what became of it, too
            left = list(self._under_way)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        return self.played

    async def _starts(self, stopping: asyncio.Task[Any]) -> AsyncIterator[tuple[Planned, int]]:
        """The calls when it is their time, with when they were to start; sets when the starts ended, and why."""
        most_at_once = self.load.concurrency or self.limits.at_once
        closed = isinstance(self.load, Closed)
        for planned in self.load.planned():
            if planned.at_us is not None:
                await self._sleep_until(planned.at_us, stopping)
                self.played.held_back += len(self._under_way) >= most_at_once
            while len(self._under_way) >= most_at_once and not self._stop.is_set() and not self._over(closed):
                left = max(0.0, (self.load.duration_us - self.now_us()) / 1e6) if closed else None
                waits = {*self._under_way, stopping}
                await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            now = self.now_us()
            if self._stop.is_set() or self._over(closed):
                break
            if self._throttled_step is not None and planned.step > self._throttled_step:
                self.played.stopped_by = "ramp"
                self.played.until_us = planned.at_us or now
                return
            if not self.may_send():
                self.played.stopped_by = "cap"
                self.played.until_us = now if planned.at_us is None else planned.at_us
                return
            yield planned, now if planned.at_us is None else planned.at_us
        else:
            await self._sleep_until(self.load.duration_us, stopping)
        self.played.until_us = min(self.now_us(), self.load.duration_us)

    def _over(self, closed: bool) -> bool:
        return closed and self.now_us() >= self.load.duration_us

    async def _sleep_until(self, at_us: int, stopping: asyncio.Task[Any]) -> None:
        while (left := at_us - self.now_us()) > 0 and not self._stop.is_set():
            await asyncio.wait({stopping}, timeout=left / 1e6)

    async def _one(self, planned: Planned, intended_us: int) -> None:
        sample = await self.call(planned, intended_us, self.may_send)
        self.played.samples.append(sample)
        if sample.refusals:
            step = self._throttled_step
            self._throttled_step = planned.step if step is None else min(step, planned.step)
        self._any_served = self._any_served or sample.outcome is Outcome.SERVED
        hopeless = sample.outcome is Outcome.FAILED and sample.error in HOPELESS
        self._hopeless = self._hopeless + 1 if hopeless else 0
        if self._hopeless >= MOST_HOPELESS and not self._any_served:
            self.stop("errors")
        self.watch(sample)
        if isinstance(self.load, Closed) and sample.outcome is Outcome.THROTTLED:
            await self._pause(sample)

    async def _pause(self, sample: Sample) -> None:
        """A caller whose call ended in a 429 calls again after its Retry-After: without, it would ask again at once, for ever."""
        named_ms = sample.refusals[-1].retry_after_ms
        wait_us = (UNNAMED_WAIT_MS if named_ms is None else named_ms) * 1000
        with suppress(TimeoutError):
            await asyncio.wait_for(self._all_started.wait(), timeout=wait_us / 1e6)
