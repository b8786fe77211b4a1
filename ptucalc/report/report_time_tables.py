"""What a report document says along the time, as tables: hours of the week, simulated sizes, what changes would save."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ptucalc.report.blocks import Cell, Column, HeatMap, HeatRow, Table
from ptucalc.report.html_text import count_text, exact, money_text, share_text

__all__ = ["advice_table", "hours_map", "runs_table"]

Data = Mapping[str, Any]

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS = 24

CHANGES = {
    "max_tokens": "max_tokens of {value}",
    "cache_ratio": "{share} more of the prompt from the cache",
    "smooth_minute": "all calls spread evenly over their minute",
    "smooth_hour": "all calls spread evenly over their hour",
}


def hours_map(hours: Data, zone: str) -> HeatMap:
    """The highest PTU of each hour of the week."""
    values = [exact(value) for value in hours["ptu"]]
    rows = []
    same_days = (
        hours["basis"] == "profile"
        and len({tuple(values[at : at + HOURS]) for at in range(0, len(values), HOURS)}) == 1
    )
    for day, name in enumerate(["Every day"] if same_days else DAYS):
        of_day = values[day * HOURS : (day + 1) * HOURS]
        known: list[Fraction] = [value for value in of_day if value is not None]
        highest = max(known, default=None)
        said = "no data" if highest is None else f"{count_text(highest, 0)} at {of_day.index(highest):02d}:00"
        rows.append(HeatRow(name, of_day, said if highest != 0 else "idle"))
    return HeatMap(f"Highest PTU needed, by hour of the {'day' if same_days else 'week'}{zone}", rows, "PTU")


def runs_table(entry: Data) -> Table:
    """The sizes that were simulated in full."""
    found = entry["simulated"]
    spills = any(run["spilled"] for run in found["runs"])
    table = Table(
        [
            Column("PTU", right=True),
            Column("Requests with a 429", right=True),
            Column("Share", right=True),
            Column("Minutes with a 429", right=True),
            Column("Mean use", right=True),
            Column("p99 use", right=True),
            Column("Spilled" if spills else "", right=True),
            Column("Spillover a month" if spills else "", right=True),
        ]
    )
    for run in found["runs"]:
        table.rows.append(
            [
                Cell(f"{run['ptu']:,}", "bold" if run["chosen"] else ""),
                Cell(f"{run['throttled_429']:,}"),
                Cell(share_text(run["throttled_share"])),
                Cell(f"{run['throttled_minutes']:,}"),
                Cell(share_text(run["utilization"]["mean"])),
                Cell(share_text(run["utilization"]["p99"])),
                Cell(f"{run['spilled']:,}"),
                Cell(money_text(run["spilled_monthly_usd"])),
            ]
        )
    return table


def advice_table(found: Data) -> Table:
    """What changes of the calls would save at the chosen size; without rows where none was tried."""
    chosen = f"{found['chosen_ptu']:,}"
    table = Table(
        [
            Column("What if"),
            Column(f"429s at {chosen} PTU now", right=True),
            Column("then", right=True),
            Column("PTU without 429s" if found["target"] is None else "PTU for the target", right=True),
            Column("Saves", right=True),
        ]
    )
    for change in found["advice"]["changes"]:
        value = change["value"]
        what = CHANGES[change["code"]].format(value=count_text(value), share=share_text(value))
        table.rows.append(
            [
                Cell(what),
                Cell(share_text(change["throttled_share_before"])),
                Cell(share_text(change["throttled_share_after"])),
                Cell(count_text(change["smallest_ptu_after"])),
                Cell("—" if change["saved_ptu"] is None else f"{change['saved_ptu']:,} PTU"),
            ]
        )
    return table
