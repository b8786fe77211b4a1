"""The `limits:` of a plan to values, each knowing its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from ptucalc import exact
from ptucalc.catalog import DeploymentType
from ptucalc.errors import BadInput, Problem
from ptucalc.plan_limits import Limit, LimitName, PlanLimits
from ptucalc.prices import PtuTerm
from ptucalc.read.yaml_text import Path, Tree
from ptucalc.workload import READERS

__all__ = ["read_limits"]

_KEYS = (*LimitName, "term")
_EXAMPLE_QUOTA = "PTU by deployment type and region: {global: {eastus2: 400}}"


def read_limits(tree: Tree, problems: list[Problem]) -> PlanLimits | None:
    """The limits of the plan, None where it has no such key. What is wrong with them is added to `problems`."""
    entry = tree.value.get("limits")
    if "limits" not in tree.value:
        return None
    if not isinstance(entry, dict):
        problems.append(tree.problem(("limits",), _text(entry), f"limits: {', '.join(_KEYS)}"))
        return None
    reading = _Reading(tree, problems)
    found: list[Limit] = []
    term = None
    for key, value in entry.items():
        path = ("limits", key)
        if key == LimitName.QUOTA:
            found += reading.quotas(path, value)
        elif key == LimitName.REGIONS:
            found += reading.regions(path, value)
        elif key == "term":
            term = reading.take(path, value, _term)
        elif key in _NUMBERS:
            number = reading.take(path, value, _NUMBERS[key])
            if number is not None:
                found.append(reading.limit(path, LimitName(key), number))
        else:
            problems.append(tree.problem(path, key, f"one of {', '.join(_KEYS)}", key=True))
    limits = PlanLimits(limits=tuple(found), term=term)
    lowest, highest = (limits.named(name) for name in (LimitName.MIN_UTILIZATION, LimitName.MAX_UTILIZATION))
    if lowest and highest and lowest[0].value > highest[0].value:  # type: ignore[operator]  # both are shares
        path = ("limits", LimitName.MIN_UTILIZATION.value)
        expected = f"at most {LimitName.MAX_UTILIZATION} ({_text(entry[LimitName.MAX_UTILIZATION])})"
        problems.append(tree.problem(path, _text(entry[LimitName.MIN_UTILIZATION]), expected))
    return limits


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _days(text: str) -> Fraction:
    return Fraction(exact.tokens(text))


def _ptu(text: str) -> Fraction:
    return Fraction(exact.tokens(text))


def _term(text: str) -> PtuTerm:
    try:
        return PtuTerm(text.strip().casefold())
    except ValueError:
        raise ValueError(f"one of {', '.join(PtuTerm)}") from None


_NUMBERS: dict[str, Callable[[str], Fraction]] = {
    LimitName.BUDGET: exact.amount,
    LimitName.RATE_429: exact.share,
    LimitName.CATALOG_AGE: _days,
    LimitName.MIN_UTILIZATION: exact.share,
    LimitName.MAX_UTILIZATION: exact.share,
}


class _Reading:
    """Reads values of one tree and collects what is wrong with them."""

    def __init__(self, tree: Tree, problems: list[Problem]) -> None:
        self.tree, self.problems = tree, problems

    def take(self, path: Path, value: Any, read: Callable[[str], Any]) -> Any:
        """The value as `read` takes its text; None where it is none."""
        try:
            if isinstance(value, (dict, list, bool)) or value is None:
                read("")
                raise AssertionError("an empty value is no limit")
            return read(value)
        except (ValueError, BadInput) as error:
            self.problems.append(self.tree.problem(path, _text(value), str(error)))
        return None

    def limit(self, path: Path, name: LimitName, value: Fraction | tuple[str, ...], **more: Any) -> Limit:
        """A limit that stands there."""
        line, column = self.tree.at(path)
        return Limit(name=name, value=value, source=self.tree.source, line=line, column=column, **more)

    def quotas(self, path: Path, value: Any) -> Iterator[Limit]:
        """Quota by deployment type and region."""
        if not isinstance(value, dict) or not value:
            self.problems.append(self.tree.problem(path, _text(value or None), _EXAMPLE_QUOTA))
            return
        kinds: dict[DeploymentType, str] = {}
        for key, regions in value.items():
            below = (*path, key)
            kind = self._key(below, key, DeploymentType.parse, kinds)
            if not isinstance(regions, dict) or not regions:
                self.problems.append(self.tree.problem(below, _text(regions or None), _EXAMPLE_QUOTA))
                continue
            places: dict[str, str] = {}
            for place, amount in regions.items():
                region = self._key((*below, place), place, READERS["region"], places)
                ptu = self.take((*below, place), amount, _ptu)
                if kind is not None and region is not None and ptu is not None:
                    named = {"deployment_type": kind, "region": region}
                    yield self.limit((*below, place), LimitName.QUOTA, ptu, **named)

    def _key(self, path: Path, key: str, read: Callable[[str], Any], seen: dict[Any, str]) -> Any:
        """A key that has a meaning, each meaning once."""
        try:
            meaning = read(key)
        except ValueError as error:
            self.problems.append(self.tree.problem(path, key, str(error), key=True))
            return None
        if meaning in seen:
            expected = f"one key for {meaning}: {seen[meaning]} means the same"
            self.problems.append(self.tree.problem(path, key, expected, key=True))
            return None
        seen[meaning] = key
        return meaning

    def regions(self, path: Path, value: Any) -> Iterator[Limit]:
        """The regions that deployments may be in."""
        if not isinstance(value, list) or not value:
            self.problems.append(self.tree.problem(path, _text(value or None), "a list of regions: [eastus2, westus3]"))
            return
        found = [self.take((*path, index), each, READERS["region"]) for index, each in enumerate(value)]
        if None not in found:
            yield self.limit(path, LimitName.REGIONS, tuple(dict.fromkeys(found)))
