"""The size of an image in pixels, read from the first bytes of PNG, JPEG, GIF and WebP files.

Formats: PNG (W3C), JPEG (ITU T.81, annex B), GIF89a, WebP container (RFC 9649).
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import NamedTuple

__all__ = ["ImageSize", "size_of", "size_of_data_url"]

_EXPECTED = "the whole of a PNG, JPEG, GIF or WebP image"

_NO_LENGTH = frozenset([0x01, *range(0xD0, 0xD9)])
"""JPEG markers without a segment: TEM, the restart markers, start of image."""

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers that begin a frame; the three left out are tables and a reserved one."""


class ImageSize(NamedTuple):
    """Width and height of an image in pixels, each 1 or more."""

    width_px: int
    height_px: int

    @classmethod
    def parse(cls, text: str) -> ImageSize:
        """A size as written: 1024x768. Raises ValueError with what was expected.

        >>> ImageSize.parse("1024x768"), ImageSize.parse(" 1024 × 768 ")
        (ImageSize(width_px=1024, height_px=768), ImageSize(width_px=1024, height_px=768))
        """
        found = re.fullmatch(r"\s*(\d{1,6})\s*[xX×]\s*(\d{1,6})\s*", text, re.ASCII)
        if found is None or 0 in (size := cls(int(found[1]), int(found[2]))):
            raise ValueError("width and height in pixels, such as 1024x768")
        return size

    def __str__(self) -> str:
        return f"{self.width_px} x {self.height_px}"


def size_of(data: bytes) -> ImageSize:
    """The size that the bytes of an image file state. Raises ValueError with what was expected."""
    size = None
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        size = _size_of_png(data)
    elif data.startswith(b"\xff\xd8"):
        size = _size_of_jpeg(data)
    elif data.startswith((b"GIF87a", b"GIF89a")):
        size = _little(data, 6, 8, 2) if len(data) >= 10 else None
    elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        size = _size_of_webp(data)
    if size is None or 0 in size:
        raise ValueError(_EXPECTED)
    return size


def size_of_data_url(url: str) -> ImageSize:
    """The size of an image whose bytes are in a data: URL, in base64. Raises ValueError with what was expected."""
    about, comma, text = url.partition(",")
    if not comma or not about.casefold().endswith(";base64"):
        raise ValueError("data:image/png;base64, and the bytes of an image")
    try:
        data = b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise ValueError(f"{_EXPECTED}, in base64") from None
    return size_of(data)


def _little(data: bytes, width_at: int, height_at: int, width: int) -> ImageSize:
    return ImageSize(
        int.from_bytes(data[width_at : width_at + width], "little"),
        int.from_bytes(data[height_at : height_at + width], "little"),
    )


def _size_of_png(data: bytes) -> ImageSize | None:
    if data[12:16] != b"IHDR" or len(data) < 24:
        return None
    return ImageSize(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))


def _size_of_jpeg(data: bytes) -> ImageSize | None:
    """The first frame's size; thumbnails lie inside segments, which are skipped."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill
            at += 1
        elif marker in _NO_LENGTH:
            at += 2
        elif marker in _FRAMES:
            if at + 9 > len(data):
                return None
            return ImageSize(int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big"))
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _size_of_webp(data: bytes) -> ImageSize | None:
    kind = data[12:16]
    if kind == b"VP8X" and len(data) >= 30:
        canvas = _little(data, 24, 27, 3)
        return ImageSize(canvas.width_px + 1, canvas.height_px + 1)
    if kind == b"VP8L" and len(data) >= 25 and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        return ImageSize((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 " and len(data) >= 30 and data[23:26] == b"\x9d\x01\x2a":
        frame = _little(data, 26, 28, 2)
        return ImageSize(frame.width_px & 0x3FFF, frame.height_px & 0x3FFF)  # the upper two bits are a scale
    return None
