"""The paths of the emulator, and who may come in: a Starlette application."""

from __future__ import annotations

import json
from asyncio import CancelledError
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from ptucalc.metric_documents import GATEWAY_NAMESPACE, NAMESPACE, gateway_document, monitor_document
from ptucalc.serve.bodies import Bodies, Message, Receive, Scope, Send
from ptucalc.serve.emulator import Emulator
from ptucalc.serve.model_calls import ModelCalls, has_key, send_error, send_json
from ptucalc.serve.running import MOST_HEADER_BYTES
from ptucalc.serve.wire import model_list

if TYPE_CHECKING:
    from starlette.applications import Starlette

__all__ = ["Guard", "application"]

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
"""Names of this machine that a request may be for: any other came through somebody's DNS."""


class Guard:
    """Lets requests through that are for this machine by name: no page of a browser reaches it under another."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Any]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 403 to a request for another host, whatever its path, and 431 to one with too large headers."""
        if scope["type"] == "http":
            headers, target = scope["headers"], scope["raw_path"]
            size = sum([len(name) + len(value) for name, value in headers]) + len(target) + len(scope["query_string"])
            if size > MOST_HEADER_BYTES:
                message = f"The headers are larger than the limit of {MOST_HEADER_BYTES:,} bytes."
                await send_error(send, 431, "RequestHeaderFieldsTooLarge", message)
                return
            hosts = [value for name, value in headers if name == b"host"]
            absolute = target[:7].lower() == b"http://"
            ours = len(hosts) == 1 and is_loopback(hosts[0].decode("latin-1"))
            if not ours or (absolute and not _without_host(scope, target[7:])):
                message = f"Host: expected {', '.join(LOOPBACK[:-1])} or {LOOPBACK[-1]}, with or without a port."
                await send_error(send, 403, "403", message)
                return
        await self._app(scope, receive, send)


def _without_host(scope: Scope, target: bytes) -> bool:
    """Takes the host away from a target such as localhost:8089/v1/models, as proxies send it; whether it is this machine."""
    host, slash, path = target.partition(b"/")
    scope["raw_path"] = slash + path or b"/"
    scope["path"] = unquote(scope["raw_path"].decode("latin-1"))
    return is_loopback(host.decode("latin-1"))


def is_loopback(host: str) -> bool:
    """Whether a Host header names this machine.

    >>> [is_loopback(host) for host in ("localhost:8089", "127.0.0.1", "[::1]:1", "example.com", "127.0.0.1.nip.io", "")]
    [True, True, True, False, False, False]
    """
    name, _, port = host.partition("]") if host.startswith("[") else host.partition(":")
    if host.startswith("["):
        name, port = f"{name}]", port.removeprefix(":")
    return name.casefold() in LOOPBACK and (not port or (port.isascii() and port.isdecimal()))


def application(emulator: Emulator, *, bodies: Bodies | None = None) -> Guard:
    """The emulator as an ASGI application."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    read = bodies or Bodies()

    def calls(kind: Any, *, azure: bool) -> ModelCalls:
        return ModelCalls(emulator, read, kind, azure=azure)

    async def metrics(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await send_error(send, 405, "405", "Method not allowed: expected GET.")
            return
        wanted = parse_qs(scope["query_string"].decode("latin-1")).get("metricnamespace", [NAMESPACE])[-1]
        front, span = emulator.front, {"from_us": emulator.started_us, "now_us": emulator.clock()}
        if wanted.casefold() == NAMESPACE.casefold():
            document = monitor_document(emulator.rehearsal, **span)
        elif wanted.casefold() == GATEWAY_NAMESPACE.casefold() and front is not None:
            document = gateway_document(front.gateway, **span)
        else:
            known = NAMESPACE if front is None else f"{NAMESPACE} or {GATEWAY_NAMESPACE}"
            await send_error(send, 400, "BadRequest", f"metricnamespace: expected {known}.")
            return
        await send_json(send, 200, json.dumps(document).encode())

    async def models(scope: Scope, receive: Receive, send: Send) -> None:
        if not has_key(dict(scope["headers"])):
            await send_error(send, 401, "401", "Access denied: expected a key, any one.")
            return
        await send_json(send, 200, model_list(emulator.names, emulator.started_us // 1_000_000))

    async def unknown(scope: Scope, receive: Receive, send: Send) -> None:
        message = (
            f"Resource not found: {scope['path'][:200]}. There are chat/completions and responses under "
            "/openai/deployments/NAME/, /openai/v1/ and /v1/, models, and /metrics.json."
        )
        await send_error(send, 404, "404", message)

    def route(path: str, endpoint: Any) -> Route:
        return Route(path, _Asgi(endpoint))

    app: Starlette = Starlette(
        routes=[
            route("/openai/deployments/{deployment}/chat/completions", calls("chat", azure=True)),
            route("/openai/v1/chat/completions", calls("chat", azure=False)),
            route("/openai/v1/responses", calls("responses", azure=False)),
            route("/openai/responses", calls("responses", azure=True)),
            route("/openai/deployments/{deployment}/responses", calls("responses", azure=True)),
            route("/v1/chat/completions", calls("chat", azure=False)),
            route("/v1/responses", calls("responses", azure=False)),
            route("/metrics.json", metrics),
            route("/openai/v1/models", models),
            route("/openai/models", models),
            route("/v1/models", models),
            route("/{path:path}", unknown),
        ],
        lifespan=_lifespan(emulator),
    )
    app.router.default = unknown
    return Guard(app)


class _Asgi:
    """An ASGI application that Starlette does not take for a function of a request.

    What nobody foresaw is an error in Azure's shape too; its traceback goes on to the server, which tells it.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Any]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except CancelledError:  # Ctrl-C while it waited
            if not begun:
                await send_error(send, 503, "ServiceUnavailable", "The emulator has been stopped.")
            raise
        except Exception:
            if not begun:
                message = "The emulator failed at this request; what went wrong is on its standard error."
                await send_error(send, 500, "InternalServerError", message)
            raise


def _lifespan(emulator: Emulator) -> Callable[[Any], Any]:
    """What runs beside the requests: the log is handed to the system each second."""

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        import asyncio

        async def flush() -> None:
            while emulator.log is not None:
                await asyncio.sleep(1)
                emulator.log.flush()

        task = asyncio.ensure_future(flush())
        try:
            yield
        finally:
            task.cancel()
            if emulator.log is not None:
                emulator.log.flush()

    return lifespan
