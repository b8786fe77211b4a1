"""Reading prompts: what is one text, what is a request, what is many, and what is refused."""

from __future__ import annotations

import gzip
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.errors import BadInput, Problem
from ptucalc.read import prompt_files as files_module
from ptucalc.read import prompts as prompts_module
from ptucalc.read.prompt_files import prompt_files, wants
from ptucalc.read.prompts import Prompt, read_prompts

BODY = {"messages": [{"role": "user", "content": "hi"}]}
TEXT = json.dumps(BODY)
ONE_A_LINE = "a JSON request, an array of them, or one a line"


@pytest.fixture
def read(in_tmp: Path) -> Callable[..., list[Prompt]]:
    def prompts(name: str, content: str | bytes) -> list[Prompt]:
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
        problems: list[Problem] = []
        found = list(read_prompts(name, problems))
        if problems:
            raise BadInput(problems)
        return found

    return prompts


@pytest.fixture
def refused(read: Callable) -> Callable[..., str]:
    def message(name: str, content: str | bytes) -> str:
        with pytest.raises(BadInput) as caught:
            read(name, content)
        return str(caught.value)

    return message


# What a file is


@pytest.mark.parametrize("name", ["p.txt", "p.md", "p.prompt", "p.html", "p.TXT"])
def test_a_text_is_one_prompt_as_it_is_even_where_it_looks_like_json(read: Callable, name: str) -> None:
    assert read(name, "  two\r\nlines\n") == [Prompt(name, "  two\r\nlines\n")]
    assert read(name, TEXT) == [Prompt(name, TEXT, looks_like_json=True)]
    assert read(name, "{ no json, messages }")[0].looks_like_json is False
    assert read(name, '{"messages": broken')[0].looks_like_json is False


@pytest.mark.parametrize("name", ["p.json", "p", "p.JSON"])
@pytest.mark.parametrize("indent", [None, 2])
def test_one_request_is_read_however_it_is_laid_out(read: Callable, name: str, indent: int | None) -> None:
    assert read(name, "\n" + json.dumps(BODY, indent=indent) + "\n\n") == [Prompt(name, BODY)]


@pytest.mark.parametrize("name", ["p.json", "p.jsonl", "p.ndjson", "p"])
def test_json_lines_are_one_request_a_line_and_blank_lines_count_as_lines(read: Callable, name: str) -> None:
    found = read(name, f"\n{TEXT}\r\n \n{TEXT}\n")
    assert found == [Prompt(name, BODY, line=2), Prompt(name, BODY, line=4)]


def test_one_json_line_in_a_jsonl_has_a_line_number(read: Callable) -> None:
    assert [prompt.place for prompt in read("p.jsonl", TEXT)] == ["p.jsonl:1"]


@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_holds_requests_by_index(read: Callable, indent: int | None) -> None:
    found = read("p.json", json.dumps([BODY, BODY["messages"], {"input": "x"}], indent=indent))
    assert [prompt.place for prompt in found] == ["p.json[0]", "p.json[1]", "p.json[2]"]
    assert [prompt.content for prompt in found] == [BODY, BODY, {"input": "x"}]


def test_an_array_of_messages_is_one_request(read: Callable) -> None:
    assert read("p.json", json.dumps(BODY["messages"])) == [Prompt("p.json", BODY)]
    assert read("p.jsonl", json.dumps(BODY["messages"])) == [Prompt("p.jsonl", BODY, line=1)]


def test_a_batch_line_is_handed_on_whole(read: Callable) -> None:
    line = {"custom_id": "t-1", "method": "POST", "url": "/chat/completions", "body": BODY}
    assert read("p.jsonl", json.dumps(line)) == [Prompt("p.jsonl", line, line=1)]


@pytest.mark.parametrize("text", ["{{ user }} asks", "{% if x %}", "[section]\na", "{a: 1}", "hello", "[1] says", "{"])
def test_a_file_without_an_ending_is_a_text_unless_it_begins_as_json(read: Callable, text: str) -> None:
    assert read("p", text) == [Prompt("p", text)]


def test_a_packed_file_is_read_as_what_is_in_it(read: Callable) -> None:
    assert read("p.jsonl.gz", gzip.compress(TEXT.encode()))[0].place == "p.jsonl.gz:1"
    assert read("p.txt.gz", gzip.compress(b"hello")) == [Prompt("p.txt.gz", "hello")]
    assert wants("p.md.gz") == "text" and wants("p.gz") == "" and wants("a.b/p") == "" and wants("-") == ""


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_byte_order_marks_say_the_encoding_and_are_no_text(read: Callable, mark: str) -> None:
    def encoded(text: str) -> bytes:
        return (text if mark in ("utf-8-sig", "utf-16") else "\ufeff" + text).encode(mark)

    assert read("p.txt", encoded("zażółć 🙂\n"))[0].content == "zażółć 🙂\n"
    assert read("p.json", encoded(TEXT))[0].content == BODY
    assert len(read("p.jsonl", encoded(f"{TEXT}\n{TEXT}\n"))) == 2


def test_a_second_mark_is_text(read: Callable) -> None:
    assert read("p.txt", "\ufeff\ufeffx".encode())[0].content == "\ufeffx"


def test_a_mark_is_one_only_at_the_beginning_of_a_file(refused: Callable) -> None:
    marked = "\ufeff" + TEXT
    assert refused("p.jsonl", f"{marked}\n{marked}\n").startswith("p.jsonl:2:1, JSON: ")


def test_a_lone_surrogate_in_json_is_kept(read: Callable) -> None:
    (found,) = read("p.json", '{"input": "\\ud800"}')
    assert found.content == {"input": "\ud800"}


# What is refused


@pytest.mark.parametrize("name", ["p.txt", "p.json", "p.jsonl", "p"])
@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_an_empty_file_is_no_prompt_of_0_tokens(refused: Callable, name: str, content: bytes) -> None:
    assert refused(name, content) == f"{name}, file: expected a prompt; the file is empty, got (empty)"


@pytest.mark.parametrize("name", ["p.txt", "p.json", "p.jsonl", "p"])
@pytest.mark.parametrize("content", [b" \n\t\n", b" ", b"\n", b"\xef\xbb\xbf\n"])
def test_blanks_are_no_prompt_and_no_empty_file(refused: Callable, name: str, content: bytes) -> None:
    assert refused(name, content) == f"{name}, file: expected a prompt, got nothing but white space"


@pytest.mark.parametrize("name", ["p.txt", "p.json", "p.jsonl", "p"])
@pytest.mark.parametrize("encoding", ["utf-32-le", "utf-32-be"])
def test_utf_32_is_refused_and_not_read_as_utf_16(refused: Callable, name: str, encoding: str) -> None:
    content = ("\ufeff" + TEXT).encode(encoding)
    assert refused(name, content) == (
        f"{name}, file: expected UTF-8 text (or UTF-16 with a byte-order mark), got UTF-32 text"
    )


def test_utf_16_that_begins_with_its_mark_is_still_read(read: Callable) -> None:
    (prompt,) = read("p.json", ("\ufeff" + TEXT).encode("utf-16-le"))
    assert prompt.content == BODY


def test_leading_blank_lines_take_time_in_proportion(read: Callable) -> None:
    from time import process_time

    start = process_time()
    (prompt,) = read("p", b"\n" * 300_000 + TEXT.encode())
    assert prompt.content == BODY
    assert process_time() - start < 5  # joined line by line they took minutes


@pytest.mark.parametrize("ending", ["jsonl", "jsonlines", "ndjson", "JSONLINES"])
def test_lines_by_their_endings(read: Callable, ending: str) -> None:
    assert [prompt.place for prompt in read(f"p.{ending}", f"{TEXT}\n{TEXT}\n")] == [f"p.{ending}:{n}" for n in (1, 2)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (f"{TEXT}\n{TEXT}\n", True),
        (f"\n{TEXT}\n\n{TEXT}\nno request", True),
        (TEXT, True),
        (f"{TEXT}\nSay what this means.", False),
        ('{"messages": 1\n{"messages": 2', False),
        ("Say hi.\n" + TEXT, False),
    ],
)
def test_a_text_of_requests_on_lines_is_remarked(read: Callable, content: str, told: bool) -> None:
    (prompt,) = read("p.txt", content)
    assert (prompt.content, prompt.looks_like_json) == (content, told)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.json", "nope", f"p.json:1:1, JSON: expected {ONE_A_LINE} (if it is one text: name it .txt), got Expecting value"),
        ("p.json", '{"a": 1', f"p.json:1:8, JSON: expected {ONE_A_LINE} (if it is one text: name it .txt), got Expecting ',' delimiter"),
        ("p", '{"a": \n\n?', f"p:3:1, JSON: expected {ONE_A_LINE} (if it is a text: save it as .txt), got Expecting value"),
        ("p.json", '{"a": 1, "b": 2, "a": 3}', "p.json, JSON: expected each key once, got a"),
        ("p.json", "[" * 100_000, f"p.json, JSON: expected {ONE_A_LINE} (if it is one text: name it .txt), got deeply nested data"),
        ("p.json", "[]", "p.json, file: expected a request, or an array of requests, got (empty)"),
        ("p.json", '"hello"', "p.json, file: expected a request, or an array of requests, got a text"),
        ("p.json", "7", "p.json, file: expected a request, or an array of requests, got a number"),
        ("p.json", '[{"input": "a"}, 7, null]', "p.json, [1]: expected a request, got a number\np.json, [2]: expected a request, got null"),
        ("p.json", '{"schema": "ptucalc.size/1"}', "p.json, file: expected a request body, got a saved result of ptucalc (ptucalc.size/1)"),
        ("p.jsonl", f"{TEXT}\nxx\n{TEXT}\n[1]\n", "p.jsonl:2:1, JSON: expected a JSON request on every line, got Expecting value\np.jsonl:4, line: expected a JSON object: a request, got a list"),
        ("p.json", f'{TEXT}\n{{"a": 1, "a": 2}}', "p.json:2, JSON: expected each key once, got a"),
        ("p.csv", "a,b\n", "p.csv, file: expected a prompt (ptucalc logs reads a table of calls, ptucalc size one of workloads; to count it as one text: -), got a .csv table"),
        ("p.txt", b"\x89PNG\r\n\x1a\n", "p.txt, file: expected a prompt: text, or JSON requests (an image is part of a request: its size in an image_url or input_image), got a PNG image"),
        ("p.json", b"PK\x03\x04rest", "p.json, file: expected a prompt: text, or JSON requests, got an Excel workbook or another zip archive"),
        ("p.txt", b"a\0b", "p.txt, file: expected a prompt: text, or JSON requests, got a binary file"),
        ("p.txt", b"a\nb\n\xff", "p.txt:3, file: expected UTF-8 text (or UTF-16 with a byte-order mark), got byte 0xff"),
        ("p.jsonl", TEXT.encode() + b'\n{"a": "\xe9"}', "p.jsonl:2, file: expected UTF-8 text (or UTF-16 with a byte-order mark), got byte 0xe9"),
    ],
)  # fmt: skip
def test_what_is_no_prompt_is_refused_in_its_place(refused: Callable, name: str, content: Any, message: str) -> None:
    assert refused(name, content) == message


def test_a_broken_archive_is_refused(refused: Callable) -> None:
    packed = gzip.compress(os.urandom(5000).hex().encode())
    assert "a broken gzip archive" in refused("p.txt.gz", packed[:-2000])
    assert "a broken gzip archive" in refused("p.txt.gz", packed[:100] + b"\0" * 50 + packed[150:])


def test_a_text_that_begins_like_a_bitmap_is_a_text(read: Callable, refused: Callable) -> None:
    assert read("p.txt", "BMW")[0].content == "BMW"
    assert "a BMP image" in refused("p.txt", b"BM\x01\x00\x00\x00\x00")


@pytest.mark.parametrize("name", ["p.txt", "p.json", "p.jsonl", "p"])
def test_what_is_too_long_for_any_model_is_refused(
    name: str, refused: Callable, read: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts_module, "LARGEST_PROMPT_BYTES", 100)
    body = '{"input": "' + "o" * (100 - 13) + '"}'
    assert len(read(name, body)) == 1
    expected = "expected prompts of at most 100 bytes (many requests: as JSON lines), got more"
    assert refused(name, body.replace("oo", "ooo", 1)) == f"{name}, file: {expected}"
    if name != "p.txt":  # many lines may be longer together
        assert len(read(name, body.replace("oo", "o", 1) + "\n" + body.replace("oo", "o", 1))) == 2


def test_numbers_of_any_length_are_no_crash(refused: Callable) -> None:
    assert "p.json, JSON:" in refused("p.json", '{"n": ' + "1" * 5000 + "}")


def test_what_is_missing_is_told_at_once(in_tmp: Path) -> None:
    Path("a.txt").write_text("a")
    with pytest.raises(BadInput) as caught:
        prompt_files(["b.txt", "a.txt", "c.txt"])
    assert [problem.source for problem in caught.value.problems] == ["b.txt", "c.txt"]
    assert caught.value.problems[0].found == "no such file"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read_is_refused(refused: Callable) -> None:
    Path("p.txt").touch(mode=0)
    with pytest.raises(BadInput, match="a file that can be read"):
        list(read_prompts("p.txt", []))


@given(st.binary(max_size=40), st.sampled_from(["p.txt", "p.json", "p.jsonl", "p", "p.gz"]))
def test_any_bytes_are_prompts_or_a_told_problem(tmp_path_factory: Any, data: bytes, name: str) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(data)
    problems: list[Problem] = []
    try:
        found = list(read_prompts(str(path), problems))
    except BadInput:
        return
    assert found or problems
    assert all(problem.expected and problem.source for problem in problems)


# Folders, pipes


def test_a_folder_is_gone_through_by_path_without_hidden_files(in_tmp: Path) -> None:
    for name in ("b.txt", "a.json", "sub/c.jsonl", ".hidden.txt", ".git/x.txt", "z.png", "sub/code.py", "d.md.gz"):
        path = Path("p", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    found = prompt_files(["p"])
    assert found.paths == ("p/a.json", "p/b.txt", "p/d.md.gz", "p/sub/c.jsonl")
    assert found.skipped == ("p/sub/code.py", "p/z.png") and found.repeated == ()


def test_a_file_given_twice_counts_once(in_tmp: Path) -> None:
    Path("a.txt").write_text("x")
    found = prompt_files(["a.txt", ".", "-", "./a.txt", "-"])
    assert (found.paths, found.repeated) == (("a.txt", "-"), ("./a.txt", "./a.txt", "-"))


def test_links_to_folders_are_not_followed(in_tmp: Path) -> None:
    Path("p").mkdir()
    Path("p/a.txt").write_text("x")
    Path("p/again").symlink_to(in_tmp / "p")
    assert prompt_files(["p"]).paths == ("p/a.txt",)


def test_a_folder_without_prompts_and_one_with_too_many_are_refused(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("p").mkdir()
    Path("p/x.png").write_text("x")
    with pytest.raises(
        BadInput, match=r"files that end in .txt, .md, .prompt, .json, .jsonl, .jsonlines, .ndjson .* got no prompts"
    ):
        prompt_files(["p"])
    monkeypatch.setattr(files_module, "MOST_FILES", 2)
    for name in "ab":
        Path("p", f"{name}.txt").write_text("x")
    assert len(prompt_files(["p"]).paths) == 2
    Path("p/c.txt").write_text("x")
    with pytest.raises(BadInput, match=r"at most 2 files .* got 3 files"):
        prompt_files(["p"])


def test_a_named_pipe_is_a_file(in_tmp: Path) -> None:
    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: Path("pipe").write_text(f"{TEXT}\n{TEXT}\n"))
    writer.start()
    assert [prompt.place for prompt in read_prompts(prompt_files(["pipe"]).paths[0], [])] == ["pipe:1", "pipe:2"]
    writer.join(10)


def test_json_lines_are_read_one_by_one(in_tmp: Path) -> None:
    with open("p.jsonl", "w") as stream:
        stream.writelines(f"{TEXT}\n" for _ in range(50_000))
        stream.write("broken\n")
    found = read_prompts("p.jsonl", [])
    assert next(found).line == 1  # long before the end
    found.close()
