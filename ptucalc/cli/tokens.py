"""`ptucalc tokens`: the tokens of prompts, counted here without a network."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from ptucalc.cli import options

__all__ = ["tokens"]

FLAGS = {
    "model": "--model",
    "encoding": "--encoding",
    "approx": "--approx",
    "image_size": "--image-size",
    "catalog": "--catalog",
    "file": "FILE",
}
"""Which flag gives which value, for messages."""

Files = Annotated[
    list[str] | None,
    typer.Argument(
        help="Prompts: text, chat or Responses requests as JSON, JSON lines of them (.gz too), folders; - is standard "
        "input. A .txt is text whatever is in it.",
        metavar="[FILE...|-]",
        show_default=False,
    ),
]


def tokens(
    files: Files = None,
    model: options.Model = None,
    encoding: options.Encoding = None,
    approx: options.Approx = False,
    image_size: options.ImageSize = None,
    catalog: options.CatalogFiles = None,
    output: options.Output = None,
    json: options.Json = False,
    out_file: options.OutFile = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    no_color: options.NoColor = False,
) -> int:
    """How many input tokens prompts have: texts, chat and Responses requests, many at once; exact, and offline."""
    from ptucalc.cli.failing import failed
    from ptucalc.cli.view import View
    from ptucalc.errors import BadInput
    from ptucalc.read.catalog import load_catalog
    from ptucalc.read.prompt_counting import count_files
    from ptucalc.report.token_blocks import token_blocks
    from ptucalc.token_counts import ROW_COLUMNS

    shape = options.chosen_format(output, json, out_file)
    inputs = tuple(name for name in (*(files or ()), *(catalog or ())) if name != "-")
    view = View(shape=shape, out_file=out_file, quiet=quiet, verbose=verbose, inputs=inputs)
    try:
        known = load_catalog(*(catalog or ()))
        counts = count_files(
            files or (),
            known,
            model=model,
            encoding=encoding,
            approx=approx,
            image_size=image_size,
            each_part=verbose or shape == "json",
        )
        # a document of millions of requests is made only where it is asked for
        document: Mapping[str, Any] = counts.to_dict() if shape == "json" else {}
        rows = (tuple(row.values()) for row in (counts.rows() if shape == "csv" else ()))
        view = view._replace(inputs=(*inputs, *(file.path for file in counts.files)))
        view.write(document, token_blocks(counts, verbose=verbose, quiet=quiet), ROW_COLUMNS, rows)
    except BadInput as error:
        return failed(error, shape, flags=FLAGS)
    return 0
