"""Deployments of one resource as their clients meet them: who serves a call, who refuses it, and how often that was.

A call goes to the deployment that it names. Where a provisioned one does not take it (429, 400 for a prompt over the
limit, or 503 while it is down) and it has a Standard one to spill over to, that one decides. Source: Microsoft, "Manage
traffic with spillover": the property of the deployment wins over the header of the request. The clock is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

from ptucalc.admission import Admitted, ArrivingCall, BucketAdmission, CounterAdmission, Refused, Rejected
from ptucalc.bucket_kernel import MINUTE_US
from ptucalc.catalog import Model
from ptucalc.errors import BadInput, Problem
from ptucalc.routing import Outage, Provisioned, Standard

__all__ = [
    "CLIENT_GONE",
    "KEPT_MINUTES",
    "CannotSpill",
    "Decision",
    "Deployment",
    "Down",
    "EndedCall",
    "MinuteTotals",
    "Place",
    "Rehearsal",
    "deployment_problems",
]

KEPT_MINUTES = 24 * 60
"""Of so many minutes the sums are kept."""

OK, BAD_REQUEST, THROTTLED, UNAVAILABLE = 200, 400, 429, 503
CLIENT_GONE = 499
"""The status of a call whose client left before the answer ended: nginx's, for nobody sees it."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A deployment: what it is, the model that it serves, and the Standard deployment that it spills over to (its name).

    `relative_clock`: the times at which it is down count from the start (`started` puts them on the clock).
    """

    backend: Provisioned | Standard
    model: Model
    spillover: str | None = None
    output_weight: Fraction | None = None
    relative_clock: bool = False

    @property
    def name(self) -> str:
        """What clients call it."""
        return self.backend.name

    def started(self, at_us: int) -> Deployment:
        """The same at work from this time on: all its times are on the clock of the calls."""
        if not self.relative_clock:
            return self
        down = tuple(Outage(at_us + from_us, at_us + to_us) for from_us, to_us in self.backend.down)
        return replace(self, backend=replace(self.backend, down=down), relative_clock=False)


class Down(NamedTuple):
    """HTTP 503: the deployment is down."""


class CannotSpill(Exception):
    """A request names a deployment to spill over to that cannot take it. The message says which, and why."""


class Decision(NamedTuple):
    """What a call gets: 200, 400, 429 or 503, and from which deployment.

    `spilled_from` is the provisioned one that did not take it, with the status that it gave; `admitted` is what
    `complete` of the deployment takes back.
    """

    status: int
    place: Place
    admitted: Admitted | None = None
    retry_after_us: int = 0
    prompt_limit: int = 0
    spilled_from: str | None = None
    spill_cause: int = 0


class EndedCall(NamedTuple):
    """A call whose answer has been given, for the sums: `first_us` to its first token, `duration_us` to its last."""

    status: int
    spilled: bool
    streamed: bool
    prompt: int
    cached: int
    output: int
    first_us: int
    duration_us: int


class MinuteTotals:
    """Sums of the calls of a deployment that ended in one minute.

    `requests` are by status, whether the call had spilled over, and whether it was streamed; times are in microseconds.
    """

    __slots__ = ("cached", "first_us", "generated", "last_us", "prompt", "requests", "served")

    def __init__(self) -> None:
        self.requests: dict[tuple[int, bool, bool], int] = {}
        self.served = self.prompt = self.cached = self.generated = self.first_us = self.last_us = 0

    def add(self, call: EndedCall) -> None:
        """Adds a call; one that was not let in has no tokens."""
        key = (call.status, call.spilled, call.streamed)
        self.requests[key] = self.requests.get(key, 0) + 1
        if call.status in (OK, CLIENT_GONE):
            self.served += 1
            self.prompt += call.prompt
            self.cached += call.cached
            self.generated += call.output
            self.first_us += call.first_us
            self.last_us += call.duration_us


class Place:
    """A deployment at work: what lets calls in, and its minutes."""

    def __init__(self, deployment: Deployment, assumed_max_tokens: int | None) -> None:
        """Raises BadInput where its limits or its model cannot be emulated."""
        self.deployment, self.name = deployment, deployment.name
        self.minutes: dict[int, MinuteTotals] = {}
        self.statuses: dict[int, int] = {}
        """Calls by the status that they got here."""
        self.spilled = 0
        """Calls that came here from a provisioned deployment, or that left this one."""
        self.in_flight = 0
        backend = deployment.backend
        self.bucket: BucketAdmission | None = None
        self.counters: CounterAdmission | None = None
        if isinstance(backend, Provisioned):
            self.bucket = BucketAdmission(
                deployment.model,
                ptu=backend.ptu,
                window_us=backend.window_us,
                assumed_max_tokens=assumed_max_tokens,
                output_weight=deployment.output_weight,
            )
        else:
            self.counters = CounterAdmission(
                tpm=backend.tpm,
                rpm=backend.rpm,
                window_seconds=backend.rpm_window_seconds,
                assumed_max_tokens=assumed_max_tokens,
            )

    @classmethod
    def checked(cls, deployment: Deployment) -> Deployment:
        """The deployment, if it can be emulated. Raises BadInput."""
        return cls(deployment, None).deployment

    def arrive(self, now_us: int, call: ArrivingCall) -> Admitted | Refused | Rejected | Down:
        """What this deployment says to a call. One that is down counts nothing."""
        backend = self.deployment.backend
        if backend.down and backend.is_down(now_us):
            return _DOWN
        if self.bucket is not None:
            return self.bucket.arrive(now_us, call)
        assert self.counters is not None
        return self.counters.arrive(now_us, call)

    def complete(self, now_us: int, admitted: Admitted, output: int) -> None:
        """A call that was let in has ended with so many output tokens."""
        if self.bucket is not None:
            self.bucket.complete(now_us, admitted, output)

    def ended(self, now_us: int, call: EndedCall) -> None:
        """Counts a call that has been answered."""
        minute = now_us // MINUTE_US
        totals = self.minutes.get(minute)
        if totals is None:
            totals = self.minutes[minute] = MinuteTotals()
            for old in [each for each in self.minutes if each < minute - KEPT_MINUTES]:
                del self.minutes[old]
        totals.add(call)
        self.statuses[call.status] = self.statuses.get(call.status, 0) + 1


class Rehearsal:
    """The deployments of a resource, asked call by call. Raises BadInput with all that is wrong with them."""

    def __init__(self, deployments: Iterable[Deployment], *, assumed_max_tokens: int | None = None) -> None:
        listed = list(deployments)
        problems = [problem for _, problem in deployment_problems(listed)]
        if not listed:
            problems.append(Problem("deployments", "", "at least one deployment"))
        self.places: dict[str, Place] = {}
        for deployment in listed:
            try:
                self.places[deployment.name.casefold()] = Place(deployment, assumed_max_tokens)
            except BadInput as error:
                problems += [each.at(label=f"{deployment.name} {each.field}") for each in error.problems]
        if problems:
            raise BadInput(problems)

    def place(self, name: str) -> Place | None:
        """The deployment of that name, in any case."""
        return self.places.get(name.casefold())

    def decide(
        self,
        now_us: int,
        place: Place,
        call: ArrivingCall,
        spill_to: str | None = None,
        *,
        spilled: Callable[[Place], ArrivingCall] | None = None,
    ) -> Decision:
        """Who takes a call, or why nobody does. `spill_to` is what the request says; CannotSpill where that is wrong.

        `spilled` tells what the call is at the deployment that it spills over to: what that has cached is its own matter.
        """
        target = self._target(place, spill_to)
        verdict = place.arrive(now_us, call)
        if isinstance(verdict, Admitted):
            return Decision(OK, place, verdict)
        if target is None:
            return _refusal(place, verdict)
        place.spilled += 1
        target.spilled += 1
        cause = _refusal(place, verdict).status
        second = target.arrive(now_us, call if spilled is None else spilled(target))
        if isinstance(second, Admitted):
            return Decision(OK, target, second, spilled_from=place.name, spill_cause=cause)
        return _refusal(target, second)._replace(spilled_from=place.name, spill_cause=cause)

    def _target(self, place: Place, spill_to: str | None) -> Place | None:
        """Where a call of this deployment may spill over to."""
        deployment = place.deployment
        if deployment.spillover is not None:
            return self.place(deployment.spillover)
        if spill_to is None or isinstance(deployment.backend, Standard):
            return None
        target = self.place(spill_to)
        if why := _no_target(deployment, None if target is None else target.deployment):
            raise CannotSpill(f"{spill_to}: expected {why}")
        return target


_DOWN = Down()


def _refusal(place: Place, verdict: Refused | Rejected | Down) -> Decision:
    """What a call that was not let in gets."""
    if isinstance(verdict, Refused):
        return Decision(THROTTLED, place, retry_after_us=verdict.retry_after_us)
    if isinstance(verdict, Rejected):
        return Decision(BAD_REQUEST, place, prompt_limit=verdict.prompt_limit)
    return Decision(UNAVAILABLE, place)


def deployment_problems(deployments: Sequence[Deployment]) -> list[tuple[int, Problem]]:
    """What is wrong with the names and the spillover of deployments of one resource, each with the place of whose it is."""
    problems = []
    names: dict[str, Deployment] = {}
    for place, deployment in enumerate(deployments):
        if deployment.name.casefold() in names:
            problems.append((place, Problem("deployment", deployment.name, "a name that no other deployment has")))
        names.setdefault(deployment.name.casefold(), deployment)
    for place, deployment in enumerate(deployments):
        if deployment.spillover is None:
            continue
        if isinstance(deployment.backend, Standard):
            why = "left out: a Standard deployment does not spill"
        else:
            why = _no_target(deployment, names.get(deployment.spillover.casefold()))
        if why:
            problems.append((place, Problem("spillover", deployment.spillover, why)))
    return problems


def _no_target(source: Deployment, target: Deployment | None) -> str:
    """What is expected instead of that target; empty where calls can spill over there."""
    if source.model.spillover is False:
        return f"left out: {source.model.name} does not support spillover"
    if target is None or isinstance(target.backend, Provisioned):
        return "the name of a Standard deployment of this resource"
    if target.model.name != source.model.name or target.backend.model_version != source.backend.model_version:
        return f"a Standard deployment of the same model and version ({source.model.name})"
    return ""
