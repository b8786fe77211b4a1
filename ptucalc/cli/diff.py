"""`ptucalc diff`: what changed between two plans, two saved results or two catalogs, and what that does to PTU and cost."""

from typing import Annotated

import typer

from ptucalc.cli import check, cost, options

__all__ = ["diff"]

FLAGS = {**cost.FLAGS, "plan": "--plan"}
"""Which flag gives which value, for messages."""

WHAT = (
    "A plan, a saved result or a catalog: a file, REV:FILE from git (main:plan.yaml), a shipped catalog's name, or -."
)

Old = Annotated[str, typer.Argument(help=WHAT, metavar="OLD", show_default=False)]
New = Annotated[str, typer.Argument(help="The same, as it is now.", metavar="NEW", show_default=False)]
Plan = Annotated[
    str | None,
    typer.Option(
        "--plan", help="With two catalogs: the workloads whose sizes are compared.", rich_help_panel=options.WHERE
    ),
]
ExitCode = Annotated[
    bool, typer.Option("--exit-code", help="Exit 1 where something differs.", rich_help_panel=options.OUT)
]
Term = Annotated[
    str | None,
    typer.Option(
        "--term",
        help="Amounts of which term: hourly, 1-month or 1-year; else as NEW's limits say, or 1-year.",
        rich_help_panel="Money",
    ),
]


def diff(
    old: Old,
    new: New,
    plan: Plan = None,
    sku: check.Sku = "global",
    region: check.Region = None,
    exit_code: ExitCode = False,
    catalog: options.CatalogFiles = None,
    prices: options.PriceFiles = None,
    discount: cost.Discount = None,
    term: Term = None,
    output: options.Output = None,
    json: options.Json = False,
    out_file: options.OutFile = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> int:
    """What changed between two plans, saved results or catalogs: workloads, PTU and cost."""
    from ptucalc.cli.diff_runs import show_diff
    from ptucalc.cli.failing import failed
    from ptucalc.cli.planning import PlanFlags
    from ptucalc.cli.view import View
    from ptucalc.errors import BadInput

    shape = options.chosen_format(output, json, out_file)
    named = (old, new, plan, *(catalog or ()), *(prices or ()))
    view = View(shape=shape, out_file=out_file, quiet=quiet, inputs=tuple(name for name in named if name))
    flags = PlanFlags(
        sku=sku,
        region=region,
        catalogs=tuple(catalog or ()),
        prices=tuple(prices or ()),
        discount=discount,
        term=term,
    )
    try:
        return show_diff(old, new, plan, flags, view, exit_code=exit_code)
    except BadInput as error:
        return failed(error, shape, flags=FLAGS)
