"""Saved answers of Azure's APIs, as Microsoft's published examples shape them; and what is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ptucalc.catalog import DeploymentType
from ptucalc.errors import BadInput
from ptucalc.quota import DeployableSize, QuotaPool
from ptucalc.read import json_answer
from ptucalc.read.azure_answers import read_capacities, read_capacity_answer, read_usages

GLOBAL, DATA_ZONE, REGIONAL = DeploymentType


def usage(name: Any, used: Any = 0, limit: Any = 100, **more: Any) -> dict[str, Any]:
    """An entry as azure-rest-api-specs has it (2024-10-01, ListUsages)."""
    return {
        "name": {"value": name, "localizedValue": "x"},
        "currentValue": used,
        "limit": limit,
        "unit": "Count",
        **more,
    }


def capacity(
    ptu: Any = 300, location: Any = "WestUS", sku: Any = "GlobalProvisionedManaged", **model: Any
) -> dict[str, Any]:
    """An entry as azure-rest-api-specs has it (2024-10-01, ListModelCapacities)."""
    return {
        "id": "/subscriptions/0/providers/Microsoft.CognitiveServices/locations/WestUS/models/OpenAI.ada.1/skuCapacities/x",
        "type": "Microsoft.CognitiveServices/locations/models/skuCapacities",
        "name": sku,
        "location": location,
        "properties": {
            "model": {"format": "OpenAI", "name": "ada", "version": "1", **model},
            "skuName": sku,
            "availableCapacity": ptu,
            "availableFinetuneCapacity": 20,
        },
    }


CALCULATED = {
    "model": {"format": "OpenAI", "name": "gpt-4", "version": "0613"},
    "skuName": "ProvisionedManaged",
    "estimatedCapacity": {"value": 346, "deployableValue": 400},
}
"""Microsoft's example (2024-10-01, CalculateModelCapacity), but for its misspelt skuName."""


@pytest.fixture
def saved(in_tmp: Path) -> Callable[..., str]:
    """Writes an answer into a file, and gives its name."""

    def write(answer: Any, name: str = "a.json") -> str:
        Path(name).write_text(answer if isinstance(answer, str) else json.dumps(answer), encoding="utf-8")
        return name

    return write


def told(read: Callable[[], object]) -> list[str]:
    with pytest.raises(BadInput) as refused:
        read()
    return [str(problem) for problem in refused.value.problems]


# Usages


def test_the_ptu_pools_of_a_region_are_read_and_all_else_passed_over(saved: Callable[..., str]) -> None:
    entries = [
        usage("AccountCount", 3, 200),
        usage("OpenAI.Standard.gpt-4o", 10, 240),
        usage("OpenAI.GlobalProvisionedManaged", 200, 500),
        usage("AIServices.GlobalProvisionedManaged", 0, 0.0),
        usage("OpenAI.ProvisionedManaged", 5.0, 1e2),
    ]
    assert read_usages(["East US 2=" + saved({"value": entries})]) == [
        QuotaPool("OpenAI", GLOBAL, "eastus2", 500, 200, "a.json"),
        QuotaPool("AIServices", GLOBAL, "eastus2", 0, 0, "a.json"),
        QuotaPool("OpenAI", REGIONAL, "eastus2", 100, 5, "a.json"),
    ]


def test_the_list_that_az_prints_is_an_answer_too(saved: Callable[..., str]) -> None:
    """`az cognitiveservices usage list` prints what is under `value`."""
    (pool,) = read_usages(["eastus2=" + saved([usage("OpenAI.DataZoneProvisionedManaged")])])
    assert (pool.deployment_type, pool.limit_ptu) == (DATA_ZONE, 100)


def test_which_region_it_is_is_said_or_in_an_id_or_that_of_the_flag(saved: Callable[..., str]) -> None:
    plain = saved({"value": [usage("OpenAI.GlobalProvisionedManaged")]})
    place = "/subscriptions/0/providers/Microsoft.CognitiveServices/locations/WestUS/usages/x"
    with_id = saved({"value": [usage("OpenAI.GlobalProvisionedManaged", id=place)]}, "b.json")
    assert read_usages([plain], region="East US")[0].region == "eastus"
    assert read_usages([with_id], region="eastus")[0].region == "westus"
    assert read_usages(["uksouth=" + with_id])[0].region == "uksouth"
    elsewhere = usage("OpenAI.ProvisionedManaged", id=place.replace("WestUS", "UKSouth"))
    both = saved({"value": [usage("OpenAI.GlobalProvisionedManaged", id=place), elsewhere]}, "c.json")
    assert {pool.region for pool in read_usages([both], region="eastus")} == {"eastus"}
    assert told(lambda: read_usages([plain])) == [
        "usages: expected REGION=FILE, such as eastus2=usages.json: a usages answer does not say which region it is of, got a.json"
    ]


def test_a_file_whose_name_has_an_equals_sign_is_a_file(saved: Callable[..., str]) -> None:
    name = saved({"value": [usage("OpenAI.GlobalProvisionedManaged")]}, "eastus2=x.json")
    assert read_usages([name], region="uksouth")[0].region == "uksouth"


def test_several_files_are_several_regions_and_a_region_given_twice_is_refused(saved: Callable[..., str]) -> None:
    one = saved([usage("OpenAI.GlobalProvisionedManaged")])
    two = saved([usage("OpenAI.GlobalProvisionedManaged")], "b.json")
    assert [pool.region for pool in read_usages([f"eastus={one}", f"uksouth={two}"])] == ["eastus", "uksouth"]
    assert told(lambda: read_usages([f"eastus={one}", f"eastus={two}"])) == [
        "b.json, name.value: expected each pool of a region once: a.json has it too, got OpenAI.GlobalProvisionedManaged in eastus"
    ]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (usage("OpenAI.GlobalProvisionedManaged", -1), "value[0].currentValue: expected a whole number, 0 or more, got -1"),
        (usage("OpenAI.GlobalProvisionedManaged", 1.5), "value[0].currentValue: expected a whole number, 0 or more, got 1.5"),
        (usage("OpenAI.GlobalProvisionedManaged", 1, "100"), "value[0].limit: expected a whole number, 0 or more, got 100"),
        (usage("OpenAI.GlobalProvisionedManaged", 1, None), "value[0].limit: expected a whole number, 0 or more, got (empty)"),
        (usage("OpenAI.GlobalProvisionedManaged", 1, True), "value[0].limit: expected a whole number, 0 or more, got true"),
        (usage("OpenAI.GlobalProvisionedManaged", 1, 10**30), f"value[0].limit: expected a whole number, 0 or more, got {10**30}"),
        (usage(7), "value[0].name.value: expected a text of 1 to 200 characters, got 7"),
        (usage({}), "value[0].name.value: expected a text of 1 to 200 characters, got a mapping"),
        ("text", "value[0].name.value: expected a text of 1 to 200 characters, got (empty)"),
        (usage("OpenAI.ProvisionedManaged.gpt-4o"), "value[0].name.value: expected quota that is not by model: that of PTU has been by type and region since 2024-08, got OpenAI.ProvisionedManaged.gpt-4o"),
        (usage("AccountCount"), "value: expected usages with a pool of PTU, such as OpenAI.GlobalProvisionedManaged, got a list"),
    ],
)  # fmt: skip
def test_a_usage_that_is_none_is_refused_with_its_place(saved: Callable[..., str], entry: Any, expected: str) -> None:
    name = saved({"value": [entry]})
    assert told(lambda: read_usages(["eastus=" + name])) == [f"a.json, {expected}"]


def test_every_problem_of_every_file_is_told(saved: Callable[..., str]) -> None:
    one = saved([usage("OpenAI.GlobalProvisionedManaged", -1, -2), usage(1)])
    two = saved({"value": 7}, "b.json")
    assert len(told(lambda: read_usages([f"eastus={one}", f"uksouth={two}", "westus=gone.json"]))) == 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "JSON"), ("{", "JSON"), ("<html>", "JSON"), ("[" * 100_000, "deeply nested"), ('{"value": [], "value": []}', "each key once"),
        ('{"error": {"code": "AuthorizationFailed", "message": "no"}}', "not an error that Azure answered"),
        ('{"value": [], "nextLink": "https://x"}', "this is one page of several"), ("7", "a list of at most"), ("null", "a list of at most"),
        ('{"value": [NaN]}', "value[0].name.value"), ('{"value": {}}', "a list of at most"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused(saved: Callable[..., str], text: str, expected: str) -> None:
    name = saved(text)
    for read in (lambda: read_usages(["eastus=" + name]), lambda: read_capacities([name])):
        message = told(read)[0]
        assert message.startswith("a.json") and (expected in message or expected.startswith("value")), message


def test_a_nan_is_no_number(saved: Callable[..., str]) -> None:
    name = saved('[{"name": {"value": "OpenAI.GlobalProvisionedManaged"}, "currentValue": NaN, "limit": Infinity}]')
    assert len(told(lambda: read_usages(["eastus=" + name]))) == 2


def test_a_file_that_is_too_large_is_refused_without_reading_it_all(
    saved: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_answer, "MOST_BYTES", 10)
    name = saved([usage("OpenAI.GlobalProvisionedManaged")])
    (message,) = told(lambda: read_usages(["eastus=" + name]))
    assert "at most 10 bytes" in message


def test_binary_files_and_folders_are_refused(in_tmp: Path) -> None:
    Path("b.json").write_bytes(b"\0\1\2")
    Path("folder").mkdir()
    assert "a binary file" in told(lambda: read_capacities(["b.json"]))[0]
    assert "a directory" in told(lambda: read_capacities(["folder"]))[0]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["value", "name", "limit", "currentValue", "location", "properties", "model", "skuName", "version", "availableCapacity", "estimatedCapacity", "deployableValue", "error", "nextLink"]), inner, max_size=5), max_leaves=15))  # fmt: skip
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_json_whatsoever_is_more_than_refused(saved: Callable[..., str], value: Any) -> None:
    name = saved(value)
    reads: tuple[Callable[[], object], ...] = (
        lambda: read_usages(["eastus=" + name]),
        lambda: read_capacities([name]),
        lambda: read_capacity_answer(name),
    )
    for read in reads:
        try:
            assert read()
        except BadInput as refused:
            messages = [str(problem) for problem in refused.problems]
            assert "".join(messages).isprintable()


# Capacities


def test_the_capacities_of_ptu_are_read(saved: Callable[..., str]) -> None:
    entries = [capacity(), capacity(7, sku="Standard"), capacity(0, "East US 2", "ProvisionedManaged", name="gpt-4o")]
    assert read_capacities([saved({"value": entries})]) == [
        DeployableSize("ada", "1", GLOBAL, "westus", 300, "a.json"),
        DeployableSize("gpt-4o", "1", REGIONAL, "eastus2", 0, "a.json"),
    ]


def test_a_capacity_that_is_given_twice_is_refused(saved: Callable[..., str]) -> None:
    one, two = (
        saved({"value": [capacity()]}),
        saved({"value": [capacity(2, "westus"), capacity(location="uksouth")]}, "b.json"),
    )
    assert told(lambda: read_capacities([one, two])) == [
        "b.json, value: expected each model, type and region once: a.json has it too, got ada 1 GlobalProvisionedManaged in westus"
    ]


@pytest.mark.parametrize(
    ("entry", "places"),
    [
        (capacity(-5), ["value[0].properties.availableCapacity"]), (capacity(None), ["value[0].properties.availableCapacity"]),
        (capacity(location="west/us"), ["value[0].location"]), (capacity(location=None), ["value[0].location"]),
        (capacity(name=None, version=1), ["value[0].properties.model.name", "value[0].properties.model.version"]),
        ({}, ["value[0].properties.skuName"]), (capacity(sku="Standard"), ["value"]),
    ],
)  # fmt: skip
def test_a_capacity_that_is_none_is_refused_with_its_place(
    saved: Callable[..., str], entry: Any, places: list[str]
) -> None:
    name = saved({"value": [entry]})
    assert [message.split(": ")[0] for message in told(lambda: read_capacities([name]))] == [
        f"a.json, {p}" for p in places
    ]


# The calculator's answer


def test_microsofts_example_of_an_answer_is_read(saved: Callable[..., str]) -> None:
    (found,) = read_capacity_answer(saved(CALCULATED))
    assert found == ("gpt-4", "0613", REGIONAL, 346, 400, "a.json")


def test_a_list_of_answers_is_several_and_raw_ptu_stay_exact(saved: Callable[..., str]) -> None:
    exact = {**CALCULATED, "estimatedCapacity": {"value": 105.88, "deployableValue": 110.0}}
    found = read_capacity_answer(saved([CALCULATED, exact]))
    assert [(each.raw_ptu, each.deployable_ptu) for each in found] == [(346, 400), (Fraction(10588, 100), 110)]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"skuName": "Standard"}, "skuName"), ({"skuName": None}, "skuName"), ({"model": "gpt-4"}, "model.name"),
        ({"estimatedCapacity": {"value": "346", "deployableValue": 400}}, "estimatedCapacity.value"),
        ({"estimatedCapacity": {"value": 346}}, "estimatedCapacity.deployableValue"), ({"estimatedCapacity": 400}, "estimatedCapacity.value"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_refused_with_its_place(saved: Callable[..., str], change: Any, place: str) -> None:
    name = saved({**CALCULATED, **change})
    assert told(lambda: read_capacity_answer(name))[0].startswith(f"a.json, {place}: expected ")


def test_no_answers_are_not_an_answer(saved: Callable[..., str]) -> None:
    assert "a saved answer of calculateModelCapacity" in told(lambda: read_capacity_answer(saved([])))[0]
