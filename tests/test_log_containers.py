"""JSON documents taken apart, and metrics, spans and usage reports read into canonical records; what misleads, refused."""

from __future__ import annotations

import copy
import csv
import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc import BadInput
from ptucalc.log_records import Place
from ptucalc.read.log_canonical import missing, number, seconds_of, step_seconds, value_at, whole
from ptucalc.read.log_containers import READERS, read_container, records_of
from ptucalc.read.log_formats import load_formats
from ptucalc.read.log_formats_file import READERS as NAMED_READERS
from ptucalc.request_log import Finding

LOGS = Path(__file__).parent / "samples" / "logs"
SHARED = Path(__file__).parent.parent.parent / "shared" / "formats"
BOOK = load_formats()
INPUT, OUTPUT, TOTAL, ACTIVE = "ProcessedPromptTokens", "GeneratedTokens", "TokenTransaction", "ActiveTokens"
REQUESTS, RATE = "AzureOpenAIRequests", "AzureOpenAIContextTokensCacheMatchRate"
NINE, TEN = "2026-11-02T09:00:00Z", "2026-11-02T09:01:00Z"


def document(name):
    return json.loads((LOGS / name).read_text(encoding="utf-8"))


def table(name):
    with (LOGS / name).open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def by_heading(name):
    headings, *rows = table(name)
    return [dict(zip(headings, row, strict=True)) for row in rows]


def json_lines(name):
    return [json.loads(line) for line in (LOGS / name).read_text(encoding="utf-8").splitlines()]


def read(reader, payload, **options):
    return read_container(reader, payload, book=BOOK, source="x.json", **options)


def refusal(reader, payload, **options):
    with pytest.raises(BadInput) as refused:
        read(reader, payload, **options)
    assert all(problem.source == "x.json" for problem in refused.value.problems)
    return [str(problem).removeprefix("x.json, ") for problem in refused.value.problems]


def codes(found):
    return {finding.code for finding in found.findings}


# Documents


@pytest.mark.parametrize("key", ["data", "value", "requests", "spans", "records", "results"])
def test_records_are_under_a_key_that_says_so(key):
    assert records_of({key: [{"a": 1}, {"a": 2}], "more": 1}, BOOK) == [{"a": 1}, {"a": 2}]


def test_a_list_of_objects_is_its_records():
    assert records_of([{"a": 1}, {"a": 2}], BOOK) == [{"a": 1}, {"a": 2}]


def test_an_object_that_holds_no_records_is_one():
    for alone in ({"a": 1}, {"data": [1, 2]}, {"data": []}, {"data": {"a": 1}}):
        assert records_of(alone, BOOK) == [alone]


@pytest.mark.parametrize(
    "name", ["azure_monitor_metrics_list_pt1m.json", "otlp_traces_genai.json", "openai_usage_api_completions.json"]
)
def test_a_document_that_a_reader_reads_whole_stays_whole(name):
    assert records_of(document(name), BOOK) == [document(name)]


def test_an_answer_of_log_analytics_is_rows():
    assert records_of(document("loganalytics_rest_tables.json"), BOOK)[0] == {
        "TimeGenerated": "2026-11-02T09:00:01.125Z",
        "DeploymentName": "gpt-4o-ptu",
        "PromptTokens": 2310,
        "CompletionTokens": 284,
    }


def test_an_answer_of_kusto_is_rows():
    first = {"Tables": [{"Columns": [{"ColumnName": "a"}, {"ColumnName": "b"}], "Rows": [[1, 2]]}, {"Rows": [[3]]}]}
    assert records_of(first, BOOK) == [{"a": 1, "b": 2}]
    second = [
        {"FrameType": "DataSetHeader"},
        {"FrameType": "DataTable", "TableKind": "QueryProperties", "Columns": [{"ColumnName": "z"}], "Rows": [[9]]},
        {"FrameType": "DataTable", "TableKind": "PrimaryResult", "Columns": [{"ColumnName": "a"}], "Rows": [[1]]},
    ]
    assert records_of(second, BOOK) == [{"a": 1}]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "file: expected a list of objects, one for each call or bucket, got an empty list"),
        ([{"a": 1}, 2], "file: expected a list of objects, one for each call or bucket, got int among 2 entries"),
        (5, "file: expected JSON objects: one for each call or bucket, got 5"),
        (
            {"tables": [{"columns": [{"name": "a"}], "rows": [[1], [1, 2]]}]},
            "tables: expected rows with a value for each of 1 columns, got row 2 of 2",
        ),
        (
            {"tables": [{"columns": [], "rows": []}]},
            "tables: expected rows with a value for each of 0 columns, got a table without columns",
        ),
    ],
)
def test_a_document_without_records_is_refused(given, message):
    with pytest.raises(BadInput) as refused:
        records_of(given, BOOK)
    assert str(refused.value) == message


def test_the_readers_are_those_that_formats_may_name():
    assert sorted(READERS) == sorted(NAMED_READERS)
    assert {each.reader for each in BOOK.formats if each.reader} == set(READERS)


# Azure Monitor


def metric(name, *series, aggregation="total"):
    """One metric; each series is (dimensions, {time: value})."""
    return {
        "name": {"value": name, "localizedValue": name},
        "timeseries": [
            {
                "metadatavalues": [{"name": {"value": key}, "value": value} for key, value in dimensions.items()],
                "data": [
                    {"timeStamp": time} | ({} if value is None else {aggregation: value})
                    for time, value in points.items()
                ],
            }
            for dimensions, points in series
        ],
    }


def metrics(*listed, interval="PT1M"):
    return {"timespan": "a/b", "interval": interval, "value": list(listed)}


D = {"modeldeploymentname": "gpt"}
TOKENS = (metric(INPUT, (D, {NINE: 1000.0})), metric(OUTPUT, (D, {NINE: 100.0})))


def one(*listed, **options):
    """The only record that these metrics make."""
    (record,) = read("azure_monitor", metrics(*listed), **options).records
    return record


def test_the_sample_makes_a_bucket_of_each_minute():
    found = read("azure_monitor", [document("azure_monitor_metrics_list_pt1m.json")])
    assert (found.format.id, found.kind, found.bucket_seconds, found.findings) == (
        "azure-monitor-metrics-json",
        "buckets",
        60,
        (),
    )
    kept = ("input_tokens", "output_tokens", "cached_input_tokens", "requests", "throttled_requests", "utilisation_pct")
    assert [[record.get(field) for field in kept] for record in found.records] == [
        [24000, 3600, 24000 + 3600 - 18600, 12, 0, "61"],
        [30500, 4550, 30500 + 4550 - 23900, 15, 2, "78"],
        [17800, 2610, 17800 + 2610 - 14100, 9, 0, "44"],
        [0, 0, 0, 0, 0, None],
        [45100, 6900, 45100 + 6900 - 36200, 22, 5, "104"],
    ]
    assert {(record["deployment"], record["model"]) for record in found.records} == {("gpt-4o-ptu", "")}
    assert [record["timestamp"] for record in found.records] == [f"2026-11-02T09:0{n}:00Z" for n in range(5)]


def test_a_real_answer_of_totals_by_day_is_refused_for_both():
    path = SHARED / "samples" / "azure_monitor_metrics_rest_AUTHENTIC.json"
    if not path.exists():
        pytest.skip("../shared is not here")
    assert refusal("azure_monitor", json.loads(path.read_text(encoding="utf-8"))) == [
        "interval: expected bins of a minute (at most 5): longer ones hide the peaks; ask again with --interval PT1M, "
        "got P1D",
        "output_tokens: expected ProcessedPromptTokens and GeneratedTokens: totals do not say how many are output (or "
        "--output-share 15%), got TokenTransaction",
    ]


def test_several_documents_are_one_log():
    found = read("azure_monitor", [metrics(TOKENS[0]), metrics(TOKENS[1])])
    assert found.records == [
        {"timestamp": NINE, "deployment": "gpt", "model": "", "input_tokens": 1000, "output_tokens": 100}
    ]


def test_a_point_without_the_aggregation_is_no_data_and_not_0():
    record = one(*TOKENS, metric(REQUESTS, (D, {NINE: None})))
    assert "requests" not in record
    found = read(
        "azure_monitor", metrics(metric(INPUT, (D, {NINE: 5, TEN: None})), metric(OUTPUT, (D, {NINE: 1, TEN: 2})))
    )
    assert [record.get("input_tokens") for record in found.records] == [5, None]


def test_throttled_requests_are_apart_and_other_failures_only_counted():
    requests = metric(
        REQUESTS,
        ({**D, "statuscode": "200"}, {NINE: 10}),
        ({**D, "statuscode": "399"}, {NINE: 1}),
        ({**D, "statuscode": "429"}, {NINE: 4}),
        ({**D, "statuscode": "400"}, {NINE: 2}),
        ({**D, "statuscode": "503"}, {NINE: 3}),
    )
    found = read("azure_monitor", metrics(*TOKENS, requests))
    (record,) = found.records
    assert (record["requests"], record["throttled_requests"]) == (11, 4)
    assert found.findings == (Finding("other_statuses", 5, "400: 2, 503: 3"),)


def test_spilled_requests_are_added_back():
    requests = metric(
        REQUESTS,
        ({**D, "isspillover": "False"}, {NINE: 10}),
        ({**D, "isspillover": "True"}, {NINE: 3}),
    )
    found = read("azure_monitor", metrics(*TOKENS, requests))
    assert found.records[0]["requests"] == 13
    assert found.findings == (Finding("spilled_requests", 3),)


@pytest.mark.parametrize(
    ("more", "cached"),
    [
        ([metric(ACTIVE, (D, {NINE: 700}))], 1000 + 100 - 700),
        ([metric(ACTIVE, (D, {NINE: 700})), metric(TOTAL, (D, {NINE: 1200}))], 1200 - 700),
        ([metric(ACTIVE, (D, {NINE: 1100}))], 0),
        ([metric(RATE, (D, {NINE: 37.59}), aggregation="average")], 375),
        ([metric(RATE, (D, {NINE: 0}), aggregation="average")], 0),
        ([metric(ACTIVE, (D, {NINE: 700})), metric(RATE, (D, {NINE: 1}), aggregation="average")], 400),
        ([metric("cacheReadInputTokens", (D, {NINE: 30})), metric(ACTIVE, (D, {NINE: 700}))], 30),
        ([], None),
    ],
)
def test_cached_tokens_are_what_was_not_active_else_the_match_rate_of_the_input(more, cached):
    assert one(*TOKENS, *more).get("cached_input_tokens") == cached


def test_more_active_than_all_tokens_is_nothing_cached_and_said():
    found = read("azure_monitor", metrics(*TOKENS, metric(ACTIVE, (D, {NINE: 1101}))))
    assert found.records[0]["cached_input_tokens"] == 0
    assert found.findings == (Finding("active_above_total", 1),)


@pytest.mark.parametrize(
    ("known", "unknown"), [((INPUT, 1000), ("output_tokens", 250)), ((OUTPUT, 1000), ("input_tokens", 250))]
)
def test_one_kind_of_tokens_and_the_total_tell_the_other(known, unknown):
    name, count = known
    found = read("azure_monitor", metrics(metric(name, (D, {NINE: count})), metric(TOTAL, (D, {NINE: 1250}))))
    assert found.records[0][unknown[0]] == unknown[1]
    assert len(found.findings) == 1


def test_a_total_below_its_part_tells_nothing():
    found = read("azure_monitor", metrics(metric(INPUT, (D, {NINE: 1000})), metric(TOTAL, (D, {NINE: 999}))))
    assert "output_tokens" not in found.records[0]


def test_totals_are_split_by_a_share_only_where_one_is_given():
    totals = metrics(metric(TOTAL, (D, {NINE: 1001})))
    assert "--output-share" in refusal("azure_monitor", totals)[0]
    found = read("azure_monitor", totals, output_share=Fraction(1, 10))
    assert (found.records[0]["input_tokens"], found.records[0]["output_tokens"]) == (900, 101)  # 900.9, rounded down
    assert found.findings == (Finding("output_from_share", 1),)


@given(total=st.integers(0, 10**9), share=st.fractions(0, 1, max_denominator=1000))
def test_a_split_total_stays_the_total(total, share):
    record = one(metric(TOTAL, (D, {NINE: total})), output_share=share)
    assert record["input_tokens"] + record["output_tokens"] == total
    assert 0 <= record["output_tokens"] - total * share < 1


def test_input_without_output_names_the_metric_to_ask_for():
    assert refusal("azure_monitor", metrics(TOKENS[0])) == [
        "output_tokens: expected the metric GeneratedTokens (shown as Generated Completion Tokens), got "
        "ProcessedPromptTokens"
    ]


def test_a_name_that_no_metric_has_is_called_so():
    wrong = metric("ProcessedCompletionTokens", (D, {NINE: 5}))
    assert refusal("azure_monitor", metrics(TOKENS[0], wrong)) == [
        "output_tokens: expected the metric GeneratedTokens (shown as Generated Completion Tokens); there is no metric "
        "ProcessedCompletionTokens, got ProcessedPromptTokens, ProcessedCompletionTokens"
    ]
    found = read("azure_monitor", metrics(*TOKENS, wrong))
    assert found.findings == (Finding("wrong_metric_name", 1, "ProcessedCompletionTokens"),)


def test_no_known_metric_at_all_is_refused_for_input_and_output():
    fields = [problem.split(":")[0] for problem in refusal("azure_monitor", metrics(metric("Latency", (D, {NINE: 5}))))]
    assert fields == ["input_tokens", "output_tokens"]


def test_averages_of_counts_are_refused():
    listed = [metric(name, (D, {NINE: 50.5}), aggregation="average") for name in (INPUT, OUTPUT)]
    assert refusal("azure_monitor", metrics(*listed)) == [
        f"{name}: expected the aggregation Total: average is of samples, not of a minute; ask again with --aggregation "
        "Total, got average"
        for name in (INPUT, OUTPUT)
    ]


@pytest.mark.parametrize("interval", ["PT1M", "PT5M"])
def test_bins_of_up_to_five_minutes_are_taken(interval):
    found = read("azure_monitor", metrics(*TOKENS, interval=interval))
    assert found.bucket_seconds == {"PT1M": 60, "PT5M": 300}[interval]


@pytest.mark.parametrize("interval", ["PT6M", "PT15M", "PT1H", "P1D"])
def test_longer_bins_are_refused(interval):
    (problem,) = refusal("azure_monitor", metrics(*TOKENS, interval=interval))
    assert "ask again with --interval PT1M" in problem and problem.endswith(f"got {interval}")


def test_an_interval_that_is_not_given_is_told_by_the_stamps():
    listed = (metric(INPUT, (D, {NINE: 1, TEN: 2})), metric(OUTPUT, (D, {NINE: 1, TEN: 2})))
    assert read("azure_monitor", metrics(*listed, interval=None)).bucket_seconds == 60
    hourly = {NINE: 1, "2026-11-02T10:00:00Z": 1}
    listed = (metric(INPUT, (D, hourly)), metric(OUTPUT, (D, hourly)))
    (problem,) = refusal("azure_monitor", metrics(*listed, interval=None))
    assert problem.endswith("got 3,600 seconds")


def test_documents_of_two_intervals_are_refused():
    (problem,) = refusal("azure_monitor", [metrics(*TOKENS), metrics(*TOKENS, interval="PT5M")])
    assert problem == "interval: expected one interval in all documents, got PT1M, PT5M"


@pytest.mark.parametrize(
    ("count", "found"), [(9, False), (10, True), (11, False), (49, False), (50, True), (51, False)]
)
def test_ten_or_fifty_series_may_be_the_top_of_more(count, found):
    names = [{"modeldeploymentname": f"d{number}"} for number in range(count)]
    listed = [metric(each, *((name, {NINE: 1}) for name in names)) for each in (INPUT, OUTPUT)]
    seen = read("azure_monitor", metrics(*listed)).findings
    assert seen == ((Finding("top_10_split", count, INPUT), Finding("top_10_split", count, OUTPUT)) if found else ())


def test_metrics_that_are_not_split_make_one_stream_and_say_so():
    found = read("azure_monitor", metrics(metric(INPUT, ({}, {NINE: 7})), metric(OUTPUT, ({}, {NINE: 3}))))
    assert [record["deployment"] for record in found.records] == [""]
    assert found.findings == (Finding("no_deployment_dimension", 2),)


def test_deployments_are_told_apart():
    other = {"modeldeploymentname": "other"}
    listed = [metric(each, (D, {NINE: 1}), (other, {NINE: 2})) for each in (INPUT, OUTPUT)]
    found = read("azure_monitor", metrics(*listed)).records
    assert [(record["deployment"], record["input_tokens"]) for record in found] == [("gpt", 1), ("other", 2)]


def test_a_metric_that_is_not_split_belongs_to_the_only_deployment():
    assert one(*TOKENS, metric(REQUESTS, ({}, {NINE: 4})))["requests"] == 4


def test_a_metric_that_is_not_split_belongs_to_none_of_several():
    other = {"modeldeploymentname": "other"}
    listed = [metric(each, (D, {NINE: 1}), (other, {NINE: 2})) for each in (INPUT, OUTPUT)]
    found = read("azure_monitor", metrics(*listed, metric(REQUESTS, ({}, {NINE: 4}))))
    assert not any("requests" in record for record in found.records)
    assert found.findings == (Finding("not_split", 1, "requests"),)
    problems = refusal("azure_monitor", metrics(listed[0], metric(OUTPUT, ({}, {NINE: 4}))))
    assert problems[0] == (
        "output_tokens: expected every token metric split by ModelDeploymentName, got a metric that is not split"
    )


def test_calls_of_no_deployment_are_counted():
    empty = {"modeldeploymentname": "__Empty"}
    found = read("azure_monitor", metrics(*(metric(each, (empty, {NINE: 1})) for each in (INPUT, OUTPUT))))
    assert found.records[0]["deployment"] == ""
    assert found.findings == (Finding("empty_deployment", 2, "__Empty"),)


def test_the_model_is_known_where_one_metric_says_it():
    requests = metric(REQUESTS, ({**D, "modelname": "gpt-4o"}, {NINE: 4}))
    assert one(*TOKENS, requests)["model"] == "gpt-4o"


def test_models_are_told_apart_where_tokens_are_split_by_them():
    listed = [
        metric(each, ({"modelname": "a"}, {NINE: 1}), ({"modelname": "b"}, {NINE: 2}))
        for each in ("InputTokens", "OutputTokens")
    ]
    found = read("azure_monitor", metrics(*listed)).records
    assert [(record["model"], record["output_tokens"]) for record in found] == [("a", 1), ("b", 2)]


def test_series_of_other_dimensions_add_up():
    regions = [({**D, "region": region}, {NINE: 5}) for region in ("west", "east")]
    assert one(metric(INPUT, *regions), TOKENS[1])["input_tokens"] == 10


def test_of_two_percentages_the_one_that_needs_more_capacity_counts():
    regions = [({**D, "region": "w"}, {NINE: 20.0}), ({**D, "region": "e"}, {NINE: 30.5})]
    used = metric("AzureOpenAIProvisionedManagedUtilizationV2", *regions, aggregation="average")
    record = one(*TOKENS, used, metric(RATE, *regions, aggregation="average"))
    assert (record["utilisation_pct"], record["cached_input_tokens"]) == ("30.5", 200)


def test_output_of_one_deployment_only_is_said_of_the_other():
    other = {"modeldeploymentname": "embed"}
    found = read("azure_monitor", metrics(metric(INPUT, (D, {NINE: 1}), (other, {NINE: 9})), TOKENS[1]))
    assert found.findings == (Finding("no_output_tokens", 1, "embed"),)
    assert "output_tokens" not in found.records[1]


@pytest.mark.parametrize("value", [12.5, -1, "many", True])
def test_counts_that_are_none_are_refused(value):
    listed = (metric(INPUT, (D, {NINE: value})), TOKENS[1])
    problems = refusal("azure_monitor", metrics(*listed))
    assert problems[0].startswith(f"{INPUT}: expected a") and problems[0].endswith(f"got {value}")


def test_a_number_without_a_time_is_refused():
    (problem, *_) = refusal("azure_monitor", metrics(metric(INPUT, (D, {None: 5})), TOKENS[1]))
    assert problem == f"{INPUT}: expected a time stamp with each number, got (empty)"


def test_a_metric_that_azure_did_not_answer_is_refused():
    failed = TOKENS[0] | {"errorCode": "Throttled", "errorMessage": "too many queries"}
    assert refusal("azure_monitor", metrics(failed, TOKENS[1]))[0].endswith("got too many queries")


def test_many_problems_are_shown_in_part():
    listed = (metric(INPUT, (D, {f"2026-11-02T09:{n:02}:00Z": -1 for n in range(30)})), TOKENS[1])
    with pytest.raises(BadInput) as refused:
        read("azure_monitor", metrics(*listed))
    assert (len(refused.value.problems), refused.value.uncounted) == (20, 10)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["name", "value", "timeseries", "data", "metadatavalues", "timeStamp", "total"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_a_document_holds_it_is_read_or_refused(value):
    with pytest.raises(BadInput):
        read("azure_monitor", metrics(value, interval="PT1M"))


# Rows of metrics


def test_the_metrics_table_makes_buckets_of_the_whole_account():
    found = read("long_metrics", by_heading("loganalytics_portal_export_AzureMetrics.csv"))
    assert (found.format.id, found.bucket_seconds, found.time_tag) == ("azure-metrics-table", 60, "UTC")
    assert found.records[1] == {
        "timestamp": "11/2/2026, 9:01:00.000 AM",
        "deployment": "",
        "model": "",
        "input_tokens": 30500,
        "output_tokens": 4550,
        "requests": 15,
    }
    assert len(found.records) == 4
    assert found.findings == (Finding("no_deployment_dimension", 12),)


def test_token_metrics_of_the_gateway_are_sums_and_their_counts_are_calls():
    found = read("long_metrics", by_heading("appinsights_customMetrics_emit_token_metric.csv"))
    assert (found.format.id, found.bucket_seconds, found.time_tag) == ("appinsights-token-metric", 60, "UTC")
    (record,) = found.records
    assert record == {
        "timestamp": "11/2/2026, 9:00:00.000 AM",
        "deployment": "",
        "model": "",
        "input_tokens": 24000,
        "output_tokens": 3600,
        "cached_input_tokens": 9000,
        "requests": 12,
    }
    assert codes(found) == {"no_deployment_dimension"}


def test_a_deployment_that_the_gateway_was_told_to_name_is_read():
    rows = by_heading("appinsights_customMetrics_emit_token_metric.csv")
    for row in rows:
        row["customDimensions"] = json.dumps({"Deployment": "gpt-4o-ptu", "Model": "gpt-4o"})
    found = read("long_metrics", rows)
    assert [(record["deployment"], record["model"]) for record in found.records] == [("gpt-4o-ptu", "gpt-4o")]
    assert not found.findings


def test_rows_of_one_minute_add_up():
    rows = by_heading("appinsights_customMetrics_emit_token_metric.csv")
    (record,) = read("long_metrics", rows + rows).records
    assert (record["input_tokens"], record["requests"]) == (48000, 24)


def metric_rows(**changes):
    row = {"TimeGenerated": NINE, "MetricName": INPUT, "Total": "5", "TimeGrain": "PT1M", "Resource": "a"}
    return [row | changes, row | {"MetricName": OUTPUT, "Total": "1"} | changes]


def test_rows_of_a_coarse_grain_are_refused():
    rows = metric_rows(TimeGrain="PT1H")
    rows[1]["MetricName"], rows[1]["Total"] = OUTPUT, "1"
    (problem,) = refusal("long_metrics", rows)
    assert problem.startswith("interval: expected bins of a minute") and problem.endswith("got PT1H")


def test_rows_of_several_accounts_are_said_to_be():
    rows = [{**row} for row in metric_rows()] + [{**row, "Resource": "b"} for row in metric_rows()]
    found = read("long_metrics", rows)
    assert found.records[0]["input_tokens"] == 10
    assert Finding("several_accounts", 4, "a, b") in found.findings


def test_a_row_without_a_number_says_nothing():
    found = read("long_metrics", [*metric_rows(), {**metric_rows()[0], "TimeGenerated": TEN, "Total": ""}])
    assert [record["timestamp"] for record in found.records] == [NINE]


def test_rows_of_json_are_rows():
    rows = [{key: value for key, value in row.items() if key != "TimeGrain"} for row in metric_rows()]
    assert read("long_metrics", rows).bucket_seconds is None


def test_a_query_for_names_that_no_metric_has_is_found_out():
    rows = [metric_rows()[0], {**metric_rows()[0], "MetricName": "GeneratedCompletionTokens"}]
    assert read("long_metrics", rows).records[0]["output_tokens"] == 5  # the display name is the same: data is data
    rows[1]["MetricName"] = "ProcessedCompletionTokens"
    assert "there is no metric ProcessedCompletionTokens" in refusal("long_metrics", rows)[0]


# The portal's export


def portal(*rows, title="Sum x by ModelDeploymentName"):
    header = ["Timestamp", f"{TITLE_IN} (Sum), a", f"{TITLE_OUT} (Sum), a"]
    return [[title], header, *([*row] for row in rows)]


TITLE_IN, TITLE_OUT = "Processed Prompt Tokens", "Generated Completion Tokens"


def test_the_portals_chart_makes_a_bucket_of_each_row_that_has_numbers():
    found = read("portal_metrics", table("azure_portal_metrics_excel_saved_as_csv_UNVERIFIED.csv"))
    assert (found.format.id, found.bucket_seconds, found.time_tag) == ("azure-portal-metrics-xlsx", 60, "local")
    assert not found.format.verified
    assert [(r["timestamp"], r["deployment"], r["input_tokens"], r["output_tokens"]) for r in found.records] == [
        ("2026-11-02T10:00:00", "gpt-4o-ptu", 24000, 3600),
        ("2026-11-02T10:01:00", "gpt-4o-ptu", 30500, 4550),
        ("2026-11-02T10:02:00", "gpt-4o-ptu", 17800, 2610),
        ("2026-11-02T10:04:00", "gpt-4o-ptu", 45100, 6900),
    ]


def test_bins_of_five_minutes_are_told_by_the_stamps_and_longer_ones_refused():
    found = read("portal_metrics", portal(("2026-11-02T10:00:00", "5", "1"), ("11/2/2026 10:05 AM", "5", "1")))
    assert found.bucket_seconds == 300
    (problem,) = refusal("portal_metrics", portal(("2026-11-02T10:00:00", "5", "1"), ("11/2/2026 10:15 AM", "5", "1")))
    assert problem.endswith("ask again with a time granularity of 1 minute, got 900 seconds")


def test_one_stamp_does_not_tell_how_long_a_bin_is():
    (problem,) = refusal("portal_metrics", portal(("11/2/2026 10:00 AM", "5", "1")))
    assert problem.startswith("timestamp: expected two stamps or more")


def test_averages_in_the_portal_are_refused():
    rows = portal(("11/2/2026 10:00 AM", "5", "1"), ("11/2/2026 10:01 AM", "5", "1"))
    rows[1][1] = f"{TITLE_IN} (Avg), a"
    (problem,) = refusal("portal_metrics", rows)
    assert problem.startswith(f"{TITLE_IN}: expected the aggregation Sum")


def test_numbers_of_the_portal_may_have_thousands_separators_and_blanks():
    rows = portal(("11/2/2026 10:00 AM", "24,000", "1"), ("11/2/2026 10:01 AM", " ", "n/a"))
    assert [record["input_tokens"] for record in read("portal_metrics", rows).records] == [24000]


def test_a_chart_split_by_something_else_is_summed_up():
    rows = portal(("11/2/2026 10:00 AM", "5", "1", "7"), ("11/2/2026 10:01 AM", "5", "1", "7"), title="Sum x by Region")
    rows[1].append(f"{TITLE_IN} (Sum), b")
    found = read("portal_metrics", rows)
    assert [(record["deployment"], record["input_tokens"]) for record in found.records] == [("", 12), ("", 12)]
    assert "no_deployment_dimension" in codes(found)


def test_ten_columns_of_one_metric_may_be_the_top_of_more():
    header = ["Timestamp (UTC)", *(f"{name} (Sum), d{n}" for n in range(10) for name in (TITLE_IN, TITLE_OUT))]
    rows = [header, *([f"2026-11-02 10:0{n}", *["1"] * 20] for n in range(2))]
    found = read("portal_metrics", rows)
    assert codes(found) == {"top_10_split"} and found.time_tag == "UTC"


def test_a_table_without_such_a_header_is_refused():
    assert refusal("portal_metrics", [["a", "b"]]) == [
        "header: expected a row of headings: Timestamp, and names of metrics, got a"
    ]


# OpenTelemetry


def span(**attributes):
    return {
        "spanId": "s",
        "startTimeUnixNano": "1000000000",
        "endTimeUnixNano": "1500999999",
        "attributes": [{"key": key, "value": value} for key, value in attributes.items()],
    }


def traces(*spans, scope="scopeSpans"):
    return {"resourceSpans": [{scope: [{"spans": list(spans)}]}]}


CHAT = {"gen_ai.operation.name": {"stringValue": "chat"}, "gen_ai.request.model": {"stringValue": "gpt"}}


def test_spans_of_the_sample_are_calls():
    found = read("otlp", [document("otlp_traces_genai.json")])
    assert (found.format.id, found.kind, found.findings) == ("otlp-json", "requests", ())
    assert found.records == [
        {
            "timestamp": 1793610001125000000,
            "deployment": "gpt-4o-ptu",
            "input_tokens": "2310",
            "cached_input_tokens": "1024",
            "output_tokens": "284",
            "max_tokens": "800",
            "request_id": "00f067aa0ba902b1",
            "duration": 1843,
        },
        {
            "timestamp": 1793610004902000000,
            "deployment": "gpt-4o-ptu",
            "input_tokens": "1890",
            "cached_input_tokens": "0",
            "output_tokens": "311",
            "max_tokens": "800",
            "request_id": "00f067aa0ba902b2",
            "duration": 2210,
        },
    ]


@pytest.mark.parametrize("operation", ["chat", "text_completion", "generate_content", "embeddings", "CHAT"])
def test_spans_of_calls_are_kept(operation):
    assert read("otlp", traces(span(**{**CHAT, "gen_ai.operation.name": {"stringValue": operation}}))).records


def test_agent_spans_repeat_their_children_and_are_left_out():
    agent = span(**{**CHAT, "gen_ai.operation.name": {"stringValue": "invoke_agent"}})
    found = read("otlp", traces(agent, span(**CHAT), span(**{"http.method": {"stringValue": "GET"}})))
    assert len(found.records) == 1
    assert set(found.findings) == {Finding("agent_spans", 1), Finding("other_spans", 1)}


def test_a_span_that_names_no_operation_is_a_call():
    older = {"gen_ai.usage.prompt_tokens": {"intValue": 7}, "gen_ai.usage.completion_tokens": {"doubleValue": 3}}
    (record,) = read("otlp", traces(span(**older), scope="instrumentationLibrarySpans")).records
    assert (record["input_tokens"], record["output_tokens"]) == (7, 3)


def test_a_call_without_usage_stays_without_tokens():
    (record,) = read("otlp", traces(span(**CHAT))).records
    assert "input_tokens" not in record and record["duration"] == 500


def test_lines_of_traces_and_the_other_spelling_are_read():
    found = read("otlp", [traces(span(**CHAT)), {"resource_spans": [{"scope_spans": [{"spans": [span(**CHAT)]}]}]}])
    assert len(found.records) == 2


def test_attributes_that_are_lists_and_broken_times_are_no_values():
    odd = span(**CHAT, **{"gen_ai.response.model": {"arrayValue": {"values": []}}})
    odd |= {"startTimeUnixNano": "soon", "endTimeUnixNano": None}
    (record,) = read("otlp", traces(odd, 5, None)).records
    assert record == {"deployment": "gpt", "request_id": "s", "timestamp": "soon"}


# OpenAI's usage


def test_the_usage_api_gives_a_row_for_each_result():
    found = read("openai_usage", [document("openai_usage_api_completions.json")])
    assert (found.format.id, found.bucket_seconds, found.findings) == ("openai-usage-api", 60, ())
    assert [(r["timestamp"], r["input_tokens"], r["output_tokens"], r["requests"]) for r in found.records] == [
        (1761523800, 4212, 1673, 3),
        (1761523800, 5904, 1419, 3),
    ]
    assert {record["model"] for record in found.records} == {"gpt-4o-2024-08-06"}


def test_the_dashboards_export_has_counts_with_a_point_and_blank_minutes():
    found = read("openai_usage", by_heading("openai_usage_dashboard_completions.csv"))
    assert (found.format.id, found.bucket_seconds) == ("openai-usage-csv", 60)
    assert found.records[0] == {
        "model": "gpt-4o-2024-08-06",
        "timestamp": 1761523200,
        "bucket_end": 1761523260,
        "bucket_seconds": 60,
        "requests": 0,
        "input_tokens": 0,
        "output_tokens": 0,
    }
    assert [record["requests"] for record in found.records] == [0, 4, 3, 3, 25]
    assert found.records[1]["cached_input_tokens"] == 1280
    assert found.findings == (Finding("empty_buckets", 1),)


def test_a_bucket_without_results_is_a_minute_without_calls():
    page = copy.deepcopy(document("openai_usage_api_completions.json"))
    page["data"].append({"object": "bucket", "start_time": 1761523860, "end_time": 1761523920, "results": []})
    found = read("openai_usage", page)
    assert found.records[-1]["input_tokens"] == 0 and found.findings == (Finding("empty_buckets", 1),)


def test_a_blank_count_beside_others_is_missing_and_not_0():
    rows = by_heading("openai_usage_dashboard_completions.csv")
    rows[1]["output_tokens"] = ""
    assert "output_tokens" not in read("openai_usage", rows).records[1]


def test_rows_of_batches_are_counted():
    rows = by_heading("openai_usage_dashboard_completions.csv")
    rows[1]["batch"] = "True"
    assert Finding("batch_rows", 1) in read("openai_usage", rows).findings


def test_usage_by_the_hour_is_refused():
    rows = by_heading("openai_usage_dashboard_completions.csv")
    for row in rows:
        row["end_time"] = str(int(row["start_time"]) + 3600)
    (problem,) = refusal("openai_usage", rows)
    assert problem.endswith("ask again with bucket_width 1m, got 3,600 seconds")


def test_usage_that_is_no_number_is_refused_by_row():
    rows = by_heading("openai_usage_dashboard_completions.csv")
    rows[1] |= {"input_tokens": "many", "start_time": ""}
    assert refusal("openai_usage", rows) == [
        "row 2, timestamp: expected a time in seconds, got (empty)",
        "row 2, input_tokens: expected a number, got many",
    ]


def test_a_bucket_that_ends_before_it_begins_is_refused():
    rows = by_heading("openai_usage_dashboard_completions.csv")[1:2]
    rows[0]["end_time"] = rows[0]["start_time"]
    assert refusal("openai_usage", rows)[0].startswith("bucket_end: expected an end after its start")


# Rates of a benchmark


def test_the_last_rates_of_a_minute_are_its_tokens():
    found = read("rate_stats", json_lines("azure_openai_benchmark.jsonl"))
    assert (found.kind, found.bucket_seconds, found.time_tag) == ("buckets", 60, "local")
    assert found.records == [
        {
            "timestamp": "2023-10-19 18:21:00",
            "requests": 5,
            "input_tokens": 2505,
            "output_tokens": 515,
            "utilisation_pct": "0.8",
        }
    ]
    assert found.findings == (Finding("rates_not_counts", 2, "1 minutes"),)


def rates(time, context, gen, rpm=1.0):
    return {"run_seconds": 1, "timestamp": f"2026-11-02 {time}", "rpm": rpm, "tpm": {"context": context, "gen": gen}}


def test_rates_are_never_summed_and_the_last_in_time_wins():
    found = read(
        "rate_stats", [rates("10:00:59", 300.0, 30.0), rates("10:00:01", 100.0, 10.0), rates("10:01:00", 7.5, 0.4)]
    )
    assert [(r["timestamp"][-8:], r["input_tokens"], r["output_tokens"]) for r in found.records] == [
        ("10:00:00", 300, 30),
        ("10:01:00", 8, 0),
    ]


def test_a_minute_whose_last_rows_have_no_rates_keeps_the_last_that_had():
    found = read("rate_stats", [rates("10:00:10", 100.0, 10.0), rates("10:00:50", "n/a", "n/a")])
    assert [record["input_tokens"] for record in found.records] == [100]


def test_a_benchmark_without_a_time_or_with_a_negative_rate_is_refused():
    assert refusal("rate_stats", [rates("10:00", 1.0, 1.0), rates("10:00:01", -1.0, 1.0)]) == [
        "row 1, timestamp: expected a time such as 2023-10-19 18:21:07, got 2026-11-02 10:00",
        "row 2, tpm: expected a rate of 0 or more, got -1.0",
    ]


# Values


@pytest.mark.parametrize("text", ["", " ", "n/a", "N/A", "null", "-", "None", "nan", None])
def test_missing_is_never_0(text):
    assert missing(text) and number(text) is None and whole(text) is None


@pytest.mark.parametrize(("value", "found"), [("1,234", 1234), ("3.0", 3), (0, 0), (1e3, 1000), ("0", 0)])
def test_whole_numbers_may_be_written_as_products_write_them(value, found):
    assert whole(value) == found


@pytest.mark.parametrize("value", ["1,23", "1.5", "-1", "12 tokens", True, [1], "1e400"])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(ValueError, match=r"a (whole )?number"):
        whole(value)


def test_a_value_is_found_through_texts_objects_and_lists():
    record = {"a": '{"b": [{"c": "7"}]}', "d": {"e": None}}
    assert value_at(record, [Place("a", (("b", "0", "c"),))], json.loads) == "7"
    assert value_at(record, [Place("d", (("e",),)), Place("line", (("a",), ("b", "0", "c")))], json.loads) == "7"
    for steps in ((("b", "1", "c"),), (("b", "x"),), (("b", "0", "c", "z"),)):
        assert value_at(record, [Place("a", steps)], BOOK.parse_json) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT1M", 60), ("PT1H30M", 5400), ("pt5m", 300), ("P1D", 86400), ("P", None), ("", None), (5, None)],
)
def test_intervals_are_those_of_iso_8601(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    ("stamps", "step"),
    [
        (["2026-11-02T09:00:00Z", "2026-11-02T09:05:00Z", "2026-11-02T09:15:00Z", "2026-11-02T09:20:00Z"], 300),
        (["11/2/2026, 11:59:00.000 AM", "11/2/2026, 12:00:00.000 PM"], 60),
        (["11/2/2026, 11:59:00 PM", "11/3/2026, 12:00:00 AM"], 60),
        (["2026-11-02T00:00Z", "2026-11-03T00:00Z"], 86400),
        ([1761523800, 1761523860, 1761523860], 60),
        (["2026-11-02T09:00:00Z"], None),
        (["2026-11-02", "2026-11-03"], None),
        ([], None),
    ],
)
def test_the_most_common_step_is_the_length_of_a_bin(stamps, step):
    assert step_seconds(stamps) == step


@pytest.mark.parametrize(
    ("start", "first", "expected"),
    [
        ("2026-11-02 10:00:00", "11/2/2026 10:00 AM", "2026-11-02T10:00:00"),  # month first, as the start says
        ("2026-02-11 10:00:00", "11/2/2026 10:00 AM", "2026-02-11T10:00:00"),  # day first
        ("2026-11-11 10:00:00", "11/11/2026 10:00 AM", "11/11/2026 10:00 AM"),  # it could be either: asked for later
        ("2026-05-03 10:00:00", "11/2/2026 10:00 AM", "11/2/2026 10:00 AM"),  # another day
    ],
)
def test_the_start_time_above_a_portal_chart_tells_the_order_of_its_dates(start, first, expected) -> None:
    rows = [
        ["Start time", start],
        ["Timestamp", "Processed Prompt Tokens (Sum), chat", "Generated Completion Tokens (Sum), chat"],
        [first, "10", "2"],
        [first.replace("10:00", "10:01"), "10", "2"],
    ]
    found = read_container("portal_metrics", rows, book=load_formats(), source="chart.csv")
    assert found.records[0]["timestamp"] == expected
    assert found.time_tag == "local"
