"""The pictures of a simulation: the worst day minute by minute, and 429s against PTU."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ptucalc.report.blocks import Bars, Cell, Column, Table, percent_text
from ptucalc.report.simulate_words import clock_text, day_text, share_text
from ptucalc.simulation_report import SimulatedDeployment, chosen_run
from ptucalc.simulation_result import SimulationResult
from ptucalc.throttled_minutes import WorstDay

__all__ = ["day_picture", "sizes_picture"]

MINUTES_PER_DAY = 1440
MINUTES_PER_QUARTER_HOUR = 15
TICK_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360)
MOST_TICKS = 5
ROWS_OF_NUMBERS = 24


def day_picture(found: SimulatedDeployment, day: WorstDay) -> Iterator[Bars]:
    """Utilization of the chosen run on its worst day, minute by minute, with throttled minutes marked."""
    assert found.result is not None
    result = found.result
    ptu = chosen_run(result).ptu
    relative = found.group.trace.relative_clock
    length = len(day.utilization)
    first = day.start % MINUTES_PER_DAY
    step = next((each for each in TICK_MINUTES if length <= each * MOST_TICKS), TICK_MINUTES[-1])
    ticks = [(at, clock_text(first + at, relative=relative)) for at in range(length + 1) if (first + at) % step == 0]
    marked = [count > 0 for count in day.responses_429]
    yield Bars(
        title=f"{day_text(day.day, day.label)} at {ptu:,} PTU, mean use by minute",
        values=day.utilization,
        top=1,
        top_text="100%",
        zero_text="0%",
        ticks=ticks,
        numbers=_day_numbers(day, relative=relative),
        marked=marked,
        mark="with 429s",
        each="minute",
    )


def _day_numbers(day: WorstDay, *, relative: bool) -> Table:
    """Hour by hour (or quarter-hour by quarter-hour of a short log): the highest minute, and the 429s."""
    each = 60 if len(day.utilization) > ROWS_OF_NUMBERS * MINUTES_PER_QUARTER_HOUR else MINUTES_PER_QUARTER_HOUR
    table = Table([Column("From"), Column("Highest minute", right=True), Column("429s", right=True)])
    spans: dict[int, tuple[Fraction, int]] = {}
    for index, (use, count) in enumerate(zip(day.utilization, day.responses_429, strict=True)):
        span = (day.start + index) % MINUTES_PER_DAY // each
        highest, total = spans.get(span, (Fraction(0), 0))
        spans[span] = (max(highest, use), total + count)
    for span, (highest, total) in spans.items():
        style = "bold" if total else ""
        cells = (clock_text(span * each, relative=relative), percent_text(highest), f"{total:,}")
        table.rows.append([Cell(text, style) for text in cells])
    return table


def sizes_picture(result: SimulationResult) -> Iterator[Bars]:
    """The share of requests that meet a 429, size by size; nothing where there are too few sizes to compare."""
    points = result.sweep
    top = max((point.throttled_share for point in points), default=Fraction(0))
    if len(points) < 3 or not top:
        return
    last = len(points) - 1
    places = sorted({0, last // 4, last // 2, 3 * last // 4, last})
    ticks = [(place, f"{points[place].ptu:,}") for place in places]
    share = result.target.share if result.target else Fraction(0)
    table = Table([Column("PTU", right=True), Column("429s", right=True), Column("429 minutes", right=True)])
    step = max(1, len(points) // ROWS_OF_NUMBERS)
    for point in sorted({*points[::step], points[-1]}, key=lambda each: each.ptu):
        table.rows.append(
            [Cell(f"{point.ptu:,}"), Cell(share_text(point.throttled_share)), Cell(f"{point.throttled_minutes:,}")]
        )
    over = f"over {share_text(share)}" if share else ""
    yield Bars(
        title="Requests that meet a 429, by PTU",
        values=[point.throttled_share for point in points],
        top=top,
        top_text=share_text(top),
        zero_text="0%",
        ticks=ticks,
        numbers=table,
        marked=[point.throttled_share > share for point in points] if share else (),
        mark=over,
        each="size",
        lines=3,
    )
