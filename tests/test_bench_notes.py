"""The remarks on a benchmark, on both sides of where each begins."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from ptucalc.bench_calibration import Bounds, Calibration
from ptucalc.bench_notes import notes_of_bench
from ptucalc.bench_result import Setting, figures_of
from ptucalc.bench_samples import Outcome, Refusal, Sample, Usage
from ptucalc.bench_schedule import CallSize, Planned
from ptucalc.catalog import Unknown

from .invented import a_model, weights

MINUTE = 60_000_000
SETTING = Setting(
    model="Alder", model_version=None, wire="azure", api_version=None, stream=True, load="rate", calls_from="own calls",
    input_tokens=Fraction(100), shared_tokens=Fraction(0), output_tokens=Fraction(50), requests_per_minute=Fraction(100),
    concurrency=None, duration_us=MINUTE, warm_up_us=0, policy="none", max_retries=0, most_requests=1000,
    timeout_us=MINUTE, seed=1,
)  # fmt: skip


def sample(**more: object) -> Sample:
    made = Sample(Planned(0, 0, CallSize(100, 0, 50)), Outcome.SERVED, 0, 0, 1000, usage=Usage(100, 0, 50))
    return made._replace(**more)


def codes(
    samples: list[Sample] | None = None,
    setting: Setting = SETTING,
    stopped_by: str = "done",
    model=None,
    calibration: Calibration | None = None,
) -> list[str]:
    figures = figures_of(
        [sample()] * 100 if samples is None else samples, from_us=0, until_us=MINUTE, weigh=lambda _: Fraction(1)
    )
    found = notes_of_bench(
        setting, figures, stopped_by, model or a_model(), cache_minimum=1024, calibration=calibration
    )
    return [note.code for note in found]


def test_a_benchmark_as_planned_has_no_notes() -> None:
    assert codes() == []


def test_under_a_hundred_calls_the_p99_is_the_maximum() -> None:
    assert codes([sample()] * 99) == ["few_calls"]


@pytest.mark.parametrize("stopped_by", ["cap", "errors", "interrupt", "ramp"])
def test_what_ended_it_early_is_told(stopped_by: str) -> None:
    assert codes(stopped_by=stopped_by) == [f"stopped_{stopped_by}"]


def test_nothing_after_the_warm_up_is_told() -> None:
    assert codes([]) == ["nothing_measured"]


def test_a_client_that_is_late_itself_says_so() -> None:
    assert codes([sample(sent_us=50_000)] * 100) == []
    assert codes([sample(sent_us=50_001)] * 100) == ["client_late"]
    assert codes([sample(sent_us=60_000)] + [sample()] * 99) == []  # one in a hundred may be


def test_a_service_that_counts_no_tokens_or_spills_is_told() -> None:
    assert codes([sample(usage=None)] * 100) == ["no_usage"]
    assert codes([sample(spilled=True)] + [sample()] * 99) == ["spilled"]
    assert codes([sample(refusals=(Refusal(0, 1, None),))] * 100) == ["no_retry_after"]


def test_a_shared_beginning_is_only_cached_from_some_length_on() -> None:
    assert codes(setting=replace(SETTING, shared_tokens=Fraction(1023))) == ["under_cache_minimum"]
    assert codes(setting=replace(SETTING, shared_tokens=Fraction(1024))) == []
    assert codes([sample(usage=Usage(100, 1, 50))] * 100) == ["cached_anyway"]


def test_other_token_counts_than_planned_are_told_from_two_in_a_hundred_on() -> None:
    assert codes([sample(usage=Usage(102, 0, 49))] * 100) == []
    assert codes([sample(usage=Usage(103, 0, 50))] * 100) == ["input_tokens_differ"]
    assert codes([sample(usage=Usage(97, 0, 50))] * 100) == ["input_tokens_differ"]
    assert codes([sample(usage=Usage(100, 0, 48))] * 100) == ["short_answers"]
    assert codes([sample(usage=Usage(1, 0, 1))] * 100, replace(SETTING, load="replay")) == []


def test_a_calibration_says_what_it_does_not() -> None:
    bounds = Bounds(Fraction(1), Fraction(2), 2, 1, 1, 0, Fraction(1))
    made = Calibration(
        ptu=1, catalog_tpm_per_ptu=1, bounds=bounds, sustained_tpm=Fraction(1), window_seconds=Fraction(60)
    )
    assert codes(calibration=made) == ["calibration_scope"]
    assert codes(calibration=replace(made, bounds=Unknown("never full"))) == ["calibration_scope", "not_calibrated"]
    dear = a_model(weights=weights(cache_write="1.25"))
    assert codes(calibration=made, model=dear) == ["calibration_scope", "cache_write_not_told"]
