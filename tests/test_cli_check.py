"""`ptucalc check`: every limit of a plan, in every form, with its exit code.

The numbers by hand, from the published rates of gpt-4.1: a call of 2,000 tokens in and 250 out weighs 2,000 + 4 x 250 = 3,000,
which is what a PTU serves in a minute, so 1 request a minute is 1 PTU, sold from 15 by 5 on Global. A PTU costs $221 a month
on a year (2,652 / 12), $260 on a month and $730 by the hour.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from ptucalc import load_catalog
from ptucalc.check_documents import CheckDocument
from ptucalc.cli.check_runs import github_place
from ptucalc.errors import Problem
from ptucalc.report.github import annotation, problem_annotations

CALL = "input_tokens: 2000, output_tokens: 250"
CHAT = f"workloads:\n  - {{name: chat, model: gpt-4.1, region: eastus2, requests_per_minute: 98, {CALL}}}\n"
"""98 PTU, so 100, 98 % busy: $22,100 a month on a year."""


@pytest.fixture
def plan(in_tmp: Path) -> Callable[..., Path]:
    """Writes a plan of CHAT, or other workloads, with these limits, into the current folder."""

    def write(limits: str = "", workloads: str = CHAT, name: str = "plan.yaml") -> Path:
        path = Path(name)
        path.write_text(workloads + (f"limits:\n{limits}" if limits else ""))
        return path

    return write


KEPT = """  quota_ptu: {global: {eastus2: 100}}
  monthly_budget_usd: 22100
  max_utilization: 98%
  allowed_regions: [eastus2]
"""

BROKEN = """  quota_ptu: {global: {eastus2: 95}}
  monthly_budget_usd: 22099.50
  max_utilization: 97.9%
  min_utilization: 97%
"""


def test_a_plan_that_keeps_its_limits_passes(cli: Callable, plan: Callable) -> None:
    ran = cli("check", plan(KEPT), "--sku", "global")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[1:8] == [
        "  Result   Limit                         Allowed        Is   Remark",
        f"  {'─' * (len(max(lines[3:7], key=len)) - 2)}",
        "  pass     quota_ptu (global, eastus2)       100       100",
        "  pass     monthly_budget_usd            $22,100   $22,100   1-year, list prices",
        "  pass     max_utilization (gpt-4.1)         98%       98%   at the peak of 100 PTU",
        "  pass     allowed_regions (gpt-4.1)     eastus2   eastus2",
        "",
    ]
    assert "All 4 limits are kept." in ran.out
    assert "Taken as   Global (--sku global): the deployments whose workloads name no type." in ran.out


def test_every_broken_limit_is_named_with_both_figures_and_its_line(cli: Callable, plan: Callable) -> None:
    ran = cli("check", plan(BROKEN), "-q")
    assert ran.code == 1
    rows = [line.split("   ") for line in ran.out.splitlines()]
    told = [[cell.strip() for cell in row if cell.strip()] for row in rows if row[0].strip() in ("FAIL", "pass")]
    assert told == [
        ["FAIL", "quota_ptu (global, eastus2)", "95", "100", "plan.yaml:4: 5 over"],
        ["FAIL", "monthly_budget_usd", "$22,099.50", "$22,100.00", "plan.yaml:5: $0.50 over; 1-year, list prices"],
        ["FAIL", "max_utilization (gpt-4.1)", "97.9%", "98%", "plan.yaml:6: 0.1% over; at the peak of 100 PTU"],
        ["pass", "min_utilization (gpt-4.1)", "≥ 97%", "98%", "at the peak of 100 PTU"],
    ]
    assert "  3 of 4 limits broken.\n" in ran.out
    assert "Rates" not in ran.out


@pytest.mark.parametrize(
    ("flags", "in_plan", "usd"),
    [
        ((), "", 22100),
        (("--term", "1-month"), "", 26000),
        ((), "  term: hourly\n", 73000),
        (("--term", "1-year"), "  term: hourly\n", 22100),
        (("--discount", "10%"), "", 19890),
    ],
)
def test_the_budget_is_for_a_term_that_the_plan_or_a_flag_says(
    cli: Callable, plan: Callable, flags: tuple[str, ...], in_plan: str, usd: int
) -> None:
    for allowed, code in ((usd, 0), (usd - 1, 1)):
        ran = cli("check", plan(f"  monthly_budget_usd: {allowed}\n{in_plan}"), "--json", *flags)
        document = json.loads(ran.out)
        assert (ran.code, document["checks"][0]["found"]) == (code, usd)
        assert document["checks"][0]["over"] == (None if code == 0 else 1)


def test_json_has_the_shape_that_its_schema_promises(cli: Callable, plan: Callable) -> None:
    ran = cli("check", plan(BROKEN + "  max_429_rate: 100%\n  allowed_regions: [westus]\n"), "--json")
    document = json.loads(ran.out)
    assert TypeAdapter(CheckDocument).validate_python(document, strict=True) == document
    assert (ran.code, document["verdict"], document["source"], document["term"]) == (1, "fail", "plan.yaml", "1-year")
    assert document["open_deployments_as"] == "global"
    (deployment,) = document["deployments"]
    assert {key: deployment[key] for key in ("name", "ptu", "utilization", "monthly_usd", "price_region")} == {
        "name": "gpt-4.1",
        "ptu": 100,
        "utilization": 0.98,
        "monthly_usd": 22100,
        "price_region": "eastus2",
    }
    quota = document["checks"][0]
    assert (quota["line"], quota["column"], quota["bound"], quota["unit"]) == (4, 33, "at most", "ptu")
    assert document["checks"][-1]["allowed"] == ["westus"]


def test_csv_has_a_row_for_each_check(cli: Callable, plan: Callable) -> None:
    ran = cli("check", plan(BROKEN + "  allowed_regions: [westus, eastus2]\n"), "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert ran.code == 1
    assert [(row["limit"], row["status"], row["allowed"], row["found"], row["over"]) for row in rows] == [
        ("quota_ptu", "fail", "95", "100", "5"),
        ("monthly_budget_usd", "fail", "22099.5", "22100", "0.5"),
        ("max_utilization", "fail", "0.979", "0.98", "0.001"),
        ("min_utilization", "pass", "0.97", "0.98", ""),
        ("allowed_regions", "pass", "westus, eastus2", "eastus2", ""),
    ]


def test_markdown_is_a_table(cli: Callable, plan: Callable) -> None:
    ran = cli("check", plan(BROKEN), "-o", "markdown")
    assert ran.code == 1
    assert ran.out.startswith("| Result | Limit | Allowed | Is | Remark |\n| --- | --- | ---: | ---: | --- |\n")
    assert "| FAIL | quota\\_ptu (global, eastus2) | 95 | 100 | plan.yaml:4: 5 over |" in ran.out
    assert "**3 of 4 limits broken.**" in ran.out


def test_github_gets_an_annotation_for_each_check_that_is_not_passed(cli: Callable, plan: Callable) -> None:
    limits = "  max_utilization: 97.9%\n  allowed_regions: [eastus2]\n  max_catalog_age_days: 0\n"
    ran = cli("check", plan(limits), "-o", "github")
    first, age = ran.out.splitlines()
    assert ran.code == 1
    assert first == (
        "::error file=plan.yaml,line=4,title=max_utilization (gpt-4.1)::max_utilization (gpt-4.1): allowed 97.9%25, "
        "is 98%25 (0.1%25 over; at the peak of 100 PTU)"
    )
    assert age.startswith(
        "::warning file=plan.yaml,line=6,title=max_catalog_age_days::max_catalog_age_days: allowed 0 "
    )
    assert cli("check", plan(KEPT), "-o", "github").out == ""


def test_what_cannot_be_checked_is_an_error_to_github_and_exit_2(cli: Callable, plan: Callable) -> None:
    nowhere = CHAT.replace("region: eastus2, ", "")
    ran = cli("check", plan("  allowed_regions: [eastus2]\n", nowhere), "-o", "github")
    assert ran.code == 2
    assert ran.out == (
        "::error file=plan.yaml,line=4,title=allowed_regions (gpt-4.1)::allowed_regions (gpt-4.1): allowed eastus2, "
        "cannot be checked (no region is given: `region:` of the workloads or --region says where)\n"
    )
    told = cli("check", plan("  allowed_regions: [eastus2]\n", nowhere), "--region", "eastus2")
    assert told.code == 0


def test_a_broken_limit_outweighs_one_that_cannot_be_checked(cli: Callable, plan: Callable) -> None:
    nowhere = CHAT.replace("region: eastus2, ", "")
    ran = cli("check", plan("  allowed_regions: [eastus2]\n  monthly_budget_usd: 1\n", nowhere), "-q")
    assert ran.code == 1
    assert "  1 of 2 limits broken; 1 of 2 cannot be checked.\n" in ran.out


def test_an_unknown_price_is_no_pass(cli: Callable, plan: Callable) -> None:
    eu = CHAT.replace("region: eastus2", "region: swedencentral, deployment_type: data-zone")
    ran = cli("check", plan("  monthly_budget_usd: 1000000000\n", eu), "-q")
    assert ran.code == 2
    assert "unknown   monthly_budget_usd   $1,000,000,000   unknown   plan.yaml:4: 1-year, list prices; " in ran.out
    assert "  1 of 1 cannot be checked.\n" in ran.out


def test_age_is_that_of_the_rates_and_a_warning_unless_strict(cli: Callable, plan: Callable) -> None:
    catalog = load_catalog()
    oldest = min(catalog.as_of, catalog.oldest_check([catalog.find("gpt-4.1")[0]]))
    days = (date.today() - oldest).days
    kept = cli("check", plan(f"  max_catalog_age_days: {days}\n"), "-q")
    assert kept.code == 0
    assert "All 1 limits" not in kept.out
    assert "The limit is kept." in kept.out
    old = plan(f"  max_catalog_age_days: {max(0, days - 1)}\n")
    if days:
        ran = cli("check", old, "-q")
        assert ran.code == 0
        assert f"1 day over; rates checked on {oldest}: update ptucalc" in ran.out
        assert "No limit is broken, but 1 of 1 is exceeded, which is a warning." in ran.out
        strict = cli("check", old, "-q", "--strict")
        assert strict.code == 1
        assert "1 of 1 limit broken." in strict.out
        assert cli("check", old, "-o", "github", "--strict").out.startswith("::error ")


def test_a_past_edition_is_as_old_as_itself(cli: Callable, plan: Callable) -> None:
    mini = CHAT.replace("gpt-4.1", "gpt-4o-mini")
    ran = cli("check", plan("  max_catalog_age_days: 200\n", mini), "--catalog", "azure-2024-12", "--json")
    (check,) = json.loads(ran.out)["checks"]
    assert check["found"] == (date.today() - date(2024, 12, 31)).days
    assert check["status"] == "warn"


def test_the_type_of_open_deployments_can_be_said(cli: Callable, plan: Callable) -> None:
    limits = "  quota_ptu: {data-zone: {eastus2: 100}}\n"
    ran = cli("check", plan(limits), "--sku", "data-zone", "--json")
    document = json.loads(ran.out)
    assert (ran.code, document["open_deployments_as"]) == (0, "data-zone")
    assert [(check["scope"], check["found"]) for check in document["checks"]] == [("data-zone, eastus2", 100)]
    own = cli("check", plan(limits, CHAT.replace("region:", "sku: data-zone, region:")), "--json")
    assert json.loads(own.out)["open_deployments_as"] is None
    other = json.loads(cli("check", plan(limits), "--json").out)
    assert [(check["scope"], check["status"]) for check in other["checks"]] == [
        ("data-zone, eastus2", "pass"),
        ("global, eastus2", "warn"),
    ]


def test_without_a_log_calls_are_made_up(cli: Callable, plan: Callable) -> None:
    ran = cli("check", plan("  max_429_rate: 5%\n"), "--json")
    (check,) = json.loads(ran.out)["checks"]
    assert (ran.code, check["limit"], check["scope"]) == (0, "max_429_rate", "gpt-4.1")
    assert check["message"].endswith("mean calls made up (poisson arrivals, seed 0); --log FILE takes real ones")


LOG_HEAD = "timestamp,deployment,model,input_tokens,output_tokens\n"


def burst(deployment: str = "chat", model: str = "gpt-4.1", calls: int = 4) -> str:
    """So many calls of 30,000 weighted tokens in one second: a deployment of 15 PTU holds 45,000 in its bucket."""
    return "".join(f"2026-11-03T10:00:0{i}Z,{deployment},{model},29600,100\n" for i in range(calls))


SMALL = f"workloads:\n  - {{name: chat, model: gpt-4.1, requests_per_minute: 9, {CALL}}}\n"


def test_a_log_is_replayed_at_the_plans_ptu(cli: Callable, plan: Callable) -> None:
    """15 PTU hold 45,000 and drain 750 a second: in at 0 and at 29,250; at 58,500 and 57,750 the bucket is full: 2 of 4."""
    Path("log.csv").write_text(LOG_HEAD + burst())
    broken = cli("check", plan("  max_429_rate: 49%\n", SMALL), "--log", "log.csv", "-q")
    assert broken.code == 1
    assert "49%" in broken.out
    assert "plan.yaml:4: 1% over; 15 PTU, 4 requests, from log.csv" in broken.out
    kept = cli("check", plan("  max_429_rate: 50%\n", SMALL), "--log", "log.csv", "--json")
    assert (kept.code, json.loads(kept.out)["checks"][0]["found"]) == (0, 0.5)


def test_what_of_a_log_the_plan_would_not_serve_is_said(cli: Callable, plan: Callable) -> None:
    Path("log.csv").write_text(LOG_HEAD + burst() + burst("bot", "gpt-5.2"))
    ran = cli("check", plan("  max_429_rate: 50%\n", SMALL), "--log", "log.csv", "--json")
    (note,) = [n for n in json.loads(ran.out)["notes"] if n["code"] == "log_not_matched"]
    assert note["message"] == "bot: in the log, and not simulated: the plan has no deployment of gpt-5.2."


def test_a_log_without_calls_for_a_deployment_is_no_pass(cli: Callable, plan: Callable) -> None:
    Path("log.csv").write_text(LOG_HEAD + burst("bot", "gpt-5.2"))
    ran = cli("check", plan("  max_429_rate: 50%\n", SMALL), "--log", "log.csv", "-q")
    assert ran.code == 2
    assert "the log has no calls for it" in ran.out


def test_a_log_that_names_no_model_is_of_the_one_that_is_said(cli: Callable, plan: Callable) -> None:
    Path("log.csv").write_text("timestamp,input_tokens,output_tokens\n2026-11-03T10:00:00Z,29600,100\n")
    path = plan("  max_429_rate: 0\n", SMALL)
    unknown = cli("check", path, "--log", "log.csv")
    assert unknown.code == 2
    assert "a model, which the log does not name (-m or --map-model says which)" in " ".join(unknown.out.split())
    assert cli("check", path, "--log", "log.csv", "-m", "gpt-4.1").code == 0


def test_several_plans_are_checked_one_after_the_other(cli: Callable, plan: Callable) -> None:
    good, bad = plan(KEPT, name="a.yaml"), plan(BROKEN, name="b.yaml")
    ran = cli("check", good, bad, good, "-q")
    assert ran.code == 1
    assert [line.strip() for line in ran.out.splitlines() if ".yaml" in line and "over" not in line] == [
        "a.yaml",
        "b.yaml",
        "a.yaml",
    ]
    assert cli("check", good, good, "-q").code == 0
    missing = cli("check", good, "none.yaml", "-q")
    assert missing.code == 2
    assert "All 4 limits are kept." in missing.out
    assert cli("check", "none.yaml", bad, "-q").code == 1


def test_a_plan_on_standard_input_is_checked(cli: Callable) -> None:
    ran = cli("check", "-", "-q", stdin=(CHAT + "limits:\n" + BROKEN).encode())
    assert ran.code == 1
    assert "stdin:4: 5 over" in ran.out


def test_a_json_plan_is_checked_without_lines(cli: Callable, in_tmp: Path) -> None:
    workload = {"model": "gpt-4.1", "requests_per_minute": 98, "input_tokens": 2000, "output_tokens": 250}
    Path("p.json").write_text(json.dumps({"workloads": [workload], "limits": {"monthly_budget_usd": 5}}))
    ran = cli("check", "p.json", "-o", "github")
    assert ran.code == 1
    assert ran.out.startswith("::error file=p.json,title=monthly_budget_usd::")


def test_a_plan_without_limits_is_no_pass(refuses: Callable, plan: Callable) -> None:
    limits = (
        "quota_ptu, monthly_budget_usd, max_429_rate, max_catalog_age_days, min_utilization, max_utilization, "
        "allowed_regions"
    )
    expected = f"Error  plan.yaml: limits: (empty) should be limits to check: {limits} (ptucalc init writes a plan that has some)\n"
    assert refuses("check", plan()) == expected
    assert refuses("check", plan("  term: hourly\n")) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-o", "xml"), "--output: xml should be table, json, csv, markdown or github\n"),
        (
            ("--sku", "all"),
            "--sku: all should be one of global, data-zone or regional: what deployments of no type are",
        ),
        (("--sku", "eu"), "--sku: eu should be all, global, data-zone or regional\n"),
        (("--term", "all"), "--term: all should be one of hourly, 1-month, 1-year\n"),
        (("--discount", "2"), "--discount: 2 should be a share under 1: 0.12 or 12%"),
        (("-m", "gpt-4.1"), "--model: without --log should be left out: it says how a log is read\n"),
        (("--skip-bad",), "--skip-bad: without --log should be left out: it says how a log is read\n"),
        (
            ("--log", "x.csv"),
            "--log: x.csv should be left out, or max_429_rate in the plan's limits, which is what a log",
        ),
        (("--region", "nowhere"), "should be a region that some PTU model is listed in"),
    ],
)
def test_flags_that_make_no_sense_are_refused(
    refuses: Callable, plan: Callable, arguments: tuple[str, ...], message: str
) -> None:
    plain = CHAT.replace("region: eastus2, ", "")
    assert message in refuses("check", plan("  monthly_budget_usd: 5\n", plain), *arguments)


def test_all_that_is_wrong_is_told_at_once(refuses: Callable, plan: Callable) -> None:
    path = plan("  quota_ptu: {global: {eastus9: 4}}\n", CHAT.replace("98", "x"))
    told = refuses("check", path, "--term", "x", "--sku", "y")
    assert "plan.yaml:4:33: limits.quota_ptu: eastus9 should be a region that some PTU model is listed in" in told
    assert "--term: x should be" in told
    assert "--sku: y should be" in told
    assert "workloads[0].requests_per_minute: x should be a number over 0" in told


@pytest.mark.parametrize("shape", ["json", "csv"])
def test_one_document_is_of_one_plan(cli: Callable, plan: Callable, shape: str) -> None:
    path = plan(KEPT)
    ran = cli("check", path, path, "-o", shape)
    assert ran.code == 2
    assert f"--output: {shape} of 2 plans should be left out, or one plan" in ran.err
    assert cli("check", path, path, "--out-file", "x.txt").code == 2
    assert not Path("x.txt").exists()


def test_a_plan_is_not_overwritten(cli: Callable, plan: Callable) -> None:
    path = plan(KEPT)
    ran = cli("check", path, "--out-file", path, "-o", "table")
    assert (ran.code, path.read_text()) == (2, CHAT + "limits:\n" + KEPT)


def test_bad_input_is_annotated_too(cli: Callable, plan: Callable) -> None:
    ran = cli("check", plan("  max_429_rate: 5\n"), "-o", "github")
    assert ran.code == 2
    assert ran.out == (
        "::error file=plan.yaml,line=4,col=17,title=ptucalc::limits.max_429_rate: 5 should be a share: 0 to 1, or 0%25 to "
        "100%25 (5%25?)\n"
    )
    assert "plan.yaml:4:17" in ran.err


def test_bad_input_is_json_where_json_was_asked_for(cli: Callable, plan: Callable) -> None:
    ran = cli("check", plan("  max_429_rate: 5\n"), "--json")
    assert (ran.code, json.loads(ran.out)["schema"]) == (2, "ptucalc.error/1")


def test_what_would_end_a_value_is_escaped_as_github_wants_it() -> None:
    text = "100%\r\n::error::x,y"
    assert annotation("error", text, file="a,b:c%\n.yaml", line=1, title=text) == (
        "::error file=a%2Cb%3Ac%25%0A.yaml,line=1,title=100%25%0D%0A%3A%3Aerror%3A%3Ax%2Cy::100%25%0D%0A::error::x,y"
    )
    assert annotation("warning", "plain") == "::warning::plain"
    (line,) = problem_annotations([Problem("f", "x", "y", line=3)], lambda path: path)
    assert line == "::error line=3,title=ptucalc::f: x should be y"


def test_a_hostile_name_stays_in_its_annotation(cli: Callable, plan: Callable) -> None:
    hostile = CHAT.replace("name: chat", "name: chat, deployment: 'x,line=1::y%0A'")
    ran = cli("check", plan("  max_utilization: 1%\n", hostile), "-o", "github")
    (line,) = ran.out.splitlines()
    assert line.startswith(
        "::error file=plan.yaml,line=4,title=max_utilization (x%2Cline=1%3A%3Ay%250A)::max_utilization"
    )
    assert "y%250A" in line.split("::", 2)[2]


def test_paths_are_those_of_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "repository" / "plans"
    inside.mkdir(parents=True)
    (inside / "plan.yaml").write_text("")
    (tmp_path / "other.yaml").write_text("")
    monkeypatch.chdir(inside)
    place = github_place({"GITHUB_WORKSPACE": str(tmp_path / "repository")})
    assert place("plan.yaml") == "plans/plan.yaml"
    assert place(str(inside / "plan.yaml")) == "plans/plan.yaml"
    assert place("../../other.yaml") == "../../other.yaml"
    assert place("stdin") == "stdin"
    assert github_place({})("./plan.yaml") == "plan.yaml"
    assert place("") == ""


USAGES = {
    "value": [
        {
            "name": {"value": "OpenAI.GlobalProvisionedManaged", "localizedValue": "PTU"},
            "currentValue": 200,
            "limit": 299,
            "unit": "Count",
        }
    ]
}


def test_saved_answers_of_azure_are_checked_without_limits_of_the_plan(cli: Callable, plan: Callable) -> None:
    Path("usages.json").write_text(json.dumps(USAGES))
    ran = cli("check", plan(), "--usages", "eastus2=usages.json", "--json")
    (check,) = json.loads(ran.out)["checks"]
    assert (ran.code, check["limit"], check["status"], check["allowed"], check["found"]) == (
        1,
        "quota",
        "fail",
        99,
        100,
    )
    used: dict[str, Any] = json.loads(json.dumps(USAGES).replace("299", "300"))
    Path("usages.json").write_text(json.dumps(used))
    assert cli("check", plan(), "--usages", "eastus2=usages.json").code == 0


def test_a_broken_limit_with_nothing_to_add_ends_with_its_place(cli: Callable, plan: Callable) -> None:
    broken = plan("  allowed_regions: [uksouth]\n")
    assert "plan.yaml:4\n" in cli("check", broken, "-q").out
    assert "plan.yaml:4 |" in cli("check", broken, "-q", "-o", "markdown").out


def test_answers_in_several_files_are_each_of_one_deployment(cli: Callable, plan: Callable) -> None:
    """98 and 49 PTU before rounding, so 100 and 50."""
    row = CHAT.splitlines()[1].replace("eastus2", "eastus2, deployment: NAME")
    two = "workloads:\n" + row.replace("NAME", "a") + "\n"
    two += row.replace("NAME", "b").replace("chat", "more").replace("98", "49") + "\n"
    for number, (raw, ptu) in enumerate(((49, 50), (98, 100))):
        answer = {
            "model": {"format": "OpenAI", "name": "gpt-4.1", "version": "2025-04-14"},
            "skuName": "GlobalProvisionedManaged",
            "estimatedCapacity": {"value": raw, "deployableValue": ptu},
        }
        Path(f"{number}.json").write_text(json.dumps(answer))
    ran = cli("check", plan(workloads=two), "--against", "0.json", "--against", "1.json", "--json")
    checks = json.loads(ran.out)["checks"]
    assert [(check["status"], check["allowed"], check["deployments"]) for check in checks] == [
        ("pass", 50, ["b"]),
        ("pass", 100, ["a"]),
    ]
    assert ran.code == 0


def test_microsofts_own_answer_is_compared(cli: Callable, plan: Callable) -> None:
    answer = {
        "model": {"format": "OpenAI", "name": "gpt-4.1", "version": "2025-04-14"},
        "skuName": "GlobalProvisionedManaged",
        "estimatedCapacity": {"value": 98, "deployableValue": 100},
    }
    Path("answer.json").write_text(json.dumps(answer))
    assert cli("check", plan(), "--against", "answer.json").code == 0
    answer["estimatedCapacity"] = {"value": 101, "deployableValue": 105}
    Path("answer.json").write_text(json.dumps(answer))
    assert cli("check", plan(), "--against", "answer.json").code == 1
    Path("answer.json").write_text("{}")
    assert cli("check", plan(), "--against", "answer.json", "--against", "none.json").code == 2
