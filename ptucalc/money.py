"""Exact dollars to Decimal cents, once, at the end; and as JSON numbers."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from ptucalc.results import number
from ptucalc.rounding import cents

__all__ = ["usd", "usd_number"]


def usd(amount: Fraction) -> Decimal:
    """Dollars to the cent.

    >>> usd(Fraction(1, 3))
    Decimal('0.33')
    """
    return Decimal(cents(*amount.as_integer_ratio())).scaleb(-2)


def usd_number(amount: Decimal | None) -> int | float | None:
    """Dollars as a JSON number."""
    return None if amount is None else number(int(amount.scaleb(2)), 100)
