"""The server itself: uvicorn on loopback, with bounds on connections, on headers and on how long they take to come."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ptucalc.errors import BadInput, Problem

if TYPE_CHECKING:
    from uvicorn import Server

__all__ = ["bound_socket", "serve", "serving"]

HOST = "127.0.0.1"
MOST_CONNECTIONS = 10_000
MOST_HEADER_BYTES = 32 * 1024
"""Of the headers of a request, and of its target. One read can bring more: then they are refused when they are complete."""

HEADER_SECONDS = 10.0
"""So long a connection may take until the headers of a request are complete."""

IDLE_SECONDS = 65
GOODBYE_SECONDS = 2
"""So long calls under way may go on when the server is stopped."""

FILES_KEPT_FREE = 64


def bound_socket(port: int) -> socket.socket:
    """A socket on loopback (0: any free port). Raises BadInput where the port cannot be had."""
    # the protocol is named, or asyncio leaves Nagle's algorithm on: each answer would then wait 40 ms for an ACK
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((HOST, port))
    except (OSError, OverflowError) as error:
        made.close()
        why = getattr(error, "strerror", None) or str(error)
        raise BadInput([Problem("port", str(port), f"a port of {HOST} that is free ({why})")]) from None
    return made


def most_connections() -> int:
    """How many connections there may be: as many as the system gives us files for, up to our own limit."""
    try:
        import resource
    except ImportError:  # not on Windows, which has no such limit
        return MOST_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + FILES_KEPT_FREE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return (
        MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(16, min(MOST_CONNECTIONS, soft - FILES_KEPT_FREE))
    )


def server_of(app: Any, *, connections: int | None = None, header_seconds: float = HEADER_SECONDS) -> Server:
    """A server of the application. Not started."""
    import uvicorn

    config = uvicorn.Config(
        app,
        http=_protocol(connections or most_connections(), header_seconds),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        backlog=4096,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_a_bug)
    return uvicorn.Server(config)


def _is_a_bug(record: logging.LogRecord) -> bool:
    """Whether the server has something to say that we must hear: not what clients do wrong, nor calls cut at the end."""
    return record.exc_info is not None and not isinstance(record.exc_info[1], asyncio.CancelledError)


def _protocol(most: int, header_seconds: float) -> Any:
    """uvicorn's HTTP protocol, with a bound on connections and on the time until headers are complete."""
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Bounded(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > most:
                transport.write(_FULL)
                transport.close()
                return
            self._deadline = self.loop.call_later(header_seconds, self._too_slow)

        def connection_lost(self, exc: Exception | None) -> None:
            self._relax()
            self._unset_keepalive_if_required()  # uvicorn does it, but not for a connection that is reset
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.conn.their_state is not h11.IDLE:
                self._relax()
            elif self._deadline is None and not self.transport.is_closing():
                self._deadline = self.loop.call_later(header_seconds, self._too_slow)

        def send_400_response(self, msg: str) -> None:
            self.transport.write(_NO_HTTP)
            self.transport.close()

        def _relax(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _too_slow(self) -> None:
            self._deadline = None
            if not self.transport.is_closing():
                self.transport.write(_SLOW)
                self.transport.close()

    return Bounded


def _plain(status: bytes, code: bytes, message: bytes) -> bytes:
    body = b'{"error":{"code":"%b","message":"%b"}}' % (code, message)
    head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
    return head % (status, len(body)) + body


_FULL = _plain(b"503 Service Unavailable", b"ServerBusy", b"Too many connections.")
_NO_HTTP = _plain(
    b"400 Bad Request", b"BadRequest", b"Expected a request of plain HTTP/1.1 with one Host header; no TLS here."
)
_SLOW = _plain(b"408 Request Timeout", b"RequestTimeout", b"The headers did not arrive in time.")


async def _run(server: Server, listening: socket.socket, beside: Callable[[], Any] | None) -> None:
    task = None if beside is None else asyncio.ensure_future(beside())
    try:
        await server.serve(sockets=[listening])
    finally:
        if task is not None:
            task.cancel()


def serve(app: Any, listening: socket.socket, *, beside: Callable[[], Any] | None = None) -> bool:
    """Serves until Ctrl-C or a signal to end; `beside` makes what runs beside it. Whether it was Ctrl-C."""
    server = server_of(app)
    # uvicorn shuts down in order and then raises the signal again: that must not end us before the log is closed
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        asyncio.run(_run(server, listening, beside))
    except KeyboardInterrupt:
        return True
    finally:
        signal.signal(signal.SIGTERM, before)
    return False


@contextmanager
def serving(app: Any, *, port: int = 0, connections: int | None = None, header_seconds: float = 10.0) -> Iterator[str]:
    """Serves in a thread meanwhile; gives the address, such as http://127.0.0.1:40123."""
    from threading import Thread

    listening = bound_socket(port)
    address = f"http://{HOST}:{listening.getsockname()[1]}"
    server = server_of(app, connections=connections, header_seconds=header_seconds)
    thread = Thread(target=lambda: asyncio.run(_run(server, listening, None)), daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the server did not start")
            thread.join(0.005)
        yield address
    finally:
        server.should_exit = True
        thread.join(10)
