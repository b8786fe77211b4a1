"""How a simulation is shown: bars, words, and what the report says of results made by hand."""

from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction

import pytest

from ptucalc.bucket_engine import PlainEngine
from ptucalc.call_groups import CallGroup
from ptucalc.call_trace import Call, CallTrace
from ptucalc.catalog import Availability, Unknown
from ptucalc.report.bar_pictures import bars_picture
from ptucalc.report.blocks import Bars, Cell, Column, Remark, Table
from ptucalc.report.console import show
from ptucalc.report.markdown import markdown
from ptucalc.report.simulate_blocks import seconds_or_longer, simulate_blocks
from ptucalc.report.simulate_parts import advice_blocks, mix_blocks, standard_blocks
from ptucalc.report.simulate_pictures import day_picture, sizes_picture
from ptucalc.report.simulate_words import clock_text, count_text, listed, ptu_or_none, share_text, wait_text
from ptucalc.rounding import Grid
from ptucalc.simulated_runs import Policy, Target
from ptucalc.simulation import simulate
from ptucalc.simulation_analysis import Asked, Facts, analyse_calls
from ptucalc.simulation_data import day_data
from ptucalc.spill_mix import Clock, Money
from ptucalc.standard_spill import StandardAsked
from ptucalc.throttled_minutes import WorstDay

from .invented import GLOBAL, TODAY, a_catalog, a_model
from .priced import HOURLY, a_book
from .test_standard_spill import TIERS

F = Fraction
SECOND = 1_000_000
MINUTE = 60 * SECOND
NUMBERS = Table([Column("A")], [[Cell("1")]])


def bars(values, **given):
    plain = {"title": "Title", "top": 8, "top_text": "8", "zero_text": "0", "ticks": (), "numbers": NUMBERS, "lines": 2}
    return Bars(values=values, **{**plain, **given})


def drawn(block, room=40):
    return ["".join(cell.text for cell in line).rstrip() for line in bars_picture(block, room)]


# Bars


def test_bars_are_as_high_as_their_values_a_little_is_not_nothing_and_nothing_is_not_no_data():
    assert drawn(bars([0, F(1, 100), 4, 6, 8, None, 99]), room=11) == [
        "Title",
        "8 ┤   ▄█ █",
        "0 ┤·▁███ █",
        "  └────────",
        "",
    ]


def test_bars_that_are_marked_have_a_mark_above_them_with_or_without_colours():
    block = bars([8, 4], marked=(True, False), mark="with 429s")
    lines = drawn(block, room=6)
    assert lines[1] == "   ▼" and lines[-1] == "   ▼ with 429s"
    styles = [[(cell.text, cell.style) for cell in line] for line in bars_picture(block, 6)]
    assert styles[2] == [("8 ┤", "dim"), ("█", "over"), (" ", "bar")]
    assert drawn(bars([8, 4], marked=(False, False), mark="with 429s"), room=6)[-1] == ""


def test_where_room_is_short_a_bar_is_the_highest_of_neighbours_and_says_so():
    lines = drawn(bars([1, 8, 2, 2, None, None, 4], each="minute", marked=[False] * 3 + [True] + [False] * 3), room=8)
    assert lines[1:4] == ["    ▼", "8 ┤█", "0 ┤█▄ █"]
    assert lines[-1] == "   each bar 2 minutes, the highest of them"


def test_where_there_is_room_bars_are_wider_but_not_too_wide():
    assert drawn(bars([8, 4]), room=10)[1:3] == ["8 ┤███", "0 ┤██████"]
    assert drawn(bars([8]), room=99)[1] == "8 ┤████"


def test_ticks_stand_beneath_their_places_and_those_that_would_touch_are_left_out():
    block = bars([1] * 20, ticks=((0, "00:00"), (3, "00:03"), (10, "00:10"), (20, "00:20")))
    assert drawn(block, room=25)[-2:] == ["  └┴─────────┴─────────┴", "   00:00   00:10   00:20"]


def test_no_line_is_wider_than_the_room():
    for room in (30, 58, 78, 120):
        for count in (1, 5, 60, 96, 1440):
            lines = drawn(bars([count_ % 9 for count_ in range(count)], ticks=((0, "00:00"), (count, "24:00"))), room)
            assert max(map(len, lines)) <= room, (room, count)


def test_markdown_has_the_numbers_instead():
    assert markdown([bars([1, 2])]) == "Title\n\n| A |\n| --- |\n| 1 |\n"


def test_a_pipe_gets_bars_without_colours():
    out = io.StringIO()
    show([bars([8], marked=(True,), mark="over")], out)
    assert "▼ over" in out.getvalue() and "\x1b" not in out.getvalue()


# Words


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (F(0), "0%"),
        (F(1), "100%"),
        (F(999_999, 1_000_000), "99.9%"),
        (F(1, 10_000), "0.01%"),
        (F(481, 10_000), "4.8%"),
        (F(96), "9,600%"),
    ],
)
def test_shares(share, text):
    assert share_text(share) == text


@pytest.mark.parametrize(
    ("wait", "text"), [(0, "0"), (1, "1 ms"), (999, "999 ms"), (1000, "1 s"), (1450, "1.45 s"), (37_000, "37 s")]
)
def test_waits(wait, text):
    assert wait_text(wait) == text


def test_counts_sizes_and_times():
    assert [count_text(count, "request") for count in (0, 1, 2000)] == ["0 requests", "1 request", "2,000 requests"]
    assert listed([1, 2, 3], most=2) == "1, 2 and 1 more" and listed([1500]) == "1,500"
    assert ptu_or_none(Unknown("why")) == "—" and ptu_or_none(1500) == "1,500"
    assert clock_text(65, relative=False) == "01:05" and clock_text(65, relative=True) == "1:05 h"
    assert [seconds_or_longer(n * SECOND) for n in (90, 60, 7200, 86_400)] == ["90 s", "1 minute", "2 hours", "1 day"]


# The report

PER_SECOND = a_model(tpm_per_ptu=60, grids={GLOBAL: Grid(10, 10)})
"""One PTU drains 1 token per second; sizes go 10, 20, 30 ..."""

CALLS = [Call(place * SECOND, 100, 0) for place in range(4)] + [Call(MINUTE, 100, 0)]
"""With a window of a second 10 PTU hold 10: one of the first four gets in. 40 PTU hold 40: 100 less 40 is over it, less 80
is not: the first, third and fifth get in. 60 hold 60: 40 is left after a second, then 80, which is over, then 20."""


def a_report(trace=None, *, model=PER_SECOND, groups=None, source=None, **asked):
    trace = trace or CallTrace.of(CALLS, relative_clock=True)
    group = CallGroup("chat", ("chat",), model, model.name, None, None, GLOBAL, trace)
    facts = Facts(
        catalog=a_catalog(model),
        money=Money(a_book(), F(0), (HOURLY,)),
        limits=TIERS,
        engine_for=lambda *_: PlainEngine(),
        version="0",
        today=TODAY,
    )
    clock = Clock(0, 2, 2 * MINUTE)
    question = Asked(window=F(1), **asked)
    return analyse_calls(
        groups or [group], question, facts, source=source, synthetic=None, by="deployment", clock=clock
    )


def remarks(report, **how):
    found = {}
    for block in simulate_blocks(report, **how):
        if isinstance(block, Remark):
            found.setdefault(block.label, []).append(block.text)
    return found


def test_the_answer_says_what_was_refused_and_what_became_of_it():
    def answer(**asked):
        return remarks(a_report(ptu=(10,), **asked))["Answer"][0]

    assert answer() == "10 PTU would have refused 3 of 5 requests (60%), in 1 of 2 minutes; 3 fail."
    spilled = answer(policy=Policy.SPILLOVER)  # 300 tokens in two minutes: 0.003 x 21,900
    assert spilled.endswith("; 3 spill over as whole calls, for $65.70 a month.")
    # all three come back after 9 s, when 10 of 10 are left, and 1 ms later, when one gets in
    assert answer(policy=Policy.RETRY).endswith("; after 2 further tries 2 still fail, waits are up to 8 s.")
    late = answer(policy=Policy.RETRY_THEN_SPILLOVER, max_retries=1)
    assert late.endswith("; after 1 further try 3 still spill over, for $65.70 a month, waits are up to 8 s.")
    waited = answer(policy=Policy.RETRY, max_retries=99)
    assert "; all of them get through when they try again, waits are up to " in waited


def test_a_size_that_refuses_nothing_says_so():
    assert remarks(a_report(ptu=(200,)))["Answer"] == ["200 PTU would have refused none of 5 requests."]


def test_prompts_that_ptu_do_not_take_are_told_from_429s():
    limited = PER_SECOND._replace(prompt_limit_tokens=99)
    text = remarks(a_report(model=limited, ptu=(200,)))["Answer"][0]
    assert text == "200 PTU would have refused none of 5 requests with a 429; 5 have prompts that PTU do not take."


def test_a_target_that_larger_sizes_miss_names_them():
    report = a_report(ptu=(10,), target_429=F(1, 2))
    (deployment,) = report.deployments
    assert deployment.result is not None and deployment.result.target is not None

    def says(target):
        changed = replace(deployment, result=replace(deployment.result, target=target))
        return remarks(replace(report, deployments=(changed,)))["Target"][0]

    start = "40 PTU is the smallest Global size with 429s in at most 50% of the requests; "
    assert says(Target(F(1, 2), 40, True, ())) == start + "every larger one keeps to it too."
    assert says(Target(F(1, 2), 40, False, (60, 70))) == start + "larger ones that do not keep to it: 60, 70 PTU."
    unknown = Target(F(1, 2), 40, Unknown("not looked at"), ())
    assert says(unknown) == start + "whether every larger one is too is not known (not looked at)."
    none = Target(F(1, 2), Unknown("even 70 PTU meet 429s"), Unknown("-"), ())
    assert says(none) == "no Global size that was looked at keeps 429s to 50%: even 70 PTU meet 429s."


def test_the_chosen_size_is_marked_where_there_are_several():
    def first_column(*ptu, **asked):
        report = a_report(ptu=ptu, **asked)
        tables = [block for block in simulate_blocks(report) if isinstance(block, Table)]
        return [row[0].text for row in tables[0].rows]

    assert first_column(10) == ["10"]
    assert first_column(200, 10) == ["10", "● 200"]
    assert first_column(10, 200, target_429=F(7, 10)) == ["● 10", "200"]
    assert first_column(10, 20) == ["10", "● 20"]  # neither meets none: the larger


def test_429s_over_the_target_stand_out():
    def styles(**asked):
        table = next(b for b in simulate_blocks(a_report(ptu=(10, 200), **asked)) if isinstance(b, Table))
        return [row[3].style for row in table.rows]

    assert styles() == ["warn", ""]
    assert styles(target_429=F(59, 100)) == ["over", ""]
    assert styles(target_429=F(60, 100)) == ["warn", ""]


def test_quiet_leaves_the_answer_and_the_sizes():
    kinds = [type(block).__name__ for block in simulate_blocks(a_report(ptu=(10,)), quiet=True)]
    assert kinds == ["Headline", "Remark", "Remark", "Table"]


def test_verbose_shows_the_working():
    (text,) = remarks(a_report(ptu=(10,)), verbose=True)["How"]
    assert text.startswith("10 PTU drain 10 × 60 ÷ 60 = 10 weighted tokens per second and hold 1 s of that, 10;")


def test_a_day_is_drawn_with_its_throttled_minutes():
    report = a_report(ptu=(10,))
    (deployment,) = report.deployments
    day = WorstDay("day 1", None, 0, tuple(F(1, 2) for _ in range(90)), tuple(int(at == 30) for at in range(90)))
    (picture,) = day_picture(deployment, day)
    assert picture.title == "Day 1 at 10 PTU, mean use by minute"
    assert [place for place, each in enumerate(picture.marked) if each] == [30]
    assert picture.ticks == [(0, "0:00 h"), (30, "0:30 h"), (60, "1:00 h"), (90, "1:30 h")]
    assert [[cell.text for cell in row] for row in picture.numbers.rows][2] == ["0:30 h", "50%", "1"]


def test_429s_are_drawn_against_the_sizes_where_there_are_enough():
    result = simulate(CallTrace.of(CALLS), PER_SECOND, window=1, largest_ptu=1000, target_429="20%")
    (picture,) = sizes_picture(result)
    assert picture.values[0] == F(3, 5) and picture.values[-1] == 0 and picture.top == F(3, 5)
    assert picture.mark == "over 20%" and picture.marked[0] and not picture.marked[-1]
    assert list(sizes_picture(simulate(CallTrace.of(CALLS[:1]), PER_SECOND, largest_ptu=1000))) == []


def test_a_mix_says_why_whole_calls_and_minutes_differ():
    (deployment,) = a_report(ptu=(10,)).deployments
    assert deployment.result is not None
    (mix,) = deployment.mixes
    assert mix.minutes is not None
    of_ten = mix.minutes._replace(ptu=10)

    def why(calls, minutes):
        changed = mix._replace(minutes=of_ten._replace(spilled_usd=minutes), whole_calls_spilled_usd=calls)
        shown = mix_blocks(replace(deployment, mixes=(changed,)), deployment.result)
        return [block.text for block in shown if isinstance(block, Remark)]

    from decimal import Decimal

    assert "a burst within a minute" in why(Decimal(5), Decimal(4))[0]
    assert "the bucket carries" in why(Decimal(4), Decimal(5))[0]
    assert "minutes tell nearly all" in why(Decimal(4), Decimal(4))[0]
    nothing = mix._replace(calls=None, minutes=None, reason="no price")
    (remark,) = mix_blocks(replace(deployment, mixes=(nothing,)), deployment.result)
    assert remark == Remark("Cost", "no mix of PTU and spillover is known: no price.", "warn")


def standard(**asked):
    (deployment,) = a_report(ptu=(10,), policy=Policy.SPILLOVER, standard=StandardAsked(**asked)).deployments
    return {block.label: block.text for block in standard_blocks(deployment) if isinstance(block, Remark)}


def test_limits_are_said_with_what_they_refuse():
    """Three calls of 100 tokens spill, at :01, :02 and :03. 12 RPM is one in 5 s; 42 one in 1.43 s, 36 one in 1.67 s."""
    found = standard(tpm=2000)
    assert found["Standard"] == (
        "what 10 PTU spill: 2 of 3 requests (66.7%) would be refused; RPM over 1 s (those that come with the TPM)."
    )
    assert found["Split"] == "on two deployments that take calls in turn, half the quota each: 1 (33.3%) refused."
    assert found["Pacing"].startswith(
        "one call every 5 s is what the limits take on average (RPM decides; the mean call: 100 tokens counted)"
    )
    assert found["Quota"].startswith(
        "ask for 7,000 TPM (42 RPM come with it) so that none of what 10 PTU spill is refused"
    )
    assert found["Tiers"].endswith("Tier 3 holds what is needed.")


def test_without_a_spilled_call_no_limit_is_met():
    (deployment,) = a_report(ptu=(200,), policy=Policy.SPILLOVER).deployments
    (remark,) = standard_blocks(deployment)
    assert remark.text == "200 PTU spill no call, so no Standard limit is reached."


def test_advice_that_was_not_tried_says_why():
    (deployment,) = a_report(ptu=(10,), advise=False).deployments
    assert deployment.result is not None
    first = next(iter(advice_blocks(deployment, deployment.result)))
    assert first == Remark("What if", "not tried on 5 requests, which takes a while: -v tries it.")


def test_what_was_left_out_is_said_with_the_reason():
    nowhere = a_model("Alder", places={GLOBAL: ()})
    report = a_report(model=nowhere)
    assert not report.answered
    assert remarks(report)["Left out"][0].startswith("chat: expected a type that chat can be deployed as")
    assert report.problems[0].field == "sku"


def test_the_report_is_the_data_too():
    report = a_report(ptu=(10,), policy=Policy.SPILLOVER)
    rows = report.rows()
    assert [row["ptu"] for row in rows][:2] == [10, 20] and rows[0]["chosen"] and not rows[1]["chosen"]
    data = report.to_dict()
    assert data["runs"][0]["spilled_monthly_usd"] == 65.7
    assert data["by_deployment"][0]["simulated"]["worst_day"]["quarter_hours_429"][0] == 3


def test_quarter_hours_have_their_highest_minute_and_all_their_429s():
    day = WorstDay("day 1", None, 1440 + 14, (F(1, 4), F(1, 2), F(3, 4), F(1, 8)), (1, 2, 3, 4))
    data = day_data(day)
    assert data["quarter_hours_utilization"][:3] == [0.25, 0.75, None]
    assert data["quarter_hours_429"][:3] == [1, 9, None]
    assert len(data["quarter_hours_429"]) == 96 and data["throttled_minutes"] == 4


def test_a_deployment_of_unknown_availability_is_simulated_with_a_note():
    unsure = a_model("Alder", tpm_per_ptu=60, places={GLOBAL: Unknown("no table names it")})
    report = a_report(model=unsure, ptu=(10,))
    assert report.answered and report.deployments[0].availability == Availability(None, "no table names it")
    assert [n.message for n in report.notes if n.code == "availability_unknown"] == [
        "whether it can be deployed is not known: no table names it."
    ]


@pytest.mark.parametrize(
    ("spillover", "code"), [(False, "cannot_spill"), (Unknown("not stated"), "spillover_unknown"), (True, "")]
)
def test_models_that_do_not_spill_over_are_said(spillover, code):
    model = a_model("Alder", tpm_per_ptu=60, spillover=spillover)
    codes = {note.code for note in a_report(model=model, ptu=(10,), policy=Policy.SPILLOVER).notes}
    assert codes & {"cannot_spill", "spillover_unknown"} == ({code} if code else set())
    quiet = {note.code for note in a_report(model=model, ptu=(10,)).notes}
    assert not quiet & {"cannot_spill", "spillover_unknown"}
