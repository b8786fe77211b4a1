"""The flags that several commands share, each spelled once. Values stay text: ptucalc checks them, all at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from ptucalc.errors import BadInput, Problem

if TYPE_CHECKING:
    from ptucalc.read.prompt_call import PromptSources

Text = str | None

CALL, PROMPTS, WHERE, OUT = "The call", "Prompts", "Where", "Output"

Model = Annotated[Text, typer.Option("--model", "-m", help="Model, as in `ptucalc models`.", rich_help_panel=CALL)]
ModelVersion = Annotated[
    Text, typer.Option("--model-version", help="Model version, such as 2024-08-06.", rich_help_panel=CALL)
]
Rpm = Annotated[Text, typer.Option("--rpm", help="Requests per minute in the PEAK minute.", rich_help_panel=CALL)]
InputTokens = Annotated[
    Text, typer.Option("--input-tokens", help="Prompt tokens of one call, cached ones included.", rich_help_panel=CALL)
]
OutputTokens = Annotated[
    Text,
    typer.Option("--output-tokens", help="Generated tokens of one call, reasoning included.", rich_help_panel=CALL),
]
CacheRatio = Annotated[
    Text,
    typer.Option(
        "--cache-ratio", help="Share of the input tokens served from the cache: 0.4 or 40%.", rich_help_panel=CALL
    ),
]
CacheWriteRatio = Annotated[
    Text,
    typer.Option("--cache-write-ratio", help="Share of the input tokens written to the cache.", rich_help_panel=CALL),
]
MaxTokens = Annotated[Text, typer.Option("--max-tokens", help="max_tokens of the calls, if set.", rich_help_panel=CALL)]
ImageInputTokens = Annotated[
    Text, typer.Option("--image-input-tokens", help="Image tokens in, for image models.", rich_help_panel=CALL)
]
ImageOutputTokens = Annotated[
    Text, typer.Option("--image-output-tokens", help="Image tokens out, for image models.", rich_help_panel=CALL)
]
OutputWeight = Annotated[
    Text,
    typer.Option(
        "--output-weight",
        help="Input tokens that one output token counts as, for models whose weight is not published.",
        rich_help_panel=CALL,
    ),
]
PromptFile = Annotated[
    Text,
    typer.Option(
        "--prompt-file",
        help="Count the tokens of these prompts instead: text, JSON requests or a folder; the mean of several.",
        rich_help_panel=PROMPTS,
    ),
]
CompletionFile = Annotated[
    Text,
    typer.Option(
        "--completion-file", help="Count the output tokens of these answers instead.", rich_help_panel=PROMPTS
    ),
]
Encoding = Annotated[
    Text,
    typer.Option(
        "--encoding", help="Count in this encoding (o200k_base), not in the model's own.", rich_help_panel=PROMPTS
    ),
]
Approx = Annotated[
    bool,
    typer.Option(
        "--approx",
        help="Estimate from the number of characters, for models without an encoding.",
        rich_help_panel=PROMPTS,
    ),
]
ImageSize = Annotated[
    Text,
    typer.Option(
        "--image-size", help="Size of images that a request only links to: 1024x768.", rich_help_panel=PROMPTS
    ),
]
Sku = Annotated[
    str, typer.Option("--sku", help="all, global, data-zone or regional (Azure's names too).", rich_help_panel=WHERE)
]
Region = Annotated[Text, typer.Option("--region", help="Azure region, such as eastus2.", rich_help_panel=WHERE)]
Headroom = Annotated[
    Text, typer.Option("--headroom", help="Share to add before rounding up: 15%.", rich_help_panel=WHERE)
]
CatalogFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--catalog",
        help="A past edition (azure-2024-12) or your own file, laid over the rates; repeatable.",
        rich_help_panel=WHERE,
    ),
]
PriceFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--prices",
        help="Your own prices, laid over the list prices; repeatable, a later file wins.",
        rich_help_panel="Money",
    ),
]
Output = Annotated[Text, typer.Option("--output", "-o", help="table, json, csv or markdown.", rich_help_panel=OUT)]
Json = Annotated[bool, typer.Option("--json", help="The same as -o json.", rich_help_panel=OUT)]
OutFile = Annotated[Text, typer.Option("--out-file", help="Write to this file instead.", rich_help_panel=OUT)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only the answer: no notes.", rich_help_panel=OUT)]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show the working.", rich_help_panel=OUT)]


def _no_color(wanted: bool) -> bool:
    if wanted:
        os.environ["NO_COLOR"] = "1"  # for the errors too, whoever shows them
    return wanted


NoColor = Annotated[
    bool,
    typer.Option("--no-color", callback=_no_color, help="No colours (NO_COLOR works too).", rich_help_panel=OUT),
]


def prompt_sources(
    prompt_file: str | None, completion_file: str | None, encoding: str | None, *, approx: bool, image_size: str | None
) -> PromptSources | None:
    """The prompts that the flags name, and how to count them; None where no flag is about prompts."""
    if prompt_file is completion_file is encoding is image_size is None and not approx:
        return None
    from ptucalc.read.prompt_call import PromptSources

    return PromptSources(prompt_file, completion_file, encoding, approx, image_size)


FORMATS = ("table", "json", "csv", "markdown")
_ENDINGS = {"": "table", ".json": "json", ".csv": "csv", ".md": "markdown", ".txt": "table"}


def chosen_format(output: str | None, json: bool, out_file: str | None) -> str:
    """The output format: as told, else by the ending of the file to write. Raises BadInput."""
    if json and output not in (None, "json"):
        raise BadInput([Problem("--output", output or "", "json or nothing beside --json")])
    if json or output:
        chosen = "json" if json else (output or "").casefold()
        if chosen not in FORMATS:
            raise BadInput([Problem("--output", output or "", "table, json, csv or markdown")])
        return chosen
    name = "" if os.path.isdir(out_file or "") else os.path.basename(out_file or "")
    ending = "." + name.rsplit(".", 1)[-1].casefold() if "." in name else ""
    if ending not in _ENDINGS:
        raise BadInput(
            [Problem("--out-file", name, f"a name that ends in {', '.join(filter(None, _ENDINGS))}, or -o too")]
        )
    return _ENDINGS[ending]
