"""One workload as written in a file or in flags, before its values are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ptucalc.errors import BadInput, Problem
from ptucalc.workload import FROM_MINUTES, LoadProfile, Workload

if TYPE_CHECKING:
    from ptucalc.demand_profile import DemandProfile
    from ptucalc.read.prompt_call import PromptCall

__all__ = ["Row", "load_profile"]


class Row(NamedTuple):
    """One workload as written: raw values by field, and how to say where a problem is.

    `misshapen` are problems, already placed, of what is no value of a workload: unknown keys. `minutes` reads the files
    of minutes that a plan names: file and workload to its minutes. `prompts` are those that a plan or a flag names, from
    which values of the workload follow.
    """

    number: int
    fields: dict[str, Any]
    place: Callable[[Problem], Problem]
    profile: Any = None
    misshapen: tuple[Problem, ...] = ()
    minutes: Callable[[str, str | None, str], DemandProfile] | None = None
    prompts: PromptCall | None = None

    @property
    def name(self) -> str:
        """The workload's name, row-N where it has none (N as the spreadsheet or the list counts)."""
        name = self.fields.get("name")
        return f"row-{self.number}" if name is None else str(name).strip()

    def workload(self) -> Workload:
        """The workload. Raises BadInput with every problem of the row; `placed` says where each is."""
        if self.profile is None and not self.misshapen and self.prompts is None:
            return Workload.from_fields(self.fields)
        problems = list(self.misshapen)
        if problems and not self.fields:  # no workload at all
            raise BadInput(problems)
        profile, fields = None, self.fields
        try:
            profile = None if self.profile is None else self._load_profile()
        except BadInput as error:
            problems += error.problems
            profile = LoadProfile.from_hourly([1] * 24)  # stands in, so that the other values are checked too
            if names_minutes(self.profile):
                fields = {name: value for name, value in fields.items() if name not in FROM_MINUTES}
                fields |= {"input_tokens": 0, "output_tokens": 0}
        if self.prompts is not None:
            try:
                fields = {**fields, **self.prompts.values()}
            except BadInput as error:
                problems += error.problems
                fields = {**self.prompts.stand_ins, **fields}  # so that the other values are checked too
        try:
            workload = Workload.from_fields(fields, profile)
        except BadInput as error:
            raise BadInput([*problems, *error.problems]) from None
        if problems:
            raise BadInput(problems)
        return workload

    def _load_profile(self) -> LoadProfile:
        """The row's profile. Raises BadInput."""
        if self.minutes is None or not names_minutes(self.profile):
            return load_profile(self.profile)
        problems = [
            Problem(f"profile.{key}", str(key), f"one of {', '.join(_OF_MINUTES)}")
            for key in self.profile
            if key not in _OF_MINUTES
        ]
        problems += [
            Problem(f"profile.{key}", str(value), "a text")
            for key, value in self.profile.items()
            if key in _OF_MINUTES and isinstance(value, (dict, list, bool))
        ]
        if problems:
            raise BadInput(problems)
        file, percentile, workload = (self.profile.get(key) for key in _OF_MINUTES)
        demand = self.minutes(file or "", workload, self.name)
        return LoadProfile.from_demand(demand, "p99" if percentile is None else percentile)

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the row, each problem in its place; nothing where it is a workload."""
        try:
            self.workload()
        except BadInput as error:
            return tuple(map(self.placed, error.problems))
        return ()

    def placed(self, problem: Problem) -> Problem:
        """The problem with its place in the file, unless it has one."""
        return problem if problem.source else self.place(problem)

    def stand_in(self) -> Workload | None:
        """A workload with the row's model and harmless numbers, to check the model of a row whose numbers are wrong."""
        kept = ("model", "model_version", "region", "output_weight")
        fields = {name: value for name, value in self.fields.items() if name in kept}
        try:
            return Workload.from_fields({**fields, "requests_per_minute": 1, "input_tokens": 0, "output_tokens": 0})
        except BadInput:
            return None


_OF_MINUTES = ("minutes_file", "percentile", "workload")


def names_minutes(profile: Any) -> bool:
    """Whether a profile is of the minutes of a log: {minutes_file, percentile, workload}."""
    return isinstance(profile, dict) and "minutes_file" in profile


def load_profile(value: Any) -> LoadProfile:
    """A profile as plans write it: {levels: [{share, requests_per_minute}]} or {hourly: [...]}. Raises BadInput."""
    shape = "levels (a list of {share, requests_per_minute}) or hourly (24 or 168 rates)"
    if not isinstance(value, dict) or len(value) != 1 or not set(value) <= {"levels", "hourly"}:
        found = ", ".join(value) if isinstance(value, dict) else str(value)
        raise BadInput([Problem("profile", found, f"either {shape}")])
    ((key, entries),) = value.items()
    if not isinstance(entries, list) or not entries:
        raise BadInput([Problem(f"profile.{key}", "" if entries is None else str(entries), f"a list: {shape}")])
    if key == "hourly":
        return LoadProfile.from_hourly(["" if entry is None else entry for entry in entries])
    problems = [
        Problem(f"profile.levels[{i}]", str(entry), "{share: ..., requests_per_minute: ...}")
        for i, entry in enumerate(entries)
        if not isinstance(entry, dict) or {_level_key(key) for key in entry} != {"share", "requests_per_minute"}
    ]
    if problems:
        raise BadInput(problems)
    named = [{_level_key(key): value for key, value in entry.items()} for entry in entries]
    return LoadProfile.from_levels([(entry["share"] or "", entry["requests_per_minute"] or "") for entry in named])


def _level_key(key: str) -> str:
    from ptucalc.read.fields import field_of

    return field_of(key) or key
