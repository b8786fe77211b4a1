"""`ptucalc simulate --route`: a gateway's policy tried on a log, or on calls that are made up.

The log by hand: calls of 7,180 tokens in and 80 out weigh 7,180 + 4 x 80 = 7,500 as gpt-4.1. 15 PTU with 10 s hold 7,500
(750 a second): in at 0 (0) and at 1 (6,750), refused at 2 (13,500) and 3 (12,750), in again a minute later.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from ptucalc import load_catalog, load_prices
from ptucalc.call_groups import CallGroup
from ptucalc.call_trace import CallTrace
from ptucalc.catalog import DeploymentType, TokenClass
from ptucalc.prices import PtuTerm
from ptucalc.read.route import read_route
from ptucalc.read.standard_limits import load_standard_limits
from ptucalc.route_analysis import placed_route
from ptucalc.route_documents import RouteDocument
from ptucalc.routing import Provisioned, Route, Standard

from .invented import GLOBAL, a_model

ROOT = Path(__file__).parent.parent
EXAMPLE = ("simulate", "examples/logs/requests.csv", "-m", "gpt-4.1", "--route", "examples/route.yaml")
TIMES = ("10:00:00", "10:00:01", "10:00:02", "10:00:03", "10:01:00")
MADE = ("simulate", "-m", "gpt-4.1", "--rpm", "6", "--input-tokens", "7180", "--output-tokens", "80")
ROUTE = """\
backends:
  - {name: ptu, kind: provisioned, ptu: 15, window_seconds: 10, region: eastus2}
  - {name: rest, kind: standard, priority: 2, deployment_type: data-zone, region: eastus2, tpm: 14000}
"""


@pytest.fixture
def route(in_tmp: Path) -> Path:
    """The log of the docstring and a route, in the current folder."""
    rows = [f"2026-11-03T{time}Z,chat,gpt-4.1,7180,80\n" for time in TIMES]
    (in_tmp / "log.csv").write_text("timestamp,deployment,model,input_tokens,output_tokens\n" + "".join(rows))
    path = in_tmp / "route.yaml"
    path.write_text(ROUTE)
    return path


def document(ran: Any) -> dict[str, Any]:
    assert ran.code == 0, ran
    found: dict[str, Any] = json.loads(ran.out)
    assert TypeAdapter(RouteDocument).validate_python(found, strict=True) == found
    return found


def test_who_serves_what_and_what_it_costs(cli: Callable, route: Path) -> None:
    found = document(cli("simulate", "log.csv", "--route", route, "--json"))
    routed = found["routed"]
    ptu, rest = routed["backends"]
    # 7,260 tokens a call at Standard: one fits into 14,000 a minute, the next does not
    assert (ptu["served"], ptu["responses_429"], rest["served"], rest["responses_429"]) == (3, 2, 1, 1)
    assert (routed["served"], routed["failed"], routed["failed_by"]["throttled"], found["requests"]) == (4, 1, 1, 5)
    assert (ptu["served_share"], rest["served_share"], routed["failed_share"]) == (0.6, 0.2, 0.2)
    assert routed["tokens_failed"] == {"uncached_input": 7180, "cached_input": 0, "cache_write": 0, "output": 80}
    assert (rest["rpm"], rest["rpm_from_tpm"], ptu["deployment_type"], rest["deployment_type"]) == (
        14,
        True,
        "global",
        "data-zone",
    )
    book = load_prices()
    tokens = book.tokens("gpt-4.1", None, DeploymentType.DATA_ZONE, "eastus2")
    usd = tokens.usd([(TokenClass.INPUT, 7180), (TokenClass.OUTPUT, 80)]) * 43_800 / 2  # two minutes of a month's
    assert rest["tokens_monthly_usd"] == pytest.approx(float(usd), abs=0.01) and ptu["tokens_monthly_usd"] == 0
    for cost, term in zip(routed["costs"], PtuTerm, strict=True):
        fixed = 15 * book.ptu(DeploymentType.GLOBAL, "eastus2", term).usd_per_month
        assert (cost["term"], cost["fixed_monthly_usd"]) == (term.value, float(fixed))
        assert ptu["fixed_monthly_usd"][term.value] == float(fixed)
        assert cost["monthly_usd"] == pytest.approx(float(fixed + usd), abs=0.01)
    with_discount = document(
        cli("simulate", "log.csv", "--route", route, "--discount", "10%", "--term", "hourly", "--json")
    )
    (cost,) = with_discount["routed"]["costs"]
    assert cost["fixed_monthly_usd"] == float(
        Fraction(9, 10) * 15 * book.ptu(DeploymentType.GLOBAL, "eastus2", PtuTerm.HOURLY).usd_per_month
    )


def test_the_rows_add_up_to_the_requests(cli: Callable, route: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(cli("simulate", "log.csv", "--route", route, "-o", "csv").out)))
    assert [(row["name"], row["kind"], row["requests"]) for row in rows] == [
        ("ptu", "provisioned", "3"),
        ("rest", "standard", "1"),
        ("throttled", "failed", "1"),
    ]


def test_a_price_that_is_not_known_is_no_zero(cli: Callable, route: Path) -> None:
    route.write_text(ROUTE.replace("region: eastus2, tpm", "region: nowhere, tpm"))
    routed = document(cli("simulate", "log.csv", "--route", route, "--json"))["routed"]
    rest = routed["backends"][1]
    assert rest["tokens_monthly_usd"] is None and "no Data zone" in rest["tokens_monthly_usd_reason"]
    assert all(cost["monthly_usd"] is None and cost["reason"].startswith("rest: no") for cost in routed["costs"])
    table = cli("simulate", "log.csv", "--route", route).out
    assert "what rest costs is not known" in table and table.count("unknown") >= 7


def test_the_example_route_on_the_example_log(cli: Callable, golden: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    golden("route-example.txt", cli(*EXAMPLE).out)
    golden("route-example.md", cli(*EXAMPLE, "-o", "markdown").out)
    golden("route-example.csv", cli(*EXAMPLE, "-o", "csv").out)
    found = document(cli(*EXAMPLE, "--json"))
    routed = found["routed"]
    assert routed["served"] + routed["failed"] == found["requests"] == 3159
    assert sum(routed["tokens"].values()) == sum(
        sum(each["tokens_served"].values()) for each in routed["backends"]
    ) + sum(routed["tokens_failed"].values())


def test_waits_and_failures_are_shown(cli: Callable, route: Path, golden: Callable) -> None:
    route.write_text(
        "backends:\n"
        "  - {name: ptu, kind: provisioned, ptu: 16, window_seconds: 10}\n"
        "  - {name: idle, kind: standard, tpm: 1000, priority: 3, weight: 2}\n"
        "retry: {attempts_per_backend: 2, attempts: 2, wait: here, longest_wait_ms: 6000, trip_when_down_seconds: 1}\n"
        "failover_ms: 20\n"
    )
    golden("route-waits.txt", cli("simulate", "log.csv", "--route", route, "-v", "--output-weight", "4").out)


def test_calls_that_are_made_up_go_along_a_route_too(cli: Callable, route: Path) -> None:
    down = "  - {name: ptu-2, kind: provisioned, ptu: 15, priority: 0, down: [{from: 30m, to: 2h}]}\n"
    route.write_text(ROUTE + down)
    found = document(cli(*MADE, "--arrivals", "uniform", "--route", route, "--json"))
    # evenly 10 s apart, and 7,500 drain in 10 s: every call finds a bucket empty, that of 30 minutes the other's
    first, _, second = found["routed"]["backends"]
    assert (found["requests"], first["served"], second["served"], second["responses_503"]) == (360, 180, 180, 180)
    assert found["synthetic"]["duration_seconds"] == 3600 and found["source"] is None


def test_a_region_and_a_type_of_the_flags_are_those_of_backends_that_name_none(cli: Callable, route: Path) -> None:
    route.write_text("backends: [{name: ptu, kind: provisioned, ptu: 50}]")
    asked = ("simulate", "log.csv", "--route", route, "--sku", "regional", "--region", "swedencentral", "--json")
    (ptu,) = document(cli(*asked))["routed"]["backends"]
    assert (ptu["deployment_type"], ptu["region"], ptu["legal"]) == ("regional", "swedencentral", True)


def test_a_backend_stays_where_its_route_says_whatever_the_flags(cli: Callable, route: Path) -> None:
    asked = ("simulate", "log.csv", "--route", route, "--sku", "regional", "--region", "westus", "--json")
    ptu, rest = document(cli(*asked))["routed"]["backends"]
    assert (ptu["deployment_type"], rest["deployment_type"]) == ("regional", "data-zone")
    assert ptu["region"] == rest["region"] == rest["price_region"] == "eastus2"


def test_standard_counts_best_of_and_assumed_max_tokens(cli: Callable, route: Path) -> None:
    route.write_text("backends: [{name: rest, kind: standard, tpm: 14600, rpm: 600}]")
    (plain,) = document(cli("simulate", "log.csv", "--route", route, "--json"))["routed"]["backends"]
    assert plain["served"] == 3  # 2 x 7,260 in the first minute
    asked = ("simulate", "log.csv", "--route", route, "--best-of", 2, "--assumed-max-tokens", 100, "--json")
    routed = document(cli(*asked))["routed"]
    assert routed["backends"][0]["served"] == 2  # 7,180 + 2 x 100: one
    assert (routed["best_of"], routed["assumed_max_tokens"]) == (2, 100)


def test_a_version_goes_with_its_model() -> None:
    group = CallGroup("all", (), a_model(), "Alder", "v1", "northland", GLOBAL, CallTrace.of(()))
    limits = load_standard_limits()
    backends = (
        Standard(name="a"),
        Provisioned(name="b", ptu=1, model=a_model("Birch"), model_version="v2", region="southland"),
        Standard(name="c", tpm=1000),
    )
    found = placed_route(Route(backends=backends), group, limits).backends
    assert [each.model and each.model.name for each in found] == ["Alder", "Birch", "Alder"]
    assert [each.model_version for each in found] == ["v1", "v2", "v1"]
    assert [each.region for each in found] == ["northland", "southland", "northland"]
    assert found[2].rpm is None  # nobody published how many come with Alder's TPM


def test_workloads_of_several_deployments_are_no_calls_of_one_gateway(refuses: Callable, route: Path) -> None:
    head = "name,model,requests_per_minute,input_tokens,output_tokens\n"
    (route.parent / "two.csv").write_text(head + "a,gpt-4.1,1,10,10\nb,gpt-4.1-mini,1,10,10\n")
    assert "--route: gpt-4.1, gpt-4.1-mini should be calls of one deployment" in refuses(
        "simulate", "two.csv", "--route", route
    )


def test_what_cannot_be_answered_is_refused(cli: Callable, refuses: Callable, route: Path) -> None:
    error = refuses(
        "simulate", "log.csv", "--route", route, "--ptu", 30, "--policy", "retry", "--target-429", "1%", "--by", "model"
    )
    for flag in ("--ptu", "--policy", "--target-429", "--by"):
        assert f"{flag}: " in error
    assert error.count("left out beside --route") == 4
    assert "route.yml" in refuses("simulate", "log.csv", "--route", "route.yml")
    route.write_text("backends: [{name: a, kind: standard, tpm: x}]")
    assert "backends[0].tpm: x should be a whole number" in refuses("simulate", "log.csv", "--route", route)
    assert "--ptu" in (both := refuses("simulate", "log.csv", "--route", route, "--ptu", 5)) and "tpm" in both
    route.write_text("backends: [{name: ptu, kind: provisioned, model: gpt-4, ptu: 50}]")
    assert "gpt-4" in refuses("simulate", "log.csv", "--route", route)
    route.write_text(
        "backends: [{name: ptu, kind: provisioned, ptu: 50, region: eastus2, deployment_type: data-zone, model: gpt-4.5}]"
    )
    refuses("simulate", "log.csv", "--route", route)
    route.write_text(
        "backends: [{name: far, kind: provisioned, ptu: 50, deployment_type: regional, region: westeurope}]"
    )
    error = refuses("simulate", "log.csv", "--route", route)
    assert "backend far: gpt-4.1 regional westeurope should be a place where it can be deployed" in error
    route.write_text("backends: [{name: a, kind: standard, down: [{from: 1m, to: 2m}]}]")
    assert "times of day" in refuses("simulate", "log.csv", "--route", route)


def test_what_does_not_fit_the_calls_is_told_with_file_and_line(cli: Callable, refuses: Callable, route: Path) -> None:
    asked = ("simulate", "log.csv", "--route", route)
    lines = "backends:\n  - name: a\n    kind: {kind}\n"
    route.write_text(lines.format(kind="standard") + "    down:\n      - {from: 30m, to: 1h}\n")
    assert "route.yaml:5:7: backends[0].down: times since the start should be times of day" in refuses(*asked)
    route.write_text(lines.format(kind="provisioned") + "    ptu: 50\n    model: gpt-4\n")
    assert "route.yaml:5:12: backends[0].model: gpt-4 should be a model with published PTU" in refuses(*asked)
    problem = json.loads(cli(*asked, "--json").out)["problems"][0]
    assert (problem["source"], problem["line"], problem["column"]) == ("route.yaml", 5, 12)


def test_rpm_that_are_no_whole_calls_a_window_are_told(cli: Callable, route: Path) -> None:
    asked = ("simulate", "log.csv", "--route", route, "--json")

    def told(**limits: int) -> list[str]:
        pairs = "".join(f", {name}: {value}" for name, value in limits.items())
        route.write_text(f"backends: [{{name: rest, kind: standard{pairs}}}]")
        notes = json.loads(cli(*asked).out)["notes"]
        return [note["message"] for note in notes if note["code"] == "route_whole_calls"]

    assert told(rpm=119) == [
        "rest: its 119 RPM are checked over 1 s, which take whole calls, 1 in each: 60 a minute at most."
    ]
    # 119 x 10 / 60 = 19.8
    assert told(rpm=119, rpm_window_seconds=10) == [
        "rest: its 119 RPM are checked over 10 s, which take whole calls, 19 in each: 114 a minute at most."
    ]
    assert told(rpm=120) == told(rpm=59) == told(tpm=5000) == []  # 59: one call in each 60 / 59 s


def test_a_log_of_several_models_needs_one_for_all(refuses: Callable, route: Path) -> None:
    with (route.parent / "log.csv").open("a") as log:
        log.write("2026-11-03T10:02:00Z,chat,gpt-4.1-mini,1,1\n")
    error = refuses("simulate", "log.csv", "--route", route)
    assert "--model" in error and "gpt-4.1, gpt-4.1-mini" in error


def test_the_example_route_is_one_of_the_catalog() -> None:
    found = read_route(ROOT / "examples" / "route.yaml", load_catalog())
    assert [backend.priority for backend in found.backends] == [1, 2, 2, 3] and found.retry.trip_on_retry_after
