"""Tokens per minute by class, exact, and their weighted sum."""

from fractions import Fraction

import pytest

from ptucalc.catalog import TokenClass, Unknown
from ptucalc.demand import Demand

from .invented import calls, weights

F = Fraction


def per_minute(workload):
    demand = Demand.of(workload)
    return {c.value: demand.tokens_per_minute(c) for c in TokenClass if demand.tokens_per_minute(c)}


def test_every_input_token_is_in_exactly_one_class():
    # 10 calls of 1,000 input tokens: 60% cached, 30% written, 10% neither
    assert per_minute(calls(10, 1000, 200, cache_ratio="0.6", cache_write_ratio="0.3")) == {
        "input": 1000,
        "cached_input": 6000,
        "cache_write": 3000,
        "output": 2000,
    }


def test_a_share_need_not_make_whole_tokens():
    # 1.5 calls of 5 tokens are 7.5 a minute; 30% of them cached: 2.25, the others 5.25
    assert per_minute(calls("1.5", 5, 0, cache_ratio="0.3")) == {"input": F(21, 4), "cached_input": F(9, 4)}


def test_image_tokens_are_classes_of_their_own():
    demand = per_minute(calls(2, 10, 0, image_input_tokens=30, image_output_tokens=500, cache_ratio="0.5"))
    assert demand == {"input": 10, "cached_input": 10, "image_input": 60, "image_output": 1000}


def test_no_tokens_are_no_demand():
    assert per_minute(calls(5, 0, 0)) == {}


@pytest.mark.parametrize(
    ("workload", "weighted"),
    [
        (calls(10, 1000, 200), 16_000),  # 10 x (1,000 + 3 x 200)
        (calls(10, 1000, 200, cache_ratio="0.6"), 10_000),  # 10 x (400 + 600): cached weighs 0
        (calls(10, 1000, 200, cache_ratio="0.6", cache_write_ratio="0.4"), 10_000),  # written weighs 1
        (calls("9.6", 1000, 0), 9_600),
        (calls("0.001", 1, 1), F(4, 1000)),  # 0.001 x (1 + 3)
        (calls(1, 3, 0, cached_input_tokens=1), 2),
    ],
)
def test_the_weighted_sum_counts_each_class_at_its_weight(workload, weighted):
    assert F(*Demand.of(workload).weighted(weights())) == weighted


def test_cached_and_written_tokens_may_weigh_something():
    # 10 x (100 x 1 + 600 x 0.2 + 300 x 1.5 + 200 x 4) = 10 x (100 + 120 + 450 + 800)
    demand = Demand.of(calls(10, 1000, 200, cache_ratio="0.6", cache_write_ratio="0.3"))
    assert F(*demand.weighted(weights(cached_input="0.2", cache_write="1.5", output=4))) == 14_700


def test_image_classes_are_weighted_too():
    # 2 x (10 x 1 + 30 x 1.5 + 500 x 7) = 2 x 3,555
    demand = Demand.of(calls(2, 10, 0, image_input_tokens=30, image_output_tokens=500))
    assert F(*demand.weighted(weights(output=None, image_input="1.5", image_output=7))) == 7_110


def test_the_weighted_sum_is_in_lowest_terms():
    assert Demand.of(calls("0.5", 4, 0)).weighted(weights()) == (2, 1)
    assert Demand.of(calls("0.5", 3, 0)).weighted(weights()) == (3, 2)
    assert Demand.of(calls(5, 0, 0)).weighted(weights()) == (0, 1)


def test_weights_are_integers_over_their_common_denominator():
    # 1, 0.1, 1.25 and 5 over 20: 20, 2, 25, 100
    assert weights(cached_input="0.1", cache_write="1.25", output=5).scaled == ((20, 2, 25, 100, 0, 0), 20)
    assert weights(output=Unknown("not said")).scaled == ((1, 0, 1, 0, 0, 0), 1)


def test_no_digit_is_lost_however_large_the_numbers():
    # 999,999,999,999.5 x 999,999,999,999 has 25 digits
    demand = Demand.of(calls("999999999999.5", 10**12 - 1, 0))
    assert F(*demand.weighted(weights())) == F(1_999_999_999_999, 2) * (10**12 - 1)


def test_the_mean_of_several_prompts_may_have_a_fraction_of_a_token_and_images_beside_it():
    # 2 calls of 2.5 tokens, half of them cached, with 30 image tokens in and 500 out
    demand = per_minute(calls(2, F(5, 2), 1, image_input_tokens=30, image_output_tokens=500, cache_ratio="0.5"))
    assert demand == {"input": F(5, 2), "cached_input": F(5, 2), "output": 2, "image_input": 60, "image_output": 1000}
