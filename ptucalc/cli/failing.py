"""Errors as people see them: what, where, found, expected, what to do. On standard error."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from ptucalc import __version__
from ptucalc.errors import BadInput, Problem, PtucalcError, visible
from ptucalc.report.blocks import Cell, Column, Remark, Table
from ptucalc.report.console import show

__all__ = ["failed", "report_error", "report_skipped", "report_usage"]

MOST_SHOWN = 50


def report_usage(error: Exception) -> None:
    """A mistake in the command line itself, as typer found it."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    if not message:  # no command: typer has shown the help
        return
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "ptucalc"
    print(f"Error  {message}\n       {command} -h shows what there is", file=sys.stderr)


def failed(error: PtucalcError, shape: str, *, flags: Mapping[str, str] | None = None) -> int:
    """Report an error, to standard output too where JSON was asked for; the exit code 2.

    `flags` names the flags that gave values which have no place in a file.
    """
    if isinstance(error, BadInput):
        named = [
            problem if problem.source or problem.label else problem.at(label=_flag(problem.field, flags or {}))
            for problem in error.problems
        ]
        error = BadInput(named, uncounted=error.uncounted, lines=error.lines)
        if shape == "json":
            import json

            document = {
                "schema": "ptucalc.error/1",
                "version": __version__,
                "problems": [problem.to_dict() for problem in error.problems],
                "uncounted": error.uncounted,
            }
            json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
            print()
    report_error(error)
    return 2


def _flag(field: str, flags: Mapping[str, str]) -> str:
    """The flag that gave a value, or part of it: profile.levels[0].share is of --profile."""
    first, _, rest = field.partition(".")
    return flags.get(field) or (f"{flags[first]} {rest}" if first in flags else "")


def report_skipped(error: BadInput) -> None:
    """The rows that --skip-bad left out."""
    report_error(error, outcome="left out of the sizes")


def report_error(error: PtucalcError, *, outcome: str = "nothing was sized") -> None:
    """Every problem of a failed command."""
    if not isinstance(error, BadInput):
        print(f"Error  {error}", file=sys.stderr)
    elif any(problem.cell for problem in error.problems):
        _as_table(error, outcome)
    else:
        _one_by_one(error)


def _one_by_one(error: BadInput) -> None:
    lines = error.lines
    problems = error.problems[:MOST_SHOWN]
    if len(error.problems) == 1:
        print(f"Error  {_place(problems[0])}{_what(problems[0])}", file=sys.stderr)
        _excerpt(problems[0], lines)
        return
    print(f"Error  {len(error.problems) + error.uncounted:,} values cannot be used", file=sys.stderr)
    for problem in problems:
        print(f"       {_place(problem)}{_what(problem)}", file=sys.stderr)
        _excerpt(problem, lines)
    _how_many_more(error, len(problems))


def _place(problem: Problem) -> str:
    place = problem.source
    if problem.line is not None:
        place += f":{problem.line}" + (f":{problem.column}" if problem.column is not None else "")
    return f"{visible(place)}: " if place else ""


def _what(problem: Problem) -> str:
    return f"{visible(problem.label or problem.field)}: {problem.shown} should be {visible(problem.expected)}"


def _excerpt(problem: Problem, lines: Sequence[str]) -> None:
    """The line of the plan, with the value underlined."""
    if problem.line is None or problem.column is None or not 0 < problem.line <= len(lines):
        return
    margin = len(str(problem.line))
    for number in range(max(1, problem.line - 1), problem.line + 1):
        print(f"       {number:>{margin}} │ {visible(lines[number - 1][:100])}", file=sys.stderr)
    marks = "^" * max(1, min(len(problem.found), 60))
    print(f"       {'':>{margin}} │ {'':>{problem.column - 1}}{marks}", file=sys.stderr)


def _as_table(error: BadInput, outcome: str) -> None:
    count = len(error.problems) + error.uncounted
    rows = len({problem.line for problem in error.problems if problem.cell})
    source = next(problem.source for problem in error.problems if problem.cell)
    values = "1 value" if count == 1 else f"{count:,} values"
    print(
        f"Error  {visible(source)}: {values} in {rows:,} row{'s' if rows > 1 else ''} cannot be used ({outcome})",
        file=sys.stderr,
    )
    table = Table(
        [
            Column("Line", right=True),
            Column("Cell"),
            Column("Column", folds=True),
            Column("Found", folds=True),
            Column("Should be", folds=True),
        ]
    )
    for problem in error.problems[:MOST_SHOWN]:
        cells = (str(problem.line or ""), problem.cell, problem.label or problem.field, problem.shown, problem.expected)
        table.rows.append([Cell(visible(text), "warn" if index == 3 else "") for index, text in enumerate(cells)])
    show([table], sys.stderr)
    _how_many_more(error, min(MOST_SHOWN, len(error.problems)))


def _how_many_more(error: BadInput, shown: int) -> None:
    left = len(error.problems) + error.uncounted - shown
    if left:
        show([Remark("Also", f"{left:,} more; -o json lists {len(error.problems):,} of them", "")], sys.stderr)
