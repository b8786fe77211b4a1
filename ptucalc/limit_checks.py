"""The limits of a plan against what it buys: every limit to a check. What is not known is never a pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from ptucalc.catalog import Unknown
from ptucalc.check_result import Check, Status
from ptucalc.errors import Problem
from ptucalc.plan_limits import Limit, LimitName, PlanLimits
from ptucalc.prices import PtuTerm
from ptucalc.purchase import Purchase, total_usd
from ptucalc.resolving import Resolver
from ptucalc.throttling import Throttled

__all__ = ["USUAL_TERM", "Facts", "limit_checks", "strange_regions"]

USUAL_TERM = PtuTerm.ONE_YEAR
"""What a budget is for unless the plan or a flag says otherwise."""

MOST_NAMED = 5


class Facts(NamedTuple):
    """What a plan comes to. `basis` says what the amounts are; `data_from` is the oldest day of the rates it is sized by.

    `throttled` has an entry for each deployment, where a 429 rate is a limit.
    """

    bought: tuple[Purchase, ...]
    basis: str
    data_from: date
    today: date
    throttled: Mapping[str, Throttled] = {}


def strange_regions(limits: PlanLimits, resolver: Resolver) -> list[Problem]:
    """Regions of the limits in which no model is listed: slips that would limit nothing."""
    found = []
    for limit in limits.limits:
        named = limit.value if isinstance(limit.value, tuple) else (limit.region,)
        for region in named:
            for problem in resolver.bad_place(region):
                label = f"limits.{limit.name}"
                found.append(problem.at(source=limit.source, line=limit.line, column=limit.column, label=label))
    return found


def limit_checks(limits: PlanLimits, facts: Facts) -> tuple[Check, ...]:
    """A check for every limit, in the order of the plan; several where a limit is about several deployments."""
    found: list[Check] = []
    for limit in limits.limits:
        found += _checks(limit, limits, facts)
    return (*found, *_without_quota(limits, facts.bought))


def _checks(limit: Limit, limits: PlanLimits, facts: Facts) -> Iterator[Check]:
    match limit.name:
        case LimitName.QUOTA:
            yield _quota(limit, limits, facts.bought)
        case LimitName.BUDGET:
            yield _budget(limit, facts)
        case LimitName.CATALOG_AGE:
            yield _age(limit, facts)
        case LimitName.RATE_429:
            yield from (_throttling(limit, each, facts.throttled[each.name]) for each in facts.bought)
        case LimitName.MIN_UTILIZATION | LimitName.MAX_UTILIZATION:
            yield from (_utilization(limit, each) for each in facts.bought)
        case LimitName.REGIONS:
            yield from (_region(limit, each) for each in facts.bought)


def _check(limit: Limit, found: Fraction | str | None, *, message: str = "", **more: Any) -> Check:
    """A check of a limit: kept, broken, or unknown where `found` is None; `more` are fields that are otherwise."""
    unit, bound = _KINDS[limit.name]
    if found is None:
        status = Status.UNKNOWN
    elif isinstance(limit.value, tuple):
        status = Status.PASS if found in limit.value else Status.FAIL
    else:
        assert isinstance(found, Fraction)
        kept = found >= limit.value if bound == "at least" else found <= limit.value
        status = Status.PASS if kept else Status.FAIL
    check = Check(
        limit=limit.name.value,
        scope=limit.scope,
        status=status,
        unit=unit,  # type: ignore[arg-type]
        bound=bound,  # type: ignore[arg-type]
        allowed=limit.value,
        found=found,
        message=message,
        source=limit.source,
        line=limit.line,
        column=limit.column,
    )
    return check._replace(**more)


_KINDS = {
    LimitName.QUOTA: ("ptu", "at most"),
    LimitName.BUDGET: ("usd", "at most"),
    LimitName.RATE_429: ("share", "at most"),
    LimitName.CATALOG_AGE: ("days", "at most"),
    LimitName.MIN_UTILIZATION: ("share", "at least"),
    LimitName.MAX_UTILIZATION: ("share", "at most"),
    LimitName.REGIONS: ("text", "one of"),
}


def _ptu(bought: Sequence[Purchase]) -> Fraction:
    return Fraction(sum(each.ptu for each in bought))


def _quota(limit: Limit, limits: PlanLimits, bought: Sequence[Purchase]) -> Check:
    """PTU of one type in one region. Deployments without a region may be in any that the quota of their type names."""
    alike = [each for each in bought if each.deployment_type is limit.deployment_type]
    here = [each for each in alike if each.region == limit.region]
    anywhere = [each for each in alike if each.region is None]
    others = [each for each in limits.named(LimitName.QUOTA) if each.deployment_type is limit.deployment_type]
    least, most = _ptu(here), _ptu([*here, *anywhere])
    names = tuple(each.name for each in [*here, *anywhere])
    if not anywhere:
        return _check(limit, most, deployments=names)
    how = f"{_ptu(anywhere)} PTU without a region ({_named(anywhere)})"
    if len(others) == 1 or most <= limit.value or least > limit.value:  # type: ignore[operator]  # a quota is a number
        counted = least if least > limit.value and len(others) > 1 else most  # type: ignore[operator]
        message = f"{how} not counted" if counted != most else f"{how} counted here"
        return _check(limit, counted, message=message, deployments=names)
    message = f"{least} PTU are there, and {how} may be: `region:` of the workloads or --region says where"
    return _check(limit, None, message=message, deployments=names)


def _without_quota(limits: PlanLimits, bought: Sequence[Purchase]) -> Iterator[Check]:
    """A warning for PTU that no quota of the plan is about, where it has some."""
    quotas = limits.named(LimitName.QUOTA)
    if not quotas:
        return
    covered = {(each.deployment_type, each.region) for each in quotas} | {
        (each.deployment_type, None) for each in quotas
    }
    left: dict[str, list[Purchase]] = {}
    for each in bought:
        if (each.deployment_type, each.region) not in covered:
            left.setdefault(each.place, []).append(each)
    for place, members in left.items():
        message = f"no quota is given for it ({_named(members)})"
        yield Check(
            LimitName.QUOTA.value,
            place,
            Status.WARN,
            "ptu",
            "at most",
            None,
            _ptu(members),
            message=message,
            source=quotas[0].source,
            line=quotas[0].line,
            column=quotas[0].column,
            deployments=tuple(each.name for each in members),
        )


def _budget(limit: Limit, facts: Facts) -> Check:
    """Dollars a month of everything; where prices are not known only what is known may break it."""
    known, unpriced = total_usd(facts.bought)
    names = tuple(each.name for each in facts.bought)
    larger = [each for each in facts.bought if each.monthly_ptu not in (None, each.ptu)]
    message = facts.basis
    if larger:
        message += f"; for the busiest minute of logs: {_named(larger)}"
    if not unpriced:
        return _check(limit, Fraction(known), message=message, deployments=names)
    reasons = "; ".join(dict.fromkeys(f"{each.name}: {each.price_reason}" for each in unpriced))
    if Fraction(known) > limit.value:  # type: ignore[operator]  # a budget is a number
        return _check(limit, Fraction(known), message=f"{message}; at least, for {reasons}", deployments=names)
    so_far = f"{_usd(known)} without {_named(unpriced)}"
    return _check(limit, None, message=f"{message}; {so_far} ({reasons})", deployments=names)


def _usd(amount: Decimal) -> str:
    return f"${amount:,}"


def _age(limit: Limit, facts: Facts) -> Check:
    """Days since the rates were read. Old rates break nothing, so that a plan does not fail by the passing of time."""
    check = _check(limit, Fraction((facts.today - facts.data_from).days))
    if check.status is Status.FAIL:
        return check._replace(status=Status.WARN, message=f"rates checked on {facts.data_from}: update ptucalc")
    return check._replace(message=f"rates checked on {facts.data_from}")


def _throttling(limit: Limit, bought: Purchase, throttled: Throttled) -> Check:
    if isinstance(throttled.share, Unknown):
        share, message = None, throttled.share.reason
    else:
        share = throttled.share
        message = f"{bought.ptu:,} PTU, {throttled.requests:,} requests, {throttled.how}"
    return _check(limit, share, message=message, scope=bought.name, deployments=(bought.name,))


def _utilization(limit: Limit, bought: Purchase) -> Check:
    message = f"at the peak of {bought.ptu:,} PTU"
    if limit.name is LimitName.MIN_UTILIZATION and bought.ptu == bought.smallest:
        message += ", the smallest size sold"
    return _check(limit, bought.utilization, message=message, scope=bought.name, deployments=(bought.name,))


def _region(limit: Limit, bought: Purchase) -> Check:
    message = "" if bought.region else "no region is given: `region:` of the workloads or --region says where"
    return _check(limit, bought.region, message=message, scope=bought.name, deployments=(bought.name,))


def _named(bought: Sequence[Purchase]) -> str:
    more = f" and {len(bought) - MOST_NAMED:,} more" if len(bought) > MOST_NAMED else ""
    return ", ".join(each.name for each in bought[:MOST_NAMED]) + more
