"""The shape of what `ptucalc size` and `ptucalc cost` add to their JSON where they are asked: room and chargeback."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

__all__ = ["ChargebackEntry", "RoomEntry"]

Number = int | float
Kind = Literal["global", "data-zone", "regional"]


class PoolRoomEntry(TypedDict):
    """A pool of quota; numbers that no answer gave are null, with the reason."""

    pool: str
    deployment_type: Kind
    region: str
    region_given: bool
    deployments: list[str]
    needed_ptu: int
    limit_ptu: int | None
    used_ptu: int | None
    available_ptu: int | None
    missing_ptu: int | None
    fits: bool | None
    reason: str | None


class RegionRoomEntry(TypedDict):
    """Whether a deployment fits in a region (null: not known), and the largest legal size that does."""

    region: str
    fits: bool | None
    quota_left_ptu: int | None
    deployable_ptu: int | None
    fitting_ptu: int | None
    fitting_max_requests_per_minute: Number | None
    reasons: list[str]


class DeploymentRoomEntry(TypedDict):
    """A deployment on one deployment type; its own region, where it has one, is the first of `regions`.

    `placed_in` is a region for it where all deployments without one find one together.
    """

    deployment: str
    model: str
    model_version: str | None
    deployment_type: Kind
    region: str | None
    ptu: int
    fits: bool | None
    placed_in: str | None
    regions: list[RegionRoomEntry]


class RoomEntry(TypedDict):
    """The plan against saved usages (`pools`) and capacities."""

    pools: list[PoolRoomEntry]
    deployments: list[DeploymentRoomEntry]


class ShareEntry(TypedDict):
    """A workload's part; `monthly_usd` by term, null where the price is not known."""

    workload: str
    weighted_tpm: Number
    share: Number
    ptu: int
    monthly_usd: dict[str, Number | None]


class ChargebackEntry(TypedDict):
    """A shared deployment on one deployment type, divided by weighted tokens on average over the month."""

    deployment: str
    deployment_type: Kind
    ptu: int
    monthly_usd: dict[str, Number | None]
    shares: list[ShareEntry]
