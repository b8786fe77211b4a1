"""What a log yields: demand and sizes of every deployment, what sharing saves, notes; as values, JSON, rows, HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from ptucalc.catalog import DeploymentType, Model, TokenWeights, Unknown
from ptucalc.demand_profile import DemandProfile, MeanCall
from ptucalc.errors import Problem
from ptucalc.log_data import (
    day_data,
    key_of,
    number_or_none,
    numbers_at,
    ptu_words,
    rows_of,
    size_data,
    source_data,
)
from ptucalc.log_minutes import BusiestDay, Percentile, WeightedMinutes
from ptucalc.request_log import LogSource, Stream, WindowMaxima
from ptucalc.results import Note, Sizes, json_number

if TYPE_CHECKING:
    from ptucalc.log_documents import LogsDocument

__all__ = [
    "By",
    "LogDemand",
    "LogEntry",
    "Measure",
    "MinutesOver",
    "ModelSharing",
    "PerMinute",
    "QuotaSharing",
    "SharedSize",
    "Sharing",
    "WeighedCalls",
    "WeightedTpm",
]

SCHEMA: Final = "ptucalc.logs/1"

By = Literal["deployment", "model", "none"]
"""What an entry of the result is: a deployment (and its model), a model over all deployments, or the whole log."""

Measure = Literal["requests", "uncached_input_tokens", "cached_input_tokens", "output_tokens", "raw_ptu"]
"""What is shown per minute; throttled calls count as requests, but their tokens are not known."""


class WeighedCalls(NamedTuple):
    """The calls of one deployment and model that PTU can serve, with the weights of each band of prompt sizes."""

    deployment: str
    streams: tuple[Stream, ...]
    profile: DemandProfile
    weights: Mapping[int, TokenWeights]

    def minutes(self) -> WeightedMinutes:
        """Weighted tokens of every minute; throttled calls of unknown size weigh as the mean call of these."""
        return WeightedMinutes(self.profile.start, *self.profile.weighted(self.weights))


class WeightedTpm(NamedTuple):
    """Weighted tokens per minute: the mean of all minutes, percentiles of them by name, the busiest windows."""

    mean: Fraction
    at: Mapping[str, Fraction]
    windows: WindowMaxima

    def to_dict(self) -> dict[str, Any]:
        """The demand as JSON data."""
        return {
            "mean": json_number(self.mean),
            **numbers_at(self.at),
            "sliding_60s_max": number_or_none(self.windows.sliding_60s),
            "burst_10s_max": number_or_none(self.windows.burst_10s),
            "burst_1s_max": number_or_none(self.windows.burst_1s),
            "windows_reason": self.windows.why or None,
        }


class MinutesOver(NamedTuple):
    """How many minutes, and what share of them, exceed what a size serves: weighted TPM > PTU x TPM per PTU."""

    ptu: int
    minutes: int
    share: Fraction

    def to_dict(self) -> dict[str, Any]:
        """The count as JSON data."""
        return {"ptu": self.ptu, "minutes": self.minutes, "share": json_number(self.share)}


class PerMinute(NamedTuple):
    """One line of the table "per minute": percentiles (by name) of a measure over all minutes.

    Only `raw_ptu` is what sizes follow from; the percentiles of the others are of their own columns, for information.
    """

    measure: Measure
    at: Mapping[str, Fraction]


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """The demand of one deployment and model (or of one model, or of the whole log), and its sizes.

    `deployments` are those it is of; a log that names none has "" as its only one. `model` is None where the catalog has
    none of that name; `model_name` is then what the log calls it. `reason` says why there are no sizes; then
    `weighted_tpm`, `weight_per_call` and `busiest_day` are None and `sizes_at` and `minutes_over` are empty. `near` are
    models that may have been meant.

    `requests` is the demand on PTU: throttled calls included (of which `throttled_requests` are of unknown size),
    `unservable_requests` not: their prompts are over the model's limit on PTU, they hold `unservable_input_tokens` and
    `unservable_output_tokens`. All rates and means are of the demand on PTU, idle minutes included; `mean_call` is over
    the calls of known size, None where there are none. `weight_per_call` is the mean over all calls.
    """

    name: str
    """What reports call it; no other entry has it."""
    deployments: tuple[str, ...]
    model: Model | None
    model_name: str
    model_version: str | None
    region: str | None
    reason: Unknown | None
    near: tuple[str, ...]
    requests: Fraction
    throttled_requests: Fraction
    unservable_requests: Fraction
    unservable_input_tokens: Fraction
    unservable_output_tokens: Fraction
    minutes: int
    mean_rpm: Fraction
    peak_rpm: Fraction
    mean_call: MeanCall | None
    weight_per_call: Fraction | None
    weighted_tpm: WeightedTpm | None
    percentile: Percentile
    """The one that `sizes` is of."""
    sizes_at: Mapping[str, Sizes]
    """Sizes by name of percentile ("p99.9"), then by deployment type ("data-zone")."""
    minutes_over: Mapping[str, tuple[MinutesOver, ...]]
    """By deployment type: for every size in `sizes_at`, the smallest first, the minutes that exceed it."""
    hour_of_week_ptu: tuple[Fraction | None, ...] | Unknown
    """Peak raw PTU of each of 168 hours, Monday 00:00 UTC first; None where that hour never occurred."""
    busiest_day: BusiestDay | None
    per_minute: tuple[PerMinute, ...]
    notes: tuple[Note, ...]
    """The notes about this entry; they are among `LogDemand.notes` too."""
    parts: tuple[WeighedCalls, ...]
    """Whose minutes add up to this entry's; empty where there is a reason."""

    @property
    def deployment(self) -> str:
        """The deployment's name; "" where the log names none or several are added."""
        return self.deployments[0] if len(self.deployments) == 1 else ""

    @property
    def sizes(self) -> Sizes:
        """The sizes at the percentile that was asked for, by deployment type; empty where there is a reason."""
        return self.sizes_at.get(self.percentile.name, {})

    @property
    def answered(self) -> bool:
        """Whether there is a size on any of the types asked for."""
        return any(size.ptu is not None for size in self.sizes.values())

    @property
    def mean_input_tokens(self) -> Fraction | None:
        """Prompt tokens of the mean call, cached ones included."""
        return None if self.mean_call is None else self.mean_call.input

    @property
    def mean_output_tokens(self) -> Fraction | None:
        """Output tokens of the mean call."""
        return None if self.mean_call is None else self.mean_call.output

    @property
    def cache_ratio(self) -> Fraction | None:
        """Share of the prompt tokens that came from the cache; None without prompt tokens."""
        mean = self.mean_call
        return None if mean is None or not mean.input else mean.cached / mean.input

    @property
    def requests_known(self) -> bool:
        """Whether calls were counted; without (sums of tokens only) sizes hold, rates and what is per call do not."""
        return self.weighted_tpm is None or self.weight_per_call is not None

    def to_dict(self) -> dict[str, Any]:
        """The entry as JSON data."""
        mean, counted = self.mean_call, self.requests_known
        hours = self.hour_of_week_ptu
        return {
            "name": self.name,
            "deployment": self.deployment or None,
            "deployments": list(self.deployments),
            "model": self.model_name or None,
            "model_version": self.model_version,
            "region": self.region,
            "reason": self.reason.reason if self.reason else None,
            "near": list(self.near),
            "requests": json_number(self.requests) if counted else None,
            "throttled_requests": json_number(self.throttled_requests),
            "unservable_requests": json_number(self.unservable_requests),
            "unservable_input_tokens": json_number(self.unservable_input_tokens),
            "unservable_output_tokens": json_number(self.unservable_output_tokens),
            "minutes": self.minutes,
            "mean_rpm": json_number(self.mean_rpm) if counted else None,
            "peak_rpm": json_number(self.peak_rpm) if counted else None,
            "mean_input_tokens": number_or_none(self.mean_input_tokens),
            "mean_output_tokens": number_or_none(self.mean_output_tokens),
            "cache_ratio": number_or_none(self.cache_ratio),
            "cache_write_ratio": number_or_none(mean.written / mean.input if mean and mean.input else None),
            "weight_per_call": number_or_none(self.weight_per_call),
            "weighted_tpm": None if self.weighted_tpm is None else self.weighted_tpm.to_dict(),
            "percentile": self.percentile.key,
            "sizes_at": {
                key_of(name): [size_data(size, counted) for size in sizes.values()]
                for name, sizes in self.sizes_at.items()
            },
            "share_of_minutes_over": {
                kind: [each.to_dict() for each in over] for kind, over in self.minutes_over.items()
            },
            "hour_of_week_ptu": None if isinstance(hours, Unknown) else [number_or_none(each) for each in hours],
            "busiest_day": None if self.busiest_day is None else day_data(self.busiest_day),
            "per_minute": {each.measure: numbers_at(each.at) for each in self.per_minute},
            "notes": [note.to_dict() for note in self.notes],
        }

    def weighted_minutes(self) -> WeightedMinutes:
        """Weighted tokens of every minute of the log. Raises ValueError where there is a reason."""
        if not self.parts:
            raise ValueError(f"{self.name} was not weighed")
        return WeightedMinutes.added([part.minutes() for part in self.parts])


class SharedSize(NamedTuple):
    """PTU of several deployments each for itself, and of one that serves them all; None where a size is not known."""

    deployment_type: DeploymentType
    apart_ptu: int | None
    together_ptu: int | None

    @property
    def saved_ptu(self) -> int | None:
        """What sharing saves; negative where the pool needs more, because percentiles do not add up as peaks do."""
        if self.apart_ptu is None or self.together_ptu is None:
            return None
        return self.apart_ptu - self.together_ptu

    def to_dict(self) -> dict[str, Any]:
        """The sizes as JSON data."""
        return {
            "deployment_type": self.deployment_type.value,
            "apart_ptu": self.apart_ptu,
            "together_ptu": self.together_ptu,
            "saved_ptu": self.saved_ptu,
        }


class ModelSharing(NamedTuple):
    """Deployments of one model in one pool, at the percentile asked for: added minute by minute, rounded once.

    `apart` and `together` are weighted TPM: the sum of each deployment's percentile, and the percentile of the sum.
    """

    model: str
    deployments: tuple[str, ...]
    apart: Fraction
    together: Fraction
    sizes: tuple[SharedSize, ...]

    def to_dict(self) -> dict[str, Any]:
        """The pool as JSON data."""
        return {
            "model": self.model,
            "deployments": list(self.deployments),
            "apart_weighted_tpm": json_number(self.apart),
            "together_weighted_tpm": json_number(self.together),
            "sizes": [size.to_dict() for size in self.sizes],
        }


class QuotaSharing(NamedTuple):
    """One quota for deployments of all models: raw PTU, without headroom; what is rounded per deployment does not add up.

    `apart_raw_ptu` is the sum of the peaks, `together_raw_ptu` the peak of the sum, minute by minute.
    """

    groups: tuple[str, ...]
    apart_raw_ptu: Fraction
    together_raw_ptu: Fraction

    @property
    def saved_raw_ptu(self) -> Fraction:
        """What peaks that do not coincide save; never negative."""
        return self.apart_raw_ptu - self.together_raw_ptu

    def to_dict(self) -> dict[str, Any]:
        """The quota as JSON data."""
        return {
            "groups": list(self.groups),
            "apart_raw_ptu": json_number(self.apart_raw_ptu),
            "together_raw_ptu": json_number(self.together_raw_ptu),
            "saved_raw_ptu": json_number(self.saved_raw_ptu),
        }


class Sharing(NamedTuple):
    """What sharing saves, where the log holds several deployments that could be weighed."""

    models: tuple[ModelSharing, ...] = ()
    quota: QuotaSharing | None = None

    def to_dict(self) -> dict[str, Any]:
        """What sharing saves as JSON data."""
        return {
            "models": [model.to_dict() for model in self.models],
            "quota": None if self.quota is None else self.quota.to_dict(),
        }


@dataclass(frozen=True, kw_only=True)
class LogDemand:
    """The demand that a log shows, with the sizes it needs.

    `notes` are those about the whole log and those about each entry (`about` names it). `problems` say, for everything
    that could not be sized, why not and what to do.
    """

    version: str
    catalog_as_of: date
    catalog_editions: tuple[str, ...]
    oldest_check: date
    source: LogSource
    by: By
    percentile: Percentile
    headroom: Fraction
    entries: tuple[LogEntry, ...]
    sharing: Sharing
    notes: tuple[Note, ...]
    problems: tuple[Problem, ...]

    @property
    def answered(self) -> bool:
        """Whether anything at all could be sized."""
        return any(entry.answered for entry in self.entries)

    @property
    def requests(self) -> Fraction:
        """All calls of the log, throttled and unservable ones included."""
        return sum((entry.requests + entry.unservable_requests for entry in self.entries), Fraction(0))

    def to_dict(self) -> LogsDocument:
        """The result as JSON data (schema ptucalc.logs/1)."""
        return {
            "schema": SCHEMA,
            "version": self.version,
            "catalog_as_of": self.catalog_as_of.isoformat(),
            "catalog": list(self.catalog_editions),
            "oldest_check": self.oldest_check.isoformat(),
            "source": source_data(self.source),  # type: ignore[typeddict-item]
            "by": self.by,
            "percentile": self.percentile.key,
            "headroom": json_number(self.headroom),
            "by_deployment": [entry.to_dict() for entry in self.entries],  # type: ignore[misc]
            "sharing": self.sharing.to_dict(),  # type: ignore[typeddict-item]
            "notes": [note.to_dict() for note in self.notes],  # type: ignore[misc]
            "problems": [problem.to_dict() for problem in self.problems],  # type: ignore[misc]
        }

    def rows(self) -> list[dict[str, Any]]:
        """Flat dicts for a data frame, one for each entry and deployment type; one without a type where it has no sizes."""
        return [row for entry in self.entries for row in rows_of(entry.to_dict())]

    def _repr_html_(self) -> str:
        """The sizes as an HTML table, escaped, for notebooks."""
        from html import escape

        kinds = list(dict.fromkeys(kind for entry in self.entries for kind in entry.sizes))
        labels = [DeploymentType(kind).label for kind in kinds]
        weighted = f"Weighted TPM, {self.percentile.name}"
        head = "".join(f"<th>{escape(t)}</th>" for t in ("Deployment", "Model", "Requests", weighted, *labels))
        body = ""
        for entry in self.entries:
            tpm = entry.weighted_tpm
            cells = [
                entry.name,
                entry.model_name,
                f"{float(entry.requests):,.0f}" if entry.requests_known else "unknown",
            ]
            cells.append("unknown" if tpm is None else f"{float(tpm.at[self.percentile.name]):,.0f}")
            cells += [ptu_words(entry.sizes.get(kind)) for kind in kinds]
            body += "<tr>" + "".join(f"<td>{escape(c)}</td>" for c in cells) + "</tr>"
        notes = "".join(f"<li>{escape(note.message)}</li>" for note in self.notes)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><ul>{notes}</ul>"
