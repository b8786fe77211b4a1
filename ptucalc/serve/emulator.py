"""What the server knows: deployments with their token counting, caches and answers, a gateway before them, the clock, the
log, the sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from time import monotonic_ns, time_ns

from ptucalc.admission import ArrivingCall
from ptucalc.bucket_kernel import MINUTE_US
from ptucalc.errors import BadInput, Problem
from ptucalc.gateway import FrontDoor, Gateway, GivenUp, Pause
from ptucalc.made_up_answers import AnswerShape, Vocabulary, usable_words
from ptucalc.prefix_cache import PrefixCache
from ptucalc.rehearsal import CLIENT_GONE, Deployment, EndedCall, Place, Rehearsal
from ptucalc.serve.call_log import CallLog
from ptucalc.serve.call_rows import row_at_gateway, row_of
from ptucalc.serve.front import Arrival, Front, Prompts, RefusedCall
from ptucalc.serve.served import Prompt, Served, ServedCall, answers_of, shows_cache_writes
from ptucalc.token_parts import Counting

__all__ = ["Clock", "Emulator"]


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


class Emulator:
    """The deployments of a resource at work. `clock` is what time it is; `log` may be None.

    `door` is that of a gateway whose backends are among them, if there is one. Raises BadInput with all that is wrong with
    the deployments.
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
        door: FrontDoor | None = None,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        """`countings` are by the models' names; a prompt is cached for `cache_us` after it was last used, 0 for not.

        `aliases` are further names of deployments.
        """
        self._aliases = {key.casefold(): name for key, name in (aliases or {}).items()}
        self.clock = clock or Clock()
        self.log = log
        self.started_us = self.clock()
        started = [each.started(self.started_us) for each in deployments]
        self.rehearsal = Rehearsal(started, assumed_max_tokens=assumed_max_tokens)
        self.served: dict[str, Served] = {}
        vocabularies: dict[str, Vocabulary] = {}
        for name, place in self.rehearsal.places.items():
            model = place.deployment.model
            counting = countings[model.name]
            if model.name not in vocabularies:
                vocabularies[model.name] = Vocabulary(usable_words(counting.tokens), shape.seed)
            rule = counting.rules.prompt_cache
            caches = cache_us > 0 and model.weights.cached_input is not None
            self.served[name] = Served(
                place=place,
                counting=counting,
                cache=PrefixCache(rule.minimum_tokens, rule.step_tokens, lasting_us=cache_us) if caches else None,
                answers=answers_of(shape, place.deployment),
                vocabulary=vocabularies[model.name],
                shows_writes=shows_cache_writes(place.deployment),
            )
        self.front = None if door is None else self._front(door, shape)
        self._number = 0

    def _front(self, door: FrontDoor, shape: AnswerShape) -> Front:
        if door.name.casefold() in self.served:
            raise BadInput(
                [Problem("deployment", door.name, "a name that no backend has: clients call the gateway so")]
            )
        backends = [self.served[each.name.casefold()] for each in door.route.backends]
        gateway = Gateway(door, [each.place for each in backends])
        answers = {each.place.deployment.model.name: answers_of(shape, each.place.deployment) for each in backends}
        return Front(gateway, backends, answers)

    def find(self, name: str) -> Served | Front | None:
        """The deployment of that name, in any case; or the gateway, if that is what it is called."""
        key = name.casefold()
        if self.front is not None and key == self.front.name.casefold():
            return self.front
        return self.served.get(self._aliases.get(key, key).casefold())

    @property
    def names(self) -> list[tuple[str, str]]:
        """What clients may call, each with the name of the model behind it."""
        door = [] if self.front is None else [self.front.gateway.door]
        places = self.rehearsal.places.values()
        return [(each.name, each.model.name) for each in door] + [
            (place.name, place.deployment.model.name) for place in places
        ]

    def new_id(self) -> str:
        """An id that no other call of this run has."""
        self._number += 1
        return f"{self.started_us:x}{self._number:08x}"

    def decide(self, served: Served, prompt: Prompt, *, streamed: bool, spill_to: str | None) -> ServedCall:
        """Lets a call in or not; raises CannotSpill. One that is let in ends with `end`, another has ended."""
        now = self.clock()
        plan = served.answers.plan(prompt.counted.max_tokens, prompt.form)
        tokens = served.tokens(now, prompt, plan.output)

        def spilled(target: Place) -> ArrivingCall:
            nonlocal tokens
            tokens = self._of_place(target).tokens(now, prompt, plan.output)
            return tokens

        decision = self.rehearsal.decide(now, served.place, tokens, spill_to, spilled=spilled)
        call = ServedCall(served, self.new_id(), now, tokens, plan, decision, streamed)
        if decision.admitted is None:
            self._note(call, now, decision.status, plan.output, plan.duration_us)
        else:
            self._let_in(call, now, prompt)
        return call

    def _of_place(self, place: Place) -> Served:
        return self.served[place.name.casefold()]

    def arrive(self, front: Front, prompts: Prompts, *, streamed: bool) -> Arrival:
        """A call arrives at the gateway; `go_on` says what becomes of it."""
        way = front.gateway.begin(self.clock(), streamed=streamed)
        return Arrival(front, way, self.new_id(), prompts, front.plans(prompts))

    def go_on(self, arrival: Arrival) -> ServedCall | RefusedCall | Pause:
        """What becomes of a call at the gateway: asked at once, and again at the end of each pause.

        One that a backend takes ends with `end`; one that is refused has ended; one in a pause may `leave`.
        """
        front = arrival.front
        now = self.clock() if arrival.asked else arrival.way.arrived_us
        arrival.asked = True

        def at(index: int) -> ArrivingCall:
            served = front.backends[index]
            model = served.model_name
            found = served.tokens(now, arrival.prompts.by_model[model], arrival.plans[model].output)
            arrival.at[index] = found
            return found

        step = front.gateway.go_on(now, arrival.way, at)
        if isinstance(step, Pause):
            return step
        if isinstance(step, GivenUp):
            self._note_at_gateway(arrival, now, step.status)
            return RefusedCall(arrival, step)
        index = arrival.way.tries[-1].backend
        served = front.backends[index]
        plan = arrival.plans[served.model_name]
        call = ServedCall(served, arrival.request_id, now, arrival.at[index], plan, step, arrival.way.streamed, arrival)
        self._let_in(call, now, arrival.prompts.by_model[served.model_name])
        return call

    def leave(self, arrival: Arrival) -> None:
        """The client has left in a pause."""
        now = self.clock()
        arrival.front.gateway.leave(now, arrival.way)
        self._note_at_gateway(arrival, now, CLIENT_GONE)

    def _let_in(self, call: ServedCall, now: int, prompt: Prompt) -> None:
        call.decision.place.in_flight += 1
        self._of_place(call.decision.place).remember(now, prompt)

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
        decision, tokens = call.decision, call.tokens
        spilled = decision.spilled_from is not None
        first = min(call.plan.first_us, duration_us)
        ended = EndedCall(status, spilled, call.streamed, tokens.prompt, tokens.cached, output, first, duration_us)
        decision.place.ended(now, ended)
        if call.through is not None:
            call.through.front.gateway.ended(now, call.through.way, status, duration_us)
        if self.log is not None:
            self.log.write(row_of(call, status, output, duration_us))

    def _note_at_gateway(self, arrival: Arrival, now: int, status: int) -> None:
        """A call that no backend served."""
        arrival.front.gateway.ended(now, arrival.way, status)
        if self.log is not None:
            self.log.write(row_at_gateway(arrival, now, status))
