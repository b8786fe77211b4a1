"""Names that others chose stay text on the page: no element, attribute, script or direction of writing comes of them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ptucalc.report.html import html_page
from ptucalc.report.html_text import LONGEST_TITLE, shortened

from .report_pages import Element, document, many, read, renamed, report_data

HOSTILE = {
    "script": "<script>window.stolen = 1</script>",
    "end of script": "</script><script>window.stolen = 1</script><!--",
    "end of title and style": "</title></style><img src=x onerror=window.stolen=1>",
    "attribute": '" onmouseover="window.stolen=1" x="',
    "attribute in single quotes": "' autofocus onfocus=window.stolen=1 '",
    "formula": '=HYPERLINK("javascript:window.stolen=1","x")',
    "template": "{{ 7 * 7 }}{% for x in y %}{# #}",
    "comment": "--><script>window.stolen = 1</script>",
    "entity": "&lt;script&gt;&#x202e;&amp;",
    "turned round": "\u202egnp.exe\u2066\u200f",
    "not text": "a\x00b\x1bc\ud800d\ufffee\x85",
    "long": "n" * 10_000,
    "long and hostile": '"><script>window.stolen=1</script>' * 400,
    "lines": "one\r\ntwo\u2028three",
    "vega expression": "'); window.stolen = 1; ('",
}


def skeleton(element: Element) -> list[object]:
    """Tags and attributes in order, without the texts that names may stand in."""
    found: list[object] = []
    for each in element.all():
        said = {"title", "aria-label", "content"}
        found.append((each.tag, {name: value for name, value in each.attributes.items() if name not in said}))
        if each.tag in ("script", "style") and each.attributes.get("type") != "application/json":
            found.append(each.children)
    return found


def spread(name: str, which: str = "log") -> dict[str, object]:
    """A report in which everything that others may have named has this name."""
    report = document(which)
    for headline in report["headlines"][:1]:
        renamed(report, headline["deployment"], name)
    report["title"] = name
    report["source"] = {**report["source"], "text": name, "names": [name]}
    report["notes"] = [{**note, "message": name, "about": name} for note in report["notes"]]
    report["headlines"] = [{**h, "model": name, "model_version": name, "region": name} for h in report["headlines"]]
    report["working"] = [{**w, "workload": name} for w in report["working"]]
    report["catalog_as_of"] = report["prices_as_of"] = name
    if report["logs"]:
        report["logs"]["source"] = {**report["logs"]["source"], "files": [name], "format": name, "first": name}
    if report["cost"]:
        for d in report["cost"]["deployments"]:
            d |= {"price_region": name, "payg_reason": name}
    report["sources"] = [{**source, "title": name, "where": name, "published": name} for source in report["sources"]]
    if report["total"]:
        report["total"]["unpriced"] = [name]
    if report["size"]:
        for d in report["size"]["deployments"]:
            for each in d["sizes"]:
                each["reason"] = name
    return report


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("which", ["log", "plan"])
def test_a_name_changes_no_element_and_no_attribute_of_the_page(what, which):
    page = html_page(spread(HOSTILE[what], which))
    assert skeleton(read(page)) == skeleton(read(html_page(spread("plain", which))))
    page.encode("utf-8")


@pytest.mark.parametrize("what", ["script", "attribute", "formula", "template", "entity", "turned round"])
def test_a_name_is_shown_as_it_is(what):
    name = HOSTILE[what]
    top = read(html_page(spread(name)))
    assert top.all("h1")[0].text.strip() == name
    assert top.all("title")[0].text == name
    assert name in [heading.text.strip() for heading in top.all("h2")]
    assert top.all("h1")[0].attributes["title"] == name


def test_every_name_is_set_apart_so_that_it_cannot_turn_what_follows():
    name = HOSTILE["turned round"]
    top = read(html_page(spread(name)))
    shown = [e for e in top.all() if name in "".join(c for c in e.children if isinstance(c, str))]
    assert len(shown) > 10
    assert {e.tag for e in shown} == {"bdi", "title"}


def test_a_long_name_is_cut_and_its_beginning_is_in_the_title():
    top = read(html_page(spread(HOSTILE["long"])))
    first = next(h for h in top.all("h2") if h.text.startswith("nnn"))
    assert first.text == "n" * 79 + "…"
    assert first.attributes["title"] == "n" * (LONGEST_TITLE - 1) + "…"


def test_what_is_not_text_is_shown_as_a_mark():
    assert shortened("a\x00b\x1bc\ud800d\ufffee\x85") == "a�b�c�d�e�"
    assert shortened("tab\tand\nline") == "tab\tand\nline"


@pytest.mark.parametrize("blank", ["", " ", "\u200b"])
def test_a_deployment_without_a_name_still_has_a_section(blank):
    report = document("plan")
    renamed(report, report["headlines"][0]["deployment"], blank)
    assert len(read(html_page(report)).all("section")) == len(report["headlines"]) + 1


def test_names_never_get_into_the_data_of_the_script():
    assert "stolen" not in str(report_data(read(html_page(spread(HOSTILE["end of script"])))))


def test_five_hundred_names_of_ten_thousand_characters_fit():
    report = many(spread(HOSTILE["long and hostile"]), 500, HOSTILE["long and hostile"] + "{}")
    assert len(html_page(report).encode()) < 1_500_000


@given(name=st.text(min_size=1, max_size=60))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_name_at_all_changes_the_page(name):
    plain = document("plan")
    plain["what_if"] = []  # without charts a page is small, and made quickly
    plain["cost"] = None
    named = {**plain, "title": name, "source": {**plain["source"], "text": name}}
    assert skeleton(read(html_page(named))) == skeleton(read(html_page(plain)))
