"""Deployments as a Terraform file, formatted as `terraform fmt` does.

Arguments: azurerm_cognitive_deployment of the azurerm provider (name, cognitive_account_id, model, sku), from version 4.0 on.
Its documentation has no argument for spillover and no format but OpenAI: such deployments are azapi_resource (type,
parent_id, name, body; azapi from 2.0 on), with the body that API version 2024-10-01 takes. Deployments of one account
are chained by depends_on: Azure refuses two writes to an account at once (github.com/hashicorp/terraform-provider-azurerm/
issues/22607).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ptucalc.hand_over import API_VERSION, Provisioned, Standard
from ptucalc.report.quoting import comment_text, hcl_string, identifier

__all__ = ["terraform_file"]

AZURERM_FORMAT = "OpenAI"


def terraform_file(deployments: Sequence[Provisioned], *, title: str) -> str:
    """The file: what it needs of providers and variables, and a resource for each deployment."""
    resources: list[str] = []
    taken: set[str] = set()
    last: str | None = None
    for deployment in deployments:
        symbol, spills = _symbol(deployment.name, taken), None
        if deployment.spillover is not None:
            standard = deployment.spillover
            spill_symbol = _symbol(standard.name, taken)
            lines, spills = _standard(deployment, standard, spill_symbol, after=last)
            resources += ["", *lines]
        # that of its Standard deployment follows from naming it
        lines, last = _provisioned(deployment, symbol, spills, after=None if spills else last)
        resources += ["", *lines]
    azapi = any(line.startswith('resource "azapi_') for line in resources)
    azurerm = any(line.startswith('resource "azurerm_') for line in resources)
    open_capacity = any(d.spillover is not None and d.spillover.thousand_tpm is None for d in deployments)
    head = [f"# {comment_text(title)}", *_head(azurerm=azurerm, azapi=azapi, open_capacity=open_capacity)]
    return "\n".join([*head, *resources]) + "\n"


def _symbol(name: str, taken: set[str]) -> str:
    found = identifier(name, taken)
    taken.add(found)
    return found


def _head(*, azurerm: bool, azapi: bool, open_capacity: bool) -> Iterator[str]:
    yield "terraform {"
    yield "  required_providers {"
    for wanted, name, source, version in (
        (azapi, "azapi", "Azure/azapi", ">= 2.0"),
        (azurerm, "azurerm", "hashicorp/azurerm", ">= 4.0"),
    ):
        if wanted:
            yield f"    {name} = {{"
            yield f'      source  = "{source}"'
            yield f'      version = "{version}"'
            yield "    }"
    yield "  }"
    yield "}"
    yield ""
    yield from _variable("cognitive_account_id", "string", "Id of the Azure OpenAI or Foundry resource.")
    if open_capacity:
        yield ""
        text = "Capacity of each Standard deployment, in thousands of tokens per minute."
        yield from _variable("spillover_thousand_tpm", "number", text)


def _variable(name: str, kind: str, description: str) -> Iterator[str]:
    yield f'variable "{name}" {{'
    yield f"  type        = {kind}"
    yield f"  description = {hcl_string(description)}"
    yield "}"


def _standard(deployment: Provisioned, standard: Standard, symbol: str, *, after: str | None) -> tuple[list[str], str]:
    units = "var.spillover_thousand_tpm" if standard.thousand_tpm is None else str(standard.thousand_tpm)
    lines, address = _resource(symbol, standard.name, standard.sku_name, units, deployment, spills=None, after=after)
    return ["# takes the overflow; its capacity is in thousands of tokens per minute", *lines], address


def _provisioned(
    deployment: Provisioned, symbol: str, spills: str | None, *, after: str | None
) -> tuple[list[str], str]:
    remarks = [f"in {deployment.region}: an account of that region"] if deployment.region else []
    units = str(deployment.ptu)
    lines, address = _resource(
        symbol, deployment.name, deployment.sku_name, units, deployment, spills=spills, after=after
    )
    return [*(f"# {comment_text(remark)}" for remark in (*remarks, *deployment.remarks)), *lines], address


def _resource(
    symbol: str, name: str, sku_name: str, capacity: str, of: Provisioned, *, spills: str | None, after: str | None
) -> tuple[list[str], str]:
    """The lines of a resource, and its address; `spills` and `after` are addresses."""
    plain = spills is None and of.format == AZURERM_FORMAT
    kind = "azurerm_cognitive_deployment" if plain else "azapi_resource"
    body = _azurerm(name, sku_name, capacity, of) if plain else _azapi(name, sku_name, capacity, of, spills)
    chained = [] if after is None else ["", f"  depends_on = [{after}]"]
    return [f'resource "{kind}" "{symbol}" {{', *body, *chained, "}"], f"{kind}.{symbol}"


def _azurerm(name: str, sku_name: str, capacity: str, of: Provisioned) -> Iterator[str]:
    yield f"  name                 = {hcl_string(name)}"
    yield "  cognitive_account_id = var.cognitive_account_id"
    yield ""
    yield "  model {"
    yield f"    format  = {hcl_string(of.format)}"
    yield f"    name    = {hcl_string(of.model)}"
    yield f"    version = {hcl_string(of.version)}"
    yield "  }"
    yield ""
    yield "  sku {"
    yield f"    name     = {hcl_string(sku_name)}"
    yield f"    capacity = {capacity}"
    yield "  }"


def _azapi(name: str, sku_name: str, capacity: str, of: Provisioned, spills: str | None) -> Iterator[str]:
    yield f'  type      = "Microsoft.CognitiveServices/accounts/deployments@{API_VERSION}"'
    yield f"  name      = {hcl_string(name)}"
    yield "  parent_id = var.cognitive_account_id"
    yield ""
    yield "  body = {"
    yield "    sku = {"
    yield f"      name     = {hcl_string(sku_name)}"
    yield f"      capacity = {capacity}"
    yield "    }"
    yield "    properties = {"
    yield "      model = {"
    yield f"        format  = {hcl_string(of.format)}"
    yield f"        name    = {hcl_string(of.model)}"
    yield f"        version = {hcl_string(of.version)}"
    yield "      }"
    if spills is not None:
        yield f"      spilloverDeploymentName = {spills}.name"
    yield "    }"
    yield "  }"
