"""`ptucalc emulate`: deployments on this machine that clients meet as if they were Azure's."""

from typing import Annotated

import typer

from ptucalc.cli import options

__all__ = ["emulate"]

FLAGS = {
    "model": "--model",
    "ptu": "--ptu",
    "window": "--window",
    "deployment": "--deployment",
    "standard_tpm": "--standard-tpm",
    "standard_rpm": "--standard-rpm",
    "rpm_window": "--standard-window",
    "spillover": "--spillover",
    "assumed_max_tokens": "--assumed-max-tokens",
    "output_weight": "--output-weight",
    "output_tokens": "--output-tokens",
    "reasoning": "--reasoning",
    "first_ms": "--first-token-ms",
    "latency_scale": "--latency-scale",
    "spread": "--latency-spread",
    "seed": "--seed",
    "cache_minutes": "--cache-minutes",
    "encoding": "--encoding",
    "approx": "--approx",
    "image_size": "--image-size",
    "port": "--port",
    "log": "--log",
    "sku": "--sku",
    "route": "--route",
    "file": "FILE",
}
"""Which flag gives which value, for messages."""

DEPLOYMENT, ANSWERS, SERVER = "The deployment", "Answers", "The server"

Text = str | None
File = Annotated[
    Text,
    typer.Argument(
        help="Deployments in YAML, under `deployments:`, or a plan of workloads; else the flags say.",
        show_default=False,
    ),
]
Ptu = Annotated[Text, typer.Option("--ptu", help="PTU of a provisioned deployment.", rich_help_panel=DEPLOYMENT)]
Name = Annotated[Text, typer.Option("--deployment", help="Its name; else the model's.", rich_help_panel=DEPLOYMENT)]
RouteFile = Annotated[
    Text,
    typer.Option(
        "--route",
        help="Backends in YAML, as for simulate: the server is the gateway before them.",
        rich_help_panel=DEPLOYMENT,
    ),
]
Window = Annotated[
    Text, typer.Option("--window", help="Seconds of drain that the bucket holds; else 60.", rich_help_panel=DEPLOYMENT)
]
Tpm = Annotated[
    Text,
    typer.Option(
        "--standard-tpm",
        help="Tokens per minute of a Standard deployment; beside --ptu it is named NAME-standard.",
        rich_help_panel=DEPLOYMENT,
    ),
]
Rpm = Annotated[
    Text,
    typer.Option(
        "--standard-rpm", help="Its requests per minute; else those that come with the TPM.", rich_help_panel=DEPLOYMENT
    ),
]
RpmWindow = Annotated[
    Text,
    typer.Option("--standard-window", help="Seconds over which RPM is checked: 1 or 10.", rich_help_panel=DEPLOYMENT),
]
Spillover = Annotated[
    bool,
    typer.Option("--spillover", help="What PTU refuse goes to the Standard deployment.", rich_help_panel=DEPLOYMENT),
]
Assumed = Annotated[
    Text,
    typer.Option(
        "--assumed-max-tokens",
        help="max_tokens of calls that say none; else their true output.",
        rich_help_panel=DEPLOYMENT,
    ),
]
Sku = Annotated[str, typer.Option("--sku", help="global, data-zone or regional.", rich_help_panel=DEPLOYMENT)]
OutputTokens = Annotated[
    str,
    typer.Option(
        "--output-tokens",
        help="Length of answers: 250, 100-300, or max (as many as max_tokens allow).",
        rich_help_panel=ANSWERS,
    ),
]
Reasoning = Annotated[
    str, typer.Option("--reasoning", help="Share of the output that is reasoning: 40%.", rich_help_panel=ANSWERS)
]
FirstToken = Annotated[
    str,
    typer.Option(
        "--first-token-ms",
        help="Milliseconds before the first token; scale and spread are for them too.",
        rich_help_panel=ANSWERS,
    ),
]
Scale = Annotated[
    str,
    typer.Option(
        "--latency-scale",
        help="Times the times of answers, which are those of the model's latency target; 0: at once.",
        rich_help_panel=ANSWERS,
    ),
]
Spread = Annotated[
    str, typer.Option("--latency-spread", help="How far the times of answers vary.", rich_help_panel=ANSWERS)
]
Seed = Annotated[str, typer.Option("--seed", help="Other lengths, times and texts.", rich_help_panel=ANSWERS)]
CacheMinutes = Annotated[
    str,
    typer.Option(
        "--cache-minutes",
        help="Minutes for which an unused prompt stays cached; 0: no cache.",
        rich_help_panel=ANSWERS,
    ),
]
Port = Annotated[str, typer.Option("--port", help="Port on 127.0.0.1; 0: any.", rich_help_panel=SERVER)]
Log = Annotated[
    Text,
    typer.Option(
        "--log", help="Write the calls to this file, .csv or .jsonl; else nothing is kept.", rich_help_panel=SERVER
    ),
]


def emulate(
    file: File = None,
    model: options.Model = None,
    model_version: options.ModelVersion = None,
    ptu: Ptu = None,
    deployment: Name = None,
    route: RouteFile = None,
    window: Window = None,
    standard_tpm: Tpm = None,
    standard_rpm: Rpm = None,
    standard_window: RpmWindow = None,
    spillover: Spillover = False,
    assumed_max_tokens: Assumed = None,
    output_weight: options.OutputWeight = None,
    sku: Sku = "global",
    output_tokens: OutputTokens = "200",
    reasoning: Reasoning = "0",
    first_ms: FirstToken = "0",
    latency_scale: Scale = "1",
    latency_spread: Spread = "10%",
    seed: Seed = "0",
    cache_minutes: CacheMinutes = "10",
    encoding: options.Encoding = None,
    approx: options.Approx = False,
    image_size: options.ImageSize = None,
    port: Port = "8089",
    log: Log = None,
    catalog: options.CatalogFiles = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> int:
    """A PTU deployment on this machine for real clients: 429s with retry-after, spillover, latency, a log; Ctrl-C stops it."""
    from ptucalc.cli.emulate_flags import EmulateFlags
    from ptucalc.cli.emulate_runs import run_emulator
    from ptucalc.cli.failing import failed
    from ptucalc.errors import BadInput

    flags = EmulateFlags(
        file=file,
        model=model,
        model_version=model_version,
        ptu=ptu,
        deployment=deployment,
        route=route,
        window=window,
        standard_tpm=standard_tpm,
        standard_rpm=standard_rpm,
        standard_window=standard_window,
        spillover=spillover,
        assumed_max_tokens=assumed_max_tokens,
        output_weight=output_weight,
        sku=sku,
        output_tokens=output_tokens,
        reasoning=reasoning,
        first_ms=first_ms,
        latency_scale=latency_scale,
        latency_spread=latency_spread,
        seed=seed,
        cache_minutes=cache_minutes,
        encoding=encoding,
        approx=approx,
        image_size=image_size,
        port=port,
        log=log,
        catalogs=tuple(catalog or ()),
        quiet=quiet,
    )
    try:
        return run_emulator(flags)
    except BadInput as error:
        return failed(error, "table", flags=FLAGS)
