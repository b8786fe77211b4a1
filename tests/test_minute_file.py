"""The minutes of a log as a file beside a plan: written, read back, and never read as less than it was."""

import gzip
import hashlib
import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptucalc import BadInput, read_workloads
from ptucalc.demand_profile import DemandProfile, MinuteSums
from ptucalc.read import minute_file
from ptucalc.read.minute_file import read_minutes
from ptucalc.report.minute_file import write_minutes
from ptucalc.report.saved_plan import SavedWorkload, plan_text

from .conftest import Ran

START = 19_678 * 1440 + 37  # 2023-11-17 00:37 UTC
CHAT = DemandProfile(
    START,
    60,
    (128_000, 272_000),
    (MinuteSums(0, 0, 12, 1, 24_810, 3_072, 5, 2_961), MinuteSums(59, 1, 1, 0, 130_000, 0, 0, 7)),
)
SEARCH = DemandProfile(START, 60, (128_000, 272_000), (MinuteSums(3, 0, 1, 0, 40, 0, 0, 0),), scale=3)
HEAD = "# ptucalc.minutes/1 start=2023-11-17T00:37Z length=60 thresholds=128000;272000 scale=1\n"
COLUMNS = "workload,minute,band,requests,unsized,uncached,cached,written,output\n"


def written(profiles, *, packed=False):
    stream = io.StringIO()
    write_minutes(stream, profiles)
    text = stream.getvalue()
    return gzip.compress(text.encode()) if packed else text


def sealed(*lines):
    """A file of these lines with the last line that they call for."""
    text = "".join(lines)
    return f"{text}# end rows={len(lines) - 2} sha256={hashlib.sha256(text.encode()).hexdigest()}\n"


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., dict[str, DemandProfile]]:
    def back(content):
        path = tmp_path / "m.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_minutes(path)

    return back


@pytest.fixture
def refused(read) -> Callable[..., list[str]]:
    def problems(content):
        with pytest.raises(BadInput) as caught:
            read(content)
        return [f"{p.line}: {p.field}: expected {p.expected}, got {p.shown}" for p in caught.value.problems]

    return problems


def test_a_file_says_what_it_is_has_a_row_for_every_busy_minute_and_says_its_end():
    body = f"{HEAD}{COLUMNS}chat,0,0,12,1,24810,3072,5,2961\nchat,59,1,1,0,130000,0,0,7\n"
    end = f"# end rows=2 sha256={hashlib.sha256(body.encode()).hexdigest()}\n"
    assert written({"chat": CHAT}) == body + end


def test_what_is_written_is_read_back(read):
    assert read(written({"chat": CHAT})) == {"chat": CHAT}
    assert read(written({"chat": CHAT}, packed=True)) == {"chat": CHAT}


def test_several_workloads_share_a_file_in_parts_of_one_scale(read):
    found = read(written({"chat": CHAT, "search": SEARCH}))
    assert list(found) == ["chat", "search"]
    assert found["search"] == SEARCH
    assert found["chat"].scale == 3 and found["chat"].rows[0] == MinuteSums(0, 0, 36, 3, 74_430, 9_216, 15, 8_883)
    assert found["chat"].mean_call() == CHAT.mean_call()


def test_a_relative_clock_and_no_thresholds_are_kept(read):
    profile = DemandProfile(None, 5, (), (MinuteSums(0, 0, 1, 0, 1, 0, 0, 0),))
    text = written({"a": profile})
    assert text.startswith("# ptucalc.minutes/1 start=relative length=5 thresholds=none scale=1\n")
    assert read(text) == {"a": profile}


@pytest.mark.parametrize("name", ['say "hi", you', " a ", "# end", '"', '","', "gpt-4.1 (eu)", "é·水"])
def test_any_name_of_a_workload_is_kept(name, read):
    assert list(read(written({name: CHAT, "z": CHAT}))) == [name, "z"]


def test_windows_line_ends_are_the_same_file(read):
    assert read(written({"chat": CHAT}).replace("\n", "\r\n")) == {"chat": CHAT}


def test_packed_files_are_the_same_each_time(tmp_path):
    for name in ("a", "b"):
        with (tmp_path / name).open("w", encoding="utf-8") as stream:
            write_minutes(stream, {"chat": CHAT}, packed=True)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert read_minutes(tmp_path / "a") == {"chat": CHAT}


@pytest.mark.parametrize(
    "other",
    [
        DemandProfile(START + 1, 60, CHAT.thresholds, SEARCH.rows),
        DemandProfile(START, 61, CHAT.thresholds, SEARCH.rows),
        DemandProfile(START, 60, (128_000,), SEARCH.rows),
        DemandProfile(START, 60, CHAT.thresholds, ()),
    ],
)
def test_profiles_of_other_minutes_or_without_calls_are_not_written(other):
    with pytest.raises(ValueError, match=r"same minutes and thresholds|without calls"):
        written({"chat": CHAT, "other": other})
    with pytest.raises(ValueError, match="line breaks"):
        written({"a\nb": CHAT})


# Damage


WHOLE = written({"chat": CHAT, "search": SEARCH})


@given(st.integers(0, len(WHOLE) - 1))
@settings(deadline=None)
def test_a_file_cut_off_anywhere_is_refused(tmp_path_factory, at):
    path = tmp_path_factory.mktemp("cut") / "m.csv"
    path.write_text(WHOLE[:at])
    with pytest.raises(BadInput):
        read_minutes(path)


@given(st.integers(0, len(WHOLE) - 1), st.sampled_from('0123456789,;-:abcz#\n "'))
@settings(deadline=None)
def test_a_file_with_one_character_changed_is_refused(tmp_path_factory, at, other):
    changed = WHOLE[:at] + other + WHOLE[at + 1 :]
    path = tmp_path_factory.mktemp("changed") / "m.csv"
    path.write_text(changed)
    if changed == WHOLE:
        return
    with pytest.raises(BadInput):
        read_minutes(path)


@pytest.mark.parametrize("keep", [20, -9, -1])
def test_a_packed_file_that_is_cut_off_is_refused(keep, refused):
    (problem,) = refused(written({"chat": CHAT}, packed=True)[:keep])
    assert "a whole gzip file: run ptucalc logs --save again" in problem


def test_a_packed_file_that_is_damaged_is_refused(refused):
    data = bytearray(written({"chat": CHAT}, packed=True))
    data[len(data) // 2] ^= 255
    (problem,) = refused(bytes(data))
    assert "a whole gzip file" in problem


def test_rows_that_were_taken_out_are_missed(refused):
    lines = written({"chat": CHAT}).splitlines(keepends=True)
    (problem,) = refused("".join(lines[:2] + lines[3:]))
    assert problem == (
        "4: rows: expected 2 rows, as the last line says (the file was changed: run ptucalc logs --save again), got 1 rows"
    )
    (problem,) = refused("".join(lines[:-1]))
    assert problem.startswith(
        "4: end: expected a last line with the number of rows and a checksum (the file is cut off"
    )
    assert refused(lines[0] + lines[-1])[0].startswith("2: rows: expected 2 rows")


def test_a_number_that_was_changed_is_missed(refused):
    (problem,) = refused(written({"chat": CHAT}).replace("24810", "24811"))
    assert problem.startswith("5: checksum: expected the file as it was written (it was changed: run ptucalc logs")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("chat,60,0,1,0,1,0,0,0\n", "a minute under the length, 60"),
        ("chat,1,3,1,0,1,0,0,0\n", "a band of 0 to 2, as there are thresholds"),
        ("chat,1,0,-1,0,1,0,0,0\n", "a name and whole numbers, 0 or more"),
        ("chat,1,0,1.5,0,1,0,0,0\n", "a name and whole numbers, 0 or more"),
        ("chat,1,0,1,0,1,0,0\n", "a name and whole numbers, 0 or more"),
        ("chat,1,0,1,0,1,0,0,0,0\n", "a name and whole numbers, 0 or more"),
        (f"chat,1,0,1,0,{10**18},0,0,0\n", "a name and whole numbers, 0 or more"),
        ("chat,1,0,1,0,٣,0,0,0\n", "a name and whole numbers, 0 or more"),
        ('"chat,1,0,1,0,1,0,0,0\n', "a name and whole numbers, 0 or more"),
        ("\n", "a name and whole numbers, 0 or more"),
        ("chat,1,0,0,4,1,0,0,0\n", "no tokens where there are no requests"),
    ],
)
def test_a_row_that_cannot_be_is_named_with_its_line(line, said, refused):
    good = "chat,0,0,1,0,1,0,0,0\n"
    (problem,) = refused(sealed(HEAD, COLUMNS, good, line))
    assert problem.startswith("4: row: expected ") and said in problem


def test_rows_are_in_order_each_once_and_all_problems_are_told(refused):
    rows = ["a,5,0,1,0,1,0,0,0\n", "a,5,0,1,0,1,0,0,0\n", "b,0,0,1,0,1,0,0,0\n", "a,4,1,1,0,1,0,0,0\n"]
    found = refused(sealed(HEAD, COLUMNS, *rows))
    assert [problem[:3] for problem in found] == ["4: ", "6: "]
    assert all("rows by minute and band, each once" in problem for problem in found)
    assert len(refused(sealed(HEAD, COLUMNS, *rows[:1], *(rows[:1] * 200)))) == minute_file.MOST_PROBLEMS


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("timestamp,input_tokens\n", "first line: expected minutes of a log, as ptucalc logs --save writes them"),
        (HEAD.replace("/1", "/2"), "first line: expected minutes of a log"),
        (HEAD.replace("11-17", "13-17"), "start: expected a minute of the calendar, got 2023-13-17T00:37Z"),
        (HEAD.replace("=60", "=0"), "length: expected 1 to 1,054,080 minutes, got 0"),
        (HEAD.replace("=60", "=1054081"), "length: expected 1 to 1,054,080 minutes"),
        (HEAD.replace("128000;272000", "272000;128000"), "thresholds: expected numbers of tokens that ascend"),
        (HEAD.replace("128000;272000", "5;5"), "thresholds: expected numbers of tokens that ascend"),
        (HEAD.replace("128000;272000", ";".join(map(str, range(21)))), "thresholds: expected numbers of tokens"),
        (HEAD.replace("scale=1", "scale=0"), "scale: expected 1 or more"),
    ],
)
def test_a_first_line_that_says_something_else_is_refused(head, said, refused):
    (problem,) = refused(sealed(head, COLUMNS, "chat,0,0,1,0,1,0,0,0\n"))
    assert problem.startswith("1: ") and said in problem


def test_other_columns_no_rows_and_an_empty_file_are_refused(refused):
    assert refused(sealed(HEAD, COLUMNS.replace("cached", "hits", 1), "chat,0,0,1,0,1,0,0,0\n"))[0].startswith(
        "2: header"
    )
    assert "no row" in refused(sealed(HEAD, COLUMNS))[0]
    assert "first line" in refused("")[0]
    assert "first line" in refused("\n")[0]


def test_a_file_that_is_too_large_is_refused_packed_or_not(read, refused, monkeypatch):
    text = written({"chat": CHAT})
    monkeypatch.setattr(minute_file, "LARGEST_FILE_BYTES", len(text) - 1)
    assert "at most" in refused(text)[0]
    assert "at most" in refused(gzip.compress(text.encode()))[0]
    monkeypatch.setattr(minute_file, "LARGEST_FILE_BYTES", len(text))
    assert read(text) == {"chat": CHAT}


def test_a_file_that_is_no_text_or_not_there_is_refused(refused, tmp_path):
    assert refused(b"\x00\x01")[0].endswith("got a binary file")
    assert "expected UTF-8 text" in refused(b"# \xe9")[0]
    with pytest.raises(BadInput, match="a file that can be read"):
        read_minutes(tmp_path / "none.csv")


# Plans


@pytest.fixture
def plan(in_tmp: Path) -> Callable[..., str]:
    """Writes a plan with its minutes; the plan's name."""

    def write(text=None, minutes="plan.minutes.csv"):
        Path(minutes).parent.mkdir(parents=True, exist_ok=True)
        with Path(minutes).open("w", encoding="utf-8", newline="") as stream:
            write_minutes(stream, {"chat": CHAT, "search": SEARCH}, packed=minutes.endswith(".gz"))
        saved = [SavedWorkload("chat", "gpt-4.1", CHAT, "max"), SavedWorkload("search", "gpt-4.1", SEARCH, "max")]
        Path("plan.yaml").write_text(plan_text(saved, minutes, remarks=["a log"]) if text is None else text)
        return "plan.yaml"

    return write


def test_a_saved_plan_is_read_with_its_minutes(plan):
    chat, search = read_workloads(plan())
    assert (chat.name, chat.model, chat.profile.percentile.name) == ("chat", "gpt-4.1", "max")
    assert chat.profile.demand.mean_call() == CHAT.mean_call()
    assert search.profile.demand == SEARCH
    assert search.input_tokens == 40


@pytest.mark.parametrize("minutes", ["minutes.csv.gz", "below/it.csv"])
def test_minutes_may_be_packed_or_in_a_folder_below(plan, minutes):
    assert [w.name for w in read_workloads(plan(minutes=minutes))] == ["chat", "search"]


def test_minutes_are_looked_for_beside_the_plan_wherever_one_is(plan, monkeypatch, in_tmp):
    plan()
    (in_tmp / "elsewhere").mkdir()
    monkeypatch.chdir(in_tmp / "elsewhere")
    assert len(read_workloads("../plan.yaml")) == 2


def test_a_saved_plan_says_the_mean_call_to_its_readers(plan):
    assert Path(plan()).read_text() == (
        "# a log\n"
        "workloads:\n"
        "  - name: chat\n"
        "    model: gpt-4.1\n"
        "    # 14 requests in 60 minutes, from 2023-11-17T00:37Z\n"
        "    # mean call: 12,145.2 input tokens (2% cached, 0.003% written to the cache), 228.3 output tokens\n"
        "    profile: {minutes_file: plan.minutes.csv, percentile: max}\n"
        "  - name: search\n"
        "    model: gpt-4.1\n"
        "    # 0.3 requests in 60 minutes, from 2023-11-17T00:37Z\n"
        "    # mean call: 40 input tokens, 0 output tokens\n"
        "    profile: {minutes_file: plan.minutes.csv, percentile: max}\n"
    )


@pytest.mark.parametrize(
    "name", ["NO", "0613", "a: b", "it's", '"', "# x", "null", " a", "{x}", "é·水", "*a", "&b", "y"]
)
def test_any_text_is_read_back_from_a_plan(name, in_tmp):
    saved = SavedWorkload(name.strip(), "gpt-4.1", CHAT, "p99.9", "2025-04-14", "data-zone", "eastus2", name.strip())
    with Path("m.csv").open("w", encoding="utf-8") as stream:
        write_minutes(stream, {name.strip(): CHAT, "other": CHAT})
    Path("p.yaml").write_text(plan_text([saved], "m.csv", remarks=["first\nsecond: x"]), encoding="utf-8")
    (w,) = read_workloads("p.yaml")
    assert (w.name, w.deployment, w.model_version, w.deployment_type.value, w.region) == (
        name.strip(),
        name.strip(),
        "2025-04-14",
        "data-zone",
        "eastus2",
    )
    assert w.profile.percentile.name == "p99.9"


def entry(profile, more=""):
    return f"workloads:\n  - name: chat\n    model: gpt-4.1\n{more}    profile: {profile}\n"


def told(plan, text):
    with pytest.raises(BadInput) as caught:
        read_workloads(plan(text))
    return str(caught.value)


def test_p99_is_the_percentile_unless_told_otherwise(plan):
    (w,) = read_workloads(plan(entry("{minutes_file: plan.minutes.csv}")))
    assert w.profile.percentile.name == "p99"


def test_a_plan_in_json_is_read_the_same(plan, in_tmp):
    plan()
    profile = '{"minutes_file": "plan.minutes.csv", "percentile": "p99.9", "workload": "search"}'
    Path("p.json").write_text('[{"name": "x", "model": "gpt-4.1", "profile": ' + profile + "}]")
    (w,) = read_workloads("p.json")
    assert (w.name, w.profile.demand, w.profile.percentile.share) == ("x", SEARCH, Fraction(999, 1000))


def test_what_follows_from_the_minutes_is_refused_with_its_line(plan):
    said = told(plan, entry("{minutes_file: plan.minutes.csv}", "    input_tokens: 12145\n"))
    assert said == (
        "plan.yaml:4:19, workloads[0].input_tokens: expected no such value: it follows from the minutes of the log that "
        "`profile` names, got 12145"
    )


def test_a_workload_that_the_minutes_do_not_have_is_named(plan):
    said = told(plan, entry("{minutes_file: plan.minutes.csv}").replace("chat", "talk"))
    assert "a workload of plan.minutes.csv (profile.workload says which): chat, search, got talk" in said
    (w,) = read_workloads(
        plan(entry("{minutes_file: plan.minutes.csv, workload: search}").replace("name: chat", "name: talk"))
    )
    assert (w.name, w.profile.demand) == ("talk", SEARCH)


def test_minutes_of_one_workload_need_no_name(plan, in_tmp):
    plan()
    Path("one.csv").write_text(written({"chat": CHAT}))
    (w,) = read_workloads(plan(entry("{minutes_file: one.csv}").replace("chat", "talk")))
    assert w.profile.demand == CHAT


@pytest.mark.parametrize("file", ["../m.csv", "below/../../m.csv", "link/m.csv"])
def test_files_above_the_plan_are_not_read(plan, in_tmp, file):
    home = in_tmp / "home"
    home.mkdir()
    (in_tmp / "m.csv").write_text(written({"chat": CHAT}))
    (home / "link").symlink_to(in_tmp)
    (home / "plan.yaml").write_text(entry(f"{{minutes_file: {file}}}"))
    with pytest.raises(BadInput, match="a file in the plan's folder or below, or a whole path"):
        read_workloads(home / "plan.yaml")
    (home / "plan.yaml").write_text(entry(f"{{minutes_file: {in_tmp / 'm.csv'}}}"))
    assert read_workloads(home / "plan.yaml")[0].profile.demand == CHAT


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("{minutes_file: none.csv}", "a file that can be read"),
        ("{minutes_file: }", "a file that ptucalc logs --save wrote"),
        ("{minutes_file: plan.yaml}", "minutes of a log, as ptucalc logs --save writes them"),
        ("{minutes_file: [a]}", "profile.minutes_file: expected a text"),
        ("{minutes_file: plan.minutes.csv, percentile: often}", "a percentile of 1 to 100"),
        ("{minutes_file: plan.minutes.csv, percentile: {p: 99}}", "profile.percentile: expected a text"),
        ("{minutes_file: plan.minutes.csv, hourly: [1]}", "one of minutes_file, percentile, workload, got hourly"),
        ('{minutes_file: "a\\0b"}', "expected"),
    ],
)
def test_profiles_of_minutes_that_cannot_be_used_are_refused(plan, profile, said):
    assert said in told(plan, entry(profile))


def test_all_that_is_wrong_is_told_at_once(plan):
    said = told(plan, entry("{minutes_file: none.csv}", "    region: '?'\n"))
    assert "a file that can be read" in said and "an Azure region" in said


def test_a_damaged_file_is_told_with_its_own_place(plan, in_tmp, cli: Callable[..., Ran]):
    plan()
    lines = Path("plan.minutes.csv").read_text().splitlines(keepends=True)
    Path("plan.minutes.csv").write_text("".join(lines[:-1]))
    ran = cli("size", "plan.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert "plan.minutes.csv:5" in ran.err and "the file is cut off" in ran.err


@pytest.mark.parametrize("shape", ["table", "json", "csv", "markdown"])
@pytest.mark.parametrize("command", ["size", "cost"])
def test_a_saved_plan_is_sized_and_priced_in_every_shape(plan, cli: Callable[..., Ran], command, shape):
    ran = cli(command, plan(), "-o", shape)
    assert ran.code == 0, ran.err
    assert "gpt-4.1" in ran.out and "Traceback" not in ran.err


def test_flags_for_all_rows_apply_to_measured_workloads(plan, cli: Callable[..., Ran]):
    ran = cli("size", plan(), "--region", "eastus2", "--headroom", "15%", "-v")
    assert ran.code == 0 and "eastus2" not in ran.err
    assert cli("cost", plan(), "-v").code == 0
