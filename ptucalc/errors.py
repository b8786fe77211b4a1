"""What can go wrong with what a user gave us. Programmers' mistakes stay ValueError and TypeError."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["BadCatalog", "BadInput", "Problem", "PtucalcError", "visible"]


class PtucalcError(Exception):
    """Base of every error that a user can mend. The message says where, what was found, what was expected."""


def visible(text: str) -> str:
    """The text with what a terminal would obey, or not show, written out: an escape becomes \\x1b."""
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


class Problem(NamedTuple):
    """One value that cannot be used.

    `field` is ptucalc's name of the value, `found` the text as given ("" when missing), `expected` what it should be.
    The place is filled in by whoever knows it: `source` (file), `line` and `column` (text position, from 1), `cell`
    (spreadsheet cell), `label` (the name the user used: a flag, a column heading, a path such as workloads[2].name).
    """

    field: str
    found: str
    expected: str
    source: str = ""
    line: int | None = None
    column: int | None = None
    cell: str = ""
    label: str = ""

    def at(
        self,
        *,
        source: str = "",
        line: int | None = None,
        column: int | None = None,
        cell: str = "",
        label: str = "",
    ) -> Problem:
        """The same problem with its place."""
        return self._replace(source=source, line=line, column=column, cell=cell, label=label)

    @property
    def shown(self) -> str:
        """What was found, fit for a message: control characters escaped, at most 60 characters, "(empty)" for nothing."""
        if not self.found.strip():
            return "(empty)"
        text = visible(self.found[:61])
        return text if len(text) <= 60 else text[:57] + "..."

    def __str__(self) -> str:
        where = visible(self.source)
        if self.line is not None:
            where += f":{self.line}" if where else f"line {self.line}"
            where += f":{self.column}" if self.column is not None else ""
        what = visible(self.label or self.field)
        if self.cell:
            what = f"column {what} ({self.cell})"
        return f"{where + ', ' if where else ''}{what}: expected {self.expected}, got {self.shown}"

    def to_dict(self) -> dict[str, object]:
        """The problem as JSON data."""
        return {
            "source": self.source,
            "line": self.line,
            "column": self.column,
            "cell": self.cell,
            "field": self.field,
            "label": self.label or self.field,
            "found": self.found,
            "expected": self.expected,
        }


class BadInput(PtucalcError):
    """One or more values cannot be used; nothing was computed.

    `problems` holds them, in order, and `uncounted` is how many more there were. `lines` is the text they are about,
    where it is a plan whose lines can be shown.
    """

    def __init__(
        self, problems: list[Problem] | tuple[Problem, ...], *, uncounted: int = 0, lines: Sequence[str] = ()
    ) -> None:
        self.problems = tuple(problems)
        self.uncounted = uncounted
        self.lines = lines
        lines = [str(problem) for problem in self.problems]
        if uncounted:
            lines.append(f"and {uncounted:,} more")
        super().__init__("\n".join(lines))


class BadCatalog(BadInput):
    """A catalog file that cannot be used."""
