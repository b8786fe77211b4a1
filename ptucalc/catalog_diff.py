"""Two catalogs side by side: which published numbers of which models differ."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from typing import NamedTuple

from ptucalc.catalog import Catalog, DeploymentType, Model, TokenClass, Unknown
from ptucalc.plan_diff import Described, FieldChange, Kind, Value

__all__ = ["ModelChange", "catalog_differences"]


class ModelChange(NamedTuple):
    """What became of a model between two catalogs."""

    kind: Kind
    model: str
    changes: tuple[FieldChange, ...]


def catalog_differences(old: Catalog, new: Catalog, only: Collection[str] | None = None) -> tuple[ModelChange, ...]:
    """The models that differ, in the order of the new catalog, then those that are gone; `only` those of these names."""
    before = {model.name: model for model in old}
    after = {model.name: model for model in new}
    found = []
    for name, model in after.items():
        if name not in before:
            found.append(ModelChange(Kind.ADDED, name, ()))
            continue
        was, now = _facts(before[name]), _facts(model)
        changes = [FieldChange(each, was.get(each), now.get(each)) for each in dict.fromkeys([*was, *now])]
        differing = tuple(change for change in changes if change.old != change.new)
        if differing:
            found.append(ModelChange(Kind.CHANGED, name, differing))
    found += [ModelChange(Kind.REMOVED, name, ()) for name in before if name not in after]
    return tuple(change for change in found if only is None or change.model in only)


def _facts(model: Model) -> dict[str, Value]:
    """The numbers that decide sizes, by name; what nobody published is "unknown"."""
    return {name: value for name, value in _each(model) if value is not None}


def _each(model: Model) -> Iterator[tuple[str, Value]]:
    yield "tpm_per_ptu", _value(model.tpm_per_ptu)
    for token_class in TokenClass:
        yield f"weight of {token_class.label}", _value(model.weights.of(token_class))
    if model.long_context is not None:
        yield "long context over input_tokens", Fraction(model.long_context.over_input_tokens)
        if model.long_context.weights is not None:
            for token_class in TokenClass:
                yield f"long-context weight of {token_class.label}", _value(model.long_context.weights.of(token_class))
    yield "prompt_limit_tokens", None if model.prompt_limit_tokens is None else Fraction(model.prompt_limit_tokens)
    for kind in DeploymentType:
        offer = model.offer(kind)
        if offer.grid is not None:
            yield f"{kind} minimum", Fraction(offer.grid.minimum)
            yield f"{kind} increment", Fraction(offer.grid.increment)
        available = offer.availability().available
        yield f"{kind} offered", "unknown" if available is None else "yes" if available else "no"
        if not isinstance(offer.places, Unknown):
            listed = [place.regions for place in offer.places if not isinstance(place.regions, Unknown)]
            regions = frozenset(region for each in listed for region in each)
            yield f"{kind} regions", Described(f"{len(regions)} regions", regions) if regions else None
    if model.retirement is not None and not model.retirement.last_listed:
        yield "retirement", model.retirement.day.isoformat()


def _value(value: Fraction | int | Unknown | None) -> Value:
    if isinstance(value, Unknown):
        return "unknown"
    return None if value is None else Fraction(value)
