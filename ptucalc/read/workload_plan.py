"""A YAML plan or a JSON file of workloads: the same names as the CSV, plus what a table cannot hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptucalc.errors import BadInput, Problem
from ptucalc.read.fields import field_of
from ptucalc.read.plan_limits import read_limits
from ptucalc.read.row import Row
from ptucalc.read.strict_json import read_json
from ptucalc.read.yaml_text import Tree, read_yaml

if TYPE_CHECKING:
    from ptucalc.catalog import Catalog
    from ptucalc.demand_profile import DemandProfile
    from ptucalc.hand_over import Spillover
    from ptucalc.plan_limits import PlanLimits
    from ptucalc.read.prompt_call import PromptCall, PromptSources

__all__ = ["Plan", "read_plan"]

_PLAN_KEYS = ("workloads", "headroom", "limits", "spillover")
PROMPT_KEYS = ("prompt_file", "completion_file", "encoding", "approx", "image_size")
"""Keys of a workload that say which prompts to count, and how."""


@dataclass(frozen=True)
class Plan:
    """The rows of a plan, its headroom, its text lines for messages, and the limits it sets itself.

    `prompts` are those that its workloads name; they are counted when a row is read. So are the files of `minutes`.
    """

    rows: list[Row]
    headroom: str | None
    lines: list[str]
    limits: PlanLimits | None = None
    spillover: Spillover | None = None
    prompts: Sequence[PromptCall] = ()
    minutes: MinuteFiles | None = None

    @property
    def files_read(self) -> tuple[str, ...]:
        """The files that its workloads name, as far as they were read."""
        minutes = () if self.minutes is None else self.minutes.files
        return (*minutes, *(file for call in self.prompts for file in call.files))


@dataclass
class MinuteFiles:
    """The files of minutes that a plan names, each read once."""

    folder: Path
    _read: dict[Path, dict[str, DemandProfile] | BadInput] = field(default_factory=dict)

    @property
    def files(self) -> tuple[str, ...]:
        """Those that were read, or tried to."""
        return tuple(map(str, self._read))

    def minutes(self, file: str, workload: str | None, name: str) -> DemandProfile:
        """The minutes of a workload: that of the given name, or else the row's, or the only one. Raises BadInput."""
        path = self._path(file)
        if path not in self._read:
            from ptucalc.read.minute_file import read_minutes

            try:
                self._read[path] = read_minutes(path)
            except BadInput as error:
                self._read[path] = error
        found = self._read[path]
        if isinstance(found, BadInput):
            raise found
        if workload is None and len(found) == 1:
            return next(iter(found.values()))
        wanted = name if workload is None else workload
        if wanted not in found:
            listed = ", ".join(list(found)[:10])
            expected = f"a workload of {file} (profile.workload says which): {listed}"
            raise BadInput([Problem("profile.workload", wanted, expected)])
        return found[wanted]

    def _path(self, file: str) -> Path:
        """The file, which is in the plan's folder or below unless its whole path is given. Raises BadInput."""
        if not file.strip():
            raise BadInput([Problem("profile.minutes_file", file, "a file that ptucalc logs --save wrote")])
        path = self.folder / file
        try:
            inside = path.resolve().is_relative_to(self.folder.resolve())
        except (OSError, ValueError, RuntimeError):
            inside = False
        if not inside and not Path(file).is_absolute():
            expected = "a file in the plan's folder or below, or a whole path"
            raise BadInput([Problem("profile.minutes_file", file, expected)])
        return path


@dataclass
class _Prompts:
    """The prompts that the workloads of a plan name, with the catalogs that say how to count them."""

    folder: Path
    catalogs: Sequence[str]
    calls: list[PromptCall] = field(default_factory=list)

    def add(self, sources: PromptSources, fields: Mapping[str, Any]) -> PromptCall:
        """The prompts of one more workload."""
        from ptucalc.read.prompt_call import PromptCall

        name = str(fields.get("name") or "").strip()
        call = PromptCall(sources, fields, catalog=self._catalog, name=name, folder=str(self.folder), stdin=False)
        self.calls.append(call)
        return call

    def _catalog(self) -> Catalog:
        from ptucalc.read.catalog import load_catalog

        return load_catalog(*self.catalogs)


def read_plan(text: str, source: str, kind: str, *, folder: Path = Path(), catalogs: Sequence[str] = ()) -> Plan:
    """Rows of a plan. Raises BadInput with every problem of its structure; values are checked row by row later.

    Files that the plan names are looked for in `folder`, its own. `catalogs` are those that say how prompts are counted.
    """
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
    limits = read_limits(tree, problems)
    spillover = _spillover(tree, problems)
    files = MinuteFiles(folder)
    prompts = _Prompts(folder, catalogs)
    rows = [_row(tree, index, entry, files, prompts) for index, entry in enumerate(entries)]
    if problems:
        problems += [problem for row in rows for problem in row.problems()]
        raise BadInput(problems, lines=tree.lines)
    return Plan(rows, None if headroom is None else str(headroom), tree.lines, limits, spillover, prompts.calls, files)


def _spillover(tree: Tree, problems: list[Problem]) -> Spillover | None:
    """The plan's `spillover`: true, false, or {thousand_tpm: 100}."""
    value = tree.value.get("spillover")
    if value is None:
        return None
    from ptucalc import exact
    from ptucalc.hand_over import Spillover

    if isinstance(value, dict) and list(value) == ["thousand_tpm"]:
        found = str(value["thousand_tpm"] or "")
        try:
            return Spillover(exact.positive(found))
        except ValueError as error:
            problems.append(tree.problem(("spillover", "thousand_tpm"), found, str(error)))
            return None
    said = str(value).casefold()
    if isinstance(value, (dict, list)) or said not in ("true", "false"):
        expected = "true, false or {thousand_tpm: 100} (the Standard deployments' capacity)"
        problems.append(tree.problem(("spillover",), str(value), expected))
    return Spillover() if said == "true" else None


def _row(tree: Tree, index: int, entry: Any, files: MinuteFiles, prompts: _Prompts) -> Row:
    problems: list[Problem] = []
    path: tuple[str | int, ...] = ("workloads", index)
    fields: dict[str, Any] = {}
    keys: dict[str, str] = {}
    asked: dict[str, str] = {}
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
        if key in PROMPT_KEYS:
            if isinstance(value, (dict, list)):
                problems.append(tree.problem((*path, key), str(value), "a text"))
                stand_in = {"prompt_file": "input_tokens", "completion_file": "output_tokens"}.get(key)
                if stand_in is not None:
                    fields.setdefault(stand_in, "0")  # so that it is not missing as well
            elif value is not None:
                asked[key] = str(value)
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

    row = Row(index + 1, fields, place, profile, tuple(problems), files.minutes)
    if not asked:
        return row
    sources = _sources(asked, problems, tree, path)
    named = prompts.add(sources, {**fields, "name": row.name}) if sources.given else None
    return row._replace(misshapen=tuple(problems), prompts=named)


def _sources(
    asked: Mapping[str, str], problems: list[Problem], tree: Tree, path: tuple[str | int, ...]
) -> PromptSources:
    """The prompts that a workload names; what is wrong with how they are to be counted is added to the problems."""
    from ptucalc.read.prompt_call import PromptSources

    approx = asked.get("approx", "false").casefold()
    if approx not in ("true", "false"):
        problems.append(tree.problem((*path, "approx"), asked["approx"], "true or false"))
    for key in asked:
        if "prompt_file" not in asked and "completion_file" not in asked:
            problems.append(tree.problem((*path, key), key, "a prompt_file or completion_file beside it", key=True))
    texts = {key: text for key, text in asked.items() if key != "approx"}
    return PromptSources(**texts, approx=approx == "true")


def _path_of(field: str) -> tuple[str | int, ...]:
    """("profile", "levels", 0, "share") from profile.levels[0].share."""
    parts: list[str | int] = []
    for part in field.replace("[", ".[").split("."):
        parts.append(int(part[1:-1]) if part.startswith("[") else part)
    return tuple(parts)


def _read_json(text: str, source: str) -> Tree:
    """JSON with its numbers kept as text, NaN and Infinity too, which no field takes."""
    value = read_json(text, source, expected="valid JSON", shape="a list of workloads", numbers=str)
    return Tree(source, value)
