"""Where models can be deployed, as blocks and rows: by version, deployment type and region."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ptucalc.catalog import Catalog, DeploymentType, Model, Offer, Unknown
from ptucalc.report.blocks import Block, Cell, Column, Headline, Remark, Table

__all__ = ["REGION_COLUMNS", "region_blocks", "region_rows"]

REGION_COLUMNS = ("model", "model_version", "deployment_type", "sku_name", "zone", "region", "available", "reason")


def region_blocks(catalog: Catalog, models: Sequence[Model], *, quiet: bool = False) -> Iterator[Block]:
    """For each model and version a table of regions; where nothing is known, or nothing offered, the reason."""
    for model in models:
        versions = _versions(model)
        for version in versions:
            yield Headline(model.name, version or "")
            table = _table(model, version)
            if table.rows:
                yield table
            for kind in DeploymentType:
                available, reason = _unlisted(model.offer(kind), version)
                if reason:
                    label = "Not sold" if available is False else "Unknown"
                    yield Remark(label, f"{kind.label}: {reason}.", "warn")
    if quiet:
        return
    used = dict.fromkeys(model.sources["regions"] for model in models if "regions" in model.sources)
    for name in used:
        source = catalog.sources[name]
        yield Remark("Source", f"{source.title}; published {source.published}, checked {source.checked}")
    yield Remark(
        "", "A region says where a deployment can be created, not that capacity is free there now (--capacities)."
    )


def _versions(model: Model) -> list[str | None]:
    """Its versions, or one None where none is known."""
    return list(model.versions) or [None]


def _table(model: Model, version: str | None) -> Table:
    by_kind = {kind: _regions(model.offer(kind), version) for kind in DeploymentType}
    table = Table([Column("Region"), *(Column(kind.label) for kind in DeploymentType)])
    for region in sorted({region for regions in by_kind.values() for region in regions}):
        cells = []
        for kind in DeploymentType:
            zone = by_kind[kind].get(region)
            cells.append(Cell("—", "dim") if zone is None else Cell(zone.upper() or "yes"))
        table.rows.append([Cell(region), *cells])
    return table


def _regions(offer: Offer, version: str | None) -> dict[str, str]:
    """The regions of an offer, each with its data zone ("" where there are no zones)."""
    if isinstance(offer.places, Unknown):
        return {}
    return {
        region: place.zone or ""
        for place in offer.places
        if not isinstance(place.regions, Unknown) and (None in (version, place.version) or place.version == version)
        for region in place.regions
    }


def region_rows(models: Sequence[Model]) -> Iterator[tuple[object, ...]]:
    """Flat rows in the order of REGION_COLUMNS; where a type is not offered or not known, one row with the reason."""
    for model in models:
        for version in _versions(model):
            for kind in DeploymentType:
                offer = model.offer(kind)
                what = (model.name, version, kind.value, kind.sku_name)
                regions = _regions(offer, version)
                for region, zone in sorted(regions.items()):
                    yield (*what, zone or None, region, True, None)
                available, reason = _unlisted(offer, version)
                if reason:
                    yield (*what, None, None, available, reason)


def _unlisted(offer: Offer, version: str | None) -> tuple[bool | None, str]:
    """Why regions are not listed, or not all of them: not offered, or offered where nobody published. "": they are."""
    found = offer.availability(version=version)
    if not found.available:
        return found.available, found.reason
    places = () if isinstance(offer.places, Unknown) else offer.places
    reasons = (
        place.regions.reason
        for place in places
        if isinstance(place.regions, Unknown) and (None in (version, place.version) or place.version == version)
    )
    return True, next(reasons, "")
