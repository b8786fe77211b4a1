"""Sizes and their working, as parts of an HTML report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from ptucalc.report.blocks import Cell, Column, Table
from ptucalc.report.html_parts import Folded, Grid, Part, cell
from ptucalc.report.html_text import PEAK, count_text, percentile_text, raw_ptu_text, share_text, type_text

__all__ = ["sizes_part", "sizes_table"]

Entry = Mapping[str, Any]

CLASS_LABELS = {
    "input": "input, not cached",
    "cached_input": "input from the cache",
    "cache_write": "input written to the cache",
    "output": "output",
    "image_input": "image input",
    "image_output": "image output",
}
MOST_WORKLOADS = 30
"""Of one deployment: the working of more is left to the other formats."""


def sizes_part(name: str, basis: str, document: Entry) -> Part | None:
    """What to buy on each deployment type, and how that follows from the calls. `basis`: the peak, or a percentile."""
    deployments = [d for d in document["size"]["deployments"] if d["name"] == name] if document["size"] else []
    if not deployments:
        return None
    deployment = deployments[0]
    grids = [Grid("PTU to buy on each deployment type, if it runs on PTU", sizes_table(deployment["sizes"]))]
    when = (
        "at the peak" if basis in PEAK else f"at {percentile_text(basis)} of the minutes, as calls of the average kind"
    )
    lines = [
        f"{count_text(deployment['requests_per_minute'])} requests a minute weigh "
        f"{count_text(deployment['weighted_tpm'])} tokens a minute {when}."
    ]
    return Part("Size", lines, grids, folded=list(_working(name, document)))


def sizes_table(sizes: Sequence[Entry]) -> Table:
    """One row for each deployment type."""
    table = Table(
        [
            Column("Type"),
            Column("Size, PTU", right=True),
            Column("Raw PTU", right=True),
            Column("With headroom", right=True),
            Column("Sold from", right=True),
            Column("In steps of", right=True),
            Column("Utilization", right=True),
            Column("Holds requests/min", right=True),
            Column("Remark"),
        ]
    )
    for size in sizes:
        unsure = size["available"] is None
        table.rows.append(
            [
                Cell(f"{type_text(size)}{' ?' if unsure else ''}"),
                cell(count_text(size["ptu"]), strong=True),
                Cell(raw_ptu_text(size["raw_ptu"])),
                Cell(raw_ptu_text(size["need_ptu"])),
                Cell(count_text(size["minimum"])),
                Cell(count_text(size["increment"])),
                Cell(share_text(size["utilization"])),
                Cell(count_text(size["max_requests_per_minute"])),
                cell(size["reason"] or "", warn=True),
            ]
        )
    return table


def _working(name: str, document: Entry) -> Iterator[Folded]:
    """How each workload weighs, and what is added up."""
    found = [w for w in document["working"] if w["deployment"] == name]
    if not found:
        return
    grids, lines = [], []
    for work in found[:MOST_WORKLOADS]:
        grids.append(Grid(_caption(work), _calls(work)))
    if len(found) > MOST_WORKLOADS:
        lines.append(f"The first {MOST_WORKLOADS} workloads are shown; the JSON of this report has all {len(found):,}.")
    grids += [
        Grid("From weighted tokens to PTU", _steps(each)) for each in document["pooled"] if each["deployment"] == name
    ]
    yield Folded("Working: how the size follows from the calls", grids, lines)


def _caption(work: Entry) -> str:
    rate = count_text(work["requests_per_minute"])
    text = (
        f"{work['workload']}: {rate} requests/min × {count_text(work['weight_per_call'], 3)} weighted tokens per call"
    )
    text += f" = {count_text(work['weighted_tpm'])} a minute"
    return text + (", as the average call of the log" if work["measured"] else "")


def _calls(work: Entry) -> Table:
    table = Table([Column("Tokens of a call"), Column("Tokens", right=True), Column("Weight of one", right=True)])
    for each in work["tokens_per_call"]:
        name = str(each["token_class"])
        table.rows.append(
            [
                Cell(CLASS_LABELS.get(name, name)),
                Cell(count_text(each["tokens"], 3)),
                Cell(count_text(each["weight"], 6)),
            ]
        )
    return table


def _steps(pooled: Entry) -> Table:
    table = Table(
        [
            Column("Type"),
            Column("Weighted tokens a minute", right=True),
            Column("÷ tokens a minute per PTU", right=True),
            Column("= raw PTU", right=True),
            Column("with headroom", right=True),
            Column("sold from", right=True),
            Column("in steps of", right=True),
            Column("= PTU to buy", right=True),
        ]
    )
    for size in pooled["sizes"]:
        table.rows.append(
            [
                Cell(type_text(size)),
                Cell(count_text(Fraction(pooled["weighted_tpm_exact"]))),
                Cell(count_text(pooled["tpm_per_ptu"])),
                Cell(raw_ptu_text(Fraction(size["raw_ptu_exact"]))),
                Cell(raw_ptu_text(Fraction(size["need_ptu_exact"]))),
                Cell(count_text(size["minimum"])),
                Cell(count_text(size["increment"])),
                cell(count_text(size["ptu"]), strong=True),
            ]
        )
    return table
