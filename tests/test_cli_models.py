"""`ptucalc models`, help and version."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from ptucalc import __version__, load_catalog


def line_of(out: str, name: str) -> list[str]:
    return next(line for line in out.splitlines() if line.startswith(f"  {name} ")).split()


def test_every_model_has_a_line(cli) -> None:
    ran = cli("models")
    assert (ran.code, ran.err) == (0, "") and "74 models of azure-2026-11, as of 2026-11-21" in " ".join(
        ran.out.split()
    )
    for model in load_catalog():
        assert line_of(ran.out, model.name)


def test_a_models_line_holds_its_published_numbers(cli) -> None:
    out = cli(
        "models", "gpt-4.1"
    ).out  # the sizing page: 3,000 TPM, weight 4, from 15 by 5 and from 50 by 50, 80 tokens/s
    assert " ".join(line_of(out, "gpt-4.1")[1:]) == "3,000 × 4 × 0 15 +5 15 +5 50 +50 80 tok/s OpenAI"
    assert "3 of 74 models" in out and "gpt-4o" not in out


def test_what_is_not_published_is_a_question_mark_and_what_is_not_offered_a_dash(cli) -> None:
    out = cli("models", "glm", "5.2").out
    assert " ".join(line_of(out, "GLM 5.2")[2:]) == "300 × ? × ? 400 +200 400 +200 — 50 tok/s Fireworks on Foundry"


def test_text_is_looked_for_in_names_and_ids_in_any_case(cli) -> None:
    names = [m["name"] for m in json.loads(cli("models", "fw-DEEPSEEK", "--json").out)["models"]]
    assert names == ["DeepSeek v3.1", "DeepSeek v3.2"]


def test_text_that_no_model_holds_is_refused(refuses) -> None:
    expected = "part of a model's name or id (gpt-4.1-mini or gpt-5.4-mini?); `ptucalc models` lists all"
    assert refuses("models", "gpt4.1-mni") == f"Error  TEXT: gpt4.1-mni should be {expected}\n"


def test_details_name_the_source_with_its_dates(cli) -> None:
    out = " ".join(cli("models", "o1", "-v").out.split())
    assert "One PTU 230 weighted tokens per minute" in out
    assert "retires 2026-11-19 (litellm-1.109.1, third party, not checked against Microsoft)" in out
    assert "from 25 by 50; japaneast, uaenorth, uksouth, westus3" in out
    assert "published 2026-09-23, checked 2026-11-21" in out and "published 2026-09-04, checked 2026-09-29" in out
    assert "sources disagree: output weight 3 (early 2025) vs 4" in out


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("gpt-4o-mini", "Encoding o200k_base (tiktoken-0.14.0) Images 2,833 tokens, and 5,667 for each tile (images-"),
        (
            "o4-mini",
            "Images 1.72 tokens for each patch; high at most 1,536 patches and 2,048 px (images-guide-2026-09) ",
        ),
        ("gpt-6-sol", "Encoding unknown: OpenAI has not published which encoding GPT-6 models use; o200k_base is what"),
        ("gpt-5.1-codex", "Images unknown: OpenAI's guide to images has no row for it"),
        ("gpt-6-astra", "px (images-secondary-2026; not verified: not in the words of its maker)"),
        ("gpt-6-astra", "Source images-secondary-2026: secondary sources that agree on what the guide's tables lack"),
        ("gpt-4.1-mini", "Source tiktoken-0.14.0: OpenAI's own map of models to encodings"),
    ],
)
def test_details_say_how_text_and_images_become_tokens(cli, model: str, shown: str) -> None:
    assert shown in " ".join(cli("models", model, "-v").out.split())


def test_an_older_catalog_says_that_it_names_no_encoding(cli) -> None:
    out = " ".join(cli("models", "gpt-4o-mini", "-v", "--catalog", "azure-2024-12").out.split())
    assert "Encoding unknown: this catalog names none Images unknown: this catalog names no rule" in out


def test_an_encoding_that_is_not_verified_is_shown_as_such(cli, in_tmp: Path) -> None:
    (in_tmp / "mine.yaml").write_text(
        "schema: ptucalc.catalog/1\nedition: mine\nas_of: 2026-11-21\n"
        "models: [{name: gpt-6-sol, encoding: {name: o200k_base, verified: false, source: mine}}]\n"
    )
    out = " ".join(cli("models", "gpt-6-sol", "-v", "--catalog", "mine.yaml").out.split())
    assert "Encoding o200k_base (mine; not verified: not in the words of its maker)" in out


def test_json_has_the_catalog_as_numbers_and_reasons(cli) -> None:
    document = json.loads(cli("models", "--json").out)
    assert (document["schema"], document["version"], document["catalog_as_of"]) == (
        "ptucalc.models/1",
        __version__,
        "2026-11-21",
    )
    by_name = {model["name"]: model for model in document["models"]}
    assert len(by_name) == 74 and by_name["gpt-6-sol"]["weights"]["cached_input"] == 0.1
    assert by_name["gpt-4.1"]["tpm_per_ptu"] == 3000 and by_name["gpt-4.1"]["prompt_limit_tokens"] == 128000
    assert set(by_name["gpt-6.2-sol"]["tpm_per_ptu"]) == {"unknown"}
    assert [o["available"] for o in by_name["gpt-5.2-codex"]["offers"]] == [True, False, False]
    assert all(source in document["sources"] for m in by_name.values() for source in m["sources"].values())
    assert (by_name["gpt-oss-20b"]["encoding"], by_name["gpt-oss-20b"]["encoding_verified"]) == ("o200k_harmony", True)
    assert set(by_name["gpt-6-sol"]["encoding"]) == {"unknown"} and by_name["gpt-6-sol"]["encoding_verified"] is None
    assert (by_name["gpt-4o"]["context_input_tokens"], by_name["gpt-4o"]["context_verified"]) == (128_000, True)
    assert set(by_name["gpt-4"]["context_input_tokens"]) == {"unknown"} and by_name["gpt-4"]["context_verified"] is None
    assert by_name["gpt-4o"]["image_tokens"] == {"base": 85, "per_tile": 170, "verified": True}
    assert by_name["gpt-5-mini"]["image_tokens"] == {
        "multiplier": 1.62,
        "details": {"high": {"patches": 1536, "longest_side_px": 2048}},
        "verified": True,
    }
    assert set(by_name["gpt-5.2"]["image_tokens"]) == {"unknown"}


def test_csv_has_a_row_for_each_model_and_unknown_is_empty(cli) -> None:
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(cli("models", "-o", "csv").out))}
    assert len(rows) == 74
    assert (rows["gpt-4.1"]["tpm_per_ptu"], rows["gpt-4.1"]["weight_output"], rows["gpt-4.1"]["minimum_regional"]) == (
        "3000",
        "4",
        "50",
    )
    assert (rows["GLM 5.2"]["weight_output"], rows["GLM 5.2"]["minimum_regional"]) == ("", "")
    assert rows["o1"]["retirement_date"] == "2026-11-19" and rows["DeepSeek-R1"]["retirement_date"] == ""


def test_markdown_is_one_table(cli) -> None:
    tables = [line for line in cli("models", "-o", "markdown").out.splitlines() if line.startswith("|")]
    assert len(tables) == 74 + 2 and len({line.replace("\\|", "").count("|") for line in tables}) == 1


def test_another_catalog_can_be_shown(cli, in_tmp: Path) -> None:
    ran = cli("models", "--catalog", "azure-2024-12", "--json")
    document = json.loads(ran.out)
    assert [m["name"] for m in document["models"]] == ["gpt-4o", "gpt-4o-mini"] and document["catalog"] == [
        "azure-2024-12"
    ]


def test_a_bad_catalog_is_refused_with_every_problem(refuses, in_tmp: Path) -> None:
    Path("shown.yaml").write_text(
        "schema: ptucalc.catalog/1\nas_of: soon\nmodels:\n  - {name: a, tpm: 1}\n  - {tpm_per_ptu: -1}\n"
    )
    message = refuses("models", "--catalog", "shown.yaml")
    assert message.startswith("Error  4 values cannot be used\n")
    places = sorted(line.split(": ")[0].strip() for line in message.splitlines()[1:])
    assert places == ["shown.yaml:2:8", "shown.yaml:4:20", "shown.yaml:5:19", "shown.yaml:5:5"]


def test_it_can_be_written_to_a_file(cli, in_tmp: Path) -> None:
    ran = cli("models", "gpt-4o", "--out-file", "m.json")
    assert (ran.code, ran.out) == (0, "") and len(json.loads(Path("m.json").read_text())["models"]) == 2


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", [(), ("size",), ("models",)])
def test_every_command_has_help(cli, command: tuple[str, ...], flag: str) -> None:
    ran = cli(*command, flag)
    assert (ran.code, ran.err) == (0, "") and "Usage: ptucalc" in ran.out


def test_the_help_of_size_names_every_flag(cli) -> None:
    out = cli("size", "-h").out
    flags = (
        "--model --model-version --rpm --input-tokens --output-tokens --cache-ratio --cache-write-ratio --max-tokens "
        "--image-input-tokens --image-output-tokens --output-weight --sku --region --headroom --ptu --catalog --skip-bad "
        "--output --json --out-file --quiet --verbose --no-color"
    )
    assert [flag for flag in flags.split() if flag not in out] == []


def test_the_version_says_how_old_the_rates_are(cli) -> None:
    ran = cli("--version")
    assert (ran.code, ran.out, ran.err) == (0, f"ptucalc {__version__} (rates as of 2026-11-21)\n", "")


def test_an_unknown_command_is_refused(refuses) -> None:
    assert refuses("sise").startswith("Error  No such command 'sise'.")
