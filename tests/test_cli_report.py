"""`ptucalc report`: what it takes and refuses, the formats, where it writes; the same page from the saved JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from ptucalc.report_documents import ReportDocument

PLAN, WORKLOADS, LOG = ("examples/plan.yaml", "examples/workloads.csv", "examples/logs/requests.csv")
CALL = ("-m", "gpt-4.1", "--rpm", "600", "--input-tokens", "1800", "--output-tokens", "250", "--cache-ratio", "40%")
DAY = ("--date", "2026-11-22")

pytestmark = pytest.mark.usefixtures("in_root")


def document(ran: Any) -> Any:
    assert ran.code == 0, ran
    return json.loads(ran.out)


def test_a_written_report_has_every_key_of_its_type_and_no_other(cli: Callable) -> None:
    adapter = TypeAdapter(ReportDocument)
    for arguments in ((PLAN,), (WORKLOADS,), CALL):
        written = document(cli("report", *arguments, "--json"))
        assert adapter.validate_python(written, strict=True) == written


def test_the_parts_are_what_their_commands_write(cli: Callable) -> None:
    report = document(cli("report", PLAN, "--json"))
    assert report["size"] == document(cli("size", PLAN, "--json"))
    assert report["cost"] == document(cli("cost", PLAN, "--json"))
    assert report["logs"] is report["simulate"] is None and report["source"]["kind"] == "plan"
    assert document(cli("report", WORKLOADS, "--json"))["source"] == {
        "kind": "workloads",
        "names": ["workloads.csv"],
        "text": "workloads.csv: 12 workloads",
    }


def test_the_flags_of_size_and_cost_change_the_answers(cli: Callable) -> None:
    flags = ("--headroom", "25%", "--sku", "global", "--discount", "10%", "--term", "1-year")
    report = document(cli("report", PLAN, *flags, "--json"))
    assert report["cost"] == document(cli("cost", PLAN, *flags, "--json"))
    assert set(report["what_if"][0]["usd_per_ptu_month"]) == {"1-year"}
    assert {row["deployment_type"] for row in report["rates"]} == {"global"}
    assert report["working"][0]["headroom_exact"] == "1/4"


def test_one_workload_can_come_from_flags(cli: Callable) -> None:
    report = document(cli("report", *CALL, "--json", *DAY))
    # 1,080 + 4 x 250 = 2,080 x 600 = 1,248,000 of 3,000 per PTU: 416
    assert report["headlines"][0]["size_ptu"] == 420 and report["made_on"] == "2026-11-22"
    assert report["source"]["names"] == [] and "command line" in report["source"]["text"]
    profiled = document(cli("report", *CALL[:2], *CALL[4:], "--profile", "1/2:600,1/2:60", "--json"))
    assert profiled["what_if"][0]["rows"][1]["share_of_time_over"] == 1


def test_a_log_is_sized_priced_and_simulated_at_one_reading(cli: Callable) -> None:
    report = document(cli("report", LOG, "-m", "gpt-4.1", "--json", *DAY))
    logs = document(cli("logs", LOG, "-m", "gpt-4.1", "--json"))
    assert report["logs"] == {**logs, "source": {**logs["source"], "files": ["requests.csv"]}}
    names = [each["name"] for each in logs["by_deployment"]]
    assert (
        [line["deployment"] for line in report["headlines"]]
        == names
        == [d["name"] for d in report["size"]["deployments"]]
    )
    assert {each["name"] for each in report["simulate"]["by_deployment"]} == set(names)
    assert {each["name"] for each in report["cost"]["deployments"]} == set(names)
    for line in report["headlines"]:
        assert line["size_basis"] == "p99" and line["throttled"]["ptu"] == line["size_ptu"]
    costs = document(cli("cost", LOG, "-m", "gpt-4.1", "--json"))
    for ours, theirs in zip(report["cost"]["deployments"], costs["deployments"], strict=True):
        assert ours["payg_monthly_usd"] == theirs["payg_monthly_usd"] and ours["hybrid"] == theirs["hybrid"]
    (run,) = document(cli("simulate", LOG, "-m", "gpt-4.1", "--ptu", "30", "--json"))["by_deployment"][0]["simulated"][
        "runs"
    ]
    mine = report["simulate"]["by_deployment"][0]["simulated"]["runs"][0]
    assert (
        run == mine and run["ptu"] == 30 and sum(report["timelines"][0]["responses_429"]) == run["responses_429"] == 11
    )
    row = next(row for row in report["what_if"][0]["rows"] if row["ptu"] == 30)
    assert (row["throttled_share"], row["throttled_minutes"]) == (run["throttled_share"], run["throttled_minutes"])
    assert [len(each["ptu"]) for each in report["hour_of_week"]] == [168] * 4


def test_the_sizes_to_simulate_can_be_given_or_follow_from_a_target(cli: Callable) -> None:
    given = document(cli("report", LOG, "-m", "gpt-4.1", "--ptu", "15", "--ptu", "45", "--window", "30", "--json"))
    first = given["simulate"]["by_deployment"][0]["simulated"]
    assert [run["ptu"] for run in first["runs"]] == [15, 45] and first["window_seconds"] == 30
    target = document(cli("report", LOG, "-m", "gpt-4.1", "--target-429", "0.1%", "--policy", "spillover", "--json"))
    first = target["simulate"]["by_deployment"][0]["simulated"]
    assert first["policy"] == "spillover" and first["chosen_ptu"] == first["smallest_ptu_meeting_target"]


def test_a_log_of_minutes_is_not_simulated_and_that_is_said(cli: Callable) -> None:
    ran = cli("report", "examples/logs/metrics.json", "-m", "gpt-4.1", "--json")
    report = document(ran)
    assert report["simulate"] is None and report["timelines"] == [] and report["logs"] is not None
    assert "the rows are sums of minutes, not calls: nothing was simulated" in ran.err
    assert all(row["throttled_share"] is None for row in report["what_if"][0]["rows"])


def test_by_model_and_for_another_percentile_and_type(cli: Callable) -> None:
    report = document(
        cli("report", LOG, "-m", "gpt-4.1", "--by", "model", "--percentile", "p99.9", "--sku", "regional", "--json")
    )
    (line,) = report["headlines"]
    assert (line["deployment"], line["deployment_type"], line["size_basis"]) == ("gpt-4.1", "regional", "p99.9")
    assert report["simulate"]["by_deployment"][0]["deployment_type"] == "regional"
    assert line["throttled"]["ptu"] == line["size_ptu"]


def test_pay_as_you_go_of_another_type_prices_what_spills_too(cli: Callable) -> None:
    report = document(cli("report", *CALL, "--sku", "regional", "--payg-type", "global", "--json"))
    (what_if,) = report["what_if"]
    assert what_if["deployment_type"] == "regional"
    assert what_if["rows"][0]["spillover_monthly_usd"] == what_if["payg_monthly_usd"]
    assert (
        what_if["payg_monthly_usd"]
        != document(cli("report", *CALL, "--sku", "regional", "--json"))["what_if"][0]["payg_monthly_usd"]
    )


def test_a_log_is_simulated_on_the_type_that_its_headline_shows(cli: Callable) -> None:
    # no region sells it as Global PTU there, so that the first type asked for is not the one shown
    report = document(cli("report", LOG, "-m", "gpt-5.6-sol", "--region", "eastus", "--json"))
    kinds = {line["deployment_type"] for line in report["headlines"]}
    assert "global" not in kinds
    assert {each["deployment_type"] for each in report["simulate"]["by_deployment"]} == kinds
    assert all(each["simulated"] for each in report["simulate"]["by_deployment"])


# Saved


@pytest.mark.parametrize("source", [(PLAN,), (LOG, "-m", "gpt-4.1")])
@pytest.mark.parametrize("format", ["md", "csv", "html"])
def test_a_saved_report_gives_the_same_page(
    cli: Callable, tmp_path: Path, source: tuple[str, ...], format: str
) -> None:
    saved = tmp_path / "r.json"
    assert cli("report", *source, *DAY, "--out-file", saved).code == 0
    assert cli("report", saved, "-f", format).out == cli("report", *source, *DAY, "-f", format).out
    assert cli("report", saved, "--json").out == saved.read_text(encoding="utf-8")


def test_a_saved_report_can_get_another_title_and_day(cli: Callable, tmp_path: Path) -> None:
    saved = tmp_path / "r.json"
    cli("report", PLAN, *DAY, "--title", "First", "--out-file", saved)
    again = document(cli("report", saved, "--title", "Second", "--date", "none", "--json"))
    assert (again["title"], again["made_on"]) == ("Second", None)
    assert document(cli("report", saved, "--json"))["title"] == "First"


@pytest.mark.parametrize("command", ["size", "cost", "logs", "simulate"])
def test_what_other_commands_saved_is_a_report_too(cli: Callable, command: str) -> None:
    source = (PLAN,) if command in ("size", "cost") else (LOG, "-m", "gpt-4.1")
    saved = cli(command, *source, "--json").out
    report = document(cli("report", "-", "--json", stdin=saved.encode()))
    part = json.loads(saved)
    assert {key: value for key, value in report[command].items() if key != "source"} == {
        key: value for key, value in part.items() if key != "source"
    }
    assert report["source"]["kind"] == "saved" and report["made_on"] is None and report["what_if"] == []
    assert report["source"]["text"].startswith(f"standard input: ptucalc.{command}/1 of ptucalc ")
    text = cli("report", "-", stdin=saved.encode()).out
    assert text.startswith("# PTU plan: ")


def test_flags_that_a_saved_result_cannot_follow_are_refused(cli: Callable, refuses: Callable, tmp_path: Path) -> None:
    saved = tmp_path / "r.json"
    cli("report", PLAN, *DAY, "--out-file", saved)
    said = refuses("report", saved, "--headroom", "5%", "-m", "gpt-4.1", "--rpm", "4", "--ptu", "50", "--sku", "global")
    for flag in ("--headroom", "--model", "--rpm", "--ptu", "--sku"):
        assert f"{flag}: beside a saved result should be left out: a saved result is shown as it is" in said


# What is refused


def test_everything_that_is_wrong_is_told_at_once(refuses: Callable) -> None:
    said = refuses(
        "report",
        PLAN,
        "--date",
        "22.11.2026",
        "--title",
        " ",
        "--headroom",
        "x",
        "--ptu",
        "5",
        "--rpm",
        "1",
        "--term",
        "week",
    )
    for line in (
        "--date: 22.11.2026 should be a day such as 2026-01-31, or none",
        "--title: (empty) should be some words",
        "--headroom: x should be",
        "--ptu: without a log should be left out: it is about a log",
        "--rpm: beside a file should be left out",
        "--term: week should be",
    ):
        assert line in said
    said = refuses(
        "report", LOG, "--rpm", "1", "--percentile", "p0", "--window", "z", "--sku", "moon", "--date", "2026-02-30"
    )
    for flag in ("--rpm", "--percentile", "--window", "--sku", "--date"):
        assert f"{flag}: " in said
    assert said.count("--sku") == 1


@pytest.mark.parametrize("flag", ["--percentile", "--policy", "--by", "--max-retries", "--target-429", "--assumed-max-tokens", "--bucket-seconds", "--window"])  # fmt: skip
def test_flags_about_logs_are_refused_beside_workloads(refuses: Callable, flag: str) -> None:
    assert f"{flag}: without a log" in refuses("report", WORKLOADS, flag, "1")


@pytest.mark.parametrize("flag", ["--headroom", "--region", "--discount", "--payg-type", "--term", "--output-weight", "--catalog", "--prices"])  # fmt: skip
def test_flags_that_change_answers_are_refused_beside_a_saved_result(
    cli: Callable, refuses: Callable, flag: str
) -> None:
    saved = cli("size", *CALL, "--json").out
    assert f"{flag}: beside a saved result" in refuses("report", "-", flag, "1", stdin=saved.encode())


def test_nothing_to_report_is_told_with_an_example(refuses: Callable) -> None:
    assert "a workload: ptucalc report -m gpt-4.1" in refuses("report")
    assert "none.csv" in refuses("report", "none.csv")
    assert "is offered on" in refuses("report", "-m", "gpt-5.2-codex", *CALL[2:8], "--sku", "regional")


# Where to


def test_the_ending_of_the_file_says_the_format(cli: Callable, tmp_path: Path) -> None:
    for name, start in {
        "r.md": b"# PTU",
        "r.markdown": b"# PTU",
        "r.csv": b"row_type,",
        "r.json": b"{\n",
        "r.HTML": b"<!",
        "r.htm": b"<!",
        "r.xlsx": b"PK",
    }.items():
        out = tmp_path / name
        ran = cli("report", PLAN, *DAY, "--out-file", out)
        assert (ran.code, ran.out) == (0, ""), ran
        assert out.read_bytes().startswith(start), name
    assert sorted(os.listdir(tmp_path)) == sorted(
        {"r.md", "r.markdown", "r.csv", "r.json", "r.HTML", "r.htm", "r.xlsx"}
    )


def test_the_format_flag_wins_and_has_its_other_names(cli: Callable, tmp_path: Path) -> None:
    out = tmp_path / "notes.txt"
    for name in ("md", "markdown", ".MD"):
        assert cli("report", PLAN, *DAY, "-f", name, "--out-file", out).code == 0
        assert out.read_text(encoding="utf-8").startswith("# PTU plan")
    assert cli("report", PLAN, *DAY, "-o", "csv").out.startswith("row_type")
    assert cli("report", PLAN, *DAY).out.startswith("# PTU plan")


@pytest.mark.parametrize("name", ["r.pdf", "r", "r.xls", ".html."])
def test_an_ending_that_is_no_format_is_refused(refuses: Callable, tmp_path: Path, name: str) -> None:
    said = refuses("report", PLAN, "--out-file", tmp_path / name)
    assert "should be a name that ends in .html, .xlsx, .md, .csv, .json, or -f html, xlsx, md, csv or json too" in said
    assert os.listdir(tmp_path) == []


def test_formats_that_there_are_not_or_that_contradict_are_refused(cli: Callable, refuses: Callable) -> None:
    assert "--format: pdf should be html, xlsx, md, csv or json" in refuses("report", PLAN, "-f", "pdf")
    assert cli("report", PLAN, "-f", "md", "--json").code == 2


def test_a_folder_or_the_file_that_is_read_is_not_written_over(refuses: Callable, tmp_path: Path) -> None:
    assert "should be a file, not a directory" in refuses("report", PLAN, "--out-file", tmp_path)
    for format in ("md", "xlsx", "csv", "html"):
        plan = tmp_path / "plan.yaml"
        plan.write_text(Path(PLAN).read_text())
        said = refuses("report", plan, "-f", format, "--out-file", plan)
        assert "should be another file than the one that is read" in said
        assert plan.read_text() == Path(PLAN).read_text()


def test_an_older_report_stays_where_a_new_one_cannot_be_made(cli: Callable, tmp_path: Path) -> None:
    out = tmp_path / "r.xlsx"
    out.write_bytes(b"older")
    assert cli("report", PLAN, "--headroom", "x", "--out-file", out).code == 2
    assert out.read_bytes() == b"older" and os.listdir(tmp_path) == ["r.xlsx"]
    assert cli("report", PLAN, *DAY, "--out-file", out).code == 0
    assert out.read_bytes().startswith(b"PK") and os.listdir(tmp_path) == ["r.xlsx"]


def test_a_workbook_is_piped_but_not_shown_on_a_terminal(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ptucalc", "report", PLAN, *DAY, "-f", "xlsx"]
    piped = subprocess.run(command, capture_output=True, timeout=60, check=True)
    assert piped.stdout.startswith(b"PK")
    import pty

    leader, follower = pty.openpty()
    shown = subprocess.run(command, stdout=follower, stderr=subprocess.PIPE, timeout=60)
    os.close(follower)
    os.close(leader)
    assert shown.returncode == 2 and b"a file such as report.xlsx" in shown.stderr


def test_the_day_is_todays_unless_told(cli: Callable) -> None:
    before = date.today().isoformat()
    made = document(cli("report", *CALL, "--json"))["made_on"]
    assert before <= made <= date.today().isoformat()
    assert document(cli("report", *CALL, "--json", "--date", "none"))["made_on"] is None
    assert cli("report", *CALL, *DAY).out == cli("report", *CALL, *DAY).out


def test_bad_rows_can_be_skipped_and_are_told(cli: Callable, tmp_path: Path) -> None:
    rows = tmp_path / "w.csv"
    rows.write_text("name,model,requests_per_minute,input_tokens,output_tokens\na,gpt-4.1,5,100,10\nb,gpt-4.1,x,1,1\n")
    assert cli("report", rows).code == 2
    ran = cli("report", rows, "--skip-bad", "--json")
    assert [each["name"] for each in document(ran)["size"]["workloads"]] == ["a"] and "left out" in ran.err


def test_the_help_names_the_command(cli: Callable) -> None:
    assert "hand over" in cli("--help").out and "--out-file" in cli("report", "--help").out


# Contradictions, and names that only a log can have


@pytest.mark.parametrize(
    ("format", "name"), [("html", "r.xlsx"), ("md", "r.htm"), ("xlsx", "R.HTML"), ("csv", "r.json")]
)
def test_a_format_and_a_file_that_is_named_as_another_are_refused(
    refuses: Callable, tmp_path: Path, format: str, name: str
) -> None:
    assert f"as {tmp_path / name} ends" in refuses("report", PLAN, "-f", format, "--out-file", tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_json_into_a_file_that_is_named_as_another_is_refused(cli: Callable, tmp_path: Path) -> None:
    assert cli("report", PLAN, "--json", "--out-file", tmp_path / "r.html").code == 2
    assert os.listdir(tmp_path) == []


def test_a_log_may_call_its_deployments_anything(cli: Callable, tmp_path: Path) -> None:
    names = ["x" * 10_000, "x" * 9_999, "\u202eevil\u2067", "\u200f\u05d0", "plain"]
    lines = ["timestamp,deployment,model,prompt_tokens,completion_tokens"]
    lines += [f"2026-11-09T0{hour}:00:21Z,{name},gpt-4.1,1000,100" for name in names for hour in range(5)]
    log = tmp_path / "log.csv"
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    report = document(cli("report", log, "--json", *DAY))
    found = [line["deployment"] for line in report["headlines"]]
    assert len(set(found)) == len(names) and max(map(len, found)) <= 200
    assert {"plain", "\u200f\u05d0", "\ufffdevil\ufffd", "x" * 180 + "…", "x" * 180 + "… (2)"} == set(found)
    for line in report["headlines"]:  # size, cost, log and simulation are of one deployment
        assert line["size_ptu"] == 15 and line["cheapest"] and line["throttled"], line
    for name in ("r.html", "r.xlsx", "r.md", "r.csv"):
        assert cli("report", log, "--out-file", tmp_path / name).code == 0
    costs = document(cli("cost", log, "--json"))
    assert {each["name"] for each in costs["deployments"]} == set(found)
    assert cli("logs", log, "--save", tmp_path / "plan.yaml").code == 0
    assert cli("size", tmp_path / "plan.yaml").code == 0
