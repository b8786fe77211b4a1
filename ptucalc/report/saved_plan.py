"""A plan of workloads that a log measured, as YAML text: what `ptucalc logs --save` writes beside the minutes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from ptucalc.demand_profile import DemandProfile, MeanCall
from ptucalc.report.blocks import amount_text, percent_text
from ptucalc.results import utc_minute

__all__ = ["SavedWorkload", "plan_text"]


class SavedWorkload(NamedTuple):
    """One workload of a plan: its model and place as far as they are known, its minutes, the percentile to size at."""

    name: str
    model: str
    profile: DemandProfile
    percentile: str = "p99"
    model_version: str | None = None
    deployment_type: str | None = None
    region: str | None = None
    deployment: str | None = None
    output_weight: str | None = None


def plan_text(
    workloads: Sequence[SavedWorkload],
    minutes_file: str,
    *,
    headroom: str | None = None,
    remarks: Sequence[str] = (),
) -> str:
    """The plan. `minutes_file` is the file of minutes as seen from the plan's folder; `remarks` begin it as comments.

    Each workload says its average call in a comment; the numbers themselves are in the minutes.
    """
    lines = [f"# {_one_line(remark)}" for remark in remarks]
    if headroom is not None:
        lines.append(f"headroom: {_scalar(headroom)}")
    lines.append("workloads:")
    for workload in workloads:
        lines += _entry(workload, minutes_file)
    return "\n".join(lines) + "\n"


def _entry(workload: SavedWorkload, minutes_file: str) -> Iterator[str]:
    yield f"  - name: {_scalar(workload.name)}"
    yield f"    model: {_scalar(workload.model)}"
    for field in ("model_version", "deployment_type", "region", "deployment", "output_weight"):
        value = getattr(workload, field)
        if value is not None:
            yield f"    {field}: {_scalar(value)}"
    profile, mean = workload.profile, workload.profile.mean_call()
    start = "relative clock" if profile.start is None else f"from {utc_minute(profile.start)}"
    yield f"    # {amount_text(profile.requests)} requests in {profile.length:,} minutes, {start}"
    if mean is not None:
        yield f"    # mean call: {_call(mean)}"
    yield f"    profile: {{minutes_file: {_scalar(minutes_file)}, percentile: {_scalar(workload.percentile)}}}"


def _call(mean: MeanCall) -> str:
    shares = ((mean.cached, "cached"), (mean.written, "written to the cache"))
    said = [f"{percent_text(Fraction(tokens) / mean.input)} {what}" for tokens, what in shares if tokens]
    more = f" ({', '.join(said)})" if said else ""
    return f"{amount_text(mean.input)} input tokens{more}, {amount_text(mean.output)} output tokens"


_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[._/-][A-Za-z0-9]+)*", re.ASCII)
_MEANT_OTHERWISE = frozenset(["null", "true", "false", "yes", "no", "on", "off", "y", "n"])


def _scalar(text: str) -> str:
    """The text as a YAML scalar that every reader takes for this text: quoted where it might be something else."""
    if _PLAIN.fullmatch(text) and text.casefold() not in _MEANT_OTHERWISE:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _one_line(text: str) -> str:
    return " ".join(text.split())
