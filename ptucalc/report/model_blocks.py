"""The catalog as blocks, rows and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from ptucalc.catalog import (
    Catalog,
    ContextLimit,
    DeploymentType,
    Encoding,
    Model,
    Offer,
    TokenClass,
    TokenWeights,
    Unknown,
)
from ptucalc.image_rules import ImagePatches, ImageTiles
from ptucalc.report.blocks import Block, Cell, Column, Headline, Remark, Table, amount_text
from ptucalc.results import json_number

if TYPE_CHECKING:
    from ptucalc.documents import CatalogDocument

__all__ = ["MODEL_COLUMNS", "catalog_document", "model_blocks", "model_rows"]

SCHEMA: Final = "ptucalc.models/1"


def model_blocks(
    catalog: Catalog, models: Sequence[Model], *, verbose: bool, quiet: bool, today: date
) -> Iterator[Block]:
    """A table of models; with `verbose` everything about each, with sources."""
    if verbose:
        for model in models:
            yield from _details(catalog, model)
    else:
        yield _table(catalog, models)
    if quiet:
        return
    checked = catalog.oldest_check(models)
    count = f"{len(models)} of {len(catalog)} models" if len(models) != len(catalog) else f"{len(models)} models"
    age = (today - checked).days
    yield Remark(
        "Rates",
        f"{count} of {' + '.join(catalog.editions)}, as of {catalog.as_of}; the oldest fact was checked on {checked}, "
        f"{age:,} day{'' if age == 1 else 's'} ago.",
    )
    if not verbose:
        yield Remark("", "? = not published, or no table read says so; -v shows everything, with sources")


def _table(catalog: Catalog, models: Sequence[Model]) -> Table:
    table = Table(
        [
            Column("Model", folds=True),
            Column("TPM/PTU", right=True),
            Column("Out", right=True),
            Column("Cached", right=True),
            *(Column(kind.label, right=True) for kind in DeploymentType),
            Column("Target", right=True, optional=True),
            Column("Retires", optional=True),
            Column("Publisher", optional=True, folds=True),
        ]
    )
    for model in models:
        tpm, target = model.tpm_per_ptu, model.latency_target
        output = model.weights.image_output if model.weights.output is None else model.weights.output
        table.rows.append(
            [
                Cell(model.name),
                Cell("?" if isinstance(tpm, Unknown) else f"{tpm:,}"),
                Cell(f"× {_weight(output)}"),
                Cell(f"× {_weight(model.weights.cached_input)}"),
                *(Cell(_sold(model.offer(kind))) for kind in DeploymentType),
                Cell("?" if isinstance(target, Unknown) else f"{target.tokens_per_second} tok/s"),
                Cell(_end(model), "warn"),
                Cell(model.publisher, "dim"),
            ]
        )
    return table


def _weight(value: Fraction | Unknown | None) -> str:
    return amount_text(value, 6) if isinstance(value, Fraction) else "?"


def _sold(offer: Offer) -> str:
    """ "15 +5": from 15 by 5; a dash where the type is not offered."""
    found = offer.availability().available
    if found is False:
        return "—"
    if offer.grid is None:
        return "?"
    return f"{offer.grid.minimum:,} +{offer.grid.increment:,}{'?' if found is None else ''}"


def _end(model: Model) -> str:
    end = model.retirement
    if end is None:
        return ""
    return f"listed to {end.day}" if end.last_listed else f"{end.day}"


def _details(catalog: Catalog, model: Model) -> Iterator[Block]:
    tpm, long, target = model.tpm_per_ptu, model.long_context, model.latency_target
    yield Headline(model.name, " · ".join(part for part in (model.publisher, model.model_id) if part))
    if model.versions:
        yield Remark("Versions", ", ".join(model.versions), "")
    said = f"unknown: {tpm.reason}" if isinstance(tpm, Unknown) else f"{tpm:,} weighted tokens per minute"
    yield Remark("One PTU", said, "")
    if any(model.weights.of(token_class) is not None for token_class in TokenClass):
        yield Remark("Weights", _weights(model.weights), "")
    if long is not None:
        more = _weights(long.weights) if long.weights else "the same weights on PTU"
        yield Remark("Long", f"over {long.over_input_tokens:,} input tokens ({long.source}): {more}", "")
    if model.prompt_limit_tokens:
        yield Remark("Limit", f"prompts over {model.prompt_limit_tokens:,} tokens are refused on PTU", "")
    if isinstance(target, Unknown):
        yield Remark("Latency", f"unknown: {target.reason}", "")
    else:
        text = f"over {target.tokens_per_second} tokens/s for {target.percent_of_requests}% of requests, {target.basis}"
        yield Remark("Latency", text, "")
    for kind in DeploymentType:
        yield Remark(kind.label, _where(model.offer(kind)), "")
    spill = model.spillover
    if not isinstance(spill, Unknown):
        yield Remark("Spills", "spillover is supported" if spill else "spillover is not supported", "")
    yield Remark("Context", _context(model.context), "")
    yield Remark("Encoding", _encoding(model.encoding), "")
    yield Remark("Images", _images(model.image_tokens), "")
    if model.retirement:
        end = model.retirement
        doubt = ", third party, not checked against Microsoft" if end.third_party else ""
        yield Remark(
            "Ends", f"{'last listed' if end.last_listed else 'retires'} {end.day} ({end.source}{doubt})", "warn"
        )
    for earlier in model.earlier:
        yield Remark(
            "Earlier", f"{earlier.as_of}: {earlier.tpm_per_ptu:,} TPM per PTU; {_weights(earlier.weights)}", ""
        )
    for text in model.remarks:
        yield Remark("Remark", text, "warn")
    for name in dict.fromkeys(model.sources.values()):
        source = catalog.sources[name]
        yield Remark(
            "Source", f"{name}: {source.title}; published {source.published}, checked {source.checked}; {source.where}"
        )


def _weights(weights: TokenWeights) -> str:
    parts = []
    for token_class in TokenClass:
        weight = weights.of(token_class)
        if isinstance(weight, Unknown):
            parts.append(f"{token_class.label} unknown ({weight.reason})")
        elif weight is not None:
            parts.append(f"{token_class.label} {_weight(weight)}")
    return ", ".join(parts)


def _encoding(encoding: Encoding | Unknown) -> str:
    return f"unknown: {encoding.reason}" if isinstance(encoding, Unknown) else f"{encoding.name}{_doubt(encoding)}"


def _context(limit: ContextLimit | Unknown) -> str:
    if isinstance(limit, Unknown):
        return f"unknown: {limit.reason}"
    return f"at most {limit.input_tokens:,} input tokens{_doubt(limit)}"


def _images(rule: ImageTiles | ImagePatches | Unknown) -> str:
    match rule:
        case Unknown(reason):
            return f"unknown: {reason}"
        case ImageTiles(base, per_tile):
            return f"{base:,} tokens, and {per_tile:,} for each tile{_doubt(rule)}"
        case ImagePatches(multiplier, details):
            budgets = "; ".join(
                f"{detail} at most {budget.patches:,} patches and {budget.longest_side_px:,} px"
                for detail, budget in details.items()
            )
            return f"{_weight(multiplier)} tokens for each patch; {budgets}{_doubt(rule)}"


def _doubt(claim: ContextLimit | Encoding | ImageTiles | ImagePatches) -> str:
    return f" ({claim.source}{'' if claim.verified else '; not verified: not in the words of its maker'})"


def _where(offer: Offer) -> str:
    found = offer.availability()
    grid = "" if offer.grid is None else f"from {offer.grid.minimum:,} by {offer.grid.increment:,}"
    if not found.available or isinstance(offer.places, Unknown):
        return "; ".join(part for part in (grid, found.reason) if part)
    parts = []
    for place in offer.places:
        label = ", ".join(part for part in (place.version, place.zone and place.zone.upper()) if part)
        regions = place.regions.reason if isinstance(place.regions, Unknown) else ", ".join(place.regions)
        parts.append(f"{label + ': ' if label else ''}{regions}")
    return "; ".join([part for part in (grid,) if part] + parts)


MODEL_COLUMNS = (
    "name",
    "model_id",
    "publisher",
    "versions",
    "tpm_per_ptu",
    *(f"weight_{token_class.value}" for token_class in TokenClass),
    *(f"{size}_{kind.value}" for kind in DeploymentType for size in ("minimum", "increment")),
    "prompt_limit_tokens",
    "latency_target_tps",
    "retirement_date",
    "source",
)


def model_rows(models: Sequence[Model]) -> Iterator[tuple[Any, ...]]:
    """Flat rows, one for each model, in the order of MODEL_COLUMNS; unknown is empty."""
    for model in models:
        weights = (model.weights.of(token_class) for token_class in TokenClass)
        grids = [model.offer(kind).grid for kind in DeploymentType]
        target, end = model.latency_target, model.retirement
        yield (
            model.name,
            model.model_id,
            model.publisher,
            " ".join(model.versions),
            None if isinstance(model.tpm_per_ptu, Unknown) else model.tpm_per_ptu,
            *(json_number(weight) if isinstance(weight, Fraction) else None for weight in weights),
            *(value for grid in grids for value in ((grid.minimum, grid.increment) if grid else (None, None))),
            model.prompt_limit_tokens,
            None if isinstance(target, Unknown) else target.tokens_per_second,
            end.day.isoformat() if end and not end.last_listed else None,
            model.sources.get("rates"),
        )


def catalog_document(catalog: Catalog, models: Sequence[Model], *, version: str) -> CatalogDocument:
    """The models as JSON data (schema ptucalc.models/1)."""
    return {
        "schema": SCHEMA,
        "version": version,
        "catalog_as_of": catalog.as_of.isoformat(),
        "catalog": list(catalog.editions),
        "oldest_check": catalog.oldest_check(models).isoformat(),
        "models": [_entry(model) for model in models],  # type: ignore[misc]
        "sources": {
            name: {
                "title": source.title,
                "where": source.where,
                "published": source.published,
                "checked": source.checked.isoformat(),
            }
            for name, source in catalog.sources.items()
        },
        "notes": [],
    }


def _entry(model: Model) -> dict[str, Any]:
    long, target, end = model.long_context, model.latency_target, model.retirement
    known_target = None if isinstance(target, Unknown) else target
    return {
        "name": model.name,
        "model_id": model.model_id,
        "publisher": model.publisher,
        "versions": list(model.versions),
        "tpm_per_ptu": _json(model.tpm_per_ptu),
        "weights": _json_weights(model.weights),
        "long_context_over_input_tokens": long.over_input_tokens if long else None,
        "long_context_weights": _json_weights(long.weights) if long and long.weights else None,
        "prompt_limit_tokens": model.prompt_limit_tokens,
        "latency_target_tps": known_target.tokens_per_second if known_target else None,
        "latency_target_basis": known_target.basis if known_target else None,
        "offers": [_offer(model.offer(kind)) for kind in DeploymentType],
        "retirement_date": end.day.isoformat() if end and not end.last_listed else None,
        "last_listed": end.day.isoformat() if end and end.last_listed else None,
        "spillover": _json(model.spillover),
        "encoding": model.encoding.name if isinstance(model.encoding, Encoding) else _json(model.encoding),
        "encoding_verified": model.encoding.verified if isinstance(model.encoding, Encoding) else None,
        "image_tokens": _json_images(model.image_tokens),
        "context_input_tokens": _json(model.context)
        if isinstance(model.context, Unknown)
        else model.context.input_tokens,
        "context_verified": None if isinstance(model.context, Unknown) else model.context.verified,
        "sources": dict(model.sources),
        "remarks": list(model.remarks),
    }


def _json(value: Any) -> Any:
    if isinstance(value, Unknown):
        return {"unknown": value.reason}
    return json_number(value) if isinstance(value, Fraction) else value


def _json_images(rule: ImageTiles | ImagePatches | Unknown) -> dict[str, Any]:
    match rule:
        case Unknown(reason):
            return {"unknown": reason}
        case ImageTiles(base, per_tile, verified):
            return {"base": base, "per_tile": per_tile, "verified": verified}
        case ImagePatches(multiplier, details, verified):
            budgets = {detail: budget._asdict() for detail, budget in details.items()}
            return {"multiplier": json_number(multiplier), "details": budgets, "verified": verified}


def _json_weights(weights: TokenWeights) -> dict[str, Any]:
    return {c.value: _json(weights.of(c)) for c in TokenClass if weights.of(c) is not None}


def _offer(offer: Offer) -> dict[str, Any]:
    found = offer.availability()
    places = () if isinstance(offer.places, Unknown) else tuple(place.regions for place in offer.places)
    listed = [regions for regions in places if not isinstance(regions, Unknown)]
    told = not isinstance(offer.places, Unknown) and len(listed) == len(places)
    return {
        "deployment_type": offer.deployment_type.value,
        "sku_name": offer.deployment_type.sku_name,
        "available": found.available,
        "reason": found.reason or None,
        "minimum": offer.grid.minimum if offer.grid else None,
        "increment": offer.grid.increment if offer.grid else None,
        "regions": sorted({region for regions in listed for region in regions}) if told else None,
        "places": None
        if isinstance(offer.places, Unknown)
        else [
            {
                "model_version": place.version,
                "zone": place.zone,
                "regions": _json(place.regions) if isinstance(place.regions, Unknown) else list(place.regions),
            }
            for place in offer.places
        ],
    }
