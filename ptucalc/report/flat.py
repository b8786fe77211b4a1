"""Rows to CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import IO, Any

__all__ = ["write_csv"]

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]], stream: IO[str]) -> None:
    """Write a header and rows. Text that a spreadsheet would take for a formula gets a leading apostrophe."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_inert(cell) if cell.__class__ is str else cell for cell in row])


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text
