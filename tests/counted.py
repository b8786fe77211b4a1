"""Counting for tests: a tokenizer whose tokens are the letters, so that expected counts are lengths of texts."""

from __future__ import annotations

from typing import Any

from ptucalc.catalog import Unknown
from ptucalc.errors import BadInput
from ptucalc.image_rules import ImageTiles
from ptucalc.read.token_rules import load_token_rules
from ptucalc.request_tokens import RequestTokens, count_request
from ptucalc.token_parts import Counting

RULES = load_token_rules()
TILES = ImageTiles(base=85, per_tile=170, verified=True, source="guide")
FRAME = 3
"""Tokens that frame a message, as the cookbook has it."""
REPLY = 3
"""Tokens that begin the reply, as the cookbook has it."""


class Letters:
    """Each letter is a token."""

    def count(self, text: str) -> int:
        return len(text)

    def ids(self, text: str) -> list[int]:
        return [ord(letter) for letter in text]


def counting(**changes: Any) -> Counting:
    """Exact letters of gpt-4o, whose images are tiles."""
    usual = {"tokens": Letters(), "rules": RULES, "encoding": "o200k_base", "exact": True}
    return Counting(**{**usual, "model": "gpt-4o", "images": TILES, **changes})


NO_IMAGES = Unknown("nobody has published them")


def chat(*messages: Any, **keys: Any) -> dict[str, Any]:
    return {"messages": list(messages), **keys}


def said(content: Any, role: str = "user", **keys: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **keys}


def counted(body: Any, source: str = "", **changes: Any) -> RequestTokens:
    return count_request(body, counting(**changes), source)


def refused(body: Any, **changes: Any) -> list[tuple[str, str]]:
    """Label and found of each problem."""
    try:
        counted(body, **changes)
    except BadInput as error:
        return [(problem.label, problem.found) for problem in error.problems]
    return []


def parts(request: RequestTokens) -> dict[str, int]:
    """Tokens by label, each label once."""
    found = {part.label: part.tokens for part in request.parts}
    assert len(found) == len(request.parts)
    assert sum(found.values()) == request.input_tokens == sum(piece.tokens for piece in request.rendered)
    return found
