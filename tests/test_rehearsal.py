"""Who serves a call: provisioned, spilled over, refused; and the sums. Log rows of it simulate to the same, on any clock."""

from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ptucalc.admission import Admitted, ArrivingCall
from ptucalc.errors import BadInput
from ptucalc.made_up_answers import AnswerShape
from ptucalc.metric_documents import monitor_document
from ptucalc.read.logs import read_log
from ptucalc.rehearsal import CannotSpill, Rehearsal
from ptucalc.routing import Outage
from ptucalc.serve.call_log import CallLog
from ptucalc.simulation import simulate
from ptucalc.standard_limits import simulate_standard

from .emulating import ALDER, MINUTE, SECOND, Hand, emulator, provisioned, standard
from .invented import a_model

LIMITED = a_model("Larch", prompt_limit_tokens=1000)
BIRCH = a_model("Birch")
SMALL, HUGE = ArrivingCall(100, 10), ArrivingCall(10**9, 10)


def test_a_full_deployment_refuses_and_another_does_not() -> None:
    both = Rehearsal([provisioned(1), provisioned(1, "other")])
    chat, other = both.places.values()
    assert both.decide(0, chat, HUGE).status == 200
    decision = both.decide(0, chat, SMALL)
    assert (decision.status, decision.admitted, decision.spilled_from) == (429, None, None)
    # 10^9 + 3 x 10 less what the bucket holds, 1,000, at 1,000 a minute: 60 ms each
    assert decision.retry_after_us == (10**9 + 30 - 1000) * 60 * 1000
    assert both.decide(0, other, SMALL).status == 200
    assert both.place("CHAT") is chat and both.place("nowhere") is None


def test_the_deployments_own_spillover_wins_over_the_header() -> None:
    three = Rehearsal([provisioned(1, spillover="payg"), standard(10**10), standard(10**10, name="third")])
    chat, payg, _ = three.places.values()
    assert three.decide(0, chat, HUGE, "third").place is chat
    decision = three.decide(0, chat, SMALL, "third")
    assert (decision.status, decision.place, decision.spilled_from, decision.spill_cause) == (200, payg, "chat", 429)
    assert (chat.spilled, payg.spilled) == (1, 1)


def test_a_standard_deployment_that_is_full_too_has_the_last_word() -> None:
    both = Rehearsal([provisioned(1, spillover="payg"), standard(110)])
    chat, payg = both.places.values()
    both.decide(0, chat, HUGE)
    assert both.decide(0, chat, SMALL).status == 200
    decision = both.decide(0, chat, SMALL)
    assert (decision.status, decision.place, decision.retry_after_us) == (429, payg, MINUTE)


def test_a_prompt_is_cached_where_it_was_served() -> None:
    """A full deployment's spilled call of 1,500 tokens warms the Standard one, which has 1,408 of it cached the next time."""
    clock = Hand()
    running = emulator(provisioned(1, spillover="payg"), standard(None), clock=clock, cache_us=10 * MINUTE)
    chat, payg = running.served["chat"], running.served["payg"]

    def cached(served: Any, letters: int) -> tuple[str, int]:
        clock.now_us += 1
        call = running.decide(served, served.read(body(letters, 1)), streamed=False, spill_to=None)
        running.end(call)
        return call.decision.place.name, call.tokens.cached

    assert cached(chat, 2000) == ("chat", 0)
    assert cached(chat, 1493) == ("payg", 0)  # 1,500 tokens of letters that begin as those 2,000 do
    assert cached(payg, 1493) == ("payg", 1408)
    assert cached(chat, 1493) == ("payg", 1408)
    clock.now_us += 5 * MINUTE
    assert cached(chat, 1493) == ("chat", 1408)  # the beginning of the 2,000 that it has served itself


def test_what_a_deployment_did_not_serve_it_has_not_cached() -> None:
    clock = Hand()
    running = emulator(provisioned(1, spillover="payg"), standard(None), clock=clock, cache_us=10 * MINUTE)
    chat = running.served["chat"]
    running.rehearsal.places["chat"].arrive(clock.now_us, HUGE)
    for expected in (0, 1408):
        clock.now_us += 1
        call = running.decide(chat, chat.read(body(1493, 1)), streamed=False, spill_to=None)
        assert (call.decision.place.name, call.tokens.cached, call.tokens.prompt) == ("payg", expected, 1500)
    assert chat.tokens(clock.now_us, chat.read(body(1493, 1)), 1).cached == 0


def test_a_prompt_over_the_limit_spills_or_is_a_bad_request() -> None:
    both = Rehearsal([provisioned(1, model=LIMITED), standard(None, model=LIMITED)])
    chat, payg = both.places.values()
    decision = both.decide(0, chat, ArrivingCall(1001, 1))
    assert (decision.status, decision.prompt_limit) == (400, 1000)
    decision = both.decide(0, chat, ArrivingCall(1001, 1), "payg")
    assert (decision.status, decision.place, decision.spill_cause) == (200, payg, 400)
    assert both.decide(0, chat, ArrivingCall(1000, 1), "payg").place is chat


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("nowhere", "name of a Standard deployment"),
        ("chat", "name of a Standard deployment"),
        ("birch", "same model and version"),
    ],
)
def test_a_header_that_names_no_fitting_deployment_is_refused(target: str, why: str) -> None:
    several = Rehearsal([provisioned(1), standard(9, name="birch", model=BIRCH)])
    with pytest.raises(CannotSpill, match=why):
        several.decide(0, several.places["chat"], SMALL, target)
    assert several.decide(0, several.places["birch"], SMALL, target).status == 429  # it spills nowhere, and needs not


def test_wrong_deployments_are_told_at_once() -> None:
    no_spill = a_model("Rowan", spillover=False)
    with pytest.raises(BadInput) as error:
        Rehearsal(
            [
                provisioned(1),
                provisioned(1, "Chat"),
                provisioned(1, "a", spillover="chat"),
                provisioned(1, "b", model=no_spill, spillover="c"),
                standard(0, name="c", model=no_spill),
            ]
        )
    assert [(each.field, each.found) for each in error.value.problems] == [
        ("deployment", "Chat"),
        ("spillover", "chat"),
        ("spillover", "c"),
        ("standard_tpm", "0"),
    ]
    with pytest.raises(BadInput, match="at least one"):
        Rehearsal([])


# The log on a clock that is handed in


def body(letters: int, most: int | None) -> dict[str, Any]:
    """A chat call whose content has so many tokens of four letters."""
    found: dict[str, Any] = {"messages": [{"role": "user", "content": "abcd" * letters}]}
    if most is not None:
        found["max_tokens"] = most
    return found


_calls = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 777, 5000, 250_000, 2 * SECOND, 70 * SECOND]),
        st.integers(0, 3000),
        st.none() | st.integers(1, 900),
    ),
    min_size=1,
    max_size=25,
)


@given(_calls, st.integers(1, 40), st.sampled_from([1, 10, 60]), st.booleans(), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_a_log_simulates_to_the_same_answers(
    tmp_path: Path, calls: list[tuple[int, int, int | None]], ptu: int, window: int, spills: bool, json_lines: bool
) -> None:
    stream, clock = io.BytesIO(), Hand()
    shape = AnswerShape(shortest=1, longest=400, seed=len(calls), reasoning=Fraction(1, 3))
    deployments = [provisioned(ptu, window=window, spillover="payg" if spills else None), standard(10_000, 60)]
    running = emulator(
        *deployments, shape=shape, log=CallLog(stream, json_lines=json_lines), clock=clock, cache_us=MINUTE
    )
    served = running.served["chat"]
    under_way: list[tuple[int, int, Any]] = []
    statuses, spilled = [], []
    when, lasting = [], []

    def end_until(now: int) -> None:
        while under_way and under_way[0][0] <= now:
            clock.now_us, _, call = heappop(under_way)
            running.end(call)

    for number, (gap, letters, most) in enumerate(calls):
        now = clock.now_us + gap + 1  # no two readings of the clock are the same
        end_until(now)
        clock.now_us = max(now, clock.now_us + 1)
        prompt = served.read(body(letters, most))
        assert prompt.counted.input_tokens == 7 + letters
        call = running.decide(served, prompt, streamed=False, spill_to=None)
        statuses.append(call.decision.status)
        when.append(clock.now_us)
        lasting.append(call.plan.duration_us)
        spilled.append(call.decision.spilled_from is not None)
        if call.decision.admitted is not None:
            heappush(under_way, (clock.now_us + call.plan.duration_us, number, call))
    end_until(clock.now_us + 3600 * SECOND)
    assert running.log is not None
    running.log.flush()

    path = tmp_path / ("calls.jsonl" if json_lines else "calls.csv")
    path.write_bytes(stream.getvalue())
    with read_log(path, calls=True) as log:
        assert log.source.rows_used == len(calls)
        assert not log.source.skipped
        trace = log.trace()
    assert list(trace.arrival_us) == when and list(trace.duration_us) == lasting
    result = simulate(trace, ALDER, ptu=ptu, window=window, largest_ptu=100, keep_replay=True)
    (run,) = result.runs
    assert run.replay is not None
    refused = [outcome != 0 for outcome in run.replay.outcome]
    if not spills:
        assert refused == [status == 429 for status in statuses]
        return
    assert refused == spilled
    if any(refused):
        rest = trace.taken([place for place, each in enumerate(refused) if each])
        verdicts = simulate_standard(rest, tpm=10_000, rpm=60).verdicts
        assert [429 if each else 200 for each in verdicts] == [
            status for status, each in zip(statuses, spilled, strict=True) if each
        ]


# The metrics


def test_metrics_are_those_of_azure_monitor(tmp_path: Path) -> None:
    """Two calls of 1,007 tokens and 100 out within a minute, a third is refused; the second finds 1,007 - ... cached."""
    clock = Hand(30_000_000 * MINUTE)
    shape = AnswerShape(shortest=100, longest=100, spread=Fraction(0))  # 20 a second: 5 s
    running = emulator(provisioned(2, window=60), shape=shape, clock=clock)
    served = running.served["chat"]
    calls = []
    for _ in range(3):
        prompt = served.read(body(1100, 200))
        calls.append(running.decide(served, prompt, streamed=True, spill_to=None))
        clock.now_us += SECOND
    # 2 PTU hold 2,000: 1,107 + 3 x 200 = 1,707, then 83 more and 600 less 33 a second, then it is full
    assert [call.decision.status for call in calls] == [200, 200, 429]
    assert [call.tokens.cached for call in calls] == [0, 1024, 1024]
    clock.now_us += 3 * SECOND
    for call in calls[:2]:
        running.end(call)
    clock.now_us += 2 * MINUTE
    document = monitor_document(running.rehearsal, from_us=running.started_us, now_us=clock.now_us)
    first = "2027-01-15T08:00:00Z"
    assert document["interval"] == "PT1M" and document["timespan"] == f"{first}/2027-01-15T08:03:00Z"
    found = {each["name"]["value"]: each["timeseries"] for each in document["value"]}
    assert [point["total"] for point in found["ProcessedPromptTokens"][0]["data"]] == [2214, 0, 0]
    assert found["ProcessedPromptTokens"][0]["data"][0]["timeStamp"] == first
    assert found["GeneratedTokens"][0]["data"][0]["total"] == 200
    assert found["TokenTransaction"][0]["data"][0]["total"] == 2414
    assert found["ActiveTokens"][0]["data"][0]["total"] == 2414 - 1024
    assert found["AzureOpenAIContextTokensCacheMatchRate"][0]["data"] == [
        {"timeStamp": first, "average": 46.25},  # 1,024 / 2,214
        {"timeStamp": "2027-01-15T08:01:00Z"},
        {"timeStamp": "2027-01-15T08:02:00Z"},
    ]
    assert found["AzureOpenAITTLTInMS"][0]["data"][0]["average"] == 5500  # 6 s and 5 s
    assert found["AzureOpenAITimeToResponse"][0]["data"][0]["average"] == 50
    by_status = {each["metadatavalues"][2]["value"]: each["data"][0]["total"] for each in found["AzureOpenAIRequests"]}
    assert by_status == {"200": 2, "429": 1}
    path = tmp_path / "metrics.json"
    path.write_text(__import__("json").dumps(document))
    with read_log(path) as log:
        (profile,) = log.profiles.values()
        assert profile.requests == 3 and log.source.bucket_seconds == 60
        (stream,) = log.profiles
        assert (stream.deployment, stream.model) == ("chat", "Alder")


def test_utilization_is_averaged_over_the_minute() -> None:
    clock = Hand(30_000_000 * MINUTE)
    running = emulator(provisioned(60, window=10), clock=clock)
    (place,) = running.rehearsal.places.values()
    assert isinstance(place.arrive(clock.now_us, ArrivingCall(6000, 0)), Admitted)
    clock.now_us += 2 * MINUTE
    document = monitor_document(running.rehearsal, from_us=running.started_us, now_us=clock.now_us)
    found = {each["name"]["value"]: each["timeseries"] for each in document["value"]}
    values = [p["average"] for p in found["AzureOpenAIProvisionedManagedUtilizationV2"][0]["data"]]
    assert values == [3.0, 0.0, 0.0]  # 6,000 falls to 0 within 6 s: 18,000 of 600,000 token-seconds


def test_the_minute_that_has_not_ended_is_averaged_over_what_has_passed() -> None:
    # 60 PTU hold 10,000 in 10 s; from 15 s on there are 6,000 in it, 3,000 after 3 s, 0 after 6: 4,500 on average, then 3,000
    clock = Hand(30_000_000 * MINUTE + 15 * SECOND)
    running = emulator(provisioned(60, window=10), clock=clock)
    (place,) = running.rehearsal.places.values()
    place.arrive(clock.now_us, ArrivingCall(6000, 0))
    values = []
    for gap in (3 * SECOND, 3 * SECOND, 6 * SECOND, 60 * SECOND):
        clock.now_us += gap
        document = monitor_document(running.rehearsal, from_us=running.started_us, now_us=clock.now_us)
        found = {each["name"]["value"]: each["timeseries"] for each in document["value"]}
        values.append([p["average"] for p in found["AzureOpenAIProvisionedManagedUtilizationV2"][0]["data"]])
    # from then on 18,000 token-seconds over 10,000 x the seconds that have passed: 6, 12, then the 45 of the minute
    assert values == [[45.0], [30.0], [15.0], [4.0, 0.0]]


def test_a_deployment_that_is_down_answers_503_and_spills_over() -> None:
    down = (Outage(SECOND, 2 * SECOND),)
    chat = provisioned(60, spillover="payg")
    chat = replace(chat, backend=replace(chat.backend, down=down))
    payg = standard(None)
    both = Rehearsal([chat, replace(payg, backend=replace(payg.backend, down=(Outage(SECOND, SECOND + 500_000),)))])
    place = both.places["chat"]
    assert both.decide(SECOND - 1, place, SMALL).place is place
    decision = both.decide(SECOND, place, SMALL)
    assert (decision.status, decision.place.name, decision.spilled_from, decision.spill_cause) == (
        503,
        "payg",
        "chat",
        503,
    )
    decision = both.decide(SECOND + 500_000, place, SMALL)
    assert (decision.status, decision.place.name, decision.spill_cause) == (200, "payg", 503)
    assert both.decide(2 * SECOND, place, SMALL).place is place


def test_metrics_go_back_a_day_at_most() -> None:
    clock = Hand(30_000_000 * MINUTE)
    running = emulator(provisioned(60), clock=clock)
    served = running.served["chat"]
    for _ in range(3):
        prompt = served.read(body(1, 1))
        running.end(running.decide(served, prompt, streamed=False, spill_to=None))
        clock.now_us += 1000 * MINUTE
    document = monitor_document(running.rehearsal, from_us=running.started_us, now_us=clock.now_us)
    assert len(document["value"][1]["timeseries"][0]["data"]) == 1441
    assert len(running.rehearsal.places["chat"].minutes) == 2
