"""What formats say about their rows: what input and output hold, which rows are calls, which are there twice."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ptucalc.request_log import Finding, Stream

from .log_files import (
    HEADINGS,
    NOBODY,
    PLAIN,
    TEN_MINUTE,
    call,
    json_lines,
    minute,
    plain,
    refusal,
    seen,
    stamp,
    table,
    written,
)

CHAT = Stream("chat", "")


# --- What input and output hold


def langfuse(usage: Mapping[str, int], **more: object) -> dict[str, Any]:
    return {"id": "o1", "type": "GENERATION", "start_time": stamp(1), "model": "m", "usage_details": usage, **more}


def test_langfuse_keeps_cached_and_reasoning_tokens_apart_from_input_and_output(tmp_path: Path) -> None:
    usage = {"input": 100, "input_cached_tokens": 40, "output": 7, "output_reasoning_tokens": 5, "total": 152}
    found = seen(json_lines(tmp_path / "log.jsonl", [langfuse(usage), langfuse(usage, id="o2", type="SPAN")]))
    assert found.total == (1, 0, 100, 40, 0, 12)
    assert found.skipped == {"not_a_call": 1}
    assert found.finding("excludes_cached").rows == 1


def test_langfuse_reasoning_inside_the_output_by_the_total_is_not_added(tmp_path: Path) -> None:
    usage = {"input": 100, "input_cached_tokens": 40, "output": 7, "output_reasoning_tokens": 5, "total": 147}
    found = seen(json_lines(tmp_path / "log.jsonl", [langfuse(usage)]))
    assert found.total == (1, 0, 100, 40, 0, 7)
    assert found.finding("reasoning_counted_twice").rows == 1


def anthropic(**usage: int) -> dict[str, Any]:
    return {"timestamp": stamp(1), "model": "claude", "usage": usage}


def test_anthropics_input_excludes_what_was_read_from_and_written_to_the_cache(tmp_path: Path) -> None:
    one = anthropic(input_tokens=10, cache_read_input_tokens=200, cache_creation_input_tokens=30, output_tokens=4)
    two = anthropic(input_tokens=5, cache_read_input_tokens=0, cache_creation_input_tokens=0, output_tokens=1)
    found = seen(json_lines(tmp_path / "log.jsonl", [one, two]), thresholds=(239, 240))
    # prompts of 240 and 5 tokens: the first is over 239, not over 240
    assert found.rows == [minute(0, 1, 5, 0, 0, 1), minute(0, 1, 10, 200, 30, 4, band=1)]
    assert found.finding("excludes_cached").rows == 1
    assert found.source.ids == ""


def usage(prompt: int, completion: int, total: int, *, cached: int = 0, reasoning: int = 0) -> dict[str, Any]:
    return {
        "ts": stamp(0.5),
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": total,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        },
    }


@pytest.mark.parametrize(
    ("record", "total", "codes"),
    [
        (usage(100, 20, 120, cached=60, reasoning=15), (1, 0, 40, 60, 0, 20), set()),
        (usage(100, 20, 180, cached=60), (1, 0, 100, 60, 0, 20), {"excludes_cached"}),
        (usage(100, 20, 135, cached=60, reasoning=15), (1, 0, 40, 60, 0, 35), {"reasoning_added"}),
        (usage(100, 20, 195, cached=60, reasoning=15), (1, 0, 100, 60, 0, 35), {"reasoning_added"}),
        (usage(100, 20, 999, cached=60, reasoning=15), (1, 0, 40, 60, 0, 20), set()),
        (usage(10, 20, 90, cached=60), (1, 0, 10, 60, 0, 20), {"excludes_cached"}),
    ],
    ids=["inside", "cached-beside", "reasoning-beside", "both-beside", "no-sum-fits", "cached-above-input"],
)
def test_the_total_tells_whether_cached_and_reasoning_tokens_are_inside(
    record: dict[str, Any], total: tuple[int, ...], codes: set[str], tmp_path: Path
) -> None:
    found = seen(json_lines(tmp_path / "log.jsonl", [record]))
    if record["usage"]["total_tokens"] == 195:
        assert found.total in (total, (1, 0, 40, 60, 0, 20))  # two unlikely things at once: believed or left alone
        return
    assert found.total == total
    assert found.codes & {"excludes_cached", "reasoning_added", "reasoning_counted_twice"} == codes


def test_output_includes_reasoning_without_a_total_to_say_otherwise(tmp_path: Path) -> None:
    headings = f"{PLAIN},reasoning_tokens"
    assert seen(table(tmp_path / "log.csv", f"{plain(1, 10, 20)},15", headings=headings)).total == (1, 0, 10, 0, 0, 20)


# --- Which rows are calls

LITELLM = "request_id,call_type,total_tokens,prompt_tokens,completion_tokens,startTime,endTime,model,model_group,metadata,cache_hit,status"


def litellm(
    number: int,
    model: str,
    metadata: str = "{}",
    cache_hit: str = "False",
    status: str = "success",
    tokens: str = "12,10,2",
) -> str:
    quoted = '"' + metadata.replace('"', '""') + '"'
    return f"r{number},acompletion,{tokens},2026-11-02 10:00:0{number}.5,2026-11-02 10:01:00,{model},g,{quoted},{cache_hit},{status}"


def test_litellm_rows_that_its_own_cache_served_never_reached_a_deployment(tmp_path: Path) -> None:
    rows = [litellm(1, "azure/a"), litellm(2, "azure/a", cache_hit="True"), litellm(3, "azure/a", cache_hit="")]
    found = seen(table(tmp_path / "log.csv", *rows, headings=LITELLM))
    assert found.skipped == {"served_by_the_gateway_cache": 1}
    assert found.totals == {Stream("a", "g"): (2, 0, 20, 0, 0, 4)}


def test_litellm_deployments_lose_their_prefix_and_only_at_the_front(tmp_path: Path) -> None:
    rows = [litellm(1, "azure/a"), litellm(2, "my/azure/b"), litellm(3, "c")]
    found = seen(table(tmp_path / "log.csv", *rows, headings=LITELLM))
    assert {stream.deployment for stream in found.totals} == {"a", "my/azure/b", "c"}


def test_litellm_failures_have_their_code_inside_metadata(tmp_path: Path) -> None:
    code = '{"error_information": {"error_code": "%s"}}'
    rows = [
        litellm(1, "a"),
        litellm(2, "a", code % 429, status="failure", tokens="0,0,0"),
        litellm(3, "a", code % 400, status="failure", tokens="0,0,0"),
        litellm(4, "a", status="failure", tokens="0,0,0"),
    ]
    found = seen(table(tmp_path / "log.csv", *rows, headings=LITELLM))
    assert (found.skipped, found.total) == ({"failed_call": 2}, (1, 1, 10, 0, 0, 2))


def test_spilled_calls_are_demand_and_counted(tmp_path: Path) -> None:
    rows = [litellm(1, "a", '{"azure_spillover": {"from": "ptu"}}'), litellm(2, "a", '{"azure_spillover": null}')]
    found = seen(table(tmp_path / "log.csv", *rows, headings=LITELLM))
    assert (found.total[0], found.finding("spilled_added_back").rows) == (2, 1)


APIM = "TimeGenerated [UTC],CorrelationId,SequenceNumber,DeploymentName,ModelName,PromptTokens,CompletionTokens"


def test_message_chunks_of_api_management_are_no_calls_and_a_call_counts_once(tmp_path: Path) -> None:
    rows = [
        '"11/2/2026, 10:00:01.5 AM",c1,0,chat,gpt,100,10',
        '"11/2/2026, 10:00:01.5 AM",c1,1,,,,',
        '"11/2/2026, 10:00:01.5 AM",c1,2,,,,',
        '"11/2/2026, 10:00:01.5 AM",c1,0,chat,gpt,100,10',
        '"11/2/2026, 10:00:01.5 AM",c2,0,chat,gpt,100,10',
    ]
    found = seen(table(tmp_path / "log.csv", *rows, headings=APIM))
    assert found.skipped == {"message_chunk": 2, "duplicate": 1}
    assert found.total == (2, 0, 200, 0, 0, 20)


# --- Several files


WITH_ID = f"{HEADINGS},request_id"


def test_a_call_that_two_exports_hold_is_counted_once(tmp_path: Path) -> None:
    one = table(tmp_path / "1.csv", *(f"{call(at)},id{at}" for at in range(6)), headings=WITH_ID)
    two = table(
        tmp_path / "2.csv",
        *(f"{call(at)},id{at}" for at in range(4, 9)),
        f"{call(9)},",
        f"{call(9)},",
        headings=WITH_ID,
    )
    found = seen(one, two)
    assert found.total[0] == 11  # ids 0 to 8, and two calls without an id
    assert (found.skipped, found.finding("duplicate_rows").rows) == ({"duplicate": 2}, 2)
    assert found.source.ids == "ids compared over all 11"
    assert found.source.files == (str(one), str(two))


def test_the_same_file_twice_is_the_file_once_where_calls_have_ids(tmp_path: Path) -> None:
    path = table(tmp_path / "1.csv", *(f"{call(at)},id{at}" for at in range(6)), headings=WITH_ID)
    assert seen(path, path).total == seen(path).total


def test_a_file_that_is_given_twice_is_read_once_with_ids_or_without(tmp_path: Path) -> None:
    path = table(tmp_path / "1.csv", *(call(at) for at in range(6)))
    link = tmp_path / "the same.csv"
    link.symlink_to(path)
    found = seen(path, link)
    assert found.total == seen(path).total
    assert Finding("file_twice", 0, "1") in found.source.findings


def test_a_spilled_call_counts_for_the_deployment_that_it_came_from_where_the_row_says_so(tmp_path: Path) -> None:
    headings = "timestamp,deployment,input_tokens,output_tokens,spilled"
    told = '"{""is_spilled_over"": true, ""spillover_from_deployment"": ""chat-ptu""}"'
    rows = [f"{stamp()},chat-std,5,1,{text}" for text in (told, "chat-ptu", "true", "false", "")]
    found = seen(table(tmp_path / "1.csv", *rows, headings=headings), columns={"spilled": "spilled"})
    calls = {stream.deployment: profile.requests for stream, profile in found.profiles.items()}
    assert calls == {"chat-ptu": 2, "chat-std": 3}
    assert Finding("spilled_added_back", 3) in found.source.findings


def test_a_retry_that_was_throttled_before_is_one_call(tmp_path: Path) -> None:
    """Of rows with one id the one whose tokens are known says most."""
    rows = [f"{call(0, ',,', status='429')},a", f"{call(1)},a", f"{call(2)},b"]
    found = seen(table(tmp_path / "1.csv", *rows, headings=WITH_ID))
    assert found.total[2] == 2000


def test_an_id_that_a_session_shares_is_no_duplicate(tmp_path: Path) -> None:
    rows = [
        {"timestamp": str(at), "input_length": 5, "output_length": 1, "session_id": "s", "hash_ids": {"sys_prompt": []}}
        for at in range(3)
    ]
    found = seen(json_lines(tmp_path / "log.jsonl", rows))
    assert (found.source.formats, found.total[0], found.source.ids) == (("RAGPulse trace",), 3, "")
    headings = "trace_id,timestamp,input_tokens,output_tokens"
    spans = table(tmp_path / "log.csv", *(f"t,{plain(at)}" for at in range(3)), headings=headings)
    assert seen(spans).total[0] == 3


def test_files_of_one_format_are_one_log(tmp_path: Path) -> None:
    paths = [table(tmp_path / f"{at}.csv", call(at * 60)) for at in (2, 0, 1)]
    found = seen(*paths)
    assert found.rows == [minute(at, 1, 1000, 0, 0, 100) for at in range(3)]
    assert found.source.formats == ("ptucalc requests",)


def test_files_of_two_formats_are_one_log_too(tmp_path: Path) -> None:
    one = table(tmp_path / "1.csv", call(0, "100,40,10"))
    record = usage(50, 5, 55, cached=20) | {"deployment": "chat", "ts": stamp(61)}
    two = json_lines(tmp_path / "2.jsonl", [record])
    three = table(tmp_path / "3.csv", f"{stamp(130)},1,2,9", headings=f"{PLAIN},cache_write_tokens")
    found = seen(one, two, skip_bad=True)
    assert found.rows == [minute(0, 1, 60, 40, 0, 10), minute(1, 1, 30, 20, 0, 5)]
    assert found.source.formats == ("ptucalc requests", "columns told by their names")
    assert set(seen(one, two, three, skip_bad=True).skipped) == {"cached_above_input"}


def test_files_with_ids_and_without_go_together(tmp_path: Path) -> None:
    one = table(tmp_path / "1.csv", f"{call()},x", f"{call()},x", headings=WITH_ID)
    two = table(tmp_path / "2.csv", call(1), call(1))
    found = seen(one, two)
    assert (found.total[0], found.skipped) == (3, {"duplicate": 1})


def test_packed_and_plain_tables_and_lines_go_together(tmp_path: Path) -> None:
    text = f"{HEADINGS}\n{call()}\n"
    found = seen(
        written(tmp_path / "1.csv.gz", text),
        written(tmp_path / "2.csv", text),
        written(tmp_path / "3.tsv", text.replace(",", "\t")),
        written(tmp_path / "4.csv", text.replace(",", ";")),
    )
    assert found.total == (4, 0, 4000, 0, 0, 400)


def test_one_bad_file_among_good_ones_is_named(tmp_path: Path) -> None:
    good, bad = table(tmp_path / "good.csv", call()), table(tmp_path / "bad.csv", "1", headings="number")
    assert all(line.startswith(f"{bad}, ") for line in refusal(good, bad).splitlines())


# --- How text is laid out


def test_standard_input_is_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    data = f"{HEADINGS}\n{call()}\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    found = seen("-")
    assert (found.total, found.source.files) == ((1, 0, 1000, 0, 0, 100), ("stdin",))


def test_a_file_that_is_called_stdin_is_that_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    table(tmp_path / "stdin", call())
    assert seen("stdin").total[0] == 1


TEXT = f"{HEADINGS}\n{call(0)}\n{call(61)}\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.rstrip("\n").encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        TEXT.replace("\n", "\r\n", 2).encode(),
        TEXT.replace("\n", "\r\n", 1).encode(),
        TEXT.replace("\n", "\n\n").encode(),
        b"\n\n" + TEXT.encode(),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode(),
        TEXT.replace(",", "|").encode(),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        (",".join(f'"{name}"' for name in HEADINGS.split(",")) + "\n" + "".join(TEXT.splitlines(True)[1:])).encode(),
        TEXT.replace(",", " , ").encode(),
        b"sep=;\r\n" + TEXT.replace(",", ";").replace("\n", "\r\n").encode(),
    ],
    ids=["plain", "no-end", "bom", "crlf", "cr", "mixed", "mixed-2", "blank-lines", "blank-first", "semicolons", "tabs", "bars", "utf-16", "utf-16-be", "quoted-headings", "spaces", "sep-line"],
)  # fmt: skip
def test_a_table_is_read_however_its_lines_and_cells_end(data: bytes, tmp_path: Path) -> None:
    found = seen(written(tmp_path / "log.csv", data))
    assert found.totals == {CHAT: (2, 0, 2000, 0, 0, 200)}
    assert [row[0] for row in found.rows] == [0, 1]


def test_a_cell_may_hold_line_ends_and_marks(tmp_path: Path) -> None:
    rows = ['"a\nb,""c"";d",' + plain(0), '"a\r\nb",' + plain(1), f'"{{""x"": [1, 2]}}",{plain(2)}']
    found = seen(table(tmp_path / "log.csv", *rows, headings=f"prompt,{PLAIN}"))
    assert (found.total, found.source.rows) == ((3, 0, 3, 0, 0, 6), 3)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "log.csv", f"{plain()},3", headings=f"{PLAIN},input_tokens")
    assert refusal(path) == f"{path}, columns: expected one column of that name, got input_tokens"
    assert seen(table(tmp_path / "2.csv", f"{plain()},,", headings=f"{PLAIN},,")).total[0] == 1


@pytest.mark.parametrize(
    "text",
    [
        '{"data": [\n  {"timestamp": "%s", "input_tokens": 1, "output_tokens": 2},\n  {"timestamp": "%s", "input_tokens": 1, "output_tokens": 2}\n]}\n',
        '{\n "requests": [\n  {"timestamp": "%s", "input_tokens": 1, "output_tokens": 2},\n  {"timestamp": "%s", "input_tokens": 1, "output_tokens": 2}\n ]\n}',
        '[{"timestamp": "%s", "input_tokens": 1, "output_tokens": 2},\n{"timestamp": "%s", "input_tokens": 1, "output_tokens": 2}]',
        '[\n{"timestamp": "%s", "input_tokens": 1, "output_tokens": 2}\n,\n{"timestamp": "%s", "input_tokens": 1, "output_tokens": 2}\n]',
        '\ufeff[{"timestamp": "%s", "input_tokens": 1, "output_tokens": 2}, {"timestamp": "%s", "input_tokens": 1, "output_tokens": 2}]',
        '{"timestamp": "%s", "input_tokens": 1, "output_tokens": 2}\n{"timestamp": "%s", "input_tokens": 1, "output_tokens": 2}',
        '\ufeff{"timestamp": "%s", "input_tokens": 1, "output_tokens": 2}\r\n\r\n{"timestamp": "%s", "input_tokens": 1, "output_tokens": 2}\r\n',
        '{"timestamp": "%s", "input_tokens": 1, "output_tokens": 2, "m": "\u2028\x85"}\n{"timestamp": "%s", "input_tokens": 1, "output_tokens": 2}\n',
    ],
    ids=["one-a-line", "last-alone", "list", "commas-apart", "bom", "lines", "lines-bom-crlf", "line-separators-in-text"],
)  # fmt: skip
def test_a_document_or_lines_of_json_are_read_however_they_are_laid_out(text: str, tmp_path: Path) -> None:
    found = seen(written(tmp_path / "log.json", text % (stamp(0.5), stamp(1.5))))
    assert found.total == (2, 0, 2, 0, 0, 4)


# --- --map


def test_columns_are_mapped_by_hand(tmp_path: Path) -> None:
    headings = "when,who,weird in,weird out,hit"
    path = table(tmp_path / "log.csv", f"{stamp()},chat,10,2,4", headings=headings)
    given = {
        "timestamp": "when",
        "deployment": "who",
        "input_tokens": "weird in",
        "output_tokens": "weird out",
        "cached_input_tokens": "hit",
    }
    found = seen(path, columns=given)
    assert found.totals == {CHAT: (1, 0, 6, 4, 0, 2)}
    assert found.source.columns == given


def test_a_column_by_hand_overrules_the_one_that_the_name_tells(tmp_path: Path) -> None:
    path = table(tmp_path / "log.csv", f"{plain(0, 10, 2)},7", headings=f"{PLAIN},billed")
    assert seen(path, columns={"input_tokens": "billed"}).total == (1, 0, 7, 0, 0, 2)


def test_dotted_keys_reach_into_json_and_into_cells(tmp_path: Path) -> None:
    record = {"at": stamp(), "a": {"b.c": {"d/e~f": {'it\'s "5"': 5}}}, "text": json.dumps({"out": {"n": 6}})}
    columns = {"timestamp": "at", "input_tokens": 'a.b.c.d/e~f.it\'s "5"', "output_tokens": "text.out.n"}
    found = seen(json_lines(tmp_path / "log.jsonl", [record]), columns=columns)
    assert found.total == (1, 0, 5, 0, 0, 6)
    cell = '"{""in"": {""n"": 5}}"'
    path = table(tmp_path / "log.csv", f"{stamp()},{cell},6", headings="timestamp,usage,output_tokens")
    assert seen(path, columns={"input_tokens": "usage.in.n"}).total == (1, 0, 5, 0, 0, 6)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"inputs": "input_tokens"}, ["inputs", "input_tokens, cached_input_tokens"]),
        ({"input_tokens": "inputt"}, ["input_tokens", "inputt", "output_tokens"]),
        ({"input_tokens": "usage.prompt"}, ["input_tokens", "usage.prompt"]),
    ],
)
def test_a_field_or_column_that_is_not_there_is_refused_with_those_that_are(
    columns: dict[str, str], words: list[str], tmp_path: Path
) -> None:
    message = refusal(table(tmp_path / "log.csv", plain(), headings=PLAIN), columns=columns)
    assert [word for word in words if word not in message] == []
    assert str(tmp_path) in message


def test_the_time_zone_of_a_heading_wins_over_none_and_is_pointed_out_where_it_is_local(tmp_path: Path) -> None:
    headings = "TimeGenerated [{}],DeploymentName,PromptTokens,CompletionTokens"
    row = '"11/13/2026, 12:00:00.125 AM",chat,1,2'
    tagged = seen(table(tmp_path / "1.csv", row, headings=headings.format("UTC")))
    midnight = TEN_MINUTE + 11 * 1440 - 600
    assert (tagged.source.first, tagged.source.time_zone) == (midnight * 60_000_000 + 125_000, "UTC")
    local = seen(table(tmp_path / "2.csv", row, headings=headings.format("Local Time")))
    assert (local.source.first, local.source.time_zone) == (tagged.source.first, "UTC (assumed)")
    assert "local_time" in local.codes
    told = seen(table(tmp_path / "2.csv", row, headings=headings.format("Local Time")), time_zone="+01:00")
    assert (told.source.first, "local_time" in told.codes) == (tagged.source.first - 3_600_000_000, False)


def test_a_format_without_token_counts_is_refused_with_what_has_them(tmp_path: Path) -> None:
    record = {
        "category": "RequestResponse",
        "operationName": "ChatCompletions_Create",
        "properties": {"requestLength": 5},
    }
    message = refusal(json_lines(tmp_path / "log.jsonl", [record]))
    assert "these lengths are bytes" in message and "ptucalc logs --kql" in message


def test_nothing_says_who_was_called_where_the_log_does_not(tmp_path: Path) -> None:
    assert set(seen(table(tmp_path / "log.csv", plain(), headings=PLAIN)).totals) == {NOBODY}
