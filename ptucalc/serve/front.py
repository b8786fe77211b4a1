"""The name that clients of a gateway call, as it is served: how their prompts are counted, and their calls on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ptucalc.admission import ArrivingCall
from ptucalc.gateway import Gateway, GatewayCall, GivenUp
from ptucalc.made_up_answers import AnswerPlan, Answers
from ptucalc.serve.served import Prompt, Served

__all__ = ["Arrival", "Front", "Prompts", "RefusedCall"]


class Prompts(NamedTuple):
    """A request as each model of the backends counts it, by the models' names."""

    by_model: Mapping[str, Prompt]


@dataclass(slots=True)
class Arrival:
    """A call that has arrived at the gateway, until a backend takes it or it is given up."""

    front: Front
    way: GatewayCall
    request_id: str
    prompts: Prompts
    plans: Mapping[str, AnswerPlan]
    """Its answer by the model that gives it: of the same length, each in its own time."""
    asked: bool = False
    """Whether the router has been asked about it."""
    at: dict[int, ArrivingCall] = field(default_factory=dict)
    """What it was at the backends that it tried."""

    def tries(self, between: str) -> str:
        """The way that it took: ptu-east=429, standard-east=200."""
        names = self.front.gateway.places
        return between.join(f"{names[each.backend].name}={each.status}" for each in self.way.tries)


class RefusedCall(NamedTuple):
    """A call that no backend took."""

    arrival: Arrival
    given_up: GivenUp


class Front:
    """A gateway as it is served. `backends` stand in the order of its route."""

    def __init__(self, gateway: Gateway, backends: Sequence[Served], answers: Mapping[str, Answers]) -> None:
        """`answers` are by the models' names; with one seed and shape all of them plan the same lengths."""
        self.gateway, self.backends, self._answers = gateway, tuple(backends), answers
        self._of_models = {served.model_name: served for served in backends}

    @property
    def name(self) -> str:
        """What clients call."""
        return self.gateway.name

    @property
    def door_names(self) -> tuple[str, str]:
        """What clients call, and the model that they mean by it."""
        return self.gateway.name, self.gateway.door.model.name

    def read(self, body: Mapping[str, Any]) -> Prompts:
        """Counts a request. Raises BadInput with all that is wrong with it."""
        return Prompts({model: served.read(body) for model, served in self._of_models.items()})

    def plans(self, prompts: Prompts) -> dict[str, AnswerPlan]:
        """The answer to the next call, by model."""
        asked = prompts.by_model
        return {
            model: answers.plan(asked[model].counted.max_tokens, asked[model].form)
            for model, answers in self._answers.items()
        }
