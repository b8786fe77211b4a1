"""Deployments, alert rules and calculator requests as lines of the Azure CLI, for a POSIX shell.

Flags: `az cognitiveservices account deployment create` (with --spillover-deployment-name), `az monitor metrics alert create`
and `az rest`, as azure-cli documents and defines them. Every command is one line. az takes a word that starts with @, or
has @ after its first =, for the name of a file to read (azure-cli-core, _expand_file_prefixed_files): such words are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ptucalc.alert_rules import AlertRule, alert_rules
from ptucalc.errors import BadInput, Problem
from ptucalc.hand_over import API_VERSION, Provisioned
from ptucalc.report.quoting import comment_text, shell_option, shell_word

__all__ = ["az_script", "capacity_script"]

CREATE = 'az cognitiveservices account deployment create --resource-group "$RESOURCE_GROUP" --name "$ACCOUNT"'
SHELL = "For bash, zsh or Cloud Shell. PowerShell quotes in other ways and writes $env:ACCOUNT: use -o bicep there."
NEEDS = (
    ': "${RESOURCE_GROUP:?set it to the resource group}" "${ACCOUNT:?set it to the Azure OpenAI or Foundry resource}"'
)
NEEDS_CAPACITY = ': "${SPILLOVER_THOUSAND_TPM:?set it to thousands of tokens per minute of each Standard deployment}"'

_AGGREGATIONS = {"Average": "avg", "Maximum": "max", "Total": "total"}

_CONDITION_WORDS = {
    "and",
    "dynamic",
    "excludes",
    "includes",
    "of",
    "or",
    "since",
    "where",
    "with",
    "skipmetricvalidation",
}
"""Words of az's language of conditions, which has no quotes (azure-cli, MetricAlertCondition.g4)."""


def az_script(deployments: Sequence[Provisioned], *, title: str, alerts: bool) -> str:
    """The commands that create the deployments, and their alert rules. Raises BadInput for names that az cannot be told."""
    _check_words(deployments)
    lines = [f"# {comment_text(title)}", f"# {SHELL}", NEEDS]
    if any(d.spillover is not None and d.spillover.thousand_tpm is None for d in deployments):
        lines.append(NEEDS_CAPACITY)
    for deployment in deployments:
        lines += ["", *_create(deployment)]
    if alerts:
        show = 'az cognitiveservices account show --resource-group "$RESOURCE_GROUP" --name "$ACCOUNT" --query id --output tsv'
        lines += [
            "",
            "# Alert rules. Add --action ACTION_GROUP_ID to each for mail, chat or a pager.",
            f"ACCOUNT_ID=$({show})",
        ]
        rules = alert_rules(deployments)
        _check_names(rules)
        lines += [_alert(rule) for rule in rules]
    return "\n".join(lines) + "\n"


def _create(deployment: Provisioned) -> Iterator[str]:
    place = f" in {deployment.region}: an account of that region" if deployment.region else ""
    yield f"# {comment_text(deployment.name)}: {deployment.ptu} PTU{place}"
    for remark in deployment.remarks:
        yield f"# {comment_text(remark)}"
    model = " ".join(
        (
            shell_option("--model-name", deployment.model),
            shell_option("--model-version", deployment.version),
            shell_option("--model-format", deployment.format),
        )
    )
    standard, spills = deployment.spillover, ""
    if standard is not None:
        capacity = standard.thousand_tpm
        units = '"$SPILLOVER_THOUSAND_TPM"' if capacity is None else str(capacity)
        name = shell_option("--deployment-name", standard.name)
        yield f"{CREATE} {name} {model} --sku-name {standard.sku_name} --sku-capacity {units}"
        spills = " " + shell_option("--spillover-deployment-name", standard.name)
    name = shell_option("--deployment-name", deployment.name)
    yield f"{CREATE} {name} {model} --sku-name {deployment.sku_name} --sku-capacity {deployment.ptu}{spills}"


def _alert(rule: AlertRule) -> str:
    where = " and ".join(f"{name} includes {' or '.join(values)}" for name, values in rule.dimensions)
    condition = f"{_AGGREGATIONS[rule.aggregation]} {rule.metric} {rule.operator} {rule.threshold} where {where}"
    return " ".join(
        (
            'az monitor metrics alert create --resource-group "$RESOURCE_GROUP" --scopes "$ACCOUNT_ID"',
            shell_option("--name", rule.name),
            shell_option("--condition", condition),
            f"--window-size {rule.window_minutes}m --evaluation-frequency 1m --severity {rule.severity}",
            shell_option("--description", rule.description),
        )
    )


def _check_words(deployments: Sequence[Provisioned]) -> None:
    """That az reads no file in place of a name."""
    problems = []
    for each in deployments:
        named = {
            "deployment": each.name,
            "model": each.model,
            "model_version": each.version,
            "model_format": each.format,
        }
        for field, text in named.items():
            if text.startswith("@") or "=@" in text:
                expected = (
                    "a text without @ at its start or after =: az would read a file of that name (-o bicep takes any)"
                )
                problems.append(Problem(field, text, expected))
    if problems:
        raise BadInput(problems)


def _check_names(rules: Sequence[AlertRule]) -> None:
    """That az can read the conditions: it takes letters, digits and - . _ and no word of its own."""
    names = dict.fromkeys(value for rule in rules for _, values in rule.dimensions for value in values)
    problems = []
    for name in names:
        words = {word.casefold() for word in re.split(r"[^A-Za-z0-9_]+", name)}
        if not re.fullmatch(r"[A-Za-z0-9._-]+", name) or words & _CONDITION_WORDS:
            expected = (
                "a name of letters, digits and - . _ without and, or, of, with ..., as az has no quotes for the conditions of "
                "alerts (-o bicep takes any name)"
            )
            problems.append(Problem("deployment", name, expected))
    if problems:
        raise BadInput(problems)


def capacity_script(requests: Sequence[tuple[Provisioned, Mapping[str, Any], Sequence[str]]], *, title: str) -> str:
    """Requests to Microsoft's calculator: for each deployment the body, and the line that sends it.

    A request is a deployment, its body, and what of the plan it cannot say. Raises BadInput for names that az cannot be told.
    """
    _check_words([deployment for deployment, _, _ in requests])
    url = f"https://management.azure.com/subscriptions/$SUBSCRIPTION/providers/Microsoft.CognitiveServices/calculateModelCapacity?api-version={API_VERSION}"
    lines = [f"# {comment_text(title)}", f"# {SHELL}"]
    lines += [
        "# Then: ptucalc check PLAN --against answer-1.json",
        ': "${SUBSCRIPTION:?set it to the id of any subscription that you can read}"',
    ]
    for number, (deployment, body, left_out) in enumerate(requests, start=1):
        lines += ["", f"# {comment_text(deployment.name)}: ptucalc says {deployment.ptu} PTU"]
        if left_out:
            lines.append(f"# The calculator has no field for {', '.join(left_out)}: its answer leaves that out.")
        lines.append(f"BODY={shell_word(json.dumps(body))}")
        lines.append(f'az rest --method post --url "{url}" --body "$BODY" --output json > answer-{number}.json')
    return "\n".join(lines) + "\n"
