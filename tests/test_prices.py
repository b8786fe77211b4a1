"""Look-ups in a price book: which row holds, and why there is none."""

from datetime import date
from fractions import Fraction

import pytest

from ptucalc.catalog import TokenClass, Unknown
from ptucalc.prices import HOURS_PER_MONTH, MINUTES_PER_MONTH, PriceTier, PtuPrice, PtuTerm

from .invented import DATA_ZONE, GLOBAL, REGIONAL
from .priced import HERE, HOURLY, MONTH, THERE, YEAR, a_book, a_source, book_of, ptu_row, row, scope

F = Fraction
INPUT, CACHED, WRITE, OUTPUT = TokenClass.INPUT, TokenClass.CACHED_INPUT, TokenClass.CACHE_WRITE, TokenClass.OUTPUT


def tokens(book, kind=GLOBAL, region=HERE, *, version=None, **given):
    return book.tokens("Alder", version, kind, region, **given)


def usd(book, **given):
    return {each: price for each, price in tokens(book, **given).usd_per_1m.items() if not isinstance(price, Unknown)}


def test_a_month_is_730_hours_and_43_800_minutes():
    assert (HOURS_PER_MONTH, MINUTES_PER_MONTH) == (730, 730 * 60) == (730, 43_800)


def test_there_is_no_term_but_the_hour_the_month_and_the_year():
    assert [(term.value, term.months) for term in PtuTerm] == [("hourly", None), ("1-month", 1), ("1-year", 12)]


# PTU


def test_an_hourly_price_holds_for_730_hours():
    assert a_book().ptu(GLOBAL, HERE, HOURLY) == PtuPrice(F(1, 2) * 730, F(1, 2), "list", None)


def test_a_year_is_paid_in_twelve_equal_months_exactly():
    book = a_book(reservations={(GLOBAL, YEAR): ((ptu_row(1000, since="2030-01-01"),),)})
    # 1,000 / 12 = 83.333...
    assert book.ptu(GLOBAL, HERE, YEAR) == PtuPrice(F(250, 3), F(1000), "list", "2030-01-01")
    assert a_book().ptu(GLOBAL, HERE, MONTH).usd_per_month == 300


def test_a_reservation_is_never_the_hourly_price_less_a_percentage():
    # the hourly price of both regions is the same, and only one has a reservation price
    book = a_book()
    assert book.ptu(DATA_ZONE, THERE, HOURLY) == book.ptu(DATA_ZONE, HERE, HOURLY)
    assert book.ptu(DATA_ZONE, THERE, MONTH) == Unknown("no Data zone 1-month reservation price is known for southland")
    assert book.ptu(DATA_ZONE, THERE, YEAR) == Unknown("no Data zone 1-year reservation price is known for southland")


def test_an_hourly_price_is_never_taken_from_another_region_or_type():
    assert a_book().ptu(REGIONAL, THERE, HOURLY) == Unknown("no Regional PTU hourly price is known for southland")
    book = a_book(hourly={}, reservations={})
    for term, what in ((HOURLY, "PTU hourly"), (MONTH, "1-month reservation"), (YEAR, "1-year reservation")):
        assert book.ptu(GLOBAL, HERE, term) == Unknown(f"no Global {what} price is known for northland")


def test_a_row_that_names_the_region_beats_one_for_all_wherever_it_stands():
    everywhere, named = ptu_row("0.5"), ptu_row("0.7", THERE)
    for rows in ((everywhere, named), (named, everywhere)):
        book = a_book(hourly={GLOBAL: (rows,)})
        assert book.ptu(GLOBAL, THERE, HOURLY).published_usd == F("0.7")
        assert book.ptu(GLOBAL, HERE, HOURLY).published_usd == F("0.5")


def test_a_later_file_beats_an_earlier_one_even_with_a_row_for_all():
    theirs, ours = (ptu_row("0.7", HERE), ptu_row("0.5")), (ptu_row("0.4", source="ours"),)
    book = a_book(hourly={GLOBAL: (ours, theirs)})  # the newest first
    assert book.ptu(GLOBAL, HERE, HOURLY) == PtuPrice(F("0.4") * 730, F("0.4"), "ours", None)


def test_what_a_later_file_does_not_name_comes_from_the_earlier_one():
    book = a_book(hourly={GLOBAL: ((ptu_row("0.4", THERE),), (ptu_row("0.5"),))})
    assert book.ptu(GLOBAL, THERE, HOURLY).published_usd == F("0.4")
    assert book.ptu(GLOBAL, HERE, HOURLY).published_usd == F("0.5")


# Tokens


def test_every_class_has_its_own_price():
    found = tokens(a_book())
    assert {each: found.usd_per_1m[each] for each in (INPUT, CACHED, WRITE, OUTPUT)} == {
        INPUT: 10,
        CACHED: 2,
        WRITE: 12,
        OUTPUT: 40,
    }
    assert (found.as_input, found.sources) == ((), ("list",))


def test_a_class_without_a_price_is_unknown_and_never_free():
    found = tokens(a_book())
    assert found.usd_per_1m[TokenClass.IMAGE_INPUT] == Unknown(
        "no Global pay-as-you-go price of Alder is known for image input tokens in northland"
    )
    assert set(found.usd_per_1m) == set(TokenClass)


def test_cached_and_written_tokens_without_a_meter_are_billed_as_plain_input():
    found = tokens(book_of({GLOBAL: scope([row(input=10, output=40)])}))
    assert (found.usd_per_1m[CACHED], found.usd_per_1m[WRITE]) == (10, 10)
    assert found.as_input == (CACHED, WRITE)


def test_only_the_class_that_has_no_meter_is_billed_as_input():
    found = tokens(book_of({GLOBAL: scope([row(input=10, cached_input=2, output=40)])}))
    assert (found.usd_per_1m[CACHED], found.usd_per_1m[WRITE], found.as_input) == (2, 10, (WRITE,))


def test_a_class_that_is_metered_elsewhere_is_unknown_here_not_billed_as_input():
    book = book_of({GLOBAL: scope([row(HERE, input=10, output=40), row(THERE, input=11, cached_input=3, output=44)])})
    found = tokens(book)
    assert found.usd_per_1m[CACHED] == Unknown(
        "no Global pay-as-you-go price of Alder is known for cached input tokens in northland"
    )
    assert found.as_input == (WRITE,)
    assert tokens(book, region=THERE).usd_per_1m[CACHED] == 3


def test_a_region_with_a_cached_price_alone_has_no_input_price():
    book = book_of({GLOBAL: scope([row(HERE, input=10, cached_input=2, output=40), row(THERE, cached_input=3)])})
    found = tokens(book, region=THERE)
    reason = "no Global pay-as-you-go price of Alder is known for {} tokens in southland"
    assert found.usd_per_1m[CACHED] == 3
    assert found.usd_per_1m[INPUT] == found.usd_per_1m[WRITE] == Unknown(reason.format("uncached input"))
    assert found.usd_per_1m[OUTPUT] == Unknown(reason.format("output"))


def test_each_class_falls_through_to_the_next_row_that_has_it():
    book = book_of({GLOBAL: scope([row(input=10, output=40), row(THERE, input=11)])})
    assert {each: usd(book, region=THERE)[each] for each in (INPUT, OUTPUT)} == {INPUT: 11, OUTPUT: 40}


def test_a_later_file_may_give_one_class_and_leave_the_others():
    ours, theirs = [row(input=9, source="ours")], [row(HERE, input=11, cached_input=2, output=44)]
    found = tokens(book_of({GLOBAL: scope(ours, theirs)}))
    assert (found.usd_per_1m[INPUT], found.usd_per_1m[CACHED], found.usd_per_1m[OUTPUT]) == (9, 2, 44)
    assert found.sources == ("ours", "list")
    assert found.usd_per_1m[WRITE] == 9  # as input, at the input price that holds


def test_reasons_say_what_is_not_known():
    book = a_book()
    assert book.tokens("Birch", None, GLOBAL, HERE) == Unknown("no pay-as-you-go price of Birch is known")
    only_global = book_of({GLOBAL: scope([row(input=10)])})
    assert tokens(only_global, REGIONAL) == Unknown("no Regional pay-as-you-go price of Alder is known")
    assert tokens(book, REGIONAL, THERE) == Unknown("no Regional pay-as-you-go price of Alder is known for southland")
    assert tokens(book, tier=PriceTier.PRIORITY) == Unknown("no Global priority price of Alder is known")
    assert tokens(book, long_context=True) == Unknown("no Global pay-as-you-go long-context price of Alder is known")


def test_a_tier_and_a_context_have_rows_of_their_own():
    long_batch = row(tier=PriceTier.BATCH, long=True, input=8)
    book = book_of({GLOBAL: scope([row(input=10), row(long=True, input=20, output=60), long_batch])})
    assert usd(book)[INPUT] == 10
    assert usd(book, long_context=True)[INPUT] == 20
    assert usd(book, tier=PriceTier.BATCH, long_context=True)[INPUT] == 8
    assert tokens(book, tier=PriceTier.BATCH) == Unknown("no Global batch price of Alder is known")


def test_what_batch_does_with_cached_tokens_is_unknown_without_a_price_of_its_own():
    book = book_of({GLOBAL: scope([row(input=10, cached_input=2), row(tier=PriceTier.BATCH, input=5)])})
    found = tokens(book, tier=PriceTier.BATCH)
    reason = "no Global batch price of Alder is known for cached input tokens in northland"
    assert (found.usd_per_1m[CACHED], found.usd_per_1m[WRITE], found.as_input) == (Unknown(reason), 5, (WRITE,))


def test_a_version_with_prices_of_its_own_has_those_and_the_others_the_models():
    prices = {GLOBAL: scope([row(input=10)])}
    book = a_book(models={"alder": prices, "alder-2": {GLOBAL: scope([row(input=7)])}})
    assert book.model_key("ALDER", None) == "alder"
    assert book.model_key("Alder", "2") == "alder-2"
    assert book.model_key("Alder", "1") == "alder"
    assert book.model_key("Birch", "2") is None
    assert [usd(book, version=version)[INPUT] for version in (None, "1", "2")] == [10, 10, 7]


def test_a_version_key_without_its_model_is_no_price_of_another_version():
    book = a_book(models={"alder-2": {GLOBAL: scope([row(input=7)])}})
    assert usd(book, version="2")[INPUT] == 7
    assert tokens(book) == tokens(book, version="1") == Unknown("no pay-as-you-go price of Alder is known")


def test_the_oldest_capture_is_that_of_the_sources_used():
    book = a_book(sources={name: a_source(name, date(2030, 1, day)) for day, name in enumerate("abc", start=1)})
    assert book.oldest_capture(["c", "b"]) == date(2030, 1, 2)
    assert book.oldest_capture(["c", "nowhere"]) == date(2030, 1, 3)
    assert book.oldest_capture([]) == book.as_of == date(2030, 3, 2)


@pytest.mark.parametrize("region", [HERE, THERE, "atlantis"])
def test_a_price_for_all_regions_holds_in_each(region):
    assert a_book().ptu(GLOBAL, region, MONTH).published_usd == 300
    assert usd(a_book(), region=region)[INPUT] == 10
