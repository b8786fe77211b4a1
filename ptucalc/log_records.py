"""What the first records of a log hold: every value's name, and the place it stands in. It knows no format."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

__all__ = ["LINE", "KeyPath", "Place", "Shape", "normalise", "time_tag"]

LINE = "line"
"""The column that holds the text of a JSON record."""

DEEPEST = 12
LIST_ELEMENTS = 3
MOST_NAMES = 5_000
"""Bounds on what is looked at in the first records: nesting, elements of a list, names."""

_TAG = re.compile(r"\s*\[\s*(UTC|GMT|Local(?: Time)?|UTC\s*[+-][\d:]+)\s*\]$", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

Raw = tuple[str, ...]
"""A value's way as the file spells it: in a table the heading first, then the keys in its cell."""


def normalise(name: str) -> str:
    """A heading, or dotted keys, as names are compared: without mark, quotes and time-zone tag, in snake_case.

    >>> normalise("\\ufeffTimeGenerated [UTC]"), normalise("usage.promptTokens"), normalise("Log Type")
    ('time_generated', 'usage_prompt_tokens', 'log_type')
    """
    bare = _TAG.sub("", _bare(name))
    return re.sub(r"[\W_]+", "_", _CAMEL.sub("_", bare).casefold()).strip("_")


def time_tag(heading: str) -> str:
    """What a heading says of its time stamps' zone: "UTC", "local" (whose, nobody knows), or "" where it has no tag.

    >>> time_tag("TimeGenerated [UTC]"), time_tag("timestamp [Local Time]"), time_tag("timestamp")
    ('UTC', 'local', '')
    """
    tag = _TAG.search(_bare(heading))
    if tag is None:
        return ""
    return "UTC" if tag[1].upper() in ("UTC", "GMT") else "local"


def _bare(name: str) -> str:
    return name.strip().removeprefix("\ufeff").strip().strip("\"'").strip()


class Place(NamedTuple):
    """Where a value stands: a column, and the way into it.

    `column` is the heading as in the file, or `LINE` for JSON records. `steps` is () for the cell itself; each step is
    a path of keys (a list's index as "0") into a JSON text, and what it finds is the text (or the object) that the
    next step goes into.
    """

    column: str
    steps: tuple[Raw, ...] = ()

    def __str__(self) -> str:
        keys = [key for step in self.steps for key in step]
        return ".".join(keys if self.column == LINE and keys else [self.column, *keys])


class KeyPath(NamedTuple):
    """The way to a value as a format spells it. `cuts` are the lengths at which a JSON text begins."""

    keys: Raw
    cuts: frozenset[int] = frozenset()

    @classmethod
    def of(cls, text: str) -> KeyPath:
        """From keys separated by "/", or by "//" where the first of the two holds JSON as text.

        >>> KeyPath.of("properties//usage/prompt_tokens")
        KeyPath(keys=('properties', 'usage', 'prompt_tokens'), cuts=frozenset({1}))
        """
        steps = [step.split("/") for step in text.split("//")]
        if not all(key.strip() for step in steps for key in step):
            raise ValueError('keys separated by "/", or by "//" after one that holds JSON text')
        lengths = [sum(map(len, steps[:count])) for count in range(1, len(steps))]
        return cls(tuple(key for step in steps for key in step), frozenset(lengths))

    @property
    def name(self) -> str:
        """The name that the value is recognised by."""
        return normalise(".".join(self.keys))

    def __str__(self) -> str:
        return ".".join(self.keys)


@dataclass
class Shape:
    """The names that records have, each with the ways it is spelled; keys of objects and of lists are names too.

    `texts` are the ways to values that held JSON as text, `headings` those of a table (None: JSON records).
    """

    headings: tuple[str, ...] | None
    names: dict[str, dict[Raw, None]] = field(default_factory=dict)
    texts: set[Raw] = field(default_factory=set)
    inner: set[Raw] = field(default_factory=set)

    @classmethod
    def of(
        cls,
        records: Sequence[Mapping[str, Any]],
        *,
        headings: Sequence[str] | None,
        parse_json: Callable[[str], Any],
    ) -> Shape:
        """The shape of these records; `headings` are those of a table, whose cells are text.

        `parse_json` gives what a JSON text holds, None where it is none.
        """
        shape = cls(None if headings is None else tuple(headings))
        for heading in headings or ():
            shape._see((heading,))
        for record in records:
            shape._look(record, (), parse_json)
        return shape

    def _see(self, raw: Raw) -> None:
        name = normalise(".".join(raw))
        if name and (name in self.names or len(self.names) < MOST_NAMES):
            self.names.setdefault(name, {}).setdefault(raw)

    def _look(self, value: Any, raw: Raw, parse_json: Callable[[str], Any]) -> None:
        if isinstance(value, str) and value.lstrip()[:1] == "{":
            parsed = parse_json(value)
            if isinstance(parsed, dict):
                self.texts.add(raw)
                value = parsed
        entries: list[tuple[str, Any]] = []
        if isinstance(value, Mapping):
            entries = [(key, each) for key, each in value.items() if isinstance(key, str)]
        elif isinstance(value, list):
            entries = [(str(index), each) for index, each in enumerate(value[:LIST_ELEMENTS])]
        if not entries or len(raw) >= DEEPEST:
            return
        self.inner.add(raw)
        for key, each in entries:
            self._see((*raw, key))
            self._look(each, (*raw, key), parse_json)

    @property
    def leaves(self) -> Iterator[Raw]:
        """The ways to values that hold no others, as first spelled; elements of lists are left out."""
        for ways in self.names.values():
            for raw in ways:
                if raw not in self.inner and not any(key.isdecimal() for key in raw[1:]):
                    yield raw

    def begins(self, path: KeyPath) -> bool:
        """Whether the records show the value, or something that it would be in."""
        return path.name in self.names or any(
            normalise(".".join(path.keys[:length])) in self.names for length in range(1, len(path.keys))
        )

    def of_path(self, path: KeyPath) -> tuple[Place, ...]:
        """The places a path means: as the records spell it, else as it would continue what they have.

        A key of JSON that no early record shows (cached tokens, say) may come later; a missing heading will not.
        """
        seen = self.names.get(path.name)
        if seen:
            return tuple(self._place(raw, path.cuts if len(raw) == len(path.keys) else frozenset()) for raw in seen)
        for length in range(len(path.keys) - 1, 0, -1):
            bases = self.names.get(normalise(".".join(path.keys[:length])))
            if bases:
                return tuple(
                    self._place((*raw, *path.keys[length:]), _moved(path.cuts, length, len(raw))) for raw in bases
                )
        return (self._place(path.keys, path.cuts),) if self.headings is None else ()

    def of_name(self, name: str) -> tuple[Place, ...]:
        """The places of a name; none where the records do not show it."""
        return tuple(self._place(raw, frozenset()) for raw in self.names.get(name, ()))

    def _place(self, raw: Raw, cuts: frozenset[int]) -> Place:
        first = 0 if self.headings is None else 1
        ends = [cut for cut in range(first + 1, len(raw)) if cut in cuts or raw[:cut] in self.texts]
        bounds = [first, *ends, len(raw)] if len(raw) > first else []
        steps = tuple(raw[start:end] for start, end in pairwise(bounds))
        return Place(LINE if self.headings is None else raw[0], steps)


def _moved(cuts: frozenset[int], length: int, now: int) -> frozenset[int]:
    """Where texts begin on a way whose first `length` keys the records spell with `now` keys."""
    before = {cut for cut in cuts if cut < length} if now == length else set()
    return frozenset(before | {cut - length + now for cut in cuts if cut >= length})
