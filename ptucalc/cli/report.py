"""`ptucalc report`: a page, a spreadsheet or a text to hand over, from workloads, a plan, a log or a saved result."""

from typing import Annotated

import typer

from ptucalc.cli import cost, logs, options, simulate
from ptucalc.cli.size import SkipBad

__all__ = ["report"]

FLAGS = {**simulate.FLAGS, "title": "--title", "date": "--date", "format": "--format"}
"""Which flag gives which value, for messages."""

Files = Annotated[
    list[str] | None,
    typer.Argument(
        help="Workloads or a plan, request logs, or JSON that ptucalc has written; - is standard input.",
        metavar="[FILE...|-]",
        show_default=False,
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        "--output",
        "-o",
        help="html, xlsx, md, csv or json; else by the ending of --out-file.",
        rich_help_panel=options.OUT,
    ),
]
OutFile = Annotated[
    str | None,
    typer.Option("--out-file", help="Write to this file: r.html, r.xlsx, r.md ...", rich_help_panel=options.OUT),
]
Title = Annotated[str | None, typer.Option("--title", help="What stands on top.", rich_help_panel=options.OUT)]
Date = Annotated[
    str | None,
    typer.Option("--date", help="The day to put on it, or none; else today.", rich_help_panel=options.OUT),
]
Ptu = Annotated[
    list[str] | None,
    typer.Option(
        "--ptu",
        help="A size to simulate a log at; repeatable. Else the one it is sized to, and the cheapest mix.",
        rich_help_panel=simulate.BUCKET,
    ),
]


def report(
    files: Files = None,
    model: options.Model = None,
    model_version: options.ModelVersion = None,
    rpm: options.Rpm = None,
    input_tokens: options.InputTokens = None,
    output_tokens: options.OutputTokens = None,
    cache_ratio: options.CacheRatio = None,
    cache_write_ratio: options.CacheWriteRatio = None,
    max_tokens: options.MaxTokens = None,
    output_weight: options.OutputWeight = None,
    profile: cost.Profile = None,
    average_rpm: cost.AverageRpm = None,
    hours_per_month: cost.Hours = None,
    map_model: logs.MapModel = None,
    map_column: logs.Map = None,
    by: logs.By = "deployment",
    since: logs.Since = None,
    until: logs.Until = None,
    time_zone: logs.TimeZone = None,
    date_order: logs.DateOrder = None,
    bucket_seconds: logs.BucketSeconds = None,
    input_excludes_cached: logs.ExcludesCached = False,
    output_excludes_reasoning: logs.ExcludesReasoning = False,
    output_share: logs.OutputShare = None,
    percentile: logs.Percentile = "p99",
    skip_bad: SkipBad = False,
    ptu: Ptu = None,
    window: simulate.Window = "60",
    policy: simulate.PolicyName = "none",
    max_retries: simulate.MaxRetries = "2",
    target_429: simulate.Target = None,
    assumed_max_tokens: simulate.Assumed = None,
    sku: options.Sku = "all",
    region: options.Region = None,
    headroom: options.Headroom = None,
    catalog: options.CatalogFiles = None,
    prices: options.PriceFiles = None,
    discount: cost.Discount = None,
    payg_type: cost.PaygType = None,
    term: cost.Term = "all",
    title: Title = None,
    date: Date = None,
    format: Format = None,
    json: options.Json = False,
    out_file: OutFile = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> int:
    """A report to hand over: an HTML page, an Excel workbook, Markdown, CSV or JSON."""
    from ptucalc.cli.failing import failed
    from ptucalc.cli.log_flags import LogFlags
    from ptucalc.cli.report_flags import ReportFlags, chosen_format
    from ptucalc.cli.report_runs import write_report
    from ptucalc.cli.simulate_flags import SimulateFlags
    from ptucalc.cli.view import View
    from ptucalc.errors import BadInput

    shape = "json" if json else ""
    try:
        shape = chosen_format(format, json, out_file)
        named = (*(files or ()), *(catalog or ()), *(prices or ()))
        inputs = tuple(name for name in named if name != "-")
        view = View(shape=shape, out_file=out_file, quiet=quiet, inputs=inputs)
        log = LogFlags(
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
        call = {
            "requests_per_minute": rpm,
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "cache_ratio": cache_ratio,
            "cache_write_ratio": cache_write_ratio,
            "max_tokens": max_tokens,
            "average_requests_per_minute": average_rpm,
            "hours_per_month": hours_per_month,
        }
        simulated = SimulateFlags(
            log=log,
            call=call,
            profile=profile,
            ptu=tuple(ptu or ()),
            window=window,
            policy=policy,
            max_retries=max_retries,
            target_429=target_429,
            assumed_max_tokens=assumed_max_tokens,
            prices=tuple(prices or ()),
            discount=discount,
            term=term,
        )
        return write_report(ReportFlags(simulated, payg_type=payg_type, title=title, date=date), view)
    except BadInput as error:
        return failed(error, shape, flags=FLAGS)
