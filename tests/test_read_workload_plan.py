"""YAML plans and JSON files of workloads: the CSV's names, profiles, and problems with line and column."""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import warnings
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from ptucalc import BadInput, Workload, read_workloads
from ptucalc.catalog import DeploymentType
from ptucalc.read.workloads import WorkloadFile

CALL = "model: gpt-4.1, rpm: 600, input_tokens: 1800, output_tokens: 250"


@pytest.fixture
def read(in_tmp: Path) -> Callable[..., list[Workload]]:
    def workloads(text: str | bytes, name: str = "p.yaml") -> list[Workload]:
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_workloads(name)

    return workloads


@pytest.fixture
def refused(read) -> Callable[..., list[str]]:
    def problems(text: str | bytes, name: str = "p.yaml") -> list[str]:
        with pytest.raises(BadInput) as caught:
            read(text, name)
        return str(caught.value).splitlines()

    return problems


def test_a_plan_is_read_with_the_names_of_the_csv(read) -> None:
    (w,) = read(
        "workloads:\n  - name: chat\n    model: gpt-4.1\n    Peak RPM: 9.6\n    prompt_tokens: 1800\n"
        "    output_tokens: 250\n    cache_rate: 40%\n    sku: Data Zone\n    model_version: 0613\n    region: East US 2\n"
    )
    assert (w.name, w.requests_per_minute, w.input_tokens, w.cache_ratio) == (
        "chat",
        Fraction(48, 5),
        1800,
        Fraction(2, 5),
    )
    assert (w.deployment_type, w.model_version, w.region) == (DeploymentType.DATA_ZONE, "0613", "eastus2")


def test_names_and_versions_are_never_numbers_or_truth_values(read) -> None:
    found = read(f"workloads:\n  - {{name: NO, {CALL}}}\n  - {{name: 1e3, {CALL}}}\n  - {{name: 0613, {CALL}}}\n")
    assert [w.name for w in found] == ["NO", "1e3", "0613"]


def test_workloads_without_a_name_are_counted_from_one(read) -> None:
    assert [w.name for w in read(f"workloads:\n  - {{{CALL}}}\n  - {{name: , {CALL}}}\n")] == ["row-1", "row-2"]


@pytest.mark.parametrize("empty", ["", "~", "null"])
def test_a_key_left_empty_is_not_given(read, empty: str) -> None:
    (w,) = read(f"workloads:\n  - {{{CALL}, region: {empty}, cache_ratio: {empty}, model_version: {empty}}}\n")
    assert (w.region, w.cache_ratio, w.model_version) == (None, 0, None)


def test_the_plans_headroom_is_kept_as_written(in_tmp: Path) -> None:
    Path("p.yaml").write_text(f"headroom: 15%\nlimits: {{}}\nworkloads:\n  - {{{CALL}}}\n")
    file = WorkloadFile.open("p.yaml")
    assert (file.kind, file.headroom, file.ignored) == ("yaml", "15%", ())


def test_the_peak_follows_from_a_profile_of_levels(read) -> None:
    (w,) = read(
        "workloads:\n  - name: a\n    model: m\n    input_tokens: 1\n    output_tokens: 1\n    profile:\n      levels:\n"
        "        - {share: 1/3, rpm: 45}\n        - {share: 2/3, requests_per_minute: 6}\n"
    )
    assert w.requests_per_minute == 45 and w.profile is not None
    assert w.profile.levels == ((Fraction(1, 3), 45), (Fraction(2, 3), 6))


@pytest.mark.parametrize("hours", [24, 168])
def test_the_peak_follows_from_hourly_rates(read, hours: int) -> None:
    (w,) = read(
        f"workloads:\n  - name: a\n    model: m\n    input_tokens: 1\n    output_tokens: 1\n    profile: {{hourly: {list(range(hours))}}}\n"
    )
    assert w.requests_per_minute == hours - 1


def test_a_workload_with_a_profile_needs_no_name(read) -> None:
    (w,) = read(
        "workloads:\n  - model: m\n    input_tokens: 1\n    output_tokens: 1\n    profile: {levels: [{share: 1, rpm: 5}]}\n"
    )
    assert (w.name, w.requests_per_minute) == ("row-1", 5)


PROFILE = "workloads:\n  - model: m\n    input_tokens: 1\n    output_tokens: 1\n    profile: "


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ("{hourly: [1, 2]}", "p.yaml:5:23, workloads[0].profile.hourly: expected 24 values (a day) or 168 (a week), got 2 values"),
        ("{levels: [{share: 0.5, rpm: 1}, {share: 0.4, rpm: 1}]}", "p.yaml:5:23, workloads[0].profile.levels: expected shares that sum to exactly 1 (1/3 is a share too), got 9/10"),
        ("{levels: [{share: 1, requests_per_minute: -1}]}", "p.yaml:5:56, workloads[0].profile.levels[0].requests_per_minute: expected a number, 0 or more, got -1"),
        ("{levels: [{share: x, rpm: 1}]}", "p.yaml:5:32, workloads[0].profile.levels[0].share: expected a share: 0 to 1, or 0% to 100%, got x"),
        ("{levels: [{share: 1, rpm: 0}]}", "p.yaml:5:23, workloads[0].profile.levels: expected a rate over 0 at some time, got 0 everywhere"),
        ("{daily: [1]}", "p.yaml:5:14, workloads[0].profile: expected either levels (a list of {share, requests_per_minute}) or hourly (24 or 168 rates), got daily"),
        ("flat", "p.yaml:5:14, workloads[0].profile: expected either levels (a list of {share, requests_per_minute}) or hourly (24 or 168 rates), got flat"),
        ("", "p.yaml:5:13, workloads[0].profile: expected either levels (a list of {share, requests_per_minute}) or hourly (24 or 168 rates), got (empty)"),
    ],
)  # fmt: skip
def test_a_bad_profile_is_refused_at_its_place(refused, profile: str, message: str) -> None:
    (problem,) = refused(PROFILE + profile + "\n")
    place, _, said = problem.partition(", ")
    wanted_place, _, wanted = message.partition(", ")
    assert said == wanted
    assert place == wanted_place or profile == ""  # where an empty value stands is the parser's choice


def test_a_bad_hour_is_refused_with_its_number(refused) -> None:
    (problem,) = refused(PROFILE + "{hourly: [" + "1, " * 23 + "many]}\n")
    assert "workloads[0].profile.hourly[23]: expected a number, 0 or more, got many" in problem


def test_a_rate_and_a_profile_together_are_refused(refused) -> None:
    (problem,) = refused(PROFILE + "{levels: [{share: 1, rpm: 5}]}\n    rpm: 7\n")
    assert problem == (
        "p.yaml:6:10, workloads[0].rpm: expected either a rate or a profile (its peak is the rate), not both, got 7"
    )


def test_every_bad_value_has_its_line_and_column(refused) -> None:
    text = "workloads:\n  - name: a\n    model: gpt-4.1\n    rpm: -1\n    input_tokens: 1.5\n    output_tokens: 3\n  - name: b\n    cache_ratio: 2\n"
    assert refused(text) == [
        "p.yaml:4:10, workloads[0].rpm: expected a number over 0, got -1",
        "p.yaml:5:19, workloads[0].input_tokens: expected a whole number, 0 or more (round it: 2?), got 1.5",
        "p.yaml:8:18, workloads[1].cache_ratio: expected a share: 0 to 1, or 0% to 100% (2%?), got 2",
        "p.yaml:7:5, workloads[1].model: expected a model name (see: ptucalc models), got (empty)",
        "p.yaml:7:5, workloads[1].requests_per_minute: expected a number over 0, got (empty)",
        "p.yaml:7:5, workloads[1].input_tokens: expected a whole number, 0 or more, got (empty)",
        "p.yaml:7:5, workloads[1].output_tokens: expected a whole number, 0 or more, got (empty)",
    ]


def test_unknown_keys_and_wrong_shapes_are_refused_together(refused) -> None:
    text = f"workload: 1\nworkloads:\n  - {{{CALL}, colour: red}}\n  - nothing\n  - {{{CALL}, peak_rpm: 5}}\nheadroom: [1]\n"
    problems = refused(text)
    assert [p.split(": expected ")[0].split(", ")[1] for p in problems] == [
        "workload", "headroom", "workloads[0].colour", "workloads[1]", "workloads[2].peak_rpm",
    ]  # fmt: skip
    assert [int(p.split(":")[1]) for p in problems] == [1, 6, 3, 4, 5]
    assert "one key for requests_per_minute: rpm means the same" in problems[-1]


def test_wrong_values_are_reported_beside_unknown_keys(refused) -> None:
    problems = " ".join(refused(f"workloads:\n  - {{{CALL}, colour: red}}\n  - {{{CALL.replace('600', '-1')}}}\n"))
    assert "colour" in problems and "-1" in problems


@pytest.mark.parametrize(
    "text", ["workloads:\n", "workloads: []\n", "workloads: {}\n", "workloads: chat\n", "headroom: 5%\n"]
)
def test_a_plan_without_a_list_of_workloads_is_refused(refused, text: str) -> None:
    (problem,) = refused(text)
    assert "workloads: expected a list of workloads" in problem


@pytest.mark.parametrize(
    "text",
    [
        "workload:\n  - model: gpt-4.1\n",
        "# nothing here yet\n",
        "- model: gpt-4.1\n  rpm: 1\n",
        "headrom: 5%\nworkload: []\n",
    ],
)
def test_a_yaml_file_with_a_mistyped_first_key_is_not_judged_as_a_csv(in_tmp: Path, text: str) -> None:
    Path("plan.yaml").write_text(text)
    with contextlib.suppress(BadInput):
        assert read_workloads("plan.yaml")  # a list of workloads without the key may be read
        return
    with pytest.raises(BadInput) as caught:
        read_workloads("plan.yaml")
    assert "column" not in str(caught.value)  # "header: expected columns ..." would send the user the wrong way


def test_a_saved_result_is_no_plan(refused) -> None:
    (problem,) = refused('{"schema": "ptucalc.size/1", "workloads": []}', "r.json")
    assert "schema: expected a file of workloads; this is a saved result of ptucalc, got ptucalc.size/1" in problem


def test_aliases_and_repeated_keys_are_refused_with_their_lines(refused) -> None:
    assert refused(f"workloads:\n  - &a {{{CALL}}}\n  - *a\n  - {{{CALL}, rpm: 5}}\n") == [
        "p.yaml:2:5, workloads[0]: expected a value without an anchor, got &a",
        "p.yaml:3:5, workloads[1]: expected a value written out (no aliases), got *a",
        "p.yaml:4:72, workloads[2].rpm: expected each key once (first on line 4), got rpm",
    ]


def test_yaml_in_utf_16_is_read(read) -> None:
    assert read(f"workloads:\n  - {{name: é, {CALL}}}\n".encode("utf-16"))[0].name == "é"


def test_yaml_that_is_no_utf_8_is_refused(refused) -> None:
    (problem,) = refused(b"workloads:\n  - {name: caf\xe9}\n")
    assert problem == "p.yaml, file: expected UTF-8 text (in Excel: save as CSV UTF-8), got byte 0xe9 at 25"


# JSON

JSON_CALL = '"model": "gpt-4.1", "rpm": 600, "input_tokens": 1800, "output_tokens": 250'


@pytest.mark.parametrize("form", ['{{"workloads": [{{{}}}]}}', "[{{{}}}]", '\ufeff  [{{{}}}]'])  # fmt: skip
def test_json_is_told_by_its_first_character(read, form: str) -> None:
    (w,) = read(form.format(JSON_CALL + ', "cache_ratio": 0.4'), "anything.txt")
    assert (w.name, w.requests_per_minute, w.cache_ratio) == ("row-1", 600, Fraction(2, 5))


def test_json_numbers_are_exact(read) -> None:
    (w,) = read('[{"model": "m", "rpm": 0.1, "input_tokens": 1e3, "output_tokens": 900719925474, "cache_ratio": 0.30}]')
    assert (w.requests_per_minute, w.input_tokens, w.output_tokens) == (Fraction(1, 10), 1000, 900719925474)


def test_json_keeps_digits_that_a_float_would_lose(read) -> None:
    (w,) = read(f'[{{{JSON_CALL}, "cache_ratio": 0.12345678901234567891}}]')
    assert w.cache_ratio == Fraction(12345678901234567891, 10**20)


def test_json_profiles_and_nulls_are_read(read) -> None:
    (w,) = read(
        '[{"name": "a", "model": "m", "region": null, "input_tokens": 1, "output_tokens": 1, "profile": {"levels": [{"share": 1, "rpm": 5}]}}]'
    )
    assert w.requests_per_minute == 5 and w.region is None


def test_bad_json_values_are_refused_together_by_their_path(refused) -> None:
    text = '[{"model": "m", "rpm": NaN, "input_tokens": -Infinity, "output_tokens": 1.5}, {"model": "m", "rpm": 1, "input_tokens": {}, "output_tokens": true}]'
    problems = refused(text, "w.json")
    assert problems[:4] == [
        "w.json, workloads[0].rpm: expected a number over 0, got NaN",
        "w.json, workloads[0].input_tokens: expected a whole number, 0 or more, got -Infinity",
        "w.json, workloads[0].output_tokens: expected a whole number, 0 or more (round it: 2?), got 1.5",
        "w.json, workloads[1].input_tokens: expected a number, got {}",
    ]
    assert len(problems) == 5 and problems[4].startswith("w.json, workloads[1].output_tokens: expected a whole number")


def test_a_json_syntax_error_has_its_place(refused) -> None:
    assert refused('[{"model": "m",\n  "rpm" 5}]', "w.json") == [
        "w.json:2:9, JSON: expected valid JSON, got Expecting ':' delimiter"
    ]


def test_repeated_json_keys_are_refused(refused) -> None:
    assert refused(f'[{{{JSON_CALL}, "rpm": 5, "model": "x"}}]', "w.json") == [
        "w.json, JSON: expected each key once, got rpm",
        "w.json, JSON: expected each key once, got model",
    ]


def test_a_wrong_key_in_json_is_not_said_to_be_on_line_one(refused) -> None:
    (problem,) = refused(f'[\n  {{{JSON_CALL}}},\n  {{{JSON_CALL}, "colour": "red"}}\n]', "w.json")
    assert "workloads[1].colour: expected a key of a workload" in problem
    assert not problem.startswith("w.json:1:")


def test_endless_json_nesting_is_refused_not_crashed_on(refused) -> None:
    assert len(refused("[" * 200_000, "w.json")) == 1


@pytest.mark.parametrize(
    "text",
    ["{}", "[]", "[1]", '{"workloads": 5}', '[{"model": ["a"], "rpm": 1, "input_tokens": 1, "output_tokens": 1}]'],
)
def test_json_of_another_shape_is_refused_or_kept_as_text(in_tmp: Path, text: str) -> None:
    Path("w.json").write_text(text)
    with contextlib.suppress(BadInput):
        assert read_workloads("w.json")[0].model == "['a']"  # refused as an unknown model when it is sized


# Streams


def test_a_named_pipe_is_read_like_a_file(in_tmp: Path) -> None:
    os.mkfifo("pipe")
    text = "name,model,rpm,input_tokens,output_tokens\n" + "a,gpt-4.1,1,2,3\n" * 5000
    writer = threading.Thread(target=lambda: Path("pipe").write_text(text))
    writer.start()
    with WorkloadFile.open("pipe") as file:
        assert [sum(1 for _ in file.rows()) for _ in range(3)] == [5000] * 3  # as often as wanted
    writer.join(10)


def test_reading_a_pipe_leaves_no_file_open(in_tmp: Path) -> None:
    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: Path("pipe").write_text("model,rpm,input_tokens,output_tokens\nm,1,2,3\n"))
    writer.start()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert len(read_workloads("pipe")) == 1
        gc.collect()
    writer.join(10)
    assert [str(warning.message) for warning in seen] == []


def test_a_missing_file_and_a_directory_are_refused(in_tmp: Path) -> None:
    with pytest.raises(BadInput) as missing:
        read_workloads("no.yaml")
    assert str(missing.value) == "no.yaml, file: expected a file that can be read, got No such file or directory"
    with pytest.raises(BadInput) as directory:
        read_workloads(".")
    assert str(directory.value) == "., file: expected a file, got a directory"


def test_an_endless_pipe_of_no_text_is_refused_at_its_beginning() -> None:
    with pytest.raises(BadInput) as caught:
        WorkloadFile.open("/dev/zero")
    assert "a binary file" in str(caught.value)
