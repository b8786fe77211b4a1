"""The colours of charts, on a light page and on a dark one."""

from __future__ import annotations

from typing import Any

__all__ = ["theme"]

# Colours: each at least 3 : 1 against its paper, and the pairs that meet differ in lightness or dashes too.

INK = {False: "#1f2328", True: "#e6edf3"}
DIM = {False: "#59636e", True: "#9da7b3"}
GRID = {False: "#d9dee4", True: "#343b44"}
PTU = {False: "#3b6fd4", True: "#5b8def"}
SPILL = {False: "#c2571a", True: "#f0883e"}
REFUSED = {False: "#c81e2b", True: "#ff7b72"}
GREEN = {False: "#1a7f37", True: "#3fb950"}
PURPLE = {False: "#8250df", True: "#bc8cff"}


def theme(*, dark: bool = False) -> dict[str, Any]:
    """The configuration that gives a chart its colours, on a paper that shows through."""
    text = {"labelColor": DIM[dark], "titleColor": DIM[dark]}
    return {
        "background": "transparent",
        "font": "system-ui, sans-serif",
        "view": {"stroke": GRID[dark]},
        "axis": {
            **text,
            "gridColor": GRID[dark],
            "domainColor": GRID[dark],
            "tickColor": GRID[dark],
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "labelOverlap": True,
        },
        "legend": {**text, "labelFontSize": 11, "titleFontSize": 11, "orient": "bottom", "symbolType": "square"},
        "range": {
            "category": [PTU[dark], SPILL[dark], PURPLE[dark], GREEN[dark]],
        },
        "style": {
            "payg": {"strokeWidth": 2.5},
            "price": {"strokeWidth": 2},
            "limit": {"color": REFUSED[dark], "strokeWidth": 1.5, "strokeDash": [5, 4]},
            "chosen": {"color": INK[dark], "strokeWidth": 1.5, "strokeDash": [2, 3]},
            "load": {"color": PTU[dark], "opacity": 0.6},
            "refused": {"color": REFUSED[dark], "filled": True, "opacity": 0.9},
            "refusals": {"color": REFUSED[dark], "strokeWidth": 2},
            "optimum": {"color": INK[dark], "filled": True, "size": 70, "opacity": 1},
            "said": {"color": INK[dark], "fontSize": 12},
        },
    }
