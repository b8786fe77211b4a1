"""The emulator's utilization, found in metrics as Azure Monitor writes them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ptucalc.measure.metrics import UTILIZATION, utilization_of


def document(name: str = UTILIZATION, deployment: str = "chat") -> dict:
    dimension = {"name": {"value": "modeldeploymentname"}, "value": deployment}
    data = [
        {"timeStamp": "2026-11-22T12:00:00Z", "average": 99},
        {"timeStamp": "2026-11-22T12:01:00Z", "average": 45.3},
        {"timeStamp": "2026-11-22T12:02:00Z"},
        {"timeStamp": "2026-11-22T12:03:00Z", "average": 100.0},
    ]
    return {"value": [{"name": {"value": name}, "timeseries": [{"metadatavalues": [dimension], "data": data}]}]}


def test_minutes_from_the_first_measured_one_on_count_and_those_without_a_value_do_not() -> None:
    found = utilization_of(document(), "chat", since="2026-11-22T12:01:00Z")
    assert found == [Fraction(453, 1000), Fraction(1)]


def test_another_deployment_or_metric_is_not_ours() -> None:
    assert utilization_of(document(deployment="other"), "chat", since="") == []
    assert utilization_of(document("AzureOpenAIRequests"), "chat", since="") == []


@pytest.mark.parametrize("odd", [None, [], {}, {"value": 7}, {"value": [None, {"name": 5}, {"timeseries": {}}]}])
def test_a_document_of_something_else_tells_nothing(odd: object) -> None:
    assert utilization_of(odd, "chat", since="") == []
