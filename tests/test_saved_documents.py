"""JSON that ptucalc wrote, read back: what is taken for it, what is refused, and how that is said."""

from __future__ import annotations

import copy
import io
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ptucalc import __version__
from ptucalc.errors import BadInput
from ptucalc.read import saved_documents
from ptucalc.read.saved_documents import is_saved, read_saved
from ptucalc.report.report_markdown import report_markdown
from ptucalc.report.report_rows import report_rows

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A report of the example plan and one of a short log, as JSON."""
    from ptucalc.cli import run

    folder = tmp_path_factory.mktemp("reports")
    log = folder / "log.csv"
    rows = [f"2026-11-02T{hour:02d}:00:0{call}Z,gpt-4.1,9000,0,900" for hour in range(3) for call in range(9)]
    log.write_text("\n".join(["timestamp,model,input_tokens,cached_input_tokens,output_tokens", *rows]))
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        for name, path in (("plan", ROOT / "examples" / "plan.yaml"), ("log", log)):
            out = folder / f"{name}.json"
            patch.setattr(sys, "argv", ["ptucalc", "report", str(path), "--out-file", str(out), "--date", "2026-11-22"])
            assert run() == 0
            made[name] = json.loads(out.read_text())
    return made


def refused(tmp_path: Path, text: str | bytes) -> list[str]:
    path = tmp_path / "r.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(BadInput) as caught:
        read_saved(str(path))
    assert all(problem.source == str(path) for problem in caught.value.problems)
    return [f"{p.field}: {p.shown} -> {p.expected}" for p in caught.value.problems]


def saved(tmp_path: Path, data: Any) -> str:
    path = tmp_path / "s.json"
    path.write_text(json.dumps(data))
    return str(path)


@pytest.mark.parametrize("name", ["plan", "log"])
def test_a_report_comes_back_as_it_was_written(reports, tmp_path, name):
    assert read_saved(saved(tmp_path, reports[name])) == ("report", reports[name])


@pytest.mark.parametrize("part", ["size", "cost", "logs", "simulate"])
def test_each_part_can_be_saved_alone(reports, tmp_path, part):
    data = reports["log"][part]
    assert read_saved(saved(tmp_path, data)) == (part, data)


def test_what_a_later_ptucalc_adds_is_left_out(reports, tmp_path):
    size = copy.deepcopy(reports["plan"]["size"])
    size["colour"] = size["deployments"][0]["colour"] = "blue"
    _, found = read_saved(saved(tmp_path, size))
    assert found == reports["plan"]["size"]


def test_saved_json_is_told_by_its_schema_whatever_the_order_of_its_keys(reports, tmp_path):
    assert is_saved(saved(tmp_path, dict(sorted(reports["log"].items()))))
    assert is_saved(saved(tmp_path, {"schema": "ptucalc.size/7"}))  # refused later, with the reason
    for other in ({"workloads": []}, [{"schema": "ptucalc.size/1"}], {"timestamp": 1}, "schema"):
        assert not is_saved(saved(tmp_path, other))
    assert not is_saved(str(tmp_path)) and not is_saved(str(tmp_path / "none.json"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_saved_file_may_be_as_windows_writes_it(reports, tmp_path, encoding):
    path = tmp_path / "w.json"
    path.write_text(json.dumps(reports["plan"]["size"]), encoding=encoding)
    assert is_saved(str(path)) and read_saved(str(path))[1] == reports["plan"]["size"]


def test_standard_input_is_looked_at_without_taking_anything_away(reports, monkeypatch):
    text = json.dumps(reports["plan"]["size"]).encode()
    for stream in (io.BytesIO(text), io.BufferedReader(io.BytesIO(text))):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
        assert is_saved("-")
        assert read_saved("-")[0] == "size"


def test_another_schema_is_named_with_those_that_can_be_used(tmp_path):
    expected = f"a saved ptucalc.report/1, size/1, cost/1, logs/1 or simulate/1 (this is ptucalc {__version__})"
    assert refused(tmp_path, '{"schema": "ptucalc.size/2"}') == [f"schema: ptucalc.size/2 -> {expected}"]
    assert refused(tmp_path, '{"schema": "ptucalc.rates/1"}') == [f"schema: ptucalc.rates/1 -> {expected}"]
    assert refused(tmp_path, '{"schema": 5}') == refused(tmp_path, "[]") == [f"schema: (empty) -> {expected}"]


def test_json_that_breaks_off_says_where(reports, tmp_path):
    text = json.dumps(reports["plan"]["size"])
    (said,) = refused(tmp_path, text[:3000].rsplit(",", 1)[0])
    assert said == "file: (empty) -> the whole of a JSON document: it breaks off here"
    (said,) = refused(tmp_path, '{"schema": "ptucalc.size/1" "x": 1}')
    assert said == "file: \"x\": 1} -> JSON (Expecting ',' delimiter)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"schema": "ptucalc.size/1", "headroom": NaN}', "NaN, which is no number"),
        ('{"schema": "ptucalc.size/1", "headroom": 1e999}', "1e999, which is too large"),
        ('{"schema": "ptucalc.size/1", "schema": "ptucalc.cost/1"}', "the key 'schema' twice"),
        ('{"schema": "ptucalc.size/1", "x": ' + "[" * 100_000 + "]" * 100_000 + "}", "lists within lists without end"),
        (
            '{"schema": "ptucalc.size/1", "x": ' + "9" * 5000 + "}",
            "Exceeds the limit (4300 digits) for integer string conver...",
        ),
    ],
)
def test_json_that_ptucalc_does_not_write_is_refused(tmp_path, text, said):
    assert refused(tmp_path, text) == [f"file: {said} -> JSON as ptucalc writes it"]


def test_a_file_that_is_too_large_is_not_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(saved_documents, "LARGEST_BYTES", 100)
    (said,) = refused(tmp_path, '{"schema": "' + "x" * 100 + '"}')
    assert said == "file: more -> at most 100 bytes of saved JSON"


def test_what_an_older_ptucalc_lacks_is_told_with_its_version(reports, tmp_path):
    size = copy.deepcopy(reports["plan"]["size"])
    size["version"] = "0.0.1"
    del size["oldest_check"]
    size["deployments"][1]["sizes"][0]["ptu"] = "255"
    older = f"; it was saved by ptucalc 0.0.1, this is {__version__}: make it again"
    assert refused(tmp_path, json.dumps(size)) == [
        f"oldest_check: (empty) -> given{older}",
        f'deployments[1].sizes[0].ptu: "255" -> a valid integer{older}',
    ]


def test_so_many_problems_are_listed_and_the_others_counted(reports, tmp_path):
    size = copy.deepcopy(reports["plan"]["size"])
    size["notes"] = [1] * 50
    path = saved(tmp_path, size)
    with pytest.raises(BadInput) as caught:
        read_saved(path)
    assert (len(caught.value.problems), caught.value.uncounted) == (20, 30)
    assert caught.value.problems[3].field == "notes[3]"


def _spoil(data: Any, *path: Any, value: Any) -> str:
    changed = copy.deepcopy(data)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return json.dumps(changed)


@pytest.mark.parametrize(
    ("report", "path", "value", "said"),
    [
        ("log", ("hour_of_week", 0, "ptu"), [1] * 167, "hour_of_week[0].ptu: 167 values -> 168 values"),
        ("log", ("timelines", 0, "responses_429"), [0], "timelines[0].responses_429: 1 values -> 121 values"),
        ("plan", ("what_if", 0, "rows", 1, "monthly_usd"), {}, "what_if[0].rows[1].monthly_usd: (empty) -> 1-month, 1-year, hourly"),
        ("plan", ("cost", "deployments", 0, "hybrid", "hourly", "curve"), [[1]], "cost.deployments[0].hybrid.hourly.curve: 1 values -> 2 values"),
        ("plan", ("cost", "deployments", 0, "break_even", 0, "cheaper_rpm_ranges"), [[None, 5]], "cost.deployments[0].break_even.cheaper_rpm_ranges: null -> a number"),
        ("log", ("logs", "by_deployment", 0, "weighted_tpm", "p90"), "9", "logs.by_deployment[0].weighted_tpm.p90: a text -> a number"),
        ("log", ("logs", "by_deployment", 0, "hour_of_week_ptu"), [], "logs.by_deployment[0].hour_of_week_ptu: 0 values -> 168 values"),
        ("log", ("logs", "by_deployment", 0, "busiest_day", "quarter_hours_ptu"), [1], "logs.by_deployment[0].busiest_day.quarter_hours_ptu: 1 values -> 96 values"),
        ("log", ("simulate", "by_deployment", 0, "simulated", "worst_day", "quarter_hours_429"), [1], "simulate.by_deployment[0].simulated.worst_day.quarter_hours_429: 1 values -> 96 values"),
        ("plan", ("pooled", 0, "weighted_tpm_exact"), "1/0", "pooled[0].weighted_tpm_exact: 1/0 -> an exact number, such as 416 or 1/3"),
        ("plan", ("working", 0, "sizes", 1, "need_ptu_exact"), "1.5", "working[0].sizes[1].need_ptu_exact: 1.5 -> an exact number, such as 416 or 1/3"),
        ("log", ("simulate", "by_deployment", 0, "simulated", "runs"), [], "simulate.by_deployment[0].simulated.runs: 0 chosen -> 1 chosen"),
    ],
)  # fmt: skip
def test_what_a_type_cannot_say_is_checked_too(reports, tmp_path, report, path, value, said):
    assert refused(tmp_path, _spoil(reports[report], *path, value=value)) == [said]


def _leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _leaves(value, (*path, key))
    elif isinstance(data, list) and data:
        for index in {0, len(data) - 1}:
            yield from _leaves(data[index], (*path, index))
    yield path


STRANGE = (None, -1, 0, 10**30, 0.1, -5.5e200, "", "\ud800\u202e<b>|\n# x", [], {}, True, [None], {"hourly": None})


@pytest.mark.parametrize("name", ["plan", "log"])
def test_whatever_stands_in_a_saved_report_it_is_rendered_or_refused(reports, tmp_path, name):
    """Any value may be another one: nothing else than BadInput may come of it, and no line of ours may break."""
    chance = random.Random(7)  # noqa: S311
    paths = [path for path in _leaves({k: v for k, v in reports[name].items() if k != "rates"}) if path]
    rendered = 0
    for path in chance.sample(paths, min(len(paths), 200)):
        changed = copy.deepcopy(reports[name])
        inner = changed
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = chance.choice(STRANGE)
        try:
            found = saved_documents._checked("report", changed, "r.json")
        except BadInput:
            continue
        rendered += 1
        text = report_markdown(found)
        assert "\n# x" not in text and "<b>" not in text.replace("\\<b\\>", "")
        assert list(report_rows(found))
    assert rendered > 20
