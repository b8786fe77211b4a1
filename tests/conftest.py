"""What several test files share: running the command line in this process, and golden files."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ptucalc import __version__
from ptucalc.cli import run

GOLDEN = Path(__file__).parent / "golden"
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit code, what it wrote to standard output and to standard error."""

    code: int
    out: str
    err: str


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-golden", action="store_true", help="Write the golden files anew; then read the diff.")


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs `ptucalc` with these arguments in this process; `stdin` is what is piped into it."""

    def call(*arguments: object, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "argv", ["ptucalc", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capsys.readouterr()
        code = run()
        seen = capsys.readouterr()
        return Ran(code, seen.out, seen.err)

    return call


@pytest.fixture
def refuses(cli: Callable[..., Ran]) -> Callable[..., str]:
    """Runs a command that must be refused (exit 2, nothing on standard output, no traceback); gives its message."""

    def call(*arguments: object, stdin: bytes = b"") -> str:
        ran = cli(*arguments, stdin=stdin)
        assert (ran.code, ran.out) == (2, ""), ran
        assert "Traceback" not in ran.err
        return ran.err

    return call


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with a golden file, or writes that where --rewrite-golden is given. The version is left out."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        text = text.replace(f'"version": "{__version__}"', '"version": "VERSION"')
        if request.config.getoption("--rewrite-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        with path.open(encoding="utf-8", newline="") as stream:
            assert text == stream.read(), (
                f"{name} changed: if that is meant, run pytest --rewrite-golden, read the diff"
            )

    return check


@pytest.fixture
def in_root(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository as the current folder, so that paths in messages are short; that folder."""
    monkeypatch.chdir(ROOT)
    return ROOT


@pytest.fixture
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, so that paths in messages are short; that folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
