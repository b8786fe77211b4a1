"""`ptucalc tokens`, and prompts as the call of `size`, `cost` and plans: answers, forms, refusals.

By hand, in o200k_base: "hello world" is 2 tokens (24912, 2375), and each further " hello" or " world" is one. A chat
request has 3 for each message, its role (1) and content, and 3 for the reply: 9 for one message of "hello world". As gpt-4.1
an output token weighs 4 and a PTU serves 3,000 weighted tokens a minute.
"""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from ptucalc import token_documents
from ptucalc.read import prompt_counting
from ptucalc.report import token_blocks

ROOT = Path(__file__).parent.parent
TEXT = "hello world"
MODEL = ("-m", "gpt-4.1")


def body(content: str = TEXT, **more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": content}], **more}


def write(name: str, *bodies: Any) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    text = bodies[0] if isinstance(bodies[0], str) else "".join(json.dumps(each) + "\n" for each in bodies)
    Path(name).write_text(text, encoding="utf-8")
    return name


def document(ran: Any) -> dict[str, Any]:
    assert ran.code == 0, ran
    found: dict[str, Any] = json.loads(ran.out)
    return found


def without_version(text: str) -> str:
    """The text without tiktoken's version, which says nothing of ours."""
    return re.sub(r"(tiktoken\s+)[\w.]*\w", r"\1N.N.N", text)


# Whole reports


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("tokens-folder.txt", ("examples/prompts", *MODEL)),
        ("tokens-lines.txt", ("examples/prompts/tickets.jsonl",)),
        ("tokens-lines.md", ("examples/prompts/tickets.jsonl", "-o", "markdown")),
        ("tokens-lines.csv", ("examples/prompts/tickets.jsonl", "-o", "csv")),
        ("tokens-chat-verbose.txt", ("examples/prompts/chat-request.json", "-v")),
        ("tokens-responses.json", ("examples/prompts/responses-request.json", "-o", "json")),
        ("tokens-approx.txt", ("examples/prompts/answer.txt", "-m", "DeepSeek-V3.2", "--approx")),
    ],
)  # fmt: skip
def test_whole_reports_are_as_read_and_checked(
    cli: Callable, golden: Callable, in_root: Path, name: str, arguments: tuple[str, ...]
) -> None:
    ran = cli("tokens", *arguments)
    assert (ran.code, ran.err) == (0, "")
    assert "\x1b" not in ran.out
    golden(name, without_version(ran.out))


def test_sizes_of_prompts_are_as_read_and_checked(cli: Callable, golden: Callable, in_root: Path) -> None:
    files = ("--prompt-file", "examples/prompts/tickets.jsonl", "--completion-file", "examples/prompts/answer.txt")
    ran = cli("size", *files, "--rpm", "60", "--sku", "global")
    assert (ran.code, ran.err) == (0, "")
    golden("size-prompts.txt", without_version(ran.out))


# What is counted


def test_a_text_is_its_tokens_and_a_request_has_the_frame_of_its_messages(cli: Callable, in_tmp: Path) -> None:
    write("a.txt", TEXT)
    write("b.json", body())
    write("c.jsonl", body(), body(f"{TEXT} hello"), {"custom_id": "t", "url": "/chat/completions", "body": body()})
    found = document(cli("tokens", "a.txt", "b.json", "c.jsonl", "-m", "gpt-4o", "--json"))
    counted = {file["path"]: [request["input_tokens"] for request in file["requests"]] for file in found["files"]}
    assert counted == {"a.txt": [2], "b.json": [9], "c.jsonl": [9, 10, 9]}
    totals = found["totals"]
    assert (totals["requests"], totals["input_tokens"], totals["mean_input_tokens"]) == (5, 39, 7.8)
    assert [totals[f"{name}_input_tokens"] for name in ("p50", "p90", "p99", "max")] == [9, 10, 10, 10]
    assert (found["encoding"], found["encoding_verified"], found["model"]) == ("o200k_base", True, "gpt-4o")
    assert [request["source"] for request in found["files"][2]["requests"]] == ["c.jsonl:1", "c.jsonl:2", "c.jsonl:3"]
    assert found["files"][2]["requests"][2]["custom_id"] == "t"


@pytest.mark.parametrize(("encoding", "tokens"), [("cl100k_base", 129), ("o200k_base", 124)])
def test_the_published_example_comes_out_of_a_file(cli: Callable, in_tmp: Path, encoding: str, tokens: int) -> None:
    says = ["name", "content"]
    messages = [
        ("", "You are a helpful, pattern-following assistant that translates corporate jargon into plain English."),
        ("example_user", "New synergies will help drive top-line growth."),
        ("example_assistant", "Things working well together will increase revenue."),
        ("example_user", "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage."),
        ("example_assistant", "Let's talk later when we're less busy about how to do better."),
    ]  # fmt: skip
    listed = [{"role": "system", **{k: v for k, v in zip(says, each, strict=True) if v}} for each in messages]
    last = "This late pivot means we don't have time to boil the ocean for the client deliverable."
    write("a.json", [*listed, {"role": "user", "content": last}])
    found = document(cli("tokens", "a.json", "--encoding", encoding, "--json"))
    assert found["totals"]["input_tokens"] == tokens


def test_special_text_is_text(cli: Callable, in_tmp: Path) -> None:
    found = document(cli("tokens", write("a.txt", "<|endoftext|>"), "-m", "gpt-4o", "--json"))
    assert found["totals"]["input_tokens"] > 1


def test_the_model_of_the_flag_counts_all_whatever_they_name(cli: Callable, in_tmp: Path) -> None:
    write("a.jsonl", body(model="gpt-4o"), body(model="my-deployment"), body(model="gpt-4"))
    found = document(cli("tokens", "a.jsonl", *MODEL, "--json"))
    assert found["model"] == "gpt-4.1"
    assert [request["model"] for request in found["files"][0]["requests"]] == ["gpt-4o", "my-deployment", "gpt-4"]


def test_standard_input_is_told_by_its_content(cli: Callable) -> None:
    text = document(cli("tokens", "-", "-m", "gpt-4o", "--json", stdin=b"hello world"))
    assert (text["files"][0]["path"], text["totals"]["input_tokens"]) == ("stdin", 2)
    lines = document(cli("tokens", "-", "--json", stdin=(json.dumps(body()) + "\n").encode() * 3))
    assert (lines["totals"]["requests"], lines["totals"]["input_tokens"]) == (3, 27)


def test_a_table_can_be_counted_as_text_through_standard_input(cli: Callable) -> None:
    assert document(cli("tokens", "-", *MODEL, "--json", stdin=b"hello,world\n"))["totals"]["input_tokens"] == 4


def test_the_rows_and_the_document_have_the_shape_that_is_promised(cli: Callable, in_tmp: Path) -> None:
    write("p/a.txt", TEXT)
    write("p/b.jsonl", body(), body(max_tokens=7))
    written = document(cli("tokens", "p", "-m", "gpt-4o", "--json"))
    adapter = TypeAdapter(token_documents.TokensDocument)
    assert adapter.validate_python(written, strict=True) == written
    rows = list(csv.DictReader(io.StringIO(cli("tokens", "p", "-m", "gpt-4o", "-o", "csv").out)))
    assert [(row["source"], row["input_tokens"], row["max_tokens"]) for row in rows] == [
        ("p/a.txt", "2", ""),
        ("p/b.jsonl:1", "9", ""),
        ("p/b.jsonl:2", "9", "7"),
    ]


def test_parts_are_shown_when_asked_for(cli: Callable, in_tmp: Path) -> None:
    write("a.jsonl", body(), body(f"{TEXT} hello"))
    assert "messages[0]" not in cli("tokens", "a.jsonl").out
    out = cli("tokens", "a.jsonl", "-v").out
    lines = [line.split() for line in out.splitlines() if line.strip().startswith("messages[0]")]
    assert lines == [["messages[0]", "user", "6", "published"], ["messages[0]", "user", "7", "published"]]
    (single,) = document(cli("tokens", write("b.json", body()), "--json"))["files"][0]["requests"]
    assert [(part["label"], part["input_tokens"]) for part in single["parts"]] == [("messages[0]", 6), ("reply", 3)]


def test_approximations_are_labelled_everywhere(cli: Callable, in_tmp: Path) -> None:
    write("a.txt", TEXT)  # 11 characters, 4 to a token
    for shape in ("table", "markdown", "csv", "json"):
        ran = cli("tokens", "a.txt", "--approx", "-o", shape)
        assert ran.code == 0 and "estimate" in ran.out
        assert "3 input tokens (estimate)" in ran.out or shape in ("csv", "json")
    found = document(cli("tokens", "a.txt", "--approx", "--json"))
    assert (found["totals"]["input_tokens"], found["encoding"], found["tokenizer"]) == (3, None, None)
    assert found["totals"]["basis"] == "estimate"


def test_an_encoding_that_is_not_known_to_be_the_models_makes_an_estimate(cli: Callable, in_tmp: Path) -> None:
    write("a.txt", TEXT)

    def basis(*arguments: str) -> tuple[Any, ...]:
        found = document(cli("tokens", "a.txt", "--json", *arguments))
        return found["totals"]["basis"], found["encoding_verified"]

    assert basis("-m", "gpt-6-sol", "--encoding", "o200k_base") == ("estimate", False)
    assert basis("-m", "gpt-4o", "--encoding", "cl100k_base") == ("estimate", False)
    assert basis("-m", "gpt-4o", "--encoding", "o200k_base") == ("published", True)
    assert basis("--encoding", "o200k_base") == ("published", None)


def test_what_was_passed_over_is_said(cli: Callable, in_tmp: Path) -> None:
    for name in ("p/a.txt", "p/b.png", "p/c.py"):
        write(name, TEXT)
    write("p/d.md", json.dumps(body()))
    out = cli("tokens", "p", "p/a.txt", *MODEL, "--json").out
    notes = {note["code"]: note["message"] for note in json.loads(out)["notes"]}
    assert notes["files_skipped"] == "passed over, as their endings are not those of prompts: p/b.png, p/c.py."
    assert notes["file_twice"] == "given twice and counted once: p/a.txt."
    assert notes["looks_like_json"].startswith(
        "counted as bare text, as the ending says, though it reads as a request: p/d.md."
    )


def test_names_cannot_steer_a_terminal(cli: Callable, in_tmp: Path) -> None:
    line = {"custom_id": "\x1b[2J\u202eevil", "url": "/responses", "body": {"input": TEXT}}
    ran = cli("tokens", write("a\x1b[1m.jsonl", line, line), *MODEL, "-v")
    assert ran.code == 0 and "\x1b" not in ran.out and "\u202e" not in ran.out
    assert "\\x1b[2J" in ran.out


def test_of_very_many_requests_and_files_a_table_has_the_first_and_says_how_many_more(
    cli: Callable, in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_blocks, "MOST_ROWS", 3)
    for count, more in ((3, False), (4, True)):
        write("a.jsonl", *[body()] * count)
        out = cli("tokens", "a.jsonl", "-v").out
        assert ("1 more\n" in re.sub(r" +\n", "\n", out)) is more
        assert ("1 more requests; -o json has the parts of all." in out) is more
        assert (out.count("line "), out.count("messages[0]")) == (3, 3)
        for number in range(count):
            write(f"p{count}/{number}.json", body())
        out = cli("tokens", f"p{count}").out
        assert ("1 more files" in out) is more and out.count(".json ") == 3
        assert f" {9 * count} input tokens" in out


def test_what_the_service_adds_makes_a_lower_bound_everywhere(cli: Callable, in_tmp: Path) -> None:
    searching = body(web_search_options={})
    write("a.jsonl", searching, body())
    out = cli("tokens", "a.jsonl", "-v").out
    assert "at least 18 input tokens" in out and "≥ 18" in out and out.count("≥ 9") == 2
    rows = list(csv.DictReader(io.StringIO(cli("tokens", "a.jsonl", "-o", "csv").out)))
    assert [row["is_lower_bound"] for row in rows] == ["True", "False"]
    assert "at least 9 input tokens" in cli("tokens", write("b.json", searching)).out
    call = ("--rpm", "1", "--output-tokens", "1", "--json")
    notes = document(cli("size", "--prompt-file", "b.json", *call))["notes"]
    assert any("; the service adds to them." in note["message"] for note in notes)


# What is refused


def test_without_files_it_says_what_to_give(refuses: Callable) -> None:
    expected = "Error  FILE: (empty) should be prompts to count: files, folders, or - for standard input\n"
    assert refuses("tokens", *MODEL) == expected


def test_a_text_needs_a_model_or_an_encoding(refuses: Callable, in_tmp: Path) -> None:
    for name in ("a.txt", "b.txt"):
        write(name, TEXT)
    expected = "Error  a.txt: model: (empty) should be the model that it is for: -m MODEL (or --encoding NAME)\n"
    assert refuses("tokens", "a.txt", "b.txt") == expected


def test_a_deployments_name_is_told_once_however_many_requests_have_it(refuses: Callable, in_tmp: Path) -> None:
    write("a.jsonl", *[body(model="chat-prod")] * 50, body(model="chat-test"))
    message = refuses("tokens", "a.jsonl")
    assert message.count("chat-prod should be a known model") == 1 and message.count("chat-test should be") == 1
    assert "a.jsonl:1: " in message and "of a deployment say which model it is: -m MODEL" in message


def test_models_of_several_encodings_are_not_added_up(refuses: Callable, cli: Callable, in_tmp: Path) -> None:
    write("a.jsonl", body(model="gpt-4o"), body(model="gpt-4.1"), body(model="gpt-4"), body(model="gpt-35-turbo"))
    message = refuses("tokens", "a.jsonl")
    assert (
        "a.jsonl:3: model: gpt-4 should be a model of one encoding with the others (o200k_base, not cl100k_base)"
        in message
    )
    assert "a.jsonl:4" in message and "a.jsonl:2" not in message
    assert cli("tokens", "a.jsonl", "--encoding", "o200k_base").code == 0


@pytest.mark.parametrize("model", ["gpt-6-sol", "DeepSeek-V3.2"])
def test_a_model_without_an_encoding_is_refused_with_the_ways_out(model: str, refuses: Callable, in_tmp: Path) -> None:
    message = refuses("tokens", write("a.txt", TEXT), "-m", model)
    assert message.startswith(f"Error  --model: {model} should be a model whose encoding is known")
    assert message.endswith("; --encoding NAME counts in another one, --approx estimates\n")


def test_every_wrong_flag_and_file_is_told_at_once(refuses: Callable, in_tmp: Path) -> None:
    flags = ("--approx", "--encoding", "o200k_base", "--image-size", "3", "-m", "zzz")
    assert refuses("tokens", "none.txt", *flags).splitlines() == [
        "Error  4 values cannot be used",
        "       none.txt: file: no such file should be a file or folder of prompts, or - for stdin",
        "       --encoding: o200k_base should be left out: --approx counts characters, in no encoding",
        "       --image-size: 3 should be width and height in pixels, such as 1024x768",
        "       --model: zzz should be a known model (see: ptucalc models)",
    ]


def test_every_wrong_file_and_request_is_told_at_once(refuses: Callable, cli: Callable, in_tmp: Path) -> None:
    write("a.txt", " ")
    write("b.jsonl", body(), {"messages": []}, {"n": 1})
    Path("b.jsonl").write_text(Path("b.jsonl").read_text() + "no json\n")
    write("c.txt", TEXT)
    message = refuses("tokens", "a.txt", "b.jsonl", "c.txt", *MODEL)
    assert [line.split(": ")[0].strip() for line in message.splitlines()[1:]] == ["a.txt", "b.jsonl:2", "b.jsonl:3", "b.jsonl:4:1"]  # fmt: skip
    found = json.loads(cli("tokens", "a.txt", "--json", *MODEL).out)
    assert (found["schema"], len(found["problems"])) == ("ptucalc.error/1", 1)


def test_of_very_many_problems_some_are_counted(cli: Callable, in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompt_counting, "MOST_PROBLEMS", 10)
    write("a.jsonl", *[{"n": 1}] * 25)
    found = json.loads(cli("tokens", "a.jsonl", *MODEL, "--json").out)
    assert (len(found["problems"]), found["uncounted"]) == (10, 15)


def test_a_closed_pipe_is_no_error() -> None:
    command = (
        f"{sys.executable} -m ptucalc tokens examples/prompts/tickets.jsonl -v | head -n 2; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert (done.stdout.splitlines()[-1], done.stderr) == ("0", "")


# Prompts as the call of a workload


def test_the_mean_of_prompts_is_sized_exactly(cli: Callable, in_tmp: Path) -> None:
    write("p/a.txt", TEXT)
    write("p/b.txt", f"{TEXT} hello")
    write("answer.txt", "hello world " * 5)
    found = document(cli("size", *MODEL, "--rpm", "600", "--prompt-file", "p", "--output-tokens", "10", "--json"))
    (workload,) = found["workloads"]
    # 600 x (2.5 + 4 x 10) = 25,500; / 3,000 = 8.5 PTU
    assert (workload["input_tokens"], workload["weighted_tpm"]) == (2.5, 25_500)
    assert [size["raw_ptu"] for size in workload["sizes"]][:1] == [8.5]
    note = next(note for note in found["notes"] if note["code"] == "tokens_counted")
    assert note["message"].startswith("input tokens are those of the mean of 2 requests in p (2 in the median, 3 at most), counted in o200k_base")  # fmt: skip


def test_the_rounded_size_knows_the_mean_is_not_whole(cli: Callable, in_tmp: Path) -> None:
    """36,000 calls of 1.25 tokens are exactly 15 PTU; a hair more is 20."""
    for name, text in (("a", "hello"), ("b", "hello"), ("c", "hello"), ("d", TEXT)):
        write(f"p/{name}.txt", text)
    call = ("size", *MODEL, "--prompt-file", "p", "--output-tokens", "0", "--sku", "global", "--json")
    exactly = document(cli(*call, "--rpm", "36000"))["workloads"][0]["sizes"][0]
    assert (exactly["raw_ptu"], exactly["ptu"]) == (15, 15)
    assert document(cli(*call, "--rpm", "36000.01"))["workloads"][0]["sizes"][0]["ptu"] == 20


def test_answers_give_the_output_tokens(cli: Callable, in_tmp: Path) -> None:
    write("p.txt", TEXT)
    write("a/1.txt", TEXT)
    write("a/2.txt", f"{TEXT} hello")
    ran = cli("size", *MODEL, "--rpm", "1", "--prompt-file", "p.txt", "--completion-file", "a", "--json")
    (workload,) = document(ran)["workloads"]
    assert (workload["input_tokens"], workload["output_tokens"]) == (2, 2.5)
    alone = cli("size", *MODEL, "--rpm", "1", "--input-tokens", "7", "--completion-file", "a", "--json")
    assert document(alone)["workloads"][0]["output_tokens"] == 2.5
    assert any("a text holds no reasoning" in note["message"] for note in document(alone)["notes"])


def test_the_model_may_come_from_the_requests(cli: Callable, refuses: Callable, in_tmp: Path) -> None:
    write("one.jsonl", body(), body(max_tokens=50))
    call = ("--rpm", "1", "--output-tokens", "1", "--json")
    assert document(cli("size", "--prompt-file", "one.jsonl", *call))["workloads"][0]["model"] == "gpt-4o"
    write("two.jsonl", body(), body(model="gpt-4.1"))
    assert "--model: (empty) should be a model name" in refuses("size", "--prompt-file", "two.jsonl", *call[:-1])


def test_a_shared_beginning_is_told_and_not_applied(cli: Callable, in_root: Path) -> None:
    ran = cli("size", "--prompt-file", "examples/prompts/tickets.jsonl", "--rpm", "1", "--output-tokens", "1", "--json")
    found = document(ran)
    (note,) = (note for note in found["notes"] if note["code"] == "shared_prefix")
    assert "It is not applied; --cache-ratio" in note["message"] and found["workloads"][0]["cache_ratio"] == 0
    assert "few_requests" not in {note["code"] for note in found["notes"]}


def test_the_inverse_and_the_cost_take_prompts_too(cli: Callable, in_tmp: Path) -> None:
    write("p.txt", TEXT)
    call = (*MODEL, "--prompt-file", "p.txt", "--output-tokens", "7", "--json")
    rates = document(cli("size", *call, "--ptu", "15"))
    # a call weighs 2 + 4 x 7 = 30: 15 x 3,000 / 30 = 1,500
    assert rates["rates"][0]["max_requests_per_minute"] == 1500
    cost = document(cli("cost", *call, "--rpm", "60", "--sku", "global"))
    # 60 x 43,800 minutes x 2 tokens
    assert cost["deployments"][0]["tokens_per_month"]["input"] == 5_256_000
    for found in (rates, cost):
        assert "tokens_counted" in {note["code"] for note in found["notes"]}


def test_a_value_and_the_file_that_it_would_follow_from_are_an_error(refuses: Callable, in_tmp: Path) -> None:
    write("p.txt", TEXT)
    both = ("--prompt-file", "p.txt", "--input-tokens", "2", "--completion-file", "p.txt", "--output-tokens", "1")
    assert refuses("size", *MODEL, "--rpm", "-1", *both).splitlines() == [
        "Error  3 values cannot be used",
        "       --prompt-file: p.txt should be left out, or input_tokens left out: both say the same",
        "       --completion-file: p.txt should be left out, or output_tokens left out: both say the same",
        "       --rpm: -1 should be a number over 0",
    ]
    message = refuses("size", *MODEL, "--rpm", "1", "--prompt-file", "p.txt")
    assert message == "Error  --output-tokens: (empty) should be a whole number, 0 or more\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--prompt-file", "none.txt"), "none.txt: file: no such file should be a file or folder of prompts, or - for stdin"),
        (("--prompt-file", ""), "--prompt-file: (empty) should be a file"),
        (("--prompt-file", "p.txt", "--encoding", "x"), "--encoding: x should be cl100k_base or o200k_base or o200k_harmony"),
        (("--input-tokens", "1", "--approx"), "--approx: true should be left out, or beside a prompt_file or completion_file"),
    ],
)  # fmt: skip
def test_prompts_that_cannot_be_counted_are_refused_in_one_line(
    arguments: tuple[str, ...], message: str, refuses: Callable, in_tmp: Path
) -> None:
    write("p.txt", TEXT)
    assert refuses("size", *MODEL, "--rpm", "1", "--output-tokens", "1", *arguments) == f"Error  {message}\n"


def test_an_answer_is_a_text(refuses: Callable, in_tmp: Path) -> None:
    write("a.json", body())
    message = refuses("size", *MODEL, "--rpm", "1", "--input-tokens", "1", "--completion-file", "a.json")
    assert message == "Error  a.json: completion_file: a request should be the text of an answer, without anything around it (a .txt is bare text, whatever is in it)\n"  # fmt: skip


def test_standard_input_is_one_of_the_two(refuses: Callable, cli: Callable) -> None:
    call = ("size", *MODEL, "--rpm", "1")
    message = refuses(*call, "--prompt-file", "-", "--completion-file", "-", stdin=b"hello world")
    assert message == "Error  --completion-file: - should be a file: standard input is the prompt\n"
    ran = cli(*call, "--prompt-file", "-", "--output-tokens", "1", "--json", stdin=b"hello world")
    assert document(ran)["workloads"][0]["input_tokens"] == 2


def test_prompt_flags_beside_a_file_of_workloads_are_refused(refuses: Callable, in_root: Path) -> None:
    flags = (
        "--prompt-file",
        "p.txt",
        "--completion-file",
        "a.txt",
        "--encoding",
        "x",
        "--approx",
        "--image-size",
        "1x1",
    )
    for command in ("size", "cost"):
        message = refuses(command, "examples/workloads.csv", *flags)
        for flag in ("--prompt-file", "--completion-file", "--encoding", "--approx", "--image-size"):
            assert f"{flag}: beside a file should be left out: the rows of the file say that" in message
    assert cli_code_without_flags() == 0


def cli_code_without_flags() -> int:
    """No flag about prompts is taken as given where none is."""
    done = subprocess.run([sys.executable, "-m", "ptucalc", "size", "examples/workloads.csv", "-q"], capture_output=True, cwd=ROOT, timeout=60, check=False)  # fmt: skip
    return done.returncode


# Plans


PLAN = """workloads:
  - name: tickets
    model: gpt-4.1
    rpm: 600
    prompt_file: prompts
    completion_file: answers/a.txt
  - {name: plain, model: gpt-4.1, rpm: 1, input_tokens: 2, output_tokens: 0}
"""


def test_a_plan_names_prompts_beside_it(cli: Callable, in_tmp: Path) -> None:
    write("plans/p.yaml", PLAN)
    write("plans/prompts/a.txt", TEXT)
    write("plans/prompts/b.txt", f"{TEXT} hello")
    write("plans/answers/a.txt", f"{TEXT} hello")
    found = document(cli("size", "plans/p.yaml", "--json"))
    tickets, plain = found["workloads"]
    assert (tickets["input_tokens"], tickets["output_tokens"], plain["input_tokens"]) == (2.5, 3, 2)
    counted = [note for note in found["notes"] if note["code"] == "tokens_counted"]
    assert [note["about"] for note in counted] == ["tickets", "tickets"]
    assert "in plans/prompts (" in counted[0]["message"] and "of plans/answers/a.txt" in counted[1]["message"]
    cost = document(cli("cost", "plans/p.yaml", "--sku", "global", "--json"))
    # 600 x 43,800 x 2.5, and 43,800 x 2
    assert cost["deployments"][0]["tokens_per_month"]["input"] == 65_700_000 + 87_600
    rows = cli("size", "plans/p.yaml", "-o", "csv")
    assert "\nworkload,tickets," in rows.out and ",600,2.5,3," in rows.out and "tokens_counted: tickets: " in rows.err


def test_a_plan_may_say_how_to_count(cli: Callable, refuses: Callable, in_tmp: Path) -> None:
    row = "  - {name: a, model: gpt-6-sol, rpm: 1, output_tokens: 1, prompt_file: a.txt"
    write("a.txt", TEXT)
    write("p.yaml", f"workloads:\n{row}}}\n")
    assert "workloads[0].model: gpt-6-sol should be a model whose encoding is known" in refuses("size", "p.yaml")
    write("p.yaml", f"workloads:\n{row}, approx: true}}\n{row.replace('name: a', 'name: b')}, encoding: o200k_base}}\n")
    assert [each["input_tokens"] for each in document(cli("size", "p.yaml", "--json"))["workloads"]] == [3, 2]
    write("p.json", [{"model": "gpt-6-sol", "rpm": 1, "output_tokens": 1, "prompt_file": "a.txt", "approx": True}])
    assert document(cli("size", "p.json", "--json"))["workloads"][0]["input_tokens"] == 3


def test_a_catalog_of_ones_own_says_how_the_prompts_of_a_plan_are_counted(
    cli: Callable, refuses: Callable, in_tmp: Path
) -> None:
    mine = "schema: ptucalc.catalog/1\nedition: mine\nas_of: 2026-11-01\nsources:\n  us: {title: Us, where: here, published: now, checked: 2026-11-01}\nmodels:\n  - {name: gpt-6-sol, encoding: {name: cl100k_base, verified: true, source: us}}\n"  # fmt: skip
    write("mine.yaml", mine)
    write("a.txt", TEXT)
    write("p.yaml", "workloads:\n  - {model: gpt-6-sol, rpm: 1, output_tokens: 1, prompt_file: a.txt}\n")
    flags = ("--prompt-file", "a.txt", "-m", "gpt-6-sol", "--rpm", "1", "--output-tokens", "1")
    for command in (("size", "p.yaml"), ("cost", "p.yaml"), ("size", *flags), ("tokens", "a.txt", "-m", "gpt-6-sol")):
        assert "a model whose encoding is known" in refuses(*command)
        assert (
            "counted in cl100k_base" in cli(*command, "--catalog", "mine.yaml", "--json").out or command[0] == "tokens"
        )
    assert document(cli("tokens", "a.txt", "-m", "gpt-6-sol", "--catalog", "mine.yaml", "--json"))["encoding_verified"]


def test_a_plan_takes_the_model_and_the_limit_of_its_requests(in_tmp: Path) -> None:
    from ptucalc import read_workloads

    write("a.jsonl", body(max_tokens=50), body(max_tokens=50))
    write("p.yaml", "workloads:\n  - {rpm: 1, output_tokens: 1, prompt_file: a.jsonl}\n")
    (found,) = read_workloads("p.yaml")
    assert (found.model, found.input_tokens, found.max_tokens, found.name) == ("gpt-4o", 9, 50, "row-1")
    write("p.yaml", "workloads:\n  - {rpm: 1, output_tokens: 1, prompt_file: a.jsonl, max_tokens: 60}\n")
    assert read_workloads("p.yaml")[0].max_tokens == 60
    write("a.jsonl", body(max_tokens=50), body(f"{TEXT} hello", max_tokens=60))
    (found,) = read_workloads("p.yaml")
    assert (found.input_tokens * 2, found.max_tokens) == (19, 60)
    write("p.yaml", "workloads:\n  - {rpm: 1, output_tokens: 1, prompt_file: a.jsonl}\n")
    assert read_workloads("p.yaml")[0].max_tokens is None


def test_what_is_wrong_with_prompts_of_a_plan_is_in_its_place(refuses: Callable, in_tmp: Path) -> None:
    write("a.txt", TEXT)
    rows = {
        "gpt-4.1x": "  - {model: gpt-4.1x, rpm: 1, output_tokens: 1, prompt_file: a.txt}",
        "-7": "  - {model: gpt-4.1, rpm: -7, output_tokens: 1, prompt_file: none.txt}",
        "a.txt": "  - {model: gpt-4.1, rpm: 1, input_tokens: 1, output_tokens: 1, prompt_file: a.txt}",
        "encoding": "  - {model: gpt-4.1, rpm: 1, input_tokens: 1, output_tokens: 1, encoding: o200k_base}",
        "yes": "  - {model: gpt-4.1, rpm: 1, output_tokens: 1, prompt_file: a.txt, approx: yes}",
        "'-'": "  - {model: gpt-4.1, rpm: 1, output_tokens: 1, prompt_file: '-'}",
        "[": "  - {model: gpt-4.1, rpm: 1, output_tokens: 1, prompt_file: [a.txt]}",
    }
    write("p.yaml", "\n".join(["workloads:", *rows.values()]))
    told = [line.strip() for line in refuses("size", "p.yaml").splitlines() if "should be" in line]
    assert told[0] == "none.txt: file: no such file should be a file or folder of prompts, or - for stdin"
    expected = [
        "workloads[0].model: gpt-4.1x should be a known model: gpt-4.1 or gpt-4?",
        "workloads[1].rpm: -7 should be a number over 0",
        "workloads[2].prompt_file: a.txt should be left out, or input_tokens left out: both say the same",
        "workloads[3].encoding: encoding should be a prompt_file or completion_file beside it",
        "workloads[4].approx: yes should be true or false",
        "workloads[5].prompt_file: - should be a file or folder",
        "workloads[6].prompt_file: ['a.txt'] should be a text",
    ]
    places = [f"p.yaml:{line}:{row.index(mark) + 1}: " for line, (mark, row) in enumerate(rows.items(), 2)]
    assert told[1:] == [place + text for place, text in zip(places, expected, strict=True)]


# What a start loads


def test_nothing_that_counts_is_loaded_without_prompts() -> None:
    code = (
        "import sys\nfrom ptucalc.cli import run\nsys.argv = ['ptucalc', *sys.argv[1:]]\ncode = run()\n"
        "names = ['tiktoken', 'regex', 'ptucalc.cli.tokens', *(f'ptucalc.{name}' for name in ('token_counts', 'request_tokens', "
        "'token_rules', 'read.prompts', 'read.prompt_call', 'read.prompt_counting', 'read.encodings', 'read.vocabulary'))]\n"
        "print(code, [name for name in names if name in sys.modules], file=sys.stderr)"
    )
    one = ("size", *MODEL, "--rpm", "1", "--input-tokens", "1", "--output-tokens", "1", "-q")
    for arguments in (one, ("size", "examples/plan.yaml", "-q"), ("cost", *one[1:]), ("-h",)):
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)  # fmt: skip
        assert done.stderr.splitlines()[-1] == "0 []", arguments


def test_help_of_tokens_loads_no_tokenizer() -> None:
    code = (
        "import sys\nfrom ptucalc.cli import run\nsys.argv = ['ptucalc', 'tokens', '-h']\nrun()\n"
        "print([name for name in ('tiktoken', 'pydantic', 'yaml', 'ptucalc.token_counts') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)  # fmt: skip
    assert done.stderr.splitlines()[-1] == "[]" and "--image-size" in done.stdout


# Which version, which file, which groups


def dated(name: str | None = "gpt-4o-2024-05-13", content: str = TEXT) -> dict[str, Any]:
    return {"model": name, "messages": [{"role": "user", "content": content}]}


def test_the_version_that_a_body_names_is_sized_and_priced(cli: Callable, in_tmp: Path) -> None:
    asked = ("--rpm", "1000", "--output-tokens", "100", "--sku", "global", "-o", "json")
    write("p.json", dated(content="hi"))
    found = document(cli("cost", "--prompt-file", "p.json", *asked))
    # 3 for the message, its role, one token, 3 for the reply
    same = document(cli("cost", "-m", "gpt-4o-2024-05-13", "--input-tokens", "8", *asked))
    assert found["deployments"] == same["deployments"]
    assert found["deployments"][0]["model_version"] == "2024-05-13"
    write("lines.jsonl", dated(), dated("GPT-4o-2024-05-13", "hi"))
    assert (
        document(cli("size", "--prompt-file", "lines.jsonl", *asked))["deployments"][0]["model_version"] == "2024-05-13"
    )
    write("plan.yaml", "workloads:\n- {prompt_file: p.json, requests_per_minute: 1, output_tokens: 1}\n")
    assert document(cli("size", "plan.yaml", "-o", "json"))["deployments"][0]["model_version"] == "2024-05-13"


@pytest.mark.parametrize("other", ["gpt-4o-2024-08-06", "gpt-4o"])
def test_bodies_of_several_versions_are_refused_unless_one_is_given(
    other: str, cli: Callable, refuses: Callable, in_tmp: Path
) -> None:
    write("p.jsonl", dated(), dated(other))
    asked = ("--prompt-file", "p.jsonl", "--rpm", "1", "--output-tokens", "1")
    names = ", ".join(sorted(["gpt-4o-2024-05-13", other]))
    assert refuses("size", *asked) == (
        f"Error  p.jsonl: model: {names} should be one version of the model in all requests; -m MODEL (model in a plan) says "
        "which it is for all\n"
    )
    found = document(cli("size", "-m", "gpt-4o-2024-08-06", *asked, "-o", "json"))
    assert found["deployments"][0]["model_version"] == "2024-08-06"
    assert document(cli("tokens", "p.jsonl", "-o", "json"))["totals"]["requests"] == 2


NAMES_FILES = """workloads:
- {name: a, model: gpt-4.1, requests_per_minute: 1, prompt_file: p/p.txt, completion_file: c.txt}
limits: {max_catalog_age_days: 9999}
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("tokens", "p", *MODEL),
        ("size", *MODEL, "--rpm", "1", "--prompt-file", "p", "--output-tokens", "1"),
        ("size", *MODEL, "--prompt-file", "p", "--output-tokens", "1", "--ptu", "15"),
        ("cost", *MODEL, "--rpm", "1", "--prompt-file", "p", "--output-tokens", "1"),
        ("cost", *MODEL, "--rpm", "1", "--completion-file", "p", "--input-tokens", "1"),
        ("size", "plan.yaml"),
        ("size", "plan.yaml", "-o", "csv"),
        ("size", "plan.yaml", "-o", "bicep"),
        ("cost", "plan.yaml"),
        ("check", "plan.yaml"),
        ("diff", "plan.yaml", "plan.yaml"),
        ("report", "plan.yaml", "--format", "markdown"),
    ],
)
def test_what_was_read_is_never_written_over(arguments: tuple[str, ...], refuses: Callable, in_tmp: Path) -> None:
    write("p/p.txt", TEXT)
    write("c.txt", TEXT)
    write("plan.yaml", NAMES_FILES)
    written = ("p/../p/p.txt",) if arguments[1] != "plan.yaml" else ("p/p.txt", "c.txt")
    for target in written:
        message = refuses(*arguments, "--out-file", target)
        assert message.endswith(f"--out-file: {target} should be another file than the one that is read\n"), message
        assert Path(target).read_text() == TEXT


def test_a_plan_on_standard_input_and_a_file_of_minutes_are_kept_too(
    cli: Callable, refuses: Callable, in_tmp: Path
) -> None:
    write("p/p.txt", TEXT)
    write("c.txt", TEXT)
    assert "another file" in refuses("size", "-", "--out-file", "c.txt", stdin=NAMES_FILES.encode())
    rows = "".join(f"2026-10-01T00:{minute:02}:00Z,gpt-4.1,1,5,1\n" for minute in range(60))
    write("calls.csv", "timestamp,model,requests,prompt_tokens,completion_tokens\n" + rows)
    assert cli("logs", "calls.csv", "--save", "m.yaml").code == 0
    (saved,) = Path().glob("m.minutes.csv*")
    before = saved.read_bytes()
    for command in ("size", "cost", "simulate"):
        assert "another file" in refuses(command, "m.yaml", "-o", "csv", "--out-file", saved)
    assert saved.read_bytes() == before


def test_a_new_file_in_the_folder_of_the_prompts_may_be_written(cli: Callable, in_tmp: Path) -> None:
    write("p/p.txt", TEXT)
    assert cli("tokens", "p", *MODEL, "--out-file", "p/out.md").code == 0
    assert Path("p/out.md").exists()


def test_the_note_of_a_size_tells_the_share_of_all_groups(cli: Callable, in_tmp: Path) -> None:
    # 1,101 equal tokens; with the frame, 4 before them, two requests begin alike with 1,105, two others with as many
    texts = [f"hello{' ' + word}" + f" {word}" * 1099 + ending for word in ("hello", "world") for ending in (".", "!")]
    write("p.jsonl", *(body(text) for text in texts))
    found = document(cli("size", "--prompt-file", "p.jsonl", "--rpm", "1", "--output-tokens", "1", "-o", "json"))
    (message,) = [note["message"] for note in found["notes"] if note["code"] == "shared_prefix"]
    # each request has 1,101 tokens, its ending, 4 of the frame and 3 of the reply
    assert message.startswith(
        "2 of 4 requests begin with the same 1,105 tokens, 2 in 1 more group with others: a cache ratio of at most 99.6% could"
    ), message


def test_a_request_over_the_context_is_noted_by_size_though_the_mean_is_not(cli: Callable, in_tmp: Path) -> None:
    write("p.jsonl", body(" hello" * 128_000), body("hi"))
    asked = ("--prompt-file", "p.jsonl", "--rpm", "1", "--output-tokens", "1", "-o", "json")
    codes = {note["code"]: note["message"] for note in document(cli("size", *asked))["notes"]}
    assert codes["context_limit"].startswith(
        "1 of 2 prompts is over the 128,000 input tokens that the context of gpt-4o holds"
    )
    write("c.txt", " hello" * 128_001)
    more = ("-m", "gpt-4o", "--rpm", "1", "--input-tokens", "1", "--completion-file", "c.txt", "-o", "json")
    assert "context_limit" not in {note["code"] for note in document(cli("size", *more))["notes"]}


@pytest.mark.parametrize(
    "content", ['{"choices": [{"message": {"content": "hi"}}]}', '{"id": 1}', "[1]", '"hi"', "[]", "{no JSON"]
)
def test_an_answer_in_json_is_told_to_be_saved_as_text(content: str, refuses: Callable, in_tmp: Path) -> None:
    write("ans.json", content)
    message = refuses("size", *MODEL, "--rpm", "1", "--input-tokens", "1", "--completion-file", "ans.json")
    assert message.rstrip().endswith(
        "the text of an answer, without anything around it (a .txt is bare text, whatever is in it)"
    )
