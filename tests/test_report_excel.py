"""The Excel workbook: what stands where, that text is text, that every number is the report's, odd and saved reports."""

import copy
import io
import re
import zipfile
from datetime import datetime

import pytest

from ptucalc.report.excel import workbook
from ptucalc.report.excel_sheet import LONGEST_TEXT, cell_text
from ptucalc.workload import LoadProfile

from .invented import DATA_ZONE, GLOBAL, a_catalog, a_model, calls
from .priced import ALDER, a_book, scope
from .priced import row as price_row
from .workbooks import column, plan_rows, report_of, row_of, written

HOSTILE = [
    '=HYPERLINK("http://evil.example","x")',
    "+1",
    "-2",
    "@SUM(A1)",
    "http://example.org",
    "mailto:a@b.c",
    "<script>alert(1)</script>",
    '"onmouseover="x',
    "{=1+1}",
    "_x0041_",
    "'quoted",
    "0123",
    "1e5",
    "&amp;",
    "]]>",
    "*",
    "?",
    "~",
    ">5",
    "ümläut 日本 🙂",
]


def plain(**given):
    return report_of(calls(2.5, 1000, 100, name="chat"), with_sizes=True, **given)


def packed(document):
    stream = io.BytesIO()
    workbook(document, stream)
    return stream.getvalue()


def texts(book):
    return {cell.value for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "s"}


# What stands in it


def test_a_plan_by_hand():
    # 2.5 x (1,000 + 3 x 100) = 3,250 weighted TPM of 1,000 a PTU: 3.25, with 10% headroom 3.575, sold from 10 by 5
    row = plan_rows(written(plain(headroom="10%"), values=True))["Alder", "global"]
    assert (row["Weighted TPM"], row["Raw PTU"], row["Needs PTU"], row["Buy PTU"]) == (3250, 3.25, 3.575, 10)
    # 2.5 x 43,800 x (1,000 x $10 + 100 x $40) / 1,000,000; 10 PTU at $365 a month
    assert (row["Pay-as-you-go"], row["PTU hourly"], row["Used at the peak"]) == (1533, 3650, 0.325)
    assert (row["Cheapest of these"], row["Recalculates?"]) == ("Pay-as-you-go", "yes")


def test_ten_workloads_of_3_2_ptu_on_one_deployment_need_35():
    document = report_of(*(calls("3.2", name=f"w{number}") for number in range(10)))
    assert plan_rows(written(document, values=True))["Alder", "global"]["Buy PTU"] == 35


def test_sizes_and_costs_are_formulas_with_the_values_of_ptucalc():
    formulas, values = plan_rows(written(plain())), plan_rows(written(plain(), values=True))
    for kind in ("global", "data-zone", "regional"):
        for title in ("Raw PTU", "Needs PTU", "Buy PTU", "Pay-as-you-go", "PTU 1-year"):
            assert str(formulas["Alder", kind][title]).startswith("="), title
            assert isinstance(values["Alder", kind][title], int | float), title


def test_no_formula_lacks_a_value():
    document = plain()
    formulas, values = written(document), written(document, values=True)
    empty = [
        cell.coordinate
        for sheet in formulas
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f" and values[sheet.title][cell.coordinate].value is None and sheet.title != "Workloads"
    ]
    assert empty == []


def test_every_number_is_in_the_document():
    document = report_of(
        calls(2.5, 1000, 100, name="chat"),
        calls(30, 7, 9, name="b", cache_ratio="25%"),
        headroom="10%",
        with_sizes=True,
    )
    known = {f"{number:.15g}" for number in numbers_of(document)} | {"0"}  # cells hold 16 digits
    book = written(document, values=True)
    for name in ("Plan", "Workloads", "Costs", "Sizes", "Models", "Prices"):
        for row in book[name].iter_rows(min_row=4):
            for cell in row:
                if isinstance(cell.value, int | float):
                    assert f"{cell.value:.15g}" in known, (name, cell.coordinate, cell.value)


def numbers_of(value):
    if isinstance(value, dict):
        for each in value.values():
            yield from numbers_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from numbers_of(each)
    elif isinstance(value, int | float):
        yield value


def test_the_sheets_of_a_plan_and_their_order():
    assert written(plain()).sheetnames == [
        *("Plan", "Workloads", "Costs", "Sizes", "Notes and sources", "Models", "Prices", "Demand", "Exact")
    ]


def test_names_of_ranges():
    book = written(plain())
    assert {"Headroom", "Models", "Deployments", "Peak_RPM", "Input_tokens", "Price_tokens_usd"} <= set(
        book.defined_names
    )
    assert book.defined_names["Headroom"].attr_text == "'Plan'!$B$4"


def test_the_model_is_chosen_from_the_list_once_and_followed_elsewhere():
    book = written(report_of(calls(), catalog=a_catalog(a_model(), a_model("Beech"))))
    rows = plan_rows(book)
    lists = {
        str(rule.sqref): rule.formula1 for rule in book["Plan"].data_validations.dataValidation if rule.type == "list"
    }
    first = f"B{rows['Alder', 'global']['at']}"
    assert lists == {first: "Models"}
    assert rows["Alder", "global"]["Model"] == "Alder"
    assert rows["Alder", "regional"]["Model"] == f"=${first[0]}${first[1:]}"
    assert [cell.value for cell in book["Models"]["A"][4:]] == ["Alder", "Beech"]


def test_inputs_are_yellow_and_nothing_else_is():
    book = written(plain())
    yellow = {
        (sheet.title, cell.coordinate)
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.fill.fgColor.rgb == "FFFFF8DC"
    }
    row = plan_rows(book)["Alder", "global"]["at"]
    assert yellow == {("Plan", "B4"), ("Plan", f"B{row}"), *(("Workloads", f"{letter}5") for letter in "BCDEFGHIJ")}


def test_there_are_charts_of_the_figures():
    with zipfile.ZipFile(io.BytesIO(packed(plain()))) as archive:
        charts = [archive.read(name).decode() for name in archive.namelist() if "charts/chart" in name]
    assert len(charts) == 2
    assert "<c:f>'Plan'!$L$8</c:f>" in charts[0] and "<c:f>'Sizes'!$C$5:$C$6</c:f>" in charts[1]


def test_panes_are_frozen_and_pages_fit_in_width():
    for sheet in written(plain()):
        assert sheet.freeze_panes, sheet.title
        assert sheet.page_setup.orientation == "landscape" and sheet.sheet_properties.pageSetUpPr.fitToPage


def test_the_sources_have_their_dates():
    document = plain()
    document["sources"] = [
        {
            "kind": "rates",
            "name": "t",
            "title": "A table",
            "where": "a shelf",
            "published": "2030",
            "checked": "2030-02-01",
        }
    ]
    values = {cell.value for row in written(document)["Notes and sources"].iter_rows() for cell in row}
    assert {"A table", "a shelf", "2030", "2030-02-01"} <= values
    assert {note["message"] for note in document["notes"]} <= values


def test_the_same_report_gives_the_same_bytes():
    document = plain()
    assert packed(document) == packed(copy.deepcopy(document))


def test_a_report_without_a_day_is_dated_the_same_every_time():
    assert written(plain()).properties.created == datetime(2000, 1, 1)  # noqa: DTZ001  # as the file has it
    assert written(plain() | {"made_on": "2030-06-15"}).properties.created == datetime(2030, 6, 15)  # noqa: DTZ001


# What does not recalculate


def test_minutes_of_different_peaks_are_values_but_follow_the_headroom():
    from ptucalc import LoadProfile

    several = [
        calls(rate=None, name=name, profile=LoadProfile.from_hourly(hours))
        for name, hours in (("day", [60] + [0] * 23), ("night", [0] * 23 + [50]))
    ]
    document = report_of(*several, headroom="10%")
    formulas, values = written(document), plan_rows(written(document, values=True))
    row = plan_rows(formulas)["Alder", "global"]
    assert str(row["Buy PTU"]).startswith("=") and values["Alder", "global"]["Buy PTU"] == 70  # 60 x 1.1 = 66
    assert row["Pay-as-you-go"] == document["cost"]["deployments"][0]["payg_monthly_usd"]
    assert row["Recalculates?"] == (
        "not live: only the headroom recalculates: its workloads peak at different times, and are added hour by hour"
    )
    assert formulas["Workloads"]["N5"].value.startswith("not live: ")
    assert not [rule for rule in formulas["Plan"].data_validations.dataValidation if rule.type == "list"]


def test_a_price_that_is_not_known_is_said_and_not_zero():
    book = a_book(models={"alder": {kind: prices for kind, prices in ALDER.items() if kind is not GLOBAL}})
    row = plan_rows(written(report_of(calls(), prices=book), values=True))["Alder", "global"]
    assert (row["Pay-as-you-go"], row["Cheapest of these"]) == ("unknown", "not all known")


def test_a_type_that_is_not_offered_keeps_its_row():
    catalog = a_catalog(a_model(places={DATA_ZONE: ()}))
    rows = plan_rows(written(report_of(calls(), catalog=catalog), values=True))
    assert rows["Alder", "data-zone"]["Buy PTU"] == "not offered"
    assert rows["Total", "data-zone"]["Buy PTU"] == "–"


def test_a_price_that_is_not_the_lists_is_a_value():
    dear = a_book(models={"alder": ALDER, "alder-2": {GLOBAL: scope([price_row(input=99, cached_input=9, output=99)])}})
    catalog = a_catalog(a_model(versions=("1", "2")))
    document = report_of(calls(model_version="2"), catalog=catalog, prices=dear, types=(GLOBAL,))
    found = plan_rows(written(document))["Alder", "global"]
    assert found["Pay-as-you-go"] == 4336.2  # 43,800 x 1,000 x $99 / 1,000,000
    assert "yes; pay-as-you-go is a value: it is not at the prices of the list" in found["Recalculates?"]
    assert str(found["PTU hourly"]).startswith("=")


def test_costs_of_another_size_than_is_bought_are_values():
    document = plain()
    for option in document["cost"]["deployments"][0]["options"][1:]:
        option["ptu"] = 15
    found = plan_rows(written(document))["Alder", "global"]
    assert found["PTU hourly"] == 3650
    assert "costs are values: they cover the busiest minute (15 PTU)" in found["Recalculates?"]


def test_sizes_sold_that_are_not_the_lists_are_values():
    document = plain()
    document["size"]["deployments"][0]["sizes"][0]["minimum"] = 5
    found = plan_rows(written(document))["Alder", "global"]
    assert (found["Buy PTU"], found["Recalculates?"]) == (10, "not live: its sizes are not those of the list")


def test_a_part_of_a_report_alone_is_values_and_says_why():
    document = plain()
    for part in ("working", "pooled", "rates", "what_if", "hour_of_week", "timelines"):
        document[part] = []
    book = written(document)
    row = plan_rows(book)["Alder", "global"]
    assert (row["Buy PTU"], row["Pay-as-you-go"], row["PTU hourly"]) == (10, 1533, 3650)
    assert row["Recalculates?"] == "not live: the report holds no rates to recalculate with"
    assert "Workloads" not in book.sheetnames
    document["cost"] = None
    assert plan_rows(written(document))["Alder", "global"]["Pay-as-you-go"] is None
    document["size"] = None
    assert written(document).sheetnames == ["Notes and sources"]


# Text is text


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_look_like_formulas_or_links_are_text(name):
    document = report_of(calls(name=name, deployment=name), calls(7, name="other"), title=name)
    archive = zipfile.ZipFile(io.BytesIO(packed(document)))
    assert not any(
        "hyperlink" in archive.read(part).decode("utf-8", "replace").lower()
        for part in archive.namelist()
        if part.endswith(".rels")
    )
    book = written(document)
    for sheet, cell in (("Plan", "A1"), ("Workloads", "A5"), ("Workloads", "B5")):
        assert (book[sheet][cell].value, book[sheet][cell].data_type, book[sheet][cell].hyperlink) == (name, "s", None)
    quoted = book["Plan"]["A1"].quotePrefix
    assert bool(quoted) is (name[0] in "=+-@'")


def test_formulas_hold_no_name_that_came_from_outside():
    document = report_of(calls(name="secret-a", deployment="secret-b"), title="secret-c")
    formulas = [
        cell.value for sheet in written(document) for row in sheet.iter_rows() for cell in row if cell.data_type == "f"
    ]
    assert formulas and not [formula for formula in formulas if "secret" in formula]


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x0b", "\x1f", "\x7f", "\ud800", "\ufffe", "\u202e", "\u2066"])
def test_what_xml_or_a_reader_cannot_take_is_replaced(character):
    assert cell_text(f"a{character}b") == "a\ufffdb"
    document = plain()
    document["title"] = f"a{character}b"
    document["notes"] = [{"code": "c", "message": f"x{character}", "about": character}]
    assert {"a\ufffdb", "x\ufffd", "\ufffd"} <= texts(written(document))


def test_tabs_and_line_breaks_stay():
    assert cell_text("a\tb\nc") == "a\tb\nc"


@pytest.mark.parametrize("letter", ["x", "🙂"])
def test_a_cell_holds_32767_characters_as_spreadsheets_count_them(letter):
    longest = letter * (LONGEST_TEXT // len(letter.encode("utf-16-le")) * 2)
    assert cell_text(longest) == longest
    cut = cell_text(longest + letter * 2)
    assert cut.endswith("(cut: a cell holds no more)")
    assert LONGEST_TEXT - 1 <= len(cut.encode("utf-16-le")) // 2 <= LONGEST_TEXT
    document = plain()
    document["title"] = letter * 100_000
    assert written(document)["Plan"]["A1"].value.endswith("(cut: a cell holds no more)")


def test_deployments_of_almost_the_same_name_are_told_apart():
    names = ["a", "A", "a*", "a?", "=a", "<>a", "~a", ">0"]
    document = report_of(
        *(calls(number, name=f"w{number}", deployment=name) for number, name in enumerate(names, start=11))
    )
    book = written(document, values=True)
    numbers = [row[1].value for row in book["Exact"].iter_rows(min_row=5)]
    assert numbers == list(range(1, 9))
    assert [plan_rows(book)[name, "global"]["Buy PTU"] for name in names] == [15, 15, 15, 15, 15, 20, 20, 20]


def test_models_that_a_look_up_could_take_for_others_are_not_in_the_list():
    models = (a_model("Alder"), a_model("ALDER"), a_model("Al*"))
    document = report_of(calls(), calls(model="ALDER", name="b"), catalog=a_catalog(*models))
    assert [cell.value for cell in written(document)["Models"]["A"][4:5]] == ["Alder"]
    rows = plan_rows(written(document))
    assert rows["ALDER", "global"]["Recalculates?"].endswith("its name could be taken for another's in a look-up")


# Odd reports


def test_numbers_that_no_cell_holds_are_text():
    document = plain()
    document["cost"]["deployments"][0]["options"][0]["monthly_usd"] = 10**400
    document["what_if"][0]["rows"][0]["spillover_monthly_usd"] = float("inf")
    document["working"], document["pooled"] = [], []
    assert written(document)["Costs"]["H5"].value == f"{10**400}"[:100]


@pytest.mark.parametrize("exact", ["", "x", "1/0", "-1", "9" * 5000, "1e999999", "nan", "0"])
@pytest.mark.parametrize("key", ["requests_per_minute_exact", "weighted_tpm_exact", "headroom_exact"])
def test_a_saved_report_may_hold_any_text_for_an_exact_number(key, exact):
    document = plain(headroom="10%")
    document["working"][0][key] = exact
    assert plan_rows(written(document))["Alder", "global"]["Recalculates?"].startswith("not live: ")


def test_a_saved_report_whose_parts_do_not_agree_is_still_written():
    document = plain()
    document["pooled"][0]["deployment"] = "another"
    document["working"][0]["tokens_per_call"] = []
    document["made_on"] = "yesterday"
    document["rates"] = document["rates"][:1]
    document["size"]["deployments"][0]["sizes"][1]["ptu"] = None
    assert plan_rows(written(document))["Alder", "global"]["Buy PTU"] == 10


def test_a_workbook_of_many_deployments_stays_small_and_whole():
    count = 100
    document = report_of(*(calls(number, name=f"w{number}", deployment=f"d{number}") for number in range(1, count + 1)))
    content = packed(document)
    assert len(content) < 400_000
    rows = plan_rows(written(document, values=True))
    assert sum(1 for name, kind in rows if kind == "global") == count + 1


def test_more_workloads_than_recalculate_quickly_are_values(monkeypatch):
    monkeypatch.setattr("ptucalc.report.excel_exact.Limits.ROWS", 2)
    document = report_of(*(calls(name=name) for name in "abc"))
    row = plan_rows(written(document))["Alder", "global"]
    assert row["Recalculates?"].endswith("more than 2 workloads would make the sheet slow")


def test_the_xml_is_what_the_format_allows():
    with zipfile.ZipFile(io.BytesIO(packed(plain()))) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            text = archive.read(name).decode("utf-8")
            assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", text)
            for formula in re.findall("<f>(.*?)</f>", text):
                assert len(formula) < 8192 and formula.count("(") == formula.count(")")
    book = written(plain())
    for sheet in book:
        assert len(sheet.title) <= 31
        for rule in sheet.data_validations.dataValidation:
            assert len(rule.error or "") <= 255 and len(rule.errorTitle or "") <= 32


def test_columns_are_where_the_formulas_look():
    work = written(plain())["Workloads"]
    assert [column(work, title) for title in ("Peak RPM", "Cached share", "Check")] == ["C", "G", "N"]
    assert row_of(work, "chat") == 5


def test_the_plan_shows_the_cheapest_way_of_all_beside_that_of_its_own_columns():
    title = "Cheapest way, spillover included (value, see Costs)"
    levels = LoadProfile.from_levels([("1/2", 12), ("1/2", 2)])
    document = report_of(calls(rate=None, profile=levels), with_sizes=True, prices=a_book())
    rows = plan_rows(written(document, values=True))
    for line in document["headlines"]:
        best = line["cheapest"]
        assert best["way"] == "cheapest mix"
        said = rows[line["deployment"], line["deployment_type"]][title]
        assert said.startswith(f"{best['ptu']} PTU + spillover, {best['term']}: $"), said
    for cost in document["cost"]["deployments"]:
        cost["hybrid"] = dict.fromkeys(cost["hybrid"])
    rows = plan_rows(written(document, values=True))
    assert rows["Alder", "global"][title].endswith("(of known prices)")


def test_the_chart_of_sizes_is_not_in_the_row_that_every_printed_page_repeats():
    archive = zipfile.ZipFile(io.BytesIO(packed(plain())))
    drawings = [archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/drawings/drawing")]
    starts = [int(re.search(r"<xdr:from>.*?<xdr:row>(\d+)<", text, re.S)[1]) for text in drawings]
    assert starts[-1] >= 4  # the titles are in row 4, counted from 1: row 3 of the drawing's
