"""The first lines of a report: for every deployment its size, its cheapest way to buy, its 429s; and all together.

They are told from the documents alone, so that a saved one says the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from ptucalc.results import json_number

__all__ = ["cheapest_is_certain", "cheapest_way", "headlines", "sizes_shown", "total_of"]

Data = Mapping[str, Any]

PEAK = "peak"


def headlines(
    *, size: Data | None, cost: Data | None, logs: Data | None, simulate: Data | None
) -> Iterator[dict[str, Any]]:
    """A line for every deployment that the documents hold, in their order.

    The type shown is that whose cheapest way to buy costs least; without prices that of the smallest size; of equals the
    first.
    """
    sized = _by_name(size["deployments"] if size else [])
    measured = _by_name(logs["by_deployment"] if logs else [])
    runs = _by_name(simulate["by_deployment"] if simulate else [])
    priced: dict[str, list[Data]] = {}
    for each in cost["deployments"] if cost else ():
        priced.setdefault(each["name"], []).append(each)
    lacking = _by_name(cost["unanswered"] if cost else [])
    names = dict.fromkeys([*sized, *priced, *lacking, *measured, *runs])
    basis = _basis(size)
    for name in names:
        found = measured.get(name)
        facts = sized.get(name) or next(iter(priced.get(name, ())), None) or found or runs.get(name) or lacking[name]
        sizes = {each["deployment_type"]: each["ptu"] for each in _sizes(sized.get(name), found)}
        served = basis.get(name) or (found["percentile"].replace("_", ".") if found and name not in sized else PEAK)
        if not sizes:
            sizes = {each["deployment_type"]: each["peak_ptu"] for each in priced.get(name, ())}
        kind, cheapest, certain, payg = _shown(priced.get(name, ()), sizes)
        run = _throttled(runs.get(name))
        if kind is None and run is not None:
            kind = runs[name]["deployment_type"]
        yield {
            "deployment": name,
            "model": facts["model"],
            "model_version": facts.get("model_version"),
            "region": facts.get("region"),
            "deployment_type": kind,
            "size_ptu": sizes.get(kind) if kind else None,
            "size_basis": served,
            "payg_monthly_usd": payg,
            "cheapest": cheapest,
            "cheapest_is_certain": certain,
            "throttled": run,
            "reason": _reason(name, sizes, sized, found, lacking, runs),
        }


def _by_name(entries: Sequence[Data]) -> dict[str, Data]:
    return {each["name"]: each for each in entries}


def _sizes(sized: Data | None, measured: Data | None) -> Sequence[Data]:
    """The sizes of the deployment: as sized, or at the percentile of a log."""
    if sized is not None:
        found: Sequence[Data] = sized["sizes"]
        return found
    return [] if measured is None else measured["sizes_at"].get(measured["percentile"], [])


def _basis(size: Data | None) -> dict[str, str]:
    """What the sizes of deployments serve, where their workloads were measured: a percentile of the minutes."""
    measured = {
        each["name"]: each["measured"]["percentile"]
        for each in (size["workloads"] if size else ())
        if "measured" in each
    }
    found = {}
    for each in size["deployments"] if size else ():
        percentiles = {measured.get(name, PEAK) for name in each["workloads"]}
        found[each["name"]] = percentiles.pop() if len(percentiles) == 1 else PEAK
    return found


def _shown(
    priced: Sequence[Data], sizes: Mapping[str, int | None]
) -> tuple[str | None, dict[str, Any] | None, bool, int | float | None]:
    """The type to show, its cheapest way, whether that is so for certain, and its pay-as-you-go."""
    best: tuple[Data, dict[str, Any]] | None = None
    for each in priced:
        way = cheapest_way(each)
        if way is not None and (best is None or way["monthly_usd"] < best[1]["monthly_usd"]):
            best = (each, way)
    if best is not None:
        return best[0]["deployment_type"], best[1], cheapest_is_certain(best[0]), best[0]["payg_monthly_usd"]
    known = {kind: ptu for kind, ptu in sizes.items() if ptu is not None}
    kind = min(known, key=lambda each: known[each], default=None)
    payg = next((each["payg_monthly_usd"] for each in priced if each["deployment_type"] == kind), None)
    return kind, None, False, payg


def cheapest_way(cost: Data) -> dict[str, Any] | None:
    """The cheapest way to buy a deployment on a type, of those whose price is known, as `cost` finds it.

    None where pay-as-you-go is not known.
    """
    if cost["payg_monthly_usd"] is None:
        return None
    known = [
        ("payg" if option["term"] == "payg" else "full PTU", option["term"], option)
        for option in cost["options"]
        if option["monthly_usd"] is not None
    ]
    known += [("cheapest mix", term, mix) for term, mix in cost["hybrid"].items() if mix is not None and mix["ptu"]]
    if not known:
        return None
    way, term, bought = min(known, key=lambda each: each[2]["monthly_usd"])
    return {
        "way": way,
        "term": None if way == "payg" else term,
        "ptu": bought["ptu"],
        "monthly_usd": bought["monthly_usd"],
        "vs_payg": bought["vs_payg"],
    }


def cheapest_is_certain(cost: Data) -> bool:
    """Whether every way to buy a deployment on a type has a price, so that the cheapest is so for certain."""
    return (
        cost["payg_monthly_usd"] is not None
        and all(option["monthly_usd"] is not None for option in cost["options"])
        and all(cost["hybrid"].get(each["term"]) is not None for each in cost["break_even"])
    )


def _throttled(entry: Data | None) -> dict[str, Any] | None:
    """The 429s at the size that the simulation chose."""
    found = entry and entry["simulated"]
    if not entry or not found:
        return None
    run = next((run for run in found["runs"] if run["chosen"]), None)
    if run is None:
        return None
    minutes = entry["minutes"]
    return {
        "ptu": run["ptu"],
        "minutes": run["throttled_minutes"],
        "of_minutes": minutes,
        "share_of_minutes": json_number(Fraction(run["throttled_minutes"], minutes)) if minutes else 0,
        "requests": run["throttled_429"],
        "of_requests": run["requests"],
        "share_of_requests": run["throttled_share"],
    }


def _reason(
    name: str,
    sizes: Mapping[str, int | None],
    sized: Mapping[str, Data],
    measured: Data | None,
    lacking: Mapping[str, Data],
    runs: Mapping[str, Data],
) -> str | None:
    """Why there is no size on any type; None where there is one."""
    if any(ptu is not None for ptu in sizes.values()):
        return None
    reasons: list[str] = [each["reason"] for each in _sizes(sized.get(name), measured) if each["reason"]]
    for entry in (measured, lacking.get(name), runs.get(name)):
        if entry is not None and entry["reason"]:
            reasons.append(entry["reason"])
    return "; ".join(dict.fromkeys(reasons)) or None


def sizes_shown(lines: Sequence[Data]) -> list[dict[str, Any]]:
    """The sizes of several headlines added up by the type that each shows; [] of one alone.

    PTU of one type cannot serve another, so they are never added together. `deployments` counts those added.
    """
    if len(lines) < 2:
        return []
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        kind, ptu = line["deployment_type"], line["size_ptu"]
        if kind is not None and ptu is not None:
            each = found.setdefault(kind, {"deployment_type": kind, "ptu": 0, "deployments": 0})
            each["ptu"] += ptu
            each["deployments"] += 1
    return list(found.values())


def total_of(cost: Data | None) -> dict[str, Any] | None:
    """Several deployments together, with the type for those still open that costs least in all; None for one alone."""
    if cost is None or len({each["name"] for each in (*cost["deployments"], *cost["unanswered"])}) < 2:
        return None
    known = [each for each in cost["choices"] if each["cheapest_monthly_usd"] is not None]
    chosen = min(known, key=lambda each: each["cheapest_monthly_usd"]) if known else next(iter(cost["choices"]), None)
    if chosen is None:
        return None
    payg, cheapest = chosen["payg_monthly_usd"], chosen["cheapest_monthly_usd"]
    return {
        "deployment_type": chosen["deployment_type"],
        "payg_monthly_usd": payg,
        "cheapest_monthly_usd": cheapest,
        "cheapest_is_certain": chosen["cheapest_is_certain"],
        "vs_payg": json_number(_exact(cheapest) / _exact(payg) - 1) if payg and cheapest is not None else None,
        "unpriced": list(chosen["unpriced"]),
        "not_offered": list(chosen["not_offered"]),
    }


def _exact(dollars: int | float) -> Fraction:
    """Dollars to the cent, as they were before they became a JSON number."""
    return Fraction(str(dollars))
