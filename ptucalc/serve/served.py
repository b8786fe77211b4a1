"""A deployment as it is served: how its prompts are counted, what it has cached, what it answers; and a call of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from ptucalc.admission import ArrivingCall
from ptucalc.catalog import Unknown
from ptucalc.made_up_answers import AnswerPlan, Answers, AnswerShape, Vocabulary
from ptucalc.made_up_forms import AnswerForm, wanted_form
from ptucalc.prefix_cache import PrefixCache
from ptucalc.rehearsal import Decision, Deployment, Place
from ptucalc.request_tokens import RequestTokens, count_request
from ptucalc.token_parts import Counting

if TYPE_CHECKING:
    from ptucalc.serve.front import Arrival

__all__ = ["Prompt", "Served", "ServedCall", "answers_of", "shows_cache_writes"]


class Prompt(NamedTuple):
    """A request as a model counts it: its tokens, the keys of its beginnings, and the form that its answer must have."""

    counted: RequestTokens
    keys: tuple[bytes, ...]
    form: AnswerForm | None = None


@dataclass(frozen=True, kw_only=True)
class Served:
    """A deployment as it is served: how its prompts are counted, what it has cached, what it answers."""

    place: Place
    counting: Counting
    cache: PrefixCache | None
    answers: Answers
    vocabulary: Vocabulary
    shows_writes: bool

    @property
    def model_name(self) -> str:
        """The catalog's name of the model behind it."""
        return self.place.deployment.model.name

    def read(self, body: Mapping[str, Any]) -> Prompt:
        """Counts a request. Raises BadInput with all that is wrong with it."""
        counted = count_request(body, self.counting)
        form = wanted_form(body, self.counting.tokens, self.vocabulary.words)
        return Prompt(counted, () if self.cache is None else self.cache.keys(counted.rendered), form)

    def tokens(self, now_us: int, prompt: Prompt, output: int) -> ArrivingCall:
        """The call as it arrives here: what is cached, and what will be written to the cache."""
        whole, cached, written = prompt.counted.input_tokens, 0, 0
        if self.cache is not None and prompt.keys:
            cached = min(whole, self.cache.cached(now_us, prompt.keys))
            if self.shows_writes:
                written = max(0, whole - cached)
        return ArrivingCall(whole - cached - written, output, cached, written, prompt.counted.max_tokens)

    def remember(self, now_us: int, prompt: Prompt) -> None:
        """The prompt is served here: from now on it is cached here."""
        if self.cache is not None and prompt.keys:
            self.cache.remember(now_us, prompt.keys)


@dataclass(slots=True)
class ServedCall:
    """A call that was decided on, until it ends. `arrival_us` is when it came to the deployment that decided.

    `served` is the deployment that it asked for, `tokens` what it is at the one that decided last. `through` is its
    arrival at the gateway, None for one that named its deployment.
    """

    served: Served
    request_id: str
    arrival_us: int
    tokens: ArrivingCall
    plan: AnswerPlan
    decision: Decision
    streamed: bool
    through: Arrival | None = None


def answers_of(shape: AnswerShape, deployment: Deployment) -> Answers:
    """The answers of a deployment, in the time of its model's latency target."""
    target = deployment.model.latency_target
    return Answers(shape, None if isinstance(target, Unknown) else target.tokens_per_second)


def shows_cache_writes(deployment: Deployment) -> bool:
    """Whether writing to the prompt cache has a weight of its own, so that usage tells it."""
    weights = deployment.model.weights
    return isinstance(weights.cache_write, Fraction) and weights.cache_write != weights.input
