"""CSV files of workloads: whatever a spreadsheet writes is read where its meaning is clear, and refused where not."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from ptucalc import BadInput, Workload, read_workloads
from ptucalc.catalog import DeploymentType
from ptucalc.read.fields import field_of
from ptucalc.read.workloads import MOST_PROBLEMS, WorkloadFile

HEADER = "name,model,requests_per_minute,input_tokens,output_tokens"


@pytest.fixture
def read(in_tmp: Path) -> Callable[[str | bytes], list[Workload]]:
    def workloads(content: str | bytes) -> list[Workload]:
        Path("w.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_workloads("w.csv")

    return workloads


@pytest.fixture
def refused(read) -> Callable[[str | bytes], list[str]]:
    def problems(content: str | bytes) -> list[str]:
        with pytest.raises(BadInput) as caught:
            read(content)
        return str(caught.value).splitlines()

    return problems


def numbers(workload: Workload) -> tuple[object, ...]:
    w = workload
    return w.name, w.model, w.requests_per_minute, w.input_tokens, w.output_tokens, w.cache_ratio


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER},cache_ratio\nchat,gpt-4.1,9.6,1800,250,0.4\n",
        f"{HEADER},cache_ratio\r\nchat,gpt-4.1,9.6,1800,250,40%\r\n",
        f"\ufeff{HEADER},cache_ratio\nchat,gpt-4.1,9.6,1800,250,40 %",
        f"\n\n{HEADER},cache_ratio\n\nchat,gpt-4.1,9.6,1800,250,.4\n,,,,,\n",
        f"{HEADER},cache_ratio (%)\nchat,gpt-4.1,9.6,1800,250,40\n",
        f"{HEADER},cached_input_tokens\nchat,gpt-4.1,9.6,1800,250,720\n",
        f"{HEADER};cache_ratio\nchat;gpt-4.1;9,6;1800;250;0,4\n".replace(",model,requests_per_minute,input_tokens,output_tokens", ";model;requests_per_minute;input_tokens;output_tokens"),
        "sep=;\nname;model;rpm;input_tokens;output_tokens;cache_ratio\nchat;gpt-4.1;9,6;1800;250;40,0%\n",
        "sep=;\r\nname;model;rpm;input_tokens;output_tokens;cache_ratio\r\nchat;gpt-4.1;9.6;1800;250;0.4\r\n",
        "\ufeffsep=,\nname,model,rpm,input_tokens,output_tokens,cache_ratio\nchat,gpt-4.1,9.6,1800,250,0.4\n",
        "name\tmodel\trpm\tinput_tokens\toutput_tokens\tcache_ratio\nchat\tgpt-4.1\t9,6\t1800\t250\t0,4\n",
        "output_tokens,cache_rate,Model,Peak RPM,Prompt tokens,Workload\n250,0.4,gpt-4.1,9.6,1800,chat\n",
        " name , model , rpm , input_tokens , output_tokens , cache_ratio \n chat , gpt-4.1 , 9.6 , 1800 , 250 , 0.4 \n",
        '"name","model","rpm","input_tokens","output_tokens","cache_ratio"\n"chat","gpt-4.1","9.6","1800","250","0.4"\n',
        f"{HEADER},cache_ratio,\nchat,gpt-4.1,9.6,1800.0,2.5e2,4e-1,\n",
    ],
)  # fmt: skip
def test_spellings_of_one_workload(read, text: str) -> None:
    (workload,) = read(text)
    assert numbers(workload) == ("chat", "gpt-4.1", Fraction(48, 5), 1800, 250, Fraction(2, 5))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-8"])
def test_unicode_encodings(read, encoding: str) -> None:
    assert read(f"{HEADER}\nçà 😀,gpt-4.1,1,2,3\n".encode(encoding))[0].name == "çà 😀"


def test_utf_16_big_endian_with_its_mark(read) -> None:
    assert read(b"\xfe\xff" + f"{HEADER}\nchat,gpt-4.1,1,2,3\n".encode("utf-16-be"))[0].name == "chat"


def test_a_quoted_newline_does_not_shift_the_line_of_later_problems(refused) -> None:
    text = f'{HEADER},comment\na,gpt-4.1,1,2,3,"two\nlines"\nb,gpt-4.1,x,2,3,\n'
    assert refused(text) == ["w.csv:4, column requests_per_minute (C3): expected a number over 0, got x"]


def test_cells_are_named_as_a_spreadsheet_names_them(refused) -> None:
    text = f"\n{HEADER}\n\n" + "a,gpt-4.1,1,2,3\n" * 3 + "b,gpt-4.1,1,2,1.5\n"
    assert refused(text) == [
        "w.csv:7, column output_tokens (E7): expected a whole number, 0 or more (round it: 2?), got 1.5"
    ]


def test_columns_after_z_are_named_aa(refused) -> None:
    text = "x," * 26 + f"{HEADER}\n" + "," * 26 + "b,gpt-4.1,-1,2,3\n"
    assert refused(text) == ["w.csv:2, column requests_per_minute (AC2): expected a number over 0, got -1"]


def test_the_cell_after_a_sep_line_counts_as_the_spreadsheet_does(refused) -> None:
    # Excel swallows the sep= line, so the header is row 1 there, though it is line 2 of the file.
    text = "sep=;\nmodel;rpm;input_tokens;output_tokens\ngpt-4.1;0;2;3\n"
    assert refused(text) == ["w.csv:3, column rpm (B2): expected a number over 0, got 0"]


def test_all_bad_cells_of_all_rows_are_reported_at_once(refused) -> None:
    text = f"{HEADER},cache_ratio\na,gpt-4.1,-1,NaN,inf,1.2\nb,gpt-4.1,1,2,3,0.5\nc,,1e99,-2,,-0.1\n"
    share = "expected a share: 0 to 1, or 0% to 100%"
    assert refused(text) == [
        "w.csv:2, column requests_per_minute (C2): expected a number over 0, got -1",
        "w.csv:2, column input_tokens (D2): expected a whole number, 0 or more, got NaN",
        "w.csv:2, column output_tokens (E2): expected a whole number, 0 or more, got inf",
        f"w.csv:2, column cache_ratio (F2): {share}, got 1.2",
        "w.csv:4, column requests_per_minute (C4): expected a number over 0, at most 1,000,000,000,000, got 1e99",
        "w.csv:4, column input_tokens (D4): expected a whole number, 0 or more, got -2",
        f"w.csv:4, column cache_ratio (F4): {share}, got -0.1",
        "w.csv:4, column model (B4): expected a model name (see: ptucalc models), got (empty)",
        "w.csv:4, column output_tokens (E4): expected a whole number, 0 or more, got (empty)",
    ]


def test_a_missing_cell_at_the_end_of_a_short_row_has_its_place(refused) -> None:
    assert refused(f"{HEADER}\na,gpt-4.1,1,2\n") == [
        "w.csv:2, column output_tokens (E2): expected a whole number, 0 or more, got (empty)"
    ]


@pytest.mark.parametrize(
    ("delimiter", "rate", "hint"),
    [(";", "1,200", "1200"), (";", "1.200", "1200"), ("\t", "1,200", "1200"), (",", '"1,200"', "1200"), (",", '"1,200,000"', "1200000"), (";", "1.200.000", "1200000"), (",", "1 200", "1200"), (",", "1'200", "1200")],
)  # fmt: skip
def test_a_rate_that_may_be_thousands_or_a_decimal_is_refused_with_a_hint(refused, delimiter, rate, hint) -> None:
    text = "model,rpm,input_tokens,output_tokens\ngpt-4.1,RATE,2,3\n".replace(",", delimiter).replace("RATE", rate)
    shown = rate.strip('"')
    assert refused(text) == [
        f"w.csv:2, column rpm (B2): expected a number over 0, without thousands separators ({hint}?), got {shown}"
    ]


@pytest.mark.parametrize("tokens", ["1.800", '"1,800"', "1 800"])
def test_tokens_with_thousands_separators_are_refused_with_a_hint(refused, tokens: str) -> None:
    (problem,) = refused(f"{HEADER}\na,gpt-4.1,1,{tokens},3\n")
    assert "(D2): expected a whole number, 0 or more, without thousands separators (1800?)" in problem


@pytest.mark.parametrize("ratio", ["0.125", "0,125", "12.5%", "12,5%"])
def test_an_eighth_is_no_thousands_separator_in_a_semicolon_file(read, ratio: str) -> None:
    (workload,) = read(f"model;rpm;input_tokens;output_tokens;cache_ratio\ngpt-4.1;1;2;3;{ratio}\n")
    assert workload.cache_ratio == Fraction(1, 8)


def test_a_comma_in_a_comma_file_is_no_decimal(refused) -> None:
    (problem,) = refused(f'{HEADER},cache_ratio\na,gpt-4.1,1,2,3,"0,4"\n')
    assert problem.endswith("(F2): expected a share: 0 to 1, or 0% to 100%, got 0,4")


def test_a_ratio_of_40_asks_for_the_percent_sign(refused) -> None:
    (problem,) = refused(f"{HEADER},cache_ratio\na,gpt-4.1,1,2,3,40\n")
    assert problem.endswith("(F2): expected a share: 0 to 1, or 0% to 100% (40%?), got 40")


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("Data Zone", "data-zone"), ("datazone", "data-zone"), ("DATA_ZONE", "data-zone"), ("data-zone", "data-zone"),
        ("DataZoneProvisionedManaged", "data-zone"), ("GlobalProvisionedManaged", "global"), ("Global", "global"),
        ("ProvisionedManaged", "regional"), ("regional", "regional"), ("", None),
    ],
)  # fmt: skip
def test_deployment_type_spellings(read, written: str, kind: str | None) -> None:
    (workload,) = read(f"{HEADER},sku\na,gpt-4.1,1,2,3,{written}\n")
    assert workload.deployment_type == (DeploymentType(kind) if kind else None)


def test_an_unknown_deployment_type_is_refused(refused) -> None:
    assert refused(f"{HEADER},sku\na,gpt-4.1,1,2,3,Standard\n") == [
        "w.csv:2, column sku (F2): expected global, data-zone or regional, got Standard"
    ]


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("rpm", "requests_per_minute"), ("Peak RPM", "requests_per_minute"), ("prompt_tokens", "input_tokens"),
        ("completion_tokens", "output_tokens"), ("avg_input_tokens", "input_tokens"), ("SKU", "deployment_type"),
        ("avg_requests_per_minute", "average_requests_per_minute"), ("Cache rate (%)", "cache_ratio"),
        ("cached tokens", "cached_input_tokens"), ("Location", "region"), ("owner", None), ("tokens", None), ("", None),
    ],
)  # fmt: skip
def test_headings_that_people_use(heading: str, field: str | None) -> None:
    assert field_of(heading) == field


def test_rows_without_a_name_are_named_by_their_spreadsheet_row(read) -> None:
    text = "model,rpm,input_tokens,output_tokens\n\ngpt-4.1,1,2,3\ngpt-4.1,1,2,3\n"
    assert [workload.name for workload in read(text)] == ["row-3", "row-4"]


def test_unknown_columns_are_kept_aside_by_name(in_tmp: Path) -> None:
    Path("w.csv").write_text(f"{HEADER},owner, Cost centre ,\na,gpt-4.1,1,2,3,me,7,\n")
    file = WorkloadFile.open("w.csv")
    assert file.ignored == ("owner", "Cost centre") and file.kind == "csv"
    assert file.read == tuple(HEADER.split(","))


def test_two_columns_that_mean_the_same_are_refused_at_the_second(refused) -> None:
    assert refused("model,rpm,input_tokens,output_tokens,Peak RPM\ngpt-4.1,1,2,3,4\n") == [
        "w.csv:1, column Peak RPM (E1): expected one column for requests_per_minute: rpm means the same, got Peak RPM"
    ]


def test_the_second_of_two_same_columns_is_pointed_at_also_when_it_has_the_plain_name(refused) -> None:
    (problem,) = refused("model,rpm,input_tokens,output_tokens,requests_per_minute\ngpt-4.1,1,2,3,4\n")
    assert problem.startswith("w.csv:1, column requests_per_minute (E1): ")


def test_a_header_below_blank_lines_is_pointed_at_in_its_own_row(refused) -> None:
    (problem,) = refused("\n\nmodel,rpm,input_tokens,output_tokens,Peak RPM\ngpt-4.1,1,2,3,4\n")
    assert problem.startswith("w.csv:3, column Peak RPM (E3): ")


def test_cached_tokens_and_a_cache_ratio_are_one_thing_said_twice(refused) -> None:
    (problem,) = refused(f"{HEADER},cache_ratio,cached_tokens\na,gpt-4.1,1,2,3,0,0\n")
    assert "cached_tokens (G1): expected one column for cache_ratio: cache_ratio means the same" in problem


def test_missing_columns_are_all_named(refused) -> None:
    assert refused("name,model\na,gpt-4.1\n") == [
        "w.csv:1, header: expected columns requests_per_minute, input_tokens, output_tokens too, got name, model"
    ]
    assert refused("model,rpm,input_tokens\na,1,2\n") == [
        "w.csv:1, header: expected column output_tokens too, got model, rpm, input_tokens"
    ]


def test_missing_columns_are_named_beside_repeated_ones(refused) -> None:
    problems = " ".join(refused("model,rpm,Peak RPM,input_tokens\ngpt-4.1,1,1,2\n"))
    assert "Peak RPM" in problems and "output_tokens" in problems


def test_a_file_without_a_header_is_told_so(refused) -> None:
    assert refused("chat,gpt-4.1,600,1800,250\n") == [
        "w.csv:1, header: expected a first row of column names: model, requests_per_minute, input_tokens, "
        "output_tokens at least, got chat, gpt-4.1, 600, 1800, 250"
    ]


def test_a_request_log_is_recognised(refused) -> None:
    (problem,) = refused("timestamp,model,prompt_tokens,completion_tokens\n2026-01-01T00:00:00Z,gpt-4.1,1,2\n")
    assert "this looks like a request log or a metric export" in problem


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "w.csv, file: expected workloads; the file is empty, got (empty)"),
        (b" \r\n\n", "w.csv, file: expected workloads; the file is empty, got (empty)"),
        (b"\xef\xbb\xbf", "w.csv:1, header: expected a first row of column names, got (empty)"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "w.csv, file: expected a text file: CSV, YAML or JSON, got a binary file"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused(refused, content: bytes, expected: str) -> None:
    assert refused(content) == [expected]


@pytest.mark.parametrize(
    ("start", "way_out"),
    [(b"PK\x03\x04", "save the sheet as CSV"), (b"\xd0\xcf\x11\xe0", "save the sheet as CSV"), (b"\x1f\x8b\x08", "unpack it first"), (b"%PDF-1.4", "a PDF")],
)  # fmt: skip
def test_workbooks_and_archives_are_recognised_and_the_way_out_is_said(refused, start: bytes, way_out: str) -> None:
    (problem,) = refused(start + b"rest of it")
    assert way_out in problem and "CSV, YAML or JSON" in problem


def test_bytes_that_are_no_utf_8_are_refused_with_their_place(refused) -> None:
    head = f"{HEADER}\ncaf".encode()
    assert refused(head + b"\xe9,gpt-4.1,1,2,3\n") == [
        f"w.csv, file: expected UTF-8 text (in Excel: save as CSV UTF-8), got byte 0xe9 at {len(head)}"
    ]


def test_bytes_that_are_no_utf_8_late_in_a_large_file_are_refused(refused) -> None:
    (problem,) = refused(f"{HEADER}\n".encode() + b"a,gpt-4.1,1,2,3\n" * 20_000 + b"caf\xe9,gpt-4.1,1,2,3\n")
    assert "expected UTF-8 text (in Excel: save as CSV UTF-8), got " in problem


def test_a_character_cut_by_the_end_of_the_first_block_is_no_error(read) -> None:
    for shift in range(4):
        pad = "x" * (65_536 - len(HEADER) - 1 - 2 - shift)  # the emoji starts 2 + shift bytes before the block ends
        text = f"{HEADER}\n{pad}😀😀,y\nb,gpt-4.1,1,2,3\n"
        with pytest.raises(BadInput) as caught:
            read(text)
        assert "UTF-8" not in str(caught.value)  # the row is wrong, the encoding is not


def test_a_nul_late_in_the_file_is_refused_in_its_cell(refused) -> None:
    text = f"{HEADER}\n" + "a,gpt-4.1,1,2,3\n" * 1000 + "b\0c,gpt-4.1,1,2\0,3\n"
    assert refused(text) == [
        "w.csv:1002, column name (A1002): expected a name without control characters, got b\\x00c",
        "w.csv:1002, column input_tokens (D1002): expected a whole number, 0 or more, got 2\\x00",
    ]


def test_an_unclosed_quote_is_refused(refused) -> None:
    assert refused(f'{HEADER}\n"a,gpt-4.1,1,2,3\nb,gpt-4.1,1,2,3\n') == [
        "w.csv:3, row: expected a table row, got unexpected end of data"
    ]


def test_a_huge_field_is_refused_not_read_on_for_ever(refused) -> None:
    (problem,) = refused(f"{HEADER}\n{'x' * 200_000},gpt-4.1,1,2,3\n")
    assert problem == "w.csv:2, row: expected a table row, got field larger than field limit (131072)"


def test_a_long_value_is_shortened_in_the_message(refused) -> None:
    (problem,) = refused(f"{HEADER}\na,gpt-4.1,{'9' * 5000},2,3\n")
    assert problem.endswith("got " + "9" * 57 + "...")


def test_problems_beyond_ten_thousand_are_counted(in_tmp: Path) -> None:
    Path("w.csv").write_text(f"{HEADER}\n" + "a,gpt-4.1,-1,2,3\n" * (MOST_PROBLEMS + 5))
    with pytest.raises(BadInput) as caught:
        read_workloads("w.csv")
    assert len(caught.value.problems) == MOST_PROBLEMS and caught.value.uncounted == 5
    assert str(caught.value).endswith("\nand 5 more")


def test_a_name_of_a_row_that_starts_like_a_plan_is_still_csv(read) -> None:
    assert [w.name for w in read(f"{HEADER}\na,gpt-4.1,1,2,3\nlimits: old,gpt-4.1,1,2,3\n")] == ["a", "limits: old"]
