"""Which calls of a benchmark were admitted, and what they hold."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ptucalc.bench_calibrating import NEVER_US, admitted_calls, calibrate
from ptucalc.bench_calibration import Admitted, Bounds
from ptucalc.bench_samples import Outcome, Refusal, Sample, Usage
from ptucalc.bench_schedule import CallSize, Planned
from ptucalc.catalog import Unknown

from .invented import a_model, weights

MODEL = a_model()  # input 1, cached 0, output 3; one PTU serves 1,000
PLANNED = Planned(0, 0, CallSize(100, 60, 50))


def sample(outcome: Outcome = Outcome.SERVED, **more: object) -> Sample:
    return Sample(PLANNED, outcome, 5, 10, 1010)._replace(**more)


def held(*samples: Sample) -> list[Admitted] | Unknown:
    return admitted_calls(samples, MODEL, MODEL.weights)


def test_a_served_call_holds_all_that_it_might_write_until_it_is_known_what_it_wrote() -> None:
    assert held(sample(usage=Usage(100, 40, 20))) == [Admitted(10, 1010, Fraction(60 + 150), Fraction(60 + 60))]


def test_a_call_that_wrote_more_than_its_limit_held_at_least_that() -> None:
    assert held(sample(usage=Usage(100, 0, 60))) == [Admitted(10, 1010, Fraction(280), Fraction(280))]


@pytest.mark.parametrize(
    "lost",
    [
        sample(),
        sample(Outcome.UNFINISHED),
        sample(Outcome.FAILED, error="timeout"),
        sample(Outcome.FAILED, error="http_500"),
    ],
)
def test_a_call_whose_answer_was_lost_may_hold_the_whole_planned_call_for_ever(lost: Sample) -> None:
    assert held(lost) == [Admitted(10, NEVER_US, Fraction(100 + 150), None)]


@pytest.mark.parametrize(
    "refused",
    [
        sample(Outcome.THROTTLED, refusals=(Refusal(10, 20, 5),)),
        sample(Outcome.FAILED, error="http_400"),
        sample(Outcome.FAILED, error="connect"),
    ],
)
def test_calls_that_were_refused_hold_nothing(refused: Sample) -> None:
    assert held(refused) == []


DEAR = a_model(weights=weights(cache_write="1.25"))


def test_what_is_written_to_the_cache_is_held_at_its_own_weight() -> None:
    # 100 tokens, 40 of them cached (0), 50 written (62.5), 10 neither; 20 of at most 50 of output at 3.
    found = admitted_calls([sample(usage=Usage(100, 40, 20, 50))], DEAR, DEAR.weights)
    assert found == [Admitted(10, 1010, Fraction("222.5"), Fraction("132.5"))]


def test_a_lost_call_may_hold_its_whole_prompt_as_written_if_it_is_long_enough() -> None:
    for minimum, prompt in ((100, Fraction(125)), (101, Fraction(100))):
        found = admitted_calls([sample()], DEAR, DEAR.weights, cache_minimum=minimum)
        assert found == [Admitted(10, NEVER_US, prompt + 150, None)]
    cheap = a_model(weights=weights(cache_write="0.5"))  # the most that it may hold, whichever that is
    assert admitted_calls([sample()], cheap, cheap.weights) == [Admitted(10, NEVER_US, Fraction(250), None)]


def test_writes_that_no_answer_tells_bound_nothing_where_they_weigh_otherwise() -> None:
    samples = [sample(usage=Usage(100, 0, 20))]
    asked = {"model": DEAR, "weights": DEAR.weights, "ptu": 2, "window_seconds": Fraction(60)}
    found = calibrate(samples, **asked, cache_minimum=100)
    assert isinstance(found.bounds, Unknown) and "the answers do not tell it" in found.bounds.reason
    assert (found.verdict, found.sustained_tpm, found.tpm_per_ptu_to_use) == ("open", found.bounds, found.bounds)
    short = calibrate(samples, **asked, cache_minimum=101)
    assert isinstance(short.sustained_tpm, Fraction)


def test_a_weight_that_is_not_known_bounds_nothing() -> None:
    unknown = weights(output=Unknown("not published"))
    samples = [sample(usage=Usage(100, 0, 20))]
    found = calibrate(samples, model=MODEL, weights=unknown, ptu=2, window_seconds=Fraction(60))
    assert isinstance(found.bounds, Unknown) and "not published" in found.bounds.reason
    assert found.at_least_tpm_per_ptu == found.bounds


def test_spilled_calls_bound_nothing() -> None:
    samples = [sample(usage=Usage(100, 0, 20), spilled=True)]
    found = calibrate(samples, model=MODEL, weights=MODEL.weights, ptu=2, window_seconds=Fraction(60))
    assert isinstance(found.bounds, Unknown) and found.bounds.reason.startswith("1 calls spilled")
    assert isinstance(found.sustained_tpm, Unknown)


def test_calls_and_429s_of_a_benchmark_bound_what_a_ptu_serves() -> None:
    second = 1_000_000
    served = [sample(sent_us=n * second, finished_us=n * second + 1, usage=Usage(100, 0, 50)) for n in range(1, 10)]
    refused = [sample(Outcome.THROTTLED, refusals=(Refusal(at * second, at * second, 1),)) for at in (0, 10)]
    found = calibrate([*served, *refused], model=MODEL, weights=MODEL.weights, ptu=2, window_seconds=Fraction(60))
    # Nine calls of 100 + 3 x 50 = 250 in 10 s, one more or less: 2,250 -+ 250, x 6 a minute, on 2 PTU.
    assert isinstance(found.bounds, Bounds)
    assert (found.at_least_tpm_per_ptu, found.at_most_tpm_per_ptu) == (6000, 7500)
    assert found.verdict == "higher"
