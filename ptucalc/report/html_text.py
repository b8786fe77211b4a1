"""Numbers of a JSON document, and the text others wrote, as an HTML report shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ptucalc.report.blocks import amount_text, percent_text, ptu_text
from ptucalc.report.currency import Currency
from ptucalc.report.deployment_cost_blocks import against
from ptucalc.report.log_words import percentile_title

__all__ = [
    "DASH",
    "NOT_SIMULATED",
    "PEAK",
    "TYPE_LABELS",
    "UNSURE",
    "against_text",
    "count_text",
    "exact",
    "money_text",
    "percentile_text",
    "raw_ptu_text",
    "share_text",
    "shortened",
    "sizes_text",
    "type_text",
]

DASH = "—"

NOT_SIMULATED = "not simulated"
"""What stands for the 429s of a size where others were simulated: they need not fall as PTU rise."""

LONGEST_CELL = 80
LONGEST_LINE = 1_000
LONGEST_TITLE = 300

PEAK = ("peak", "max")
"""What a size is of where it is of no other percentile."""

UNSURE = "?: the price of some way to buy it is not known, so another may be cheaper"
"""What the question mark behind a way to buy means."""

TYPE_LABELS = {"global": "Global", "data-zone": "Data zone", "regional": "Regional"}

# Characters that are not text: HTML forbids them, or UTF-8 has none for them.
NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\ufdd0-\ufdef]")


def exact(value: Any) -> Fraction | None:
    """A number of the document exactly as it is written there; None for what is not known.

    >>> exact(0.1), exact(55), exact(None)
    (Fraction(1, 10), Fraction(55, 1), None)
    """
    return None if value is None else Fraction(str(value))


def money_text(value: Any, *, cents: bool | None = None) -> str:
    """US dollars: $76,565, $9.50, "unknown"."""
    number = exact(value)
    return "$0" if number == 0 else Currency().text(number, cents=cents)


def count_text(value: Any, decimals: int = 1, *, without: str = DASH) -> str:
    """A count or a rate: 1,248,000 or 9.6."""
    number = exact(value)
    return without if number is None else amount_text(number, decimals)


def raw_ptu_text(value: Any) -> str:
    """PTU before rounding, never shown whole where they are not: 478.4."""
    number = exact(value)
    return DASH if number is None else ptu_text(number)


def share_text(value: Any, *, without: str = DASH) -> str:
    """A share: 64.8%, 0.02%, and never 100% where it is not all."""
    number = exact(value)
    if number is None:
        return without
    if 100 < number * 100 < 101:
        return percent_text(number)
    text = amount_text(number * 100, 1)
    return "99.9%" if number < 1 and text == "100" else f"{text}%"


def against_text(value: Any) -> str:
    """What something costs more (+) or less (−) than pay-as-you-go."""
    return against(exact(value))


def type_text(entry: Mapping[str, Any], key: str = "deployment_type") -> str:
    """A deployment type as people call it."""
    kind = entry.get(key)
    return DASH if kind is None else TYPE_LABELS.get(str(kind), str(kind))


def sizes_text(document: Mapping[str, Any]) -> tuple[str, str]:
    """The sizes of all deployments, by type: 475 PTU Global + 255 PTU Data zone; and of how many, where not of all.

    Two empty texts where the document has none to add up.
    """
    found = document.get("sizes_shown") or []
    text = " + ".join(f"{count_text(each['ptu'])} PTU {type_text(each)}" for each in found)
    lacking = found and any(line["size_ptu"] is None for line in document["headlines"])
    some = ", ".join(f"{count_text(each['deployments'])} {type_text(each)}" for each in found) if lacking else ""
    return text, f"deployments with a size: {some}" if some else ""


def percentile_text(name: str) -> str:
    """A percentile as people write it.

    >>> percentile_text("p50"), percentile_text("p99_9")
    ('median', 'p99.9')
    """
    return percentile_title(str(name)).replace("_", ".")


def shortened(text: object, longest: int = LONGEST_CELL) -> str:
    """Text that others wrote, fit for a page: not longer than so many characters, and without what is not text.

    >>> shortened("chat"), shortened("a" * 10_000, 8), shortened("a\\0b")
    ('chat', 'aaaaaaa…', 'a�b')
    """
    whole = str(text)
    shown = NOT_TEXT.sub("�", whole[: longest + 1])
    return shown if len(whole) <= longest else f"{shown[: longest - 1]}…"
