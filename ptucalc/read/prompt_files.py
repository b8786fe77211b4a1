"""The files that hold prompts: folders gone through, what is no prompt told apart from its first bytes, streams opened."""

from __future__ import annotations

import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from ptucalc.errors import BadInput, Problem
from ptucalc.read.files import UTF32, binary

__all__ = ["LARGEST_PROMPT_BYTES", "PromptFiles", "opened", "prompt_files", "wants"]

LARGEST_PROMPT_BYTES = 50_000_000
"""One text, one JSON document or one line of JSON is read whole, and no model takes a prompt near this size."""

MOST_FILES = 10_000
"""A folder with more prompts than this is more likely the wrong folder; JSON lines hold any number of requests."""

TEXT_ENDINGS = (".txt", ".md", ".prompt")
JSON_ENDINGS = (".json",)
LINES_ENDINGS = (".jsonl", ".jsonlines", ".ndjson")
PACKED = ".gz"
HEAD_BYTES = 8192

_TABLES = (".csv", ".tsv", ".xlsx", ".parquet")
_PICTURES = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"BM": "a BMP image",
    b"PAR1": "a Parquet table",
}
_IN_REQUEST = (
    "a prompt: text, or JSON requests (an image is part of a request: its size in an image_url or input_image)"
)


class PromptFiles(NamedTuple):
    """Files to count, each once and in the order given (a folder's by path), and those of folders that are no prompts."""

    paths: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()


def prompt_files(paths: Sequence[str | Path]) -> PromptFiles:
    """The files that these paths name. Folders are gone through with all below them, hidden and linked ones left out;
    of a folder only files that end as prompts do are taken. Raises BadInput for what is not there or holds none.
    """
    found: dict[str, str] = {}
    skipped: list[str] = []
    repeated: list[str] = []
    problems: list[Problem] = []
    for path in map(str, paths):
        inside: list[str] = [path]
        if path != "-" and os.path.isdir(path):
            inside, others = _of_folder(path)
            skipped += others
            if not inside or len(inside) > MOST_FILES:
                problems.append(_bad_folder(path, inside))
                continue
        elif path != "-" and not os.path.exists(path):
            problems.append(Problem("file", "no such file", "a file or folder of prompts, or - for stdin", source=path))
            continue
        for each in inside:
            place = each if each == "-" else os.path.realpath(each)
            if place in found:
                repeated.append(each)
            found.setdefault(place, each)
    if problems:
        raise BadInput(problems)
    return PromptFiles(tuple(found.values()), tuple(skipped), tuple(repeated))


def _of_folder(folder: str) -> tuple[list[str], list[str]]:
    """Files with a prompt's ending, and the others, both by path."""
    taken: list[str] = []
    others: list[str] = []
    for parent, below, names in os.walk(folder, onerror=_unreadable):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            path = os.path.join(parent, name)
            if name.startswith(".") or not os.path.isfile(path):
                continue
            (taken if _ending(name) in (*TEXT_ENDINGS, *JSON_ENDINGS, *LINES_ENDINGS) else others).append(path)
    return sorted(taken), sorted(others)


def _unreadable(error: OSError) -> None:
    name = str(error.filename)
    raise BadInput([Problem("folder", error.strerror or str(error), "a folder that can be read", source=name)])


def _bad_folder(folder: str, inside: Sequence[str]) -> Problem:
    if inside:
        expected = f"at most {MOST_FILES:,} files (JSON lines hold any number of requests)"
        return Problem("folder", f"{len(inside):,} files", expected, source=folder)
    endings = ", ".join((*TEXT_ENDINGS, *JSON_ENDINGS, *LINES_ENDINGS))
    return Problem("folder", "no prompts", f"files that end in {endings} (.gz too)", source=folder)


def _ending(name: str) -> str:
    """The ending that says what a file holds, in lower case; that of what is packed in a .gz."""
    stem = name.casefold().removesuffix(PACKED)
    return os.path.splitext(stem)[1]


def wants(path: str) -> str:
    """What a file is to be read as: text, json or lines by its ending; "" where its content says.

    A .txt or .md is one text even if it looks like JSON: it may be the text of a prompt that speaks of JSON. Standard
    input and files without an ending have no say; any other ending is text as well.
    """
    if path == "-":
        return ""
    ending = _ending(os.path.basename(path))
    if ending in JSON_ENDINGS:
        return "json"
    if ending in LINES_ENDINGS:
        return "lines"
    return "text" if ending else ""


@contextmanager
def opened(path: str) -> Iterator[io.BufferedReader[Any]]:
    """The bytes of a file ("-" is standard input), unpacked. Raises BadInput where it cannot be read or is no text."""
    name = "stdin" if path == "-" else path
    ending = _ending(os.path.basename(path))
    if ending in _TABLES:
        expected = (
            "a prompt (ptucalc logs reads a table of calls, ptucalc size one of workloads; to count it as one text: -)"
        )
        raise BadInput([Problem("file", f"a {ending} table", expected, source=name)])
    try:
        with _raw(path) as stream:
            yield _checked(stream, name)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput([Problem("file", f"a broken gzip archive ({error})", "a whole one", source=name)]) from None
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        found = error.strerror or str(error)
        raise BadInput([Problem("file", found, "a file that can be read", source=name)]) from None


@contextmanager
def _raw(path: str) -> Iterator[IO[bytes]]:
    """The stream as it is; standard input stays open."""
    if path == "-":
        yield getattr(sys.stdin, "buffer", io.BytesIO())
        return
    with open(path, "rb") as stream:
        yield stream


def _checked(stream: IO[bytes], name: str) -> io.BufferedReader[Any]:
    """The stream from its start, unpacked, after a look at its first bytes. Raises BadInput where these are no text."""
    whole: io.BufferedReader[Any] = io.BufferedReader(_Again(stream), HEAD_BYTES * 8)
    head = whole.peek(HEAD_BYTES)
    if head.startswith(b"\x1f\x8b"):
        whole = io.BufferedReader(gzip.GzipFile(fileobj=whole), HEAD_BYTES * 8)
        head = whole.peek(HEAD_BYTES)
    for signature, what in _PICTURES.items():
        if head.startswith(signature) and (len(signature) > 2 or b"\0" in head[:64]):
            raise BadInput([Problem("file", what, _IN_REQUEST, source=name)])
    if problem := binary(head[:HEAD_BYTES], name):
        encoded = problem.found == UTF32
        raise BadInput([problem if encoded else problem._replace(expected="a prompt: text, or JSON requests")])
    return whole


class _Again(io.RawIOBase):
    """A stream that only has `read`, so that it can be buffered and peeked into; closing it leaves the stream open."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what the stream has at hand."""
        read = getattr(self.stream, "read1", self.stream.read)
        part: bytes = read(len(buffer))
        buffer[: len(part)] = part
        return len(part)
