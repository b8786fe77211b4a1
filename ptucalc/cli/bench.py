"""`ptucalc bench`: load against a real or an emulated deployment, measured; with --calibrate also what a PTU serves."""

from typing import Annotated

import typer

from ptucalc.cli import logs, options

__all__ = ["FLAGS", "bench"]

FLAGS = {
    "bench": "bench",
    "model": "--model",
    "model_version": "--model-version",
    "endpoint": "--endpoint",
    "deployment": "--deployment",
    "wire": "--wire",
    "api_version": "--api-version",
    "max_tokens_field": "--max-tokens-field",
    "shape": "--shape",
    "requests_per_minute": "--rpm",
    "concurrency": "--concurrency",
    "ramp": "--ramp",
    "step": "--step",
    "speed": "--speed",
    "only": "--only",
    "arrivals": "--arrivals",
    "duration": "--duration",
    "warm_up": "--warm-up",
    "max_requests": "--max-requests",
    "at_once": "--at-once",
    "timeout": "--timeout",
    "seed": "--seed",
    "input_tokens": "--input-tokens",
    "output_tokens": "--output-tokens",
    "cache_ratio": "--cache-ratio",
    "output_weight": "--output-weight",
    "encoding": "--encoding",
    "policy": "--policy",
    "max_retries": "--max-retries",
    "calibrate": "--calibrate",
    "ptu": "--ptu",
    "window": "--window",
    "save_catalog": "--save-catalog",
    "sku": "--sku",
    "region": "--region",
    "catalog": "--catalog",
    "prices": "--prices",
    "columns": "--map",
    "since": "--since",
    "until": "--until",
    "time_zone": "--time-zone",
    "logs": "FILE",
    "file": "FILE",
}
"""Which flag gives which value, for messages."""

TARGET, LOAD, CALLS, CAL, PRICE = "The deployment", "The load", "The calls", "Calibrate", "Where, and at what price"

Text = str | None

Files = Annotated[
    list[str] | None,
    typer.Argument(
        help="A log to replay, or one file of workloads; else the shape of the calls is a flag's.",
        metavar="[FILE...|-]",
        show_default=False,
    ),
]
Endpoint = Annotated[
    Text,
    typer.Option(
        "--endpoint", help="https://NAME.openai.azure.com; else AZURE_OPENAI_ENDPOINT.", rich_help_panel=TARGET
    ),
]
Deployment = Annotated[Text, typer.Option("--deployment", help="Its name; else the model's.", rich_help_panel=TARGET)]
WireName = Annotated[
    str,
    typer.Option("--wire", help="azure, v1 (chat completions) or responses (v1).", rich_help_panel=TARGET),
]
ApiVersion = Annotated[Text, typer.Option("--api-version", help="Another API version.", rich_help_panel=TARGET)]
NoStream = Annotated[
    bool, typer.Option("--no-stream", help="Whole answers: no time to first token.", rich_help_panel=TARGET)
]
MaxTokensField = Annotated[
    str,
    typer.Option(
        "--max-tokens-field", help="What the limit of an answer is called: or max_tokens.", rich_help_panel=TARGET
    ),
]
Timeout = Annotated[str, typer.Option("--timeout", help="How long a call may take.", rich_help_panel=TARGET)]
Rpm = Annotated[
    Text, typer.Option("--rpm", help="Requests per minute, on time whatever comes back.", rich_help_panel=LOAD)
]
Concurrency = Annotated[
    Text,
    typer.Option(
        "--concurrency",
        help="Instead: so many callers, each after its answer, or the wait that a 429 names.",
        rich_help_panel=LOAD,
    ),
]
RampText = Annotated[
    Text,
    typer.Option(
        "--ramp", help="Instead: 60:600:60, from 60 to 600 requests/min by 60, until a 429.", rich_help_panel=LOAD
    ),
]
Step = Annotated[Text, typer.Option("--step", help="How long a step of a ramp is; else 1m.", rich_help_panel=LOAD)]
ArrivalsName = Annotated[
    Text, typer.Option("--arrivals", help="uniform (evenly), poisson or bursty.", rich_help_panel=LOAD)
]
Speed = Annotated[Text, typer.Option("--speed", help="Play a log so many times as fast.", rich_help_panel=LOAD)]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", help="Of a file only these workloads or deployments; repeatable.", rich_help_panel=LOAD),
]
Duration = Annotated[
    Text, typer.Option("--duration", help="90s, 5m; else 1m, 5m to calibrate, 10m of a log.", rich_help_panel=LOAD)
]
WarmUp = Annotated[str, typer.Option("--warm-up", help="The beginning that is in no figure.", rich_help_panel=LOAD)]
MaxRequests = Annotated[
    str, typer.Option("--max-requests", help="Never more requests than this.", rich_help_panel=LOAD)
]
AtOnce = Annotated[str, typer.Option("--at-once", help="Never more calls under way.", rich_help_panel=LOAD)]
PolicyName = Annotated[str, typer.Option("--policy", help="After a 429: none or retry.", rich_help_panel=LOAD)]
MaxRetries = Annotated[
    str, typer.Option("--max-retries", help="Further tries of a call, if it retries.", rich_help_panel=LOAD)
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only say what would be sent at most, at what price.", rich_help_panel=LOAD)
]
ShapeName = Annotated[
    Text,
    typer.Option("--shape", help="balanced 500/500, context 2000/200, generation 500/1000.", rich_help_panel=CALLS),
]
InputTokens = Annotated[
    Text, typer.Option("--input-tokens", help="Instead: tokens of a prompt.", rich_help_panel=CALLS)
]
OutputTokens = Annotated[
    Text, typer.Option("--output-tokens", help="Instead: the most tokens of an answer.", rich_help_panel=CALLS)
]
CacheRatio = Annotated[
    Text, typer.Option("--cache-ratio", help="Share of a prompt that all prompts begin with.", rich_help_panel=CALLS)
]
Seed = Annotated[
    Text, typer.Option("--seed", help="The same prompts as with this seed; else new ones.", rich_help_panel=CALLS)
]
Encoding = Annotated[
    Text, typer.Option("--encoding", help="Count prompts in this encoding, not in the model's.", rich_help_panel=CALLS)
]
OutputWeight = Annotated[
    Text, typer.Option("--output-weight", help="Weight of an output token, if unpublished.", rich_help_panel=CALLS)
]
Calibrate = Annotated[
    bool,
    typer.Option(
        "--calibrate", help="Saturate it, and say what a PTU serves against the catalog.", rich_help_panel=CAL
    ),
]
Ptu = Annotated[Text, typer.Option("--ptu", help="The PTU of the deployment.", rich_help_panel=CAL)]
Window = Annotated[
    str, typer.Option("--window", help="Seconds of drain that its bucket holds at most.", rich_help_panel=CAL)
]
SaveCatalog = Annotated[
    Text,
    typer.Option("--save-catalog", help="Write a catalog overlay of it: a new file.", rich_help_panel=CAL),
]
Sku = Annotated[
    str, typer.Option("--sku", help="Whose pay-as-you-go price: global, data-zone or regional.", rich_help_panel=PRICE)
]
Region = Annotated[Text, typer.Option("--region", help="Where its prices are those of.", rich_help_panel=PRICE)]


def bench(
    files: Files = None,
    model: options.Model = None,
    model_version: options.ModelVersion = None,
    endpoint: Endpoint = None,
    deployment: Deployment = None,
    wire: WireName = "azure",
    api_version: ApiVersion = None,
    no_stream: NoStream = False,
    max_tokens_field: MaxTokensField = "max_completion_tokens",
    timeout: Timeout = "120s",
    rpm: Rpm = None,
    concurrency: Concurrency = None,
    ramp: RampText = None,
    step: Step = None,
    arrivals: ArrivalsName = None,
    speed: Speed = None,
    only: Only = None,
    duration: Duration = None,
    warm_up: WarmUp = "10s",
    max_requests: MaxRequests = "10000",
    at_once: AtOnce = "1000",
    policy: PolicyName = "none",
    max_retries: MaxRetries = "2",
    dry_run: DryRun = False,
    shape: ShapeName = None,
    input_tokens: InputTokens = None,
    output_tokens: OutputTokens = None,
    cache_ratio: CacheRatio = None,
    seed: Seed = None,
    encoding: Encoding = None,
    output_weight: OutputWeight = None,
    calibrate: Calibrate = False,
    ptu: Ptu = None,
    window: Window = "60",
    save_catalog: SaveCatalog = None,
    map_column: logs.Map = None,
    since: logs.Since = None,
    until: logs.Until = None,
    time_zone: logs.TimeZone = None,
    skip_bad: logs.SkipBad = False,
    sku: Sku = "global",
    region: Region = None,
    catalog: options.CatalogFiles = None,
    prices: options.PriceFiles = None,
    output: options.Output = None,
    json: options.Json = False,
    out_file: options.OutFile = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    no_color: options.NoColor = False,
) -> int:
    """Load against a real or an emulated deployment: latencies, rates, 429s; with --calibrate what its PTU serve.

    The key is read from AZURE_OPENAI_API_KEY (or, for the v1 API, OPENAI_API_KEY) and nowhere else. The exit code is 2 where
    no call was served, 130 after Ctrl-C.
    """
    from ptucalc.cli.bench_flags import BenchFlags
    from ptucalc.cli.bench_runs import show_bench
    from ptucalc.cli.failing import failed
    from ptucalc.cli.log_flags import LogFlags
    from ptucalc.cli.view import View
    from ptucalc.errors import BadInput

    format_ = options.chosen_format(output, json, out_file)
    named = (*(files or ()), *(catalog or ()), *(prices or ()))
    inputs = tuple(name for name in named if name != "-")
    view = View(shape=format_, out_file=out_file, quiet=quiet, verbose=verbose, inputs=inputs)
    log = LogFlags(
        files=tuple(files or ()),
        columns=tuple(map_column or ()),
        since=since,
        until=until,
        time_zone=time_zone,
        skip_bad=skip_bad,
        catalogs=tuple(catalog or ()),
    )
    flags = BenchFlags(
        log=log,
        model=model,
        model_version=model_version,
        endpoint=endpoint,
        deployment=deployment,
        wire=wire,
        api_version=api_version,
        stream=not no_stream,
        max_tokens_field=max_tokens_field,
        timeout=timeout,
        rpm=rpm,
        concurrency=concurrency,
        ramp=ramp,
        step=step,
        arrivals=arrivals,
        speed=speed,
        only=tuple(only or ()),
        duration=duration,
        warm_up=warm_up,
        max_requests=max_requests,
        at_once=at_once,
        policy=policy,
        max_retries=max_retries,
        dry_run=dry_run,
        shape=shape,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_ratio=cache_ratio,
        seed=seed,
        encoding=encoding,
        output_weight=output_weight,
        calibrate=calibrate,
        ptu=ptu,
        window=window,
        save_catalog=save_catalog,
        sku=sku,
        region=region,
        prices=tuple(prices or ()),
    )
    try:
        return show_bench(flags, view)
    except BadInput as error:
        return failed(error, format_, flags=FLAGS)
