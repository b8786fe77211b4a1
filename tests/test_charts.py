"""Charts as plain data: which rows they draw, what they mark, when there is nothing to draw."""

import json

import pytest

from ptucalc.report import charts
from ptucalc.report.chart_theme import theme

ROW = {"share_of_time_over": None, "throttled_share": None, "throttled_minutes": None}
WHAT_IF = {
    "cheapest": {"1-year": 15, "hourly": 0},
    "rows": [
        {
            "ptu": 0,
            "fixed_monthly_usd": {"1-year": 0, "hourly": 0},
            "spillover_monthly_usd": 90,
            "monthly_usd": {"1-year": 90, "hourly": 90},
            **ROW,
        },
        {
            "ptu": 15,
            "fixed_monthly_usd": {"1-year": 30, "hourly": 300},
            "spillover_monthly_usd": 20,
            "monthly_usd": {"1-year": 50, "hourly": 320},
            **ROW,
        },
        {
            "ptu": 20,
            "fixed_monthly_usd": {"1-year": 40, "hourly": 400},
            "spillover_monthly_usd": None,
            "monthly_usd": {"1-year": None, "hourly": None},
            **ROW,
        },
    ],
}
DEPLOYMENT = {
    "ptu_month_worth_usd": 300,
    "options": [
        {"term": "payg", "usd_per_ptu_month": None},
        {"term": "hourly", "usd_per_ptu_month": 600},
        {"term": "1-year", "usd_per_ptu_month": 240},
    ],
    "break_even": [{"term": "hourly", "utilization": 2}, {"term": "1-year", "utilization": 0.8}],
}
QUARTERS = [0] * 40 + [0.5, 1.5] + [0] * 54
SIMULATED = {
    "worst_day": {"quarter_hours_utilization": QUARTERS, "quarter_hours_429": [0] * 41 + [7] + [0] * 54},
    "sweep": [{"ptu": 15, "throttled_share": 0.25}, {"ptu": 20, "throttled_share": 0}],
    "target": None,
}


def marks(spec):
    return [layer["mark"]["type"] for layer in spec["layer"]]


def values(spec):
    return [layer["data"]["values"] for layer in spec["layer"] if "data" in layer]


def test_every_chart_is_plain_data_with_a_description_and_the_formats_name():
    made = [
        charts.cost_against_ptu(WHAT_IF, "1-year"),
        charts.break_even(DEPLOYMENT),
        charts.utilization_of_day(SIMULATED),
        charts.throttled_against_ptu(SIMULATED),
        charts.demand_of_day({"busiest_day": {"quarter_hours_ptu": QUARTERS}}),
    ]
    for spec in made:
        assert json.loads(json.dumps(spec, allow_nan=False)) == spec
        assert spec["$schema"] == charts.CHARTS
        assert spec["description"].endswith(".")
        assert spec["width"] == "container"


def test_rows_of_unknown_cost_are_not_drawn_as_if_they_cost_nothing():
    assert [row["ptu"] for row in charts.cost_rows(WHAT_IF, "1-year")] == [0, 15]
    assert charts.cost_rows(WHAT_IF, "1-month") == []
    assert charts.cost_against_ptu(WHAT_IF, "1-month") is None


def test_the_cheapest_size_is_marked_and_the_slider_starts_there():
    spec = charts.cost_against_ptu(WHAT_IF, "1-year")
    assert spec["params"] == [{"name": "chosen", "value": 15}]
    optimum = {"ptu": 15, "fixed_monthly_usd": 30, "spillover_monthly_usd": 20, "monthly_usd": 50}
    assert values(spec) == [[optimum], [optimum]]
    assert charts.cost_against_ptu(WHAT_IF, "hourly", chosen=20)["params"] == [{"name": "chosen", "value": 20}]


def test_a_page_that_fills_in_the_rows_itself_gets_none():
    spec = charts.cost_against_ptu(WHAT_IF, "1-year", with_rows=False)
    assert spec["data"] == {"name": "rows"}
    assert "values" not in json.dumps(spec)


def test_pay_as_you_go_runs_from_nothing_through_the_worth_of_a_full_month():
    line, prices, crossings = values(charts.break_even(DEPLOYMENT))
    points = [(point["utilization"], point["usd"]) for point in line]
    assert points == [(0, 0), (1, 300), (2, 600)]
    assert {point["term"] for point in line} == {"pay-as-you-go"}
    assert prices == [{"term": "hourly", "usd": 600}, {"term": "1-year", "usd": 240}]
    assert [(c["utilization"], c["usd"]) for c in crossings] == [(2, 600), (0.8, 240)]


@pytest.mark.parametrize(("utilization", "end"), [(0.8, 1), (1, 1), (1.1, 1.1), (1.25, 1.25), (1.3, 1.25), (9, 1.25)])
def test_the_axis_ends_where_it_still_tells_something(utilization, end):
    one = {**DEPLOYMENT, "break_even": [{"term": "1-year", "utilization": utilization}]}
    spec = charts.break_even(one)
    assert spec["layer"][0]["encoding"]["x"]["scale"]["domain"] == [0, end]


@pytest.mark.parametrize(
    "changed",
    [
        {"ptu_month_worth_usd": None},
        {"ptu_month_worth_usd": 0},
        {"break_even": [{"term": "1-year", "utilization": None}]},
    ],
)
def test_without_a_price_there_is_no_break_even_to_draw(changed):
    assert charts.break_even({**DEPLOYMENT, **changed}) is None


def test_a_quarter_hour_stands_at_its_hour():
    rows = charts.utilization_of_day(SIMULATED)["data"]["values"]
    assert len(rows) == 96
    assert rows[41] == {"hour": 10.25, "utilization": 1.5, "responses_429": 7}


def test_a_day_without_any_load_is_not_drawn():
    idle = {"worst_day": {"quarter_hours_utilization": [0, None] * 48, "quarter_hours_429": [0] * 96}}
    assert charts.utilization_of_day(idle) is None
    assert charts.demand_of_day({"busiest_day": None}) is None


def test_one_size_is_no_curve():
    assert charts.throttled_against_ptu({**SIMULATED, "sweep": SIMULATED["sweep"][:1]}) is None


def test_a_target_is_a_line():
    assert marks(charts.throttled_against_ptu(SIMULATED)) == ["line", "point"]
    spec = charts.throttled_against_ptu({**SIMULATED, "target": {"share": 0.01}})
    assert marks(spec) == ["line", "point", "rule"]
    assert spec["layer"][2]["encoding"]["y"]["datum"] == 0.01


def test_a_theme_adds_colours_and_changes_nothing_else():
    spec = charts.break_even(DEPLOYMENT)
    assert charts.themed(spec) == {**spec, "config": theme()}
    assert charts.themed(spec, dark=True)["config"] == theme(dark=True) != theme()
    assert "config" not in spec


def test_pay_as_you_go_is_in_the_legend_with_a_colour_of_its_own():
    sloping, level, _ = charts.break_even(DEPLOYMENT)["layer"]
    for channel in ("color", "strokeDash"):
        assert sloping["encoding"][channel] == level["encoding"][channel]
    domain = sloping["encoding"]["color"]["scale"]["domain"]
    assert "pay-as-you-go" in domain and len(domain) == len(set(domain)) == len(level["data"]["values"]) + 1
    for dark in (False, True):
        colours = theme(dark=dark)["range"]["category"]
        assert len(set(colours)) == len(colours) >= 4  # three terms and pay-as-you-go
        assert "color" not in theme(dark=dark)["style"]["payg"]  # it would win over the legend's


def test_429s_stand_in_the_middle_of_their_quarter_hour_and_their_legend_has_sizes_that_occur():
    busy = {"worst_day": {"quarter_hours_utilization": [0.5] * 96, "quarter_hours_429": [0] * 90 + [1, 3, 3, 5, 0, 0]}}
    *_, dots = charts.utilization_of_day(busy)["layer"]
    assert dots["transform"][1] == {"calculate": "datum.hour + 0.125", "as": "middle"}
    assert dots["encoding"]["x"]["field"] == "middle"
    assert dots["encoding"]["size"]["legend"]["values"] == [1, 3, 5]
    busy["worst_day"]["quarter_hours_429"] = [0] * 96
    assert len(charts.utilization_of_day(busy)["layer"]) == 2  # no dots, no legend
