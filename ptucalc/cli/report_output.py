"""A report document to a file or to standard output, in the format asked for; whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ptucalc.cli.view import View
from ptucalc.cli.writing import output_stream
from ptucalc.errors import BadInput, Problem

__all__ = ["write_document"]


def write_document(document: Mapping[str, Any], view: View) -> None:
    """Write the document as `view.shape` says. Raises BadInput where it cannot be written there."""
    if view.shape == "xlsx":
        _write_workbook(document, view)
    elif view.shape == "csv":
        from ptucalc.report.report_rows import ROW_COLUMNS, report_rows

        view.write_rows(ROW_COLUMNS, report_rows(document))
    elif view.shape == "json":
        view.write(document, (), (), ())
    else:
        text = _text(document, view.shape)
        with output_stream(view.out_file, inputs=view.inputs) as stream:
            stream.write(text)


def _text(document: Mapping[str, Any], shape: str) -> str:
    if shape == "html":
        from ptucalc.report.html import html_page

        return html_page(document)
    from ptucalc.report.report_markdown import report_markdown

    return report_markdown(document)


def _write_workbook(document: Mapping[str, Any], view: View) -> None:
    """Made in memory first, so that nothing is written where it cannot be made; never shown on a terminal."""
    from io import BytesIO

    from ptucalc.report.excel import workbook

    if view.out_file is None and sys.stdout.isatty():
        raise BadInput([Problem("--out-file", "", "a file such as report.xlsx: a workbook is nothing to look at here")])
    made = BytesIO()
    workbook(document, made)
    with output_stream(view.out_file, inputs=view.inputs) as stream:
        stream.flush()
        stream.buffer.write(made.getvalue())  # type: ignore[attr-defined]
