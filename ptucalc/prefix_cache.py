"""A prompt cache: how many tokens from the beginning of a prompt were the beginning of an earlier one.

Source of the rule: Azure OpenAI, "Prompt caching": the beginning must have so many tokens, and after them hits come in steps
(both in data/token_rules.yaml). How long a cache remembers is not published exactly: an assumption of who calls.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from hashlib import blake2b

from ptucalc.token_parts import Piece

__all__ = ["PrefixCache", "beginnings"]

MOST_BEGINNINGS = 200_000
"""So many beginnings are remembered, 16 bytes and a time each; then the ones unused for longest are forgotten."""


class PrefixCache:
    """The beginnings of prompts that were served lately. Times are microseconds, and never go back."""

    def __init__(self, minimum_tokens: int, step_tokens: int, *, lasting_us: int, most: int = MOST_BEGINNINGS) -> None:
        """A beginning must have `minimum_tokens`, longer ones are told apart in steps; one is forgotten when it was not
        used for `lasting_us`."""
        self.minimum_tokens, self._lasting_us, self._most = minimum_tokens, lasting_us, most
        self._step = step_tokens
        self._used: OrderedDict[bytes, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._used)

    def keys(self, rendered: Sequence[Piece]) -> tuple[bytes, ...]:
        """The beginnings of a prompt, the shortest first: what `cached` and `remember` are asked with."""
        if sum(piece.tokens for piece in rendered) < self.minimum_tokens:
            return ()
        return tuple(beginnings(rendered, self.minimum_tokens, self._step))

    def cached(self, now_us: int, keys: Sequence[bytes]) -> int:
        """How many tokens of the prompt the cache has."""
        known, oldest = self._used, now_us - self._lasting_us
        for place in range(len(keys) - 1, -1, -1):
            used = known.get(keys[place])
            if used is not None and used >= oldest:
                return self.minimum_tokens + place * self._step
        return 0

    def remember(self, now_us: int, keys: Sequence[bytes]) -> None:
        """The prompt is served: its beginnings are in the cache."""
        known = self._used
        for key in keys:
            known[key] = now_us
            known.move_to_end(key)
        oldest = now_us - self._lasting_us
        while known and (len(known) > self._most or next(iter(known.values())) < oldest):
            known.popitem(last=False)


def beginnings(rendered: Sequence[Piece], minimum: int, step: int) -> Iterator[bytes]:
    """A digest of the first `minimum` tokens, of `step` more, and so on; alike for prompts that begin alike so far."""
    digest = blake2b(digest_size=16)
    upto, seen = minimum, 0
    for piece in rendered:
        digest.update(f"{len(piece.key)} {piece.key} {piece.frame} ".encode("utf-8", "surrogatepass"))
        seen += piece.frame
        while seen >= upto:  # within or at the end of a frame
            yield digest.digest()
            upto += step
        ids, at = piece.ids, 0
        while at < len(ids):
            take = min(len(ids) - at, upto - seen)
            digest.update(ids[at : at + take].tobytes())
            at += take
            seen += take
            if seen == upto:
                yield digest.copy().digest()
                upto += step
