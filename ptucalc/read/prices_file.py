"""The shape of a price file, strictly: every key named here, every scalar read from text. Loaded only to read YAML."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ptucalc import exact
from ptucalc.catalog import DeploymentType, TokenClass
from ptucalc.prices import PriceTier
from ptucalc.read.catalog_file import Day, SourceEntry, Strict, Text
from ptucalc.workload import region

__all__ = ["PriceFile"]


def _usd(value: Any) -> tuple[int, int]:
    try:
        price = exact.rate(value) if isinstance(value, str) else Fraction(0)
    except ValueError:
        price = Fraction(0)
    if not price:
        raise ValueError("a price in US dollars, over 0")
    return price.as_integer_ratio()


def _regions(value: Any) -> Any:
    """None for all regions, a group's name, or a list of regions."""
    if isinstance(value, list):
        if not value:
            raise ValueError("at least one region, or all")
        return tuple(region(each) for each in value)
    if not isinstance(value, str) or not value:
        raise ValueError("all, a region group of this file, or a list of regions")
    return None if value == "all" else value


def _some(value: Any) -> Any:
    if not isinstance(value, list) or not value:
        raise ValueError("at least one region")
    return value


def _per_usd(value: Any) -> tuple[int, int]:
    if not isinstance(value, str):
        raise ValueError("a number over 0")
    return exact.rate(value).as_integer_ratio()


def _code(value: Any) -> str:
    text = value if isinstance(value, str) else ""
    if len(text) != 3 or not (text.isascii() and text.isalpha() and text.isupper()) or text == "USD":
        raise ValueError("a currency code other than USD, such as EUR")
    return text


PerUsd = Annotated[Any, BeforeValidator(_per_usd)]
Usd = Annotated[Any, BeforeValidator(_usd)]
Regions = Annotated[Any, BeforeValidator(_regions)]
Region = Annotated[str, BeforeValidator(lambda value: region(value))]
Meters = dict[TokenClass, Text]


class HourlyRow(Strict):
    regions: Regions
    usd: Usd
    from_: Day | None = Field(default=None, alias="from")
    replaces: Usd | None = None
    source: Text | None = None


class ReservationRow(Strict):
    regions: Regions
    month: Usd | None = Field(default=None, alias="1-month")
    year: Usd | None = Field(default=None, alias="1-year")
    source: Text | None = None

    @model_validator(mode="after")
    def _has_a_price(self) -> ReservationRow:
        if self.month is None and self.year is None:
            raise ValueError("a price: 1-month, 1-year or both")
        return self


class TokenPriceRow(Strict):
    regions: Regions
    tier: PriceTier = PriceTier.STANDARD
    context: Literal["short", "long"] = "short"
    input: Usd | None = None
    cached_input: Usd | None = None
    cache_write: Usd | None = None
    output: Usd | None = None
    image_input: Usd | None = None
    image_output: Usd | None = None
    source: Text | None = None

    @model_validator(mode="after")
    def _has_a_price(self) -> TokenPriceRow:
        if all(getattr(self, token_class.value) is None for token_class in TokenClass):
            raise ValueError("a price of some token class: input, cached_input, cache_write, output ...")
        return self


class ScopeEntry(Strict):
    meters: Meters = {}
    meters_long: Meters = {}
    newest_from: Day | None = None
    prices: list[TokenPriceRow] = []


class ModelEntry(Strict):
    products: list[Text] = []
    publisher: Text | None = None
    source: Text | None = None
    remarks: list[Text] = []
    global_: ScopeEntry | None = Field(default=None, alias="global")
    data_zone: ScopeEntry | None = Field(default=None, alias="data-zone")
    regional: ScopeEntry | None = None


class PtuEntry(Strict):
    product: Text | None = None
    reservation_product: Text | None = None
    publishers: list[Text] = []
    meters: dict[DeploymentType, Text] = {}
    hourly_usd_per_ptu: dict[DeploymentType, list[HourlyRow]] = {}
    reservation_usd_per_ptu: dict[DeploymentType, list[ReservationRow]] = {}


class PriceFile(Strict):
    schema_: Literal["ptucalc.prices/1"] = Field(alias="schema")
    edition: Text | None = None
    as_of: Day
    default_region: Region | None = None
    sources: dict[Text, SourceEntry] = {}
    region_groups: dict[Text, Annotated[list[Region], BeforeValidator(_some)]] = {}
    currency_per_usd: dict[Annotated[str, BeforeValidator(_code)], PerUsd] = {}
    ptu: PtuEntry = PtuEntry()
    models: dict[Text, ModelEntry] = {}
