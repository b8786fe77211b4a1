"""Finds price files and reads them: the bundled one, and the user's laid over it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptucalc.catalog import DeploymentType, TokenClass, nearest
from ptucalc.errors import BadCatalog, BadInput, Problem, visible
from ptucalc.prices import PriceBook
from ptucalc.prices_data import build_price_book
from ptucalc.read.catalog import bundled
from ptucalc.read.files import read_text

if TYPE_CHECKING:
    from ptucalc.read.yaml_text import Tree

__all__ = ["load_prices", "read_price_data"]

BUNDLED = "data/prices.yaml"


def load_prices(*overlays: str | Path) -> PriceBook:
    """The bundled list prices, with each overlay (a file: negotiated or refreshed prices) laid over them in order.

    A row of a later file wins where it names the region, or is for all. The same files, unchanged, give the same,
    cached book while the process lives. Raises BadCatalog with every problem of a file, each with its line.

    >>> from ptucalc import DeploymentType
    >>> load_prices().tokens("gpt-4.1", None, DeploymentType.GLOBAL, "eastus2").usd_per_1m["output"]
    Fraction(8, 1)
    """
    return _load(tuple(map(_stamped, overlays)))


@lru_cache(maxsize=16)
def _load(overlays: tuple[tuple[Path, int, int], ...]) -> PriceBook:
    files = [bundled(BUNDLED, "compiled_prices", read_price_data)]
    for path, _, _ in overlays:
        files.append(read_price_data(path, under=files))
    return build_price_book(files)


def _stamped(overlay: str | Path) -> tuple[Path, int, int]:
    path = Path(overlay)
    if not path.exists():
        raise BadCatalog([Problem("prices", str(overlay), "a price file (`ptucalc prices refresh` writes one)")])
    known = path.stat()
    return path.resolve(), known.st_size, known.st_mtime_ns


def read_price_data(path: Path, *, under: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A price file as complete plain data; `under` holds the files below an overlay. Raises BadCatalog."""
    from ptucalc.read.checked import checked
    from ptucalc.read.prices_file import PriceFile
    from ptucalc.read.yaml_text import read_yaml

    try:
        tree = read_yaml(read_text(path), path.name)
        entry = checked(tree, PriceFile, "a price").model_dump(by_alias=True, mode="python")
        return _complete(entry, tree, under or [])
    except BadInput as error:
        raise BadCatalog(error.problems) from None


def _complete(entry: dict[str, Any], tree: Tree, under: list[dict[str, Any]]) -> dict[str, Any]:
    """References resolved and checked, what must be there looked for."""
    edition = entry["edition"] or visible(tree.source)
    sources = dict(entry["sources"])
    known = {name for file in under for name in file["sources"]} | set(sources)
    groups = {**{k: v for file in under for k, v in file["region_groups"].items()}}
    groups |= {name: tuple(regions) for name, regions in entry["region_groups"].items()}
    own = None
    if under and entry["as_of"] > (date.today() + timedelta(days=1)).isoformat():  # a day more: time zones
        raise BadCatalog([tree.problem(("as_of",), entry["as_of"], "a day that has come")])
    if under:  # a user's file need not say where its own prices are from
        own = edition
        about = {
            "title": "the user's own prices",
            "where": edition,
            "published": entry["as_of"],
            "checked": entry["as_of"],
        }
        sources.setdefault(edition, about)
        known.add(edition)
    rows = _Rows(tree, groups, known, entry["as_of"])
    ptu, models = entry["ptu"], {}
    hourly = {
        str(kind): rows.ptu(listed, ("ptu", "hourly_usd_per_ptu", str(kind)), own, ("usd",))
        for kind, listed in ptu["hourly_usd_per_ptu"].items()
    }
    reservations = {
        str(kind): rows.ptu(listed, ("ptu", "reservation_usd_per_ptu", str(kind)), own, ("1-month", "1-year"))
        for kind, listed in ptu["reservation_usd_per_ptu"].items()
    }
    seen: dict[str, str] = {}
    for name, model in entry["models"].items():
        if seen.setdefault(name.casefold(), name) != name:
            expected = f"each model once (also {seen[name.casefold()]})"
            rows.problems.append(tree.problem(("models", name), name, expected, key=True))
        models[name] = {
            "products": tuple(model["products"]),
            "publisher": model["publisher"],
            "remarks": tuple(model["remarks"]),
            "scopes": {
                str(kind): {
                    "meters": _plain_keys(scope["meters"]),
                    "meters_long": _plain_keys(scope["meters_long"]),
                    "newest_from": scope["newest_from"],
                    "prices": rows.tokens(
                        scope["prices"], ("models", name, str(kind), "prices"), model["source"] or own
                    ),
                }
                for kind in DeploymentType
                if (scope := model[kind.value]) is not None
            },
        }
    if not under:
        rows.problems += _lacking(entry, tree)
    if rows.problems:
        raise BadCatalog(rows.problems)
    return {
        "edition": edition,
        "as_of": entry["as_of"],
        "default_region": entry["default_region"],
        "sources": sources,
        "region_groups": groups,
        "currency_per_usd": dict(entry["currency_per_usd"]),
        "ptu": {
            "product": ptu["product"],
            "reservation_product": ptu["reservation_product"],
            "publishers": tuple(ptu["publishers"]),
            "meters": _plain_keys(ptu["meters"]),
            "hourly": hourly,
            "reservations": reservations,
        },
        "models": models,
    }


def _plain_keys(meters: Mapping[Any, str]) -> dict[str, str]:
    return {str(key): value for key, value in meters.items()}


def _lacking(entry: Mapping[str, Any], tree: Tree) -> Iterator[Problem]:
    """What a file that stands alone must say."""
    for key in ("edition", "default_region"):
        if not entry[key]:
            yield tree.problem((), "", f"a value for {key}", name=key)
    for key in ("product", "reservation_product", "meters"):
        if not entry["ptu"][key]:
            yield tree.problem(("ptu",), "", f"a value for {key}", name=key)


class _Rows:
    """Makes rows plain, resolves region groups, and collects what is wrong with them."""

    def __init__(
        self,
        tree: Tree,
        groups: Mapping[str, tuple[str, ...]],
        sources: set[str],
        as_of: str,
    ) -> None:
        self.tree, self.groups, self.sources, self.as_of = tree, groups, sources, as_of
        self.problems: list[Problem] = []

    def ptu(
        self, rows: list[dict[str, Any]], path: tuple[str | int, ...], source: str | None, prices: tuple[str, ...]
    ) -> tuple[dict[str, Any], ...]:
        """Rows of PTU prices."""
        taken: dict[tuple[str, str | None], int] = {}
        found = []
        for index, row in enumerate(rows):
            kept = {key: row[key] for key in (*prices, "from", "replaces") if key in row}
            regions = self._regions(row, (*path, index))
            if (row.get("from") or "") > self.as_of:
                expected = f"a day up to as_of ({self.as_of}): a price that does not hold yet has no place here"
                self.problems.append(self.tree.problem((*path, index, "from"), row["from"], expected))
            for price in prices:
                if row[price] is not None:
                    self._once(taken, price, regions, (*path, index))
            found.append({"regions": regions, **kept, "source": self._source(row, source, (*path, index))})
        return tuple(found)

    def tokens(
        self, rows: list[dict[str, Any]], path: tuple[str | int, ...], source: str | None
    ) -> tuple[dict[str, Any], ...]:
        """Rows of token prices."""
        taken: dict[tuple[str, str | None], int] = {}
        found = []
        for index, row in enumerate(rows):
            regions = self._regions(row, (*path, index))
            usd = {each.value: row[each.value] for each in TokenClass if row[each.value] is not None}
            tier = str(row["tier"])
            for token_class in usd:
                self._once(taken, f"{tier} {row['context']} {token_class}", regions, (*path, index))
            found.append(
                {
                    "regions": regions,
                    "tier": tier,
                    "context": row["context"],
                    "usd_per_1m": usd,
                    "source": self._source(row, source, (*path, index)),
                }
            )
        return tuple(found)

    def _regions(self, row: Mapping[str, Any], path: tuple[str | int, ...]) -> tuple[str, ...] | None:
        regions = row["regions"]
        if not isinstance(regions, str):
            return None if regions is None else tuple(regions)
        if regions in self.groups:
            return self.groups[regions]
        near = " or ".join(nearest(regions, self.groups))
        expected = "all, a list of regions, or a region group" + (f": {near}?" if near else "")
        self.problems.append(self.tree.problem((*path, "regions"), regions, expected))
        return ()

    def _source(self, row: Mapping[str, Any], source: str | None, path: tuple[str | int, ...]) -> str:
        named: str | None = row["source"] or source
        if named is None:
            self.problems.append(self.tree.problem(path, "", "a source"))
            return ""
        if named not in self.sources:
            near = " or ".join(nearest(named, self.sources))
            expected = "a source of this file" + (f": {near}?" if near else "")
            self.problems.append(self.tree.problem((*path, "source"), named, expected))
        return named

    def _once(
        self,
        taken: dict[tuple[str, str | None], int],
        what: str,
        regions: tuple[str, ...] | None,
        path: tuple[str | int, ...],
    ) -> None:
        for region in (None,) if regions is None else regions:
            first = taken.setdefault((what, region), int(path[-1]))
            if first != path[-1]:
                expected = f"one {what} price for {region or 'all regions'} (also row {first + 1} of the list)"
                self.problems.append(self.tree.problem((*path, "regions"), region or "all", expected))
                return
