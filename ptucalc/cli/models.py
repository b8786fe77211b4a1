"""`ptucalc models`: what the catalog knows."""

from typing import Annotated

import typer

from ptucalc.cli import options

__all__ = ["models"]

Filter = Annotated[
    list[str] | None,
    typer.Argument(help="Only models whose name holds this text.", metavar="[TEXT]", show_default=False),
]
Details = Annotated[bool, typer.Option("--verbose", "-v", help="Everything known, with sources and dates.")]
Regions = Annotated[
    bool, typer.Option("--regions", help="Where they can be deployed: by version, deployment type and region.")
]


def models(
    text: Filter = None,
    regions: Regions = False,
    catalog: options.CatalogFiles = None,
    output: options.Output = None,
    json: options.Json = False,
    out_file: options.OutFile = None,
    quiet: options.Quiet = False,
    verbose: Details = False,
    no_color: options.NoColor = False,
) -> int:
    """The models known here: rates, weights, sizes sold, latency targets, sources, and how old all that is."""
    from datetime import date

    from ptucalc import __version__, load_catalog
    from ptucalc.cli.failing import failed
    from ptucalc.cli.view import View
    from ptucalc.errors import BadInput, Problem
    from ptucalc.report.model_blocks import MODEL_COLUMNS, catalog_document, model_blocks, model_rows

    shape = options.chosen_format(output, json, out_file)
    try:
        known = load_catalog(*(catalog or ()))
        wanted = " ".join(text or ())
        found = known.matching(wanted)
        if not found:
            from ptucalc.catalog import nearest

            near = nearest(wanted, [model.name for model in known])
            hint = f" ({' or '.join(near)}?)" if near else ""
            raise BadInput([Problem("TEXT", wanted, f"part of a model's name or id{hint}; `ptucalc models` lists all")])
        if regions:
            from ptucalc.report.region_blocks import REGION_COLUMNS, region_blocks, region_rows

            view = View(shape=shape, out_file=out_file)
            document = catalog_document(known, found, version=__version__)
            view.write(document, region_blocks(known, found, quiet=quiet), REGION_COLUMNS, region_rows(found))
            return 0
        view = View(shape=shape, out_file=out_file, verbose=verbose)
        document = catalog_document(known, found, version=__version__)
        blocks = model_blocks(known, found, verbose=verbose, quiet=quiet, today=date.today())
        view.write(document, blocks, MODEL_COLUMNS, model_rows(found))
    except BadInput as error:
        return failed(error, shape, flags={"catalog": "--catalog"})
    return 0
