"""How the rows of a table are written: the text between values, which is in every row the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ptucalc.read.row_kernel import KINDS, Names, Template

__all__ = ["Column", "names_as_bytes", "template_of"]


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

    Times end with `zone` after so many digits of a second; `numbers` makes arrays.
    """
    kinds = [wanted.get(column, _NOT_WANTED) for column in columns]
    literals = [b"", *[delimiter] * (len(columns) - 1), line_end]
    for place, (kind, _) in enumerate(kinds, 1):
        if kind == "time":
            literals[place] = zone + literals[place]
    text, at = _joined(literals)
    kind_numbers, places = [KINDS[kind] for kind, _ in kinds], [number for _, number in kinds]
    return Template(numbers(kind_numbers), numbers(places), numbers(at), numbers(text), digits)


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
