"""The flags of `ptucalc bench`, and what can be wrong with them before anything is sent: all of it at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple, TypeVar

from ptucalc import exact
from ptucalc.arrivals import ArrivalKind, parse_duration
from ptucalc.bench_schedule import SHAPES, CallSize
from ptucalc.catalog import DeploymentType
from ptucalc.cli.flag_reader import FlagReader
from ptucalc.cli.log_flags import LogFlags
from ptucalc.errors import Problem
from ptucalc.measure.target import MAX_TOKENS_FIELDS, Wire
from ptucalc.workload import region as read_region

__all__ = ["BenchFlags", "CheckedBench"]

_T = TypeVar("_T")

MOST_REQUESTS = 1_000_000
MOST_AT_ONCE = 10_000
MOST_TOKENS = 2_000_000
LONGEST_US = 24 * 3600 * 1_000_000
MOST_RETRIES = 100
DEFAULT_US, CALIBRATE_US, REPLAY_US, STEP_US = (minutes * 60_000_000 for minutes in (1, 5, 10, 1))


class BenchFlags(NamedTuple):
    """The flags of `ptucalc bench`, as text."""

    log: LogFlags
    model: str | None = None
    model_version: str | None = None
    endpoint: str | None = None
    deployment: str | None = None
    wire: str = "azure"
    api_version: str | None = None
    stream: bool = True
    max_tokens_field: str = "max_completion_tokens"
    timeout: str = "120s"
    rpm: str | None = None
    concurrency: str | None = None
    ramp: str | None = None
    step: str | None = None
    arrivals: str | None = None
    speed: str | None = None
    only: tuple[str, ...] = ()
    duration: str | None = None
    warm_up: str = "10s"
    max_requests: str = "10000"
    at_once: str = "1000"
    policy: str = "none"
    max_retries: str = "2"
    dry_run: bool = False
    shape: str | None = None
    input_tokens: str | None = None
    output_tokens: str | None = None
    cache_ratio: str | None = None
    seed: str | None = None
    encoding: str | None = None
    output_weight: str | None = None
    calibrate: bool = False
    ptu: str | None = None
    window: str = "60"
    save_catalog: str | None = None
    sku: str = "global"
    region: str | None = None
    prices: tuple[str, ...] = ()


class CheckedBench(NamedTuple):
    """What the flags say. `problems` are what is wrong with them, to be told with all else that is wrong.

    `ramp` is from, to and by, in requests per minute. `seed` is None for a new one.
    """

    wire: Wire
    size: CallSize
    calls_from: str
    rpm: Fraction | None
    concurrency: int | None
    ramp: tuple[Fraction, Fraction, Fraction] | None
    step_us: int
    arrivals: ArrivalKind
    speed: Fraction
    duration_us: int
    warm_up_us: int
    timeout_us: int
    max_requests: int
    at_once: int
    retries: int
    seed: int | None
    output_weight: Fraction | None
    ptu: int | None
    window: Fraction
    kind: DeploymentType
    region: str | None
    problems: list[Problem]

    @classmethod
    def of(cls, flags: BenchFlags) -> CheckedBench:
        """From the flags; what is wrong with them is in `problems`."""
        reader = FlagReader()
        wrong, read, optional = reader.problems, reader.read, reader.optional

        replays = bool(flags.log.files)
        usual_us = CALIBRATE_US if flags.calibrate else REPLAY_US if replays else DEFAULT_US
        size, calls_from = _size(flags, read)
        retries = read("max_retries", flags.max_retries, _up_to(MOST_RETRIES, least=0), 2)
        policy = flags.policy.strip().casefold()
        if policy not in ("none", "retry"):
            wrong.append(Problem("policy", flags.policy, "none or retry"))
        if policy != "retry" and flags.max_retries != "2":
            wrong.append(Problem("max_retries", flags.max_retries, "beside --policy retry"))
        found = cls(
            wire=read("wire", flags.wire, _wire, Wire.AZURE),
            size=size,
            calls_from=calls_from,
            rpm=optional("requests_per_minute", flags.rpm, exact.rate),
            concurrency=optional("concurrency", flags.concurrency, _up_to(MOST_AT_ONCE)),
            ramp=optional("ramp", flags.ramp, _ramp),
            step_us=read("step", flags.step, _duration, STEP_US),
            arrivals=read("arrivals", flags.arrivals, _arrivals, ArrivalKind.UNIFORM),
            speed=read("speed", flags.speed, exact.rate, Fraction(1)),
            duration_us=read("duration", flags.duration, _duration, usual_us),
            warm_up_us=read("warm_up", flags.warm_up, _warm_up, 0),
            timeout_us=read("timeout", flags.timeout, _duration, 120_000_000),
            max_requests=read("max_requests", flags.max_requests, _up_to(MOST_REQUESTS), 10_000),
            at_once=read("at_once", flags.at_once, _up_to(MOST_AT_ONCE), 1000),
            retries=retries if policy == "retry" else 0,
            seed=optional("seed", flags.seed, _up_to(2**63, least=0)),
            output_weight=optional("output_weight", flags.output_weight, exact.weight),
            ptu=optional("ptu", flags.ptu, exact.positive),
            window=read("window", flags.window, _window, Fraction(60)),
            kind=read("sku", flags.sku, DeploymentType.parse, DeploymentType.GLOBAL),
            region=optional("region", flags.region, read_region),
            problems=wrong,
        )
        wrong += _together(flags, found, replays=replays)
        return found


def _size(flags: BenchFlags, read: Callable[..., int]) -> tuple[CallSize, str]:
    """The size of the calls that the flags describe, and its name."""
    shape = (flags.shape or "balanced").strip().casefold()
    wrong_shape = shape not in SHAPES
    size = SHAPES["balanced" if wrong_shape else shape]
    if wrong_shape:
        read("shape", flags.shape, _no_shape, 0)
    given = flags.input_tokens is not None or flags.output_tokens is not None
    tokens_in = read("input_tokens", flags.input_tokens, _up_to(MOST_TOKENS), size.input_tokens)
    tokens_out = read("output_tokens", flags.output_tokens, _up_to(MOST_TOKENS), size.output_tokens)
    share = read("cache_ratio", flags.cache_ratio, exact.share, Fraction(0))
    shared = int(tokens_in * Fraction(share))
    return CallSize(tokens_in, shared, tokens_out), "own calls" if given else f"{shape} calls"


def _together(flags: BenchFlags, checked: CheckedBench, *, replays: bool) -> list[Problem]:
    """What does not go together."""
    problems = []
    loads = {"requests_per_minute": flags.rpm, "concurrency": flags.concurrency, "ramp": flags.ramp}
    given = {field: value for field, value in loads.items() if value is not None}
    one = "one of --rpm, --concurrency, --ramp or a file"
    if len(given) + replays > 1:
        problems += [Problem(field, value, f"{one}, not several") for field, value in given.items()]
    if not given and not replays and not flags.calibrate:
        problems.append(Problem("bench", "", f"a load: {one} (such as ptucalc bench -m gpt-4.1 --rpm 60)"))
    own = {"input_tokens": flags.input_tokens, "output_tokens": flags.output_tokens, "cache_ratio": flags.cache_ratio}
    described = {"shape": flags.shape, **own}
    if replays:
        problems += [Problem(f, v, "left out: the file says it") for f, v in described.items() if v is not None]
    elif flags.shape is not None and (flags.input_tokens is not None or flags.output_tokens is not None):
        problems.append(Problem("shape", flags.shape, "left out beside --input-tokens and --output-tokens"))
    if (flags.input_tokens is None) != (flags.output_tokens is None):
        lacking = "output_tokens" if flags.output_tokens is None else "input_tokens"
        problems.append(Problem(lacking, "", "both --input-tokens and --output-tokens, or neither"))
    if not replays:
        problems += [
            Problem(f, v, "beside a file") for f, v in (("speed", flags.speed), ("only", ", ".join(flags.only))) if v
        ]
        problems += _log_flags_alone(flags)
    if flags.ramp is None and flags.step is not None:
        problems.append(Problem("step", flags.step, "beside --ramp"))
    if flags.ramp is not None and flags.duration is not None:
        problems.append(Problem("duration", flags.duration, "left out: a ramp lasts as long as its steps (--step)"))
    if flags.arrivals is not None and (flags.ramp is not None or flags.concurrency is not None):
        problems.append(Problem("arrivals", flags.arrivals, "beside --rpm or workloads"))
    if flags.max_tokens_field not in MAX_TOKENS_FIELDS:
        problems.append(Problem("max_tokens_field", flags.max_tokens_field, " or ".join(MAX_TOKENS_FIELDS)))
    if checked.warm_up_us >= checked.duration_us and flags.ramp is None:
        problems.append(Problem("warm_up", flags.warm_up, "less than the duration: it is in no figure"))
    return problems + _calibrating(flags, checked)


def _log_flags_alone(flags: BenchFlags) -> list[Problem]:
    log = flags.log
    given = {"columns": log.columns, "since": log.since, "until": log.until, "time_zone": log.time_zone}
    return [Problem(field, str(value), "beside a log") for field, value in given.items() if value]


def _calibrating(flags: BenchFlags, checked: CheckedBench) -> list[Problem]:
    problems = []
    if not flags.calibrate:
        alone = {"save_catalog": flags.save_catalog, "ptu": flags.ptu}
        problems += [Problem(field, value, "beside --calibrate") for field, value in alone.items() if value is not None]
        return problems
    if flags.ptu is None:
        problems.append(Problem("ptu", "", "the PTU of the deployment: a rate of one PTU is what is measured"))
    if checked.retries or flags.policy.strip().casefold() == "retry":
        problems.append(Problem("policy", flags.policy, "none beside --calibrate: tries that wait hide the onset"))
    if flags.concurrency is not None:
        expected = "a rate beside --calibrate: callers that wait for answers do not saturate on their own"
        problems.append(Problem("concurrency", flags.concurrency, expected))
    if flags.save_catalog is not None and os.path.lexists(flags.save_catalog):
        problems.append(Problem("save_catalog", flags.save_catalog, "a new file: none is overwritten"))
    elif flags.save_catalog is not None and not os.path.isdir(os.path.dirname(flags.save_catalog) or "."):
        problems.append(Problem("save_catalog", flags.save_catalog, "a file in a folder that exists"))
    return problems


def _up_to(most: int, *, least: int = 1) -> Callable[[str], int]:
    def read(text: str) -> int:
        plain = text.strip()
        if plain.isascii() and plain.isdecimal() and len(plain) <= len(str(most)) and least <= int(plain) <= most:
            return int(plain)
        raise ValueError(f"a whole number, {least} to {most:,}")

    return read


def _no_shape(_: str) -> int:
    raise ValueError(f"one of {', '.join(SHAPES)}")


def _wire(text: str) -> Wire:
    try:
        return Wire(text.strip().casefold())
    except ValueError:
        raise ValueError(f"one of {', '.join(Wire)}") from None


def _arrivals(text: str) -> ArrivalKind:
    try:
        return ArrivalKind(text.strip().casefold())
    except ValueError:
        raise ValueError(f"one of {', '.join(ArrivalKind)}") from None


def _duration(text: str) -> int:
    found = parse_duration(text)
    if found > LONGEST_US:
        raise ValueError("a duration of at most 24h")
    return found


def _warm_up(text: str) -> int:
    return 0 if text.strip().casefold() in ("0", "0s", "none") else _duration(text)


def _window(text: str) -> Fraction:
    seconds = exact.amount(text.strip().removesuffix("s"))
    if not 0 < seconds <= 86_400:
        raise ValueError("seconds over 0, such as 60, at most a day")
    return seconds


def _ramp(text: str) -> tuple[Fraction, Fraction, Fraction]:
    expected = "FROM:TO:BY in requests per minute, rising, such as 60:600:60; at most 1,000 steps"
    try:
        low, high, by = (exact.rate(part) for part in text.split(":"))
    except ValueError:
        raise ValueError(expected) from None
    if low > high or (high - low) / by >= 1000:
        raise ValueError(expected)
    return low, high, by
