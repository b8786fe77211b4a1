"""The file of token rules, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from ptucalc.catalog import Source
from ptucalc.errors import BadCatalog, BadInput
from ptucalc.read.catalog import bundled
from ptucalc.read.files import read_text
from ptucalc.token_rules import (
    ApproximationRule,
    Basis,
    ImageGeometry,
    MessageRule,
    PromptCacheRule,
    ResponseFormatRule,
    TokenRules,
    ToolCallRule,
    ToolRule,
)

__all__ = ["BUNDLED_RULES", "build_token_rules", "load_token_rules", "read_token_rules_data"]

BUNDLED_RULES = "data/token_rules.yaml"


@lru_cache(maxsize=1)
def load_token_rules() -> TokenRules:
    """The bundled rules.

    >>> load_token_rules().messages.tokens_per_name
    1
    """
    return build_token_rules(bundled(BUNDLED_RULES, "compiled_token_rules", read_token_rules_data))


def read_token_rules_data(path: Path) -> dict[str, Any]:
    """A file of rules as complete plain data. Raises BadCatalog with every problem, each with its line."""
    from ptucalc.read.checked import checked
    from ptucalc.read.token_rules_file import TokenRulesFile
    from ptucalc.read.yaml_text import read_yaml

    try:
        tree = read_yaml(read_text(path), path.name)
        return checked(tree, TokenRulesFile, "a token rule").model_dump(by_alias=True, mode="python")
    except BadInput as error:
        raise BadCatalog(error.problems) from None


def build_token_rules(data: Mapping[str, Any]) -> TokenRules:
    """The rules that complete plain data describes."""
    return TokenRules(
        edition=data["edition"],
        as_of=date.fromisoformat(data["as_of"]),
        sources={
            name: Source(name, about["title"], about["where"], about["published"], date.fromisoformat(about["checked"]))
            for name, about in data["sources"].items()
        },
        messages=MessageRule(**_rule(data["messages"])),
        tools=ToolRule(**_rule(data["tools"])),
        tool_calls=ToolCallRule(**_rule(data["tool_calls"])),
        response_format=ResponseFormatRule(**_rule(data["response_format"])),
        images=ImageGeometry(**_rule(data["images"])),
        approximation=ApproximationRule(**_rule(data["approximation"])),
        prompt_cache=PromptCacheRule(**_rule(data["prompt_cache"])),
    )


def _rule(entry: Mapping[str, Any]) -> dict[str, Any]:
    rule = {**entry, "basis": Basis(entry["basis"])}
    if "published_for" in rule:
        rule["published_for"] = frozenset(rule["published_for"])
    return rule
