"""The remarks a reader of the sizes must see: when each comes, what it says, and when it stays away."""

from datetime import date, timedelta

import pytest

from ptucalc.catalog import EarlierRate, LongContext, Retirement, Unknown
from ptucalc.results import Note
from ptucalc.rounding import Grid

from .invented import DATA_ZONE, GLOBAL, REGIONAL, TODAY, a_catalog, a_model, calls, note_messages, only, sized, weights

NOT_SAID = Unknown("not said")


def notes_on(model, workload=None, code="", **given):
    return note_messages(sized(workload or calls(20, name="chat"), a_catalog(model), **given), code)


def earlier(**given):
    plain = {"as_of": "2029", "tpm_per_ptu": 1000, "weights": weights(), "grids": {}, "kinds": None, "source": "table"}
    return EarlierRate(**{**plain, **given})


def test_a_plain_size_with_room_in_it_has_no_notes():
    assert sized(calls(18), deployment_types=(GLOBAL,)).notes == ()  # 18 of 20 PTU


def test_a_changed_rate_is_told_with_both_values_dates_and_answers():
    # today 20 x (1,000 + 3 x 200) = 32,000 / 1,000 = 32 -> 35, Regional 40
    # then 20 x (1,000 + 2 x 200) = 28,000 / 500 = 56 -> 60, Regional by 30: 60
    then = earlier(tpm_per_ptu=500, weights=weights(output=2), grids={REGIONAL: Grid(30, 30)})
    assert notes_on(a_model(earlier=(then,)), calls(20, 1000, 200), "rate_changed") == [
        "Alder: the published rate was different in 2029: 500 weighted TPM per PTU then, 1,000 now and output weight "
        "2 then, 3 now and Regional sold from 30 by 30 then, from 40 by 40 now (as of 2030-03-01). "
        "Global 35 PTU today, 60 then; Data zone 35 PTU today, 60 then; Regional 40 PTU today, 60 then."
    ]


def test_the_answer_at_the_earlier_rate_has_the_same_headroom():
    # 10 PTU x 1.5 = 15 today; then 20 x 1.5 = 30
    (message,) = notes_on(
        a_model(earlier=(earlier(tpm_per_ptu=500),)),
        calls(10),
        "rate_changed",
        headroom="50%",
        deployment_types=(GLOBAL,),
    )
    assert message.endswith(" Global 15 PTU today, 30 then.")


def test_the_answer_at_the_earlier_rate_pools_the_workloads():
    # together 11 + 12 = 23 -> 25; then 46 -> 50
    model = a_model(earlier=(earlier(tpm_per_ptu=500),))
    result = sized([calls(11), calls(12)], a_catalog(model), deployment_types=(GLOBAL,))
    (message,) = note_messages(result, "rate_changed")
    assert message.endswith(" Global 25 PTU today, 50 then.")


def test_an_earlier_answer_is_given_only_for_the_types_sold_then():
    model = a_model(earlier=(earlier(tpm_per_ptu=500, kinds=(DATA_ZONE,)),))
    (message,) = notes_on(model, calls(20), "rate_changed")
    assert message.endswith(" (as of 2030-03-01). Data zone 20 PTU today, 40 then.")


def test_a_changed_rate_without_an_answer_to_compare_ends_with_its_date():
    model = a_model(earlier=(earlier(tpm_per_ptu=500, kinds=(DATA_ZONE,)),))
    assert notes_on(model, calls(20), "rate_changed", deployment_types=(GLOBAL,)) == [
        "Alder: the published rate was different in 2029: 500 weighted TPM per PTU then, 1,000 now (as of 2030-03-01)."
    ]


def test_a_rate_that_did_not_change_gets_no_note():
    assert notes_on(a_model(earlier=(earlier(kinds=(GLOBAL,)),)), code="rate_changed") == []
    assert notes_on(a_model(earlier=(earlier(grids={GLOBAL: Grid(10, 5)}),)), code="rate_changed") == []


def test_long_context_is_told_with_whose_knowledge_it_is():
    second = a_model(long_context=LongContext(5000, "a shelf", weights(input=2)))
    assert notes_on(second, calls(1, 5000, name="chat"), "long_context") == []
    assert notes_on(second, calls(1, 5001, name="chat"), "long_context") == [
        "chat: over 5,000 input tokens the whole call counts as long context, at the model's long-context weights "
        "(that threshold is from a shelf, Microsoft states none for PTU)."
    ]
    priced = a_model(long_context=LongContext(5000, "a shelf", None))
    assert notes_on(priced, calls(1, 5001, name="chat"), "long_context") == [
        "chat: over 5,000 input tokens the whole call counts as long context; PTU has no second set of weights for "
        "Alder, only its pay-as-you-go price is the long one (that threshold is from a shelf, Microsoft states none "
        "for PTU)."
    ]


def test_a_prompt_limit_is_told_from_half_of_it_on():
    model = a_model(prompt_limit_tokens=8000)
    assert notes_on(model, calls(1, 3999, name="chat"), "prompt_limit") == []
    assert notes_on(model, calls(1, 4000, name="chat"), "prompt_limit") == [
        "chat: Alder refuses prompts over 8,000 tokens on PTU (HTTP 400, or they spill over), and these are within a "
        "factor of two of it on average."
    ]


def test_an_unpublished_cached_weight_is_told_to_those_who_cache():
    model = a_model(weights=weights(cached_input=NOT_SAID))
    assert notes_on(model, calls(20, name="chat"), "cached_weight_unknown") == []
    assert notes_on(model, calls(20, cache_ratio="0.1", name="chat"), "cached_weight_unknown") == [
        "chat: nobody has published what a cached token of Alder weighs: cached tokens are counted in full, the safe side."
    ]


def test_an_unpublished_weight_of_cache_writes_is_told_to_those_who_write():
    model = a_model(weights=weights(cache_write=NOT_SAID))
    result = sized(calls(20, cache_write_ratio="0.1", name="chat"), a_catalog(model), deployment_types=(GLOBAL,))
    assert "cached_weight_unknown" in [note.code for note in result.notes]


def test_an_output_weight_of_the_users_own_is_told():
    unpublished = a_model(weights=weights(output=NOT_SAID))
    assert notes_on(unpublished, calls(20, output_weight=4, name="chat"), "output_weight_given") == [
        "chat: the output weight is yours, not a published one (unpublished)."
    ]
    assert notes_on(a_model(), calls(20, output_weight="2.5", name="chat"), "output_weight_given") == [
        "chat: the output weight is yours, not a published one (3)."
    ]
    assert notes_on(a_model(), calls(20, output_weight=3), "output_weight_given") == []


def test_an_output_weight_that_was_not_used_is_not_claimed_to_be():
    image = a_model(weights=weights(output=None, image_output=5))
    assert notes_on(image, calls(1, 1000, 0, output_weight=4, image_output_tokens=9), "output_weight_given") == []


def test_a_note_on_many_workloads_names_three_and_counts_the_others():
    model = a_model(weights=weights(output=NOT_SAID))
    listed = [calls(output_weight=2, name=name) for name in ("a", "b", "c", "d", "e")]
    (message,) = note_messages(sized(listed, a_catalog(model)), "output_weight_given")
    assert message == "a, b, c and 2 more: the output weight is yours, not a published one (unpublished)."


def test_an_off_grid_minimum_says_that_the_legal_sizes_are_not_certain():
    assert notes_on(a_model(grids={REGIONAL: Grid(25, 50)}), calls(20), "off_grid_minimum") == [
        "Alder Regional: the published minimum (25) is not a multiple of the increment (50), so which sizes are legal is "
        "not certain; 50 follows the published wording (the need rounded up to the increment, or the minimum if larger)."
    ]
    assert notes_on(a_model(grids={REGIONAL: Grid(50, 25)}), calls(20), "off_grid_minimum") == []


def test_more_than_one_deployment_may_have_is_flagged():
    # the invented limit is 7,000 PTU
    kinds = {"deployment_types": (GLOBAL,)}
    assert notes_on(a_model(), calls(7000), "over_100000", **kinds) == []
    assert notes_on(a_model(), calls(7001), "over_100000", **kinds) == [
        "Alder Global: 7,005 PTU is over the 7,000 PTU that one deployment may have; split it."
    ]


def test_a_minimum_that_decides_is_told_with_what_is_used_of_it():
    # 5 of 10 PTU are half of it; 6 rounds up to 10 by itself
    kinds = {"deployment_types": (GLOBAL,)}
    assert notes_on(a_model(), calls(5), "minimum_dominates", **kinds) == [
        "Alder: the smallest size sold decides, not the load: it uses 50% of 10 PTU Global."
    ]
    assert notes_on(a_model(), calls(6), "minimum_dominates", **kinds) == []


@pytest.mark.parametrize(("rate", "noted"), [(19, False), ("19.001", True), (20, True)])
def test_little_headroom_is_told_above_95_percent(rate, noted):
    # 19 of 20 PTU are 95%
    assert bool(notes_on(a_model(), calls(rate), "little_headroom", deployment_types=(GLOBAL,))) is noted


def test_little_headroom_says_what_15_percent_would_buy():
    # 20 x 1.15 = 23 -> 25; any headroom of the user's own silences it
    kinds = {"deployment_types": (GLOBAL,)}
    assert notes_on(a_model(), calls(20), "little_headroom", **kinds) == [
        "at 100.0% a burst within the minute meets a 429. --headroom 15% would buy 25 PTU Global."
    ]
    assert notes_on(a_model(), calls("19.9"), "little_headroom", headroom="0.5%", **kinds) == []


def test_little_headroom_on_several_deployments_is_one_note():
    listed = [calls(20, deployment=f"d{i}") for i in range(12)] + [calls(11, deployment="loose")]
    (message,) = note_messages(sized(listed, deployment_types=(GLOBAL,)), "little_headroom")
    assert message == (
        "d0, d1, d2, d3, d4, d5, d6, d7, d8, d9 and 2 more: at over 95% a burst within the minute meets a 429. "
        "--headroom 15% leaves room."
    )


def ending(days, **given):
    return a_model(retirement=Retirement(TODAY + timedelta(days), "a shelf", third_party=False, **given))


@pytest.mark.parametrize(
    ("days", "code", "message"),
    [
        (-1, "retired", "Alder was to be retired on 2030-06-14 (a shelf)."),
        (0, "retired", "Alder was to be retired on 2030-06-15 (a shelf)."),
        (1, "retiring", "Alder is to be retired on 2030-06-16 (a shelf)."),
        (180, "retiring", "Alder is to be retired on 2030-12-12 (a shelf)."),
    ],
)
def test_retirement_depends_on_today(days, code, message):
    # 2030-06-15 + 180 days: 15 to the end of June, 31, 31, 30, 31, 30 = 168, and 12 of December
    assert notes_on(ending(days), code=code) == [message]
    assert notes_on(ending(days), code={"retired": "retiring", "retiring": "retired"}[code]) == []


def test_a_distant_retirement_is_no_note_until_180_days_before():
    model = ending(181)
    assert notes_on(model, code="retiring") == []
    assert len(notes_on(model, code="retiring", today=TODAY + timedelta(1))) == 1
    assert len(notes_on(model, code="retired", today=date(2031, 1, 1))) == 1


def test_a_retired_model_is_still_sized():
    assert sized(calls(20), a_catalog(ending(-400))).totals["global"] == 20


def test_a_retirement_from_a_third_party_and_a_model_no_longer_listed_say_so():
    third_party = a_model(retirement=Retirement(TODAY, "a shelf", third_party=True))
    assert notes_on(third_party, code="retired") == [
        "Alder was to be retired on 2030-06-15 (a shelf, not checked against Microsoft)."
    ]
    assert notes_on(ending(-30, last_listed=True), code="retired") == [
        "Alder was last in Microsoft's tables on 2030-05-16; its rates are from then (a shelf)."
    ]


def test_models_of_almost_the_same_name_are_told_apart():
    first, second = a_model("Birch v3", publisher="One"), a_model("BIRCH-V3", publisher="Two")
    result = sized(calls(model="birch v3"), a_catalog(first, second))
    assert note_messages(result, "similar_name") == ["Birch v3 (One) is not BIRCH-V3 (Two)."]


def test_a_past_edition_says_that_it_is_one():
    result = sized(calls(18), a_catalog(past=True), deployment_types=(GLOBAL,))
    message = "sized with the past edition invented-1; without --catalog you get today's rates."
    assert result.notes == (Note("past_edition", message, ""),)


def test_a_note_on_a_model_of_several_deployments_comes_once():
    model = only(a_model(retirement=Retirement(TODAY, "a shelf", third_party=False)), GLOBAL)
    result = sized([calls(18), calls(18, deployment="b")], a_catalog(model))
    assert [(note.code, note.about) for note in result.notes] == [("retired", "Alder")]
