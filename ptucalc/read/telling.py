"""A file told apart by its content: is it a log, or workloads?"""

from __future__ import annotations

import sys
import zlib
from pathlib import Path

__all__ = ["is_log", "stdin_is_log"]

HEAD_BYTES = 65_536
_OF_WORKLOADS = ("requests_per_minute", "rpm", "workloads", "schema", "profile")


def is_log(path: str) -> bool:
    """Whether a file has a time stamp per row, as logs have, rather than workloads. Standard input is taken as workloads.

    A file that cannot be read is none: whoever reads it next says why.
    """
    if path == "-" or not Path(path).is_file():
        return False
    try:
        with open(path, "rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError:
        return False
    return _of_log(head)


def stdin_is_log() -> bool:
    """The same of standard input, of which nothing is taken away."""
    stream = sys.stdin.buffer
    if hasattr(stream, "peek"):
        return _of_log(stream.peek(HEAD_BYTES)[:HEAD_BYTES])
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    return _of_log(head)


def _of_log(head: bytes) -> bool:
    """Whether a file that begins so is a log."""
    if head.startswith(b"PAR1"):
        return True
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
        except zlib.error:
            return False
    text = head.decode("utf-8", errors="replace").removeprefix("\ufeff").lstrip()
    if not text:
        return False
    if text[:1] in ("{", "["):
        return not any(f'"{name}"' in text for name in _OF_WORKLOADS)
    header = text.split("\n", 1)[0]
    if text[:1] == "#" or header.rstrip().endswith(":") or not any(mark in header for mark in ",;\t|"):
        return False  # a plan
    from ptucalc.log_records import normalise
    from ptucalc.read.log_formats import load_formats

    names = {normalise(cell) for mark in ",;\t|" if mark in header for cell in header.split(mark)}
    aliases = load_formats().aliases
    stamps, tokens = ({path.name for path in aliases[field]} for field in ("timestamp", "input_tokens"))
    return bool(names & stamps and (names & tokens or names & (stamps - {"time"}))) and not names & set(_OF_WORKLOADS)
