"""`ptucalc bench` from its flags to its report: what it says, what it refuses, what it never shows."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from ptucalc.bench_documents import BenchDocument
from ptucalc.read.catalog import load_catalog

from .fake_deployment import deployment

pytest.importorskip("httpx", reason="ptucalc bench needs the extra ptucalc[bench]")

SECRET = "k3y/of+a=test"  # noqa: S105
QUICK = ("-m", "gpt-4.1", "--input-tokens", "60", "--output-tokens", "10", "--warm-up", "0")


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", SECRET)
    for name in ("OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


def document(text: str) -> dict:
    written = json.loads(text)
    assert TypeAdapter(BenchDocument).validate_python(written, strict=True) == written
    return written


def test_a_dry_run_says_what_it_would_send_and_sends_nothing(cli: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_OPENAI_API_KEY")
    ran = cli("bench", "-m", "gpt-4.1", "--rpm", "600", "--duration", "1m", "--shape", "context", "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    # 600 calls of 2,000 in at $2 and 200 out at $8 a million: $2.40 + $0.96.
    said = " ".join(ran.out.split())
    assert "at most 600 requests in 1 min, 1,200,000 input and 120,000 output tokens ($3.36 on pay-as-you-go" in said


def test_the_json_of_a_dry_run_has_no_figures(cli: Callable) -> None:
    ran = cli(
        "bench", "-m", "gpt-4.1", "--rpm", "60", "--max-requests", "40", "--policy", "retry", "--dry-run", "--json"
    )
    found = document(ran.out)
    assert (found["stopped_by"], found["measured"], found["calibration"], found["started"]) == (
        "dry-run",
        None,
        None,
        None,
    )
    assert (found["at_most"]["requests"], found["at_most"]["capped"]) == (40, True)
    assert (found["setting"]["policy"], found["setting"]["max_retries"]) == ("retry", 2)


def test_a_run_says_first_what_it_sends_then_what_it_measured(cli: Callable) -> None:
    with deployment() as fake:
        ran = cli("bench", *QUICK, "--endpoint", fake.url, "--rpm", "1200", "--duration", "1s", "--json", "--seed", "9")
        assert len(fake.requests) == 20
    assert ran.code == 0
    assert ran.err.startswith("Sends  at most 20 requests in 1 s, 1,200 input and 200 output tokens ($0.01 on pay")
    found = document(ran.out)
    measured = found["measured"]
    assert (measured["requests"], measured["served"], measured["seconds"], found["stopped_by"]) == (20, 20, 1, "done")
    # The last of 20 calls is to start after 950 ms and takes 30 ms: on a busy machine it may end after the second.
    ended = measured["served_within_the_time"]
    assert 15 <= ended <= 20
    assert measured["per_minute"]["requests"] == 60 * ended
    # 60 in x 1 + 10 out x 4 = 100 weighted tokens a call.
    assert measured["per_minute"]["weighted"] == 6000 * ended
    assert measured["time_to_first_token_ms"]["p50"] >= 20
    assert found["setting"]["seed"] == 9
    assert found["utilization"] is None and "no whole clock minute" in found["utilization_reason"]


def test_the_same_figures_come_as_csv_and_markdown(cli: Callable) -> None:
    with deployment(first_token_s=0) as fake:
        asked = ("bench", *QUICK, "--endpoint", fake.url, "--ramp", "600:1200:600", "--step", "1s")
        rows = list(csv.DictReader(io.StringIO(cli(*asked, "-o", "csv").out)))
        page = cli(*asked, "-o", "markdown").out
    assert [(row["step"], row["requests_per_minute"], row["served"]) for row in rows] == [
        ("", "", "30"),
        ("1", "600", "10"),
        ("2", "1200", "20"),
    ]
    assert "| First token |" in page and "no step met a 429" in page


def test_the_warm_up_is_in_no_figure(cli: Callable) -> None:
    with deployment(first_token_s=0) as fake:
        asked = ("--rpm", "600", "--duration", "2s", "--warm-up", "1s", "--json")
        found = document(cli("bench", *QUICK[:-2], "--endpoint", fake.url, *asked).out)
        assert len(fake.requests) == 20
    assert (found["measured"]["requests"], found["measured"]["seconds"]) == (10, 1)


def test_a_ramp_tells_the_onset_of_429s(cli: Callable) -> None:
    # 10 calls a second of 100 weighted tokens are served, 30 are not: it drains 2,000 a second.
    with deployment(first_token_s=0, between_s=0, drain=2000, window_s=0.2) as fake:
        asked = ("--ramp", "600:3600:1200", "--step", "1s", "--json")
        found = document(cli("bench", *QUICK, "--endpoint", fake.url, *asked).out)
    assert found["onset"] == {"highest_rpm_without_429": 600, "first_rpm_with_429": 1800}
    assert found["stopped_by"] == "ramp"
    assert [step["requests_per_minute"] for step in found["steps"]] == [600, 1800]
    assert found["steps"][1]["measured"]["responses_429"] > 0
    assert found["measured"]["retry_after_ms"]["p50"] == 40


def test_concurrency_keeps_so_many_calls_under_way(cli: Callable) -> None:
    with deployment(first_token_s=0.2, between_s=0) as fake:
        asked = ("--concurrency", "4", "--duration", "1s", "--json")
        found = document(cli("bench", *QUICK, "--endpoint", fake.url, *asked).out)
    assert 8 <= found["measured"]["served"] <= 20  # each of four callers up to five times
    assert (found["setting"]["load"], found["setting"]["concurrency"]) == ("concurrency", 4)


def test_a_chosen_share_of_the_prompts_is_the_same(cli: Callable) -> None:
    with deployment(first_token_s=0) as fake:
        asked = ("--input-tokens", "1000", "--output-tokens", "5", "--cache-ratio", "40%", "--rpm", "600")
        ran = cli(
            "bench", "-m", "gpt-4.1", *asked, "--endpoint", fake.url, "--duration", "1s", "--warm-up", "0", "--json"
        )
        texts = [request["messages"][0]["content"].split() for request in fake.requests]
    # 400 tokens, 4 of which frame the message before its text.
    assert len({tuple(words[:396]) for words in texts}) == 1
    assert len({tuple(words[396:404]) for words in texts}) == 10
    codes = {note["code"] for note in document(ran.out)["notes"]}
    assert "under_cache_minimum" in codes  # the cache keeps 1,024 tokens and more


def test_a_log_is_replayed_with_its_times_and_sizes(cli: Callable, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    stamps = ("00:00:00.000", "00:00:00.500", "00:00:04.000")
    lines = [f"2026-11-01T{at}Z,gpt-4.1,{100 + n},{10 + n}" for n, at in enumerate(stamps)]
    log.write_text("\n".join(["timestamp,model,input_tokens,output_tokens", *lines]) + "\n")
    with deployment(first_token_s=0) as fake:
        asked = (
            log,
            "-m",
            "gpt-4.1",
            "--endpoint",
            fake.url,
            "--warm-up",
            "0",
            "--speed",
            "4",
            "--duration",
            "2s",
            "--json",
        )
        found = document(cli("bench", *asked).out)
        limits = [request["max_completion_tokens"] for request in fake.requests]
    assert limits == [10, 11, 12]
    assert (found["setting"]["load"], found["setting"]["calls_from"]) == ("replay", "3 calls of a log")
    assert found["at_most"]["input_tokens"] == 303
    assert found["measured"]["per_minute"]["input_tokens"] == 303 * 30


def test_the_workloads_of_a_plan_are_played_together_at_their_peaks(cli: Callable, tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text(
        "name,model,requests_per_minute,input_tokens,output_tokens\nchat,gpt-4.1,600,100,10\nrag,gpt-4.1,1200,200,5\nold,gpt-4o,60,50,5\n"
    )
    base = ("bench", plan, "-m", "gpt-4.1", "--duration", "1s", "--warm-up", "0", "--dry-run", "--json")
    found = document(cli(*base, "--only", "chat", "--only", "rag").out)
    assert (found["at_most"]["requests"], found["at_most"]["input_tokens"]) == (30, 10 * 100 + 20 * 200)
    assert found["setting"]["requests_per_minute"] == 1800
    assert "workloads of gpt-4.1 only" in cli(*base[:-1]).err
    assert "a workload of the file: chat, rag, old" in cli(*base[:-1], "--only", "none").err


def test_calibration_finds_the_drain_and_writes_an_overlay_that_loads(cli: Callable, tmp_path: Path) -> None:
    overlay = tmp_path / "measured.yaml"
    # It drains 1,500 a second, 90,000 a minute: on 20 PTU 4,500 a PTU, where the catalog says 3,000.
    with deployment(first_token_s=0.01, between_s=0, drain=1500, window_s=0.5) as fake:
        asked = ("--rpm", "1800", "--duration", "5s", "--calibrate", "--ptu", "20", "--save-catalog", overlay, "--json")
        ran = cli("bench", *QUICK, "--endpoint", fake.url, "--deployment", "very-own-name", *asked)
    found = document(ran.out)["calibration"]
    assert ran.code == 0
    assert found["tpm_per_ptu_at_least"] <= 4500 <= found["tpm_per_ptu_at_most"]
    assert found["tpm_per_ptu_at_most"] - found["tpm_per_ptu_at_least"] < 900  # a tenth either way
    assert (found["verdict"], found["catalog_tpm_per_ptu"]) == ("higher", 3000)
    assert "saturates the deployment" in ran.err
    text = overlay.read_text()
    assert found["use_tpm_per_ptu"] == int(found["tpm_per_ptu_at_least"])
    assert load_catalog(overlay).find("gpt-4.1")[0].tpm_per_ptu == found["use_tpm_per_ptu"]
    for secret in (SECRET, fake.url, "127.0.0.1", "very-own-name"):
        assert secret not in text
    sized = cli("size", *QUICK[:-2], "--rpm", "60", "--catalog", overlay)
    assert (sized.code == 0 and "measured-" in sized.out + sized.err) or sized.code == 0


def test_a_deployment_that_is_never_full_is_not_calibrated(cli: Callable, tmp_path: Path) -> None:
    overlay = tmp_path / "measured.yaml"
    with deployment(first_token_s=0) as fake:
        asked = ("--rpm", "600", "--duration", "1s", "--calibrate", "--ptu", "20", "--save-catalog", overlay)
        ran = cli("bench", *QUICK, "--endpoint", fake.url, *asked)
    assert ran.code == 2
    assert "(no call met a 429: it was never saturated); nothing was written" in ran.err
    assert not overlay.exists()
    assert "too little to compare" in ran.out


def test_calibration_without_a_rate_asks_for_one_and_a_half_of_the_catalogs(cli: Callable) -> None:
    found = document(cli("bench", "-m", "gpt-4.1", "--calibrate", "--ptu", "50", "--dry-run", "--json").out)
    # 500 + 500 x 4 = 2,500 a call; 1.5 x 50 x 3,000 / 2,500.
    assert found["setting"]["requests_per_minute"] == 90
    assert found["setting"]["duration_seconds"] == 300


def test_an_overlay_is_never_written_over_a_file(refuses: Callable, tmp_path: Path) -> None:
    (tmp_path / "there.yaml").write_text("mine")
    message = refuses(
        "bench",
        *QUICK,
        "--endpoint",
        "http://127.0.0.1:9",
        "--calibrate",
        "--ptu",
        "5",
        "--save-catalog",
        tmp_path / "there.yaml",
    )
    assert "a new file: none is overwritten" in message
    assert (tmp_path / "there.yaml").read_text() == "mine"


def test_all_that_is_wrong_is_told_before_anything_is_sent(refuses: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_OPENAI_API_KEY")
    message = refuses(
        "bench", "-m", "gpt-4.1x", "--endpoint", "http://far.away", "--rpm", "0", "--concurrency", "3", "--shape", "square",
        "--wire", "pigeon", "--duration", "2 weeks", "--warm-up", "x", "--max-requests", "0", "--policy", "hope", "--seed", "-1",
        "--save-catalog", "x.yaml", "--max-tokens-field", "limit", "--speed", "2", "--sku", "moon", "--ramp", "5:1:1",
    )  # fmt: skip
    for flag in (
        "--model", "--endpoint", "--rpm", "--concurrency", "--shape", "--wire", "--duration", "--warm-up", "--max-requests",
        "--policy", "--seed", "--save-catalog", "--max-tokens-field", "--speed", "--sku", "--ramp", "AZURE_OPENAI_API_KEY",
    ):  # fmt: skip
        assert f" {flag}: " in message, flag


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((), "a load: one of --rpm, --concurrency, --ramp or a file"),
        (("--rpm", "60", "--calibrate"), "--ptu: (empty) should be the PTU of the deployment"),
        (("--calibrate", "--ptu", "5", "--policy", "retry"), "none beside --calibrate"),
        (("--calibrate", "--ptu", "5", "--concurrency", "5"), "a rate beside --calibrate"),
        (("--rpm", "60", "--ptu", "5"), "beside --calibrate"),
        (("--rpm", "60", "--input-tokens", "50"), "--output-tokens: (empty) should be both"),
        (("--rpm", "60", "--input-tokens", "7", "--output-tokens", "1"), "prompts of 8 tokens or more"),
        (("--rpm", "60", "--duration", "5s", "--warm-up", "5s"), "less than the duration"),
        (("--ramp", "1:2:1", "--duration", "5s"), "a ramp lasts as long as its steps"),
        (("--rpm", "60", "--step", "5s"), "--step: 5s should be beside --ramp"),
        (("--rpm", "60", "--max-retries", "3"), "beside --policy retry"),
        (("--rpm", "60", "--since", "2026-01-01"), "--since: 2026-01-01 should be beside a log"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(refuses: Callable, flags: tuple[str, ...], expected: str) -> None:
    assert expected in refuses("bench", "-m", "gpt-4.1", "--endpoint", "http://127.0.0.1:9", *flags)


def test_what_would_only_be_found_at_the_end_is_found_before_anything_is_sent(
    cli: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with deployment() as fake:
        asked = ("bench", *QUICK, "--endpoint", fake.url, "--rpm", "60", "--duration", "1s")
        nowhere = cli(*asked, "--out-file", tmp_path / "no" / "x.json")
        folder = cli(*asked, "--out-file", tmp_path, "--json")
        monkeypatch.setitem(sys.modules, "httpx", None)
        without = cli(*asked)
        assert fake.requests == []
    assert (nowhere.code, folder.code, without.code) == (2, 2, 2)
    assert "a file in a folder that exists" in nowhere.err
    assert "a file, not a directory" in folder.err
    assert "pip install 'ptucalc[bench]'" in without.err


def test_a_load_that_no_client_can_make_is_refused(refuses: Callable) -> None:
    message = refuses("bench", "-m", "gpt-4.1", "--rpm", "1000000", "--duration", "24h", "--dry-run")
    assert "at most 5,000,000 calls start (here: 1,440,000,000)" in message


@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown"])
def test_the_key_appears_in_no_output_error_or_file(cli: Callable, tmp_path: Path, form: str) -> None:
    out = tmp_path / "out.txt"
    with deployment(status=401, error="wrong key", echo_key=True) as fake:
        asked = ("--endpoint", fake.url, "--rpm", "600", "--duration", "1s", "-v")
        shown = cli("bench", *QUICK, *asked, "-o", form)
        cli("bench", *QUICK, *asked, "-o", form, "--out-file", out)
    assert shown.code == 2
    assert "http_401" in shown.err
    for text in (shown.out, shown.err, out.read_text()):
        assert SECRET not in text
        assert "k3y" not in text
    if form == "json":
        assert "[key]" in shown.out


def test_a_deployment_that_refuses_every_call_ends_it_early(cli: Callable) -> None:
    with deployment(status=404, error="no such deployment") as fake:
        ran = cli("bench", *QUICK, "--endpoint", fake.url, "--rpm", "600", "--duration", "60s", "--json")
        assert len(fake.requests) <= 6
    found = document(ran.out)
    assert (ran.code, found["stopped_by"]) == (2, "errors")
    assert "http_404: bad: no such deployment" in ran.err
    assert found["measured"]["errors"][0]["kind"] == "http_404"


def test_a_ctrl_c_stops_it_cleanly_with_what_it_has() -> None:
    root = Path(__file__).parent.parent
    with deployment(first_token_s=0.02) as fake:
        command = [
            sys.executable,
            "-m",
            "ptucalc",
            "bench",
            *QUICK,
            "--endpoint",
            fake.url,
            "--rpm",
            "600",
            "--duration",
            "60s",
            "--json",
        ]
        begun = subprocess.Popen(
            command,
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(root)},
        )
        deadline = time.monotonic() + 30
        while len(fake.requests) < 10 and time.monotonic() < deadline:
            time.sleep(0.05)
        begun.send_signal(signal.SIGINT)
        out, err = begun.communicate(timeout=20)
    found = document(out)
    assert begun.returncode == 130, err
    assert "Traceback" not in err
    assert found["stopped_by"] == "interrupt"
    measured = found["measured"]
    assert 5 <= measured["served"] < 100
    assert measured["requests"] == measured["served"] + measured["unfinished"]


def test_a_service_that_falls_behind_shows_its_own_rate_and_not_the_one_that_was_asked_for(cli: Callable) -> None:
    # 10 calls a second, one after the other; 20 a second are asked for: the last is served after 4 s.
    with deployment(first_token_s=0, between_s=0, one_at_a_time_s=0.1) as fake:
        asked = ("--rpm", "1200", "--duration", "2s", "--json")
        found = document(cli("bench", *QUICK, "--endpoint", fake.url, *asked).out)
    measured = found["measured"]
    assert (measured["requests"], measured["served"], measured["falls_behind"]) == (40, 40, True)
    assert 15 <= measured["served_within_the_time"] <= 20
    assert measured["per_minute"]["requests"] == 30 * measured["served_within_the_time"] <= 600
    assert measured["per_minute"]["input_tokens"] == 60 * measured["per_minute"]["requests"]
    assert "falls_behind" in {note["code"] for note in found["notes"]}


def test_calls_held_back_by_at_once_are_told_as_that(cli: Callable) -> None:
    with deployment(first_token_s=0.1, between_s=0) as fake:
        asked = ("--rpm", "1200", "--duration", "1s", "--at-once", "1", "--json")
        found = document(cli("bench", *QUICK, "--endpoint", fake.url, *asked).out)
    codes = {note["code"] for note in found["notes"]}
    assert "held_back" in codes and "client_late" not in codes
    assert 15 <= found["held_back"] <= 19  # all but the first, at most
    assert found["setting"]["at_once"] == 1


def test_callers_wait_out_a_429_before_they_call_again(cli: Callable) -> None:
    # Nothing fits: each of four callers calls once, and after 400 ms twice more.
    with deployment(drain=1, window_s=0, retry_after={"retry-after-ms": "400"}) as fake:
        ran = cli("bench", *QUICK, "--endpoint", fake.url, "--concurrency", "4", "--duration", "1s", "--json")
        assert 8 <= len(fake.requests) <= 12
    assert "callers_waited" in {note["code"] for note in document(ran.out)["notes"]}


def test_a_deployment_that_serves_no_call_ends_with_2_and_the_reason(cli: Callable) -> None:
    with deployment(drain=1, window_s=0) as fake:
        asked = ("bench", *QUICK, "--endpoint", fake.url, "--rpm", "600", "--duration", "1s")
        refused = cli(*asked)
    with deployment(first_token_s=0) as fake:  # the one call is in the warm-up
        early = ("--input-tokens", "60", "--output-tokens", "10", "--rpm", "20", "--duration", "3s", "--warm-up", "2s")
        late = cli("bench", "-m", "gpt-4.1", *early, "--endpoint", fake.url)
        assert len(fake.requests) == 1
    assert (refused.code, late.code) == (2, 2)
    assert "--endpoint: a 429 to all of 10 calls should be one that serves calls" in " ".join(refused.err.split())
    assert "--duration: no call was served after the warm-up should be" in " ".join(late.err.split())
    assert "0 of 10 served" in refused.out
    with deployment(refuse_first=9, first_token_s=0) as fake:
        assert cli("bench", *QUICK, "--endpoint", fake.url, "--rpm", "600", "--duration", "1s").code == 0


def test_a_model_whose_cache_writes_are_not_told_gets_no_verdict_and_no_overlay(cli: Callable, tmp_path: Path) -> None:
    overlay = tmp_path / "measured.yaml"
    base = (
        "bench",
        "-m",
        "gpt-6-sol",
        "--encoding",
        "o200k_base",
        "--output-tokens",
        "2",
        "--warm-up",
        "0",
        "--duration",
        "2s",
    )
    asked = (*base, "--calibrate", "--ptu", "5", "--rpm", "600", "--json", "--save-catalog", overlay)

    def run(tokens: int, **told: object) -> tuple[int, dict, str]:
        with deployment(first_token_s=0, between_s=0, drain=5000, window_s=0.2, **told) as fake:
            ran = cli(*asked, "--endpoint", fake.url, "--input-tokens", str(tokens))
        return ran.code, document(ran.out), ran.err

    code, found, message = run(1500)
    assert (code, found["calibration"]["verdict"], overlay.exists()) == (2, "open", False)
    assert "the answers do not tell it" in message
    rates = found["measured"]["per_minute"]
    assert rates["weighted"] is None and "the answers do not tell it" in rates["weighted_reason"]
    assert rates["cache_write_tokens"] is None and rates["input_tokens"] > 0
    code, found, _ = run(1000)  # too short to be kept: nothing is written
    assert code == 0 and found["calibration"]["tpm_per_ptu_at_most"] is not None
    overlay.unlink()
    code, found, _ = run(1500, written=1400)
    assert code == 0 and found["calibration"]["tpm_per_ptu_at_most"] is not None and overlay.exists()
    rates = found["measured"]["per_minute"]
    assert rates["cache_write_tokens"] == 1400 * rates["requests"] > 0
    # 100 in + 1,400 written at 1.25 + 2 out at 5.
    assert rates["weighted"] == rates["requests"] * (100 + 1750 + 10)


def test_a_region_that_is_nowhere_is_refused(refuses: Callable) -> None:
    base = ("bench", "-m", "gpt-4.1", "--rpm", "60", "--dry-run")
    assert "--region: mars should be a region that some PTU model is listed in" in refuses(*base, "--region", "mars")
    assert "swedencentral" in refuses(*base, "--region", "swedencentrl")


def test_no_flag_is_advised_that_there_is_not(refuses: Callable) -> None:
    message = refuses("bench", "-m", "GLM 5", "--rpm", "60", "--dry-run")
    assert "--encoding NAME counts in another one" in message and "--approx" not in message


def test_the_most_that_it_costs_is_rounded_up_to_a_cent(cli: Callable) -> None:
    # 30 calls of 500 in at $2 and 500 out at $8 a million: 30 x $0.005 = $0.15; of 31: $0.155.
    base = ("bench", "-m", "gpt-4.1", "--rpm", "60", "--dry-run")
    for calls, usd in (("30s", "$0.15"), ("31s", "$0.16"), ("1s", "$0.01")):
        ran = cli(*base, "--duration", calls, "--warm-up", "0")
        assert f"({usd} on pay-as-you-go" in " ".join(ran.out.split())


def test_nothing_moves_off_a_terminal(cli: Callable) -> None:
    with deployment(first_token_s=0) as fake:
        ran = cli("bench", *QUICK, "--endpoint", fake.url, "--rpm", "600", "--duration", "1s")
    assert "\r" not in ran.out + ran.err
    assert len(ran.err.splitlines()) == 1
