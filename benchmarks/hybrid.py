"""The cheapest PTU + spillover mix over a month of minutes and every legal size, against the naive double loop.

    python benchmarks/hybrid.py [minutes]

Ours: from workloads with their minutes to the cost of every size on one term, exact. Naive: for every size, go through
every minute, in floats, as one would write it in a script. The two are checked to agree. CPU seconds, medians of three
rounds, for one workload and for two that share a deployment, so that the mix changes every minute. Goal: at least 50 x.
"""

from __future__ import annotations

import math
import random
import statistics
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from ptucalc import DeploymentType, LoadProfile, Workload, load_catalog, load_prices
from ptucalc.hybrid import CostCurve
from ptucalc.load import Overflow, timeline_of
from ptucalc.prices import MINUTES_PER_MONTH, PtuTerm

ROUNDS = 3
MODEL = load_catalog().find("gpt-4.1")[0]
PRICES = load_prices()
GRID = MODEL.offer(DeploymentType.GLOBAL).grid
MONTH = PRICES.ptu(DeploymentType.GLOBAL, PRICES.default_region, PtuTerm.ONE_MONTH).usd_per_month
TOKENS = PRICES.tokens(MODEL.name, None, DeploymentType.GLOBAL, PRICES.default_region).usd_per_1m


def workload(count: int, seed: int, peak_hour: int, input_tokens: int, output_tokens: int) -> Workload:
    """A day's wave with noise, minute by minute; the same every time."""
    dice = random.Random(seed)
    wave = [1 - abs((minute / 60 - peak_hour) % 24 - 12) / 12 for minute in range(count)]
    rates = [max(0, round(200 + 2000 * (1 - part) + dice.gauss(0, 150))) for part in wave]
    profile = LoadProfile.from_minutes(rates)
    return Workload(model=MODEL.name, input_tokens=input_tokens, output_tokens=output_tokens, profile=profile)


def per_call(each: Workload) -> tuple[Fraction, Fraction]:
    """Weighted tokens and pay-as-you-go dollars of a call."""
    weight = each.input_tokens * MODEL.weights.input + each.output_tokens * MODEL.weights.output
    usd = each.input_tokens * TOKENS["input"] + each.output_tokens * TOKENS["output"]
    return weight, usd / 10**6


def ours(workloads: list[Workload]) -> dict[int, float]:
    """Sorted minutes and running sums, in whole numbers."""
    weights, usd = zip(*map(per_call, workloads), strict=True)
    timeline = timeline_of(workloads, weights)
    peak = timeline.peak(weights)
    covers = GRID.round_up(peak.numerator, peak.denominator * MODEL.tpm_per_ptu)
    curve = CostCurve(Overflow(timeline, weights, usd), MODEL.tpm_per_ptu, GRID, covers, MONTH)
    return {ptu: top / curve.denominator for ptu, top in curve.tops()}


def naive(workloads: list[Workload]) -> dict[int, float]:
    """Every size against every minute."""
    calls = [tuple(map(float, per_call(each))) for each in workloads]
    rates = [[float(rate) for rate in each.profile.timed] for each in workloads]
    minutes = [
        (
            sum(r * w for r, (w, _) in zip(now, calls, strict=True)),
            sum(r * u for r, (_, u) in zip(now, calls, strict=True)),
        )
        for now in zip(*rates, strict=True)
    ]
    need = max(weighted for weighted, _ in minutes) / MODEL.tpm_per_ptu
    found = {}
    for ptu in (0, *GRID.up_to(math.ceil(need / GRID.increment) * GRID.increment)):
        capacity, spilled = ptu * MODEL.tpm_per_ptu, 0.0
        for weighted, dollars in minutes:
            if weighted > capacity:
                spilled += dollars * (1 - capacity / weighted)
        found[ptu] = float(MONTH) * ptu + spilled * MINUTES_PER_MONTH / len(minutes)
    return found


def timed(function: Callable[[Any], dict[int, float]], workloads: list[Workload]) -> tuple[float, dict[int, float]]:
    """CPU seconds, and the answer."""
    start = time.process_time()
    answer = function(workloads)
    return time.process_time() - start, answer


def main() -> None:
    """Time both, compare, print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else MINUTES_PER_MONTH
    one, other = workload(count, 1, 13, 1800, 250), workload(count, 2, 1, 9000, 700)
    for what, workloads in (("one workload", [one]), ("two workloads, the mix changes", [one, other])):
        pairs = []
        for _ in range(ROUNDS):
            (fast, mine), (slow, theirs) = timed(ours, workloads), timed(naive, workloads)
            pairs.append((slow, fast))
            assert mine.keys() == theirs.keys()
            assert all(math.isclose(mine[ptu], theirs[ptu], rel_tol=1e-9) for ptu in mine), "the two do not agree"
        ratios = sorted(slow / fast for slow, fast in pairs)
        slow, fast = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(
            f"{what}: {count:,} minutes x {len(mine):,} sizes, naive {slow:.2f} s, ours {fast:.3f} s of CPU; "
            f"ratio {statistics.median(ratios):.0f} ({ratios[0]:.0f} to {ratios[-1]:.0f}), goal at least 50"
        )


if __name__ == "__main__":
    main()
