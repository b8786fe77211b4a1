"""A load played on a clock that jumps: when calls start, how many there are at once, what ends a benchmark."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from fractions import Fraction

import pytest

from ptucalc.bench_samples import Outcome, Refusal, Sample
from ptucalc.bench_schedule import CallSize, Closed, Load, Planned, Ramp, Timed
from ptucalc.call_trace import Call, CallTrace
from ptucalc.measure.run import Limits, Played, Run

SECOND = 1_000_000
SIZE = CallSize(10, 0, 5)


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next thing that is to happen: no test waits."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = 1000.0

    def time(self) -> float:
        return self.moment

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self.moment = max(self.moment, self._scheduled[0]._when)
        super()._run_once()


class Service:
    """Answers after a time: `takes` of a call's number. `outcome` says how."""

    def __init__(
        self,
        takes: Callable[[int], float] = lambda _: 0.1,
        outcome: Callable[[Planned], Outcome] = lambda _: Outcome.SERVED,
        error: str = "",
        retry_after_ms: int | None = 10,
    ) -> None:
        self.takes, self.outcome, self.error, self.retry_after_ms = takes, outcome, error, retry_after_ms
        self.at_once = self.most_at_once = 0
        self.started: list[tuple[int, int]] = []
        self.run: Run | None = None

    async def __call__(self, planned: Planned, intended_us: int, may_send: Callable[[], bool]) -> Sample:
        assert self.run is not None
        sent = self.run.now_us()
        self.started.append((planned.number, sent))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        sample = Sample(planned, Outcome.UNFINISHED, intended_us, sent, sent)
        try:
            await asyncio.sleep(self.takes(planned.number))
        except asyncio.CancelledError:
            return sample._replace(finished_us=self.run.now_us())
        finally:
            self.at_once -= 1
        outcome = self.outcome(planned)
        refusals = (Refusal(sent, self.run.now_us(), self.retry_after_ms),) if outcome is Outcome.THROTTLED else ()
        error = self.error if outcome is Outcome.FAILED else ""
        return sample._replace(outcome=outcome, finished_us=self.run.now_us(), refusals=refusals, error=error)


def play(
    load: Load, service: Service, *, requests: int = 10_000, at_once: int = 1000, stop_after: float | None = None
) -> Played:
    run = Run(load, Limits(requests=requests, at_once=at_once), service)
    service.run = run

    async def whole() -> Played:
        if stop_after is not None:
            asyncio.get_running_loop().call_later(stop_after, run.stop, "interrupt")
        return await run.play()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(whole())


def every_second(calls: int) -> Timed:
    trace = CallTrace.of([Call(n * SECOND, 10, 5) for n in range(calls)])
    return Timed(calls=trace, duration_us=calls * SECOND, from_zero=True)


def ramp() -> Ramp:
    return Ramp(size=SIZE, from_rpm=Fraction(60), to_rpm=Fraction(240), by_rpm=Fraction(60), step_us=2 * SECOND)


def test_calls_start_on_time_whatever_earlier_ones_take() -> None:
    service = Service(takes=lambda number: 30 if number == 0 else 0.1)
    played = play(every_second(10), service)
    assert [sent for _, sent in service.started] == [n * SECOND for n in range(10)]
    assert (played.stopped_by, played.until_us, len(played.samples)) == ("done", 10 * SECOND, 10)


def test_a_call_that_had_to_wait_for_room_is_late_from_when_it_was_to_start() -> None:
    # One at once, each takes 3 s, one is to start every second: the third starts 4 s late and is answered 7 s after its time.
    service = Service(takes=lambda _: 3)
    played = play(every_second(3), service, at_once=1)
    assert service.most_at_once == 1
    by_number = sorted(played.samples, key=lambda sample: sample.planned.number)
    assert [sample.sent_us for sample in by_number] == [0, 3 * SECOND, 6 * SECOND]
    assert [sample.intended_us for sample in by_number] == [0, SECOND, 2 * SECOND]
    assert [sample.end_to_end_us for sample in by_number] == [3 * SECOND, 5 * SECOND, 7 * SECOND]


def test_what_is_under_way_at_the_end_is_waited_for() -> None:
    played = play(every_second(2), Service(takes=lambda _: 50))
    assert [sample.outcome for sample in played.samples] == [Outcome.SERVED] * 2
    assert played.until_us == 2 * SECOND


def test_an_interrupt_keeps_what_there_is_and_gives_up_the_rest() -> None:
    service = Service(takes=lambda number: 0.1 if number < 3 else 100)
    played = play(every_second(60), service, stop_after=5.5)
    outcomes = [sample.outcome for sample in played.samples]
    assert (outcomes.count(Outcome.SERVED), outcomes.count(Outcome.UNFINISHED)) == (3, 3)
    assert (played.stopped_by, played.until_us) == ("interrupt", 5_500_000)


def test_an_interrupt_while_waiting_for_the_last_answers_ends_at_once() -> None:
    played = play(every_second(2), Service(takes=lambda _: 10_000), stop_after=8)
    assert [sample.finished_us for sample in played.samples] == [8 * SECOND] * 2
    assert (played.stopped_by, played.until_us) == ("interrupt", 2 * SECOND)


def test_callers_call_again_when_they_are_answered_until_the_time_is_over() -> None:
    service = Service(takes=lambda _: 0.4)
    played = play(Closed(size=SIZE, concurrency=3, duration_us=SECOND), service)
    # Each of three callers calls at 0, 0.4 and 0.8 s.
    assert sorted(sent for _, sent in service.started) == [0] * 3 + [400_000] * 3 + [800_000] * 3
    assert (service.most_at_once, played.until_us, played.stopped_by) == (3, SECOND, "done")
    assert all(sample.intended_us == sample.sent_us for sample in played.samples)


def refusing(*numbers: int, retry_after_ms: int | None) -> Service:
    """Takes 0.1 s for a call; these end in a 429."""
    return Service(
        outcome=lambda planned: Outcome.THROTTLED if planned.number in numbers else Outcome.SERVED,
        retry_after_ms=retry_after_ms,
    )


def starts(service: Service) -> list[int]:
    return sorted(sent // 1000 for _, sent in service.started)


def test_a_caller_that_met_a_429_calls_again_after_its_retry_after() -> None:
    service = refusing(0, retry_after_ms=300)
    play(Closed(size=SIZE, concurrency=1, duration_us=SECOND), service)
    assert starts(service) == [0, 400, 500, 600, 700, 800, 900]
    # The other caller does not wait.
    service = refusing(0, retry_after_ms=500)
    play(Closed(size=SIZE, concurrency=2, duration_us=SECOND), service)
    assert starts(service) == [0, 0, 100, 200, 300, 400, 500, 600, 600, 700, 700, 800, 800, 900, 900]


def test_a_429_that_names_no_wait_is_waited_out_for_a_second() -> None:
    service = refusing(0, retry_after_ms=None)
    play(Closed(size=SIZE, concurrency=1, duration_us=3 * SECOND // 2), service)
    assert starts(service) == [0, 1100, 1200, 1300, 1400]


def test_nobody_waits_for_a_retry_after_once_no_more_calls_are_to_start() -> None:
    for load, requests in ((Closed(size=SIZE, concurrency=1, duration_us=SECOND), 10), (every_second(1), 10)):
        service = refusing(0, retry_after_ms=10**8)
        began = time.monotonic()
        played = play(load, service, requests=requests)
        assert (played.until_us, len(played.samples)) == (SECOND, 1)
        assert time.monotonic() - began < 5
    ends: list[int] = []
    service = refusing(1, retry_after_ms=10**8)
    run = Run(Closed(size=SIZE, concurrency=2, duration_us=10**9), Limits(requests=2, at_once=2), service)
    service.run = run

    async def whole() -> None:
        await run.play()
        ends.append(run.now_us())

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(whole())
    assert (run.played.stopped_by, ends) == ("cap", [SECOND // 10])


def test_a_rate_does_not_wait_for_a_retry_after() -> None:
    service = refusing(0, 1, 2, retry_after_ms=5000)
    play(every_second(4), service)
    assert starts(service) == [0, 1000, 2000, 3000]


def test_calls_that_the_limit_under_way_held_back_are_counted() -> None:
    assert play(every_second(3), Service(takes=lambda _: 3), at_once=1).held_back == 2
    assert play(every_second(3), Service(takes=lambda _: 3), at_once=3).held_back == 0
    assert play(every_second(3), Service(takes=lambda _: 1.5), at_once=2).held_back == 0
    assert play(Closed(size=SIZE, concurrency=1, duration_us=SECOND), Service(), at_once=1).held_back == 0


def test_callers_that_get_no_answer_stop_when_the_time_is_over() -> None:
    service = Service(takes=lambda _: 77)
    played = play(Closed(size=SIZE, concurrency=2, duration_us=SECOND), service)
    assert (len(service.started), played.until_us, played.stopped_by) == (2, SECOND, "done")


def test_no_more_requests_are_sent_than_the_cap() -> None:
    played = play(every_second(10), Service(), requests=4)
    assert (len(played.samples), played.stopped_by, played.until_us) == (4, "cap", 4 * SECOND)
    closed = play(Closed(size=SIZE, concurrency=2, duration_us=100 * SECOND), Service(), requests=5)
    assert (len(closed.samples), closed.stopped_by) == (5, "cap")


def test_a_cap_that_is_just_reached_stops_nothing() -> None:
    assert play(every_second(10), Service(), requests=10).stopped_by == "done"


def test_a_ramp_ends_with_the_step_that_meets_a_429() -> None:
    # 60, 120, 180 and 240 a minute for 2 s each: 2, 4, 6 and 8 calls.
    service = Service(outcome=lambda planned: Outcome.THROTTLED if planned.number == 3 else Outcome.SERVED)
    played = play(ramp(), service)
    assert (len(service.started), played.stopped_by, played.until_us) == (6, "ramp", 4 * SECOND)


def test_a_ramp_without_a_429_is_played_to_its_end() -> None:
    service = Service()
    played = play(ramp(), service)
    assert (len(service.started), played.stopped_by, played.until_us) == (20, "done", 8 * SECOND)


def test_a_429_in_the_last_step_ends_nothing_early() -> None:
    service = Service(outcome=lambda planned: Outcome.THROTTLED if planned.step == 3 else Outcome.SERVED)
    assert play(ramp(), service).stopped_by == "done"


@pytest.mark.parametrize("error", ["http_401", "http_404", "connect", "http_400"])
def test_calls_that_can_never_succeed_end_it_early(error: str) -> None:
    service = Service(outcome=lambda _: Outcome.FAILED, error=error)
    played = play(every_second(60), service)
    assert (len(played.samples), played.stopped_by) == (3, "errors")


def test_failures_that_may_pass_do_not_end_it() -> None:
    assert play(every_second(20), Service(outcome=lambda _: Outcome.FAILED, error="http_500")).stopped_by == "done"
    mixed = Service(outcome=lambda p: Outcome.SERVED if p.number == 0 else Outcome.FAILED, error="http_400")
    assert play(every_second(20), mixed).stopped_by == "done"


def test_a_further_try_is_a_request_too() -> None:
    run = Run(every_second(1), Limits(requests=2, at_once=1), Service())
    assert [run.may_send() for _ in range(3)] == [True, True, False]
