"""The remarks on a log: what each finding means for the numbers, and what the minutes themselves show."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import ptucalc
from ptucalc.log_notes import MESSAGES, long_gaps, message_of
from ptucalc.request_log import Finding

from .invented import a_catalog, a_model
from .invented_logs import HandMadeLog, a_profile, a_source, analysed, codes, ramp, sums

CHAT = ("chat", "Alder")
LONG_ENOUGH = ramp(*[1] * 100)


def noted(profile=LONG_ENOUGH, code=None, *, catalog=None, options=None, **source):
    """Messages of the notes of this code (or all codes) on a log of one deployment."""
    result = analysed(HandMadeLog({CHAT: profile}, a_source(**source)), catalog, **(options or {}))
    return [note.message for note in result.notes if note.code == code] if code else codes(result)


def test_a_plain_log_is_only_told_about_its_sizes():
    assert noted() == ["minimum_dominates"]


# Findings


@pytest.mark.parametrize(
    "code",
    [
        "duplicate_rows",
        "identical_rows",
        "clock_skew",
        "mixed_time_zones",
        "local_time",
        "top_10_split",
        "excludes_cached",
        "reasoning_counted_twice",
        "spilled_added_back",
        "rates_not_counts",
        "wrong_metric_name",
        "no_deployment_dimension",
        "other_statuses",
    ],
)
def test_what_a_reader_may_find_has_its_words(code):
    assert code in MESSAGES


def test_no_finding_of_a_reader_lacks_words():
    folder = Path(ptucalc.__file__).parent / "read"
    found = [code for path in folder.glob("*.py") for code in re.findall(r'Finding\(\s*"(\w+)"', path.read_text())]
    assert set(found) <= set(MESSAGES)


@pytest.mark.parametrize("code", sorted(MESSAGES))
def test_every_message_is_one_sentence_without_a_blank_left_open(code):
    for finding in (Finding(code, 1, "x"), Finding(code, 14, "see {rows}, Portal [UTC]")):
        message = message_of(finding)
        assert not re.search(r"\{(?!rows\}, Portal)|\s\s|\.\.|\(\)", message), message
        assert message.endswith(".")
        assert len(message) < 300


def test_a_finding_says_how_many_rows_and_where():
    assert message_of(Finding("duplicate_rows", 1)) == "1 row repeated an id: each call counts once."
    assert message_of(Finding("empty_buckets", 1)) == "1 row is empty: idle time."
    assert message_of(Finding("empty_buckets", 2)) == "2 rows are empty: idle time."
    assert message_of(Finding("duplicate_rows", 1400, "CorrelationId")) == (
        "1,400 rows repeated an id (CorrelationId): each call counts once."
    )


def test_a_finding_that_has_no_words_is_not_lost():
    assert message_of(Finding("odd_moons", 2, "in {braces}")) == "odd moons (in {braces}): 2 rows."
    assert message_of(Finding("format_warning", 0, "mind the gap")) == "mind the gap."
    assert message_of(Finding("odd_moons", 0)) == "odd moons."
    assert noted(findings=(Finding("odd_moons", 0),))[0] == "odd_moons"


# How the log was understood


def test_rows_that_were_not_used_are_counted_by_reason():
    messages = noted(code="skipped_rows", rows=3000, skipped={"no_tokens": 1200, "status 400": 2})
    assert messages == ["1,202 of 3,000 rows were not used (no tokens: 1,200, status 400: 2)."]


def test_unknown_cached_tokens_make_the_size_an_upper_bound():
    assert noted(code="cached_unknown", cached_known=False) == [
        "the log does not say which input tokens came from the prompt cache: all count in full, so the sizes are an "
        "upper bound."
    ]


def test_a_format_that_nobody_confirmed_says_so():
    assert noted(verified=False)[0] == "unverified_format"


def test_sums_cannot_show_bursts():
    (message,) = noted(code="bucketed", grain="bucket", bucket_seconds=300, step_us=300_000_000)
    assert message.startswith("rows are sums over 300 seconds, not calls: bursts within them cannot be seen")
    (message,) = noted(code="bucketed", grain="bucket")
    assert message.startswith("rows are sums, not calls")
    assert "coarse_times" not in noted(grain="bucket", step_us=300_000_000)


@pytest.mark.parametrize(("step_us", "said"), [(None, 0), (1_000_000, 0), (1_000_001, 1), (3_000_000, 1)])
def test_time_stamps_coarser_than_a_second_hide_bursts(step_us, said):
    assert len(noted(code="coarse_times", step_us=step_us)) == said


def test_the_step_of_coarse_times_is_said():
    assert noted(code="coarse_times", step_us=2_500_000) == [
        "time stamps come in steps of 2.5 seconds: bursts shorter than that cannot be seen."
    ]


def test_a_relative_clock_says_what_it_does_not_know():
    assert "relative_clock" in noted(ramp(*[1] * 100, start=None), relative_clock=True)


# What the minutes show


@pytest.mark.parametrize(
    ("length", "percentile", "said"),
    [
        (99, "p99", ["the log has 99 minutes: too few for p99 to be anything but the maximum."]),
        (100, "p99", []),
        (1, "max", ["the log has 1 minute: too few for p99 to be anything but the maximum."]),
        (999, "p99.9", ["the log has 999 minutes: too few for p99.9 to be anything but the maximum."]),
        (1000, "p99.9", []),
        (50, "p99.9", ["the log has 50 minutes: too few for p99 and p99.9 to be anything but the maximum."]),
        (50, "p90", ["the log has 50 minutes: too few for p99 to be anything but the maximum."]),
    ],
)
def test_a_short_log_has_its_percentile_at_the_maximum(length, percentile, said):
    profile = a_profile(*(sums(minute, 1, 100) for minute in range(length)), length=length)
    assert noted(profile, "few_minutes", options={"percentile": percentile}) == said


def test_a_p99_below_the_mean_is_pointed_at():
    # one of 200 minutes has it all: the mean is 1/200 of it, p99 is 0
    (message,) = noted(a_profile(sums(7, 1, 200_000), length=200), "p99_below_mean")
    assert message.startswith("chat: p99 is below the mean (0 against 1,000 weighted TPM)")
    assert noted(a_profile(*(sums(minute, 1, 9) for minute in range(3)), length=200), "p99_below_mean") == []


def with_gap(idle, length):
    """A log that is busy at its ends and beside a stretch of so many idle minutes."""
    busy = [0, *range(idle + 1, length)]
    return a_profile(*(sums(minute, 1, 100) for minute in busy), length=length)


@pytest.mark.parametrize(("idle", "length", "said"), [(180, 400, False), (181, 400, True), (200, 20_000, False)])
def test_gaps_are_over_three_hours_and_over_a_hundredth_of_the_minutes(idle, length, said):
    assert bool(noted(with_gap(idle, length), "gaps")) is said


def test_gaps_are_counted_and_the_longest_named():
    assert noted(with_gap(300, 400), "gaps") == [
        "1 gap of over 3 hours without a call, the longest of 5.0 hours, together 75% of the minutes: they count as idle. "
        "If the export has holes there, the mean and the percentiles are too low, the maximum is right."
    ]


def test_one_deployments_rest_is_no_gap_while_another_is_called():
    one = a_profile(sums(0), sums(399), length=400)
    assert long_gaps([one]) == [398]
    assert long_gaps([one, a_profile(sums(150), sums(300), length=400)]) == []


def test_before_the_first_and_after_the_last_call_there_is_no_gap():
    assert long_gaps([a_profile(sums(500), length=1000)]) == []


def test_a_minute_of_zeros_is_idle():
    assert long_gaps([a_profile(sums(0), sums(200, 0), sums(399), length=400)]) == [398]


def test_sums_near_a_models_limit_say_that_single_prompts_are_not_known():
    catalog = a_catalog(a_model(prompt_limit_tokens=2000))
    near, far = (a_profile(sums(0, 1, tokens), length=100, thresholds=(2000,)) for tokens in (1000, 999))
    buckets = {"grain": "bucket", "bucket_seconds": 60, "catalog": catalog}
    assert "prompt_sizes_unknown" in noted(near, **buckets)
    assert "prompt_limit" in noted(near, catalog=catalog)
    assert "prompt_sizes_unknown" not in noted(near, catalog=catalog)
    assert not {"prompt_sizes_unknown", "prompt_limit"} & set(noted(far, **buckets))


def test_many_that_are_not_sized_are_counted():
    profiles = {(f"d{number:02}", "unheard"): ramp(1) for number in range(13)}
    (message,) = [note.message for note in analysed(profiles).notes if note.code == "not_sized"]
    assert message.startswith("13 calls not sized: d00: got unheard, expected a known model")
    assert message.endswith("; and 3 more.")
    assert "d09" in message and "d10" not in message


def test_parts_of_calls_are_counted_with_a_decimal():
    profile = replace(ramp(1, 1), rows=(sums(0, 2, 200), sums(1, 0, unsized=3)), scale=2)
    (message,) = noted(profile, "throttled_imputed")
    assert message.startswith("chat: 1.5 throttled calls (429)")
