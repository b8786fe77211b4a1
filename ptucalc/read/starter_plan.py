"""The plan that `ptucalc init` writes, and the JSON Schema of plans, as they ship with ptucalc."""

from __future__ import annotations

from ptucalc.read.catalog import find_bundled
from ptucalc.read.files import read_text

__all__ = ["plan_schema", "starter_plan"]


def starter_plan() -> str:
    """The commented plan. Its first line names the schema's file beside it."""
    return read_text(find_bundled("data/starter_plan.yaml"))


def plan_schema() -> str:
    """The JSON Schema of plans, as text."""
    return read_text(find_bundled("data/schemas/ptucalc.plan.1.json"))
