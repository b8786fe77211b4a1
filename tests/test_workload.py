"""What users describe: workloads and load profiles, checked when they are made."""

from decimal import Decimal
from fractions import Fraction

import pytest

from ptucalc.catalog import DeploymentType
from ptucalc.errors import BadInput, Problem
from ptucalc.workload import LoadProfile, Workload

from .invented import calls

F = Fraction


@pytest.mark.parametrize("rate", ["9.6", 9.6, Decimal("9.6"), F(48, 5)])
def test_a_rate_need_not_be_whole(rate):
    assert calls(rate).requests_per_minute == F(48, 5)


def test_values_are_the_same_however_they_are_written():
    assert calls("600", "1800", "250", cache_ratio="40%") == calls(600, 1800.0, 250, cache_ratio=0.4)


def test_what_is_not_given_is_none_or_0():
    workload = calls(1, 0, 0)
    assert workload.name is workload.model_version is workload.region is workload.deployment is None
    assert workload.deployment_type is workload.max_tokens is workload.output_weight is workload.profile is None
    assert workload.cache_ratio == workload.cache_write_ratio == 0
    assert workload.image_input_tokens == workload.image_output_tokens == 0


@pytest.mark.parametrize("rate", [0, "0", "0.0", -1])
def test_a_rate_of_0_is_an_error(rate):
    assert refusal(lambda: calls(rate)) == f"requests_per_minute: expected a number over 0, got {rate}"


def test_all_problems_are_reported_at_once_in_the_order_of_the_values():
    message = refusal(lambda: Workload(model="", requests_per_minute="x", input_tokens="1,5oo", output_tokens=None))
    assert message == (
        "model: expected a name of 1 to 200 characters, got (empty)\n"
        "requests_per_minute: expected a number over 0, got x\n"
        "input_tokens: expected a whole number, 0 or more, got 1,5oo\n"
        "output_tokens: expected a whole number, 0 or more, got (empty)"
    )


def test_what_is_required_is_named_when_it_is_missing():
    assert refusal(lambda: Workload.from_fields({})) == (
        "model: expected a model name (see: ptucalc models), got (empty)\n"
        "requests_per_minute: expected a number over 0, got (empty)\n"
        "input_tokens: expected a whole number, 0 or more, got (empty)\n"
        "output_tokens: expected a whole number, 0 or more, got (empty)"
    )


def test_a_list_is_no_number():
    assert refusal(lambda: calls([1])) == "requests_per_minute: expected a number, got [1]"


def test_cached_tokens_per_call_are_a_share_of_the_input():
    assert calls(1, 3000, 0, cached_input_tokens=1000).cache_ratio == F(1, 3)
    assert calls(1, 3000, 0, cached_input_tokens=3000).cache_ratio == 1
    assert calls(1, 0, 0, cached_input_tokens=0).cache_ratio == 0


def test_more_cached_tokens_than_input_tokens_are_an_error():
    message = "cached_input_tokens: expected at most input_tokens (3,000), got 3001"
    assert refusal(lambda: calls(1, 3000, 0, cached_input_tokens=3001)) == message


@pytest.mark.parametrize("cached", [0, 1000])
def test_a_cache_ratio_and_cached_tokens_together_are_an_error(cached):
    message = "cache_ratio: expected either cache_ratio or cached_input_tokens, not both, got 0.5"
    assert refusal(lambda: calls(1, 3000, 0, cache_ratio=0.5, cached_input_tokens=cached)) == message


def test_cached_and_written_shares_may_be_all_of_the_input_but_not_more():
    assert calls(cache_ratio="0.7", cache_write_ratio="0.3").cache_write_ratio == F(3, 10)
    message = "cache_write_ratio: expected cached and written shares of at most 1 together, got 0.31"
    assert refusal(lambda: calls(cache_ratio="0.7", cache_write_ratio="0.31")) == message
    assert refusal(lambda: calls(1, 10, 0, cached_input_tokens=7, cache_write_ratio="0.31")) == message


def test_an_average_may_reach_the_peak_but_not_pass_it():
    assert calls(10, average_requests_per_minute=10).average_requests_per_minute == 10
    with pytest.raises(BadInput):
        calls(10, average_requests_per_minute="10.5")


def test_an_average_over_the_peak_is_shown_as_it_was_given():
    message = "average_requests_per_minute: expected at most the peak (10), got 10.5"
    assert refusal(lambda: calls(10, average_requests_per_minute="10.5")) == message
    assert refusal(lambda: calls(10, average_requests_per_minute="10.5", hours_per_month=700)) == message


def test_hours_per_month_need_an_average_and_fit_in_a_month():
    assert calls(10, average_requests_per_minute=4, hours_per_month=730).hours_per_month == 730
    message = "hours_per_month: expected at most 730, which is what a month has here, got 730.5"
    assert refusal(lambda: calls(10, average_requests_per_minute=4, hours_per_month="730.5")) == message
    message = "hours_per_month: expected average_requests_per_minute beside it, got 200"
    assert refusal(lambda: calls(10, hours_per_month=200)) == message


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("global", DeploymentType.GLOBAL),
        ("GlobalProvisionedManaged", DeploymentType.GLOBAL),
        ("Data Zone", DeploymentType.DATA_ZONE),
        ("data_zone", DeploymentType.DATA_ZONE),
        ("DataZoneProvisionedManaged", DeploymentType.DATA_ZONE),
        ("Regional", DeploymentType.REGIONAL),
        ("ProvisionedManaged", DeploymentType.REGIONAL),
        (DeploymentType.REGIONAL, DeploymentType.REGIONAL),
    ],
)
def test_a_deployment_type_is_read_from_any_common_spelling(given, kind):
    assert calls(deployment_type=given).deployment_type is kind


def test_an_unknown_deployment_type_is_an_error():
    message = "deployment_type: expected global, data-zone or regional, got GlobalStandard"
    assert refusal(lambda: calls(deployment_type="GlobalStandard")) == message


def test_a_region_is_read_as_azure_shows_it_or_names_it():
    assert calls(region="East US 2").region == calls(region="eastus2").region == "eastus2"
    assert refusal(lambda: calls(region="east/us")) == "region: expected an Azure region such as eastus2, got east/us"


def test_names_have_a_length_and_no_control_characters():
    assert calls(name=f" {'n' * 200} ").name == "n" * 200
    assert refusal(lambda: calls(name="n" * 201)).startswith("name: expected a name of 1 to 200 characters, got nnn")
    assert (
        refusal(lambda: calls(name="a\x1b[31mb")) == "name: expected a name without control characters, got a\\x1b[31mb"
    )


def test_a_workload_does_not_change():
    with pytest.raises(AttributeError):
        calls().input_tokens = 5


def test_the_shares_of_levels_sum_to_exactly_1():
    levels = [("1/3", 1000), ("1/3", 60), ("1/3", 0)]
    assert LoadProfile.from_levels(levels).peak == 1000
    message = "profile.levels: expected shares that sum to exactly 1 (1/3 is a share too), got 999/1000"
    assert refusal(lambda: LoadProfile.from_levels([("0.333", 1), ("0.333", 1), ("0.333", 1)])) == message
    assert LoadProfile.from_levels([("0.1", 1)] * 10).peak == 1  # in floats the sum is 0.9999999999999999


def test_a_level_that_never_happens_is_not_the_peak():
    assert LoadProfile.from_levels([("0", 1000), ("0.25", 80), ("75%", 60)]).peak == 80


def test_a_rate_only_in_a_level_that_never_happens_is_an_error():
    message = "profile.levels: expected a rate over 0 at some time, got 0 everywhere"
    assert refusal(lambda: LoadProfile.from_levels([("0", 1000), ("1", 0)])) == message


def test_a_profile_of_zeros_is_an_error():
    assert refusal(lambda: LoadProfile.from_levels([(1, 0)])) == (
        "profile.levels: expected a rate over 0 at some time, got 0 everywhere"
    )
    assert refusal(lambda: LoadProfile.from_hourly([0] * 24)) == (
        "profile.hourly: expected a rate over 0 at some time, got 0 everywhere"
    )


def test_every_bad_level_is_named():
    assert refusal(lambda: LoadProfile.from_levels([("2", 1), ("x", -1)])) == (
        "profile.levels[0].share: expected a share: 0 to 1, or 0% to 100% (2%?), got 2\n"
        "profile.levels[1].share: expected a share: 0 to 1, or 0% to 100%, got x\n"
        "profile.levels[1].requests_per_minute: expected a number, 0 or more, got -1"
    )


@pytest.mark.parametrize("count", [0, 23, 25, 48, 167, 169])
def test_hourly_rates_are_a_day_or_a_week(count):
    message = f"profile.hourly: expected 24 values (a day) or 168 (a week), got {count} values"
    assert refusal(lambda: LoadProfile.from_hourly([1] * count)) == message


def test_a_day_is_repeated_to_a_week_and_levels_have_none():
    day = LoadProfile.from_hourly(range(24))
    assert day.peak == 23
    assert len(day.timed) == 168
    assert day.timed[25] == day.timed[1] == 1
    assert LoadProfile.from_hourly(range(168)).timed[167] == 167
    assert LoadProfile.from_levels([(1, 5)]).timed == ()


def test_a_profile_gives_the_peak_rate():
    workload = calls(None, profile=LoadProfile.from_hourly([*[1] * 23, "9.6"]))
    assert workload.requests_per_minute == F(48, 5)


def test_a_rate_and_a_profile_together_are_an_error():
    flat = LoadProfile.from_levels([(1, 5)])
    message = "requests_per_minute: expected either a rate or a profile (its peak is the rate), not both, got 5"
    assert refusal(lambda: calls(5, profile=flat)) == message
    message = "average_requests_per_minute: expected either an average or a profile, not both, got 5"
    assert refusal(lambda: calls(None, profile=flat, average_requests_per_minute=5)) == message


def test_a_problem_says_where_what_was_expected_and_what_was_found():
    problem = Problem("input_tokens", "1,5oo", "a whole number")
    assert str(problem) == "input_tokens: expected a whole number, got 1,5oo"
    assert str(problem.at(source="workloads.csv", line=7, cell="D7", label="Prompt")) == (
        "workloads.csv:7, column Prompt (D7): expected a whole number, got 1,5oo"
    )
    assert str(problem.at(line=7, column=3)) == "line 7:3, input_tokens: expected a whole number, got 1,5oo"


def test_what_was_found_is_shown_shortened_and_without_control_characters():
    assert Problem("f", "x" * 60, "y").shown == "x" * 60
    assert Problem("f", "x" * 61, "y").shown == "x" * 57 + "..."
    assert Problem("f", "a\nb\x00", "y").shown == "a\\x0ab\\x00"
    assert Problem("f", " \t", "y").shown == "(empty)"


def test_problems_left_out_are_counted():
    assert str(BadInput([Problem("f", "1", "2")], uncounted=1200)) == "f: expected 2, got 1\nand 1,200 more"


def refusal(make):
    with pytest.raises(BadInput) as caught:
        make()
    return str(caught.value)


def test_tokens_may_be_the_exact_mean_of_several_calls():
    mean = calls(1, Fraction(5, 2), Fraction(1, 3), cached_input_tokens=1)
    assert (mean.input_tokens, mean.output_tokens, mean.cache_ratio) == (Fraction(5, 2), Fraction(1, 3), Fraction(2, 5))
    with pytest.raises(BadInput, match=r"at most input_tokens \(2\.5\), got 3"):
        calls(1, Fraction(5, 2), 0, cached_input_tokens=3)
