"""Calls by deployment: of a log, of workloads; and their minutes as demand."""

from dataclasses import replace
from fractions import Fraction

import pytest

from ptucalc import load_catalog, read_log
from ptucalc.call_groups import groups_of_log, groups_of_workloads
from ptucalc.call_minutes import demand_of
from ptucalc.call_trace import Call, CallTrace
from ptucalc.catalog import DeploymentType
from ptucalc.demand_profile import DemandProfile, MinuteSums
from ptucalc.errors import BadInput, Problem
from ptucalc.log_models import ModelFinder, Served
from ptucalc.request_log import Stream
from ptucalc.resolving import Resolver
from ptucalc.workload import Workload

from .invented import GLOBAL, a_model, sized

MINUTE = 60_000_000
ALDER, BIRCH = a_model("Alder"), a_model("Birch")


def a_profile(calls):
    return DemandProfile(None, 1, (), (MinuteSums(0, 0, calls, 0, calls, 0, 0, 0),))


def found(streams, *, by="deployment"):
    """`streams`: (deployment, model): (served, number of calls)."""
    profiles = {Stream(*key): a_profile(calls) for key, (_, calls) in streams.items()}
    serving = {Stream(*key): served for key, (served, _) in streams.items()}

    def trace_of(chosen):
        return CallTrace.of([Call(0, 1, 1)] * sum(streams[each][1] for each in chosen))

    return groups_of_log(profiles, serving, trace_of, by=by, deployment_type=GLOBAL, region="northland")


UNKNOWN = Served(None, problem=Problem("model", "gpt-99", "a known model"))


def test_streams_of_one_deployment_and_model_are_one_group_and_most_calls_come_first():
    groups = found(
        {
            ("chat", "Alder"): (Served(ALDER, "1"), 2),
            ("chat", "alder"): (Served(ALDER, "1"), 3),
            ("web", ""): (Served(BIRCH), 9),
        }
    )
    assert [(g.name, g.model.name, g.model_version, len(g.trace)) for g in groups] == [
        ("web", "Birch", None, 9),
        ("chat", "Alder", "1", 5),
    ]
    assert groups[1].profile.requests == 5
    assert groups[0].region == "northland" and groups[0].deployment_type is GLOBAL


def test_versions_that_differ_are_no_version():
    (group,) = found({("chat", "a"): (Served(ALDER, "1"), 1), ("chat", "b"): (Served(ALDER, "2"), 1)})
    assert group.model_version is None


def test_by_model_adds_deployments_and_by_none_all_of_them():
    streams = {("a", ""): (Served(ALDER), 1), ("b", ""): (Served(ALDER), 2)}
    (group,) = found(streams, by="model")
    assert (group.name, group.deployments, len(group.trace)) == ("Alder", ("a", "b"), 3)
    assert found(streams, by="none")[0].name == "all calls"


def test_by_none_needs_one_model_for_all():
    with pytest.raises(BadInput) as caught:
        found({("a", ""): (Served(ALDER), 1), ("b", ""): (Served(BIRCH), 2)}, by="none")
    assert "the log holds Alder, Birch" in str(caught.value)
    with pytest.raises(BadInput, match="and calls whose model is not known"):
        found({("a", ""): (Served(ALDER), 1), ("b", ""): (UNKNOWN, 2)}, by="none")


def test_what_has_no_model_stays_alone_and_says_what_to_do():
    groups = found({("chat", "gpt-99"): (UNKNOWN, 2), ("", "gpt-99"): (UNKNOWN, 1)}, by="model")
    assert [(g.name, g.model, g.model_name) for g in groups] == [("chat", None, "gpt-99"), ("gpt-99", None, "gpt-99")]
    first, second = (group.problem for group in groups)
    assert first.label == "deployment chat, model" and "--map-model chat=MODEL" in first.expected
    assert "--map-model" not in second.expected and "-m MODEL" in second.expected


def test_groups_of_one_name_are_told_apart():
    groups = found({("chat", "Alder"): (Served(ALDER), 3), ("chat", "Birch"): (Served(BIRCH), 2)})
    assert [group.name for group in groups] == ["chat (Alder)", "chat (Birch)"]


def test_workloads_of_one_deployment_are_made_together():
    shared = sized(
        [
            Workload(name="a", model="Alder", requests_per_minute=1, input_tokens=10, output_tokens=1, deployment="d"),
            Workload(name="b", model="Alder", requests_per_minute=2, input_tokens=20, output_tokens=1, deployment="d"),
            Workload(
                name="c",
                model="Alder",
                requests_per_minute=1,
                input_tokens=1,
                output_tokens=1,
                deployment_type="regional",
            ),
        ]
    )
    asked = []

    def trace_of(members):
        asked.append([member.name for member in members])
        return CallTrace.of([Call(0, 1, 1)])

    groups = groups_of_workloads(shared, GLOBAL, trace_of)
    assert asked == [["a", "b"], ["c"]]
    assert [group.deployment_type for group in groups] == [GLOBAL, DeploymentType.REGIONAL]


def test_what_is_wrong_with_any_workload_is_told_together():
    def trace_of(members):
        raise BadInput([Problem("duration", members[0].name, "longer")])

    two = sized(
        [
            Workload(name="a", model="Alder", requests_per_minute=1, input_tokens=10, output_tokens=1, deployment="d"),
            Workload(name="b", model="Alder", requests_per_minute=2, input_tokens=20, output_tokens=1, deployment="e"),
        ]
    )
    with pytest.raises(BadInput) as caught:
        groups_of_workloads(two, GLOBAL, trace_of)
    assert [problem.found for problem in caught.value.problems] == ["a", "b"]


def test_demand_has_the_sums_of_every_minute_and_band():
    trace = CallTrace.of(
        [
            Call(5 * MINUTE, 70, 1, cached=20, written=10),  # 100 tokens: not over 100
            Call(5 * MINUTE + 9, 71, 2, cached=20, written=10),  # 101
            Call(6 * MINUTE - 1, 1000, 3),
            Call(7 * MINUTE, 5, 4),
        ]
    )
    demand = demand_of(trace, (100, 500), first_minute=4, minutes=10)
    assert (demand.start, demand.length, demand.scale) == (4, 10, 1)
    assert demand.rows == (
        MinuteSums(1, 0, 1, 0, 70, 20, 10, 1),
        MinuteSums(1, 1, 1, 0, 71, 20, 10, 2),
        MinuteSums(1, 2, 1, 0, 1000, 0, 0, 3),
        MinuteSums(3, 0, 1, 0, 5, 0, 0, 4),
    )
    assert demand_of(replace(trace, relative_clock=True), (), first_minute=5, minutes=3).start is None
    assert demand.requests == Fraction(4)


def test_calls_of_unknown_size_are_the_mean_of_those_that_ptu_take(tmp_path):
    rows = (
        "2026-11-02T10:00:01Z,chat,gpt-4.1,1000,10,200\n2026-11-02T10:00:02Z,chat,gpt-4.1,130000,90,200\n"
        "2026-11-02T10:00:03Z,chat,gpt-4.1,,,429\n"
    )
    path = tmp_path / "log.csv"
    path.write_text("timestamp,deployment,model,input_tokens,output_tokens,status\n" + rows)
    catalog = load_catalog()
    with read_log(path, calls=True, skip_bad=True) as log:
        serving = ModelFinder(Resolver(catalog), log.profiles).serving()
        (group,) = groups_of_log(
            log.profiles, serving, log.trace, by="deployment", deployment_type=DeploymentType.GLOBAL, region=None
        )
    assert list(group.trace.uncached) == [1000, 130_000, 1000]  # the long one gets a 400, never a 429
    assert list(group.trace.output) == [10, 90, 10]
