"""Requests that are not as they should be: whatever comes, the answer is an error in Azure's shape, and says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

httpx = pytest.importorskip("httpx", reason="the client of these tests")
pytest.importorskip("starlette", reason="comes with ptucalc[emulate]")
pytest.importorskip("uvicorn", reason="comes with ptucalc[emulate]")

from ptucalc import load_catalog  # noqa: E402
from ptucalc.made_up_answers import AnswerShape  # noqa: E402
from ptucalc.read.prompt_counting import PromptCounting  # noqa: E402
from ptucalc.rehearsal import Deployment  # noqa: E402
from ptucalc.routing import Provisioned  # noqa: E402
from ptucalc.serve.app import application  # noqa: E402
from ptucalc.serve.emulator import Emulator  # noqa: E402
from ptucalc.serve.running import MOST_HEADER_BYTES, serving  # noqa: E402

from .emulating import emulator, provisioned  # noqa: E402
from .test_serve_bounds import CHAT, HI, KEY, error_of, raw  # noqa: E402

MESSAGES = json.dumps(HI).encode()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(application(emulator(provisioned(100_000)))) as url:
        yield url


def said(answer: bytes) -> tuple[int, str]:
    """Status and message of an error that came as bytes."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head.lower()
    return int(head.split()[1]), json.loads(body)["error"]["message"]


def post(target: str, *headers: str) -> bytes:
    lines = [f"POST {target} HTTP/1.1", "api-key: k", f"content-length: {len(MESSAGES)}", *headers]
    return "\r\n".join([*lines, "connection: close", "", ""]).encode() + MESSAGES


def test_a_target_that_names_this_machine_is_its_path(url: str) -> None:
    host = url.removeprefix("http://")
    for target in (url + CHAT, f"HTTP://localhost:1{CHAT}"):
        assert raw(url, post(target, f"host: {host}")).startswith(b"HTTP/1.1 200 ")
    assert said(raw(url, post(url, f"host: {host}")))[0] == 404


def test_a_target_or_a_header_that_names_another_machine_is_refused(url: str) -> None:
    for target, host in (
        (f"http://evil.example{CHAT}", "localhost"),
        (f"http://localhost{CHAT}", "evil.example"),
        (f"http://localhost@evil.example{CHAT}", "localhost"),
        ("http:///", "localhost"),
    ):
        status, message = said(raw(url, post(target, f"host: {host}")))
        assert status == 403 and "Host" in message


def test_other_targets_are_not_found(url: str) -> None:
    assert said(raw(url, b"OPTIONS * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"))[0] == 404
    assert said(raw(url, post(f"https://localhost{CHAT}", "host: localhost")))[0] == 404


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /metrics.json HTTP/1.1\r\n\r\n",
        b"GET /metrics.json HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_what_is_no_http_is_told_what_is_expected(url: str, request_bytes: bytes) -> None:
    status, message = said(raw(url, request_bytes))
    assert status == 400 and "one Host header" in message and "TLS" in message


def test_headers_are_bounded_however_they_come(url: str) -> None:
    for size, status in ((MOST_HEADER_BYTES - 1000, 200), (MOST_HEADER_BYTES, 431), (100_000, 431)):
        answer = httpx.post(url + CHAT, headers={**KEY, "x-large": "x" * size}, json=HI)
        assert answer.status_code == status
    assert "32,768 bytes" in error_of(answer)["message"]
    assert httpx.post(f"{url}{CHAT}?{'x' * 40_000}", headers=KEY, json=HI).status_code == 431


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"stream": "yes"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"stream": []}, "stream"),
        ({"n": True}, "n"),
        ({"n": 1.0}, "n"),
        ({"n": "1"}, "n"),
        ({"n": 0}, "n"),
    ],
)
def test_a_switch_is_true_or_false_and_a_number_a_number(url: str, more: dict[str, Any], param: str) -> None:
    answer = httpx.post(url + CHAT, headers=KEY, json={**HI, **more})
    assert answer.status_code == 400 and error_of(answer)["param"] == param
    assert f"{param}: expected" in error_of(answer)["message"]


@pytest.mark.parametrize("more", [{"stream": None, "n": None}, {"stream": False, "n": 1}])
def test_what_is_null_is_not_given(url: str, more: dict[str, Any]) -> None:
    assert httpx.post(url + CHAT, headers=KEY, json={**HI, **more}).json()["object"] == "chat.completion"


def test_a_prompt_that_cannot_be_counted_is_a_bad_request() -> None:
    catalog = load_catalog()
    model, _ = catalog.find("gpt-4.1")
    counting = PromptCounting(catalog, model="gpt-4.1").counting_for(model)
    deployment = Deployment(backend=Provisioned(name="chat", model=model, ptu=1000, window_us=60_000_000), model=model)
    running = Emulator([deployment], {"gpt-4.1": counting}, shape=AnswerShape())
    with serving(application(running)) as url:
        blanks = {**HI, "messages": [{"role": "user", "content": " " * 1_000_000}]}
        answer = httpx.post(url + CHAT, headers=KEY, json=blanks, timeout=60)
    assert answer.status_code == 400
    assert "a very long run of white space" in error_of(answer)["message"]


def test_what_nobody_foresaw_is_an_error_in_azures_shape(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    running = emulator(provisioned(10))
    with serving(application(running)) as url:
        monkeypatch.setattr(running, "decide", None)
        answer = httpx.post(url + CHAT, headers=KEY, json=HI)
        assert answer.status_code == 500 and error_of(answer)["code"] == "InternalServerError"
        assert httpx.get(f"{url}/metrics.json").status_code == 200
    assert "TypeError" in caplog.text
