"""What a reader of a simulation must know: which assumptions were made, what was left out."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ptucalc.arrivals import ArrivalKind, Arrivals
from ptucalc.call_trace import Call, CallTrace
from ptucalc.catalog import Unknown
from ptucalc.request_log import Finding
from ptucalc.simulate_notes import notes_of_report
from ptucalc.simulated_runs import Policy
from ptucalc.simulation_report import Synthetic

from .invented import a_model
from .invented_logs import a_source
from .test_report_simulate import a_report

SECOND = 1_000_000


def of_report(*, source=None, synthetic=None, window=Fraction(60), mean_calls=False):
    return {note.code: note.message for note in notes_of_report(source, synthetic, window, mean_calls)}


def of_calls(*calls, **asked):
    model = asked.pop("model", a_model(tpm_per_ptu=60))
    report = a_report(CallTrace.of(calls, relative_clock=True), model=model, ptu=asked.pop("ptu", (10,)), **asked)
    return {note.code: note.message for note in report.notes if note.about == "chat"}


def test_the_depth_of_the_bucket_is_always_said_to_be_assumed():
    message = of_report(window=Fraction(5, 2))["bucket_depth_assumed"]
    assert message.startswith("how much the bucket holds is not published: 2.5 s of what the PTU drain are assumed")


def test_a_log_without_anything_odd_has_no_other_notes():
    assert set(of_report(source=a_source())) == {"bucket_depth_assumed", "month_of_log"}


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (1, "1 minute of calls, scaled to 730 hours: under a week shows no quiet weekend, nor a busy day."),
        (119, "119 minutes of calls, scaled to 730 hours: under a week"),
        (120, "2 hours of calls, scaled to 730 hours: under a week"),
        (10_079, "10,079 minutes of calls, scaled to 730 hours: under a week"),
        (10_080, "7 days of calls, scaled to 730 hours."),
    ],
)
def test_a_month_is_said_to_be_so_much_of_a_log(minutes, said):
    source = a_source(first=30 * SECOND, last=(minutes - 1) * 60 * SECOND)
    assert of_report(source=source)["month_of_log"].startswith(f"amounts a month are those of {said}")


@pytest.mark.parametrize(
    ("given", "code", "start"),
    [
        ({"cached_known": False}, "cached_unknown", "the log does not say which input tokens"),
        ({"verified": False}, "unverified_format", "no source confirms"),
        ({"relative_clock": True}, "relative_clock", "times count from the start"),
        ({"step_us": 3 * SECOND}, "coarse_times", "time stamps come in steps of 3 s"),
        (
            {"skipped": {"failed_call": 2, "duplicate": 1}},
            "skipped_rows",
            "3 of 10 rows were not used (failed call: 2, d",
        ),
        ({"findings": (Finding("duplicate_rows", 4),)}, "duplicate_rows", "4 rows repeated an id"),
    ],
)
def test_what_is_odd_about_a_log_is_said(given, code, start):
    assert of_report(source=a_source(**given))[code].startswith(start)


def test_steps_of_a_second_are_fine():
    assert "coarse_times" not in of_report(source=a_source(step_us=SECOND))
    assert "coarse_times" not in of_report(source=a_source(step_us=None))


@pytest.mark.parametrize(
    ("arrivals", "how"),
    [
        (Arrivals(kind=ArrivalKind.UNIFORM), "evenly spaced"),
        (Arrivals(seed=7), "at random, each by itself, seed 7"),
        (
            Arrivals(kind=ArrivalKind.BURSTY, seed=1, calls_per_burst=20, burst_seconds=Fraction(1, 2)),
            "in bursts of 20 within 0.5 s, at random, seed 1",
        ),
    ],
)
def test_how_calls_were_made_is_said(arrivals, how):
    assert f"({how})" in of_report(synthetic=Synthetic(arrivals, 60 * SECOND))["synthetic"]


def test_mean_calls_are_said_to_be_alike():
    assert "mean_calls" in of_report(mean_calls=True) and "mean_calls" not in of_report()


def test_calls_that_say_no_max_tokens_are_counted():
    found = of_calls(Call(0, 1, 1, max_tokens=5, duration_us=1), Call(1, 1, 1, duration_us=1))
    assert found["no_max_tokens"].startswith("1 of 2 requests say no max_tokens: what they reserve")
    assert set(found) == {"no_max_tokens"}
    found = of_calls(Call(1, 1, 1, duration_us=1), assumed_max_tokens=700)
    assert found["assumed_max_tokens"] == "1 of 1 requests say no max_tokens: 700 are assumed."
    assert "no_max_tokens" not in found


def test_calls_of_unknown_duration_are_counted():
    found = of_calls(Call(0, 1, 1, max_tokens=5), Call(1, 1, 1, max_tokens=5, duration_us=1))
    assert found["duration_at_target"].startswith("1 of 2 requests do not say how long they took: their output at the")
    assert "20 tokens/s" in found["duration_at_target"]
    without = a_model(tpm_per_ptu=60, latency_target=Unknown("none"))
    assert "taken to end at once" in of_calls(Call(0, 1, 1, max_tokens=5), model=without)["no_duration"]


def test_prompts_over_the_limit_are_counted_with_what_becomes_of_them():
    model = a_model(tpm_per_ptu=60, prompt_limit_tokens=1000)
    calls = [Call(0, 1001, 1), Call(1, 1000, 1)]
    assert of_calls(*calls, model=model)["over_prompt_limit"].startswith(
        "1 of 2 requests have prompts over the 1,000 tokens that Alder takes on PTU: they fail with HTTP 400"
    )
    spilled = of_calls(*calls, model=model, policy=Policy.SPILLOVER)["over_prompt_limit"]
    assert "they spill over with HTTP 400" in spilled


def test_sizes_that_were_not_looked_at_are_said():
    """The third of three large calls gets in from about 12,000 PTU on: there are 2,400 sizes up to there."""
    found = of_calls(Call(0, 6000, 0), Call(1, 6000, 0), Call(2, 6000, 0))
    assert found["not_every_size"].endswith(" PTU were looked at, not every one that can be bought.")
    assert "not_every_size" not in of_calls(Call(0, 60, 0), Call(1, 60, 0))


def test_a_size_off_the_grid_names_its_neighbours():
    assert of_calls(Call(0, 1, 1), ptu=(12,))["off_grid"] == (
        "12 PTU cannot be bought as Global: the nearest are 10 and 15."
    )
    assert of_calls(Call(0, 1, 1), ptu=(3,))["off_grid"] == "3 PTU cannot be bought as Global: the smallest is 10."
    assert "off_grid" not in of_calls(Call(0, 1, 1), ptu=(15,))
