"""Logs read by the compiled scan, and by the engine: the same answers, whatever stands in them."""

import json
import random
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.util import find_spec

import pytest

from ptucalc import load_catalog, read_log
from ptucalc.errors import BadInput
from ptucalc.read import fast_rows, log_loading, log_relation, log_store, row_blocks, row_gathering

from .engines import compiled_row_kernel

pytestmark = pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")

WEIGHTS = load_catalog().find("gpt-4.1")[0].weights
HEADER = ["timestamp", "deployment", "model", "input_tokens", "cached_tokens", "output_tokens", "status"]
ROW = "2026-11-02T09:00:01.250Z,chat,gpt-4.1,1000,200,50,200"


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Small files are worth it, and rows lie across the ends of blocks."""
    monkeypatch.setattr(fast_rows, "WORTH_BYTES", 0)
    monkeypatch.setattr(fast_rows, "compiled_rows", compiled_row_kernel)
    monkeypatch.setattr(row_blocks, "BLOCK_BYTES", 700)
    monkeypatch.setattr(row_blocks, "LONGEST_ROW_BYTES", 300)


@pytest.fixture
def scans(monkeypatch):
    """What each try of a scan came to."""
    tried = []

    def scan(*given, **choices):
        tried.append(fast_rows.fast_rows(*given, **choices))
        return tried[-1]

    monkeypatch.setattr(log_loading, "fast_rows", scan)
    return tried


@pytest.fixture
def reads(monkeypatch):
    """Of each time that blocks are read, whether all calls are kept."""
    kept = []

    def read(plan, kernel):
        kept.append(plan.keeps_all)
        return row_blocks.read_blocks(plan, kernel)

    monkeypatch.setattr(row_gathering, "read_blocks", read)
    return kept


def answers(path, **choices):
    """All that a log says, or why it is refused."""
    try:
        with read_log(path, **choices) as log:
            of_band = dict.fromkeys(range(10), WEIGHTS)
            apart = [{stream: of_band} for stream in log.profiles]
            together = [dict.fromkeys(log.profiles, of_band)]
            windows = [log.window_maxima(groups) for groups in (apart, together, apart[1:], [*apart, *together])]
            return log.source, log.profiles, windows
    except BadInput as error:
        return str(error), None, None


def both_ways(path, scans, monkeypatch, **choices):
    """The answers of the scan (whether it keeps calls or reads them again) and of the engine alone."""
    scanned = answers(path, **choices)
    assert answers(path, windows=True, **choices) == scanned
    with monkeypatch.context() as patched:
        patched.setattr(log_loading, "fast_rows", lambda *given, **choices: None)
        engine = answers(path, **choices)
    return scanned, engine


def rows_of(draws, count, *, unsorted=False, oddities=True):
    """Calls as lists of cells: some without tokens, refused, with more cached than input, with an empty cell."""
    moment = datetime(2026, 11, 2, 8, 59, tzinfo=UTC)
    rows = []
    for _ in range(count):
        moment += timedelta(milliseconds=draws.choice([0, 1, 40, 700, 9000, 70_000]))
        if unsorted and draws.random() < 0.3:
            moment -= timedelta(minutes=draws.choice([1, 6, 90]))
        given = draws.choice([0, 7, 900, 128_000, 300_000])
        cells = [
            f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z",
            draws.choice(["chat", "chat-long", "search"]),
            draws.choice(["gpt-4.1", "gpt-5"]),
            given,
            draws.choice([0, 0, given // 2, given]),
            draws.choice([0, 1, 60, 4000]),
            200,
        ]
        if oddities and draws.random() < 0.1:
            cells[3:] = draws.choice([[0, 0, 0, 429], [0, 0, 0, 500], [10, 20, 5, 200], [50, 0, 1, 500]])
        rows.append(cells)
    return rows


def as_csv(rows, end="\n", last=True, header=HEADER, delimiter=","):
    """A table."""
    return (end.join(delimiter.join(map(str, row)) for row in [header, *rows]) + (end if last else "")).encode()


@pytest.mark.parametrize("number", range(24))
@pytest.mark.parametrize("written", ["csv", "crlf", "no end", "tabs"])
def test_random_logs_say_the_same(tmp_path, monkeypatch, scans, number, written):
    draws = random.Random(f"{written} {number}")  # noqa: S311
    rows = rows_of(draws, draws.choice([2, 3, 40, 200]), unsorted=number % 4 == 0, oddities=number % 3 > 0)
    rows[0][3:] = [900, 128, 60, 200]
    text = {
        "csv": as_csv,
        "crlf": partial(as_csv, end="\r\n"),
        "no end": partial(as_csv, last=False),
        "tabs": partial(as_csv, delimiter="\t"),
    }[written](rows)
    path = tmp_path / "log.csv"
    path.write_bytes(text)
    scanned, engine = both_ways(path, scans, monkeypatch, skip_bad=number % 2 == 0)
    assert scanned == engine
    assert [scan is not None and scan.kept for scan in scans] == [False, True]


@pytest.mark.parametrize("number", range(12))
def test_logs_with_reasoning_and_totals_say_the_same(tmp_path, monkeypatch, scans, number):
    draws = random.Random(number)  # noqa: S311
    rows = []
    for at, deployment, model, given, cached, made, status in rows_of(draws, 120, oddities=number % 2 > 0):
        thought = draws.choice([0, made // 2, made, made + 1 if number % 3 == 0 else 0, ""])
        total = draws.choice([given + made, given + made, "", given + cached + made, given + made + (thought or 0)])
        rows.append([at, deployment, model, given, draws.choice([cached, ""]), made, status, thought, total])
    rows[0][3:] = [900, 128, 60, 200, 20, 960]
    if number % 2:  # a sample is compared
        monkeypatch.setattr(log_store, "COMPARED_CALLS", 10)
        for module in (log_store, row_blocks):
            monkeypatch.setattr(module, "SAMPLED_SHARE", 3)
        rows += rows
    path = tmp_path / "log.csv"
    path.write_bytes(as_csv(rows, header=[*HEADER, "reasoning_tokens", "total_tokens"]))
    scanned, engine = both_ways(path, scans, monkeypatch, skip_bad=True)
    assert scanned == engine
    assert scans[0] is not None


@pytest.mark.parametrize(
    ("zone", "is_scanned"),
    [("Z", True), ("+00:00", True), ("+00", True), ("", True), ("+01:00", False), ("-0800", False)],
)
@pytest.mark.parametrize("part", [".250", "", ".2", ".123456", ".1234567"])
def test_zones_and_parts_of_a_second(tmp_path, monkeypatch, scans, zone, is_scanned, part):
    path = tmp_path / "log.csv"
    path.write_bytes(as_csv([ROW.replace(".250Z", part + zone).split(",")] * 20))
    scanned, engine = both_ways(path, scans, monkeypatch)
    assert scanned == engine
    assert any(scans) is (is_scanned and len(part) < 8)


@pytest.mark.parametrize("thresholds", [(), (500, 10**6), (1000,), (999,), (10, 20)])
def test_prompts_over_a_threshold_are_kept_apart(tmp_path, monkeypatch, scans, thresholds):
    path = tmp_path / "log.csv"
    path.write_bytes(as_csv([ROW.replace("1000,200", f"{given},0").split(",") for given in (15, 600, 1000)] * 9))
    scanned, engine = both_ways(path, scans, monkeypatch, thresholds=thresholds)
    assert scanned == engine
    assert scans[0] is not None


@pytest.mark.parametrize("number", range(6))
def test_windows_of_time_and_samples_say_the_same(tmp_path, monkeypatch, scans, number):
    monkeypatch.setattr(log_store, "COMPARED_CALLS", 10)
    draws = random.Random(number)  # noqa: S311
    path = tmp_path / "log.csv"
    path.write_bytes(as_csv(rows_of(draws, 150) * 2))
    choices = {"since": "2026-11-02T09:01Z", "until": "2026-11-02T09:20Z", "skip_bad": True}
    scanned, engine = both_ways(path, scans, monkeypatch, **(choices if number % 2 else {"skip_bad": True}))
    assert scanned == engine
    assert scans[0] is not None


def test_what_a_scan_adds_up_is_what_stands_there(tmp_path, scans):
    path = tmp_path / "log.csv"
    path.write_bytes(as_csv([ROW.split(",")] * 3 + [ROW.replace("09:00", "09:02").replace("chat", "other").split(",")]))
    with read_log(path) as log:
        assert scans[0].sums.totals["rows"] == 4
        found = {stream.deployment: profile.rows for stream, profile in log.profiles.items()}
    assert [tuple(row) for row in found["chat"]] == [(0, 0, 3, 0, 2400, 600, 0, 150)]
    assert [tuple(row) for row in found["other"]] == [(2, 0, 1, 0, 800, 200, 0, 50)]


def test_calls_are_read_again_only_where_they_are_asked_for(tmp_path, monkeypatch, reads):
    monkeypatch.setattr(log_store, "COMPARED_CALLS", 10)
    path = tmp_path / "log.csv"
    path.write_bytes(as_csv([ROW.split(",")] * 20))
    with read_log(path) as log:
        assert reads == [False]
        for _ in range(2):
            log.window_maxima([{stream: {0: WEIGHTS} for stream in log.profiles}])
            assert reads == [False, True]
    reads.clear()
    with read_log(path, windows=True) as log:
        log.window_maxima([{stream: {0: WEIGHTS} for stream in log.profiles}])
    assert reads == [True]


def test_seconds_of_kept_calls_by_hand(tmp_path, scans):
    """800 uncached, 200 cached, 50 output: 100 calls of 3 x 800 + 1 x 200 + 7 x 50 in one second, one two seconds later."""
    later = ROW.replace("09:00:01.250", "09:00:03.999").replace("1000,200,50", "10,,1")
    other = ROW.replace("chat", "other")
    path = tmp_path / "log.csv"
    path.write_bytes(
        as_csv([row.split(",") for row in [*[ROW] * 100, other, later, ROW.replace("1000,200,50,200", "0,0,0,400")]])
    )
    with read_log(path, windows=True) as log:
        chat, of_other = log.profiles
        kept = scans[0].plain()

        def found(weighing):
            relation = kept.seconds(weighing)
            return relation and sorted(log._store.run(f"select g, t - 1793610000, low from {relation}"))

        assert found({chat: (0, (3, 1, 9, 7))}) == [(0, 1, 295_000), (0, 3, 37)]
        assert found({chat: (1, (3, 1, 9, 7)), of_other: (0, (1, 1, 1, 1))}) == [
            (0, 1, 1050),
            (1, 1, 295_000),
            (1, 3, 37),
        ]
        assert found({chat: (0, (0, 0, 0, 0))}) is None
        tokens = 100 * 1050 + 1050 + 11
        largest = (2**63 - 1) // (8 * tokens)
        assert found({chat: (0, (0, 0, 0, largest))}) == [(0, 1, 5000 * largest), (0, 3, largest)]
        assert found({chat: (0, (0, 0, 0, largest + 1))}) is None
        assert found({chat: (10_000_000, (1, 1, 1, 1))}) is None  # three seconds of so many groups


@pytest.mark.parametrize("change", ["other tokens", "another minute", "one row less", "an odd row", "removed"])
def test_a_log_that_has_changed_when_it_is_read_again(tmp_path, monkeypatch, change):
    monkeypatch.setattr(log_store, "COMPARED_CALLS", 10)
    path = tmp_path / "log.csv"
    text = as_csv([ROW.split(",")] * 20)
    path.write_bytes(text)
    with read_log(path) as log:
        if change == "removed":
            path.unlink()
        else:
            row = ROW.encode() + b"\n"
            by = {
                "other tokens": row.replace(b"1000", b"1001"),
                "another minute": row.replace(b"09:00", b"09:01"),
                "one row less": b"",
                "an odd row": b'"' + row[1:],
            }
            path.write_bytes(text.removesuffix(row) + by[change])
        with pytest.raises(BadInput, match=r"copy it first.*changed since it was read") as caught:
            log.window_maxima([{stream: {0: WEIGHTS} for stream in log.profiles}])
        assert caught.value.problems[0].source == str(path)


def test_a_log_that_has_grown_is_read_as_far_as_before(tmp_path, monkeypatch):
    monkeypatch.setattr(log_store, "COMPARED_CALLS", 10)
    path = tmp_path / "log.csv"
    path.write_bytes(as_csv([ROW.split(",")] * 20))
    before = answers(path)
    with read_log(path) as log:
        with path.open("a") as stream:
            stream.write(ROW + "\n")
        assert (
            log.window_maxima([{stream: dict.fromkeys(range(10), WEIGHTS) for stream in log.profiles}]) == before[2][1]
        )


ODD = {
    "quoted": ROW.replace("chat", '"chat"'),
    "quoted with a comma": ROW.replace("chat", '"chat,prod"'),
    "a point": ROW.replace("1000", "1000.0"),
    "a part of a token": ROW.replace("1000", "1000.5"),
    "negative": ROW.replace("1000", "-1"),
    "another length of time": ROW.replace(".250Z", "Z"),
    "another zone": ROW.replace("Z,", "+01:00,"),
    "a leap second": ROW.replace("09:00:01", "23:59:60"),
    "no time": ROW.replace("2026-11-02T09:00:01.250Z", ""),
    "more cells": ROW + ",7",
    "fewer cells": "2026-11-02T09:00:01.250Z,chat",
    "a blank line": "",
    "huge": ROW.replace("1000", "4000000000"),
    "a word": ROW.replace("1000", "many"),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_one_odd_row_is_read_by_the_engine(tmp_path, monkeypatch, scans, odd, place):
    lines = [ROW] * 300
    lines.insert({"first": 1, "middle": 150, "last": 300}[place], ODD[odd])
    path = tmp_path / "log.csv"
    path.write_text("\n".join([",".join(HEADER), *lines]) + "\n")
    scanned, engine = both_ways(path, scans, monkeypatch)
    assert scanned == engine
    assert not any(scans)


def test_a_name_that_comes_late(tmp_path, monkeypatch, scans):
    monkeypatch.setattr(log_relation, "SAMPLED_ROWS", 10)
    path = tmp_path / "log.csv"
    path.write_bytes(as_csv([ROW.split(",")] * 40 + [ROW.replace("chat", "later").split(",")]))
    scanned, engine = both_ways(path, scans, monkeypatch)
    assert scanned == engine
    assert not any(scans)


def test_several_files_and_empty_cells(tmp_path, monkeypatch, scans):
    paths = [tmp_path / name for name in ("a.csv", "b.csv")]
    paths[0].write_bytes(as_csv([ROW.split(",")] * 30, last=False))
    paths[1].write_bytes(as_csv([ROW.replace("200,50", ",50").split(",")] * 30))
    scanned, engine = both_ways(paths, scans, monkeypatch)
    assert scanned == engine
    assert scans[0].sums.totals["cached_untold"] == 30


def test_files_with_their_columns_in_another_order(tmp_path, monkeypatch, scans):
    paths = [tmp_path / name for name in ("a.csv", "b.csv")]
    paths[0].write_bytes(as_csv([ROW.split(",")] * 30))
    paths[1].write_bytes(as_csv([ROW.split(",")[::-1]] * 20, header=HEADER[::-1]))
    scanned, engine = both_ways(paths, scans, monkeypatch)
    assert scanned == engine
    assert [scan.sums.totals["rows"] for scan in scans] == [30, 20] * 2
    assert scanned[0].rows_used == 50


def test_files_that_end_their_lines_in_two_ways(tmp_path, monkeypatch, scans):
    paths = [tmp_path / name for name in ("a.csv", "b.csv")]
    paths[0].write_bytes(as_csv([ROW.split(",")] * 30))
    paths[1].write_bytes(as_csv([ROW.split(",")] * 30, end="\r\n"))
    scanned, engine = both_ways(paths, scans, monkeypatch)
    assert scanned == engine
    assert scans[0] is None


def test_many_names(tmp_path, monkeypatch, scans):
    rows = [
        ROW.replace("chat", f"chat-{number:02}").replace("1000", str(1000 + number)).split(",") for number in range(40)
    ]
    path = tmp_path / "log.csv"
    path.write_bytes(as_csv(rows))
    scanned, engine = both_ways(path, scans, monkeypatch)
    assert scanned == engine
    assert scans[0] is not None


def test_json_lines_are_left_to_the_engine(tmp_path, scans):
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps(dict(zip(HEADER, ROW.split(","), strict=True))) + "\n")
    answers(path)
    assert not any(scans)


def test_calls_too_far_apart_to_be_added_up(tmp_path, monkeypatch, scans):
    monkeypatch.setattr(row_blocks, "MOST_CELLS", 4)
    path = tmp_path / "log.csv"
    path.write_bytes(as_csv(rows_of(random.Random(3), 80, oddities=False)))  # noqa: S311
    scanned, engine = both_ways(path, scans, monkeypatch)
    assert scanned == engine
    assert scans[0].sums is None


def test_more_rows_than_memory_is_meant_for(tmp_path, monkeypatch, scans):
    path = tmp_path / "log.csv"
    path.write_bytes(as_csv([ROW.split(",")] * 50))
    for most, is_scanned in ((50, True), (49, False)):
        monkeypatch.setattr(row_gathering, "MOST_ROWS", most)
        scanned, engine = both_ways(path, scans, monkeypatch)
        assert scanned == engine
        assert {scan is not None for scan in scans} == {is_scanned}
        scans.clear()


def test_small_logs_and_logs_of_a_replay_are_not_scanned(tmp_path, monkeypatch, scans):
    path = tmp_path / "log.csv"
    path.write_bytes(as_csv([ROW.split(",")] * 50))
    with read_log(path, calls=True):
        pass
    assert scans == []
    monkeypatch.setattr(fast_rows, "WORTH_BYTES", path.stat().st_size + 1)
    monkeypatch.setattr(fast_rows, "compiled_rows", lambda: pytest.fail("numba would be started"))
    answers(path)
    assert scans == [None]


@pytest.mark.parametrize("choice", ["input_excludes_cached", "output_excludes_reasoning"])
def test_logs_that_count_in_another_way_are_not_scanned(tmp_path, monkeypatch, scans, choice):
    rows = [[*ROW.split(","), 7] for _ in range(20)]
    path = tmp_path / "log.csv"
    path.write_bytes(as_csv(rows, header=[*HEADER, "reasoning_tokens"]))
    scanned, engine = both_ways(path, scans, monkeypatch, **{choice: True})
    assert scanned == engine
    assert scans == []


def test_progress_is_told_up_to_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(log_store, "COMPARED_CALLS", 10)
    path = tmp_path / "log.csv"
    path.write_bytes(as_csv([ROW.split(",")] * 50))
    told = []
    with read_log(path, progress=told.append):
        pass
    assert told == sorted(told)
    assert 0.9 < told[-1] <= 1
