"""One call of a benchmark: sent, answered, timed; again after a 429 where that was asked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from ptucalc.bench_prompts import PromptMaker
from ptucalc.bench_samples import Outcome, Refusal, Sample
from ptucalc.bench_schedule import Planned
from ptucalc.measure.loopback import Broken, LoopbackConnections, NoConnection
from ptucalc.measure.streams import Answer, EventLines, Malformed, error_text, retry_after_ms
from ptucalc.measure.target import Target

if TYPE_CHECKING:
    import httpx

__all__ = ["Caller", "Clients"]

MOST_BYTES_OF_AN_ERROR = 65_536
MOST_BYTES_OF_AN_ANSWER = 64_000_000

SPILLED = "x-ms-spillover-from-deployment"
"""The header of an answer that another deployment gave."""


class Response(Protocol):
    """An answer whose headers are there."""

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def aiter_bytes(self) -> AsyncIterator[bytes]: ...


class Clients:
    """Clients of one connection each, made when they are needed: one client of many looks through all of them each time.

    None follows a redirect, so that the key goes nowhere else. Calls in plain HTTP to this machine go over connections of
    our own: the emulator answers faster than a general client can ask. Raises ImportError where httpx is missing.
    """

    def __init__(self, target: Target, *, timeout_seconds: float) -> None:
        import httpx

        context = httpx.create_ssl_context(trust_env=not target.loopback)

        def make() -> httpx.AsyncClient:
            return httpx.AsyncClient(
                headers=target.headers(),
                timeout=httpx.Timeout(timeout_seconds),
                limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
                follow_redirects=False,
                trust_env=not target.loopback,
                verify=context,
            )

        self._make = make
        self._url = httpx.URL(target.url)
        self._plain: LoopbackConnections | None = None
        if target.loopback and self._url.scheme == "http":
            self._plain = LoopbackConnections(target.url, target.headers())
        self._free: list[httpx.AsyncClient] = []
        self._all: list[httpx.AsyncClient] = []

    async def __aenter__(self) -> Clients:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._plain is not None:
            self._plain.close()
        await asyncio.gather(*(client.aclose() for client in self._all), return_exceptions=True)

    def post(self, content: bytes) -> AbstractAsyncContextManager[Response]:
        """A call; its answer once the headers are there."""
        return self._through_httpx(content) if self._plain is None else self._plain.post(content)

    @asynccontextmanager
    async def _through_httpx(self, content: bytes) -> AsyncIterator[Response]:
        with self.one() as client:
            async with client.stream("POST", self._url, content=content) as response:
                yield response

    @contextmanager
    def one(self) -> Iterator[httpx.AsyncClient]:
        """A client that nobody uses, for a while."""
        if self._free:
            client = self._free.pop()
        else:
            client = self._make()
            self._all.append(client)
        try:
            yield client
        finally:
            self._free.append(client)


class Caller:
    """Makes calls. `now_us` is the benchmark's clock; `timeout_us` bounds each try; `max_retries` are further tries."""

    def __init__(
        self,
        clients: Clients,
        target: Target,
        prompts: PromptMaker,
        *,
        now_us: Callable[[], int],
        max_retries: int,
        timeout_us: int,
    ) -> None:
        self.clients, self.target, self.prompts = clients, target, prompts
        self.now_us, self.max_retries, self.timeout_us = now_us, max_retries, timeout_us

    async def call(self, planned: Planned, intended_us: int, may_send: Callable[[], bool]) -> Sample:
        """The call, with its tries: `may_send` is asked before each, and counts it."""
        size = planned.size
        prompt = self.prompts.prompt(planned.number, size.input_tokens, size.shared_tokens)
        content = json.dumps(self.target.body(prompt, size.output_tokens)).encode()
        refusals: list[Refusal] = []
        sample = Sample(planned, Outcome.UNFINISHED, intended_us, self.now_us(), self.now_us())
        try:
            while True:
                sample = sample._replace(sent_us=self.now_us())
                found = await self._try(sample, content, refusals)
                if found is not None:
                    return found._replace(refusals=tuple(refusals))
                last = refusals[-1]
                wait = last.retry_after_ms
                if len(refusals) > self.max_retries or not may_send():
                    throttled = sample._replace(outcome=Outcome.THROTTLED, finished_us=last.answered_us)
                    return throttled._replace(refusals=tuple(refusals))
                await asyncio.sleep((1000 if wait is None else wait) / 1000)
        except asyncio.CancelledError:
            # under way, or waiting for its next try: both were not brought to an end
            return sample._replace(finished_us=self.now_us(), refusals=tuple(refusals))

    async def _try(self, sample: Sample, content: bytes, refusals: list[Refusal]) -> Sample | None:
        """One try; None after a 429, which is added to `refusals`."""
        import httpx

        try:
            async with asyncio.timeout(self.timeout_us / 1e6), self.clients.post(content) as response:
                if response.status_code == 429:
                    answered = self.now_us()
                    refusals.append(Refusal(sample.sent_us, answered, retry_after_ms(response.headers)))
                    await _some(response)
                    return None
                if response.status_code != 200:
                    text = self.target.told(error_text(await _some(response)))
                    return self._failed(sample, f"http_{response.status_code}", text)
                spilled = bool(response.headers.get(SPILLED))
                return (await self._answered(sample, response))._replace(spilled=spilled)
        except (TimeoutError, httpx.TimeoutException):
            return self._failed(sample, "timeout", f"no whole answer within {self.timeout_us / 1e6:g} s")
        except Malformed as error:
            return self._failed(sample, "malformed", f"the answer is {error}")
        except (httpx.ConnectError, NoConnection) as error:
            return self._failed(sample, "connect", self.target.told(str(error)))
        except Broken as error:
            return self._failed(sample, "disconnected", self.target.told(str(error)))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            what = self.target.told(f"{type(error).__name__}: {error}")
            return self._failed(sample, "disconnected", what)

    async def _answered(self, sample: Sample, response: Response) -> Sample:
        answer, lines = Answer(self.target.wire), EventLines()
        first = last = None
        size = 0
        body = bytearray()
        async for part in response.aiter_bytes():
            now = self.now_us()
            size += len(part)
            if size > MOST_BYTES_OF_AN_ANSWER:
                raise Malformed(f"over {MOST_BYTES_OF_AN_ANSWER:,} bytes")
            if not self.target.stream:
                body += part
                continue
            for data in lines.data(part):
                if answer.event(data):
                    first = now if first is None else first
                    last = now
        if not self.target.stream:
            answer.whole(bytes(body))
        done = sample._replace(finished_us=self.now_us(), first_token_us=first, last_token_us=last, usage=answer.usage)
        if answer.failure:
            return self._failed(done, "service", self.target.told(answer.failure))
        if not answer.complete:
            return self._failed(done, "cut_off", "the stream ended before its end was marked")
        return done._replace(outcome=Outcome.SERVED)

    def _failed(self, sample: Sample, kind: str, detail: str) -> Sample:
        return sample._replace(outcome=Outcome.FAILED, finished_us=self.now_us(), error=kind, detail=detail)


async def _some(response: Any) -> bytes:
    """The beginning of an error's body."""
    found = b""
    async for part in response.aiter_bytes():
        found += part
        if len(found) >= MOST_BYTES_OF_AN_ERROR:
            break
    return found[:MOST_BYTES_OF_AN_ERROR]
