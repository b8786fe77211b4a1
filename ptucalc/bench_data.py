"""The result of a benchmark as JSON data and as flat rows."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from ptucalc.bench_calibration import Bounds, Calibration
from ptucalc.bench_result import BenchResult, Figures
from ptucalc.bench_samples import Spread
from ptucalc.catalog import Unknown
from ptucalc.results import json_number

__all__ = ["ROW_COLUMNS", "bench_document", "bench_rows"]

_SECOND_US = 1_000_000

SPREADS = ("to_first_token", "between_tokens", "end_to_end")

ROW_COLUMNS = (
    "step",
    "requests_per_minute",
    "seconds",
    "requests",
    "served",
    "throttled_429",
    "met_429_share",
    "failed",
    "unfinished",
    *(f"{name}_{stat}_ms" for name in SPREADS for stat in ("mean", "p50", "p95", "p99")),
    "served_per_minute",
    "input_tokens_per_minute",
    "cached_tokens_per_minute",
    "output_tokens_per_minute",
    "weighted_tpm",
)
"""Columns of the rows: one for the whole benchmark (step is empty), one for each step of a ramp."""


def _number(value: Fraction | Unknown | int | None) -> int | float | None:
    return None if value is None or isinstance(value, Unknown) else json_number(Fraction(value))


def _reason(value: object) -> str | None:
    return value.reason if isinstance(value, Unknown) else None


def _seconds(microseconds: int) -> int | float:
    return json_number(Fraction(microseconds, _SECOND_US))


def _spread(spread: Spread) -> dict[str, Any]:
    values, *stats = spread
    return {"count": values, **dict(zip(Spread._fields[1:], map(_number, stats), strict=True))}


def _measured(figures: Figures) -> dict[str, Any]:
    return {
        "seconds": _seconds(figures.length_us),
        "requests": figures.requests,
        "served": figures.served,
        "throttled_429": figures.throttled,
        "failed": figures.failed,
        "unfinished": figures.unfinished,
        "met_429": figures.met_429,
        "met_429_share": _number(figures.share_429),
        "responses_429": figures.responses_429,
        "retry_after_ms": _spread(figures.retry_after),
        "responses_429_without_retry_after": figures.retry_after_unnamed,
        "tries": figures.tries,
        "served_within_the_time": figures.finished.calls,
        "falls_behind": figures.falls_behind,
        "spilled": figures.spilled,
        "errors": [failure._asdict() for failure in figures.failures],
        "time_to_first_token_ms": _spread(figures.to_first_token),
        "time_between_tokens_ms": _spread(figures.between_tokens),
        "end_to_end_ms": _spread(figures.end_to_end),
        "start_delay_ms": _spread(figures.start_delay),
        "per_minute": _per_minute(figures),
    }


def _per_minute(figures: Figures) -> dict[str, Any]:
    finished = figures.finished
    tokens = finished.tokens

    def each(count: int | None) -> int | float | None:
        return None if count is None else _number(figures.per_minute(count))

    return {
        "requests": each(finished.calls),
        "input_tokens": each(tokens and tokens.input),
        "cached_tokens": each(tokens and tokens.cached),
        "cache_write_tokens": each(tokens and tokens.written),
        "output_tokens": each(tokens and tokens.output),
        "weighted": _number(figures.weighted_tpm),
        "weighted_reason": _reason(figures.weighted_tpm),
    }


def _calibration(found: Calibration) -> dict[str, Any]:
    bounds = found.bounds if isinstance(found.bounds, Bounds) else None
    low, high = found.at_least_tpm_per_ptu, found.at_most_tpm_per_ptu
    return {
        "ptu": found.ptu,
        "catalog_tpm_per_ptu": _number(found.catalog_tpm_per_ptu),
        "verdict": found.verdict,
        "weighted_tpm_at_least": _number(low if isinstance(low, Unknown) else low * found.ptu),
        "weighted_tpm_at_most": _number(high if isinstance(high, Unknown) else high * found.ptu),
        "tpm_per_ptu_at_least": _number(low),
        "tpm_per_ptu_at_most": _number(high),
        "reason": _reason(found.bounds),
        "assumed_window_seconds": None if bounds else _number(found.window_seconds),
        "seconds": bounds and _seconds(bounds.span_us),
        "responses_429": bounds and bounds.refusals,
        "largest_gap_seconds": bounds and _seconds(bounds.largest_gap_us),
        "slack_ms": bounds and _number(Fraction(bounds.slack_us, 1000)),
        "largest_estimate": bounds and _number(bounds.largest_estimate),
        "use_tpm_per_ptu": _number(found.tpm_per_ptu_to_use),
        "use_tpm_per_ptu_reason": _reason(found.tpm_per_ptu_to_use),
    }


def bench_document(result: BenchResult) -> dict[str, Any]:
    """What `ptucalc bench -o json` writes."""
    setting, budget, onset = result.setting, result.budget, result.onset
    return {
        "schema": "ptucalc.bench/1",
        "version": result.version,
        "catalog_as_of": result.catalog_as_of,
        "catalog": list(result.editions),
        "prices_as_of": result.prices_as_of,
        "prices": list(result.price_editions),
        "price_region": result.price_region,
        "started": result.started,
        "setting": {
            "model": setting.model,
            "model_version": setting.model_version,
            "wire": setting.wire,
            "api_version": setting.api_version,
            "stream": setting.stream,
            "load": setting.load,
            "calls_from": setting.calls_from,
            "input_tokens": _number(setting.input_tokens),
            "shared_tokens": _number(setting.shared_tokens),
            "output_tokens": _number(setting.output_tokens),
            "requests_per_minute": _number(setting.requests_per_minute),
            "concurrency": setting.concurrency,
            "duration_seconds": _seconds(setting.duration_us),
            "warm_up_seconds": _seconds(setting.warm_up_us),
            "policy": setting.policy,
            "max_retries": setting.max_retries,
            "max_requests": setting.most_requests,
            "at_once": setting.at_once,
            "timeout_seconds": _seconds(setting.timeout_us),
            "seed": setting.seed,
        },
        "at_most": {
            "requests": budget.requests,
            "input_tokens": budget.input_tokens,
            "output_tokens": budget.output_tokens,
            "duration_seconds": _seconds(budget.duration_us),
            "usd": _number(budget.usd),
            "usd_reason": _reason(budget.usd),
            "capped": budget.capped,
        },
        "stopped_by": result.stopped_by,
        "held_back": result.held_back,
        "measured": None if result.figures is None else _measured(result.figures),
        "steps": [
            {"requests_per_minute": _number(step.requests_per_minute), "measured": _measured(step.figures)}
            for step in result.steps
        ],
        "onset": {"highest_rpm_without_429": _number(onset[0]), "first_rpm_with_429": _number(onset[1])}
        if result.steps
        else None,
        "utilization": None if isinstance(result.utilization, Unknown) else _spread(result.utilization),
        "utilization_reason": _reason(result.utilization),
        "calibration": None if result.calibration is None else _calibration(result.calibration),
        "notes": [note._asdict() for note in result.notes],
    }


def bench_rows(result: BenchResult) -> Iterator[dict[str, Any]]:
    """Flat rows: the whole, then each step of a ramp."""
    if result.figures is not None:
        yield _row("", result.setting.requests_per_minute, result.figures)
    for number, step in enumerate(result.steps, start=1):
        yield _row(number, step.requests_per_minute, step.figures)


def _row(step: int | str, rate: Fraction | None, figures: Figures) -> dict[str, Any]:
    measured = _measured(figures)
    rates = measured["per_minute"]
    values = {
        "step": step,
        "requests_per_minute": _number(rate),
        **{name: measured[name] for name in ROW_COLUMNS if name in measured},
        "served_per_minute": rates["requests"],
        "weighted_tpm": rates["weighted"],
    }
    for name in SPREADS:
        spread: Spread = getattr(figures, name)
        for stat in ("mean", "p50", "p95", "p99"):
            values[f"{name}_{stat}_ms"] = _number(getattr(spread, stat))
    for kind in ("input", "cached", "output"):
        values[f"{kind}_tokens_per_minute"] = rates[f"{kind}_tokens"]
    return {name: values[name] for name in ROW_COLUMNS}
