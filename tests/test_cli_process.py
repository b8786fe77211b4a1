"""ptucalc as a process: pipes, signals, terminals, exit codes, and what a start loads."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import unicodedata
from pathlib import Path

import pytest

from ptucalc.read.catalog import find_bundled
from ptucalc.read.compiling import compiled_modules

ROOT = Path(__file__).parent.parent
CALL = [
    "size",
    "-m",
    "gpt-4.1",
    "--rpm",
    "600",
    "--input-tokens",
    "1800",
    "--output-tokens",
    "250",
    "--cache-ratio",
    "40%",
]
HEADER = "name,model,rpm,input_tokens,output_tokens\n"
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
HEAVY = ("pydantic", "yaml", "polars", "numpy", "duckdb", "tiktoken")


def environment(**more: str) -> dict[str, str]:
    kept = {
        key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM")
    }
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **more}


def ptucalc(*arguments: str, stdin: bytes = b"", **more: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "ptucalc", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, env=environment(**more), timeout=60, check=False)


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60, check=False)


def test_python_m_ptucalc_works_and_a_pipe_gets_no_colours() -> None:
    done = ptucalc(*CALL)
    assert (done.returncode, done.stderr) == (0, b"") and b"420 PTU" in done.stdout and b"\x1b" not in done.stdout


def test_standard_input_is_a_file_called_stdin() -> None:
    good = ptucalc("size", "-", "--json", stdin=(HEADER + "a,gpt-4.1,600,1800,250\n").encode())
    assert good.returncode == 0 and json.loads(good.stdout)["workloads"][0]["name"] == "a"
    plan = ptucalc(
        "size", "-", "--json", stdin=b"workloads:\n- {model: gpt-4.1, rpm: 1, input_tokens: 1, output_tokens: 1}\n"
    )
    assert plan.returncode == 0 and json.loads(plan.stdout)["workloads"][0]["name"] == "row-1"
    bad = ptucalc("size", "-", stdin=(HEADER + "a,gpt-4.1,-1,1800,250\n").encode())
    assert (bad.returncode, bad.stdout) == (2, b"") and b"stdin: 1 value in 1 row cannot be used" in bad.stderr
    empty = ptucalc("size", "-")
    assert (empty.returncode, empty.stderr) == (
        2,
        b"Error  stdin: file: (empty) should be workloads; the file is empty\n",
    )


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text(HEADER + "".join(f"r{i},gpt-4.1,1,2,3\n" for i in range(5000)))
    command = f"{sys.executable} -m ptucalc size {tmp_path}/w.csv -o csv -q | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=environment(), timeout=60, check=False
    )
    assert done.stdout.splitlines()[0].startswith("row_type,") and done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


def test_ctrl_c_ends_with_130_and_no_traceback(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    process = subprocess.Popen(
        [sys.executable, "-m", "ptucalc", "size", str(fifo)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job in the background ignores it
    )
    with fifo.open("w") as stream:  # opens when the process does, which then waits for our end
        stream.write(HEADER)
        stream.flush()
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"") and err.strip() in (b"", b"interrupted")


def test_a_bug_ends_with_3_and_says_how_to_report_it() -> None:
    code = (
        "import sys, ptucalc.sizing\nfrom ptucalc.cli import main\n"
        "def broken(*_):\n    raise ZeroDivisionError('seven\\nlines')\n"
        "ptucalc.sizing.Sizer.size = broken\nsys.argv = ['ptucalc', *sys.argv[1:]]\nmain()\n"
    )
    done = python(code, *CALL)
    assert (done.returncode, done.stdout) == (3, "")
    first, second = done.stderr.splitlines()
    assert re.fullmatch(r"ptucalc [\w.]+ has a bug: ZeroDivisionError: seven", first)
    assert second == "Run it again with PTUCALC_TRACEBACK=1 for the traceback, and report that with the command."


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_not_called_a_bug() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "ptucalc", *CALL], stdout=full, stderr=subprocess.PIPE, env=environment(), check=False)  # fmt: skip
    assert done.returncode == 2 and b"Traceback" not in done.stderr and b"has a bug" not in done.stderr


def test_a_closed_standard_output_is_no_traceback() -> None:
    done = subprocess.run(["bash", "-c", f"{sys.executable} -m ptucalc {' '.join(CALL)} >&-"], capture_output=True, env=environment(), check=False)  # fmt: skip
    assert b"Traceback" not in done.stderr and b"has a bug" not in done.stderr


# Terminals


def on_terminal(*arguments: str, columns: int = 80, **more: str) -> tuple[int, str]:
    """What a terminal of this width is sent, standard error included; the exit code first."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    env = environment(TERM="xterm-256color", **more)
    process = subprocess.Popen([sys.executable, "-m", "ptucalc", *arguments], stdin=slave, stdout=slave, stderr=slave, env=env, cwd=ROOT)  # fmt: skip
    os.close(slave)
    seen = b""
    while select.select([master], [], [], 30)[0]:
        try:
            block = os.read(master, 65_536)
        except OSError:  # the other end is closed
            break
        if not block:
            break
        seen += block
    os.close(master)
    return process.wait(30), seen.decode().replace("\r\n", "\n")


def width(line: str) -> int:
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def test_a_terminal_gets_colours_unless_told_otherwise() -> None:
    assert "\x1b[" in on_terminal(*CALL)[1]
    assert "\x1b" not in on_terminal(*CALL, NO_COLOR="1")[1]
    assert "\x1b" not in on_terminal(*CALL, "--no-color")[1]


def test_errors_on_a_terminal_obey_no_color_too(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text(HEADER + "a,gpt-4.1,-1,2,3\n")
    assert "\x1b[" in on_terminal("size", str(tmp_path / "w.csv"))[1]
    assert "\x1b" not in on_terminal("size", str(tmp_path / "w.csv"), NO_COLOR="1")[1]
    assert "\x1b" not in on_terminal("size", str(tmp_path / "w.csv"), "--no-color")[1]


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (CALL, ["Global", "420 PTU", "Data zone", "450 PTU", "416.0", "15, then by 5", "99.0%"]),
        ([*CALL, "-v"], ["1,248,000", "648,000", "uncached input", "31.3 calls at once"]),
        (["size", "examples/workloads.csv"], ["Total PTU", "1,530", "1,455", "1,425", "support-chat", "640"]),
        (["size", "examples/plan.yaml"], ["475", "730", "525", "voice-notes", "46.0% fewer"]),
        (["models"], ["gpt-4.1", "3,000", "341,500", "TPM/PTU", "400 +200"]),
        (["models", "gpt-6-sol", "-v"], ["uaenorth", "3,000 weighted tokens per minute"]),
        (["size", "-m", "gpt4.1-mni", "--rpm", "-1"], ["gpt-4.1-mini or gpt-5.4-mini?"]),
        ([*CALL, "--ptu", "50"], ["Largest rate"]),
    ],
)  # fmt: skip
def test_nothing_is_cut_and_no_line_is_too_long_in_80_columns(arguments: list[str], kept: list[str]) -> None:
    plain = ANSI.sub("", on_terminal(*arguments)[1])
    too_long = [line for line in plain.splitlines() if width(line) > 80 and not line.startswith(("Error", "       --"))]
    assert too_long == [] and "…" not in plain and "..." not in plain
    words = " ".join(plain.split())
    assert [text for text in kept if text not in words] == []


def test_long_names_are_folded_not_cut_on_a_terminal(tmp_path: Path) -> None:
    name = "".join(f"name{i:02}-" for i in range(12))
    (tmp_path / "w.csv").write_text(
        HEADER + f"{name},gpt-4.1,1,2,3\n日本語の名前,gpt-4.1-mini,1,2,3\n", encoding="utf-8"
    )
    plain = ANSI.sub("", on_terminal("size", str(tmp_path / "w.csv"))[1])
    assert all(width(line) <= 80 for line in plain.splitlines())
    first_column = "".join(line[2:].split("  ")[0].strip() for line in plain.splitlines())
    assert name in first_column
    piped = ptucalc("size", str(tmp_path / "w.csv")).stdout.decode()
    assert name in piped and "日本語の名前" in piped


# What a start loads


def loaded(code: str, names: tuple[str, ...], *arguments: str) -> list[str]:
    done = python(f"import sys\n{code}\nprint([n for n in {names!r} if n in sys.modules], file=sys.stderr)", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stderr.splitlines()[-1].replace("'", '"'))


def test_import_ptucalc_is_light() -> None:
    assert loaded("import ptucalc", (*HEAVY, "typer", "rich", "click", "asyncio", "ptucalc.read.catalog")) == []


def test_sizing_from_flags_with_the_compiled_catalog_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "compiled_catalog.py").write_text(
        compiled_modules(find_bundled("models.yaml").parent)["compiled_catalog"], encoding="utf-8"
    )
    code = (
        f"import ptucalc\nptucalc.__path__.append({str(tmp_path)!r})\nfrom ptucalc.cli import run\n"
        "sys.argv = ['ptucalc', *sys.argv[1:]]\nassert run() == 0\nassert 'ptucalc.compiled_catalog' in sys.modules"
    )
    for shape in ("json", "csv", "table"):
        assert loaded(code, HEAVY, *CALL, "-o", shape) == []


def test_a_named_pipe_is_a_file(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_text(HEADER + "a,gpt-4.1,600,1800,250\n"))
    writer.start()
    done = ptucalc("size", str(fifo), "-o", "csv", "-q")
    writer.join(10)
    assert done.returncode == 0 and done.stdout.count(b"\n") == 7


def test_json_holds_no_character_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    from ptucalc.cli.view import View

    text = "\x9b31m \u202e \x7f ż"
    View("json").write({"text": text}, (), (), ())
    written = capsys.readouterr().out
    assert written == '{\n  "text": "\\u009b31m \\u202e \\u007f ż"\n}\n'
    assert json.loads(written) == {"text": text}
