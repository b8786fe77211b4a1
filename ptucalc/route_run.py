"""What became of calls that went along a route: who served them, what each backend said, who failed and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from ptucalc.router import FailureReason
from ptucalc.routing import Backend, Provisioned, Route, Standard
from ptucalc.simulated_runs import CallTokens, TokenSums, Utilization, Waits

__all__ = ["BackendRun", "RouteRun"]


@dataclass(frozen=True, kw_only=True)
class BackendRun:
    """What one backend did: tries = served + 429s + 400s + 503s; a call can try several times.

    `throttled_minutes` are clock minutes with a 429. `tokens` are those of the calls served, long-context ones by this
    backend's model apart. `utilization` is that of a bucket; None for Standard, or where no minute is known.
    """

    backend: Backend
    served: int
    responses_429: int
    responses_400: int
    responses_503: int
    throttled_minutes: int
    tokens: TokenSums
    utilization: Utilization | None

    @property
    def tries(self) -> int:
        """Calls that were sent to it, each time."""
        return self.served + self.responses_429 + self.responses_400 + self.responses_503


@dataclass(frozen=True, kw_only=True)
class RouteRun:
    """A trace replayed along a route: requests = those served by each backend + failed, in calls and in tokens.

    `throttled_429` counts requests that met at least one 429. `wait_ms` is what waits and failovers added, over all
    requests. Call by call, in the trace's order: `outcome` is the place of the backend that served it, or -1 and less for
    the reason at that place of `FailureReason`, from -1 on; `tries_429` its 429s; `waited_us` how much later than it
    arrived it was served or given up. `without_duration` counts calls for which the log says none, `assumed_max_tokens`
    and `best_of` are what calls were counted with.
    """

    route: Route
    requests: int
    backends: tuple[BackendRun, ...]
    failed_by: Mapping[FailureReason, int]
    tokens_failed: CallTokens
    throttled_429: int
    wait_ms: Waits
    without_max_tokens: int
    without_duration: int
    assumed_max_tokens: int | None
    best_of: int
    outcome: Sequence[int] = field(repr=False)
    tries_429: Sequence[int] = field(repr=False)
    waited_us: Sequence[int] = field(repr=False)

    @property
    def served(self) -> int:
        """Calls that a backend served."""
        return sum(each.served for each in self.backends)

    @property
    def failed(self) -> int:
        """Calls that none served."""
        return sum(self.failed_by.values())

    @property
    def tokens(self) -> CallTokens:
        """Of all calls, served or not."""
        found = self.tokens_failed
        for each in self.backends:
            found = found.plus(each.tokens.total)
        return found

    def share(self, calls: int) -> Fraction:
        """So many calls, of all of them."""
        return Fraction(calls, self.requests) if self.requests else Fraction(0)

    def of_kind(self, kind: type[Provisioned] | type[Standard]) -> list[BackendRun]:
        """The backends of this kind."""
        return [each for each in self.backends if isinstance(each.backend, kind)]
