"""Time stamps: the layout of a column, and what a stamp in it means, to the microsecond."""

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.errors import BadInput
from ptucalc.time_zones import DAY, ZoneSpan, wall_offset_us, zone_of, zone_spans
from ptucalc.timestamps import TimeLayout, layout_of, parse_us

ISO = TimeLayout("iso")
US = TimeLayout("us_text")
DAY_FIRST = TimeLayout("day_first_text")
SECOND, HOUR = 10**6, 3600 * 10**6

NOON = 1_793_613_600 * SECOND
"""2026-11-02T10:00:00Z, worked by hand: 20,759 days of 86,400 s and ten hours after 1970-01-01."""


def test_the_stamp_that_the_others_are_told_by():
    # 56 years from 1970 to 2026 with 14 leap days; to 2 November another 305 days
    assert (56 * 365 + 14 + 305) * 86_400 + 10 * 3600 == 1_793_613_600


def number(unit, **more):
    return TimeLayout("number", unit, **more)


def refused(call, *arguments, **more):
    with pytest.raises(BadInput) as caught:
        call(*arguments, **more)
    return [str(problem) for problem in caught.value.problems]


def expected_of(text, layout):
    with pytest.raises(ValueError, match=r".") as caught:
        parse_us(text, layout)
    return str(caught.value)


# ISO 8601


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-02T10:00:00Z",
        "2026-11-02 10:00:00",
        "2026-11-02T10:00",
        "2026-11-02t10:00:00z",
        "2026-11-02 10:00:00 UTC",
        "2026-11-02 10:00:00 +00",
        "2026-11-02T12:00:00+02:00",
        "2026-11-02T12:00:00+0200",
        "2026-11-02 12:00:00+02",
        "2026-11-02T04:30:00-05:30",
        "2026-11-02T00:00:00-10:00",
        "2026-11-03T00:00:00+14:00",
        "  2026-11-02T10:00:00.0Z ",
    ],
)
def test_one_instant_in_many_spellings(text):
    assert parse_us(text, ISO) == NOON


@pytest.mark.parametrize(
    ("fraction", "us"),
    [
        (".1", 100_000),
        (".125", 125_000),
        (".000001", 1),
        (".0000019", 1),
        (".9999999", 999_999),
        (".999999999", 999_999),
        (".000000999", 0),
    ],
)
def test_fractions_are_cut_to_the_microsecond(fraction, us):
    assert parse_us(f"2026-11-02T10:00:00{fraction}Z", ISO) == NOON + us


def test_before_1970_a_stamp_is_still_floored():
    assert parse_us("1969-12-31T23:59:59.9999999Z", ISO) == -1
    assert parse_us("0001-01-01T00:00:00Z", ISO) == -719_162 * DAY


@pytest.mark.parametrize(
    ("text", "days"),
    [("2038-01-19T00:00:00Z", 24_855), ("2100-03-01T00:00:00Z", 47_541), ("2000-02-29T00:00:00Z", 11_016)],
)
def test_years_near_the_limits_of_other_clocks(text, days):
    # 2038: 68 years with 17 leap days, and 18 days; 2100 is no leap year: 130 x 365 + 32 + 59; 2000: 30 x 365 + 7 + 59
    assert parse_us(text, ISO) == days * DAY


def test_a_leap_second_is_the_start_of_the_next_whatever_its_fraction():
    new_year = parse_us("2017-01-01T00:00:00Z", ISO)
    assert parse_us("2016-12-31T23:59:60Z", ISO) == new_year
    assert parse_us("2016-12-31T23:59:60.999Z", ISO) == new_year
    assert parse_us("2017-01-01T01:59:60+02:00", ISO) == new_year
    assert parse_us("2016-12-31T23:59:59.999999Z", ISO) == new_year - 1


@pytest.mark.parametrize("text", ["2016-12-31T23:58:60Z", "2016-12-31T22:59:60Z", "2016-12-31T23:59:60+01:00"])
def test_a_leap_second_elsewhere_is_refused(text):
    assert expected_of(text, ISO).endswith("; leap seconds are at 23:59:60 UTC only")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-02T24:00:00Z",
        "2026-11-02T10:60:00Z",
        "2026-11-02T10:00:61Z",
        "2026-13-02T10:00:00Z",
        "2026-02-29T10:00:00Z",
        "0000-01-01T00:00:00Z",
    ],
)
def test_what_no_clock_shows_is_refused(text):
    assert expected_of(text, ISO) == (
        "an ISO 8601 date and time, such as 2026-11-02T10:00:00.125Z; there is no such date or time"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-02",
        "2026-11-02T10:00:00,5Z",
        "2026-11-02T10:00:00.Z",
        "2026-11-02T10:00:00.1234567890Z",
        "2026-11-2T10:00:00Z",
        "2026-11-02T10:00:00 CET",
        "11/2/2026, 10:00:00 AM",
        "٢٠٢٦-11-02T10:00:00Z",
        "2026-11-02T10:00:00Z\n2026-11-02T10:00:00Z",
    ],
)
def test_what_is_not_iso_is_refused(text):
    assert expected_of(text, ISO) == "an ISO 8601 date and time, such as 2026-11-02T10:00:00.125Z"


@pytest.mark.parametrize("offset", ["+24:00", "+02:60", "-99"])
def test_an_offset_that_cannot_be_is_refused(offset):
    assert expected_of(f"2026-11-02T10:00:00{offset}", ISO).endswith(f"; there is no offset {offset}")


@given(
    st.datetimes(timezones=st.just(UTC) | st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m)))),
    st.sampled_from(["T", " "]),
)
def test_every_datetime_reads_as_itself(moment, separator):
    us = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert parse_us(moment.isoformat(separator), ISO) == us


# Dates with slashes


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("11/2/2026, 10:00:00.000 AM", 0),
        ("11/2/2026 10:00 AM", 0),
        ("11/02/2026, 10:00:00", 0),
        ("11/2/2026, 10:00:00.125\u202fam", 125_000),
        ("11/2/2026, 12:00:00 AM", -10 * HOUR),
        ("11/2/2026, 12:59:59.999 AM", -9 * HOUR - 1000),
        ("11/2/2026, 12:00:00 PM", 2 * HOUR),
        ("11/2/2026, 1:00 PM", 3 * HOUR),
        ("11/2/2026, 11:59:59.9999999 PM", 14 * HOUR - 1),
        ("11/2/2026 13:00", 3 * HOUR),
    ],
)
def test_portal_stamps_with_noon_and_midnight(text, us):
    assert parse_us(text, US) == NOON + us


def test_the_day_comes_first_where_the_layout_says_so():
    assert parse_us("2/11/2026, 10:00:00 AM", DAY_FIRST) == NOON
    assert parse_us("02/11/2026 10:00:00", DAY_FIRST) == NOON
    assert parse_us("2/11/2026, 10:00:00 AM", US) == NOON - 264 * DAY  # 11 February


@pytest.mark.parametrize("text", ["11/2/2026, 0:15 AM", "11/2/2026, 13:00 PM"])
def test_hours_that_a_12_hour_clock_does_not_show(text):
    assert expected_of(text, US).endswith("; 12-hour clocks show 1 to 12")


@pytest.mark.parametrize("text", ["25/2/2026, 1:00 AM", "0/2/2026, 1:00 AM", "11/31/2026, 1:00 AM"])
def test_a_date_that_does_not_fit_its_order_is_refused(text):
    assert expected_of(text, US).endswith("; there is no such date or time")


@pytest.mark.parametrize("text", ["11/2/26, 1:00 AM", "11/2/2026", "11-2-2026 1:00", "11/2/2026, 1 AM", "1793613600"])
def test_what_is_no_portal_stamp_is_refused(text):
    assert expected_of(text, US) == "month/day/year and a time, such as 11/2/2026, 10:00:00.125 AM"


# Numbers


@pytest.mark.parametrize(
    ("text", "layout", "us"),
    [
        ("1793613600", number("s"), NOON),
        ("1793613600.0", number("s"), NOON),
        ("1.7936136e9", number("s"), NOON),
        ("1787267980.0827403", number("s"), 1_787_267_980_082_740),
        ("1787267980.0827409999", number("s"), 1_787_267_980_082_740),
        ("1793613600000.9999", number("ms"), NOON + 999),
        ("1793613600000001", number("us"), NOON + 1),
        ("1793613600000001999", number("ns"), NOON + 1),
        ("-1", number("ns"), -1),
        ("19440110.0", number("s", relative=True), 19_440_110 * SECOND),
        ("3052.", number("ms", relative=True), 3_052_000),
        (".5", number("s", relative=True), 500_000),
        ("0", number("s", relative=True), 0),
        ("621355968000000000", number("ticks"), 0),
        ("638515262815394159", number("ticks"), 1_715_929_481_539_415),
    ],
)
def test_numbers_are_exact(text, layout, us):
    assert parse_us(text, layout) == us


def test_ticks_count_from_the_year_one():
    # the sample's 638515262815394150 ticks: 63,851,526,281.539415 s after 0001-01-01, which is 62,135,596,800 s before 1970
    assert 63_851_526_281_539_415 - 62_135_596_800 * SECOND == 1_715_929_481_539_415


@pytest.mark.parametrize(
    "text", ["", "x", "1,793,613,600", "0x10", "nan", "inf", "1_000", "1e100", "2026-11-02T10:00:00Z"]
)
def test_what_is_no_number_is_refused(text):
    assert expected_of(text, number("s")) == "a number of seconds since 1970-01-01"


def test_a_number_that_leaves_the_calendar_is_refused():
    last = 253_402_300_799  # 9999-12-31T23:59:59Z
    assert parse_us(str(last), number("s")) == last * SECOND
    assert (
        expected_of(str(last + 1), number("s"))
        == "a number of seconds since 1970-01-01, of a size as in the other rows"
    )


def test_a_relative_clock_runs_for_a_thousand_million_seconds():
    relative = number("ms", relative=True)
    assert parse_us("999999999999.999", relative) == 10**15 - 1
    assert expected_of("1000000000000", relative).startswith("a number of milliseconds since the start, of a size")


def test_a_unit_told_from_magnitude_holds_for_its_range_only():
    told = layout_of(["1793613600", "1793613601"])
    assert parse_us("1000000000", told) == 10**15
    assert expected_of("999999999", told).endswith("of a size as in the other rows")
    assert expected_of("0", told).endswith("of a size as in the other rows")
    assert expected_of("1793613600000", told).endswith("of a size as in the other rows")
    given = layout_of(["1793613600"], unit="s")
    assert parse_us("0", given) == 0


@given(st.integers(-62_135_596_800 * SECOND, 253_402_300_800 * SECOND - 1), st.integers(0, 999))
def test_units_agree_on_every_microsecond(us, nanoseconds):
    assert parse_us(str(us), number("us")) == us
    assert parse_us(str(us * 1000 + nanoseconds), number("ns")) == us
    assert parse_us(str(us * 10 + 621_355_968_000_000_000), number("ticks")) == us
    sign, size = ("-", -us) if us < 0 else ("", us)
    assert parse_us(f"{sign}{size // SECOND}.{size % SECOND:06}", number("s")) == us
    assert Fraction(us, 1000) - Fraction(parse_us(f"{sign}{size // 1000}", number("ms")), 1000) < 1000


# Layouts


def test_text_and_numbers_are_told_apart():
    assert layout_of(["2026-11-02T10:00:00Z", ""]) == ISO
    assert layout_of(["2026-11-02 10:00:00"]) == TimeLayout("iso", naive=True)
    assert layout_of(["2026-11-02 10:00:00Z", "2026-11-02 10:00:00"]) == TimeLayout("iso", naive=True)
    assert layout_of(["11/13/2026, 10:00:00 AM"]) == TimeLayout("us_text", naive=True)
    assert layout_of(["13/11/2026, 10:00:00 AM"]) == TimeLayout("day_first_text", naive=True)
    assert layout_of([" 1793613600 "]) == number("s", by_magnitude=True)


@pytest.mark.parametrize(
    ("sample", "unit", "relative"),
    [
        ("0", "s", True),
        ("0.0", "s", True),
        ("28900000", "s", True),
        ("999999999.999", "s", True),
        ("1000000000", "s", False),
        ("99999999999", "s", False),
        ("1000000000000", "ms", False),
        ("99999999999999.5", "ms", False),
        ("1000000000000000", "us", False),
        ("99999999999999999", "us", False),
        ("600000000000000000", "ticks", False),
        ("638515262815394150", "ticks", False),
        ("699999999999999999", "ticks", False),
        ("1000000000000000000", "ns", False),
        ("2999999999999999999", "ns", False),
    ],
)
def test_a_numbers_size_tells_its_unit(sample, unit, relative):
    assert layout_of([sample]) == number(unit, relative=relative, by_magnitude=True)
    parse_us(sample, layout_of([sample]))


@pytest.mark.parametrize(
    "sample",
    ["-1", "100000000000", "999999999999", "100000000000000", "599999999999999999", "700000000000000000", "3e18"],
)
def test_a_number_between_the_units_is_refused(sample):
    assert refused(layout_of, [sample]) == [
        "timestamp: expected a number whose size tells its unit: seconds from the start, or s, ms, us, ns of Unix, "
        f"got {sample}"
    ]


def test_the_format_knows_better_than_the_size():
    assert layout_of(["1793613600"], unit="ms_relative") == number("ms", relative=True)
    assert layout_of(["27"], unit="s_relative") == number("s", relative=True)
    assert layout_of(["27"], unit="ns") == number("ns")
    assert layout_of(["2026-11-02T10:00:00Z"], unit="s_relative") == ISO


@pytest.mark.parametrize("unit", ["minutes", "ticks_relative", "_relative", ""])
def test_a_unit_that_does_not_exist_is_a_programmers_mistake(unit):
    with pytest.raises(ValueError, match="no unit of time"):
        layout_of(["27"], unit=unit)


def test_rubbish_among_stamps_is_left_to_the_reader_of_rows():
    assert layout_of(["n/a", "", "2026-11-02T10:00:00Z", "2026-13-99T10:00:00Z"]) == ISO


@pytest.mark.parametrize(("samples", "found"), [([], "(empty)"), (["", " "], "(empty)"), (["n/a", "yes"], "n/a")])
def test_a_column_without_a_stamp_is_refused(samples, found):
    assert refused(layout_of, samples) == [
        "timestamp: expected a time stamp: ISO 8601, month/day/year and a time, or a number since 1970 or the start, "
        f"got {found}"
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2026-11-02T10:00:00Z", "11/2/2026, 10:00:00 AM"),
        ("2026-11-02T10:00:00Z", "1793613600"),
        ("1793613600", "1793613600000"),
        ("1793613600", "0"),
    ],
)
def test_two_layouts_in_one_column_are_refused_with_an_example_of_each(first, second):
    assert refused(layout_of, [first, first, second]) == [
        f"timestamp: expected one layout in the whole column: another stamp is {first}, got {second}"
    ]


def test_dates_of_unknown_order_are_refused():
    assert refused(layout_of, ["11/2/2026, 10:00:00 AM", "12/12/2026, 1:00 PM"]) == [
        "timestamp: expected a date whose order is known: give --date-order mdy (month first) or dmy (day first), "
        "got 11/2/2026, 10:00:00 AM"
    ]


def test_one_field_over_12_tells_the_order_of_all():
    assert layout_of(["11/2/2026 1:00", "11/13/2026 1:00"]).kind == "us_text"
    assert layout_of(["11/2/2026 1:00", "13/11/2026 1:00"]).kind == "day_first_text"


def test_the_utc_tag_means_month_first_and_utc():
    tagged = layout_of(["11/2/2026, 10:00:00 AM"], tagged="UTC", zone="Europe/Berlin")
    assert tagged == TimeLayout("us_text")
    assert layout_of(["2026-11-02 10:00:00"], tagged="UTC", zone="Europe/Berlin") == ISO


def test_the_local_tag_tells_neither_order_nor_zone():
    assert refused(layout_of, ["11/2/2026, 10:00:00 AM"], tagged="local")
    local = layout_of(["11/13/2026, 10:00:00 AM"], tagged="local", zone="Europe/Berlin")
    assert local == TimeLayout("us_text", zone="Europe/Berlin", naive=True)


def test_the_user_overrules_the_tag():
    assert layout_of(["2/11/2026 1:00"], tagged="UTC", date_order="dmy").kind == "day_first_text"
    assert layout_of(["2/11/2026 1:00"], date_order="mdy").kind == "us_text"


@pytest.mark.parametrize(
    ("samples", "given", "message"),
    [
        (
            ["13/11/2026 1:00", "11/13/2026 1:00"],
            {},
            "one order of day and month in the whole column: another stamp is 13/11/2026 1:00, got 11/13/2026 1:00",
        ),
        (
            ["13/11/2026 1:00"],
            {"tagged": "UTC"},
            "month/day/year, as the tag [UTC] in the heading says; if the day is first, give --date-order dmy, "
            "got 13/11/2026 1:00",
        ),
        (
            ["13/11/2026 1:00"],
            {"date_order": "mdy"},
            "month/day/year, as --date-order mdy says; if the day is first, give --date-order dmy, got 13/11/2026 1:00",
        ),
        (
            ["11/13/2026 1:00"],
            {"date_order": "dmy"},
            "day/month/year, as --date-order dmy says; if the month is first, give --date-order mdy, "
            "got 11/13/2026 1:00",
        ),
    ],
)
def test_a_date_that_contradicts_its_order_is_refused(samples, given, message):
    assert refused(layout_of, samples, **given) == [f"timestamp: expected {message}"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "number"},
        {"kind": "iso", "unit": "s"},
        {"kind": "number", "unit": "h"},
        {"kind": "iso", "relative": True},
    ],
)
def test_a_layout_that_cannot_be_is_a_programmers_mistake(wrong):
    with pytest.raises(ValueError, match="numbers have a unit"):
        TimeLayout(**wrong)


# Time zones


def berlin(text, kind="iso"):
    return parse_us(text, TimeLayout(kind, zone="Europe/Berlin"))


def test_naive_stamps_are_in_the_zone_of_the_layout():
    assert berlin("2026-11-02 11:00:00") == NOON
    assert berlin("11/2/2026, 11:00:00 AM", "us_text") == NOON
    assert berlin("2026-07-01 12:00:00") == parse_us("2026-07-01T10:00:00Z", ISO)
    assert parse_us("2026-11-02 12:00:00", TimeLayout("iso", zone="+02:00")) == NOON
    assert parse_us("2026-11-02 05:00", TimeLayout("iso", zone="-0500")) == NOON


def test_a_stamp_with_its_own_zone_keeps_it():
    assert berlin("2026-11-02T10:00:00Z") == NOON
    assert berlin("2026-11-02T05:00:00-05:00") == NOON


def test_the_repeated_hour_is_taken_the_first_time():
    # clocks in Berlin went from 03:00 +02:00 back to 02:00 +01:00 on 2026-10-25, at 01:00 UTC
    first = parse_us("2026-10-25T00:00:00Z", ISO)
    assert berlin("2026-10-25 01:59:59.999999") == first - 1
    assert berlin("2026-10-25 02:00:00") == first
    assert berlin("2026-10-25 02:59:59.999999") == first + HOUR - 1
    assert berlin("2026-10-25 03:00:00") == first + 2 * HOUR


def test_the_skipped_hour_is_refused():
    # clocks in Berlin went from 02:00 +01:00 to 03:00 +02:00 on 2026-03-29, at 01:00 UTC
    change = parse_us("2026-03-29T01:00:00Z", ISO)
    assert berlin("2026-03-29 01:59:59.999999") == change - 1
    assert berlin("2026-03-29 03:00:00") == change
    for text in ("2026-03-29 02:00:00", "2026-03-29 02:59:59.999999"):
        assert expected_of(text, TimeLayout("iso", zone="Europe/Berlin")).endswith(
            "; clocks in Europe/Berlin skipped that hour"
        )


@pytest.mark.parametrize("name", ["Europe/Bielefeld", "Europe", "", "../etc/passwd", "+24:00", "+02:60", "/etc"])
def test_a_zone_that_does_not_exist_is_refused(name):
    (message,) = refused(zone_of, name)
    assert message.startswith("time_zone: expected a time zone such as UTC, Europe/Berlin or +02:00, got")
    assert refused(layout_of, ["2026-11-02 10:00:00"], zone=name) == [message]


def test_a_stretch_without_a_change_of_clocks_is_one_span():
    assert zone_spans(NOON, NOON, "UTC") == (ZoneSpan(NOON, 0),)
    assert zone_spans(NOON, NOON + DAY, "Europe/Berlin") == (ZoneSpan(NOON, HOUR),)
    assert zone_spans(NOON, NOON + DAY, "-05:30") == (ZoneSpan(NOON, -5 * HOUR - HOUR // 2),)


def test_spans_around_the_repeated_hour():
    midnight = parse_us("2026-10-25T00:00:00Z", ISO)  # read as the wall clock
    assert zone_spans(midnight, midnight + DAY, "Europe/Berlin") == (
        ZoneSpan(midnight, 2 * HOUR),
        ZoneSpan(midnight + 2 * HOUR, 2 * HOUR, repeated=True),
        ZoneSpan(midnight + 3 * HOUR, HOUR),
    )
    within = midnight + 2 * HOUR + 1
    assert zone_spans(within, within, "Europe/Berlin") == (ZoneSpan(within, 2 * HOUR, repeated=True),)


def test_spans_around_the_skipped_hour():
    midnight = parse_us("2026-03-29T00:00:00Z", ISO)
    assert zone_spans(midnight, midnight + 3 * HOUR, "Europe/Berlin") == (
        ZoneSpan(midnight, HOUR),
        ZoneSpan(midnight + 2 * HOUR, None),
        ZoneSpan(midnight + 3 * HOUR, 2 * HOUR),
    )
    assert zone_spans(midnight, midnight + 3 * HOUR - 1, "Europe/Berlin")[-1] == ZoneSpan(midnight + 2 * HOUR, None)


def test_samoa_skipped_a_whole_day():
    day = parse_us("2011-12-30T00:00:00Z", ISO)
    assert zone_spans(day - 1, day + DAY, "Pacific/Apia") == (
        ZoneSpan(day - 1, -10 * HOUR),
        ZoneSpan(day, None),
        ZoneSpan(day + DAY, 14 * HOUR),
    )


def test_spans_are_wanted_forwards_within_the_calendar():
    for first, last in ((1, 0), (-719_162 * DAY - 1, 0), (0, 2_932_897 * DAY)):
        with pytest.raises(ValueError, match="from one wall-clock time to a later one"):
            zone_spans(first, last, "Europe/Berlin")
    assert len(zone_spans(-719_162 * DAY, 2_932_897 * DAY - 1, "UTC")) == 1


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2060, 1, 1)),  # noqa: DTZ001 - wall clocks
    st.sampled_from(
        [
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "America/St_Johns",
            "Asia/Kathmandu",
            "Africa/Casablanca",
        ]
    ),
    st.integers(0, 30),
)
def test_spans_say_what_single_stamps_say(wall, zone, days):
    naive = parse_us(wall.isoformat(), ISO)
    span = [span for span in zone_spans(naive - days * DAY, naive + days * DAY, zone) if span.start <= naive][-1]
    assert span.offset_us == wall_offset_us(wall, zone_of(zone))
