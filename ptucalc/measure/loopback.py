"""HTTP/1.1 to a server on this machine, with as little between the benchmark and the socket as there can be.

A general client costs more for each call than the emulator needs to answer it, and would measure itself. This one sends
whole requests whose head is made once, and reads answers by Content-Length, in chunks or to the end of the connection
(RFC 9112). It follows no redirect, knows no proxy and no TLS; what goes elsewhere is the general client's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Broken", "LoopbackAnswer", "LoopbackConnections", "NoConnection"]

MOST_HEAD_BYTES = 65_536
_WITHOUT_BODY = (204, 304)


class NoConnection(Exception):
    """Nobody listens there."""


class Broken(Exception):
    """The connection ended, or what came over it is no HTTP/1.1."""


class LoopbackAnswer:
    """An answer: its status, its headers with names in lower case, its body as it comes."""

    def __init__(self, connection: _Connection, status: int, headers: Mapping[str, str]) -> None:
        self.status_code, self.headers = status, headers
        self._connection = connection

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        """The body in parts. Raises Broken where it ends before its end."""
        connection = self._connection
        while True:
            parts = connection.taken()
            if parts:
                yield parts
            elif connection.whole:
                return
            else:
                await connection.more()


class LoopbackConnections:
    """Connections to one address, made when they are needed and kept. `close` them."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        lines = [f"POST {path} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += ["Accept: */*", "Accept-Encoding: identity", "Content-Length: "]
        self._head = "\r\n".join(lines).encode("ascii")
        self._free: list[_Connection] = []

    @asynccontextmanager
    async def post(self, content: bytes) -> AsyncIterator[LoopbackAnswer]:
        """Sends a body; the answer once its headers are there. Raises NoConnection and Broken."""
        connection = self._kept() or await self._connected()
        try:
            status, headers = await connection.sent(b"%b%d\r\n\r\n%b" % (self._head, len(content), content))
            yield LoopbackAnswer(connection, status, headers)
        finally:
            if connection.usable:
                self._free.append(connection)
            else:
                connection.close()

    def _kept(self) -> _Connection | None:
        while self._free:
            found = self._free.pop()
            if found.usable:
                return found
        return None

    async def _connected(self) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            _, made = await loop.create_connection(_Connection, self._host, self._port)
        except OSError as error:
            raise NoConnection(str(error)) from None
        return made

    def close(self) -> None:
        """Closes those that nobody uses."""
        while self._free:
            self._free.pop().close()


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: Any = None
        self._waiter: asyncio.Future[None] | None = None
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._status, self._headers = 0, dict[str, str]()
        self._asked, self._chunked, self._until_end = False, False, False
        self._left = 0
        """Bytes that are still to come, of the body or of a chunk with its line end."""
        self._keep = True
        self._wrong = ""
        self.whole = True
        """Whether the answer is there to its end."""

    @property
    def usable(self) -> bool:
        """Whether it can take a request: the last answer is whole, and nobody has closed it."""
        return self.whole and self._keep and not self._wrong and not self._transport.is_closing()

    def close(self) -> None:
        """Ends the connection."""
        self._keep = False
        self._transport.abort()

    async def sent(self, request: bytes) -> tuple[int, dict[str, str]]:
        """Sends a request; the status and the headers of its answer."""
        self._status, self._asked, self.whole = 0, True, False
        self._transport.write(request)
        while not self._status:
            await self.more()
        return self._status, self._headers

    async def more(self) -> None:
        """Waits until something has come. Raises Broken where nothing can."""
        if not self._wrong:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._check()

    def _check(self) -> None:
        if self._wrong and not self._parts:
            raise Broken(self._wrong)

    def taken(self) -> bytes:
        """What has come of the body since the last time."""
        parts, self._parts = self._parts, []
        return parts[0] if len(parts) == 1 else b"".join(parts)

    # Of the event loop

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._asked:
            self._fail("an answer to nothing")
            return
        try:
            if not self._status:
                self._buffer += data
                self._read_head()
            elif self._chunked:
                self._buffer += data
                self._read_chunks()
            else:
                self._read_plain(data)
        except ValueError as error:
            self._fail(str(error))
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._asked and self._until_end and exc is None and self._status:
            self._end(keep=False)
        elif self._asked:
            self._wrong = self._wrong or "the connection was closed before the answer was whole"
        self._keep = False
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, what: str) -> None:
        self._wrong = what
        self._transport.abort()

    def _end(self, *, keep: bool = True) -> None:
        self.whole, self._asked = True, False
        self._keep = self._keep and keep and not self._buffer

    def _read_head(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MOST_HEAD_BYTES:
                raise ValueError("headers that do not end")
            return
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        version, _, rest = first.partition(" ")
        code = rest[:3]
        if not version.startswith("HTTP/1.") or not (code.isascii() and code.isdecimal() and len(code) == 3):
            raise ValueError("no answer of HTTP/1.1")
        headers = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                raise ValueError("a header without a colon")
            headers[name.strip().lower()] = value.strip()
        if code < "200":  # an interim answer: the true one follows
            self._read_head()
            return
        self._status, self._headers = int(code), headers
        self._keep = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        self._chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        length = headers.get("content-length")
        self._until_end = not self._chunked and length is None and self._status not in _WITHOUT_BODY
        if length is not None and not (length.isascii() and length.isdecimal()):
            raise ValueError("a Content-Length that is no number")
        self._left = 0 if self._chunked or self._status in _WITHOUT_BODY else int(length or 0)
        if self._chunked:
            self._read_chunks()
            return
        data = bytes(self._buffer)
        self._buffer.clear()
        self._read_plain(data)

    def _read_plain(self, data: bytes) -> None:
        if self._until_end:
            self._parts += [data] if data else []
            return
        if len(data) > self._left:
            self._buffer += data[self._left :]
            data = data[: self._left]
        self._left -= len(data)
        if data:
            self._parts.append(data)
        if not self._left:
            self._end()

    def _read_chunks(self) -> None:
        """Chunks: a line with the size in hexadecimal, the data, a line end; the last is empty, with trailers after it."""
        buffer = self._buffer
        while buffer:
            if self._left > 2:
                part = bytes(buffer[: self._left - 2])
                del buffer[: len(part)]
                self._left -= len(part)
                self._parts.append(part)
                continue
            if self._left:
                if len(buffer) < 2:
                    return
                if buffer[:2] != b"\r\n":
                    raise ValueError("a chunk that does not end")
                del buffer[:2]
                self._left = 0
                continue
            end = buffer.find(b"\r\n")
            if end < 0:
                if len(buffer) > MOST_HEAD_BYTES:
                    raise ValueError("a chunk without a size")
                return
            size = int(bytes(buffer[:end]).partition(b";")[0], 16)
            if size < 0:
                raise ValueError("a chunk without a size")
            if not size:
                if buffer[end : end + 4] == b"\r\n\r\n":
                    del buffer[: end + 4]
                elif len(buffer) < end + 4:
                    return
                else:  # trailers, of no use here
                    over = buffer.find(b"\r\n\r\n", end)
                    if over < 0:
                        return
                    del buffer[: over + 4]
                self._end()
                return
            del buffer[: end + 2]
            self._left = size + 2
