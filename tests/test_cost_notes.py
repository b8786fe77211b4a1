"""What a reader of the costs is told, and when not."""

import pytest

from ptucalc.catalog import LongContext
from ptucalc.cost_notes import unmatched_prices
from ptucalc.workload import LoadProfile

from .invented import DATA_ZONE, GLOBAL, REGIONAL, a_catalog, a_model, calls
from .priced import (
    HERE,
    HOURLY,
    MONTH,
    PER_TERM,
    PLAIN,
    THERE,
    YEAR,
    a_book,
    book_of,
    compared,
    messages,
    row,
    scope,
)

HOURS = LoadProfile.from_hourly([8, 2] * 12)
LEVELS = LoadProfile.from_levels([("1/4", 5), ("3/4", 1)])
SIZING = {"peaks_added", "peaks_do_not_coincide", "minimum_dominates", "utilization", "prompt_limit", "long_context"}


def told(workloads, code, *kinds, **given):
    return messages(compared(workloads, deployment_types=kinds or (GLOBAL,), **given), code)


def codes(result):
    """The codes of the notes that are about money."""
    return {note.code for note in result.notes} - SIZING


def test_a_load_that_is_known_and_priced_in_its_region_has_no_notes():
    result = compared(calls(None, profile=HOURS, region=HERE), deployment_types=(GLOBAL,))
    assert codes(result) == set()


def test_the_notes_of_the_sizing_come_first():
    notes = compared(calls(1, region=HERE), deployment_types=(GLOBAL,)).notes
    assert [note.code for note in notes] == ["minimum_dominates", "flat_profile"]


def test_a_rate_without_a_profile_is_taken_to_last():
    assert told([calls(2, name="a"), calls(None, profile=HOURS)], "flat_profile") == [
        "a: taken to run at the peak rate all the time; a load profile or an average says otherwise."
    ]
    assert told(calls(None, profile=LEVELS), "flat_profile") == []


def test_an_average_shows_no_mix():
    assert told(calls(5, name="a", average_requests_per_minute=2), "average_only") == [
        "a: an average says how much is used, not when, so no mix of PTU and spillover can be seen from it: give a load "
        "profile."
    ]
    assert told(calls(5, average_requests_per_minute=2), "flat_profile") == []
    assert told(calls(5), "average_only") == []


def test_levels_that_are_laid_along_others_are_named():
    assert told([calls(None, profile=LEVELS, name="a"), calls(None, profile=HOURS)], "levels_aligned") == [
        "a: when it is busy cannot be laid beside the others' profiles, so it is taken to be busiest when the deployment is; "
        "hourly profiles of all would show."
    ]
    assert told(calls(None, profile=LEVELS), "levels_aligned") == []
    assert told([calls(None, profile=HOURS), calls(None, profile=HOURS)], "levels_aligned") == []


def test_six_names_are_said_and_the_others_counted():
    (seven,) = told([calls(1, name=f"w{i}") for i in range(7)], "flat_profile")
    assert seven.startswith("w0, w1, w2, w3, w4, w5 and 1 more: ")
    (six,) = told([calls(1, name=f"w{i}") for i in range(6)], "flat_profile")
    assert six.startswith("w0, w1, w2, w3, w4, w5: ")


def test_a_note_on_loads_is_about_the_deployment_where_there_is_one():
    one = compared(calls(1))
    two = compared([calls(1), calls(1, deployment="other")])
    assert [note.about for note in one.notes if note.code == "flat_profile"] == ["Alder"]
    assert [note.about for note in two.notes if note.code == "flat_profile"] == [""]


def test_an_unknown_pay_as_you_go_price_comes_with_the_nearest_known():
    assert told(calls(12, region=THERE), "payg_unknown", DATA_ZONE) == [
        "Alder Data zone: no Data zone pay-as-you-go price of Alder is known for southland; the nearest known is Global in "
        "southland: $5,256.00 a month (--payg-type global compares with it)."
    ]
    alone = book_of({GLOBAL: scope([row(HERE, input=10)])})
    assert told(calls(12, region=THERE), "payg_unknown", book=alone) == [
        "Alder Global: no Global pay-as-you-go price of Alder is known for southland; the nearest known is Global in "
        "northland: $5,256.00 a month."
    ]
    assert told(calls(12), "payg_unknown", book=a_book(models={})) == [
        "Alder Global: no pay-as-you-go price of Alder is known."
    ]
    assert told(calls(12), "payg_unknown") == []


def test_an_unknown_reservation_comes_with_the_nearest_known_and_the_way_out():
    assert told(calls(12, region=THERE), "reservation_unknown", DATA_ZONE) == [
        "no Data zone 1-month reservation price is known for southland; the nearest known is northland: $350.00 per PTU a "
        "month.",
        "no Data zone 1-year reservation price is known for southland; the nearest known is northland: $3,000.00 per PTU a "
        "year.",
    ]
    nowhere = a_book(reservations={**PER_TERM, (GLOBAL, YEAR): ()})
    assert told(calls(12), "reservation_unknown", book=nowhere) == [
        "no Global 1-year reservation price is known for northland."
    ]
    assert told(calls(12, region=THERE), "reservation_unknown") == []


def test_an_unknown_hourly_price_comes_with_the_nearest_known():
    assert told(calls(12, region=THERE), "ptu_price_unknown", REGIONAL) == [
        "no Regional PTU hourly price is known for southland; the nearest known is northland: $0.80 per PTU an hour."
    ]


def test_a_price_that_lacks_in_several_regions_is_one_note():
    listed = [calls(12, region=region) for region in (THERE, HERE, "southland")]
    book = a_book(hourly={}, reservations=PER_TERM)
    assert told(listed, "ptu_price_unknown", book=book) == [
        "no Global PTU hourly price is known for northland, southland."
    ]


def test_only_terms_that_were_asked_for_are_missed():
    assert told(calls(12, region=THERE), "reservation_unknown", DATA_ZONE, terms=(HOURLY,)) == []
    assert len(told(calls(12, region=THERE), "reservation_unknown", DATA_ZONE, terms=(HOURLY, MONTH))) == 1


def test_tokens_without_a_meter_are_said_to_be_billed_as_input_where_there_are_some():
    book = book_of({GLOBAL: scope([row(input=10, output=40)])})
    assert told(calls(12, cache_ratio="50%", cache_write_ratio="10%"), "billed_as_input", book=book) == [
        "Alder Global has no meter for cached input and cache write tokens: billed as plain input."
    ]
    assert told(calls(12, cache_write_ratio="10%"), "billed_as_input", book=book) == [
        "Alder Global has no meter for cache write tokens: billed as plain input."
    ]
    assert told(calls(12), "billed_as_input", book=book) == []
    assert told(calls(12, cache_ratio="50%"), "billed_as_input") == []


@pytest.mark.parametrize(("tokens", "said"), [(5000, 0), (5001, 1)])
def test_calls_billed_at_long_context_prices_are_named(tokens, said):
    catalog = a_catalog(a_model(long_context=LongContext(5000, "table", None)))
    book = book_of({GLOBAL: scope([row(**PLAIN), row(long=True, input=20, output=60)])})
    found = told(calls(1, tokens, name="a"), "long_context_price", catalog=catalog, book=book)
    assert found == ["a: pay-as-you-go bills the whole call at the long-context prices."] * said


def test_another_scope_of_pay_as_you_go_is_said():
    assert told(calls(12), "payg_type", REGIONAL, payg_type=GLOBAL) == [
        "Alder Regional: pay-as-you-go and spillover are priced as Global, as asked."
    ]
    assert told(calls(12), "payg_type", GLOBAL, payg_type=GLOBAL) == []


def test_a_model_that_azure_does_not_spill_over_is_said():
    assert told(calls(12), "no_spillover", catalog=a_catalog(a_model(spillover=False))) == [
        "Azure spills no calls of Alder over to pay-as-you-go: a mix needs routing of your own."
    ]
    assert told(calls(12), "no_spillover") == []


def test_remarks_on_prices_are_passed_on_with_the_version_they_are_about():
    book = a_book(remarks={"alder": ("it was cut in May",), "alder-2": ("never seen",)})
    catalog = a_catalog(a_model(versions=("1", "2")))
    assert told(calls(12), "price_remark", book=book, catalog=catalog) == ["prices of Alder: it was cut in May."]
    dated = a_book(remarks=book.remarks, models={**book.models, "alder-2": book.models["alder"]})
    assert told(calls(12, model_version="2"), "price_remark", book=dated, catalog=catalog) == [
        "prices of Alder: never seen."
    ]


def test_without_a_region_the_report_says_whose_prices_these_are():
    assert told(calls(12), "default_region") == [
        "no region was given: prices are those of northland (--region for another)."
    ]
    assert told(calls(12, region=THERE), "default_region") == []
    assert len(told([calls(12, region=THERE), calls(1)], "default_region")) == 1


def test_a_note_is_said_once_however_many_types_there_are():
    result = compared(calls(12, cache_write_ratio="10%"))
    notes = [(note.code, note.message, note.about) for note in result.notes]
    assert len(set(notes)) == len(notes)
    assert len(messages(result, "flat_profile")) == len(messages(result, "default_region")) == 1


def test_what_azure_may_know_is_asked_for_by_its_region():
    calls_there = calls(1, region=THERE, deployment_type="data-zone")
    assert told(calls_there, "ask_azure", DATA_ZONE) == [
        f"`ptucalc prices refresh --region {THERE}` asks Azure for what is not known of it; --prices takes the file it "
        "writes, or your own prices."
    ]
    assert told(calls(1, region=HERE), "ask_azure") == []


def test_a_slip_in_a_name_of_a_price_file_does_not_pass_unseen():
    catalog = a_catalog(a_model(versions=("2",)))
    book = a_book(
        own_models=("Alder", "alder-2", "Alder-minni", "Birch"),
        own_regions=("northland", "westerland", "nowhere"),
        list_models=frozenset({"birch"}),
        list_regions=frozenset({"westland"}),
    )
    assert [note.message for note in unmatched_prices(book, catalog)] == [
        "the price files name Alder-minni, which no model of the catalog is called: not used.",
        "the price files name westerland (westland?), nowhere, where no model is known to be offered.",
    ]
    assert unmatched_prices(a_book(), catalog) == ()
