"""The texts of the bundled queries."""

from __future__ import annotations

from ptucalc.log_queries import query_of
from ptucalc.read.catalog import find_bundled
from ptucalc.read.files import read_text

__all__ = ["query_text"]


def query_text(kind: str, *, az: bool = False) -> str:
    """The KQL of this kind, ready to run, or the command lines that run it. Raises BadInput with the kinds there are."""
    query = query_of(kind)
    return read_text(find_bundled(f"data/queries/{query.kind}.{'sh' if az else 'kql'}"))
