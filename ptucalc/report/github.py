"""Checks and problems as GitHub's workflow commands: annotations on the lines of a plan in a pull request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ptucalc.check_result import Check, PlanCheck, Status
from ptucalc.errors import Problem
from ptucalc.report.check_blocks import figures_text, why_text

__all__ = ["annotation", "check_annotations", "problem_annotations"]

_LEVELS = {Status.FAIL: "error", Status.UNKNOWN: "error", Status.WARN: "warning"}

Place = Callable[[str], str]


def check_annotations(result: PlanCheck, place: Place) -> Iterator[str]:
    """A line for every check that is not passed; `place` makes a file's path one that GitHub knows."""
    for check in result.checks:
        if check.status is not Status.PASS:
            level = "error" if result.strict else _LEVELS[check.status]
            yield annotation(level, _said(check), file=place(check.source), line=check.line, title=check.name)


def _said(check: Check) -> str:
    allowed, found = figures_text(check)
    word = "cannot be checked" if check.status is Status.UNKNOWN else f"is {found}"
    why = why_text(check)
    return f"{check.name}: allowed {allowed}, {word}{f' ({why})' if why else ''}"


def problem_annotations(problems: Iterable[Problem], place: Place) -> Iterator[str]:
    """A line for every value that cannot be used."""
    for each in problems:
        said = f"{each.label or each.field}: {each.shown} should be {each.expected}"
        yield annotation("error", said, file=place(each.source), line=each.line, column=each.column, title="ptucalc")


def annotation(
    level: str, message: str, *, file: str = "", line: int | None = None, column: int | None = None, title: str = ""
) -> str:
    """One workflow command.

    What would end a value is written as GitHub wants it: % and line ends everywhere, commas and colons in properties.

    >>> annotation("error", "100% full", file="a,b.yaml", line=4)
    '::error file=a%2Cb.yaml,line=4::100%25 full'
    """
    given = (("file", file or None), ("line", line), ("col", column), ("title", title or None))
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in given if value is not None)
    return f"::{level}{' ' if properties else ''}{properties}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
