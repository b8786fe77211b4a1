"""Price files: read strictly, every problem with its place; overlays on the list prices; the compiled list."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from ptucalc import BadCatalog, Unknown, load_prices
from ptucalc.catalog import TokenClass
from ptucalc.prices import PriceTier, PtuPrice, PtuRow
from ptucalc.prices_data import build_price_book
from ptucalc.read import catalog as catalogs
from ptucalc.read import prices as reader
from ptucalc.read.catalog import find_bundled
from ptucalc.read.compiling import compiled_modules
from ptucalc.read.prices import BUNDLED, read_price_data

from .invented import DATA_ZONE, GLOBAL, REGIONAL
from .priced import HOURLY, MONTH, YEAR

F = Fraction
INPUT, CACHED, WRITE, OUTPUT = TokenClass.INPUT, TokenClass.CACHED_INPUT, TokenClass.CACHE_WRITE, TokenClass.OUTPUT
HEAD = "schema: ptucalc.prices/1\nas_of: 2024-01-31\n"
ALONE = """\
schema: ptucalc.prices/1
edition: invented
as_of: 2024-01-31
default_region: North Land
sources:
  list: {title: A list, where: a shelf, published: "2024", checked: 2024-01-30}
  note: {title: A note, where: a wall, published: "2024", checked: 2024-01-29}
region_groups:
  both: [northland, South-Land]
currency_per_usd: {EUR: 0.9}
ptu:
  product: Pots
  reservation_product: Pot reservations
  meters: {global: Pot Global}
  hourly_usd_per_ptu:
    global:
      - {regions: all, usd: 0.5, from: 2023-12-01, replaces: 0.4, source: list}
    regional:
      - {regions: both, usd: 0.8, source: note}
  reservation_usd_per_ptu:
    global:
      - {regions: all, 1-month: 300, source: list}
      - {regions: [southland], 1-year: 2400, source: list}
models:
  Alder:
    products: [Trees]
    source: list
    remarks: [it grows]
    global:
      meters: {input: Alder in, output: Alder out}
      meters_long: {input: Alder long in}
      newest_from: 2023-11-01
      prices:
        - {regions: all, input: 10, cached_input: 2.5, output: 40}
        - {regions: all, context: long, input: 20, output: 60}
        - {regions: both, tier: batch, input: 5, source: note}
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def to_file(text: str, name: str = "mine.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


@pytest.fixture
def refused(write) -> Callable[[str], list[str]]:
    """The problems of a user's file."""

    def problems(text: str) -> list[str]:
        with pytest.raises(BadCatalog) as caught:
            load_prices(write(text))
        return str(caught.value).splitlines()

    return problems


@pytest.fixture
def alone(write) -> Callable[[str], list[str]]:
    """The problems of a file that stands alone."""

    def problems(text: str) -> list[str]:
        with pytest.raises(BadCatalog) as caught:
            read_price_data(write(text))
        return str(caught.value).splitlines()

    return problems


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


# A file that stands alone


def test_a_small_file_is_read_exactly(write) -> None:
    book = build_price_book([read_price_data(write(ALONE))])
    assert (book.editions, book.as_of, book.default_region) == (("invented",), date(2024, 1, 31), "northland")
    assert book.hourly[GLOBAL] == ((PtuRow(None, F(1, 2), "list", "2023-12-01", F(2, 5)),),)
    assert book.hourly[REGIONAL] == ((PtuRow(("northland", "southland"), F(4, 5), "note"),),)
    assert book.hourly[DATA_ZONE] == ((),)
    assert book.ptu(GLOBAL, "southland", YEAR) == PtuPrice(F(200), F(2400), "list", None)
    assert isinstance(book.ptu(GLOBAL, "northland", YEAR), Unknown)
    assert book.ptu(GLOBAL, "northland", MONTH).published_usd == 300
    short = book.tokens("alder", None, GLOBAL, "anywhere")
    long = book.tokens("alder", None, GLOBAL, "anywhere", long_context=True)
    batch = book.tokens("alder", None, GLOBAL, "southland", tier=PriceTier.BATCH)
    assert [short.usd_per_1m[each] for each in (INPUT, CACHED, WRITE, OUTPUT)] == [10, F(5, 2), 10, 40]
    assert [long.usd_per_1m[each] for each in (INPUT, CACHED, OUTPUT)] == [20, 20, 60]
    assert (batch.usd_per_1m[INPUT], batch.sources) == (5, ("note",))
    assert book.tokens("alder", None, GLOBAL, "anywhere", tier=PriceTier.BATCH) == Unknown(
        "no Global batch price of alder is known for anywhere"
    )


def test_what_goes_with_the_prices_is_kept(write) -> None:
    book = build_price_book([read_price_data(write(ALONE))])
    scope = book.models["alder"][GLOBAL]
    assert (scope.meters, scope.meters_long) == ({INPUT: "Alder in", OUTPUT: "Alder out"}, {INPUT: "Alder long in"})
    assert scope.newest_from == "2023-11-01"
    assert (book.model_products, book.remarks) == ({"alder": ("Trees",)}, {"alder": ("it grows",)})
    assert (book.products.hourly, book.products.reservation) == ("Pots", "Pot reservations")
    assert book.products.meters == {GLOBAL: "Pot Global"}
    assert book.exchange == {"EUR": F(9, 10)}
    assert book.sources["note"].checked == date(2024, 1, 29)
    assert (list(book.models), len(book.models)) == (["alder"], 1)


def test_what_a_file_that_stands_alone_lacks_is_said(alone) -> None:
    assert alone(HEAD) == [
        "mine.yaml:1:1, edition: expected a value for edition, got (empty)",
        "mine.yaml:1:1, default_region: expected a value for default_region, got (empty)",
        "mine.yaml:1:1, ptu: expected a value for product, got (empty)",
        "mine.yaml:1:1, ptu: expected a value for reservation_product, got (empty)",
        "mine.yaml:1:1, ptu: expected a value for meters, got (empty)",
    ]


def test_a_row_of_a_file_that_stands_alone_must_have_a_source(alone) -> None:
    text = ALONE.replace("usd: 0.8, source: note", "usd: 0.8").replace("    source: list\n", "")
    assert alone(text) == [
        f"mine.yaml:{line_of(text, 'usd: 0.8')}:9, ptu.hourly_usd_per_ptu.regional[0]: expected a source, got (empty)",
        f"mine.yaml:{line_of(text, 'input: 10')}:11, models.Alder.global.prices[0]: expected a source, got (empty)",
        f"mine.yaml:{line_of(text, 'input: 20')}:11, models.Alder.global.prices[1]: expected a source, got (empty)",
    ]


# Problems, each with its line


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        ("{regions: all, usd: 0}", 29, "[0].usd: expected a price in US dollars, over 0, got 0"),
        ("{regions: all, usd: -0.5}", 29, "[0].usd: expected a price in US dollars, over 0, got -0.5"),
        ("{regions: all, usd: '1,5'}", 29, "[0].usd: expected a price in US dollars, over 0, got 1,5"),
        ("{regions: all, usd: nan}", 29, "[0].usd: expected a price in US dollars, over 0, got nan"),
        ("{regions: all, usd: $1}", 29, "[0].usd: expected a price in US dollars, over 0, got $1"),
        ("{regions: all, usd: }", 27, "[0].usd: expected a price in US dollars, over 0, got (empty)"),
        ("{regions: all, usd: [1]}", 29, "[0].usd: expected a price in US dollars, over 0, got a list"),
        ("{regions: all}", 9, "[0]: expected a value for usd, got (empty)"),
        ("{usd: 1}", 9, "[0]: expected a value for regions, got (empty)"),
        ("{regions: all, usd: 1, replaces: 0}", 42, "[0].replaces: expected a price in US dollars, over 0, got 0"),
        ("{regions: all, usd: 1, from: 1.2.2024}", 38, "[0].from: expected a date such as 2026-09-29, got 1.2.2024"),
        ("{regions: all, usd: 1, colour: red}", 40, "[0].colour: expected a key that a price file has (see CONTRIBUTING.md), got colour"),
        ("{regions: uss, usd: 1}", 19, "[0].regions: expected all, a list of regions, or a region group: us?, got uss"),
        ("{regions: atlantis, usd: 1}", 19, "[0].regions: expected all, a list of regions, or a region group, got atlantis"),
        ("{regions: [], usd: 1}", 19, "[0].regions: expected at least one region, or all, got a list"),
        ("{regions: [east/us], usd: 1}", 19, "[0].regions: expected an Azure region such as eastus2, got a list"),
        ("{regions: , usd: 1}", 17, "[0].regions: expected all, a region group of this file, or a list of regions, got (empty)"),
        ("{regions: all, usd: 1, source: mosaik}", 40, "[0].source: expected a source of this file: mosaic?, got mosaik"),
        ("{regions: all, usd: 1, source: nobody at all}", 40, "[0].source: expected a source of this file, got nobody at all"),
    ],
)  # fmt: skip
def test_a_bad_ptu_price_is_refused_with_its_place(refused, row: str, column: int, message: str) -> None:
    text = HEAD + f"ptu:\n  hourly_usd_per_ptu:\n    global:\n      - {row}\n"
    (problem,) = refused(text)
    where, _, said = problem.partition(", ")
    assert said == f"ptu.hourly_usd_per_ptu.global{message}"
    assert where.startswith("mine.yaml:6:")
    if "(empty)" not in problem or column == 9:
        assert where == f"mine.yaml:6:{column}"


def test_a_reservation_row_needs_a_term_that_is_sold(refused) -> None:
    rows = "[{regions: all}, {regions: all, 1-month: 3, 3-year: 5}, {regions: all, 1-year: free}]"
    first = len("    global: ") + 1  # the column of the list
    assert refused(HEAD + f"ptu:\n  reservation_usd_per_ptu:\n    global: {rows}\n") == [
        f"mine.yaml:5:{first + 1}, ptu.reservation_usd_per_ptu.global[0]: expected a price: 1-month, 1-year or both, got a mapping",
        f"mine.yaml:5:{first + rows.index('5}')}, ptu.reservation_usd_per_ptu.global[1].3-year: expected a key that a price file has (see CONTRIBUTING.md), got 3-year",
        f"mine.yaml:5:{first + rows.index('free')}, ptu.reservation_usd_per_ptu.global[2].1-year: expected a price in US dollars, over 0, got free",
    ]


def test_a_deployment_type_that_does_not_exist_is_refused(refused) -> None:
    assert refused(HEAD + "ptu:\n  hourly_usd_per_ptu:\n    datazone: [{regions: all, usd: 1}]\n") == [
        "mine.yaml:5:15, ptu.hourly_usd_per_ptu.datazone: expected 'global', 'data-zone' or 'regional', got datazone"
    ]
    assert refused(HEAD + "models:\n  Alder:\n    datazone: {prices: []}\n") == [
        "mine.yaml:5:15, models.Alder.datazone: expected a key that a price file has (see CONTRIBUTING.md), got datazone"
    ]


IN_MODELS = HEAD + "models:\n  Alder:\n    global:\n      prices:\n        - {regions: all, input: 10}\n"


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        ("{regions: all, input: 0}", 33, "[1].input: expected a price in US dollars, over 0, got 0"),
        ("{regions: all, output: -1}", 34, "[1].output: expected a price in US dollars, over 0, got -1"),
        ("{regions: all, colour: 1}", 34, "[1].colour: expected a key that a price file has (see CONTRIBUTING.md), got colour"),
        ("{regions: all, tier: cheap, input: 1}", 32, "[1].tier: expected 'standard', 'batch' or 'priority', got cheap"),
        ("{regions: all, context: medium, input: 1}", 35, "[1].context: expected 'short' or 'long', got medium"),
        ("{regions: all}", 11, "[1]: expected a price of some token class: input, cached_input, cache_write, output ..., got a mapping"),
        ("{input: 1}", 11, "[1]: expected a value for regions, got (empty)"),
    ],
)  # fmt: skip
def test_a_bad_token_price_is_refused_with_its_place(refused, row: str, column: int, message: str) -> None:
    assert refused(IN_MODELS + f"        - {row}\n") == [f"mine.yaml:8:{column}, models.Alder.global.prices{message}"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("{regions: all, input: 0}", "[1].input: expected a price in US dollars, over 0, got 0"),
        ("{regions: all, output: -1}", "[1].output: expected a price in US dollars, over 0, got -1"),
        ("{regions: all}", "[1]: expected a price of some token class: input, cached_input, cache_write, output ..., got a mapping"),
        ("{regions: all, tier: cheap, input: 1}", "[1].tier: expected 'standard', 'batch' or 'priority', got cheap"),
    ],
)  # fmt: skip
def test_a_bad_token_price_is_refused(refused, row: str, told: str) -> None:
    (problem,) = refused(IN_MODELS + f"        - {row}\n")
    assert problem.endswith(f"global.prices{told}")


def test_a_deployment_type_is_no_key_below_another(refused) -> None:
    assert refused(HEAD + "models:\n  Alder:\n    scopes: {global: {prices: [{regions: all, input: 1}]}}\n") == [
        "mine.yaml:5:13, models.Alder.scopes: expected a key that a price file has (see CONTRIBUTING.md), got scopes"
    ]


def test_a_region_group_has_a_region(refused) -> None:
    assert refused(HEAD + "region_groups: {none: []}\n") == [
        "mine.yaml:3:23, region_groups.none: expected at least one region, got a list"
    ]


def test_a_token_price_must_name_groups_and_sources_that_exist(refused) -> None:
    text = HEAD + (
        "models:\n"
        "  Alder:\n"
        "    source: mosaik\n"
        "    global: {prices: [{regions: uss, input: 1, source: litelm}]}\n"
        "    regional: {prices: [{regions: us, input: 1}]}\n"
    )
    assert refused(text) == [
        "mine.yaml:6:33, models.Alder.global.prices[0].regions: expected all, a list of regions, or a region group: us?, got uss",
        "mine.yaml:6:56, models.Alder.global.prices[0].source: expected a source of this file: litellm?, got litelm",
        "mine.yaml:7:25, models.Alder.regional.prices[0].source: expected a source of this file: mosaic?, got mosaik",
    ]


def test_a_region_has_one_price_of_a_kind_in_a_file(refused) -> None:
    text = HEAD + (
        "ptu:\n"
        "  hourly_usd_per_ptu:\n"
        "    global:\n"
        "      - {regions: all, usd: 0.8}\n"
        "      - {regions: all, usd: 0.9}\n"
        "      - {regions: [Sweden Central], usd: 0.9}\n"
        "      - {regions: [eastus, sweden-central], usd: 0.9}\n"
        "  reservation_usd_per_ptu:\n"
        "    global:\n"
        "      - {regions: all, 1-month: 200}\n"
        "      - {regions: all, 1-year: 2000}\n"
        "      - {regions: all, 1-month: 210}\n"
        "models:\n"
        "  Alder:\n"
        "    global:\n"
        "      prices:\n"
        "        - {regions: us, input: 1}\n"
        "        - {regions: us, output: 1}\n"
        "        - {regions: us, tier: batch, input: 1}\n"
        "        - {regions: us, context: long, input: 1}\n"
        "        - {regions: [eastus2], input: 2}\n"
    )
    assert refused(text) == [
        "mine.yaml:7:19, ptu.hourly_usd_per_ptu.global[1].regions: expected one usd price for all regions (also row 1 of the list), got all",
        "mine.yaml:9:19, ptu.hourly_usd_per_ptu.global[3].regions: expected one usd price for swedencentral (also row 3 of the list), got swedencentral",
        "mine.yaml:14:19, ptu.reservation_usd_per_ptu.global[2].regions: expected one 1-month price for all regions (also row 1 of the list), got all",
        "mine.yaml:23:21, models.Alder.global.prices[4].regions: expected one standard short input price for eastus2 (also row 1 of the list), got eastus2",
    ]


def test_a_model_named_twice_is_refused_in_any_case(refused) -> None:
    text = HEAD + "models:\n  Alder: {source: agp}\n  ALDER: {source: agp}\n  Alder: {}\n"
    problems = refused(text)
    assert problems == ["mine.yaml:6:3, models.Alder: expected each key once (first on line 4), got Alder"]
    assert refused(text.replace("  Alder: {}\n", "")) == [
        "mine.yaml:5:3, models.ALDER: expected each model once (also Alder), got ALDER"
    ]


def test_currencies_are_codes_with_a_rate_over_0(refused) -> None:
    assert refused(HEAD + "currency_per_usd: {EUR: 0, USD: 1, eur: 1, EURO: 1, 12A: 1, GBP: 0.8}\n") == [
        "mine.yaml:3:25, currency_per_usd.EUR: expected a number over 0, got 0",
        "mine.yaml:3:33, currency_per_usd.USD: expected a currency code other than USD, such as EUR, got USD",
        "mine.yaml:3:41, currency_per_usd.eur: expected a currency code other than USD, such as EUR, got eur",
        "mine.yaml:3:50, currency_per_usd.EURO: expected a currency code other than USD, such as EUR, got EURO",
        "mine.yaml:3:58, currency_per_usd.12A: expected a currency code other than USD, such as EUR, got 12A",
    ]


def test_every_problem_of_a_file_is_reported_at_once(refused) -> None:
    text = "schema: ptucalc.prices/2\nas_of: soon\ndefault_region: 'east us!'\ncolour: red\n"
    assert refused(text) == [
        "mine.yaml:1:9, schema: expected 'ptucalc.prices/1', got ptucalc.prices/2",
        "mine.yaml:2:8, as_of: expected a date such as 2026-09-29, got soon",
        "mine.yaml:3:17, default_region: expected an Azure region such as eastus2, got east us!",
        "mine.yaml:4:9, colour: expected a key that a price file has (see CONTRIBUTING.md), got colour",
    ]


def test_a_file_that_holds_no_prices_at_all_is_told_so(refused, tmp_path: Path) -> None:
    assert refused("# nothing\n") == ["mine.yaml, price: expected a price, got (empty)"]
    assert refused("- a\n") == ["mine.yaml:1:1, price: expected a price, got ['a']"]
    with pytest.raises(BadCatalog, match="expected a file, got a directory"):
        load_prices(tmp_path)


def test_a_file_that_is_not_there_is_refused_with_the_way_out(in_tmp: Path) -> None:
    with pytest.raises(BadCatalog) as caught:
        load_prices("ours.yaml")
    assert str(caught.value) == ("prices: expected a price file (`ptucalc prices refresh` writes one), got ours.yaml")


# Overlays

OURS = HEAD + "edition: ours\n"


def test_an_overlay_changes_what_it_says_and_keeps_the_rest(write) -> None:
    text = OURS + (
        "ptu:\n  reservation_usd_per_ptu:\n    global: [{regions: all, 1-year: 1200}]\n"
        "models:\n  GPT-4.1:\n    global: {prices: [{regions: all, output: 7}]}\n"
    )
    theirs, ours = load_prices(), load_prices(write(text))
    assert ours.ptu(GLOBAL, "eastus2", YEAR) == PtuPrice(F(100), F(1200), "ours", None)
    for term in (HOURLY, MONTH):
        assert ours.ptu(GLOBAL, "eastus2", term) == theirs.ptu(GLOBAL, "eastus2", term)
    assert ours.ptu(REGIONAL, "eastus2", YEAR) == theirs.ptu(REGIONAL, "eastus2", YEAR)
    before = theirs.tokens("gpt-4.1", None, GLOBAL, "eastus2")
    after = ours.tokens("gpt-4.1", None, GLOBAL, "eastus2")
    assert after.usd_per_1m == {**before.usd_per_1m, OUTPUT: 7}
    assert set(after.sources) == {"ours", *before.sources}
    batch = [book.tokens("gpt-4.1", None, GLOBAL, "eastus2", tier=PriceTier.BATCH) for book in (theirs, ours)]
    assert batch[0] == batch[1]
    assert ours.products == theirs.products and ours.model_products == theirs.model_products
    assert ours.models["gpt-4.1"][GLOBAL].meters == theirs.models["gpt-4.1"][GLOBAL].meters


def test_an_overlay_is_its_own_source_named_by_its_edition_or_its_file(write) -> None:
    book = load_prices(write(OURS))
    assert book.editions == (*load_prices().editions, "ours")
    assert (book.sources["ours"].title, book.sources["ours"].checked) == ("the user's own prices", date(2024, 1, 31))
    unnamed = load_prices(write(HEAD, "june.yaml"))
    assert unnamed.editions[-1] == "june.yaml"
    assert unnamed.sources["june.yaml"].where == "june.yaml"


def test_the_newest_file_says_how_new_the_book_is(write) -> None:
    base = read_price_data(write(ALONE))
    for day, newest in (("2024-02-01", date(2024, 2, 1)), ("2023-12-01", date(2024, 1, 31))):
        text = OURS.replace("2024-01-31", day)
        assert build_price_book([base, read_price_data(write(text, "ours.yaml"), under=[base])]).as_of == newest


def test_a_file_is_not_from_a_day_to_come(refused) -> None:
    assert refused(HEAD.replace("2024-01-31", "9999-01-31")) == [
        "mine.yaml:2:8, as_of: expected a day that has come, got 9999-01-31"
    ]


def test_an_overlay_with_a_price_for_all_regions_beats_a_list_price_that_names_the_region(write) -> None:
    text = OURS + "ptu:\n  hourly_usd_per_ptu:\n    regional: [{regions: all, usd: 0.11}]\n"
    book = load_prices(write(text))
    assert load_prices().ptu(REGIONAL, "eastus2", HOURLY).published_usd != F("0.11")
    assert book.ptu(REGIONAL, "eastus2", HOURLY).published_usd == F("0.11")
    assert book.ptu(REGIONAL, "moonbase1", HOURLY).published_usd == F("0.11")


def test_an_overlay_can_fill_what_is_unknown(write) -> None:
    assert isinstance(load_prices().ptu(REGIONAL, "centralus", HOURLY), Unknown)
    text = OURS + (
        "ptu:\n  hourly_usd_per_ptu:\n    regional: [{regions: [Central US], usd: 0.13}]\n"
        "models:\n  Alder:\n    global: {prices: [{regions: all, input: 3}]}\n"
    )
    book = load_prices(write(text))
    assert book.ptu(REGIONAL, "centralus", HOURLY).published_usd == F("0.13")
    assert book.tokens("Alder", None, GLOBAL, "eastus2").usd_per_1m[INPUT] == 3
    assert len(book.models) == len(load_prices().models) + 1


def test_overlays_are_laid_in_order(write) -> None:
    one = "ptu:\n  hourly_usd_per_ptu:\n    global: [{regions: all, usd: 0.11}]\nregion_groups: {mine: [northland]}\n"
    two = "ptu:\n  hourly_usd_per_ptu:\n    global: [{regions: mine, usd: 0.12, source: ours}]\ndefault_region: northland\n"
    first, second = write(OURS + one), write(HEAD + "edition: next\n" + two, "next.yaml")
    book = load_prices(first, second)
    assert book.editions == (*load_prices().editions, "ours", "next")
    assert book.ptu(GLOBAL, "northland", HOURLY) == PtuPrice(F("0.12") * 730, F("0.12"), "ours", None)
    assert book.ptu(GLOBAL, "southland", HOURLY).published_usd == F("0.11")
    assert book.default_region == "northland"
    assert load_prices(first).default_region == load_prices().default_region


def test_the_currencies_of_the_last_file_hold(write) -> None:
    first = write(OURS + "currency_per_usd: {EUR: 0.9, GBP: 0.8}\n")
    second = write(HEAD + "currency_per_usd: {EUR: 0.95}\n", "next.yaml")
    assert load_prices(first, second).exchange == {"EUR": F("0.95"), "GBP": F("0.8")}


def test_a_file_is_read_again_only_when_it_changed(write) -> None:
    path = write(OURS)
    before = load_prices(path)
    assert load_prices(str(path)) is before
    path.write_text(OURS + "currency_per_usd: {EUR: 0.9}\n")
    os.utime(path, (1, 1))
    assert load_prices(path).exchange == {"EUR": F("0.9")}


# The compiled list


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """prices.yaml compiled as a wheel build does it, in the place where it is looked for."""
    module = types.ModuleType("ptucalc.compiled_prices")
    exec(compiled_modules(find_bundled("models.yaml").parent)["compiled_prices"], module.__dict__)  # noqa: S102  # our own output
    monkeypatch.setitem(sys.modules, "ptucalc.compiled_prices", module)
    reader._load.cache_clear()
    yield module
    reader._load.cache_clear()


def test_the_compiled_prices_are_what_the_reader_reads(compiled) -> None:
    assert read_price_data(find_bundled(BUNDLED)) == compiled.DATA


def test_the_compiled_prices_are_used_without_reading_yaml(compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "read_price_data", lambda path: pytest.fail("read the YAML"))
    assert load_prices().tokens("gpt-4.1", None, GLOBAL, "eastus2").usd_per_1m[INPUT] > 0
    assert load_prices().editions == (compiled.DATA["edition"],)


def test_the_compiled_prices_are_ignored_where_the_yaml_differs(compiled, monkeypatch, tmp_path: Path) -> None:
    text = find_bundled(BUNDLED).read_text(encoding="utf-8")
    changed = tmp_path / "prices.yaml"  # of the same length, so that only the checksum tells
    changed.write_text(text.replace("{regions: all, usd: 1.00,", "{regions: all, usd: 7.00,"), encoding="utf-8")
    monkeypatch.setattr(catalogs, "find_bundled", lambda name: changed if name == BUNDLED else find_bundled(name))
    assert load_prices().ptu(GLOBAL, "eastus2", HOURLY).published_usd == 7


def test_a_region_that_azure_may_have_opened_since_is_taken(write) -> None:
    text = OURS + "ptu:\n  hourly_usd_per_ptu:\n    regional: [{regions: [norwaywest], usd: 0.11}]\n"
    book = load_prices(write(text))
    assert book.ptu(REGIONAL, "norwaywest", HOURLY).published_usd == F("0.11")
    assert book.own_regions == ("norwaywest",)


def test_names_of_models_groups_and_sources_hold_no_control_characters(refused) -> None:
    (problem,) = refused(HEAD + 'models:\n  "Al\\e[31mder": {global: {prices: [{regions: all, input: 1}]}}\n')
    assert problem.endswith("expected text without control characters, got Al\\x1b[31mder")


def test_a_price_of_a_day_to_come_has_no_place_in_a_file(refused) -> None:
    text = HEAD + "ptu:\n  hourly_usd_per_ptu:\n    global: [{regions: all, usd: 1, from: 2031-01-01}]\n"
    (problem,) = refused(text)
    assert "hourly_usd_per_ptu.global[0].from: expected a day up to as_of" in problem
    assert refused("schema: ptucalc.prices/1\nas_of: 2999-01-01\n") == [
        "mine.yaml:2:8, as_of: expected a day that has come, got 2999-01-01"
    ]
