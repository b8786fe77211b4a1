"""What a log's rows mean: minutes, edges, throttled and failed calls, and what is refused rather than guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ptucalc.demand_profile import DemandProfile
from ptucalc.errors import BadInput
from ptucalc.read.logs import read_log
from ptucalc.request_log import LogSource, Stream

from .log_files import (
    NOBODY,
    PLAIN,
    TEN_MINUTE,
    book,
    call,
    json_lines,
    minute,
    plain,
    refusal,
    seen,
    stamp,
    table,
)

CHAT, SEARCH = Stream("chat", ""), Stream("search", "")
BUCKETS = "timestamp,bucket_seconds,requests,input_tokens,output_tokens"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where a log is written."""
    return tmp_path / "log.csv"


def rows_of(profile: DemandProfile) -> list[tuple[int, ...]]:
    return [tuple(row) for row in profile.rows]


# --- Minutes


def test_calls_add_up_by_clock_minute_and_minutes_without_any_are_idle(log: Path) -> None:
    found = seen(table(log, call(10), call(50, "7,2,3"), call(59.999999), call(60, "5,5,1"), call(300.5)))
    (profile,) = found.profiles.values()
    assert (profile.start, profile.length, profile.scale) == (TEN_MINUTE, 6, 1)
    assert found.rows == [
        minute(0, 3, 2005, 2, 0, 203),
        minute(1, 1, 0, 5, 0, 1),
        minute(5, 1, 1000, 0, 0, 100),
    ]
    assert profile.requests_per_minute() == [3, 1, 0, 0, 0, 1]


def test_a_log_begins_in_the_minute_of_its_first_call_and_ends_in_that_of_its_last_in_any_order(log: Path) -> None:
    found = seen(table(log, call(125), call(59.999999), call(61)))
    (profile,) = found.profiles.values()
    assert (profile.start, profile.length) == (TEN_MINUTE, 3)
    source = found.source
    assert (source.first, source.last) == (TEN_MINUTE * 60_000_000 + 59_999_999, (TEN_MINUTE * 60 + 125) * 1_000_000)


def test_streams_share_their_first_minute_and_length(log: Path) -> None:
    found = seen(table(log, call(0), call(200, deployment="search"), call(100)))
    assert {stream: (each.start, each.length) for stream, each in found.profiles.items()} == {
        CHAT: (TEN_MINUTE, 4),
        SEARCH: (TEN_MINUTE, 4),
    }
    assert rows_of(found.profiles[SEARCH]) == [minute(3, 1, 1000, 0, 0, 100)]


def test_since_is_included_and_until_is_not(log: Path) -> None:
    path = table(log, call(59.999999), call(60), call(119.999999), call(120))
    found = seen(path, since="2026-11-02T10:01Z", until="2026-11-02T10:02Z")
    assert found.rows == [minute(0, 2, 2000, 0, 0, 200)]
    assert found.skipped == {"outside_the_window": 2}
    assert (found.source.first, found.source.last) == (
        (TEN_MINUTE + 1) * 60_000_000,
        (TEN_MINUTE + 2) * 60_000_000 - 1,
    )


def test_since_and_until_stretch_the_log_with_idle_minutes(log: Path) -> None:
    found = seen(table(log, call(60)), since="2026-11-02T09:58Z", until="2026-11-02T10:05Z")
    (profile,) = found.profiles.values()
    assert (profile.start, profile.length) == (TEN_MINUTE - 2, 7)
    assert found.rows == [minute(3, 1, 1000, 0, 0, 100)]


def test_the_minute_in_which_until_falls_is_the_last(log: Path) -> None:
    path = table(log, call(0), call(70), call(80))
    found = seen(path, until="2026-11-02T10:01:20Z")
    assert [profile.length for profile in found.profiles.values()] == [2]
    assert found.rows == [minute(0, 1, 1000, 0, 0, 100), minute(1, 1, 1000, 0, 0, 100)]


def test_the_window_is_in_the_zone_that_was_given_and_on_a_relative_clock_it_is_numbers(log: Path) -> None:
    local = table(log, "2026-11-02 11:00:30.5,1,2", "2026-11-02 11:01:30.5,1,2", headings=PLAIN)
    found = seen(local, time_zone="Europe/Berlin", since="2026-11-02 11:01", until="2026-11-02 11:02")
    assert (found.skipped, found.source.first) == ({"outside_the_window": 1}, (TEN_MINUTE + 1) * 60_000_000)
    relative = table(log.parent / "relative.csv", "5.5,1,2", "70.5,1,2", "130.5,1,2", headings=PLAIN)
    found = seen(relative, since="60", until="120.5")
    assert (found.skipped, found.rows) == ({"outside_the_window": 2}, [minute(0, 1, 1, 0, 0, 2)])
    assert found.source.relative_clock


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"since": "yesterday"}, "--since: expected a time such as 2026-11-02T09:00Z, got yesterday"),
        (
            {"since": "2026-11-02T10:00Z", "until": "2026-11-02T10:00Z"},
            "--until: expected a time after --since 2026-11-02T10:00Z, got 2026-11-02T10:00Z",
        ),
    ],
)
def test_a_window_that_is_none_is_refused(given: dict[str, str], message: str, log: Path) -> None:
    assert refusal(table(log, call()), **given) == message


def test_a_window_without_calls_is_refused_with_what_there_was(log: Path) -> None:
    path = table(log, call(), call(61))
    assert refusal(path, since="2026-11-03T00:00Z") == (
        f"{path}, file: expected calls with input and output tokens in the window; the log is from 2026-11-02T10:00Z to "
        "2026-11-02T10:01Z, got outside the window: 2"
    )


def test_a_date_alone_is_its_first_instant(log: Path) -> None:
    path = table(log, call(-0.000001 - 36_000), call(-36_000), call(50_400 - 0.000001), call(50_400))
    found = seen(path, since="2026-11-02", until="2026-11-03")
    assert (found.skipped, found.total[0]) == ({"outside_the_window": 2}, 2)
    assert [profile.length for profile in found.profiles.values()] == [1440]


def test_prompts_over_a_threshold_are_kept_apart(log: Path) -> None:
    path = table(log, call(0, "100,0,1"), call(1, "101,101,1"), call(2, "200,0,1"), call(3, "201,1,1"))
    found = seen(path, thresholds=(100, 200))
    assert found.rows == [
        minute(0, 1, 100, 0, 0, 1),
        minute(0, 2, 200, 101, 0, 2, band=1),
        minute(0, 1, 200, 1, 0, 1, band=2),
    ]


def test_a_log_may_be_left_by_a_with_statement_or_closed_twice(log: Path) -> None:
    with read_log(table(log, call()), thresholds=(), formats=book()) as opened:
        assert isinstance(opened.source, LogSource)
    opened.close()


def test_the_thresholds_are_those_of_the_catalog_unless_given(log: Path) -> None:
    with read_log(table(log, call(0, "128000,0,1"), call(1, "128001,0,1"))) as opened:
        (profile,) = opened.profiles.values()
    assert 128_000 in profile.thresholds and 272_000 in profile.thresholds
    at = profile.thresholds.index(128_000)
    assert [row.band for row in profile.rows] == [at, at + 1]


# --- Throttled, failed and empty


def test_throttled_calls_without_tokens_are_demand_of_unknown_size(log: Path) -> None:
    rows = [
        call(0),
        call(1, ",,", status="429"),
        call(2, "0,0,0", status="429"),
        call(61, "500,,", status="429"),
        call(62, "500,0,20", status="429"),
    ]
    found = seen(table(log, *rows))
    assert found.rows == [minute(0, 1, 1000, 0, 0, 100, unsized=2), minute(1, 1, 500, 0, 0, 20, unsized=1)]
    assert (found.source.rows_used, found.skipped) == (5, {})


def test_other_failed_calls_count_only_with_tokens(log: Path) -> None:
    rows = [call(0), *(call(1, ",,", status=status) for status in ("400", "404", "500", "599", "failure", "Error"))]
    rows += [call(2, "0,0,0", status="503"), call(3, "10,0,1", status="500"), call(4, "10,0,1", status="failed")]
    found = seen(table(log, *rows))
    assert found.skipped == {"failed_call": 7}
    assert found.total == (3, 0, 1020, 0, 0, 102)


def test_a_call_of_no_tokens_that_did_not_fail_is_a_call_of_no_tokens(log: Path) -> None:
    found = seen(table(log, call(0), call(1, "0,0,0"), call(2, "0,0,0", status="399"), call(3, "0,0,0", status="")))
    assert (found.total, found.skipped) == ((4, 0, 1000, 0, 0, 100), {})


@pytest.mark.parametrize("nothing", ["", "n/a", "N/A", "null", "None", "-", "nan", "undefined", "  "])
def test_empty_is_never_zero(nothing: str, log: Path) -> None:
    found = seen(
        table(log, *[call(0)] * 200, call(1, f"{nothing},0,5"), call(2, f"5,0,{nothing}"), call(3, f"5,{nothing},5"))
    )
    assert found.skipped == {"no_token_counts": 2}
    assert found.total == (201, 0, 200_005, 0, 0, 20_005)
    assert found.finding("cached_missing").rows == 1


def test_only_throttled_calls_are_refused_for_nobody_knows_their_size(log: Path) -> None:
    path = table(log, call(0, ",,", status="429"), call(1, ",,", status="429"))
    assert refusal(path) == (
        f"{path}, file: expected calls with input and output tokens, got 2 throttled calls, whose tokens nobody knows"
    )


# --- Refused rather than guessed


def test_no_output_tokens_is_refused_with_the_metric_that_has_them(log: Path) -> None:
    path = table(log, call(0, "10,0,0"), call(1, "5,0,0"))
    assert refusal(path) == (
        f"{path}, output_tokens: expected output tokens: they weigh most (in Azure Monitor the metric is "
        "GeneratedTokens), got 0 on every row"
    )
    assert seen(table(log, call(0, "10,0,0"), call(1, "0,0,1"))).total == (2, 0, 10, 0, 0, 1)


def test_a_log_without_a_column_of_output_tokens_is_refused_with_the_columns_it_has(log: Path) -> None:
    message = refusal(table(log, f"{stamp()},5", headings="timestamp,input_tokens"))
    assert message.startswith(f"{log}, output_tokens: expected ")
    assert "--map output_tokens=" in message and "timestamp" in message


def test_only_total_tokens_is_refused(log: Path) -> None:
    message = refusal(table(log, f"{stamp()},5", headings="timestamp,total_tokens"))
    assert "input_tokens: expected" in message and "output_tokens: expected" in message


CACHED_MESSAGE = (
    "cached tokens that are part of the input tokens; if the input excludes them, as some tools log it: "
    "--input-excludes-cached; --skip-bad leaves those rows out"
)


def test_cached_tokens_above_the_input_are_refused_added_or_left_out(log: Path) -> None:
    path = table(log, *[call(0, "10,10,1")] * 3, call(1, "10,11,1"))
    message = refusal(path)
    assert message.startswith(
        f"{path}, cached_input_tokens: expected {CACHED_MESSAGE}, got more than the input on 1 row"
    )
    left = seen(path, skip_bad=True)
    assert (left.skipped, left.total) == ({"cached_above_input": 1}, (3, 0, 0, 30, 0, 3))
    added = seen(path, input_excludes_cached=True)
    assert (added.skipped, added.total) == ({}, (4, 0, 40, 41, 0, 4))


def test_one_unreadable_row_in_a_hundred_passes_and_more_do_not(log: Path) -> None:
    rows = [plain(1)] * 99
    found = seen(table(log, *rows, plain(1, "many"), headings=PLAIN))
    assert (found.skipped, found.total) == ({"unreadable_number": 1}, (99, 0, 99, 0, 0, 198))
    path = table(log, *rows[1:], plain(1, "many"), headings=PLAIN)
    assert refusal(path) == (
        f"{path}, rows: expected at most 1 % of rows that cannot be read (unreadable number: 1); --skip-bad leaves "
        "them out; the first of them is record 99, got 1 of 99"
    )
    assert seen(path, skip_bad=True).skipped == {"unreadable_number": 1}


def test_every_kind_of_unreadable_row_counts_and_a_stamp_that_is_none_is_shown(log: Path) -> None:
    bad = [plain(1, "many"), plain(1, -1), "tomorrow,1,2", ",1,2", f"{stamp()},1"]
    path = table(log, *[plain(1)] * 495, *bad, headings=PLAIN)
    kinds = {"unreadable_number": 1, "negative_number": 1, "unreadable_time": 1, "no_time": 1, "unreadable_row": 1}
    assert seen(path).skipped == kinds
    path = table(log, *[plain(1)] * 494, *bad, headings=PLAIN)
    assert refusal(path) == (
        f"{path}, rows: expected at most 1 % of rows that cannot be read (unreadable row: 1, no time: 1, unreadable time: "
        "1, unreadable number: 1, negative number: 1); --skip-bad leaves them out; a time that is none: tomorrow, expected "
        "an ISO 8601 date and time, such as 2026-11-02T10:00:00.125Z; the first of them is record 495, got 5 of 499"
    )


def test_calls_without_token_counts_may_be_one_in_a_hundred(log: Path) -> None:
    rows = [call(1)] * 99
    assert seen(table(log, *rows, call(1, ",,"))).skipped == {"no_token_counts": 1}
    path = table(log, *rows[1:], call(1, ",,"))
    assert refusal(path) == (
        f"{path}, token counts: expected token counts on at least 99 % of the calls: what the others weigh is not known "
        "(streamed calls carry usage only with stream_options include_usage); --skip-bad leaves them out, and demand is "
        "then too low, got none on 1 of 99 calls"
    )
    assert seen(path, skip_bad=True).skipped == {"no_token_counts": 1}


def test_all_that_is_wrong_with_a_log_is_said_at_once(log: Path) -> None:
    path = table(log, call(), call(1, ",,"), call(2, "1,2,3"), call(3, "x,2,3"))
    message = refusal(path)
    assert [word in message for word in ("rows: ", "token counts: ", "cached_input_tokens: ")] == [True] * 3


def test_a_date_that_could_be_either_order_is_refused(log: Path) -> None:
    path = table(log, '"2/11/2026, 9:19:25 AM",1,2', headings=PLAIN)
    assert refusal(path) == (
        f"{path}, timestamp: expected a date whose order is known: give --date-order mdy (month first) or dmy (day "
        "first), got 2/11/2026, 9:19:25 AM"
    )
    assert seen(path, date_order="dmy").source.first == 1_793_611_165_000_000  # 2 November, 09:19:25
    assert seen(path, date_order="mdy").source.first == 1_770_801_565_000_000  # 11 February, 264 days earlier


def test_buckets_of_more_than_five_minutes_are_refused(log: Path) -> None:
    path = table(
        log,
        *(f"2026-11-02T{hour}:00:00Z,1,10,1" for hour in (10, 11, 13)),
        headings="timestamp,requests,input_tokens,output_tokens",
    )
    assert refusal(path) == (
        f"{path}, bucket_seconds: expected buckets of a minute (at most 300 s): longer averages hide the peak; export "
        "with a grain of PT1M (or say how long a row's bucket is: --bucket-seconds 60), got 3,600 s between rows"
    )
    told = seen(path, bucket_seconds=60)
    assert told.rows == [minute(at, 1, 10, 0, 0, 1) for at in (0, 60, 180)]


def test_calls_and_buckets_together_are_refused(tmp_path: Path) -> None:
    calls = table(tmp_path / "calls.csv", call())
    buckets = table(tmp_path / "buckets.csv", f"{stamp()},60,1,10,1", headings=BUCKETS)
    assert refusal(calls, buckets) == (
        f"{calls}, {buckets}, file: expected one grain: logs of calls, or metrics, but not both at once, got calls and "
        "buckets together"
    )


def test_a_relative_clock_beside_a_calendar_is_refused_in_either_order(tmp_path: Path) -> None:
    calendar = table(tmp_path / "calls.csv", call())
    relative = table(tmp_path / "relative.csv", "1.5,1,2", "70,1,2", headings=PLAIN)
    for paths in ((calendar, relative), (relative, calendar)):
        message = refusal(*paths)
        assert "clock" in message and "Traceback" not in message


def test_no_files_are_refused() -> None:
    with pytest.raises(BadInput) as refused:
        read_log([])
    assert str(refused.value) == "file: expected a log, got (empty)"


# --- Buckets


def test_a_bucket_longer_than_a_minute_is_spread_over_its_minutes(log: Path) -> None:
    found = seen(table(log, f"{stamp()},300,10,1000,50", f"{stamp(300)},300,20,2000,100", headings=BUCKETS))
    (profile,) = found.profiles.values()
    assert (profile.length, profile.scale, profile.requests) == (10, 5, 30)
    assert found.rows == [minute(at, 10, 1000, 0, 0, 50) for at in range(5)] + [
        minute(at, 20, 2000, 0, 0, 100) for at in range(5, 10)
    ]
    assert found.finding("coarse_buckets").detail == "300"
    assert (found.source.grain, found.source.bucket_seconds) == ("bucket", 300)
    assert found.source.last == (TEN_MINUTE + 10) * 60_000_000 - 1


def test_the_length_of_a_bucket_is_what_its_column_says_not_the_gap_to_the_next(log: Path) -> None:
    found = seen(table(log, *(f"{stamp(at)},60,1,300,30" for at in (0, 300, 600)), headings=BUCKETS))
    assert found.rows == [minute(at, 1, 300, 0, 0, 30) for at in (0, 5, 10)]
    assert found.source.bucket_seconds == 60


def test_buckets_of_less_than_a_minute_add_up(log: Path) -> None:
    found = seen(table(log, *(f"{stamp(at)},10,1,300,30" for at in (0, 10, 50, 60)), headings=BUCKETS))
    assert found.rows == [minute(0, 3, 900, 0, 0, 90), minute(1, 1, 300, 0, 0, 30)]


def test_throttled_calls_of_a_bucket_are_demand_of_unknown_size(log: Path) -> None:
    headings = f"{BUCKETS},throttled_requests"
    found = seen(table(log, f"{stamp()},60,10,300,30,2", f"{stamp(60)},60,10,300,30,", headings=headings))
    assert found.rows == [minute(0, 10, 300, 0, 0, 30, unsized=2), minute(1, 10, 300, 0, 0, 30)]


def test_a_bucket_of_unknown_calls_is_no_long_prompt(log: Path) -> None:
    headings = "timestamp,bucket_seconds,input_tokens,output_tokens"
    found = seen(table(log, f"{stamp()},60,300000,30", f"{stamp(60)},60,5,30", headings=headings), thresholds=(1000,))
    assert {row[1] for row in found.rows} == {0}
    assert found.finding("requests_unknown").rows == 2


def test_the_band_of_a_bucket_is_that_of_its_mean_prompt(log: Path) -> None:
    rows = [f"{stamp()},60,3,3000,1", f"{stamp(60)},60,3,3003,1"]
    found = seen(table(log, *rows, headings=BUCKETS), thresholds=(1000,))
    assert found.rows == [minute(0, 3, 3000, 0, 0, 1), minute(1, 3, 3003, 0, 0, 1, band=1)]


def test_a_cache_rate_of_buckets_is_used_or_said_to_be_left_out(log: Path) -> None:
    headings = "timestamp,bucket_seconds,requests,input_tokens,cache_rate,output_tokens"
    found = seen(table(log, f"{stamp()},60,2,300,0.5,30", f"{stamp(60)},60,2,300,50%,30", headings=headings))
    assert found.total == (4, 0, 300, 300, 0, 60) or any("cache_rate" in str(each) for each in found.source.findings)


def test_calls_that_all_stand_on_whole_minutes_are_taken_for_buckets_and_said_to_be(log: Path) -> None:
    rows = [call(at) for at in (0, 0, 60, 120, 240)]
    found = seen(table(log, *rows))
    assert (found.source.grain, found.source.bucket_seconds) == ("bucket", 60)
    assert found.finding("whole_minutes").rows == 5
    assert seen(table(log, *rows, call(241))).source.grain == "request"


def test_one_bucket_alone_is_taken_for_a_minute_and_said_to_be(log: Path) -> None:
    headings = "timestamp,requests,input_tokens,output_tokens"
    found = seen(table(log, f"{stamp()},3,30,3", headings=headings))
    assert (found.source.bucket_seconds, found.finding("bucket_length_assumed").detail) == (60, "60")


# --- What was understood


def test_the_source_says_what_was_read_from_where(log: Path) -> None:
    source = seen(table(log, call(1), call(2, ",,", status="500"))).source
    assert (source.files, source.rows, source.rows_used, source.skipped) == ((str(log),), 2, 1, {"failed_call": 1})
    assert source.columns == {
        "timestamp": "timestamp",
        "deployment": "deployment",
        "input_tokens": "input_tokens",
        "cached_input_tokens": "cached_input_tokens",
        "output_tokens": "output_tokens",
        "status": "status",
    }
    assert (source.grain, source.bucket_seconds, source.relative_clock, source.time_zone) == (
        "request",
        None,
        False,
        "UTC",
    )
    assert (source.cached_known, source.verified, source.ids) == (True, True, "")


@pytest.mark.parametrize(
    ("first", "given", "zone"),
    [
        ("2026-11-02T10:00:00.5Z", {}, "UTC"),
        ("2026-11-02T10:00:00.5", {}, "UTC (assumed)"),
        ("2026-11-02T10:00:00.5", {"time_zone": "Asia/Tokyo"}, "Asia/Tokyo"),
        ("12.5", {}, "relative"),
    ],
)
def test_the_source_says_which_time_zone_was_read(first: str, given: dict[str, Any], zone: str, log: Path) -> None:
    assert seen(table(log, f"{first},1,2", headings=PLAIN), **given).source.time_zone == zone


def test_cached_tokens_are_known_only_where_some_row_says_them(log: Path) -> None:
    assert not seen(table(log, call(0, "1,,1"))).source.cached_known
    assert seen(table(log, call(0, "1,,1"), call(0, "1,0,1"))).source.cached_known
    assert not seen(table(log, plain(), headings=PLAIN)).source.cached_known


def test_equal_calls_at_one_instant_are_pointed_out_but_kept(log: Path) -> None:
    found = seen(table(log, call(0.5), call(0.5), call(0.5), call(1.5), call(2), call(2)))
    assert (found.finding("identical_rows").rows, found.total[0]) == (2, 6)  # at whole seconds nobody can tell
    assert "identical_rows" not in seen(table(log, call(0.5), call(0.5, "1,0,1"))).codes


def test_a_file_that_grows_while_it_is_read_is_pointed_out(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ptucalc.read import log_loading

    path = table(log, call(0.5))
    whole = log_loading.Loader.load

    def slowly(self: log_loading.Loader, batch: log_loading.Batch) -> None:
        whole(self, batch)
        with path.open("a") as stream:
            stream.write(call(1.5) + "\n")

    monkeypatch.setattr(log_loading.Loader, "load", slowly)
    assert seen(path).finding("file_changed").detail == str(path)


def test_nothing_is_left_behind(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    seen(table(log, call()))
    refusal(table(log, call(0, "1,2,3")))
    assert list((tmp_path / "t").iterdir()) == []


def test_several_thousand_calls_of_json_lines_whose_optional_keys_come_late_keep_them(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        {"timestamp": stamp(at / 100), "input_tokens": 10, "output_tokens": 1} for at in range(5000)
    ]
    for record in records[4900:]:
        record |= {"deployment": "late", "cached_input_tokens": 4}
    found = seen(json_lines(tmp_path / "log.jsonl", records))
    assert found.totals[NOBODY] == (4900, 0, 49_000, 0, 0, 4900)
    assert found.totals[Stream("late", "")] == (100, 0, 600, 400, 0, 100)


def test_a_length_of_buckets_for_rows_of_calls_is_refused(log: Path) -> None:
    assert "bucket" in refusal(table(log, call(0.5), call(70)), bucket_seconds=60)
