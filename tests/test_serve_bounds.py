"""What an emulator does with clients that are wrong, slow, many or hostile: clear answers, bounded memory, no crash."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

httpx = pytest.importorskip("httpx", reason="the client of these tests")
pytest.importorskip("starlette", reason="comes with ptucalc[emulate]")
pytest.importorskip("uvicorn", reason="comes with ptucalc[emulate]")

from ptucalc.errors import BadInput  # noqa: E402
from ptucalc.made_up_answers import AnswerShape  # noqa: E402
from ptucalc.serve.app import application  # noqa: E402
from ptucalc.serve.bodies import Bodies  # noqa: E402
from ptucalc.serve.emulator import Emulator  # noqa: E402
from ptucalc.serve.running import bound_socket, serving  # noqa: E402
from ptucalc.serve.served import Served  # noqa: E402

from .emulating import emulator, provisioned, standard  # noqa: E402

CHAT = "/openai/v1/chat/completions"
KEY = {"api-key": "k"}
HI: dict[str, Any] = {"model": "chat", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[str, Emulator]]:
    made = emulator(provisioned(100_000), standard(1000))
    with serving(application(made)) as url:
        yield url, made


@pytest.fixture
def url(running: tuple[str, Emulator]) -> str:
    return running[0]


def error_of(answer: Any) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()["error"]
    assert found["message"] and found["code"]
    return found


@pytest.mark.parametrize(
    "path", ["/", CHAT, "/metrics.json", "/openai/v1/models", "/openai/deployments/chat/chat/completions"]
)
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.", "localhost:80x", "2130706433"]
)
def test_a_request_for_another_host_is_refused_on_every_path(url: str, path: str, host: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = httpx.request(method, url + path, headers={**KEY, "Host": host}, json=HI)
        assert answer.status_code == 403 and "Host" in error_of(answer)["message"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:65535", "[::1]:8089", "[::1]"])
def test_this_machines_names_are_let_in(url: str, host: str) -> None:
    assert httpx.get(f"{url}/metrics.json", headers={"Host": host}).status_code == 200


def test_a_request_without_a_host_is_refused(url: str) -> None:
    assert raw(url, b"GET /metrics.json HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 403 ")


def raw(url: str, data: bytes, seconds: float = 5) -> bytes:
    """What comes back for these bytes."""
    port = int(url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(data)
        found = b""
        try:
            while part := connection.recv(65_536):
                found += part
        except (TimeoutError, ConnectionResetError):
            pass
        return found


def test_any_key_will_do_and_none_will_not(url: str) -> None:
    for headers in (KEY, {"Authorization": "Bearer x"}, {"authorization": "bearer x"}):
        assert httpx.post(url + CHAT, headers=headers, json=HI).status_code == 200
    for headers in ({}, {"api-key": ""}, {"Authorization": "Bearer"}, {"Authorization": "Basic eDp5"}):
        for path in (CHAT, "/openai/responses", "/openai/deployments/chat/chat/completions"):
            answer = httpx.post(url + path, headers=headers, json=HI)
            assert answer.status_code == 401 and "any one" in error_of(answer)["message"]
    assert httpx.get(f"{url}/openai/v1/models").status_code == 401
    assert httpx.get(f"{url}/metrics.json").status_code == 200


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[1]", "no JSON object"),
        (b"[" * 100_000, "no JSON"),
        (b'{"model":' + b'{"a":' * 50_000, "no JSON"),
        (b'{"model":"chat","max_tokens":' + b"9" * 5000 + b"}", "no JSON"),
        (b'{"messages":[]}', "model"),
        (b'{"model":7,"messages":[]}', "model"),
        (b'{"model":"chat"}', "messages"),
        (b'{"model":"chat","input":"hi"}', "messages"),
        (b'{"model":"chat","messages":"hi"}', "messages"),
        (b'{"model":"chat","messages":[{"role":"user","content":{"a":1}}]}', "content"),
        (b'{"model":"chat","messages":[{"role":"king","content":"hi"}]}', "role"),
        (b'{"model":"chat","messages":[{"role":"user","content":"hi"}],"max_tokens":"many"}', "max_tokens"),
        (b'{"model":"chat","messages":[{"role":"user","content":[{"type":"input_audio"}]}]}', "audio"),
    ],
)
def test_a_body_that_cannot_be_read_is_a_bad_request(url: str, body: bytes, word: str) -> None:
    answer = httpx.post(url + CHAT, headers=KEY, content=body)
    assert answer.status_code == 400 and word in error_of(answer)["message"]
    assert error_of(answer)["type"] == "invalid_request_error"


def test_unknown_paths_and_methods_are_told(url: str) -> None:
    assert error_of(httpx.get(f"{url}/openai/files", headers=KEY))["code"] == "404"
    assert error_of(httpx.get(url + CHAT, headers=KEY))["code"] == "405"
    assert httpx.post(f"{url}/metrics.json").status_code == 405
    nowhere = httpx.post(f"{url}/openai/deployments/nowhere/chat/completions", headers=KEY, json=HI)
    assert nowhere.status_code == 404 and error_of(nowhere)["code"] == "DeploymentNotFound"


def test_fifty_megabytes_are_refused_and_not_kept(running: tuple[str, Emulator]) -> None:
    url, _ = running
    for content in (b"x" * 50_000_000, (b"x" * 1_000_000 for _ in range(50))):
        answer = httpx.post(url + CHAT, headers=KEY, content=content, timeout=30)
        assert answer.status_code == 413 and "16,777,216 bytes" in error_of(answer)["message"]
    assert httpx.post(url + CHAT, headers=KEY, json=HI).status_code == 200


def test_a_large_prompt_is_counted_while_others_are_served() -> None:
    with serving(application(emulator(provisioned(100_000)))) as url:
        large = {**HI, "messages": [{"role": "user", "content": "word " * 1_000_000}]}
        answers: list[Any] = []
        thread = threading.Thread(
            target=lambda: answers.append(httpx.post(url + CHAT, headers=KEY, json=large, timeout=60))
        )
        thread.start()
        quick = [httpx.post(url + CHAT, headers=KEY, json=HI, timeout=10).status_code for _ in range(5)]
        thread.join(60)
        assert quick == [200] * 5
        # 5,000,000 characters by fours, and the frame: 3 + 1 for the role + 3
        assert answers[0].json()["usage"]["prompt_tokens"] == 1_250_007


def test_only_a_large_prompt_is_counted_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []
    plain = Served.read

    def noted(served: Served, body: Any) -> Any:
        threads.append(threading.current_thread().name)
        return plain(served, body)

    monkeypatch.setattr(Served, "read", noted)
    with serving(application(emulator(provisioned(100_000)))) as url:
        for letters in (1, 100_000, 2):
            messages = [{"role": "user", "content": "x" * letters}]
            httpx.post(url + CHAT, headers=KEY, json={**HI, "messages": messages})
    assert threads[0] == threads[2] != threads[1]


def test_an_answer_does_not_wait_for_an_acknowledgement(url: str) -> None:
    times = []
    with httpx.Client(headers=KEY) as client:
        for _ in range(21):
            began = time.monotonic()
            client.post(url + CHAT, json=HI)
            times.append(time.monotonic() - began)
    assert sorted(times)[10] < 0.035  # it would be 40 ms and more each


def read(bodies: Bodies, parts: list[bytes], length: str = "") -> Any:
    """What becomes of a body that arrives so: its bytes, or the status it is refused with."""
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages[-1]["more_body"] = False

    async def receive() -> Any:
        return messages.pop(0)

    headers = {b"content-length": length.encode()} if length else {}
    try:
        return asyncio.run(bodies.read(receive, headers))
    except Exception as error:
        return getattr(error, "status", error)


def test_bodies_are_bounded_each_and_together() -> None:
    bodies = Bodies(largest=10, together=25)
    kept = read(bodies, [b"12345", b"67890"])
    assert (kept, bodies.held) == (b"1234567890", 10)
    assert (read(bodies, [b"12345", b"678901"]), bodies.held) == (413, 10)
    assert (read(bodies, [b"1"], "11"), bodies.held) == (413, 10)  # told before it is read
    assert read(bodies, [b"1234567890"]) == b"1234567890"
    assert (read(bodies, [b"12345", b"6", b""]), bodies.held) == (503, 20)
    assert (read(bodies, [b"12345"]), bodies.held) == (b"12345", 25)
    bodies.release(kept)
    assert bodies.held == 15


def test_a_body_that_does_not_come_is_given_up() -> None:
    bodies = Bodies(seconds=0.05)
    parts: list[Any] = [{"type": "http.request", "body": b"12", "more_body": True}]

    async def receive() -> Any:
        if parts:
            return parts.pop()
        return await asyncio.get_running_loop().create_future()

    with pytest.raises(Exception, match=r"within 0\.05 seconds"):
        asyncio.run(bodies.read(receive, {}))
    assert bodies.held == 0


def test_headers_that_dribble_are_given_up() -> None:
    with serving(application(emulator(provisioned(10))), header_seconds=0.2) as url:
        began = time.monotonic()
        assert raw(url, b"POST /v1/chat/comp").startswith(b"HTTP/1.1 408 ")
        assert raw(url, b"").startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < 4
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=5) as slow:
            slow.sendall(b"GET /metrics.json HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert slow.recv(12) == b"HTTP/1.1 200"
            time.sleep(0.4)  # idle between two requests is no dribbling
            slow.sendall(b"GET /metrics.json HTTP/1.1\r\nhost: localhost\r\n\r\n")
            while b"HTTP/1.1 200" not in slow.recv(65_536):
                pass
        assert b" 400 " in raw(url, b"GET / HTTP/1.1\r\nhost: localhost\r\nx: " + b"x" * 1_000_000 + b"\r\n\r\n")
        assert b" 400 " in raw(url, b"\x16\x03\x01 no HTTP at all\r\n\r\n")


def test_connections_are_bounded() -> None:
    with serving(application(emulator(provisioned(10))), connections=20) as url:
        port = int(url.rpartition(":")[2])
        held = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(20)]
        try:
            assert b" 503 " in raw(url, b"GET /metrics.json HTTP/1.1\r\nhost: localhost\r\n\r\n")
        finally:
            for each in held:
                each.close()
        for _ in range(100):
            answer = raw(url, b"GET /metrics.json HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            if b" 200 " in answer:
                break
        else:
            pytest.fail("the connections were not let go")


def test_a_thousand_idle_connections_do_no_harm(url: str) -> None:
    port = int(url.rpartition(":")[2])
    held = []
    try:
        for _ in range(400):
            held.append(socket.create_connection(("127.0.0.1", port), timeout=5))
            held[-1].sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{")
        assert httpx.post(url + CHAT, headers=KEY, json=HI).status_code == 200
    finally:
        for each in held:
            each.close()


def test_a_client_that_leaves_is_charged_for_what_was_made() -> None:
    shape = AnswerShape(shortest=1000, longest=1000, spread=Fraction(0))  # 20 a second: 50 s
    made = emulator(provisioned(10), shape=shape)
    (place,) = made.rehearsal.places.values()
    with serving(application(made)) as url:
        for stream in (True, False):
            body = {**HI, "stream": stream, "max_tokens": 1000}
            until = time.monotonic() + 0.4
            try:
                with httpx.stream("POST", url + CHAT, headers=KEY, json=body, timeout=0.4) as answer:
                    for _ in answer.iter_bytes():
                        if time.monotonic() > until:
                            break
            except httpx.ReadTimeout:
                pass
            for _ in range(200):
                if not place.in_flight:
                    break
                time.sleep(0.01)
        assert place.in_flight == 0 and place.statuses == {499: 2}
    (totals,) = place.minutes.values()
    assert 2 <= totals.generated <= 40  # about 0.4 s of 20 a second, twice


def test_words_come_at_the_models_pace() -> None:
    shape = AnswerShape(shortest=11, longest=11, spread=Fraction(0))  # Alder makes 20 a second
    with serving(application(emulator(provisioned(1000), shape=shape))) as url:
        began = time.monotonic()
        times = []
        with httpx.stream("POST", url + CHAT, headers=KEY, json={**HI, "stream": True}) as answer:
            for line in answer.iter_lines():
                if '"content":" ' in line:
                    times.append(time.monotonic() - began)
        assert len(times) == 11
        # never before they are due (a busy machine may be late), and not all of them at the end
        assert all(at + 0.005 >= 0.05 * place for place, at in enumerate(times, 1))
        assert times[0] + 0.2 < times[-1]
        whole = time.monotonic()
        httpx.post(url + CHAT, headers=KEY, json=HI)
        assert time.monotonic() - whole >= 0.55


def test_a_port_that_is_taken_is_told() -> None:
    taken = bound_socket(0)
    taken.listen()
    port = taken.getsockname()[1]
    with pytest.raises(BadInput, match=f"free .*got {port}"):
        bound_socket(port)
    taken.close()


def test_metrics_hold_what_was_said(running: tuple[str, Emulator]) -> None:
    url, made = running
    before = made.rehearsal.places["payg"].statuses.get(429, 0)
    answers = [
        httpx.post(url + CHAT, headers=KEY, json={**HI, "model": "payg", "max_tokens": 400}).status_code
        for _ in range(3)
    ]
    assert 429 in answers
    document = json.loads(httpx.get(f"{url}/metrics.json").text)
    requests = next(each for each in document["value"] if each["name"]["value"] == "AzureOpenAIRequests")
    refused = [
        sum(point["total"] for point in series["data"])
        for series in requests["timeseries"]
        if {"payg", "429"} <= {each["value"] for each in series["metadatavalues"]}
    ]
    assert sum(refused) == before + answers.count(429)


def test_connections_and_calls_leave_nothing_behind() -> None:
    """What a process keeps after a burst is the allocator's: no object of a connection or of a call is left."""
    import gc

    kinds = ("Bounded", "RequestResponseCycle", "ServedCall", "Client")

    def alive() -> int:
        gc.collect()
        return sum(type(each).__name__ in kinds for each in gc.get_objects())

    packed = json.dumps(HI).encode()
    request = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\napi-key: k\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    before = alive()
    with serving(application(emulator(provisioned(100_000)))) as url:
        port = int(url.rpartition(":")[2])
        for _ in range(2):
            sockets = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(100)]
            for each in sockets:
                each.sendall(request + packed)
            for each in sockets:
                assert each.recv(100).startswith(b"HTTP/1.1 200")
                each.close()
            for _ in range(200):
                if (left := alive() - before) <= 0:
                    break
                time.sleep(0.02)
            assert left <= 0
