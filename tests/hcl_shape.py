"""Reads back the shape of a Terraform file, as far as the files that are generated here go; anything else is an error."""

from __future__ import annotations

import re
from typing import Any

TOKEN = re.compile(
    r"""(?P<space>[ \t]+)|(?P<newline>\n)|(?P<comment>#[^\n]*)"""
    r"""|(?P<string>"(?:\\u[0-9a-f]{4}|\\U[0-9a-f]{8}|\\[nrt"\\]|[^"\\\n])*")"""
    r"""|(?P<number>\d+)|(?P<name>[A-Za-z_][A-Za-z0-9_.]*)|(?P<mark>[{}\[\]=])"""
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


class Name(str):
    """A reference: var.x, a resource's attribute."""


def parsed(text: str) -> dict[tuple[str, ...], Any]:
    """The blocks by type and labels, each a dict; a block inside a block is a dict there."""
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        assert found, f"no HCL: {text[at : at + 40]!r}"
        at = found.end()
        assert found.lastgroup
        if found.lastgroup not in ("space", "comment", "newline"):
            tokens.append((found.lastgroup, found[0]))
    tokens.reverse()
    blocks: dict[tuple[str, ...], Any] = {}
    while tokens:
        labels = [tokens.pop()[1]]
        while tokens[-1][0] == "string":
            labels.append(unquoted(tokens.pop()[1]))
        assert tuple(labels) not in blocks, labels
        assert tokens.pop()[1] == "{"
        blocks[tuple(labels)] = _body(tokens)
    return blocks


def unquoted(literal: str) -> str:
    """The text of an HCL string. A template is an error."""
    inner = literal[1:-1]
    assert "${" not in inner and "%{" not in inner, f"a template: {literal}"

    def one(found: re.Match[str]) -> str:
        code = found[1]
        return chr(int(code[1:], 16)) if code[0] in "uU" else ESCAPES[code]

    return re.sub(r"\\(u[0-9a-f]{4}|U[0-9a-f]{8}|.)", one, inner)


def _body(tokens: list[tuple[str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while tokens[-1][1] != "}":
        kind, key = tokens.pop()
        assert kind == "name" and key not in found, key
        kind, mark = tokens.pop()
        if mark == "{":
            found[key] = _body(tokens)
        else:
            assert mark == "="
            found[key] = _value(tokens)
    tokens.pop()
    return found


def _value(tokens: list[tuple[str, str]]) -> Any:
    kind, text = tokens.pop()
    if kind == "string":
        return unquoted(text)
    if kind == "number":
        return int(text)
    if kind == "name":
        return Name(text)
    if text == "{":
        return _body(tokens)
    assert text == "["
    found = []
    while tokens[-1][1] != "]":
        found.append(_value(tokens))
    tokens.pop()
    return found
