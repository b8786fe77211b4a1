"""The flags of `ptucalc simulate`, and what can be wrong with them before a log is read: all of it at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple, TypeVar

from ptucalc import exact
from ptucalc.api import deployment_types_of
from ptucalc.arrivals import ArrivalKind, Arrivals, parse_duration
from ptucalc.catalog import DeploymentType
from ptucalc.cli.cost_runs import Money
from ptucalc.cli.flag_reader import FlagReader
from ptucalc.cli.log_flags import LogFlags
from ptucalc.errors import Problem
from ptucalc.simulated_runs import Policy
from ptucalc.simulation_analysis import Asked
from ptucalc.standard_limits import RPM_WINDOWS_SECONDS
from ptucalc.standard_spill import StandardAsked

__all__ = ["CheckedSimulation", "SimulateFlags"]

_T = TypeVar("_T")

MOST_RETRIES = 1000
LONGEST_WINDOW_SECONDS = 86_400
SMALLEST_WINDOW_STEP = 1_000_000
MOST_SEEDS = 2**63


class SimulateFlags(NamedTuple):
    """The flags of `ptucalc simulate`, as text; `call` are those that describe a workload."""

    log: LogFlags
    call: Mapping[str, str | None]
    profile: str | None = None
    ptu: tuple[str, ...] = ()
    window: str = "60"
    policy: str = "none"
    max_retries: str = "2"
    target_429: str | None = None
    assumed_max_tokens: str | None = None
    standard_tpm: str | None = None
    standard_rpm: str | None = None
    standard_window: str = "1"
    best_of: str = "1"
    route: str | None = None
    arrivals: str | None = None
    seed: str | None = None
    duration: str | None = None
    burst_calls: str | None = None
    burst_seconds: str | None = None
    prices: tuple[str, ...] = ()
    discount: str | None = None
    term: str = "all"

    def of_workloads(self) -> Iterator[tuple[str, str]]:
        """Name and value of the flags given that describe calls that are made up."""
        values = {**self.call, "profile": self.profile, **self._made()}
        yield from ((field, value) for field, value in values.items() if value is not None)

    def _made(self) -> dict[str, str | None]:
        return {
            "arrivals": self.arrivals,
            "seed": self.seed,
            "duration": self.duration,
            "calls_per_burst": self.burst_calls,
            "burst_seconds": self.burst_seconds,
        }

    def of_one_deployment(self) -> Iterator[tuple[str, str]]:
        """Name and value of the flags given that describe the one deployment that there is without a route."""
        values = {
            "ptu": (", ".join(self.ptu), ""),
            "window": (self.window, "60"),
            "policy": (self.policy, "none"),
            "max_retries": (self.max_retries, "2"),
            "target_429": (self.target_429 or "", ""),
            "standard_tpm": (self.standard_tpm or "", ""),
            "standard_rpm": (self.standard_rpm or "", ""),
            "rpm_window": (self.standard_window, "1"),
            "by": ("" if self.log.by == "none" else self.log.by, "deployment"),
        }
        yield from ((field, value) for field, (value, usual) in values.items() if value not in (usual, ""))

    def of_logs(self) -> Iterator[str]:
        """The flags given that say how a log is read."""
        log = self.log
        given = {
            "--map": log.columns,
            "--map-model": log.models,
            "--by": log.by != "deployment",
            "--since": log.since,
            "--until": log.until,
            "--time-zone": log.time_zone,
            "--date-order": log.date_order,
            "--input-excludes-cached": log.input_excludes_cached,
            "--output-excludes-reasoning": log.output_excludes_reasoning,
            "--output-share": log.output_share,
        }
        yield from (flag for flag, value in given.items() if value)


class CheckedSimulation(NamedTuple):
    """What the flags say. `problems` are what is wrong with them, to be told with all else that is wrong."""

    asked: Asked
    money: Money
    arrivals: Arrivals
    duration_us: int | None
    deployment_type: DeploymentType
    problems: list[Problem]

    @classmethod
    def of(cls, flags: SimulateFlags, *, advise: bool | None) -> CheckedSimulation:
        """From the flags; what is wrong with them is in `problems`."""
        reader = FlagReader()
        wrong, read, optional = reader.problems, reader.read, reader.optional

        ptu = [read("ptu", text, exact.positive, 1) for text in flags.ptu]
        target = optional("target_429", flags.target_429, exact.share)
        assumed = optional("assumed_max_tokens", flags.assumed_max_tokens, exact.positive)
        standard = StandardAsked(
            tpm=optional("standard_tpm", flags.standard_tpm, exact.positive),
            rpm=optional("standard_rpm", flags.standard_rpm, exact.positive),
            window_seconds=read("rpm_window", flags.standard_window, _rpm_window, 1),
            best_of=read("best_of", flags.best_of, exact.positive, 1),
            assumed_max_tokens=assumed,
        )
        policy = read("policy", flags.policy, _policy, Policy.NONE)
        weighed = standard.any_limit or policy.spills or flags.route is not None
        if flags.route is not None:
            expected = "left out beside --route: the route file says what there is and how calls retry"
            wrong += [Problem(field, value, expected) for field, value in flags.of_one_deployment()]
        elif not weighed and (flags.standard_window != "1" or flags.best_of != "1"):
            flag = "rpm_window" if flags.standard_window != "1" else "best_of"
            expected = "beside --standard-tpm, --standard-rpm or a --policy that spills"
            wrong.append(Problem(flag, "given alone", expected))
        if flags.route is None and not policy.retries and flags.max_retries != "2":
            wrong.append(Problem("max_retries", flags.max_retries, "beside a --policy that retries"))
        asked = Asked(
            ptu=tuple(dict.fromkeys(ptu)),
            window=read("window", flags.window, _window, Fraction(60)),
            policy=policy,
            max_retries=read("max_retries", flags.max_retries, _retries, 2),
            target_429=target,
            assumed_max_tokens=assumed,
            output_weight=optional("output_weight", flags.log.output_weight, exact.weight),
            standard=standard if weighed else None,
            advise=advise,
        )
        kind = read("sku", flags.log.sku, _one_type, DeploymentType.GLOBAL)
        arrivals = Arrivals(
            kind=read("arrivals", flags.arrivals, _arrivals, ArrivalKind.POISSON),
            seed=read("seed", flags.seed, _seed, 0),
            calls_per_burst=read("calls_per_burst", flags.burst_calls, exact.positive, 10),
            burst_seconds=read("burst_seconds", flags.burst_seconds, exact.amount, Fraction(1)),
        )
        if arrivals.kind is not ArrivalKind.BURSTY:
            bursts = {"calls_per_burst": flags.burst_calls, "burst_seconds": flags.burst_seconds}
            wrong += [Problem(field, v, "with --arrivals bursty") for field, v in bursts.items() if v is not None]
        duration = optional("duration", flags.duration, parse_duration)
        money = Money.of(prices=flags.prices, discount=flags.discount, payg_type=None, term=flags.term, currency=None)
        return cls(asked, money, arrivals, duration, kind, [*wrong, *money.problems])


def _window(text: str) -> Fraction:
    expected = "seconds over 0, such as 60, at most a day"
    try:
        seconds = exact.amount(text.strip().removesuffix("s"))
    except ValueError:
        raise ValueError(expected) from None
    if not 0 < seconds <= LONGEST_WINDOW_SECONDS or (seconds * SMALLEST_WINDOW_STEP).denominator != 1:
        raise ValueError(expected)
    return seconds


def _policy(text: str) -> Policy:
    try:
        return Policy(text.strip().casefold())
    except ValueError:
        raise ValueError(f"one of {', '.join(Policy)}") from None


def _arrivals(text: str) -> ArrivalKind:
    try:
        return ArrivalKind(text.strip().casefold())
    except ValueError:
        raise ValueError(f"one of {', '.join(ArrivalKind)}") from None


def _retries(text: str) -> int:
    return _whole(text, f"a whole number, 0 to {MOST_RETRIES:,}", MOST_RETRIES)


def _seed(text: str) -> int:
    return _whole(text, "a whole number, 0 or more", MOST_SEEDS)


def _whole(text: str, expected: str, most: int) -> int:
    plain = text.strip()
    if not (plain.isascii() and plain.isdecimal()) or len(plain) > len(str(most)) or int(plain) > most:
        raise ValueError(expected)
    return int(plain)


def _rpm_window(text: str) -> int:
    plain = text.strip().removesuffix("s")
    if plain not in map(str, RPM_WINDOWS_SECONDS):
        raise ValueError(f"{' or '.join(map(str, RPM_WINDOWS_SECONDS))} seconds, over which Azure checks RPM")
    return int(plain)


def _one_type(text: str) -> DeploymentType:
    found = deployment_types_of(text.split(","))
    if len(found) != 1:
        raise ValueError("one of global, data-zone or regional: the bucket is the same, sizes and prices differ")
    return found[0]
