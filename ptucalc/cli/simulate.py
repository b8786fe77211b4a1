"""`ptucalc simulate`: what a deployment of so many PTU serves, refuses and spills of a log's calls, or of synthetic ones."""

from typing import Annotated

import typer

from ptucalc.cli import cost, logs, options

__all__ = ["simulate"]

FLAGS = {
    **logs.FLAGS,
    **cost.FLAGS,
    "window": "--window",
    "policy": "--policy",
    "max_retries": "--max-retries",
    "target_429": "--target-429",
    "assumed_max_tokens": "--assumed-max-tokens",
    "route": "--route",
    "standard_tpm": "--standard-tpm",
    "standard_rpm": "--standard-rpm",
    "rpm_window": "--standard-window",
    "best_of": "--best-of",
    "arrivals": "--arrivals",
    "seed": "--seed",
    "duration": "--duration",
    "calls_per_burst": "--burst-calls",
    "burst_seconds": "--burst-seconds",
}
"""Which flag gives which value, for messages."""

BUCKET, STANDARD, MADE = "The bucket", "Standard (pay-as-you-go) limits", "Calls that are made up"
ROUTE = "A gateway"

Files = Annotated[
    list[str] | None,
    typer.Argument(
        help="Request logs, or one file of workloads; - is standard input.", metavar="[FILE...|-]", show_default=False
    ),
]
Ptu = Annotated[
    list[str] | None,
    typer.Option("--ptu", help="A size to simulate; repeatable. Else all that can be bought.", rich_help_panel=BUCKET),
]
Window = Annotated[
    str, typer.Option("--window", help="Seconds of drain that the bucket holds.", rich_help_panel=BUCKET)
]
PolicyName = Annotated[
    str,
    typer.Option("--policy", help="After a 429: none, retry, spillover, retry-then-spillover.", rich_help_panel=BUCKET),
]
MaxRetries = Annotated[
    str, typer.Option("--max-retries", help="Further tries of a call, if it retries.", rich_help_panel=BUCKET)
]
Target = Annotated[
    str | None,
    typer.Option("--target-429", help="Share of requests that may meet a 429: 1%.", rich_help_panel=BUCKET),
]
Assumed = Annotated[
    str | None,
    typer.Option("--assumed-max-tokens", help="max_tokens of calls that say none.", rich_help_panel=BUCKET),
]
StandardTpm = Annotated[
    str | None,
    typer.Option("--standard-tpm", help="Tokens per minute of the Standard deployment.", rich_help_panel=STANDARD),
]
StandardRpm = Annotated[
    str | None,
    typer.Option(
        "--standard-rpm", help="Its requests per minute; else those that come with the TPM.", rich_help_panel=STANDARD
    ),
]
StandardWindow = Annotated[
    str, typer.Option("--standard-window", help="Seconds over which RPM is checked: 1 or 10.", rich_help_panel=STANDARD)
]
BestOf = Annotated[str, typer.Option("--best-of", help="best_of of the calls.", rich_help_panel=STANDARD)]
RouteFile = Annotated[
    str | None,
    typer.Option(
        "--route",
        metavar="FILE",
        help="Send the calls along a chain of backends (YAML): who serves, what is refused, what it costs.",
        rich_help_panel=ROUTE,
    ),
]
ArrivalsName = Annotated[
    str | None, typer.Option("--arrivals", help="poisson, uniform or bursty.", rich_help_panel=MADE)
]
Seed = Annotated[str | None, typer.Option("--seed", help="Other random calls; 0 unless given.", rich_help_panel=MADE)]
Duration = Annotated[
    str | None, typer.Option("--duration", help="90s, 15m, 24h or 7d; else 1h or the profile.", rich_help_panel=MADE)
]
BurstCalls = Annotated[
    str | None, typer.Option("--burst-calls", help="Calls of a burst, if bursty.", rich_help_panel=MADE)
]
BurstSeconds = Annotated[
    str | None, typer.Option("--burst-seconds", help="How long a burst lasts.", rich_help_panel=MADE)
]
Sku = Annotated[str, typer.Option("--sku", help="global, data-zone or regional.", rich_help_panel=options.WHERE)]


def simulate(
    files: Files = None,
    model: options.Model = None,
    model_version: options.ModelVersion = None,
    ptu: Ptu = None,
    window: Window = "60",
    policy: PolicyName = "none",
    max_retries: MaxRetries = "2",
    target_429: Target = None,
    assumed_max_tokens: Assumed = None,
    standard_tpm: StandardTpm = None,
    standard_rpm: StandardRpm = None,
    standard_window: StandardWindow = "1",
    best_of: BestOf = "1",
    route: RouteFile = None,
    map_model: logs.MapModel = None,
    map_column: logs.Map = None,
    by: logs.By = "deployment",
    since: logs.Since = None,
    until: logs.Until = None,
    time_zone: logs.TimeZone = None,
    date_order: logs.DateOrder = None,
    input_excludes_cached: logs.ExcludesCached = False,
    output_excludes_reasoning: logs.ExcludesReasoning = False,
    output_share: logs.OutputShare = None,
    skip_bad: logs.SkipBad = False,
    rpm: options.Rpm = None,
    input_tokens: options.InputTokens = None,
    output_tokens: options.OutputTokens = None,
    cache_ratio: options.CacheRatio = None,
    cache_write_ratio: options.CacheWriteRatio = None,
    max_tokens: options.MaxTokens = None,
    output_weight: options.OutputWeight = None,
    profile: cost.Profile = None,
    arrivals: ArrivalsName = None,
    seed: Seed = None,
    duration: Duration = None,
    burst_calls: BurstCalls = None,
    burst_seconds: BurstSeconds = None,
    sku: Sku = "global",
    region: options.Region = None,
    catalog: options.CatalogFiles = None,
    prices: options.PriceFiles = None,
    discount: cost.Discount = None,
    term: cost.Term = "all",
    output: options.Output = None,
    json: options.Json = False,
    out_file: options.OutFile = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    no_color: options.NoColor = False,
) -> int:
    """The 429s of a log, or of made-up calls: what a deployment of each size serves, refuses, spills; the size for a target."""
    from ptucalc.cli.failing import failed
    from ptucalc.cli.log_flags import LogFlags
    from ptucalc.cli.simulate_flags import SimulateFlags
    from ptucalc.cli.simulate_runs import show_simulation
    from ptucalc.cli.view import View
    from ptucalc.errors import BadInput

    shape = options.chosen_format(output, json, out_file)
    named = (*(files or ()), *(catalog or ()), *(prices or ()), *((route,) if route else ()))
    view = View(
        shape=shape,
        out_file=out_file,
        quiet=quiet,
        verbose=verbose,
        inputs=tuple(name for name in named if name != "-"),
    )
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
        input_excludes_cached=input_excludes_cached,
        output_excludes_reasoning=output_excludes_reasoning,
        output_share=output_share,
        skip_bad=skip_bad,
        output_weight=output_weight,
        sku=sku,
        region=region,
        catalogs=tuple(catalog or ()),
    )
    call = {
        "requests_per_minute": rpm,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "cache_ratio": cache_ratio,
        "cache_write_ratio": cache_write_ratio,
        "max_tokens": max_tokens,
    }
    flags = SimulateFlags(
        log=log,
        call=call,
        profile=profile,
        ptu=tuple(ptu or ()),
        window=window,
        policy=policy,
        max_retries=max_retries,
        target_429=target_429,
        assumed_max_tokens=assumed_max_tokens,
        standard_tpm=standard_tpm,
        standard_rpm=standard_rpm,
        standard_window=standard_window,
        best_of=best_of,
        route=route,
        arrivals=arrivals,
        seed=seed,
        duration=duration,
        burst_calls=burst_calls,
        burst_seconds=burst_seconds,
        prices=tuple(prices or ()),
        discount=discount,
        term=term,
    )
    try:
        return show_simulation(flags, view)
    except BadInput as error:
        return failed(error, shape, flags=FLAGS)
