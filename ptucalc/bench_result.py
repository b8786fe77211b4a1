"""What a benchmark found: its calls reduced to latencies, rates, 429s and errors, step by step where it had steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from ptucalc.bench_budget import Budget
from ptucalc.bench_calibration import Calibration
from ptucalc.bench_samples import Outcome, Sample, Spread, Usage
from ptucalc.call_trace import MICROSECONDS_PER_MINUTE
from ptucalc.catalog import Unknown
from ptucalc.results import Note

__all__ = ["BenchResult", "Failure", "Figures", "Finished", "Setting", "Step", "Weigh", "figures_of"]

Weigh = Callable[[Usage], "Fraction | Unknown"]

BEHIND = Fraction(1, 20)
"""Calls that are this share of the time slower at its end than at its beginning wait for others; our own rule of thumb."""

FEWEST_TO_COMPARE = 3
"""A tenth of the calls that is fewer has no median worth the name."""

_MICROSECONDS_PER_MS = 1000


class Failure(NamedTuple):
    """Calls that failed in the same way, with the first message."""

    kind: str
    calls: int
    example: str


class Finished(NamedTuple):
    """Calls whose last byte came within a time, and their tokens: None, and Unknown with a reason, where not all are known."""

    calls: int
    tokens: Usage | None
    weighted: Fraction | Unknown


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Calls that were to start within a time. requests = served + throttled + failed + unfinished.

    Times are milliseconds: `to_first_token`, `between_tokens` and `end_to_end` of served calls, from when they were to start
    (waits for further tries among them); `start_delay` is how late the client itself was. `throttled` calls ended in a 429;
    `met_429` met at least one, `responses_429` are all of them, with the wait that they named in `retry_after`. `tokens` are
    those the service counted for served calls; None where it said nothing of some. `slower_by` is how much longer the last
    tenth of the served calls took than the first tenth, by their medians; None for too few.

    `finished` is what was served within the time, whenever it was to start: what rates are of.
    """

    length_us: int
    requests: int
    served: int
    throttled: int
    failed: int
    unfinished: int
    met_429: int
    responses_429: int
    tries: int
    spilled: int
    without_usage: int
    failures: tuple[Failure, ...]
    to_first_token: Spread
    between_tokens: Spread
    end_to_end: Spread
    start_delay: Spread
    retry_after: Spread
    retry_after_unnamed: int
    tokens: Usage | None
    slower_by: Fraction | None
    finished: Finished

    def per_minute(self, amount: Fraction | int) -> Fraction:
        """So much over the whole time, per minute; 0 for no time."""
        return Fraction(amount) * MICROSECONDS_PER_MINUTE / self.length_us if self.length_us else Fraction(0)

    @property
    def share_429(self) -> Fraction:
        """Calls that met a 429, of all."""
        return Fraction(self.met_429, self.requests) if self.requests else Fraction(0)

    @property
    def weighted_tpm(self) -> Fraction | Unknown:
        """Weighted tokens per minute of the calls that were served within the time."""
        weighted = self.finished.weighted
        return weighted if isinstance(weighted, Unknown) else self.per_minute(weighted)

    @property
    def falls_behind(self) -> bool:
        """Whether answers come slower and slower: calls that are to start later take longer, by a share of the time."""
        return self.slower_by is not None and self.slower_by * _MICROSECONDS_PER_MS > BEHIND * self.length_us


def figures_of(samples: Sequence[Sample], *, from_us: int, until_us: int, weigh: Weigh) -> Figures:
    """The figures of the calls that were to start from `from_us` on and before `until_us`.

    Rates are of the calls that were served in that time: a service that falls behind ends its calls long after it.
    """
    within = [sample for sample in samples if from_us <= sample.intended_us < until_us]
    by = Counter(sample.outcome for sample in within)
    served = [sample for sample in within if sample.outcome is Outcome.SERVED]
    refusals = [refusal for sample in within for refusal in sample.refusals]
    waits = [refusal.retry_after_ms for refusal in refusals if refusal.retry_after_ms is not None]
    in_time = [s for s in samples if s.outcome is Outcome.SERVED and from_us <= s.finished_us < until_us]
    return Figures(
        length_us=max(0, until_us - from_us),
        requests=len(within),
        served=by[Outcome.SERVED],
        throttled=by[Outcome.THROTTLED],
        failed=by[Outcome.FAILED],
        unfinished=by[Outcome.UNFINISHED],
        met_429=sum(bool(sample.refusals) for sample in within),
        responses_429=len(refusals),
        tries=sum(sample.tries for sample in within),
        spilled=sum(sample.spilled for sample in within),
        without_usage=sum(sample.usage is None for sample in served),
        failures=_failures(within),
        to_first_token=_spread(sample.to_first_token_us for sample in served),
        between_tokens=_spread(sample.between_tokens_us for sample in served),
        end_to_end=_spread(sample.end_to_end_us for sample in served),
        start_delay=_spread(_first_sent(sample) - sample.intended_us for sample in within),
        retry_after=Spread.of(waits),
        retry_after_unnamed=len(refusals) - len(waits),
        tokens=_tokens(served),
        slower_by=_slower_by(served),
        finished=Finished(len(in_time), _tokens(in_time), _weighted(in_time, weigh)),
    )


def _tokens(served: Sequence[Sample]) -> Usage | None:
    usages = [sample.usage for sample in served if sample.usage is not None]
    return Usage.sum_of(usages) if len(usages) == len(served) else None


def _slower_by(served: Sequence[Sample]) -> Fraction | None:
    """In milliseconds."""
    count = len(served) // 10
    if count < FEWEST_TO_COMPARE:
        return None
    ordered = sorted(served, key=lambda sample: sample.intended_us)
    first, last = (_spread(sample.end_to_end_us for sample in some).p50 for some in (ordered[:count], ordered[-count:]))
    return None if first is None or last is None else last - first


def _spread(values: Iterable[Fraction | int | None]) -> Spread:
    return Spread.of((value for value in values if value is not None), per=_MICROSECONDS_PER_MS)


def _first_sent(sample: Sample) -> int:
    return sample.refusals[0].sent_us if sample.refusals else sample.sent_us


def _failures(samples: Sequence[Sample]) -> tuple[Failure, ...]:
    failed = [sample for sample in samples if sample.outcome is Outcome.FAILED]
    counts = Counter(sample.error for sample in failed)
    first = {sample.error: sample.detail for sample in reversed(failed)}
    return tuple(Failure(kind, calls, first[kind]) for kind, calls in counts.most_common())


def _weighted(served: Sequence[Sample], weigh: Weigh) -> Fraction | Unknown:
    usages = [sample.usage for sample in served if sample.usage is not None]
    if len(usages) < len(served):
        return Unknown(f"the service counted no tokens of {len(served) - len(usages):,} served calls")
    total = Fraction(0)
    for usage, calls in Counter(usages).items():
        each = weigh(usage)
        if isinstance(each, Unknown):
            return each
        total += each * calls
    return total


class Step(NamedTuple):
    """A step of a ramp: its rate and what was found at it."""

    requests_per_minute: Fraction
    figures: Figures


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What was asked for. `seed` makes the same prompts again; `calls_from` names the shape, workload or log.

    Token counts are the mean planned call's; `requests_per_minute` and `concurrency` are None where the load is another.
    """

    model: str
    model_version: str | None
    wire: str
    api_version: str | None
    stream: bool
    load: str
    calls_from: str
    input_tokens: Fraction
    shared_tokens: Fraction
    output_tokens: Fraction
    requests_per_minute: Fraction | None
    concurrency: int | None
    duration_us: int
    warm_up_us: int
    policy: str
    max_retries: int
    most_requests: int
    at_once: int
    timeout_us: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class BenchResult:
    """A benchmark with its figures; `figures` is None where nothing was sent (a dry run).

    `stopped_by` says what ended it: "done", "ramp" (a step met a 429), "cap" (as many requests as may be sent), "errors"
    (no call can succeed) or "interrupt". `held_back` calls waited for room under `at_once`. `utilization` is that of the emulator's own metrics, Unknown with a reason.
    """

    version: str
    catalog_as_of: str
    editions: tuple[str, ...]
    prices_as_of: str
    price_editions: tuple[str, ...]
    price_region: str
    setting: Setting
    budget: Budget
    stopped_by: str
    held_back: int = 0
    started: str | None
    figures: Figures | None
    steps: tuple[Step, ...]
    utilization: Spread | Unknown
    calibration: Calibration | None
    notes: tuple[Note, ...]

    @property
    def onset(self) -> tuple[Fraction | None, Fraction | None]:
        """Of a ramp: the rate of the last step before the first with a 429, and of that one; None where there is none."""
        before = None
        for step in self.steps:
            if step.figures.met_429:
                return before, step.requests_per_minute
            before = step.requests_per_minute
        return before, None
