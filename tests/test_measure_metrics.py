"""The emulator's utilization, found in metrics as Azure Monitor writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from ptucalc.measure.metrics import UTILIZATION, utilization_of, whole_minutes


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
    found = utilization_of(document(), "chat", since="2026-11-22T12:01:00Z", before="2026-11-22T12:04:00Z")
    assert found == [Fraction(453, 1000), Fraction(1)]


def test_minutes_from_the_end_of_the_time_on_do_not_count() -> None:
    found = utilization_of(document(), "chat", since="2026-11-22T12:00:00Z", before="2026-11-22T12:03:00Z")
    assert found == [Fraction(99, 100), Fraction(453, 1000)]


@pytest.mark.parametrize(
    ("since", "until", "minutes"),
    [
        ((12, 0, 0), (12, 2, 0), ("12:00", "12:02")),
        ((12, 0, 0, 1), (12, 2, 59, 999_999), ("12:01", "12:02")),
        ((12, 0, 59), (12, 2, 0), ("12:01", "12:02")),
        ((12, 0, 1), (12, 1, 59), ("12:01", "12:01")),  # 118 s, none of them a whole minute
        ((23, 59, 1), (23, 59, 30), ("00:00", "23:59")),
    ],
)
def test_only_minutes_that_lie_wholly_in_the_time_are_looked_at(
    since: tuple[int, ...], until: tuple[int, ...], minutes: tuple[str, str]
) -> None:
    found = whole_minutes(*(datetime(2026, 11, 22, *at, tzinfo=UTC) for at in (since, until)))
    assert tuple(text[11:16] for text in found) == minutes
    assert all(text.endswith(":00Z") for text in found)


def test_another_deployment_or_metric_is_not_ours() -> None:
    assert utilization_of(document(deployment="other"), "chat", since="", before="z") == []
    assert utilization_of(document("AzureOpenAIRequests"), "chat", since="", before="z") == []


@pytest.mark.parametrize("odd", [None, [], {}, {"value": 7}, {"value": [None, {"name": 5}, {"timeseries": {}}]}])
def test_a_document_of_something_else_tells_nothing(odd: object) -> None:
    assert utilization_of(odd, "chat", since="", before="z") == []
