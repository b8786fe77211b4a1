"""The inverse of sizing: how much of a call fits in so many PTU."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ptucalc import exact
from ptucalc.catalog import Catalog, DeploymentType
from ptucalc.demand import Demand
from ptucalc.errors import BadInput, Problem
from ptucalc.exact import Exact
from ptucalc.resolving import Resolver
from ptucalc.results import Note, json_number
from ptucalc.workload import Workload

if TYPE_CHECKING:
    from ptucalc.documents import RatesDocument

__all__ = ["Fit", "Fits", "fits", "largest_rate"]

SCHEMA: Final = "ptucalc.rates/1"


class Fit(NamedTuple):
    """What one number of PTU carries; `sold_as` says for each deployment type whether that number can be bought."""

    ptu: int
    max_requests_per_minute: Fraction | None
    utilization: Fraction | None
    sold_as: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Fits:
    """The largest rate of one call shape that fits in each of some numbers of PTU.

    `utilization` (of a Fit) is that of the workload's own rate, None where it had none. `weight_per_call` is in
    weighted tokens.
    """

    version: str
    catalog_as_of: date
    model: str
    model_version: str | None
    tpm_per_ptu: int
    weight_per_call: Fraction
    headroom: Fraction
    fits: tuple[Fit, ...]
    notes: tuple[Note, ...] = ()

    def to_dict(self) -> RatesDocument:
        """The answer as JSON data (schema ptucalc.rates/1)."""
        return {
            "schema": SCHEMA,
            "version": self.version,
            "catalog_as_of": self.catalog_as_of.isoformat(),
            "model": self.model,
            "model_version": self.model_version,
            "tpm_per_ptu": self.tpm_per_ptu,
            "weight_per_call": json_number(self.weight_per_call),
            "headroom": json_number(self.headroom),
            "rates": [_row(fit) for fit in self.fits],  # type: ignore[misc]
            "notes": [note.to_dict() for note in self.notes],  # type: ignore[misc]
        }

    def rows(self) -> list[dict[str, Any]]:
        """Flat dicts, one for each number of PTU."""
        return [
            {"model": self.model, **{key: value for key, value in _row(fit).items() if key != "sold_as"}, **fit.sold_as}
            for fit in self.fits
        ]


def _row(fit: Fit) -> dict[str, Any]:
    most, use = fit.max_requests_per_minute, fit.utilization
    return {
        "ptu": fit.ptu,
        "max_requests_per_minute": None if most is None else json_number(most),
        "utilization": None if use is None else json_number(use),
        "sold_as": dict(fit.sold_as),
    }


def fits(
    workload: Workload,
    counts: Iterable[int],
    *,
    catalog: Catalog,
    headroom: Exact = 0,
    rate_given: bool = True,
    version: str,
    kinds: Iterable[DeploymentType] = tuple(DeploymentType),
    notes: tuple[Note, ...] = (),
) -> Fits:
    """Largest rate of this workload's calls for each number of PTU. Raises BadInput where it cannot be sized.

    max requests per minute = PTU x TPM per PTU / ((1 + headroom) x weight of one call).
    """
    found = Resolver(catalog).resolve(workload)
    try:
        share = exact.headroom(headroom)
    except ValueError as error:
        raise BadInput([Problem("headroom", str(headroom), str(error))]) from None
    weighted = Fraction(*Demand.of(workload).weighted(found.weights))
    per_call = weighted / workload.requests_per_minute
    answers = []
    for ptu in counts:
        try:
            exact.positive(ptu)
        except ValueError as error:
            raise BadInput([Problem("ptu", str(ptu), str(error))]) from None
        sold = {}
        for kind in kinds:
            offer = found.model.offer(kind)
            offered = offer.availability(version=found.version, region=workload.region).available is not False
            sold[kind.value] = offered and offer.grid is not None and offer.grid.holds(ptu)
        capacity = ptu * found.tpm_per_ptu
        most = capacity / (per_call * (1 + share)) if per_call else None
        answers.append(Fit(ptu, most, weighted / capacity if rate_given else None, sold))
    return Fits(
        version=version,
        catalog_as_of=catalog.as_of,
        model=found.model.name,
        model_version=found.version,
        tpm_per_ptu=found.tpm_per_ptu,
        weight_per_call=per_call,
        headroom=share,
        fits=tuple(answers),
        notes=notes,
    )


def largest_rate(workload: Workload, ptu: int, *, catalog: Catalog, headroom: Exact = 0) -> Fraction | None:
    """Largest rate, in requests per minute, of this workload's calls that fits in `ptu` PTU; None if a call weighs 0."""
    return fits(workload, [ptu], catalog=catalog, headroom=headroom, version="").fits[0].max_requests_per_minute
