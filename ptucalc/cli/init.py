"""`ptucalc init`: a commented plan to start from, and the JSON Schema that editors complete it with."""

from typing import Annotated

import typer

from ptucalc.cli import options

__all__ = ["init"]

File = Annotated[
    str,
    typer.Argument(help="The plan to write; an existing file is never replaced.", metavar="[FILE]"),
]
Schema = Annotated[
    bool,
    typer.Option("--schema", help="Only the JSON Schema of plans, to standard output.", rich_help_panel=options.OUT),
]


def init(
    file: File = "ptucalc.yaml",
    schema: Schema = False,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> int:
    """Write a commented plan that sizes as it stands, and beside it the JSON Schema that editors check it with."""
    from ptucalc.cli.failing import failed
    from ptucalc.cli.starting import print_schema, write_starter
    from ptucalc.cli.view import View
    from ptucalc.errors import BadInput

    try:
        return print_schema() if schema else write_starter(file, View(shape="table", quiet=quiet))
    except BadInput as error:
        return failed(error, "table", flags={"file": "FILE"})
