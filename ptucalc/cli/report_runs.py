"""What `ptucalc report` does with its flags: read, size, price, simulate, put together, write."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ptucalc import __version__
from ptucalc.cli.cost_runs import Money, profile_of
from ptucalc.cli.report_flags import ReportFlags, day_of
from ptucalc.cli.report_output import write_document
from ptucalc.cli.sizing_runs import no_answer
from ptucalc.cli.view import View
from ptucalc.cost import compare
from ptucalc.cost_notes import unmatched_prices
from ptucalc.errors import BadInput, Problem
from ptucalc.rate_sheet import rate_sheet, sources_used
from ptucalc.read.saved_documents import is_saved, read_saved
from ptucalc.report_assembly import report_document
from ptucalc.report_times import hours_of_profiles
from ptucalc.sizing import Sizer
from ptucalc.sizing_result import SizingResult
from ptucalc.sizing_working import pooled_data, working_data
from ptucalc.what_if_sizes import what_if_sizes

__all__ = ["write_report"]


def write_report(flags: ReportFlags, view: View) -> int:
    """Make the report and write it. Raises BadInput with all that is wrong."""
    problems = _wrong(flags)
    files = flags.simulated.log.files
    if len(files) == 1 and is_saved(files[0]):
        document = _of_saved(flags, files[0], problems)
    elif _reads_log(files):
        from ptucalc.cli.report_logs import document_of_log

        beside = [*flags.of_calls()]
        expected = "left out: the log says which calls there were"
        problems += [Problem(field, "beside a log", expected) for field in beside]
        document = document_of_log(flags, view, problems)
    else:
        document = _of_workloads(flags, view, problems)
    write_document(document, view)
    return 0


def _reads_log(files: Sequence[str]) -> bool:
    from ptucalc.read.telling import is_log, stdin_is_log

    if len(files) == 1:
        return stdin_is_log() if files[0] == "-" else is_log(files[0])
    return bool(files)


def _wrong(flags: ReportFlags) -> list[Problem]:
    """What is wrong with the flags that every kind of file takes."""
    problems = []
    try:
        day_of(flags.date, None)
    except ValueError as error:
        problems.append(Problem("date", flags.date or "", str(error)))
    if flags.title is not None and not flags.title.strip():
        problems.append(Problem("title", flags.title, "some words"))
    return problems


def _of_saved(flags: ReportFlags, path: str, problems: list[Problem]) -> Mapping[str, Any]:
    """A saved report with its own day, or another result as a report without one."""
    given = [*flags.of_calls(), *flags.of_models(), *flags.of_logs(), *flags.of_answers()]
    expected = "left out: a saved result is shown as it is"
    problems += [Problem(field, "beside a saved result", expected) for field in given]
    if problems:
        raise BadInput(problems)
    part, saved = read_saved(path)
    if part == "report":
        made_on = saved["made_on"] if flags.date is None else _iso(day_of(flags.date, None))
        return {**saved, "title": flags.title or saved["title"], "made_on": made_on}
    name = "standard input" if path == "-" else os.path.basename(path)
    parts: dict[str, Any] = {part: saved}
    return report_document(
        version=saved["version"],
        source={"kind": "saved", "names": [name], "text": f"{name}: {saved['schema']} of ptucalc {saved['version']}"},
        title=flags.title,
        made_on=day_of(flags.date, None),
        **parts,
    )


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def money_of(flags: ReportFlags) -> Money:
    """What the flags say about money."""
    same = flags.simulated
    return Money.of(
        prices=same.prices, discount=same.discount, payg_type=flags.payg_type, term=same.term, currency=None
    )


def _of_workloads(flags: ReportFlags, view: View, problems: list[Problem]) -> Mapping[str, Any]:
    from ptucalc.cli.sizing_runs import check_file, make_sizer, sized_call, sized_file

    money, log = money_of(flags), flags.simulated.log
    problems += [Problem(flag, "without a log", "left out: it is about a log") for flag in flags.of_logs()]
    problems += money.problems
    if not log.files:
        sizer, more = make_sizer(sku=log.sku, headroom=log.headroom, catalogs=log.catalogs)
        everything = [*problems, *more]
        call = {"model": log.model, "model_version": log.model_version, **flags.simulated.call}
        if any(value is not None for value in call.values()):
            call |= {"region": log.region, "output_weight": log.output_weight}
        profile = profile_of(flags.simulated.profile, everything)
        sized = sized_call(sizer, call, everything, command="report", profile=profile)
        source = {"kind": "workloads", "names": [], "text": "one workload, from the command line"}
        return _document(flags, sized, sizer, money, source)
    from ptucalc.batch import FileSizing
    from ptucalc.read.workloads import WorkloadFile

    given = [*flags.of_models(), *flags.of_calls()]
    problems += [Problem(field, "beside a file", "left out: the rows of the file say that") for field in given]
    with WorkloadFile.open(log.files[0]) as rows:
        share = rows.headroom if log.headroom is None else log.headroom
        plan = rows.name if log.headroom is None else ""
        sizer, more = make_sizer(sku=log.sku, headroom=share, catalogs=log.catalogs, plan=plan)
        sizing = FileSizing(rows, sizer, region=log.region, output_weight=log.output_weight)
        check_file(sizing, view, [*problems, *more], skip_bad=log.skip_bad)
        sized = sized_file(sizing, view)
        kind = "workloads" if rows.kind == "csv" else "plan"
    name = "standard input" if log.files[0] == "-" else os.path.basename(log.files[0])
    count = len(sized.workloads)
    text = f"{name}: {count:,} workload{'s'[: count != 1]}"
    return _document(flags, sized, sizer, money, {"kind": kind, "names": [name], "text": text})


def _document(
    flags: ReportFlags, sized: SizingResult, sizer: Sizer, money: Money, source: Mapping[str, Any]
) -> Mapping[str, Any]:
    unanswered = no_answer(sized)
    if unanswered:
        raise unanswered
    parts = parts_of_sizes(sized, sizer, money)
    return report_document(
        version=__version__,
        source=source,
        title=flags.title,
        made_on=day_of(flags.date, date.today()),
        hour_of_week=hours_of_profiles(sized),
        **{**parts, "what_if": [each.to_dict() for each in parts["what_if"]]},
    )


def parts_of_sizes(sized: SizingResult, sizer: Sizer, money: Money) -> dict[str, Any]:
    """The parts of a report that sizes alone make: they, what they cost, what other sizes would, what they used.

    `what_if` holds values: a simulation may have more to say of them.
    """
    catalog = sizer.resolver.catalog
    compared = compare(
        sized,
        money.prices,
        largest_ptu=catalog.largest_deployment_ptu,
        notes=unmatched_prices(money.prices, catalog),
        discount=money.discount,
        payg_type=money.payg_type,
        terms=money.terms,
    )
    what_ifs = what_if_sizes(
        sized,
        compared,
        money.prices,
        payg_type=money.payg_type,
        terms=money.terms,
        largest_ptu=catalog.largest_deployment_ptu,
    )
    rates = rate_sheet(
        catalog,
        money.prices,
        regions=[each.price_region for each in compared.deployments],
        deployment_types=sizer.resolver.deployment_types,
        terms=money.terms,
        price_factor=1 - money.discount,
    )
    return {
        "size": sized.to_dict(),
        "cost": compared.to_dict(),
        "what_if": list(what_ifs),
        "working": working_data(sized),
        "pooled": pooled_data(sized),
        "rates": rates,
        "sources": sources_used([each.model for each in sized.deployments], catalog, compared.price_sources),
    }
