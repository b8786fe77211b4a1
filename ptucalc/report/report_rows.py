"""A report document as flat rows, for CSV: sizes, ways to buy, other sizes, simulated ones; `row_type` tells them apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["ROW_COLUMNS", "report_rows"]

Data = Mapping[str, Any]

ROW_COLUMNS = (
    "row_type",
    "deployment",
    "model",
    "model_version",
    "region",
    "deployment_type",
    "size_basis",
    "weighted_tpm",
    "requests_per_minute",
    "raw_ptu",
    "need_ptu",
    "way_to_buy",
    "term",
    "ptu",
    "utilization",
    "max_requests_per_minute",
    "fixed_monthly_usd",
    "spillover_monthly_usd",
    "monthly_usd",
    "vs_payg",
    "share_of_time_over",
    "throttled_share",
    "throttled_minutes",
    "reason",
)
"""Columns of the flat rows. What a row does not say is empty."""


def report_rows(document: Data) -> Iterator[tuple[Any, ...]]:
    """Every deployment and type: its size; each way to buy it; each other size by term; each simulated size.

    Without a sizing the sizes of a log are those at its percentile.
    """
    basis = {line["deployment"]: line["size_basis"] for line in document["headlines"]}
    for row in (*_sizes(document, basis), *_ways(document), *_what_ifs(document), *_simulated(document)):
        yield tuple(row.get(column) for column in ROW_COLUMNS)


def _sizes(document: Data, basis: Mapping[str, str]) -> Iterator[Data]:
    size, logs = document["size"], document["logs"]
    for each in size["deployments"] if size else ():
        common = {key: each[key] for key in ("model", "model_version", "region", "weighted_tpm", "requests_per_minute")}
        for sized in each["sizes"]:
            yield {
                "row_type": "size",
                "deployment": each["name"],
                **common,
                "size_basis": basis.get(each["name"]),
                **sized,
            }
    for each in logs["by_deployment"] if logs and not size else ():
        common = {key: each[key] for key in ("model", "model_version", "region")}
        for sized in each["sizes_at"].get(each["percentile"], ()) or [{"reason": each["reason"]}]:
            yield {
                "row_type": "size",
                "deployment": each["name"],
                **common,
                "size_basis": basis.get(each["name"]),
                **sized,
            }


def _ways(document: Data) -> Iterator[Data]:
    cost = document["cost"]
    for each in cost["deployments"] if cost else ():
        common = {key: each[key] for key in ("model", "model_version", "region", "deployment_type")}
        ways = [("payg" if option["term"] == "payg" else "full PTU", option) for option in each["options"]]
        ways += [("cheapest mix", {"term": term, **mix}) for term, mix in each["hybrid"].items() if mix]
        for way, bought in ways:
            term = None if bought["term"] == "payg" else bought["term"]
            row = {"row_type": "cost", "deployment": each["name"], **common, "way_to_buy": way, **bought, "term": term}
            yield row
    for each in cost["unanswered"] if cost else ():
        yield {"row_type": "cost", "deployment": each["name"], "model": each["model"], "reason": each["reason"]}


def _what_ifs(document: Data) -> Iterator[Data]:
    for each in document["what_if"]:
        common = {key: each[key] for key in ("deployment", "model", "deployment_type", "reason")}
        for row in each["rows"]:
            for term in row["monthly_usd"]:
                yield {
                    "row_type": "what_if",
                    **common,
                    **row,
                    "term": term,
                    "fixed_monthly_usd": row["fixed_monthly_usd"][term],
                    "monthly_usd": row["monthly_usd"][term],
                }


def _simulated(document: Data) -> Iterator[Data]:
    simulate = document["simulate"]
    for each in simulate["by_deployment"] if simulate else ():
        common = {key: each[key] for key in ("model", "model_version", "region", "deployment_type", "reason")}
        row = {"row_type": "simulation", "deployment": each["name"], **common}
        if each["simulated"] is None:
            yield row
            continue
        detail = {run["ptu"]: run["utilization"]["mean"] for run in each["simulated"]["runs"]}
        found = {point["ptu"]: point for point in (*each["simulated"]["sweep"], *each["simulated"]["runs"])}
        for ptu in sorted(found):
            point = {key: found[ptu][key] for key in ("ptu", "throttled_share", "throttled_minutes")}
            yield {**row, **point, "utilization": detail.get(ptu)}
