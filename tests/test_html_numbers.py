"""Every number that an HTML report shows stands in its document, and charts, slider and tables show the same ones."""

import bisect
import re
from fractions import Fraction
from functools import cache

import pytest

from ptucalc.report import charts
from ptucalc.report.html import html_page
from ptucalc.report.html_text import count_text, money_text, share_text

from .report_pages import Element, document, read, report_data, table

EXAMPLES = ("plan", "portfolio", "log")
NUMBER = re.compile(r"(?<![\w.])[−+$]*(\d[\d,]*(?:\.\d+)?)(%?)")
# Figures in the words of the page itself.
WORDS = re.compile(
    r"\b429s?\b|\bp\d+(\.\d+)?\b|1M tokens|Per 1M|Over 100%|:\d\d\b|[0-9]+[-.][0-9]+[-.][0-9][\w:.+-]*|\b\d+-(month|year)"
    r"|busiest \d+ s|From white or black \(0\)|[A-Za-z][\w.]*-[\w.-]*\d[\w.-]*"
)


@cache
def parsed(name: str) -> Element:
    return read(html_page(document(name)))


def numbers_of(value: object) -> list[Fraction]:
    """All numbers of a document: its own, those in its texts and keys, and how many a list holds."""
    match value:
        case bool() | None:
            return []
        case int() | float():
            return [abs(Fraction(str(value)))]
        case str():
            whole = [Fraction(value)] if re.fullmatch(r"-?\d+/\d+", value) else []
            return whole + [
                Fraction(each.replace(",", "")) for each in re.findall(r"\d[\d,]*(?:\.\d+)?", value) if each
            ]
        case list():
            return [Fraction(len(value)), *(n for each in value for n in numbers_of(each))]
        case dict():
            return [n for key, each in value.items() for n in [*numbers_of(key), *numbers_of(each)]]
    raise AssertionError(type(value))


def strangers(top: Element, report: dict[str, object]) -> set[str]:
    """Numbers of the page that no number of the document is shown as."""
    known = sorted(set(numbers_of({**report, "rates": [], "timelines": []})))  # which the page does not show
    wrong = set()
    for element in top.all():
        text = "".join(c for c in element.children if isinstance(c, str))
        if element.tag in ("script", "style") or _is_clock(element):
            continue
        for shown, percent in NUMBER.findall(WORDS.sub(" ", text)):
            digits = shown.replace(",", "")
            step = Fraction(1, 10 ** len(digits.partition(".")[2]))
            value, scale = Fraction(digits), 100 if percent else 1
            if not any(_near(known, value / each, step / each) for each in {scale, 1}):
                wrong.add(f"{shown}{percent} in {text.strip()[:80]!r}")
    return wrong


def _near(known: list[Fraction], value: Fraction, step: Fraction) -> bool:
    """Whether a number rounds to the one shown: half a step to either side, or cut off within one."""
    at = bisect.bisect_left(known, value - step / 2)
    return at < len(known) and known[at] < value + step


def _is_clock(element: Element) -> bool:
    """Hours that head the columns and rows of a day."""
    return element.tag in ("th", "bdi") and re.fullmatch(r"[012]\d", element.text.strip()) is not None


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_number_on_the_page_stands_in_the_document(name):
    assert strangers(parsed(name), document(name)) == set()


def test_a_number_that_does_not_stand_in_the_document_would_be_found():
    report = document("plan")
    top = read(html_page(report).replace("$76,565", "$76,566"))
    assert strangers(top, report)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_number_of_the_page_follows_the_document(name):
    """Costs one dollar higher in the document are one dollar higher on the page: none is made up by it."""
    report = document(name)
    first = report["headlines"][0]
    kind = first["deployment_type"]
    entry = next(
        d for d in report["cost"]["deployments"] if d["name"] == first["deployment"] and d["deployment_type"] == kind
    )
    for option in entry["options"]:
        option |= {
            "fixed_monthly_usd": 123_456,
            "spillover_monthly_usd": 234_567,
            "monthly_usd": 345_678,
            "vs_payg": 0.875,
        }
    entry["hybrid"] = dict.fromkeys(entry["hybrid"])
    rows = table(read(html_page(report)), "Ways to buy it").rows
    assert {tuple(row[2:5]) for row in rows} == {("$123,456", "$234,567", "$345,678")}
    assert {row[5] for row in rows} == {"—", "+88%"}


@pytest.mark.parametrize("name", ["plan", "log"])
def test_the_slider_looks_up_what_the_table_and_the_document_say(name):
    report = document(name)
    top = parsed(name)
    found = report_data(top)["whatIf"]
    names = [h["deployment"] for h in report["headlines"]]
    assert found
    for anchor, kinds in found.items():
        for kind, looked in kinds.items():
            (entry,) = [
                e
                for e in report["what_if"]
                if (e["deployment"], e["deployment_type"]) == (names[int(anchor[1:]) - 1], kind)
            ]
            by_ptu = {row["ptu"]: row for row in entry["rows"]}
            rows = top.by_id(looked["table"]).rows
            assert [row[0] for row in rows] == [count_text(ptu) for ptu in looked["ptu"]]
            for place, ptu in enumerate(looked["ptu"]):
                said = by_ptu[ptu]
                assert looked["spillover"][place] == said["spillover_monthly_usd"]
                assert rows[place][1] == share_text(said["share_of_time_over"])
                assert rows[place][4] == money_text(said["spillover_monthly_usd"])
                for term, column in looked["terms"].items():
                    assert column["month"][place] == said["monthly_usd"][term]
                    assert column["fixed"][place] == said["fixed_monthly_usd"][term]
                    assert rows[place][column["column"]] == money_text(said["fixed_monthly_usd"][term])
                    assert rows[place][column["column"] + 1] == money_text(said["monthly_usd"][term])
                    assert column["cheapest"] == entry["cheapest"][term]
            assert entry["peak_ptu"] in looked["ptu"]
            assert {c["cheapest"] for c in looked["terms"].values()} <= {*looked["ptu"], None}


def test_what_the_slider_says_at_first_is_the_cheapest_way():
    first = document("plan")["headlines"][0]
    said = parsed("plan").by_id("d1-said").text
    cheapest = first["cheapest"]
    assert said.startswith(f"{cheapest['ptu']} PTU: {money_text(cheapest['monthly_usd'])} a month (")


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_number_of_a_chart_is_in_a_table(name):
    top = parsed(name)
    cells = {cell for t in top.all("table") for row in t.rows for cell in row}
    specs = report_data(top)["charts"]
    assert specs
    for spec in specs.values():
        blocks = [spec.get("data", {}), *(layer.get("data", {}) for layer in spec.get("layer", []))]
        for row in (row for block in blocks for row in block.get("values", [])):
            for key, value in row.items():
                if key in ("hour", "term") or value in (0, None) or (key, value) == ("utilization", 1):
                    continue
                forms = {
                    share_text(value),
                    f"{share_text(value)}: never",
                    count_text(value),
                    money_text(value, cents=True),
                }
                assert forms & cells, (key, value)


def test_charts_hold_the_documents_own_numbers():
    report = document("log")
    name = report["headlines"][0]["deployment"]
    (found,) = [e["simulated"] for e in report["simulate"]["by_deployment"] if e["name"] == name]
    specs = report_data(parsed("log"))["charts"]
    assert specs["d1-timeline"] == charts.utilization_of_day(found)
    assert [r["utilization"] for r in specs["d1-timeline"]["data"]["values"]] == found["worst_day"][
        "quarter_hours_utilization"
    ]
    assert [r["responses_429"] for r in specs["d1-timeline"]["data"]["values"]] == found["worst_day"][
        "quarter_hours_429"
    ]
    assert [r["ptu"] for r in specs["d1-throttled"]["data"]["values"]] == [r["ptu"] for r in found["sweep"]]


def test_the_hours_of_the_week_are_those_of_the_document():
    report = document("log")
    week = report["hour_of_week"][0]["ptu"]
    rows = table(parsed("log"), "PTU before rounding").rows
    assert [row[0] for row in rows] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    shown = [cell for row in rows for cell in row[1:]]
    assert shown == ["" if value is None else count_text(value, 0) for value in week]


def test_an_hour_without_data_is_blank_and_zero_is_not():
    report = document("log")
    week = report["hour_of_week"][0]["ptu"]
    week[0], week[1], week[2] = None, 0, max(v or 0 for v in week)
    cells = table(read(html_page(report)), "PTU before rounding").all("td")[:3]
    assert [(c.text, c.attributes.get("class")) for c in cells[:2]] == [("", None), ("0", "h0")]
    assert cells[2].attributes["class"] == "h10"
