"""The paths that models answer on: from the bytes of a request to the bytes of an answer, and the waiting in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from ptucalc.errors import BadInput, PtucalcError
from ptucalc.gateway import Pause
from ptucalc.rehearsal import CannotSpill
from ptucalc.request_tokens import named_model
from ptucalc.serve.bodies import Bodies, BodyRefused, Disconnected, Receive, Scope, Send
from ptucalc.serve.emulator import Emulator
from ptucalc.serve.front import Front, Prompts
from ptucalc.serve.refusals import headers_of, refusal_at_gateway, refusal_of
from ptucalc.serve.served import Prompt, Served, ServedCall
from ptucalc.serve.waiting import Client
from ptucalc.serve.wire import Answer, chat_body, chat_events, error_body
from ptucalc.serve.wire_responses import responses_body, responses_events

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

_Parsed: TypeAlias = "tuple[Mapping[str, Any], Served | Front, Prompt | Prompts]"


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
        client = Client(receive, send)
        try:
            await self._decided(client, headers, parsed)
        finally:
            client.close()

    async def _decided(self, client: Client, headers: Mapping[bytes, bytes], parsed: _Parsed) -> None:
        request, asked, prompt = parsed
        streamed = request.get("stream") is True
        spill_to = headers.get(b"x-ms-spillover-deployment")
        try:
            if isinstance(prompt, Prompts):
                assert isinstance(asked, Front)
                if spill_to is not None:
                    raise CannotSpill(f"{spill_to.decode('latin-1')}: expected nothing: the route says where calls go")
                call = await self._through(client, asked, prompt, streamed)
                if call is None:
                    return
            else:
                assert isinstance(asked, Served)
                spills = None if spill_to is None else spill_to.decode("latin-1")
                call = self._emulator.decide(asked, prompt, streamed=streamed, spill_to=spills)
        except CannotSpill as error:
            message = f"x-ms-spillover-deployment: {error}"
            await send_error(client.send, 400, "BadRequest", message, kind="invalid_request_error")
            return
        if call.decision.admitted is None:
            status, body, more = refusal_of(call)
            await send_json(client.send, status, body, more)
        else:
            await self._answer(client, call, request)

    async def _parsed(self, body: bytes, scope: Scope) -> _Parsed:
        """The request, whom it is for, and its tokens."""
        if len(body) < LARGE_BODY:
            return self._read(body, scope)
        async with self._large:
            return await asyncio.to_thread(self._read, body, scope)

    def _read(self, body: bytes, scope: Scope) -> _Parsed:
        try:
            request = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise _Wrong(400, "BadRequest", f"The body is no JSON: {str(error)[:200]}") from None
        if not isinstance(request, dict):
            raise _Wrong(400, "BadRequest", "The body is no JSON object.")
        name = scope["path_params"].get("deployment") or named_model(request)
        if not name:
            raise _Wrong(400, "BadRequest", "model: expected the name of a deployment, got nothing.", param="model")
        asked = self._emulator.find(name)
        if asked is None:
            known = ", ".join(each for each, _ in self._emulator.names)
            message = f"The API deployment for this resource does not exist: {name[:100]}. There are: {known}."
            raise _Wrong(404, "DeploymentNotFound", message)
        wrong_key, right_key = ("input", "messages") if self._kind == "chat" else ("messages", "input")
        if wrong_key in request or request.get(right_key) is None:
            raise _Wrong(400, "BadRequest", f"{right_key}: expected it in the body of this path.", param=right_key)
        if request.get("n") is not None and (type(request["n"]) is not int or request["n"] != 1):
            raise _Wrong(400, "BadRequest", "n: expected 1; the emulator makes one answer.", param="n")
        if not isinstance(request.get("stream"), bool | None):
            raise _Wrong(400, "BadRequest", "stream: expected true or false.", param="stream")
        try:
            prompt = asked.read(request)
        except BadInput as error:
            first = error.problems[0]
            message = "; ".join(str(problem) for problem in error.problems[:5])
            raise _Wrong(400, "BadRequest", message, param=first.label or first.field) from None
        except PtucalcError as error:  # a text that the tokenizer gives up on
            raise _Wrong(400, "BadRequest", f"The prompt cannot be counted: {error}.") from None
        except RecursionError:
            raise _Wrong(400, "BadRequest", "The body is nested too deeply.") from None
        return request, asked, prompt

    async def _through(self, client: Client, front: Front, prompts: Prompts, streamed: bool) -> ServedCall | None:
        """A call through the gateway, with the waits of its policy; None where it has its answer, or its client has left."""
        emulator = self._emulator
        arrival = emulator.arrive(front, prompts, streamed=streamed)
        while isinstance(step := emulator.go_on(arrival), Pause):
            there = False
            try:
                there = await client.wait_for_clock(emulator.clock, step.until_us)
            finally:
                if not there:
                    emulator.leave(arrival)
            if not there:
                return None
        if isinstance(step, ServedCall):
            return step
        status, body, headers = refusal_at_gateway(step, emulator.clock())
        await send_json(client.send, status, body, headers)
        return None

    async def _answer(self, client: Client, call: ServedCall, request: Mapping[str, Any]) -> None:
        plan, served, formed = call.plan, call.served, call.plan.formed
        chat = self._kind == "chat"
        options = request.get("stream_options")
        answer = Answer(
            id=("chatcmpl-" if chat else "resp_") + call.request_id,
            created=call.arrival_us // 1_000_000,
            model=served.place.deployment.model.name,
            call=call.tokens,
            plan=plan,
            words=served.vocabulary.words(plan.number, plan.shown) if formed is None else formed.pieces(),
            azure=self._azure,
            include_usage=isinstance(options, Mapping) and options.get("include_usage") is True,
            shows_writes=served.shows_writes,
        )
        client.begin(plan.duration_us)
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
        client.close()
        self._emulator.end(call, output=output)
        if not call.streamed and output is None:
            await send_json(client.send, 200, chat_body(answer) if chat else responses_body(answer), headers_of(call))

    async def _stream(self, client: Client, call: ServedCall, answer: Answer) -> int | None:
        """Sends the events when they are due; None when all are sent, else how many tokens there were."""
        plan, words, send = call.plan, answer.words, client.send
        events = chat_events(answer) if self._kind == "chat" else responses_events(answer)
        headers = [EVENTS_TYPE, (b"cache-control", b"no-cache"), *headers_of(call)]
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
