"""What `simulate` yields: every deployment's runs, sizes, picture, mix, Standard limits and advice; as JSON data and rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ptucalc.advice import Advice, smallest_size
from ptucalc.arrivals import Arrivals
from ptucalc.call_groups import CallGroup
from ptucalc.catalog import Availability, Unknown
from ptucalc.errors import Problem
from ptucalc.log_data import source_data
from ptucalc.log_result import By
from ptucalc.request_log import LogSource
from ptucalc.results import Note, json_number, number
from ptucalc.simulated_run_data import point_data, run_data, target_data, tokens_data
from ptucalc.simulated_runs import SimulationRun
from ptucalc.simulation_data import advice_data, alert_data, day_data, mix_data, standard_data
from ptucalc.simulation_result import SimulationResult
from ptucalc.spill_mix import Clock, Mix, SpillPrices
from ptucalc.standard_spill import StandardCheck
from ptucalc.throttled_minutes import Alert, WorstDay

if TYPE_CHECKING:
    from ptucalc.simulate_documents import SimulateDocument

__all__ = ["ROW_COLUMNS", "SimulatedDeployment", "SimulationReport", "Synthetic", "chosen_run", "synthetic_data"]

SCHEMA: Final = "ptucalc.simulate/1"

ROW_COLUMNS = (
    "name",
    "model",
    "deployment_type",
    "window_seconds",
    "policy",
    "ptu",
    "chosen",
    "requests",
    "served",
    "throttled_429",
    "throttled_share",
    "spilled",
    "failed",
    "throttled_minutes",
    "utilization_mean",
    "utilization_p99",
    "utilization_max",
    "wait_ms_mean",
    "wait_ms_p99",
    "wait_ms_max",
    "spilled_monthly_usd",
)


def chosen_run(result: SimulationResult) -> SimulationRun:
    """The run that is shown in full.

    Where sizes were given: the smallest of them that keeps to the target (without a target: that meets no 429), or else the
    largest of them. Where none were: the smallest legal size that does, or else the largest that was looked at.
    """
    smallest = smallest_size(result)
    if not isinstance(smallest, Unknown):
        for run in result.runs:
            if run.ptu == smallest:
                return run
    share = result.target.share if result.target else Fraction(0)
    runs = sorted(result.runs, key=lambda run: run.ptu)
    return next((run for run in runs if run.throttled_share <= share), runs[-1])


class Synthetic(NamedTuple):
    """How calls were made, where no log has any."""

    arrivals: Arrivals
    duration_us: int


@dataclass(frozen=True, kw_only=True)
class SimulatedDeployment:
    """One deployment (or model, or the whole log), simulated.

    `problem` says why it was not; then `result` and all that follows from it is None. `given` says whether sizes were
    asked for. `worst_day` and `alert` are of the run that is chosen.
    """

    group: CallGroup
    availability: Availability
    clock: Clock
    given: bool
    result: SimulationResult | None = None
    problems: tuple[Problem, ...] = ()
    prices: SpillPrices | None = None
    mixes: tuple[Mix, ...] = ()
    worst_day: WorstDay | None = None
    alert: Alert | None = None
    standard: StandardCheck | None = None
    advice: Advice | Unknown | None = None
    notes: tuple[Note, ...] = ()

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.group.name

    @property
    def reason(self) -> str:
        """Why it was not simulated."""
        return "; ".join(problem.expected for problem in self.problems)

    @property
    def chosen(self) -> SimulationRun | None:
        """The run that is shown in full."""
        return None if self.result is None else chosen_run(self.result)

    def spilled_usd(self, run: SimulationRun) -> Fraction | Unknown:
        """Dollars a month of what a run spills."""
        assert self.prices is not None
        return self.prices.monthly(run.tokens_spilled)

    def to_dict(self) -> dict[str, Any]:
        """The deployment as JSON data."""
        group, result = self.group, self.result
        found: dict[str, Any] = {
            "name": group.name,
            "deployments": [name for name in group.deployments if name],
            "model": group.model_name or None,
            "model_version": group.model_version,
            "region": group.region,
            "deployment_type": group.deployment_type.value,
            "available": self.availability.available,
            "reason": self.reason or None,
            "requests": len(group.trace),
            "minutes": self.clock.minutes,
        }
        if result is None or not (self.prices and self.worst_day and self.alert and self.advice):
            return {**found, "simulated": None}
        first, target = result.first_without_429, target_data(result.target)
        sweep = [point_data(point, result.policy, self.prices.monthly(point.tokens_refused)) for point in result.sweep]
        return {
            **found,
            "simulated": {
                "window_seconds": json_number(result.window_seconds),
                "policy": result.policy.value,
                "max_retries": result.max_retries,
                "assumed_max_tokens": result.assumed_max_tokens,
                "requests_without_max_tokens": result.without_max_tokens,
                "requests_without_duration": result.without_duration,
                "latency_target_tps": result.latency_target_tps,
                "tokens": tokens_data(result.tokens),
                "price_region": self.prices.region,
                "runs": self.runs_data(),
                "chosen_ptu": chosen_run(result).ptu,
                "sweep": sweep,
                "sweep_is_every_legal_size": result.every_legal_size,
                "smallest_ptu_without_429": None if isinstance(first, Unknown) else first,
                "target": target,
                "smallest_ptu_meeting_target": None if target is None else target["smallest_ptu"],
                "worst_day": day_data(self.worst_day),
                "alert": alert_data(self.alert),
                "cheapest_mix": [mix_data(mix) for mix in self.mixes],
                "standard": standard_data(self.standard),
                "advice": advice_data(self.advice),
            },
        }

    def runs_data(self) -> list[dict[str, Any]]:
        """The runs as JSON data."""
        if self.result is None:
            return []
        chosen = chosen_run(self.result)
        return [run_data(run, self.spilled_usd(run), name=self.name, chosen=run is chosen) for run in self.result.runs]

    def rows(self) -> list[dict[str, Any]]:
        """Flat dicts, one for each size: those looked at in detail, and the others of the sweep."""
        result = self.result
        if result is None or self.prices is None:
            return []
        runs = {data["ptu"]: data for data in self.runs_data()}
        found = []
        for point in result.sweep:
            if point.ptu not in runs:
                data = point_data(point, result.policy, self.prices.monthly(point.tokens_refused))
                found.append({**data, "requests": point.requests, "served": point.requests - point.refused})
        for data in runs.values():
            flat = {f"{part}_{key}": value for part in ("utilization", "wait_ms") for key, value in data[part].items()}
            found.append({**data, **flat})
        found.sort(key=lambda row: int(row["ptu"]))
        same = {
            "name": self.name,
            "model": result.model,
            "deployment_type": result.deployment_type.value,
            "window_seconds": json_number(result.window_seconds),
            "policy": result.policy.value,
        }
        return [
            {key: same.get(key, row.get(key)) for key in ROW_COLUMNS} | {"chosen": row.get("chosen", False)}
            for row in found
        ]


@dataclass(frozen=True, kw_only=True)
class SimulationReport:
    """Every deployment of a log, or of workloads, simulated.

    `source` says how the log was understood, `synthetic` how calls were made; one of them is None. `notes` are about the
    whole, and about each deployment. `problems` say, for what could not be simulated, why not and what to do.
    """

    version: str
    catalog_as_of: date
    catalog_editions: tuple[str, ...]
    oldest_check: date
    price_editions: tuple[str, ...]
    prices_as_of: date
    source: LogSource | None
    synthetic: Synthetic | None
    by: By
    deployments: tuple[SimulatedDeployment, ...]
    notes: tuple[Note, ...]
    problems: tuple[Problem, ...]

    @property
    def answered(self) -> bool:
        """Whether anything was simulated."""
        return any(each.result is not None for each in self.deployments)

    def to_dict(self) -> SimulateDocument:
        """The report as JSON data (schema ptucalc.simulate/1).

        `runs` are those of all deployments; what stands beside them is null where the deployments differ in it.
        """
        parts = [each.to_dict() for each in self.deployments]
        inner = [part["simulated"] for part in parts if part["simulated"] is not None]
        return {
            "schema": SCHEMA,
            "version": self.version,
            "catalog_as_of": self.catalog_as_of.isoformat(),
            "catalog": list(self.catalog_editions),
            "oldest_check": self.oldest_check.isoformat(),
            "prices_as_of": self.prices_as_of.isoformat(),
            "prices": list(self.price_editions),
            "source": None if self.source is None else source_data(self.source),  # type: ignore[typeddict-item]
            "synthetic": None if self.synthetic is None else synthetic_data(self.synthetic),  # type: ignore[typeddict-item]
            "by": self.by,
            "model": _the_same(parts, "model"),
            "deployment_type": _the_same(parts, "deployment_type"),
            "window_seconds": _the_same(inner, "window_seconds"),
            "policy": _the_same(inner, "policy"),
            "max_retries": _the_same(inner, "max_retries"),
            "runs": [run for each in self.deployments for run in each.runs_data()],  # type: ignore[misc]
            "smallest_ptu_meeting_target": inner[0]["smallest_ptu_meeting_target"] if len(inner) == 1 else None,
            "by_deployment": parts,  # type: ignore[typeddict-item]
            "notes": [note.to_dict() for note in self.notes],  # type: ignore[misc]
            "problems": [problem.to_dict() for problem in self.problems],  # type: ignore[misc]
        }

    def rows(self) -> list[dict[str, Any]]:
        """Flat dicts for a data frame, one for each deployment and size."""
        return [row for each in self.deployments for row in each.rows()]


def _the_same(parts: list[dict[str, Any]], key: str) -> Any:
    """The value that all have in common; None where they differ or there are none."""
    values = [part[key] for part in parts]
    return values[0] if values and all(value == values[0] for value in values) else None


def synthetic_data(synthetic: Synthetic) -> Mapping[str, Any]:
    """How calls were made, as JSON data."""
    arrivals = synthetic.arrivals
    return {
        "arrivals": arrivals.kind.value,
        "seed": arrivals.seed,
        "duration_seconds": number(synthetic.duration_us, 1_000_000),
        "calls_per_burst": arrivals.calls_per_burst,
        "burst_seconds": json_number(arrivals.burst_seconds),
    }
