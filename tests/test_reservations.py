"""What a reservation covers, and how many PTU to reserve. The worked examples of Microsoft are in cases/cost.yaml."""

import json
from decimal import Decimal
from fractions import Fraction

import pytest

from ptucalc.reservations import Coverage, Reservation, coverage

from .invented import DATA_ZONE, GLOBAL, a_catalog, a_model, calls
from .priced import ALDER, HERE, HOURLY, MONTH, PER_TERM, THERE, YEAR, a_book, compared, ptu_row, row, scope

F, D = Fraction, Decimal


@pytest.mark.parametrize(
    ("reserved", "deployed", "covered", "billed", "unused"),
    [
        (200, 250, 200, 50, 0),  # 250 - 200 by the hour
        (200, 200, 200, 0, 0),
        (200, 199, 199, 0, 1),
        (200, 201, 200, 1, 0),
        (300, 100, 100, 0, 200),
        (0, 100, 0, 100, 0),
        (100, 0, 0, 0, 100),
    ],
)
def test_what_is_deployed_is_covered_first_and_the_rest_billed_by_the_hour(reserved, deployed, covered, billed, unused):
    assert coverage(reserved, deployed) == Coverage(F(covered), F(billed), F(unused))


def test_a_deployment_counts_by_the_minute():
    # 100 x 15 / 60 = 25 of the 30 reserved
    assert coverage(30, 100, minutes=15) == Coverage(F(25), F(0), F(5))
    assert coverage(20, 100, minutes=15) == Coverage(F(20), F(5), F(0))
    assert coverage(0, 1, minutes=1).billed_hourly == F(1, 60)
    assert coverage(10, 100, minutes=0) == Coverage(F(0), F(0), F(10))


@pytest.mark.parametrize("given", [{"reserved": -1}, {"deployed": -1}, {"minutes": 61}, {"minutes": -1}])
def test_less_than_nothing_or_more_than_an_hour_is_refused(given):
    with pytest.raises(ValueError, match=r"^reserved and deployed are 0 PTU or more, minutes 0 to 60$"):
        coverage(**{"reserved": 0, "deployed": 0, **given})


def test_the_pool_is_the_sum_of_the_cheapest_mixes_on_the_term():
    # 12 calls: 10 PTU and spillover on either term; 15: 15 PTU; 5: 10 PTU on a year (2,000 against 2,190), none by month
    workloads = [calls(12, name="a"), calls(15, deployment="b"), calls(5, deployment="c")]
    result = compared(workloads, deployment_types=(GLOBAL,))
    assert result.reservations == (
        Reservation(
            GLOBAL, GLOBAL, None, MONTH, 25, (("Alder", 10), ("b", 15)), (), F(300), D("7500.00"), D("7500.00")
        ),
        Reservation(
            GLOBAL,
            GLOBAL,
            None,
            YEAR,
            35,
            (("Alder", 10), ("b", 15), ("c", 10)),
            (),
            F(2400),
            D("84000.00"),  # 35 x 2,400
            D("7000.00"),  # 35 x 200
        ),
    )


def test_a_global_reservation_covers_every_region_and_another_only_its_own():
    workloads = [calls(12, region=HERE), calls(12, region=THERE)]
    found = compared(workloads, deployment_types=(GLOBAL,)).reservations
    assert [(each.region, each.term, each.ptu) for each in found] == [(None, MONTH, 20), (None, YEAR, 20)]
    book = a_book(
        models={"alder": {**ALDER, DATA_ZONE: scope([row(input=11)])}},
        reservations={(DATA_ZONE, YEAR): ((ptu_row(2400),),)},
    )
    found = compared(workloads, deployment_types=(DATA_ZONE,), book=book).reservations
    assert [(each.region, each.term, each.ptu) for each in found] == [(HERE, YEAR, 10), (THERE, YEAR, 10)]


def test_one_reservation_covers_all_models_of_a_type():
    catalog = a_catalog(a_model(), a_model("Birch"))
    book = a_book(models={"alder": ALDER, "birch": ALDER})
    workloads = [calls(12), calls(15, model="Birch")]
    (month, _) = compared(workloads, catalog=catalog, book=book, deployment_types=(GLOBAL,)).reservations
    assert month.ptu_by_deployment == (("Alder", 10), ("Birch", 15))


def test_each_type_is_reserved_apart():
    found = compared(calls(12)).reservations
    assert [(each.deployment_type, each.region, each.term.value, each.ptu) for each in found] == [
        (GLOBAL, None, "1-month", 10),
        (GLOBAL, None, "1-year", 10),
        # Data Zone: $481.80 a call against 350 and 250
        (DATA_ZONE, HERE, "1-month", 10),
        (DATA_ZONE, HERE, "1-year", 10),
    ]  # Regional: 40 PTU are never worth it for 12 calls


def test_deployments_without_a_price_are_named_and_not_counted():
    catalog = a_catalog(a_model(), a_model("Birch"))
    workloads = [calls(12), calls(15, model="Birch"), calls(12, deployment="c", average_requests_per_minute=3)]
    found = compared(workloads, catalog=catalog, deployment_types=(GLOBAL,)).reservations
    assert [(each.ptu, each.not_counted) for each in found] == [(10, ("Birch", "c")), (10, ("Birch", "c"))]


def test_nothing_is_reserved_where_nothing_pays_or_has_a_price():
    assert compared(calls(1), deployment_types=(GLOBAL,)).reservations == ()
    unknown = a_book(reservations={**PER_TERM, (GLOBAL, MONTH): ()})
    (year,) = compared(calls(12), deployment_types=(GLOBAL,), book=unknown).reservations
    assert year.term is YEAR
    assert compared(calls(12), deployment_types=(GLOBAL,), terms=(HOURLY,)).reservations == ()


def test_the_discount_is_off_a_reservation_too():
    (month, year) = compared(calls(12), deployment_types=(GLOBAL,), discount="10%").reservations
    assert (month.usd_per_ptu, month.term_usd, month.monthly_usd) == (D("270.00"), D("2700.00"), D("2700.00"))
    assert (year.usd_per_ptu, year.term_usd, year.monthly_usd) == (D("2160.00"), D("21600.00"), D("1800.00"))


def test_a_years_price_is_divided_before_it_is_rounded():
    # 10 PTU x 1,000 = 10,000; / 12 = 833.33
    book = a_book(reservations={(GLOBAL, YEAR): ((ptu_row(1000),),)})
    (year,) = compared(calls(10), deployment_types=(GLOBAL,), book=book).reservations
    assert (year.term_usd, year.monthly_usd) == (D("10000.00"), D("833.33"))


def test_a_reservation_as_json():
    (_, year) = compared(calls(12), deployment_types=(GLOBAL,)).reservations
    assert json.loads(json.dumps(year.to_dict())) == {
        "open_deployments_as": "global",
        "deployment_type": "global",
        "region": None,
        "term": "1-year",
        "ptu": 10,
        "deployments": [{"name": "Alder", "ptu": 10}],
        "not_counted": [],
        "usd_per_ptu": 2400,
        "term_usd": 24000,
        "monthly_usd": 2000,
    }


def test_each_choice_of_the_open_types_has_its_own_reservations():
    # a is Global by its own wish: 10 PTU; c is open: with c on Data zone its 10 are reserved there, and a's 10 beside them
    zones = {DATA_ZONE: scope([row(input=10)])}
    book = a_book(
        models={"alder": {**ALDER, **zones}},
        reservations={(kind, YEAR): ((ptu_row(2400),),) for kind in (GLOBAL, DATA_ZONE)},
    )
    workloads = [calls(12, name="a", deployment_type="global"), calls(12, deployment="c", region=HERE)]
    found = compared(workloads, deployment_types=(GLOBAL, DATA_ZONE), book=book).reservations
    assert [
        (each.open_as, each.deployment_type, each.ptu, [name for name, _ in each.ptu_by_deployment]) for each in found
    ] == [
        (GLOBAL, GLOBAL, 20, ["Alder", "c"]),
        (DATA_ZONE, GLOBAL, 10, ["Alder"]),
        (DATA_ZONE, DATA_ZONE, 10, ["c"]),
    ]
