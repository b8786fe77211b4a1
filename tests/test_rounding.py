"""The grid of legal sizes: the only place that rounds up."""

import pytest

from ptucalc.rounding import Grid

STEPS = Grid(15, 5)
WIDE = Grid(60, 20)
OFF_GRID = Grid(25, 50)


@pytest.mark.parametrize(
    ("numerator", "denominator", "ptu"),
    [
        (0, 1, 15),  # nothing at all still needs the minimum
        (1, 10**12, 15),
        (15, 1, 15),  # the minimum exactly
        (15 * 10**12 + 1, 10**12, 20),  # a trillionth of a PTU more
        (20, 1, 20),  # a step exactly
        (100, 5, 20),  # the same need, not in lowest terms
        (20 * 1000 + 1, 1000, 25),  # 20.001
        (25 * 1000 - 1, 1000, 25),  # 24.999
        (55, 1, 55),  # 50 x 1.1; in floats 55.00000000000001, which would be 60
        (10**30, 1, 10**30),  # no float has all these digits
        (10**30 + 1, 1, 10**30 + 5),
    ],
)
def test_a_need_on_a_step_stays_and_the_least_more_goes_to_the_next(numerator, denominator, ptu):
    assert STEPS.round_up(numerator, denominator) == ptu


@pytest.mark.parametrize(("need", "ptu"), [(0, 25), (1, 50), (25, 50), (50, 50), (51, 100), (100, 100), (101, 150)])
def test_an_off_grid_minimum_follows_the_published_wording(need, ptu):
    # max(25, the need rounded up to a multiple of 50)
    assert OFF_GRID.round_up(need, 1) == ptu


@pytest.mark.parametrize(
    ("grid", "sizes"),
    [
        (STEPS, [15, 20, 25, 30, 35, 40]),
        (WIDE, [60, 80, 100]),
        (OFF_GRID, [25, 50, 100]),  # 75 would be another reading of 25 by 50
        (Grid(1, 1), list(range(1, 121))),
    ],
)
def test_the_grid_holds_its_minimum_and_the_multiples_above_it(grid, sizes):
    held = [ptu for ptu in range(-5, 121) if grid.holds(ptu)]
    assert held[: len(sizes)] == sizes
    assert held[0] == grid.minimum


@pytest.mark.parametrize(
    ("grid", "numerator", "denominator", "decides"),
    [
        (STEPS, 0, 1, True),
        (STEPS, 10, 1, True),  # 10 rounds up to 10, below 15
        (STEPS, 10001, 1000, False),  # 10.001 rounds up to 15: the load decides
        (STEPS, 15, 1, False),
        (WIDE, 40, 1, True),
        (WIDE, 41, 1, False),
        (OFF_GRID, 0, 1, True),
        (OFF_GRID, 1, 1, False),  # rounds up to 50
    ],
)
def test_the_minimum_decides_only_while_the_rounded_need_is_below_it(grid, numerator, denominator, decides):
    assert grid.minimum_decides(numerator, denominator) is decides


def test_a_minimum_is_on_the_grid_if_it_is_a_multiple_of_the_increment():
    assert STEPS.on_grid
    assert WIDE.on_grid
    assert not OFF_GRID.on_grid
    assert not Grid(500, 275).on_grid


@pytest.mark.parametrize(("minimum", "increment"), [(0, 5), (15, 0), (-15, 5), (15, -5)])
def test_a_grid_of_no_ptu_is_a_programmers_mistake(minimum, increment):
    with pytest.raises(ValueError, match=rf"^minimum and increment are 1 PTU or more, not {minimum} and {increment}$"):
        Grid(minimum, increment)


@pytest.mark.parametrize(("numerator", "denominator"), [(-1, 1), (1, 0), (1, -1)])
def test_a_negative_need_is_a_programmers_mistake(numerator, denominator):
    with pytest.raises(ValueError, match=rf"^a need is 0 PTU or more, not {numerator}/{denominator}$"):
        STEPS.round_up(numerator, denominator)
