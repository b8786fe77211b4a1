"""The shape of the file of token rules, strictly: every key named here, every scalar read from text."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ptucalc.read.catalog_file import Day, Positive, SourceEntry, Strict, Text

__all__ = ["TokenRulesFile"]


def _names(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError("a list of names")
    return tuple(value)


def _whole(value: Any) -> int:
    """A whole number, which may be negative: an enum takes tokens away."""
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,9}", value, re.ASCII):
        raise ValueError("a whole number")
    return int(value)


Whole = Annotated[int, BeforeValidator(_whole)]
Names = Annotated[tuple[Text, ...], BeforeValidator(_names)]


class RuleEntry(Strict):
    basis: Literal["published", "estimate"]
    source: Text


class MessagesEntry(RuleEntry):
    published_for: Names
    tokens_per_message: Whole
    tokens_per_name: Whole
    tokens_for_reply: Whole


class ToolsEntry(RuleEntry):
    published_for: Names
    tokens_per_function: Annotated[dict[Text, Whole], Field(min_length=1)]
    tokens_for_properties: Whole
    tokens_per_property: Whole
    tokens_for_enum: Whole
    tokens_per_enum_item: Whole
    tokens_at_end: Whole


class ToolCallsEntry(RuleEntry):
    tokens_per_call: Whole


class ResponseFormatEntry(RuleEntry):
    heading: Text


class ImagesEntry(RuleEntry):
    fit_px: Positive
    shortest_side_px: Positive
    tile_px: Positive
    patch_px: Positive


class ApproximationEntry(RuleEntry):
    characters_per_token: Positive


class PromptCacheEntry(RuleEntry):
    minimum_tokens: Positive
    step_tokens: Positive


class TokenRulesFile(Strict):
    schema_: Literal["ptucalc.token-rules/1"] = Field(alias="schema")
    edition: Text
    as_of: Day
    sources: dict[Text, SourceEntry]
    messages: MessagesEntry
    tools: ToolsEntry
    tool_calls: ToolCallsEntry
    response_format: ResponseFormatEntry
    images: ImagesEntry
    approximation: ApproximationEntry
    prompt_cache: PromptCacheEntry

    @model_validator(mode="after")
    def _is_consistent(self) -> TokenRulesFile:
        rules = (
            self.messages,
            self.tools,
            self.tool_calls,
            self.response_format,
            self.images,
            self.approximation,
            self.prompt_cache,
        )
        lacking = sorted({rule.source for rule in rules} - set(self.sources))
        if lacking:
            raise ValueError(f"sources of this file (not there: {', '.join(lacking)})")
        return self
