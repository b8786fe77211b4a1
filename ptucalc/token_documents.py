"""The shape of the JSON that `ptucalc tokens` writes, as types; its JSON Schema in ptucalc/data/schemas is made from them."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from ptucalc.documents import NoteEntry, Number

__all__ = ["TokensDocument"]

BasisName = Literal["published", "estimate"]


class PartEntry(TypedDict):
    """Input tokens of a part of a request; `label` is its JSON path, `role` null where it has none."""

    label: str
    role: str | None
    input_tokens: int
    is_image: bool
    basis: BasisName
    note: str | None


class RequestEntry(TypedDict):
    """One request. Its image tokens are part of its input tokens; `not_counted` names what makes these a lower bound."""

    source: str
    custom_id: str | None
    kind: Literal["text", "chat", "responses"]
    model: str | None
    counted_as: str | None
    input_tokens: int
    image_tokens: int
    max_tokens: int | None
    basis: BasisName
    not_counted: list[str]
    parts: list[PartEntry]


class FileEntry(TypedDict):
    """One file, with the sum of its requests."""

    path: str
    request_count: int
    input_tokens: int
    image_tokens: int
    requests: list[RequestEntry]


class TokenTotalsEntry(TypedDict):
    """All requests. Percentiles are nearest ranks; `mean_max_tokens` is over the requests that limit their output."""

    files: int
    requests: int
    input_tokens: int
    image_tokens: int
    mean_input_tokens: Number
    p50_input_tokens: int
    p90_input_tokens: int
    p99_input_tokens: int
    max_input_tokens: int
    requests_with_max_tokens: int
    mean_max_tokens: Number | None
    basis: BasisName
    is_lower_bound: bool


class PrefixGroupEntry(TypedDict):
    """So many requests begin with the same tokens."""

    tokens: int
    requests: int


class SharedPrefixEntry(TypedDict):
    """Beginnings that requests share; `share` is an upper bound of the cache ratio they can give, null with a reason.

    `not_compared` requests were left out because there were too many different beginnings.
    """

    minimum_tokens: int
    groups: list[PrefixGroupEntry]
    share: Number | None
    reason: str | None
    not_compared: int


class TokensDocument(TypedDict):
    schema: Literal["ptucalc.tokens/1"]
    version: str
    catalog_as_of: str
    catalog: list[str]
    rules: str
    model: str | None
    encoding: str | None
    encoding_verified: bool | None
    tokenizer: str | None
    files: list[FileEntry]
    totals: TokenTotalsEntry
    shared_prefix: SharedPrefixEntry
    notes: list[NoteEntry]


"""What `ptucalc tokens -o json` writes. `encoding` is null where characters were counted instead, `encoding_verified` where no
model is named. `model` is null where there are several, or none."""
