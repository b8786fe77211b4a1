"""JSON Schemas of what ptucalc writes, made from the types in `documents`. They are checked in under data/schemas."""

from __future__ import annotations

from typing import Any

__all__ = ["json_schemas"]


def json_schemas() -> dict[str, dict[str, Any]]:
    """The schema of each document, by its file name."""
    from pydantic import TypeAdapter

    from ptucalc.bench_documents import BenchDocument
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
        "models": CatalogDocument,
        "price-book": PriceBookDocument,
        "price-refresh": RefreshDocument,
        "error": ErrorDocument,
    }
    return {
        f"ptucalc.{name}.1.json": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **TypeAdapter(document).json_schema(mode="serialization"),
        }
        for name, document in documents.items()
    }
