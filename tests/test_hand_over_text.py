"""What is generated to deploy a plan is read back: by a shell, by parsers of its shape, by terraform where there is one."""

from __future__ import annotations

import base64
import json
import shlex
import shutil
import subprocess
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ptucalc.alert_rules import alert_rules
from ptucalc.errors import BadInput
from ptucalc.hand_over import Provisioned, Standard
from ptucalc.report.az_script import az_script, capacity_script
from ptucalc.report.bicep_file import bicep_file
from ptucalc.report.quoting import bicep_string, comment_text, hcl_string, identifier, shell_option, shell_word
from ptucalc.report.terraform_file import terraform_file

from . import bicep_shape, hcl_shape

TERRAFORM = shutil.which("terraform")
BASH = shutil.which("bash")
HOSTILE = [
    "chat", "it's", 'say "hi"', "$(touch pwned)", "`touch pwned`", "${HOME}", "$${x}", "%{ if true }", "%%{x}", "a\\", "\\${x}", "a'b\"c",
    "-x", "--name=evil", "; rm -rf x", "a && b", "# no", "// no", "/* no */", "*", "~", "!!", "ü 漢字 😀", "resource", "true", "4o", "a b",
    "\u202enoitcerid", "tab\tbed", "line\nfeed", "line\u2028feed", "{{x}}", "$", "%", "$$", "\\n", "\\u0024{x}", "a\x07bell", "x" * 200,
]  # fmt: skip


def a_deployment(name: str = "chat", ptu: int = 420, **given: Any) -> Provisioned:
    """An invented deployment of Alder."""
    plain: dict[str, Any] = {
        "model": "Alder",
        "version": "2030-01-02",
        "format": "OpenAI",
        "sku_name": "GlobalProvisionedManaged",
        "region": None,
    }
    return Provisioned(name=name, ptu=ptu, **{**plain, **given})


def spilling(name: str = "chat", units: int | None = 100, **given: Any) -> Provisioned:
    return a_deployment(name, spillover=Standard(f"{name}-standard", "GlobalStandard", units), **given)


def commands_of(script: str) -> list[list[str]]:
    """The words of each command that starts with az, one a line."""
    lines = (shlex.split(line, comments=True) for line in script.splitlines())
    return [words for words in lines if words[:1] == ["az"]]


def flags_of(words: list[str]) -> dict[str, str]:
    """Flag to value, whichever way they are written."""
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("--"):
            flag, equals, value = word.partition("=")
            found[flag] = value if equals else rest.pop(0)
    return found


# Strings


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("$${")
@example("\\${a}")
def test_any_text_comes_back_from_every_language(text: str) -> None:
    assert shlex.split(shell_word(text)) == [text]
    assert bicep_shape.unquoted(bicep_string(text)) == text
    assert hcl_shape.unquoted(hcl_string(text)) == text
    for literal in (bicep_string(text), hcl_string(text), comment_text(text)):
        assert literal.isprintable()


@given(st.text(), st.sets(st.text()))
def test_an_identifier_is_one_that_both_languages_take_and_is_free(text: str, others: set[str]) -> None:
    taken = others | {identifier(other) for other in others}
    found = identifier(text, taken)
    assert found not in taken and found[0].isalpha() and found.isascii() and found.replace("_", "a").isalnum()


def test_a_value_that_looks_like_a_flag_is_tied_to_its_own() -> None:
    assert shlex.split(shell_option("--name", "--help me")) == ["--name=--help me"]


@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed")
def test_terraform_reads_hostile_strings_as_the_texts_they_were(tmp_path: Path) -> None:
    """Terraform brings all text into Unicode's normal form C."""
    listed = ", ".join(hcl_string(text) for text in HOSTILE)
    assert TERRAFORM
    ran = subprocess.run(
        [TERRAFORM, "console"],
        input=f"base64encode(jsonencode([{listed}]))\n",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    read = json.loads(base64.b64decode(ran.stdout.strip().strip('"')))
    assert read == [unicodedata.normalize("NFC", text) for text in HOSTILE]


# az


def test_a_deployment_is_one_az_command_with_its_numbers() -> None:
    (words,) = commands_of(az_script([a_deployment(region="northland")], title="t", alerts=False))
    assert words[:5] == ["az", "cognitiveservices", "account", "deployment", "create"]
    assert flags_of(words) == {
        "--resource-group": "$RESOURCE_GROUP",
        "--name": "$ACCOUNT",
        "--deployment-name": "chat",
        "--model-name": "Alder",
        "--model-version": "2030-01-02",
        "--model-format": "OpenAI",
        "--sku-name": "GlobalProvisionedManaged",
        "--sku-capacity": "420",
    }


def test_the_standard_deployment_comes_before_the_one_that_spills_to_it() -> None:
    first, second = map(flags_of, commands_of(az_script([spilling()], title="t", alerts=False)))
    assert (first["--deployment-name"], first["--sku-name"], first["--sku-capacity"]) == (
        "chat-standard",
        "GlobalStandard",
        "100",
    )
    assert (first["--model-name"], first["--model-version"]) == ("Alder", "2030-01-02")
    assert (second["--deployment-name"], second["--spillover-deployment-name"]) == ("chat", "chat-standard")
    assert "--spillover-deployment-name" not in first


def test_a_capacity_that_nobody_gave_must_be_set_by_hand() -> None:
    script = az_script([spilling(units=None)], title="t", alerts=False)
    assert ': "${SPILLOVER_THOUSAND_TPM:?' in script
    assert flags_of(commands_of(script)[0])["--sku-capacity"] == "$SPILLOVER_THOUSAND_TPM"
    assert "SPILLOVER" not in az_script([spilling()], title="t", alerts=False)


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), min_size=1, max_size=3, unique=True)
)
def test_any_names_come_back_from_the_az_commands(names: list[str]) -> None:
    assume(not any(name.startswith("@") or "=@" in name for name in names))
    deployments = [a_deployment(name, ptu=15 + 5 * i, model=name) for i, name in enumerate(names)]
    found = [flags_of(words) for words in commands_of(az_script(deployments, title=names[0], alerts=False))]
    assert [(f["--deployment-name"], f["--model-name"], f["--sku-capacity"]) for f in found] == [
        (d.name, d.model, str(d.ptu)) for d in deployments
    ]


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
def test_a_shell_runs_the_script_with_hostile_names_and_nothing_else(tmp_path: Path) -> None:
    deployments = [spilling(name, ptu=15 + 5 * i, model=name, version=name) for i, name in enumerate(HOSTILE)]
    script = az_script(deployments, title="\n".join(HOSTILE), alerts=False)
    fake = 'az() { printf "%s\\0" "$@"; printf "\\1\\0"; }\n'
    assert BASH
    ran = subprocess.run(
        [BASH, "-u"],
        input=(fake + script).encode(),
        capture_output=True,
        cwd=tmp_path,
        env={"RESOURCE_GROUP": "the group", "ACCOUNT": "the account", "PATH": ""},
        check=True,
    )
    assert ran.stderr == b"" and list(tmp_path.iterdir()) == []
    commands = [flags_of(words.split("\0")) for words in ran.stdout.decode().split("\0\1\0")[:-1]]
    assert len(commands) == 2 * len(HOSTILE)
    for deployment, standard, own in zip(deployments, commands[::2], commands[1::2], strict=True):
        assert deployment.spillover
        assert standard["--deployment-name"] == own["--spillover-deployment-name"] == deployment.spillover.name
        assert (own["--deployment-name"], own["--sku-capacity"]) == (deployment.name, str(deployment.ptu))
        assert own["--model-version"] == standard["--model-version"] == deployment.version
        assert own["--resource-group"] == "the group" and own["--name"] == "the account"


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
def test_the_script_stops_at_once_where_the_account_is_not_set(tmp_path: Path) -> None:
    assert BASH
    script = "az() { echo ran; }\n" + az_script([a_deployment()], title="t", alerts=False)
    ran = subprocess.run(
        [BASH], input=script, capture_output=True, text=True, cwd=tmp_path, env={"RESOURCE_GROUP": "g"}
    )
    assert ran.returncode != 0 and ran.stdout == "" and "set it to the Azure OpenAI or Foundry resource" in ran.stderr


@pytest.mark.parametrize("text", ["@/etc/passwd", "@-", "x=@secret", "-x=@secret", "@"])
@pytest.mark.parametrize("field", ["name", "model", "version", "format"])
def test_what_az_would_read_a_file_for_is_refused(text: str, field: str) -> None:
    deployment = a_deployment()._replace(**{field: text})
    for write in (
        lambda: az_script([deployment], title="t", alerts=False),
        lambda: capacity_script([(deployment, {}, ())], title="t"),
    ):
        with pytest.raises(BadInput) as refused:
            write()
        (problem,) = refused.value.problems
        assert problem.found == text and "az would read a file of that name" in problem.expected


@pytest.mark.parametrize("name", ["me@home", "a@=b", "a="])
def test_other_at_signs_are_only_text_to_az(name: str) -> None:
    assert (
        flags_of(commands_of(az_script([a_deployment(name)], title="t", alerts=False))[0])["--deployment-name"] == name
    )


# Alerts as az


def test_alert_rules_are_az_commands_with_their_conditions() -> None:
    script = az_script([spilling()], title="t", alerts=True)
    rules = [flags_of(words) for words in commands_of(script) if words[1] == "monitor"]
    assert [rule["--condition"] for rule in rules] == [
        "avg AzureOpenAIProvisionedManagedUtilizationV2 >= 85 where ModelDeploymentName includes chat",
        "max AzureOpenAIProvisionedManagedUtilizationV2 >= 100 where ModelDeploymentName includes chat",
        "total AzureOpenAIRequests > 0 where ModelDeploymentName includes chat and StatusCode includes 429",
        "total AzureOpenAIRequests > 0 where ModelDeploymentName includes chat-standard and IsSpillover includes True",
    ]
    assert [(rule["--window-size"], rule["--evaluation-frequency"]) for rule in rules] == [
        ("5m", "1m"), ("1m", "1m"), ("5m", "1m"), ("5m", "1m"),
    ]  # fmt: skip
    assert {rule["--scopes"] for rule in rules} == {"$ACCOUNT_ID"} and len({rule["--name"] for rule in rules}) == 4
    (account,) = [line for line in script.splitlines() if line.startswith("ACCOUNT_ID=")]
    assert flags_of(shlex.split(account.removeprefix("ACCOUNT_ID=$(").removesuffix(")"))) == {
        "--resource-group": "$RESOURCE_GROUP", "--name": "$ACCOUNT", "--query": "id", "--output": "tsv",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["a b", "it's", "data-and-ai", "or", "a.WITH-b", "x:y", "ü", "$(x)", "a,b", "where", ""]
)
def test_names_that_az_conditions_cannot_hold_are_refused(name: str) -> None:
    with pytest.raises(BadInput) as refused:
        az_script([a_deployment(name)], title="t", alerts=True)
    (problem,) = refused.value.problems
    assert problem.found == name and "-o bicep takes any name" in problem.expected
    az_script([a_deployment(name)], title="t", alerts=False)


@pytest.mark.parametrize("name", ["chat", "gpt-4.1", "gpt-4o_2", "sand-orchid", "withheld"])
def test_usual_names_are_no_problem_for_conditions(name: str) -> None:
    assert f"includes {name}" in az_script([a_deployment(name)], title="t", alerts=True)


# Bicep


def deployments_of(bicep: bicep_shape.Bicep) -> dict[str, dict[str, Any]]:
    kind = "Microsoft.CognitiveServices/accounts/deployments@2024-10-01"
    return {symbol: each.body for symbol, each in bicep.resources.items() if each.kind == kind}


def test_a_bicep_deployment_has_the_numbers_and_its_account() -> None:
    bicep = bicep_shape.parsed(
        bicep_file([a_deployment(region="northland", remarks=("a\nb",))], title="t", alerts=False)
    )
    assert bicep.params == {"accountName": "string"}
    account = bicep.resources["account"]
    assert account == ("Microsoft.CognitiveServices/accounts@2024-10-01", True, {"name": "accountName"})
    assert deployments_of(bicep) == {
        "chat": {
            "parent": "account",
            "name": "chat",
            "sku": {"name": "GlobalProvisionedManaged", "capacity": 420},
            "properties": {"model": {"format": "OpenAI", "name": "Alder", "version": "2030-01-02"}},
        }
    }
    assert isinstance(deployments_of(bicep)["chat"]["parent"], bicep_shape.Name)


def test_bicep_deployments_are_made_one_after_the_other() -> None:
    plan = [spilling("one"), a_deployment("two"), spilling("three", units=None)]
    bicep = bicep_shape.parsed(bicep_file(plan, title="t", alerts=False))
    made = deployments_of(bicep)
    assert list(made) == ["one_standard", "one", "two", "three_standard", "three"]
    after = {
        symbol: body.get("dependsOn", [body["properties"].get("spilloverDeploymentName")])
        for symbol, body in made.items()
    }
    assert after == {
        "one_standard": [None], "one": ["one_standard.name"], "two": ["one"], "three_standard": ["two"],
        "three": ["three_standard.name"],
    }  # fmt: skip
    assert made["one_standard"]["sku"] == {"name": "GlobalStandard", "capacity": 100}
    assert made["three_standard"]["sku"]["capacity"] == "spilloverThousandTpm"
    assert bicep.params == {"accountName": "string", "spilloverThousandTpm": "int"}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=3))
@example(HOSTILE)
@settings(max_examples=50, deadline=None)
def test_any_names_come_back_from_bicep(names: list[str]) -> None:
    plan = [spilling(name, ptu=15 + 5 * i, model=name, version=name, remarks=(name,)) for i, name in enumerate(names)]
    bicep = bicep_shape.parsed(bicep_file(plan, title="\n".join(names), alerts=True))
    made = list(deployments_of(bicep).values())
    assert [(each["name"], each["sku"]["capacity"]) for each in made[1::2]] == [(d.name, d.ptu) for d in plan]
    assert [each["properties"]["model"]["version"] for each in made[1::2]] == names
    assert [each["name"] for each in made[::2]] == [d.spillover.name for d in plan if d.spillover]
    alerts = [each.body for each in bicep.resources.values() if each.kind.startswith("Microsoft.Insights/")]
    assert len(alerts) == 4 * len(plan) == len({body["name"].casefold() for body in alerts})
    watched = [body["properties"]["criteria"]["allOf"][0]["dimensions"][0]["values"] for body in alerts]
    assert watched[::4] == [[name] for name in names]


def test_a_bicep_alert_says_what_the_rule_says() -> None:
    plan = [spilling()]
    bicep = bicep_shape.parsed(bicep_file(plan, title="t", alerts=True))
    assert bicep.params["actionGroupIds"] == "array"
    found = [each for each in bicep.resources.values() if each.kind == "Microsoft.Insights/metricAlerts@2018-03-01"]
    for rule, resource in zip(alert_rules(plan), found, strict=True):
        properties = resource.body["properties"]
        (criterion,) = properties["criteria"]["allOf"]
        assert resource.body["location"] == "global" and properties["scopes"] == ["account.id"]
        assert properties["windowSize"] == f"PT{rule.window_minutes}M" and properties["evaluationFrequency"] == "PT1M"
        assert criterion["metricNamespace"] == "Microsoft.CognitiveServices/accounts"
        assert (criterion["metricName"], criterion["timeAggregation"], criterion["threshold"]) == (
            rule.metric,
            rule.aggregation,
            rule.threshold,
        )
        assert criterion["operator"] == {">": "GreaterThan", ">=": "GreaterThanOrEqual"}[rule.operator]
        assert [(d["name"], d["operator"], tuple(d["values"])) for d in criterion["dimensions"]] == [
            (name, "Include", values) for name, values in rule.dimensions
        ]
        assert properties["severity"] == rule.severity and properties["enabled"] is True
        assert properties["actions"] == {"for": "id", "in": "actionGroupIds", "body": {"actionGroupId": "id"}}


# Terraform


def test_a_terraform_deployment_has_the_numbers() -> None:
    blocks = hcl_shape.parsed(terraform_file([a_deployment(region="northland")], title="t"))
    assert blocks[("resource", "azurerm_cognitive_deployment", "chat")] == {
        "name": "chat",
        "cognitive_account_id": "var.cognitive_account_id",
        "model": {"format": "OpenAI", "name": "Alder", "version": "2030-01-02"},
        "sku": {"name": "GlobalProvisionedManaged", "capacity": 420},
    }
    assert list(blocks[("terraform",)]["required_providers"]) == ["azurerm"]
    assert [key for key in blocks if key[0] == "variable"] == [("variable", "cognitive_account_id")]


def test_terraform_spillover_goes_through_the_azure_api_provider() -> None:
    blocks = hcl_shape.parsed(terraform_file([a_deployment("one"), spilling("two", units=None)], title="t"))
    own = blocks[("resource", "azapi_resource", "two")]
    assert own["type"] == "Microsoft.CognitiveServices/accounts/deployments@2024-10-01"
    assert own["body"] == {
        "sku": {"name": "GlobalProvisionedManaged", "capacity": 420},
        "properties": {
            "model": {"format": "OpenAI", "name": "Alder", "version": "2030-01-02"},
            "spilloverDeploymentName": "azurerm_cognitive_deployment.two_standard.name",
        },
    }
    standard = blocks[("resource", "azurerm_cognitive_deployment", "two_standard")]
    assert standard["sku"] == {"name": "GlobalStandard", "capacity": "var.spillover_thousand_tpm"}
    assert standard["depends_on"] == ["azurerm_cognitive_deployment.one"] and "depends_on" not in own
    assert blocks[("variable", "spillover_thousand_tpm")]["type"] == "number"
    assert list(blocks[("terraform",)]["required_providers"]) == ["azapi", "azurerm"]


def test_a_format_that_the_provider_does_not_document_goes_the_same_way() -> None:
    blocks = hcl_shape.parsed(
        terraform_file([a_deployment(format="Meta"), a_deployment("two", format="Meta")], title="t")
    )
    assert blocks[("resource", "azapi_resource", "two")]["depends_on"] == ["azapi_resource.chat"]
    assert list(blocks[("terraform",)]["required_providers"]) == ["azapi"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=3))
@example(HOSTILE)
@settings(max_examples=50, deadline=None)
def test_any_names_come_back_from_terraform(names: list[str]) -> None:
    plan = [a_deployment(name, ptu=15 + 5 * i, model=name, remarks=(name,)) for i, name in enumerate(names)]
    blocks = hcl_shape.parsed(terraform_file(plan, title="\n".join(names)))
    made = [body for key, body in blocks.items() if key[0] == "resource"]
    assert [(each["name"], each["model"]["name"], each["sku"]["capacity"]) for each in made] == [
        (d.name, d.model, d.ptu) for d in plan
    ]


@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed")
@pytest.mark.parametrize("names", [["chat"], ["one", "two"], HOSTILE])
def test_terraform_finds_nothing_to_format(names: list[str], tmp_path: Path) -> None:
    plan = [f(name, region="northland") for name in names for f in (a_deployment, spilling)]
    plan = [each._replace(name=f"{each.name}-{i}") for i, each in enumerate(plan)]
    (tmp_path / "main.tf").write_text(terraform_file(plan, title="t"), encoding="utf-8")
    assert TERRAFORM
    ran = subprocess.run([TERRAFORM, "fmt", "-check", "-diff"], capture_output=True, text=True, cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (0, ""), ran


# calculateModelCapacity


def test_a_request_is_its_body_and_the_line_that_sends_it() -> None:
    body = {"model": {"name": "it's"}, "workloads": [{"requestPerMinute": 600}]}
    script = capacity_script(
        [(a_deployment(), body, ()), (a_deployment("b\nb"), body, ("the prompt cache",))], title="t"
    )
    bodies = [line for line in script.splitlines() if line.startswith("BODY=")]
    assert [json.loads(shlex.split(line)[0].removeprefix("BODY=")) for line in bodies] == [body, body]
    first, second = commands_of(script)
    assert first[:2] == ["az", "rest"] and first[-1] == "answer-1.json" and second[-1] == "answer-2.json"
    flags = flags_of(first)
    assert (flags["--method"], flags["--body"]) == ("post", "$BODY")
    assert flags["--url"] == (
        "https://management.azure.com/subscriptions/$SUBSCRIPTION/providers/Microsoft.CognitiveServices/"
        "calculateModelCapacity?api-version=2024-10-01"
    )
    assert script.count("no field for the prompt cache") == 1
