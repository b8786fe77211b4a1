"""Log formats: every sample is recognised as what it is, with each value in its place; what cannot be, is refused."""

from __future__ import annotations

import ast
import csv
import json
import re
from pathlib import Path

import pytest
from hypothesis import given as assuming
from hypothesis import strategies as st

from ptucalc import BadCatalog, BadInput
from ptucalc.errors import Problem
from ptucalc.log_formats import FormatBook
from ptucalc.log_records import LINE, KeyPath, Place, Shape, normalise, time_tag
from ptucalc.log_summary import summary_problems
from ptucalc.read.catalog import find_bundled
from ptucalc.read.log_containers import records_of
from ptucalc.read.log_formats import BUNDLED_FORMATS, build_formats, load_formats, read_format_data

LOGS = Path(__file__).parent / "samples" / "logs"
SHARED = Path(__file__).parent.parent.parent / "shared" / "formats"
BOOK = load_formats()

# Where each value of each sample stands. Keys are separated by "/", by "//" where the next is in a JSON text; of several
# places the first that holds a value wins. In a table the first key is the heading.

OTEL = {
    "deployment": "gen_ai.request.model",
    "model": "gen_ai.response.model",
    "input_tokens": "gen_ai.usage.input_tokens gen_ai.usage.prompt_tokens",
    "cached_input_tokens": "gen_ai.usage.cache_read.input_tokens gen_ai.usage.cached_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_write.input_tokens gen_ai.usage.cache_creation.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens gen_ai.usage.completion_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "max_tokens": "gen_ai.request.max_tokens",
}
AZURE_TRACE = {"timestamp": "TIMESTAMP", "input_tokens": "ContextTokens", "output_tokens": "GeneratedTokens"}
LENGTHS = {"timestamp": "timestamp", "input_tokens": "input_length", "output_tokens": "output_length"}
OPENAI_CHAT = {
    "timestamp": "created",
    "model": "model",
    "input_tokens": "usage/prompt_tokens",
    "cached_input_tokens": "usage/prompt_tokens_details/cached_tokens",
    "cache_write_tokens": "usage/prompt_tokens_details/cache_write_tokens",
    "output_tokens": "usage/completion_tokens",
    "reasoning_tokens": "usage/completion_tokens_details/reasoning_tokens",
    "total_tokens": "usage/total_tokens",
    "request_id": "id",
}
APIM = {
    "timestamp": "TimeGenerated",
    "deployment": "DeploymentName",
    "model": "ModelName",
    "input_tokens": "PromptTokens",
    "output_tokens": "CompletionTokens",
    "total_tokens": "TotalTokens",
    "request_id": "CorrelationId",
}
LITELLM = {
    "timestamp": "startTime",
    "deployment": "model",
    "model": "model_group",
    "input_tokens": "prompt_tokens",
    "cached_input_tokens": "metadata//usage_object/prompt_tokens_details/cached_tokens"
    " metadata//additional_usage_values/cache_read_input_tokens",
    "output_tokens": "completion_tokens",
    "reasoning_tokens": "metadata//usage_object/completion_tokens_details/reasoning_tokens",
    "total_tokens": "total_tokens",
    "status": "metadata//error_information/error_code status",
    "duration": "request_duration_ms",
    "request_id": "request_id",
    "spilled": "metadata//azure_spillover",
}
LANGFUSE = {
    "input_tokens": "usage_details//input",
    "cached_input_tokens": "usage_details//input_cached_tokens usage_details//cache_read_input_tokens",
    "output_tokens": "usage_details//output",
    "reasoning_tokens": "usage_details//output_reasoning_tokens usage_details//reasoning_tokens",
    "total_tokens": "usage_details//total",
    "max_tokens": "model_parameters//max_tokens model_parameters//max_completion_tokens"
    " model_parameters//max_output_tokens",
    "duration": "latency",
    "request_id": "id",
}
BODY = "properties//backendResponseBody//"


def under(key, fields):
    """The same fields, each of them below a key."""
    return {field: " ".join(key + path for path in paths.split()) for field, paths in fields.items()}


def spelled(fields, old, new):
    return {field: paths.replace(old, new) for field, paths in fields.items()}


OURS = {
    "anthropic_messages_usage.jsonl": (
        "anthropic-usage",
        {
            "timestamp": "timestamp",
            "deployment": "deployment deployment_name",
            "model": "model",
            "input_tokens": "usage/input_tokens",
            "cached_input_tokens": "usage/cache_read_input_tokens",
            "cache_write_tokens": "usage/cache_creation_input_tokens",
            "output_tokens": "usage/output_tokens",
            "max_tokens": "max_tokens request/max_tokens",
            "status": "status_code status",
            "request_id": "request_id id",
        },
    ),
    "app_log_wrapped_usage.jsonl": (
        "generic",
        {
            "timestamp": "ts",
            "deployment": "deployment",
            "input_tokens": "usage/prompt_tokens",
            "cached_input_tokens": "usage/prompt_tokens_details/cached_tokens",
            "output_tokens": "usage/completion_tokens",
            "total_tokens": "usage/total_tokens",
            "max_tokens": "request/max_tokens",
            "status": "status",
            "duration": "latency_ms",
        },
    ),
    "appinsights_customMetrics_emit_token_metric.csv": (
        "appinsights-token-metric",
        {
            "timestamp": ["timestamp [UTC]"],
            "metric": "name",
            "value": "valueSum",
            "calls": "valueCount",
            "deployment": [
                "customDimensions//Deployment",
                "customDimensions//Deployment Name",
                "customDimensions//Deployment ID",
                "customDimensions//ModelDeploymentName",
            ],
            "model": ["customDimensions//Model", "customDimensions//Model Name"],
        },
    ),
    "appinsights_dependencies_genai.csv": (
        "appinsights-genai-spans",
        {
            "timestamp": ["timestamp [UTC]"],
            **under("customDimensions//", OTEL),
            "status": "resultCode",
            "duration": "duration",
            "request_id": "id",
        },
    ),
    "azure_batch_output.jsonl": (
        "openai-batch-output",
        {
            "timestamp": "response/body/created",
            "model": "response/body/model",
            "input_tokens": "response/body/usage/prompt_tokens",
            "cached_input_tokens": "response/body/usage/prompt_tokens_details/cached_tokens",
            "output_tokens": "response/body/usage/completion_tokens",
            "reasoning_tokens": "response/body/usage/completion_tokens_details/reasoning_tokens",
            "total_tokens": "response/body/usage/total_tokens",
            "status": "response/status_code",
            "request_id": "custom_id",
        },
    ),
    "azure_monitor_metrics_list_pt1m.json": ("azure-monitor-metrics-json", {}),
    "azure_openai_benchmark.jsonl": (
        "aoai-benchmark",
        {
            "timestamp": "timestamp",
            "requests": "rpm",
            "input_tokens": "tpm/context",
            "output_tokens": "tpm/gen",
            "utilisation_pct": "util/avg",
        },
    ),
    "azurediagnostics_azureopenairequestusage_UNVERIFIED.jsonl": (
        "aoai-requestusage",
        {
            "timestamp": "TimeGenerated",
            "deployment": "properties_s//modelDeploymentName",
            "model": "properties_s//modelName",
            "input_tokens": "properties_s//promptTokens",
            "output_tokens": "properties_s//generatedTokens properties_s//completionTokens",
        },
    ),
    "helicone_export.csv": (
        "helicone",
        {
            "timestamp": "request_created_at",
            "model": "model",
            "deployment": "request_body//model",
            "input_tokens": "prompt_tokens",
            "output_tokens": "completion_tokens",
            "max_tokens": "request_body//max_tokens",
            "status": "response_status",
            "duration": "latency",
            "request_id": "response_id",
        },
    ),
    "kql_per_minute_tokens.csv": (
        "kql-minutes",
        {
            "timestamp": ["TimeGenerated [UTC]"],
            "deployment": "DeploymentName",
            "requests": "Requests",
            "input_tokens": "PromptTokens",
            "output_tokens": "CompletionTokens",
        },
    ),
    "langfuse_api_observations_v2.json": (
        "langfuse",
        {
            "timestamp": "startTime",
            "model": "model",
            **spelled(spelled(LANGFUSE, "usage_details", "usageDetails"), "model_parameters", "modelParameters"),
        },
    ),
    "langfuse_blob_observations_v2.jsonl": (
        "langfuse",
        {"timestamp": "start_time", "model": "provided_model_name", **LANGFUSE},
    ),
    "litellm_spend_logs_api.json": ("litellm-spendlogs", LITELLM),
    "litellm_spendlogs.csv": ("litellm-spendlogs", LITELLM),
    "loganalytics_cli_query.json": ("apim-llm-log", {**APIM, "status": "ResponseCode", "duration": "TotalTime"}),
    "loganalytics_portal_export_ApiManagementGatewayLlmLog.csv": (
        "apim-llm-log",
        {**APIM, "timestamp": ["TimeGenerated [UTC]"]},
    ),
    "loganalytics_portal_export_AzureMetrics.csv": (
        "azure-metrics-table",
        {
            "timestamp": ["TimeGenerated [UTC]"],
            "metric": "MetricName",
            "value": "Total",
            "grain": "TimeGrain",
            "account": "Resource",
        },
    ),
    "loganalytics_rest_tables.json": (
        "kql-requests",
        {
            "timestamp": "TimeGenerated",
            "deployment": "DeploymentName",
            "model": "ModelName",
            "input_tokens": "PromptTokens",
            "output_tokens": "CompletionTokens",
            "total_tokens": "TotalTokens",
            "status": "ResponseCode",
            "duration": "TotalTime",
        },
    ),
    "openai_chat_completions_model_dump.jsonl": ("openai-chat", OPENAI_CHAT),
    "openai_responses_model_dump.jsonl": (
        "openai-responses",
        {
            "timestamp": "created_at",
            "model": "model",
            "input_tokens": "usage/input_tokens",
            "cached_input_tokens": "usage/input_tokens_details/cached_tokens",
            "cache_write_tokens": "usage/input_tokens_details/cache_write_tokens",
            "output_tokens": "usage/output_tokens",
            "reasoning_tokens": "usage/output_tokens_details/reasoning_tokens",
            "total_tokens": "usage/total_tokens",
            "max_tokens": "max_output_tokens",
            "request_id": "id",
        },
    ),
    "openai_usage_api_completions.json": ("openai-usage-api", {}),
    "openai_usage_dashboard_completions.csv": (
        "openai-usage-csv",
        {
            "timestamp": "start_time",
            "bucket_end": "end_time",
            "model": "model",
            "requests": "num_model_requests",
            "input_tokens": "input_tokens",
            "cached_input_tokens": "input_cached_tokens",
            "output_tokens": "output_tokens",
        },
    ),
    "otlp_traces_genai.json": (
        "otlp-json",
        {
            "timestamp": "startTimeUnixNano",
            "ended": "endTimeUnixNano",
            **under("attributes/", OTEL),
            "input_tokens": "attributes/gen_ai.usage.input_tokens attributes/gen_ai.usage.prompt_tokens"
            " attributes/llm.token_count.prompt",
            "cached_input_tokens": "attributes/gen_ai.usage.cache_read.input_tokens"
            " attributes/gen_ai.usage.cached_tokens attributes/llm.token_count.prompt_details.cache_read",
            "output_tokens": "attributes/gen_ai.usage.output_tokens attributes/gen_ai.usage.completion_tokens"
            " attributes/llm.token_count.completion",
            "status": "attributes/http.response.status_code attributes/http.status_code attributes/error.type",
            "request_id": "spanId",
        },
    ),
    "portkey_export.jsonl": (
        "portkey",
        {
            "timestamp": "created_at",
            "model": "ai_model",
            "deployment": "request//model",
            "input_tokens": "req_units",
            "cached_input_tokens": "response//usage/prompt_tokens_details/cached_tokens",
            "output_tokens": "res_units",
            "reasoning_tokens": "response//usage/completion_tokens_details/reasoning_tokens",
            "total_tokens": "total_units",
            "max_tokens": "request//max_tokens",
            "status": "response_status_code",
            "duration": "response_time",
            "request_id": "id",
        },
    ),
    "canonical/buckets.csv": (
        "ptucalc-buckets",
        {
            field: field
            for field in [
                "timestamp",
                "bucket_seconds",
                "deployment",
                "model",
                "requests",
                "input_tokens",
                "cached_input_tokens",
                "output_tokens",
                "throttled_requests",
            ]
        },
    ),
    "canonical/requests.csv": (
        "ptucalc-requests",
        {
            "duration": "duration_ms",
            **{
                field: field
                for field in [
                    "timestamp",
                    "deployment",
                    "model",
                    "input_tokens",
                    "cached_input_tokens",
                    "output_tokens",
                    "max_tokens",
                    "status",
                    "request_id",
                ]
            },
        },
    ),
}

THEIRS = {
    "samples/apim_gatewaylogs_body_AUTHENTIC_trimmed.jsonl": (
        "apim-gateway-body",
        {
            "timestamp": "time",
            "deployment": "properties//backendUrl",
            "model": BODY + "model",
            "input_tokens": BODY + "usage/prompt_tokens",
            "cached_input_tokens": BODY + "usage/prompt_tokens_details/cached_tokens",
            "output_tokens": BODY + "usage/completion_tokens",
            "reasoning_tokens": BODY + "usage/completion_tokens_details/reasoning_tokens",
            "total_tokens": BODY + "usage/total_tokens",
            "status": "properties//backendResponseCode",
            "duration": "durationMs",
            "request_id": "correlationId",
        },
    ),
    "samples/azure_monitor_metrics_rest_AUTHENTIC.json": ("azure-monitor-metrics-json", {}),
    "samples/openai_chat_completion_response_AUTHENTIC.jsonl": ("openai-chat", OPENAI_CHAT),
    "samples/otel_flat_spans_inferenceperf_AUTHENTIC.json": (
        "otel-flat-spans",
        {"timestamp": "start_time", **under("attributes/", OTEL), "request_id": "span_id"},
    ),
    **{
        f"trace_heads/{name}.csv": ("azure-llm-trace", AZURE_TRACE)
        for name in (
            "azure2023_code_head",
            "azure2023_conv_head",
            "azure2024_code_notebook_rows",
            "azure2024_conv_notebook_rows",
            "azure_lmm2024_notebook_rows",
            "inferenceperf_sample_trace",
        )
    },
    "trace_heads/burstgpt_1_first_rows.csv": (
        "burstgpt",
        {
            "timestamp": "Timestamp",
            "model": "Model",
            "input_tokens": ["Request tokens"],
            "output_tokens": ["Response tokens"],
            "total_tokens": ["Total tokens"],
        },
    ),
    "trace_heads/burstgpt_3_first_rows.csv": (
        "burstgpt",
        {
            "timestamp": "Timestamp",
            "model": "Model",
            "input_tokens": ["Request tokens"],
            "output_tokens": ["Response tokens"],
            "total_tokens": ["Total tokens"],
            "request_id": ["Session ID"],
            "duration": ["Elapsed time"],
        },
    ),
    "trace_heads/llmservingsim_vllm_requests_head.jsonl": (
        "llmservingsim",
        {
            "timestamp": "arrival_time",
            "input_tokens": "input_toks",
            "output_tokens": "output_toks",
            "request_id": "request_id",
        },
    ),
    "trace_heads/mooncake_conversation_head.jsonl": ("mooncake", LENGTHS),
    "trace_heads/qwen_bailian_sample.jsonl": ("bailian", {**LENGTHS, "request_id": "chat_id"}),
    "trace_heads/ragpulse_head.jsonl": ("ragpulse", {**LENGTHS, "request_id": "session_id"}),
    "trace_heads/tracelab_round_trace_head.jsonl": (
        "tracelab",
        {
            "timestamp": "timing_events/0/timestamp",
            "input_tokens": "input_tokens_total",
            "cached_input_tokens": "prefix_tokens",
            "output_tokens": "output_tokens",
            "reasoning_tokens": "reasoning_output_tokens",
            "model": "model",
            "request_id": "round_id",
        },
    ),
    "trace_heads/vidur_splitwise_conv_head.csv": (
        "vidur",
        {"timestamp": "arrived_at", "input_tokens": "num_prefill_tokens", "output_tokens": "num_decode_tokens"},
    ),
    "trace_heads/weka_claude_code_trace_0026.json": (
        "weka-cc",
        {"timestamp": "t", "input_tokens": "in", "output_tokens": "out", "model": "model", "duration": "api_time"},
    ),
}

REFUSED = {
    "samples/azurediagnostics_requestresponse_AUTHENTIC.jsonl": "these lengths are bytes",
    "trace_heads/servegen_client_shapes_head.csv": "this is a workload file: ptucalc size FILE",
    "trace_heads/servegen_m-small_chunk-12-trace_head.csv": "here are arrival rates only",
}

PORTAL = "azure_portal_metrics_excel_saved_as_csv_UNVERIFIED.csv"


def table(path):
    with path.open(encoding="utf-8", newline="") as stream:  # not utf-8-sig: the mark is the reader's to see
        return list(csv.reader(stream))


def first_records(path):
    """(records, headings) of a file, as an engine has them."""
    if path.suffix == ".csv":
        headings, *rows = table(path)
        return [dict(zip(headings, row, strict=True)) for row in rows[:50]], headings
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines()][:50], None
    return records_of(json.loads(text), BOOK)[:50], None


def recognise(path, **given):
    records, headings = first_records(path)
    return BOOK.recognise(records, headings=headings, given=given)


def place(text, *, in_table):
    first, *steps = [tuple(step.split("/")) for step in text.split("//")]
    if in_table:
        assert len(first) == 1
        return Place(first[0], tuple(steps))
    return Place(LINE, (first, *steps))


def expected_places(fields, *, in_table):
    return {
        field: tuple(
            place(path, in_table=in_table) for path in (paths if isinstance(paths, list) else paths.split(" "))
        )
        for field, paths in fields.items()
    }


def checked(path, format_id, fields):
    found = recognise(path)
    assert found.format.id == format_id
    assert found.generic == (format_id == "generic")
    in_table = path.suffix == ".csv"
    places = {
        field: tuple(where._replace(column=where.column.removeprefix("\ufeff")) for where in places)
        for field, places in found.places.items()
    }
    assert places == expected_places(fields, in_table=in_table)


# Every sample


@pytest.mark.parametrize("name", OURS)
def test_a_sample_is_recognised_with_every_value_in_its_place(name):
    checked(LOGS / name, *OURS[name])


@pytest.mark.parametrize("name", THEIRS)
def test_a_real_file_is_recognised_with_every_value_in_its_place(name):
    if not (SHARED / name).exists():
        pytest.skip("../shared is not here")
    checked(SHARED / name, *THEIRS[name])


@pytest.mark.parametrize("name", REFUSED)
def test_a_real_file_that_tells_no_tokens_is_refused(name):
    if not (SHARED / name).exists():
        pytest.skip("../shared is not here")
    with pytest.raises(BadInput, match=REFUSED[name]):
        recognise(SHARED / name)


def test_no_sample_is_left_out():
    here = {str(path.relative_to(LOGS)) for path in LOGS.rglob("*") if path.is_file()}
    assert here == {*OURS, PORTAL, "canonical/shapes.csv"}
    if SHARED.exists():
        there = {f"{path.parent.name}/{path.name}" for path in SHARED.glob("*/*") if path.suffix != ".md"}
        ours = {name if "/" in name else f"samples/{name}" for name in here}
        assert there == {*ours, *THEIRS, *REFUSED}


def test_what_is_shared_is_what_is_copied():
    for path in LOGS.rglob("*.*"):
        shared = SHARED / ("canonical" if path.parent != LOGS else "samples") / path.name
        if not shared.exists():
            pytest.skip("../shared is not here")
        assert path.read_bytes() == shared.read_bytes()


def test_no_real_file_is_copied():
    assert not [path for path in LOGS.rglob("*") if "AUTHENTIC" in path.name]


def test_every_format_has_a_sample_or_says_why_not():
    tested = {format_id for format_id, _ in (*OURS.values(), *THEIRS.values())}
    others = {each.id for each in BOOK.formats} - tested
    assert others == {
        "azure-portal-metrics-xlsx",  # by its header row, below
        "aoai-requestresponse",  # refused
        "ptucalc-shapes",  # refused
        "servegen-rates",  # refused
        "summary",  # refused
        "anthropic-usage-flat",  # below
    }


# What a format says of its values


def test_units_are_those_of_the_products():
    units = {each.id: (each.timestamp_unit, each.duration_unit) for each in BOOK.formats}
    assert units["mooncake"] == ("ms_relative", None)
    assert units["burstgpt"] == units["weka-cc"] == ("s_relative", "s")
    assert {units[each] for each in ("bailian", "ragpulse", "vidur")} == {("s_relative", None)}
    assert units["langfuse"] == (None, "s")
    assert units["otlp-json"] == ("ns", "ms")
    milliseconds = ("litellm-spendlogs", "helicone", "portkey", "appinsights-genai-spans", "apim-gateway-body")
    assert {units[each] for each in milliseconds} == {(None, "ms")}
    assert units["azure-llm-trace"] == units["llmservingsim"] == (None, None)


def test_only_these_formats_count_cached_tokens_beside_the_input():
    excluding = {each.id for each in BOOK.formats if each.input_excludes_cached}
    assert excluding == {"langfuse", "anthropic-usage", "anthropic-usage-flat"}
    written = {each.id for each in BOOK.formats if each.input_excludes_cache_write}
    assert written == {"anthropic-usage", "anthropic-usage-flat"}
    assert {each.id for each in BOOK.formats if each.output_excludes_reasoning} == {"langfuse"}


def test_ids_of_sessions_traces_and_chats_are_not_those_of_calls():
    shared = {each.id for each in BOOK.formats if "request_id" in each.map and not each.unique_id}
    assert shared == {"burstgpt", "bailian", "ragpulse", "openai-batch-output"}


def test_layouts_that_nobody_confirms_say_so():
    assert {each.id for each in BOOK.formats if not each.verified} == {"aoai-requestusage", "azure-portal-metrics-xlsx"}


def test_a_burstgpt_call_without_output_failed():
    assert {each.id: dict(each.failed_when) for each in BOOK.formats if each.failed_when} == {
        "burstgpt": {"output_tokens": 0}
    }


def test_batch_output_warns_that_it_is_no_ptu_traffic():
    assert "does not run on PTU" in recognise(LOGS / "azure_batch_output.jsonl").format.warning


def test_rows_that_are_no_calls_are_told_by_a_value():
    spans = recognise(LOGS / "appinsights_dependencies_genai.csv").keep_rows
    operation = place("customDimensions//gen_ai.operation.name", in_table=True)
    assert [(rule.places, rule.values, rule.absent) for rule in spans] == [
        ((operation,), ("chat", "text_completion", "generate_content", "embeddings"), True)
    ]
    observations = recognise(LOGS / "langfuse_blob_observations_v2.jsonl").keep_rows
    assert [(rule.places, rule.values, rule.absent) for rule in observations] == [
        ((place("type", in_table=False),), ("GENERATION",), False)
    ]


def test_rows_that_repeat_a_call_or_never_left_the_gateway_are_dropped():
    (chunks,) = recognise(LOGS / "loganalytics_portal_export_ApiManagementGatewayLlmLog.csv").drop_rows
    assert chunks == ((Place("PromptTokens"),), (), True, "message_chunk")
    (cached,) = recognise(LOGS / "litellm_spendlogs.csv").drop_rows
    assert cached == ((Place("cache_hit"),), ("true", "1"), False, "served_by_the_gateway_cache")


def test_litellm_names_azure_deployments_with_a_prefix():
    assert recognise(LOGS / "litellm_spendlogs.csv").format.strip_prefix == "azure/"


@pytest.mark.parametrize("rest", ["/chat/completions?api-version=1", "?api-version=1", ""])
def test_a_deployment_is_taken_out_of_a_url(rest):
    (pattern,) = {each.pattern for each in BOOK.formats if each.pattern}
    found = re.search(pattern, f"https://x.openai.azure.com/openai/deployments/gpt-chat-pilot{rest}")
    assert found and found[1] == "gpt-chat-pilot"


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("kql_per_minute_tokens.csv", "UTC"),
        ("appinsights_dependencies_genai.csv", "UTC"),
        ("loganalytics_cli_query.json", ""),
        ("canonical/requests.csv", ""),
    ],
)
def test_the_zone_is_the_one_that_the_heading_names(name, tag):
    assert recognise(LOGS / name).time_tag == tag


def test_local_time_is_known_to_be_unknown():
    headings = ["TimeGenerated [Local Time]", "PromptTokens", "CompletionTokens"]
    assert BOOK.recognise([], headings=headings, given={}).time_tag == "local"


def test_what_is_not_read_is_listed():
    found = recognise(LOGS / "loganalytics_portal_export_ApiManagementGatewayLlmLog.csv")
    assert found.unused == ("SequenceNumber", "ApiVersion", "OperationName", "IsStreamCompletion", "Region")
    found = recognise(LOGS / "openai_responses_model_dump.jsonl")
    assert found.unused == ("object", "status")


# Which format it is


def columns(*headings, rows=(), **given):
    return BOOK.recognise([dict(zip(headings, row, strict=True)) for row in rows], headings=headings, given=given)


def lines(*records, **given):
    return BOOK.recognise(records, headings=None, given=given)


def test_a_table_without_rows_is_told_by_its_headings():
    assert columns("TIMESTAMP", "ContextTokens", "GeneratedTokens").format.id == "azure-llm-trace"


def test_a_byte_order_mark_hides_no_heading():
    found = columns("\ufefftimestamp", "input_tokens", "output_tokens")
    assert found.places["timestamp"] == (Place("\ufefftimestamp"),)


def test_headings_in_dots_are_keys_already_flattened():
    found = columns("object", "created", "usage.prompt_tokens", "usage.completion_tokens")
    assert found.format.id == "openai-chat"
    assert found.places["input_tokens"] == (Place("usage.prompt_tokens"),)
    assert "cached_input_tokens" not in found.places  # a heading that is not there will not come


def test_traces_with_the_same_lengths_differ_by_their_ids():
    lengths = {"timestamp": 0, "input_length": 5, "output_length": 2}
    assert lines({**lengths, "hash_ids": [1, 2]}).format.id == "mooncake"
    assert lines({**lengths, "hash_ids": [1], "chat_id": 1, "parent_chat_id": -1}).format.id == "bailian"
    assert lines({**lengths, "hash_ids": {"sys_prompt": [1]}, "session_id": "s"}).format.id == "ragpulse"
    assert lines(lengths).generic


def test_the_key_of_a_list_is_a_name_even_where_the_list_is_empty():
    assert lines({"timestamp": 0, "input_length": 5, "output_length": 2, "hash_ids": []}).format.id == "mooncake"


def test_a_stream_of_chunks_is_chat_though_only_its_last_has_usage():
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": None}
    found = lines(chunk, chunk)
    assert found.format.id == "openai-chat"
    assert found.places["input_tokens"] == (Place(LINE, (("usage", "prompt_tokens"),)),)
    assert [(rule.places, rule.absent, rule.reason) for rule in found.drop_rows] == [
        ((Place(LINE, (("usage", "total_tokens"),)),), True, "stream_chunk")
    ]


def test_keys_of_cache_reads_beside_the_input_say_that_it_excludes_them():
    flat = {"timestamp": 1, "input_tokens": 262, "output_tokens": 284}
    assert lines({**flat, "cache_read_input_tokens": 2048}).format.id == "anthropic-usage-flat"
    assert lines({**flat, "cache_creation_input_tokens": 5}).format.input_excludes_cached
    assert lines({**flat, "cached_input_tokens": 100}).format.id == "ptucalc-requests"


def test_sums_of_bins_are_buckets_though_no_column_gives_their_length():
    assert columns("timestamp", "requests", "input_tokens", "output_tokens").format.kind == "buckets"
    assert columns("when", "ts", "calls", "prompt_tokens", "completion_tokens").format.kind == "buckets"
    assert columns("timestamp", "input_tokens", "output_tokens").format.kind == "requests"


def test_apim_rows_joined_with_their_status_are_calls():
    headings = (
        "TimeGenerated CorrelationId DeploymentName ModelName PromptTokens CompletionTokens ResponseCode TotalTime"
    )
    found = columns(*headings.split())
    assert found.format.id == "apim-llm-log"
    assert (found.places["status"], found.places["duration"]) == ((Place("ResponseCode"),), (Place("TotalTime"),))


def test_spans_in_a_workspace_have_their_attributes_in_properties():
    row = ("2026-11-02T09:00:00Z", '{"gen_ai.request.model": "m"}', "200")
    found = columns("TimeGenerated", "Properties", "ResultCode", rows=[row])
    assert found.format.id == "appinsights-genai-spans"
    assert found.places["output_tokens"][0] == place("Properties//gen_ai.usage.output_tokens", in_table=True)


def test_gateway_bodies_in_a_table_are_json_in_a_cell():
    row = ("2026-11-02T09:00:00Z", '{"usage": {"prompt_tokens": 1}}', "a")
    found = columns("TimeGenerated", "BackendResponseBody", "CorrelationId", rows=[row])
    assert found.format.id == "apim-gateway-body"
    assert found.places["output_tokens"] == (place("BackendResponseBody//usage/completion_tokens", in_table=True),)


# Where values stand


def test_cached_tokens_that_come_late_have_a_place_from_the_start():
    found = lines({"object": "o", "created": 1, "usage": {"prompt_tokens": 1, "completion_tokens": 2}})
    assert found.places["cached_input_tokens"] == (Place(LINE, (("usage", "prompt_tokens_details", "cached_tokens"),)),)


def test_cached_tokens_that_come_late_have_a_place_where_no_format_matches():
    found = lines(
        {"ts": 1, "llm": {"prompt_tokens": 1, "completion_tokens": 2}},
        input_tokens="llm.prompt_tokens",
        output_tokens="llm.completion_tokens",
    )
    late = {str(where) for where in found.places["cached_input_tokens"]}
    assert "cached_tokens" in late
    found = lines({"ts": 1, "usage": {"prompt_tokens": 1, "completion_tokens": 2}})
    late = {str(where) for where in found.places["cached_input_tokens"]}
    assert {"usage.cached_tokens", "usage.prompt_tokens_details.cached_tokens", "cached_tokens"} <= late
    assert {str(where) for where in found.places["status"]} >= {"status", "status_code"}


def test_an_object_that_may_be_text_is_stepped_into_either_way():
    body = {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}
    for properties in ({"backendResponseBody": json.dumps(body)}, {"backendResponseBody": body}):
        for found in (properties, json.dumps(properties)):
            seen = lines({"category": "GatewayLogs", "time": "t", "properties": found})
            assert seen.places["input_tokens"] == (place(BODY + "usage/prompt_tokens", in_table=False),)


def test_json_as_text_that_no_format_declares_is_found():
    record = {"ts": 1, "body": json.dumps({"usage": {"prompt_tokens": 1, "completion_tokens": 2}})}
    found = lines(record, input_tokens="body.usage.prompt_tokens", output_tokens="body.usage.completion_tokens")
    assert found.places["input_tokens"] == (place("body//usage/prompt_tokens", in_table=False),)


def test_broken_or_bottomless_json_in_a_cell_is_text():
    deep = '{"a":' * 20_000
    for cell in ("{not json", deep, "[1]"):
        found = columns("timestamp", "input_tokens", "output_tokens", "extra", rows=[("1", "2", "3", cell)])
        assert found.unused == ("extra",)


def test_in_a_table_the_first_alias_wins_and_in_json_each_that_there_is():
    found = columns("created_at", "ts", "prompt_tokens", "completion_tokens")
    assert found.places["timestamp"] == (Place("ts"),)
    found = lines({"ts": 1, "prompt_tokens": 1, "completion_tokens": 1}, {"created_at": 1, "in": 1, "out": 1})
    assert [str(where) for where in found.places["timestamp"]] == ["ts", "created_at"]
    assert [str(where) for where in found.places["input_tokens"]] == ["prompt_tokens", "in"]


def test_ids_told_by_their_names_are_of_calls_unless_they_are_of_traces():
    tokens = {"ts": 1, "prompt_tokens": 1, "completion_tokens": 1}
    assert lines({**tokens, "request_id": "r", "trace_id": "t"}).format.unique_id
    assert [str(p) for p in lines({**tokens, "trace_id": "t", "id": "r"}).places["request_id"]] == ["id"]
    found = lines({**tokens, "trace_id": "t"})
    assert found.places["request_id"] and not found.format.unique_id
    assert not lines(tokens).format.unique_id


@pytest.mark.parametrize(
    ("heading", "unit"), [("duration_ms", "ms"), ("latency_ms", "ms"), ("latency", None), ("elapsed_time", None)]
)
def test_a_duration_has_the_unit_that_its_name_says(heading, unit):
    assert columns("timestamp", "input_tokens", "output_tokens", heading).format.duration_unit == unit


# --map


def test_what_a_user_names_overrules_names():
    found = columns("timestamp", "input_tokens", "billed", "output_tokens", input_tokens="billed")
    assert found.places["input_tokens"] == (Place("billed"),)
    assert found.unused == ("input_tokens",)


def test_a_user_names_keys_with_dots_or_headings_as_written():
    found = lines({"ts": 1, "llm": {"inTok": 1, "outTok": 2}}, input_tokens="llm.inTok", output_tokens="llm.out_tok")
    assert found.places["input_tokens"] == (Place(LINE, (("llm", "inTok"),)),)
    assert found.places["output_tokens"] == (Place(LINE, (("llm", "outTok"),)),)
    assert columns("ts", "In.Tok", "out", input_tokens="In.Tok").places["input_tokens"] == (Place("In.Tok"),)


def test_of_two_headings_of_one_name_the_one_as_written_is_meant():
    found = columns("ts", "Tokens In", "tokens_in", "out", input_tokens="tokens_in")
    assert found.places["input_tokens"] == (Place("tokens_in"),)


def test_a_field_or_a_heading_that_is_not_there_is_named_with_near_ones():
    with pytest.raises(BadInput) as refused:
        columns("ts", "promt", "completion_tokens", inputt_tokens="promt", output_tokens="completion_tokns")
    first, second, third = map(str, refused.value.problems)
    assert first.startswith("--map inputt_tokens=promt: expected a field: input_tokens or ")
    assert first.endswith("?, got inputt_tokens")
    assert second == (
        "--map output_tokens=completion_tokns: expected a column of the file (completion_tokens?); there are: ts, promt, "
        "completion_tokens, got completion_tokns"
    )
    assert third.startswith("input_tokens: expected a column of input tokens")


def test_a_format_without_tokens_can_be_sized_once_its_user_names_them():
    headings = ("name", "ts", "requests_per_minute", "input_tokens", "output_tokens")
    with pytest.raises(BadInput, match="ptucalc size FILE"):
        columns(*headings)
    found = columns(*headings, input_tokens="input_tokens", output_tokens="output_tokens")
    assert found.generic


def test_a_format_that_is_read_whole_takes_no_map():
    with pytest.raises(BadInput, match="its values are where the format says"):
        columns("TimeGenerated", "MetricName", "Total", deployment="MetricName")


def test_requests_named_by_a_user_make_rows_buckets():
    found = columns("timestamp", "input_tokens", "output_tokens", "n", requests="n")
    assert found.format.kind == "buckets"


# Refusals


def refusal(*headings, rows=(), **given):
    with pytest.raises(BadInput) as refused:
        columns(*headings, rows=rows, **given)
    return [str(problem) for problem in refused.value.problems]


def test_six_columns_with_headings_are_no_rates():
    assert columns("ts", "prompt_tokens", "completion_tokens", "a", "b", "c").generic
    assert "here are arrival rates only" in refusal("0", "62.8", "1.03", "Gamma", "0.9", "0.01")[0]
    assert refusal("0", "62.8", "1.03", "Gamma", "0.9")[0].startswith("timestamp")


def test_missing_tokens_are_refused_with_what_there_is_and_what_may_be_meant():
    assert refusal("timestamp", "promptt_tokens", "answer") == [
        "input_tokens: expected a column of input tokens, such as input_tokens or prompt_tokens (promptt_tokens?), or "
        "--map input_tokens=COLUMN; there are: timestamp, promptt_tokens, answer, got no such column",
        "output_tokens: expected a column of output tokens, such as output_tokens or completion_tokens, or "
        "--map output_tokens=COLUMN; there are: timestamp, promptt_tokens, answer, got no such column",
    ]


def test_a_missing_time_is_refused():
    (problem,) = refusal("prompt_tokens", "completion_tokens")
    assert problem.startswith("timestamp: expected a column of time stamps, such as timestamp or time_generated, or")


def test_totals_alone_are_refused():
    problems = refusal("timestamp", "total_tokens")
    assert all("total tokens alone do not say how many are output" in problem for problem in problems)


def test_many_columns_are_listed_in_part_and_without_what_a_terminal_obeys():
    (first, *_) = refusal("timestamp", "\x1b[31mred", *(f"c{number}" for number in range(20)))
    assert "\x1b" not in first and "\\x1b[31mred" in first and "c9 and 10 more" in first


def test_records_without_anything_are_refused():
    with pytest.raises(BadInput, match="got no columns"):
        lines({})


def test_a_workload_file_is_sent_to_size():
    with pytest.raises(BadInput) as refused:
        recognise(LOGS / "canonical" / "shapes.csv")
    assert str(refused.value) == (
        "format: expected a log with a time stamp on each row; this is a workload file: ptucalc size FILE, "
        "got a workload file"
    )


# A pasted summary

PASTED = ("metric", "mean", "p50", "p99", "max")
PASTED_ROWS = [("input tpm", "150,135", "31,000", "34,708", "412,926"), ("output tpm", "0", "0", "0", "0")]


def test_bad_telemetry_is_refused_with_everything_that_is_wrong_with_it():
    assert refusal(*PASTED, rows=PASTED_ROWS) == [
        "format: expected a log of calls or of minutes; a summary has no minutes, and percentiles of input and output do "
        "not add up, got a summary (mean, percentiles)",
        "p99: expected a p99 of input_tpm not below the mean (150,135), got 34,708",
        "output_tokens: expected output tokens: none were counted, so the metric or column asked for was the wrong one, "
        "got 0",
    ]


def test_a_summary_in_one_row_is_the_same_summary():
    headings = ("model", "mean input TPM", "mean output TPM", "p99 input TPM", "max TPM")
    problems = refusal(*headings, rows=[("gpt-4o", "150135", "0", "34708", "412926")])
    assert [problem.split(":")[0] for problem in problems] == ["format", "p99", "output_tokens"]


def test_a_p99_without_a_subject_stands_beside_the_mean_there_is():
    row = {"mean_input_tpm": 150135, "output_tpm": 0, "p99": 34708, "max": 412926}
    assert [problem.field for problem in summary_problems([row])] == ["p99", "output_tokens"]


@pytest.mark.parametrize(("p99", "wrong"), [("99", True), ("100", False), ("101", False)])
def test_a_p99_at_the_mean_is_not_below_it(p99, wrong):
    problems = summary_problems([{"metric": "input", "mean": "100", "p99": p99}])
    assert bool(problems) == wrong


def test_a_sound_summary_is_refused_for_having_no_minutes_alone():
    rows = [("input tpm", "100", "90", "300", "400"), ("output tpm", "10", "9", "30", "40")]
    assert len(refusal(*PASTED, rows=rows)) == 1


def test_a_p99_9_is_no_p99():
    assert not summary_problems([{"metric": "input", "mean": 100, "p99_9": 5}])


def test_one_output_over_0_is_output():
    assert not summary_problems([{"output mean": 0, "output max": 3}])
    assert not summary_problems([{"input mean": 0}])


def test_statistics_beside_a_time_are_no_summary():
    problems = refusal("timestamp", "mean", "p99")
    assert problems[0].startswith("input_tokens")


# The header row of a portal's export


def test_a_header_row_stands_below_what_the_export_is_about():
    found = BOOK.header_row(table(LOGS / PORTAL))
    assert found is not None
    assert (found[0], found[1].id) == (5, "azure-portal-metrics-xlsx")


@pytest.mark.parametrize("name", [name for name in OURS if name.endswith(".csv")])
def test_no_other_table_has_such_a_header_row(name):
    assert BOOK.header_row(table(LOGS / name)) is None


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (["Time", "Processed Prompt Tokens (Sum)"], True),
        (["Timestamp (UTC)", "Input Tokens (Sum), a"], True),
        (["Date", "Generated Completion Tokens"], True),
        (["timestamp", "Input Tokens", "Output Tokens"], False),
        (["timestamp", "Latency (Sum)"], False),
        (["started", "Processed Prompt Tokens (Sum)"], False),
        (["Timestamp"], False),
    ],
)
def test_a_first_row_is_such_a_header_where_its_columns_can_only_be_metrics(header, found):
    assert (BOOK.header_row([header]) is not None) == found


def test_a_header_row_is_looked_for_in_the_first_20_rows():
    header = ["Timestamp", "Processed Prompt Tokens (Sum)"]
    assert BOOK.header_row([["about"]] * 19 + [header]) is not None
    assert BOOK.header_row([["about"]] * 20 + [header]) is None


# Metrics


@pytest.mark.parametrize(
    ("metric", "measure"),
    [
        ("GeneratedTokens", "output_tokens"),
        ("Generated Completion Tokens", "output_tokens"),
        ("generatedcompletiontokens", "output_tokens"),
        ("ProcessedPromptTokens", "input_tokens"),
        ("TokenTransaction", "total_tokens"),
        ("Provisioned-managed Utilization V2", "utilisation_pct"),
        ("ProcessedCompletionTokens", None),
        ("Latency", None),
    ],
)
def test_metrics_are_compared_without_spaces_and_case(metric, measure):
    assert BOOK.measure_of(metric) == measure


def test_the_metric_of_output_tokens_is_named_as_the_api_does():
    assert BOOK.metrics["output_tokens"][0] == "GeneratedTokens"
    assert BOOK.is_unknown_metric("ProcessedCompletionTokens")
    assert not BOOK.is_unknown_metric("GeneratedTokens")


# Names and places


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("PromptTokens", "prompt_tokens"),
        ("AzureOpenAIRequests", "azure_open_ai_requests"),
        ("TIMESTAMP", "timestamp"),
        ("operation_Id", "operation_id"),
        ("gen_ai.usage.cache_read.input_tokens", "gen_ai_usage_cache_read_input_tokens"),
        (' "Request tokens" ', "request_tokens"),
        ("\ufefftimestamp [UTC]", "timestamp"),
        ("time [Local Time]", "time"),
        ("tokens [in]", "tokens_in"),
        ("Cache rate (%)", "cache_rate"),
        ("Länge", "länge"),
        ("---", ""),
    ],
)
def test_names_are_compared_in_one_spelling(name, normal):
    assert normalise(name) == normal


@pytest.mark.parametrize(
    ("heading", "tag"),
    [("t [UTC]", "UTC"), ("t [gmt]", "UTC"), ("t [Local Time]", "local"), ("t [UTC+02:00]", "local"), ("t [x]", "")],
)
def test_a_zone_in_brackets_is_remembered(heading, tag):
    assert time_tag(heading) == tag


@assuming(st.text(max_size=30))
def test_a_normalised_name_stays_as_it_is(name):
    assert normalise(normalise(name)) == normalise(name)


values = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abAB.", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@assuming(st.dictionaries(st.text("abAB.", min_size=1, max_size=3), values, min_size=1, max_size=4))
def test_every_place_leads_to_a_value_that_its_record_has(record):
    shape = Shape.of([record], headings=None, parse_json=BOOK.parse_json)
    for name in shape.names:
        for where in shape.of_name(name):
            value = record
            for key in (key for step in where.steps for key in step):
                value = value[int(key)] if isinstance(value, list) else value[key]


def test_what_is_looked_at_is_bounded():
    wide = {f"k{number}": number for number in range(10_000)}
    assert len(Shape.of([wide], headings=None, parse_json=json.loads).names) == 5_000
    deep: dict[str, object] = {}
    for _ in range(100):
        deep = {"k": deep, "x": 1}
    assert (
        max(len(raw) for ways in Shape.of([deep], headings=None, parse_json=json.loads).names.values() for raw in ways)
        <= 13
    )


@pytest.mark.parametrize("text", ["", "a//", "/a", "a///b", "a/ /b"])
def test_a_way_without_keys_is_none(text):
    with pytest.raises(ValueError, match="keys separated by"):
        KeyPath.of(text)


# The file


def test_every_format_says_where_its_layout_is_known_from():
    assert all(each.source and each.title for each in BOOK.formats)
    assert len({each.id for each in BOOK.formats}) == len(BOOK.formats)


def test_the_file_and_its_plain_data_are_one_book():
    plain = read_format_data(find_bundled(BUNDLED_FORMATS))
    book = build_formats(plain)
    assert isinstance(book, FormatBook)
    assert book.formats == BOOK.formats
    assert eval(repr(plain), {"__builtins__": {}}) == plain  # noqa: S307 - it is compiled into the wheel as literals


@pytest.fixture
def broken(tmp_path):
    def read(old, new):
        text = find_bundled(BUNDLED_FORMATS).read_text(encoding="utf-8")
        assert text.count(old) >= 1
        path = tmp_path / "formats.yaml"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(BadCatalog) as refused:
            read_format_data(path)
        problems = refused.value.problems
        assert all(isinstance(problem, Problem) and problem.source == "formats.yaml" for problem in problems)
        return str(refused.value)

    return read


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("kind: requests", "kind: request", "'requests', 'buckets'"),
        ("    title: Azure LLM inference trace\n", "", "a value for title"),
        ("    source: Azure/AzurePublicDataset", "    sauce: Azure/AzurePublicDataset", "a key that a format file has"),
        ("id: burstgpt", "id: azure-llm-trace", "each id once (twice: azure-llm-trace)"),
        ("map: {timestamp: TIMESTAMP, input", "map: {time: TIMESTAMP, input", "one of timestamp, deployment"),
        ("map: {timestamp: TIMESTAMP, ", "map: {", "a map with timestamp"),
        ("map: {timestamp: TIMESTAMP, ", "map: {timestamp: TIMESTAMP, metric: x, ", "a reader that asks for others"),
        ("map: {timestamp: TIMESTAMP, ", "map: {timestamp: a///b, ", 'keys separated by "/"'),
        ("map: generic", "map: everything", "a mapping of fields to paths, or generic"),
        ("reader: otlp", "reader: otpl", "one of azure_monitor"),
        ("units: {timestamp: s_relative, duration: s}", "units: {timestamp: s_relative, duration: h}", "'s' or 'ms'"),
        ("unique_id: true", "unique_id: yes", "true or false"),
        ("failed_when: {output_tokens: 0}", "failed_when: {output_tokens: none}", "a whole number, 0 or more"),
        ("pattern: '/deployments/([^/?]+)'", "pattern: '/deployments/(['", "a regular expression"),
        ("values: [GENERATION], ", "", "values, absent: true, or both"),
        ("all: [TIMESTAMP, ContextTokens, GeneratedTokens]", "all: []", "a list"),
        ("all: [TIMESTAMP, ContextTokens, GeneratedTokens]", "any: [TIMESTAMP]", "one way to tell it"),
        ("    hint: a log with token counts (these", "    notes: a log with token counts (these", "a hint where"),
        ("header_row: '^", "headers: '^", "a key that a format file has"),
        ("shared_ids: [trace_id", "shared_ids: [traceId", "a normalised name"),
        ("schema: ptucalc.formats/1", "schema: ptucalc.formats/2", "ptucalc.formats/1"),
        (
            "  input_tokens: [input_tokens, prompt",
            "  input_token: [input_tokens, prompt",
            "one of timestamp, deployment",
        ),
    ],
)
def test_a_wrong_entry_is_named(broken, old, new, expected):
    assert expected in broken(old, new)


def test_formats_are_no_if_statements():
    import ptucalc

    package = Path(ptucalc.__file__).parent
    ids = {each.id for each in BOOK.formats} - {"summary"}  # a kind is called so too
    files = [*package.glob("log_*.py"), *(package / "read").glob("log_*.py")]
    assert files
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                words = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
                assert not words & ids, f"{path.name}:{node.lineno}"
