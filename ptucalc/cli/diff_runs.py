"""What `ptucalc diff` does with its arguments: both sides read, sized and priced alike, compared, shown."""

from __future__ import annotations

from ptucalc import __version__
from ptucalc.catalog_diff import catalog_differences
from ptucalc.cli.operands import Operand, operand
from ptucalc.cli.planning import PlanFlags, Planned, basis, planned
from ptucalc.cli.view import View
from ptucalc.diff_result import ROW_COLUMNS, PlanDiff
from ptucalc.errors import BadInput, Problem
from ptucalc.limit_checks import USUAL_TERM
from ptucalc.plan_diff import Changed, Side, differences
from ptucalc.plan_sides import side_of
from ptucalc.prices import PtuTerm
from ptucalc.read.catalog import load_catalog
from ptucalc.read.saved_results import read_saved

__all__ = ["show_diff"]


def show_diff(old: str, new: str, plan: str | None, flags: PlanFlags, view: View, *, exit_code: bool) -> int:
    """Compare and show; 1 where something differs and `exit_code` asks for it, else 0. Raises BadInput."""
    if old == "-" == new:
        raise BadInput([Problem("file", "- twice", "two different sides: standard input can be read only once")])
    with operand(old) as before, operand(new) as after:
        result = _compared(before, after, plan, flags, view)
    from ptucalc.report.diff_blocks import diff_blocks

    rows = (tuple(row.values()) for row in result.rows())
    view.write(result.to_dict(), diff_blocks(result, quiet=view.quiet), ROW_COLUMNS, rows)
    return 1 if exit_code and result.anything else 0


def _compared(before: Operand, after: Operand, plan: str | None, flags: PlanFlags, view: View) -> PlanDiff:
    if before.kind != after.kind:
        found = f"{before.name}: a {_WORDS[before.kind]}; {after.name}: a {_WORDS[after.kind]}"
        raise BadInput([Problem("file", found, "two plans, two saved results or two catalogs")])
    if plan is not None and before.kind != "catalog":
        raise BadInput([Problem("plan", plan, "left out: it is what two catalogs are compared by")])
    if before.kind == "catalog":
        return _catalogs(before, after, plan, flags, view)
    return _plans(before, after, flags, view) if before.kind == "plan" else _results(before, after, flags)


_WORDS = {"plan": "plan", "result": "saved result", "catalog": "catalog"}


def _plans(before: Operand, after: Operand, flags: PlanFlags, view: View) -> PlanDiff:
    """Two plans, both at today's rates and prices, and on the term of the newer one."""
    new = _planned(after, flags, view)
    old = _planned(before, flags._replace(term=new.term.value), view)
    return _of_plans("plans", _side(before, old), _side(after, new), new)


def _planned(side: Operand, flags: PlanFlags, view: View) -> Planned:
    try:
        return planned(side.path, flags, view)
    except BadInput as error:
        raise side.told(error) from None


def _side(side: Operand, plan: Planned) -> Side:
    return side_of(side.name, plan.sized, plan.bought, plan.limits, plan.spillover)


def _of_plans(kind: str, old: Side, new: Side, plan: Planned) -> PlanDiff:
    return PlanDiff(
        version=__version__,
        kind=kind,  # type: ignore[arg-type]
        old=old,
        new=new,
        changed=differences(old, new),
        basis=basis(plan.costs, plan.term),
    )


def _results(before: Operand, after: Operand, flags: PlanFlags) -> PlanDiff:
    """Two saved results as they are: nothing is sized again."""
    unused = {
        "--catalog": flags.catalogs,
        "--prices": flags.prices,
        "--discount": flags.discount,
        "--region": flags.region,
    }
    problems = [
        Problem(flag, "beside saved results", "left out: nothing is sized again")
        for flag, value in unused.items()
        if value
    ]
    kind, term, _, wrong = flags.checked()
    if problems or wrong:
        raise BadInput([*problems, *wrong])
    chosen: PtuTerm = term or USUAL_TERM
    (one, old), (two, new) = (read_saved(each.text(), each.name, kind=kind, term=chosen) for each in (before, after))
    if one != two:
        raise BadInput([Problem("schema", f"{one} and {two}", "two saved results of the same command")])
    money = f"{chosen.value}, as saved" if any(each.monthly_usd is not None for each in old.deployments) else ""
    changed = differences(old, new)
    return PlanDiff(version=__version__, kind="results", old=old, new=new, changed=changed, basis=money)


def _catalogs(before: Operand, after: Operand, plan: str | None, flags: PlanFlags, view: View) -> PlanDiff:
    """Two catalogs: the numbers that differ, and with a plan what it comes to with either."""
    if flags.catalogs:
        raise BadInput([Problem("catalog", flags.catalogs[0], "left out: the two catalogs are the arguments")])
    if "-" in (before.path, after.path):
        raise BadInput([Problem("file", "a catalog on standard input", "a catalog file, or the name of a shipped one")])
    try:
        old_rates = load_catalog(*_overlays(before))
    except BadInput as error:
        raise before.told(error) from None
    try:
        new_rates = load_catalog(*_overlays(after))
    except BadInput as error:
        raise after.told(error) from None
    if plan is None:
        nothing = Changed(settings=(), workloads=(), deployments=())
        models = catalog_differences(old_rates, new_rates)
        sides = Side(before.name, (), ()), Side(after.name, (), ())
        old_side, new_side = sides
        return PlanDiff(
            version=__version__, kind="catalogs", old=old_side, new=new_side, changed=nothing, models=models
        )
    with operand(plan) as file:
        if file.kind != "plan":
            raise BadInput([Problem("plan", plan, f"a plan, not a {_WORDS[file.kind]}")])
        if file.path == "-":
            raise BadInput([Problem("plan", "-", "a file: it is read once with each catalog")])
        new = _with_catalog(after, file, flags, view)
        old = _with_catalog(before, file, flags._replace(term=new.term.value), view)
    used = {each.model for each in (*old.bought, *new.bought)}
    result = _of_plans("catalogs", _side(before, old), _side(after, new), new)
    models = catalog_differences(old_rates, new_rates, used)
    return PlanDiff(**{**vars(result), "models": models, "plan": file.name})


def _with_catalog(side: Operand, file: Operand, flags: PlanFlags, view: View) -> Planned:
    """The plan with one of the catalogs. Raises BadInput that says with which."""
    try:
        return _planned(file, flags._replace(catalogs=_overlays(side)), view)
    except BadInput as error:
        problems = [each._replace(expected=f"{each.expected}; catalog {side.name}") for each in error.problems]
        raise BadInput(problems, uncounted=error.uncounted, lines=error.lines) from None


def _overlays(side: Operand) -> tuple[str, ...]:
    return (side.path,) if side.path else ()
