"""data/token_rules.yaml says what was read, and a file that says otherwise is refused with its lines."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ptucalc.errors import BadCatalog
from ptucalc.read.catalog import find_bundled, load_catalog
from ptucalc.read.token_rules import BUNDLED_RULES, build_token_rules, load_token_rules, read_token_rules_data
from ptucalc.token_rules import Basis

RULES = load_token_rules()
TEXT = find_bundled(BUNDLED_RULES).read_text(encoding="utf-8")


def problems(path: Path, old: str, new: str) -> list[tuple[int | None, str]]:
    """Line and what was expected of each problem, when this is written in place of that."""
    assert TEXT.count(old) == 1
    path = path / "rules.yaml"
    path.write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(BadCatalog) as error:
        read_token_rules_data(path)
    return [(problem.line, problem.expected) for problem in error.value.problems]


def line(text: str) -> int:
    return TEXT[: TEXT.index(text)].count("\n") + 1


def test_the_cookbooks_numbers() -> None:
    """Source: OpenAI cookbook, How to count tokens with tiktoken, num_tokens_from_messages and num_tokens_for_tools."""
    messages, tools = RULES.messages, RULES.tools
    assert (messages.tokens_per_message, messages.tokens_per_name, messages.tokens_for_reply) == (3, 1, 3)
    assert tools.tokens_per_function == {"o200k_base": 7, "cl100k_base": 10}
    assert (tools.tokens_for_properties, tools.tokens_per_property) == (3, 3)
    assert (tools.tokens_for_enum, tools.tokens_per_enum_item, tools.tokens_at_end) == (-3, 3, 12)


def test_the_guides_numbers() -> None:
    """Source: OpenAI guide, Images and vision, Calculating costs; Azure, Prompt caching."""
    images = RULES.images
    assert (images.fit_px, images.shortest_side_px, images.tile_px, images.patch_px) == (2048, 768, 512, 32)
    assert RULES.prompt_cache.minimum_tokens == 1024


def test_every_rule_says_where_it_is_from_and_what_is_nobodys_is_an_estimate() -> None:
    rules = [rule for rule in RULES if hasattr(rule, "basis")]
    assert len(rules) == 7
    assert all(rule.source in RULES.sources for rule in rules)
    estimates = {type(rule).__name__ for rule in rules if rule.basis is Basis.ESTIMATE}
    assert estimates == {"ToolCallRule", "ResponseFormatRule", "ApproximationRule"}
    assert all(source.checked <= date(2026, 11, 22) for source in RULES.sources.values())
    assert RULES.as_of == date(2026, 11, 21)


def test_models_that_formulas_are_published_for_are_in_the_catalog() -> None:
    names = {model.name for model in load_catalog()}
    assert RULES.messages.published_for | RULES.tools.published_for <= names


def test_a_function_of_an_unknown_encoding_counts_the_larger_frame() -> None:
    assert [RULES.tools.function_tokens(name) for name in ("o200k_base", "cl100k_base", "other", None)] == [
        7,
        10,
        10,
        10,
    ]


def test_plain_data_survives_being_written_as_literals() -> None:
    data = read_token_rules_data(find_bundled(BUNDLED_RULES))
    assert build_token_rules(eval(repr(data))) == RULES  # noqa: S307 - our own data


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    found = problems(tmp_path, "source: harmony", "source: melody")
    assert [expected for _, expected in found] == ["sources of this file (not there: melody)"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("tokens_per_name: 1", "tokens_per_name: 1.5", "a whole number"),
        ("tokens_for_enum: -3", "tokens_for_enum: --3", "a whole number"),
        ("patch_px: 32", "patch_px: 0", "a whole number, 1 or more"),
        ("published_for: [gpt-35-turbo, gpt-4, gpt-4o, gpt-4o-mini]", "published_for: gpt-4o", "a list of names"),
        ("minimum_tokens: 1024", "minimum: 1024", ""),
        ("  heading: ", "  hedding: ", ""),
    ],
)
def test_a_broken_value_is_refused_with_its_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    found = problems(tmp_path, old, new)
    assert any(expected in each for _, each in found)
    assert line(old.strip()) in {at for at, _ in found}


def test_an_unknown_basis_is_refused(tmp_path: Path) -> None:
    old = "basis: estimate\n  source: harmony"
    assert problems(tmp_path, old, old.replace("estimate", "guess")) == [(line(old), "'published' or 'estimate'")]


def test_functions_of_no_encoding_are_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, "{cl100k_base: 10, o200k_base: 7}", "{}")
