"""Pictures of a report as Vega-Lite specifications: plain data, without colours until `themed` adds them.

A chart is given entries of the JSON documents and shows numbers that stand in them; nothing is calculated but the scale of
an axis. What belongs to one kind of money or state has a style (`payg`, `limit`, `optimum`), whose colour the theme says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ptucalc.report.chart_theme import theme

__all__ = [
    "CHARTS",
    "break_even",
    "cost_against_ptu",
    "cost_rows",
    "demand_of_day",
    "themed",
    "throttled_against_ptu",
    "utilization_of_day",
]

Spec = dict[str, Any]
Entry = Mapping[str, Any]

CHARTS = "https://vega.github.io/schema/vega-lite/v6.json"
"""The name of the format. Nothing is asked of that address."""
HEIGHT = 240
HOURS = 24
FURTHEST = 1.25
"""Break-even: over 100 % PTU never pay; so far beyond it is shown."""
QUARTERS_PER_HOUR = 4
PAYG = "pay-as-you-go"

HOUR_AXIS = {
    "title": "hour",
    "values": list(range(0, HOURS + 1, 3)),
    "labelExpr": "pad(datum.value, 2, '0', 'left') + ':00'",
}


def cost_against_ptu(entry: Entry, term: str, *, chosen: int | None = None, with_rows: bool = True) -> Spec | None:
    """Cost of a month against the PTU bought on a term: what is fixed and, on top, what spills to pay-as-you-go.

    `entry` is one of a report's `what_if`. The parameter `chosen` is a number of PTU to be marked. Without `with_rows` the
    data (named "rows") and the optimum (named "optimum") are for somebody else to fill in. None where no cost is known.
    """
    rows = cost_rows(entry, term)
    if not rows:
        return None
    best = entry["cheapest"].get(term)
    optimum = [row for row in rows if row["ptu"] == best]
    ptu_axis = {
        "field": "ptu",
        "type": "quantitative",
        "title": "PTU bought",
        "scale": {"nice": False},
        "axis": {"format": ",d", "tickMinStep": 1},
    }
    return {
        **_chart("Cost a month against the number of PTU bought: fixed, and spilled to pay-as-you-go."),
        "params": [{"name": "chosen", "value": best if chosen is None else chosen}],
        "data": _data("rows", rows if with_rows else None),
        "layer": [
            {
                "transform": [{"fold": ["fixed_monthly_usd", "spillover_monthly_usd"], "as": ["part", "usd"]}],
                "mark": {"type": "area"},
                "encoding": {
                    "x": ptu_axis,
                    "y": {
                        "field": "usd",
                        "type": "quantitative",
                        "stack": True,
                        "title": "US dollars a month",
                        "axis": {"format": "$~s"},
                    },
                    "color": {
                        "field": "part",
                        "type": "nominal",
                        "title": None,
                        "scale": {"domain": ["fixed_monthly_usd", "spillover_monthly_usd"]},
                        "legend": {"labelExpr": "datum.value == 'fixed_monthly_usd' ? 'PTU' : 'spillover'"},
                    },
                    "order": {"field": "part", "sort": "ascending"},
                },
            },
            {
                "mark": {"type": "rule", "style": "chosen"},
                "encoding": {"x": {"datum": {"expr": "chosen"}, "type": "quantitative"}},
            },
            {
                "data": _data("optimum", optimum if with_rows else None),
                "mark": {"type": "point", "style": "optimum"},
                "encoding": {"x": ptu_axis, "y": {"field": "monthly_usd", "type": "quantitative"}},
            },
            {
                "data": _data("optimum", optimum if with_rows else None),
                "mark": {"type": "text", "style": "said", "align": "left", "dx": 7},
                "encoding": {
                    "x": ptu_axis,
                    "y": {"value": 9},
                    "text": {"value": {"expr": "'cheapest: ' + format(datum.ptu, ',') + ' PTU'"}},
                },
            },
        ],
    }


def cost_rows(entry: Entry, term: str) -> list[Spec]:
    """The rows of a `what_if` entry whose cost on a term is known."""
    rows = [
        {
            "ptu": row["ptu"],
            "fixed_monthly_usd": row["fixed_monthly_usd"].get(term),
            "spillover_monthly_usd": row["spillover_monthly_usd"],
            "monthly_usd": row["monthly_usd"].get(term),
        }
        for row in entry["rows"]
    ]
    return [row for row in rows if None not in row.values()]


def break_even(deployment: Entry) -> Spec | None:
    """What a PTU-month costs on each term, and what its tokens would cost on pay-as-you-go the busier it is.

    `deployment` is one of a cost document. The line of pay-as-you-go runs from nothing to the worth of a month kept busy.
    """
    worth = deployment["ptu_month_worth_usd"]
    prices = {o["term"]: o["usd_per_ptu_month"] for o in deployment["options"] if o["usd_per_ptu_month"] is not None}
    crossings = [
        {"term": each["term"], "utilization": each["utilization"], "usd": prices[each["term"]]}
        for each in deployment["break_even"]
        if each["utilization"] is not None and each["term"] in prices
    ]
    if not worth or not crossings:
        return None
    line = [{"utilization": 0, "usd": 0}, {"utilization": 1, "usd": worth}]
    line += [{"utilization": each["utilization"], "usd": each["usd"]} for each in crossings if each["utilization"] > 1]
    line.sort(key=lambda point: point["utilization"])
    line = [{"term": PAYG, **point} for point in line]
    x = {
        "field": "utilization",
        "type": "quantitative",
        "title": "how busy the PTU are, of all minutes",
        "scale": {"domain": [0, min(FURTHEST, line[-1]["utilization"])]},
        "axis": {"format": "~%"},
    }
    y = {"field": "usd", "type": "quantitative", "title": "US dollars per PTU and month", "axis": {"format": "$~s"}}
    # Second in the colours' order, as what spills to pay-as-you-go is in the other chart.
    terms = [*list(prices)[:1], PAYG, *list(prices)[1:]]
    term = {
        "field": "term",
        "type": "nominal",
        "title": None,
        "scale": {"domain": terms},
        "legend": {"symbolType": "stroke"},
    }
    return {
        **_chart(
            "What one PTU costs a month on each term, and what its tokens would cost on pay-as-you-go, the busier it is."
        ),
        "layer": [
            {
                "data": {"values": line},
                "mark": {"type": "line", "style": "payg", "clip": True},
                "encoding": {"x": x, "y": y, "color": term, "strokeDash": term},
            },
            {
                "data": {"values": [{"term": name, "usd": usd} for name, usd in prices.items()]},
                "mark": {"type": "rule", "style": "price"},
                "encoding": {"y": y, "color": term, "strokeDash": term},
            },
            {
                "data": {"values": crossings},
                "mark": {"type": "point", "style": "optimum", "clip": True},
                "encoding": {"x": x, "y": y},
            },
        ],
    }


def utilization_of_day(simulated: Entry) -> Spec | None:
    """The highest minute of each quarter-hour of the worst day, and where calls met a 429.

    Quarter-hours, not minutes: they are in the document as such and 96 of them fit in a table a reader can check.
    """
    day = simulated["worst_day"]
    rows = _quarters(day["quarter_hours_utilization"], "utilization")
    for row, refused in zip(rows, day["quarter_hours_429"], strict=True):
        row["responses_429"] = refused
    if not any(row["utilization"] for row in rows):
        return None
    y = {
        "field": "utilization",
        "type": "quantitative",
        "title": "utilization, highest minute",
        "axis": {"format": "~%"},
        "scale": {"nice": True},
    }
    x = {"field": "hour", "type": "quantitative", "scale": {"domain": [0, HOURS]}, "axis": HOUR_AXIS}
    counts = sorted({count for count in day["quarter_hours_429"] if count})
    layers: list[Spec] = [
        {"mark": {"type": "area", "interpolate": "step-after", "style": "load"}, "encoding": {"x": x, "y": y}},
        {"mark": {"type": "rule", "style": "limit"}, "encoding": {"y": {"datum": 1, "type": "quantitative"}}},
    ]
    if counts:
        layers.append(_refusals(x, y, list(dict.fromkeys([counts[0], counts[len(counts) // 2], counts[-1]]))))
    return {
        **_chart(
            "Utilization over the day with most throttled minutes, and the quarter-hours in which calls met a 429."
        ),
        "data": {"values": rows},
        "layer": layers,
    }


def _refusals(x: Spec, y: Spec, sizes: Sequence[int]) -> Spec:
    """Dots in the middle of the quarter-hours with 429s; `sizes` are those that the legend shows."""
    return {
        "transform": [
            {"filter": "datum.responses_429 > 0"},
            {"calculate": f"datum.hour + {1 / (2 * QUARTERS_PER_HOUR)}", "as": "middle"},
        ],
        "mark": {"type": "point", "style": "refused"},
        "encoding": {
            "x": {**x, "field": "middle"},
            "y": y,
            "size": {
                "field": "responses_429",
                "type": "quantitative",
                "title": "429s",
                "legend": {"values": list(sizes), "symbolType": "circle"},
                "scale": {"zero": True},
            },
        },
    }


def throttled_against_ptu(simulated: Entry) -> Spec | None:
    """The share of requests that met a 429, for each size that was simulated."""
    rows = [{"ptu": row["ptu"], "throttled_share": row["throttled_share"]} for row in simulated["sweep"]]
    if len(rows) < 2:
        return None
    target = simulated["target"]
    encoding = {
        "x": {
            "field": "ptu",
            "type": "quantitative",
            "title": "PTU",
            "scale": {"zero": False, "nice": False},
            "axis": {"format": ",d", "tickMinStep": 1},
        },
        "y": {
            "field": "throttled_share",
            "type": "quantitative",
            "title": "requests that met a 429",
            "axis": {"format": "~%"},
        },
    }
    layers: list[Spec] = [
        {"mark": {"type": "line", "style": "refusals"}, "encoding": encoding},
        {"mark": {"type": "point", "style": "refused"}, "encoding": encoding},
    ]
    if target:
        layers.append(
            {
                "mark": {"type": "rule", "style": "limit"},
                "encoding": {"y": {"datum": target["share"], "type": "quantitative"}},
            }
        )
    return {
        **_chart("The share of requests that met a 429, against the number of PTU."),
        "data": {"values": rows},
        "layer": layers,
    }


def demand_of_day(measured: Entry) -> Spec | None:
    """What the busiest day of a log needed, in PTU before rounding: the highest minute of each quarter-hour."""
    day = measured["busiest_day"]
    if day is None:
        return None
    rows = _quarters(day["quarter_hours_ptu"], "ptu")
    return {
        **_chart("PTU needed over the busiest day of the log."),
        "data": {"values": rows},
        "mark": {"type": "area", "interpolate": "step-after", "style": "load"},
        "encoding": {
            "x": {"field": "hour", "type": "quantitative", "scale": {"domain": [0, HOURS]}, "axis": HOUR_AXIS},
            "y": {
                "field": "ptu",
                "type": "quantitative",
                "title": "PTU needed, highest minute",
                "axis": {"format": ",~f"},
            },
        },
    }


def _quarters(values: Sequence[Any], name: str) -> list[Spec]:
    return [{"hour": place / QUARTERS_PER_HOUR, name: value} for place, value in enumerate(values)]


def _chart(description: str) -> Spec:
    return {"$schema": CHARTS, "description": description, "width": "container", "height": HEIGHT}


def _data(name: str, rows: list[Spec] | None) -> Spec:
    return {"name": name} if rows is None else {"name": name, "values": rows}


def themed(spec: Mapping[str, Any], *, dark: bool = False) -> Spec:
    """A chart with its colours: for a light page, or a dark one."""
    return {**spec, "config": theme(dark=dark)}
