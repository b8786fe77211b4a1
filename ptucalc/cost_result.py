"""What a cost comparison yields: every deployment, totals, what to reserve; as values, JSON data, flat rows, HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ptucalc.catalog import DeploymentType, Source
from ptucalc.deployment_cost import PAYG, DeploymentCost, number_or_none
from ptucalc.money import usd_number
from ptucalc.reservations import Reservation
from ptucalc.results import Note, json_number

if TYPE_CHECKING:
    from ptucalc.documents import CostDocument

__all__ = ["ROW_COLUMNS", "CostComparison", "Total", "Unanswered"]

SCHEMA: Final = "ptucalc.cost/1"


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
    """What each deployment costs a month, on each deployment type it may be of, with reservations to buy and notes.

    `price_sources` are those of the prices used, the one read longest ago first.
    """

    version: str
    catalog_as_of: date
    catalog_editions: tuple[str, ...]
    prices_as_of: date
    price_editions: tuple[str, ...]
    oldest_price_capture: date
    price_sources: tuple[Source, ...]
    headroom: Fraction
    discount: Fraction
    deployments: tuple[DeploymentCost, ...]
    unanswered: tuple[Unanswered, ...]
    reservations: tuple[Reservation, ...]
    notes: tuple[Note, ...]

    @property
    def cheapest_deployment(self) -> DeploymentCost:
        """The deployment and type whose cheapest way costs least; the first where no cheapest is known."""
        return min(self.deployments, key=lambda d: (d.cheapest and d.cheapest.monthly_usd) or Decimal("Infinity"))

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
            "price_sources": [
                {"name": s.name, "title": s.title, "checked": s.checked.isoformat()} for s in self.price_sources
            ],
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
                figures = (
                    *map(usd_number, money),
                    number_or_none(bought.vs_payg),
                    number_or_none(bought.usd_per_1m_tokens),
                )
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
