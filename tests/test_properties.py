"""What must hold for any input, checked on many."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ptucalc.catalog import LongContext, Unknown
from ptucalc.inverse import largest_rate
from ptucalc.results import json_number
from ptucalc.rounding import Grid
from ptucalc.workload import LoadProfile

from .invented import GLOBAL, a_catalog, a_model, calls, sized, weights

F = Fraction

settings.register_profile("unhurried", deadline=None)  # a busy machine is no bug
settings.load_profile("unhurried")

rates = st.one_of(
    st.integers(1, 10**6),
    st.decimals(min_value="0.001", max_value="99999", places=3),
    st.fractions(min_value=F(1, 997), max_value=10**5, max_denominator=997),
)
token_counts = st.integers(0, 300_000)
shares = st.one_of(
    st.decimals(min_value=0, max_value=1, places=2), st.fractions(min_value=0, max_value=1, max_denominator=97)
)
headrooms = st.decimals(min_value=0, max_value=1, places=2)
some_weights = st.decimals(min_value=0, max_value=8, places=2)
grids = st.builds(lambda increment, steps: Grid(increment * steps, increment), st.integers(1, 60), st.integers(1, 6))
loads = st.lists(st.tuples(rates, token_counts, token_counts), min_size=1, max_size=6)


@dataclass(frozen=True)
class Sold:
    """Invented numbers of one model."""

    tpm: int
    grid: Grid
    cached: Fraction
    written: Fraction
    output: Fraction

    @property
    def catalog(self):
        own = weights(cached_input=self.cached, cache_write=self.written, output=self.output)
        return a_catalog(a_model(tpm_per_ptu=self.tpm, weights=own, grids={GLOBAL: self.grid}))


models = st.builds(Sold, st.integers(1, 60_000), grids, *[some_weights.map(F)] * 3)


def size_of(workload, model, **given):
    return sized(workload, model.catalog, deployment_types=(GLOBAL,), **given).sizes["global"]


@given(models, rates, token_counts, token_counts, shares, shares, headrooms)
def test_the_library_agrees_with_the_published_formula(model, rate, tokens_in, tokens_out, cached, rest, headroom):
    written = (1 - F(cached)) * F(rest)
    workload = calls(rate, tokens_in, tokens_out, cache_ratio=cached, cache_write_ratio=written)
    size = size_of(workload, model, headroom=headroom)
    # the formula as Microsoft writes it, once more and by itself
    uncached = 1 - F(cached) - written
    per_call = tokens_in * (uncached + F(cached) * model.cached + written * model.written) + tokens_out * model.output
    raw = F(rate) * per_call / model.tpm
    need = raw * (1 + F(headroom))
    assert (size.raw_ptu, size.need_ptu) == (raw, need)
    assert size.ptu == max(model.grid.minimum, ceil(need / model.grid.increment) * model.grid.increment)
    assert size.utilization == raw / size.ptu
    assert size.max_requests_per_minute == (size.ptu * model.tpm / per_call if per_call else None)


@given(models, rates, token_counts, token_counts, headrooms)
def test_the_answer_is_on_the_grid_and_is_the_smallest_that_fits(model, rate, tokens_in, tokens_out, headroom):
    size = size_of(calls(rate, tokens_in, tokens_out), model, headroom=headroom)
    assert model.grid.holds(size.ptu)
    assert size.ptu >= size.need_ptu
    smaller = size.ptu - model.grid.increment
    assert not model.grid.holds(smaller) or smaller < size.need_ptu


@given(models, rates, rates, token_counts, token_counts, token_counts, token_counts)
def test_more_of_anything_never_needs_fewer_ptu(model, rate, more_rate, tokens_in, more_in, tokens_out, more_out):
    before = size_of(calls(rate, tokens_in, tokens_out), model).ptu
    assert size_of(calls(F(rate) + F(more_rate), tokens_in, tokens_out), model).ptu >= before
    assert size_of(calls(rate, tokens_in + more_in, tokens_out), model).ptu >= before
    assert size_of(calls(rate, tokens_in, tokens_out + more_out), model).ptu >= before
    assert size_of(calls(rate, tokens_in, tokens_out), model, headroom="10%").ptu >= before


@given(rates, token_counts, st.integers(0, 50_000), shares, shares)
def test_a_better_cache_never_needs_more_ptu_where_cached_tokens_weigh_less(rate, tokens_in, tokens_out, one, two):
    less, more = sorted((F(one), F(two)))
    model = Sold(1000, Grid(10, 5), F(1, 10), F(1), F(4))
    better = size_of(calls(rate, tokens_in, tokens_out, cache_ratio=more), model).ptu
    assert better <= size_of(calls(rate, tokens_in, tokens_out, cache_ratio=less), model).ptu


@given(st.integers(1, 100), st.integers(0, 20_000), st.integers(0, 2000), st.integers(0, 5000))
def test_a_longer_prompt_never_needs_fewer_ptu_across_the_long_context_threshold(rate, tokens_in, tokens_out, more):
    long = LongContext(10_000, "table", weights(input=2, output=4))
    catalog = a_catalog(a_model(long_context=long))
    before, after = (sized(calls(rate, n, tokens_out), catalog).totals["global"] for n in (tokens_in, tokens_in + more))
    assert after >= before


@given(models, loads, headrooms)
def test_pooling_never_costs_more_than_separate_deployments(model, load, headroom):
    together = sized([calls(*each) for each in load], model.catalog, headroom=headroom)
    apart = sized([calls(*each, deployment=f"d{i}") for i, each in enumerate(load)], model.catalog, headroom=headroom)
    assert len(together.deployments) == 1
    assert len(apart.deployments) == len(load)
    assert together.totals["global"] <= apart.totals["global"]
    alone = [size.sizes["global"].ptu for size in together.workloads]
    assert max(alone) <= together.totals["global"] <= sum(alone) == apart.totals["global"]


@given(models, loads, st.randoms())
def test_the_order_of_the_workloads_does_not_matter(model, load, random):
    shuffled = random.sample(load, len(load))
    one, two = (sized([calls(*each) for each in each_load], model.catalog) for each_load in (load, shuffled))
    assert one.totals == two.totals
    assert one.deployments[0].weighted_tpm == two.deployments[0].weighted_tpm


@given(st.lists(st.lists(st.integers(0, 500), min_size=24, max_size=24).filter(any), min_size=1, max_size=4))
def test_added_hour_by_hour_is_never_more_than_the_sum_of_the_peaks(days):
    (deployment,) = sized([calls(None, profile=LoadProfile.from_hourly(day)) for day in days]).deployments
    assert deployment.requests_per_minute == max(map(sum, zip(*days, strict=True)))
    assert deployment.weighted_tpm == 1000 * deployment.requests_per_minute
    assert max(map(max, days)) <= deployment.requests_per_minute <= sum(map(max, days))


@given(models, rates, token_counts, token_counts, shares, headrooms, st.booleans())
def test_the_integers_path_agrees_with_the_fractions(
    model, rate, tokens_in, tokens_out, cached, headroom, sized_at_all
):
    catalog = model.catalog if sized_at_all else a_catalog(a_model(places={GLOBAL: ()}))
    workload = calls(rate, tokens_in, tokens_out, cache_ratio=cached)
    size = sized(workload, catalog, headroom=headroom, deployment_types=(GLOBAL,)).sizes["global"]
    exact = (size.raw_ptu, size.need_ptu, size.utilization, size.max_requests_per_minute)
    assert size.numbers() == tuple(None if value is None else json_number(value) for value in exact)


@given(models, rates, st.integers(0, 5000), token_counts, shares, headrooms, st.integers(0, 2000))
def test_the_largest_rate_is_the_inverse_of_sizing(model, rate, tokens_in, tokens_out, cached, headroom, steps):
    ptu = model.grid.minimum + steps * model.grid.increment
    shape = {"input_tokens": tokens_in, "output_tokens": tokens_out, "cache_ratio": cached}
    most = largest_rate(calls(rate, **shape), ptu, catalog=model.catalog, headroom=headroom)
    if most is None:
        assert size_of(calls(rate, **shape), model).weighted == (0, 1)
        return
    assume(most < 10**11)
    fits = size_of(calls(most, **shape), model, headroom=headroom)
    assert (fits.ptu, fits.need_ptu) == (ptu, ptu)
    assert size_of(calls(most + F(1, 10**9), **shape), model, headroom=headroom).ptu == ptu + model.grid.increment


@given(rates, token_counts, shares)
def test_an_unpublished_cached_weight_is_the_safe_side(rate, tokens_in, cached):
    unknown = a_catalog(a_model(weights=weights(cached_input=Unknown("not said"))))
    plain = sized(calls(rate, tokens_in), a_catalog()).totals
    assert sized(calls(rate, tokens_in, cache_ratio=cached), unknown).totals == plain


@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 10**6), st.integers(1, 10**6))
def test_any_grid_answers_with_a_size_that_it_holds(minimum, increment, numerator, denominator):
    grid = Grid(minimum, increment)
    ptu = grid.round_up(numerator, denominator)
    assert grid.holds(ptu)
    assert ptu >= F(numerator, denominator)
    assert grid.minimum_decides(numerator, denominator) == (
        ceil(F(numerator, denominator * increment)) * increment < minimum
    )
