"""Bodies of requests, read with bounds: on one body, on all of them together, and on how long one takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

__all__ = ["Bodies", "BodyRefused", "Disconnected", "Message", "Receive", "Scope", "Send"]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

LARGEST_BYTES = 16 * 1024 * 1024
"""Of one body: a million tokens with room to spare, or some images."""

LARGEST_TOGETHER = 256 * 1024 * 1024
"""Of all bodies that are being read."""

READ_AWAY = 4 * LARGEST_BYTES
"""So much of a body that is too large is read and thrown away, so that its client hears why."""

LONGEST_SECONDS = 30.0


class BodyRefused(Exception):
    """A body that is not read to its end: the status to answer with, and why."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Disconnected(Exception):
    """The client has gone."""


class Bodies:
    """Reads bodies. `largest` is the bound of one, in bytes."""

    def __init__(
        self, largest: int = LARGEST_BYTES, together: int = LARGEST_TOGETHER, seconds: float = LONGEST_SECONDS
    ) -> None:
        self.largest, self._together, self._seconds = largest, together, seconds
        self.held = 0
        """Bytes of bodies that are in memory now."""

    async def read(self, receive: Receive, headers: Mapping[bytes, bytes]) -> bytes:
        """The body. The bytes count as held until `release`. Raises BodyRefused, and Disconnected."""
        length = headers.get(b"content-length", b"")
        too_large = length.isdigit() and int(length) > self.largest
        try:
            async with asyncio.timeout(self._seconds):
                return await self._read(receive, too_large)
        except TimeoutError:
            message_text = f"The body did not arrive within {self._seconds:g} seconds."
            raise BodyRefused(408, "RequestTimeout", message_text) from None

    def release(self, body: bytes) -> None:
        """The body is no longer needed."""
        self.held -= len(body)

    async def _read(self, receive: Receive, too_large: bool) -> bytes:
        parts: list[bytes] = []
        size = seen = 0
        busy = False
        more = True
        try:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                part = message.get("body", b"")
                more = message.get("more_body", False)
                seen += len(part)
                too_large = too_large or seen > self.largest
                busy = busy or self.held + len(part) > self._together
                if too_large or busy:
                    self.held -= size
                    size = 0
                    parts.clear()
                    if seen > READ_AWAY:
                        break
                    continue
                parts.append(part)
                size += len(part)
                self.held += len(part)
        except BaseException:
            self.held -= size
            raise
        if too_large:
            text = f"The body is larger than the limit of {self.largest:,} bytes."
            raise BodyRefused(413, "RequestEntityTooLarge", text)
        if busy:
            raise BodyRefused(503, "ServerBusy", "Other bodies that are being read fill the memory set aside for them.")
        return parts[0] if len(parts) == 1 else b"".join(parts)
