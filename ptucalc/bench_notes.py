"""The remarks on a benchmark: what a reader of its figures must know."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ptucalc.bench_calibration import Calibration
from ptucalc.bench_result import Figures, Setting
from ptucalc.catalog import Unknown
from ptucalc.results import Note
from ptucalc.token_rules import PromptCacheRule

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
    *,
    cache: PromptCacheRule,
    calibration: Calibration | None,
    held_back: int = 0,
) -> Iterator[Note]:
    """Every note on a benchmark. `cache` says which beginnings the prompt cache keeps; `held_back` calls waited for room."""
    if stopped_by in _STOPPED:
        yield Note(f"stopped_{stopped_by}", _STOPPED[stopped_by].format(requests=setting.most_requests))
    if not figures.requests:
        yield Note(
            "nothing_measured", "no call was to start after the warm-up: a longer --duration, or less --warm-up."
        )
    yield from _about_starts(setting, figures, held_back)
    if figures.falls_behind:
        message = (
            "the longer it went on, the longer calls took: answers fell behind this rate. Rates are of what was served "
            "within the time; latencies are those of a queue that grows."
        )
        yield Note("falls_behind", message)
    if 0 < figures.served < FEW_CALLS:
        calls = "one served call" if figures.served == 1 else f"{figures.served:,} served calls"
        yield Note("few_calls", f"of {calls} the p99 is the maximum.")
    if figures.without_usage:
        message = f"the service counted no tokens of {figures.without_usage:,} served calls: no token rates."
        yield Note("no_usage", message)
    if figures.spilled:
        message = f"{figures.spilled:,} calls were served by another deployment (spillover): they are in the figures."
        yield Note("spilled", message)
    if figures.retry_after_unnamed:
        yield Note("no_retry_after", f"{figures.retry_after_unnamed:,} 429s named no wait (no retry-after header).")
    yield from _about_tokens(setting, figures, cache)
    if calibration is not None:
        yield from _about_calibration(calibration)


def _about_starts(setting: Setting, figures: Figures, held_back: int) -> Iterator[Note]:
    late = figures.start_delay.p99
    if late is not None and late > LATE_MS:
        in_latencies = "which is in the latencies, for they are from when a call was to start"
        if held_back:
            message = (
                f"{held_back:,} calls were held back, because --at-once {setting.at_once:,} were under way: up to {_ms(late)} ms "
                f"late (p99), {in_latencies}. Allow more at once, or ask for fewer calls."
            )
            yield Note("held_back", message)
        else:
            message = (
                f"this client itself started calls up to {_ms(late)} ms late (p99), {in_latencies}: ask for fewer calls, "
                "or run it on more machines."
            )
            yield Note("client_late", message)
    if setting.concurrency is not None and figures.throttled:
        message = (
            f"{figures.throttled:,} calls ended in a 429: each caller waited for its Retry-After before its next call."
        )
        yield Note("callers_waited", message)


def _about_cache(setting: Setting, cache: PromptCacheRule) -> Iterator[Note]:
    shared, minimum, step = setting.shared_tokens, cache.minimum_tokens, cache.step_tokens
    if not shared or setting.load in ("replay", "workloads"):  # calls differ: their mean says nothing of each
        return
    if shared < minimum:
        message = (
            f"prompts share {_whole(shared)} tokens, but the prompt cache keeps beginnings of {minimum:,} tokens and "
            "more: expect nothing cached."
        )
        yield Note("under_cache_minimum", message)
    elif kept := (shared - minimum) % step:
        message = (
            f"prompts share {_whole(shared)} tokens, of which the prompt cache serves {_whole(shared - kept)}: {minimum:,}, "
            f"then in steps of {step}."
        )
        yield Note("cache_steps", message)


def _about_tokens(setting: Setting, figures: Figures, cache: PromptCacheRule) -> Iterator[Note]:
    tokens, served = figures.tokens, figures.served
    yield from _about_cache(setting, cache)
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


def _about_calibration(calibration: Calibration) -> Iterator[Note]:
    yield Note(
        "calibration_scope",
        "bounds on one mix of tokens under the catalog's weights, at one time: another mix tests the weights.",
    )
    if isinstance(calibration.bounds, Unknown):
        yield Note("not_calibrated", f"no two bounds: {calibration.bounds.reason}.")


def _ms(value: Fraction) -> str:
    return f"{round(value):,}"


def _whole(value: Fraction) -> str:
    return f"{round(value):,}"


def _percent(share: Fraction) -> str:
    return f"{float(share):.1%}"
