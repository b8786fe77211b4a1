"""Invented models and catalogs for unit tests. No number here was ever published; the real ones are in cases/."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any

from ptucalc.catalog import (
    Catalog,
    DeploymentType,
    LatencyTarget,
    Model,
    Offer,
    Place,
    Source,
    TokenWeights,
    Unknown,
)
from ptucalc.rounding import Grid
from ptucalc.sizing import plan
from ptucalc.sizing_result import SizingResult
from ptucalc.workload import Workload

GLOBAL, DATA_ZONE, REGIONAL = DeploymentType

TODAY = date(2030, 6, 15)

EVERYWHERE = (Place(version=None, zone=None, regions=("northland", "southland")),)
GRIDS = {GLOBAL: Grid(10, 5), DATA_ZONE: Grid(10, 5), REGIONAL: Grid(40, 40)}


def weights(**given: str | int | Unknown | None) -> TokenWeights:
    """Input 1, cached 0, write 1, output 3 unless given otherwise, as text or integers."""
    whole: dict[str, Any] = {"input": 1, "cached_input": 0, "cache_write": 1, "output": 3, **given}
    return TokenWeights(**{k: v if v is None or isinstance(v, Unknown) else Fraction(v) for k, v in whole.items()})


def a_model(
    name: str = "Alder",
    *,
    grids: dict[DeploymentType, Grid] | None = None,
    places: dict[DeploymentType, tuple[Place, ...] | Unknown] | None = None,
    **given: Any,
) -> Model:
    """A model of which one PTU serves 1,000 weighted TPM, sold 10 by 5 (Regional 40 by 40) in two regions."""
    sold = GRIDS if grids is None else grids
    where = dict.fromkeys(DeploymentType, EVERYWHERE) | (places or {})
    plain: dict[str, Any] = {
        "model_id": None,
        "publisher": "Inventors",
        "versions": (),
        "tpm_per_ptu": 1000,
        "weights": weights(),
        "long_context": None,
        "prompt_limit_tokens": None,
        "latency_target": LatencyTarget(20, 99, "a test"),
        "retirement": None,
        "spillover": True,
        "earlier": (),
        "sources": {"rates": "table"},
    }
    offers = tuple(
        Offer(model=name, deployment_type=kind, grid=sold.get(kind), places=where[kind]) for kind in DeploymentType
    )
    return Model(name=name, offers=offers, **{**plain, **given})


def a_catalog(*models: Model, past: bool = False, largest_deployment_ptu: int = 7000) -> Catalog:
    """A catalog of these models, or of one plain one."""
    table = Source(name="table", title="A table", where="a shelf", published="2030", checked=date(2030, 2, 1))
    return Catalog(
        editions=("invented-1",),
        as_of=date(2030, 3, 1),
        models=models or (a_model(),),
        sources={"table": table},
        largest_deployment_ptu=largest_deployment_ptu,
        past=past,
    )


def calls(rate: Any = 1, input_tokens: Any = 1000, output_tokens: Any = 0, **given: Any) -> Workload:
    """A workload on Alder. With its plain weights, 1 request a minute of 1,000 input tokens is a demand of 1 PTU."""
    return Workload(
        **{
            "model": "Alder",
            "requests_per_minute": rate,
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            **given,
        }
    )


def sized(workloads: Workload | Iterable[Workload], catalog: Catalog | None = None, **given: Any) -> SizingResult:
    """The plan for these workloads on TODAY."""
    listed = [workloads] if isinstance(workloads, Workload) else list(workloads)
    return plan(listed, catalog=catalog or a_catalog(), **{"version": "0", "today": TODAY, **given})


def bought(result: SizingResult) -> dict[str, int | None]:
    """PTU of the only deployment, by deployment type."""
    (deployment,) = result.deployments
    return {kind: size.ptu for kind, size in deployment.sizes.items()}


def note_messages(result: SizingResult, code: str) -> list[str]:
    """The messages of the notes with this code."""
    return [note.message for note in result.notes if note.code == code]


def only(model: Model, *kinds: DeploymentType) -> Model:
    """The model, offered on these deployment types and not on the others."""
    offers = tuple(o if o.deployment_type in kinds else _not_offered(o) for o in model.offers)
    return model._replace(offers=offers)


def _not_offered(offer: Offer) -> Offer:
    return Offer(model=offer.model, deployment_type=offer.deployment_type, grid=None, places=())
