"""How much of a call fits in so many PTU."""

from fractions import Fraction

import pytest

from ptucalc.catalog import Unknown
from ptucalc.errors import BadInput
from ptucalc.inverse import fits, largest_rate
from ptucalc.rounding import Grid

from .invented import GLOBAL, REGIONAL, a_catalog, a_model, bought, calls, only, sized, weights

F = Fraction
ALDER = a_catalog()
FIR = a_model("Fir", weights=weights(cached_input="1.5"))


def test_the_largest_rate_is_capacity_over_the_weight_of_a_call():
    # 30 x 1,000 / (1,000 + 3 x 500) = 12
    assert largest_rate(calls(1, 1000, 500), 30, catalog=ALDER) == 12


def test_the_rate_of_the_workload_does_not_matter():
    for rate in (1, "9.6", F(1, 3), 5000):
        assert (
            largest_rate(calls(rate, 1000, 500, cache_ratio="0.3"), 44, catalog=ALDER) == 20
        )  # 44,000 / (700 + 1,500)


def test_headroom_leaves_less():
    # 30,000 / (1.2 x 2,500) = 10
    assert largest_rate(calls(1, 1000, 500), 30, catalog=ALDER, headroom="20%") == 10


def test_at_the_largest_rate_the_size_fits_and_a_little_more_needs_the_next():
    most = largest_rate(calls(1, 700, 100), 35, catalog=ALDER)
    assert most == 35  # 35,000 / (700 + 300)
    assert bought(sized(calls(most, 700, 100)))["global"] == 35
    assert bought(sized(calls(most + F(1, 10**12), 700, 100)))["global"] == 40


def test_a_call_that_weighs_nothing_has_no_largest_rate():
    assert largest_rate(calls(1, 0, 0), 10, catalog=ALDER) is None
    assert (
        fits(calls(1, 0, 0), [10], catalog=ALDER, version="0").to_dict()["rates"][0]["max_requests_per_minute"] is None
    )


def test_utilization_is_that_of_the_workloads_own_rate():
    # 10 x 1,000 of 40,000
    answer = fits(calls(10), [40, 10], catalog=ALDER, version="0")
    assert [fit.utilization for fit in answer.fits] == [F(1, 4), 1]
    without = fits(calls(1), [40], catalog=ALDER, version="0", rate_given=False)
    assert without.fits[0].utilization is None


def test_every_number_of_ptu_is_answered_and_says_where_it_is_sold():
    catalog = a_catalog(only(a_model(grids={GLOBAL: Grid(10, 5), REGIONAL: Grid(40, 40)}), GLOBAL, REGIONAL))
    answer = fits(calls(1), [1, 10, 12, 40, 45], catalog=catalog, version="0")
    assert [(fit.ptu, fit.max_requests_per_minute) for fit in answer.fits] == [
        (1, 1),
        (10, 10),
        (12, 12),
        (40, 40),
        (45, 45),
    ]
    assert [dict(fit.sold_as) for fit in answer.fits] == [
        {"global": False, "data-zone": False, "regional": False},
        {"global": True, "data-zone": False, "regional": False},
        {"global": False, "data-zone": False, "regional": False},
        {"global": True, "data-zone": False, "regional": True},
        {"global": True, "data-zone": False, "regional": False},
    ]


def test_a_type_that_is_unknown_here_counts_as_sold_and_one_not_offered_does_not():
    catalog = a_catalog(a_model(places={GLOBAL: Unknown("no row"), REGIONAL: ()}))
    assert fits(calls(1), [40], catalog=catalog, version="0").fits[0].sold_as == {
        "global": True,
        "data-zone": True,
        "regional": False,
    }


@pytest.mark.parametrize("ptu", [0, -15])
def test_fewer_than_1_ptu_is_an_error(ptu):
    with pytest.raises(BadInput) as caught:
        largest_rate(calls(), ptu, catalog=ALDER)
    assert str(caught.value) == f"ptu: expected a whole number, 1 or more, got {ptu}"


def test_a_bad_headroom_is_the_users_mistake_here_too():
    with pytest.raises(BadInput) as caught:
        largest_rate(calls(), 10, catalog=ALDER, headroom=15)
    assert str(caught.value) == "headroom: expected a share of 0 or more: 0.15 or 15% (15%?), got 15"


def test_what_cannot_be_sized_has_no_largest_rate_either():
    with pytest.raises(BadInput) as caught:
        largest_rate(calls(), 10, catalog=a_catalog(a_model(weights=weights(output=Unknown("no such row")))))
    assert str(caught.value) == (
        "output_weight: expected the weight of one output token of Alder (no such row), got (empty)"
    )


def test_the_answer_as_json_data():
    # 8 x 1,250 = 10,000 of 15,000 TPM: two thirds; with 50% headroom 15,000 / (1.5 x 1,250) = 8
    answer = fits(
        calls(8, 1000, 0, cache_ratio="0.5", model="Fir"), [15], catalog=a_catalog(FIR), headroom=0.5, version="9.9"
    )
    assert answer.to_dict() == {
        "schema": "ptucalc.rates/1",
        "version": "9.9",
        "catalog_as_of": "2030-03-01",
        "model": "Fir",
        "model_version": None,
        "tpm_per_ptu": 1000,
        "weight_per_call": 1250,
        "headroom": 0.5,
        "rates": [
            {
                "ptu": 15,
                "max_requests_per_minute": 8,
                "utilization": 10_000 / 15_000,
                "sold_as": {"global": True, "data-zone": True, "regional": False},
            }
        ],
        "notes": [],
    }
    assert answer.rows() == [
        {
            "model": "Fir",
            "ptu": 15,
            "max_requests_per_minute": 8,
            "utilization": 10_000 / 15_000,
            "global": True,
            "data-zone": True,
            "regional": False,
        }
    ]
