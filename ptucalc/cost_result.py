"""What a cost comparison yields: ways to buy, the cheapest mix, break-even, what-ifs; as values, JSON data, flat rows.

Money is Decimal US dollars to the cent, rounded once from exact values; None where a price is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ptucalc.catalog import DeploymentType, TokenClass
from ptucalc.hybrid import Range
from ptucalc.money import usd_number
from ptucalc.prices import PriceTier, PtuTerm
from ptucalc.reservations import Reservation
from ptucalc.results import Note, json_number

if TYPE_CHECKING:
    from ptucalc.documents import CostDocument

__all__ = [
    "Alternative",
    "BreakEven",
    "CostComparison",
    "DeploymentCost",
    "Hybrid",
    "Increment",
    "NearestPrice",
    "Option",
    "PaygTerm",
    "Total",
    "Unanswered",
    "WhatIf",
]

SCHEMA: Final = "ptucalc.cost/1"
PAYG: Final = "payg"


def _number(value: Fraction | None) -> int | float | None:
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
            "vs_payg": _number(self.vs_payg),
            "usd_per_1m_tokens": _number(self.usd_per_1m_tokens),
            "usd_per_ptu_month": _number(self.usd_per_ptu_month),
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
            "vs_payg": _number(self.vs_payg),
            "usd_per_1m_tokens": _number(self.usd_per_1m_tokens),
            "utilization": _number(self.utilization),
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
            "utilization": _number(self.utilization),
            "cheaper_rpm_ranges": None
            if ranges is None
            else [[json_number(start), _number(end)] for start, end in ranges],
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
            "ptu_month_worth_usd": _number(self.ptu_month_worth_usd),
            "peak_ptu": self.peak_ptu,
            "peak_utilization": json_number(self.peak_utilization),
            "options": [option.to_dict() for option in self.options],
            "hybrid": {term.value: mix.to_dict() if mix else None for term, mix in self.hybrid.items()},
            "break_even": [each.to_dict() for each in self.break_even],
            "sensitivity": [each.to_dict() for each in self.sensitivity],
            "alternatives": [each.to_dict() for each in self.alternatives],
        }


class Unanswered(NamedTuple):
    """A deployment that has no size on any type asked for, and why."""

    name: str
    model: str
    type_given: bool
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """The deployment as JSON data."""
        return {"name": self.name, "model": self.model, "reason": self.reason}


class Total(NamedTuple):
    """What deployments cost a month together, on or with this type; None where an amount is not known.

    `full_usd` is PTU for every peak, by term; `cheapest_usd` every deployment bought in its own cheapest way, for certain
    only where `certain`: of the others some way is not known. `unpriced` names the deployments whose pay-as-you-go price
    is not known, `not_offered` those that are not offered so.
    """

    deployment_type: DeploymentType
    payg_usd: Decimal | None
    full_usd: Mapping[str, Decimal | None]
    cheapest_usd: Decimal | None
    certain: bool
    unpriced: tuple[str, ...]
    not_offered: tuple[str, ...]

    @classmethod
    def of(cls, kind: DeploymentType, members: Sequence[DeploymentCost], not_offered: Sequence[str]) -> Total:
        """The sum over these deployments; without an amount where some are not offered."""
        terms = [option.term for option in members[0].options if option.term != PAYG]
        whole = not not_offered
        return cls(
            deployment_type=kind,
            payg_usd=_sum(d.payg_monthly_usd for d in members) if whole else None,
            full_usd={t: _sum(d.option(t).monthly_usd for d in members) if whole else None for t in terms},
            cheapest_usd=_sum(d.cheapest.monthly_usd if d.cheapest else None for d in members) if whole else None,
            certain=whole and all(d.all_known for d in members),
            unpriced=tuple(d.name for d in members if d.payg_monthly_usd is None),
            not_offered=tuple(not_offered),
        )

    def to_dict(self) -> dict[str, Any]:
        """The total as JSON data."""
        return {
            "deployment_type": self.deployment_type.value,
            "payg_monthly_usd": usd_number(self.payg_usd),
            "full_ptu_monthly_usd": {term: usd_number(amount) for term, amount in self.full_usd.items()},
            "cheapest_monthly_usd": usd_number(self.cheapest_usd),
            "cheapest_is_certain": self.certain,
            "unpriced": list(self.unpriced),
            "not_offered": list(self.not_offered),
        }


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


ROW_COLUMNS = (
    "deployment",
    "model",
    "model_version",
    "deployment_type",
    "price_region",
    "way_to_buy",
    "term",
    "ptu",
    "fixed_monthly_usd",
    "spillover_monthly_usd",
    "monthly_usd",
    "vs_payg",
    "usd_per_1m_tokens",
    "reason",
)
"""Columns of the flat rows: for each deployment and type pay-as-you-go, full PTU per term, the cheapest mix per term."""


class CostComparison(NamedTuple):
    """What each deployment costs a month, on each deployment type it may be of, with reservations to buy and notes."""

    version: str
    catalog_as_of: date
    catalog_editions: tuple[str, ...]
    prices_as_of: date
    price_editions: tuple[str, ...]
    oldest_price_capture: date
    headroom: Fraction
    discount: Fraction
    deployments: tuple[DeploymentCost, ...]
    unanswered: tuple[Unanswered, ...]
    reservations: tuple[Reservation, ...]
    notes: tuple[Note, ...]

    @property
    def _open(self) -> list[str]:
        """Names of the deployments whose type is still open."""
        names = [d.name for d in self.deployments if not d.type_given]
        return list(dict.fromkeys([*names, *(each.name for each in self.unanswered if not each.type_given)]))

    @property
    def totals(self) -> tuple[Total, ...]:
        """The sum per deployment type, over the deployments that may be of it.

        A deployment with its own type counts only there; there is no amount where an open one is not offered.
        """
        found = []
        for kind in dict.fromkeys(d.deployment_type for d in self.deployments):
            members = [d for d in self.deployments if d.deployment_type is kind]
            there = {d.name for d in members}
            found.append(Total.of(kind, members, [name for name in self._open if name not in there]))
        return tuple(found)

    @property
    def choices(self) -> tuple[Total, ...]:
        """What all costs together, for each type that every open deployment may be given; the others keep their own."""
        given = [d for d in self.deployments if d.type_given]
        lacking = [each.name for each in self.unanswered]
        if not self._open:
            return (Total.of(given[0].deployment_type, given, lacking),) if given else ()
        return tuple(
            Total.of(
                total.deployment_type,
                [d for d in self.deployments if d.type_given or d.deployment_type is total.deployment_type],
                lacking,
            )
            for total in self.totals
            if not total.not_offered
            and any(not d.type_given for d in self.deployments if d.deployment_type is total.deployment_type)
        )

    def to_dict(self) -> CostDocument:
        """The comparison as JSON data (schema ptucalc.cost/1)."""
        return {
            "schema": SCHEMA,
            "version": self.version,
            "catalog_as_of": self.catalog_as_of.isoformat(),
            "catalog": list(self.catalog_editions),
            "prices_as_of": self.prices_as_of.isoformat(),
            "prices": list(self.price_editions),
            "oldest_price_capture": self.oldest_price_capture.isoformat(),
            "currency": "USD",
            "headroom": json_number(self.headroom),
            "discount": json_number(self.discount),
            "deployments": [d.to_dict() for d in self.deployments],  # type: ignore[misc]
            "unanswered": [each.to_dict() for each in self.unanswered],  # type: ignore[misc]
            "totals": [total.to_dict() for total in self.totals],  # type: ignore[misc]
            "choices": [total.to_dict() for total in self.choices],  # type: ignore[misc]
            "reservations": [r.to_dict() for r in self.reservations],  # type: ignore[misc]
            "notes": [note.to_dict() for note in self.notes],  # type: ignore[misc]
        }

    def rows(self) -> list[dict[str, Any]]:
        """Flat dicts for a data frame, one for each deployment, deployment type and way to buy."""
        found = []
        for d in self.deployments:
            place = (d.name, d.model, d.model_version, d.deployment_type.value, d.price_region)
            ways: list[tuple[str, Any, Any, str | None]] = [
                (PAYG if option.term == PAYG else "full PTU", option, option.term, option.reason or None)
                for option in d.options
            ]
            ways += [("cheapest mix", mix, term.value, None) for term, mix in d.hybrid.items() if mix]
            for way, bought, term, reason in ways:
                money = (bought.fixed_monthly_usd, bought.spillover_monthly_usd, bought.monthly_usd)
                figures = (*map(usd_number, money), _number(bought.vs_payg), _number(bought.usd_per_1m_tokens))
                row = (*place, way, None if term == PAYG else term, bought.ptu, *figures, reason)
                found.append(dict(zip(ROW_COLUMNS, row, strict=True)))
        return found

    def _repr_html_(self) -> str:
        """The ways to buy as an HTML table, escaped, for notebooks."""
        from html import escape

        head = "".join(
            f"<th>{text}</th>" for text in ("Deployment", "Type", "Way to buy", "Term", "PTU", "USD a month")
        )
        body = ""
        for row in self.rows():
            amount = "unknown" if row["monthly_usd"] is None else f"{row['monthly_usd']:,.2f}"
            kind = DeploymentType(row["deployment_type"]).label
            cells = (row["deployment"], kind, row["way_to_buy"], row["term"] or "", f"{row['ptu']:,}", amount)
            body += "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
        notes = "".join(f"<li>{escape(note.message)}</li>" for note in self.notes)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><ul>{notes}</ul>"
