"""The parts of a simulation as JSON data: runs, sizes looked at, the target, the worst day, mixes, Standard limits, advice."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ptucalc.advice import Advice, Change
from ptucalc.catalog import Unknown
from ptucalc.money import usd_number
from ptucalc.results import json_number, number
from ptucalc.simulated_run_data import known
from ptucalc.spill_mix import Mix, Priced
from ptucalc.standard_limits import StandardSimulation
from ptucalc.standard_quota import Pacing, QuotaNeeded, QuotaSplit
from ptucalc.standard_spill import StandardCheck
from ptucalc.standard_tiers import CapacityUnit, StandardLimit
from ptucalc.throttled_minutes import Alert, WorstDay

__all__ = [
    "advice_data",
    "alert_data",
    "day_data",
    "mix_data",
    "standard_data",
]

MINUTES_PER_QUARTER_HOUR = 15
QUARTERS_PER_DAY = 96


def day_data(day: WorstDay) -> dict[str, Any]:
    """The worst day by quarter-hours: the highest minute and the 429s of each, None where the run has no minute."""
    quarters: list[int | float | None] = [None] * QUARTERS_PER_DAY
    refused: list[int | None] = [None] * QUARTERS_PER_DAY
    places = [
        (day.start + index) // MINUTES_PER_QUARTER_HOUR % QUARTERS_PER_DAY for index in range(len(day.utilization))
    ]
    highest: dict[int, Fraction] = {}
    for place, use, count in zip(places, day.utilization, day.responses_429, strict=True):
        highest[place] = max(use, highest.get(place, use))
        refused[place] = (refused[place] or 0) + count
    for place, use in highest.items():
        quarters[place] = json_number(use)
    return {
        "label": day.label,
        "date": None if day.day is None else day.day.isoformat(),
        "throttled_minutes": day.throttled_minutes,
        "quarter_hours_utilization": quarters,
        "quarter_hours_429": refused,
    }


def alert_data(alert: Alert) -> dict[str, Any]:
    """Windows over the alert's threshold."""
    return {
        "window_minutes": alert.minutes,
        "utilization_over": json_number(alert.over),
        "windows": alert.windows,
        "windows_over": alert.windows_over,
        "share": json_number(alert.share),
    }


def mix_data(mix: Mix) -> dict[str, Any]:
    """The cheapest mix on a term, of whole calls and of minutes."""
    return {
        "term": mix.term.value,
        **_priced_data(mix.calls),
        "by_the_minute": {
            **_priced_data(mix.minutes),
            "whole_calls_spillover_monthly_usd": usd_number(mix.whole_calls_spilled_usd),
        },
        "reason": mix.reason or None,
    }


def _priced_data(priced: Priced | None) -> dict[str, Any]:
    return {
        "ptu": priced.ptu if priced else None,
        "fixed_monthly_usd": usd_number(priced.fixed_usd if priced else None),
        "spillover_monthly_usd": usd_number(priced.spilled_usd if priced else None),
        "monthly_usd": usd_number(priced.monthly_usd if priced else None),
    }


def standard_data(check: StandardCheck | None) -> dict[str, Any] | None:
    """What a Standard deployment does with the calls."""
    if check is None:
        return None
    return {
        "calls": check.calls,
        "ptu": check.ptu,
        "requests": check.requests,
        "window_seconds": check.asked.window_seconds,
        "best_of": check.asked.best_of,
        "unit": _unit_data(check.unit),
        "unit_reason": check.unit.reason if isinstance(check.unit, Unknown) else None,
        "needed": None if check.needed is None else _needed_data(check.needed),
        "checked": None if check.checked is None else _checked_data(check.checked),
        "rpm_from_tpm": check.rpm_from_tpm,
        "split": _split_data(check.split) if isinstance(check.split, QuotaSplit) else None,
        "split_reason": check.split.reason if isinstance(check.split, Unknown) else None,
        "mean_estimated_tokens": None if check.mean_tokens is None else json_number(check.mean_tokens),
        "pace": _pace_data(check.pace) if isinstance(check.pace, Pacing) else None,
        "pace_reason": check.pace.reason if isinstance(check.pace, Unknown) else None,
        "published": [] if isinstance(check.published, Unknown) else [_limit_data(each) for each in check.published],
        "published_reason": check.published.reason if isinstance(check.published, Unknown) else None,
        "enough_in_tier": None if check.enough_in is None else check.enough_in.tier,
    }


def _unit_data(unit: CapacityUnit | Unknown) -> dict[str, Any] | None:
    return None if isinstance(unit, Unknown) else {"rpm": unit.rpm, "tpm": unit.tpm}


def _needed_data(needed: QuotaNeeded) -> dict[str, Any]:
    quota = needed.quota
    known = None
    if not isinstance(quota, Unknown):
        known = {
            "units": quota.units,
            "tpm": quota.tpm,
            "rpm": quota.rpm,
            "binding": quota.binding,
            "refused": quota.refused,
        }
    return {
        "target": json_number(needed.target),
        "tpm": needed.tpm,
        "rpm": needed.rpm,
        "quota": known,
        "quota_reason": quota.reason if isinstance(quota, Unknown) else None,
    }


def _checked_data(found: StandardSimulation) -> dict[str, Any]:
    return {
        "tpm": found.tpm,
        "rpm": None if found.rpm is None else json_number(Fraction(found.rpm)),
        "requests": found.requests,
        "refused": found.refused,
        "refused_share": json_number(found.refused_share),
        "refused_by_tpm": found.refused_by_tpm,
        "refused_by_rpm": found.refused_by_rpm,
        "refused_minutes": found.refused_minutes,
        "peak_estimated_tpm": found.peak_estimated_tpm,
        "peak_calls_per_window": found.peak_calls_per_window,
    }


def _split_data(split: QuotaSplit) -> dict[str, Any]:
    return {
        "deployments": [_checked_data(part) for part in split.parts],
        "refused": split.refused,
        "refused_share": json_number(split.refused_share),
    }


def _pace_data(pace: Pacing) -> dict[str, Any]:
    return {"gap_ms": number(pace.gap_us, 1000), "binding": pace.binding}


def _limit_data(limit: StandardLimit) -> dict[str, Any]:
    return {
        "tier": limit.tier,
        "tier_name": limit.tier_name,
        "requests": limit.calls,
        "per_seconds": limit.per_seconds,
        "tpm": known(limit.tpm),
    }


def advice_data(found: Advice | Unknown) -> dict[str, Any]:
    """What changes would save."""
    if isinstance(found, Unknown):
        return {"changes": [], "not_tried": [], "reason": found.reason}
    return {
        "changes": [_change_data(change) for change in found.changes],
        "not_tried": [{"code": code, "reason": reason} for code, reason in found.not_tried],
        "reason": None,
    }


def _change_data(change: Change) -> dict[str, Any]:
    return {
        "code": change.code,
        "value": json_number(Fraction(change.value)),
        "ptu": change.ptu,
        "throttled_share_before": json_number(change.throttled_share_before),
        "throttled_share_after": json_number(change.throttled_share_after),
        "smallest_ptu_before": known(change.smallest_ptu_before),
        "smallest_ptu_after": known(change.smallest_ptu_after),
        "saved_ptu": change.saved_ptu,
    }
