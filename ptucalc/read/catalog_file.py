"""The shape of a catalog file, strictly: every key named here, every scalar read from text. Loaded only to read YAML."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal, Self, TypeVar
from unicodedata import category

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ptucalc import exact
from ptucalc.catalog import DeploymentType, TokenClass
from ptucalc.workload import region

__all__ = ["CatalogFile", "Day", "SourceEntry", "Strict", "Text"]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("some text")
    if any(category(c) == "Cc" for c in value):
        raise ValueError("text without control characters")
    return value.strip()


def _day(value: Any) -> str:
    try:
        return date.fromisoformat(_text(value)).isoformat()
    except ValueError:
        raise ValueError("a date such as 2026-09-29") from None


def _flag(value: Any) -> bool:
    if value not in ("true", "false"):
        raise ValueError("true or false")
    return bool(value == "true")


def _positive(value: Any) -> int:
    try:
        number = exact.tokens(_text(value))
    except ValueError:
        number = 0
    if number < 1:
        raise ValueError("a whole number, 1 or more")
    return number


def _weight(value: Any) -> tuple[int, int]:
    return exact.weight(_text(value)).as_integer_ratio()


def _multiplier(value: Any) -> tuple[int, int]:
    weight = _weight(value)
    if weight[0] < 1:
        raise ValueError("a number above 0")
    return weight


def _or_unknown(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def either(value: Any) -> Any:
        if isinstance(value, dict):
            if set(value) != {"unknown"}:
                raise ValueError("a value, or {unknown: reason}")
            return {"unknown": _text(value["unknown"])}
        return read(value)

    return either


def _one_place(value: Any) -> Any:
    """A region group's name, a list of regions, or {regions_unknown: reason}."""
    if isinstance(value, dict):
        if set(value) != {"regions_unknown"}:
            raise ValueError("a region group, a list of regions, or {regions_unknown: reason}")
        return {"unknown": _text(value["regions_unknown"])}
    if isinstance(value, list):
        if not value:
            raise ValueError("at least one region, or none")
        return tuple(region(_text(each)) for each in value)
    return _text(value)


_ZONES = ("us", "eu", "apac", "gov")


def _place(value: Any) -> Any:
    """Rows of (version, zone, regions); () for none; {"unknown": reason}."""
    if value == "none":
        return ()
    if isinstance(value, dict) and set(value) == {"unknown"}:
        return {"unknown": _text(value["unknown"])}
    if isinstance(value, dict) and set(value) != {"regions_unknown"}:
        return tuple(
            (None, key, _one_place(regions)) if key in _ZONES else (_text(key), None, _one_place(regions))
            for key, regions in value.items()
        )
    return ((None, None, _one_place(value)),)


Text = Annotated[str, BeforeValidator(_text)]
Day = Annotated[str, BeforeValidator(_day)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Positive = Annotated[int, BeforeValidator(_positive)]
Multiplier = Annotated[tuple[int, int], BeforeValidator(_multiplier)]
Weights = dict[TokenClass, Annotated[Any, BeforeValidator(_or_unknown(_weight))]]
Sizes = Annotated[
    dict[DeploymentType, Positive] | None, BeforeValidator(lambda value: None if value == "none" else value)
]
Regions = dict[DeploymentType, Annotated[Any, BeforeValidator(_place)]]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_Entry = TypeVar("_Entry", bound=Strict)


def _one_of(entry: _Entry, *kinds: tuple[str, ...]) -> _Entry:
    """The entry, if it has exactly the keys of one of these kinds, or of an unknown, each with a value."""
    given = {key for key in entry.model_fields_set if getattr(entry, key) not in (None, {})}
    wholes = (*kinds, ("unknown",))
    if given not in map(set, wholes):
        expected = "; or ".join(", ".join(kind) for kind in wholes)
        raise ValueError(f"{expected} (it has: {', '.join(sorted(given)) or 'none of them'})")
    return entry


class SourceEntry(Strict):
    title: Text
    where: Text
    published: Text
    checked: Day


class Limits(Strict):
    largest_deployment_ptu: Positive
    source: Text


class LongContextEntry(Strict):
    over_input_tokens: Positive
    source: Text
    weights: Weights = {}


class LatencyEntry(Strict):
    tokens_per_second: Positive | None = None
    percent_of_requests: Positive | None = None
    basis: Text | None = None
    unknown: Text | None = None


class RetirementEntry(Strict):
    date: Day
    source: Text
    third_party: Flag = False


class LastListedEntry(Strict):
    date: Day
    source: Text


class EarlierEntry(Strict):
    """Either `edition` (its numbers for the same model), or what was published then."""

    edition: Text | None = None
    as_of: Text | None = None
    tpm_per_ptu: Positive | None = None
    weights: Weights = {}
    minimum_ptu: Sizes = None
    increment_ptu: Sizes = None
    deployment_types: list[DeploymentType] = []
    source: Text | None = None


class EncodingEntry(Strict):
    name: Text | None = None
    verified: Flag | None = None
    source: Text | None = None
    unknown: Text | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        return _one_of(self, ("name", "verified", "source"))


class ContextEntry(Strict):
    input_tokens: Positive | None = None
    verified: Flag | None = None
    source: Text | None = None
    unknown: Text | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        return _one_of(self, ("input_tokens", "verified", "source"))


class PatchBudgetEntry(Strict):
    patches: Positive
    longest_side_px: Positive


class ImageTokensEntry(Strict):
    base: Positive | None = None
    per_tile: Positive | None = None
    multiplier: Multiplier | None = None
    details: dict[Literal["low", "high", "original", "auto"], PatchBudgetEntry] | None = None
    verified: Flag | None = None
    source: Text | None = None
    unknown: Text | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        return _one_of(
            self, ("base", "per_tile", "verified", "source"), ("multiplier", "details", "verified", "source")
        )


class FamilyEntry(Strict):
    publisher: Text | None = None
    tpm_per_ptu: Annotated[Any, BeforeValidator(_or_unknown(_positive))] = None
    weights: Weights = {}
    long_context: LongContextEntry | None = None
    prompt_limit_tokens: Positive | None = None
    minimum_ptu: Sizes = None
    increment_ptu: Sizes = None
    latency_target: LatencyEntry | None = None
    regions: Regions = {}
    spillover: Annotated[Any, BeforeValidator(_or_unknown(_flag))] = None
    encoding: EncodingEntry | None = None
    image_tokens: ImageTokensEntry | None = None
    context: ContextEntry | None = None
    source: Text | None = None
    regions_source: Text | None = None
    spillover_source: Text | None = None


class ModelEntry(FamilyEntry):
    name: Text
    family: Text | None = None
    model_id: Text | None = None
    versions: list[Text] = []
    retirement: RetirementEntry | None = None
    last_listed: LastListedEntry | None = None
    earlier: list[EarlierEntry] = []
    remarks: list[Text] = []
    conflicts: list[Text] = []


class CatalogFile(Strict):
    schema_: Literal["ptucalc.catalog/1"] = Field(alias="schema")
    edition: Text | None = None
    as_of: Day
    replace: Flag = False
    past: Flag = False
    limits: Limits | None = None
    sources: dict[str, SourceEntry] = {}
    region_groups: dict[str, list[Annotated[str, BeforeValidator(lambda value: region(_text(value)))]]] = {}
    families: dict[str, FamilyEntry] = {}
    models: list[ModelEntry]
