"""The inverse answer (the rate that fits in so many PTU) as blocks."""

from __future__ import annotations

from collections.abc import Iterator

from ptucalc.catalog import DeploymentType
from ptucalc.inverse import Fits
from ptucalc.report.blocks import Block, Cell, Column, Headline, Remark, Table, amount_text, percent_text, rate_text

__all__ = ["rate_blocks"]


def rate_blocks(result: Fits, *, quiet: bool = False) -> Iterator[Block]:
    """A row for each number of PTU: the largest rate, and where that number can be bought."""
    per_call = amount_text(result.weight_per_call, 3)
    yield Headline(result.model, f"a call weighs {per_call} tokens")
    table = Table(
        [
            Column("PTU", right=True),
            Column("Largest rate", right=True),
            Column("Your rate uses", right=True),
            Column("Sold as"),
        ]
    )
    for fit in result.fits:
        most, use = fit.max_requests_per_minute, fit.utilization
        sold = [DeploymentType(kind).label for kind, can in fit.sold_as.items() if can]
        table.rows.append(
            [
                Cell(f"{fit.ptu:,}", "bold"),
                Cell("any" if most is None else f"{rate_text(most)}/min"),
                Cell("—" if use is None else percent_text(use)),
                Cell(", ".join(sold) or "not a size that is sold"),
            ]
        )
    yield table
    if quiet:
        return
    headroom = f" ÷ {amount_text(1 + result.headroom, 6)} headroom" if result.headroom else ""
    yield Remark("How", f"PTU × {result.tpm_per_ptu:,} tokens/min per PTU ÷ {per_call} tokens per call{headroom}")
    yield Remark("Rates", f"as of {result.catalog_as_of}.")
    for note in result.notes:
        yield Remark("Note", note.message, "warn")
