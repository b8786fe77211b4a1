"""`ptucalc cost`: what workloads cost on pay-as-you-go, on PTU by term, and as the cheapest mix of both."""

from typing import Annotated

import typer

from ptucalc.cli import options
from ptucalc.cli.size import FLAGS as SIZE_FLAGS
from ptucalc.cli.size import File, SkipBad

__all__ = ["cost"]

FLAGS = {
    **SIZE_FLAGS,
    "average_requests_per_minute": "--average-rpm",
    "hours_per_month": "--hours-per-month",
    "profile": "--profile",
    "discount": "--discount",
    "payg_type": "--payg-type",
    "term": "--term",
    "prices": "--prices",
    "currency": "--currency",
}

MONEY, OVER_TIME = "Money", "The load over time"

Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="share:rate levels such as 1/3:1000,2/3:60, or 24 or 168 hourly rates; the peak follows from it.",
        rich_help_panel=OVER_TIME,
    ),
]
AverageRpm = Annotated[
    str | None,
    typer.Option("--average-rpm", help="Average requests per minute, beside the peak.", rich_help_panel=OVER_TIME),
]
Hours = Annotated[
    str | None,
    typer.Option("--hours-per-month", help="Hours in which that average holds.", rich_help_panel=OVER_TIME),
]
Discount = Annotated[
    str | None, typer.Option("--discount", help="Share off every PTU price: 12%.", rich_help_panel=MONEY)
]
PaygType = Annotated[
    str | None,
    typer.Option(
        "--payg-type",
        help="Price pay-as-you-go and spillover as this deployment type, not the deployment's own.",
        rich_help_panel=MONEY,
    ),
]
Term = Annotated[
    str, typer.Option("--term", help="all, hourly, 1-month or 1-year (several with commas).", rich_help_panel=MONEY)
]
Currency = Annotated[
    str | None,
    typer.Option(
        "--currency",
        help="Show amounts in a currency that the price file has; JSON and CSV stay in USD.",
        rich_help_panel=MONEY,
    ),
]


def cost(
    file: File = None,
    model: options.Model = None,
    model_version: options.ModelVersion = None,
    rpm: options.Rpm = None,
    input_tokens: options.InputTokens = None,
    output_tokens: options.OutputTokens = None,
    cache_ratio: options.CacheRatio = None,
    cache_write_ratio: options.CacheWriteRatio = None,
    max_tokens: options.MaxTokens = None,
    image_input_tokens: options.ImageInputTokens = None,
    image_output_tokens: options.ImageOutputTokens = None,
    output_weight: options.OutputWeight = None,
    prompt_file: options.PromptFile = None,
    completion_file: options.CompletionFile = None,
    encoding: options.Encoding = None,
    approx: options.Approx = False,
    image_size: options.ImageSize = None,
    profile: Profile = None,
    average_rpm: AverageRpm = None,
    hours_per_month: Hours = None,
    sku: options.Sku = "all",
    region: options.Region = None,
    headroom: options.Headroom = None,
    catalog: options.CatalogFiles = None,
    prices: options.PriceFiles = None,
    discount: Discount = None,
    payg_type: PaygType = None,
    term: Term = "all",
    currency: Currency = None,
    skip_bad: SkipBad = False,
    chargeback: options.Chargeback = False,
    output: options.Output = None,
    json: options.Json = False,
    out_file: options.OutFile = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    no_color: options.NoColor = False,
) -> int:
    """What it costs a month: pay-as-you-go, PTU by the hour, month or year, and the cheapest mix of PTU and spillover."""
    from ptucalc.cli.cost_runs import Money, profile_of, show_costs
    from ptucalc.cli.failing import failed
    from ptucalc.cli.sizing_runs import check_file, make_sizer, sized_call, sized_file
    from ptucalc.cli.view import View
    from ptucalc.errors import BadInput, Problem

    call = {
        "model": model,
        "model_version": model_version,
        "requests_per_minute": rpm,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "cache_ratio": cache_ratio,
        "cache_write_ratio": cache_write_ratio,
        "max_tokens": max_tokens,
        "image_input_tokens": image_input_tokens,
        "image_output_tokens": image_output_tokens,
        "average_requests_per_minute": average_rpm,
        "hours_per_month": hours_per_month,
    }
    prompts = options.prompt_sources(prompt_file, completion_file, encoding, approx=approx, image_size=image_size)
    shape = options.chosen_format(output, json, out_file)
    read = (file, prompt_file, completion_file, *(catalog or ()), *(prices or ()))
    inputs = tuple(name for name in read if name is not None)
    view = View(shape=shape, out_file=out_file, quiet=quiet, verbose=verbose, inputs=inputs)
    catalogs = tuple(catalog or ())
    try:
        money = Money.of(prices=prices or (), discount=discount, payg_type=payg_type, term=term, currency=currency)
        if file is None:
            sizer, problems = make_sizer(sku=sku, headroom=headroom, catalogs=catalogs)
            whole = {**call, "region": region, "output_weight": output_weight}
            problems += money.problems
            load = profile_of(profile, problems)
            sized = sized_call(sizer, whole, problems, command="cost", profile=load, prompts=prompts, out_file=out_file)
            return show_costs(sized, sizer, money, view, chargeback=chargeback)
        from ptucalc.read.telling import is_log

        log = is_log(file)
        own = ("model", "model_version") if log else ()
        given = {**call, **(prompts.values if prompts else {}), "profile": profile}
        both = [FLAGS[field] for field, value in given.items() if value is not None and field not in own]
        if both:
            beside = [Problem(flag, "beside a file", "left out: the rows of the file say that") for flag in both]
            raise BadInput([*beside, *money.problems])
        if log:
            from ptucalc.cli.log_flags import LogFlags
            from ptucalc.cli.log_runs import sized_log

            sizer, problems = make_sizer(sku=sku, headroom=headroom, catalogs=catalogs)
            flags = LogFlags(
                (file,),
                percentile="max",  # full PTU serves the busiest minute; every minute counts in the bill
                model=model,
                model_version=model_version,
                output_weight=output_weight,
                sku=sku,
                region=region,
                headroom=headroom,
                catalogs=catalogs,
                skip_bad=skip_bad,
            )
            return show_costs(
                sized_log(flags, sizer, view, problems + money.problems), sizer, money, view, chargeback=chargeback
            )
        from ptucalc.batch import FileSizing
        from ptucalc.read.workloads import WorkloadFile

        with WorkloadFile.open(file, catalogs=catalogs) as rows:
            share = rows.headroom if headroom is None else headroom
            plan = rows.name if headroom is None else ""
            sizer, problems = make_sizer(sku=sku, headroom=share, catalogs=catalogs, plan=plan)
            sizing = FileSizing(rows, sizer, region=region, output_weight=output_weight)
            check_file(sizing, view, problems + money.problems, skip_bad=skip_bad)
            return show_costs(sized_file(sizing, view), sizer, money, view, chargeback=chargeback)
    except BadInput as error:
        return failed(error, shape, flags=FLAGS)
