"""`ptucalc init`: a plan that works as it stands, its schema beside it, and nothing ever replaced."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from ptucalc.plan_documents import DESCRIPTIONS, LimitsEntry, PlanDocument, PlanWorkload
from ptucalc.plan_limits import LimitName
from ptucalc.read.workload_plan import PROMPT_KEYS, read_plan
from ptucalc.report.schemas import json_schemas
from ptucalc.workload import READERS

ROOT = Path(__file__).parent.parent
SCHEMA = json_schemas()["ptucalc.plan.1.json"]


def test_the_plan_sizes_costs_and_keeps_its_limits_as_it_stands(cli: Callable, in_tmp: Path) -> None:
    ran = cli("init")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == (
        "Wrote ptucalc.yaml; wrote ptucalc.schema.json, which editors check it with.\n"
        "Next: ptucalc size ptucalc.yaml, ptucalc check ptucalc.yaml\n"
    )
    assert sorted(os.listdir()) == ["ptucalc.schema.json", "ptucalc.yaml"]
    for command in ("size", "cost", "check"):
        assert cli(command, "ptucalc.yaml").code == 0, command
    assert "unknown" not in cli("check", "ptucalc.yaml").out


def test_its_first_line_names_the_schema_that_lies_beside_it(cli: Callable, in_tmp: Path) -> None:
    cli("init", "-q")
    first = Path("ptucalc.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=ptucalc.schema.json"
    assert json.loads(Path("ptucalc.schema.json").read_text()) == SCHEMA


def test_every_limit_but_the_floor_is_shown_and_every_line_is_short() -> None:
    text = (ROOT / "ptucalc" / "data" / "starter_plan.yaml").read_text()
    limits = read_plan(text, "x", "yaml").limits
    assert limits is not None
    assert {limit.name for limit in limits.limits} == set(LimitName) - {LimitName.MIN_UTILIZATION}
    assert limits.term is not None
    assert max(map(len, text.splitlines())) <= 130


def test_a_name_that_looks_like_a_flag_is_advised_as_a_path(cli: Callable, in_tmp: Path) -> None:
    ran = cli("init", "--", "-x.yaml")
    assert ran.code == 0
    assert ran.err.endswith("Next: ptucalc size ./-x.yaml, ptucalc check ./-x.yaml\n")
    assert cli("size", "./-x.yaml").code == 0


def test_an_existing_plan_is_never_replaced(refuses: Callable, in_tmp: Path) -> None:
    Path("ptucalc.yaml").write_text("mine")
    assert refuses("init") == (
        "Error  FILE: ptucalc.yaml should be a file that does not exist yet: ptucalc init FILE writes another, and "
        "replaces none\n"
    )
    assert Path("ptucalc.yaml").read_text() == "mine"
    assert os.listdir() == ["ptucalc.yaml"]
    os.symlink("nowhere.yaml", "link.yaml")
    assert "does not exist yet" in refuses("init", "link.yaml")
    assert not Path("nowhere.yaml").exists()


def test_an_existing_schema_is_left_as_it_is(cli: Callable, in_tmp: Path) -> None:
    Path("ptucalc.schema.json").write_text("{}")
    ran = cli("init")
    assert ran.code == 0
    assert "ptucalc.schema.json is there already and differs: ptucalc init --schema prints today's." in ran.err
    assert Path("ptucalc.schema.json").read_text() == "{}"
    Path("ptucalc.schema.json").write_text(cli("init", "--schema").out)
    assert "ptucalc.schema.json is there already.\n" in cli("init", "two.yaml").err


def test_another_name_stands_in_the_comments_too(cli: Callable, in_tmp: Path) -> None:
    Path("sub").mkdir()
    ran = cli("init", "sub/my plan.yml")
    assert ran.code == 0
    text = Path("sub/my plan.yml").read_text()
    assert "#   ptucalc check 'sub/my plan.yml'" in text
    assert "ptucalc.yaml" not in text
    assert Path("sub/ptucalc.schema.json").exists()
    assert cli("size", "sub/my plan.yml").code == 0


def test_a_name_cannot_break_out_of_the_comments(cli: Callable, in_tmp: Path) -> None:
    ran = cli("init", "a\nheadroom: 900%\n#.yaml")
    assert ran.code == 0
    assert cli("check", "a\nheadroom: 900%\n#.yaml").code == 0
    assert "900%" not in Path("a\nheadroom: 900%\n#.yaml").read_text()


@pytest.mark.parametrize("name", ["plan.json", "plan", "none/plan.yaml"])
def test_a_place_that_cannot_be_is_refused(refuses: Callable, in_tmp: Path, name: str) -> None:
    told = refuses("init", name)
    assert f"Error  FILE: {name} should be " in told
    assert os.listdir() == []


def test_the_schema_is_printed_alone(cli: Callable, in_tmp: Path) -> None:
    ran = cli("init", "--schema")
    assert (ran.code, json.loads(ran.out), os.listdir()) == (0, SCHEMA, [])


def test_the_schema_has_every_value_of_a_workload_and_every_limit() -> None:
    assert set(PlanWorkload.__annotations__) == {*READERS, *PROMPT_KEYS, "profile"}
    assert set(LimitsEntry.__annotations__) == {*LimitName, "term"}


def test_every_key_is_described_and_others_are_mistakes() -> None:
    described = set()
    for part in (SCHEMA, *SCHEMA["$defs"].values()):
        assert part["additionalProperties"] is False
        described |= set(part["properties"])
        assert all(value["description"] for value in part["properties"].values())
    assert described == set(DESCRIPTIONS)


def follows(schema: Any, value: Any) -> bool:
    """Whether a value is as the parts of JSON Schema that ours uses say."""
    if "$ref" in schema:
        return follows(SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]], value)
    if "anyOf" in schema:
        return any(follows(each, value) for each in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    match schema["type"]:
        case "object":
            known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
            return (
                isinstance(value, dict)
                and set(schema.get("required", ())) <= set(value)
                and all(follows(known.get(k, others), v) for k, v in value.items() if k in known or others)
                and (others is not False or set(value) <= set(known))
            )
        case "array":
            return isinstance(value, list) and all(follows(schema["items"], each) for each in value)
        case kind:
            return isinstance(value, {"string": str, "integer": int, "number": (int, float)}[kind])


@pytest.mark.parametrize("path", ["ptucalc/data/starter_plan.yaml", "examples/plan.yaml"])
def test_plans_follow_the_schema_as_an_editor_reads_them(path: str) -> None:
    value = yaml.load((ROOT / path).read_text(), Loader=_Plain)  # noqa: S506  # safe
    assert follows(SCHEMA, value)
    assert TypeAdapter(PlanDocument).validate_python(value)
    assert not follows(SCHEMA, {**value, "headrom": 1})
    value["workloads"][0]["inputtokens"] = 5
    assert not follows(SCHEMA, value)


class _Plain(yaml.SafeLoader):
    """YAML without dates, which JSON Schema does not know: they are texts to an editor."""


_Plain.yaml_implicit_resolvers = {
    mark: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for mark, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
