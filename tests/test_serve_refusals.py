"""Headers that tell how full a deployment is, and rows that tell who served a call."""

from __future__ import annotations

import io
from typing import Any

import pytest

from ptucalc.admission import ArrivingCall
from ptucalc.serve.call_log import COLUMNS, CallLog
from ptucalc.serve.refusals import headers_of

from .emulating import SECOND, Hand, emulator, provisioned, standard

START = 1_900_000_020 * SECOND
"""The beginning of a minute, and of a window of 10 s."""


def asked(running: Any, name: str, most: int = 13) -> Any:
    """A call of 7 + 80 tokens; it has its answer at once."""
    served = running.served[name]
    prompt = served.read({"messages": [{"role": "user", "content": "abcd" * 80}], "max_tokens": most})
    call = running.decide(served, prompt, streamed=False, spill_to=None)
    if call.decision.admitted is not None:
        running.end(call)
    return call


def limits(call: Any) -> dict[str, str]:
    """Its x-ratelimit headers, without that."""
    names = [(name.decode(), value.decode()) for name, value in headers_of(call)]
    return {name.removeprefix("x-ratelimit-"): value for name, value in names if name.startswith("x-ratelimit-")}


def test_limits_of_calls_are_all_of_the_window_in_which_they_are_checked() -> None:
    # 120 RPM over 10 s: 20 calls; Azure says 19 left after the first (clemenssiebler.com, 2024-05)
    clock = Hand(START + 3 * SECOND)
    running = emulator(standard(20_000, 120, window=10), clock=clock)
    assert limits(asked(running, "payg")) == {
        "limit-tokens": "20000",
        "remaining-tokens": "19900",
        "reset-tokens": "57",
        "renewalperiod-tokens": "60",
        "limit-requests": "20",
        "remaining-requests": "19",
        "reset-requests": "7",
        "renewalperiod-requests": "10",
    }


@pytest.mark.parametrize(("rpm", "window", "calls", "seconds"), [(600, 1, 10, 1), (20, 1, 1, 3), (7, 1, 1, 9)])
def test_a_limit_of_few_calls_has_a_longer_window(rpm: int, window: int, calls: int, seconds: int) -> None:
    running = emulator(standard(None, rpm, window=window), clock=Hand(START))
    found = limits(asked(running, "payg"))
    assert (found["limit-requests"], found["remaining-requests"]) == (str(calls), str(calls - 1))
    assert found["renewalperiod-requests"] == str(seconds) and "limit-tokens" not in found


def test_the_log_names_who_served_a_call_and_nobody_for_one_that_was_refused() -> None:
    stream, clock = io.BytesIO(), Hand(START)
    log = CallLog(stream, json_lines=False)
    running = emulator(provisioned(1, spillover="payg"), provisioned(1, "full"), standard(250), log=log, clock=clock)
    for name in ("chat", "full"):
        running.rehearsal.places[name].arrive(clock.now_us, ArrivingCall(10**9, 1))
    for name in ("chat", "payg", "chat", "full"):  # 87 + 13 of 250, twice
        asked(running, name)
    log.flush()
    rows = [dict(zip(COLUMNS, line.split(","), strict=True)) for line in stream.getvalue().decode().splitlines()[1:]]
    assert [(row["deployment"], row["status"], row["spilled"], row["served_by"]) for row in rows] == [
        ("chat", "200", "true", "payg"),
        ("payg", "200", "false", "payg"),
        ("chat", "429", "true", ""),
        ("full", "429", "false", ""),
    ]
