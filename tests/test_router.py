"""Which backend is next: priority, weight, rotation, tries and waits."""

from __future__ import annotations

from collections import Counter
from hashlib import shake_128

import pytest

from ptucalc.errors import BadInput
from ptucalc.router import Answer, Failed, FailureReason, Router, Try, Wait
from ptucalc.routing import Outage, Provisioned, Retry, Route, Standard, WaitWhere

MS = 1000
SECOND = 1_000_000
THROTTLED, TOO_LONG, DOWN, NONE = FailureReason


def a_route(*priorities, weights=(), seed=0, **retry):
    """Standard backends of these priorities."""
    given = [*weights, *[1] * len(priorities)]
    backends = tuple(
        Standard(name=f"b{index}", priority=priority, weight=weight)
        for index, (priority, weight) in enumerate(zip(priorities, given, strict=False))
    )
    return Route(backends=backends, retry=Retry(**retry), seed=seed)


def refused(router, now, call, backend, after_ms=1000):
    """The call is sent there, and gets a 429."""
    assert router.choose(now, call) == Try(backend)
    router.report(now, call, backend, Answer.throttled(after_ms * MS))


# Priority and weight


def test_a_backend_of_lower_priority_is_next_only_when_those_before_it_refused():
    router = Router(a_route(2, 1, 3))
    call = router.begin()
    refused(router, 0, call, 1)
    refused(router, 0, call, 0)
    refused(router, 0, call, 2)
    assert router.choose(0, call) == Failed(THROTTLED)
    assert router.choose(0, router.begin()) == Try(1)  # another call begins at the first again


def test_backends_of_one_priority_share_the_calls_by_their_weights():
    router = Router(a_route(1, 1, 2, weights=(3, 1)))
    chosen = Counter(router.choose(0, router.begin()).backend for _ in range(10_000))
    assert set(chosen) == {0, 1}
    assert abs(chosen[0] - 7500) < 4 * (10_000 * 3 / 16) ** 0.5  # four standard deviations


def test_a_seed_gives_the_same_choices_and_another_seed_others():
    def choices(seed):
        router = Router(a_route(1, 1, seed=seed))
        return [router.choose(0, router.begin()).backend for _ in range(100)]

    assert choices(1) == choices(1) != choices(2)


def test_the_choices_are_draws_of_their_own_and_not_those_that_make_arrivals():
    # SHAKE-128 is a standard: with weights 3 and 1 a draw under 3/4 of 2^64 is the first backend
    digest = shake_128(b"ptucalc arrivals 1/7/route/0").digest(8 * 100)
    expected = [0 if int.from_bytes(digest[8 * i : 8 * i + 8], "little") < 3 * 2**62 else 1 for i in range(100)]
    router = Router(a_route(1, 1, weights=(3, 1), seed=7))
    assert [router.choose(0, router.begin()).backend for _ in range(100)] == expected


def test_the_other_of_a_group_is_next_when_one_of_it_refused():
    router = Router(a_route(1, 1, 2, weights=(1, 1)))
    call = router.begin()
    first = router.choose(0, call).backend
    router.report(0, call, first, Answer.throttled(MS))
    assert router.choose(0, call) == Try(1 - first)


# Rotation


def test_a_backend_that_says_retry_after_is_out_of_rotation_for_all_calls_until_just_then():
    router = Router(a_route(1, 2, trip_on_retry_after=True))
    refused(router, 5, router.begin(), 0, after_ms=2)
    assert not router.in_rotation(0, 5 + 2 * MS - 1) and router.in_rotation(0, 5 + 2 * MS)
    assert router.choose(5 + 2 * MS - 1, router.begin()) == Try(1)
    assert router.choose(5 + 2 * MS, router.begin()) == Try(0)


def test_without_a_circuit_breaker_every_call_tries_it():
    router = Router(a_route(1, 2))
    refused(router, 0, router.begin(), 0)
    assert router.choose(0, router.begin()) == Try(0)


def test_a_shorter_retry_after_does_not_bring_a_backend_back_sooner():
    router = Router(a_route(1, 1, 2, trip_on_retry_after=True, trip_when_down_ms=1))
    early, late = router.begin(), router.begin()
    router.report(0, early, 0, Answer.throttled(9 * MS))
    router.report(0, late, 0, Answer.throttled(3 * MS))
    router.report(0, late, 0, Answer.down())
    assert not router.in_rotation(0, 9 * MS - 1)


def test_a_backend_that_is_down_is_out_of_rotation_for_the_time_given_or_not_at_all():
    router = Router(a_route(1, 2, trip_when_down_ms=3))
    router.report(0, router.begin(), 0, Answer.down())
    assert router.choose(3 * MS - 1, router.begin()) == Try(1)
    assert router.choose(3 * MS, router.begin()) == Try(0)
    router = Router(a_route(1, 2, trip_on_retry_after=True))
    router.report(0, router.begin(), 0, Answer.down())
    assert router.choose(0, router.begin()) == Try(0)


def test_a_throttled_backend_does_not_trip_as_one_that_is_down_does():
    router = Router(a_route(1, 2, trip_when_down_ms=3))
    refused(router, 0, router.begin(), 0)
    assert router.choose(0, router.begin()) == Try(0)


def test_a_400_takes_no_backend_out_of_rotation():
    router = Router(a_route(1, 2, trip_on_retry_after=True, trip_when_down_ms=3))
    router.report(0, router.begin(), 0, Answer.too_long())
    assert router.choose(0, router.begin()) == Try(0)


# Giving up


def test_a_call_fails_for_what_the_last_backend_said():
    for answer, reason in ((Answer.throttled(MS), THROTTLED), (Answer.too_long(), TOO_LONG), (Answer.down(), DOWN)):
        router = Router(a_route(1))
        call = router.begin()
        router.report(0, call, 0, answer)
        assert router.choose(0, call) == Failed(reason)


def test_a_call_that_finds_no_backend_in_rotation_fails_without_a_try():
    router = Router(a_route(1, trip_on_retry_after=True))
    refused(router, 0, router.begin(), 0)
    assert router.choose(0, router.begin()) == Failed(NONE)


def test_a_call_tries_no_more_often_than_it_may_in_all():
    router = Router(a_route(1, 2, 3, attempts=2))
    call = router.begin()
    refused(router, 0, call, 0)
    refused(router, 0, call, 1)
    assert router.choose(0, call) == Failed(THROTTLED)


# Waits


def test_a_call_waits_where_it_was_refused_and_goes_on_when_its_tries_there_are_used_up():
    router = Router(a_route(1, 2, attempts_per_backend=2, wait=WaitWhere.HERE))
    call = router.begin()
    refused(router, 0, call, 0, after_ms=7)
    assert router.choose(0, call) == Wait(7 * MS)
    refused(router, 7 * MS, call, 0, after_ms=7)
    refused(router, 7 * MS, call, 1, after_ms=2)
    assert router.choose(7 * MS, call) == Wait(9 * MS)
    refused(router, 9 * MS, call, 1)
    assert router.choose(9 * MS, call) == Failed(THROTTLED)


def test_a_call_that_waits_last_tries_all_others_first_and_then_the_first_that_is_free():
    router = Router(a_route(1, 2, attempts_per_backend=2, wait=WaitWhere.LAST))
    call = router.begin()
    refused(router, 0, call, 0, after_ms=7)
    refused(router, 0, call, 1, after_ms=3)
    assert router.choose(0, call) == Wait(3 * MS)
    refused(router, 3 * MS, call, 1)
    assert router.choose(3 * MS, call) == Wait(7 * MS)
    refused(router, 7 * MS, call, 0)
    assert router.choose(7 * MS, call) == Failed(THROTTLED)


def test_a_call_that_waits_last_waits_for_rotation_too_and_one_that_waits_here_does_not():
    for where, step in ((WaitWhere.LAST, Wait(5 * MS)), (WaitWhere.HERE, Failed(NONE))):
        router = Router(a_route(1, wait=where, trip_on_retry_after=True))
        refused(router, 0, router.begin(), 0, after_ms=5)
        assert router.choose(0, router.begin()) == step


def test_a_call_waits_for_rotation_as_often_as_it_may_try_a_backend():
    # else calls that wait would come back together, one be refused and all the others wait again, for ever
    for tries in (1, 2):
        router = Router(a_route(1, wait=WaitWhere.LAST, attempts_per_backend=tries, trip_on_retry_after=True))
        call, now = router.begin(), 0
        for _ in range(tries):
            router.report(now, router.begin(), 0, Answer.throttled(5 * MS))
            assert router.choose(now, call) == Wait(now + 5 * MS)
            now += 5 * MS
        router.report(now, router.begin(), 0, Answer.throttled(5 * MS))
        assert router.choose(now, call) == Failed(NONE)
        assert router.choose(now + 5 * MS, call) == Try(0)


def test_a_wait_for_its_own_retry_after_is_none_for_rotation():
    router = Router(a_route(1, wait=WaitWhere.LAST, attempts_per_backend=3, trip_on_retry_after=True))
    call = router.begin()
    refused(router, 0, call, 0, after_ms=5)
    assert router.choose(0, call) == Wait(5 * MS) and call.rotations == 0


def test_a_backend_that_said_400_or_503_is_not_tried_again_by_the_call_and_not_waited_for():
    for answer in (Answer.too_long(), Answer.down()):
        for where in (WaitWhere.HERE, WaitWhere.LAST):
            router = Router(a_route(1, attempts_per_backend=9, wait=where))
            call = router.begin()
            router.report(0, call, 0, answer)
            assert isinstance(router.choose(0, call), Failed)


def test_a_wait_is_of_whole_milliseconds():
    router = Router(a_route(1, wait=WaitWhere.LAST, trip_on_retry_after=True))
    refused(router, 0, router.begin(), 0, after_ms=5)
    assert router.choose(1, router.begin()) == Wait(1 + 5 * MS)  # 4.999 ms
    assert router.choose(1000, router.begin()) == Wait(5 * MS)


def test_a_call_waits_no_longer_than_it_may_in_all():
    for longest, step in ((10, Wait(10 * MS)), (9, Try(1))):
        router = Router(a_route(1, 2, attempts_per_backend=3, wait=WaitWhere.HERE, longest_wait_ms=longest))
        call = router.begin()
        refused(router, 0, call, 0, after_ms=6)
        assert router.choose(0, call) == Wait(6 * MS)
        refused(router, 6 * MS, call, 0, after_ms=4)
        assert router.choose(6 * MS, call) == step
    router = Router(a_route(1, attempts_per_backend=2, wait=WaitWhere.LAST, longest_wait_ms=5))
    call = router.begin()
    refused(router, 0, call, 0, after_ms=6)
    assert router.choose(0, call) == Failed(THROTTLED)


def test_a_call_that_may_not_try_again_does_not_wait():
    router = Router(a_route(1, attempts_per_backend=5, attempts=1, wait=WaitWhere.HERE))
    call = router.begin()
    refused(router, 0, call, 0)
    assert router.choose(0, call) == Failed(THROTTLED)


def test_a_call_that_comes_back_to_a_backend_out_of_rotation_goes_on():
    router = Router(a_route(1, 2, attempts_per_backend=2, wait=WaitWhere.HERE, trip_on_retry_after=True))
    call, other = router.begin(), router.begin()
    refused(router, 0, call, 0, after_ms=5)
    assert router.choose(0, call) == Wait(5 * MS)
    router.report(4 * MS, other, 0, Answer.throttled(9 * MS))
    assert router.choose(5 * MS, call) == Try(1)


# The value


def test_a_backend_is_down_from_its_first_microsecond_on_and_before_its_last():
    backend = Standard(name="a", down=(Outage(10, 20), Outage(30, 31)))
    assert [now for now in range(40) if backend.is_down(now)] == [*range(10, 20), 30]


def test_all_that_is_wrong_with_a_route_is_told_at_once():
    with pytest.raises(BadInput) as error:
        Route(
            backends=(
                Provisioned(name="a", ptu=0, window_us=0, priority=-1, weight=0, down=(Outage(5, 5),)),
                Standard(name="A", tpm=0, rpm=0, rpm_window_seconds=60),
            ),
            retry=Retry(attempts_per_backend=2, attempts=0, longest_wait_ms=-1, trip_when_down_ms=0),
            seed=-1,
            failover_ms=-1,
        )
    found = [problem.field for problem in error.value.problems]
    assert found == [
        *(f"backends[0].{name}" for name in ("priority", "weight", "ptu", "window_us", "down[0].to")),
        *(f"backends[1].{name}" for name in ("name", "rpm_window_seconds", "tpm", "rpm")),
        *(f"retry.{name}" for name in ("attempts", "longest_wait_ms", "trip_when_down_ms")),
        *(f"retry.{name}" for name in ("attempts_per_backend", "longest_wait_ms")),
        "seed",
        "failover_ms",
    ]
    with pytest.raises(BadInput, match="at least one backend"):
        Route(backends=())


def test_a_route_at_the_least_that_it_may_say_is_right():
    retry = Retry(attempts_per_backend=1, attempts=1, wait=WaitWhere.LAST, longest_wait_ms=0, trip_when_down_ms=1)
    ptu = Provisioned(name="a", ptu=1, window_us=1, priority=0, weight=1, down=(Outage(0, 1),))
    Route(backends=(ptu, Standard(name="b", tpm=1, rpm=1, rpm_window_seconds=10)), retry=retry)
