"""Heat maps and strips: what each value looks like, how wide they get, and what stays legible without colours."""

from __future__ import annotations

import io
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.report import console
from ptucalc.report.blocks import Block, HeatMap, HeatRow, Strip
from ptucalc.report.console import show
from ptucalc.report.markdown import markdown
from ptucalc.report.pictures import HEAT_STEPS, bars, picture, step_of
from ptucalc.report.plain import plain_lines

F = Fraction
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
values = st.one_of(st.none(), st.integers(0, 10**9), st.fractions(0, 10**6))


def a_day(*first, rest=0) -> list:
    """24 hours: these, then others of the same value."""
    return [*first, *[rest] * (24 - len(first))]


def heat_of(*days, **given) -> HeatMap:
    rows = [HeatRow(name, day, "668 at 11:00") for name, day in zip(DAYS, days, strict=False)]
    return HeatMap(**{"title": "Peak", "rows": rows, "unit": "PTU", **given})


def a_week() -> HeatMap:
    return heat_of(*[[7 * hour for hour in range(24)]] * 7)


def a_strip(quarters=None, **given) -> Strip:
    plain = {"label": "Tue", "values": quarters or [F(q) for q in range(96)], "caption": "busiest day"}
    return Strip(**{**plain, "threshold": 50, "over": "over 50 PTU", **given})


def cells_of(heat: HeatMap, row: int = 0, width: int = 78) -> str:
    """The cells of one row, as shades."""
    line = "".join(cell.text for cell in list(picture(heat, width, colors=False))[2 + row])
    return line[5:-14]


def styles_of(heat: HeatMap, row: int = 0) -> list[tuple[str, int]]:
    """The styles of the cells of one row in a terminal of 80 columns, each with how many characters have it."""
    return [(cell.style, len(cell.text)) for cell in list(picture(heat, 78, colors=True))[2 + row][1:-2]]


def on_terminal(monkeypatch, block: Block, *, width: int = 80, term: str = "xterm-256color", **env: str) -> str:
    monkeypatch.setattr(console, "width_of", lambda stream: width)
    for name in ("NO_COLOR", "COLORTERM", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": term, **env}.items():
        monkeypatch.setenv(name, value)
    stream = io.StringIO()
    show([block], stream)
    return stream.getvalue()


def bare(text: str) -> list[str]:
    """The lines without their colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()


# Steps


@pytest.mark.parametrize(
    ("value", "step"), [(0, 0), (F(1, 1000), 1), (25, 1), (F(2501, 100), 2), (75, 3), (76, 4), (100, 4)]
)
def test_quarters_end_on_their_bounds_and_only_nothing_is_step_0(value, step):
    assert step_of(value, 100, 4) == step


@given(st.integers(0, 10**12), st.integers(1, 10**12), st.sampled_from([4, 10, 16]))
def test_a_step_is_never_out_of_range(value, more, steps):
    step = step_of(value, value + more, steps)
    assert 0 <= step <= steps
    assert (step == 0) == (value == 0)
    assert step_of(value + more, value + more, steps) == steps


def test_a_larger_value_is_never_a_lower_step():
    steps = [step_of(value, 997, HEAT_STEPS) for value in range(998)]
    assert steps == sorted(steps)
    assert set(steps) == set(range(HEAT_STEPS + 1))


# Heat maps


def test_each_quarter_up_to_the_largest_has_its_shade_nothing_a_dot_and_no_data_a_blank():
    assert cells_of(heat_of(a_day(None, 0, 1, 25, 26, 50, 51, 75, 76, 100))) == "  ··░░░░▒▒▒▒▓▓▓▓████" + "··" * 14


def test_the_shades_are_of_all_days_together():
    heat = heat_of(a_day(50), a_day(200))
    assert (cells_of(heat, 0)[:2], cells_of(heat, 1)[:2]) == ("░░", "██")


@pytest.mark.parametrize(
    ("day", "shown"), [(a_day(rest=5), "█" * 48), (a_day(rest=0), "·" * 48), (a_day(rest=None), " " * 48)]
)
def test_hours_that_are_all_equal_are_all_the_largest_unless_they_are_nothing(day, shown):
    assert cells_of(heat_of(day)) == shown


@pytest.mark.parametrize(
    ("day", "legend"),
    [
        (a_day(F(6675, 10)), "·░▒▓█  0 to 668 PTU"),
        (a_day(1234, None), "·░▒▓█  0 to 1,234 PTU; blank: no data"),
        (a_day(F(1, 3)), "·░▒▓█  0 to 0.3 PTU"),
        (a_day(0), "·░▒▓█  0 PTU throughout"),
    ],
)
def test_the_legend_says_what_the_darkest_shade_is_and_what_a_blank_is(day, legend):
    assert list(plain_lines(heat_of(day)))[-1] == "     " + legend


def test_no_data_at_all_is_said():
    assert list(plain_lines(heat_of(a_day(rest=None))))[-1] == "     ·░▒▓█  blank: no data"


def test_hours_stand_over_their_cells():
    heat = heat_of(a_day(*[0] * 21, 9))
    title, hours, row, _ = plain_lines(heat)
    assert (title, hours) == ("Peak", "     00    03    06    09    12    15    18    21")
    assert row.index("██") == hours.index("21")
    narrow = ["".join(cell.text for cell in line) for line in picture(heat, 50, colors=False)]
    assert narrow[1] == "     00 03 06 09 12 15 18 21"
    assert narrow[2].index("█") == narrow[1].index("21")


@pytest.mark.parametrize(("room", "width"), [(200, 3), (91, 3), (90, 2), (67, 2), (66, 1), (43, 1), (10, 1)])
def test_cells_are_as_wide_as_they_fit_beside_the_remarks(room, width):
    # 5 before the cells, 24, 48 or 72 for them, 2 + 12 after them
    lines = list(picture(a_week(), room, colors=False))
    assert {sum(len(cell.text) for cell in line) for line in lines[2:-1]} == {5 + 24 * width + 14}


def test_in_colour_the_largest_hour_has_the_last_colour_nothing_the_first_and_no_data_none():
    assert styles_of(heat_of(a_day(None, None, 0, 1, 95, 100, rest=0))) == [
        ("", 4),
        ("heat0", 2),
        ("heat1", 2),
        ("heat10", 4),
        ("heat0", 36),
    ]


@pytest.mark.parametrize(("env", "sign"), [({}, "48;5;214"), ({"COLORTERM": "truecolor"}, "48;2;255;176;58")])
def test_a_terminal_colours_the_background_of_cells(monkeypatch, env, sign):
    text = on_terminal(monkeypatch, a_week(), **env)
    assert f"\x1b[{sign}m" in text
    assert not set("░▒▓█") & set(text)


@pytest.mark.parametrize(("term", "env"), [("xterm", {}), ("xterm-256color", {"NO_COLOR": "1"}), ("dumb", {})])
def test_with_few_colours_or_none_there_are_shades(monkeypatch, term, env):
    text = on_terminal(monkeypatch, a_week(), term=term, **env)
    assert "\x1b[48" not in text
    assert "·░▒▓█" in text


@pytest.mark.parametrize("width", [200, 93, 92, 80, 69, 68, 60, 47])
@pytest.mark.parametrize("env", [{}, {"NO_COLOR": "1"}])
def test_no_line_of_a_picture_is_longer_than_the_terminal_or_broken(monkeypatch, width, env):
    # 47 columns: 2 of margin and 45 for the widest line, the legend of swatches
    heat = bare(on_terminal(monkeypatch, a_week(), width=width, **env))
    strip = bare(on_terminal(monkeypatch, a_strip(), width=width, **env))
    assert max(map(len, heat + strip)) <= width
    assert len([line for line in heat if line]) == 1 + 1 + 7 + 1
    assert sum("668 at 11:00" in line for line in heat) == 7


def test_a_remark_that_stands_out_is_bold(monkeypatch):
    heat = heat_of(a_day(1), a_day(2))
    heat = heat._replace(rows=[heat.rows[0], heat.rows[1]._replace(remark="2 at 00:00", strong=True)])
    text = on_terminal(monkeypatch, heat)
    assert "\x1b[1m2 at 00:00\x1b[0m" in text
    assert "\x1b[2m668 at 11:00\x1b[0m" in text


def test_markdown_has_a_row_for_each_day_and_a_column_for_each_hour():
    heat = heat_of(a_day(None, 0, F(1281, 2), F(1, 3)))
    heat = heat._replace(rows=[heat.rows[0]._replace(strong=True)])
    title, table = markdown([heat]).strip().split("\n\n")
    head, rule, row = table.splitlines()
    assert title == "Peak"
    assert head == f"| Day | {' | '.join(f'{hour:02d}' for hour in range(24))} | Peak |"
    assert rule == "| --- |" + " ---: |" * 25
    assert row == "| Mon |  | 0 | 641 | 0.3 |" + " 0 |" * 20 + " **668 at 11:00** |"


# Strips


@pytest.mark.parametrize(("room", "count"), [(96, 96), (95, 48), (48, 48), (47, 32), (24, 24), (1, 1), (0, 1)])
def test_bars_are_as_many_as_fit_all_of_equally_long_a_time(room, count):
    shown = bars(list(range(96)), room)
    assert len(shown) == count
    assert shown == list(range(96 // count - 1, 96, 96 // count))


@given(st.lists(values, min_size=96, max_size=96), st.integers(1, 120))
def test_no_peak_is_lost_where_bars_are_put_together(quarters, room):
    shown = bars(quarters, room)
    known = [value for value in quarters if value is not None]
    assert [value for value in shown if value is not None] == [] if not known else max(known) in shown
    assert len(shown) <= max(room, 1)


def lines_of(strip: Strip, room: int = 78) -> list[str]:
    return ["".join(cell.text for cell in line) for line in picture(strip, room, colors=False)]


def test_bars_are_two_lines_high_in_sixteen_steps():
    quarters = [None, 0, F(1, 100), 1, 2, 7, 8, 9, 15, 16] + [0] * 86
    upper, lower, *_ = lines_of(a_strip(quarters, threshold=None), room=101)
    assert upper[5:15] == "       ▁▇█"
    assert lower[5:15] == " ·▁▁▂▇████"


@pytest.mark.parametrize(("value", "upper", "lower"), [(7, "█", "█"), (0, " ", "·"), (None, " ", " ")])
def test_equal_bars_are_full_unless_they_are_nothing(value, upper, lower):
    lines = lines_of(a_strip([value] * 96, threshold=None))
    assert lines[0][5:] == upper * 48
    assert lines[1] == "Tue  " + lower * 48


def test_bars_over_the_threshold_and_none_on_it_are_marked():
    quarters = [50] * 48 + [F(50001, 1000)] + [50] * 47
    lines = lines_of(a_strip(quarters), room=101)
    assert lines[2].rstrip() == " " * (5 + 48) + "^"
    assert lines[3] == "     00:00" + " " * 29 + "busiest day; ^ = over 50 PTU" + " " * 29 + "24:00"


def test_a_day_that_never_exceeds_the_threshold_says_so():
    lines = lines_of(a_strip([50] * 96))
    assert len(lines) == 3
    assert lines[2] == "     00:00    busiest day; never over 50 PTU    24:00"


def test_without_a_threshold_nothing_is_marked():
    lines = lines_of(a_strip(threshold=None, over=""))
    assert len(lines) == 3
    assert lines[2].split() == ["00:00", "busiest", "day", "24:00"]


def test_the_ends_of_the_day_stand_under_the_ends_of_the_bars():
    for room in (200, 101, 78, 58, 40):
        lines = lines_of(a_strip(), room)
        axis = next(line for line in lines if "24:00" in line)
        assert axis.index("00:00") == 5
        assert len(axis) == len(lines[0])


def test_a_caption_that_does_not_fit_stands_below():
    caption = "busiest day, 10 November"
    *_, axis, below = lines_of(a_strip(caption=caption))
    assert axis == "     00:00" + " " * 38 + "24:00"
    assert below == f"     {caption}; ^ = over 50 PTU"


@pytest.mark.parametrize(("length", "lines"), [(34, 3), (35, 4)])
def test_a_caption_keeps_two_spaces_at_either_side(length, lines):
    # 48 bars less 2 x 5 for the ends leave 38
    strip = a_strip(threshold=None, over="", caption="c" * length)
    assert len(lines_of(strip)) == lines


def test_on_a_terminal_that_is_too_narrow_a_line_runs_on_and_is_not_broken(monkeypatch):
    heat = bare(on_terminal(monkeypatch, a_week(), width=30))
    assert [line for line in heat if line.endswith("668 at 11:00")] == heat[3:10]
    assert heat[1:3] == ["  Peak", "       00 03 06 09 12 15 18 21"]


def test_on_a_terminal_bars_over_the_threshold_are_red_and_not_marked(monkeypatch):
    text = on_terminal(monkeypatch, a_strip(), width=110)
    assert "^" not in text
    assert "busiest day; red = over 50 PTU" in "\n".join(bare(text))
    red = "".join(re.findall(r"\x1b\[31m([^\x1b]*)", text))
    assert len(red.replace("red", "")) == 2 * 45  # of 0 to 95 these are over 50; two lines


def test_sixteen_colours_are_enough_for_a_strip(monkeypatch):
    assert "\x1b[31m" in on_terminal(monkeypatch, a_strip(), term="xterm")


def test_markdown_has_the_quarters_of_an_hour_one_below_the_other_those_over_the_threshold_bold():
    quarters = [None, 50, F(1003, 20), 0] + [1] * 92
    text = markdown([a_strip(quarters)])
    title, table = text.strip().split("\n\n")
    assert title == "Tue: busiest day; bold = over 50 PTU"
    assert [line[:17].split("|")[1:3] for line in table.splitlines()[2:]] == [
        [" :00 ", "  "],
        [" :15 ", " 50 "],
        [" :30 ", " **50** "],
        [" :45 ", " 0 "],
    ]
    assert all(line.count("|") == 26 for line in table.splitlines())


def test_markdown_of_a_day_in_half_hours_has_two_lines():
    table = markdown([a_strip([F(1)] * 48)]).splitlines()[4:]
    assert [line[:8] for line in table] == ["| :00 | ", "| :30 | "]


@given(st.lists(values, min_size=96, max_size=96), st.integers(10, 200), st.booleans(), values)
def test_any_day_is_shown_within_its_room(quarters, room, colors, threshold):
    strip = a_strip(quarters, threshold=threshold, caption="day", over="over")
    lines = list(picture(strip, room, colors=colors))
    widths = {sum(len(cell.text) for cell in line) for line in lines[:2]}
    assert len(widths) == 1 and widths.pop() <= max(room, 6 + 5)


@given(st.lists(st.lists(values, min_size=24, max_size=24), min_size=1, max_size=7), st.booleans())
def test_any_week_is_shown(days, colors):
    heat = heat_of(*days)
    lines = list(picture(heat, 78, colors=colors))
    assert len(lines) == 3 + len(days)
    assert {sum(len(cell.text) for cell in line) for line in lines[2:-1]} == {5 + 48 + 2 + 12}
    assert markdown([heat]).count("\n| ") == 1 + len(days) + 1
