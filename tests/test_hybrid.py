"""The cheapest mix of PTU and spillover, and the rates at which PTU for the whole peak is cheaper."""

from fractions import Fraction
from itertools import pairwise

import pytest

from ptucalc.hybrid import CostCurve, Point, Range, cheaper_ranges, increments, sampled
from ptucalc.load import Overflow, Timeline
from ptucalc.rounding import Grid

F = Fraction
TPM = 1000
MINUTES = 43_800


def curve(levels, *, usd_per_ptu, grid, largest, usd_per_call="0.01"):
    """Calls of 1,000 weighted tokens (1 PTU each a minute) at (share in parts, rate), $438 a month each."""
    timeline = Timeline(tuple(part for part, _ in levels), tuple((rate,) for _, rate in levels), 1)
    return CostCurve(Overflow(timeline, [F(TPM)], [F(usd_per_call)]), TPM, grid, largest, F(usd_per_ptu))


def test_a_curve_holds_nothing_and_every_legal_size_up_to_the_one_that_covers_the_peak():
    found = curve([(1, 12)], usd_per_ptu=300, grid=Grid(10, 5), largest=20)
    assert found.sizes == (0, 10, 15, 20)
    assert curve([(1, 90)], usd_per_ptu=300, grid=Grid(25, 50), largest=100).sizes == (0, 25, 50, 100)


def test_each_size_costs_its_ptu_and_what_spills():
    found = curve([(1, 12), (1, 2)], usd_per_ptu=300, grid=Grid(10, 5), largest=15)
    # 0: 7 calls on average x 438; 10: 3,000 and half the time 2 of the 12 calls: 1 x 438; 15: 4,500
    assert [found.point(ptu) for ptu in found.sizes] == [
        Point(0, F(0), F(7 * 438)),
        Point(10, F(3000), F(438)),
        Point(15, F(4500), F(0)),
    ]
    assert [(ptu, F(top, found.denominator)) for ptu, top in found.tops()] == [(0, 3066), (10, 3438), (15, 4500)]
    assert found.point(10).monthly == 3438


@pytest.mark.parametrize(
    ("usd_per_ptu", "ptu", "monthly"),
    [
        # 12 calls all the time: 0 costs 5,256; 10 costs 10p + 876; 15 costs 15p
        (437, 10, 5246),
        (438, 0, 5256),  # 10 would cost 4,380 + 876 = 5,256 too: ties to the smaller
        (439, 0, 5256),
        (176, 10, 2636),
        ("175.2", 10, 2628),  # 15 would cost 2,628 too
        (175, 15, 2625),
    ],
)
def test_the_cheapest_size_wins_and_of_equally_cheap_ones_the_smallest(usd_per_ptu, ptu, monthly):
    best = curve([(1, 12)], usd_per_ptu=F(usd_per_ptu), grid=Grid(10, 5), largest=15).cheapest()
    assert (best.ptu, best.monthly) == (ptu, monthly)


def test_the_search_goes_on_past_the_first_size_that_pays():
    # 100 calls all the time cost 43,800. At 430: 40 PTU 17,200 + 26,280 = 43,480; 80: 34,400 + 8,760 = 43,160;
    # at 438 everything ties with nothing
    assert curve([(1, 100)], usd_per_ptu=430, grid=Grid(40, 40), largest=120).cheapest().ptu == 80
    assert curve([(1, 100)], usd_per_ptu=438, grid=Grid(40, 40), largest=120).cheapest().ptu == 0


def test_a_mostly_empty_peak_size_is_not_bought_where_a_smaller_one_pays_better():
    # a call every minute of the day, 30 in a sixth of it. 25 by 50: 25, 50
    found = curve([(1, 30), (5, 1)], usd_per_ptu=20, grid=Grid(25, 50), largest=50)
    # 0: 35/6 x 438 = 2,555; 25: 500 + 5/6 x 438 = 865; 50: 1,000
    assert [found.point(ptu).monthly for ptu in found.sizes] == [2555, 865, 1000]
    assert found.cheapest().ptu == 25


def test_a_flat_stretch_of_the_curve_ends_the_search_at_its_first_size():
    # between 20 and 100 calls nothing changes: half the time 100, half 20. A PTU earns 219 there; at 219 all tie
    found = curve([(1, 100), (1, 20)], usd_per_ptu=219, grid=Grid(10, 10), largest=100)
    assert found.cheapest().ptu == 20
    assert len({found.point(ptu).monthly for ptu in range(20, 101, 10)}) == 1
    assert curve([(1, 100), (1, 20)], usd_per_ptu=218, grid=Grid(10, 10), largest=100).cheapest().ptu == 100


def test_sizes_before_and_after():
    assert increments((0, 10, 15), 0) == (None, 10)
    assert increments((0, 10, 15), 10) == (0, 15)
    assert increments((0, 10, 15), 15) == (10, None)


def test_a_sample_is_spread_evenly_and_keeps_the_ends_and_what_it_must():
    sizes = range(0, 1000, 5)
    assert sampled(sizes, 4, 15) == [0, 15, 250, 500, 750, 995]
    assert sampled((0, 10, 15), 10) == [0, 10, 15]


# Break-even rates


def ranges(payg, need, usd, grid, largest=200):
    return cheaper_ranges(
        payg_per_request=F(payg), need_per_request=F(need), usd_per_ptu=F(usd), grid=grid, largest_ptu=largest
    )


def cheaper(rate, payg, need, usd, grid):
    """Naively: whether PTU for the whole of this peak cost less than pay-as-you-go."""
    ptu = rate * need
    size = grid.round_up(ptu.numerator, ptu.denominator)
    return size * F(usd) < rate * F(payg)


def test_below_the_smallest_size_and_after_each_step_pay_as_you_go_can_be_cheaper():
    # 1 request is 1 PTU and $438; a PTU costs $365: on the step P, PTU are cheaper over 365 P / 438 = P / 1.2
    # 10: over 8.33 up to 10; 15: over 12.5 up to 15; 20: over 16.67 up to 20; 25: over 20.83; 30: over 25 and so on
    assert ranges(438, 1, 365, Grid(10, 5)) == (
        Range(F(25, 3), F(10)),
        Range(F(25, 2), F(15)),
        Range(F(50, 3), F(20)),
        Range(F(125, 6), None),
    )


def test_never_is_no_range_at_all():
    assert ranges(438, 1, 438, Grid(10, 5)) == ()  # a full PTU only breaks even
    assert ranges(438, 1, 439, Grid(10, 5)) == ()
    assert ranges(0, 1, 1, Grid(10, 5)) == ()
    assert ranges(0, 0, 1, Grid(10, 5)) == ()
    assert len(ranges(438, 1, 437, Grid(10, 5), largest=30)) == 5  # 10, 15, 20, 25, 30: only near the end of each step


def test_calls_that_weigh_nothing_need_the_smallest_size_at_any_rate():
    # $3,000 for 10 PTU / $438 a request
    assert ranges(438, 0, 300, Grid(10, 5)) == (Range(F(3000, 438), None),)


def test_headroom_makes_the_steps_shorter():
    # 1 request needs 1.25 PTU: the step of 10 ends at 8, but starts where it did: 10 x 200 / 438
    found = ranges(438, F(5, 4), 200, Grid(10, 5))
    assert found[0] == Range(F(2000, 438), None)
    assert ranges(438, F(5, 4), 350, Grid(10, 5))[0] == Range(F(3500, 438), F(8))


def test_a_minimum_off_the_grid_has_the_steps_that_sizing_has():
    # max(25, 20 rounded up by 50) = 50, so there is no step of 25: 50 are cheaper over 50 x 365 / 438 = 41.67
    assert Grid(25, 50).round_up(20, 1) == 50
    assert ranges(438, 1, 365, Grid(25, 50), largest=100)[0] == Range(F(50 * 365, 438), F(50))


def test_a_first_step_that_is_shorter_than_the_others_does_not_speak_for_them():
    # 16 after 15, then 20, 24: at 0.9 of what a full PTU earns, 16 pay from 14.4 on, 20 only from 18, 24 from 21.6
    found = ranges(438, 1, F(9, 10) * 438, Grid(15, 4))

    def inside(rate):
        return any(start < rate and (end is None or rate <= end) for start, end in found)

    assert [inside(F(rate)) for rate in ("15.5", 16, 17, 18, "18.1", 20, 21, 22)] == [1, 1, 0, 0, 1, 1, 0, 1]


def test_larger_sizes_than_one_deployment_may_have_are_not_looked_at():
    assert ranges(438, 1, 437, Grid(10, 5), largest=15) == (Range(F(4370, 438), F(10)), Range(F(437 * 15, 438), F(15)))


def test_steps_that_touch_are_one_range():
    # at 219 a step of 10 is cheaper from half of it: 10 over 5 up to 10; 20 over 10: without end
    assert ranges(438, 1, 219, Grid(10, 10)) == (Range(F(5), None),)
    # a little dearer and there is a gap after the first step: 20 only over 20 x 220 / 438 = 10.05
    assert ranges(438, 1, 220, Grid(10, 10)) == (Range(F(2200, 438), F(10)), Range(F(4400, 438), None))


@pytest.mark.parametrize("grid", [Grid(10, 5), Grid(40, 40), Grid(15, 5), Grid(7, 1)])
@pytest.mark.parametrize("usd", [1, 219, 365, 437, 438])
@pytest.mark.parametrize("need", [F(1), F(5, 4)])
def test_the_ranges_are_what_trying_every_rate_says(grid, usd, need):
    largest = 120
    found = ranges(438, need, usd, grid, largest)
    edges = {edge for each in found for edge in each if edge is not None}
    tiny = F(1, 10**9)
    tried = {edge + side for edge in edges for side in (-tiny, 0, tiny)}
    tried |= {F(step, 7) for step in range(1, 7 * 120, 5)}
    for rate in sorted(tried):
        if rate * need <= largest:
            inside = any(start < rate and (end is None or rate <= end) for start, end in found)
            assert inside == cheaper(rate, 438, need, usd, grid), rate


def test_the_ranges_are_apart_and_in_order():
    for usd in (219, 300, 365, 410, 430):
        found = ranges(438, 1, usd, Grid(10, 5))
        assert all(start < end for start, end in found if end is not None)
        assert all(one.end < other.start for one, other in pairwise(found))
        assert [each.end for each in found[:-1]].count(None) == 0
