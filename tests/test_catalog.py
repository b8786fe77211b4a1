"""Look-ups, near names, availability: what a catalog answers, on invented models."""

from dataclasses import replace
from datetime import date

import pytest

from ptucalc.catalog import (
    Availability,
    DeploymentType,
    LongContext,
    Offer,
    Place,
    Source,
    Unknown,
    UnknownModel,
    nearest,
)
from ptucalc.rounding import Grid

from .invented import DATA_ZONE, EVERYWHERE, GLOBAL, REGIONAL, a_catalog, a_model, only, weights

ALDER = a_model("Alder", model_id="INV-Alder-70", versions=("0613", "2030-01-01", "2030-02-02"))
ALDER_MINI = a_model("Alder-mini", versions=("2030-01-01",))
BIRCH = a_model("Birch v3.2", publisher="One", tpm_per_ptu=500)
BIRCH_DASH = a_model("Birch-V3.2", publisher="Two", tpm_per_ptu=700)
CATALOG = a_catalog(ALDER, ALDER_MINI, BIRCH, BIRCH_DASH)


@pytest.mark.parametrize("name", ["Alder", "alder", "ALDER", " Alder ", "INV-Alder-70", "inv-alder-70"])
def test_a_model_is_found_by_name_or_id_in_any_case(name):
    assert CATALOG.find(name) == (ALDER, None)


@pytest.mark.parametrize(
    ("name", "model", "version"),
    [
        ("Alder-0613", ALDER, "0613"),
        ("alder-2030-01-01", ALDER, "2030-01-01"),
        ("alder-mini-2030-01-01", ALDER_MINI, "2030-01-01"),  # not a version "mini-2030-01-01" of Alder
        ("Alder-mini", ALDER_MINI, None),
    ],
)
def test_azures_dated_form_is_that_version(name, model, version):
    assert CATALOG.find(name) == (model, version)


def test_a_version_with_capital_letters_is_found_in_any_case():
    model = a_model("Cedar", versions=("Turbo-1",))
    assert a_catalog(model).find("cedar-turbo-1") == a_catalog(model).find("Cedar-Turbo-1") == (model, "Turbo-1")


@pytest.mark.parametrize(
    ("name", "near", "message"),
    [
        ("Aldr", ("Alder",), "I know no model 'Aldr': expected a known model: Alder?"),
        ("alder_mini", ("Alder-mini",), "I know no model 'alder_mini': expected a known model: Alder-mini?"),
        ("Zebra", (), "I know no model 'Zebra': expected a known model (see: ptucalc models)"),
        ("", (), "I know no model '': expected a known model (see: ptucalc models)"),
        (
            "alder-2030-03-03",
            ("Alder",),
            "I know no model 'alder-2030-03-03': expected a known version of Alder: 0613, 2030-01-01, 2030-02-02",
        ),
        (
            "alder-mini-2030-02-02",
            None,
            "I know no model 'alder-mini-2030-02-02': expected a known version of Alder-mini: 2030-01-01",
        ),
    ],
)
def test_an_unknown_name_is_answered_with_near_ones(name, near, message):
    with pytest.raises(UnknownModel) as caught:
        CATALOG.find(name)
    assert str(caught.value) == message
    if near is not None and "version" not in message:
        assert caught.value.near == near


def test_two_models_whose_names_differ_only_in_punctuation_are_never_merged():
    assert CATALOG.find("birch v3.2") == (BIRCH, None)
    assert CATALOG.find("BIRCH-V3.2") == (BIRCH_DASH, None)
    with pytest.raises(UnknownModel) as caught:
        CATALOG.find("birch_v3.2")
    assert str(caught.value) == "I know no model 'birch_v3.2': expected a known model: Birch v3.2 or Birch-V3.2?"
    assert CATALOG.lookalikes(BIRCH) == (BIRCH_DASH,)
    assert CATALOG.lookalikes(BIRCH_DASH) == (BIRCH,)
    assert CATALOG.lookalikes(ALDER) == ()


def test_two_models_whose_names_differ_only_in_case_are_never_merged():
    lower, upper = a_model("birch", tpm_per_ptu=500), a_model("BIRCH", tpm_per_ptu=700)
    both = a_catalog(lower, upper)
    assert both.find("birch") == (lower, None)
    assert both.find("BIRCH") == (upper, None)
    assert both.lookalikes(lower) == (upper,)


def test_a_models_name_wins_over_another_models_id():
    named, other = a_model("Cedar"), a_model("Dogwood", model_id="cedar")
    for catalog in (a_catalog(named, other), a_catalog(other, named)):
        assert catalog.find("cedar") == (named, None)


def test_models_are_listed_by_a_part_of_their_name_or_id():
    assert CATALOG.matching("MINI") == (ALDER_MINI,)
    assert CATALOG.matching("inv-") == (ALDER,)
    assert CATALOG.matching(" ") == tuple(CATALOG) == (ALDER, ALDER_MINI, BIRCH, BIRCH_DASH)
    assert CATALOG.matching("zebra") == ()
    assert len(CATALOG) == 4


def test_near_names_are_compared_without_case_and_punctuation():
    assert nearest("WEST us", ["westus", "eastus", "westus3"]) == ("westus",)
    assert nearest("westsu", ["westus", "eastus", "northpole"])[0] == "westus"
    assert nearest("nowhere", ["westus"]) == ()


def test_the_regions_are_all_that_some_model_is_listed_in():
    unknown = a_model("Elm", places={GLOBAL: Unknown("no table"), REGIONAL: (Place(None, None, Unknown("no list")),)})
    assert a_catalog(unknown).regions == {"northland", "southland"}
    assert a_catalog(only(a_model())).regions == set()


def test_the_oldest_check_is_that_of_the_sources_used():
    assert CATALOG.oldest_check() == date(2030, 2, 1)
    days = {"table": date(2030, 2, 1), "older": date(2029, 1, 1), "unused": date(2028, 1, 1)}
    sources = {name: Source(name=name, title="", where="", published="", checked=day) for name, day in days.items()}
    two = replace(a_catalog(a_model(sources={"rates": "table", "regions": "older"}), ALDER), sources=sources)
    assert two.oldest_check() == date(2029, 1, 1)
    assert two.oldest_check([ALDER]) == date(2030, 2, 1)
    assert a_catalog(a_model(sources={})).oldest_check() == date(2030, 3, 1)  # no source: the catalog's own day


VERSIONED = (
    Place(version="1", zone=None, regions=("northland",)),
    Place(version="2", zone=None, regions=("southland", "eastland")),
)


@pytest.mark.parametrize(
    ("places", "version", "region", "available", "reason"),
    [
        (EVERYWHERE, None, None, True, ""),
        (EVERYWHERE, "7", "northland", True, ""),  # the row holds for any version
        (
            EVERYWHERE,
            None,
            "westland",
            False,
            "Alder is not offered as Data zone in westland; it is in northland, southland",
        ),
        (VERSIONED, None, "northland", True, ""),
        (VERSIONED, "1", "northland", True, ""),
        (
            VERSIONED,
            "2",
            "northland",
            False,
            "Alder 2 is not offered as Data zone in northland; it is in eastland, southland",
        ),
        (VERSIONED, "3", None, False, "Alder 3 is not offered as Data zone (versions that are: 1, 2)"),
        (Unknown("no row in the tables"), None, None, None, "no row in the tables"),
        ((Place(None, "us", Unknown("no list of regions")),), None, None, True, ""),
        ((Place(None, "us", Unknown("no list of regions")),), None, "northland", None, "no list of regions"),
        ((), None, None, False, "no region offers Alder as Data zone, though sizes are published for it"),
    ],
)
def test_availability_is_yes_no_or_unknown_with_the_reason(places, version, region, available, reason):
    offer = Offer(model="Alder", deployment_type=DATA_ZONE, grid=Grid(10, 5), places=places)
    assert offer.availability(version=version, region=region) == Availability(available, reason)


def test_a_type_without_sizes_and_places_is_not_offered():
    offer = Offer(model="Alder", deployment_type=GLOBAL, grid=None, places=())
    assert offer.availability() == Availability(False, "Alder is not offered as Global")


def test_long_context_starts_one_token_above_its_threshold():
    long = weights(input=2, output=7)
    model = a_model(long_context=LongContext(over_input_tokens=5000, source="table", weights=long))
    assert model.weights_for(5000) is model.weights
    assert model.weights_for(5001) is long
    priced = a_model(long_context=LongContext(over_input_tokens=5000, source="table", weights=None))
    assert priced.weights_for(5001) is priced.weights


def test_deployment_types_carry_azures_names():
    assert [(kind.value, kind.sku_name, kind.label) for kind in DeploymentType] == [
        ("global", "GlobalProvisionedManaged", "Global"),
        ("data-zone", "DataZoneProvisionedManaged", "Data zone"),
        ("regional", "ProvisionedManaged", "Regional"),
    ]
