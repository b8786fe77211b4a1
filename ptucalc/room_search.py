"""Looking for room: the deployments of a plan against the pools of quota and the capacities that Azure answered."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ptucalc.catalog import Availability, DeploymentType
from ptucalc.placement import Item, place_together
from ptucalc.quota import DeployableSize, QuotaPool, pool_name, provider_of
from ptucalc.results import Size, SizedDeployment
from ptucalc.room import DeploymentRoom, PoolRoom, RegionRoom, Room
from ptucalc.sizing_result import SizingResult

__all__ = ["find_room"]

_Pools = Mapping[tuple[str, DeploymentType, str], QuotaPool]


class _Wanted(NamedTuple):
    """A deployment on one type. `place` is where it can only be: the region it names, or the only one read that offers it."""

    deployment: SizedDeployment
    size: Size
    ptu: int
    provider: str
    sizes: tuple[DeployableSize, ...] | None
    regions: tuple[str, ...]
    place: str | None

    @property
    def kind(self) -> DeploymentType:
        """Its deployment type."""
        return self.size.deployment_type

    @property
    def version(self) -> str | None:
        """The version of its model; None where it is open."""
        return self.deployment.model.only_version(self.deployment.model_version)

    def offered(self, region: str) -> bool | None:
        """Whether its model is offered there."""
        return self._availability(region).available

    def why_not(self, region: str) -> str:
        """Why its model is not offered there."""
        return self._availability(region).reason

    def deployable(self, region: str) -> dict[str, int]:
        """By version, what can be deployed there."""
        return {size.version: size.ptu for size in self.sizes or () if size.region == region}

    def shares_quota(self, other: _Wanted) -> bool:
        """Whether both take from the same pools of quota."""
        return (self.provider, self.kind) == (other.provider, other.kind)

    def shares_capacity(self, other: _Wanted) -> bool:
        """Whether both are deployed from the same capacity: one model, type and version; an open version may be any."""
        versions = {self.version, other.version}
        same = self.deployment.model.name == other.deployment.model.name and self.kind is other.kind
        return same and (len(versions) == 1 or None in versions)

    def is_unknown(self, region: str, pools: _Pools | None) -> bool:
        """Whether the answers that were read say nothing of it in this region."""
        quota = pools is not None and (self.provider, self.kind, region) not in pools
        return quota or (self.sizes is not None and not self.deployable(region))

    def _availability(self, region: str) -> Availability:
        model = self.deployment.model
        return model.availability(self.kind, version=self.deployment.model_version, region=region)


def find_room(
    result: SizingResult,
    *,
    quota: Iterable[QuotaPool] | None = None,
    deployable: Iterable[DeployableSize] | None = None,
) -> Room:
    """Where the plan's deployments fit, on each of their deployment types.

    None for an answer that was not read at all. A deployment whose type is open counts on every type, as in the totals;
    one without a region may go to every region that was read. ValueError where neither was read.
    """
    if quota is None and deployable is None:
        raise ValueError("room is found in quota, in capacities, or in both")
    pools = None if quota is None else {(p.provider, p.deployment_type, p.region): p for p in quota}
    sizes = None if deployable is None else tuple(deployable)
    wanted = [
        _wanted(deployment, size, size.ptu, pools, sizes)
        for deployment in result.deployments
        for size in deployment.sizes.values()
        if size.ptu is not None
    ]
    return Room(
        tuple(_pool_rooms(wanted, pools)) if pools is not None else (),
        _deployment_rooms(wanted, pools),
        quota_read=pools is not None,
        capacities_read=sizes is not None,
    )


def _wanted(
    deployment: SizedDeployment, size: Size, ptu: int, pools: _Pools | None, sizes: Sequence[DeployableSize] | None
) -> _Wanted:
    kind, own = size.deployment_type, deployment.region
    mine = None if sizes is None else tuple(each for each in sizes if _is_of(each, deployment, kind))
    read = {region for _, _, region in pools or ()} | {each.region for each in mine or ()}
    first = [] if own is None else [own]
    regions = (*first, *sorted(read - {*first}))
    found = _Wanted(deployment, size, ptu, provider_of(deployment.model), mine, regions, own)
    possible = [region for region in regions if found.offered(region) is not False]
    return found._replace(place=possible[0]) if own is None and len(possible) == 1 else found


def _is_of(size: DeployableSize, deployment: SizedDeployment, kind: DeploymentType) -> bool:
    """Whether a capacity is of the deployment's model, version (any, where it has none) and type."""
    model = deployment.model
    names = {name.casefold() for name in (model.name, model.model_id) if name}
    version = model.only_version(deployment.model_version)
    return size.deployment_type is kind and size.model.casefold() in names and version in (None, size.version)


def _pool_rooms(wanted: Sequence[_Wanted], pools: _Pools) -> Iterator[PoolRoom]:
    for provider, kind in dict.fromkeys((each.provider, each.kind) for each in wanted):
        members = [each for each in wanted if (each.provider, each.kind) == (provider, kind)]
        own = [each.deployment.region for each in members]
        given = {region for region in own if region is not None}
        answered = {region for _, _, region in pools} if None in own else set()
        for region in sorted(given | answered):
            here = [each for each in members if each.deployment.region in (None, region)]
            needed = sum(each.ptu for each in here)
            pool = pools.get((provider, kind, region))
            yield PoolRoom(
                name=pool_name(provider, kind),
                deployment_type=kind,
                region=region,
                region_given=all(each.deployment.region is not None for each in here),
                deployments=tuple(each.deployment.name for each in here),
                needed_ptu=needed,
                limit_ptu=pool.limit_ptu if pool else None,
                used_ptu=pool.used_ptu if pool else None,
                available_ptu=pool.available_ptu if pool else None,
                missing_ptu=max(0, needed - pool.available_ptu) if pool else None,
                reason="" if pool else _no_pool(provider, kind, region, pools),
                source=pool.source if pool else "",
                placed_ptu=sum(each.ptu for each in members if each.place == region),
            )


def _no_pool(provider: str, kind: DeploymentType, region: str, pools: _Pools) -> str:
    if any(each == region for _, _, each in pools):
        return f"the usages of {region} name no {pool_name(provider, kind)}"
    return f"no usages of {region} were read"


def _deployment_rooms(wanted: Sequence[_Wanted], pools: _Pools | None) -> tuple[DeploymentRoom, ...]:
    regions = [tuple(_region_room(each, region, wanted, pools) for region in each.regions) for each in wanted]
    together: dict[int, tuple[bool | None, str | None]] = {}
    for provider, kind in dict.fromkeys((each.provider, each.kind) for each in wanted):
        group = [
            number
            for number, each in enumerate(wanted)
            if (each.provider, each.kind, each.place) == (provider, kind, None)
            and any(region.fits is not False for region in regions[number])
        ]
        found = place_together(*_to_place([wanted[number] for number in group], wanted, pools))
        others = [each for each in wanted if (each.provider, each.kind) == (provider, kind)]
        if found is False and any(_is_open(each, pools) for each in others):
            found = None
        for at, number in enumerate(group):
            together[number] = (True, found[at]) if isinstance(found, tuple) else (found, None)
    return tuple(
        DeploymentRoom(
            each.deployment.name,
            each.deployment.model.name,
            each.deployment.model_version,
            each.kind,
            each.deployment.region,
            each.ptu,
            regions[number],
            *together.get(number, (None, None)),
        )
        for number, each in enumerate(wanted)
    )


def _is_open(own: _Wanted, pools: _Pools | None) -> bool:
    """Whether what can be deployed is not known everywhere, or depends on an open version."""
    for region in own.regions:
        deployable = own.deployable(region)
        if len(set(deployable.values())) > 1:
            return True
        if own.offered(region) is not False and own.is_unknown(region, pools):
            return True
    return False


def _to_place(
    items: Sequence[_Wanted], wanted: Sequence[_Wanted], pools: _Pools | None
) -> tuple[list[Item], dict[Hashable, int]]:
    """What `place_together` takes: the deployments without a region, and what those with one leave."""
    left: dict[Hashable, int] = {}
    found = []
    for own in items:
        stocks: dict[str, tuple[Hashable, ...]] = {}
        for region in own.regions:
            pool = (pools or {}).get((own.provider, own.kind, region))
            deployable = own.deployable(region)
            if own.is_unknown(region, pools) or own.offered(region) is False:
                continue
            here: list[Hashable] = []
            if pool is not None:
                here.append(pool)
                others = (each for each in wanted if own.shares_quota(each) and each.place == region)
                left[pool] = pool.available_ptu - _ptu(others)
            for version, ptu in deployable.items():
                key = (own.deployment.model.name, own.kind, version, region)
                here.append(key)
                others = (each for each in wanted if own.shares_capacity(each) and each.place == region)
                left[key] = ptu - _ptu(each for each in others if each.version in (None, version))
            stocks[region] = tuple(here)
        found.append(Item(own.ptu, stocks))
    return found, left


def _ptu(members: Iterable[_Wanted]) -> int:
    return sum(each.ptu for each in members)


class _Stock(NamedTuple):
    """What is left of a stock of PTU beside the others: `least` if all that may be here are, `most` if none of them is."""

    least: int
    most: int

    def holds(self, ptu: int) -> bool | None:
        """Whether it is enough; None where that depends on the others."""
        return True if ptu <= self.least else None if ptu <= self.most else False


def _region_room(own: _Wanted, region: str, wanted: Sequence[_Wanted], pools: _Pools | None) -> RegionRoom:
    verdicts: list[bool | None] = []
    reasons: list[str] = []
    known: list[int] = []
    left: _Stock | None = None
    others = [each for each in wanted if each is not own]
    if own.offered(region) is False:
        verdicts.append(False)
        reasons.append(own.why_not(region))
    if pools is not None:
        pool = pools.get((own.provider, own.kind, region))
        if pool is None:
            verdicts.append(None)
            reasons.append(_no_pool(own.provider, own.kind, region, pools))
        else:
            left = _beside(filter(own.shares_quota, others), region, pool.available_ptu, pool.available_ptu)
            verdicts.append(left.holds(own.ptu))
            known.append(left.least)
            if not verdicts[-1]:
                where = f"in {pool.name}{_with_the_others(verdicts[-1])}"
                reasons.append(f"quota for {max(left.least, 0):,} of {own.ptu:,} PTU is left {where}")
    deployable = own.deployable(region)
    least, most = min(deployable.values(), default=None), max(deployable.values(), default=None)
    siblings = [each for each in others if own.shares_capacity(each)]
    here = [each for each in siblings if each.place == region]
    if own.sizes is not None:
        if least is None or most is None:
            verdicts.append(None)
            reasons.append(f"the capacities read say nothing of {own.deployment.model.name} in {region}")
        else:
            capacity = _beside(siblings, region, least, most)
            verdicts.append(capacity.holds(own.ptu))
            known.append(capacity.least)
            if not verdicts[-1]:
                reasons.append(_too_little(capacity, least, deployable, verdicts[-1]))
    fits = False if False in verdicts else None if None in verdicts else True
    within = None if own.offered(region) is False or not known else _largest_within(own, min([*known, own.ptu]))
    return RegionRoom(
        region,
        fits,
        None if left is None else max(0, left.least),
        least,
        within,
        None if within is None else own.size._replace(ptu=within).max_requests_per_minute,
        tuple(reasons),
        siblings=tuple(each.deployment.name for each in here),
        siblings_ptu=_ptu(here),
        most_deployable_ptu=most,
    )


def _beside(others: Iterable[_Wanted], region: str, least: int, most: int) -> _Stock:
    """What the others leave of a stock: those that are there for sure, and those that may be."""
    found = _Stock(least, most)
    for each in others:
        if each.place == region:
            found = _Stock(found.least - each.ptu, found.most - each.ptu)
        elif each.place is None and region in each.regions and each.offered(region) is not False:
            found = found._replace(least=found.least - each.ptu)
    return found


def _with_the_others(holds: bool | None) -> str:
    return " if the others without a region go there too" if holds is None else ""


def _too_little(capacity: _Stock, least: int, deployable: Mapping[str, int], holds: bool | None) -> str:
    """Why capacity is not enough, or may not be."""
    if len(set(deployable.values())) > 1:
        by_version = ", ".join(f"{ptu:,} of {version}" for version, ptu in sorted(deployable.items()))
        text = f"{by_version} PTU can be deployed there now: model_version says which counts"
    else:
        text = f"{least:,} PTU can be deployed there now"
    if beside := least - capacity.least:
        text += f", and the plan's other deployments of the model take {beside:,} of them{_with_the_others(holds)}"
    return text


def _largest_within(own: _Wanted, most: int) -> int | None:
    grid = own.size.offer.grid
    return None if grid is None else grid.largest_within(most)
