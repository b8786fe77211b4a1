"""Files are sized in two passes: checked and pooled, then row by row; repeated names are found in flat memory."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from ptucalc import Workload, load_catalog, size
from ptucalc.batch import FileSizing, RepeatedNames
from ptucalc.read.workloads import WorkloadFile
from ptucalc.resolving import Resolver
from ptucalc.sizing import Sizer

HEADER = "name,model,rpm,input_tokens,output_tokens,deployment\n"
CLI_HEADER = "name,model,rpm,input_tokens,output_tokens,cache_ratio\n"


@pytest.fixture
def sizing(in_tmp: Path):
    def of(text: str, **options: str) -> FileSizing:
        Path("w.csv").write_text(text)
        return FileSizing(WorkloadFile.open("w.csv"), Sizer(Resolver(load_catalog())), **options)

    return of


def hashes(*names: str) -> set[int]:
    return {hash(name) for name in names}


def test_names_that_occur_once_are_not_repeated() -> None:
    names = RepeatedNames()
    for number in range(1000):
        names.add(f"row-{number}")
    assert names.repeated() == set()


def test_repeats_are_found_wherever_they_lie_beyond_flushes_to_disk() -> None:
    names = RepeatedNames()
    count = RepeatedNames.BUCKETS * RepeatedNames.KEPT * 2  # every bucket is written out about twice
    for number in range(count):
        names.add(f"row-{number}")
    assert sum(file is not None for file in names._files) == RepeatedNames.BUCKETS
    for again in ("row-0", "row-0", f"row-{count - 1}", f"row-{count // 2}"):
        names.add(again)
    assert names.repeated() == hashes("row-0", f"row-{count - 1}", f"row-{count // 2}")


def test_names_take_flat_memory() -> None:
    names = RepeatedNames()
    for number in range(RepeatedNames.BUCKETS * RepeatedNames.KEPT * 3):
        names.add(f"row-{number}")
        if number % 10_000 == 0:
            assert sum(map(len, names._kept)) < RepeatedNames.BUCKETS * RepeatedNames.KEPT
    assert names.repeated() == set()  # closes the files


def test_two_passes_give_what_the_library_gives_at_once(sizing) -> None:
    rows = [
        ("a", "gpt-4.1", "600", "1800", "250"),
        ("b", "gpt-4.1", "90", "6200", "300"),
        ("c", "gpt-5", "9.6", "100", "20"),
    ]
    file = sizing(HEADER + "".join(",".join(row) + ",\n" for row in rows))
    file.check()
    sized = [one for one, _ in file.sized()]
    whole = size([
        Workload(name=n, model=m, requests_per_minute=r, input_tokens=int(i), output_tokens=int(o)) for n, m, r, i, o in rows
    ])  # fmt: skip
    assert file.problems == [] and file.rows == 3
    assert [(one.name, one.sizes) for one in sized] == [(one.name, one.sizes) for one in whole.workloads]
    assert tuple(file.sizer.deployments().values()) == whole.deployments


def test_sized_can_be_gone_through_again(sizing) -> None:
    file = sizing(HEADER + "a,gpt-4.1,600,1800,250,\n")
    file.check()
    assert list(file.sized()) == list(file.sized()) != []


def test_each_row_carries_the_key_of_its_deployment(sizing) -> None:
    file = sizing(HEADER + "a,gpt-4.1,1,2,3,left\nb,gpt-4.1,1,2,3,right\nc,gpt-4.1,1,2,3,left\n")
    file.check()
    assert [key for _, key in file.sized()] == ["left", "right", "left"]


def test_a_repeated_name_is_reported_at_the_later_row_with_the_first(sizing) -> None:
    file = sizing(HEADER + "a,gpt-4.1,1,2,3,\nb,gpt-4.1,1,2,3,\na,gpt-4.1,1,2,3,\na,gpt-4.1,1,2,3,\n")
    file.check()
    expected = "a name that no other workload has (row 2 has it), got a"
    assert [str(p) for p in file.problems] == [
        f"w.csv:4, column name (A4): expected {expected}",
        f"w.csv:5, column name (A5): expected {expected}",
    ]


def test_a_repeated_name_is_all_that_is_wrong_with_a_row_whose_weight_is_given_by_a_flag(sizing) -> None:
    file = sizing(HEADER + "a,GLM 5.2,1,2,3,\na,GLM 5.2,1,2,3,\n", output_weight="4")
    file.check()
    assert [p.field for p in file.problems] == ["name"]


def test_a_name_that_a_row_number_makes_can_be_repeated_too(sizing) -> None:
    file = sizing(HEADER + "row-3,gpt-4.1,1,2,3,\n,gpt-4.1,1,2,3,\n")
    file.check()
    assert [p.line for p in file.problems] == [3]


def test_skipping_leaves_repeated_and_bad_rows_out_of_the_sums(sizing) -> None:
    # gpt-4.1 weighs 1,000 + 4 x 250 = 2,000 per call: rows a (1/min) and b (2/min) stay: 6,000 weighted TPM.
    rows = "a,gpt-4.1,1,1000,250,\nb,gpt-4.1,2,1000,250,\na,gpt-4.1,4,1000,250,\nc,gpt-4.1,x,1000,250,\nb,gpt-4.1,8,1000,250,\n"
    file = sizing(HEADER + rows)
    file.check(skip_bad=True)
    (deployment,) = file.sizer.deployments().values()
    assert (deployment.weighted_tpm, deployment.workloads, deployment.requests_per_minute) == (6000, ("a", "b"), 3)
    assert [one.name for one, _ in file.sized()] == ["a", "b"]
    assert sorted(p.line or 0 for p in file.problems) == [4, 5, 6] and file.rows == 5


def test_a_deployment_that_only_repeated_rows_would_make_is_not_bought(sizing) -> None:
    file = sizing(HEADER + "a,gpt-4.1,1,1000,250,\na,gpt-5,1,1000,250,\n")
    file.check(skip_bad=True)
    assert [d.model.name for d in file.sizer.deployments().values()] == ["gpt-4.1"]


def test_rows_of_one_deployment_that_contradict_each_other_are_reported(sizing) -> None:
    file = sizing(HEADER + "a,gpt-4.1,1,2,3,shared\nb,gpt-5,1,2,3,shared\n")
    file.check()
    assert [str(p) for p in file.problems] == [
        "w.csv:3, column deployment (F3): expected one model, version, type and region: other rows make it gpt-4.1, "
        "this one gpt-5, got shared"
    ]


def test_the_model_is_checked_also_where_the_numbers_are_wrong(sizing) -> None:
    file = sizing(HEADER + "a,gpt4.1-mni,-1,2,3,\n")
    file.check()
    assert [(p.field, p.cell) for p in file.problems] == [("model", "B2"), ("requests_per_minute", "C2")]


def test_a_region_of_the_command_line_is_for_rows_without_one(sizing) -> None:
    file = sizing(
        "model,rpm,input_tokens,output_tokens,region\ngpt-4.1,1,2,3,\ngpt-4.1,1,2,3,westus\n", region="eastus"
    )
    file.check()
    assert [d.region for d in file.sizer.deployments().values()] == ["eastus", "westus"]


def test_an_output_weight_of_the_command_line_is_only_for_models_that_lack_one(sizing) -> None:
    file = sizing(HEADER + "a,GLM 5.2,1,1000,100,\nb,gpt-4.1,1,1000,100,\n", output_weight="2.5")
    file.check()
    # 1,000 + 2.5 x 100 = 1,250; 1,000 + 4 x 100 = 1,400
    assert [d.weighted_tpm for d in file.sizer.deployments().values()] == [1250, 1400]


def test_only_a_header_is_a_problem(sizing) -> None:
    file = sizing(HEADER)
    file.check()
    assert [str(p) for p in file.problems] == ["w.csv, file: expected at least one row of values, got only a header"]


def test_many_rows_of_fractions_add_up_exactly(sizing) -> None:
    file = sizing(HEADER + "".join(f"r{i},gpt-4.1,0.1,3,0,\n" for i in range(1000)))
    file.check()
    (deployment,) = file.sizer.deployments().values()
    assert deployment.weighted_tpm == 300 and deployment.requests_per_minute == Fraction(100)
    assert deployment.workload_count == 1000


# Files on the command line


def test_all_bad_cells_are_shown_in_a_table(refuses, in_tmp: Path) -> None:
    Path("w.csv").write_text(CLI_HEADER + "a,gpt-4.1,600,1800,250,\nb,gpt4.1-mni,-1,1.5,x,1.2\na,gpt-4.1,1,2,3,\n")
    assert refuses("size", "w.csv") == (
        "Error  w.csv: 6 values in 2 rows cannot be used (nothing was sized)\n"
        "\n"
        "  Line   Cell   Column          Found        Should be\n"
        "  ───────────────────────────────────────────────────────────────────────────────────────────\n"
        "     3   B3     model           gpt4.1-mni   a known model: gpt-4.1-mini or gpt-5.4-mini?\n"
        "     3   C3     rpm             -1           a number over 0\n"
        "     3   D3     input_tokens    1.5          a whole number, 0 or more (round it: 2?)\n"
        "     3   E3     output_tokens   x            a whole number, 0 or more\n"
        "     3   F3     cache_ratio     1.2          a share: 0 to 1, or 0% to 100%\n"
        "     4   A4     name            a            a name that no other workload has (row 2 has it)\n"
        "\n"
    )


def test_more_than_fifty_bad_cells_are_counted(refuses, in_tmp: Path) -> None:
    Path("w.csv").write_text(CLI_HEADER + "".join(f"r{i},gpt-4.1,-1,2,3,\n" for i in range(60)))
    message = refuses("size", "w.csv")
    assert "60 values in 60 rows" in message and "10 more; -o json lists 60 of them" in message


def test_skipping_sizes_the_good_rows_and_lists_the_bad(cli, in_tmp: Path) -> None:
    Path("w.csv").write_text(CLI_HEADER + "a,gpt-4.1,600,1800,250,40%\nb,gpt4.1-mni,1,2,3,\na,gpt-4.1,1,2,3,\n")
    ran = cli("size", "w.csv", "--skip-bad", "--json")
    assert ran.code == 0 and [w["name"] for w in json.loads(ran.out)["workloads"]] == ["a"]
    assert json.loads(ran.out)["totals"]["global"] == 420
    assert "2 values in 2 rows cannot be used (left out of the sizes)" in ran.err and "gpt4.1-mni" in ran.err


def test_skipping_everything_is_no_answer(refuses, in_tmp: Path) -> None:
    Path("w.csv").write_text(CLI_HEADER + "b,gpt4.1-mni,1,2,3,\n")
    assert "gpt4.1-mni" in refuses("size", "w.csv", "--skip-bad")


def test_a_plan_shows_the_line_and_marks_the_value(refuses, in_tmp: Path) -> None:
    Path("p.yaml").write_text(
        "workloads:\n  - model: gpt-4.1\n    rpm: -15\n    input_tokens: 1\n    output_tokens: 1\n"
    )
    assert refuses("size", "p.yaml") == (
        "Error  p.yaml:3:10: workloads[0].rpm: -15 should be a number over 0\n"
        "       2 │   - model: gpt-4.1\n"
        "       3 │     rpm: -15\n"
        "         │          ^^^\n"
    )


def test_an_unknown_key_of_a_plan_is_shown_in_its_line_too(refuses, in_tmp: Path) -> None:
    Path("p.yaml").write_text(
        "workloads:\n  - model: gpt-4.1\n    rmp: 15\n    input_tokens: 1\n    output_tokens: 1\n"
    )
    message = refuses("size", "p.yaml")
    assert "p.yaml:3:" in message and "workloads[0].rmp" in message and "│     rmp: 15" in message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "w.csv: file: (empty) should be workloads; the file is empty"),
        (CLI_HEADER.encode(), "w.csv: file: only a header should be at least one row of values"),
        (b"\0\1\2", "w.csv: file: a binary file should be a text file: CSV, YAML or JSON"),
        (b"\x1f\x8b\x08", "w.csv: file: a gzip archive should be a text file: CSV, YAML or JSON (unpack it first)"),
        (b"name,model\n", "w.csv:1: header: name, model should be columns requests_per_minute, input_tokens, output_tokens too"),
        (b'name,model,rpm,input_tokens,output_tokens\n"a,gpt-4.1,1,2,3\n', "w.csv:2: row: unexpected end of data should be a table row"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused_in_one_line(
    refuses, in_tmp: Path, content: bytes, expected: str
) -> None:
    Path("w.csv").write_bytes(content)
    assert refuses("size", "w.csv") == f"Error  {expected}\n"


def test_a_directory_and_a_missing_file_are_refused_in_one_line(refuses, in_tmp: Path) -> None:
    assert refuses("size", ".") == "Error  .: file: a directory should be a file\n"
    assert (
        refuses("size", "no.csv")
        == "Error  no.csv: file: No such file or directory should be a file that can be read\n"
    )


def test_unknown_columns_are_named_as_ignored(cli, in_tmp: Path) -> None:
    Path("w.csv").write_text("model,rpm,input_tokens,output_tokens,owner,Cost centre\ngpt-4.1,600,1800,250,me,7\n")
    ran = cli("size", "w.csv")
    assert (ran.code, ran.err) == (0, "w.csv: ignored columns owner, Cost centre\n")
    assert cli("size", "w.csv", "-q").err == ""


# What an outside review found


def test_a_cell_beyond_the_header_is_refused(refuses, in_tmp: Path) -> None:
    # 1,200 calls written without quotes: read as 1 call of 200 in and 500 out it would be 15 PTU.
    header = "name,model,requests_per_minute,input_tokens,output_tokens"
    Path("w.csv").write_text(f"{header}\nchat,gpt-4o,1,200,500,100\nfine,gpt-4o,1,200,500,,\n")
    message = refuses("size", "w.csv")
    assert "F2" in message and "nothing here: the header names 5 columns" in message and "1 value in 1 row" in message


def test_a_cell_under_an_empty_heading_is_refused(refuses, in_tmp: Path) -> None:
    Path("w.csv").write_text("model,rpm,input_tokens,output_tokens,\ngpt-4o,1,200,500,hello\n")
    assert "E2" in refuses("size", "w.csv")


def test_a_row_that_no_type_can_answer_is_pointed_at_and_can_be_skipped(refuses, cli, in_tmp: Path) -> None:
    Path("w.csv").write_text(CLI_HEADER.strip() + ",deployment_type\n"
        "a,gpt-4.1,600,1800,250,,\nb,Llama-3.3-70B-Instruct,1,2,3,,regional\n")  # fmt: skip
    message = refuses("size", "w.csv")
    assert "G3" in message and "Llama-3.3-70B-Instruct is not offered as Regional" in message
    assert cli("size", "w.csv", "--skip-bad").code == 0


def test_a_bad_flag_beside_bad_cells_is_no_row_of_the_file(refuses, in_tmp: Path) -> None:
    Path("w.csv").write_text(CLI_HEADER + "a,gpt-4.1,-1,1800,250,\n")
    message = refuses("size", "w.csv", "--sku", "foo")
    assert message.startswith("Error  w.csv: 2 values in 1 row cannot be used") and "--sku" in message


def test_the_2024_edition_can_be_used_with_a_region(cli) -> None:
    ran = cli("size", "-m", "gpt-4o", "--rpm", "60", "--input-tokens", "1000", "--output-tokens", "200",
        "--catalog", "azure-2024-12", "--region", "eastus2", "--json")  # fmt: skip
    sizes = json.loads(ran.out)["deployments"][0]["sizes"]
    # (1,000 + 3 x 200) x 60 / 2,500 = 38.4
    assert (ran.code, [(size["ptu"], size["available"]) for size in sizes]) == (0, [(40, None), (40, None), (50, None)])


@pytest.mark.parametrize("headroom", ["", " "])
def test_an_empty_headroom_is_not_0(refuses, headroom: str) -> None:
    call = ("-m", "gpt-4o", "--rpm", "60", "--input-tokens", "1000", "--output-tokens", "200")
    assert refuses("size", *call, "--headroom", headroom).startswith("Error  --headroom: (empty) should be a share")


def test_a_fraction_under_a_percent_heading_is_refused_because_it_may_mean_either(refuses, in_tmp: Path) -> None:
    Path("w.csv").write_text("model,rpm,input_tokens,output_tokens,Cache rate (%)\ngpt-4o,1,200,500,0.4\n")
    assert "0.4% or 0.4" in refuses("size", "w.csv")


def test_the_working_of_a_shared_deployment_shows_the_sum(cli, in_tmp: Path) -> None:
    Path("w.csv").write_text(CLI_HEADER + "a,gpt-4.1,10,1000,0,\nb,gpt-4.1,20,1000,0,\n")
    out = cli("size", "w.csv", "-v", "--sku", "global").out
    assert "10,000 a + 20,000 b = 30,000 weighted TPM" in out
    assert "30,000 weighted TPM ÷ 3,000 TPM per PTU = 10 PTU" in out


def test_a_hair_over_a_step_is_not_hidden_in_the_working(cli) -> None:
    # 30.00001 x 99,000 / 59,400 = 50.00001666...
    call = ("-m", "gpt-4.1-nano", "--rpm", "30.00001", "--input-tokens", "99000", "--output-tokens", "0")
    out = cli("size", *call, "--sku", "global", "-v").out
    assert "50.00002 rounded up to a multiple of 5, at least 15 = 55 PTU" in out


def test_a_largest_rate_below_a_tenth_is_not_shown_as_0(cli) -> None:
    # 15 x 600 / (272,001 x 2 + 4,000 x 7.5) = 0.01568 calls a minute
    call = ("-m", "gpt-6-astra", "--input-tokens", "272001", "--output-tokens", "4000", "--ptu", "15")
    ran = cli("size", *call)
    assert "0.01/min" in ran.out and "long context" in ran.out


def test_just_over_full_is_not_shown_as_full(cli) -> None:
    # 100.4 x 2,500 / 2,500 = 100.4 PTU of demand on 100
    call = ("-m", "gpt-4o", "--rpm", "100.4", "--input-tokens", "2500", "--output-tokens", "0", "--ptu", "100")
    assert "100.4%" in cli("size", *call, "-q").out
