"""Two plans (or two results of the same command) side by side: which workloads, deployments and amounts moved."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple, TypeAlias

__all__ = [
    "Changed",
    "DeploymentChange",
    "Described",
    "FieldChange",
    "Kind",
    "Side",
    "SideDeployment",
    "SideWorkload",
    "WorkloadChange",
    "differences",
]


class Described(NamedTuple):
    """A value that is no number or name (a load profile): what it is, in words, and itself, to be compared."""

    text: str
    value: Hashable


Value: TypeAlias = Fraction | str | Described | None


class Kind(StrEnum):
    """What became of something."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    CHANGED = "changed"


class SideWorkload(NamedTuple):
    """One workload of one side; `deployment` is the key of the deployment that serves it."""

    name: str
    deployment: Hashable
    values: Mapping[str, Value]


class SideDeployment(NamedTuple):
    """One deployment of one side; `ptu` and `monthly_usd` are None where they are not known.

    `reason` says why, or what the amount is for, where that is not `ptu`.
    """

    key: Hashable
    name: str
    model: str
    deployment_type: str | None
    region: str | None
    workloads: tuple[str, ...]
    ptu: int | None
    monthly_usd: Decimal | None
    reason: str = ""


class Side(NamedTuple):
    """One side of a difference. `settings` are values of the plan as a whole: headroom, limits."""

    source: str
    workloads: tuple[SideWorkload, ...]
    deployments: tuple[SideDeployment, ...]
    settings: Mapping[str, Value] = {}

    @property
    def ptu(self) -> int | None:
        """PTU of all deployments; None where one is not known."""
        found = [each.ptu for each in self.deployments]
        return None if None in found else sum(ptu for ptu in found if ptu is not None)

    @property
    def monthly_usd(self) -> Decimal | None:
        """Dollars a month of all deployments; None where one is not known."""
        found = [each.monthly_usd for each in self.deployments]
        return None if None in found else sum((usd for usd in found if usd is not None), Decimal(0))

    @property
    def ptu_by_type(self) -> dict[str, int | None]:
        """PTU per deployment type."""
        kinds = dict.fromkeys(each.deployment_type or "" for each in self.deployments)
        members = {k: tuple(e for e in self.deployments if (e.deployment_type or "") == k) for k in kinds}
        return {kind: self._replace(deployments=of_kind).ptu for kind, of_kind in members.items()}


class FieldChange(NamedTuple):
    """One value that differs; None where there was, or is, none."""

    field: str
    old: Value
    new: Value


class WorkloadChange(NamedTuple):
    """What became of a workload. `old_name` and `new_name` differ where it was renamed; None where it was not there."""

    kind: Kind
    old_name: str | None
    new_name: str | None
    model: str
    changes: tuple[FieldChange, ...]

    @property
    def name(self) -> str:
        """Its name now, or the one it had."""
        return self.new_name or self.old_name or ""


class DeploymentChange(NamedTuple):
    """A deployment before and after; None on the side that does not have it."""

    old: SideDeployment | None
    new: SideDeployment | None

    @property
    def kind(self) -> Kind:
        """Added, removed or changed."""
        return Kind.ADDED if self.old is None else Kind.REMOVED if self.new is None else Kind.CHANGED

    @property
    def name(self) -> str:
        """Its name now, or the one it had."""
        return self._either.name

    @property
    def _either(self) -> SideDeployment:
        found = self.new or self.old
        assert found is not None
        return found

    @property
    def ptu(self) -> tuple[int | None, int | None]:
        """PTU before and after; 0 where there is no such deployment."""
        return (self.old.ptu if self.old else 0, self.new.ptu if self.new else 0)

    @property
    def monthly_usd(self) -> tuple[Decimal | None, Decimal | None]:
        """Dollars a month before and after; 0 where there is no such deployment."""
        nothing = Decimal(0)
        return (self.old.monthly_usd if self.old else nothing, self.new.monthly_usd if self.new else nothing)

    @property
    def places(self) -> tuple[str, str]:
        """Model, deployment type and region before and after; the same words where only the size moved."""
        found = []
        for side in (self.old, self.new):
            parts = (side.model, side.deployment_type, side.region) if side else ()
            found.append(" ".join(part for part in parts if part))
        return found[0], found[1]


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What differs. `deployments` are those that moved in size, price or place; `settings` those of the plan."""

    settings: tuple[FieldChange, ...]
    workloads: tuple[WorkloadChange, ...]
    deployments: tuple[DeploymentChange, ...]

    @property
    def anything(self) -> bool:
        """Whether there is any difference."""
        return bool(self.settings or self.workloads or self.deployments)


def differences(old: Side, new: Side) -> Changed:
    """What differs between two sides.

    Workloads are matched by name; one that is gone and one that is new with the same values are one that was renamed.
    Deployments are matched by what makes them one (given name, or model, version, type and region), and those that serve
    one workload alone by that workload.
    """
    workloads, renamed = _workloads(old, new)
    return Changed(
        settings=tuple(_fields(old.settings, new.settings)),
        workloads=tuple(workloads),
        deployments=tuple(_deployments(old, new, renamed)),
    )


def _fields(old: Mapping[str, Value], new: Mapping[str, Value]) -> Iterator[FieldChange]:
    for field in dict.fromkeys([*old, *new]):
        before, after = old.get(field), new.get(field)
        if before != after:
            yield FieldChange(field, before, after)


def _workloads(old: Side, new: Side) -> tuple[list[WorkloadChange], dict[str, str]]:
    """The workloads that changed, in the order of the new side, then those that are gone; and old names of the renamed."""
    before = {each.name: each for each in old.workloads}
    after = {each.name: each for each in new.workloads}
    gone = [each for each in old.workloads if each.name not in after]
    renamed: dict[str, str] = {}
    waiting: dict[Hashable, list[str]] = {}
    for each in reversed(gone):
        waiting.setdefault(frozenset(each.values.items()), []).append(each.name)
    for each in new.workloads:
        same = waiting.get(frozenset(each.values.items()))
        if same and each.name not in before and each.values:
            renamed[each.name] = same.pop()
    found = []
    for each in new.workloads:
        model = _model(each)
        if each.name in before:
            changes = tuple(_fields(before[each.name].values, each.values))
            if changes:
                found.append(WorkloadChange(Kind.CHANGED, each.name, each.name, model, changes))
        elif each.name in renamed:
            found.append(WorkloadChange(Kind.RENAMED, renamed[each.name], each.name, model, ()))
        else:
            found.append(WorkloadChange(Kind.ADDED, None, each.name, model, ()))
    went_on = set(renamed.values())
    left = [each for each in gone if each.name not in went_on]
    found += [WorkloadChange(Kind.REMOVED, each.name, None, _model(each), ()) for each in left]
    return found, renamed


def _model(workload: SideWorkload) -> str:
    model = workload.values.get("model")
    return model if isinstance(model, str) else ""


def _deployments(old: Side, new: Side, renamed: Mapping[str, str]) -> Iterator[DeploymentChange]:
    """Those that moved, in the order of the new side, then those that are gone."""
    before = {each.key: each for each in old.deployments}
    pairs: dict[Hashable, SideDeployment] = {}
    for each in new.deployments:
        if each.key in before:
            pairs[each.key] = before[each.key]
    new_keys = {each.key for each in new.deployments}
    alone = {
        each.workloads[0]: each for each in old.deployments if len(each.workloads) == 1 and each.key not in new_keys
    }
    for each in new.deployments:
        if each.key not in pairs and len(each.workloads) == 1:
            name = each.workloads[0]
            found = alone.get(renamed.get(name, name))
            if found is not None:
                pairs[each.key] = found
    for each in new.deployments:
        change = DeploymentChange(pairs.get(each.key), each)
        if _moved(change):
            yield change
    taken = {each.key for each in pairs.values()}
    yield from (DeploymentChange(each, None) for each in old.deployments if each.key not in taken)


def _moved(change: DeploymentChange) -> bool:
    places, ptu, usd = change.places, change.ptu, change.monthly_usd
    return places[0] != places[1] or ptu[0] != ptu[1] or usd[0] != usd[1]
