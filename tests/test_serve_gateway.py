"""A gateway's clients: which way a call took, how long it waited, what it is told at the end, what is logged of it."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

httpx = pytest.importorskip("httpx", reason="the client of these tests")
pytest.importorskip("starlette", reason="comes with ptucalc[emulate]")
pytest.importorskip("uvicorn", reason="comes with ptucalc[emulate]")

from ptucalc.gateway import FrontDoor, backends_of  # noqa: E402
from ptucalc.read.logs import read_log  # noqa: E402
from ptucalc.route_replay import replay_route  # noqa: E402
from ptucalc.routing import Outage, Provisioned, Retry, Route, Standard, WaitWhere  # noqa: E402
from ptucalc.serve.app import application  # noqa: E402
from ptucalc.serve.call_log import CallLog  # noqa: E402
from ptucalc.serve.emulator import Emulator  # noqa: E402
from ptucalc.serve.running import serving  # noqa: E402

from .emulating import ALDER, MINUTE, emulator  # noqa: E402
from .invented import a_model  # noqa: E402

LARCH = a_model("Larch", prompt_limit_tokens=1000)
HOUR = Outage(0, 60 * MINUTE)
FULL_AT_ONCE = Provisioned(name="ptu", ptu=60, window_us=1000)
"""It holds one token for a millisecond: after a call of 1,000 tokens it is full for about a second."""


@contextmanager
def behind(
    *backends: Any, model: Any = ALDER, log: io.BytesIO | None = None, **given: Any
) -> Iterator[tuple[str, Emulator]]:
    route = Route(backends=backends, relative_clock=True, **given)
    door = FrontDoor("door", model, route)
    calls = None if log is None else CallLog(log, json_lines=False)
    running = emulator(*backends_of(door), door=door, log=calls)
    with serving(application(running)) as url:
        yield url, running


def call(url: str, name: str = "door", *, tokens: int = 1000, timeout: float = 20, **more: Any) -> Any:
    headers = {"api-key": "k", **more.pop("headers", {})}
    body = {"model": name, "messages": [{"role": "user", "content": "abcd" * tokens}], "max_tokens": 1, **more}
    return httpx.post(f"{url}/openai/v1/chat/completions", json=body, headers=headers, timeout=timeout)


def way(answer: Any) -> tuple[int, str, str]:
    headers = answer.headers
    return answer.status_code, headers.get("x-ms-deployment-name", ""), headers.get("x-ptucalc-tries", "")


def test_an_answer_names_who_gave_it_and_the_way_there() -> None:
    with behind(FULL_AT_ONCE, Standard(name="rest", priority=2)) as (url, running):
        assert way(call(url)) == (200, "ptu", "ptu=200")
        assert way(call(url)) == (200, "rest", "ptu=429, rest=200")
        streamed = call(url, stream=True)
        assert way(streamed) == (200, "rest", "ptu=429, rest=200") and streamed.text.endswith("data: [DONE]\n\n")
        azure = httpx.post(
            f"{url}/openai/deployments/DOOR/chat/completions",
            headers={"api-key": "k"},
            json={"messages": [{"role": "user", "content": "hi"}]},
        )
        assert azure.status_code == 200 and azure.json()["model"] == "Alder"
        listed = httpx.get(f"{url}/openai/v1/models", headers={"api-key": "k"}).json()["data"]
        assert [each["id"] for each in listed] == ["door", "ptu", "rest"]
        missing = call(url, "nowhere")
        assert missing.status_code == 404 and "door, ptu, rest" in missing.json()["error"]["message"]
        assert running.front is not None and sum(running.front.gateway.served) == 4


def test_a_backend_answers_for_itself_under_its_own_name() -> None:
    down = Standard(name="rest", priority=2, down=(HOUR,))
    with behind(FULL_AT_ONCE, down) as (url, running):
        assert way(call(url, "ptu")) == (200, "ptu", "")
        refused = call(url, "PTU")
        assert way(refused) == (429, "ptu", "") and int(refused.headers["retry-after-ms"]) > 500
        unavailable = call(url, "rest")
        assert way(unavailable) == (503, "rest", "") and "retry-after" not in unavailable.headers
        assert unavailable.json()["error"]["code"] == "503" and "rest is down" in unavailable.json()["error"]["message"]
        assert running.front is not None and not running.front.gateway.statuses


def test_what_is_refused_in_the_end_is_refused_as_the_last_backend_did() -> None:
    down = Standard(name="rest", priority=2, down=(HOUR,))
    with behind(FULL_AT_ONCE, down) as (url, _):
        assert call(url).status_code == 200
        last = call(url)
        assert way(last) == (503, "rest", "ptu=429, rest=503")
        assert 1 <= int(last.headers["retry-after-ms"]) <= 1100  # the first backend has room then
    with behind(FULL_AT_ONCE) as (url, _):
        assert call(url).status_code == 200
        last = call(url)
        assert way(last) == (429, "ptu", "ptu=429") and "ptu are throttled" in last.json()["error"]["message"]
        assert "azure-openai-deployment-utilization" in last.headers
    with behind(FULL_AT_ONCE, model=LARCH) as (url, _):
        last = call(url, tokens=1001)
        assert way(last) == (400, "ptu", "ptu=400") and last.json()["error"]["code"] == "context_length_exceeded"
        assert "1000 tokens" in last.json()["error"]["message"] and "1008 tokens" in last.json()["error"]["message"]
    with behind(down, retry=Retry(trip_when_down_ms=60_000)) as (url, _):
        assert way(call(url)) == (503, "rest", "rest=503")
        last = call(url)
        assert way(last) == (503, "", "") and "No backend of door is in rotation: rest." in last.text
        assert 50 < int(last.headers["retry-after"]) <= 60


def test_a_wait_of_the_policy_is_really_waited() -> None:
    retry = Retry(wait=WaitWhere.HERE, attempts_per_backend=2)
    with behind(FULL_AT_ONCE, retry=retry) as (url, _):
        assert call(url, tokens=500).status_code == 200  # full for about half a second
        began = time.monotonic()
        assert way(call(url)) == (200, "ptu", "ptu=429, ptu=200")
        assert 0.4 < time.monotonic() - began < 3
    stream = io.BytesIO()
    with behind(FULL_AT_ONCE, Standard(name="rest", priority=2), failover_ms=400, log=stream) as (url, _):
        assert call(url).status_code == 200
        began = time.monotonic()
        assert way(call(url)) == (200, "rest", "ptu=429, rest=200")
        assert 0.4 <= time.monotonic() - began < 3
    row = stream.getvalue().decode().splitlines()[-1].split(",")
    assert float(row[10]) < 400 <= float(row[15]) and row[16] == "ptu=429 rest=200"


def test_a_client_that_leaves_ends_its_wait() -> None:
    stream = io.BytesIO()
    retry = Retry(wait=WaitWhere.HERE, attempts_per_backend=2)
    with behind(FULL_AT_ONCE, retry=retry, log=stream) as (url, running):
        assert call(url, tokens=60_000).status_code == 200  # full for a minute
        with pytest.raises(httpx.ReadTimeout):
            call(url, timeout=0.3)
        assert running.front is not None
        gateway = running.front.gateway
        for _ in range(100):
            if not gateway.under_way:
                break
            time.sleep(0.02)
        assert gateway.under_way == 0 and gateway.statuses == {200: 1, 499: 1}
        assert running.rehearsal.places["ptu"].in_flight == 0
    row = stream.getvalue().decode().splitlines()[-1].split(",")
    assert (row[1], row[9], row[13], row[16]) == ("door", "499", "", "ptu=429")
    assert 200 < float(row[15]) < 3000


def test_the_route_decides_where_overflow_goes_not_a_header() -> None:
    with behind(FULL_AT_ONCE, Standard(name="rest", priority=2)) as (url, _):
        refused = call(url, headers={"x-ms-spillover-deployment": "rest"})
        assert refused.status_code == 400 and "the route says where calls go" in refused.text
        assert way(call(url, "ptu", headers={"x-ms-spillover-deployment": "rest"}))[:2] == (200, "ptu")
        spilled = call(url, "ptu", headers={"x-ms-spillover-deployment": "rest"})
        assert (spilled.headers["x-ms-deployment-name"], spilled.headers["x-ms-spillover-error"]) == ("rest", "429")


def test_each_backend_answers_with_its_own_model() -> None:
    birch = Standard(name="rest", priority=2, model=a_model("Birch"))
    with behind(FULL_AT_ONCE, birch) as (url, _):
        assert call(url).json()["model"] == "Alder"
        assert call(url).json()["model"] == "Birch"
        bad = call(url, messages=[{"role": "user", "content": 7}])
        assert bad.status_code == 400


def test_the_log_goes_the_same_way_again(tmp_path: Path) -> None:
    stream = io.BytesIO()
    backends = (Provisioned(name="ptu", ptu=60, window_us=10_000), Standard(name="rest", rpm=600, priority=2))
    with behind(*backends, log=stream, retry=Retry(attempts=2)) as (url, running):
        with httpx.Client() as client:
            for number in range(40):
                body = {
                    "model": "door",
                    "messages": [{"role": "user", "content": "abcd" * 3000}],
                    "max_tokens": 1 + number,
                }
                client.post(f"{url}/openai/v1/chat/completions", headers={"api-key": "k"}, json=body)
        front = running.front
    assert front is not None and {200, 429} == set(front.gateway.statuses)
    path = tmp_path / "calls.csv"
    path.write_bytes(stream.getvalue())
    with read_log(path, calls=True) as log:
        assert log.source.rows_used == 40 and not log.source.skipped
        trace = log.trace()
    run = replay_route(trace, Route(backends=backends, retry=Retry(attempts=2)), ALDER)
    rows = [row.split(",") for row in stream.getvalue().decode().splitlines()[1:]]
    rows.sort(key=lambda row: row[0])
    said = [["ptu", "rest"].index(row[13]) if row[9] == "200" else -1 for row in rows]
    assert list(run.outcome) == said
    assert {row[1] for row in rows} == {"door"} and {row[2] for row in rows} == {"Alder"}


def test_metrics_of_the_gateway_are_in_the_gateways_namespace() -> None:
    with behind(FULL_AT_ONCE, Standard(name="rest", priority=2, down=(HOUR,))) as (url, _):
        call(url)
        call(url)
        own = httpx.get(f"{url}/metrics.json?metricnamespace=microsoft.apimanagement/service").json()
        (series, *_) = own["value"][0]["timeseries"]
        assert own["namespace"] == "Microsoft.ApiManagement/service" and series["data"][-1]["total"] >= 0
        backends = httpx.get(f"{url}/metrics.json").json()
        named = backends["value"][0]["timeseries"]
        totals = {
            (one["metadatavalues"][0]["value"], one["metadatavalues"][2]["value"]): sum(p["total"] for p in one["data"])
            for one in named
        }
        assert totals == {("ptu", "200"): 1, ("ptu", "429"): 1, ("rest", "503"): 1}
        assert httpx.get(f"{url}/metrics.json?metricnamespace=other").status_code == 400


def test_a_call_that_waits_when_the_server_stops_is_told() -> None:
    answers: list[Any] = []
    with behind(FULL_AT_ONCE, retry=Retry(wait=WaitWhere.HERE, attempts_per_backend=2)) as (url, running):
        assert call(url, tokens=60_000).status_code == 200  # full for a minute
        waiting = Thread(target=lambda: answers.append(call(url)))
        waiting.start()
        assert running.front is not None
        while not running.front.gateway.under_way:
            time.sleep(0.01)
    waiting.join(10)
    assert answers[0].status_code == 503 and answers[0].json()["error"]["code"] == "ServiceUnavailable"
    assert running.front.gateway.under_way == 0
