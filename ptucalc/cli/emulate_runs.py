"""What `ptucalc emulate` does: deployments from flags or a file, how their prompts are counted, then the server."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from fractions import Fraction
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from ptucalc import exact
from ptucalc.catalog import Catalog, DeploymentType, Model, Unknown
from ptucalc.cli.emulate_flags import EmulateFlags, whole
from ptucalc.cli.emulate_sources import Source, deployments_of
from ptucalc.cli.flag_reader import FlagReader
from ptucalc.errors import BadInput, Problem, PtucalcError
from ptucalc.image_size import ImageSize
from ptucalc.made_up_answers import AnswerShape, parse_lengths
from ptucalc.read.catalog import load_catalog
from ptucalc.read.prompt_counting import PromptCounting
from ptucalc.routing import Provisioned

if TYPE_CHECKING:
    from ptucalc.rehearsal import Deployment
    from ptucalc.routing import Backend
    from ptucalc.serve.call_log import CallLog
    from ptucalc.serve.emulator import Emulator
    from ptucalc.token_parts import Counting

__all__ = ["run_emulator"]

INTERRUPTED = 130
MINUTE_US = 60_000_000
MOST_PORT = 65_535
ENDINGS = {".csv": False, ".jsonl": True}


class _Wanted(NamedTuple):
    """What the flags say, checked."""

    source: Source
    shape: AnswerShape
    assumed_max_tokens: int | None
    cache_us: int
    port: int


def run_emulator(flags: EmulateFlags) -> int:
    """Serves until Ctrl-C. Raises BadInput with all that is wrong, before anything is opened."""
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        raise PtucalcError(
            f"emulate needs {' and '.join(missing)}: expected an installation with them; pip install 'ptucalc[emulate]'"
        )
    from ptucalc.serve.app import application
    from ptucalc.serve.emulator import Emulator
    from ptucalc.serve.live import watch
    from ptucalc.serve.running import bound_socket, serve

    catalog = load_catalog(*flags.catalogs)
    wanted, countings = _wanted(flags, catalog)
    listening = bound_socket(wanted.port)
    log = None
    try:
        log = None if flags.log is None else _opened(flags.log)
        emulator = Emulator(
            wanted.source.deployments,
            countings,
            shape=wanted.shape,
            assumed_max_tokens=wanted.assumed_max_tokens,
            cache_us=wanted.cache_us,
            log=log,
            door=wanted.source.door,
            aliases=wanted.source.aliases,
        )
        if not flags.quiet:
            width = shutil.get_terminal_size().columns if sys.stderr.isatty() else sys.maxsize
            for line in _remarks(wanted, countings, emulator, listening.getsockname()[1]):
                print(textwrap.fill(line, width, subsequent_indent="    ", break_on_hyphens=False), file=sys.stderr)
            sys.stderr.flush()
        interrupted = serve(
            application(emulator), listening, beside=None if flags.quiet else lambda: watch(emulator, sys.stdout)
        )
    finally:
        listening.close()
        if log is not None:
            log.close()
    if log is not None and not flags.quiet:
        of_all = f" of {log.calls:,}" if log.rows < log.calls else ""
        print(f"{log.rows:,}{of_all} calls are in {flags.log}: ptucalc simulate {flags.log}", file=sys.stderr)
    return INTERRUPTED if interrupted else 0


def _wanted(flags: EmulateFlags, catalog: Catalog) -> tuple[_Wanted, dict[str, Counting]]:
    """What is to be served. Raises BadInput with all that is wrong."""
    reader = FlagReader()
    lengths = reader.optional("output_tokens", flags.output_tokens, parse_lengths)
    shape = AnswerShape(
        shortest=None if lengths is None else lengths[0],
        longest=None if lengths is None else lengths[1],
        first_token_us=1000 * reader.read("first_ms", flags.first_ms, whole(600_000), 0),
        scale=reader.read("latency_scale", flags.latency_scale, exact.amount, Fraction(1)),
        seed=reader.read("seed", flags.seed, whole(2**63), 0),
        reasoning=reader.read("reasoning", flags.reasoning, exact.share, Fraction(0)),
        spread=reader.read("spread", flags.latency_spread, exact.share, Fraction(0)),
    )
    cache = reader.read("cache_minutes", flags.cache_minutes, whole(24 * 60), 10)
    port = reader.read("port", flags.port, whole(MOST_PORT), 0)
    assumed = reader.optional("assumed_max_tokens", flags.assumed_max_tokens, exact.positive)
    if flags.log is not None and os.path.splitext(flags.log)[1].casefold() not in ENDINGS:
        reader.problems.append(Problem("log", flags.log, f"a name that ends in {' or '.join(ENDINGS)}"))
    elif flags.log is not None and os.path.lexists(flags.log):
        reader.problems.append(Problem("log", flags.log, "a file that is not there yet"))
    source = Source()
    lines: list[str] = []
    try:
        source = deployments_of(flags, catalog, reader)
    except BadInput as error:  # that of a plan tells what is wrong with the flags, too
        reader.problems += [problem for problem in error.problems if problem not in reader.problems]
        lines = list(error.lines)
    countings: dict[str, Counting] = {}
    size = reader.optional("image_size", flags.image_size, ImageSize.parse)
    for model in {each.model.name: each.model for each in source.deployments}.values():
        try:
            countings[model.name] = _counting(model, catalog, flags, None if size is None else flags.image_size)
        except BadInput as error:
            reader.problems += [problem for problem in error.problems if problem not in reader.problems]
    if reader.problems:
        raise BadInput(reader.problems, lines=lines)
    return _Wanted(source, shape, assumed, cache * MINUTE_US, port), countings


def _counting(model: Model, catalog: Catalog, flags: EmulateFlags, image_size: str | None) -> Counting:
    counting = PromptCounting(
        catalog, model=model.name, encoding=flags.encoding, approx=flags.approx, image_size=image_size
    )
    return counting.counting_for(model)


def _remarks(wanted: _Wanted, countings: dict[str, Counting], emulator: Emulator, port: int) -> Iterator[str]:
    """What a user must know at the start."""
    address, source = f"http://127.0.0.1:{port}", wanted.source
    yield f"Emulating on {address}; any key will do, Ctrl-C stops"  # an address to a line, so that none is broken
    yield f"  Azure clients:  endpoint {address}"
    yield f"  OpenAI clients: base_url {address}/openai/v1"
    yield f"  Metrics:        {address}/metrics.json"
    yield f"  Deployments:    {', '.join(name for name, _ in emulator.names)}"
    yield "  Answers are made up: words, JSON after a schema, a tool where one is forced"
    if source.door is not None:
        way = ", ".join(f"{each.name} ({_turn(each)})" for each in source.door.route.backends)
        yield f"  {source.door.name} is a gateway before {way}; each answers to its own name too"
    for text in source.remarks:
        yield f"  {text}"
    for place in emulator.rehearsal.places.values():
        yield from (f"  {place.name}: {text}" for text in _about(place.deployment, emulator.started_us))
    for name, counting in countings.items():
        if counting.encoding is None:
            yield f"  {name}: tokens are estimated from characters"
        elif not counting.exact:
            yield f"  {name}: tokens are counted in {counting.encoding}, which is not known to be the model's own"
    if wanted.assumed_max_tokens is None:
        yield "  calls without max_tokens are let in by their true output, the best case (--assumed-max-tokens)"


def _turn(backend: Backend) -> str:
    return f"priority {backend.priority}" + (f", weight {backend.weight}" if backend.weight > 1 else "")


def _about(deployment: Deployment, now_us: int) -> Iterator[str]:
    """What is unusual about a deployment, which is emulated all the same."""
    backend, model = deployment.backend, deployment.model
    if isinstance(backend, Provisioned):
        kind = backend.deployment_type or DeploymentType.GLOBAL
        grid = model.offer(kind).grid
        if grid is not None and not grid.holds(backend.ptu):
            yield f"{backend.ptu:,} PTU is no size that is sold; it is emulated all the same"
        place = model.availability(kind, version=backend.model_version, region=backend.region)
        if place.available is False:
            yield f"it cannot be had ({place.reason}); it is emulated all the same"
    if isinstance(model.latency_target, Unknown):
        yield f"answers take no time, for {model.latency_target.reason}"
    for outage in backend.down:
        first, last = (datetime.fromtimestamp(us // 1_000_000, UTC) for us in outage)
        over = " (that is over)" if outage.to_us <= now_us else ""
        yield f"down from {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC{over}"


def _opened(path: str) -> CallLog:
    from ptucalc.serve.call_log import CallLog

    try:
        # unbuffered: the log has a buffer of its own, of whole rows
        stream = open(path, "xb", buffering=0)  # noqa: SIM115  # the log closes it
        try:
            return CallLog(stream, json_lines=ENDINGS[os.path.splitext(path)[1].casefold()], name=path, tell=_tell)
        except OSError:
            stream.close()
            os.unlink(path)
            raise
    except OSError as error:
        raise BadInput([Problem("log", path, f"a file that can be written ({error.strerror or error})")]) from None


def _tell(text: str) -> None:
    with suppress(OSError):
        print(f"Log    {text}", file=sys.stderr, flush=True)
