"""A second, plain implementation of Standard limits: one deployment that counts, asked call by call. Fractions of seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import floor
from typing import NamedTuple

from ptucalc.call_trace import CallTrace

F = Fraction


class Arrival(NamedTuple):
    """A call as a deployment sees it: when, in seconds, and the tokens that it may take."""

    seconds: Fraction
    tokens: int


class Deployment:
    """Counts the calls that come, and says whether one is over the tokens of its minute or the calls of its window."""

    def __init__(self, tpm: int | None, rpm: Fraction | int | None, window: int, since: Fraction | int = 0) -> None:
        self.tpm, self.rpm, self.since = tpm, rpm, since
        self.window = F(window)
        if rpm is not None:
            while F(rpm) / 60 * self.window < 1:  # longer, until it takes one call
                self.window = 60 / F(rpm)
        self.tokens: dict[int, int] = {}
        self.calls: dict[int, int] = {}

    def answer(self, call: Arrival) -> tuple[bool, bool]:
        """Whether the call is over TPM, and whether it is over RPM. It is counted either way."""
        at = call.seconds - self.since
        minute, window = floor(at / 60), floor(at / self.window)
        self.tokens[minute] = self.tokens.get(minute, 0) + call.tokens
        self.calls[window] = self.calls.get(window, 0) + 1
        over_tpm = self.tpm is not None and self.tokens[minute] > self.tpm
        over_rpm = self.rpm is not None and self.calls[window] > F(self.rpm) / 60 * self.window
        return over_tpm, over_rpm


def arrivals(trace: CallTrace, best_of: int = 1, assumed: int | None = None) -> list[Arrival]:
    """The calls of a trace, one by one."""
    found = []
    for i in range(len(trace)):
        said = -1 if trace.max_tokens is None else trace.max_tokens[i]
        prompt = trace.uncached[i] + trace.cached[i] + trace.written[i]
        if said >= 0:
            answer = said * best_of
        elif assumed is not None:
            answer = assumed * best_of
        else:
            answer = trace.output[i]
        found.append(Arrival(F(trace.arrival_us[i], 1_000_000), prompt + answer))
    return found


def answers(calls: Iterable[Arrival], deployments: list[Deployment]) -> list[tuple[bool, bool]]:
    """What each call gets from the deployment whose turn it is."""
    return [deployments[i % len(deployments)].answer(call) for i, call in enumerate(calls)]


def smallest(enough: Callable[[int], bool], most: int) -> int:
    """The smallest number from which on everything up to `most` is enough, tried one by one from the top."""
    assert enough(most)
    number = most
    while number > 1 and enough(number - 1):
        number -= 1
    return number
