"""A report document as one HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ptucalc.report.chart_theme import theme
from ptucalc.report.html_logs import sharing
from ptucalc.report.html_runtime import asset, content_security_policy, data_block, runtime_scripts
from ptucalc.report.html_sections import Bounds, cards, headlines_by_size, overview, section, totals
from ptucalc.report.html_sources import reservations, sources
from ptucalc.report.html_text import LONGEST_LINE, LONGEST_TITLE, shortened

__all__ = ["LARGEST_PAGE_BYTES", "html_page"]

LARGEST_PAGE_BYTES = 1_500_000
BOUNDS = (
    Bounds(rows=1_000, sections=60, charted=6, what_if_rows=900),
    Bounds(rows=1_000, sections=40, charted=6, what_if_rows=900),
    Bounds(rows=1_000, sections=24, charted=5, what_if_rows=600),
    Bounds(rows=1_000, sections=12, charted=4, what_if_rows=400),
    Bounds(rows=1_000, sections=4, charted=2, what_if_rows=200),
    Bounds(rows=600, sections=0, charted=0, what_if_rows=0),
    Bounds(rows=100, sections=0, charted=0, what_if_rows=0),
)
"""How much a page shows, from most to least: the first is taken that keeps to the largest size."""
MOST_NOTES = 200


def html_page(document: Mapping[str, Any]) -> str:
    """The page of a `ptucalc.report/1` document: self-contained, at most `LARGEST_PAGE_BYTES` in UTF-8.

    Every number on it stands in the document. Raises ValueError where a number is not finite, KeyError or TypeError
    where the document has not the shape of its schema.
    """
    page = ""
    for bounds in BOUNDS:
        page = _page(document, bounds)
        if len(page.encode()) <= LARGEST_PAGE_BYTES:
            break
    return page


def _page(document: Mapping[str, Any], bounds: Bounds) -> str:
    ranked = headlines_by_size(document)
    chosen = {id(h) for h in ranked[: bounds.sections]}
    charted = {id(h) for h in ranked[: bounds.charted]}
    listed = {id(h) for h in ranked[: bounds.rows]}
    sections, data = [], {}
    for place, headline in enumerate(document["headlines"], start=1):
        if id(headline) in chosen:
            made, found = section(
                f"d{place}",
                headline,
                document,
                with_charts=id(headline) in charted,
                what_if_rows=bounds.what_if_rows // max(1, len(charted)),
            )
            sections.append(made)
            if found:
                data[made.anchor] = found
    specs = {chart.anchor: chart.spec for each in sections for part in each.parts for chart in part.charts}
    several = len(document["headlines"]) > 1
    script, style = asset("report.js"), asset("report.css")
    scripts = [*runtime_scripts(), script] if specs else []
    return _render(
        document=document,
        headline_cards=list(totals(document) if several else (c for h in document["headlines"] for c in cards(h))),
        overview=overview([h for h in document["headlines"] if id(h) in listed]) if several else None,
        links=[
            f"d{p}" if id(h) in chosen else "" for p, h in enumerate(document["headlines"], start=1) if id(h) in listed
        ],
        left_out=list(_left_out(len(ranked), bounds)),
        several=several,
        sections=sections,
        reservations=reservations(document),
        shared=sharing(document),
        sources=list(sources(document)),
        notes=[note["message"] for note in document["notes"][:MOST_NOTES]],
        more_notes=len(document["notes"]) > MOST_NOTES,
        data=data_block({"charts": specs, "whatIf": data, "themes": [theme(), theme(dark=True)]}),
        policy=content_security_policy(scripts, [style]),
        style=style,
        scripts=scripts,
        licenses=asset("vega/LICENSES.txt") if specs else "",
    )


def _left_out(count: int, bounds: Bounds) -> Iterator[str]:
    """What a page of many deployments does not show."""
    whole = "The JSON, CSV and Excel forms of this report have all of it."
    if count > bounds.rows:
        yield f"Of {count:,} deployments the table lists the {bounds.rows:,} with the highest cost a month. {whole}"
    if count > bounds.sections and bounds.sections:
        yield f"The {bounds.sections:,} deployments with the highest cost a month have a section each. {whole}"
    elif count > bounds.sections:
        yield f"No deployment has a section of its own: they would make the page too large. {whole}"
    if bounds.sections and count > bounds.charted:
        yield f"Charts, the slider and the hours of the week are shown for the {bounds.charted:,} with the highest cost."


def _render(**values: object) -> str:
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, loader=FunctionLoader(asset), trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["short"] = shortened
    environment.filters["line"] = lambda text: shortened(text, LONGEST_LINE)
    environment.filters["title"] = lambda text: shortened(text, LONGEST_TITLE)
    # What ships with the package, and JSON without <, > and &, is not escaped: it would not be the same text then.
    for ours in ("data", "style", "licenses"):
        values[ours] = Markup(values[ours])  # noqa: S704
    values["scripts"] = [Markup(each) for each in values["scripts"]]  # type: ignore[attr-defined]  # noqa: S704
    return environment.get_template("report.html.jinja").render(**values)
