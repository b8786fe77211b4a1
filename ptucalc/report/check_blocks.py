"""The checks of a plan as blocks: what is allowed, what is, and where the limit stands."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ptucalc.check_result import Check, PlanCheck, Status
from ptucalc.report.blocks import Block, Cell, Column, Headline, Remark, Table, amount_text
from ptucalc.report.currency import Currency

__all__ = ["check_blocks", "figures_text", "value_text", "verdict_text", "why_text"]

_STYLES = {Status.PASS: "", Status.FAIL: "over", Status.WARN: "warn", Status.UNKNOWN: "warn"}
_MOST_DECIMALS = 12


def check_blocks(result: PlanCheck, *, quiet: bool = False, named: bool = False) -> Iterator[Block]:
    """The report. Quiet: the table and the verdict only; `named` says first which plan it is about."""
    if named:
        yield Headline(result.source)
    table = Table(
        [
            Column("Result"),
            Column("Limit", folds=True),
            Column("Allowed", right=True),
            Column("Is", right=True),
            Column("Remark", folds=True),
        ]
    )
    for check in result.checks:
        allowed, found = figures_text(check)
        word = "FAIL" if check.status is Status.FAIL else check.status.value
        style = _STYLES[check.status]
        cells = [Cell(word, style), Cell(check.name), Cell(allowed), Cell(found, style), Cell(_remark(check), "dim")]
        table.rows.append(cells)
    yield table
    yield Headline(verdict_text(result))
    if not quiet:
        yield from _remarks(result)


def _remark(check: Check) -> str:
    place = f"{check.source}:{check.line}" if check.line is not None and check.status is not Status.PASS else ""
    return ": ".join(part for part in (place, why_text(check)) if part)


def why_text(check: Check) -> str:
    """By how much a limit is missed, and what else is to be said: "$9,450 over; 1-year, list prices"."""
    parts = []
    if check.over is not None:
        beside = "under" if check.bound == "at least" else "over"
        parts.append(f"{value_text(check, check.over)} {beside}")
    if check.message:
        parts.append(check.message)
    return "; ".join(parts)


def verdict_text(result: PlanCheck) -> str:
    """One sentence: 1 of 4 limits broken."""
    total = result.limits
    broken = result.limits_that(*((Status.FAIL, Status.WARN) if result.strict else (Status.FAIL,)))
    unknown = result.limits_that(Status.UNKNOWN)
    parts = []
    if broken:
        parts.append(f"{broken} of {total} limit{'s'[: total != 1]} broken")
    if unknown:
        parts.append(f"{unknown} of {total} cannot be checked")
    if not parts:
        exceeded = result.limits_warned
        if exceeded:
            return f"No limit is broken, but {exceeded} of {total} is exceeded, which is a warning."
        kept = "The limit is kept" if total == 1 else f"All {total} limits are kept"
        warned = result.limits_that(Status.WARN)
        return f"{kept}{f', {warned} with a warning' if warned else ''}."
    return f"{'; '.join(parts)}."


def figures_text(check: Check) -> tuple[str, str]:
    """What is allowed and what is, with enough digits to tell them apart where they differ."""
    allowed, found = check.allowed, check.found
    bound = "≥ " if check.bound == "at least" else ""
    if isinstance(allowed, tuple):
        return ", ".join(allowed), found if isinstance(found, str) else "unknown"
    if isinstance(allowed, Fraction) and isinstance(found, Fraction):
        for decimals in range(_MOST_DECIMALS + 1):
            texts = value_text(check, allowed, decimals), value_text(check, found, decimals)
            if allowed == found or texts[0] != texts[1]:
                break
        return bound + texts[0], texts[1]
    shown = "—" if allowed is None else value_text(check, allowed)
    return bound + shown, value_text(check, found) if isinstance(found, Fraction) else found or "unknown"


def value_text(check: Check, value: Fraction, decimals: int = 0) -> str:
    """A value in the unit of the check; at least so many decimals where it has them."""
    match check.unit:
        case "usd":
            return Currency().text(value, cents=True if decimals else None)
        case "share":
            return f"{amount_text(value * 100, max(1, decimals))}%"
        case "days":
            return f"{amount_text(value, 0)} day{'s'[: value != 1]}"
        case _:
            return amount_text(value, decimals)


def _remarks(result: PlanCheck) -> Iterator[Remark]:
    if result.open_as is not None:
        flag = f"--sku {result.open_as.value}"
        yield Remark("Taken as", f"{result.open_as.label} ({flag}): the deployments whose workloads name no type.")
    editions = " + ".join(result.catalog_editions)
    yield Remark("Rates", f"{editions}, as of {result.catalog_as_of}; oldest source checked on {result.oldest_check}.")
    yield Remark("Prices", f"{' + '.join(result.price_editions)}, as of {result.prices_as_of}, {result.term.value}.")
    for note in result.notes:
        yield Remark("Note", note.message, "warn")
