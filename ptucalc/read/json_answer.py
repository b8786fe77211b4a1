"""A saved answer of an Azure API as a tree: JSON read strictly, with numbers kept exact and every place nameable."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from ptucalc.errors import BadInput, Problem
from ptucalc.read.files import decode, read_bytes
from ptucalc.read.strict_json import read_json

__all__ = ["MOST_BYTES", "Answer", "Number", "read_answer"]

MOST_BYTES = 20_000_000
"""The usages of a region are about a hundred thousand bytes."""

MOST_ENTRIES = 100_000

_NUMBER = re.compile(r"(-?)(\d{1,18})(?:\.(\d{1,18}))?", re.ASCII)


class Number(str):
    """A number as the file writes it; a text that holds a number is not one."""

    __slots__ = ()


class Answer(NamedTuple):
    """A part of the file, and where it is: `value[3].limit`. Readers take it apart and add to `problems` what is wrong."""

    value: Any
    where: str
    source: str
    problems: list[Problem]

    def problem(self, expected: str) -> None:
        """Note that this part should be something else."""
        value = self.value
        if isinstance(value, dict | list):
            found = "a mapping" if isinstance(value, dict) else "a list"
        else:
            found = "" if value is None else str(value).casefold() if isinstance(value, bool) else str(value)
        self.problems.append(Problem(self.where or "answer", found, expected, source=self.source))

    def part(self, key: str) -> Answer:
        """The value of a key; None where there is no such key, or this is no mapping."""
        inner = self.value.get(key) if isinstance(self.value, dict) else None
        return self._replace(value=inner, where=f"{self.where}.{key}" if self.where else key)

    def entries(self) -> list[Answer]:
        """The entries of a list; none, and a problem, where this is none."""
        if not isinstance(self.value, list) or len(self.value) > MOST_ENTRIES:
            self.problem(f"a list of at most {MOST_ENTRIES:,} entries")
            return []
        return [self._replace(value=entry, where=f"{self.where}[{i}]") for i, entry in enumerate(self.value)]

    def text(self) -> str:
        """A text of 1 to 200 characters; "" and a problem where this is none."""
        if isinstance(self.value, str) and not isinstance(self.value, Number) and 0 < len(self.value.strip()) <= 200:
            return self.value.strip()
        self.problem("a text of 1 to 200 characters")
        return ""

    def amount(self) -> Fraction:
        """A number of 0 or more, exactly; 0 and a problem where this is none."""
        if isinstance(self.value, Number) and (found := _NUMBER.fullmatch(self.value)) and not found[1]:
            return Fraction(self.value)
        self.problem("a number, 0 or more")
        return Fraction(0)

    def whole(self) -> int:
        """A whole number of 0 or more (300.0 is one); 0 and a problem where this is none."""
        if isinstance(self.value, Number) and (found := _NUMBER.fullmatch(self.value)) and not found[1]:
            number = Fraction(self.value)
            if number.denominator == 1:
                return number.numerator
        self.problem("a whole number, 0 or more")
        return 0


def read_answer(path: str | Path, what: str) -> Answer:
    """The saved answer in a file. `what` names such an answer in messages. Raises BadInput where it is no JSON at all.

    An error that Azure answered, and the first of several pages, are refused too.
    """
    source = str(path)
    data = read_bytes(Path(path), most=MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise BadInput([Problem("file", "more", f"{what}: at most {MOST_BYTES:,} bytes", source=source)])
    value = read_json(decode(data, source), source, expected=f"{what}, as JSON", shape=what, numbers=Number)
    answer = Answer(value, "", source, [])
    if isinstance(value, dict) and isinstance(value.get("error"), dict):
        said = value["error"].get("message") or value["error"].get("code") or "an error"
        raise BadInput([Problem("error", str(said), f"{what}, not an error that Azure answered", source=source)])
    if isinstance(value, dict) and value.get("nextLink"):
        expected = f"the whole of {what}: this is one page of several (`az rest` gives one; ask for the others too)"
        raise BadInput([Problem("nextLink", str(value["nextLink"]), expected, source=source)])
    return answer
