"""data/prices.yaml says what was read in the price captures (the facts folder, where it is beside the repository)."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from ptucalc import Unknown, load_catalog, load_prices
from ptucalc.catalog import TokenClass
from ptucalc.prices import PriceTier, PtuTerm

from .invented import DATA_ZONE, GLOBAL, REGIONAL

F = Fraction
FILE = Path(__file__).parent.parent.parent / "shared" / "facts" / "prices.yaml"
FACTS: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
needs_facts = pytest.mark.skipif(not FACTS, reason="the facts folder is not beside this repository")
BOOK = load_prices()
KINDS = {"global": GLOBAL, "data_zone": DATA_ZONE, "regional": REGIONAL}
HOURLY, MONTH, YEAR = PtuTerm

US = [
    "centralus",
    "eastus",
    "eastus2",
    "northcentralus",
    "southcentralus",
    "westcentralus",
    "westus",
    "westus2",
    "westus3",
]
"""Azure's public regions in the United States: where a list names none of them, they have the headline price."""


def exact(price: Any) -> Fraction:
    return F(str(price))


# The facts, flattened by themselves


def fact_prices() -> dict[tuple[str, str, str, str, str, str], Fraction]:
    """(model, type, tier, context, region or all, token class) to the price per 1M tokens."""
    zones = {row["zone"]: row["regions"] for row in FACTS["ptu"]["hourly"]["data_zone"]}
    found: dict[tuple[str, str, str, str, str, str], Fraction] = {}
    for model, entry in FACTS["models"].items():
        for scope in KINDS.keys() & entry.keys():
            for key, value in entry[scope].items():
                tier, _, rest = key.partition("_")
                if tier not in ("standard", "batch", "priority"):
                    assert key.removesuffix("_long") in ("meters", "effective_dates"), key
                    continue
                context = "long" if rest.startswith("long") else "short"
                where = rest.removeprefix("long").strip("_")
                if where == "by_region":
                    rows = [(row["regions"], {k: v for k, v in row.items() if k != "regions"}) for row in value]
                elif where == "eu":
                    rows = [(EU, value)]
                else:
                    assert where in ("", "us"), key
                    rows = [(["all"] if scope == "global" else US, value)]
                for regions, prices in rows:
                    for region in regions:
                        for token_class, price in prices.items():
                            place = (model, scope, tier, context, region, token_class)
                            assert place not in found, place
                            found[place] = exact(price)
    assert zones
    return found


EU: list[str] = (
    next((r["regions"] for r in FACTS["ptu"]["hourly"]["data_zone"] if r["zone"] == "eu"), []) if FACTS else []
)


def book_prices() -> dict[tuple[str, str, str, str, str, str], Fraction]:
    found = {}
    for model, kinds in BOOK.models.items():
        for scope, kind in KINDS.items():
            for row in [row for layer in kinds[kind].layers for row in layer] if kind in kinds else []:
                context = "long" if row.long_context else "short"
                for region in row.regions or ("all",):
                    for token_class, price in row.usd_per_1m.items():
                        found[model, scope, row.tier.value, context, region, token_class.value] = price
    return found


@needs_facts
def test_every_token_price_of_the_facts_is_in_the_list_and_no_other() -> None:
    facts = fact_prices()
    assert len(facts) > 4000
    assert book_prices() == facts


@needs_facts
def test_every_model_with_a_price_is_in_the_list_and_no_other() -> None:
    assert sorted(BOOK.models) == sorted(FACTS["models"])


SAMPLED = {
    row["meterName"]
    for path in (FILE.parent / "retail_prices_api").glob("re*/*.json")
    for row in json.loads(path.read_text(encoding="utf-8"))["Items"]
}


@needs_facts
@pytest.mark.parametrize("key", ["meters", "meters_long"])
def test_every_meter_is_written_as_the_api_has_it(key: str) -> None:
    facts = {(m, s): e[s][key] for m, e in FACTS["models"].items() for s in KINDS.keys() & e.keys() if key in e[s]}
    found = {}
    for model, kinds in BOOK.models.items():
        for scope, kind in KINDS.items():
            meters = getattr(kinds[kind], key) if kind in kinds else {}
            if meters:
                found[model, scope] = {token_class.value: meter for token_class, meter in meters.items()}
    assert found.items() >= facts.items()
    more = {meter for place in found.keys() - facts.keys() for meter in found[place].values()}
    assert more <= SAMPLED, "a meter that neither the facts nor a sample of the API has"
    assert len(more) == {"meters": 0, "meters_long": 28}[key]  # of GPT-5.6 and 6, read in the samples


@needs_facts
def test_the_newest_day_of_every_models_meters_is_kept() -> None:
    facts = {
        (model, scope): max(entry[scope]["effective_dates"]) if "effective_dates" in entry[scope] else None
        for model, entry in FACTS["models"].items()
        for scope in KINDS.keys() & entry.keys()
    }
    kinds = {kind: scope for scope, kind in KINDS.items()}
    assert {(m, kinds[k]): p.newest_from for m, all_ in BOOK.models.items() for k, p in all_.items()} == facts


@needs_facts
def test_every_models_products_are_those_of_the_api() -> None:
    facts = {model: tuple(e["retail_products"]) for model, e in FACTS["models"].items() if e["retail_products"]}
    assert dict(BOOK.model_products) == facts


@needs_facts
def test_every_token_price_names_a_source_that_the_facts_name_for_its_model() -> None:
    for model, kinds in BOOK.models.items():
        named = FACTS["models"][model].get("sources", ["agp"])
        used = {row.source for prices in kinds.values() for layer in prices.layers for row in layer}
        assert used <= set(named), model


@needs_facts
def test_every_hourly_ptu_price_with_its_day_and_what_it_replaces() -> None:
    def of_facts(scope: str) -> dict[str, Any]:
        return {
            region: (
                exact(row["price"]),
                str(row["effective_from"]),
                exact(row["replaces"]) if "replaces" in row else None,
            )
            for row in FACTS["ptu"]["hourly"][scope]
            for region in ([row["regions"]] if row["regions"] == "all" else row["regions"])
        }

    def of_book(scope: str) -> dict[str, Any]:
        return {
            region: (row.usd, row.since, row.replaces)
            for layer in BOOK.hourly[KINDS[scope]]
            for row in layer
            for region in row.regions or ("all",)
        }

    assert {scope: of_book(scope) for scope in KINDS} == {scope: of_facts(scope) for scope in KINDS}


@needs_facts
def test_every_hourly_ptu_price_names_one_of_its_sources() -> None:
    for scope, rows in FACTS["ptu"]["hourly"].items():
        sources = {
            region: row["sources"]
            for row in rows
            for region in ([row["regions"]] if row["regions"] == "all" else row["regions"])
        }
        for layer in BOOK.hourly[KINDS[scope]]:
            for row in layer:
                assert all(row.source in sources[region] for region in row.regions or ("all",))


@needs_facts
def test_every_reservation_price_and_the_only_region_it_is_known_for() -> None:
    facts = FACTS["ptu"]["reservation"]
    for scope, kind in KINDS.items():
        regions = None if scope == "global" else (facts["known_for_region"],)
        for term, key in ((MONTH, "month_1"), (YEAR, "year_1")):
            ((row,),) = BOOK.reservations[kind, term]
            assert (row.regions, row.usd) == (regions, exact(facts["prices"][scope][key]))
            assert row.source in facts["sources"]
    assert facts["terms"] == ["1 Month", "1 Year"]


@needs_facts
def test_products_and_meters_of_ptu_are_those_of_the_api() -> None:
    meters = FACTS["ptu"]["meters"]
    assert BOOK.products.hourly == meters["product"]
    assert BOOK.products.reservation == FACTS["ptu"]["reservation"]["product"]
    assert BOOK.products.meters == {kind: meters[scope] for scope, kind in KINDS.items()}


@needs_facts
def test_a_source_was_checked_on_the_day_it_was_captured() -> None:
    for name, source in BOOK.sources.items():
        captured = str(FACTS["sources"][name]["captured"])
        day = "2026-11-07" if captured.startswith("undated") else captured[:10]
        assert (name, source.checked) == (name, date.fromisoformat(day))


@needs_facts
def test_the_convention_of_the_month_and_the_threshold_of_long_context_are_the_facts() -> None:
    constants = FACTS["constants"]
    assert BOOK.ptu(GLOBAL, "eastus2", HOURLY).usd_per_month == constants["hours_per_month"] == 730
    thresholds = {model.long_context.over_input_tokens for model in load_catalog() if model.long_context}
    assert thresholds == {constants["long_context_threshold_tokens"]}


# What needs no facts folder. Sources: Retail Prices API captures of 2026-08-11, 2026-09-30 and 2026-10-09


@pytest.mark.parametrize(
    ("kind", "region", "hourly", "month", "year"),
    [
        (GLOBAL, "eastus2", "1", 260, 2652),
        (GLOBAL, "westeurope", "1", 260, 2652),
        (DATA_ZONE, "eastus2", "1.1", 286, 2916),
        (DATA_ZONE, "swedencentral", "1.2", None, None),
        (DATA_ZONE, "usgovtexas", "2.5", None, None),
        (REGIONAL, "eastus2", "2", 286, 2916),
        (REGIONAL, "eastus", "2", None, None),
        (REGIONAL, "southindia", "2.28", None, None),
        (REGIONAL, "swedencentral", "2.36", None, None),
        (REGIONAL, "japaneast", "2.46", None, None),
        (REGIONAL, "uksouth", "2.54", None, None),
        (REGIONAL, "westeurope", "2.72", None, None),
        (REGIONAL, "centralus", None, None, None),
        (REGIONAL, "spaincentral", None, None, None),
        (REGIONAL, "switzerlandwest", None, None, None),
    ],
)
def test_a_ptu_price_depends_on_type_and_region(kind, region, hourly, month, year) -> None:
    found = [BOOK.ptu(kind, region, term) for term in PtuTerm]
    published = [None if isinstance(price, Unknown) else price.published_usd for price in found]
    assert published == [None if usd is None else F(usd) for usd in (hourly, month, year)]


def test_a_year_of_a_global_ptu_is_221_dollars_a_month() -> None:
    assert BOOK.ptu(GLOBAL, "eastus2", YEAR).usd_per_month == F(2652, 12) == 221


@pytest.mark.parametrize(
    ("model", "kind", "region", "long", "prices"),
    [
        ("gpt-4.1", GLOBAL, "eastus2", False, ("2", "0.5", "8")),
        ("gpt-4.1", REGIONAL, "northeurope", False, ("2.64", "0.66", "10.56")),
        ("gpt-4o", DATA_ZONE, "usgovarizona", False, ("3.438", "1.719", "13.75")),
        ("gpt-4o-mini", REGIONAL, "usgovarizona", False, ("0.206", "0.104", "0.825")),
        ("gpt-5", GLOBAL, "eastus2", False, ("1.25", "0.125", "10")),
        ("gpt-5.6-sol", DATA_ZONE, "swedencentral", True, ("8.8", "0.88", "33")),
        ("gpt-6-astra", DATA_ZONE, "swedencentral", False, ("12", "1.2", "60")),
        ("gpt-6.1-sol", GLOBAL, "eastus2", False, ("2", "0.1", "10")),
    ],
)
def test_token_prices_of_well_known_models(model, kind, region, long, prices) -> None:
    found = BOOK.tokens(model, None, kind, region, long_context=long).usd_per_1m
    assert [found[each] for each in (TokenClass.INPUT, TokenClass.CACHED_INPUT, TokenClass.OUTPUT)] == [*map(F, prices)]


@pytest.mark.parametrize(
    ("model", "kind", "region", "reason"),
    [
        ("gpt-5", REGIONAL, "eastus2", "no Regional pay-as-you-go price of gpt-5 is known"),
        ("gpt-6-sol", REGIONAL, "eastus2", "no Regional pay-as-you-go price of gpt-6-sol is known"),
        ("gpt-5", DATA_ZONE, "swedencentral", "no Data zone pay-as-you-go price of gpt-5 is known for swedencentral"),
        ("gpt-6-sol", DATA_ZONE, "japaneast", "no Data zone pay-as-you-go price of gpt-6-sol is known for japaneast"),
        ("gpt-4o", REGIONAL, "westeurope", "no Regional pay-as-you-go price of gpt-4o is known for westeurope"),
        ("GLM 5.2", GLOBAL, "eastus2", "no pay-as-you-go price of GLM 5.2 is known"),
    ],
)
def test_what_was_never_published_is_unknown(model, kind, region, reason) -> None:
    assert BOOK.tokens(model, None, kind, region) == Unknown(reason)


FIREWORKS = [model.name for model in load_catalog() if model.publisher == "Fireworks on Foundry"]


@pytest.mark.parametrize("name", FIREWORKS)
def test_no_model_of_fireworks_has_a_pay_as_you_go_price(name: str) -> None:
    found = BOOK.tokens(name, None, GLOBAL, "eastus2", publisher="Fireworks on Foundry")
    others = " of Fireworks on Foundry is known (only that of OpenAI)" if name == "gpt-oss-120b" else " is known"
    assert found == Unknown(f"no pay-as-you-go price of {name}{others}")


def test_two_dated_versions_of_gpt_4o_have_prices_of_their_own() -> None:
    keys = [BOOK.model_key("gpt-4o", version) for version in (None, "2024-05-13", "2024-08-06", "2024-11-20")]
    assert keys == ["gpt-4o", "gpt-4o-2024-05-13", "gpt-4o-2024-08-06", "gpt-4o"]


def test_every_price_is_over_0_and_from_a_source_of_the_list() -> None:
    assert all(price > 0 for price in book_prices().values())
    rows = [row for layers in (*BOOK.hourly.values(), *BOOK.reservations.values()) for layer in layers for row in layer]
    rows += [row for kinds in BOOK.models.values() for each in kinds.values() for layer in each.layers for row in layer]
    assert {row.source for row in rows} <= set(BOOK.sources)
    assert all(row.usd > 0 for layers in BOOK.hourly.values() for layer in layers for row in layer)


def test_no_source_was_checked_after_the_day_of_the_list() -> None:
    assert BOOK.sources
    assert all(source.checked <= BOOK.as_of for source in BOOK.sources.values())


SIZED = {model.name.casefold() for model in load_catalog() if not isinstance(model.tpm_per_ptu, Unknown)}
LONG = sorted(
    name
    for name, kinds in BOOK.models.items()
    if name in SIZED and any(row.long_context for each in kinds.values() for layer in each.layers for row in layer)
)


@pytest.mark.parametrize("name", LONG)
def test_a_model_with_long_context_prices_knows_from_which_prompt_they_hold(name: str) -> None:
    models = {model.name.casefold(): model for model in load_catalog()}
    model = models[name]
    threshold = model.long_context.over_input_tokens if model.long_context else None
    # where there is none, no call can be so long: the prompt limit on PTU is below
    assert threshold or (model.prompt_limit_tokens and model.prompt_limit_tokens < 272_000)


@pytest.mark.parametrize("tier", list(PriceTier))
def test_every_tier_has_prices(tier: PriceTier) -> None:
    assert [place for place in book_prices() if place[2] == tier.value]
