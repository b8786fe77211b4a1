"""Where a plan fits: quota and capacity against the sizes, by region; what to request, and what would fit instead."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from ptucalc.catalog import DeploymentType
from ptucalc.results import json_number

__all__ = ["DeploymentRoom", "PoolRoom", "RegionRoom", "Room"]


class PoolRoom(NamedTuple):
    """One pool of quota: what the plan takes from it in all, and how much must be requested.

    `deployments` are those that count here. `region_given` says that the plan puts all of them into this region; else
    those without a region are taken to go here together. `available_ptu` and `missing_ptu` are None, with the reason,
    where no answer read names the pool. `source` is the file that does. `placed_ptu` is what the deployments take that can
    only be here.
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
    placed_ptu: int = 0

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

    `siblings` are the plan's other deployments of the same model, version and type that can only be here, and
    `siblings_ptu` their PTU: they are deployed from the same capacity. Where the version is open, `deployable_ptu` is of
    the version with the least room, and `most_deployable_ptu` of that with the most.
    """

    region: str
    fits: bool | None
    quota_left_ptu: int | None
    deployable_ptu: int | None
    fitting_ptu: int | None
    fitting_max_requests_per_minute: Fraction | None
    reasons: tuple[str, ...]
    siblings: tuple[str, ...] = ()
    siblings_ptu: int = 0
    most_deployable_ptu: int | None = None

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
    """A deployment on one deployment type, and every region that an answer was read of; its own region comes first.

    Where deployments name no region, `together` says whether there is a region for each of those of this type: None where
    that is not known; `placed_in` is the one for this deployment.
    """

    name: str
    model: str
    model_version: str | None
    deployment_type: DeploymentType
    region: str | None
    ptu: int
    regions: tuple[RegionRoom, ...]
    together: bool | None = None
    placed_in: str | None = None

    @property
    def fits(self) -> bool | None:
        """Whether it fits where it is to go; without a region of its own, whether it fits in any. None: not known.

        A region that has room only if others without a region go elsewhere is enough where they all find one.
        """
        if self.region is not None:
            return next((each.fits for each in self.regions if each.region == self.region), None)
        found = {each.fits for each in self.regions}
        if True in found:
            return True
        return self.together if None in found else False if found else None

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
            "placed_in": self.placed_in,
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
