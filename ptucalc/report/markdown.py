"""Blocks to Markdown for pull requests and wikis; user text cannot break a table or start markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction

from ptucalc.report.blocks import Bars, Block, Cell, Column, Headline, HeatMap, Remark, Strip, Table, amount_text

__all__ = ["markdown", "without_links"]

HOURS = 24


def markdown(blocks: Iterable[Block]) -> str:
    """The blocks as a Markdown text."""
    return "\n\n".join(text for block in blocks for text in _block(block)) + "\n"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Headline):
        yield f"**{_inert(block.what)}** {_inert(block.more)}".rstrip()
    elif isinstance(block, Remark):
        yield f"**{block.label}:** {_inert(block.text)}"
    elif isinstance(block, HeatMap):
        yield _inert(block.title)
        yield "\n".join(_table(_heat_table(block)))
    elif isinstance(block, Strip):
        bold = f"; bold = {block.over}" if block.over else ""
        yield f"{_inert(block.label)}: {_inert(block.caption + bold)}"
        yield "\n".join(_table(_strip_table(block)))
    elif isinstance(block, Bars):
        yield _inert(block.title)
        yield "\n".join(_table(block.numbers))
    else:
        yield "\n".join(_table(block))


def _table(table: Table) -> Iterator[str]:
    columns = [index for index, column in enumerate(table.columns) if column.title]
    yield _line(table.columns[index].title for index in columns)
    yield _line("---:" if table.columns[index].right else "---" for index in columns)
    for row in table.rows:
        yield _line(_cell(row[index]) for index in columns)
    if table.totals:
        yield _line(_cell(table.totals[index]) for index in columns)


def _heat_table(heat: HeatMap) -> Table:
    """A row for each day, a column for each hour."""
    table = Table([Column("Day"), *_hours(), Column("Peak", right=True)])
    for row in heat.rows:
        cells = [Cell(_whole(value)) for value in row.values]
        table.rows.append([Cell(row.label), *cells, Cell(row.remark, "bold" if row.strong else "")])
    return table


def _strip_table(strip: Strip) -> Table:
    """A column for each hour, in it the hour's values one below the other."""
    table = Table([Column("Minute"), *_hours()])
    each_hour = len(strip.values) // HOURS
    for part in range(each_hour):
        values = strip.values[part::each_hour]
        over = [value is not None and strip.threshold is not None and value > strip.threshold for value in values]
        cells = [Cell(_whole(value), "bold" if bold else "") for value, bold in zip(values, over, strict=True)]
        table.rows.append([Cell(f":{part * 60 // each_hour:02d}"), *cells])
    return table


def _hours() -> Iterator[Column]:
    return (Column(f"{hour:02d}", right=True) for hour in range(HOURS))


def _whole(value: Fraction | int | None) -> str:
    return "" if value is None else amount_text(value, 0)


def _cell(cell: Cell) -> str:
    text = _escaped(cell.text) if cell.style == "link" else _inert(cell.text)
    return f"**{text}**" if cell.style == "bold" and text else text


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def without_links(text: str) -> str:
    """The text with what would become a link by itself written so that it does not.

    >>> print(without_links("see https://example.com and www.example.com"))
    see https\\://example.com and www\\.example.com
    """
    return re.sub(r"(?i)(?<=[a-z])(?=://)|(?<=\bwww)(?=\.)", r"\\", text)


def _inert(text: str) -> str:
    return without_links(_escaped(text))


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|~#])", r"\\\1", text).replace("\n", " ")
