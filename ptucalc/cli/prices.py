"""`ptucalc prices`: what prices are known and how old they are, and new ones from Azure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ptucalc.cli import options

if TYPE_CHECKING:
    from ptucalc.cli.view import View
    from ptucalc.prices import PriceBook
    from ptucalc.read.retail_api import ApiFailure
    from ptucalc.report.price_document import Asked
    from ptucalc.retail_prices import RetailPrices

__all__ = ["prices"]

ADDRESS_VARIABLE = "PTUCALC_PRICES_URL"

prices = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="The prices known here, how old they are, and new ones from Azure.",
    epilog="Try: ptucalc prices show gpt-5, or ptucalc prices refresh --region eastus2.",
)

Filter = Annotated[
    list[str] | None,
    typer.Argument(help="Only models whose name holds this text.", metavar="[TEXT]", show_default=False),
]
PriceFiles = Annotated[
    list[str] | None,
    typer.Option("--prices", help="Your own prices, laid over the known ones; repeatable.", rich_help_panel="Where"),
]
ShownRegion = Annotated[
    str | None,
    typer.Option("--region", help="Azure region (default: the one of the price file).", rich_help_panel="Where"),
]
Details = Annotated[
    bool, typer.Option("--verbose", "-v", help="Everything known, with sources.", rich_help_panel="Output")
]
AskedRegion = Annotated[
    str | None,
    typer.Option("--region", help="Azure region to ask for, such as eastus2. Needed.", rich_help_panel="Where"),
]
PriceOutFile = Annotated[
    str | None,
    typer.Option(
        "--out-file", help="The price file to write (default: prices-REGION-DATE.yaml).", rich_help_panel="Output"
    ),
]
Check = Annotated[
    bool,
    typer.Option("--check", help="Write nothing; exit 1 where prices changed or are new.", rich_help_panel="Output"),
]
Force = Annotated[
    bool, typer.Option("--force", help="Write even where a price changed by over 50 %.", rich_help_panel="Output")
]
RefreshOutput = Annotated[
    str | None,
    typer.Option("--output", "-o", help="What to print of it: table or json.", rich_help_panel="Output"),
]

FLAGS = {"prices": "--prices", "region": "--region", "sku": "--sku"}


@prices.command()
def show(
    text: Filter = None,
    region: ShownRegion = None,
    sku: options.Sku = "all",
    prices: PriceFiles = None,
    output: options.Output = None,
    json: options.Json = False,
    out_file: options.OutFile = None,
    quiet: options.Quiet = False,
    verbose: Details = False,
    no_color: options.NoColor = False,
) -> int:
    """What PTU and tokens cost in a region, as far as known here, from where, and how old that is. Offline."""
    from datetime import date

    from ptucalc import __version__
    from ptucalc.cli.failing import failed
    from ptucalc.cli.view import View
    from ptucalc.errors import BadInput
    from ptucalc.read.prices import load_prices
    from ptucalc.report.price_blocks import price_blocks
    from ptucalc.report.price_document import PRICE_COLUMNS, price_document, price_rows

    shape = options.chosen_format(output, json, out_file)
    try:
        book = load_prices(*(prices or ()))
        asked = _asked(book, region, sku, " ".join(text or ()))
        view = View(shape=shape, out_file=out_file, verbose=verbose, inputs=tuple(prices or ()))
        document = price_document(book, asked, version=__version__)
        blocks = price_blocks(book, asked, verbose=verbose, quiet=quiet, today=date.today())
        view.write(document, blocks, PRICE_COLUMNS, price_rows(book, asked))
    except BadInput as error:
        return failed(error, shape, flags=FLAGS)
    return 0


def _asked(book: PriceBook, region: str | None, sku: str, text: str) -> Asked:
    """Region, deployment types and models as the flags say. Raises BadInput with all that is wrong."""
    from ptucalc.api import deployment_types_of
    from ptucalc.catalog import DeploymentType, nearest
    from ptucalc.errors import BadInput, Problem
    from ptucalc.read.catalog import load_catalog
    from ptucalc.report.price_document import Asked

    problems: list[Problem] = []
    where, kinds = book.default_region, tuple(DeploymentType)
    try:
        where = where if region is None else _region(region)
        known = book.list_regions | load_catalog().regions | set(book.own_regions)
        if where not in known:
            like = " or ".join(nearest(where, known))
            expected = "a region that is known here" + (f": {like}?" if like else "")
            problems.append(Problem("region", where, expected))
    except BadInput as error:
        problems += error.problems
    try:
        kinds = deployment_types_of(sku.split(","))
    except BadInput as error:
        problems += error.problems
    found = [name for name in book.models if text.strip().casefold() in name]
    if not found:
        near = nearest(text, list(book.models))
        hint = f" ({' or '.join(near)}?)" if near else ""
        expected = f"part of the name of a model that has a price{hint}; `ptucalc prices show` lists all"
        problems.append(Problem("TEXT", text, expected))
    if problems:
        raise BadInput(problems)
    return Asked(where, region is None, found, kinds)


def _region(text: str) -> str:
    """A region's name. Raises BadInput."""
    from ptucalc.errors import BadInput, Problem
    from ptucalc.workload import region

    try:
        return region(text)
    except ValueError as error:
        expected = str(error) if text.strip() else "an Azure region such as eastus2"
        raise BadInput([Problem("region", text, expected)]) from None


@prices.command(
    epilog=f"{ADDRESS_VARIABLE} names another address of the API, such as a mirror's. "
    "Exit codes: 0 done, 1 prices changed (--check), 2 it could not be done."
)
def refresh(
    region: AskedRegion = None,
    prices: PriceFiles = None,
    out_file: PriceOutFile = None,
    check: Check = False,
    force: Force = False,
    output: RefreshOutput = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> int:
    """Ask Azure's public Retail Prices API what a region costs now; write a price file to lay over the known prices.

    The only command that uses the network: a few requests to
    prices.azure.com, no sign-in. Only meters that the price files
    name are priced. A change of over 50 % is not written unless forced.
    """
    from datetime import date

    from ptucalc.cli.failing import failed
    from ptucalc.cli.view import View, remark
    from ptucalc.errors import BadInput
    from ptucalc.read.prices import load_prices
    from ptucalc.read.retail_api import ApiFailure, fetch_rows
    from ptucalc.retail_prices import retail_prices

    shape = "table"
    try:
        shape = "json" if json else shape
        shape, where, address = _checked(output, json, region, out_file, check, force)
        book = load_prices(*(prices or ()))
        view = View(shape=shape, quiet=quiet, inputs=tuple(prices or ()))
        fetched = fetch_rows(where, book.products, address=address, remark=lambda text: remark(text, view))
        found = retail_prices(fetched.rows, book, region=where, today=date.today())
        written = None if check else out_file or f"prices-{where}-{found.today}.yaml"
        _refuse(found, jumps=not (force or check))
        if written is not None:
            _write(found, fetched.address, written, view.inputs if out_file else ())  # today's own file may be renewed
        _show(found, view, book, fetched.address, written)
    except BadInput as error:
        return failed(error, shape, flags=FLAGS)
    except ApiFailure as error:
        return _not_reached(error, shape)
    return 1 if check and found.changes else 0


def _checked(
    output: str | None, json: bool, region: str | None, out_file: str | None, check: bool, force: bool
) -> tuple[str, str, str]:
    """The format, the region and the API's address. Raises BadInput with all that is wrong."""
    import os

    from ptucalc.errors import BadInput, Problem
    from ptucalc.read.retail_api import ENDPOINT, checked_address

    problems: list[Problem] = []
    shape, where, address = "json" if json else (output or "table").casefold(), "", ENDPOINT
    if shape not in ("table", "json") or (json and output not in (None, "json")):
        problems.append(Problem("--output", output or "", "table or json"))
    try:
        where = _region(region or "")
    except BadInput as error:
        problems += error.problems
    if out_file is not None and not out_file.casefold().endswith((".yaml", ".yml")):
        problems.append(Problem("--out-file", out_file, "a name that ends in .yaml: it is a price file"))
    for flag, given in (("--out-file", out_file is not None), ("--force", force)):
        if check and given:
            problems.append(Problem(flag, "given", "left out with --check, which writes nothing"))
    try:
        address = checked_address(os.environ.get(ADDRESS_VARIABLE) or ENDPOINT, ADDRESS_VARIABLE)
    except BadInput as error:
        problems += error.problems
    if problems:
        raise BadInput(problems)
    return shape, where, address


def _refuse(found: RetailPrices, *, jumps: bool) -> None:
    """Refuse an answer without prices and, if `jumps`, one with changes too large to be taken unasked."""
    from ptucalc.errors import BadInput, Problem
    from ptucalc.read.retail_api import INSTEAD, ApiFailure
    from ptucalc.report.blocks import percent_text
    from ptucalc.report.price_blocks import usd_text
    from ptucalc.report.refresh_blocks import change_text
    from ptucalc.retail_prices import LARGEST_CHANGE

    if not found.found:
        why = "".join(f" {each.meter}: {each.reason}." for each in found.unused[:3])
        raise ApiFailure(
            f"the API lists {found.rows:,} rows for {found.region}, and no usable one of a meter that the price files name."
            f"{why} {INSTEAD}"
        )
    if jumps and found.jumps:
        most = percent_text(LARGEST_CHANGE)
        raise BadInput(
            [
                Problem(
                    change.key.label,
                    f"{usd_text(change.now)} USD ({change_text(change)})",
                    f"within {most} of {usd_text(change.was or change.now)}, or --force",
                )
                for change in found.jumps
            ]
        )


def _write(found: RetailPrices, address: str, path: str, inputs: tuple[str, ...]) -> None:
    """Write the price file, whole or not at all."""
    from ptucalc.cli.writing import output_stream
    from ptucalc.report.price_file import price_file

    text = price_file(found, address=address, command=f"ptucalc prices refresh --region {found.region}")
    with output_stream(path, inputs=inputs) as stream:
        stream.write(text)


def _show(found: RetailPrices, view: View, book: PriceBook, address: str, written: str | None) -> None:
    """What was found, to standard output."""
    from ptucalc import __version__
    from ptucalc.report.refresh_blocks import refresh_blocks, refresh_document

    document = refresh_document(
        found,
        version=__version__,
        editions=book.editions,
        as_of=f"{book.as_of}",
        address=address,
        written=written,
    )
    view.write(document, refresh_blocks(found, written=written, quiet=view.quiet), (), ())


def _not_reached(error: ApiFailure, shape: str) -> int:
    """Report that the API gave no prices; the exit code 2."""
    from ptucalc.cli.failing import report_error

    if shape == "json":
        import json
        import sys

        from ptucalc import __version__
        from ptucalc.errors import Problem

        problem = Problem("prices", f"{error}", "an answer of the Retail Prices API")
        document = {
            "schema": "ptucalc.error/1",
            "version": __version__,
            "problems": [problem.to_dict()],
            "uncounted": 0,
        }
        json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
        print()
    report_error(error)
    return 2
