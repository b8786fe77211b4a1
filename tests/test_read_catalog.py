"""Catalog files: read strictly, every problem with its place; overlays; past editions; the compiled catalog."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from ptucalc import BadCatalog, Unknown, load_catalog
from ptucalc.catalog import ContextLimit, DeploymentType, Encoding, LatencyTarget
from ptucalc.catalog_data import build_catalog
from ptucalc.image_rules import ImagePatches, ImageTiles, PatchBudget
from ptucalc.read import catalog as reader
from ptucalc.read.catalog import bundled_data, find_bundled, read_catalog_data
from ptucalc.read.compiling import compiled_modules

GLOBAL, DATA_ZONE, REGIONAL = DeploymentType
HEAD = """\
schema: ptucalc.catalog/1
edition: mine
as_of: 2026-01-31
replace: true
limits: {largest_deployment_ptu: 1000, source: page}
sources:
  page: {title: A page, where: somewhere, published: "2026", checked: 2026-01-30}
region_groups:
  two: [eastus, West Us]
families:
  plain:
    publisher: Us
    weights: {input: 1, cached_input: 0, cache_write: 1, output: 4}
    minimum_ptu: {global: 15}
    increment_ptu: {global: 5}
    source: page
models:
"""
MODEL = "  - {name: one, family: plain, tpm_per_ptu: 100}\n"
FIRST = HEAD.count("\n") + 1  # the line of the first model


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def to_file(text: str) -> Path:
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


@pytest.fixture
def refused(write: Callable[[str], Path]) -> Callable[[str], list[str]]:
    def problems(text: str) -> list[str]:
        with pytest.raises(BadCatalog) as caught:
            load_catalog(write(text))
        return str(caught.value).splitlines()

    return problems


def test_a_small_catalog_is_read_exactly(write) -> None:
    catalog = load_catalog(
        write(HEAD + MODEL + "  - {name: '0613', family: plain, tpm_per_ptu: 7, weights: {output: 0.1}}\n")
    )
    one, two = catalog.models
    assert (one.name, one.publisher, one.tpm_per_ptu, one.weights.output) == ("one", "Us", 100, 4)
    assert (two.name, two.weights.output, two.weights.input) == ("0613", Fraction(1, 10), 1)
    grid = one.offer(GLOBAL).grid
    assert grid is not None and (grid.minimum, grid.increment) == (15, 5)
    assert one.offer(REGIONAL).grid is None
    assert catalog.largest_deployment_ptu == 1000 and catalog.editions == ("mine",) and not catalog.past


def test_region_names_are_normalised(write) -> None:
    catalog = load_catalog(write(HEAD + "  - {name: one, family: plain, tpm_per_ptu: 1, regions: {global: two}}\n"))
    assert catalog.regions == {"eastus", "westus"}


@pytest.mark.parametrize(
    ("entry", "column", "message"),
    [
        ("{name: one, family: plain, tpm_per_ptu: 1, colour: red}", 56, "models[0].colour: expected a key that a catalog file has (see CONTRIBUTING.md), got colour"),
        ("{name: one, family: plain, tpm_per_ptu: 3OOO}", 45, "models[0].tpm_per_ptu: expected a whole number, 1 or more, got 3OOO"),
        ("{name: one, family: plain, tpm_per_ptu: 0}", 45, "models[0].tpm_per_ptu: expected a whole number, 1 or more, got 0"),
        ("{name: one, family: plain, tpm_per_ptu: 1.5}", 45, "models[0].tpm_per_ptu: expected a whole number, 1 or more, got 1.5"),
        ("{name: one, family: plain, tpm_per_ptu: {unkown: x}}", 45, "models[0].tpm_per_ptu: expected a value, or {unknown: reason}, got a mapping"),
        ("{name: one, family: plain, tpm_per_ptu: 1, weights: {output: -1}}", 66, "models[0].weights.output: expected a number, 0 or more, got -1"),
        ("{name: one, family: plain, tpm_per_ptu: 1, weights: {output: nan}}", 66, "models[0].weights.output: expected a number, 0 or more, got nan"),
        ("{name: one, family: plian, tpm_per_ptu: 1, publisher: x, source: page, weights: {input: 1}}", 25, "models[0].family: expected a family of this file: plain, got plian"),
        ("{name: one, family: plain, tpm_per_ptu: 1, source: pge}", 56, "models[0].source: expected a source of this file: page?, got pge"),
        ("{name: one, family: plain, tpm_per_ptu: 1, regions: {global: tow}}", 66, "models[0].regions.global: expected a region group of this file, a list of regions, or none, got tow"),
        ("{name: one, family: plain, tpm_per_ptu: 1, retirement: {date: 31.1.2026, source: page}}", 67, "models[0].retirement.date: expected a date such as 2026-09-29, got 31.1.2026"),
        ("{name: one, family: plain, tpm_per_ptu: 1, minimum_ptu: {regional: 50}}", 61, "models[0].minimum_ptu: expected a minimum and an increment for the same deployment types, got minimum for global, regional; increment for global"),
        ("{name: one, tpm_per_ptu: 1, publisher: x, source: page}", 5, "models[0].weights: expected one: the weight of plain input (1 for most models), got (empty)"),
    ],
)  # fmt: skip
def test_a_bad_entry_is_refused_with_its_line(refused, entry: str, column: int, message: str) -> None:
    problems = refused(HEAD + f"  - {entry}\n")
    where, _, said = problems[0].partition(", ")
    assert len(problems) == 1, problems
    assert where.startswith(f"mine.yaml:{FIRST}:")
    if "weights: expected" in message:
        assert "the weight of plain input (1 for most models)" in said
    else:
        assert said == message
        assert where == f"mine.yaml:{FIRST}:{column}"


def test_a_weight_without_a_value_is_no_weight_of_zero(refused) -> None:
    (problem,) = refused(HEAD + "  - {name: one, family: plain, tpm_per_ptu: 1, weights: {output: }}\n")
    assert problem.endswith("models[0].weights.output: expected some text, got (empty)")


def test_a_deployment_type_that_does_not_exist_is_refused(refused) -> None:
    (problem,) = refused(
        HEAD
        + "  - {name: one, family: plain, tpm_per_ptu: 1, minimum_ptu: {datazone: 5}, increment_ptu: {global: 5}}\n"
    )
    assert "minimum_ptu.datazone" in problem and "data-zone" in problem


def test_a_model_named_twice_is_refused_in_any_case(refused) -> None:
    assert refused(HEAD + MODEL + MODEL.replace("one", "ONE")) == [
        f"mine.yaml:{FIRST + 1}:12, models[1].name: expected each model once (also models[0]), got ONE"
    ]


def test_what_a_model_lacks_is_said_for_each_value(refused) -> None:
    assert refused(HEAD + "  - {name: one}\n") == [
        f"mine.yaml:{FIRST}:5, models[0]: expected one: a value for publisher, got (empty)",
        f"mine.yaml:{FIRST}:5, models[0]: expected one: a value for tpm_per_ptu, got (empty)",
        f"mine.yaml:{FIRST}:5, models[0]: expected one: a value for source, got (empty)",
        f"mine.yaml:{FIRST}:5, models[0].weights: expected one: the weight of plain input (1 for most models), got (empty)",
    ]


def test_every_bad_value_of_a_file_is_reported_at_once(refused) -> None:
    text = HEAD.replace("1000", "many").replace("checked: 2026-01-30", "checked: soon") + (
        "  - {name: one, family: plain, tpm_per_ptu: x}\n  - {nam: two, tpm_per_ptu: -1}\n"
    )
    assert refused(text) == [
        "mine.yaml:5:34, limits.largest_deployment_ptu: expected a whole number, 1 or more, got many",
        "mine.yaml:7:71, sources.page.checked: expected a date such as 2026-09-29, got soon",
        f"mine.yaml:{FIRST}:45, models[0].tpm_per_ptu: expected a whole number, 1 or more, got x",
        f"mine.yaml:{FIRST + 1}:29, models[1].tpm_per_ptu: expected a whole number, 1 or more, got -1",
        f"mine.yaml:{FIRST + 1}:5, models[1]: expected a value for name, got (empty)",
        f"mine.yaml:{FIRST + 1}:11, models[1].nam: expected a key that a catalog file has (see CONTRIBUTING.md), got nam",
    ]


def test_missing_keys_of_the_file_are_named(refused) -> None:
    problems = refused("edition: mine\n")
    assert problems == [
        "mine.yaml:1:1, document: expected a value for schema, got (empty)",
        "mine.yaml:1:1, document: expected a value for as_of, got (empty)",
        "mine.yaml:1:1, document: expected a value for models, got (empty)",
    ]


def test_another_schema_is_refused(refused) -> None:
    (problem,) = refused(HEAD.replace("catalog/1", "catalog/2") + MODEL)
    assert problem == "mine.yaml:1:9, schema: expected 'ptucalc.catalog/1', got ptucalc.catalog/2"


def test_duplicate_keys_aliases_anchors_and_tags_are_refused_together(refused) -> None:
    text = HEAD + "  - {name: &a one, family: plain, tpm_per_ptu: !!int 1, name: x}\n  - {name: *a}\n"
    problems = refused(text)
    assert [p.rpartition(", got ")[2] for p in problems] == ["&a", "tag:yaml.org,2002:int", "name", "*a"]
    assert all(p.startswith((f"mine.yaml:{FIRST}:", f"mine.yaml:{FIRST + 1}:")) for p in problems)


def test_a_catalog_without_limits_that_stands_alone_is_refused(refused) -> None:
    (problem,) = refused(HEAD.replace("limits: {largest_deployment_ptu: 1000, source: page}\n", "") + MODEL)
    assert "limits: {largest_deployment_ptu: ..., source: ...}" in problem


@pytest.mark.parametrize("text", ["", "- a\n", "hello\n"])
def test_a_file_that_is_no_mapping_is_refused_not_crashed_on(refused, text: str) -> None:
    assert len(refused(text)) >= 1


@pytest.mark.parametrize("data", [b"\x00\x01", b"PK\x03\x04", b"\xff\xfe\x00\xd8a", b"caf\xe9: 1"])
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(data)
    with pytest.raises(BadCatalog):
        load_catalog(path)


def test_a_limit_source_must_exist(refused) -> None:
    (problem,) = refused(HEAD.replace("source: page}", "source: pag}") + MODEL)
    assert "pag" in problem


# Overlays

OVERLAY = """\
schema: ptucalc.catalog/1
edition: ours
as_of: 2027-01-01
models:
"""


def test_an_overlay_changes_what_it_says_and_keeps_the_rest(write) -> None:
    ours = load_catalog(write(OVERLAY + "  - {name: gpt-4.1, tpm_per_ptu: 3100, minimum_ptu: {regional: 75}}\n"))
    theirs = load_catalog()
    new, old = ours.find("gpt-4.1")[0], theirs.find("gpt-4.1")[0]
    assert (old.tpm_per_ptu, new.tpm_per_ptu) == (3000, 3100)
    assert new.weights == old.weights and new.versions == old.versions and new.latency_target == old.latency_target
    regional, data_zone = new.offer(REGIONAL).grid, new.offer(DATA_ZONE).grid
    assert regional is not None and (regional.minimum, regional.increment) == (75, 50)
    assert data_zone is not None and (data_zone.minimum, data_zone.increment) == (15, 5)
    assert len(ours) == len(theirs) and ours.find("gpt-4o") == theirs.find("gpt-4o")


def test_an_overlay_is_named_beside_the_bundled_catalog_and_is_its_own_source(write) -> None:
    ours = load_catalog(write(OVERLAY + "  - {name: gpt-4.1, tpm_per_ptu: 3100}\n"))
    assert ours.editions == ("azure-2026-11", "ours")
    assert ours.as_of.isoformat() == "2027-01-01"
    assert ours.find("gpt-4.1")[0].sources["rates"] == "ours"
    assert ours.sources["ours"].checked.isoformat() == "2027-01-01"


def test_an_overlay_can_fill_what_is_unknown(write) -> None:
    assert isinstance(load_catalog().find("GLM 5.2")[0].weights.output, Unknown)
    model = load_catalog(write(OVERLAY + "  - {name: GLM 5.2, weights: {output: 4.5}}\n")).find("GLM 5.2")[0]
    assert model.weights.output == Fraction(9, 2)
    assert isinstance(model.weights.cached_input, Unknown) and model.tpm_per_ptu == 300


def test_an_overlay_can_give_a_latency_target_where_there_was_only_a_reason(write) -> None:
    entry = "  - {name: gpt-image-2, latency_target: {tokens_per_second: 5, percent_of_requests: 90, basis: ours}}\n"
    target = load_catalog(write(OVERLAY + entry)).find("gpt-image-2")[0].latency_target
    assert target == LatencyTarget(5, 90, "ours")


def test_an_overlay_can_give_a_rate_that_nobody_published(write) -> None:
    entry = "  - {name: gpt-6.2-sol, tpm_per_ptu: 3000, weights: {input: 1, output: 5}}\n"
    assert load_catalog(write(OVERLAY + entry)).find("gpt-6.2-sol")[0].tpm_per_ptu == 3000


def test_an_overlay_can_say_that_something_is_unknown_after_all(write) -> None:
    entry = "  - {name: gpt-4.1, latency_target: {unknown: we saw less}}\n"
    assert load_catalog(write(OVERLAY + entry)).find("gpt-4.1")[0].latency_target == Unknown("we saw less")


def test_an_overlay_can_add_a_model(write) -> None:
    entry = "  - {name: ours-1, publisher: Us, tpm_per_ptu: 10, weights: {input: 1, output: 2}, minimum_ptu: {global: 1}, increment_ptu: {global: 1}}\n"
    catalog = load_catalog(write(OVERLAY + entry))
    assert len(catalog) == len(load_catalog()) + 1 and catalog.find("OURS-1")[0].tpm_per_ptu == 10


def test_overlays_are_laid_in_order(write, tmp_path: Path) -> None:
    first = write(OVERLAY + "  - {name: gpt-4.1, tpm_per_ptu: 1, prompt_limit_tokens: 5}\n")
    second = tmp_path / "second.yaml"
    second.write_text(OVERLAY.replace("ours", "next") + "  - {name: gpt-4.1, tpm_per_ptu: 2}\n")
    model = load_catalog(first, second).find("gpt-4.1")[0]
    assert (model.tpm_per_ptu, model.prompt_limit_tokens) == (2, 5)


def test_replace_stands_alone(write) -> None:
    catalog = load_catalog(write(HEAD + MODEL))
    assert [model.name for model in catalog] == ["one"] and set(catalog.sources) == {"page"}


def test_an_overlay_never_makes_a_second_model_whose_name_differs_only_in_case(write) -> None:
    entry = "  - {name: GPT-4.1, publisher: Us, tpm_per_ptu: 3100, weights: {input: 1, output: 4}}\n"
    try:
        catalog = load_catalog(write(OVERLAY + entry))
    except BadCatalog:
        return  # refusing it is as good as changing gpt-4.1
    assert [m.tpm_per_ptu for m in catalog if m.name.casefold() == "gpt-4.1"] == [3100]


# Editions by name


def test_a_past_edition_is_found_by_name() -> None:
    catalog = load_catalog("azure-2024-12")
    assert catalog.past and [model.name for model in catalog] == ["gpt-4o", "gpt-4o-mini"]
    assert [model.tpm_per_ptu for model in catalog] == [2500, 37000]  # semantics.md, 8
    assert all(model.weights.output == 3 for model in catalog)
    assert list(catalog) == list(load_catalog(find_bundled("catalogs/azure-2024-12.yaml")))


def test_an_unknown_edition_names_what_there_is(in_tmp: Path) -> None:
    with pytest.raises(BadCatalog) as near:
        load_catalog("azure-2024-11")
    assert (
        str(near.value)
        == "catalog: expected a catalog file, or the name of a shipped edition (azure-2024-12?), got azure-2024-11"
    )
    with pytest.raises(BadCatalog) as far:
        load_catalog("nothing.yaml")
    assert (
        str(far.value)
        == "catalog: expected a catalog file, or the name of a shipped edition (azure-2024-12), got nothing.yaml"
    )


def test_a_directory_is_no_catalog(tmp_path: Path) -> None:
    with pytest.raises(BadCatalog, match="expected a file, got a directory"):
        load_catalog(tmp_path)


# How text and images become tokens

TILES = "{base: 85, per_tile: 170, verified: true, source: page}"
PATCHES = "{multiplier: 1.62, details: {high: {patches: 1536, longest_side_px: 2048}}, verified: false, source: page}"


def with_keys(keys: str) -> str:
    return HEAD + MODEL.replace("}\n", f", {keys}}}\n")


def test_an_encoding_and_an_image_rule_are_read_exactly(write) -> None:
    model, _ = load_catalog(
        write(with_keys(f"encoding: {{name: x200k, verified: false, source: page}}, image_tokens: {TILES}"))
    ).find("one")
    assert model.encoding == Encoding("x200k", verified=False, source="page")
    assert model.image_tokens == ImageTiles(85, 170, verified=True, source="page")
    assert (model.sources["encoding"], model.sources["image_tokens"]) == ("page", "page")


def test_patches_are_read_exactly(write) -> None:
    model, _ = load_catalog(write(with_keys(f"image_tokens: {PATCHES}"))).find("one")
    assert model.image_tokens == ImagePatches(
        Fraction(162, 100), {"high": PatchBudget(1536, 2048)}, verified=False, source="page"
    )


def test_a_catalog_that_names_neither_says_so(write) -> None:
    model, _ = load_catalog(write(HEAD + MODEL)).find("one")
    assert model.encoding == Unknown("this catalog names none")
    assert model.image_tokens == Unknown("this catalog names no rule")
    assert set(model.sources) == {"rates"}


def test_an_unknown_encoding_keeps_its_reason(write) -> None:
    model, _ = load_catalog(write(with_keys("encoding: {unknown: secret}, image_tokens: {unknown: none}"))).find("one")
    assert (model.encoding, model.image_tokens) == (Unknown("secret"), Unknown("none"))


def test_a_context_is_read_and_none_is_unknown(write) -> None:
    model, _ = load_catalog(write(with_keys("context: {input_tokens: 4096, verified: false, source: page}"))).find(
        "one"
    )
    assert model.context == ContextLimit(4096, verified=False, source="page")
    assert model.sources["context"] == "page"
    model, _ = load_catalog(write(HEAD + MODEL)).find("one")
    assert model.context == Unknown("this catalog names none")
    model, _ = load_catalog(write(with_keys("context: {unknown: secret}"))).find("one")
    assert model.context == Unknown("secret")


@pytest.mark.parametrize(
    ("context", "told"),
    [
        ("{input_tokens: 4096}", "input_tokens, verified, source; or unknown"),
        ("{input_tokens: 0, verified: true, source: page}", "a whole number, 1 or more"),
        ("{input_tokens: 9, verified: true, source: pages}", "a source of this file"),
        ("{input_tokens: 9, verified: true, source: page, output_tokens: 9}", "output_tokens"),
    ],
)
def test_a_context_is_read_strictly(write, context: str, told: str) -> None:
    with pytest.raises(BadCatalog) as caught:
        load_catalog(write(with_keys(f"context: {context}")))
    assert told in str(caught.value)


def test_a_family_gives_its_encoding_and_a_model_takes_another(write) -> None:
    family = "    encoding: {name: x200k, verified: true, source: page}\n    source: page\nmodels:"
    text = HEAD.replace("    source: page\nmodels:", family) + MODEL
    text += "  - {name: two, family: plain, tpm_per_ptu: 100, encoding: {unknown: secret}}\n"
    catalog = load_catalog(write(text))
    assert catalog.find("one")[0].encoding == Encoding("x200k", verified=True, source="page")
    assert catalog.find("two")[0].encoding == Unknown("secret")


def test_an_overlay_replaces_a_claim_as_a_whole_and_never_borrows_its_proof(write, refused) -> None:
    head = "schema: ptucalc.catalog/1\nedition: mine\nas_of: 2026-11-21\nmodels:\n"
    half = "  - {name: gpt-4.1, encoding: {name: cl100k_base}}\n"
    expected = "name, verified, source; or unknown (it has: name)"
    assert refused(head + half) == [f"mine.yaml:5:31, models[0].encoding: expected {expected}, got a mapping"]
    whole = "  - {name: gpt-4.1, encoding: {name: x, verified: false, source: mine}, image_tokens: %s}\n"
    changed, _ = load_catalog(write(head + whole % PATCHES.replace("page", "mine"))).find("gpt-4.1")
    assert changed.encoding == Encoding("x", verified=False, source="mine")
    assert isinstance(changed.image_tokens, ImagePatches) and changed.tpm_per_ptu == 3000
    kept, _ = load_catalog(write(head + "  - {name: gpt-4.1, versions: [a]}\n")).find("gpt-4.1")
    assert isinstance(kept.encoding, Encoding) and kept.encoding.verified


TILE_KEYS = "base, per_tile, verified, source; or multiplier, details, verified, source; or unknown"


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("encoding: o200k_base", "encoding: expected"),
        ("encoding: {}", "encoding: expected name, verified, source; or unknown (it has: none of them), got a mapping"),
        (
            "encoding: {name: a, unknown: b}",
            "encoding: expected name, verified, source; or unknown (it has: name, unknown), got a mapping",
        ),
        ("encoding: {name: a, verified: yes, source: page}", "encoding.verified: expected true or false, got yes"),
        ("encoding: {name: a, verified: true, source: pag}", "encoding.source: expected a source of this file: page?"),
        ("encoding: {nam: a}", "encoding.nam: expected a key that a catalog file has (see CONTRIBUTING.md), got nam"),
        ("image_tokens: {base: 1}", f"image_tokens: expected {TILE_KEYS} (it has: base), got a mapping"),
        (
            f"image_tokens: {TILES[:-1]}, multiplier: 2}}",
            f"image_tokens: expected {TILE_KEYS} (it has: base, multiplier, per_tile, source, verified), got a mapping",
        ),
        (f"image_tokens: {TILES.replace('85', '0')}", "image_tokens.base: expected a whole number, 1 or more, got 0"),
        (f"image_tokens: {PATCHES.replace('1.62', '0')}", "image_tokens.multiplier: expected a number above 0, got 0"),
        (f"image_tokens: {PATCHES.replace('high', 'top')}", "image_tokens.details.top: expected"),
        (
            f"image_tokens: {PATCHES.replace('1536', '1.5')}",
            "image_tokens.details.high.patches: expected a whole number, 1 or more, got 1.5",
        ),
        (
            f"image_tokens: {PATCHES.replace('patches: 1536, ', '')}",
            "image_tokens.details.high: expected a value for patches, got (empty)",
        ),
        (
            f"image_tokens: {PATCHES.replace('{high: {patches: 1536, longest_side_px: 2048}}', '{}')}",
            f"image_tokens: expected {TILE_KEYS} (it has: multiplier, source, verified), got a mapping",
        ),
        (f"image_tokens: {TILES.replace('page', 'pag')}", "image_tokens.source: expected a source of this file: page?"),
    ],
)
def test_half_a_claim_is_refused(refused, keys: str, told: str) -> None:
    (problem,) = refused(with_keys(keys))
    assert f"models[0].{told}" in problem


# The compiled catalog


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """models.yaml compiled as a wheel build does it, in the place where it is looked for."""
    module = types.ModuleType("ptucalc.compiled_catalog")
    exec(compiled_modules(find_bundled("models.yaml").parent)["compiled_catalog"], module.__dict__)  # noqa: S102  # our own output
    monkeypatch.setitem(sys.modules, "ptucalc.compiled_catalog", module)
    return module


def test_the_compiled_catalog_is_what_the_reader_reads(compiled) -> None:
    read = read_catalog_data(find_bundled("models.yaml"))
    assert read == compiled.DATA
    one, other = build_catalog(compiled.DATA), build_catalog(read)
    assert list(one) == list(other) and (one.sources, one.as_of) == (other.sources, other.as_of)


def test_the_compiled_catalog_is_used_without_reading_yaml(compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "read_catalog_data", lambda path: pytest.fail("read the YAML"))
    assert bundled_data() is compiled.DATA


def test_the_compiled_catalog_is_ignored_where_models_yaml_differs(compiled, monkeypatch, tmp_path: Path) -> None:
    text = find_bundled("models.yaml").read_text(encoding="utf-8")
    changed = tmp_path / "models.yaml"  # of the same length, so that only the checksum tells
    changed.write_text(text.replace("tpm_per_ptu: 59400", "tpm_per_ptu: 59500"), encoding="utf-8")
    monkeypatch.setattr(reader, "find_bundled", lambda name: changed if name == "models.yaml" else find_bundled(name))
    nano = next(model for model in bundled_data()["models"] if model["name"] == "gpt-4.1-nano")
    assert nano["tpm_per_ptu"] == 59500


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("earlier: [{edition: azure-2099}]", "expected a shipped edition: azure-2024-12, got azure-2099"),
        ("earlier: [{edition: azure-2024-12}]", "expected an edition that has one, got azure-2024-12"),
        ("earlier: [{as_of: then}]", "expected as_of and source, or edition, got as_of"),
        ("regions: {global: {us: two}}", "expected regions, or versions of the model"),
        ("regions: {data-zone: {usa: two}}", "expected a data zone: us, eu, apac or gov, got usa"),
        ("regions: {global: {'2099': two}}", "expected a version of one: it has none, got 2099"),
        ("regions: {global: []}", "expected at least one region, or none"),
        (
            "long_context: {over_input_tokens: 5, source: page, weights: {output: 9}}",
            "expected a weight for input, cached_input, cache_write too",
        ),
    ],
)
def test_what_would_fail_or_mislead_later_is_refused_at_once(refused, more: str, told: str) -> None:
    problems = refused(HEAD + MODEL.replace("}", f", {more}}}"))
    assert any(told in problem for problem in problems), problems


def test_an_empty_catalog_file_is_told_so(refused) -> None:
    assert refused("# nothing\n") == ["mine.yaml, catalog: expected a catalog, got (empty)"]
