"""Quota, capacity and a plan as blocks: what fits, what must be requested, where there is room."""

from __future__ import annotations

from collections.abc import Iterator

from ptucalc.quota import POOLS_BY_PROVIDER
from ptucalc.report.blocks import Block, Cell, Column, Headline, Remark, Table, rate_text
from ptucalc.room import DeploymentRoom, PoolRoom, RegionRoom, Room

__all__ = ["room_blocks"]

MOST_REGIONS = 12
"""So many regions that have room are listed of each deployment; of more it says how many."""


def room_blocks(room: Room, *, quiet: bool = False) -> Iterator[Block]:
    """The pools of quota, then each deployment, then what to do."""
    yield Headline("Room", "what fits in quota and capacity")
    if room.pools:
        yield _pool_table(room)
    yield _deployment_table(room)
    placed = {deployment.name for deployment in room.deployments if deployment.region is None and deployment.fits}
    for pool in room.pools:
        short = pool.placed_ptu > (pool.available_ptu or 0) or not placed.intersection(pool.deployments)
        if pool.missing_ptu and short:
            text = (
                f"{pool.missing_ptu:,} PTU more of {pool.name} in {pool.region} (https://aka.ms/oai/stuquotarequest)."
            )
            yield Remark("Request", text, "warn")
    for deployment in room.deployments:
        yield from _advice(deployment)
    if quiet:
        return
    if room.pools:
        yield Remark("Quota", f"{POOLS_BY_PROVIDER} Quota is not capacity.")
        yield Remark("", "What is deployed now counts as used: also a deployment that this plan only changes.")


def _pool_table(room: Room) -> Table:
    table = Table(
        [
            Column("Quota"),
            Column("Region"),
            Column("Limit", right=True),
            Column("Used", right=True),
            Column("Free", right=True),
            Column("Plan", right=True),
            Column("Missing", right=True),
            Column(""),
        ]
    )
    for pool in room.pools:
        counts = (pool.limit_ptu, pool.used_ptu, pool.available_ptu, pool.needed_ptu, pool.missing_ptu)
        cells = [Cell(_count(count)) for count in counts]
        table.rows.append([Cell(pool.name), Cell(pool.region), *cells, _verdict(pool)])
    return table


def _count(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def _verdict(of: PoolRoom | RegionRoom | DeploymentRoom) -> Cell:
    if of.fits is None:
        return Cell("unknown", "warn")
    return Cell("fits", "bold") if of.fits else Cell("too little", "warn")


def _deployment_table(room: Room) -> Table:
    table = Table(
        [
            Column("Deployment", folds=True),
            Column("Type"),
            Column("Wants", right=True),
            Column("Region"),
            Column("Quota left", right=True),
            Column("Deployable", right=True),
            Column(""),
            Column("Largest that fits", right=True),
        ]
    )
    for deployment in room.deployments:
        for region in _shown(deployment):
            fitting, most = region.fitting_ptu, region.fitting_max_requests_per_minute
            smaller = "—" if fitting is None else f"{fitting:,} PTU"
            if fitting is not None and most is not None and fitting < deployment.ptu:
                smaller += f" ({rate_text(most)}/min)"
            table.rows.append(
                [
                    Cell(deployment.name),
                    Cell(deployment.deployment_type.label),
                    Cell(f"{deployment.ptu:,} PTU", "bold"),
                    Cell(region.region),
                    Cell(_count(region.quota_left_ptu)),
                    Cell(_count(region.deployable_ptu)),
                    _verdict(region),
                    Cell(smaller),
                ]
            )
    return table


def _shown(deployment: DeploymentRoom) -> tuple[RegionRoom, ...]:
    """Its own region, or all of them where it has none."""
    return deployment.regions[:1] if deployment.region is not None else deployment.regions


def _advice(deployment: DeploymentRoom) -> Iterator[Block]:
    name = f"{deployment.name}, {deployment.deployment_type.label}"
    if deployment.placed_in and not deployment.fitting_regions:
        text = f"{name} in {deployment.placed_in}, the others without a region elsewhere."
        yield Remark("Room for", text, "")
        return
    for region in _shown(deployment):
        if not region.fits and region.reasons:
            label = "Unsure" if region.fits is None else "No room"
            yield Remark(label, f"{name}, {region.region}: {'; '.join(region.reasons)}.", "warn")
    fitting = deployment.fitting_regions
    if fitting and not deployment.fits:
        more = f" and {len(fitting) - MOST_REGIONS:,} more" if len(fitting) > MOST_REGIONS else ""
        yield Remark("Elsewhere", f"{name} fits in {', '.join(fitting[:MOST_REGIONS])}{more}.", "")
