"""A workload and a catalog to the model that serves it, or to what is wrong."""

from fractions import Fraction

import pytest

from ptucalc.catalog import DeploymentType, EarlierRate, LongContext, Unknown
from ptucalc.errors import BadInput
from ptucalc.resolving import Resolver

from .invented import GLOBAL, REGIONAL, a_catalog, a_model, bought, calls, sized, weights

F = Fraction
LONG = LongContext(over_input_tokens=5000, source="table", weights=weights(input=2, cached_input="0.5", output=9))
UNWEIGHED = weights(cached_input=Unknown("not said"), cache_write=Unknown("not said"), output=Unknown("no such row"))


def resolve(workload, *models, **given):
    return Resolver(a_catalog(*models), **given).resolve(workload)


def refusal(workload, *models):
    with pytest.raises(BadInput) as caught:
        resolve(workload, *models)
    return str(caught.value)


def test_a_dated_name_or_a_version_of_its_own_give_the_version():
    model = a_model(versions=("1", "2"))
    assert resolve(calls(model="alder-2"), model).version == "2"
    assert resolve(calls(model_version="1"), model).version == "1"
    assert resolve(calls(model="alder-1", model_version="1"), model).version == "1"
    assert resolve(calls(), model).version is None


def test_a_version_that_the_model_does_not_have_is_an_error():
    model = a_model(versions=("1", "2"))
    assert refusal(calls(model_version="3"), model) == "model_version: expected a version of Alder: 1, 2, got 3"
    contradiction = calls(model="alder-1", model_version="2")
    assert refusal(contradiction, model) == "model_version: expected 1, as the model's name says, got 2"


def test_an_unknown_model_and_an_unknown_region_are_named_with_near_ones():
    assert refusal(calls(model="Aldr")) == "model: expected a known model: Alder?, got Aldr"
    assert refusal(calls(region="northlnd")) == (
        "region: expected a region that some PTU model is listed in: northland?, got northlnd"
    )


def test_all_that_is_wrong_with_the_place_and_the_model_is_said_at_once():
    model = a_model(versions=("1",), weights=UNWEIGHED)
    assert refusal(calls(region="zzz", model_version="2"), model) == (
        "region: expected a region that some PTU model is listed in, got zzz\n"
        "model_version: expected a version of Alder: 1, got 2\n"
        "output_weight: expected the weight of one output token of Alder (no such row), got (empty)"
    )


def test_a_model_without_published_numbers_cannot_be_sized():
    model = a_model(tpm_per_ptu=Unknown("released yesterday"))
    assert (
        refusal(calls(), model) == "model: expected a model with published PTU numbers (released yesterday), got Alder"
    )


def test_a_model_without_numbers_names_the_other_that_is_called_almost_the_same():
    bare = a_model("Birch-V3", publisher="One", tpm_per_ptu=Unknown("not in the tables"))
    other = a_model("Birch v3", publisher="Two")
    assert refusal(calls(model="birch-v3"), bare, other) == (
        "model: expected a model with published PTU numbers (not in the tables; "
        "another model is called almost the same: Birch v3 (Two)), got birch-v3"
    )
    assert resolve(calls(model="birch v3"), bare, other).model is other


def test_an_output_weight_of_the_users_own_is_enough():
    model = a_model(weights=UNWEIGHED)
    found = resolve(calls(output_weight="2.5"), model)
    assert found.weights == weights(cached_input=1, cache_write=1, output="2.5")


def test_without_an_output_weight_even_calls_without_output_are_refused():
    message = "output_weight: expected the weight of one output token of Alder (no such row), got (empty)"
    assert refusal(calls(1, 1000, 0), a_model(weights=UNWEIGHED)) == message


def test_cached_tokens_of_unpublished_weight_count_in_full():
    # 20 calls of 1,000 tokens, half of them cached: 20,000 all the same, no less than without the cache
    model = a_model(weights=weights(cached_input=Unknown("not said")))
    assert bought(sized(calls(20, 1000, 0, cache_ratio="0.5"), a_catalog(model)))["global"] == 20


def test_in_full_means_at_the_weight_of_plain_input():
    long = LongContext(5000, "table", weights(input=2, cached_input=Unknown("not said")))
    found = resolve(calls(1, 5001, 0), a_model(long_context=long))
    assert found.weights.cached_input == 2


def test_a_prompt_limit_holds_up_to_the_limit():
    model = a_model(prompt_limit_tokens=8000)
    assert resolve(calls(1, 8000), model).model is model
    assert refusal(calls(1, 8001), model) == (
        "input_tokens: expected at most 8,000: Alder refuses longer prompts on PTU (HTTP 400, or they spill over), "
        "got 8001"
    )


def test_a_prompt_limit_holds_up_to_the_limit_in_long_context_too():
    model = a_model(prompt_limit_tokens=8000, long_context=LONG)
    assert resolve(calls(1, 8000), model).weights == LONG.weights
    assert refusal(calls(1, 8001), model).startswith("input_tokens: expected at most 8,000: ")


def test_a_weight_of_the_users_own_wins_over_the_published_one():
    assert resolve(calls(output_weight=7)).weights == weights(output=7)
    assert resolve(calls(output_weight=0)).weights == weights(output=0)


def test_long_context_counts_for_the_whole_call_and_only_for_that_call():
    model = a_model(long_context=LONG)
    resolver = Resolver(a_catalog(model))
    assert resolver.resolve(calls(1, 5000)).weights == weights()
    assert resolver.resolve(calls(1, 5001)).weights == LONG.weights
    assert resolver.resolve(calls(1, 5000)).weights == weights()


def test_a_model_without_a_second_set_keeps_its_weights_in_long_context():
    model = a_model(long_context=LongContext(5000, "table", None))
    assert resolve(calls(1, 5001), model).weights == weights()


def test_tokens_of_a_class_that_the_model_does_not_have_are_an_error():
    image = a_model("Fir", weights=weights(output=None, image_input=2, image_output=5))
    workload = calls(1, 10, 20, model="Fir", image_input_tokens=30, image_output_tokens=40)
    assert refusal(workload, image) == (
        "output_tokens: expected 0: the output of this model is images (image_output_tokens), got 20"
    )
    assert refusal(calls(1, 10, 20, image_input_tokens=30, image_output_tokens=40)) == (
        "image_input_tokens: expected 0: this model counts images as input tokens (add them to input_tokens), got 30\n"
        "image_output_tokens: expected 0: this model makes no images, got 40"
    )
    assert resolve(calls(1, 10, 0, model="Fir", image_output_tokens=40), image).model is image


@pytest.mark.parametrize(
    ("model_weights", "workload"),
    [
        (weights(input=Unknown("not said")), calls(30, 1000, 0)),
        (weights(input=None), calls(30, 1000, 0)),
        (weights(cached_input=None), calls(30, 1000, 0, cache_ratio=1)),
        (weights(cache_write=None), calls(30, 1000, 0, cache_write_ratio=1)),
        (weights(image_input=Unknown("not said")), calls(30, 0, 0, image_input_tokens=1000)),
        (weights(image_output=Unknown("not said")), calls(30, 0, 0, image_output_tokens=1000)),
    ],
)
def test_a_weight_that_nobody_published_is_never_counted_as_0(model_weights, workload):
    # either refused, or counted in full: 30 calls of 1,000 tokens are 30 PTU at a weight of 1
    try:
        result = sized(workload, a_catalog(a_model(weights=model_weights)))
    except BadInput:
        return
    assert bought(result)["global"] >= 30


def test_a_long_context_set_with_gaps_is_never_counted_as_0():
    long = LongContext(over_input_tokens=500, source="table", weights=weights(output=Unknown("not said")))
    try:
        result = sized(calls(30, 1000, 1000), a_catalog(a_model(long_context=long)))
    except BadInput:
        return
    assert bought(result)["global"] >= 60


def test_a_workloads_own_deployment_type_wins():
    given = {"deployment_types": (GLOBAL,)}
    assert resolve(calls(), **given).kinds == (GLOBAL,)
    assert resolve(calls(deployment_type="regional"), **given).kinds == (REGIONAL,)
    assert resolve(calls()).kinds == tuple(DeploymentType)


def test_earlier_rates_get_the_users_weight_too():
    earlier = EarlierRate("then", 500, UNWEIGHED, {}, None, "table")
    found = resolve(calls(output_weight=4), a_model(weights=UNWEIGHED, earlier=(earlier,)))
    assert found.earlier == (weights(cached_input=1, cache_write=1, output=4),)


def test_what_was_found_is_not_mixed_up_between_workloads():
    resolver = Resolver(a_catalog(a_model(versions=("1", "2"), weights=UNWEIGHED)))
    assert resolver.resolve(calls(output_weight=2)).weights.output == 2
    assert resolver.resolve(calls(output_weight=3)).weights.output == 3
    with pytest.raises(BadInput):
        resolver.resolve(calls())
    with pytest.raises(BadInput):
        resolver.resolve(calls())
    assert resolver.resolve(calls(output_weight=2, model_version="1")).version == "1"
    assert resolver.resolve(calls(output_weight=2, model_version="2")).version == "2"


def test_problems_are_empty_for_a_workload_that_can_be_sized():
    resolver = Resolver(a_catalog(a_model(), a_model("Gum", weights=UNWEIGHED)))
    assert resolver.problems_of(calls()) == ()
    assert [problem.field for problem in resolver.problems_of(calls(model="Gum"))] == ["output_weight"]
    assert resolver.lacks_output_weight("gum")
    assert not resolver.lacks_output_weight("Alder")
    assert not resolver.lacks_output_weight("nothing like it")
