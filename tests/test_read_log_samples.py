"""Every sample of a log, and the public traces where they are present, against sums worked out by hand or recounted."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from ptucalc.catalog import TokenWeights
from ptucalc.read.logs import read_log
from ptucalc.request_log import Stream

from .log_files import NOBODY, SAMPLES, SHARED, TEN_MINUTE, book, minute, refusal, seen, table, written

NINE = TEN_MINUTE - 60
"""2 November 2026, 09:00 UTC."""

PTU, PLAIN_PTU = "gpt-4o-ptu", Stream("gpt-4o-ptu", "")
DATED = Stream("gpt-4o-ptu", "gpt-4o-2024-08-06")


class Expected(NamedTuple):
    """What a sample holds; totals are calls, throttled calls of unknown size, tokens uncached, cached, written, output."""

    format: str
    rows: int
    totals: Mapping[Stream, tuple[int, int, int, int, int, int]]
    start: int = NINE
    length: int = 1
    cached: bool = True
    grain: str = "request"
    skipped: Mapping[str, int] = {}
    zone: str = "UTC"


ONE_CALL = (1, 0, 2310 - 1024, 1024, 0, 284)
MATCHED = 117_400 + 17_660 - (18_600 + 23_900 + 14_100 + 36_200)
"""Cached tokens of a metrics export: all tokens less the active ones."""

THREE_CALLS = (3, 0, 2310 + 1890 + 512, 0, 0, 284 + 311 + 64)
EXPECTED = {
    "anthropic_messages_usage.jsonl": Expected(
        "Anthropic Messages usage", 1, {Stream("", "claude-sonnet-4-5"): (1, 0, 262, 2048, 0, 284)}
    ),
    "app_log_wrapped_usage.jsonl": Expected(
        "columns told by their names", 2, {PLAIN_PTU: (1, 1, 2310 - 1024, 1024, 0, 284)}
    ),
    "appinsights_customMetrics_emit_token_metric.csv": Expected(
        "Application Insights token metrics (emit-token-metric)",
        1,
        {NOBODY: (12, 0, 24_000 - 9000, 9000, 0, 3600)},
        grain="bucket",
    ),
    "appinsights_dependencies_genai.csv": Expected(
        "Application Insights dependencies with gen_ai attributes",
        2,
        {DATED: (2, 0, 2310 + 1890 - 1024, 1024, 0, 284 + 311)},
    ),
    "azure_batch_output.jsonl": Expected(
        "OpenAI batch output", 1, {Stream("", "gpt-4o-batch"): (1, 0, 410, 0, 0, 52)}, cached=False
    ),
    "azure_monitor_metrics_list_pt1m.json": Expected(
        "Azure Monitor metrics (REST, az monitor metrics list)",
        5,
        {PLAIN_PTU: (12 + 15 + 9 + 0 + 22, 2 + 5, 117_400 - MATCHED, MATCHED, 0, 17_660)},
        length=5,
        grain="bucket",
    ),
    "azure_openai_benchmark.jsonl": Expected(
        "azure-openai-benchmark statistics",
        1,
        {NOBODY: (5, 0, 2505, 0, 0, 515)},
        start=28_295_661,  # 2023-10-19 18:21: 19,649 days and 1,101 minutes
        cached=False,
        grain="bucket",
        zone="UTC (assumed)",
    ),
    "azurediagnostics_azureopenairequestusage_UNVERIFIED.jsonl": Expected(
        "AzureDiagnostics, AzureOpenAIRequestUsage", 1, {Stream(PTU, "gpt-4o"): (1, 0, 2310, 0, 0, 284)}, cached=False
    ),
    "helicone_export.csv": Expected("Helicone export", 1, {DATED: (1, 0, 2310, 0, 0, 284)}, cached=False),
    "kql_per_minute_tokens.csv": Expected(
        "Log Analytics query, summed by time",
        3,
        {PLAIN_PTU: (12 + 15 + 22, 0, 24_000 + 30_500 + 45_100, 0, 0, 3600 + 4550 + 6900)},
        length=4,
        cached=False,
        grain="bucket",
    ),
    "langfuse_api_observations_v2.json": Expected(
        "Langfuse observations", 1, {Stream("", PTU): (1, 0, 1286, 1024, 0, 284)}
    ),
    "langfuse_blob_observations_v2.jsonl": Expected(
        "Langfuse observations",
        2,
        {Stream("", PTU): (1, 0, 1286, 1024, 0, 284)},
        skipped={"not_a_call": 1},
        zone="UTC (assumed)",
    ),
    "litellm_spend_logs_api.json": Expected("LiteLLM spend logs", 1, {Stream(PTU, "gpt-4o"): ONE_CALL}),
    "litellm_spendlogs.csv": Expected(
        "LiteLLM spend logs", 2, {Stream(PTU, "gpt-4o"): (1, 1, *ONE_CALL[2:])}, zone="UTC (assumed)"
    ),
    "loganalytics_cli_query.json": Expected(
        "API Management LLM log (ApiManagementGatewayLlmLog)", 3, {DATED: THREE_CALLS}, length=181, cached=False
    ),
    "loganalytics_portal_export_ApiManagementGatewayLlmLog.csv": Expected(
        "API Management LLM log (ApiManagementGatewayLlmLog)",
        5,
        {DATED: THREE_CALLS},
        length=181,
        cached=False,
        skipped={"message_chunk": 2},
    ),
    "loganalytics_portal_export_AzureMetrics.csv": Expected(
        "AzureMetrics table",
        4,
        {NOBODY: (12 + 15 + 9 + 22, 0, 24_000 + 30_500 + 17_800 + 45_100, 0, 0, 3600 + 4550 + 2610 + 6900)},
        length=4,
        cached=False,
        grain="bucket",
    ),
    "loganalytics_rest_tables.json": Expected(
        "Log Analytics query, one row per call", 3, {PLAIN_PTU: THREE_CALLS}, length=181, cached=False
    ),
    "openai_chat_completions_model_dump.jsonl": Expected(
        "OpenAI Chat Completions objects",
        2,
        {Stream("", "gpt-4o-2024-08-06"): ONE_CALL, Stream("", "o4-mini-2025-04-16"): (1, 0, 1890, 0, 0, 811)},
    ),
    "openai_responses_model_dump.jsonl": Expected(
        "OpenAI Responses objects", 1, {Stream("", "gpt-5-2025-08-07"): (1, 0, 2310 - 1024, 1024, 0, 911)}
    ),
    "openai_usage_api_completions.json": Expected(
        "OpenAI usage API, completions",
        2,
        {Stream("", "gpt-4o-2024-08-06"): (6, 0, 4212 + 5904, 0, 0, 1673 + 1419)},
        start=1_761_523_800 // 60,
        grain="bucket",
    ),
    "openai_usage_dashboard_completions.csv": Expected(
        "OpenAI usage dashboard, completions",
        5,
        {
            Stream("", "gpt-4o-2024-08-06"): (
                *(4 + 3 + 3 + 25, 0, 7162 + 4212 + 5904 + 15_738 - 1280, 1280),
                *(0, 1000 + 1673 + 1419 + 1482),
            )
        },
        start=1_761_523_200 // 60,
        length=15,
        grain="bucket",
    ),
    "otlp_traces_genai.json": Expected(
        "OpenTelemetry spans (OTLP JSON)", 2, {PLAIN_PTU: (2, 0, 2310 + 1890 - 1024, 1024, 0, 284 + 311)}
    ),
    "portkey_export.jsonl": Expected("Portkey export", 1, {DATED: ONE_CALL}),
    "canonical/requests.csv": Expected("ptucalc requests", 3, {DATED: (2, 1, 2310 + 1890 - 1024, 1024, 0, 284 + 311)}),
    "canonical/buckets.csv": Expected(
        "ptucalc buckets",
        3,
        {
            Stream(PTU, "gpt-4o"): (
                12 + 15 + 9,
                2,
                15_000 + 19_400 + 11_500,
                9000 + 11_100 + 6300,
                0,
                3600 + 4550 + 2610,
            )
        },
        length=3,
        grain="bucket",
    ),
}
REFUSED = {
    "canonical/shapes.csv": "this is a workload file: ptucalc size FILE",
}


def test_every_sample_has_an_expectation() -> None:
    names = {str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*") if path.is_file()}
    assert names == EXPECTED.keys() | REFUSED.keys() | {PORTAL.name}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_holds_what_its_text_says(name: str) -> None:
    expected, found = EXPECTED[name], seen(SAMPLES / name)
    source = found.source
    assert source.formats == (expected.format,)
    assert (source.rows, found.skipped) == (expected.rows, expected.skipped)
    assert found.totals == expected.totals
    assert {(profile.start, profile.length) for profile in found.profiles.values()} == {
        (expected.start, expected.length)
    }
    assert (source.grain, source.cached_known, source.time_zone) == (expected.grain, expected.cached, expected.zone)
    assert source.bucket_seconds == (60 if expected.grain == "bucket" else None)
    assert source.verified == ("UNVERIFIED" not in name)
    assert not source.relative_clock


@pytest.mark.parametrize("name", REFUSED)
def test_a_sample_that_cannot_be_told_is_refused_with_the_way_out(name: str) -> None:
    assert REFUSED[name] in refusal(SAMPLES / name)


PORTAL = SAMPLES / "azure_portal_metrics_excel_saved_as_csv_UNVERIFIED.csv"


def test_the_portals_workbook_saved_as_csv_is_read_by_the_start_time_that_it_states() -> None:
    found = seen(PORTAL)
    assert [(row[0], row[4], row[7]) for row in found.rows if row[4]] == [
        (0, 24_000, 3600),
        (1, 30_500, 4550),
        (2, 17_800, 2610),
        (4, 45_100, 6900),
    ]
    (profile,) = found.profiles.values()
    assert (set(found.profiles), profile.start, profile.length) == ({PLAIN_PTU}, TEN_MINUTE, 5)
    assert not found.source.verified
    assert found.codes >= {"requests_unknown", "local_time"}


def test_the_portals_dates_are_ambiguous_where_nothing_states_when_it_was(tmp_path: Path) -> None:
    text = PORTAL.read_text()
    for other in (text.split("\n", 5)[5], text.replace("2026-11-02 10", "2026-10-30 10")):
        assert "--date-order mdy" in refusal(written(tmp_path / "log.csv", other))
    found = seen(written(tmp_path / "log.csv", text.replace("2026-11-02 10", "2026-02-11 10")))
    assert {profile.start for profile in found.profiles.values()} == {TEN_MINUTE - 264 * 1440}  # 11 February


def test_minutes_of_metrics_are_those_of_the_export() -> None:
    found = seen(SAMPLES / "azure_monitor_metrics_list_pt1m.json")
    assert [(row[0], row[2]) for row in found.rows if row[2]] == [(0, 12), (1, 15), (2, 9), (4, 22)]
    assert seen(SAMPLES / "canonical" / "buckets.csv").rows == [
        minute(0, 12, 15_000, 9000, 0, 3600),
        minute(1, 15, 19_400, 11_100, 0, 4550, unsized=2),
        minute(2, 9, 11_500, 6300, 0, 2610),
    ]


# --- Other people's data, read where it is


shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared material is not here")
HEADS = {
    "azure2023_code_head.csv": ("TIMESTAMP", "ContextTokens", "GeneratedTokens"),
    "azure2023_conv_head.csv": ("TIMESTAMP", "ContextTokens", "GeneratedTokens"),
    "azure2024_code_notebook_rows.csv": ("TIMESTAMP", "ContextTokens", "GeneratedTokens"),
    "azure2024_conv_notebook_rows.csv": ("TIMESTAMP", "ContextTokens", "GeneratedTokens"),
    "azure_lmm2024_notebook_rows.csv": ("TIMESTAMP", "ContextTokens", "GeneratedTokens"),
    "inferenceperf_sample_trace.csv": ("TIMESTAMP", "ContextTokens", "GeneratedTokens"),
    "vidur_splitwise_conv_head.csv": ("arrived_at", "num_prefill_tokens", "num_decode_tokens"),
    "llmservingsim_vllm_requests_head.jsonl": ("", "input_toks", "output_toks"),
    "mooncake_conversation_head.jsonl": ("timestamp", "input_length", "output_length"),
    "qwen_bailian_sample.jsonl": ("timestamp", "input_length", "output_length"),
    "ragpulse_head.jsonl": ("timestamp", "input_length", "output_length"),
}
RELATIVE = ("vidur", "mooncake", "qwen", "ragpulse")


def records(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        if path.suffix == ".csv":
            yield from csv.DictReader(stream)
        else:
            yield from (json.loads(line) for line in stream if line.strip())


@shared
@pytest.mark.parametrize("name", HEADS)
def test_the_head_of_a_trace_adds_up(name: str) -> None:
    path = SHARED / "formats" / "trace_heads" / name
    _, first, second = HEADS[name]
    rows = list(records(path))
    found = seen(path)
    sums = sum(int(row[first]) for row in rows), sum(int(row[second]) for row in rows)
    assert found.total == (len(rows), 0, sums[0], 0, 0, sums[1])
    assert found.source.relative_clock == name.startswith(RELATIVE)
    assert (found.skipped, found.source.cached_known, found.source.grain) == ({}, False, "request")


@shared
def test_calls_of_burstgpt_without_an_answer_failed() -> None:
    path = SHARED / "formats" / "trace_heads" / "burstgpt_1_first_rows.csv"
    rows = list(records(path))
    found = seen(path)
    assert found.skipped == {"failed_call": sum(row["Response tokens"] == "0" for row in rows)}
    for stream, total in found.totals.items():
        mine = [row for row in rows if row["Model"] == stream.model and row["Response tokens"] != "0"]
        sums = (sum(int(row[f"{kind} tokens"]) for row in mine) for kind in ("Request", "Response"))
        assert (total[0], total[2], total[5]) == (len(mine), *sums)


@shared
def test_tracelab_has_cached_prefixes() -> None:
    path = SHARED / "formats" / "trace_heads" / "tracelab_round_trace_head.jsonl"
    rows = list(records(path))
    cached = sum(row["prefix_tokens"] for row in rows)
    inputs, outputs = (sum(row[name] for row in rows) for name in ("input_tokens_total", "output_tokens"))
    found = seen(path)
    assert found.total == (len(rows), 0, inputs - cached, cached, 0, outputs)
    assert found.source.cached_known


@shared
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("samples/azure_monitor_metrics_rest_AUTHENTIC.json", "ask again with --interval PT1M"),
        ("samples/azurediagnostics_requestresponse_AUTHENTIC.jsonl", "these lengths are bytes"),
        ("samples/otel_flat_spans_inferenceperf_AUTHENTIC.json", "none on 3 of 3 calls"),
        ("trace_heads/servegen_client_shapes_head.csv", "this is a workload file"),
        ("trace_heads/servegen_m-small_chunk-12-trace_head.csv", "here are arrival rates only"),
    ],
)
def test_files_that_say_nothing_of_demand_are_refused_with_what_does(name: str, words: str) -> None:
    assert words in refusal(SHARED / "formats" / name)


@shared
def test_bodies_that_api_management_logged_hold_usage_where_the_call_went_well() -> None:
    found = seen(SHARED / "formats" / "samples" / "apim_gatewaylogs_body_AUTHENTIC_trimmed.jsonl")
    assert found.totals == {Stream("gpt-chat-pilot", "gpt-35-turbo"): (1, 0, 14, 0, 0, 8)}
    assert found.skipped == {"failed_call": 1}


# --- The public traces and their published figures


CODE = SHARED / "traces" / "AzureLLMInferenceTrace_code.csv"
WEIGHTS = TokenWeights(Fraction(1), Fraction(0), Fraction(1), Fraction(4))


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((SHARED / "cases" / "traces.yaml").read_text())
    return found


@shared
def test_the_code_trace_has_its_published_figures(figures: dict[str, Any]) -> None:
    known = figures["azure-2023-code"]
    with read_log(CODE, thresholds=(), formats=book()) as log:
        (profile,) = log.profiles.values()
        (busiest,) = log.window_maxima([{NOBODY: {0: WEIGHTS}}])
        source = log.source
    tokens, calls = profile.tokens(), profile.requests
    assert (source.rows, source.rows_used, calls) == (known["rows"],) * 3
    assert tokens.input == known["input_tokens"]["sum"]
    assert tokens.output == known["output_tokens"]["sum"]
    assert round(float(tokens.input / calls), 3) == known["input_tokens"]["mean"]
    assert round(float(tokens.output / calls), 3) == known["output_tokens"]["mean"]
    weighted, scale = profile.weighted({0: WEIGHTS})
    assert max(weighted) == known["weighted_tpm"]["peak_clock_minute"] * scale
    assert busiest.sliding_60s == known["weighted_tpm"]["sliding_60s_max"]
    # 2023-11-16 18:17:03.9799600 to 19:14:19.9280160: 58 clock minutes
    assert (profile.start, profile.length) == (28_335_977, 58)
    assert (source.first, source.last) == (1_700_158_623_979_960, 1_700_162_059_928_016)


@shared
def test_the_code_trace_has_its_published_numbers_of_requests(figures: dict[str, Any], tmp_path: Path) -> None:
    """With one token a call and no weight on output, weighted tokens count requests."""
    known = figures["azure-2023-code"]["peak_requests"]
    stamps = [row["TIMESTAMP"] for row in records(CODE)]
    path = table(
        tmp_path / "log.csv", *(f"{each},1,1" for each in stamps), headings="timestamp,input_tokens,output_tokens"
    )
    with read_log(path, thresholds=(), formats=book()) as log:
        (found,) = log.window_maxima([{NOBODY: {0: TokenWeights(Fraction(1), Fraction(0), Fraction(1), Fraction(0))}}])
    assert (found.burst_1s, found.burst_10s) == (known["sliding_1s"] * 60, known["sliding_10s"] * 6)


@shared
def test_the_chat_trace_of_mooncake_has_its_published_figures_and_shows_no_second(figures: dict[str, Any]) -> None:
    known = figures["mooncake-conversation"]
    with read_log(SHARED / "traces" / known["file"], thresholds=(), formats=book()) as log:
        (profile,) = log.profiles.values()
        (busiest,) = log.window_maxima([{NOBODY: {0: WEIGHTS}}])
    assert profile.requests == known["rows"]
    mean = profile.mean_call()
    assert mean is not None
    assert round(float(mean.input), 3) == known["input_tokens"]["mean"]
    assert round(float(mean.output), 3) == known["output_tokens"]["mean"]
    assert busiest.burst_1s is None and busiest.burst_10s is not None
    assert "nothing shorter can be seen" in busiest.why


@shared
@pytest.mark.parametrize("name", ["AzureLLMInferenceTrace_conv.csv", "ragpulse.jsonl"])
def test_other_traces_add_up(name: str) -> None:
    path = SHARED / "traces" / name
    rows = list(records(path))
    names = ("ContextTokens", "GeneratedTokens") if path.suffix == ".csv" else ("input_length", "output_length")
    sums = [sum(int(row[each]) for row in rows) for each in names]
    assert seen(path).total == (len(rows), 0, sums[0], 0, 0, sums[1])
