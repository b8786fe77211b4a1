"""What calls weigh on a bucket, and how large its numbers can get."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptucalc import bucket_kernel
from ptucalc.bucket_engine import PlainEngine
from ptucalc.bucket_kernel import MINUTE_US
from ptucalc.bucket_load import Units, load_calls, weighing_of
from ptucalc.call_trace import Call, CallTrace
from ptucalc.catalog import LongContext, Unknown
from ptucalc.errors import BadInput
from ptucalc.simulated_runs import CallTokens, TokenSums
from ptucalc.simulating import Bucket, Buckets

from .engines import KINDS, of_kind
from .invented import a_model, weights
from .test_bucket_kernel import traces

UNPUBLISHED = Unknown("nobody published it")


def load(calls, model=None, kind="plain", **rules):
    trace = CallTrace.of(calls)
    rule, scale = weighing_of(model or a_model(), trace, **rules)
    return load_calls(trace, rule, scale, of_kind(kind))


def weighed(*calls, **more):
    """(estimate, what completion changes) of each call that PTU serve, in weighted tokens."""
    found = load(calls, **more)
    pairs = zip(found.calls.estimate, found.calls.delta, strict=True)
    return [(Fraction(int(one), found.scale), Fraction(int(two), found.scale)) for one, two in pairs]


@pytest.mark.parametrize("kind", KINDS)
def test_each_class_of_tokens_has_its_weight(kind):
    model = a_model(weights=weights(cached_input="1/10", cache_write="5/4", output="5/2"))
    call = Call(0, 100, 10, cached=30, written=8, max_tokens=16)
    assert weighed(call, model=model, kind=kind) == [(100 + 3 + 10 + 40, 25 - 40)]


def test_the_estimate_is_max_tokens_or_the_assumed_or_the_actual_output():
    own, none = Call(0, 100, 10, max_tokens=40), Call(0, 100, 10)
    assert weighed(own, none) == [(220, -90), (130, 0)]
    assert weighed(own, none, assumed_max_tokens=20) == [(220, -90), (160, -30)]
    assert weighed(Call(0, 100, 10, max_tokens=0)) == [(100, 30)]
    assert load([own, none]).without_max_tokens == 1


def test_durations_are_as_given_or_follow_from_the_latency_target():
    # the target is 20 tokens per second; 7 tokens take 0.35 s, and parts of a microsecond are left out
    calls = [Call(0, 1, 7), Call(0, 1, 7, duration_us=3), Call(0, 1, 0)]
    assert load(calls).duration == [350_000, 3, 0]
    assert load(calls).without_duration == 2
    target = a_model().latency_target._replace(tokens_per_second=30)
    assert load([Call(0, 1, 7)], a_model(latency_target=target)).duration == [233_333]
    assert load([Call(0, 1, 7)], a_model(latency_target=UNPUBLISHED)).duration == [0]


LONG = LongContext(1000, "a test", weights(input=2, cached_input="1/2", cache_write=3, output=5))


def test_long_context_weighs_otherwise_from_one_token_more_on_for_the_whole_call():
    model = a_model(long_context=LONG)
    at, over = Call(0, 900, 10, cached=60, written=40), Call(0, 900, 10, cached=60, written=41)
    assert weighed(at, model=model) == [(900 + 0 + 40 + 30, 0)]
    assert weighed(over, model=model) == [(1800 + 30 + 123 + 50, 0)]


def test_long_context_without_weights_of_its_own_is_told_apart_for_its_price_only():
    model = a_model(long_context=LongContext(1000, "a test", None))
    found = load([Call(0, 1000, 1), Call(0, 1001, 2)], model)
    assert list(found.calls.estimate) == [1003, 1007]
    assert found.tokens == TokenSums(CallTokens(uncached=1000, output=1), CallTokens(uncached=1001, output=2))


@pytest.mark.parametrize("kind", KINDS)
def test_prompts_over_the_limit_never_reach_the_bucket(kind):
    model = a_model(prompt_limit_tokens=1000)
    calls = [Call(0, 5, 1), Call(1, 990, 2, cached=6, written=5), Call(2, 989, 3, cached=6, written=5)]
    found = load(calls, model, kind)
    assert [int(place) for place in found.kept] == [0, 2]
    assert (found.over_limit, len(found)) == (1, 2)
    assert found.tokens_over_limit.total == CallTokens(990, 6, 5, 2)
    assert found.tokens.total == CallTokens(5 + 990 + 989, 12, 10, 6)
    assert [int(tokens) for tokens in found.calls.arrival] == [0, 2]


def test_an_output_weight_can_be_given():
    model = a_model(weights=replace(weights(), output=UNPUBLISHED))
    assert weighed(Call(0, 1, 2), model=model, output_weight=Fraction(9, 2)) == [(10, 0)]
    with pytest.raises(BadInput) as caught:
        weighing_of(model, CallTrace.of([Call(0, 1, 0)]))
    assert [str(problem) for problem in caught.value.problems] == [
        "output_weight: expected the weight of one output token of Alder (nobody published it), got (empty)"
    ]


def test_cached_tokens_of_unpublished_weight_count_in_full():
    model = a_model(weights=replace(weights(input=2), cached_input=UNPUBLISHED, cache_write=UNPUBLISHED))
    assert weighed(Call(0, 0, 0, cached=3, written=4), model=model) == [(14, 0)]


def test_tokens_of_a_class_that_the_model_does_not_have_are_refused_and_only_then():
    model = a_model(weights=replace(weights(), cache_write=None))
    assert weighed(Call(0, 5, 0), model=model) == [(5, 0)]
    with pytest.raises(BadInput) as caught:
        weighing_of(model, CallTrace.of([Call(0, 5, 0, written=1)]))
    assert [str(problem) for problem in caught.value.problems] == [
        "calls: expected no cache write tokens: Alder has no known weight for them, got cache write tokens"
    ]


# Whole numbers


@given(st.lists(st.integers(1, 10**5), min_size=1, max_size=5), st.integers(1, 10**5), st.integers(1, 1000))
def test_a_weighted_token_and_the_drains_stay_in_proportion(sizes, tpm, scale):
    units = Units.of(sizes, tpm, scale)
    for ptu, drain in zip(sizes, units.drains, strict=True):
        # in a minute PTU x TPM weighted tokens drain, each of `scale` parts
        assert drain * MINUTE_US == ptu * tpm * scale * units.unit
    assert all(isinstance(drain, int) and drain > 0 for drain in units.drains)


def test_numbers_that_do_not_fit_are_left_to_plain_python():
    trace = CallTrace.of([Call(0, 2**45, 1)])
    rule, scale = weighing_of(a_model(), trace)
    assert load_calls(trace, rule, scale, of_kind("compiled")) is None
    assert load_calls(trace, rule, scale, PlainEngine()).largest_estimate == 2**45 + 3


def test_sums_over_32_bits_are_exact_in_arrays():
    engine = of_kind("compiled")
    values = [2**61, 2**61 - 1, 2**61, 2**61, 2**62, -5]
    assert engine.total(engine.column(values)) == sum(values)
    assert engine.over_zero(engine.column(values)) == sum(values) + 5
    assert engine.farthest(engine.column([3, -7])) == 7 == PlainEngine().farthest([3, -7])


class Watched(int):
    """A whole number that, with all that is calculated from it, remembers the largest that it has been."""

    largest = 0

    def _seen(self, value):
        Watched.largest = max(Watched.largest, abs(value))
        return Watched(value)

    def __add__(self, other):
        return self._seen(int(self) + int(other))

    def __sub__(self, other):
        return self._seen(int(self) - int(other))

    def __rsub__(self, other):
        return self._seen(int(other) - int(self))

    def __mul__(self, other):
        return self._seen(int(self) * int(other))

    def __floordiv__(self, other):
        return self._seen(int(self) // int(other))

    __radd__, __rmul__ = __add__, __mul__


class WatchedEngine(PlainEngine):
    """Plain Python whose levels are watched."""

    def levels(self, values, largest):
        return [Watched(value) for value in values]

    def level(self, value, largest):
        return Watched(value)

    def replay(self, calls, duration, unit, drain, capacity, *rest):
        numbers = Watched(unit), Watched(drain), Watched(capacity)
        return bucket_kernel.replay(calls, duration, *numbers, *rest)


@settings(max_examples=200, deadline=None)
@given(
    traces,
    st.lists(st.integers(1, 1000), min_size=1, max_size=3),
    st.sampled_from([1, 10, 60]),
    st.none() | st.integers(1, 9),
    st.integers(0, 3),
)
def test_no_number_is_ever_larger_than_said_beforehand(calls, sizes, seconds, assumed, retries):
    trace = CallTrace.of(calls)
    rule, scale = weighing_of(a_model(), trace, assumed_max_tokens=assumed)
    several = Buckets(trace, rule, scale, 1000, WatchedEngine())
    some = [Bucket(ptu, seconds * 1_000_000) for ptu in sizes]
    units = Units.of(sizes, 1000, scale)
    capacities = [drain * seconds * 1_000_000 for drain in units.drains]
    largest, empties = several.load.largest_in_lanes(units, capacities)
    Watched.largest = 0
    several.count(some)
    assert Watched.largest <= largest
    for drain, capacity in zip(units.drains, capacities, strict=True):
        assert empties * drain >= several.load.highest_level(units.unit, capacity)
    units = Units.of(sizes[:1], 1000, scale)
    drain = units.drains[0]
    Watched.largest = 0
    several.replay(some[0], retries)
    assert Watched.largest <= several.load.largest_in_replay(units.unit, drain, drain * seconds * 1_000_000, retries)


def test_completions_that_add_up_are_in_the_highest_level():
    # ten calls of one token that turn out to have 1,000 output tokens, at 3 each
    found = load([Call(0, 1, 1000, max_tokens=0, duration_us=0)] * 10)
    assert (found.largest_estimate, found.largest_change, found.corrected_up) == (1, 3000, 30_000)
    assert found.highest_level(unit=2, capacity=7) == 7 + 2 * 30_001


def test_levels_are_floats_only_as_long_as_these_are_exact():
    engine = of_kind("compiled")
    assert str(engine.levels([1], 2**53 - 1).dtype) == str(engine.level(1, 2**53 - 1).dtype) == "float64"
    assert str(engine.levels([1], 2**53).dtype) == str(engine.level_rows(1, 1, 2**53).dtype) == "int64"
