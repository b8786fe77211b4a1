"""Where output goes: standard output, or a file that appears whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TypeVar

from ptucalc.errors import BadInput, Problem

__all__ = ["keep_inputs", "output_stream"]

_T = TypeVar("_T")


@contextmanager
def output_stream(out_file: str | None, *, inputs: tuple[str, ...] = ()) -> Iterator[IO[str]]:
    """Standard output, or a file that replaces the old one only when everything is written. Raises BadInput."""
    if out_file is None:
        yield sys.stdout
        return
    target = os.path.realpath(out_file)
    keep_inputs(out_file, inputs)
    if os.path.exists(out_file) and not os.path.isfile(out_file):
        if os.path.isdir(target):
            raise BadInput([Problem("--out-file", out_file, "a file, not a directory")])
        with _opened(out_file, lambda: open(out_file, "w", encoding="utf-8", errors="backslashreplace")) as stream:
            yield stream  # a device or a pipe cannot be replaced
        return
    folder = os.path.dirname(target)
    import tempfile

    handle, temporary = _opened(out_file, lambda: tempfile.mkstemp(dir=folder, prefix=".ptucalc-"))
    try:
        with open(handle, "w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            yield stream
        os.chmod(temporary, _mode(target))
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def keep_inputs(out_file: str | None, read: Iterable[str]) -> None:
    """Raise BadInput where what is to be written is one of the files that are read."""
    if out_file is None or not os.path.exists(out_file):
        return
    if any(os.path.exists(name) and os.path.samefile(name, out_file) for name in read):
        raise BadInput([Problem("--out-file", out_file, "another file than the one that is read")])


def _opened(out_file: str, open_it: Callable[[], _T]) -> _T:
    try:
        return open_it()
    except OSError as error:
        raise BadInput([Problem("--out-file", out_file, f"a file that can be written ({error.strerror})")]) from None


def _mode(target: str) -> int:
    """The permissions of the file that is replaced, or those a new file would get."""
    if os.path.exists(target):
        return os.stat(target).st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
