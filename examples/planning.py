"""A planning script: a thousand variants of a workload, sized and priced, as a table and a picture.

    python examples/planning.py [chart.vl.json]

How much do prompt caching, shorter answers and growth move the bill? Every combination of ten of each is sized for Global
and priced: pay-as-you-go against PTU reserved for a year. The table has the best cache for each growth; with a file name
the whole sweep is also written as a Vega-Lite chart (paste it into https://vega.github.io/editor, or see it in a notebook).
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

from ptucalc import Workload, compare_costs, load_catalog, load_prices

PEAK_RPM, AVERAGE_RPM = 600, 210
GROWTH_PERCENT = range(100, 200, 10)  # of today's calls
OUTPUT_TOKENS = range(50, 550, 50)
CACHED_PERCENT = range(0, 100, 10)

CATALOG, PRICES = load_catalog(), load_prices()


def variant(growth: int, output: int, cached: int) -> dict[str, Any]:
    """One combination: its size, and what it costs a month."""
    workload = Workload(
        name="support-chat",
        model="gpt-4.1",
        requests_per_minute=PEAK_RPM * growth // 100,
        average_requests_per_minute=AVERAGE_RPM * growth // 100,
        input_tokens=1800,
        output_tokens=output,
        cache_ratio=f"{cached}%",
    )
    result = compare_costs(workload, catalog=CATALOG, prices=PRICES, sku="global", headroom="10%", what_ifs=False)
    cost = result.to_dict()["deployments"][0]
    year = next(option for option in cost["options"] if option["term"] == "1-year")
    return {
        "growth": growth,
        "output_tokens": output,
        "cached": cached,
        "ptu": cost["peak_ptu"],
        "payg_monthly_usd": cost["payg_monthly_usd"],
        "one_year_monthly_usd": year["monthly_usd"],
    }


def chart(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Peak PTU against the cached share, a line for each length of answer, a picture for each growth."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "description": "PTU needed, by cached share, length of the answer and growth.",
        "data": {"values": rows},
        "mark": "line",
        "encoding": {
            "x": {"field": "cached", "type": "quantitative", "title": "cached input, %"},
            "y": {"field": "ptu", "type": "quantitative", "title": "PTU"},
            "color": {"field": "output_tokens", "type": "ordinal", "title": "output tokens"},
            "facet": {"field": "growth", "type": "ordinal", "columns": 5, "title": "calls, % of today"},
        },
        "width": 150,
        "height": 120,
    }


def main() -> None:
    rows = [variant(*each) for each in itertools.product(GROWTH_PERCENT, OUTPUT_TOKENS, CACHED_PERCENT)]
    print(f"{len(rows):,} variants: {min(r['ptu'] for r in rows):,} to {max(r['ptu'] for r in rows):,} PTU\n")
    print("| Calls | PTU without cache | PTU, 80% cached | Pay-as-you-go, 80% cached | 1-year PTU, 80% cached |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    of = {(row["growth"], row["output_tokens"], row["cached"]): row for row in rows}
    for growth in GROWTH_PERCENT:
        plain, cached = of[growth, 250, 0], of[growth, 250, 80]
        payg, year = cached["payg_monthly_usd"], cached["one_year_monthly_usd"]
        print(f"| {growth}% | {plain['ptu']:,} | {cached['ptu']:,} | ${payg:,.0f} | ${year:,.0f} |")
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(chart(rows)), encoding="utf-8")
        print(f"\nChart: {sys.argv[1]}", file=sys.stderr)


if __name__ == "__main__":
    main()
