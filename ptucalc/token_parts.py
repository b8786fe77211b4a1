"""What counting a request is made of: a tokenizer, the rules that hold, the parts found so far."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol
from zlib import crc32

from ptucalc.catalog import Unknown
from ptucalc.errors import Problem
from ptucalc.image_rules import ImagePatches, ImageTiles
from ptucalc.image_size import ImageSize
from ptucalc.token_rules import Basis, TokenRules

__all__ = ["Approximate", "Counting", "PartTokens", "Piece", "Tally", "Tokens", "told"]


class Tokens(Protocol):
    """A tokenizer: special text such as <|endoftext|> is text like any other."""

    def count(self, text: str) -> int:
        """How many tokens the text has."""

    def ids(self, text: str) -> Sequence[int]:
        """The tokens of the text, each a number under 2**32; equal texts have equal numbers."""


class Approximate(NamedTuple):
    """No tokenizer: each so many characters, and what is left over, count as one token.

    >>> [Approximate(4).count(text) for text in ("", "a", "abcd", "abcde")]
    [0, 1, 1, 2]
    """

    characters_per_token: int

    def count(self, text: str) -> int:
        """How many tokens the text would have."""
        return len(range(0, len(text), self.characters_per_token))

    def ids(self, text: str) -> Sequence[int]:
        """A number for each piece of the text."""
        step = self.characters_per_token
        pieces = (text[at : at + step] for at in range(0, len(text), step))
        return [crc32(piece.encode("utf-8", "surrogatepass")) for piece in pieces]


MOST_NAMES_KEPT = 1000
"""Of so many roles and names the number of tokens is kept."""


@dataclass(frozen=True, kw_only=True)
class Counting:
    """How requests are counted.

    `encoding` names the tokenizer's, None where there is no tokenizer. `exact`: the tokens are known to be the model's own.
    `model` is the catalog's name; it decides which formulas are published for it. `images` is Unknown with the reason
    where a model's images cannot be counted. `image_size` is that of images whose bytes are not in the request.
    """

    tokens: Tokens
    rules: TokenRules
    encoding: str | None
    exact: bool
    model: str | None
    images: ImageTiles | ImagePatches | Unknown
    image_size: ImageSize | None = None
    _known: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    def count_name(self, text: str) -> int:
        """How many tokens a role or name has; the same few come again and again."""
        known = self._known.get(text)
        if known is None:
            known = self.tokens.count(text)
            if len(self._known) < MOST_NAMES_KEPT:
                self._known[text] = known
        return known

    def basis(self, published_for: Collection[str | None] = (), *, covered: bool = True) -> Basis:
        """The basis of what a formula counts that is published for these models; `covered`: it is about such content."""
        published = self.exact and covered and self.model in published_for
        return Basis.PUBLISHED if published else Basis.ESTIMATE

    @property
    def text_basis(self) -> Basis:
        """The basis of the tokens of a bare text."""
        return Basis.PUBLISHED if self.exact else Basis.ESTIMATE


class PartTokens(NamedTuple):
    """Input tokens of one part of a request: a message, an image in it, a function.

    `label` is its JSON path, or "reply" for the tokens that begin the answer. `note` tells more, and `why` is the part of it
    that says why the part is an estimate although its texts are counted exactly.
    """

    label: str
    role: str
    tokens: int
    basis: Basis
    note: str = ""
    is_image: bool = False
    why: str = ""


class Piece(NamedTuple):
    """A stretch of the prompt, in the order in which the model reads it: `frame` tokens, then those of texts.

    Two prompts agree up to here only if `key` and `frame` are the same in both.
    """

    key: str
    frame: int
    ids: array[int]

    @property
    def tokens(self) -> int:
        """How many tokens it has."""
        return self.frame + len(self.ids)


@dataclass
class Tally:
    """What has been counted of one request, and what cannot be: filled part by part.

    `not_counted` names what the service adds to the prompt on its side, so that the count is a lower bound.
    """

    counting: Counting
    source: str = ""
    where: str = ""
    """What the paths in the request begin with: "body." in a line of a batch."""
    parts: list[PartTokens] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    not_counted: list[str] = field(default_factory=list)

    def ids(self, text: str) -> array[int]:
        """The tokens of a text."""
        return array("I", self.counting.tokens.ids(text))

    def path(self, path: str) -> str:
        """The path from the top of what was given."""
        return f"{self.where}{path}"

    def problem(self, path: str, found: Any, expected: str) -> None:
        """Notes a value that cannot be counted."""
        label = self.path(path)
        self.problems.append(Problem(path.split(".")[0].split("[")[0], told(found), expected, self.source, label=label))

    def add(self, part: PartTokens) -> None:
        """Notes a part that was counted."""
        self.parts.append(part._replace(label=self.path(part.label)) if self.where else part)

    def mapping(self, value: Any, path: str, expected: str) -> Mapping[str, Any] | None:
        """The value if it is an object; otherwise a problem."""
        if type(value) is dict or isinstance(value, Mapping):  # asking whether it is a Mapping takes longer
            return value
        self.problem(path, value, expected)
        return None

    def text(self, value: Any, path: str, expected: str = "text") -> str:
        """The value if it is text; otherwise a problem, and ""."""
        if isinstance(value, str):
            return value
        self.problem(path, value, expected)
        return ""


def told(value: Any) -> str:
    """A value of a JSON document in a few words.

    >>> told("x"), told([1]), told({}), told(None), told(True), told(1.5)
    ('x', 'a list', 'an object', 'null', 'true', '1.5')
    """
    if isinstance(value, str):
        return value[:80]
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, Sequence):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)[:80]
