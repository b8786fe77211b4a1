"""Bytes of a file or of standard input to text, refusing what is no text file."""

from __future__ import annotations

from pathlib import Path

from ptucalc.errors import BadInput, Problem

__all__ = ["UTF32", "decode", "read_bytes", "read_text"]

LARGEST_TEXT_BYTES = 50_000_000
"""Plans and catalogs are read whole, and are never near this size."""

UTF32 = "UTF-32 text"
"""What is found where a text is in an encoding that nothing else writes and that begins as UTF-16 does."""

_UTF32_MARKS = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")

_SIGNATURES = {
    b"PK\x03\x04": ("an Excel workbook or another zip archive", "save the sheet as CSV UTF-8"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save the sheet as CSV UTF-8"),
    b"\x1f\x8b": ("a gzip archive", "unpack it first"),
    b"%PDF": ("a PDF", "type its table into a CSV"),
}


def read_bytes(path: Path, *, most: int | None = None) -> bytes:
    """The bytes of a file (at most `most`). Raises BadInput where it cannot be read."""
    name = str(path)
    try:
        if path.is_dir():
            raise BadInput([Problem("file", "a directory", "a file", source=name)])
        with open(path, "rb") as stream:
            return stream.read() if most is None else stream.read(most)
    except OSError as error:
        raise BadInput(
            [Problem("file", error.strerror or str(error), "a file that can be read", source=name)]
        ) from None


def read_text(path: Path) -> str:
    """A whole text file. Raises BadInput where it is none, or too large to be a plan or a catalog."""
    data = read_bytes(path, most=LARGEST_TEXT_BYTES + 1)
    if len(data) > LARGEST_TEXT_BYTES:
        expected = f"at most {LARGEST_TEXT_BYTES:,} bytes"
        raise BadInput([Problem("file", "more", expected, source=path.name)])
    return decode(data, path.name)


def decode(data: bytes, source: str) -> str:
    """Text of these bytes: UTF-8 with or without a byte-order mark, or UTF-16 with one. Raises BadInput."""
    problem = binary(data, source)
    if problem:
        raise BadInput([problem])
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise BadInput([not_utf8(source, error)]) from None


def not_utf8(source: str, error: UnicodeDecodeError, *, from_start: bool = True) -> Problem:
    """The problem of bytes that are no UTF-8, with a way out. `from_start`: what was decoded began the file."""
    found = f"byte 0x{error.object[error.start]:02x}" if error.object else "other bytes"
    found += f" at {error.start:,}" if from_start else ""
    return Problem("file", found, "UTF-8 text (in Excel: save as CSV UTF-8)", source=source)


def binary(head: bytes, source: str) -> Problem | None:
    """The problem of a file that is no text, told from its first bytes; None where it may be text."""
    for signature, (what, remedy) in _SIGNATURES.items():
        if head.startswith(signature):
            return Problem("file", what, f"a text file: CSV, YAML or JSON ({remedy})", source=source)
    if head.startswith(_UTF32_MARKS):
        return Problem("file", UTF32, "UTF-8 text (or UTF-16 with a byte-order mark)", source=source)
    if head[:2] not in (b"\xff\xfe", b"\xfe\xff") and b"\0" in head[:8192]:
        return Problem("file", "a binary file", "a text file: CSV, YAML or JSON", source=source)
    return None
