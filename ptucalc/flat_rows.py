"""Sized workloads and deployments as flat rows, for CSV and data frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ptucalc.results import SizedDeployment, SizedWorkload, number

__all__ = ["ROW_COLUMNS", "deployment_rows", "workload_rows"]

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


def workload_rows(sized: SizedWorkload, deployment: str) -> Iterator[tuple[Any, ...]]:
    """The flat rows of one workload, one for each deployment type, in the order of ROW_COLUMNS."""
    w = sized.workload
    shape = (
        number(*w.requests_per_minute.as_integer_ratio()),
        w.input_tokens,
        w.output_tokens,
        number(*w.cache_ratio.as_integer_ratio()),
        number(*sized.weighted),
    )
    head = ("workload", sized.name, deployment, sized.model.name, sized.model_version, w.region)
    for kind, size in sized.sizes.items():
        raw, need, utilization, most = size.numbers()
        yield (
            *head,
            kind,
            size.offer.deployment_type.sku_name,
            size.available,
            size.reason or None,
            *shape,
            raw,
            need,
            size.ptu,
            None,
            utilization,
            most,
        )


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
