"""Microsoft's own calculator (calculateModelCapacity): what to ask it, and its answer against ours.

Request and answer: azure-rest-api-specs, Microsoft.CognitiveServices stable 2024-10-01, CalculateModelCapacity. Its fields
are whole numbers, and there is none for cached tokens, images or headroom: the comparison leaves those out on our side too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from ptucalc.catalog import DeploymentType
from ptucalc.hand_over import Provisioned
from ptucalc.results import SizedDeployment, SizedWorkload, json_number
from ptucalc.rounding import Grid
from ptucalc.sizing_result import SizingResult

__all__ = ["CapacityAnswer", "CapacityComparison", "capacity_request", "compare_capacity", "left_out"]

WHOLE = Grid(1, 1)
"""Rounds requests and tokens up to the whole numbers that the calculator takes."""


class CapacityAnswer(NamedTuple):
    """A saved answer: the model and type asked about, the raw PTU and the deployable ones. `source` is the file."""

    model: str
    version: str
    deployment_type: DeploymentType
    raw_ptu: Fraction
    deployable_ptu: int
    source: str = ""


class CapacityComparison(NamedTuple):
    """One deployment: the calculator's answer, and ours to the same question.

    `asked_raw_ptu` and `asked_ptu` leave out what the calculator cannot be asked (`left_out`); `ptu` is the size that the
    plan buys. It agrees where the deployable PTU are the same and the raw ones differ by less than one, as how the
    calculator rounds them is not published.
    """

    deployment: str
    deployment_type: DeploymentType
    answer: CapacityAnswer
    asked_raw_ptu: Fraction
    asked_ptu: int
    ptu: int
    left_out: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether both come to the same."""
        close = abs(self.answer.raw_ptu - self.asked_raw_ptu) < 1
        return self.answer.deployable_ptu == self.asked_ptu and close

    def to_dict(self) -> dict[str, Any]:
        """The comparison as JSON data."""
        return {
            "deployment": self.deployment,
            "deployment_type": self.deployment_type.value,
            "agrees": self.agrees,
            "answer_raw_ptu": json_number(self.answer.raw_ptu),
            "answer_deployable_ptu": self.answer.deployable_ptu,
            "asked_raw_ptu": json_number(self.asked_raw_ptu),
            "asked_ptu": self.asked_ptu,
            "ptu": self.ptu,
            "left_out": list(self.left_out),
        }


def capacity_request(deployment: Provisioned, members: Sequence[SizedWorkload]) -> dict[str, Any]:
    """The body of the request for a deployment and its workloads, as JSON data."""
    return {
        "model": {"format": deployment.format, "name": deployment.model, "version": deployment.version},
        "skuName": deployment.sku_name,
        "workloads": [
            {
                "requestPerMinute": _whole(member.workload.requests_per_minute),
                "requestParameters": {
                    "avgPromptTokens": _whole(member.workload.input_tokens),
                    "avgGeneratedTokens": _whole(member.workload.output_tokens),
                },
            }
            for member in members
        ],
    }


def left_out(members: Sequence[SizedWorkload], headroom: Fraction) -> tuple[str, ...]:
    """What the calculator cannot be asked about these workloads, in words."""
    found = []
    if headroom:
        found.append("headroom")
    if any(member.workload.cache_ratio or member.workload.cache_write_ratio for member in members):
        found.append("the prompt cache")
    if any(member.workload.image_input_tokens or member.workload.image_output_tokens for member in members):
        found.append("image tokens")
    if len(members) > 1 and any(member.workload.profile is not None for member in members):
        found.append("that peaks do not coincide")
    return tuple(found)


def compare_capacity(
    result: SizingResult, answers: Sequence[CapacityAnswer]
) -> tuple[list[CapacityComparison], list[CapacityAnswer]]:
    """Each answer against one deployment of that model, version and type; and the answers that are left over.

    An answer does not say which deployment it is of, so as many as can be are paired with one that they agree with; the
    others go to the deployments that are left, in order. A deployment whose version is open takes any version's answer.
    """
    choices = [{_place(each): each for each in _compared(result, answer)} for answer in answers]
    paired = _agreeing([[place for place, each in of.items() if each.agrees] for of in choices])
    taken = set(paired.values())
    for number, of in enumerate(choices):
        free = next((place for place in of if place not in taken), None)
        if number not in paired and free is not None:
            paired[number] = free
            taken.add(free)
    compared = [choices[number][place] for number, place in sorted(paired.items())]
    return compared, [answer for number, answer in enumerate(answers) if number not in paired]


_Place = tuple[str, DeploymentType]


def _place(compared: CapacityComparison) -> _Place:
    return compared.deployment, compared.deployment_type


def _agreeing(choices: Sequence[Sequence[_Place]]) -> dict[int, _Place]:
    """By answer, a deployment that it agrees with, as many as can be: an answer moves on where that makes room."""
    owners: dict[_Place, int] = {}

    def settle(number: int, seen: set[_Place]) -> bool:
        for place in choices[number]:
            if place not in seen:
                seen.add(place)
                if place not in owners or settle(owners[place], seen):
                    owners[place] = number
                    return True
        return False

    for number in range(len(choices)):
        settle(number, set())
    return {number: place for place, number in owners.items()}


def _compared(result: SizingResult, answer: CapacityAnswer) -> Iterator[CapacityComparison]:
    members = result.members
    for deployment in result.deployments:
        size = deployment.sizes.get(answer.deployment_type.value)
        if size is None or size.ptu is None or size.offer.grid is None or not _is_of(answer, deployment):
            continue
        raw = sum((_asked_weighted(member) for member in members[deployment.name]), Fraction(0)) / size.tpm_per_ptu
        asked = size.offer.grid.round_up(raw.numerator, raw.denominator)
        without = left_out(members[deployment.name], result.headroom)
        yield CapacityComparison(deployment.name, size.deployment_type, answer, raw, asked, size.ptu, without)


def _is_of(answer: CapacityAnswer, deployment: SizedDeployment) -> bool:
    model = deployment.model
    names = {name.casefold() for name in (model.name, model.model_id) if name}
    version = model.only_version(deployment.model_version)
    return answer.model.casefold() in names and version in (None, answer.version)


def _asked_weighted(member: SizedWorkload) -> Fraction:
    """Weighted TPM of what the calculator is asked: whole requests of whole tokens, none of them cached."""
    w, weights = member.workload, member.weights
    weight_in = weights.input if isinstance(weights.input, Fraction) else Fraction(0)
    weight_out = weights.output if isinstance(weights.output, Fraction) else Fraction(0)
    call = _whole(w.input_tokens) * weight_in + _whole(w.output_tokens) * weight_out
    return _whole(w.requests_per_minute) * call


def _whole(value: int | Fraction) -> int:
    """Rounded up to a whole number; 0 stays 0."""
    return WHOLE.round_up(*Fraction(value).as_integer_ratio()) if value else 0
