"""`ptucalc logs`: request logs and metric exports to demand, percentiles and sizes."""

from typing import Annotated

import typer

from ptucalc.cli import options

__all__ = ["logs"]

LOG = "The log"

FLAGS = {
    "model": "--model",
    "model_version": "--model-version",
    "map_model": "--map-model",
    "by": "--by",
    "percentile": "--percentile",
    "output_weight": "--output-weight",
    "region": "--region",
    "headroom": "--headroom",
    "sku": "--sku",
    "catalog": "--catalog",
    "time_zone": "--time-zone",
    "zone": "--time-zone",
    "date_order": "--date-order",
    "bucket_seconds": "--bucket-seconds",
    "output_share": "--output-share",
    "kql": "--kql",
    "save": "--save",
}
"""Which flag gives which value, for messages."""

Files = Annotated[
    list[str] | None,
    typer.Argument(
        help="Logs: CSV, TSV, JSON, JSON lines (.gz too), Parquet; - is standard input.",
        metavar="[FILE...|-]",
        show_default=False,
    ),
]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", help="Where a value is: input_tokens=COLUMN; repeatable.", rich_help_panel=LOG),
]
MapModel = Annotated[
    list[str] | None,
    typer.Option("--map-model", help="The model of a deployment: DEPLOYMENT=MODEL; repeatable.", rich_help_panel=LOG),
]
Since = Annotated[
    str | None, typer.Option("--since", help="Only from this time on: 2026-11-02T09:00Z.", rich_help_panel=LOG)
]
Until = Annotated[str | None, typer.Option("--until", help="Only before this time.", rich_help_panel=LOG)]
TimeZone = Annotated[
    str | None,
    typer.Option("--time-zone", help="Of times without one: Europe/Berlin (else UTC).", rich_help_panel=LOG),
]
DateOrder = Annotated[
    str | None, typer.Option("--date-order", help="Of dates such as 2/11/2026: mdy or dmy.", rich_help_panel=LOG)
]
BucketSeconds = Annotated[
    str | None,
    typer.Option("--bucket-seconds", help="How long a row's bucket is, if rows are sums.", rich_help_panel=LOG),
]
ExcludesCached = Annotated[
    bool,
    typer.Option("--input-excludes-cached", help="Cached tokens come on top of the input's.", rich_help_panel=LOG),
]
ExcludesReasoning = Annotated[
    bool,
    typer.Option(
        "--output-excludes-reasoning", help="Reasoning tokens come on top of the output's.", rich_help_panel=LOG
    ),
]
OutputShare = Annotated[
    str | None,
    typer.Option("--output-share", help="Share of output where only total tokens are known.", rich_help_panel=LOG),
]
SkipBad = Annotated[
    bool,
    typer.Option("--skip-bad", help="Go on without rows that cannot be read, and count them.", rich_help_panel=LOG),
]
By = Annotated[
    str, typer.Option("--by", help="One answer per deployment, per model, or none: for all.", rich_help_panel=LOG)
]
Percentile = Annotated[
    str,
    typer.Option(
        "--percentile", help="Of the weighted minutes, to size at: p99, p99.9, max.", rich_help_panel=options.WHERE
    ),
]
Save = Annotated[
    str | None,
    typer.Option(
        "--save", help="Write a plan (.yaml) and its minutes, for size and cost.", rich_help_panel=options.OUT
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Let --save replace an older plan.", rich_help_panel=options.OUT)
]
Kql = Annotated[
    str | None,
    typer.Option(
        "--kql",
        help="Print the query that gets a log: apim, metrics, appinsights, diagnostics.",
        rich_help_panel="Queries",
    ),
]
Az = Annotated[
    bool, typer.Option("--az", help="With --kql: the az command lines that run it.", rich_help_panel="Queries")
]


def logs(
    files: Files = None,
    model: options.Model = None,
    model_version: options.ModelVersion = None,
    map_model: MapModel = None,
    map_column: Map = None,
    by: By = "deployment",
    since: Since = None,
    until: Until = None,
    time_zone: TimeZone = None,
    date_order: DateOrder = None,
    bucket_seconds: BucketSeconds = None,
    input_excludes_cached: ExcludesCached = False,
    output_excludes_reasoning: ExcludesReasoning = False,
    output_share: OutputShare = None,
    skip_bad: SkipBad = False,
    output_weight: options.OutputWeight = None,
    percentile: Percentile = "p99",
    sku: options.Sku = "all",
    region: options.Region = None,
    headroom: options.Headroom = None,
    catalog: options.CatalogFiles = None,
    kql: Kql = None,
    az: Az = False,
    save: Save = None,
    overwrite: Overwrite = False,
    output: options.Output = None,
    json: options.Json = False,
    out_file: options.OutFile = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    no_color: options.NoColor = False,
) -> int:
    """Demand, percentiles and a size from request logs or metric exports."""
    from ptucalc.cli.failing import failed
    from ptucalc.cli.log_flags import LogFlags
    from ptucalc.cli.log_runs import print_query, show_log
    from ptucalc.cli.view import View
    from ptucalc.errors import BadInput

    asked = kql is not None or az
    shape = "table" if asked else options.chosen_format(output, json, out_file)
    view = View(
        shape=shape,
        out_file=out_file,
        quiet=quiet,
        verbose=verbose,
        inputs=tuple(name for name in (*(files or ()), *(catalog or ())) if name != "-"),
    )
    flags = LogFlags(
        files=tuple(files or ()),
        columns=tuple(map_column or ()),
        models=tuple(map_model or ()),
        model=model,
        model_version=model_version,
        by=by,
        since=since,
        until=until,
        time_zone=time_zone,
        date_order=date_order,
        bucket_seconds=bucket_seconds,
        input_excludes_cached=input_excludes_cached,
        output_excludes_reasoning=output_excludes_reasoning,
        output_share=output_share,
        skip_bad=skip_bad,
        output_weight=output_weight,
        percentile=percentile,
        sku=sku,
        region=region,
        headroom=headroom,
        catalogs=tuple(catalog or ()),
    )
    try:
        if asked:
            beside = {"a file": bool(files), "--save": save is not None, "-o": output is not None or json}
            return print_query(kql, view, az=az, beside=[name for name, given in beside.items() if given])
        return show_log(flags, view, save=save, overwrite=overwrite)
    except BadInput as error:
        return failed(error, shape, flags=FLAGS)
