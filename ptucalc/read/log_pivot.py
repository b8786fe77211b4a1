"""Points of metrics laid together into buckets: one record for each time, deployment and model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from ptucalc.errors import BadInput, Problem
from ptucalc.log_formats import FormatBook
from ptucalc.read.log_canonical import number, whole
from ptucalc.request_log import Finding

__all__ = ["PERCENT", "Pivot"]

PERCENT = ("cache_rate", "utilisation_pct")
TOKENS = ("input_tokens", "output_tokens", "total_tokens")
MOST_PROBLEMS = 20
THROTTLED = 429
FIRST_FAILURE = 400

Key = tuple[Any, str, str]
"""Time as found, deployment, model."""


class Point(NamedTuple):
    """One number of a metric. Deployment and model are None where the metric was not split by them."""

    time: Any
    measure: str
    value: Fraction
    deployment: str | None
    model: str | None


class Pivot:
    """Collects points, and what is wrong with them; `finish` makes the records."""

    def __init__(self, book: FormatBook, source: str) -> None:
        self.book, self.source = book, source
        self.findings: list[Finding] = []
        self.problems: list[Problem] = []
        self.points: list[Point] = []
        self.metrics: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.spilled = 0
        self.unnamed = 0

    def saw(self, metric: str, rows: int) -> None:
        """A metric of this name occurs, in so many rows or series."""
        self.metrics[metric] += rows

    def problem(self, field: str, found: str, expected: str) -> None:
        """Something is wrong with a metric."""
        self.problems.append(Problem(field, found, expected, source=self.source, label=field))

    def add(self, time: Any, measure: str, value: Any, metric: str, dimensions: Mapping[str, str]) -> None:
        """A number of a metric as found, with its dimensions (names in lower case)."""
        try:
            exact = number(value) if measure in PERCENT else whole(value)
        except ValueError as error:
            self.problem(metric, str(value), str(error))
            return
        if exact is None:
            return
        if time is None or not str(time).strip():
            self.problem(metric, "", "a time stamp with each number")
            return
        spilled = dimensions.get("isspillover", "").casefold() == "true"
        if measure == "requests":
            measure = self._request(exact, dimensions.get("statuscode", ""))
            if spilled:
                self.spilled += int(exact)
        if measure:
            point = Point(time, measure, Fraction(exact), self._deployment(dimensions), _named(dimensions, "modelname"))
            self.points.append(point)

    def _request(self, count: Fraction | int, status: str) -> str:
        """What requests of a status count as: requests, throttled ones, or (empty) nothing but a finding."""
        code = int(status) if status.isdecimal() else 0
        if code == THROTTLED:
            return "throttled_requests"
        if code < FIRST_FAILURE:
            return "requests"
        self.statuses[status] += int(count)
        return ""

    def _deployment(self, dimensions: Mapping[str, str]) -> str | None:
        named = _named(dimensions, "modeldeploymentname")
        self.unnamed += dimensions.get("modeldeploymentname", "").casefold() == "__empty"
        return named

    def finish(
        self, output_share: Fraction | None, problems: Iterable[Problem]
    ) -> tuple[list[dict[str, Any]], tuple[Finding, ...]]:
        """The records, and the findings. Raises BadInput with every problem, these and those met before.

        `output_share` is the share of output in total tokens, where there is nothing else.
        """
        self.problems += problems
        for name, rows in self.metrics.items():
            if self.book.is_unknown_metric(name):
                self.findings.append(Finding("wrong_metric_name", rows, name))
        cells = self._cells()
        self._check(cells, output_share)
        if self.problems:
            rest = max(0, len(self.problems) - MOST_PROBLEMS)
            raise BadInput(self.problems[:MOST_PROBLEMS], uncounted=rest)
        counts: Counter[str] = Counter()
        lacking: Counter[str] = Counter()
        records = []
        for key, cell in cells.items():
            tokens = _tokens(cell, output_share, counts)
            if "input_tokens" in tokens and "output_tokens" not in tokens:
                lacking[key[1] or key[2]] += 1
            records.append(_record(key, cell, tokens))
        self._count(counts, lacking)
        return records, tuple(self.findings)

    def _cells(self) -> dict[Key, dict[str, Fraction]]:
        """Every point in its bucket. A metric that was not split belongs to the only deployment or model there is."""
        deployments = {point.deployment for point in self.points if point.deployment is not None}
        by_model = all(point.model is not None for point in self.points if point.measure in TOKENS)
        models: dict[str | None, set[str]] = defaultdict(set)
        for point in self.points:
            if point.model:
                models[point.deployment].add(point.model)
        cells: dict[Key, dict[str, Fraction]] = {}
        loose: Counter[str] = Counter()
        for point in self.points:
            deployment = _only(point.deployment, deployments)
            if deployment is None:
                loose[point.measure] += 1
                continue
            known = models[deployment] or models[None]
            model = _only(point.model if by_model else None, known)
            if model is None and by_model:
                loose[point.measure] += 1
                continue
            cell = cells.setdefault((point.time, deployment, model or ""), {})
            cell[point.measure] = _together(point.measure, cell.get(point.measure), point.value)
        for measure, count in loose.items():
            if measure in TOKENS:
                self.problem(measure, "a metric that is not split", "every token metric split by ModelDeploymentName")
            else:
                self.findings.append(Finding("not_split", count, measure))
        if self.points and not deployments:
            self.findings.append(Finding("no_deployment_dimension", len(self.points), ""))
        return cells

    def _check(self, cells: Mapping[Key, Mapping[str, Fraction]], output_share: Fraction | None) -> None:
        """What demand cannot be read from: no input, no output, totals only."""
        measures = {measure for cell in cells.values() for measure in cell}
        if any(problem.field in self.metrics for problem in self.problems):
            return  # a metric is there, and wrong in another way
        ask = {measure: self.book.metrics[measure] for measure in TOKENS}
        seen = ", ".join(name for name in self.metrics if name) or "no metrics"
        if measures & set(TOKENS) == {"total_tokens"}:
            if output_share is None:
                expected = (
                    f"{ask['input_tokens'][0]} and {ask['output_tokens'][0]}: totals do not say how many are output"
                )
                self.problem("output_tokens", seen, f"{expected} (or --output-share 15%)")
            return
        whole_known = "total_tokens" in measures
        for measure in ("input_tokens", "output_tokens"):
            if measure in measures or whole_known:
                continue
            name, *others = ask[measure]
            expected = f"the metric {name}" + (f" (shown as {others[0]})" if others else "")
            wrong = [metric for metric in self.metrics if self.book.is_unknown_metric(metric)]
            if measure == "output_tokens" and wrong:
                expected += f"; there is no metric {' or '.join(wrong)}"
            self.problem(measure, seen, expected)

    def _count(self, counts: Mapping[str, int], lacking: Mapping[str, int]) -> None:
        if self.statuses:
            detail = ", ".join(f"{status}: {count:,}" for status, count in sorted(self.statuses.items()) if count)
            if detail:
                self.findings.append(Finding("other_statuses", sum(self.statuses.values()), detail))
        if self.spilled:
            self.findings.append(Finding("spilled_requests", self.spilled))
        if self.unnamed:
            self.findings.append(Finding("empty_deployment", self.unnamed, "__Empty"))
        self.findings += [Finding(code, rows) for code, rows in counts.items()]
        self.findings += [Finding("no_output_tokens", rows, name) for name, rows in lacking.items()]


def _named(dimensions: Mapping[str, str], dimension: str) -> str | None:
    value = dimensions.get(dimension)
    return "" if value is not None and value.casefold() == "__empty" else value


def _only(value: str | None, known: set[str]) -> str | None:
    """The value; where a metric was not split, the only one there is ("" where there is none); None: any of several."""
    if value is not None:
        return value
    return next(iter(known), "") if len(known) < 2 else None


def _together(measure: str, before: Fraction | None, value: Fraction) -> Fraction:
    """Two numbers of one bucket: counts add up; of two percentages the one that needs more capacity."""
    if before is None:
        return value
    if measure == "utilisation_pct":
        return max(before, value)
    return min(before, value) if measure == "cache_rate" else before + value


def _tokens(cell: Mapping[str, Fraction], output_share: Fraction | None, counts: Counter[str]) -> dict[str, int]:
    """Input, output and cached tokens of a bucket, as far as they are known.

    total = input + output (TokenTransaction); cached = total - active (ActiveTokens are those that were not cached),
    else input x match rate, rounded down. With totals only, output = total x `output_share`, rounded up by taking the
    rest as input, rounded down.
    """
    given, produced, total = (cell.get(measure) for measure in TOKENS)
    if total is not None and given is None and produced is None and output_share is not None:
        given = Fraction(total * (1 - output_share) // 1)
        produced = total - given
        counts["output_from_share"] += 1
    elif total is not None and given is not None and produced is None and total >= given:
        produced = total - given
        counts["output_from_total"] += 1
    elif total is not None and produced is not None and given is None and total >= produced:
        given = total - produced
        counts["input_from_total"] += 1
    found = {"input_tokens": given, "output_tokens": produced}
    everything = total if total is not None else None if given is None or produced is None else given + produced
    active, rate = cell.get("active_tokens"), cell.get("cache_rate")
    cached = cell.get("cached_input_tokens")
    if cached is None and active is not None and everything is not None:
        cached = everything - active
        if cached < 0:
            cached = Fraction(0)
            counts["active_above_total"] += 1
    elif cached is None and rate is not None and given is not None:
        cached = Fraction(given * rate // 100)
    found["cached_input_tokens"] = cached
    return {field: int(value) for field, value in found.items() if value is not None}


def _record(key: Key, cell: Mapping[str, Fraction], tokens: Mapping[str, int]) -> dict[str, Any]:
    time, deployment, model = key
    record: dict[str, Any] = {"timestamp": time, "deployment": deployment, "model": model, **tokens}
    for measure in ("requests", "throttled_requests"):
        if measure in cell:
            record[measure] = int(cell[measure])
    if "utilisation_pct" in cell:
        record["utilisation_pct"] = _text(cell["utilisation_pct"])
    return record


def _text(value: Fraction) -> str:
    """A number that was decimal text, as decimal text."""
    return str(value) if value.denominator == 1 else str(Decimal(value.numerator) / Decimal(value.denominator))
