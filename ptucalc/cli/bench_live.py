"""How a benchmark goes, on one line of a terminal that is wiped at the end."""

from __future__ import annotations

import sys
from collections import Counter, deque

from ptucalc.bench_samples import Outcome, Sample, Spread
from ptucalc.bench_schedule import Load
from ptucalc.cli.view import View
from ptucalc.measure.run import Run
from ptucalc.report.bench_blocks import duration_text, time_text

__all__ = ["LiveLine"]

LAST_CALLS = 200
"""The median shown is that of so many calls."""


class LiveLine:
    """The line; `wanted` only on a terminal, and not where only the answer was asked for."""

    def __init__(self, load: Load, view: View) -> None:
        self.load = load
        self.wanted = sys.stderr.isatty() and not view.quiet
        self._counts: Counter[Outcome] = Counter()
        self._met_429 = 0
        self._last: deque[int] = deque(maxlen=LAST_CALLS)
        self._width = 0

    def watch(self, sample: Sample) -> None:
        """Counts a call that ended."""
        self._counts[sample.outcome] += 1
        self._met_429 += len(sample.refusals)
        if sample.outcome is Outcome.SERVED:
            self._last.append(sample.end_to_end_us)

    def text(self, run: Run) -> str:
        """The line as it is now."""
        at = min(run.now_us(), self.load.duration_us) // 1_000_000 * 1_000_000
        parts = [f"{duration_text(at)} of {duration_text(self.load.duration_us)}"]
        parts.append(f"{self._counts[Outcome.SERVED]:,} served")
        parts += [f"{self._met_429:,} x 429"] if self._met_429 else []
        parts += [f"{self._counts[Outcome.FAILED]:,} failed"] if self._counts[Outcome.FAILED] else []
        parts.append(f"{run.under_way:,} under way")
        if self._last:
            parts.append(f"p50 {time_text(Spread.of(self._last, per=1000).p50)}")
        return " · ".join(parts)

    def show(self, run: Run) -> None:
        """Shows the line anew."""
        text = self.text(run)
        print(f"\r{text.ljust(self._width)}", end="", file=sys.stderr, flush=True)
        self._width = len(text)

    def clear(self) -> None:
        """Wipes the line."""
        if self._width:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr, flush=True)
