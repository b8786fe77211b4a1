"""Values of flags, read one by one, with all that is wrong told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from ptucalc.catalog import UnknownModel
from ptucalc.errors import BadInput, Problem

__all__ = ["FlagReader"]

_T = TypeVar("_T")


class FlagReader:
    """Reads values, and keeps what is wrong with them, after the problems that are known already."""

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        self.problems = list(problems)

    def read(self, field: str, value: str | None, reader: Callable[[str], _T], instead: _T) -> _T:
        """The value; `instead` where there is none, or it is wrong."""
        try:
            return instead if value is None else reader(value)
        except BadInput as error:
            self.problems += error.problems
        except UnknownModel as error:
            self.problems.append(Problem(field, value or "", error.expected))
        except ValueError as error:
            self.problems.append(Problem(field, value or "", str(error)))
        return instead

    def optional(self, field: str, value: str | None, reader: Callable[[str], _T]) -> _T | None:
        """The same; None where there is none, or it is wrong."""
        return None if value is None else self.read(field, value, lambda text: reader(text), None)
