"""The shape of the file of Standard limits, strictly: every key named here, every scalar read from text."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ptucalc import exact
from ptucalc.catalog import DeploymentType
from ptucalc.read.catalog_file import Day, Positive, SourceEntry, Strict, Text

__all__ = ["StandardLimitsFile"]


def _list(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError("a list")
    return tuple(value)


def _tier(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError("a whole number, 0 or more")
    return exact.tokens(value)


def _limit(value: Any) -> Any:
    """A whole number over 0, or {unknown: reason}."""
    if isinstance(value, dict):
        if set(value) != {"unknown"} or not isinstance(value["unknown"], str) or not value["unknown"].strip():
            raise ValueError("a whole number, or {unknown: reason}")
        return {"unknown": value["unknown"].strip()}
    return exact.positive(value if isinstance(value, str) else "")


Texts = Annotated[tuple[Text, ...], BeforeValidator(_list)]


class UnitEntry(Strict):
    models: Texts | None = None
    versions: Texts | None = None
    group: Text | None = None
    rpm: Positive | None = None
    tpm: Positive | None = None
    unknown: Text | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> UnitEntry:
        if (self.models is None) == (self.group is None) or (self.versions and not self.models):
            raise ValueError("models (and their versions), or a group")
        if (self.rpm is None) != (self.tpm is None) or (self.rpm is None) == (self.unknown is None):
            raise ValueError("rpm and tpm, or unknown")
        return self


class CapacityUnits(Strict):
    source: Text
    rows: Annotated[tuple[UnitEntry, ...], BeforeValidator(_list)]


class UsageTiers(Strict):
    source: Text
    tokens_per_month: dict[Text, Positive]


class LimitEntry(Strict):
    rpm: Positive | None = None
    requests_per_10s: Positive | None = None
    tpm: Annotated[Any, BeforeValidator(_limit)]

    @model_validator(mode="after")
    def _is_whole(self) -> LimitEntry:
        if (self.rpm is None) == (self.requests_per_10s is None):
            raise ValueError("rpm or requests_per_10s")
        return self


class TierEntry(Strict):
    tier: Annotated[int, BeforeValidator(_tier)]
    name: Text
    source: Text
    remark: Text | None = None
    models: dict[Text, dict[DeploymentType, LimitEntry]]


class StandardLimitsFile(Strict):
    schema_: Literal["ptucalc.standard-limits/1"] = Field(alias="schema")
    edition: Text
    as_of: Day
    sources: dict[Text, SourceEntry]
    capacity_units: CapacityUnits
    usage_tiers: UsageTiers
    tiers: Annotated[tuple[TierEntry, ...], BeforeValidator(_list)]
    not_collected: Texts

    @model_validator(mode="after")
    def _is_consistent(self) -> StandardLimitsFile:
        numbers = [entry.tier for entry in self.tiers]
        if len(set(numbers)) < len(numbers):
            raise ValueError("each tier once")
        named = {self.capacity_units.source, self.usage_tiers.source, *(entry.source for entry in self.tiers)}
        lacking = sorted(named - set(self.sources))
        if lacking:
            raise ValueError(f"sources of this file (not there: {', '.join(lacking)})")
        return self
