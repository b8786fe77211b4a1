"""Rows of Azure's Retail Prices API: their meter, their day, what they say a thing costs. One row at a time.

Reads what is written and guesses nothing: a row that cannot be a price says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from ptucalc import exact
from ptucalc.catalog import Unknown

__all__ = [
    "DatedRows",
    "MeterId",
    "RetailRow",
    "end_of",
    "folded",
    "is_plain_tokens",
    "price_of",
    "retail_row",
    "sorted_by_start",
]

DECIMALS = 12
"""No published price has more decimals; a longer one could not be written to a price file and read back."""

TOKENS_PER_UNIT = {"1K": 1_000, "1M": 1_000_000}
PTU_UNIT = "1/Hour"
"""Unit of a PTU meter. Reservations carry it too, although theirs is the price of the whole term."""

_OTHER_WORDS = frozenset(
    ["ft", "grdr", "grader", "hosting", "hstng", "rft", "dev", "trng", "aud", "rt", "img", "tts", "pp"]
)
_OTHER_STARTS = ("batch", "transcri", "audio", "image", "realtime", "video", "training", "sora")
"""Words of meters that are known to be something else than plain tokens: fine-tuning, audio, batch, priority ..."""


class MeterId(NamedTuple):
    """What tells one meter from another in a region; names are folded."""

    product: str
    meter: str
    type: str
    term: str


class RetailRow(NamedTuple):
    """One row of the API, as text; "" where a field is missing or no text."""

    product: str
    meter: str
    region: str
    type: str
    term: str
    unit: str
    since: str
    ends: str
    retail_price: str
    unit_price: str
    minimum_units: str

    @property
    def meter_id(self) -> MeterId:
        """The meter that the row is of."""
        return MeterId(folded(self.product), folded(self.meter), self.type, self.term)


_FIELDS = (
    "productName",
    "meterName",
    "armRegionName",
    "type",
    "reservationTerm",
    "unitOfMeasure",
    "effectiveStartDate",
    "effectiveEndDate",
    "retailPrice",
    "unitPrice",
    "tierMinimumUnits",
)


def retail_row(item: Mapping[str, Any]) -> RetailRow:
    """A row from the API's JSON, read with its numbers as text."""
    values = (item.get(field) for field in _FIELDS)
    return RetailRow(*(value if isinstance(value, str) else "" for value in values))


def folded(text: str) -> str:
    """A name as names are compared: in lower case, with single spaces."""
    return " ".join(text.casefold().split())


class DatedRows(NamedTuple):
    """Rows of a meter by their start: begun, to come, and those whose start cannot be read."""

    begun: Mapping[date, Sequence[RetailRow]]
    to_come: Mapping[date, Sequence[RetailRow]]
    undated: Sequence[RetailRow]


def sorted_by_start(rows: Iterable[RetailRow], today: date) -> DatedRows:
    """The rows by the day on which they start, the earliest first."""
    days: dict[date, list[RetailRow]] = {}
    undated = []
    for row in rows:
        since = _day(row.since)
        if since is None:
            undated.append(row)
        else:
            days.setdefault(since, []).append(row)
    begun = {since: days[since] for since in sorted(days) if since <= today}
    to_come = {since: days[since] for since in sorted(days) if since > today}
    return DatedRows(begun, to_come, undated)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def end_of(rows: Iterable[RetailRow]) -> date | None:
    """The last day of a price, where its rows name one."""
    ends = (_day(row.ends) for row in rows if row.ends)
    return min((end for end in ends if end is not None and end.year < 9999), default=None)


def price_of(rows: Iterable[RetailRow], *, tokens: bool, today: date) -> Fraction | Unknown:
    """What rows of one meter and one day say: USD per 1M tokens, or per PTU for an hour or a whole term."""
    prices = {_usd(row, tokens=tokens, today=today) for row in rows}
    wrong = [price for price in prices if isinstance(price, Unknown)]
    if wrong:
        return wrong[0]
    if len(prices) > 1:
        return Unknown("two prices from the same day")
    return prices.pop()


def _usd(row: RetailRow, *, tokens: bool, today: date) -> Fraction | Unknown:
    ends = _day(row.ends) if row.ends else None
    if ends is not None and ends < today:
        return Unknown(f"it ended on {ends}")
    units = TOKENS_PER_UNIT if tokens else {PTU_UNIT: 1}
    if row.unit not in units:
        return Unknown(f"its unit {row.unit or '(empty)'} is not known here")
    try:
        usd = exact.rate(row.retail_price)
        if exact.amount(row.unit_price) != usd:
            return Unknown(f"retailPrice {row.retail_price} and unitPrice {row.unit_price} differ")
        if row.minimum_units and exact.amount(row.minimum_units):
            return Unknown(f"a price only from {row.minimum_units} units on")
    except ValueError:
        return Unknown(f"its price {row.retail_price or '(empty)'} is no amount over 0")
    if tokens:
        usd *= Fraction(1_000_000, units[row.unit])
    if (usd * 10**DECIMALS).denominator != 1:
        return Unknown(f"its price {row.retail_price} has more decimals than any published one")
    return usd


def is_plain_tokens(row: RetailRow) -> bool:
    """Whether a row looks like the tokens of a language model, not fine-tuning, audio, batch or priority.

    For a remark only: nothing is ever priced by it.
    """
    if row.type != "Consumption" or row.unit not in TOKENS_PER_UNIT:
        return False
    words = re.findall(r"[a-z0-9.]+", row.meter.casefold())
    return not any(word in _OTHER_WORDS or word.startswith(_OTHER_STARTS) for word in words)
