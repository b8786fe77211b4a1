"""`ptucalc size`: PTU for one workload from flags, or for a file of workloads."""

from typing import Annotated

import typer

from ptucalc.cli import options

__all__ = ["size"]

FLAGS = {
    "model": "--model",
    "model_version": "--model-version",
    "requests_per_minute": "--rpm",
    "input_tokens": "--input-tokens",
    "output_tokens": "--output-tokens",
    "image_input_tokens": "--image-input-tokens",
    "image_output_tokens": "--image-output-tokens",
    "cache_ratio": "--cache-ratio",
    "cache_write_ratio": "--cache-write-ratio",
    "max_tokens": "--max-tokens",
    "output_weight": "--output-weight",
    "prompt_file": "--prompt-file",
    "completion_file": "--completion-file",
    "encoding": "--encoding",
    "approx": "--approx",
    "image_size": "--image-size",
    "region": "--region",
    "headroom": "--headroom",
    "sku": "--sku",
    "ptu": "--ptu",
    "catalog": "--catalog",
}
"""Which flag gives which value, for messages."""

File = Annotated[
    str | None,
    typer.Argument(
        help="Workloads: .csv, .yaml or .json; - is standard input.", metavar="[FILE|-]", show_default=False
    ),
]
SkipBad = Annotated[
    bool,
    typer.Option(
        "--skip-bad", help="Size the good rows of a file, and list the bad ones.", rich_help_panel=options.OUT
    ),
]
Ptu = Annotated[
    list[str] | None,
    typer.Option(
        "--ptu",
        help="The other way round: the largest rate that fits in N PTU; repeatable.",
        rich_help_panel=options.WHERE,
    ),
]


def size(
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
    sku: options.Sku = "all",
    region: options.Region = None,
    headroom: options.Headroom = None,
    ptu: Ptu = None,
    catalog: options.CatalogFiles = None,
    skip_bad: SkipBad = False,
    output: options.Output = None,
    json: options.Json = False,
    out_file: options.OutFile = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    no_color: options.NoColor = False,
) -> int:
    """How many PTU a workload (or a file of them) needs, for each deployment type."""
    from ptucalc.cli.failing import failed
    from ptucalc.cli.sizing_runs import make_sizer, size_file, size_one, size_rates
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
    }
    prompts = options.prompt_sources(prompt_file, completion_file, encoding, approx=approx, image_size=image_size)
    shape = options.chosen_format(output, json, out_file)
    view = View(
        shape=shape,
        out_file=out_file,
        quiet=quiet,
        verbose=verbose,
        inputs=tuple(name for name in (file, prompt_file, completion_file, *(catalog or ())) if name is not None),
    )
    try:
        if file is None:
            whole = {**call, "region": region, "output_weight": output_weight}
            sizer, problems = make_sizer(sku=sku, headroom=headroom, catalogs=tuple(catalog or ()))
            if ptu:
                return size_rates(sizer, whole, ptu, view, problems, prompts)
            return size_one(sizer, whole, view, problems, prompts)
        from ptucalc.read.telling import is_log

        log = is_log(file)
        own = ("model", "model_version") if log else ()
        given = [
            field
            for field, value in {**call, **(prompts.values if prompts else {})}.items()
            if value is not None and field not in own
        ]
        both = [FLAGS[field] for field in given] + ["--ptu"][: bool(ptu)]
        if both:
            raise BadInput([Problem(flag, "beside a file", "left out: the rows of the file say that") for flag in both])
        if log:
            from ptucalc.cli.log_flags import LogFlags
            from ptucalc.cli.log_runs import sized_log
            from ptucalc.cli.sizing_runs import show_sizes

            sizer, problems = make_sizer(sku=sku, headroom=headroom, catalogs=tuple(catalog or ()))
            flags = LogFlags(
                (file,),
                model=model,
                model_version=model_version,
                output_weight=output_weight,
                sku=sku,
                region=region,
                headroom=headroom,
                catalogs=tuple(catalog or ()),
                skip_bad=skip_bad,
            )
            return show_sizes(sized_log(flags, sizer, view, problems), view)
        from ptucalc.batch import FileSizing
        from ptucalc.read.workloads import WorkloadFile

        with WorkloadFile.open(file, catalogs=tuple(catalog or ())) as rows:
            share = rows.headroom if headroom is None else headroom
            plan = rows.name if headroom is None else ""
            sizer, problems = make_sizer(sku=sku, headroom=share, catalogs=tuple(catalog or ()), plan=plan)
            sizing = FileSizing(rows, sizer, region=region, output_weight=output_weight)
            return size_file(sizing, view, problems, skip_bad=skip_bad)
    except BadInput as error:
        return failed(error, shape, flags=FLAGS)
