"""Calls by deployment to the report of `simulate`: runs, sizes, worst day, mixes, Standard limits, advice, notes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from ptucalc.advice import Advice, advice
from ptucalc.bucket_engine import Engine
from ptucalc.call_groups import CallGroup
from ptucalc.call_trace import CallTrace
from ptucalc.catalog import Availability, Catalog, Unknown
from ptucalc.errors import BadInput, Problem
from ptucalc.log_result import By
from ptucalc.request_log import LogSource
from ptucalc.simulate_notes import notes_of_deployment, notes_of_report
from ptucalc.simulated_runs import Policy
from ptucalc.simulation import simulate, spilled_calls
from ptucalc.simulation_report import SimulatedDeployment, SimulationReport, Synthetic, chosen_run
from ptucalc.simulation_result import SimulationResult
from ptucalc.spill_mix import Clock, Money, SpillPrices, by_the_minute, mixes
from ptucalc.standard_spill import StandardAsked, StandardCheck, standard_check
from ptucalc.standard_tiers import StandardLimits
from ptucalc.throttled_minutes import alert_of, worst_day

__all__ = ["Asked", "Facts", "analyse_calls"]

SHOWN_STEPS = 6
"""Where no sizes are asked for, about so many steps of those that can be bought are shown in detail."""

SIZES_FOR_ADVICE = 8
"""A smallest size without 429s is found with a few; one that keeps to a target needs more."""

SIZES_FOR_ADVICE_ON_TARGET = 64

SWEPT_AT_ONCE = 256
"""About so many sizes are counted when all are looked at, for choosing the engine."""

NOWHERE = Availability(None, "the model is not known")

ADVICE_CALLS = 2_000_000
"""Of more calls changes are tried only where they are asked for: each takes as long as a simulation."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of every deployment, checked. `ptu` is empty for the whole legal range.

    `standard` None: limits of Standard deployments are looked at where calls spill. `advise` None: where it is quick.
    """

    ptu: tuple[int, ...] = ()
    window: Fraction = Fraction(60)  # immutable
    policy: Policy = Policy.NONE
    max_retries: int = 2
    target_429: Fraction | None = None
    assumed_max_tokens: int | None = None
    output_weight: Fraction | None = None
    standard: StandardAsked | None = None
    advise: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known beside the calls. `engine_for` gives an engine for so many calls, sizes counted and replayed."""

    catalog: Catalog
    money: Money
    limits: StandardLimits
    engine_for: Callable[[int, int, int], Engine]
    version: str
    today: date


def analyse_calls(
    groups: Sequence[CallGroup],
    asked: Asked,
    facts: Facts,
    *,
    source: LogSource | None,
    synthetic: Synthetic | None,
    by: By,
    clock: Clock | None,
    mean_calls: bool = False,
) -> SimulationReport:
    """Simulate every group. `clock` is the time that all stand for; None: each its own.

    A group that cannot be simulated stays, with the reason.
    """
    found = [_Deployment(group, asked, facts, clock).simulated() for group in groups]
    with_notes = [replace(each, notes=tuple(notes_of_deployment(each))) for each in found]
    of_all = notes_of_report(source, synthetic, asked.window, mean_calls)
    notes = (*of_all, *(note for each in with_notes for note in each.notes))
    catalog, prices = facts.catalog, facts.money.prices
    return SimulationReport(
        version=facts.version,
        catalog_as_of=catalog.as_of,
        catalog_editions=catalog.editions,
        oldest_check=catalog.oldest_check(group.model for group in groups if group.model),
        price_editions=prices.editions,
        prices_as_of=prices.as_of,
        source=source,
        synthetic=synthetic,
        by=by,
        deployments=tuple(with_notes),
        notes=tuple(dict.fromkeys(notes)),
        problems=tuple(problem for each in found for problem in each.problems),
    )


class _Deployment:
    """One group of calls under one question."""

    def __init__(self, group: CallGroup, asked: Asked, facts: Facts, clock: Clock | None) -> None:
        self.group, self.asked, self.facts = group, asked, facts
        trace = group.trace
        minutes = max(1, trace.minutes)
        own = Clock(trace.first_minute if len(trace) else 0, minutes, minutes * 60_000_000)
        self.clock = clock or own

    def simulated(self) -> SimulatedDeployment:
        """The deployment, or why it cannot be simulated."""
        group, asked = self.group, self.asked
        model = group.model
        if model is None:
            problem = group.problem or Problem("model", group.model_name, "a known model")
            return SimulatedDeployment(
                group=group, availability=NOWHERE, clock=self.clock, given=bool(asked.ptu), problems=(problem,)
            )
        place = model.availability(group.deployment_type, version=group.model_version, region=group.region)
        empty = SimulatedDeployment(group=group, availability=place, clock=self.clock, given=bool(asked.ptu))
        if place.available is False:
            expected = f"a type that {group.name} can be deployed as ({place.reason})"
            return replace(empty, problems=(Problem("sku", group.deployment_type.value, expected),))
        try:
            result = self._result()
        except BadInput as error:
            return replace(empty, problems=tuple(self._placed(error.problems)))
        chosen = chosen_run(result)
        prices = SpillPrices.of(group, self.facts.money.prices, self.clock)
        facts, money = self.facts, self.facts.money
        minutes = by_the_minute(
            group,
            self.clock,
            money,
            catalog=facts.catalog,
            output_weight=asked.output_weight,
            version=facts.version,
            today=facts.today,
        )
        return replace(
            empty,
            result=result,
            prices=prices,
            mixes=mixes(result, prices, money, minutes, group),
            worst_day=worst_day(chosen.minutes, relative_clock=group.trace.relative_clock),
            alert=alert_of(chosen.minutes),
            standard=self._standard(result),
            advice=self._advice(result),
        )

    def _placed(self, problems: Iterable[Problem]) -> list[Problem]:
        """The problems, with the deployment where there may be several."""
        name = self.group.name
        return [p if p.label else p.at(label=f"deployment {name}, {p.field}") for p in problems]

    def _run(
        self,
        trace: CallTrace,
        ptu: Iterable[int] | None,
        *,
        sweep: bool = False,
        target: bool = True,
        assumed: int | None = None,
        most_sizes: int | None = None,
        keep_replay: bool = False,
    ) -> SimulationResult:
        asked, model = self.asked, self.group.model
        assert model is not None
        counted = SWEPT_AT_ONCE if sweep else len(tuple(ptu or ()))
        replayed = counted if asked.policy.retries else len(tuple(ptu or ()))
        return simulate(
            trace,
            model,
            deployment_type=self.group.deployment_type,
            ptu=ptu,
            window=asked.window,
            policy=asked.policy,
            max_retries=asked.max_retries,
            assumed_max_tokens=assumed,
            target_429=asked.target_429 if target else None,
            output_weight=None if model.weights.output is None else asked.output_weight,
            largest_ptu=self.facts.catalog.largest_deployment_ptu,
            sweep=sweep,
            most_sizes=most_sizes,
            keep_replay=keep_replay,
            engine=self.facts.engine_for(len(trace), counted, replayed),
        )

    @property
    def _sold(self) -> bool:
        """Whether there are sizes to look at, beside those that were given."""
        assert self.group.model is not None
        return self.group.model.offer(self.group.deployment_type).grid is not None

    def _result(self) -> SimulationResult:
        """Every legal size, and those asked for in detail; where none were, some of the legal ones."""
        trace, assumed = self.group.trace, self.asked.assumed_max_tokens
        if self.asked.ptu:
            return self._run(trace, self.asked.ptu, sweep=self._sold, assumed=assumed)
        found = self._run(trace, None, sweep=True, assumed=assumed)
        shown = _shown(found)
        detail = self._run(trace, shown, target=False, assumed=assumed)
        return replace(found, runs=detail.runs)

    def _standard(self, result: SimulationResult) -> StandardCheck | None:
        """What becomes of spilled calls on Standard; of all calls, where limits are given but nothing spills."""
        asked, chosen = self.asked, chosen_run(result)
        if asked.standard is None and not asked.policy.spills:
            return None
        limits = asked.standard or StandardAsked(assumed_max_tokens=asked.assumed_max_tokens)
        trace, ptu = self.group.trace, None
        if asked.policy.spills:
            again = self._run(trace, (chosen.ptu,), target=False, assumed=asked.assumed_max_tokens, keep_replay=True)
            trace, ptu = spilled_calls(trace, again.runs[0]), chosen.ptu
        return standard_check(trace, self.group, self.facts.limits, limits, ptu)

    def _advice(self, result: SimulationResult) -> Advice | Unknown:
        asked, trace = self.asked, self.group.trace
        if not self._sold:
            return Unknown("no sizes are published to compare")
        if asked.advise is False or (asked.advise is None and len(trace) > ADVICE_CALLS):
            return Unknown(f"not tried on {len(trace):,} requests, which takes a while: -v tries it")
        ptu = chosen_run(result).ptu
        most = SIZES_FOR_ADVICE if result.target is None else SIZES_FOR_ADVICE_ON_TARGET

        def again(changed: CallTrace, assumed: int | None) -> SimulationResult:
            return self._run(changed, (ptu,), sweep=True, assumed=assumed, most_sizes=most)

        return advice(trace, result, ptu, again)


def _shown(found: SimulationResult) -> list[int]:
    """The sizes to show in detail: the one to choose, the largest, and some between the smallest and it."""
    sizes = [point.ptu for point in found.sweep]
    step = max(1, len(sizes[1:]) // SHOWN_STEPS)
    spread = sizes[-1::-step][: SHOWN_STEPS + 1]
    return sorted({*spread, sizes[0], chosen_run(found).ptu})
