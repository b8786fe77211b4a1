"""The paths that models answer on: from the bytes of a request to the bytes of an answer, and the waiting in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from time import monotonic
from typing import Any, Literal

from ptucalc.errors import BadInput
from ptucalc.rehearsal import CannotSpill, Decision
from ptucalc.request_tokens import named_model
from ptucalc.rounding import Grid
from ptucalc.serve.bodies import Bodies, BodyRefused, Disconnected, Receive, Scope, Send
from ptucalc.serve.emulator import Emulator, Served, ServedCall
from ptucalc.serve.wire import Answer, chat_body, chat_events, error_body, responses_body, responses_events

__all__ = ["ModelCalls", "send_error", "send_json"]

JSON_TYPE = (b"content-type", b"application/json")
EVENTS_TYPE = (b"content-type", b"text/event-stream; charset=utf-8")

LARGE_BODY = 64 * 1024
"""From so many bytes on a prompt is counted beside the event loop, so that others do not wait for it."""

WORDS_AT_ONCE = 256
MOST_READY = 64 * 1024
"""So many bytes of events that are due are sent together, at most."""

STALLED_SECONDS = 30.0
"""A client that reads no further for so long after an answer is complete is given up."""

_WHOLE = Grid(1, 1)


async def send_json(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    """Sends a JSON answer, whole."""
    start = [JSON_TYPE, (b"content-length", b"%d" % len(body)), *(headers or ())]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})


async def send_error(send: Send, status: int, code: str, message: str, **more: str | None) -> None:
    """Sends an error in Azure's shape."""
    await send_json(send, status, error_body(code, message, **more))


class ModelCalls:
    """An ASGI application that answers calls of one kind. `azure`: on a path that names a deployment or an api-version."""

    def __init__(self, emulator: Emulator, bodies: Bodies, kind: Literal["chat", "responses"], *, azure: bool) -> None:
        self._emulator, self._bodies, self._kind, self._azure = emulator, bodies, kind, azure
        self._large = asyncio.Semaphore(2)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a call."""
        if scope["method"] != "POST":
            await send_error(send, 405, "405", "Method not allowed: expected POST.")
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if not has_key(headers):
            message = "Access denied: expected a key, any one, in the header api-key or as Authorization: Bearer KEY."
            await send_error(send, 401, "401", message)
            return
        try:
            body = await self._bodies.read(receive, headers)
        except BodyRefused as error:
            await send_error(send, error.status, error.code, error.message)
            return
        except Disconnected:
            return
        try:
            parsed = await self._parsed(body, scope)
        except _Wrong as error:
            await send_error(send, error.status, error.code, error.message, kind=error.kind, param=error.param)
            return
        finally:
            self._bodies.release(body)
        request, served, counted, keys = parsed
        streamed = request.get("stream") is True
        spill_to = headers.get(b"x-ms-spillover-deployment")
        try:
            call = self._emulator.decide(
                served,
                counted,
                keys,
                streamed=streamed,
                spill_to=None if spill_to is None else spill_to.decode("latin-1"),
            )
        except CannotSpill as error:
            message = f"x-ms-spillover-deployment: {error}"
            await send_error(send, 400, "BadRequest", message, kind="invalid_request_error")
            return
        if call.decision.admitted is None:
            await self._refuse(send, call)
        else:
            await self._answer(receive, send, call, request)

    async def _parsed(self, body: bytes, scope: Scope) -> tuple[Mapping[str, Any], Served, Any, tuple[bytes, ...]]:
        """The request, its deployment, its tokens and the keys of its beginnings."""
        if len(body) < LARGE_BODY:
            return self._read(body, scope)
        async with self._large:
            return await asyncio.to_thread(self._read, body, scope)

    def _read(self, body: bytes, scope: Scope) -> tuple[Mapping[str, Any], Served, Any, tuple[bytes, ...]]:
        try:
            request = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise _Wrong(400, "BadRequest", f"The body is no JSON: {str(error)[:200]}") from None
        if not isinstance(request, dict):
            raise _Wrong(400, "BadRequest", "The body is no JSON object.")
        name = scope["path_params"].get("deployment") or named_model(request)
        if not name:
            raise _Wrong(400, "BadRequest", "model: expected the name of a deployment, got nothing.", param="model")
        served = self._emulator.find(name)
        if served is None:
            known = ", ".join(place.name for place in self._emulator.rehearsal.places.values())
            message = f"The API deployment for this resource does not exist: {name[:100]}. There are: {known}."
            raise _Wrong(404, "DeploymentNotFound", message)
        wrong_key, right_key = ("input", "messages") if self._kind == "chat" else ("messages", "input")
        if wrong_key in request or request.get(right_key) is None:
            raise _Wrong(400, "BadRequest", f"{right_key}: expected it in the body of this path.", param=right_key)
        if request.get("n") not in (None, 1):
            raise _Wrong(400, "BadRequest", "n: expected 1; the emulator makes one answer.", param="n")
        try:
            counted, keys = served.read(request)
        except BadInput as error:
            first = error.problems[0]
            message = "; ".join(str(problem) for problem in error.problems[:5])
            raise _Wrong(400, "BadRequest", message, param=first.label or first.field) from None
        except RecursionError:
            raise _Wrong(400, "BadRequest", "The body is nested too deeply.") from None
        return request, served, counted, keys

    async def _refuse(self, send: Send, call: ServedCall) -> None:
        decision = call.decision
        headers = self._headers(call)
        if decision.status == 400:
            message = (
                f"This model's maximum context length on provisioned deployments is {decision.prompt_limit} tokens; "
                f"your prompt has {call.tokens.prompt} tokens."
            )
            body = error_body("context_length_exceeded", message, kind="invalid_request_error", param="messages")
        else:
            milliseconds = decision.retry_after_us // 1000
            seconds = _WHOLE.round_up(milliseconds, 1000)
            headers += [(b"retry-after-ms", b"%d" % milliseconds), (b"retry-after", b"%d" % seconds)]
            if decision.place.bucket is not None:
                why = "its provisioned-managed utilization is at 100%"
            else:
                why = "its limit of tokens or of requests per minute is reached"
            message = f"Requests to {decision.place.name} are throttled: {why}. Please retry after {seconds} seconds."
            body = error_body("429", message)
        await send_json(send, decision.status, body, headers)

    def _headers(self, call: ServedCall) -> list[tuple[bytes, bytes]]:
        """What Azure's answers carry beside the body."""
        decision = call.decision
        identity = call.request_id.encode()
        headers = [
            (b"x-request-id", identity),
            (b"apim-request-id", identity),
            (b"x-ms-deployment-name", decision.place.name.encode()),
        ]
        if decision.spilled_from is not None:
            headers += [
                (b"x-ms-spillover-from-deployment", decision.spilled_from.encode()),
                (b"x-ms-spillover-error", b"%d" % decision.spill_cause),
            ]
        return headers + self._state(decision, call.arrival_us)

    def _state(self, decision: Decision, now_us: int) -> list[tuple[bytes, bytes]]:
        """How full the deployment is."""
        bucket, counters = decision.place.bucket, decision.place.counters
        if bucket is not None:
            tenths = 1000 * bucket.level // bucket.capacity
            return [(b"azure-openai-deployment-utilization", b"%d.%d%%" % divmod(tenths, 10))]
        assert counters is not None
        left = counters.left(now_us)
        found = []
        for name, limit, rest, reset in (
            (b"tokens", counters.tpm, left.tokens, left.tokens_reset_us),
            (b"requests", counters.rpm, left.calls, left.calls_reset_us),
        ):
            if limit is not None and rest is not None:
                found += [
                    (b"x-ratelimit-limit-" + name, b"%d" % limit),
                    (b"x-ratelimit-remaining-" + name, b"%d" % rest),
                    (b"x-ratelimit-reset-" + name, b"%ds" % _WHOLE.round_up(reset, 1_000_000)),
                ]
        return found

    async def _answer(self, receive: Receive, send: Send, call: ServedCall, request: Mapping[str, Any]) -> None:
        plan, served = call.plan, call.served
        chat = self._kind == "chat"
        options = request.get("stream_options")
        answer = Answer(
            id=("chatcmpl-" if chat else "resp_") + call.request_id,
            created=call.arrival_us // 1_000_000,
            model=served.place.deployment.model.name,
            call=call.tokens,
            plan=plan,
            words=served.vocabulary.words(plan.number, plan.shown),
            azure=self._azure,
            include_usage=isinstance(options, Mapping) and options.get("include_usage") is True,
            shows_writes=served.shows_writes,
        )
        client = _Client(receive, send, plan.duration_us)
        try:
            if call.streamed:
                async with asyncio.timeout(plan.duration_us / 1e6 + STALLED_SECONDS):
                    output = await self._stream(client, call, answer)
            else:
                there = await client.wait_until(plan.duration_us)
                output = None if there else client.tokens_by_now(plan.output)
        except TimeoutError:  # the answer was made, whoever does not read it
            output = None
        except BaseException:
            self._emulator.end(call, output=client.tokens_by_now(plan.output))
            raise
        finally:
            client.close()
        self._emulator.end(call, output=output)
        if not call.streamed and output is None:
            await send_json(send, 200, chat_body(answer) if chat else responses_body(answer), self._headers(call))

    async def _stream(self, client: _Client, call: ServedCall, answer: Answer) -> int | None:
        """Sends the events when they are due; None when all are sent, else how many tokens there were."""
        plan, words, send = call.plan, answer.words, client.send
        events = chat_events(answer) if self._kind == "chat" else responses_events(answer)
        headers = [EVENTS_TYPE, (b"cache-control", b"no-cache"), *self._headers(call)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        count, done, ready = len(words), 0, events.before
        spread_us = plan.duration_us - plan.first_us
        while done < count:
            due_us = plan.first_us + (spread_us * done // (count - 1) if count > 1 else 0)
            if ready and client.passed_us() < due_us:
                await send({"type": "http.response.body", "body": ready, "more_body": True})
                ready = b""
            if not await client.wait_until(due_us):
                return plan.reasoning + done
            passed = client.passed_us() - plan.first_us
            upto = count if spread_us <= 0 else min(count, passed * (count - 1) // spread_us + 1)
            upto = max(done + 1, min(upto, done + WORDS_AT_ONCE))
            ready += b"".join([events.word(place, words[place]) for place in range(done, upto)])
            done = upto
            if len(ready) > MOST_READY:
                await send({"type": "http.response.body", "body": ready, "more_body": True})
                ready = b""
        if client.passed_us() < plan.duration_us:
            await send({"type": "http.response.body", "body": ready, "more_body": True})
            ready = b""
            if not await client.wait_until(plan.duration_us):
                return plan.output
        await send({"type": "http.response.body", "body": ready + events.after()})
        return None


class _Client:
    """A client that waits for an answer: whether it is still there."""

    def __init__(self, receive: Receive, send: Send, duration_us: int) -> None:
        self.send = send
        self._began = monotonic()
        self._duration_us = duration_us
        self._receive = receive
        self._gone: asyncio.Future[Any] | None = None

    def passed_us(self) -> int:
        """Microseconds since the call was let in."""
        return int((monotonic() - self._began) * 1e6)

    def tokens_by_now(self, output: int) -> int:
        """How many tokens of an answer have been made so far."""
        return min(output, output * self.passed_us() // max(1, self._duration_us))

    async def wait_until(self, due_us: int) -> bool:
        """Waits until so long after the beginning; False where the client has left meanwhile."""
        left = due_us - self.passed_us()
        if left <= 0:
            return self._gone is None or not self._gone.done()
        if self._gone is None:
            self._gone = asyncio.ensure_future(self._receive())
        await asyncio.wait((self._gone,), timeout=left / 1e6)
        return not self._gone.done()

    def close(self) -> None:
        """Stops watching."""
        if self._gone is not None and not self._gone.done():
            self._gone.cancel()


class _Wrong(Exception):
    """A request that cannot be answered: status, code and message of the error."""

    def __init__(self, status: int, code: str, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param
        self.kind = "invalid_request_error" if status == 400 else None


def has_key(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request has a key, whichever: an api-key, or Authorization: Bearer."""
    if headers.get(b"api-key", b"").strip():
        return True
    scheme, _, token = headers.get(b"authorization", b"").strip().partition(b" ")
    return scheme.lower() == b"bearer" and bool(token.strip())
