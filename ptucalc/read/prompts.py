"""Prompts as people have them: texts, chat and Responses request bodies, JSON lines and arrays of them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ptucalc.errors import BadInput, Problem
from ptucalc.read.files import decode, not_utf8
from ptucalc.read.prompt_files import LARGEST_PROMPT_BYTES, opened, wants
from ptucalc.read.strict_json import read_json

__all__ = ["Prompt", "read_prompts"]

UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
UTF8_MARK = b"\xef\xbb\xbf"
_LIKE_JSON = re.compile(r'\s*(\{\s*"|\{\s*\}|\[\s*[\[{"\]])')
"""How JSON requests begin; a template's {{ or [section] does not."""


class Prompt(NamedTuple):
    """One text or one request body, and where it stands.

    `path` is its file (stdin for standard input). `line` is its line in JSON lines, `item` its place in a JSON array;
    both None where the file is one request. `looks_like_json` marks a text that may have been meant as a request. A line
    of a batch is its whole line: the request is its body.
    """

    path: str
    content: str | Mapping[str, Any]
    line: int | None = None
    item: int | None = None
    looks_like_json: bool = False

    @property
    def place(self) -> str:
        """Its file, and where in it: chats.jsonl:3, chats.json[0]."""
        if self.line is not None:
            return f"{self.path}:{self.line}"
        return f"{self.path}[{self.item}]" if self.item is not None else self.path


def read_prompts(path: str, problems: list[Problem]) -> Iterator[Prompt]:
    """The requests of a file ("-" is standard input), one by one; of JSON lines only one is held at a time.

    What is wrong with single requests is added to `problems` and they are left out. Raises BadInput where the file as a
    whole cannot be used: missing, empty, no text, no JSON where its ending says so.
    """
    name = "stdin" if path == "-" else path
    with opened(path) as stream:
        kind = wants(path)
        head = stream.peek(2)[:2]
        lines = _Lines(_in_utf8(stream, name) if head in UTF16_MARKS else stream, name)
        if kind == "text":
            yield _text(lines)
        elif kind == "lines":
            yield from _json_lines(lines, problems)
        else:
            yield from _told_by_content(lines, problems, kind)


def _in_utf8(stream: io.BufferedReader[Any], name: str) -> io.BufferedReader[Any]:
    """UTF-16, as some shells and editors write it, converted."""
    data = stream.read(LARGEST_PROMPT_BYTES + 1)
    if len(data) > LARGEST_PROMPT_BYTES:
        found = f"UTF-16 text of over {LARGEST_PROMPT_BYTES:,} bytes"
        raise BadInput([Problem("file", found, "UTF-8 text", source=name)])
    return io.BufferedReader(io.BytesIO(decode(data, name).encode("utf-8", errors="surrogatepass")))


class _Lines:
    """Lines of a stream, decoded one by one and counted."""

    def __init__(self, stream: io.BufferedReader[Any], name: str) -> None:
        self.stream = stream
        self.name = name
        self.number = 0

    def next(self) -> str:
        """The next line with its end; "" after the last. Raises BadInput where it is too long or no UTF-8."""
        line = self.stream.readline(LARGEST_PROMPT_BYTES + 1)
        self.number += 1
        if len(line) > LARGEST_PROMPT_BYTES:
            raise BadInput([self._too_long()])
        if self.number == 1:
            line = line.removeprefix(UTF8_MARK)
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadInput([_encoding(not_utf8(self.name, error, from_start=False), self.number)]) from None

    def next_filled(self) -> str:
        """The next line that is not blank; "" after the last."""
        while (line := self.next()) and not line.strip():
            pass
        return line

    def rest(self) -> str:
        """All that is left. Raises BadInput where it is too long or no UTF-8."""
        data = self.stream.read(LARGEST_PROMPT_BYTES + 1)
        if len(data) > LARGEST_PROMPT_BYTES:
            raise BadInput([self._too_long()])
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = self.number + 1 + error.object.count(b"\n", 0, error.start)
            raise BadInput([_encoding(not_utf8(self.name, error, from_start=False), line)]) from None

    def _too_long(self) -> Problem:
        expected = f"prompts of at most {LARGEST_PROMPT_BYTES:,} bytes (many requests: as JSON lines)"
        return Problem("file", "more", expected, source=self.name)


def _encoding(problem: Problem, line: int) -> Problem:
    return problem._replace(expected="UTF-8 text (or UTF-16 with a byte-order mark)", line=line)


def _text(lines: _Lines, begun: str = "", *, by_name: bool = True) -> Prompt:
    """All of a file as one text, its line ends as they are. Raises BadInput where there is none."""
    text = (begun or lines.next()) + lines.rest()
    if not text.strip():
        raise BadInput([_empty(lines.name, text)])
    return Prompt(lines.name, text, looks_like_json=by_name and _is_request(text))


def _is_request(text: str) -> bool:
    """Whether a text could be read as request bodies, so that it is worth a remark that it is not: as one document, or
    as one on each line.
    """
    if not _LIKE_JSON.match(text) or not any(f'"{key}"' in text for key in ("messages", "input")):
        return False
    first, _, rest = text.strip().partition("\n")
    for document in (text, first) if rest.lstrip().startswith(("{", "[")) else (text,):
        try:
            return isinstance(json.loads(document), dict | list)
        except (ValueError, RecursionError):
            continue
    return False


def _empty(name: str, text: str) -> Problem:
    if text:
        return Problem("file", "nothing but white space", "a prompt", source=name)
    return Problem("file", "", "a prompt; the file is empty", source=name)


def _told_by_content(lines: _Lines, problems: list[Problem], kind: str) -> Iterator[Prompt]:
    """One JSON document, JSON lines, or (where the file's name does not say JSON) a text."""
    first_lines = [lines.next()]
    size = len(first_lines[0])
    while first_lines[-1] and not first_lines[-1].strip() and size < LARGEST_PROMPT_BYTES:
        first_lines.append(lines.next())
        size += len(first_lines[-1])
    begun = "".join(first_lines)
    if not first_lines[-1].strip():
        raise BadInput([_empty(lines.name, begun)])
    if kind != "json" and not _LIKE_JSON.match(begun + lines.stream.peek(64)[:64].decode("utf-8", errors="replace")):
        yield _text(lines, begun, by_name=False)
        return
    first = _value(begun)
    if isinstance(first, Problem):
        document = begun + lines.rest()
        value = _value(document)
        if isinstance(value, Problem):
            way_out = " (if it is one text: name it .txt)" if kind == "json" else " (if it is a text: save it as .txt)"
            expected = value.expected or f"a JSON request, an array of them, or one a line{way_out}"
            raise BadInput([value._replace(source=lines.name, expected=expected)])
        yield from _of_document(value, lines.name, problems)
        return
    number, following = lines.number, lines.next_filled()
    if not following:
        yield from _of_document(first, lines.name, problems)
        return
    yield from _of_line(begun, number, lines.name, problems)
    yield from _of_line(following, lines.number, lines.name, problems)
    yield from _json_lines(lines, problems, begun=True)


def _json_lines(lines: _Lines, problems: list[Problem], *, begun: bool = False) -> Iterator[Prompt]:
    while line := lines.next_filled():
        begun = True
        yield from _of_line(line, lines.number, lines.name, problems)
    if not begun:
        raise BadInput([_empty(lines.name, " " * (lines.number - 1))])


def _of_line(text: str, number: int, name: str, problems: list[Problem]) -> Iterator[Prompt]:
    """The request of one line; what is wrong with it is added to the problems."""
    value = _value(text)
    if isinstance(value, Problem):
        expected = value.expected or "a JSON request on every line"
        problems.append(value._replace(source=name, line=number, expected=expected))
    elif isinstance(value, dict):
        yield Prompt(name, value, line=number)
    elif _messages(value):
        yield Prompt(name, {"messages": value}, line=number)
    else:
        problems.append(Problem("line", _kind(value), "a JSON object: a request", source=name, line=number))


def _of_document(value: Any, name: str, problems: list[Problem]) -> Iterator[Prompt]:
    """The requests of one JSON document: a request, an array of requests, or the messages of one."""
    if isinstance(value, dict):
        if str(value.get("schema", "")).startswith("ptucalc."):
            found = f"a saved result of ptucalc ({value['schema']})"
            raise BadInput([Problem("file", found, "a request body", source=name)])
        yield Prompt(name, value)
    elif _messages(value):
        yield Prompt(name, {"messages": value})
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            if isinstance(each, dict):
                yield Prompt(name, each, item=index)
            elif _messages(each):
                yield Prompt(name, {"messages": each}, item=index)
            else:
                problems.append(Problem("request", _kind(each), "a request", source=name, label=f"[{index}]"))
    else:
        found = "" if not value else _kind(value)
        raise BadInput([Problem("file", found, "a request, or an array of requests", source=name)])


def _messages(value: Any) -> bool:
    """Whether this is a list of messages, which stands for a request that has nothing else."""
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(each, dict) and "role" in each for each in value)


def _kind(value: Any) -> str:
    kinds = {list: "a list", str: "a text", bool: "true or false", type(None): "null", dict: "an object"}
    return kinds.get(type(value), "a number")


def _value(text: str) -> Any:
    """The value of a JSON text, or the problem with it. Keys that are repeated are one: which of them counts is unclear."""
    try:
        return read_json(text, expected="", shape="")
    except BadInput as error:
        return error.problems[0]
