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


class _Layout(NamedTuple):
    """What is shown where there is so much room: letters of a name, those of a bar, and columns that are left out."""

    name: int
    bar: int
    without: frozenset[str] = frozenset()


_WIDE = _Layout(64, 20)
_SMALL = frozenset({"Left", "400", "Now"})
_LAYOUTS = (
    _Layout(64, 10),
    _Layout(24, 10),
    _Layout(24, 0),
    _Layout(16, 0),
    _Layout(16, 0, _SMALL),
    _Layout(16, 0, _SMALL | {"Calls"}),
    _Layout(12, 0, _SMALL | {"Calls", "Served", "Share"}),
)
"""For terminals that are not wide, the roomiest first: the first that fits is taken."""


def table_of(listed: list[DeploymentState], width: int) -> Table:
    """The deployments as a table for a terminal of so many columns. What never happened has no column.

    Where there is little room, names and bars get shorter and columns are left out, but never utilization, 429s and spills.
    """
    from rich.console import Console

    if width >= WIDE:
        return _table(listed, _WIDE, wide=True)
    measuring = Console(width=10 * WIDE, force_terminal=False)
    for layout in _LAYOUTS:
        table = _table(listed, layout, wide=False)
        spare = width - measuring.measure(table).maximum
        if spare >= 0:
            return _table(listed, layout._replace(name=layout.name + spare), wide=False)
    return table


def _table(listed: list[DeploymentState], layout: _Layout, *, wide: bool) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    columns: list[tuple[str, list[Text]]] = [
        ("Deployment", list(map(Text, _short([each.name for each in listed], layout.name))))
    ]
    if wide:
        columns.append(("What", [Text(each.what) for each in listed]))
    columns.append(("Utilization" if wide else "Use", [_bar(each.full, layout.bar) for each in listed]))
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
    columns = [(heading, cells) for heading, cells in columns if heading not in layout.without]
    table = Table(box=SIMPLE_HEAD, padding=(0, 1 if wide else 0), pad_edge=wide, collapse_padding=True)
    for heading, _ in columns:
        left = heading in ("Deployment", "What", "Utilization", "State") or (heading == "Use" and layout.bar > 0)
        table.add_column(heading, justify="left" if left else "right", no_wrap=True, overflow="ellipsis")
    for row in zip(*(cells for _, cells in columns), strict=True):
        table.add_row(*row)
    return table


def _short(names: list[str], most: int) -> list[str]:
    """Names in so many letters: the middle goes, or the beginning, where names would look alike without it.

    >>> _short(["production-chat-sweden", "production-code-sweden", "notes"], 15)
    ['…n-chat-sweden', '…n-code-sweden', 'notes']
    """
    end = (most - 1) // 2
    found = [name if len(name) <= most else f"{name[: most - 1 - end]}…{name[-end:]}" for name in names]
    for shown in {each for each in found if found.count(each) > 1}:
        alike = [place for place, each in enumerate(found) if each == shown]
        first, last = min(names[place] for place in alike), max(names[place] for place in alike)
        common = next(
            (at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first)
        )
        for place in alike:
            rest = names[place][max(0, common - 3) :]
            found[place] = f"…{rest}" if len(rest) < most else f"…{rest[: most - 2]}…"
    return found


def _bar(full: int | None, length: int) -> Text:
    from rich.text import Text

    if full is None:
        return Text("")
    done = min(length, full * length // 100)
    style = "red" if full >= 100 else "yellow" if full >= 80 else "cyan"
    return Text(f"{'█' * done}{'·' * (length - done)} {full:>3}%".lstrip(), style=style)
