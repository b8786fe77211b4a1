"""100,000 CSV workloads x 3 deployment types to CSV, as a ratio to a bare stdlib csv loop that writes the same rows.

    python benchmarks/batch.py [--rows 100000] [--rounds 5]

The bare loop knows the rates beforehand, checks nothing, pools with plain dictionaries and does the same arithmetic in
integers. The two outputs are compared byte by byte. Peak memory is shown for the rows and for four times as many.
"""

from __future__ import annotations

import argparse
import csv
import filecmp
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from ptucalc import load_catalog
from ptucalc.flat_rows import ROW_COLUMNS

MODELS = ("gpt-4.1", "gpt-4.1-mini", "gpt-4o", "gpt-4o-mini", "gpt-5", "gpt-5-mini", "gpt-5.2", "o4-mini")


def write_workloads(path: Path, rows: int) -> None:
    """A file as a platform team may keep it: every kind of cell, names that differ."""
    random.seed(7)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["name", "model", "requests_per_minute", "input_tokens", "output_tokens", "cache_ratio", "team"]
        )
        for number in range(rows):
            rate = random.choice([random.randint(1, 900), f"{random.uniform(0.1, 20):.1f}"])
            cached = random.choice(["", "0.25", "0.4", "0.8"])
            call = (random.randint(50, 9000), random.randint(0, 1500))
            writer.writerow([f"app-{number}", random.choice(MODELS), rate, *call, cached, f"team-{number % 40}"])


def rates() -> dict[str, tuple[int, int, list[tuple[str, str, int, int]]]]:
    """TPM per PTU, output weight and (type, sku, minimum, increment) of each model, as the bare loop wants them."""
    known = {}
    for name in MODELS:
        model, _ = load_catalog().find(name)
        offers = [
            (o.deployment_type.value, o.deployment_type.sku_name, o.grid.minimum, o.grid.increment)
            for o in model.offers
        ]
        known[name] = (int(model.tpm_per_ptu), int(model.weights.output), offers)
    return known


def bare(source: Path, target: Path) -> None:
    """The same rows with nothing but the csv module."""
    known = rates()
    pools: dict[str, list[int]] = {}

    def number(top: int, bottom: int) -> int | float:
        whole, rest = divmod(top, bottom)
        return top / bottom if rest else whole

    with source.open(newline="") as read, target.open("w", newline="") as write:
        rows, writer = csv.reader(read), csv.writer(write, lineterminator="\n")
        next(rows)
        writer.writerow(ROW_COLUMNS)
        for name, model, rate, given_in, given_out, given_cached, _team in rows:
            tpm, weight, offers = known[model]
            whole, _, part = rate.partition(".")
            top, bottom = int(whole + part), 10 ** len(part)
            whole, _, part = (given_cached or "0").partition(".")
            hit, of = int(whole + part), 10 ** len(part)
            tokens, out = int(given_in), int(given_out)
            weighted = top * (tokens * (of - hit) + weight * out * of)
            under = bottom * of
            pool = pools.setdefault(model, [0, 0, 0])
            pool[0] += weighted * (10_000 // under)
            pool[1] += top * (10_000 // bottom)
            pool[2] += 1
            head = (number(top, bottom), tokens, out, number(hit, of), number(weighted, under))
            for kind, sku, minimum, increment in offers:
                ptu = max(minimum, -(-weighted // (under * tpm * increment)) * increment)
                raw = number(weighted, under * tpm)
                use = number(weighted, under * tpm * ptu)
                most = number(top * ptu * tpm * under, bottom * weighted) if weighted else None
                writer.writerow(
                    [
                        "workload",
                        name,
                        model,
                        model,
                        None,
                        None,
                        kind,
                        sku,
                        "True",
                        None,
                        *head,
                        raw,
                        raw,
                        ptu,
                        None,
                        use,
                        most,
                    ]
                )
        for model, (weighted, rate, _count) in pools.items():
            tpm, _, offers = known[model]
            for kind, sku, minimum, increment in offers:
                ptu = max(minimum, -(-weighted // (10_000 * tpm * increment)) * increment)
                raw, use = number(weighted, 10_000 * tpm), number(weighted, 10_000 * tpm * ptu)
                head = ["deployment", model, model, model, None, None, kind, sku, "True", None, number(rate, 10_000)]
                most = number(rate * ptu * tpm, weighted)
                writer.writerow([*head, None, None, None, number(weighted, 10_000), raw, raw, None, ptu, use, most])


def measured(command: list[str]) -> tuple[float, float]:
    """CPU seconds and peak MiB of a command."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed: {command}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Measure both in turn and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bare", nargs=2, type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.bare:
        bare(*chosen.bare)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, more = folder / "workloads.csv", folder / "more.csv"
        write_workloads(source, chosen.rows)
        write_workloads(more, 4 * chosen.rows)
        ours = [
            sys.executable,
            "-m",
            "ptucalc",
            "size",
            str(source),
            "-o",
            "csv",
            "--out-file",
            str(folder / "ours.csv"),
        ]
        theirs = [sys.executable, __file__, "--bare", str(source), str(folder / "bare.csv")]
        start = [sys.executable, "-m", "ptucalc", "--version"]
        pairs = [(measured(ours), measured(theirs), measured(start)) for _ in range(chosen.rounds)]
        same = filecmp.cmp(folder / "ours.csv", folder / "bare.csv", shallow=False)
        _, large = measured([str(more) if part == str(source) else part for part in ours])
    ratios = [one[0] / two[0] for one, two, _ in pairs]
    print(f"{chosen.rows:,} workloads, {chosen.rounds} rounds, Python {sys.version.split()[0]}; CPU seconds")
    print(f"ptucalc {statistics.median(one[0] for one, _, _ in pairs):.2f} s (start {pairs[0][2][0]:.2f} s)")
    print(f"bare csv loop {statistics.median(two[0] for _, two, _ in pairs):.2f} s")
    print(
        f"ratio, median of pairs: {statistics.median(ratios):.2f} (goal: at most 3), {min(ratios):.2f} to {max(ratios):.2f}"
    )
    print(f"outputs byte for byte the same: {same}")
    print(f"peak memory: {pairs[0][0][1]:.0f} MiB, with four times the rows {large:.0f} MiB")


if __name__ == "__main__":
    main()
