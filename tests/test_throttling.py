"""429 shares of a plan's deployments: which calls of a log each would serve, and calls made up."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from ptucalc.bucket_engine import PlainEngine
from ptucalc.call_trace import Call, CallTrace
from ptucalc.catalog import Unknown
from ptucalc.demand_profile import DemandProfile
from ptucalc.errors import Problem
from ptucalc.log_models import Served
from ptucalc.purchase import Purchase
from ptucalc.request_log import Stream
from ptucalc.throttling import MOST_MADE_UP, Throttled, made_up, matched_streams, of_log
from ptucalc.workload import LoadProfile

from .invented import GLOBAL, a_catalog, a_model, calls, weights

F = Fraction
HOURS = 730
ALDER, BIRCH = a_model(), a_model("Birch")
CATALOG = a_catalog(ALDER, BIRCH)


def buys(name: str, ptu: int = 10, model: str = "Alder") -> Purchase:
    return Purchase(name, model, None, GLOBAL, True, None, (name,), ptu, 10, F(1), None, None, None)


def stream(deployment: str, model: str = "") -> Stream:
    return Stream(deployment, model)


def test_calls_go_to_the_deployment_of_their_name_or_to_the_only_one_of_their_model() -> None:
    bought = [buys("Chat"), buys("other"), buys("birch-1", model="Birch")]
    serving = {
        stream("chat", "a"): Served(ALDER),
        stream("elsewhere", "b"): Served(BIRCH),
        stream("birch-1", "b"): Served(BIRCH),
        stream("birch-1", "a"): Served(ALDER),
        stream("", "a"): Served(ALDER),
        stream("x", "c"): Served(a_model("Cedar")),
        stream("y", "d"): Served(None, problem=Problem("model", "d", "a known model")),
    }
    found = matched_streams(bought, serving)
    assert found.streams == {
        "Chat": (stream("chat", "a"),),
        "birch-1": (stream("elsewhere", "b"), stream("birch-1", "b")),
    }
    two = "the plan has 2 deployments of Alder, none of that name"
    assert found.left == (
        (stream("birch-1", "a"), two),
        (stream("", "a"), two),
        (stream("x", "c"), "the plan has no deployment of Cedar"),
        (stream("y", "d"), "a known model (-m or --map-model says which)"),
    )


def engine_for(*_: int) -> PlainEngine:
    return PlainEngine()


def profile(unsized: bool = False) -> Any:
    return DemandProfile(start=0, length=1, thresholds=(128,), rows=()) if not unsized else _Unsized()


class _Unsized:
    unsized, thresholds = F(1), (128,)


SECOND = 1_000_000
FULL = CallTrace.of([Call(0, 10_000, 0), Call(0, 5, 0), Call(SECOND, 5, 0), Call(2 * SECOND, 5, 0)])
"""10 PTU drain 10,000 in the 60 s that the bucket holds: the first call fills it, so the second meets a 429; one second on
there is room."""


def test_the_429_share_is_that_of_a_log_at_the_ptu_of_the_plan() -> None:
    asked: list[Any] = []

    def trace_of(*of: Any) -> CallTrace:
        asked.append(of)
        return FULL

    here, there = stream("chat", "a"), stream("chat-2", "a")
    found, matched = of_log(
        [buys("chat"), buys("quiet", model="Birch")],
        {"chat": [calls()], "quiet": [calls(model="Birch")]},
        {here: profile(), there: profile()},
        {here: Served(ALDER), there: Served(ALDER)},
        trace_of,
        catalog=CATALOG,
        engine_for=engine_for,
        how="from a.csv",
    )
    assert found == {
        "chat": Throttled(F(1, 4), 4, "from a.csv"),
        "quiet": Throttled(Unknown("the log has no calls for it")),
    }
    assert asked == [((here, there),)]
    assert matched.left == ()


def test_more_ptu_meet_fewer_429s() -> None:
    found, _ = of_log(
        [buys("chat", ptu=15)],
        {"chat": [calls()]},
        {stream("chat", "a"): profile()},
        {stream("chat", "a"): Served(ALDER)},
        lambda *_: FULL,
        catalog=CATALOG,
        engine_for=engine_for,
        how="",
    )
    assert found["chat"].share == 0


def test_throttled_calls_of_unknown_size_are_the_mean_of_the_calls_that_ptu_take() -> None:
    asked: list[Any] = []
    limited = a_model(prompt_limit_tokens=128)
    of_log(
        [buys("chat")],
        {"chat": [calls()]},
        {stream("chat", "a"): profile(unsized=True)},
        {stream("chat", "a"): Served(limited)},
        lambda *of: (asked.append(of), FULL)[1],
        catalog=CATALOG,
        engine_for=engine_for,
        how="",
    )
    ((streams, bands),) = asked
    assert (streams, list(bands)) == ((stream("chat", "a"),), [0])


def make_up(rate: Any, ptu: int, *workloads: Any, catalog: Any = CATALOG, month: Any = None) -> Throttled:
    members = list(workloads) or [calls(rate, name="one")]
    per_month = F(month) if month is not None else F(rate) * HOURS * 60
    found = made_up(
        [buys("chat", ptu=ptu)],
        {"chat": members},
        {"chat": per_month},
        hours_per_month=HOURS,
        catalog=catalog,
        engine_for=engine_for,
    )
    return found["chat"]


def test_calls_are_made_up_for_a_day_at_the_peak() -> None:
    found = make_up(10, 1000)
    assert found.share == 0
    assert 14_000 < found.requests < 14_800  # 14,400 on average; the same ones each time
    assert found == make_up(10, 1000)
    assert found.how == "24 h of mean calls made up (poisson arrivals, seed 0); --log FILE takes real ones"


def test_too_little_ptu_shows_in_calls_that_are_made_up() -> None:
    found = make_up(30, 10)  # 30 PTU are needed
    assert isinstance(found.share, Fraction)
    assert F(6, 10) < found.share < F(7, 10)  # a third of the load can be served


@pytest.mark.parametrize(("beyond", "simulated"), [(0, True), (1, False)])
def test_so_many_calls_are_made_up_and_no_more(beyond: int, simulated: bool) -> None:
    found = make_up(1, 10, month=HOURS * (MOST_MADE_UP + beyond))  # a month of 730 hours; an hour is made up
    assert (not isinstance(found.share, Unknown)) == simulated
    if not simulated:
        reason = "about 2,000,001 calls would have to be made up: --log FILE, or ptucalc simulate"
        assert found.share == Unknown(reason)


@pytest.mark.parametrize(
    ("calls_per_hour", "hours"), [(83_333, "24 h"), (83_334, "23 h"), (666_667, "2 h"), (1_000_001, "1 h")]
)
def test_of_many_calls_fewer_hours_are_made_up(calls_per_hour: int, hours: str) -> None:
    """2,000,000 calls at most: 24 hours of 83,333.3 an hour. Made up are those of a call a minute, to be quick."""
    assert make_up(1, 10, month=HOURS * calls_per_hour).how.startswith(f"{hours} of mean calls")


def test_a_profile_of_a_week_is_gone_through_once() -> None:
    weekly = calls(None, name="w", profile=LoadProfile.from_hourly([1] * 168))
    assert make_up(1, 10, weekly).how.startswith("168 h of")
    levels = calls(None, name="l", profile=LoadProfile.from_levels([("1/2", 1), ("1/2", 1)]))
    assert make_up(1, 10, levels).how.startswith("24 h of")


def test_images_cannot_be_made_up() -> None:
    picture = calls(1, name="art", image_input_tokens=5)
    found = make_up(1, 10, picture)
    assert found.share == Unknown("image_input_tokens: expected a workload without images, got art")


def test_the_users_output_weight_is_taken_where_none_is_published() -> None:
    secret = a_catalog(a_model(weights=weights(output=Unknown("secret"))))
    one, two = (calls(10, output_tokens=100, output_weight=w, name=str(w)) for w in (5, 6))
    assert make_up(10, 1000, one, catalog=secret).share == 0
    differing = make_up(10, 1000, one, two, catalog=secret)
    assert differing.share == Unknown("its workloads give different output weights")
    lacking = make_up(10, 1000, calls(10, output_tokens=100), catalog=secret).share
    assert isinstance(lacking, Unknown)
    assert "secret" in lacking.reason
