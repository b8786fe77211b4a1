"""Saved answers of Azure as checks of a plan: is there quota, is there room, does Microsoft's calculator agree?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from ptucalc.capacity_answer import CapacityAnswer, CapacityComparison, compare_capacity
from ptucalc.check_result import Check, Status
from ptucalc.room import DeploymentRoom, PoolRoom, Room
from ptucalc.sizing_result import SizingResult

__all__ = ["capacity_checks", "room_checks"]


def room_checks(room: Room) -> list[Check]:
    """A check for each pool of quota, and for each deployment's capacity, in the region that the plan names.

    A deployment without a region has one check: that it fits in some region that was read.
    """
    found = [_quota(pool) for pool in room.pools if pool.region_given]
    for deployment in room.deployments:
        if deployment.region is None:
            found.append(_somewhere(deployment))
        elif room.capacities_read:
            found.append(_deployable(deployment))
    return found


def _status(kept: bool | None) -> Status:
    return Status.UNKNOWN if kept is None else Status.PASS if kept else Status.FAIL


def _quota(pool: PoolRoom) -> Check:
    message = pool.reason
    if pool.missing_ptu is not None and pool.used_ptu is not None and pool.limit_ptu is not None:
        message = f"{pool.used_ptu:,} of {pool.limit_ptu:,} PTU in use"
        if pool.missing_ptu:
            message = f"request {pool.missing_ptu:,} PTU more; {message}"
    return Check(
        limit="quota",
        scope=f"{pool.name}, {pool.region}",
        status=_status(pool.fits),
        unit="ptu",
        bound="at most",
        allowed=None if pool.available_ptu is None else Fraction(pool.available_ptu),
        found=Fraction(pool.needed_ptu),
        message=message,
        source=pool.source,
        deployments=pool.deployments,
    )


def _deployable(deployment: DeploymentRoom) -> Check:
    here = deployment.regions[0]
    most = here.deployable_ptu
    message = "" if here.fits else "; ".join(here.reasons)
    if not here.fits and deployment.fitting_regions:
        message += f"; it fits in {', '.join(deployment.fitting_regions)}"
    return Check(
        limit="deployable",
        scope=f"{deployment.name}, {here.region}",
        status=_status(None if most is None else deployment.ptu <= most),
        unit="ptu",
        bound="at most",
        allowed=None if most is None else Fraction(most),
        found=Fraction(deployment.ptu),
        message=message,
        deployments=(deployment.name,),
    )


def _somewhere(deployment: DeploymentRoom) -> Check:
    fitting = deployment.fitting_regions
    message = f"in {', '.join(fitting)}" if fitting else "; ".join(_reasons(deployment)) or "no answer is of it"
    return Check(
        limit="room",
        scope=deployment.name,
        status=_status(deployment.fits),
        unit="text",
        bound="one of",
        allowed=("fits",),
        found=None if deployment.fits is None else "fits" if deployment.fits else "too little",
        message=message,
        deployments=(deployment.name,),
    )


def _reasons(deployment: DeploymentRoom) -> Iterator[str]:
    for region in deployment.regions:
        yield f"{region.region}: {'; '.join(region.reasons)}"


def capacity_checks(result: SizingResult, answers: Sequence[CapacityAnswer]) -> list[Check]:
    """A check for each answer of Microsoft's calculator and deployment that it is of."""
    compared, unmatched = compare_capacity(result, answers)
    return [*map(_calculator, compared), *map(_unmatched, unmatched)]


def _calculator(of: CapacityComparison) -> Check:
    message = f"raw {_shown(of.answer.raw_ptu)} PTU there, {_shown(of.asked_raw_ptu)} here"
    if of.left_out:
        message += f"; both without {' and '.join(of.left_out)}, with which the plan buys {of.ptu:,} PTU"
    return Check(
        limit="calculator",
        scope=f"{of.deployment}, {of.deployment_type.value}",
        status=_status(of.agrees),
        unit="ptu",
        bound="equal",
        allowed=Fraction(of.answer.deployable_ptu),
        found=Fraction(of.asked_ptu),
        message=message,
        source=of.answer.source,
        deployments=(of.deployment,),
    )


def _unmatched(answer: CapacityAnswer) -> Check:
    what = f"{answer.model} {answer.version}"
    return Check(
        limit="calculator",
        scope=f"{what}, {answer.deployment_type.value}",
        status=Status.UNKNOWN,
        unit="ptu",
        bound="equal",
        allowed=Fraction(answer.deployable_ptu),
        found=None,
        message=f"no deployment of the plan is {what} as {answer.deployment_type.label}",
        source=answer.source,
    )


def _shown(ptu: Fraction) -> str:
    """Two decimals, without zeros at the end."""
    cents = round(ptu * 100)
    whole, rest = divmod(cents, 100)
    return f"{whole:,}" + (f".{rest:02d}".rstrip("0") if rest else "")
