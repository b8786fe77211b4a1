"""The HTML page of a report: its structure, that it may run nothing but its own scripts, how large it gets."""

import base64
import hashlib
import itertools
import json
import re
from functools import cache
from pathlib import Path

import pytest

import ptucalc
from ptucalc.report import html
from ptucalc.report.html import LARGEST_PAGE_BYTES, html_page
from ptucalc.report.html_runtime import data_block

from .report_pages import Element, document, many, read, report_data, table

ASSETS = Path(ptucalc.__file__).parent / "report" / "assets"
EXAMPLES = ("plan", "portfolio", "log")


@cache
def page(name: str) -> str:
    return html_page(document(name))


@cache
def parsed(name: str) -> Element:
    return read(page(name))


def size(text: str) -> int:
    return len(text.encode())


# What the page may do


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_policy_allows_the_pages_own_scripts_and_styles_and_nothing_else(name):
    top = parsed(name)
    (policy,) = [m.attributes["content"] for m in top.all("meta") if "http-equiv" in m.attributes]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert set(rules) == {"default-src", "script-src", "style-src", "base-uri", "form-action"}
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        inline = [e for e in top.all(tag) if e.attributes.get("type") != "application/json"]
        sums = [hashlib.sha256("".join(map(str, e.children)).encode()).digest() for e in inline]
        assert rules[rule].split() == [f"'sha256-{base64.b64encode(each).decode()}'" for each in sums]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_policy_stands_before_anything_it_must_hold(name):
    head = parsed(name).all("head")[0].all()
    assert [e.tag for e in head[:2]] == ["meta", "meta"]
    assert head[0].attributes == {"charset": "utf-8"}
    assert head[1].attributes["http-equiv"] == "Content-Security-Policy"


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_is_loaded_from_anywhere(name):
    for element in parsed(name).all():
        for attribute, value in element.attributes.items():
            assert attribute not in ("src", "srcset", "action", "style", "data", "background", "poster", "ping")
            assert not attribute.startswith("on")
            assert attribute != "href" or value.startswith("#")
        assert element.tag not in ("link", "img", "iframe", "object", "embed", "form", "base", "svg", "template")


def test_the_runtime_is_what_its_notice_says_it_is():
    noted = dict(re.findall(r"^\| (\S+\.js) \|.*\| ([0-9a-f]{64}) \|$", (ASSETS / "vega/NOTICE.md").read_text(), re.M))
    assert noted == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (ASSETS / "vega").glob("*.js")
    }


def test_scripts_cannot_end_their_element_early_and_ask_for_no_map():
    for path in [*ASSETS.rglob("*.js"), *ASSETS.rglob("*.css")]:
        text = path.read_text(encoding="utf-8").casefold()
        assert not {each for each in ("</script", "</style", "<!--") if each in text}, path
    assert "sourceMappingURL" not in page("plan")


def test_a_page_with_charts_carries_the_licences_of_what_draws_them():
    assert (ASSETS / "vega/LICENSES.txt").read_text(encoding="utf-8") in page("plan")
    for phrase in ("Redistribution and use in source and binary forms", "University of Washington", "Mike Bostock"):
        assert phrase in page("plan")


def test_data_for_the_script_cannot_end_its_element():
    text = data_block({"name": "</script><!--<script>&\u2028'\""})
    assert not set(text) & set("<>&\u2028")
    assert json.loads(text) == {"name": "</script><!--<script>&\u2028'\""}


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        data_block({"ptu": float("nan")})


# Structure


@pytest.mark.parametrize("name", EXAMPLES)
def test_headings_go_down_by_one_level_at_a_time(name):
    levels = [int(e.tag[1]) for e in parsed(name).all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_table_has_a_caption_and_says_what_its_headers_are_of(name):
    tables = parsed(name).all("table")
    assert len(tables) > 10
    for each in tables:
        assert each.all("caption")[0].text.strip()
        assert each.children and all(cell.attributes["scope"] in ("col", "row") for cell in each.all("th"))
        for row in each.all("tbody")[0].all("tr"):
            cells = row.all("th", "td")
            assert [c.tag for c in cells] == ["th"] + ["td"] * (len(cells) - 1)
            assert len(cells) == len(each.titles)


@pytest.mark.parametrize("name", EXAMPLES)
def test_ids_are_unique_and_every_link_leads_somewhere(name):
    ids = [e.attributes["id"] for e in parsed(name).all() if "id" in e.attributes]
    assert len(set(ids)) == len(ids)
    used = [e.attributes["href"][1:] for e in parsed(name).all("a")]
    used += [e.attributes["aria-labelledby"] for e in parsed(name).all() if "aria-labelledby" in e.attributes]
    assert set(used) <= set(ids)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_says_its_language_title_and_width(name):
    top = parsed(name)
    assert top.all("html")[0].attributes["lang"] == "en"
    assert top.all("title")[0].text == document(name)["title"]
    assert top.all("h1")[0].text.strip() == document(name)["title"]
    (viewport,) = [m for m in top.all("meta") if m.attributes.get("name") == "viewport"]
    assert viewport.attributes["content"] == "width=device-width, initial-scale=1"


def test_each_of_several_deployments_has_a_section_in_the_contents():
    top = parsed("plan")
    names = [h["deployment"] for h in document("plan")["headlines"]]
    assert [e.text for e in top.all("nav")[0].all("a")] == [*names, "Notes and sources"]
    assert [e.all("h2")[0].text for e in top.all("section")] == [*names, "Notes and sources"]
    for link, name in zip(top.all("nav")[0].all("a"), names, strict=False):
        assert top.by_id(link.attributes["href"][1:]).all("h2")[0].text == name


def test_one_deployment_has_neither_contents_nor_overview():
    one = document("plan")
    first = one["headlines"][0]["deployment"]
    one["headlines"] = one["headlines"][:1]
    one["total"] = None
    top = read(html_page(one))
    assert not top.all("nav")
    assert "Deployments" not in [h.text for h in top.all("h2")]
    assert [h.text for h in top.all("h2")][1:3] == ["Size", "What each option costs a month"]
    assert first in top.text


def test_without_scripts_the_slider_is_hidden_and_its_numbers_are_in_a_table():
    top = parsed("plan")
    sliders = [e for e in top.all("div") if e.has("slider")]
    assert sliders and all("hidden" in e.attributes for e in sliders)
    assert all("hidden" in e.attributes for e in top.all("div") if e.has("charts"))
    assert "need JavaScript" in top.all("noscript")[0].text
    found = table(top, "Cost of a month against PTU, Global")
    legal = next(e for e in document("plan")["what_if"] if e["deployment_type"] == "global")
    assert len(found.rows) == len(legal["rows"])


def test_a_report_without_anything_to_draw_carries_no_script():
    bare = document("plan")
    bare |= {"cost": None, "what_if": [], "hour_of_week": []}
    for headline in bare["headlines"]:
        headline |= {"cheapest": None, "payg_monthly_usd": None}
    text = html_page(bare)
    assert size(text) < 60_000
    assert not read(text).all("script")
    assert "460" in table(read(text), "PTU to buy").rows[0]


@pytest.mark.parametrize("part", ["size", "cost", "logs", "simulate"])
def test_a_page_of_one_saved_result_alone_is_a_page(part):
    alone = document("log")
    kept = alone[part]
    alone |= {"size": None, "cost": None, "logs": None, "simulate": None, "total": None}
    alone |= {"what_if": [], "working": [], "pooled": [], "rates": [], "hour_of_week": [], "timelines": []}
    alone[part] = kept
    top = read(html_page(alone))
    assert len(top.all("table")) > 4


@pytest.mark.parametrize("number", [-1, 0, 1e-9, 1, 10**15, 2.5])
def test_a_saved_report_of_whatever_numbers_makes_a_page(number):
    def replaced(value):
        match value:
            case bool():
                return value
            case int() | float():
                return number
            case list():
                return [replaced(each) for each in value]
            case dict():
                return {key: replaced(each) for key, each in value.items()}
        return value

    for name in EXAMPLES:
        assert read(html_page(replaced(document(name)))).all("table")


def test_unknown_is_said_in_words_never_as_nothing():
    def unknown(value):
        match value:
            case dict():
                return {k: None if k.endswith("_usd") else unknown(each) for k, each in value.items()}
            case list():
                return [unknown(each) for each in value]
        return value

    report = document("plan")
    report |= {"what_if": [], "cost": unknown(report["cost"])}
    for entry in report["cost"]["deployments"]:
        entry |= {"payg_terms": [], "sensitivity": [], "hybrid": dict.fromkeys(entry["hybrid"])}
    rows = table(read(html_page(report)), "Ways to buy it").rows
    assert {cell for row in rows for cell in row[2:5]} == {"unknown"}


# Size


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_page_is_under_a_megabyte_and_a_half(name):
    assert size(page(name)) < LARGEST_PAGE_BYTES == 1_500_000


@pytest.mark.parametrize("name", ["deployment-{}", "long-" * 2_000 + "{}"])
def test_five_hundred_deployments_fit_and_the_page_says_what_it_leaves_out(name):
    text = html_page(many(document("plan"), 500, name))
    assert size(text) < LARGEST_PAGE_BYTES
    top = read(text)
    assert len(table(top, "The size that each needs").rows) == 500
    assert "charts" in top.text.casefold()
    sections = len(top.all("section")) - 1
    assert 1 <= sections < 500
    assert f"The {sections} deployments with the highest cost a month have a section each." in top.text
    assert re.search(
        r"Charts, the slider and the hours of the week are shown for the \d+ with the highest cost", top.text
    )


def test_too_many_for_one_table_are_said_to_be_left_out():
    top = read(html_page(many(document("plan"), 1_200)))
    assert len(table(top, "The size that each needs").rows) == 1_000
    assert "Of 1,200 deployments the table lists the 1,000 with the highest cost a month." in top.text


def test_the_dearest_deployments_have_the_charts_whatever_their_place():
    report = many(document("plan"), 40)
    for place, headline in enumerate(report["headlines"]):
        usd = 1_000 + place
        headline["cheapest"] = {**headline["cheapest"], "monthly_usd": usd}
    charted = {anchor.split("-")[0] for anchor in report_data(read(html_page(report)))["charts"]}
    assert 2 <= len(charted) < 40
    assert charted == {f"d{place}" for place in range(41 - len(charted), 41)}


def test_a_page_that_would_be_too_large_shows_less(monkeypatch):
    report = many(document("plan"), 80)
    whole = html_page(report)
    monkeypatch.setattr(html, "LARGEST_PAGE_BYTES", size(whole) - 1)
    less = html_page(report)
    assert size(less) < size(whole)
    assert len(read(less).all("section")) < len(read(whole).all("section"))


def test_few_deployments_are_shown_whole():
    assert "highest cost a month have a section" not in page("plan")
    assert "Charts, the slider" not in page("plan")
