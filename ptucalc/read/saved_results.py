"""Saved JSON of `ptucalc size` and `ptucalc cost` as sides of a difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ptucalc.catalog import DeploymentType
from ptucalc.errors import BadInput, Problem
from ptucalc.plan_diff import Side, SideDeployment, SideWorkload, Value
from ptucalc.prices import PtuTerm

__all__ = ["SAVED", "read_saved"]

_FIELDS = (
    "model",
    "model_version",
    "requests_per_minute",
    "input_tokens",
    "output_tokens",
    "image_input_tokens",
    "image_output_tokens",
    "cache_ratio",
    "cache_write_ratio",
    "deployment_type",
    "region",
    "deployment",
)
"""What a saved result says of a workload: less than its plan does."""


def read_saved(text: str, source: str, *, kind: DeploymentType, term: PtuTerm) -> tuple[str, Side]:
    """The schema of a saved result, and its side: open deployments as that type, amounts on that term. Raises BadInput."""
    import json

    try:
        document = json.loads(text, parse_float=Fraction, parse_constant=str)
    except (json.JSONDecodeError, RecursionError) as error:
        found = error.msg if isinstance(error, json.JSONDecodeError) else "deeply nested data"
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise BadInput([Problem("JSON", found, "valid JSON", source=source, line=line)]) from None
    schema = document.get("schema") if isinstance(document, dict) else None
    read = SAVED.get(str(schema))
    if read is None:
        expected = f"saved JSON of size or cost: {' or '.join(SAVED)}"
        raise BadInput([Problem("schema", str(schema or ""), expected, source=source)])
    try:
        return str(schema), read(document, source, kind, term)
    except (KeyError, TypeError, AttributeError, ValueError, StopIteration) as error:
        found = f"{type(error).__name__} {error}"
        expected = f"what ptucalc writes as {schema}, unchanged"
        raise BadInput([Problem("JSON", found, expected, source=source)]) from None


def _value(value: Any) -> Value:
    if value is None or isinstance(value, str):
        return value
    return Fraction(value)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _of_size(document: Mapping[str, Any], source: str, kind: DeploymentType, term: PtuTerm) -> Side:
    """A saved `ptucalc.size`: workloads with their values, deployments with PTU; it holds no money."""
    deployments, served = [], {}
    for entry in document["deployments"]:
        own = entry["deployment_type"] or kind.value
        size = next((each for each in entry["sizes"] if each["deployment_type"] == own), None)
        reason = f"not sized as {own}" if size is None else size["reason"] or ""
        served.update(dict.fromkeys(entry["workloads"], entry["name"]))
        deployments.append(
            SideDeployment(
                key=str(entry["name"]),
                name=str(entry["name"]),
                model=str(entry["model"]),
                deployment_type=str(own),
                region=_text(entry["region"]),
                workloads=tuple(entry["workloads"]),
                ptu=None if size is None or size["ptu"] is None else int(size["ptu"]),
                monthly_usd=None,
                reason=str(reason),
            )
        )
    workloads = [
        SideWorkload(
            str(entry["name"]),
            served.get(entry["name"]),
            {field: value for field in _FIELDS if (value := _value(entry.get(field))) is not None},
        )
        for entry in document["workloads"]
    ]
    return Side(source, tuple(workloads), tuple(deployments), {"headroom": Fraction(document["headroom"])})


def _of_cost(document: Mapping[str, Any], source: str, kind: DeploymentType, term: PtuTerm) -> Side:
    """A saved `ptucalc.cost`: deployments with PTU for their peak and its cost; of workloads it holds only the names."""
    deployments = []
    workloads = []
    for entry in document["deployments"]:
        if not entry["type_given"] and entry["deployment_type"] != kind.value:
            continue
        option = next((each for each in entry["options"] if each["term"] == term.value), None)
        usd = None if option is None else option["monthly_usd"]
        reason = f"saved without {term.value} prices" if option is None else option["reason"] or ""
        deployments.append(
            SideDeployment(
                key=str(entry["name"]),
                name=str(entry["name"]),
                model=str(entry["model"]),
                deployment_type=str(entry["deployment_type"]),
                region=_text(entry["region"]),
                workloads=tuple(entry["workloads"]),
                ptu=int(entry["peak_ptu"]),
                monthly_usd=None if usd is None else _dollars(Fraction(usd)),
                reason=str(reason),
            )
        )
        workloads += [SideWorkload(str(name), str(entry["name"]), {}) for name in entry["workloads"]]
    if document["deployments"] and not deployments:
        raise BadInput([Problem("sku", kind.value, "a type that the saved result has", source=source)])
    settings = {name: Fraction(document[name]) for name in ("headroom", "discount")}
    return Side(source, tuple(workloads), tuple(deployments), settings)


def _dollars(amount: Fraction) -> Decimal:
    return Decimal(amount.numerator) / Decimal(amount.denominator)  # cents, as they were written


SAVED: Mapping[str, Callable[[Mapping[str, Any], str, DeploymentType, PtuTerm], Side]] = {
    "ptucalc.size/1": _of_size,
    "ptucalc.cost/1": _of_cost,
}
"""The schemas that are read, and how."""
