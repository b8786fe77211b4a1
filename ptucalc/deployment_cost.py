"""What one deployment costs on one deployment type: ways to buy, the cheapest mix, break-even, what-ifs.

Money is Decimal US dollars to the cent, rounded once from exact values; None where a price is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

from ptucalc.catalog import DeploymentType, TokenClass
from ptucalc.hybrid import Range
from ptucalc.money import usd_number
from ptucalc.prices import PriceTier, PtuTerm
from ptucalc.results import json_number

__all__ = [
    "PAYG",
    "Alternative",
    "BreakEven",
    "DeploymentCost",
    "Hybrid",
    "Increment",
    "NearestPrice",
    "Option",
    "PaygTerm",
    "WhatIf",
    "number_or_none",
]

PAYG: Final = "payg"


def number_or_none(value: Fraction | None) -> int | float | None:
    """An exact value as a JSON number."""
    return None if value is None else json_number(value)


class PaygTerm(NamedTuple):
    """One line of the pay-as-you-go bill: a token class, its tokens of a month, their average price, what they cost."""

    token_class: TokenClass
    tokens_per_month: Fraction
    usd_per_1m: Fraction
    monthly_usd: Decimal

    def to_dict(self) -> dict[str, Any]:
        """The line as JSON data."""
        return {
            "token_class": self.token_class.value,
            "tokens_per_month": json_number(self.tokens_per_month),
            "usd_per_1m": json_number(self.usd_per_1m),
            "monthly_usd": usd_number(self.monthly_usd),
        }


class Option(NamedTuple):
    """One way to buy: pay-as-you-go, or enough PTU for the whole peak on a term.

    `usd_per_ptu_month` is the price of one PTU, after any discount; `vs_payg` is monthly / pay-as-you-go - 1; `usd_per_1m_tokens` the effective price of the tokens of the month, of
    every class. `reason` says why an amount is None.
    """

    term: str
    ptu: int
    fixed_monthly_usd: Decimal | None
    spillover_monthly_usd: Decimal | None
    monthly_usd: Decimal | None
    vs_payg: Fraction | None
    usd_per_1m_tokens: Fraction | None
    usd_per_ptu_month: Fraction | None
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The option as JSON data."""
        return {
            "term": self.term,
            "ptu": self.ptu,
            "fixed_monthly_usd": usd_number(self.fixed_monthly_usd),
            "spillover_monthly_usd": usd_number(self.spillover_monthly_usd),
            "monthly_usd": usd_number(self.monthly_usd),
            "vs_payg": number_or_none(self.vs_payg),
            "usd_per_1m_tokens": number_or_none(self.usd_per_1m_tokens),
            "usd_per_ptu_month": number_or_none(self.usd_per_ptu_month),
            "reason": self.reason or None,
        }


class Increment(NamedTuple):
    """A step from one legal size to the next: what it costs, what pay-as-you-go it saves, and the difference."""

    from_ptu: int
    to_ptu: int
    costs_monthly_usd: Decimal
    saves_monthly_usd: Decimal
    earns_monthly_usd: Decimal

    def to_dict(self) -> dict[str, Any]:
        """The step as JSON data."""
        return {
            "from_ptu": self.from_ptu,
            "to_ptu": self.to_ptu,
            "costs_monthly_usd": usd_number(self.costs_monthly_usd),
            "saves_monthly_usd": usd_number(self.saves_monthly_usd),
            "earns_monthly_usd": usd_number(self.earns_monthly_usd),
        }


class Hybrid(NamedTuple):
    """The cheapest number of PTU on a term, with the rest of the demand spilled to pay-as-you-go.

    `curve` is every legal size up to the first that covers the peak, with its monthly cost. `utilization` is how busy
    the PTU are on average (None for 0 PTU); `spilled_tokens_per_month` what they do not serve.
    """

    term: PtuTerm
    ptu: int
    fixed_monthly_usd: Decimal
    spillover_monthly_usd: Decimal
    monthly_usd: Decimal
    vs_payg: Fraction | None
    usd_per_1m_tokens: Fraction | None
    utilization: Fraction | None
    spilled_tokens_per_month: Mapping[TokenClass, Fraction]
    last_increment: Increment | None
    next_increment: Increment | None
    curve: tuple[tuple[int, Decimal], ...]

    def to_dict(self) -> dict[str, Any]:
        """The mix as JSON data."""
        return {
            "ptu": self.ptu,
            "fixed_monthly_usd": usd_number(self.fixed_monthly_usd),
            "spillover_monthly_usd": usd_number(self.spillover_monthly_usd),
            "monthly_usd": usd_number(self.monthly_usd),
            "vs_payg": number_or_none(self.vs_payg),
            "usd_per_1m_tokens": number_or_none(self.usd_per_1m_tokens),
            "utilization": number_or_none(self.utilization),
            "spilled_tokens_per_month": {c.value: json_number(v) for c, v in self.spilled_tokens_per_month.items()},
            "last_increment": self.last_increment.to_dict() if self.last_increment else None,
            "next_increment": self.next_increment.to_dict() if self.next_increment else None,
            "curve": [[ptu, usd_number(monthly)] for ptu, monthly in self.curve],
        }


class BreakEven(NamedTuple):
    """When PTU on a term pays.

    `utilization` is how busy a PTU has to be kept on average: the price of a PTU-month / the pay-as-you-go price of the
    tokens that one PTU serves in a month, at this mix of calls; over 1 means never, None that it is not known (`reason`).
    `cheaper_rpm_ranges` are all peak rates, with the shape of the load kept, at which PTU for the whole peak is cheaper
    than pay-as-you-go; None where that is not known.
    """

    term: PtuTerm
    utilization: Fraction | None
    cheaper_rpm_ranges: tuple[Range, ...] | None
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The break-even as JSON data."""
        ranges = self.cheaper_rpm_ranges
        return {
            "term": self.term.value,
            "utilization": number_or_none(self.utilization),
            "cheaper_rpm_ranges": None
            if ranges is None
            else [[json_number(start), number_or_none(end)] for start, end in ranges],
            "reason": self.reason or None,
        }


class WhatIf(NamedTuple):
    """One thing changed: what pay-as-you-go, the size of the peak and the cheapest mix per term come to then."""

    change: str
    payg_monthly_usd: Decimal | None
    peak_ptu: int
    cheapest: Mapping[PtuTerm, tuple[int, Decimal] | None]

    def to_dict(self) -> dict[str, Any]:
        """The what-if as JSON data."""
        return {
            "change": self.change,
            "payg_monthly_usd": usd_number(self.payg_monthly_usd),
            "peak_ptu": self.peak_ptu,
            "cheapest": {
                term.value: None if found is None else {"ptu": found[0], "monthly_usd": usd_number(found[1])}
                for term, found in self.cheapest.items()
            },
        }


class NearestPrice(NamedTuple):
    """Pay-as-you-go elsewhere, where the price of the place itself is not known."""

    deployment_type: DeploymentType
    region: str
    payg_monthly_usd: Decimal

    def to_dict(self) -> dict[str, Any]:
        """The price as JSON data."""
        return {
            "deployment_type": self.deployment_type.value,
            "region": self.region,
            "payg_monthly_usd": usd_number(self.payg_monthly_usd),
        }


class Alternative(NamedTuple):
    """The same tokens at another pay-as-you-go tier."""

    tier: PriceTier
    monthly_usd: Decimal

    def to_dict(self) -> dict[str, Any]:
        """The tier as JSON data."""
        return {"tier": self.tier.value, "monthly_usd": usd_number(self.monthly_usd)}


class DeploymentCost(NamedTuple):
    """One deployment on one deployment type: what each way to buy it costs a month.

    `type_given` says that its workloads ask for this type; `price_region` is where the prices are from; `payg_type` the scope of pay-as-you-go, the deployment's own unless
    another was asked for. `peak_utilization` is how busy `peak_ptu` would be on average; `ptu_month_worth_usd` what the
    tokens that one PTU serves in a month would cost on pay-as-you-go at this mix (None where not known).
    """

    name: str
    model: str
    model_version: str | None
    deployment_type: DeploymentType
    region: str | None
    price_region: str
    payg_type: DeploymentType
    available: bool | None
    available_reason: str
    type_given: bool
    workloads: tuple[str, ...]
    requests_per_minute: Fraction
    requests_per_month: Fraction
    tokens_per_month: Mapping[TokenClass, Fraction]
    peak_weighted_tpm: Fraction
    mean_weighted_tpm: Fraction
    peak_ptu: int
    peak_utilization: Fraction
    payg_monthly_usd: Decimal | None
    payg_reason: str
    payg_nearest: NearestPrice | None
    payg_terms: tuple[PaygTerm, ...]
    ptu_month_worth_usd: Fraction | None
    options: tuple[Option, ...]
    hybrid: Mapping[PtuTerm, Hybrid | None]
    break_even: tuple[BreakEven, ...]
    sensitivity: tuple[WhatIf, ...]
    alternatives: tuple[Alternative, ...]

    def option(self, term: PtuTerm | str) -> Option:
        """The option of that term ("payg", "hourly", "1-month", "1-year")."""
        return next(option for option in self.options if option.term == str(term))

    @property
    def cheapest(self) -> Option | Hybrid | None:
        """The cheapest way to buy of those whose price is known; None where pay-as-you-go is not known."""
        if self.payg_monthly_usd is None:
            return None
        known: list[Option | Hybrid] = [o for o in self.options if o.monthly_usd is not None]
        known += [hybrid for hybrid in self.hybrid.values() if hybrid is not None and hybrid.ptu]
        return min(known, key=lambda way: way.monthly_usd or Decimal(0), default=None)

    @property
    def all_known(self) -> bool:
        """Whether every way to buy has a price, mixes too, so that the cheapest is so for certain."""
        known = all(option.monthly_usd is not None for option in self.options)
        return known and all(self.hybrid[each.term] is not None for each in self.break_even)

    def to_dict(self) -> dict[str, Any]:
        """The deployment as JSON data."""
        return {
            "name": self.name,
            "model": self.model,
            "model_version": self.model_version,
            "deployment_type": self.deployment_type.value,
            "region": self.region,
            "price_region": self.price_region,
            "payg_deployment_type": self.payg_type.value,
            "available": self.available,
            "reason": self.available_reason or None,
            "type_given": self.type_given,
            "workloads": list(self.workloads),
            "requests_per_minute": json_number(self.requests_per_minute),
            "requests_per_month": json_number(self.requests_per_month),
            "tokens_per_month": {c.value: json_number(v) for c, v in self.tokens_per_month.items()},
            "peak_weighted_tpm": json_number(self.peak_weighted_tpm),
            "mean_weighted_tpm": json_number(self.mean_weighted_tpm),
            "payg_monthly_usd": usd_number(self.payg_monthly_usd),
            "payg_reason": self.payg_reason or None,
            "payg_nearest": self.payg_nearest.to_dict() if self.payg_nearest else None,
            "payg_terms": [term.to_dict() for term in self.payg_terms],
            "ptu_month_worth_usd": number_or_none(self.ptu_month_worth_usd),
            "peak_ptu": self.peak_ptu,
            "peak_utilization": json_number(self.peak_utilization),
            "options": [option.to_dict() for option in self.options],
            "hybrid": {term.value: mix.to_dict() if mix else None for term, mix in self.hybrid.items()},
            "break_even": [each.to_dict() for each in self.break_even],
            "sensitivity": [each.to_dict() for each in self.sensitivity],
            "alternatives": [each.to_dict() for each in self.alternatives],
        }
