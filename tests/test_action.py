"""The composite action and the pre-commit hook: their YAML, and their shell lines as a runner would run them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from .test_cli_diff import CALL, git

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".github" / "actions" / "ptucalc"
HOOKS = ROOT / ".pre-commit-hooks.yaml"

pytestmark = pytest.mark.skipif(not HOOKS.exists(), reason="only a checkout has them")


def action() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "action.yml").read_text())
    return found


def steps() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = action()["runs"]["steps"]
    return found


def test_it_is_a_composite_action_whose_steps_name_their_shell() -> None:
    assert action()["runs"]["using"] == "composite"
    assert [step["shell"] for step in steps()] == ["bash", "bash", "bash"]
    assert all(each["description"] for each in action()["inputs"].values())


def test_what_users_give_reaches_the_shell_only_through_its_environment() -> None:
    assert all("${{" not in step["run"] for step in steps())
    named = set(re.findall(r"inputs\.([\w-]+)", (FOLDER / "action.yml").read_text()))
    assert named == set(action()["inputs"])


def test_what_it_installs_is_what_it_is_part_of() -> None:
    assert (FOLDER / "../../.." / "pyproject.toml").resolve() == ROOT / "pyproject.toml"
    assert '"${INSTALL:-$GITHUB_ACTION_PATH/../../..}"' in steps()[0]["run"]


PLAN = f"workloads:\n  - {{name: chat, model: gpt-4.1, region: eastus2, requests_per_minute: RATE, {CALL}}}\n"
LIMITS = "limits: {quota_ptu: {global: {eastus2: 150}}}\n"


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Runs a step's shell lines in a repository; gives exit code, standard output and the summary."""
    work, temp = tmp_path / "work", tmp_path / "temp"
    (temp / "ptucalc" / "bin").mkdir(parents=True)
    command = temp / "ptucalc" / "bin" / "ptucalc"
    command.write_text(
        f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m ptucalc "$@"\n'
    )
    command.chmod(0o755)
    work.mkdir()
    monkeypatch.chdir(work)
    git("init", "-q", "-b", "main", ".")
    Path("ptucalc.yaml").write_text(PLAN.replace("RATE", "100") + LIMITS)
    git("add", ".")
    git("commit", "-q", "-m", "old")

    def run(step: int, **given: str) -> tuple[int, str, str]:
        summary = temp / "summary.md"
        summary.write_text("")
        environment = {
            **os.environ,
            "RUNNER_TEMP": str(temp),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_WORKSPACE": str(work),
            "PLAN": "ptucalc.yaml",
            "BASE": "main",
            "ARGUMENTS": "",
            **given,
        }
        lines = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", steps()[step]["run"]]
        done = subprocess.run(lines, env=environment, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout, summary.read_text()

    return run


def test_the_summary_shows_what_the_change_does(runner: Callable) -> None:
    Path("ptucalc.yaml").write_text(PLAN.replace("RATE", "140") + LIMITS)
    code, out, summary = runner(1)
    assert (code, out) == (0, "")
    assert "| \\~ | chat | requests\\_per\\_minute 100 → 140 | Global 100 → 140 | +40 | $22,100 → $30,940 |" in summary
    code, _, discounted = runner(1, ARGUMENTS="--discount 50% --term 1-month")
    assert "$13,000 → $18,200" in discounted


def test_a_plan_that_is_new_has_nothing_to_compare_with(runner: Callable) -> None:
    Path("new.yaml").write_text(PLAN.replace("RATE", "140"))
    assert runner(1, PLAN="new.yaml") == (0, "", "The plan is new in this change.\n")


def test_a_plan_that_cannot_be_compared_is_a_warning_as_the_check_tells_why(runner: Callable) -> None:
    Path("ptucalc.yaml").write_text(PLAN)
    code, out, _ = runner(1)
    assert (code, out) == (0, "::warning::ptucalc cannot compare the plan with the one before: see above\n")


def test_limits_that_are_kept_pass_the_step(runner: Callable) -> None:
    code, out, summary = runner(2)
    assert (code, out) == (0, "")
    assert "**The limit is kept.**" in summary


def test_a_broken_limit_fails_the_step_with_an_annotation(runner: Callable) -> None:
    Path("ptucalc.yaml").write_text(PLAN.replace("RATE", "160") + LIMITS)
    code, out, summary = runner(2)
    assert code == 1
    assert out.startswith("::error file=ptucalc.yaml,line=3,title=quota_ptu (global%2C eastus2)::")
    assert "| FAIL |" in summary


def test_what_cannot_be_checked_fails_the_step_too(runner: Callable) -> None:
    code, out, _ = runner(2, PLAN="none.yaml")
    assert code == 2
    assert out.startswith("::error file=none.yaml,")


@pytest.mark.parametrize("arguments", ["--term 1-month\n--discount 50%", "\n--term 1-month\n\n  --discount 50%\n"])
def test_flags_on_several_lines_all_count(runner: Callable, arguments: str) -> None:
    """100 and 140 PTU at $260 a month, less half."""
    budget = "limits: {monthly_budget_usd: 18199}\n"
    Path("ptucalc.yaml").write_text(PLAN.replace("RATE", "140") + budget)
    assert "$13,000 → $18,200" in runner(1, ARGUMENTS=arguments)[2]
    code, out, summary = runner(2, ARGUMENTS=arguments)
    assert code == 1
    assert "$18,199" in out and "$18,200" in out and "$18,200" in summary


def test_more_flags_are_words_and_no_shell(runner: Callable) -> None:
    code, _, _ = runner(2, ARGUMENTS="--region eastus2 $(touch run) ; touch run")
    assert code == 2
    assert not Path("run").exists()


def test_the_hook_checks_the_plans_that_init_writes(cli: Callable, in_tmp: Path) -> None:
    (hook,) = yaml.safe_load(HOOKS.read_text())
    assert (hook["id"], hook["language"], hook["types"]) == ("ptucalc-check", "python", ["yaml"])
    taken = [
        name for name in ("ptucalc.yaml", "a/ptucalc.yml", "a.yaml", "xptucalc.yaml") if re.search(hook["files"], name)
    ]
    assert taken == ["ptucalc.yaml", "a/ptucalc.yml"]
    program, *arguments = shlex.split(hook["entry"])
    assert program == "ptucalc"
    Path("a").mkdir()
    cli("init")
    cli("init", "a/ptucalc.yml")
    assert cli(*arguments, "ptucalc.yaml", "a/ptucalc.yml").code == 0
    broken = Path("ptucalc.yaml").read_text().replace("{eastus2: 500}", "{eastus2: 50}")
    Path("ptucalc.yaml").write_text(broken)
    assert cli(*arguments, "ptucalc.yaml", "a/ptucalc.yml").code == 1
