"""`ptucalc emulate`: what it serves from flags and files, how it refuses, how it stops."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

httpx = pytest.importorskip("httpx", reason="the client of these tests")
pytest.importorskip("starlette", reason="comes with ptucalc[emulate]")
pytest.importorskip("uvicorn", reason="comes with ptucalc[emulate]")

from ptucalc import load_catalog  # noqa: E402
from ptucalc.cli.emulate_flags import EmulateFlags  # noqa: E402
from ptucalc.cli.emulate_runs import _wanted  # noqa: E402
from ptucalc.routing import Provisioned, Standard  # noqa: E402

ROOT = Path(__file__).parent.parent
PLAN = """\
deployments:
  - name: chat
    model: gpt-4.1
    ptu: 50
    window: 10
    spillover: payg
  - {name: payg, model: gpt-4.1, tpm: 100000, rpm: 600, rpm_window: 10}
"""


def wanted(**flags: Any) -> Any:
    return _wanted(EmulateFlags(**flags), load_catalog())[0].source


def test_a_deployment_is_named_after_its_model() -> None:
    (one,) = wanted(model="GPT-4.1", ptu="50").deployments
    assert (one.name, one.backend.ptu, one.backend.window_us, one.spillover) == ("gpt-4.1", 50, 60_000_000, None)
    (one,) = wanted(model="gpt-4.1", ptu="50", deployment="chat-prod", window="10s").deployments
    assert (one.name, one.backend.window_us) == ("chat-prod", 10_000_000)


def test_a_standard_deployment_stands_alone_or_beside() -> None:
    (one,) = wanted(model="gpt-4.1", standard_tpm="30000", standard_rpm="90", standard_window="10").deployments
    assert isinstance(one.backend, Standard)
    assert (one.name, one.backend.tpm, one.backend.rpm, one.backend.rpm_window_seconds) == ("gpt-4.1", 30_000, 90, 10)
    chat, payg = wanted(model="gpt-4.1", ptu="15", standard_tpm="30000", spillover=True).deployments
    assert isinstance(chat.backend, Provisioned)
    assert (chat.spillover, payg.name) == ("gpt-4.1-standard", "gpt-4.1-standard")
    assert payg.backend.rpm == 30  # 1 RPM comes with each 1,000 TPM of gpt-4.1
    assert wanted(model="gpt-4.1", ptu="15", standard_tpm="30000").deployments[0].spillover is None


def test_a_file_has_several_deployments(tmp_path: Path) -> None:
    path = tmp_path / "deployments.yaml"
    path.write_text(PLAN)
    chat, payg = wanted(file=str(path)).deployments
    assert (chat.name, chat.model.name, chat.backend.ptu, chat.backend.window_us) == ("chat", "gpt-4.1", 50, 10_000_000)
    assert chat.spillover == "payg"
    assert (payg.backend.tpm, payg.backend.rpm, payg.backend.rpm_window_seconds) == (100_000, 600, 10)


def test_everything_wrong_in_a_file_is_told_with_its_line(refuses: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "deployments.yaml"
    path.write_text(
        "deployments:\n"
        "  - {name: a b, model: gpt-4.1, ptu: none}\n"
        "  - {model: gpt-4.l, tpm: 1000}\n"
        "  - {model: gpt-4.1, ptu: 15, tpm: 5}\n"
        "  - {model: gpt-4.1}\n"
        "  - {ptu: 15, color: red}\n"
        "  - just text\n"
        "limits: {}\n"
    )
    said = refuses("emulate", path)
    for line, what in (
        (2, "deployments[0].name"),
        (2, "deployments[0].ptu"),
        (3, "deployments[1].model"),
        (4, "deployments[2].tpm"),
        (5, "deployments[3]"),
        (6, "deployments[4].color"),
        (7, "deployments[5]"),
        (8, "limits"),
    ):
        assert any(f"deployments.yaml:{line}:" in each and what in each for each in said.splitlines()), (line, said)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--ptu", "15"], ["--model: (empty)"]),
        (["-m", "gpt-4.1"], ["--ptu: (empty)"]),
        (["-m", "gpt-4.l", "--ptu", "x", "--port", "70000"], ["--model: gpt-4.l", "--ptu: x", "--port: 70000"]),
        (["-m", "gpt-4.1", "--ptu", "15", "--spillover"], ["--spillover"]),
        (["-m", "gpt-4.1", "--standard-tpm", "9", "--window", "10"], ["--window: 10 should be beside --ptu"]),
        (["-m", "gpt-4.1", "--ptu", "15", "--standard-window", "10"], ["--standard-window: 10"]),
        (["-m", "gpt-4.1", "--ptu", "15", "--log", "calls.txt"], ["--log: calls.txt", ".csv or .jsonl"]),
        (["-m", "gpt-4.1", "--ptu", "15", "--log", "there.csv"], ["--log: there.csv", "not there yet"]),
        (["-m", "gpt-4.1", "--ptu", "15", "--output-tokens", "9-8"], ["--output-tokens: 9-8"]),
        (["-m", "gpt-4.1", "--ptu", "15", "--latency-spread", "2"], ["--latency-spread: 2"]),
        (["-m", "gpt-4.1", "--ptu", "15", "--deployment", "a/b"], ["--deployment: a/b"]),
        (["-m", "gpt-6-sol", "--ptu", "15"], ["--model: gpt-6-sol", "--approx"]),
        (["missing.yaml"], ["missing.yaml"]),
        (["missing.yaml", "--ptu", "15", "-m", "gpt-4.1"], ["--model: gpt-4.1 should be left out", "--ptu: 15"]),
    ],
)
def test_wrong_flags_are_refused_before_anything_is_opened(
    refuses: Callable[..., str], in_tmp: Path, flags: list[str], words: list[str]
) -> None:
    (in_tmp / "there.csv").write_text("mine")
    said = refuses("emulate", *flags)
    assert all(word in said for word in words), said
    assert (in_tmp / "there.csv").read_text() == "mine"


def test_a_model_without_an_encoding_is_served_by_characters() -> None:
    flags = EmulateFlags(model="gpt-6-sol", ptu="50", approx=True)
    _, countings = _wanted(flags, load_catalog())
    assert countings["gpt-6-sol"].encoding is None


def test_without_the_extra_it_says_what_to_install(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptucalc.cli.emulate_runs.find_spec", lambda name: None if name == "uvicorn" else object())
    ran = cli("emulate", "-m", "gpt-4.1", "--ptu", "15")
    assert ran.code == 2 and "pip install 'ptucalc[emulate]'" in ran.err and "uvicorn" in ran.err


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_ctrl_c_stops_it_and_the_log_is_whole(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    log = tmp_path / "calls.csv"
    command = [sys.executable, "-m", "ptucalc", "emulate", "-m", "gpt-4.1", "--ptu", "50", "--port", "0", "--log", log]
    command += ["--latency-scale", "4"]
    running = subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        # a shell's background job, as these tests may be, ignores Ctrl-C, and hands that on
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert running.stderr is not None
    address = running.stderr.readline().split()[2].rstrip(";")
    body = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}
    url = f"{address}/openai/v1/chat/completions"
    for _ in range(100):
        try:
            assert httpx.post(url, headers={"api-key": "k"}, json=body, timeout=10).status_code == 200
            break
        except httpx.ConnectError:
            pass
    long = {**body, "max_tokens": 9999}
    with pytest.raises(httpx.ReadTimeout):  # an answer of 200 tokens takes longer
        httpx.post(url, headers={"api-key": "k"}, json=long, timeout=0.3)
    patient = Thread(target=lambda: _patiently(url, {**long, "stream": True}), daemon=True)
    patient.start()
    time.sleep(0.2)
    running.send_signal(sent)
    out, err = running.communicate(timeout=20)
    assert running.returncode == code
    assert "Traceback" not in err and "1 served" in out
    rows = log.read_text().splitlines()
    assert [row.split(",")[9] for row in rows[1:]] == ["200", "499", "499"]


def _patiently(url: str, body: Any) -> None:
    with contextlib.suppress(httpx.HTTPError):
        httpx.post(url, headers={"api-key": "k"}, json=body, timeout=20)


# Behind a route

ROUTE = """\
backends:
  - {name: ptu-east, kind: provisioned, ptu: 15, deployment_type: data-zone, region: eastus2, down: [{from: 30m, to: 1h}]}
  - {name: nano, kind: standard, model: gpt-4.1-nano, tpm: 60000, priority: 2}
"""


def test_a_route_stands_behind_the_models_name_or_another(tmp_path: Path) -> None:
    path = tmp_path / "route.yaml"
    path.write_text(ROUTE)
    source = wanted(model="GPT-4.1", route=str(path))
    assert (source.door.name, source.door.model.name) == ("gpt-4.1", "gpt-4.1")
    ptu, nano = source.deployments
    assert (ptu.name, ptu.backend.ptu, ptu.model.name, ptu.relative_clock) == ("ptu-east", 15, "gpt-4.1", True)
    assert (nano.model.name, nano.backend.tpm, nano.backend.rpm) == ("gpt-4.1-nano", 60_000, 60)
    assert wanted(model="gpt-4.1", route=str(path), deployment="chat").door.name == "chat"
    assert wanted(model="gpt-4.1", route=str(ROOT / "examples/route.yaml")).deployments[0].relative_clock is False


def test_a_route_says_what_flags_would_say(refuses: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "route.yaml"
    path.write_text(ROUTE)
    said = refuses("emulate", "--route", path, "-m", "gpt-4.1", "--ptu", "15", "--standard-rpm", "6", "--spillover")
    for flag in ("--ptu: 15", "--standard-rpm: 6", "--spillover: given"):
        assert f"{flag} should be left out: the route says it" in said
    assert "FILE: deployments.yaml should be left out" in refuses("emulate", "deployments.yaml", "--route", path)


def test_what_is_wrong_with_a_route_is_told_before_it_is_served(refuses: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "route.yaml"
    path.write_text("backends:\n  - {name: a b, kind: standard}\n  - {name: GPT-4.1, kind: standard}\n")
    said = refuses("emulate", "--route", path, "-m", "gpt-4.1")
    assert "backends[0].name: a b" in said and "letters, digits" in said
    assert "backends[1].name: GPT-4.1" in said and "another name than the gateway's" in said
    assert "--model: (empty)" in refuses("emulate", "--route", path)
    path.write_text("backends:\n  - {name: a, kind: standard, colour: red}\n")
    assert f"{path.name}:2" in refuses("emulate", "--route", path, "-m", "gpt-4.1")


def test_a_deployment_of_a_file_is_down_when_it_says_so(refuses: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "deployments.yaml"
    path.write_text("deployments:\n  - {model: gpt-4.1, ptu: 15, down: [{from: 1h, to: 2h}]}\n")
    (one,) = wanted(file=str(path)).deployments
    assert one.relative_clock and one.backend.down == ((3_600_000_000, 7_200_000_000),)
    path.write_text(
        "deployments:\n"
        "  - {model: gpt-4.1, ptu: 15, down: [{from: 2h, to: 1h}]}\n"
        "  - {name: b, model: gpt-4.1, ptu: 15, down: [{from: 2026-11-11T09:00Z, to: 2026-11-11T10:00Z}]}\n"
    )
    said = refuses("emulate", path)
    assert "deployments.yaml:2" in said and "a time after `from`" in said and "all times of `down` alike" in said


# A plan

PLAN_OF_WORKLOADS = """\
headroom: 10%
spillover: {thousand_tpm: 100}
workloads:
  - {name: chat, model: gpt-4.1, requests_per_minute: 60, input_tokens: 1000, output_tokens: 100, deployment_type: data-zone}
  - {name: night, model: gpt-4.1, requests_per_minute: 60, input_tokens: 1000, output_tokens: 100, deployment_type: data-zone}
  - {name: notes, model: gpt-4.1-nano, requests_per_minute: 60, input_tokens: 1000, output_tokens: 100, deployment: notes}
"""


def test_a_plan_is_served_as_size_sizes_it(tmp_path: Path) -> None:
    from ptucalc import size
    from ptucalc.read.workloads import read_workloads

    path = tmp_path / "plan.yaml"
    path.write_text(PLAN_OF_WORKLOADS)
    source = wanted(file=str(path), window="10")
    shared, shared_standard, notes, notes_standard = source.deployments
    result = size(read_workloads(path), sku="global", headroom="10%")
    assert [shared.backend.ptu, notes.backend.ptu] == [
        next(iter(each.sizes.values())).ptu for each in result.deployments
    ]
    assert (shared.name, shared.backend.deployment_type.value) == ("gpt-4.1", "data-zone")
    assert (shared.spillover, shared_standard.name) == ("gpt-4.1-standard", "gpt-4.1-standard")
    assert (shared_standard.backend.tpm, shared_standard.backend.rpm) == (100_000, 100)
    assert shared.backend.window_us == 10_000_000
    assert (notes.name, notes_standard.name) == ("notes", "notes-standard")
    assert source.aliases == {"chat": "gpt-4.1", "night": "gpt-4.1"}
    assert any("gpt-4.1" in each and "chat, night" in each for each in source.remarks)
    assert any("`ptucalc size` recommends, with headroom 10%" in each for each in source.remarks)


@pytest.mark.parametrize("name", ["plan.yaml", "plans/october.yaml", "workloads.csv"])
def test_plans_of_the_examples_are_served(name: str) -> None:
    source = wanted(file=str(ROOT / "examples" / name), approx=True)
    assert source.deployments and all(isinstance(each.backend, Provisioned) for each in source.deployments)
    assert all(each.spillover is None for each in source.deployments)


def test_a_plan_with_boundless_spillover_has_standard_deployments_that_take_everything(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN_OF_WORKLOADS.replace("{thousand_tpm: 100}", "true"))
    source = wanted(file=str(path))
    assert (source.deployments[1].backend.tpm, source.deployments[1].backend.rpm) == (None, None)
    assert any("no limit" in each for each in source.remarks)


def test_a_plans_mistakes_are_told_as_size_tells_them(refuses: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN_OF_WORKLOADS.replace("input_tokens: 1000", "input_tokens: many").replace("nano", "nanno"))
    told = refuses("size", path)
    assert refuses("emulate", path) == told.replace("size", "emulate")
    path.write_text(PLAN_OF_WORKLOADS)
    said = refuses("emulate", path, "--ptu", "15", "-m", "gpt-4.1", "--spillover")
    assert said.count("should be left out: the file says it") == 3


def test_a_workloads_name_reaches_its_deployment(tmp_path: Path) -> None:
    from ptucalc.serve.emulator import Emulator

    path = tmp_path / "plan.yaml"
    path.write_text(PLAN_OF_WORKLOADS)
    found, countings = _wanted(EmulateFlags(file=str(path)), load_catalog())
    running = Emulator(found.source.deployments, countings, shape=found.shape, aliases=found.source.aliases)
    shared = running.find("NIGHT")
    assert shared is not None and shared is running.find("chat") is running.find("gpt-4.1")
    assert [name for name, _ in running.names] == [each.name for each in found.source.deployments]
