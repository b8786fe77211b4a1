"""What `ptucalc emulate` does: deployments from flags or a file, how their prompts are counted, then the server."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from fractions import Fraction
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ptucalc import exact
from ptucalc.api import deployment_types_of
from ptucalc.catalog import Catalog, DeploymentType, Model, Unknown, UnknownModel
from ptucalc.errors import BadInput, Problem, PtucalcError
from ptucalc.made_up_answers import AnswerShape, parse_lengths
from ptucalc.read.catalog import load_catalog
from ptucalc.read.deployments import deployment_name, read_deployments, rpm_window, window_us
from ptucalc.read.prompt_counting import PromptCounting
from ptucalc.read.standard_limits import load_standard_limits
from ptucalc.rehearsal import Deployment
from ptucalc.routing import Provisioned, Standard
from ptucalc.standard_tiers import TPM_STEP, CapacityUnit

if TYPE_CHECKING:
    from ptucalc.serve.call_log import CallLog
    from ptucalc.token_parts import Counting

__all__ = ["EmulateFlags", "run_emulator"]

_T = TypeVar("_T")

INTERRUPTED = 130
MINUTE_US = 60_000_000
MOST_PORT = 65_535
ENDINGS = {".csv": False, ".jsonl": True}


class EmulateFlags(NamedTuple):
    """The flags, as text."""

    file: str | None = None
    model: str | None = None
    model_version: str | None = None
    ptu: str | None = None
    deployment: str | None = None
    window: str | None = None
    standard_tpm: str | None = None
    standard_rpm: str | None = None
    standard_window: str | None = None
    spillover: bool = False
    assumed_max_tokens: str | None = None
    output_weight: str | None = None
    sku: str = "global"
    output_tokens: str = "200"
    reasoning: str = "0"
    first_ms: str = "0"
    latency_scale: str = "1"
    latency_spread: str = "10%"
    seed: str = "0"
    cache_minutes: str = "10"
    encoding: str | None = None
    approx: bool = False
    port: str = "8089"
    log: str | None = None
    catalogs: tuple[str, ...] = ()
    quiet: bool = False


class _Wanted(NamedTuple):
    """What the flags say, checked."""

    deployments: list[Deployment]
    shape: AnswerShape
    assumed_max_tokens: int | None
    cache_us: int
    port: int


class _Reader:
    """Reads values, and keeps what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def read(self, field: str, value: str | None, reader: Callable[[str], _T], instead: _T) -> _T:
        """The value; `instead` where there is none, or it is wrong."""
        try:
            return instead if value is None else reader(value)
        except BadInput as error:
            self.problems += error.problems
        except UnknownModel as error:
            self.problems.append(Problem(field, value or "", error.expected))
        except ValueError as error:
            self.problems.append(Problem(field, value or "", str(error)))
        return instead

    def optional(self, field: str, value: str | None, reader: Callable[[str], _T]) -> _T | None:
        """The same; None where there is none, or it is wrong."""
        return None if value is None else self.read(field, value, lambda text: reader(text), None)


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
            wanted.deployments,
            countings,
            shape=wanted.shape,
            assumed_max_tokens=wanted.assumed_max_tokens,
            cache_us=wanted.cache_us,
            log=log,
        )
        if not flags.quiet:
            for line in _remarks(wanted, countings, listening.getsockname()[1]):
                print(line, file=sys.stderr)
            sys.stderr.flush()
        interrupted = serve(
            application(emulator), listening, beside=None if flags.quiet else lambda: watch(emulator, sys.stdout)
        )
    finally:
        listening.close()
        if log is not None:
            log.close()
    if log is not None and not flags.quiet:
        print(f"{log.rows:,} calls are in {flags.log}: ptucalc simulate {flags.log}", file=sys.stderr)
    return INTERRUPTED if interrupted else 0


def _wanted(flags: EmulateFlags, catalog: Catalog) -> tuple[_Wanted, dict[str, Counting]]:
    """What is to be served. Raises BadInput with all that is wrong."""
    reader = _Reader()
    lengths = reader.optional("output_tokens", flags.output_tokens, parse_lengths)
    shape = AnswerShape(
        shortest=None if lengths is None else lengths[0],
        longest=None if lengths is None else lengths[1],
        first_token_us=1000 * reader.read("first_ms", flags.first_ms, _whole(600_000), 0),
        scale=reader.read("latency_scale", flags.latency_scale, exact.amount, Fraction(1)),
        seed=reader.read("seed", flags.seed, _whole(2**63), 0),
        reasoning=reader.read("reasoning", flags.reasoning, exact.share, Fraction(0)),
        spread=reader.read("spread", flags.latency_spread, exact.share, Fraction(0)),
    )
    cache = reader.read("cache_minutes", flags.cache_minutes, _whole(24 * 60), 10)
    port = reader.read("port", flags.port, _whole(MOST_PORT), 0)
    assumed = reader.optional("assumed_max_tokens", flags.assumed_max_tokens, exact.positive)
    if flags.log is not None and os.path.splitext(flags.log)[1].casefold() not in ENDINGS:
        reader.problems.append(Problem("log", flags.log, f"a name that ends in {' or '.join(ENDINGS)}"))
    elif flags.log is not None and os.path.lexists(flags.log):
        reader.problems.append(Problem("log", flags.log, "a file that is not there yet"))
    deployments: list[Deployment] = []
    try:
        deployments = _of_file(flags, catalog) if flags.file is not None else _of_flags(flags, catalog, reader)
    except BadInput as error:
        reader.problems += error.problems
    countings: dict[str, Counting] = {}
    for model in {each.model.name: each.model for each in deployments}.values():
        try:
            countings[model.name] = _counting(model, catalog, flags)
        except BadInput as error:
            reader.problems += error.problems
    if reader.problems:
        raise BadInput(reader.problems)
    return _Wanted(deployments, shape, assumed, cache * MINUTE_US, port), countings


def _counting(model: Model, catalog: Catalog, flags: EmulateFlags) -> Counting:
    counting = PromptCounting(catalog, model=model.name, encoding=flags.encoding, approx=flags.approx)
    return counting.counting_for(model)


def _of_file(flags: EmulateFlags, catalog: Catalog) -> list[Deployment]:
    about = ("model", "model_version", "ptu", "deployment", "window", "standard_tpm", "standard_rpm", "standard_window")
    given = {name: getattr(flags, name) for name in (*about, "output_weight")}
    problems = [
        Problem(name, value, "left out: the file says it") for name, value in given.items() if value is not None
    ]
    if flags.spillover:
        problems.append(Problem("spillover", "given", "left out: the file says it"))
    if problems:
        raise BadInput(problems)
    return read_deployments(flags.file or "", catalog)


def _of_flags(flags: EmulateFlags, catalog: Catalog, reader: _Reader) -> list[Deployment]:
    found_model = reader.optional("model", flags.model, catalog.find)
    model, version = found_model or (None, None)
    if flags.model is None:
        reader.problems.append(
            Problem("model", "", "the model of the deployment, such as gpt-4.1 (or a file of several)")
        )
    kind = reader.read("sku", flags.sku, _one_type, DeploymentType.GLOBAL)
    name = reader.read("deployment", flags.deployment, deployment_name, None if model is None else model.name)
    ptu = reader.optional("ptu", flags.ptu, exact.positive)
    tpm = reader.optional("standard_tpm", flags.standard_tpm, exact.positive)
    rpm = reader.optional("standard_rpm", flags.standard_rpm, exact.positive)
    window = reader.read("window", flags.window, window_us, MINUTE_US)
    seconds = reader.read("rpm_window", flags.standard_window, rpm_window, 1)
    weight = reader.optional("output_weight", flags.output_weight, exact.weight)
    if flags.ptu is None and flags.standard_tpm is None and flags.standard_rpm is None:
        reader.problems.append(Problem("ptu", "", "the PTU of the deployment (or --standard-tpm)"))
    if flags.window is not None and flags.ptu is None:
        reader.problems.append(Problem("window", flags.window, "beside --ptu"))
    if flags.standard_window is not None and flags.standard_tpm is None and flags.standard_rpm is None:
        reader.problems.append(Problem("rpm_window", flags.standard_window, "beside --standard-tpm or --standard-rpm"))
    both = flags.ptu is not None and (flags.standard_tpm is not None or flags.standard_rpm is not None)
    if flags.spillover and not both:
        reader.problems.append(Problem("spillover", "given", "beside --ptu and --standard-tpm"))
    if model is None or name is None or reader.problems:
        return []
    version = flags.model_version or version
    standard_name = f"{name}-standard" if both else name
    if tpm is not None and rpm is None:
        unit = load_standard_limits().capacity_unit(model.name, kind, version)
        rpm = int(unit.rpm_per_1000_tpm * tpm / TPM_STEP) or None if isinstance(unit, CapacityUnit) else None
    found: list[Deployment] = []
    if ptu is not None:
        backend = Provisioned(
            name=name, model=model, model_version=version, deployment_type=kind, ptu=ptu, window_us=window
        )
        spill = standard_name if flags.spillover else None
        found.append(Deployment(backend=backend, model=model, spillover=spill, output_weight=weight))
    if tpm is not None or rpm is not None:
        standard = Standard(
            name=standard_name,
            model=model,
            model_version=version,
            deployment_type=kind,
            tpm=tpm,
            rpm=rpm,
            rpm_window_seconds=seconds,
        )
        found.append(Deployment(backend=standard, model=model))
    return found


def _remarks(wanted: _Wanted, countings: dict[str, Counting], port: int) -> Iterable[str]:
    """What a user must know at the start."""
    address = f"http://127.0.0.1:{port}"
    yield f"Emulating on {address}: {', '.join(each.name for each in wanted.deployments)}"
    yield f"  Azure clients: endpoint {address}; OpenAI clients: base_url {address}/openai/v1; any key; Ctrl-C stops"
    for each in wanted.deployments:
        backend, model = each.backend, each.model
        if isinstance(backend, Provisioned):
            grid = model.offer(backend.deployment_type or DeploymentType.GLOBAL).grid
            if grid is not None and not grid.holds(backend.ptu):
                yield f"  {each.name}: {backend.ptu:,} PTU is no size that is sold; it is emulated all the same"
        if isinstance(model.latency_target, Unknown):
            yield f"  {each.name}: answers take no time, for {model.latency_target.reason}"
    for name, counting in countings.items():
        if counting.encoding is None:
            yield f"  {name}: tokens are estimated from characters"
        elif not counting.exact:
            yield f"  {name}: tokens are counted in {counting.encoding}, which is not known to be the model's own"
    if wanted.assumed_max_tokens is None:
        yield "  calls without max_tokens are let in by their true output, the best case (--assumed-max-tokens)"


def _opened(path: str) -> CallLog:
    from ptucalc.serve.call_log import CallLog

    try:
        stream = open(path, "x", encoding="utf-8", newline="")  # noqa: SIM115  # the log closes it
    except OSError as error:
        raise BadInput([Problem("log", path, f"a file that can be written ({error.strerror or error})")]) from None
    return CallLog(stream, json_lines=ENDINGS[os.path.splitext(path)[1].casefold()])


def _whole(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        plain = text.strip()
        if not (plain.isascii() and plain.isdecimal()) or len(plain) > len(str(most)) or int(plain) > most:
            raise ValueError(f"a whole number, 0 to {most:,}")
        return int(plain)

    return read


def _one_type(text: str) -> DeploymentType:
    found = deployment_types_of(text.split(","))
    if len(found) != 1:
        raise ValueError("one of global, data-zone or regional")
    return found[0]
