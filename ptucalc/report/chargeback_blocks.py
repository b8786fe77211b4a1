"""Who pays which part of a shared deployment, as blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

from ptucalc.chargeback import Chargeback
from ptucalc.report.blocks import Block, Cell, Column, Headline, Remark, Table, amount_text

__all__ = ["chargeback_blocks"]


def chargeback_blocks(chargebacks: Sequence[Chargeback], *, quiet: bool = False) -> Iterator[Block]:
    """A table for each deployment and type. Amounts are in US dollars."""
    yield Headline("Chargeback", "by weighted tokens, on average over the month")
    if not chargebacks:
        yield Remark("None", "No deployment is shared by several workloads.", "")
        return
    for chargeback in chargebacks:
        yield _table(chargeback)
    if not quiet:
        yield Remark("How", "Whole PTU and cents by the largest remainder, so that they sum to the deployment's.")


def _table(chargeback: Chargeback) -> Table:
    terms = list(chargeback.monthly_usd)
    table = Table(
        [
            Column(f"{chargeback.deployment}, {chargeback.deployment_type.label}", folds=True),
            Column("Weighted TPM", right=True),
            Column("Share", right=True),
            Column("PTU", right=True),
            *(Column(f"{term}, USD/month", right=True) for term in terms),
        ]
    )
    for share in chargeback.shares:
        table.rows.append(
            [
                Cell(share.workload),
                Cell(amount_text(share.weighted_tpm, 3)),
                Cell(f"{amount_text(share.share * 100, 2)}%"),
                Cell(f"{share.ptu:,}", "bold"),
                *(Cell(_usd(share.monthly_usd[term])) for term in terms),
            ]
        )
    whole = sum((share.weighted_tpm for share in chargeback.shares), Fraction(0))
    table.totals = [
        Cell("Total", "bold"),
        Cell(amount_text(whole, 3)),
        Cell("100%"),
        Cell(f"{chargeback.ptu:,}", "bold"),
        *(Cell(_usd(chargeback.monthly_usd[term])) for term in terms),
    ]
    return table


def _usd(amount: Decimal | None) -> str:
    return "?" if amount is None else f"{amount:,.2f}"
