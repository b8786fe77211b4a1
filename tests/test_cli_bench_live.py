"""The line that shows how a benchmark goes, and the blocks of its report."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from ptucalc.bench_budget import Budget
from ptucalc.bench_samples import Outcome, Refusal, Sample
from ptucalc.bench_schedule import CallSize, Closed, Planned
from ptucalc.catalog import Unknown
from ptucalc.cli.bench_live import LiveLine
from ptucalc.cli.view import View
from ptucalc.report.bench_blocks import budget_line, duration_text, time_text

SECOND = 1_000_000


class AsIs:
    """A run at a moment."""

    under_way = 4

    def now_us(self) -> int:
        return 61_900_000


def sample(outcome: Outcome, took_us: int = 250_000, **more: object) -> Sample:
    return Sample(Planned(0, 0, CallSize(1, 0, 1)), outcome, 0, 0, took_us)._replace(**more)


def test_the_line_says_how_far_it_is_and_how_it_goes(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    line = LiveLine(Closed(size=CallSize(1, 0, 1), concurrency=4, duration_us=300 * SECOND), View(shape="table"))
    assert line.wanted
    for outcome in (Outcome.SERVED, Outcome.SERVED, Outcome.FAILED):
        line.watch(sample(outcome))
    line.watch(sample(Outcome.THROTTLED, refusals=(Refusal(0, 1, 2),) * 3))
    assert line.text(AsIs()) == "1 min 1 s of 5 min · 2 served · 3 x 429 · 1 failed · 4 under way · p50 250 ms"  # type: ignore[arg-type]
    line.show(AsIs())  # type: ignore[arg-type]
    line.clear()
    shown = capsys.readouterr().err
    assert shown.startswith("\r1 min 1 s of 5 min") and shown.endswith(" \r")


def test_there_is_no_line_where_only_the_answer_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert not LiveLine(
        Closed(size=CallSize(1, 0, 1), concurrency=4, duration_us=1), View(shape="table", quiet=True)
    ).wanted


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (500_000, "0.5 s"),
        (59 * SECOND, "59 s"),
        (60 * SECOND, "1 min"),
        (90 * SECOND, "1 min 30 s"),
        (3600 * SECOND, "60 min"),
    ],
)
def test_times_of_a_load_are_minutes_and_seconds(microseconds: int, text: str) -> None:
    assert duration_text(microseconds) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, "-"),
        (Fraction(83, 10), "8.3 ms"),
        (Fraction(9999), "9,999 ms"),
        (Fraction(10_000), "10 s"),
        (Fraction(12_449), "12.4 s"),
    ],
)
def test_latencies_are_milliseconds_and_from_ten_seconds_on_seconds(milliseconds: Fraction | None, text: str) -> None:
    assert time_text(milliseconds) == text


def test_the_line_before_it_starts_says_the_price_or_that_it_is_not_known() -> None:
    budget = Budget(requests=1, input_tokens=2000, output_tokens=3, duration_us=SECOND, usd=Fraction(5), capped=False)
    known = "at most 1 request in 1 s, 2,000 input and 3 output tokens ($5.00 on pay-as-you-go; nothing beyond the PTU on a provisioned deployment)"
    assert budget_line(budget) == known
    assert "(price not known: nobody says)" in budget_line(replace(budget, usd=Unknown("nobody says")))
    assert "($0.01 on" in budget_line(replace(budget, usd=Fraction(1, 10**6)))  # a little is not nothing
