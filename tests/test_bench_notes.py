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
from ptucalc.results import Note
from ptucalc.token_rules import Basis, PromptCacheRule

CACHE = PromptCacheRule(Basis.PUBLISHED, "", minimum_tokens=1024, step_tokens=128)
MINUTE = 60_000_000
SETTING = Setting(
    model="Alder", model_version=None, wire="azure", api_version=None, stream=True, load="rate", calls_from="own calls",
    input_tokens=Fraction(100), shared_tokens=Fraction(0), output_tokens=Fraction(50), requests_per_minute=Fraction(100),
    concurrency=None, duration_us=MINUTE, warm_up_us=0, policy="none", max_retries=0, most_requests=1000,
    at_once=7, timeout_us=MINUTE, seed=1,
)  # fmt: skip


def sample(**more: object) -> Sample:
    made = Sample(Planned(0, 0, CallSize(100, 0, 50)), Outcome.SERVED, 0, 0, 1000, usage=Usage(100, 0, 50))
    return made._replace(**more)


def codes(
    samples: list[Sample] | None = None,
    setting: Setting = SETTING,
    stopped_by: str = "done",
    calibration: Calibration | None = None,
    held_back: int = 0,
) -> list[str]:
    return [note.code for note in notes(samples, setting, stopped_by, calibration, held_back)]


def notes(
    samples: list[Sample] | None = None,
    setting: Setting = SETTING,
    stopped_by: str = "done",
    calibration: Calibration | None = None,
    held_back: int = 0,
) -> list[Note]:
    figures = figures_of(
        [sample()] * 100 if samples is None else samples, from_us=0, until_us=MINUTE, weigh=lambda _: Fraction(1)
    )
    return list(notes_of_bench(setting, figures, stopped_by, cache=CACHE, calibration=calibration, held_back=held_back))


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


def test_calls_that_the_limit_under_way_held_back_are_not_blamed_on_the_client() -> None:
    late = [sample(sent_us=60_000)] * 100
    (found,) = notes(late, held_back=3)
    assert found.code == "held_back"
    assert found.message.startswith("3 calls were held back, because --at-once 7 were under way: up to 60 ms late")
    assert codes([sample()] * 100, held_back=3) == []


def test_callers_that_waited_out_a_429_are_told_of_callers_only() -> None:
    refused = [sample(outcome=Outcome.THROTTLED, refusals=(Refusal(0, 1, 5),), usage=None)] + [sample()] * 100
    assert codes(refused, replace(SETTING, requests_per_minute=None, concurrency=4)) == ["callers_waited"]
    assert codes(refused) == []
    assert codes(setting=replace(SETTING, concurrency=4)) == []


def test_a_service_that_falls_behind_is_told() -> None:
    # A call in each hundredth of the minute: the last tenth takes 3 s longer than the first (a twentieth of it), or a bit more.
    def slowing(by_ms: int) -> list[Sample]:
        ends = [0 if n < 90 else by_ms * 1000 for n in range(100)]
        return [
            sample(intended_us=n * MINUTE // 100, sent_us=n * MINUTE // 100, finished_us=n * MINUTE // 100 + end)
            for n, end in enumerate(ends)
        ]

    assert codes(slowing(3000)) == []
    assert codes(slowing(3001)) == ["falls_behind"]


def test_a_service_that_counts_no_tokens_or_spills_is_told() -> None:
    assert codes([sample(usage=None)] * 100) == ["no_usage"]
    assert codes([sample(spilled=True)] + [sample()] * 99) == ["spilled"]
    assert codes([sample(refusals=(Refusal(0, 1, None),))] * 100) == ["no_retry_after"]


def test_a_shared_beginning_is_only_cached_from_some_length_on() -> None:
    assert codes(setting=replace(SETTING, shared_tokens=Fraction(1023))) == ["under_cache_minimum"]
    assert codes(setting=replace(SETTING, shared_tokens=Fraction(1024))) == []
    assert codes(setting=replace(SETTING, shared_tokens=Fraction(1280))) == []
    assert codes([sample(usage=Usage(100, 1, 50))] * 100) == ["cached_anyway"]


def test_what_the_cache_serves_of_a_shared_beginning_goes_in_steps() -> None:
    (found,) = notes(setting=replace(SETTING, shared_tokens=Fraction(1279)))
    assert found.code == "cache_steps"
    assert found.message.startswith(
        "prompts share 1,279 tokens, of which the prompt cache serves 1,152: 1,024, then in"
    )


@pytest.mark.parametrize("load", ["replay", "workloads"])
def test_calls_that_differ_have_no_note_on_their_mean_beginning(load: str) -> None:
    cached = [sample(usage=Usage(100, 70, 50))] * 100
    assert codes(cached, replace(SETTING, load=load, shared_tokens=Fraction(647))) == []
    assert codes(cached, replace(SETTING, load=load, shared_tokens=Fraction(1279))) == []


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
