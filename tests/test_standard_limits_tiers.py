"""Published limits: looked up, read strictly, compiled into the wheel. The tiers here are invented."""

from __future__ import annotations

import sys
import types
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from ptucalc.catalog import Unknown
from ptucalc.errors import BadCatalog
from ptucalc.read import standard_limits as reader
from ptucalc.read.catalog import find_bundled
from ptucalc.read.compiling import compiled_modules
from ptucalc.read.standard_limits import (
    BUNDLED_STANDARD_LIMITS,
    build_standard_limits,
    load_standard_limits,
    read_standard_limits_data,
)
from ptucalc.standard_tiers import CapacityUnit, StandardLimits

from .invented import DATA_ZONE, GLOBAL, REGIONAL

F = Fraction
TEXT = """
schema: ptucalc.standard-limits/1
edition: invented-1
as_of: 2030-03-01
sources:
  table: {title: A table, where: a shelf, published: "2030", checked: 2030-02-01}
  list: {title: A list, where: a drawer, published: "2030", checked: 2030-02-02}
capacity_units:
  source: list
  rows:
    - {group: old trees, rpm: 6, tpm: 1000}
    - {models: [Beech, Oak], rpm: 1, tpm: 6000}
    - {models: [Elm], versions: ["1", "2"], rpm: 10, tpm: 1000}
    - {models: [Elm], versions: ["3"], rpm: 1, tpm: 1000}
    - {models: [Fir], rpm: 2, tpm: 1000}
    - {models: [Ash], versions: ["1"], rpm: 10, tpm: 1000}
    - {group: new trees, unknown: no row}
usage_tiers:
  source: table
  tokens_per_month: {Alder: 700}
tiers:
  - tier: 2
    name: Second
    source: table
    remark: presumed
    models:
      Alder: {global: {rpm: 40, tpm: 4000}, data-zone: {rpm: 30, tpm: 300000}}
      Oak: {global: {rpm: 2, tpm: 12000}}
  - tier: 0
    name: Free
    source: table
    models:
      Alder: {global: {rpm: 10, tpm: 1000}, data-zone: {requests_per_10s: 3000, tpm: 300000}}
      Fir: {global: {rpm: 1, tpm: 1000}, data-zone: {rpm: 2, tpm: 1000}}
      Yew: {global: {rpm: 3, tpm: 2000}, data-zone: {rpm: 1, tpm: {unknown: not printed}}}
      Box: {global: {rpm: 10, tpm: 1000}}
  - tier: 1
    name: First
    source: table
    models:
      Box: {global: {rpm: 10, tpm: 10000}}
not_collected: [the rest]
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(text: str) -> Path:
        path = tmp_path / "limits.yaml"
        path.write_text(text.lstrip(), encoding="utf-8")
        return path

    return written


@pytest.fixture
def limits(write: Any) -> StandardLimits:
    return build_standard_limits(read_standard_limits_data(write(TEXT)))


def test_limits_are_found_by_model_and_type_the_lowest_tier_first(limits: StandardLimits) -> None:
    found = limits.of("alder", GLOBAL)
    assert not isinstance(found, Unknown)
    assert [(limit.tier, limit.tier_name, limit.rpm, limit.tpm) for limit in found] == [
        (0, "Free", 10, 1000),
        (2, "Second", 40, 4000),
    ]
    assert [limit.remark for limit in found] == ["", "presumed"]
    assert {limit.model for limit in found} == {"Alder"} and {limit.source for limit in found} == {"table"}


def test_a_row_that_nobody_read_is_unknown(limits: StandardLimits) -> None:
    assert limits.of("Alder", REGIONAL) == Unknown("no tier row of Alder on Regional Standard was read")
    assert limits.of("Rowan", GLOBAL) == Unknown("no tier row of Rowan on Global Standard was read")


def test_a_limit_per_10_seconds_stays_what_it_is(limits: StandardLimits) -> None:
    found = limits.of("Alder", DATA_ZONE)
    assert not isinstance(found, Unknown)
    assert [limit.printed_calls for limit in found] == ["3,000 / 10s", "30"]
    assert (found[0].calls, found[0].per_seconds) == (3000, 10)
    reason = Unknown("the tier table prints 3,000 / 10s: a limit per 10 seconds")
    assert found[0].rpm == found[0].rpm_per_1000_tpm == reason
    assert limits.capacity_unit("Alder", DATA_ZONE) == reason


def test_a_tpm_that_is_not_printed_is_unknown_with_its_reason(limits: StandardLimits) -> None:
    found = limits.of("Yew", DATA_ZONE)
    assert not isinstance(found, Unknown)
    assert found[0].tpm == found[0].rpm_per_1000_tpm == limits.capacity_unit("Yew", DATA_ZONE) == Unknown("not printed")


def test_tier_rows_give_the_unit_in_whole_calls_and_thousands(limits: StandardLimits) -> None:
    assert limits.capacity_unit("Alder", GLOBAL) == CapacityUnit(10, 1000, "table")
    assert limits.capacity_unit("Yew", GLOBAL) == CapacityUnit(3, 2000, "table")
    assert CapacityUnit(3, 2000).rpm_per_1000_tpm == F(3, 2)


def test_the_unit_table_gives_the_unit_where_it_names_the_model(limits: StandardLimits) -> None:
    assert limits.capacity_unit("beech", REGIONAL) == CapacityUnit(1, 6000, "list")
    assert limits.capacity_unit("Oak", GLOBAL) == CapacityUnit(
        1, 6000, "list"
    )  # the tier row says the same: 2 to 12,000
    assert limits.capacity_unit("Fir", DATA_ZONE) == CapacityUnit(2, 1000, "list")


def test_the_unit_may_depend_on_the_version(limits: StandardLimits) -> None:
    assert limits.capacity_unit("Elm", GLOBAL, "2") == CapacityUnit(10, 1000, "list")
    assert limits.capacity_unit("Elm", GLOBAL, "3") == CapacityUnit(1, 1000, "list")
    assert limits.capacity_unit("Beech", GLOBAL, "7") == CapacityUnit(1, 6000, "list")  # for all of its versions
    assert isinstance(limits.capacity_unit("Ash", GLOBAL), Unknown)
    for version in (None, "4"):
        assert limits.capacity_unit("Elm", GLOBAL, version) == Unknown(
            "no tier row of Elm on Global Standard was read; the capacity-unit table gives a ratio for versions of Elm: 1, 2, 3"
        )


def test_rows_that_contradict_one_another_leave_the_unit_unknown(limits: StandardLimits) -> None:
    for model in ("Fir", "Box"):  # the table against a row, and two rows
        assert limits.capacity_unit(model, GLOBAL) == Unknown(
            f"the rows of {model} on Global Standard give different RPM per 1,000 TPM"
        )


def test_a_group_of_models_names_none(limits: StandardLimits) -> None:
    assert limits.capacity_unit("old trees", GLOBAL) == Unknown(
        "no tier row of old trees on Global Standard was read; the capacity-unit table does not name old trees"
    )
    assert limits.units[-1].unit == Unknown("no row")


def test_usage_tiers_are_found_in_any_case(limits: StandardLimits) -> None:
    assert limits.usage_tier_tokens_per_month("ALDER") == 700
    assert limits.usage_tier_tokens_per_month("Oak") == Unknown("no usage tier of Oak was read")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("rpm: 40, tpm: 4000", "rpm: 40", "Alder.global: expected a value for tpm"),
        ("rpm: 40, tpm: 4000", "rpm: 0, tpm: 4000", "Alder.global.rpm: expected a whole number, 1 or more, got 0"),
        ("rpm: 40, tpm: 4000", "rpm: 40, tpm: 4.5", "Alder.global.tpm: expected a whole number, 1 or more, got 4.5"),
        ("rpm: 40, tpm: 4000", "rpm: 40, tpm: {unknown: ''}", "tpm: expected a whole number, or {unknown: reason}"),
        ("rpm: 40, tpm: 4000", "tpm: 4000", "Alder.global: expected rpm or requests_per_10s"),
        ("{rpm: 40,", "{rpm: 40, requests_per_10s: 4,", "Alder.global: expected rpm or requests_per_10s"),
        ("Oak: {global:", "Oak: {planetary:", "expected 'global', 'data-zone' or 'regional'"),
        ("tier: 0", "tier: 2", "expected each tier once"),
        ("tier: 0", "tier: -1", "tiers[1].tier: expected a whole number, 0 or more, got -1"),
        ("  source: list", "  source: lost", "expected sources of this file (not there: lost)"),
        (
            "{group: old trees, rpm",
            "{group: old trees, models: [Oak], rpm",
            "expected models (and their versions), or a",
        ),
        ("{group: old trees, rpm", "{rpm", "expected models (and their versions), or a group"),
        ("{group: old trees, rpm", '{group: old, versions: ["1"], rpm', "expected models (and their versions), or a"),
        ("{group: new trees, unknown: no row}", "{group: new trees}", "expected rpm and tpm, or unknown"),
        (
            "{group: new trees, unknown",
            "{group: new trees, rpm: 1, tpm: 2, unknown",
            "expected rpm and tpm, or unknown",
        ),
        ("{group: old trees, rpm: 6, tpm: 1000}", "{group: old trees, rpm: 6}", "expected rpm and tpm, or unknown"),
        ("edition:", "editions: x\nedition:", "expected a key that a Standard limit file has"),
        ("[the rest]", "[]", "not_collected: expected a list"),
        ("limits/1", "limits/2", "schema: expected 'ptucalc.standard-limits/1'"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(write: Any, old: str, new: str, problem: str) -> None:
    assert old in TEXT
    with pytest.raises(BadCatalog) as caught:
        read_standard_limits_data(write(TEXT.replace(old, new, 1)))
    assert problem in str(caught.value)
    assert str(caught.value).startswith("limits.yaml")


def test_a_file_that_is_no_mapping_is_refused(write: Any) -> None:
    with pytest.raises(BadCatalog):
        read_standard_limits_data(write("[1]"))


# The compiled limits


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The limits compiled as a wheel build does it, in the place where they are looked for."""
    module = types.ModuleType("ptucalc.compiled_standard_limits")
    text = compiled_modules(find_bundled("models.yaml").parent)["compiled_standard_limits"]
    exec(text, module.__dict__)  # noqa: S102  # our own output
    monkeypatch.setitem(sys.modules, "ptucalc.compiled_standard_limits", module)
    load_standard_limits.cache_clear()
    yield module
    load_standard_limits.cache_clear()


def test_the_compiled_limits_are_what_the_reader_reads(compiled: Any) -> None:
    assert read_standard_limits_data(find_bundled(BUNDLED_STANDARD_LIMITS)) == compiled.DATA


def test_the_compiled_limits_are_used_without_reading_yaml(compiled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "read_standard_limits_data", lambda path: pytest.fail("read the YAML"))
    assert load_standard_limits().edition == compiled.DATA["edition"]
    assert not isinstance(load_standard_limits().of("gpt-4.1", GLOBAL), Unknown)
