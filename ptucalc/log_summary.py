"""A pasted summary of a load (mean, percentiles, maximum) instead of its minutes: what cannot be true of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from ptucalc.errors import Problem
from ptucalc.log_records import normalise

__all__ = ["summary_problems"]

MEAN = frozenset({"mean", "avg", "average"})
P99 = frozenset({"p99", "99th", "pct99", "perc99"})
OTHERS = frozenset({"p50", "median", "p90", "p95", "p999", "max", "maximum", "peak", "min", "minimum", "std", "stdev"})
UNITS = frozenset({"tpm", "tokens", "token", "per", "minute", "min", "k", "value"})

_NUMBER = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?|[+-]?\d{1,15}(\.\d{0,15})?", re.ASCII)


def summary_problems(records: Sequence[Mapping[str, Any]]) -> tuple[Problem, ...]:
    """What is wrong with a summary's own numbers: a p99 below its mean, output tokens of 0 everywhere.

    A row is a summary of what its first text names (input, output ...), or holds one column for each statistic of each:
    mean_input_tpm, p99_input_tpm. Minutes of a log never have it: of a load that is idle most of the time the mean can
    lie over the p99, but then less than 1 % of the minutes carry all of it, and no size follows from either.
    """
    problems: list[Problem] = []
    output: list[Fraction] = []
    for record in records:
        means: dict[str, Fraction] = {}
        tails: dict[str, Fraction] = {}
        label = next((str(value) for value in record.values() if isinstance(value, str) and not _number(value)), "")
        for statistic, subject, value in _statistics(record, normalise(label)):
            if "output" in subject or "completion" in subject or "generated" in subject:
                output.append(value)
            if statistic == "mean":
                means.setdefault(subject, value)
            elif statistic == "p99":
                tails.setdefault(subject, value)
        problems += _below_the_mean(means, tails)
    if output and not any(output):
        expected = "output tokens: none were counted, so the metric or column asked for was the wrong one"
        problems.append(Problem("output_tokens", "0", expected))
    return tuple(dict.fromkeys(problems))


def _below_the_mean(means: Mapping[str, Fraction], tails: Mapping[str, Fraction]) -> Iterator[Problem]:
    if not set(means) & set(tails) and len(tails) == 1 and means:  # mean of the input beside one p99
        means = {next(iter(tails)): next(iter(means.values()))}
    for subject, tail in tails.items():
        if subject in means and tail < means[subject]:
            about = f" of {subject}" if subject else ""
            yield Problem("p99", f"{_shown(tail)}", f"a p99{about} not below the mean ({_shown(means[subject])})")


def _statistics(record: Mapping[str, Any], label: str) -> Iterator[tuple[str, str, Fraction]]:
    """(statistic, subject, value) of each number of a row."""
    for heading, found in record.items():
        value = _number(found)
        if value is None:
            continue
        words = [word for word in re.sub(r"p99_9(?!\d)", "p999", normalise(heading)).split("_") if word]
        statistic = "mean" if MEAN & {*words} else "p99" if P99 & {*words} else "other"
        subject = "_".join(word for word in words if word not in MEAN | P99 | OTHERS | UNITS)
        yield statistic, subject or label, value


def _number(found: Any) -> Fraction | None:
    if isinstance(found, bool) or found is None:
        return None
    text = str(found).strip()
    return Fraction(text.replace(",", "")) if _NUMBER.fullmatch(text) else None


def _shown(value: Fraction) -> str:
    return f"{value.numerator:,}" if value.denominator == 1 else f"{value.numerator / value.denominator:,}"
