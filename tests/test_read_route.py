"""Route files: what they say, and all that can be wrong with them, each with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ptucalc.errors import BadInput, Problem
from ptucalc.read.route import read_route, read_route_file, read_route_text
from ptucalc.routing import Outage, Provisioned, Retry, Route, Standard, WaitWhere

from .invented import DATA_ZONE, a_catalog, a_model

CATALOG = a_catalog(a_model(), a_model("Birch"))
HOUR = 3_600_000_000

WHOLE = """\
schema: ptucalc.route-file/1
backends:
  - name: ptu
    kind: provisioned
    model: birch
    deployment_type: data-zone
    region: northland
    ptu: 15
    window_seconds: 0.5
    priority: 0
    weight: 3
    down:
      - {from: 1970-01-01T01:00Z, to: 1970-01-01T03:00+01:00}
  - name: rest
    kind: standard
    region: elsewhere
    tpm: 2000
    rpm: 12
    rpm_window_seconds: 10
retry:
  attempts_per_backend: 2
  attempts: 3
  wait: last
  longest_wait_ms: 500
  trip_on_retry_after: true
  trip_when_down_seconds: 30
seed: 7
failover_ms: 5
"""


def read(text: str) -> Route:
    return read_route_text(text, "r.yaml", CATALOG)


def wrong(text: str) -> list[str]:
    with pytest.raises(BadInput) as error:
        read(text)
    assert error.value.lines == text.splitlines()
    return [str(problem) for problem in error.value.problems]


def test_a_route_file_says_all_of_a_route(tmp_path: Path) -> None:
    birch, _ = CATALOG.find("Birch")
    expected = Route(
        backends=(
            Provisioned(
                name="ptu",
                model=birch,
                deployment_type=DATA_ZONE,
                region="northland",
                ptu=15,
                window_us=500_000,
                priority=0,
                weight=3,
                down=(Outage(HOUR, 2 * HOUR),),
            ),
            Standard(name="rest", region="elsewhere", tpm=2000, rpm=12, rpm_window_seconds=10),
        ),
        retry=Retry(
            attempts_per_backend=2,
            attempts=3,
            wait=WaitWhere.LAST,
            longest_wait_ms=500,
            trip_on_retry_after=True,
            trip_when_down_ms=30_000,
        ),
        seed=7,
        failover_ms=5,
        relative_clock=False,
    )
    path = tmp_path / "route.yaml"
    path.write_text(WHOLE)
    assert read(WHOLE) == expected == read_route(path, CATALOG)


def test_what_a_route_file_leaves_out_is_as_a_route_has_it() -> None:
    found = read("backends: [{name: a, kind: provisioned, ptu: 1}, {name: b, kind: standard}]")
    assert found == Route(backends=(Provisioned(name="a", ptu=1), Standard(name="b")))
    assert found.backends[0].window_us == 60_000_000  # type: ignore[union-attr]
    assert found.relative_clock is None


def test_times_may_count_from_the_start_of_the_calls() -> None:
    found = read("backends: [{name: a, kind: standard, down: [{from: 0, to: 90s}, {from: 1h, to: 2h}]}]")
    assert found.backends[0].down == (Outage(0, 90_000_000), Outage(HOUR, 2 * HOUR)) and found.relative_clock is True


def test_every_problem_is_told_with_its_line() -> None:
    assert wrong(
        "backends:\n"
        "  - name: a\n"
        "    kind: provisioned\n"
        "    model: Aldr\n"
        "    ptu: 0\n"
        "    windw_seconds: 3\n"
        "    region: northlnd\n"
        "    down: [{from: 1h, to: 30m}, {to: noon}]\n"
        "  - kind: standard\n"
        "    ptu: 3\n"
        "    weight: 0\n"
        "    rpm_window_seconds: 60\n"
        "  - 5\n"
        "  - {name: A, kind: standard, tpm: [], priority: -1}\n"
        "  - {name: c, kind: other, window_seconds: 1}\n"
        "retry: {wait: sometimes, trip_on_retry_after: yes, attempts: 0}\n"
        "sed: 3\n"
        "failover_ms: 1.5\n"
    ) == [
        "r.yaml:4:12, backends[0].model: expected a known model: Alder?, got Aldr",
        "r.yaml:5:10, backends[0].ptu: expected a whole number, 1 or more, got 0",
        "r.yaml:6:5, backends[0].windw_seconds: expected window_seconds, got windw_seconds",
        "r.yaml:7:13, backends[0].region: expected a region that some PTU model is listed in: northland?, got northlnd",
        "r.yaml:8:27, backends[0].down[0].to: expected a time after `from`, got 30m",
        "r.yaml:8:33, backends[0].down[1]: expected a value for from, got (empty)",
        "r.yaml:8:38, backends[0].down[1].to: expected a time with its zone such as 2026-11-10T09:00Z, or one since the "
        "start of the calls such as 90m, got noon",
        "r.yaml:9:5, backends[1]: expected a value for name, got (empty)",
        "r.yaml:10:5, backends[1].ptu: expected one of name, kind, model, deployment_type, region, priority, weight, down, "
        "tpm, rpm, rpm_window_seconds, got ptu",
        "r.yaml:11:13, backends[1].weight: expected a whole number, 1 to 1,000,000, got 0",
        "r.yaml:12:25, backends[1].rpm_window_seconds: expected 1 or 10 seconds, over which Azure checks RPM, got 60",
        "r.yaml:13:5, backends[2]: expected a mapping with name and kind, got 5",
        "r.yaml:14:12, backends[3].name: expected a name that no other backend has, got A",
        "r.yaml:14:36, backends[3].tpm: expected one value, got a list",
        "r.yaml:14:50, backends[3].priority: expected a whole number, 0 to 1,000, got -1",
        "r.yaml:15:21, backends[4].kind: expected provisioned or standard, got other",
        "r.yaml:16:15, retry.wait: expected one of never, here, last, got sometimes",
        "r.yaml:16:47, retry.trip_on_retry_after: expected true or false, got yes",
        "r.yaml:16:62, retry.attempts: expected a whole number, 1 to 10,000, got 0",
        "r.yaml:17:1, sed: expected seed, got sed",
        "r.yaml:18:14, failover_ms: expected a whole number, 0 to 86,400,000, got 1.5",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "route: expected a mapping with backends, got (empty)"),
        ("- 1", "route: expected a mapping with backends, got ['1']"),
        ("seed: 1", "backends: expected a list of one or more backends, got (empty)"),
        ("backends: []", "r.yaml:1:11, backends: expected a list of one or more backends, got (empty)"),
        ("backends: 5", "r.yaml:1:11, backends: expected a list of one or more backends, got 5"),
        ("schema: x\nbackends: [{name: a, kind: standard}]", "schema: expected ptucalc.route-file/1, got x"),
        ("retry: 3\nbackends: [{name: a, kind: standard}]", "retry: expected a mapping of attempts_per_backend, "),
        ("backends: [{name: a, kind: standard, down: now}]", "expected a list of {from: ..., to: ...}, got now"),
        ("backends: [{name: a, kind: standard, down: [now]}]", "down[0]: expected {from: ..., to: ...}, got now"),
        ("backends: [{name: a, kind: standard, tpm: }]", "tpm: expected a value, got (empty)"),
        ("backends: [{name: a, kind: provisioned}]", "backends[0]: expected a value for ptu, got (empty)"),
        ("backends: [{name: a, kind: provisioned, ptu: 1, window_seconds: 0}]", "expected seconds over 0, such as 60"),
        ("backends: [{name: a, kind: provisioned, ptu: 1, window_seconds: 86401}]", "expected seconds over 0"),
        ("backends: [{name: ' ', kind: standard}]", "name: expected a name of at most 100 characters"),
        (
            "backends: [{name: a, kind: standard}]\nretry: {attempts_per_backend: 2}",
            "r.yaml:2:31, retry.attempts_per_backend: expected 1, or `wait: here` or `wait: last` beside it",
        ),
        (
            "backends: [{name: a, kind: standard, down: [{from: 1h, to: 2026-11-10T09:00Z}]}]",
            "backends: expected all times of `down` alike",
        ),
        (
            "backends: [{name: a, kind: standard, down: [{from: 2026-11-10T09:00, to: 2026-11-10T10:00Z}]}]",
            "from: expected a time with its zone such as 2026-11-10T09:00Z",
        ),
    ],
)
def test_a_wrong_file_is_refused(text: str, expected: str) -> None:
    (found,) = wrong(text)
    assert expected in found


def test_a_route_has_at_most_a_hundred_backends() -> None:
    def of(count: int) -> str:
        return "seed: 1\nbackends:\n" + "".join(f"  - {{name: b{n}, kind: standard}}\n" for n in range(count))

    assert len(read(of(100)).backends) == 100
    assert wrong(of(101)) == ["r.yaml:3:3, backends: expected at most 100, got 101 backends"]
    assert wrong("sed: 1\n" + of(101))[0].startswith("r.yaml:1:1, sed: ")  # told with all else
    assert len(wrong("sed: 1\n" + of(101))) == 2
    backends = read(of(100)).backends
    with pytest.raises(BadInput, match="backends: expected at most 100, got 101 backends"):
        Route(backends=(*backends, Standard(name="more")))


def test_a_problem_that_shows_with_the_calls_is_placed_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("backends:\n  - name: a\n    kind: standard\n    down:\n      - {from: 30m, to: 1h}\n")
    file = read_route_file(path, CATALOG)
    assert str(file.placed(Problem("backends[0].down", "x", "y"))) == "r.yaml:5:7, backends[0].down: expected y, got x"
    assert str(file.placed(Problem("backends[0].model", "x", "y"))).startswith("r.yaml:2:5, backends[0].model: ")
    assert str(file.placed(Problem("backends[0]", "x", "y", label="backend a"))).startswith("r.yaml:2:5, backend a: ")
    elsewhere = Problem("calls", "", "at least one call")
    assert file.placed(elsewhere) == elsewhere
