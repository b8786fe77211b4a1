"""YAML as text: scalars stay strings, every value knows its line, and what could surprise is refused.

Plain YAML turns version 0613 into 395 and NO into false. Here nothing is converted, duplicate keys, anchors, aliases
and tags are errors, and all of them are reported at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ptucalc.errors import BadInput, Problem

__all__ = ["Tree", "read_yaml"]

LARGEST_FILE_CHARACTERS = 10_000_000
DEEPEST = 20

Path = tuple[str | int, ...]


@dataclass
class Tree:
    """A YAML document: nested dicts and lists of strings (None for an empty value).

    `positions` says where each value stands, `keys` where its key does; both are empty where nobody knows (JSON).
    """

    source: str
    value: Any = None
    positions: dict[Path, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def at(self, path: Path) -> tuple[int | None, int | None]:
        """Line and column (from 1) of a value, or of the nearest thing around it."""
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions.get(path, (None, None))

    def problem(self, path: Path, found: str, expected: str, *, name: str = "", key: bool = False) -> Problem:
        """A problem with the value at this path, or with its `key`."""
        line, column = self.keys[path] if key and path in self.keys else self.at(path)
        label = dotted(path) or name or "document"
        return Problem(name or label, found, expected, source=self.source, line=line, column=column, label=label)


def dotted(path: Path) -> str:
    """workloads[2].output_tokens, from its path."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_yaml(text: str, source: str) -> Tree:
    """Read one YAML document. Raises BadInput with every duplicate key, alias or tag, or with the syntax error."""
    import yaml

    tree = Tree(source, lines=text.splitlines())
    if len(text) > LARGEST_FILE_CHARACTERS:
        found = f"{len(text):,} characters"
        raise BadInput([Problem("file", found, f"at most {LARGEST_FILE_CHARACTERS:,} characters", source=source)])
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    problems: list[Problem] = []
    try:
        _Builder(tree, iter(yaml.parse(text, Loader=loader)), problems).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        found = error.problem or "something else"
        problem = Problem("YAML", found, "valid YAML", source=source, line=line, column=column)
        raise BadInput([problem], lines=tree.lines) from None
    except yaml.YAMLError as error:
        found = str(error).splitlines()[0]
        raise BadInput([Problem("YAML", found, "valid YAML", source=source)]) from None
    if problems:
        raise BadInput(problems, lines=tree.lines)
    return tree


class _Builder:
    """Builds the tree from the parser's events."""

    def __init__(self, tree: Tree, events: Any, problems: list[Problem]) -> None:
        self.tree, self.events, self.problems = tree, events, problems

    def document(self) -> None:
        next(self.events)  # stream start
        event = next(self.events)
        if _kind(event) == "StreamEnd":
            return
        self.tree.value = self.node(next(self.events), ())
        next(self.events)  # document end
        event = next(self.events)
        if _kind(event) != "StreamEnd":
            self.refuse(event, (), "a second document", "one document")

    def refuse(self, event: Any, path: Path, found: str, expected: str) -> None:
        mark = event.start_mark
        self.problems.append(
            Problem(
                dotted(path) or "document",
                found,
                expected,
                source=self.tree.source,
                line=mark.line + 1,
                column=mark.column + 1,
            )
        )

    def node(self, event: Any, path: Path) -> Any:
        kind = _kind(event)
        mark = event.start_mark
        self.tree.positions[path] = (mark.line + 1, mark.column + 1)
        if kind == "Alias":
            self.refuse(event, path, f"*{event.anchor}", "a value written out (no aliases)")
            return None
        if event.anchor:
            self.refuse(event, path, f"&{event.anchor}", "a value without an anchor")
        if event.tag and not (kind == "Scalar" and event.tag == "!"):
            self.refuse(event, path, event.tag, "a value without a tag")
        if kind == "Scalar":
            text: str = event.value
            return None if not event.style and text in ("", "~", "null") else text
        if len(path) >= DEEPEST:
            raise BadInput([self.tree.problem(path, "deeper nesting", f"at most {DEEPEST} levels")])
        return self.mapping(path) if kind == "MappingStart" else self.sequence(path)

    def sequence(self, path: Path) -> list[Any]:
        found: list[Any] = []
        while _kind(event := next(self.events)) != "SequenceEnd":
            found.append(self.node(event, (*path, len(found))))
        return found

    def mapping(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        first: dict[str, int] = {}
        while _kind(event := next(self.events)) != "MappingEnd":
            if _kind(event) != "Scalar":
                self.refuse(event, path, "a list or mapping as a key", "a plain key")
                self.node(event, (*path, "?"))
                self.node(next(self.events), (*path, "?"))
                continue
            key = event.value
            if event.anchor or event.tag:
                self.refuse(event, (*path, key), key, "a key without an anchor or a tag")
            self.tree.keys.setdefault((*path, key), (event.start_mark.line + 1, event.start_mark.column + 1))
            if key in found:
                self.refuse(event, (*path, key), key, f"each key once (first on line {first[key]})")
            else:
                first[key] = event.start_mark.line + 1
            value = self.node(next(self.events), (*path, key))
            found.setdefault(key, value)
        return found


def _kind(event: Any) -> str:
    return type(event).__name__.removesuffix("Event")
