"""Request logs to minutes, percentiles and sizes: how fast, in how much memory, beside what one would write oneself.

    python benchmarks/logs.py [--rows 10000000] [--rounds 3] [--quick]

It makes a week of calls to six deployments in a temporary folder (at full size about 3 GB, a few minutes) and lets each
contender read them in a process of its own, one after the other, round by round. Ratios are those of two runs of one
round: the median, and the lowest and highest. Memory is the peak resident size of the process. All contenders must come
to the same tokens, percentiles and busiest windows, or the exit code is 1. Without pandas its part is left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

CONTENDERS = Path(__file__).with_name("log_contenders.py")
GOAL_ROWS = 10_000_000
HALF, SOME, FEW, WEEKS = 2, 10, 20, 10
"""JSON lines hold one call in two, gzip one in ten, slow scripts read one in twenty; the large Parquet has so many weeks."""

SECONDS = {60: "sliding_60s_max", 10: "burst_10s_max", 1: "burst_1s_max"}
TOKENS = ("input", "cached", "output")

Answers = dict[str, dict[str, int]]


class Run(NamedTuple):
    """One run of a process: seconds by the clock and of CPU, peak MiB."""

    wall: float
    cpu: float
    mib: float


class Contender(NamedTuple):
    """Who reads which file. `part` is the share of the rows it reads: its seconds are scaled by that.

    `calls` names the calls that the file holds: whoever reads the same ones must find the same.
    """

    title: str
    command: Sequence[str]
    file: Path
    calls: str = ""
    part: int = 1
    rounds: int | None = None
    answers: Callable[[Path], Answers] | None = None


class Comparison(NamedTuple):
    """Ours against another: how many times faster it is to be, and what share of the memory it may take.

    A floor is what merely going through the file takes.
    """

    ours: str
    other: str
    faster: float | None = None
    memory: float | None = None
    floor: bool = False


def measured(command: Sequence[str], output: Path) -> Run:
    """Run a command with its output in a file."""
    start = time.perf_counter()
    with output.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream)
        _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(command)}")
    # the peak counts from this process, which the child was forked from: it must stay small itself
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def of_script(output: Path) -> Answers:
    """What a contender wrote."""
    found: Answers = json.loads(output.with_suffix(".answers").read_text())
    return found


def of_command(output: Path) -> Answers:
    """The same from `ptucalc logs -o json`, whose sums are means times calls."""
    found = {}
    for entry in json.loads(output.read_text())["by_deployment"]:
        given = entry["requests"] * entry["mean_input_tokens"]
        tokens = given, given * entry["cache_ratio"], entry["requests"] * entry["mean_output_tokens"]
        shown = entry["weighted_tpm"]
        weighted = {name: shown[name] for name in shown if name not in ("mean", "windows_reason")}
        found[entry["name"]] = {
            name: round(value) for name, value in (*zip(TOKENS, tokens, strict=True), *weighted.items())
        }
    return found


class Race:
    """The contenders over a folder of logs, their runs and what they found."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.folder = folder
        self.rows = rows
        self.runs: dict[str, list[Run]] = {}
        self.found: dict[str, Answers] = {}
        self.differences: list[str] = []
        self.start = Run(0, 0, 0)

    def script(
        self, name: str, title: str, file: str, calls: str, part: int = 1, rounds: int | None = None
    ) -> Contender:
        """A contender of log_contenders.py."""
        output = self.folder / f"{title}.answers"
        command = (sys.executable, str(CONTENDERS), name, str(self.folder / file), str(output), self._weights)
        return Contender(title, command, self.folder / file, calls, part, rounds, of_script if calls else None)

    @property
    def _weights(self) -> str:
        return str(self.folder / "weights.json")

    def command(self, title: str, file: str, calls: str, rounds: int | None = None) -> Contender:
        """`ptucalc logs` from start to end."""
        command = (sys.executable, "-m", "ptucalc", "logs", str(self.folder / file), "-o", "json")
        return Contender(title, command, self.folder / file, calls, 1, rounds, of_command)

    def run(self, contender: Contender) -> None:
        """Run a contender once, and compare what it finds with what others found."""
        output = self.folder / f"{contender.title}.out"
        run = measured(contender.command, output)
        if contender.part > 1:
            more = contender.part - 1  # of what it takes beyond the start
            run = Run(
                run.wall + more * (run.wall - self.start.wall), run.cpu + more * (run.cpu - self.start.cpu), run.mib
            )
        self.runs.setdefault(contender.title, []).append(run)
        if contender.answers:
            self._compare(contender, contender.answers(output))

    def _compare(self, contender: Contender, answers: Answers) -> None:
        """The weeks of the large file are all the same: as many tokens in each, and the same percentiles."""
        if contender.calls == "weeks":
            for found in answers.values():
                found |= {name: found[name] // WEEKS for name in TOKENS if not found[name] % WEEKS}
                for name in SECONDS.values():
                    found.pop(name, None)  # but a window may lie across two of them
        known = self.found.setdefault("all" if contender.calls == "weeks" else contender.calls, {})
        if known and set(known) != set(answers):
            self.differences.append(f"{contender.title}: {sorted(answers)}, others {sorted(known)}")
        for deployment, found in answers.items():
            for name, value in found.items():
                other = known.setdefault(deployment, {}).setdefault(name, value)
                if other != value:
                    self.differences.append(f"{contender.title}: {deployment} {name} {value:,}, others {other:,}")

    def table(self, contenders: Sequence[Contender]) -> None:
        """Seconds and memory of each."""
        print(f"  {'':<34}{'wall s':>8}{'from':>8}{'to':>8}{'CPU s':>8}{'MiB':>7}")
        for contender in contenders:
            runs = self.runs[contender.title]
            wall, cpu, mib = zip(*runs, strict=True)
            scaled = f"  (on 1/{contender.part} of the rows, scaled)" if contender.part > 1 else ""
            numbers = f"{statistics.median(wall):>8.2f}{min(wall):>8.2f}{max(wall):>8.2f}{statistics.median(cpu):>8.2f}"
            print(f"  {contender.title:<34}{numbers}{max(mib):>7.0f}{scaled}")

    def ratio(self, comparison: Comparison) -> None:
        """How many times faster ours is, and its share of the memory, beside the goals."""
        pairs = list(zip(self.runs[comparison.ours], self.runs[comparison.other], strict=False))
        title = f"  {comparison.ours} v {comparison.other}:"
        if comparison.floor:
            cpus = [ours.cpu / max(other.cpu, 0.01) for ours, other in pairs]  # a clock tick, at least
            print(f"{title} {statistics.median(cpus):.1f} x its CPU ({min(cpus):.1f} to {max(cpus):.1f})")
            return
        walls = [other.wall / ours.wall for ours, other in pairs]
        cpu = statistics.median(other.cpu / ours.cpu for ours, other in pairs)
        memory = statistics.median(ours.mib / other.mib for ours, other in pairs)
        middle = statistics.median(walls)
        print(
            f"{title} {middle:.2f} x as fast ({min(walls):.2f} to {max(walls):.2f}){_goal(middle, comparison.faster)}"
        )
        print(f"      {cpu:.2f} x by CPU; {memory:.2f} x the memory{_goal(memory, comparison.memory, most=True)}")


def _goal(value: float, goal: float | None, *, most: bool = False) -> str:
    if goal is None:
        return ""
    met = value <= goal if most else value >= goal
    return f", goal at {'most' if most else 'least'} {goal:g}: {'met' if met else 'MISSED'}"


def sections(race: Race) -> list[tuple[str, list[Contender], list[Comparison]]]:
    """What is run on each kind of file, and what is set beside what."""
    rows = race.rows
    script = race.script
    ours, whole, notebook, sliding = (
        "read_log (minutes)",
        "ptucalc logs",
        "pandas, minutes",
        "pandas, minutes and windows",
    )
    engine = "read_log without numba"
    readers = [
        script("read", ours, "all.csv", "all"),
        script("read_by_engine", engine, "all.csv", "all"),
        race.command(whole, "all.csv", "all"),
    ]
    against = []
    if importlib.util.find_spec("pandas"):
        readers += [script("pandas", notebook, "all.csv", "all"), script("pandas_sliding", sliding, "all.csv", "all")]
        against += [
            Comparison(ours, notebook, 2.5, 0.5),
            Comparison(engine, notebook),
            Comparison(whole, sliding, 2.5, 0.5),
            Comparison(whole, notebook),
        ]
    plain, quick, lines = (
        "csv.DictReader, fromisoformat",
        "csv.reader, first 16 characters",
        "lines counted (the floor)",
    )
    readers += [
        script("dict_reader", plain, "few.csv", "few", FEW),
        script("csv_reader", quick, "few.csv", "few", FEW),
        script("count_lines", lines, "all.csv", ""),
    ]
    if counter := shutil.which("wc"):
        readers[-1] = Contender(lines, (counter, "-l", str(race.folder / "all.csv")), race.folder / "all.csv")
    against += [Comparison(ours, plain, 15), Comparison(ours, quick), Comparison(ours, lines, floor=True)]
    of_json, theirs = "read_log of JSON lines", "json.loads, fromisoformat"
    jsons = [
        script("read", of_json, "half.jsonl", "half"),
        script("json_lines", theirs, "few.jsonl", "few", FEW // HALF),
    ]
    packed = [script("read", "read_log of CSV.gz", "some.csv.gz", "some")]
    unpacked = []
    if packer := shutil.which("gzip"):
        file = race.folder / "some.csv.gz"
        packed.append(Contender("gzip -dc alone", (packer, "-dc", str(file)), file))
        unpacked.append(Comparison("read_log of CSV.gz", "gzip -dc alone", floor=True))
    week, weeks = "read_log, one week", f"read_log, {WEEKS} weeks"
    parquet = [
        script("read", week, "week.parquet", "all"),
        race.command("ptucalc logs, one week", "week.parquet", "all"),
        script("read", weeks, "weeks.parquet", "weeks", rounds=1),
        race.command(f"ptucalc logs, {WEEKS} weeks", "weeks.parquet", "weeks", rounds=1),
    ]
    return [
        (f"{rows:,} rows of CSV", readers, against),
        (
            f"{rows // HALF:,} rows of JSON lines",
            jsons,
            [Comparison(of_json, theirs, 6)],
        ),
        (f"{rows // SOME:,} rows of CSV.gz", packed, unpacked),
        (f"Parquet, {rows:,} and {WEEKS * rows:,} rows (goal: memory flat)", parquet, []),
    ]


def main() -> None:
    """Make the logs, let everyone read them, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=GOAL_ROWS, help=f"calls of the week ({GOAL_ROWS:,})")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="200,000 rows, two rounds: to see that it works")
    chosen = parser.parse_args()
    rows, rounds = (200_000, 2) if chosen.quick else (chosen.rows, chosen.rounds)
    if rows < 20_000 or rounds < 1:
        parser.error("at least 20,000 rows and one round")
    with tempfile.TemporaryDirectory(prefix="logs-") as name:
        folder = Path(name)
        race = Race(folder, rows)
        counts = map(str, (rows, rows // HALF, rows // SOME, rows // FEW, WEEKS))
        made = measured((sys.executable, str(CONTENDERS), "generate", name, *counts), folder / "generate.out")
        print(f"{rows:,} calls made in {made.wall:.0f} s; {rounds} rounds, Python {sys.version.split()[0]}", flush=True)
        listed = sections(race)
        first = race.script("read", "the first one", "all.csv", "all")
        taken = measured(first.command, folder / "first.out").wall
        print(f"the very first read_log of a large CSV, where numba compiles its scan if it has not yet: {taken:.2f} s")
        beside = [race.script("start", "start", "few.csv", ""), race.script("read", "few", "few.csv", "few", rounds=1)]
        for title, contenders, comparisons in listed:
            for number in range(rounds):
                race.run(beside[0])
                race.start = race.runs["start"][-1]
                for contender in (*beside[1:], *contenders):
                    if contender.rounds is None or number < contender.rounds:
                        race.run(contender)
            size = ", ".join(
                f"{file.stat().st_size / 1e6:,.0f} MB" for file in {c.file: 0 for c in contenders if c.part == 1}
            )
            print(f"\n{title}: {size}")
            race.table(contenders)
            for comparison in comparisons:
                race.ratio(comparison)
            sys.stdout.flush()
    if rows < GOAL_ROWS:
        print(f"\ngoals are for {GOAL_ROWS:,} rows: with fewer, start-up and minutes weigh more")
    if not importlib.util.find_spec("pandas"):
        print("\npandas is not installed: its notebook was left out")
    if race.differences:
        raise SystemExit("\nDIFFERENT ANSWERS\n" + "\n".join(race.differences[:20]))
    print("\nsame answers: tokens, percentiles and busiest windows of every deployment")


if __name__ == "__main__":
    main()
