"""`ptucalc prices show` and `refresh`."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from ptucalc import __version__, documents, load_prices
from ptucalc.catalog import DeploymentType, TokenClass
from ptucalc.cli.prices import ADDRESS_VARIABLE
from ptucalc.prices import PtuTerm
from ptucalc.report.price_file import price_file
from ptucalc.retail_prices import retail_prices

from .retail import Api, a_local_api, a_page, numbers_as_text, sample

GLOBAL, DATA_ZONE, REGIONAL = DeploymentType
TODAY = date.today()
INSTEAD = "Nothing was changed; the prices known here still serve (`ptucalc prices show`)."

# Prices in these tests are those of the bundled file that the test names, or of a committed sample.


def cells(out: str, start: str) -> list[str]:
    """The words of the line that starts so."""
    return next(line for line in out.splitlines() if line.strip().startswith(start)).split()


def words(text: str) -> str:
    return " ".join(text.split())


# show


def test_the_ptu_prices_come_first_with_the_region_that_was_meant(cli) -> None:
    ran = cli("prices", "show", "o3-pro")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(
        "\n  PTU  USD per PTU in eastus2 (the default; --region): an hour, or a reservation's whole"
    )
    assert cells(ran.out, "Data zone")[2:] == ["1.10", "286.00", "2,916.00", "2024-11-01", "jin794", "2026-10-09"]
    assert "USD per PTU in uksouth: an hour" in cli("prices", "show", "--region", "UK South").out


def test_what_nobody_published_is_said_to_be_unknown_and_why(cli) -> None:
    out = cli("prices", "show", "o3-pro", "--region", "westeurope").out
    assert cells(out, "Regional")[1:4] == ["2.72", "unknown", "unknown"]
    assert "Unknown    no Regional 1-year reservation price is known for westeurope\n" in out


def test_a_model_has_a_line_for_each_deployment_type(cli) -> None:
    out = cli("prices", "show", "gpt-4.1-mini", "--region", "westeurope").out
    lines = out[out.index("Model") :].splitlines()[2:5]
    assert [words(line) for line in lines] == [
        "gpt-4.1-mini Global 0.40 0.10 = in 1.60 agp 2026-08-11",
        "Data zone ? ? = in ?",  # known elsewhere, not for this region
        "Regional 0.528 0.132 = in 2.112 agp 2026-08-11",
    ]
    assert "= in: no meter of its own, billed as input; ? = no price is known for westeurope." in words(out)


def test_ages_in_days_are_left_out_when_quiet(cli) -> None:
    days = (TODAY - date(2026, 8, 11)).days
    loud = words(cli("prices", "show", "gpt-4.1").out)
    assert f"the oldest price shown was read on 2026-08-11, {days} days ago." in loud
    assert "3 of 49 models of azure-prices-2026-11, as of 2026-11-21" in loud
    assert "ago" not in cli("prices", "show", "gpt-4.1", "-q").out


def test_details_name_tiers_meters_remarks_regions_and_sources(cli) -> None:
    out = words(cli("prices", "show", "gpt-5.6-sol", "-v").out)
    assert "Global priority long 16.00 1.60 20.00 60.00 jin794 2026-10-09" in out
    assert "Meters Global: input 5.6 sol ShortCo Inp Std Gl 1M Tokens; cached input" in out
    assert "Remark repriced on 2026-09-01" in out
    assert "Regional hourly 2.72 brazilsouth, northeurope, southeastasia, westeurope 2026-09-01 2.40 mosaic" in out
    assert "Source agp: azure-genai-prices 0.2.0" in out and "published 2026-08-11, checked 2026-08-11" in out


def test_a_deployment_type_can_be_chosen(cli) -> None:
    document = json.loads(cli("prices", "show", "gpt-4.1", "--sku", "Data Zone", "--json").out)
    assert [entry["deployment_type"] for entry in document["ptu"]] == ["data-zone"]
    assert {p["deployment_type"] for model in document["models"] for p in model["prices"]} == {"data-zone"}


def test_json_has_numbers_units_in_their_names_and_reasons(cli) -> None:
    ran = cli("prices", "show", "--json", "--region", "westeurope")
    document = json.loads(ran.out)
    assert TypeAdapter(documents.PriceBookDocument).validate_python(document, strict=True) == document
    assert (document["schema"], document["version"], document["prices_as_of"]) == (
        "ptucalc.price-book/1",
        __version__,
        "2026-11-21",
    )
    assert (document["region"], document["region_is_default"], len(document["models"])) == ("westeurope", False, 49)
    regional = document["ptu"][2]
    assert regional["hourly_usd_per_ptu"] == 2.72
    assert regional["one_year_usd_per_ptu"] == {
        "unknown": "no Regional 1-year reservation price is known for westeurope"
    }
    mini = next(model for model in document["models"] if model["name"] == "gpt-4.1-mini")
    assert mini["prices"][0]["usd_per_1m"] == {
        "input": 0.4,
        "cached_input": 0.1,
        "cache_write": 0.4,
        "output": 1.6,
    }
    assert mini["prices"][0]["billed_as_input"] == ["cache_write"]
    assert mini["prices"][3]["usd_per_1m"] == {
        "unknown": "no Data zone pay-as-you-go price of gpt-4.1-mini is known for westeurope"
    }
    assert all(s in document["sources"] for m in document["models"] for p in m["prices"] for s in p["sources"])


def test_csv_has_a_row_for_each_price_and_unknown_is_empty(cli) -> None:
    rows = list(csv.DictReader(io.StringIO(cli("prices", "show", "o3-pro", "-o", "csv", "--region", "uksouth").out)))
    assert [row["usd_per_ptu"] for row in rows[:9]] == ["1", "260", "2652", "", "", "", "2.54", "", ""]
    assert [(r["model"], r["tier"], r["usd_per_1m_input"], r["usd_per_1m_output"]) for r in rows[9:]] == [
        ("o3-pro", "standard", "20", "80"),
        ("o3-pro", "batch", "10", "40"),
    ]


def test_markdown_has_two_tables(cli) -> None:
    lines = cli("prices", "show", "o3-pro", "-o", "markdown", "-q").out.splitlines()
    assert lines[2] == "| Type | Hour | 1 month | 1 year | Since | Source | Read |"
    assert "| o3-pro | Global | 20.00 | = in | = in | 80.00 | agp | 2026-08-11 |" in lines


def test_ones_own_prices_are_shown_with_their_source(cli, in_tmp: Path) -> None:
    Path("ours.yaml").write_text(
        "schema: ptucalc.prices/1\nedition: ours\nas_of: 2026-11-20\nmodels:\n"
        "  o3-pro:\n    global: {prices: [{regions: all, input: 1.5, output: 3}]}\n"
    )
    ran = cli("prices", "show", "o3-pro", "--prices", "ours.yaml")
    assert " ".join(cells(ran.out, "o3-pro")) == "o3-pro Global 1.50 = in = in 3.00 ours 2026-11-20"
    assert "azure-prices-2026-11 + ours" in words(ran.out)


def test_everything_that_is_wrong_is_told_at_once(refuses) -> None:
    assert refuses("prices", "show", "gpt4.1-mni", "--sku", "local", "--region", "east/us") == (
        "Error  3 values cannot be used\n"
        "       --region: east/us should be an Azure region such as eastus2\n"
        "       --sku: local should be all, global, data-zone or regional\n"
        "       TEXT: gpt4.1-mni should be part of the name of a model that has a price (gpt-4.1-mini or gpt-5.4-mini?); "
        "`ptucalc prices show` lists all\n"
    )


def test_a_price_file_that_is_not_there_is_refused(refuses, in_tmp: Path) -> None:
    expected = "a price file (`ptucalc prices refresh` writes one)"
    assert refuses("prices", "show", "--prices", "none.yaml") == f"Error  --prices: none.yaml should be {expected}\n"


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", [(), ("show",), ("refresh",)])
def test_the_prices_commands_have_help(cli, command: tuple[str, ...], flag: str) -> None:
    ran = cli("prices", *command, flag)
    assert (ran.code, ran.err) == (0, "") and f"Usage: ptucalc {' '.join(('prices', *command))}" in ran.out


def test_the_help_of_refresh_names_the_variable_and_every_flag(cli) -> None:
    out = cli("prices", "refresh", "-h").out
    flags = "--region --prices --out-file --check --force --output --json --quiet --no-color PTUCALC_PRICES_URL"
    assert [flag for flag in flags.split() if flag not in out] == []


def test_a_command_that_is_not_there_is_refused(refuses) -> None:
    assert refuses("prices", "shw") == (
        "Error  No such command 'shw'. Did you mean 'show'?\n       ptucalc prices -h shows what there is\n"
    )
    assert refuses("prices", "refresh", "eastus2").endswith("ptucalc prices refresh -h shows what there is\n")


# refresh


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, in_tmp: Path) -> Iterator[Api]:
    """A local API with the committed samples: two pages of eastus2, and its reservations."""
    with a_local_api() as server:
        monkeypatch.setenv(ADDRESS_VARIABLE, server.address)
        rows = [
            r for name in ("ptu_hourly_after_2026-09-01", "tokens_page1", "tokens_page2_last") for r in sample(name)
        ]
        server.serve([rows[:60], rows[60:]], sample("ptu_reservations_eastus2"))
        yield server


def changed(api: Api, meter: str, price: float) -> None:
    """From now on the API has another price of this meter of eastus2, which began in 2026-10."""
    rows = [row for name in ("ptu_hourly_after_2026-09-01", "tokens_page1") for row in sample(name)]
    news = {"retailPrice": price, "unitPrice": price, "effectiveStartDate": "2026-10-01T00:00:00Z"}
    old = next(row for row in rows if row["meterName"] == meter and row["armRegionName"] == "eastus2")
    api.serve([[*rows, {**old, **news}]], sample("ptu_reservations_eastus2"))


FILE = f"prices-eastus2-{TODAY}.yaml"


def test_a_refresh_writes_a_price_file_and_says_how_to_use_it(cli, api: Api) -> None:
    ran = cli("prices", "refresh", "--region", "East US 2")
    assert ran.code == 0 and os.listdir() == [FILE]
    assert ran.err == "prices: page 1, 60 rows\nprices: page 2, 140 rows\nreservations: page 1, 7 rows\n"
    assert f"  Written    {FILE}\n  Use it     ptucalc cost ... --prices {FILE}\n" in ran.out
    text = Path(FILE).read_text()
    assert text.startswith("# Written by `ptucalc prices refresh --region eastus2`: list prices in US dollars, ")
    assert f"edition: retail-api-eastus2-{TODAY}\nas_of: {TODAY}\n" in text
    # the newest price that is in use began on 2026-09-01
    about = f'title: "Azure Retail Prices API, region eastus2", where: "{api.address}", published: "2026-09-01"'
    assert f"  retail-api-eastus2-{TODAY}: {{{about}, checked: {TODAY}}}\n" in text


def test_the_file_reads_back_as_exactly_the_prices_of_the_api(cli, api: Api) -> None:
    changed(api, "gpt 4.1 cached Inp glbl Tokens", 0.000123456789)
    cli("prices", "refresh", "--region", "eastus2", "--force")
    rows = [row for name in ("ptu_hourly_after_2026-09-01", "tokens_page1") for row in sample(name)]
    wanted = retail_prices(
        [numbers_as_text(json.dumps(row)) for row in rows + sample("ptu_reservations_eastus2")],
        load_prices(),
        region="eastus2",
        today=TODAY,
    ).found
    book = load_prices(FILE)
    source = f"retail-api-eastus2-{TODAY}"
    assert len(wanted) > 40
    for price in wanted:
        kind, item = price.key.deployment_type, price.key.item
        if isinstance(item, PtuTerm):
            ptu = book.ptu(kind, "eastus2", item)
            assert (ptu.published_usd, ptu.source) == (price.usd, source)
        elif price.key.model != "gpt-4.1" or item is not TokenClass.CACHED_INPUT or kind is not GLOBAL:
            read = book.tokens(price.key.model, None, kind, "eastus2", long_context=price.key.long_context)
            assert read.usd_per_1m[item] == price.usd and source in read.sources
    # 0.000123456789 for 1,000 tokens
    found = book.tokens("gpt-4.1", None, GLOBAL, "eastus2").usd_per_1m[TokenClass.CACHED_INPUT]
    assert found == Fraction(123456789, 10**9)
    assert book.ptu(DATA_ZONE, "eastus2", PtuTerm.HOURLY).since == "2024-11-01"
    elsewhere = book.tokens("gpt-4.1", None, GLOBAL, "westus").usd_per_1m[TokenClass.CACHED_INPUT]
    assert elsewhere == Fraction(1, 2)  # the bundled price


def test_the_difference_is_told(cli, api: Api) -> None:
    changed(api, "gpt 4.1 Inp glbl Tokens", 0.0025)  # 2.5 per 1M; the bundled price is 2
    out = cli("prices", "refresh", "--region", "eastus2").out
    assert cells(out, "gpt-4.1") == ["gpt-4.1", "Global", "input", "2.00", "2.50", "+25%", "2026-10-01"]
    assert re.search(r"eastus2  \d+ prices on [\d-]+: 1 changed, 0 new, \d+ unchanged\n", out)


def test_nothing_changed_is_written_too_because_it_was_checked_today(cli, api: Api) -> None:
    document = json.loads(cli("prices", "refresh", "--region", "eastus2", "-q", "-o", "json").out)
    assert TypeAdapter(documents.RefreshDocument).validate_python(document, strict=True) == document
    assert (document["changes"], document["written"], document["checked"]) == ([], FILE, f"{TODAY}")
    assert document["unchanged"] == len(document["found"]) and document["address"] == api.address
    # 30 + 55 + 55 + 7 rows; 24 PTU rows, 5 + 31 token rows and the agents' plan are of other regions
    assert (document["rows"], document["rows_of_other_regions"]) == (147, 61)
    sol = {"model": "gpt-6-sol", "deployment_type": "data-zone", "term": None, "token_class": "input"}
    price = {"long_context": False, "unit": "1M tokens", "usd": 2.2, "since": "2026-09-01", "ends": None}
    assert {**sol, **price} in document["found"]


def test_known_prices_that_are_not_listed_are_named_and_kept(cli, api: Api) -> None:
    out = words(cli("prices", "refresh", "--region", "eastus2").out)
    assert "not listed for eastus2, kept as known: codex-mini Global, codex-mini Data zone, codex-mini Regional" in out
    assert "cannot be refreshed, because no price file names a meter (batch, priority, some long context)" in out


def test_quiet_says_only_what_changed(cli, api: Api) -> None:
    ran = cli("prices", "refresh", "--region", "eastus2", "-q")
    assert ran.err == "" and len(ran.out.split("\n")) == 4 and ", 0 new, " in ran.out


def test_a_check_writes_nothing_and_answers_with_its_exit_code(cli, api: Api) -> None:
    same = cli("prices", "refresh", "--region", "eastus2", "--check")
    changed(api, "gpt 4.1 Inp glbl Tokens", 0.0025)
    other = cli("prices", "refresh", "--region", "eastus2", "--check")
    assert (same.code, other.code, os.listdir()) == (0, 1, [])
    assert "Written" not in other.out and "+25%" in other.out


def test_a_check_answers_1_for_a_price_that_was_not_known_here(cli, api: Api) -> None:
    rows = [{**row, "armRegionName": "mexicocentral"} for row in sample("ptu_hourly_after_2026-09-01")[1:2]]
    api.serve([rows], [])
    ran = cli("prices", "refresh", "--region", "mexicocentral", "--check")
    assert ran.code == 1 and cells(ran.out, "PTU")[1:] == ["Data", "zone", "hourly", "?", "1.10", "new", "2024-11-01"]
    assert "No reservation price of a PTU is listed for mexicocentral." in words(ran.out)


def test_prices_are_compared_with_ones_own_files_too(cli, api: Api) -> None:
    changed(api, "gpt 4.1 Inp glbl Tokens", 0.0025)
    cli("prices", "refresh", "--region", "eastus2", "--out-file", "first.yaml")
    ran = cli("prices", "refresh", "--region", "eastus2", "--prices", "first.yaml", "--check")
    assert ran.code == 0 and ": 0 changed, 0 new, " in ran.out


def test_a_large_change_is_refused_and_nothing_is_written(refuses, cli, api: Api) -> None:
    changed(api, "Provisioned Managed Global Unit", 1.51)
    assert refuses("prices", "refresh", "--region", "eastus2", "-q") == (
        "Error  PTU, Global, hourly: 1.51 USD (+51%) should be within 50% of 1.00, or --force\n"
    )
    assert os.listdir() == []
    assert cli("prices", "refresh", "--region", "eastus2", "--check").code == 1
    assert cli("prices", "refresh", "--region", "eastus2", "--force").code == 0
    assert load_prices(FILE).ptu(GLOBAL, "eastus2", PtuTerm.HOURLY).published_usd == Fraction(151, 100)


@pytest.mark.parametrize(("price", "code"), [(1.5, 0), (0.5, 0), (0.49, 2), (1.6, 2)])
def test_half_more_or_half_off_is_still_taken(cli, api: Api, price: float, code: int) -> None:
    changed(api, "Provisioned Managed Global Unit", price)
    ran = cli("prices", "refresh", "--region", "eastus2", "--json", "-q")
    assert (ran.code, os.listdir()) == (code, [FILE] if code == 0 else [])
    assert json.loads(ran.out)["schema"] == ("ptucalc.price-refresh/1" if code == 0 else "ptucalc.error/1")


def test_an_existing_file_is_replaced(cli, api: Api) -> None:
    Path(FILE).write_text("old")
    assert cli("prices", "refresh", "--region", "eastus2").code == 0
    assert Path(FILE).read_text().startswith("# Written by") and os.listdir() == [FILE]


def test_a_file_that_cannot_be_replaced_is_kept(
    refuses: Callable[..., str], api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("mine.yaml").write_text("old")

    def full(*names: object) -> None:
        raise OSError(28, "No space left on device", "mine.yaml")

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr("ptucalc.cli._stop_writing", lambda: None)  # it would close the standard output of the tests
    message = refuses("prices", "refresh", "--region", "eastus2", "-q", "--out-file", "mine.yaml")
    assert message == "Error  mine.yaml: No space left on device\n"
    assert Path("mine.yaml").read_text() == "old" and os.listdir() == ["mine.yaml"]


def test_a_file_that_is_read_is_not_overwritten(refuses, cli, api: Api) -> None:
    cli("prices", "refresh", "--region", "eastus2", "--out-file", "mine.yaml")
    before = Path("mine.yaml").stat().st_mtime_ns
    flags = ("--prices", "mine.yaml", "--out-file", "./mine.yaml")
    assert refuses("prices", "refresh", "--region", "eastus2", "-q", *flags) == (
        "Error  --out-file: ./mine.yaml should be another file than the one that is read\n"
    )
    assert Path("mine.yaml").stat().st_mtime_ns == before


def test_flags_that_cannot_be_are_refused_before_anything_is_asked(refuses, api: Api) -> None:
    flags = ("-o", "csv", "--check", "--force", "--out-file", "prices.json")
    assert refuses("prices", "refresh", *flags) == (
        "Error  5 values cannot be used\n"
        "       --output: csv should be table or json\n"
        "       --region: (empty) should be an Azure region such as eastus2\n"
        "       --out-file: prices.json should be a name that ends in .yaml: it is a price file\n"
        "       --out-file: given should be left out with --check, which writes nothing\n"
        "       --force: given should be left out with --check, which writes nothing\n"
    )
    assert api.asked == []


def test_an_address_that_is_not_safe_is_refused(refuses, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, "http://mirror.example/prices")
    assert refuses("prices", "refresh", "--region", "eastus2") == (
        "Error  PTUCALC_PRICES_URL: http://mirror.example/prices should be an https address such as "
        "https://prices.azure.com/api/retail/prices (http only for this computer)\n"
    )


def test_a_failing_api_is_one_line_and_exit_code_2(refuses, cli, api: Api) -> None:
    api.answer = lambda query: (404, {}, b"")
    line = f"127.0.0.1 answered HTTP 404, which asking again would not mend. {INSTEAD}"
    assert refuses("prices", "refresh", "--region", "eastus2") == f"Error  {line}\n"
    ran = cli("prices", "refresh", "--region", "eastus2", "--json")
    document = json.loads(ran.out)
    assert TypeAdapter(documents.ErrorDocument).validate_python(document, strict=True) == document
    assert (ran.code, document["problems"][0]["found"]) == (2, line)


def test_rows_without_one_known_meter_are_an_error(refuses, api: Api) -> None:
    api.serve([[{**sample("tokens_page1")[0], "meterName": "another"}]], [])
    assert refuses("prices", "refresh", "--region", "eastus2", "-q") == (
        f"Error  the API lists 1 rows for eastus2, and no usable one of a meter that the price files name. {INSTEAD}\n"
    )


HOSTILE = "Elm \x1b[31m\u202e\n  models: {evil: 1} # |<b>x</b>| inp Gl"


def test_a_hostile_meter_name_stays_inert(cli, api: Api) -> None:
    rows = sample("tokens_page1")
    hostile = {**rows[0], "meterName": HOSTILE, "productName": "Azure OpenAI \x07", "effectiveStartDate": "\x1b[2J"}
    bad = {**rows[1], "unitOfMeasure": "\x1b]0;x\x07", "effectiveStartDate": "2026-10-01T00:00:00Z"}
    api.serve([[*rows, hostile, bad]], [])
    ran = cli("prices", "refresh", "--region", "eastus2")
    assert ran.code == 0 and not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", ran.out + ran.err)
    assert "Elm \\x1b[31m\\x202e\\x0a  models: {evil: 1} # |<b>x</b>| inp Gl" in ran.out
    assert "its unit \\x1b]0;x\\x07 is not known here" in words(ran.out)
    text = Path(FILE).read_text()
    assert "Elm" not in text and "evil" not in text and "\x1b" not in text
    assert load_prices(FILE).tokens("gpt-4.1", None, GLOBAL, "eastus2").usd_per_1m[TokenClass.INPUT] == 2
    assert (
        json.loads(cli("prices", "refresh", "--region", "eastus2", "--json").out)["new_meters"][0]["meter"] == HOSTILE
    )


def test_of_many_new_meters_the_table_shows_some_and_json_all(cli, api: Api) -> None:
    rows = sample("tokens_page1")
    more = [{**rows[0], "meterName": f"Elm {number:02} inp Gl"} for number in range(23)]
    api.serve([rows + more], [])
    out = cli("prices", "refresh", "--region", "eastus2").out
    assert out.count("Elm ") == 20 and "and 3 more (-o json lists all)" in out
    assert len(json.loads(cli("prices", "refresh", "--region", "eastus2", "--json").out)["new_meters"]) == 23


def test_an_announced_price_is_told_with_its_day(cli, api: Api) -> None:
    rows = sample("tokens_page1")
    news = {"retailPrice": 0.001, "unitPrice": 0.001, "effectiveStartDate": "2999-01-01T00:00:00Z"}
    api.serve([[*rows, {**rows[0], **news}]], [])
    out = cli("prices", "refresh", "--region", "eastus2", "-q").out
    assert "gpt-4.1, Global, input   1.00   2999-01-01" in out and ": 0 changed" in out


def test_the_last_day_of_a_price_is_told(cli, api: Api) -> None:
    rows = sample("tokens_page1")
    api.serve([[{**rows[0], "effectiveEndDate": "2998-12-31T23:59:00Z"}]], [])
    out = words(cli("prices", "refresh", "--region", "eastus2").out)
    assert "Until 2998-12-31 only, and no price after it is listed yet: gpt-4.1, Global, input." in out


def test_names_of_models_are_quoted_and_long_context_is_kept_in_the_file(tmp_path: Path) -> None:
    """Names come from the user's own files: one may hold what YAML reads as something else."""
    from .retail import a_book, a_row

    book = a_book()
    names = ['a: "b" #', "0613", "null", "żółw"]
    models: dict[str, Any] = dict.fromkeys(names, book.models["oak"])
    products = dict.fromkeys(names, book.model_products["oak"])
    book = type(book)(**{**vars(book), "models": models, "model_products": products})
    rows = [
        a_row(meter, usd, since="2026-01-01", armRegionName="newland")
        for meter, usd in (("Oak inp Gl", 3), ("Oak LongCo inp Gl", 6))
    ]
    found = retail_prices(rows, book, region="newland", today=date(2026, 6, 15))
    path = tmp_path / "names.yaml"
    path.write_text(price_file(found, address="https://a.example/b", command="x"), encoding="utf-8")
    read = load_prices(path)
    for long_context, usd in ((False, 3), (True, 6)):
        prices = [read.tokens(name, None, GLOBAL, "newland", long_context=long_context) for name in names]
        assert [each.usd_per_1m[TokenClass.INPUT] for each in prices] == [usd] * 4


def test_a_reply_that_stops_half_way_writes_nothing(refuses, api: Api) -> None:
    body = a_page(sample("tokens_page1"))
    api.answer = lambda query: (200, {"Content-Length": str(len(body))}, body[:-100])
    assert "answered with broken or cut-off JSON" in refuses("prices", "refresh", "--region", "eastus2")
    assert os.listdir() == []


@pytest.mark.parametrize("region", ["norwaywest", "israelcentral", "eastus3", "mars1"])
def test_every_file_that_refresh_writes_can_be_read(region: str, tmp_path: Path) -> None:
    from .retail import a_book, a_row

    rows = [a_row("Oak inp Gl", "0.0000001", since="2026-01-01", armRegionName=region)]
    found = retail_prices(rows, a_book(), region=region, today=date(2026, 6, 15))
    path = tmp_path / "refreshed.yaml"
    path.write_text(price_file(found, address="https://a.example/b", command="x"), encoding="utf-8")
    read = load_prices(path).tokens("oak", None, GLOBAL, region)
    assert read.usd_per_1m[TokenClass.INPUT] == Fraction(1, 10**7)


def test_a_region_that_nobody_knows_is_not_answered_with_global_prices(refuses) -> None:
    assert "--region: eastus22 should be a region that is known here: eastus2" in refuses(
        "prices", "show", "--region", "eastus22"
    )


def test_a_second_refresh_of_the_day_renews_its_own_file_also_on_top_of_it(cli, refuses, api: Api) -> None:
    assert cli("prices", "refresh", "--region", "eastus2").code == 0
    assert cli("prices", "refresh", "--region", "eastus2", "--prices", FILE).code == 0
    assert "another file than the one that is read" in refuses(
        "prices", "refresh", "--region", "eastus2", "--prices", FILE, "--out-file", FILE
    )
