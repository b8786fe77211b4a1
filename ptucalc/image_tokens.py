"""Input tokens of an image, by tiles or by patches, in exact arithmetic.

Source of both formulas: OpenAI's guide "Images and vision", Calculating costs. The numbers are in data/token_rules.yaml
(the geometry) and in the catalog (what each model charges).
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import NamedTuple

from ptucalc.image_rules import ImagePatches, ImageTiles, PatchBudget
from ptucalc.image_size import ImageSize
from ptucalc.rounding import Grid
from ptucalc.token_rules import Basis, ImageGeometry

__all__ = ["ImageTokens", "image_tokens", "needs_size"]

AUTO = "auto"
"""The level of detail of an image that states none: the service chooses."""

LOW, HIGH = "low", "high"
LEVELS = (LOW, HIGH, "original", AUTO)
"""The levels of detail that requests have."""

_WHOLE = Grid(1, 1)
"""Tiles, patches and tokens come whole, and an image has one at least."""


class ImageTokens(NamedTuple):
    """What an image counts; `note` says how it was scaled, `why` what was assumed."""

    tokens: int
    basis: Basis
    note: str
    why: str = ""


def needs_size(rule: ImageTiles | ImagePatches, detail: str) -> bool:
    """Whether what an image counts depends on its size: all but low detail where tiles are counted."""
    return not (isinstance(rule, ImageTiles) and detail == LOW)


def image_tokens(
    rule: ImageTiles | ImagePatches,
    geometry: ImageGeometry,
    detail: str,
    size: ImageSize | None,
    *,
    estimated: bool = False,
) -> ImageTokens:
    """Tokens of an image of this size at this level of detail.

    `size` may be None where `needs_size` says so. Raises ValueError, with the levels that are published, for another one;
    unless an estimate will do (`estimated`): then a level that other models have is taken as the one that costs most.
    """
    basis = Basis.PUBLISHED if rule.verified else Basis.ESTIMATE
    if isinstance(rule, ImageTiles):
        if detail not in (LOW, HIGH, AUTO):
            raise ValueError("low, high or auto")
        if detail == LOW:
            return ImageTokens(rule.base, basis, "low detail, any size")
        assert size is not None
        tiles = _tiles(size, geometry)
        note = f"{size}, {tiles} {'tile' if tiles == 1 else 'tiles'}"
        if detail == AUTO:
            return ImageTokens(rule.base + tiles * rule.per_tile, Basis.ESTIMATE, note, "detail auto taken as high")
        return ImageTokens(rule.base + tiles * rule.per_tile, basis, note)
    assert size is not None
    if detail in rule.details:
        return _of_patches(rule, rule.details[detail], geometry, size, basis, "")
    if detail != AUTO and not (estimated and detail in LEVELS):
        known = sorted({*rule.details, AUTO})
        way_out = "; --image-size 1024x768 takes the costliest" if detail in LEVELS else ""
        raise ValueError(f"{', '.join(known[:-1])} or {known[-1]} (how others are scaled is not published{way_out})")
    counted = [
        _of_patches(rule, budget, geometry, size, Basis.ESTIMATE, f"detail {detail} taken as {name}")
        for name, budget in rule.details.items()
    ]
    return max(counted, key=lambda each: each.tokens)


def _tiles(size: ImageSize, geometry: ImageGeometry) -> int:
    """Tiles of an image that is scaled into the square, then to the shortest side; never enlarged."""
    shrink = min(Fraction(1), Fraction(geometry.fit_px, max(size)))
    shrink = min(shrink, Fraction(geometry.shortest_side_px, min(size)))
    wide, high = (_WHOLE.round_up(side * shrink.numerator, shrink.denominator * geometry.tile_px) for side in size)
    return wide * high


def _of_patches(
    rule: ImagePatches, budget: PatchBudget, geometry: ImageGeometry, size: ImageSize, basis: Basis, why: str
) -> ImageTokens:
    patches = _patches(size, budget, geometry.patch_px)
    tokens = _WHOLE.round_up(patches * rule.multiplier.numerator, rule.multiplier.denominator)
    return ImageTokens(tokens, basis, f"{size}, {patches:,} {'patch' if patches == 1 else 'patches'}", why)


def _patches(size: ImageSize, budget: PatchBudget, patch_px: int) -> int:
    """Patches of an image that is scaled to the longest side, then, if they are over the budget, to the budget.

    The guide scales by r = sqrt(patch² x budget / (w x h)), then further, so that one side is whole patches. In patches the
    sides are then w x r / patch = sqrt(w x budget / h), and likewise the other, whatever the scale before: only whole
    parts of roots are needed, and `isqrt` of a rounded-down quotient is the rounded-down root of the quotient.
    """
    width, height = size
    shrink = min(Fraction(1), Fraction(budget.longest_side_px, max(size)))
    wide, high = (_WHOLE.round_up(side * shrink.numerator, shrink.denominator * patch_px) for side in size)
    if wide * high <= budget.patches:
        return wide * high
    wide = max(1, isqrt(width * budget.patches // height))
    high = max(1, isqrt(height * budget.patches // width))
    if wide * height <= high * width:  # the width loses the larger share, so it decides
        return wide * _WHOLE.round_up(height * wide, width)
    return high * _WHOLE.round_up(width * high, height)
