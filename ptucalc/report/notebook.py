"""Pictures of results for notebooks: Vega-Lite that JupyterLab, VS Code and others draw, with the table as a fallback.

A result shows its table by itself. Where a notebook is given a table and a picture it shows the picture alone, so a
picture is asked for: `picture(result)`. It draws numbers of the result's JSON data and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ptucalc.cost_result import CostComparison
    from ptucalc.log_result import LogDemand
    from ptucalc.simulation_result import SimulationResult

__all__ = ["MIME", "Picture", "picture"]

MIME: Final = "application/vnd.vegalite.v5+json"
"""What notebooks draw as Vega-Lite: version 5 is understood by more of them than 6, and these charts are both."""

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v5.json"

WIDTH: Final = 640


@dataclass(frozen=True)
class Picture:
    """A chart as a Vega-Lite specification (plain data), and the HTML to show where nothing draws it."""

    spec: Mapping[str, Any]
    html: str

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """What a notebook asks for: the chart, or else the table."""
        return {MIME: dict(self.spec), "text/html": self.html, "text/plain": str(self.spec["description"])}


def picture(
    result: CostComparison | SimulationResult | LogDemand,
    *,
    deployment: str | None = None,
    deployment_type: str | None = None,
    dark: bool = False,
) -> Picture | None:
    """The picture of a result, None where it has none to show.

    Of costs: a month against the PTU bought, by term (`deployment_type`: which; default the cheapest). Of a simulation:
    the share of 429s against PTU. Of a log: the busiest day. `deployment` chooses one by name, else the first is shown.
    """
    from ptucalc.cost_result import CostComparison
    from ptucalc.report.charts import demand_of_day, themed, throttled_against_ptu
    from ptucalc.simulation_result import SimulationResult

    data: Mapping[str, Any] = result.to_dict()
    spec: Mapping[str, Any] | None
    if isinstance(result, CostComparison):
        chosen = result.cheapest_deployment
        kind = deployment_type or (chosen.deployment_type.value if deployment is None else None)
        spec = _curve(_one(data["deployments"], deployment or chosen.name, kind))
    elif isinstance(result, SimulationResult):
        spec = throttled_against_ptu(data)
    else:
        entries = [entry for entry in data["by_deployment"] if entry["reason"] is None]
        entry = _one(entries, deployment, None)
        spec = demand_of_day(entry) if entry else None
    if spec is None:
        return None
    return Picture({**themed(spec, dark=dark), "$schema": SCHEMA, "width": WIDTH}, result._repr_html_())


def _one(entries: Any, name: str | None, kind: str | None) -> Mapping[str, Any] | None:
    for entry in entries:
        if name in (None, entry["name"]) and kind in (None, entry.get("deployment_type")):
            return entry  # type: ignore[no-any-return]
    if name is not None or kind is not None:
        known = ", ".join(dict.fromkeys(entry["name"] for entry in entries))
        raise KeyError(f"{name or 'any'} as {kind or 'any type'}; there are: {known}")
    return None


def _curve(deployment: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What a month costs against the PTU bought, spillover included, a line for each term; where the mix is cheapest."""
    if deployment is None:
        return None
    mixes = {term: mix for term, mix in deployment["hybrid"].items() if mix is not None}
    if not mixes:
        return None
    rows = [{"term": t, "ptu": ptu, "monthly_usd": usd} for t, mix in mixes.items() for ptu, usd in mix["curve"]]
    best = [{"term": t, "ptu": mix["ptu"], "monthly_usd": mix["monthly_usd"]} for t, mix in mixes.items()]
    encoding = {
        "x": {"field": "ptu", "type": "quantitative", "title": "PTU bought", "axis": {"format": ",d"}},
        "y": {"field": "monthly_usd", "type": "quantitative", "title": "US dollars a month", "axis": {"format": "$~s"}},
        "color": {"field": "term", "type": "nominal", "title": None, "sort": list(mixes)},
    }
    what = f"{deployment['name']} ({deployment['deployment_type']}): cost a month against the number of PTU bought."
    return {
        "description": what,
        "height": 320,
        "layer": [
            {"data": {"values": rows}, "mark": {"type": "line"}, "encoding": encoding},
            {"data": {"values": best}, "mark": {"type": "point", "filled": True, "size": 80}, "encoding": encoding},
        ],
    }
