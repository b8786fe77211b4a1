"""What `ptucalc check` does with its flags: a plan sized, its limits checked, the result shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from ptucalc import __version__
from ptucalc.check_result import ROW_COLUMNS, Check, PlanCheck, Status
from ptucalc.cli.log_flags import CheckedFlags, LogFlags
from ptucalc.cli.planning import PlanFlags, Planned, basis, planned
from ptucalc.cli.view import View
from ptucalc.cli.writing import output_stream
from ptucalc.errors import BadInput, Problem
from ptucalc.limit_checks import Facts, limit_checks
from ptucalc.notes import ABOUT_CALLS
from ptucalc.plan_limits import LimitName, PlanLimits
from ptucalc.results import Note
from ptucalc.throttling import Matched, Throttled
from ptucalc.workload import HOURS_PER_MONTH, Workload

__all__ = ["CheckFlags", "github_place", "show_checks"]


class CheckFlags(NamedTuple):
    """The flags of `ptucalc check`, as text. `log.files` is empty where calls are to be made up.

    `usages`, `capacities` and `answers` are saved answers of Azure's usages, modelCapacities and calculator APIs.
    """

    plan: PlanFlags
    log: LogFlags
    strict: bool = False
    usages: tuple[str, ...] = ()
    capacities: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()

    @property
    def of_azure(self) -> tuple[str, ...]:
        """The saved answers of Azure that the plan is checked against."""
        return (*self.usages, *self.capacities, *self.answers)


def show_checks(files: Sequence[str], flags: CheckFlags, view: View) -> int:
    """Check each plan and show it; the exit code: 1 where one is broken, else 2 where one cannot be checked, else 0."""
    from ptucalc.cli.check import FLAGS

    try:
        _check_together(files, flags, view)
    except BadInput as error:
        return _show_problems(error, view, FLAGS)
    codes = set()
    for file in files:
        try:
            codes.add(_show_check(file, flags, view, several=len(files) > 1))
        except BadInput as error:
            codes.add(_show_problems(error, view, FLAGS))
    return next((code for code in (1, 2) if code in codes), 0)


def _check_together(files: Sequence[str], flags: CheckFlags, view: View) -> None:
    """Raise BadInput where arguments do not go together."""
    problems = []
    if not flags.log.files:
        problems += [
            Problem(flag, "without --log", "left out: it says how a log is read") for flag in _log_flags(flags.log)
        ]
    if len(files) > 1:
        expected = "left out, or one plan"
        one = {"--output": view.shape if view.shape in ("json", "csv") else "", "--out-file": view.out_file}
        problems += [Problem(flag, f"{value} of {len(files)} plans", expected) for flag, value in one.items() if value]
        expected = "one plan, which they are of"
        beside = {"--log": flags.log.files, "--usages": flags.usages, "--capacities": flags.capacities}
        beside["--against"] = flags.answers
        problems += [Problem(flag, f"beside {len(files)} plans", expected) for flag, given in beside.items() if given]
    if problems:
        raise BadInput(problems)


def _show_check(file: str, flags: CheckFlags, view: View, *, several: bool) -> int:
    """Check a plan and show it; the exit code. Raises BadInput with all that is wrong."""
    result = _checked(file, flags, view)
    if view.shape == "github":
        from ptucalc.report.github import check_annotations

        with output_stream(view.out_file, inputs=view.inputs) as stream:
            stream.writelines(f"{line}\n" for line in check_annotations(result, github_place(os.environ)))
    else:
        from ptucalc.report.check_blocks import check_blocks

        rows = (tuple(row.values()) for row in result.rows())
        view.write(result.to_dict(), check_blocks(result, quiet=view.quiet, named=several), ROW_COLUMNS, rows)
    return {Status.PASS: 0, Status.FAIL: 1}.get(result.verdict, 2)


def _checked(file: str, flags: CheckFlags, view: View) -> PlanCheck:
    plan = planned(file, flags.plan, view)
    limits = plan.limits or PlanLimits(limits=())
    if not limits.limits and not flags.of_azure:
        raise BadInput([_no_limits(plan)])
    more = _of_azure(plan, flags)
    throttled, notes = _throttled(plan, limits, flags, view)
    facts = Facts(
        bought=plan.bought,
        basis=basis(plan.costs, plan.term),
        data_from=min(plan.sized.oldest_check, plan.sized.catalog_as_of),
        today=date.today(),
        throttled=throttled,
    )
    return PlanCheck(
        version=__version__,
        source=plan.name,
        catalog_as_of=plan.sized.catalog_as_of,
        catalog_editions=plan.sized.catalog_editions,
        oldest_check=plan.sized.oldest_check,
        prices_as_of=plan.costs.prices_as_of,
        price_editions=plan.costs.price_editions,
        term=plan.term,
        discount=plan.costs.discount,
        open_as=plan.open_as,
        purchases=plan.bought,
        checks=(*limit_checks(limits, facts), *more),
        notes=(*notes, *(note for note in plan.costs.notes if note.code in _SHOWN_NOTES)),
        strict=flags.strict,
    )


_SHOWN_NOTES = ABOUT_CALLS | {"default_region", "ptu_price_unknown", "reservation_unknown", "prices_unmatched"}
"""Notes that bear on a limit; `size` and `cost` show all."""


def _of_azure(plan: Planned, flags: CheckFlags) -> list[Check]:
    """The plan against what Azure answered. Raises BadInput with what is wrong with the answers."""
    found: list[Check] = []
    problems: list[Problem] = []
    if flags.of_azure:
        from ptucalc.answer_checks import capacity_checks, room_checks
        from ptucalc.cli.hand_over_runs import read_room
        from ptucalc.read.azure_answers import read_capacity_answer

        if flags.usages or flags.capacities:
            try:
                found += room_checks(read_room(plan.sized, flags.usages, flags.capacities, flags.plan.region))
            except BadInput as error:
                problems += error.problems
        answers = []
        for path in flags.answers:
            try:
                answers += read_capacity_answer(path)
            except BadInput as error:
                problems += error.problems
        found += capacity_checks(plan.sized, answers)
    if problems:
        raise BadInput(problems)
    return found


def _no_limits(plan: Planned) -> Problem:
    expected = f"limits to check: {', '.join(LimitName)} (ptucalc init writes a plan that has some)"
    return Problem("limits", "", expected, source=plan.name)


def _throttled(
    plan: Planned, limits: PlanLimits, flags: CheckFlags, view: View
) -> tuple[Mapping[str, Throttled], tuple[Note, ...]]:
    """The 429 shares, where the plan limits them, of the log's calls or of calls made up."""
    from ptucalc.read.fast_engine import engine_for

    if not limits.named(LimitName.RATE_429):
        if flags.log.files:
            expected = f"left out, or {LimitName.RATE_429} in the plan's limits, which is what a log is for"
            raise BadInput([Problem("--log", flags.log.files[0], expected)])
        return {}, ()
    members: dict[str, list[Workload]] = {}
    for each, name in zip(plan.sized.workloads, plan.sized.deployment_of, strict=True):
        members.setdefault(name, []).append(each.workload)
    if not flags.log.files:
        from ptucalc.throttling import made_up

        per_month = {cost.name: cost.requests_per_month for cost in plan.costs.deployments}
        hours = HOURS_PER_MONTH
        found = made_up(
            plan.bought, members, per_month, hours_per_month=hours, catalog=plan.catalog, engine_for=engine_for
        )
        return found, ()
    from ptucalc.cli.log_runs import read_flagged_log
    from ptucalc.log_models import ModelFinder
    from ptucalc.resolving import Resolver
    from ptucalc.throttling import of_log

    checked = CheckedFlags.of(flags.log, [])
    with read_flagged_log(flags.log, checked, view, calls=True) as log:
        finder = ModelFinder(
            Resolver(plan.catalog),
            log.profiles,
            model=flags.log.model,
            model_version=flags.log.model_version,
            map_model=checked.models,
        )
        found, matched = of_log(
            plan.bought,
            members,
            log.profiles,
            finder.serving(),
            log.trace,
            catalog=plan.catalog,
            engine_for=engine_for,
            how=f"from {', '.join(os.path.basename(name) for name in flags.log.files)}",
        )
    return found, tuple(_left(matched))


def _left(matched: Matched) -> list[Note]:
    """A note on each part of the log that no deployment of the plan would serve."""
    found = []
    for stream, reason in matched.left:
        name = stream.deployment or stream.model or "calls that name no deployment"
        found.append(Note("log_not_matched", f"{name}: in the log, and not simulated: {reason}.", name))
    return found


def _show_problems(error: BadInput, view: View, flags: Mapping[str, str]) -> int:
    """Report what is wrong, as annotations too where those were asked for; the exit code 2."""
    from ptucalc.cli.failing import failed

    if view.shape == "github":
        from ptucalc.report.github import problem_annotations

        for line in problem_annotations(error.problems, github_place(os.environ)):
            print(line)
    return failed(error, view.shape, flags=flags)


def github_place(environment: Mapping[str, str]) -> Callable[[str], str]:
    """Makes paths relative to the workspace that GitHub checked out, where they are in it; else as they are."""
    workspace = environment.get("GITHUB_WORKSPACE")

    def place(path: str) -> str:
        if workspace and os.path.exists(path):
            inside = os.path.relpath(os.path.realpath(path), os.path.realpath(workspace))
            if not inside.startswith(os.pardir):
                path = inside
        return os.path.normpath(path).replace(os.sep, "/") if path else ""

    return place


def _log_flags(flags: LogFlags) -> Sequence[str]:
    """The flags given that say how a log is read."""
    given = {
        "--model": flags.model,
        "--model-version": flags.model_version,
        "--map-model": flags.models,
        "--map": flags.columns,
        "--time-zone": flags.time_zone,
        "--date-order": flags.date_order,
        "--skip-bad": flags.skip_bad,
    }
    return [flag for flag, value in given.items() if value]
