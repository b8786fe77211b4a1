"""The library's front door: what the pure modules do, with the bundled catalog and today's date filled in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction

from ptucalc import __version__, sizing
from ptucalc.catalog import Catalog, DeploymentType
from ptucalc.errors import BadInput, Problem
from ptucalc.exact import Exact
from ptucalc.read.catalog import load_catalog
from ptucalc.sizing_result import SizingResult
from ptucalc.workload import Workload

__all__ = ["deployment_types_of", "largest_rate", "size"]


def size(
    workloads: Workload | Iterable[Workload],
    *,
    catalog: Catalog | None = None,
    sku: str | Iterable[str] = "all",
    headroom: Exact = 0,
    today: date | None = None,
) -> SizingResult:
    """PTU that one workload or many need, alone and pooled per deployment, for each deployment type.

    `sku` is "all", one deployment type, or several; `headroom` a share to add before rounding (0.15, "15%"); `today`
    decides what counts as retired (default: the computer's date). Raises BadInput with every problem of every
    workload. A type that the model is not offered on has `ptu` None and a reason.

    >>> chat = Workload(model="gpt-4.1", requests_per_minute=600, input_tokens=1800, output_tokens=250, cache_ratio=0.4)
    >>> {kind: size.ptu for kind, size in size(chat).sizes.items()}
    {'global': 420, 'data-zone': 420, 'regional': 450}
    """
    return sizing.plan(
        [workloads] if isinstance(workloads, Workload) else workloads,
        catalog=catalog or load_catalog(),
        deployment_types=deployment_types_of(sku),
        headroom=headroom,
        version=__version__,
        today=today or date.today(),
    )


def largest_rate(
    workload: Workload, ptu: int, *, catalog: Catalog | None = None, headroom: Exact = 0
) -> Fraction | None:
    """Largest rate of this workload's calls that fits in `ptu` PTU, in requests per minute; None if a call weighs 0.

    >>> call = Workload(model="gpt-4.1", requests_per_minute=1, input_tokens=2000, output_tokens=250)
    >>> largest_rate(call, 100)
    Fraction(100, 1)
    """
    from ptucalc import inverse

    return inverse.largest_rate(workload, ptu, catalog=catalog or load_catalog(), headroom=headroom)


def deployment_types_of(sku: str | Iterable[str]) -> tuple[DeploymentType, ...]:
    """The deployment types that "all", a name or several names mean, in the usual order. Raises BadInput."""
    names = [sku] if isinstance(sku, str) else list(sku)
    chosen: set[DeploymentType] = set()
    problems = []
    for name in names:
        try:
            chosen |= set(DeploymentType) if name.strip().casefold() == "all" else {DeploymentType.parse(name)}
        except ValueError as error:
            problems.append(Problem("sku", name, f"all, {error}"))
    if problems or not chosen:
        raise BadInput(problems or [Problem("sku", "", "all, global, data-zone or regional")])
    return tuple(kind for kind in DeploymentType if kind in chosen)
