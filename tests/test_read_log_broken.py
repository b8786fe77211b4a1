"""Broken and hostile files: a message, never a traceback; rows are counted, never lost; no text becomes code."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import duckdb
import pytest

from ptucalc.request_log import Stream

from .log_files import HEADINGS, PLAIN, call, json_lines, minute, plain, refusal, seen, stamp, table, written

LINE = json.dumps({"timestamp": stamp(0.5), "input_tokens": 1, "output_tokens": 2}) + "\n"
TEXT = f"{HEADINGS}\n" + "".join(f"{call(at / 100, f'{at},0,7')}\n" for at in range(20_000))
"""About 1 MB, so that the end of a packed file is not among its first bytes."""


@pytest.fixture(scope="module")
def packed() -> bytes:
    return gzip.compress(TEXT.encode(), 1)


def is_damaged(path: Path) -> bool:
    message = refusal(path)
    start, end = f"{path}, file: expected a whole one (", "): copy it again, got a damaged gzip archive"
    return message.startswith(start) and message.endswith(end)


@pytest.mark.parametrize("kept", [0.1, 0.9, 0.9999])
def test_a_truncated_archive_is_refused(kept: float, packed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "log.csv.gz"
    path.write_bytes(packed[: int(len(packed) * kept)])
    assert is_damaged(path)


@pytest.mark.parametrize("where", [0.5, 0.99, 1])
def test_a_flipped_bit_in_an_archive_is_found(where: float, packed: bytes, tmp_path: Path) -> None:
    data = bytearray(packed)
    data[int(len(data) * where) - 8] ^= 1  # at 1: in the checksum itself
    path = tmp_path / "log.csv.gz"
    path.write_bytes(data)
    assert is_damaged(path)


def test_every_member_of_an_archive_is_read(tmp_path: Path) -> None:
    head, tail = TEXT[:400_000], TEXT[400_000:]
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(head.encode()) + gzip.compress(b"") + gzip.compress(tail.encode()))
    assert seen(path).total == (20_000, 0, sum(range(20_000)), 0, 0, 140_000)
    path.write_bytes(gzip.compress(head.encode()) + gzip.compress(tail.encode())[:-9])
    assert is_damaged(path)
    path.write_bytes(gzip.compress(head.encode()) + b"more")
    assert is_damaged(path)


LONG = "x" * 50_000_000


@pytest.mark.parametrize(
    ("head", "row", "long"),
    [
        ("", LINE, LINE[:-2] + f', "m": "{LONG}"}}\n'),
        (f"{PLAIN},m\n", f"{plain()},a\n", f"{plain()},{LONG}\n"),
    ],
    ids=["json", "csv"],
)
def test_a_line_of_fifty_megabytes_is_one_row_that_cannot_be_read(
    head: str, row: str, long: str, tmp_path: Path
) -> None:
    found = seen(written(tmp_path / "log", head + row * 150 + long + row * 150))
    assert (found.total, found.skipped) == ((300, 0, 300, 0, 0, 600), {"unreadable_row": 1})


def test_long_lines_are_read_even_at_the_top(tmp_path: Path) -> None:
    long = LINE[:-2] + f', "m": "{LONG[:3_000_000]}"}}\n'
    found = seen(written(tmp_path / "log.jsonl", long * 2 + LINE))
    assert (found.total[0], found.skipped) == (3, {})
    found = seen(written(tmp_path / "log.csv", f'{PLAIN},m\n{plain()},"{LONG[:3_000_000]}\n"\n{plain()},\n'))
    assert (found.total[0], found.skipped) == (2, {})


JSON_ROW, CSV_ROW = LINE.encode(), f"{plain()}\n".encode()


@pytest.mark.parametrize(
    ("row", "bad"),
    [
        (JSON_ROW, LINE.replace("Z", 'Z", "m": "\xff').encode("latin-1")),
        (JSON_ROW, LINE.replace("Z", 'Z", "m": "\0').encode()),
        (JSON_ROW, LINE[:40].encode() + b"\n"),
        (JSON_ROW, b"[1, 2]\n"),
        (JSON_ROW, b"7\n"),
        (JSON_ROW, b"INFO: started\n"),
        (CSV_ROW, plain(1).encode() + b"\xff\n"),
        (CSV_ROW, plain(1).encode() + b",9,9,9\n"),
        (CSV_ROW, stamp(1).encode() + b"\n"),
        (CSV_ROW, stamp(1).encode() + b',"a"b,1\n'),
    ],
    ids=["json-utf-8", "json-nul", "json-cut", "json-list", "json-number", "json-text", "csv-utf-8", "csv-too-long", "csv-too-short", "csv-quote"],
)  # fmt: skip
def test_a_broken_row_is_counted_and_the_others_are_read(row: bytes, bad: bytes, tmp_path: Path) -> None:
    head = b"" if row == JSON_ROW else f"{PLAIN}\n".encode()
    found = seen(written(tmp_path / "log", head + row * 300 + bad + row * 150))
    assert found.total == (450, 0, 450, 0, 0, 900)
    assert sum(found.skipped.values()) == 1 and set(found.skipped) <= {"unreadable_row", "no_time"}


@pytest.mark.parametrize("behind", ["", f'{stamp()},1,2"\n'], ids=["never", "far-on"])
def test_a_quote_that_swallows_the_rows_behind_it_is_refused(behind: str, tmp_path: Path) -> None:
    text = f"{PLAIN}\n" + f"{plain()}\n" * 300 + f'{stamp()},1,"2\n' + f"{plain()}\n" * 150 + behind + f"{plain()}\n"
    path = written(tmp_path / "log.csv", text)
    assert "quote" in refusal(path)
    assert seen(path, skip_bad=True).total[0] <= 301


def test_a_broken_row_beside_line_ends_of_two_kinds_counts_once(tmp_path: Path) -> None:
    data = f"{PLAIN}\r\n" + f"{plain()}\r\n" * 150 + "a,b\n" + f"{plain()}\n" * 150
    found = seen(written(tmp_path / "log.csv", data))
    assert (found.skipped, found.total[0]) == ({"unreadable_row": 1}, 300)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "file: expected a log; the file is empty, got (empty)"),
        (b"\n \r\n", "file: expected a log; the file is empty, got (empty)"),
        (gzip.compress(b"", mtime=0), "file: expected a log; the file is empty, got (empty)"),
        (bytes(range(256)) * 20, "file: expected a log: CSV, TSV, JSON, JSON lines (.gz too) or Parquet, got a binary file"),
        (
            b"PK\x03\x04" + bytes(100),
            "file: expected a log: CSV, TSV, JSON, JSON lines (.gz too) or Parquet (save the sheet as CSV UTF-8), got an Excel workbook or another zip archive",
        ),
        (b"BZh91AY", "file: expected a log, packed with gzip at most (unpack it first), got a bzip2 archive"),
        (b"\xfd7zXZ\0", "file: expected a log, packed with gzip at most (unpack it first), got an xz archive"),
        (b"\x28\xb5\x2f\xfd9", "file: expected a log, packed with gzip at most (unpack it first), got a zstd archive"),
        (b'{"a": 1', 'file: expected a whole JSON document, or one JSON object a line, got Expecting \',\' delimiter at line 1, column 8'),
        (b"[" * 200_000, "file: expected a log, got JSON nested too deep"),
        (b"[]", "file: expected a list of objects, one for each call or bucket, got an empty list"),
        (b"[1]", "file: expected a list of objects, one for each call or bucket, got int among 1 entries"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_log_is_refused(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(data)
    assert refusal(path) == f"{path}, {message}"


def test_a_table_of_headings_alone_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "log.csv")
    assert refusal(path) == f"{path}, timestamp: expected rows with a time stamp, got no rows, only a header"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path}, file: expected a file (or several: logs/*.csv), got a directory"
    path = tmp_path / "none.csv"
    assert refusal(path) == f"{path}, file: expected a file that can be read, got No such file or directory"


def test_a_damaged_parquet_file_is_refused_without_names_of_temporary_files(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    query = f"select '{stamp()}' as timestamp, 1 as input_tokens, 2 as output_tokens"
    duckdb.execute(f"copy ({query}) to '{path}' (format parquet)")
    assert seen(path).total[0] == 1
    whole = path.read_bytes()
    for data in (whole[: len(whole) // 2], b"PAR1" + bytes(50), whole[:10] + bytes(60) + whole[70:]):
        path.write_bytes(data)
        message = refusal(path)
        assert message.startswith(f"{path}, ") and "ptucalc-" not in message, message


NAMES = [
    "it's.csv",
    'say "x".csv',
    "*.csv",
    "[a]?.csv",
    "a b;c.csv",
    "a\nb.csv",
    "-x.csv",
    "'); drop table calls; --.csv",
    "ü\udcff.csv",
]


def test_files_of_any_name_are_read(tmp_path: Path) -> None:
    written(tmp_path / "decoy.csv", "no,log\n1,2\n")
    for name in NAMES:
        assert seen(table(tmp_path / name, call())).total[0] == 1, name


EVIL = "'); drop table calls; --"
SLASHES = "a/b~c~0.d\"e'f\\g[0]"


def test_no_heading_key_or_value_becomes_code(tmp_path: Path) -> None:
    headings = f'timestamp,deployment,"{EVIL}""",output_tokens,$1,{{x}}'
    path = table(tmp_path / "log.csv", f'{stamp()},"{EVIL}",5,6,?,$1', headings=headings)
    assert seen(path, columns={"input_tokens": f'{EVIL}"'}).totals == {Stream(EVIL, ""): (1, 0, 5, 0, 0, 6)}
    record = {"timestamp": stamp(), "deployment": EVIL, EVIL: {SLASHES: 5}, "output_tokens": 6, "model": SLASHES}
    path = json_lines(tmp_path / "log.jsonl", [record])
    given = {"input_tokens": f"{EVIL}.{SLASHES}"}
    assert seen(path, columns=given).totals == {Stream(EVIL, SLASHES): (1, 0, 5, 0, 0, 6)}


def test_names_of_deployments_are_kept_letter_by_letter(tmp_path: Path) -> None:
    names = [EVIL, SLASHES, "Łódź 🚀", "chat", "Chat", "a,b;c", "__Empty", "\u202eevil", "null0"]
    path = json_lines(
        tmp_path / "log.jsonl",
        [{"timestamp": stamp(0.5), "deployment": name, "input_tokens": 1, "output_tokens": 2} for name in names],
    )
    assert {stream.deployment for stream in seen(path).totals} == set(names)
    rows = [f'{stamp(0.5)},"{name.replace(chr(34), chr(34) * 2)}",1,2' for name in names]
    typed = table(tmp_path / "log.csv", *rows, headings="timestamp,deployment,input_tokens,output_tokens")
    assert {stream.deployment for stream in seen(typed).totals} == set(names)


def test_a_log_may_name_a_thousand_deployments_and_more(tmp_path: Path) -> None:
    rows = [f"{stamp(at / 100)},d{at},{at},1" for at in range(1500)]
    found = seen(table(tmp_path / "log.csv", *rows, headings="timestamp,deployment,input_tokens,output_tokens"))
    assert found.totals == {Stream(f"d{at}", ""): (1, 0, at, 0, 0, 1) for at in range(1500)}


@pytest.mark.parametrize("depth", [500, 5000])
def test_deep_json_is_a_row_without_a_time(depth: int, tmp_path: Path) -> None:
    deep = '{"a":' * depth + "1" + "}" * depth + "\n"
    for text in (LINE * 150 + deep, deep + LINE * 150):
        found = seen(written(tmp_path / "log.jsonl", text))
        assert found.total[0] == 150 and sum(found.skipped.values()) == 1
        assert set(found.skipped) <= {"no_time", "unreadable_row"}


ODD_NUMBERS = {
    "1.5": "unreadable_number",
    "-1": "negative_number",
    "-0.5": "unreadable_number",
    '"1,20"': "unreadable_number",
    '"12,00,000"': "unreadable_number",
    '"1,200.5"': "unreadable_number",
    "inf": "unreadable_number",
    "-Infinity": "negative_number",
    "1" + "0" * 30: "unreadable_number",
    "10000000000001": "unreadable_number",
    "1e400": "unreadable_number",
    "9007199254740993": "unreadable_number",
    "0x1F": "unreadable_number",
    "many": "unreadable_number",
    "true": "unreadable_number",
    "1 000": "unreadable_number",
    "12%": "unreadable_number",
    "NaN": "no_token_counts",
}
FINE_NUMBERS = {"1e3": 1000, "1.0": 1, "+5": 5, "1_000": 1000, "-0": 0, '"1,200"': 1200, '"1,234,567"': 1_234_567, '"1,200.0"': 1200, '" 7 "': 7, '"1,200 "': 1200, "10000000000000": 10**13, "007": 7, "2.5e1": 25}  # fmt: skip


def test_numbers_are_whole_and_plain_or_counted_as_unreadable(tmp_path: Path) -> None:
    rows = [plain(1)] * 3 + [plain(2, text) for text in (*ODD_NUMBERS, *FINE_NUMBERS)]
    found = seen(table(tmp_path / "log.csv", *rows, headings=PLAIN), skip_bad=True)
    reasons = list(ODD_NUMBERS.values())
    assert found.skipped == {reason: reasons.count(reason) for reason in set(reasons)}
    assert found.total[:3] == (3 + len(FINE_NUMBERS), 0, 3 + sum(FINE_NUMBERS.values()))


@pytest.mark.parametrize("text", ["1e400", "inf", "-1", "1.5", "10000000000001"])
def test_a_number_that_the_engine_might_take_is_judged_alike_where_it_reads_numbers_itself(
    text: str, tmp_path: Path
) -> None:
    found = seen(table(tmp_path / "log.csv", plain(1), plain(2, text), headings=PLAIN), skip_bad=True)
    assert found.skipped == {ODD_NUMBERS[text]: 1}


@pytest.mark.parametrize("text", ["12.000", "1.234.000"])
def test_between_semicolons_points_before_three_digits_are_no_decimals(text: str, tmp_path: Path) -> None:
    """Twelve thousand or twelve: nobody can tell, so it is at least never twelve."""
    rows = [f"{stamp(0.5)};1;2"] * 3 + [f"{stamp(0.5)};{text};2"]
    found = seen(table(tmp_path / "log.csv", *rows, headings=PLAIN.replace(",", ";")), skip_bad=True)
    assert found.skipped == {"unreadable_number": 1} or found.total[2] == 3 + int(text.replace(".", ""))


def test_between_semicolons_a_comma_is_no_thousands_separator(tmp_path: Path) -> None:
    rows = [f"{stamp(0.5)};1;2"] * 200 + [f"{stamp(0.5)};1,200;2"]
    found = seen(table(tmp_path / "log.csv", *rows, headings=PLAIN.replace(",", ";")))
    assert (found.skipped, found.total[2]) == ({"unreadable_number": 1}, 200)


ODD_JSON = {
    "1.5": "unreadable_number",
    "-1": "negative_number",
    "true": "unreadable_number",
    '{"a": 1}': "unreadable_number",
    "[1]": "unreadable_number",
    "1" + "0" * 30: "unreadable_number",
    "1E400": "unreadable_number",
    '"many"': "unreadable_number",
    "null": "no_token_counts",
    '""': "no_token_counts",
    '"n/a"': "no_token_counts",
}


def test_numbers_of_json_are_judged_alike(tmp_path: Path) -> None:
    def row(text: str) -> str:
        return f'{{"timestamp": "{stamp(0.5)}", "input_tokens": {text}, "output_tokens": 2}}\n'

    fine = {"1e3": 1000, "1.0": 1, '"1,200"': 1200, '"7"': 7}
    text = LINE * 3 + "".join(map(row, (*ODD_JSON, *fine))) + row("NaN") + row("Infinity")
    found = seen(written(tmp_path / "log.jsonl", text), skip_bad=True)
    reasons = list(ODD_JSON.values())
    skipped = dict(found.skipped)
    assert sum(skipped.values()) == len(ODD_JSON) + 2  # NaN and Infinity are no JSON
    assert skipped["negative_number"] == 1 and skipped["no_token_counts"] in (3, 4)
    assert skipped["unreadable_number"] + skipped.get("unreadable_row", 0) >= reasons.count("unreadable_number") + 1
    assert found.total[:3] == (7, 0, 3 + 1000 + 1 + 1200 + 7)


def test_a_key_that_stands_twice_in_an_object_is_read_once(tmp_path: Path) -> None:
    text = f'{{"timestamp": "{stamp(0.5)}", "input_tokens": 5, "output_tokens": 2, "input_tokens": 7}}\n'
    assert seen(written(tmp_path / "log.jsonl", text)).total in ((1, 0, 5, 0, 0, 2), (1, 0, 7, 0, 0, 2))


def test_counts_of_the_largest_size_add_up_exactly(tmp_path: Path) -> None:
    rows = [plain(at / 100, 10**13 - at, 10**13) for at in range(1000)]
    found = seen(table(tmp_path / "log.csv", *rows, headings=PLAIN))
    assert found.rows == [minute(0, 1000, 10**16 - 499_500, 0, 0, 10**16)]


@pytest.mark.skipif(os.name != "posix", reason="pipes with names are there only")
def test_a_pipe_is_read(tmp_path: Path) -> None:
    import threading

    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_text(TEXT))
    writer.start()
    assert seen(path).total[0] == 20_000
    writer.join()
