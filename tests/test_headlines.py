"""What a report says first: the type that is shown, its cheapest way, its 429s, all together; and the parts put together."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ptucalc.headlines import cheapest_is_certain, cheapest_way, headlines, sizes_shown, total_of
from ptucalc.report_assembly import report_document, titled
from ptucalc.workload import LoadProfile

from .invented import GLOBAL, REGIONAL, a_catalog, a_model, calls, only, sized
from .priced import a_book, book_of, compared, row, scope

LEVELS = LoadProfile.from_levels([("1/2", 12), ("1/2", 2)])
NOTHING: dict[str, Any] = {"size": None, "cost": None, "logs": None, "simulate": None}


def of(workloads, *, book=None, **given):
    """The headlines of workloads with their costs."""
    size, cost = sized(workloads, **given).to_dict(), compared(workloads, book=book, **given).to_dict()
    return list(headlines(**{**NOTHING, "size": size, "cost": cost}))


def test_a_headline_is_of_the_type_whose_cheapest_way_costs_least():
    (line,) = of(calls(rate=None, profile=LEVELS))
    # Global: 10 PTU for a year at 200 and 438 spilled, 2,438 against 3,066; the other types cost more
    assert line == {
        "deployment": "Alder",
        "model": "Alder",
        "model_version": None,
        "region": None,
        "deployment_type": "global",
        "size_ptu": 15,
        "size_basis": "peak",
        "payg_monthly_usd": 3066,
        "cheapest": {
            "way": "cheapest mix",
            "term": "1-year",
            "ptu": 10,
            "monthly_usd": 2438,
            "vs_payg": pytest.approx(2438 / 3066 - 1),
        },
        "cheapest_is_certain": True,
        "throttled": None,
        "reason": None,
    }


def test_the_cheapest_way_is_the_one_that_cost_finds():
    for rate in (1, 3, 9, 10, 11, 40, 300):
        for deployment in compared(calls(rate=rate)).deployments:
            best, way = deployment.cheapest, cheapest_way(deployment.to_dict())
            assert best is not None and way is not None
            assert (way["ptu"], way["monthly_usd"]) == (best.ptu, float(best.monthly_usd))
            assert (way["way"] == "payg") == (way["term"] is None) == (best.ptu == 0)
    (line,) = of(calls(rate=10))
    assert line["cheapest"]["way"] == "full PTU" and line["cheapest"]["term"] == "1-year"  # and the mix costs as much


def test_where_a_price_is_not_known_the_cheapest_is_not_certain():
    book = a_book(reservations={})
    (line,) = of(calls(rate=10), book=book)
    assert line["cheapest"]["monthly_usd"] == 3650 and not line["cheapest_is_certain"]


def test_without_a_price_of_tokens_the_smallest_size_is_shown():
    none = book_of({GLOBAL: scope([row("elsewhere", input=10)])})
    (line,) = of(calls(rate=38), book=none, deployment_types=(REGIONAL, GLOBAL))
    assert (line["deployment_type"], line["size_ptu"]) == ("regional", 40)  # both 40: the first that was asked for
    (line,) = of(calls(rate=41), book=none, deployment_types=(REGIONAL, GLOBAL))
    assert (line["deployment_type"], line["size_ptu"]) == ("global", 45)
    assert line["cheapest"] is None and line["payg_monthly_usd"] is None and not line["cheapest_is_certain"]


def test_a_deployment_without_a_size_says_why():
    catalog = a_catalog(only(a_model(), GLOBAL))
    (line,) = headlines(**{**NOTHING, "size": sized(calls(), catalog, deployment_types=(REGIONAL,)).to_dict()})
    assert line["deployment_type"] is None and line["size_ptu"] is None
    assert line["reason"].startswith("Alder is not offered as Regional")


def simulated(name="chat", **given):
    run = {
        "ptu": 20,
        "chosen": True,
        "throttled_minutes": 3,
        "throttled_429": 5,
        "requests": 50,
        "throttled_share": 0.1,
    }
    entry = {"name": name, "model": "Alder", "deployment_type": "global", "minutes": 60, "reason": None}
    return {"by_deployment": [{**entry, "simulated": {"runs": [{**run, "chosen": False, "ptu": 15}, run]}, **given}]}


def test_the_429s_are_those_of_the_size_that_was_chosen():
    (line,) = headlines(**{**NOTHING, "simulate": simulated()})
    assert line["throttled"] == {
        "ptu": 20,
        "minutes": 3,
        "of_minutes": 60,
        "share_of_minutes": 0.05,
        "requests": 5,
        "of_requests": 50,
        "share_of_requests": 0.1,
    }
    assert (line["deployment"], line["deployment_type"], line["size_ptu"]) == ("chat", "global", None)


def test_a_deployment_that_was_not_simulated_says_why_and_a_run_belongs_to_its_own_deployment():
    (line,) = headlines(**{**NOTHING, "simulate": simulated(simulated=None, reason="no sizes are known")})
    assert line["throttled"] is None and line["reason"] == "no sizes are known"
    size = sized(calls(deployment="other")).to_dict()
    first, second = headlines(**{**NOTHING, "size": size, "simulate": simulated()})
    assert (first["deployment"], first["throttled"]) == ("other", None)
    assert second["deployment"] == "chat" and second["throttled"]["ptu"] == 20


def test_a_logs_sizes_are_at_its_percentile():
    at = {"p99_9": [{"deployment_type": "global", "ptu": 30, "reason": None}], "p50": []}
    entry = {"name": "chat", "model": "Alder", "model_version": None, "region": None, "percentile": "p99_9"}
    logs = {"by_deployment": [{**entry, "sizes_at": at, "reason": None}]}
    (line,) = headlines(**{**NOTHING, "logs": logs})
    assert (line["size_ptu"], line["size_basis"]) == (30, "p99.9")


# All together


def test_several_deployments_are_added_up_on_the_type_that_costs_least():
    listed = [calls(rate=10, deployment="one", name="1"), calls(rate=1, deployment="two", name="2")]
    total = total_of(compared(listed).to_dict())
    # one: 10 PTU for a year, 2,000; two: pay-as-you-go, 438
    assert total == {
        "deployment_type": "global",
        "payg_monthly_usd": 4818,
        "cheapest_monthly_usd": 2438,
        "cheapest_is_certain": True,
        "vs_payg": pytest.approx(2438 / 4818 - 1),
        "unpriced": [],
        "not_offered": [],
    }
    assert total_of(compared(listed[0]).to_dict()) is None and total_of(None) is None


def test_where_a_price_is_lacking_there_is_no_sum_but_the_name():
    book = book_of({GLOBAL: scope([row("northland", input=10)])})
    listed = [calls(rate=10, deployment="one", name="1"), calls(deployment="two", name="2", region="southland")]
    total = total_of(compared(listed, book=book, deployment_types=(GLOBAL,)).to_dict())
    assert total is not None and total["cheapest_monthly_usd"] is total["vs_payg"] is None
    assert total["unpriced"] == ["two"]


# Put together


def test_a_report_holds_its_parts_as_they_are_and_each_note_once():
    plan, costs = sized(calls(rate=2)), compared(calls(rate=2))
    found = report_document(
        version="9",
        source={"kind": "plan", "names": ["p.yaml"], "text": "p.yaml: 1 workload"},
        made_on=date(2030, 6, 15),
        size=plan.to_dict(),
        cost=costs.to_dict(),
    )
    assert found["size"] == plan.to_dict() and found["cost"] == costs.to_dict()
    assert (found["made_on"], found["title"], found["version"]) == ("2030-06-15", "PTU plan: Alder", "9")
    assert (found["catalog_as_of"], found["oldest_check"], found["prices_as_of"]) == (
        "2030-03-01",
        "2030-02-01",
        "2030-03-02",
    )
    told = [(note["code"], note["message"], note["about"]) for note in found["notes"]]
    assert len(told) == len(set(told)) and {n.message for n in (*plan.notes, *costs.notes)} == {m for _, m, _ in told}
    assert found["sources"] == [
        {"kind": "prices", "name": "list", "title": "The list", "checked": "2030-02-03", "where": "", "published": ""}
    ]


def test_a_report_names_files_without_their_folders():
    source = {"files": ["/home/ann/logs/a.csv", r"C:\logs\b.csv", "c.csv", "/"]}
    simulate = {**simulated(), "catalog_as_of": "2030-03-01", "notes": [], "source": source}
    found = report_document(version="9", source={"kind": "saved", "names": [], "text": ""}, simulate=simulate)
    assert found["simulate"] is not None and found["simulate"]["source"] is not None
    assert found["simulate"]["source"]["files"] == ["a.csv", "b.csv", "c.csv", "/"]


def test_a_title_names_the_deployment_or_counts_them():
    assert titled(["chat <prod>"], ["x.csv"]) == "PTU plan: chat <prod>"
    assert titled(["a", "b"], []) == "PTU plan: 2 deployments"


def test_sizes_are_added_up_by_the_type_that_each_headline_shows():
    lines = [("global", 460), ("data-zone", 255), ("global", 15), (None, None), ("regional", None)]
    entries = [{"deployment_type": kind, "size_ptu": ptu} for kind, ptu in lines]
    assert sizes_shown(entries) == [
        {"deployment_type": "global", "ptu": 475, "deployments": 2},
        {"deployment_type": "data-zone", "ptu": 255, "deployments": 1},
    ]
    assert sizes_shown(entries[:1]) == []


@pytest.mark.parametrize("lacking", ["payg", "option", "mix", ""])
def test_a_way_is_the_cheapest_for_certain_only_where_every_way_has_a_price(lacking):
    cost = {
        "payg_monthly_usd": None if lacking == "payg" else 10,
        "options": [{"monthly_usd": None if lacking == "option" else 20}],
        "break_even": [{"term": "1-year"}],
        "hybrid": {"1-year": None if lacking == "mix" else {"monthly_usd": 5}},
    }
    assert cheapest_is_certain(cost) is (not lacking)
