"""Published sizes, and sizes worked from published rates: cases/sizing.yaml, and all of ../shared/cases if it is there."""

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
import yaml

import ptucalc
from ptucalc import BadInput, Workload, load_catalog

TESTS = Path(__file__).resolve().parent
PUBLISHED = TESTS.parent.parent / "shared" / "cases" / "published.yaml"
KINDS = {"global", "data-zone", "regional"}


def read(path):
    """Every value as text: a version stays 2025-12-11 and a ratio 0.7."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506  # makes only text


def raw_ptu(size):
    return round(size.raw_ptu, 2)


CASES = read(TESTS / "cases" / "sizing.yaml")


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_size_is_what_was_published_or_worked_by_hand(case):
    assert set(case) == {"id", "source", "inputs", "expected", "sum"}
    assert set(case["expected"]) <= KINDS | {"weighted_tpm", "raw_ptu", "notes", "no_notes", "error"}
    fields = dict(case["inputs"])
    catalog = load_catalog(*([fields.pop("catalog")] if "catalog" in fields else []))
    today = date.fromisoformat(fields.pop("checked_on", "2026-11-21"))
    headroom, copies = fields.pop("headroom", 0), int(fields.pop("copies", 1))
    workloads = [Workload(**fields) for _ in range(copies)]
    if "error" in case["expected"]:
        with pytest.raises(BadInput) as caught:
            ptucalc.size(workloads, catalog=catalog, headroom=headroom, today=today)
        assert str(caught.value) == case["expected"]["error"]
        return
    compare(ptucalc.size(workloads, catalog=catalog, headroom=headroom, today=today), case["expected"])


def compare(result, expected):
    (deployment,) = result.deployments
    size = next(iter(deployment.sizes.values()))
    if "weighted_tpm" in expected:
        assert deployment.weighted_tpm == Fraction(expected["weighted_tpm"])
    if "raw_ptu" in expected:
        assert raw_ptu(size) == Fraction(expected["raw_ptu"])
    for kind in KINDS & set(expected):
        ptu = None if expected[kind] == "not offered" else int(expected[kind])
        assert (kind, deployment.sizes[kind].ptu) == (kind, ptu)
    codes = {note.code for note in result.notes}
    assert set(expected.get("notes", ())) <= codes
    assert not set(expected.get("no_notes", ())) & codes


def test_the_cases_have_names_of_their_own():
    assert len({case["id"] for case in CASES}) == len(CASES)


def published():
    examples = read(PUBLISHED)["examples"] if PUBLISHED.is_file() else []
    return [example for example in examples if example["kind"].startswith("ptu_sizing")]


EXAMPLES = published()


@pytest.mark.skipif(not EXAMPLES, reason="../shared/cases/published.yaml is not here")
def test_the_published_examples_are_read():
    assert {example["kind"] for example in EXAMPLES} == {"ptu_sizing", "ptu_sizing_image"}
    assert len(EXAMPLES) == 8


@pytest.mark.parametrize("example", EXAMPLES, ids=[example["id"] for example in EXAMPLES])
def test_a_published_example_is_reproduced(example):
    inputs, said = example["inputs"], example["published"]
    stated = inputs.get("deployment_type", "global")  # where none is stated the results are Global or Data Zone sizes
    kind = "global" if stated.startswith("not stated") else stated.replace("_", "-")
    version = inputs["version"]
    workload = Workload(
        model=inputs["model"],
        model_version=None if version == "null" else version,
        requests_per_minute=inputs["peak_rpm"],
        input_tokens=inputs.get("prompt_tokens") or inputs["text_input_tokens"],
        output_tokens=inputs.get("response_tokens", 0),
        cache_ratio=inputs.get("cache_rate", 0),
        image_input_tokens=inputs.get("image_input_tokens", 0),
        image_output_tokens=inputs.get("image_output_tokens", 0),
    )
    old = example["check"].get("matches_weight_4") == "false"  # the page kept an example of the 2024 table
    result = ptucalc.size(workload, catalog=load_catalog(*["azure-2024-12"] * old), today=date(2026, 11, 21))
    assert result.sizes[kind].ptu == int(said["deployable_ptu"])
    if said.get("raw_ptu", "null") != "null":
        assert raw_ptu(result.sizes[kind]) == Fraction(said["raw_ptu"])
    terms = {term.token_class.value: term.tokens_per_minute for term in result.workloads[0].terms}
    between = {**said, **example.get("published_intermediate", {})}
    for key in ("input_tpm", "effective_input_tpm"):
        assert terms["input"] == Fraction(between.get(key, terms["input"]))
    assert terms.get("output", 0) == Fraction(between.get("output_tpm", terms.get("output", 0)))
    weighted = result.workloads[0].weighted_tpm
    assert weighted == Fraction(between.get("normalized_tpm", weighted))
    per_request = weighted / Fraction(inputs["peak_rpm"])
    assert per_request == Fraction(between.get("normalized_per_request", per_request))


def test_a_rate_and_its_inverse_agree_for_a_real_model():
    # 45 PTU x 1,200 / (1,000 + 6 x 300) = 54,000 / 2,800 = 135 / 7
    call = Workload(model="gpt-5.6-sol", requests_per_minute=1, input_tokens=1000, output_tokens=300)
    assert ptucalc.largest_rate(call, 45) == Fraction(135, 7)


def test_one_unsellable_model_leaves_the_total_of_that_type_open():
    # gpt-5.2-codex is sold as Global only: 50 PTU; gpt-4.1 needs 20
    codex = Workload(model="gpt-5.2-codex", requests_per_minute=100, input_tokens=1700, output_tokens=0)
    chat = Workload(model="gpt-4.1", requests_per_minute=60, input_tokens=1000, output_tokens=0)
    assert ptucalc.size([codex, chat]).totals == {"global": 70, "data-zone": None, "regional": None}
