"""Every command and every output in the README, and in examples/README.md, is what really happens."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

import ptucalc
from ptucalc.read import log_files, log_store
from ptucalc.read.catalog import find_bundled
from ptucalc.read.log_formats import BUNDLED_FORMATS, build_formats, load_formats, read_format_data

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", "examples/README.md")


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


CONSOLE = [(page, block) for page in PAGES for block in blocks(page, "console")]


@pytest.mark.parametrize(("page", "block"), CONSOLE, ids=[block.splitlines()[0][:70] for _, block in CONSOLE])
def test_the_command_prints_what_the_page_shows(page: str, block: str, tmp_path: Path) -> None:
    """The commands of a block run one after the other in a folder of their own, so that one may read what one wrote."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)
    assert not parts[0], f"the block starts with a command: {parts[0]}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for command, shown in zip(parts[1::2], parts[2::2], strict=True):
        words = shlex.split(command)
        assert words[0] == "ptucalc", command
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.stdout + done.stderr).strip("\n") == shown.strip("\n")


def test_the_pages_show_commands() -> None:
    assert len(CONSOLE) >= 6


@pytest.mark.parametrize("page", ["README.md"])
def test_the_python_of_the_page_does_what_it_shows(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = "\n".join(blocks(page, "python"))
    test = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
    assert test.examples
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0


def test_the_ten_lines_on_break_even_say_what_is_computed() -> None:
    text = " ".join(
        (ROOT / "README.md").read_text().split("Why does a month of a PTU")[1].split("A plan: one table")[0].split()
    )

    def costs(model: str, output_tokens: int = 0, **given: str) -> ptucalc.DeploymentCost:
        call = {
            "model": model,
            "requests_per_minute": 1000,
            "input_tokens": 1000,
            "output_tokens": output_tokens,
            **given,
        }
        return ptucalc.compare_costs(ptucalc.Workload(**call), sku="global").deployments[0]

    plain = costs("gpt-4.1")
    month, year, hour = (
        next(each.utilization for each in plain.break_even if each.term == term)
        for term in ("1-month", "1-year", "hourly")
    )
    assert f"${float(plain.ptu_month_worth_usd):.2f}" in text and plain.ptu_month_worth_usd == Fraction("262.8")
    assert f"${plain.option('1-month').usd_per_ptu_month}" in text
    assert f"{float(month) * 100:.0f} % of the time" in text
    assert f"for a year {float(year) * 100:.0f} %" in text
    assert f"{float(hour):.1f} times" in text
    cached = next(e for e in costs("gpt-4o", 100, cache_ratio="80%").break_even if e.term == "1-month")
    assert f"80 % cached: {float(cached.utilization) * 100:.0f} % on 1-month" in text
    mini = next(e for e in costs("o3-mini").break_even if e.term == "1-month")
    assert f"o3-mini breaks even at {float(mini.utilization) * 100:.0f} %" in text
    assert all(costs(model).ptu_month_worth_usd < 220 for model in ("o1", "o3-mini", "gpt-5.6-sol"))


def test_the_list_of_log_formats_is_the_table_of_formats() -> None:
    section = (ROOT / "README.md").read_text().split("### Recognised formats\n")[1].split("\n#")[0]
    bullets = re.findall(r"^- [^:]+: (.*(?:\n  .*)*)", section, re.MULTILINE)
    listed = [" ".join(name.split()) for bullet in bullets for name in bullet.removesuffix(".").split(" · ")]
    assert sorted(listed) == sorted(each.title for each in load_formats().formats)


def test_the_limits_of_reading_logs_are_those_of_the_code() -> None:
    text = " ".join((ROOT / "README.md").read_text().split())
    assert f"within {log_store.MEMORY.removesuffix('GB')} GB of memory" in text
    assert f"up to {log_store.EXACT_IDS // 1_000_000} million ids" in text and log_store.ID_WINDOW_SECONDS == 1800
    assert f"(up to {log_files.LARGEST_DOCUMENT_BYTES // 1_000_000} MB)" in text


def test_the_format_that_contributing_shows_can_be_added(tmp_path: Path) -> None:
    (entry,) = blocks("CONTRIBUTING.md", "text")
    before, formats, after = find_bundled(BUNDLED_FORMATS).read_text().partition("\nformats:\n")
    path = tmp_path / "formats.yaml"
    path.write_text(before + formats + entry + after)
    book = build_formats(read_format_data(path))
    usage = {"in": 1200, "out": 300, "hit": 1024}
    found = book.recognise([{"when": "2026-11-02T09:00:01Z", "route": "chat", "usage": usage}], headings=None, given={})
    assert found.format.title == "Contoso gateway log"
    assert {field: [str(place) for place in places] for field, places in found.places.items()} == {
        "timestamp": ["when"],
        "deployment": ["route"],
        "input_tokens": ["usage.in"],
        "cached_input_tokens": ["usage.hit"],
        "output_tokens": ["usage.out"],
    }


def test_the_catalog_that_contributing_shows_can_be_laid_over_the_bundled_one(tmp_path: Path) -> None:
    (overlay,) = blocks("CONTRIBUTING.md", "yaml")
    path = tmp_path / "contoso.yaml"
    path.write_text(overlay)
    catalog = ptucalc.load_catalog(path)
    assert catalog.find("gpt-4.1")[0].tpm_per_ptu == 3300
    assert catalog.find("GLM 5")[0].weights.output == 4
    call = {"requests_per_minute": 10, "input_tokens": 1000, "output_tokens": 100, "region": "eastus2"}
    sizes = ptucalc.size(ptucalc.Workload(model="my-model", **call), catalog=catalog).sizes
    # 10 x (1,000 + 4 x 100) / 1,000 = 14 PTU: 15 on Global, not offered elsewhere
    assert [size.ptu for size in sizes.values()] == [15, None, None]


def test_the_two_commands_that_set_up_come_first() -> None:
    run, test = blocks("README.md", "sh")[:2]
    assert run.strip().endswith(".venv/bin/ptucalc size examples/workloads.csv")
    assert test.strip().endswith(".venv/bin/python -m pytest -n auto")
    assert all(len(block.strip().splitlines()) == 1 for block in (run, test))


def test_the_changelog_knows_this_version() -> None:
    assert f"## {ptucalc.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_no_published_number_has_a_second_home_in_the_code() -> None:
    rates = {
        "2652",
        "2916",
        "3438",
        "14900",
        "59400",
        "23750",
        "37000",
        "4750",
        "8450",
        "128000",
        "272000",
        "128_000",
        "272_000",
    }
    for path in (ROOT / "ptucalc").rglob("*.py"):
        found = rates & set(re.findall(r"\b\d[\d_]*\b", path.read_text().replace(",", "")))
        assert not found, f"{path}: {found}"
