"""What `ptucalc emulate` says: of mistakes in its flags and files, and at the start."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

httpx = pytest.importorskip("httpx", reason="the client of these tests")
pytest.importorskip("starlette", reason="comes with ptucalc[emulate]")
pytest.importorskip("uvicorn", reason="comes with ptucalc[emulate]")

from ptucalc import load_catalog  # noqa: E402
from ptucalc.cli.emulate_flags import EmulateFlags, rpm_with  # noqa: E402
from ptucalc.cli.emulate_runs import _remarks, _wanted  # noqa: E402
from ptucalc.read.standard_limits import load_standard_limits  # noqa: E402
from ptucalc.serve.app import application  # noqa: E402
from ptucalc.serve.emulator import Emulator  # noqa: E402
from ptucalc.serve.running import serving  # noqa: E402
from ptucalc.standard_tiers import CapacityUnit  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (1024).to_bytes(4, "big") + (768).to_bytes(4, "big") + b"\x08\x02\0\0\0"


def wanted(**flags: Any) -> Any:
    return _wanted(EmulateFlags(**flags), load_catalog())


# Spillover that cannot be


def test_a_model_without_spillover_is_told_in_a_whole_sentence(refuses: Callable[..., str]) -> None:
    said = refuses("emulate", "-m", "DeepSeek-R1", "--ptu", "100", "--standard-tpm", "1000", "--spillover", "--approx")
    assert "--spillover: DeepSeek-R1-standard should be left out: DeepSeek-R1 does not support spillover" in said


def test_mistakes_of_spillover_and_names_have_the_lines_of_the_file(
    refuses: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / "deployments.yaml"
    path.write_text(
        "deployments:\n"
        "  - {name: x, model: gpt-4.1, ptu: 15, spillover: y}\n"
        "  - {name: X, model: gpt-4.1, ptu: 15}\n"
        "  - {model: gpt-4.1, tpm: 1000}\n"
        "  - model: gpt-4.1\n"
        "    rpm: 10\n"
    )
    said = refuses("emulate", path).splitlines()
    for line, what in (
        (2, "deployments[0].spillover: y should be the name of a Standard deployment of this resource"),
        (3, "deployments[1].name: X should be a name that no other deployment has"),
        (5, "deployments[3]: gpt-4.1 should be a name that no other deployment has"),
    ):
        assert any(f"deployments.yaml:{line}:" in each and what in each for each in said), (line, said)


def test_a_target_that_is_wrong_itself_is_not_told_as_missing(refuses: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "deployments.yaml"
    path.write_text(
        "deployments:\n  - {name: x, model: gpt-4.1, ptu: 15, spillover: y}\n  - {name: y, model: gpt-4.1, tpm: many}\n"
    )
    said = refuses("emulate", path)
    assert "deployments[1].tpm: many" in said and "should be the name" not in said


def test_a_wrong_flag_beside_a_plan_is_told_once(refuses: Callable[..., str]) -> None:
    plan = Path(__file__).parent.parent / "examples" / "plan.yaml"
    said = refuses("emulate", plan, "--latency-scale", "x", "--output-weight", "y")
    assert said.count("--latency-scale: x should be") == said.count("--output-weight: y should be") == 1


def test_a_model_that_cannot_be_emulated_is_told_by_its_flag_or_line(
    refuses: Callable[..., str], tmp_path: Path
) -> None:
    assert "--model: gpt-4 should be a model with published PTU" in refuses("emulate", "-m", "gpt-4", "--ptu", "50")
    path = tmp_path / "deployments.yaml"
    path.write_text("deployments:\n  - {model: gpt-4, ptu: 15}\n")
    assert "deployments.yaml:2:13: deployments[0].model: gpt-4" in refuses("emulate", path)
    path.write_text("backends:\n  - {name: a, kind: standard}\n")
    assert "backends: are for --route" in refuses("emulate", path)


# RPM that come with TPM


@pytest.mark.parametrize(("tpm", "rpm"), [("500", 1), ("1", 1), ("1000", 1), ("1999", 1), ("2000", 2)])
def test_a_standard_deployment_has_at_least_one_call_a_minute(tpm: str, rpm: int) -> None:
    (one,) = wanted(model="gpt-4.1", standard_tpm=tpm)[0].source.deployments  # 1 RPM comes with 1,000 TPM
    assert one.backend.rpm == rpm


def test_a_deployment_of_a_file_has_the_rpm_that_come_with_its_tpm(tmp_path: Path) -> None:
    path = tmp_path / "deployments.yaml"
    path.write_text(
        "deployments:\n"
        "  - {name: a, model: gpt-4.1, tpm: 30000}\n"
        "  - {name: b, model: gpt-4.1, tpm: 30000, rpm: 7}\n"
        "  - {name: c, model: gpt-4.1, rpm: 7}\n"
        "  - {name: d, model: gpt-4.1, ptu: 15}\n"
    )
    found = wanted(file=str(path))[0].source.deployments
    assert [getattr(each.backend, "rpm", None) for each in found] == [30, 7, 7, None]


def test_rpm_that_are_not_known_are_no_limit() -> None:
    limits, catalog = load_standard_limits(), load_catalog()
    kind = wanted(model="gpt-4.1", standard_tpm="1")[0].source.deployments[0].backend.deployment_type
    unknown = [each for each in catalog.models if not isinstance(limits.capacity_unit(each.name, kind), CapacityUnit)]
    assert unknown and rpm_with(1000, unknown[0], kind, None) is None


# Images that are links


def test_images_that_are_links_are_counted_by_the_size_that_is_given() -> None:
    link = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    here = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{b64encode(PNG).decode()}"}}
    used = []
    for size in ("1024x768", None):
        found, countings = wanted(model="gpt-4o", ptu="50", image_size=size)
        running = Emulator(found.source.deployments, countings, shape=found.shape)
        with serving(application(running)) as url:
            for image in (link, here):
                answer = httpx.post(
                    f"{url}/v1/chat/completions",
                    headers={"api-key": "k"},
                    json={"model": "gpt-4o", "messages": [{"role": "user", "content": [image]}]},
                    timeout=60,
                )
                used.append(answer.json().get("usage", answer.json().get("error")))
    assert used[0]["prompt_tokens"] == used[1]["prompt_tokens"] == used[3]["prompt_tokens"] > 100
    assert "--image-size 1024x768" in used[2]["message"]


def test_a_wrong_size_is_told_once(refuses: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "deployments.yaml"
    path.write_text("deployments:\n  - {model: gpt-4.1, ptu: 15}\n  - {model: gpt-4o, ptu: 15}\n")
    said = refuses("emulate", path, "--image-size", "large")
    assert said.count("--image-size: large") == 1
    assert refuses("emulate", path, "--approx", "--encoding", "cl100k_base").count("--encoding: cl100k_base") == 1


# Help, and the start


def test_the_help_says_which_times_scale_and_spread_are_for(cli: Callable[..., Any]) -> None:
    said = " ".join(cli("emulate", "-h").out.replace("│", " ").split())
    assert "Milliseconds before the first token; scale and spread are for them too." in said


def test_no_address_is_broken_at_eighty_columns() -> None:
    found, countings = wanted(model="gpt-4.1", ptu="50", standard_tpm="100000", spillover=True)
    running = Emulator(found.source.deployments, countings, shape=found.shape)
    lines = list(_remarks(found, countings, running, 65_535))
    assert lines[:5] == [
        "Emulating on http://127.0.0.1:65535; any key will do, Ctrl-C stops",
        "  Azure clients:  endpoint http://127.0.0.1:65535",
        "  OpenAI clients: base_url http://127.0.0.1:65535/openai/v1",
        "  Metrics:        http://127.0.0.1:65535/metrics.json",
        "  Deployments:    gpt-4.1, gpt-4.1-standard",
    ]
    assert all(len(line) <= 80 and line.count("http") <= 1 for line in lines if "http" in line)
