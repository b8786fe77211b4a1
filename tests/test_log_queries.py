"""The queries that fetch logs from Azure, and the command lines that run them."""

import re
import subprocess
from pathlib import Path
from shutil import which

import pytest

from ptucalc.errors import BadInput
from ptucalc.log_queries import QUERIES, query_of
from ptucalc.read.log_formats import load_formats
from ptucalc.read.log_queries import query_text

DATA = Path(__file__).parent.parent / "ptucalc" / "data" / "queries"
KINDS = [query.kind for query in QUERIES]

FIELDS = {
    "timestamp": "timestamp",
    "deployment": "deployment",
    "model": "model",
    "input_tokens": "input_tokens",
    "cached_input_tokens": "cached_input_tokens",
    "output_tokens": "output_tokens",
    "max_tokens": "max_tokens",
    "status": "status",
    "duration_ms": "duration",
    "request_id": "request_id",
    "bucket_seconds": "bucket_seconds",
    "requests": "requests",
    "throttled_requests": "throttled_requests",
}
"""The canonical columns of requests.csv and buckets.csv, and what the format book calls them."""

PUBLISHED_METRICS = {"AzureOpenAIRequests", "ProcessedPromptTokens", "GeneratedTokens", "ActiveTokens"}
"""As Microsoft's page of supported metrics names them (2026-07-31)."""


def code(text):
    """The query without comments."""
    return "\n".join(re.sub(r"(^|\s+)//.*", "", line) for line in text.splitlines())


def columns_of(text):
    """What the last project of a query yields: names that are given, or kept."""
    last = code(text).rsplit("| project", 1)[1].split("\n|")[0]
    depth, parts = 0, [""]
    for character in last:
        depth += (character in "([") - (character in ")]")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return tuple(part.split("=")[0].strip() for part in parts)


def in_minutes(text):
    """The columns of the lines that a comment offers: minutes instead of calls."""
    (offered,) = re.findall(
        r"^// \| summarize(.*?)^//     by (.*?)\n// \| extend (\w+) = 60$", text, re.DOTALL | re.MULTILINE
    )
    sums, keys, bucket = offered
    given = re.findall(r"(\w+) = ", sums + keys)
    return {*given, "deployment", "model", bucket}


def test_the_kinds_of_the_command_line_are_there():
    assert {"apim", "metrics", "appinsights", "diagnostics"} <= set(KINDS)
    assert sorted(path.name for path in DATA.iterdir()) == sorted(
        f"{kind}.{end}" for kind in KINDS for end in ("kql", "sh")
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_query_yields_the_columns_it_says(kind):
    assert columns_of(query_text(kind)) == query_of(kind).columns


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"metrics"}))
def test_calls_come_under_ptucalcs_own_names(kind):
    assert set(query_of(kind).columns) <= FIELDS.keys()
    assert {"timestamp", "input_tokens", "output_tokens", "status", "request_id"} <= set(query_of(kind).columns)


@pytest.mark.parametrize("kind", ["apim", "appinsights", "appinsights-workspace"])
def test_the_minutes_that_are_offered_come_under_ptucalcs_own_names_too(kind):
    names = in_minutes(query_text(kind))
    assert names <= FIELDS.keys()
    assert {"timestamp", "bucket_seconds", "requests", "input_tokens", "output_tokens", "throttled_requests"} <= names


def test_metrics_come_as_the_table_that_ptucalc_knows():
    assert {"TimeGenerated", "MetricName", "Total"} <= set(query_of("metrics").columns)


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_is_recognised_when_it_comes_back_from_the_portal(kind):
    query = query_of(kind)
    headings = [f"{name} [UTC]" if name in ("timestamp", "TimeGenerated") else name for name in query.columns]
    cells = {"input_tokens": "2310", "output_tokens": "284", "Total": "24000", "MetricName": "GeneratedTokens"}
    record = {heading: cells.get(heading, "11/13/2026, 9:00:00.000 AM") for heading in headings}
    found = load_formats().recognise([record], headings=headings, given={})
    if kind == "metrics":
        assert found.format.id == "azure-metrics-table"
        return
    assert found.format.kind == "requests"
    assert {FIELDS[name] for name in query.columns} == found.places.keys()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("az", [False, True])
def test_metrics_are_named_as_they_exist(kind, az):
    text = query_text(kind, az=az)
    told = text if az else code(text)
    assert "ProcessedCompletionTokens" not in told and "GeneratedCompletionTokens" not in told
    if kind == "metrics":
        asked = re.findall(r"MetricName in \(([^)]*)\)|--metrics ([\w ]+?) \\", told)
        names = set(re.findall(r"\w+", " ".join(asked[0])))
        assert names == PUBLISHED_METRICS


@pytest.mark.parametrize("kind", KINDS)
def test_a_query_takes_whole_days_that_do_not_overlap(kind):
    text = code(query_text(kind))
    assert re.search(r"^let since = startofday\(ago\(\d+d\)\);$", text, re.MULTILINE)
    assert re.search(r"^let until = startofday\(now\(\)\);$", text, re.MULTILINE)
    assert ">= since and" in text and "< until" in text


@pytest.mark.parametrize("kind", KINDS)
def test_a_query_says_what_it_cannot_see_and_how_to_keep_the_result(kind):
    text = query_text(kind)
    for said in (
        "What it cannot see",
        "ptucalc fills them",
        "with 0",
        "Export > CSV",
        "several stretches",
        "Run it in",
    ):
        assert said in text
    assert (text.startswith("// UNVERIFIED")) is not query_of(kind).verified
    assert max(map(len, text.splitlines())) <= 120
    assert max(map(len, query_text(kind, az=True).splitlines())) <= 120
    assert text.endswith("\n") and text.isascii()


@pytest.mark.parametrize("kind", KINDS)
def test_brackets_of_a_query_close(kind):
    text = re.sub(r'@?"[^"]*"', "", code(query_text(kind)))
    assert '"' not in text
    for opening, closing in ("()", "[]"):
        assert text.count(opening) == text.count(closing)


def test_bytes_are_never_taken_for_tokens():
    assert "requestLength" not in code(query_text("diagnostics"))
    assert "responseLength" not in code(query_text("diagnostics"))


@pytest.mark.parametrize("kind", ["apim", "diagnostics", "appinsights", "appinsights-workspace"])
def test_throttled_calls_are_kept(kind):
    assert "429" in code(query_text(kind))


def test_agent_spans_are_left_out_and_both_generations_of_attributes_are_read():
    text = code(query_text("appinsights"))
    assert 'operation in ("chat", "text_completion", "generate_content", "embeddings")' in text
    for name in (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cached_tokens",
        "gen_ai.request.max_tokens",
    ):
        assert f'customDimensions["{name}"]' in text


def test_the_two_spellings_of_application_insights_are_one_query():
    workspace = code(query_text("appinsights-workspace"))
    for theirs, ours in (
        ("AppDependencies", "dependencies"),
        ("TimeGenerated", "timestamp"),
        ("Properties", "customDimensions"),
        ("ResultCode", "resultCode"),
        ("DurationMs", "duration"),
        ("request_id = Id", "request_id = id"),
    ):
        assert theirs in workspace
        workspace = workspace.replace(theirs, ours)
    assert workspace.split() == code(query_text("appinsights")).split()


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"metrics"}))
def test_a_command_line_runs_the_query_of_its_own_kind(kind):
    text = query_text(kind, az=True)
    service = "app-insights query --apps" if kind == "appinsights" else "log-analytics query -w"
    assert f"az monitor {service}" in text
    assert f'--analytics-query "$(ptucalc logs --kql {kind})" -o json' in text
    assert f"\nptucalc logs {kind}.json\n" in text


def test_the_metrics_command_asks_for_every_deployment_and_every_minute():
    text = query_text("metrics", az=True)
    for flag in ("--aggregation Total", "--interval PT1M", "--filter \"ModelDeploymentName eq '*'\" --top 1000"):
        assert flag in text


@pytest.mark.skipif(which("bash") is None, reason="bash is not here")
@pytest.mark.parametrize("kind", KINDS)
def test_a_shell_understands_the_command_lines(kind):
    ran = subprocess.run(["bash", "-n"], input=query_text(kind, az=True).encode(), capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_the_kind_may_be_in_any_case():
    assert query_text(" APIM ") == query_text("apim")


@pytest.mark.parametrize(("given", "hint"), [("api", " (apim?)"), ("metric", " (metrics?)"), ("xyz", "")])
def test_a_kind_that_does_not_exist_is_answered_with_those_that_do(given, hint):
    with pytest.raises(BadInput) as caught:
        query_text(given)
    expected = f"one of apim, metrics, appinsights, appinsights-workspace, diagnostics{hint}"
    assert str(caught.value) == f"--kql: expected {expected}, got {given}"
