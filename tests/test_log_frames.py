"""Frames of calls to minutes: the same sums from every engine, and the refusals."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from zoneinfo import ZoneInfo

import pytest

pytest.importorskip("narwhals", reason="narwhals is not installed")

from ptucalc.demand_profile import DemandProfile, MinuteSums
from ptucalc.errors import BadInput
from ptucalc.read import log_frame_sums
from ptucalc.read.log_frames import FrameLog, profile_frame
from ptucalc.request_log import Finding, Stream, WindowMaxima

TRACE = Path(__file__).parents[2] / "shared" / "traces" / "AzureLLMInferenceTrace_code.csv"
ENGINES = ["pandas", "pyarrow", "polars", "polars-lazy", "duckdb", "pyspark"]
QUICK = ["pandas", "pyarrow", "polars-lazy", "duckdb"]
NAMES = ("timestamp", "deployment", "model", "input_tokens", "cached_input_tokens", "output_tokens", "status")
CHAT = Stream("chat-ptu", "gpt-x")
START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def spark():
    if find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed")
    if which("java") is None:
        pytest.skip("Java is not installed, which pyspark needs")
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("ptucalc tests")
    for key, value in {
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.fixture
def frame_of(request):
    """Makes a frame of an engine from rows (tuples) and names; skips where the engine is not installed."""

    def make(engine, rows, names=NAMES):
        library = engine.removesuffix("-lazy")
        pytest.importorskip(library, reason=f"{library} is not installed")
        columns = {name: [row[index] for row in rows] for index, name in enumerate(names)}
        if engine == "pandas":
            import pandas

            return pandas.DataFrame(columns)
        if engine.startswith("polars"):
            import polars

            frame = polars.DataFrame(columns, strict=False)
            return frame.lazy() if engine == "polars-lazy" else frame
        pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
        table = pyarrow.table(columns)
        if engine == "pyarrow":
            return table
        if engine == "duckdb":
            import duckdb

            connection = duckdb.connect()
            connection.execute("set timezone = 'Asia/Kathmandu'")
            connection.register("calls", table)
            return connection.table("calls")
        return request.getfixturevalue("spark").createDataFrame(table)

    return make


def call(seconds, *, deployment="chat-ptu", model="gpt-x", tokens=(100, 0, 10), status=200):
    """A row of `NAMES`: a call so many seconds after 09:00, with tokens (input, cached, output)."""
    return (START + timedelta(seconds=seconds), deployment, model, *tokens, status)


def refused(frame, **more):
    with pytest.raises(BadInput) as caught:
        profile_frame(frame, thresholds=(), **more)
    return [str(problem) for problem in caught.value.problems]


ROWS = [
    call(0.5, tokens=(1000, 400, 20)),
    call(59.999999, tokens=(3000, 0, 30)),
    call(60.25, tokens=(2000, 2000, 5)),
    call(61.5, tokens=(None, None, None), status=429),
    call(62.5, tokens=(0, 0, 0), status=429),
    call(62.75, tokens=(1500, 200, None), status=429),
    call(63.5, tokens=(700, None, 7), status=429),
    call(180.5, deployment="batch", model=None, tokens=(9, 0, 1), status=None),
    call(181.5, tokens=(None, None, None), status=500),
    call(182.5, tokens=(5, 0, 0), status=400),
]
"""Four minutes, the third idle; one call failed without tokens, three were throttled without (all) tokens."""


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_same_sums(engine, frame_of):
    log = FrameLog.of(frame_of(engine, ROWS), thresholds=(1000, 2000))
    start = 20_759 * 1440 + 540
    assert log.profiles == {
        Stream("batch", ""): DemandProfile(start, 4, (1000, 2000), (MinuteSums(3, 0, 1, 0, 9, 0, 0, 1),)),
        CHAT: DemandProfile(
            start,
            4,
            (1000, 2000),
            (
                MinuteSums(0, 0, 1, 0, 600, 400, 0, 20),
                MinuteSums(0, 2, 1, 0, 3000, 0, 0, 30),
                MinuteSums(1, 0, 1, 3, 700, 0, 0, 7),
                MinuteSums(1, 1, 1, 0, 0, 2000, 0, 5),
                MinuteSums(3, 0, 1, 0, 5, 0, 0, 0),
            ),
        ),
    }
    source = log.source
    assert (source.rows, source.rows_used, source.skipped) == (10, 9, {"failed_call": 1})
    assert (source.first, source.last) == (start * 60_000_000, (start + 4) * 60_000_000 - 1)
    assert (source.grain, source.bucket_seconds, source.relative_clock) == ("request", None, False)
    assert source.cached_known
    assert source.formats == (f"{engine.removesuffix('-lazy')} frame",)
    assert source.columns == {name: name for name in NAMES}


@pytest.mark.skipif(not TRACE.exists(), reason="the traces are not here")
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("engine", ENGINES)
def test_the_azure_code_trace_gives_its_published_sums(engine, frame_of):
    # ../shared/cases/traces.yaml: 8,819 rows, 18,059,974 and 245,896 tokens, 1,303,330 weighted (input + 4 x output)
    # in the busiest clock minute
    with TRACE.open(encoding="utf-8") as stream:
        names, *rows = csv.reader(stream)
    typed = [(text, int(tokens), int(output)) for text, tokens, output in rows]
    log = FrameLog.of(frame_of(engine, typed, names), thresholds=(4000,))
    (profile,) = log.profiles.values()
    assert log.profiles.keys() == {Stream("", "")}
    assert profile.requests == log.source.rows == 8819
    assert sum(row.uncached for row in profile.rows) == 18_059_974
    assert sum(row.output for row in profile.rows) == 245_896
    minutes = [0] * profile.length
    for row in profile.rows:
        minutes[row.minute] += row.uncached + 4 * row.output
    assert max(minutes) == 1_303_330
    over, under = (sum(row.requests for row in profile.rows if row.band == band) for band in (1, 0))
    assert over == sum(tokens > 4000 for _, tokens, _ in typed) == 8819 - under
    assert not log.source.cached_known


# Time


@pytest.mark.parametrize("engine", QUICK)
@pytest.mark.parametrize(
    ("stamps", "relative"),
    [
        (
            [
                "2026-11-02T09:00:59.9999999Z",
                "2026-11-02 10:01:00+01",
                " 2026-11-02T04:02:30-0500",
                "2026-11-02 09:03 UTC",
            ],
            False,
        ),
        (["2026-11-02 09:00:59", "2026-11-02 09:01:00.5", "2026-11-02 09:02", "2026-11-02T09:03:00+00:00"], False),
        ([1_793_610_059, 1_793_610_060, 1_793_610_120, 1_793_610_199], False),
        ([1_793_610_059.999999, 1_793_610_060.0, 1_793_610_121.5, 1_793_610_180.0], False),
        ([1_793_610_059_999, 1_793_610_060_000, 1_793_610_120_000, 1_793_610_180_001], False),
        ([1_793_610_059_999_999, 1_793_610_060_000_000, 1_793_610_120_000_001, 1_793_610_180_000_000], False),
        (
            [
                1_793_610_059_999_999_999,
                1_793_610_060_000_000_000,
                1_793_610_120_000_000_001,
                1_793_610_180_000_000_000,
            ],
            False,
        ),
        ([0, 60, 120, 181], True),
        ([59.75, 60.0, 120.5, 180.25], True),
    ],
)
def test_minutes_are_cut_exactly_whatever_the_times_are(engine, stamps, relative, frame_of):
    rows = [(stamp, 100 + index, 1) for index, stamp in enumerate(stamps)]
    log = FrameLog.of(frame_of(engine, rows, ("ts", "prompt_tokens", "completion_tokens")), thresholds=())
    (profile,) = log.profiles.values()
    assert profile.start == (None if relative else 20_759 * 1440 + 540)
    assert [(row.minute, row.uncached) for row in profile.rows] == [(0, 100), (1, 101), (2, 102), (3, 103)]
    assert log.source.relative_clock is relative


@pytest.mark.parametrize("engine", QUICK)
def test_an_epoch_just_after_the_least_that_is_believed(engine, frame_of):
    (profile,) = profile_frame(
        frame_of(engine, [(10**9, 1, 1), (10**9 + 60, 1, 1)], ("t", "in", "out")), thresholds=()
    ).values()
    assert (profile.start, profile.length) == (16_666_666, 2)  # 10^9 s are 16,666,666 minutes and 40 s


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("engine", ENGINES)
def test_an_hour_that_clocks_repeat_is_two_hours_of_instants(engine, frame_of):
    # Berlin went back from 03:00 +02:00 to 02:00 +01:00 on 2026-10-25, at 01:00 UTC
    first = datetime(2026, 10, 25, 0, 30, 15, tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))
    second = datetime(2026, 10, 25, 1, 30, 15, tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))
    frame = frame_of(engine, [(first, 1, 1), (second, 2, 1)], ("timestamp", "input_tokens", "output_tokens"))
    (profile,) = profile_frame(frame, thresholds=()).values()
    assert (profile.length, [row.minute for row in profile.rows]) == (61, [0, 60])
    assert profile.start == 20_751 * 1440 + 30


def test_a_spark_session_of_another_zone_gives_the_same_instants(spark, frame_of):
    rows = [(datetime(2026, 10, 25, hour, 30, 15, tzinfo=UTC), 1, 1) for hour in (0, 1)]
    frame = frame_of("pyspark", rows, ("timestamp", "input_tokens", "output_tokens"))
    spark.conf.set("spark.sql.session.timeZone", "Europe/Berlin")
    try:
        (profile,) = profile_frame(frame, thresholds=()).values()
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
    assert (profile.start, profile.length) == (20_751 * 1440 + 30, 61)


@pytest.mark.parametrize("engine", QUICK)
@pytest.mark.parametrize("text", [True, False])
def test_times_without_a_zone_are_in_the_one_that_is_given(engine, text, frame_of):
    stamps = [datetime(2026, 11, 2, 10, 0, 30), datetime(2026, 11, 2, 10, 1, 30)]  # noqa: DTZ001
    rows = [(stamp.isoformat() if text else stamp, 1, 1) for stamp in stamps]
    frame = frame_of(engine, rows, ("timestamp", "input_tokens", "output_tokens"))
    starts = {
        zone: FrameLog.of(frame, thresholds=(), time_zone=zone).profiles[Stream("", "")].start
        for zone in ("UTC", "Europe/Berlin", "+05:30")
    }
    at_ten = 20_759 * 1440 + 600
    assert starts == {"UTC": at_ten, "Europe/Berlin": at_ten - 60, "+05:30": at_ten - 330}


@pytest.mark.parametrize("engine", QUICK)
def test_minutes_that_clocks_skipped_are_no_times(engine, frame_of):
    stamps = [datetime(2026, 3, 29, 1, 59, 30), datetime(2026, 3, 29, 2, 30, 30)]  # noqa: DTZ001
    rows = [(stamps[0], 1, 1)] * 99 + [(stamps[1], 1, 1)]
    frame = frame_of(engine, rows, ("timestamp", "input_tokens", "output_tokens"))
    log = FrameLog.of(frame, thresholds=(), time_zone="Europe/Berlin")
    assert (log.source.rows_used, log.source.skipped) == (99, {"unreadable_time": 1})


def test_a_zone_that_does_not_exist_is_refused(frame_of):
    (message,) = refused(frame_of("pandas", ROWS), time_zone="Europe/Bielefeld")
    assert message.startswith("time_zone: expected a time zone such as UTC")


@pytest.mark.parametrize("engine", QUICK)
def test_whole_minutes_throughout_are_sums(engine, frame_of):
    rows = [(START + timedelta(minutes=minute), 100, 1) for minute in (0, 1, 3)]
    names = ("timestamp", "input_tokens", "output_tokens")
    source = FrameLog.of(frame_of(engine, rows, names), thresholds=()).source
    assert (source.grain, source.bucket_seconds) == ("bucket", 60)
    assert source.findings == (Finding("whole_minutes", 3),)
    one_more = [*rows, (START + timedelta(seconds=1), 1, 1)]
    assert FrameLog.of(frame_of(engine, one_more, names), thresholds=()).source.grain == "request"
    assert FrameLog.of(frame_of(engine, rows[:2], names), thresholds=()).source.grain == "request"


@pytest.mark.parametrize("engine", QUICK)
@pytest.mark.parametrize("text", [True, False])
def test_hourly_sums_are_refused(engine, text, frame_of):
    stamps = [START + timedelta(hours=hour) for hour in (0, 1, 5)]
    rows = [(f"{stamp:%Y-%m-%dT%H:%M:00.000Z}" if text else stamp, 100, 1) for stamp in stamps]
    frame = frame_of(engine, rows, ("timestamp", "input_tokens", "output_tokens"))
    assert refused(frame) == [
        "timestamp: expected one row per call, or per minute: longer sums hide the peak, "
        "got every time a multiple of 60 minutes"
    ]


# Rows that do not count, and refusals


@pytest.mark.parametrize("engine", QUICK)
def test_a_hundredth_of_rows_without_tokens_is_counted_and_left_out(engine, frame_of):
    rows = [call(index + 0.5) for index in range(99)] + [call(3, tokens=(5, 0, None))]
    source = FrameLog.of(frame_of(engine, rows), thresholds=()).source
    assert (source.rows, source.rows_used, source.skipped) == (100, 99, {"no_token_counts": 1})


@pytest.mark.parametrize("engine", QUICK)
def test_more_than_a_hundredth_without_tokens_is_refused(engine, frame_of):
    rows = [call(index + 0.5) for index in range(98)] + [call(3, tokens=(5, 0, None))]
    assert refused(frame_of(engine, rows)) == [
        "token counts: expected token counts on at least 99 % of the calls, got none on 1 of 99 rows"
    ]


@pytest.mark.parametrize("engine", QUICK)
def test_rows_without_a_time_are_left_out_up_to_a_hundredth(engine, frame_of):
    rows = [call(index + 0.5) for index in range(199)]
    late = (None, "chat-ptu", "gpt-x", 1, 0, 1, 200)
    source = FrameLog.of(frame_of(engine, [*rows, late]), thresholds=()).source
    assert (source.rows_used, source.skipped) == (199, {"no_time": 1})
    (message,) = refused(frame_of(engine, [*rows[:98], late]))
    assert message == (
        "timestamp: expected a time on at least 99 % of the rows: a date-time column, ISO 8601 text, or a number since "
        "1970 or the start, got none on 1 of 99 rows"
    )


@pytest.mark.parametrize("engine", QUICK)
@pytest.mark.parametrize(
    "stamp",
    ["11/2/2026, 9:00:00 AM", "2026-11-02", "2026-11-02T09:00:60Z", "2026-02-30T09:00:00Z", "2026-11-02T24:00:00Z"],
)
def test_text_that_is_no_time_is_counted(engine, stamp, frame_of):
    rows = [("2026-11-02T09:00:01Z", 1, 1)] * 99 + [(stamp, 1, 1)]
    source = FrameLog.of(frame_of(engine, rows, ("time", "input_tokens", "output_tokens")), thresholds=()).source
    assert (source.rows_used, source.skipped) == (99, {"unreadable_time": 1})
    (message,) = refused(frame_of(engine, rows[50:], ("time", "input_tokens", "output_tokens")))
    assert message.startswith("time: expected a time on at least 99 %") and message.endswith(
        "unreadable on 1 of 50 rows"
    )


@pytest.mark.parametrize("engine", QUICK)
@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ((100, 101, 1), "cached_input_tokens: expected cached and written tokens that are part of the input tokens; add them "
        "to the input if it excludes them, got more than the input on 1 of 1,001 rows"),
        ((-1, 0, 1), "token counts: expected counts of 0 or more, got below 0 on 1 of 1,001 rows"),
        ((1, -1, 1), "token counts: expected counts of 0 or more, got below 0 on 1 of 1,001 rows"),
        ((1, 0, -1), "token counts: expected counts of 0 or more, got below 0 on 1 of 1,001 rows"),
        ((1.5, 0, 1), "token counts: expected whole numbers, got fractions or over 10,000,000,000,000 on 1 of 1,001 rows"),
        ((float("inf"), 0, 1), "token counts: expected whole numbers, got fractions or over 10,000,000,000,000 on 1 of 1,001 rows"),
        ((10**13 + 1, 0, 1), "token counts: expected whole numbers, got fractions or over 10,000,000,000,000 on 1 of 1,001 rows"),
    ],
)  # fmt: skip
def test_one_row_that_cannot_be_is_enough(engine, tokens, message, frame_of):
    kind = type(tokens[0])
    rows = [call(index + 0.5, tokens=(kind(100), 0, 10)) for index in range(1000)] + [call(3, tokens=tokens)]
    assert refused(frame_of(engine, rows)) == [message]


@pytest.mark.parametrize("engine", QUICK)
def test_cached_tokens_may_be_all_of_the_input(engine, frame_of):
    (profile,) = profile_frame(frame_of(engine, [call(1, tokens=(100, 100, 1))]), thresholds=()).values()
    assert profile.rows == (MinuteSums(0, 0, 1, 0, 0, 100, 0, 1),)


@pytest.mark.parametrize("engine", QUICK)
def test_tokens_written_to_the_cache_are_a_class_of_their_own(engine, frame_of):
    names = ("timestamp", "input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
    frame = frame_of(engine, [(START, 100, 30, 20, 7), (START, 100, None, None, 7)], names)
    (profile,) = profile_frame(frame, thresholds=()).values()
    assert profile.rows == (MinuteSums(0, 0, 2, 0, 150, 30, 20, 14),)
    over = frame_of(engine, [(START, 100, 50, 51, 7)], names)
    assert "more than the input on 1 of 1 rows" in refused(over)[0]


@pytest.mark.parametrize("engine", ["pandas", "polars", "duckdb"])
def test_numbers_that_are_no_numbers_are_missing(engine, frame_of):
    rows = [call(index + 0.5, tokens=(100.0, 0.0, 10.0)) for index in range(99)]
    rows += [call(1, tokens=(float("nan"), float("nan"), float("nan")), status=429)]
    (profile,) = profile_frame(frame_of(engine, rows), thresholds=()).values()
    assert (profile.requests, profile.unsized) == (100, 1)


@pytest.mark.parametrize("engine", QUICK)
@pytest.mark.parametrize(
    ("status", "unsized", "failed"),
    [("429", 1, 0), (" 429 ", 1, 0), (429.0, 1, 0), ("500", 0, 1), ("404.0", 0, 1), ("Failure", 0, 1), (False, 0, 1),
     (399, 0, 0), ("4290", 0, 0), ("ok", 0, 0)],
)  # fmt: skip
def test_a_status_says_what_a_call_without_tokens_was(engine, status, unsized, failed, frame_of):
    good = {str: "200", float: 200.0, bool: True, int: 200}[type(status)]
    rows = [call(index + 0.5, status=good) for index in range(99)] + [call(1, tokens=(None, None, None), status=status)]
    log = FrameLog.of(frame_of(engine, rows), thresholds=())
    assert log.profiles[CHAT].unsized == unsized
    assert log.source.skipped == ({} if unsized else {"failed_call" if failed else "no_token_counts": 1})


@pytest.mark.parametrize("engine", QUICK)
def test_names_that_say_nothing_are_no_names(engine, frame_of):
    rows = [call(1, deployment=name) for name in ("a ", "a", None, "", "N/A", "null")]
    assert profile_frame(frame_of(engine, rows), thresholds=()).keys() == {Stream("", "gpt-x"), Stream("a", "gpt-x")}


@pytest.mark.parametrize("engine", QUICK)
def test_a_frame_without_output_tokens_is_refused(engine, frame_of):
    rows = [call(index + 0.5, tokens=(5, 0, 0)) for index in range(3)]
    assert refused(frame_of(engine, rows)) == [
        "output_tokens: expected output tokens: they weigh most, got 0 on every row"
    ]


@pytest.mark.parametrize("engine", QUICK)
def test_a_frame_of_throttled_calls_only_is_refused(engine, frame_of):
    rows = [call(index + 0.5, tokens=(0, 0, 0), status=429) for index in range(3)]
    assert refused(frame_of(engine, rows)) == ["frame: expected calls with input and output tokens, got throttled: 3"]


def test_a_frame_without_rows_is_refused(frame_of):
    frame = frame_of("polars", [call(1)]).head(0)
    assert refused(frame) == ["frame: expected calls with input and output tokens, got no rows"]
    numbers = frame_of("polars", [(1, 1, 1)], ("t", "in", "out")).head(0)
    assert refused(numbers) == ["frame: expected calls with input and output tokens, got no rows"]


@pytest.mark.parametrize("engine", QUICK)
def test_sums_beyond_what_floats_hold_are_exact(engine, frame_of):
    rows = [call(1, tokens=(10**13, 0, 1))] * 999 + [call(1, tokens=(10**13 - 1, 0, 1))]
    (profile,) = profile_frame(frame_of(engine, rows), thresholds=()).values()
    assert profile.rows[0].uncached == 10**16 - 1 > 2**53


@pytest.mark.parametrize("engine", QUICK)
@pytest.mark.parametrize("tokens", [(100, 0, 1), (5, 0, 100)])
def test_sums_that_may_leave_what_engines_add_up_in_are_refused(engine, tokens, frame_of, monkeypatch):
    monkeypatch.setattr(log_frame_sums, "SUM_LIMIT", 1000)
    rows = [call(1, tokens=tokens)] * 9
    assert profile_frame(frame_of(engine, rows), thresholds=())
    assert refused(frame_of(engine, [*rows, rows[0]])) == [
        "tokens: expected sums under 2^63 in a minute, got up to 100 in a call"
    ]


# Columns


def test_columns_are_found_by_their_usual_names(frame_of):
    names = ("TIMESTAMP", "ContextTokens", "GeneratedTokens", "Deployment Name")
    log = FrameLog.of(frame_of("polars", [(START, 5, 1, "d")], names), thresholds=())
    assert log.source.columns == {
        "timestamp": "TIMESTAMP",
        "deployment": "Deployment Name",
        "input_tokens": "ContextTokens",
        "output_tokens": "GeneratedTokens",
    }
    assert log.profiles.keys() == {Stream("d", "")}


def test_columns_that_are_given_come_first(frame_of):
    names = ("timestamp", "input_tokens", "other", "output_tokens")
    frame = frame_of("polars", [(START, 5, 6, 1)], names)
    (profile,) = profile_frame(frame, columns={"input_tokens": "other"}, thresholds=()).values()
    assert profile.rows[0].uncached == 6


def test_what_is_wrong_with_columns_is_said_at_once(frame_of):
    frame = frame_of("polars", [(START, "x", 1)], ("timestamp", "input_tokens", "answer_tokns"))
    assert refused(frame, columns={"mdl": "x", "model": "modle", "status": "answer_token"}) == [
        "columns: expected one of timestamp, deployment, model, input_tokens, cached_input_tokens, cache_write_tokens, "
        "output_tokens, status (model?), got mdl",
        "model: expected a column of the frame, got modle",
        "status: expected a column of the frame (answer_tokns?), got answer_token",
        "output_tokens: expected a column for it, or columns={'output_tokens': ...}; there are: timestamp, input_tokens, "
        "answer_tokns, got (empty)",
        "input_tokens: expected a column of whole numbers, got String",
    ]


def test_two_columns_of_one_name_are_refused(frame_of):
    frame = frame_of("polars", [(START, 5, 6, 1)], ("timestamp", "inputTokens", "input_tokens", "output_tokens"))
    assert refused(frame) == [
        "input_tokens: expected one column, or columns={'input_tokens': ...}, got inputTokens and input_tokens"
    ]
    assert profile_frame(frame, columns={"input_tokens": "inputTokens"}, thresholds=())


def test_a_frame_of_sums_is_refused(frame_of):
    names = ("timestamp", "input_tokens", "output_tokens", "Requests")
    frame = frame_of("polars", [(START, 5, 1, 3)], names)
    assert refused(frame) == [
        "frame: expected one row per call (write sums over several calls to a file and read that), got a column Requests"
    ]
    given = {name: name for name in names[:3]}
    assert profile_frame(frame, columns=given, thresholds=())


@pytest.mark.parametrize("value", [START.date(), True])
def test_a_time_that_is_none_is_refused(value, frame_of):
    frame = frame_of("polars", [(value, 5, 1)], ("timestamp", "input_tokens", "output_tokens"))
    (message,) = refused(frame)
    assert message.startswith("timestamp: expected a column of dates with time, of ISO 8601 text, or of numbers")


def test_numbers_of_two_sizes_are_refused(frame_of):
    frame = frame_of("polars", [(0, 5, 1), (1_793_610_059, 5, 1)], ("timestamp", "input_tokens", "output_tokens"))
    assert refused(frame) == ["timestamp: expected one layout in the whole column: another stamp is 0, got 1793610059"]


def test_the_limits_of_the_catalog_are_the_bands(frame_of):
    from ptucalc import load_catalog
    from ptucalc.log_models import thresholds_of

    (profile,) = profile_frame(frame_of("polars", [call(1)])).values()
    assert profile.thresholds == thresholds_of(load_catalog())


def test_windows_are_not_known_of_frames(frame_of):
    log = FrameLog.of(frame_of("polars", [call(1)]), thresholds=())
    nothing = WindowMaxima(None, None, None, "frames are reduced to minutes")
    assert log.window_maxima([{}, {}]) == [nothing, nothing]


def test_a_frame_is_left_as_it_was(frame_of):
    frame = frame_of("pandas", ROWS)
    before = frame.copy()
    profile_frame(frame, thresholds=())
    assert frame.equals(before)
    assert list(frame.columns) == list(NAMES)


@pytest.mark.parametrize("thing", [[1, 2], {"timestamp": [1]}, "log.csv", None])
def test_what_is_no_frame_is_a_programmers_mistake(thing):
    with pytest.raises(TypeError):
        profile_frame(thing, thresholds=())


@pytest.mark.parametrize("engine", QUICK)
@pytest.mark.parametrize("kind", ["date", "text", "number"])
def test_only_minutes_leave_the_engine(engine, kind, frame_of, monkeypatch):
    stamps = [START + timedelta(seconds=index, milliseconds=7) for index in range(120)]
    written = {"date": stamps, "text": [stamp.isoformat() for stamp in stamps]}
    written["number"] = [1_793_610_000_007 + 1000 * index for index in range(120)]
    rows = [(stamp, 100, 1) for stamp in written[kind]]
    collected = []
    taken = log_frame_sums.rows_of
    monkeypatch.setattr(log_frame_sums, "rows_of", lambda sums: collected.extend(taken(sums)) or collected)
    (profile,) = profile_frame(
        frame_of(engine, rows, ("timestamp", "input_tokens", "output_tokens")), thresholds=()
    ).values()
    assert len(collected) == profile.length == 2
