"""A chain of backends behind a gateway, as a value: deployments with priorities and weights, and how calls retry.

Like a backend pool of Azure API Management with a circuit breaker; `router` says how it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from ptucalc.catalog import DeploymentType, Model
from ptucalc.errors import BadInput, Problem
from ptucalc.standard_limits import RPM_WINDOWS_SECONDS

__all__ = ["MOST_BACKENDS", "Backend", "Outage", "Provisioned", "Retry", "Route", "Standard", "WaitWhere"]

USUAL_WINDOW_US = 60_000_000

MOST_BACKENDS = 100
"""A call looks at all of them at each of its tries: a log along many more takes minutes. Our own limit."""


class Outage(NamedTuple):
    """A time in which a backend is down: from its first microsecond on, before its last, on the clock of the calls."""

    from_us: int
    to_us: int


@dataclass(frozen=True, kw_only=True)
class _Placed:
    """What every backend has: its place in the chain, what it serves, and when it is down.

    `model` and `deployment_type` None are those of the calls; `region` None is the one they are asked for in.
    """

    name: str
    model: Model | None = None
    model_version: str | None = None
    deployment_type: DeploymentType | None = None
    region: str | None = None
    priority: int = 1
    weight: int = 1
    down: tuple[Outage, ...] = ()

    def is_down(self, now_us: int) -> bool:
        """Whether it answers every try with 503 now."""
        return any(outage.from_us <= now_us < outage.to_us for outage in self.down)


@dataclass(frozen=True, kw_only=True)
class Provisioned(_Placed):
    """A provisioned deployment: PTU, and a leaky bucket that holds what they drain in so many microseconds."""

    ptu: int
    window_us: int = USUAL_WINDOW_US


@dataclass(frozen=True, kw_only=True)
class Standard(_Placed):
    """A Standard (pay-as-you-go) deployment; without limits it takes every call.

    `rpm` is checked over windows of so many seconds.
    """

    tpm: int | None = None
    rpm: int | None = None
    rpm_window_seconds: int = 1


Backend: TypeAlias = Provisioned | Standard


class WaitWhere(StrEnum):
    """Whether a call waits out a Retry-After: NEVER; HERE, at the backend that refused it, before it goes on to the
    next; LAST, when no backend is left to try now, for the first that may be tried again."""

    NEVER = "never"
    HERE = "here"
    LAST = "last"


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How often a call tries, and when a backend is out of rotation.

    `attempts_per_backend` are tries of a call at one backend, `attempts` those at all of them together (None: no limit).
    With `wait: last`, a call also waits at most `attempts_per_backend` times only for a backend to come back into rotation.
    `longest_wait_ms` is how long a call waits in all (None: no limit): it does not begin a wait that would end later.
    `trip_on_retry_after` takes a backend out of rotation, for all calls, for the Retry-After of a 429;
    `trip_when_down_ms` for so long after a 503 (None: not at all).
    """

    attempts_per_backend: int = 1
    attempts: int | None = None
    wait: WaitWhere = WaitWhere.NEVER
    longest_wait_ms: int | None = None
    trip_on_retry_after: bool = False
    trip_when_down_ms: int | None = None


@dataclass(frozen=True, kw_only=True)
class Route:
    """A chain of backends and how calls go along it. `failover_ms` is what a refused try takes before the next step.

    Raises BadInput with everything that is wrong.
    """

    backends: tuple[Backend, ...]
    retry: Retry = field(default_factory=Retry)
    seed: int = 0
    failover_ms: int = 0
    relative_clock: bool | None = None
    """Whether times of `down` count from the start of the calls' clock, or from 1970; None: there are none."""

    def __post_init__(self) -> None:
        problems = [*_wrong_backends(self.backends), *_wrong_retry(self.retry)]
        for name, value in (("seed", self.seed), ("failover_ms", self.failover_ms)):
            if value < 0:
                problems.append(Problem(name, str(value), "a whole number, 0 or more"))
        if problems:
            raise BadInput(problems)


def _wrong_backends(backends: tuple[Backend, ...]) -> Iterator[Problem]:
    if not backends:
        yield Problem("backends", "", "at least one backend")
    if len(backends) > MOST_BACKENDS:
        yield Problem("backends", f"{len(backends):,} backends", f"at most {MOST_BACKENDS}")
    names: set[str] = set()
    for index, backend in enumerate(backends):
        at = f"backends[{index}]"
        if not backend.name.strip() or backend.name.casefold() in names:
            yield Problem(f"{at}.name", backend.name, "a name that no other backend has")
        names.add(backend.name.casefold())
        numbers: dict[str, int | None] = {"priority": backend.priority, "weight": backend.weight}
        if isinstance(backend, Provisioned):
            numbers |= {"ptu": backend.ptu, "window_us": backend.window_us}
        else:
            numbers |= {"tpm": backend.tpm, "rpm": backend.rpm}
            if backend.rpm_window_seconds not in RPM_WINDOWS_SECONDS:
                expected = f"{' or '.join(map(str, RPM_WINDOWS_SECONDS))} seconds, over which Azure checks RPM"
                yield Problem(f"{at}.rpm_window_seconds", str(backend.rpm_window_seconds), expected)
        for name, value in numbers.items():
            lowest = 0 if name == "priority" else 1
            if value is not None and value < lowest:
                yield Problem(f"{at}.{name}", str(value), f"a whole number, {lowest} or more")
        for place, outage in enumerate(backend.down):
            if outage.to_us <= outage.from_us:
                yield Problem(f"{at}.down[{place}].to", str(outage.to_us), "a time after `from`")


def _wrong_retry(retry: Retry) -> Iterator[Problem]:
    lowest = {"attempts_per_backend": 1, "attempts": 1, "longest_wait_ms": 0, "trip_when_down_ms": 1}
    for name, least in lowest.items():
        value = getattr(retry, name)
        if value is not None and value < least:
            yield Problem(f"retry.{name}", str(value), f"a whole number, {least} or more")
    if retry.wait is WaitWhere.NEVER:
        if retry.attempts_per_backend > 1:
            expected = (
                "1, or `wait: here` or `wait: last` beside it: a backend that refused is tried again after a wait"
            )
            yield Problem("retry.attempts_per_backend", str(retry.attempts_per_backend), expected)
        if retry.longest_wait_ms is not None:
            yield Problem("retry.longest_wait_ms", str(retry.longest_wait_ms), "beside `wait: here` or `wait: last`")
