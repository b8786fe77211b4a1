"""Runs, sizes looked at and a target as JSON data."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ptucalc.catalog import Unknown
from ptucalc.money import usd, usd_number
from ptucalc.results import json_number, number
from ptucalc.simulated_runs import (
    CallTokens,
    Policy,
    SimulationRun,
    SweepPoint,
    Target,
    TokenSums,
    WindowPoint,
)

__all__ = ["known", "point_data", "run_data", "target_data", "tokens_data", "usd_data"]


def known(value: int | Unknown) -> int | None:
    return None if isinstance(value, Unknown) else value


def usd_data(amount: Fraction | Unknown) -> int | float | None:
    return None if isinstance(amount, Unknown) else usd_number(usd(amount))


def _tokens(tokens: CallTokens) -> dict[str, int]:
    return {
        "uncached_input": tokens.uncached,
        "cached_input": tokens.cached,
        "cache_write": tokens.written,
        "output": tokens.output,
    }


def tokens_data(tokens: TokenSums) -> dict[str, int]:
    """Tokens by class, those of long-context calls among them."""
    return _tokens(tokens.total)


def run_data(run: SimulationRun, spilled_usd: Fraction | Unknown, *, name: str, chosen: bool) -> dict[str, Any]:
    """One number of PTU in detail."""
    use, waits = run.utilization, run.wait_ms
    return {
        "name": name,
        "ptu": run.ptu,
        "legal": run.legal,
        "chosen": chosen,
        "requests": run.requests,
        "served": run.served,
        "throttled_429": run.throttled_429,
        "throttled_share": json_number(run.throttled_share),
        "responses_429": run.responses_429,
        "spilled": run.spilled,
        "failed": run.failed,
        "over_prompt_limit": run.over_prompt_limit,
        "throttled_minutes": run.throttled_minutes,
        "utilization": {"mean": json_number(use.mean), "p99": json_number(use.p99), "max": json_number(use.max)},
        "wait_ms": {"mean": json_number(waits.mean), "p99": waits.p99, "max": waits.max},
        "spilled_monthly_usd": usd_data(spilled_usd),
        "spilled_monthly_usd_reason": spilled_usd.reason if isinstance(spilled_usd, Unknown) else None,
        "tokens_served": tokens_data(run.tokens_served),
        "tokens_spilled": tokens_data(run.tokens_spilled),
        "tokens_failed": tokens_data(run.tokens_failed),
        "windows": [_window_data(window, run.requests) for window in run.windows],
    }


def _window_data(window: WindowPoint, requests: int) -> dict[str, Any]:
    return {
        "window_seconds": json_number(window.window_seconds),
        "throttled_429": window.throttled_429,
        "throttled_share": number(window.throttled_429, requests),
        "throttled_minutes": window.throttled_minutes,
        "spilled": window.spilled,
        "failed": window.failed,
    }


def point_data(point: SweepPoint, policy: Policy, spilled_usd: Fraction | Unknown) -> dict[str, Any]:
    """One of the sizes that were looked at."""
    return {
        "ptu": point.ptu,
        "throttled_429": point.throttled_429,
        "throttled_share": json_number(point.throttled_share),
        "spilled": point.refused if policy.spills else 0,
        "failed": 0 if policy.spills else point.refused,
        "throttled_minutes": point.throttled_minutes,
        "spilled_monthly_usd": usd_data(spilled_usd) if policy.spills else 0,
    }


def target_data(target: Target | None) -> dict[str, Any] | None:
    """The target, the smallest size that keeps to it, and whether every larger one does."""
    if target is None:
        return None
    every = target.all_larger_meet
    return {
        "share": json_number(target.share),
        "smallest_ptu": known(target.smallest_ptu),
        "smallest_ptu_reason": target.smallest_ptu.reason if isinstance(target.smallest_ptu, Unknown) else None,
        "all_larger_meet": None if isinstance(every, Unknown) else every,
        "all_larger_meet_reason": every.reason if isinstance(every, Unknown) else None,
        "exceptions": list(target.exceptions),
    }
