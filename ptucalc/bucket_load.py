"""Calls as the bucket sees them: what each adds and when, in whole numbers, and how large these can get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, lcm
from typing import NamedTuple

from ptucalc.bucket_engine import Engine
from ptucalc.bucket_kernel import MINUTE_US, WHOLE_MS, Calls, Completions, Weighed, Weighing
from ptucalc.call_trace import CallTrace, Column, holds_any
from ptucalc.catalog import Model, TokenClass, TokenWeights, Unknown
from ptucalc.demand_profile import TEXT_CLASSES
from ptucalc.errors import BadInput, Problem
from ptucalc.simulated_runs import CallTokens, TokenSums

__all__ = ["BucketLoad", "Units", "load_calls", "weighing_of"]

NEVER = 2**62
"""A prompt length that no prompt is over: where the model has no limit."""


class Units(NamedTuple):
    """The whole numbers of some sizes: one weighted token (1 / `scale` of it), and the drain per microsecond of each.

    One weighted token is 60,000,000 x TPM-microseconds per minute; the common divisor is taken out, so that most fit
    into a machine's numbers.
    """

    unit: int
    drains: tuple[int, ...]

    @classmethod
    def of(cls, sizes: Sequence[int], tpm_per_ptu: int, scale: int) -> Units:
        """The numbers of these sizes, in PTU.

        >>> Units.of([15, 20], 3000, 1)
        Units(unit=4000, drains=(3, 4))
        """
        drains = [ptu * tpm_per_ptu * scale for ptu in sizes]
        common = gcd(MINUTE_US, *drains)
        return cls(MINUTE_US // common, tuple(drain // common for drain in drains))


@dataclass(frozen=True, eq=False, kw_only=True)
class BucketLoad:
    """The calls of a trace that PTU serve, weighed; and what is known of all of them.

    `kept` are their places in the trace, None for all; `columns` says what each column of their tokens holds: whether
    they are of long context, and the place of the class. Weighted tokens are in parts of `scale`.
    """

    engine: Engine = field(repr=False)
    calls: Calls = field(repr=False)
    duration: Column = field(repr=False)
    completions: Completions = field(repr=False)
    columns: tuple[tuple[bool, int], ...]
    kept: Column | None = field(repr=False)
    scale: int
    minutes: int
    tokens: TokenSums
    tokens_over_limit: TokenSums
    over_limit: int
    without_max_tokens: int
    without_duration: int
    largest_estimate: int
    largest_change: int
    corrected_up: int
    """Sum of what completions add to the level, where the estimate was too low."""
    last_us: int
    longest_us: int

    def __len__(self) -> int:
        return len(self.calls.arrival)

    def sums(self, by_column: Sequence[int]) -> TokenSums:
        """Sums of the columns as tokens by class."""
        return _sums(self.columns, by_column)

    def highest_level(self, unit: int, capacity: int) -> int:
        """No level of a bucket is ever over this.

        A call is admitted below the capacity; completions can add what estimates were too low by.
        """
        return capacity + unit * (self.largest_estimate + self.corrected_up)

    def largest_in_lanes(self, units: Units, capacities: Sequence[int]) -> tuple[int, int]:
        """The largest number of any kind when buckets are replayed side by side, and a time in which all of them empty."""
        tops = [self.highest_level(units.unit, capacity) for capacity in capacities]
        empties = max(top // drain for top, drain in zip(tops, units.drains, strict=True)) + 1
        largest = max(tops) + empties * max(units.drains) + units.unit * self.largest_change
        return max(largest, len(self), *self.tokens.usual, *self.tokens.long_context), empties

    def largest_in_replay(self, unit: int, drain: int, capacity: int, max_retries: int) -> int:
        """The largest number of any kind when one bucket is replayed with retries."""
        top = self.highest_level(unit, capacity) + unit * self.largest_change
        lasts = top // drain + WHOLE_MS
        latest = self.last_us + max_retries * (lasts + WHOLE_MS) + self.longest_us + MINUTE_US
        return max(top, drain * WHOLE_MS, 2 * lasts * MINUTE_US, MINUTE_US**2, latest)


def weighing_of(
    model: Model,
    trace: CallTrace,
    *,
    output_weight: Fraction | None = None,
    assumed_max_tokens: int | None = None,
) -> tuple[Weighing, int]:
    """What the trace's calls weigh on the model, and the scale of the weights.

    Cached tokens and cache writes of unpublished weight count in full, the safe side. Raises BadInput where tokens
    that the trace holds have no known weight.
    """
    sets: list[TokenWeights] = [model.weights]
    if model.long_context is not None and model.long_context.weights is not None:
        sets.append(model.long_context.weights)
    columns = (trace.uncached, trace.cached, trace.written, trace.output)
    used = [token_class for token_class, column in zip(TEXT_CLASSES, columns, strict=True) if holds_any(column)]
    problems: list[Problem] = []
    known = [[_weight(model, weights, c, c in used, output_weight, problems) for c in TEXT_CLASSES] for weights in sets]
    if problems:
        raise BadInput(list(dict.fromkeys(problems)))
    scale = lcm(*(weight.denominator for weights in known for weight in weights))
    whole = [int(weight * scale) for weights in (known[0], known[-1]) for weight in weights]
    long, limit, target = model.long_context, model.prompt_limit_tokens, model.latency_target
    others = (
        NEVER if long is None else long.over_input_tokens,
        NEVER if limit is None else limit,
        -1 if assumed_max_tokens is None else assumed_max_tokens,
        0 if isinstance(target, Unknown) else target.tokens_per_second,
    )
    return Weighing._make((*whole, *others)), scale


def _weight(
    model: Model,
    weights: TokenWeights,
    token_class: TokenClass,
    used: bool,
    output_weight: Fraction | None,
    problems: list[Problem],
) -> Fraction:
    """The weight of a class; one that no token needs counts 0."""
    weight = weights.of(token_class)
    if token_class is TokenClass.OUTPUT and output_weight is not None and weight is not None:
        return output_weight
    if isinstance(weight, Unknown) and token_class in (TokenClass.CACHED_INPUT, TokenClass.CACHE_WRITE):
        weight = weights.input if isinstance(weights.input, Fraction) else Fraction(1)
    if isinstance(weight, Fraction):
        return weight
    if isinstance(weight, Unknown) and token_class is TokenClass.OUTPUT:
        problems.append(
            Problem("output_weight", "", f"the weight of one output token of {model.name} ({weight.reason})")
        )
    elif used:
        why = f" ({weight.reason})" if isinstance(weight, Unknown) else ""
        problems.append(
            Problem(
                "calls",
                f"{token_class.label} tokens",
                f"no {token_class.label} tokens: {model.name} has no known weight for them{why}",
            )
        )
    return Fraction(0)


def load_calls(trace: CallTrace, rule: Weighing, scale: int, engine: Engine) -> BucketLoad | None:
    """Weigh the calls. None where the engine's numbers are too small for them."""
    length = len(trace)
    prompt = [engine.column(column) for column in (trace.uncached, trace.cached, trace.written)]
    output = engine.column(trace.output)
    arrival = engine.column(trace.arrival_us)
    most = engine.column([] if trace.max_tokens is None else trace.max_tokens)
    lasting = engine.column([] if trace.duration_us is None else trace.duration_us)
    if engine.largest_whole is not None:
        tokens = max(map(engine.largest, (*prompt, output, most)), default=0)
        tokens = max(tokens, rule.assumed_max_tokens, 1)
        heaviest = 4 * tokens * max(rule[:8])
        times = engine.largest(arrival) + engine.largest(lasting) + MINUTE_US
        if max(heaviest, tokens * 1_000_000, times) > engine.largest_whole:
            return None
    weighed = Weighed(*(engine.zeros(length) for _ in Weighed._fields))
    guessed, unknown = engine.weigh(*prompt, output, most, lasting, rule, weighed)

    origin = (int(trace.first_minute) if length else 0) * MINUTE_US
    held, columns = _columns([*prompt, output], weighed.long_context, engine)
    totals = [engine.total(column) for column in held]
    refused = engine.where(weighed.over_limit, 1)
    kept: Column | None = None
    over = [0] * len(held)
    estimate, delta, duration = weighed.estimate, weighed.delta, weighed.duration
    if len(refused):
        over = [engine.total(engine.taken(column, refused)) for column in held]
        kept = engine.where(weighed.over_limit, 0)
        held = [engine.taken(column, kept) for column in held]
        arrival, estimate, delta, duration = (engine.taken(c, kept) for c in (arrival, estimate, delta, duration))
    changing = engine.where_any(delta)
    finish = engine.added(arrival, duration, origin)
    some = len(changing) < len(arrival)
    if some:
        finish = engine.taken(finish, changing)
    order = engine.order(finish)
    none = engine.zeros(0)
    return BucketLoad(
        engine=engine,
        calls=Calls(arrival, origin, estimate, delta, engine.table(held, len(arrival))),
        duration=duration,
        completions=Completions(
            engine.taken(finish, order), engine.taken(changing, order) if some else order, none, none, none
        ),
        columns=columns,
        kept=kept,
        scale=scale,
        minutes=trace.minutes,
        tokens=_sums(columns, totals),
        tokens_over_limit=_sums(columns, over),
        over_limit=len(refused),
        without_max_tokens=guessed,
        without_duration=unknown,
        largest_estimate=engine.largest(estimate),
        largest_change=engine.farthest(delta),
        corrected_up=engine.over_zero(delta),
        last_us=int(trace.arrival_us[-1]) - origin if length else 0,
        longest_us=engine.largest(duration),
    )


def _columns(
    by_class: Sequence[Column], long_context: Column, engine: Engine
) -> tuple[list[Column], tuple[tuple[bool, int], ...]]:
    """The columns of tokens that hold any, those of long-context calls apart, and what each holds."""
    held, names = [], []
    some_long = engine.largest(long_context) > 0
    for place, column in enumerate(by_class):
        for long in (False, True) if some_long else (False,):
            part = engine.masked(column, long_context, int(long)) if some_long else column
            if engine.largest(part):
                held.append(part)
                names.append((long, place))
    return held, tuple(names)


def _sums(columns: Sequence[tuple[bool, int]], by_column: Sequence[int]) -> TokenSums:
    """Sums of such columns as tokens by class."""
    found = {(long, place): 0 for long in (False, True) for place in range(len(TEXT_CLASSES))}
    found |= dict(zip(columns, by_column, strict=True))
    usual, long_context = (CallTokens(*(found[long, p] for p in range(len(TEXT_CLASSES)))) for long in (False, True))
    return TokenSums(usual, long_context)
