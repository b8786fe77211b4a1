"""How the report of a log words its names, counts, percentiles and dates."""

from __future__ import annotations

from fractions import Fraction

from ptucalc.errors import visible
from ptucalc.report.blocks import amount_text

__all__ = ["DAYS", "MONTHS", "named", "percentile_title", "requests_text", "tokens_text"]

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = tuple(
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
LONGEST_NAME = 120
"""Longer than any name a deployment may have: what is longer is shortened."""


def named(text: str) -> str:
    """A name from a log, fit for a line."""
    shown = visible(text[: LONGEST_NAME + 1])
    return shown if len(shown) <= LONGEST_NAME else shown[: LONGEST_NAME - 3] + "..."


def percentile_title(name: str) -> str:
    """A percentile as people call it."""
    return "median" if name == "p50" else name


def requests_text(count: Fraction) -> str:
    """How many requests: "1 request", "0.7 requests"."""
    return f"{amount_text(count)} request{'' if count == 1 else 's'}"


def tokens_text(value: Fraction, largest: Fraction | None = None) -> str:
    """Many tokens in few characters: thousands or millions where the largest of its row is long.

    >>> tokens_text(Fraction(99_999)), tokens_text(Fraction(259_400)), tokens_text(Fraction(0), Fraction(10**9))
    ('99,999', '259 k', '0')
    """
    for least, unit, letter in ((100_000_000, 1_000_000, " M"), (100_000, 1_000, " k")):
        if value and (value if largest is None else largest) >= least:
            return amount_text(value / unit, 0) + letter
    return amount_text(value, 1 if value < 100 else 0)
