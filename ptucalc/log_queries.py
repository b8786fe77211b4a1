"""The queries that fetch logs from Azure: which there are, what each is for, and which columns it yields.

The texts are data (data/queries): KQL, and the command lines of the Azure CLI that run it.
"""

from __future__ import annotations

from typing import NamedTuple

from ptucalc.catalog import nearest
from ptucalc.errors import BadInput, Problem

__all__ = ["QUERIES", "LogQuery", "query_of"]


class LogQuery(NamedTuple):
    """A query: the name it is asked for by, what it answers, where it runs, and the columns of its result.

    `verified` is False where no source confirms the fields that it reads.
    """

    kind: str
    title: str
    runs_in: str
    columns: tuple[str, ...]
    verified: bool = True


CALL = ("timestamp", "deployment", "model", "input_tokens", "output_tokens", "status", "duration_ms", "request_id")
SPAN = (
    "timestamp",
    "deployment",
    "model",
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "max_tokens",
    "status",
    "duration_ms",
    "request_id",
)

QUERIES = (
    LogQuery("apim", "Every call through API Management", "a Log Analytics workspace", CALL),
    LogQuery(
        "metrics",
        "Tokens and calls of every minute, from platform metrics",
        "a Log Analytics workspace",
        ("TimeGenerated", "Resource", "MetricName", "Total", "TimeGrain"),
    ),
    LogQuery("appinsights", "Every traced model call (OpenTelemetry)", "an Application Insights resource", SPAN),
    LogQuery("appinsights-workspace", "Every traced model call (OpenTelemetry)", "a Log Analytics workspace", SPAN),
    LogQuery(
        "diagnostics", "Every call by the account's diagnostic logs", "a Log Analytics workspace", CALL, verified=False
    ),
)
"""Every query, the most useful first."""


def query_of(kind: str) -> LogQuery:
    """The query of this name, in any case. Raises BadInput (field `kql`) with the names there are."""
    for query in QUERIES:
        if query.kind == kind.strip().casefold():
            return query
    kinds = [query.kind for query in QUERIES]
    near = nearest(kind, kinds, most=1)
    hint = f" ({near[0]}?)" if near else ""
    raise BadInput([Problem("kql", kind, f"one of {', '.join(kinds)}{hint}", label="--kql")])
