"""Rows to CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import IO, Any

__all__ = ["write_csv"]

_STARTS_A_FORMULA = frozenset("=+-@\t\r")
_OURS = frozenset(
    [
        "row_type",
        "deployment_type",
        "sku_name",
        "available",
        "requests_per_minute",
        "input_tokens",
        "output_tokens",
        "cache_ratio",
        "weighted_tpm",
        "raw_ptu",
        "need_ptu",
        "ptu_alone",
        "ptu",
        "utilization",
        "max_requests_per_minute",
        "term",
        "usd_per_ptu",
        "tier",
        "context",
        "usd_per_1m_input",
        "usd_per_1m_cached_input",
        "usd_per_1m_cache_write",
        "usd_per_1m_output",
        "usd_per_1m_image_input",
        "usd_per_1m_image_output",
        "checked",
    ]
)
"""Columns of numbers and of our own words; the text of every other column may come from outside."""


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]], stream: IO[str]) -> None:
    """Write a header and rows. Text that a spreadsheet would take for a formula gets a leading apostrophe."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    outside = itemgetter(*(index for index, column in enumerate(columns) if column not in _OURS))
    for row in rows:
        for cell in outside(row):
            if cell.__class__ is str and cell and cell[0] in _STARTS_A_FORMULA:
                writer.writerow([_inert(each) for each in row])
                break
        else:
            writer.writerow(row)


def _inert(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in _STARTS_A_FORMULA else cell
