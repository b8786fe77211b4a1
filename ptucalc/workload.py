"""What users describe: the shape of a call, how many of them, and where they are to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import lcm
from typing import TYPE_CHECKING, Any, Self, TypeVar
from unicodedata import category

from ptucalc import exact
from ptucalc.catalog import DeploymentType
from ptucalc.errors import BadInput, Problem
from ptucalc.exact import Exact

if TYPE_CHECKING:
    from ptucalc.demand_profile import DemandProfile
    from ptucalc.log_minutes import Percentile

__all__ = ["LoadProfile", "Workload"]

_T = TypeVar("_T")

HOURS_PER_MONTH = 730
"""Azure's calculator convention, used everywhere here; Microsoft's sizing page illustrates with 720."""

HOURS_PER_WEEK = 168
HOURS_PER_DAY = 24
LONGEST_NAME = 200
TURNS_TEXT_AROUND = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that make a terminal or a page show other characters in another order."""


@dataclass(frozen=True)
class LoadProfile:
    """How the request rate changes over time: `levels`, `hourly`, `minutes` or `demand`, in requests per minute.

    `levels` are (share of the time, rate), shares summing to exactly 1. `hourly` are 24 rates (a day) or 168 (a week
    from Monday 00:00), each lasting one hour. `minutes` are the rates of successive minutes, as a log shows them; they
    stand for the month. `demand` holds such minutes with the tokens of their calls, sized at a `percentile` of them.
    """

    levels: tuple[tuple[Fraction, Fraction], ...] = ()
    hourly: tuple[Fraction, ...] = ()
    minutes: tuple[Fraction, ...] = ()
    demand: DemandProfile | None = None
    percentile: Percentile | None = None

    def __post_init__(self) -> None:
        numbers = [number for level in self.levels for number in level] + [*self.hourly, *self.minutes]
        if not all(isinstance(number, Fraction) and number >= 0 for number in numbers):
            raise ValueError("a profile holds Fractions of 0 or more: use from_levels, from_hourly or from_minutes")
        measured = self.demand is not None
        if bool(self.levels) + bool(self.hourly) + bool(self.minutes) + measured != 1:
            raise ValueError("a profile is either levels, hourly, minutes or demand")
        if measured != (self.percentile is not None):
            raise ValueError("demand has a percentile, and nothing else has: use from_demand")
        if self.levels and sum(part for part, _ in self.levels) != 1:
            raise ValueError("the shares of the levels sum to exactly 1")
        if self.hourly and len(self.hourly) not in (HOURS_PER_DAY, HOURS_PER_WEEK):
            raise ValueError("hourly holds 24 or 168 rates")

    @classmethod
    def from_levels(cls, levels: Iterable[tuple[Exact, Exact]]) -> Self:
        """From (share of the time, requests per minute) pairs. Raises BadInput with every problem.

        >>> LoadProfile.from_levels([("1/3", 1000), ("2/3", 60)]).peak
        Fraction(1000, 1)
        """
        problems: list[Problem] = []
        read: list[tuple[Fraction, Fraction]] = []
        for i, (part, value) in enumerate(levels):
            where = f"profile.levels[{i}]"
            one = _take(problems, f"{where}.share", part, exact.share_or_fraction)
            two = _take(problems, f"{where}.requests_per_minute", value, exact.amount)
            if one is not None and two is not None:
                read.append((one, two))
        if not problems:
            total = sum((part for part, _ in read), Fraction(0))
            if total != 1:
                problems.append(
                    Problem("profile.levels", f"{total}", "shares that sum to exactly 1 (1/3 is a share too)")
                )
        _check_peak(problems, "profile.levels", [value for part, value in read if part])
        return cls(levels=tuple(read))

    @classmethod
    def from_hourly(cls, hourly: Iterable[Exact]) -> Self:
        """From 24 or 168 requests-per-minute values. Raises BadInput with every problem."""
        problems: list[Problem] = []
        given = list(hourly)
        values = [_take(problems, f"profile.hourly[{i}]", value, exact.amount) for i, value in enumerate(given)]
        if len(given) not in (HOURS_PER_DAY, HOURS_PER_WEEK):
            problems.append(Problem("profile.hourly", f"{len(given)} values", "24 values (a day) or 168 (a week)"))
        read = [value for value in values if value is not None]
        _check_peak(problems, "profile.hourly", read)
        return cls(hourly=tuple(read))

    @classmethod
    def from_minutes(cls, minutes: Iterable[Exact]) -> Self:
        """From the requests of successive minutes. Raises BadInput with every problem."""
        problems: list[Problem] = []
        values = [_take(problems, f"profile.minutes[{i}]", value, exact.amount) for i, value in enumerate(minutes)]
        read = [value for value in values if value is not None]
        _check_peak(problems, "profile.minutes", read)
        return cls(minutes=tuple(read))

    @classmethod
    def from_demand(cls, demand: DemandProfile, percentile: str | Percentile = "p99") -> Self:
        """From the minutes of a log, to be sized at this percentile of their weighted tokens ("p99", "p99.9", "max").

        Raises BadInput where the percentile is none, or no call of the log has a known size.
        """
        from ptucalc.log_minutes import parse_percentile

        problems: list[Problem] = []
        chosen: Percentile | None = None
        if isinstance(percentile, str):
            chosen = _take(problems, "profile.percentile", percentile, parse_percentile)
        else:
            chosen = percentile
        if demand.mean_call() is None:
            problems.append(Problem("profile", "no call of known size", "minutes with calls whose tokens are known"))
        if problems:
            raise BadInput(problems)
        return cls(demand=demand, percentile=chosen)

    @cached_property
    def peak(self) -> Fraction:
        """The largest rate that lasts any time, in requests per minute."""
        if self.levels:
            return max(rate for part, rate in self.levels if part)
        rates, scale = self.scaled
        return Fraction(max(rates), scale)

    @cached_property
    def call(self) -> dict[str, Fraction]:
        """The average call of a log, as values of a workload; of all calls, whatever a model serves of them."""
        mean = self.demand.mean_call() if self.demand is not None else None
        if mean is None:
            raise ValueError("only the minutes of a log have calls of their own")
        return mean_call_values(*mean)

    @property
    def timed(self) -> tuple[Fraction, ...]:
        """Rates along the time, equally long: 168 hours (a day is repeated), or the minutes.

        Empty for levels, which say nothing of when.
        """
        if self.demand is not None:
            return tuple(self.demand.requests_per_minute())
        return self.hourly * (HOURS_PER_WEEK // len(self.hourly)) if self.hourly else self.minutes

    @property
    def axis(self) -> tuple[str, int] | None:
        """What `timed` counts, and how long it is. Only profiles of one axis add moment by moment.

        None for levels, and for the minutes of a log, which are laid side by side by the clock (see `measured`).
        """
        if self.levels or self.demand is not None:
            return None
        return ("hours", HOURS_PER_WEEK) if self.hourly else ("minutes", len(self.minutes))

    @cached_property
    def scaled(self) -> tuple[tuple[int, ...], int]:
        """The rates of `timed` as integers over one denominator."""
        ratios = [rate.as_integer_ratio() for rate in self.hourly or self.minutes or self.timed]
        scale = lcm(*{bottom for _, bottom in ratios})
        rates = tuple(top if bottom == scale else top * (scale // bottom) for top, bottom in ratios)
        return (rates * (HOURS_PER_WEEK // len(rates)) if self.hourly else rates), scale


def mean_call_values(uncached: Fraction, cached: Fraction, written: Fraction, output: Fraction) -> dict[str, Fraction]:
    """A call's tokens by class as values of a workload: input and output tokens, the cached and the written share."""
    whole = uncached + cached + written
    return {
        "input_tokens": whole,
        "output_tokens": output,
        "cache_ratio": cached / whole if whole else Fraction(0),
        "cache_write_ratio": written / whole if whole else Fraction(0),
    }


def _shown(tokens: int | Fraction) -> str:
    """Tokens for a message; those of an average call to one decimal."""
    return f"{tokens:,}" if isinstance(tokens, int) else f"{float(tokens):,.1f}"


def _check_peak(problems: list[Problem], field: str, rates: list[Fraction]) -> None:
    if not problems and not any(rates):
        problems.append(Problem(field, "0 everywhere", "a rate over 0 at some time"))
    if problems:
        raise BadInput(problems)


def _take(problems: list[Problem], field: str, value: Any, read: Callable[[Any], _T]) -> _T | None:
    try:
        return read(value)
    except ValueError as error:
        expected = str(error)
    except TypeError:  # something that is no number at all: a list, a date
        expected = "a number"
    problems.append(Problem(field, "" if value is None else str(value), expected))
    return None


def _name(value: Any) -> str:
    if isinstance(value, (dict, list, tuple, set, bool)):
        raise ValueError("a name")
    text = str(value).strip()
    if not text or len(text) > LONGEST_NAME:
        raise ValueError(f"a name of 1 to {LONGEST_NAME} characters")
    if not text.isprintable() and any(category(c) in ("Cc", "Zl", "Zp") or c in TURNS_TEXT_AROUND for c in text):
        raise ValueError("a name without control characters")
    return text


_known_name = lru_cache(maxsize=4096)(_name)
"""For names that recur from row to row: models, versions, deployments."""


def region(value: Any) -> str:
    text = _name(value).casefold().replace(" ", "").replace("-", "")
    if not (text.isascii() and text.isalnum()):
        raise ValueError("an Azure region such as eastus2")
    return text


def _deployment_type(value: Any) -> DeploymentType:
    return DeploymentType.parse(_name(value))


READERS: Mapping[str, Callable[[Any], Any]] = {
    "name": _name,
    "model": _known_name,
    "model_version": _known_name,
    "requests_per_minute": exact.rate,
    "input_tokens": exact.mean_tokens,
    "output_tokens": exact.mean_tokens,
    "image_input_tokens": exact.tokens,
    "image_output_tokens": exact.tokens,
    "cache_ratio": exact.share,
    "cached_input_tokens": exact.tokens,
    "cache_write_ratio": exact.share,
    "max_tokens": exact.tokens,
    "average_requests_per_minute": exact.rate,
    "hours_per_month": exact.rate,
    "output_weight": exact.weight,
    "deployment_type": _deployment_type,
    "region": region,
    "deployment": _known_name,
}
"""Every value of a workload and how it is read: the one list that flags, CSV, YAML, JSON and the library share."""

REQUIRED = ("model", "requests_per_minute", "input_tokens", "output_tokens")


@dataclass(frozen=True, init=False)
class Workload:
    """One stream of similar calls to one model.

    `requests_per_minute` is the PEAK minute (a `profile` gives it instead); token counts are per call; `input_tokens`
    counts all prompt tokens, cached included, `output_tokens` reasoning included. `cache_ratio` is the share of the
    input tokens served from the prompt cache (or give `cached_input_tokens` per call), `cache_write_ratio` the share
    written to it. Numbers may be int, str, Decimal, Fraction or float and are kept exactly; shares may be "40%".
    `output_weight` is for models whose weight is not published. Input and output tokens are whole, unless given as the
    Fraction that the average of several calls is. Raises BadInput with every problem at once.

    With the minutes of a log (`LoadProfile.from_demand`) tokens and rate follow from them, are not given, and are exact
    averages: a mean call may have a fraction of a token. Sizing then takes those of the calls that the model serves.

    >>> Workload(model="gpt-4.1", requests_per_minute=600, input_tokens=1800, output_tokens=250, cache_ratio="40%").cache_ratio
    Fraction(2, 5)
    """

    name: str | None
    model: str
    model_version: str | None
    requests_per_minute: Fraction
    input_tokens: int | Fraction
    output_tokens: int | Fraction
    image_input_tokens: int
    image_output_tokens: int
    cache_ratio: Fraction
    cache_write_ratio: Fraction
    max_tokens: int | None
    average_requests_per_minute: Fraction | None
    hours_per_month: Fraction | None
    output_weight: Fraction | None
    deployment_type: DeploymentType | None
    region: str | None
    deployment: str | None
    profile: LoadProfile | None

    def __init__(
        self,
        *,
        model: str,
        input_tokens: Exact | None = None,
        output_tokens: Exact | None = None,
        requests_per_minute: Exact | None = None,
        profile: LoadProfile | None = None,
        name: str | None = None,
        model_version: str | None = None,
        image_input_tokens: Exact = 0,
        image_output_tokens: Exact = 0,
        cache_ratio: Exact | None = None,
        cached_input_tokens: Exact | None = None,
        cache_write_ratio: Exact = 0,
        max_tokens: Exact | None = None,
        average_requests_per_minute: Exact | None = None,
        hours_per_month: Exact | None = None,
        output_weight: Exact | None = None,
        deployment_type: DeploymentType | str | None = None,
        region: str | None = None,
        deployment: str | None = None,
    ) -> None:
        self._fill(
            {
                "name": name,
                "model": model,
                "model_version": model_version,
                "requests_per_minute": requests_per_minute,
                "input_tokens": input_tokens,
                "output_tokens": output_tokens,
                "image_input_tokens": image_input_tokens,
                "image_output_tokens": image_output_tokens,
                "cache_ratio": cache_ratio,
                "cached_input_tokens": cached_input_tokens,
                "cache_write_ratio": cache_write_ratio,
                "max_tokens": max_tokens,
                "average_requests_per_minute": average_requests_per_minute,
                "hours_per_month": hours_per_month,
                "output_weight": output_weight,
                "deployment_type": deployment_type,
                "region": region,
                "deployment": deployment,
            },
            profile,
        )

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], profile: LoadProfile | None = None) -> Self:
        """From raw values by field name, missing or None where not given; what readers of files and flags use."""
        workload = cls.__new__(cls)
        workload._fill(fields, profile)
        return workload

    def with_call(self, call: Mapping[str, Fraction], requests_per_minute: Fraction) -> Self:
        """The same workload with another average call and rate, as a log's minutes give them for a model."""
        other = type(self).__new__(type(self))
        vars(other).update({**vars(self), **call, "requests_per_minute": requests_per_minute})
        return other

    def _fill(self, fields: Mapping[str, Any], profile: LoadProfile | None) -> None:
        problems: list[Problem] = []
        if profile is not None and profile.demand is not None:
            fields = _with_own_call(fields, profile, problems)
        values: dict[str, Any] = _DEFAULTS.copy()
        for field, value in fields.items():
            if value is not None:
                try:
                    values[field] = READERS[field](value)
                except (ValueError, TypeError):
                    _take(problems, field, value, READERS[field])
        if (
            values["model"] is None
            or values["requests_per_minute"] is None
            or values["input_tokens"] is None
            or values["output_tokens"] is None
        ):
            _find_missing(fields, profile, problems)
        cached_tokens = values.pop("cached_input_tokens", None)
        if profile or cached_tokens is not None or values["cache_write_ratio"] or values["hours_per_month"]:
            self._relate(fields, values, cached_tokens, profile, problems)
        elif values["average_requests_per_minute"]:
            _check_average(fields, values, problems)
        if problems:
            raise BadInput(problems)
        if profile:
            values["requests_per_minute"] = profile.peak
            if profile.demand is not None:
                values.update(profile.call)
        values["profile"] = profile
        vars(self).update(values)

    @staticmethod
    def _relate(
        fields: Mapping[str, Any],
        values: dict[str, Any],
        cached_tokens: int | None,
        profile: LoadProfile | None,
        problems: list[Problem],
    ) -> None:
        """Checks between values, and the values that follow from others."""
        if problems:
            return
        rate = fields.get("requests_per_minute")
        own_peak = isinstance(rate, Fraction) and profile is not None and rate == profile.peak  # dataclasses.replace
        if profile and rate is not None and not own_peak:
            found = str(fields["requests_per_minute"])
            problems.append(
                Problem("requests_per_minute", found, "either a rate or a profile (its peak is the rate), not both")
            )
        if profile and values["average_requests_per_minute"] is not None:
            found = str(fields["average_requests_per_minute"])
            problems.append(Problem("average_requests_per_minute", found, "either an average or a profile, not both"))
        if cached_tokens is not None:
            if fields.get("cache_ratio") is not None:
                problems.append(
                    Problem(
                        "cache_ratio", str(fields["cache_ratio"]), "either cache_ratio or cached_input_tokens, not both"
                    )
                )
            elif cached_tokens > values["input_tokens"]:
                expected = f"at most input_tokens ({_shown(values['input_tokens'])})"
                problems.append(Problem("cached_input_tokens", str(cached_tokens), expected))
            elif cached_tokens:
                values["cache_ratio"] = Fraction(cached_tokens, values["input_tokens"])
        if values["cache_ratio"] + values["cache_write_ratio"] > 1:
            found = str(fields["cache_write_ratio"])
            problems.append(Problem("cache_write_ratio", found, "cached and written shares of at most 1 together"))
        if values["hours_per_month"] is not None and values["average_requests_per_minute"] is None:
            found = str(fields["hours_per_month"])
            problems.append(Problem("hours_per_month", found, "average_requests_per_minute beside it"))
        if values["hours_per_month"] is not None and values["hours_per_month"] > HOURS_PER_MONTH:
            expected = f"at most {HOURS_PER_MONTH}, which is what a month has here"
            problems.append(Problem("hours_per_month", str(fields["hours_per_month"]), expected))
        _check_average(fields, values, problems)


_DEFAULTS = {
    "name": None,
    "model": None,
    "model_version": None,
    "requests_per_minute": None,
    "input_tokens": None,
    "output_tokens": None,
    "image_input_tokens": 0,
    "image_output_tokens": 0,
    "cache_ratio": Fraction(0),
    "cache_write_ratio": Fraction(0),
    "max_tokens": None,
    "average_requests_per_minute": None,
    "hours_per_month": None,
    "output_weight": None,
    "deployment_type": None,
    "region": None,
    "deployment": None,
}


FROM_MINUTES = (
    "requests_per_minute",
    "input_tokens",
    "output_tokens",
    "cache_ratio",
    "cache_write_ratio",
    "cached_input_tokens",
    "image_input_tokens",
    "image_output_tokens",
)
"""Values that follow from the minutes of a log, where a workload has such a profile; images are none."""


def _with_own_call(fields: Mapping[str, Any], profile: LoadProfile, problems: list[Problem]) -> dict[str, Any]:
    """The fields without those that follow from a log's minutes; whole numbers stand in for these.

    A field that says what the minutes say is passed over: dataclasses.replace gives each.
    """
    own = {**profile.call, "requests_per_minute": profile.peak}
    for field in FROM_MINUTES:
        value = fields.get(field)
        if value is None or value == _DEFAULTS.get(field) or (isinstance(value, Fraction) and value == own.get(field)):
            continue
        expected = "no such value: it follows from the minutes of the log that `profile` names"
        problems.append(Problem(field, str(value), expected))
    rest = {field: value for field, value in fields.items() if field not in FROM_MINUTES}
    return {**rest, "requests_per_minute": profile.peak, "input_tokens": 0, "output_tokens": 0}


def _find_missing(fields: Mapping[str, Any], profile: LoadProfile | None, problems: list[Problem]) -> None:
    for field in REQUIRED:
        if fields.get(field) is None and not (field == "requests_per_minute" and profile):
            problems.append(Problem(field, "", _expected(field)))


def _check_average(fields: Mapping[str, Any], values: Mapping[str, Any], problems: list[Problem]) -> None:
    average, peak = values["average_requests_per_minute"], values["requests_per_minute"]
    if not problems and average is not None and peak is not None and average > peak:
        expected = f"at most the peak ({fields['requests_per_minute']})"
        problems.append(Problem("average_requests_per_minute", str(fields["average_requests_per_minute"]), expected))


def _expected(field: str) -> str:
    """What a missing value should have been, in the words that the field's reader uses for a wrong one."""
    if field == "model":
        return "a model name (see: ptucalc models)"
    try:
        READERS[field]("")
    except ValueError as error:
        return str(error)
    raise AssertionError(f"{field} accepts an empty value")
