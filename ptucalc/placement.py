"""Whether deployments that name no region can be spread over several regions, so that all of them have room."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

__all__ = ["Item", "place_together"]

MOST_STEPS = 20_000
"""So many tries are made; whether there is a placement is not known after more."""

MOST_ITEMS = 200
"""Of more it is not known at all."""


class Item(NamedTuple):
    """What is to be placed: its PTU, and for each region that takes it what of its stocks of PTU it draws on.

    A stock is the free quota of a region, or what of a model can be deployed there.
    """

    ptu: int
    stocks: Mapping[str, tuple[Hashable, ...]]


def place_together(items: Sequence[Item], left: Mapping[Hashable, int]) -> tuple[str, ...] | bool | None:
    """A region for each item, so that no stock of `left` is overdrawn; False: there is none; None: not found in time."""
    if len(items) > MOST_ITEMS:
        return None
    order = sorted(range(len(items)), key=lambda number: -items[number].ptu)
    remaining = dict(left)
    chosen: dict[int, str] = {}
    steps = 0

    def placed(at: int) -> bool | None:
        nonlocal steps
        if at == len(order):
            return True
        item, known = items[order[at]], True
        for region, stocks in item.stocks.items():
            steps += 1
            if steps > MOST_STEPS:
                return None
            if all(remaining[stock] >= item.ptu for stock in stocks):
                for stock in stocks:
                    remaining[stock] -= item.ptu
                chosen[order[at]] = region
                found = placed(at + 1)
                if found:
                    return True
                for stock in stocks:
                    remaining[stock] += item.ptu
                known = known and found is not None
        return False if known else None

    found = placed(0)
    return tuple(chosen[number] for number in range(len(items))) if found else found
