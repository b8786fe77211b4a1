"""A YAML tree checked against the strict shape of a file; every problem with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ptucalc.errors import BadCatalog, Problem

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from ptucalc.read.yaml_text import Tree

__all__ = ["checked"]

_Shape = TypeVar("_Shape", bound="BaseModel")


def checked(tree: Tree, shape: type[_Shape], what: str) -> _Shape:
    """The file's values, each checked and converted. `what` names such a file. Raises BadCatalog."""
    from pydantic import ValidationError

    if not isinstance(tree.value, dict):
        name = what.split()[-1]
        raise BadCatalog([tree.problem((), "" if tree.value is None else str(tree.value), what, name=name)])
    try:
        return shape.model_validate(tree.value)
    except ValidationError as error:
        raise BadCatalog([_problem(tree, details, what) for details in error.errors()]) from None


def _problem(tree: Tree, error: ErrorDetails, what: str) -> Problem:
    path = tuple(part for part in error["loc"] if part != "[key]")
    if error["type"] == "missing":
        return tree.problem(path[:-1], "", f"a value for {path[-1]}")
    found = error["input"]
    shown = found if isinstance(found, str) else "a mapping" if isinstance(found, dict) else "a list"
    expected = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if error["type"] == "extra_forbidden":
        return tree.problem(path, str(path[-1]), f"a key that {what} file has (see CONTRIBUTING.md)")
    return tree.problem(path, "" if found is None else shown, expected)
