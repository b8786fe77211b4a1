"""From the calls of a benchmark to what a PTU serves: which calls were admitted, what they hold, what is in the way."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ptucalc.bench_calibration import Admitted, Bounds, Calibration, drain_bounds, sustained_at_least
from ptucalc.bench_samples import Outcome, Sample, planned_usage, weighted
from ptucalc.bench_schedule import CallSize
from ptucalc.catalog import Model, TokenWeights, Unknown

__all__ = ["admitted_calls", "calibrate"]

NEVER_US = 10**15
"""When a call ends whose answer was lost: nobody knows, so it may be under way to the end."""


def admitted_calls(
    samples: Sequence[Sample], model: Model, weights: TokenWeights, *, cache_minimum: int = 0
) -> list[Admitted] | Unknown:
    """The calls that were admitted or may have been. Unknown where it is not known what a call weighs.

    A served call holds an estimate of its prompt and of all that it might write; one that ended otherwise may have held
    that of the whole planned call, nothing cached and, where that weighs more, all of it written to the cache, which
    keeps prompts of `cache_minimum` tokens and more. Calls that the service refused for what they are (400 and the like)
    were not admitted, nor were those that met a 429.
    """
    found = []
    for sample in samples:
        if sample.outcome is Outcome.THROTTLED or sample.error.startswith("http_4") or sample.error == "connect":
            continue
        size, usage = sample.planned.size, sample.usage
        if sample.outcome is Outcome.SERVED and usage is not None:
            limit = max(size.output_tokens, usage.output)
            actual: Fraction | Unknown | None = weighted(model, weights, usage, cache_minimum=cache_minimum)
            estimate = weighted(model, weights, usage._replace(output=limit), cache_minimum=cache_minimum)
        else:
            actual = None
            estimate = _heaviest(model, weights, size, cache_minimum)
        if isinstance(estimate, Unknown):
            return estimate
        if isinstance(actual, Unknown):
            return actual
        finished = sample.finished_us if actual is not None else NEVER_US
        found.append(Admitted(sample.sent_us, finished, estimate, actual))
    return found


def _heaviest(model: Model, weights: TokenWeights, size: CallSize, cache_minimum: int) -> Fraction | Unknown:
    """The most that a planned call may weigh."""
    planned = planned_usage(model, size._replace(shared_tokens=0), cache_minimum=cache_minimum)
    most = Fraction(0)
    for usage in {planned, planned._replace(written=0)}:
        each = weighted(model, weights, usage)
        if isinstance(each, Unknown):
            return each
        most = max(most, each)
    return most


def calibrate(
    samples: Sequence[Sample],
    *,
    model: Model,
    weights: TokenWeights,
    ptu: int,
    window_seconds: Fraction,
    cache_minimum: int = 0,
) -> Calibration:
    """Bounds on what a PTU serves, from all calls of a benchmark without retries, warm-up among them.

    `cache_minimum` is the shortest prompt that the prompt cache keeps, in tokens.
    """
    calls = admitted_calls(samples, model, weights, cache_minimum=cache_minimum)
    spilled = sum(sample.spilled for sample in samples)
    bounds: Bounds | Unknown
    sustained: Fraction | Unknown
    if isinstance(calls, Unknown):
        bounds = sustained = calls
    elif spilled:
        bounds = sustained = Unknown(
            f"{spilled:,} calls spilled to another deployment: turn spillover off, or what is refused cannot be seen"
        )
    else:
        bounds = drain_bounds(calls, (refusal for sample in samples for refusal in sample.refusals))
        sustained = sustained_at_least(calls, window_seconds=window_seconds)
    return Calibration(
        ptu=ptu,
        catalog_tpm_per_ptu=model.tpm_per_ptu,
        bounds=bounds,
        sustained_tpm=sustained,
        window_seconds=window_seconds,
    )
