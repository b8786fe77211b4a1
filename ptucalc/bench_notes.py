"""The remarks on a benchmark: what a reader of its figures must know."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ptucalc.bench_calibration import Calibration
from ptucalc.bench_result import Figures, Setting
from ptucalc.catalog import Model, Unknown
from ptucalc.results import Note

__all__ = ["notes_of_bench"]

LATE_MS = 50
"""A client that starts a call in a hundred later than this is part of what it measures; our own rule of thumb."""

FEW_CALLS = 100
"""Under so many calls the nearest rank of p99 is the maximum."""

OFF_BY = Fraction(2, 100)
"""Token counts that differ by more from what was planned are worth a note."""

_STOPPED = {
    "cap": "it stopped at --max-requests {requests:,}, before all calls were made.",
    "errors": "it stopped early: one call after the other failed in the same way.",
    "interrupt": "it was interrupted: the figures are of the calls that were to start until then.",
    "ramp": "the ramp stopped after the first step with a 429.",
}


def notes_of_bench(
    setting: Setting,
    figures: Figures,
    stopped_by: str,
    model: Model,
    *,
    cache_minimum: int,
    calibration: Calibration | None,
) -> Iterator[Note]:
    """Every note on a benchmark. `cache_minimum` is the shortest beginning that the prompt cache keeps, in tokens."""
    if stopped_by in _STOPPED:
        yield Note(f"stopped_{stopped_by}", _STOPPED[stopped_by].format(requests=setting.most_requests))
    if not figures.requests:
        yield Note(
            "nothing_measured", "no call was to start after the warm-up: a longer --duration, or less --warm-up."
        )
    late = figures.start_delay.p99
    if late is not None and late > LATE_MS:
        message = (
            f"this client itself started calls up to {_ms(late)} ms late (p99), which is in the latencies, for they "
            "are from when a call was to start: ask for fewer calls, or run it on more machines."
        )
        yield Note("client_late", message)
    if 0 < figures.served < FEW_CALLS:
        yield Note("few_calls", f"of {figures.served:,} served calls the p99 is the maximum.")
    if figures.without_usage:
        message = f"the service counted no tokens of {figures.without_usage:,} served calls: no token rates."
        yield Note("no_usage", message)
    if figures.spilled:
        message = f"{figures.spilled:,} calls were served by another deployment (spillover): they are in the figures."
        yield Note("spilled", message)
    if figures.retry_after_unnamed:
        yield Note("no_retry_after", f"{figures.retry_after_unnamed:,} 429s named no wait (no retry-after header).")
    yield from _about_tokens(setting, figures, cache_minimum)
    if calibration is not None:
        yield from _about_calibration(calibration, model)


def _about_tokens(setting: Setting, figures: Figures, cache_minimum: int) -> Iterator[Note]:
    tokens, served = figures.tokens, figures.served
    if setting.shared_tokens and setting.shared_tokens < cache_minimum:
        message = (
            f"prompts share {_whole(setting.shared_tokens)} tokens, but the prompt cache keeps beginnings of "
            f"{cache_minimum:,} tokens and more: expect nothing cached."
        )
        yield Note("under_cache_minimum", message)
    if tokens is None or not served:
        return
    cached = Fraction(tokens.cached, tokens.input) if tokens.input else Fraction(0)
    if cached and not setting.shared_tokens:
        yield Note("cached_anyway", f"{_percent(cached)} of the prompts were cached, though none share a beginning.")
    # Other sizes may be served than were planned where calls of a log differ: only like is compared with like.
    if setting.load in ("replay", "workloads"):
        return
    if abs(Fraction(tokens.input, served) - setting.input_tokens) > OFF_BY * setting.input_tokens:
        message = (
            f"the service counted {_whole(Fraction(tokens.input, served))} input tokens a call, "
            f"{_whole(setting.input_tokens)} were counted here: another model or tokenizer?"
        )
        yield Note("input_tokens_differ", message)
    if Fraction(tokens.output, served) < (1 - OFF_BY) * setting.output_tokens:
        message = (
            f"answers had {_whole(Fraction(tokens.output, served))} tokens in the mean, not the "
            f"{_whole(setting.output_tokens)} that they might have: the model stopped before its limit."
        )
        yield Note("short_answers", message)


def _about_calibration(calibration: Calibration, model: Model) -> Iterator[Note]:
    yield Note(
        "calibration_scope",
        "bounds on one mix of tokens under the catalog's weights, at one time: another mix tests the weights.",
    )
    write, plain = model.weights.cache_write, model.weights.input
    if isinstance(write, Fraction) and write != plain:
        message = f"{model.name} weighs what is written to the prompt cache by its own weight, which no answer tells: it counts as input here."
        yield Note("cache_write_not_told", message)
    if isinstance(calibration.bounds, Unknown):
        yield Note("not_calibrated", f"no two bounds: {calibration.bounds.reason}.")


def _ms(value: Fraction) -> str:
    return f"{round(value):,}"


def _whole(value: Fraction) -> str:
    return f"{round(value):,}"


def _percent(share: Fraction) -> str:
    return f"{float(share):.1%}"
