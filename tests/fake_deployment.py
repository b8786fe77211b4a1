"""A small deployment to measure: server-sent events over plain sockets, with a bucket and latencies that are known."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Fake:
    """What it does, and what it was sent. `drain` is weighted tokens per second; 0: no limit.

    `one_at_a_time_s` is how long each call keeps all others waiting; `written` what answers tell of the prompt cache.
    """

    first_token_s: float = 0.02
    between_s: float = 0.001
    output_tokens: int | None = None
    drain: float = 0.0
    window_s: float = 1.0
    input_weight: float = 1.0
    output_weight: float = 4.0
    cached: int = 0
    written: int | None = None
    one_at_a_time_s: float = 0.0
    status: int = 200
    error: str = "an error"
    retry_after: dict[str, str] = field(default_factory=lambda: {"retry-after-ms": "40", "retry-after": "1"})
    headers: dict[str, str] = field(default_factory=dict)
    cut_off: bool = False
    garbage: bool = False
    usage: bool = True
    refuse_first: int = 0
    echo_key: bool = False
    requests: list[dict] = field(default_factory=list)
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    metrics: dict | None = None
    url: str = ""
    _level: float = 0.0
    _at: float = field(default_factory=time.monotonic)
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admits(self, estimate: float) -> bool:
        with self._lock:
            if self.refuse_first > 0:
                self.refuse_first -= 1
                return False
            if not self.drain:
                return True
            now = time.monotonic()
            self._level = max(0.0, self._level - self.drain * (now - self._at))
            self._at = now
            if self._level >= self.drain * self.window_s:
                return False
            self._level += estimate
            return True

    def correct(self, by: float) -> None:
        with self._lock:
            self._level = max(0.0, self._level + by)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 512


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.connection.setsockopt(6, 1, 1)  # no delay: small parts leave at once
        try:
            while self._one():
                pass
        except (ConnectionError, ValueError):
            return

    def _one(self) -> bool:
        fake: Fake = self.server.fake  # type: ignore[attr-defined]
        line = self.rfile.readline().decode("latin-1").split()
        if len(line) < 3:
            return False
        headers = {}
        while text := self.rfile.readline().decode("latin-1").strip():
            name, _, value = text.partition(":")
            headers[name.casefold()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0)))
        fake.seen.append((line[1], headers))
        if line[0] == "GET":
            if fake.metrics is None:
                return self._answer(404, {"error": "no"})
            return self._answer(200, fake.metrics)
        asked = json.loads(body)
        fake.requests.append(asked)
        if fake.status != 200:
            text = fake.error
            if fake.echo_key:
                text += f" {headers.get('api-key', '')} {headers.get('authorization', '')}"
            return self._answer(fake.status, {"error": {"code": "bad", "message": text}}, fake.headers)
        limit = asked.get("max_completion_tokens") or asked.get("max_tokens") or asked.get("max_output_tokens")
        text = asked["messages"][0]["content"] if "messages" in asked else asked["input"][0]["content"]
        prompt = len(text.split()) + 7 + 3 * ("Never stop," in text)  # the instruction: two commas and a full stop more
        written = min(limit, fake.output_tokens or limit)
        estimate = (prompt - fake.cached) * fake.input_weight + limit * fake.output_weight
        if not fake.admits(estimate):
            return self._answer(429, {"error": {"code": "429", "message": "full"}}, fake.retry_after)
        responses = "/responses" in line[1]
        if responses:
            usage = {"input_tokens": prompt, "input_tokens_details": {"cached_tokens": fake.cached}}
            usage["output_tokens"] = written
        else:
            usage = {"prompt_tokens": prompt, "prompt_tokens_details": {"cached_tokens": fake.cached}}
            usage["completion_tokens"] = written
        details = usage["input_tokens_details" if responses else "prompt_tokens_details"]
        details |= {} if fake.written is None else {"cache_write_tokens": fake.written}
        if fake.one_at_a_time_s:
            with fake._turn:
                time.sleep(fake.one_at_a_time_s)
        time.sleep(fake.first_token_s)
        if asked.get("stream"):
            self._stream(fake, responses, written, usage)
        else:
            time.sleep(fake.between_s * max(0, written - 1))
            self._answer(200, {"usage": usage} if fake.usage else {}, fake.headers)
        fake.correct(-(limit - written) * fake.output_weight)
        return not fake.cut_off

    def _answer(self, status: int, document: dict, more: dict[str, str] | None = None) -> bool:
        body = json.dumps(document).encode()
        head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\ncontent-type: application/json\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in (more or {}).items())
        self.wfile.write(head.encode() + b"\r\n" + body)
        return True

    def _stream(self, fake: Fake, responses: bool, written: int, usage: dict) -> None:
        head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: text/event-stream\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fake.headers.items())
        self.wfile.write(head.encode() + b"\r\n")
        begun = time.monotonic()
        parts = min(written, 5)  # several tokens a part, as services do
        for part in range(parts):
            wait = begun + fake.between_s * (written - 1) * part / max(1, parts - 1) - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            if fake.garbage:
                self._part(b"data: {nonsense\n\n")
            elif responses:
                self._event({"type": "response.output_text.delta", "delta": "x"})
            else:
                self._event({"choices": [{"delta": {"content": "x"}}]})
        if not fake.cut_off:
            if responses:
                self._event({"type": "response.completed", "response": {"usage": usage} if fake.usage else {}})
            else:
                self._event({"choices": [], "usage": usage if fake.usage else None})
                self._part(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, event: dict) -> None:
        self._part(b"data: " + json.dumps(event).encode() + b"\n\n")

    def _part(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


@contextmanager
def deployment(**settings: object) -> Iterator[Fake]:
    """A deployment on this machine while it is used; its address is `url`."""
    fake = Fake(**settings)  # type: ignore[arg-type]
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.fake = fake  # type: ignore[attr-defined]
        fake.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
