"""What `ptucalc init` does: a plan and its schema written, never over an existing file."""

from __future__ import annotations

import os
import sys

from ptucalc.cli.view import View, remark
from ptucalc.errors import BadInput, Problem
from ptucalc.read.starter_plan import plan_schema, starter_plan

__all__ = ["SCHEMA_FILE", "print_schema", "write_starter"]

SCHEMA_FILE = "ptucalc.schema.json"
"""Named by the plan's first line, so that an editor finds it without a network."""


def print_schema() -> int:
    """The schema to standard output."""
    sys.stdout.write(plan_schema())
    return 0


def write_starter(file: str, view: View) -> int:
    """Write the plan, and the schema beside it where there is none. Raises BadInput, having written nothing."""
    if not file.casefold().endswith((".yaml", ".yml")):
        raise BadInput([Problem("file", file, "a name that ends in .yaml")])
    folder = os.path.dirname(file)
    beside = os.path.join(folder, SCHEMA_FILE)
    text = starter_plan().replace("ptucalc.yaml", _argument(file))
    _write_new(file, text)
    if _is(beside, plan_schema()):
        also = f"{beside} is there already"
    elif os.path.lexists(beside):
        also = f"{beside} is there already and differs: ptucalc init --schema prints today's"
    else:
        _write_new(beside, plan_schema())
        also = f"wrote {beside}, which editors check it with"
    remark(f"Wrote {file}; {also}.", view)
    remark(f"Next: ptucalc size {_argument(file)}, ptucalc check {_argument(file)}", view)
    return 0


def _argument(file: str) -> str:
    """The file as one writes it on a command line, fit for a comment."""
    import shlex

    path = f"./{file}" if file.startswith("-") else file  # else it would be read as a flag
    return shlex.quote(path) if file.isprintable() else "FILE"


def _is(path: str, text: str) -> bool:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read() == text
    except (OSError, UnicodeDecodeError):
        return False


def _write_new(path: str, text: str) -> None:
    """A new file. Raises BadInput where there is one, even a link to nowhere, or it cannot be written."""
    try:
        with open(path, "x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        expected = "a file that does not exist yet: ptucalc init FILE writes another, and replaces none"
        raise BadInput([Problem("file", path, expected)]) from None
    except OSError as error:
        raise BadInput([Problem("file", path, f"a file that can be written ({error.strerror})")]) from None
