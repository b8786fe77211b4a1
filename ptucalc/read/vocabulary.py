"""The vocabularies that tiktoken would download: packed in this package, expanded into the user's cache, never fetched.

A packed file is xz around one byte for the length of each token in the order of their ranks, a zero byte, and the
tokens themselves. OpenAI's file has a line for each token: its bytes in base64, a space, its rank. One is made from the
other exactly, and the SHA-256 sum that tiktoken asks for is the proof.

To pack anew, from files of OpenAI's (the address of each is below), and to check what is packed, in a checkout:

    python -m ptucalc.read.vocabulary o200k_base.tiktoken cl100k_base.tiktoken
    python -m ptucalc.read.vocabulary
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import NamedTuple

from ptucalc.errors import PtucalcError
from ptucalc.read.user_folders import user_cache

__all__ = ["VOCABULARIES", "NoTokenizer", "Vocabulary", "pack", "packed_bytes", "unpack", "vocabulary_folder"]

WAYS_OUT = "; or count with --approx, an estimate that needs no vocabulary"
WAITS_S = (0.01, 0.05, 0.1, 0.2, 0.4)
"""On Windows a file cannot be replaced while another process reads it, which takes some milliseconds."""


class NoTokenizer(PtucalcError):
    """Tokens cannot be counted here: tiktoken or a vocabulary is missing, damaged, or another one than expected."""


class Vocabulary(NamedTuple):
    """One of OpenAI's files: where tiktoken finds it, the SHA-256 sum that it asks for, and its length in bytes."""

    name: str
    url: str
    sha256: str
    length: int

    @property
    def cache_name(self) -> str:
        """The name under which tiktoken looks for it in a cache folder: the SHA-1 sum of its address."""
        return hashlib.sha1(self.url.encode(), usedforsecurity=False).hexdigest()

    def is_whole(self, data: bytes) -> bool:
        """Whether these are the bytes of OpenAI's file."""
        return hashlib.sha256(data).hexdigest() == self.sha256


VOCABULARIES = {
    vocabulary.name: vocabulary
    for vocabulary in (
        Vocabulary(
            "cl100k_base",
            "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken",
            "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
            1_681_126,
        ),
        Vocabulary(
            "o200k_base",
            "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken",
            "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
            3_613_922,
        ),
    )
}
"""Those that this package carries. Source: tiktoken 0.14.0, tiktoken_ext/openai_public.py."""


@contextmanager
def vocabulary_folder(vocabulary: Vocabulary) -> Iterator[Path]:
    """A folder in which tiktoken finds this vocabulary, whole, under its cache name.

    The user's own (TIKTOKEN_CACHE_DIR, then DATA_GYM_CACHE_DIR) where its file is whole: nothing is ever written there.
    Else ptucalc's in the user's cache, filled or mended as needed. Else, where that cannot be written, a temporary one.
    Raises NoTokenizer where there is none, or where the file in this package is damaged.
    """
    given = (os.environ.get("TIKTOKEN_CACHE_DIR"), os.environ.get("DATA_GYM_CACHE_DIR"))
    cache = user_cache("tiktoken")
    places = [*(Path(place) for place in given if place), *([cache] if cache else [])]
    whole = next((place for place in places if _has(place, vocabulary)), None)
    if whole is None:
        data = unpack(packed_bytes(vocabulary), vocabulary)
        if cache and _put(cache, vocabulary, data):
            whole = cache
    if whole is not None:
        yield whole
        return
    try:
        temporary = TemporaryDirectory(prefix="ptucalc-", ignore_cleanup_errors=True)
    except OSError as error:
        raise NoTokenizer(_nowhere(vocabulary, cache, str(error))) from None
    with temporary as folder:
        if not _put(Path(folder), vocabulary, data):
            raise NoTokenizer(_nowhere(vocabulary, cache, f"{folder} cannot be written"))
        yield Path(folder)


def _nowhere(vocabulary: Vocabulary, cache: Path | None, why: str) -> str:
    places = f"{cache} or a temporary folder" if cache else "a temporary folder"
    return (
        f"the vocabulary {vocabulary.name} ({vocabulary.length:,} bytes) can be written nowhere: expected {places} "
        f"that can be written, got: {why}; set XDG_CACHE_HOME (Windows: LOCALAPPDATA) or TMPDIR to one{WAYS_OUT}"
    )


def _has(folder: Path, vocabulary: Vocabulary) -> bool:
    """Whether the folder has the vocabulary, whole. What has another length, as a pipe has, is not read."""
    path = folder / vocabulary.cache_name
    try:
        return path.stat().st_size == vocabulary.length and vocabulary.is_whole(path.read_bytes())
    except OSError:
        return False


def _put(folder: Path, vocabulary: Vocabulary, data: bytes) -> bool:
    """Write the file, in one step for whoever reads it; whether it is there then, by whomever."""
    path = folder / vocabulary.cache_name
    ours = path.with_name(f"{path.name}.{os.getpid()}.{token_hex(4)}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with open(ours, "xb") as stream:
                stream.write(data)
            _replace(ours, path)
        finally:
            ours.unlink(missing_ok=True)
    except OSError:
        pass  # another process may have put it there meanwhile
    return _has(folder, vocabulary)


def _replace(ours: Path, path: Path) -> None:
    for wait in WAITS_S:
        try:
            os.replace(ours, path)
        except PermissionError:
            time.sleep(wait)
        else:
            return
    os.replace(ours, path)


def packed_bytes(vocabulary: Vocabulary) -> bytes:
    """The packed file in this package. Raises NoTokenizer where it is missing."""
    packed = files("ptucalc") / "data" / "vocabulary" / f"{vocabulary.name}.bin.xz"
    try:
        return packed.read_bytes()
    except OSError as error:
        raise NoTokenizer(_damaged(vocabulary, error.strerror or str(error))) from None


def unpack(packed: bytes, vocabulary: Vocabulary) -> bytes:
    """OpenAI's file from the packed one. Raises NoTokenizer where that is damaged; never grows beyond the file's length."""
    try:
        import lzma
    except ImportError:
        found = "a Python that was built without lzma"
        raise NoTokenizer(f"a vocabulary cannot be unpacked: expected Python's lzma, got {found}{WAYS_OUT}") from None
    try:
        plain = lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(packed, max_length=vocabulary.length)
    except lzma.LZMAError as error:
        raise NoTokenizer(_damaged(vocabulary, str(error))) from None
    lengths, _, tokens = plain.partition(b"\0")
    lines, start = [], 0
    for rank, length in enumerate(lengths):
        lines.append(b"%b %d\n" % (b64encode(tokens[start : start + length]), rank))
        start += length
    data = b"".join(lines)
    if not vocabulary.is_whole(data):
        raise NoTokenizer(_damaged(vocabulary, "another SHA-256 sum"))
    return data


def _damaged(vocabulary: Vocabulary, found: str) -> str:
    return (
        f"ptucalc's own file of the vocabulary {vocabulary.name} is missing or damaged: expected OpenAI's, got: {found}; "
        f"install ptucalc again (pip install --force-reinstall ptucalc){WAYS_OUT}"
    )


def pack(data: bytes) -> bytes:
    """The packed file of one of OpenAI's. Raises ValueError where it is not a line for each rank, in order."""
    import lzma

    tokens = []
    for rank, line in enumerate(data.splitlines()):
        token, given = line.split()
        tokens.append(b64decode(token, validate=True))
        if int(given) != rank or not 0 < len(tokens[-1]) < 256:
            raise ValueError(f"line {rank + 1}: expected rank {rank} and a token of 1 to 255 bytes, got {line!r}")
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 4 << 20, "lc": 4, "pb": 0}]
    return lzma.compress(bytes(map(len, tokens)) + b"\0" + b"".join(tokens), lzma.FORMAT_XZ, filters=filters)


def main(paths: list[str]) -> None:
    """Pack these files of OpenAI's into this package; then check every packed file."""
    folder = Path(str(files("ptucalc"))) / "data" / "vocabulary"
    for path in map(Path, paths):
        data = path.read_bytes()
        vocabulary = VOCABULARIES[path.stem]
        if not vocabulary.is_whole(data):
            raise SystemExit(f"{path}: not the file with the SHA-256 sum {vocabulary.sha256}")
        (folder / f"{vocabulary.name}.bin.xz").write_bytes(pack(data))
    for vocabulary in VOCABULARIES.values():
        packed = packed_bytes(vocabulary)
        unpack(packed, vocabulary)
        print(f"ok  {vocabulary.name}: {len(packed):,} bytes packed, {vocabulary.length:,} as OpenAI has them")


if __name__ == "__main__":
    main(sys.argv[1:])
