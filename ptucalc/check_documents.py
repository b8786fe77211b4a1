"""The shape of the JSON that `ptucalc check` writes, as types."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from ptucalc.documents import Kind, NoteEntry, Number, Term

__all__ = ["CheckDocument", "PurchaseEntry"]


class CheckEntry(TypedDict):
    """One limit and what is. `found` is null where that is not known, `over` where the limit is kept or is no number."""

    limit: str
    scope: str
    status: Literal["pass", "fail", "warn", "unknown"]
    unit: Literal["ptu", "usd", "share", "days", "text"]
    bound: Literal["at most", "at least", "one of", "equal"]
    allowed: Number | list[str] | None
    found: Number | str | None
    over: Number | None
    message: str
    source: str
    line: int | None
    column: int | None
    deployments: list[str]


class PurchaseEntry(TypedDict):
    """A deployment as it would be bought; `monthly_usd` is for `monthly_ptu`, null where a price is not known."""

    name: str
    model: str
    model_version: str | None
    deployment_type: Kind
    region: str | None
    workloads: list[str]
    ptu: int
    utilization: Number | None
    monthly_usd: Number | None
    monthly_ptu: int | None
    price_region: str | None
    price_reason: str | None


class CheckDocument(TypedDict):
    schema: Literal["ptucalc.check/1"]
    version: str
    source: str
    catalog_as_of: str
    catalog: list[str]
    oldest_check: str
    prices_as_of: str
    prices: list[str]
    term: Term
    discount: Number
    open_deployments_as: Kind | None
    strict: bool
    verdict: Literal["pass", "fail", "unknown"]
    checks: list[CheckEntry]
    deployments: list[PurchaseEntry]
    notes: list[NoteEntry]


"""What `ptucalc check -o json` writes."""
