"""What a simulation found: a trace replayed on one model and deployment type."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ptucalc.catalog import DeploymentType, Unknown
from ptucalc.results import json_number
from ptucalc.simulated_run_data import known, point_data, run_data, target_data, tokens_data
from ptucalc.simulated_runs import (
    Policy,
    SimulationRun,
    SweepPoint,
    Target,
    TokenSums,
)

__all__ = ["SimulationResult"]

UNPRICED = Unknown("no prices were given")


@dataclass(frozen=True, kw_only=True)
class SimulationResult:
    """A trace replayed on one model and deployment type."""

    model: str
    deployment_type: DeploymentType
    window_seconds: Fraction
    policy: Policy
    max_retries: int
    """0 where the policy does not retry."""
    assumed_max_tokens: int | None
    requests: int
    tokens: TokenSums
    first_minute: int
    minutes: int
    relative_clock: bool
    without_max_tokens: int
    """Calls whose estimate at arrival is not from a max_tokens of their own: `assumed_max_tokens`, or their output."""
    without_duration: int
    """Calls whose duration is not known: output tokens / latency target, or 0 where the model has none."""
    latency_target_tps: int | None
    runs: tuple[SimulationRun, ...]
    sweep: tuple[SweepPoint, ...]
    """Every size looked at, ascending; empty where only given sizes were asked for."""
    every_legal_size: bool
    """Whether the sweep has every legal size from its first to its last, or evenly spread ones."""
    first_without_429: int | Unknown
    """The smallest legal size that meets no 429 at all; none that is larger does either, provably."""
    target: Target | None
    compiled: bool

    def run(self, ptu: int) -> SimulationRun:
        """The run of this many PTU. Raises KeyError where there is none."""
        for run in self.runs:
            if run.ptu == ptu:
                return run
        raise KeyError(ptu)

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON data, with the keys of `ptucalc.simulate/1`; spilled calls are not priced."""
        return {
            "model": self.model,
            "deployment_type": self.deployment_type.value,
            "window_seconds": json_number(self.window_seconds),
            "policy": self.policy.value,
            "max_retries": self.max_retries,
            "assumed_max_tokens": self.assumed_max_tokens,
            "requests": self.requests,
            "tokens": tokens_data(self.tokens),
            "minutes": self.minutes,
            "runs": [run_data(run, UNPRICED, name=self.model, chosen=False) for run in self.runs],
            "sweep": [point_data(point, self.policy, UNPRICED) for point in self.sweep],
            "every_legal_size": self.every_legal_size,
            "smallest_ptu_without_429": known(self.first_without_429),
            "target": target_data(self.target),
        }

    def rows(self) -> list[dict[str, Any]]:
        """Flat dicts for a data frame, one for each run."""
        rows = []
        for run in self.to_dict()["runs"]:
            row = {"model": self.model, "deployment_type": self.deployment_type.value}
            for key, value in run.items():
                if isinstance(value, dict):
                    row |= {f"{key}_{part}": each for part, each in value.items()}
                elif key not in ("windows", "name", "chosen"):
                    row[key] = value
            rows.append(row)
        return rows

    def _repr_html_(self) -> str:
        """The runs as an HTML table, escaped, for notebooks."""
        from html import escape

        head = ("PTU", "Requests", "429s", "429 minutes", "Served", "Spilled", "Failed", "Mean use")
        body = ""
        for run in self.runs:
            counts = (
                run.ptu,
                run.requests,
                run.throttled_429,
                run.throttled_minutes,
                run.served,
                run.spilled,
                run.failed,
            )
            cells = [*(f"{count:,}" for count in counts), f"{float(run.utilization.mean):.1%}"]
            body += "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
        title = f"{self.model} {self.deployment_type.label}, {self.policy}"
        names = "".join(f"<th>{escape(name)}</th>" for name in head)
        return f"<table><caption>{escape(title)}</caption><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"
