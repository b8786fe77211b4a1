"""The one way a number gets in: text (or int, Decimal, Fraction, float) to an exact value.

Floats are taken at the shortest decimal that names them, so 0.4 is 4/10 and not 0.40000000000000002.
Every function raises ValueError whose message is what was expected, ready for a `Problem`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import isfinite
from typing import TypeAlias

__all__ = [
    "Exact",
    "amount",
    "discount",
    "headroom",
    "mean_tokens",
    "positive",
    "rate",
    "share",
    "share_or_fraction",
    "tokens",
    "weight",
]

Exact: TypeAlias = int | str | float | Decimal | Fraction

LARGEST = 10**12
"""No rate, token count or weight of a workload is anywhere near this; it bounds the arithmetic, not the user."""

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([,. '\u00a0\u202f]\d{3})+", re.ASCII)


def _from_text(text: str, expected: str) -> Fraction:
    text = text.strip()
    if len(text) <= 40 and _DECIMAL.fullmatch(text):
        return Fraction(text)
    if _GROUPED.fullmatch(text):
        plain = re.sub(r"[^\d+-]", "", text)
        raise ValueError(f"{expected}, without thousands separators ({plain}?)")
    raise ValueError(expected)


def _exact(value: Exact, expected: str) -> Fraction:
    if isinstance(value, str):
        return _from_text(value, expected)
    if isinstance(value, bool):
        raise ValueError(expected)
    if isinstance(value, float):
        if not isfinite(value):
            raise ValueError(expected)
        return Fraction(repr(float(value)))
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(expected)
    try:
        return Fraction(value)
    except TypeError:
        raise ValueError(expected) from None


def _whole(value: Exact, expected: str) -> int:
    if isinstance(value, str) and _GROUPED.fullmatch(value.strip()):
        return int(_from_text(value.strip().replace(".", ","), expected))  # 12.000 may mean 12000: refused with a hint
    number = _exact(value, expected)
    if number.denominator != 1:
        hint = f" (round it: {round(number)}?)" if number > 0 else ""
        raise ValueError(expected + hint)
    return number.numerator


def _in_range(number: Fraction, expected: str) -> Fraction:
    if not 0 <= number <= LARGEST:
        raise ValueError(f"{expected}, at most {LARGEST:,}" if number > 0 else expected)
    return number


@lru_cache(maxsize=8192, typed=True)
def tokens(value: Exact) -> int:
    """Tokens of one call: a whole number, 0 or more."""
    expected = "a whole number, 0 or more"
    if isinstance(value, str) and len(value) <= 12 and value.isascii() and value.isdecimal():
        return int(value)
    number = _whole(value, expected)
    _in_range(Fraction(number), expected)
    return number


@lru_cache(maxsize=8192, typed=True)
def mean_tokens(value: Exact) -> int | Fraction:
    """Tokens of one call, or of the average of several calls: as `tokens`, and a Fraction need not be whole.

    >>> mean_tokens(Fraction(2437, 3)), mean_tokens("812")
    (Fraction(2437, 3), 812)
    """
    if isinstance(value, Fraction) and value.denominator != 1:
        return _in_range(value, "a whole number, 0 or more")
    return tokens(value)


@lru_cache(maxsize=8192, typed=True)
def rate(value: Exact) -> Fraction:
    """Requests per minute: any number over 0."""
    expected = "a number over 0"
    number = _in_range(_exact(value, expected), expected)
    if number == 0:
        raise ValueError(expected)
    return number


@lru_cache(maxsize=8192, typed=True)
def amount(value: Exact) -> Fraction:
    """Any number, 0 or more."""
    expected = "a number, 0 or more"
    return _in_range(_exact(value, expected), expected)


@lru_cache(maxsize=1024, typed=True)
def weight(value: Exact) -> Fraction:
    """Weight of one token against one plain input token: 0 or more."""
    return amount(value)


@lru_cache(maxsize=8192, typed=True)
def share(value: Exact) -> Fraction:
    """A share, 0 to 1, also written 0% to 100%.

    >>> share("0.4"), share("40%"), share(0.4)
    (Fraction(2, 5), Fraction(2, 5), Fraction(2, 5))
    """
    expected = "a share: 0 to 1, or 0% to 100%"
    if isinstance(value, str) and value.rstrip().endswith("%"):
        number = _from_text(value.rstrip()[:-1], expected) / 100
    else:
        number = _exact(value, expected)
    if not 0 <= number <= 1:
        hint = f" ({number}%?)" if 1 < number <= 100 and number.denominator == 1 else ""
        raise ValueError(expected + hint)
    return number


@lru_cache(maxsize=1024, typed=True)
def share_or_fraction(value: Exact) -> Fraction:
    """A share as `share` reads it, or a fraction such as 1/3."""
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,9}\s*/\s*[1-9]\d{0,8}\s*", value, re.ASCII):
        top, bottom = value.split("/")
        return share(Fraction(int(top), int(bottom)))
    return share(value)


@lru_cache(maxsize=64, typed=True)
def headroom(value: Exact) -> Fraction:
    """A share to add: 0.15 or 15%; over 100% only with the percent sign, because 15 would mean 1500%.

    >>> headroom("15%"), headroom(0.1), headroom("150%")
    (Fraction(3, 20), Fraction(1, 10), Fraction(3, 2))
    """
    expected = "a share of 0 or more: 0.15 or 15%"
    if isinstance(value, str) and value.rstrip().endswith("%"):
        number = _from_text(value.rstrip()[:-1], expected) / 100
    else:
        number = _exact(value, expected)
        if number > 1:
            raise ValueError(f"{expected} ({value}%?)")
    if not 0 <= number <= 10:
        raise ValueError(f"{expected}, at most 1000%" if number > 0 else expected)
    return number


def discount(value: Exact) -> Fraction:
    """A share to take off, under 1: 0.12 or 12%."""
    expected = "a share under 1: 0.12 or 12%"
    try:
        number = share(value)
    except ValueError:
        number = Fraction(1)
    if number == 1:
        hint = f" ({value}%?)" if str(value).strip().isdecimal() and 1 < int(str(value)) < 100 else ""
        raise ValueError(expected + hint)
    return number


def positive(value: Exact) -> int:
    """A whole number, 1 or more."""
    expected = "a whole number, 1 or more"
    try:
        number = tokens(value)
    except ValueError:
        number = 0
    if number < 1:
        raise ValueError(expected)
    return number
