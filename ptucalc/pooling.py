"""Workloads that share a deployment, added up exactly, so that they are rounded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, NamedTuple

from ptucalc.catalog import DeploymentType, Model
from ptucalc.demand import Demand
from ptucalc.errors import BadInput, Problem
from ptucalc.resolving import Resolved
from ptucalc.workload import LoadProfile, Workload

if TYPE_CHECKING:
    from ptucalc.measured import MeasuredCalls, SideBySide

__all__ = ["NAMES_KEPT", "Pool", "Pooled", "Sum"]

NAMES_KEPT = 1000
"""A pooled deployment keeps this many names of workloads; of more it keeps the number, so that memory stays flat."""


class Sum:
    """An exact sum of fractions: integers added over the few denominators that occur."""

    __slots__ = ("parts",)

    def __init__(self) -> None:
        self.parts: dict[int, int] = {}

    def add(self, top: int, bottom: int) -> None:
        """Add top / bottom."""
        self.parts[bottom] = self.parts.get(bottom, 0) + top

    @property
    def total(self) -> Fraction:
        """What was added."""
        return sum((Fraction(top, bottom) for bottom, top in self.parts.items()), Fraction(0))


class _Timed(NamedTuple):
    """A workload whose rate over the time is known, with the weight of its calls at today's and earlier rates."""

    weight_per_call: tuple[Fraction, ...]
    profile: LoadProfile


def _added(parts: Sequence[tuple[Fraction, LoadProfile]]) -> tuple[list[int], int]:
    """Weight x rate, added moment by moment: integers over a common denominator."""
    each = [(weight * Fraction(1, profile.scaled[1]), profile.scaled[0]) for weight, profile in parts]
    common = lcm(*(factor.denominator for factor, _ in each))
    totals = [0] * len(each[0][1])
    for factor, rates in each:
        by = int(factor * common)
        totals = [total + by * rate for total, rate in zip(totals, rates, strict=True)]
    return totals, common


@dataclass(eq=False, repr=False)
class Pooled:
    """One deployment in the making. Index 0 of the lists is today's rate, the others the model's earlier rates."""

    model: Model
    version: str | None
    kind: DeploymentType | None
    region: str | None
    given_name: str | None
    kinds: tuple[DeploymentType, ...]
    names: list[str] = field(default_factory=list)
    count: int = 0
    rate: Sum = field(default_factory=Sum)
    weighted: list[Sum] = field(default_factory=list)
    steady: list[Sum] = field(default_factory=list)
    timed: list[_Timed] = field(default_factory=list)
    measured: list[tuple[str, MeasuredCalls]] = field(default_factory=list)
    steady_rate: Sum = field(default_factory=Sum)
    marks: dict[str, list[str]] = field(default_factory=dict)
    marked: dict[str, int] = field(default_factory=dict)

    @property
    def what(self) -> str:
        """Model, version, type and region in words."""
        parts = (self.model.name, self.version, self.kind.label if self.kind else None, self.region)
        return " ".join(part for part in parts if part)

    def mark(self, code: str, name: str) -> None:
        """Remember that a note of this code is due for this workload."""
        self.marked[code] = self.marked.get(code, 0) + 1
        names = self.marks.setdefault(code, [])
        if len(names) < 3:
            names.append(name)

    def peak(self, rate_index: int = 0, *, at_maximum: bool = False) -> tuple[Fraction, Fraction]:
        """Weighted TPM and requests per minute in the pooled peak: hour by hour where there are hourly profiles.

        Logs are added minute by minute; of their sum the percentile counts (or, `at_maximum`, the busiest minute).
        """
        if not self.measured:
            return self._peak(rate_index)
        weighted, rate = (
            self._peak(rate_index) if self.timed else (self.steady[rate_index].total, self.steady_rate.total)
        )
        for group in self.logs:
            more, more_rate = group.peak(rate_index, at_maximum=at_maximum)
            weighted, rate = weighted + more, rate + more_rate
        return weighted, rate

    @property
    def logs(self) -> list[SideBySide]:
        """The measured workloads, those of the same time together."""
        from ptucalc.measured import side_by_side

        return side_by_side([calls for _, calls in self.measured])

    def _peak(self, rate_index: int) -> tuple[Fraction, Fraction]:
        """The peak of what was not measured."""
        if not self.timed:
            return self.weighted[rate_index].total, self.rate.total
        totals, common = _added([(each.weight_per_call[rate_index], each.profile) for each in self.timed])
        rates, _ = _added([(Fraction(1), each.profile) for each in self.timed])
        _, at = max(zip(zip(totals, rates, strict=True), range(len(totals)), strict=True))
        rate = sum((Fraction(each.profile.scaled[0][at], each.profile.scaled[1]) for each in self.timed), Fraction(0))
        return self.steady[rate_index].total + Fraction(totals[at], common), self.steady_rate.total + rate

    def shares_time_with(self, profile: LoadProfile | None) -> bool:
        """Whether a profile can be added moment by moment: the first of hours or minutes says which it is."""
        if profile is None or profile.axis is None:
            return False
        return not self.timed or self.timed[0].profile.axis == profile.axis


class Pool:
    """Collects workloads into deployments.

    Workloads share one if their model, version, deployment type and region are the same, or if they name the same
    `deployment`. Peaks are added as if they coincide; hourly profiles (or minutes) are added hour by hour instead.
    """

    def __init__(self) -> None:
        self.deployments: dict[object, Pooled] = {}

    def add(
        self, workload: Workload, name: str, resolved: Resolved, demand: Demand, weighted: tuple[int, int]
    ) -> object:
        """Add one workload, and return the key of its deployment. Raises BadInput where it contradicts the others."""
        each = [weighted, *(demand.weighted(weights) for weights in resolved.earlier)]
        key, pooled = self._place(workload, name, resolved, each)
        if pooled.shares_time_with(workload.profile):
            assert workload.profile
            per_call = tuple(Fraction(*value) / workload.requests_per_minute for value in each)
            pooled.timed.append(_Timed(per_call, workload.profile))
        else:
            top, bottom = workload.requests_per_minute.numerator, workload.requests_per_minute.denominator
            pooled.steady_rate.add(top, bottom)
            for total, value in zip(pooled.steady, each, strict=True):
                total.add(*value)
        return key

    def add_measured(self, workload: Workload, name: str, resolved: Resolved, calls: MeasuredCalls) -> object:
        """Add one workload that a log measured; else as `add`."""
        each = [calls.together.peak(index)[0].as_integer_ratio() for index in range(len(calls.weights))]
        key, pooled = self._place(workload, name, resolved, each)
        pooled.measured.append((name, calls))
        return key

    def _place(
        self, workload: Workload, name: str, resolved: Resolved, each: Sequence[tuple[int, int]]
    ) -> tuple[object, Pooled]:
        """The workload's deployment and its key, with what every workload adds to it."""
        key = self.key_of(workload, resolved.model, resolved.version)
        pooled = self.deployments.get(key)
        if pooled is None:
            model, kind, region = resolved.model, workload.deployment_type, workload.region
            pooled = Pooled(model, resolved.version, kind, region, workload.deployment, resolved.kinds)
            pooled.weighted = [Sum() for _ in range(1 + len(resolved.earlier))]
            pooled.steady = [Sum() for _ in pooled.weighted]
            self.deployments[key] = pooled
        elif workload.deployment is not None:
            _check_same(pooled, workload, resolved)
        pooled.version = pooled.version or resolved.version
        pooled.count += 1
        if pooled.count <= NAMES_KEPT:
            pooled.names.append(name)
        top, bottom = workload.requests_per_minute.numerator, workload.requests_per_minute.denominator
        pooled.rate.add(top, bottom)
        for total, value in zip(pooled.weighted, each, strict=True):
            total.add(*value)
        return key, pooled

    @staticmethod
    def key_of(workload: Workload, model: Model, version: str | None) -> object:
        """What workloads that share a deployment have in common."""
        if workload.deployment is not None:
            return workload.deployment
        return model.name, model.only_version(version), workload.deployment_type, workload.region

    def names(self) -> dict[object, str]:
        """A name for each deployment: the given one, or the model's, with as much more as tells it from the others."""
        taken = {p.given_name for p in self.deployments.values() if p.given_name}
        open_names = [p.model.name for p in self.deployments.values() if not p.given_name]
        found: dict[object, str] = {}
        for key, pooled in self.deployments.items():
            name = pooled.given_name
            if name is None:
                name = pooled.model.name
                if open_names.count(name) > 1 or name in taken:
                    name = pooled.what
                while name in taken:
                    name += " (2)"
                taken.add(name)
            found[key] = name
        return found


def _check_same(pooled: Pooled, workload: Workload, resolved: Resolved) -> None:
    version = resolved.model.only_version(resolved.version)
    mine = (resolved.model.name, version, workload.deployment_type, workload.region)
    if mine != (pooled.model.name, pooled.model.only_version(pooled.version), pooled.kind, pooled.region):
        kind = workload.deployment_type
        here = " ".join(part for part in (mine[0], resolved.version, kind.label if kind else None, mine[3]) if part)
        expected = f"one model, version, type and region: other rows make it {pooled.what}, this one {here}"
        raise BadInput([Problem("deployment", workload.deployment or "", expected)])
