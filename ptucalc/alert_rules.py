"""What to watch of a provisioned deployment: utilization, refused calls, spilled calls.

Metric names, aggregations and dimensions: Microsoft's monitoring data reference of Azure OpenAI, 2026-09-29. That a spilled
call counts on the Standard deployment, as IsSpillover True, and not as a 429 of the provisioned one: its page on spillover
of 2026-06-18; the value "True" is third-party knowledge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ptucalc.hand_over import Provisioned

__all__ = ["METRIC_NAMESPACE", "AlertRule", "alert_rules"]

METRIC_NAMESPACE: Final = "Microsoft.CognitiveServices/accounts"

UTILIZATION, REQUESTS = "AzureOpenAIProvisionedManagedUtilizationV2", "AzureOpenAIRequests"

BUSY_PERCENT, FULL_PERCENT = 85, 100
"""Where to look at the size, and where calls are refused."""


class AlertRule(NamedTuple):
    """One metric alert: `aggregation` of `metric` over `window_minutes`, looked at every minute, against a threshold.

    `operator` is ">" or ">="; `dimensions` are names and the values that count; `severity` 1 (error) or 2 (warning).
    """

    name: str
    description: str
    metric: str
    aggregation: str
    operator: str
    threshold: int
    window_minutes: int
    severity: int
    dimensions: tuple[tuple[str, tuple[str, ...]], ...]


def alert_rules(deployments: Sequence[Provisioned]) -> tuple[AlertRule, ...]:
    """The rules for these deployments, and for the Standard ones that take their overflow, each with a name of its own."""
    found: list[AlertRule] = []
    taken: set[str] = set()
    for deployment in deployments:
        safe = name = re.sub(r"[^A-Za-z0-9._-]+", "-", deployment.name)
        number = 2
        while name.casefold() in taken:
            name, number = f"{safe}-{number}", number + 1
        taken.add(name.casefold())
        found += _rules_of(deployment, name)
    return tuple(found)


def _rules_of(deployment: Provisioned, name: str) -> Iterator[AlertRule]:
    """The rules for one deployment; `name` begins theirs, without what Azure does not take in the name of a rule."""
    here = ("ModelDeploymentName", (deployment.name,))
    yield AlertRule(
        f"{name} utilization {BUSY_PERCENT} percent",
        f"On average {BUSY_PERCENT} % or more of {deployment.ptu} PTU in use for 5 minutes.",
        UTILIZATION,
        "Average",
        ">=",
        BUSY_PERCENT,
        5,
        2,
        (here,),
    )
    yield AlertRule(
        f"{name} utilization {FULL_PERCENT} percent",
        f"All of {deployment.ptu} PTU in use: further calls are refused with 429, or spill over.",
        UTILIZATION,
        "Maximum",
        ">=",
        FULL_PERCENT,
        1,
        1,
        (here,),
    )
    yield AlertRule(
        f"{name} calls refused 429",
        "Calls were refused with 429 in the last 5 minutes.",
        REQUESTS,
        "Total",
        ">",
        0,
        5,
        1,
        (here, ("StatusCode", ("429",))),
    )
    standard = deployment.spillover
    if standard is not None:
        yield AlertRule(
            f"{name} calls spilled over",
            f"Calls went to {standard.name} in the last 5 minutes, at the price of its tokens.",
            REQUESTS,
            "Total",
            ">",
            0,
            5,
            2,
            (("ModelDeploymentName", (standard.name,)), ("IsSpillover", ("True",))),
        )
