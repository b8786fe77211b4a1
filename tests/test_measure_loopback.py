"""HTTP/1.1 of our own to this machine: answers however they are cut, connections kept or not, and what is no answer."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptucalc.measure.loopback import Broken, LoopbackConnections, NoConnection

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Way: a: b\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 429 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n"
TRAILED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-A: b\r\n\r\n"
TO_THE_END = b"HTTP/1.1 200 OK\r\n\r\nhello"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN


def told(*answers: list[bytes], close: bool = False, calls: int | None = None) -> tuple[list[Any], list[bytes], int]:
    """What a client hears from a server that answers its calls with these parts; its requests, and its connections."""
    requests: list[bytes] = []
    connections = 0

    async def talk() -> list[Any]:
        left = list(answers)

        async def serve(reader: Any, writer: Any) -> None:
            nonlocal connections
            connections += 1
            while left:
                try:
                    head = await reader.readuntil(b"\r\n\r\n")
                except asyncio.IncompleteReadError:
                    break
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                requests.append(head + await reader.readexactly(length))
                for part in left.pop(0):
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0)
                if close:
                    break
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = LoopbackConnections(f"http://127.0.0.1:{port}/a/b?c=d", {"api-key": "k"})
        found: list[Any] = []
        try:
            for number in range(len(answers) if calls is None else calls):
                try:
                    async with asyncio.timeout(5), client.post(b"body%d" % number) as answer:
                        body = b"".join([part async for part in answer.aiter_bytes()])
                        found.append((answer.status_code, body, dict(answer.headers)))
                except Broken as error:
                    found.append(str(error))
        finally:
            client.close()
            server.close()
        return found

    return asyncio.run(talk()), requests, connections


@given(
    st.sampled_from([PLAIN, CHUNKED, TRAILED, INTERIM]),
    st.lists(st.integers(0, 120), max_size=6),
)
@settings(max_examples=40, deadline=None)
def test_an_answer_is_the_same_however_it_is_cut(answer: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(answer)) for cut in cuts), len(answer)]
    parts = [answer[first:last] for first, last in pairwise(places)]
    (first, second), requests, connections = told(parts, [answer])
    assert first[:2] == second[:2] == (429 if answer is CHUNKED else 200, b"hello")
    assert len(requests) == 2 and connections == 1


def test_a_request_is_whole_and_names_its_host() -> None:
    ((status, _, headers),), (request,), _ = told([PLAIN])
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert (first, body) == ("POST /a/b?c=d HTTP/1.1", b"body0")
    assert {"api-key: k", "Content-Length: 5", "Accept-Encoding: identity"} <= set(lines)
    assert lines[0].startswith("Host: 127.0.0.1:")
    assert (status, headers["x-way"]) == (200, "a: b")


def test_an_answer_without_a_length_lasts_until_the_end_of_the_connection() -> None:
    found, _, connections = told([TO_THE_END], [TO_THE_END], close=True)
    assert [each[:2] for each in found] == [(200, b"hello")] * 2 and connections == 2


@pytest.mark.parametrize("header", [b"Connection: close", b"connection: Close"])
def test_a_connection_that_the_server_will_close_is_not_used_again(header: bytes) -> None:
    closing = PLAIN.replace(b"X-Way: a: b", header)
    found, _, connections = told([closing], [closing])
    assert len(found) == 2 and connections == 2
    assert told([PLAIN.replace(b"1.1", b"1.0")], [PLAIN])[2] == 2


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"SSH-2.0-x\r\n\r\n", "no answer of HTTP/1.1"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "no answer of HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "a header without a colon"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "a Content-Length that is no number"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: " + b"x" * 70_000, "headers that do not end"),
        (CHUNKED.replace(b"he\r\n", b"he--"), "a chunk that does not end"),
        (CHUNKED.replace(b"2\r\nhe", b"z\r\nhe"), "invalid literal"),
        (CHUNKED.replace(b"2\r\nhe", b"-2\r\nhe"), "a chunk without a size"),
        (CHUNKED[:-60], "closed before the answer was whole"),
        (CHUNKED[:-5], "closed before the answer was whole"),
        (PLAIN[:-1], "closed before the answer was whole"),
        (b"", "closed before the answer was whole"),
    ],
)
def test_what_is_no_whole_answer_is_told(answer: bytes, why: str) -> None:
    (found,), _, _ = told([answer], close=True)
    assert isinstance(found, str) and why in found


def test_bytes_after_an_answer_end_its_connection() -> None:
    found, _, connections = told([PLAIN + b"more"], [PLAIN])
    assert [each[:2] for each in found] == [(200, b"hello")] * 2 and connections == 2


def test_a_call_that_is_given_up_takes_its_connection_along() -> None:
    found: list[str] = []

    async def talk() -> None:
        gone = asyncio.Event()

        async def serve(reader: Any, writer: Any) -> None:
            writer.write(PLAIN[:-2])
            while await reader.read(100):
                pass
            gone.set()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        client = LoopbackConnections(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", {})

        async def read() -> None:
            async with asyncio.timeout(0.2), client.post(b"") as answer:
                async for part in answer.aiter_bytes():
                    found.append(part.decode())

        with pytest.raises(TimeoutError):
            await read()
        async with asyncio.timeout(5):
            await gone.wait()
        server.close()

    asyncio.run(talk())
    assert found == ["hel"]


def test_where_nobody_listens_there_is_no_connection() -> None:
    async def talk() -> None:
        async with LoopbackConnections("http://127.0.0.1:1", {}).post(b""):
            raise AssertionError("answered")

    with pytest.raises(NoConnection):
        asyncio.run(talk())
