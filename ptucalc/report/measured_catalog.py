"""A catalog overlay with what a benchmark measured, as YAML text: the rate, and what supports it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from ptucalc.bench_calibration import Bounds
from ptucalc.bench_result import BenchResult
from ptucalc.catalog import Unknown
from ptucalc.report.blocks import amount_text

__all__ = ["measured_catalog_text"]


def measured_catalog_text(result: BenchResult, day: date, *, output_weight: Fraction | None = None) -> str:
    """The overlay. ValueError where the measurement supports no rate. `output_weight` is one that was given by hand.

    The endpoint and the deployment's name are left out.
    """
    calibration = result.calibration
    if calibration is None:
        raise ValueError("nothing was calibrated")
    if isinstance(calibration.bounds, Unknown):
        raise ValueError(calibration.bounds.reason)
    rate = calibration.tpm_per_ptu_to_use
    if isinstance(rate, Unknown):
        raise ValueError(rate.reason)
    return "\n".join(_lines(result, calibration.bounds, rate, day, output_weight)) + "\n"


def _lines(result: BenchResult, bounds: Bounds, rate: int, day: date, output_weight: Fraction | None) -> Iterator[str]:
    calibration, setting = result.calibration, result.setting
    assert calibration is not None
    low, high = bounds.at_least / calibration.ptu, bounds.at_most / calibration.ptu
    known = calibration.catalog_tpm_per_ptu
    said = "has none" if isinstance(known, Unknown) else f"says {known:,}"
    name = f"measured-{day.isoformat()}"
    yield f"# What a PTU of {_one_line(setting.model)} was measured to serve; lay it over the rates with --catalog."
    yield f"# At least {amount_text(low, 1)} and at most {amount_text(high, 1)} weighted TPM per PTU; the catalog {said}."
    if calibration.verdict == "agrees":
        yield "# The catalog's rate lies between them, so it stands here."
    else:
        yield "# The catalog's rate does not lie between them, so the lower bound stands here: the safe side."
    yield "# It holds for this mix of tokens and the catalog's weights, as far as one measurement goes."
    yield "schema: ptucalc.catalog/1"
    yield f"edition: {name}"
    yield f"as_of: {day.isoformat()}"
    yield "sources:"
    yield f"  {name}:"
    title = (
        f"measured: {amount_text(low, 1)} to {amount_text(high, 1)} weighted TPM per PTU on {calibration.ptu:,} PTU, "
        f"{bounds.refusals:,} 429s in {amount_text(Fraction(bounds.span_us, 10**6), 1)} s, calls of "
        f"{amount_text(setting.input_tokens)} input and at most {amount_text(setting.output_tokens)} output tokens"
    )
    version = f" {setting.model_version}" if setting.model_version else ""
    where = (
        f"ptucalc {result.version} bench --calibrate, {setting.model}{version}, {setting.wire} wire form, catalog "
        f"{', '.join(result.editions)}; the endpoint is left out"
    )
    yield f"    title: {_quoted(title)}"
    yield f"    where: {_quoted(where)}"
    yield f"    published: {_quoted(day.isoformat())}"
    yield f"    checked: {day.isoformat()}"
    yield "models:"
    yield f"  - name: {_quoted(setting.model)}"
    yield f"    tpm_per_ptu: {rate}"
    if output_weight is not None:
        yield f"    weights: {{output: {output_weight}}}"
    yield f"    source: {name}"


def _quoted(text: str) -> str:
    return json.dumps(_one_line(text), ensure_ascii=not text.isprintable())


def _one_line(text: str) -> str:
    return " ".join(text.split())
