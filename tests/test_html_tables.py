"""The tables, cards and texts of the HTML report, against numbers worked by hand.

The plan's gpt-4.1: 600 calls of 1,080 + 4 x 250 = 2,080 weighted tokens are 1,248,000 a minute; at 3,000 a PTU that is 416,
with 10% headroom 457.6, so 460 by fives and 500 by fifties.
"""

import pytest

from ptucalc.report.html import html_page
from ptucalc.report.html_text import against_text, count_text, money_text, raw_ptu_text, share_text
from ptucalc.report.html_what_if import what_if_part

from .report_pages import document, read, table


def shown(report):
    return read(html_page(report))


def cards(top):
    return {c.all("dt")[0].text: c.all("dd")[0].text.strip() for c in top.all("div") if c.has("card")}


def one(name):
    report = document(name)
    report["headlines"] = report["headlines"][:1]
    report["total"] = None
    return report


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.6477, "64.8%"), (0, "0%"), (1, "100%"), (0.9999, "99.9%"), (0.0002, "0.02%"), (2.5, "250%"), (None, "—")],
)
def test_shares_keep_a_decimal_and_are_never_full_before_they_are(share, text):
    assert share_text(share) == text


def test_numbers_are_shown_as_people_write_them():
    assert (money_text(0), money_text(None), money_text(76564.96), money_text(9.5)) == (
        "$0",
        "unknown",
        "$76,565",
        "$9.50",
    )
    assert (count_text(1248000), count_text(9.64), count_text(None)) == ("1,248,000", "9.6", "—")
    assert (raw_ptu_text(416), raw_ptu_text(457.6), raw_ptu_text(None)) == ("416.0", "457.6", "—")
    assert (against_text(-0.073), against_text(0.23), against_text(None)) == ("−7.3%", "+23%", "—")


def test_a_size_stands_with_what_it_follows_from():
    rows = table(shown(document("plan")), "PTU to buy").rows
    assert [row[:6] for row in rows] == [
        ["Global", "460", "416.0", "457.6", "15", "5"],
        ["Data zone", "460", "416.0", "457.6", "15", "5"],
        ["Regional", "500", "416.0", "457.6", "50", "50"],
    ]


def test_the_working_adds_up_to_the_size():
    top = shown(document("plan"))
    caption = "chat: 600 requests/min × 2,080 weighted tokens per call = 1,248,000 a minute"
    assert table(top, caption).rows == [
        ["input, not cached", "1,080", "1"],
        ["input from the cache", "720", "0"],
        ["output", "250", "4"],
    ]
    steps = table(top, "From weighted tokens to PTU").rows[0]
    assert steps == ["Global", "1,248,000", "3,000", "416.0", "457.6", "15", "5", "460"]


def test_the_size_says_what_it_serves():
    assert cards(shown(one("plan")))["Size for the peak"] == "460 PTU Global"
    assert cards(shown(one("log")))["Size at p99"].endswith("PTU Global")


@pytest.mark.parametrize(
    ("share", "words"),
    [(-0.125, "12.5% under"), (0.25, "25% over"), (0, "that is"), (None, "is not known")],
)
def test_a_card_says_whether_it_is_under_or_over_pay_as_you_go(share, words):
    report = one("plan")
    report["headlines"][0]["cheapest"]["vs_payg"] = share
    text = cards(shown(report))["A month"]
    assert words in text or (share and words.replace("12.5%", "13%") in text)
    assert "pay-as-you-go" in text


def test_what_is_unknown_comes_last_and_is_never_the_best():
    report = document("plan")
    entry = report["cost"]["deployments"][0]
    for option in entry["options"]:
        if option["term"] == "1-month":
            option |= {"fixed_monthly_usd": None, "spillover_monthly_usd": None, "monthly_usd": None}
    found = table(shown(report), "Ways to buy it")
    assert (found.rows[-1][0], found.rows[-1][4]) == ("All on PTU, 1-month", "unknown")
    strong = [row.all("th")[0].text for row in found.all("tbody")[0].all("tr") if row.all("b")]
    assert strong == [] and found.rows[0][0] == "Pay-as-you-go"
    certain = table(shown(document("plan")), "Ways to buy it")
    strong = [row.all("th")[0].text for row in certain.all("tbody")[0].all("tr") if row.all("b")]
    assert strong == [certain.rows[0][0]] == ["Mix of PTU and spillover, 1-year"]


@pytest.mark.parametrize(("utilization", "text"), [(1, "100%"), (1.2, "120%: never"), (0.8, "80%"), (None, "unknown")])
def test_over_a_hundred_percent_never_pays(utilization, text):
    report = document("plan")
    report["cost"]["deployments"][0]["break_even"][0]["utilization"] = utilization
    assert table(shown(report), "When PTU pay").rows[0][3] == text


def test_rates_at_which_ptu_pay_are_whole_numbers_of_the_document_never_cut():
    report = document("plan")
    found = report["cost"]["deployments"][0]["break_even"][0]
    found["cheaper_rpm_ranges"] = [[1000.25, 2000.5], [3000.75, None]]
    text = "over 1,000.25 up to 2,000.5; over 3,000.75 requests/min"
    assert table(shown(report), "When PTU pay").rows[0][4] == text
    found["cheaper_rpm_ranges"] = [[n, n + 0.5] for n in range(10_000, 10_009)]
    assert table(shown(report), "When PTU pay").rows[0][4].endswith("up to 10,002.5; and at rates beyond requests/min")


def test_fewer_rows_keep_both_ends_the_peak_and_every_cheapest_size():
    entry = next(e for e in document("plan")["what_if"] if e["deployment_type"] == "global")
    part, data = what_if_part("d1", [entry], None, most_rows=10)
    kept = data["global"]["ptu"]
    assert len(kept) < len(entry["rows"]) / 2
    assert {0, entry["peak_ptu"], entry["rows"][-1]["ptu"], *entry["cheapest"].values()} <= set(kept)
    assert kept == sorted(kept)
    assert "evenly spread" in part.folded[0].grids[0].caption
    whole, _ = what_if_part("d1", [entry], None, most_rows=1_000)
    assert "every size that is sold" in whole.folded[0].grids[0].caption


def test_sources_name_each_source_its_day_and_the_edition():
    report = document("plan")
    text = " ".join(shown(report).by_id("notes").text.split())
    for source in report["sources"]:
        assert source["checked"] in text
        assert source["title"] in text
    assert f"as of {report['catalog_as_of']}" in text
    assert f"ptucalc {report['version']} on 2026-11-22" in text


def test_every_note_is_on_the_page():
    report = document("plan")
    text = shown(report).by_id("notes").text
    assert all(note["message"] in text for note in report["notes"])


# All deployments together


def test_the_size_of_all_is_that_of_the_rows_below_type_by_type():
    top = shown(document("plan"))
    rows = table(top, "The size that each needs").rows
    assert [(row[2], row[3]) for row in rows] == [("Global", "460"), ("Data zone", "255"), ("Global", "15")]
    assert cards(top)["Size of all"].startswith("475 PTU Global + 255 PTU Data zone")


def test_a_sum_of_some_sizes_is_not_called_that_of_all():
    report = document("plan")
    report["headlines"][2]["size_ptu"] = None
    report["sizes_shown"][0] |= {"ptu": 460, "deployments": 1}
    found = cards(shown(report))
    assert "Size of all" not in found
    assert found["Sizes of those that have one"].endswith("deployments with a size: 1 Global, 1 Data zone")
    report.pop("sizes_shown")  # as written by an older ptucalc
    assert not [label for label in cards(shown(report)) if label in ("Size of all", "Sizes of those that have one")]


def test_reservations_of_one_pool_exclude_each_other_and_the_cheapest_is_marked():
    found = table(shown(document("plan")), "What to reserve")
    assert "ONE term" in found.all("caption")[0].text
    assert [(row[2], row[-1]) for row in found.rows] == [
        ("1-month", "or: instead of 1-year"),
        ("1-year", "the cheapest way"),
    ]
    report = document("plan")
    report["headlines"][0]["cheapest_is_certain"] = False
    assert [row[-1] for row in table(shown(report), "What to reserve").rows][1] == "or: instead of 1-month"
    report = document("plan")
    report["headlines"][0]["cheapest"]["ptu"] = 150
    assert [row[-1] for row in table(shown(report), "What to reserve").rows][1] == "or: instead of 1-month"


def test_what_is_not_known_to_be_cheapest_says_why_and_is_not_bold():
    report = document("plan")
    assert "?:" not in table(shown(report), "The size that each needs").all("caption")[0].text
    report["headlines"][0]["cheapest_is_certain"] = False
    found = table(shown(report), "The size that each needs")
    assert "?: the price of some way to buy it is not known" in found.all("caption")[0].text
    bold = [[b.text for b in row.all("b")] for row in found.all("tbody")[0].all("tr")]
    assert "$76,565" not in bold[0] and found.rows[0][5].endswith(" ?")
    # gpt-4.1-nano is cheapest on pay-as-you-go: its 15 PTU are not what to buy
    assert bold[2] == ["$1,551"]


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.9928, "99.3%"), (0.99949, "99.9%"), (0.999999, "99.9%"), (0.992, "99.2%"), (1.0004, "over 100%")],
)
def test_shares_near_all_are_rounded_to_the_nearest_but_never_to_all(share, text):
    assert share_text(share) == text


def test_sizes_that_were_not_simulated_say_so_and_others_show_nothing():
    entry = document("plan")["what_if"][0]
    part, _ = what_if_part("d1", [entry], None, most_rows=500)
    assert {row[2].text for row in part.folded[0].grids[0].table.rows} == {"—"} and "429" not in part.slider.said
    entry["rows"][-1] |= {"throttled_share": 0, "throttled_minutes": 0}
    part, _ = what_if_part("d1", [entry], None, most_rows=500)
    rows = part.folded[0].grids[0].table.rows
    assert [cell.text for cell in rows[-1][2:4]] == ["0%", "0"]
    assert {cell.text for row in rows[:-1] for cell in row[2:4]} == {"not simulated"}
    assert part.slider.said.endswith("429s not simulated.")


def test_requests_that_no_ptu_serve_are_said_beside_both_counts():
    text = " ".join(p.text for p in shown(document("log")).all("p"))
    assert "1,941 requests in 10,080 minutes" in text
    assert "3 more requests have prompts over the model's limit on PTU" in text
    assert "1,944 requests, of which 3 have prompts over the model's limit on PTU: they fail at every size" in text


def test_a_day_that_every_day_repeats_is_shown_once():
    report = document("plan")
    heat = next(t for t in shown(report).all("table") if t.has("heat"))
    assert [row[0] for row in heat.rows] == ["every day"]
    report["hour_of_week"][0]["ptu"] = [*range(1, 25)] * 7
    assert len(next(t for t in shown(report).all("table") if t.has("heat")).rows) == 1
    report["hour_of_week"][0]["ptu"][-1] = 99
    assert len(next(t for t in shown(report).all("table") if t.has("heat")).rows) == 7
