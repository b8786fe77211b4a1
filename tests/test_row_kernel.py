"""Rows that are all written alike: what a scan reads, what it leaves to others, and what it adds up. By hand."""

from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptucalc.read.row_kernel import (
    ABSENT,
    CLOCK,
    KINDS,
    MISSING,
    TOTALS,
    Names,
    Plain,
    Rows,
    Template,
    scan_rows,
    sum_minutes,
    sum_seconds,
)

ANY = (0, 2**62, 500_000_000)
CALLS = Plain(0, 2, 1, ABSENT, ABSENT, ABSENT, *ANY)
ZEROS = bytes(64)
LINE = "2026-11-02T09:00:01.250Z,chat,skipped,1000,200,50\n"
AT = datetime(2026, 11, 2, 9, 0, 1, 250_000, tzinfo=UTC)
NAMES = ("chat", "chat-long", "chat-longest-by-far", "eight-by", "search")


def micros(moment):
    """Microseconds since 1970."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def template(literals=(b"", b"Z,", b",", b",", b",", b",", b"\n"), digits=3):
    """A time, a name, a text, and three counts: input, cached, output."""
    kinds = ("time", "name", "text", "count", "count", "count")
    words, masks = zip(*(as_word(literal) for literal in literals), strict=True)
    lengths = [len(literal) for literal in literals]
    after = [literal[0] for literal in literals[1:]]
    return Template([KINDS[kind] for kind in kinds], [0, 0, 0, 0, 1, 2], words, masks, lengths, after, digits)


def names(known=NAMES):
    """One column of names."""
    words, masks, at = [], [], [0]
    for name in known:
        for begin in range(0, len(name), 8):
            word, mask = as_word(name[begin : begin + 8].encode())
            words.append(word)
            masks.append(mask)
        at.append(len(words))
    return Names(words, masks, at, [len(name) for name in known], [0, len(known)])


def as_word(part):
    """Up to 8 bytes as a number, the first byte the lowest, and 255 for each of them."""
    word = sum(byte << 8 * place for place, byte in enumerate(part))
    return word, 256 ** len(part) - 1


def text_and_words(data):
    """Bytes, and the 8 from each one on as a number."""
    return data, [as_word(data[at : at + 8])[0] for at in range(len(data) - 7)]


def room(capacity=20, counts=3):
    """Rows to be read into."""
    return Rows([0] * capacity, [0] * capacity * counts, [0] * capacity, capacity)


def scanned(text, plain=None, start=0, stop=None, capacity=20, **written):
    """Plain calls and other rows as tuples (time, name, input, cached, output), and where the scan ended."""
    data = text.encode() if isinstance(text, str) else text
    rows, others = room(capacity), room(capacity)
    stop = len(data) if stop is None else stop
    count, odd, ended, _ = scan(data, start, stop, template(**written), plain or CALLS, rows, others)
    return as_tuples(rows, count), as_tuples(others, odd), ended


def scan(data, start, stop, written, plain, rows, others):
    """What `scan_rows` answers, and its clock by name."""
    clock = [0] * len(CLOCK)
    found = scan_rows(*text_and_words(data + ZEROS), start, stop, written, names(), plain, rows, others, clock)
    return *found, dict(zip(CLOCK, clock, strict=True))


def as_tuples(rows, count):
    """The first rows."""
    known = [NAMES[number] for number in rows.names[:count]]
    columns = [rows.counts[place * rows.capacity : place * rows.capacity + count] for place in range(3)]
    return list(zip(rows.times[:count], known, *columns, strict=True))


def test_a_row_is_read():
    assert scanned(LINE) == ([(micros(AT), "chat", 1000, 200, 50)], [], len(LINE))


def test_rows_are_read_from_the_start_to_the_stop():
    three = LINE * 3
    assert scanned(three, start=len(LINE), stop=len(LINE) + 1)[0] == [(micros(AT), "chat", 1000, 200, 50)]
    assert len(scanned(three, start=len(LINE), stop=2 * len(LINE) + 1)[0]) == 2
    assert scanned(three, stop=2 * len(LINE))[2] == 2 * len(LINE)


@pytest.mark.parametrize(
    ("stamp", "moment"),
    [
        ("1970-01-01T00:00:00.000", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2024-02-29 23:59:59.999", datetime(2024, 2, 29, 23, 59, 59, 999_000, tzinfo=UTC)),
        ("2000-02-29T12:00:00.001", datetime(2000, 2, 29, 12, 0, 0, 1000, tzinfo=UTC)),
        ("2026-12-31T23:59:00.000", datetime(2026, 12, 31, 23, 59, tzinfo=UTC)),
        ("2027-01-01T00:00:00.000", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2038-01-19T03:14:08.000", datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)),
        ("2199-12-31T23:59:59.999", datetime(2199, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
    ],
)
def test_times_of_the_calendar(stamp, moment):
    (row,), _, _ = scanned(LINE.replace("2026-11-02T09:00:01.250", stamp))
    assert row[0] == micros(moment)


@given(
    st.lists(
        st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31, 23, 59, 59)),  # noqa: DTZ001
        min_size=1,
        max_size=8,
    ),
    st.integers(0, 6),
)
def test_times_after_one_another_with_any_digits(moments, digits):
    text = ""
    expected = []
    for moment in moments:
        fraction = f".{moment.microsecond:06}"[: digits + 1] if digits else ""
        text += LINE.replace("2026-11-02T09:00:01.250", f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + fraction)
        kept = moment.microsecond // 10 ** (6 - digits) * 10 ** (6 - digits)
        expected.append(micros(moment.replace(microsecond=kept, tzinfo=UTC)))
    assert [row[0] for row in scanned(text, digits=digits)[0]] == expected


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-02-29T09:00:01.250",  # no leap year
        "2100-02-29T09:00:01.250",
        "2026-04-31T09:00:01.250",
        "2026-00-10T09:00:01.250",
        "2026-13-10T09:00:01.250",
        "2026-11-00T09:00:01.250",
        "1969-12-31T09:00:01.250",
        "2200-01-01T09:00:01.250",
        "2026-11-02T24:00:01.250",
        "2026-11-02T09:60:01.250",
        "2026-11-02T09:00:60.250",  # a leap second
        "2026-11-02T09:00:01,250",
        "2026-11-02T09:00:01.25",
        "2026-11-02T09:00:01.2500",
        "2026-11-02T09:00:01",
        "2026-11-02t09:00:01.250",
        "2026/11/02T09:00:01.250",
        "2026-11-02T09-00:01.250",
        "2026-11-02T09:00-01.250",
        "2o26-11-02T09:00:01.250",
        "2026-11-02T09:00:0:.250",
        "2026-11-02T09:00:01.2/0",
        "",
    ],
)
@pytest.mark.parametrize("first", ["", LINE])
def test_what_is_no_such_time_ends_the_scan(stamp, first):
    rows, others, ended = scanned(first + LINE.replace("2026-11-02T09:00:01.250", stamp))
    assert (len(rows), others, ended) == (bool(first), [], len(first))


@pytest.mark.parametrize(
    "wrong",
    [
        LINE.replace("Z,", "+00:00,"),
        LINE.replace(",chat,", ",chats,"),
        LINE.replace(",chat,", ",cha,"),
        LINE.replace(",chat,", ",chat-lonG,"),
        LINE.replace(",chat,", ",chat-longest-by-fa,"),
        LINE.replace(",chat,", ",eight-by1,"),
        LINE.replace(",chat,", ",,"),
        LINE.replace(",chat,", ',"chat",'),
        LINE.replace("1000", '"1000"'),
        LINE.replace("1000", "1000.0"),
        LINE.replace("1000", "-1000"),
        LINE.replace("1000", " 1000"),
        LINE.replace("1000", "1e3"),
        LINE.replace("1000", "500000001"),
        LINE.replace("1000", "9" * 30),
        LINE.replace("1000", str(2**64 + 5)),
        LINE.replace("1000", "0" * 19),
        LINE.replace("skipped", 'skip"ped'),
        LINE.replace("skipped", "skip\\ped"),
        LINE.replace("skipped", "skip\rped"),
        LINE.replace("skipped", "skip\tped"),
        LINE.replace("skipped", "skip\nped"),
        LINE.replace("skipped", "gesprächig"),
        LINE.replace(",50", ",50,"),
        LINE.replace(",50", ""),
        LINE.replace("\n", "\r\n"),
        "\n",
        LINE.rstrip("\n"),
    ],
)
def test_a_row_that_is_written_in_another_way_ends_the_scan(wrong):
    rows, others, ended = scanned(LINE + wrong + LINE)
    assert (len(rows), others, ended) == (1, [], len(LINE))


def test_the_largest_count_and_an_empty_one():
    (row,), _, _ = scanned(LINE.replace("1000", "500000000").replace("200", ""))
    assert row[2:4] == (500_000_000, MISSING)


def test_a_name_that_begins_like_another():
    used = ["chat", "chat-long", "search", "chat-longest-by-far", "eight-by", "chat-long", "chat"]
    assert [row[1] for row in scanned("".join(LINE.replace("chat", name) for name in used))[0]] == used


def test_there_is_room_for_so_many_rows():
    rows, _, ended = scanned(LINE * 3, capacity=2)
    assert (len(rows), ended) == (2, 2 * len(LINE))
    odd = LINE.replace("1000", "")
    _, others, ended = scanned(odd * 3, capacity=2)
    assert (len(others), ended) == (2, 2 * len(odd))


# input, cached, output of a call; and with written, reasoning and total tokens beside them
ONLY_PLAIN = [
    ((1, 0, 0), True),
    ((0, 0, 1), True),
    ((0, 0, 0), False),
    ((10, 10, 0), True),
    ((10, 11, 5), False),
    ((10, MISSING, 5), True),
    ((MISSING, 0, 5), False),
    ((5, 0, MISSING), False),
]


@pytest.mark.parametrize(("call", "is_plain"), ONLY_PLAIN)
def test_which_calls_are_plain(call, is_plain):
    texts = ["" if count == MISSING else str(count) for count in call]
    text = f"2026-11-02T09:00:01.250Z,chat,skipped,{','.join(texts)}\n"
    expected = [(micros(AT), "chat", *call)]
    rows, others, _ = scanned(text)
    assert (rows, others) == ((expected, []) if is_plain else ([], expected))


@pytest.mark.parametrize(
    ("place", "third", "is_plain"),
    [
        ("written", "100", True),
        ("written", "101", False),
        ("written", "", True),
        ("reasoning", "50", True),
        ("reasoning", "51", False),
        ("reasoning", "", True),
        ("total", "150", True),
        ("total", "151", False),
        ("total", "149", False),
        ("total", "", True),
    ],
)
def test_which_calls_are_plain_by_other_counts(place, third, is_plain):
    """100 input, 50 output and a third count."""
    plain = Plain(0, 2, ABSENT, ABSENT, ABSENT, ABSENT, *ANY)._replace(**{place: 1})
    rows, others, _ = scanned(LINE.replace("1000,200,50", f"100,{third},50"), plain)
    assert (len(rows), len(others)) == ((1, 0) if is_plain else (0, 1))


def test_cached_and_written_tokens_share_the_input():
    plain = Plain(0, 2, 1, 1, ABSENT, ABSENT, *ANY)
    assert len(scanned(LINE.replace("1000,200", "400,200"), plain)[0]) == 1
    assert len(scanned(LINE.replace("1000,200", "399,200"), plain)[0]) == 0


def test_calls_outside_of_the_window_are_others():
    now = micros(AT)
    for since, until, inside in ((now, now + 1, 1), (now + 1, now + 2, 0), (0, now, 0)):
        rows, others, _ = scanned(LINE, Plain(0, 2, 1, ABSENT, ABSENT, ABSENT, since, until, ANY[2]))
        assert (len(rows), len(others)) == (inside, 1 - inside)


def test_calls_with_a_longer_prompt_are_others():
    for longest, inside in ((1000, 1), (999, 0)):
        rows, others, _ = scanned(LINE, CALLS._replace(longest=longest))
        assert (len(rows), len(others)) == (inside, 1 - inside)


def test_the_clock_of_sound_calls():
    """Those that go back by more than five minutes; a refused call and its time do not count, a long prompt does."""

    def at(stamp, tokens="1000,200,50"):
        return LINE.replace("09:00:01.250", stamp).replace("1000,200,50", tokens)

    text = at("09:10:00.000", "0,0,0") + at("09:05:01.000") + at("09:00:01.000", "3000,0,9") + at("09:10:00.000")
    text += at("09:00:00.000", "0,0,0") + at("09:04:59.999") + at("09:02:00.000")
    plain = CALLS._replace(longest=2000)
    count, odd, _, clock = scan(text.encode(), 0, len(text), template(), plain, room(), room())
    assert (count, odd) == (4, 3)
    start = micros(AT.replace(hour=9, minute=0, second=0, microsecond=0))
    assert clock == {"calls": 5, "back": 1, "first_us": start + 301_000_000, "last_us": start + 120_000_000}
    assert scan(b"", 0, 0, template(), plain, room(), room())[3]["calls"] == 0


def test_minutes_are_added_up_by_hand():
    first = micros(AT) // 60_000_000
    text = (
        LINE  # 800 + 200 input, 50 output
        + LINE.replace(",chat,", ",search,").replace("200,50", ",7")  # 1000 input, cached unknown
        + LINE.replace("09:00:01.250", "09:02:00.000").replace("1000,200,50", "10,10,0")
        + LINE.replace("09:00:01.250", "09:00:59.999").replace("1000,200,50", "0,0,9")
    )
    rows = room()
    count, *_ = scan(text.encode(), 0, len(text), template(), CALLS, rows, room())
    minutes = 3
    sums, totals = [0] * len(NAMES) * minutes * 5, [0] * len(TOTALS)
    sum_minutes(count, rows, CALLS, names(), first, minutes, sums, totals)
    by_minute = [sums[place : place + 5] for place in range(0, len(sums), 5)]
    idle = [0] * 5
    assert by_minute == [
        *([2, 800, 200, 0, 59], idle, [1, 0, 10, 0, 0]),  # chat
        *[idle] * 9,  # the next three
        *([1, 1000, 0, 0, 7], idle, idle),  # search
    ]
    assert dict(zip(TOTALS, totals, strict=True)) == {
        "rows": 4,
        "input": 2010,
        "output": 66,
        "whole_minutes": 1,
        "with_cached": 2,
        "cached_told": 3,
        "cached_untold": 1,
    }


def test_written_tokens_are_a_class_of_their_own():
    plain = Plain(0, 2, ABSENT, 1, ABSENT, ABSENT, *ANY)
    rows = room()
    count, *_ = scan(LINE.encode(), 0, len(LINE), template(), plain, rows, room())
    sums, totals = [0] * len(NAMES) * 5, [0] * len(TOTALS)
    sum_minutes(count, rows, plain, names(), micros(AT) // 60_000_000, 1, sums, totals)
    assert sums[:5] == [1, 800, 0, 200, 50]
    assert totals[TOTALS.index("cached_untold")] == 1
    text = LINE.replace("1000", "200").encode()  # all of it written: nothing that could have been cached
    count, *_ = scan(text, 0, len(text), template(), plain, rows, room())
    sum_minutes(count, rows, plain, names(), micros(AT) // 60_000_000, 1, sums, totals)
    assert (totals[0], totals[TOTALS.index("cached_untold")]) == (2, 1)


def test_seconds_are_added_up_by_hand():
    """Of two streams that are in groups 1 and 0; 3 for a token of input, -2 for one of them that is cached, 5 for output."""
    text = (
        LINE  # 3 x 1000 - 2 x 200 + 5 x 50
        + LINE.replace(",chat,", ",search,").replace("200,50", ",7")
        + LINE.replace("09:00:01.250", "09:00:00.999").replace("1000,200,50", "10,10,0")
        + LINE.replace("09:00:01.250", "09:00:01.999").replace("1000,200,50", "0,0,9")
        + LINE.replace(",chat,", ",eight-by,")
    )
    rows = room()
    count, *_ = scan(text.encode(), 0, len(text), template(), CALLS, rows, room())
    groups = [1, ABSENT, ABSENT, ABSENT, 0]
    factors = [3, -2, 5, *[1] * 9, 10, 10, 1]
    sums = [0] * 2 * 3
    sum_seconds(count, rows, names(), groups, factors, micros(AT) // 1_000_000 - 1, 3, sums)
    assert sums == [0, 10_007, 0, 10, 2850 + 45, 0]


@pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
@settings(deadline=None)  # it compiles once
@given(
    st.lists(
        st.sampled_from([LINE, LINE.replace("1000", "7"), LINE.replace("chat", "search"), LINE.replace("200", "")]),
        max_size=6,
    ),
    st.text(st.sampled_from("0129Z,:-T.\n chat"), max_size=60),
)
def test_compiled_it_answers_the_same(lines, rest):
    import numpy

    from .engines import compiled_row_kernel

    text = ("".join(lines) + rest).encode()

    def array(values, kind="int64"):
        return numpy.array(list(values), dtype=kind)

    def whole(values):
        return array(values, "uint64").view("int64")

    clock = array([0] * 4)
    written, known, data = template(), names(), bytearray(text + ZEROS)
    arrays = Rows(array([0] * 20), array([0] * 60, "int32"), array([0] * 20, "uint16"), 20)
    other_arrays = Rows(array([0] * 20), array([0] * 60, "int32"), array([0] * 20, "uint16"), 20)
    count, odd, ended = compiled_row_kernel().scan_rows(
        numpy.frombuffer(data, "uint8"),
        numpy.ndarray((len(data) - 7,), "int64", data, 0, (1,)),
        0,
        len(text),
        Template(*map(whole, written[:-1]), written.digits),
        Names(*map(whole, known)),
        CALLS,
        arrays,
        other_arrays,
        clock,
    )
    assert (as_tuples(arrays, count), as_tuples(other_arrays, odd), ended) == scanned(text)
