"""However a log is kept, it is the same log: typed or text, table or JSON, packed or not."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import duckdb
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from .log_files import PLAIN, TEN, Seen, json_lines, minute, plain, seen, stamp, table, written

NAMES = ("chat", "search-4o", 'o\'brien "x", y', "Łódź", "4o", "a;b|c")


class Call(NamedTuple):
    """One call of a random log; None is a cell that is empty."""

    us: int
    deployment: str
    input_tokens: int | None
    cached: int | None
    output: int | None
    status: int

    @property
    def stamp(self) -> str:
        return (TEN + timedelta(microseconds=self.us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@st.composite
def a_call(draw: st.DrawFn) -> Call:
    tokens = draw(st.integers(1, 3000))
    status = draw(st.sampled_from((200, 200, 200, 201, 400, 429, 500)))
    if status >= 400 and draw(st.booleans()):
        return Call(draw(st.integers(0, 10**9)), draw(st.sampled_from(NAMES)), None, None, None, status)
    cached = draw(st.none() | st.integers(0, tokens))
    return Call(
        draw(st.integers(0, 10**9)), draw(st.sampled_from(NAMES)), tokens, cached, draw(st.integers(1, 500)), status
    )


LOGS = st.lists(a_call(), min_size=1, max_size=25).map(
    lambda calls: [Call(7, "chat", 1000, 10, 100, 200), *calls]  # a log without sized calls is refused
)

FIELDS = ("timestamp", "deployment", "input_tokens", "cached_input_tokens", "output_tokens", "status")


def cells(call: Call) -> tuple[Any, ...]:
    return (call.stamp, *call[1:])


def csv_text(calls: Sequence[Call], *, odd: bool = False, mark: str = ",", end: str = "\n") -> str:
    """As CSV; `odd` puts spaces before one number, and an offset behind one stamp, which no typed reader takes."""
    rows = [["" if cell is None else str(cell) for cell in cells(call)] for call in calls]
    if odd:
        rows[0][2] = f" {rows[0][2]}.0 "
        rows[0][0] = rows[0][0].replace("T", " ").replace("Z", " UTC")
    lines = [
        mark.join('"' + cell.replace('"', '""') + '"' if set(cell) & {'"', mark} else cell for cell in row)
        for row in rows
    ]
    return end.join((mark.join(FIELDS), *lines, ""))


def as_csv(folder: Path, calls: Sequence[Call]) -> Path:
    return written(folder / "typed.csv", csv_text(calls))


def as_text(folder: Path, calls: Sequence[Call]) -> Path:
    return written(folder / "odd.csv", csv_text(calls, odd=True))


def as_tsv(folder: Path, calls: Sequence[Call]) -> Path:
    return written(folder / "t.tsv", csv_text(calls, mark="\t", end="\r\n"))


def as_semicolons(folder: Path, calls: Sequence[Call]) -> Path:
    return written(folder / "s.csv", "\ufeff" + csv_text(calls, mark=";"))


def as_utf16(folder: Path, calls: Sequence[Call]) -> Path:
    return written(folder / "u.txt", csv_text(calls, mark="\t", end="\r\n").encode("utf-16"))


def as_packed(folder: Path, calls: Sequence[Call]) -> Path:
    return written(folder / "p.csv.gz", csv_text(calls))


def as_lines(folder: Path, calls: Sequence[Call]) -> Path:
    return json_lines(folder / "l.jsonl", [dict(zip(FIELDS, cells(call), strict=True)) for call in calls])


def nested(call: Call) -> dict[str, Any]:
    usage = {"prompt_tokens": call.input_tokens, "completion_tokens": call.output}
    if call.cached is not None:
        usage["prompt_tokens_details"] = {"cached_tokens": call.cached}  # type: ignore[assignment]
    return {
        "ts": call.stamp,
        "deployment": call.deployment,
        "status": str(call.status),
        "usage": None if call.input_tokens is None else usage,
    }


def as_nested(folder: Path, calls: Sequence[Call]) -> Path:
    return json_lines(folder / "n.jsonl", map(nested, calls))


def as_packed_lines(folder: Path, calls: Sequence[Call]) -> Path:
    text = "".join(json.dumps(nested(call)) + "\n" for call in calls).rstrip("\n")
    return written(folder / "n.jsonl.gz", text)


def as_document(folder: Path, calls: Sequence[Call]) -> Path:
    return written(folder / "d.json", json.dumps([nested(call) for call in calls], indent=1))


def parquet(path: Path, calls: Sequence[Call], kind: str, stamps: Sequence[str]) -> Path:
    types = ("VARCHAR", "BIGINT", "BIGINT", "BIGINT", "INTEGER")
    columns = ", ".join(f"{name} {each}" for name, each in zip(FIELDS, (kind, *types), strict=True))
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'America/New_York'")
        connection.execute(f"create table calls ({columns})")
        rows = [(stamp, *call[1:]) for stamp, call in zip(stamps, calls, strict=True)]
        connection.executemany("insert into calls values (?, ?, ?, ?, ?, ?)", rows)
        connection.execute(f"copy calls to '{path}' (format parquet)")
    return path


def as_parquet(folder: Path, calls: Sequence[Call]) -> Path:
    return parquet(folder / "z.parquet", calls, "TIMESTAMPTZ", [call.stamp for call in calls])


def as_nanoseconds(folder: Path, calls: Sequence[Call]) -> Path:
    """Without a zone, in nanoseconds that do not reach the next microsecond."""
    return parquet(folder / "ns.parquet", calls, "TIMESTAMP_NS", [call.stamp[:-1] + "999" for call in calls])


def as_parquet_texts(folder: Path, calls: Sequence[Call]) -> Path:
    return parquet(folder / "t.parquet", calls, "VARCHAR", [call.stamp for call in calls])


FORMS: tuple[Callable[[Path, Sequence[Call]], Path], ...] = (
    as_text,
    as_tsv,
    as_semicolons,
    as_utf16,
    as_packed,
    as_lines,
    as_nested,
    as_packed_lines,
    as_document,
    as_parquet,
    as_nanoseconds,
    as_parquet_texts,
)


def by_hand(calls: Sequence[Call]) -> dict[str, dict[int, list[int]]]:
    """Minutes by deployment: calls, throttled ones without tokens, uncached, cached, written, output."""
    found: dict[str, dict[int, list[int]]] = {}
    first = min(call.us for call in calls if call.input_tokens is not None or call.status == 429) // 60_000_000
    for call in calls:
        if call.input_tokens is None and call.status != 429:
            continue
        sums = found.setdefault(call.deployment, {}).setdefault(call.us // 60_000_000 - first, [0] * 6)
        if call.input_tokens is None:
            sums[1] += 1
            continue
        cached = call.cached or 0
        one = (1, 0, call.input_tokens - cached, cached, 0, call.output or 0)
        sums[:] = map(sum, zip(sums, one, strict=True))
    return found


def same(one: Seen, other: Seen) -> bool:
    return (one.profiles, one.skipped, one.source.rows, one.source.first, one.source.last, one.source.cached_known) == (
        other.profiles,
        other.skipped,
        other.source.rows,
        other.source.first,
        other.source.last,
        other.source.cached_known,
    )


@settings(
    max_examples=6, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)  # shrinking takes minutes
@given(LOGS, st.lists(st.sampled_from(FORMS), min_size=3, max_size=3, unique=True))
def test_a_random_log_is_the_same_however_it_is_kept(
    calls: list[Call], forms: list[Callable[[Path, Sequence[Call]], Path]]
) -> None:
    with TemporaryDirectory() as folder:
        first = seen(as_csv(Path(folder), calls), skip_bad=True)
        assert {
            stream.deployment: {row[0]: list(row[2:]) for row in profile.rows}
            for stream, profile in first.profiles.items()
        } == by_hand(calls)
        for form in forms:
            assert same(seen(form(Path(folder), calls), skip_bad=True), first), form.__name__


FIXED = [
    Call(0, "chat", 1000, 250, 100, 200),
    Call(59_999_999, NAMES[2], 7, None, 3, 200),
    Call(60_000_000, "chat", None, None, None, 429),
    Call(60_000_001, "4o", 12, 0, 1, 500),
    Call(180_000_000, "Łódź", None, None, None, 500),
]


@pytest.mark.parametrize("form", [as_csv, *FORMS], ids=lambda form: form.__name__)
def test_every_form_of_a_log_is_read(form: Callable[[Path, Sequence[Call]], Path], tmp_path: Path) -> None:
    found = seen(form(tmp_path, FIXED))
    assert {stream.deployment: [tuple(row) for row in profile.rows] for stream, profile in found.profiles.items()} == {
        "chat": [minute(0, 1, 750, 250, 0, 100), minute(1, 0, 0, 0, 0, 0, unsized=1)],
        NAMES[2]: [minute(0, 1, 7, 0, 0, 3)],
        "4o": [minute(1, 1, 12, 0, 0, 1)],
    }
    assert found.skipped == {"failed_call": 1}
    assert all(profile.length == 2 for profile in found.profiles.values())
    assert found.source.cached_known


ODD = '"1,000"'
"""A number that makes the engine's typed reading fail, so that every value is read as text."""


NO_STAMPS = [
    "2026-11-02",
    "2026-1-2 3:04:05",
    "2026-11-02T24:00:00Z",
    "2026-11-02 10:05:00 Europe/Berlin",
    "epoch",
    "infinity",
    "2026-11-02T10:05:61Z",
    "0044-03-15 10:00:00 (BC)",
    "2026-11-02T10:05:00+99:00",
]
"""What the engine might take for a time, and `parse_us` does not."""


@pytest.mark.parametrize("text", NO_STAMPS)
def test_what_is_no_stamp_is_none_where_the_engine_reads_stamps_itself(text: str, tmp_path: Path) -> None:
    found = seen(table(tmp_path / "typed.csv", *[plain(1)] * 200, f"{text},5,6", headings=PLAIN))
    assert (found.skipped, found.rows) == ({"unreadable_time": 1}, [minute(0, 200, 200, 0, 0, 400)])


def test_what_is_no_stamp_is_none_where_every_value_is_read_as_text(tmp_path: Path) -> None:
    rows = [plain(1)] * 2000 + [f"{text},5,6" for text in NO_STAMPS] + [plain(1, ODD)]
    found = seen(table(tmp_path / "text.csv", *rows, headings=PLAIN))
    assert (found.skipped, found.total[:3]) == ({"unreadable_time": len(NO_STAMPS)}, (2001, 0, 3000))


@pytest.mark.parametrize("odd", [1, ODD], ids=["typed", "text"])
def test_a_stamp_needs_no_seconds(odd: object, tmp_path: Path) -> None:
    found = seen(table(tmp_path / "log.csv", plain(1), plain(2, odd), "2026-11-02T10:05,5,6", headings=PLAIN))
    assert found.rows[-1] == minute(5, 1, 5, 0, 0, 6)


@pytest.mark.parametrize("odd", ["1", '"1.0 "'], ids=["typed", "text"])
def test_a_late_stamp_without_a_zone_is_in_the_zone_that_was_given(odd: object, tmp_path: Path) -> None:
    rows = [*[plain(1)] * 299, plain(1, odd), "2026-11-02T11:01:00.5,5,6"]  # 10:01 UTC
    found = seen(table(tmp_path / "log.csv", *rows, headings=PLAIN), time_zone="Europe/Berlin")
    assert found.rows == [minute(0, 300, 300, 0, 0, 600), minute(1, 1, 5, 0, 0, 6)]


def test_names_are_trimmed_and_a_name_that_means_nothing_is_none_in_either_way(tmp_path: Path) -> None:
    rows = [
        f"{stamp(second)},{name},5,6" for second, name in enumerate([" chat ", "chat", "n/a", "-", "4o ", "4o", ""])
    ]
    headings = "timestamp,deployment,input_tokens,output_tokens"
    typed = seen(table(tmp_path / "typed.csv", *rows, headings=headings))
    text = seen(table(tmp_path / "text.csv", *rows, f"{stamp(9)},chat,{ODD},6", headings=headings))
    assert {stream.deployment: sums[0] for stream, sums in typed.totals.items()} == {"chat": 2, "": 3, "4o": 2}
    assert {stream.deployment: sums[0] for stream, sums in text.totals.items()} == {"chat": 3, "": 3, "4o": 2}


def test_the_typed_way_floors_fractions_of_a_microsecond(tmp_path: Path) -> None:
    rows = ["2026-11-02T10:00:59.999999999Z,1,2", "2026-11-02T10:01:00.0000009Z,1,2"]
    found = seen(table(tmp_path / "log.csv", *rows, headings=PLAIN))
    assert found.rows == [minute(0, 1, 1, 0, 0, 2), minute(1, 1, 1, 0, 0, 2)]
    assert found.source.last % 60_000_000 == 0


def test_counts_that_fit_32_bits_one_by_one_but_not_together_add_up(tmp_path: Path) -> None:
    headings = "timestamp,input_tokens,cached_input_tokens,output_tokens"
    path = table(tmp_path / "log.csv", f"{stamp()},3000000000,1500000000,2", headings=headings)
    found = seen(path, thresholds=(2_999_999_999, 3_000_000_000))
    assert found.rows == [minute(0, 1, 1_500_000_000, 1_500_000_000, 0, 2, band=1)]
