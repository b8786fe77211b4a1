"""A whole benchmark: a client opened, the load played, Ctrl-C heard, the emulator asked for its utilization."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ptucalc.bench_prompts import PromptMaker
from ptucalc.bench_samples import Sample, Spread
from ptucalc.bench_schedule import Load
from ptucalc.catalog import Unknown
from ptucalc.measure.client import Caller, Clients
from ptucalc.measure.metrics import utilization_of, whole_minutes
from ptucalc.measure.run import Limits, Played, Run
from ptucalc.measure.target import Target

__all__ = ["Session", "Tick", "play"]

TICK_SECONDS = 0.5
METRICS_SECONDS = 2.0

Tick = Callable[[Run], None]


class Session(NamedTuple):
    """What was played, and the utilization that the emulator told meanwhile (Unknown with the reason where none)."""

    played: Played
    utilization: Spread | Unknown


def play(
    load: Load,
    limits: Limits,
    target: Target,
    prompts: PromptMaker,
    *,
    max_retries: int,
    timeout_us: int,
    warm_up_us: int,
    watch: Callable[[Sample], None],
    tick: Tick | None,
) -> Session:
    """Play the load. `tick` is called twice a second (not at all if None). The first Ctrl-C stops it with what it has."""

    async def whole() -> Session:
        timeout_seconds = timeout_us / 1e6
        async with Clients(target, timeout_seconds=timeout_seconds) as clients:
            caller = Caller(
                clients,
                target,
                prompts,
                now_us=lambda: run.now_us(),
                max_retries=max_retries,
                timeout_us=timeout_us,
            )
            run = Run(load, limits, caller.call, watch)
            begun = datetime.now(UTC)
            besides = [asyncio.create_task(_ticking(run, tick))] if tick is not None else []
            with _stopping_at_interrupt(run):
                try:
                    played = await run.play()
                finally:
                    for task in besides:
                        task.cancel()
                    await asyncio.gather(*besides, return_exceptions=True)
            first, last = (begun + timedelta(microseconds=us) for us in (warm_up_us, played.until_us))
            minutes = whole_minutes(first, last)
            document = await _metrics(clients, target) if target.loopback and minutes[0] < minutes[1] else None
        return Session(played, _told(document, target, minutes))

    return asyncio.run(whole())


def _told(document: Any, target: Target, minutes: tuple[str, str]) -> Spread | Unknown:
    since, before = minutes
    seen = utilization_of(document, target.deployment, since=since, before=before)
    if seen:
        return Spread.of(seen)
    if target.loopback and since >= before:
        return Unknown(
            "no whole clock minute was measured, and it is told minute by minute: measure for 2 minutes or more"
        )
    if target.loopback:
        return Unknown("no /metrics.json of an emulator was found at the endpoint")
    return Unknown(
        "the service does not tell it in its answers (a header that some deployments send is not documented); Azure "
        "Monitor has it minute by minute: Provisioned-managed Utilization V2"
    )


async def _ticking(run: Run, tick: Tick) -> None:
    while True:
        tick(run)
        await asyncio.sleep(TICK_SECONDS)


async def _metrics(clients: Clients, target: Target) -> Any:
    """The emulator's metrics; None where it is none of ours."""
    import httpx

    try:
        with clients.one() as client:
            response = await client.get(f"{target.origin}/metrics.json", timeout=METRICS_SECONDS)
        return response.json() if response.status_code == 200 else None
    except (httpx.HTTPError, ValueError):
        return None


@contextmanager
def _stopping_at_interrupt(run: Run) -> Iterator[None]:
    """The first Ctrl-C stops the run; a second one is as without us."""
    loop = asyncio.get_running_loop()
    before: Any = None

    def stop(*_: object) -> None:
        signal.signal(signal.SIGINT, before or signal.default_int_handler)
        loop.call_soon_threadsafe(run.stop, "interrupt")

    try:
        before = signal.signal(signal.SIGINT, stop)
    except ValueError:  # not in the main thread: whoever runs this one hears Ctrl-C
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.default_int_handler)
