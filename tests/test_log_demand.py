"""Logs made by hand to demand and sizes. One call of 1,000 input tokens a minute needs 1 PTU of Alder; it is sold from
10 by 5 (Regional from 40 by 40)."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.catalog import EarlierRate, LongContext, Place, Unknown
from ptucalc.demand_profile import DemandProfile, MeanCall, MinuteSums, band_of
from ptucalc.errors import BadInput
from ptucalc.log_minutes import PERCENTILES
from ptucalc.log_models import thresholds_of
from ptucalc.read.catalog import load_catalog
from ptucalc.request_log import Stream, WindowMaxima

from .invented import DATA_ZONE, GLOBAL, REGIONAL, a_catalog, a_model, only, weights
from .invented_logs import MONDAY, HandMadeLog, a_profile, a_source, analysed, codes, ramp, sums

F = Fraction
CHAT = ("chat", "Alder")
BIRCH = a_model("Birch", versions=("v1", "v2"), tpm_per_ptu=2000)
LIMITED = a_model("Alder", prompt_limit_tokens=5000)
LONG = a_model("Alder", long_context=LongContext(5000, "hearsay", weights(input=2, output=6)))
NO_NUMBERS = a_model("Cedar", tpm_per_ptu=Unknown("nobody published it"))


def ptu(sizes):
    return {kind: size.ptu for kind, size in sizes.items()}


def problems(profiles, catalog=None, **given):
    with pytest.raises(BadInput) as error:
        analysed(profiles, catalog, **given)
    return [str(problem) for problem in error.value.problems]


def only_entry(result):
    (entry,) = result.entries
    return entry


# Sizes


def test_a_size_is_that_of_the_weighted_minutes_at_the_percentile():
    # ten minutes of 0 to 28 PTU: nearest ranks 5, 9, 10
    entry = only_entry(analysed({CHAT: ramp(28, 4, 6, 8, 12, 0, 16, 2, 20, 24)}, percentile="p90"))
    assert {name: value / 1000 for name, value in entry.weighted_tpm.at.items()} == {
        "p50": 8,
        "p90": 24,
        "p95": 28,
        "p99": 28,
        "p99.9": 28,
        "max": 28,
    }
    assert entry.weighted_tpm.mean == 12_000
    assert ptu(entry.sizes) == {"global": 25, "data-zone": 25, "regional": 40}
    assert ptu(entry.sizes_at["p50"]) == {"global": 10, "data-zone": 10, "regional": 40}
    assert ptu(entry.sizes_at["max"]) == {"global": 30, "data-zone": 30, "regional": 40}
    assert entry.answered


def test_a_percentile_of_its_own_stands_among_the_others():
    entry = only_entry(analysed({CHAT: ramp(*range(1, 41))}, percentile="97.5"))
    assert list(entry.sizes_at) == ["p50", "p90", "p95", "p97.5", "p99", "p99.9", "max"]
    assert entry.sizes["global"].raw_ptu == 39
    assert entry.to_dict()["sizes_at"]["p97_5"][0]["ptu"] == 40


def test_headroom_is_added_before_rounding():
    entry = only_entry(analysed({CHAT: ramp(20)}, headroom="10%"))
    assert (entry.sizes["global"].need_ptu, entry.sizes["global"].ptu) == (22, 25)


def test_the_rate_of_a_size_is_its_weight_in_mean_calls():
    # two calls of 1,000 tokens in one minute, one of 4,000 in the other: 2,000 a call; 4,000 are 2 a minute
    profile = a_profile(sums(0, 2, 2000), sums(1, 1, 4000), length=2)
    entry = only_entry(analysed({CHAT: profile}))
    assert entry.weight_per_call == 2000
    assert F(*entry.sizes["global"].rate) == 2
    assert entry.sizes["global"].max_requests_per_minute == 5  # 10 PTU


def test_calls_that_weigh_nothing_need_the_smallest_size():
    entry = only_entry(analysed({CHAT: a_profile(sums(0, 4, cached=100), length=2)}))
    assert ptu(entry.sizes) == {"global": 10, "data-zone": 10, "regional": 40}
    assert entry.weight_per_call == 0
    assert entry.sizes["global"].max_requests_per_minute is None
    assert entry.mean_rpm == 2


def test_only_the_types_asked_for_are_sized():
    entry = only_entry(analysed({CHAT: ramp(20)}, deployment_types=(REGIONAL,)))
    assert ptu(entry.sizes) == {"regional": 40}
    assert list(entry.minutes_over) == ["regional"]


def test_a_type_that_is_not_offered_says_so_and_alone_answers_nothing():
    catalog = a_catalog(only(a_model(), GLOBAL))
    result = analysed({CHAT: ramp(20)}, catalog)
    assert ptu(only_entry(result).sizes) == {"global": 20, "data-zone": None, "regional": None}
    assert result.answered
    assert not analysed({CHAT: ramp(20)}, catalog, deployment_types=(DATA_ZONE,)).answered


def test_a_region_decides_what_is_offered():
    catalog = a_catalog(a_model())
    assert analysed({CHAT: ramp(20)}, catalog, region="northland").answered
    assert only_entry(analysed({CHAT: ramp(20)}, catalog, region="North Land")).region == "northland"
    in_the_north = a_model(places={GLOBAL: (Place(None, None, ("northland",)),)})
    south = only_entry(analysed({CHAT: ramp(20)}, a_catalog(in_the_north), region="southland"))
    assert ptu(south.sizes) == {"global": None, "data-zone": 20, "regional": 40}


def test_what_the_calls_are_like_is_exact():
    profile = a_profile(sums(0, 2, 100, 50, 30, 40), sums(3, 1, 20, output=2), length=4)
    entry = only_entry(analysed({CHAT: profile}))
    assert (entry.requests, entry.minutes, entry.mean_rpm, entry.peak_rpm) == (3, 4, F(3, 4), 2)
    assert entry.mean_call == MeanCall(F(40), F(50, 3), F(10), F(14))
    assert (entry.mean_input_tokens, entry.mean_output_tokens) == (F(200, 3), 14)
    assert entry.cache_ratio == F(1, 4)
    assert entry.weight_per_call == F(120 + 30 + 3 * 42, 3)


def test_minutes_over_a_size_are_those_strictly_higher():
    entry = only_entry(analysed({CHAT: ramp(9, 10, 11, 25, 0)}, percentile="p50"))
    over = {each.ptu: (each.minutes, each.share) for each in entry.minutes_over["global"]}
    assert over == {10: (2, F(2, 5)), 25: (0, 0)}
    assert [each.ptu for each in entry.minutes_over["regional"]] == [40]


def test_the_table_per_minute_has_percentiles_of_each_column_by_itself():
    profile = a_profile(sums(0, 9, 10, written=5), sums(1, 1, 100, output=3, unsized=1), length=2)
    entry = only_entry(analysed({CHAT: profile}))
    table = {each.measure: (each.at["p50"], each.at["max"]) for each in entry.per_minute}
    # weights: 15 and 109, and the throttled call weighs (15 + 109) / 10
    assert table == {
        "requests": (2, 9),
        "uncached_input_tokens": (15, 100),
        "output_tokens": (0, 3),
        "raw_ptu": (F(15, 1000), F(1214, 10000)),
    }


def test_the_week_and_the_busiest_day_are_in_raw_ptu():
    entry = only_entry(analysed({CHAT: ramp(3, 5, 4)}))
    assert entry.hour_of_week_ptu[:2] == (5, None)
    assert entry.busiest_day.peak_ptu == 5
    assert entry.busiest_day.quarter_hours[0] == 5


def test_a_relative_clock_makes_no_calendar_statements():
    entry = only_entry(analysed({CHAT: ramp(3, 5, start=None)}))
    assert entry.hour_of_week_ptu == Unknown(
        "the log's clock is relative: it does not say which hour of the week a minute was in"
    )
    assert entry.busiest_day.label == "day 1"
    assert entry.to_dict()["hour_of_week_ptu"] is None


def test_windows_are_asked_for_once_for_all_groups_with_the_weights_of_their_streams():
    log = HandMadeLog({CHAT: ramp(3), ("code", "Birch"): ramp(3), ("x", "unheard"): ramp(1)})
    result = analysed(log, a_catalog(a_model(), BIRCH))
    assert log.asked == [[{Stream("chat", "Alder"): {0: weights()}}, {Stream("code", "Birch"): {0: weights()}}]]
    windows = [entry.weighted_tpm and entry.weighted_tpm.windows for entry in result.entries]
    assert windows == [
        WindowMaxima(F(60), F(10), None, "too coarse"),
        WindowMaxima(F(61), F(11), None, "too coarse"),
        None,
    ]


def test_nothing_is_asked_where_nothing_can_be_weighed():
    log = HandMadeLog({("", "unheard"): ramp(1)})
    assert not analysed(log).answered
    assert log.asked == []


def test_the_minutes_of_an_entry_can_be_had_again():
    entry = only_entry(analysed({CHAT: ramp(3, 0, 5)}))
    found = entry.weighted_minutes()
    assert [F(top, found.unit) for top in found.tops] == [3000, 0, 5000]
    unsized = analysed({("", "unheard"): ramp(1)}).entries[0]
    with pytest.raises(ValueError, match="was not weighed"):
        unsized.weighted_minutes()


# Throttled calls


def test_throttled_calls_of_unknown_size_count_as_the_mean_call_of_their_own_deployment():
    small = a_profile(sums(0, 1, 1000), sums(1, 0, unsized=4), length=2)  # four more of 1,000
    large = a_profile(sums(0, 1, 9000), length=2)
    entry = only_entry(analysed({("a", "Alder"): small, ("b", "Alder"): large}, by="model"))
    found = entry.weighted_minutes()
    assert [F(top, found.unit) for top in found.tops] == [10_000, 4000]
    assert entry.throttled_requests == 4
    assert entry.requests == 6
    assert entry.weight_per_call == F(14_000, 6)
    assert entry.mean_call.uncached == 5000  # of calls of known size
    (note,) = [note for note in entry.notes if note.code == "throttled_imputed"]
    assert (
        note.message == "Alder: 4 throttled calls (429) of unknown size: counted as the mean call of their deployment."
    )


def test_a_deployment_with_throttled_calls_only_cannot_be_weighed_and_pulls_no_other_down():
    result = analysed(
        {("a", "Alder"): ramp(20), ("b", "Alder"): a_profile(sums(0, 0, unsized=2), length=1)}, by="model"
    )
    good, bad = result.entries
    assert good.sizes["global"].ptu == 20
    assert bad.reason == Unknown(
        "expected token counts of at least one call that PTU can serve: all there are were throttled, their size unknown"
    )
    assert (bad.name, bad.requests, bad.throttled_requests, bad.weighted_tpm, bad.sizes) == ("b", 2, 2, None, {})
    assert result.answered
    assert [problem.label for problem in result.problems] == ["deployment b, input_tokens"]


def test_throttled_calls_without_a_model_are_their_deployments():
    profiles = {("a", "Alder"): ramp(10, 0), ("a", ""): a_profile(sums(1, 0, unsized=2), length=2)}
    entry = only_entry(analysed(profiles))
    assert entry.requests == 3
    assert entry.weighted_tpm.at["max"] == 20_000


def test_a_stream_without_a_model_is_not_given_to_one_of_two():
    profiles = {("a", "Alder"): ramp(10), ("a", "Birch"): ramp(10), ("a", ""): ramp(5)}
    result = analysed(profiles, a_catalog(a_model(), BIRCH))
    assert [(entry.model_name, entry.reason is None) for entry in result.entries] == [
        ("Alder", True),
        ("Birch", True),
        ("", False),
    ]


def test_a_name_that_is_not_known_is_not_taken_for_its_deployments_other_model():
    known, unknown = analysed({("a", "Alder"): ramp(10), ("a", "unheard"): ramp(5)}).entries
    assert (known.model_name, unknown.model_name) == ("Alder", "unheard")
    assert (known.name, unknown.name) == ("a (Alder)", "a (unheard)")
    assert unknown.reason is not None


# Sums of tokens without a count of calls


def test_without_a_count_of_calls_sizes_hold_and_rates_are_not_known():
    profile = a_profile(sums(0, 0, 20_000), sums(1, 0, unsized=1), length=2)
    result = analysed({CHAT: profile})
    entry = only_entry(result)
    assert entry.sizes["global"].ptu == 20
    assert not entry.requests_known
    assert (entry.mean_call, entry.weight_per_call) == (None, None)
    data = entry.to_dict()
    assert [data[key] for key in ("requests", "mean_rpm", "peak_rpm", "mean_input_tokens", "weight_per_call")] == [
        None
    ] * 5
    assert {size["max_requests_per_minute"] for size in data["sizes_at"]["p99"]} == {None}
    assert "throttled_not_counted" in codes(result)


def test_without_a_count_of_calls_no_line_of_requests_is_shown():
    entry = only_entry(analysed({CHAT: a_profile(sums(0, 0, 20_000), length=1)}))
    assert [each.measure for each in entry.per_minute] == ["uncached_input_tokens", "output_tokens", "raw_ptu"]


# Prompts over a limit, and long context


def test_prompts_over_the_models_limit_are_counted_apart():
    catalog = a_catalog(LIMITED)
    profile = a_profile(
        sums(0, 1, 5000), sums(0, 2, 12_000, 500, 100, 50, band=1), length=1, thresholds=thresholds_of(catalog)
    )
    entry = only_entry(analysed({CHAT: profile}, catalog))
    assert entry.weighted_tpm.at["max"] == 5000
    assert (entry.requests, entry.unservable_requests) == (1, 2)
    assert (entry.unservable_input_tokens, entry.unservable_output_tokens) == (12_600, 50)
    assert entry.mean_call.uncached == 5000
    (note,) = [note for note in entry.notes if note.code == "unservable_prompts"]
    assert note.message == (
        "chat: 2 calls with prompts over the 5,000 tokens that Alder takes on PTU (12,600 input and 50 output tokens): "
        "they get HTTP 400 or spill over, and are not in the sizes."
    )


def test_where_every_prompt_is_over_the_limit_there_is_no_size():
    catalog = a_catalog(LIMITED)
    profile = a_profile(sums(0, 2, 12_000, band=1), length=1, thresholds=(5000,))
    result = analysed({CHAT: profile}, catalog)
    entry = only_entry(result)
    assert not result.answered
    assert entry.unservable_requests == 2
    assert entry.requests == 0
    assert result.requests == 2
    assert entry.reason.reason == (
        "expected a call that PTU can serve: every prompt is over the 5,000 tokens that Alder takes there"
    )


def test_windows_are_asked_without_the_bands_that_ptu_refuses():
    log = HandMadeLog({CHAT: a_profile(sums(0, 1, 10), sums(0, 1, 9000, band=1), length=1, thresholds=(5000,))})
    analysed(log, a_catalog(LIMITED))
    assert [set(bands) for bands in log.asked[0][0].values()] == [{0}]


def test_long_prompts_weigh_at_the_long_context_weights_with_a_note():
    profile = a_profile(sums(0, 1, 5000), sums(0, 1, 6000, output=10, band=1), length=1, thresholds=(5000,))
    result = analysed({CHAT: profile}, a_catalog(LONG))
    assert only_entry(result).weighted_tpm.at["max"] == 5000 + 12_000 + 60
    assert "long_context" in codes(result)
    short = analysed({CHAT: a_profile(sums(0, 1, 5000), length=1, thresholds=(5000,))}, a_catalog(LONG))
    assert "long_context" not in codes(short)


@pytest.mark.parametrize("model", [LIMITED, LONG])
def test_a_profile_that_was_not_read_by_the_models_thresholds_is_a_programmers_mistake(model):
    with pytest.raises(ValueError, match="use thresholds_of"):
        analysed({CHAT: ramp(1, thresholds=(4000,))}, a_catalog(model))


def test_thresholds_are_those_of_all_models():
    catalog = a_catalog(
        a_model("A", prompt_limit_tokens=50),
        a_model("B", prompt_limit_tokens=50),
        LONG,
        a_model("C", prompt_limit_tokens=9),
    )
    assert thresholds_of(catalog) == (9, 50, 5000)


def test_other_models_thresholds_change_nothing():
    catalog = a_catalog(a_model(), a_model("Birch", prompt_limit_tokens=50))
    profile = a_profile(sums(0, 1, 40), sums(0, 1, 960, band=1), length=1, thresholds=(50,))
    entry = only_entry(analysed({CHAT: profile}, catalog))
    assert (entry.weighted_tpm.at["max"], entry.unservable_requests) == (1000, 0)


# Which model


def test_the_rows_model_goes_before_the_deployments_name():
    result = analysed({("Birch", "alder"): ramp(1), ("Birch", "my-own"): ramp(1)}, a_catalog(a_model(), BIRCH))
    assert [entry.model.name for entry in result.entries] == ["Alder", "Birch"]


def test_a_dated_name_gives_the_version():
    entry = only_entry(analysed({("chat", "birch-v1"): ramp(1)}, a_catalog(BIRCH)))
    assert (entry.model.name, entry.model_version) == ("Birch", "v1")


def test_two_versions_of_a_model_in_one_deployment_are_one_entry_without_a_version():
    result = analysed({("chat", "birch-v1"): ramp(4), ("chat", "birch-v2"): ramp(6)}, a_catalog(BIRCH))
    entry = only_entry(result)
    assert (entry.model_version, entry.weighted_tpm.at["max"]) == (None, 10_000)


def test_two_models_in_one_deployment_are_two_entries():
    result = analysed({("chat", "Alder"): ramp(4), ("chat", "Birch"): ramp(4)}, a_catalog(a_model(), BIRCH))
    assert [(entry.name, entry.deployment) for entry in result.entries] == [
        ("chat (Alder)", "chat"),
        ("chat (Birch)", "chat"),
    ]


def test_one_model_for_all_wins_over_what_rows_and_maps_say():
    profiles = {("a", "Birch"): ramp(4), ("b", "unheard"): ramp(4)}
    result = analysed(
        profiles, a_catalog(a_model(), BIRCH), model="Birch", model_version="v2", map_model={"a": "Alder"}
    )
    assert [(e.model.name, e.model_version, e.sizes_at["max"]["global"].raw_ptu) for e in result.entries] == [
        ("Birch", "v2", 2),
        ("Birch", "v2", 2),
    ]


def test_a_mapped_deployment_is_of_that_model_whatever_its_rows_say():
    profiles = {("a", "Birch"): ramp(4), ("b", "Birch"): ramp(4)}
    result = analysed(profiles, a_catalog(a_model(), BIRCH), map_model={"a": "alder"})
    assert [entry.model.name for entry in result.entries] == ["Alder", "Birch"]


def test_a_model_that_is_not_known_stays_in_the_result_with_near_names():
    result = analysed({CHAT: ramp(1), ("code", "Aldr"): ramp(5), ("", ""): ramp(7)})
    known, near, nameless = result.entries
    assert known.answered
    assert (near.name, near.model, near.model_name, near.near) == ("code", None, "Aldr", ("Alder",))
    assert near.reason == Unknown("got Aldr, expected a known model: Alder?")
    assert (near.requests, near.mean_input_tokens) == (1, 5000)
    assert (near.weighted_tpm, near.sizes_at, near.minutes_over, near.busiest_day) == (None, {}, {}, None)
    assert isinstance(near.hour_of_week_ptu, Unknown)
    assert nameless.reason == Unknown("expected a model, which the log does not name")
    assert [str(problem) for problem in result.problems] == [
        "deployment code, model: expected a known model: Alder?; --map-model code=MODEL sizes this deployment as that "
        "model, -m MODEL sizes everything as that model, got Aldr",
        "model: expected a model, which the log does not name; -m MODEL sizes everything as that model, got (empty)",
    ]
    (note,) = [note for note in result.notes if note.code == "not_sized"]
    assert note.message == (
        "2 calls not sized: code: got Aldr, expected a known model: Alder?; all calls: expected a "
        "model, which the log does not name."
    )


def test_a_model_without_numbers_is_not_sized():
    result = analysed({("chat", "Cedar"): ramp(1)}, a_catalog(NO_NUMBERS))
    assert not result.answered
    entry = only_entry(result)
    assert (entry.model.name, entry.reason.reason) == (
        "Cedar",
        "got Cedar, expected a model with published PTU numbers (nobody published it)",
    )


def test_tokens_of_a_class_that_nobody_weighed_are_not_counted_as_0():
    silent = a_model(weights=weights(output=None))
    assert analysed({CHAT: ramp(1)}, a_catalog(silent)).answered
    result = analysed({CHAT: a_profile(sums(0, 1, 5, output=1234), length=1)}, a_catalog(silent))
    assert only_entry(result).reason.reason.startswith("got 1,234 tokens, expected 0: the output of this model")


def test_an_output_weight_that_is_given_counts_with_a_note():
    secret = a_model(weights=weights(output=Unknown("a secret")))
    profile = a_profile(sums(0, 1, 5, output=10), length=1)
    assert not analysed({CHAT: profile}, a_catalog(secret)).answered
    result = analysed({CHAT: profile}, a_catalog(secret), output_weight="2")
    assert only_entry(result).weighted_tpm.at["max"] == 25
    assert "output_weight_given" in codes(result)


def test_cached_tokens_of_unpublished_weight_count_in_full_with_a_note():
    catalog = a_catalog(a_model(weights=weights(cached_input=Unknown("a secret"))))
    result = analysed({CHAT: a_profile(sums(0, 1, 5, 10), length=1)}, catalog)
    assert only_entry(result).weighted_tpm.at["max"] == 15
    assert "cached_weight_unknown" in codes(result)
    assert "cached_weight_unknown" not in codes(analysed({CHAT: ramp(1)}, catalog))


def test_tokens_written_to_the_cache_of_unpublished_weight_count_in_full_with_a_note():
    catalog = a_catalog(a_model(weights=weights(cache_write=Unknown("a secret"))))
    result = analysed({CHAT: a_profile(sums(0, 1, 5, 10, 20), length=1)}, catalog)
    assert only_entry(result).weighted_tpm.at["max"] == 25
    assert "cached_weight_unknown" in codes(result)
    assert "cached_weight_unknown" not in codes(analysed({CHAT: a_profile(sums(0, 1, 5, 10), length=1)}, catalog))


@pytest.mark.parametrize(("lacking", "held"), [("cached_input", (9, 0)), ("cache_write", (0, 9))])
def test_a_model_without_a_class_cannot_be_sized_for_tokens_of_it(lacking, held):
    catalog = a_catalog(a_model(weights=weights(**{lacking: None})))
    result = analysed({CHAT: a_profile(sums(0, 1, 5, *held), length=1)}, catalog)
    assert only_entry(result).reason.reason.startswith("got 9 tokens, expected 0: the catalog gives no weight for")
    assert analysed({CHAT: ramp(1)}, catalog).answered


# By deployment, model, or neither


def test_deployments_of_one_model_are_added_minute_by_minute():
    profiles = {("a", "Alder"): ramp(20, 0, 3), ("b", "Alder"): ramp(0, 15, 3), ("c", "Birch"): ramp(1, 1, 1)}
    alder, birch = analysed(profiles, a_catalog(a_model(), BIRCH), by="model").entries
    assert (alder.name, alder.deployments, alder.deployment) == ("Alder", ("a", "b"), "")
    assert alder.weighted_tpm.at["max"] == 20_000
    assert alder.weighted_tpm.mean == F(41_000, 3)
    assert birch.deployment == "c"


def test_the_whole_log_can_be_one():
    entry = only_entry(analysed({("a", "Alder"): ramp(20, 0), ("b", "Alder"): ramp(7, 15)}, by="none"))
    assert (entry.name, entry.weighted_tpm.at["max"]) == ("all calls", 27_000)


def test_the_whole_log_is_of_one_model_or_refused():
    catalog = a_catalog(a_model(), BIRCH)
    profiles = {("a", "Alder"): ramp(20), ("b", "Birch"): ramp(7)}
    assert problems(profiles, catalog, by="none") == [
        "by: expected one model for all calls (-m MODEL); the log holds Alder, Birch, got none"
    ]
    assert problems({("a", "Alder"): ramp(20), ("b", "?"): ramp(7)}, by="none") == [
        "by: expected one model for all calls (-m MODEL); the log holds Alder and calls whose model is not known, got none"
    ]
    assert problems({("b", "?"): ramp(7)}, by="none") == [
        "by: expected one model for all calls (-m MODEL); what the log holds is of no known model, got none"
    ]
    assert only_entry(analysed(profiles, catalog, by="none", model="Birch")).requests == 2


def test_a_log_that_names_no_deployment_is_called_by_its_model():
    assert only_entry(analysed({("", ""): ramp(1)}, model="Alder")).name == "Alder"


# Options that cannot be used


def test_every_option_that_cannot_be_used_is_named_at_once():
    assert problems(
        {CHAT: ramp(1)},
        percentile="p0",
        headroom="15",
        region="nowhere",
        output_weight="heavy",
        model="Aldr",
        map_model={"chatt": "Alder", "chat": "Aldr"},
    ) == [
        "percentile: expected a percentile of 1 to 100, such as p99 or p99.9, or max, got p0",
        "headroom: expected a share of 0 or more: 0.15 or 15% (15%?), got 15",
        "output_weight: expected a number, 0 or more, got heavy",
        "region: expected a region that some PTU model is listed in, got nowhere",
        "model: expected a known model: Alder?, got Aldr",
        "map_model: expected a deployment of the log: chat, got chatt",
        "map_model: expected a known model: Alder?, got chat=Aldr",
    ]


def test_a_mapped_deployment_that_is_not_there_is_answered_with_those_that_are():
    profiles = {(f"d{i}", "Alder"): ramp(1) for i in range(12)}
    (problem,) = problems(profiles, map_model={"zzz": "Alder"})
    assert problem == (
        "map_model: expected a deployment of the log: d0, d1, d10, d11, d2, d3, d4, d5, d6, d7 ..., got zzz"
    )
    (problem,) = problems({("", "x"): ramp(1)}, map_model={"zzz": "Alder"})
    assert problem.startswith("map_model: expected a deployment of the log, which names none (-m MODEL")


def test_a_version_needs_a_model_beside_it_and_must_be_one_of_its_own():
    catalog = a_catalog(BIRCH)
    assert problems({("", "birch"): ramp(1)}, catalog, model_version="v1") == [
        "model_version: expected a model (-m) beside it, got v1"
    ]
    assert problems({("", ""): ramp(1)}, catalog, model="Birch", model_version="v9") == [
        "model_version: expected a version of Birch: v1, v2, got v9"
    ]


# Notes on sizes


def test_an_earlier_rate_is_compared_at_the_percentile_of_its_own_weights():
    earlier = EarlierRate("2020", 500, weights(output=1), {}, None, "an old table")
    profile = a_profile(sums(0, 1, 20_000), sums(1, 1, 17_000, output=1500), length=2)
    result = analysed({CHAT: profile}, a_catalog(a_model(earlier=(earlier,))), deployment_types=(GLOBAL,))
    # now 20,000 and 21,500 at 1,000 a PTU; then 20,000 and 18,500 at 500
    (note,) = [note for note in result.notes if note.code == "rate_changed"]
    assert note.message.endswith("Global 25 PTU today, 40 then.")
    log = HandMadeLog({CHAT: profile})
    analysed(log, a_catalog(a_model(earlier=(earlier,))))
    assert list(log.asked[0][0].values()) == [{0: weights()}]  # windows are of today's
    assert note.about == "chat"


def test_the_usual_notes_on_sizes_are_there_and_belong_to_their_entry():
    profiles = {("a", "Alder"): ramp(20), ("b", "Alder"): ramp(1)}
    result = analysed(profiles)
    first, second = result.entries
    assert [note.code for note in second.notes] == ["minimum_dominates"]
    assert first.notes == ()  # that it is tight is said once for all
    assert "little_headroom" in codes(result)
    assert set(second.notes) < set(result.notes)


# Properties

profile_rows = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 20_000), st.integers(0, 3)), min_size=1, max_size=40
).filter(lambda rows: any(row[0] and row[1] for row in rows))


def made(rows):
    return a_profile(
        *(sums(i, n, tokens if n else 0, unsized=lost) for i, (n, tokens, lost) in enumerate(rows)), length=len(rows)
    )


@given(profile_rows, st.sampled_from(["0", "15%"]))
def test_sizes_are_on_the_grid_hold_their_minutes_and_grow_with_the_percentile(rows, headroom):
    entry = only_entry(analysed({CHAT: made(rows)}, headroom=headroom))
    for kind in ("global", "data-zone", "regional"):
        each = [entry.sizes_at[percentile.name][kind] for percentile in PERCENTILES]
        assert [size.ptu for size in each] == sorted(size.ptu for size in each)
        for size in each:
            assert size.offer.grid.holds(size.ptu)
            assert size.ptu >= size.need_ptu
        assert {over.ptu: over.minutes for over in entry.minutes_over[kind]}[each[-1].ptu] == 0
    assert entry.weight_per_call * entry.requests == entry.weighted_tpm.mean * entry.minutes


# Real logs

TRACE = Path(__file__).parents[2] / "shared" / "traces" / "AzureLLMInferenceTrace_code.csv"


@pytest.fixture(scope="module")
def code_trace():
    """The minutes of Azure's public code trace of 2023, added up without a reader."""
    if not TRACE.exists():
        pytest.skip("the traces are not here")
    thresholds = thresholds_of(load_catalog())
    found: dict[tuple[int, int], list[int]] = {}
    with TRACE.open(newline="") as stream:
        for row in csv.DictReader(stream):
            moment = datetime.fromisoformat(row["TIMESTAMP"][:26]).replace(tzinfo=UTC)
            tokens = int(row["ContextTokens"])
            total = found.setdefault((int(moment.timestamp()) // 60, band_of(tokens, thresholds)), [0] * 3)
            for index, value in enumerate((1, tokens, int(row["GeneratedTokens"]))):
                total[index] += value
    first, last = min(found)[0], max(found)[0]
    rows = (MinuteSums(minute - first, band, n, 0, i, 0, 0, o) for (minute, band), (n, i, o) in sorted(found.items()))
    return DemandProfile(first, last - first + 1, thresholds, tuple(rows))


def test_azures_code_trace_needs_435_ptu_of_gpt_4_1_in_its_peak_minute(code_trace):
    log = HandMadeLog({("", ""): code_trace}, a_source(cached_known=False))
    result = analysed(log, load_catalog(), model="gpt-4.1")
    entry = only_entry(result)
    assert entry.requests == 8819
    assert (code_trace.tokens().uncached, code_trace.tokens().output) == (18_059_974, 245_896)
    assert entry.mean_input_tokens == F(18_059_974, 8819)
    assert entry.mean_output_tokens == F(245_896, 8819)
    assert entry.weighted_tpm.at["max"] == 1_303_330
    assert entry.weighted_tpm.at["p99"] == 1_303_330  # under 100 minutes
    assert entry.weighted_tpm.mean == F(18_059_974 + 4 * 245_896, entry.minutes)
    assert ptu(entry.sizes) == {"global": 435, "data-zone": 435, "regional": 450}
    assert {"few_minutes", "cached_unknown"} <= set(codes(result))
    assert entry.busiest_day.day.isoformat() == "2023-11-16"
    assert entry.hour_of_week_ptu[3 * 24 + 18] is not None  # a Thursday evening
    assert MONDAY % 1440 == 0
