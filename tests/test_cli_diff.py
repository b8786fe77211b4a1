"""`ptucalc diff`: two plans, two saved results, two catalogs; from files, from git, from standard input.

By hand, as in test_cli_check.py: a request a minute is 1 PTU of gpt-4.1, $221 a month on a year. gpt-4.1-mini is told by its
size alone: 15 PTU, the smallest sold.
"""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from ptucalc import load_catalog
from ptucalc.diff_documents import DiffDocument

CALL = "input_tokens: 2000, output_tokens: 250"
OLD = f"""headroom: 10%
workloads:
  - {{name: chat, model: gpt-4.1, region: eastus2, requests_per_minute: 100, {CALL}}}
  - {{name: gone, model: gpt-4.1-mini, region: eastus2, requests_per_minute: 1, {CALL}}}
limits: {{max_utilization: 95%, monthly_budget_usd: 30000}}
"""
NEW = f"""headroom: 10%
workloads:
  - {{name: chat, model: gpt-4.1, region: eastus2, requests_per_minute: 200, {CALL}, cache_ratio: 10%}}
  - {{name: notes, model: gpt-4.1-mini, region: westus3, requests_per_minute: 1, {CALL}}}
limits: {{max_utilization: 99.5%, monthly_budget_usd: 50000}}
"""
"""chat: 100 x 1.1 = 110 PTU; 200 x (1,800 + 1,000) / 3,000 x 1.1 = 205.3, so 210. $24,310 to $46,410; 15 PTU: $3,315."""


@pytest.fixture
def plans(in_tmp: Path) -> Path:
    """old.yaml and new.yaml in the current folder."""
    Path("old.yaml").write_text(OLD)
    Path("new.yaml").write_text(NEW)
    return in_tmp


def cells(text: str) -> list[list[str]]:
    """The cells of the lines that begin with a mark."""
    lines = [line.strip() for line in text.splitlines() if line.strip()[:1] in ("~", "+", "−")]
    return [[cell.strip() for cell in line.split("   ") if cell.strip()] for line in lines]


def test_what_was_changed_stands_beside_what_moves(cli: Callable, plans: Path) -> None:
    ran = cli("diff", "old.yaml", "new.yaml")
    assert (ran.code, ran.err) == (0, "")
    assert cells(ran.out) == [
        ["~", "(plan)", "limits.max_utilization 95% → 99.5%"],
        ["~", "(plan)", "limits.monthly_budget_usd $30,000 → $50,000"],
        [
            "~",
            "chat",
            "requests_per_minute 100 → 200, cache_ratio 0% → 10%",
            "Global 110 → 210",
            "+100",
            "$24,310 → $46,410",
        ],
        ["+", "notes", "gpt-4.1-mini", "Global 0 → 15", "+15", "$0 → $3,315"],
        ["−", "gone", "gpt-4.1-mini", "Global 15 → 0", "−15", "$3,315 → $0"],
    ]
    total = "Total  125 → 225 PTU (+100)     $27,625 → $49,725 a month (+$22,100, +80%)  1-year, list prices"
    assert f"  {total}\n" in ran.out
    assert "  Compared   old.yaml with new.yaml.\n" in ran.out
    assert "Compared" not in cli("diff", "old.yaml", "new.yaml", "-q").out


def test_the_way_back_is_as_much_less(cli: Callable, plans: Path) -> None:
    total = "Total  225 → 125 PTU (−100)     $49,725 → $27,625 a month (−$22,100, −44%)  1-year, list prices"
    assert total in cli("diff", "new.yaml", "old.yaml", "-q").out


def test_exit_codes_say_whether_there_is_a_difference(cli: Callable, plans: Path) -> None:
    assert cli("diff", "old.yaml", "new.yaml").code == 0
    assert cli("diff", "old.yaml", "new.yaml", "--exit-code").code == 1
    same = cli("diff", "old.yaml", "old.yaml", "--exit-code", "-q")
    assert same.code == 0
    assert same.out == ("\n  Nothing changed\n\n  Total  125 PTU     $27,625 a month  1-year, list prices\n\n")
    Path("new.yaml").write_text(OLD.replace("30000", "40000"))
    assert cli("diff", "old.yaml", "new.yaml", "--exit-code").code == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", "spillover: true\n", "spillover yes (new)"),
        ("spillover: true\n", "spillover: {thousand_tpm: 100}\n", "spillover yes → yes, 100 thousand TPM"),
        (
            "spillover: {thousand_tpm: 100}\n",
            "spillover: {thousand_tpm: 200}\n",
            "100 thousand TPM → yes, 200 thousand",
        ),
        ("spillover: true\n", "spillover: false\n", "spillover yes (gone)"),
        ("", "spillover: false\n", ""),
    ],
)
def test_spillover_is_a_setting_of_the_plan(cli: Callable, in_tmp: Path, old: str, new: str, said: str) -> None:
    Path("old.yaml").write_text(old + OLD)
    Path("new.yaml").write_text(new + OLD)
    ran = cli("diff", "old.yaml", "new.yaml", "--exit-code")
    assert ran.code == (1 if said else 0)
    assert (said or "Nothing changed") in ran.out


def test_json_has_the_shape_that_its_schema_promises(cli: Callable, plans: Path) -> None:
    document = json.loads(cli("diff", "old.yaml", "new.yaml", "--json").out)
    assert TypeAdapter(DiffDocument).validate_python(document, strict=True) == document
    assert (document["kind"], document["old"], document["new"], document["changed"]) == (
        "plans",
        "old.yaml",
        "new.yaml",
        True,
    )
    assert document["totals"] == {
        "old_ptu": 125,
        "new_ptu": 225,
        "old_ptu_by_type": {"global": 125},
        "new_ptu_by_type": {"global": 225},
        "old_monthly_usd": 27625,
        "new_monthly_usd": 49725,
    }
    moved = document["deployments"]
    assert [(each["name"], each["change"], each["ptu_change"], each["monthly_usd_change"]) for each in moved] == [
        ("gpt-4.1", "changed", 100, 22100),
        ("gpt-4.1-mini", "added", 15, 3315),
        ("gpt-4.1-mini", "removed", -15, -3315),
    ]
    same = json.loads(cli("diff", "old.yaml", "old.yaml", "--json").out)
    assert (same["changed"], same["workloads"], same["deployments"], same["settings"]) == (False, [], [], [])


def test_csv_has_a_row_for_each_difference(cli: Callable, plans: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(cli("diff", "old.yaml", "new.yaml", "-o", "csv").out)))
    assert [(row["what"], row["change"], row["name"], row["field"], row["old"], row["new"]) for row in rows[:6]] == [
        ("plan", "changed", "", "limits.max_utilization", "0.95", "0.995"),
        ("plan", "changed", "", "limits.monthly_budget_usd", "30000", "50000"),
        ("workload", "changed", "chat", "requests_per_minute", "100", "200"),
        ("workload", "changed", "chat", "cache_ratio", "0", "0.1"),
        ("workload", "added", "notes", "", "", "notes"),
        ("workload", "removed", "gone", "", "gone", ""),
    ]
    moved = [(row["name"], row["old_ptu"], row["new_ptu"], row["new_monthly_usd"]) for row in rows[6:]]
    assert moved == [
        ("gpt-4.1", "110", "210", "46410"),
        ("gpt-4.1-mini", "0", "15", "3315"),
        ("gpt-4.1-mini", "15", "0", "0"),
    ]


def test_markdown_keeps_the_marks(cli: Callable, plans: Path) -> None:
    out = cli("diff", "old.yaml", "new.yaml", "-o", "markdown").out
    assert out.startswith("|   | Workload | Changed | PTU | Moves | A month |\n")
    assert "| + | notes | gpt-4.1-mini | Global 0 → 15 | +15 | $0 → $3,315 |" in out


def test_workloads_that_share_a_deployment_show_it_once(cli: Callable, in_tmp: Path) -> None:
    two = f"workloads:\n  - {{name: a, model: gpt-4.1, rpm: 100, {CALL}}}\n  - {{name: b, model: gpt-4.1, rpm: 50, {CALL}}}\n"
    Path("old.yaml").write_text(two)
    Path("new.yaml").write_text(two.replace("rpm: 50", "rpm: 70"))
    assert cells(cli("diff", "old.yaml", "new.yaml", "-q").out) == [
        ["~", "b", "requests_per_minute 50 → 70"],
        ["~", "gpt-4.1 (shared)", "Global 150 → 170", "+20", "$33,150 → $37,570"],
    ]
    Path("new.yaml").write_text(two.replace("name: b, model: gpt-4.1", "name: b, model: gpt-4.1, sku: data-zone"))
    out = cli("diff", "old.yaml", "new.yaml").out
    assert "By type    Global 150 → 100, Data zone 0 → 50 PTU." in out


def test_headroom_moves_deployments_without_a_change_of_workloads(cli: Callable, plans: Path) -> None:
    Path("new.yaml").write_text(OLD.replace("headroom: 10%", "headroom: 20%"))
    assert cells(cli("diff", "old.yaml", "new.yaml", "-q").out) == [
        ["~", "(plan)", "headroom 10% → 20%"],
        ["~", "chat", "Global 110 → 120", "+10", "$24,310 → $26,520"],
    ]


def test_both_sides_are_priced_alike(cli: Callable, plans: Path) -> None:
    Path("old.yaml").write_text(OLD.replace("limits: {", "limits: {term: hourly, "))
    by_new = json.loads(cli("diff", "old.yaml", "new.yaml", "--json").out)
    assert (by_new["basis"], by_new["totals"]["old_monthly_usd"]) == ("1-year, list prices", 27625)
    Path("new.yaml").write_text(NEW.replace("limits: {", "limits: {term: 1-month, "))
    month = json.loads(cli("diff", "old.yaml", "new.yaml", "--json").out)
    assert (month["totals"]["old_monthly_usd"], month["totals"]["new_monthly_usd"]) == (125 * 260, 225 * 260)
    flagged = json.loads(cli("diff", "old.yaml", "new.yaml", "--json", "--term", "hourly", "--discount", "50%").out)
    assert (flagged["basis"], flagged["totals"]["new_monthly_usd"]) == ("hourly, list prices, 50% off", 225 * 365)


def test_an_unknown_price_stays_unknown(cli: Callable, plans: Path) -> None:
    Path("new.yaml").write_text(NEW.replace("region: westus3", "region: swedencentral, sku: data-zone"))
    ran = cli("diff", "old.yaml", "new.yaml")
    assert "$27,625 → unknown a month  1-year" in ran.out
    assert "Now        gpt-4.1-mini: " in ran.out
    totals = json.loads(cli("diff", "old.yaml", "new.yaml", "--json").out)["totals"]
    assert (totals["new_ptu"], totals["new_monthly_usd"]) == (225, None)


def test_csv_files_of_workloads_are_plans_too(cli: Callable, in_tmp: Path) -> None:
    head = "name,model,rpm,input_tokens,output_tokens\n"
    Path("old.csv").write_text(head + "chat,gpt-4.1,100,2000,250\n")
    Path("new.csv").write_text(head + "bot,gpt-4.1,100,2000,250\n")
    assert cells(cli("diff", "old.csv", "new.csv", "-q").out) == [["~", "chat → bot", "renamed"]]


def saved(cli: Callable, command: str, plan: str, name: str, *flags: str) -> None:
    Path(name).write_text(cli(command, plan, "--json", *flags).out)


def test_saved_sizes_are_compared_as_they_are(cli: Callable, plans: Path) -> None:
    saved(cli, "size", "old.yaml", "old.json")
    saved(cli, "size", "new.yaml", "new.json")
    ran = cli("diff", "old.json", "new.json", "-q")
    assert ran.code == 0
    assert cells(ran.out) == [
        ["~", "chat", "requests_per_minute 100 → 200, cache_ratio 0% → 10%", "Global 110 → 210", "+100"],
        ["+", "notes", "gpt-4.1-mini"],
        ["−", "gone", "gpt-4.1-mini"],
        ["~", "gpt-4.1-mini", "gpt-4.1-mini global eastus2 → gpt-4.1-mini global westus3", "Global 15"],
    ]
    assert "Total  125 → 225 PTU (+100)\n" in ran.out
    assert "A month" not in ran.out
    regional = json.loads(cli("diff", "old.json", "new.json", "--sku", "regional", "--json").out)
    assert regional["totals"]["old_ptu_by_type"].keys() == {"regional"}


def test_a_saved_size_of_other_types_has_no_ptu_of_this_one(cli: Callable, plans: Path) -> None:
    saved(cli, "size", "old.yaml", "old.json", "--sku", "data-zone")
    saved(cli, "size", "new.yaml", "new.json")
    ran = cli("diff", "old.json", "new.json")
    assert "unknown → 225 PTU" in ran.out
    assert "Before     gpt-4.1: not sized as global; gpt-4.1-mini: not sized as global." in ran.out


def test_saved_costs_are_compared_on_a_term(cli: Callable, plans: Path) -> None:
    saved(cli, "cost", "old.yaml", "old.json")
    saved(cli, "cost", "new.yaml", "new.json")
    ran = cli("diff", "old.json", "new.json", "-q", "--exit-code")
    assert ran.code == 1
    assert "Total  125 → 225 PTU (+100)     $27,625 → $49,725 a month (+$22,100, +80%)  1-year, as saved" in ran.out
    month = json.loads(cli("diff", "old.json", "new.json", "--term", "1-month", "--json").out)
    assert month["totals"]["new_monthly_usd"] == 225 * 260
    assert month["kind"] == "results"


@pytest.mark.parametrize("command", ["size", "cost"])
def test_a_deployment_with_a_type_of_its_own_keeps_it_in_saved_results(
    cli: Callable, plans: Path, command: str
) -> None:
    Path("own.yaml").write_text(OLD.replace("name: gone,", "name: gone, sku: data-zone,"))
    saved(cli, command, "own.yaml", "own.json")
    totals = json.loads(cli("diff", "own.json", "own.json", "--sku", "global", "--json").out)["totals"]
    assert totals["old_ptu_by_type"] == {"global": 110, "data-zone": 15}


def test_a_share_of_the_cost_is_told_however_large(cli: Callable, plans: Path) -> None:
    Path("new.yaml").write_text(OLD.replace("requests_per_minute: 100", "requests_per_minute: 214"))
    assert "(+$28,730, +104%)" in cli("diff", "old.yaml", "new.yaml").out  # 235.4, so 240: 130 PTU beside 125
    Path("new.yaml").write_text(OLD.replace("requests_per_minute: 100", "requests_per_minute: 105"))
    assert "(+$2,210, +8%)" in cli("diff", "old.yaml", "new.yaml").out  # 115.5, so 120: 10 of 125


def test_a_saved_cost_without_the_term_is_unknown(cli: Callable, plans: Path) -> None:
    saved(cli, "cost", "old.yaml", "old.json", "--term", "hourly")
    ran = cli("diff", "old.json", "old.json", "--json")
    assert json.loads(ran.out)["totals"]["old_monthly_usd"] is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"schema": "ptucalc.simulate/1"}',
            "schema: ptucalc.simulate/1 should be saved JSON of size or cost: ptucalc.size/1 or",
        ),
        (
            '{"schema": "ptucalc.size/1"}',
            "JSON: KeyError 'deployments' should be what ptucalc writes as ptucalc.size/1, unch",
        ),
        ('{"schema": "ptucalc.size/1", "deployments": 5}', "JSON: TypeError "),
        ('{"schema": "ptucalc.size/1",', "x.json:1: JSON: "),
    ],
)
def test_saved_json_that_is_something_else_is_refused(refuses: Callable, in_tmp: Path, text: str, message: str) -> None:
    Path("x.json").write_text(text)
    assert message in refuses("diff", "x.json", "x.json")


def test_results_of_two_commands_are_no_pair(refuses: Callable, cli: Callable, plans: Path) -> None:
    saved(cli, "size", "old.yaml", "a.json")
    saved(cli, "cost", "old.yaml", "b.json")
    expected = "schema: ptucalc.size/1 and ptucalc.cost/1 should be two saved results of the same command"
    assert expected in refuses("diff", "a.json", "b.json")
    assert "--catalog: beside saved results should be left out" in refuses("diff", "a.json", "a.json", "--catalog", "x")


def test_two_sides_of_different_kinds_are_refused(refuses: Callable, plans: Path) -> None:
    told = refuses("diff", "old.yaml", "azure-2024-12")
    assert "old.yaml: a plan; azure-2024-12: a catalog should be two plans, two saved results or two catalogs" in told
    assert "--plan: new.yaml should be left out" in refuses("diff", "old.yaml", "old.yaml", "--plan", "new.yaml")
    assert "- twice should be two different sides" in refuses("diff", "-", "-")


FASTER = """schema: ptucalc.catalog/1
edition: mine
as_of: 2026-11-01
models:
  - {name: gpt-4.1, tpm_per_ptu: 6000}
"""


def test_two_catalogs_show_the_rates_and_with_a_plan_the_answers_that_move(cli: Callable, plans: Path) -> None:
    Path("mine.yaml").write_text(FASTER)
    today = load_catalog().editions[0]
    rates = cli("diff", today, "mine.yaml", "-q")
    assert cells(rates.out) == [["~", "gpt-4.1", "tpm_per_ptu 3,000 → 6,000"]]
    assert "Total" not in rates.out
    ran = cli("diff", today, "mine.yaml", "--plan", "old.yaml", "-q", "--exit-code")
    assert ran.code == 1  # 100 / 2 x 1.1 = 55
    assert cells(ran.out) == [
        ["~", "gpt-4.1", "tpm_per_ptu 3,000 → 6,000"],
        ["~", "chat", "Global 110 → 55", "−55", "$24,310 → $12,155"],
    ]
    document = json.loads(cli("diff", today, "mine.yaml", "--plan", "old.yaml", "--json").out)
    assert TypeAdapter(DiffDocument).validate_python(document, strict=True) == document
    assert (document["kind"], document["plan"], document["old"]) == ("catalogs", "old.yaml", today)
    same = cli("diff", today, today, "--plan", "old.yaml", "-q", "--exit-code")
    assert same.code == 0
    assert "No rates differ  of old.yaml" in same.out
    assert "No answer moves" in same.out


def test_a_model_that_a_catalog_does_not_have_is_told_with_that_catalog(refuses: Callable, plans: Path) -> None:
    told = refuses("diff", "azure-2024-12", load_catalog().editions[0], "--plan", "old.yaml")
    assert "old.yaml:3:25: workloads[0].model: gpt-4.1 should be a known model" in told
    assert "; catalog azure-2024-12" in told


def test_catalogs_are_no_flags_beside_catalogs(refuses: Callable, plans: Path) -> None:
    told = refuses("diff", "azure-2024-12", "azure-2024-12", "--catalog", "x")
    assert "--catalog: x should be left out: the two catalogs are the arguments" in told
    Path("mine.yaml").write_text(FASTER)
    assert "a plan, not a catalog" in refuses("diff", "mine.yaml", "mine.yaml", "--plan", "mine.yaml")
    assert "a catalog on standard input" in refuses("diff", "-", "mine.yaml", stdin=FASTER.encode())
    Path("bad.yaml").write_text("schema: ptucalc.catalog/1\n")
    assert "bad.yaml" in refuses("diff", "bad.yaml", "mine.yaml")


def test_a_side_may_come_from_standard_input(cli: Callable, plans: Path) -> None:
    ran = cli("diff", "-", "new.yaml", stdin=OLD.encode())
    assert "Total  125 → 225 PTU" in ran.out
    assert "Compared   stdin with new.yaml." in ran.out
    saved(cli, "size", "old.yaml", "old.json")
    assert "125 PTU" in cli("diff", "-", "old.json", stdin=Path("old.json").read_bytes()).out


GIT = ("git", "-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")


def git(*arguments: str) -> None:
    subprocess.run([*GIT, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(plans: Path) -> Path:
    """A repository whose main branch holds the old plan as plans/plan.yaml, the work tree the new one."""
    git("init", "-q", "-b", "main", ".")
    Path("plans").mkdir()
    Path("plans/plan.yaml").write_text(OLD)
    git("add", "plans")
    git("commit", "-q", "-m", "old")
    Path("plans/plan.yaml").write_text(NEW)
    return plans


def test_a_revision_of_git_is_a_side(cli: Callable, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = cli("diff", "main:plans/plan.yaml", "plans/plan.yaml")
    assert ran.code == 0
    assert "Total  125 → 225 PTU" in ran.out
    assert "Compared   main:plans/plan.yaml with plans/plan.yaml." in ran.out
    git("add", "plans")
    assert "Total  125 → 225 PTU" in cli("diff", "HEAD:plans/plan.yaml", ":0:plans/plan.yaml").out
    monkeypatch.chdir("plans")
    assert "Total  125 → 225 PTU" in cli("diff", "main:./plan.yaml", "plan.yaml").out


def test_an_existing_file_wins_over_a_revision(cli: Callable, repository: Path) -> None:
    Path("main:plans").mkdir()
    Path("main:plans/plan.yaml").write_text(NEW)
    assert "Nothing changed" in cli("diff", "main:plans/plan.yaml", "plans/plan.yaml").out


def test_what_git_does_not_know_is_refused_with_what_git_says(refuses: Callable, repository: Path) -> None:
    expected = "should be a file, or REV:PATH as git knows it (from the top of the work tree; REV:./PATH is from here)"
    told = refuses("diff", "main:none.yaml", "plans/plan.yaml")
    assert told.startswith("Error  main:none.yaml: file: path 'none.yaml' does not exist in 'main'")
    assert expected in told
    assert "invalid object name 'no'" in refuses("diff", "no:plan.yaml", "plans/plan.yaml")
    for flag in ("--textconv:x", "-:x"):
        told = refuses("diff", "--", flag, "plans/plan.yaml")
        assert (
            "a file, REV:PATH of a git work tree (main:plan.yaml), or a catalog that ships with ptucalc (azure-2024-12, "
            in told
        )


def test_without_git_the_message_says_so(refuses: Callable, plans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(plans))
    assert "main:old.yaml: file: git cannot be run: " in refuses("diff", "main:old.yaml", "new.yaml")


def test_what_is_wrong_in_a_revision_is_told_with_its_name(refuses: Callable, repository: Path) -> None:
    Path("plans/plan.yaml").write_text(OLD.replace("gpt-4.1,", "gpt-4.11,"))
    git("commit", "-q", "-a", "-m", "wrong")
    told = refuses("diff", "main:plans/plan.yaml", "old.yaml")
    assert told.startswith("Error  main:plans/plan.yaml:3:25: workloads[0].model: gpt-4.11 should be a known model")
    assert os.path.sep + "ptucalc-" not in told


def test_the_minutes_that_a_plan_names_are_those_of_the_revision(cli: Callable, repository: Path) -> None:
    head = "timestamp,deployment,model,input_tokens,output_tokens\n"
    for name, calls in (("few", 2), ("many", 200)):
        Path(f"{name}.csv").write_text(head + "2026-11-03T10:00:00Z,chat,gpt-4.1,29600,100\n" * calls)
    assert cli("logs", "few.csv", "--save", "plans/log.yaml").code == 0
    git("add", "plans")
    git("commit", "-q", "-m", "log")
    assert cli("logs", "many.csv", "--save", "plans/log.yaml", "--overwrite").code == 0
    ran = cli("diff", "main:plans/log.yaml", "plans/log.yaml", "--json")
    totals = json.loads(ran.out)["totals"]
    assert (totals["old_ptu"], totals["new_ptu"]) == (20, 2000)  # 30,000 weigh 10 PTU


def test_files_outside_the_plans_folder_are_never_taken_from_git(cli: Callable, repository: Path) -> None:
    Path("plans/plan.yaml").write_text(
        "workloads:\n  - {name: a, model: gpt-4.1, profile: {minutes_file: ../../x.csv.gz}}\n"
    )
    git("commit", "-q", "-a", "-m", "outside")
    ran = cli("diff", "main:plans/plan.yaml", "old.yaml")
    assert ran.code == 2
    assert "a file in the plan's folder or below, or a whole path" in ran.err
