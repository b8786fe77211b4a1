"""What `ptucalc size` does with its flags: one workload, a file of them, or the inverse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Any

from ptucalc import __version__, exact
from ptucalc.api import deployment_types_of
from ptucalc.cli.view import View, remark
from ptucalc.cli.writing import keep_inputs
from ptucalc.errors import BadInput, Problem
from ptucalc.flat_rows import ROW_COLUMNS, deployment_rows
from ptucalc.read.catalog import load_catalog
from ptucalc.resolving import Resolver
from ptucalc.sizing import Sizer
from ptucalc.sizing_result import SizingResult
from ptucalc.workload import Workload

if TYPE_CHECKING:
    from ptucalc.batch import FileSizing
    from ptucalc.cli.hand_over_runs import Beyond
    from ptucalc.read.prompt_call import PromptCall, PromptSources
    from ptucalc.results import Note

__all__ = [
    "check_file",
    "make_sizer",
    "no_answer",
    "show_sizes",
    "size_file",
    "size_one",
    "size_rates",
    "sized_call",
    "sized_file",
]

LONG_TABLE = 5_000
"""From so many workloads on, only CSV is quick and small."""

EXAMPLE = "ptucalc size -m gpt-4.1 --rpm 600 --input-tokens 1800 --output-tokens 250, or ptucalc size FILE"


def make_sizer(
    *, sku: str, headroom: str | None, catalogs: tuple[str, ...], plan: str = ""
) -> tuple[Sizer, list[Problem]]:
    """A sizer as the flags say, and what is wrong with them, so that it can be told with all else that is wrong.

    `plan` is the file that the headroom is from, if it is not a flag's.
    """
    problems: list[Problem] = []
    share = exact.headroom(0)
    try:
        share = exact.headroom("0" if headroom is None else headroom)
    except ValueError as error:
        problems.append(Problem("headroom", headroom or "", str(error), source=plan))
    kinds = deployment_types_of("all")
    try:
        kinds = deployment_types_of(sku.split(","))
    except BadInput as error:
        problems.extend(error.problems)
    return Sizer(Resolver(load_catalog(*catalogs), kinds), share), problems


def size_one(
    sizer: Sizer,
    call: Mapping[str, str | None],
    view: View,
    problems: list[Problem],
    beyond: Beyond,
    prompts: PromptSources | None = None,
) -> int:
    """Size the workload that the flags describe."""
    sized = sized_call(sizer, call, problems, command="size", prompts=prompts, out_file=view.out_file)
    return show_sizes(sized, view, beyond)


def sized_call(
    sizer: Sizer,
    call: Mapping[str, str | None],
    problems: list[Problem],
    *,
    command: str,
    profile: Any = None,
    prompts: PromptSources | None = None,
    out_file: str | None = None,
) -> SizingResult:
    """The sizes of the workload that the flags describe. Raises BadInput with all that is wrong, `problems` too.

    `out_file` must not be one of the prompts.
    """
    if prompts is None and not any(value is not None for value in call.values()):
        raise BadInput([*problems, Problem(command, "", f"a workload: {EXAMPLE.replace('size', command)}")])
    workload, notes = _workload(sizer, call, problems, profile, prompts, out_file)
    key = sizer.add(workload).key
    result = sizer.result([sizer.size(workload)], [key], version=__version__, today=date.today())
    return result._replace(notes=(*notes, *result.notes))


def size_rates(
    sizer: Sizer,
    call: Mapping[str, str | None],
    ptu: list[str],
    view: View,
    problems: list[Problem],
    prompts: PromptSources | None = None,
) -> int:
    """Show the largest rate of the flags' call that fits in so many PTU."""
    from ptucalc.inverse import fits
    from ptucalc.notes import ABOUT_CALLS
    from ptucalc.report.rate_blocks import rate_blocks

    counts = []
    for text in ptu:
        try:
            counts.append(exact.positive(text))
        except ValueError as error:
            problems.append(Problem("ptu", text, str(error)))
    given = call.get("requests_per_minute")
    whole = {**call, "requests_per_minute": "1" if given is None else given}
    workload, notes = _workload(sizer, whole, problems, prompts=prompts, out_file=view.out_file)
    sizer.add(workload)
    noted = sizer.notes(tuple(sizer.deployments().values()), date.today())
    result = fits(
        workload,
        counts,
        kinds=sizer.resolver.deployment_types,
        notes=(*notes, *(note for note in noted if note.code in ABOUT_CALLS)),
        catalog=sizer.resolver.catalog,
        headroom=sizer.headroom,
        rate_given=given is not None,
        version=__version__,
    )
    rows = result.rows()
    view.write(
        result.to_dict(), rate_blocks(result, quiet=view.quiet), list(rows[0]), (tuple(row.values()) for row in rows)
    )
    return 0


def size_file(sizing: FileSizing, view: View, problems: list[Problem], beyond: Beyond, *, skip_bad: bool) -> int:
    """Size every workload of a file. Raises BadInput with every problem, unless the bad rows are to be skipped."""
    check_file(sizing, view, problems, skip_bad=skip_bad, keep=view.shape == "csv")
    return _stream(sizing, view) if view.shape == "csv" else show_sizes(sized_file(sizing, view), view, beyond)


def check_file(sizing: FileSizing, view: View, problems: list[Problem], *, skip_bad: bool, keep: bool = False) -> None:
    """Go through a file once. Raises BadInput with every problem, unless the bad rows are to be skipped."""
    file, sizer = sizing.file, sizing.sizer
    sizing.check(skip_bad=skip_bad, keep=keep, must_answer=view.shape != "json")
    if problems or (sizing.problems and not (skip_bad and sizer.pool.deployments)):
        raise BadInput([*problems, *sizing.problems], uncounted=sizing.uncounted, lines=file.lines)
    keep_inputs(view.out_file, file.files_read)
    if file.ignored:
        remark(f"{file.name}: ignored column{'s'[: len(file.ignored) > 1]} {', '.join(file.ignored)}", view)
    if sizing.problems:
        from ptucalc.cli.failing import report_skipped

        report_skipped(BadInput(sizing.problems, uncounted=sizing.uncounted, lines=file.lines))


def sized_file(sizing: FileSizing, view: View) -> SizingResult:
    """The sizes of a file that was checked."""
    if sizing.rows > LONG_TABLE:
        remark(f"{sizing.rows:,} workloads: this takes a while; -o csv is written row by row", view)
    workloads, keys = [], []
    for sized, key in sizing.sized():
        workloads.append(sized)
        keys.append(key)
    result = sizing.sizer.result(workloads, keys, version=__version__, today=date.today())
    return result._replace(notes=(*sizing.file.notes, *result.notes))


def _workload(
    sizer: Sizer,
    call: Mapping[str, str | None],
    problems: list[Problem],
    profile: Any = None,
    prompts: PromptSources | None = None,
    out_file: str | None = None,
) -> tuple[Workload, tuple[Note, ...]]:
    """The workload of the flags, and what is to be known of its prompts.

    Raises BadInput with all that is wrong: `problems`, its numbers, its prompts and its model.
    """
    from ptucalc.read.row import Row

    fields = {field: value for field, value in call.items() if value is not None}
    if "image_output_tokens" in fields:
        fields = {"input_tokens": "0", "output_tokens": "0", **fields}
    row = Row(1, fields, lambda problem: problem, profile)
    counted: PromptCall | None = None
    if prompts is not None:
        from ptucalc.read.prompt_call import PromptCall

        problems += prompts.problems()
        counted = PromptCall(prompts, fields, catalog=lambda: sizer.resolver.catalog) if prompts.given else None
        keep_inputs(out_file, () if counted is None else counted.files)
        row = row._replace(prompts=counted)
    own, checked = row.problems(), row.stand_in()
    named = {problem.field for problem in own}
    if not own:
        checked = row.workload()
    more = sizer.resolver.problems_of(checked) if checked else ()
    everything = [*problems, *own, *(problem for problem in more if problem.field not in named)]
    if everything:
        raise BadInput(everything)
    return row.workload(), () if counted is None else counted.notes


def show_sizes(result: SizingResult, view: View, beyond: Beyond) -> int:
    """The report, unless a deployment has no size at all: then why (and the JSON, if that was asked for).

    With what was asked for `beyond` the sizes; or, where that is the format, what deploys them instead.
    """
    from ptucalc.cli.hand_over_runs import HAND_OVERS, write_hand_over
    from ptucalc.report.size_blocks import size_blocks

    if view.shape in HAND_OVERS:
        return write_hand_over(result, view, beyond)
    unanswered = no_answer(result)
    if not unanswered or view.shape == "json":
        document, more = beyond.more(result, quiet=view.quiet)
        blocks = chain(size_blocks(result, verbose=view.verbose, quiet=view.quiet), more)
        rows = (tuple(row.values()) for row in result.rows())
        view.write({**result.to_dict(), **document}, blocks, ROW_COLUMNS, rows)
    if unanswered:
        from ptucalc.cli.failing import failed

        return failed(unanswered, "table")
    return 0


def no_answer(result: SizingResult) -> BadInput | None:
    """Why deployments have no size on any type asked for; None where each has one."""
    problems = [
        Problem("--sku", size.deployment_type.value, f"a type that {deployment.name} is offered on ({size.reason})")
        for deployment in result.unanswered
        for size in deployment.sizes.values()
    ]
    return BadInput(problems) if problems else None


def _stream(sizing: FileSizing, view: View) -> int:
    """CSV rows as they are sized, keeping none of them."""
    keyed = sizing.sizer.deployments()
    deployments = tuple(keyed.values())

    def rows() -> Iterator[tuple[Any, ...]]:
        yield from sizing.rows_of_workloads({key: deployment.name for key, deployment in keyed.items()})
        for deployment in deployments:
            yield from deployment_rows(deployment)

    view.write_rows(ROW_COLUMNS, rows())
    for note in (*sizing.file.notes, *sizing.sizer.notes(deployments, date.today())):
        remark(f"{note.code}: {note.message}", view)
    return 0
