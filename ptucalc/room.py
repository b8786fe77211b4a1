"""Where a plan fits: quota and capacity against the sizes, by region; what to request, and what would fit instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from ptucalc.catalog import DeploymentType
from ptucalc.quota import DeployableSize, QuotaPool, pool_name, provider_of
from ptucalc.results import Size, SizedDeployment, json_number
from ptucalc.sizing_result import SizingResult

__all__ = ["DeploymentRoom", "PoolRoom", "RegionRoom", "Room", "find_room"]


class PoolRoom(NamedTuple):
    """One pool of quota: what the plan takes from it in all, and how much must be requested.

    `deployments` are those that count here. `region_given` says that the plan puts all of them into this region; else
    those without a region are taken to go here together. `available_ptu` and `missing_ptu` are None, with the reason,
    where no answer read names the pool. `source` is the file that does.
    """

    name: str
    deployment_type: DeploymentType
    region: str
    region_given: bool
    deployments: tuple[str, ...]
    needed_ptu: int
    limit_ptu: int | None
    used_ptu: int | None
    available_ptu: int | None
    missing_ptu: int | None
    reason: str = ""
    source: str = ""

    @property
    def fits(self) -> bool | None:
        """Whether the quota is enough; None where it is not known."""
        return None if self.missing_ptu is None else self.missing_ptu == 0

    def to_dict(self) -> dict[str, Any]:
        """The pool as JSON data."""
        return {
            "pool": self.name,
            "deployment_type": self.deployment_type.value,
            "region": self.region,
            "region_given": self.region_given,
            "deployments": list(self.deployments),
            "needed_ptu": self.needed_ptu,
            "limit_ptu": self.limit_ptu,
            "used_ptu": self.used_ptu,
            "available_ptu": self.available_ptu,
            "missing_ptu": self.missing_ptu,
            "fits": self.fits,
            "reason": self.reason or None,
        }


class RegionRoom(NamedTuple):
    """Whether a deployment fits in a region.

    `quota_left_ptu` is the free quota less what the plan's other deployments take from the same pool; `deployable_ptu`
    the largest size that the modelCapacities API answers; each None where not known. `fitting_ptu` is the largest legal
    size within them, at most the one wanted (None: none, or not known), and `fitting_max_requests_per_minute` what it
    serves. `reasons` say why it does not fit, or why that is not known.
    """

    region: str
    fits: bool | None
    quota_left_ptu: int | None
    deployable_ptu: int | None
    fitting_ptu: int | None
    fitting_max_requests_per_minute: Fraction | None
    reasons: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The region as JSON data."""
        most = self.fitting_max_requests_per_minute
        return {
            "region": self.region,
            "fits": self.fits,
            "quota_left_ptu": self.quota_left_ptu,
            "deployable_ptu": self.deployable_ptu,
            "fitting_ptu": self.fitting_ptu,
            "fitting_max_requests_per_minute": None if most is None else json_number(most),
            "reasons": list(self.reasons),
        }


class DeploymentRoom(NamedTuple):
    """A deployment on one deployment type, and every region that an answer was read of; its own region comes first."""

    name: str
    model: str
    model_version: str | None
    deployment_type: DeploymentType
    region: str | None
    ptu: int
    regions: tuple[RegionRoom, ...]

    @property
    def fits(self) -> bool | None:
        """Whether it fits where it is to go; without a region of its own, whether it fits in any. None: not known."""
        if self.region is not None:
            return next((each.fits for each in self.regions if each.region == self.region), None)
        found = {each.fits for each in self.regions}
        return True if True in found else None if None in found or not found else False

    @property
    def fitting_regions(self) -> tuple[str, ...]:
        """The regions that have room."""
        return tuple(each.region for each in self.regions if each.fits)

    def to_dict(self) -> dict[str, Any]:
        """The deployment as JSON data."""
        return {
            "deployment": self.name,
            "model": self.model,
            "model_version": self.model_version,
            "deployment_type": self.deployment_type.value,
            "region": self.region,
            "ptu": self.ptu,
            "fits": self.fits,
            "regions": [each.to_dict() for each in self.regions],
        }


class Room(NamedTuple):
    """The plan against quota and capacity: by pool of quota, and by deployment.

    `quota_read` and `capacities_read` say which answers there were.
    """

    pools: tuple[PoolRoom, ...]
    deployments: tuple[DeploymentRoom, ...]
    quota_read: bool
    capacities_read: bool

    def to_dict(self) -> dict[str, Any]:
        """The room as JSON data."""
        return {
            "pools": [pool.to_dict() for pool in self.pools],
            "deployments": [deployment.to_dict() for deployment in self.deployments],
        }


class _Wanted(NamedTuple):
    deployment: SizedDeployment
    size: Size
    ptu: int
    provider: str

    @property
    def kind(self) -> DeploymentType:
        return self.size.deployment_type

    @property
    def place(self) -> str | None:
        return self.deployment.region


def find_room(
    result: SizingResult,
    *,
    quota: Iterable[QuotaPool] | None = None,
    deployable: Iterable[DeployableSize] | None = None,
) -> Room:
    """Where the plan's deployments fit, on each of their deployment types.

    None for an answer that was not read at all. A deployment whose type is open counts on every type, as in the totals;
    one without a region counts in every region that has no region of its own. ValueError where neither was read.
    """
    if quota is None and deployable is None:
        raise ValueError("room is found in quota, in capacities, or in both")
    pools = None if quota is None else {(p.provider, p.deployment_type, p.region): p for p in quota}
    sizes = None if deployable is None else tuple(deployable)
    wanted = [
        _Wanted(deployment, size, size.ptu, provider_of(deployment.model))
        for deployment in result.deployments
        for size in deployment.sizes.values()
        if size.ptu is not None
    ]
    totals = Counter[_Taken]()
    for each in wanted:
        totals[each.provider, each.kind, each.place] += each.ptu
    return Room(
        tuple(_pool_rooms(wanted, pools)) if pools is not None else (),
        tuple(_deployment_room(each, totals, pools, sizes) for each in wanted),
        quota_read=pools is not None,
        capacities_read=sizes is not None,
    )


_Pools = dict[tuple[str, DeploymentType, str], QuotaPool]
_Taken = tuple[str, DeploymentType, str | None]


def _pool_rooms(wanted: Sequence[_Wanted], pools: _Pools) -> Iterator[PoolRoom]:
    for provider, kind in dict.fromkeys((each.provider, each.kind) for each in wanted):
        members = [each for each in wanted if (each.provider, each.kind) == (provider, kind)]
        given = {each.place for each in members if each.place is not None}
        answered = {region for _, _, region in pools} if any(each.place is None for each in members) else set()
        for region in sorted(given | answered):
            here = [each for each in members if each.place in (None, region)]
            needed = sum(each.ptu for each in here)
            pool = pools.get((provider, kind, region))
            yield PoolRoom(
                name=pool_name(provider, kind),
                deployment_type=kind,
                region=region,
                region_given=all(each.place is not None for each in here),
                deployments=tuple(each.deployment.name for each in here),
                needed_ptu=needed,
                limit_ptu=pool.limit_ptu if pool else None,
                used_ptu=pool.used_ptu if pool else None,
                available_ptu=pool.available_ptu if pool else None,
                missing_ptu=max(0, needed - pool.available_ptu) if pool else None,
                reason="" if pool else _no_pool(provider, kind, region, pools),
                source=pool.source if pool else "",
            )


def _no_pool(provider: str, kind: DeploymentType, region: str, pools: _Pools) -> str:
    if any(each == region for _, _, each in pools):
        return f"the usages of {region} name no {pool_name(provider, kind)}"
    return f"no usages of {region} were read"


def _deployment_room(
    own: _Wanted, totals: Counter[_Taken], pools: _Pools | None, sizes: Sequence[DeployableSize] | None
) -> DeploymentRoom:
    mine = None if sizes is None else [size for size in sizes if _is_of(size, own)]
    regions = {region for _, _, region in pools or ()} | {size.region for size in mine or ()}
    first = [] if own.place is None else [own.place]
    return DeploymentRoom(
        name=own.deployment.name,
        model=own.deployment.model.name,
        model_version=own.deployment.model_version,
        deployment_type=own.kind,
        region=own.place,
        ptu=own.ptu,
        regions=tuple(
            _region_room(own, region, totals, pools, mine) for region in [*first, *sorted(regions - {*first})]
        ),
    )


def _is_of(size: DeployableSize, own: _Wanted) -> bool:
    """Whether a capacity is of the deployment's model, version (any, where it has none) and type."""
    model = own.deployment.model
    names = {name.casefold() for name in (model.name, model.model_id) if name}
    version = own.deployment.model_version or model.only_version(None)
    return (
        size.deployment_type is own.kind
        and size.model.casefold() in names
        and (version is None or size.version == version)
    )


def _region_room(
    own: _Wanted,
    region: str,
    totals: Counter[_Taken],
    pools: _Pools | None,
    sizes: Sequence[DeployableSize] | None,
) -> RegionRoom:
    """`sizes` are those of this deployment's model, version and type."""
    verdicts: list[bool | None] = []
    reasons: list[str] = []
    left: int | None = None
    found = own.deployment.model.availability(own.kind, version=own.deployment.model_version, region=region)
    if found.available is False:
        verdicts.append(False)
        reasons.append(found.reason)
    if pools is not None:
        pool = pools.get((own.provider, own.kind, region))
        if pool is None:
            verdicts.append(None)
            reasons.append(_no_pool(own.provider, own.kind, region, pools))
        else:
            left = pool.available_ptu - _taken_by_others(own, region, totals)
            verdicts.append(own.ptu <= left)
            if own.ptu > left:
                reasons.append(f"quota for {max(left, 0):,} of {own.ptu:,} PTU is left in {pool.name}")
    most = [size.ptu for size in sizes or () if size.region == region]
    largest = min(most, default=None)  # several versions: that of the least room, as the version is open
    if sizes is not None:
        verdicts.append(None if largest is None else own.ptu <= largest)
        if largest is None:
            reasons.append(f"the capacities read say nothing of {own.deployment.model.name} in {region}")
        elif own.ptu > largest:
            reasons.append(f"{largest:,} PTU can be deployed there now")
    fits = False if False in verdicts else None if None in verdicts else True
    known = [each for each in (left, largest) if each is not None]
    within = None if found.available is False or not known else _largest_within(own, min([*known, own.ptu]))
    holds = None if within is None else own.size._replace(ptu=within).max_requests_per_minute
    quota_left = None if left is None else max(0, left)
    return RegionRoom(region, fits, quota_left, largest, within, holds, tuple(reasons))


def _largest_within(own: _Wanted, most: int) -> int | None:
    grid = own.size.offer.grid
    return None if grid is None else grid.largest_within(most)


def _taken_by_others(own: _Wanted, region: str, totals: Counter[_Taken]) -> int:
    """What the plan's other deployments take from the same pool; those without a region may all go here."""
    here: tuple[str | None, ...] = (None, region)
    whole = sum(totals[own.provider, own.kind, place] for place in here)
    return whole - own.ptu if own.place in here else whole
