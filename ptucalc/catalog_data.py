"""A catalog from plain data (dicts, tuples, strings, integers): what a catalog file says once it is checked and complete.

The same plain data is written into the wheel when it is built, so that a start need not read YAML.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from ptucalc.catalog import (
    Catalog,
    ContextLimit,
    DeploymentType,
    EarlierRate,
    Encoding,
    LatencyTarget,
    LazyModels,
    LongContext,
    Model,
    Offer,
    Place,
    Retirement,
    Source,
    TokenClass,
    TokenWeights,
    Unknown,
)
from ptucalc.image_rules import ImagePatches, ImageTiles, PatchBudget
from ptucalc.rounding import Grid

__all__ = ["build_catalog", "merge"]

Plain = Mapping[str, Any]

WHOLE = ("encoding", "image_tokens", "context")
"""Mappings that are replaced as a whole: half of another claim, with its source, would be a false one."""


def merge(under: Plain, over: Plain) -> dict[str, Any]:
    """`over` laid over `under`: mappings are completed key by key, everything else (an unknown too) is replaced.

    So is what WHOLE names.
    """
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        known = (
            key not in WHOLE
            and isinstance(below, dict)
            and isinstance(value, dict)
            and "unknown" not in {*below, *value}
        )
        merged[key] = {**dict(below or {}), **value} if known else value
    return merged


def build_catalog(data: Plain) -> Catalog:
    """The catalog that complete plain data describes."""
    groups: Plain = data["region_groups"]
    entries = data["models"]
    return Catalog(
        editions=tuple(data["editions"]),
        as_of=date.fromisoformat(data["as_of"]),
        models=LazyModels(
            [(entry["name"], entry.get("model_id")) for entry in entries], lambda i: _model(entries[i], groups)
        ),
        sources={name: _source(name, entry) for name, entry in data["sources"].items()},
        largest_deployment_ptu=data["limits"]["largest_deployment_ptu"],
        past=data["past"],
    )


def _source(name: str, entry: Plain) -> Source:
    return Source(name, entry["title"], entry["where"], entry["published"], date.fromisoformat(entry["checked"]))


def _model(entry: Plain, groups: Plain) -> Model:
    name = entry["name"]
    weights = _weights(entry.get("weights", {}))
    long, latency = entry.get("long_context"), entry.get("latency_target")
    regions, minimum, increment = entry.get("regions", {}), entry.get("minimum_ptu"), entry.get("increment_ptu")
    grids = _grids(minimum, increment)
    return Model(
        name=name,
        model_id=entry.get("model_id"),
        publisher=entry["publisher"],
        versions=tuple(entry.get("versions", ())),
        tpm_per_ptu=_known(entry["tpm_per_ptu"]),
        weights=weights,
        long_context=None
        if long is None
        else LongContext(
            long["over_input_tokens"], long["source"], _weights(long["weights"]) if long.get("weights") else None
        ),
        prompt_limit_tokens=entry.get("prompt_limit_tokens"),
        latency_target=_latency(latency),
        offers=tuple(
            Offer(name, kind, grids.get(kind), _places(regions.get(kind.value), groups)) for kind in DeploymentType
        ),
        retirement=_retirement(entry),
        spillover=_known(entry.get("spillover", {"unknown": "not stated"})),
        earlier=tuple(_earlier(earlier, entry) for earlier in entry.get("earlier", ())),
        sources={
            what: entry[key]
            for what, key in (("rates", "source"), ("regions", "regions_source"), ("spillover", "spillover_source"))
            if entry.get(key)
        }
        | {key: entry[key]["source"] for key in ("long_context", "retirement", "last_listed") if entry.get(key)}
        | {key: entry[key]["source"] for key in WHOLE if entry.get(key, {}).get("source")},
        remarks=(*entry.get("remarks", ()), *(f"sources disagree: {text}" for text in entry.get("conflicts", ()))),
        encoding=_encoding(entry.get("encoding", {"unknown": "this catalog names none"})),
        image_tokens=_image_tokens(entry.get("image_tokens", {"unknown": "this catalog names no rule"})),
        context=_context(entry.get("context", {"unknown": "this catalog names none"})),
    )


def _encoding(entry: Plain) -> Encoding | Unknown:
    if "unknown" in entry:
        return Unknown(entry["unknown"])
    return Encoding(entry["name"], entry["verified"], entry["source"])


def _context(entry: Plain) -> ContextLimit | Unknown:
    if "unknown" in entry:
        return Unknown(entry["unknown"])
    return ContextLimit(entry["input_tokens"], entry["verified"], entry["source"])


def _image_tokens(entry: Plain) -> ImageTiles | ImagePatches | Unknown:
    if "unknown" in entry:
        return Unknown(entry["unknown"])
    if "base" in entry:
        return ImageTiles(entry["base"], entry["per_tile"], entry["verified"], entry["source"])
    details = {
        detail: PatchBudget(budget["patches"], budget["longest_side_px"]) for detail, budget in entry["details"].items()
    }
    return ImagePatches(Fraction(*entry["multiplier"]), details, entry["verified"], entry["source"])


def _known(value: Any) -> Any:
    return Unknown(value["unknown"]) if isinstance(value, dict) else value


def _weights(entry: Plain) -> TokenWeights:
    values: dict[str, Fraction | Unknown | None] = {}
    for token_class in TokenClass:
        value = entry.get(token_class.value)
        values[token_class.value] = Fraction(*value) if isinstance(value, tuple) else _known(value)
    return TokenWeights(**values)


def _grids(minimum: Any, increment: Any) -> dict[DeploymentType, Grid]:
    if not isinstance(minimum, dict) or not isinstance(increment, dict):
        return {}
    return {kind: Grid(minimum[kind.value], increment[kind.value]) for kind in DeploymentType if kind.value in minimum}


def _latency(entry: Plain | None) -> LatencyTarget | Unknown:
    if entry is None or entry.get("unknown"):
        return Unknown(entry["unknown"] if entry else "no latency target is known")
    return LatencyTarget(entry["tokens_per_second"], entry["percent_of_requests"], entry["basis"])


def _retirement(entry: Plain) -> Retirement | None:
    end = entry.get("retirement")
    if end:
        return Retirement(date.fromisoformat(end["date"]), end["source"], end.get("third_party", False))
    last = entry.get("last_listed")
    if last:
        return Retirement(date.fromisoformat(last["date"]), last["source"], third_party=False, last_listed=True)
    return None


def _places(value: Any, groups: Plain) -> tuple[Place, ...] | Unknown:
    """The places of one deployment type: (version, zone, regions) rows, none, or unknown."""
    if value is None:
        return Unknown("the catalog does not say where it is offered")
    if isinstance(value, dict):
        return Unknown(value["unknown"])
    rows: Iterable[tuple[str | None, str | None, Any]] = value
    return tuple(Place(version, zone, _regions(regions, groups)) for version, zone, regions in rows)


def _regions(value: Any, groups: Plain) -> tuple[str, ...] | Unknown:
    if isinstance(value, dict):
        return Unknown(value["unknown"])
    if isinstance(value, str):
        regions: tuple[str, ...] = groups[value]
        return regions
    return tuple(value)


def _earlier(entry: Plain, model: Plain) -> EarlierRate:
    return EarlierRate(
        as_of=entry["as_of"],
        tpm_per_ptu=entry.get("tpm_per_ptu", model["tpm_per_ptu"]),
        weights=_weights({**model.get("weights", {}), **entry.get("weights", {})}),
        grids=_grids(entry.get("minimum_ptu"), entry.get("increment_ptu")),
        kinds=tuple(map(DeploymentType, entry["deployment_types"])) if entry.get("deployment_types") else None,
        source=entry["source"],
    )
