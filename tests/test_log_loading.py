"""Quick ways of reading a log, and what makes them give way to the careful one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ptucalc.read import log_loading, log_relation

from .log_files import Seen, seen, written

CALLS = [
    {
        "timestamp": f"2026-11-02T10:00:{second:02}Z",
        "deployment": "chat",
        "input_tokens": 100 + second,
        "output_tokens": 10,
    }
    for second in range(20)
]


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which ways a reading took: kept, taken (typed) or text."""
    found: list[str] = []

    def note(name: str, of: str) -> None:
        wrapped: Any = getattr(log_loading.Loader, of)

        def noted(*given: Any, **named: Any) -> Any:
            done = wrapped(*given, **named)
            found.append(name if done in (True, None) else f"not {name}")
            return done

        monkeypatch.setattr(log_loading.Loader, of, noted)

    note("kept", "_kept")
    note("taken", "_taken")
    note("text", "_load_text")
    return found


def lines(folder: Path, records: list[Any]) -> Seen:
    text = "".join((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records)
    return seen(written(folder / "calls.jsonl", text))


def test_flat_and_nested_json_lines_are_taken_apart_by_the_engine(tmp_path: Path, ways: list[str]) -> None:
    assert lines(tmp_path, CALLS).total == (20, 0, 100 * 20 + 190, 0, 0, 200)
    nested = [
        {"timestamp": c["timestamp"], "usage": {"input_tokens": c["input_tokens"], "output_tokens": 10}} for c in CALLS
    ]
    assert lines(tmp_path, nested).total == (20, 0, 2190, 0, 0, 200)
    assert ways == ["kept", "kept"]


@pytest.mark.parametrize(
    ("odd", "total"),
    [
        (
            '{"timestamp": "2026-11-02T10:00:30Z", "deployment": "chat", "input_tokens": "1,000", "output_tokens": 1}',
            (21, 3190, 201),
        ),
        (
            '{"timestamp": "2026-11-02T10:00:30Z", "deployment": "chat", "input_tokens": 1e3, "output_tokens": 1}',
            (21, 3190, 201),
        ),
        (
            '{"timestamp": "2026-11-02 10:00:30", "deployment": "chat", "input_tokens": 1000, "output_tokens": 1}',
            (21, 3190, 201),
        ),
        ('{"timestamp": "2026-11-02T10:00:30Z", "deployment": "n/a", "input_tokens": 1000, "output_tokens": 1}', None),
        ("", (20, 2190, 200)),
    ],
    ids=["grouped", "exponent", "other stamp", "a name that is none", "blank line"],
)
def test_a_record_of_another_kind_is_still_counted(tmp_path: Path, odd: str, total: tuple[int, ...] | None) -> None:
    found = lines(tmp_path, [*CALLS, odd])
    sums = [sum(column) for column in zip(*found.totals.values(), strict=True)]
    calls, given, output = total or (21, 3190, 201)
    assert sums == [calls, 0, given, 0, 0, output]
    assert {stream.deployment for stream in found.totals} == ({"chat"} if total else {"chat", ""})


@pytest.mark.parametrize(
    "odd",
    [
        '{"timestamp": "2026-11-02T10:00:30Z", "deployment": "chat", "input_tokens": 1.5, "output_tokens": 1}',
        '{"timestamp": "2026-11-02T10:00:30Z", "deployment": "chat", "input_tokens": -5, "output_tokens": 1}',
        '{"timestamp": "2026-11-02T10:00:30Z", "deployment": "chat", "input_tokens": {}, "output_tokens": 1}',
        '{"timestamp": "soon", "deployment": "chat", "input_tokens": 1, "output_tokens": 1}',
        '{"timestamp": "2026-11-02T10:00:30Z", "deployment": "chat", "input_tokens": 1, "output_',
    ],
)
def test_a_record_that_cannot_be_read_is_counted_as_such(tmp_path: Path, odd: str) -> None:
    found = lines(tmp_path, [*CALLS * 5, odd])  # one in a hundred and one
    assert (found.total[0], sum(found.skipped.values())) == (100, 1)


def test_keys_that_differ_in_case_only_are_told_apart(tmp_path: Path) -> None:
    records = [{**call, "Input_Tokens": 9} for call in CALLS]
    assert lines(tmp_path, records).total == (20, 0, 2190, 0, 0, 200)


@pytest.mark.parametrize("kept_bytes", [0, 10**9], ids=["read again", "kept"])
def test_parquet_gives_the_same_whether_it_is_kept_or_read_again(
    tmp_path: Path, ways: list[str], monkeypatch: pytest.MonkeyPatch, kept_bytes: int
) -> None:
    import duckdb

    monkeypatch.setattr(log_relation, "KEPT_IN_MEMORY_BYTES", kept_bytes)
    records = [*CALLS, {**CALLS[0], "input_tokens": 0, "output_tokens": 0}]
    source = written(tmp_path / "calls.jsonl", "".join(json.dumps({**c, "status": 200}) + "\n" for c in records))
    file = tmp_path / "calls.parquet"
    duckdb.sql(f"copy (select * replace (timestamp::timestamptz as timestamp) from read_json('{source}')) to '{file}'")
    found = seen(file)
    assert found.total == (21, 0, 2190, 0, 0, 200)  # a call without tokens is a call
    assert ways == ["kept"]
