"""The minutes of logs as columns of a load: calls, and the tokens of each class, so that every minute keeps its own mix.

A minute that overflows spills the same share of each column: of calls, of every class, of every workload.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from ptucalc.catalog import CLASSES, TokenClass, TokenWeights
from ptucalc.demand_profile import TEXT_CLASSES, MinuteSums
from ptucalc.load import Timeline
from ptucalc.measured import MeasuredCalls, SideBySide

__all__ = ["Column", "columns_of", "refused_columns"]


class Column(NamedTuple):
    """What one column counts: calls (`calls` 1, without tokens), single tokens of a class, or whole calls with theirs.

    `weights` are None for calls that PTU do not serve; `long_context` calls are billed so. `would_be_cached` are the
    uncached tokens that turn into cached ones if there are by so much more of these as `columns_of` was told.
    """

    member: int
    calls: int
    tokens: tuple[Fraction, ...]
    weights: TokenWeights | None
    long_context: bool = False
    would_be_cached: bool = False


NOTHING = (Fraction(0),) * len(CLASSES)


def _one(token_class: TokenClass) -> tuple[Fraction, ...]:
    """A single token of this class."""
    return tuple(Fraction(each is token_class) for each in CLASSES)


def columns_of(group: SideBySide, more_cached: Fraction) -> tuple[list[Column], Timeline]:
    """The calls that PTU serve, of logs of the same time, minute by minute.

    Uncached tokens that would be cached if there were `more_cached` (a share) more cached ones have a column apart.
    """
    columns: list[Column] = []
    counts: list[tuple[list[int], int]] = []
    length = group.window[1]
    for member, calls in enumerate(group.members):
        before = group.shift(calls)
        after = length - before - calls.served.length
        found, values, scale = _of_member(member, calls, more_cached)
        columns += found
        counts += [([*([0] * before), *value, *([0] * after)], scale) for value in values]
    common = lcm(*(scale for _, scale in counts))
    scaled = [values if each == common else [v * (common // each) for v in values] for values, each in counts]
    stretches = Counter(zip(*scaled, strict=True))
    return columns, Timeline(tuple(stretches.values()), tuple(stretches), common)


def _of_member(member: int, calls: MeasuredCalls, more_cached: Fraction) -> tuple[list[Column], list[list[int]], int]:
    """The columns of one log, the count of each minute, and the denominator that the counts have in common."""
    served = calls.served
    kinds: list[tuple[bool, TokenWeights]] = []
    kind_of: dict[int, int] = {}
    for band, weights in calls.weights[0].items():
        kind = (band in calls.long, weights)
        if kind not in kinds:
            kinds.append(kind)
        kind_of[band] = kinds.index(kind)
    requests, unsized = [0] * served.length, [0] * served.length
    sums = [[[0] * served.length for _ in TEXT_CLASSES] for _ in kinds]
    for row in served.rows:
        requests[row.minute] += row.requests + row.unsized
        unsized[row.minute] += row.unsized
        for of_class, tokens in zip(sums[kind_of[row.band]], row.tokens, strict=True):
            of_class[row.minute] += tokens
    known, scale = 1, served.scale
    if any(unsized):  # a throttled call of unknown size is the mean call, its share of long ones included
        known = sum(row.requests for row in served.rows)
        sums = [[_filled(of_class, unsized, known) for of_class in of_kind] for of_kind in sums]
    columns, values = [Column(member, 1, NOTHING, None)], [[count * known for count in requests]]
    scale *= known
    more, per = more_cached.as_integer_ratio()
    for (long, weights), of_kind in zip(kinds, sums, strict=True):
        for token_class, of_class in zip(TEXT_CLASSES, of_kind, strict=True):
            if not any(of_class):
                continue
            cached = of_kind[TEXT_CLASSES.index(TokenClass.CACHED_INPUT)]
            each = _one(token_class)
            if token_class is TokenClass.INPUT and any(cached):
                may = [min(plain * per, hit * more) for plain, hit in zip(of_class, cached, strict=True)]
                rest = [plain * per - part for plain, part in zip(of_class, may, strict=True)]
                columns.append(Column(member, 0, each, weights, long, would_be_cached=True))
                values.append(may)
            else:
                rest = [tokens * per for tokens in of_class]
            columns.append(Column(member, 0, each, weights, long))
            values.append(rest)
    values[0] = [count * per for count in values[0]]
    return columns, values, scale * per


def _filled(tokens: Sequence[int], unsized: Sequence[int], known: int) -> list[int]:
    """Tokens of every minute with those of the throttled calls, in parts of 1 / known calls."""
    whole = sum(tokens)
    return [count * known + calls * whole for count, calls in zip(tokens, unsized, strict=True)]


def refused_columns(group: SideBySide) -> tuple[list[Column], list[Fraction]]:
    """The calls that PTU refuse for the length of their prompts, as average calls, and how many there are a minute."""
    columns: list[Column] = []
    rates: list[Fraction] = []
    length = group.window[1]
    for member, calls in enumerate(group.members):
        for long in (False, True):
            rows = [row for row in calls.refused.rows if (row.band in calls.long) is long and row.requests]
            if rows:
                count = sum(row.requests for row in rows)
                columns.append(Column(member, 1, _mean(rows, count), None, long))
                rates.append(Fraction(count, calls.refused.scale * length))
    return columns, rates


def _mean(rows: Sequence[MinuteSums], count: int) -> tuple[Fraction, ...]:
    sums = [sum(tokens) for tokens in zip(*(row.tokens for row in rows), strict=True)]
    return tuple(Fraction(sums[TEXT_CLASSES.index(c)], count) if c in TEXT_CLASSES else Fraction(0) for c in CLASSES)
