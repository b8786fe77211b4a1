"""A client that waits for an answer: how long already, and whether it is still there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any

from ptucalc.serve.bodies import Receive, Send

__all__ = ["Client"]


class Client:
    """A client whose request has been read. `close` it."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self.send = send
        self._began, self._duration_us = monotonic(), 0
        self._receive = receive
        self._gone: asyncio.Future[Any] | None = None

    def begin(self, duration_us: int) -> None:
        """Its answer begins now, and will take so long."""
        self._began, self._duration_us = monotonic(), duration_us

    def passed_us(self) -> int:
        """Microseconds since its answer began."""
        return int((monotonic() - self._began) * 1e6)

    def tokens_by_now(self, output: int) -> int:
        """How many tokens of an answer have been made so far."""
        return min(output, output * self.passed_us() // max(1, self._duration_us))

    async def wait_until(self, due_us: int) -> bool:
        """Waits until so long after the beginning; False where the client has left meanwhile."""
        left = due_us - self.passed_us()
        if left <= 0:
            return self._gone is None or not self._gone.done()
        return await self._wait(left)

    async def wait_for_clock(self, clock: Callable[[], int], until_us: int) -> bool:
        """Waits until it is that time, not a microsecond less; False where the client has left meanwhile."""
        while (left := until_us - clock()) > 0:
            if not await self._wait(left):
                return False
        return True

    async def _wait(self, left_us: int) -> bool:
        if self._gone is None:
            self._gone = asyncio.ensure_future(self._receive())
        await asyncio.wait((self._gone,), timeout=left_us / 1e6)
        return not self._gone.done()

    def close(self) -> None:
        """Stops watching."""
        if self._gone is not None and not self._gone.done():
            self._gone.cancel()
