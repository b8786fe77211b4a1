"""What a benchmark sends at most, before it starts: calls, tokens, and their pay-as-you-go price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from ptucalc.bench_schedule import CallSize, Closed, Load
from ptucalc.catalog import TokenClass, Unknown
from ptucalc.prices import TokenPrices

__all__ = ["Budget", "budget_of"]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The most that is sent: requests (further tries among them), their prompts' tokens, what they may write.

    `usd` is their price on pay-as-you-go as if nothing were cached, and all that can be were written to the cache where that
    is dearer; Unknown where no price is known. `capped`: more calls were asked for than may be sent.
    """

    requests: int
    input_tokens: int
    output_tokens: int
    duration_us: int
    usd: Fraction | Unknown
    capped: bool


def budget_of(
    load: Load,
    *,
    most_requests: int,
    retries: int,
    prices: TokenPrices | Unknown,
    long_prices: TokenPrices | Unknown,
    long_over: int | None,
    cache_minimum: int = 0,
) -> Budget:
    """The most that this load sends in so many requests at most, each call with so many further tries.

    Calls with prompts of more than `long_over` tokens have the long-context prices; the prompt cache keeps prompts of
    `cache_minimum` tokens and more. Of calls that differ, those count that
    have most of what is counted.
    """
    planned = islice(load.planned(), 1 if isinstance(load, Closed) else most_requests)
    sizes = Counter(call.size for call in planned)
    tries = most_requests if isinstance(load, Closed) else 1 + retries

    def most(values: Mapping[CallSize, Fraction | int]) -> Fraction | int:
        total, left = Fraction(0), most_requests
        for size in sorted(values, key=lambda size: values[size], reverse=True):
            times = min(sizes[size] * tries, left)
            total, left = total + times * values[size], left - times
        return total

    usd = _prices_of_calls(sizes, prices, long_prices, long_over, cache_minimum)
    wanted = sum(sizes.values()) * tries
    return Budget(
        requests=min(wanted, most_requests),
        input_tokens=int(most({size: size.input_tokens for size in sizes})),
        output_tokens=int(most({size: size.output_tokens for size in sizes})),
        duration_us=load.duration_us,
        usd=usd if isinstance(usd, Unknown) else Fraction(most(usd)),
        capped=not isinstance(load, Closed)
        and (wanted > most_requests or next(islice(load.planned(), most_requests, None), None) is not None),
    )


def _prices_of_calls(
    sizes: Iterable[CallSize],
    prices: TokenPrices | Unknown,
    long_prices: TokenPrices | Unknown,
    long_over: int | None,
    cache_minimum: int,
) -> dict[CallSize, Fraction] | Unknown:
    found = {}
    for size in sizes:
        at = long_prices if long_over is not None and size.input_tokens > long_over else prices
        if isinstance(at, Unknown):
            return at
        classes = [TokenClass.INPUT]
        if size.input_tokens >= cache_minimum:
            classes.append(TokenClass.CACHE_WRITE)
        found[size] = Fraction(0)
        for token_class in classes:
            usd = at.usd([(token_class, size.input_tokens), (TokenClass.OUTPUT, size.output_tokens)])
            if isinstance(usd, Unknown):
                return usd
            found[size] = max(found[size], usd)
    return found
