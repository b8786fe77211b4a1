"""Image tokens: the guide's worked examples, boundaries by hand, and both formulas against a second implementation."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ptucalc.image_rules import ImagePatches, ImageTiles, PatchBudget
from ptucalc.image_size import ImageSize
from ptucalc.image_tokens import image_tokens, needs_size
from ptucalc.read.token_rules import load_token_rules
from ptucalc.token_rules import Basis

GEOMETRY = load_token_rules().images
TILES = ImageTiles(base=85, per_tile=170, verified=True, source="guide")
SMALL = PatchBudget(patches=1536, longest_side_px=2048)
PATCHES = ImagePatches(Fraction(162, 100), {"high": SMALL}, verified=True, source="guide")
PLAIN = PATCHES._replace(multiplier=Fraction(1))


def tokens(rule: ImageTiles | ImagePatches, width: int, height: int, detail: str = "high") -> int:
    return image_tokens(rule, GEOMETRY, detail, ImageSize(width, height)).tokens


# Tiles


@pytest.mark.parametrize(
    ("width", "height", "published"),
    [(1024, 1024, 765), (2048, 4096, 1105), (4096, 2048, 1105), (512, 512, 255)],
)
def test_worked_examples_of_the_guide_for_tiles(width: int, height: int, published: int) -> None:
    assert tokens(TILES, width, height) == published


def test_low_detail_is_the_base_whatever_the_size() -> None:
    assert tokens(TILES, 4096, 8192, "low") == 85
    assert image_tokens(TILES, GEOMETRY, "low", None) == (85, Basis.PUBLISHED, "low detail, any size", "")


@pytest.mark.parametrize(
    ("width", "height", "tiles"),
    [
        (1, 1, 1),  # never enlarged
        (512, 512, 1),
        (513, 512, 2),
        (512, 513, 2),
        (768, 768, 4),
        (768, 1536, 6),
        (768, 1537, 8),
        (769, 1538, 6),  # scaled by 768/769: 768 x 1536
        (2048, 768, 8),
        (2049, 1, 4),  # into 2048: 2048 x 0.9995
        (4096, 1024, 4),  # 2048 x 512: the shortest side is under 768 and stays
        (4096, 1026, 8),  # 2048 x 513
    ],
)
def test_tiles_at_the_boundaries(width: int, height: int, tiles: int) -> None:
    assert tokens(TILES, width, height) == 85 + 170 * tiles
    assert tokens(TILES, height, width) == 85 + 170 * tiles


def test_detail_auto_counts_as_high_and_is_an_estimate() -> None:
    counted = image_tokens(TILES, GEOMETRY, "auto", ImageSize(1024, 1024))
    assert counted == (765, Basis.ESTIMATE, "1024 x 1024, 4 tiles", "detail auto taken as high")
    high = image_tokens(TILES, GEOMETRY, "high", ImageSize(512, 512))
    assert high == (255, Basis.PUBLISHED, "512 x 512, 1 tile", "")


def test_an_unpublished_level_of_detail_is_refused_or_estimated_as_the_costliest() -> None:
    rule = PLAIN._replace(details={"high": PatchBudget(4, 2048), "original": PatchBudget(9, 6000)})
    with pytest.raises(ValueError, match=r"auto, high or original .*--image-size 1024x768 takes the costliest"):
        image_tokens(rule, GEOMETRY, "low", ImageSize(320, 320))
    found = image_tokens(rule, GEOMETRY, "low", ImageSize(320, 320), estimated=True)
    assert (found.tokens, found.basis, found.why) == (9, Basis.ESTIMATE, "detail low taken as original")
    assert image_tokens(rule, GEOMETRY, "high", ImageSize(320, 320), estimated=True).basis is Basis.PUBLISHED
    with pytest.raises(ValueError, match=r"^auto, high or original \(how others are scaled is not published\)$"):
        image_tokens(rule, GEOMETRY, "medium", ImageSize(320, 320), estimated=True)


def test_a_rule_that_is_not_verified_makes_estimates() -> None:
    for rule in (TILES._replace(verified=False), PATCHES._replace(verified=False)):
        assert image_tokens(rule, GEOMETRY, "high", ImageSize(9, 9)).basis is Basis.ESTIMATE


def test_a_detail_that_tiles_do_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="low, high or auto"):
        tokens(TILES, 9, 9, "original")


def test_only_low_detail_of_tiles_needs_no_size() -> None:
    assert not needs_size(TILES, "low")
    assert needs_size(TILES, "high") and needs_size(TILES, "auto") and needs_size(PATCHES, "low")


# Patches


@pytest.mark.parametrize(("width", "height", "published"), [(1024, 1024, 1024), (1800, 2400, 1452), (2400, 1800, 1452)])
def test_worked_examples_of_the_guide_for_patches(width: int, height: int, published: int) -> None:
    assert tokens(PLAIN, width, height) == published


def test_the_multiplier_is_applied_to_whole_patches_and_rounded_up() -> None:
    assert tokens(PATCHES, 1800, 2400) == 2353  # 1,452 x 1.62 = 2,352.24
    assert tokens(PATCHES, 32, 32) == 2
    assert tokens(PATCHES, 320, 160) == 81  # 50 x 1.62 is 81 exactly


def test_the_guides_example_of_a_larger_budget() -> None:
    """A 2048 x 2048 image needs 4,096 patches; 2,500 shrink it to 1600 x 1600; x 1.2 = 3,000."""
    rule = ImagePatches(Fraction(12, 10), {"high": PatchBudget(2500, 2048)}, verified=False, source="guide")
    assert tokens(rule, 2048, 2048) == 3000


@pytest.mark.parametrize(
    ("width", "height", "patches"),
    [
        (1, 1, 1),
        (32, 32, 1),
        (33, 32, 2),
        (1536, 1024, 48 * 32),  # just within the budget
        (1537, 1024, 47 * 31),  # over it: sides of 48.02 and 31.99 patches; 31 high, so 1537 x 31 / 1024 = 46.5 wide
    ],
)
def test_patches_at_the_boundaries(width: int, height: int, patches: int) -> None:
    assert tokens(PLAIN, width, height) == patches


def test_a_side_over_the_longest_is_scaled_first() -> None:
    assert tokens(PLAIN, 4096, 32) == 64  # 2048 x 16
    assert tokens(PLAIN, 2049, 32) == 64


def test_a_level_of_detail_has_a_budget_of_its_own() -> None:
    details = {"low": PatchBudget(256, 512), "high": PatchBudget(2500, 2048), "original": PatchBudget(10000, 6000)}
    rule = PLAIN._replace(details=details)
    assert [tokens(rule, 3200, 3200, detail) for detail in ("low", "high", "original")] == [256, 2500, 10000]


def test_detail_auto_without_a_budget_takes_the_costliest_and_says_so() -> None:
    rule = PLAIN._replace(details={"high": PatchBudget(2500, 2048), "original": PatchBudget(10000, 6000)})
    counted = image_tokens(rule, GEOMETRY, "auto", ImageSize(3200, 3200))
    assert counted == (10000, Basis.ESTIMATE, "3200 x 3200, 10,000 patches", "detail auto taken as original")
    own = rule._replace(details={**rule.details, "auto": PatchBudget(2500, 2048)})
    assert image_tokens(own, GEOMETRY, "auto", ImageSize(3200, 3200))[:2] == (2500, Basis.PUBLISHED)


def test_a_detail_without_a_budget_is_refused_and_the_others_are_named() -> None:
    with pytest.raises(ValueError, match="auto or high "):
        tokens(PATCHES, 9, 9, "low")


# A second implementation: the guide's steps as they are written, in decimals of 120 digits


def _settled(value: Decimal) -> Decimal:
    """Rounded where the digits of the working end, so that whole numbers are whole."""
    return value.quantize(Decimal(1).scaleb(-60))


def _floor(value: Decimal) -> Decimal:
    return _settled(value).to_integral_value(ROUND_FLOOR)


def _ceiling(value: Decimal) -> int:
    return int(_settled(value).to_integral_value(ROUND_CEILING))


def guide_patches(width: int, height: int, budget: PatchBudget) -> int:
    with localcontext() as context:
        context.prec = 120
        w, h = Decimal(width), Decimal(height)
        shrink = min(Decimal(1), budget.longest_side_px / max(w, h))
        w, h = w * shrink, h * shrink
        if _ceiling(w / 32) * _ceiling(h / 32) <= budget.patches:
            return _ceiling(w / 32) * _ceiling(h / 32)
        r = (Decimal(32 * 32 * budget.patches) / (w * h)).sqrt()
        r *= min(_floor(w * r / 32) / (w * r / 32), _floor(h * r / 32) / (h * r / 32))
        return _ceiling(w * r / 32) * _ceiling(h * r / 32)


def guide_tiles(width: int, height: int) -> int:
    with localcontext() as context:
        context.prec = 120
        w, h = Decimal(width), Decimal(height)
        if max(w, h) > 2048:
            w, h = w * 2048 / max(w, h), h * 2048 / max(w, h)
        if _settled(min(w, h)) > 768:
            w, h = w * 768 / min(w, h), h * 768 / min(w, h)
        return _ceiling(w / 512) * _ceiling(h / 512)


SIDES = st.one_of(st.integers(1, 70_000), st.integers(1, 300).map(lambda n: 32 * n), st.integers(1, 4096))
BUDGETS = [SMALL, PatchBudget(2500, 2048), PatchBudget(10000, 6000), PatchBudget(30000, 65535), PatchBudget(256, 512)]


@settings(max_examples=400)
@given(SIDES, SIDES, st.sampled_from(BUDGETS))
@example(1800, 2400, SMALL)
@example(1537, 1024, SMALL)
@example(65535, 1, PatchBudget(30000, 65535))
def test_patches_are_those_of_the_guides_steps(width: int, height: int, budget: PatchBudget) -> None:
    rule = PLAIN._replace(details={"high": budget})
    found = tokens(rule, width, height)
    assert found == guide_patches(width, height, budget)
    assert 1 <= found <= budget.patches
    assert found == tokens(rule, height, width)


@settings(max_examples=400)
@given(SIDES, SIDES)
def test_tiles_are_those_of_the_guides_steps(width: int, height: int) -> None:
    assert tokens(TILES, width, height) == 85 + 170 * guide_tiles(width, height)


@given(SIDES, SIDES)
def test_an_image_has_at_most_eight_tiles(width: int, height: int) -> None:
    assert 85 + 170 <= tokens(TILES, width, height) <= 85 + 8 * 170
