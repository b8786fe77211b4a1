"""How the rows of a log are written, told from its first one: the text between values, which is in every row the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from ptucalc.read.row_kernel import KINDS, Names, Template

__all__ = ["Column", "Pieces", "names_as_bytes", "record_pieces", "table_pieces", "template_of"]

Path: TypeAlias = tuple[str, ...]
"""Where a value stands: its column, or the keys that lead to it in a JSON record."""

_TOKEN = re.compile(rb'[ \t]*(?:([{}\[\],:])|"([^"\\\x00-\x1f\x7f-\xff]*)"|(-?\d[\d.eE+-]*)|(true|false|null))')
_MOST_VALUES = 200


class Pieces(NamedTuple):
    """A row taken apart: the text before each value and after the last one, where each value stands; of a JSON record,
    which values stand between quotation marks (empty for a row of a table)."""

    literals: Sequence[bytes]
    paths: Sequence[Path]
    are_texts: Sequence[bool] = ()


class Column(NamedTuple):
    """What is wanted of a value: "time", "count" or "name", and the number of the column of that kind."""

    kind: str
    number: int = 0


def table_pieces(columns: Sequence[str], delimiter: bytes, line_end: bytes) -> Pieces:
    """A row of a table with these columns.

    >>> table_pieces(["c0", "c1"], b",", b"\\n").literals
    [b'', b',', b'\\n']
    """
    literals = [b"", *[delimiter] * (len(columns) - 1), line_end]
    return Pieces(literals, [(column,) for column in columns])


def record_pieces(line: bytes) -> Pieces | None:
    """A JSON record on a line of its own, with its line end; None where it holds what cannot be the same in every row.

    >>> record_pieces(b'{"id": "a", "usage": {"out": 7}}\\n').literals
    [b'{"id": "', b'", "usage": {"out": ', b'}}\\n']
    """
    text = line.rstrip(b"\r\n")
    try:
        if not isinstance(json.loads(text, object_pairs_hook=_different), dict):
            return None
    except (ValueError, RecursionError):
        return None
    literals, paths, are_texts = [], [], []
    inside: list[str | int] = []  # the key of each object we are in, the place in each array
    at, since, key_next = 0, 0, False
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return None
        mark, string, number, _ = token.groups()
        if mark in (b"{", b"["):
            inside.append("" if mark == b"{" else 0)
            key_next = mark == b"{"
        elif mark in (b"}", b"]"):
            inside.pop()
        elif mark == b",":
            key_next = isinstance(inside[-1], str)
            if not key_next:
                inside[-1] = int(inside[-1]) + 1
        elif string is not None and key_next:
            inside[-1], key_next = string.decode(), False
        elif string is not None or number is not None:
            begin, end = token.span(2 if string is not None else 3)
            literals.append(text[since:begin])
            paths.append(tuple(map(str, inside)))
            are_texts.append(string is not None)
            since = end
        at = token.end()
    literals.append(text[since:] + line[len(text) :])
    return Pieces(literals, paths, are_texts) if 0 < len(paths) <= _MOST_VALUES else None


def _different(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Raises ValueError where two keys are the same but for their case."""
    if len({key.casefold() for key, _ in pairs}) < len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def template_of(
    pieces: Pieces, wanted: Mapping[Path, Column], *, digits: int, zone: bytes, numbers: Callable[[Sequence[int]], Any]
) -> Template | None:
    """The template of rows, with the places of wanted values; None where a value is not written as its kind is.

    Times end with `zone` after so many digits of a second; `numbers` makes arrays.
    """
    kinds, columns, literals = [], [], list(pieces.literals)
    is_table = not pieces.are_texts
    for place, path in enumerate(pieces.paths):
        is_text = is_table or pieces.are_texts[place]
        kind, number = wanted.get(path, Column("text" if is_text else "number"))
        if not is_table and path in wanted and is_text is (kind == "count"):
            return None
        if kind == "time":
            literals[place + 1] = zone + literals[place + 1]
        kinds.append(KINDS[kind])
        columns.append(number)
    if set(wanted) - set(pieces.paths) or len(set(pieces.paths)) < len(pieces.paths):
        return None
    if any(not literal for literal in literals[1:]):  # where a value ends is told by what comes after it
        return None
    text, at = _joined(literals)
    return Template(numbers(kinds), numbers(columns), numbers(at), numbers(text), digits, int(is_table))


def names_as_bytes(names: Sequence[Sequence[str]], numbers: Callable[[Sequence[int]], Any]) -> Names:
    """The names of each column, for the kernel."""
    text, at = _joined([name.encode() for column in names for name in column])
    first = [0]
    for column in names:
        first.append(first[-1] + len(column))
    return Names(numbers(text), numbers(at), numbers(first))


def _joined(parts: Sequence[bytes]) -> tuple[bytes, list[int]]:
    """All of them in one, and where each begins and the last one ends."""
    at = [0]
    for part in parts:
        at.append(at[-1] + len(part))
    return b"".join(parts), at
