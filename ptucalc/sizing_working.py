"""What a sizing used, so that it can be worked again: tokens and weights of a call, PTU before rounding, sizes sold.

weight of a call = sum over classes of tokens x weight;  weighted TPM = requests per minute x weight of a call
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from ptucalc.deployment_load import Stream
from ptucalc.load import average_rate
from ptucalc.results import Size, SizedWorkload, Sizes, json_number
from ptucalc.sizing_result import SizingResult

__all__ = ["pooled_data", "working_data"]


def working_data(sized: SizingResult) -> Iterator[dict[str, Any]]:
    """What sizing each workload alone used, as JSON data."""
    for workload, deployment in zip(sized.workloads, sized.deployment_of, strict=True):
        yield _workload(workload, deployment, sized.headroom)


def _workload(sized: SizedWorkload, deployment: str, headroom: Fraction) -> dict[str, Any]:
    call, rate = sized.workload, sized.workload.requests_per_minute
    per_call = sized.weighted_tpm / rate
    average = None if sized.measured is not None else average_rate(call)
    return {
        "workload": sized.name,
        "deployment": deployment,
        "model": sized.model.name,
        "model_version": sized.model_version,
        "deployment_type": None if call.deployment_type is None else call.deployment_type.value,
        "region": call.region,
        "measured": sized.measured is not None,
        "long_context": Stream.of(sized).long_context,
        "requests_per_minute": json_number(rate),
        "requests_per_minute_exact": str(rate),
        "average_requests_per_minute": None if average is None else json_number(average),
        "average_requests_per_minute_exact": None if average is None else str(average),
        "tokens_per_call": [
            {
                "token_class": term.token_class.value,
                "tokens": json_number(term.tokens_per_minute / rate),
                "tokens_exact": str(term.tokens_per_minute / rate),
                "weight": json_number(term.weight),
                "weight_exact": str(term.weight),
            }
            for term in sized.terms
        ],
        "weight_per_call": json_number(per_call),
        "weight_per_call_exact": str(per_call),
        "weighted_tpm": json_number(sized.weighted_tpm),
        "weighted_tpm_exact": str(sized.weighted_tpm),
        "tpm_per_ptu": _tpm_per_ptu(sized.sizes),
        "headroom": json_number(headroom),
        "headroom_exact": str(headroom),
        "sizes": _sizes(sized.sizes),
    }


def pooled_data(sized: SizingResult) -> Iterator[dict[str, Any]]:
    """What sizing each deployment used, as JSON data."""
    for deployment in sized.deployments:
        yield {
            "deployment": deployment.name,
            "model": deployment.model.name,
            "workloads": list(deployment.workloads),
            "weighted_tpm_exact": str(deployment.weighted_tpm),
            "added_peaks_weighted_tpm_exact": str(Fraction(*deployment.added_peaks_weighted)),
            "tpm_per_ptu": _tpm_per_ptu(deployment.sizes),
            "sizes": _sizes(deployment.sizes),
        }


def _tpm_per_ptu(sizes: Sizes) -> int:
    """The same on every type: it is the model's."""
    return next(iter(sizes.values())).tpm_per_ptu


def _sizes(sizes: Sizes) -> list[dict[str, Any]]:
    return [_size(size) for size in sizes.values()]


def _size(size: Size) -> dict[str, Any]:
    grid = size.offer.grid
    return {
        "deployment_type": size.deployment_type.value,
        "raw_ptu_exact": str(size.raw_ptu),
        "need_ptu_exact": str(size.need_ptu),
        "minimum": grid.minimum if grid else None,
        "increment": grid.increment if grid else None,
        "ptu": size.ptu,
    }
