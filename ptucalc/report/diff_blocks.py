"""A difference as blocks: what was changed, what moves with it, and what all of it comes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

from ptucalc.catalog import DeploymentType
from ptucalc.diff_result import PlanDiff
from ptucalc.plan_diff import DeploymentChange, Described, FieldChange, Kind, Side, Value, WorkloadChange
from ptucalc.report.blocks import Block, Cell, Column, Headline, Remark, Table, amount_text
from ptucalc.report.currency import Currency

__all__ = ["diff_blocks"]

MARKS = {Kind.ADDED: "+", Kind.REMOVED: "−", Kind.CHANGED: "~", Kind.RENAMED: "~"}
_SHARES = ("cache_ratio", "cache_write_ratio", "headroom", "discount")
_SHARE_LIMITS = ("max_429_rate", "min_utilization", "max_utilization")


def diff_blocks(result: PlanDiff, *, quiet: bool = False) -> Iterator[Block]:
    """The report. Quiet: without the remarks."""
    if result.models:
        yield _models(result)
    elif result.kind == "catalogs":
        yield Headline("No rates differ", f"of {result.plan}" if result.plan else "")
    if result.changed.anything:
        yield _table(result)
    elif result.kind != "catalogs" or result.plan:
        yield Headline("Nothing changed" if result.kind != "catalogs" else "No answer moves")
    if result.old.deployments or result.new.deployments:
        yield Headline(f"Total  {_total(result)}", result.basis)
    if not quiet:
        yield from _remarks(result)


def _table(result: PlanDiff) -> Table:
    table = Table(
        [
            Column(" "),
            Column("Workload", folds=True),
            Column("Changed", folds=True),
            Column("PTU", right=True),
            Column("Moves", right=True),
            *([Column("A month", right=True, optional=True)] if result.basis else []),
        ]
    )
    for change in result.changed.settings:
        table.rows.append(_row("~", "(plan)", _said(change)))
    moves = list(result.changed.deployments)
    for each in result.changed.workloads:
        move = next((m for m in moves if _alone(m, each)), None)
        if move is not None:
            moves.remove(move)
        table.rows.append(_row(MARKS[each.kind], _name(each), _what(each), move))
    for move in moves:
        table.rows.append(_row(MARKS[move.kind], _whose(move), _moved_place(move), move))
    for row in table.rows:
        del row[len(table.columns) :]
    return table


def _row(mark: str, name: str, what: str, move: DeploymentChange | None = None) -> list[Cell]:
    if move is None:
        return [Cell(mark), Cell(name), Cell(what), Cell(""), Cell(""), Cell("")]
    (old, new), usd = move.ptu, move.monthly_usd
    kinds = [
        DeploymentType(side.deployment_type).label for side in (move.old, move.new) if side and side.deployment_type
    ]
    kind = " → ".join(dict.fromkeys(kinds))
    by = None if old is None or new is None else new - old
    return [
        Cell(mark),
        Cell(name),
        Cell(what),
        Cell(f"{kind} {_moved(_ptu(old), _ptu(new))}".strip()),
        Cell("" if not by else _signed(by, f"{abs(by):,}"), "over" if by and by > 0 else ""),
        Cell(_moved(*map(_usd, usd)), "dim"),
    ]


def _moved(old: str, new: str) -> str:
    return old if old == new else f"{old} → {new}"


def _ptu(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"


def _usd(value: Decimal | None) -> str:
    return "$0" if value == 0 else Currency().text(value)


def _signed(value: Fraction | Decimal | int, text: str) -> str:
    return f"{'−' if value < 0 else '+'}{text}"


def _name(change: WorkloadChange) -> str:
    return f"{change.old_name} → {change.new_name}" if change.kind is Kind.RENAMED else change.name


def _what(change: WorkloadChange) -> str:
    if change.kind is Kind.RENAMED:
        return "renamed"
    if change.kind is Kind.CHANGED:
        return ", ".join(map(_said, change.changes))
    return change.model


def _said(change: FieldChange) -> str:
    field = change.field
    old, new = _text(field, change.old), _text(field, change.new)
    if old == new:
        return f"{field} changed ({old})"
    if change.old is None:
        return f"{field} {new} (new)"
    return f"{field} {old} (gone)" if change.new is None else f"{field} {old} → {new}"


def _text(field: str, value: Value) -> str:
    if isinstance(value, Described):
        return value.text
    if not isinstance(value, Fraction):
        return value or "—"
    if field in _SHARES or field.removeprefix("limits.") in _SHARE_LIMITS:
        exact = amount_text(value * 100, 4)
        return f"{exact}%"
    return f"${amount_text(value, 2)}" if field.endswith("_usd") else amount_text(value, 6)


def _whose(move: DeploymentChange) -> str:
    """The workload of a deployment that serves no other, before and after; else the deployment's own name."""
    served = {side.workloads for side in (move.old, move.new) if side is not None}
    if any(len(each) > 1 for each in served):
        return f"{move.name} (shared)"
    return next(iter(served))[0] if len(served) == 1 and all(served) else move.name


def _alone(move: DeploymentChange, change: WorkloadChange) -> bool:
    """Whether a deployment serves that workload and no other."""
    old = move.old is None or move.old.workloads == (change.old_name,)
    new = move.new is None or move.new.workloads == (change.new_name,)
    return old and new


def _moved_place(move: DeploymentChange) -> str:
    old, new = move.places
    return _moved(old, new) if old and new and old != new else ""


def _models(result: PlanDiff) -> Table:
    table = Table([Column(" "), Column("Model", folds=True), Column("Changed", folds=True)])
    for each in result.models:
        what = ", ".join(map(_said, each.changes))
        table.rows.append([Cell(MARKS[each.kind]), Cell(each.model), Cell(what)])
    return table


def _total(result: PlanDiff) -> str:
    old, new = result.old.ptu, result.new.ptu
    parts = [f"{_moved(_ptu(old), _ptu(new))} PTU"]
    if old is not None and new is not None and old != new:
        parts[0] += f" ({_signed(new - old, f'{abs(new - old):,}')})"
    before, after = result.old.monthly_usd, result.new.monthly_usd
    if result.basis:
        text = f"{_moved(_usd(before), _usd(after))} a month"
        if before is not None and after is not None and before != after:
            by = after - before
            share = f", {_signed(by, _share(abs(Fraction(by) / Fraction(before))))}" if before else ""
            text += f" ({_signed(by, Currency().text(abs(by)))}{share})"
        parts.append(text)
    return "     ".join(parts)


def _share(value: Fraction) -> str:
    percent = value * 100
    return f"{amount_text(percent, 0 if percent >= 10 else 1)}%"


def _remarks(result: PlanDiff) -> Iterator[Remark]:
    kinds = dict.fromkeys([*result.old.ptu_by_type, *result.new.ptu_by_type])
    if len(kinds) > 1:
        parts = []
        for kind in kinds:
            ptu = [side.ptu_by_type.get(kind, 0) for side in (result.old, result.new)]
            parts.append(f"{DeploymentType(kind).label} {_moved(*map(_ptu, ptu))}")
        yield Remark("By type", f"{', '.join(parts)} PTU.", "")
    yield Remark("Compared", f"{result.old.source} with {result.new.source}.")
    yield from _unknown("Before", result.old)
    yield from _unknown("Now", result.new)


def _unknown(label: str, side: Side) -> Iterator[Remark]:
    reasons: Sequence[str] = [f"{each.name}: {each.reason}" for each in side.deployments if each.reason]
    if reasons:
        yield Remark(label, f"{'; '.join(dict.fromkeys(reasons))}.", "warn")
