"""What is written as JSON has the shape that the checked-in JSON Schemas promise."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from ptucalc import documents
from ptucalc.report.schemas import json_schemas

FOLDER = Path(__file__).parent.parent / "ptucalc" / "data" / "schemas"
CALL = ("size", "-m", "gpt-4.1", "--input-tokens", "2000", "--output-tokens", "250")
WRITTEN = {
    "SizeDocument": (*CALL, "--rpm", "9.6", "--json"),
    "RatesDocument": (*CALL, "--ptu", "100", "--json"),
    "CostDocument": ("cost", *CALL[1:], "--rpm", "9.6", "--json"),
    "CatalogDocument": ("models", "--json"),
    "PriceBookDocument": ("prices", "show", "--json"),
    "ErrorDocument": (*CALL, "--rpm", "none", "--json"),
}


@pytest.mark.parametrize("name", sorted(json_schemas()))
def test_the_checked_in_schema_is_the_one_of_the_types(name: str, request: pytest.FixtureRequest) -> None:
    made = json.dumps(json_schemas()[name], indent=2) + "\n"
    path = FOLDER / name
    if request.config.getoption("--rewrite-golden"):
        path.write_text(made)
    assert path.read_text() == made, "run pytest --rewrite-golden and read the diff"


@pytest.mark.parametrize("document", sorted(WRITTEN))
def test_a_written_document_has_every_key_of_its_type_and_no_other(document: str, cli: Callable) -> None:
    written = json.loads(cli(*WRITTEN[document]).out)
    adapter = TypeAdapter(getattr(documents, document))
    assert adapter.validate_python(written, strict=True) == written


def test_the_example_portfolio_fits_its_schema_too(cli: Callable) -> None:
    example = Path(__file__).parent.parent / "examples" / "workloads.csv"
    written = json.loads(cli("size", str(example), "--json").out)
    assert TypeAdapter(documents.SizeDocument).validate_python(written, strict=True) == written
