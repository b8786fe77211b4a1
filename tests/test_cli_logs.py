"""`ptucalc logs`: what it answers, in which forms, what it saves, and how it refuses.

The log by hand, sized as gpt-4.1 (an output token weighs 4, 3,000 TPM a PTU, 15 by 5 Global, 50 by 50 Regional): chat has
60,000 + 4 x 7,500 = 90,000 weighted tokens in the first minute (30 PTU) and 4 x 1,000 = 4,000 in the third, whose input is
all cached; search has 1,500 + 4 x 750 = 4,500 in the fourth (1.5 PTU, so 15). One failed call is left out.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from ptucalc import log_documents

from .log_files import SAMPLES, call, table

ROOT = Path(__file__).parent.parent
LOG = "log.csv"
MODEL = ("-m", "gpt-4.1")


@pytest.fixture
def log(in_tmp: Path) -> Path:
    """The log of the docstring, in the current folder."""
    return table(
        in_tmp / LOG,
        call(0.5, "60000,0,7500"),
        call(150.25, "30000,30000,1000"),
        call(239.999, ",,", status="500"),
        call(239.999, "1500,0,750", deployment="search"),
    )


def document(ran: Any) -> dict[str, Any]:
    assert ran.code == 0, ran
    found: dict[str, Any] = json.loads(ran.out)
    return found


def entries(ran: Any) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in document(ran)["by_deployment"]}


def sizes(sized: dict[str, Any], at: str = "p99") -> dict[str, int]:
    return {size["deployment_type"]: size["ptu"] for size in sized["sizes_at"][at]}


# Answers


def test_each_deployment_has_its_minutes_and_sizes(cli: Callable, log: Path) -> None:
    found = entries(cli("logs", LOG, *MODEL, "--json"))
    chat, search = found["chat"], found["search"]
    assert (chat["minutes"], chat["requests"], chat["peak_rpm"], chat["mean_rpm"]) == (4, 2, 1, 0.5)
    assert (chat["mean_input_tokens"], chat["mean_output_tokens"]) == (45_000, 4250)
    assert chat["cache_ratio"] == pytest.approx(1 / 3)
    weighted = chat["weighted_tpm"]
    assert [weighted[key] for key in ("mean", "p50", "p90", "p99", "max")] == [23_500, 0, 90_000, 90_000, 90_000]
    assert weighted["sliding_60s_max"] == 90_000
    assert (weighted["burst_10s_max"], weighted["burst_1s_max"]) == (540_000, 5_400_000)
    assert sizes(chat) == {"global": 30, "data-zone": 30, "regional": 50}
    assert sizes(chat, "p50") == {"global": 15, "data-zone": 15, "regional": 50}
    assert (search["requests"], search["weighted_tpm"]["max"], sizes(search)["global"]) == (1, 4500, 15)


def test_the_source_says_what_was_read(cli: Callable, log: Path) -> None:
    source = document(cli("logs", LOG, *MODEL, "--json"))["source"]
    assert (source["files"], source["rows"], source["rows_used"], source["skipped"]) == (
        [LOG],
        4,
        3,
        {"failed_call": 1},
    )
    assert (source["first"], source["last"]) == ("2026-11-02T10:00:00.500000Z", "2026-11-02T10:03:59.999000Z")


@pytest.mark.parametrize(
    ("by", "names"),
    [("deployment", {"chat": 30, "search": 15}), ("model", {"gpt-4.1": 30}), ("none", {"all calls": 30})],
)
def test_answers_are_by_deployment_by_model_or_one_for_all(
    by: str, names: dict[str, int], cli: Callable, log: Path
) -> None:
    found = entries(cli("logs", LOG, *MODEL, "--by", by, "--json"))
    assert {name: sizes(entry)["global"] for name, entry in found.items()} == names
    if by != "deployment":
        (entry,) = found.values()
        assert (sorted(entry["deployments"]), entry["requests"]) == (["chat", "search"], 3)
        assert entry["weighted_tpm"]["mean"] == (90_000 + 4000 + 4500) / 4


def test_headroom_percentile_and_sku_are_obeyed(cli: Callable, log: Path) -> None:
    ran = cli("logs", LOG, *MODEL, "--headroom", "10%", "--percentile", "p75", "--sku", "global", "--json")
    chat = entries(ran)["chat"]
    # the third of four minutes in order: 4,000, which is 1.33 PTU; and 33 PTU at the maximum go to 35
    assert (chat["percentile"], sizes(chat, "max"), chat["weighted_tpm"]["p50"]) == ("p75", {"global": 35}, 0)
    assert sizes(chat, "p75") == {"global": 15}


def test_deployments_are_mapped_to_models(cli: Callable, log: Path) -> None:
    maps = ("--map-model", "chat=gpt-4.1", "--map-model", "search=gpt-4o-mini")
    found = entries(cli("logs", LOG, *maps, "--json"))
    assert {name: entry["model"] for name, entry in found.items()} == {"chat": "gpt-4.1", "search": "gpt-4o-mini"}


def test_a_model_that_the_rows_name_is_looked_up(cli: Callable) -> None:
    found = entries(cli("logs", SAMPLES / "canonical" / "requests.csv", "--json"))
    assert (found["gpt-4o-ptu"]["model"], found["gpt-4o-ptu"]["model_version"]) == ("gpt-4o", "2024-08-06")


def test_unknown_models_are_all_named_with_the_way_to_map_them(log: Path, refuses: Callable, cli: Callable) -> None:
    message = refuses("logs", LOG)
    for name in ("chat", "search"):
        assert f"deployment {name}" in message and f"--map-model {name}=MODEL" in message
    assert "-m MODEL" in message
    ran = cli("logs", LOG, "--json")
    assert ran.code == 2
    assert {each["field"] for each in json.loads(ran.out)["problems"]} == {"model"}


def test_one_known_deployment_of_two_is_an_answer_that_names_the_other(cli: Callable, log: Path) -> None:
    ran = cli("logs", LOG, "--map-model", "chat=gpt-4.1", "--json")
    found = document(ran)
    assert {entry["name"]: entry["reason"] is None for entry in found["by_deployment"]} == {
        "chat": True,
        "search": False,
    }
    assert any("search" in note["message"] for note in found["notes"])


def test_columns_times_and_shares_are_taken_from_flags(cli: Callable, in_tmp: Path) -> None:
    table(in_tmp / "odd.csv", "2/11/2026 11:00:00,6000,3", "2/11/2026 11:01:30,9000,3", headings="when,asked,said")
    maps = [part for pair in ("timestamp=when", "input_tokens=asked", "output_tokens=said") for part in ("--map", pair)]
    flags = ("--date-order", "dmy", "--time-zone", "Europe/Berlin", "--since", "2026-11-02T10:01Z")
    found = document(cli("logs", "odd.csv", *MODEL, *maps, *flags, "--json"))
    assert found["source"]["skipped"] == {"outside_the_window": 1}
    assert found["source"]["first"] == "2026-11-02T10:01:00Z"
    (entry,) = found["by_deployment"]
    assert entry["mean_input_tokens"] == 9000


def test_only_what_is_before_until_counts(cli: Callable, log: Path) -> None:
    found = document(cli("logs", LOG, *MODEL, "--until", "2026-11-02T10:02:30Z", "--json"))
    assert found["source"]["skipped"] == {"outside_the_window": 3}
    assert [(entry["name"], entry["requests"], entry["minutes"]) for entry in found["by_deployment"]] == [
        ("chat", 1, 3)
    ]


def test_an_output_weight_and_a_region_are_those_given(cli: Callable, refuses: Callable, log: Path) -> None:
    assert "--output-weight" in refuses("logs", LOG, "-m", "GLM 5.2")
    found = entries(cli("logs", LOG, "-m", "GLM 5.2", "--output-weight", "3", "--json"))
    assert found["chat"]["weighted_tpm"]["max"] == 60_000 + 3 * 7500
    found = entries(cli("logs", LOG, *MODEL, "--region", "swedencentral", "--json"))
    assert found["chat"]["region"] == "swedencentral"


def test_standard_input_and_several_files_are_logs(cli: Callable, log: Path) -> None:
    piped = document(cli("logs", "-", *MODEL, "--json", stdin=log.read_bytes()))
    assert (piped["source"]["files"], piped["source"]["rows"]) == (["stdin"], 4)
    packed = log.with_name("log.csv.gz")
    packed.write_bytes(gzip.compress(log.read_bytes()))
    both = entries(cli("logs", LOG, "log.csv.gz", *MODEL, "--json"))
    assert both["chat"]["requests"] == 4
    assert sizes(both["chat"])["global"] == 60


# Forms


def test_json_is_what_the_schema_says(cli: Callable, log: Path) -> None:
    schema = json.loads((ROOT / "ptucalc" / "data" / "schemas" / "ptucalc.logs.1.json").read_text())
    names = [
        "anthropic_messages_usage.jsonl",
        "azure_monitor_metrics_list_pt1m.json",
        "loganalytics_portal_export_AzureMetrics.csv",
    ]
    for path in (LOG, *(SAMPLES / name for name in names)):
        written = document(cli("logs", path, *MODEL, "--json"))
        assert TypeAdapter(log_documents.LogsDocument).validate_python(written, strict=True) == written
        assert written["schema"] == "ptucalc.logs/1"
        try:
            import jsonschema
        except ImportError:
            continue
        jsonschema.validate(written, schema)


def test_csv_has_a_row_for_each_deployment_and_type(cli: Callable, log: Path) -> None:
    ran = cli("logs", LOG, *MODEL, "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert {(row["name"], row["deployment_type"]): row["ptu"] for row in rows} == {
        ("chat", "global"): "30",
        ("chat", "data-zone"): "30",
        ("chat", "regional"): "50",
        ("search", "global"): "15",
        ("search", "data-zone"): "15",
        ("search", "regional"): "50",
    }
    assert {row["weighted_tpm_max"] for row in rows} == {"90000", "4500"}


def test_markdown_and_text_show_the_same_sizes(cli: Callable, log: Path) -> None:
    for shape in ((), ("-o", "markdown"), ("-v",)):
        ran = cli("logs", LOG, *MODEL, *shape)
        assert ran.code == 0 and "90,000" in ran.out and "\x1b" not in ran.out
    assert len(cli("logs", LOG, *MODEL, "-q").out) < len(cli("logs", LOG, *MODEL).out)


def test_a_report_goes_to_a_file(cli: Callable, log: Path) -> None:
    assert cli("logs", LOG, *MODEL, "--json", "--out-file", "found.json").out == ""
    assert json.loads(Path("found.json").read_text())["schema"] == "ptucalc.logs/1"


def test_a_report_does_not_go_over_the_log(refuses: Callable, log: Path) -> None:
    before = log.read_bytes()
    refuses("logs", LOG, *MODEL, "--out-file", LOG)
    assert log.read_bytes() == before


def test_a_reader_that_stops_early_is_no_error(log: Path) -> None:
    command = f"{sys.executable} -m ptucalc logs {LOG} -m gpt-4.1 -v | head -n 1; echo ${{PIPESTATUS[0]}}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment, check=False)
    assert (ran.stdout.splitlines()[-1], ran.stderr) in (("0", ""), ("141", ""))


# Plans


def test_a_saved_plan_has_the_sizes_and_the_minutes_of_the_log(cli: Callable, log: Path) -> None:
    ran = cli("logs", LOG, *MODEL, "--save", "plan.yaml")
    assert ran.code == 0 and "plan.yaml and plan.minutes.csv.gz" in ran.err
    plan = json.loads(cli("size", "plan.yaml", "--json").out)
    assert {
        each["name"]: {size["deployment_type"]: size["ptu"] for size in each["sizes"]} for each in plan["deployments"]
    } == {
        "chat": {"global": 30, "data-zone": 30, "regional": 50},
        "search": {"global": 15, "data-zone": 15, "regional": 50},
    }
    ran = cli("cost", "plan.yaml", "--sku", "global", "--json")
    assert (ran.code, json.loads(ran.out)["schema"]) == (0, "ptucalc.cost/1")


def test_a_month_of_a_saved_plan_costs_what_its_minutes_cost(cli: Callable, in_tmp: Path) -> None:
    """A month of 43,800 minutes: 43.8 million tokens in at $2 and 4.38 million out at $8 make $122.64."""
    table(in_tmp / LOG, *(call(60 * at + 0.5, "1000,0,100") for at in range(60)))
    assert cli("logs", LOG, *MODEL, "--save", "plan.yaml", "-q").code == 0
    ran = cli("cost", "plan.yaml", "--sku", "global", "-o", "csv")
    rows = [row for row in csv.DictReader(io.StringIO(ran.out)) if row["way_to_buy"] == "payg"]
    assert (ran.code, [row["monthly_usd"] for row in rows]) == (0, ["122.64"])


def test_a_plan_is_never_written_over_another_unless_that_is_meant(cli: Callable, refuses: Callable, log: Path) -> None:
    cli("logs", LOG, *MODEL, "--save", "plan.yaml")
    before = Path("plan.yaml").read_bytes(), Path("plan.minutes.csv.gz").read_bytes()
    for left in ("plan.yaml", "plan.minutes.csv.gz"):
        message = refuses("logs", LOG, *MODEL, "--save", "plan.yaml")
        assert left in message and "--overwrite" in message
    Path("plan.yaml").unlink()
    assert "plan.minutes.csv.gz" in refuses("logs", LOG, *MODEL, "--save", "plan.yaml")
    assert not Path("plan.yaml").exists() and Path("plan.minutes.csv.gz").read_bytes() == before[1]
    assert cli("logs", LOG, *MODEL, "--save", "plan.yaml", "--overwrite").code == 0
    assert (Path("plan.yaml").read_bytes(), Path("plan.minutes.csv.gz").read_bytes()) == before


@pytest.mark.parametrize("name", ["plan.json", "plan", LOG, "none/plan.yaml"])
def test_a_plan_goes_to_a_new_file_whose_name_ends_in_yaml(name: str, refuses: Callable, log: Path) -> None:
    before = log.read_bytes()
    assert "--save" in refuses("logs", LOG, *MODEL, "--save", name, "--overwrite")
    assert log.read_bytes() == before
    assert sorted(path.name for path in log.parent.iterdir()) == [LOG]


def test_a_log_that_is_called_yaml_is_not_written_over(refuses: Callable, log: Path) -> None:
    log.rename("log.yaml")
    before = Path("log.yaml").read_bytes()
    refuses("logs", "log.yaml", *MODEL, "--save", "log.yaml", "--overwrite")
    assert Path("log.yaml").read_bytes() == before


def test_nothing_is_saved_where_nothing_could_be_sized(refuses: Callable, log: Path) -> None:
    refuses("logs", LOG, "--save", "plan.yaml")
    assert sorted(path.name for path in log.parent.iterdir()) == [LOG]


# Queries


@pytest.mark.parametrize("kind", ["apim", "metrics", "appinsights", "appinsights-workspace", "diagnostics"])
def test_queries_are_printed_and_their_command_lines_too(kind: str, cli: Callable) -> None:
    query, command = cli("logs", "--kql", kind), cli("logs", "--kql", kind, "--az")
    assert (query.code, command.code, query.err, command.err) == (0, 0, "", "")
    assert "\n| " in query.out and query.out.startswith("// ")
    assert "\naz monitor " in command.out and command.out.startswith("# ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--kql", "nothing"), ["--kql: nothing", "apim"]),
        (("--az",), ["--kql", "apim|metrics"]),
        (("--kql", "apim", LOG), ["--kql"]),
        ((), ["logs: (empty)", "ptucalc logs requests.csv -m gpt-4.1", "--kql"]),
        ((LOG, *MODEL, "--by", "day"), ["--by: day", "deployment, model or none"]),
        ((LOG, *MODEL, "--percentile", "p101"), ["--percentile: p101"]),
        ((LOG, *MODEL, "--sku", "cheap"), ["--sku: cheap"]),
        ((LOG, *MODEL, "--headroom", "-1"), ["--headroom: -1"]),
        ((LOG, "-m", "gpt-9"), ["gpt-9"]),
        ((LOG, *MODEL, "--map-model", "chat"), ["--map-model: chat", "DEPLOYMENT=MODEL"]),
        ((LOG, *MODEL, "--map", "input_tokens"), ["--map: input_tokens", "FIELD=COLUMN"]),
        (
            (LOG, *MODEL, "--map", "input_tokens=a", "--map", "input_tokens=b"),
            ["one value: input_tokens=a is given too"],
        ),
        ((LOG, *MODEL, "--map", "inputs=a"), ["inputs"]),
        ((LOG, *MODEL, "--date-order", "ymd"), ["--date-order: ymd", "mdy"]),
        ((LOG, *MODEL, "--bucket-seconds", "0"), ["--bucket-seconds: 0"]),
        ((LOG, *MODEL, "--output-share", "2"), ["--output-share: 2"]),
        ((LOG, *MODEL, "--since", "soon"), ["--since: soon"]),
        ((LOG, *MODEL, "--since", "2026-11-03"), ["outside the window: 4", "2026-11-02T10:03Z"]),
        ((LOG, *MODEL, "--time-zone", "Mars/Olympus"), ["--time-zone: Mars/Olympus"]),
        (("none.csv", *MODEL), ["none.csv", "No such file"]),
        ((LOG, "none.csv", "nor.csv", *MODEL), ["none.csv"]),
        ((".", *MODEL), ["directory"]),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_can(
    arguments: tuple[str, ...], words: list[str], refuses: Callable, log: Path
) -> None:
    message = refuses("logs", *arguments)
    assert [word for word in words if word not in message] == [], message


def test_problems_are_json_where_json_is_wanted(cli: Callable, log: Path) -> None:
    ran = cli("logs", LOG, *MODEL, "--by", "day", "--json")
    assert ran.code == 2
    assert [each["label"] for each in json.loads(ran.out)["problems"]] == ["--by"]


def test_bad_rows_are_refused_or_left_out(cli: Callable, refuses: Callable, in_tmp: Path) -> None:
    table(in_tmp / LOG, call(0.5), call(1.5, "many,0,5"))
    assert "--skip-bad" in refuses("logs", LOG, *MODEL)
    found = document(cli("logs", LOG, *MODEL, "--skip-bad", "--json"))
    assert found["source"]["skipped"] == {"unreadable_number": 1}
    table(in_tmp / LOG, call(0.5, "10,90,5"))
    assert "--input-excludes-cached" in refuses("logs", LOG, *MODEL)
    found = document(cli("logs", LOG, *MODEL, "--input-excludes-cached", "--json"))
    assert found["by_deployment"][0]["mean_input_tokens"] == 100


def test_totals_alone_need_a_share(cli: Callable, refuses: Callable, in_tmp: Path) -> None:
    headings = "TimeGenerated,MetricName,Total,TimeGrain"
    table(in_tmp / LOG, "2026-11-02T10:00:00Z,TokenTransaction,1000,PT1M", headings=headings)
    assert "--output-share" in refuses("logs", LOG, *MODEL)
    (entry,) = document(cli("logs", LOG, *MODEL, "--output-share", "15%", "--json"))["by_deployment"]
    assert entry["weighted_tpm"]["max"] == 850 + 4 * 150
    assert entry["requests"] is None
