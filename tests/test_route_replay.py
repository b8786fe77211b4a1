"""Calls along a route: by hand, and against the simulators of one deployment.

Alder's PTU serve 1,000 weighted tokens a minute; 60 of them drain 1,000 a second, and hold 10,000 in a window of 10 s.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptucalc.call_trace import Call, CallTrace
from ptucalc.catalog import LongContext, Unknown
from ptucalc.errors import BadInput
from ptucalc.route_replay import replay_route
from ptucalc.router import FailureReason
from ptucalc.routing import Outage, Provisioned, Retry, Route, Standard, WaitWhere
from ptucalc.simulated_runs import CallTokens, Policy, TokenSums, Waits
from ptucalc.simulation import simulate
from ptucalc.standard_limits import simulate_standard

from .invented import a_model, weights

F = Fraction
SECOND = 1_000_000
MINUTE = 60 * SECOND
THROTTLED, TOO_LONG, DOWN, NONE = FailureReason
PTU = Provisioned(name="ptu", ptu=60, window_us=10 * SECOND, priority=1)
REST = Standard(name="rest", priority=2)


def calls(*times, tokens=6000, output=0, **given):
    """Calls of so many input tokens at these seconds, which end at once."""
    listed = [Call(int(F(str(at)) * SECOND), tokens, output, duration_us=0, **given) for at in times]
    return CallTrace.of(listed)


def routed(trace, *backends, model=None, failover_ms=0, seed=0, **retry):
    route = Route(backends=backends, retry=Retry(**retry), failover_ms=failover_ms, seed=seed, relative_clock=None)
    return replay_route(trace, route, model or a_model())


# By hand


def test_what_ptu_refuse_the_next_backend_serves():
    # levels: 6,000; 5,000 + 6,000; 10,000 is full; 9,000 is not
    run = routed(calls(0, 1, 2, 3), PTU, REST)
    assert run.outcome == [0, 0, 1, 0] and run.tries_429 == [0, 0, 1, 0]
    ptu, rest = run.backends
    assert (ptu.tries, ptu.served, ptu.responses_429, ptu.throttled_minutes) == (4, 3, 1, 1)
    assert (rest.tries, rest.served, rest.responses_429, rest.utilization) == (1, 1, 0, None)
    assert rest.tokens == TokenSums(CallTokens(6000)) and ptu.tokens == TokenSums(CallTokens(18_000))
    assert (run.served, run.failed, run.throttled_429, run.tokens) == (4, 0, 1, CallTokens(24_000))
    assert run.share(rest.served) == F(1, 4)


def test_what_no_backend_takes_fails():
    run = routed(calls(0, 1, 2, 3), PTU)
    assert run.outcome == [0, 0, -1, 0] and run.failed_by == {THROTTLED: 1, TOO_LONG: 0, DOWN: 0, NONE: 0}
    assert run.tokens_failed == CallTokens(6000) and run.wait_ms == Waits(F(0), 0, 0)


def test_a_backend_is_passed_by_while_it_is_out_of_rotation():
    # at 2 s the level is 10,500: full for half a second more; at 2.499 s it is not asked, at 2.5 s it is, and full: 10,000
    trace = calls(0, 1, 2, "2.499", "2.5", "2.501", tokens=6250)
    run = routed(trace, PTU, REST, trip_on_retry_after=True)
    assert run.outcome == [0, 0, 1, 1, 1, 0] and run.backends[0].responses_429 == 2
    assert routed(trace, PTU, REST).backends[0].responses_429 == 3


def test_a_backend_that_is_down_answers_503_just_as_long():
    down = Provisioned(name="ptu", ptu=60, down=(Outage(2 * SECOND, 3 * SECOND),))
    run = routed(calls(0, 2, "2.9", 3, tokens=1), down, REST.__class__(name="rest", priority=2))
    assert run.outcome == [0, 1, 1, 0] and run.backends[0].responses_503 == 2 and run.throttled_429 == 0
    run = routed(calls(0, 2, "2.9", "3.1", tokens=1), down, REST, trip_when_down_ms=1100)
    assert run.outcome == [0, 1, 1, 0] and run.backends[0].responses_503 == 1
    assert routed(calls(2), down).failed_by[DOWN] == 1


def test_a_standard_backend_that_is_down_counts_no_calls():
    down = Standard(name="a", tpm=6000, down=(Outage(0, SECOND),))
    assert routed(calls(0, 1), down).outcome == [-3, 0]


def test_a_standard_backend_says_when_its_minute_or_window_begins_anew():
    # 6,000 TPM: the second call is refused until 60 s; 6 RPM over 10 s: one call in each
    slow = {"attempts_per_backend": 2, "wait": WaitWhere.HERE}
    run = routed(calls(1, 2), Standard(name="a", tpm=6000), **slow)
    assert (
        run.outcome == [0, 0] and run.waited_us == [0, 58 * SECOND] and run.wait_ms == Waits(F(29_000), 58_000, 58_000)
    )
    run = routed(calls(1, 2), Standard(name="a", rpm=6, rpm_window_seconds=10), **slow)
    assert run.waited_us == [0, 8 * SECOND]
    run = routed(calls(1, 2), Standard(name="a", tpm=6000, rpm=6, rpm_window_seconds=10), **slow)
    assert run.waited_us == [0, 58 * SECOND]  # both limits: the later one


def test_a_refused_try_counts_at_standard_too():
    # 12,000 TPM: the third call is refused and counts, so that a small one after it is refused as well
    trace = CallTrace.of([Call(0, 6000, 0), Call(1, 6001, 0), Call(2, 1, 0)])
    assert routed(trace, Standard(name="a", tpm=12_000)).outcome == [0, -1, -1]


def test_a_failover_takes_the_time_that_it_is_said_to():
    run = routed(calls(0, 1, 2, 3), PTU, REST, failover_ms=250)
    assert run.outcome == [0, 0, 1, 0] and run.waited_us == [0, 0, 250_000, 0]
    run = routed(calls(0, 1, 2), PTU, failover_ms=250)
    assert run.outcome[2] == -1 and run.waited_us[2] == 250_000  # failing takes as long


def test_an_answer_takes_a_backend_out_of_rotation_only_when_it_has_arrived():
    # refused at 2 s (10,500), known at 2.4 s, out for 0.5 s from then on
    trace = calls(0, 1, 2, "2.3", "2.45", "2.89", "2.91", tokens=6250)
    run = routed(trace, PTU, REST, failover_ms=400, trip_on_retry_after=True)
    assert run.tries_429 == [0, 0, 1, 1, 0, 0, 0] and run.outcome == [0, 0, 1, 1, 1, 1, 0]


def test_prompts_over_the_limit_go_on_at_once_and_take_no_room():
    model = a_model(prompt_limit_tokens=6000)
    trace = CallTrace.of([Call(0, 6001, 0), Call(0, 6000, 0)])
    run = routed(trace, PTU, REST, model=model)
    assert run.outcome == [1, 0] and run.backends[0].responses_400 == 1 and run.throttled_429 == 0
    run = routed(trace, PTU, model=model, attempts_per_backend=3, wait=WaitWhere.HERE)
    assert run.outcome == [-2, 0] and run.failed_by[TOO_LONG] == 1 and run.backends[0].tries == 2


def test_each_backend_weighs_calls_by_its_own_model():
    heavy = a_model("Birch", tpm_per_ptu=500, long_context=LongContext(5999, "a test", weights()))
    other = Provisioned(name="other", ptu=60, window_us=10 * SECOND, priority=2, model=heavy)
    # 500 a second, 5,000 held: in at 0, full at 6,000 and 5,500
    run = routed(calls(0, 0, 0, 0, "0.5", "0.5", "0.5", "0.5"), PTU, other)
    assert run.outcome == [0, 0, 1, -1, -1, -1, -1, -1]
    assert run.backends[0].tokens == TokenSums(CallTokens(12_000))
    assert run.backends[1].tokens == TokenSums(CallTokens(), CallTokens(6000))


def test_a_prompt_at_the_threshold_is_no_long_context_yet():
    model = a_model(long_context=LongContext(6000, "a test", weights()))
    assert routed(calls(0), REST, model=model).backends[0].tokens == TokenSums(CallTokens(6000))
    run = routed(calls(0, tokens=6001), REST, model=model)
    assert run.backends[0].tokens == TokenSums(CallTokens(), CallTokens(6001))


def test_a_call_that_ends_as_another_arrives_has_made_room_for_it():
    # 1,000 + 3 x 4,000 reserved; a second later 12,000 are left, and 12,000 are given back
    listed = [Call(0, 1000, 0, max_tokens=4000, duration_us=SECOND), Call(SECOND, 1, 0), Call(SECOND - 1, 1, 0)]
    assert routed(CallTrace.of(listed), PTU).outcome == [0, -1, 0]


def test_calls_at_one_moment_arrive_before_those_that_come_back():
    # full at 2 s for 1 ms (10,000): the call that comes back at 2.001 s finds the new one before it
    run = routed(calls(0, 1, 2, "2.001", tokens=6000), PTU, attempts_per_backend=2, wait=WaitWhere.HERE)
    assert run.outcome == [0, 0, -1, 0] and run.tries_429 == [0, 0, 2, 0]


def test_what_cannot_be_replayed_is_refused_with_every_reason():
    unknown = a_model(tpm_per_ptu=Unknown("nobody said"))
    with pytest.raises(BadInput) as error:
        replay_route(CallTrace.of([]), Route(backends=(PTU,), relative_clock=True), unknown)
    assert [problem.field for problem in error.value.problems] == ["calls", "backends", "backends[0].model"]
    gone = Standard(name="gone", down=(Outage(0, 5),))
    with pytest.raises(BadInput) as error:
        replay_route(calls(0), Route(backends=(REST, gone), relative_clock=True), a_model())
    assert [problem.field for problem in error.value.problems] == ["backends[1].down"]
    with pytest.raises(BadInput, match="such as 90m, as the calls have, got times of day"):
        replay_route(
            CallTrace.of([Call(0, 1, 1)], relative_clock=True), Route(backends=(PTU,), relative_clock=False), a_model()
        )
    assert replay_route(calls(0), Route(backends=(REST,), relative_clock=False), unknown).served == 1


# Against the simulators

CALL = st.builds(
    Call,
    arrival_us=st.integers(0, 2000).map(lambda at: 7 * MINUTE + at * 100_000),
    uncached=st.integers(0, 5000),
    output=st.integers(0, 1000),
    cached=st.integers(0, 500),
    written=st.sampled_from([0, 0, 300]),
    max_tokens=st.one_of(st.none(), st.integers(0, 2000)),
    duration_us=st.one_of(st.none(), st.sampled_from([0, 100_000, 1_000_000, 30_000_000])),
)
TRACE = st.lists(CALL, min_size=1, max_size=40).map(CallTrace.of)
PLACE = {"ptu": st.integers(1, 200), "window": st.sampled_from([1, 10, 60])}


def the_same(run, found, trace):
    """A run of [PTU], or of [PTU, all the rest], is what `simulate` found, in calls, tokens, times and levels."""
    ptu, rest = run.backends[0], run.backends[1:]
    assert (ptu.served, ptu.tokens, ptu.utilization) == (found.served, found.tokens_served, found.utilization)
    assert (ptu.responses_429, ptu.throttled_minutes) == (found.responses_429, found.throttled_minutes)
    assert (run.throttled_429, run.wait_ms, run.failed) == (found.throttled_429, found.wait_ms, found.failed)
    assert (sum(each.served for each in rest), ptu.responses_400) == (found.spilled, found.over_prompt_limit)
    spilled = rest[0].tokens if rest else TokenSums()
    assert spilled == found.tokens_spilled and run.tokens_failed == found.tokens_failed.total
    assert found.replay is not None
    assert [0 if outcome == 0 else 1 for outcome in run.outcome] == [min(each, 1) for each in found.replay.outcome]
    assert list(run.tries_429) == list(found.replay.tries_429)
    assert [us // 1000 for us in run.waited_us] == list(found.replay.wait_ms)


@settings(max_examples=60, deadline=None)
@given(
    trace=TRACE,
    **PLACE,
    policy=st.sampled_from(list(Policy)),
    retries=st.integers(0, 4),
    assumed=st.sampled_from([None, 700]),
    limit=st.sampled_from([None, 4000]),
    where=st.sampled_from([WaitWhere.HERE, WaitWhere.LAST]),
)
def test_a_route_of_ptu_with_or_without_a_boundless_rest_is_the_policy_of_simulate(
    trace, ptu, window, policy, retries, assumed, limit, where
):
    model = a_model(prompt_limit_tokens=limit, long_context=LongContext(3000, "a test", weights(output="7/2")))
    found = simulate(
        trace,
        model,
        ptu=ptu,
        window=window,
        policy=policy,
        max_retries=retries,
        assumed_max_tokens=assumed,
        largest_ptu=ptu,
        keep_replay=True,
    ).runs[0]
    retry = Retry()
    if policy.retries:
        here = WaitWhere.HERE if policy.spills else where  # with one backend, here and last are the same
        retry = Retry(attempts_per_backend=1 + retries, wait=here)
    backends = (Provisioned(name="ptu", ptu=ptu, window_us=window * SECOND),)
    if policy.spills:
        backends += (REST,)
    run = replay_route(trace, Route(backends=backends, retry=retry), model, assumed_max_tokens=assumed)
    the_same(run, found, trace)


@settings(max_examples=60, deadline=None)
@given(
    trace=TRACE,
    tpm=st.one_of(st.none(), st.integers(1, 30_000)),
    rpm=st.integers(1, 700),
    window=st.sampled_from([1, 10]),
    best_of=st.integers(1, 3),
    assumed=st.sampled_from([None, 700]),
)
def test_a_route_of_standard_alone_is_what_its_limits_refuse(trace, tpm, rpm, window, best_of, assumed):
    counted = {"best_of": best_of, "assumed_max_tokens": assumed}
    found = simulate_standard(trace, tpm=tpm, rpm=rpm, window_seconds=window, **counted)
    route = Route(backends=(Standard(name="a", tpm=tpm, rpm=rpm, rpm_window_seconds=window),))
    run = replay_route(trace, route, a_model(), **counted)
    assert [outcome == 0 for outcome in run.outcome] == [verdict == 0 for verdict in found.verdicts]
    assert run.failed_by[THROTTLED] == found.refused and run.backends[0].throttled_minutes == found.refused_minutes


BACKEND = st.one_of(
    st.builds(
        Provisioned,
        name=st.just("?"),
        ptu=st.integers(1, 100),
        window_us=st.sampled_from([SECOND, 10 * SECOND]),
        priority=st.integers(1, 3),
        weight=st.integers(1, 3),
        down=st.sampled_from([(), (Outage(7 * MINUTE, 8 * MINUTE),)]),
    ),
    st.builds(
        Standard,
        name=st.just("?"),
        tpm=st.sampled_from([None, 1000, 20_000]),
        rpm=st.sampled_from([None, 6, 60]),
        priority=st.integers(1, 3),
        weight=st.integers(1, 3),
        down=st.sampled_from([(), (Outage(8 * MINUTE, 9 * MINUTE),)]),
    ),
)
RETRY = st.builds(
    Retry,
    attempts_per_backend=st.integers(1, 3),
    attempts=st.sampled_from([None, 1, 2, 5]),
    wait=st.sampled_from([WaitWhere.HERE, WaitWhere.LAST]),
    longest_wait_ms=st.sampled_from([None, 0, 500, 70_000]),
    trip_on_retry_after=st.booleans(),
    trip_when_down_ms=st.sampled_from([None, 1, 30_000]),
)


@settings(max_examples=80, deadline=None)
@given(
    trace=TRACE,
    backends=st.lists(BACKEND, min_size=1, max_size=4),
    retry=RETRY,
    failover=st.sampled_from([0, 0, 40]),
    seed=st.integers(0, 3),
)
def test_every_call_ends_once_and_no_token_is_lost_whatever_the_route(trace, backends, retry, failover, seed):
    from dataclasses import replace

    named = tuple(replace(each, name=f"b{index}") for index, each in enumerate(backends))
    route = Route(backends=named, retry=retry, failover_ms=failover, seed=seed)
    run = replay_route(trace, route, a_model())
    assert run.served + run.failed == run.requests == len(trace) == len(run.outcome)
    whole = CallTokens(sum(trace.uncached), sum(trace.cached), sum(trace.written), sum(trace.output))
    assert run.tokens == whole
    for index, each in enumerate(run.backends):
        assert each.served == run.outcome.count(index)
        assert each.tries <= len(trace) * retry.attempts_per_backend
    assert sum(each.responses_429 for each in run.backends) == sum(run.tries_429)
    for place, reason in enumerate(FailureReason):
        assert run.failed_by[reason] == run.outcome.count(-1 - place)
    if retry.attempts is not None:
        assert sum(each.tries for each in run.backends) <= retry.attempts * len(trace)
    if retry.longest_wait_ms is not None and not failover:
        assert run.wait_ms.max <= retry.longest_wait_ms
    again = replay_route(trace, route, a_model())
    assert again.outcome == run.outcome and again.waited_us == run.waited_us
    # what a bucket let in, it lets in without the others too
    for index, each in enumerate(run.backends):
        if isinstance(each.backend, Provisioned) and each.served and not any(run.waited_us):
            alone = trace.taken([place for place, outcome in enumerate(run.outcome) if outcome == index])
            window = Fraction(each.backend.window_us, SECOND)
            found = simulate(alone, a_model(), ptu=each.backend.ptu, window=window, largest_ptu=100).runs[0]
            assert found.served == each.served and found.tokens_served == each.tokens


def test_numpy_columns_and_plain_ones_are_replayed_alike():
    numpy = pytest.importorskip("numpy")
    plain = calls(0, 1, 2, 3, output=5)
    columns = {
        name: numpy.array(getattr(plain, name)) for name in ("uncached", "cached", "written", "output", "duration_us")
    }
    trace = CallTrace(numpy.array(plain.arrival_us), **columns)
    one, two = (routed(each, PTU, REST) for each in (plain, trace))
    assert one == two and all(type(count) is int for count in two.tokens)


def test_calls_that_do_not_say_are_counted():
    trace = CallTrace.of([Call(0, 1, 1), Call(1, 1, 1, max_tokens=5, duration_us=3), Call(2, 1, 1, max_tokens=2)])
    run = routed(trace, PTU)
    assert (run.without_max_tokens, run.without_duration) == (1, 2)
    assert routed(calls(0), REST).without_max_tokens == 1
