"""Calls along a route, replayed: every call ends in exactly one of served by a backend, or failed with a reason.

At equal times: completions, then new arrivals in their order, then calls that come back, in the order of the calls. A
refused try and what follows it happen at the same time, unless the route says what a try takes (`failover_ms`). Calls
that run when their backend goes down end as they would have.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from heapq import heappop, heappush

from ptucalc.bucket_load import weighing_of
from ptucalc.call_trace import CallTrace
from ptucalc.catalog import Model, Unknown
from ptucalc.errors import BadInput, Problem
from ptucalc.rounding import nearest_rank
from ptucalc.route_gates import BucketGate, CounterGate, Gate, WeighedCalls
from ptucalc.route_run import BackendRun, RouteRun
from ptucalc.router import Answer, AnswerKind, Failed, FailureReason, RoutedCall, Router, Try
from ptucalc.routing import Backend, Provisioned, Route
from ptucalc.simulated_runs import CallTokens, TokenSums, Waits
from ptucalc.standard_limits import estimated_tokens

__all__ = ["replay_route"]

MINUTE_US = 60_000_000
P99 = Fraction(99, 100)
_REASONS = tuple(FailureReason)
_DOWN = Answer.down()


def replay_route(
    trace: CallTrace,
    route: Route,
    model: Model,
    *,
    output_weight: Fraction | None = None,
    assumed_max_tokens: int | None = None,
    best_of: int = 1,
) -> RouteRun:
    """Send the calls along the route. `model` is that of backends which name none; the tokens stay the same everywhere.

    `best_of` and `assumed_max_tokens` are as in `simulate_standard` and `simulate`. Raises BadInput, with every problem,
    for a trace without calls, outages on another clock than the calls', and models whose PTU numbers are not published.
    """
    problems = _problems(trace, route, model)
    if problems:
        raise BadInput(problems)
    return _Replay(trace, route, model, output_weight, assumed_max_tokens, best_of).run()


def _problems(trace: CallTrace, route: Route, model: Model) -> list[Problem]:
    problems = []
    if not len(trace):
        problems.append(Problem("calls", "", "at least one call"))
    if route.relative_clock is not None and route.relative_clock != trace.relative_clock:
        expected = "times since the start of the calls, such as 90m" if trace.relative_clock else "times of day"
        found = "times since the start" if route.relative_clock else "times of day"
        with_outages = next((index for index, backend in enumerate(route.backends) if backend.down), None)
        where = "backends" if with_outages is None else f"backends[{with_outages}].down"
        problems.append(Problem(where, found, f"{expected}, as the calls have"))
    for index, backend in enumerate(route.backends):
        its = backend.model or model
        if isinstance(backend, Provisioned) and isinstance(its.tpm_per_ptu, Unknown):
            expected = f"a model with published PTU numbers ({its.tpm_per_ptu.reason})"
            problems.append(Problem(f"backends[{index}].model", its.name, expected))
    return problems


class _Replay:
    """One trace on one route."""

    def __init__(
        self,
        trace: CallTrace,
        route: Route,
        model: Model,
        output_weight: Fraction | None,
        assumed_max_tokens: int | None,
        best_of: int,
    ) -> None:
        self._trace, self._route, self._model = trace, route, model
        self._output_weight, self._assumed, self._best_of = output_weight, assumed_max_tokens, best_of
        self._weighed: dict[str, WeighedCalls] = {}
        self._counted: list[int] = []
        self._router = Router(route)
        self._gates: list[Gate] = [self._gate(backend) for backend in route.backends]
        length, width = len(trace), len(route.backends)
        self._outcome, self._tries_429, self._waited_us = [0] * length, [0] * length, [0] * length
        self._answers = [dict.fromkeys(AnswerKind, 0) for _ in range(width)]
        self._throttled_minute, self._throttled_minutes = [-1] * width, [0] * width
        self._back: list[tuple[int, int]] = []
        """When calls come back, and which."""
        self._under_way: dict[int, tuple[RoutedCall, tuple[int, Answer] | None]] = {}
        """Calls that come back, with the answer that they wait for (from which backend), if any."""

    def _gate(self, backend: Backend) -> Gate:
        if not isinstance(backend, Provisioned):
            if not self._counted:
                self._counted = estimated_tokens(self._trace, best_of=self._best_of, assumed_max_tokens=self._assumed)
            window = backend.rpm_window_seconds
            return CounterGate(self._counted, tpm=backend.tpm, rpm=backend.rpm, window_seconds=window)
        model = backend.model or self._model
        assert not isinstance(model.tpm_per_ptu, Unknown)
        return BucketGate(
            self._weigh(model),
            ptu=backend.ptu,
            tpm_per_ptu=model.tpm_per_ptu,
            window_us=backend.window_us,
            first_minute=self._trace.first_minute,
            minutes=self._trace.minutes,
        )

    def _weigh(self, model: Model) -> WeighedCalls:
        if model.name not in self._weighed:
            given = None if model.weights.output is None else self._output_weight
            rule, scale = weighing_of(model, self._trace, output_weight=given, assumed_max_tokens=self._assumed)
            self._weighed[model.name] = WeighedCalls.of(self._trace, rule, scale)
        return self._weighed[model.name]

    def run(self) -> RouteRun:
        """All calls, from the first arrival to the last that comes back."""
        arrivals, back, under_way = self._trace.arrival_us, self._back, self._under_way
        begin, go = self._router.begin, self._go
        for place, at in enumerate(arrivals):
            now = int(at)
            while back and back[0][0] < now:
                self._come_back(arrivals)
            go(now, place, begin(), now)
        while back:
            self._come_back(arrivals)
        assert not under_way
        return self._result()

    def _come_back(self, arrivals: Sequence[int]) -> None:
        now, place = heappop(self._back)
        call, pending = self._under_way.pop(place)
        if pending is not None:
            self._router.report(now, call, *pending)
        self._go(now, place, call, int(arrivals[place]))

    def _go(self, now: int, place: int, call: RoutedCall, arrived: int) -> None:
        """Steps of a call until it is served, given up, or comes back later."""
        router, backends = self._router, self._route.backends
        failover_us = self._route.failover_ms * 1000
        while True:
            step = router.choose(now, call)
            if isinstance(step, Try):
                index = step.backend
                answer = _DOWN if backends[index].is_down(now) else self._gates[index].answer(now, place)
                kind = answer.kind
                self._answers[index][kind] += 1
                if kind is AnswerKind.SERVED:
                    router.report(now, call, index, answer)
                    self._outcome[place], self._waited_us[place] = index, now - arrived
                    return
                if kind is AnswerKind.THROTTLED:
                    self._count_429(now, place, index)
                if failover_us:
                    self._later(now + failover_us, place, call, (index, answer))
                    return
                router.report(now, call, index, answer)
            elif isinstance(step, Failed):
                self._outcome[place] = -1 - _REASONS.index(step.reason)
                self._waited_us[place] = now - arrived
                return
            else:
                self._later(step.until_us, place, call, None)
                return

    def _later(self, at: int, place: int, call: RoutedCall, pending: tuple[int, Answer] | None) -> None:
        heappush(self._back, (at, place))
        self._under_way[place] = (call, pending)

    def _count_429(self, now: int, place: int, index: int) -> None:
        self._tries_429[place] += 1
        minute = now // MINUTE_US
        if minute != self._throttled_minute[index]:
            self._throttled_minute[index] = minute
            self._throttled_minutes[index] += 1

    def _result(self) -> RouteRun:
        backends = self._route.backends
        usual, long = [[[0] * 4 for _ in backends] for _ in range(2)]
        lost = [0] * 4
        limits = [_long_over(backend.model or self._model) for backend in backends]
        trace, reasons = self._trace, dict.fromkeys(FailureReason, 0)
        columns = (trace.uncached, trace.cached, trace.written, trace.output)
        for outcome, *tokens in zip(self._outcome, *columns, strict=True):
            if outcome < 0:
                reasons[_REASONS[-1 - outcome]] += 1
                sums = lost
            else:
                limit = limits[outcome]
                over = limit is not None and sum(tokens[:3]) > limit
                sums = (long if over else usual)[outcome]
            for column, count in enumerate(tokens):
                sums[column] += int(count)
        runs = []
        for index, (backend, gate) in enumerate(zip(backends, self._gates, strict=True)):
            said = self._answers[index]
            runs.append(
                BackendRun(
                    backend=backend,
                    served=said[AnswerKind.SERVED],
                    responses_429=said[AnswerKind.THROTTLED],
                    responses_400=said[AnswerKind.TOO_LONG],
                    responses_503=said[AnswerKind.DOWN],
                    throttled_minutes=self._throttled_minutes[index],
                    tokens=TokenSums(CallTokens(*usual[index]), CallTokens(*long[index])),
                    utilization=gate.utilization() if isinstance(gate, BucketGate) else None,
                )
            )
        of_model = next(iter(self._weighed.values()), None)
        most = trace.max_tokens
        length = len(trace)
        return RouteRun(
            route=self._route,
            requests=length,
            backends=tuple(runs),
            failed_by=reasons,
            tokens_failed=CallTokens(*lost),
            throttled_429=sum(map(bool, self._tries_429)),
            wait_ms=_waits(self._waited_us),
            without_max_tokens=length if most is None else sum(int(each) < 0 for each in most),
            without_duration=0 if of_model is None else of_model.without_duration,
            assumed_max_tokens=self._assumed,
            best_of=self._best_of,
            outcome=self._outcome,
            tries_429=self._tries_429,
            waited_us=self._waited_us,
        )


def _long_over(model: Model) -> int | None:
    return None if model.long_context is None else model.long_context.over_input_tokens


def _waits(waited_us: Sequence[int]) -> Waits:
    """In milliseconds: every wait is of whole ones."""
    ranked = sorted(us // 1000 for us in waited_us)
    return Waits(Fraction(sum(ranked), len(ranked)), int(nearest_rank(ranked, P99)), ranked[-1])
