"""Builds ptucalc and uses it from every kind of install, from another directory. Run by .ci/run, needs a package index.

Each install must answer gpt-4o, 60 calls of 1,000 in and 200 out a minute, with 45 PTU today
((1,000 + 4 x 200) x 60 / 2,500 = 43.2) and 40 with the 2024 edition ((1,000 + 3 x 200) x 60 / 2,500 = 38.4).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
CALL = ["-m", "gpt-4o", "--rpm", "60", "--input-tokens", "1000", "--output-tokens", "200", "--sku", "global", "--json"]
SHIPPED = """
import ptucalc, pathlib
package = pathlib.Path(ptucalc.__file__).parent
assert (package / "py.typed").is_file() and (package / "data" / "schemas" / "ptucalc.size.1.json").is_file()
"""
COMPILED = """
from ptucalc.read.catalog import bundled_data, find_bundled, read_catalog_data
from ptucalc.read.prices import BUNDLED, read_price_data
from ptucalc import compiled_catalog, compiled_prices
assert bundled_data() is compiled_catalog.DATA, "the compiled catalog was not used"
assert compiled_catalog.DATA == read_catalog_data(find_bundled("models.yaml")), "it is not what models.yaml says"
assert compiled_prices.DATA == read_price_data(find_bundled(BUNDLED)), "they are not what prices.yaml says"
from ptucalc.read.log_formats import BUNDLED_FORMATS, read_format_data
from ptucalc import compiled_formats
assert compiled_formats.DATA == read_format_data(find_bundled(BUNDLED_FORMATS)), "not what formats.yaml says"
from ptucalc import compiled_standard_limits
from ptucalc.read.standard_limits import BUNDLED_STANDARD_LIMITS, read_standard_limits_data
assert compiled_standard_limits.DATA == (
    read_standard_limits_data(find_bundled(BUNDLED_STANDARD_LIMITS))
), "not what standard_limits.yaml says"
from ptucalc import compiled_token_rules
from ptucalc.read.token_rules import BUNDLED_RULES, read_token_rules_data
assert compiled_token_rules.DATA == read_token_rules_data(find_bundled(BUNDLED_RULES)), "not what token_rules.yaml says"
"""
LOG = "timestamp,input_tokens,output_tokens\n" + "".join(f"2026-11-02T10:00:{at:02d}Z,1000,200\n" for at in range(60))


def run(*command: str | Path, cwd: Path) -> str:
    """The standard output of a command that must succeed."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"failed ({done.returncode}): {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def environment(folder: Path, *packages: str | Path) -> Path:
    """The interpreter of a fresh environment with these installed."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", *packages, cwd=folder)
    return python


def check(what: str, command: list[str | Path], cwd: Path) -> None:
    """Size the known workload with both catalogs."""
    for more, expected in (([], 45), (["--catalog", "azure-2024-12"], 40)):
        answer = json.loads(run(*command, "size", *CALL, *more, cwd=cwd))
        found = answer["deployments"][0]["sizes"][0]["ptu"]
        if found != expected:
            raise SystemExit(f"{what}: {found} PTU, not {expected}")
    bill = json.loads(run(*command, "cost", *CALL, cwd=cwd))["deployments"][0]["payg_monthly_usd"]
    if bill != 11826:  # (1,000 x $2.50 + 200 x $10) / 1M x 60 x 43,800
        raise SystemExit(f"{what}: ${bill} a month, not $11,826")
    (cwd / "calls.csv").write_text(LOG)  # the same calls, as a log
    logs = json.loads(run(*command, "logs", "calls.csv", "-m", "gpt-4o", "--sku", "global", "--json", cwd=cwd))
    found = logs["by_deployment"][0]["sizes_at"]["max"][0]["ptu"]
    if found != 45:
        raise SystemExit(f"{what}: {found} PTU for a log, not 45")
    # 15 PTU hold 37,500 and drain 625 a second; each call adds 1,800: the 33rd finds 37,600, then most are refused
    simulated = json.loads(run(*command, "simulate", "calls.csv", "-m", "gpt-4o", "--ptu", "15", "--json", cwd=cwd))
    found = simulated["runs"][0]["throttled_429"]
    if found != 18:
        raise SystemExit(f"{what}: {found} calls refused, not 18")
    (cwd / "prompt.txt").write_text(
        "hello world"
    )  # two tokens of o200k_base, counted with the vocabulary that was installed
    counted = json.loads(run(*command, "tokens", "prompt.txt", "-m", "gpt-4o", "--json", cwd=cwd))
    if counted["totals"]["input_tokens"] != 2:
        raise SystemExit(f"{what}: {counted['totals']['input_tokens']} tokens, not 2")
    for name, begins in (("report.html", b"<!doctype html>"), ("report.xlsx", b"PK")):
        run(*command, "report", *CALL[:-1], "--out-file", name, cwd=cwd)
        if not (cwd / name).read_bytes().lower().startswith(begins.lower()):
            raise SystemExit(f"{what}: no {name}")
    if not (cwd / "ptucalc.yaml").exists():
        run(*command, "init", cwd=cwd)
    run(*command, "check", "ptucalc.yaml", cwd=cwd)
    if "ApiManagementGatewayLlmLog" not in run(*command, "logs", "--kql", "apim", cwd=cwd):
        raise SystemExit(f"{what}: no query")
    print(f"ok  {what}", flush=True)


def main() -> None:
    """Build, install, use."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        elsewhere = folder / "elsewhere"
        elsewhere.mkdir()
        run(sys.executable, "-m", "build", "--outdir", folder / "dist", cwd=CHECKOUT)
        (wheel,), (sdist,) = (folder / "dist").glob("*.whl"), (folder / "dist").glob("*.tar.gz")

        python = environment(folder / "wheel", wheel)
        check("wheel", [python.parent / "ptucalc"], elsewhere)
        check("wheel, python -m", [python, "-m", "ptucalc"], elsewhere)
        run(python, "-c", SHIPPED + COMPILED, cwd=elsewhere)
        report = run(python.parent / "ptucalc", "size", CHECKOUT / "examples" / "workloads.csv", cwd=elsewhere)
        if report.strip() not in (CHECKOUT / "README.md").read_text():
            raise SystemExit(f"README.md does not show what the wheel prints:\n{report}")
        print("ok  the wheel prints the report of the README", flush=True)

        check("sdist", [environment(folder / "sdist", sdist).parent / "ptucalc"], elsewhere)

        source = folder / "source"
        shutil.copytree(CHECKOUT, source, ignore=shutil.ignore_patterns(".venv*", ".git", "*cache*"))
        check("editable", [environment(folder / "editable", "-e", source).parent / "ptucalc"], elsewhere)

        run(python, "-m", "pip", "uninstall", "-q", "-y", "ptucalc", cwd=elsewhere)
        check("checkout", [python, "-m", "ptucalc"], source)


if __name__ == "__main__":
    main()
