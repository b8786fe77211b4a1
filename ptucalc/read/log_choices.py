"""What is read, and how: files that are laid out the same, what the user says of them, the window of time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, NamedTuple

from ptucalc.errors import BadInput, Problem
from ptucalc.log_formats import Recognised
from ptucalc.read.log_files import LogFile
from ptucalc.timestamps import TimeLayout, layout_of, parse_us

__all__ = ["Batch", "Choices", "window_of"]


@dataclass(frozen=True)
class Choices:
    """What the user says about a log that it does not say itself."""

    given: Mapping[str, str] = field(default_factory=dict)
    date_order: Literal["mdy", "dmy"] | None = None
    time_zone: str | None = None
    since: str | None = None
    until: str | None = None
    input_excludes_cached: bool = False
    output_excludes_reasoning: bool = False
    output_share: Fraction | None = None
    calls: bool = False
    """Whether what only a replay needs is kept too: `max_tokens` and durations, in the order of the log."""
    windows: bool = False
    """Whether calls will be asked for one by one, so that they are kept rather than read again."""


class Batch(NamedTuple):
    """Files that are laid out the same, read as one."""

    files: tuple[LogFile, ...]
    recognised: Recognised


def window_of(choices: Choices, layout: TimeLayout) -> tuple[int | None, int | None]:
    """Since and until in microseconds, on the clock of the log. Raises BadInput."""
    problems: list[Problem] = []
    found: list[int | None] = []
    for flag, text in (("since", choices.since), ("until", choices.until)):
        if text is None:
            found.append(None)
            continue
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            text += "T00:00"
        own = layout if layout.relative else layout_of([text], zone=choices.time_zone) if _is_stamp(text) else None
        try:
            if own is None:
                raise ValueError("a time such as 2026-11-02T09:00Z")
            found.append(parse_us(text, own))
        except ValueError as error:
            problems.append(Problem(flag, text, str(error), label=f"--{flag}"))
    if problems:
        raise BadInput(problems)
    since, until = found
    if since is not None and until is not None and since >= until:
        raise BadInput(
            [Problem("until", choices.until or "", f"a time after --since {choices.since}", label="--until")]
        )
    return since, until


def _is_stamp(text: str) -> bool:
    try:
        layout_of([text])
    except BadInput:
        return False
    return True
