"""`ptucalc check`: are the limits that a plan sets itself kept? For pull requests."""

from typing import Annotated

import typer

from ptucalc.cli import cost, logs, options

__all__ = ["check"]

FLAGS = {**logs.FLAGS, **cost.FLAGS}
"""Which flag gives which value, for messages."""

LIMITS = "The limits"

Plans = Annotated[
    list[str],
    typer.Argument(help="YAML plans with `limits:`; - is standard input.", metavar="PLAN...|-", show_default=False),
]
Sku = Annotated[
    str,
    typer.Option(
        "--sku", help="What deployments of no type are taken for: global, data-zone, regional.", rich_help_panel=LIMITS
    ),
]
Region = Annotated[
    str | None,
    typer.Option("--region", help="The region of workloads that name none.", rich_help_panel=LIMITS),
]
Term = Annotated[
    str | None,
    typer.Option(
        "--term",
        help="What the budget is for: hourly, 1-month or 1-year; else as the plan's limits say, or 1-year.",
        rich_help_panel="Money",
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Warnings break the plan too (exit 1).", rich_help_panel=LIMITS)]
Log = Annotated[
    list[str] | None,
    typer.Option(
        "--log",
        help="For max_429_rate: a log of calls to simulate at the plan's PTU; repeatable.",
        rich_help_panel=logs.LOG,
    ),
]
Model = Annotated[
    str | None, typer.Option("--model", "-m", help="The model of all calls of the log.", rich_help_panel=logs.LOG)
]
Against = Annotated[
    list[str] | None,
    typer.Option(
        "--against",
        help="Saved answer of Microsoft's calculator (size -o calculate-model-capacity asks it); repeatable.",
        rich_help_panel=options.ROOM,
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        help="table, json, csv, markdown, or github (annotations in a pull request).",
        rich_help_panel=options.OUT,
    ),
]


def check(
    plans: Plans,
    sku: Sku = "global",
    region: Region = None,
    strict: Strict = False,
    log: Log = None,
    model: Model = None,
    map_model: logs.MapModel = None,
    map_column: logs.Map = None,
    time_zone: logs.TimeZone = None,
    date_order: logs.DateOrder = None,
    skip_bad: logs.SkipBad = False,
    usages: options.Usages = None,
    capacities: options.Capacities = None,
    against: Against = None,
    catalog: options.CatalogFiles = None,
    prices: options.PriceFiles = None,
    discount: cost.Discount = None,
    term: Term = None,
    output: Output = None,
    json: options.Json = False,
    out_file: options.OutFile = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> int:
    """Are the limits of a plan kept: quota, budget, 429s, age of the rates, utilization, regions? Exit 1 if not."""
    from ptucalc.cli.check_runs import CheckFlags, show_checks
    from ptucalc.cli.log_flags import LogFlags
    from ptucalc.cli.planning import PlanFlags
    from ptucalc.cli.view import View
    from ptucalc.errors import BadInput

    github = (output or "").casefold() == "github" and not json
    try:
        shape = "github" if github else options.chosen_format(output, json, out_file)
    except BadInput as error:
        wrong = error.problems[0]
        if wrong.field != "--output" or json:
            raise
        raise BadInput([wrong._replace(expected="table, json, csv, markdown or github")]) from None
    answers = (*(text.partition("=")[2] or text for text in usages or ()), *(capacities or ()), *(against or ()))
    named = (*plans, *(catalog or ()), *(prices or ()), *(log or ()), *answers)
    view = View(shape=shape, out_file=out_file, quiet=quiet, inputs=tuple(name for name in named if name != "-"))
    flags = CheckFlags(
        plan=PlanFlags(
            sku=sku,
            region=region,
            catalogs=tuple(catalog or ()),
            prices=tuple(prices or ()),
            discount=discount,
            term=term,
        ),
        log=LogFlags(
            files=tuple(log or ()),
            columns=tuple(map_column or ()),
            models=tuple(map_model or ()),
            model=model,
            time_zone=time_zone,
            date_order=date_order,
            skip_bad=skip_bad,
            catalogs=tuple(catalog or ()),
        ),
        strict=strict,
        usages=tuple(usages or ()),
        capacities=tuple(capacities or ()),
        answers=tuple(against or ()),
    )
    return show_checks(plans, flags, view)
