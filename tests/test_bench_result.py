"""Calls reduced to figures: which calls count, what is per minute, what is not known."""

from __future__ import annotations

from fractions import Fraction

from ptucalc.bench_result import Failure, Figures, figures_of
from ptucalc.bench_samples import Outcome, Refusal, Sample, Usage
from ptucalc.bench_schedule import CallSize, Planned
from ptucalc.catalog import Unknown

MINUTE = 60_000_000
SIZE = CallSize(10, 0, 5)


def sample(at: int, outcome: Outcome = Outcome.SERVED, **more: object) -> Sample:
    usage = Usage(10, 4, 5) if outcome is Outcome.SERVED else None
    made = Sample(Planned(0, at, SIZE), outcome, at, at + 2000, at + 10_000, usage=usage)
    return made._replace(**more)


def figures(*samples: Sample, start: int = 0, until: int = MINUTE) -> Figures:
    return figures_of(
        samples, from_us=start, until_us=until, weigh=lambda usage: Fraction(usage.input + 2 * usage.output)
    )


def test_only_calls_that_were_to_start_in_the_time_count() -> None:
    found = figures(sample(999), sample(1000), sample(1999), sample(2000), start=1000, until=2000)
    assert (found.requests, found.served, found.length_us) == (2, 2, 1000)


def test_every_call_ends_in_one_way_and_all_are_counted() -> None:
    refused = (Refusal(0, 1000, 40), Refusal(2000, 3000, None))
    found = figures(
        sample(0),
        sample(1, refusals=refused),
        sample(2, Outcome.THROTTLED, refusals=refused[:1]),
        sample(3, Outcome.FAILED, error="timeout", detail="late"),
        sample(4, Outcome.UNFINISHED),
    )
    assert (found.requests, found.served, found.throttled, found.failed, found.unfinished) == (5, 2, 1, 1, 1)
    assert (found.met_429, found.responses_429, found.share_429) == (2, 3, Fraction(2, 5))
    assert found.tries == 1 + 3 + 1 + 1 + 1
    assert (found.retry_after.values, found.retry_after.max, found.retry_after_unnamed) == (2, 40, 1)


def test_failures_are_told_by_kind_the_most_common_first_with_the_first_message() -> None:
    found = figures(
        *(sample(n, Outcome.FAILED, error="http_500", detail=f"no. {n}") for n in range(2)),
        *(sample(n, Outcome.FAILED, error="timeout", detail=f"late {n}") for n in range(3)),
    )
    assert found.failures == (Failure("timeout", 3, "late 0"), Failure("http_500", 2, "no. 0"))


def test_times_are_of_served_calls_in_milliseconds() -> None:
    found = figures(
        sample(0, first_token_us=3000, last_token_us=7000),
        sample(0, Outcome.FAILED, first_token_us=50_000),
    )
    assert (found.end_to_end.values, found.end_to_end.mean) == (1, 10)
    assert (found.to_first_token.mean, found.between_tokens.mean) == (3, 1)
    assert found.start_delay.values == 2


def test_the_clients_own_delay_is_that_of_the_first_try() -> None:
    found = figures(sample(0, sent_us=900_000, refusals=(Refusal(5000, 6000, 1),)))
    assert found.start_delay.max == 5


def test_rates_are_per_minute_of_the_time_whatever_its_length() -> None:
    found = figures(sample(0), sample(1), sample(2), until=MINUTE // 2)
    assert found.per_minute(found.served) == 6
    assert found.tokens == found.finished.tokens == Usage(30, 12, 15)
    assert found.weighted_tpm == 2 * 3 * (10 + 2 * 5)
    assert figures(until=0).per_minute(5) == 0


def test_tokens_that_the_service_did_not_count_are_unknown_and_not_zero() -> None:
    found = figures(sample(0), sample(1, usage=None))
    assert found.tokens is None
    assert found.finished.tokens is None
    assert found.weighted_tpm == Unknown("the service counted no tokens of 1 served calls")
    assert figures(sample(0, Outcome.THROTTLED)).tokens == Usage(0, 0, 0, 0)


def test_rates_are_of_what_was_served_within_the_time_not_of_what_was_to_start_in_it() -> None:
    # 20 calls a second for 4 s at a service of 10 a second, one after the other: the last is served after 8 s.
    second = 1_000_000
    calls = [sample(n * second // 20, sent_us=n * second // 20, finished_us=(n + 1) * second // 10) for n in range(80)]
    found = figures(*calls, until=4 * second)
    assert (found.requests, found.served, found.finished.calls) == (80, 80, 39)  # the 40th ends at 4 s, not before
    assert found.per_minute(found.finished.calls) == 39 * 15
    assert found.finished.tokens == Usage(390, 156, 195)
    assert found.weighted_tpm == 39 * 15 * 20
    assert found.falls_behind
    # The last tenth takes 100 ms x (73 ... 80) less 50 ms x (72 ... 79), in the median the 4th of 8 (3,850 ms); the first 250.
    assert found.slower_by == 3600


def test_what_was_served_in_the_time_counts_though_it_was_to_start_before_it() -> None:
    found = figures(
        sample(0, finished_us=1500), sample(1, finished_us=999), sample(2, finished_us=2000), start=1000, until=2000
    )
    assert (found.requests, found.finished.calls) == (0, 1)
    assert figures(sample(1000, Outcome.FAILED, finished_us=1500), start=1000, until=2000).finished.calls == 0


def test_a_service_that_keeps_up_does_not_fall_behind_and_few_calls_say_nothing() -> None:
    steady = [sample(n * 1000) for n in range(30)]
    assert (figures(*steady).slower_by, figures(*steady).falls_behind) == (0, False)
    assert (figures(*steady[:29]).slower_by, figures(*steady[:29]).falls_behind) == (None, False)


def test_tokens_written_to_the_cache_are_only_known_if_all_calls_tell_them() -> None:
    told, untold = sample(0, usage=Usage(10, 4, 5, 3)), sample(1, usage=Usage(10, 4, 5))
    assert figures(told, told).tokens == Usage(20, 8, 10, 6)
    assert figures(told, untold).tokens == Usage(20, 8, 10, None)


def test_a_weight_that_is_unknown_makes_the_weighted_tokens_unknown() -> None:
    found = figures_of([sample(0)], from_us=0, until_us=MINUTE, weigh=lambda _: Unknown("no weight"))
    assert found.weighted_tpm == Unknown("no weight")
