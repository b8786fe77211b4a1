"""What the server knows: deployments with their token counting, caches and answers, the clock, the log, the sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic_ns, time_ns
from typing import Any

from ptucalc.admission import ArrivingCall
from ptucalc.bucket_kernel import MINUTE_US
from ptucalc.catalog import Unknown
from ptucalc.made_up_answers import AnswerPlan, Answers, AnswerShape, Vocabulary, usable_words
from ptucalc.prefix_cache import PrefixCache
from ptucalc.rehearsal import CLIENT_GONE, Decision, Deployment, EndedCall, Place, Rehearsal
from ptucalc.request_tokens import RequestTokens, count_request
from ptucalc.serve.call_log import CallLog, LoggedCall
from ptucalc.token_parts import Counting

__all__ = ["Clock", "Emulator", "Served", "ServedCall"]


class Clock:
    """Microseconds since 1970. No two readings are the same, so that whatever happens has an order."""

    def __init__(self) -> None:
        self._offset = time_ns() - monotonic_ns()
        self._last = 0

    def __call__(self) -> int:
        """The time now."""
        now = (self._offset + monotonic_ns()) // 1000
        self._last = now if now > self._last else self._last + 1
        return self._last


@dataclass(frozen=True, kw_only=True)
class Served:
    """A deployment as it is served: how its prompts are counted, what it has cached, what it answers."""

    place: Place
    counting: Counting
    cache: PrefixCache | None
    answers: Answers
    vocabulary: Vocabulary
    shows_writes: bool

    def read(self, body: Mapping[str, Any]) -> tuple[RequestTokens, tuple[bytes, ...]]:
        """Counts a request. Raises BadInput with all that is wrong with it."""
        counted = count_request(body, self.counting)
        return counted, () if self.cache is None else self.cache.keys(counted.rendered)


@dataclass(slots=True)
class ServedCall:
    """A call that was decided on, until it ends."""

    served: Served
    request_id: str
    arrival_us: int
    tokens: ArrivingCall
    plan: AnswerPlan
    decision: Decision
    streamed: bool


class Emulator:
    """The deployments of a resource at work. `clock` is what time it is; `log` may be None.

    Raises BadInput with all that is wrong with the deployments.
    """

    def __init__(
        self,
        deployments: Iterable[Deployment],
        countings: Mapping[str, Counting],
        *,
        shape: AnswerShape,
        assumed_max_tokens: int | None = None,
        cache_us: int = 10 * MINUTE_US,
        log: CallLog | None = None,
        clock: Callable[[], int] | None = None,
    ) -> None:
        """`countings` are by the models' names; a prompt is cached for `cache_us` after it was last used, 0 for not."""
        self.rehearsal = Rehearsal(deployments, assumed_max_tokens=assumed_max_tokens)
        self.clock = clock or Clock()
        self.log = log
        self.started_us = self.clock()
        self.served: dict[str, Served] = {}
        vocabularies: dict[str, Vocabulary] = {}
        for name, place in self.rehearsal.places.items():
            model = place.deployment.model
            counting = countings[model.name]
            if model.name not in vocabularies:
                vocabularies[model.name] = Vocabulary(usable_words(counting.tokens), shape.seed)
            target, weights = model.latency_target, model.weights
            rule = counting.rules.prompt_cache
            caches = cache_us > 0 and weights.cached_input is not None
            self.served[name] = Served(
                place=place,
                counting=counting,
                cache=PrefixCache(rule.minimum_tokens, rule.step_tokens, lasting_us=cache_us) if caches else None,
                answers=Answers(shape, None if isinstance(target, Unknown) else target.tokens_per_second),
                vocabulary=vocabularies[model.name],
                shows_writes=isinstance(weights.cache_write, Fraction) and weights.cache_write != weights.input,
            )
        self._number = 0

    def find(self, name: str) -> Served | None:
        """The deployment of that name, in any case."""
        return self.served.get(name.casefold())

    def new_id(self) -> str:
        """An id that no other call of this run has."""
        self._number += 1
        return f"{self.started_us:x}{self._number:08x}"

    def decide(
        self,
        served: Served,
        counted: RequestTokens,
        keys: tuple[bytes, ...],
        *,
        streamed: bool,
        spill_to: str | None,
    ) -> ServedCall:
        """Lets a call in or not; raises CannotSpill. One that is let in ends with `end`, another has ended."""
        now = self.clock()
        prompt, cached, written = counted.input_tokens, 0, 0
        cache = served.cache
        if cache is not None and keys:
            cached = min(prompt, cache.cached(now, keys))
            if served.shows_writes:
                written = max(0, prompt - cached)
        plan = served.answers.plan(counted.max_tokens)
        tokens = ArrivingCall(prompt - cached - written, plan.output, cached, written, counted.max_tokens)
        decision = self.rehearsal.decide(now, served.place, tokens, spill_to)
        call = ServedCall(served, self.new_id(), now, tokens, plan, decision, streamed)
        if decision.admitted is None:
            self._note(call, now, decision.status, plan.output, plan.duration_us)
        else:
            decision.place.in_flight += 1
            if cache is not None and keys:
                cache.remember(now, keys)
        return call

    def end(self, call: ServedCall, *, output: int | None = None) -> None:
        """The answer has been given, or (`output`) its client has left after so many tokens of it."""
        decision = call.decision
        assert decision.admitted is not None
        now = self.clock()
        decision.place.in_flight -= 1
        generated = call.plan.output if output is None else output
        decision.place.complete(now, decision.admitted, generated)
        gone = output is not None
        self._note(call, now, CLIENT_GONE if gone else decision.status, generated, now - call.arrival_us)

    def _note(self, call: ServedCall, now: int, status: int, output: int, duration_us: int) -> None:
        decision, tokens, plan = call.decision, call.tokens, call.plan
        spilled = decision.spilled_from is not None
        first = min(plan.first_us, duration_us)
        ended = EndedCall(status, spilled, call.streamed, tokens.prompt, tokens.cached, output, first, duration_us)
        decision.place.ended(now, ended)
        if self.log is None:
            return
        most = tokens.max_tokens
        if most is None and status == CLIENT_GONE:
            most = tokens.output  # what was estimated at its arrival: a simulation knows no plan
        asked = call.served.place
        row = LoggedCall(
            call.arrival_us,
            asked.name,
            asked.deployment.model.name,
            tokens.prompt,
            tokens.cached,
            tokens.written,
            output,
            min(plan.reasoning, output),
            most,
            status,
            duration_us,
            call.request_id,
            spilled,
            decision.place.name,
            call.streamed,
        )
        self.log.write(row)
