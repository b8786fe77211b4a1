"""Saved answers of Azure's usages, modelCapacities and calculateModelCapacity APIs, as values.

Shapes: azure-rest-api-specs, Microsoft.CognitiveServices stable 2024-10-01, ListUsages, ListModelCapacities,
CalculateModelCapacity. A usage is named Provider.DeploymentType, or Provider.DeploymentType.Model where quota is by model.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from ptucalc.capacity_answer import CapacityAnswer
from ptucalc.catalog import DeploymentType, nearest
from ptucalc.errors import BadInput, Problem
from ptucalc.quota import DeployableSize, QuotaPool
from ptucalc.read.json_answer import Answer, read_answer
from ptucalc.workload import region as region_of

__all__ = ["read_capacities", "read_capacity_answer", "read_usages"]

KINDS = {kind.sku_name.casefold(): kind for kind in DeploymentType}

USAGES = "a saved answer of the usages API ({value: [{name: {value}, currentValue, limit}]})"
CAPACITIES = (
    "a saved answer of the modelCapacities API ({value: [{location, properties: {model, skuName, availableCapacity}}]})"
)
CALCULATED = "a saved answer of calculateModelCapacity ({model, skuName, estimatedCapacity: {value, deployableValue}})"

_IN_PATH = re.compile(r"/locations/([A-Za-z0-9 ]+)/", re.ASCII)
_WITH_REGION = re.compile(r"([A-Za-z][A-Za-z0-9 -]{1,60})=(.+)", re.ASCII | re.DOTALL)


def read_usages(
    given: Sequence[str], *, region: str | None = None, known_regions: Collection[str] = ()
) -> list[QuotaPool]:
    """The PTU pools of saved usages. Raises BadInput with every problem of every file.

    The answer itself does not say which region it is of: `REGION=FILE` does, or an id in the file that leads to a
    location, or else `region`. REGION must be one of `known_regions`, where there are any. Usages of other things than PTU
    are passed over; a pool may be in one file only.
    """
    problems: list[Problem] = []
    try:
        fallback = None if region is None else region_of(region)
    except ValueError as error:
        raise BadInput([Problem("region", str(region), str(error))]) from None
    pools: dict[tuple[str, DeploymentType, str], QuotaPool] = {}
    for text in given:
        try:
            named, path = _region_and_path(text)
            if named and known_regions and named not in known_regions:
                near = " or ".join(nearest(named, known_regions))
                expected = "a region that some PTU model is listed in" + (f": {near}?" if near else "")
                problems.append(Problem("usages", text, expected))
                continue
            for pool in _usages_of(path, named, fallback):
                key = (pool.provider, pool.deployment_type, pool.region)
                if key in pools:
                    expected = f"each pool of a region once: {pools[key].source} has it too"
                    problems.append(
                        Problem("name.value", f"{pool.name} in {pool.region}", expected, source=pool.source)
                    )
                pools.setdefault(key, pool)
        except BadInput as error:
            problems += error.problems
    if problems:
        raise BadInput(problems)
    return list(pools.values())


def _region_and_path(text: str) -> tuple[str | None, str]:
    """REGION=FILE taken apart; a file whose whole name is that wins."""
    found = _WITH_REGION.fullmatch(text)
    if found is None or Path(text).exists():
        return None, text
    return region_of(found[1]), found[2]


def _usages_of(path: str, named: str | None, fallback: str | None) -> list[QuotaPool]:
    answer = read_answer(path, USAGES)
    listed = answer if isinstance(answer.value, list) else answer.part("value")
    entries = listed.entries()
    place = named or _location(entries) or fallback
    if place is None:
        expected = "REGION=FILE, such as eastus2=usages.json: a usages answer does not say which region it is of"
        raise BadInput([Problem("usages", path, expected)])
    pools = []
    for entry in entries:
        parts = entry.part("name").part("value").text().split(".")
        kind = KINDS.get(parts[1].casefold()) if len(parts) > 1 else None
        if kind is None:
            continue
        if len(parts) > 2:
            entry.part("name").part("value").problem(
                "quota that is not by model: that of PTU has been by type and region since 2024-08"
            )
            continue
        used, limit = entry.part("currentValue").whole(), entry.part("limit").whole()
        pools.append(QuotaPool(parts[0], kind, place, limit, used, answer.source))
    if not pools and not answer.problems:
        answer.part("value").problem("usages with a pool of PTU, such as OpenAI.GlobalProvisionedManaged")
    if answer.problems:
        raise BadInput(answer.problems)
    return pools


def _location(entries: Sequence[Answer]) -> str | None:
    """The region that the ids of the entries lead to, where they have any and agree."""
    ids = [entry.value.get("id") for entry in entries if isinstance(entry.value, dict)]
    found = {region_of(match[1]) for text in ids if isinstance(text, str) and (match := _IN_PATH.search(text))}
    return found.pop() if len(found) == 1 else None


def read_capacities(given: Sequence[str]) -> list[DeployableSize]:
    """The deployable sizes of saved modelCapacities answers, those of PTU. Raises BadInput with every problem."""
    problems: list[Problem] = []
    sizes: dict[tuple[str, str, DeploymentType, str], DeployableSize] = {}
    for path in given:
        try:
            for size in _capacities_of(path):
                key = (size.model.casefold(), size.version, size.deployment_type, size.region)
                if key in sizes:
                    found = f"{size.model} {size.version} {size.deployment_type.sku_name} in {size.region}"
                    expected = f"each model, type and region once: {sizes[key].source} has it too"
                    problems.append(Problem("value", found, expected, source=size.source))
                sizes.setdefault(key, size)
        except BadInput as error:
            problems += error.problems
    if problems:
        raise BadInput(problems)
    return list(sizes.values())


def _capacities_of(path: str) -> list[DeployableSize]:
    answer = read_answer(path, CAPACITIES)
    listed = answer if isinstance(answer.value, list) else answer.part("value")
    sizes = []
    for entry in listed.entries():
        properties = entry.part("properties")
        kind = KINDS.get(properties.part("skuName").text().casefold())
        if kind is None:
            continue
        model, location = properties.part("model"), entry.part("location")
        name, version = model.part("name").text(), model.part("version").text()
        place, ptu = location.text(), properties.part("availableCapacity").whole()
        try:
            place = region_of(place) if place else ""
        except ValueError as error:
            location.problem(str(error))
        sizes.append(DeployableSize(name, version, kind, place, ptu, answer.source))
    if not sizes and not answer.problems:
        listed.problem("capacities of a PTU type, such as skuName GlobalProvisionedManaged")
    if answer.problems:
        raise BadInput(answer.problems)
    return sizes


def read_capacity_answer(path: str) -> list[CapacityAnswer]:
    """Saved answers of the calculator: one, or a list of several. Raises BadInput with every problem."""
    answer = read_answer(path, CALCULATED)
    entries = answer.entries() if isinstance(answer.value, list) else [answer]
    found = []
    for entry in entries:
        model, sku, capacity = entry.part("model"), entry.part("skuName"), entry.part("estimatedCapacity")
        name, version, sku_name = model.part("name").text(), model.part("version").text(), sku.text()
        kind = KINDS.get(sku_name.casefold())
        if kind is None and sku_name:
            sku.problem(" or ".join(kind.sku_name for kind in DeploymentType))
        raw, deployable = capacity.part("value").amount(), capacity.part("deployableValue").whole()
        found.append(CapacityAnswer(name, version, kind or DeploymentType.GLOBAL, raw, deployable, answer.source))
    if not found and not answer.problems:
        answer.problem(CALCULATED)
    if answer.problems:
        raise BadInput(answer.problems)
    return found
