"""Markdown and CSV of a report document: every number of it is in the JSON, user text stays text, nothing is cut."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

from ptucalc.report.flat import write_csv
from ptucalc.report.report_markdown import DETAILED, report_markdown
from ptucalc.report.report_rows import ROW_COLUMNS, report_rows
from ptucalc.report.report_time_tables import hours_map

from .test_saved_documents import reports  # noqa: F401  # a fixture

NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
HOSTILE = (
    "<script>alert(1)</script>",
    '=HYPERLINK("http://x","y")',
    '"onmouseover=alert(1)',
    "a|b\n# c",
    "\u202eabc",
    "x" * 10_000,
)


def leaves(data: Any) -> Iterator[Any]:
    """Every value and key of a document."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from leaves(value)
    elif isinstance(data, list):
        for each in data:
            yield from leaves(each)
    else:
        yield data


def shown_as(value: int | float) -> Iterator[Fraction]:
    """What a number may be shown as: itself or, as a share, a percentage; at so many decimals, half up or cut off."""
    exact = abs(Fraction(str(value)))
    for each in (exact, exact * 100):
        for places in (0, 1, 2, 3, 4, 5, 6):
            step = each * 10**places
            for whole in (int(step), int(step + Fraction(1, 2))):
                yield Fraction(whole, 10**places)


def strays(text: str, document: Any) -> set[str]:
    """Numbers of a text that no number of the document rounds to, and that stand in none of its texts."""
    values = list(leaves(document))
    known = {each for v in values if isinstance(v, (int, float)) and not isinstance(v, bool) for each in shown_as(v)}
    words = "\n".join(str(value) for value in values if isinstance(value, str))
    told = set(NUMBER.findall(words)) | {f"{hour:02d}" for hour in range(24)} | {"00", "1"}
    plain = text.replace("\\", "")
    return {each for each in NUMBER.findall(plain) if each not in told and Fraction(each.replace(",", "")) not in known}


@pytest.mark.parametrize("name", ["plan", "log"])
def test_every_number_in_the_markdown_is_in_the_json(reports, name):  # noqa: F811
    document = reports[name]
    text = report_markdown(document)
    assert len(NUMBER.findall(text)) > 200
    counts = {str(len(document["notes"]) - 60), "8"}  # how many more there are, of notes and of ranges
    shown = {**document, "rates": [], "timelines": []}  # so many numbers that any would be among them
    assert strays(text, shown) - counts == set()


def test_the_search_for_numbers_finds_one_that_is_not_there():
    assert strays("1,234.5 and 42%", {"a": 1234.5, "b": 0.415}) == set()
    assert strays("$1,235 and 0.42 and 9", {"a": 1234.5, "b": 0.415, "c": "9 lives"}) == set()
    assert strays("1,233 and 43%", {"a": 1234.5, "b": 0.415}) == {"1,233", "43"}


def test_the_report_says_first_what_to_buy_and_what_it_costs(reports):  # noqa: F811
    lines = report_markdown(reports["plan"]).splitlines()
    assert lines[0] == "# PTU plan: plan.yaml, 3 deployments"
    assert lines[2] == f"**Of:** plan.yaml: 4 workloads · ptucalc {reports['plan']['version']} · made on 2026-11-22"
    line = next(each for each in lines if each.startswith("| gpt-4.1 |"))
    assert "**460 PTU** | the peak | $82,622 | 155 PTU + spillover, 1-year | **$76,565** | −7.3% |" in line


def test_the_tables_show_what_the_plan_needs_and_what_other_sizes_cost(reports):  # noqa: F811
    text = report_markdown(reports["plan"])
    # 1,248,000 / 3,000 = 416 PTU, 10 % more 457.6; 1,248,000 / (460 x 3,000) = 90.4 %
    assert "| gpt-4.1 | gpt-4.1 | 1,248,000 | Global | 457.6 | **460 PTU** | 90.4% | 15, then by 5 |" in text
    # 155 PTU: 730 an hour-month, 260 and 221 each, and 42,309.96 spilled
    assert "| 155 | $155,460 | $82,610 | **$76,565** | $42,310 | 79.2% |" in text
    assert "| **PTU + spillover, 1-year** | 155 | **$34,255** | **$42,310** | **$76,565** | −7.3% |" in text
    assert "| 1-month | 93.8% | never |" in text


def test_a_log_says_what_was_simulated_and_when_it_is_busy(reports):  # noqa: F811
    text = report_markdown(reports["log"])
    assert (
        "the p99 minute" in text
        and "## 429s of gpt-4.1" in text
        and "Highest PTU needed, by hour of the week UTC" in text
    )
    head = next(line for line in text.splitlines() if line.startswith("| PTU | A month"))
    assert "Requests with a 429" in head


def test_parts_that_there_are_not_are_left_out(reports):  # noqa: F811
    whole = reports["plan"]
    empty = {key: [] for key in ("what_if", "working", "pooled", "rates", "hour_of_week", "timelines", "sources")}
    text = report_markdown({**whole, **empty, "cost": None, "total": None})
    assert "## What each deployment needs" in text
    for title in (
        "How the sizes",
        "costs a month",
        "Ways to buy",
        "Another number",
        "Hour by hour",
        "429s",
        "When PTU pays",
    ):
        assert f"{title}" not in text
    assert "Pay-as-you-go" in report_markdown(whole) and "Pay-as-you-go" not in text


def test_of_many_deployments_only_some_are_shown_in_full(reports):  # noqa: F811
    whole = reports["plan"]
    cost, line, what_if = whole["cost"]["deployments"][0], whole["headlines"][0], whole["what_if"][0]
    names = [f"d{index}" for index in range(DETAILED + 2)]
    many = {
        **whole,
        "headlines": [{**line, "deployment": name} for name in names],
        "cost": {**whole["cost"], "deployments": [{**cost, "name": name} for name in names]},
        "what_if": [{**what_if, "deployment": name} for name in names],
    }
    text = report_markdown(many)
    assert f"## Ways to buy d{DETAILED - 1}, Global" in text and f"## Ways to buy d{DETAILED}, Global" not in text
    assert f"## Another number of PTU: d{DETAILED - 1}" in text and f"Another number of PTU: d{DETAILED}" not in text
    assert f"| d{DETAILED + 1} | Global |" in text  # but in the table of costs


def renamed(data: Any, old: str, new: str) -> Any:
    """The document with another name for a deployment, workload or file."""
    if isinstance(data, dict):
        return {key: renamed(value, old, new) for key, value in data.items()}
    if isinstance(data, list):
        return [renamed(value, old, new) for value in data]
    return new if data == old else data


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text_in_markdown(reports, name):  # noqa: F811
    document = renamed(renamed(reports["plan"], "gpt-5.2", name), "voice-notes", name)
    text = report_markdown({**document, "title": name, "source": {"kind": "plan", "names": [name], "text": name}})
    assert not re.search(r"(?<!\\)<", text) and "\u202e" not in text
    assert not any(line.startswith("# c") for line in text.splitlines())
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table_of(text, "| Workload |")}) == 1
    if name == "x" * 10_000:
        assert name in text


def table_of(text: str, start: str) -> list[str]:
    lines = text.splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith(start))
    end = next(index for index in range(first, len(lines)) if not lines[index])
    return lines[first:end]


# CSV


def rows_of(document: Any) -> list[dict[str, str]]:
    stream = io.StringIO()
    write_csv(ROW_COLUMNS, report_rows(document), stream)
    stream.seek(0)
    return list(csv.DictReader(stream))


@pytest.mark.parametrize("name", ["plan", "log"])
def test_every_number_in_the_csv_is_in_the_json_as_it_stands(reports, name):  # noqa: F811
    known = {json.dumps(value) for value in leaves(reports[name]) if isinstance(value, (int, float))}
    for row in report_rows(reports[name]):
        assert all(json.dumps(cell) in known for cell in row if isinstance(cell, (int, float)))


def test_the_rows_of_a_plan_are_sizes_ways_to_buy_and_other_sizes(reports):  # noqa: F811
    rows = rows_of(reports["plan"])
    of = {kind: [row for row in rows if row["row_type"] == kind] for kind in ("size", "cost", "what_if", "simulation")}
    assert len(of["size"]) == 7 and not of["simulation"]
    first = of["size"][0]
    assert (first["deployment"], first["deployment_type"], first["ptu"], first["size_basis"]) == (
        "gpt-4.1",
        "global",
        "460",
        "peak",
    )
    mixes = [row for row in of["cost"] if row["way_to_buy"] == "cheapest mix" and row["deployment_type"] == "global"]
    assert mixes[2]["term"] == "1-year" and (mixes[2]["ptu"], mixes[2]["monthly_usd"]) == ("155", "76564.96")
    payg = next(row for row in of["cost"] if row["way_to_buy"] == "payg")
    assert payg["term"] == "" and payg["ptu"] == "0"
    entries = reports["plan"]["what_if"]
    assert len(of["what_if"]) == 3 * sum(len(each["rows"]) for each in entries)
    at = next(row for row in of["what_if"] if row["ptu"] == "155" and row["term"] == "1-year")
    assert at["monthly_usd"] == "76564.96" and at["fixed_monthly_usd"] == "34255"


def test_the_rows_of_a_log_hold_every_size_that_was_looked_at(reports):  # noqa: F811
    rows = [row for row in rows_of(reports["log"]) if row["row_type"] == "simulation"]
    found = reports["log"]["simulate"]["by_deployment"][0]["simulated"]
    assert len(rows) == len({point["ptu"] for point in (*found["sweep"], *found["runs"])})
    alone = {**reports["log"], "size": None, "cost": None, "what_if": [], "simulate": None}
    sizes = rows_of(alone)
    assert {row["row_type"] for row in sizes} == {"size"} and sizes[0]["size_basis"] == "p99"
    assert sizes[0]["ptu"] == str(reports["log"]["headlines"][0]["size_ptu"])


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_no_formulas_in_csv(reports, name):  # noqa: F811
    cells = [cell for row in rows_of(renamed(reports["plan"], "gpt-5.2", name)) for cell in row.values()]
    assert not [cell for cell in cells if cell[:1] in "=+@\t" and cell]
    assert (f"'{name}" if name[0] == "=" else name) in cells


def test_what_the_calls_of_a_workload_weigh_is_said_class_by_class(reports):  # noqa: F811
    line = next(row for row in report_markdown(reports["plan"]).splitlines() if row.startswith("| chat |"))
    # 1,080 + 720 x 0 + 250 x 4 = 2,080; 600 a minute are 1,248,000; of 3,000 per PTU 416
    assert "1,080 uncached in × 1 + 720 cached in × 0 + 250 out × 4 | 2,080 | 1,248,000 | 3,000 | 416.0 |" in line


def test_sizes_together_and_doubts_are_said_in_words(reports):  # noqa: F811
    plan = reports["plan"]
    text = report_markdown(plan)
    assert "**Sizes together:** 475 PTU Global + 255 PTU Data zone" in text
    assert "**Unsure:**" not in text
    unsure = json.loads(json.dumps(plan))
    unsure["headlines"][0]["cheapest_is_certain"] = False
    assert "**Unsure:** ?: the price of some way" in report_markdown(unsure)


def test_ptu_are_not_bold_where_pay_as_you_go_is_cheapest(reports):  # noqa: F811
    for report in reports.values():
        for line in report["headlines"]:
            row = next(r for r in report_markdown(report).splitlines() if r.startswith(f"| {line['deployment']} |"))
            bought = line["cheapest"] is not None and line["cheapest"]["ptu"] > 0
            assert (f"**{line['size_ptu']:,} PTU**" in row) is bought


def test_a_day_that_every_day_repeats_is_one_row():
    hours = {"deployment": "chat", "basis": "profile", "ptu": [*range(24)] * 7}
    assert [row.label for row in hours_map(hours, "").rows] == ["Every day"]
    assert len(hours_map({**hours, "basis": "log"}, "").rows) == 7
    assert len(hours_map({**hours, "ptu": [*range(24)] * 6 + [1] * 24}, "").rows) == 7


def test_names_become_no_links(reports):  # noqa: F811
    for name in ("http://evil.example", "HTTPS://evil.example", "www.evil.example", "ftp://evil.example"):
        text = report_markdown(renamed(reports["plan"], "gpt-5.2", name))
        assert name not in text and re.sub(r"\\([:.])", r"\1", text).count(name) > 3
    assert "https://" in report_markdown(reports["plan"])  # of the sources
