"""What `ptucalc diff` is given: plans, saved results or catalogs, by path, from a git revision, or on standard input."""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from ptucalc.errors import BadInput, Problem
from ptucalc.read.catalog import EDITIONS, load_catalog
from ptucalc.read.files import decode, read_bytes

__all__ = ["Operand", "operand"]

HEAD_BYTES = 65_536

OperandKind: TypeAlias = Literal["plan", "result", "catalog"]

_SAVED = re.compile(r'"schema"\s*:\s*"ptucalc\.[a-z-]+/\d+"')
_CATALOG = re.compile(r"""^["']?schema["']?\s*:\s*["']?ptucalc\.catalog/""", re.MULTILINE)
_REVISION = re.compile(r"[^-:][^:]*:[^:].*|:[0-3]:.+", re.DOTALL)


class Operand(NamedTuple):
    """One side. `path` is where it can be read ("-": standard input), `name` what the user called it.

    A shipped catalog has its name as its path; that which is used without any has "".
    """

    kind: OperandKind
    path: str
    name: str

    def text(self) -> str:
        """The whole text. Raises BadInput."""
        data = sys.stdin.buffer.read() if self.path == "-" else read_bytes(Path(self.path))
        return decode(data, self.name)

    def told(self, error: BadInput) -> BadInput:
        """The error with the user's name of the file in place of where it was read."""
        if self.path in ("-", self.name):
            return error
        problems = [
            problem._replace(source=self.name)
            if problem.source in (self.path, os.path.basename(self.path))
            else problem
            for problem in error.problems
        ]
        return BadInput(problems, uncounted=error.uncounted, lines=error.lines)


@contextmanager
def operand(text: str) -> Iterator[Operand]:
    """Find out what an argument is. Raises BadInput where it is nothing.

    A file by that name wins. Else REV:PATH is taken from git, where it is one, with the files of minutes that the plan
    names, and kept as long as the context lasts.
    """
    if text == "-":
        yield Operand(_kind(_peek()), "-", "stdin")
    elif os.path.exists(text):
        yield Operand(_kind(read_bytes(Path(text), most=HEAD_BYTES)), text, text)
    elif text in EDITIONS:
        yield Operand("catalog", text, text)
    elif text in load_catalog().editions:
        yield Operand("catalog", "", text)
    elif _REVISION.fullmatch(text):
        import tempfile

        with tempfile.TemporaryDirectory(prefix="ptucalc-") as folder:
            path = _from_git(text, Path(folder))
            yield Operand(_kind(read_bytes(path, most=HEAD_BYTES)), str(path), text)
    else:
        shipped = ", ".join((*EDITIONS, *load_catalog().editions))
        expected = (
            f"a file, REV:PATH of a git work tree (main:plan.yaml), or a catalog that ships with ptucalc ({shipped})"
        )
        raise BadInput([Problem("file", text, expected)])


def _kind(head: bytes) -> OperandKind:
    """What a file that begins so is; what is neither a saved result nor a catalog is read as workloads."""
    text = head.decode("utf-8", errors="replace").removeprefix("\ufeff").lstrip()
    if text.startswith("{") and _SAVED.search(text):
        return "result"
    return "catalog" if _CATALOG.search(text) else "plan"


def _peek() -> bytes:
    """The beginning of standard input, of which nothing is taken away."""
    stream = sys.stdin.buffer
    if hasattr(stream, "peek"):
        return bytes(stream.peek(HEAD_BYTES)[:HEAD_BYTES])
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    return head


def _from_git(text: str, folder: Path) -> Path:
    """The file of a revision, in this folder, with the files that it names beside it. Raises BadInput."""
    revision, path = re.fullmatch(r"(:[0-3]|[^:]+):(.+)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    data = _blob(text, text)
    target = folder / (posixpath.basename(path) or "plan")
    target.write_bytes(data)
    for name in _files_named(data, text):
        if not posixpath.isabs(name) and ".." not in name.split("/"):
            beside = folder / name
            beside.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(_blob(f"{revision}:{posixpath.join(posixpath.dirname(path), name)}", text))
    return target


def _blob(text: str, asked: str) -> bytes:
    """A file as git has it, not as the work tree has it. Raises BadInput with what git says."""
    try:
        # git is the user's own, and what is asked for is no flag: it does not begin with a hyphen
        done = subprocess.run(["git", "cat-file", "blob", text], capture_output=True, check=False)  # noqa: S603, S607
    except OSError as error:
        found = f"git cannot be run: {error.strerror}"
        raise BadInput([Problem("file", found, _EXPECTED, source=asked)]) from None
    if done.returncode:
        said = done.stderr.decode("utf-8", errors="replace").strip().splitlines() or ["git says nothing"]
        found = said[0].removeprefix("fatal: ")
        raise BadInput([Problem("file", found, _EXPECTED, source=asked)])
    return done.stdout


_EXPECTED = "a file, or REV:PATH as git knows it (from the top of the work tree; REV:./PATH is from here)"


def _files_named(data: bytes, source: str) -> Iterator[str]:
    """The files that a plan names: values of keys that end in _file. None where it is no plan."""
    from ptucalc.read.yaml_text import read_yaml

    try:
        tree = read_yaml(decode(data, source), source)
    except BadInput:
        return  # whoever reads it next says why

    def walk(value: Any) -> Iterator[str]:
        if isinstance(value, list):
            for each in value:
                yield from walk(each)
        elif isinstance(value, dict):
            for key, each in value.items():
                if key.endswith("_file") and isinstance(each, str):
                    yield each
                else:
                    yield from walk(each)

    yield from dict.fromkeys(walk(tree.value))
