"""The calls of a log by deployment and model: what PTU can serve of them, and which of them are shown together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from ptucalc.catalog import Model, TokenWeights, Unknown
from ptucalc.demand_profile import DemandProfile, MeanCall
from ptucalc.errors import BadInput, Problem
from ptucalc.log_models import Served, Weighing, servable_bands
from ptucalc.log_result import By, WeighedCalls
from ptucalc.request_log import Stream

__all__ = ["Calls", "Group", "calls_of", "groups_of"]


class Calls(NamedTuple):
    """The calls of one deployment and model: those that PTU can serve, and those it cannot (None: there are none).

    `weights` are today's, then those of the model's earlier rates; where there are none, `problems` say why.
    """

    deployment: str
    streams: tuple[Stream, ...]
    served: Served
    profile: DemandProfile
    unservable: DemandProfile | None = None
    weights: tuple[Mapping[int, TokenWeights], ...] = ()
    problems: tuple[Problem, ...] = ()

    def weighed(self, rate: int = 0) -> WeighedCalls:
        """With today's weights (0) or those of an earlier rate."""
        return WeighedCalls(self.deployment, self.streams, self.profile, self.weights[rate])

    @property
    def model_name(self) -> str:
        """As the catalog calls the model, else as the log does."""
        model = self.served.model
        return model.name if model else next((stream.model for stream in self.streams if stream.model), "")


class Group(NamedTuple):
    """Calls that are shown, and sized, as one: `model` is that of all of them. `problems` say why they are not sized."""

    name: str
    calls: tuple[Calls, ...]
    problems: tuple[Problem, ...]

    @property
    def model(self) -> Model | None:
        """The model of all the calls."""
        return self.calls[0].served.model

    @property
    def version(self) -> str | None:
        """The version, where all the calls are of one."""
        versions = {each.served.version for each in self.calls}
        return versions.pop() if len(versions) == 1 else None

    @property
    def reason(self) -> Unknown | None:
        """Why the calls are not sized."""
        return Unknown("; ".join(_in_words(problem) for problem in self.problems)) if self.problems else None

    @property
    def what_to_do(self) -> Iterator[Problem]:
        """The problems, with the way out where it is the model that is not known."""
        for problem in self.problems:
            if self.model is not None:
                yield problem
                continue
            name = self.calls[0].deployment
            this = f"--map-model {name}=MODEL sizes this deployment as that model, " if name else ""
            yield problem._replace(expected=f"{problem.expected}; {this}-m MODEL sizes everything as that model")

    @property
    def unservable(self) -> tuple[Fraction, MeanCall]:
        """How many calls PTU refuses, and all their tokens."""
        refused = [each.unservable for each in self.calls if each.unservable]
        sums = [profile.tokens() for profile in refused]
        tokens = MeanCall(*(sum((each[i] for each in sums), Fraction(0)) for i in range(4)))
        return sum((profile.requests for profile in refused), Fraction(0)), tokens


def _in_words(problem: Problem) -> str:
    return f"got {problem.shown}, expected {problem.expected}" if problem.found else f"expected {problem.expected}"


def calls_of(
    profiles: Mapping[Stream, DemandProfile], serving: Mapping[Stream, Served], weighing: Weighing
) -> list[Calls]:
    """The streams put together by deployment and model; streams whose model is not known each for themselves."""
    together: dict[object, list[Stream]] = {}
    for stream in profiles:
        model = serving[stream].model
        key: object = stream if model is None else (stream.deployment, model.name)
        together.setdefault(key, []).append(stream)
    found = []
    for streams in together.values():
        several = [serving[stream] for stream in streams]
        versions = {served.version for served in several}
        served = several[0]._replace(version=versions.pop() if len(versions) == 1 else None)
        profile = _merged([profiles[stream] for stream in streams])
        found.append(_weighed(streams[0].deployment, tuple(streams), served, profile, weighing))
    return found


def _merged(profiles: Sequence[DemandProfile]) -> DemandProfile:
    return profiles[0] if len(profiles) == 1 else DemandProfile.merged(profiles)


def _weighed(
    deployment: str, streams: tuple[Stream, ...], served: Served, profile: DemandProfile, weighing: Weighing
) -> Calls:
    if served.model is None:
        assert served.problem is not None  # whoever finds no model says why
        return Calls(deployment, streams, served, profile, problems=(_at(served.problem, deployment),))
    servable = servable_bands(served.model, profile.thresholds)
    unservable = None
    if any(row.band not in servable for row in profile.rows):
        unservable = profile.only(row.band for row in profile.rows if row.band not in servable)
        profile = profile.only(servable)
    calls = Calls(deployment, streams, served, profile, unservable)
    if profile.unsized and not profile.sized and not any(profile.tokens()):
        expected = (
            "token counts of at least one call that PTU can serve: all there are were throttled, their size unknown"
        )
        return calls._replace(problems=(_at(Problem("input_tokens", "", expected), deployment),))
    try:
        return calls._replace(weights=weighing.weights(served.model, served.version, profile))
    except BadInput as error:
        tokens = profile.tokens()
        held = {"cache_ratio": tokens.cached, "cache_write_ratio": tokens.written, "output_tokens": tokens.output}
        problems = (
            problem._replace(found=f"{float(held[problem.field]):,.0f} tokens") if problem.field in held else problem
            for problem in error.problems
        )
        return calls._replace(problems=tuple(_at(problem, deployment) for problem in problems))


def _at(problem: Problem, deployment: str) -> Problem:
    where = f"deployment {deployment}, {problem.field}" if deployment else problem.field
    return problem.at(label=where)


def groups_of(calls: Sequence[Calls], by: By) -> list[Group]:
    """What is shown together; calls that cannot be weighed stay alone.

    Raises BadInput where the whole log (`by` is "none") is not of one model.
    """
    if by == "none":
        _check_one_model(calls)
    together: dict[object, list[Calls]] = {}
    for index, each in enumerate(calls):
        alone = by == "deployment" or not each.weights or each.served.model is None
        together.setdefault(index if alone else each.model_name, []).append(each)
    members = [tuple(listed) for listed in together.values()]
    return [Group(name, listed, _problems(listed)) for name, listed in zip(_names(members, by), members, strict=True)]


def _check_one_model(calls: Sequence[Calls]) -> None:
    models = {each.model_name for each in calls if each.served.model is not None}
    unknown = any(each.served.model is None for each in calls)
    if len(models) > 1 or unknown:
        listed = ", ".join(sorted(models)[:10])
        also = " and calls whose model is not known" if unknown and models else ""
        held = f"the log holds {listed}{also}" if models else "what the log holds is of no known model"
        raise BadInput([Problem("by", "none", f"one model for all calls (-m MODEL); {held}")])


def _problems(listed: Sequence[Calls]) -> tuple[Problem, ...]:
    """Why a group cannot be sized: what is wrong with its calls, or that PTU can serve none of them."""
    found = tuple(problem for each in listed for problem in each.problems)
    if found or any(row for each in listed for row in each.profile.rows if any(row[2:])):
        return found
    first = listed[0]
    model = first.served.model
    limit = model.prompt_limit_tokens if model and first.unservable else None
    if model is None or limit is None:
        return (_at(Problem("requests", "0", "at least one call"), first.deployment),)
    expected = f"a call that PTU can serve: every prompt is over the {limit:,} tokens that {model.name} takes there"
    return (_at(Problem("input_tokens", "", expected), first.deployment),)


def _names(members: Sequence[tuple[Calls, ...]], by: By) -> list[str]:
    """What each group is called: its deployment (or model), with as much more as tells it from the others."""
    plain = []
    for listed in members:
        first = listed[0]
        if by == "none" and first.weights:
            plain.append("all calls")
        elif by == "model" and first.weights:
            plain.append(first.model_name)
        else:
            plain.append(first.deployment or first.model_name or "all calls")
    found: list[str] = []
    for listed, name in zip(members, plain, strict=True):
        full = f"{name} ({listed[0].model_name})" if plain.count(name) > 1 and listed[0].model_name != name else name
        number = 2
        unique = full
        while unique in found:
            unique = f"{full} ({number})"
            number += 1
        found.append(unique)
    return found
