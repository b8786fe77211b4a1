"""What `ptucalc logs` does with its flags: a log read, its demand shown, a plan of it saved."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from ptucalc import __version__
from ptucalc.cli.log_flags import CheckedFlags, LogFlags
from ptucalc.cli.view import View, remark
from ptucalc.cli.writing import output_stream
from ptucalc.errors import BadInput, Problem
from ptucalc.log_data import ROW_COLUMNS
from ptucalc.log_demand import analyse
from ptucalc.log_models import thresholds_of
from ptucalc.log_result import LogDemand
from ptucalc.read.catalog import load_catalog
from ptucalc.read.logs import RequestLog, read_log
from ptucalc.sizing import Sizer
from ptucalc.sizing_result import SizingResult

__all__ = ["print_query", "read_flagged_log", "show_log", "sized_log"]


def show_log(flags: LogFlags, view: View, *, save: str | None, overwrite: bool) -> int:
    """Read the log, show its demand, save a plan if asked. Raises BadInput with all that is wrong."""
    from ptucalc.report.log_blocks import log_blocks

    problems = [] if save is None else list(_wrong_target(save, flags, overwrite=overwrite))
    checked = CheckedFlags.of(flags, problems)
    with read_flagged_log(flags, checked, view) as log:
        result = _measured(flags, checked, log)
        if save is not None and result.answered:
            _save(result, log, flags, save)  # before the report, whose reader may have seen enough (| head)
        if result.answered or view.shape == "json":
            rows = (tuple(row.values()) for row in result.rows())
            blocks = log_blocks(result, verbose=view.verbose, quiet=view.quiet)
            view.write(result.to_dict(), blocks, ROW_COLUMNS, rows)
        if not result.answered:
            from ptucalc.cli.failing import failed

            return failed(unanswered(result), "table")
        if save is not None:
            count = sum(len(entry.parts) for entry in result.entries)
            name = result.percentile.name
            idle = [e.name for e in result.entries if e.weighted_tpm and not e.weighted_tpm.at[name]]
            besides = f"; {', '.join(idle)}, idle then, at the busiest" if idle else ""
            what = f"{'one workload' if count == 1 else f'{count:,} workloads'}, at the {name} minute{besides}"
            remark(f"Wrote {save} and {minutes_name(save)} ({what}): ptucalc cost {save}", view)
    return 0


def unanswered(result: LogDemand) -> BadInput:
    """Why nothing of the log has a size: what was not recognised, or not offered."""
    sizes = {size.deployment_type.label: size.reason for entry in result.entries for size in entry.sizes.values()}
    return BadInput(list(result.problems) or [Problem("sku", kind, reason) for kind, reason in sizes.items()])


def sized_log(flags: LogFlags, sizer: Sizer, view: View, problems: Sequence[Problem]) -> SizingResult:
    """The sizes of a log's deployments, for reports of workloads. Raises BadInput with all that is wrong."""
    from ptucalc.measured_workloads import workloads_of

    checked = CheckedFlags.of(flags, [p for p in problems if p.field not in ("headroom", "sku")])  # both say them
    with read_flagged_log(flags, checked, view) as log:
        result = _measured(flags, checked, log)
        if not result.answered:
            raise unanswered(result)
        unsized = [entry.name for entry in result.entries if not entry.parts]
        if unsized:
            remark(f"left out, as they have no size: {', '.join(unsized)} (ptucalc logs says why)", view)
        workloads = workloads_of(result, log.profiles, output_weight=flags.output_weight)
    keys = [sizer.add(workload).key for workload in workloads]
    sized = [sizer.size(workload) for workload in workloads]
    return sizer.result(sized, keys, version=__version__, today=date.today())


def read_flagged_log(flags: LogFlags, checked: CheckedFlags, view: View, *, calls: bool = False) -> RequestLog:
    """Read the log that the flags name, with progress on a terminal. `calls` keeps them one by one. Raises BadInput."""
    shown = _Progress(view)
    try:
        return read_log(
            flags.files,
            columns=checked.columns,
            date_order=checked.date_order,
            time_zone=flags.time_zone,
            since=flags.since,
            until=flags.until,
            bucket_seconds=checked.bucket_seconds,
            input_excludes_cached=flags.input_excludes_cached,
            output_excludes_reasoning=flags.output_excludes_reasoning,
            output_share=checked.output_share,
            skip_bad=flags.skip_bad,
            calls=calls,
            windows=True,
            thresholds=thresholds_of(load_catalog(*flags.catalogs)),
            progress=shown if shown.wanted else None,
        )
    finally:
        shown.clear()


def _measured(flags: LogFlags, checked: CheckedFlags, log: RequestLog) -> LogDemand:
    """The demand and sizes of a log as the flags ask for them. Raises BadInput."""
    return analyse(
        log,
        catalog=load_catalog(*flags.catalogs),
        by=checked.by,
        model=flags.model,
        model_version=flags.model_version,
        map_model=checked.models,
        percentile=flags.percentile,
        headroom="0" if flags.headroom is None else flags.headroom,
        output_weight=flags.output_weight,
        region=flags.region,
        deployment_types=checked.deployment_types,
        version=__version__,
        today=date.today(),
    )


class _Progress:
    """How far a long reading is, on one line of a terminal that is wiped at the end."""

    def __init__(self, view: View) -> None:
        self.wanted = sys.stderr.isatty() and not view.quiet
        self.shown = False

    def __call__(self, share: float) -> None:
        """Show the share that is done."""
        self.shown = True
        print(f"\rreading the log: {share:.0%} ", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Wipe the line."""
        if self.shown:
            print("\r" + " " * 40 + "\r", end="", file=sys.stderr, flush=True)


def print_query(kind: str | None, view: View, *, az: bool, beside: Sequence[str]) -> int:
    """Print a query, or the command lines that run it. Raises BadInput."""
    from ptucalc.log_queries import QUERIES
    from ptucalc.read.log_queries import query_text

    if kind is None:
        raise BadInput([Problem("kql", "", f"a query for --az: --kql {'|'.join(query.kind for query in QUERIES)}")])
    if beside:
        expected = "left out: it prints a query and reads nothing"
        raise BadInput([Problem("--kql", f"beside {' and '.join(beside)}", expected)])
    text = query_text(kind, az=az)
    with output_stream(view.out_file) as stream:
        stream.write(text)
    return 0


def _wrong_target(save: str, flags: LogFlags, *, overwrite: bool) -> Iterator[Problem]:
    if not save.casefold().endswith((".yaml", ".yml")):
        yield Problem("save", save, "a name that ends in .yaml")
        return
    folder = os.path.dirname(os.path.abspath(save))
    if not os.path.isdir(folder):
        yield Problem("save", save, "a name in a folder that exists")
    found = [name for name in (save, minutes_name(save)) if os.path.lexists(name)]
    read = [name for name in flags.files if os.path.exists(name)]
    if any(os.path.exists(name) and os.path.samefile(name, each) for name in found for each in read):
        yield Problem("save", save, "another file than the log that is read")
    elif found and not overwrite:
        expected = "a new file (--overwrite replaces the old plan and minutes)"
        yield Problem("save", " and ".join(found), expected)


def minutes_name(save: str) -> str:
    """The file of minutes that belongs to a plan."""
    return str(Path(save).with_suffix("")) + ".minutes.csv.gz"


def _save(result: LogDemand, log: RequestLog, flags: LogFlags, save: str) -> None:
    """Write the minutes, then the plan that names them: each appears whole or not at all."""
    from ptucalc.measured_workloads import workloads_of
    from ptucalc.report.minute_file import write_minutes
    from ptucalc.report.saved_plan import SavedWorkload, plan_text

    workloads = workloads_of(result, log.profiles, output_weight=flags.output_weight)
    saved, profiles = [], {}
    for workload in workloads:
        assert workload.name and workload.profile and workload.profile.demand and workload.profile.percentile
        profiles[workload.name] = workload.profile.demand
        saved.append(
            SavedWorkload(
                name=workload.name,
                model=workload.model,
                profile=workload.profile.demand,
                percentile=workload.profile.percentile.name,
                model_version=workload.model_version,
                region=workload.region,
                deployment=workload.deployment,
                output_weight=flags.output_weight,
            )
        )
    minutes = minutes_name(save)
    files = ", ".join(os.path.basename(name) for name in result.source.files)
    remarks = [f"From {files} by ptucalc {__version__}: sizes are of the {result.percentile.name} minute."]
    with output_stream(minutes) as stream:
        write_minutes(stream, profiles, packed=True)
    with output_stream(save) as stream:
        stream.write(plan_text(saved, os.path.basename(minutes), headroom=flags.headroom, remarks=remarks))
