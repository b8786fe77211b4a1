"""How long a start takes, as a ratio to `python -c pass`, each measured in the same round.

    python benchmarks/startup.py                 builds the wheel, installs it in a new environment, measures
    python benchmarks/startup.py --python PATH   measures the ptucalc that is installed beside that interpreter

Output goes to a pipe; on a terminal `size` also loads rich, which adds about 3 x. Ratios, not seconds: the clock of a shared machine drifts, the ratio of two runs a moment apart does not.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
SIZE = "-m gpt-4.1 --rpm 600 --input-tokens 1800 --output-tokens 250 --cache-ratio 40%"
GOALS = {"size": 12, "--help": 16, "import ptucalc": 16}


def installed(folder: Path) -> Path:
    """An environment with ptucalc installed from a freshly built wheel, byte-compiled by pip."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", str(CHECKOUT)], check=True)
    return python


def wall(command: list[str], environment: dict[str, str]) -> float:
    """Seconds from start to end of a command."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment, cwd=tempfile.gettempdir())
    return time.perf_counter() - start


def main() -> None:
    """Measure and print a table of ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    chosen = parser.parse_args()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PTUCALC"))}
    with tempfile.TemporaryDirectory() as folder:
        python = chosen.python or installed(Path(folder))
        tool = str(python.parent / "ptucalc")
        commands = {
            "pass": [str(python), "-c", "pass"],
            "size": [tool, "size", *SIZE.split()],
            "size of 12 rows": [tool, "size", str(CHECKOUT / "examples" / "workloads.csv"), "-q"],
            "cost": [tool, "cost", *SIZE.split(), "--sku", "global"],
            "--help": [tool, "--help"],
            "size --help": [tool, "size", "--help"],
            "models": [tool, "models", "4.1"],
            "import ptucalc": [str(python), "-c", "import ptucalc"],
            "import Workload, size": [str(python), "-c", "from ptucalc import Workload, size"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(chosen.rounds + 1):
            for name, command in commands.items():
                seconds = wall(command, environment)
                if number:  # the first round warms the caches
                    times[name].append(seconds)
    print(f"Python {sys.version.split()[0]}, {chosen.rounds} rounds; x = times `python -c pass`\n")
    print(f"{'':<24}{'median':>8}{'p10':>8}{'p90':>8}   goal")
    for name, seconds in times.items():
        ratios = sorted(one / base for one, base in zip(seconds, times["pass"], strict=True))
        middle = statistics.median(seconds) / statistics.median(times["pass"])
        low, high = ratios[len(ratios) // 10], ratios[-1 - len(ratios) // 10]
        goal = f"at most {GOALS[name]} x" if name in GOALS else ""
        print(f"{name:<24}{middle:>7.1f}x{low:>7.1f}x{high:>7.1f}x   {goal}")


if __name__ == "__main__":
    main()
