"""JSON that people hand over, read strictly: what cannot be parsed is told with its place, and no key counts twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ptucalc.errors import BadInput, Problem

__all__ = ["read_json"]

MOST_REPEATED = 20
"""So many keys that stand twice are named."""


def read_json(
    text: str, source: str = "", *, expected: str, shape: str, numbers: Callable[[str], Any] | None = None
) -> Any:
    """The value of a JSON text. Raises BadInput where it is none, nested without end, or has a key twice in one object.

    `expected` is what messages expect of the syntax, `shape` of what it holds. `numbers` makes the values of numbers (NaN and
    Infinity among them) of their text; without it they are Python's.
    """
    import json

    repeated: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    repeated.append(key)
                seen.add(key)
        return found

    try:
        value = json.loads(text, parse_int=numbers, parse_float=numbers, parse_constant=numbers, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        problem = Problem("JSON", error.msg, expected, source=source, line=error.lineno, column=error.colno)
        raise BadInput([problem]) from None
    except RecursionError:
        raise BadInput([Problem("JSON", "deeply nested data", shape, source=source)]) from None
    except ValueError as error:  # a number of thousands of digits
        raise BadInput([Problem("JSON", str(error), shape, source=source)]) from None
    if repeated:
        raise BadInput([Problem("JSON", key, "each key once", source=source) for key in repeated[:MOST_REPEATED]])
    return value
