"""Blocks to Markdown for pull requests and wikis; user text cannot break a table or start markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ptucalc.report.blocks import Block, Cell, Headline, Remark, Table

__all__ = ["markdown"]


def markdown(blocks: Iterable[Block]) -> str:
    """The blocks as a Markdown text."""
    return "\n\n".join(text for block in blocks for text in _block(block)) + "\n"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Headline):
        yield f"**{_inert(block.what)}** {_inert(block.more)}".rstrip()
    elif isinstance(block, Remark):
        yield f"**{block.label}:** {_inert(block.text)}"
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


def _cell(cell: Cell) -> str:
    text = _inert(cell.text)
    return f"**{text}**" if cell.style == "bold" and text else text


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _inert(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|~#])", r"\\\1", text).replace("\n", " ")
