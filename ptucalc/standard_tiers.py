"""Published limits of Standard (pay-as-you-go) deployments, as values: look-ups by model, deployment type and tier.

The numbers come from data/standard_limits.yaml; this module holds none. A row nobody read is unknown, not unlimited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from ptucalc.catalog import DeploymentType, Source, Unknown

__all__ = ["TPM_STEP", "CapacityUnit", "StandardLimit", "StandardLimits", "UnitRow"]

TPM_STEP = 1000
"""Quota is asked for in thousands of tokens per minute."""


class CapacityUnit(NamedTuple):
    """What quota is handed out in: so many calls per minute come with so many tokens per minute.

    `source` names where the pair, or the rows it follows from, were read.
    """

    rpm: int
    tpm: int
    source: str = ""

    @property
    def rpm_per_1000_tpm(self) -> Fraction:
        """Calls per minute that come with 1,000 tokens per minute."""
        return Fraction(self.rpm * TPM_STEP, self.tpm)

    def rpm_with(self, tpm: int) -> int:
        """The calls per minute that come with so many tokens per minute: whole ones, and at least one.

        >>> CapacityUnit(rpm=1, tpm=1000).rpm_with(2999), CapacityUnit(rpm=1, tpm=1000).rpm_with(500)
        (2, 1)
        """
        return max(1, self.rpm * tpm // self.tpm)


class UnitRow(NamedTuple):
    """A row of the capacity-unit table: for these models (and versions, where the row names them), or for a `group`.

    Which models a group means is not published, so that no model is looked up there.
    """

    models: tuple[str, ...]
    versions: tuple[str, ...]
    group: str
    unit: CapacityUnit | Unknown


class StandardLimit(NamedTuple):
    """What one deployment type of a model may take in a tier: `calls` per `per_seconds`, and tokens per minute."""

    model: str
    deployment_type: DeploymentType
    tier: int
    tier_name: str
    calls: int
    per_seconds: int
    tpm: int | Unknown
    source: str
    remark: str = ""

    @property
    def printed_calls(self) -> str:
        """The limit of calls as the table prints it: "1,000" a minute, or "300 / 10s"."""
        return f"{self.calls:,}" if self.per_seconds == 60 else f"{self.calls:,} / {self.per_seconds}s"

    @property
    def rpm(self) -> int | Unknown:
        """Calls per minute, where the table gives them per minute."""
        if self.per_seconds == 60:
            return self.calls
        return Unknown(f"the tier table prints {self.printed_calls}: a limit per {self.per_seconds} seconds")

    @property
    def rpm_per_1000_tpm(self) -> Fraction | Unknown:
        """Calls per minute that come with 1,000 tokens per minute."""
        if isinstance(self.rpm, Unknown):
            return self.rpm
        return self.tpm if isinstance(self.tpm, Unknown) else Fraction(self.rpm * TPM_STEP, self.tpm)


@dataclass(frozen=True, kw_only=True)
class StandardLimits:
    """The limits that were read, and what was not."""

    edition: str
    as_of: date
    sources: Mapping[str, Source] = field(repr=False)
    units: Sequence[UnitRow] = field(repr=False)
    limits: Sequence[StandardLimit] = field(repr=False)
    tokens_per_month: Mapping[str, int] = field(repr=False)
    not_collected: tuple[str, ...] = ()

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, DeploymentType], tuple[StandardLimit, ...]]:
        found: dict[tuple[str, DeploymentType], tuple[StandardLimit, ...]] = {}
        for limit in sorted(self.limits, key=lambda each: each.tier):
            key = (limit.model.casefold(), limit.deployment_type)
            found[key] = (*found.get(key, ()), limit)
        return found

    def of(self, model: str, deployment_type: DeploymentType) -> tuple[StandardLimit, ...] | Unknown:
        """The limits of a model on a deployment type, one for each tier that was read, the lowest tier first."""
        found = self._by_name.get((model.casefold(), deployment_type))
        return found or Unknown(f"no tier row of {model} on {deployment_type.label} Standard was read")

    def capacity_unit(
        self, model: str, deployment_type: DeploymentType, version: str | None = None
    ) -> CapacityUnit | Unknown:
        """The unit that quota of a model comes in, and so how many calls come with how many tokens.

        The tier rows of the deployment type decide, because the ratio differs between types; without such a row the
        capacity-unit table does, where it names the model. What rows contradict one another about is unknown.
        """
        rows, listed = self.of(model, deployment_type), self._listed(model, version)
        if isinstance(rows, Unknown):
            if isinstance(listed, CapacityUnit):
                return listed
            return Unknown(f"{rows.reason}; {listed.reason}")
        ratios = dict.fromkeys(row.rpm_per_1000_tpm for row in rows)
        unknown = next((ratio for ratio in ratios if isinstance(ratio, Unknown)), None)
        if unknown is not None:
            return unknown
        ratio, *others = ratios
        assert isinstance(ratio, Fraction)
        if others or (isinstance(listed, CapacityUnit) and listed.rpm_per_1000_tpm != ratio):
            return Unknown(f"the rows of {model} on {deployment_type.label} Standard give different RPM per 1,000 TPM")
        if isinstance(listed, CapacityUnit):
            return listed
        return CapacityUnit(ratio.numerator, TPM_STEP * ratio.denominator, rows[0].source)

    def _listed(self, model: str, version: str | None) -> CapacityUnit | Unknown:
        """What the capacity-unit table says of a model."""
        named = [row for row in self.units if model.casefold() in map(str.casefold, row.models)]
        fitting = [row.unit for row in named if not row.versions or version in row.versions]
        if len(fitting) == 1:
            return fitting[0]
        if named:
            versions = ", ".join(each for row in named for each in row.versions)
            return Unknown(f"the capacity-unit table gives a ratio for versions of {model}: {versions}")
        return Unknown(f"the capacity-unit table does not name {model}")

    def usage_tier_tokens_per_month(self, model: str) -> int | Unknown:
        """The usage tier of a model, in tokens per month."""
        found = {name.casefold(): tokens for name, tokens in self.tokens_per_month.items()}.get(model.casefold())
        return Unknown(f"no usage tier of {model} was read") if found is None else found
