"""How much of several prompts is one common beginning, which a prompt cache could serve.

Source of the rule: Azure OpenAI, "Prompt caching": prompts are alike up to the first token that differs, and the beginning
that they share must have so many tokens (1,024 in data/token_rules.yaml).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from fractions import Fraction
from hashlib import blake2b
from typing import NamedTuple

from ptucalc.token_parts import Piece

__all__ = ["PrefixFinder", "PrefixGroup", "SharedPrefix", "common_tokens"]


MOST_TOKENS_KEPT = 20_000_000
"""Of different beginnings so many tokens are kept, four bytes each."""


class PrefixGroup(NamedTuple):
    """So many requests that begin with the same so many tokens."""

    tokens: int
    requests: int


class SharedPrefix(NamedTuple):
    """The beginnings that requests share, the one that saves most first.

    Requests with the same first `minimum_tokens` are one group, and its `tokens` are those that all of it share. `share` is
    the sum of tokens x requests over all input tokens: the cache ratio if every call found its group's beginning in the
    cache. It is an upper bound of what these beginnings can give, because the first call of each has to write it and a
    cache forgets. None where there is no group, with the `reason`. `not_compared` requests came when so many different
    beginnings had been seen (`MOST_TOKENS_KEPT`) that theirs was not kept.
    """

    minimum_tokens: int
    groups: tuple[PrefixGroup, ...]
    share: Fraction | None
    reason: str
    not_compared: int = 0


class _Group:
    def __init__(self, pieces: tuple[Piece, ...]) -> None:
        self.first = pieces
        self.tokens = sum(piece.tokens for piece in pieces)
        self.requests = 1


class PrefixFinder:
    """Takes prompts one after the other and finds what they share; keeps one prompt of each group."""

    def __init__(self, minimum_tokens: int) -> None:
        """`minimum_tokens` is what a beginning must have to count."""
        self.minimum_tokens = minimum_tokens
        self._groups: dict[bytes, _Group] = {}
        self._kept = 0
        self._not_compared = 0
        self._requests = 0
        self._tokens = 0

    def add(self, rendered: tuple[Piece, ...], input_tokens: int) -> None:
        """Takes a prompt of so many input tokens."""
        self._requests += 1
        self._tokens += input_tokens
        key = None if input_tokens < self.minimum_tokens else _beginning(rendered, self.minimum_tokens)
        if key is None:
            return
        group = self._groups.get(key)
        if group is None and self._kept + input_tokens > MOST_TOKENS_KEPT:
            self._not_compared += 1
        elif group is None:
            self._groups[key] = _Group(rendered)
            self._kept += input_tokens
        else:
            group.requests += 1
            group.tokens = min(group.tokens, common_tokens(group.first, rendered))

    def found(self) -> SharedPrefix:
        """What the prompts so far share."""
        several = [PrefixGroup(group.tokens, group.requests) for group in self._groups.values() if group.requests > 1]
        groups = tuple(sorted(several, key=lambda group: (-group.tokens * group.requests, -group.tokens)))
        if groups:
            shared = sum(group.tokens * group.requests for group in groups)
            share = Fraction(shared, self._tokens)
            return SharedPrefix(self.minimum_tokens, groups, share, "", self._not_compared)
        if self._requests < 2:
            reason = "it takes two requests to see what they share"
        else:
            reason = f"no two requests begin with the same {self.minimum_tokens:,} tokens"
        if self._not_compared:
            reason += f", as far as compared: {self._not_compared:,} were not, there are too many"
        return SharedPrefix(self.minimum_tokens, (), None, reason, self._not_compared)


def common_tokens(one: Sequence[Piece], other: Sequence[Piece]) -> int:
    """How many tokens two prompts have in common from their beginning.

    >>> text = lambda *ids: Piece("user", 3, array("I", ids))
    >>> common_tokens([text(1, 2)], [text(1, 2), text(5)]), common_tokens([text(1, 2)], [text(1, 3)])
    (5, 4)
    """
    common = 0
    for ours, theirs in zip(one, other, strict=False):
        if (ours.key, ours.frame) != (theirs.key, theirs.frame):
            break
        common += ours.frame
        if ours.ids != theirs.ids:
            pairs = enumerate(zip(ours.ids, theirs.ids, strict=False))
            shorter = min(len(ours.ids), len(theirs.ids))
            common += next((at for at, (mine, other_id) in pairs if mine != other_id), shorter)
            break
        common += len(ours.ids)
    return common


def _beginning(rendered: Sequence[Piece], tokens: int) -> bytes | None:
    """A digest that prompts with the same first so many tokens have alike; None where a prompt has fewer."""
    alike: list[bytes] = []
    left = tokens
    for piece in rendered:
        ids: array[int] = piece.ids[: max(0, left - piece.frame)]
        alike.append(f"{len(piece.key)} {piece.key} {piece.frame} {len(ids)} ".encode("utf-8", "surrogatepass"))
        alike.append(ids.tobytes())
        left -= piece.frame + len(ids)
        if left <= 0:
            return blake2b(b"".join(alike), digest_size=16).digest()
    return None
