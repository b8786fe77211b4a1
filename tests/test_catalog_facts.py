"""models.yaml says what was read in Microsoft's pages (the facts folder, where it is beside the repository)."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from ptucalc import Unknown, load_catalog
from ptucalc.catalog import DeploymentType, Model, TokenClass
from ptucalc.image_rules import ImagePatches, ImageTiles, PatchBudget

FACTS = Path(__file__).parent.parent.parent / "shared" / "facts"
KINDS = {DeploymentType.GLOBAL: "global", DeploymentType.DATA_ZONE: "data_zone", DeploymentType.REGIONAL: "regional"}
CATALOG = load_catalog()


def _read(name: str) -> Any:
    path = FACTS / name
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None


MODEL_FACTS = {fact["name"]: fact for fact in (_read("models.yaml") or {"models": []})["models"]}
needs_facts = pytest.mark.skipif(not MODEL_FACTS, reason="the facts folder is not beside this repository")
each_model = pytest.mark.parametrize("name", list(MODEL_FACTS) or [pytest.param("", marks=needs_facts)])


def _model(name: str) -> Model:
    return next(model for model in CATALOG if model.name == name)


def _value(fact: dict[str, Any], key: str) -> Any:
    return (fact.get(key) or {}).get("value")


def _exact(number: Any) -> Fraction | None:
    return None if number is None else Fraction(str(number))


def _known(value: Any) -> Any:
    return None if isinstance(value, Unknown) else value


@needs_facts
def test_every_model_of_the_facts_is_in_the_catalog_and_no_other() -> None:
    assert sorted(model.name for model in CATALOG) == sorted(MODEL_FACTS)


@each_model
def test_tokens_per_minute_per_ptu(name: str) -> None:
    assert _known(_model(name).tpm_per_ptu) == _value(MODEL_FACTS[name], "input_tpm_per_ptu")


@each_model
def test_publisher_model_id_and_versions(name: str) -> None:
    fact, model = MODEL_FACTS[name], _model(name)
    assert model.publisher == fact["publisher"]
    assert model.model_id == fact.get("model_id")
    assert list(model.versions) == [str(version) for version in _value(fact, "versions") or []]


@each_model
def test_weights(name: str) -> None:
    fact, weights = MODEL_FACTS[name], _model(name).weights
    if "token_weights" in fact:
        sets = fact["token_weights"]["values"]
        long = _model(name).long_context
        assert long is not None and long.weights is not None
        for expected, found in ((sets["short"], weights), (sets["long"], long.weights)):
            assert {key: found.of(TokenClass(key)) for key in expected} == {k: _exact(v) for k, v in expected.items()}
    elif "image_params" in fact:
        image = fact["image_params"]
        assert weights.image_input == _exact(image["image_to_text_factor"])
        assert weights.image_output == _exact(image["derived_image_output_weight"])
        assert weights.output is None
    else:
        assert _known(weights.output) == _exact(_value(fact, "output_weight"))
        assert _known(weights.cached_input) == _exact(_value(fact, "cached_input_weight"))
        assert weights.input in (1, None)


@each_model
def test_sizes_sold(name: str) -> None:
    fact = MODEL_FACTS[name]
    for kind in DeploymentType:
        expected = fact.get("regional" if kind is DeploymentType.REGIONAL else "global_data_zone") or {}
        grid = _model(name).offer(kind).grid
        found = (grid.minimum, grid.increment) if grid else (None, None)
        assert found == (expected.get("min"), expected.get("increment")), kind


@each_model
def test_latency_target(name: str) -> None:
    expected, target = MODEL_FACTS[name].get("latency_target") or {}, _known(_model(name).latency_target)
    if target is None:
        assert expected.get("tps_greater_than") is None
    else:
        assert target.tokens_per_second == expected["tps_greater_than"]
        assert target.percent_of_requests == expected["percent_of_requests"]
        assert target.basis == expected["basis"]


# OpenAI's guide to images, as facts/tokenizers.md has it
TILES = {
    **dict.fromkeys(("gpt-4o", "gpt-4.1"), (85, 170)),
    **dict.fromkeys(("gpt-5", "gpt-5.1"), (70, 140)),
    **dict.fromkeys(("o1", "o3"), (75, 150)),
    "gpt-4o-mini": (2833, 5667),
}
MULTIPLIERS = {
    **dict.fromkeys(("gpt-4.1-mini", "gpt-5-mini", "gpt-5.4-mini"), "1.62"),
    "gpt-4.1-nano": "2.46",
    "o4-mini": "1.72",
    **dict.fromkeys(("gpt-5.4", "gpt-5.5", "gpt-5.6-luna", "gpt-5.6-sol", "gpt-5.6-terra", "gpt-6-astra"), "1.2"),
}


CONTEXT = {
    **dict.fromkeys(("gpt-5.4", "gpt-5.5", "gpt-5.6-luna", "gpt-5.6-sol", "gpt-5.6-terra"), 922_000),
    **dict.fromkeys(("gpt-6-astra", "gpt-6-luna", "gpt-6-sol", "gpt-6.1-sol"), 922_000),
    **dict.fromkeys(("gpt-5", "gpt-5-mini", "gpt-5.1", "gpt-5.1-codex", "gpt-5.2", "gpt-5.2-codex"), 272_000),
    **dict.fromkeys(("gpt-5.3-codex", "gpt-5.4-mini"), 272_000),
    **dict.fromkeys(("gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano"), 1_047_576),
    **dict.fromkeys(("o1", "o3", "o3-mini", "o4-mini"), 200_000),
    **dict.fromkeys(("gpt-4o", "gpt-4o-mini", "o1-mini", "o1-preview"), 128_000),
    "gpt-4-32k": 32_768,
}
"""Input tokens, from Microsoft's page of the models that Azure sells; but for those of the last line of the test."""


def test_context_limits() -> None:
    limits = {model.name: model.context for model in CATALOG if not isinstance(model.context, Unknown)}
    assert {name: limit.input_tokens for name, limit in limits.items()} == CONTEXT
    assert sorted(name for name, limit in limits.items() if not limit.verified) == ["gpt-4-32k", "gpt-6.1-sol"]


def test_image_tiles() -> None:
    rules = {model.name: model.image_tokens for model in CATALOG}
    assert {n: (r.base, r.per_tile) for n, r in rules.items() if isinstance(r, ImageTiles)} == TILES
    assert [n for n in TILES if not rules[n].verified] == ["gpt-5.1"]  # the guide's table has gpt-5 only


def test_image_patches() -> None:
    rules = {model.name: model.image_tokens for model in CATALOG}
    patches = {name: rule for name, rule in rules.items() if isinstance(rule, ImagePatches)}
    assert {name: rule.multiplier for name, rule in patches.items()} == {n: Fraction(m) for n, m in MULTIPLIERS.items()}
    for name, rule in patches.items():
        newer = MULTIPLIERS[name] == "1.2"
        assert rule.details["high"] == PatchBudget(2500 if newer else 1536, 2048)
        assert rule.verified is not newer  # their multiplier is in no copy of the guide
        disputed = name.startswith("gpt-5.6")  # 10,000 patches or 30,000: sources disagree
        assert (newer and not disputed) == ("original" in rule.details)
    assert patches["gpt-5.4"].details["original"] == patches["gpt-5.5"].details["original"] == PatchBudget(10_000, 6000)
    assert patches["gpt-6-astra"].details["original"] == PatchBudget(30_000, 65_535)
    assert patches["gpt-5.4"].details["auto"] == patches["gpt-5.4"].details["high"]
    assert patches["gpt-5.5"].details["auto"] == patches["gpt-5.5"].details["original"]


def test_a_multiplier_that_sources_disagree_on_is_unknown() -> None:
    assert _model("gpt-5.2").image_tokens == Unknown(
        "OpenAI's guide to images gives it a budget of patches but no multiplier, and others disagree (1.0 and 1.2)"
    )


@pytest.mark.parametrize("name", [model.name for model in CATALOG if model.name.startswith("gpt-6")])
def test_no_encoding_of_gpt_6_is_published(name: str) -> None:
    assert isinstance(_model(name).encoding, Unknown)


@each_model
def test_prompt_limit(name: str) -> None:
    expected = (MODEL_FACTS[name].get("long_context") or {}).get("limit_prompt_tokens")
    assert _model(name).prompt_limit_tokens == expected


@each_model
def test_spillover(name: str) -> None:
    assert _known(_model(name).spillover) == _value(MODEL_FACTS[name], "spillover")


@each_model
def test_retirement_date(name: str) -> None:
    expected, end = MODEL_FACTS[name].get("retirement"), _model(name).retirement
    if expected:
        assert end is not None and end.day == date.fromisoformat(str(expected["date"])) and not end.last_listed
        assert end.third_party == ("third party" in expected["source"])
    else:
        assert end is None or end.last_listed


@each_model
def test_where_it_is_offered(name: str) -> None:
    types = MODEL_FACTS[name].get("deployment_types") or {}
    for kind, key in KINDS.items():
        offered = types.get(key)
        found = _model(name).offer(kind).availability().available
        if name in ("gpt-6.1-sol", "gpt-image-2"):  # no row in the region tables, so not known
            assert found is None
        elif offered is not None:
            assert found is bool(offered), kind
        elif found is not None:
            assert found is False  # the models that left the tables had no Regional sizes ("NA")


@needs_facts
@pytest.mark.parametrize("kind", list(DeploymentType))
def test_regions_of_every_version(kind: DeploymentType) -> None:
    rows = _read("regions.yaml")[f"{KINDS[kind]}_provisioned"]["rows"]
    expected: dict[tuple[str, str, str | None], set[str]] = {}
    for row in rows:
        for zone, regions in row.get("zones", {None: row.get("regions")}).items():
            expected[row["model"], str(row["version"]), zone] = set(regions)
    found: dict[tuple[str, str, str | None], set[str]] = {}
    for model in CATALOG:
        places = model.offer(kind).places
        for place in () if isinstance(places, Unknown) else places:
            if isinstance(place.regions, Unknown):
                assert model.publisher == "Fireworks on Foundry"
                continue
            for version in [place.version] if place.version else model.versions:
                found[model.name, version, place.zone] = set(place.regions)
    assert found == expected


# What needs no facts folder


def test_the_catalog_has_74_models() -> None:
    assert len(CATALOG) == 74


def test_every_source_has_a_checked_date_that_has_passed_by_the_catalogs_own() -> None:
    assert CATALOG.sources
    assert all(source.checked <= CATALOG.as_of for source in CATALOG.sources.values())
    assert all(source.title and source.where and source.published for source in CATALOG.sources.values())


def test_every_source_that_a_model_names_exists() -> None:
    for model in CATALOG:
        assert model.sources["rates"]
        named = [*model.sources.values(), *(earlier.source for earlier in model.earlier)]
        named += [model.long_context.source] if model.long_context else []
        named += [model.retirement.source] if model.retirement else []
        assert set(named) <= set(CATALOG.sources), model.name


def test_published_rates_of_well_known_models() -> None:
    # Microsoft's sizing page of 2026-09-23: gpt-4.1 3,000 and 4; gpt-4o 2,500; gpt-4o-mini 37,000; gpt-5 4,750 and 8.
    found = {name: (_model(name).tpm_per_ptu, _model(name).weights.output) for name in ("gpt-4.1", "gpt-4o", "gpt-4o-mini", "gpt-5")}  # fmt: skip
    assert found == {"gpt-4.1": (3000, 4), "gpt-4o": (2500, 4), "gpt-4o-mini": (37000, 4), "gpt-5": (4750, 8)}


def test_only_o1_regional_has_a_minimum_off_its_own_grid() -> None:
    off = [
        (m.name, offer.deployment_type) for m in CATALOG for offer in m.offers if offer.grid and not offer.grid.on_grid
    ]
    assert off == [("o1", DeploymentType.REGIONAL)]


def test_names_that_differ_only_in_punctuation_are_two_models() -> None:
    azure, fireworks = CATALOG.find("DeepSeek-V3.2")[0], CATALOG.find("DeepSeek v3.2")[0]
    assert CATALOG.lookalikes(azure) == (fireworks,) and CATALOG.lookalikes(fireworks) == (azure,)


def test_where_a_value_is_unknown_the_reason_is_a_sentence_part_not_a_blank() -> None:
    for model in CATALOG:
        unknown = [model.tpm_per_ptu, model.latency_target, model.spillover, *(o.places for o in model.offers)]
        assert all(len(value.reason) > 5 for value in unknown if isinstance(value, Unknown))
