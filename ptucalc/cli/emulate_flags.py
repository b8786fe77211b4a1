"""The flags of `ptucalc emulate`, as text, and what their values may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ptucalc.api import deployment_types_of
from ptucalc.catalog import DeploymentType, Model
from ptucalc.read.standard_limits import load_standard_limits
from ptucalc.standard_tiers import CapacityUnit

__all__ = ["EmulateFlags", "one_type", "rpm_with", "whole"]


class EmulateFlags(NamedTuple):
    """The flags, as text."""

    file: str | None = None
    model: str | None = None
    model_version: str | None = None
    ptu: str | None = None
    deployment: str | None = None
    route: str | None = None
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
    image_size: str | None = None
    port: str = "8089"
    log: str | None = None
    catalogs: tuple[str, ...] = ()
    quiet: bool = False


def whole(most: int) -> Callable[[str], int]:
    """Reads a whole number, 0 to the most."""

    def read(text: str) -> int:
        plain = text.strip()
        if not (plain.isascii() and plain.isdecimal()) or len(plain) > len(str(most)) or int(plain) > most:
            raise ValueError(f"a whole number, 0 to {most:,}")
        return int(plain)

    return read


def one_type(text: str) -> DeploymentType:
    """The deployment type that a flag names. Raises ValueError."""
    found = deployment_types_of(text.split(","))
    if len(found) != 1:
        raise ValueError("one of global, data-zone or regional")
    return found[0]


def rpm_with(tpm: int, model: Model, kind: DeploymentType, version: str | None) -> int | None:
    """The RPM that come with so many TPM, whole ones and at least 1; None where that is not known."""
    unit = load_standard_limits().capacity_unit(model.name, kind, version)
    return unit.rpm_with(tpm) if isinstance(unit, CapacityUnit) else None
