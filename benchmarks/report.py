"""How long each format of a report takes, and how large it is.

    python benchmarks/report.py

Of the examples: a plan with profiles, twelve workloads, a log of requests; and of 200 deployments. The document is made
once by the command; then each format is written from it, the best of three rounds, with what it loads loaded already.
Goals: HTML under 1.5 MB, each format of an example under 2 seconds.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
ROUNDS = 3
DEPLOYMENTS = 200
LARGEST_HTML = 1_500_000


def document(*arguments: str) -> tuple[dict[str, Any], float]:
    """The report document that the command makes, and the seconds it takes with everything."""
    command = [sys.executable, "-m", "ptucalc", "report", *arguments, "-o", "json", "--date", "2026-11-22"]
    started = time.perf_counter()
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return json.loads(ran.stdout), time.perf_counter() - started


def many(folder: str) -> str:
    """A file of so many workloads, each with a deployment of its own."""
    path = Path(folder) / "many.csv"
    head = "name,model,requests_per_minute,input_tokens,output_tokens,deployment\n"
    rows = (f"w{n},gpt-4.1,{n},{1000 + n},{100 + n % 7},d{n}\n" for n in range(1, DEPLOYMENTS + 1))
    path.write_text(head + "".join(rows), encoding="utf-8")
    return str(path)


def html(found: dict[str, Any]) -> bytes:
    from ptucalc.report.html import html_page

    return html_page(found).encode("utf-8")


def xlsx(found: dict[str, Any]) -> bytes:
    from ptucalc.report.excel import workbook

    stream = io.BytesIO()
    workbook(found, stream)
    return stream.getvalue()


def markdown(found: dict[str, Any]) -> bytes:
    from ptucalc.report.report_markdown import report_markdown

    return report_markdown(found).encode("utf-8")


def as_json(found: dict[str, Any]) -> bytes:
    return json.dumps(found, indent=2).encode("utf-8")


def best(write: Callable[[dict[str, Any]], bytes], found: dict[str, Any]) -> tuple[float, int]:
    """Seconds of the quickest round, and the size of what was written."""
    seconds, size = float("inf"), 0
    for _ in range(ROUNDS):
        started = time.perf_counter()
        size = len(write(found))
        seconds = min(seconds, time.perf_counter() - started)
    return seconds, size


def main() -> int:
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        reports = {
            "plan.yaml": ["examples/plan.yaml"],
            "workloads.csv": ["examples/workloads.csv"],
            "requests.csv (log)": ["examples/logs/requests.csv", "-m", "gpt-4.1"],
            f"{DEPLOYMENTS} deployments": [many(folder), "--sku", "global"],
        }
        print("| Report | Made in | Format | Seconds | Size |")
        print("| --- | ---: | --- | ---: | ---: |")
        for name, arguments in reports.items():
            found, made = document(*arguments)
            for shape, write in (("html", html), ("xlsx", xlsx), ("md", markdown), ("json", as_json)):
                seconds, size = best(write, found)
                print(f"| {name} | {made:.1f} s | {shape} | {seconds:.2f} | {size / 1000:,.0f} kB |")
                wrong += shape == "html" and size > LARGEST_HTML
    print("HTML over 1.5 MB" if wrong else "Every HTML is under 1.5 MB.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
