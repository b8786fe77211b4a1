"""Sized workloads and deployments as flat rows, for CSV and data frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ptucalc.results import SizedDeployment, SizedWorkload, figures, needed, number, tokens_number
from ptucalc.rounding import Grid
from ptucalc.workload import Workload

__all__ = ["ROW_COLUMNS", "Sold", "Weighed", "deployment_rows", "weigh", "weighed_rows", "workload_rows"]

ROW_COLUMNS = (
    "row_type",
    "name",
    "deployment",
    "model",
    "model_version",
    "region",
    "deployment_type",
    "sku_name",
    "available",
    "reason",
    "requests_per_minute",
    "input_tokens",
    "output_tokens",
    "cache_ratio",
    "weighted_tpm",
    "raw_ptu",
    "need_ptu",
    "ptu_alone",
    "ptu",
    "utilization",
    "max_requests_per_minute",
)
"""Columns of the flat rows. A workload's row has `ptu_alone`, a deployment's `ptu`: summing `ptu` counts nothing twice."""


class Sold(NamedTuple):
    """A deployment type as rows show it. `grid` is None where it cannot be sized there: not offered, or no sizes known."""

    kind: str
    sku_name: str
    available: bool | None
    reason: str | None
    grid: Grid | None
    tpm_per_ptu: int


class Weighed(NamedTuple):
    """What rows show of a workload beside its deployment. Rates, ratio and weighted TPM are numerator and denominator."""

    name: str
    rate: tuple[int, int]
    input_tokens: int | float
    output_tokens: int | float
    cache_ratio: tuple[int, int]
    weighted: tuple[int, int]


def weighed_rows(
    place: tuple[str, str, str | None, str | None],
    sold: Sequence[Sold],
    headroom: tuple[int, int],
    weighed: Weighed,
) -> Iterator[tuple[Any, ...]]:
    """The rows of one workload, one for each deployment type, in the order of ROW_COLUMNS.

    `place` is the deployment's name, model, version and region; `headroom` a share as numerator and denominator.
    """
    name, rate, input_tokens, output_tokens, cache_ratio, weighted = weighed
    shape = (number(*rate), input_tokens, output_tokens, number(*cache_ratio), number(*weighted))
    for kind, sku_name, available, reason, grid, tpm_per_ptu in sold:
        ptu = None if grid is None else grid.round_up(*needed(weighted, headroom, tpm_per_ptu))
        raw, need, utilization, most = figures(weighted, rate, headroom, tpm_per_ptu, ptu)
        yield (
            "workload",
            name,
            *place,
            kind,
            sku_name,
            available,
            reason,
            *shape,
            raw,
            need,
            ptu,
            None,
            utilization,
            most,
        )


def weigh(workload: Workload, name: str, weighted: tuple[int, int]) -> Weighed:
    """What rows show of this workload."""
    rate, ratio = workload.requests_per_minute, workload.cache_ratio
    return Weighed(
        name,
        (rate.numerator, rate.denominator),
        tokens_number(workload.input_tokens),
        tokens_number(workload.output_tokens),
        (ratio.numerator, ratio.denominator),
        weighted,
    )


def workload_rows(sized: SizedWorkload, deployment: str) -> Iterator[tuple[Any, ...]]:
    """The rows of one sized workload, one for each deployment type, in the order of ROW_COLUMNS."""
    place = (deployment, sized.model.name, sized.model_version, sized.workload.region)
    sizes = tuple(sized.sizes.values())
    sold = [
        Sold(
            size.deployment_type.value,
            size.deployment_type.sku_name,
            size.available,
            size.reason or None,
            None if size.ptu is None else size.offer.grid,
            size.tpm_per_ptu,
        )
        for size in sizes
    ]
    return weighed_rows(place, sold, sizes[0].headroom, weigh(sized.workload, sized.name, sized.weighted))


def deployment_rows(sized: SizedDeployment) -> Iterator[tuple[Any, ...]]:
    """The flat rows of one deployment, one for each deployment type, in the order of ROW_COLUMNS."""
    for kind, size in sized.sizes.items():
        raw, need, utilization, most = size.numbers()
        yield (
            "deployment",
            sized.name,
            sized.name,
            sized.model.name,
            sized.model_version,
            sized.region,
            kind,
            size.offer.deployment_type.sku_name,
            size.available,
            size.reason or None,
            number(*sized.rate),
            None,
            None,
            None,
            number(*sized.weighted),
            raw,
            need,
            None,
            size.ptu,
            utilization,
            most,
        )
