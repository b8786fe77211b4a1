"""Colours of the HTML report: WCAG 2.2 AA contrast, worked out from the style sheet and the charts' theme."""

import re
from pathlib import Path

import pytest

import ptucalc
from ptucalc.report.chart_theme import theme

CSS = (Path(ptucalc.__file__).parent / "report" / "assets" / "report.css").read_text(encoding="utf-8")
TEXT, SHAPE = 4.5, 3
STEPS = range(11)
STRONG_FROM = 6


def roots() -> dict[str, dict[str, str]]:
    """The colours of each look: light, dark, print."""
    light, dark, paper = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.S)
    )
    return {
        "light": light,
        "dark": {**light, **dark},
        "print": {**light, **paper},
        "dark, printed": {**light, **dark, **paper},
    }


LOOKS = roots()


def luminance(color: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_guidelines():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the guidelines' example of just too little


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("ink", ["ink", "dim", "link", "warn"])
@pytest.mark.parametrize("paper", ["paper", "raised"])
def test_text_can_be_read(look, ink, paper):
    assert contrast(LOOKS[look][ink], LOOKS[look][paper]) >= TEXT


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("step", STEPS)
def test_the_numbers_of_the_heat_map_can_be_read_on_each_of_its_colours(look, step):
    ink = "heat-ink-strong" if step >= STRONG_FROM else "heat-ink"
    assert contrast(LOOKS[look][ink], LOOKS[look][f"h{step}"]) >= TEXT


@pytest.mark.parametrize("look", LOOKS)
def test_more_is_a_stronger_colour_at_each_step(look):
    away = [contrast(LOOKS[look][f"h{step}"], LOOKS[look]["paper"]) for step in STEPS]
    assert away[0] == 1
    assert away == sorted(away)
    assert len(set(away)) == len(away)


def test_the_style_sheet_gives_each_step_its_colour_and_ink():
    for step in STEPS:
        assert f".h{step} {{ background: var(--h{step}); }}" in CSS
    strong = re.search(r"^(.*) \{ color: var\(--heat-ink-strong\); \}", CSS, re.M)
    assert strong
    assert strong[1].split(", ") == [f".heat .h{step}" for step in STEPS if step >= STRONG_FROM]


@pytest.mark.parametrize("look", LOOKS)
def test_focus_is_seen(look):
    assert contrast(LOOKS[look]["focus"], LOOKS[look]["paper"]) >= SHAPE
    assert ":focus-visible { outline: 3px solid var(--focus)" in CSS
    assert "outline: none" not in CSS
    assert "outline: 0" not in CSS


@pytest.mark.parametrize(("dark", "look"), [(False, "light"), (True, "dark")])
def test_what_charts_draw_is_seen_on_the_page(dark, look):
    config, paper = theme(dark=dark), LOOKS[look]["paper"]
    assert config["background"] == "transparent"
    for color in [*config["range"]["category"], *(s["color"] for s in config["style"].values() if "color" in s)]:
        assert contrast(color, paper) >= SHAPE
    for part in ("axis", "legend"):
        assert contrast(config[part]["labelColor"], paper) >= TEXT
        assert contrast(config[part]["titleColor"], paper) >= TEXT
    assert contrast(config["style"]["said"]["color"], paper) >= TEXT


def test_dark_comes_by_the_readers_system_and_print_has_a_look_of_its_own():
    assert "@media (prefers-color-scheme: dark)" in CSS
    assert "@media print" in CSS
    assert CSS.index("@media print") > CSS.index("@media (prefers-color-scheme: dark)")  # the later one holds
    assert "url(" not in CSS
    assert "@import" not in CSS


def test_nothing_moves():
    assert not re.search(r"animation|transition", CSS)
