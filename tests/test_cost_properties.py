"""What must hold for the cost of any load, checked on many; brute force is written naively, minute by minute, here."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ptucalc import load
from ptucalc.deployment_load import DeploymentLoad, Stream
from ptucalc.hybrid import CostCurve
from ptucalc.load import Overflow, timeline_of
from ptucalc.money import usd
from ptucalc.rounding import Grid
from ptucalc.workload import LoadProfile

from .invented import GLOBAL, a_catalog, a_model, calls, sized, weights
from .priced import HOURLY, MONTH, YEAR, a_book, costed, ptu_row, row, scope

F = Fraction
TERMS = (HOURLY, MONTH, YEAR)
MINUTES = 43_800

settings.register_profile("few", deadline=None, max_examples=40)  # a busy machine is no bug
few = settings.get_profile("few")

rates = st.one_of(st.integers(0, 60), st.fractions(min_value=0, max_value=60, max_denominator=12))
prices = st.decimals(min_value="0.01", max_value="20", places=2)
parts = st.lists(st.integers(1, 12), min_size=1, max_size=5)
grids = st.builds(lambda increment, steps: Grid(increment * steps, increment), st.integers(1, 12), st.integers(1, 4))


@st.composite
def level_profiles(draw):
    shares = draw(parts)
    found = [(F(part, sum(shares)), draw(rates)) for part in shares]
    assume(any(rate for _, rate in found))
    return LoadProfile.from_levels(found)


timed_profiles = st.one_of(
    st.lists(rates, min_size=24, max_size=24).filter(any).map(LoadProfile.from_hourly),
    st.lists(rates, min_size=1, max_size=12).filter(any).map(LoadProfile.from_minutes),
)
flat_loads = st.fractions(min_value=F(1, 10), max_value=60, max_denominator=12).map(lambda rate: {"rate": rate})
level_loads = level_profiles().map(lambda profile: {"rate": None, "profile": profile})
timed_loads = timed_profiles.map(lambda profile: {"rate": None, "profile": profile})


@st.composite
def workloads(draw, loads, *, weightless=False):
    tokens_in, tokens_out = draw(st.integers(0 if weightless else 1, 3000)), draw(st.integers(0, 800))
    cached = draw(st.sampled_from([0, F(1, 4), F(2, 3)]))
    return calls(input_tokens=tokens_in, output_tokens=tokens_out, cache_ratio=cached, **draw(loads))


@dataclass(frozen=True)
class World:
    """An invented model with its prices."""

    tpm: int
    grid: Grid
    cached_weight: Fraction
    per_1m: tuple[Fraction, Fraction, Fraction]
    ptu: tuple[Fraction, Fraction, Fraction]

    @property
    def catalog(self):
        own = weights(cached_input=self.cached_weight)
        return a_catalog(a_model(tpm_per_ptu=self.tpm, weights=own, grids={GLOBAL: self.grid}))

    @property
    def book(self):
        token, cached, output = self.per_1m
        hourly, month, year = self.ptu
        return a_book(
            models={"alder": {GLOBAL: scope([row(input=token, cached_input=cached, output=output)])}},
            hourly={GLOBAL: ((ptu_row(hourly),),)},
            reservations={(GLOBAL, MONTH): ((ptu_row(month),),), (GLOBAL, YEAR): ((ptu_row(year),),)},
        )

    def cost(self, listed, **given):
        return costed(listed, catalog=self.catalog, book=self.book, **given)

    def per_call(self, workload):
        """Weighted tokens and dollars of a call, by the formulas."""
        cached = workload.input_tokens * workload.cache_ratio
        plain = workload.input_tokens - cached
        weighted = plain + cached * self.cached_weight + 3 * workload.output_tokens
        token, hit, output = self.per_1m
        return weighted, (plain * token + cached * hit + workload.output_tokens * output) / 10**6

    def ptu_month(self, term):
        hourly, month, year = self.ptu
        return {HOURLY: hourly * 730, MONTH: month, YEAR: year / 12}[term]


worlds = st.builds(
    World,
    st.integers(500, 9000),
    grids,
    st.sampled_from([F(0), F(1, 10)]),
    st.tuples(*[prices.map(F)] * 3),
    st.tuples(prices.map(F), prices.map(lambda price: F(price) * 40), prices.map(lambda price: F(price) * 400)),
)


def minute_by_minute(listed):
    """The rates of all workloads in every minute of a pattern that stands for the month, naively.

    Hours and minutes are followed in time; levels are sorted and laid so that the busiest minutes meet.
    """
    timed = [w.profile.timed for w in listed if w.profile and w.profile.timed]
    length = lcm(
        *(len(each) for each in timed),
        *(part.denominator for w in listed if w.profile for part, _ in w.profile.levels),
    )
    columns = []
    for workload in listed:
        profile = workload.profile
        if profile is None:
            columns.append([workload.requests_per_minute] * length)
        elif profile.levels:
            ordered = sorted(profile.levels, key=lambda level: -level[1])
            columns.append([rate for part, rate in ordered for _ in range(int(part * length))])
        else:
            columns.append([rate for rate in profile.timed for _ in range(length // len(profile.timed))])
    return list(zip(*columns, strict=True))


def brute(world, listed, ptu, term):
    """The monthly cost of a size: every minute by itself."""
    per_call = [world.per_call(workload) for workload in listed]
    minutes = minute_by_minute(listed)
    spilled = F(0)
    for rates_now in minutes:
        weighted = sum(rate * weight for rate, (weight, _) in zip(rates_now, per_call, strict=True))
        dollars = sum(rate * each for rate, (_, each) in zip(rates_now, per_call, strict=True))
        capacity = ptu * world.tpm
        if weighted > capacity:
            spilled += dollars * (1 - F(capacity) / weighted)
    return ptu * world.ptu_month(term) + spilled / len(minutes) * MINUTES


def legal(world, listed):
    """Nothing, and every legal size up to the first that covers the peak."""
    per_call = [world.per_call(workload)[0] for workload in listed]
    peak = max(sum(map(F.__mul__, map(F, each), map(F, per_call))) for each in minute_by_minute(listed))
    sizes, ptu = [0], world.grid.minimum
    while True:
        sizes.append(ptu)
        if ptu * world.tpm >= peak:
            return sizes
        ptu += world.grid.increment


ALONE = st.one_of(workloads(flat_loads), workloads(level_loads), workloads(timed_loads)).map(lambda each: [each])
SAME_AXIS = st.lists(
    workloads(
        st.one_of(
            flat_loads,
            st.lists(rates, min_size=24, max_size=24)
            .filter(any)
            .map(lambda rates: {"rate": None, "profile": LoadProfile.from_hourly(rates)}),
        )
    ),
    min_size=2,
    max_size=3,
)
LEVELS_AND_FLAT = st.tuples(workloads(level_loads), workloads(flat_loads)).map(list)
LISTED = st.one_of(ALONE, SAME_AXIS, LEVELS_AND_FLAT)


@few
@given(worlds, LISTED, st.sampled_from(TERMS))
def test_the_optimum_found_is_the_one_of_brute_force(world, listed, term):
    sizes = legal(world, listed)
    assume(len(sizes) < 60)
    costs = [(brute(world, listed, ptu, term), ptu) for ptu in sizes]
    monthly, ptu = min(costs)
    cost = world.cost(listed)
    assert (cost.hybrid[term].ptu, cost.hybrid[term].monthly_usd) == (ptu, usd(monthly))
    assert cost.hybrid[term].curve == tuple((size, usd(amount)) for amount, size in costs)
    assert cost.payg_monthly_usd == usd(brute(world, listed, 0, term))


@few
@given(worlds, LISTED)
def test_the_mix_is_never_dearer_than_the_cheaper_pure_choice(world, listed):
    cost = world.cost(listed)
    for term in TERMS:
        mix = cost.hybrid[term]
        assert mix.monthly_usd <= min(cost.payg_monthly_usd, cost.option(term).monthly_usd)
        assert mix.curve[0] == (0, cost.payg_monthly_usd)
        assert mix.curve[-1] == (cost.peak_ptu, cost.option(term).monthly_usd)
        assert mix.fixed_monthly_usd + mix.spillover_monthly_usd - mix.monthly_usd in (
            0,
            usd(F(1, 100)),
            -usd(F(1, 100)),
        )


@few
@given(worlds, LISTED, st.sampled_from(TERMS))
def test_tokens_served_and_spilled_are_the_demand(world, listed, term):
    cost = world.cost(listed)
    mix = cost.hybrid[term]
    assert mix.spilled_tokens_per_month.keys() == cost.tokens_per_month.keys()
    assert all(0 <= mix.spilled_tokens_per_month[c] <= cost.tokens_per_month[c] for c in cost.tokens_per_month)
    weighing = {"input": 1, "cached_input": world.cached_weight, "output": 3}
    spilled = sum(count * weighing[c.value] for c, count in mix.spilled_tokens_per_month.items())
    served = (mix.utilization or 0) * mix.ptu * world.tpm * MINUTES
    assert served + spilled == cost.mean_weighted_tpm * MINUTES
    assert mix.utilization is None or 0 <= mix.utilization <= 1


MIXED = st.lists(
    st.one_of(workloads(flat_loads), workloads(level_loads), workloads(timed_loads)), min_size=1, max_size=4
)
AVERAGED = st.builds(
    lambda peak, share: calls(peak, 1000, average_requests_per_minute=peak * share),
    st.fractions(min_value=1, max_value=60, max_denominator=6),
    st.sampled_from([F(1), F(1, 2), F(1, 7)]),
)


@few
@given(st.lists(st.one_of(MIXED, AVERAGED.map(lambda each: [each])), min_size=1, max_size=2))
def test_the_peak_over_the_time_is_the_peak_that_sizing_rounds(lists):
    listed = [workload for each in lists for workload in each]
    result = sized(listed)
    found = DeploymentLoad([Stream.of(each) for each in result.workloads])
    assert found.peak_timeline.peak(found.weights) == result.deployments[0].weighted_tpm
    assert found.timeline.peak(found.weights) <= result.deployments[0].weighted_tpm


@few
@given(MIXED)
def test_no_call_is_lost_when_loads_are_laid_along_one_another(listed):
    timeline = timeline_of(listed, [F(w.input_tokens) for w in listed])
    assert sum(timeline.shares) == timeline.whole and all(share > 0 for share in timeline.shares)
    for index, workload in enumerate(listed):
        only = [F(index == other) for other in range(len(listed))]
        assert timeline.mean(only) == load.average_rate(workload)
        assert timeline.peak(only) == workload.requests_per_minute


@few
@given(worlds, LISTED)
def test_the_cost_of_a_size_is_convex_above_nothing(world, listed):
    found = world.cost(listed)
    for term in TERMS:
        points = [brute(world, listed, ptu, term) for ptu in legal(world, listed)[1:40]]
        rises = [after - before for before, after in pairwise(points)]
        assert rises == sorted(rises)
        assert (
            found.hybrid[term].last_increment is None
            or found.hybrid[term].last_increment.earns_monthly_usd >= 0
            or (found.hybrid[term].last_increment.from_ptu == 0)
        )


@few
@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 40)), min_size=1, max_size=5).filter(
        lambda levels: any(rate for _, rate in levels)
    ),
    st.integers(1, 40),
)
def test_the_cost_is_a_straight_line_between_the_levels_of_one_workload(levels, step):
    # 1,000 weighted tokens and 1 cent a call; capacity in PTU of 1,000
    timeline = load.Timeline(tuple(part for part, _ in levels), tuple((rate,) for _, rate in levels), 1)
    overflow = Overflow(timeline, [F(1000)], [F(1, 100)])
    curve = CostCurve(overflow, 1000, Grid(1, 1), max(1, max(rate for _, rate in levels)), F(3))
    costs = {ptu: curve.point(ptu).monthly for ptu in curve.sizes}
    for ptu in curve.sizes[1:-1]:
        bend = costs[ptu + 1] - 2 * costs[ptu] + costs[ptu - 1]
        at_level = sum(part for part, rate in levels if rate == ptu)
        # the line bends at a level by what its share of the time is worth, and nowhere else
        assert bend == F(at_level, timeline.whole) * F(1, 100) * MINUTES


@few
@given(worlds, LISTED, st.sampled_from(["10%", "35%"]))
def test_a_discount_never_makes_anything_dearer_and_leaves_pay_as_you_go(world, listed, discount):
    full, less = world.cost(listed), world.cost(listed, discount=discount)
    assert less.payg_monthly_usd == full.payg_monthly_usd
    for term in TERMS:
        assert less.option(term).monthly_usd <= full.option(term).monthly_usd
        assert less.hybrid[term].monthly_usd <= full.hybrid[term].monthly_usd
        assert less.hybrid[term].ptu >= full.hybrid[term].ptu


@few
@given(worlds, ALONE, st.fractions(min_value=F(1, 20), max_value=4, max_denominator=60), st.sampled_from(TERMS))
def test_in_a_range_full_ptu_are_cheaper_and_outside_they_are_not(world, listed, factor, term):
    (workload,) = listed
    cost = world.cost(workload)
    ranges = next(each for each in cost.break_even if each.term is term).cheaper_rpm_ranges
    rate = workload.requests_per_minute * factor
    weight, _ = world.per_call(workload)
    need = rate * weight / world.tpm
    size = world.grid.round_up(need.numerator, need.denominator)
    assume(size <= 7000)
    payg = brute(world, listed, 0, term) * factor  # the shape of the load is kept
    cheaper = size * world.ptu_month(term) < payg
    assert cheaper == any(start < rate and (end is None or rate <= end) for start, end in ranges)


@few
@given(worlds, ALONE, st.sampled_from(TERMS))
def test_at_the_break_even_utilization_a_ptu_costs_what_its_tokens_would(world, listed, term):
    cost = world.cost(listed)
    found = next(each for each in cost.break_even if each.term is term)
    weight, dollars = world.per_call(listed[0])
    calls_of_a_ptu = found.utilization * world.tpm / weight * MINUTES
    assert calls_of_a_ptu * dollars == world.ptu_month(term)


@few
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=12),
    st.integers(1, 5000),
    st.integers(1, 5000),
    st.integers(0, 300_000),
)
def test_the_cut_off_sum_is_the_exact_one_to_the_sixtieth_digit(stretches, one, other, capacity):
    timeline = load.Timeline(tuple(s for s, _, _ in stretches), tuple((a, b) for _, a, b in stretches), 1)
    weighing, amounts = [F(one), F(other, 3)], [F(1, 7), F(2)]
    exact = sum(
        share * (F(a, 7) + 2 * b) * (1 - F(capacity) / (a * one + F(b * other, 3)))
        for share, a, b in stretches
        if a * one + F(b * other, 3) > capacity
    )
    exact /= timeline.whole
    assert Overflow(timeline, weighing, amounts).over(capacity) == exact
    before, load.EXACT_BITS = load.EXACT_BITS, 0
    try:
        cut = Overflow(timeline, weighing, amounts)
    finally:
        load.EXACT_BITS = before
    assert 0 <= cut.over(capacity) - exact < F(1, 10**60)
