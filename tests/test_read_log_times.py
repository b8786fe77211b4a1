"""Time stamps of every kind in a log's rows: which minute they fall in, and what is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .log_files import PLAIN, TEN_MINUTE, json_lines, minute, plain, refusal, seen, stamp, table

NINE_40_01 = 1_793_612_401_000_000
"""2026-11-02 09:40:01 UTC in microseconds: 20 minutes less 1 s before 10:00, which is minute 29,893,560."""

assert NINE_40_01 == (TEN_MINUTE - 20) * 60_000_000 + 1_000_000


def first_of(path: Path, *stamps: str, **given: Any) -> int:
    found = seen(table(path / "log.csv", *(f"{each},1,2" for each in stamps), headings=PLAIN), **given)
    assert found.skipped == {}
    return found.source.first


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1793612401", 0),
        ("1793612401.0", 0),
        ("1793612401.000001", 1),
        ("1793612401.0000019", 1),
        ("1.793612401e9", 0),
        ("1793612401000", 0),
        ("1793612401000.9", 900),
        ("1793612401000000", 0),
        ("1793612401000000000", 0),
        ("1793612401000001999", 1),
        ("639292092010000000", 0),
        ("639292092010000019", 1),
        ("2026-11-02T09:40:01Z", 0),
        ("2026-11-02t09:40:01z", 0),
        ("2026-11-02 09:40:01.0000019 UTC", 1),
        ("2026-11-02 09:40:01.000001999", 1),
        ("2026-11-02T10:40:01+01:00", 0),
        ("2026-11-02T10:40:01+0100", 0),
        ("2026-11-02 04:40:01-05", 0),
        ("2026-11-03T00:10:01.5+14:30", 500_000),
        ('"11/2/2026, 9:40:01 AM"', None),
        ('"11/13/2026, 9:40:01.000 AM"', 11 * 86_400_000_000),
        ("13/11/2026 09:40:01", 11 * 86_400_000_000),
        ('"13/11/2026, 9:40:01\u202fPM"', 11 * 86_400_000_000 + 43_200_000_000),
    ],
)
def test_a_stamp_is_its_instant_floored_to_the_microsecond(text: str, us: int | None, tmp_path: Path) -> None:
    given = {"date_order": "mdy"} if us is None else {}
    assert first_of(tmp_path, text, **given) == NINE_40_01 + (us or 0)


def test_stamps_of_one_column_may_be_in_several_zones(tmp_path: Path) -> None:
    stamps = [
        "2026-11-02T12:00:00.5+02:00",
        "2026-11-02T10:01:00.5Z",
        "2026-11-02 05:02:00.5-05",
        "2026-11-02T10:03:00.5",
    ]
    found = seen(table(tmp_path / "log.csv", *(f"{each},1,2" for each in stamps), headings=PLAIN))
    assert found.rows == [minute(at, 1, 1, 0, 0, 2) for at in range(4)]


def test_an_hour_that_clocks_skip_is_no_time_and_one_they_repeat_is_taken_the_first_time(tmp_path: Path) -> None:
    rows = ["2026-03-29 01:30:00.5,1,2"] * 99 + ["2026-03-29 02:30:00.5,1,2"]
    found = seen(table(tmp_path / "gap.csv", *rows, headings=PLAIN), time_zone="Europe/Berlin")
    assert found.skipped == {"unreadable_time": 1}
    # 25 October 2026: 02:30 is 00:30 UTC (+02:00) the first time, 03:30 is 02:30 UTC (+01:00)
    rows = ["2026-10-25 02:30:00.5,1,2", "2026-10-25 03:30:00.5,1,2"]
    found = seen(table(tmp_path / "twice.csv", *rows, headings=PLAIN), time_zone="Europe/Berlin")
    assert [row[0] for row in found.rows] == [0, 120]
    assert found.source.first == (TEN_MINUTE - 8 * 1440 - 570) * 60_000_000 + 500_000


def test_a_leap_second_is_the_next_second_and_nowhere_else(tmp_path: Path) -> None:
    midnight = (TEN_MINUTE - 600) * 60_000_000
    assert first_of(tmp_path, "2026-11-01T23:59:60Z", "2026-11-02T00:00:00.5Z") == midnight
    rows = [plain(1)] * 99 + ["2026-11-02T11:59:60Z,1,2"]
    assert seen(table(tmp_path / "log.csv", *rows, headings=PLAIN)).skipped == {"unreadable_time": 1}


@pytest.mark.parametrize("last", ["2038-01-19T03:14:08Z", "2099-12-31T23:59:59Z"])
def test_years_to_come_are_years(last: str, tmp_path: Path) -> None:
    found = seen(table(tmp_path / "log.csv", f"{last},1,2", headings=PLAIN))
    known = {"2038-01-19T03:14:08Z": 2**31 * 10**6, "2099-12-31T23:59:59Z": 4_102_444_799 * 10**6}
    assert found.source.first == known[last]


def test_rows_may_be_in_any_order(tmp_path: Path) -> None:
    found = seen(table(tmp_path / "log.csv", *(plain(at) for at in (300.5, 0.5, 179.999999, 60)), headings=PLAIN))
    assert [row[0] for row in found.rows] == [0, 1, 2, 5]


def test_numbers_from_the_start_are_a_clock_without_a_calendar(tmp_path: Path) -> None:
    found = seen(table(tmp_path / "log.csv", "0,1,2", "59.9999999,1,2", "60,1,2", "7200.5,1,2", headings=PLAIN))
    (profile,) = found.profiles.values()
    assert (profile.start, profile.length, found.source.relative_clock) == (None, 121, True)
    assert [row[:3] for row in found.rows] == [(0, 0, 2), (1, 0, 1), (120, 0, 1)]
    assert (found.source.first, found.source.last) == (0, 7_200_500_000)


def test_a_relative_clock_does_not_go_below_its_start(tmp_path: Path) -> None:
    rows = [{"timestamp": at, "input_length": 1, "output_length": 2, "hash_ids": []} for at in [5000] * 200 + [-5]]
    found = seen(json_lines(tmp_path / "log.jsonl", rows))
    assert (found.skipped, found.source.first) == ({"unreadable_time": 1}, 5_000_000)


@pytest.mark.parametrize("odd", ["1793612401000", "0", "-1", "1e30", "tomorrow", "2026-11-02T10:00:00Z"])
def test_a_number_of_another_size_than_the_others_is_no_time(odd: str, tmp_path: Path) -> None:
    rows = ["1793612401,1,2"] * 250 + [f"{odd},1,2"]
    assert seen(table(tmp_path / "log.csv", *rows, headings=PLAIN)).skipped == {"unreadable_time": 1}


@pytest.mark.parametrize(
    ("stamps", "words"),
    [
        (("11/13/2026 9:00", "13/11/2026 9:00"), "expected one order of day and month in the whole column: another stamp is 13/11/2026 9:00, got 11/13/2026 9:00"),
        ((stamp(), "1793612401"), "expected one layout in the whole column: another stamp is "),
        (("500000000000",), "expected a number whose size tells its unit: seconds from the start, or s, ms, us, ns of Unix, got 500000000000"),
        (("yesterday",), "expected a time stamp: ISO 8601, month/day/year and a time, or a number since 1970 or the start, got yesterday"),
    ],
    ids=["both-orders", "two-layouts", "no-unit", "no-stamp"],
)  # fmt: skip
def test_times_that_cannot_be_told_are_refused(stamps: tuple[str, ...], words: str, tmp_path: Path) -> None:
    path = table(tmp_path / "log.csv", *(f"{each},1,2" for each in stamps), headings=PLAIN)
    message = refusal(path)
    assert message.startswith(f"{path}, timestamp: expected ") and words in message


def test_an_order_that_the_dates_contradict_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "log.csv", "13/11/2026 9:00,1,2", headings=PLAIN)
    assert refusal(path, date_order="mdy") == (
        f"{path}, timestamp: expected month/day/year, as --date-order mdy says; if the day is first, give --date-order "
        "dmy, got 13/11/2026 9:00"
    )


def test_a_zone_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "log.csv", "2026-11-02 10:00:00,1,2", headings=PLAIN)
    message = refusal(path, time_zone="Mars/Olympus")
    assert "time_zone" in message or "--time-zone" in message
    assert message.endswith("expected a time zone such as UTC, Europe/Berlin or +02:00, got Mars/Olympus")


def test_dates_further_down_that_settle_the_order_are_believed_from_the_first_rows_only_if_shown(
    tmp_path: Path,
) -> None:
    """The first rows could be either order: refused, whatever comes further down."""
    rows = ["2/11/2026 9:00:01,1,2"] * 300 + ["13/11/2026 9:00:01,1,2"]
    path = table(tmp_path / "log.csv", *rows, headings=PLAIN)
    message = refusal(path)
    assert "--date-order mdy (month first) or dmy (day first)" in message


def test_dates_further_down_that_contradict_the_order_are_no_times(tmp_path: Path) -> None:
    rows = ["11/13/2026 9:00:01,1,2"] * 300 + ["13/11/2026 9:00:01,1,2"]
    assert seen(table(tmp_path / "log.csv", *rows, headings=PLAIN)).skipped == {"unreadable_time": 1}
