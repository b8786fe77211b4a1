"""What the deployments are doing, as it happens: a table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import asyncio
from typing import IO, TYPE_CHECKING, NamedTuple

from ptucalc.routing import Provisioned
from ptucalc.serve.emulator import Emulator

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["DeploymentState", "plain_line", "states", "watch"]

MINUTE_US = 60_000_000
REFRESH_SECONDS = 0.25
LINE_SECONDS = 10


class DeploymentState(NamedTuple):
    """A deployment at a moment. `full` is its utilization in percent, None for a Standard one."""

    name: str
    what: str
    full: int | None
    calls: int
    served: int
    refused: int
    rejected: int
    left: int
    spilled: int
    in_flight: int
    tokens_this_minute: int


def states(emulator: Emulator) -> list[DeploymentState]:
    """All deployments now."""
    now = emulator.clock()
    found = []
    for place in emulator.rehearsal.places.values():
        backend, said = place.deployment.backend, place.statuses
        minute = place.minutes.get(now // MINUTE_US)
        if isinstance(backend, Provisioned):
            what = f"{place.deployment.model.name}, {backend.ptu:,} PTU"
        else:
            tpm = "" if backend.tpm is None else f", {backend.tpm:,} TPM"
            what = f"{place.deployment.model.name}, Standard{tpm}" + (
                "" if backend.rpm is None else f", {backend.rpm:,} RPM"
            )
        found.append(
            DeploymentState(
                name=place.name,
                what=what,
                full=None if place.bucket is None else int(100 * place.bucket.utilization(now)),
                calls=sum(said.values()) + place.in_flight,
                served=said.get(200, 0),
                refused=said.get(429, 0),
                rejected=said.get(400, 0),
                left=said.get(499, 0),
                spilled=place.spilled,
                in_flight=place.in_flight,
                tokens_this_minute=0 if minute is None else minute.prompt + minute.generated,
            )
        )
    return found


def plain_line(state: DeploymentState) -> str:
    """A deployment in one line of text."""
    full = "" if state.full is None else f" utilization {state.full}%,"
    spilled = f", {state.spilled:,} spilled" if state.spilled else ""
    rejected = f", {state.rejected:,} x 400" if state.rejected else ""
    gone = f", {state.left:,} left by their clients" if state.left else ""
    return (
        f"{state.name}:{full} {state.calls:,} calls, {state.served:,} served, {state.refused:,} x 429"
        f"{rejected}{spilled}{gone}, {state.in_flight:,} in flight"
    )


async def watch(emulator: Emulator, stream: IO[str]) -> None:
    """Shows the deployments until it is cancelled, and once more then."""
    if stream.isatty():
        await _live(emulator, stream)
    else:
        await _lines(emulator, stream)


async def _lines(emulator: Emulator, stream: IO[str]) -> None:
    before = states(emulator)
    try:
        while True:
            await asyncio.sleep(LINE_SECONDS)
            now = states(emulator)
            if [state.calls for state in now] != [state.calls for state in before]:
                _print(now, stream)
            before = now
    finally:
        _print(states(emulator), stream)


def _print(listed: list[DeploymentState], stream: IO[str]) -> None:
    stream.writelines(f"{plain_line(state)}\n" for state in listed)
    stream.flush()


async def _live(emulator: Emulator, stream: IO[str]) -> None:
    import os

    from rich.console import Console
    from rich.live import Live

    console = Console(file=stream, no_color=bool(os.environ.get("NO_COLOR")), highlight=False, markup=False)
    with Live(console=console, auto_refresh=False, transient=False) as live:
        try:
            while True:
                live.update(_table(states(emulator)), refresh=True)
                await asyncio.sleep(REFRESH_SECONDS)
        finally:
            live.update(_table(states(emulator)), refresh=True)


def _table(listed: list[DeploymentState]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD)
    for heading in ("Deployment", "What", "Utilization"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Calls", "Served", "429", "400", "Spilled", "In flight", "Tokens this minute"):
        table.add_column(heading, justify="right", no_wrap=True)
    for state in listed:
        full = Text("")
        if state.full is not None:
            bars = min(20, state.full // 5)
            style = "red" if state.full >= 100 else "yellow" if state.full >= 80 else "cyan"
            full = Text(f"{'█' * bars}{'·' * (20 - bars)} {state.full:>3}%", style=style)
        refused = Text(f"{state.refused:,}", style="yellow" if state.refused else "")
        table.add_row(
            Text(state.name),
            Text(state.what),
            full,
            f"{state.calls:,}",
            f"{state.served:,}",
            refused,
            f"{state.rejected:,}",
            f"{state.spilled:,}",
            f"{state.in_flight:,}",
            f"{state.tokens_this_minute:,}",
        )
    return table
