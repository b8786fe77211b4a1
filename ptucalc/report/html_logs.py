"""What a log and a simulation say, as parts of an HTML report: percentiles, hours of the week, 429s."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from ptucalc.report import charts
from ptucalc.report.blocks import Cell, Column, Table, amount_text
from ptucalc.report.html_parts import Chart, Folded, Grid, Heat, Part, cell
from ptucalc.report.html_text import count_text, exact, money_text, percentile_text, share_text, shortened, type_text
from ptucalc.report.log_words import DAYS
from ptucalc.report.pictures import HEAT_STEPS, step_of

__all__ = ["hours_part", "log_part", "sharing", "simulation_part"]

Entry = Mapping[str, Any]

HOURS = 24
QUARTERS = 4
MEASURES = {
    "requests": "requests",
    "uncached_input_tokens": "input tokens, not cached",
    "cached_input_tokens": "input tokens from the cache",
    "cache_write_tokens": "input tokens written to the cache",
    "output_tokens": "output tokens",
    "raw_ptu": "PTU needed",
}
WINDOWS = (("sliding_60s_max", "60 s"), ("burst_10s_max", "10 s"), ("burst_1s_max", "1 s"))


def log_part(anchor: str, entry: Entry, *, with_charts: bool) -> Part:
    """Percentiles of the minutes, and what to buy at each."""
    if entry["reason"]:
        return Part("What the log asks for", [f"Not sized: {entry['reason']}."])
    lines = [
        f"{count_text(entry['requests'], 0)} requests in {count_text(entry['minutes'])} minutes; "
        f"the busiest has {count_text(entry['peak_rpm'])}."
    ]
    beyond = entry["unservable_requests"]
    if beyond:
        lines.append(
            f"{count_text(beyond)} more requests have prompts over the model's limit on PTU: no number of PTU serves them, and "
            "they count for no size."
        )
    grids = [Grid("Per minute, idle minutes included", _percentiles(entry))]
    if entry["sizes_at"]:
        grids.append(Grid("PTU to buy, by the percentile of minutes they serve", _sizes_at(entry)))
    spec = charts.demand_of_day(entry) if with_charts else None
    folded, drawn = [], []
    if spec is not None:
        day = entry["busiest_day"]
        drawn.append(Chart(f"{anchor}-day", f"PTU needed on the busiest day, {day['label']}", spec))
        quarters = [[Cell(count_text(value))] for value in day["quarter_hours_ptu"]]
        folded.append(
            Folded("Numbers of the busiest day", [Grid("PTU needed: highest minute", _quarters(quarters, ["PTU"]))])
        )
    return Part("What the log asks for", lines, grids, charts=drawn, folded=folded)


def _percentiles(entry: Entry) -> Table:
    weighted = entry["weighted_tpm"]
    lines = [(MEASURES.get(name, name.replace("_", " ")), values) for name, values in entry["per_minute"].items()]
    if weighted:
        lines.append(("weighted tokens", weighted))
    names = list(lines[0][1]) if lines else []
    table = Table([Column("Per minute"), *(Column(percentile_text(name), right=True) for name in names)])
    for label, values in lines:
        table.rows.append([Cell(label), *(Cell(count_text(values.get(name))) for name in names)])
    if weighted:
        for key, length in WINDOWS:
            value = weighted.get(key)
            if value is not None and names:
                cells = [Cell("") for _ in names[:-1]]
                table.rows.append(
                    [Cell(f"weighted tokens, busiest {length} scaled to a minute"), *cells, Cell(count_text(value))]
                )
    return table


def _sizes_at(entry: Entry) -> Table:
    names = list(entry["sizes_at"])
    kinds = list(dict.fromkeys(size["deployment_type"] for sizes in entry["sizes_at"].values() for size in sizes))
    table = Table([Column("Type"), *(Column(percentile_text(name), right=True) for name in names)])
    for kind in kinds:
        found = [next((s for s in entry["sizes_at"][name] if s["deployment_type"] == kind), None) for name in names]
        cells = [
            cell("—" if size is None else count_text(size["ptu"]), strong=name == entry["percentile"])
            for name, size in zip(names, found, strict=True)
        ]
        table.rows.append([Cell(type_text({"deployment_type": kind})), *cells])
    return table


def sharing(document: Entry) -> Grid | None:
    """What deployments of one model in a log save by sharing one."""
    found = document["logs"]["sharing"]["models"] if document["logs"] else []
    if not found:
        return None
    table = Table(
        [
            Column("Model"),
            Column("Deployments"),
            Column("Type"),
            Column("PTU apart", right=True),
            Column("PTU together", right=True),
            Column("Saved", right=True),
        ]
    )
    for model in found:
        for size in model["sizes"]:
            amounts = (size["apart_ptu"], size["together_ptu"], size["saved_ptu"])
            names = ", ".join(shortened(name, 40) for name in model["deployments"][:6])
            more = " and more" if len(model["deployments"]) > 6 else ""
            cells = [Cell(model["model"]), Cell(names + more), Cell(type_text(size))]
            table.rows.append([*cells, *(Cell(count_text(ptu)) for ptu in amounts)])
    return Grid("What deployments of one model save by sharing one", table)


def hours_part(entry: Entry) -> Part | None:
    """The hours of the week (or of the day, where a plan has those) as a table with colours."""
    values = [exact(value) for value in entry["ptu"]]
    largest = max((value for value in values if value is not None), default=Fraction(0))
    if largest <= 0:
        return None
    days = [values[start : start + HOURS] for start in range(0, len(values), HOURS)]
    if entry["basis"] == "profile" and all(day == days[0] for day in days):
        days = days[:1]
    labels = DAYS if len(days) == len(DAYS) else ["every day"]
    rows = [(label, [_hour(value, largest) for value in day]) for label, day in zip(labels, days, strict=False)]
    of_week = "hour of the week" if len(days) > 1 else "hour of the day"
    basis = "UTC, highest minute" if entry["basis"] == "log" else "as the plan says"
    return Part(
        f"PTU needed by {of_week}",
        heat=Heat(
            f"PTU before rounding and headroom, by {of_week} ({basis})",
            rows,
            f"From white or black (0) to the strongest colour ({amount_text(largest)} PTU). Blank: no data.",
        ),
    )


def _hour(value: Fraction | None, largest: Fraction) -> tuple[str, int | str]:
    if value is None:
        return "", ""
    return amount_text(value, 0 if largest >= HEAT_STEPS else 1), max(0, step_of(value, largest, HEAT_STEPS))


def simulation_part(anchor: str, entry: Entry, *, with_charts: bool) -> Part:
    """Runs at each size, 429s over the worst day and against PTU."""
    found = entry["simulated"]
    if found is None:
        return Part("429s, simulated", [f"Not simulated: {entry['reason']}."])
    chosen = count_text(found["chosen_ptu"])
    lines = [
        f"Every call of the log against a bucket that holds {count_text(found['window_seconds'])} s of what the PTU drain, "
        f"{type_text(entry)}; what meets a 429: {_policy(found)}."
    ]
    beyond = found["runs"][0]["over_prompt_limit"] if found["runs"] else 0
    if beyond:
        fate = "spill over" if "spillover" in found["policy"] else "fail"
        lines.append(
            f"{count_text(entry['requests'])} requests, of which {count_text(beyond)} have prompts over the model's limit on "
            f"PTU: they {fate} at every size, and are not among the requests that a log is sized for."
        )
    if found["smallest_ptu_without_429"] is not None:
        lines.append(f"The smallest size without any 429: {count_text(found['smallest_ptu_without_429'])} PTU.")
    if found["target"] and found["target"]["smallest_ptu"] is not None:
        target = found["target"]
        lines.append(
            f"The smallest size with 429s for at most {share_text(target['share'])} of requests: {count_text(target['smallest_ptu'])} PTU."
        )
    drawn, folded = [], []
    day = found["worst_day"]
    spec = charts.utilization_of_day(found) if with_charts else None
    if spec is not None:
        title = f"Utilization at {chosen} PTU, {day['label']}"
        key = "Highest minute of each quarter-hour; red: where calls met a 429. Over 100% the bucket is full."
        drawn.append(Chart(f"{anchor}-timeline", title, spec, key))
        values = zip(day["quarter_hours_utilization"], day["quarter_hours_429"], strict=True)
        rows = [[Cell(share_text(busy)), Cell(count_text(refused))] for busy, refused in values]
        grid = Grid(f"{day['label']}, by the quarter-hour", _quarters(rows, ["Utilization", "429s"]))
        folded.append(Folded("Numbers of the day shown", [grid]))
    spec = charts.throttled_against_ptu(found) if with_charts else None
    if spec is not None:
        drawn.append(Chart(f"{anchor}-throttled", "429s against PTU", spec))
    if len(found["sweep"]) > 1:
        folded.append(Folded("Numbers of every size simulated", [Grid("429s against PTU", _sweep(found["sweep"]))]))
    grids = [Grid("What becomes of the calls", _runs(found["runs"]))]
    return Part("429s, simulated", lines, grids, charts=drawn, folded=folded)


def _policy(found: Entry) -> str:
    said = {
        "none": "fails",
        "retry": "is tried again",
        "spillover": "spills over to pay-as-you-go",
        "retry-then-spillover": "is tried again, then spills over",
    }
    return said.get(found["policy"], str(found["policy"]))


def _runs(runs: Sequence[Entry]) -> Table:
    table = Table(
        [
            Column("PTU", right=True),
            Column("Requests", right=True),
            Column("Met a 429", right=True),
            Column("of requests", right=True),
            Column("Minutes with a 429", right=True),
            Column("Served", right=True),
            Column("Spilled", right=True),
            Column("Failed", right=True),
            Column("Mean utilization", right=True),
            Column("p99", right=True),
            Column("Spillover a month", right=True),
        ]
    )
    for run in runs:
        strong = run["chosen"]
        counts = ("served", "spilled", "failed")
        table.rows.append(
            [
                cell(count_text(run["ptu"]), strong=strong),
                Cell(count_text(run["requests"])),
                cell(count_text(run["throttled_429"]), strong=strong),
                Cell(share_text(run["throttled_share"])),
                Cell(count_text(run["throttled_minutes"])),
                *(Cell(count_text(run[each])) for each in counts),
                Cell(share_text(run["utilization"]["mean"])),
                Cell(share_text(run["utilization"]["p99"])),
                Cell(money_text(run["spilled_monthly_usd"])),
            ]
        )
    return table


def _sweep(sweep: Sequence[Entry]) -> Table:
    table = Table(
        [
            Column("PTU", right=True),
            Column("Met a 429", right=True),
            Column("of requests", right=True),
            Column("Minutes with a 429", right=True),
            Column("Spilled", right=True),
            Column("Failed", right=True),
        ]
    )
    for row in sweep:
        keys = ("throttled_minutes", "spilled", "failed")
        cells = [
            Cell(count_text(row["ptu"])),
            Cell(count_text(row["throttled_429"])),
            Cell(share_text(row["throttled_share"])),
        ]
        table.rows.append([*cells, *(Cell(count_text(row[key])) for key in keys)])
    return table


def _quarters(values: Sequence[Sequence[Cell]], titles: Sequence[str]) -> Table:
    """96 quarter-hours as 24 rows of four, for each of so many measures."""
    minutes = [f":{60 // QUARTERS * quarter:02d}" for quarter in range(QUARTERS)]
    table = Table([Column("Hour"), *(Column(f"{title} {at}", right=True) for at in minutes for title in titles)])
    for hour, start in enumerate(range(0, len(values), QUARTERS)):
        table.rows.append([Cell(f"{hour:02d}"), *_flat(values[start : start + QUARTERS])])
    return table


def _flat(rows: Sequence[Sequence[Cell]]) -> Iterator[Cell]:
    for row in rows:
        yield from row
