"""Deployments and alert rules as a Bicep file.

Resource shapes: Microsoft.CognitiveServices/accounts/deployments 2024-10-01 and Microsoft.Insights/metricAlerts 2018-03-01,
as Microsoft's template reference has them. Deployments of one account are chained by dependsOn: Azure refuses two writes
to an account at once (RequestConflict, github.com/Azure/bicep-types-az/issues/1730).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ptucalc.alert_rules import METRIC_NAMESPACE, AlertRule, alert_rules
from ptucalc.hand_over import API_VERSION, Provisioned, Standard
from ptucalc.report.quoting import bicep_string, comment_text, identifier

__all__ = ["bicep_file"]

ALERT_API_VERSION = "2018-03-01"

_OURS = ("account", "accountName", "actionGroupIds", "spilloverThousandTpm")
_BICEPS = (
    "assert",
    "existing",
    "extension",
    "false",
    "for",
    "func",
    "if",
    "import",
    "metadata",
    "module",
    "null",
    "output",
)
_BICEPS_TOO = ("param", "provider", "resource", "targetScope", "true", "type", "using", "var", "with")

_OPERATORS = {">": "GreaterThan", ">=": "GreaterThanOrEqual"}


def bicep_file(deployments: Sequence[Provisioned], *, title: str, alerts: bool) -> str:
    """The file, for `az deployment group create` in the resource group of the account."""
    taken = {*_OURS, *_BICEPS, *_BICEPS_TOO}
    open_capacity = any(d.spillover is not None and d.spillover.thousand_tpm is None for d in deployments)
    lines = [f"// {comment_text(title)}", *_head(open_capacity=open_capacity, alerts=alerts)]
    last: str | None = None
    for deployment in deployments:
        symbol, spills = _symbol(deployment.name, taken), None
        if deployment.spillover is not None:
            spills = _symbol(deployment.spillover.name, taken)
            lines += ["", *_standard(deployment, deployment.spillover, spills, after=last)]
        # that of its Standard deployment follows from naming it
        lines += ["", *_provisioned(deployment, symbol, spills, after=None if spills else last)]
        last = symbol
    if alerts:
        for rule in alert_rules(deployments):
            lines += ["", *_alert(rule, _symbol(rule.name, taken))]
    return "\n".join(lines) + "\n"


def _symbol(name: str, taken: set[str]) -> str:
    found = identifier(name, taken)
    taken.add(found)
    return found


def _head(*, open_capacity: bool, alerts: bool) -> Iterator[str]:
    yield "@description('The Azure OpenAI or Foundry resource that gets the deployments.')"
    yield "param accountName string"
    if open_capacity:
        yield ""
        yield "@description('Capacity of each Standard deployment, in thousands of tokens per minute.')"
        yield "param spilloverThousandTpm int"
    if alerts:
        yield ""
        yield "@description('Ids of the action groups that alerts go to.')"
        yield "param actionGroupIds array = []"
    yield ""
    yield f"resource account 'Microsoft.CognitiveServices/accounts@{API_VERSION}' existing = {{"
    yield "  name: accountName"
    yield "}"


def _standard(deployment: Provisioned, standard: Standard, symbol: str, *, after: str | None) -> Iterator[str]:
    units = "spilloverThousandTpm" if standard.thousand_tpm is None else str(standard.thousand_tpm)
    yield "// takes the overflow; its capacity is in thousands of tokens per minute"
    yield from _deployment(symbol, standard.name, standard.sku_name, units, deployment, spills=None, after=after)


def _provisioned(deployment: Provisioned, symbol: str, spills: str | None, *, after: str | None) -> Iterator[str]:
    if deployment.region:
        yield f"// in {comment_text(deployment.region)}: an account of that region"
    for remark in deployment.remarks:
        yield f"// {comment_text(remark)}"
    ptu = str(deployment.ptu)
    yield from _deployment(symbol, deployment.name, deployment.sku_name, ptu, deployment, spills=spills, after=after)


def _deployment(
    symbol: str, name: str, sku_name: str, capacity: str, of: Provisioned, *, spills: str | None, after: str | None
) -> Iterator[str]:
    yield f"resource {symbol} 'Microsoft.CognitiveServices/accounts/deployments@{API_VERSION}' = {{"
    yield "  parent: account"
    yield f"  name: {bicep_string(name)}"
    yield "  sku: {"
    yield f"    name: {bicep_string(sku_name)}"
    yield f"    capacity: {capacity}"
    yield "  }"
    yield "  properties: {"
    yield "    model: {"
    yield f"      format: {bicep_string(of.format)}"
    yield f"      name: {bicep_string(of.model)}"
    yield f"      version: {bicep_string(of.version)}"
    yield "    }"
    if spills is not None:
        yield f"    spilloverDeploymentName: {spills}.name"
    yield "  }"
    if after is not None:
        yield "  dependsOn: ["
        yield f"    {after}"
        yield "  ]"
    yield "}"


def _alert(rule: AlertRule, symbol: str) -> Iterator[str]:
    yield f"resource {symbol} 'Microsoft.Insights/metricAlerts@{ALERT_API_VERSION}' = {{"
    yield f"  name: {bicep_string(rule.name)}"
    yield "  location: 'global'"
    yield "  properties: {"
    yield f"    description: {bicep_string(rule.description)}"
    yield f"    severity: {rule.severity}"
    yield "    enabled: true"
    yield "    scopes: ["
    yield "      account.id"
    yield "    ]"
    yield "    evaluationFrequency: 'PT1M'"
    yield f"    windowSize: 'PT{rule.window_minutes}M'"
    yield "    criteria: {"
    yield "      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'"
    yield "      allOf: ["
    yield "        {"
    yield "          criterionType: 'StaticThresholdCriterion'"
    yield f"          name: {bicep_string(rule.metric)}"
    yield f"          metricNamespace: {bicep_string(METRIC_NAMESPACE)}"
    yield f"          metricName: {bicep_string(rule.metric)}"
    yield f"          timeAggregation: {bicep_string(rule.aggregation)}"
    yield f"          operator: {bicep_string(_OPERATORS[rule.operator])}"
    yield f"          threshold: {rule.threshold}"
    yield "          dimensions: ["
    for name, values in rule.dimensions:
        yield "            {"
        yield f"              name: {bicep_string(name)}"
        yield "              operator: 'Include'"
        yield "              values: ["
        for value in values:
            yield f"                {bicep_string(value)}"
        yield "              ]"
        yield "            }"
    yield "          ]"
    yield "        }"
    yield "      ]"
    yield "    }"
    yield "    actions: [for id in actionGroupIds: {"
    yield "      actionGroupId: id"
    yield "    }]"
    yield "  }"
    yield "}"
