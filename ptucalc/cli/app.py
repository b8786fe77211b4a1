"""The command line: which commands there are. A command's module is loaded only when that command runs."""

from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

__all__ = ["app"]

COMMANDS: dict[str, tuple[str, str, str, str]] = {
    "size": ("ptucalc.cli.size", "size", "Answer", "How many PTU a workload, or a file of them, needs."),
    "cost": ("ptucalc.cli.cost", "cost", "Answer", "What it costs: pay-as-you-go, PTU by term, and the cheapest mix."),
    "logs": ("ptucalc.cli.logs", "logs", "Answer", "Request logs and metric exports to demand and a size."),
    "simulate": ("ptucalc.cli.simulate", "simulate", "Answer", "The 429s of a log or of made-up calls, size by size."),
    "tokens": ("ptucalc.cli.tokens", "tokens", "Answer", "The tokens of prompts and requests, counted offline."),
    "report": ("ptucalc.cli.report", "report", "Answer", "A page, a spreadsheet or a text of it all to hand over."),
    "check": ("ptucalc.cli.check", "check", "Plans", "Are the limits that a plan sets itself kept? For pull requests."),
    "diff": ("ptucalc.cli.diff", "diff", "Plans", "What changed between two plans, saved results or catalogs."),
    "init": ("ptucalc.cli.init", "init", "Plans", "Write a commented plan to start from."),
    "emulate": ("ptucalc.cli.emulate", "emulate", "Rehearse", "A PTU deployment on this machine, for real clients."),
    "bench": ("ptucalc.cli.bench", "bench", "Rehearse", "Load against a deployment, measured; what its PTU serve."),
    "prices": (
        "ptucalc.cli.prices",
        "prices",
        "Set up",
        "The prices known here, how old they are, and new ones from Azure.",
    ),
    "models": ("ptucalc.cli.models", "models", "Set up", "The models known here: rates, weights, sizes sold, sources."),
}
"""For each command the module and function that define it, its panel in --help and its line there."""


class LazyCommands(TyperGroup):
    """Has a line of help for each command, and loads the one that is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Typer's look-up, with the real command in place of its line."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and command is not None:
            module, function, _, _ = COMMANDS[name]
            found = getattr(import_module(module), function)
            alone = found if isinstance(found, typer.Typer) else typer.Typer(add_completion=False)
            if alone is not found:
                alone.command(name)(found)
            command = typer.main.get_command(alone)
        return name, command, rest


app = typer.Typer(
    name="ptucalc",
    cls=LazyCommands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Try: ptucalc size -m gpt-4.1 --rpm 600 --input-tokens 1800 --output-tokens 250 --cache-ratio 40%. "
    "Exit codes: 0 done, 1 the answer is no, 2 bad input, 3 a bug.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from ptucalc import __version__, load_catalog

        typer.echo(f"ptucalc {__version__} (rates as of {load_catalog().as_of})")
        raise typer.Exit


@app.callback()
def ptucalc(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version and the day of the rates."),
    ] = False,
) -> None:
    """How many Provisioned Throughput Units (PTU) a workload needs on Azure OpenAI / Microsoft Foundry."""


def _line() -> Callable[[], None]:
    return lambda: None


for _name, (_, _, _panel, _help) in COMMANDS.items():
    app.command(_name, help=_help, rich_help_panel=_panel)(_line())
