"""A gateway in front of deployments at work: a route's `Router`, asked with a clock handed in, and what came of its calls.

The steps of a call are those of `route_replay`; tests prove the two equal, try by try. What is added is what a replay does
not need: when a client that is refused in the end should come back, and that it may leave while it waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

from ptucalc.admission import Admitted, ArrivingCall, Refused, Rejected
from ptucalc.bucket_kernel import MINUTE_US
from ptucalc.catalog import Model
from ptucalc.rehearsal import KEPT_MINUTES, Decision, Deployment, Down, EndedCall, Place
from ptucalc.rounding import Grid
from ptucalc.router import Answer, AnswerKind, Failed, FailureReason, RoutedCall, Router, Try
from ptucalc.routing import Route

__all__ = ["FrontDoor", "Gateway", "GatewayCall", "GatewayMinute", "GivenUp", "Pause", "TriedBackend", "backends_of"]

MILLISECOND_US = 1000
STATUS = {AnswerKind.SERVED: 200, AnswerKind.THROTTLED: 429, AnswerKind.TOO_LONG: 400, AnswerKind.DOWN: 503}
_STATUS_OF_FAILURE = {
    FailureReason.THROTTLED: 429,
    FailureReason.TOO_LONG: 400,
    FailureReason.DOWN: 503,
    FailureReason.NONE_IN_ROTATION: 503,  # as API Management does while its circuit breakers are open
}
_WHOLE = Grid(1, 1)
_OF_KIND = {AnswerKind.TOO_LONG: Answer.too_long(), AnswerKind.DOWN: Answer.down(), AnswerKind.SERVED: Answer.served()}


class FrontDoor(NamedTuple):
    """What clients of a gateway call, the model that they mean by it, and where its calls go."""

    name: str
    model: Model
    route: Route


class Pause(NamedTuple):
    """The call goes on at this time, not before."""

    until_us: int


class GivenUp(NamedTuple):
    """A call that no backend took: the status that its client gets, and why.

    `place` is the backend that it tried last, None where it could try none; `retry_after_us` is in whole milliseconds, 0
    where nobody knows when it would be taken.
    """

    status: int
    reason: FailureReason
    place: Place | None
    retry_after_us: int = 0
    prompt_limit: int = 0


class TriedBackend(NamedTuple):
    """A try: which backend (its place in the route), and the status that it gave."""

    backend: int
    status: int


class GatewayCall:
    """A call on its way: its tries, and what it waits for."""

    __slots__ = ("arrived_us", "back_at", "pending", "prompt_limit", "routed", "streamed", "tries")

    def __init__(self, arrived_us: int, routed: RoutedCall, *, streamed: bool) -> None:
        self.arrived_us, self.routed, self.streamed = arrived_us, routed, streamed
        self.tries: list[TriedBackend] = []
        self.back_at: dict[int, int] = {}
        """When backends that said 429 take calls again, by what they said."""
        self.pending: tuple[int, Answer] | None = None
        """An answer that the gateway will have at the end of the pause, and from which backend."""
        self.prompt_limit = 0


class GatewayMinute:
    """Sums of calls that ended in one minute: how many, by the status of the client and of the last backend (0: none was
    tried), and how long they took, in microseconds."""

    __slots__ = ("backend_us", "requests", "whole_us")

    def __init__(self) -> None:
        self.requests: dict[tuple[int, int], int] = {}
        self.whole_us = self.backend_us = 0


class Gateway:
    """A route in front of places, which stand in the order of its backends. Times never go back."""

    def __init__(self, door: FrontDoor, places: Sequence[Place]) -> None:
        self.door, self.name, self.places = door, door.name, tuple(places)
        self._route, self._router = door.route, Router(door.route)
        self._said: list[AnswerKind | None] = [None] * len(self.places)
        self.served = [0] * len(self.places)
        """Calls that each backend took for the gateway."""
        self.statuses: dict[int, int] = {}
        """Calls by the status that their clients got."""
        self.under_way = 0
        """Calls that wait in the gateway."""
        self.minutes: dict[int, GatewayMinute] = {}

    def begin(self, now_us: int, *, streamed: bool = False) -> GatewayCall:
        """A call arrives. It goes on with `go_on`, at once and after every pause, or it leaves."""
        self.under_way += 1
        return GatewayCall(now_us, self._router.begin(), streamed=streamed)

    def go_on(self, now_us: int, call: GatewayCall, at: Callable[[int], ArrivingCall]) -> Decision | GivenUp | Pause:
        """What becomes of the call now. `at` is what it is at a backend: what that has cached is its own matter."""
        if call.pending is not None:
            self._router.report(now_us, call.routed, *call.pending)
            call.pending = None
        while True:
            step = self._router.choose(now_us, call.routed)
            if isinstance(step, Failed):
                self.under_way -= 1
                return self._given_up(now_us, call, step.reason)
            if not isinstance(step, Try):
                return Pause(step.until_us)
            index = step.backend
            admitted, answer = self._tried(now_us, call, index, at(index))
            if admitted is not None:
                self._router.report(now_us, call.routed, index, answer)
                self.under_way -= 1
                self.served[index] += 1
                return Decision(200, self.places[index], admitted)
            if self._route.failover_ms:
                call.pending = (index, answer)
                return Pause(now_us + self._route.failover_ms * MILLISECOND_US)
            self._router.report(now_us, call.routed, index, answer)

    def leave(self, now_us: int, call: GatewayCall) -> None:
        """The client has left in a pause. What a backend said to it counts all the same."""
        self.under_way -= 1
        if call.pending is not None:
            self._router.report(now_us, call.routed, *call.pending)

    def ended(self, now_us: int, call: GatewayCall, status: int, backend_us: int = 0) -> None:
        """Counts a call whose client has its answer, or has left; `backend_us` is how long the backend's answer took."""
        minute = now_us // MINUTE_US
        totals = self.minutes.get(minute)
        if totals is None:
            totals = self.minutes[minute] = GatewayMinute()
            for old in [each for each in self.minutes if each < minute - KEPT_MINUTES]:
                del self.minutes[old]
        key = (status, call.tries[-1].status if call.tries else 0)
        totals.requests[key] = totals.requests.get(key, 0) + 1
        totals.whole_us += now_us - call.arrived_us
        totals.backend_us += backend_us
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def out_for_us(self, backend: int, now_us: int) -> int:
        """How long a backend is still out of rotation; 0 where it is not."""
        return max(0, self._router.back_at(backend) - now_us)

    def _tried(
        self, now_us: int, call: GatewayCall, index: int, tokens: ArrivingCall
    ) -> tuple[Admitted | None, Answer]:
        """What a backend says to a try; a refusal is counted there."""
        place = self.places[index]
        verdict = place.arrive(now_us, tokens)
        if isinstance(verdict, Admitted):
            kind, answer = AnswerKind.SERVED, _OF_KIND[AnswerKind.SERVED]
        elif isinstance(verdict, Refused):
            kind, answer = AnswerKind.THROTTLED, Answer.throttled(verdict.retry_after_us)
            call.back_at[index] = now_us + verdict.retry_after_us
        else:
            kind = AnswerKind.TOO_LONG if isinstance(verdict, Rejected) else AnswerKind.DOWN
            answer = _OF_KIND[kind]
            if isinstance(verdict, Rejected):
                call.prompt_limit = verdict.prompt_limit
        self._said[index] = kind
        call.tries.append(TriedBackend(index, STATUS[kind]))
        if isinstance(verdict, Admitted):
            return verdict, answer
        assert isinstance(verdict, Refused | Rejected | Down)
        place.ended(now_us, EndedCall(STATUS[kind], False, call.streamed, tokens.prompt, 0, 0, 0, 0))
        return None, answer

    def _given_up(self, now_us: int, call: GatewayCall, reason: FailureReason) -> GivenUp:
        place = self.places[call.tries[-1].backend] if call.tries else None
        wait_us = 0 if reason is FailureReason.TOO_LONG else self._back_in_us(now_us, call)
        return GivenUp(_STATUS_OF_FAILURE[reason], reason, place, wait_us, call.prompt_limit)

    def _back_in_us(self, now_us: int, call: GatewayCall) -> int:
        """When the first of the backends that are full takes calls again, in whole milliseconds from now; 0: nobody knows.

        One that is out of rotation because it was down may be down then, too: it counts only where the call tried none.
        """
        router = self._router
        times = [max(at, router.back_at(index)) for index, at in call.back_at.items()]
        out = [index for index in range(len(self.places)) if not router.in_rotation(index, now_us)]
        times += [router.back_at(index) for index in out if self._said[index] is AnswerKind.THROTTLED]
        if not times and not call.tries:
            times = [router.back_at(index) for index in out]
        return _WHOLE.round_up(max(0, min(times) - now_us), MILLISECOND_US) * MILLISECOND_US if times else 0


def backends_of(door: FrontDoor, output_weight: Fraction | None = None) -> list[Deployment]:
    """The backends of a route as deployments; `output_weight` is for those models that have output tokens."""
    found = []
    for backend in door.route.backends:
        model = backend.model or door.model
        weight = None if model.weights.output is None else output_weight
        found.append(
            Deployment(
                backend=backend,
                model=model,
                output_weight=weight,
                relative_clock=door.route.relative_clock is True,
            )
        )
    return found
