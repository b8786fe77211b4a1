"""What an emulated model answers: made-up lengths, times and texts, the same for the same seed.

Only the length and the time of an answer mean anything. Its text has exactly the tokens that its usage says, in words of
one token each, unless the request asks for another form (`made_up_forms`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import shake_128
from typing import NamedTuple

from ptucalc.arrivals import draws
from ptucalc.errors import BadInput, Problem
from ptucalc.made_up_forms import AnswerForm, FormedText
from ptucalc.token_parts import Approximate, Tokens

__all__ = ["AnswerPlan", "AnswerShape", "Answers", "Vocabulary", "parse_lengths", "usable_words"]

SECOND_US = 1_000_000
_DRAW_BITS = 64

WORDS = (
    "the of and to in is was for that it with as his on be at by had not are but from or have an they which one you were "
    "all her she there would their we him been has when who will no more if out so up said what its about than into them "
    "can only other time new some could these two may first then do any like my now over such our man me even most made "
    "after also did many off before must well back through years much where your way down should because long each just "
    "state those people too mr how little good world make very year still see own work men day get here old both between "
    "life being under three never know same last another while us might great go come since against right came take used "
    "himself few house use during without again place around home small however found part school thought went say once "
    "general high upon every does got united number left hand course water until away always public something fact less"
)
"""Common English words."""


class AnswerPlan(NamedTuple):
    """An answer: its output tokens, how many of them are reasoning, which nobody sees, and how long it takes.

    `first_us` is the time to the first token, `duration_us` that to the last. `cut`: max_tokens ended it. `formed` is its
    text where the request says what form it must have.
    """

    number: int
    output: int
    reasoning: int
    first_us: int
    duration_us: int
    cut: bool
    formed: FormedText | None = None

    @property
    def shown(self) -> int:
        """Tokens of the text."""
        return self.output - self.reasoning


@dataclass(frozen=True, kw_only=True)
class AnswerShape:
    """How long answers are, and how long they take.

    `shortest` to `longest` output tokens, each length as likely; None: as many as max_tokens allow (without them
    `unlimited`). `reasoning` is the share of them that is reasoning. Time = `first_token_us` + output / latency target,
    times 1 - `spread` to 1 + `spread`, times `scale`.
    """

    shortest: int | None = 200
    longest: int | None = 200
    unlimited: int = 200
    reasoning: Fraction = Fraction(0)  # immutable
    first_token_us: int = 0
    spread: Fraction = Fraction(1, 10)  # immutable
    scale: Fraction = Fraction(1)  # immutable
    seed: int = 0

    def __post_init__(self) -> None:
        problems = []
        if not 0 <= self.reasoning <= 1:
            problems.append(Problem("reasoning", str(self.reasoning), "a share: 0 to 1, or 0% to 100%"))
        if not 0 <= self.spread <= 1:
            problems.append(Problem("spread", str(self.spread), "a share: 0 to 1, or 0% to 100%"))
        if self.scale < 0:
            problems.append(Problem("latency_scale", str(self.scale), "a number, 0 or more"))
        if problems:
            raise BadInput(problems)


def parse_lengths(text: str) -> tuple[int, int] | None:
    """Output tokens as a user writes them: 250, 100-300, or max (None). Raises ValueError.

    >>> parse_lengths("250"), parse_lengths("100-300"), parse_lengths("max")
    ((250, 250), (100, 300), None)
    """
    if text.strip().casefold() == "max":
        return None
    low, dash, high = (part.strip() for part in text.partition("-"))
    numbers = [low, high] if dash else [low]
    if all(each.isascii() and each.isdecimal() and len(each) <= 7 for each in numbers):
        shortest, longest = int(numbers[0]), int(numbers[-1])
        if 1 <= shortest <= longest:
            return shortest, longest
    raise ValueError("a number of tokens such as 250, two such as 100-300, or max (as many as max_tokens allow)")


class Answers:
    """Plans answers, one after the other."""

    def __init__(self, shape: AnswerShape, tokens_per_second: int | None) -> None:
        """`tokens_per_second` is the model's latency target; None: answers take no time beyond the first token's."""
        self.shape = shape
        self._draws = draws(shape.seed, "answers")
        self._number = 0
        speed = 0 if tokens_per_second is None else Fraction(SECOND_US, tokens_per_second)
        low, wide = 1 - shape.spread, 2 * shape.spread
        # of a draw d: (low + wide x d / 2^64) x scale x speed = (base + step x d) / under microseconds a token
        base, step = low * shape.scale, wide * shape.scale / (1 << _DRAW_BITS)
        self._under = base.denominator * step.denominator
        self._base, self._step = int(base * self._under), int(step * self._under)
        self._speed, self._speed_under = Fraction(speed).as_integer_ratio()

    def plan(self, max_tokens: int | None, form: AnswerForm | None = None) -> AnswerPlan:
        """The next answer, to a call that allows so many tokens (None: it does not say), in a form if it must have one."""
        shape = self.shape
        self._number += 1
        length, pace = next(self._draws), next(self._draws)
        if shape.shortest is None or shape.longest is None:
            wanted = shape.unlimited if max_tokens is None else max_tokens
        else:
            wanted = shape.shortest + (length * (shape.longest - shape.shortest + 1) >> _DRAW_BITS)
        cut = max_tokens is not None and (wanted > max_tokens or shape.shortest is None)
        output = max_tokens if cut and max_tokens is not None else wanted
        reasoning = output * shape.reasoning.numerator // shape.reasoning.denominator
        formed = None
        if form is not None:
            room = None if max_tokens is None else max_tokens - reasoning
            formed = form.made(self._number, output - reasoning, room)
            output, cut = reasoning + formed.tokens, formed.cut
        factor = self._base + self._step * pace
        first = shape.first_token_us * factor // self._under
        generating = output * self._speed * factor // (self._speed_under * self._under)
        one = generating * (reasoning + 1) // output
        return AnswerPlan(self._number, output, reasoning, first + one, first + generating, cut, formed)


class Vocabulary:
    """Words of one token each, from which texts of any number of tokens are made."""

    def __init__(self, words: Sequence[str], seed: int) -> None:
        """The words, each with a blank before it."""
        size = 1 << 12
        picks = shake_128(f"ptucalc words 1/{seed}".encode("ascii")).digest(2 * size)
        self._words = [words[int.from_bytes(picks[2 * at : 2 * at + 2], "little") % len(words)] for at in range(size)]

    def text(self, number: int, count: int) -> str:
        """The text of an answer: so many words."""
        return "".join(self.words(number, count))

    def words(self, number: int, count: int) -> list[str]:
        """The same, word by word."""
        size = len(self._words)
        start = number * 769 % size
        if start + count <= size:
            return self._words[start : start + count]
        return [self._words[(start + at) % size] for at in range(count)]


def usable_words(tokens: Tokens) -> list[str]:
    """Words that are one token each, also one after the other, as this tokenizer counts.

    Raises ValueError where it has none.
    """
    if isinstance(tokens, Approximate):
        width = tokens.characters_per_token
        return sorted(
            {f" {word}{word}{word}{word}"[:width].ljust(width, "a") for word in WORDS.split() if len(word) > 2}
        )
    words = [f" {word}" for word in WORDS.split() if tokens.count(f" {word}") == 1]
    if not words or tokens.count("".join(words)) != len(words):
        raise ValueError("no words of one token each")
    return words
