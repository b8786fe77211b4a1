"""A route in front of deployments at work: what `route_replay` says of a trace, said call by call on a clock; and the end."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptucalc.admission import ArrivingCall
from ptucalc.call_trace import Call, CallTrace
from ptucalc.errors import BadInput
from ptucalc.gateway import FrontDoor, Gateway, GivenUp, Pause, backends_of
from ptucalc.made_up_answers import AnswerShape
from ptucalc.metric_documents import gateway_document, monitor_document
from ptucalc.rehearsal import Decision, Rehearsal
from ptucalc.route_replay import replay_route
from ptucalc.router import AnswerKind, FailureReason
from ptucalc.routing import Outage, Provisioned, Retry, Route, Standard, WaitWhere
from ptucalc.serve.front import Arrival, RefusedCall
from ptucalc.serve.served import ServedCall

from .emulating import ALDER, MINUTE, SECOND, Hand, emulator
from .invented import a_model

PTU = Provisioned(name="ptu", ptu=60, window_us=10 * SECOND, priority=1)
REST = Standard(name="rest", priority=2)
LARCH = a_model("Larch", prompt_limit_tokens=1000)
START = 30_000_000 * MINUTE


def gateway(*backends: Any, model: Any = ALDER, failover_ms: int = 0, **retry: Any) -> Gateway:
    route = Route(backends=backends, retry=Retry(**retry), failover_ms=failover_ms)
    door = FrontDoor("door", model, route)
    places = Rehearsal(backends_of(door)).places
    return Gateway(door, [places[each.name.casefold()] for each in backends])


def asked(door: Gateway, at: int, tokens: int = 6000, output: int = 0) -> Any:
    """What becomes of a call at this time that waits for nothing."""
    found = door.go_on(at, door.begin(at), lambda _: ArrivingCall(tokens, output))
    if isinstance(found, Decision):
        found.place.complete(at, found.admitted, output)  # type: ignore[arg-type]
    return found


# Against the replay


_backends = st.lists(
    st.one_of(
        st.builds(
            lambda ptu, window, priority, weight, down: Provisioned(
                name="", ptu=ptu, window_us=window * SECOND, priority=priority, weight=weight, down=down
            ),
            st.integers(1, 60),
            st.sampled_from([1, 10, 60]),
            st.integers(1, 3),
            st.integers(1, 3),
            st.sampled_from([(), (), (Outage(START + 2 * SECOND, START + 5 * SECOND),)]),
        ),
        st.builds(
            lambda tpm, rpm, window, priority, weight, down: Standard(
                name="", tpm=tpm, rpm=rpm, rpm_window_seconds=window, priority=priority, weight=weight, down=down
            ),
            st.sampled_from([None, 1000, 20_000]),
            st.sampled_from([None, 6, 60, 600]),
            st.sampled_from([1, 10]),
            st.integers(1, 3),
            st.integers(1, 3),
            st.sampled_from([(), (), (Outage(START, START + 90 * SECOND),)]),
        ),
    ),
    min_size=1,
    max_size=4,
)
_retries = st.sampled_from(list(WaitWhere)).flatmap(
    lambda wait: st.builds(
        Retry,
        wait=st.just(wait),
        attempts_per_backend=st.just(1) if wait is WaitWhere.NEVER else st.integers(1, 3),
        attempts=st.none() | st.integers(1, 5),
        longest_wait_ms=st.none() if wait is WaitWhere.NEVER else st.sampled_from([None, 500, 60_000]),
        trip_on_retry_after=st.booleans(),
        trip_when_down_ms=st.sampled_from([None, 1000, 30_000]),
    )
)
_calls = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 777, 250_000, 2 * SECOND, 30 * SECOND]),
        st.integers(0, 1400),
        st.none() | st.integers(1, 900),
    ),
    min_size=1,
    max_size=25,
)


@given(_backends, _retries, _calls, st.sampled_from([0, 0, 250]), st.booleans(), st.none() | st.integers(1, 500))
@settings(max_examples=150, deadline=None)
def test_calls_go_the_way_that_the_replay_says(
    backends: list[Any],
    retry: Retry,
    calls: list[tuple[int, int, int | None]],
    failover_ms: int,
    limited: bool,
    assumed: int | None,
) -> None:
    model = LARCH if limited else ALDER
    named = tuple(each.__class__(**{**vars(each), "name": f"b{at}"}) for at, each in enumerate(backends))
    route = Route(backends=named, retry=retry, seed=len(calls), failover_ms=failover_ms, relative_clock=False)
    door, clock = FrontDoor("door", model, route), Hand(START)
    running = emulator(
        *backends_of(door),
        door=door,
        clock=clock,
        shape=AnswerShape(shortest=1, longest=400, seed=len(calls)),
        cache_us=MINUTE,
        assumed_max_tokens=assumed,
    )
    assert running.front is not None
    front, number = running.front, 0
    ends: list[tuple[int, int, ServedCall]] = []
    pauses: list[tuple[int, int, Arrival]] = []
    became: dict[int, tuple[int, ServedCall | RefusedCall]] = {}

    def end_until(until: int) -> None:
        """Completions come first."""
        while ends and ends[0][0] <= until:
            clock.now_us, _, call = heappop(ends)
            running.end(call)

    def go_on(at: int, place: int, arrival: Arrival) -> None:
        end_until(at)
        clock.now_us = at
        step = running.go_on(arrival)
        if isinstance(step, Pause):
            heappush(pauses, (step.until_us, place, arrival))
            return
        became[place] = (at, step)
        if isinstance(step, ServedCall):
            heappush(ends, (at + step.plan.duration_us, place, step))

    def come_back(before: int) -> None:
        while pauses and pauses[0][0] < before:
            go_on(*heappop(pauses))

    now, listed, arrivals = START, [], []
    for number, (gap, letters, most) in enumerate(calls):
        now += gap
        come_back(now)
        end_until(now)
        clock.now_us = now
        prompts = front.read({"messages": [{"role": "user", "content": "abcd" * letters}], "max_tokens": most})
        arrivals.append(now)
        listed.append(running.arrive(front, prompts, streamed=False))
        go_on(now, number, listed[-1])
    come_back(now + 10**15)
    end_until(now + 10**16)

    assert front.gateway.under_way == 0 and len(became) == len(calls)
    rows = []
    for place, arrival in enumerate(listed):
        plan = arrival.plans[model.name]
        step = became[place][1]
        counted = arrival.prompts.by_model[model.name][0]
        tokens = step.tokens if isinstance(step, ServedCall) else ArrivingCall(counted.input_tokens, 0)
        rows.append(
            Call(
                arrivals[place],
                tokens.uncached,
                plan.output,
                cached=tokens.cached,
                written=tokens.written,
                max_tokens=counted.max_tokens,
                duration_us=plan.duration_us,
            )
        )
    run = replay_route(CallTrace.of(rows), route, model, assumed_max_tokens=assumed)
    reasons = list(FailureReason)
    for place in range(len(calls)):
        at, step = became[place]
        if isinstance(step, ServedCall):
            outcome = next(index for index, each in enumerate(named) if each.name == step.decision.place.name)
        else:
            outcome = -1 - reasons.index(step.given_up.reason)
        assert outcome == run.outcome[place]
        assert at - arrivals[place] == run.waited_us[place]
        assert sum(each.status == 429 for each in listed[place].way.tries) == run.tries_429[place]
    for index, backend in enumerate(run.backends):
        said = [each.status for arrival in listed for each in arrival.way.tries if each.backend == index]
        counted_there = (said.count(200), said.count(429), said.count(400), said.count(503))
        assert counted_there == (
            backend.served,
            backend.responses_429,
            backend.responses_400,
            backend.responses_503,
        )
        place_of = front.gateway.places[index]
        assert place_of.statuses == {status: said.count(status) for status in set(said)}
        assert front.gateway.served[index] == backend.served
    assert sum(front.gateway.statuses.values()) == len(calls)


# By hand. 60 PTU of Alder drain 1,000 a second, and hold 10,000 in a window of 10 s.


def test_a_call_that_fails_comes_back_when_the_first_full_backend_has_room() -> None:
    # 10,500: full for 0.5 s; the other is refused until its minute ends, in 58 s
    both = gateway(PTU, Standard(name="rest", tpm=6000, priority=2))
    assert asked(both, START, 10_500).place.name == "ptu"
    assert asked(both, START + 1, 6000).place.name == "rest"
    found = asked(both, START + 1, 1)
    assert found == GivenUp(429, FailureReason.THROTTLED, both.places[1], 500_000)
    assert [each.statuses for each in both.places] == [{429: 2}, {429: 1}]


def test_a_pause_takes_its_time_off_the_wait() -> None:
    one = gateway(PTU, failover_ms=200)
    asked(one, START, 10_500)
    call = one.begin(START)
    tokens = ArrivingCall(1, 0)
    assert one.go_on(START, call, lambda _: tokens) == Pause(START + 200_000)
    found = one.go_on(START + 200_000, call, lambda _: tokens)
    assert isinstance(found, GivenUp) and found.retry_after_us == 300_000


def test_an_answer_is_heard_once_and_then_waited_for() -> None:
    one = gateway(PTU, failover_ms=200, wait=WaitWhere.HERE, attempts_per_backend=2)
    asked(one, START, 10_500)
    call = one.begin(START)
    steps = [one.go_on(START + at, call, lambda _: ArrivingCall(1, 0)) for at in (0, 200_000, 700_000)]
    assert steps[:2] == [Pause(START + 200_000), Pause(START + 700_000)]  # refused for 0.5 s, known after 0.2 s
    assert isinstance(steps[2], Decision) and [each.status for each in call.tries] == [429, 200]


def test_a_client_is_not_sent_back_before_the_breaker_closes() -> None:
    one = gateway(PTU, failover_ms=200, trip_on_retry_after=True)
    asked(one, START, 10_500)
    call = one.begin(START)
    one.go_on(START, call, lambda _: ArrivingCall(1, 0))
    found = one.go_on(START + 200_000, call, lambda _: ArrivingCall(1, 0))
    assert isinstance(found, GivenUp) and found.retry_after_us == 500_000  # there is room after 0.3 s, but no way


def test_a_wait_that_is_over_is_a_millisecond() -> None:
    one = gateway(PTU, failover_ms=900)
    asked(one, START, 10_500)
    call = one.begin(START)
    one.go_on(START, call, lambda _: ArrivingCall(1, 0))
    found = one.go_on(START + 900_000, call, lambda _: ArrivingCall(1, 0))
    assert isinstance(found, GivenUp) and (found.status, found.retry_after_us) == (429, 1000)


def test_what_is_down_names_no_time_and_a_full_one_does() -> None:
    down = Provisioned(name="a", ptu=60, down=(Outage(START, START + MINUTE),), priority=2)
    alone = gateway(down)
    assert asked(alone, START) == GivenUp(503, FailureReason.DOWN, alone.places[0], 0)
    both = gateway(PTU, down)
    asked(both, START, 10_500)
    found = asked(both, START)
    assert (found.status, found.reason, found.place.name) == (503, FailureReason.DOWN, "a")
    assert found.retry_after_us == 500_000  # the first one's


def test_a_breaker_that_opened_for_a_503_promises_nothing_to_a_call_that_was_refused_elsewhere() -> None:
    down = Provisioned(name="a", ptu=60, down=(Outage(START, START + MINUTE),))
    both = gateway(down, Standard(name="rest", tpm=6000, priority=2), trip_when_down_ms=1000)
    assert asked(both, START, 6000).place.name == "rest"
    found = asked(both, START + 1)
    assert (found.status, found.retry_after_us) == (429, MINUTE)  # rounded up to whole milliseconds
    assert both.out_for_us(0, START + 1) == SECOND - 1 and both.out_for_us(1, START + 1) == 0


def test_with_every_breaker_open_a_call_gets_503_until_the_first_closes() -> None:
    down = Provisioned(name="a", ptu=60, down=(Outage(START, START + MINUTE),))
    one = gateway(down, trip_when_down_ms=1000)
    assert asked(one, START).reason is FailureReason.DOWN
    assert asked(one, START + 1) == GivenUp(503, FailureReason.NONE_IN_ROTATION, None, SECOND)
    full = gateway(PTU, trip_on_retry_after=True)
    asked(full, START, 10_500)
    assert asked(full, START).status == 429
    assert asked(full, START + 1) == GivenUp(503, FailureReason.NONE_IN_ROTATION, None, 500_000)


def test_a_prompt_that_no_backend_takes_is_a_bad_request() -> None:
    limited = gateway(PTU, model=LARCH)
    found = asked(limited, START, 1001)
    assert (found.status, found.prompt_limit, found.retry_after_us) == (400, 1000, 0)
    assert limited.places[0].statuses == {400: 1}


def test_a_client_that_leaves_takes_no_answer_away_from_the_breaker() -> None:
    both = gateway(PTU, REST, failover_ms=1000, trip_on_retry_after=True)
    asked(both, START, 12_500)
    call = both.begin(START)
    assert isinstance(both.go_on(START, call, lambda _: ArrivingCall(1, 0)), Pause)
    assert both.under_way == 1 and both.out_for_us(0, START) == 0
    both.leave(START + 100, call)
    assert both.under_way == 0 and both.out_for_us(0, START + 100) == 2_500_000


def test_backends_have_the_weight_of_output_that_their_model_lacks() -> None:
    route = Route(backends=(PTU, Standard(name="s", model=a_model("Birch"))), relative_clock=True)
    first, second = backends_of(FrontDoor("door", ALDER, route), 7)  # type: ignore[arg-type]
    assert (first.model, first.output_weight, first.relative_clock) == (ALDER, 7, True)
    assert second.model.name == "Birch"


def test_times_of_down_count_from_the_start() -> None:
    down = Provisioned(name="a", ptu=60, down=(Outage(SECOND, 2 * SECOND),))
    route = Route(backends=(down,), relative_clock=True)
    door, clock = FrontDoor("door", ALDER, route), Hand(START)
    running = emulator(*backends_of(door), door=door, clock=clock)
    place = running.rehearsal.places["a"]
    answers = []
    for _ in range(3):
        answers.append(place.arrive(clock.now_us, ArrivingCall(1, 1)).__class__.__name__)
        clock.now_us += SECOND
    assert answers == ["Admitted", "Down", "Admitted"]
    same = Route(backends=(down,), relative_clock=False)
    running = emulator(*backends_of(FrontDoor("door", ALDER, same)), clock=clock)
    assert running.rehearsal.places["a"].deployment.backend.down == down.down


def test_a_gateway_has_a_name_of_its_own() -> None:
    door = FrontDoor("PTU", ALDER, Route(backends=(PTU,)))
    with pytest.raises(BadInput, match="a name that no backend has"):
        emulator(*backends_of(door), door=door)


def test_the_gateways_metrics_are_by_both_answers() -> None:
    clock = Hand(START)
    door = FrontDoor("door", ALDER, Route(backends=(PTU, REST), retry=Retry(attempts=1), failover_ms=500))
    running = emulator(*backends_of(door), door=door, clock=clock, shape=AnswerShape(shortest=1, longest=1))
    front = running.front
    assert front is not None
    letters = {"messages": [{"role": "user", "content": "abcd" * 12_000}], "max_tokens": 1}
    served = running.go_on(running.arrive(front, front.read(letters), streamed=True))
    refused = running.arrive(front, front.read(letters), streamed=True)
    assert isinstance(served, ServedCall) and isinstance(running.go_on(refused), Pause)
    clock.now_us += 500_000
    assert isinstance(running.go_on(refused), RefusedCall)
    clock.now_us += 500_000
    running.end(served)
    clock.now_us += MINUTE
    document = gateway_document(front.gateway, from_us=START, now_us=clock.now_us)
    assert document["namespace"] == "Microsoft.ApiManagement/service"
    requests, whole, backend = document["value"]
    assert requests["name"]["value"] == "Requests" and "/Microsoft.ApiManagement/service/" in requests["id"]
    series = {
        tuple(each["value"] for each in one["metadatavalues"]): [point["total"] for point in one["data"]]
        for one in requests["timeseries"]
    }
    assert series == {("200", "200"): [1, 0], ("429", "429"): [1, 0]}
    # 1 s and 0.5 s, of which the backend took 1 s of one: 750 ms and 500 ms
    assert [one["timeseries"][0]["data"][0]["average"] for one in (whole, backend)] == [750.0, 500.0]
    assert "average" not in whole["timeseries"][0]["data"][1]
    of_backends = monitor_document(running.rehearsal, from_us=START, now_us=clock.now_us)["value"][0]["timeseries"]
    assert {
        tuple(each["value"] for each in one["metadatavalues"])[::2][:2]: one["data"][0]["total"] for one in of_backends
    } == {("ptu", "200"): 1, ("ptu", "429"): 1}


def test_kinds_of_answers_have_their_status() -> None:
    from ptucalc.gateway import STATUS

    assert {kind: status for kind, status in STATUS.items() if kind is not AnswerKind.SERVED} == {
        kind: int(kind.value) for kind in AnswerKind if kind is not AnswerKind.SERVED
    }
