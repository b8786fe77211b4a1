"""`ptucalc cost`: what it takes, refuses and shows, and where it writes. Golden files hold whole reports.

The golden numbers by hand, from Azure's list prices. The single workload: a call of 1,000 tokens in (20 % cached) and 200 out
weighs 800 + 4 x 200 = 1,600 and costs 800 x $2 + 200 x $0.50 + 200 x $8 = 3,300 millionths. A quarter of the time 120 a
minute, else 40: on average 60, x 43,800 = 2,628,000 calls, $8,672.40 a month (4,204.80 + 262.80 + 4,204.80); a million of its
3,153.6 million tokens $2.75. With priority it is 1.75 times that, $15,176.70; a batch price of cached tokens nobody published.
The peak is 120 x 1,600 / 3,000 = 64 PTU, so 65, busy 32 / 65 = 49.2 %: $47,450, $16,900, $14,365. A PTU holds 1.875 calls a
minute, worth $271.0125 a month: 730 is 269.4 %, 260 is 95.9 %, 221 is 81.5 %. 20 PTU hold 37.5 calls: 3/4 x 2.5 + 1/4 x 82.5 =
22.5 spill, $3,252.15: $8,452.15 on a month (-2.5 %), $7,672.15 on a year (-11.5 %); 25 hold 46.875: 1/4 x 73.125 spill,
$2,642.37, which saves $609.78 for $1,300 or $1,105. From 15 to 20 saves 5 x 271.0125 = $1,355.06.
The flat workload, 100 calls of 800 in and 200 out: 3,200 millionths x 4.38 M = $14,016, Data zone and Regional 10 % more:
$15,417.60; 53.3 PTU: 55 (97.0 % busy), Regional 100. 50 PTU hold 93.75 calls, 6.25 spill for $876 ($963.60): a year 11,050 + 876.
The average: 60 of 120 calls, 365 of 730 hours: half of 8,672.40; no mix.
The plan: see test_the_plan_adds_up.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from ptucalc import LoadProfile, Workload, compare_costs, documents
from ptucalc.cost_result import CostComparison
from ptucalc.read.catalog import find_bundled
from ptucalc.read.compiling import compiled_modules
from ptucalc.read.prices import load_prices

from .test_cli_process import ANSI, HEAVY, environment, loaded, on_terminal, ptucalc, width

SHAPE = ("cost", "-m", "gpt-4.1", "--input-tokens", "1000", "--output-tokens", "200", "--cache-ratio", "20%")
LEVELS = "1/4:120,3/4:40"
ONE = (*SHAPE, "--profile", LEVELS, "--sku", "global", "--region", "eastus2")
FLAT = (
    "cost",
    "-m",
    "gpt-4.1",
    "--input-tokens",
    "800",
    "--output-tokens",
    "200",
    "--rpm",
    "100",
    "--region",
    "eastus2",
)
"""100 calls a minute all the time, on every deployment type."""
UNKNOWN = ("cost", "-m", "gpt-5.2", "--input-tokens", "800", "--output-tokens", "200", "--rpm", "100", "--region", "swedencentral")  # fmt: skip
"""A model without a Data zone or Regional price in a region without Data zone or Regional reservation prices."""
NOT_OFFERED = ("cost", "-m", "gpt-5.2-codex", "--rpm", "1", "--input-tokens", "2", "--output-tokens", "3", "--sku", "regional")  # fmt: skip
WHY_NOT = "no region offers gpt-5.2-codex as Regional, though sizes are published for it; offered as Global"
HEADER = "name,model,rpm,input_tokens,output_tokens,cache_ratio\n"
PROFILE_SHAPE = "share:rate levels such as 1/3:1000,2/3:60, or 24 or 168 hourly rates"


def call(**given: Any) -> Workload:
    """The call of the single workload."""
    return Workload(**{"model": "gpt-4.1", "input_tokens": 1000, "output_tokens": 200, "cache_ratio": "20%", **given})


def plain(result: CostComparison) -> dict[str, Any]:
    """The result as it comes out of a JSON file."""
    return json.loads(json.dumps(result.to_dict()))


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def as_cells(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """What a CSV has of these rows: nothing for None."""
    return [{key: "" if value is None else str(value) for key, value in row.items()} for row in rows]


def entry(out: str) -> dict[str, Any]:
    """The only deployment of a JSON document."""
    (found,) = json.loads(out)["deployments"]
    return found


def monthly(out: str) -> dict[str, Any]:
    return {option["term"]: option["monthly_usd"] for option in entry(out)["options"]}


def prices(name: str, text: str) -> str:
    """A price file with this text below its first lines; its name."""
    Path(name).write_text(f"schema: ptucalc.prices/1\nas_of: 2026-01-02\n{text}", encoding="utf-8")
    return name


def hourly_price(usd: str) -> str:
    return f"ptu: {{hourly_usd_per_ptu: {{global: [{{regions: all, usd: {usd}}}]}}}}\n"


EURO = "currency_per_usd: {EUR: 0.9}\n"


# Whole reports


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("cost-single.txt", ONE),
        ("cost-single-verbose.txt", (*ONE, "-v")),
        ("cost-single.md", (*ONE, "-o", "markdown")),
        ("cost-single.csv", (*ONE, "-o", "csv")),
        ("cost-single.json", (*ONE, "-o", "json")),
        ("cost-types.txt", FLAT),
        ("cost-average.txt", (*SHAPE, "--rpm", "120", "--average-rpm", "60", "--hours-per-month", "365", "--sku", "global")),
        ("cost-unknown.txt", UNKNOWN),
        ("cost-plan-euro.txt", ("cost", "examples/plan.yaml", "--prices", "examples/negotiated-prices.yaml", "--currency", "EUR")),
        ("cost-plan.csv", ("cost", "examples/plan.yaml", "-o", "csv")),
        ("cost-plan.md", ("cost", "examples/plan.yaml", "-o", "markdown")),
    ],
)  # fmt: skip
def test_whole_reports_are_as_read_and_checked(
    cli, golden, in_root: Path, name: str, arguments: tuple[str, ...]
) -> None:
    ran = cli(*arguments)
    assert (ran.code, ran.err) == (0, "")
    golden(name, ran.out)
    assert "\x1b" not in ran.out


def test_the_plan_adds_up(cli, in_root: Path) -> None:
    document = json.loads(cli("cost", "examples/plan.yaml", "--json").out)
    found = {(d["model"], d["deployment_type"]): d for d in document["deployments"]}
    # chat: its 24 hours add up to 6,570, 273.75 a minute on average; 1,080 x $2 + 720 x $0.50 + 250 x $8 = 4,520 millionths a
    # call, $54,195.93. nightly-summaries: 660, 27.5 a minute; 9,000 x 2 + 700 x 8 = 23,600 millionths, $28,426.20.
    assert found["gpt-4.1", "global"]["payg_monthly_usd"] == 82_622.13
    # voice-notes: 300 x (700 x $0.10 + 120 x $0.40) x 43,800 = 118 millionths x 13.14 M = 1,550.52
    assert found["gpt-4.1-nano", "global"]["payg_monthly_usd"] == 1550.52
    # agents: 45 / 3 + 6 x 2 / 3 = 19 a minute; what nobody published for Data zone in swedencentral is known for Global:
    # 2,050 x $1.75 + 2,050 x $0.175 + 1,900 x $14 = 30,546.25 millionths
    assert found["gpt-5.2", "data-zone"]["payg_monthly_usd"] is None
    assert found["gpt-5.2", "data-zone"]["payg_nearest"]["payg_monthly_usd"] == 25_420.59
    # the peak is that of sizing: 460, 255, 15 PTU Global or Data zone at 730, 876, 730 a month
    (wide, *_) = document["choices"]
    assert wide["full_ptu_monthly_usd"]["hourly"] == 460 * 730 + 255 * 876 + 15 * 730


def test_reports_do_not_depend_on_the_day(cli) -> None:
    assert not {word for word in cli(*ONE).out.split() if word in ("ago.", "today.", "days")}


# The same numbers however they are given


def test_flags_give_what_the_library_gives(cli) -> None:
    profile = LoadProfile.from_levels([("1/4", 120), ("3/4", 40)])
    expected = plain(compare_costs(call(profile=profile, region="eastus2"), sku="global"))
    assert json.loads(cli(*ONE, "--json").out) == expected
    assert expected["deployments"][0]["payg_monthly_usd"] == 8672.4


def test_every_flag_reaches_the_library(cli, in_tmp: Path) -> None:
    own = prices("own.yaml", hourly_price("0.5"))
    asked = call(requests_per_minute=120, average_requests_per_minute=60, hours_per_month=365, model_version="2025-04-14", cache_write_ratio="10%", region="swedencentral")  # fmt: skip
    expected = plain(
        compare_costs(asked, sku=["global", "regional"], headroom="15%", prices=load_prices(own), discount="12%", payg_type="global")
    )  # fmt: skip
    flags = ("--rpm", "120", "--average-rpm", "60", "--hours-per-month", "365", "--model-version", "2025-04-14", "--cache-write-ratio", "0.1")  # fmt: skip
    ran = cli(*SHAPE, *flags, "--region", "Sweden Central", "--sku", "global,regional", "--headroom", "0.15", "--prices", own, "--discount", "12%", "--payg-type", "Global", "-o", "json")  # fmt: skip
    assert json.loads(ran.out) == expected
    # 60 x 365 / 730 = 30 on average; 10 % written at the price of input: 700 x 2 + 200 x .5 + 100 x 2 + 200 x 8 = 3,300
    assert expected["deployments"][0]["payg_monthly_usd"] == 4336.2


FILES = {
    "w.csv": HEADER + "a,gpt-4.1,120,1000,200,20%\n",
    "w.yaml": "workloads: [{name: a, model: gpt-4.1, rpm: 120, input_tokens: 1000, output_tokens: 200, cache_ratio: 0.2}]\n",
    "w.json": '{"workloads": [{"name": "a", "model": "gpt-4.1", "requests_per_minute": 120, "input_tokens": 1000, "output_tokens": 200, "cache_ratio": "20%"}]}',
}  # fmt: skip


def test_image_tokens_reach_the_bill(cli) -> None:
    call = ("cost", "-m", "gpt-image-2", "--rpm", "10", "--image-input-tokens", "200", "--image-output-tokens", "1000")
    # 10 x 43,800 = 438,000 calls
    found = entry(cli(*call, "--input-tokens", "100", "--sku", "global", "--json").out)
    tokens = {name: count for name, count in found["tokens_per_month"].items() if count}
    assert tokens == {"input": 43_800_000, "image_input": 87_600_000, "image_output": 438_000_000}


def test_an_output_weight_reaches_the_size_from_flags_and_beside_a_file(cli, in_tmp: Path) -> None:
    # 600 x (1,800 + 4 x 250) / 300 = 5,600 PTU
    Path("w.csv").write_text("model,rpm,input_tokens,output_tokens\nGLM 5.2,600,1800,250\n")
    flags = ("-m", "GLM 5.2", "--rpm", "600", "--input-tokens", "1800", "--output-tokens", "250")
    for asked in (flags, ("w.csv",)):
        found = entry(cli("cost", *asked, "--output-weight", "4", "--sku", "global", "--json").out)
        assert (found["peak_ptu"], found["payg_monthly_usd"]) == (5600, None)


def test_a_wrong_max_tokens_is_refused(refuses) -> None:
    assert refuses(*ONE, "--max-tokens", "-1") == "Error  --max-tokens: -1 should be a whole number, 0 or more\n"


@pytest.mark.parametrize("name", [*FILES, "-"])
def test_a_file_gives_what_the_library_gives(cli, in_tmp: Path, name: str) -> None:
    text = FILES.get(name, FILES["w.csv"])
    if name != "-":
        Path(name).write_text(text)
    ran = cli("cost", name, "--region", "eastus2", "--json", stdin=text.encode())
    expected = plain(compare_costs(call(name="a", requests_per_minute=120, region="eastus2")))
    assert (ran.code, ran.err, json.loads(ran.out)) == (0, "", expected)
    # 120 x 43,800 x 3,300 / 1,000,000, Global, and 10 % more elsewhere
    assert [d["payg_monthly_usd"] for d in expected["deployments"]] == [17344.8, 19079.28, 19079.28]


@pytest.mark.parametrize("name", ["p.yaml", "p.json", "-"])
def test_a_profile_in_a_plan_is_the_one_of_the_flag(cli, in_tmp: Path, name: str) -> None:
    levels = [{"share": "1/4", "requests_per_minute": 120}, {"share": "75%", "requests_per_minute": 40}]
    one = {"model": "gpt-4.1", "input_tokens": 1000, "output_tokens": 200, "cache_ratio": "20%", "profile": {"levels": levels}}  # fmt: skip
    text = json.dumps({"workloads": [one]})
    if name != "-":
        Path(name).write_text(text)
    ran = cli("cost", name, "--sku", "global", "--region", "eastus2", "--json", stdin=text.encode())
    flags, plan = entry(cli(*ONE, "--json").out), entry(ran.out)
    assert (flags.pop("workloads"), plan.pop("workloads")) == (["workload"], ["row-1"])
    assert flags == plan and plan["payg_monthly_usd"] == 8672.4


def test_the_headroom_of_a_plan_counts_unless_a_flag_says_otherwise(cli, in_tmp: Path) -> None:
    Path("p.yaml").write_text("headroom: 10%\n" + FILES["w.yaml"])
    # 64 x 1.1 = 70.4; x 1.2 = 76.8
    assert entry(cli("cost", "p.yaml", "--sku", "global", "--json").out)["peak_ptu"] == 75
    assert entry(cli("cost", "p.yaml", "--sku", "global", "--json", "--headroom", "20%").out)["peak_ptu"] == 80


def test_averages_in_a_csv_are_those_of_the_flags(cli, in_tmp: Path) -> None:
    Path("w.csv").write_text("model,rpm,avg_rpm,hours_per_month,input_tokens,output_tokens,cache_ratio\ngpt-4.1,120,60,365,1000,200,0.2\n")  # fmt: skip
    flags = cli(
        *SHAPE, "--rpm", "120", "--average-rpm", "60", "--hours-per-month", "365", "--sku", "global", "-o", "csv"
    )
    file = cli("cost", "w.csv", "--sku", "global", "-o", "csv")
    assert rows_of(file.out) == rows_of(flags.out) and "4336.2" in file.out


# --profile


@pytest.mark.parametrize(
    "text",
    [
        "1/4:120,3/4:40", "1/4:120 3/4:40", "1/4:120, 3/4:40", " 3/4:40,,1/4:120 ", "0.25:120,0.75:40", ".25:120,.75:40.0",
        "25%:120 75%:40", "25%:120,0.5:40,1/4:4e1", "1/4:120,3/4:40,0:9999", "2/8:120,9/12:40",
        ",".join(["120"] * 6 + ["40"] * 18), " ".join(["40"] * 18 + ["120"] * 6), ", ".join(["120.0", "40", "40", "40"] * 6),
        " ".join((["120"] * 6 + ["40"] * 18) * 7), ",".join(["120"] * 42 + ["40"] * 126),
    ],
)  # fmt: skip
def test_every_spelling_of_a_load_gives_the_same_costs(cli, text: str) -> None:
    found = entry(cli(*SHAPE, "--profile", text, "--sku", "global", "--json").out)
    assert (found["requests_per_minute"], found["peak_ptu"], found["payg_monthly_usd"]) == (120, 65, 8672.4)
    mix = found["hybrid"]["1-year"]
    assert (mix["ptu"], mix["spillover_monthly_usd"], mix["monthly_usd"]) == (20, 3252.15, 7672.15)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1/3:1000,1/3:60", "--profile levels: 2/3 should be shares that sum to exactly 1 (1/3 is a share too)"),
        ("0.33:1000,0.66:60", "--profile levels: 99/100 should be shares that sum to exactly 1 (1/3 is a share too)"),
        ("50%:100,60%:50", "--profile levels: 11/10 should be shares that sum to exactly 1 (1/3 is a share too)"),
        ("50:100,50:60", "2 values cannot be used\n"
         "       --profile levels[0].share: 50 should be a share: 0 to 1, or 0% to 100% (50%?)\n"
         "       --profile levels[1].share: 50 should be a share: 0 to 1, or 0% to 100% (50%?)"),
        ("1/0:100", "--profile levels[0].share: 1/0 should be a share: 0 to 1, or 0% to 100%"),
        ("x:1,1:y", "2 values cannot be used\n"
         "       --profile levels[0].share: x should be a share: 0 to 1, or 0% to 100%\n"
         "       --profile levels[1].requests_per_minute: y should be a number, 0 or more"),
        ("1:2:3", "--profile levels[0].requests_per_minute: 2:3 should be a number, 0 or more"),
        ("1:", "--profile levels[0].requests_per_minute: (empty) should be a number, 0 or more"),
        (":100", "--profile levels[0].share: (empty) should be a share: 0 to 1, or 0% to 100%"),
        ("1/2:100,1/2:-1", "--profile levels[1].requests_per_minute: -1 should be a number, 0 or more"),
        ("1:0", "--profile levels: 0 everywhere should be a rate over 0 at some time"),
        ("100", "--profile hourly: 1 values should be 24 values (a day) or 168 (a week)"),
        (",".join(["5"] * 23), "--profile hourly: 23 values should be 24 values (a day) or 168 (a week)"),
        (",".join(["5"] * 25), "--profile hourly: 25 values should be 24 values (a day) or 168 (a week)"),
        (" ".join(["5"] * 167), "--profile hourly: 167 values should be 24 values (a day) or 168 (a week)"),
        (" ".join(["5"] * 23 + ["five"]), "--profile hourly[23]: five should be a number, 0 or more"),
        (" ".join(["0"] * 24), "--profile hourly: 0 everywhere should be a rate over 0 at some time"),
    ],
)  # fmt: skip
def test_a_wrong_profile_is_refused_with_its_place(refuses, text: str, message: str) -> None:
    assert refuses(*SHAPE, "--profile", text) == f"Error  {message}\n"


@pytest.mark.parametrize("text", ["1/2:100,60", "100 1:60", "0,5:100;0,5:60", "", " , "])
def test_a_profile_of_no_known_shape_is_refused(refuses, text: str) -> None:
    found = text if text.strip() else "(empty)"
    assert f"--profile: {found} should be {PROFILE_SHAPE}\n" in refuses(*SHAPE, "--profile", text)


def test_a_profile_of_no_known_shape_is_the_only_problem(refuses) -> None:
    assert refuses(*SHAPE, "--profile", "1/2:100,60") == f"Error  --profile: 1/2:100,60 should be {PROFILE_SHAPE}\n"


def test_a_profile_is_not_given_beside_what_it_says(refuses) -> None:
    rate = "either a rate or a profile (its peak is the rate), not both"
    assert refuses(*ONE, "--rpm", "120") == f"Error  --rpm: 120 should be {rate}\n"
    assert refuses(*ONE, "--average-rpm", "60") == "Error  --average-rpm: 60 should be either an average or a profile, not both\n"  # fmt: skip
    assert refuses(*ONE, "--rpm", "120", "--average-rpm", "60").splitlines() == [
        "Error  2 values cannot be used",
        f"       --rpm: 120 should be {rate}",
        "       --average-rpm: 60 should be either an average or a profile, not both",
    ]


def test_without_a_rate_or_a_profile_nothing_is_priced(refuses) -> None:
    assert refuses(*SHAPE) == "Error  --rpm: (empty) should be a number over 0\n"


def test_an_average_is_for_money_and_the_peak_for_the_size(cli) -> None:
    found = entry(cli(*SHAPE, "--rpm", "120", "--average-rpm", "60", "--sku", "global", "--json").out)
    assert (found["peak_ptu"], found["payg_monthly_usd"]) == (65, 8672.4)
    assert found["hybrid"] == {"hourly": None, "1-month": None, "1-year": None}
    half = cli(*SHAPE, "--rpm", "120", "--average-rpm", "60", "--hours-per-month", "365", "--sku", "global", "--json")
    assert entry(half.out)["payg_monthly_usd"] == 4336.2
    assert "average_only" in {note["code"] for note in json.loads(half.out)["notes"]}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--average-rpm", "0"), "--average-rpm: 0 should be a number over 0"),
        (("--average-rpm", "120.5"), "--average-rpm: 120.5 should be at most the peak (120)"),
        (("--hours-per-month", "365"), "--hours-per-month: 365 should be average_requests_per_minute beside it"),
        (("--average-rpm", "60", "--hours-per-month", "730.5"), "--hours-per-month: 730.5 should be at most 730, which is what a month has here"),
        (("--average-rpm", "60", "--hours-per-month", "0"), "--hours-per-month: 0 should be a number over 0"),
    ],
)  # fmt: skip
def test_a_wrong_average_is_refused(refuses, flags: tuple[str, ...], message: str) -> None:
    assert refuses(*SHAPE, "--rpm", "120", *flags) == f"Error  {message}\n"


# Where and how


@pytest.mark.parametrize(
    ("sku", "kinds"),
    [
        ("all", ["global", "data-zone", "regional"]), ("Global", ["global"]), ("regional,Data Zone", ["data-zone", "regional"]),
        ("ProvisionedManaged", ["regional"]), ("GlobalProvisionedManaged", ["global"]),
    ],
)  # fmt: skip
def test_there_is_an_entry_for_each_deployment_type_asked_for(cli, sku: str, kinds: list[str]) -> None:
    document = json.loads(cli(*FLAT, "--sku", sku, "--json").out)
    assert [d["deployment_type"] for d in document["deployments"]] == kinds


def test_prices_are_those_of_the_region(cli) -> None:
    here = cli(*SHAPE, "--rpm", "120", "--json")
    assert {d["price_region"] for d in json.loads(here.out)["deployments"]} == {"eastus2"}
    assert "default_region" in {note["code"] for note in json.loads(here.out)["notes"]}
    there = json.loads(cli(*SHAPE, "--rpm", "120", "--region", "swedencentral", "--json").out)
    assert {d["price_region"] for d in there["deployments"]} == {"swedencentral"}
    assert "default_region" not in {note["code"] for note in there["notes"]}
    # a Global reservation is 260 everywhere, another type's is known for eastus2 only
    by_month = [
        next(o["fixed_monthly_usd"] for o in d["options"] if o["term"] == "1-month") for d in there["deployments"]
    ]
    assert by_month == [65 * 260, None, None]


def test_headroom_is_for_the_peak_and_not_for_the_mix(cli) -> None:
    # 64 x 1.1 = 70.4: 75 x 730, 260, 221
    out = cli(*ONE, "--headroom", "10%", "--json").out
    assert monthly(out) == {"payg": 8672.4, "hourly": 54_750, "1-month": 19_500, "1-year": 16_575}
    assert entry(out)["hybrid"]["1-year"]["monthly_usd"] == 7672.15


def test_a_version_and_an_edition_of_the_catalog_can_be_chosen(cli, refuses) -> None:
    old = ("cost", "-m", "gpt-4o", "--rpm", "100", "--input-tokens", "800", "--output-tokens", "200", "--catalog", "azure-2024-12", "--sku", "global")  # fmt: skip
    document = json.loads(cli(*old, "--json").out)
    # then an output token weighed 3: 100 x 1,400 / 2,500 = 56 PTU, so 60
    assert (document["catalog"], document["deployments"][0]["peak_ptu"]) == (["azure-2024-12"], 60)
    assert refuses(*FLAT, "--catalog", "azure-2024-11").startswith("Error  --catalog: azure-2024-11 should be ")


# --term


@pytest.mark.parametrize(
    ("given", "terms"),
    [
        ("hourly", ["hourly"]), ("1-month", ["1-month"]), ("1-year,hourly", ["hourly", "1-year"]), (" 1-YEAR , 1-Month", ["1-month", "1-year"]),
        ("hourly,hourly", ["hourly"]), ("all", ["hourly", "1-month", "1-year"]), ("1-year,ALL", ["hourly", "1-month", "1-year"]),
    ],
)  # fmt: skip
def test_only_the_terms_asked_for_are_priced_in_their_usual_order(cli, given: str, terms: list[str]) -> None:
    found = entry(cli(*ONE, "--term", given, "--json").out)
    assert [option["term"] for option in found["options"]] == ["payg", *terms]
    assert [each["term"] for each in found["break_even"]] == terms
    assert [term for term, mix in found["hybrid"].items() if mix] == terms


@pytest.mark.parametrize(
    ("given", "found"), [("monthly", "monthly"), ("", "(empty)"), ("1-month,", "(empty)"), ("payg,hourly", "payg"), ("1 month", "1 month"), ("all,x", "x")]
)  # fmt: skip
def test_a_wrong_term_is_refused(refuses, given: str, found: str) -> None:
    assert refuses(*ONE, "--term", given) == f"Error  --term: {found} should be all, hourly, 1-month, 1-year\n"


def test_every_wrong_term_is_told_once(refuses) -> None:
    assert refuses(*ONE, "--term", "x,hourly,Y,X").splitlines()[1:] == [
        "       --term: x should be all, hourly, 1-month, 1-year",
        "       --term: y should be all, hourly, 1-month, 1-year",
    ]


# Money


@pytest.mark.parametrize("given", ["12%", "0.12", ".12", "12.0 %"])
def test_a_discount_is_off_every_ptu_price_and_off_nothing_else(cli, given: str) -> None:
    out = cli(*ONE, "--discount", given, "--json").out
    # 65 x 730, 260, 221 x 0.88
    assert monthly(out) == {"payg": 8672.4, "hourly": 41_756, "1-month": 14_872, "1-year": 12_641.2}
    # 20 x 221 x 0.88 + 3,252.15
    assert entry(out)["hybrid"]["1-year"]["monthly_usd"] == 7141.75
    assert json.loads(out)["discount"] == 0.12
    assert "; 12% off PTU prices." in " ".join(cli(*ONE, "--discount", given).out.split())


@pytest.mark.parametrize("given", ["0", "0%", "0.00"])
def test_no_discount_is_no_discount(cli, given: str) -> None:
    assert cli(*ONE, "--discount", given).out == cli(*ONE).out


@pytest.mark.parametrize(
    ("given", "found", "hint"),
    [("12", "12", " (12%?)"), ("100%", "100%", ""), ("1", "1", ""), ("100", "100", ""), ("1.2", "1.2", ""), ("-5%", "-5%", ""), ("x", "x", ""), ("", "(empty)", "")],
)  # fmt: skip
def test_a_wrong_discount_is_refused(refuses, given: str, found: str, hint: str) -> None:
    expected = f"Error  --discount: {found} should be a share under 1: 0.12 or 12%{hint}\n"
    assert refuses(*ONE, "--discount", given) == expected


@pytest.mark.parametrize("given", ["global", "Global", "GlobalProvisionedManaged"])
def test_pay_as_you_go_can_be_priced_at_another_type(cli, given: str) -> None:
    own = cli(*ONE, "--sku", "data-zone", "--json").out
    other = cli(*ONE, "--sku", "data-zone", "--payg-type", given, "--json").out
    # 8,672.40 and 10 % more; 65 PTU Data zone are 65 x 1.10 x 730 either way
    assert (monthly(own)["payg"], monthly(other)["payg"]) == (9539.64, 8672.4)
    assert monthly(own)["hourly"] == monthly(other)["hourly"] == 52_195
    assert entry(other)["payg_deployment_type"] == "global"
    # 20 PTU on a year: 20 x 243 + 3,252.15
    assert entry(other)["hybrid"]["1-year"]["monthly_usd"] == 8112.15


@pytest.mark.parametrize(("given", "found"), [("standard", "standard"), ("all", "all"), ("", "(empty)")])
def test_a_wrong_type_of_pay_as_you_go_is_refused(refuses, given: str, found: str) -> None:
    expected = f"Error  --payg-type: {found} should be global, data-zone or regional\n"
    assert refuses(*ONE, "--payg-type", given) == expected


def test_price_files_are_laid_over_the_list_in_order(cli, in_tmp: Path) -> None:
    first = prices("one.yaml", hourly_price("0.5"))
    second = prices("two.yaml", hourly_price("0.25"))
    # 65 x 730 x 0.5 and x 0.25; reservations stay those of the list
    for files, hourly in (((first,), 23_725), ((first, second), 11_862.5), ((second, first), 23_725)):
        flags = [word for name in files for word in ("--prices", name)]
        out = cli(*ONE, *flags, "--json").out
        assert (monthly(out)["hourly"], monthly(out)["1-month"]) == (hourly, 16_900)
        assert json.loads(out)["prices"] == ["azure-prices-2026-11", *files]


def test_own_token_prices_are_used_and_named(cli, in_tmp: Path) -> None:
    own = prices("own.yaml", "edition: ours\nmodels: {gpt-4.1: {global: {prices: [{regions: all, input: 1, cached_input: 0.25, output: 4}]}}}\n")  # fmt: skip
    ran = cli(*ONE, "--prices", own)
    assert "$4,336" in ran.out and "azure-prices-2026-11 + ours, USD without tax" in ran.out  # half of 8,672.40


def test_own_prices_of_a_model_that_is_not_there_are_noted(cli, in_tmp: Path) -> None:
    own = prices("own.yaml", "models: {gpt-4.1x: {global: {prices: [{regions: all, input: 1}]}}}\n")
    messages = [note["message"] for note in json.loads(cli(*ONE, "--prices", own, "--json").out)["notes"]]
    assert "the price files name gpt-4.1x, which no model of the catalog is called: not used." in messages


def test_own_prices_of_a_region_that_is_not_there_are_noted(cli, in_tmp: Path) -> None:
    own = prices("own.yaml", "models: {gpt-4.1: {global: {prices: [{regions: [eastus22], input: 1}]}}}\n")
    messages = [note["message"] for note in json.loads(cli(*ONE, "--prices", own, "--json").out)["notes"]]
    near = "the price files name eastus22 (eastus2 or eastus?), where no model is known to be offered."
    assert near in messages


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (hourly_price("free"), "own.yaml:3:57: ptu.hourly_usd_per_ptu.global[0].usd: free should be a price in US dollars, over 0"),
        (hourly_price("0"), "own.yaml:3:57: ptu.hourly_usd_per_ptu.global[0].usd: 0 should be a price in US dollars, over 0"),
        ("currency_per_usd: {euro: 0.9}\n", "own.yaml:3:26: currency_per_usd.euro: euro should be a currency code other than USD, such as EUR"),
        ("currency_per_usd: {EUR: 0}\n", "own.yaml:3:25: currency_per_usd.EUR: 0 should be a number over 0"),
        ("discount: 5%\n", "own.yaml:3:11: discount: discount should be a key that a price file has (see CONTRIBUTING.md)"),
    ],
)  # fmt: skip
def test_a_broken_price_file_is_refused_with_the_place(refuses, in_tmp: Path, text: str, message: str) -> None:
    assert refuses(*ONE, "--prices", prices("own.yaml", text)) == f"Error  {message}\n"


def test_everything_wrong_with_a_price_file_is_told_at_once(refuses, in_tmp: Path) -> None:
    Path("own.yaml").write_text("schema: ptucalc.catalog/1\nas_of: soon\n" + hourly_price("-1"))
    message = refuses(*ONE, "--prices", "own.yaml")
    assert message.startswith("Error  3 values cannot be used\n")
    assert "own.yaml:1:9: schema: ptucalc.catalog/1 should be 'ptucalc.prices/1'\n" in message
    assert "own.yaml:2:8: as_of: soon should be " in message and ".global[0].usd: -1 should be " in message


def test_a_price_file_that_is_not_there_is_refused(refuses, in_tmp: Path) -> None:
    expected = "Error  --prices: no.yaml should be a price file (`ptucalc prices refresh` writes one)\n"
    assert refuses(*ONE, "--prices", "no.yaml") == expected


@pytest.mark.parametrize("given", ["EUR", "eur", "Eur"])
def test_amounts_are_shown_in_a_currency_of_the_price_file(cli, in_tmp: Path, given: str) -> None:
    own = prices("own.yaml", EURO)
    out = cli(*ONE, "--prices", own, "--currency", given).out
    # 8,672.40 x 0.9 = 7,805.16; 7,672.15 x 0.9 = 6,904.94
    assert "EUR 7,805" in out and "EUR 6,905" in out and "$" not in out
    assert "shown in EUR at 0.9 per USD." in " ".join(out.split())


def test_json_and_csv_stay_in_dollars(cli, in_tmp: Path) -> None:
    own = prices("own.yaml", EURO)
    for shape in ("json", "csv"):
        asked = (*ONE, "--prices", own, "-o", shape)
        assert cli(*asked, "--currency", "EUR").out == cli(*asked).out != ""
    assert json.loads(cli(*ONE, "--prices", own, "--currency", "EUR", "--json").out)["currency"] == "USD"


@pytest.mark.parametrize("given", ["USD", "usd"])
def test_dollars_are_always_known(cli, given: str) -> None:
    assert cli(*ONE, "--currency", given).out == cli(*ONE).out


@pytest.mark.parametrize(("given", "found"), [("CHF", "CHF"), ("", "(empty)"), ("€", "€")])
def test_an_unknown_currency_is_refused_with_the_known_ones(refuses, in_tmp: Path, given: str, found: str) -> None:
    known = "(a price file says more: currency_per_usd)"
    assert refuses(*ONE, "--currency", given) == f"Error  --currency: {found} should be a currency of the prices: USD {known}\n"  # fmt: skip
    own = prices("own.yaml", "currency_per_usd: {EUR: 0.9, SEK: 10.5}\n")
    expected = f"Error  --currency: {found} should be a currency of the prices: USD, EUR, SEK {known}\n"
    assert refuses(*ONE, "--prices", own, "--currency", given) == expected


# Several problems, and how they are told


def test_everything_wrong_with_the_flags_is_told_at_once(refuses) -> None:
    flags = ("--headroom", "h", "--sku", "s", "--discount", "d", "--payg-type", "p", "--term", "t", "--currency", "c", "--rpm", "-1")  # fmt: skip
    assert refuses("cost", "-m", "gpt4.1-mni", "--input-tokens", "i", "--output-tokens", "2", *flags).splitlines() == [
        "Error  9 values cannot be used",
        "       --headroom: h should be a share of 0 or more: 0.15 or 15%",
        "       --sku: s should be all, global, data-zone or regional",
        "       --discount: d should be a share under 1: 0.12 or 12%",
        "       --payg-type: p should be global, data-zone or regional",
        "       --term: t should be all, hourly, 1-month, 1-year",
        "       --currency: c should be a currency of the prices: USD (a price file says more: currency_per_usd)",
        "       --rpm: -1 should be a number over 0",
        "       --input-tokens: i should be a whole number, 0 or more",
        "       --model: gpt4.1-mni should be a known model: gpt-4.1-mini or gpt-5.4-mini?",
    ]


def test_a_wrong_region_is_told_with_the_rest(refuses) -> None:
    assert refuses(*ONE, "--region", "eastus22", "--term", "x").splitlines()[1:] == [
        "       --term: x should be all, hourly, 1-month, 1-year",
        "       --region: eastus22 should be a region that some PTU model is listed in: eastus2 or eastus?",
    ]


def test_an_unknown_model_does_not_hide_a_wrong_region(refuses) -> None:
    assert "--region: " in refuses(*ONE, "-m", "gpt4.1-mni", "--region", "eastus22")


def test_wrong_money_flags_do_not_hide_the_bad_rows_of_a_file(cli, in_tmp: Path) -> None:
    Path("w.csv").write_text(HEADER + "a,gpt-4.1,-77,2,3,\n")
    ran = cli("cost", "w.csv", "--discount", "12", "--term", "x", "--headroom", "h", "--json")
    problems = json.loads(ran.out)["problems"]
    assert ran.code == 2
    assert [(p["label"], p["cell"], p["found"]) for p in problems] == [("--headroom", "", "h"), ("--discount", "", "12"), ("--term", "", "x"), ("rpm", "C2", "-77")]  # fmt: skip


def test_flags_that_a_files_rows_say_are_refused_beside_it(refuses, in_tmp: Path) -> None:
    Path("w.csv").write_text(HEADER)
    left_out = "beside a file should be left out: the rows of the file say that"
    flags = ("-m", "gpt-4.1", "--rpm", "1", "--average-rpm", "1", "--hours-per-month", "1", "--profile", "1:1")
    assert refuses("cost", "w.csv", *flags).splitlines()[1:] == [
        f"       {flag}: {left_out}"
        for flag in ("--model", "--rpm", "--average-rpm", "--hours-per-month", "--profile")
    ]  # fmt: skip


def test_flags_beside_a_file_do_not_hide_wrong_ones(refuses, in_tmp: Path) -> None:
    Path("w.csv").write_text(HEADER + "a,gpt-4.1,1,2,3,\n")
    message = refuses("cost", "w.csv", "--profile", "1:1", "--term", "x", "--discount", "12")
    assert [flag for flag in ("--profile", "--term", "--discount") if f"{flag}: " not in message] == []


def test_a_wrong_price_file_does_not_hide_wrong_flags(refuses, in_tmp: Path) -> None:
    message = refuses(*ONE, "--prices", "no.yaml", "--term", "x", "--input-tokens", "many")
    assert [flag for flag in ("--prices", "--term", "--input-tokens") if f"{flag}: " not in message] == []


def test_nothing_to_price_shows_an_example(refuses) -> None:
    assert refuses("cost") == (
        "Error  cost: (empty) should be a workload: ptucalc cost -m gpt-4.1 --rpm 600 --input-tokens 1800 --output-tokens "
        "250, or ptucalc cost FILE\n"
    )


def test_with_json_a_refusal_is_a_document_too(cli) -> None:
    ran = cli(*SHAPE, "--profile", "1/3:1000,1/3:60", "--discount", "12", "--json")
    assert ran.code == 2 and ran.err.startswith("Error  2 values cannot be used\n")
    document = json.loads(ran.out)
    assert (document["schema"], document["uncounted"]) == ("ptucalc.error/1", 0)
    place = {"source": "", "line": None, "column": None, "cell": ""}
    assert document["problems"] == [
        {**place, "field": "discount", "label": "--discount", "found": "12", "expected": "a share under 1: 0.12 or 12% (12%?)"},
        {**place, "field": "profile.levels", "label": "--profile levels", "found": "2/3", "expected": "shares that sum to exactly 1 (1/3 is a share too)"},
    ]  # fmt: skip
    assert TypeAdapter(documents.ErrorDocument).validate_python(document, strict=True) == document


def test_with_json_a_broken_price_file_is_a_document_with_its_line(cli, in_tmp: Path) -> None:
    ran = cli(*ONE, "--prices", prices("own.yaml", hourly_price("free")), "-o", "json")
    (problem,) = json.loads(ran.out)["problems"]
    assert ran.code == 2
    assert (problem["source"], problem["line"], problem["column"]) == ("own.yaml", 3, 57)


@pytest.mark.parametrize("arguments", [("-o", "xml"), ("--json", "-o", "csv"), ("--frobnicate",), ("--term",), ("--ptu", "5"), ("a.csv", "b.csv")])  # fmt: skip
def test_a_wrong_command_line_is_refused(refuses, arguments: tuple[str, ...]) -> None:
    assert refuses(*ONE, *arguments).startswith("Error  ")


def test_a_file_that_is_not_there_is_refused(refuses, in_tmp: Path) -> None:
    assert refuses("cost", "no.csv").startswith("Error  no.csv: ")


def test_the_help_names_every_flag(cli) -> None:
    ran = cli("cost", "-h")
    flags = "--profile --average-rpm --hours-per-month --discount --payg-type --term --prices --currency --skip-bad --sku --headroom"
    assert ran.code == 0 and [flag for flag in flags.split() if flag not in ANSI.sub("", ran.out)] == []


# Bad rows, and deployments without an answer


@pytest.fixture
def mixed(in_tmp: Path) -> str:
    """A good row, one that is not offered so, one with a bad rate."""
    Path("mixed.csv").write_text(
        "name,model,rpm,input_tokens,output_tokens,cache_ratio,sku\n"
        "a,gpt-4.1,120,1000,200,20%,global\nb,gpt-5.2-codex,10,800,200,,regional\nc,gpt-4.1,-1,800,200,,\n"
    )
    return "mixed.csv"


def test_bad_rows_are_listed_and_nothing_is_priced(refuses, mixed: str) -> None:
    message = refuses("cost", mixed)
    assert message.startswith("Error  mixed.csv: 2 values in 2 rows cannot be used (nothing was sized)\n")
    assert [line.split()[:3] for line in message.splitlines()[4:6]] == [["3", "G3", "sku"], ["4", "C4", "rpm"]]
    assert WHY_NOT in message


def test_skip_bad_prices_the_good_rows_and_lists_the_others(cli, mixed: str) -> None:
    ran = cli("cost", mixed, "--skip-bad", "-o", "csv")
    assert ran.code == 0
    assert ran.err.startswith("Error  mixed.csv: 2 values in 2 rows cannot be used (left out of the sizes)\n")
    # 120 x 43,800 x 3,300 / 1,000,000
    rows = rows_of(ran.out)
    assert {row["deployment_type"] for row in rows} == {"global"}
    assert [row["monthly_usd"] for row in rows if row["way_to_buy"] == "payg"] == ["17344.8"]


@pytest.mark.parametrize("shape", ["table", "csv", "markdown"])
def test_a_model_that_is_offered_on_no_type_asked_for_is_no_answer(refuses, shape: str) -> None:
    expected = f"Error  --sku: regional should be a type that gpt-5.2-codex is offered on ({WHY_NOT})\n"
    assert refuses(*NOT_OFFERED, "-o", shape) == expected


def test_with_json_what_is_not_answered_is_printed_and_still_exit_2(cli) -> None:
    ran = cli(*NOT_OFFERED, "--json")
    document = json.loads(ran.out)
    assert (ran.code, ran.err) == (2, f"Error  --sku: regional should be a type that gpt-5.2-codex is offered on ({WHY_NOT})\n")  # fmt: skip
    assert document["unanswered"] == [{"name": "gpt-5.2-codex", "model": "gpt-5.2-codex", "reason": WHY_NOT}]
    assert (document["schema"], document["deployments"], document["choices"]) == ("ptucalc.cost/1", [], [])
    assert TypeAdapter(documents.CostDocument).validate_python(document, strict=True) == document


def test_with_json_the_answered_deployments_of_a_file_are_priced_beside_the_others(cli, mixed: str) -> None:
    text = "".join(Path(mixed).read_text().splitlines(keepends=True)[:3])
    ran = cli("cost", "-", "--json", stdin=text.encode())
    document = json.loads(ran.out)
    assert ran.code == 2
    assert [d["payg_monthly_usd"] for d in document["deployments"]] == [17344.8]
    assert [each["name"] for each in document["unanswered"]] == ["gpt-5.2-codex"]
    (choice,) = document["choices"]
    assert choice["not_offered"] == ["gpt-5.2-codex"] and choice["payg_monthly_usd"] is None  # no sum of a part


def test_the_headroom_of_a_plan_that_is_wrong_is_told_with_the_plan(refuses, in_tmp: Path) -> None:
    Path("p.yaml").write_text("headroom: lots\n" + FILES["w.yaml"])
    assert refuses("cost", "p.yaml").startswith("Error  p.yaml: headroom: lots should be a share of 0 or more: 0.15 or 15%\n")  # fmt: skip


# Output


DOCUMENTS = {
    "single": ONE,
    "types": FLAT,
    "average": (*SHAPE, "--rpm", "120", "--average-rpm", "60"),
    "unknown": UNKNOWN,
    "weightless": ("cost", "-m", "gpt-4.1", "--rpm", "9", "--input-tokens", "0", "--output-tokens", "0"),
    "plan": ("cost", "examples/plan.yaml", "--prices", "examples/negotiated-prices.yaml"),
    "portfolio": ("cost", "examples/workloads.csv"),
    "one-term": (*ONE, "--term", "1-year", "--discount", "12.5%", "--headroom", "10%", "--payg-type", "data-zone"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_json_has_every_key_of_its_type_and_no_other(cli, in_root: Path, name: str) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    written = json.loads(cli(*DOCUMENTS[name], "--json").out, parse_constant=refuse)
    assert TypeAdapter(documents.CostDocument).validate_python(written, strict=True) == written


def leaves(value: Any) -> Iterator[Any]:
    """Every number and text of a JSON document."""
    match value:
        case dict():
            for each in value.values():
                yield from leaves(each)
        case list():
            for each in value:
                yield from leaves(each)
        case _:
            yield value


NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
SHOWN = re.compile(rf"(?P<usd>\$)?(?P<number>{NUMBER})(?P<percent>%)?(?P<million> M\b)?")
RANGE = re.compile(
    rf"(?:(?P<bands>{NUMBER}) bands from|over) (?P<start>{NUMBER})(?:, and all over (?P<last>{NUMBER})| (?:up )?to (?P<end>{NUMBER})|) requests/min"
)


def number(text: str | None) -> float:
    return float((text or "").replace(",", ""))


def is_near(match: re.Match[str], values: set[float]) -> bool:
    """Whether a number of a report is one of these, as rounded as it is shown."""
    shown, decimals = number(match["number"]), len(match["number"].partition(".")[2])
    unit, room = 1.0, 0.0
    if match["usd"]:  # whole dollars from a thousand on
        assert decimals or shown >= 1000, match.group()
        room = 0.5 * 10**-decimals
    elif match["percent"]:  # 99.9% where it is not yet full
        unit, room = 100, 0.1 if decimals else 0.5
    elif match["million"]:
        unit, room = 1e-6, 0.05
    return any(abs(value * unit - shown) <= room + 1e-9 * shown for value in values)


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("name", ["single", "types", "average", "unknown", "plan", "one-term"])
def test_every_number_of_the_report_is_in_the_json(cli, in_root: Path, name: str, verbose: bool) -> None:
    report = " ".join(cli(*DOCUMENTS[name], *["-v"][: int(verbose)]).out.split())
    document = json.loads(cli(*DOCUMENTS[name], "--json").out)
    kept = list(leaves(document))
    said = {match.group() for text in kept if isinstance(text, str) for match in SHOWN.finditer(text)}
    said |= {"43,800", "100%"}  # minutes of a month; what break-even is measured against
    values = {abs(each) for each in kept if isinstance(each, (int, float)) and not isinstance(each, bool)}
    for mix in (mix for d in document["deployments"] for mix in d["hybrid"].values() if mix):
        steps = [step for step in (mix["last_increment"], mix["next_increment"]) if step]
        values |= {step["to_ptu"] - step["from_ptu"] for step in steps}
    ranges = [each["cheaper_rpm_ranges"] for d in document["deployments"] for each in d["break_even"]]
    for match in RANGE.finditer(report):
        assert any(is_same_range(match, each) for each in ranges if each), match.group()
    matches = [match for match in SHOWN.finditer(RANGE.sub("", report)) if match.group() not in said]
    assert len(matches) > 20
    assert [match.group() for match in matches if not is_near(match, values)] == []


def is_same_range(match: re.Match[str], ranges: list[list[float | None]]) -> bool:
    """Whether a text says these ranges: starts rounded up, ends cut off, to a tenth."""
    last = ranges[-1]
    found = [0 <= number(match["start"]) - ranges[0][0] < 0.1 + 1e-9]
    found.append(number(match["bands"] or "1") == len(ranges) - (match["last"] is not None))
    found.append((match["end"] is None) == (last[1] is None))
    if match["last"]:
        found.append(0 <= number(match["last"]) - last[0] < 0.1 + 1e-9)
    if match["end"]:
        found.append(0 <= last[1] - number(match["end"]) < 0.1 + 1e-9)
    return all(found)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_csv_rows_are_the_rows_of_the_result(cli, in_root: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[CostComparison] = []
    rows = CostComparison.rows
    monkeypatch.setattr(CostComparison, "rows", lambda result: kept.append(result) or rows(result))
    found = rows_of(cli(*DOCUMENTS[name], "-o", "csv").out)
    (result,) = kept
    assert found == as_cells(rows(result)) and len(found) >= 3


def test_csv_leaves_unknown_empty_with_the_reason_and_has_no_row_for_a_mix_that_is_not_known(cli) -> None:
    rows = rows_of(cli(*UNKNOWN, "--sku", "data-zone", "-o", "csv").out)
    assert [(row["way_to_buy"], row["term"], row["ptu"], row["monthly_usd"], row["reason"]) for row in rows] == [
        ("payg", "", "0", "", "no Data zone pay-as-you-go price of gpt-5.2 is known for swedencentral"),
        ("full PTU", "hourly", "75", "65700", ""),  # 100 x 2,400 / 3,400 = 70.6; 75 x 876
        ("full PTU", "1-month", "75", "", "no Data zone 1-month reservation price is known for swedencentral"),
        ("full PTU", "1-year", "75", "", "no Data zone 1-year reservation price is known for swedencentral"),
    ]  # fmt: skip


NASTY = [
    "=1+1",
    "+x",
    "-x",
    "@x",
    "a|b",
    "<script>alert(1)</script>",
    "`c`",
    "[l](http://x)",
    "**b**",
    "#h",
    "\\|",
    "日本",
]


@pytest.fixture
def nasty(in_tmp: Path) -> str:
    with open("n.csv", "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("name", "model", "rpm", "input_tokens", "output_tokens", "deployment"), *((n, "gpt-4.1", 1, 2, 3, n) for n in NASTY)])  # fmt: skip
    return "n.csv"


def test_csv_names_are_no_formulas_and_negative_numbers_stay_numbers(cli, nasty: str) -> None:
    rows = rows_of(cli("cost", nasty, "-o", "csv", "--sku", "global").out)
    expected = [f"'{name}" if name[0] in "=+-@" else name for name in NASTY]
    assert list(dict.fromkeys(row["deployment"] for row in rows)) == expected
    below = [row["vs_payg"] for row in rows_of(cli(*ONE, "-o", "csv").out) if row["vs_payg"].startswith("-")]
    assert [round(float(share), 4) for share in below] == [-0.0254, -0.1153]  # 8,452.15 and 7,672.15 / 8,672.40


def test_markdown_cannot_be_broken_by_names(cli, nasty: str) -> None:
    out = cli("cost", nasty, "-o", "markdown", "--sku", "global").out
    assert "<script" not in out.replace("\\<script", "")
    (table,) = [block.splitlines() for block in out.split("\n\n") if block.startswith("|")]
    assert {len(re.split(r"(?<!\\)(?:\\\\)*\|", line)) for line in table} == {12}  # ten columns between eleven bars
    assert len(table) == 2 + len(NASTY)


def test_names_reach_json_as_they_are(cli, nasty: str) -> None:
    document = json.loads(cli("cost", nasty, "--json", "--sku", "global").out)
    assert [d["name"] for d in document["deployments"]] == NASTY


@pytest.mark.parametrize(
    ("name", "start"),
    [("o.json", "{"), ("o.csv", "deployment,model,"), ("o.md", "**gpt-4.1 Global**"), ("o.txt", "\n  gpt-4.1 Global"), ("o", "\n  gpt-4.1")],
)  # fmt: skip
def test_the_format_follows_the_file_name(cli, in_tmp: Path, name: str, start: str) -> None:
    ran = cli(*ONE, "--out-file", name)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    text = Path(name).read_text(encoding="utf-8")
    assert text.startswith(start)
    shape = {"o.json": "json", "o.csv": "csv", "o.md": "markdown"}.get(name, "table")
    assert text == cli(*ONE, "-o", shape).out


def test_an_ending_that_means_nothing_is_refused(refuses, in_tmp: Path) -> None:
    expected = "Error  --out-file: o.xlsx should be a name that ends in .json, .csv, .md, .txt, or -o too\n"
    assert refuses(*ONE, "--out-file", "o.xlsx") == expected and os.listdir() == []


def test_no_file_that_is_read_is_overwritten(refuses, in_tmp: Path) -> None:
    Path("w.csv").write_text(FILES["w.csv"])
    catalog = "schema: ptucalc.catalog/1\nas_of: 2026-01-01\nmodels: [{name: gpt-4.1, tpm_per_ptu: 3100}]\n"
    Path("models.txt").write_text(catalog)
    prices("prices.txt", EURO)
    os.symlink("prices.txt", "link.txt")
    before = {name: Path(name).read_text() for name in os.listdir()}
    for name in ("w.csv", "./models.txt", "prices.txt", "link.txt"):
        found = refuses("cost", "w.csv", "--catalog", "models.txt", "--prices", "prices.txt", "--out-file", name)
        assert found == f"Error  --out-file: {name} should be another file than the one that is read\n"
    assert {name: Path(name).read_text() for name in os.listdir()} == before


def test_the_old_file_stays_whole_when_writing_fails(cli, in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("o.csv").write_text("old")

    def breaks(columns: object, rows: object, stream: Any) -> None:
        stream.write("half")
        raise RuntimeError("no more")

    monkeypatch.setattr("ptucalc.report.flat.write_csv", breaks)
    assert cli(*ONE, "--out-file", "o.csv").code == 3
    assert Path("o.csv").read_text() == "old" and os.listdir() == ["o.csv"]


def test_the_old_file_stays_when_there_is_no_answer(refuses, in_tmp: Path) -> None:
    Path("o.txt").write_text("old")
    refuses(*NOT_OFFERED, "--out-file", "o.txt")
    refuses(*ONE, "--term", "x", "--out-file", "o.txt")
    assert Path("o.txt").read_text() == "old" and os.listdir() == ["o.txt"]


def test_quiet_leaves_only_the_answer(cli) -> None:
    out = cli(*FLAT, "-q").out
    assert "50 + spillover, 1-year" in out and "● Mix, 1-year" in out and "Breaks even at" in out
    assert not {"How", "Step", "Also", "Reserve", "Prices", "Rates", "Note", "Total"} & set(out.split())


def test_verbose_shows_the_working(cli) -> None:
    out = cli(*ONE, "-v").out
    for text in ("uncached input", "2,102,400,000", "cached input", "525,600,000", "$4,204.80", "$262.80", "$8,672.40", "Cost against PTU", "cached +20%"):  # fmt: skip
        assert text in out
    assert "Cost against PTU" not in cli(*ONE).out


def test_verbose_shows_every_type_in_full(cli) -> None:
    out = cli(*FLAT, "-v").out
    assert re.findall(r"^  gpt-4.1 (\w+(?: zone)?)  4.4 M", out, re.MULTILINE) == ["Global", "Data zone", "Regional"]


def test_ignored_columns_are_remarked_unless_quiet(cli, in_tmp: Path) -> None:
    Path("w.csv").write_text("model,rpm,input_tokens,output_tokens,owner\ngpt-4.1,120,1000,200,me\n")
    assert cli("cost", "w.csv", "-o", "csv").err == "w.csv: ignored column owner\n"
    assert cli("cost", "w.csv", "-o", "csv", "-q").err == ""


# As a process


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    rows = "".join(f"r{i},gpt-4.1,1,2,3,,d{i}\n" for i in range(160))
    (tmp_path / "w.csv").write_text(HEADER.strip() + ",deployment\n" + rows)
    command = (
        f"{sys.executable} -m ptucalc cost {tmp_path}/w.csv --sku global -o csv | head -n 1; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment(), timeout=60, check=False)  # fmt: skip
    assert done.stdout.splitlines()[0].startswith("deployment,model,") and done.stdout.splitlines()[1:] == ["0"]
    assert done.stderr == ""


def test_a_pipe_gets_no_colours_and_the_whole_table(cli) -> None:
    done = ptucalc(*FLAT, FORCE_COLOR="1")
    assert (done.returncode, done.stderr) == (0, b"") and b"\x1b" not in done.stdout
    assert done.stdout.decode() == cli(*FLAT).out


@pytest.mark.parametrize(("more", "flags"), [({"NO_COLOR": "1"}, ()), ({}, ("--no-color",))])
def test_a_terminal_gets_no_colours_where_told(more: dict[str, str], flags: tuple[str, ...]) -> None:
    code, seen = on_terminal(*ONE, "-q", *flags, **more)
    assert code == 0 and "● Mix" in seen and "\x1b" not in seen


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        ((*FLAT, "-v"), ["$14,016", "$11,926", "$146,000", "90 bands from 27.9, and all over 862.6 requests/min", "876,000,000", "● $13,114", "$14,051, 50 PTU"]),
        (("cost", "examples/plan.yaml"), ["$82,622", "155 + spillover, 1-year", "$76,565", "unknown for gpt-5.2", "$411,060 for 1 year ($34,255 a month)"]),
    ],
)  # fmt: skip
def test_nothing_is_cut_and_no_line_is_too_long_in_80_columns(arguments: tuple[str, ...], kept: list[str]) -> None:
    code, seen = on_terminal(*arguments)
    text = ANSI.sub("", seen)
    assert "\x1b[" in seen
    assert code == 0 and [line for line in text.splitlines() if width(line) > 80] == []
    words = " ".join(text.split())
    assert "…" not in text and [each for each in kept if each not in words] == []


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[tuple[str, ...]], str]:
    """Code that runs a command with the catalog and prices compiled, as in the wheel."""
    folder = tmp_path_factory.mktemp("compiled")
    for name, text in compiled_modules(find_bundled("models.yaml").parent).items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")

    def code(words: tuple[str, ...]) -> str:
        return (
            f"import ptucalc\nptucalc.__path__.append({str(folder)!r})\nfrom ptucalc.cli import run\n"
            f"sys.argv = ['ptucalc', *{words!r}]\nassert run() == 0\nassert 'ptucalc.compiled_prices' in sys.modules"
        )

    return code


def test_into_a_pipe_nothing_heavy_is_loaded(compiled) -> None:
    written = [compiled((*ONE, "-o", shape)) for shape in ("json", "csv", "markdown")]
    assert loaded("\n".join(written), (*HEAVY, "rich")) == []
    assert loaded(compiled(ONE), (*HEAVY, "rich.console", "rich.table", "rich.text")) == []
