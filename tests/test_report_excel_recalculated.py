"""LibreOffice calculates the workbook anew: it must come to what ptucalc says, at every edge and after every change."""

import random
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from ptucalc.report.excel import workbook
from ptucalc.rounding import Grid

from .invented import GLOBAL, a_catalog, a_model, calls, weights
from .priced import ALDER, a_book
from .workbooks import SOFFICE, column, plan_rows, recalculated, report_of, row_of, written

pytestmark = pytest.mark.skipif(SOFFICE is None, reason="no LibreOffice is installed here")

SLOW = {"tpm_per_ptu": 230, "grids": {GLOBAL: Grid(25, 50)}, "weights": weights(output="4.125")}
FAST = {"tpm_per_ptu": 341_500, "grids": {GLOBAL: Grid(40, 20)}, "weights": weights(cache_write="1.25", output="7.5")}
MODELS = (
    a_model("Alder", weights=weights(cache_write="1.25")),
    a_model("Beech", **SLOW),
    a_model("Cedar", **FAST),
    a_model("Dogwood", tpm_per_ptu=59_400, grids={GLOBAL: Grid(15, 5)}, weights=weights(output=5)),
    a_model("Elm", prompt_limit_tokens=50_000, weights=weights(output="0.1", cached_input="0.1")),
)
CATALOG = a_catalog(*MODELS, largest_deployment_ptu=10**6)
BOOK = a_book(models={model.name.casefold(): ALDER for model in MODELS})
HEADROOMS = ("0", "15%", "12.5%")
STEP = Fraction(1, 10**7)
"""The finest difference that rates of 3 decimals and cached tokens of 4 can make."""


def edge(random_, number, headroom, difference):
    """Workloads that need exactly a size that is sold, more by `difference` weighted tokens per minute, and that size.

    One of odd numbers, one for what it lacks of the size in thousandths, one for the rest of it.
    """
    model = random_.choice(MODELS[:4])
    grid, tpm = model.offer(GLOBAL).grid, model.tpm_per_ptu
    factor = 1 + headroom
    ptu = grid.increment * factor.numerator * random_.randint(1, 200)
    target = Fraction(ptu * tpm) / factor + difference
    name = f"edge-{number}"
    tokens, share = random_.randint(1, 9000), Fraction(random_.randint(0, 100), 100)
    written_share = Fraction(random_.randint(0, 100), 100) * (1 - share)
    written_share = Fraction(int(written_share * 100), 100)
    output = random_.randint(0, 300)
    plain = tokens * (1 - share - written_share)
    call = plain + tokens * written_share * model.weights.cache_write + output * model.weights.output
    rate = Fraction(random_.randint(1, 500_000), 10)
    while rate * call > target:
        rate = Fraction(int(rate * 5), 10)
    parts = (
        [calls(rate or Fraction(1, 10), tokens, output, cache_ratio=share, cache_write_ratio=written_share)]
        if rate
        else []
    )
    lacking = target - sum((Fraction(w.requests_per_minute) * call for w in parts), Fraction(0))
    thousandths = int(lacking * 1000)
    rest = int((lacking - Fraction(thousandths, 1000)) / STEP)
    if thousandths:
        whole = -(-thousandths // (9_000_000 * 1000))  # rates stay under ten million a minute
        parts += (
            [calls(Fraction(thousandths - thousandths % whole, 1000 * whole), whole)] if thousandths // whole else []
        )
        parts += [calls(Fraction(thousandths % whole, 1000), 1)] if thousandths % whole else []
    if rest:
        parts.append(calls(Fraction(1, 1000), 1, cache_ratio=1 - Fraction(rest, 10**4)))
    named = [
        calls(
            w.requests_per_minute,
            w.input_tokens,
            w.output_tokens,
            cache_ratio=w.cache_ratio,
            cache_write_ratio=w.cache_write_ratio,
            model=model.name,
            deployment=name,
            name=f"{name}-{index}",
        )
        for index, w in enumerate(parts)
    ]
    answer = max(grid.minimum, ptu + (grid.increment if difference > 0 else 0))
    return named, answer


@cache
def edges(headroom):
    """A plan of edges under one headroom, and what each deployment must buy."""
    seeded = random.Random(headroom)  # noqa: S311
    share = Fraction(headroom.rstrip("%")) / (100 if headroom.endswith("%") else 1)
    workloads, answers = [], {}
    for number in range(60):
        difference = (Fraction(0), STEP, -STEP)[number % 3]
        parts, answer = edge(seeded, number, share, difference)
        workloads += parts
        answers[f"edge-{number}"] = answer
    return workloads, answers


@cache
def document_of_edges(headroom):
    workloads, _ = edges(headroom)
    return report_of(*workloads, headroom=headroom, catalog=CATALOG, prices=BOOK, types=(GLOBAL,))


def some_plan(**changed):
    """Three deployments, one of two workloads; with what is changed of them."""
    plain = {"headroom": "10%", "chat": {}, "model": "Alder"} | changed
    chat = {"rate": 600, "input_tokens": 1800, "output_tokens": 250, "cache_ratio": "40%"} | plain["chat"]
    return report_of(
        calls(**chat, name="chat", deployment="=front", model=plain["model"]),
        calls(9, 6200, 300, name="search", deployment="=front", model=plain["model"], average_requests_per_minute=4),
        calls(12, 800, 30, name="+1", model="Beech"),
        calls(30, 4000, 70, name="-2", model="Elm", cache_ratio="12.5%"),
        headroom=plain["headroom"],
        catalog=CATALOG,
        prices=BOOK,
        types=(GLOBAL,),
        discount="3%",
    )


CHANGES = {
    "headroom": {"headroom": "22.5%"},
    "rate": {"chat": {"rate": "33.333"}},
    "call": {"chat": {"input_tokens": 1801, "cache_ratio": "37.25%", "output_tokens": 0}},
    "model": {"model": "Cedar"},
    "another model": {"model": "Dogwood", "headroom": "0.1%", "chat": {"rate": "0.001"}},
}


def changed_by_hand(folder, name, given):
    """The unchanged plan with the same changes made in its yellow cells, as a person makes them."""
    book = written(some_plan())
    plan, work = book["Plan"], book["Workloads"]
    row = row_of(work, "chat")
    if "headroom" in given:
        plan["B4"] = float(Fraction(given["headroom"].rstrip("%")) / 100)
    if "model" in given:
        plan.cell(plan_rows(book)["=front", "global"]["at"], 2).value = given["model"]
    titles = {
        "rate": "Peak RPM",
        "input_tokens": "Input tokens",
        "output_tokens": "Output tokens",
        "cache_ratio": "Cached share",
    }
    for key, value in given.get("chat", {}).items():
        share = isinstance(value, str) and value.endswith("%")
        work[f"{column(work, titles[key])}{row}"] = (
            float(Fraction(value.rstrip("%")) / 100) if share else float(Fraction(value))
        )
    path = folder / f"changed {name}.xlsx"
    book.save(path)
    return path


def spoilt(folder, name, cells):
    """The plan with something in a yellow cell that cannot be counted."""
    book = written(some_plan())
    for sheet, title, who, value in cells:
        if sheet == "Plan":
            book["Plan"].cell(plan_rows(book)[who, "global"]["at"], 2).value = value
        else:
            book["Workloads"][f"{column(book['Workloads'], title)}{row_of(book['Workloads'], who)}"] = value
    path = folder / f"spoilt {name}.xlsx"
    book.save(path)
    return path


SPOILT = {
    "rate": ([("Workloads", "Peak RPM", "chat", 9.60004)], "chat", "more decimals than are counted here: ask ptucalc"),
    "negative": ([("Workloads", "Peak RPM", "chat", -1)], "chat", "a number is out of range"),
    "missing": ([("Workloads", "Input tokens", "chat", None)], "chat", "a number is missing"),
    "text": ([("Workloads", "Input tokens", "chat", "many")], "chat", "a number is missing"),
    "shares": ([("Workloads", "Written share", "chat", 0.7)], "chat", "a number is out of range"),
    "prompt": ([("Workloads", "Input tokens", "-2", 50_001)], "-2", "PTU of this model refuse so long a prompt"),
    "images": ([("Workloads", "Image input", "chat", 5)], "chat", "the weight of some of its tokens is not published"),
    "large": (
        [("Workloads", "Input tokens", "chat", 20_000_000)],
        "chat",
        "larger than what is counted here: ask ptucalc",
    ),
    "deployment": ([("Workloads", "Deployment", "chat", "front")], "chat", "no such deployment"),
    "model": ([("Plan", "", "=front", "Fir")], "chat", "its model is not in the list"),
}


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    """Every workbook of this module, calculated anew in one go."""
    folder: Path = tmp_path_factory.mktemp("books")
    paths = {}
    for headroom in HEADROOMS:
        paths["edges", headroom] = folder / f"edges {headroom}.xlsx"
        workbook(document_of_edges(headroom), paths["edges", headroom])
    for name, given in CHANGES.items():
        paths["changed", name] = changed_by_hand(folder, name, given)
    for name, (cells, _, _) in SPOILT.items():
        paths["spoilt", name] = spoilt(folder, name, cells)
    moved = written(some_plan())
    moved["Workloads"][f"B{row_of(moved['Workloads'], 'chat')}"] = "Beech"
    paths["moved", ""] = folder / "moved.xlsx"
    moved.save(paths["moved", ""])
    return dict(zip(paths, recalculated(folder, *paths.values()), strict=True))


def same(one, other):
    """Equal, where numbers may differ in the last of 15 digits."""
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return one == other or abs(one - other) <= 1e-14 * abs(one)
    return (one or "") == (other or "")


@pytest.mark.parametrize("headroom", HEADROOMS)
def test_at_and_around_a_size_the_sheet_buys_what_it_should(books, headroom):
    rows = plan_rows(books["edges", headroom])
    _, answers = edges(headroom)
    assert {name: rows[name, "global"]["Buy PTU"] for name in answers} == answers
    assert all(rows[name, "global"]["Recalculates?"] == "yes" for name in answers)


@pytest.mark.parametrize("headroom", HEADROOMS)
def test_every_formula_comes_to_the_value_that_the_file_held(books, headroom):
    document = document_of_edges(headroom)
    formulas, held, now = written(document), written(document, values=True), books["edges", headroom]
    wrong = {
        (sheet.title, cell.coordinate): (held[sheet.title][cell.coordinate].value, found)
        for sheet in formulas
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
        and not same(held[sheet.title][cell.coordinate].value, found := now[sheet.title][cell.coordinate].value)
    }
    assert wrong == {}


FIGURES = ["Weighted TPM", "TPM per PTU", "Raw PTU", "Needs PTU", "Minimum", "Increment", "Buy PTU", "Used at the peak"]
FIGURES += ["Pay-as-you-go", "PTU hourly", "PTU 1-month", "PTU 1-year", "Cheapest of these"]


@pytest.mark.parametrize("name", CHANGES)
def test_after_a_change_the_sheet_says_what_ptucalc_says_of_the_changed_plan(books, name):
    expected = plan_rows(written(some_plan(**CHANGES[name]), values=True))
    found = plan_rows(books["changed", name])
    for key in [("=front", "global"), ("Beech", "global"), ("Elm", "global"), ("Total", "global")]:
        for title in FIGURES:
            assert same(expected[key][title], found[key][title]), (key, title, expected[key][title], found[key][title])
    unchanged = plan_rows(written(some_plan(), values=True))["=front", "global"]
    assert found["=front", "global"]["Needs PTU"] != unchanged["Needs PTU"]


def test_a_workload_moved_to_another_deployment_is_added_there(books):
    rows = plan_rows(books["moved", ""])
    # search alone: 9 x (6,200 + 300 x 3) = 63,900; the other with chat: 12 x (800 + 30 x 4.125) + 600 x (1,080 + 250 x 4.125)
    assert rows["=front", "global"]["Weighted TPM"] == 63_900
    assert rows["Beech", "global"]["Weighted TPM"] == 12 * 923.75 + 600 * 2111.25


@pytest.mark.parametrize("name", SPOILT)
def test_what_cannot_be_counted_is_said_and_gives_no_size(books, name):
    _, who, message = SPOILT[name]
    work = books["spoilt", name]["Workloads"]
    assert work[f"{column(work, 'Check')}{row_of(work, who)}"].value == message
    rows = plan_rows(books["spoilt", name])
    hit = "Elm" if who == "-2" else "=front"
    answer = rows[hit, "global"]
    if name == "deployment":  # the row belongs to none: the others of its old deployment are still sized
        assert isinstance(answer["Buy PTU"], int)
        return
    assert answer["Buy PTU"] == "see right"
    assert answer["Recalculates?"] in ("see the checks on Workloads", "its model is not in the list")
    assert not answer["Pay-as-you-go"] and not answer["PTU hourly"]
    assert rows["Total", "global"]["Buy PTU"] == "–"
    assert isinstance(rows["Beech", "global"]["Buy PTU"], int)
