"""The HTML report in a real browser, without a network: no complaint on the console, the slider moves the numbers,
charts follow the reader's system, a phone needs no sideways scrolling, the keyboard reaches everything."""

import re

import pytest

from ptucalc.report.html import html_page

from .browser import BINARY, Browser
from .report_pages import document
from .test_html_hostile import HOSTILE, spread

pytestmark = pytest.mark.skipif(BINARY is None, reason="no Chromium is installed (chromium, google-chrome)")

FIRST = "#d1-slider"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name in ("plan", "portfolio", "log"):
        found[name] = folder / f"{name}.html"
        found[name].write_text(html_page(document(name)), encoding="utf-8")
    return found


def said(browser):
    return browser.run("document.getElementById('d1-said').textContent")


def number_of_charts(browser):
    return browser.run("Object.keys(JSON.parse(document.getElementById('report-data').textContent).charts).length")


@pytest.mark.parametrize("name", ["plan", "portfolio", "log"])
def test_a_page_draws_its_charts_asks_for_nothing_and_complains_of_nothing(browser, pages, name):
    browser.open(pages[name])
    assert browser.complaints == []
    assert browser.requests == [pages[name].as_uri()]
    drawn = browser.run("document.querySelectorAll('.chart svg').length")
    assert drawn == number_of_charts(browser) > 1
    # a chart has marks: paths with an outline of some length
    assert browser.run(
        "Array.from(document.querySelectorAll('.chart svg')).every("
        "s => Array.from(s.querySelectorAll('.mark-area path, .mark-line path, .mark-rule line')).length > 0)"
    )


def test_the_policy_holds_in_the_browser(browser, pages):
    browser.open(pages["plan"])
    refused = browser.run("(() => { try { return eval('1') } catch (e) { return e.name } })()")
    browser.run("document.body.append(Object.assign(document.createElement('script'), {text: 'window.stolen = 1'}))")
    assert (refused, browser.run("window.stolen === undefined")) == ("EvalError", True)
    assert any("Content Security Policy" in each for each in browser.complaints)


def test_the_slider_moves_with_the_keyboard_and_says_what_the_document_says(browser, pages):
    report = document("plan")
    entry = next(e for e in report["what_if"] if e["deployment_type"] == "global")
    rows = entry["rows"]
    at = next(i for i, row in enumerate(rows) if row["ptu"] == entry["cheapest"]["1-year"])
    browser.open(pages["plan"])
    before = said(browser)
    assert before.startswith(f"{rows[at]['ptu']} PTU: ")
    browser.run(f"document.querySelector('{FIRST} input').focus()")
    browser.press("ArrowRight", 39)
    after = said(browser)
    assert after.startswith(f"{rows[at + 1]['ptu']} PTU: ${rows[at + 1]['monthly_usd']['1-year']:,.0f} a month (")
    browser.press("Home", 36)
    assert said(browser).startswith(f"0 PTU: ${rows[0]['monthly_usd']['1-year']:,.0f} a month ($0 fixed, ")
    browser.press("End", 35)
    assert said(browser).startswith(f"{rows[-1]['ptu']} PTU: ${rows[-1]['monthly_usd']['1-year']:,.0f} a month (")
    spoken = browser.run(f"document.querySelector('{FIRST} input').getAttribute('aria-valuetext')")
    assert spoken == f"{rows[-1]['ptu']} PTU, ${rows[-1]['monthly_usd']['1-year']:,.0f} a month"
    assert browser.complaints == []


def test_the_line_in_the_chart_follows_the_slider(browser, pages):
    browser.open(pages["plan"])
    where = "document.querySelector('#d1-cost .mark-rule.role-mark line').getAttribute('transform')"
    before = browser.run(where)
    browser.run(f"document.querySelector('{FIRST} input').focus()")
    browser.press("End", 35)
    browser.wait_for(f"{where} !== {before!r}")


def test_another_type_or_term_shows_its_own_rows(browser, pages):
    entry = next(e for e in document("plan")["what_if"] if e["deployment_type"] == "regional")
    best = entry["cheapest"]["1-month"]
    row = next(r for r in entry["rows"] if r["ptu"] == best)
    browser.open(pages["plan"])
    browser.run(
        f"(() => {{ const s = document.querySelector('{FIRST} select'); s.value = 'regional 1-month';"
        "s.dispatchEvent(new Event('change')) })()"
    )
    assert said(browser).startswith(f"{best} PTU: ${row['monthly_usd']['1-month']:,.0f} a month (")
    assert browser.run(f"document.querySelector('{FIRST} input').max") == str(len(entry["rows"]) - 1)
    browser.wait_for(f"document.getElementById('d1-cost').textContent.includes('cheapest: {best} PTU')")
    assert browser.complaints == []


def test_script_and_page_say_the_first_choice_in_the_same_words(browser, pages):
    for name in ("plan", "log"):
        browser.open(pages[name], scripts=False)
        text = re.search(r'<output id="d1-said"[^>]*>(.*?)</output>', pages[name].read_text(encoding="utf-8"))
        browser.open(pages[name])
        assert text
        assert said(browser) == text[1]


def test_charts_follow_the_readers_system_when_it_changes(browser, pages):
    browser.open(pages["plan"])
    label = "document.querySelector('#d1-cost .role-axis-label text').getAttribute('fill')"
    light = browser.run(label)
    browser.dark(on=True)
    browser.wait_for(f"{label} !== {light!r}")
    browser.wait_for("window.ptucalcReport.drawn")
    dark_paper = browser.run("getComputedStyle(document.documentElement).backgroundColor")
    browser.dark(on=False)
    browser.wait_for(f"{label} === {light!r}")
    assert browser.run("getComputedStyle(document.documentElement).backgroundColor") != dark_paper
    assert browser.complaints == []


def test_paper_is_light_even_where_the_screen_is_dark(browser, pages, tmp_path):
    browser.open(pages["plan"], dark=True)
    label = "document.querySelector('#d1-cost .role-axis-label text').getAttribute('fill')"
    dark = browser.run(label)
    browser.run(f"window.addEventListener('beforeprint', () => {{ window.printed = {label} }})")
    browser.print(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    assert browser.run("window.printed") not in (None, dark)
    browser.wait_for(f"{label} === {dark!r}")


@pytest.mark.parametrize("name", ["plan", "portfolio", "log"])
@pytest.mark.parametrize("width", [320, 390, 1120])
def test_no_page_is_wider_than_the_screen(browser, pages, name, width):
    browser.open(pages[name], width=width, height=844)
    browser.run("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert browser.run("document.documentElement.scrollWidth") <= width


def test_hostile_names_do_not_widen_the_page_nor_run(browser, tmp_path):
    for number, what in enumerate(("end of script", "attribute", "turned round", "long", "vega expression")):
        name = HOSTILE[what]
        page = tmp_path / f"{number}.html"
        page.write_text(html_page(spread(name)), encoding="utf-8")
        browser.open(page, width=390, height=844)
        assert browser.complaints == [], name
        assert browser.run("window.stolen === undefined")
        assert browser.requests == [page.as_uri()]
        assert browser.run("document.documentElement.scrollWidth") <= 390, name
        assert browser.run("document.querySelectorAll('.chart svg').length") == number_of_charts(browser)


def test_without_javascript_everything_but_charts_and_slider_is_there(browser, pages):
    browser.open(pages["log"], scripts=False)
    assert browser.complaints == []
    text = pages["log"].read_text(encoding="utf-8")
    assert "need JavaScript" in text
    # scripts are off, so nothing can be asked of the page: what is drawn tells
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.run("document.querySelectorAll('.charts[hidden]').length") == text.count('class="charts" hidden')
    assert browser.run("document.querySelector('.slider').hidden")
    assert browser.run("document.querySelector('table').getClientRects().length") == 1


def test_the_keyboard_reaches_links_slider_choice_and_details_in_order(browser, pages):
    browser.open(pages["plan"])
    seen = []
    for _ in range(60):
        browser.press("Tab", 9)
        seen.append(browser.run("document.activeElement.tagName + ' ' + (document.activeElement.className || '')"))
        if seen[-1].startswith("BODY"):
            break
        assert browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid", seen[-1]
    tags = [each.split()[0] for each in seen]
    assert seen[0] == "A skip"
    assert {"A", "SUMMARY", "INPUT", "SELECT"} <= set(tags)
    assert tags.index("INPUT") + 1 == tags.index("SELECT")
    assert "DIV" not in tags  # no table is wider than its frame here


def test_a_table_that_scrolls_is_a_stop_of_the_keyboard(browser, pages):
    browser.open(pages["plan"], width=390, height=844)
    assert browser.run(
        "Array.from(document.querySelectorAll('.scroll')).filter(f => f.clientWidth)"
        ".every(f => (f.scrollWidth > f.clientWidth) === (f.tabIndex === 0))"
    )
    assert browser.run("document.querySelectorAll('.scroll[tabindex]').length > 0")


def test_what_is_folded_is_open_on_paper_and_closed_again(browser, pages):
    browser.open(pages["plan"])
    count = "document.querySelectorAll('details[open]').length"
    whole = browser.run("document.querySelectorAll('details').length")
    browser.run("document.querySelector('details').open = true")
    browser.run("window.dispatchEvent(new Event('beforeprint'))")
    assert browser.run(count) == whole > 3
    browser.run("window.dispatchEvent(new Event('afterprint'))")
    assert browser.run(count) == 1


def test_a_table_says_that_it_scrolls_only_where_it_does(browser, pages):
    browser.open(pages["plan"], width=390)
    assert browser.run("document.querySelectorAll('.scroll.more').length") > 0
    assert browser.run(
        "Array.from(document.querySelectorAll('.scroll')).every("
        "f => f.classList.contains('more') === (f.scrollWidth > f.clientWidth))"
    )
    assert "scrolls sideways" in browser.run(
        "getComputedStyle(document.querySelector('.more caption'), '::before').content"
    )
