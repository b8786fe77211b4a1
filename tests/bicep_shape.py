"""Reads back the shape of a Bicep file, as far as the files that are generated here go; anything else is an error."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

TOKEN = re.compile(
    r"""(?P<space>[ \t]+)|(?P<newline>\n)|(?P<comment>//[^\n]*)|(?P<string>'(?:\\u\{[0-9a-f]+\}|\\.|[^'\\\n])*')"""
    r"""|(?P<number>\d+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<mark>[{}\[\]:=.@()])"""
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "'": "'", "\\": "\\", "$": "$"}


class Name(str):
    """A symbol, or a path of them: account.id."""


class Resource(NamedTuple):
    kind: str
    existing: bool
    body: dict[str, Any]


class Bicep(NamedTuple):
    params: dict[str, str]
    resources: dict[str, Resource]


def parsed(text: str) -> Bicep:
    """The parameters (with their types) and the resources by symbol."""
    return _Parser(text).file()


def unquoted(literal: str) -> str:
    """The text of a Bicep string. Interpolation is an error."""
    inner = literal[1:-1]
    assert not re.search(r"(?<!\\)(?:\\\\)*\$\{", inner), f"interpolates: {literal}"

    def one(found: re.Match[str]) -> str:
        code = found[1]
        return chr(int(code[2:-1], 16)) if code.startswith("u") else ESCAPES[code]

    return re.sub(r"\\(u\{[0-9a-f]+\}|.)", one, inner)


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            found = TOKEN.match(text, at)
            assert found, f"no Bicep: {text[at : at + 40]!r}"
            at = found.end()
            assert found.lastgroup
            if found.lastgroup not in ("space", "comment"):
                self.tokens.append((found.lastgroup, found[0]))
        self.at = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self, expected: str = "") -> str:
        kind, text = self.peek()
        assert not expected or expected in (kind, text), f"{expected} expected, not {text!r}"
        self.at += 1
        return text

    def lines(self) -> None:
        while self.peek()[0] == "newline":
            self.at += 1

    def file(self) -> Bicep:
        params: dict[str, str] = {}
        resources: dict[str, Resource] = {}
        self.lines()
        while self.peek()[0] != "end":
            word = self.take()
            if word == "@":
                assert self.take("name") == "description" and self.take("(") and unquoted(self.take("string"))
                self.take(")")
            elif word == "param":
                name = self.take("name")
                assert name not in params
                params[name] = self.take("name")
                if self.peek()[1] == "=":
                    self.take()
                    assert self.value() == []
            else:
                assert word == "resource", word
                symbol, kind = self.take("name"), unquoted(self.take("string"))
                existing = self.peek()[1] == "existing" and bool(self.take())
                self.take("=")
                assert symbol not in resources and symbol not in params, f"{symbol} twice"
                resources[symbol] = Resource(kind, existing, self.value())
            self.take("newline")
            self.lines()
        return Bicep(params, resources)

    def value(self) -> Any:
        kind, text = self.peek()
        self.at += 1
        if kind == "string":
            return unquoted(text)
        if kind == "number":
            return int(text)
        if kind == "name":
            while self.peek()[1] == ".":
                self.take()
                text += "." + self.take("name")
            return {"true": True, "false": False}.get(text, Name(text))
        if text == "[":
            return self.list()
        assert text == "{", text
        found: dict[str, Any] = {}
        self.lines()
        while self.peek()[1] != "}":
            kind, key = self.peek()
            self.at += 1
            assert kind in ("name", "string"), key
            key = unquoted(key) if kind == "string" else key
            assert key not in found
            self.take(":")
            found[key] = self.value()
            self.take("newline")
            self.lines()
        self.take("}")
        return found

    def list(self) -> Any:
        if self.peek()[1] == "for":
            self.take()
            name = self.take("name")
            assert self.take() == "in"
            of = self.take("name")
            self.take(":")
            body = self.value()
            self.take("]")
            return {"for": name, "in": of, "body": body}
        found = []
        self.lines()
        while self.peek()[1] != "]":
            found.append(self.value())
            self.take("newline")
            self.lines()
        self.take("]")
        return found
