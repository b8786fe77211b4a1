"""The result of a log as JSON data, flat rows and HTML."""

import json

import pytest
from pydantic import TypeAdapter

from ptucalc.log_data import ROW_COLUMNS
from ptucalc.log_documents import LogsDocument
from ptucalc.request_log import Finding

from .invented import GLOBAL, a_catalog, a_model, only
from .invented_logs import MONDAY, HandMadeLog, a_profile, a_source, analysed, ramp, sums

BIRCH = a_model("Birch", tpm_per_ptu=2000)
CHAT = ("chat", "Alder")
MIXED = {
    CHAT: a_profile(sums(0, 2, 20_000, 4000, 1000, 100), sums(1, 1, 6000, unsized=1), length=3),
    ("code", "Alder"): ramp(0, 21, 5),
    ("mail", "Birch"): ramp(1, 1, 1),
    ("<b>", "<i>Aldr"): ramp(9, 9, 9),
}


def relative():
    log = HandMadeLog({CHAT: ramp(1, 2, start=None)}, a_source(relative_clock=True, first=500_000, last=2_000_000))
    return analysed(log)


def several(**given):
    return analysed(MIXED, a_catalog(only(a_model(), GLOBAL), BIRCH), **given)


RESULTS = {
    "several": several,
    "by model": lambda: several(by="model", percentile="97.5"),
    "one": lambda: several(by="none", model="Birch", headroom="15%"),
    "relative": relative,
    "nothing": lambda: analysed({("", ""): ramp(1)}),
    "no calls counted": lambda: analysed({CHAT: a_profile(sums(0, 0, 100), length=1)}),
}


@pytest.mark.parametrize("name", RESULTS)
def test_the_json_has_every_key_of_its_type_and_no_other(name):
    written = json.loads(json.dumps(RESULTS[name]().to_dict()))
    assert TypeAdapter(LogsDocument).validate_python(written, strict=True) == written


def test_the_json_says_how_the_log_was_understood():
    source = a_source(
        formats=("one", "two"),
        files=("a.csv", "b.csv"),
        skipped={"no tokens": 3},
        step_us=2_500_000,
        ids="request_id",
        findings=(Finding("odd", 2, "x"),),
    )
    data = analysed(HandMadeLog({CHAT: ramp(1)}, source)).to_dict()
    assert data["source"] == {
        "format": "one, two",
        "formats": ["one", "two"],
        "files": ["a.csv", "b.csv"],
        "rows": 10,
        "rows_used": 10,
        "skipped": {"no tokens": 3},
        "first": "1970-01-05T00:00:00Z",
        "last": "1970-01-05T00:01:00.500000Z",
        "relative_clock": False,
        "time_zone": "UTC",
        "cached_known": True,
        "columns": {"input_tokens": "in"},
        "grain": "request",
        "bucket_seconds": None,
        "step_seconds": 2.5,
        "ids": "request_id",
        "verified": True,
        "findings": [{"code": "odd", "rows": 2, "detail": "x"}],
    }
    assert MONDAY * 60 == 4 * 86_400


def test_times_of_a_relative_clock_are_seconds():
    source = relative().to_dict()["source"]
    assert (source["first"], source["last"]) == (0.5, 2)


def test_the_json_has_the_names_that_stay():
    data = several().to_dict()
    assert (data["schema"], data["version"], data["catalog_as_of"]) == ("ptucalc.logs/1", "0", "2030-03-01")
    assert (data["by"], data["percentile"], data["headroom"]) == ("deployment", "p99", 0)
    chat = data["by_deployment"][0]
    assert (chat["deployment"], chat["model"], chat["requests"], chat["minutes"]) == ("chat", "Alder", 4, 3)
    # the throttled call weighs (21,000 + 300 + 6,000) / 3 = 9,100
    assert (chat["mean_input_tokens"], chat["cache_ratio"]) == (31_000 / 3, 4 / 31)
    assert chat["cache_write_ratio"] == 1 / 31
    assert chat["weighted_tpm"] == {
        "mean": 36_400 / 3,
        "p50": 15_100,
        "p90": 21_300,
        "p95": 21_300,
        "p99": 21_300,
        "p99_9": 21_300,
        "max": 21_300,
        "sliding_60s_max": 60,
        "burst_10s_max": 10,
        "burst_1s_max": None,
        "windows_reason": "too coarse",
    }
    assert list(chat["sizes_at"]) == ["p50", "p90", "p95", "p99", "p99_9", "max"]
    assert [size["ptu"] for size in chat["sizes_at"]["p99"]] == [25, None, None]
    assert chat["share_of_minutes_over"]["global"] == [
        {"ptu": 20, "minutes": 1, "share": 1 / 3},
        {"ptu": 25, "minutes": 0, "share": 0},
    ]
    assert chat["share_of_minutes_over"]["regional"] == []
    assert len(chat["hour_of_week_ptu"]) == 168
    assert chat["busiest_day"]["date"] == "1970-01-05"
    assert chat["per_minute"]["raw_ptu"]["max"] == 21.3
    unsized = data["by_deployment"][3]
    assert (unsized["weighted_tpm"], unsized["sizes_at"], unsized["near"]) == (None, {}, ["Alder"])
    assert [problem["field"] for problem in data["problems"]] == ["model"]
    assert data["sharing"]["models"][0]["deployments"] == ["chat", "code"]
    assert data["sharing"]["models"][0]["sizes"][0] == {
        "deployment_type": "global",
        "apart_ptu": 50,
        "together_ptu": 40,
        "saved_ptu": 10,
    }


def test_a_nameless_deployment_is_null():
    entry = analysed({("", "Alder"): ramp(1)}).to_dict()["by_deployment"][0]
    assert (entry["deployment"], entry["deployments"]) == (None, [""])


def test_rows_have_the_same_columns_whatever_the_result():
    for name, made in RESULTS.items():
        for row in made().rows():
            assert tuple(row) == ROW_COLUMNS, name


def test_there_is_a_row_for_each_type_and_one_where_there_is_no_size():
    rows = several().rows()
    assert [(row["name"], row["deployment_type"]) for row in rows] == [
        *[(name, kind) for name in ("chat", "code", "mail") for kind in ("global", "data-zone", "regional")],
        ("<b>", None),
    ]
    first, second, last = rows[0], rows[1], rows[-1]
    assert (first["ptu"], first["ptu_p50"], first["ptu_max"], first["share_of_minutes_over"]) == (25, 20, 25, 0)
    assert (first["percentile"], first["weighted_tpm_p99"], first["reason"]) == ("p99", 21_300, None)
    assert (second["available"], second["ptu"], second["share_of_minutes_over"]) == (False, None, None)
    assert second["reason"] == "Alder is not offered as Data zone; offered as Global"
    assert (last["requests"], last["weighted_tpm_max"], last["ptu"]) == (3, None, None)
    assert last["reason"].startswith("got <i>Aldr, expected a known model")


def test_the_html_is_escaped():
    html = several()._repr_html_()
    assert "&lt;b&gt;" in html and "<b>" not in html and "<i>" not in html
    assert "<td>25 PTU</td><td>not offered</td>" in html
    assert "<th>Weighted TPM, p99</th>" in html
    assert "<td>unknown</td>" in RESULTS["no calls counted"]()._repr_html_()


def test_all_calls_are_counted_whether_sized_or_not():
    assert several().requests == 4 + 2 + 3 + 3
