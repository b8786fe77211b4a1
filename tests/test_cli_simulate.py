"""`ptucalc simulate`: what it answers, in which forms, and how it refuses.

The log by hand: calls of 7,180 tokens in and 80 out weigh 7,180 + 4 x 80 = 7,500 as gpt-4.1, at 10:00:00, :01, :02, :03 and
10:01:00. With a window of 10 s
- 15 PTU (750 a second, 7,500 held): in at 0 (level 0) and 6,750, 429 at 13,500 and 12,750, in again: 2 of 5 refused;
- 20 PTU (1,000, 10,000): 429 at 13,000 and 12,000: 2 of 5;
- 25 PTU (1,250, 12,500): 429 at 12,500, which is full, then in at 11,250: 1 of 5;
- 30 PTU (1,500, 15,000): in at 12,000, 429 at 18,000: 1 of 5;
- 35 PTU (1,750, 17,500): in at 17,250: none.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from ptucalc import load_catalog, load_prices, simulate_documents
from ptucalc.catalog import DeploymentType, TokenClass

LOG = "log.csv"
HEAD = "timestamp,deployment,model,input_tokens,output_tokens\n"
TIMES = ("10:00:00", "10:00:01", "10:00:02", "10:00:03", "10:01:00")
MADE = ("-m", "gpt-4.1", "--rpm", "6", "--input-tokens", "7180", "--output-tokens", "80")


def line(time: str, *, deployment: str = "chat", model: str = "gpt-4.1", tokens: str = "7180,80", day: int = 3) -> str:
    return f"2026-11-{day:02d}T{time}Z,{deployment},{model},{tokens}\n"


@pytest.fixture
def log(in_tmp: Path) -> Path:
    """The log of the docstring, in the current folder."""
    path = in_tmp / LOG
    path.write_text(HEAD + "".join(map(line, TIMES)))
    return path


def document(ran: Any) -> dict[str, Any]:
    assert ran.code == 0, ran
    found: dict[str, Any] = json.loads(ran.out)
    adapter = TypeAdapter(simulate_documents.SimulateDocument)
    assert adapter.validate_python(found, strict=True) == found
    return found


def only(ran: Any) -> dict[str, Any]:
    """What was found for the only deployment."""
    (deployment,) = document(ran)["by_deployment"]
    assert deployment["reason"] is None
    return deployment["simulated"]


# Answers


def test_every_size_is_looked_at_up_to_the_first_without_429s(cli: Callable, log: Path) -> None:
    found = only(cli("simulate", LOG, "--window", 10, "--json"))
    assert [(point["ptu"], point["throttled_429"]) for point in found["sweep"]] == [
        (15, 2),
        (20, 2),
        (25, 1),
        (30, 1),
        (35, 0),
    ]
    assert (found["smallest_ptu_without_429"], found["chosen_ptu"]) == (35, 35)
    assert found["sweep_is_every_legal_size"] and found["target"] is None
    assert [run["ptu"] for run in found["runs"]] == [15, 20, 25, 30, 35]
    assert (found["requests_without_max_tokens"], found["requests_without_duration"]) == (5, 5)


def test_sizes_that_are_given_are_simulated_in_detail(cli: Callable, log: Path) -> None:
    ran = document(cli("simulate", LOG, "--window", "10s", "--ptu", 25, "--ptu", 15, "--ptu", 25, "--json"))
    assert [run["ptu"] for run in ran["runs"]] == [25, 15]
    run = ran["runs"][1]
    assert (run["requests"], run["served"], run["failed"], run["spilled"], run["throttled_429"]) == (5, 3, 2, 0, 2)
    assert (run["throttled_minutes"], run["throttled_share"], run["legal"]) == (1, 0.4, True)
    assert [(w["window_seconds"], w["throttled_429"]) for w in run["windows"]] == [(10, 2), (30, 0), (60, 0)]
    assert (ran["model"], ran["deployment_type"], ran["window_seconds"], ran["policy"]) == (
        "gpt-4.1",
        "global",
        10,
        "none",
    )
    assert ran["by_deployment"][0]["simulated"]["chosen_ptu"] == 25  # neither meets none: the larger


def test_the_target_is_answered_truthfully(cli: Callable, log: Path) -> None:
    ran = document(cli("simulate", LOG, "--window", 10, "--target-429", "20%", "--json"))
    assert ran["smallest_ptu_meeting_target"] == 25
    target = ran["by_deployment"][0]["simulated"]["target"]
    assert (target["share"], target["smallest_ptu"], target["all_larger_meet"], target["exceptions"]) == (
        0.2,
        25,
        True,
        [],
    )
    assert ran["by_deployment"][0]["simulated"]["chosen_ptu"] == 25
    assert (
        document(cli("simulate", LOG, "--window", 10, "--target-429", "19%", "--json"))["smallest_ptu_meeting_target"]
        == 35
    )


def test_retries_wait_as_long_as_they_are_told(cli: Callable, log: Path) -> None:
    """Both refused calls come back at :10, when the bucket is just full, and 1 ms later: one gets in."""
    run = only(cli("simulate", LOG, "--window", 10, "--ptu", 15, "--policy", "retry", "--json"))["runs"][0]
    assert (run["served"], run["failed"], run["throttled_429"], run["responses_429"]) == (4, 1, 2, 5)
    assert run["wait_ms"] == {"mean": (8001 + 7001) / 5, "p99": 8001, "max": 8001}
    once = only(cli("simulate", LOG, "--window", 10, "--ptu", 15, "--policy", "retry", "--max-retries", 1, "--json"))[
        "runs"
    ][0]
    assert (once["served"], once["failed"]) == (3, 2)


def price(token_class: TokenClass) -> Any:
    book = load_prices()
    return book.tokens("gpt-4.1", None, DeploymentType.GLOBAL, book.default_region).usd_per_1m[token_class]


def test_spilled_calls_have_their_price_of_a_month(cli: Callable, log: Path) -> None:
    run = only(cli("simulate", LOG, "--window", 10, "--ptu", 15, "--policy", "spillover", "--json"))["runs"][0]
    assert (run["served"], run["spilled"], run["failed"]) == (3, 2, 0)
    assert run["tokens_spilled"] == {"uncached_input": 14_360, "cached_input": 0, "cache_write": 0, "output": 160}
    in_two_minutes = 14_360 * price(TokenClass.INPUT) + 160 * price(TokenClass.OUTPUT)
    assert run["spilled_monthly_usd"] == pytest.approx(float(in_two_minutes / 10**6 * 21_900), abs=0.005)


def test_the_window_of_the_log_is_what_a_month_is_made_of(cli: Callable, log: Path) -> None:
    """Ten minutes instead of two: a fifth of the price."""
    window = ("--since", "2026-11-03T09:56Z", "--until", "2026-11-03T10:06Z")
    asked = ("simulate", LOG, "--window", 10, "--ptu", 15, "--policy", "spillover", "--json")
    two, ten = only(cli(*asked)), only(cli(*asked, *window))
    assert ten["runs"][0]["spilled_monthly_usd"] == pytest.approx(two["runs"][0]["spilled_monthly_usd"] / 5, abs=0.01)
    half = only(cli(*asked, "--since", "2026-11-03T10:00:02Z"))
    assert (half["runs"][0]["requests"], half["runs"][0]["throttled_429"]) == (3, 0)


def test_the_minute_estimate_is_that_of_cost(cli: Callable, log: Path) -> None:
    mix = only(cli("simulate", LOG, "--window", 10, "--json"))["cheapest_mix"]
    cost = json.loads(cli("cost", LOG, "--sku", "global", "--json").out)["deployments"][0]["hybrid"]
    assert [each["term"] for each in mix] == ["hourly", "1-month", "1-year"]
    for each in mix:
        by_cost = cost[each["term"]]
        assert each["by_the_minute"]["ptu"] == by_cost["ptu"]
        assert each["by_the_minute"]["monthly_usd"] == by_cost["monthly_usd"]


def test_only_the_terms_asked_for_are_priced_and_discounts_come_off(cli: Callable, log: Path) -> None:
    mix = only(cli("simulate", LOG, "--term", "1-year", "--discount", "10%", "--json"))["cheapest_mix"]
    assert [each["term"] for each in mix] == ["1-year"]


def test_what_spills_is_checked_against_standard_limits(cli: Callable, log: Path) -> None:
    """Two calls of 7,260 counted tokens, at :02 and :03: a limit of one call in each 1.5 s tells them apart, at 40 RPM.

    One in 3 s would too, but not one in 60/39 s: from 40 RPM on all do.
    """
    found = only(cli("simulate", LOG, "--window", 10, "--ptu", 15, "--policy", "spillover", "--json"))["standard"]
    assert (found["calls"], found["ptu"], found["requests"], found["checked"]) == ("spilled", 15, 2, None)
    assert (found["needed"]["tpm"], found["needed"]["rpm"]) == (15_000, 40)
    assert found["needed"]["quota"] == {"units": 40, "tpm": 40_000, "rpm": 40, "binding": "calls", "refused": 0}
    assert found["enough_in_tier"] == 1
    limited = only(
        cli("simulate", LOG, "--window", 10, "--ptu", 15, "--policy", "spillover", "--standard-tpm", 10_000, "--json")
    )["standard"]
    assert (limited["checked"]["tpm"], limited["checked"]["rpm"], limited["checked"]["refused"]) == (10_000, 10, 1)
    assert limited["rpm_from_tpm"] and limited["split"]["refused"] == 2  # 5,000 TPM hold no call of 7,260


def test_without_spillover_limits_are_for_all_calls(cli: Callable, log: Path) -> None:
    found = only(cli("simulate", LOG, "--standard-rpm", 60, "--standard-window", 10, "--json"))["standard"]
    assert (found["calls"], found["ptu"], found["requests"], found["window_seconds"]) == ("all", None, 5, 10)
    assert found["checked"]["refused"] == 0  # 10 calls in 10 s
    assert only(cli("simulate", LOG, "--json"))["standard"] is None


def test_rpm_that_are_no_whole_calls_a_window_say_what_passes(cli: Callable, log: Path) -> None:
    def said(*limits: object) -> str:
        return " ".join(cli("simulate", LOG, *limits).out.split())

    assert "; RPM over 1 s, 1 whole call in each: 60 a minute at most." in said("--standard-rpm", 119)
    assert "; RPM over 10 s, 19 whole calls in each: 114 a minute at most." in said(
        "--standard-rpm", 119, "--standard-window", 10
    )
    for whole in (59, 60, 120):
        assert "; RPM over 1 s." in said("--standard-rpm", whole)


def test_advice_is_from_the_same_calls_changed(cli: Callable, log: Path) -> None:
    found = only(cli("simulate", LOG, "--window", 10, "--ptu", 15, "--json"))["advice"]
    changes = {change["code"]: change for change in found["changes"]}
    assert list(changes) == ["cache_ratio", "smooth_minute", "smooth_hour"]
    # spread over the minute (15 s apart) each call finds an empty bucket
    smooth = changes["smooth_minute"]
    assert (smooth["throttled_share_before"], smooth["throttled_share_after"]) == (0.4, 0)
    assert (smooth["smallest_ptu_before"], smooth["smallest_ptu_after"], smooth["saved_ptu"]) == (35, 15, 20)
    assert [each["code"] for each in found["not_tried"]] == ["max_tokens"]


def test_max_tokens_reserve_more_until_a_call_ends(cli: Callable, in_tmp: Path) -> None:
    """6,860 in and 160 out weigh 7,500 too, and last 2 s; with max_tokens 460 they reserve 8,700.

    At 35 PTU the fourth finds 8,700 + 8,700 + 8,700 - 3 x 1,750 less 2 x 1,200 of the two that ended: 18,450, over 17,500.
    At 40 PTU it finds 26,100 - 3 x 2,000 - 2,400 = 17,700 of 20,000.
    """
    head, rows = (
        "timestamp,deployment,model,input_tokens,output_tokens",
        [f"2026-11-03T{t}Z,chat,gpt-4.1,6860,160" for t in TIMES],
    )
    (in_tmp / LOG).write_text("\n".join([f"{head},max_tokens", *(f"{row},460" for row in rows)]))
    found = only(cli("simulate", LOG, "--window", 10, "--json"))
    assert (found["requests_without_max_tokens"], found["smallest_ptu_without_429"]) == (0, 40)
    change = found["advice"]["changes"][0]
    assert (change["code"], change["value"], change["smallest_ptu_after"]) == ("max_tokens", 160, 35)
    (in_tmp / LOG).write_text("\n".join([head, *rows]))
    assert only(cli("simulate", LOG, "--window", 10, "--json"))["smallest_ptu_without_429"] == 35
    assumed = only(cli("simulate", LOG, "--window", 10, "--assumed-max-tokens", 460, "--json"))
    assert (assumed["assumed_max_tokens"], assumed["smallest_ptu_without_429"]) == (460, 40)


def test_each_deployment_is_simulated_for_itself(cli: Callable, in_tmp: Path) -> None:
    rows = [line(time) for time in TIMES] + [
        line("10:00:30", deployment="web"),
        line("10:00:40", deployment="odd", model="x"),
    ]
    (in_tmp / LOG).write_text(HEAD + "".join(rows))
    ran = document(cli("simulate", LOG, "--window", 10, "--json"))
    assert [(each["name"], each["requests"]) for each in ran["by_deployment"]] == [("chat", 5), ("web", 1), ("odd", 1)]
    assert {run["name"] for run in ran["runs"]} == {"chat", "web"}
    assert ran["model"] is None and ran["smallest_ptu_meeting_target"] is None
    odd = ran["by_deployment"][2]
    assert odd["simulated"] is None and "--map-model odd=MODEL" in odd["reason"]
    assert len(ran["problems"]) == 1
    together = document(cli("simulate", LOG, "-m", "gpt-4.1", "--by", "none", "--json"))
    assert [each["requests"] for each in together["by_deployment"]] == [7]
    mapped = document(cli("simulate", LOG, "--map-model", "odd=gpt-4.1", "--by", "model", "--json"))
    assert [(each["name"], each["requests"]) for each in mapped["by_deployment"]] == [("gpt-4.1", 7)]


def test_standard_input_may_be_a_log_or_workloads(cli: Callable, log: Path) -> None:
    piped = document(cli("simulate", "-", "--window", 10, "--json", stdin=log.read_bytes()))
    assert piped["by_deployment"][0]["simulated"]["chosen_ptu"] == 35 and piped["source"]["files"] == ["stdin"]
    plan = b"name,model,rpm,input_tokens,output_tokens\na,gpt-4.1,6,7180,80\n"
    made = document(cli("simulate", "-", "--arrivals", "uniform", "--json", stdin=plan))
    assert made["source"] is None and made["by_deployment"][0]["requests"] == 360


# Calls that are made up


def test_calls_can_be_made_of_the_flags(cli: Callable) -> None:
    """Evenly spaced: one every 10 s, so each finds an empty bucket of 15 PTU."""
    ran = document(cli("simulate", *MADE, "--arrivals", "uniform", "--duration", "10m", "--window", 10, "--json"))
    assert ran["synthetic"] == {
        "arrivals": "uniform",
        "seed": 0,
        "duration_seconds": 600,
        "calls_per_burst": 10,
        "burst_seconds": 1,
    }
    (found,) = ran["by_deployment"]
    assert (found["requests"], found["minutes"], found["simulated"]["chosen_ptu"]) == (60, 10, 15)


def test_a_seed_gives_the_same_calls_again_and_another_others(cli: Callable) -> None:
    asked = ("simulate", *MADE, "--window", 10, "--ptu", 15, "--json")
    runs = [only(cli(*asked, "--seed", seed))["runs"] for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


def test_bursts_are_as_large_as_they_are_told(cli: Callable) -> None:
    asked = ("simulate", *MADE, "--arrivals", "bursty", "--ptu", 15, "--window", 10, "--json")
    ran = document(cli(*asked, "--burst-calls", 3, "--burst-seconds", "0.5"))
    assert (ran["synthetic"]["calls_per_burst"], ran["synthetic"]["burst_seconds"]) == (3, 0.5)


def test_a_profile_lasts_as_long_as_it_does_unless_told_otherwise(cli: Callable) -> None:
    hours = ",".join(["1"] * 23 + ["2"])
    call = ("-m", "gpt-4.1", "--input-tokens", 100, "--output-tokens", 10, "--arrivals", "uniform")
    ran = document(cli("simulate", *call, "--profile", hours, "--json"))
    assert ran["synthetic"]["duration_seconds"] == 86_400
    assert ran["by_deployment"][0]["requests"] == 60 * 25


def test_a_price_of_part_of_a_minute_is_that_of_its_seconds(cli: Callable) -> None:
    asked = ("simulate", *MADE, "--arrivals", "uniform", "--ptu", 15, "--json")
    mixes = [only(cli(*asked, "--duration", each))["cheapest_mix"][0] for each in ("90s", "3m")]
    assert mixes[0]["monthly_usd"] == mixes[1]["monthly_usd"]


def test_workloads_of_a_file_run_on_their_own_type(cli: Callable, in_tmp: Path) -> None:
    (in_tmp / "w.csv").write_text(
        "name,model,rpm,input_tokens,output_tokens,sku\na,gpt-4.1,6,7180,80,regional\nb,gpt-4.1,6,7180,80,\n"
    )
    found = document(cli("simulate", "w.csv", "--json"))["by_deployment"]
    assert [(each["name"], each["deployment_type"]) for each in found] == [
        ("gpt-4.1 Regional", "regional"),
        ("gpt-4.1", "global"),
    ]


# Forms


def test_the_report_of_one_deployment(cli: Callable, log: Path, golden: Callable) -> None:
    asked = ("simulate", LOG, "--window", 10, "--policy", "spillover", "--target-429", "20%", "-v")
    golden("simulate-one.txt", cli(*asked).out)
    golden("simulate-one.md", cli(*asked, "-o", "markdown").out)
    golden("simulate-one.csv", cli(*asked, "-o", "csv").out)


def test_the_report_of_sizes_with_retries_and_standard_limits(cli: Callable, log: Path, golden: Callable) -> None:
    asked = ("simulate", LOG, "--window", 10, "--policy", "retry-then-spillover", "--ptu", 15, "--ptu", 302)
    golden("simulate-retries.txt", cli(*asked, "--standard-tpm", 10_000, "--sku", "regional").out)


def test_the_report_of_several_deployments(cli: Callable, in_tmp: Path, golden: Callable) -> None:
    names = ("a", "b", "c", "d")
    rows = [line(time, deployment=name) for index, name in enumerate(names) for time in TIMES[index:]]
    (in_tmp / LOG).write_text(HEAD + "".join(rows) + line("10:00:40", deployment="odd", model="x"))
    golden("simulate-many.txt", cli("simulate", LOG, "--window", 10).out)


def test_the_report_of_calls_that_are_made_up(cli: Callable, golden: Callable) -> None:
    asked = ("simulate", *MADE, "--arrivals", "bursty", "--max-tokens", "400", "--window", "10", "--duration", "2h")
    golden("simulate-made.txt", cli(*asked).out)


def test_quiet_is_only_the_answer(cli: Callable, log: Path) -> None:
    out = cli("simulate", LOG, "--window", 10, "--ptu", 15, "-q").out
    assert "15 PTU would have refused 2 of 5 requests (40%), in 1 of 2 minutes; 2 fail." in out
    assert "Note" not in out and "What if" not in out and "Read" not in out


def test_csv_has_a_row_for_every_size(cli: Callable, log: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(cli("simulate", LOG, "--window", 10, "--ptu", 20, "-o", "csv").out)))
    assert [(row["ptu"], row["throttled_429"], row["served"], row["failed"]) for row in rows] == [
        ("15", "2", "3", "2"),
        ("20", "2", "3", "2"),
        ("25", "1", "4", "1"),
        ("30", "1", "4", "1"),
        ("35", "0", "5", "0"),
    ]
    assert [row["chosen"] for row in rows] == ["False", "True", "False", "False", "False"]
    assert [bool(row["utilization_max"]) for row in rows] == [False, True, False, False, False]


def test_a_report_can_go_to_a_file(cli: Callable, log: Path) -> None:
    assert cli("simulate", LOG, "--out-file", "found.json").out == ""
    assert json.loads(Path("found.json").read_text())["schema"] == "ptucalc.simulate/1"


# Refusals


def test_sums_of_minutes_are_refused_with_the_reason(refuses: Callable, in_root: Path) -> None:
    error = refuses("simulate", "examples/logs/metrics.json", "-m", "gpt-4.1")
    assert "what is refused within a minute cannot be seen from its sums" in error


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--ptu", "0"), "--ptu: 0 should be a whole number, 1 or more"),
        (("--ptu", "1.5"), "--ptu: 1.5 should be a whole number, 1 or more"),
        (("--window", "0"), "--window: 0 should be seconds over 0, such as 60, at most a day"),
        (("--window", "86401"), "--window: 86401 should be seconds over 0"),
        (("--window", "0.0000001"), "--window: 0.0000001 should be seconds over 0"),
        (("--window", "soon"), "--window: soon should be seconds over 0"),
        (("--policy", "hope"), "--policy: hope should be one of none, retry, spillover, retry-then-spillover"),
        (("--max-retries", "-1"), "--max-retries: -1 should be a whole number, 0 to 1,000"),
        (("--max-retries", "1001"), "--max-retries: 1001 should be a whole number, 0 to 1,000"),
        (("--target-429", "2"), "--target-429: 2 should be a share: 0 to 1, or 0% to 100% (2%?)"),
        (("--assumed-max-tokens", "0"), "--assumed-max-tokens: 0 should be a whole number, 1 or more"),
        (("--sku", "all"), "--sku: all should be one of global, data-zone or regional"),
        (("--sku", "moon"), "--sku: moon should be all, global, data-zone or regional"),
        (("--standard-tpm", "x"), "--standard-tpm: x should be a whole number, 1 or more"),
        (("--standard-rpm", "0"), "--standard-rpm: 0 should be a whole number, 1 or more"),
        (("--policy", "spillover", "--standard-window", "5"), "--standard-window: 5 should be 1 or 10 seconds"),
        (("--standard-window", "10"), "--standard-window: given alone should be beside --standard-tpm"),
        (("--best-of", "2"), "--best-of: given alone should be beside --standard-tpm"),
        (("--max-retries", "5"), "--max-retries: 5 should be beside a --policy that retries"),
        (("--policy", "spillover", "--best-of", "0"), "--best-of: 0 should be a whole number, 1 or more"),
        (("--seed", "1"), "--seed: beside a log should be left out: the log says which calls there were"),
        (("--rpm", "1"), "--rpm: beside a log should be left out"),
        (("--profile", "1:2"), "--profile: beside a log should be left out"),
        (("--duration", "1h"), "--duration: beside a log should be left out"),
        (("--since", "noon"), "--since: noon should be a time such as 2026-11-02T09:00Z"),
        (("--term", "never"), "--term: never should be all, hourly, 1-month, 1-year"),
        (("--discount", "1"), "--discount: 1 should be a share under 1"),
        (("--region", "nowhere"), "--region: nowhere should be a region that some PTU model is listed in"),
        (("-m", "gpt-99"), "--model: gpt-99 should be a known model"),
        (("--output-weight", "x"), "--output-weight: x should be a number, 0 or more"),
        (("--by", "day"), "--by: day should be deployment, model or none"),
        (("-o", "pdf"), "--output"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_flag(
    refuses: Callable, log: Path, flags: tuple[str, ...], expected: str
) -> None:
    error = refuses("simulate", LOG, *flags)
    assert expected in error and error.count("Error") == 1


def test_a_wrong_model_region_and_size_are_told_together(refuses: Callable, log: Path) -> None:
    error = refuses("simulate", LOG, "-m", "gpt-44", "--region", "nowhere", "--ptu", "ten")
    assert all(f"{flag}: " in error for flag in ("--model", "--region", "--ptu"))
    assert error.startswith("Error  3 values cannot be used")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--seed", "-1"), "--seed: -1 should be a whole number, 0 or more"),
        (("--arrivals", "late"), "--arrivals: late should be one of uniform, poisson, bursty"),
        (("--duration", "soon"), "--duration: soon should be a duration such as 90s, 15m, 24h or 7d"),
        (("--duration", "9999999d"), "--duration: 86,399,991,360 calls should be at most 50,000,000 calls"),
        (("--burst-calls", "5"), "--burst-calls: 5 should be with --arrivals bursty"),
        (("--burst-seconds", "5"), "--burst-seconds: 5 should be with --arrivals bursty"),
        (("--arrivals", "bursty", "--burst-calls", "0"), "--burst-calls: 0 should be a whole number, 1 or more"),
        (("--since", "2026-11-01"), "--since: without a log should be left out: it says how a log is read"),
        (("--map-model", "a=b"), "--map-model: without a log should be left out"),
        (("--cache-ratio", "3"), "--cache-ratio: 3 should be a share"),
    ],
)
def test_calls_that_cannot_be_made_are_refused(refuses: Callable, flags: tuple[str, ...], expected: str) -> None:
    assert expected in refuses("simulate", *MADE, *flags)


def test_all_that_is_wrong_is_told_at_once(refuses: Callable, log: Path) -> None:
    error = refuses("simulate", LOG, "--ptu", "0", "--policy", "x", "--seed", "-1", "--since", "noon", "--map", "x")
    for flag in ("--ptu", "--policy", "--seed", "--since", "--map"):
        assert f"{flag}: " in error


def test_what_is_no_log_and_no_workloads_is_refused(refuses: Callable, in_tmp: Path) -> None:
    Path("empty.csv").write_text("")
    assert "the file is empty" in refuses("simulate", "empty.csv")
    assert "No such file" in refuses("simulate", "nosuch.csv")
    assert "the file is empty" in refuses("simulate", "-")
    assert "simulate -m gpt-4.1" in refuses("simulate")
    Path("w.csv").write_text("name,model,rpm,input_tokens,output_tokens\na,gpt-4.1,6,7180,80\n")
    assert "--rpm: beside a file should be left out" in refuses("simulate", "w.csv", "--rpm", "1")


def test_a_log_of_which_nothing_is_known_is_refused_with_the_way_out(refuses: Callable, in_tmp: Path) -> None:
    Path(LOG).write_text(HEAD + line("10:00:00", model="gpt-99") + line("10:00:01", deployment="b", model=""))
    error = refuses("simulate", LOG)
    assert "deployment chat, model: gpt-99 should be a known model" in error
    assert "--map-model chat=MODEL simulates this deployment as that model" in error


def test_json_is_written_even_where_nothing_can_be_simulated(cli: Callable, in_tmp: Path) -> None:
    Path(LOG).write_text(HEAD + line("10:00:00", model="gpt-99"))
    ran = cli("simulate", LOG, "--json")
    assert ran.code == 2 and "--map-model chat=MODEL" in ran.err
    found = json.loads(ran.out)
    assert [each["simulated"] for each in found["by_deployment"]] == [None] and len(found["problems"]) == 1
    assert TypeAdapter(simulate_documents.SimulateDocument).validate_python(found, strict=True) == found


def test_a_type_that_a_model_is_not_offered_on_is_refused(refuses: Callable, in_tmp: Path) -> None:
    model, kind = next(
        (model, kind)
        for model in load_catalog()
        for kind in DeploymentType
        if isinstance(model.tpm_per_ptu, int) and model.availability(kind).available is False
    )
    Path(LOG).write_text(HEAD + line("10:00:00", model=model.name))
    error = refuses("simulate", LOG, "--sku", kind.value)
    assert f"--sku: {kind.value} should be a type that chat can be deployed as" in error


def test_a_size_off_the_grid_is_simulated_and_said_to_be_none(cli: Callable, log: Path) -> None:
    ran = document(cli("simulate", LOG, "--ptu", 302, "--ptu", 7, "--json"))
    assert [(run["ptu"], run["legal"]) for run in ran["runs"]] == [(302, False), (7, False)]
    messages = [note["message"] for note in ran["notes"] if note["code"] == "off_grid"]
    assert messages == [
        "302 PTU cannot be bought as Global: the nearest are 300 and 305.",
        "7 PTU cannot be bought as Global: the smallest is 15.",
    ]


@pytest.mark.parametrize("code", ["bucket_depth_assumed", "no_max_tokens", "duration_at_target", "cached_unknown"])
def test_what_is_assumed_is_said(cli: Callable, log: Path, code: str) -> None:
    assert code in {note["code"] for note in document(cli("simulate", LOG, "--json"))["notes"]}


def test_help_is_there(cli: Callable) -> None:
    assert "--target-429" in cli("simulate", "--help").out
