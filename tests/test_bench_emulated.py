"""The benchmark against the emulator: what it was set to do is what is measured, within what the test says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction

import pytest

from ptucalc.read.catalog import load_catalog
from ptucalc.read.prompt_counting import PromptCounting

pytest.importorskip("httpx", reason="ptucalc bench needs the extra ptucalc[bench]")
pytest.importorskip("uvicorn", reason="the emulator needs the extra ptucalc[emulate]")

MODEL = "gpt-4.1"


@contextmanager
def emulated(
    *, ptu: int, window_us: int, first_token_us: int, scale: Fraction, name: str = MODEL, encoding: str | None = None
) -> Iterator[str]:
    """The address of an emulated deployment that answers with as many tokens as a call allows."""
    from ptucalc.made_up_answers import AnswerShape
    from ptucalc.rehearsal import Deployment
    from ptucalc.routing import Provisioned
    from ptucalc.serve.app import application
    from ptucalc.serve.emulator import Emulator
    from ptucalc.serve.running import serving

    catalog = load_catalog()
    model = catalog.find(name)[0]
    backend = Provisioned(name=name, model=model, ptu=ptu, window_us=window_us)
    shape = AnswerShape(shortest=None, longest=None, first_token_us=first_token_us, spread=Fraction(0), scale=scale)
    counting = {name: PromptCounting(catalog, model=name, encoding=encoding).counting_for(model)}
    emulator = Emulator([Deployment(backend=backend, model=model)], counting, shape=shape)
    with serving(application(emulator)) as url:
        yield url


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "any")


@pytest.mark.parametrize("wire", ["azure", "v1", "responses"])
def test_the_emulators_latency_is_measured_within_a_tenth_and_30_ms(cli: Callable, wire: str) -> None:
    target = load_catalog().find(MODEL)[0].latency_target.tokens_per_second
    with emulated(ptu=2000, window_us=60_000_000, first_token_us=300_000, scale=Fraction(1)) as url:
        asked = (
            "--rpm",
            "600",
            "--duration",
            "3s",
            "--warm-up",
            "1s",
            "--input-tokens",
            "300",
            "--output-tokens",
            "41",
            "--json",
        )
        ran = cli("bench", "-m", MODEL, "--endpoint", url, "--wire", wire, *asked)
    found = json.loads(ran.out)
    measured = found["measured"]
    assert (measured["requests"], measured["served"]) == (20, 20)
    ended = measured["served_within_the_time"]
    assert 18 <= ended <= 22  # those of the warm-up that end after it, for those that end after the time
    token_ms = 1000 / target
    # The time to the first token is set to 300 ms and one token; then each token takes as long as the target says.
    expected = {
        "time_to_first_token_ms": 300 + token_ms,
        "time_between_tokens_ms": token_ms,
        "end_to_end_ms": 300 + 41 * token_ms,
    }
    for name, wanted in expected.items():
        assert 0.95 * wanted - 1 <= measured[name]["p50"] <= 1.1 * wanted + 30, name
    assert measured["per_minute"]["input_tokens"] == 30 * ended * 300  # counted alike here and there
    assert measured["per_minute"]["output_tokens"] == 30 * ended * 41


def test_the_emulators_capacity_is_within_the_bounds_and_they_are_within_a_tenth(cli: Callable) -> None:
    rate = load_catalog().find(MODEL)[0].tpm_per_ptu
    with emulated(ptu=15, window_us=1_000_000, first_token_us=20_000, scale=Fraction(1, 10)) as url:
        asked = ("--calibrate", "--ptu", "15", "--duration", "9s", "--warm-up", "1s", "--json")
        ran = cli("bench", "-m", MODEL, "--endpoint", url, "--input-tokens", "60", "--output-tokens", "10", *asked)
    found = json.loads(ran.out)
    calibration = found["calibration"]
    assert (ran.code, calibration["verdict"], calibration["use_tpm_per_ptu"]) == (0, "agrees", rate)
    low, high = calibration["tpm_per_ptu_at_least"], calibration["tpm_per_ptu_at_most"]
    assert low <= rate <= high
    assert high - low < 0.1 * rate
    assert found["measured"]["retry_after_ms"]["count"] == found["measured"]["responses_429"] > 0
    assert found["utilization"] is None  # 8 s hold no whole clock minute
    assert found["utilization_reason"].startswith("no whole clock minute was measured")


@pytest.mark.parametrize("wire", ["v1", "responses"])
def test_a_model_that_weighs_cache_writes_by_themselves_is_calibrated_to_its_rate(cli: Callable, wire: str) -> None:
    name = "gpt-6-sol"
    model = load_catalog().find(name)[0]
    assert model.weights.cache_write != model.weights.input
    with emulated(
        ptu=200, window_us=1_000_000, first_token_us=1000, scale=Fraction(0), name=name, encoding="o200k_base"
    ) as url:
        asked = (
            "--calibrate",
            "--ptu",
            "200",
            "--duration",
            "6s",
            "--warm-up",
            "0",
            "--json",
            "--encoding",
            "o200k_base",
        )
        ran = cli("bench", "-m", name, "--endpoint", url, "--wire", wire, "--shape", "context", *asked)
    found = json.loads(ran.out)
    calibration = found["calibration"]
    # As plain input the calls would weigh 2,000 + 200 x 5 = 3,000 and not 3,500: a seventh too little.
    assert (ran.code, calibration["verdict"]) == (0, "agrees"), calibration
    assert calibration["tpm_per_ptu_at_least"] <= model.tpm_per_ptu <= calibration["tpm_per_ptu_at_most"]
    assert calibration["tpm_per_ptu_at_least"] > model.tpm_per_ptu * 6 / 7 * 1.02
    rates = found["measured"]["per_minute"]
    assert rates["cache_write_tokens"] == rates["input_tokens"] - rates["cached_tokens"] > 0
    # 1.5 x 200 PTU x the rate / 3,500.
    assert found["setting"]["requests_per_minute"] == pytest.approx(1.5 * 200 * model.tpm_per_ptu / 3500)


def test_a_share_of_just_the_cache_minimum_is_cached(cli: Callable) -> None:
    with emulated(ptu=2000, window_us=60_000_000, first_token_us=1000, scale=Fraction(0)) as url:
        asked = (
            "--input-tokens",
            "2048",
            "--output-tokens",
            "5",
            "--cache-ratio",
            "0.5",
            "--concurrency",
            "1",
            "--json",
        )
        ran = cli("bench", "-m", MODEL, "--endpoint", url, "--duration", "2s", "--warm-up", "1s", *asked)
    found = json.loads(ran.out)
    rates = found["measured"]["per_minute"]
    assert rates["cached_tokens"] == rates["requests"] * 1024 > 0
    assert not {"under_cache_minimum", "cache_steps"} & {note["code"] for note in found["notes"]}
