"""What to deploy: each sized deployment as Azure is told of it, with the Standard deployment that takes its overflow.

Source of the properties: `az cognitiveservices account deployment create`, and Microsoft.CognitiveServices/accounts/
deployments at API version 2024-10-01. Spillover goes to a Standard deployment of the same model, version and data
processing (Microsoft's page on spillover for provisioned deployments, 2026-06-18). That a deployment's name is of letters,
digits and _ - . is third-party knowledge; that case does not tell names apart is how Azure Resource Manager compares them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple

from ptucalc.catalog import DeploymentType, Model, Unknown
from ptucalc.errors import BadInput, Problem
from ptucalc.results import Size, SizedDeployment
from ptucalc.sizing_result import SizingResult

__all__ = [
    "API_VERSION",
    "Provisioned",
    "Spillover",
    "Standard",
    "hand_over",
    "names_in_azure",
    "standard_name",
]

API_VERSION: Final = "2024-10-01"
"""Of Microsoft.CognitiveServices."""

STANDARD_SKUS = {
    DeploymentType.GLOBAL: "GlobalStandard",
    DeploymentType.DATA_ZONE: "DataZoneStandard",
    DeploymentType.REGIONAL: "Standard",
}
"""`sku.name` of the Standard deployment that processes data where the provisioned one does."""

FORMATS_BY_PUBLISHER = {"OpenAI": "OpenAI"}
"""`model.format` by publisher; those of other publishers are in no source that was read."""


class Spillover(NamedTuple):
    """That overflow goes to Standard deployments. `thousand_tpm` is their capacity; None leaves it a parameter."""

    thousand_tpm: int | None = None


class Standard(NamedTuple):
    """The Standard deployment that takes the overflow. `thousand_tpm` is `sku.capacity`; None: a parameter."""

    name: str
    sku_name: str
    thousand_tpm: int | None


class Provisioned(NamedTuple):
    """One provisioned deployment: `name`, `model`, `version` and `format` as Azure names them, `ptu` as `sku.capacity`.

    `remarks` are what a reader of the generated text must know.
    """

    name: str
    model: str
    version: str
    format: str
    sku_name: str
    ptu: int
    region: str | None
    spillover: Standard | None = None
    remarks: tuple[str, ...] = ()


def hand_over(
    result: SizingResult, *, spillover: Spillover | None = None, model_format: str | None = None
) -> tuple[Provisioned, ...]:
    """The deployments of a plan in its order, each on the one deployment type that it is sized for.

    A name that the user gave is kept as it is, one that was made up is brought into a form that Azure takes; all differ in
    more than their case.
    `model_format` is that of models whose own is not known. Raises BadInput with every problem: a type that is open, a
    model whose version, format or id is open, no size.
    """
    problems: list[Problem] = []
    given = _given(result)
    names = _names(given)
    taken = {name.casefold() for name in names.values()}
    found = []
    for deployment in result.deployments:
        wrong = list(_problems(deployment, model_format))
        problems += wrong
        if wrong:
            continue
        (size,) = deployment.sizes.values()
        model, name = deployment.model, names[deployment.name]
        remarks = list(_about_name(deployment.name, name, given=given[deployment.name]))
        standard = None
        if spillover is not None:
            if model.spillover is True:
                standard = Standard(
                    standard_name(name, taken), STANDARD_SKUS[size.deployment_type], spillover.thousand_tpm
                )
            else:
                why = model.spillover.reason if isinstance(model.spillover, Unknown) else "it does not support it"
                remarks.append(f"no spillover for {model.name}: {why}")
        if size.available is None:
            remarks.append(f"unsure whether it is offered: {size.reason}")
        assert size.ptu is not None
        found.append(
            Provisioned(
                name=name,
                model=model.model_id or model.name,
                version=_version(deployment) or "",
                format=_format(model) or model_format or "",
                sku_name=size.deployment_type.sku_name,
                ptu=size.ptu,
                region=deployment.region,
                spillover=standard,
                remarks=tuple(remarks),
            )
        )
    if problems:
        raise BadInput(problems)
    return tuple(found)


def _version(deployment: SizedDeployment) -> str | None:
    return deployment.model.only_version(deployment.model_version)


def _format(model: Model) -> str | None:
    return FORMATS_BY_PUBLISHER.get(model.publisher)


def _problems(deployment: SizedDeployment, model_format: str | None) -> Iterator[Problem]:
    model, name = deployment.model, deployment.name
    if len(deployment.sizes) != 1:
        kinds = " or ".join(deployment.sizes)
        yield Problem("sku", "", f"one deployment type for {name}: {kinds}")
    elif (problem := _no_size(deployment, next(iter(deployment.sizes.values())))) is not None:
        yield problem
    if _version(deployment) is None:
        known = ", ".join(model.versions) or "the catalog knows none"
        yield Problem("model_version", "", f"the version of {model.name} to deploy as {name}: {known}")
    if _format(model) is None:
        if model_format is None:
            expected = f"the model format of {model.name} ({model.publisher}), which no source read gives"
            yield Problem("model_format", "", expected)
        if model.model_id is None and not model.versions:  # a heading of the sizing page, and no name that Azure takes
            expected = f"a model whose name in Azure is known; that of {model.name} is not published"
            yield Problem("model", model.name, expected)


def _no_size(deployment: SizedDeployment, size: Size) -> Problem | None:
    if size.ptu is not None:
        return None
    kind = size.deployment_type
    return Problem("sku", kind.value, f"a type that {deployment.name} is offered on ({size.reason})")


def names_in_azure(result: SizingResult) -> dict[str, str]:
    """The name that each deployment of a plan has in Azure."""
    return _names(_given(result))


def standard_name(name: str, taken: Collection[str]) -> str:
    """What the Standard deployment is called that takes the overflow of another; `taken` are names without case."""
    return _free_name(f"{name}-standard", taken)


def _given(result: SizingResult) -> dict[str, bool]:
    """Of each deployment, whether the user named it."""
    members = result.members
    return {each.name: members[each.name][0].workload.deployment is not None for each in result.deployments}


def _names(given: Mapping[str, bool]) -> dict[str, str]:
    """The name in Azure of each deployment; `given` says whether the user named it. Those keep theirs if they can."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(given, key=lambda each: not given[each]):  # stable: those that were given come first
        wanted = name if given[name] or _TAKEN_BY_AZURE.fullmatch(name) else _slug(name)
        found[name] = _free_name(wanted, taken)
        taken.add(found[name].casefold())
    return found


_TAKEN_BY_AZURE = re.compile(r"[A-Za-z0-9._-]+")


def _slug(name: str) -> str:
    """A made-up name as Azure takes it: "gpt-4.1 Global eastus2" is gpt-4.1-global-eastus2."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.casefold()).strip("-") or "deployment"


def _about_name(name: str, handed: str, *, given: bool) -> Iterator[str]:
    """What to say of the name of a deployment that the user named."""
    how = "set `deployment:` of its workloads"
    if given and handed != name:
        yield f"{name} is named {handed} here: another name differs from it in case only, which Azure ignores; {how}"
    if given and not _TAKEN_BY_AZURE.fullmatch(handed):
        yield f"Azure is said to take only letters, digits and _ - . in a deployment's name (third party): {how}"


def _free_name(name: str, taken: Collection[str]) -> str:
    """The name, with a number where one in `taken` (without case) differs in case at most."""
    found, number = name, 2
    while found.casefold() in taken:
        found, number = f"{name}-{number}", number + 1
    return found
