"""A file of deployments to emulate: what each is, and where it spills over to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ptucalc import exact
from ptucalc.catalog import Catalog, Model, UnknownModel
from ptucalc.errors import BadInput, Problem
from ptucalc.read.files import read_text
from ptucalc.read.route import read_outages
from ptucalc.rehearsal import Deployment, Place, deployment_problems
from ptucalc.routing import Provisioned, Standard
from ptucalc.standard_limits import RPM_WINDOWS_SECONDS

if TYPE_CHECKING:
    from ptucalc.read.yaml_text import Tree

__all__ = ["deployment_name", "describes_workloads", "read_deployments"]

SECOND_US = 1_000_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_KEYS = (
    "name",
    "model",
    "model_version",
    "ptu",
    "window",
    "tpm",
    "rpm",
    "rpm_window",
    "spillover",
    "output_weight",
    "down",
)


def deployment_name(text: str) -> str:
    """A name that Azure takes for a deployment. Raises ValueError."""
    if not _NAME.fullmatch(text):
        raise ValueError("letters, digits, - . and _, at most 64, beginning with a letter or digit")
    return text


def window_us(text: str) -> int:
    """Seconds of drain, in microseconds. Raises ValueError."""
    found = exact.amount(text.strip().removesuffix("s")) * SECOND_US
    if found.denominator != 1 or not 0 < found <= 86_400 * SECOND_US:
        raise ValueError("seconds over 0, such as 60, at most a day")
    return int(found)


def rpm_window(text: str) -> int:
    """Seconds over which RPM is checked. Raises ValueError."""
    plain = text.strip().removesuffix("s")
    if plain not in map(str, RPM_WINDOWS_SECONDS):
        raise ValueError(f"{' or '.join(map(str, RPM_WINDOWS_SECONDS))} seconds, over which Azure checks RPM")
    return int(plain)


def describes_workloads(path: str) -> bool:
    """Whether a file is a plan or a table of workloads rather than deployments. Raises BadInput where there is none."""
    from pathlib import Path

    from ptucalc.read.yaml_text import read_yaml

    text = read_text(Path(path))
    try:
        top = read_yaml(text, path).value
    except BadInput:  # whoever reads it says why
        return False
    return "workloads" in top if isinstance(top, dict) else top is not None


def read_deployments(path: str, catalog: Catalog) -> list[Deployment]:
    """The deployments of a YAML file, under `deployments:`. Raises BadInput with every problem, each with its line.

    Each has a model, and `ptu` (with a `window` in seconds, and `spillover`, the name of another) or a Standard limit:
    `tpm`, `rpm`, `rpm_window`. Its name is the model's unless it is given; `down` is as in a route.
    """
    from pathlib import Path

    from ptucalc.read.yaml_text import read_yaml

    tree = read_yaml(read_text(Path(path)), path)
    problems: list[Problem] = []
    found: list[Deployment] = []
    entries: list[int] = []
    clocks: set[bool] = set()
    top = tree.value
    if not isinstance(top, dict) or not isinstance(top.get("deployments"), list):
        way = "; backends: are for --route" if isinstance(top, dict) and "backends" in top else ""
        expected = f"deployments: (or workloads:) and a list of them{way}"
        raise BadInput([tree.problem((), "", expected, name="deployments")])
    problems += [tree.problem((key,), key, "deployments alone", key=True) for key in top if key != "deployments"]
    for index, entry in enumerate(top["deployments"]):
        where = ("deployments", index)
        if not isinstance(entry, dict):
            problems.append(tree.problem(where, str(entry or ""), "a deployment: a mapping with a model"))
            continue
        for key, value in entry.items():
            if key not in _KEYS:
                problems.append(tree.problem((*where, key), key, f"one of {', '.join(_KEYS)}", key=True))
            elif key == "down":
                continue
            elif value is not None and not isinstance(value, str):
                problems.append(tree.problem((*where, key), "more than a value", "one value"))
        down = read_outages(tree, (*where, "down"), entry.get("down"), catalog)
        problems += down.problems
        clocks |= down.relative
        try:
            one = _deployment({key: value for key, value in entry.items() if isinstance(value, str)}, catalog)
            backend = replace(one.backend, down=down.outages)
            found.append(replace(one, backend=backend, relative_clock=down.relative == {True}))
            entries.append(index)
        except BadInput as error:
            problems += [
                tree.problem((*where, each.field) if each.field in entry else where, each.found, each.expected)
                for each in error.problems
            ]
    for place, problem in deployment_problems(found):
        if problem.field == "deployment":
            problems.append(_at(tree, entries[place], "name", problem))
        elif len(found) == len(top["deployments"]):  # else what it spills over to may be among those that are wrong
            problems.append(_at(tree, entries[place], problem.field, problem))
    if len(clocks) > 1:
        expected = "all times of `down` alike: of day (2026-11-10T09:00Z), or since the start (90m)"
        problems.append(tree.problem(("deployments",), "both kinds", expected))
    if problems:
        raise BadInput(problems, lines=tree.lines)
    return found


def _at(tree: Tree, index: int, key: str, problem: Problem) -> Problem:
    """A problem of a deployment, with the line of this key, or of the deployment where it does not have it."""
    path = ("deployments", index, key)
    return tree.problem(path if key in tree.value["deployments"][index] else path[:2], problem.found, problem.expected)


def _deployment(entry: Mapping[str, str], catalog: Catalog) -> Deployment:
    problems: list[Problem] = []

    def read(field: str, reader: Callable[[str], Any], instead: Any = None) -> Any:
        if field not in entry:
            return instead
        try:
            return reader(entry[field])
        except UnknownModel as error:
            problems.append(Problem(field, entry[field], error.expected))
        except ValueError as error:
            problems.append(Problem(field, entry[field], str(error)))
        return instead

    found: tuple[Model | None, str | None] = read("model", catalog.find, (None, None))
    model, version = found
    if "model" not in entry:
        problems.append(Problem("model", "", "the model that it serves"))
    name = read("name", deployment_name, "x" if model is None else model.name)
    ptu, window = read("ptu", exact.positive), read("window", window_us, 60 * SECOND_US)
    tpm, rpm = read("tpm", exact.positive), read("rpm", exact.positive)
    seconds = read("rpm_window", rpm_window, 1)
    weight: Fraction | None = read("output_weight", exact.weight)
    provisioned, standard = {"ptu", "window", "spillover"} & set(entry), {"tpm", "rpm", "rpm_window"} & set(entry)
    if provisioned and standard:
        problems.append(Problem(sorted(standard)[0], "beside ptu", "a provisioned deployment (ptu) or a Standard one"))
    elif "ptu" not in entry and not {"tpm", "rpm"} & set(entry):
        problems.append(Problem("ptu", "", "ptu, or tpm and rpm of a Standard deployment"))
    if problems or model is None:
        raise BadInput(problems)
    version = entry.get("model_version", version)
    backend: Provisioned | Standard
    if ptu is not None:
        backend = Provisioned(name=name, model=model, model_version=version, ptu=ptu, window_us=window)
    else:
        backend = Standard(name=name, model=model, model_version=version, tpm=tpm, rpm=rpm, rpm_window_seconds=seconds)
    found_one = Deployment(backend=backend, model=model, spillover=entry.get("spillover"), output_weight=weight)
    return Place.checked(found_one)
