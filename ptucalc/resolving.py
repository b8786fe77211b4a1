"""A workload and a catalog to the model that serves it: found, checked, with the weights of its calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from ptucalc.catalog import (
    Catalog,
    DeploymentType,
    Model,
    TokenClass,
    TokenWeights,
    Unknown,
    UnknownModel,
    nearest,
)
from ptucalc.demand import Demand
from ptucalc.errors import BadInput, Problem
from ptucalc.workload import Workload

__all__ = ["Resolved", "Resolver"]


class Resolved(NamedTuple):
    """The model of a workload, fit for sizing.

    `weights` are those of its calls; `earlier` the weights of the model's earlier rates, in their order; `kinds` the
    deployment types to size; `text_weights_known` says that no text token can be without a weight.
    """

    model: Model
    version: str | None
    tpm_per_ptu: int
    weights: TokenWeights
    earlier: tuple[TokenWeights, ...]
    kinds: tuple[DeploymentType, ...]
    text_weights_known: bool


class Resolver:
    """Finds models, and remembers what it found. A workload's own deployment type wins over `deployment_types`."""

    def __init__(self, catalog: Catalog, deployment_types: Sequence[DeploymentType] = tuple(DeploymentType)) -> None:
        self.catalog = catalog
        self.deployment_types = deployment_types
        self._found: dict[object, Resolved | BadInput] = {}

    def resolve(self, workload: Workload) -> Resolved:
        """The model, version and weights of a workload. Raises BadInput, with every problem, where it cannot be sized."""
        w = workload
        key = (w.model, w.model_version, w.region, w.deployment_type, w.output_weight)
        found = self._found.get(key)
        if found is None:
            if len(self._found) > 10_000:
                self._found.clear()
            try:
                found = self._resolve(w)
            except BadInput as error:
                found = error
            self._found[key] = found
        if isinstance(found, BadInput):
            raise found
        model = found.model
        usual = (
            (model.prompt_limit_tokens is None or w.input_tokens <= model.prompt_limit_tokens)
            and (model.long_context is None or w.input_tokens <= model.long_context.over_input_tokens)
            and not w.image_input_tokens
            and not w.image_output_tokens
            and found.text_weights_known
        )
        return found if usual else _for_this_call(found, w)

    def problems_of(self, workload: Workload) -> tuple[Problem, ...]:
        """Why the workload cannot be sized; nothing where it can."""
        try:
            self.resolve(workload)
        except BadInput as error:
            return error.problems
        return ()

    def lacks_output_weight(self, model: str) -> bool:
        """Whether that model's output weight is unpublished; False for a model that is not known."""
        try:
            return isinstance(self.catalog.find(model)[0].weights.output, Unknown)
        except UnknownModel:
            return False

    def _resolve(self, workload: Workload) -> Resolved:
        try:
            model, dated = self.catalog.find(workload.model)
        except UnknownModel as error:
            unknown = Problem("model", workload.model, error.expected)
            raise BadInput([unknown, *self.bad_place(workload.region)]) from None
        problems = [*self.bad_place(workload.region), *_bad_version(workload, model, dated)]
        tpm = model.tpm_per_ptu
        weights = _fill_gaps(model.weights, workload)
        if isinstance(tpm, Unknown):
            others = " or ".join(f"{m.name} ({m.publisher})" for m in self.catalog.lookalikes(model))
            also = f"; another model is called almost the same: {others}" if others else ""
            problems.append(
                Problem("model", workload.model, f"a model with published PTU numbers ({tpm.reason}{also})")
            )
        elif isinstance(weights.output, Unknown):
            expected = f"the weight of one output token of {model.name} ({weights.output.reason})"
            problems.append(Problem("output_weight", "", expected))
        if problems or isinstance(tpm, Unknown):
            raise BadInput(problems)
        return Resolved(
            model=model,
            version=workload.model_version or dated,
            tpm_per_ptu=tpm,
            weights=weights,
            earlier=tuple(_fill_gaps(rate.weights, workload) for rate in model.earlier),
            kinds=(workload.deployment_type,) if workload.deployment_type else tuple(self.deployment_types),
            text_weights_known=all(isinstance(weights.of(token_class), Fraction) for token_class in _TEXT),
        )

    def bad_place(self, region: str | None) -> Iterator[Problem]:
        """What is wrong with a region: that no model is listed in it."""
        known = self.catalog.regions
        if region and known and region not in known:  # an edition without region tables knows none
            near = " or ".join(nearest(region, known))
            expected = "a region that some PTU model is listed in" + (f": {near}?" if near else "")
            yield Problem("region", region, expected)


def _bad_version(workload: Workload, model: Model, dated: str | None) -> Iterator[Problem]:
    version = workload.model_version
    if version is None:
        return
    if dated and version != dated:
        yield Problem("model_version", version, f"{dated}, as the model's name says")
    elif model.versions and version not in model.versions:
        yield Problem("model_version", version, f"a version of {model.name}: {', '.join(model.versions)}")


def _fill_gaps(weights: TokenWeights, workload: Workload) -> TokenWeights:
    """The user's output weight over the catalog's; cached tokens of unpublished weight count in full, the safe side."""
    full = weights.input if isinstance(weights.input, Fraction) else Fraction(1)
    cached = full if isinstance(weights.cached_input, Unknown) else weights.cached_input
    written = full if isinstance(weights.cache_write, Unknown) else weights.cache_write
    given = workload.output_weight if weights.output is not None else None
    output = weights.output if given is None else given
    return replace(weights, cached_input=cached, cache_write=written, output=output)


def _for_this_call(found: Resolved, workload: Workload) -> Resolved:
    """What depends on more than the model: a prompt limit, image tokens, long context."""
    model = found.model
    weights = _fill_gaps(model.weights_for(workload.input_tokens), workload)
    problems = list(_without_weight(weights, workload))
    limit = model.prompt_limit_tokens
    if limit is not None and workload.input_tokens > limit:
        expected = f"at most {limit:,}: {model.name} refuses longer prompts on PTU (HTTP 400, or they spill over)"
        problems.append(Problem("input_tokens", str(workload.input_tokens), expected))
    if problems:
        raise BadInput(problems)
    return found._replace(weights=weights)


_TEXT = (TokenClass.INPUT, TokenClass.CACHED_INPUT, TokenClass.CACHE_WRITE, TokenClass.OUTPUT)

_FIELDS = {
    TokenClass.INPUT: "input_tokens",
    TokenClass.CACHED_INPUT: "cache_ratio",
    TokenClass.CACHE_WRITE: "cache_write_ratio",
    TokenClass.OUTPUT: "output_tokens",
    TokenClass.IMAGE_INPUT: "image_input_tokens",
    TokenClass.IMAGE_OUTPUT: "image_output_tokens",
}

_INSTEAD = {
    TokenClass.OUTPUT: "0: the output of this model is images (image_output_tokens)",
    TokenClass.IMAGE_INPUT: "0: this model counts images as input tokens (add them to input_tokens)",
    TokenClass.IMAGE_OUTPUT: "0: this model makes no images",
}


def _without_weight(weights: TokenWeights, workload: Workload) -> Iterator[Problem]:
    """Tokens of a class whose weight the model does not have or nobody published: they cannot be counted as 0."""
    demand = Demand.of(workload)
    for token_class, name in _FIELDS.items():
        weight = weights.of(token_class)
        if isinstance(weight, Fraction) or not demand.tokens_per_minute(token_class):
            continue
        found = str(getattr(workload, name))
        if isinstance(weight, Unknown):
            yield Problem(name, found, f"0: the weight of {token_class.label} tokens is not known ({weight.reason})")
        else:
            expected = _INSTEAD.get(token_class, f"0: the catalog gives no weight for {token_class.label} tokens")
            yield Problem(name, found, expected)
