"""What is shown of the deployments while they run: a table on a terminal, lines elsewhere."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest

pytest.importorskip("starlette", reason="comes with ptucalc[emulate]")

from ptucalc.gateway import FrontDoor, backends_of
from ptucalc.routing import Outage, Provisioned, Retry, Route, Standard
from ptucalc.serve.emulator import Emulator
from ptucalc.serve.live import DeploymentState, gateway_line, plain_line, states, table_of, watch
from ptucalc.serve.served import ServedCall

from .emulating import ALDER, MINUTE, SECOND, Hand, emulator, provisioned, standard


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def body(letters: int) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "abcd" * letters}], "max_tokens": 100}


def routed() -> Emulator:
    """A gateway of which one backend is full and out of rotation, one has served, and one is down."""
    down = (Outage(0, 60 * MINUTE),)
    route = Route(
        backends=(
            Provisioned(name="ptu-east", ptu=60, window_us=SECOND),
            Standard(name="standard-west", priority=3),
            Standard(name="standard-east", priority=2, tpm=60_000, rpm=600, down=down),
        ),
        retry=Retry(trip_on_retry_after=True),
        relative_clock=True,
    )
    door = FrontDoor("gpt", ALDER, route)
    running = emulator(*backends_of(door), door=door, clock=Hand())
    front = running.front
    assert front is not None
    for number in range(4):
        call = running.go_on(running.arrive(front, front.read(body(2000)), streamed=False))
        assert isinstance(call, ServedCall)
        if number:
            running.end(call)
    return running


def drawn(running: Emulator, width: int) -> list[str]:
    return lines_of(states(running), width)


def lines_of(listed: list[DeploymentState], width: int) -> list[str]:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(table_of(listed, width))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def test_a_gateways_backends_show_their_share_and_what_keeps_calls_away() -> None:
    # 2,007 + 3 x 100 of 1,000: 230 %, and 1.307 s until there is room
    ptu, west, east = states(routed())
    assert (ptu.full, ptu.calls, ptu.served, ptu.refused, ptu.in_flight) == (230, 2, 0, 1, 1)
    assert (ptu.share, ptu.condition) == (25, "out 2 s")
    assert (west.calls, west.served, west.share, west.condition) == (3, 3, 75, "")
    assert (east.unavailable, east.share, east.condition) == (3, 0, "down")


def test_on_eighty_columns_nothing_is_cut() -> None:
    heading, _, ptu, west, east = drawn(routed(), 80)
    assert heading.split() == ["Deployment", "Use", "Calls", "Served", "429", "503", "Now", "Share", "State"]
    assert ptu.split() == ["ptu-east", "██████████", "230%", "2", "0", "1", "0", "1", "25%", "out", "2", "s"]
    assert west.split() == ["standard-west", "3", "3", "0", "0", "0", "75%"]
    assert east.split() == ["standard-east", "3", "0", "0", "3", "0", "0%", "down"]
    assert max(map(len, drawn(routed(), 80))) <= 80


def state(name: str, **given: Any) -> DeploymentState:
    """A deployment with figures as after an hour."""
    figures = {"calls": 123_456, "served": 98_765, "refused": 24_691, "rejected": 12, "left": 34, "in_flight": 250}
    known: dict[str, Any] = {"what": "", "full": 100, "spilled": 24_691, "tokens_this_minute": 9, **figures, **given}
    return DeploymentState(name=name, **known)


@pytest.mark.parametrize("width", [60, 80, 100, 119])
@pytest.mark.parametrize("gateway", [False, True])
def test_five_deployments_show_utilization_429s_and_spills(width: int, gateway: bool) -> None:
    more: dict[str, Any] = {"share": 20, "condition": "out 12 s", "unavailable": 7} if gateway else {}
    names = [f"production-{kind}-in-sweden" for kind in ("chat", "nightly-reports", "notes", "summaries")]
    five = [state(name, **more) for name in names] + [state("x" * 64, full=1234, **more)]
    heading, _, *rows = lines_of(five, width)
    assert max(map(len, [heading, *rows])) <= width and len(rows) == 5
    assert {"Deployment", "Use", "429", "Spilled"} <= set(heading.split())
    for each, row in zip(five, rows, strict=True):
        assert f"{each.full}%" in row and row.count("24,691") == 2
        assert not gateway or row.endswith("out 12 s")
    assert len({row.split()[0] for row in rows}) == 5  # names can be told apart
    shown = [row.split()[0] for row in rows]
    assert shown[0] == names[0] or max(map(len, [heading, *rows])) >= width - 2  # they have the room there is


def test_names_are_whole_where_there_is_room_for_them() -> None:
    heading, _, row = lines_of([state("production-chat-in-sweden", spilled=0, left=0, rejected=0)], 80)
    assert row.split()[0] == "production-chat-in-sweden" and "Now" in heading
    heading, _, row = lines_of([state("production-chat-in-sweden", share=1, condition="out 12 s")], 40)
    assert row.split()[0].startswith("prod") and "…" in row.split()[0]


def test_a_wide_terminal_says_what_the_deployments_are() -> None:
    heading, _, ptu, west, east = drawn(routed(), 160)
    assert "What" in heading and "Tokens this minute" in heading
    assert "Alder, 60 PTU" in ptu and "█" * 20 in ptu
    assert "Alder, Standard, 60,000 TPM, 600 RPM" in east and west.endswith("%")
    assert "6,081" in west  # three calls of 2,007 tokens, and 20 of each answer


def test_without_a_gateway_there_is_no_share() -> None:
    running = emulator(provisioned(60), standard(1000), clock=Hand())
    assert gateway_line(running) == ""
    heading, _, chat, payg = drawn(running, 80)
    assert heading.split() == ["Deployment", "Use", "Calls", "Served", "429", "Now"]
    assert chat.split() == ["chat", "··········", "0%", "0", "0", "0", "0"] and payg.split() == [
        "payg",
        "0",
        "0",
        "0",
        "0",
    ]


def test_a_line_of_text_says_the_same() -> None:
    running = routed()
    ptu, _, east = states(running)
    assert plain_line(ptu) == (
        "ptu-east: utilization 230%, 2 calls, 0 served, 1 x 429, 1 in flight, 25% of the gateway's, out 2 s"
    )
    assert (
        plain_line(east) == "standard-east: 3 calls, 0 served, 0 x 429, 3 x 503, 0 in flight, 0% of the gateway's, down"
    )
    assert gateway_line(running) == "gpt (gateway): 3 calls, 3 served"


@pytest.mark.parametrize("terminal", [True, False])
def test_it_is_shown_until_the_end_and_once_more_then(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("COLUMNS", "80"), ("LINES", "24"), ("TERM", "xterm"), ("NO_COLOR", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("ptucalc.serve.live.LINE_SECONDS", 0.02)
    monkeypatch.setattr("ptucalc.serve.live.REFRESH_SECONDS", 0.02)
    running, stream = routed(), Terminal() if terminal else io.StringIO()

    async def show() -> None:
        task = asyncio.ensure_future(watch(running, stream))
        await asyncio.sleep(0.1)
        quiet = stream.getvalue()
        assert ("ptu-east" in quiet) is terminal  # a line is written only when something has happened
        front = running.front
        assert front is not None
        call = running.go_on(running.arrive(front, front.read(body(1)), streamed=False))
        assert isinstance(call, ServedCall)
        running.end(call)
        await asyncio.sleep(0.1)
        assert len(stream.getvalue()) > len(quiet)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(show())
    said = stream.getvalue()
    assert terminal or "standard-west: 4 calls, 4 served, 0 x 429, 0 in flight, 80% of the gateway's\n" in said
    assert "gpt (gateway): 4 calls, 4 served" in said.split("Deployment")[-1]
    assert ("Deployment" in said) is terminal
