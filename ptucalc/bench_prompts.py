"""Prompts of exactly so many tokens that no other call has: random words, each of which is one token.

A service keeps what prompts begin with and counts it less (the prompt cache), so a load of equal prompts would flatter.
Every prompt begins with words of its own; only a share that was asked for is the same in all of them.
"""

from __future__ import annotations

from hashlib import shake_128

from ptucalc.errors import BadInput, Problem
from ptucalc.request_tokens import count_request, count_text
from ptucalc.token_parts import Counting

__all__ = ["WORDS", "PromptMaker"]

_TEXT = (
    "able above after again age air all along also among apple area arm art ask away back bad bag ball band bank bar "
    "base bear beat bed begin bell below best big bird bit black block blood blue board boat body bone book born both "
    "box boy bread break bring brown build burn bus busy buy cake call camp can car card care carry case cat catch "
    "cause cell chair check child city class clean clear clock close cloud coat cold color come cook cool copy corn "
    "cost count cover cross cry cup cut dance dark day deal deep desk dog door down draw dream dress drink drive drop "
    "dry each ear early earth east easy eat edge egg eight else empty end enter equal even event ever every exact eye "
    "face fact fair fall far farm fast feel few field fight fill final find fine fire first fish five flat floor flow "
    "fly food foot force form four free fresh front fruit full game gas gate gift girl give glass gold good grand "
    "grass gray great green group grow guess guide hair half hall hand happy hard hat head hear heart heat heavy help "
    "here high hill hold hole home hope horse hot hotel hour house human idea ice iron job join jump keep key kind "
    "king know lake land large last late law lay lead leaf learn left leg level life lift light like line lion list "
    "live long look lost love low main make map mark match meal mean meet metal mile mind"
)

WORDS = tuple(_TEXT.split())
"""256 words that are one token each in tiktoken's cl100k_base and o200k_base, with a blank before them and without."""

INSTRUCTION = " Go on with random words like these. Never stop, never explain."
"""Ends a prompt that has room for it, so that the model writes until its limit and does not stop early."""


class PromptMaker:
    """Makes prompts for one model. `seed` decides the words: the same seed makes the same prompts.

    `frame` is what a body of one message counts beyond the message's text (Responses bodies as chat bodies: nothing is
    published about them); `before` are those of its tokens that stand before the text.
    """

    def __init__(self, counting: Counting, seed: int) -> None:
        self.counting = counting
        self.seed = seed
        self.frame = count_request({"messages": [{"role": "user", "content": ""}]}, counting).input_tokens
        self.before = self.frame - counting.rules.messages.tokens_for_reply
        self._instruction = count_text(INSTRUCTION, counting).input_tokens
        self._checked: set[tuple[int, int]] = set()
        self._shared: dict[int, str] = {}

    @property
    def fewest_tokens(self) -> int:
        """The shortest prompt: its frame and one word."""
        return self.frame + 1

    def prompt(self, number: int, input_tokens: int, shared_tokens: int = 0) -> str:
        """The text of a call's message: with its frame so many tokens, of which it shares the first with other calls.

        The shared ones are those of the frame's beginning and of the text: at least one word is the call's own. Raises
        BadInput for fewer tokens than `fewest_tokens`, and where this model's tokenizer counts the words otherwise.
        """
        words = input_tokens - self.frame
        if words < 1:
            expected = f"at least {self.fewest_tokens} tokens: {self.frame} of them frame a message"
            raise BadInput([Problem("input_tokens", str(input_tokens), expected)])
        ending = INSTRUCTION if words >= 4 * self._instruction else ""
        words -= self._instruction if ending else 0
        shared = min(max(0, shared_tokens - self.before), words - 1)
        text = self._beginning(shared) + _words(f"{self.seed}/{number}", words - shared) + ending
        if (input_tokens, shared) not in self._checked:
            self._check(text, input_tokens)
            self._checked.add((input_tokens, shared))
        return text

    def _beginning(self, words: int) -> str:
        if words not in self._shared:
            self._shared[words] = _words(f"{self.seed}/shared", words)
        return self._shared[words]

    def _check(self, text: str, expected: int) -> None:
        body = {"messages": [{"role": "user", "content": text}]}
        found = count_request(body, self.counting).input_tokens
        if found != expected:
            what = (
                f"an encoding in which the words of the prompts are one token each ({found:,} tokens, not {expected:,})"
            )
            raise BadInput([Problem("encoding", self.counting.encoding or "characters", what)])


def _words(of: str, count: int) -> str:
    """So many words, each after a blank, at random: SHAKE-128 (FIPS 202) of the name."""
    drawn = shake_128(f"ptucalc bench 1/{of}".encode()).digest(count)
    return " " + " ".join(map(WORDS.__getitem__, drawn)) if count else ""
