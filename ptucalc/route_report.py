"""What `simulate --route` yields: who served what share, what was refused, what it costs; as JSON data and rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ptucalc.call_groups import CallGroup
from ptucalc.catalog import Availability, DeploymentType, Unknown
from ptucalc.errors import Problem
from ptucalc.log_data import source_data
from ptucalc.prices import PtuTerm
from ptucalc.request_log import LogSource
from ptucalc.results import Note, json_number, number
from ptucalc.route_run import BackendRun, RouteRun
from ptucalc.router import FailureReason
from ptucalc.routing import Provisioned, Standard
from ptucalc.simulated_run_data import tokens_data, usd_data
from ptucalc.simulation_report import Synthetic, synthetic_data
from ptucalc.spill_mix import Clock

if TYPE_CHECKING:
    from ptucalc.route_documents import RouteDocument

__all__ = ["ROW_COLUMNS", "RouteCost", "RouteReport", "RoutedBackend"]

SCHEMA: Final = "ptucalc.route/1"

ROW_COLUMNS = (
    "name",
    "kind",
    "model",
    "deployment_type",
    "region",
    "ptu",
    "tpm",
    "rpm",
    "priority",
    "weight",
    "requests",
    "requests_share",
    "tries",
    "responses_429",
    "responses_400",
    "responses_503",
    "throttled_minutes",
    "utilization_mean",
    "utilization_p99",
    "utilization_max",
    "uncached_input",
    "cached_input",
    "cache_write",
    "output",
    "fixed_monthly_usd_hourly",
    "fixed_monthly_usd_1_month",
    "fixed_monthly_usd_1_year",
    "tokens_monthly_usd",
)


@dataclass(frozen=True, kw_only=True)
class RoutedBackend:
    """One backend of the route with what is known of it.

    `fixed_usd` are dollars a month of its PTU, by term; empty for Standard. `tokens_usd` are those of the tokens that
    Standard served; 0 for PTU. `unit_reason` says why the RPM that come with its TPM are not known, where they are not.
    """

    run: BackendRun
    model: str
    deployment_type: DeploymentType
    region: str | None
    price_region: str
    availability: Availability | None
    legal: bool | None
    rpm_from_tpm: bool
    unit_reason: str
    fixed_usd: Mapping[PtuTerm, Fraction | Unknown]
    tokens_usd: Fraction | Unknown

    @property
    def name(self) -> str:
        """What the route calls it."""
        return self.run.backend.name

    def to_dict(self, route: RouteRun) -> dict[str, Any]:
        """The backend as JSON data."""
        run, backend = self.run, self.run.backend
        use = run.utilization
        provisioned = backend if isinstance(backend, Provisioned) else None
        standard = backend if isinstance(backend, Standard) else None
        unknown = next((each.reason for each in self.fixed_usd.values() if isinstance(each, Unknown)), None)
        reason = self.tokens_usd.reason if isinstance(self.tokens_usd, Unknown) else None
        return {
            "name": backend.name,
            "kind": "provisioned" if provisioned else "standard",
            "model": self.model,
            "deployment_type": self.deployment_type.value,
            "region": self.region,
            "price_region": self.price_region,
            "available": self.availability.available if self.availability else None,
            "ptu": provisioned.ptu if provisioned else None,
            "legal": self.legal,
            "window_seconds": number(provisioned.window_us, 1_000_000) if provisioned else None,
            "tpm": standard.tpm if standard else None,
            "rpm": standard.rpm if standard else None,
            "rpm_from_tpm": self.rpm_from_tpm,
            "rpm_window_seconds": standard.rpm_window_seconds if standard else None,
            "priority": backend.priority,
            "weight": backend.weight,
            "down": [{"from_us": each.from_us, "to_us": each.to_us} for each in backend.down],
            "tries": run.tries,
            "served": run.served,
            "served_share": json_number(route.share(run.served)),
            "responses_429": run.responses_429,
            "responses_400": run.responses_400,
            "responses_503": run.responses_503,
            "throttled_minutes": run.throttled_minutes,
            "utilization": use and {key: json_number(value) for key, value in use._asdict().items()},
            "tokens_served": tokens_data(run.tokens),
            "fixed_monthly_usd": {term.value: usd_data(each) for term, each in self.fixed_usd.items()},
            "fixed_monthly_usd_reason": unknown,
            "tokens_monthly_usd": usd_data(self.tokens_usd),
            "tokens_monthly_usd_reason": reason,
        }


class RouteCost(NamedTuple):
    """What all backends cost a month: PTU on a term (None: there are no PTU), tokens of Standard, both."""

    term: PtuTerm | None
    fixed_usd: Fraction | Unknown
    tokens_usd: Fraction | Unknown

    @property
    def monthly_usd(self) -> Fraction | Unknown:
        """Together."""
        if isinstance(self.fixed_usd, Unknown):
            return self.fixed_usd
        return self.tokens_usd if isinstance(self.tokens_usd, Unknown) else self.fixed_usd + self.tokens_usd

    def to_dict(self) -> dict[str, Any]:
        """As JSON data."""
        total = self.monthly_usd
        return {
            "term": self.term and self.term.value,
            "fixed_monthly_usd": usd_data(self.fixed_usd),
            "tokens_monthly_usd": usd_data(self.tokens_usd),
            "monthly_usd": usd_data(total),
            "reason": total.reason if isinstance(total, Unknown) else None,
        }


@dataclass(frozen=True, kw_only=True)
class RouteReport:
    """Calls of a log, or synthetic ones, along a route; or the `problems` why they were not sent.

    `run` is None, and backends and costs are empty, where there are problems.
    """

    version: str
    catalog_as_of: date
    catalog_editions: tuple[str, ...]
    oldest_check: date
    price_editions: tuple[str, ...]
    prices_as_of: date
    source: LogSource | None
    synthetic: Synthetic | None
    group: CallGroup
    clock: Clock
    run: RouteRun | None
    backends: tuple[RoutedBackend, ...] = ()
    costs: tuple[RouteCost, ...] = ()
    notes: tuple[Note, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether the calls were sent along the route."""
        return self.run is not None

    def to_dict(self) -> RouteDocument:
        """The report as JSON data (schema ptucalc.route/1)."""
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
            "model": self.group.model_name or None,
            "model_version": self.group.model_version,
            "minutes": self.clock.minutes,
            "requests": len(self.group.trace),
            "routed": None if self.run is None else self._routed(self.run),  # type: ignore[typeddict-item]
            "notes": [note.to_dict() for note in self.notes],  # type: ignore[misc]
            "problems": [problem.to_dict() for problem in self.problems],  # type: ignore[misc]
        }

    def _routed(self, run: RouteRun) -> dict[str, Any]:
        route, retry, waits = run.route, run.route.retry, run.wait_ms
        lost, all_tokens = run.tokens_failed, run.tokens
        names = ("uncached_input", "cached_input", "cache_write", "output")
        return {
            "seed": route.seed,
            "failover_ms": route.failover_ms,
            "retry": {
                "attempts_per_backend": retry.attempts_per_backend,
                "attempts": retry.attempts,
                "wait": retry.wait.value,
                "longest_wait_ms": retry.longest_wait_ms,
                "trip_on_retry_after": retry.trip_on_retry_after,
                "trip_when_down_ms": retry.trip_when_down_ms,
            },
            "assumed_max_tokens": run.assumed_max_tokens,
            "best_of": run.best_of,
            "requests_without_max_tokens": run.without_max_tokens,
            "served": run.served,
            "failed": run.failed,
            "failed_share": json_number(run.share(run.failed)),
            "failed_by": {reason.value: run.failed_by[reason] for reason in FailureReason},
            "throttled_429": run.throttled_429,
            "throttled_share": json_number(run.share(run.throttled_429)),
            "wait_ms": {"mean": json_number(waits.mean), "p99": waits.p99, "max": waits.max},
            "tokens": dict(zip(names, all_tokens, strict=True)),
            "tokens_failed": dict(zip(names, lost, strict=True)),
            "backends": [each.to_dict(run) for each in self.backends],
            "costs": [cost.to_dict() for cost in self.costs],
        }

    def rows(self) -> list[dict[str, Any]]:
        """Flat dicts, one for each backend and each reason of failure; their `requests` add up to all."""
        if self.run is None:
            return []
        found: list[dict[str, Any]] = []
        for each in self.backends:
            data = each.to_dict(self.run)
            use = data["utilization"] or {}
            flat = {
                **data,
                **data["tokens_served"],
                "requests": data["served"],
                "requests_share": data["served_share"],
                **{f"utilization_{key}": value for key, value in use.items()},
                **{f"fixed_monthly_usd_{term.replace('-', '_')}": v for term, v in data["fixed_monthly_usd"].items()},
            }
            found.append({key: flat.get(key) for key in ROW_COLUMNS})
        for reason, count in self.run.failed_by.items():
            if count:
                share = json_number(self.run.share(count))
                failed = {"name": reason.value, "kind": "failed", "requests": count, "requests_share": share}
                found.append({key: failed.get(key) for key in ROW_COLUMNS})
        return found
