"""How the rows of a table are written: the text between values, which is in every row the same. And texts as words."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ptucalc.read.row_kernel import KINDS, Names, Template

__all__ = ["WORD_BYTES", "Column", "names_as_words", "template_of"]

WORD_BYTES = 8


class Column(NamedTuple):
    """What is wanted of a column: "time", "count" or "name", and its number among those of that kind."""

    kind: str
    number: int = 0


_NOT_WANTED = Column("text")


def template_of(
    columns: Sequence[str],
    wanted: Mapping[str, Column],
    *,
    delimiter: bytes,
    line_end: bytes,
    digits: int,
    zone: bytes,
    numbers: Callable[[Sequence[int]], Any],
) -> Template:
    """The template of rows of these columns, some of which are wanted.

    Times end with `zone` after so many digits of a second; `numbers` makes arrays. Raises ValueError for a zone that is
    longer than a word with what comes after it.
    """
    kinds = [wanted.get(column, _NOT_WANTED) for column in columns]
    literals = [b"", *[delimiter] * (len(columns) - 1), line_end]
    for place, (kind, _) in enumerate(kinds, 1):
        if kind == "time":
            literals[place] = zone + literals[place]
    words, masks = zip(*map(_word, literals), strict=True)
    return Template(
        numbers([KINDS[kind] for kind, _ in kinds]),
        numbers([number for _, number in kinds]),
        numbers(words),
        numbers(masks),
        numbers([len(literal) for literal in literals]),
        numbers([literal[0] for literal in literals[1:]]),
        digits,
    )


def names_as_words(names: Sequence[Sequence[str]], numbers: Callable[[Sequence[int]], Any]) -> Names:
    """The names of each column, for the kernel."""
    texts = [name.encode() for column in names for name in column]
    words: list[tuple[int, int]] = []
    at, first = [0], [0]
    for text in texts:
        words += [_word(text[begin : begin + WORD_BYTES]) for begin in range(0, len(text), WORD_BYTES)]
        at.append(len(words))
    for column in names:
        first.append(first[-1] + len(column))
    return Names(
        numbers([word for word, _ in words]),
        numbers([mask for _, mask in words]),
        numbers(at),
        numbers([len(text) for text in texts]),
        numbers(first),
    )


def _word(text: bytes) -> tuple[int, int]:
    """At most 8 bytes as the number that they are in memory, and which bits of it count."""
    if len(text) > WORD_BYTES:
        raise ValueError(f"{text!r} is longer than {WORD_BYTES} bytes")
    parts = (part.ljust(WORD_BYTES, b"\0") for part in (text, b"\xff" * len(text)))
    word, mask = (int.from_bytes(part, sys.byteorder, signed=True) for part in parts)
    return word, mask
