"""All that a benchmark needs before anything is sent: flags, model, key, prompts and load, checked together."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import NamedTuple, TypeVar

from ptucalc.bench_budget import Budget, budget_of
from ptucalc.bench_prompts import PromptMaker
from ptucalc.catalog import Catalog, Model, TokenWeights, UnknownModel
from ptucalc.cli.bench_flags import BenchFlags, CheckedBench
from ptucalc.cli.bench_loads import MadeLoad, load_of
from ptucalc.cli.view import View
from ptucalc.errors import BadInput, Problem
from ptucalc.measure.target import Key, Target, find_key, find_target
from ptucalc.prices import PriceBook
from ptucalc.read.catalog import load_catalog
from ptucalc.read.prices import load_prices
from ptucalc.read.prompt_counting import PromptCounting
from ptucalc.resolving import Resolver
from ptucalc.token_rules import PromptCacheRule

__all__ = ["Ready", "make_ready"]

_T = TypeVar("_T")


class Ready(NamedTuple):
    """All that a run needs, checked. `target` is None for a dry run, which needs no key."""

    catalog: Catalog
    prices: PriceBook
    model: Model
    version: str | None
    weights: TokenWeights
    prompts: PromptMaker
    cache: PromptCacheRule
    made: MadeLoad
    budget: Budget
    target: Target | None


def make_ready(flags: BenchFlags, checked: CheckedBench, view: View) -> Ready:
    """Everything checked and read. Raises BadInput with all that is wrong."""
    problems = checked.problems

    def kept(make: Callable[[], _T]) -> _T | None:
        try:
            return make()
        except BadInput as error:
            problems.extend(problem for problem in error.problems if problem not in problems)
            return None

    problems.extend(_in_the_way(view, dry_run=flags.dry_run))
    catalog = load_catalog(*flags.log.catalogs)
    prices = load_prices(*flags.prices)
    problems.extend(Resolver(catalog).bad_place(checked.region))
    found = kept(lambda: _model(flags, catalog))
    model, version = found or (None, None)
    key_problems: list[Problem] = []
    key = find_key(checked.wire, key_problems)
    if not flags.dry_run:
        problems.extend(key_problems)
    target = None if flags.dry_run else kept(lambda: _target(flags, checked, model, key))
    prompts = kept(lambda: _prompts(flags, checked, catalog, model)) if model is not None else None
    if problems or model is None or prompts is None:
        raise BadInput(problems)
    weights = model.weights
    if checked.output_weight is not None:
        weights = replace(weights, output=checked.output_weight)
    cache = prompts.counting.rules.prompt_cache
    made = load_of(flags, checked, model, weights, catalog, view, cache_minimum=cache.minimum_tokens)
    _check_sizes(made, prompts, checked)
    region = checked.region or prices.default_region
    at = {
        long: prices.tokens(
            model.name, model.only_version(version), checked.kind, region, long_context=long, publisher=model.publisher
        )
        for long in (False, True)
    }
    budget = budget_of(
        made.load,
        most_requests=checked.max_requests,
        retries=checked.retries,
        prices=at[False],
        long_prices=at[True],
        long_over=model.long_context.over_input_tokens if model.long_context else None,
        cache_minimum=cache.minimum_tokens,
    )
    return Ready(catalog, prices, model, version, weights, prompts, cache, made, budget, target)


def _in_the_way(view: View, *, dry_run: bool) -> Iterator[Problem]:
    """What would only be found at the end of a long run, or in the middle of it."""
    if view.out_file is not None and not os.path.isdir(os.path.dirname(view.out_file) or "."):
        yield Problem("--out-file", view.out_file, "a file in a folder that exists")
    elif view.out_file is not None and os.path.isdir(view.out_file):
        yield Problem("--out-file", view.out_file, "a file, not a directory")
    if not dry_run:
        try:
            import httpx  # noqa: F401
        except ImportError:
            yield Problem("httpx", "not installed", "there, which bench needs: pip install 'ptucalc[bench]'")


def _model(flags: BenchFlags, catalog: Catalog) -> tuple[Model, str | None]:
    if flags.model is None:
        raise BadInput([Problem("model", "", "the model that the deployment serves: -m gpt-4.1")])
    try:
        model, dated = catalog.find(flags.model)
    except UnknownModel as error:
        raise BadInput([Problem("model", flags.model, error.expected)]) from None
    return model, flags.model_version or dated


def _target(flags: BenchFlags, checked: CheckedBench, model: Model | None, key: Key) -> Target:
    return find_target(
        endpoint=flags.endpoint,
        deployment=flags.deployment or (model.name if model else "model"),
        wire=checked.wire,
        api_version=flags.api_version,
        stream=flags.stream,
        max_tokens_field=flags.max_tokens_field,
        key=key,
    )


def _prompts(flags: BenchFlags, checked: CheckedBench, catalog: Catalog, model: Model) -> PromptMaker:
    ways_out = "--encoding NAME counts in another one"
    counting = PromptCounting(catalog, model=model.name, encoding=flags.encoding, ways_out=ways_out).counting_for(model)
    seed = secrets.randbelow(10**9) if checked.seed is None else checked.seed
    return PromptMaker(counting, seed)


def _check_sizes(made: MadeLoad, prompts: PromptMaker, checked: CheckedBench) -> None:
    """Raises BadInput for calls that are too small to be made."""
    fewest = prompts.fewest_tokens
    sizes = {call.size for call in islice(made.load.planned(), 1 if made.load.concurrency else checked.max_requests)}
    small = [size.input_tokens for size in sizes if size.input_tokens < fewest]
    if small:
        expected = f"prompts of {fewest} tokens or more: the frame of a message and a word"
        raise BadInput([Problem("input_tokens", f"{min(small)}", expected)])
    if sizes:
        size = max(sizes)
        prompts.prompt(0, size.input_tokens, size.shared_tokens)
