"""The flags of `ptucalc logs`, and what can be wrong with them before a log is read: all of it at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Literal, NamedTuple, TypeVar

from ptucalc import exact
from ptucalc.api import deployment_types_of
from ptucalc.catalog import DeploymentType
from ptucalc.cli.flag_reader import FlagReader
from ptucalc.errors import BadInput, Problem
from ptucalc.log_minutes import parse_percentile
from ptucalc.log_result import By
from ptucalc.read.log_choices import Choices, window_of
from ptucalc.time_zones import zone_of
from ptucalc.timestamps import TimeLayout

__all__ = ["CheckedFlags", "LogFlags"]

_T = TypeVar("_T")

EXAMPLE = "a log: ptucalc logs requests.csv -m gpt-4.1, or ptucalc logs --kql apim for a query that gets one"


class LogFlags(NamedTuple):
    """The flags of `ptucalc logs`, as text."""

    files: tuple[str, ...]
    columns: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    model: str | None = None
    model_version: str | None = None
    by: str = "deployment"
    since: str | None = None
    until: str | None = None
    time_zone: str | None = None
    date_order: str | None = None
    bucket_seconds: str | None = None
    input_excludes_cached: bool = False
    output_excludes_reasoning: bool = False
    output_share: str | None = None
    skip_bad: bool = False
    output_weight: str | None = None
    percentile: str = "p99"
    sku: str = "all"
    region: str | None = None
    headroom: str | None = None
    catalogs: tuple[str, ...] = ()


class CheckedFlags(NamedTuple):
    """What the flags say, where it is not just text that is handed on."""

    columns: dict[str, str]
    models: dict[str, str]
    by: By
    date_order: Literal["mdy", "dmy"] | None
    bucket_seconds: int | None
    output_share: Fraction | None
    deployment_types: tuple[DeploymentType, ...]

    @classmethod
    def of(cls, flags: LogFlags, problems: Sequence[Problem]) -> CheckedFlags:
        """From the flags. Raises BadInput with all that is wrong with them, `problems` too."""
        reader = FlagReader(problems)
        wrong, read = reader.problems, reader.optional
        if not flags.files:
            wrong.append(Problem("logs", "", EXAMPLE))

        columns = _pairs("--map", flags.columns, "FIELD=COLUMN, such as input_tokens=PromptTokens", wrong)
        models = _pairs("--map-model", flags.models, "DEPLOYMENT=MODEL, such as chat-prod=gpt-4.1", wrong)
        order = read("date_order", flags.date_order, _one_of("mdy (month first) or dmy (day first)", ("mdy", "dmy")))
        by = read("by", flags.by, _one_of("deployment, model or none", ("deployment", "model", "none")))
        seconds = read("bucket_seconds", flags.bucket_seconds, lambda text: exact.positive(text.removesuffix("s")))
        share = read("output_share", flags.output_share, exact.share)
        kinds = read("sku", flags.sku, lambda text: deployment_types_of(text.split(",")))
        zone = read("time_zone", flags.time_zone, zone_of)
        read("percentile", flags.percentile, parse_percentile)
        read("headroom", flags.headroom, exact.headroom)
        read("output_weight", flags.output_weight, exact.weight)
        if flags.time_zone is None or zone is not None:
            times = [None if text is None or _is_number(text) else text for text in (flags.since, flags.until)]
            choices = Choices(time_zone=flags.time_zone, since=times[0], until=times[1])
            read("since", "", lambda _: window_of(choices, TimeLayout("iso")))
        if wrong:
            raise BadInput(wrong)
        return cls(columns, models, by or "deployment", order, seconds, share, kinds or ())


def _is_number(text: str) -> bool:
    try:
        exact.amount(text)
    except ValueError:
        return False
    return True


def _one_of(expected: str, values: Sequence[Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if text.casefold() not in values:
            raise ValueError(expected)
        return text.casefold()

    return read


def _pairs(flag: str, texts: Sequence[str], expected: str, problems: list[Problem]) -> dict[str, str]:
    """What NAME=VALUE flags say; a value may hold further = signs, a name (a deployment's) cannot."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            problems.append(Problem(flag, text, expected))
        elif found.setdefault(name.strip(), value.strip()) != value.strip():
            problems.append(Problem(flag, text, f"one value: {name.strip()}={found[name.strip()]} is given too"))
    return found
