"""Which model serves each stream of a log, and what its calls weigh."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple

from ptucalc.catalog import Catalog, Model, TokenWeights, UnknownModel, nearest
from ptucalc.demand_profile import DemandProfile
from ptucalc.errors import BadInput, Problem
from ptucalc.request_log import Stream
from ptucalc.resolving import Resolver
from ptucalc.workload import Workload

__all__ = ["ModelFinder", "Served", "Weighing", "servable_bands", "thresholds_of"]


def thresholds_of(catalog: Catalog) -> tuple[int, ...]:
    """The prompt sizes at which a call is refused or weighs otherwise, of all models: the bands to read a log by."""
    limits = {model.prompt_limit_tokens for model in catalog if model.prompt_limit_tokens}
    return tuple(sorted(limits | {model.long_context.over_input_tokens for model in catalog if model.long_context}))


class Served(NamedTuple):
    """The model of a stream; where the catalog has none of that name, what is wrong and which ones may have been meant."""

    model: Model | None
    version: str | None = None
    problem: Problem | None = None
    near: tuple[str, ...] = ()


class ModelFinder:
    """Finds the model of a stream: the one for all (`model`), that of its deployment (`map_model`), else by name.

    The name is the row's model, or else the deployment's. A stream that says no model, of a deployment whose other
    streams are of one model, is of that one too.
    """

    def __init__(
        self,
        resolver: Resolver,
        streams: Iterable[Stream],
        *,
        model: str | None = None,
        model_version: str | None = None,
        map_model: Mapping[str, str] | None = None,
        output_weight: Fraction | None = None,
    ) -> None:
        """Raises BadInput, with every problem, where the models given cannot be used."""
        self._resolver = resolver
        self._streams = tuple(streams)
        self._known: dict[str, Served] = {}
        self._all: Served | None = None
        self._mapped: dict[str, Served] = {}
        problems: list[Problem] = []
        deployments = sorted({stream.deployment for stream in self._streams if stream.deployment})
        if model is not None:
            self._all = self._given(model, model_version, output_weight, problems)
        elif model_version is not None:
            problems.append(Problem("model_version", model_version, "a model (-m) beside it"))
        for deployment, name in (map_model or {}).items():
            wrong: list[Problem] = []
            self._mapped[deployment] = self._given(name, None, output_weight, wrong)
            problems += [Problem("map_model", f"{deployment}={name}", problem.expected) for problem in wrong]
            if deployment not in deployments:
                problems.append(Problem("map_model", deployment, _expected_deployment(deployment, deployments)))
        if problems:
            raise BadInput(problems)

    def _given(self, name: str, version: str | None, output_weight: Fraction | None, problems: list[Problem]) -> Served:
        """A model that the user named: what is wrong with it is a mistake."""
        try:
            call = _a_call(name, version, None, output_weight)
            found = self._resolver.resolve(call)
        except BadInput as error:
            problems += error.problems
            return Served(None)
        return Served(found.model, found.version)

    def serving(self) -> dict[Stream, Served]:
        """The model of every stream."""
        found = {stream: self._find(stream) for stream in self._streams}
        siblings: dict[str, dict[str, Served]] = {}
        for stream, served in found.items():
            if served.model is not None:
                siblings.setdefault(stream.deployment, {})[served.model.name] = served
        for stream, served in found.items():
            others = siblings.get(stream.deployment, {})
            if served.model is None and not stream.model and len(others) == 1:
                found[stream] = next(iter(others.values()))
        return found

    def _find(self, stream: Stream) -> Served:
        if self._all is not None:
            return self._all
        if stream.deployment in self._mapped:
            return self._mapped[stream.deployment]
        found = [self._named(name) for name in (stream.model, stream.deployment) if name]
        for served in found:
            if served.model is not None:
                return served
        if not found:
            return Served(None, problem=Problem("model", "", "a model, which the log does not name"))
        return next((served for served in found if served.near), found[0])

    def _named(self, name: str) -> Served:
        if name not in self._known:
            try:
                self._known[name] = Served(*self._resolver.catalog.find(name))
            except UnknownModel as error:
                self._known[name] = Served(None, None, Problem("model", name, error.expected), error.near)
        return self._known[name]


def _expected_deployment(deployment: str, deployments: list[str]) -> str:
    if not deployments:
        return "a deployment of the log, which names none (-m MODEL sizes all of it as that model)"
    near = nearest(deployment, deployments)
    listed = ", ".join(near or deployments[:10]) + (" ..." if not near and len(deployments) > 10 else "")
    return f"a deployment of the log: {listed}"


def _a_call(
    model: str,
    version: str | None,
    region: str | None,
    output_weight: Fraction | None,
    *,
    input_tokens: int = 1,
    output_tokens: int = 0,
    cached: bool = False,
    written: bool = False,
) -> Workload:
    """A call of that prompt size with tokens of these classes, to ask a `Resolver` what they weigh."""
    part = Fraction(1, 3)
    return Workload(
        model=model,
        model_version=version,
        region=region,
        output_weight=output_weight,
        requests_per_minute=1,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_ratio=part if cached else 0,
        cache_write_ratio=part if written else 0,
    )


def servable_bands(model: Model, thresholds: tuple[int, ...]) -> range:
    """The bands of prompt sizes that PTU of the model serves.

    Raises ValueError where a prompt size that matters to the model is not among the thresholds.
    """
    limit, long = model.prompt_limit_tokens, model.long_context
    for needed in (limit, long.over_input_tokens if long else None):
        if needed is not None and needed not in thresholds:
            raise ValueError(f"{needed} tokens of {model.name} is not among the thresholds: use thresholds_of(catalog)")
    return range(len(thresholds) + 1 if limit is None else thresholds.index(limit) + 1)


class Weighing(NamedTuple):
    """How to weigh the calls of a model: `resolve` asks for each band of prompt sizes that occurs."""

    resolver: Resolver
    region: str | None
    output_weight: Fraction | None

    def weights(self, model: Model, version: str | None, profile: DemandProfile) -> tuple[dict[int, TokenWeights], ...]:
        """The weights of each band of the profile, which has servable ones only; then those of the earlier rates.

        Raises BadInput where the model has no weight for tokens that the profile holds.
        """
        tokens = profile.tokens()
        found: dict[int, tuple[TokenWeights, ...]] = {}
        for band in sorted({row.band for row in profile.rows} | {0}):
            longer_than = profile.thresholds[band - 1] if band else 0
            call = _a_call(
                model.name,
                version,
                self.region,
                self.output_weight,
                input_tokens=longer_than + 1,
                output_tokens=1 if tokens.output else 0,
                cached=bool(tokens.cached),
                written=bool(tokens.written),
            )
            resolved = self.resolver.resolve(call)
            found[band] = (resolved.weights, *resolved.earlier)
        return tuple(dict(zip(found, rates, strict=True)) for rates in zip(*found.values(), strict=True))
