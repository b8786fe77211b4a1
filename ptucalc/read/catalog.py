"""Finds catalogs and reads them: the bundled one, a shipped edition by name, a user's file laid over it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptucalc.catalog import Catalog, nearest
from ptucalc.catalog_data import WHOLE, build_catalog, merge
from ptucalc.errors import BadCatalog, BadInput, Problem, visible
from ptucalc.read.files import read_text

if TYPE_CHECKING:
    from ptucalc.read.yaml_text import Tree

__all__ = ["EDITIONS", "bundled", "bundled_data", "find_bundled", "load_catalog", "read_catalog_data"]

EDITIONS = ("azure-2024-12",)
"""Past editions that ship with ptucalc and are found by name."""

_PACKAGE = Path(__file__).resolve().parent.parent


def find_bundled(name: str) -> Path:
    """A file that ships with ptucalc: in the package (installed), or beside it (a checkout or an editable install)."""
    places = [_PACKAGE / name, _PACKAGE.parent / name]
    if name.startswith("catalogs/"):
        places.append(_PACKAGE.parent / "examples" / name)
    for place in places:
        if place.is_file():
            return place
    raise FileNotFoundError(f"ptucalc was installed without {name}: looked in {', '.join(map(str, places))}")


def load_catalog(*overlays: str | Path) -> Catalog:
    """The bundled catalog, with each overlay (a shipped edition's name, or a file) laid over it in order.

    An overlay that says `replace: true` stands alone. The same files, unchanged, give the same, cached catalog while
    the process lives. Raises BadCatalog with every problem of a file, each with its line.

    >>> load_catalog().find("gpt-4.1")[0].tpm_per_ptu
    3000
    """
    return _load(tuple(map(_stamped, map(_find, map(str, overlays)))))


@lru_cache(maxsize=16)
def _load(overlays: tuple[tuple[Path, int, int], ...]) -> Catalog:
    data = bundled_data()
    for path, _, _ in overlays:
        data = read_catalog_data(path, under=data)
    return build_catalog(data)


def _stamped(path: Path) -> tuple[Path, int, int]:
    """The file with its size and time, so that a file that changed is read again."""
    known = path.stat()
    return path.resolve(), known.st_size, known.st_mtime_ns


def _find(overlay: str) -> Path:
    if overlay in EDITIONS:
        return find_bundled(f"catalogs/{overlay}.yaml")
    path = Path(overlay)
    if not path.exists():
        near = nearest(overlay, EDITIONS)
        hint = f" ({' or '.join(near)}?)" if near else f" ({', '.join(EDITIONS)})"
        raise BadCatalog([Problem("catalog", overlay, f"a catalog file, or the name of a shipped edition{hint}")])
    return path


def bundled_data() -> dict[str, Any]:
    """The bundled catalog as plain data."""
    return bundled("models.yaml", "compiled_catalog", read_catalog_data)


def bundled(name: str, compiled_as: str, read: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """A bundled YAML file as plain data: as compiled when the wheel was built, if the file is still the same."""
    path = find_bundled(name)
    try:
        compiled: Any = import_module(f"ptucalc.{compiled_as}")
    except ImportError:
        return read(path)
    from zlib import crc32

    text = path.read_bytes()
    data: dict[str, Any] = compiled.DATA
    return data if (len(text), crc32(text)) == compiled.COMPILED_FROM else read(path)


def read_catalog_data(path: Path, *, under: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A catalog file as complete plain data; `under` is what an overlay is laid over. Raises BadCatalog."""
    from ptucalc.read.yaml_text import read_yaml

    try:
        tree = read_yaml(read_text(path), path.name)
        entry = _checked(tree)
        data = _complete(entry, tree, None if entry.get("replace") else under)
    except BadInput as error:
        raise BadCatalog(error.problems) from None
    return data


def _checked(tree: Tree) -> dict[str, Any]:
    from ptucalc.read.catalog_file import CatalogFile
    from ptucalc.read.checked import checked

    return checked(tree, CatalogFile, "a catalog").model_dump(by_alias=True, exclude_unset=True, mode="python")


def _complete(entry: dict[str, Any], tree: Tree, under: Mapping[str, Any] | None) -> dict[str, Any]:
    """Families applied, the overlay laid over what is below, references checked."""
    base: Mapping[str, Any] = under or {
        "editions": (),
        "sources": {},
        "region_groups": {},
        "models": [],
        "limits": {},
        "past": False,
    }
    edition = entry.get("edition") or visible(tree.source)
    sources = {**base["sources"], **entry.get("sources", {})}
    groups = {**base["region_groups"], **{k: tuple(v) for k, v in entry.get("region_groups", {}).items()}}
    problems: list[Problem] = []
    below = {model["name"]: model for model in base["models"]}
    merged = dict(below)
    seen: dict[str, int] = {}
    for index, model in enumerate(entry["models"]):
        path: tuple[str | int, ...] = ("models", index)
        folded = model["name"].casefold()
        if folded in seen:
            problems.append(
                tree.problem((*path, "name"), model["name"], f"each model once (also models[{seen[folded]}])")
            )
        seen[folded] = index
        family = entry.get("families", {}).get(model.get("family"))
        if model.get("family") and family is None:
            expected = f"a family of this file: {', '.join(entry.get('families', {})) or 'it has none'}"
            problems.append(tree.problem((*path, "family"), model["family"], expected))
        own = _plain({key: value for key, value in model.items() if key != "family"})
        if under is not None and "source" not in own:
            own["source"] = edition
            sources.setdefault(edition, _own_source(edition, entry["as_of"]))
        whole = merge(merge(below.get(model["name"], {}), _plain(family or {})), own)
        earlier = [
            _earlier(each, model["name"], (*path, "earlier", i), tree, problems)
            for i, each in enumerate(whole.get("earlier", ()))
        ]
        whole["earlier"] = [each for each in earlier if each]
        problems += _incomplete(whole, path, tree, sources, groups)
        merged[model["name"]] = whole
    names = {name.casefold(): name for name in below}
    for index, model in enumerate(entry["models"]):
        known = names.get(model["name"].casefold(), model["name"])
        if known != model["name"]:
            expected = f"another name, or {known} as it is spelled (names that differ only in case are one model)"
            problems.append(tree.problem(("models", index, "name"), model["name"], expected))
    limits = entry.get("limits") or base["limits"]
    if limits and limits["source"] not in sources:
        problems.append(tree.problem(("limits", "source"), limits["source"], "a source of this file"))
    if not limits:
        problems.append(tree.problem((), "", "limits: {largest_deployment_ptu: ..., source: ...}", name="limits"))
    if problems:
        raise BadCatalog(problems)
    return {
        "editions": (*base["editions"], edition),
        "as_of": max(entry["as_of"], base.get("as_of", "")) if under else entry["as_of"],
        "past": entry.get("past", False),
        "limits": dict(limits),
        "sources": sources,
        "region_groups": groups,
        "models": list(merged.values()),
    }


def _own_source(edition: str, as_of: str) -> dict[str, str]:
    return {"title": "the user's own catalog", "where": edition, "published": as_of, "checked": as_of}


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Enum members to their strings: data that a Python literal can hold."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): plain(each) for key, each in value.items()}
        if isinstance(value, list):
            return [plain(each) for each in value]
        return str(value) if isinstance(value, str) else value

    return {str(key): plain(value) for key, value in entry.items()}


def _earlier(
    entry: Mapping[str, Any], model: str, path: tuple[str | int, ...], tree: Tree, problems: list[Problem]
) -> dict[str, Any] | None:
    """An earlier rate; where it names an edition, that edition's numbers for the same model. None where it is none."""
    if "edition" not in entry:
        if entry.get("source") and entry.get("as_of"):
            return dict(entry)
        problems.append(tree.problem(path, ", ".join(entry), "as_of and source, or edition"))
        return None
    edition = entry["edition"]
    if edition not in EDITIONS:
        problems.append(tree.problem((*path, "edition"), edition, f"a shipped edition: {', '.join(EDITIONS)}"))
        return None
    past = read_catalog_data(find_bundled(f"catalogs/{edition}.yaml"))
    then = next((each for each in past["models"] if each["name"] == model), None)
    if then is None:
        problems.append(tree.problem((*path, "edition"), edition, f"an edition that has {model}"))
        return None
    kept = ("tpm_per_ptu", "weights", "minimum_ptu", "increment_ptu", "source")
    as_of = past["sources"][then["source"]]["published"]
    return {"as_of": as_of, **{key: then[key] for key in kept}}


def _incomplete(
    model: Mapping[str, Any],
    path: tuple[str | int, ...],
    tree: Tree,
    sources: Mapping[str, Any],
    groups: Mapping[str, Any],
) -> Iterator[Problem]:
    """What a model lacks, and what it names that does not exist."""
    sized = not isinstance(model.get("tpm_per_ptu"), dict)
    for key in ("publisher", "tpm_per_ptu", "source"):
        if not model.get(key):
            yield tree.problem(path, "", f"{model['name']}: a value for {key}")
    if sized and model.get("weights", {}).get("input") is None:
        yield tree.problem((*path, "weights"), "", f"{model['name']}: the weight of plain input (1 for most models)")
    minimum, increment = (model.get(key) or {} for key in ("minimum_ptu", "increment_ptu"))
    if set(minimum) != set(increment):
        found = f"minimum for {', '.join(minimum) or 'none'}; increment for {', '.join(increment) or 'none'}"
        yield tree.problem((*path, "minimum_ptu"), found, "a minimum and an increment for the same deployment types")
    long = (model.get("long_context") or {}).get("weights") or {}
    lacking = [name for name in model.get("weights", {}) if long and name not in long]
    if lacking:
        yield tree.problem(
            (*path, "long_context", "weights"), ", ".join(long), f"a weight for {', '.join(lacking)} too"
        )
    latency = model.get("latency_target") or {"unknown": "x"}
    if "unknown" not in latency and set(latency) != {"tokens_per_second", "percent_of_requests", "basis"}:
        expected = "tokens_per_second, percent_of_requests and basis, or unknown"
        yield tree.problem((*path, "latency_target"), ", ".join(latency), expected)
    yield from _bad_references(model, path, tree, sources, groups)


def _bad_references(
    model: Mapping[str, Any],
    path: tuple[str | int, ...],
    tree: Tree,
    sources: Mapping[str, Any],
    groups: Mapping[str, Any],
) -> Iterator[Problem]:
    for where, source in _named_sources(model):
        if source not in sources:
            near = " or ".join(nearest(source, sources))
            yield tree.problem((*path, *where), source, "a source of this file" + (f": {near}?" if near else ""))
    for kind, rows in model.get("regions", {}).items():
        for version, zone, regions in rows if isinstance(rows, tuple) else ():
            zones = "us, eu, apac or gov"
            if kind == "data-zone" and version is not None:
                yield tree.problem((*path, "regions", kind, version), version, f"a data zone: {zones}", key=True)
            elif zone is not None and kind != "data-zone":
                expected = f"regions, or versions of the model: only data-zone has {zones}"
                yield tree.problem((*path, "regions", kind, zone), zone, expected, key=True)
            elif version is not None and version not in model.get("versions", ()):
                expected = f"a version of {model['name']}: {', '.join(model.get('versions', ())) or 'it has none'}"
                yield tree.problem((*path, "regions", kind, version), version, expected, key=True)
            if isinstance(regions, str) and regions not in groups:
                near = " or ".join(nearest(regions, groups))
                expected = "a region group of this file, a list of regions, or none" + (f": {near}?" if near else "")
                yield tree.problem((*path, "regions", kind), regions, expected)


def _named_sources(model: Mapping[str, Any]) -> Iterable[tuple[tuple[str | int, ...], str]]:
    for key in ("source", "regions_source", "spillover_source"):
        if model.get(key):
            yield (key,), model[key]
    for key in ("long_context", "retirement", "last_listed", *WHOLE):
        if model.get(key, {}).get("source"):
            yield (key, "source"), model[key]["source"]
    for index, earlier in enumerate(model.get("earlier", ())):
        yield ("earlier", index, "source"), earlier["source"]
