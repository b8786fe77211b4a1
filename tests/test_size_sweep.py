"""Which sizes are looked at for the first without 429s."""

from hypothesis import given
from hypothesis import strategies as st

from ptucalc.size_sweep import first_without


@given(st.integers(1, 30_000), st.integers(0, 200_000), st.integers(1, 50))
def test_the_first_size_that_refuses_nothing_is_found_in_a_few_looks(count, wanted, step):
    sizes, looks = range(step, step * (count + 1), step), []

    def refuses(some):
        assert list(some) == sorted(set(some)) and len(some) <= 64 and set(some) <= set(sizes)
        looks.append(len(some))
        return [ptu < wanted for ptu in some]

    expected = next((ptu for ptu in sizes if ptu >= wanted), None)
    assert first_without(sizes, refuses) == expected
    assert len(looks) <= 4
