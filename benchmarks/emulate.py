"""`ptucalc emulate` beside a bare Starlette handler: admissions a second on one core, and the latency that it adds.

    python benchmarks/emulate.py [--calls 6000] [--connections 32] [--rounds 5] [--bench-seconds 5]

Both run under the same uvicorn (h11), each in a process of its own, with the same client. The bare handler reads the
request as JSON and answers a chat completion of fixed content as JSON. The emulator counts the prompt, admits the call,
plans and makes an answer of 20 tokens in no time, counts it for the metrics, and (the last row) writes it to a log.
Calls a second are those of a second of the server's CPU; latency is that of one call at a time. A ratio below 0.5 makes
the exit code 1.

The second table says whether `ptucalc bench` can saturate the emulator: one of them on each core, as many callers as
connections, calls a second of the clock, beside those of this script's own client, which only counts bytes; and how much
of its core the server used meanwhile. Bench sends prompts that differ (as long), and reads every answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))

GOAL = 0.5
MODEL = "gpt-4.1"
WORDS = "How many PTU does this prompt need when a gateway sends it along with ten others of the same kind? "
KINDS = {
    "bare Starlette": "bare",
    "emulator": "emulator",
    "emulator, refusing": "refusing",
    "emulator, streaming": "streaming",
    "emulator, with a log": "log",
}


def serve(kind: str) -> None:
    """Serve one of them; the port goes to standard output."""
    from ptucalc.serve.running import bound_socket, serve

    app = bare() if kind == "bare" else emulator(kind)
    listening = bound_socket(0)
    print(listening.getsockname()[1], flush=True)
    serve(timed(app), listening)


def timed(app: Any) -> Any:
    """The application, which also tells its CPU time."""

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/cpu":
            body = str(time.process_time()).encode()
            headers = [(b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        await app(scope, receive, send)

    return answering


def bare() -> Any:
    """A handler that reads JSON and answers fixed JSON."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    answer = {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": " word" * 20}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }

    async def handler(request: Request) -> JSONResponse:
        await request.json()
        return JSONResponse(answer)

    return Starlette(routes=[Route("/openai/v1/chat/completions", handler, methods=["POST"])])


def emulator(kind: str) -> Any:
    """A deployment that takes everything, or (refusing) next to nothing."""
    from fractions import Fraction

    from ptucalc import load_catalog
    from ptucalc.made_up_answers import AnswerShape
    from ptucalc.read.prompt_counting import PromptCounting
    from ptucalc.rehearsal import Deployment
    from ptucalc.routing import Provisioned
    from ptucalc.serve.app import application
    from ptucalc.serve.call_log import CallLog
    from ptucalc.serve.emulator import Emulator

    catalog = load_catalog()
    model, _ = catalog.find(MODEL)
    counting = PromptCounting(catalog, model=MODEL).counting_for(model)
    refusing = kind == "refusing"
    backend = Provisioned(
        name="chat", model=model, ptu=1 if refusing else 1_000_000, window_us=1000 if refusing else 60_000_000
    )
    log = CallLog(open(os.devnull, "wb", buffering=0), json_lines=False) if kind == "log" else None  # noqa: SIM115
    shape = AnswerShape(shortest=20, longest=20, scale=Fraction(0))
    return application(Emulator([Deployment(backend=backend, model=model)], {MODEL: counting}, shape=shape, log=log))


class Connection(asyncio.Protocol):
    """Sends one request after the other, so many in all."""

    def __init__(self, request: bytes, calls: int) -> None:
        self.request, self.left = request, calls
        self.times: list[float] = []
        self.done = asyncio.get_running_loop().create_future()
        self.buffer = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.next()

    def next(self) -> None:
        self.began = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, blank, body = self.buffer.partition(b"\r\n\r\n")
        if not blank:
            return
        _, length, rest = head.partition(b"content-length: ")
        if length:
            if len(body) < int(rest.partition(b"\r\n")[0]):
                return
        elif not body.endswith(b"0\r\n\r\n"):
            return
        self.times.append(time.perf_counter() - self.began)
        self.buffer = b""
        self.left -= 1
        if self.left:
            self.next()
        else:
            self.transport.close()
            self.done.set_result(body)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("closed"))


async def calls(port: int, request: bytes, count: int, connections: int) -> tuple[list[float], bytes]:
    """Make the calls; how long each took, and the last answer."""
    loop = asyncio.get_running_loop()
    each = [
        await loop.create_connection(lambda: Connection(request, count // connections), "127.0.0.1", port)
        for _ in range(connections)
    ]
    bodies = await asyncio.gather(*(protocol.done for _, protocol in each))
    return [seconds for _, protocol in each for seconds in protocol.times], bodies[-1]


def cpu(port: int) -> float:
    """The CPU seconds of the server so far."""
    _, body = asyncio.run(calls(port, b"GET /cpu HTTP/1.1\r\nhost: localhost\r\n\r\n", 1, 1))
    return float(body)


def request_of(words: int, *, stream: bool) -> bytes:
    """A chat call with a prompt of so many words."""
    text = (WORDS * (words // 20 + 1))[: 5 * words]
    body = {"model": "chat", "messages": [{"role": "user", "content": text}], "max_tokens": 100}
    if stream:
        body["stream"] = True
    packed = json.dumps(body).encode()
    head = (
        "POST /openai/v1/chat/completions HTTP/1.1\r\nhost: localhost\r\napi-key: x\r\n"
        f"content-type: application/json\r\ncontent-length: {len(packed)}\r\n\r\n"
    )
    return head.encode() + packed


def played(port: int, seconds: int, connections: int, *, stream: bool) -> tuple[float, float]:
    """`ptucalc bench` against the emulator: calls served a second, and the share of a core that the server used."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "bench.json"
        command = [sys.executable, "-m", "ptucalc", "bench", "--endpoint", f"http://127.0.0.1:{port}", "-m", MODEL]
        command += ["--deployment", "chat", "--wire", "v1", "--concurrency", str(connections), "--quiet"]
        command += ["--duration", f"{seconds + 1}s", "--warm-up", "1s", "--max-requests", "1000000"]
        command += ["--input-tokens", "110", "--output-tokens", "100", "-o", "json", "--out-file", str(found)]
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "AZURE_OPENAI_API_KEY": "x"}
        running = subprocess.Popen(
            command if stream else [*command, "--no-stream"], env=environment, stderr=subprocess.DEVNULL
        )
        used = []
        while running.poll() is None:
            before, at = cpu(port), time.perf_counter()
            time.sleep(0.5)
            used.append((cpu(port) - before) / (time.perf_counter() - at))
        if running.returncode:
            raise SystemExit(f"bench ended with {running.returncode}")
        measured = json.loads(found.read_text())["measured"]
    used.sort()
    return measured["served"] / measured["seconds"], used[len(used) * 3 // 4]  # it also starts and ends


def saturation(servers: dict[str, Any], chosen: argparse.Namespace) -> None:
    """Print what bench reaches beside what this script's client does."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    apart = len(cores) > 1
    print(f"\nserver and client {'on a core each' if apart else 'share the core'}, {chosen.connections} callers\n")
    print(f"{'':<24}{'own client':>12}{'bench':>9}{'ratio':>8}{'lowest':>9}{'highest':>9}{'server busy':>13}")
    for name in ("emulator", "emulator, streaming"):
        server, port = servers[name]
        if apart:
            os.sched_setaffinity(server.pid, {cores[0]})
            os.sched_setaffinity(0, {cores[1]})
        stream = KINDS[name] == "streaming"
        request = request_of(chosen.prompt_words, stream=stream)
        rows = []
        for _ in range(max(1, chosen.rounds // 2 + 1)):
            began = time.perf_counter()
            times, _ = asyncio.run(calls(port, request, chosen.calls, chosen.connections))
            own = len(times) / (time.perf_counter() - began)
            rate, busy = played(port, chosen.bench_seconds, chosen.connections, stream=stream)
            rows.append((own, rate, rate / own, busy))
        own, rate, ratio, busy = (statistics.median(column) for column in zip(*rows, strict=True))
        ratios = [row[2] for row in rows]
        print(f"{name:<24}{own:>12,.0f}{rate:>9,.0f}{ratio:>7.2f}x", end="")
        print(f"{min(ratios):>8.2f}x{max(ratios):>8.2f}x{busy:>13.0%}")
    if apart:
        os.sched_setaffinity(0, set(cores))


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=6000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompt-words", type=int, default=100)
    parser.add_argument("--bench-seconds", type=int, default=5, help="0: without the second table")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve(chosen.serve)
        return
    servers = {}
    rates: dict[str, list[float]] = {name: [] for name in KINDS}
    latencies: dict[str, list[float]] = {name: [] for name in KINDS}
    try:
        for name, kind in KINDS.items():
            command = [sys.executable, __file__, "--serve", kind]
            server = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tempfile.gettempdir())
            assert server.stdout is not None
            servers[name] = (server, int(server.stdout.readline()))
        for number in range(chosen.rounds + 1):
            for name, (_, port) in servers.items():
                request = request_of(chosen.prompt_words, stream=KINDS[name] == "streaming")
                count = chosen.calls if number else chosen.calls // 5
                before = cpu(port)
                asyncio.run(calls(port, request, count, chosen.connections))
                taken = cpu(port) - before
                times, _ = asyncio.run(calls(port, request, max(1, count // 10), 1))
                if number:  # the first round warms up
                    rates[name].append(count // chosen.connections * chosen.connections / taken)
                    latencies[name].append(statistics.median(times))
        print(f"{chosen.calls:,} calls over {chosen.connections} connections, {chosen.rounds} rounds, Python ", end="")
        print(sys.version.split()[0] + "\n")
        print(f"{'':<24}{'calls/CPU s':>12}{'of bare':>9}{'lowest':>9}{'highest':>9}{'latency':>11}{'added':>10}")
        good = True
        base, plain = rates["bare Starlette"], statistics.median(latencies["bare Starlette"])
        for name, found in rates.items():
            ratios = [one / other for one, other in zip(found, base, strict=True)]
            middle, latency = statistics.median(ratios), statistics.median(latencies[name])
            good &= middle >= GOAL or "streaming" in name
            print(
                f"{name:<24}{statistics.median(found):>12,.0f}{middle:>8.2f}x{min(ratios):>8.2f}x{max(ratios):>8.2f}x"
                f"{latency * 1e6:>8,.0f} us{(latency - plain) * 1e6:>+7,.0f} us"
            )
        if chosen.bench_seconds:
            saturation(servers, chosen)
    finally:
        for server, _ in servers.values():
            server.terminate()
            server.wait()
    if not good:
        raise SystemExit(f"the emulator makes fewer than {GOAL} x the calls of a bare handler")


if __name__ == "__main__":
    main()
