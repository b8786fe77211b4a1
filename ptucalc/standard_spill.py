"""Would a Standard (pay-as-you-go) deployment take the calls: which of them it refuses, what quota to ask for, pacing."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

from ptucalc.call_groups import CallGroup
from ptucalc.call_trace import CallTrace
from ptucalc.catalog import Unknown
from ptucalc.errors import BadInput
from ptucalc.standard_limits import StandardSimulation, estimated_tokens, simulate_standard
from ptucalc.standard_quota import Pacing, QuotaNeeded, QuotaSplit, pacing, quota_needed, split_quota
from ptucalc.standard_tiers import CapacityUnit, StandardLimit, StandardLimits

__all__ = ["StandardAsked", "StandardCheck", "standard_check"]


PARTS = 2
"""Over so many deployments a quota is split, to see what that changes."""


class StandardAsked(NamedTuple):
    """Limits to check calls against, and how they are counted. None: not given."""

    tpm: int | None = None
    rpm: int | None = None
    window_seconds: int = 1
    best_of: int = 1
    assumed_max_tokens: int | None = None
    target: Fraction = Fraction(0)

    @property
    def any_limit(self) -> bool:
        """Whether there is a limit to check."""
        return self.tpm is not None or self.rpm is not None


@dataclass(frozen=True, kw_only=True)
class StandardCheck:
    """What becomes of calls on a Standard deployment.

    `calls` says which calls: those that `spilled` from `ptu` PTU, or `all` of them. `needed` is the quota that refuses no
    more than the target. `checked` replays the limits given (`rpm_from_tpm`: the RPM are those that come with the TPM),
    `split` the same on two deployments. `pace` is the steady gap that stays under them, for calls of the mean size.
    `published` are the limits of the model's tiers; `enough_in` the lowest tier that holds the quota needed.
    """

    calls: Literal["spilled", "all"]
    ptu: int | None
    requests: int
    unit: CapacityUnit | Unknown
    asked: StandardAsked
    needed: QuotaNeeded | None = None
    checked: StandardSimulation | None = None
    rpm_from_tpm: bool = False
    split: QuotaSplit | Unknown | None = None
    mean_tokens: Fraction | None = None
    pace: Pacing | Unknown | None = None
    published: tuple[StandardLimit, ...] | Unknown
    enough_in: StandardLimit | None = None


def standard_check(
    trace: CallTrace, group: CallGroup, limits: StandardLimits, asked: StandardAsked, ptu: int | None
) -> StandardCheck:
    """Replay the calls against the limits given, or find the limits they need. `ptu` None: these are all calls."""
    assert group.model is not None
    kind, name = group.deployment_type, group.model.name
    unit = limits.capacity_unit(name, kind, group.model_version)
    published = limits.of(name, kind)
    which: Literal["spilled", "all"] = "all" if ptu is None else "spilled"
    if not len(trace):
        return StandardCheck(calls=which, ptu=ptu, requests=0, unit=unit, asked=asked, published=published)
    needed = quota_needed(
        trace,
        unit=unit,
        target=asked.target,
        window_seconds=asked.window_seconds,
        best_of=asked.best_of,
        assumed_max_tokens=asked.assumed_max_tokens,
    )
    tokens = estimated_tokens(trace, best_of=asked.best_of, assumed_max_tokens=asked.assumed_max_tokens)
    mean = Fraction(sum(tokens), len(tokens))
    tpm, rpm, followed = asked.tpm, asked.rpm, False
    if tpm is not None and rpm is None and isinstance(unit, CapacityUnit):
        rpm, followed = unit.rpm_with(tpm), True
    checked: StandardSimulation | None = None
    split: QuotaSplit | Unknown | None = None
    pace: Pacing | Unknown | None = None
    if asked.any_limit:
        checked = simulate_standard(
            trace,
            tpm=tpm,
            rpm=rpm,
            window_seconds=asked.window_seconds,
            best_of=asked.best_of,
            assumed_max_tokens=asked.assumed_max_tokens,
        )
        pace = _pace(tpm, rpm, asked.window_seconds, mean)
        if tpm is not None:
            split = _split(trace, tpm, rpm, asked)
    return StandardCheck(
        calls=which,
        ptu=ptu,
        requests=len(trace),
        unit=unit,
        asked=asked,
        needed=needed,
        checked=checked,
        rpm_from_tpm=followed and rpm is not None,
        split=split,
        mean_tokens=mean,
        pace=pace,
        published=published,
        enough_in=_enough(published, needed),
    )


def _pace(tpm: int | None, rpm: int | None, window_seconds: int, mean: Fraction) -> Pacing | Unknown:
    try:
        return pacing(tpm=tpm, rpm=rpm, window_seconds=window_seconds, tokens_per_call=mean)
    except BadInput as error:
        return Unknown(error.problems[0].expected)


def _split(trace: CallTrace, tpm: int, rpm: int | None, asked: StandardAsked) -> QuotaSplit | Unknown:
    if rpm is None:
        return Unknown("how many RPM come with the TPM is not known")
    try:
        return split_quota(
            trace,
            tpm=tpm,
            rpm=rpm,
            deployments=PARTS,
            window_seconds=asked.window_seconds,
            best_of=asked.best_of,
            assumed_max_tokens=asked.assumed_max_tokens,
        )
    except BadInput as error:
        return Unknown(f"a quota is split into {error.problems[0].expected}")


def _enough(published: tuple[StandardLimit, ...] | Unknown, needed: QuotaNeeded) -> StandardLimit | None:
    """The lowest tier that holds what is needed; where its RPM come with its TPM as the quota's do, so do they."""
    if isinstance(published, Unknown) or isinstance(needed.quota, Unknown):
        return None
    quota = needed.quota
    for limit in published:
        if not isinstance(limit.tpm, Unknown) and limit.tpm >= quota.tpm:
            return limit
    return None
