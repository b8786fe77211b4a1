"""What comes out: sizes, workloads and deployments with their working, as values, JSON data and flat rows."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from ptucalc.catalog import DeploymentType, Model, Offer, TokenClass, TokenWeights, Unknown
from ptucalc.demand import Demand
from ptucalc.workload import Workload

if TYPE_CHECKING:
    from ptucalc.measured import MeasuredCalls

__all__ = ["Note", "Size", "SizedDeployment", "SizedWorkload", "Term"]


def number(top: int, bottom: int = 1) -> int | float:
    """top / bottom as a JSON number: an integer where it is whole, else the nearest float."""
    whole, rest = divmod(top, bottom)
    return top / bottom if rest else whole


def json_number(value: Fraction) -> int | float:
    """An exact value as a JSON number."""
    return number(value.numerator, value.denominator)


def tokens_number(tokens: int | Fraction) -> int | float:
    """Tokens of a call as a JSON number; those of the average call of a log need not be whole."""
    return tokens if isinstance(tokens, int) else json_number(tokens)


def needed(weighted: tuple[int, int], headroom: tuple[int, int], tpm_per_ptu: int) -> tuple[int, int]:
    """PTU needed before rounding, headroom included: weighted TPM x (1 + headroom) / TPM per PTU, as a fraction."""
    more, whole = headroom
    return weighted[0] * (whole + more), weighted[1] * tpm_per_ptu * whole


def figures(
    weighted: tuple[int, int], rate: tuple[int, int], headroom: tuple[int, int], tpm_per_ptu: int, ptu: int | None
) -> tuple[int | float, int | float, int | float | None, int | float | None]:
    """raw_ptu, need_ptu, utilization and max_requests_per_minute of a size, as JSON numbers."""
    top, bottom = weighted
    raw = bottom * tpm_per_ptu
    raw_ptu = number(top, raw)
    need_ptu = number(*needed(weighted, headroom, tpm_per_ptu)) if headroom[0] else raw_ptu
    if ptu is None:
        return raw_ptu, need_ptu, None, None
    most = number(rate[0] * ptu * raw, rate[1] * top) if top else None
    return raw_ptu, need_ptu, number(top, raw * ptu), most


class Note(NamedTuple):
    """A remark that a reader of the numbers must see. `about` names the deployment, workload or model it is about."""

    code: str
    message: str
    about: str = ""

    def to_dict(self) -> dict[str, str]:
        """The note as JSON data."""
        return {"code": self.code, "message": self.message, "about": self.about}


class Term(NamedTuple):
    """One line of the weighted sum: a token class, its tokens per minute, its weight, and their product."""

    token_class: TokenClass
    tokens_per_minute: Fraction
    weight: Fraction

    @property
    def weighted_tpm(self) -> Fraction:
        """Tokens per minute x weight."""
        return self.tokens_per_minute * self.weight


class Size(NamedTuple):
    """What one deployment type needs: raw, with headroom, and rounded to a legal size.

    `weighted` (weighted TPM), `rate` (requests per minute) and `headroom` are (numerator, denominator). `ptu` is None
    where the type is not offered or its sizes are not published; `available` and `reason` say which.
    """

    offer: Offer
    tpm_per_ptu: int
    available: bool | None
    reason: str
    ptu: int | None
    weighted: tuple[int, int]
    rate: tuple[int, int]
    headroom: tuple[int, int]
    latency_target_tps: int | None

    @property
    def deployment_type(self) -> DeploymentType:
        """Global, Data Zone or Regional."""
        return self.offer.deployment_type

    @property
    def raw_ptu(self) -> Fraction:
        """PTU before headroom and rounding: weighted TPM / TPM per PTU."""
        return Fraction(self.weighted[0], self.weighted[1] * self.tpm_per_ptu)

    @property
    def need_ptu(self) -> Fraction:
        """raw PTU x (1 + headroom)."""
        return self.raw_ptu * (1 + Fraction(*self.headroom))

    @property
    def utilization(self) -> Fraction | None:
        """Weighted TPM / (PTU x TPM per PTU); None without a size."""
        return None if self.ptu is None else self.raw_ptu / self.ptu

    @property
    def max_requests_per_minute(self) -> Fraction | None:
        """Largest rate at this mix that the size serves: PTU x TPM per PTU / weight of one call; None if it weighs 0."""
        if self.ptu is None or not self.weighted[0]:
            return None
        return Fraction(*self.rate) * self.ptu * self.tpm_per_ptu / Fraction(*self.weighted)

    def numbers(self) -> tuple[int | float, int | float, int | float | None, int | float | None]:
        """raw_ptu, need_ptu, utilization and max_requests_per_minute as JSON numbers; the same formulas, in integers."""
        return figures(self.weighted, self.rate, self.headroom, self.tpm_per_ptu, self.ptu)

    def to_dict(self) -> dict[str, Any]:
        """The size as JSON data."""
        raw, need, utilization, most = self.numbers()
        grid = self.offer.grid
        return {
            "deployment_type": self.deployment_type.value,
            "sku_name": self.deployment_type.sku_name,
            "available": self.available,
            "reason": self.reason or None,
            "raw_ptu": raw,
            "need_ptu": need,
            "ptu": self.ptu,
            "minimum": grid.minimum if grid else None,
            "increment": grid.increment if grid else None,
            "utilization": utilization,
            "max_requests_per_minute": most,
            "latency_target_tps": self.latency_target_tps,
        }


Sizes = Mapping[str, Size]


class SizedWorkload(NamedTuple):
    """One workload, and what it would need alone.

    Where a log measured it, `measured` holds its calls; the workload's own call is then their average, at so many
    requests per minute as weigh what the calls do at the percentile of the minutes, and `weights` are averages too.
    """

    name: str
    workload: Workload
    model: Model
    model_version: str | None
    weights: TokenWeights
    demand: Demand
    weighted: tuple[int, int]
    sizes: Sizes
    measured: MeasuredCalls | None = None

    @property
    def weighted_tpm(self) -> Fraction:
        """Weighted tokens per minute in the peak minute."""
        return Fraction(*self.weighted)

    @property
    def terms(self) -> tuple[Term, ...]:
        """The weighted sum, class by class, without the classes that hold no tokens."""
        found = []
        for token_class in TokenClass:
            weight, tokens = self.weights.of(token_class), self.demand.tokens_per_minute(token_class)
            if tokens and isinstance(weight, Fraction):
                found.append(Term(token_class, tokens, weight))
        return tuple(found)

    @property
    def generation_seconds_at_target(self) -> Fraction | None:
        """Seconds to generate the output at the latency target: output tokens / tokens per second; None: no target."""
        target = self.model.latency_target
        if isinstance(target, Unknown):
            return None
        return Fraction(self.workload.output_tokens, target.tokens_per_second)

    @property
    def concurrent_requests_at_target(self) -> Fraction | None:
        """Calls in generation at once at that speed: requests per minute / 60 x seconds (Little's law)."""
        seconds = self.generation_seconds_at_target
        return None if seconds is None else self.workload.requests_per_minute / 60 * seconds

    def to_dict(self) -> dict[str, Any]:
        """The workload as JSON data."""
        w = self.workload
        seconds, concurrent = self.generation_seconds_at_target, self.concurrent_requests_at_target
        return {
            "name": self.name,
            "model": self.model.name,
            "model_version": self.model_version,
            "deployment_type": w.deployment_type.value if w.deployment_type else None,
            "region": w.region,
            "deployment": w.deployment,
            "requests_per_minute": json_number(w.requests_per_minute),
            "input_tokens": tokens_number(w.input_tokens),
            "output_tokens": tokens_number(w.output_tokens),
            "image_input_tokens": w.image_input_tokens,
            "image_output_tokens": w.image_output_tokens,
            "cache_ratio": json_number(w.cache_ratio),
            "cache_write_ratio": json_number(w.cache_write_ratio),
            "weighted_tpm": number(*self.weighted),
            "terms": [
                {
                    "token_class": t.token_class.value,
                    "tokens_per_minute": json_number(t.tokens_per_minute),
                    "weight": json_number(t.weight),
                    "weighted_tpm": json_number(t.weighted_tpm),
                }
                for t in self.terms
            ],
            "generation_seconds_at_target": None if seconds is None else json_number(seconds),
            "concurrent_requests_at_target": None if concurrent is None else json_number(concurrent),
            "sizes": [size.to_dict() for size in self.sizes.values()],
            **({} if self.measured is None else {"measured": _measured_entry(self.measured)}),
        }


def utc_minute(minutes: int) -> str:
    """The minute that is so many after 1970-01-01 00:00 UTC, as ISO 8601: 2023-11-16T18:17Z."""
    from datetime import UTC, datetime, timedelta

    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%MZ")


def _measured_entry(calls: MeasuredCalls) -> dict[str, Any]:
    """What a log measured, as JSON data: `start` is null where its clock is relative."""
    start = calls.served.start
    return {
        "percentile": calls.percentile.name,
        "start": None if start is None else utc_minute(start),
        "minutes": calls.served.length,
        "requests": json_number(calls.served.requests),
        "throttled_requests": json_number(calls.served.unsized),
        "refused_requests": json_number(calls.refused.requests),
    }


class SizedDeployment(NamedTuple):
    """Workloads that run on one deployment, added up exactly and rounded once: what to buy.

    `deployment_type` is None where it is still open, so that `sizes` shows each type that was asked for.
    `added_peaks_weighted` is what the peaks add up to where profiles showed that they do not coincide. Where logs were
    measured and sized at a percentile of their minutes, `busiest` is weighted TPM and rate of the busiest minute.
    """

    name: str
    model: Model
    model_version: str | None
    deployment_type: DeploymentType | None
    region: str | None
    workloads: tuple[str, ...]
    workload_count: int
    weighted: tuple[int, int]
    rate: tuple[int, int]
    added_peaks_weighted: tuple[int, int]
    sizes: Sizes
    busiest: tuple[tuple[int, int], tuple[int, int]] | None = None

    @property
    def at_maximum(self) -> SizedDeployment:
        """The deployment sized for its busiest minute, whatever the percentile that it was sized at."""
        if self.busiest is None:
            return self
        weighted, rate = self.busiest
        sizes = {}
        for kind, size in self.sizes.items():
            grid, need = size.offer.grid, needed(weighted, size.headroom, size.tpm_per_ptu)
            ptu = None if size.ptu is None or grid is None else grid.round_up(*need)
            sizes[kind] = size._replace(ptu=ptu, weighted=weighted, rate=rate)
        return self._replace(weighted=weighted, rate=rate, sizes=sizes)

    @property
    def weighted_tpm(self) -> Fraction:
        """Weighted tokens per minute in the pooled peak."""
        return Fraction(*self.weighted)

    @property
    def requests_per_minute(self) -> Fraction:
        """Requests per minute in the pooled peak."""
        return Fraction(*self.rate)

    def to_dict(self) -> dict[str, Any]:
        """The deployment as JSON data."""
        return {
            "name": self.name,
            "model": self.model.name,
            "model_version": self.model_version,
            "deployment_type": self.deployment_type.value if self.deployment_type else None,
            "region": self.region,
            "workloads": list(self.workloads),
            "workload_count": self.workload_count,
            "requests_per_minute": number(*self.rate),
            "weighted_tpm": number(*self.weighted),
            "sizes": [size.to_dict() for size in self.sizes.values()],
        }
