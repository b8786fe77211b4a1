"""What the deployments are doing, as it happens: a table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from typing import IO, TYPE_CHECKING, NamedTuple

from ptucalc.rounding import Grid
from ptucalc.routing import Provisioned
from ptucalc.serve.emulator import Emulator

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

__all__ = ["DeploymentState", "gateway_line", "plain_line", "states", "table_of", "watch"]

SECOND_US, MINUTE_US = 1_000_000, 60_000_000
_WHOLE = Grid(1, 1)
REFRESH_SECONDS = 0.25
LINE_SECONDS = 10
WIDE = 120
"""From so many columns on, a terminal has room for what a deployment is, and for long bars."""


class DeploymentState(NamedTuple):
    """A deployment at a moment. `full` is its utilization in percent, None for a Standard one.

    `share` is of the calls that the gateway had served, in percent, None without a gateway; `condition` says what keeps
    calls away: down, out 12 s (of rotation).
    """

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
    unavailable: int = 0
    share: int | None = None
    condition: str = ""


def states(emulator: Emulator) -> list[DeploymentState]:
    """All deployments now."""
    now = emulator.clock()
    found = []
    shares, out = _of_gateway(emulator, now)
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
                unavailable=said.get(503, 0),
                share=shares.get(place.name),
                condition="down" if backend.is_down(now) else out.get(place.name, ""),
            )
        )
    return found


def _of_gateway(emulator: Emulator, now: int) -> tuple[dict[str, int], dict[str, str]]:
    """By backend: percent of the calls served that it took, and how long it is out of rotation."""
    if emulator.front is None:
        return {}, {}
    gateway = emulator.front.gateway
    served, names = sum(gateway.served), [place.name for place in gateway.places]
    shares = {
        name: round(Fraction(100 * count, max(1, served))) for name, count in zip(names, gateway.served, strict=True)
    }
    times = [gateway.out_for_us(index, now) for index in range(len(names))]
    out = {name: f"out {_WHOLE.round_up(left, SECOND_US):,} s" for name, left in zip(names, times, strict=True) if left}
    return shares, out


def gateway_line(emulator: Emulator) -> str:
    """The gateway in one line of text; empty where there is none."""
    if emulator.front is None:
        return ""
    gateway, said = emulator.front.gateway, emulator.front.gateway.statuses
    others = "".join(f", {count:,} x {status}" for status, count in sorted(said.items()) if status not in (200, 499))
    gone = f", {said[499]:,} left by their clients" if 499 in said else ""
    calls = sum(said.values()) + gateway.under_way
    waiting = f", {gateway.under_way:,} waiting" if gateway.under_way else ""
    return f"{gateway.name} (gateway): {calls:,} calls, {said.get(200, 0):,} served{others}{gone}{waiting}"


def plain_line(state: DeploymentState) -> str:
    """A deployment in one line of text."""
    full = "" if state.full is None else f" utilization {state.full}%,"
    spilled = f", {state.spilled:,} spilled" if state.spilled else ""
    rejected = f", {state.rejected:,} x 400" if state.rejected else ""
    gone = f", {state.left:,} left by their clients" if state.left else ""
    down = f", {state.unavailable:,} x 503" if state.unavailable else ""
    share = "" if state.share is None else f", {state.share}% of the gateway's"
    condition = f", {state.condition}" if state.condition else ""
    return (
        f"{state.name}:{full} {state.calls:,} calls, {state.served:,} served, {state.refused:,} x 429"
        f"{rejected}{down}{spilled}{gone}, {state.in_flight:,} in flight{share}{condition}"
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
                _print(emulator, stream)
            before = now
    finally:
        _print(emulator, stream)


def _print(emulator: Emulator, stream: IO[str]) -> None:
    lines = [gateway_line(emulator), *map(plain_line, states(emulator))]
    stream.writelines(f"{line}\n" for line in lines if line)
    stream.flush()


async def _live(emulator: Emulator, stream: IO[str]) -> None:
    import os

    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    console = Console(file=stream, no_color=bool(os.environ.get("NO_COLOR")), highlight=False, markup=False)

    def shown() -> Group:
        line = gateway_line(emulator)
        return Group(table_of(states(emulator), console.width), *([Text(f"  {line}")] if line else []))

    with Live(console=console, auto_refresh=False, transient=False) as live:
        try:
            while True:
                live.update(shown(), refresh=True)
                await asyncio.sleep(REFRESH_SECONDS)
        finally:
            live.update(shown(), refresh=True)


def table_of(listed: list[DeploymentState], width: int) -> Table:
    """The deployments as a table for a terminal of so many columns. What never happened has no column."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    wide = width >= WIDE
    columns: list[tuple[str, list[Text]]] = [("Deployment", [Text(each.name) for each in listed])]
    if wide:
        columns.append(("What", [Text(each.what) for each in listed]))
    bars = 20 if wide else 10
    columns.append(("Utilization" if wide else "Use", [_bar(each.full, bars) for each in listed]))
    numbers = (
        ("Calls", [each.calls for each in listed], True),
        ("Served", [each.served for each in listed], True),
        ("429", [each.refused for each in listed], True),
        ("400", [each.rejected for each in listed], False),
        ("503", [each.unavailable for each in listed], False),
        ("Spilled", [each.spilled for each in listed], False),
        ("Left", [each.left for each in listed], False),
        ("In flight" if wide else "Now", [each.in_flight for each in listed], True),
        ("Tokens this minute", [each.tokens_this_minute for each in listed], wide),
    )
    for heading, counts, always in numbers:
        if always or (any(counts) and not heading.startswith("Tokens")):
            style = "yellow" if heading in ("429", "503") else ""
            columns.append((heading, [Text(f"{count:,}", style=style if count else "") for count in counts]))
    if any(each.share is not None for each in listed):
        columns.append(("Share", [Text("" if each.share is None else f"{each.share}%") for each in listed]))
    if any(each.condition for each in listed):
        columns.append(("State", [Text(each.condition, style="red") for each in listed]))
    table = Table(box=SIMPLE_HEAD, padding=(0, 1 if wide else 0), pad_edge=wide, collapse_padding=True)
    for heading, _ in columns:
        names = heading in ("Deployment", "What", "Utilization", "Use", "State")
        table.add_column(
            heading,
            justify="left" if names else "right",
            no_wrap=True,
            overflow="ellipsis" if names else "fold",
            min_width=None if heading in ("Deployment", "What") else max(len(heading), 3),
        )
    for row in zip(*(cells for _, cells in columns), strict=True):
        table.add_row(*row)
    return table


def _bar(full: int | None, length: int) -> Text:
    from rich.text import Text

    if full is None:
        return Text("")
    done = min(length, full * length // 100)
    style = "red" if full >= 100 else "yellow" if full >= 80 else "cyan"
    return Text(f"{'█' * done}{'·' * (length - done)} {full:>3}%", style=style)
