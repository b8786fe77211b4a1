"""data/standard_limits.yaml says what was read in the quota tables (the facts folder, where it is beside the repository)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from ptucalc.catalog import Unknown
from ptucalc.read.standard_limits import load_standard_limits
from ptucalc.standard_limits import RpmWindow
from ptucalc.standard_quota import split_quota
from ptucalc.standard_tiers import CapacityUnit

from .invented import DATA_ZONE, GLOBAL, REGIONAL
from .test_standard_limits import at

F = Fraction
SHARED = Path(__file__).parent.parent.parent / "shared"
FILE = SHARED / "facts" / "standard-limits.yaml"
FACTS: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
needs_facts = pytest.mark.skipif(not FACTS, reason="the facts folder is not beside this repository")
LIMITS = load_standard_limits()
KINDS = {"GlobalStandard": GLOBAL, "DataZoneStandard": DATA_ZONE, "Standard": REGIONAL}
TIERS = {"tier_0_free": 0, "tier_1": 1, "tier_2": 2, "last_tier_listed_presumed_6": 6}


def ours_rpm(limit: Any) -> int | str:
    return limit.printed_calls.replace(",", "") if limit.per_seconds != 60 else limit.calls


@needs_facts
def test_every_tier_row_is_here_and_no_other() -> None:
    theirs = {
        (tier, model, KINDS[kind]): (row["rpm"], row["tpm"])
        for key, tier in TIERS.items()
        for model, kinds in FACTS[key].items()
        for kind, row in kinds.items()
    }
    ours = {
        (limit.tier, limit.model, limit.deployment_type): (
            ours_rpm(limit),
            None if isinstance(limit.tpm, Unknown) else limit.tpm,
        )
        for limit in LIMITS.limits
    }
    assert len(ours) == len(LIMITS.limits)
    assert ours == theirs


@needs_facts
def test_every_tier_of_the_facts_is_looked_at() -> None:
    known = {*TIERS, "about", "source", "capacity_unit_ratios", "notes", "not_collected", "usage_tier_tokens_per_month"}
    assert set(FACTS) == known


@needs_facts
def test_the_ratios_that_follow_are_those_that_were_read() -> None:
    for key, tier in TIERS.items():
        for model, kinds in FACTS[key].items():
            for kind, row in kinds.items():
                (limit,) = (
                    each
                    for each in LIMITS.limits
                    if (each.tier, each.model, each.deployment_type) == (tier, model, KINDS[kind])
                )
                ratio = limit.rpm_per_1000_tpm
                if row["rpm_per_1000_tpm"] is None:
                    assert isinstance(ratio, Unknown)
                else:
                    assert isinstance(ratio, Fraction) and round(ratio, 4) == F(str(row["rpm_per_1000_tpm"]))


@needs_facts
def test_every_capacity_unit_is_here_and_no_other() -> None:
    theirs = {name: row and (row["rpm"], row["tpm"]) for name, row in FACTS["capacity_unit_ratios"].items()}
    ours = {}
    for row in LIMITS.units:
        first, *others = row.versions or ("",)
        name = row.group or ", ".join(row.models)
        if first:
            name += " " + "/".join([first, *(version.removeprefix(first[:5]) for version in others)])
        ours[name] = None if isinstance(row.unit, Unknown) else (row.unit.rpm, row.unit.tpm)
    assert ours == theirs


@needs_facts
def test_usage_tiers_and_what_was_not_read_are_those_of_the_facts() -> None:
    assert LIMITS.tokens_per_month == FACTS["usage_tier_tokens_per_month"]
    assert len(LIMITS.not_collected) == len(FACTS["not_collected"])
    for number in "345":
        assert number in LIMITS.not_collected[0] and number in FACTS["not_collected"][0]


@needs_facts
def test_the_sources_are_those_of_the_facts() -> None:
    ours = {name.replace("-", "_"): source for name, source in LIMITS.sources.items()}
    assert set(ours) == set(FACTS["source"])
    for name, text in FACTS["source"].items():
        source = ours[name]
        assert source.where.split(" ")[0] in text.replace("https://", "")
        assert source.published in text and source.checked.isoformat() in text


@needs_facts
def test_the_published_cases_hold() -> None:
    text = (SHARED / "cases" / "published.yaml").read_text(encoding="utf-8")
    cases = {case["id"]: case for case in yaml.safe_load(text)["examples"]}
    window = cases["ms-rpm-1s-window"]
    inputs, published = window["inputs"], window["published"]
    assert RpmWindow.of(inputs["rpm_limit"], inputs["window_s"]).calls == published["max_requests_in_window"]
    split = cases["ms-tpm-split-quota"]
    found = split_quota(at(0), tpm=split["inputs"]["quota_tpm"], rpm=1)
    assert found.whole.tpm == split["published"]["one_deployment"]
    assert {part.tpm for part in found.parts} == {split["published"]["or_two_of"]}


def test_every_row_has_a_source_and_a_day() -> None:
    assert {limit.source for limit in LIMITS.limits} <= set(LIMITS.sources)
    assert {row.unit.source for row in LIMITS.units if isinstance(row.unit, CapacityUnit)} <= set(LIMITS.sources)
    assert all(source.where and source.checked for source in LIMITS.sources.values())
    assert max(source.checked for source in LIMITS.sources.values()) <= LIMITS.as_of
