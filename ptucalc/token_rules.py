"""What a request counts beyond the tokens of its texts, as values: the frames of messages, tools, calls, images.

The numbers come from data/token_rules.yaml; this module holds none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from ptucalc.catalog import Source

__all__ = [
    "ApproximationRule",
    "Basis",
    "ImageGeometry",
    "MessageRule",
    "PromptCacheRule",
    "ResponseFormatRule",
    "TokenRules",
    "ToolCallRule",
    "ToolRule",
]


class Basis(StrEnum):
    """Whether whoever makes the model states how something counts, or nobody does."""

    PUBLISHED = "published"
    ESTIMATE = "estimate"


class MessageRule(NamedTuple):
    """Tokens that frame a message, and begin the reply. Other models than `published_for` may differ."""

    basis: Basis
    source: str
    published_for: frozenset[str]
    tokens_per_message: int
    tokens_per_name: int
    tokens_for_reply: int


class ToolRule(NamedTuple):
    """Tokens that frame functions and their properties. `tokens_per_function` is by encoding."""

    basis: Basis
    source: str
    published_for: frozenset[str]
    tokens_per_function: Mapping[str, int]
    tokens_for_properties: int
    tokens_per_property: int
    tokens_for_enum: int
    tokens_per_enum_item: int
    tokens_at_end: int

    def function_tokens(self, encoding: str | None) -> int:
        """What each function has on top of its texts; the larger number where none is known for the encoding."""
        known = self.tokens_per_function
        return max(known.values()) if encoding is None or encoding not in known else known[encoding]


class ToolCallRule(NamedTuple):
    """Tokens that frame a call which the model made earlier."""

    basis: Basis
    source: str
    tokens_per_call: int


class ResponseFormatRule(NamedTuple):
    """The line over a JSON schema of the answer."""

    basis: Basis
    source: str
    heading: str


class ImageGeometry(NamedTuple):
    """How images are scaled before their tiles or patches are counted, in pixels."""

    basis: Basis
    source: str
    fit_px: int
    shortest_side_px: int
    tile_px: int
    patch_px: int


class ApproximationRule(NamedTuple):
    """Characters that count as one token where no tokenizer is used."""

    basis: Basis
    source: str
    characters_per_token: int


class PromptCacheRule(NamedTuple):
    """Tokens that prompts must have in common from their beginning, so that the cache serves them, and the steps in which it
    serves more."""

    basis: Basis
    source: str
    minimum_tokens: int
    step_tokens: int


class TokenRules(NamedTuple):
    """All the rules, and where each was read."""

    edition: str
    as_of: date
    sources: Mapping[str, Source]
    messages: MessageRule
    tools: ToolRule
    tool_calls: ToolCallRule
    response_format: ResponseFormatRule
    images: ImageGeometry
    approximation: ApproximationRule
    prompt_cache: PromptCacheRule
