"""The calls of a log, one by one, as a simulation replays them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ptucalc import BadInput, read_log
from ptucalc.read import log_traces
from ptucalc.request_log import Stream

from .log_files import json_lines, written

HEADER = "timestamp,deployment,input_tokens,cached_tokens,output_tokens,max_tokens,duration_ms,status\n"
NINE = 1_793_610_000_000_000
"""2026-11-02 09:00 UTC in microseconds."""


@pytest.fixture(params=["numpy", "plain"], autouse=True)
def columns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With numpy, where it is installed, and without."""
    if request.param == "plain":
        monkeypatch.setattr(log_traces, "find_spec", lambda name: None)
    else:
        pytest.importorskip("numpy")


def traced(*paths: Path, streams: list[Stream] | None = None, **choices: Any) -> dict[str, list[int] | None]:
    with read_log(list(paths), calls=True, **choices) as log:
        trace = log.trace(streams)
    names = ("arrival_us", "uncached", "cached", "written", "output", "max_tokens", "duration_us")
    return {name: None if getattr(trace, name) is None else [int(v) for v in getattr(trace, name)] for name in names}


def test_every_call_is_there_with_its_tokens_limit_and_duration(tmp_path: Path) -> None:
    rows = "2026-11-02T09:00:01.5Z,chat,100,40,20,512,1234.5678,200\n2026-11-02T09:00:02Z,chat,50,,7,,,200\n"
    assert traced(written(tmp_path / "a.csv", HEADER + rows)) == {
        "arrival_us": [NINE + 1_500_000, NINE + 2_000_000],
        "uncached": [60, 50],
        "cached": [40, 0],
        "written": [0, 0],
        "output": [20, 7],
        "max_tokens": [512, -1],
        "duration_us": [1_234_567, -1],  # floored
    }


def test_durations_in_seconds_are_told_by_their_name_and_those_of_no_unit_are_unknown(tmp_path: Path) -> None:
    rows = "2026-11-02T09:00:01Z,chat,100,40,20,512,2.5,200\n"
    seconds = written(tmp_path / "s.csv", HEADER.replace("duration_ms", "duration_s") + rows)
    unknown = written(tmp_path / "u.csv", HEADER.replace("duration_ms", "duration") + rows)
    assert traced(seconds, columns={"duration": "duration_s"})["duration_us"] == [2_500_000]
    assert traced(unknown)["duration_us"] is None


def test_calls_come_in_order_of_arrival_and_ties_in_the_order_of_the_log(tmp_path: Path) -> None:
    times = ("03", "01", "01", "02", "01")
    rows = "".join(f"2026-11-02T09:00:{time}Z,chat,{number},0,1,,,200\n" for number, time in enumerate(times, 10))
    first = written(tmp_path / "a.csv", HEADER + rows)
    second = written(tmp_path / "b.csv", HEADER + "2026-11-02T09:00:01Z,chat,99,0,1,,,200\n")
    assert traced(first)["uncached"] == [11, 12, 14, 13, 10]
    assert traced(first, second)["uncached"] == [11, 12, 14, 99, 13, 10]
    assert traced(second, first)["uncached"] == [99, 11, 12, 14, 13, 10]


def test_a_throttled_call_without_tokens_is_the_mean_call_of_its_deployment(tmp_path: Path) -> None:
    rows = (
        "2026-11-02T09:00:01Z,chat,100,0,20,,,200\n2026-11-02T09:00:02Z,chat,201,0,30,,,200\n"
        "2026-11-02T09:00:03Z,mail,7,0,3,,,200\n2026-11-02T09:00:04Z,chat,,,,,,429\n2026-11-02T09:00:05Z,mail,,,,,,429\n"
    )
    found = traced(written(tmp_path / "a.csv", HEADER + rows), skip_bad=True)
    assert found["uncached"] == [100, 201, 7, 150, 7]  # 150.5 to the nearest even number
    assert found["output"] == [20, 30, 3, 25, 3]


def test_rows_that_are_no_demand_are_not_replayed(tmp_path: Path) -> None:
    rows = "2026-11-02T09:00:01Z,chat,100,0,20,,,200\n2026-11-02T09:00:02Z,chat,,,,,,500\n"
    assert traced(written(tmp_path / "a.csv", HEADER + rows))["uncached"] == [100]


def test_streams_are_chosen(tmp_path: Path) -> None:
    rows = "2026-11-02T09:00:01Z,chat,100,0,20,,,200\n2026-11-02T09:00:02Z,o'mail,200,0,20,,,200\n"
    log = written(tmp_path / "a.csv", HEADER + rows)
    assert traced(log, streams=[Stream("o'mail", "")])["uncached"] == [200]
    assert traced(log, streams=[Stream("o'mail", ""), Stream("chat", "")])["uncached"] == [100, 200]


def test_a_stream_that_the_log_does_not_have_is_refused(tmp_path: Path) -> None:
    log = written(tmp_path / "a.csv", HEADER + "2026-11-02T09:00:01Z,chat,100,0,20,,,200\n")
    with pytest.raises(BadInput, match="chat"):
        traced(log, streams=[Stream("mail", "")])


def test_a_log_that_was_read_for_its_minutes_says_so(tmp_path: Path) -> None:
    log = written(tmp_path / "a.csv", HEADER + "2026-11-02T09:00:01Z,chat,100,0,20,,,200\n")
    with read_log(log) as read, pytest.raises(ValueError, match="calls=True"):
        read.trace()


def test_a_log_in_json_is_replayed_like_one_in_csv(tmp_path: Path) -> None:
    record = {"timestamp": "2026-11-02T09:00:01Z", "input_tokens": 100, "output_tokens": 20}
    log = json_lines(tmp_path / "a.jsonl", [{**record, "max_tokens": 64, "duration_ms": 1500}, record])
    found = traced(log)
    assert (found["max_tokens"], found["duration_us"]) == ([64, -1], [1_500_000, -1])


def test_duplicates_are_replayed_once(tmp_path: Path) -> None:
    header = "request_id," + HEADER
    row = "a1,2026-11-02T09:00:01Z,chat,100,0,20,,,200\n"
    log = written(tmp_path / "a.csv", header + row + row + row.replace("a1", "a2"))
    assert traced(log)["uncached"] == [100, 100]


def test_sums_of_minutes_cannot_be_replayed(tmp_path: Path) -> None:
    rows = "".join(f"2026-11-02T09:0{minute}:00Z,{minute + 3},1000,100\n" for minute in range(5))
    log = written(tmp_path / "m.csv", "timestamp,requests,input_tokens,output_tokens\n" + rows)
    with pytest.raises(BadInput, match="one row per call"), read_log(log, calls=True) as read:
        read.trace()
