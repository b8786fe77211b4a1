"""What a spreadsheet can recompute to the digit, and the integers it does it with.

Spreadsheets count in doubles and compare 15 digits, and a need of exactly 100 PTU must not become 105. So nothing is
compared but integers under 10^14, which doubles hold exactly: requests per minute in thousandths, a call's tokens in
ten-thousandths, weights and headroom in thousandths. A product that would be longer is kept as two integers,
`whole + rest / 10^10`. Division only ever proposes: the quotient q of M / D is ROUND(M / D), and what decides is whether
M > q x D. What has more decimals, or is not a plain sum of its rows, is shown as a value with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

from ptucalc.catalog import CLASSES

__all__ = [
    "REST",
    "CallParts",
    "Demand",
    "Limits",
    "PlanDemand",
    "Rates",
    "call_parts",
    "nearest",
    "need",
    "plan_demand",
]

Json = Mapping[str, Any]

_EXACT: Final = re.compile(r"\d{1,60}(/\d{1,60})?", re.ASCII)

REST: Final = 10**10
"""What the rest of a demand is counted in: parts of a weighted token per minute."""


class Limits:
    """Decimals, and what numbers stay below, for every integer to stay below 10^14."""

    RATE, TOKENS, WEIGHT, HEADROOM = 10**3, 10**4, 10**3, 10**3
    MOST_RATE, MOST_WEIGHT_PER_CALL = 10**7, 10**7
    INTEGER = 10**14
    ROWS = 2_000
    """Workloads that are recomputed; of more the sheet would be slow."""


def nearest(top: int, bottom: int) -> int:
    """The quotient as the nearest integer, as ROUND has it: halves away from 0."""
    quotient = (2 * abs(top) + bottom) // (2 * bottom)
    return quotient if top >= 0 else -quotient


class CallParts(NamedTuple):
    """A workload's demand in integers. `per_call` is the weighted call in 10^-7, `rate` in thousandths.

    Demand = whole + rest / 10^10 = (rate_whole + rate_rest / 10^3) x (call_whole + call_rest / 10^7).
    """

    tokens: tuple[int, ...]
    weights: tuple[int, ...]
    per_call: int
    call_whole: int
    call_rest: int
    rate: int
    rate_whole: int
    rate_rest: int
    products: tuple[int, int, int, int]
    whole: int
    rest: int


def call_parts(rate: Fraction, tokens: Sequence[Fraction], weights: Sequence[Fraction]) -> CallParts:
    """The integers of the sheet `Exact` for a call, with tokens and weights in the order of the token classes."""
    counts = tuple(int(each * Limits.TOKENS) for each in tokens)
    scaled = tuple(int(each * Limits.WEIGHT) for each in weights)
    per_call = sum(count * weight for count, weight in zip(counts, scaled, strict=True))
    unit = Limits.TOKENS * Limits.WEIGHT
    call_whole = nearest(per_call, unit)
    call_rest = per_call - call_whole * unit
    thousandths = int(rate * Limits.RATE)
    rate_whole = nearest(thousandths, Limits.RATE)
    rate_rest = thousandths - rate_whole * Limits.RATE
    a, b, c, e = rate_whole * call_whole, rate_rest * call_whole, rate_whole * call_rest, rate_rest * call_rest
    more, most = nearest(b, Limits.RATE), nearest(c, unit)
    rest = (b - Limits.RATE * more) * unit + (c - unit * most) * Limits.RATE + e
    products = (a, b, c, e)
    return CallParts(
        counts,
        scaled,
        per_call,
        call_whole,
        call_rest,
        thousandths,
        rate_whole,
        rate_rest,
        products,
        a + more + most,
        rest,
    )


class Demand(NamedTuple):
    """A demand in integers, summed and carried: whole + rest / 10^10 weighted tokens per minute."""

    whole: int
    rest: int

    @classmethod
    def of(cls, weighted_tpm: Fraction) -> Demand:
        """From an exact demand that fits."""
        scaled = int(weighted_tpm * REST)
        whole = nearest(scaled, REST)
        return cls(whole, scaled - whole * REST)


def need(demand: Demand, headroom: Fraction) -> int:
    """Thousandths of a weighted token per minute with headroom, rounded up to a whole one: what is divided by the grid."""
    factor = int((1 + headroom) * Limits.HEADROOM)
    rest = demand.rest * factor
    carried = nearest(rest, REST)
    return demand.whole * factor + carried + (rest > carried * REST)


class Rates:
    """The models that a drop-down can offer, and where the price of each stands on its sheet."""

    def __init__(self, rates: Sequence[Json]) -> None:
        self.rows: dict[tuple[str, str, str], Json] = {}
        self.places: list[tuple[str, str]] = []
        self.models: dict[str, Json] = {}
        self.left_out: dict[str, str] = {}
        seen: set[str] = set()
        for rate in rates:
            place = (rate["price_region"], rate["deployment_type"])
            if place not in self.places:
                self.places.append(place)
            name = rate["model"]
            self.rows[(name, *place)] = rate
            if name in self.models or name in self.left_out:
                continue
            reason = _cannot_choose(rate, seen)
            seen.add(name.casefold())
            if reason:
                self.left_out[name] = reason
            else:
                self.models[name] = rate

    def number(self, model: str) -> int:
        """The place of a model in the list, from 1; 0 where it is not."""
        return next((index for index, name in enumerate(self.models, start=1) if name == model), 0)

    def place(self, region: str, kind: str) -> int:
        """The place of a region and type among a model's rows, from 1; 0 where there is none."""
        return self.places.index((region, kind)) + 1 if (region, kind) in self.places else 0


def _cannot_choose(rate: Json, seen: set[str]) -> str:
    name, weights = rate["model"], rate["weights"]
    if any(character in name for character in "*?~") or name.casefold() in seen:
        return "its name could be taken for another's in a look-up"
    if weights.get("output", 0) is None:
        return "the weight of an output token is not published"
    if any(not _fits(Fraction(str(w)), Limits.WEIGHT) for w in weights.values() if w is not None):
        return "a weight has more than three decimals"
    return ""


class PlanDemand(NamedTuple):
    """A deployment's demand, without the headroom. `reason` says why it is not recomputed from its rows; "" where it is.

    `demand` is None where not even its sum fits the integers.
    """

    name: str
    model: str
    reason: str
    demand: Demand | None
    headroom: Fraction
    members: tuple[Json, ...]


def _exact(text: str) -> Fraction | None:
    """An exact number of a report, 0 or more; None where it is none, as in a saved report it need not be."""
    if not _EXACT.fullmatch(text):
        return None
    top, _, bottom = text.partition("/")
    return Fraction(int(top), int(bottom or 1)) if int(bottom or 1) else None


def plan_demand(document: Json, rates: Rates) -> dict[str, PlanDemand]:
    """The deployments of a report by name, with what a spreadsheet can recompute of them."""
    members: dict[str, list[Json]] = {}
    for entry in document["working"]:
        members.setdefault(entry["deployment"], []).append(entry)
    counts = {each["name"]: each["workload_count"] for each in (document["size"] or {}).get("deployments", [])}
    found = {}
    for pooled in document["pooled"]:
        name, own = pooled["deployment"], members.get(pooled["deployment"], [])
        if name not in counts or not _agree(pooled, own, document["size"]["headroom"]):
            found[name] = PlanDemand(
                name, pooled["model"], "the saved report's numbers do not agree", None, Fraction(0), ()
            )
            continue
        weighted, headroom = Fraction(pooled["weighted_tpm_exact"]), Fraction(own[0]["headroom_exact"])
        reason = next(_not_live(pooled, own, counts[name], rates), "")
        if not reason and len(document["working"]) > Limits.ROWS:
            reason = f"more than {Limits.ROWS:,} workloads would make the sheet slow"
        demand = Demand.of(weighted) if _summable(weighted, headroom) else None
        found[name] = PlanDemand(name, pooled["model"], reason, demand, headroom, tuple(own))
    return found


def _agree(pooled: Json, members: Sequence[Json], headroom: float) -> bool:
    """Whether the exact numbers of a deployment are numbers, and those of each workload add up."""
    if not members or _exact(pooled["weighted_tpm_exact"]) is None:
        return False
    for entry in members:
        rate, call, weighted, share = (
            _exact(entry[key])
            for key in ("requests_per_minute_exact", "weight_per_call_exact", "weighted_tpm_exact", "headroom_exact")
        )
        if rate is None or call is None or weighted is None or share is None or share != Fraction(str(headroom)):
            return False
        average = entry["average_requests_per_minute_exact"]
        if (average is None or _exact(average) is None) and not entry["measured"]:
            return False
        total = Fraction(0)
        for each in entry["tokens_per_call"]:
            tokens, weight = _exact(each["tokens_exact"]), _exact(each["weight_exact"])
            if tokens is None or weight is None:
                return False
            total += tokens * weight
        if not rate or rate * call != weighted or (total != call and not entry["measured"]):
            return False
    return True


def _summable(weighted: Fraction, headroom: Fraction) -> bool:
    small = weighted * (1 + headroom) * Limits.HEADROOM < Limits.INTEGER
    return small and _fits(weighted, REST) and _fits(headroom, Limits.HEADROOM)


def _fits(value: Fraction, scale: int) -> bool:
    return (value * scale).denominator == 1


def _not_live(pooled: Json, members: Sequence[Json], count: int | None, rates: Rates) -> Iterator[str]:
    if not members or (count is not None and count != len(members)):
        yield "its workloads are not listed one by one"
    rate = rates.models.get(pooled["model"])
    if rate is None:
        yield f"{pooled['model']}: {rates.left_out.get(pooled['model'], 'its rates are not in the list')}"
        return
    for entry in members:
        why = next(_call_not_live(entry, rate), "")
        if why:
            yield f"{entry['workload']}: {why}"
    weighted = Fraction(pooled["weighted_tpm_exact"])
    if weighted != sum((Fraction(each["weighted_tpm_exact"]) for each in members), Fraction(0)):
        yield "its workloads peak at different times, and are added hour by hour"
    if members and not _summable(weighted, Fraction(members[0]["headroom_exact"])):
        yield "finer or larger than what a spreadsheet counts exactly"


def _call_not_live(entry: Json, rate: Json) -> Iterator[str]:
    if entry["measured"]:
        yield "measured minute by minute from a log"
    if entry["long_context"]:
        yield "long context counts and costs otherwise for the whole call"
    per_call = {each["token_class"]: each for each in entry["tokens_per_call"]}
    tokens = {name: Fraction(each["tokens_exact"]) for name, each in per_call.items()}
    requests, weight = Fraction(entry["requests_per_minute_exact"]), Fraction(entry["weight_per_call_exact"])
    if not _fits(requests, Limits.RATE) or not all(_fits(each, Limits.TOKENS) for each in tokens.values()):
        yield "more decimals than a spreadsheet counts exactly (3 of a rate, 4 of a call's cached tokens)"
    if requests >= Limits.MOST_RATE or weight >= Limits.MOST_WEIGHT_PER_CALL:
        yield "larger than what a spreadsheet counts exactly"
    for token_class in CLASSES:
        each, known = per_call.get(token_class.value), rate["weights"].get(token_class.value)
        if each and (known is None or Fraction(str(known)) != Fraction(each["weight_exact"])):
            yield f"{token_class.label} tokens weigh otherwise than the model's rates say"
