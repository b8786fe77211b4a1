"""The 429 simulator: calls and a model to what a deployment of each size serves, refuses and spills."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from ptucalc import exact
from ptucalc.bucket_engine import Engine, PlainEngine
from ptucalc.bucket_load import weighing_of
from ptucalc.call_trace import CallTrace
from ptucalc.catalog import DeploymentType, Model, Unknown
from ptucalc.errors import BadInput, Problem
from ptucalc.exact import Exact
from ptucalc.rounding import Grid
from ptucalc.simulated_runs import MinuteSeries, Policy, SimulationRun, SweepPoint, Target, TokenSums, WindowPoint
from ptucalc.simulating import Bucket, Buckets
from ptucalc.simulation_result import SimulationResult
from ptucalc.size_sweep import Sweep, first_without

__all__ = ["OTHER_WINDOWS", "SDK_RETRIES", "simulate", "spilled_calls"]

SDK_RETRIES = 2
"""How often the OpenAI SDKs try again unless told otherwise."""

USUAL_WINDOW = 60
"""Seconds of drain that the bucket holds unless told otherwise: its depth is not published."""

OTHER_WINDOWS = (10, 30, 60)
"""Depths, in seconds, that a run is also counted at, because the real one is not known."""

MOST_COUNTED = 1024
"""So many sizes are counted at most; of more legal ones evenly spread ones are."""

MOST_REPLAYED = 256
"""The same where calls retry, and every size is replayed by itself."""

SECOND_US = 1_000_000


class Asked(NamedTuple):
    """What a simulation is to do. `retries` is 0 where the policy does not retry."""

    policy: Policy
    retries: int
    window_us: int
    sizes: tuple[int, ...]
    assumed_max_tokens: int | None
    target: Fraction | None


def simulate(
    trace: CallTrace,
    model: Model,
    *,
    deployment_type: DeploymentType = DeploymentType.GLOBAL,
    ptu: int | Iterable[int] | None = None,
    window: Exact = USUAL_WINDOW,
    policy: Policy | str = Policy.NONE,
    max_retries: int = SDK_RETRIES,
    assumed_max_tokens: Exact | None = None,
    target_429: Exact | None = None,
    output_weight: Fraction | None = None,
    largest_ptu: int,
    sweep: bool = False,
    most_sizes: int | None = None,
    keep_replay: bool = False,
    engine: Engine | None = None,
) -> SimulationResult:
    """Replay the calls through the leaky bucket of a provisioned deployment, at each of these sizes.

    Drain: PTU x TPM per PTU / 60 weighted tokens per second; capacity: so much in `window` seconds. `ptu` is a size or
    several; None looks at every legal size up to the first that meets no 429 (or `largest_ptu`), as do a target and
    `sweep`, and runs the smallest that meets the target, or else that first one. `policy` says what becomes of calls that
    meet a 429. `keep_replay` keeps the runs call by call. `engine` changes only how long it takes. Raises BadInput with
    every problem.
    """
    asked = _asked(trace, model, policy, max_retries, window, ptu, assumed_max_tokens, target_429)
    tpm, grid = model.tpm_per_ptu, model.offer(deployment_type).grid
    problems = []
    if isinstance(tpm, Unknown):
        problems.append(Problem("model", model.name, f"a model with published PTU numbers ({tpm.reason})"))
    sweeping = sweep or not asked.sizes or asked.target is not None
    if sweeping and grid is None:
        what = f"{model.name} as {deployment_type.label}"
        problems.append(Problem("ptu", "", f"sizes to simulate, and no target: no sizes are published for {what}"))
    if problems or isinstance(tpm, Unknown):
        raise BadInput(problems)
    rule, scale = weighing_of(model, trace, output_weight=output_weight, assumed_max_tokens=asked.assumed_max_tokens)
    chosen = engine or PlainEngine()
    simulator = _Simulator(Buckets(trace, rule, scale, tpm, chosen), asked, grid)
    first: int | Unknown = Unknown("only the sizes given were simulated")
    points: tuple[SweepPoint, ...] = ()
    every, target = False, None
    if sweeping and grid is not None:
        most = most_sizes or (MOST_REPLAYED if asked.retries else MOST_COUNTED)
        first, found, target = simulator.swept(grid, largest_ptu, most)
        points, every = found.points, found.every_legal_size
    sizes = asked.sizes or (_chosen(points, first, target),)
    load = simulator.buckets.load
    latency = model.latency_target
    return SimulationResult(
        model=model.name,
        deployment_type=deployment_type,
        window_seconds=Fraction(asked.window_us, SECOND_US),
        policy=asked.policy,
        max_retries=asked.retries,
        assumed_max_tokens=asked.assumed_max_tokens,
        requests=len(trace),
        tokens=load.tokens,
        first_minute=trace.first_minute,
        minutes=trace.minutes,
        relative_clock=trace.relative_clock,
        without_max_tokens=load.without_max_tokens,
        without_duration=load.without_duration,
        latency_target_tps=None if isinstance(latency, Unknown) else latency.tokens_per_second,
        runs=tuple(simulator.run(size, trace.first_minute, keep=keep_replay) for size in sizes),
        sweep=points,
        every_legal_size=every,
        first_without_429=first,
        target=target,
        compiled=load.engine.compiled,
    )


def spilled_calls(trace: CallTrace, run: SimulationRun) -> CallTrace:
    """The calls that a run spilled, when they reach the Standard deployment: at once, or after the waits of retries.

    The run was made with `keep_replay`, of this trace; otherwise ValueError.
    """
    if run.replay is None or len(run.replay.outcome) != len(trace):
        raise ValueError("the run holds no replay of this trace (keep_replay)")
    places = [place for place, outcome in enumerate(run.replay.outcome) if outcome] if run.spilled else []
    found = trace.taken(places)
    if not any(run.replay.wait_ms):
        return found
    waits = [run.replay.wait_ms[place] * 1000 for place in places]
    return found.later(waits)


class _Simulator:
    """Runs of one trace under one policy."""

    def __init__(self, buckets: Buckets, asked: Asked, grid: Grid | None) -> None:
        self.buckets, self._asked, self._grid = buckets, asked, grid

    def swept(self, grid: Grid, largest_ptu: int, most: int) -> tuple[int | Unknown, Sweep, Target | None]:
        """The first size without 429s, the sizes that were looked at, and what they say about the target."""
        sizes = list(grid.up_to(largest_ptu)) or [grid.minimum]
        free = first_without(sizes, self._refuses)
        beyond = Unknown(f"even {sizes[-1]:,} PTU, the largest that was looked at, meet 429s")
        first = beyond if free is None else free
        sweep = Sweep(sizes, self._points)
        sweep.fill(sizes[-1] if free is None else free, most)
        target = None if self._asked.target is None else sweep.target(self._asked.target, first, most)
        return first, sweep, target

    def _buckets(self, sizes: Sequence[int]) -> list[Bucket]:
        return [Bucket(ptu, self._asked.window_us) for ptu in sizes]

    def _refuses(self, sizes: Sequence[int]) -> list[bool]:
        """Whether each size refuses a call at its first try: where none is, there are no retries either."""
        return [counted.served < len(self.buckets.load) for counted in self.buckets.count(self._buckets(sizes))]

    def _points(self, sizes: Sequence[int]) -> list[SweepPoint]:
        if self._asked.retries:
            return [self._replayed_point(ptu) for ptu in sizes]
        found = []
        for ptu, counted in zip(sizes, self.buckets.count(self._buckets(sizes)), strict=True):
            throttled = len(self.buckets.load) - counted.served
            found.append(self._point(ptu, throttled, counted.served, counted.throttled_minutes, counted.tokens_served))
        return found

    def _replayed_point(self, ptu: int) -> SweepPoint:
        done = self.buckets.replay(Bucket(ptu, self._asked.window_us), self._asked.retries)
        return self._point(ptu, done.throttled_429, done.served, done.throttled_minutes, done.tokens_served)

    def _point(self, ptu: int, throttled: int, served: int, minutes: int, tokens: TokenSums) -> SweepPoint:
        requests = self.buckets.requests
        refused_tokens = self.buckets.load.tokens.minus(tokens)
        return SweepPoint(ptu, requests, throttled, requests - served, minutes, refused_tokens)

    def run(self, ptu: int, first_minute: int, *, keep: bool) -> SimulationRun:
        """One size in detail."""
        asked, load = self._asked, self.buckets.load
        done = self.buckets.replay(Bucket(ptu, asked.window_us), asked.retries, keep=keep)
        refused, refused_tokens = self.buckets.requests - done.served, load.tokens.minus(done.tokens_served)
        spills = asked.policy.spills
        return SimulationRun(
            ptu=ptu,
            legal=None if self._grid is None else self._grid.holds(ptu),
            window_seconds=Fraction(asked.window_us, SECOND_US),
            requests=self.buckets.requests,
            served=done.served,
            spilled=refused if spills else 0,
            failed=0 if spills else refused,
            throttled_429=done.throttled_429,
            responses_429=done.responses_429,
            over_prompt_limit=load.over_limit,
            throttled_minutes=done.throttled_minutes,
            tokens_served=done.tokens_served,
            tokens_spilled=refused_tokens if spills else TokenSums(),
            tokens_failed=TokenSums() if spills else refused_tokens,
            utilization=done.utilization,
            wait_ms=done.wait_ms,
            minutes=MinuteSeries(first_minute, done.levels, done.level_scale, done.minute_429),
            windows=self._windows(ptu),
            replay=done.replay,
        )

    def _windows(self, ptu: int) -> tuple[WindowPoint, ...]:
        asked = self._asked
        windows = sorted({seconds * SECOND_US for seconds in OTHER_WINDOWS} | {asked.window_us})
        buckets = [Bucket(ptu, window_us) for window_us in windows]
        found: list[tuple[int, int, int]] = []
        if asked.retries:
            replays = [self.buckets.replay(bucket, asked.retries) for bucket in buckets]
            found = [(each.throttled_429, each.throttled_minutes, each.served) for each in replays]
        else:
            counts = self.buckets.count(buckets)
            found = [(len(self.buckets.load) - each.served, each.throttled_minutes, each.served) for each in counts]
        points = []
        for window_us, (throttled, minutes, served) in zip(windows, found, strict=True):
            refused = self.buckets.requests - served
            spilled = refused if asked.policy.spills else 0
            seconds = Fraction(window_us, SECOND_US)
            points.append(WindowPoint(seconds, throttled, minutes, spilled, refused - spilled))
        return tuple(points)


def _chosen(points: Sequence[SweepPoint], first: int | Unknown, target: Target | None) -> int:
    """The size to show where none was given."""
    if target is not None and not isinstance(target.smallest_ptu, Unknown):
        return target.smallest_ptu
    return points[-1].ptu if isinstance(first, Unknown) else first


def _asked(
    trace: CallTrace,
    model: Model,
    policy: Policy | str,
    max_retries: int,
    window: Exact,
    ptu: int | Iterable[int] | None,
    assumed_max_tokens: Exact | None,
    target_429: Exact | None,
) -> Asked:
    """What was asked for, checked. Raises BadInput with every problem."""
    problems: list[Problem] = []
    asked = Asked(Policy.NONE, 0, USUAL_WINDOW * SECOND_US, (), None, None)
    if not len(trace):
        problems.append(Problem("calls", "", "at least one call"))
    try:
        asked = asked._replace(policy=Policy(policy))
    except ValueError:
        problems.append(Problem("policy", str(policy), f"one of {', '.join(Policy)}"))
    if isinstance(max_retries, bool) or not isinstance(max_retries, int) or not 0 <= max_retries <= 1000:
        problems.append(Problem("max_retries", str(max_retries), "a whole number, 0 to 1000"))
    elif asked.policy.retries:
        asked = asked._replace(retries=max_retries)
    try:
        asked = asked._replace(window_us=_microseconds(window))
    except ValueError as error:
        problems.append(Problem("window", str(window), str(error)))
    sizes = []
    for size in () if ptu is None else [ptu] if isinstance(ptu, int) else ptu:
        try:
            sizes.append(exact.positive(size))
        except ValueError as error:
            problems.append(Problem("ptu", str(size), str(error)))
    try:
        if assumed_max_tokens is not None:
            asked = asked._replace(assumed_max_tokens=exact.positive(assumed_max_tokens))
    except ValueError as error:
        problems.append(Problem("assumed_max_tokens", str(assumed_max_tokens), str(error)))
    try:
        if target_429 is not None:
            asked = asked._replace(target=exact.share(target_429))
    except ValueError as error:
        problems.append(Problem("target_429", str(target_429), str(error)))
    if problems:
        raise BadInput(problems)
    return asked._replace(sizes=tuple(dict.fromkeys(sizes)))


def _microseconds(window: Exact) -> int:
    """Seconds, as whole microseconds."""
    expected = "seconds over 0, in whole microseconds, at most a day"
    try:
        microseconds = exact.amount(window) * SECOND_US
    except ValueError:
        raise ValueError(expected) from None
    if microseconds.denominator != 1 or not 0 < microseconds <= 86_400 * SECOND_US:
        raise ValueError(expected)
    return int(microseconds)
