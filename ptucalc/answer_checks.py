"""Saved answers of Azure as checks of a plan: is there quota, is there room, does Microsoft's calculator agree?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from ptucalc.capacity_answer import CapacityAnswer, CapacityComparison, compare_capacity
from ptucalc.catalog import DeploymentType
from ptucalc.check_result import Check, Status
from ptucalc.room import DeploymentRoom, PoolRoom, Room
from ptucalc.sizing_result import SizingResult

__all__ = ["capacity_checks", "room_checks"]


def room_checks(room: Room) -> list[Check]:
    """A check for each pool of quota, and for each deployment's capacity, in the region that the plan names.

    A deployment without a region has one check: that it fits in some region that was read, beside all that are placed.
    """
    named = {deployment.name for deployment in room.deployments if deployment.region is not None}
    found = [_quota(_of_placed(pool)) for pool in room.pools if named.intersection(pool.deployments)]
    for deployment in room.deployments:
        if deployment.region is None:
            found.append(_somewhere(deployment))
        elif room.capacities_read:
            found.append(_deployable(deployment))
    return found


def _status(kept: bool | None) -> Status:
    return Status.UNKNOWN if kept is None else Status.PASS if kept else Status.FAIL


def _of_placed(pool: PoolRoom) -> PoolRoom:
    """The pool with what can only be there: what may go elsewhere has a check of its own."""
    if pool.region_given or pool.available_ptu is None:
        return pool
    missing = max(0, pool.placed_ptu - pool.available_ptu)
    return pool._replace(needed_ptu=pool.placed_ptu, missing_ptu=missing)


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
    most, wanted = here.deployable_ptu, deployment.ptu + here.siblings_ptu
    kept = None if most is None else wanted <= most
    if kept is False and here.most_deployable_ptu is not None and wanted <= here.most_deployable_ptu:
        kept = None  # one of the versions that the plan leaves open has room
    message = "" if here.fits else "; ".join(here.reasons)
    if here.siblings and here.fits:
        message = f"with {', '.join(here.siblings)}"
    if not here.fits and deployment.fitting_regions:
        message += f"; it fits in {', '.join(deployment.fitting_regions)}"
    return Check(
        limit="deployable",
        scope=f"{deployment.name}, {here.region}",
        status=_status(kept),
        unit="ptu",
        bound="at most",
        allowed=None if most is None else Fraction(most),
        found=None if kept is None and most is not None else Fraction(wanted),
        message=message,
        deployments=(deployment.name,),
    )


def _somewhere(deployment: DeploymentRoom) -> Check:
    fitting = deployment.fitting_regions
    places = fitting or ((deployment.placed_in,) if deployment.placed_in else ())
    message = f"in {', '.join(places)}" if places else "; ".join(_reasons(deployment)) or "no answer is of it"
    if not fitting and places:
        message += ", the others without a region elsewhere"
    elif deployment.fits is False and any(region.fits is None for region in deployment.regions):
        message = f"the deployments without a region find no place together; {message}"
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
    """A check for each answer of Microsoft's calculator, of the deployment that it is paired with."""
    compared, unmatched = compare_capacity(result, answers)
    asked = {_question(each.answer) for each in compared}
    return [
        *map(_calculator, compared),
        *(_unmatched(each, of_none=_question(each) not in asked) for each in unmatched),
    ]


def _question(answer: CapacityAnswer) -> tuple[str, str, DeploymentType]:
    return answer.model.casefold(), answer.version, answer.deployment_type


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


def _unmatched(answer: CapacityAnswer, *, of_none: bool) -> Check:
    what = f"{answer.model} {answer.version}"
    which = f"no deployment of the plan is {what} as {answer.deployment_type.label}"
    if not of_none:
        which = f"each deployment of the plan that is {what} as {answer.deployment_type.label} has an answer already"
    return Check(
        limit="calculator",
        scope=f"{what}, {answer.deployment_type.value}",
        status=Status.UNKNOWN,
        unit="ptu",
        bound="equal",
        allowed=Fraction(answer.deployable_ptu),
        found=None,
        message=which,
        source=answer.source,
    )


def _shown(ptu: Fraction) -> str:
    """Two decimals, without zeros at the end."""
    cents = round(ptu * 100)
    whole, rest = divmod(cents, 100)
    return f"{whole:,}" + (f".{rest:02d}".rstrip("0") if rest else "")
