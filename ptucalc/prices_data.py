"""A price book from plain data: what price files say once they are checked. The wheel carries the same data compiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from ptucalc.catalog import DeploymentType, Source, TokenClass
from ptucalc.prices import ModelPrices, PriceBook, PriceTier, Products, PtuRow, PtuTerm, TokenRow

__all__ = ["build_price_book"]

Plain = Mapping[str, Any]


def build_price_book(files: Sequence[Plain]) -> PriceBook:
    """The price book of these files, the bundled one first; a later file's row wins over an earlier one's."""
    first, newest_first = files[0], list(reversed(files))
    ptu = first["ptu"]
    return PriceBook(
        editions=tuple(file["edition"] for file in files),
        as_of=max(date.fromisoformat(file["as_of"]) for file in files),
        default_region=next(file["default_region"] for file in newest_first if file["default_region"]),
        hourly={
            kind: tuple(
                tuple(_ptu_row(row, row["usd"]) for row in file["ptu"]["hourly"].get(kind.value, ()))
                for file in newest_first
            )
            for kind in DeploymentType
        },
        reservations={
            (kind, term): tuple(
                tuple(
                    _ptu_row(row, row[term.value])
                    for row in file["ptu"]["reservations"].get(kind.value, ())
                    if row[term.value] is not None
                )
                for file in newest_first
            )
            for kind in DeploymentType
            for term in PtuTerm
            if term.months
        },
        models=_LazyModels(newest_first),
        publishers={
            name.casefold(): entry["publisher"]
            for file in files
            for name, entry in file["models"].items()
            if entry["publisher"]
        },
        model_products={
            name.casefold(): tuple(entry["products"])
            for file in files
            for name, entry in file["models"].items()
            if entry["products"]
        },
        remarks={
            name.casefold(): tuple(entry["remarks"])
            for file in files
            for name, entry in file["models"].items()
            if entry["remarks"]
        },
        products=Products(
            ptu["product"],
            ptu["reservation_product"],
            {DeploymentType(kind): meter for kind, meter in ptu["meters"].items()},
        ),
        ptu_publishers=tuple(ptu["publishers"]),
        own_models=tuple(name for file in files[1:] for name in file["models"]),
        own_regions=tuple(sorted({region for file in files[1:] for region in _regions(file)})),
        list_models=frozenset(name.casefold() for name in first["models"]) if files[1:] else frozenset(),
        list_regions=frozenset(_regions(first)),
        sources={name: _source(name, entry) for file in files for name, entry in file["sources"].items()},
        exchange={code: Fraction(*per_usd) for file in files for code, per_usd in file["currency_per_usd"].items()},
    )


def _regions(file: Plain) -> set[str]:
    """Every region that some row of a file names."""
    rows = [row for kind in ("hourly", "reservations") for rows in file["ptu"][kind].values() for row in rows]
    for model in file["models"].values():
        rows += [row for scope in model["scopes"].values() for row in scope["prices"]]
    return {region for row in rows for region in row["regions"] or ()}


def _source(name: str, entry: Plain) -> Source:
    return Source(name, entry["title"], entry["where"], entry["published"], date.fromisoformat(entry["checked"]))


def _ptu_row(row: Plain, usd: tuple[int, int]) -> PtuRow:
    replaces = row.get("replaces")
    before = None if replaces is None else Fraction(*replaces)
    return PtuRow(row["regions"], Fraction(*usd), row["source"], row.get("from"), before)


class _LazyModels(Mapping[str, Mapping[DeploymentType, ModelPrices]]):
    """Prices of a model are made when they are first asked for. Keys are names in lower case."""

    def __init__(self, files: Sequence[Plain]) -> None:
        """`files` holds the newest first."""
        self._entries: dict[str, list[Plain]] = {}
        for file in files:
            for name, entry in file["models"].items():
                self._entries.setdefault(name.casefold(), []).append(entry)
        self._made: dict[str, Mapping[DeploymentType, ModelPrices]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Any:
        return iter(self._entries)

    def __getitem__(self, name: str) -> Mapping[DeploymentType, ModelPrices]:
        if name not in self._made:
            self._made[name] = _model(self._entries[name])
        return self._made[name]


def _model(entries: Sequence[Plain]) -> dict[DeploymentType, ModelPrices]:
    found = {}
    for kind in DeploymentType:
        scopes = [entry["scopes"][kind.value] for entry in entries if kind.value in entry["scopes"]]
        if scopes:
            layers = tuple(tuple(_token_row(row) for row in scope["prices"]) for scope in scopes)
            meters, long = (
                {TokenClass(c): m for s in reversed(scopes) for c, m in s[key].items()}
                for key in ("meters", "meters_long")
            )
            found[kind] = ModelPrices(layers, meters, long, scopes[0]["newest_from"])
    return found


def _token_row(row: Plain) -> TokenRow:
    prices = {TokenClass(token_class): Fraction(*usd) for token_class, usd in row["usd_per_1m"].items()}
    return TokenRow(row["regions"], PriceTier(row["tier"]), row["context"] == "long", prices, row["source"])
