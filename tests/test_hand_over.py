"""What is deployed: one deployment type, a version, a format that is known; and the Standard deployment for overflow."""

from __future__ import annotations

import pytest

from ptucalc.alert_rules import alert_rules
from ptucalc.catalog import Unknown
from ptucalc.errors import BadInput
from ptucalc.hand_over import Provisioned, Spillover, Standard, hand_over

from .invented import DATA_ZONE, GLOBAL, REGIONAL, a_catalog, a_model, calls, only, sized

ALDER = a_model(publisher="OpenAI", versions=("2030-01-02",))


def handed(
    *workloads: object, models: object = (ALDER,), sku: object = (GLOBAL,), **given: object
) -> tuple[Provisioned, ...]:
    result = sized(workloads, a_catalog(*models), deployment_types=sku)  # type: ignore[arg-type]
    return hand_over(result, **given)  # type: ignore[arg-type]


def problems(*workloads: object, **given: object) -> list[tuple[str, str]]:
    with pytest.raises(BadInput) as refused:
        handed(*workloads, **given)
    return [(problem.field, problem.expected) for problem in refused.value.problems]


def test_a_sized_deployment_is_handed_over_with_its_numbers() -> None:
    assert handed(calls(37, region="northland")) == (
        Provisioned("Alder", "Alder", "2030-01-02", "OpenAI", "GlobalProvisionedManaged", 40, "northland"),
    )


@pytest.mark.parametrize(
    ("kind", "sku_name", "standard"),
    [
        (GLOBAL, "GlobalProvisionedManaged", "GlobalStandard"),
        (DATA_ZONE, "DataZoneProvisionedManaged", "DataZoneStandard"),
        (REGIONAL, "ProvisionedManaged", "Standard"),
    ],
)
def test_overflow_goes_to_a_standard_deployment_of_the_same_kind(kind: object, sku_name: str, standard: str) -> None:
    (one,) = handed(calls(37), sku=(kind,), spillover=Spillover(100))
    assert (one.sku_name, one.spillover) == (sku_name, Standard("Alder-standard", standard, 100))


def test_the_standard_deployment_takes_no_name_that_is_given_away() -> None:
    workloads = [calls(1, name=name, deployment=name) for name in ("a", "a-standard", "a-standard-2")]
    names = [one.spillover.name for one in handed(*workloads, spillover=Spillover()) if one.spillover]
    assert names == ["a-standard-3", "a-standard-standard", "a-standard-2-standard"]


def test_a_model_without_spillover_gets_none_and_says_why() -> None:
    silent = a_model("Birch", publisher="OpenAI", versions=("1",), spillover=Unknown("nobody said"))
    never = a_model("Cedar", publisher="OpenAI", versions=("1",), spillover=False)
    found = handed(
        calls(model="Birch", name="b"), calls(model="Cedar", name="c"), models=(silent, never), spillover=Spillover()
    )
    assert [(one.spillover, one.remarks) for one in found] == [
        (None, ("no spillover for Birch: nobody said",)),
        (None, ("no spillover for Cedar: it does not support it",)),
    ]
    assert handed(calls(model="Cedar"), models=(never,))[0].remarks == ()


def test_an_open_type_is_refused() -> None:
    assert problems(calls(), sku=(GLOBAL, REGIONAL)) == [("sku", "one deployment type for Alder: global or regional")]
    assert len(handed(calls(deployment_type="regional"), sku=(GLOBAL, REGIONAL))) == 1


def test_a_type_that_is_not_offered_is_refused_with_the_reason() -> None:
    ((field, expected),) = problems(calls(), models=(only(ALDER, REGIONAL),))
    assert field == "sku" and "Alder is not offered as Global; offered as Regional" in expected


def test_an_open_version_is_refused_with_the_choices() -> None:
    two = a_model(publisher="OpenAI", versions=("1", "2"))
    none = a_model("Birch", publisher="OpenAI")
    assert problems(calls(), models=(two,)) == [("model_version", "the version of Alder to deploy as Alder: 1, 2")]
    assert handed(calls(model_version="2"), models=(two,))[0].version == "2"
    assert problems(calls(model="Birch"), models=(none,)) == [
        ("model_version", "the version of Birch to deploy as Birch: the catalog knows none")
    ]


def test_the_format_of_other_publishers_must_be_given() -> None:
    other = a_model(publisher="Meta", versions=("1",))
    assert problems(calls(), models=(other,)) == [
        ("model_format", "the model format of Alder (Meta), which no source read gives")
    ]
    assert handed(calls(), models=(other,), model_format="Meta")[0].format == "Meta"
    assert handed(calls(), model_format="Meta")[0].format == "OpenAI"


def test_a_heading_is_no_name_that_azure_takes() -> None:
    heading = a_model("Oak 5", publisher="Forest")
    assert [
        field for field, _ in problems(calls(model="Oak 5", model_version="1"), models=(heading,), model_format="x")
    ] == ["model"]
    known = a_model("Oak 5", publisher="Forest", model_id="FW-Oak-5")
    assert handed(calls(model="Oak 5", model_version="1"), models=(known,), model_format="x")[0].model == "FW-Oak-5"


def test_every_problem_of_every_deployment_is_told_at_once() -> None:
    two = a_model("Birch", publisher="OpenAI", versions=("1", "2"))
    found = problems(calls(name="a"), calls(name="b", model="Birch"), models=(ALDER, two), sku=(GLOBAL, REGIONAL))
    assert [field for field, _ in found] == ["sku", "sku", "model_version"]


def test_a_place_that_is_not_known_is_remarked() -> None:
    unsure = a_model(publisher="OpenAI", versions=("1",), places={GLOBAL: Unknown("no table")})
    assert handed(calls(), models=(unsure,))[0].remarks == ("unsure whether it is offered: no table",)


# Names


def names(*workloads: object, **given: object) -> list[str]:
    return [one.name for one in handed(*workloads, **given)]


def test_names_that_were_made_up_are_fit_for_azure() -> None:
    two = [calls(1, name="a", region="northland"), calls(1, name="b", region="southland", deployment_type="data-zone")]
    found = handed(*two, spillover=Spillover())
    assert [(one.name, one.spillover and one.spillover.name, one.remarks) for one in found] == [
        ("alder-northland", "alder-northland-standard", ()),
        ("alder-data-zone-southland", "alder-data-zone-southland-standard", ()),
    ]
    assert names(calls(1), models=(a_model("Alder (2)", publisher="OpenAI", versions=("1",)), ALDER)) == ["Alder"]
    heading = a_model("Ünder Oak", publisher="OpenAI", versions=("1",))
    assert names(calls(1, model="Ünder Oak"), models=(heading,)) == ["nder-oak"]


def test_a_made_up_name_gives_way_to_one_that_was_given() -> None:
    made, given = calls(1, name="a", region="northland"), calls(1, name="b", deployment="ALDER-northland")
    other = calls(1, name="c", region="southland")
    assert names(made, given, other) == ["alder-northland-2", "ALDER-northland", "alder-southland"]


@pytest.mark.parametrize("name", ["a b", "it's", "a/b", "ü", "chat!"])
def test_a_given_name_that_azure_may_refuse_is_kept_and_remarked(name: str) -> None:
    (one,) = handed(calls(1, deployment=name))
    assert one.name == name
    assert one.remarks == (
        "Azure is said to take only letters, digits and _ - . in a deployment's name (third party): set `deployment:` "
        "of its workloads",
    )
    assert handed(calls(1, deployment="Az_0-9."))[0].remarks == ()


def test_names_that_differ_in_case_only_are_told_apart() -> None:
    found = handed(
        *(calls(1, name=name, deployment=name) for name in ("Chat", "chat", "CHAT-standard")), spillover=Spillover()
    )
    assert [(one.name, one.spillover and one.spillover.name) for one in found] == [
        ("Chat", "Chat-standard-2"),
        ("chat-2", "chat-2-standard"),
        ("CHAT-standard", "CHAT-standard-standard"),
    ]
    assert found[0].remarks == () and found[1].remarks == (
        "chat is named chat-2 here: another name differs from it in case only, which Azure ignores; set `deployment:` "
        "of its workloads",
    )


# Alert rules


def test_the_rules_watch_utilization_refused_and_spilled_calls() -> None:
    """Metric names, aggregations and dimensions: Microsoft's monitoring data reference of Azure OpenAI, 2026-09-29."""
    rules = alert_rules(handed(calls(37), spillover=Spillover()))
    utilization, requests = "AzureOpenAIProvisionedManagedUtilizationV2", "AzureOpenAIRequests"
    own = ("ModelDeploymentName", ("Alder",))
    assert [(r.metric, r.aggregation, r.operator, r.threshold, r.window_minutes, r.dimensions) for r in rules] == [
        (utilization, "Average", ">=", 85, 5, (own,)),
        (utilization, "Maximum", ">=", 100, 1, (own,)),
        (requests, "Total", ">", 0, 5, (own, ("StatusCode", ("429",)))),
        (requests, "Total", ">", 0, 5, (("ModelDeploymentName", ("Alder-standard",)), ("IsSpillover", ("True",)))),
    ]
    assert [r.severity for r in rules] == [2, 1, 1, 2] and "40 PTU" in rules[0].description


def test_without_spillover_there_is_nothing_spilled_to_watch() -> None:
    assert len(alert_rules(handed(calls(37)))) == 3


def test_rules_have_names_that_azure_takes_and_of_their_own() -> None:
    rules = alert_rules(handed(*(calls(1, name=name, deployment=name) for name in ("a b", "a/b", "A-B", "c"))))
    assert [rule.name for rule in rules[::3]] == [
        f"{name} utilization 85 percent" for name in ("a-b", "a-b-2", "A-B-3", "c")
    ]
