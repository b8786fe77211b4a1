"""`ptucalc size`: what it refuses and how, what it writes and where. Golden files hold whole reports.

The golden numbers by hand. The single workload: 600 x 1,800 x 60 % = 648,000, plus 4 x 600 x 250 = 600,000, makes
1,248,000; / 3,000 = 416 PTU; to fives 420 (1,248/1,260 = 99.0 %), to fifties 450 (92.4 %); a call weighs 2,080, so 420 PTU
hold 1,260,000 / 2,080 = 605.8 and 450 hold 649.0 a minute; 416 x 1.15 = 478.4, so 480. Latency: 250 / 80 = 3.125 s, 600/60
x 3.125 = 31.25 calls at once. The portfolio: gpt-4.1 416 + 90 x 7,400 / 3,000 = 638; doc-summary 120 x 15,600 / 14,900 =
125.6; agents 45 x 17,250 / 3,400 + 160 x 3,060 / 3,400 = 228.3 + 144; code-review 35 x 13,550 / 4,750 = 99.8; voice 300 x
1,180 / 59,400 = 5.96; translation 1,000 x 5,200 / 37,000 = 140.5 (5,150: 139.2 in 2024); claims 220 x 5,200 / 23,750 = 48.2;
contract-qa 30 x (7,200 + 1,680 + 3,500) / 3,000 = 123.8; llama 80 x 3,800 / 8,450 = 35.98; o4-mini 6 x 31,000 / 5,400 =
34.4. Totals: Global 640 + 130 + 375 + 15 + 145 + 125 + 100 = 1,530; Data zone 640 + 130 + 375 + 100 + 15 + 145 + 50 = 1,455;
Regional 650 + 150 + 400 + 25 + 150 + 50 = 1,425. The plan, 10 % headroom: chat peaks at 11:00 (1,248,000) while
nightly-summaries rest, whose own hours reach 90 x 11,800 + 60 x 2,080 = 1,186,800 at most: 416 x 1.1 = 457.6; 1 - 1,248 /
(1,248 + 1,062) = 46.0 %; agents 228.3 x 1.1 = 251.1; voice 6.6; totals 460 + 15, 460 + 255 + 15, 500 + 25.
"""

from __future__ import annotations

import csv
import io
import json
import os
from datetime import date
from pathlib import Path

import pytest

from ptucalc import load_catalog
from ptucalc.batch import FileSizing
from ptucalc.read.workloads import WorkloadFile
from ptucalc.resolving import Resolver
from ptucalc.sizing import Sizer

CALL = ("--rpm", "600", "--input-tokens", "1800", "--output-tokens", "250")
ONE = ("size", "-m", "gpt-4.1", *CALL, "--cache-ratio", "40%")
HEADER = "name,model,rpm,input_tokens,output_tokens,cache_ratio\n"


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# Whole reports


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("single.txt", ONE),
        ("single-verbose.txt", (*ONE, "-v")),
        ("single.md", (*ONE, "-o", "markdown")),
        ("single.csv", (*ONE, "-o", "csv")),
        ("single.json", (*ONE, "-o", "json")),
        ("portfolio.txt", ("size", "examples/workloads.csv")),
        ("portfolio.md", ("size", "examples/workloads.csv", "-o", "markdown")),
        ("portfolio.csv", ("size", "examples/workloads.csv", "-o", "csv")),
        ("portfolio.json", ("size", "examples/workloads.csv", "-o", "json")),
        ("plan.txt", ("size", "examples/plan.yaml")),
        ("plan.json", ("size", "examples/plan.yaml", "-o", "json")),
    ],
)  # fmt: skip
def test_whole_reports_are_as_read_and_checked(
    cli, golden, in_root: Path, name: str, arguments: tuple[str, ...]
) -> None:
    ran = cli(*arguments)
    assert ran.code == 0
    golden(name, ran.out)
    assert "\x1b" not in ran.out
    if not name.endswith("portfolio.csv"):  # a CSV of a file has its notes on standard error
        assert ran.err == ""


def test_reports_do_not_depend_on_the_day(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not {word for word in cli(*ONE).out.split() if word in ("ago.", "today.")}


# One workload from flags


@pytest.mark.parametrize(
    ("model", "near"),
    [("gpt4.1-mni", "gpt-4.1-mini or gpt-5.4-mini?"), ("GPT-4o mini", "gpt-4o-mini?")],
)  # fmt: skip
def test_an_unknown_model_is_refused_with_near_names(refuses, model: str, near: str) -> None:
    assert refuses("size", "-m", model, *CALL) == f"Error  --model: {model} should be a known model: {near}\n"


def test_a_model_like_no_other_points_to_the_list(refuses) -> None:
    expected = "Error  --model: zzz should be a known model (see: ptucalc models)\n"
    assert refuses("size", "-m", "zzz", *CALL) == expected


@pytest.mark.parametrize(
    ("flag", "value", "expected"),
    [
        ("--rpm", "-1", "a number over 0"), ("--rpm", "0", "a number over 0"), ("--rpm", "nan", "a number over 0"),
        ("--rpm", "inf", "a number over 0"), ("--rpm", "1,200", "a number over 0, without thousands separators (1200?)"),
        ("--input-tokens", "-1", "a whole number, 0 or more"), ("--input-tokens", "1.800", "a whole number, 0 or more, without thousands separators (1800?)"),
        ("--output-tokens", "0.5", "a whole number, 0 or more (round it: 0?)"), ("--output-tokens", "NaN", "a whole number, 0 or more"),
        ("--cache-ratio", "1.2", "a share: 0 to 1, or 0% to 100%"), ("--cache-ratio", "120%", "a share: 0 to 1, or 0% to 100%"),
        ("--cache-ratio", "40", "a share: 0 to 1, or 0% to 100% (40%?)"), ("--headroom", "15", "a share of 0 or more: 0.15 or 15% (15%?)"),
        ("--sku", "standard", "all, global, data-zone or regional"), ("--region", "eastus22", "a region that some PTU model is listed in: eastus2 or eastus?"),
        ("--model-version", "2024-01-01", "a version of gpt-4.1: 2025-04-14"), ("--input-tokens", "128001", "at most 128,000: gpt-4.1 refuses longer prompts on PTU (HTTP 400, or they spill over)"),
    ],
)  # fmt: skip
def test_a_bad_flag_is_refused_in_one_line(refuses, flag: str, value: str, expected: str) -> None:
    assert refuses(*ONE, flag, value) == f"Error  {flag}: {value} should be {expected}\n"


def test_a_prompt_of_exactly_the_limit_is_sized(cli) -> None:
    assert cli(*ONE, "--input-tokens", "128000").code == 0


def test_every_bad_flag_is_reported_at_once(refuses) -> None:
    message = refuses("size", "-m", "gpt4.1-mni", "--rpm", "-5", "--input-tokens", "NaN", "--cache-ratio", "1.2")
    assert message.splitlines() == [
        "Error  5 values cannot be used",
        "       --rpm: -5 should be a number over 0",
        "       --input-tokens: NaN should be a whole number, 0 or more",
        "       --cache-ratio: 1.2 should be a share: 0 to 1, or 0% to 100%",
        "       --output-tokens: (empty) should be a whole number, 0 or more",
        "       --model: gpt4.1-mni should be a known model: gpt-4.1-mini or gpt-5.4-mini?",
    ]


def test_bad_headroom_and_sku_do_not_hide_what_else_is_wrong(refuses) -> None:
    message = refuses(
        "size", "-m", "gpt4.1-mni", "--rpm", "-5", *CALL[2:], "--headroom", "x", "--sku", "y", "--ptu", "z"
    )
    assert [flag for flag in ("--model", "--rpm", "--headroom", "--sku", "--ptu") if f"{flag}: " not in message] == []


def test_bad_headroom_does_not_hide_the_bad_rows_of_a_file(refuses, in_tmp: Path) -> None:
    Path("w.csv").write_text(HEADER + "a,gpt-4.1,-77,2,3,\n")
    message = refuses("size", "w.csv", "--headroom", "x")
    assert "--headroom" in message and "-77" in message


def test_a_fireworks_model_needs_an_output_weight_and_takes_one(refuses, cli) -> None:
    assert refuses("size", "-m", "GLM 5.2", *CALL) == (
        "Error  --output-weight: (empty) should be the weight of one output token of GLM 5.2 "
        "(Microsoft's table of Fireworks models has no output-to-input row)\n"
    )
    ran = cli("size", "-m", "GLM 5.2", *CALL, "--cache-ratio", "0.5", "--output-weight", "4", "-o", "json")
    document = json.loads(ran.out)
    # Its cached weight is unknown, so cached tokens count in full: 600 x (1,800 + 4 x 250) = 1,680,000 / 300 = 5,600.
    assert document["workloads"][0]["weighted_tpm"] == 1_680_000
    assert [size["ptu"] for size in document["workloads"][0]["sizes"]] == [5600, 5600, None]
    assert {note["code"] for note in document["notes"]} >= {"cached_weight_unknown", "output_weight_given"}


def test_a_model_that_is_offered_on_no_type_asked_for_is_no_answer(refuses, cli) -> None:
    asked = ("size", "-m", "gpt-5.2-codex", *CALL, "--sku", "regional")
    reason = "no region offers gpt-5.2-codex as Regional, though sizes are published for it; offered as Global"
    message = f"Error  --sku: regional should be a type that gpt-5.2-codex is offered on ({reason})\n"
    assert refuses(*asked) == refuses(*asked, "-o", "csv") == refuses(*asked, "-o", "markdown") == message
    ran = cli(*asked, "-o", "json")
    assert (ran.code, ran.err) == (2, message)
    (size,) = json.loads(ran.out)["workloads"][0]["sizes"]
    assert (size["available"], size["ptu"], size["reason"]) == (False, None, reason)


def test_with_json_a_refusal_is_a_document_too(cli) -> None:
    ran = cli("size", "-m", "gpt-4.1", "--rpm", "inf", *CALL[2:], "--json")
    document = json.loads(ran.out)
    assert ran.code == 2 and ran.err == "Error  --rpm: inf should be a number over 0\n"
    assert (document["schema"], document["uncounted"]) == ("ptucalc.error/1", 0)
    assert document["problems"] == [
        {"source": "", "line": None, "column": None, "cell": "", "field": "requests_per_minute", "label": "--rpm", "found": "inf", "expected": "a number over 0"}
    ]  # fmt: skip


def test_nothing_to_size_shows_an_example(refuses) -> None:
    assert "ptucalc size -m gpt-4.1 --rpm 600" in refuses("size")


@pytest.mark.parametrize(
    "arguments", [("-o", "xml"), ("--json", "-o", "csv"), ("--frobnicate",), ("--rpm",), ("a.csv", "b.csv")]
)
def test_a_wrong_command_line_is_refused(refuses, arguments: tuple[str, ...]) -> None:
    assert refuses(*ONE, *arguments).startswith("Error  ")


def test_flags_that_a_files_rows_say_are_refused_beside_it(refuses, in_tmp: Path) -> None:
    Path("w.csv").write_text(HEADER)
    assert refuses("size", "w.csv", "-m", "gpt-4.1", "--ptu", "5").splitlines()[1:] == [
        "       --model: beside a file should be left out: the rows of the file say that",
        "       --ptu: beside a file should be left out: the rows of the file say that",
    ]


def test_quiet_leaves_only_the_answer(cli) -> None:
    out = cli(*ONE, "-q").out
    assert "420 PTU" in out and not {"How", "Rates", "Note"} & set(out.split())


def test_headroom_is_added_before_rounding(cli) -> None:
    # 416 x 1.15 = 478.4: 480 and 500; 50 PTU x 1.1 is exactly 55 (in floats 55.000000000000007, which would be 60)
    document = json.loads(cli(*ONE, "--headroom", "15%", "--json").out)
    assert document["totals"] == {"global": 480, "data-zone": 480, "regional": 500}
    exact = cli(
        "size",
        "-m",
        "gpt-4.1",
        "--rpm",
        "50",
        "--input-tokens",
        "3000",
        "--output-tokens",
        "0",
        "--headroom",
        "0.1",
        "--json",
    )
    assert json.loads(exact.out)["totals"]["global"] == 55


def test_the_inverse_shows_the_rate_that_fits(cli) -> None:
    ran = cli("size", "-m", "gpt-4.1", *CALL, "--ptu", "50", "--ptu", "52", "--json")
    document = json.loads(ran.out)
    # A call weighs 1,800 + 1,000 = 2,800: 150,000 / 2,800 = 53.57 and 156,000 / 2,800 = 55.71; 52 is on no grid.
    assert [round(rate["max_requests_per_minute"], 2) for rate in document["rates"]] == [53.57, 55.71]
    assert [list(rate["sold_as"].values()) for rate in document["rates"]] == [[True, True, True], [False, False, False]]


def test_an_old_sizing_is_reproduced_with_its_edition(cli) -> None:
    # Microsoft's latency article: 1,000 calls of 5,000 in and 50 out: (5,000 + 3 x 50) x 1,000 / 37,000 = 139.2, so 140.
    ran = cli(
        "size",
        "-m",
        "gpt-4o-mini",
        "--rpm",
        "1000",
        "--input-tokens",
        "5000",
        "--output-tokens",
        "50",
        "--catalog",
        "azure-2024-12",
        "--json",
    )
    document = json.loads(ran.out)
    assert document["totals"]["global"] == 140 and document["catalog"] == ["azure-2024-12"]
    assert "past_edition" in {note["code"] for note in document["notes"]}


def test_a_wrong_catalog_is_refused(refuses, in_tmp: Path) -> None:
    assert "azure-2024-12?" in refuses(*ONE, "--catalog", "azure-2024-11")
    Path("wrong.yaml").write_text(
        "schema: ptucalc.catalog/1\nas_of: 2026-01-01\nmodels: [{name: gpt-4.1, tpm_per_ptu: x}]\n"
    )
    assert refuses(*ONE, "--catalog", "wrong.yaml") == (
        "Error  wrong.yaml:3:39: models[0].tpm_per_ptu: x should be a whole number, 1 or more\n"
    )


# Output

NASTY = [
    "=1+1",
    "+x",
    "-x",
    "@x",
    "a|b",
    "<script>alert(1)</script>",
    "`c`",
    "[l](http://x)",
    "**b**",
    "#h",
    "\\|",
    "日本",
]


@pytest.fixture
def nasty(in_tmp: Path) -> str:
    with open("n.csv", "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("name", "model", "rpm", "input_tokens", "output_tokens", "deployment"), *((n, "gpt-4.1", 1, 2, 3, n) for n in NASTY)])  # fmt: skip
    return "n.csv"


def test_csv_names_are_no_formulas(cli, nasty: str) -> None:
    rows = rows_of(cli("size", nasty, "-o", "csv", "--sku", "global").out)
    expected = [f"'{name}" if name[0] in "=+-@" else name for name in NASTY]
    assert [row["name"] for row in rows] == [row["deployment"] for row in rows] == expected * 2


def test_csv_negative_and_other_numbers_stay_numbers(cli) -> None:
    for row in rows_of(cli(*ONE, "-o", "csv").out):
        assert float(row["raw_ptu"]) == 416 and float(row["utilization"]) > 0.9


def test_markdown_cannot_be_broken_by_names(cli, nasty: str) -> None:
    out = cli("size", nasty, "-o", "markdown", "--sku", "global").out
    assert "<script" not in out.replace("\\<script", "") and "\\|" in out
    tables = [line for line in out.splitlines() if line.startswith("|")]
    columns = {line.replace("\\\\", "").replace("\\|", "").count("|") for line in tables if "Workload" not in line}
    assert len(columns) == 2  # one number of columns per table: no name added any


def test_json_is_strict_and_its_numbers_are_numbers(cli, nasty: str) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    document = json.loads(cli("size", nasty, "--json").out, parse_constant=refuse)
    assert [workload["name"] for workload in document["workloads"]] == NASTY
    for workload in document["workloads"]:
        assert all(
            isinstance(workload[key], (int, float)) for key in ("requests_per_minute", "weighted_tpm", "cache_ratio")
        )
        assert all(
            isinstance(size["raw_ptu"], (int, float)) and isinstance(size["ptu"], int) for size in workload["sizes"]
        )


@pytest.mark.parametrize(
    ("name", "start"),
    [("o.json", "{"), ("o.csv", "row_type,"), ("o.md", "**gpt-4.1**"), ("o.txt", "\n  gpt-4.1"), ("o", "\n  gpt-4.1")],
)
def test_the_format_follows_the_file_name(cli, in_tmp: Path, name: str, start: str) -> None:
    ran = cli(*ONE, "--out-file", name)
    assert (ran.code, ran.out) == (0, "") and Path(name).read_text(encoding="utf-8").startswith(start)


def test_the_old_file_stays_whole_when_writing_fails(cli, in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("o.csv").write_text("old")
    Path("w.csv").write_text(HEADER + "a,gpt-4.1,1,2,3,\nb,gpt-4.1,1,2,3,\n")

    def breaks(*_: object) -> None:
        raise RuntimeError("no more")

    monkeypatch.setattr("ptucalc.cli.sizing_runs.deployment_rows", breaks)
    assert cli("size", "w.csv", "--out-file", "o.csv").code == 3
    assert Path("o.csv").read_text() == "old" and sorted(os.listdir()) == ["o.csv", "w.csv"]


def test_the_old_file_stays_when_the_input_is_bad(refuses, in_tmp: Path) -> None:
    Path("o.csv").write_text("old")
    refuses("size", "-m", "zzz", *CALL, "--out-file", "o.csv")
    assert Path("o.csv").read_text() == "old" and os.listdir() == ["o.csv"]


def test_the_input_file_is_never_overwritten(refuses, in_tmp: Path) -> None:
    Path("w.csv").write_text(HEADER + "a,gpt-4.1,1,2,3,\n")
    os.symlink("w.csv", "link.csv")
    os.link("w.csv", "hard.csv")
    for name in ("w.csv", "./w.csv", "link.csv", "hard.csv"):
        assert refuses("size", "w.csv", "--out-file", name) == (
            f"Error  --out-file: {name} should be another file than the one that is read\n"
        )


def test_the_catalog_file_is_never_overwritten(refuses, in_tmp: Path) -> None:
    text = "schema: ptucalc.catalog/1\nas_of: 2026-01-01\nmodels: [{name: gpt-4.1, tpm_per_ptu: 3100}]\n"
    Path("own.yaml").write_text(text)
    assert "--out-file" in refuses(*ONE, "--catalog", "own.yaml", "--out-file", "own.yaml")
    assert Path("own.yaml").read_text() == text


def test_permissions_are_kept_and_a_symlink_is_written_through(cli, in_tmp: Path) -> None:
    os.mkdir("elsewhere")
    real = Path("elsewhere/real.json")
    real.write_text("old")
    real.chmod(0o640)
    os.symlink(real, "o.json")
    assert cli(*ONE, "--out-file", "o.json").code == 0
    assert Path("o.json").is_symlink() and json.loads(real.read_text())["totals"]["global"] == 420
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_new_file_gets_the_usual_permissions(cli, in_tmp: Path) -> None:
    Path("usual").touch()
    assert cli(*ONE, "--out-file", "o.json").code == 0
    assert Path("o.json").stat().st_mode == Path("usual").stat().st_mode


def test_where_nothing_can_be_written_is_refused(refuses, in_tmp: Path) -> None:
    assert refuses(*ONE, "--out-file", "no/o.txt") == (
        "Error  --out-file: no/o.txt should be a file that can be written (No such file or directory)\n"
    )
    assert refuses(*ONE, "--out-file", ".") == "Error  --out-file: . should be a file, not a directory\n"


def test_twenty_thousand_rows_go_to_csv_and_their_ptu_sums_match_the_totals(cli, in_tmp: Path) -> None:
    models = ("gpt-4.1", "gpt-5", "gpt-4o-mini", "gpt-4.1-nano")
    Path("w.csv").write_text(
        HEADER
        + "".join(f"r{i},{models[i % 4]},{i % 7 + 1}.5,{1000 + i % 50},{i % 30},0.{i % 10}\n" for i in range(20_000))
    )
    ran = cli("size", "w.csv", "-o", "csv", "-q")
    sizing = FileSizing(WorkloadFile.open("w.csv"), Sizer(Resolver(load_catalog())))
    sizing.check()
    totals = sizing.sizer.result([], [], version="", today=date(2026, 11, 21)).totals
    rows = rows_of(ran.out)
    assert (ran.code, ran.err, len(rows)) == (0, "", (20_000 + 4) * 3)
    for kind, total in totals.items():
        found = [row for row in rows if row["deployment_type"] == kind]
        assert sum(int(row["ptu"] or 0) for row in found) == total
        pooled = sum(float(row["raw_ptu"]) for row in found if row["row_type"] == "deployment")
        alone = sum(float(row["raw_ptu"]) for row in found if row["row_type"] == "workload")
        assert abs(pooled - alone) < 1e-6 * pooled and pooled <= total < pooled + 4 * 50


def test_the_largest_rate_shown_does_fit(cli) -> None:
    # 50 PTU hold 150,000 / 2,800 = 53.571 a minute; shown as 53.6 it would be a rate that needs 55.
    out = cli("size", "-m", "gpt-4.1", *CALL, "--ptu", "50", "-q").out
    rate = next(word for word in out.split() if word.endswith("/min")).removesuffix("/min")
    sized = cli("size", "-m", "gpt-4.1", "--rpm", rate, *CALL[2:], "--sku", "global", "--json")
    assert json.loads(sized.out)["totals"]["global"] == 50
