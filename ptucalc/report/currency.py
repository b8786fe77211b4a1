"""Amounts of money for people."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from ptucalc.report.blocks import half_up

__all__ = ["Currency"]

WHOLE_DOLLARS_FROM = 1000


class Currency(NamedTuple):
    """What amounts are shown in: dollars, or another currency at so many units of it per dollar."""

    code: str = "USD"
    per_usd: Fraction = Fraction(1)

    def text(self, amount: Decimal | Fraction | None, *, cents: bool | None = None) -> str:
        """An amount for people; cents only below a thousand unless told. "unknown" for None."""
        if amount is None:
            return "unknown"
        value = Fraction(amount) * self.per_usd
        fine = abs(value) < WHOLE_DOLLARS_FROM if cents is None else cents
        places = 2 if fine else 0
        while 0 < abs(value) * 10**places < Fraction(1, 2) and places < 12:  # a little is not nothing
            places += 1
        whole, part = divmod(half_up(abs(value), places), 10**places)
        digits = f"{whole:,}" + (f".{part:0{places}d}" if places else "")
        sign = "−" if value < 0 else ""
        return f"{sign}${digits}" if self.code == "USD" else f"{sign}{self.code} {digits}"
