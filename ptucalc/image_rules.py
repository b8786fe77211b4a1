"""How a model turns an image into input tokens, as published: the numbers of the rule, not the arithmetic.

The numbers come from a catalog file (models.yaml); this module holds none. Source of both rules: OpenAI's guide to
images and vision; each rule names the copy it was read in.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

__all__ = ["ImagePatches", "ImageTiles", "PatchBudget"]


class ImageTiles(NamedTuple):
    """`base` tokens for an image, and `per_tile` more for each tile that it covers (none at low detail).

    `verified`: read in the words of the model's maker; otherwise in somebody else's.
    """

    base: int
    per_tile: int
    verified: bool
    source: str


class PatchBudget(NamedTuple):
    """How large an image may be before it is scaled down: in patches, and along its longest side in pixels."""

    patches: int
    longest_side_px: int


class ImagePatches(NamedTuple):
    """So many tokens as the image covers patches, times a `multiplier`.

    `details` has the budget of each level of detail that one is published for. `verified`: read in the words of the
    model's maker; otherwise in somebody else's.
    """

    multiplier: Fraction
    details: Mapping[str, PatchBudget]
    verified: bool
    source: str
