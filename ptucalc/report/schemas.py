"""JSON Schemas of what ptucalc writes, made from the types in `documents`. They are checked in under data/schemas."""

from __future__ import annotations

from typing import Any

__all__ = ["json_schemas"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schemas() -> dict[str, dict[str, Any]]:
    """The schema of each document, by its file name."""
    from pydantic import TypeAdapter

    from ptucalc.bench_documents import BenchDocument
    from ptucalc.check_documents import CheckDocument
    from ptucalc.diff_documents import DiffDocument
    from ptucalc.documents import (
        CatalogDocument,
        CostDocument,
        ErrorDocument,
        PriceBookDocument,
        RatesDocument,
        RefreshDocument,
        SizeDocument,
    )
    from ptucalc.log_documents import LogsDocument
    from ptucalc.report_documents import ReportDocument
    from ptucalc.route_documents import RouteDocument
    from ptucalc.simulate_documents import SimulateDocument
    from ptucalc.token_documents import TokensDocument

    documents = {
        "size": SizeDocument,
        "rates": RatesDocument,
        "cost": CostDocument,
        "logs": LogsDocument,
        "simulate": SimulateDocument,
        "route": RouteDocument,
        "tokens": TokensDocument,
        "bench": BenchDocument,
        "report": ReportDocument,
        "models": CatalogDocument,
        "check": CheckDocument,
        "diff": DiffDocument,
        "price-book": PriceBookDocument,
        "price-refresh": RefreshDocument,
        "error": ErrorDocument,
    }
    schemas = {
        f"ptucalc.{name}.1.json": {
            "$schema": DIALECT,
            **TypeAdapter(document).json_schema(mode="serialization"),
        }
        for name, document in documents.items()
    }
    return {**schemas, "ptucalc.plan.1.json": _plan_schema()}


def _plan_schema() -> dict[str, Any]:
    """The schema of plans, which people write: unknown keys are mistakes, and every key says what it is."""
    from pydantic import TypeAdapter

    from ptucalc.plan_documents import DESCRIPTIONS, PlanDocument

    schema = TypeAdapter(PlanDocument).json_schema()
    for part in (schema, *schema["$defs"].values()):
        part["additionalProperties"] = False
        for name, value in part["properties"].items():
            value.pop("title", None)
            value["description"] = DESCRIPTIONS[name]
    return {"$schema": DIALECT, **schema}
