"""A sized plan as one side of a difference: its workloads' values, its deployments with PTU and cost, its settings."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction

from ptucalc.hand_over import Spillover
from ptucalc.plan_diff import Described, Side, SideDeployment, SideWorkload, Value
from ptucalc.plan_limits import PlanLimits
from ptucalc.purchase import Purchase
from ptucalc.results import SizedWorkload
from ptucalc.sizing_result import SizingResult
from ptucalc.workload import LoadProfile, Workload

__all__ = ["side_of"]


def side_of(
    source: str,
    sized: SizingResult,
    bought: Sequence[Purchase],
    limits: PlanLimits | None,
    spillover: Spillover | None = None,
) -> Side:
    """One side. A deployment's key is the name that its workloads give it, or what makes it one."""
    members: dict[str, list[SizedWorkload]] = {}
    for each, name in zip(sized.workloads, sized.deployment_of, strict=True):
        members.setdefault(name, []).append(each)
    keys = {each.name: _key(each, members[each.name][0].workload) for each in bought}
    workloads = [
        SideWorkload(each.name, keys[name], _values(each))
        for each, name in zip(sized.workloads, sized.deployment_of, strict=True)
    ]
    deployments = [
        SideDeployment(
            key=keys[each.name],
            name=each.name,
            model=each.model,
            deployment_type=each.deployment_type.value,
            region=each.region,
            workloads=tuple(member.name for member in members[each.name]),
            ptu=each.ptu,
            monthly_usd=each.monthly_usd,
            reason=each.price_reason or _larger(each),
        )
        for each in bought
    ]
    return Side(source, tuple(workloads), tuple(deployments), _settings(sized.headroom, limits, spillover))


def _larger(bought: Purchase) -> str:
    """What an amount is for, where that is not the size."""
    if bought.monthly_ptu in (None, bought.ptu):
        return ""
    return f"the amount is for {bought.monthly_ptu:,} PTU, as the busiest minute of its log needs"


def _key(bought: Purchase, workload: Workload) -> Hashable:
    given = workload.deployment
    if given is not None:
        return given
    return bought.model, bought.model_version, bought.type_given and bought.deployment_type, bought.region


def _values(sized: SizedWorkload) -> dict[str, Value]:
    """The values of a workload, those it does not have left out."""
    w = sized.workload
    found: dict[str, Value] = {"model": sized.model.name, "model_version": sized.model_version}
    numbers = (
        "requests_per_minute",
        "input_tokens",
        "output_tokens",
        "image_input_tokens",
        "image_output_tokens",
        "cache_ratio",
        "cache_write_ratio",
        "max_tokens",
        "average_requests_per_minute",
        "hours_per_month",
        "output_weight",
    )
    for field in numbers:
        value = getattr(w, field)
        found[field] = None if value is None else Fraction(value)
    found["deployment_type"] = w.deployment_type.value if w.deployment_type else None
    found["region"], found["deployment"] = w.region, w.deployment
    found["profile"] = None if w.profile is None else _described(w.profile)
    return {field: value for field, value in found.items() if value is not None}


def _described(profile: LoadProfile) -> Described:
    """A load profile in words, and what it is equal by."""
    if profile.demand is not None:
        demand, percentile = profile.demand, profile.percentile
        text = f"{demand.length:,} minutes of a log, {percentile.name if percentile else 'p99'}"
        identity = (demand.start, demand.length, demand.thresholds, demand.rows, demand.scale, percentile)
        return Described(text, identity)
    if profile.levels:
        text = ", ".join(f"{float(rate):g}/min for {float(part):.1%}" for part, rate in profile.levels)
        return Described(text, profile.levels)
    kind, rates = ("hourly", profile.hourly) if profile.hourly else ("minutes", profile.minutes)
    mean = sum(rates, Fraction(0)) / len(rates)
    return Described(f"{len(rates)} {kind} rates, mean {float(mean):g}/min", (kind, rates))


def _settings(headroom: Fraction, limits: PlanLimits | None, spillover: Spillover | None) -> Mapping[str, Value]:
    found: dict[str, Value] = {"headroom": headroom}
    if spillover is not None:
        units = spillover.thousand_tpm
        found["spillover"] = "yes" if units is None else f"yes, {units:,} thousand TPM"
    for limit in limits.limits if limits else ():
        name = f"limits.{limit.name}"
        if limit.deployment_type is not None:
            name += f".{limit.deployment_type}.{limit.region}"
        found[name] = ", ".join(limit.value) if isinstance(limit.value, tuple) else limit.value
    if limits and limits.term:
        found["limits.term"] = limits.term.value
    return found
