"""`ptucalc size` beyond the size: what deploys it, where it fits, who pays; `ptucalc models --regions`.

By hand: gpt-4.1, 600 calls of 1,800 in (40 % cached) and 250 out weigh 1,248,000; / 3,000 = 416, so 420 PTU. A call weighs
2,080; 420 hold 605.7, 300 hold 432.6 calls a minute, 100 hold 144.2.
"""

from __future__ import annotations

import csv
import io
import json
import shlex
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from ptucalc import load_catalog
from ptucalc.documents import CatalogDocument, CostDocument, SizeDocument

from . import bicep_shape, hcl_shape
from .test_hand_over_text import commands_of, flags_of
from .test_read_azure_answers import capacity, usage

CALL = ("--rpm", "600", "--input-tokens", "1800", "--output-tokens", "250", "--cache-ratio", "40%")
ONE = ("size", "-m", "gpt-4.1", *CALL)
GLOBAL = (*ONE, "--sku", "global")
PLAN = """
spillover: {thousand_tpm: 100}
workloads:
  - {name: chat, model: gpt-4.1, deployment_type: global, region: eastus2, requests_per_minute: 600, input_tokens: 1800, output_tokens: 250, cache_ratio: 40%}
  - {name: more, model: gpt-4.1, deployment_type: global, region: eastus2, requests_per_minute: 60, input_tokens: 1800, output_tokens: 250}
  - {name: other, model: gpt-4o, model_version: 2024-11-20, deployment: "it's $(x) ${y}", deployment_type: data-zone, requests_per_minute: 60, input_tokens: 1800, output_tokens: 250}
"""


@pytest.fixture
def plan(in_tmp: Path) -> str:
    Path("plan.yaml").write_text(PLAN)
    return "plan.yaml"


@pytest.fixture
def usages(in_tmp: Path) -> str:
    Path("usages.json").write_text(json.dumps({"value": [usage("OpenAI.GlobalProvisionedManaged", 200, 500)]}))
    return "usages.json"


@pytest.fixture
def capacities(in_tmp: Path) -> str:
    named = {"name": "gpt-4.1", "version": "2025-04-14"}
    entries = [capacity(100, "eastus2", **named), capacity(1000, "swedencentral", **named)]
    Path("capacities.json").write_text(json.dumps({"value": entries}))
    return "capacities.json"


# Hand-over


def test_the_flags_of_one_call_become_an_az_command(cli) -> None:
    ran = cli(*GLOBAL, "-o", "az")
    (words,) = commands_of(ran.out)
    flags = flags_of(words)
    assert (ran.code, flags["--model-name"], flags["--model-version"]) == (0, "gpt-4.1", "2025-04-14")
    assert (flags["--sku-name"], flags["--sku-capacity"]) == ("GlobalProvisionedManaged", "420")
    assert (
        ran.out.startswith("# Made by ptucalc ") and "little_headroom" in ran.err and "little_headroom" not in ran.out
    )


def test_a_plan_becomes_az_commands_with_its_spillover(cli, plan: str) -> None:
    """416 + 60 x 2,800 / 3,000 = 472, so 475; gpt-4o 60 x 2,800 / 2,500 = 67.2, so 70."""
    found = [flags_of(words) for words in commands_of(cli("size", plan, "-o", "az").out)]
    assert [(f["--deployment-name"], f["--sku-name"], f["--sku-capacity"]) for f in found] == [
        ("gpt-4.1-standard", "GlobalStandard", "100"),
        ("gpt-4.1", "GlobalProvisionedManaged", "475"),
        ("it's $(x) ${y}-standard", "DataZoneStandard", "100"),
        ("it's $(x) ${y}", "DataZoneProvisionedManaged", "70"),
    ]


@pytest.mark.parametrize(("flag", "units"), [("no", None), ("250", "250"), ("yes", "$SPILLOVER_THOUSAND_TPM")])
def test_the_flag_wins_over_the_plans_spillover(cli, plan: str, flag: str, units: str | None) -> None:
    found = [flags_of(words) for words in commands_of(cli("size", plan, "-o", "az", "--spillover", flag).out)]
    standard = [f["--sku-capacity"] for f in found if f["--sku-name"].endswith("Standard")]
    assert standard == ([] if units is None else [units] * 2)


def test_a_plan_becomes_bicep_and_terraform_with_the_same_numbers(cli, plan: str) -> None:
    bicep = bicep_shape.parsed(cli("size", plan, "-o", "bicep", "--alerts").out)
    made = [each.body for each in bicep.resources.values() if "accounts/deployments" in each.kind]
    terraform = hcl_shape.parsed(cli("size", plan, "-o", "terraform").out)
    blocks = [block for key, block in terraform.items() if key[0] == "resource"]
    numbers = [("gpt-4.1-standard", 100), ("gpt-4.1", 475), ("it's $(x) ${y}-standard", 100), ("it's $(x) ${y}", 70)]
    assert [(each["name"], each["sku"]["capacity"]) for each in made] == numbers
    assert [(each["name"], (each.get("sku") or each["body"]["sku"])["capacity"]) for each in blocks] == numbers
    assert sum(each.kind.startswith("Microsoft.Insights/") for each in bicep.resources.values()) == 8


def test_the_calculators_request_has_the_plans_workloads(cli, plan: str) -> None:
    out = cli("size", plan, "-o", "calculate-model-capacity").out
    bodies = [json.loads(shlex.split(line)[0][5:]) for line in out.splitlines() if line.startswith("BODY=")]
    assert [(body["model"]["name"], body["skuName"], len(body["workloads"])) for body in bodies] == [
        ("gpt-4.1", "GlobalProvisionedManaged", 2),
        ("gpt-4o", "DataZoneProvisionedManaged", 1),
    ]
    assert bodies[0]["workloads"][0] == {
        "requestPerMinute": 600,
        "requestParameters": {"avgPromptTokens": 1800, "avgGeneratedTokens": 250},
    }
    assert out.count("has no field for the prompt cache") == 1


def test_made_up_names_go_with_alerts_and_with_the_calculators_request(cli, in_tmp: Path) -> None:
    Path("w.csv").write_text(
        "name,model,region,deployment_type,rpm,input_tokens,output_tokens\n"
        "a,gpt-4.1,eastus2,global,1,1,1\nb,gpt-4.1,uksouth,global,1,1,1\n"
    )
    ran = cli("size", "w.csv", "-o", "az", "--alerts")
    made = [flags_of(words).get("--deployment-name") for words in commands_of(ran.out)]
    assert ran.code == 0 and list(filter(None, made)) == ["gpt-4.1-global-eastus2", "gpt-4.1-global-uksouth"]
    assert cli("size", "w.csv", "-o", "calculate-model-capacity").out.count("\nBODY=") == 2


@pytest.mark.parametrize(("place", "expected"), [("eastus", ""), ("mars", "\n"), ("estus2", ": westus2 or eastus2?\n")])
def test_a_region_of_usages_that_nobody_knows_is_refused(cli, usages: str, place: str, expected: str) -> None:
    ran = cli(*GLOBAL, "--usages", f"{place}={usages}")
    assert ran.code == (2 if expected else 0)
    if expected:
        assert ran.err.endswith(f"{place}=usages.json should be a region that some PTU model is listed in{expected}")


def test_the_ending_of_the_file_says_the_language(cli, in_tmp: Path) -> None:
    for name, start in (("main.bicep", "// Made by"), ("main.tf", "# Made by"), ("deploy.sh", "# Made by")):
        ran = cli(*GLOBAL, "--out-file", name)
        assert (ran.code, ran.out) == (0, "") and Path(name).read_text().startswith(start)
    hcl_shape.parsed(Path("main.tf").read_text())
    assert "az cognitiveservices" in Path("deploy.sh").read_text()


def test_regions_that_differ_are_told(cli, in_tmp: Path) -> None:
    Path("w.csv").write_text(
        "name,model,region,deployment_type,rpm,input_tokens,output_tokens\n"
        "a,gpt-4.1,eastus2,global,1,1,1\nb,gpt-4.1,uksouth,global,1,1,1\n"
    )
    ran = cli("size", "w.csv", "-o", "bicep")
    assert ran.code == 0 and "2 regions: an account is in one of them" in ran.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((*ONE, "-o", "az"), "--sku: (empty) should be one deployment type for gpt-4.1: global or data-zone or regional"),
        (("size", "-m", "gpt-4o", *CALL, "--sku", "global", "-o", "az"), "--model-version: (empty) should be the version of gpt-4o to deploy as gpt-4o: 2024-05-13, 2024-08-06, 2024-11-20"),
        (("size", "-m", "Llama-3.3-70B-Instruct", *CALL, "--sku", "global", "-o", "az"), "--model-format: (empty) should be the model format of Llama-3.3-70B-Instruct (Meta), which no source read gives"),
        (("size", "-m", "gpt-5.2-codex", *CALL, "--sku", "data-zone", "-o", "bicep"), "--sku: data-zone should be a type that gpt-5.2-codex is offered on (no region offers gpt-5.2-codex as Data zone, though sizes are published for it; offered as Global)"),
        ((*GLOBAL, "-o", "terraform", "--alerts"), "--alerts: terraform should be -o az or -o bicep beside it"),
        ((*GLOBAL, "--alerts"), "--alerts: table should be -o az or -o bicep beside it"),
        ((*GLOBAL, "--spillover", "100"), "--spillover: table should be -o az, bicep, terraform, calculate-model-capacity beside it"),
        ((*GLOBAL, "-o", "az", "--spillover", "some"), "--spillover: some should be yes, no or the thousands of tokens per minute of each Standard deployment, such as 100"),
        ((*GLOBAL, "-o", "az", "--spillover", "0"), "--spillover: 0 should be yes, no or the thousands of tokens per minute of each Standard deployment, such as 100"),
        ((*GLOBAL, "-o", "az", "--chargeback"), "--chargeback: beside -o az should be -o table, json or markdown"),
        ((*GLOBAL, "-o", "csv", "--usages", "u.json"), "--usages: beside -o csv should be -o table, json or markdown"),
        ((*GLOBAL, "-o", "arm"), "--output: arm should be table, json, csv, markdown, az, bicep, terraform or calculate-model-capacity"),
        ((*GLOBAL, "-o", "az", "--ptu", "100"), "--ptu: (empty) should be left out: quota, chargeback and hand-over are of the sizes to buy"),
    ],
)  # fmt: skip
def test_what_cannot_be_handed_over_is_refused(refuses, arguments: tuple[str, ...], expected: str) -> None:
    assert refuses(*arguments) == f"Error  {expected}\n"


def test_alerts_with_a_name_that_az_cannot_hold_are_refused(refuses, plan: str) -> None:
    assert "-o bicep takes any name" in refuses("size", plan, "-o", "az", "--alerts")


@pytest.mark.parametrize(
    ("spillover", "expected"),
    [
        ("maybe", "spillover: maybe should be true, false or {thousand_tpm: 100} (the Standard deployments' capacity)"),
        ("{tpm: 5}", "spillover: {'tpm': '5'} should be true, false or {thousand_tpm: 100} (the Standard deployments' capacity)"),
        ("{thousand_tpm: 0}", "spillover.thousand_tpm: 0 should be a whole number, 1 or more"),
        ("{thousand_tpm: 1.5}", "spillover.thousand_tpm: 1.5 should be a whole number, 1 or more"),
        ("{thousand_tpm: [1]}", "spillover.thousand_tpm: ['1'] should be a whole number, 1 or more"),
        ("[true]", "spillover: ['true'] should be true, false or {thousand_tpm: 100} (the Standard deployments' capacity)"),
    ],
)  # fmt: skip
def test_a_spillover_that_a_plan_cannot_have_is_refused(refuses, in_tmp: Path, spillover: str, expected: str) -> None:
    Path("p.yaml").write_text(PLAN.replace("{thousand_tpm: 100}", spillover))
    assert expected in refuses("size", "p.yaml")


@pytest.mark.parametrize(("spillover", "count"), [("true", 4), ("false", 2), ("", 2)])
def test_a_plan_may_say_yes_or_no_to_spillover(cli, in_tmp: Path, spillover: str, count: int) -> None:
    Path("p.yaml").write_text(PLAN.replace("{thousand_tpm: 100}", spillover))
    assert len(commands_of(cli("size", "p.yaml", "-o", "az").out)) == count


# Quota and capacity


def test_the_report_says_what_is_missing_and_what_would_fit(cli, usages: str) -> None:
    ran = cli(*GLOBAL, "--region", "eastus2", "--usages", usages)
    out = " ".join(ran.out.split())
    assert ran.code == 0
    assert "OpenAI.GlobalProvisionedManaged eastus2 500 200 300 420 120 too little" in out
    assert "gpt-4.1 Global 420 PTU eastus2 300 ? too little 300 PTU (432.6/min)" in out
    assert "Request 120 PTU more of OpenAI.GlobalProvisionedManaged in eastus2" in out
    assert "quota for 300 of 420 PTU is left" in out and "a pool for OpenAI's models" in out


def test_the_report_says_which_region_has_room(cli, capacities: str) -> None:
    out = " ".join(cli(*GLOBAL, "--region", "eastus2", "--capacities", capacities).out.split())
    assert "gpt-4.1 Global 420 PTU eastus2 ? 100 too little 100 PTU (144.2/min)" in out
    assert "Elsewhere gpt-4.1, Global fits in swedencentral." in out
    out = " ".join(cli(*GLOBAL, "--capacities", capacities).out.split())
    assert "gpt-4.1 Global 420 PTU swedencentral ? 1,000 fits 420 PTU" in out and "Elsewhere" not in out


def test_json_has_the_room_and_keeps_its_schema(cli, usages: str, capacities: str) -> None:
    ran = cli(*GLOBAL, "--usages", f"eastus2={usages}", "--capacities", capacities, "--json")
    document = json.loads(ran.out)
    assert TypeAdapter(SizeDocument).validate_python(document, strict=True) == document
    assert [pool["missing_ptu"] for pool in document["room"]["pools"]] == [120]
    (deployment,) = document["room"]["deployments"]
    assert [(each["region"], each["fits"]) for each in deployment["regions"]] == [
        ("eastus2", False),
        ("swedencentral", None),
    ]
    assert "room" not in json.loads(cli(*GLOBAL, "--json").out)


def test_deployments_that_can_be_spread_ask_for_no_more_quota(cli, in_tmp: Path) -> None:
    """Two of 150 PTU, with 200 free in each of two regions; with 149 they find no place and must ask."""
    Path("w.csv").write_text(
        "name,model,deployment,rpm,input_tokens,output_tokens\na,gpt-4.1,a,150,3000,0\nb,gpt-4.1,b,150,3000,0\n"
    )
    flags = ("size", "w.csv", "--sku", "global", "--usages", "eastus2=u.json", "--usages", "westus3=u.json")
    for limit, fits in ((200, True), (149, False)):
        entry = {"name": {"value": "OpenAI.GlobalProvisionedManaged"}, "currentValue": 0, "limit": limit}
        Path("u.json").write_text(json.dumps({"value": [entry]}))
        out = " ".join(cli(*flags).out.split())
        assert ("Room for a, Global in eastus2, the others without a region elsewhere." in out) is fits
        assert ("Request " in out) is not fits


def test_an_answer_that_does_not_say_its_region_is_asked_for_it(refuses, usages: str) -> None:
    assert "--usages: usages.json should be REGION=FILE, such as eastus2=usages.json" in refuses(
        *GLOBAL, "--usages", usages
    )


def test_bad_answers_are_told_together(refuses, in_tmp: Path) -> None:
    Path("a.json").write_text("[]")
    message = refuses(*GLOBAL, "--usages", "eastus2=a.json", "--capacities", "gone.json")
    assert (
        message.startswith("Error  2 values cannot be used\n") and "a.json: value" in message and "gone.json" in message
    )


def test_an_answer_is_not_written_over(cli, usages: str, capacities: str) -> None:
    for flags in (("--usages", f"eastus2={usages}"), ("--capacities", capacities)):
        name = flags[1].removeprefix("eastus2=")
        before = Path(name).read_text()
        ran = cli(*GLOBAL, *flags, "--out-file", name)
        assert ran.code == 2 and "another file than the one that is read" in ran.err
        assert Path(name).read_text() == before


# Chargeback


def test_the_report_divides_a_shared_deployment(cli, plan: str) -> None:
    """1,248,000 and 168,000 of 1,416,000 weighted TPM: 475 PTU x 0.8814 = 418.64 and 56.36."""
    out = " ".join(cli("size", plan, "--chargeback").out.replace("─", "").split())
    assert "chat 1,248,000 88.14% 419 more 168,000 11.86% 56 Total 1,416,000 100% 475" in out
    document = json.loads(cli("size", plan, "--chargeback", "--json").out)
    assert TypeAdapter(SizeDocument).validate_python(document, strict=True) == document
    assert [share["ptu"] for share in document["chargeback"][0]["shares"]] == [419, 56]


def test_the_costs_are_divided_to_the_cent(cli, plan: str) -> None:
    document = json.loads(cli("cost", plan, "--chargeback", "--json").out)
    assert TypeAdapter(CostDocument).validate_python(document, strict=True) == document
    (charged,) = document["chargeback"]
    options = {each["term"]: each["monthly_usd"] for each in document["deployments"][0]["options"] if each["ptu"]}
    assert charged["monthly_usd"] == options
    for term, amount in options.items():
        assert sum(round(share["monthly_usd"][term] * 100) for share in charged["shares"]) == round(amount * 100)
    out = cli("cost", plan, "--chargeback").out
    assert "1-year, USD/month" in out and "Chargeback" in out
    assert "Chargeback" not in cli("cost", plan).out


def test_where_nothing_is_shared_it_says_so(cli) -> None:
    assert "No deployment is shared by several workloads." in cli(*ONE, "--chargeback").out


def test_a_cost_table_of_rows_has_no_place_for_shares(refuses, plan: str) -> None:
    assert "--chargeback: beside -o csv should be -o table, json or markdown" in refuses(
        "cost", plan, "-o", "csv", "--chargeback"
    )


# Regions


def test_a_region_without_the_model_says_where_it_is_offered(refuses) -> None:
    message = refuses("size", "-m", "gpt-5.2-codex", *CALL, "--region", "westindia", "--sku", "regional")
    assert "should be a region that some PTU model is listed in" in message
    message = refuses("size", "-m", "gpt-5.6-luna", *CALL, "--region", "swedencentral", "--sku", "data-zone")
    assert "gpt-5.6-luna is not offered as Data zone in swedencentral; it is in " in message and "eastus2" in message
    assert "offered as Global" in message


def test_the_regions_of_a_model_are_a_table_by_type(cli) -> None:
    ran = cli("models", "gpt-5.2", "--regions", "-q")
    out = ran.out
    assert ran.code == 0 and "gpt-5.2  2025-12-11" in out
    line = next(line.split() for line in out.splitlines() if line.strip().startswith("eastus2 "))
    assert line[:3] == ["eastus2", "yes", "US"]
    assert "Not sold" in out and "no region offers gpt-5.2-codex as Regional" in " ".join(out.split())


def test_versions_are_kept_apart(cli) -> None:
    out = cli("models", "gpt-4o", "--regions").out
    assert [line for line in out.splitlines() if line.startswith("  gpt-4o  20")] == [
        f"  gpt-4o  {version}" for version in ("2024-05-13", "2024-08-06", "2024-11-20")
    ]
    assert "not that capacity is free there now" in " ".join(out.split()) and "checked 2026-09-29" in out


def test_unknown_regions_are_unknown_with_the_reason(cli) -> None:
    out = " ".join(cli("models", "glm 5.2", "--regions").out.split())
    assert "Unknown Global: there is no region table for Fireworks models" in out


def test_regions_as_rows_and_as_json_agree_with_the_catalog(cli) -> None:
    rows = list(csv.DictReader(io.StringIO(cli("models", "gpt-5.2", "--regions", "-o", "csv").out)))
    document = json.loads(cli("models", "gpt-5.2", "--regions", "--json").out)
    assert TypeAdapter(CatalogDocument).validate_python(document, strict=True) == document
    places = next(m for m in document["models"] if m["name"] == "gpt-5.2")["offers"][1]["places"]
    in_json = {(place["zone"], region) for place in places for region in place["regions"]}
    in_rows = {
        (row["zone"], row["region"])
        for row in rows
        if (row["model"], row["deployment_type"]) == ("gpt-5.2", "data-zone")
    }
    known = {
        (place.zone, region)
        for place in load_catalog().find("gpt-5.2")[0].offers[1].places  # type: ignore[union-attr]
        for region in place.regions  # type: ignore[union-attr]
    }
    assert in_json == in_rows == known and known
    codex = [row for row in rows if row["model"] == "gpt-5.2-codex" and row["deployment_type"] == "regional"]
    assert [(row["region"], row["available"]) for row in codex] == [("", "False")] or codex[0][
        "available"
    ].casefold() == "false"


def test_the_help_names_the_new_flags(cli) -> None:
    out = cli("size", "-h").out
    for word in [
        "--usages",
        "--capacities",
        "--alerts",
        "--spillover",
        "--model-format",
        "--chargeback",
        "bicep",
        "terraform",
    ]:
        assert word in out, word
    assert "--regions" in cli("models", "-h").out and "--chargeback" in cli("cost", "-h").out
