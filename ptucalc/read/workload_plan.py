"""A YAML plan or a JSON file of workloads: the same names as the CSV, plus what a table cannot hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ptucalc.errors import BadInput, Problem
from ptucalc.read.fields import field_of
from ptucalc.read.row import Row
from ptucalc.read.yaml_text import Tree, read_yaml

__all__ = ["Plan", "read_plan"]

_PLAN_KEYS = ("workloads", "headroom", "limits")


@dataclass(frozen=True)
class Plan:
    """The rows of a plan, its headroom, and its text lines for messages."""

    rows: list[Row]
    headroom: str | None
    lines: list[str]


def read_plan(text: str, source: str, kind: str) -> Plan:
    """Rows of a plan. Raises BadInput with every problem of its structure; values are checked row by row later."""
    tree = read_yaml(text, source) if kind == "yaml" else _read_json(text, source)
    document = tree.value
    if isinstance(document, list):
        document = {"workloads": document}
        below = ("workloads",)
        positions = {below + path: at for path, at in tree.positions.items()}
        keys = {below + path: at for path, at in tree.keys.items()}
        tree = Tree(source, document, positions, keys, tree.lines)
    problems: list[Problem] = []
    if not isinstance(document, dict):
        found = "" if document is None else str(document)
        raise BadInput([tree.problem((), found, "a mapping with workloads", name="plan")], lines=tree.lines)
    if "schema" in document:
        found = str(document["schema"])
        problem = tree.problem(("schema",), found, "a file of workloads; this is a saved result of ptucalc")
        raise BadInput([problem], lines=tree.lines)
    for key in document:
        if key not in _PLAN_KEYS:
            problems.append(tree.problem((key,), key, f"one of {', '.join(_PLAN_KEYS)}", key=True))
    entries = document.get("workloads")
    if not isinstance(entries, list) or not entries:
        problems.append(tree.problem(("workloads",), "" if not entries else str(entries), "a list of workloads"))
        raise BadInput(problems, lines=tree.lines)
    headroom = document.get("headroom")
    if headroom is not None and isinstance(headroom, (dict, list, bool)):
        problems.append(tree.problem(("headroom",), str(headroom), "a share such as 15%"))
    if document.get("limits") is not None and not isinstance(document["limits"], dict):
        problems.append(tree.problem(("limits",), str(document["limits"]), "a mapping"))
    rows = [_row(tree, index, entry) for index, entry in enumerate(entries)]
    if problems:
        problems += [problem for row in rows for problem in row.problems()]
        raise BadInput(problems, lines=tree.lines)
    return Plan(rows, None if headroom is None else str(headroom), tree.lines)


def _row(tree: Tree, index: int, entry: Any) -> Row:
    problems: list[Problem] = []
    path: tuple[str | int, ...] = ("workloads", index)
    fields: dict[str, Any] = {}
    keys: dict[str, str] = {}
    profile = None
    if not isinstance(entry, dict):
        problems.append(
            tree.problem(path, "" if entry is None else str(entry), "a mapping with model, input_tokens ...")
        )
        entry = {}
    for key, value in entry.items():
        if key == "profile":
            profile = {} if value is None else value
            continue
        field = field_of(key)
        if field is None:
            problems.append(tree.problem((*path, key), key, "a key of a workload (see README.md)", key=True))
        elif field in keys:
            expected = f"one key for {field}: {keys[field]} means the same"
            problems.append(tree.problem((*path, key), key, expected, key=True))
        else:
            keys[field] = key
            fields[field] = value

    def place(problem: Problem) -> Problem:
        inner = _path_of(problem.field)
        inner = (keys.get(str(inner[0]), inner[0]), *inner[1:])
        return tree.problem((*path, *inner), problem.found, problem.expected)._replace(field=problem.field)

    return Row(index + 1, fields, place, profile, tuple(problems))


def _path_of(field: str) -> tuple[str | int, ...]:
    """("profile", "levels", 0, "share") from profile.levels[0].share."""
    parts: list[str | int] = []
    for part in field.replace("[", ".[").split("."):
        parts.append(int(part[1:-1]) if part.startswith("[") else part)
    return tuple(parts)


def _read_json(text: str, source: str) -> Tree:
    """JSON with its numbers kept as text; duplicate keys, NaN and Infinity are refused."""
    import json

    repeated: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                repeated.append(key)
            found[key] = value
        return found

    try:
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        problem = Problem("JSON", error.msg, "valid JSON", source=source, line=error.lineno, column=error.colno)
        raise BadInput([problem]) from None
    except RecursionError:
        raise BadInput([Problem("JSON", "deeply nested data", "a list of workloads", source=source)]) from None
    if repeated:
        raise BadInput([Problem("JSON", key, "each key once", source=source) for key in repeated])
    return Tree(source, value)
