"""Which backend a call tries next: a chain of deployments behind a gateway, asked call by call.

Backends stand in groups of priority, the lowest number first; within a group the choice is at random by weight, from
seeded draws. A backend is passed over while it is out of rotation. That is how a backend pool of Azure API Management
works with a circuit breaker that accepts Retry-After. Sources: Microsoft, "Backends in API Management" (pools: priority,
weight; circuit breaker: acceptRetryAfter, tripDuration).

How that is read here, where it leaves room:
- A gateway does not know that a backend is down before it has tried it: a try then gets a 503, which says no Retry-After.
- One answer trips the breaker: a 429 for as long as it says, a 503 for the time given (without one, not at all).
- A call that got a 400 (its prompt is too long) or a 503 does not come back to that backend.
- Weights are shares of the choices on average, not a strict turn-taking.
- A pool by itself does not try again: there, further tries are those of a `retry` policy around it. Here a call tries each
  backend once unless told otherwise; `attempts: 1` is a pool without such a policy.
- While every backend is out of rotation, the client of a pool gets a 503; here such a call ends as `none_in_rotation`.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import groupby
from typing import NamedTuple, TypeAlias

from ptucalc.arrivals import draws
from ptucalc.rounding import Grid
from ptucalc.routing import Route, WaitWhere

__all__ = ["Answer", "AnswerKind", "Failed", "FailureReason", "RoutedCall", "Router", "Step", "Try", "Wait"]

MILLISECOND_US = 1000
_DRAW_BITS = 64
_WHOLE = Grid(1, 1)


class AnswerKind(StrEnum):
    """What a backend says to a try."""

    SERVED = "served"
    THROTTLED = "429"
    TOO_LONG = "400"
    DOWN = "503"


class Answer(NamedTuple):
    """What a backend said to a try; a 429 with its Retry-After."""

    kind: AnswerKind
    retry_after_us: int = 0

    @classmethod
    def served(cls) -> Answer:
        """The call was let in."""
        return cls(AnswerKind.SERVED)

    @classmethod
    def throttled(cls, retry_after_us: int) -> Answer:
        """HTTP 429, and when to come back."""
        return cls(AnswerKind.THROTTLED, retry_after_us)

    @classmethod
    def too_long(cls) -> Answer:
        """HTTP 400: PTU of the model do not take prompts of this length."""
        return cls(AnswerKind.TOO_LONG)

    @classmethod
    def down(cls) -> Answer:
        """HTTP 503."""
        return cls(AnswerKind.DOWN)


class FailureReason(StrEnum):
    """Why a call was not served: what the last backend that it tried said, or that it could try none."""

    THROTTLED = "throttled"
    TOO_LONG = "prompt_too_long"
    DOWN = "down"
    NONE_IN_ROTATION = "none_in_rotation"


_REASONS = {
    AnswerKind.THROTTLED: FailureReason.THROTTLED,
    AnswerKind.TOO_LONG: FailureReason.TOO_LONG,
    AnswerKind.DOWN: FailureReason.DOWN,
}


class Try(NamedTuple):
    """Send the call to this backend (its place in the route)."""

    backend: int


class Wait(NamedTuple):
    """Ask again at this time: whole milliseconds from now."""

    until_us: int


class Failed(NamedTuple):
    """The call is given up."""

    reason: FailureReason


Step: TypeAlias = Try | Wait | Failed


class RoutedCall:
    """What the router knows of a call under way: its tries, and where it may not go, or not yet."""

    __slots__ = ("last", "rotations", "stays_at", "tries", "tries_at", "waited_us", "waits_for")

    def __init__(self) -> None:
        self.tries = 0
        self.tries_at: dict[int, int] = {}
        self.waits_for: dict[int, int] = {}
        """When a backend that refused the call may be tried again; absent: at any time."""
        self.stays_at: int | None = None
        self.last: AnswerKind | None = None
        self.waited_us = 0
        self.rotations = 0
        """How often it waited for a backend to come back into rotation."""


_NOT_AGAIN = 2**80
"""A time that never comes."""


class Router:
    """Decides, call by call, which backend is next; `now_us` of what it is asked and told never goes back."""

    def __init__(self, route: Route) -> None:
        self.route = route
        order = sorted(range(len(route.backends)), key=lambda index: route.backends[index].priority)  # stable
        grouped = groupby(order, key=lambda index: route.backends[index].priority)
        self._groups = [tuple(members) for _, members in grouped]
        self._weights = [backend.weight for backend in route.backends]
        self._steps = [Try(index) for index in range(len(route.backends))]
        self._out_until = [-_NOT_AGAIN] * len(route.backends)
        self._draws = draws(route.seed, "route")

    def begin(self) -> RoutedCall:
        """A call that has tried nothing yet."""
        return RoutedCall()

    def in_rotation(self, backend: int, now_us: int) -> bool:
        """Whether calls may be sent to this backend."""
        return self._out_until[backend] <= now_us

    def back_at(self, backend: int) -> int:
        """From when on calls may be sent to this backend; in the past where it is in rotation."""
        return self._out_until[backend]

    def choose(self, now_us: int, call: RoutedCall) -> Step:
        """What the call does next. A `Try` is followed by `report`, a `Wait` by asking again at its time."""
        retry = self.route.retry
        if retry.attempts is not None and call.tries >= retry.attempts:
            return self._failed(call)
        if call.stays_at is not None:
            back = call.waits_for[call.stays_at]
            if back > now_us:
                wait = self._wait(now_us, back, call)
                if wait is not None:
                    return wait
            elif self.in_rotation(call.stays_at, now_us):
                return self._steps[call.stays_at]
            call.stays_at = None
        for group in self._groups:
            left = [index for index in group if self._free_at(index, call) <= now_us]
            if left:
                return self._steps[self._chosen(left)]
        if retry.wait is WaitWhere.LAST:
            wait = self._wait_for_first(now_us, call)
            if wait is not None:
                return wait
        return self._failed(call)

    def report(self, now_us: int, call: RoutedCall, backend: int, answer: Answer) -> None:
        """What came of a try, at the time of the answer."""
        retry = self.route.retry
        call.tries += 1
        call.last = answer.kind
        call.stays_at = None
        if answer.kind is AnswerKind.SERVED:
            return
        tried = call.tries_at[backend] = call.tries_at.get(backend, 0) + 1
        back = now_us + answer.retry_after_us
        again = answer.kind is AnswerKind.THROTTLED and tried < retry.attempts_per_backend
        call.waits_for[backend] = back if again else _NOT_AGAIN
        if again and retry.wait is WaitWhere.HERE:
            call.stays_at = backend
        if answer.kind is AnswerKind.THROTTLED and retry.trip_on_retry_after:
            self._out_until[backend] = max(self._out_until[backend], back)
        elif answer.kind is AnswerKind.DOWN and retry.trip_when_down_ms is not None:
            until = now_us + retry.trip_when_down_ms * MILLISECOND_US
            self._out_until[backend] = max(self._out_until[backend], until)

    def _free_at(self, backend: int, call: RoutedCall) -> int:
        """From when on this call may try this backend."""
        return max(self._out_until[backend], call.waits_for.get(backend, -_NOT_AGAIN))

    def _wait_for_first(self, now_us: int, call: RoutedCall) -> Wait | None:
        """A wait for the first backend that the call may try again; None where there is none.

        Waits that are only for a backend to come back into rotation are counted, because on their end it can be out again.
        """
        first, backend = min((self._free_at(index, call), index) for index in range(len(self._steps)))
        if first >= _NOT_AGAIN:
            return None
        if first > call.waits_for.get(backend, -_NOT_AGAIN):
            if call.rotations >= self.route.retry.attempts_per_backend:
                return None
            call.rotations += 1
        return self._wait(now_us, first, call)

    def _chosen(self, left: list[int]) -> int:
        """One of them at random, by weight."""
        if len(left) == 1:
            return left[0]
        place = next(self._draws) * sum(self._weights[index] for index in left) >> _DRAW_BITS
        for index in left:
            place -= self._weights[index]
            if place < 0:
                return index
        raise AssertionError("a draw is under 2^64")

    def _wait(self, now_us: int, until_us: int, call: RoutedCall) -> Wait | None:
        """A wait in whole milliseconds; None where the call would wait too long in all."""
        milliseconds = _WHOLE.round_up(until_us - now_us, MILLISECOND_US)
        longest = self.route.retry.longest_wait_ms
        waited_us = call.waited_us + milliseconds * MILLISECOND_US
        if longest is not None and waited_us > longest * MILLISECOND_US:
            return None
        call.waited_us = waited_us
        return Wait(now_us + milliseconds * MILLISECOND_US)

    def _failed(self, call: RoutedCall) -> Failed:
        return Failed(FailureReason.NONE_IN_ROTATION if call.last is None else _REASONS[call.last])
