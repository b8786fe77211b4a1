"""The one definition of the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from ptucalc.cli.models import models
from ptucalc.cli.size import size_command

__all__ = ["app"]

app = typer.Typer(
    name="ptucalc",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
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


app.command("size", rich_help_panel="Answer")(size_command)
app.command("models", rich_help_panel="Set up")(models)
